//! The crypto API as an operator uses it: found, called, measured, proven.
//!
//! A call is signed with the session's credentials, or goes straight to the function. What was sent and what came back is
//! nowhere kept.

pub mod bench;
pub mod keyring;
pub mod last;
mod locate;
pub mod play;
pub mod rotate;
pub mod smoke;
mod trail;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use self::locate::Place;
use self::trail::Trail;
use super::call::{self, Call};
use super::session::Session;
use super::{failed, why};
use crate::aws::lambda;
use crate::compare::{Why, WhyKind};
use crate::crypto_api::{Decrypt, Encrypt, Route, direct, direct_answer};
pub use crate::crypto_api::{Decrypted, Encrypted, KeyVersion, Keys, Rewrapped};
use crate::http::api::{Connection, Problem, Reply};
use crate::secret::Secret;

/// What to try where nobody answers.
const ELSEWHERE: &str = "is there a network, a proxy, a VPN? --via function goes through Lambda's API";

/// What a message is bound to.
pub type Context = BTreeMap<String, String>;

/// The way to the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// Through API Gateway, as everybody.
    Api,
    /// By invoking it.
    Function,
}

/// Hears what is going on.
pub type Tell<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// The crypto API of an environment, ready to be asked.
#[derive(Clone)]
pub struct Crypto {
    session: Session,
    place: Place,
    way: Way,
    /// What the smoke test looks for in the log afterwards.
    trail: Option<Arc<Trail>>,
}

#[derive(Clone)]
enum Way {
    Api(Connection),
    Function(String),
}

/// An answer, whatever it says.
struct Answer {
    route: Route,
    reply: Reply,
}

impl Crypto {
    /// Finds it: by the project's `[crypto]`, or by the outputs of its stacks.
    pub async fn open(session: &Session, via: Via) -> Result<Self, Why> {
        let place = locate::locate(session, via).await?;
        let way = match via {
            Via::Api => Way::Api(Connection::to(&place.endpoint()?).map_err(|error| failed(&error))?),
            Via::Function => Way::Function(place.function()?),
        };
        Ok(Self { session: session.clone(), place, way, trail: None })
    }

    /// The same, which remembers what it sent until it is dropped.
    fn watched(&self) -> Self {
        Self { trail: Some(Arc::default()), ..self.clone() }
    }

    /// Notes a plaintext that is about to be sent.
    fn sends(&self, plain: &[u8]) {
        if let Some(trail) = &self.trail {
            trail.sends(plain);
        }
    }

    /// Where it is: a URL or a function.
    #[must_use]
    pub fn place(&self) -> &str {
        match &self.way {
            Way::Api(connection) => connection.base(),
            Way::Function(function) => function,
        }
    }

    /// Encrypts bytes; `None`: under the latest key version.
    pub async fn encrypt(&self, plain: &[u8], context: &Context, key_version: Option<u32>) -> Result<Encrypted, Why> {
        self.answer_to_encrypt(plain, context, key_version).await?.read(self)
    }

    /// Decrypts.
    pub async fn decrypt(&self, ciphertext: &str, context: &Context) -> Result<Decrypted, Why> {
        self.post(Route::Decrypt, &Decrypt { ciphertext, context }).await?.read(self)
    }

    /// Encrypts under the latest key version what a ciphertext holds.
    pub async fn rewrap(&self, ciphertext: &str, context: &Context) -> Result<Rewrapped, Why> {
        self.post(Route::Rewrap, &Decrypt { ciphertext, context }).await?.read(self)
    }

    /// The keyring.
    pub async fn keys(&self) -> Result<Keys, Why> {
        self.ask(Route::Keys, &[]).await?.read(self)
    }

    async fn answer_to_encrypt(&self, plain: &[u8], context: &Context, version: Option<u32>) -> Result<Answer, Why> {
        self.sends(plain);
        let plaintext = Secret::new(STANDARD.encode(plain));
        self.post(Route::Encrypt, &Encrypt { plaintext, context, key_version: version }).await
    }

    async fn post(&self, route: Route, body: &impl Serialize) -> Result<Answer, Why> {
        let body = serde_json::to_vec(body).map_err(|error| failed(&error))?;
        self.ask(route, &Zeroizing::new(body)).await
    }

    /// Asks once, and answers whatever is said; an error is only that nothing was.
    async fn ask(&self, route: Route, body: &[u8]) -> Result<Answer, Why> {
        let reply = match &self.way {
            Way::Api(connection) => {
                let path = route.path();
                let headers = Connection::headers(body);
                let call = Call { method: route.method(), path: &path, headers, body };
                call::signed(&self.session, connection, call, ELSEWHERE).await?
            }
            Way::Function(function) => self.invoke(function, route, body).await?,
        };
        // An older function does not say by which id its log has it; there it is API Gateway's, or that of the call.
        let logged = reply.logged_id.as_ref().or(reply.request_id.as_ref());
        if let (Some(trail), 200, Some(id)) = (&self.trail, reply.status, logged) {
            trail.asked(id);
        }
        Ok(Answer { route, reply })
    }

