//! Typed commands: `:env prod`, `:filter pool`. One table, like that of the keys.
//!
//! Pure text in, a [`Command`] out; whether an environment of that name exists is seen when it is carried out, in
//! `update/commands.rs`. To add a command: a variant, a row of [`VERBS`], and its arm there.

use super::mode::Unlock;
use super::page::Page;
use super::text::nearest;

/// A command that was typed and understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Go to another environment.
    Environment(String),
    /// Compare with another commit; `None`: the environment's own ref.
    Ref(Option<String>),
    /// Go to a page.
    Page(Page),
    /// Narrow the list.
    Filter(String),
    /// Let the environment be written to for a while.
    Unlock(Unlock),
    /// Lock it again.
    Lock,
    /// Record what is equal.
    Record,
    /// Make live say what git says.
    Push,
    /// Take a write of values back: the last, or that of this entry.
    Undo(Option<String>),
    /// Go on with what was cut off.
    Resume,
    /// Take values to another environment, in git.
    Promote(Option<String>),
    /// What was written.
    Journal,
    /// What is to be changed in git.
    Changes,
    /// The keys.
    Help,
    /// Leave at once.
    Quit,
    /// Take the tour.
    Tour,
    /// Draw in other colours.
    Theme(String),
}

/// What the palette offers while the argument is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offers {
    /// Nothing.
    Nothing,
    /// The environments.
    Environments,
    /// The refs.
    Refs,
    /// The pages.
    Pages,
    /// The themes.
    Themes,
}

/// One row of the table of commands.
#[derive(Debug)]
pub(super) struct Verb {
    /// Its first word.
    pub(super) name: &'static str,
    /// What follows it, as a reader is told; empty: nothing does.
    pub(super) takes: &'static str,
    /// What it does.
    pub(super) title: &'static str,
    /// What is offered for its argument.
    pub(super) offers: Offers,
    /// Reads what follows its first word, without spaces around it.
    read: fn(&str) -> Result<Command, String>,
}

/// All commands.
pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: "env",
        takes: "NAME",
        title: "Go to an environment",
        offers: Offers::Environments,
        read: |rest| Ok(Command::Environment(one(rest, "the name of an environment")?)),
    },
    Verb {
        name: "ref",
        takes: "[REF]",
        title: "Compare with a branch, tag or commit; alone: with the environment's own",
        offers: Offers::Refs,
        read: |rest| match rest {
            "" => Ok(Command::Ref(None)),
            rest if rest.starts_with('-') => Err(format!("{rest} is no ref")),
            rest => Ok(Command::Ref(Some(one(rest, "a ref")?))),
        },
    },
    Verb {
        name: "page",
        takes: "NAME",
        title: "Go to a page",
        offers: Offers::Pages,
        read: |rest| page(&one(rest, "the name of a page")?),
    },
    Verb {
        name: "filter",
        takes: "[TEXT]",
        title: "Narrow the list by name; alone: show everything again",
        offers: Offers::Nothing,
        read: |rest| Ok(Command::Filter(rest.to_owned())),
    },
    Verb {
        name: "unlock",
        takes: "15m \"WHY\"",
        title: "Let the environment be written to for a while",
        offers: Offers::Nothing,
        read: |rest| Unlock::read(rest).map(Command::Unlock),
    },
    Verb {
        name: "lock",
        takes: "",
        title: "Lock the environment again",
        offers: Offers::Nothing,
        read: |rest| none(rest).map(|()| Command::Lock),
    },
    Verb {
        name: "record",
        takes: "",
        title: "Plan receipts for what is live already",
        offers: Offers::Nothing,
        read: |rest| none(rest).map(|()| Command::Record),
    },
    Verb {
        name: "push",
        takes: "",
        title: "Plan to make live say what git says",
        offers: Offers::Nothing,
        read: |rest| none(rest).map(|()| Command::Push),
    },
    Verb {
        name: "undo",
        takes: "[ID]",
        title: "Plan to take the last push back, or that of an entry of the journal",
        offers: Offers::Nothing,
        read: |rest| match rest {
            "" => Ok(Command::Undo(None)),
            rest => Ok(Command::Undo(Some(one(rest, "an entry of the journal")?))),
        },
    },
    Verb {
        name: "resume",
        takes: "",
        title: "Plan to go on with a push that was cut off",
        offers: Offers::Nothing,
        read: |rest| none(rest).map(|()| Command::Resume),
    },
    Verb {
        name: "promote",
        takes: "[ENVIRONMENT]",
        title: "Compare with another environment in git, and take values there",
        offers: Offers::Nothing,
        read: |rest| match rest {
            "" => Ok(Command::Promote(None)),
            rest => Ok(Command::Promote(Some(one(rest, "the name of an environment")?))),
        },
    },
    Verb {
        name: "journal",
        takes: "",
        title: "What was written to the environment",
        offers: Offers::Nothing,
        read: |rest| none(rest).map(|()| Command::Journal),
    },
    Verb {
        name: "changes",
        takes: "",
        title: "The change list, and its commit",
        offers: Offers::Nothing,
        read: |rest| none(rest).map(|()| Command::Changes),
    },
    Verb {
        name: "theme",
        takes: "NAME",
        title: "Draw in another theme until you leave",
        offers: Offers::Themes,
        read: |rest| Ok(Command::Theme(one(rest, "the name of a theme")?)),
    },
    Verb {
        name: "help",
        takes: "",
        title: "The keys",
        offers: Offers::Nothing,
        read: |rest| none(rest).map(|()| Command::Help),
    },
    Verb {
        name: "quit",
        takes: "",
        title: "Quit at once",
        offers: Offers::Nothing,
        read: |rest| none(rest).map(|()| Command::Quit),
    },
    Verb {
        name: "tour",
        takes: "",
        title: "Take the tour of eight steps",
        offers: Offers::Nothing,
        read: |rest| none(rest).map(|()| Command::Tour),
    },
];

