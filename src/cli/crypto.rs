//! `plumb crypto`: the crypto API used, proven and measured.

mod input;
mod junit;
mod smoke;

use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use self::input::{Input, Pairs};
use super::consent::{Asks, Consent, Deed};
use super::table::Table;
use super::{Failed, Outcome, Output, Progress, Shared, clean, print_json, say};
use crate::compare::Why;
use crate::ops::crypto::{self as api, Crypto, Decrypted, Keys, Latency, bench, rotate};
use crate::ops::schema::VERSION;
use crate::ops::session::Session;
use crate::visible::visible;

/// What to do with the crypto API.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Encrypt a message: from stdin, as it is, with the newline at its end if there is one.
    Encrypt {
        #[command(flatten)]
        message: Message,
        /// Encrypt under this key version instead of the latest.
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
        key_version: Option<u32>,
    },
    /// Decrypt a ciphertext, and write the message to stdout as it is.
    Decrypt(Message),
    /// Encrypt what a ciphertext holds under the latest key version; the message stays in the function.
    Rewrap(Message),
    /// The key versions, their ages, and which of them decrypt.
    Keys {
        #[command(flatten)]
        reach: Reach,
        /// Text or JSON.
        #[arg(long, short, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// Have the keyring get a new key, and wait for it. Old ciphertexts still open.
    Rotate {
        #[command(flatten)]
        consent: Consent,
        /// Text or JSON.
        #[arg(long, short, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// Prove that the deployed API does what it must, and refuses what it must.
    Smoke(smoke::Args),
    /// Measure how long calls take.
    Bench {
        /// How many calls of each kind.
        #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000))]
        calls: u16,
        #[command(flatten)]
        reach: Reach,
        /// Text or JSON.
        #[arg(long, short, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
}

/// What goes in, and how what comes out is printed.
#[derive(Debug, clap::Args)]
pub(crate) struct Message {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    pairs: Pairs,
    #[command(flatten)]
    reach: Reach,
    /// The result alone, or JSON.
    #[arg(long, short, value_enum, default_value_t = Form::Raw)]
    output: Form,
}

/// How the API is reached.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Reach {
    /// Through API Gateway, or straight to the function by Lambda's Invoke.
    #[arg(long, value_enum, default_value_t = Via::Api)]
    via: Via,
}

/// The way to the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Via {
    /// Signed, through API Gateway.
    Api,
    /// By Lambda's Invoke.
    Function,
}

/// How a message or a ciphertext is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Itself.
    Raw,
    /// With the key version, for scripts.
    Json,
}

impl Reach {
    async fn open(self, session: &Session) -> Result<Crypto, Failed> {
        let via = match self.via {
            Via::Api => api::Via::Api,
            Via::Function => api::Via::Function,
        };
        Ok(Crypto::open(session, via).await?)
    }
}

impl Message {
    /// The API, and the ciphertext that it is to open with its context.
    async fn sealed(&self, session: &Session) -> Result<(Crypto, String, api::Context), Failed> {
        let context = self.pairs.context()?;
        let ciphertext = self.input.ciphertext().await?;
        Ok((self.reach.open(session).await?, ciphertext, context))
    }
}

/// Runs `plumb crypto`.
pub(super) async fn run(shared: &Shared, command: &Command) -> Result<Outcome, Failed> {
    let session = shared.session().await?;
    let outcome = match command {
        Command::Encrypt { message, key_version } => {
            let context = message.pairs.context()?;
            let plain = message.input.bytes().await?;
            let crypto = message.reach.open(&session).await?;
            let sealed = crypto.encrypt(&plain, &context, *key_version).await?;
            show_ciphertext(&sealed.ciphertext, sealed.key_version, None, message.output)?;
            Outcome::Clean
        }
        Command::Decrypt(message) => {
            let (crypto, ciphertext, context) = message.sealed(&session).await?;
            show_decrypted(&crypto.decrypt(&ciphertext, &context).await?, message.output)?;
            Outcome::Clean
        }
        Command::Rewrap(message) => {
            let (crypto, ciphertext, context) = message.sealed(&session).await?;
            let wrapped = crypto.rewrap(&ciphertext, &context).await?;
            let previous = Some(wrapped.previous_key_version);
            show_ciphertext(&wrapped.ciphertext, wrapped.key_version, previous, message.output)?;
            Outcome::Clean
        }
        Command::Keys { reach, output } => {
            show_keys(&reach.open(&session).await?.keys().await?, *output)?;
            Outcome::Clean
        }
        Command::Rotate { consent, output } => {
            let deed = Deed { command: "crypto rotate", does: "rotate the crypto API's key", asks: Asks::Protected };
            let writer = consent.obtain(&session, deed).await?;
            let progress = Progress::begin();
            let rotated = Box::pin(rotate::rotate(&writer, &|text| progress.tell(text))).await?;
            drop(progress);
            show_rotated(&rotated, *output)?;
            Outcome::Clean
        }
        Command::Smoke(args) => Box::pin(smoke::run(shared, &session, args)).await?,
        Command::Bench { calls, reach, output } => {
            let crypto = reach.open(&session).await?;
            let progress = Progress::begin();
            let rows = bench::bench(&crypto, usize::from(*calls), &|text| progress.tell(text)).await?;
            drop(progress);
            show_bench(&rows, *output)?;
            Outcome::Clean
        }
    };
    shared.stats(&session);
    Ok(outcome)
}

