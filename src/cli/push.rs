//! `plumb push`: makes parameters and secrets say what a commit says.

mod json;
mod text;
mod told;

use clap_complete::ArgValueCandidates;

use super::consent::{Asks, Consent, Deed};
use super::markdown::{self, Form};
use super::{Failed, Outcome, Progress, Shared, clean, print_json, say, values};
use crate::compare::Why;
use crate::ops::journal::Entry;
use crate::ops::patience;
use crate::ops::push::{self, Ask, Plan, Pushed};
use crate::ops::schema::time;
use crate::ops::session::Session;

pub(super) use text::destination;
pub(super) use told::Telling;

/// Arguments of `plumb push`.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags of a command line")]
pub(crate) struct Args {
    /// Only these services, and `secrets`. Default: all.
    #[arg(value_name = "SERVICE", conflicts_with = "resume", add = ArgValueCandidates::new(values::services))]
    services: Vec<String>,
    /// Work the plan out, show it, and write nothing.
    #[arg(long, conflicts_with_all = ["resume", "yes", "unlock"])]
    dry_run: bool,
    /// Delete what git no longer has, if a receipt or this project's tag claims it.
    #[arg(long, conflicts_with = "resume")]
    prune: bool,
    /// Afterwards start the functions anew that read what was written, as far as templates tell and leave it to Plumb.
    #[arg(long, conflicts_with = "resume")]
    restart_readers: bool,
    /// Go on with the last write, which was cut off.
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    consent: Consent,
    /// Text, JSON, or Markdown of a dry run, for a pull request.
    #[arg(long, short, value_enum, default_value_t = Form::Text)]
    output: Form,
}

/// Runs `plumb push`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    markdown::of_dry_runs(args.output, args.dry_run)?;
    if args.resume {
        return Box::pin(resume(shared, args)).await;
    }
    let asked = Asked { command: "push", consent: &args.consent, dry_run: args.dry_run, output: args.output };
    let (session, planner) = asked.sessions(shared).await?;
    let ask =
        Ask { reference: None, services: args.services.clone(), prune: args.prune, restart: args.restart_readers };
    say!("comparing {} with {}", clean(&session.environment().name), clean(&session.reference()));
    let plan = planned(&planner, Box::pin(push::plan(&planner, &ask))).await?;
    Box::pin(carry_out(shared, &session, &plan, asked)).await
}

/// How a plan is to be carried out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The command's name.
    pub(super) command: &'a str,
    pub(super) consent: &'a Consent,
    pub(super) dry_run: bool,
    pub(super) output: Form,
}

impl Asked<'_> {
    /// The environment, and the same as whoever plans: as it would be written, where that is allowed; else, for a dry
    /// run, as far as whoever reads can tell. It has to be named, so that nobody writes to a default.
    pub(super) async fn sessions(&self, shared: &Shared) -> Result<(Session, Session), Failed> {
        if !shared.names_environment() {
            let why = Why::new("which environment is to be written to?");
            return Err(why
                .hint(format!("plumb {} --env NAME; --dry-run shows what would be written", self.command))
                .into());
        }
        let session = shared.session().await?;
        let planner = match self.consent.check(&session).await {
            Ok((writer, _)) => writer,
            Err(_) if self.dry_run => session.clone(),
            Err(failed) => return Err(failed),
        };
        Ok((session, planner))
    }

    /// The session that may do it, once that is confirmed.
    async fn obtain(&self, session: &Session, does: &str) -> Result<Session, Failed> {
        self.consent.obtain(session, Deed { command: self.command, does, asks: Asks::Always }).await
    }
}

/// A plan, while it is told what is waited for.
pub(super) async fn planned(planner: &Session, work: impl Future<Output = Result<Plan, Why>>) -> Result<Plan, Failed> {
    let progress = Progress::begin();
    Ok(patience::wait(planner, &|text| progress.tell(text), work).await??)
}

