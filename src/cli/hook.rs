//! `plumb hook`: what git calls: before a commit, for a diff, and for a merge.

use std::io::Write as _;
use std::path::PathBuf;

use super::{Failed, Outcome, Shared, clean, say};
use crate::compare::Why;
use crate::config as settings;
use crate::ops::config::{self, Merging, Opener, Versions};

/// What git is taught.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Teach this repository all of it: the pre-commit hook, readable diffs, and merges by value.
    Install,
    /// Refuse plain text in what is staged; for the pre-commit hook.
    Run,
    /// Print a file as a diff shows it; git calls it.
    #[command(hide = true)]
    Textconv {
        /// The file.
        file: PathBuf,
    },
    /// Merge three versions of a document; git calls it, with %O %A %B %P.
    #[command(hide = true)]
    Merge {
        /// The version that both come from.
        base: PathBuf,
        /// Ours, which the result replaces.
        ours: PathBuf,
        /// Theirs.
        theirs: PathBuf,
        /// The file's own name.
        name: String,
    },
}

/// Runs `plumb hook`.
pub(super) async fn run(shared: &Shared, command: &Command) -> Result<Outcome, Failed> {
    match command {
        Command::Install => install(shared).await,
        Command::Run => guard(shared).await,
        Command::Textconv { file } => textconv(shared, file.clone()).await,
        Command::Merge { base, ours, theirs, name } => {
            let versions =
                Versions { base: base.clone(), ours: ours.clone(), theirs: theirs.clone(), name: name.clone() };
            merge(shared, versions).await
        }
    }
}

async fn install(shared: &Shared) -> Result<Outcome, Failed> {
    let settings = shared.settings_of_any()?;
    let program =
        std::env::current_exe().map_err(|error| Why::new(format!("cannot tell where plumb lies: {error}")))?;
    for line in config::blocking(move || config::install(&settings.project, settings.root.as_deref(), &program)).await?
    {
        say!("{}", clean(&line));
    }
    Ok(Outcome::Clean)
}

async fn guard(shared: &Shared) -> Result<Outcome, Failed> {
    let settings = match shared.load(&shared.flags())? {
        Err(settings::Error::NoProject { .. }) => None,
        _ => Some(shared.settings_of_any()?),
    };
    let refused = config::blocking(move || config::guard(settings.as_ref())).await?;
    for each in &refused {
        say!("! {}: {}", clean(&each.file), clean(&each.why.reason));
        if let Some(hint) = &each.why.hint {
            say!("  try: {}", clean(hint));
        }
    }
    if refused.is_empty() {
        return Ok(Outcome::Clean);
    }
    Err(Why::new("the commit is refused: it would hold plain text, or a document that is broken").into())
}

fn opener(shared: &Shared) -> Result<Opener, Failed> {
    let settings = shared.settings_of_files()?;
    Ok(Opener::new(&shared.keys(), &shared.access(), Some(&settings.environment), false))
}

async fn textconv(shared: &Shared, file: PathBuf) -> Result<Outcome, Failed> {
    let opener = opener(shared)?;
    let text = config::blocking(move || {
        let name = file.display().to_string();
        let bytes = std::fs::read(&file).map_err(|error| Why::new(format!("cannot read {name}: {error}")))?;
        Ok(config::readable(&opener, &name, bytes))
    });
    std::io::stdout().lock().write_all(&text.await?)?;
    Ok(Outcome::Clean)
}

async fn merge(shared: &Shared, versions: Versions) -> Result<Outcome, Failed> {
    let (opener, name) = (opener(shared)?, versions.name.clone());
    let conflicts = match config::blocking(move || config::merge(&opener, &versions)).await? {
        Merging::Whole | Merging::AsText(true) => return Ok(Outcome::Clean),
        Merging::AsText(false) => return Ok(Outcome::Differences),
        Merging::Conflicts(conflicts) => conflicts,
    };
    say!("plumb: both sides changed these keys of {}, which keep our value:", clean(&name));
    for (key, theirs) in conflicts {
        say!("  {}: the other side {theirs}", clean(&key));
    }
    say!("try: plumb config set, where theirs is right, then git add {}", clean(&name));
    Ok(Outcome::Differences)
}
