//! From keys to actions.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::action::{ACTIONS, Action, Danger, Scope, Spec};
use super::command::VERBS;
use super::overlay::{MENUS, Menu};
use super::text::nearest;

/// A key as it is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those on the keys")]
pub enum Key {
    Char(char),
    Ctrl(char),
    Alt(char),
    F(u8),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
}

const NAMES: &[(&str, Key)] = &[
    ("enter", Key::Enter),
    ("esc", Key::Esc),
    ("tab", Key::Tab),
    ("backtab", Key::BackTab),
    ("backspace", Key::Backspace),
    ("delete", Key::Delete),
    ("up", Key::Up),
    ("down", Key::Down),
    ("left", Key::Left),
    ("right", Key::Right),
    ("home", Key::Home),
    ("end", Key::End),
    ("pageup", Key::PageUp),
    ("pagedown", Key::PageDown),
    ("space", Key::Char(' ')),
];

impl FromStr for Key {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Some((_, key)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(*key);
        }
        let single = |text: &str| {
            let mut chars = text.chars();
            chars.next().filter(|c| chars.next().is_none() && !c.is_control() && *c != ' ')
        };
        if let Some(rest) = text.strip_prefix("ctrl-") {
            return single(rest).map(|c| Self::Ctrl(c.to_ascii_lowercase())).ok_or(());
        }
        if let Some(rest) = text.strip_prefix("alt-") {
            return single(rest).map(Self::Alt).ok_or(());
        }
        if let Some(number) = text.strip_prefix('f').and_then(|rest| rest.parse::<u8>().ok()) {
            return if (1..=24).contains(&number) { Ok(Self::F(number)) } else { Err(()) };
        }
        single(text).map(Self::Char).ok_or(())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = NAMES.iter().find(|(_, key)| key == self) {
            return f.write_str(name);
        }
        match self {
            Self::Char(c) => write!(f, "{c}"),
            Self::Ctrl(c) => write!(f, "^{c}"),
            Self::Alt(c) => write!(f, "alt-{c}"),
            Self::F(n) => write!(f, "f{n}"),
            _ => Ok(()),
        }
    }
}

/// What is wrong with the key overrides.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No action has that id.
    #[error("keys.{id}: there is no such action{}", nearest.map(|n| format!("; did you mean {n}?")).unwrap_or_default())]
    UnknownAction {
        /// What was written.
        id: String,
        /// The nearest id.
        nearest: Option<&'static str>,
    },
    /// A key that cannot be read.
    #[error("keys.{id}: {key:?} is no key; write a character, or such as ctrl-d, alt-x, f5, enter, pagedown, space")]
    UnknownKey {
        /// The action.
        id: String,
        /// What was written.
        key: String,
    },
    /// An action without any key could not be reached.
    #[error("keys.{id}: give at least one key")]
    NoKey {
        /// The action.
        id: String,
    },
    /// Two actions want the same key in the same place.
    #[error("the key {key} is wanted by both {first} and {second}")]
    Clash {
        /// The key.
        key: String,
        /// One action's id.
        first: &'static str,
        /// The other's.
        second: &'static str,
    },
}

/// What is heard on a page.
pub(super) const ON_PAGE: &[Scope] = &[Scope::Always, Scope::Back, Scope::Move, Scope::Page, Scope::Items];

/// What is heard on the crypto page.
pub(super) const ON_CRYPTO: &[Scope] = &[Scope::Always, Scope::Back, Scope::Move, Scope::Page, Scope::Crypto];

/// What is heard on the data page.
pub(super) const ON_DATA: &[Scope] = &[Scope::Always, Scope::Back, Scope::Move, Scope::Page, Scope::Data];

/// What is heard on the deploy page.
pub(super) const ON_DEPLOY: &[Scope] = &[Scope::Always, Scope::Back, Scope::Move, Scope::Page, Scope::Deploy];

/// What is heard on the pipeline page.
pub(super) const ON_PIPELINE: &[Scope] = &[Scope::Always, Scope::Back, Scope::Move, Scope::Page, Scope::Pipeline];

/// What is heard in a text field.
pub(super) const TYPING: &[Scope] = &[Scope::Always, Scope::Input];

/// What is heard in a plan whose items are chosen.
pub(super) const CHOOSING: &[Scope] = &[Scope::Always, Scope::Plan, Scope::Input];

/// What is heard in the journal, and in what came of a write.
pub(super) const PAST: &[Scope] = &[Scope::Always, Scope::Back, Scope::Move, Scope::Past];

/// What is heard in the history of an item.
pub(super) const IN_HISTORY: &[Scope] = &[Scope::Always, Scope::Back, Scope::Move, Scope::History];

