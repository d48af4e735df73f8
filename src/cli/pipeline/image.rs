//! `plumb pipeline image`: the worker as a container image.

use std::io::{self, Write};
use std::path::PathBuf;

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
    /// The container file.
    #[arg(long, value_name = "FILE", default_value = "lambda/worker.Containerfile", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// The directory that it copies from.
    #[arg(long, value_name = "DIRECTORY", default_value = ".", value_hint = clap::ValueHint::DirPath)]
    context: PathBuf,
}

/// Arguments of `plumb pipeline image push`.
#[derive(Debug, clap::Args)]
pub(crate) struct PushArgs {
    /// The image's name, with a tag or not.
    #[arg(long, value_name = "NAME", default_value = "plumb-worker")]
    image: String,
    /// The repository in ECR, which is there already.
    #[arg(long, value_name = "NAME", default_value = "plumb-worker")]
    repository: String,
    #[command(flatten)]
    consent: Consent,
}

pub(super) async fn build(args: &BuildArgs) -> Result<Outcome, Failed> {
    let build = Build { file: args.file.clone(), context: args.context.clone(), image: args.image.clone() };
    say!("by {}", image::tool()?);
    image::build(&build).await?;
    writeln!(io::stdout().lock(), "{}", clean(&build.image))?;
    Ok(Outcome::Clean)
}

pub(super) async fn push(session: &Session, args: &PushArgs) -> Result<Outcome, Failed> {
    say!("by {}", image::tool()?);
    let does = format!("push {} to the account's registry", args.image);
    let deed = Deed { command: "pipeline image push", does: &does, asks: Asks::Protected };
    let writer = args.consent.obtain(session, deed).await?;
    let (target, untold) = image::push(&writer, &args.image, &args.repository).await?;
    note(untold.as_ref());
    writeln!(io::stdout().lock(), "{}", clean(&target))?;
    Ok(Outcome::Clean)
}
