//! A value in the operator's editor: in a file in memory, which is wiped when the editor has ended.

use futures::Stream;
use tokio::process::Command;

use super::Signal;
use super::outside::{EDITORS, Ended, foreground, of_shell};
use crate::compare::Why;
use crate::console::home::Home;
use crate::ops::config::{Room, quiet_editor};
use crate::secret::Secret;

/// Has it edited; `None`: it was left as it was.
pub(super) async fn edit(
    name: &str,
    text: &Secret,
    home: &Home,
    signals: &mut (impl Stream<Item = Signal> + Unpin),
) -> Result<Result<Option<Secret>, Why>, Ended> {
    let room = match Room::of_value(&home.memory, name.as_ref(), text.expose().as_bytes()) {
        Ok(room) => room,
        Err(why) => return Ok(Err(why)),
    };
    let editor = &home.secret_editor;
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{editor} \"$@\""), "plumb"]).args(quiet_editor(editor)).arg(room.path());
    let status = foreground(command, editor, None, signals).await?;
    let ended = status.and_then(|status| of_shell(editor, status, EDITORS));
    Ok(ended.and_then(|_| taken(&room, text)))
}

fn taken(room: &Room, before: &Secret) -> Result<Option<Secret>, Why> {
    let bytes = room.read()?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Why::new("what the editor has left is not UTF-8"))?;
    // Editors end a text with a newline that nobody has typed.
    let text = if before.expose().ends_with('\n') { text } else { text.strip_suffix('\n').unwrap_or(text) };
    Ok((text != before.expose()).then(|| Secret::new(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::config::memory_places;

    #[tokio::test]
    async fn a_value_is_edited_in_memory_and_nothing_of_it_stays() {
        let directory = tempfile::tempdir().unwrap();
        let script = directory.path().join("editor");
        let log = directory.path().join("path");
        let text = format!("#!/bin/sh\necho \"$1\" > {}\nprintf 'new\\n' > \"$1\"\n", log.display());
        std::fs::write(&script, text).unwrap();
        let home =
            Home { secret_editor: format!("sh {}", script.display()), memory: memory_places(None), ..Home::default() };
        let mut signals = futures::stream::pending();
        let edited = edit("pool", &Secret::new("old"), &home, &mut signals).await;
        assert_eq!(edited.ok().unwrap().unwrap(), Some(Secret::new("new")));
        let path = std::fs::read_to_string(&log).unwrap();
        assert!(path.starts_with("/dev/shm/plumb-") && path.trim().ends_with("/pool"), "{path}");
        assert!(!std::path::Path::new(path.trim()).exists());
        let same = edit("pool", &Secret::new("new"), &home, &mut signals).await;
        assert_eq!(same.ok().unwrap().unwrap(), None);
        let nowhere = Home { memory: vec![directory.path().to_owned()], ..home };
        let refused = edit("pool", &Secret::new("x"), &nowhere, &mut signals).await.ok().unwrap();
        assert!(refused.unwrap_err().reason.contains("in memory"));
    }
}