#[derive(Serialize)]
struct EncryptedJson<'a> {
    version: u32,
    ciphertext: &'a str,
    key_version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_key_version: Option<u32>,
}

fn show_ciphertext(ciphertext: &str, key_version: u32, previous: Option<u32>, form: Form) -> Result<(), Failed> {
    match form {
        Form::Raw => Ok(writeln!(std::io::stdout().lock(), "{}", clean(ciphertext))?),
        Form::Json => {
            print_json(&EncryptedJson { version: VERSION, ciphertext, key_version, previous_key_version: previous })
        }
    }
}

#[derive(Serialize)]
struct DecryptedJson<'a> {
    version: u32,
    plaintext: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    key_version: u32,
}

/// A file or a pipe gets every byte; a terminal what it can show, and nothing that it would act on.
fn show_decrypted(opened: &Decrypted, form: Form) -> Result<(), Failed> {
    let bytes = api::bytes(opened).ok_or_else(|| Why::new("the API's answer is not base64"))?;
    let text = std::str::from_utf8(&bytes).ok();
    if form == Form::Json {
        let (plaintext, key_version) = (opened.plaintext.expose(), opened.key_version);
        return print_json(&DecryptedJson { version: VERSION, plaintext, text, key_version });
    }
    let mut out = std::io::stdout().lock();
    if !std::io::stdout().is_terminal() {
        return Ok(out.write_all(&bytes)?);
    }
    let Some(text) = text else {
        let why = Why::new(format!("the message is no text: {} bytes, which a terminal cannot show", bytes.len()));
        return Err(why.hint("write it to a file: > FILE; or --output json").into());
    };
    for line in text.lines() {
        writeln!(out, "{}", visible(line))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct KeysJson<'a> {
    version: u32,
    latest: u32,
    min_decryption_version: u32,
    keys: Vec<KeyJson<'a>>,
}

#[derive(Serialize)]
struct KeyJson<'a> {
    key_version: u32,
    state: &'a str,
    created: &'a str,
    age_seconds: Option<u64>,
}

fn show_keys(keys: &Keys, output: Output) -> Result<(), Failed> {
    if output == Output::Json {
        let rows = keys.versions.iter().map(|key| KeyJson {
            key_version: key.version,
            state: &key.state,
            created: &key.created,
            age_seconds: key.age_seconds,
        });
        return print_json(&KeysJson {
            version: VERSION,
            latest: keys.latest,
            min_decryption_version: keys.min_decryption_version,
            keys: rows.collect(),
        });
    }
    let mut table = Table::new();
    for key in &keys.versions {
        let age = key.age_seconds.map(|age| format!("{} days old", age / 86_400)).unwrap_or_default();
        table.row([key.version.to_string(), clean(&key.state), clean(&key.created), age]);
    }
    Ok(table.print(&mut std::io::stdout().lock(), "")?)
}

#[derive(Serialize)]
struct RotatedJson<'a> {
    version: u32,
    secret: &'a str,
    version_id: &'a str,
}

fn show_rotated(rotated: &rotate::Rotated, output: Output) -> Result<(), Failed> {
    if let Some(why) = &rotated.untold {
        say!("note: {}", clean(&why.reason));
    }
    let rotate::Rotated { secret, version_id, untold: _ } = rotated;
    if output == Output::Json {
        return print_json(&RotatedJson { version: VERSION, secret, version_id });
    }
    let minutes = rotate::CACHED.as_secs() / 60;
    let mut out = std::io::stdout().lock();
    writeln!(out, "rotated {}: its current version is {}", clean(secret), clean(version_id))?;
    Ok(writeln!(out, "functions that hold the keyring use the new key within {minutes} minutes")?)
}

#[derive(Serialize)]
struct BenchJson {
    version: u32,
    rows: Vec<BenchRowJson>,
}

#[derive(Serialize)]
struct BenchRowJson {
    operation: &'static str,
    bytes: usize,
    #[serde(flatten)]
    latency: LatencyJson,
}

/// Milliseconds.
#[derive(Serialize)]
struct LatencyJson {
    calls: usize,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
}

impl From<Latency> for LatencyJson {
    fn from(Latency { calls, p50, p95, p99 }: Latency) -> Self {
        Self { calls, p50_ms: millis(p50), p95_ms: millis(p95), p99_ms: millis(p99) }
    }
}

/// With two digits behind the point.
fn millis(took: Duration) -> f64 {
    (took.as_secs_f64() * 100_000.0).round() / 100.0
}

fn show_bench(rows: &[bench::Row], output: Output) -> Result<(), Failed> {
    if output == Output::Json {
        let rows = rows.iter().map(|row| BenchRowJson {
            operation: row.operation,
            bytes: row.bytes,
            latency: row.latency.into(),
        });
        return print_json(&BenchJson { version: VERSION, rows: rows.collect() });
    }
    let mut table = Table::new();
    for bench::Row { operation, bytes, latency } in rows {
        table.row([
            (*operation).to_owned(),
            format!("{bytes} bytes"),
            latency_text(*latency),
            format!("p99 {:.1} ms", millis(latency.p99)),
        ]);
    }
    Ok(table.print(&mut std::io::stdout().lock(), "")?)
}

fn latency_text(latency: Latency) -> String {
    let Latency { calls, p50, p95, .. } = latency;
    format!("p50 {:.1} ms, p95 {:.1} ms over {calls} calls", millis(p50), millis(p95))
}
