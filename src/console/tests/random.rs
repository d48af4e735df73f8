//! A hundred thousand random steps: never a panic, never a write that was not confirmed, never a value that was not
//! revealed.
//!
//! The same steps each time. `PLUMB_RANDOM_SEED` takes others, and a failure names the seed and the step.

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::answers::answer;
use super::remembered::kept;
use super::story::{by_role, setup, text};
use crate::compare::{Facet, Item, Kind, Sides, Why, WhyKind};
use crate::config::Protection;
use crate::console::fixture::{self, NOW};
use crate::console::home::Outside;
use crate::console::{
    Confirmation, Effect, Granted, Key, Message, Model, Order, Overlay, Theme, Values, Work, update, view,
};
use crate::ops::report::Part;

/// Consoles that are driven, and steps that each takes.
const RUNS: u64 = 20;
const STEPS: u32 = 5_000;

/// Each so manieth step is drawn.
const DRAWN: u32 = 67;

/// What is typed as a whole, since single keys would hardly ever become it.
const PHRASES: [&str; 23] = [
    ":record\n",
    ":unlock 1m \"because\"\n",
    ":unlock 60m \"prod is down\"\n",
    ":lock\n",
    "prod",
    "qa",
    "y",
    "@dev\n",
    "@qa\n",
    "@prod\n",
    "xr",
    "xg",
    "xp",
    "3t",
    ":promote\n",
    ":promote qa\n",
    "P",
    "3 P",
    "4  P",
    ":push\n",
    ":undo\n",
    ":resume\n",
    "3fv",
];

/// Random numbers that are the same everywhere: xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % bound.max(1)
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A console, what it has asked for, and what may be written as far as anyone outside of it can tell.
struct Run {
    model: Model,
    asked: Vec<Effect>,
    random: Random,
    typing: Vec<Key>,
    now: i64,
    generation: u64,
    /// Until when prod is unlocked.
    unlocked: [i64; 3],
    writes: u32,
    /// Those of them that run a command of the operator's own.
    commands: u32,
    unlocks: u32,
    revealed: u32,
}

#[test]
fn nothing_random_panics_or_writes_without_leave_or_shows_a_value_that_was_not_revealed() {
    drive(0..RUNS / 2);
}

// The other half, at the same time.
#[test]
fn nothing_else_that_is_random_does_either() {
    drive(RUNS / 2..RUNS);
}

