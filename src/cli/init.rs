//! `plumb init`: a project's beginning, by flags or questions; and the token that its loop asks GitHub with.

mod ask;
mod token;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use self::ask::Asker;
use super::consent::Consent;
use super::{Failed, Outcome, Shared, clean, say, shared};
use crate::compare::{Line, Why, text_rows};
use crate::config as settings;
use crate::ops::config::{self, Opener};
use crate::ops::init::{self, Credentials, File, Guess, Proposal, Wish, Workflows};

/// Arguments of `plumb init`.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags of a command line")]
pub(crate) struct Args {
    /// The directory; made when it is not there. Default: the current one.
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    directory: Option<PathBuf>,
    /// Write plumb.toml and nothing else.
    #[arg(long, conflicts_with_all = ["name", "environments", "age", "kms", "new_key", "lambda", "healing", "deployer", "hooks",
        "workflows", "credentials", "branch", "overwrite", "github_token"])]
    minimal: bool,
    /// The project's name. Default: that of the directory.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The environments, where none can be guessed.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "dev")]
    environments: Vec<String>,
    /// An age recipient who can open the project's documents. Default: those of the keys at hand.
    #[arg(long, value_name = "RECIPIENT", value_parser = recipient)]
    age: Vec<String>,
    /// The ARN of a KMS key that opens them.
    #[arg(long, value_name = "ARN", value_parser = key_arn)]
    kms: Vec<String>,
    /// Make an age key where there is none, where sops keeps its own.
    #[arg(long)]
    new_key: bool,
    /// Write the crypto API's functions out, with their template and a stack for them.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    lambda: Option<bool>,
    /// Write the loop's function out, with a stack for it, which tells of what is changed behind git's back.
    #[arg(long = "loop", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    healing: Option<bool>,
    /// Who rolls out, for the loop, which tells of what anybody else changes. Default: the role of `plumb bootstrap`; wanted
    /// where the workflows have keys.
    #[arg(long, value_name = "ARN", value_parser = deployer)]
    deployer: Vec<String>,
    /// Teach this clone's git to refuse plain text, and to show and merge documents by their values.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    hooks: Option<bool>,
    /// Write .github/workflows/deploy.yml and check.yml.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    workflows: Option<bool>,
    /// How the workflows get at AWS.
    #[arg(long, value_enum, value_name = "WAY", default_value_t = Way::Oidc)]
    credentials: Way,
    /// The branch that is rolled out.
    #[arg(long, value_name = "NAME", default_value = "main", value_parser = branch)]
    branch: String,
    /// Replace files that differ, after showing how.
    #[arg(long)]
    overwrite: bool,
    /// Put the token that the loop asks GitHub with into its secret, and do nothing else. It is read from stdin, or typed.
    #[arg(long)]
    github_token: bool,
    #[command(flatten)]
    token: token::Options,
    #[command(flatten)]
    consent: Consent,
}

/// How the workflows get at AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Way {
    /// By a role that trusts GitHub's tokens.
    Oidc,
    /// By the repository secrets AWS_ACCESS_KEY and AWS_SECRET_KEY.
    Secrets,
}

fn recipient(text: &str) -> Result<String, String> {
    let is_one = text.starts_with("age1") && text.len() > 50 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_one { Ok(text.to_owned()) } else { Err("a recipient begins with age1".to_owned()) }
}

fn key_arn(text: &str) -> Result<String, String> {
    let is_one = text.starts_with("arn:") && text.contains(":kms:") && !text.contains([' ', ',', '\'', '"', '\n']);
    if is_one { Ok(text.to_owned()) } else { Err("the ARN of a key or an alias is wanted".to_owned()) }
}

fn deployer(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let is_account =
        |text: &str| text == "{account}" || (text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()));
    let is_name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=.@_/-".contains(&byte));
    match parts[..] {
        ["arn", partition, "iam", "", account, who]
            if partition.starts_with("aws")
                && is_account(account)
                && ["role/", "user/"].iter().any(|kind| who.len() > kind.len() && who.starts_with(kind))
                && is_name(partition)
                && is_name(who) =>
        {
            Ok(text.to_owned())
        }
        _ => Err("the ARN of a role or a user is wanted: arn:aws:iam::ACCOUNT:user/NAME".to_owned()),
    }
}

fn branch(text: &str) -> Result<String, String> {
    let is_one = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
    if is_one { Ok(text.to_owned()) } else { Err("a branch's name is wanted".to_owned()) }
}

/// Runs `plumb init`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    let directory = match &args.directory {
        Some(directory) => directory.clone(),
        None => shared::here()?,
    };
    if args.github_token {
        return token::store(shared, &args.token, &args.consent).await;
    }
    if args.minimal {
        return minimal(directory).await;
    }
    let asker = Asker::new(args.consent.is_given())?;
    let wish = wish(shared, args, &asker).await?;
    let hooks = asker.choose(args.hooks, "Teach this clone's git to refuse plain text (hooks)?", false).await?;
    let opener = Opener::new(&shared.keys(), &shared.access(), None, false);
    let proposal = config::blocking(move || init::propose(&directory, &wish, &opener)).await?;
    let agreed = show(&proposal, args.overwrite, &asker).await?;
    let (proposal, agreed) = config::blocking(move || {
        init::write(&proposal, &|file| agreed.contains(&file.path))?;
        Ok((proposal, agreed))
    })
    .await?;
    if hooks {
        for line in install(&proposal.directory).await? {
            say!("{}", clean(&line));
        }
    }
    for note in &proposal.notes {
        say!("note: {}", clean(note));
    }
    let left: Vec<&File> =
        proposal.files.iter().filter(|file| file.differs() && !agreed.contains(&file.path)).collect();
    if left.is_empty() {
        say!("next: plumb map --all, git commit, plumb bootstrap --env NAME, then set what the workflows' heads name");
        return Ok(Outcome::Clean);
    }
    for file in left {
        say!("plumb: {} is there already and was not touched; above is how it differs", clean(&file.name));
    }
    say!("try: --overwrite, which replaces them");
    Ok(Outcome::Differences)
}

