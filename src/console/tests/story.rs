//! A story types keys and states what the person sees.

use std::collections::BTreeMap;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

use super::changes;
use crate::compare::{Kind, Why};
use crate::console::fixture::{self, NOW};
use crate::console::home::{Home, Outside};
use crate::console::message::Generation;
use crate::console::pointer::{Button, Mouse};
use crate::console::{
    CryptoAnswer, CryptoAsk, DeployAnswer, Effect, Granted, Key, Keymap, Memory, Message, Model, Order, Page,
    PipelineAsk, ProjectInfo, Role, Sent, Setup, Theme, Values, Wanted, Work, update, view,
};
use crate::ops::crypto::play::{self, Play};
use crate::ops::report::Report;
use crate::ops::snapshot::Snapshot;
use crate::secret::Secret;

/// A console, and what it wanted done that nobody has done yet.
pub(in crate::console) struct Story {
    pub(in crate::console) model: Model,
    pub(in crate::console) effects: Vec<Effect>,
    pub(in crate::console) theme: Theme,
    now: i64,
}

/// What a console over the fixture begins with, in prod.
pub(super) fn setup() -> Setup {
    Setup {
        project: String::from("petshop"),
        projects: Vec::new(),
        environments: fixture::environments(),
        current: 2,
        git_ref: None,
        keymap: Keymap::new(&BTreeMap::new()).unwrap(),
        refresh: None,
        utc_offset: 0,
        fingerprint_key: [7; 32],
        home: Home {
            mouse: true,
            title: true,
            notify: true,
            editor: String::from("vi"),
            themes: Theme::names(&()),
            ..Home::default()
        },
        memory: Memory::default(),
        tour: false,
    }
}

/// A console that has just begun, over the fixture's environments, in prod.
pub(in crate::console) fn story() -> Story {
    over(Vec::new())
}

/// The same beside other projects.
pub(super) fn over(projects: Vec<ProjectInfo>) -> Story {
    begun(Setup { projects, ..setup() }, |_| None)
}

/// The same by what is remembered of each environment.
pub(super) fn story_remembering(remembered: impl Fn(&str) -> Option<Snapshot>) -> Story {
    begun(setup(), remembered)
}

/// The same on a machine that was never toured.
pub(super) fn first_run() -> Story {
    begun(Setup { tour: true, ..setup() }, |_| None)
}

fn begun(setup: Setup, remembered: impl Fn(&str) -> Option<Snapshot>) -> Story {
    let mut model = Model::new(setup);
    model.changes.know("petshop", Ok(Vec::new()));
    for (index, env) in fixture::environments().iter().enumerate() {
        if let Some(snapshot) = remembered(&env.name) {
            model.show_last(index, snapshot);
        }
    }
    let story = Story { model, effects: Vec::new(), theme: by_role(), now: NOW - 12_000 };
    story.size(120, 40).hears(Message::Time(NOW - 12_000)).hears(Message::Start)
}

/// A console that has read every environment of a project with a crypto API.
pub(super) fn with_crypto() -> Story {
    begun(Setup { environments: fixture::crypto::with_crypto(), ..setup() }, |_| None).answers_all().after(12_000)
}

/// A console that has read every environment of a project with a deploy pipeline.
pub(super) fn with_pipeline() -> Story {
    begun(Setup { environments: fixture::pipeline::with_pipeline(), ..setup() }, |_| None).answers_all().after(12_000)
}

/// A console that has read every environment of a project with an intake.
pub(super) fn with_intake() -> Story {
    begun(Setup { environments: fixture::data::with_intake(), ..setup() }, |_| None).answers_all().after(12_000)
}

/// A console that has read every environment of a project that has that page.
pub(super) fn with(page: Page) -> Story {
    match page {
        Page::Pipeline => with_pipeline(),
        Page::Data => with_intake(),
        _ => with_crypto(),
    }
}

/// A console that has read every environment.
pub(super) fn night() -> Story {
    story().answers_all().after(12_000)
}

impl Story {
    /// The console of another day, with what was remembered.
    pub(super) fn begins_again(self) -> Self {
        begun(Setup { tour: true, memory: self.model.memory, ..setup() }, |_| None)
    }

    pub(in crate::console) fn size(self, width: u16, height: u16) -> Self {
        self.hears(Message::Resize(width, height))
    }

    pub(in crate::console) fn hears(mut self, message: Message) -> Self {
        self.effects.extend(update(&mut self.model, message));
        self
    }

