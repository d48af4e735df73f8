//! What each page remembers.

pub(super) mod crypto;
pub(super) mod data;
pub(super) mod deploy;
pub(super) mod list;
pub(super) mod overview;
pub(super) mod pipeline;

pub(super) use list::{Filter, Pane, Zoom};

use super::action::Action;
use crate::compare::{Item, Kind};

/// The pages, in the order of their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// All environments, and what needs the operator.
    Overview,
    /// Stack resources and function code.
    Stacks,
    /// Parameters.
    Parameters,
    /// Secrets.
    Secrets,
    /// Rolling stacks out.
    Deploy,
    /// The crypto API, where the project has one.
    Crypto,
    /// The deploy pipeline, where the project has one.
    Pipeline,
    /// The intake and its summaries, where the project has them.
    Data,
}

impl Page {
    /// All pages.
    pub const ALL: [Self; 8] = [
        Self::Overview,
        Self::Stacks,
        Self::Parameters,
        Self::Secrets,
        Self::Deploy,
        Self::Crypto,
        Self::Pipeline,
        Self::Data,
    ];

    /// Its number on the tab, which is its key unless the operator config says otherwise.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Overview => 1,
            Self::Stacks => 2,
            Self::Parameters => 3,
            Self::Secrets => 4,
            Self::Deploy => 5,
            Self::Crypto => 6,
            Self::Pipeline => 7,
            Self::Data => 8,
        }
    }

    /// Whether it lists items.
    #[must_use]
    pub fn is_list(self) -> bool {
        !self.kinds().is_empty()
    }

    /// Its name on the tab.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Stacks => "stacks",
            Self::Parameters => "parameters",
            Self::Secrets => "secrets",
            Self::Deploy => "deploy",
            Self::Crypto => "crypto",
            Self::Pipeline => "pipeline",
            Self::Data => "data",
        }
    }

    /// The same where there is little room.
    #[must_use]
    pub fn short(self) -> &'static str {
        match self {
            Self::Overview => "over",
            Self::Parameters => "params",
            Self::Pipeline => "pipe",
            page => page.title(),
        }
    }

    /// The action that goes there.
    pub(super) fn action(self) -> Action {
        match self {
            Self::Overview => Action::Overview,
            Self::Stacks => Action::Stacks,
            Self::Parameters => Action::Parameters,
            Self::Secrets => Action::Secrets,
            Self::Deploy => Action::DeployPage,
            Self::Crypto => Action::Crypto,
            Self::Pipeline => Action::Pipeline,
            Self::Data => Action::Data,
        }
    }

    /// The kinds of items it lists.
    #[must_use]
    pub fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Overview | Self::Deploy | Self::Crypto | Self::Pipeline | Self::Data => &[],
            Self::Stacks => &[Kind::Stack, Kind::Code],
            Self::Parameters => &[Kind::Parameter],
            Self::Secrets => &[Kind::Secret],
        }
    }

    /// The page that lists items of this kind.
    #[must_use]
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Stack | Kind::Code => Self::Stacks,
            Kind::Parameter => Self::Parameters,
            Kind::Secret => Self::Secrets,
        }
    }
}

/// What an item is known by while lists come and go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemId {
    /// Its kind.
    pub kind: Kind,
    /// Its name, unique within the kind.
    pub name: String,
}

impl ItemId {
    /// The identity of an item.
    #[must_use]
    pub fn of(item: &Item) -> Self {
        Self { kind: item.kind, name: item.name.clone() }
    }

    /// Whether this is that item.
    #[must_use]
    pub fn is(&self, item: &Item) -> bool {
        self.kind == item.kind && self.name == item.name
    }
}

/// What the cursor of a list is on, while lines come and go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// An item.
    Item(ItemId),
    /// A failure that is not one item's, by its kind and subject.
    Problem(Kind, String),
    /// A kind that could not be read.
    Kind(Kind),
}
