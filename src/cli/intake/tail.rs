//! `plumb intake tail`: the last records, and with `--follow` those that come in.

use std::io::Write;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval};

use super::super::{Failed, Output, Progress, brief, clean, print_json, print_json_line, say};
use super::RecordJson;
use crate::compare::{Why, WhyKind};
use crate::ops::intake::{Intake, Record};
use crate::ops::patience;
use crate::ops::schema::VERSION;
use crate::ops::session::Session;

/// How often is asked for what has come in.
const LOOK: Duration = Duration::from_secs(2);

/// How much of a record a line has.
const LONGEST: usize = 200;

/// Arguments of `plumb intake tail`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many records.
    #[arg(short = 'n', long = "lines", value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=1000))]
    lines: u32,
    /// Go on with those that come in, until ^C.
    #[arg(long, short)]
    follow: bool,
    /// Text or JSON; JSON with --follow is an object per line.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    records: Vec<RecordJson<'a>>,
}

/// Runs `plumb intake tail`.
pub(super) async fn run(session: &Session, args: &Args) -> Result<(), Failed> {
    let progress = Progress::begin();
    let intake = Intake::open(session).await?;
    // Who wants none of them is told of those after the last one all the same.
    let last = intake.last(args.lines.max(1));
    let mut known = patience::wait(session, &|text| progress.tell(text), last).await??;
    drop(progress);
    known.reverse();
    let shown: &[Record] = if args.lines == 0 { &[] } else { &known };
    match (args.output, args.follow) {
        (Output::Json, false) => {
            let records = shown.iter().map(RecordJson::of).collect();
            return print_json(&Json { version: VERSION, records });
        }
        (output, _) => show(shown, output)?,
    }
    if args.follow { follow(&intake, &known, args.output).await } else { Ok(()) }
}

/// Goes on until somebody ends it. What does not answer for a while, or has no room, is asked again and told once.
async fn follow(intake: &Intake, known: &[Record], output: Output) -> Result<(), Failed> {
    let mut seen = intake.look_on(known);
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut trouble: Option<Why> = None;
    loop {
        look.tick().await;
        match intake.after(&mut seen).await {
            Ok(found) => {
                if trouble.take().is_some() {
                    say!("answered again");
                }
                show(&found, output)?;
            }
            Err(why) if matches!(why.kind, WhyKind::Network | WhyKind::Throttled) => {
                if trouble.is_none() {
                    say!("? {}; asking again", clean(&why.reason));
                }
                trouble = Some(why);
            }
            Err(why) => return Err(why.into()),
        }
    }
}

fn show(records: &[Record], output: Output) -> Result<(), Failed> {
    if output == Output::Json {
        return records.iter().try_for_each(|record| print_json_line(&RecordJson::of(record)));
    }
    let mut out = std::io::stdout().lock();
    for record in records {
        let (received, source) = (clean(&record.received), clean(&record.source));
        writeln!(out, "{received}  {}  {source}  {}", clean(&record.id), brief(&record.body, LONGEST))?;
    }
    Ok(out.flush()?)
}
