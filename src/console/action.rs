//! The one table of actions: keymap, footer, help, the page of keys and the config's overrides read its rows.

use super::model::Model;
use super::overlay::Menu;
use super::page::overview::Half;
use super::page::{Page, Zoom};
use super::update::{
    crypto, data, deploy, history, is_writing, last_running, no_command, no_config, nothing_listed, outside, pipeline,
    promote, push, yank,
};

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
    /// On every page, for what is done with an item.
    Items,
    /// On the deploy page.
    Deploy,
    /// On the pipeline page.
    Pipeline,
    /// On the crypto page.
    Crypto,
    /// On the data page.
    Data,
    /// In the menu of what can be done with an item.
    Actions,
    /// In the menu of what can be copied of an item.
    Yank,
    /// In a plan whose items are chosen.
    Plan,
    /// In the journal, and in what came of a write.
    Past,
    /// In the history of an item.
    History,
    /// Where two environments are compared.
    Promote,
    /// In the change list.
    Changes,
    /// In the field of a value.
    Field,
    /// In a text field.
    Input,
    /// Everywhere while the tour is taken.
    Tour,
}

impl Scope {
    /// All scopes, in the order in which the help lists them.
    pub const ALL: [Self; 19] = [
        Self::Page,
        Self::Items,
        Self::Deploy,
        Self::Pipeline,
        Self::Crypto,
        Self::Data,
        Self::Actions,
        Self::Yank,
        Self::Changes,
        Self::Field,
        Self::Move,
        Self::Back,
        Self::Plan,
        Self::Past,
        Self::History,
        Self::Promote,
        Self::Input,
        Self::Tour,
        Self::Always,
    ];

    /// Its heading in the help.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::Back => "Back",
            Self::Move => "Move",
            Self::Page => "On every page",
            Self::Items => "On items",
            Self::Deploy => "On the deploy page",
            Self::Pipeline => "On the pipeline page",
            Self::Crypto => "On the crypto page",
            Self::Data => "On the data page",
            Self::Actions => "In the menu of an item",
            Self::Yank => "In the menu of what is copied",
            Self::Plan => "In a plan",
            Self::Past => "In the journal and in a result",
            Self::History => "In the history of an item",
            Self::Promote => "Where environments are compared",
            Self::Changes => "In the change list",
            Self::Field => "In the field of a value",
            Self::Input => "In a text field",
            Self::Tour => "In the tour",
        }
    }

    /// Where its keys work, after "only".
    pub(super) fn where_it_is(self) -> &'static str {
        match self {
            Self::Always | Self::Back | Self::Move => "outside of a text field",
            Self::Page | Self::Items => "on a page",
            Self::Deploy => "on the deploy page",
            Self::Pipeline => "on the pipeline page",
            Self::Crypto => "on the crypto page",
            Self::Data => "on the data page",
            Self::Actions => "in the menu of an item",
            Self::Yank => "in the menu of what is copied",
            Self::Plan => "in a plan whose items are chosen",
            Self::Past => "in the journal and in a result",
            Self::History => "in the history of an item",
            Self::Promote => "where environments are compared",
            Self::Changes => "in the change list",
            Self::Field => "in the field of a value",
            Self::Input => "in a text field",
            Self::Tour => "in the tour",
        }
    }
}

/// What can go wrong by an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Danger {
    /// Nothing.
    Nothing,
    /// A plan is shown first, and only what is confirmed there is written.
    Plans,
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
    /// How much that word wants its place in the footer when there is not room for all.
    pub priority: u8,
    /// The keys that do it unless the operator config says otherwise.
    pub keys: &'static [&'static str],
    /// Where they work.
    pub scope: Scope,
    /// What can go wrong.
    pub danger: Danger,
    /// Why it cannot be done right now; `None`: it can.
    pub disabled: fn(&Model) -> Option<&'static str>,
}

/// The priority of a hint whose row says none.
const ORDINARY: u8 = 50;

macro_rules! priority {
    () => {
        ORDINARY
    };
    ($priority:literal) => {
        $priority
    };
}

