//! The change list: before and after, the files that it makes, the message of its commit, and what came of that.

use ratatui::layout::Rect;

use super::value;
use crate::compare::Why;
use crate::console::layout::scrolled;
use crate::console::model::Model;
use crate::console::overlay::{Changes, Part};
use crate::console::remote::Remote;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::view::header::spinner;
use crate::console::view::ink::{Ink, Row};
use crate::ops::config::changes::{Change, Committed, Preview, Standing};

/// Draws the list over the page; returns how many lines there are below what is seen.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, list: &Changes) -> usize {
    ink.fill(area, Role::Text);
    let project = model.environments.get(list.environment).map(|env| env.project().to_owned()).unwrap_or_default();
    let changes = model.changes.of(&project);
    let title = if matches!(list.part, Part::Diff(_)) { "CHANGES, THE FILES" } else { "CHANGES" };
    let count = format!("{} pending, nothing of it is in git or live", changes.len());
    let head = [(title.to_owned(), Role::Heading), (project.clone(), Role::Strong), (count, Role::Dim)];
    ink.row(area, &Row::default().flow(1, area.width, head).ruled());
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    if let Part::Done(done) = &list.part {
        ink.rows(below, &finished(done, area.width), 0);
        return 0;
    }
    let foot = foot(ink, model, list, area.width);
    let height = u16::try_from(foot.len()).unwrap_or(0).min(below.height.saturating_sub(3));
    let room = Rect { height: below.height.saturating_sub(height), ..below };
    ink.rows(Rect { y: room.bottom(), height, ..room }, &foot, 0);
    if let Some(why) = model.changes.why(&project) {
        ink.rows(room, &told(why, area.width), 0);
        return 0;
    }
    if let Part::Diff(first) = list.part {
        let rows = list.preview.value().map(|preview| diff(preview, area.width)).unwrap_or_default();
        let first = first.min(rows.len().saturating_sub(usize::from(room.height)));
        ink.rows(room, &rows, first);
        return rows.len().saturating_sub(first + usize::from(room.height));
    }
    let rows = entries(model, list, changes, area.width);
    // Each change takes two lines.
    let line = (list.line * 2 + 1).min(rows.len().saturating_sub(1));
    let first = scrolled(0, line, rows.len(), usize::from(room.height));
    ink.rows(room, &rows, first);
    rows.len().saturating_sub(first + usize::from(room.height))
}

fn entries(model: &Model, list: &Changes, changes: &[Change], width: u16) -> Vec<Row> {
    if changes.is_empty() {
        let text = "nothing is pending: e edits a value, a adds a key, - removes one";
        return vec![Row::default().piece(3, width.saturating_sub(4), text, Role::Dim)];
    }
    let shown = list.shown.is_some();
    let mut rows = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        let (sign, role) = match change.verb() {
            "add" => ("+ add", Role::GitOnly),
            "remove" => ("- remove", Role::Drifted),
            _ => ("~ change", Role::Pending),
        };
        let standing = list.preview.value().and_then(|preview| preview.standings.get(at)).copied();
        let (note, mark) = match standing {
            Some(Standing::Moved) => ("HEAD says something else by now", Role::Error),
            Some(Standing::Done) => ("HEAD says so already", Role::Dim),
            Some(Standing::Unknown) => ("its document cannot be opened", Role::Error),
            Some(Standing::Fresh) | None => ("", Role::Dim),
        };
        let place = &change.place;
        let key = place.key();
        let pieces = [
            (key, Role::Strong),
            (format!("{} in {}", place.service, place.layer), Role::Text),
            (note.to_owned(), mark),
        ];
        let mut row = Row::default().piece(3, 9, sign, role).flow(13, width, pieces);
        row.selected = at == list.line && !matches!(list.part, Part::Message(_) | Part::Committing(_));
        rows.push(row);
        let (before, before_role) = value::told(model, change.before.as_ref(), shown);
        let (after, after_role) = value::told(model, change.after.as_ref(), shown);
        let half = width.saturating_sub(18) / 2;
        let before = text::fit(&before, usize::from(half), "…").into_owned();
        let pieces = [(before, before_role), (String::from("->"), Role::Dim), (after, after_role)];
        rows.push(Row::default().flow(13, width, pieces));
    }
    rows
}

