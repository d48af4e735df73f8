//! Two environments side by side, key by key, masked; what is taken; and the commit that came of it.

use ratatui::layout::Rect;

use crate::console::action::Action;
use crate::console::layout::scrolled;
use crate::console::model::Model;
use crate::console::overlay::{Compared, Promote, PromoteRow, Promoting};
use crate::console::text;
use crate::console::theme::Role;
use crate::console::view::facet;
use crate::console::view::header::spinner;
use crate::console::view::ink::{Ink, Row};
use crate::ops::promote::{Promoted, State};

/// Lines below the list: a rule, all of the selected row, and what is to be done.
const FOOT: u16 = 4;

/// Draws the comparison over the page; returns how many rows there are below what is seen.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, promote: &Promote) -> usize {
    ink.fill(area, Role::Text);
    let title = format!("{} -> {}", promote.from, promote.to);
    let head = [(String::from("PROMOTE"), Role::Heading), (title, Role::Strong)];
    ink.row(area, &Row::default().flow(1, area.width, head).ruled());
    let room = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let seconds = (model.clock.now - promote.job.since).max(0) / 1000;
    match &promote.stage {
        Promoting::Reading => {
            let text = format!("{} comparing, {seconds} s; nothing is written   esc cancels", spinner(model, ink));
            say(ink, room, &[(text, Role::Dim)]);
            0
        }
        Promoting::Failed(why) => {
            let hint = why.hint.as_ref().map(|hint| format!("  try: {hint}")).unwrap_or_default();
            say(ink, room, &[(format!("! {}{hint}", why.reason), Role::Error)]);
            0
        }
        Promoting::Done(done) => {
            say(ink, room, &told(model, promote, done));
            0
        }
        Promoting::Ready(compared) | Promoting::Committing(compared) => {
            let committing = matches!(promote.stage, Promoting::Committing(_));
            table(ink, model, room, promote, compared, committing)
        }
    }
}

/// Sentences, each over as many lines as it takes.
fn say(ink: &mut Ink<'_>, room: Rect, sentences: &[(String, Role)]) -> u16 {
    let width = room.width.saturating_sub(4);
    let mut y = room.y;
    for (sentence, role) in sentences {
        for line in text::wrap(sentence, usize::from(width)) {
            if y < room.bottom() {
                ink.put(room.x + 3, y, width, &line, *role);
                y += 1;
            }
        }
    }
    y
}

/// What was committed, and the commands that hand it on.
fn told(model: &Model, promote: &Promote, done: &Promoted) -> Vec<(String, Role)> {
    let count = if done.keys.len() == 1 { String::from("1 value") } else { format!("{} values", done.keys.len()) };
    let short = text::short(&done.commit);
    let mut told = vec![
        (format!("= {count} committed as {short} on the new branch {}", done.branch), Role::InSync),
        (format!("i in {}", done.files.join(", ")), Role::Text),
        (
            format!("i nothing live is changed: what is merged is pushed by {}", model.keymap.key(Action::Push)),
            Role::Text,
        ),
        (String::new(), Role::Text),
        (format!("git push -u origin {}", done.branch), Role::Strong),
    ];
    let remotes = model.environment().info.iter().flat_map(|info| &info.remotes);
    let is_github = remotes.into_iter().any(|(_, url)| url.contains("github"));
    if is_github {
        // The branch that the target follows is where it is to be merged.
        let to = model.environments.iter().find(|env| env.project() == promote.project && env.name() == promote.to);
        let reference = to.and_then(|env| env.commit.value()).map(|commit| commit.reference.clone());
        let base =
            reference.and_then(|reference| reference.strip_prefix("origin/").map(|base| format!(" --base {base}")));
        told.push((format!("gh pr create --head {}{} --fill", done.branch, base.unwrap_or_default()), Role::Strong));
    }
    told
}

