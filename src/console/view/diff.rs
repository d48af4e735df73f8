//! Git and live line by line: beside each other when there is room, else one below the other.

use ratatui::layout::Rect;

use super::ink::{Ink, Row};
use super::list::label;
use crate::console::diff::{DiffLine, of_selected};
use crate::console::layout::WIDE;
use crate::console::model::Model;
use crate::console::page::ItemId;
use crate::console::text;
use crate::console::theme::Role;

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect) {
    let Some(item) = model.shown() else {
        ink.rule(area.x, area.y, area.width);
        return;
    };
    let pieces = [(label(item).to_owned(), Role::Strong), (item.reason.clone(), Role::Text)];
    ink.row(area, &Row::default().flow(1, area.width.saturating_sub(1), pieces).ruled());
    let env = model.environment();
    let git = env.commit.value().map(|commit| format!("GIT {}", text::short(&commit.id)));
    let git = git.unwrap_or_else(|| String::from("GIT"));
    let live = env
        .times
        .of_item(&ItemId::of(item))
        .or(env.read_at)
        .map_or_else(|| String::from("LIVE"), |at| format!("LIVE {}", model.clock.moment(at)));
    let beside = area.width >= WIDE;
    let half = area.width / 2;
    let titles = if beside {
        Row::default().piece(3, half - 4, git, Role::Heading).piece(half + 3, half - 4, live, Role::Heading)
    } else {
        Row::default().flow(3, area.width, [(format!("- {git}"), Role::Removed), (format!("+ {live}"), Role::Added)])
    };
    ink.row(Rect { y: area.y + 1, ..area }, &titles);
    let room = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
    let comparison = of_selected(model);
    let rows: Vec<Row> = comparison.lines.iter().flat_map(|line| rows(line, area.width, beside)).collect();
    // Below each other a change takes two lines; the offset is that of the comparison's own lines.
    let before = comparison.lines.iter().take(model.list().scroll);
    let offset = before.map(|line| rows_of(line, beside)).sum();
    ink.rows(room, &rows, offset);
    if beside {
        let drawn = rows.len().saturating_sub(offset).min(usize::from(room.height));
        ink.bar(area.x + half, room.y, u16::try_from(drawn).unwrap_or(room.height));
    }
}

fn rows_of(line: &DiffLine, beside: bool) -> usize {
    match line {
        DiffLine::Changed(Some(_), Some(_)) if !beside => 2,
        _ => 1,
    }
}

fn rows(line: &DiffLine, width: u16, beside: bool) -> Vec<Row> {
    let full = width.saturating_sub(6);
    let half = width / 2;
    let room = half.saturating_sub(6);
    match line {
        DiffLine::Head(path) => vec![Row::default().flow(1, width, [(path.clone(), Role::Heading)])],
        DiffLine::Skipped(count) => {
            vec![Row::default().piece(5, full, format!("… {count} equal lines"), Role::Dim)]
        }
        DiffLine::Equal(text) if beside => {
            vec![Row::default().piece(5, room, text, Role::Text).piece(half + 5, room, text, Role::Text)]
        }
        DiffLine::Equal(text) => vec![Row::default().piece(5, full, text, Role::Text)],
        DiffLine::Changed(old, new) if beside => {
            let mut row = Row::default();
            if let Some(text) = old {
                row = row.piece(3, 1, "-", Role::Removed).piece(5, room, text, Role::Removed);
            }
            if let Some(text) = new {
                row = row.piece(half + 3, 1, "+", Role::Added).piece(half + 5, room, text, Role::Added);
            }
            vec![row]
        }
        DiffLine::Changed(old, new) => {
            let old = old.iter().map(|text| ("-", text, Role::Removed));
            let new = new.iter().map(|text| ("+", text, Role::Added));
            old.chain(new)
                .map(|(sign, text, role)| Row::default().piece(3, 1, sign, role).piece(5, full, text, role))
                .collect()
        }
    }
}
