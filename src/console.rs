//! The console: git against live, side by side, in the terminal.
//!
//! ```text
//! key, resize, time ───┐
//! part, reply ─────────┴─> Message ─> update(&mut Model, Message) -> Vec<Effect> ─> runtime ─> Backend
//!                                          └── view(&Model, &Theme, &mut Frame)
//! ```
//!
//! [`update`] and [`view`] do no I/O, take no clock, never block and never await: time arrives as a message,
//! work leaves as a value. Everything the console wants from the world is asked of a [`Backend`]. Nothing
//! is written that was not planned and confirmed, which the runtime checks a second time, and no plaintext is drawn that
//! the operator has not revealed.

mod action;
mod ages;
mod alarm;
mod backend;
mod changes;
mod clipboard;
mod command;
mod crypto;
mod data;
mod deploy;
mod diff;
mod effect;
mod fingerprint;
mod fuzzy;
mod home;
mod keymap;
mod layout;
mod links;
mod looks;
mod memory;
mod message;
mod mode;
mod model;
mod needs;
mod overlay;
mod page;
mod pipeline;
mod pointer;
mod programs;
mod remote;
mod runtime;
mod text;
mod theme;
mod title;
mod typed;
mod unified;
mod update;
mod view;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use action::{ACTIONS, Action, Danger, Scope, Spec};
pub use backend::{Ask, Backend, BoxFuture, EnvironmentInfo, Fresh, Note, Permit, ProjectInfo, RefInfo, Target, Watch};
pub use changes::{ChangeAnswer, ChangeAsk};
pub use clipboard::{Multiplexer, Sent};
pub use crypto::{CryptoAnswer, CryptoAsk, Smoked};
pub use data::{DataAnswer, DataAsk};
pub use deploy::{DeployAnswer, DeployAsk, Heard, Over};
pub use effect::{Effect, Order, Promotion};
pub use home::{Command, FilePlace, Home};
pub use keymap::{Key, KeyError, Keymap, keys_markdown};
pub use memory::Memory;
pub use message::{Granted, Message};
pub use mode::{Confirmation, Ended, Mode, Unlock};
pub use model::{Model, Setup};
pub use overlay::{
    Changes, Compared, DataWanted, DataWork, Deployment, Edit, Held, Help, Overlay, Palette, Picker, PipelineWanted,
    PipelineWork, Piping, Plan, Prepared, PromoteRow, Redeploy, Revert, Rollout, Tour, Values, Wanted, Way, Work,
};
pub use page::Page;
pub use pipeline::{PipelineAnswer, PipelineAsk, PipelineRead, PipelineSeen};
pub use remote::Remote;
pub use runtime::{Ending, run};
pub use theme::{Depth, Role, Tailor, Theme, ThemeError, Wardrobe, default_theme, is_light};
pub use update::update;
pub use view::view;

/// How the console looks and where it starts.
pub struct ConsoleOptions {
    /// Colours and symbols, already at the depth of the terminal (see [`Theme::at`] and [`Theme::ascii`]).
    pub theme: Theme,
    /// Who makes the theme anew when its files change; `None`: it stays.
    pub tailor: Option<Arc<dyn Tailor>>,
    /// Keys that replace an action's default ones: action id to keys. Clashes are errors.
    pub keys: BTreeMap<String, Vec<String>>,
    /// The environment to begin with; `None`: the first.
    pub environment: Option<String>,
    /// The git ref to compare with in every environment; `None`: each environment's own.
    pub git_ref: Option<String>,
    /// Age at which what is shown of the current environment is read again; `None`: only on request.
    pub refresh: Option<Duration>,
    /// Seconds east of UTC for times of day.
    pub utc_offset: i32,
    /// Milliseconds since the Unix epoch at which the clock stands still, for screenshots; `None`: it runs.
    pub clock: Option<i64>,
    /// Key of the fingerprints that stand for masked values.
    pub fingerprint_key: [u8; 32],
    /// Whether the tour is shown, if it never was on this machine.
    pub tour: bool,
    /// Receives the names of messages, never their content.
    pub log: Option<LogSink>,
    /// The terminal, and the operator's own tools.
    pub home: Home,
}

/// Receives one line of log.
pub type LogSink = Arc<dyn Fn(&str) + Send + Sync>;

/// Why the console could not start or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The terminal refuses to be read or written.
    #[error("cannot use the terminal: {0}")]
    Terminal(#[from] std::io::Error),
    /// The key overrides of the operator config are wrong.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The environment to begin with does not exist.
    #[error("there is no environment {name:?} in this project; it has {}", known.join(", "))]
    Environment {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The project has no environment at all.
    #[error("this project has no environment; add one to plumb.toml")]
    NoEnvironment,
    /// It was left while something was being written.
    #[error("left while writing to {0}: how far that went is in the journal (plumb journal --env {0})")]
    Unfinished(String),
    /// A signal asked the console to end; the terminal has been restored.
    #[error("ended by {0}")]
    Signal(Ending),
}
