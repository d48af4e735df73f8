//! Where a message or a ciphertext comes from, and what it is bound to.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::super::{Failed, clean, say};
use crate::compare::Why;
use crate::ops::crypto::Context;
use crate::secret::Secret;

/// More than the API takes, so that what is too large is refused there, in its words.
const MOST: u64 = 16 * 1024 * 1024;

/// What is encrypted or decrypted.
#[derive(Debug, clap::Args)]
pub(crate) struct Input {
    /// The text itself, instead of stdin. Whoever lists this machine's processes sees it, and the shell keeps it: not for
    /// secrets.
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    text: Option<Secret>,
    /// A file, instead of stdin.
    #[arg(long, short, value_name = "PATH", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
}

/// What a message is bound to.
#[derive(Debug, clap::Args)]
pub(crate) struct Pairs {
    /// What the message is bound to: a pair, as often as needed. It is no secret, and decrypting needs the same pairs.
    #[arg(long = "context", short = 'c', value_name = "NAME=VALUE")]
    pairs: Vec<String>,
}

impl Pairs {
    /// Each name once.
    pub(super) fn context(&self) -> Result<Context, Failed> {
        let mut context = Context::new();
        for pair in &self.pairs {
            let Some((name, value)) = pair.split_once('=') else {
                return Err(Why::new(format!("--context {}: a pair is NAME=VALUE", clean(pair))).into());
            };
            if context.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(Why::new(format!("--context {}: stands there twice", clean(name))).into());
            }
        }
        Ok(context)
    }
}

impl Input {
    /// Every byte, as it is.
    pub(super) async fn bytes(&self) -> Result<Zeroizing<Vec<u8>>, Failed> {
        if let Some(text) = &self.text {
            return Ok(Zeroizing::new(text.expose().as_bytes().to_vec()));
        }
        let Some(path) = self.file.clone() else { return from_stdin().await };
        let name = clean(&path.display().to_string());
        let opened = std::fs::File::open(path).map_err(|error| error.to_string());
        let read = opened.and_then(all);
        Ok(read.map_err(|error| Why::new(format!("cannot read {name}: {error}")))?)
    }

    /// A ciphertext, without the spaces and line ends around it.
    pub(super) async fn ciphertext(&self) -> Result<String, Failed> {
        let bytes = self.bytes().await?;
        let text = std::str::from_utf8(&bytes).map(str::trim).unwrap_or_default();
        if text.is_empty() {
            return Err(Why::new("there is no ciphertext: the input is empty, or no text")
                .hint("a ciphertext begins with plumb:v1:")
                .into());
        }
        Ok(text.to_owned())
    }
}

async fn from_stdin() -> Result<Zeroizing<Vec<u8>>, Failed> {
    if std::io::stdin().is_terminal() {
        say!("reading from the terminal, which shows what is typed; ^D on an empty line ends it");
    }
    let (sender, answer) = tokio::sync::oneshot::channel();
    // Not the runtime's own thread for what blocks: that would keep ^C from ending the command.
    std::thread::spawn(move || {
        // Nobody listens any more once the command was interrupted.
        let _ = sender.send(all(std::io::stdin().lock()));
    });
    let read = answer.await.unwrap_or_else(|_| Err("nothing can be read".to_owned()));
    Ok(read.map_err(|error| Why::new(format!("cannot read stdin: {error}")))?)
}

fn all(from: impl Read) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut bytes = Zeroizing::new(Vec::new());
    from.take(MOST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MOST {
        return Err(format!("it has more than {MOST} bytes, and the API takes 2.75 MiB"));
    }
    Ok(bytes)
}