    async fn invoke(&self, function: &str, route: Route, body: &[u8]) -> Result<Reply, Why> {
        let began = Instant::now();
        let called = lambda::invoke(&self.session.clients, function, direct(route, body)).await;
        let called = called.map_err(|error| why(&error))?;
        let took = began.elapsed();
        let payload = Zeroizing::new(called.payload);
        if let Some(how) = called.failed {
            return Err(Why::new(format!("the function {function} failed ({how}); its log says why")));
        }
        let (status, body, logged_id) = direct_answer(&payload).ok_or_else(|| {
            Why::new(format!("the function {function} answers as no crypto function does"))
                .hint("is it the stack's CryptoFunction?")
        })?;
        Ok(Reply { status, body, request_id: called.request_id, logged_id, took })
    }

    /// A call of nobody, which only API Gateway can refuse.
    async fn ask_unsigned(&self, route: Route, body: &[u8]) -> Option<Result<Answer, Why>> {
        let Way::Api(connection) = &self.way else { return None };
        let sent = connection.send(route.method(), &route.path(), &[], body).await;
        Some(sent.map(|reply| Answer { route, reply }).map_err(|error| call::silent(self.place(), &error, ELSEWHERE)))
    }
}

impl Answer {
    fn took(&self) -> Duration {
        self.reply.took
    }

    /// The problem, whatever form it has.
    fn problem(&self) -> Problem {
        self.reply.problem()
    }

    /// AWS's id of the request.
    fn request_id(&self) -> Option<String> {
        self.reply.id()
    }

    /// Status and kind in a few words, without what was sent or answered.
    fn brief(&self) -> String {
        self.reply.brief()
    }

    /// What a success says.
    fn parsed<T: DeserializeOwned>(&self) -> Option<T> {
        (self.reply.status == 200).then(|| serde_json::from_slice(&self.reply.body).ok()).flatten()
    }

    /// What it says, or the refusal as an operator reads it.
    fn read<T: DeserializeOwned>(&self, crypto: &Crypto) -> Result<T, Why> {
        if let Some(read) = self.parsed() {
            return Ok(read);
        }
        let what = match self.route {
            Route::Encrypt => "encrypt",
            Route::Decrypt => "decrypt",
            Route::Rewrap => "rewrap",
            Route::Keys => "list the keys",
            Route::Health => "ask for health",
        };
        let problem = self.problem();
        let why = Why::new(format!("cannot {what} by {}: {}", crypto.place(), self.reply.refusal()));
        Err(match (self.reply.status, problem.name()) {
            (200, _) => why.hint("something between here and AWS may answer instead of it: a proxy, a portal"),
            (_, "decryption-refused") => why.hint("the same -c pairs as when it was encrypted; plumb crypto keys"),
            (_, "not-a-ciphertext") => why.hint("a ciphertext begins with plumb:v1:"),
            (_, "unknown-key-version") => why.hint("plumb crypto keys"),
            (_, "keyring-unavailable") => why.hint("try again in a few seconds; is its secret still there?"),
            (401 | 403, _) => why.hint(crypto.place.needs()).kind(WhyKind::Denied),
            (429, _) => why.hint("others are asking a lot of it too: try again in a minute").kind(WhyKind::Throttled),
            _ => why,
        })
    }
}

/// The bytes of a message in base64.
#[must_use]
pub fn bytes(message: &Decrypted) -> Option<Zeroizing<Vec<u8>>> {
    STANDARD.decode(message.plaintext.expose()).ok().map(Zeroizing::new)
}

/// How long calls took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latency {
    /// How many there were.
    pub calls: usize,
    /// Half of them took no longer.
    pub p50: Duration,
    /// 95 of a hundred took no longer.
    pub p95: Duration,
    /// 99 of a hundred took no longer.
    pub p99: Duration,
}

impl Latency {
    /// The nearest ranks; `None` without calls.
    #[must_use]
    pub fn of(mut took: Vec<Duration>) -> Option<Self> {
        took.sort_unstable();
        let rank = |percent: usize| took.get((took.len() * percent).div_ceil(100).max(1) - 1).copied();
        Some(Self { calls: took.len(), p50: rank(50)?, p95: rank(95)?, p99: rank(99)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_calls_that_were_made() {
        let millis = |numbers: &[u64]| Latency::of(numbers.iter().copied().map(Duration::from_millis).collect());
        assert_eq!(millis(&[]), None);
        let one = millis(&[7]).unwrap();
        assert_eq!((one.calls, one.p50, one.p99), (1, Duration::from_millis(7), Duration::from_millis(7)));
        let hundred = millis(&(1..=100).rev().collect::<Vec<_>>()).unwrap();
        let expected = [50, 95, 99].map(Duration::from_millis);
        assert_eq!([hundred.p50, hundred.p95, hundred.p99], expected);
    }
}
