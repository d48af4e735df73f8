//! Decrypts a document to stdout as a whole process, for `benches/run sops`: keys from the environment, the MAC verified.
//! `--new-key` prints an age key pair made for the occasion.

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::io::{Error, Write as _};

use plumb::ops::keys::{KeySources, Keys};
use plumb::secret::Secret;
use plumb::sops::{Document, MacPolicy, generate_age_key};

fn main() -> Result<(), Error> {
    let name = std::env::args().nth(1).ok_or_else(|| Error::other("which file?"))?;
    if name == "--new-key" {
        let (public, secret) = generate_age_key();
        println!("{public} {}", secret.expose());
        return Ok(());
    }
    let key = std::env::var("SOPS_AGE_KEY").ok().map(Secret::new);
    let keys = Keys::find(&KeySources { key, ..KeySources::default() });
    let document = Document::parse(&name, &std::fs::read(&name)?).map_err(Error::other)?;
    let opened = document.unlock(&keys, MacPolicy::Verify).map_err(Error::other)?;
    std::io::stdout().write_all(&opened.plain_text())
}
