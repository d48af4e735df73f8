//! Creation rules of a `.sops.yaml`: for whom, and how, a new document is encrypted (sops, `config/config.go`).

mod yaml;

use yaml::Yaml;

use super::error::Error;
use super::format::Format;
use super::key::Recipient;
use super::pattern::Pattern;
use super::selector::{FIELDS, Selector};

/// The rules of one file, in its order.
#[derive(Debug, Clone)]
pub struct CreationRules {
    name: String,
    /// Each with the paths that it is for; `None` is every path.
    rules: Vec<(Option<Pattern>, CreationRule)>,
}

/// For whom, and how, a new document is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreationRule {
    /// Key groups; with one, each key opens the document.
    pub groups: Vec<Vec<Recipient>>,
    /// How many groups are needed; `None` is all.
    pub threshold: Option<u8>,
    /// Selector, MAC and indentation.
    pub rules: Rules,
}

/// How a new document is encrypted and laid out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Which values are encrypted.
    pub selector: Selector,
    /// Whether the MAC covers encrypted values only, so that others may be edited without a key.
    pub mac_only_encrypted: bool,
    /// How what is written anew is indented.
    pub indents: Indents,
}

/// Spaces a level; `None` is what sops takes: a tab in JSON, four spaces in YAML.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indents {
    /// In JSON.
    pub json: Option<usize>,
    /// In the JSON around an encrypted binary file.
    pub json_binary: Option<usize>,
    /// In YAML.
    pub yaml: Option<usize>,
}

impl Rules {
    pub(super) fn indent(&self, format: Format) -> Option<usize> {
        match format {
            Format::Yaml => self.indents.yaml,
            Format::Binary => self.indents.json_binary,
            Format::Json | Format::Dotenv | Format::Ini => self.indents.json,
        }
    }
}

impl CreationRules {
    /// Reads the text of a `.sops.yaml`; `name` is for errors. Every rule is checked, also those that match nothing.
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let wrong = |why: String| Error::Rules { name: name.to_owned(), why };
        let root = Yaml::parse(text).map_err(wrong)?;
        let stores = root.get("stores");
        let indents = Indents {
            json: indent(stores.get("json"), "json", -1).map_err(wrong)?,
            json_binary: indent(stores.get("json_binary"), "json_binary", -1).map_err(wrong)?,
            yaml: indent(stores.get("yaml"), "yaml", 0).map_err(wrong)?,
        };
        let rules = root.get("creation_rules").list().iter().enumerate();
        let rules = rules
            .map(|(at, rule)| read_rule(rule, indents).map_err(|why| wrong(format!("creation rule {}: {why}", at + 1))))
            .collect::<Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), rules })
    }

    /// The first rule for a path, which is relative to the rule file and has `/` between its parts.
    pub fn matching(&self, path: &str) -> Result<&CreationRule, Error> {
        let mut rules = self.rules.iter();
        let fitting = rules.find(|(pattern, _)| pattern.as_ref().is_none_or(|pattern| pattern.is_match(path)));
        let none = || Error::NoRule { name: self.name.clone(), path: path.to_owned() };
        fitting.map(|(_, rule)| rule).ok_or_else(none)
    }
}

impl CreationRule {
    /// A rule without a file: some age recipients, of which any one can open the document.
    #[must_use]
    pub fn for_age(recipients: &[String], rules: Rules) -> Self {
        let group = recipients.iter().cloned().map(Recipient::Age).collect();
        Self { groups: vec![group], threshold: None, rules }
    }
}

/// `stores.<name>.indent`; `default` is how its file says that nothing is said.
fn indent(store: &Yaml, name: &str, default: i64) -> Result<Option<usize>, String> {
    let Some(text) = store.get("indent").scalar() else { return Ok(None) };
    let number: i64 = text.parse().map_err(|_| format!("stores.{name}.indent is not a number"))?;
    if number == default {
        return Ok(None);
    }
    usize::try_from(number).map(Some).map_err(|_| format!("stores.{name}.indent is below {default}"))
}

