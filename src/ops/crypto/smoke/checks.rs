//! Each check: what is asked, and what must be answered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Check, Options, Run, Step, logs};
use crate::compare::Why;
use crate::crypto_api::{Decrypt, Decrypted, Encrypted, Health, Rewrapped, Route};
use crate::ops::crypto::{Answer, Context, Crypto, Latency, Tell, rotate};

/// What a check that passed tells.
#[derive(Default)]
pub(super) struct Proof {
    pub(super) key_version: Option<u32>,
    pub(super) latency: Option<Latency>,
}

/// Why a check did not pass.
pub(super) enum Miss {
    Wrong { expected: String, got: String, request_id: Option<String> },
    Silent(Why),
    Unproven(String),
}

impl From<Why> for Miss {
    fn from(why: Why) -> Self {
        Self::Silent(why)
    }
}

type Checked = Result<Proof, Miss>;

/// One byte more than a request's body may have, in a text; with what stands around it the body is larger still.
const OVERSIZE: usize = 4 * 1024 * 1024 + 1;

const MEBIBYTE: usize = 1024 * 1024;

pub(super) async fn make(run: &Run<'_>, check: Check) -> Checked {
    let Run { crypto, options, .. } = *run;
    match check {
        Check::Health => health(crypto).await,
        Check::Empty => round_trip(crypto, b"").await,
        Check::Ascii => round_trip(crypto, b"The quick brown fox jumps over the lazy dog.").await,
        Check::Emoji => round_trip(crypto, "\u{1f512} gr\u{fc}\u{df}e \u{1f469}\u{200d}\u{1f4bb}".as_bytes()).await,
        Check::Binary => round_trip(crypto, &(0..=255).collect::<Vec<u8>>()).await,
        Check::Large => round_trip(crypto, &random(MEBIBYTE)?).await,
        Check::Batch => batch(crypto).await,
        Check::Tampered => tampered(crypto).await,
        Check::WrongContext => wrong_context(crypto).await,
        Check::Rewrap => rewrap(crypto).await,
        Check::Unsigned => unsigned(crypto).await,
        Check::Oversize => oversize(crypto).await,
        Check::Latency => latency(crypto, options.calls).await,
        Check::Rotation => rotation(crypto, options, &|text| (run.hear)(Step::Doing(text.to_owned()))).await,
        Check::Logs => logs::check(run).await,
    }
}

/// What every message of the smoke test is bound to.
fn context() -> Context {
    Context::from([("purpose".to_owned(), "plumb-smoke".to_owned())])
}

fn random(bytes: usize) -> Result<Vec<u8>, Why> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(|error| Why::new(format!("the system gives no random numbers: {error}")))?;
    Ok(random)
}

fn wrong(expected: impl Into<String>, got: impl Into<String>, answer: &Answer) -> Miss {
    Miss::Wrong { expected: expected.into(), got: got.into(), request_id: answer.request_id() }
}

impl Proof {
    fn under(key_version: u32) -> Self {
        Self { key_version: Some(key_version), latency: None }
    }
}

/// What a call that has to succeed says.
fn success<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, Miss> {
    answer.parsed().ok_or_else(|| wrong("HTTP 200", answer.brief(), answer))
}

/// That a call was refused as it has to be.
fn refused(answer: &Answer, status: u16, kind: &str) -> Result<(), Miss> {
    let problem = answer.problem();
    if answer.reply.status == status && problem.name() == kind {
        return Ok(());
    }
    Err(wrong(format!("HTTP {status} {kind}"), answer.brief(), answer))
}

async fn sealed(crypto: &Crypto, plain: &[u8]) -> Result<Encrypted, Miss> {
    success(&crypto.answer_to_encrypt(plain, &context(), None).await?)
}

async fn ask(crypto: &Crypto, route: Route, ciphertext: &str, context: &Context) -> Result<Answer, Miss> {
    Ok(crypto.post(route, &Decrypt { ciphertext, context }).await?)
}

/// That a ciphertext opens to these bytes; the version that it was under.
async fn opens_to(crypto: &Crypto, ciphertext: &str, plain: &[u8]) -> Result<u32, Miss> {
    let answer = ask(crypto, Route::Decrypt, ciphertext, &context()).await?;
    let opened: Decrypted = success(&answer)?;
    let bytes = super::super::bytes(&opened).ok_or_else(|| wrong("base64", "something else", &answer))?;
    if bytes.as_slice() == plain {
        return Ok(opened.key_version);
    }
    let got = if bytes.len() == plain.len() { "others".to_owned() } else { format!("{} bytes", bytes.len()) };
    Err(wrong(format!("the {} bytes that were encrypted", plain.len()), got, &answer))
}

async fn health(crypto: &Crypto) -> Checked {
    let answer = crypto.ask(Route::Health, &[]).await?;
    let health: Health = success(&answer)?;
    if health.status == "ok" { Ok(Proof::under(health.key_version)) } else { Err(wrong("ok", health.status, &answer)) }
}

async fn round_trip(crypto: &Crypto, plain: &[u8]) -> Checked {
    let sealed = sealed(crypto, plain).await?;
    opens_to(crypto, &sealed.ciphertext, plain).await?;
    Ok(Proof::under(sealed.key_version))
}