/// What is heard where environments are compared.
pub(super) const PROMOTING: &[Scope] = &[Scope::Always, Scope::Back, Scope::Move, Scope::Promote];
/// What is heard in the change list.
pub(super) const LISTING: &[Scope] = &[Scope::Always, Scope::Back, Scope::Move, Scope::Changes];

/// What is heard in the field of a value.
pub(super) const FILLING: &[Scope] = &[Scope::Always, Scope::Input, Scope::Field];

/// Which scopes hear a key, the first that knows it winning; within one of these no key may have two actions.
pub(super) const CONTEXTS: &[&[Scope]] = &[
    ON_PAGE,
    TYPING,
    CHOOSING,
    PAST,
    IN_HISTORY,
    PROMOTING,
    &[Scope::Always, Scope::Actions],
    // The tour lies beside whatever else is open.
    &[Scope::Tour, Scope::Always, Scope::Back, Scope::Move, Scope::Page, Scope::Items],
    &[Scope::Tour, Scope::Always, Scope::Input],
    &[Scope::Always, Scope::Yank],
    ON_CRYPTO,
    &[Scope::Tour, Scope::Always, Scope::Back, Scope::Move, Scope::Page, Scope::Crypto],
    ON_DATA,
    &[Scope::Tour, Scope::Always, Scope::Back, Scope::Move, Scope::Page, Scope::Data],
    ON_DEPLOY,
    &[Scope::Tour, Scope::Always, Scope::Back, Scope::Move, Scope::Page, Scope::Deploy],
    ON_PIPELINE,
    &[Scope::Tour, Scope::Always, Scope::Back, Scope::Move, Scope::Page, Scope::Pipeline],
    LISTING,
    FILLING,
];

/// What is heard where that scope is.
pub(super) fn context_of(scope: Scope) -> &'static [Scope] {
    CONTEXTS.iter().find(|context| context.contains(&scope)).unwrap_or(&ON_PAGE)
}

/// The keys in force.
#[derive(Debug, Clone)]
pub struct Keymap {
    keys: Vec<(Key, Action)>,
}

impl Keymap {
    /// The default keys with the operator's over them: action id to keys.
    pub fn new(overrides: &BTreeMap<String, Vec<String>>) -> Result<Self, KeyError> {
        for id in overrides.keys() {
            if !ACTIONS.iter().any(|spec| spec.id == id) {
                return Err(KeyError::UnknownAction {
                    id: id.clone(),
                    nearest: nearest(id, ACTIONS.iter().map(|spec| spec.id)),
                });
            }
        }
        let mut keys = Vec::new();
        for spec in ACTIONS {
            let id = || spec.id.to_owned();
            let chosen: Vec<&str> = match overrides.get(spec.id) {
                Some(own) if own.is_empty() => return Err(KeyError::NoKey { id: id() }),
                Some(own) => own.iter().map(String::as_str).collect(),
                None => spec.keys.to_vec(),
            };
            for key in chosen {
                let parsed = key.parse().map_err(|()| KeyError::UnknownKey { id: id(), key: key.to_owned() })?;
                keys.push((parsed, spec.action));
            }
        }
        let keymap = Self { keys };
        keymap.check()?;
        Ok(keymap)
    }

    fn check(&self) -> Result<(), KeyError> {
        for context in CONTEXTS {
            let also = MENUS.iter().filter(|menu| context.contains(&menu.scope)).flat_map(|menu| menu.also);
            let also: Vec<Action> = also.copied().collect();
            let is_heard = |action: &Action| context.contains(&action.spec().scope) || also.contains(action);
            let heard: Vec<_> = self.keys.iter().filter(|(_, action)| is_heard(action)).collect();
            for (at, (key, first)) in heard.iter().enumerate() {
                if let Some((_, second)) =
                    heard[at + 1..].iter().find(|(other, action)| other == key && action != first)
                {
                    let (first, second) = (first.spec().id, second.spec().id);
                    return Err(KeyError::Clash { key: key.to_string(), first, second });
                }
            }
        }
        Ok(())
    }

    /// The action of a key where these scopes are heard.
    #[must_use]
    pub fn action(&self, key: Key, context: &[Scope]) -> Option<Action> {
        self.keys.iter().find(|(k, action)| *k == key && context.contains(&action.spec().scope)).map(|(_, a)| *a)
    }

    /// The keys of an action as they are typed one after the other: `x n` for an entry of a menu.
    #[must_use]
    pub fn written(&self, action: Action) -> Vec<String> {
        let prefix = prefix(action.spec().scope, |opener| Some(self.key(opener)));
        self.keys(action).map(|key| format!("{prefix}{key}")).collect()
    }

    /// What a key does where the operator's own actions are heard: on pages, and in the menu of an item.
    #[must_use]
    pub fn taken_for_own(&self, key: Key) -> Option<Action> {
        let heard = |scope: Scope| {
            matches!(scope, Scope::Always | Scope::Back | Scope::Move | Scope::Page | Scope::Items | Scope::Actions)
        };
        self.keys.iter().find(|(own, action)| *own == key && heard(action.spec().scope)).map(|(_, action)| *action)
    }