/// What is wanted, by flags and, at a terminal, by questions for what no flag says.
async fn wish(shared: &Shared, args: &Args, asker: &Asker) -> Result<Wish, Failed> {
    let mut recipients = [&args.age[..], &args.kms[..]].concat();
    if recipients.is_empty() {
        recipients = shared.keys().recipients();
    }
    let question = "There is no age key yet, so documents could not be encrypted. Make one?";
    if recipients.is_empty() && asker.choose(args.new_key.then_some(true), question, false).await? {
        let (path, recipient) = init::new_key(&shared.environ)?;
        say!(
            "made {}: whoever has this file can open the documents, and nobody without it",
            clean(&path.display().to_string())
        );
        recipients.push(recipient);
    }
    let lambda =
        asker.choose(args.lambda, "Write the crypto API's functions out, with a stack for them?", false).await?;
    let question = "Write the loop out that tells of changes behind git's back, with a stack for it?";
    let healing = asker.choose(args.healing, question, false).await?;
    let workflows = asker.choose(args.workflows, "Write GitHub workflows that deploy and check?", false).await?;
    let credentials = match args.credentials {
        Way::Oidc => Credentials::Oidc,
        Way::Secrets => Credentials::Secrets,
    };
    let flags = shared.flags();
    Ok(Wish {
        name: args.name.clone(),
        environments: args.environments.clone(),
        region: flags.region,
        endpoint: flags.endpoint_url,
        recipients,
        lambda,
        healing,
        deployers: args.deployer.clone(),
        workflows: workflows.then(|| Workflows { credentials, branch: args.branch.clone() }),
    })
}

/// Says what would be written, and how what is there differs; answers which of these files are to be replaced.
async fn show(proposal: &Proposal, overwrite: bool, asker: &Asker) -> Result<Vec<PathBuf>, Failed> {
    let mut agreed = Vec::new();
    if proposal.begins.is_some() {
        writeln!(std::io::stdout(), "new     .git")?;
    }
    for file in &proposal.files {
        let name = clean(&file.name);
        match &file.before {
            None => writeln!(std::io::stdout(), "new     {name}")?,
            Some(before) if *before == file.bytes => writeln!(std::io::stdout(), "same    {name}")?,
            Some(before) => {
                let (old, new) = (String::from_utf8_lossy(before), String::from_utf8_lossy(&file.bytes));
                {
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "differs {name}\n--- {name}\n+++ {name}")?;
                    changes(&mut out, &old, &new)?;
                }
                if overwrite || asker.choose(None, &format!("Replace {name}?"), false).await? {
                    agreed.push(file.path.clone());
                }
            }
        }
    }
    Ok(agreed)
}

/// Teaches the repository that a directory lies in.
async fn install(directory: &Path) -> Result<Vec<String>, Failed> {
    let (project, _) = settings::load_project(&directory.join(settings::PROJECT_FILE), settings::PROJECT_FILE)?;
    let program =
        std::env::current_exe().map_err(|error| Why::new(format!("cannot tell where plumb lies: {error}")))?;
    let directory = directory.to_owned();
    Ok(config::blocking(move || config::install(&project, Some(&directory), &program)).await?)
}

async fn minimal(directory: PathBuf) -> Result<Outcome, Failed> {
    let guess = tokio::task::spawn_blocking(move || init::init(&directory))
        .await
        .map_err(|error| Why::new(format!("an internal task failed: {error}")))??;
    let mut out = std::io::stdout().lock();
    let Guess { path, text, existing } = &guess;
    let path = path.display();
    match existing {
        None => {
            out.write_all(text.as_bytes())?;
            say!("wrote {path}: look at each comment, then try: plumb map --all, plumb doctor, plumb status");
            Ok(Outcome::Clean)
        }
        Some(existing) if existing == text => {
            say!("{path} is there, and says what would be guessed");
            Ok(Outcome::Clean)
        }
        Some(existing) => {
            writeln!(out, "--- {path}\n+++ guessed")?;
            changes(&mut out, existing, text)?;
            say!("plumb: {path} is there already and was not touched; above is what would be guessed");
            Ok(Outcome::Problem)
        }
    }
}

fn changes(out: &mut impl Write, old: &str, new: &str) -> std::io::Result<()> {
    let text = |line: &Line<'_>| line.segments.iter().map(|segment| segment.text).collect::<String>();
    for row in text_rows(old, new) {
        let (left, right) = (row.left.as_ref().map(text), row.right.as_ref().map(text));
        match (row.equal, left, right) {
            (true, Some(line), _) => writeln!(out, " {}", super::clean(&line))?,
            (_, left, right) => {
                if let Some(line) = left {
                    writeln!(out, "-{}", super::clean(&line))?;
                }
                if let Some(line) = right {
                    writeln!(out, "+{}", super::clean(&line))?;
                }
            }
        }
    }
    Ok(())
}