async fn batch(crypto: &Crypto) -> Checked {
    let (first, last) = ("the first of a batch", "the last of a batch");
    let body = json!({ "items": [
        { "reference": "first", "text": first, "context": context() },
        { "reference": "bad", "plaintext": "?" },
        { "reference": "last", "plaintext": STANDARD.encode(last), "context": context() },
    ]});
    crypto.sends(first.as_bytes());
    crypto.sends(last.as_bytes());
    let answer = crypto.post(Route::Encrypt, &body).await?;
    let told: Value = success(&answer)?;
    let shape = (&told["failed"], &told["items"][1]["error"]["type"], &told["items"][1]["reference"]);
    if shape != (&json!(1), &json!("urn:plumb:problem:invalid-request"), &json!("bad")) {
        let got = format!("failed {}, type {}, reference {}", shape.0, shape.1, shape.2);
        return Err(wrong("the second item alone fails, as invalid-request, by its reference", got, &answer));
    }
    let mut version = 0;
    for (at, reference, plain) in [(0, "first", first), (2, "last", last)] {
        let item = &told["items"][at];
        let ciphertext = item["ciphertext"].as_str().unwrap_or_default();
        if item["reference"] != reference || ciphertext.is_empty() {
            return Err(wrong(format!("a ciphertext for \"{reference}\""), "none at its place", &answer));
        }
        version = opens_to(crypto, ciphertext, plain.as_bytes()).await?;
    }
    Ok(Proof::under(version))
}

/// The same ciphertext with one character in the middle of its bytes changed: still base64, and other bits.
fn changed(ciphertext: &str) -> String {
    let middle = ciphertext.len() - ciphertext.len() / 4;
    let other = if ciphertext.as_bytes().get(middle) == Some(&b'A') { "B" } else { "A" };
    let (before, after) = ciphertext.split_at_checked(middle).unwrap_or((ciphertext, ""));
    format!("{before}{other}{}", after.get(1..).unwrap_or_default())
}

async fn tampered(crypto: &Crypto) -> Checked {
    let sealed = sealed(crypto, b"nobody may change this").await?;
    let answer = ask(crypto, Route::Decrypt, &changed(&sealed.ciphertext), &context()).await?;
    refused(&answer, 422, "decryption-refused")?;
    Ok(Proof::under(sealed.key_version))
}

async fn wrong_context(crypto: &Crypto) -> Checked {
    let sealed = sealed(crypto, b"bound to its context").await?;
    let other = Context::from([("purpose".to_owned(), "another".to_owned())]);
    for context in [other, Context::new()] {
        refused(&ask(crypto, Route::Decrypt, &sealed.ciphertext, &context).await?, 422, "decryption-refused")?;
    }
    Ok(Proof::under(sealed.key_version))
}

async fn rewrap(crypto: &Crypto) -> Checked {
    let plain = b"the same under whichever key";
    let sealed = sealed(crypto, plain).await?;
    let answer = ask(crypto, Route::Rewrap, &sealed.ciphertext, &context()).await?;
    let wrapped: Rewrapped = success(&answer)?;
    if wrapped.ciphertext == sealed.ciphertext || wrapped.previous_key_version != sealed.key_version {
        let got = format!("from version {}", wrapped.previous_key_version);
        return Err(wrong(format!("another ciphertext, from version {}", sealed.key_version), got, &answer));
    }
    opens_to(crypto, &wrapped.ciphertext, plain).await?;
    Ok(Proof::under(wrapped.key_version))
}

async fn unsigned(crypto: &Crypto) -> Checked {
    let Some(answer) = crypto.ask_unsigned(Route::Health, &[]).await else {
        let reason = "Lambda's API takes no call without a signature; this is proven without --via function";
        return Err(Miss::Unproven(reason.to_owned()));
    };
    let answer = answer?;
    if answer.reply.status == 403 { Ok(Proof::default()) } else { Err(wrong("HTTP 403", answer.brief(), &answer)) }
}

async fn oversize(crypto: &Crypto) -> Checked {
    let text = "a".repeat(OVERSIZE);
    crypto.sends(text.as_bytes());
    let body = format!("{{\"text\":\"{text}\"}}");
    refused(&crypto.ask(Route::Encrypt, body.as_bytes()).await?, 413, "too-large")?;
    Ok(Proof::default())
}

async fn latency(crypto: &Crypto, calls: usize) -> Checked {
    let (plain, mut took, mut version) = ([0; 64], Vec::new(), None);
    for _ in 0..calls {
        let answer = crypto.answer_to_encrypt(&plain, &context(), None).await?;
        version = Some(success::<Encrypted>(&answer)?.key_version);
        took.push(answer.took());
    }
    Ok(Proof { key_version: version, latency: Latency::of(took) })
}

async fn rotation(crypto: &Crypto, options: &Options, tell: Tell<'_>) -> Checked {
    let Some(writer) = &options.rotate else {
        return Err(Miss::Unproven("only --rotate asks for a rotation".to_owned()));
    };
    let plain = b"older than the rotation";
    let old = sealed(crypto, plain).await?;
    rotate::rotate(writer, tell).await?;
    tell("waiting until functions have the new key");
    let latest = crypto.until_later_than(old.key_version).await?;
    if latest <= old.key_version {
        let expected = format!("a key version later than {}", old.key_version);
        return Err(Miss::Wrong { expected, got: format!("version {latest}"), request_id: None });
    }
    opens_to(crypto, &old.ciphertext, plain).await?;
    Ok(Proof::under(latest))
}

#[cfg(test)]
mod tests {
    use super::changed;

    #[test]
    fn a_changed_ciphertext_has_its_length_and_its_form() {
        for ciphertext in [format!("plumb:v1:1:{}", "A".repeat(107)), format!("plumb:v1:12:{}", "z".repeat(200))] {
            let other = changed(&ciphertext);
            let differing = ciphertext.chars().zip(other.chars()).filter(|(one, two)| one != two).count();
            assert_eq!((other.len(), differing), (ciphertext.len(), 1));
            assert!(other.starts_with("plumb:v1:1"));
        }
    }
}
