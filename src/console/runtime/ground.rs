//! Asks the terminal for its background (OSC 11), and takes the answer out of the keys.
//!
//! The question is sent after the first picture, which so waits for nobody. Nothing else reads the terminal for it, since
//! what was typed ahead would be lost: crossterm knows no such answer and hands it out as keys, `alt-]`, `1`, `1`, `;` and so
//! on. They are held back while they may be one, and given on as soon as they are none.

use std::io;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

/// The question. tmux answers it by itself, screen drops it.
pub(super) const QUESTION: &[u8] = b"\x1b]11;?\x1b\\";

/// What an answer begins with, after its escape; a colour with its opacity has an `a` before the colon.
const BEGINNINGS: [&str; 2] = ["]11;rgb:", "]11;rgba:"];

/// No answer has more: four numbers of four digits and what is between them.
const LONGEST: usize = 19;

/// How long keys are held back that may become an answer; the rest of one comes with its beginning.
const HELD: Duration = Duration::from_millis(100);

/// How long after the question the terminal is not given away, lest the answer goes to the shell.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long after the question an answer counts: later the theme would change under the operator's eyes.
const COUNTS: Duration = Duration::from_secs(3);

/// What was asked and not yet answered.
#[derive(Debug, Default)]
pub(super) struct Ground {
    asked: Option<Instant>,
    held: Vec<Event>,
    since: Option<Instant>,
}

/// What was heard.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// What belongs to the console.
    pub(super) events: Vec<Event>,
    /// Whether the terminal's background is light, once it has said so in time.
    pub(super) light: Option<bool>,
}

impl Ground {
    /// The question has been sent.
    pub(super) fn asked(&mut self) {
        self.asked = Some(Instant::now());
    }

    /// Takes what the terminal sent.
    pub(super) fn take(&mut self, event: Event) -> Heard {
        let Some(asked) = self.asked else { return Heard { events: vec![event], light: None } };
        if !matches!(event, Event::Key(_)) {
            // A resize, the mouse: the keys go on after it as before.
            return Heard { events: vec![event], light: None };
        }
        let mut text: String = self.held.iter().filter_map(letters).collect();
        let known = letters(&event).map(|letters| text.push_str(&letters));
        match known.map_or(Answer::None, |()| answer(&text)) {
            Answer::Whole(light) => {
                *self = Self::default();
                let light = light.filter(|_| asked.elapsed() < COUNTS);
                Heard { events: Vec::new(), light }
            }
            Answer::Begun => {
                self.held.push(event);
                self.since = Some(Instant::now());
                Heard::default()
            }
            Answer::None if self.held.is_empty() => Heard { events: vec![event], light: None },
            Answer::None => {
                // The key that ends one attempt may begin the answer.
                let mut events = self.release();
                let heard = self.take(event);
                events.extend(heard.events);
                Heard { events, light: heard.light }
            }
        }
    }

