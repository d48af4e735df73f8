//! The choice of environment and ref.

use ratatui::layout::Rect;

use crate::console::layout::{picker_area, picker_list};
use crate::console::model::{EnvState, Model};
use crate::console::overlay::{Choice, Picker};
use crate::console::remote::Remote;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::view::header::spinner;
use crate::console::view::ink::{Ink, Row};

/// The choice of environment and ref.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, room: Rect, picker: &Picker) {
    let choices = picker.choices(model);
    let area = picker_area(choices.len(), room);
    // At the foot of the room is a rule already.
    let ruled = area.height < room.height;
    ink.fill(area, Role::Text);
    ink.row(area, &Row::default().flow(1, area.width, [(title(model, picker), Role::Heading)]).ruled());
    let mut x = ink.put(area.x + 3, area.y + 1, area.width.saturating_sub(8), &picker.text, Role::Input);
    x = ink.put(x, area.y + 1, 1, ink.symbols().caret, Role::Key);
    if picker.text.is_empty() {
        let text = if picker.branches { "a branch" } else { "a name, a commit, HEAD~3, WORKTREE" };
        ink.put(x + 1, area.y + 1, area.width.saturating_sub(x + 2), text, Role::Dim);
    }
    let list = picker_list(choices.len(), room);
    for (y, (index, choice)) in (list.y..list.bottom()).zip(choices.iter().enumerate().skip(picker.first)) {
        let line = Rect { y, height: 1, ..list };
        let mut row = choice_row(model, choice, list.width);
        row.selected = index == picker.line;
        ink.row(line, &row);
    }
    let y = area.bottom().saturating_sub(1 + u16::from(ruled));
    let (text, role) = if picker.branches { listing_of_branches(model, ink) } else { listing_of_refs(model, ink) };
    ink.put(area.x + 3, y, area.width.saturating_sub(4), &text, role);
    // The page's own rule may lie right below.
    if ruled && !ink.is_rule(area.x, area.bottom()) {
        ink.rule(area.x, area.bottom().saturating_sub(1), area.width);
    }
}

fn title(model: &Model, picker: &Picker) -> String {
    if picker.branches { format!("BRANCH OF {}", model.pipeline.of) } else { String::from("ENVIRONMENT, GIT REF") }
}

fn listing_of_refs(model: &Model, ink: &Ink<'_>) -> (String, Role) {
    match &model.refs {
        Remote::Loading { .. } => (format!("{} listing the refs", spinner(model, ink)), Role::Dim),
        Remote::Failed(why) => (format!("? refs: {}", why.reason), Role::Error),
        Remote::Ready(_) | Remote::Stale(_) => {
            let listed = model.refs_at.map(|at| format!("refs listed {} ago", model.clock.age(at)));
            (listed.unwrap_or_default(), Role::Dim)
        }
        Remote::Idle => (String::new(), Role::Dim),
    }
}

fn listing_of_branches(model: &Model, ink: &Ink<'_>) -> (String, Role) {
    match &model.pipeline.branches {
        Remote::Loading { .. } => (format!("{} asking the repository", spinner(model, ink)), Role::Dim),
        Remote::Failed(why) => (format!("? {}", why.reason), Role::Error),
        Remote::Ready(_) | Remote::Stale(_) => {
            (String::from("the branches that the registry lets it build"), Role::Dim)
        }
        Remote::Idle => (String::new(), Role::Dim),
    }
}

fn choice_row(model: &Model, choice: &Choice, width: u16) -> Row {
    let row = Row::default();
    let rest = width.saturating_sub(37);
    match choice {
        Choice::Environment(index) => {
            let Some(env) = model.environments.get(*index) else { return row };
            row.piece(3, 5, "env", Role::Dim).piece(9, 26, &env.title, Role::Strong).flow(36, width, facts(env))
        }
        Choice::OwnRef => row.piece(3, 5, "ref", Role::Dim).piece(9, 26, "its own", Role::Strong).piece(
            36,
            rest,
            "as the project says",
            Role::Dim,
        ),
        Choice::Ref(info) => {
            let about = format!("{}  \"{}\"", text::short(&info.commit), info.subject);
            let age = format!("{} ago", model.clock.age(info.at));
            row.piece(3, 5, "ref", Role::Dim)
                .piece(9, 26, &info.name, Role::Strong)
                .piece(36, rest.saturating_sub(10), about, Role::Text)
                .piece(width.saturating_sub(9), 8, age, Role::Dim)
        }
        Choice::Branch(branch) => row.piece(3, width.saturating_sub(4), branch, Role::Strong),
        Choice::Typed(text) => {
            row.piece(3, 5, "ref", Role::Dim).piece(9, 26, text, Role::Strong).piece(36, rest, "as typed", Role::Dim)
        }
    }
}

fn facts(env: &EnvState) -> Vec<(String, Role)> {
    let Some(info) = &env.info else { return Vec::new() };
    let profile = info.profile.as_ref().map(|profile| format!("profile {profile}")).unwrap_or_default();
    vec![
        (String::from(info.protection.word()), Role::Text),
        (profile, Role::Dim),
        (info.region.clone().unwrap_or_default(), Role::Dim),
    ]
}