    /// Lets time pass.
    pub(in crate::console) fn after(mut self, milliseconds: i64) -> Self {
        self.now += milliseconds;
        let now = self.now;
        self.hears(Message::Time(now))
    }

    /// Types keys: `⏎ ⎋ ⇥ ↓ ↑ ␣ ⌫` are enter, esc, tab, down, up, space and backspace, `^d` is ctrl-d; spaces are for
    /// the reader.
    pub(in crate::console) fn press(mut self, keys: &str) -> Self {
        let mut keys = keys.chars().filter(|c| *c != ' ');
        while let Some(c) = keys.next() {
            let key = match c {
                '⏎' => Key::Enter,
                '⎋' => Key::Esc,
                '⇥' => Key::Tab,
                '↓' => Key::Down,
                '↑' => Key::Up,
                '␣' => Key::Char(' '),
                '⌫' => Key::Backspace,
                '^' => Key::Ctrl(keys.next().unwrap()),
                c => Key::Char(c),
            };
            self = self.hears(Message::Key(key));
        }
        self
    }

    /// Answers the oldest inspection with this report.
    pub(in crate::console) fn answers(mut self, report: Report) -> Self {
        let at =
            self.effects.iter().position(|effect| matches!(effect, Effect::Inspect(..))).expect("nothing was asked");
        let Effect::Inspect(generation, ..) = self.effects.remove(at) else { unreachable!() };
        self.hears(Message::Inspected(generation, Box::new(report)))
    }

    /// The kinds that are being read.
    pub(in crate::console) fn inspected(&self) -> Vec<Kind> {
        let asked = self.effects.iter().filter_map(|effect| match effect {
            Effect::Inspect(_, _, ask) => Some(ask.kinds.clone()),
            _ => None,
        });
        asked.flatten().collect()
    }

    /// Answers every request until nothing is asked any more.
    pub(in crate::console) fn answers_all(mut self) -> Self {
        while !self.effects.is_empty() {
            let message = match self.effects.remove(0) {
                Effect::Inspect(generation, target, _) => {
                    let mut report = fixture::report(&target.environment);
                    let env = self.model.environments.iter().find(|env| env.name() == target.environment);
                    if env.is_some_and(|env| env.unlocked.is_some()) {
                        report.identity = Ok(fixture::writer());
                    }
                    Message::Inspected(generation, Box::new(report))
                }
                Effect::Reveal(generation, _, kind, name) => {
                    Message::Revealed(generation, Ok(Box::new(fixture::opened(kind, &name).unwrap())))
                }
                Effect::Refs(generation, _) => Message::Refs(generation, Ok(fixture::refs())),
                Effect::Fetch(generation, _) => Message::Fetched(generation, Ok(())),
                Effect::Read(generation, _, kind, name) => {
                    Message::Read(generation, Ok(Box::new(fixture::opened(kind, &name).unwrap())))
                }
                Effect::Copy(copy) => Message::Copied(copy.what, copy.text.chars(), Ok(Sent::Terminal)),
                Effect::Plan(generation, _, wanted) => {
                    Message::Planned(generation, Ok(Box::new(fixture::plan(wanted))))
                }
                Effect::Write(generation, order) => match order.work {
                    Work::Command(command) => Message::Ran(generation, Ok(format!("{} has ended", command.id))),
                    work @ (Work::Values(..) | Work::Resume(_)) => {
                        Message::Pushed(generation, Ok(Box::new(fixture::values::pushed(&work))))
                    }
                    Work::Rollout(_) => {
                        Message::Deploy(generation, DeployAnswer::Over(Ok(Box::new(fixture::deploy::over()))))
                    }
                    _ => Message::Written(generation, Ok(None)),
                },
                Effect::End(generation) => Message::Ran(generation, Err(Why::new("it was ended"))),
                Effect::Unlock(generation, order) => Message::Unlocked(generation, Ok(self.grants(&order))),
                Effect::Lock(target, _) => Message::Locked(target.environment, None),
                Effect::Journal(generation, target) => {
                    Message::Journal(generation, Ok(fixture::journal(&target.environment)))
                }
                Effect::History(generation, target, name) => {
                    Message::History(generation, Ok(Box::new(fixture::values::timeline(&target, &name))))
                }
                Effect::Compare(generation, project, from, to) => {
                    Message::Compared(generation, Ok(Box::new(fixture::values::compared(&project, &from, &to))))
                }
                Effect::Promote(generation, promotion) => {
                    Message::Promoted(generation, Ok(Box::new(fixture::values::promoted(&promotion))))
                }
                Effect::Changes(generation, _, ask) => Message::Changes(generation, Ok(changes::answer(&ask))),
                Effect::Commit(generation, ..) => Message::Committed(generation, Ok(Box::new(changes::committed()))),
                Effect::Generate(generation, length, _) => {
                    Message::Generated(generation, Ok(Secret::new("g".repeat(length))))
                }
                Effect::Project(generation, name) => Message::Project(generation, Ok(fixture::environments_of(&name))),
                Effect::Theme(name) => Message::Themed(name, Ok(())),
                Effect::Crypto(generation, _, ask) => {
                    for step in fixture::crypto::steps(&ask) {
                        self = self.hears(Message::Crypto(generation, CryptoAnswer::Step(step)));
                    }
                    Message::Crypto(generation, fixture::crypto::answer(&ask))
                }
                Effect::Pipeline(generation, _, ask) => Message::Pipeline(generation, fixture::pipeline::answer(&ask)),
                Effect::Data(generation, _, ask) => Message::Data(generation, fixture::data::answer(ask)),
                Effect::Deploy(generation, target, ask) => {
                    Message::Deploy(generation, fixture::deploy::answer(&target.environment, &ask))
                }
                Effect::Locate(..)
                | Effect::Abandon(_)
                | Effect::Outside(_)
                | Effect::Run(..)
                | Effect::Notify(_)
                | Effect::Remember(_)
                | Effect::Cancel(_)
                | Effect::Suspend
                | Effect::Quit => continue,
            };
            self = self.hears(message);
        }
        self
    }

