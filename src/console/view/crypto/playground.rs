//! The playground: what is typed, what is done with it, and what came of it.

use ratatui::layout::Rect;
use zeroize::Zeroizing;

use super::super::ink::Ink;
use super::{head, is_open};
use crate::console::model::Model;
use crate::console::page::crypto::{Field, Outcome, Part, State, took};
use crate::console::text;
use crate::console::theme::Role;
use crate::ops::crypto::play::{Form, Played, bytes};

/// Where values begin.
const VALUE: u16 = 17;

/// The most lines of a ciphertext: it is copied, and not read.
const CIPHERTEXT: usize = 4;

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, spin: &str) {
    let state = &model.crypto;
    let facts = if is_open(area) { Vec::new() } else { vec![(summary(state, ink), Role::Dim)] };
    head(ink, model, area, Part::Playground, "PLAYGROUND", facts);
    if !is_open(area) {
        return;
    }
    for (y, field) in (area.y + 1..area.bottom()).zip(Field::ALL) {
        let line = Rect { y, height: 1, ..area };
        draw_field(ink, state, line, field);
        if state.field == field {
            ink.select(line, state.part == Part::Playground);
        }
    }
    let top = area.y + 2 + u16::try_from(Field::ALL.len()).unwrap_or(3);
    let below = Rect { y: top, height: area.bottom().saturating_sub(top), ..area };
    draw_outcome(ink, model, below, spin);
}

/// What is there, where there is no room for more.
fn summary(state: &State, ink: &Ink<'_>) -> String {
    match (&state.outcome, state.text(Field::Input)) {
        (Some(Outcome::Refused(_)), _) => String::from("! not sent"),
        (Some(Outcome::Failed(_)), _) => String::from("! refused"),
        (Some(Outcome::Done(played)), _) => done(played).0,
        (None, "") => String::from("encrypt, decrypt, rewrap; nothing is kept"),
        (None, input) => masked(input, ink),
    }
}

fn masked(value: &str, ink: &Ink<'_>) -> String {
    format!("{} {} characters", ink.symbols().mask, value.chars().count())
}

fn draw_field(ink: &mut Ink<'_>, state: &State, line: Rect, field: Field) {
    let (x, room) = (line.x + VALUE, line.width.saturating_sub(VALUE + 2));
    let label = match field {
        Field::Input => format!("input {}", state.form.word()),
        Field::Context => String::from("context"),
        Field::Version => String::from("key version"),
    };
    ink.put(line.x + 3, line.y, VALUE - 4, &label, Role::Dim);
    let value = state.text(field);
    if state.editing && state.field == field {
        let tail = tail(value, usize::from(room));
        let shown = text::fit_end(&tail, usize::from(room.saturating_sub(1)), ink.symbols().ellipsis);
        let after = ink.put(x, line.y, room, &shown, Role::Input);
        ink.put(after, line.y, 1, ink.symbols().caret, Role::Key);
        return;
    }
    let (shown, role) = match (field, value) {
        (Field::Input, "") => (String::from("empty: enter types it"), Role::Dim),
        (Field::Context, "") => (String::from("none: tenant=acme, order=4711"), Role::Dim),
        (Field::Version, "") => (String::from("latest"), Role::Dim),
        (Field::Input, value) if state.shown_until.is_some() => (front(value, usize::from(room)), Role::Revealed),
        (Field::Input, value) if !state.is_ciphertext() => (masked(value, ink), Role::Mask),
        (_, value) => (front(value, usize::from(room)), Role::Text),
    };
    let shown = Zeroizing::new(shown);
    ink.put(x, line.y, room, &shown, role);
}

/// So much of a long text as can be seen: no character is wider than this is generous.
fn front(text: &str, room: usize) -> String {
    text.chars().take(room.saturating_mul(4)).collect()
}

fn tail(text: &str, room: usize) -> Zeroizing<String> {
    let skip = text.chars().count().saturating_sub(room.saturating_mul(4));
    Zeroizing::new(text.chars().skip(skip).collect())
}

/// What came of it in a few words.
fn done(played: &Played) -> (String, Role) {
    let (version, time) = (played.key_version, took(played.took));
    match (played.same, played.previous, &played.ciphertext) {
        (Some(true), ..) => (format!("= came back as it was, key {version}, {time}"), Role::InSync),
        (Some(false), ..) => (format!("! came back as something else, key {version}, {time}"), Role::Diverged),
        (None, Some(before), _) => (format!("= rewrapped, key {before} to {version}, {time}"), Role::InSync),
        (None, None, Some(_)) => (format!("= encrypted, key {version}, {time}"), Role::InSync),
        (None, None, None) => (format!("= decrypted, key {version}, {time}"), Role::InSync),
    }
}

