//! The compared thing, as commands and screens show it.

use super::{Side, Verdict, Why};
use crate::secret::Secret;

/// What sort of thing is compared; the pages and the columns of the overview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A resource of a CloudFormation stack, with its properties as [`Item::rows`].
    Stack,
    /// The code of a function.
    Code,
    /// A Parameter Store parameter.
    Parameter,
    /// A Secrets Manager secret.
    Secret,
}

impl Kind {
    /// All kinds in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Stack, Self::Code, Self::Parameter, Self::Secret];

    /// The stable word of arguments and JSON output.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Stack => "stack",
            Self::Code => "code",
            Self::Parameter => "parameter",
            Self::Secret => "secret",
        }
    }
}

/// One compared thing with its verdict and what each side says.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What sort of thing it is.
    pub kind: Kind,
    /// Its full name, unique within its kind: `/billing/dev/pool`, `petshop-dev/RefundQueue`.
    pub name: String,
    /// The unit that is rolled out together with it: a service, a stack, `secrets`.
    pub unit: String,
    /// AWS's name of its type: `AWS::SQS::Queue`, `SecureString`; empty when there is none.
    pub type_name: String,
    /// The name or ARN by which AWS knows it, when that is not [`Item::name`].
    pub physical_id: Option<String>,
    /// The name by which its stack's template knows it, when that is not [`Item::name`]: `petshop-dev/BillingApi`. Not kept
    /// between sessions.
    pub logical_id: Option<String>,
    /// The verdict on the whole.
    pub verdict: Verdict,
    /// One line that says why: the properties that differ, the error, "differs only in letter case".
    pub reason: String,
    /// What each side says.
    pub sides: Sides,
    /// The properties of a resource, each with its own verdict; empty for items of one value.
    pub rows: Vec<Row>,
    /// Who changed the live side, when that is known and matters.
    pub changed: Option<Changed>,
    /// The live version: a parameter's number, a secret's version id, a function's version.
    pub version: Option<String>,
    /// The file in git that says what it should be, from the repository's root.
    pub file: Option<String>,
}

/// One property of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Path from the item's root, joined by `.`: `Environment.Variables.API_KEY`.
    pub path: String,
    /// The verdict on this property alone.
    pub verdict: Verdict,
    /// What each side says.
    pub sides: Sides,
}

/// What the three sides say, in a form that can be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Sides {
    /// What the commit says.
    pub git: Facet,
    /// What git said at the receipt's commit.
    pub applied: Facet,
    /// What AWS answers.
    pub live: Facet,
}

/// One side of an item, in a form that can be shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Facet {
    /// The item is not on this side.
    Absent,
    /// No receipt covers the item (applied side only).
    Unrecorded,
    /// Not read, because versions and digests already settled the verdict; opening the item reads it.
    Unread,
    /// It could not be read.
    Unreadable(Why),
    /// A value that anyone may see.
    Plain(String),
    /// A value that is masked until revealed.
    Secret(Secret),
    /// What is left of a masked value that was read before this session; opening the item reads it.
    Masked {
        /// The first digits of its fingerprint.
        fingerprint: String,
        /// How many characters it had.
        chars: usize,
    },
}

/// Who changed the live side, and when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// User, role session or service, as AWS names it.
    pub by: Option<String>,
    /// When, in milliseconds since the Unix epoch (UTC).
    pub at: Option<i64>,
    /// The API call: `PutParameter`, `UpdateFunctionCode20150331v2`.
    pub event: Option<String>,
    /// The access key id that signed it.
    pub access_key: Option<String>,
}

/// How many items have each verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Items in sync.
    pub in_sync: usize,
    /// Items that drifted.
    pub drifted: usize,
    /// Items whose change in git waits to be rolled out.
    pub pending: usize,
    /// Items where both sides moved.
    pub diverged: usize,
    /// Items that differ without a receipt.
    pub differs: usize,
    /// Items only in git.
    pub git_only: usize,
    /// Items that git never had.
    pub unmanaged: usize,
    /// Items ignored by rule.
    pub ignored: usize,
    /// Items that could not be judged.
    pub unknown: usize,
}

impl Tally {
    /// Counts the items' verdicts.
    pub fn of<'a>(items: impl IntoIterator<Item = &'a Item>) -> Self {
        let mut tally = Self::default();
        for item in items {
            *tally.slot(&item.verdict) += 1;
        }
        tally
    }

    /// Items that are known to differ.
    #[must_use]
    pub fn differences(&self) -> usize {
        self.drifted + self.pending + self.diverged + self.differs + self.git_only
    }

    /// All items counted.
    #[must_use]
    pub fn total(&self) -> usize {
        self.differences() + self.in_sync + self.unmanaged + self.ignored + self.unknown
    }

    fn slot(&mut self, verdict: &Verdict) -> &mut usize {
        match verdict {
            Verdict::InSync => &mut self.in_sync,
            Verdict::Drifted => &mut self.drifted,
            Verdict::Pending => &mut self.pending,
            Verdict::Diverged => &mut self.diverged,
            Verdict::Differs => &mut self.differs,
            Verdict::GitOnly => &mut self.git_only,
            Verdict::Unmanaged => &mut self.unmanaged,
            Verdict::Ignored(_) => &mut self.ignored,
            Verdict::Unknown(_) => &mut self.unknown,
        }
    }
}

impl Facet {
    /// Shows one side, by a function that says how its value looks.
    pub fn of<T>(side: &Side<T>, show: impl FnOnce(&T) -> Self) -> Self {
        match side {
            Side::Absent => Self::Absent,
            Side::Value(value) => show(value),
            Side::Unreadable(why) => Self::Unreadable(why.clone()),
        }
    }
}