fn drive(runs: std::ops::Range<u64>) {
    let seed = std::env::var("PLUMB_RANDOM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1_u64);
    let theme = by_role();
    let canaries = canaries();
    assert!(canaries.len() >= 8, "there is something to find: {canaries:?}");
    let (mut writes, mut commands, mut unlocks, mut revealed) = (0, 0, 0, 0);
    for number in runs {
        let mut run = Run::new(seed.wrapping_mul(RUNS).wrapping_add(number + 1));
        for step in 0..STEPS {
            let place = format!("seed {seed}, run {number}, step {step}");
            run.step(&place);
            // What is revealed is hardly ever so at a given step.
            if step % DRAWN == 0 || run.model.is_revealed() && step % 5 == 0 {
                run.draw(&theme, &canaries, &place);
            }
        }
        writes += run.writes;
        commands += run.commands;
        unlocks += run.unlocks;
        revealed += run.revealed;
    }
    // Steps that never get anywhere would prove nothing.
    let counts = format!("{writes} writes, {commands} commands, {unlocks} unlocks, {revealed} revealed");
    assert!(writes > 10 && commands > 5 && writes > commands && unlocks > 3 && revealed > 5, "{counts}");
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut run = Self {
            model: Model::new(setup()),
            asked: Vec::new(),
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            typing: Vec::new(),
            now: NOW,
            generation: 0,
            unlocked: [0; 3],
            writes: 0,
            commands: 0,
            unlocks: 0,
            revealed: 0,
        };
        run.model.home.settings.actions = fixture::actions();
        // Half of them begin with what another one left.
        if run.random.below(2) == 0 {
            for (index, info) in fixture::environments().iter().enumerate() {
                run.model.show_last(index, kept(fixture::report(&info.name)));
            }
        }
        run.hear(Message::Time(NOW), "start");
        run.hear(Message::Start, "start");
        run
    }

    fn step(&mut self, place: &str) {
        if let Some(key) = self.typing.pop() {
            return self.hear(Message::Key(key), place);
        }
        if let Some(Overlay::Plan(plan)) = self.model.overlays.last()
            && self.random.below(5) == 0
        {
            let name = self.model.environments[plan.environment].name();
            let keys = if name == "dev" { "y" } else { name };
            self.typing = keys.chars().rev().map(Key::Char).collect();
            return;
        }
        let message = match self.random.below(100) {
            0..30 | 70..76 => Message::Key(self.key()),
            30..38 => {
                let phrase = self.random.pick(&PHRASES);
                let key = |c| if c == '\n' { Key::Enter } else { Key::Char(c) };
                self.typing = phrase.chars().rev().map(key).collect();
                return;
            }
            38..66 => return self.answer(place),
            66..70 => self.part(),
            76..84 => {
                self.now += *self.random.pick(&[1, 100, 1_000, 10_000, 61_000]);
                Message::Time(self.now)
            }
            // Mostly sizes on which something is drawn, since elsewhere hardly any key is heard.
            84..90 => Message::Resize(40 + self.number(160), 10 + self.number(50)),
            90..93 => {
                use crate::console::pointer::{Button, Mouse};

                let buttons = [Button::Press, Button::Drag, Button::Release, Button::WheelDown, Button::WheelUp];
                let button = *self.random.pick(&buttons);
                Message::Mouse(Mouse { button, column: self.number(200), line: self.number(60) })
            }
            93..96 => {
                let texts = ["y", "y\n", "prod", "prod\n", "qa\n", "dev", ":record\n", "\u{1b}[31m日本", ""];
                Message::Paste((*self.random.pick(&texts)).to_owned())
            }
            _ => self.stray(),
        };
        self.hear(message, place);
    }

    fn key(&mut self) -> Key {
        let likely = "jkgGnNf/@?rRvdux:1234yq ".chars().map(Key::Char);
        let others = [
            Key::Enter,
            Key::Esc,
            Key::Esc,
            Key::Tab,
            Key::BackTab,
            Key::Up,
            Key::Down,
            Key::Backspace,
            Key::PageDown,
            Key::PageUp,
            Key::Ctrl('d'),
            Key::Ctrl('a'),
            Key::Char('P'),
            Key::Char('c'),
            Key::Ctrl('u'),
            Key::Ctrl('w'),
            Key::Char('日'),
            Key::F(1),
            // The operator's own commands, and what ends them.
            Key::Ctrl('l'),
            Key::Ctrl('e'),
            Key::Ctrl('o'),
            Key::Ctrl('x'),
        ];
        let keys: Vec<Key> = likely.chain(others).collect();
        *self.random.pick(&keys)
    }

    fn number(&mut self, bound: usize) -> u16 {
        u16::try_from(self.random.below(bound) + 1).unwrap()
    }

    /// Something that nobody asked for, or that comes too late.
    fn stray(&mut self) -> Message {
        let generation = u64::try_from(self.random.below(usize::try_from(self.generation).unwrap() + 2)).unwrap();
        let why = Why::new("AccessDeniedException").hint("try");
        match self.random.below(9) {
            0 => Message::Lost(generation),
            1 => Message::Written(generation, Err(why)),
            2 => Message::Planned(generation, Ok(Box::new(fixture::prepared()))),
            3 => Message::Locked(String::from("prod"), Some(why)),
            4 => Message::Journal(generation, Ok(fixture::journal("prod"))),
            5 => Message::Pushed(generation, Ok(Box::new(fixture::values::pushed(&fixture::prepared().work)))),
            6 => {
                let work = fixture::values::work(&Values::Resume);
                let pushed = fixture::values::pushed(&work);
                Message::Progress(generation, self.random.pick(&fixture::values::progress(&pushed)).clone())
            }
            7 => Message::Inspected(generation, Box::new(fixture::report("prod"))),
            _ => Message::Revealed(
                generation,
                fixture::opened(Kind::Parameter, "/billing/prod/key00").map(Box::new).ok_or(why),
            ),
        }
    }

    fn part(&mut self) -> Message {
        let inspections: Vec<_> = self
            .asked
            .iter()
            .filter_map(|effect| match effect {
                Effect::Inspect(generation, target, _) => Some((*generation, target.environment.clone())),
                _ => None,
            })
            .collect();
        let Some((generation, environment)) = (!inspections.is_empty()).then(|| self.random.pick(&inspections).clone())
        else {
            return Message::Time(self.now);
        };
        let report = fixture::report(&environment);
        let (kind, section) = self.random.pick(&report.sections).clone();
        let why = || Why::new("cannot connect to AWS").kind(WhyKind::Network);
        let part = match (self.random.below(7), section) {
            (6, _) => Part::CutOff(Some(Box::new(fixture::values::cut_off()))),
            (0, _) => Part::Identity(report.identity),
            (1, _) => Part::Progress(kind, String::from("detecting drift")),
            (2, Ok(section)) => Part::Provisional(kind, section),
            (3, _) => Part::Identity(Err(why())),
            (4, _) => Part::Section(kind, Err(why())),
            (_, section) => Part::Section(kind, section),
        };
        Message::Part(generation, part)
    }

    /// Answers something that was asked for; one in six fails.
    fn answer(&mut self, place: &str) {
        if self.asked.is_empty() {
            return;
        }
        let at = self.random.below(self.asked.len());
        let effect = self.asked.swap_remove(at);
        let fine = self.random.below(6) > 0;
        let message = match effect {
            Effect::Write(generation, _) if !fine => Message::Lost(generation),
            Effect::Unlock(generation, order) if fine => {
                let Work::Unlock(unlock) = &order.work else { panic!("{place}: {order:?}") };
                let until = self.now + unlock.milliseconds();
                self.unlocked[index(&order.target.environment)] = until;
                let granted = Granted { identity: fixture::writer(), until, untold: None };
                Message::Unlocked(generation, Ok(Box::new(granted)))
            }
            effect => match answer(effect, fine) {
                Some(message) => message,
                None => return,
            },
        };
        self.hear(message, place);
    }

    fn hear(&mut self, message: Message, place: &str) {
        let key = if let Message::Key(key) = &message { Some(*key) } else { None };
        for effect in update(&mut self.model, message) {
            match &effect {
                Effect::Write(generation, order) | Effect::Unlock(generation, order) => {
                    self.judge(&effect, order, key, place);
                    self.generation = self.generation.max(*generation);
                }
                Effect::Run(_, command) | Effect::Outside(Outside::Command(command)) => {
                    assert!(!command.id.starts_with("restart"), "{place}: {command:?} writes and was not planned");
                }
                Effect::Lock(target, _) => self.unlocked[index(&target.environment)] = 0,
                Effect::Inspect(generation, ..) | Effect::Plan(generation, ..) | Effect::Journal(generation, _) => {
                    self.generation = self.generation.max(*generation);
                }
                _ => {}
            }
            // The console goes on after it was left: that, too, must do no harm.
            if !matches!(effect, Effect::Quit | Effect::Suspend | Effect::Cancel(_) | Effect::Remember(_)) {
                self.asked.push(effect);
            }
        }
        // A console of weeks would ask for more than is ever answered here.
        if self.asked.len() > 64 {
            self.asked.drain(..32);
        }
    }

    /// Whether this may be sent, told from the outside alone.
    fn judge(&mut self, effect: &Effect, order: &Order, key: Option<Key>, place: &str) {
        let (name, confirmation) = (order.target.environment.as_str(), &order.confirmation);
        let (unlock, command) = (matches!(effect, Effect::Unlock(..)), matches!(order.work, Work::Command(_)));
        let protection = fixture::environments()[index(name)].protection;
        let last = match confirmation {
            Confirmation::Yes => {
                assert_eq!(protection, Protection::Open, "{place}: y is not enough for {name}");
                'y'
            }
            Confirmation::Name(typed) => {
                assert_eq!(typed, name, "{place}");
                name.chars().last().unwrap()
            }
        };
        assert_eq!(key, Some(Key::Char(last)), "{place}: {name} was confirmed by something else than its last key");
        if unlock {
            self.unlocks += 1;
        } else {
            self.writes += 1;
            self.commands += u32::from(command);
            let open = protection != Protection::ReadOnly || self.now < self.unlocked[index(name)];
            assert!(open, "{place}: {name} is read-only");
        }
    }

    fn draw(&mut self, theme: &Theme, canaries: &[String], place: &str) {
        let (width, height) = match self.random.below(3) {
            0 => (40 + self.number(160), 10 + self.number(50)),
            1 => (120, 40),
            _ => (60, 16),
        };
        self.hear(Message::Resize(width, height), place);
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view(&self.model, theme, frame)).unwrap();
        let screen = text(terminal.backend().buffer());
        assert!(!screen.chars().any(|c| c.is_control() && c != '\n'), "{place}");
        let shown = self.model.shown().filter(|_| self.model.is_revealed()).map(values).unwrap_or_default();
        for canary in canaries.iter().filter(|canary| screen.contains(canary.as_str())) {
            assert!(shown.contains(canary), "{place}: {canary} was not revealed:\n{screen}");
            self.revealed += 1;
        }
    }
}

fn index(environment: &str) -> usize {
    fixture::environments().iter().position(|info| info.name == environment).unwrap()
}

/// Everything that is masked in the fixture, line by line, as it would be on the screen.
fn canaries() -> Vec<String> {
    let report = fixture::report("prod");
    let mut all: Vec<String> = report.items().flat_map(values).collect();
    let opened = report.items().filter_map(|item| fixture::opened(item.kind, &item.name));
    all.extend(opened.flat_map(|item| values(&item)));
    all.sort();
    all.dedup();
    all
}

fn values(item: &Item) -> Vec<String> {
    let sides = std::iter::once(&item.sides).chain(item.rows.iter().map(|row| &row.sides));
    let facets = sides.flat_map(|Sides { git, applied, live }| [git, applied, live]);
    let secret = |facet: &Facet| match facet {
        Facet::Secret(secret) => Some(secret.expose().trim().to_owned()),
        _ => None,
    };
    facets.filter_map(secret).collect()
}
