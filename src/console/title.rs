//! The terminal's title: where the console is, and what needs the operator there.

use super::model::{EnvState, Model};
use super::text;
use crate::compare::{Kind, Tally};

/// `plumb petshop/prod  2 drifted`. What is not known is not said to be in sync.
pub(super) fn title(model: &Model) -> String {
    let env = model.environment();
    let mut title = format!("plumb {}/{}", model.project(), env.name());
    for part in counts(env) {
        title.push_str("  ");
        title.push_str(&part);
    }
    // A title is one line of text for the terminal, and some show no more of it than this.
    text::fit(&text::clean(&title, false), 120, "…").into_owned()
}

fn counts(env: &EnvState) -> Vec<String> {
    let mut tally = Tally::default();
    let mut whole = true;
    let mut problems = 0;
    for kind in Kind::ALL {
        whole &= env.why_failed(kind).is_none();
        let Some(section) = env.section(kind).value() else {
            whole = false;
            continue;
        };
        let own = Tally::of(&section.items);
        problems += section.problems.len();
        tally.diverged += own.diverged;
        tally.drifted += own.drifted;
        tally.pending += own.pending;
        tally.differs += own.differs;
        tally.git_only += own.git_only;
        tally.unknown += own.unknown;
    }
    let parts = [
        (tally.diverged, "both"),
        (tally.drifted, "drifted"),
        (tally.pending, "pending"),
        (tally.differs, "differ"),
        (tally.git_only, "git only"),
        (tally.unknown + problems, "unknown"),
    ];
    let said: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if said.is_empty() && whole { vec![String::from("in sync")] } else { said }
}

/// The sequence that sets a title (OSC 2).
pub(super) fn sequence(title: &str) -> Vec<u8> {
    format!("\x1b]2;{title}\x07").into_bytes()
}

/// The sequence that asks the terminal to notify (OSC 9), as it leaves the console.
pub(super) fn notification(text: &str) -> Vec<u8> {
    format!("\x1b]9;{}\x07", text::clean(text, false)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_notification_can_end_it() {
        assert_eq!(notification("a\u{7}\u{1b}]0;b"), "\x1b]9;a␇␛]0;b\x07".as_bytes());
    }
}