    /// What an order to unlock is answered.
    pub(super) fn grants(&self, order: &Order) -> Box<Granted> {
        let Work::Unlock(unlock) = &order.work else { panic!("{order:?} unlocks nothing") };
        Box::new(Granted { identity: fixture::writer(), until: self.now + unlock.milliseconds(), untold: None })
    }

    /// Answers the listing of refs and nothing else.
    pub(super) fn answers_all_refs(mut self) -> Self {
        let is_refs = |effect: &Effect| matches!(effect, Effect::Refs(..));
        let at = self.effects.iter().position(is_refs).expect("the refs were not asked for");
        let Effect::Refs(generation, ..) = self.effects.remove(at) else { unreachable!() };
        self.hears(Message::Refs(generation, Ok(fixture::refs())))
    }

    pub(in crate::console) fn sees(self, text: &str) -> Self {
        let screen = self.screen();
        assert!(screen.contains(text), "{text:?} is not on the screen:\n{screen}");
        self
    }

    pub(in crate::console) fn does_not_see(self, text: &str) -> Self {
        let screen = self.screen();
        assert!(!screen.contains(text), "{text:?} is on the screen:\n{screen}");
        self
    }

    /// States that this was asked for and nothing else, and forgets it.
    pub(in crate::console) fn wants(mut self, expected: &[&str]) -> Self {
        let wanted: Vec<String> = self.effects.drain(..).map(|effect| words(&effect)).collect();
        assert_eq!(wanted, expected);
        self
    }

    /// States what was asked for first, and leaves it to be answered.
    pub(super) fn wants_first(self, expected: &str) -> Self {
        let first = self.effects.first().map(words).unwrap_or_default();
        assert!(first.starts_with(expected), "{first:?} was asked for first, not {expected:?}");
        self
    }

    /// The generation of the request under way for the current environment.
    pub(in crate::console) fn generation(&self) -> Generation {
        self.model.environment().inspecting.expect("nothing is being read").generation
    }

    pub(in crate::console) fn screen(&self) -> String {
        text(&self.buffer())
    }

    pub(in crate::console) fn buffer(&self) -> Buffer {
        let (width, height) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view(&self.model, &self.theme, frame)).unwrap();
        terminal.backend().buffer().clone()
    }
}

/// Does something with the mouse where a text is on the screen.
pub(super) fn mouse(story: Story, button: Button, text: &str) -> Story {
    let (column, line) = place(&story, text);
    story.hears(Message::Mouse(Mouse { button, column, line }))
}

/// Where a text begins on the screen.
fn place(story: &Story, text: &str) -> (u16, u16) {
    let screen = story.screen();
    let (line, row) =
        screen.lines().enumerate().find(|(_, line)| line.contains(text)).unwrap_or_else(|| panic!("{screen}"));
    let column = row.find(text).map(|at| crate::console::text::width(&row[..at])).unwrap();
    (u16::try_from(column).unwrap(), u16::try_from(line).unwrap())
}

