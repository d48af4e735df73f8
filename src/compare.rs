//! Three sides in, one verdict out.
//!
//! Pure: no clock, no I/O, no async. Everything that reads git or AWS lives in [`crate::git`] and
//! [`crate::aws`]; everything that decides what to read lives in [`crate::ops::inspect`].

pub mod cheap;
mod diff;
mod explain;
mod ignore;
mod item;
mod mask;
mod side;
mod text;
mod verdict;

pub use diff::{Change, Path, Step, structural};
pub use explain::{Only, differs_only_in, document};
pub use ignore::{IgnoreError, IgnorePattern, IgnoreRules};
pub use item::{Changed, Facet, Item, Kind, Row, Sides, Tally};
pub use mask::{Fingerprinter, masked};
pub use side::{Applied, Side, Why, WhyKind};
pub use text::{Line, Segment, TextRow, text_rows};
pub use verdict::{Rule, Verdict, combine, verdict};
