//! Keys by name, to what a terminal sends for them.

/// Encodes words of keys: `j`, `gg`, `^d`, `<Enter>`, `<Space>`, `<Alt-x>`; blanks separate.
///
/// `application` is whether the program has asked for application cursor keys. Fails on an unknown name, and on a key
/// after `<Esc>`: the two would read as one with Alt held, and only the screen can tell when the first has been read.
pub(super) fn encode(keys: &str, application: bool) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut escaped = false;
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        if escaped {
            return Err("a key right after <Esc> reads as Alt: first wait for what <Esc> does".to_owned());
        }
        let (key, length) = next(rest, first, application)?;
        escaped = key == b"\x1b";
        bytes.extend(key);
        rest = &rest[length..];
    }
    Ok(bytes)
}

/// The first key's bytes, and how many bytes of `rest` name it.
fn next(rest: &str, first: char, application: bool) -> Result<(Vec<u8>, usize), String> {
    match first {
        '<' => {
            let end = rest.find('>').ok_or("`<` without `>`; the key itself is <Less>")?;
            Ok((named(&rest[1..end], application)?, end + 1))
        }
        '^' => {
            let letter = rest[1..].chars().next().ok_or("`^` without a letter; the key itself is <Caret>")?;
            Ok((vec![control(letter)?], 1 + letter.len_utf8()))
        }
        '⏎' => Ok((b"\r".to_vec(), first.len_utf8())),
        '⎋' => Ok((b"\x1b".to_vec(), first.len_utf8())),
        _ => Ok((first.to_string().into_bytes(), first.len_utf8())),
    }
}

fn control(letter: char) -> Result<u8, String> {
    let upper = letter.to_ascii_uppercase();
    match upper {
        '@'..='_' => Ok(u8::try_from(upper).map_err(|error| error.to_string())? & 0x1f),
        '?' => Ok(0x7f),
        _ => Err(format!("there is no control key {letter:?}")),
    }
}

fn named(name: &str, application: bool) -> Result<Vec<u8>, String> {
    if let Some(key) = name.strip_prefix("Alt-") {
        return Ok([b"\x1b", key.as_bytes()].concat());
    }
    let arrow = if application { "\x1bO" } else { "\x1b[" };
    let bytes = match name {
        "Enter" => "\r",
        "Esc" => "\x1b",
        "Tab" => "\t",
        "Backtab" => "\x1b[Z",
        "Space" => " ",
        "Backspace" => "\x7f",
        "Delete" => "\x1b[3~",
        "Insert" => "\x1b[2~",
        "PageUp" => "\x1b[5~",
        "PageDown" => "\x1b[6~",
        "F1" => "\x1bOP",
        "F2" => "\x1bOQ",
        "F5" => "\x1b[15~",
        "Less" => "<",
        "Caret" => "^",
        "Up" => return Ok(format!("{arrow}A").into_bytes()),
        "Down" => return Ok(format!("{arrow}B").into_bytes()),
        "Right" => return Ok(format!("{arrow}C").into_bytes()),
        "Left" => return Ok(format!("{arrow}D").into_bytes()),
        "Home" => return Ok(format!("{arrow}H").into_bytes()),
        "End" => return Ok(format!("{arrow}F").into_bytes()),
        _ => return Err(format!("there is no key <{name}>")),
    };
    Ok(bytes.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_a_terminal_sends() {
        let rows: [(&str, bool, &[u8]); 8] = [
            ("j", false, b"j"),
            ("3 /pool<Enter>", false, b"3/pool\r"),
            ("3 /pool⏎", false, b"3/pool\r"),
            ("a<Space>b", false, b"a b"),
            ("^d ^[", false, b"\x04\x1b"),
            ("<Up>", false, b"\x1b[A"),
            ("<Up>", true, b"\x1bOA"),
            ("<Alt-x> é <Less>", false, "\x1bxé<".as_bytes()),
        ];
        for (keys, application, bytes) in rows {
            assert_eq!(encode(keys, application).as_deref(), Ok(bytes), "{keys}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for keys in ["<Entre>", "<Enter", "^", "^é", "<Esc> j"] {
            assert!(encode(keys, false).is_err(), "{keys}");
        }
    }
}
