//! What people are told: a subject and a few lines, as an e-mail shows them.
//!
//! Pure. Names in it come from whoever changed something, so no control character gets through.

use jiff::Timestamp;

use super::Settings;
use super::state::{Change, Hold, Mode};

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// At most a hundred ASCII characters, as SNS takes it.
    pub subject: String,
    /// The text.
    pub text: String,
}

impl Notice {
    fn new(settings: &Settings, subject: &str, lines: &[String]) -> Self {
        let subject = format!("plumb {}: {subject}", settings.name);
        let ascii = |letter: char| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '?' };
        let shown = |letter: char| if letter.is_control() { '?' } else { letter };
        let text = lines.iter().map(|line| line.chars().map(shown).chain(['\n']).collect::<String>());
        Self { subject: subject.chars().map(ascii).take(100).collect(), text: text.collect() }
    }
}

/// What was changed, and what is done about it.
pub(super) fn changes(settings: &Settings, changes: &[Change]) -> Notice {
    let (subject, then) = match settings.limits.mode {
        Mode::Heal => {
            ("changed behind git's back, redeploying", "A redeploy was asked for, which puts back what git says.")
        }
        Mode::NotifyOnly => (
            "changed behind git's back",
            "Nothing is done about it: the mode is notify-only. `plumb status` shows it, `plumb redeploy` puts it back.",
        ),
    };
    let mut lines: Vec<String> = changes.iter().map(told).collect();
    lines.extend([String::new(), then.to_owned()]);
    Notice::new(settings, subject, &lines)
}

/// What was changed, and that nobody knows whether the redeploy for it was heard.
pub(super) fn unsure(settings: &Settings, changes: &[Change], why: &str) -> Notice {
    let mut lines: Vec<String> = changes.iter().map(told).collect();
    let minutes = settings.limits.settle.div_euclid(60_000).max(1);
    lines.extend([
        String::new(),
        format!("A redeploy was asked for, and whether that was heard is not known: {why}."),
        format!(
            "It is asked for once more in {minutes} min, in case it was not: a run that changes nothing does no harm."
        ),
    ]);
    Notice::new(settings, "changed behind git's back, redeploy uncertain", &lines)
}

pub(super) fn held(settings: &Settings, hold: &Hold, change: Option<&Change>) -> Notice {
    let before = if hold.until == i64::MAX { String::new() } else { format!(" before {}", time(hold.until)) };
    let until = format!("Nothing is redeployed{before}: {}", hold.why);
    let then = "What was changed is put back when the hold ends. `plumb release` ends it now.";
    Notice::new(
        settings,
        "changed behind git's back, on hold",
        &[change.map_or_else(String::new, told), until, then.to_owned()],
    )
}

pub(super) fn broken(settings: &Settings, change: Option<&Change>) -> Notice {
    let limits = &settings.limits;
    let lines = [
        change.map_or_else(String::new, told),
        format!(
            "{} redeploys within {} minutes, and it is changed again: the breaker is open, and nothing more is redeployed.",
            limits.redeploys,
            limits.window / 60_000
        ),
        "Find who changes it. The breaker closes after as long a time without a change, or by invoking the function with \
         {\"operation\": \"reset\"}."
            .to_owned(),
    ];
    Notice::new(settings, "the breaker is open", &lines)
}

pub(super) fn in_vain(settings: &Settings, change: &Change) -> Notice {
    let then =
        "A redeploy was asked for and has had its time, and it is still there. No other one is asked for: see what \
                the last run of the deploy workflow says."
            .to_owned();
    Notice::new(settings, "a redeploy has not put it back", &[told(change), then])
}

pub(super) fn hold_changed(settings: &Settings, change: &Change) -> Notice {
    let then = "While a hold lasts the loop redeploys nothing.".to_owned();
    Notice::new(settings, "the hold was changed", &[told(change), then])
}

pub(super) fn canary(settings: &Settings, id: &str) -> Notice {
    Notice::new(settings, "a canary arrived", &[format!("Canary {id}. Nothing was changed and nothing is to be done.")])
}

fn told(change: &Change) -> String {
    let by = if change.who.is_empty() { String::new() } else { format!(", by {}", change.who) };
    format!("{} at {}{by}", change.what, time(change.at))
}

fn time(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).map_or_else(|_| "an unknown time".to_owned(), |time| format!("{time:.0}"))
}