/// Clicks where a text is on the screen.
pub(super) fn click(story: Story, text: &str) -> Story {
    let (column, line) = place(&story, text);
    let press = story.hears(Message::Mouse(Mouse { button: Button::Press, column, line }));
    press.hears(Message::Mouse(Mouse { button: Button::Release, column, line }))
}

fn words(effect: &Effect) -> String {
    match effect {
        Effect::Inspect(_, target, ask) => {
            let at = target.git_ref.as_ref().map(|git_ref| format!(" at {git_ref}")).unwrap_or_default();
            let project = if target.project == "petshop" { String::new() } else { format!("{}/", target.project) };
            let kinds: Vec<&str> = ask.kinds.iter().map(|kind| kind.code()).collect();
            let kinds = if ask.kinds == Kind::ALL { String::new() } else { format!(" {}", kinds.join("+")) };
            let only = ask.only.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            format!("inspect {project}{}{at} {:?}{kinds}{only}", target.environment, ask.fresh)
        }
        Effect::Reveal(_, target, kind, name) => format!("reveal {} {} {name}", target.environment, Kind::code(*kind)),
        Effect::Read(_, target, kind, name) => format!("read {} {} {name}", target.environment, Kind::code(*kind)),
        Effect::Locate(_, _, file, name) => format!("find {name} in {file}"),
        Effect::Copy(copy) => format!("copy {}: {}", copy.what, copy.text.expose()),
        Effect::Outside(Outside::Page { text, diff }) => format!("page {diff}:\n{}", text.expose()),
        Effect::Outside(Outside::Edit(place)) => format!("edit {}:{}", place.path.display(), place.line),
        Effect::Outside(Outside::Value { name, text }) => format!("edit the value {name}: {}", text.expose()),
        Effect::Changes(_, target, ask) => format!("changes {} {ask:?}", target.environment),
        Effect::Commit(_, target, message) => format!("commit {}: {message}", target.environment),
        Effect::Generate(_, length, alphabet) => format!("generate {length} {alphabet:?}"),
        Effect::Outside(Outside::Command(command)) => format!("wait for {}", command.argv.join(" ")),
        Effect::Run(_, command) => format!("run {}", command.argv.join(" ")),
        Effect::Theme(name) => format!("theme {name}"),
        Effect::Crypto(_, target, ask) => format!("crypto {} {}", target.environment, asked(ask)),
        Effect::Pipeline(_, target, PipelineAsk::Look) => format!("pipeline {} Look", target.environment),
        Effect::Pipeline(_, target, ask) => format!("pipeline {} {ask:?}", target.environment),
        Effect::Data(_, target, ask) => format!("data {} {ask:?}", target.environment),
        Effect::End(_) => String::from("end"),
        Effect::Notify(text) => format!("notify {text}"),
        Effect::Refs(..) => String::from("refs"),
        Effect::Project(_, name) => format!("project {name}"),
        Effect::Fetch(_, target) => format!("fetch {}", target.environment),
        Effect::Plan(_, target, Wanted::Values(values)) => format!("plan {} {}", target.environment, of_values(values)),
        Effect::Plan(_, target, Wanted::Restart(item)) => format!("plan {} restart {}", target.environment, item.name),
        Effect::Plan(_, target, wanted) => format!("plan {} {wanted:?}", target.environment),
        Effect::Write(_, Order { target, work: Work::Command(command), confirmation, .. }) => {
            format!("run {} in {} by {confirmation:?}", command.argv.join(" "), target.environment)
        }
        Effect::Write(_, Order { target, work: Work::Values(plan, left), confirmation, .. }) => {
            let plan = plan.without(left);
            let names = plan.changes.iter().map(|change| change.step.name.as_str()).collect::<Vec<_>>().join(", ");
            format!("write {names} to {} by {confirmation:?}", target.environment)
        }
        Effect::Write(_, order) => format!("write {} by {:?}", order.target.environment, order.confirmation),
        Effect::Unlock(_, order) => format!("unlock {} by {:?}", order.target.environment, order.confirmation),
        Effect::Lock(target, ended) => format!("lock {}: {}", target.environment, ended.word()),
        Effect::History(_, target, name) => format!("history {} {name}", target.environment),
        Effect::Compare(_, _, from, to) => format!("compare {from} {to}"),
        Effect::Promote(_, promotion) => format!("commit {} to {}", promotion.keys.join(", "), promotion.branch),
        Effect::Journal(_, target) => format!("journal {}", target.environment),
        Effect::Remember(memory) => {
            format!("remember {}{}", memory.recent.join(", "), if memory.toured { ", toured" } else { "" })
        }
        Effect::Deploy(_, target, ask) => format!("deploy {} {ask:?}", target.environment),
        Effect::Abandon(_) => String::from("abandon"),
        Effect::Cancel(_) => String::from("cancel"),
        Effect::Suspend => String::from("suspend"),
        Effect::Quit => String::from("quit"),
    }
}

