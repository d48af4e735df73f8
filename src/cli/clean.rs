//! `plumb clean`: deletes a stack, after showing all that goes with it.

use std::io::{self, Write};

use clap_complete::ArgValueCandidates;
use serde::Serialize;

use super::consent::{Asks, Deed, How};
use super::deploy::{EndedJson, interruptible, stoppable, told};
use super::table::Table;
use super::{Failed, Outcome, Output, Shared, clean, print_json, say, values};
use crate::compare::Why;
use crate::ops::deploy::{self, Cleaned, Cleaning, Fate, Going};
use crate::ops::schema::VERSION;
use crate::ops::session::Session;
use crate::secret::Secret;

/// Arguments of `plumb clean`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The stack.
    #[arg(value_name = "STACK", add = ArgValueCandidates::new(values::stacks))]
    // `stack` is the option that looks at one without a project.
    name: String,
    /// Delete, too, what is kept in the state bucket and nothing else needs: artifacts, packaged files, templates.
    #[arg(long)]
    with_artifacts: bool,
    /// Delete the stack although it is protected from that.
    #[arg(long)]
    unprotect: bool,
    #[command(flatten)]
    how: How,
}

#[derive(Serialize)]
struct CleanJson<'a> {
    version: u32,
    environment: &'a str,
    stack: &'a str,
    protected: bool,
    resources: Vec<GoingJson<'a>>,
    artifacts: Vec<&'a str>,
    receipt: bool,
    ended: Option<EndedJson<'a>>,
    notes: Vec<&'a str>,
    problem: Option<&'a str>,
}

#[derive(Serialize)]
struct GoingJson<'a> {
    logical_id: &'a str,
    #[serde(rename = "type")]
    type_name: &'a str,
    physical_id: Option<&'a str>,
    /// `deleted`, `retained` or `snapshot`.
    fate: &'static str,
    destroys: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    objects: Option<usize>,
}

/// Runs `plumb clean`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    if !shared.names_environment() {
        return Err(Why::new("in which environment is the stack?").hint("plumb clean STACK --env NAME").into());
    }
    let session = shared.session().await?;
    let stack = &args.name;
    let Some(cleaning) = interruptible(Box::pin(deploy::cleaning(&session, stack, args.with_artifacts))).await?? else {
        return Err(Why::new(format!("there is no stack {}", clean(stack))).into());
    };
    if args.how.output == Output::Text {
        show(&mut io::stdout().lock(), &cleaning)?;
    } else if !args.how.dry_run {
        show(&mut io::stderr().lock(), &cleaning)?;
    }
    let cleaned = if args.how.dry_run {
        None
    } else {
        if cleaning.stack.termination_protection && !args.unprotect {
            let why = Why::new(format!("refused: {} is protected from being deleted", clean(stack)));
            return Err(why.hint("--unprotect takes its termination protection off first").into());
        }
        let does = format!("delete {stack} and what is shown to go");
        let deed = Deed { command: "clean", does: &does, asks: Asks::Named(stack) };
        let writer = interruptible(args.how.consent.obtain(&session, deed)).await??;
        let (cleaned, is_stopped) =
            stoppable(|stop| Box::pin(deploy::clean(&writer, &cleaning, args.unprotect, &told::progress, stop)))
                .await?;
        match cleaned {
            Err(why) if is_stopped => {
                Failed::from(why).print();
                return Err(Failed::Interrupted);
            }
            cleaned => Some(cleaned?),
        }
    };
    let failure = cleaned.as_ref().and_then(|cleaned| cleaned.ended.failure.as_ref());
    let log = told::log(&session, stack, failure).await;
    if args.how.output == Output::Json {
        print_json(&json(&session, &cleaning, cleaned.as_ref(), &log))?;
    }
    shared.stats(&session);
    let Some(cleaned) = cleaned else { return Ok(Outcome::Differences) };
    for note in &cleaned.notes {
        say!("{}", clean(note));
    }
    if let Some(why) = &cleaned.untold {
        say!("note: {}", clean(&why.reason));
    }
    if let Some(why) = cleaned.failed {
        return Err(why.into());
    }
    say!("{} is deleted", clean(stack));
    Ok(Outcome::Clean)
}

fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Deleted | Fate::Kept => "deleted",
        Fate::Retained => "retained",
        Fate::Snapshot => "snapshot",
    }
}

fn show(out: &mut impl Write, cleaning: &Cleaning) -> io::Result<()> {
    let info = &cleaning.stack;
    let protected = if info.termination_protection { "   protected from being deleted" } else { "" };
    writeln!(out, "{}   {}{protected}", clean(&info.name), clean(&info.status))?;
    let mut table = Table::new();
    for going in &cleaning.resources {
        let (sign, word) = match going.fate {
            Fate::Retained => ('=', "stays"),
            Fate::Snapshot => ('-', "goes, after a snapshot"),
            Fate::Deleted | Fate::Kept => ('-', "goes"),
        };
        table.row([
            format!("{sign} {word}"),
            clean(&going.logical_id),
            clean(&going.type_name),
            going.physical_id.as_deref().map(clean).unwrap_or_default(),
            about(going),
        ]);
    }
    table.print(out, "  ")?;
    if let Some(artifacts) = &cleaning.artifacts {
        for key in &artifacts.keys {
            writeln!(out, "  - goes  s3://{}/{}", clean(&artifacts.bucket), clean(key))?;
        }
        for note in &artifacts.notes {
            writeln!(out, "  = {}", clean(note))?;
        }
    }
    if cleaning.recorded {
        writeln!(out, "  - goes  its receipt")?;
    }
    Ok(())
}

fn about(going: &Going) -> String {
    match (going.objects, going.destroys) {
        (Some(objects), _) => format!("! with {objects} versions of objects"),
        (None, true) => "! with its data".to_owned(),
        (None, false) => String::new(),
    }
}

fn json<'a>(
    session: &'a Session,
    cleaning: &'a Cleaning,
    cleaned: Option<&'a Cleaned>,
    log: &'a [Secret],
) -> CleanJson<'a> {
    let stack = cleaning.stack.name.as_str();
    let going = cleaning.resources.iter().map(|going| GoingJson {
        logical_id: &going.logical_id,
        type_name: &going.type_name,
        physical_id: going.physical_id.as_deref(),
        fate: word(going.fate),
        destroys: going.destroys,
        objects: going.objects,
    });
    let stays = cleaning.artifacts.iter().flat_map(|artifacts| &artifacts.notes);
    let done = cleaned.into_iter().flat_map(|cleaned| &cleaned.notes);
    let artifacts = cleaning.artifacts.as_ref().map(|artifacts| artifacts.keys.iter().map(String::as_str).collect());
    CleanJson {
        version: VERSION,
        environment: &session.environment().name,
        stack,
        protected: cleaning.stack.termination_protection,
        resources: going.collect(),
        artifacts: artifacts.unwrap_or_default(),
        receipt: cleaning.recorded,
        ended: cleaned.map(|cleaned| EndedJson::of(session, stack, &cleaned.ended, log)),
        notes: stays.chain(done).map(String::as_str).collect(),
        problem: cleaned.and_then(|cleaned| cleaned.failed.as_ref()).map(|why| why.reason.as_str()),
    }
}