fn read_rule(yaml: &Yaml, indents: Indents) -> Result<(Option<Pattern>, CreationRule), String> {
    let path = yaml.get("path_regex").scalar().filter(|text| !text.is_empty()).map(Pattern::new).transpose();
    for field in FIELDS {
        if !matches!(yaml.get(field), Yaml::Scalar(_) | Yaml::Null) {
            return Err(format!("{field} is not a text"));
        }
    }
    let selector = Selector::read(|field| yaml.get(field).scalar())?.unwrap_or_default();
    let key_groups = yaml.get("key_groups").list();
    let groups = if key_groups.is_empty() {
        vec![flat(yaml)?]
    } else {
        key_groups.iter().map(group).collect::<Result<_, _>>()?
    };
    let threshold = yaml.get("shamir_threshold").scalar().map(str::parse::<u8>).transpose();
    let path = path.map_err(|why| format!("path_regex is no regular expression: {why}"))?;
    let threshold = threshold.map_err(|_| "shamir_threshold is not a number up to 255")?.filter(|number| *number > 0);
    let mac_only_encrypted = yaml.get("mac_only_encrypted").scalar() == Some("true");
    Ok((path, CreationRule { groups, threshold, rules: Rules { selector, mac_only_encrypted, indents } }))
}

/// Keys given beside `path_regex`: each field a list, or a text with commas.
fn flat(yaml: &Yaml) -> Result<Vec<Recipient>, String> {
    let profile = yaml.get("aws_profile").scalar().unwrap_or_default();
    let mut keys: Vec<_> = texts(yaml, "age")?.into_iter().map(Recipient::Age).collect();
    for text in texts(yaml, "kms")? {
        let text = text.replace(' ', "");
        // An ARN may have a plus sign, but no colon behind it.
        let (arn, role) = match text.find("+arn:") {
            Some(at) if at > 0 => (&text[..at], Some(text[at + 1..].to_owned())),
            _ => (text.as_str(), None),
        };
        let (context, aws_profile) = (Vec::new(), profile.to_owned());
        keys.push(Recipient::Kms { arn: arn.to_owned(), role, context, aws_profile });
    }
    for (kind, field) in [
        ("pgp", "pgp"),
        ("gcp_kms", "gcp_kms"),
        ("hckms", "hckms"),
        ("azure_kv", "azure_keyvault"),
        ("hc_vault", "hc_vault_transit_uri"),
    ] {
        keys.extend(texts(yaml, field)?.into_iter().map(|id| other(kind, &id)));
    }
    Ok(keys)
}

/// A key of another kind, identified as it is in the metadata of documents.
fn other(kind: &'static str, text: &str) -> Recipient {
    let id = match kind {
        "pgp" => text.replace(' ', ""),
        "azure_kv" => text.replacen("/keys/", "/", 1),
        "hc_vault" => text.replacen("/v1/", "/", 1).replacen("/keys/", "/", 1),
        _ => text.to_owned(),
    };
    Recipient::Other { kind, id }
}