/// Understands a line, without the colon before it; else says what is wrong with it and what was perhaps meant.
pub(super) fn parse(line: &str) -> Result<Command, String> {
    let (word, rest) = split(line);
    match Verb::named(word) {
        Some(verb) => (verb.read)(rest).map_err(|why| format!("{word}: {why}")),
        None if word.is_empty() => Err(String::from("type a command, or what you look for")),
        None => {
            let names = VERBS.iter().map(|verb| verb.name);
            let meant = nearest(word, names).map(|name| format!("; did you mean {name}?")).unwrap_or_default();
            Err(format!("there is no command {word}{meant}"))
        }
    }
}

/// The first word, and what follows it.
pub(super) fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()))
}

impl Verb {
    /// The command of that name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        VERBS.iter().find(|verb| verb.name == name)
    }

    /// How it is written: `:env NAME`.
    pub(super) fn written(&self) -> String {
        format!(":{} {}", self.name, self.takes).trim_end().to_owned()
    }
}

/// The words of a text; what stands in double quotes is one, quotes left out.
pub(super) fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words: Vec<String> = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (word, after) = quoted.split_once('"').ok_or("a quotation mark is not closed")?;
            words.push(word.to_owned());
            rest = after.trim_start();
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len());
            words.push(rest[..end].to_owned());
            rest = rest[end..].trim_start();
        }
    }
    Ok(words)
}

/// The one word that has to follow.
fn one(rest: &str, what: &str) -> Result<String, String> {
    match <[String; 1]>::try_from(words(rest)?) {
        Ok([word]) if !word.is_empty() => Ok(word),
        Err(words) if words.len() > 1 => Err(format!("give {what} alone")),
        _ => Err(format!("give {what}")),
    }
}

fn none(rest: &str) -> Result<(), String> {
    if rest.is_empty() { Ok(()) } else { Err(String::from("nothing may follow it")) }
}

fn page(name: &str) -> Result<Command, String> {
    let found = Page::ALL.into_iter().find(|page| page.title() == name);
    found.map(Command::Page).ok_or_else(|| {
        let meant = nearest(name, Page::ALL.into_iter().map(Page::title));
        format!("there is no page {name}{}", meant.map(|name| format!("; did you mean {name}?")).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_are_understood() {
        let rows = [
            ("env prod", Command::Environment("prod".into())),
            ("  env   \"the one\" ", Command::Environment("the one".into())),
            ("ref v2.3.0", Command::Ref(Some("v2.3.0".into()))),
            ("ref", Command::Ref(None)),
            ("page secrets", Command::Page(Page::Secrets)),
            ("filter pool size", Command::Filter("pool size".into())),
            ("filter", Command::Filter(String::new())),
            ("quit", Command::Quit),
            ("tour", Command::Tour),
            ("help", Command::Help),
            ("unlock 15m \"down\"", Command::Unlock(Unlock { minutes: 15, reason: "down".into() })),
            ("lock", Command::Lock),
            ("record", Command::Record),
            ("journal", Command::Journal),
            ("changes", Command::Changes),
            ("theme light", Command::Theme("light".into())),
        ];
        for (line, command) in rows {
            assert_eq!(parse(line), Ok(command), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_was_perhaps_meant() {
        let rows = [
            ("evn prod", "there is no command evn; did you mean env?"),
            ("frobnicate", "there is no command frobnicate"),
            ("page secret", "page: there is no page secret; did you mean secrets?"),
            ("env", "env: give the name of an environment"),
            ("env a b", "env: give the name of an environment alone"),
            ("env \"a", "env: a quotation mark is not closed"),
            ("ref --upload-pack=x", "ref: --upload-pack=x is no ref"),
            ("unlock 61m down", "unlock: unlock for 1 to 60 minutes"),
            ("quit now", "quit: nothing may follow it"),
            ("", "type a command, or what you look for"),
        ];
        for (line, message) in rows {
            assert_eq!(parse(line), Err(message.to_owned()), "{line}");
        }
    }

    #[test]
    fn every_command_has_a_name_of_one_word_and_a_title() {
        for verb in VERBS {
            assert_eq!(split(verb.name), (verb.name, ""));
            assert!(!verb.title.is_empty());
            assert_eq!(VERBS.iter().filter(|other| other.name == verb.name).count(), 1, "{}", verb.name);
        }
    }

    #[test]
    fn quoted_text_is_one_word() {
        assert_eq!(words("15m \"prod is down\"").unwrap(), ["15m", "prod is down"]);
        assert_eq!(words("  ").unwrap(), [""; 0]);
        assert!(words("\"").is_err());
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "\\PC{0,30}") {
            let _ = parse(&line);
        }
    }
}
