//! Questions with yes or no for an answer, at a terminal; nobody is asked where a flag or `--yes` has answered.

use std::io::{IsTerminal, Write};

use crate::cli::consent::line;
use crate::cli::{Failed, say};
use crate::compare::Why;

/// Who is asked.
pub(super) struct Asker {
    /// `--yes`: what no flag says is as it is usually.
    silent: bool,
}

impl Asker {
    /// Refuses where there is nobody to ask, and nobody has said that none is needed.
    pub(super) fn new(silent: bool) -> Result<Self, Failed> {
        if silent || (std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
            return Ok(Self { silent });
        }
        let why = Why::new("refused: nobody says what is wanted, since there is no terminal to ask at");
        Err(why.hint("--yes, with flags for what is wanted: plumb init --yes --workflows").into())
    }

    /// A choice: as a flag says, else as it is answered.
    pub(super) async fn choose(&self, flag: Option<bool>, question: &str, usual: bool) -> Result<bool, Failed> {
        match flag {
            Some(flag) => return Ok(flag),
            None if self.silent => return Ok(usual),
            None => {}
        }
        let choices = if usual { "[Y/n]" } else { "[y/N]" };
        loop {
            let _ = write!(std::io::stderr(), "{question} {choices} ");
            let _ = std::io::stderr().flush();
            let line = line().await?;
            if line.is_empty() {
                return Err(Failed::Interrupted);
            }
            match line.trim().to_lowercase().as_str() {
                "" => return Ok(usual),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => say!("y or n is wanted"),
            }
        }
    }
}
