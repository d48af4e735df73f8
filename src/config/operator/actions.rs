//! The operator's own actions: `[[actions]]` of `config.toml`.
//!
//! A command is a list of arguments and never a line for a shell, and no placeholder stands for a value: arguments can
//! be read by everybody on the machine.

use crate::config::check;
use crate::config::near::nearest;
use crate::config::reader::{Section, Wrong};

/// A command of the operator's own that the console offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomAction {
    /// Its stable name.
    pub id: String,
    /// What it does, in the operator's words.
    pub title: String,
    /// The key that does it; checked by the console. `None`: it is reached by menu and palette alone.
    pub key: Option<String>,
    /// What it is offered on.
    pub on: On,
    /// The program and its arguments, with placeholders.
    pub command: Vec<String>,
    /// What can go wrong by it.
    pub danger: Harm,
    /// Whether the command has the terminal until it ends; else it runs in the background.
    pub wait: bool,
    /// Where its output goes.
    pub output: Output,
}

/// What an action is offered on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Parameters.
    Parameter,
    /// Secrets.
    Secret,
    /// Resources of stacks.
    Stack,
    /// The code of functions.
    Code,
    /// Everything, and where no item is selected too unless a placeholder needs one.
    Any,
}

/// What can go wrong by an action of the operator's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// Nothing.
    Nothing,
    /// It reads values.
    Reads,
    /// It changes something, and is confirmed like every other writing.
    Writes,
}

/// Where an action's output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Into the pager, when it has ended.
    Pager,
    /// Its first line becomes a notice.
    Notice,
    /// To the terminal while it waits; nowhere in the background.
    None,
}

/// What the placeholders stand for, in the order of the documentation.
pub const PLACEHOLDERS: [&str; 7] = ["name", "environment", "region", "profile", "account", "commit", "arn"];

/// The actions of a file; mistakes have been complained about.
pub(super) fn actions(root: &mut Section<'_, '_>) -> Vec<CustomAction> {
    let mut actions: Vec<CustomAction> = Vec::new();
    for section in root.sections("actions") {
        let action = one(section, &actions);
        actions.push(action);
    }
    actions
}

fn one(mut section: Section<'_, '_>, before: &[CustomAction]) -> CustomAction {
    let id = section.need("id", |text| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || !text.chars().all(plain) {
            return Err(Wrong::new(format!("\"{text}\" is no id")).hint("lower case letters, digits and -"));
        }
        if before.iter().any(|action| action.id == text) {
            return Err(Wrong::new(format!("another action has the id \"{text}\"")));
        }
        Ok(())
    });
    let title = section.need("title", check::some);
    let key = section.text("key", check::some);
    let any = ("any", On::Any);
    let kinds = [("parameter", On::Parameter), ("secret", On::Secret), ("stack", On::Stack), ("code", On::Code), any];
    let on = section.choice_or("on", any, &kinds);
    if !section.has("command") {
        section.complain_at("command", Wrong::new("is missing"));
    }
    let command = section.texts("command", argument).unwrap_or_default();
    if section.has("command") && command.first().is_none_or(|program| program.trim().is_empty()) {
        section.complain_at("command", Wrong::new("names no program").hint("command = [\"aws\", \"ssm\", …]"));
    }
    let nothing = ("nothing", Harm::Nothing);
    let danger = section.choice_or("danger", nothing, &[nothing, ("reads", Harm::Reads), ("writes", Harm::Writes)]);
    let wait = section.flag_or("wait", false);
    let notice = ("notice", Output::Notice);
    let output = section.choice_or("output", notice, &[("pager", Output::Pager), notice, ("none", Output::None)]);
    if output == Output::Pager && !wait {
        let wrong = Wrong::new("a pager that opens whenever a command in the background has ended would interrupt you");
        section.complain_at("output", wrong.hint("wait = true, or output = \"notice\""));
    }
    section.finish();
    CustomAction { id, title, key, on, command, danger, wait, output }
}

