//! Creation rules of a `.sops.yaml`: for whom, and how, a new document is encrypted (sops, `config/config.go`).

use std::fmt;

use super::error::Error;
use super::pattern::Pattern;
use super::seal::Rules;
use super::selector::{FIELDS, Selector};
use super::yaml::Yaml;

/// The rules of one file, in its order.
#[derive(Debug, Clone)]
pub struct CreationRules {
    name: String,
    rules: Vec<CreationRule>,
}

/// One rule: the paths it is for, and the keys and layout of documents there.
#[derive(Debug, Clone)]
pub struct CreationRule {
    path: Option<Pattern>,
    /// Key groups; with one, each key opens the document.
    pub groups: Vec<Vec<Recipient>>,
    /// How many groups are needed; `None` is all.
    pub threshold: Option<u8>,
    /// Selector, MAC and indentation.
    pub rules: Rules,
}

/// A key that a document is encrypted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// `age1…`, or an SSH or plugin recipient.
    Age(String),
    /// An AWS KMS key.
    Kms {
        /// The key's ARN.
        arn: String,
        /// Role to assume.
        role: Option<String>,
        /// Encryption context.
        context: Vec<(String, String)>,
        /// Profile of the AWS configuration.
        aws_profile: Option<String>,
    },
    /// A kind that Plumb does not encrypt to: `pgp`, `gcp_kms`, `hckms`, `azure_keyvault`, `hc_vault`.
    Other {
        /// Its name in the rule file.
        kind: &'static str,
        /// What identifies the key.
        id: String,
    },
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Age(recipient) => write!(f, "age {recipient}"),
            Self::Kms { arn, .. } => write!(f, "kms {arn}"),
            Self::Other { kind, id } => write!(f, "{kind} {id}"),
        }
    }
}

impl CreationRules {
    /// Reads the text of a `.sops.yaml`; `name` is for errors. Every rule is checked, also those that match nothing.
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let wrong = |why: String| Error::Rules { name: name.to_owned(), why };
        let root = Yaml::parse(text).map_err(wrong)?;
        let indent = root.get("stores").get("json").get("indent").scalar().map(str::parse::<i64>).transpose();
        let indent = indent.map_err(|_| wrong("stores.json.indent is not a number".to_owned()))?;
        let indent = match indent {
            None | Some(-1) => None,
            Some(spaces) => {
                Some(usize::try_from(spaces).map_err(|_| wrong("stores.json.indent is below -1".to_owned()))?)
            }
        };
        let rules = root.get("creation_rules").list().iter().enumerate();
        let rules = rules
            .map(|(at, rule)| read_rule(rule, indent).map_err(|why| wrong(format!("creation rule {}: {why}", at + 1))))
            .collect::<Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), rules })
    }

    /// The first rule for a path, which is relative to the rule file and has `/` between its parts.
    pub fn matching(&self, path: &str) -> Result<&CreationRule, Error> {
        let fits = |rule: &&CreationRule| rule.path.as_ref().is_none_or(|pattern| pattern.is_match(path));
        let none = || Error::NoRule { name: self.name.clone(), path: path.to_owned() };
        self.rules.iter().find(fits).ok_or_else(none)
    }
}

impl CreationRule {
    /// The groups as [`super::encrypt_to_groups`] takes them. An error when a key is not of age: leaving it out would
    /// lock its owner out.
    pub fn age_groups(&self) -> Result<Vec<Vec<String>>, Error> {
        let age = |recipient: &Recipient| match recipient {
            Recipient::Age(text) => Ok(text.clone()),
            other => Err(Error::Recipient {
                recipient: other.to_string(),
                why: "only age recipients can be encrypted to".to_owned(),
            }),
        };
        self.groups.iter().map(|group| group.iter().map(age).collect()).collect()
    }
}

fn read_rule(yaml: &Yaml, indent: Option<usize>) -> Result<CreationRule, String> {
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
    Ok(CreationRule {
        path: path.map_err(|why| format!("path_regex is no regular expression: {why}"))?,
        groups,
        threshold: threshold.map_err(|_| "shamir_threshold is not a number up to 255")?.filter(|number| *number > 0),
        rules: Rules { selector, mac_only_encrypted: yaml.get("mac_only_encrypted").scalar() == Some("true"), indent },
    })
}

/// Keys given beside `path_regex`: each field a list, or a text with commas.
fn flat(yaml: &Yaml) -> Result<Vec<Recipient>, String> {
    let profile = yaml.get("aws_profile").scalar().map(str::to_owned);
    let mut keys: Vec<_> = texts(yaml, "age")?.into_iter().map(Recipient::Age).collect();
    for text in texts(yaml, "kms")? {
        let (arn, role) = text.split_once('+').map_or((text.as_str(), None), |(arn, role)| (arn, Some(role)));
        keys.push(Recipient::Kms {
            arn: arn.to_owned(),
            role: role.map(str::to_owned),
            context: Vec::new(),
            aws_profile: profile.clone(),
        });
    }
    for (kind, field) in [
        ("pgp", "pgp"),
        ("gcp_kms", "gcp_kms"),
        ("hckms", "hckms"),
        ("azure_keyvault", "azure_keyvault"),
        ("hc_vault", "hc_vault_transit_uri"),
    ] {
        keys.extend(texts(yaml, field)?.into_iter().map(|id| Recipient::Other { kind, id }));
    }
    Ok(keys)
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
            Yaml::Map(members) => members
                .iter()
                .map(|(name, value)| (name.clone(), value.scalar().unwrap_or_default().to_owned()))
                .collect(),
            _ => Vec::new(),
        };
        keys.push(Recipient::Kms {
            arn: key.get("arn").scalar().ok_or("a key under kms has no arn")?.to_owned(),
            role: key.get("role").scalar().map(str::to_owned),
            context,
            aws_profile: key.get("aws_profile").scalar().map(str::to_owned),
        });
    }
    for kind in ["pgp", "hc_vault"] {
        keys.extend(texts(yaml, kind)?.into_iter().map(|id| Recipient::Other { kind, id }));
    }
    for (kind, fields) in [
        ("gcp_kms", &["resource_id"] as &[_]),
        ("hckms", &["key_id"]),
        ("azure_keyvault", &["vaultUrl", "key", "version"]),
    ] {
        for key in yaml.get(kind).list() {
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
        assert_eq!(rule.rules.indent, Some(2));
        let rule = rules.matching("groups/x").expect("a rule");
        assert_eq!((rule.threshold, rule.rules.mac_only_encrypted), (Some(2), true));
        assert!(matches!(rule.age_groups(), Err(Error::Recipient { .. })), "kms is not left out silently");
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
            ("an anchor", "a: &x 1", "cannot use f: anchors and aliases are not supported in it"),
            ("a key twice", "a: 1\na: 2", "cannot use f: the key \"a\" is there twice in one map"),
        ];
        for (name, text, expected) in rows {
            let error = CreationRules::parse("f", text).and_then(|rules| rules.matching("b").cloned()).err();
            assert_eq!(error.map(|error| error.to_string()).as_deref(), Some(expected), "{name}");
        }
        assert!(matches!(CreationRules::parse("f", "a: [1"), Err(Error::Rules { .. })), "broken YAML");
    }
}
