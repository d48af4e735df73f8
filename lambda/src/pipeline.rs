//! What the pipeline's function and its worker share: the message that asks for a build, and the registry that says what may
//! be built.
//!
//! Pure, but for `live`. A message is somebody else's text: what is taken from it has passed a closed set of characters, and is never part
//! of a command.

pub mod branches;
pub(crate) mod live;
pub mod message;
pub mod names;
pub mod registry;
