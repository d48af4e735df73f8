//! Config that is changed: `set`, `unset`, `import`.

use std::path::PathBuf;

use super::super::{Failed, Outcome, Shared, clean, say};
use super::read::FormArg;
use super::{Mac, Which, typed, with_keys};
use crate::compare::Why;
use crate::ops::config::{self, Input, Layer, Opener};
use crate::secret::Secret;

/// Arguments of `plumb config set`.
#[derive(Debug, clap::Args)]
pub(crate) struct SetArgs {
    #[command(flatten)]
    which: Which,
    /// The key; db/pool is pool below db.
    key: String,
    /// Read the value from stdin; one newline at its end is no part of it.
    #[arg(long)]
    value_stdin: bool,
    /// The value is JSON: a number, a list, null. Without this it is a text, or stays the number or boolean that it was.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    mac: Mac,
}

/// Arguments of `plumb config unset`.
#[derive(Debug, clap::Args)]
pub(crate) struct UnsetArgs {
    #[command(flatten)]
    which: Which,
    /// The key.
    key: String,
    #[command(flatten)]
    mac: Mac,
}

/// Arguments of `plumb config import`.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    which: Which,
    /// The file; without one, or as "-", stdin.
    #[arg(value_hint = clap::ValueHint::FilePath)]
    input: Option<PathBuf>,
    /// chamber's JSON, or dotenv.
    #[arg(long, value_enum, default_value_t = FormArg::Json)]
    format: FormArg,
    #[command(flatten)]
    mac: Mac,
}

/// Does something to a layer; the answer comes with the name of its file.
async fn to_layer<T: Send + 'static>(
    shared: &Shared,
    which: &Which,
    mac: Mac,
    work: impl FnOnce(&Opener, &Layer) -> Result<T, Why> + Send + 'static,
) -> Result<(T, String), Failed> {
    let settings = which.settings(shared)?;
    let (of_work, Which { service, layer }) = (settings.clone(), which.clone());
    let work = move |opener: &Opener| {
        let layer = Layer::find(&of_work, &service, &layer)?;
        Ok((work(opener, &layer)?, layer.file))
    };
    with_keys(shared, &settings, mac, work).await
}

/// Runs `plumb config set`.
pub(super) async fn set(shared: &Shared, args: &SetArgs) -> Result<Outcome, Failed> {
    // What would fail anyway fails before a value is typed.
    let (settings, which) = (args.which.settings(shared)?, args.which.clone());
    config::blocking(move || Layer::find(&settings, &which.service, &which.layer)).await?;
    let text = typed::value(args.value_stdin, format!("{} in {}", clean(&args.key), clean(&args.which.layer))).await?;
    let input = if args.json { Input::Json(text) } else { Input::Text(text) };
    let key = args.key.clone();
    let (changed, file) =
        to_layer(shared, &args.which, args.mac, move |opener, layer| config::set(opener, layer, &key, &input)).await?;
    say!("{} {} in {}", if changed { "set" } else { "unchanged:" }, clean(&args.key), clean(&file));
    Ok(Outcome::Clean)
}

/// Runs `plumb config unset`.
pub(super) async fn unset(shared: &Shared, args: &UnsetArgs) -> Result<Outcome, Failed> {
    let key = args.key.clone();
    let work = move |opener: &Opener, layer: &Layer| config::unset(opener, layer, &key);
    let (_, file) = to_layer(shared, &args.which, args.mac, work).await?;
    say!("removed {} from {}", clean(&args.key), clean(&file));
    Ok(Outcome::Clean)
}

/// Runs `plumb config import`.
pub(super) async fn import(shared: &Shared, args: &ImportArgs) -> Result<Outcome, Failed> {
    let text = match args.input.as_deref().filter(|path| path.as_os_str() != "-") {
        Some(path) => {
            let told = |error: std::io::Error| Why::new(format!("cannot read {}: {error}", path.display()));
            Secret::new(std::fs::read_to_string(path).map_err(told)?)
        }
        None => typed::stdin().await?,
    };
    let form = args.format.form();
    let work = move |opener: &Opener, layer: &Layer| config::import(opener, layer, &text, form);
    let (carried, file) = to_layer(shared, &args.which, args.mac, work).await?;
    let config::Carried { added, changed, same } = carried;
    say!("{}: {added} added, {changed} changed, {same} the same", clean(&file));
    Ok(Outcome::Clean)
}
