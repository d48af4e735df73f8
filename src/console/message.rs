//! What happens to the console.

use super::backend::{EnvironmentInfo, RefInfo};
use super::changes::ChangeAnswer;
use super::clipboard::Sent;
use super::crypto::CryptoAnswer;
use super::data::DataAnswer;
use super::deploy::DeployAnswer;
use super::home::FilePlace;
use super::keymap::Key;
use super::overlay::{Compared, Prepared};
use super::pipeline::PipelineAnswer;
use super::pointer::Mouse;
use crate::compare::{Item, Why};
use crate::ops::config::changes::Committed;
use crate::ops::history::Timeline;
use crate::ops::journal::Found;
use crate::ops::promote::Promoted;
use crate::ops::push::{Progress, Pushed};
use crate::ops::report::{Identity, Part, Report};
use crate::secret::Secret;

/// The identity of one request; its replies carry it, and a reply to an older request is dropped.
pub(super) type Generation = u64;

/// Something that happened. Replies carry the generation of their request.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The console begins.
    Start,
    /// The time, in milliseconds since the Unix epoch. Sent before whatever happens at that time.
    Time(i64),
    /// A key was pressed.
    Key(Key),
    /// Text was pasted. It never acts; a text field takes it.
    Paste(String),
    /// The terminal has another size.
    Resize(u16, u16),
    /// The files of a project are read.
    Project(Generation, Result<Vec<EnvironmentInfo>, Why>),
    /// One part of an inspection.
    Part(Generation, Part),
    /// An inspection is done.
    Inspected(Generation, Box<Report>),
    /// The values of an item are read.
    Revealed(Generation, Result<Box<Item>, Why>),
    /// The refs are listed.
    Refs(Generation, Result<Vec<RefInfo>, Why>),
    /// The remote is fetched.
    Fetched(Generation, Result<(), Why>),
    /// The mouse did something.
    Mouse(Mouse),
    /// The terminal got the operator's eye, or lost it.
    Focus(bool),
    /// The values of an item are read for the clipboard.
    Read(Generation, Result<Box<Item>, Why>),
    /// The line of a file is found.
    Located(Generation, Result<FilePlace, Why>),
    /// A text is on its way to the clipboard, or is not: what it was, and how many characters.
    Copied(String, usize, Result<Sent, Why>),
    /// A command in the background has ended, with the first line that it wrote.
    Ran(Generation, Result<String, Why>),
    /// The terminal is back; what is to be told of it.
    Returned(Result<Option<String>, Why>),
    /// A plan is worked out.
    Planned(Generation, Result<Box<Prepared>, Why>),
    /// A write is done; with why the journal does not hold it, if so.
    Written(Generation, Result<Option<Why>, Why>),
    /// An item of a write of values has ended.
    Progress(Generation, Progress),
    /// A write of values came to its end.
    Pushed(Generation, Result<Box<Pushed>, Why>),
    /// An environment may be written to for a while.
    Unlocked(Generation, Result<Box<Granted>, Why>),
    /// An environment is locked again; with why the journal does not hold it, if so.
    Locked(String, Option<Why>),
    /// The journal is read.
    Journal(Generation, Result<Found, Why>),
    /// The crypto API has answered, or the smoke test goes on.
    Crypto(Generation, CryptoAnswer),
    /// Something about the deploy pipeline is answered.
    Pipeline(Generation, PipelineAnswer),
    /// Something about the intake or its summaries is answered.
    Data(Generation, DataAnswer),
    /// Something about a stack is answered, or heard while it is changed.
    Deploy(Generation, DeployAnswer),
    /// What a plan had left in the environment of that name is taken back, or not.
    Abandoned(String, Result<(), Why>),
    /// The past of an item is read.
    History(Generation, Result<Box<Timeline>, Why>),
    /// Two environments are compared.
    Compared(Generation, Result<Box<Compared>, Why>),
    /// Values are committed to a new branch.
    Promoted(Generation, Result<Box<Promoted>, Why>),
    /// Something about a change list is answered.
    Changes(Generation, Result<ChangeAnswer, Why>),
    /// A change list is committed, or not.
    Committed(Generation, Result<Box<Committed>, Why>),
    /// A random value is made.
    Generated(Generation, Result<Secret, Why>),
    /// The editor of a value has ended; `None`: it was left as it was.
    Typed(Result<Option<Secret>, Why>),
    /// The theme's files have changed: it is in use as they say now, or what is wrong with them.
    Restyled(Result<(), Why>),
    /// The theme of that name is in use, or why not.
    Themed(String, Result<(), Why>),
    /// A request ended without a reply: its task failed.
    Lost(Generation),
}

/// Leave to write for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// In whose name.
    pub identity: Identity,
    /// Until when, milliseconds since the Unix epoch.
    pub until: i64,
    /// Why the journal does not hold it, if so.
    pub untold: Option<Why>,
}

impl Message {
    /// Its name, which is all that is ever logged of it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Time(_) => "time",
            Self::Key(_) => "key",
            Self::Paste(_) => "paste",
            Self::Resize(..) => "resize",
            Self::Part(_, Part::Identity(_)) => "part identity",
            Self::Part(_, Part::Commit(_)) => "part commit",
            Self::Part(_, Part::Section(..) | Part::Provisional(..)) => "part section",
            Self::Part(_, Part::Progress(..)) => "part progress",
            Self::Part(_, Part::Calls(_)) => "part calls",
            Self::Part(_, Part::CutOff(_)) => "part cut off",
            Self::Part(_, Part::Hold(_)) => "part hold",
            Self::Project(..) => "project",
            Self::Inspected(..) => "inspected",
            Self::Revealed(..) => "revealed",
            Self::Refs(..) => "refs",
            Self::Fetched(..) => "fetched",
            Self::Mouse(_) => "mouse",
            Self::Focus(_) => "focus",
            Self::Read(..) => "read",
            Self::Located(..) => "located",
            Self::Copied(..) => "copied",
            Self::Ran(..) => "ran",
            Self::Returned(_) => "returned",
            Self::Planned(..) => "planned",
            Self::Written(..) => "written",
            Self::Progress(..) => "progress",
            Self::Pushed(..) => "pushed",
            Self::Unlocked(..) => "unlocked",
            Self::Locked(..) => "locked",
            Self::Journal(..) => "journal",
            Self::Crypto(..) => "crypto",
            Self::Data(..) => "data",
            Self::Deploy(..) => "deploy",
            Self::Pipeline(..) => "pipeline",
            Self::Abandoned(..) => "abandoned",
            Self::History(..) => "history",
            Self::Compared(..) => "compared",
            Self::Promoted(..) => "promoted",
            Self::Changes(..) => "changes",
            Self::Committed(..) => "committed",
            Self::Generated(..) => "generated",
            Self::Typed(_) => "typed",
            Self::Restyled(_) => "restyled",
            Self::Themed(..) => "themed",
            Self::Lost(_) => "lost",
        }
    }
}
