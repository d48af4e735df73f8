//! `.sops.yaml`: who can open a project's documents.

use std::fmt::Write as _;

use crate::compare::Why;
use crate::config::{ParameterType, Project};
use crate::ops::config::Opener;
use crate::ops::failed;
use crate::sops::{self, CreationRules, Format};

/// The file's name.
pub(super) const FILE: &str = ".sops.yaml";

/// The rules for what a project keeps encrypted; `None`: nobody is named who could open it.
pub(super) fn text(project: &Project, recipients: &[String]) -> Option<String> {
    let is_key = |recipient: &&String| recipient.starts_with("arn:");
    let list = |recipients: Vec<&String>| recipients.into_iter().map(String::as_str).collect::<Vec<_>>().join(",");
    let (kms, age): (Vec<&String>, Vec<&String>) = recipients.iter().partition(is_key);
    let mut who = String::new();
    for (name, recipients) in [("age", age), ("kms", kms)] {
        if !recipients.is_empty() {
            let _ = writeln!(who, "    {name}: {}", list(recipients));
        }
    }
    if who.is_empty() {
        return None;
    }
    let secure = project.config.iter().filter(|tree| tree.parameter_type == ParameterType::SecureString);
    let secrets = project.secrets.iter().map(|secret| &secret.file);
    let mut patterns: Vec<String> =
        secure.flat_map(|tree| &tree.files).chain(secrets).map(|pattern| regex(pattern)).collect();
    if patterns.is_empty() {
        patterns.push("^secrets/".to_owned());
    }
    let mut text =
        "# Who can open this project's documents. After a change: plumb config updatekeys FILE\ncreation_rules:\n"
            .to_owned();
    for pattern in patterns {
        let _ = write!(text, "  - path_regex: '{pattern}'\n{who}");
    }
    Some(text)
}

/// A document as its rule says; as it is, where there is none for it.
pub(super) fn sealed(name: &str, plain: &[u8], rules: Option<&str>, opener: &Opener) -> Result<Vec<u8>, Why> {
    let Some(rules) = rules else { return Ok(plain.to_vec()) };
    let rules = CreationRules::parse(FILE, rules).map_err(|error| failed(&error))?;
    match rules.matching(name) {
        Ok(rule) => opener.seal(name, Format::of_path(name), plain, rule),
        Err(sops::Error::NoRule { .. }) => Ok(plain.to_vec()),
        Err(error) => Err(failed(&error)),
    }
}

/// A pattern of files as a regular expression; what a placeholder stands for has no slash.
fn regex(pattern: &str) -> String {
    let mut regex = "^".to_owned();
    let mut rest = pattern;
    while let Some((before, hole)) = rest.split_once('{') {
        regex.push_str(&escaped(before));
        regex.push_str("[^/]+");
        rest = hole.split_once('}').map_or("", |(_, after)| after);
    }
    regex + &escaped(rest) + "$"
}

fn escaped(text: &str) -> String {
    // A quote would end the YAML text that it stands in.
    regex::escape(text).replace('\'', ".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_project;

    #[test]
    fn the_rules_are_for_what_is_encrypted_and_for_whom_it_is_said() {
        let project = "name = \"shop\"\n[[config]]\nfiles = \"config/{service}/{env}/a.json\"\n[[config]]\n\
            files = \"plain/{env}.json\"\nparameter = \"/{layer}/{key}\"\ntype = \"String\"\n[[secrets]]\nname = \"{env}/{key}\"\nfile = \"it's/{env}.json\"\nshape = \"key\"\n\
            [environments.dev]\n";
        let (project, _) = parse_project("plumb.toml", project).unwrap();
        assert_eq!(text(&project, &[]), None);
        let (recipient, _) = sops::generate_age_key();
        let arn = "arn:aws:kms:eu-central-1:471100004242:alias/shop-sops".to_owned();
        let text = text(&project, &[recipient.clone(), arn.clone()]).unwrap();
        let rules = CreationRules::parse(FILE, &text).unwrap();
        for name in ["config/billing/dev/a.json", "it's/dev.json"] {
            let groups = &rules.matching(name).unwrap_or_else(|error| panic!("{error}: {text}")).groups;
            let told: Vec<String> = groups.iter().flatten().map(ToString::to_string).collect();
            assert!(told.contains(&format!("age {recipient}")) && told.contains(&format!("kms {arn}")), "{told:?}");
        }
        for name in ["plain/dev.json", "config/billing/dev/b.json", "config/a/b/c/a.json"] {
            assert!(rules.matching(name).is_err(), "{name}: {text}");
        }
    }
}