fn draw_outcome(ink: &mut Ink<'_>, model: &Model, area: Rect, spin: &str) {
    let state = &model.crypto;
    let room = usize::from(area.width.saturating_sub(5));
    let lines = |text: &str, role: Role| text::wrap(text, room).into_iter().map(move |line| (line, role));
    let told: Vec<(String, Role)> = match (&state.playing, &state.outcome) {
        (Some(job), _) => {
            let seconds = (model.clock.now - job.since).max(0) / 1000;
            vec![(format!("{spin} {} {seconds} s, esc cancels", state.doing), Role::Notice)]
        }
        (None, Some(Outcome::Refused(why))) => lines(&format!("! not sent: {why}"), Role::Error).collect(),
        (None, Some(Outcome::Failed(why))) => {
            let hint = why.hint.iter().flat_map(|hint| lines(&format!("try: {hint}"), Role::Dim));
            lines(&format!("! {}", why.reason), Role::Error).chain(hint).collect()
        }
        (None, Some(Outcome::Done(played))) => return draw_done(ink, state, played, area),
        (None, None) => lines(
            "what is typed goes to this environment's API and nowhere else, and is wiped when you leave",
            Role::Dim,
        )
        .collect(),
    };
    for (y, (line, role)) in (area.y..area.bottom()).zip(told) {
        ink.put(area.x + 3, y, area.width.saturating_sub(4), &line, role);
    }
}

fn draw_done(ink: &mut Ink<'_>, state: &State, played: &Played, area: Rect) {
    let (said, role) = done(played);
    ink.put(area.x + 3, area.y, area.width.saturating_sub(4), &said, role);
    let mut y = area.y + 1;
    let room = usize::from(area.width.saturating_sub(VALUE + 2)).max(1);
    let mut value = |ink: &mut Ink<'_>, label: &str, lines: Vec<String>, role: Role, most: usize| {
        let cut = lines.len() > most;
        let lines = Zeroizing::new(lines);
        for (at, line) in lines
            .iter()
            .take(most)
            .enumerate()
            .take_while(|(at, _)| y + u16::try_from(*at).unwrap_or(u16::MAX) < area.bottom())
        {
            let y = y + u16::try_from(at).unwrap_or(0);
            if at == 0 {
                ink.put(area.x + 3, y, VALUE - 4, label, Role::Dim);
            }
            let after = ink.put(area.x + VALUE, y, u16::try_from(room).unwrap_or(u16::MAX), line, role);
            if cut && at + 1 == most {
                ink.put(after.min(area.right().saturating_sub(2)), y, 1, ink.symbols().ellipsis, Role::Notice);
            }
        }
        y = y.saturating_add(u16::try_from(lines.len().min(most)).unwrap_or(u16::MAX));
    };
    if let Some(ciphertext) = &played.ciphertext {
        let letters: Vec<char> = ciphertext.chars().collect();
        let lines = letters.chunks(room).map(|line| line.iter().collect()).collect();
        let most = usize::from(area.height / 3).clamp(1, CIPHERTEXT);
        value(ink, "ciphertext", lines, Role::Text, most);
    }
    let Some(plain) = played.plain.as_ref().and_then(bytes) else { return };
    let label = format!("message {}", state.shown_as.word());
    if state.shown_until.is_none() {
        let text = format!("{} {} bytes, v shows them", ink.symbols().mask, plain.len());
        return value(ink, &label, vec![text], Role::Mask, 1);
    }
    // What there is no room for is not made.
    let seen = room.saturating_mul(usize::from(area.height).max(1));
    let part = plain.get(..seen).unwrap_or(&plain);
    let whole = state.shown_as == Form::Text && part.len() < plain.len();
    let shown = state.shown_as.show(if whole { &plain } else { part });
    match shown {
        None => value(ink, &label, vec![format!("{} bytes that are no UTF-8: b", plain.len())], Role::Notice, 1),
        Some(shown) if shown.is_empty() => value(ink, &label, vec![String::from("empty")], Role::Dim, 1),
        Some(shown) => {
            let front = Zeroizing::new(front(&shown, seen));
            value(ink, &label, text::wrap(&front, room), Role::Revealed, usize::from(area.height));
        }
    }
}
