//! `plumb man`: the manual pages, from the same definitions as the arguments.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::{Cli, Failed, Outcome};
use crate::compare::Why;

/// Arguments of `plumb man`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The command whose page is printed, such as: local up. None: that of plumb itself.
    #[arg(conflicts_with = "directory")]
    command: Vec<String>,
    /// Write every page into this directory, as `plumb-status.1` and the like.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    directory: Option<PathBuf>,
}

/// Runs `plumb man`.
pub(super) fn run(args: &Args) -> Result<Outcome, Failed> {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    if let Some(directory) = &args.directory {
        let told = |error: &dyn std::fmt::Display| {
            Why::new(format!("cannot write the manual pages into {}: {error}", directory.display()))
        };
        std::fs::create_dir_all(directory).map_err(|error| told(&error))?;
        write_all(&root, directory).map_err(|error| told(&error))?;
        return Ok(Outcome::Clean);
    }
    let (mut command, mut name) = (&root, String::from("plumb"));
    for word in &args.command {
        command = command.find_subcommand(word).ok_or_else(|| {
            Why::new(format!("there is no command {name} {word}")).hint(format!("{name} --help names them"))
        })?;
        name = format!("{name} {word}");
    }
    page(command, &mut std::io::stdout().lock())?;
    Ok(Outcome::Clean)
}

fn write_all(command: &clap::Command, directory: &Path) -> std::io::Result<()> {
    let mut file = std::fs::File::create(directory.join(format!("{}.1", page_name(command))))?;
    page(command, &mut file)?;
    let mut visible = command.get_subcommands().filter(|command| !command.is_hide_set());
    visible.try_for_each(|command| write_all(command, directory))
}

/// As `man` is asked for it: `plumb-local-up`.
fn page_name(command: &clap::Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn page(command: &clap::Command, out: &mut dyn Write) -> std::io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(out)
}