fn diff(preview: &Preview, width: u16) -> Vec<Row> {
    let mut rows = Vec::new();
    for (file, made) in &preview.files {
        match made {
            Ok(made) => {
                let lines = if made.changed == 1 { "line" } else { "lines" };
                let what = match (made.new, made.gone) {
                    (true, _) => String::from("a new file"),
                    (_, true) => String::from("is removed"),
                    _ => format!("{} {lines} differ", made.changed),
                };
                rows.push(Row::default().flow(1, width, [(file.clone(), Role::Strong), (what, Role::Dim)]));
                for line in &made.lines {
                    let role = match line.sign {
                        '+' => Role::Added,
                        '-' => Role::Removed,
                        _ => Role::Dim,
                    };
                    let text = format!("{} {}", line.sign, line.text.trim_end());
                    rows.push(Row::default().piece(3, width.saturating_sub(4), text, role));
                }
            }
            Err(why) => {
                rows.push(Row::default().flow(1, width, [(file.clone(), Role::Strong)]));
                rows.extend(told(why, width));
            }
        }
        rows.push(Row::default());
    }
    rows
}

/// The message of the commit, what is wrong, and where it goes.
fn foot(ink: &Ink<'_>, model: &Model, list: &Changes, width: u16) -> Vec<Row> {
    let room = width.saturating_sub(4);
    let mut rows = vec![Row::default().ruled()];
    let wrapped = |text: &str, role: Role| {
        let lines = text::wrap(text, usize::from(room)).into_iter();
        lines.map(|line| Row::default().piece(3, room, line, role)).collect::<Vec<_>>()
    };
    match &list.part {
        Part::Message(message) => {
            let end = text::fit_end(message, usize::from(room.saturating_sub(12)), ink.symbols().ellipsis);
            let text = format!("{end}{}", ink.symbols().caret);
            rows.push(Row::default().piece(3, 8, "message", Role::Heading).piece(12, room, text, Role::Input));
        }
        Part::Committing(_) => {
            let text = format!("{} git is at it", spinner(model, ink));
            rows.push(Row::default().piece(3, room, text, Role::Notice));
        }
        Part::List | Part::Diff(_) | Part::Done(_) => {}
    }
    rows.extend(list.refused.iter().flat_map(|why| told(why, width)));
    match &list.preview {
        Remote::Loading { .. } | Remote::Idle => {
            let text = format!("{} working out the files", spinner(model, ink));
            rows.push(Row::default().piece(3, room, text, Role::Dim));
        }
        Remote::Failed(why) => rows.extend(told(why, width)),
        Remote::Ready(preview) | Remote::Stale(preview) => match (&preview.branch, &preview.aside) {
            (Err(why), _) => rows.extend(told(why, width)),
            (Ok(branch), None) => rows.extend(wrapped(&format!("commits on {branch}"), Role::Text)),
            (Ok(_), Some((name, why))) => {
                rows.extend(wrapped(&format!("commits on a new branch, {name}: {why}"), Role::Text));
            }
        },
    }
    rows
}

fn finished(done: &Committed, width: u16) -> Vec<Row> {
    let short = text::short(&done.commit);
    let pieces = [
        (String::from("= committed"), Role::InSync),
        (short, Role::Strong),
        (format!("on {}", done.branch), Role::Text),
    ];
    let mut rows = vec![Row::default().flow(3, width, pieces), Row::default()];
    let left = match done.left.len() {
        0 => String::from("the list is empty; nothing of it is live before it is pushed"),
        count => format!("{count} came meanwhile and are still in the list"),
    };
    rows.push(Row::default().piece(3, width.saturating_sub(4), left, Role::Dim));
    if !done.commands.is_empty() {
        rows.push(Row::default());
        rows.push(Row::default().piece(
            3,
            width.saturating_sub(4),
            "what brings it to where it is reviewed; y copies it",
            Role::Heading,
        ));
        let room = width.saturating_sub(6);
        for command in &done.commands {
            let lines = text::wrap(command, usize::from(room)).into_iter();
            rows.extend(lines.map(|line| Row::default().piece(5, room, line, Role::Strong)));
        }
    }
    rows
}

fn told(why: &Why, width: u16) -> Vec<Row> {
    let room = width.saturating_sub(4);
    let wrap = |text: &str, role| {
        let lines = text.lines().flat_map(|line| text::wrap(line, usize::from(room))).collect::<Vec<_>>();
        lines.into_iter().map(move |line| Row::default().piece(3, room, line, role))
    };
    let hint = why.hint.as_ref().map(|hint| format!("try: {hint}")).unwrap_or_default();
    wrap(&format!("! {}", why.reason), Role::Error).chain(wrap(&hint, Role::Text)).collect()
}