    /// The preferred key of an action, as it is told.
    #[must_use]
    pub fn key(&self, action: Action) -> String {
        self.keys(action).next().map(|key| key.to_string()).unwrap_or_default()
    }

    /// The keys of an action, the preferred first.
    pub fn keys(&self, action: Action) -> impl Iterator<Item = Key> + '_ {
        self.keys.iter().filter(move |(_, a)| *a == action).map(|(key, _)| *key)
    }
}

/// The key that has to be pressed before those of a menu's entry, and a space; nothing for other actions.
fn prefix(scope: Scope, opener: impl Fn(Action) -> Option<String>) -> String {
    Menu::of(scope).and_then(|menu| opener(menu.opener)).map(|key| format!("{key} ")).unwrap_or_default()
}

/// The page of keys for the documentation, from the table, in Markdown.
#[must_use]
pub fn keys_markdown() -> String {
    use std::fmt::Write as _;

    let mut page = String::from("# Keys\n\nThe id is the name of the action in `[keys]` of the operator config.\n");
    for scope in Scope::ALL {
        let _ = write!(page, "\n## {}\n\n| keys | what it does | id |\n|---|---|---|\n", scope.title());
        for spec in ACTIONS.iter().filter(|spec| spec.scope == scope) {
            let _ = writeln!(page, "| {} | {}{} | `{}` |", written_keys(spec), spec.title, note(spec), spec.id);
        }
    }
    let _ = write!(page, "\n## Commands\n\nTyped after `:`, where everything can be searched by its name too.\n\n");
    let _ = write!(page, "| command | what it does |\n|---|---|\n");
    for verb in VERBS {
        let _ = writeln!(page, "| `{}` | {} |", verb.written(), verb.title);
    }
    page
}

fn written_keys(spec: &Spec) -> String {
    let prefix = prefix(spec.scope, |opener| opener.spec().keys.first().map(|key| (*key).to_owned()));
    spec.keys.iter().map(|key| format!("`{prefix}{key}`")).collect::<Vec<_>>().join(" ")
}

fn note(spec: &Spec) -> &'static str {
    match spec.danger {
        Danger::Nothing => "",
        Danger::Plans => " (a plan first, which has to be confirmed)",
        Danger::Reveals => " (shows values for 30 seconds)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(id: &str, keys: &[&str]) -> Result<Keymap, KeyError> {
        Keymap::new(&BTreeMap::from([(id.to_owned(), keys.iter().map(|&k| k.to_owned()).collect())]))
    }

    #[test]
    fn the_default_keys_do_not_clash() {
        assert!(Keymap::new(&BTreeMap::new()).is_ok());
    }

    #[test]
    fn every_action_is_reached_by_each_of_its_keys_in_some_context() {
        let keymap = Keymap::new(&BTreeMap::new()).unwrap();
        for spec in ACTIONS {
            assert_eq!(spec.action.spec().id, spec.id);
            assert!(!spec.keys.is_empty() && !spec.title.is_empty(), "{} is documented", spec.id);
            for key in spec.keys {
                let key: Key = key.parse().unwrap();
                let context = CONTEXTS.iter().find(|context| context.contains(&spec.scope)).unwrap();
                assert_eq!(keymap.action(key, context), Some(spec.action), "{} by {key}", spec.id);
            }
        }
    }

    #[test]
    fn ids_are_unique_and_the_page_of_keys_lists_each() {
        let page = keys_markdown();
        for spec in ACTIONS {
            assert_eq!(ACTIONS.iter().filter(|other| other.id == spec.id).count(), 1, "{}", spec.id);
            assert!(page.contains(&format!("| `{}` |", spec.id)), "{}", spec.id);
        }
    }

    #[test]
    fn an_override_replaces_the_default_keys() {
        let keymap = with("refresh", &["f5", "ctrl-b"]).unwrap();
        assert_eq!(keymap.action(Key::F(5), ON_PAGE), Some(Action::Refresh));
        assert_eq!(keymap.action(Key::Char('r'), ON_PAGE), None);
    }

    #[test]
    fn wrong_overrides_are_errors_that_help() {
        let rows = [
            ("refesh", &["x"][..], "keys.refesh: there is no such action; did you mean refresh?"),
            ("refresh", &["hyper-x"], "keys.refresh: \"hyper-x\" is no key; write a character, or such as ctrl-d"),
            ("refresh", &[], "keys.refresh: give at least one key"),
            ("refresh", &["j"], "the key j is wanted by both refresh and down"),
        ];
        for (id, keys, message) in rows {
            let error = with(id, keys).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
