//! How a command that writes is let to: `--yes` or what is typed, and `--unlock` where writing is refused.
//!
//! Every command that writes has these two options and makes one call, [`Consent::obtain`], before anything is sent.

use std::io::{IsTerminal, Write};

use super::{Failed, Output, clean, say};
use crate::compare::Why;
use crate::config::Protection;
use crate::ops::report::Identity;
use crate::ops::session::Session;
use crate::ops::unlock::{self, Span};

/// The options of a command that writes.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Consent {
    /// Write without asking.
    #[arg(long)]
    yes: bool,
    /// Write to a read-only environment, by this command alone. The journal keeps why.
    #[arg(long, value_name = "REASON")]
    unlock: Option<String>,
}

/// The options of a command that shows a plan, has it confirmed, and says what came of it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct How {
    /// Work it out, show it, and write nothing.
    #[arg(long, conflicts_with_all = ["yes", "unlock"])]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) consent: Consent,
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    pub(super) output: Output,
}

/// What a command is about to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deed<'a> {
    /// Its name, for the journal: `record`.
    pub(super) command: &'a str,
    /// What it does, as it follows "to": `write receipts of what is equal`.
    pub(super) does: &'a str,
    /// Who is asked.
    pub(super) asks: Asks<'a>,
}

/// When somebody is asked, unless `--yes` was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks<'a> {
    /// Where the environment is protected.
    Protected,
    /// Everywhere, since a plan was shown: an open environment wants `y`.
    Always,
    /// Everywhere, and this name is what is typed: what goes does not come back.
    Named(&'a str),
}

impl Consent {
    /// Whether `--yes` was said.
    pub(super) fn is_given(&self) -> bool {
        self.yes
    }

    /// The session that may do it, once the operator has agreed. Where the environment is protected its name is typed, at
    /// a terminal, or `--yes` stands for that; where it is read-only `--unlock` is needed as well.
    pub(super) async fn obtain(&self, session: &Session, deed: Deed<'_>) -> Result<Session, Failed> {
        self.confirm(session, deed).await?;
        self.open(session, deed.command).await
    }

    /// That the operator has agreed. For what was let to write already, to work out what is asked about.
    pub(super) async fn confirm(&self, session: &Session, deed: Deed<'_>) -> Result<(), Failed> {
        // What would be refused anyway is refused before anybody is asked.
        let (_, identity) = self.check(session).await?;
        let is_asked = deed.asks != Asks::Protected || session.environment().protection != Protection::Open;
        if !self.yes && is_asked {
            self.ask(session, &identity, deed).await?;
        }
        Ok(())
    }

    /// The session that may write, where nobody is asked yet: what is shown has to be made in the account first.
    pub(super) async fn open(&self, session: &Session, command: &str) -> Result<Session, Failed> {
        self.check(session).await?;
        let Some(reason) = &self.unlock else { return Ok(session.clone()) };
        let opened = unlock::unlock(session, &Span::Command(command.to_owned()), reason).await?;
        say!("unlocked for this command alone, as {}", clean(&opened.identity.arn));
        if let Some(why) = &opened.untold {
            say!("note: {}", clean(&why.reason));
        }
        Ok(opened.writer)
    }

    /// The environment as whoever would write to it, unless writing to it is refused whatever is typed.
    pub(super) async fn check(&self, session: &Session) -> Result<(Session, Identity), Failed> {
        let Some(reason) = &self.unlock else { return Ok(session.for_writing().await?) };
        unlock::check_reason(reason).map_err(|why| Why::new(format!("--unlock: {why}")))?;
        Ok(session.as_writer().await?)
    }

    /// Says where and as whom, and has the environment's name typed, or `y` where it is open.
    async fn ask(&self, session: &Session, identity: &Identity, deed: Deed<'_>) -> Result<(), Failed> {
        let environment = session.environment();
        let name = clean(&environment.name);
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            let why =
                Why::new(format!("refused: nobody confirms writing to {name}, since there is no terminal to ask at"));
            return Err(why.hint("--yes, which stands for typing its name").into());
        }
        let profile = environment.write_profile.as_ref().or(environment.profile.as_ref());
        let profile = profile.map(|profile| format!("   profile {}", clean(profile))).unwrap_or_default();
        let project = clean(&session.project().name);
        say!("to      {project} / {name}   account {}   {}", clean(&identity.account), clean(&identity.region));
        say!("as      {}{profile}", clean(&identity.arn));
        if let Some(reason) = &self.unlock {
            say!("unlock  {name} is read-only, and is not for this command: \"{}\"", clean(reason));
        }
        let wanted = match deed.asks {
            Asks::Named(name) => name,
            _ if environment.protection == Protection::Open => "y",
            _ => &environment.name,
        };
        // What was typed before anything was shown confirms nothing.
        let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
        let _ = write!(std::io::stderr(), "Type {} to {}: ", clean(wanted), clean(deed.does));
        let _ = std::io::stderr().flush();
        if line().await?.trim_end_matches(['\n', '\r']) == wanted {
            return Ok(());
        }
        Err(Why::new(format!("refused: writing to {name} was not confirmed, and nothing is written")).into())
    }
}

/// A line from the keyboard.
pub(super) async fn line() -> Result<String, Failed> {
    let (sender, answer) = tokio::sync::oneshot::channel();
    // Not the runtime's own thread for what blocks: that would keep the command from ending before a line is typed.
    std::thread::spawn(move || {
        let mut line = String::new();
        // Nobody listens any more once the command was interrupted.
        let _ = sender.send(std::io::stdin().read_line(&mut line).map(|_| line));
    });
    let read = answer.await.map_err(|_| Why::new("nothing can be read from the terminal"))?;
    Ok(read.map_err(|error| Why::new(format!("nothing can be read from the terminal: {error}")))?)
}
