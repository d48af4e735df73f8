//! `plumb demo`: a project that has really drifted, on the local account.

use std::io::Write;
use std::path::PathBuf;

use super::{Failed, Open, Outcome, Output, Shared, print_json, say, shared};
use crate::compare::Why;
use crate::config::Environ;
use crate::ops::demo::{self, Demo, ENVIRONMENT, Options};
use crate::ops::journal::Journal;
use crate::ops::local::{self, Paths};

/// Arguments of `plumb demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Do all but open the console, and leave the account running: `plumb local down` ends it.
    #[arg(long)]
    script: bool,
    /// Keep the project's directory when the console is closed.
    #[arg(long)]
    keep: bool,
    /// Leave out the tour of the console, which is shown once on a machine.
    #[arg(long)]
    no_tour: bool,
    /// Text or JSON, with --script.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Runs `plumb demo`.
pub(crate) async fn run(shared: &Shared, args: &Args, open: Open) -> Result<Outcome, Failed> {
    if !args.script {
        // Told before minutes are spent on it.
        shared.has_terminal()?;
    }
    let data = shared.directories().data()?;
    let state = shared.directories().state()?;
    let folder = tempfile::Builder::new()
        .prefix("plumb-demo-")
        .tempdir()
        .map_err(|error| Why::new(format!("cannot make a directory for the demo: {error}")))?;
    // A script's account is the one that `plumb local down` ends; the console's own ends with it.
    let state = if args.script { state.join("local") } else { folder.path().join("state") };
    let paths = Paths { data: data.clone(), state };
    if args.script
        && let Ok(local::Status::Running(running)) = local::status(&paths).await
    {
        let why = Why::new(format!("a local account runs already, on port {}", running.port));
        return Err(why.hint("plumb local down, then again").into());
    }
    // The writes to an account that ends with the console are of no interest after it.
    let journal = if args.script { shared.journal()? } else { Journal::in_directory(folder.path()) };
    let options = Options {
        directory: folder.path().to_owned(),
        paths: paths.clone(),
        journal: journal.clone(),
        stay: args.script,
    };
    let demo = tokio::select! {
        demo = demo::make(&options, &|line| say!("{}", shared::lines(&line))) => demo?,
        _ = tokio::signal::ctrl_c() => return Err(Failed::Interrupted),
    };
    if args.script {
        // The directory stays, since the account that belongs to it does.
        let _ = folder.keep();
        print(&demo, &paths, args.output)?;
        return Ok(Outcome::Clean);
    }
    let environ = Environ(
        shared
            .environ
            .0
            .clone()
            .into_iter()
            .filter(|(name, _)| !name.starts_with("AWS_") && !name.starts_with("PLUMB_") || name == "PLUMB_STATE_DIR")
            .chain([("SOPS_AGE_KEY_FILE".to_owned(), demo.age_key_file.display().to_string())])
            .collect(),
    );
    let mut console = shared.elsewhere(&demo.project_dir, ENVIRONMENT, environ, demo.credentials(), journal);
    console.tour = !args.no_tour;
    let outcome = open(console).await;
    // The account writes into the directory until it has ended.
    let ended = local::down(&paths).await.map_err(|error| Why::new(error.to_string()));
    if args.keep {
        let kept: PathBuf = folder.keep();
        say!("kept: {}", kept.join("petshop").display());
        let _ = std::fs::remove_dir_all(&paths.state);
    } else {
        folder.close().map_err(|error| Why::new(format!("cannot remove the demo's directory: {error}")))?;
    }
    ended?;
    outcome
}

fn print(demo: &Demo, paths: &Paths, output: Output) -> Result<(), Failed> {
    let account = &demo.account;
    let mut out = std::io::stdout().lock();
    if output == Output::Json {
        drop(out);
        return print_json(&serde_json::json!({
            "project_dir": demo.project_dir,
            "environment": ENVIRONMENT,
            "endpoint_url": account.endpoint_url,
            "region": account.region,
            "account": account.account,
            "access_key_id": account.access_key_id,
            "secret_access_key": account.secret_access_key,
            "age_key_file": demo.age_key_file,
        }));
    }
    writeln!(out, "cd {}", demo.project_dir.display())?;
    write!(out, "{}", local::exports(paths, account))?;
    writeln!(out, "plumb status --env {ENVIRONMENT}")?;
    Ok(())
}
