//! What can lie over a page: a closed set, on a stack.

mod changes;
mod data;
mod edit;
mod help;
mod history;
mod journal;
mod menu;
mod palette;
mod pipeline;
mod plan;
mod promote;
mod rollout;
mod tour;
mod values;

pub use changes::Changes;
pub(super) use changes::Part;
pub use data::{DataWanted, DataWork};
pub use edit::Edit;
pub(super) use edit::{Filling, Line, Purpose};
pub use help::Help;
pub(super) use help::{HelpRow, Listed};
pub(super) use history::History;
pub(super) use journal::Journal;
pub(super) use menu::{MENUS, Menu};
pub use palette::Palette;
pub(super) use palette::{What, why_not};
pub use pipeline::{PipelineWanted, PipelineWork};
pub use plan::{Plan, Prepared, Wanted, Work};
pub(super) use plan::{Sheet, SheetRow, Stage};
pub use promote::{Compared, Held, Row as PromoteRow};
pub(super) use promote::{Promote, Stage as Promoting};
pub use rollout::{Deployment, Piping, Redeploy, Revert, Rollout, Way};
pub(super) use rollout::{PIPELINE, WORKFLOW, rows as rollout_rows, whose};
pub(super) use tour::STEPS;
pub use tour::Tour;
pub use values::Values;
pub(super) use values::{Ended as EndedItems, Items, in_a_line, summary};

use super::action::Scope;
use super::backend::RefInfo;
use super::model::Model;
use super::page::Filter;
use super::remote::Remote;
use crate::ops::pipeline::message;

/// Something that lies over the page and hears the keys.
#[derive(Debug, Clone, PartialEq)]
pub enum Overlay {
    /// The keys, to be searched.
    Help(Help),
    /// Everything, to be searched, and commands.
    Palette(Palette),
    /// The choice of environment and git ref.
    Picker(Picker),
    /// What is going to be written.
    Plan(Box<Plan>),
    /// What was written.
    Journal(Journal),
    /// The past of an item.
    History(History),
    /// Two environments side by side.
    Promote(Box<Promote>),
    /// What a second key would do.
    Menu(Scope),
    /// The field of a value.
    Edit(Box<Edit>),
    /// What is to be changed in git.
    Changes(Box<Changes>),
}

impl Overlay {
    /// What is typed into it; `None`: it takes no text.
    pub(super) fn field(&self) -> Option<&str> {
        match self {
            Self::Help(help) => Some(&help.text),
            Self::Palette(palette) => Some(&palette.text),
            Self::Picker(picker) => Some(&picker.text),
            Self::Menu(_)
            | Self::Plan(_)
            | Self::Journal(_)
            | Self::History(_)
            | Self::Promote(_)
            | Self::Edit(_)
            | Self::Changes(_) => None,
        }
    }

    /// What is typed into it and its chosen line, to be changed.
    pub(super) fn typing(&mut self) -> Option<(&mut String, &mut usize)> {
        match self {
            Self::Help(help) => Some((&mut help.text, &mut help.line)),
            Self::Palette(palette) => Some((&mut palette.text, &mut palette.line)),
            Self::Picker(picker) => Some((&mut picker.text, &mut picker.line)),
            Self::Menu(_)
            | Self::Plan(_)
            | Self::Journal(_)
            | Self::History(_)
            | Self::Promote(_)
            | Self::Edit(_)
            | Self::Changes(_) => None,
        }
    }

    /// Whether time changes how it looks.
    pub(super) fn moves(&self) -> bool {
        match self {
            Self::Plan(plan) => plan.moves(),
            Self::Journal(journal) => matches!(journal.found, Remote::Loading { .. }),
            Self::Edit(edit) => matches!(edit.filling, Filling::Reading | Filling::Keeping),
            Self::Changes(list) => {
                matches!(list.preview, Remote::Loading { .. }) || matches!(list.part, Part::Committing(_))
            }
            Self::History(history) => matches!(history.found, Remote::Loading { .. }),
            Self::Promote(promote) => promote.moves(),
            Self::Help(_) | Self::Palette(_) | Self::Picker(_) | Self::Menu(_) => false,
        }
    }

    /// Until when it shows values, milliseconds since the Unix epoch.
    pub(super) fn shown(&self) -> Option<i64> {
        match self {
            Self::Edit(edit) => edit.shown,
            Self::Changes(list) => list.shown,
            _ => None,
        }
    }

    /// How many lines can be chosen from.
    pub(super) fn choices(&self, model: &Model) -> usize {
        match self {
            Self::Help(help) => help.found(model).len(),
            Self::Palette(palette) => palette.found.len(),
            Self::Picker(picker) => picker.choices(model).len(),
            Self::Menu(_)
            | Self::Plan(_)
            | Self::Journal(_)
            | Self::History(_)
            | Self::Promote(_)
            | Self::Edit(_)
            | Self::Changes(_) => 0,
        }
    }
}

/// The state of the choice of environment and git ref.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Picker {
    /// What is typed.
    pub text: String,
    /// Whether it is the branch that is chosen which the pipeline is to build.
    pub branches: bool,
    /// The chosen line.
    pub line: usize,
    /// The first line drawn.
    pub(super) first: usize,
}

/// One line of the choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// Another environment, by its index.
    Environment(usize),
    /// Back to the environment's own ref.
    OwnRef,
    /// A branch or tag.
    Ref(RefInfo),
    /// Whatever is typed, as a ref: a commit, `HEAD~3`, `WORKTREE`.
    Typed(String),
    /// A branch that is to be built.
    Branch(String),
}

impl Picker {
    /// The choices that match what is typed.
    pub(super) fn choices(&self, model: &Model) -> Vec<Choice> {
        let filter = Filter { text: self.text.clone(), editing: true };
        let matches = filter.matcher();
        if self.branches {
            return self.branch_choices(model, matches);
        }
        let mut choices: Vec<Choice> = Vec::new();
        let environments = model
            .environments
            .iter()
            .enumerate()
            .filter(|(_, env)| matches(&format!("{}/{}", env.project(), env.name())));
        choices.extend(environments.map(|(index, _)| Choice::Environment(index)));
        if model.environment().git_ref.is_some() && self.text.is_empty() {
            choices.push(Choice::OwnRef);
        }
        let refs = model.refs.value().map_or(&[][..], Vec::as_slice);
        choices.extend(
            refs.iter()
                .filter(|r| matches(&format!("{} {} {}", r.name, r.commit, r.subject)))
                .cloned()
                .map(Choice::Ref),
        );
        let typed = self.text.trim();
        let known = refs.iter().any(|r| r.name == typed) || model.environments.iter().any(|env| env.title == typed);
        if !typed.is_empty() && !known && !typed.starts_with('-') {
            choices.push(Choice::Typed(typed.to_owned()));
        }
        choices
    }
    fn branch_choices(&self, model: &Model, matches: impl Fn(&str) -> bool) -> Vec<Choice> {
        let branches = model.pipeline.branches.value().map_or(&[][..], Vec::as_slice);
        let mut choices: Vec<Choice> =
            branches.iter().filter(|branch| matches(branch)).cloned().map(Choice::Branch).collect();
        let typed = self.text.trim();
        if branches.iter().all(|branch| branch != typed) && message::branch(typed).is_ok() {
            choices.push(Choice::Branch(typed.to_owned()));
        }
        choices
    }
}