fn texts(yaml: &Yaml, field: &str) -> Result<Vec<String>, String> {
    let split = |text: &str| {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    match yaml.get(field) {
        Yaml::Null => Ok(Vec::new()),
        Yaml::Scalar(text) => Ok(split(text)),
        Yaml::List(items) => items
            .iter()
            .map(|item| item.scalar().map(split).ok_or_else(|| format!("{field} has an entry that is not a text")))
            .collect::<Result<Vec<_>, _>>()
            .map(|lists| lists.concat()),
        Yaml::Map(_) => Err(format!("{field} is neither a text nor a list")),
    }
}

/// One of `key_groups`, where keys of some kinds are maps, and where groups can be merged into one.
fn group(yaml: &Yaml) -> Result<Vec<Recipient>, String> {
    let mut keys = Vec::new();
    for merged in yaml.get("merge").list() {
        keys.extend(group(merged)?);
    }
    keys.extend(texts(yaml, "age")?.into_iter().map(Recipient::Age));
    for key in yaml.get("kms").list() {
        let context = match key.get("context") {
            Yaml::Map(members) => {
                members.iter().map(|(name, value)| (name.clone(), value.scalar().map(str::to_owned))).collect()
            }
            _ => Vec::new(),
        };
        keys.push(Recipient::Kms {
            arn: key.get("arn").scalar().ok_or("a key under kms has no arn")?.to_owned(),
            role: key.get("role").scalar().map(str::to_owned),
            context,
            aws_profile: key.get("aws_profile").scalar().unwrap_or_default().to_owned(),
        });
    }
    for kind in ["pgp", "hc_vault"] {
        keys.extend(texts(yaml, kind)?.into_iter().map(|id| other(kind, &id)));
    }
    for (kind, field, fields) in [
        ("gcp_kms", "gcp_kms", &["resource_id"] as &[_]),
        ("hckms", "hckms", &["key_id"]),
        ("azure_kv", "azure_keyvault", &["vaultUrl", "key", "version"]),
    ] {
        for key in yaml.get(field).list() {
            let parts: Vec<_> = fields.iter().filter_map(|field| key.get(field).scalar()).collect();
            keys.push(Recipient::Other { kind, id: parts.join("/") });
        }
    }
    let mut distinct: Vec<Recipient> = Vec::new();
    for key in keys {
        if !distinct.contains(&key) {
            distinct.push(key);
        }
    }
    Ok(distinct)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r"
creation_rules:
  - path_regex: ^config/prod/.*\.json$
    age: age1one, age1two,
    encrypted_regex: ^(password|token)$
  - path_regex: ^groups/
    shamir_threshold: 2
    mac_only_encrypted: true
    key_groups:
      - age: [age1one]
      - age: [age1two, age1two]
        merge:
          - age: [age1four]
      - kms:
          - arn: arn:aws:kms:eu-central-1:111122223333:key/1
            context: {app: petshop}
        pgp: [85D77543B3D624B63CEA9E6DBC17301B491B3F21]
  - age:
      - age1three
    kms: arn:aws:kms:eu-central-1:111122223333:key/2+arn:aws:iam::111122223333:role/x
stores:
  json:
    indent: 2
";

    fn shown(path: &str) -> Vec<Vec<String>> {
        let rules = CreationRules::parse(".sops.yaml", FILE).expect("valid");
        let rule = rules.matching(path).expect("a rule");
        rule.groups.iter().map(|group| group.iter().map(ToString::to_string).collect()).collect()
    }

    #[test]
    fn the_first_rule_that_matches_wins() {
        assert_eq!(shown("config/prod/a.json"), [["age age1one", "age age1two"]]);
        assert_eq!(
            shown("groups/x"),
            [
                vec!["age age1one"],
                vec!["age age1four", "age age1two"],
                vec!["kms arn:aws:kms:eu-central-1:111122223333:key/1", "pgp 85D77543B3D624B63CEA9E6DBC17301B491B3F21"]
            ]
        );
        assert_eq!(shown("elsewhere.json"), [["age age1three", "kms arn:aws:kms:eu-central-1:111122223333:key/2"]]);
    }

    #[test]
    fn a_rule_brings_its_selector_its_threshold_and_the_files_indentation() {
        let rules = CreationRules::parse(".sops.yaml", FILE).expect("valid");
        let rule = rules.matching("config/prod/a.json").expect("a rule");
        assert!(
            matches!(&rule.rules.selector, Selector::EncryptedRegex(text) if text.as_str() == "^(password|token)$")
        );
        assert_eq!(rule.rules.indents, Indents { json: Some(2), ..Indents::default() });
        let rule = rules.matching("groups/x").expect("a rule");
        assert_eq!((rule.threshold, rule.rules.mac_only_encrypted), (Some(2), true));
    }

    #[test]
    fn what_is_wrong_with_a_rule_file_is_said() {
        let rows = [
            ("nothing matches", "creation_rules: [{path_regex: ^a, age: age1x}]", "no creation rule in f matches b"),
            ("no rules at all", "stores: {}", "no creation rule in f matches b"),
            ("an empty file", "", "no creation rule in f matches b"),
            (
                "two selectors",
                "creation_rules: [{age: x, encrypted_regex: a, unencrypted_suffix: b}]",
                "cannot use f: creation rule 1: it has both unencrypted_suffix and encrypted_regex, of which only one may be set",
            ),
            (
                "a broken expression",
                "creation_rules: [{age: x, path_regex: '('}]",
                "cannot use f: creation rule 1: path_regex is no regular expression: unclosed group",
            ),
            (
                "an alias of nothing",
                "a: *x",
                "cannot use f: line 1, column 4: while parsing node, found unknown anchor",
            ),
            ("a key twice", "a: 1\na: 2", "cannot use f: the key \"a\" is there twice in one map"),
        ];
        for (name, text, expected) in rows {
            let error = CreationRules::parse("f", text).and_then(|rules| rules.matching("b").cloned()).err();
            assert_eq!(error.map(|error| error.to_string()).as_deref(), Some(expected), "{name}");
        }
        assert!(matches!(CreationRules::parse("f", "a: [1"), Err(Error::Rules { .. })), "broken YAML");
    }
}
