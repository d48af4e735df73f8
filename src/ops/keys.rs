//! What opens encrypted documents: the age identities of the operator, from where sops looks for them, and KMS.

mod kms;

use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::session::Access;
use crate::config::Environment;
use crate::sops::{AgeIdentities, DataKey, KeyService, Remembering, Services, WrappedKey};

pub use kms::Kms;

/// Everything that can open documents in one environment. What it unwrapped once it is not asked for again.
pub type Keyring = Remembering<Services>;

/// The operator's own identities first, which cost no call, and then KMS.
#[must_use]
pub fn keyring(keys: &Arc<Keys>, kms: Kms) -> Keyring {
    Remembering::new(Services::new().with(Arc::clone(keys)).with(kms))
}

/// What opens the documents of any environment: the operator's own identities, and KMS as that environment is reached.
#[derive(Clone)]
pub struct Opener {
    /// The operator's own identities.
    pub keys: Arc<Keys>,
    /// How AWS is reached, beside what the environment says.
    pub access: Access,
}

impl Opener {
    /// What opens one environment's documents. To be asked within a runtime, and to be used where blocking is allowed.
    #[must_use]
    pub fn of(&self, environment: &Environment) -> Arc<Keyring> {
        Arc::new(keyring(&self.keys, Kms::new(self.access.options(environment), None)))
    }
}

/// Where sops looks for age identities; the environment's words for it, handed in.
#[derive(Debug, Clone, Default)]
pub struct KeySources {
    /// `SOPS_AGE_KEY`: the identities themselves.
    pub key: Option<crate::secret::Secret>,
    /// `SOPS_AGE_KEY_FILE`: a file of them.
    pub file: Option<PathBuf>,
    /// `SOPS_AGE_KEY_CMD`: a command that prints them.
    pub command: Option<String>,
    /// `XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
}

/// The operator's keys. A source that cannot be read is told when a document cannot be opened, and not before.
#[derive(Debug, Default)]
pub struct Keys {
    identities: Vec<AgeIdentities>,
    problems: Vec<String>,
}

impl Keys {
    /// Reads all sources that are there. Runs the command, if one is set.
    #[must_use]
    pub fn find(sources: &KeySources) -> Self {
        let mut keys = Self::default();
        if let Some(text) = &sources.key {
            keys.add("SOPS_AGE_KEY", text.expose());
        }
        if let Some(path) = &sources.file {
            match std::fs::read_to_string(path).map(Zeroizing::new) {
                Ok(text) => keys.add(&path.display().to_string(), &text),
                Err(error) => keys.problems.push(format!("{}: {error}", path.display())),
            }
        }
        if let Some(command) = &sources.command {
            match run(command) {
                Ok(text) => keys.add("SOPS_AGE_KEY_CMD", &text),
                Err(error) => keys.problems.push(format!("SOPS_AGE_KEY_CMD: {error}")),
            }
        }
        let standard = sources
            .config_home
            .clone()
            .or_else(|| sources.home.as_ref().map(|home| home.join(".config")))
            .map(|config| config.join("sops/age/keys.txt"));
        if let Some(path) = standard
            && let Ok(text) = std::fs::read_to_string(&path).map(Zeroizing::new)
        {
            keys.add(&path.display().to_string(), &text);
        }
        keys
    }

    /// The public sides, `age1…`.
    #[must_use]
    pub fn recipients(&self) -> Vec<String> {
        self.identities.iter().flat_map(AgeIdentities::recipients).collect()
    }

    /// Sources that were named and could not be read.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    fn add(&mut self, source: &str, text: &str) {
        match AgeIdentities::parse(text) {
            Ok(identities) => self.identities.push(identities),
            Err(error) => self.problems.push(format!("{source}: {error}")),
        }
    }
}

fn run(command: &str) -> Result<Zeroizing<String>, String> {
    let output = std::process::Command::new("sh")
        .args(["-c", command])
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("it ended with {}", output.status));
    }
    String::from_utf8(output.stdout).map(Zeroizing::new).map_err(|_| "its output is not UTF-8".to_owned())
}

impl KeyService for Keys {
    fn unwrap(&self, key: &WrappedKey) -> Option<Result<DataKey, String>> {
        let mut failure = None;
        for identities in &self.identities {
            match identities.unwrap(key) {
                Some(Ok(data_key)) => return Some(Ok(data_key)),
                Some(Err(error)) => failure = Some(error),
                None => {}
            }
        }
        if failure.is_none() && self.identities.is_empty() {
            // Asked with no identity at all, the service still says whether the key would be its own.
            failure = AgeIdentities::default().unwrap(key)?.err();
        }
        let failure = failure?;
        Some(Err(if self.problems.is_empty() { failure } else { format!("{failure} ({})", self.problems.join("; ")) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sops::generate_age_key;

    #[test]
    fn the_standard_file_is_read_beside_the_variable() {
        let (first, secret) = generate_age_key();
        let (second, other) = generate_age_key();
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".config/sops/age");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("keys.txt"), other.expose()).unwrap();
        let sources = KeySources { key: Some(secret), home: Some(home.path().to_owned()), ..KeySources::default() };
        assert_eq!(Keys::find(&sources).recipients(), [first, second]);
    }

    #[test]
    fn a_missing_file_is_told_by_its_name() {
        let sources = KeySources { file: Some("/nowhere/keys.txt".into()), ..KeySources::default() };
        let keys = Keys::find(&sources);
        assert!(keys.problems()[0].contains("/nowhere/keys.txt"), "{:?}", keys.problems());
    }
}
