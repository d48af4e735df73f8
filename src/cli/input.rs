//! What a command is given: a file, or stdin.

use std::io::{IsTerminal, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::{Failed, clean, say};
use crate::compare::Why;

/// More than whoever gets it takes, so that what is too large is refused there, in its words.
const MOST: u64 = 16 * 1024 * 1024;

/// Every byte of a file, or of stdin where none or `-` is named.
pub(super) async fn read(path: Option<&Path>) -> Result<Zeroizing<Vec<u8>>, Failed> {
    let Some(path) = path.filter(|path| *path != Path::new("-")) else { return from_stdin().await };
    let name = clean(&path.display().to_string());
    let opened = std::fs::File::open(path).map_err(|error| error.to_string());
    let read = opened.and_then(all);
    Ok(read.map_err(|error| Why::new(format!("cannot read {name}: {error}")))?)
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
        return Err(format!("it has more than {MOST} bytes, which is too large whoever gets it"));
    }
    Ok(bytes)
}