/// Shows a plan, has it confirmed, writes it, and says what came of it.
pub(super) async fn carry_out(
    shared: &Shared,
    session: &Session,
    plan: &Plan,
    asked: Asked<'_>,
) -> Result<Outcome, Failed> {
    let done = if asked.output == Form::Markdown {
        text::markdown(&mut std::io::stdout().lock(), session, plan)?;
        None
    } else if asked.output == Form::Text {
        text::plan(&mut std::io::stdout().lock(), session, plan)?;
        write(session, plan, asked).await?
    } else {
        if !asked.dry_run && !plan.is_empty() {
            // Whoever confirms has to see what; the JSON is for the script.
            text::plan(&mut std::io::stderr().lock(), session, plan)?;
        }
        let done = write(session, plan, asked).await?;
        print_json(&json::of(session, plan, done.as_ref()))?;
        done
    };
    if let (Form::Text, Some(done)) = (asked.output, &done) {
        text::done(&mut std::io::stdout().lock(), session, done)?;
    }
    note(done.as_ref());
    shared.stats(session);
    Ok(match done {
        Some(_) if !plan.problems.is_empty() => Outcome::Problem,
        Some(done) => outcome(&done),
        None if !plan.unknown.is_empty() || !plan.problems.is_empty() => Outcome::Problem,
        None if plan.changes.is_empty() => Outcome::Clean,
        None => Outcome::Differences,
    })
}

/// Writes a plan once it is confirmed; `None`: there is nothing to write, or it is a dry run.
async fn write(session: &Session, plan: &Plan, asked: Asked<'_>) -> Result<Option<Pushed>, Failed> {
    if asked.dry_run {
        return Ok(None);
    }
    if plan.is_empty() {
        // What is undone although nothing of it was written needs no more than a note in the journal.
        if plan.undoes.is_some() {
            Box::pin(push::apply(session, plan, &|_| ())).await?;
        }
        return Ok(None);
    }
    let writer = asked.obtain(session, &text::intent(plan)).await?;
    let telling = Telling::new();
    let done = Box::pin(push::apply(&writer, plan, &|progress| telling.tell(progress))).await;
    telling.end();
    Ok(Some(done?))
}

/// 0: all of it was done. 2: something was not, or met a write of somebody else's.
fn outcome(done: &Pushed) -> Outcome {
    if done.is_whole() { Outcome::Clean } else { Outcome::Problem }
}

async fn resume(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    let asked = Asked { command: "push --resume", consent: &args.consent, dry_run: false, output: args.output };
    let (session, _) = asked.sessions(shared).await?;
    let Some(entry) = push::unfinished(&session)? else {
        say!("nothing was cut off");
        return Ok(Outcome::Clean);
    };
    say!("{}", left(&entry));
    let writer = asked.obtain(&session, "go on with it").await?;
    let telling = Telling::new();
    let done = Box::pin(push::resume(&writer, &entry, &|progress| telling.tell(progress))).await;
    telling.end();
    let done = done?;
    match args.output {
        Form::Json => print_json(&json::of_done(&session, &entry, &done))?,
        Form::Text | Form::Markdown => text::done(&mut std::io::stdout().lock(), &session, &done)?,
    }
    note(Some(&done));
    shared.stats(&session);
    Ok(outcome(&done))
}

/// Says why the journal does not hold what was done, if so.
fn note(done: Option<&Pushed>) {
    if let Some(why) = done.and_then(|done| done.untold.as_ref()) {
        say!("note: {}", clean(&why.reason));
    }
}

/// What is known of a write that was cut off.
fn left(entry: &Entry) -> String {
    use crate::ops::journal::Mark;

    let count = |wanted: fn(&Mark) -> bool| entry.marks.values().filter(|mark| wanted(mark)).count();
    let (done, sent) =
        (count(|mark| matches!(mark, Mark::Done(_) | Mark::Failed)), count(|mark| matches!(mark, Mark::Sent)));
    format!(
        "the {} {} of {} was cut off: {done} of {} settled, {sent} may be done",
        entry.action.word(),
        entry.id,
        time(entry.at),
        entry.steps.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Why;

    #[test]
    fn what_was_not_written_or_met_another_write_is_a_problem() {
        assert_eq!(outcome(&Pushed::default()), Outcome::Clean);
        let failed = Pushed { failed: vec![("a".into(), Why::new("denied"))], ..Pushed::default() };
        assert_eq!(outcome(&failed), Outcome::Problem);
        let race = push::Race { name: "a".into(), told: String::new(), hint: String::new() };
        assert_eq!(outcome(&Pushed { races: vec![race], ..Pushed::default() }), Outcome::Problem);
    }
}
