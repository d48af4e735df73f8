//! `plumb completions`: what makes a shell complete `plumb`, and what it then asks for.
//!
//! The shell asks this binary at each tab, by the variable below, so that values can be completed too. It is answered
//! before anything else runs: no network, nothing decrypted, and silence when something is wrong.

use clap::CommandFactory;
use clap_complete::CompleteEnv;
use clap_complete::env::{Bash, EnvCompleter, Fish, Powershell, Zsh};

use super::values::{self, Themes};
use super::{Cli, Failed, Outcome};

/// Names the shell that asks.
const VARIABLE: &str = "PLUMB_COMPLETE";

/// Arguments of `plumb completions`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// A shell that can ask.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Shell {
    /// In ~/.bashrc: source <(plumb completions bash)
    Bash,
    /// In ~/.zshrc: source <(plumb completions zsh)
    Zsh,
    /// In ~/.config/fish/config.fish: plumb completions fish | source
    Fish,
    /// In $PROFILE: plumb completions powershell | Out-String | Invoke-Expression
    Powershell,
}

/// Runs `plumb completions`.
pub(super) fn run(args: &Args) -> Result<Outcome, Failed> {
    let shell: &dyn EnvCompleter = match args.shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
        Shell::Powershell => &Powershell,
    };
    shell.write_registration(VARIABLE, "plumb", "plumb", "plumb", &mut std::io::stdout().lock())?;
    Ok(Outcome::Clean)
}

/// Answers a shell that asks; false: this is an ordinary call.
pub(super) fn answered(themes: Themes) -> bool {
    values::tell(themes);
    let here = std::env::current_dir().ok();
    let asked = CompleteEnv::with_factory(Cli::command).var(VARIABLE);
    // Whatever is wrong, a line that is being typed is no place to say it.
    asked.try_complete(std::env::args_os(), here.as_deref()).unwrap_or(true)
}
