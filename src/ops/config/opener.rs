//! What opens and seals documents here: the operator's keys, KMS, and what is done about a wrong MAC.

use std::sync::{Arc, Mutex, PoisonError};

use crate::aws;
use crate::compare::Why;
use crate::config::Environment;
use crate::ops::failed;
use crate::ops::keys::{Keyring, Keys, Kms, keyring};
use crate::ops::session::Access;
use crate::sops::{self, CreationRule, Document, Error, Format, MacPolicy, Opened};

/// Opens documents. Cheap to clone; what was unwrapped once is not asked for again.
#[derive(Clone)]
pub struct Opener {
    keyring: Arc<Keyring>,
    policy: MacPolicy,
    ignored: Arc<Mutex<Vec<String>>>,
}

impl Opener {
    /// By the operator's keys and, as an environment asks AWS, by KMS. With `ignore_mac` a wrong MAC is no error, and
    /// [`Opener::ignored`] has to be shown. To be made within a runtime.
    #[must_use]
    pub fn new(keys: &Arc<Keys>, access: &Access, environment: Option<&Environment>, ignore_mac: bool) -> Self {
        let options = match environment {
            Some(environment) => access.options(environment),
            None => {
                aws::Options { keys: access.credentials.clone(), timeouts: access.timeouts, ..aws::Options::default() }
            }
        };
        let policy = if ignore_mac { MacPolicy::Ignore } else { MacPolicy::Verify };
        Self { keyring: Arc::new(keyring(keys, Kms::new(options, None))), policy, ignored: Arc::default() }
    }

    /// By what a session has unwrapped already, and whatever else it can. A wrong MAC is an error.
    #[must_use]
    pub fn sharing(keyring: &Arc<Keyring>) -> Self {
        Self { keyring: Arc::clone(keyring), policy: MacPolicy::Verify, ignored: Arc::default() }
    }

    /// What was read although its MAC is wrong.
    #[must_use]
    pub fn ignored(&self) -> Vec<String> {
        self.ignored.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn keys(&self) -> &Keyring {
        &self.keyring
    }

    /// A plain document, encrypted as a rule says.
    pub(in crate::ops) fn seal(
        &self,
        name: &str,
        format: Format,
        plain: &[u8],
        rule: &CreationRule,
    ) -> Result<Vec<u8>, Why> {
        sops::encrypt_as(name, format, plain, rule, self.keys(), &now()).map_err(|error| told(&error))
    }

    pub(super) fn open<'d>(&self, document: &'d Document) -> Result<Opened<'d>, Why> {
        let opened = document.unlock(self.keyring.as_ref(), self.policy).map_err(|error| told(&error))?;
        if let Some(problem) = opened.mac_problem() {
            self.ignored.lock().unwrap_or_else(PoisonError::into_inner).push(problem.to_string());
        }
        Ok(opened)
    }
}

/// An error of a document as an operator reads it.
pub(super) fn told(error: &Error) -> Why {
    let why = failed(error);
    match error {
        Error::NoKey { .. } => why.hint("SOPS_AGE_KEY_FILE names the file of age keys; KMS is asked as --profile says"),
        Error::Mac { .. } => {
            why.hint("look at its history; --ignore-mac reads it all the same, and `plumb config edit` then mends it")
        }
        Error::NotEncrypted { .. } => why.hint("plumb config encrypt --in-place FILE"),
        Error::NoRule { .. } => why.hint("add a creation rule for this path, with its recipients"),
        _ => why,
    }
}

/// Now, as the metadata of documents has it: whole seconds.
pub(super) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
