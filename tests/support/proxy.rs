//! A loopback proxy between the real AWS SDK and the local account, that records every call and breaks the chosen ones.
//!
//! It forwards requests byte for byte, `Host` included, so that signatures stay valid. Request bodies are kept in memory
//! for predicates and are printed by nobody. It runs on its own thread: tests with and without a runtime use it alike. Waiting blocks, so a
//! test that waits for its own tasks' calls is `#[tokio::test(flavor = "multi_thread")]`.

mod fault;
mod request;
mod serve;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use hyper::body::Bytes;

use super::wait::{Watched, deadline};

/// What a call gets instead of, or on the way to, the account's answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The service's own "slow down".
    Throttling,
    /// The service's own status 500.
    ServerError,
    /// No answer, ever; ends when the caller hangs up.
    Hang,
    /// The connection is torn down by a TCP reset, without a byte.
    Reset,
    /// The account's answer, its body cut in half and the connection closed.
    TruncatedBody,
    /// Credentials that have run out.
    ExpiredToken,
    /// An account whose clock is so many seconds ahead: what is signed five minutes off its time is refused, and the rest
    /// is answered with its date.
    Skewed(i64),
    /// A refusal, with this message.
    AccessDenied(String),
    /// The account's answer, but not before the gate is opened.
    Delay(Gate),
    /// The account does what it is asked, whatever becomes of the caller, and its answer never comes back. The call stands
    /// before the gate once it is done.
    Silence(Gate),
    /// Exactly this status and body.
    Body(u16, Vec<u8>),
}

/// What holds calls back until the test lets them through.
#[derive(Clone, Default)]
pub struct Gate(Arc<GateState>);

#[derive(Default)]
struct GateState {
    open: tokio::sync::Notify,
    came: tokio::sync::Notify,
    is_open: Watched<bool>,
    waiting: Watched<usize>,
}

impl Gate {
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets through what waits, and all that comes after.
    pub fn open(&self) {
        self.0.is_open.change(|open| *open = true);
        self.0.open.notify_waiters();
    }

    /// Waits until a call stands before the gate.
    ///
    /// # Panics
    /// When none has come within the deadline.
    pub fn reached(&self) {
        self.reached_by(1);
    }

    /// Waits until so many calls stand before the gate.
    ///
    /// # Panics
    /// When fewer have come within the deadline.
    pub fn reached_by(&self, calls: usize) {
        let came = self.0.waiting.wait_for(deadline(), |waiting| (*waiting >= calls).then_some(()));
        assert!(came.is_some(), "{} of {calls} calls came to the gate", *self.0.waiting.read());
    }

    /// Comes back when a call stands before the gate, or has stood there.
    pub async fn came(&self) {
        self.0.came.notified().await;
    }

    async fn pass(&self) {
        let _here = Here::before(&self.0);
        loop {
            let opened = self.0.open.notified();
            if *self.0.is_open.read() {
                return;
            }
            opened.await;
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self.0.is_open.read() { "open gate" } else { "closed gate" })
    }
}

/// Counts a call that waits, for as long as it does.
struct Here<'a>(&'a GateState);

impl<'a> Here<'a> {
    fn before(gate: &'a GateState) -> Self {
        gate.waiting.change(|waiting| *waiting += 1);
        gate.came.notify_one();
        Self(gate)
    }
}

impl Drop for Here<'_> {
    fn drop(&mut self) {
        self.0.waiting.change(|waiting| *waiting -= 1);
    }
}

/// One request that came through.
#[derive(Clone)]
pub struct Call {
    /// As in the signature's scope: `ssm`, `cloudformation`, `s3`.
    pub service: String,
    /// AWS's name of it: `GetParameters`; the method and path for what the table of REST paths does not know.
    pub operation: String,
    pub region: Option<String>,
    /// Whose signature it bears.
    pub access_key_id: Option<String>,
    pub method: String,
    /// Path and query.
    pub target: String,
    pub at: Instant,
    pub request_bytes: usize,
    pub outcome: Outcome,
    body: Bytes,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not answered yet.
    Pending,
    /// Answered by the account.
    Forwarded { status: u16, bytes: usize },
    /// Answered, or not, by a rule.
    Faulted { fault: &'static str, status: Option<u16> },
    /// The caller hung up before it was answered.
    Abandoned,
    /// The account could not be reached or broke off.
    Unreachable(String),
}

impl Call {
    /// `service:operation`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// The body as JSON; `Null` when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A field of a form (the query protocol), decoded.
    pub fn form(&self, field: &str) -> Option<String> {
        request::form_field(&self.body, field)
    }

    /// Whether the body holds this text as it is.
    pub fn body_contains(&self, text: &str) -> bool {
        self.body.windows(text.len().max(1)).any(|window| window == text.as_bytes())
    }

    fn matches(&self, pattern: &str) -> bool {
        let (service, operation) = pattern.split_once(':').unwrap_or((pattern, "*"));
        let glob = |pattern: &str, name: &str| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == pattern,
        };
        glob(service, &self.service) && glob(operation, &self.operation)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { access_key_id, request_bytes, outcome, .. } = self;
        let key = access_key_id.as_deref().unwrap_or("nobody");
        write!(f, "{} by {key}, {request_bytes} bytes, {outcome:?}", self.name())
    }
}