// The word of the footer may be followed by its priority: `"filter" 70`.
macro_rules! actions {
    ($($action:ident, $id:literal, $title:literal, $hint:literal $($priority:literal)?, [$($key:literal),+], $scope:ident, $danger:ident, $disabled:expr;)+) => {
        /// Something that a key does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $(#[doc = $title] $action,)+
        }

        /// All actions, in the order in which the footer prefers them.
        pub const ACTIONS: &[Spec] = &[
            $(Spec {
                action: Action::$action, id: $id, title: $title, hint: $hint,
                priority: priority!($($priority)?), keys: &[$($key),+],
                scope: Scope::$scope, danger: Danger::$danger, disabled: $disabled,
            },)+
        ];
    };
}

actions! {
    Open, "open", "Open what is selected, full screen", "open" 86, ["enter"], Page, Nothing, nothing_to_open;
    Back, "back", "Cancel a running call; else go back", "back" 98, ["esc"], Back, Nothing, always;
    Reveal, "reveal", "Show the values of the item; mask them again", "reveal" 85, ["v"], Items, Reveals, no_item;
    Diff, "diff", "Git and live line by line", "diff" 84, ["d"], Items, Nothing, no_item;
    Layout, "layout", "Diff: side by side, or one below the other", "layout" 84, ["s"], Items, Nothing, only_in_diff;
    Fold, "fold", "Diff: fold what is the same, or unfold it", "fold" 82, ["z"], Items, Nothing, only_in_diff;
    NextDifference, "next", "Next difference", "next" 83, ["n"], Page, Nothing, always;
    PreviousDifference, "previous", "Previous difference", "", ["N"], Page, Nothing, always;
    Show, "show", "Show differences, all, or what is unmanaged", "show" 81, ["f"], Items, Nothing, not_in_overview;
    Actions, "actions", "What can be done with the item", "menu" 80, ["x"], Items, Nothing, no_item;
    Edit, "edit", "Change the value: into the change list", "edit" 64, ["e"], Items, Nothing, no_config;
    Remove, "remove", "Remove the key: into the change list", "", ["-"], Items, Nothing, no_config;
    Adopt, "adopt", "Adopt the live value: into the change list", "", ["a"], Actions, Nothing, no_config;
    Neighbours, "neighbours", "Narrow the list to what lies beside the item", "", ["n"], Actions, Nothing, no_item;
    Yank, "yank", "Copy its value, name, links or commands", "copy" 79, ["y"], Items, Nothing, no_item;
    YankLive, "yank-live", "The live value, without showing it", "", ["v"], Yank, Nothing, yank::no_value;
    YankGit, "yank-git", "Git's value, without showing it", "", ["g"], Yank, Nothing, yank::no_value;
    YankName, "yank-name", "The name", "", ["n"], Yank, Nothing, no_item;
    YankArn, "yank-arn", "The ARN", "", ["a"], Yank, Nothing, yank::no_arn;
    YankJson, "yank-json", "The item as JSON, its values masked", "", ["j"], Yank, Nothing, no_item;
    YankCommand, "yank-command", "The aws command that reads it", "", ["c"], Yank, Nothing, yank::no_region;
    YankConsole, "yank-console", "The link to its page in AWS's console", "", ["w"], Yank, Nothing, yank::no_console;
    YankCommit, "yank-commit", "The link to the commit on the forge", "", ["l"], Yank, Nothing, yank::no_forge;
    Push, "push", "Push: plan to make live say what git says", "push" 78, ["P"], Page, Plans, push::no_push;
    Choose, "choose", "Choose the item to be pushed, or no longer", "", ["space"], Items, Nothing, push::no_choice;
    Revert, "revert", "Plan to put live back to what git says", "", ["g"], Actions, Plans, push::no_revert;
    Restart, "restart", "Plan to restart the functions that read it", "", ["s"], Actions, Plans, push::no_restart;
    Item, "item", "Write the item, or leave it out", "choose" 86, ["space"], Plan, Nothing, push::no_items;
    AllItems, "all-items", "Leave all items out, or take all in", "all" 85, ["ctrl-a"], Plan, Nothing, push::no_items;
    Prune, "prune", "Plan again: delete what git no longer has, or not", "deletions" 84, ["ctrl-d"], Plan, Plans, push::no_prune;
    Readers, "readers", "Plan again: restart the functions that read it, or not", "restart: no" 85, ["ctrl-r"], Plan, Plans, push::no_readers;
    Undo, "undo", "Plan to take the write back", "undo" 86, ["u"], Past, Plans, push::no_undo;
    Resume, "resume", "Plan to go on with what was cut off", "go on" 85, ["c"], Past, Plans, push::no_resume;
    History, "history", "Its history: commits and live versions", "history" 60, ["t"], Items, Nothing, history::no_past;
    Rollback, "rollback", "Plan to give it the value of this version", "roll back" 86, ["enter"], History, Plans, history::no_rollback;
    Promote, "promote", "Take values to another environment, in git", "", ["p"], Actions, Nothing, promote::no_other;
    Take, "take", "Take the value, or not", "take" 86, ["space"], Promote, Nothing, promote::no_rows;
    TakeAll, "take-all", "Take all values that can be, or none", "all" 85, ["ctrl-a"], Promote, Nothing, promote::no_rows;
    Commit, "commit", "Commit what is taken to a new branch", "commit" 87, ["y"], Promote, Nothing, promote::no_commit;
    Target, "target", "Compare with another target", "to" 84, ["tab"], Promote, Nothing, promote::no_place;
    Source, "source", "Compare from another source", "from" 83, ["backtab"], Promote, Nothing, promote::no_place;
    Filter, "filter", "Filter by name", "filter" 70, ["/"], Page, Nothing, no_list;
    Pick, "pick", "Choose environment and git ref", "env" 69, ["@"], Page, Nothing, always;
    Refresh, "refresh", "Refresh what you are on: everything, a page, an item", "refresh" 68, ["r"], Page, Nothing, already_reading;
    RefreshAll, "refresh-all", "Refresh everything of every environment", "", ["ctrl-r"], Page, Nothing, all_reading;
    Detect, "detect", "Read again with a new drift detection", "", ["R"], Page, Nothing, already_reading;
    Record, "record", "Write receipts for what is live already", "", ["r"], Actions, Plans, writing_already;
    Left, "left", "Diff: to the left", "", ["left", "H"], Items, Nothing, only_in_diff;
    Right, "right", "Diff: to the right", "", ["right", "L"], Items, Nothing, only_in_diff;
    Pager, "pager", "Git and live in the pager", "", ["o"], Items, Nothing, outside::no_pager;
    Editor, "editor", "Its file in the editor, at its line, to read", "", ["O"], Items, Nothing, outside::no_file;
    End, "end", "End a command of your own that runs in the background", "end command" 72, ["ctrl-x"], Page, Nothing, nothing_runs;
    Add, "add", "Add a key: into the change list", "", ["a"], Page, Nothing, always;
    Changes, "changes", "The change list, and its commit", "changes" 87, ["c"], Page, Nothing, always;
    ChangeCommit, "change-commit", "Commit the list by your own git", "commit" 88, ["c"], Changes, Nothing, nothing_listed;
    ChangeDiff, "change-diff", "What differs in the files; the changes again", "files" 87, ["d"], Changes, Nothing, nothing_listed;
    ChangeReveal, "change-reveal", "Show the values before and after; mask them again", "reveal" 86, ["v"], Changes, Reveals, nothing_listed;
    ChangeEdit, "change-edit", "Edit the change", "edit" 85, ["e"], Changes, Nothing, nothing_listed;
    ChangeDrop, "change-drop", "Drop the change", "drop" 84, ["-"], Changes, Nothing, nothing_listed;
    ChangeDropAll, "change-drop-all", "Drop all changes; asks once more", "drop all" 70, ["X"], Changes, Nothing, nothing_listed;
    ChangeCopy, "change-copy", "Copy the commands for a pull request", "copy" 83, ["y"], Changes, Nothing, no_command;
    FieldNext, "field-next", "The next line", "next line" 75, ["tab"], Field, Nothing, always;
    FieldPrevious, "field-previous", "The line before", "", ["backtab"], Field, Nothing, always;
    FieldReveal, "field-reveal", "Show what is typed and what stands there; mask it again", "reveal" 74, ["ctrl-r"], Field, Reveals, always;
    FieldGenerate, "field-generate", "Make a random value", "generate" 73, ["ctrl-g"], Field, Nothing, always;
    FieldEditor, "field-editor", "The value in the editor, in memory alone", "editor" 72, ["ctrl-e"], Field, Nothing, always;
    FieldJson, "field-json", "The value is JSON, or text again", "JSON" 60, ["ctrl-o"], Field, Nothing, always;
    NextPane, "pane", "The other pane", "pane" 30, ["tab", "backtab"], Page, Nothing, always;
    Journal, "journal", "What was written to the environment", "", ["u"], Page, Nothing, always;
    Overview, "overview", "The overview", "", ["1"], Page, Nothing, |model| already_on(model, Page::Overview);
    Stacks, "stacks", "The stacks and the code of functions", "", ["2"], Page, Nothing, |model| already_on(model, Page::Stacks);
    Parameters, "parameters", "The parameters", "", ["3"], Page, Nothing, |model| already_on(model, Page::Parameters);
    Secrets, "secrets", "The secrets", "", ["4"], Page, Nothing, |model| already_on(model, Page::Secrets);
    DeployPage, "deploy-page", "The deployments", "", ["5"], Page, Nothing, |model| already_on(model, Page::Deploy);
    Deploy, "deploy", "Redeploy: plan to roll the commit out, as plumb redeploy does", "deploy" 59, ["D"], Page, Plans, writing_already;
    DeployRevert, "deploy-revert", "Plan to deploy the stack alone, and put back what was changed by hand", "revert drift" 60, ["V"], Deploy, Plans, deploy::no_stack;
    RevertOne, "revert-one", "Plan to put back what was changed by hand of this resource alone", "revert" 67, ["V"], Items, Plans, deploy::no_resource;
    DeployCancel, "deploy-cancel", "Plan to take back what is under way", "take back" 79, ["C"], Deploy, Plans, deploy::nothing_under_way;
    DeployRecover, "deploy-recover", "Plan the way out of where the stack is stuck", "way out" 80, ["x"], Deploy, Plans, deploy::not_stuck;
    DeployRecoverLeaving, "deploy-recover-leaving", "The same, leaving as it is what holds the stack", "", ["X"], Deploy, Plans, deploy::not_stuck;
    Crypto, "crypto", "The crypto API", "", ["6"], Page, Nothing, crypto::no_page;
    CryptoEncrypt, "crypto-encrypt", "Encrypt the input", "encrypt" 79, ["e"], Crypto, Nothing, crypto::cannot_play;
    CryptoDecrypt, "crypto-decrypt", "Decrypt the input", "decrypt" 78, ["d"], Crypto, Nothing, crypto::cannot_play;
    CryptoRoundTrip, "crypto-round-trip", "Encrypt the input and decrypt it again", "round trip" 76, ["t"], Crypto, Nothing, crypto::cannot_play;
    CryptoRewrap, "crypto-rewrap", "Encrypt what the input holds under the latest key", "rewrap" 66, ["w"], Crypto, Nothing, crypto::cannot_play;
    CryptoSmoke, "crypto-smoke", "The smoke test; where writing is protected, its safe subset", "smoke test" 77, ["s"], Crypto, Nothing, crypto::cannot_smoke;
    CryptoSmokeAll, "crypto-smoke-all", "The whole smoke test, which may trip alarms", "", ["S"], Crypto, Nothing, crypto::cannot_smoke;
    CryptoUnmask, "crypto-reveal", "Show what was typed and what came of it; mask it again", "reveal" 75, ["v"], Crypto, Reveals, crypto::nothing_to_show;
    CryptoForm, "crypto-form", "Read the input as UTF-8, hex or base64", "input form" 65, ["f"], Crypto, Nothing, always;
    CryptoBytes, "crypto-bytes", "Show the message as UTF-8, hex or base64", "bytes" 64, ["b"], Crypto, Nothing, always;
    CryptoTake, "crypto-take", "Make the result the input", "as input" 63, ["i"], Crypto, Nothing, crypto::no_result;
    CryptoCopy, "crypto-copy", "Copy the result, without showing it", "copy" 67, ["y"], Crypto, Nothing, crypto::no_result;
    CryptoClear, "crypto-clear", "Wipe the input and the result", "wipe" 62, ["x"], Crypto, Nothing, always;
    CryptoRotate, "crypto-rotate", "Rotate the keyring", "rotate" 61, ["K"], Crypto, Plans, writing_already;
    Pipeline, "pipeline", "The deploy pipeline", "", ["7"], Page, Nothing, pipeline::no_page;
    PipelineTrigger, "pipeline-trigger", "Plan to have a branch built", "trigger" 79, ["t"], Pipeline, Plans, pipeline::no_project;
    PipelineStop, "pipeline-stop", "Plan to end the job", "stop" 82, ["s"], Pipeline, Plans, pipeline::not_running;
    PipelineRetry, "pipeline-retry", "Plan to start the job's build again", "build again" 78, ["b"], Pipeline, Plans, pipeline::not_built;
    PipelineReplay, "pipeline-replay", "Plan to publish the dead letter again", "publish again" 80, ["p"], Pipeline, Plans, pipeline::no_letter;
    PipelineFollow, "pipeline-follow", "Keep the end of the log in sight, or not", "follow" 66, ["f"], Pipeline, Nothing, pipeline::no_log;
    Data, "data", "The intake and its summaries", "", ["8"], Page, Nothing, data::no_page;
    DataPost, "data-post", "Write a record in the editor, then plan to post it", "post" 77, ["p"], Data, Plans, data::no_post;
    DataVerify, "data-verify", "Verify the summary of the week: its files, and the table", "verify" 79, ["v"], Data, Nothing, data::no_proof;
    DataSummarise, "data-summarise", "Plan to make the summary of the week", "summarise" 78, ["w"], Data, Plans, data::no_week;
    DataPager, "data-pager", "The open record in the pager", "pager" 76, ["o"], Data, Nothing, data::no_record;
    Down, "down", "Down", "", ["j", "down"], Move, Nothing, always;
    Up, "up", "Up", "", ["k", "up"], Move, Nothing, always;
    First, "first", "To the first", "", ["g", "home"], Move, Nothing, always;
    Last, "last", "To the last", "", ["G", "end"], Move, Nothing, always;
    HalfDown, "half-down", "Half a page down", "", ["ctrl-d", "pagedown"], Move, Nothing, always;
    HalfUp, "half-up", "Half a page up", "", ["ctrl-u", "pageup"], Move, Nothing, always;
    Quit, "quit", "Leave what is open, then the page; on the overview: quit", "quit" 99, ["q"], Back, Nothing, always;
    Help, "help", "The keys, to be searched and done", "keys" 100, ["?", "f1"], Back, Nothing, always;
    Palette, "palette", "Search everything by name, or give a command", "commands" 56, [":"], Page, Nothing, always;
    Accept, "accept", "Take what is typed or chosen", "take" 80, ["enter"], Input, Nothing, always;
    Dismiss, "dismiss", "Leave the text field", "leave" 99, ["esc"], Input, Nothing, always;
    NextChoice, "next-choice", "Next choice", "", ["down", "ctrl-n"], Input, Nothing, always;
    PreviousChoice, "previous-choice", "Previous choice", "", ["up", "ctrl-p"], Input, Nothing, always;
    NextChoices, "next-choices", "Choices a page down", "", ["pagedown"], Input, Nothing, always;
    PreviousChoices, "previous-choices", "Choices a page up", "", ["pageup"], Input, Nothing, always;
    EraseWord, "erase-word", "Erase the word before the cursor", "", ["ctrl-w"], Input, Nothing, always;
    EraseAll, "erase-all", "Erase everything typed", "", ["ctrl-u"], Input, Nothing, always;
    HelpHere, "help-here", "The keys, from a text field too", "keys" 100, ["f1"], Input, Nothing, always;
    TourNext, "tour-next", "The next step of the tour", "", ["ctrl-t"], Tour, Nothing, always;
    Leave, "leave", "Quit at once", "", ["ctrl-c"], Always, Nothing, always;
    Suspend, "suspend", "Back to the shell until `fg`", "", ["ctrl-z"], Always, Nothing, always;
}

