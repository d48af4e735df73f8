//! The project file, the operator's own config, and the value of each setting with where it came from.
//!
//! Pure but for [`load`] and its like, which find and read the two files; knows neither git nor AWS.

mod check;
mod depth;
mod error;
mod guess;
mod load;
mod near;
mod operator;
mod origin;
mod parse;
mod pattern;
mod project;
mod reader;
mod settle;

pub mod mapping;

pub use depth::Depth;
pub use error::{Complaint, Error, UnknownEnvironment};
pub use guess::{Extra, guess, guess_with};
pub use load::{Directories, PROJECT_FILE, expand_home, find_project, load, load_operator, load_project, load_text};
pub use operator::{
    Access, Ascii, Clipboard, CustomAction, Harm, On, Operator, Output, PLACEHOLDERS, REVEAL_SECONDS, parse_operator,
};
pub use origin::{Origin, Origins};
pub use parse::{DRIFT_MAX_AGE, parse_project};
pub use pattern::{Bindings, Pattern, PatternError, Placeholder, Unbound, fill};
pub use project::{
    ConfigTree, Crypto, Environment, Function, IgnoreRule, Intake, Layers, ParameterType, Project, Protection,
    Redeploy, RedeployMethod, SecretFile, SecretShape, Stack, StackKind, Tier,
};
pub use reader::Period;
pub use settle::{Adhoc, Environ, Flags, Settings, SourceLine, settle};