type Predicate = Arc<dyn Fn(&Call) -> bool + Send + Sync>;

/// A rule in force.
struct Rule {
    pattern: String,
    when: Option<Predicate>,
    skip: usize,
    left: Option<usize>,
    fault: Fault,
}

/// A rule being written; [`RuleBuilder::reply`] puts it in force.
#[must_use = "a rule is in force after `reply`"]
pub struct RuleBuilder<'a> {
    shared: &'a Shared,
    rule: Rule,
}

impl RuleBuilder<'_> {
    /// Only for so many calls; for all of them when not said.
    pub fn times(mut self, times: usize) -> Self {
        self.rule.left = Some(times);
        self
    }

    /// Lets the first `calls` calls that match pass by.
    pub fn after(mut self, calls: usize) -> Self {
        self.rule.skip = calls;
        self
    }

    /// Only for calls of which this is true.
    pub fn when(mut self, predicate: impl Fn(&Call) -> bool + Send + Sync + 'static) -> Self {
        self.rule.when = Some(Arc::new(predicate));
        self
    }

    /// What these calls get.
    pub fn reply(mut self, fault: Fault) {
        self.rule.fault = fault;
        self.shared.rules.change(|rules| rules.push(self.rule));
    }
}

/// What the proxy's thread and the test share.
#[derive(Default)]
struct Shared {
    rules: Watched<Vec<Rule>>,
    calls: Watched<Vec<Call>>,
}

impl Shared {
    /// Writes a call down and finds what it gets; the first rule that fits and is not used up.
    fn record(&self, call: Call) -> (usize, Option<Fault>) {
        let fault = self.rules.change(|rules| {
            for rule in rules {
                let fits = call.matches(&rule.pattern) && rule.when.as_ref().is_none_or(|when| when(&call));
                if !fits || rule.left == Some(0) {
                    continue;
                }
                if rule.skip > 0 {
                    rule.skip -= 1;
                    continue;
                }
                rule.left = rule.left.map(|left| left - 1);
                return Some(rule.fault.clone());
            }
            None
        });
        let index = self.calls.change(|calls| {
            calls.push(call);
            calls.len() - 1
        });
        (index, fault)
    }

    fn settle(&self, index: usize, outcome: Outcome) {
        self.calls.change(|calls| {
            if let Some(call) = calls.get_mut(index) {
                call.outcome = outcome;
            }
        });
    }
}

/// The running proxy. Dropping it closes its port and every connection through it.
pub struct Proxy {
    shared: Arc<Shared>,
    address: std::net::SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Proxy {
    /// Starts a proxy before `endpoint_url` (`http://127.0.0.1:port`).
    pub fn start(endpoint_url: &str) -> Self {
        let upstream = endpoint_url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime for the proxy");
        let shared = Arc::new(Shared::default());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port for the proxy");
        let address = listener.local_addr().expect("the proxy's address");
        listener.set_nonblocking(true).expect("the proxy's port is its own");
        let listener = {
            let _entered = runtime.enter();
            tokio::net::TcpListener::from_std(listener).expect("the runtime takes the port")
        };
        runtime.spawn(serve::accept(listener, upstream, Arc::clone(&shared)));
        Self { shared, address, runtime: Some(runtime) }
    }

    /// What to give the SDK as `AWS_ENDPOINT_URL`.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Begins a rule for `service:Operation`; both may end in `*`.
    pub fn on(&self, pattern: &str) -> RuleBuilder<'_> {
        let rule = Rule { pattern: pattern.to_owned(), when: None, skip: 0, left: None, fault: Fault::ServerError };
        RuleBuilder { shared: &self.shared, rule }
    }

    /// Takes every rule away; calls that already hang or wait keep doing so.
    pub fn heal(&self) {
        self.shared.rules.change(Vec::clear);
    }

    /// Every call so far, in the order in which they came.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.read().clone()
    }

    /// How many calls match `service:Operation` (both may end in `*`).
    pub fn count(&self, pattern: &str) -> usize {
        self.shared.calls.read().iter().filter(|call| call.matches(pattern)).count()
    }

    /// Forgets the calls so far; none may be on its way.
    pub fn forget(&self) {
        self.shared.calls.change(|calls| {
            let pending = calls.iter().filter(|call| call.outcome == Outcome::Pending).count();
            assert_eq!(pending, 0, "{pending} calls are on their way");
            calls.clear();
        });
    }

    /// Waits until the calls are as wanted.
    ///
    /// # Panics
    /// With the calls, when that has not come about within the deadline.
    pub fn wait_for(&self, what: &str, mut wanted: impl FnMut(&[Call]) -> bool) {
        let met = self.shared.calls.wait_for(deadline(), |calls| wanted(calls).then_some(()));
        assert!(met.is_some(), "waited in vain for: {what}\n{:#?}", self.calls());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
