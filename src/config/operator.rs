//! `config.toml`: what one operator prefers, on this machine.
//!
//! `config.example.toml` at the root of Plumb's repository is the complete commented example.

mod actions;

use std::collections::BTreeMap;

pub use actions::{CustomAction, Harm, On, Output, PLACEHOLDERS};

use super::check;
use super::error::Error;
use super::origin::Origins;
use super::reader::{Period, Section, Wrong, read};

/// Seconds after which a revealed value is masked again, when nothing is said.
pub const REVEAL_SECONDS: u64 = 30;

/// What one operator prefers.
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of its own in the file")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// The environment that is opened when none is named.
    pub environment: Option<String>,
    /// Name of a theme; `None`: the built-in one.
    pub theme: Option<String>,
    /// Whether plain ASCII is drawn.
    pub ascii: Ascii,
    /// Seconds between two refreshes; `None`: only on request.
    pub refresh: Option<u64>,
    /// Seconds after which a revealed value is masked again.
    pub reveal: u64,
    /// How text is copied.
    pub clipboard: Clipboard,
    /// The editor's command line; `None`: `vi`.
    pub editor: Option<String>,
    /// The pager's command line; `None`: `less -FRX`. Empty: none is used.
    pub pager: Option<String>,
    /// Whether clicks and the wheel are the console's; else they select text as in a shell.
    pub mouse: bool,
    /// Whether the terminal's title says where the console is and what drifted.
    pub title: bool,
    /// Whether the terminal is asked to notify when something long has ended while it had no focus.
    pub notify: bool,
    /// Age beyond which a drift detection is run anew; `None`: what the project says.
    pub drift_max_age: Option<Period>,
    /// Keys by action id: `reveal = ["v", "ctrl-r"]`. Actions and keys are checked by the console.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Access by the name of an environment, `prod`, or of a project's environment, `petshop/prod`, which wins.
    pub environments: BTreeMap<String, Access>,
    /// Projects that are shown beside the current one: a name, and the directory as it is written; `~` is the home.
    pub projects: Vec<(String, String)>,
    /// Commands of the operator's own. Ids and keys are checked by the console.
    pub actions: Vec<CustomAction>,
}

/// How an operator reaches an environment; what is `None` is left to the project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// AWS profile for reading.
    pub profile: Option<String>,
    /// AWS profile for writing.
    pub write_profile: Option<String>,
    /// AWS region.
    pub region: Option<String>,
    /// AWS endpoint.
    pub endpoint: Option<String>,
}

/// Whether plain ASCII is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ascii {
    /// When the locale is not UTF-8.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How text is copied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Clipboard {
    /// By the terminal's OSC 52, which works over SSH.
    #[default]
    Osc52,
    /// Not at all.
    Off,
    /// By a command line that reads the text from its standard input: `wl-copy`.
    Command(String),
}

impl Default for Operator {
    fn default() -> Self {
        Self {
            environment: None,
            theme: None,
            ascii: Ascii::Auto,
            refresh: None,
            reveal: REVEAL_SECONDS,
            clipboard: Clipboard::Osc52,
            editor: None,
            pager: None,
            mouse: true,
            title: true,
            notify: true,
            drift_max_age: None,
            keys: BTreeMap::new(),
            environments: BTreeMap::new(),
            projects: Vec::new(),
            actions: Vec::new(),
        }
    }
}

/// Parses an operator's `config.toml`, from its name as it is shown and its text; see
/// [`parse_project`](super::parse_project) for the errors.
pub fn parse_operator(file: &str, text: &str) -> Result<(Operator, Origins), Error> {
    read(file, text, operator)
}

fn operator(root: &mut Section<'_, '_>) -> Operator {
    let ascii = root.choice_or("ascii", ("auto", Ascii::Auto), &[("always", Ascii::Always), ("never", Ascii::Never)]);
    let environment = root.text("environment", check::environment);
    let theme = root.text("theme", check::some);
    let refresh = refresh(root);
    let reveal = reveal(root);
    let clipboard = clipboard(root);
    let editor = root.text("editor", check::some);
    let pager = root.text("pager", |_| Ok(()));
    let mouse = root.flag_or("mouse", true);
    let title = root.flag_or("title", true);
    let notify = root.flag_or("notify", true);
    let drift_max_age = root.period("drift_max_age");
    let keys = root.lists("keys");
    let environments = root.named("environments").into_iter().map(access).collect();
    let projects = root.named_texts("projects");
    let actions = actions::actions(root);
    Operator {
        environment,
        theme,
        ascii,
        refresh,
        reveal,
        clipboard,
        editor,
        pager,
        mouse,
        title,
        notify,
        drift_max_age,
        keys,
        environments,
        projects,
        actions,
    }
}

fn refresh(root: &mut Section<'_, '_>) -> Option<u64> {
    match root.period("refresh")? {
        Period::Never => None,
        Period::Seconds(seconds) if seconds < 5 => {
            root.complain_at(
                "refresh",
                Wrong::new(format!("every {seconds} s is too often for AWS")).hint("5 s or more, or \"never\""),
            );
            None
        }
        Period::Seconds(seconds) => Some(seconds),
    }
}

fn reveal(root: &mut Section<'_, '_>) -> u64 {
    match root.period("reveal") {
        None => REVEAL_SECONDS,
        Some(Period::Seconds(seconds)) if (1..=600).contains(&seconds) => seconds,
        Some(_) => {
            root.complain_at(
                "reveal",
                Wrong::new("a revealed value is masked again within 10 minutes").hint("\"1s\" to \"10m\""),
            );
            REVEAL_SECONDS
        }
    }
}

