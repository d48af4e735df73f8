//! Keys and values as other programs take them: JSON, YAML, dotenv, a shell's exports, the environment.

use std::collections::BTreeMap;

use crate::compare::Why;
use crate::secret::Secret;

/// Values by key.
pub type Values = BTreeMap<String, Secret>;

/// The variable of each key: `db/pool` is `DB_POOL`. Refused where two keys would be one, or a value holds what no
/// variable can.
pub fn variables(values: &Values) -> Result<Vec<(String, Secret)>, Why> {
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for (key, value) in values {
        let name = variable(key);
        if value.expose().contains('\0') {
            return Err(Why::new(format!("{key} holds a zero byte, which no environment variable can")));
        }
        if let Some(other) = taken.insert(name.clone(), key) {
            return Err(Why::new(format!("{other} and {key} would both be the variable {name}"))
                .hint("--output json has them apart"));
        }
    }
    Ok(values.iter().map(|(key, value)| (variable(key), value.clone())).collect())
}

/// The variable for a key.
pub(super) fn variable(key: &str) -> String {
    let mut name: String =
        key.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    if !name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        name.insert(0, '_');
    }
    name
}

/// One JSON object, a text for each key: what chamber exports, too.
#[must_use]
pub fn json(values: &Values) -> Secret {
    let lines: Vec<Secret> = values.iter().map(|(key, value)| pair(key, value, "  ")).collect();
    let lines: Vec<&str> = lines.iter().map(Secret::expose).collect();
    Secret::new(if lines.is_empty() { "{}\n".to_owned() } else { format!("{{\n{}\n}}\n", lines.join(",\n")) })
}

/// YAML: a text for each key, in the quotes that JSON has, which YAML reads as well.
#[must_use]
pub fn yaml(values: &Values) -> Secret {
    let lines: Vec<Secret> = values.iter().map(|(key, value)| pair(key, value, "")).collect();
    let lines: Vec<&str> = lines.iter().map(Secret::expose).collect();
    Secret::new(if lines.is_empty() { "{}\n".to_owned() } else { format!("{}\n", lines.join("\n")) })
}

fn pair(key: &str, value: &Secret, indent: &str) -> Secret {
    Secret::new(format!("{indent}{}: {}", serde_json::json!(key), serde_json::json!(value.expose())))
}

/// Lines of `NAME=value`, quoted where they have to be.
pub fn dotenv(values: &Values) -> Result<Secret, Why> {
    let lines = variables(values)?.into_iter().map(|(name, value)| format!("{name}={}\n", quoted(value.expose())));
    Ok(Secret::new(lines.collect::<String>()))
}

/// Lines of `export NAME='value'`, for `eval`.
pub fn shell(values: &Values) -> Result<Secret, Why> {
    let lines = variables(values)?
        .into_iter()
        .map(|(name, value)| format!("export {name}='{}'\n", value.expose().replace('\'', "'\\''")));
    Ok(Secret::new(lines.collect::<String>()))
}

fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    if value.chars().all(plain) {
        return value.to_owned();
    }
    if !value.contains(['\'', '\n', '\r']) {
        return format!("'{value}'");
    }
    let mut text = String::with_capacity(value.len() + 8);
    text.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' | '$' | '`' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

/// Reads what [`dotenv`] writes, and what is usual beside it: comments, `export`, quotes. Errors tell the line alone.
pub(super) fn read_dotenv(text: &str) -> Result<Values, Why> {
    let mut values = Values::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    while !rest.is_empty() {
        let line = 1 + text[..text.len() - rest.len()].matches('\n').count();
        let wrong = |why: &str| Why::new(format!("line {line} of the input: {why}"));
        let (first, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let trimmed = first.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            rest = after;
            continue;
        }
        let (name, _) = first.split_once('=').ok_or_else(|| wrong("there is no `=`"))?;
        let value = &rest[name.len() + 1..];
        let name = name.trim();
        let name = name.strip_prefix("export ").unwrap_or(name).trim();
        if name.is_empty() {
            return Err(wrong("there is no name before the `=`"));
        }
        let start = value.trim_start_matches([' ', '\t']);
        let (value, after) = if let Some(quote @ ('\'' | '"')) = start.chars().next() {
            unquote(&start[1..], quote).ok_or_else(|| wrong("its quotes do not end"))?
        } else {
            let bare = start.split('\n').next().unwrap_or_default();
            let end = bare.find(" #").unwrap_or(bare.len());
            (Secret::new(bare[..end].trim_end()), &start[bare.len()..])
        };
        let (behind, after) = after.split_once('\n').unwrap_or((after, ""));
        if !(behind.trim().is_empty() || behind.trim_start().starts_with('#')) {
            return Err(wrong("there is something behind the value's quotes"));
        }
        if values.insert(name.to_owned(), value).is_some() {
            return Err(wrong(&format!("{name} is there twice")));
        }
        rest = after;
    }
    Ok(values)
}

/// A quoted value, and what comes behind it.
fn unquote(text: &str, quote: char) -> Option<(Secret, &str)> {
    let mut value = String::with_capacity(text.len());
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Some((Secret::new(value), &text[at + 1..])),
            '\\' if quote == '"' => match chars.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                c @ ('"' | '\\' | '$' | '`' | '\'') => value.push(c),
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const ODD: [&str; 9] =
        ["", "plain", "two words", "it's", "a\nb", "say \"hi\" $HOME `id` \\n", "# no comment", "a=b", "grüße 😀"];

    fn values() -> Values {
        ODD.iter().enumerate().map(|(at, value)| (format!("key{at}"), Secret::new(*value))).collect()
    }

    #[test]
    fn what_dotenv_writes_it_reads() {
        let text = dotenv(&values()).unwrap();
        let read = read_dotenv(text.expose()).unwrap();
        let expected: Values = values().into_iter().map(|(key, value)| (key.to_uppercase(), value)).collect();
        assert_eq!(read, expected);
        let text = "# a comment\n\nexport A=1 # behind\nB = 'x' # y\nC=\"a\nb\"\nD=\n";
        let read = read_dotenv(text).unwrap();
        let found: Vec<_> = read.iter().map(|(key, value)| (key.as_str(), value.expose())).collect();
        assert_eq!(found, [("A", "1"), ("B", "x"), ("C", "a\nb"), ("D", "")]);
        for wrong in ["A", "=1", "A='x", "A=1\nA=2", "A='x'y"] {
            assert!(read_dotenv(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_shell_reads_every_value_as_it_is() {
        let script = format!(
            "{}printf '%s\\0' \"$KEY0\" \"$KEY1\" \"$KEY2\" \"$KEY3\" \"$KEY4\" \"$KEY5\" \"$KEY6\" \"$KEY7\" \"$KEY8\"",
            shell(&values()).unwrap().expose()
        );
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        let read = String::from_utf8(output.stdout).unwrap();
        assert_eq!(read.split_terminator('\0').collect::<Vec<_>>(), ODD);
    }

    #[test]
    fn json_and_yaml_are_both() {
        for text in [json(&values()), yaml(&values())] {
            let text = if text.expose().starts_with('{') {
                text
            } else {
                Secret::new(format!("{{{}}}", text.expose().trim_end().replace('\n', ",")))
            };
            let read: BTreeMap<String, String> = serde_json::from_str(text.expose()).unwrap();
            assert_eq!(read.values().map(String::as_str).collect::<Vec<_>>(), ODD);
        }
        assert_eq!(json(&Values::new()).expose(), "{}\n");
    }

    #[test]
    fn keys_that_would_be_one_variable_are_refused() {
        let two: Values = [("db/pool", "1"), ("db-pool", "2")].map(|(k, v)| (k.to_owned(), Secret::new(v))).into();
        assert!(variables(&two).unwrap_err().reason.contains("DB_POOL"));
        assert_eq!(variable("3d"), "_3D");
    }
}
