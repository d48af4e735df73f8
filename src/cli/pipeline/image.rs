//! `plumb pipeline image`: the worker as a container image.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::note;
use crate::cli::consent::{Asks, Consent, Deed};
use crate::cli::{Failed, Outcome, clean, say};
use crate::ops::pipeline::image::{self, Build};
use crate::ops::session::Session;

/// What to do with the image.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Build it by docker, podman or finch, whichever is there.
    Build(BuildArgs),
    /// Push it to a repository of the account's ECR.
    Push(PushArgs),
}

/// Arguments of `plumb pipeline image build`.
#[derive(Debug, clap::Args)]
pub(crate) struct BuildArgs {
    /// The image's name, with a tag or not.
    #[arg(long, value_name = "NAME", default_value = "plumb-worker")]
    image: String,
    /// The worker's executable. Default: the only plumb-worker-* in dist, where plumb lambda build --worker leaves it.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    worker: Option<PathBuf>,
    /// A container file of your own: it gets the argument WORKER, the executable's name in its own directory. Default: Plumb's.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
}

/// Arguments of `plumb pipeline image push`.
#[derive(Debug, clap::Args)]
pub(crate) struct PushArgs {
    /// The image's name, with a tag or not.
    #[arg(long, value_name = "NAME", default_value = "plumb-worker")]
    image: String,
    /// The repository in ECR, which is there already. Default: the name of the pipeline's stack, and -worker.
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
    #[command(flatten)]
    consent: Consent,
}

pub(super) async fn build(args: &BuildArgs) -> Result<Outcome, Failed> {
    let worker = args.worker.clone().map_or_else(|| image::worker(Path::new("dist")), Ok)?;
    say!("by {}, with {}", image::tool()?, clean(&worker.display().to_string()));
    let build = Build { worker, file: args.file.clone(), image: args.image.clone() };
    image::build(&build).await?;
    writeln!(io::stdout().lock(), "{}", clean(&build.image))?;
    Ok(Outcome::Clean)
}

pub(super) async fn push(session: &Session, args: &PushArgs) -> Result<Outcome, Failed> {
    let repository = match &args.repository {
        Some(repository) => repository.clone(),
        None => image::repository(session).await?,
    };
    say!("by {}", image::tool()?);
    let does = format!("push {} to {repository} of the account's registry", args.image);
    let deed = Deed { command: "pipeline image push", does: &does, asks: Asks::Protected };
    let writer = args.consent.obtain(session, deed).await?;
    let pushed = image::push(&writer, &args.image, &repository).await?;
    note(pushed.untold.as_ref());
    // What the template's WorkerImage takes.
    let place = match &pushed.exact {
        Ok(exact) => exact,
        Err(why) => {
            say!("note: it is pushed, and its digest is not known: {}", clean(&why.reason));
            &pushed.tagged
        }
    };
    writeln!(io::stdout().lock(), "{}", clean(place))?;
    Ok(if pushed.exact.is_ok() { Outcome::Clean } else { Outcome::Problem })
}
