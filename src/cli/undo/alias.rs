//! `plumb rollback STACK/FUNCTION`: a function's alias to its previous version.

use serde::Serialize;

use crate::cli::consent::{Asks, Deed};
use crate::cli::markdown::Form;
use crate::cli::push::Asked;
use crate::cli::{Failed, Outcome, Shared, clean, print_json, say};
use crate::ops::deploy::{self, Turn};
use crate::ops::schema::{VERSION, time};

#[derive(Serialize)]
struct TurnJson<'a> {
    version: u32,
    environment: &'a str,
    function: &'a str,
    alias: &'a str,
    from: &'a str,
    to: u64,
    code_sha256: &'a str,
    published_at: Option<String>,
    changes_code: Option<bool>,
    warnings: Vec<String>,
    written: bool,
}

/// Works it out, shows it, has it confirmed, and does it.
pub(super) async fn run(shared: &Shared, name: &str, to: Option<&str>, asked: Asked<'_>) -> Result<Outcome, Failed> {
    let (session, planner) = asked.sessions(shared).await?;
    let turn = deploy::turn(&planner, name, to).await?;
    show(&turn);
    let undone = undone(&session.environment().name);
    if turn.from != turn.to.number.to_string() {
        say!("! {}", clean(&undone));
    }
    let is_there = turn.from == turn.to.number.to_string();
    let written = !asked.dry_run && !is_there;
    if written {
        let does = format!("point {}:{} to version {}", turn.function, turn.alias, turn.to.number);
        let deed = Deed { command: asked.command, does: &does, asks: Asks::Always };
        let writer = asked.consent.obtain(&session, deed).await?;
        if let Some(why) = deploy::turn_back(&writer, &turn).await? {
            say!("note: {}", clean(&why.reason));
        }
        say!("{}:{} serves version {}", clean(&turn.function), clean(&turn.alias), turn.to.number);
    }
    if asked.output == Form::Json {
        print_json(&TurnJson {
            version: VERSION,
            environment: &session.environment().name,
            function: &turn.function,
            alias: &turn.alias,
            from: &turn.from,
            to: turn.to.number,
            code_sha256: &turn.to.code_sha256,
            published_at: turn.to.at.map(time),
            changes_code: turn.changes_code,
            warnings: if is_there { Vec::new() } else { vec![undone] },
            written,
        })?;
    }
    shared.stats(&session);
    Ok(if asked.dry_run && !is_there { Outcome::Differences } else { Outcome::Clean })
}

/// What the plan of a push says of a commit that is not the branch's.
fn undone(environment: &str) -> String {
    format!(
        "git still says the other version, and {environment} follows git: its workflow and its loop undo this, unless \
         plumb hold keeps them from it until git says so too"
    )
}

fn show(turn: &Turn) {
    let at = turn.to.at.map(|at| format!(", published {}", time(at))).unwrap_or_default();
    let (function, alias) = (clean(&turn.function), clean(&turn.alias));
    say!("{function}:{alias}   version {} -> {}{at}", clean(&turn.from), turn.to.number);
    if turn.changes_code == Some(false) {
        say!("! both versions have the same code");
    }
}
