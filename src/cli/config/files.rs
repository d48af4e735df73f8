//! Files by their name, within a project or not: `encrypt`, `decrypt`, `rotate`, `updatekeys`.

use std::io::Write as _;
use std::path::PathBuf;

use super::super::{Failed, Outcome, Shared, clean, say};
use super::{Mac, with_keys};
use crate::ops::config::{self, Opener};

const SURE: Mac = Mac { ignore_mac: false };

/// Arguments of `plumb config encrypt`.
#[derive(Debug, clap::Args)]
pub(crate) struct EncryptArgs {
    /// The file; its name tells its format, and which creation rule it has.
    #[arg(value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Put the result in the file's place instead of printing it.
    #[arg(long, short)]
    in_place: bool,
    /// Its format: json, yaml, dotenv, binary. Else its name tells. Decrypting has to be told the same.
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<String>,
}

/// Arguments of `plumb config decrypt`.
#[derive(Debug, clap::Args)]
pub(crate) struct DecryptArgs {
    /// The file.
    #[arg(value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Put the plain text in the file's place instead of printing it.
    #[arg(long, short)]
    in_place: bool,
    /// Its format: json, yaml, dotenv, binary. Else its name tells.
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<String>,
    #[command(flatten)]
    mac: Mac,
}

/// Arguments of `plumb config rotate`.
#[derive(Debug, clap::Args)]
pub(crate) struct RotateArgs {
    /// The files.
    #[arg(required = true, value_hint = clap::ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// Their format: json, yaml, dotenv, binary. Else their names tell.
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<String>,
    #[command(flatten)]
    mac: Mac,
}

/// Arguments of `plumb config updatekeys`.
#[derive(Debug, clap::Args)]
pub(crate) struct UpdatekeysArgs {
    /// The files.
    #[arg(required = true, value_hint = clap::ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// Their format: json, yaml, dotenv, binary. Else their names tell.
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<String>,
    #[command(flatten)]
    mac: Mac,
}

/// Runs `plumb config encrypt`.
pub(super) async fn encrypt(shared: &Shared, args: &EncryptArgs) -> Result<Outcome, Failed> {
    let (settings, file, in_place) = (shared.settings_of_files()?, args.file.clone(), args.in_place);
    let input_type = args.input_type.clone();
    let work = move |opener: &Opener| {
        if in_place {
            return config::encrypt_file(opener, &file, input_type.as_deref()).map(|()| None);
        }
        config::encrypt(opener, &file, input_type.as_deref()).map(Some)
    };
    if let Some(bytes) = with_keys(shared, &settings, SURE, work).await? {
        std::io::stdout().lock().write_all(&bytes)?;
    }
    Ok(Outcome::Clean)
}

/// Runs `plumb config decrypt`.
pub(super) async fn decrypt(shared: &Shared, args: &DecryptArgs) -> Result<Outcome, Failed> {
    let (settings, file, in_place) = (shared.settings_of_files()?, args.file.clone(), args.in_place);
    let input_type = args.input_type.clone();
    let work = move |opener: &Opener| {
        if in_place {
            return config::decrypt_file(opener, &file, input_type.as_deref()).map(|()| None);
        }
        config::decrypt(opener, &file, input_type.as_deref()).map(Some)
    };
    match with_keys(shared, &settings, args.mac, work).await? {
        Some(text) => std::io::stdout().lock().write_all(&text)?,
        None => say!("{} lies in plain text now", clean(&args.file.display().to_string())),
    }
    Ok(Outcome::Clean)
}

/// Runs `plumb config rotate`.
pub(super) async fn rotate(shared: &Shared, args: &RotateArgs) -> Result<Outcome, Failed> {
    let settings = shared.settings_of_files()?;
    for file in &args.files {
        let (of_work, kind) = (file.clone(), args.input_type.clone());
        let work = move |opener: &Opener| config::rotate(opener, &of_work, kind.as_deref());
        with_keys(shared, &settings, args.mac, work).await?;
        say!("{} has a new data key", clean(&file.display().to_string()));
    }
    Ok(Outcome::Clean)
}

/// Runs `plumb config updatekeys`.
pub(super) async fn update_keys(shared: &Shared, args: &UpdatekeysArgs) -> Result<Outcome, Failed> {
    let settings = shared.settings_of_files()?;
    for file in &args.files {
        let (of_work, kind) = (file.clone(), args.input_type.clone());
        let work = move |opener: &Opener| config::update_keys(opener, &of_work, kind.as_deref());
        let keyed = with_keys(shared, &settings, args.mac, work).await?;
        let name = clean(&file.display().to_string());
        say!("{name}{}", if keyed.changed { " has the recipients of its rule now" } else { " needs nothing" });
        for (mark, recipients) in [('+', &keyed.added), ('-', &keyed.removed)] {
            for recipient in recipients {
                say!("  {mark} {}", clean(recipient));
            }
        }
        if !keyed.removed.is_empty() {
            say!("whoever is gone may have kept the data key: plumb config rotate {name} for what comes");
        }
    }
    Ok(Outcome::Clean)
}