impl Action {
    /// The row's reason, or that of the place, why it cannot be done where these scopes are heard; `None`: it can.
    pub(super) fn why_not(self, model: &Model, context: &[Scope]) -> Option<String> {
        if !self.is_heard(context) {
            return Some(format!("only {}", place(self.spec().scope).where_it_is()));
        }
        (self.spec().disabled)(model).map(str::to_owned)
    }

    /// Whether its keys, or the menu that it is in, work where these scopes are heard.
    pub(super) fn is_heard(self, context: &[Scope]) -> bool {
        is_heard(self.spec().scope, context)
    }

    /// Its row.
    #[must_use]
    pub fn spec(self) -> &'static Spec {
        // The enum and the table come from the same rows, in the same order.
        &ACTIONS[self as usize]
    }
}

/// A scope itself; a menu's, that of what opens it.
fn place(scope: Scope) -> Scope {
    Menu::of(scope).map_or(scope, |menu| menu.opener.spec().scope)
}

/// Whether the keys of a scope, or the menu that it is, work where these scopes are heard.
pub(super) fn is_heard(scope: Scope, context: &[Scope]) -> bool {
    context.contains(&place(scope))
}

fn always(_: &Model) -> Option<&'static str> {
    None
}

fn no_item(model: &Model) -> Option<&'static str> {
    if model.selected().is_some() {
        return None;
    }
    if model.page == Page::Crypto {
        return Some("the crypto page has no items");
    }
    if model.page == Page::Data {
        return Some("the data page has no items");
    }
    if model.page == Page::Deploy {
        return Some("the deploy page has no items");
    }
    if model.page == Page::Pipeline {
        return Some("the pipeline page has no items");
    }
    if model.page != Page::Overview {
        let is_problem = model.list().cursor.is_some();
        return Some(if is_problem { "a problem is selected, and no item" } else { "no item is selected" });
    }
    Some(match (model.overview.half, &model.overview.cursor) {
        (Half::Environments, _) => "an environment is selected, and no item",
        (Half::Needs, Some(_)) => "a problem is selected, and no item",
        (Half::Needs, None) => "no item is selected",
    })
}

