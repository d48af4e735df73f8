//! What makes a single value of a configuration valid.

use super::near::nearest;
use super::pattern::{Pattern, PatternError, Placeholder};
use super::reader::Wrong;

type Checked = Result<(), Wrong>;

/// Anything but nothing.
pub(super) fn some(text: &str) -> Checked {
    if text.trim().is_empty() { Err(Wrong::new("is empty")) } else { Ok(()) }
}

/// A pattern with these placeholders only.
pub(super) fn pattern(allowed: &[Placeholder]) -> impl Fn(&str) -> Checked {
    move |text| {
        some(text)?;
        Pattern::parse_with(text, allowed).map(|_| ()).map_err(wrong_pattern)
    }
}

fn wrong_pattern(error: PatternError) -> Wrong {
    let wrong = Wrong::new(error.to_string());
    match error {
        PatternError::Unknown { nearest: Some(near), .. } => wrong.hint(format!("did you mean {{{near}}}?")),
        PatternError::Unknown { valid, .. } => {
            let valid: Vec<String> = valid.iter().map(|name| format!("{{{name}}}")).collect();
            wrong.hint(format!("valid here: {}", valid.join(", ")))
        }
        PatternError::Brace | PatternError::Adjacent(..) => wrong,
    }
}

/// A value in which other braces are the user's own; only a placeholder that was nearly written is wrong.
pub(super) fn free(allowed: &[Placeholder]) -> impl Fn(&str) -> Checked {
    move |text| {
        for inner in text.split('{').skip(1).filter_map(|from| from.split_once('}')).map(|(inner, _)| inner) {
            if allowed.iter().any(|hole| hole.name() == inner) {
                continue;
            }
            if let Some(near) = nearest(inner, allowed.iter().map(|hole| hole.name())) {
                return Err(
                    Wrong::new(format!("unknown placeholder {{{inner}}}")).hint(format!("did you mean {{{near}}}?"))
                );
            }
        }
        Ok(())
    }
}

/// A path in the repository, from its root, with these placeholders.
pub(super) fn path(allowed: &[Placeholder]) -> impl Fn(&str) -> Checked {
    move |text| {
        pattern(allowed)(text)?;
        if text.starts_with('/') || text.split('/').any(|part| part == ".." || part == "." || part.is_empty()) {
            let wrong = Wrong::new(format!("\"{text}\" is not a path from the project's root"));
            return Err(wrong.hint("write it like \"config/billing\", without \"./\", \"..\" or a \"/\" at either end"));
        }
        Ok(())
    }
}

/// A file pattern: a path that holds placeholders and no globs.
pub(super) fn files(allowed: &[Placeholder]) -> impl Fn(&str) -> Checked {
    move |text| {
        path(allowed)(text)?;
        if text.contains(['*', '?']) {
            return Err(Wrong::new("globs do not say which service and environment a file belongs to")
                .hint("write {service} and {env} where they stand in the path"));
        }
        Ok(())
    }
}

/// The pattern of a parameter's name.
pub(super) fn parameter(text: &str) -> Checked {
    use Placeholder::{Env, Key, Layer, Service};
    pattern(&[Service, Layer, Env, Key])(text)?;
    if !text.contains("{key}") {
        return Err(
            Wrong::new("lacks {key}: all keys would have one name").hint("such as \"/{service}/{layer}/{key}\"")
        );
    }
    if text.contains('/') && !text.starts_with('/') {
        return Err(Wrong::new("a name with \"/\" in it must begin with \"/\"").hint(format!("write \"/{text}\"")));
    }
    let literal =
        Placeholder::ALL.iter().fold(text.to_owned(), |text, hole| text.replace(&format!("{{{}}}", hole.name()), ""));
    parameter_characters(&literal)
}

/// What joins keys.
pub(super) fn joiner(text: &str) -> Checked {
    if text.is_empty() {
        return Err(Wrong::new("is empty: `ab` and `a` with `b` in it would have one name"));
    }
    parameter_characters(text)
}

fn parameter_characters(text: &str) -> Checked {
    match text.chars().find(|char| !super::mapping::name::parameter_character(*char)) {
        Some(char) => {
            Err(Wrong::new(format!("Parameter Store refuses {char:?} in a name"))
                .hint("allowed are a-z A-Z 0-9 _ . - /"))
        }
        None => Ok(()),
    }
}

/// An account id.
pub(super) fn account(text: &str) -> Checked {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(Wrong::new(format!("\"{text}\" is not an account id")).hint("twelve digits in quotes"))
}

/// A region's name: `eu-central-1`.
pub(super) fn region(text: &str) -> Checked {
    let parts: Vec<&str> = text.split('-').collect();
    let words = parts.len() >= 3
        && parts[..parts.len() - 1]
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase()));
    let number = parts.last().is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    if words && number {
        return Ok(());
    }
    Err(Wrong::new(format!("\"{text}\" is not a region")).hint("such as \"eu-central-1\""))
}

