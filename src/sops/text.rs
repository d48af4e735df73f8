//! What every text store needs: bytes that are UTF-8, and the place of a mistake.

use super::error::Error;

/// The bytes as text, or where they are none.
pub(super) fn utf8<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, Error> {
    std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        syntax(name, &good, error.valid_up_to(), "a byte that is not UTF-8".to_owned())
    })
}

/// A mistake at a byte of a text.
pub(super) fn syntax(name: &str, text: &str, at: usize, why: String) -> Error {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Error::Syntax {
        name: name.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        why,
    }
}