fn only_in_diff(model: &Model) -> Option<&'static str> {
    (!model.page.is_list() || model.list().zoom != Zoom::Diff).then_some("only in the diff")
}

fn not_in_overview(model: &Model) -> Option<&'static str> {
    match model.page {
        Page::Overview => Some("the overview has what needs you; the other pages show everything"),
        Page::Crypto => Some("the crypto page shows everything"),
        Page::Data => Some("the data page shows everything"),
        Page::Deploy => Some("the deploy page shows everything"),
        Page::Pipeline => Some("the pipeline page shows everything"),
        // Another list would put another item in the place of the one whose diff is read.
        Page::Stacks | Page::Parameters | Page::Secrets if model.list().zoom == Zoom::Diff => {
            Some("the diff shows one item: esc goes back to the list")
        }
        Page::Stacks | Page::Parameters | Page::Secrets => None,
    }
}

/// A page that is looked at already; what is open on it is closed, so that its list is there.
pub(super) fn already_on(model: &Model, page: Page) -> Option<&'static str> {
    let open = page.is_list() && model.list().zoom != Zoom::Split
        || page == Page::Pipeline && model.pipeline.below
        || page == Page::Data && model.data.open.is_some();
    (model.page == page && !open).then_some("this is the page")
}

fn no_list(model: &Model) -> Option<&'static str> {
    if model.page == Page::Pipeline {
        return pipeline::no_log(model);
    }
    matches!(model.page, Page::Crypto | Page::Data | Page::Deploy).then_some("there is nothing to filter here")
}