fn table(
    ink: &mut Ink<'_>,
    model: &Model,
    room: Rect,
    promote: &Promote,
    compared: &Compared,
    committing: bool,
) -> usize {
    let side = |(reference, commit): &(String, String)| format!("{reference} {}", text::short(commit));
    let same = compared.rows.iter().filter(|row| row.state == State::Same).count();
    let mut facts = vec![
        (format!("from  {}  {}", promote.from, side(&compared.from)), Role::Text),
        (
            format!("to    {}  {}   {same} same, {} not", promote.to, side(&compared.to), compared.rows.len() - same),
            Role::Text,
        ),
    ];
    if compared.reaches.len() > 1 {
        facts.push((format!("! this layer reaches {}", compared.reaches.join(", ")), Role::Diverged));
    }
    let problem = |(file, why): &(String, crate::compare::Why)| {
        (format!("? {file}: nothing can be promoted into it: {}", why.reason), Role::Unknown)
    };
    facts.extend(compared.problems.iter().take(2).map(problem));
    let y = say(ink, Rect { height: room.height.saturating_sub(FOOT + 1), ..room }, &facts) + 1;
    let foot = room.bottom().saturating_sub(FOOT);
    let list = Rect { y, height: foot.saturating_sub(y), ..room };
    let rows = promote.rows();
    let offset = scrolled(0, promote.line, rows.len(), usize::from(list.height));
    if rows.is_empty() {
        ink.put(list.x + 3, list.y, list.width.saturating_sub(4), "= all of it is the same", Role::InSync);
    }
    for (y, (index, row)) in (list.y..list.bottom()).zip(rows.iter().enumerate().skip(offset)) {
        let mut line = line(model, row, promote.chosen.contains(&row.key), list.width);
        line.selected = index == promote.line;
        ink.row(Rect { y, height: 1, ..list }, &line);
    }
    ink.rule(room.x, foot, room.width);
    let mut below: Vec<(String, Role)> = Vec::new();
    if let Some(row) = rows.get(promote.line) {
        let overridden = match row.overridden.as_slice() {
            [] => String::new(),
            names => format!("   not in {}", names.join(", ")),
        };
        below.push((format!("{}   {}{overridden}", row.key, row.file), Role::Text));
    }
    let count = promote.chosen.len();
    let counted = if count == 1 { String::from("1 value") } else { format!("{count} values") };
    below.push(match (committing, count) {
        (true, _) => (format!("{} committing {counted}", spinner(model, ink)), Role::Notice),
        (false, 0) => (String::from("space takes a value; nothing live is changed by it"), Role::Dim),
        (false, _) => {
            let key = model.keymap.key(Action::Commit);
            (format!("{key} commits {counted} to the new branch {}", compared.branch), Role::Strong)
        }
    });
    say(ink, Rect { y: foot + 1, height: FOOT - 1, ..room }, &below);
    rows.len().saturating_sub(offset + usize::from(list.height))
}

fn line(model: &Model, row: &PromoteRow, taken: bool, width: u16) -> Row {
    let (mark, role) = match (row.can_be_taken(), taken) {
        (true, true) => ("[x]", Role::Key),
        (true, false) => ("[ ]", Role::Text),
        (false, _) => ("   ", Role::Dim),
    };
    let state = match row.state {
        State::Different => Role::Differs,
        State::OnlyHere => Role::Pending,
        State::Unknown => Role::Unknown,
        State::Same | State::OnlyThere => Role::Dim,
    };
    let key = width.saturating_sub(18) * 2 / 5;
    let only = row.only.map(|only| only.to_string()).unwrap_or_default();
    let values =
        [(facet::masked(model, &row.from), Role::Mask), (facet::masked(model, &row.to), Role::Mask), (only, Role::Dim)];
    Row::default()
        .piece(3, 3, mark, role)
        .piece(7, 10, row.state.word(), state)
        .piece(18, key, row.key.clone(), Role::Strong)
        .flow(20 + key, width.saturating_sub(1), values)
}
