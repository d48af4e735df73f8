//! Where the console lives: the terminal around it, and the operator's own tools beside it.

use super::clipboard::Multiplexer;
use super::keymap::Key;
use super::links::quoted;
use super::message::Generation;
use crate::config::{Clipboard, CustomAction};
use crate::secret::Secret;

/// What the terminal and the operator's tools are like; settled before the console begins.
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of its own in the operator's config")]
#[derive(Debug, Clone, Default)]
pub struct Home {
    /// Whether clicks and the wheel are the console's.
    pub mouse: bool,
    /// Whether the terminal's title is the console's.
    pub title: bool,
    /// Whether the terminal is asked to notify.
    pub notify: bool,
    /// How text is copied.
    pub clipboard: Clipboard,
    /// What stands between the console and the terminal.
    pub multiplexer: Multiplexer,
    /// Whether tmux can be asked by a command of its own.
    pub tmux: bool,
    /// The editor's command line.
    pub editor: String,
    /// The editor's command line for what is secret.
    pub secret_editor: String,
    /// Directories that may lie in memory, the operator's own first.
    pub memory: Vec<std::path::PathBuf>,
    /// The pager's command line; `None`: nobody named one. Empty: none is wanted.
    pub pager: Option<String>,
    /// Whether `delta` can be started.
    pub delta: bool,
    /// The names of the themes.
    pub themes: Vec<String>,
    /// The operator's own actions with their keys.
    pub actions: Vec<(CustomAction, Option<Key>)>,
}

/// What the model knows of all that.
#[derive(Debug)]
pub struct State {
    /// What was settled before the beginning.
    pub settings: Home,
    /// Whether the terminal has the operator's eye. One that never says so has it.
    pub focused: bool,
    /// Where the operator has put the border between list and detail.
    pub split: Split,
    /// Whether that border is being drawn along.
    pub dragging: bool,
    /// What is being read or run for the keys here.
    pub errands: Vec<Errand>,
}

/// Where the border is between list and detail, in thousandths of the page; `None`: where it lies by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Split {
    /// When the detail lies below.
    pub below: Option<u16>,
    /// When it lies beside.
    pub beside: Option<u16>,
}

/// Something that a key here has begun and that will be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// What its answer carries.
    pub generation: Generation,
    /// When it began, milliseconds since the Unix epoch.
    pub since: i64,
    /// What it is for.
    pub of: ErrandOf,
}

/// What an errand is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrandOf {
    /// One side of an item, or of one of its properties, to be copied without being shown.
    Value {
        /// Which side.
        side: Side,
        /// The property; `None`: the item has one value.
        path: Option<String>,
    },
    /// The line of a file.
    Place,
    /// A command in the background, by its id.
    Command(String),
}

/// A side whose value can be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What the commit says.
    Git,
    /// What AWS answers.
    Live,
}

/// A text for the clipboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// What it is, for the notice: `live value`, `name`.
    pub what: String,
    /// The text. Like a secret even where it is none, so that no copy of it stays behind.
    pub text: Secret,
}

/// Something outside of the console that gets the terminal until it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outside {
    /// A text in the pager.
    Page {
        /// The text. It goes through a pipe and never to a file.
        text: Secret,
        /// Whether it is a diff, which `delta` draws better.
        diff: bool,
    },
    /// A file in the editor, to be read.
    Edit(FilePlace),
    /// A value in the editor, in a file that lies in memory.
    Value {
        /// The file's name.
        name: String,
        /// The value.
        text: Secret,
    },
    /// A command of the operator's own.
    Command(Command),
}

/// A line of a file of the working tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePlace {
    /// The absolute path.
    pub path: std::path::PathBuf,
    /// The line, from 1.
    pub line: usize,
}

/// A command of the operator's own with everything filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The action's id.
    pub id: String,
    /// What the operator calls it.
    pub title: String,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Where its output goes.
    pub output: crate::config::Output,
    /// Whether it has the terminal until it ends; else it runs in the background.
    pub wait: bool,
}

impl Command {
    /// The whole line, as one would type it into a shell.
    #[must_use]
    pub fn line(&self) -> String {
        self.argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

impl State {
    pub(super) fn new(settings: Home) -> Self {
        Self { settings, focused: true, split: Split::default(), dragging: false, errands: Vec::new() }
    }

    /// Takes the errand out that an answer is for.
    pub(super) fn answered(&mut self, generation: Generation) -> Option<Errand> {
        let at = self.errands.iter().position(|errand| errand.generation == generation)?;
        Some(self.errands.remove(at))
    }

    /// What the operator waits for: something that is being read.
    pub(super) fn waiting(&self) -> Option<&Errand> {
        self.errands.iter().find(|errand| !matches!(errand.of, ErrandOf::Command(_)))
    }

    /// Whether something that began then and ends now is worth a notification: it took long, and nobody looks.
    pub(super) fn is_news(&self, since: i64, now: i64) -> bool {
        const LONG: i64 = 10_000;
        self.settings.notify && !self.focused && now.saturating_sub(since) > LONG
    }
}