fn writing_already(model: &Model) -> Option<&'static str> {
    is_writing(model).then_some("a write is under way")
}

fn nothing_runs(model: &Model) -> Option<&'static str> {
    last_running(model).is_none().then_some("no command of your own runs")
}

fn already_reading(model: &Model) -> Option<&'static str> {
    if model.page == Page::Overview {
        return all_reading(model);
    }
    if model.page == Page::Crypto {
        return crypto::reading_already(model);
    }
    if model.page == Page::Data {
        return data::reading_already(model);
    }
    if model.page == Page::Deploy {
        return deploy::reading_already(model);
    }
    if model.page == Page::Pipeline {
        return pipeline::reading_already(model);
    }
    model.environment().inspecting.is_some().then_some("already reading: esc cancels")
}

fn all_reading(model: &Model) -> Option<&'static str> {
    model.environments.iter().all(|env| env.inspecting.is_some()).then_some("already reading: esc cancels")
}

fn nothing_to_open(model: &Model) -> Option<&'static str> {
    match model.page {
        Page::Overview => {
            let nothing = model.overview.half == Half::Needs && model.overview.needs.is_empty();
            nothing.then_some("nothing is selected")
        }
        Page::Crypto => crypto::nothing_to_open(model),
        Page::Data => data::nothing_to_open(model),
        Page::Deploy => deploy::nothing_to_open(model),
        Page::Pipeline => pipeline::nothing_to_open(model),
        _ if model.list().zoom != Zoom::Split => Some("already open: esc goes back"),
        _ if model.list().cursor.is_none() => Some("nothing is selected"),
        _ => None,
    }
}
