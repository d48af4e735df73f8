//! Which names AWS accepts.

/// Whether Parameter Store allows a character in a name.
#[must_use]
pub fn parameter_character(char: char) -> bool {
    char.is_ascii_alphanumeric() || "_.-/".contains(char)
}

/// Why Parameter Store refuses a name; `None`: it accepts it.
///
/// Rules of `PutParameter` in the Systems Manager API reference: at most 1011 characters and 15 levels, no first
/// part that begins with `aws` or `ssm` in any case.
#[must_use]
pub fn parameter_refused(name: &str) -> Option<String> {
    if let Some(char) = name.chars().find(|char| !parameter_character(*char)) {
        return Some(format!("Parameter Store refuses {char:?} in a name; allowed are a-z A-Z 0-9 _ . - /"));
    }
    let path = name.strip_prefix('/').unwrap_or(name);
    if path.split('/').any(str::is_empty) {
        return Some("a part of the name is empty".into());
    }
    let first = path.split('/').next().unwrap_or_default().to_ascii_lowercase();
    if let Some(reserved) = ["aws", "ssm"].into_iter().find(|reserved| first.starts_with(reserved)) {
        return Some(format!("Parameter Store refuses names that begin with \"{reserved}\""));
    }
    let levels = path.split('/').count();
    if levels > 15 {
        return Some(format!("{levels} levels; Parameter Store allows 15"));
    }
    let length = name.len();
    (length > 1011).then(|| format!("{length} characters; Parameter Store allows 1011"))
}

/// Why Secrets Manager refuses a name; `None`: it accepts it.
///
/// Rules of `CreateSecret` in the Secrets Manager API reference: 1 to 512 characters of `a-zA-Z0-9/_+=.@-`.
#[must_use]
pub fn secret_refused(name: &str) -> Option<String> {
    if let Some(char) = name.chars().find(|char| !char.is_ascii_alphanumeric() && !"/_+=.@-".contains(*char)) {
        return Some(format!("Secrets Manager refuses {char:?} in a name; allowed are a-z A-Z 0-9 / _ + = . @ -"));
    }
    match name.len() {
        0 => Some("the name is empty".into()),
        1..=512 => None,
        length => Some(format!("{length} characters; Secrets Manager allows 512")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_accepted_and_refused_as_aws_does() {
        let long = format!("/{}", "a".repeat(1011));
        let fits = format!("/{}", "a".repeat(1010));
        for (name, refused) in [
            ("/billing/dev/db/pool_size", None),
            ("plain.name-1", None),
            (fits.as_str(), None),
            ("/billing/dev/a b", Some("' '")),
            ("/billing/dev/ä", Some("'ä'")),
            ("/billing//pool", Some("empty")),
            ("/billing/", Some("empty")),
            ("/AWSome/x", Some("begin with \"aws\"")),
            ("/ssm-x/y", Some("begin with \"ssm\"")),
            ("/billing/aws/key", None),
            ("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15", None),
            ("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", Some("16 levels")),
            (long.as_str(), Some("1012 characters")),
        ] {
            let found = parameter_refused(name);
            match refused {
                None => assert_eq!(found, None, "{name}"),
                Some(part) => assert!(found.as_deref().is_some_and(|why| why.contains(part)), "{name}: {found:?}"),
            }
        }
    }

    #[test]
    fn secret_names_are_accepted_and_refused_as_aws_does() {
        assert_eq!(secret_refused("prod/petshop/a+b=c@d.e_f-g"), None);
        assert!(
            secret_refused("a b").is_some()
                && secret_refused("").is_some()
                && secret_refused(&"a".repeat(513)).is_some()
        );
    }
}