    /// When what is held back is given on.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.since.map(|since| since + HELD)
    }

    /// Gives on what was held back.
    pub(super) fn release(&mut self) -> Vec<Event> {
        self.since = None;
        std::mem::take(&mut self.held)
    }

    /// Waits, not for long, for an answer that is under way, before the terminal is another's. Keys that come meanwhile were
    /// for the console, which does not take any more.
    pub(super) async fn settle(&mut self, events: &mut (impl Stream<Item = io::Result<Event>> + Unpin)) {
        while let Some(asked) = self.asked.filter(|asked| asked.elapsed() < PATIENCE) {
            let Ok(Some(Ok(event))) = timeout_at(asked + PATIENCE, events.next()).await else { break };
            self.take(event);
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    None,
    Begun,
    /// A whole one; light, dark, or in no way that can be read.
    Whole(Option<bool>),
}

fn answer(text: &str) -> Answer {
    // An escape that came alone was a key; what follows is an answer all the same.
    let text = text.strip_prefix('\u{1b}').unwrap_or(text);
    if text.is_empty() {
        return Answer::None;
    }
    if BEGINNINGS.iter().any(|beginning| beginning.starts_with(text)) {
        return Answer::Begun;
    }
    let Some(rest) = BEGINNINGS.iter().find_map(|beginning| text.strip_prefix(beginning)) else { return Answer::None };
    let end = rest.find(|c: char| !c.is_ascii_hexdigit() && c != '/').unwrap_or(rest.len());
    let (colour, end) = rest.split_at(end);
    match end {
        _ if colour.len() > LONGEST => Answer::None,
        "" | "\u{1b}" => Answer::Begun,
        "\u{7}" | "\u{1b}\\" => Answer::Whole(is_light(colour)),
        _ => Answer::None,
    }
}

/// Whether a colour is light, by its numbers of one to four digits each.
fn is_light(colour: &str) -> Option<bool> {
    let mut parts = colour.split('/').map(|part| {
        let most = 16_u32.checked_pow(u32::try_from(part.len()).ok().filter(|length| (1..=4).contains(length))?)? - 1;
        Some(f64::from(u32::from_str_radix(part, 16).ok()?) / f64::from(most))
    });
    let [red, green, blue] = [parts.next()??, parts.next()??, parts.next()??];
    Some(0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5)
}

/// What the terminal has sent for crossterm to make this event of.
fn letters(event: &Event) -> Option<String> {
    let Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }) = event else { return None };
    let plain = modifiers.difference(KeyModifiers::SHIFT);
    match code {
        KeyCode::Char(c) if plain.is_empty() => Some(c.to_string()),
        KeyCode::Char(c) if plain == KeyModifiers::ALT => Some(format!("\u{1b}{c}")),
        KeyCode::Char('g') if plain == KeyModifiers::CONTROL => Some(String::from("\u{7}")),
        KeyCode::Esc if plain.is_empty() => Some(String::from("\u{1b}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    /// What crossterm makes of these bytes.
    fn keys(text: &str) -> Vec<Event> {
        let mut chars = text.chars().peekable();
        let mut events = Vec::new();
        while let Some(c) = chars.next() {
            let next = chars.peek().copied().filter(|next| c == '\u{1b}' && *next != '\u{1b}');
            let key = |c, modifiers| Event::Key(KeyEvent::new(KeyCode::Char(c), modifiers));
            events.push(match (c, next) {
                ('\u{1b}', Some(next)) => {
                    chars.next();
                    key(next, KeyModifiers::ALT)
                }
                ('\u{1b}', None) => Event::Key(KeyEvent::from(KeyCode::Esc)),
                ('\u{7}', _) => key('g', KeyModifiers::CONTROL),
                (c, _) if c.is_ascii_uppercase() => key(c, KeyModifiers::SHIFT),
                (c, _) => key(c, KeyModifiers::NONE),
            });
        }
        events
    }

    fn asked() -> Ground {
        let mut ground = Ground::default();
        ground.asked();
        ground
    }

    fn asked_before(ago: Duration) -> Ground {
        Ground { asked: Instant::now().checked_sub(ago), ..Ground::default() }
    }

    fn heard(ground: &mut Ground, text: &str) -> Heard {
        let mut all = Heard::default();
        for event in keys(text) {
            let heard = ground.take(event);
            all.events.extend(heard.events);
            all.light = all.light.or(heard.light);
        }
        all
    }

    #[test]
    fn an_answer_is_heard_between_the_keys_and_none_of_it_is_a_key() {
        for (answer, light) in [
            ("\u{1b}]11;rgb:ffff/ffff/ffff\u{1b}\\", Some(true)),
            ("\u{1b}]11;rgb:1d1d/2020/2626\u{7}", Some(false)),
            ("\u{1b}]11;rgb:FD/F6/E3\u{1b}\\", Some(true)),
            ("\u{1b}]11;rgb:0/0/F\u{7}", Some(false)),
            ("\u{1b}]11;rgba:eeee/eeee/eeee/ffff\u{7}", Some(true)),
            ("\u{1b}]11;rgb:///\u{7}", None),
        ] {
            let mut ground = asked();
            let all = heard(&mut ground, &format!("jk\u{1b}{answer}:q"));
            assert_eq!(
                (all.light, all.events),
                (light, [keys("jk"), keys("\u{1b}"), keys(":q")].concat()),
                "{answer:?}"
            );
            assert!(ground.deadline().is_none());
            // It was asked once: another one is nobody's answer.
            assert_eq!(heard(&mut ground, answer).events, keys(answer));
        }
        let mut cut = asked();
        let mut events: Vec<Event> = heard(&mut cut, "\u{1b}").events;
        for part in ["]11;rgb:ffff/ff", "ff/ffff", "\u{1b}", "\\x"] {
            events.extend(heard(&mut cut, part).events);
        }
        assert_eq!(events, [keys("\u{1b}"), keys("x")].concat(), "an answer in pieces");
    }

    #[test]
    fn what_only_looks_like_an_answer_is_given_on_in_its_order() {
        for text in [
            "]11;rgb:ffff/ffff/ffff\u{1b}x",
            "\u{1b}]12;rgb:0/0/0\u{7}",
            "]]1]11;rgb:g",
            "\u{1b}\u{1b}:theme \u{1b}]x",
            "]11;rgb:0000/0000/0000/0000/0000",
        ] {
            let mut ground = asked();
            let mut all = heard(&mut ground, text);
            all.events.extend(ground.release());
            assert_eq!((all.events, all.light), (keys(text), None), "{text:?}");
        }
        let mut ground = asked();
        assert_eq!(heard(&mut ground, "]").events, [], "it may be the beginning");
        assert!(ground.deadline().is_some());
        assert_eq!(ground.take(Event::Resize(80, 24)).events, [Event::Resize(80, 24)], "no key waits for the rest");
        assert_eq!((ground.release(), ground.deadline()), (keys("]"), None));
        assert_eq!(heard(&mut Ground::default(), "]11;rgb:0/0/0\u{7}").events.len(), 14, "nobody has asked");
    }

    #[test]
    fn an_answer_that_comes_late_changes_nothing_and_is_still_no_key() {
        let mut ground = asked_before(COUNTS);
        assert_eq!(heard(&mut ground, "\u{1b}]11;rgb:f/f/f\u{7}"), Heard::default());
    }

    #[tokio::test]
    async fn the_terminal_is_given_away_when_the_answer_is_there_or_will_not_come() {
        let answer = keys("\u{1b}]11;rgb:f/f/f\u{7}");
        let mut events = stream::iter(answer.into_iter().map(Ok)).chain(stream::pending());
        let mut ground = asked();
        ground.settle(&mut events).await;
        assert_eq!(ground.asked, None, "it was waited for");
        // Who has asked nothing does not wait, nor who has waited. Nothing comes any more: these would wait for ever.
        Ground::default().settle(&mut events).await;
        asked_before(PATIENCE).settle(&mut events).await;
        let mut ground = asked_before(PATIENCE.saturating_sub(Duration::from_millis(20)));
        ground.settle(&mut events).await;
        assert!(ground.asked.is_some_and(|asked| asked.elapsed() >= PATIENCE));
    }
}
