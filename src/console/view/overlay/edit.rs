//! The field of a value: where it goes, what stands there, what it is to be, and whether that can be.

use ratatui::layout::Rect;

use super::value;
use crate::console::model::Model;
use crate::console::overlay::{Edit, Filling, Line};
use crate::console::text;
use crate::console::theme::Role;
use crate::console::view::header::spinner;
use crate::console::view::ink::{Ink, Row};
use crate::ops::config::changes::Verdict;

/// Where the facts begin.
const FACT: u16 = 12;

/// Draws the field over the page.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, edit: &Edit) {
    ink.fill(area, Role::Text);
    let head = [(edit.heading().to_owned(), Role::Heading), (edit.title.clone(), Role::Strong)];
    ink.row(area, &Row::default().flow(1, area.width, head).ruled());
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let width = area.width.saturating_sub(4);
    let rows = match (&edit.filling, edit.chosen()) {
        (Filling::Failed(why), _) => refusal(why, width),
        (Filling::Reading, _) | (_, None) => {
            let text = format!("{} reading what stands there", spinner(model, ink));
            vec![Row::default().piece(3, width, text, Role::Dim)]
        }
        (Filling::Ready | Filling::Keeping, Some(_)) => filled(ink, model, edit, area.width),
    };
    // Where there is no room for air, what is said of the value stands all the same.
    let tight = rows.len() > usize::from(below.height);
    let rows: Vec<Row> = rows.into_iter().filter(|row| !(tight && row.pieces.is_empty())).collect();
    ink.rows(below, &rows, 0);
}

fn refusal(why: &crate::compare::Why, width: u16) -> Vec<Row> {
    let hint = why.hint.as_ref().map(|hint| format!("  try: {hint}")).unwrap_or_default();
    let lines = text::wrap(&format!("! {}{hint}", why.reason), usize::from(width));
    lines.into_iter().map(|line| Row::default().piece(3, width, line, Role::Error)).collect()
}

fn filled(ink: &Ink<'_>, model: &Model, edit: &Edit, width: u16) -> Vec<Row> {
    let Some(shelf) = edit.chosen() else { return Vec::new() };
    let room = width.saturating_sub(FACT + 1);
    let shown = edit.shown.is_some();
    let mut rows = Vec::new();
    let choice = |line: Line, name: &'static str, text: &str, note: String| {
        let here = edit.line == line;
        let among = edit.lines().contains(&line);
        let role = if here {
            Role::Input
        } else if among {
            Role::Strong
        } else {
            Role::Text
        };
        let mut row = Row::default().piece(3, FACT - 4, name, Role::Heading);
        row = row.flow(FACT, width, [(text.to_owned(), role), (note, Role::Dim)]);
        row.selected = here;
        row
    };
    let keys = |keys: &str, line: Line| if edit.line == line { keys.to_owned() } else { String::new() };
    rows.push(choice(Line::Service, "service", &shelf.service, keys("up and down choose", Line::Service)));
    let reaches = if shelf.reaches.len() > 1 { format!("reaches {}", shelf.reaches.join(", ")) } else { String::new() };
    let note = [reaches, keys("up and down choose", Line::Layer)].into_iter().filter(|text| !text.is_empty());
    rows.push(choice(Line::Layer, "layer", &shelf.layer, note.collect::<Vec<_>>().join("   ")));
    let caret = |line: Line| if edit.line == line { ink.symbols().caret } else { "" };
    let key = format!("{}{}", edit.key(), if edit.lines().contains(&Line::Key) { caret(Line::Key) } else { "" });
    rows.push(choice(Line::Key, "key", &key, shelf.name_of(edit.key())));
    let new = if shelf.exists { "" } else { "a new file" };
    let on = edit.desk.as_ref().map(|desk| match &desk.branch {
        Ok(branch) => (format!("branch {branch}"), Role::Dim),
        Err(why) => (format!("! {}", why.reason), Role::Error),
    });
    let file = [(shelf.file.clone(), Role::Text), (new.to_owned(), Role::Notice)].into_iter().chain(on);
    rows.push(Row::default().piece(3, FACT - 4, "file", Role::Heading).flow(FACT, width, file));
    let others = edit.desk.iter().flat_map(|desk| desk.shelves.iter().enumerate());
    for (_, other) in others.filter(|(at, other)| *at != edit.shelf && other.service == shelf.service) {
        if let Ok(Some(standing)) = &other.standing {
            let told = format!("in {}", other.layer);
            let (text, role) = value::told(model, Some(standing), shown);
            let pieces = [(text, role), (other.file.clone(), Role::Dim)];
            rows.push(Row::default().piece(3, FACT - 4, told, Role::Heading).flow(FACT, width, pieces));
        }
    }
    let (before, role) = value::told(model, edit.before(), shown);
    rows.push(Row::default().piece(3, FACT - 4, "before", Role::Heading).piece(FACT, room, before, role));
    rows.push(Row::default());
    let typed = if shown { edit.value.expose().to_owned() } else { value::dots(&edit.value) };
    // The end of a long text is what is being typed.
    let typed = text::fit_end(&typed, usize::from(room.saturating_sub(26)), ink.symbols().ellipsis);
    let kind = if edit.json { "JSON" } else { "" };
    let count = match edit.value.chars() {
        1 => String::from("1 character"),
        count => format!("{count} characters"),
    };
    let note = [count, kind.to_owned()].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("  ");
    rows.push(choice(Line::Value, "value", &format!("{typed}{}", caret(Line::Value)), note));
    let length: usize = edit.length.parse().unwrap_or(0);
    let bits = format!("{} bits", edit.alphabet.bits(length.min(4096)));
    let made = format!("{}{} of {}", edit.length, caret(Line::Generate), edit.alphabet.word());
    rows.push(choice(
        Line::Generate,
        "generate",
        &made,
        format!("{bits}   {}", keys("enter makes it, up and down choose", Line::Generate)),
    ));
    rows.push(Row::default());
    rows.extend(judged(ink, model, edit, width.saturating_sub(4)));
    rows
}

fn judged(ink: &Ink<'_>, model: &Model, edit: &Edit, width: u16) -> Vec<Row> {
    if edit.filling == Filling::Keeping {
        let text = format!("{} taking it into the list", spinner(model, ink));
        return vec![Row::default().piece(3, width, text, Role::Notice)];
    }
    if let Some(why) = &edit.refused {
        return refusal(why, width);
    }
    let (text, role) = match edit.verdict() {
        Some(Verdict::Fine(text)) => (format!("= can be taken: {text}"), Role::InSync),
        Some(Verdict::Warned(text)) => (format!("! {text}"), Role::Notice),
        Some(Verdict::Refused(text)) => (format!("! {text}"), Role::Error),
        None => return Vec::new(),
    };
    text::wrap(&text, usize::from(width)).into_iter().map(|line| Row::default().piece(3, width, line, role)).collect()
}