/// What is asked of the crypto API, with what is sent in clear.
fn asked(ask: &CryptoAsk) -> String {
    let message = |message: &play::Message| {
        let version = message.key_version.map(|version| format!(" under {version}")).unwrap_or_default();
        let plain = play::bytes(&message.plain).unwrap();
        format!("{:?} {:?}{version}", String::from_utf8_lossy(&plain), message.context)
    };
    match ask {
        CryptoAsk::Keyring => String::from("keyring"),
        CryptoAsk::Smoke { safe } => String::from(if *safe { "smoke, safe" } else { "smoke, all" }),
        CryptoAsk::Play(Play::Encrypt(plain)) => format!("encrypt {}", message(plain)),
        CryptoAsk::Play(Play::RoundTrip(plain)) => format!("round trip {}", message(plain)),
        CryptoAsk::Play(Play::Decrypt(sealed)) => format!("decrypt {} {:?}", sealed.ciphertext, sealed.context),
        CryptoAsk::Play(Play::Rewrap(sealed)) => format!("rewrap {} {:?}", sealed.ciphertext, sealed.context),
    }
}

fn of_values(values: &Values) -> String {
    match values {
        Values::Push { only, prune, restart } => {
            let names = only.iter().map(|id| id.name.as_str()).collect::<Vec<_>>().join(", ");
            let also = [(*prune, " and prune"), (*restart, " and restart")];
            let also: String = also.into_iter().filter(|(is, _)| *is).map(|(_, also)| also).collect();
            format!("push {}{also}", if names.is_empty() { "all" } else { &names })
        }
        Values::Undo(id) => format!("undo {}", id.as_deref().unwrap_or("the last")),
        Values::Rollback { name, to } => format!("rollback {name} to {to}"),
        Values::Resume => String::from("resume"),
    }
}

/// A theme in which each role has a colour of its own, so that a picture can name it.
pub(super) fn by_role() -> Theme {
    use std::fmt::Write as _;

    let mut file = String::from("background = 'none'\n[styles]\n");
    for (index, role) in Role::ALL.iter().enumerate() {
        let (own, other) = if matches!(role, Role::Selection) { ("bg", "fg") } else { ("fg", "bg") };
        let _ = writeln!(file, "{} = {{ {own} = {index}, {other} = 'none' }}", role.name());
    }
    Theme::own(&file).unwrap()
}

/// The screen's text, line by line.
pub(super) fn text(buffer: &Buffer) -> String {
    lines(buffer, |line| {
        let mut text = String::new();
        let mut skip = 0;
        for cell in line {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            text.push_str(cell.symbol());
            skip = crate::console::text::width(cell.symbol()).saturating_sub(1);
        }
        text
    })
}

/// The roles of the screen's cells, line by line, each with the number of cells that follow each other in it.
pub(in crate::console) fn styles(buffer: &Buffer) -> String {
    lines(buffer, |line| {
        let mut runs: Vec<(String, usize)> = Vec::new();
        for cell in line {
            let name = if cell.symbol() == " " { String::from("_") } else { role(cell.fg).to_owned() };
            let ground = if cell.bg == Color::Reset { String::new() } else { format!("/{}", role(cell.bg)) };
            let name = format!("{name}{ground}");
            match runs.last_mut() {
                Some((last, count)) if *last == name => *count += 1,
                _ => runs.push((name, 1)),
            }
        }
        if runs.last().is_some_and(|(name, _)| name == "_") {
            runs.pop();
        }
        runs.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    })
}

fn lines(buffer: &Buffer, write: impl Fn(&[ratatui::buffer::Cell]) -> String) -> String {
    let width = usize::from(buffer.area().width).max(1);
    buffer.content().chunks(width).map(|line| write(line).trim_end().to_owned() + "\n").collect()
}

fn role(colour: Color) -> &'static str {
    match colour {
        Color::Indexed(index) => Role::ALL.get(usize::from(index)).map_or("?", |role| role.name()),
        _ => "none",
    }
}
