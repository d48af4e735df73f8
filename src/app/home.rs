//! The terminal and the operator's tools, as the console is told of them.

use std::path::Path;

use crate::cli::{Failed, Shared};
use crate::config::{CustomAction, Operator, Origin, Settings};
use crate::console::{Home, Key, Keymap, Multiplexer};
use crate::ops::config::memory_places;

/// An action of the operator's own with its key.
pub(super) type Own = (CustomAction, Option<Key>);

/// The operator's own actions with their keys; what is wrong with a key is told with its line.
pub(super) fn actions(
    operator: &Operator,
    keymap: &Keymap,
    origin: impl Fn(&str) -> Origin,
) -> Result<Vec<Own>, Failed> {
    let mut wrong = Vec::new();
    let mut actions: Vec<Own> = Vec::new();
    for (index, action) in operator.actions.iter().enumerate() {
        let Some(written) = &action.key else {
            actions.push((action.clone(), None));
            continue;
        };
        let path = format!("actions[{index}].key");
        let at = origin(&path);
        let Ok(key) = written.parse::<Key>() else {
            let such = "write a character, or such as ctrl-d, alt-x, f5";
            wrong.push(format!("{at}: {path}: {written:?} is no key; {such}"));
            continue;
        };
        let taken = keymap.taken_for_own(key).map(|own| own.spec().id.to_owned());
        let before = actions.iter().find(|(_, other)| *other == Some(key)).map(|(other, _)| other.id.clone());
        if let Some(other) = taken.or(before) {
            wrong.push(format!("{at}: {path}: the key {key} is wanted by both {other} and {}", action.id));
        }
        actions.push((action.clone(), Some(key)));
    }
    if wrong.is_empty() { Ok(actions) } else { Err(Failed::Config(wrong.join("\n"))) }
}

/// The editor of what is secret, as `plumb config edit` has it.
fn secret_editor(shared: &Shared, operator: &Operator) -> String {
    let own = shared.environ.get("SOPS_EDITOR").map(str::to_owned).or_else(|| operator.editor.clone());
    own.unwrap_or_else(|| String::from("vi"))
}

/// What the console has to know of the terminal and the tools.
pub(super) fn home(shared: &Shared, settings: &Settings, actions: Vec<Own>, themes: Vec<String>) -> Home {
    let operator = &settings.operator;
    let path = shared.environ.get("PATH").unwrap_or_default();
    Home {
        mouse: operator.mouse,
        title: operator.title,
        notify: operator.notify,
        clipboard: operator.clipboard.clone(),
        multiplexer: Multiplexer::detect(|name| shared.environ.get(name)),
        // Over SSH only the terminal's type is left of a tmux that runs elsewhere.
        tmux: shared.environ.get("TMUX").is_some() && on_path("tmux", path),
        editor: operator.editor.clone().unwrap_or_else(|| String::from("vi")),
        secret_editor: secret_editor(shared, operator),
        memory: memory_places(shared.environ.get("XDG_RUNTIME_DIR")),
        pager: pager(shared, settings),
        delta: on_path("delta", path),
        themes,
        actions,
    }
}

/// The pager's command line; the environment's variables are applied already, but for one that is set to nothing.
fn pager(shared: &Shared, settings: &Settings) -> Option<String> {
    let emptied = ["PLUMB_PAGER", "PAGER"].iter().find_map(|name| shared.environ.0.get(*name));
    match emptied {
        Some(line) if line.is_empty() => Some(String::new()),
        _ => settings.operator.pager.clone(),
    }
}

/// Whether a program can be started by its name.
fn on_path(program: &str, path: &str) -> bool {
    use std::os::unix::fs::PermissionsExt;

    let runs = |file: &Path| file.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
    std::env::split_paths(path).any(|directory| runs(&directory.join(program)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_operator;

    fn with(actions: &str) -> Result<Vec<Own>, Failed> {
        let (operator, origins) = parse_operator("config.toml", actions).unwrap();
        let keymap = Keymap::new(&operator.keys).unwrap();
        super::actions(&operator, &keymap, |key| origins.of(key))
    }

    fn action(id: &str, key: &str) -> String {
        format!("[[actions]]\nid = \"{id}\"\ntitle = \"T\"\nkey = \"{key}\"\ncommand = [\"true\"]\n")
    }

    #[test]
    fn an_action_has_a_key_of_its_own_or_it_is_told_where_not() {
        assert_eq!(with(&action("a", "ctrl-l")).unwrap()[0].1, Some(Key::Ctrl('l')));
        let rows = [
            (action("a", "v"), "config.toml:4: actions[0].key: the key v is wanted by both reveal and a"),
            (action("a", "q"), "config.toml:4: actions[0].key: the key q is wanted by both quit and a"),
            (action("a", "hyper-x"), "config.toml:4: actions[0].key: \"hyper-x\" is no key; write a character"),
            (
                action("a", "f5") + &action("b", "f5"),
                "config.toml:9: actions[1].key: the key f5 is wanted by both a and b",
            ),
        ];
        for (text, expected) in rows {
            let Err(Failed::Config(told)) = with(&text) else { panic!("{text} is wrong") };
            assert!(told.starts_with(expected), "{told}");
        }
    }

    #[test]
    fn a_program_is_found_where_the_shell_would_find_it() {
        assert!(on_path("sh", "/nonexistent:/usr/bin:/bin"));
        assert!(!on_path("sh", "/nonexistent") && !on_path("sh", ""));
    }
}
