//! What is about to be run, where, as whom, and what has to be typed for it.

use ratatui::layout::Rect;

use crate::console::links::quoted;
use crate::console::model::Model;
use crate::console::overlay::Run;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::view::header::caller;
use crate::console::view::ink::{Ink, Row};

/// Draws the question at the foot of the page, so that what it is about stays in sight.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, room: Rect, run: &Run) {
    let wide = room.width.saturating_sub(4);
    let line = run.command.argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    let most = usize::from(room.height.saturating_sub(6)).max(1);
    // Each line of the command is shown: what is cut off cannot be confirmed.
    let words = text::wrap(&text::clean(&line, false), usize::from(wide.saturating_sub(11)));
    let hidden = words.len().saturating_sub(most);
    let mut rows = vec![
        Row::default()
            .flow(1, room.width, [(String::from("RUN"), Role::Heading), (run.title.clone(), Role::Strong)])
            .ruled(),
    ];
    rows.push(Row::default().piece(3, 8, "where", Role::Heading).flow(13, room.width, place(model)));
    for (index, words) in words.into_iter().take(most).enumerate() {
        let title = if index == 0 { "command" } else { "" };
        rows.push(Row::default().piece(3, 8, title, Role::Heading).piece(13, wide, words, Role::Text));
    }
    if hidden > 0 {
        rows.push(Row::default().piece(13, wide, format!("+{hidden} lines"), Role::Notice));
    }
    rows.push(Row::default().piece(
        3,
        wide,
        "It may change what is live. Plumb does not know what it does.",
        Role::Notice,
    ));
    let asked = if run.wanted == "y" {
        String::from("Type y and enter to run it, or esc:")
    } else {
        format!("Type {} and enter to run it, or esc:", run.wanted)
    };
    let height = u16::try_from(rows.len() + 1).unwrap_or(room.height).min(room.height);
    let area = Rect { y: room.bottom().saturating_sub(height), height, ..room };
    ink.fill(area, Role::Text);
    ink.rows(area, &rows, 0);
    let y = area.bottom().saturating_sub(1);
    let x = ink.put(area.x + 3, y, wide, &asked, Role::Strong) + 1;
    let x = ink.put(x, y, area.width.saturating_sub(x + 2), &run.typed, Role::Input);
    ink.put(x, y, 1, ink.symbols().caret, Role::Key);
}

fn place(model: &Model) -> Vec<(String, Role)> {
    let env = model.environment();
    let mut place = vec![(env.name().to_owned(), Role::Strong)];
    if let Some(identity) = env.identity.value() {
        place.push((format!("account {}", identity.account), Role::Text));
        place.push((identity.region.clone(), Role::Text));
        place.push((caller(&identity.arn), Role::Text));
    }
    place
}
