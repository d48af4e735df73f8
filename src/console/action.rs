//! The one table of actions: keymap, footer, help, the page of keys and the config's overrides read its rows.

use super::model::Model;
use super::page::{Page, Zoom};

/// Where an action's keys work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everywhere, text fields included.
    Always,
    /// Wherever something can be left: pages and overlays that are no text field.
    Back,
    /// Wherever something moves: pages and overlays that are no text field.
    Move,
    /// On every page.
    Page,
    /// On the pages that list items.
    Items,
    /// In a text field.
    Input,
}

impl Scope {
    /// All scopes, in the order in which the help lists them.
    pub const ALL: [Self; 6] = [Self::Page, Self::Items, Self::Move, Self::Back, Self::Input, Self::Always];

    /// Its heading in the help.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::Back => "Back",
            Self::Move => "Move",
            Self::Page => "On every page",
            Self::Items => "On items",
            Self::Input => "In a text field",
        }
    }
}

/// What can go wrong by an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Danger {
    /// Nothing.
    Nothing,
    /// A value is read and shown, which AWS may log and others may see over the shoulder.
    Reveals,
}

/// One row of the table.
#[derive(Debug)]
pub struct Spec {
    /// The action.
    pub action: Action,
    /// Its stable name in the operator config.
    pub id: &'static str,
    /// What it does, for the help.
    pub title: &'static str,
    /// Its word in the footer; empty: not hinted.
    pub hint: &'static str,
    /// The keys that do it unless the operator config says otherwise.
    pub keys: &'static [&'static str],
    /// Where they work.
    pub scope: Scope,
    /// What can go wrong.
    pub danger: Danger,
    /// Why it cannot be done right now; `None`: it can.
    pub disabled: fn(&Model) -> Option<&'static str>,
}

macro_rules! actions {
    ($($(#[doc = $doc:literal])? $action:ident, $id:literal, $title:literal, $hint:literal, [$($key:literal),+], $scope:ident, $danger:ident, $disabled:expr;)+) => {
        /// Something that a key does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $(#[doc = $title] $action,)+
        }

        /// All actions, in the order in which the footer prefers them.
        pub const ACTIONS: &[Spec] = &[
            $(Spec {
                action: Action::$action, id: $id, title: $title, hint: $hint, keys: &[$($key),+],
                scope: Scope::$scope, danger: Danger::$danger, disabled: $disabled,
            },)+
        ];
    };
}

actions! {
    Open, "open", "Open what is selected, full screen", "open", ["enter"], Page, Nothing, nothing_to_open;
    Back, "back", "Cancel a running call; else go back", "back", ["esc"], Back, Nothing, always;
    Pick, "pick", "Choose environment and git ref", "env/ref", ["@"], Page, Nothing, always;
    Filter, "filter", "Filter by name", "filter", ["/"], Page, Nothing, always;
    NextDifference, "next", "Next difference", "next", ["n"], Page, Nothing, always;
    PreviousDifference, "previous", "Previous difference", "", ["N"], Page, Nothing, always;
    Show, "show", "Show differences, all, or what is unmanaged", "show", ["f"], Items, Nothing, always;
    Reveal, "reveal", "Show the values of the item; mask them again", "reveal", ["v"], Items, Reveals, no_item;
    Diff, "diff", "Git and live line by line", "diff", ["d"], Items, Nothing, no_item;
    Refresh, "refresh", "Fetch, and read everything again", "refresh", ["r"], Page, Nothing, already_reading;
    Detect, "detect", "Read again with a new drift detection", "", ["R"], Page, Nothing, already_reading;
    NextPane, "pane", "The other pane", "pane", ["tab", "backtab"], Page, Nothing, always;
    Journal, "journal", "What was written to the environment", "", ["u"], Page, Nothing, always;
    Overview, "overview", "The overview", "", ["1"], Page, Nothing, always;
    Stacks, "stacks", "The stacks and the code of functions", "", ["2"], Page, Nothing, always;
    Parameters, "parameters", "The parameters", "", ["3"], Page, Nothing, always;
    Secrets, "secrets", "The secrets", "", ["4"], Page, Nothing, always;
    Down, "down", "Down", "", ["j", "down"], Move, Nothing, always;
    Up, "up", "Up", "", ["k", "up"], Move, Nothing, always;
    First, "first", "To the first", "", ["g", "home"], Move, Nothing, always;
    Last, "last", "To the last", "", ["G", "end"], Move, Nothing, always;
    HalfDown, "half-down", "Half a page down", "", ["ctrl-d", "pagedown"], Move, Nothing, always;
    HalfUp, "half-up", "Half a page up", "", ["ctrl-u", "pageup"], Move, Nothing, always;
    Quit, "quit", "Leave what is open; else quit", "quit", ["q"], Back, Nothing, always;
    Help, "help", "The keys", "keys", ["?"], Back, Nothing, always;
    Accept, "accept", "Take what is typed or chosen", "take", ["enter"], Input, Nothing, always;
    Dismiss, "dismiss", "Leave the text field", "leave", ["esc"], Input, Nothing, always;
    NextChoice, "next-choice", "Next choice", "", ["down", "ctrl-n"], Input, Nothing, always;
    PreviousChoice, "previous-choice", "Previous choice", "", ["up", "ctrl-p"], Input, Nothing, always;
    EraseWord, "erase-word", "Erase the word before the cursor", "", ["ctrl-w"], Input, Nothing, always;
    EraseAll, "erase-all", "Erase everything typed", "", ["ctrl-u"], Input, Nothing, always;
    Leave, "leave", "Quit at once", "", ["ctrl-c"], Always, Nothing, always;
    Suspend, "suspend", "Back to the shell until `fg`", "", ["ctrl-z"], Always, Nothing, always;
}

impl Action {
    /// Its row.
    #[must_use]
    pub fn spec(self) -> &'static Spec {
        // The enum and the table come from the same rows, in the same order.
        &ACTIONS[self as usize]
    }
}

fn always(_: &Model) -> Option<&'static str> {
    None
}

fn no_item(model: &Model) -> Option<&'static str> {
    model.selected().is_none().then_some("no item is selected")
}

fn already_reading(model: &Model) -> Option<&'static str> {
    model.environment().inspecting.is_some().then_some("already reading: esc cancels")
}

fn nothing_to_open(model: &Model) -> Option<&'static str> {
    match model.page {
        Page::Overview => None,
        _ if model.list().zoom != Zoom::Split => Some("already open: esc goes back"),
        _ if model.list().cursor.is_none() => Some("nothing is selected"),
        _ => None,
    }
}