/// An argument in which every `{word}` is a placeholder that is known.
fn argument(text: &str) -> Result<(), Wrong> {
    for inner in text.split('{').skip(1).filter_map(|from| from.split_once('}')).map(|(inner, _)| inner) {
        if PLACEHOLDERS.contains(&inner) {
            continue;
        }
        if inner == "value" {
            let why = "{value} is refused: the arguments of a command can be read by everybody on this machine";
            return Err(Wrong::new(why).hint("let the command read the value itself, by {name} and {profile}"));
        }
        // Other braces are the command's own: JSON, a JMESPath query.
        if inner.is_empty() || !inner.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            continue;
        }
        let wrong = Wrong::new(format!("unknown placeholder {{{inner}}}"));
        return Err(match nearest(inner, PLACEHOLDERS) {
            Some(near) => wrong.hint(format!("did you mean {{{near}}}?")),
            None => wrong.hint("valid here: {name}, {environment}, {region}, {profile}, {account}, {commit}, {arn}"),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_operator;

    const WHOLE: &str = "[[actions]]\nid = \"tail\"\ntitle = \"Follow the log\"\nkey = \"ctrl-l\"\non = \"code\"\n\
                         command = [\"aws\", \"logs\", \"tail\", \"/aws/lambda/{name}\", \"--query\", \"{Id: id}\"]\n\
                         danger = \"reads\"\nwait = true\noutput = \"pager\"\n";

    #[test]
    fn an_action_is_read_as_it_is_written() {
        let (operator, origins) = parse_operator("config.toml", WHOLE).unwrap();
        let [action] = operator.actions.as_slice() else { panic!("{:?}", operator.actions) };
        assert_eq!((action.id.as_str(), action.key.as_deref()), ("tail", Some("ctrl-l")));
        assert_eq!((action.on, action.danger, action.wait), (On::Code, Harm::Reads, true));
        assert_eq!(action.command[3], "/aws/lambda/{name}");
        assert_eq!(origins.of("actions[0].key").to_string(), "config.toml:4");
    }

    #[test]
    fn what_is_left_out_is_the_harmless_choice() {
        let text = "[[actions]]\nid = \"a\"\ntitle = \"A\"\ncommand = [\"true\"]\n";
        let action = parse_operator("config.toml", text).unwrap().0.actions.remove(0);
        assert_eq!((action.on, action.danger, action.wait), (On::Any, Harm::Nothing, false));
        assert_eq!((action.key, action.output), (None, Output::Notice));
    }

    #[test]
    fn a_mistake_in_an_action_is_told_with_its_line() {
        let rows = [
            ("\"echo\", \"{value}\"", "", "{value} is refused: the arguments of a command can be read by everybody"),
            ("\"echo\", \"{nam}\"", "", "unknown placeholder {nam}; did you mean {name}?"),
            ("\"echo\", \"x{secret}\"", "", "unknown placeholder {secret}"),
            ("", "", "names no program"),
            ("\"true\"", "output = \"pager\"", "a pager that opens whenever"),
            ("\"true\"", "danger = \"writ\"", "\"writ\" is not one of nothing, reads, writes"),
            ("\"true\"", "wait = \"yes\"", "expected true or false, found a text"),
        ];
        for (command, more, expected) in rows {
            let text = format!("[[actions]]\nid = \"a\"\ntitle = \"A\"\ncommand = [{command}]\n{more}\n");
            let error = parse_operator("config.toml", &text).unwrap_err().to_string();
            let line = if more.is_empty() { 4 } else { 5 };
            assert!(error.starts_with(&format!("config.toml:{line}: actions[0].")), "{error}");
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn two_actions_of_one_id_and_a_missing_command_are_mistakes() {
        let text =
            "[[actions]]\nid = \"a\"\ntitle = \"A\"\ncommand = [\"x\"]\n[[actions]]\nid = \"a\"\ntitle = \"B\"\n";
        let error = parse_operator("config.toml", text).unwrap_err().to_string();
        assert!(error.contains("config.toml:6: actions[1].id: another action has the id \"a\""), "{error}");
        assert!(error.contains("config.toml:5: actions[1].command: is missing"), "{error}");
    }
}
