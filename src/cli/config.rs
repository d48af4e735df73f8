//! `plumb config`: config in git, read and changed without ever lying in plain text on a disk; and the settings in use.

mod change;
mod check;
mod edit;
mod files;
mod read;
mod recipients;
mod sources;
pub(in crate::cli) mod typed;

use clap_complete::ArgValueCandidates;

use super::{Failed, Outcome, Shared, clean, say, values};
use crate::compare::Why;
use crate::config::Settings;
use crate::ops::config::{self, Opener};

/// What to do with the configuration.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// What a service reads in an environment: the global layer, with the environment's own over it.
    Get(read::GetArgs),
    /// The documents of the working tree; asks for no key.
    List(read::ListArgs),
    /// Set one value of a layer; whatever else the file holds keeps its ciphertext.
    Set(change::SetArgs),
    /// Take one value of a layer out, or all below a key.
    Unset(change::UnsetArgs),
    /// Edit a layer in plain text, which lies in memory alone and is wiped.
    Edit(edit::Args),
    /// Encrypt a plain file as the .sops.yaml above it says.
    Encrypt(files::EncryptArgs),
    /// Decrypt a file.
    Decrypt(files::DecryptArgs),
    /// Encrypt every value of some files anew, under a new data key.
    Rotate(files::RotateArgs),
    /// Encrypt some files for the recipients that their creation rule names; no value is touched.
    Updatekeys(files::UpdatekeysArgs),
    /// Run a command with a service's values in its environment, and nowhere else.
    Exec(read::ExecArgs),
    /// Check that every document is encrypted, unaltered, for the right recipients, and such as AWS takes.
    Check(check::Args),
    /// Put many values into a layer.
    Import(change::ImportArgs),
    /// Print the values of one layer alone.
    Export(read::ExportArgs),
    /// Who can read what; and for a key that has leaked, what is to be replaced.
    Recipients(recipients::Args),
    /// Each setting in use with where it came from; asks no AWS.
    Sources(sources::Args),
}

impl Command {
    /// Whether it ends by itself when it is interrupted.
    pub(super) fn takes_signals(&self) -> bool {
        matches!(self, Self::Edit(_))
    }
}

/// Runs `plumb config`.
pub(super) async fn run(shared: &Shared, command: &Command) -> Result<Outcome, Failed> {
    if !matches!(command, Command::Edit(_)) {
        edit::rescue_any(shared).await;
    }
    match command {
        Command::Get(args) => read::get(shared, args).await,
        Command::List(args) => read::list(shared, args).await,
        Command::Set(args) => change::set(shared, args).await,
        Command::Unset(args) => change::unset(shared, args).await,
        Command::Edit(args) => edit::run(shared, args).await,
        Command::Encrypt(args) => files::encrypt(shared, args).await,
        Command::Decrypt(args) => files::decrypt(shared, args).await,
        Command::Rotate(args) => files::rotate(shared, args).await,
        Command::Updatekeys(args) => files::update_keys(shared, args).await,
        Command::Exec(args) => read::exec(shared, args).await,
        Command::Check(args) => check::run(shared, args).await,
        Command::Import(args) => change::import(shared, args).await,
        Command::Export(args) => read::export(shared, args).await,
        Command::Recipients(args) => recipients::run(shared, args).await,
        Command::Sources(args) => sources::run(shared, args),
    }
}

/// What is done about a wrong MAC.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Mac {
    /// Go on although the MAC is wrong: somebody may have removed, added or reordered values.
    #[arg(long)]
    ignore_mac: bool,
}

/// A service's layer.
#[derive(Debug, Clone, clap::Args)]
struct Which {
    /// The service, or "secrets".
    service: String,
    /// Its layer: the global one, or an environment.
    #[arg(add = ArgValueCandidates::new(values::environments))]
    layer: String,
}

impl Which {
    /// The settings in the layer's environment; of the global layer in whichever.
    fn settings(&self, shared: &Shared) -> Result<Settings, Failed> {
        let any = shared.settings_of_any()?;
        if any.environments.iter().any(|environment| environment.name == self.layer) {
            return shared.in_environment(&self.layer).settings();
        }
        Ok(any)
    }
}

/// Does what needs keys, off the runtime's threads, and tells of each MAC that was ignored, however it ends.
async fn with_keys<T: Send + 'static>(
    shared: &Shared,
    settings: &Settings,
    mac: Mac,
    work: impl FnOnce(&Opener) -> Result<T, Why> + Send + 'static,
) -> Result<T, Failed> {
    let opener = opener(shared, settings, mac);
    let of_work = opener.clone();
    let result = config::blocking(move || work(&of_work)).await;
    warn(&opener);
    Ok(result?)
}

fn opener(shared: &Shared, settings: &Settings, mac: Mac) -> Opener {
    Opener::new(&shared.keys(), &shared.access(), Some(&settings.environment), mac.ignore_mac)
}

fn warn(opener: &Opener) {
    for problem in opener.ignored() {
        say!("WARNING: --ignore-mac: {}", clean(&problem));
    }
}
