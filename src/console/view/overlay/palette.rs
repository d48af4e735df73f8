//! The command palette.

use ratatui::layout::{Position, Rect};

use super::field::{self, Cut, Place};
use crate::compare::Kind;
use crate::console::command::{self, Verb};
use crate::console::fuzzy::Fuzzy;
use crate::console::model::Model;
use crate::console::overlay::{Palette, What, why_not};
use crate::console::text;
use crate::console::theme::Role;
use crate::console::update::own_disabled;
use crate::console::view::ink::{Ink, Row};

/// Where the names begin.
const NAME: u16 = 10;

/// One line, before its columns are known.
struct Line {
    kind: &'static str,
    name: String,
    note: String,
    role: Role,
    note_role: Role,
    /// Whether its end says more than its beginning.
    is_path: bool,
}

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, palette: &Palette) {
    let count = match palette.total {
        0 => String::new(),
        1 => String::from("1 find"),
        total => format!("{total} finds"),
    };
    let hint = "an action, environment, ref or item; or such as env prod, filter pool";
    let place = Place { title: "COMMANDS", text: &palette.text, hint };
    let list = field::draw(ink, area, &place, &count);
    let height = usize::from(list.height);
    let visible = || palette.found.iter().enumerate().skip(palette.first).take(height);
    let lines: Vec<Line> = visible().map(|(_, what)| line(model, what)).collect();
    let longest = lines.iter().map(|line| text::width(&line.name)).max().unwrap_or(0);
    let most = list.width.saturating_sub(NAME + 14);
    let room = u16::try_from(longest).unwrap_or(most).min(most);
    let mut fuzzy = Fuzzy::new(palette.sought());
    for ((y, (index, _)), line) in (list.y..list.bottom()).zip(visible()).zip(&lines) {
        let cut = Cut { room: usize::from(room), ellipsis: ink.symbols().ellipsis, end_says_most: line.is_path };
        let (name, places) = cut.of(&line.name, &fuzzy.places(&line.name));
        let row = Row::default().piece(3, 6, line.kind, Role::Dim);
        let mut row = field::marked(row, NAME, room, &name, &places, line.role);
        let at = NAME + room + 2;
        row = row.piece(at, list.width.saturating_sub(at + 1), &line.note, line.note_role);
        row.selected = index == palette.line;
        ink.row(Rect { y, height: 1, ..list }, &row);
    }
}

/// The find that is drawn at a place.
pub(in crate::console) fn find_at(room: Rect, palette: &Palette, here: Position) -> Option<usize> {
    let list = field::list(room);
    let at = palette.first + usize::from(here.y.checked_sub(list.y)?);
    (list.contains(here) && at < palette.found.len()).then_some(at)
}

fn line(model: &Model, what: &What) -> Line {
    let plain = |kind, name: String, note: String| Line {
        kind,
        name,
        note,
        role: Role::Text,
        note_role: Role::Dim,
        is_path: false,
    };
    match what {
        What::Action(action) => {
            let title = action.spec().title.to_owned();
            match why_not(model, *action) {
                Some(why) => {
                    Line { role: Role::Dim, note_role: Role::Notice, ..plain("do", title, format!("not now: {why}")) }
                }
                None => Line { note_role: Role::Key, ..plain("do", title, model.keymap.written(*action).join(" ")) },
            }
        }
        What::Own(index) => {
            let own = model.home.settings.actions.get(*index);
            let title = own.map(|(action, _)| action.title.clone()).unwrap_or_default();
            let key = own.and_then(|(_, key)| *key).map(|key| key.to_string()).unwrap_or_default();
            match own_disabled(model, *index) {
                Some(why) => {
                    Line { role: Role::Dim, note_role: Role::Notice, ..plain("own", title, format!("not now: {why}")) }
                }
                None => Line { note_role: Role::Key, ..plain("own", title, key) },
            }
        }
        What::Verb(name) => {
            let verb = Verb::named(name);
            let (written, title) = verb.map_or_else(Default::default, |verb| (verb.written(), verb.title));
            plain("give", written, title.to_owned())
        }
        What::Typed(typed) => {
            let line = plain("give", format!(":{typed}"), String::new());
            let title = || Verb::named(command::split(typed).0).map_or("", |verb| verb.title);
            match command::parse(typed) {
                Ok(_) => Line { role: Role::Strong, note: title().to_owned(), ..line },
                Err(why) => Line { role: Role::Dim, note: why, note_role: Role::Error, ..line },
            }
        }
        What::Environment(name) => {
            let here = model.environment().title == *name;
            let note = if here { "you are here" } else { "go there" };
            Line { role: Role::Strong, ..plain("env", name.clone(), note.to_owned()) }
        }
        What::Ref(name) => {
            let refs = model.refs.value().map_or(&[][..], Vec::as_slice);
            let about = refs.iter().find(|found| found.name == *name);
            let note = about.map(|found| format!("{}  \"{}\"", text::short(&found.commit), found.subject));
            plain("ref", name.clone(), note.unwrap_or_default())
        }
        What::Theme(name) => plain("theme", name.clone(), String::from("draw in it")),
        What::Item(id) => {
            let kind = match id.kind {
                Kind::Stack => "stack",
                Kind::Code => "code",
                Kind::Parameter => "param",
                Kind::Secret => "secret",
            };
            let line = Line { is_path: true, ..plain(kind, id.name.clone(), String::new()) };
            match model.environment().item(id) {
                Some(item) => {
                    let note = format!("{} {}", item.verdict.symbol(), item.verdict.word());
                    Line { note, note_role: Role::from(&item.verdict), ..line }
                }
                None => Line { role: Role::Dim, note: String::from("gone"), ..line },
            }
        }
    }
}