fn clipboard(root: &mut Section<'_, '_>) -> Clipboard {
    #[derive(Clone, Copy, PartialEq)]
    enum Way {
        Osc52,
        Off,
        Command,
    }
    let way = root.choice_or("clipboard", ("osc52", Way::Osc52), &[("off", Way::Off), ("command", Way::Command)]);
    let command = root.text("clipboard_command", check::some);
    if command.is_some() != (way == Way::Command) {
        let wrong = Wrong::new("clipboard = \"command\" and clipboard_command = \"…\" need each other");
        root.complain_at(if command.is_some() { "clipboard_command" } else { "clipboard" }, wrong);
    }
    match (way, command) {
        (Way::Command, Some(command)) => Clipboard::Command(command),
        (Way::Off, _) => Clipboard::Off,
        _ => Clipboard::Osc52,
    }
}

fn access((name, mut section): (String, Section<'_, '_>)) -> (String, Access) {
    let own = name.rsplit_once('/').map_or(name.as_str(), |(_, environment)| environment);
    if let Err(wrong) = check::environment(own) {
        section.complain(wrong);
    }
    let access = Access {
        profile: section.text("profile", check::some),
        write_profile: section.text("write_profile", check::some),
        region: section.text("region", check::region),
        endpoint: section.text("endpoint_url", check::url),
    };
    section.finish();
    (name, access)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::reader;

    const EXAMPLE: &str = include_str!("../../config.example.toml");

    /// The example with its settings uncommented: prose is `# so`, a setting `#so`.
    fn uncommented() -> String {
        let lines = EXAMPLE.lines().map(|line| match line.strip_prefix('#') {
            Some(setting) if setting.starts_with(|char: char| char.is_ascii_lowercase() || char == '[') => setting,
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_example_as_it_is_changes_nothing() {
        assert_eq!(parse_operator("config.example.toml", EXAMPLE).unwrap().0, Operator::default());
    }

    #[test]
    fn the_example_shows_every_key_with_a_valid_value() {
        let text = uncommented();
        if let Err(error) = parse_operator("config.example.toml", &text) {
            panic!("{error}");
        }
        let missing = reader::missing(&text, |root| {
            operator(root);
        });
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn a_mistake_is_reported_with_its_line_its_key_and_the_way_out() {
        for (text, expected) in [
            ("themee = \"x\"", "config.toml:1: themee: unknown key; did you mean \"theme\"?"),
            ("theme = 3", "config.toml:1: theme: expected a text in quotes, found a whole number"),
            (
                "\nascii = \"alway\"",
                "config.toml:2: ascii: \"alway\" is not one of auto, always, never; did you mean \"always\"?",
            ),
            ("refresh = \"2s\"", "config.toml:1: refresh: every 2 s is too often for AWS; 5 s or more, or \"never\""),
            (
                "refresh = \"2 weeks\"",
                "config.toml:1: refresh: \"2 weeks\" is not a length of time; write \"90s\", \"15m\", \"2h\", \"1d\" or \"never\"",
            ),
            (
                "reveal = \"never\"",
                "config.toml:1: reveal: a revealed value is masked again within 10 minutes; \"1s\" to \"10m\"",
            ),
            (
                "clipboard = \"command\"",
                "config.toml:1: clipboard: clipboard = \"command\" and clipboard_command = \"…\" need each other",
            ),
            (
                "[keys]\nreveal = 3",
                "config.toml:2: keys.reveal: expected a text in quotes or a list of them, found a whole number",
            ),
            (
                "[environments.prod]\nprofil = \"x\"",
                "config.toml:2: environments.prod.profil: unknown key; did you mean \"profile\"?",
            ),
            (
                "[environments.\"petshop/prod\"]\nregion = \"Frankfurt\"",
                "config.toml:2: environments.\"petshop/prod\".region: \"Frankfurt\" is not a region; such as \"eu-central-1\"",
            ),
        ] {
            assert_eq!(parse_operator("config.toml", text).unwrap_err().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_what_is_preferred() {
        let text = "refresh = 60\nreveal = \"1m\"\nclipboard = \"command\"\nclipboard_command = \"wl-copy\"\nascii = \"never\"\n\
                    drift_max_age = \"never\"\n[keys]\nreveal = \"v\"\nquit = [\"q\", \"ctrl-q\"]\n";
        let (operator, origins) = parse_operator("config.toml", text).unwrap();
        assert_eq!((operator.refresh, operator.reveal, operator.ascii), (Some(60), 60, Ascii::Never));
        assert_eq!(operator.clipboard, Clipboard::Command("wl-copy".into()));
        assert_eq!(operator.drift_max_age, Some(Period::Never));
        assert_eq!(operator.keys["quit"], ["q", "ctrl-q"]);
        assert_eq!(origins.of("keys.reveal").to_string(), "config.toml:8");
    }

    #[test]
    fn projects_keep_the_order_of_the_file() {
        let (operator, _) = parse_operator("config.toml", "[projects]\nshop = \"~/shop\"\nbilling = \"/b\"\n").unwrap();
        assert_eq!(operator.projects, [("shop".into(), "~/shop".into()), ("billing".into(), "/b".into())]);
        let error = parse_operator("config.toml", "[projects]\nshop = 3\n").unwrap_err().to_string();
        assert_eq!(error, "config.toml:2: projects.shop: expected a text in quotes, found a whole number");
    }
}
