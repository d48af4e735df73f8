//! Where a message or a ciphertext comes from, and what it is bound to.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::super::{Failed, clean};
use crate::compare::Why;
use crate::ops::crypto::Context;
use crate::secret::Secret;

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
        super::super::input::read(self.file.as_deref()).await
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
