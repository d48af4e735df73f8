//! From what the terminal sends to what the console hears.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use crate::console::keymap::Key;
use crate::console::message::Message;
use crate::console::pointer::{Button, Mouse};

/// What an event means to the console; `None`: nothing.
pub(super) fn message(event: &Event) -> Option<Message> {
    match event {
        Event::Key(event) if event.kind != KeyEventKind::Release => key(*event).map(Message::Key),
        Event::Paste(text) => Some(Message::Paste(text.clone())),
        Event::Resize(width, height) => Some(Message::Resize(*width, *height)),
        Event::Mouse(event) => mouse(*event).map(Message::Mouse),
        Event::FocusGained => Some(Message::Focus(true)),
        Event::FocusLost => Some(Message::Focus(false)),
        Event::Key(_) => None,
    }
}

/// Other buttons are left alone: the middle one pastes, the right one is the terminal's.
fn mouse(event: MouseEvent) -> Option<Mouse> {
    let button = match event.kind {
        MouseEventKind::Down(MouseButton::Left) => Button::Press,
        MouseEventKind::Drag(MouseButton::Left) => Button::Drag,
        MouseEventKind::Up(MouseButton::Left) => Button::Release,
        MouseEventKind::ScrollDown => Button::WheelDown,
        MouseEventKind::ScrollUp => Button::WheelUp,
        _ => return None,
    };
    Some(Mouse { button, column: event.column, line: event.row })
}

fn key(event: KeyEvent) -> Option<Key> {
    let with = |modifier| event.modifiers.contains(modifier);
    Some(match event.code {
        KeyCode::Char(c) if with(KeyModifiers::CONTROL) => Key::Ctrl(c.to_ascii_lowercase()),
        KeyCode::Char(c) if with(KeyModifiers::ALT) => Key::Alt(c),
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::F(number) => Key::F(number),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab if with(KeyModifiers::SHIFT) => Key::BackTab,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        _ => return None,
    })
}