/// An endpoint's URL.
pub(super) fn url(text: &str) -> Checked {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.starts_with('/') && !host.contains(char::is_whitespace) => Ok(()),
        _ => Err(Wrong::new(format!("\"{text}\" is not a URL")).hint("such as \"http://127.0.0.1:4566\"")),
    }
}

/// An endpoint's URL to which a token goes: over TLS, or to this machine.
pub(super) fn secure_url(text: &str) -> Checked {
    url(text)?;
    let is_here = ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|start| text.starts_with(start));
    if text.starts_with("https://") || is_here {
        return Ok(());
    }
    Err(Wrong::new(format!("\"{text}\" is not https: a token goes there"))
        .hint("such as \"https://git.example/api/v3\""))
}

/// The file name of a workflow.
pub(super) fn workflow(text: &str) -> Checked {
    let is_file = [".yml", ".yaml"].iter().any(|end| text.ends_with(end));
    if is_file && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Ok(());
    }
    Err(Wrong::new(format!("\"{text}\" is no workflow's file"))
        .hint("its name below .github/workflows, such as \"deploy.yml\""))
}

/// `owner/name` on GitHub.
pub(super) fn repository(text: &str) -> Checked {
    match text.split_once('/') {
        Some((owner, name))
            if !owner.is_empty()
                && !name.is_empty()
                && !name.contains(['/', ' ', ':'])
                && !owner.contains([' ', ':']) =>
        {
            Ok(())
        }
        _ => Err(Wrong::new(format!("\"{text}\" is not a GitHub repository")).hint("write owner/name")),
    }
}

/// `stack/Output`.
pub(super) fn output(text: &str) -> Checked {
    use Placeholder::{Account, Env, Region};
    pattern(&[Env, Account, Region])(text)?;
    match text.split_once('/') {
        Some((stack, output)) if !stack.is_empty() && !output.is_empty() && !output.contains('/') => Ok(()),
        _ => Err(Wrong::new(format!("\"{text}\" names no output of a stack"))
            .hint("such as \"petshop-{env}/CryptoEndpoint\"")),
    }
}

/// A glob over names; `{env}` is filled in before.
pub(super) fn glob(text: &str) -> Checked {
    some(text)?;
    globset::Glob::new(&text.replace("{env}", "env"))
        .map(|_| ())
        .map_err(|error| Wrong::new(format!("\"{text}\" is no glob: {}", error.kind())))
}

/// An environment's name.
pub(super) fn environment(name: &str) -> Checked {
    label("an environment's name", name)
}

/// A project's name. It is part of keys in the state bucket, of tags and of policies.
pub(super) fn project(name: &str) -> Checked {
    some(name)?;
    label("a project's name", name)
}

/// A project's name in the pipeline's registry: a part of a parameter's name and of messages.
pub(super) fn registered(name: &str) -> Checked {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=63).contains(&name.len()) && name.bytes().all(fits) && !name.starts_with('-') {
        return Ok(());
    }
    Err(Wrong::new(format!("\"{name}\" is no name of the pipeline's registry"))
        .hint("at most 63 of a-z, 0-9 and -, and no - first"))
}

/// The name of the layer that all environments share: a part of paths and of parameters' names.
pub(super) fn layer(name: &str) -> Checked {
    some(name)?;
    letters("a layer's name", name)
}

fn label(what: &str, name: &str) -> Checked {
    letters(what, name)?;
    match name.chars().next() {
        Some(first) if first.is_ascii_alphanumeric() => Ok(()),
        _ => Err(Wrong::new(format!("{what} begins with a letter or a digit"))),
    }
}

fn letters(what: &str, name: &str) -> Checked {
    match name.chars().find(|char| !char.is_ascii_alphanumeric() && !"-_.".contains(*char)) {
        Some(char) => Err(Wrong::new(format!("{what} cannot hold {char:?}")).hint("letters, digits and - _ .")),
        None => Ok(()),
    }
}

/// A capability of CloudFormation.
pub(super) fn capability(text: &str) -> Checked {
    let valid = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];
    if valid.contains(&text) {
        return Ok(());
    }
    let wrong = Wrong::new(format!("\"{text}\" is not one of {}", valid.join(", ")));
    Err(match nearest(text, valid) {
        Some(near) => wrong.hint(format!("did you mean \"{near}\"?")),
        None => wrong,
    })
}

/// Whether an environment is named like a production, which is read-only unless the file says otherwise.
///
/// The name is split at whatever is no letter, so `eu-prod`, `prod2` and `live_eu` count, and `product` does not.
pub(super) fn like_production(name: &str) -> bool {
    let words = name.split(|char: char| !char.is_ascii_alphabetic());
    words.map(str::to_ascii_lowercase).any(|word| ["prod", "production", "prd", "live"].contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::like_production;

    #[test]
    fn production_is_recognised_by_its_words() {
        for (name, expected) in [
            ("prod", true),
            ("Production", true),
            ("eu-prod", true),
            ("prod2", true),
            ("live_eu", true),
            ("prd", true),
            ("dev", false),
            ("product-test", false),
            ("delivery", false),
            ("main.prod", true),
            ("eu/live/1", true),
        ] {
            assert_eq!(like_production(name), expected, "{name}");
        }
    }
}
