//! `plumb pipeline letters`: messages that were never decided on.

use std::io::{self, Write};

use super::{json, note};
use crate::cli::consent::{Asks, Deed, How};
use crate::cli::shared::lines;
use crate::cli::table::Table;
use crate::cli::{Failed, Outcome, Output, brief, clean, print_json, say};
use crate::ops::pipeline::Pipeline;
use crate::ops::pipeline::letters::{Letter, Letters};
use crate::ops::schema::time;
use crate::ops::session::Session;

/// What is said of a letter that may be published already.
const SENT: &str = "it may have been sent";

/// Arguments of `plumb pipeline letters`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The letter to open, by its id or the id's beginning. Default: list them all.
    letter: Option<String>,
    /// Publish its message again, and take the letter out of the queue.
    #[arg(long, requires = "letter")]
    replay: bool,
    #[command(flatten)]
    how: How,
}

pub(super) async fn run(session: &Session, args: &Args) -> Result<Outcome, Failed> {
    let pipeline = Pipeline::open(session).await?;
    let Some(id) = &args.letter else {
        let found = pipeline.letters().await?;
        for trouble in &found.troubles {
            say!("? {}", clean(&trouble.reason));
        }
        match args.how.output {
            Output::Json => print_json(&json::letters(&found.letters, &found.troubles))?,
            Output::Text => list(&found)?,
        }
        let is_empty = found.letters.is_empty() && found.troubles.is_empty();
        return Ok(if is_empty { Outcome::Clean } else { Outcome::Differences });
    };
    let letter = pipeline.letter(id).await?;
    if args.how.output == Output::Json {
        print_json(&json::letters(std::slice::from_ref(&letter), &[]))?;
    } else {
        open(&letter)?;
    }
    if letter.may_be_sent {
        say!("! {SENT}: look at plumb pipeline jobs before it is published again");
    }
    if !args.replay || args.how.dry_run {
        return Ok(Outcome::Differences);
    }
    if letter.text.is_some() && letter.message().is_none() {
        say!("note: this is no message that the pipeline reads, and it will refuse it again");
    }
    let does = format!("publish {} again", letter.id);
    let deed = Deed { command: "pipeline letters --replay", does: &does, asks: Asks::Protected };
    let writer = args.how.consent.obtain(session, deed).await?;
    let sent = pipeline.by(&writer).replay(&letter).await?;
    note(sent.untold.as_ref());
    say!("sent    {}", clean(&sent.id));
    Ok(Outcome::Clean)
}

fn list(found: &Letters) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if found.letters.is_empty() {
        return if found.troubles.is_empty() { writeln!(out, "there are no dead letters") } else { Ok(()) };
    }
    let mut table = Table::new();
    for letter in &found.letters {
        let asked = match (letter.message(), &letter.text) {
            (Some(message), _) => format!("{} {}", message.project, message.branch),
            (None, Some(text)) => format!("? {}", brief(text, 60)),
            (None, None) => "? no message".to_owned(),
        };
        let error = letter.error.as_deref().map(|error| brief(error, 80)).unwrap_or_default();
        let sent = if letter.may_be_sent { SENT.to_owned() } else { String::new() };
        table.row([letter.at.map(time).unwrap_or_default(), clean(&letter.id), asked, sent, error]);
    }
    table.print(&mut out, "")
}

fn open(letter: &Letter) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "letter   {}", clean(&letter.id))?;
    writeln!(out, "arrived  {}", letter.at.map(time).unwrap_or_default())?;
    writeln!(out, "message  {}", letter.message_id.as_deref().map(clean).unwrap_or_default())?;
    if let Some(error) = &letter.error {
        writeln!(out, "error    {}", clean(error))?;
    }
    writeln!(out, "{}", lines(letter.text.as_deref().unwrap_or(&letter.body)))
}
