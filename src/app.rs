//! The console over the use cases: what `plumb` without a command opens.

mod changes;
mod crypto;
mod data;
mod deploy;
mod home;
mod last;
mod live;
mod log;
mod memory;
mod past;
mod pipeline;
mod projects;
mod redeploy;
mod theme;
mod writing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use last::Last;
use live::Live;
use projects::Projects;

use crate::cli::{self, Failed, Outcome, Shared};
use crate::compare::{Fingerprinter, Why};
use crate::config::{Operator, Origin, Origins};
use crate::console::{self, ACTIONS, BoxFuture, ConsoleOptions, Danger, KeyError, Keymap, Scope};

/// The console, for the commands to open it and to tell of its keys.
pub const CONSOLE: cli::Console =
    cli::Console { open, keys, keys_markdown: console::keys_markdown, themes: theme::names };

/// Every action with its keys, and the operator's own after them, as the console has them.
fn keys(operator: &Operator, origins: &Origins) -> Result<Vec<cli::KeyRow>, Failed> {
    let keymap = keymap(&operator.keys, |key| origins.of(key))?;
    let rows = Scope::ALL.into_iter().flat_map(|scope| ACTIONS.iter().filter(move |spec| spec.scope == scope));
    let rows = rows.map(|spec| cli::KeyRow {
        scope: spec.scope.title().to_owned(),
        id: spec.id.to_owned(),
        keys: keymap.written(spec.action),
        title: spec.title.to_owned(),
        reveals: spec.danger == Danger::Reveals,
    });
    let own = home::actions(operator, &keymap, |key| origins.of(key))?;
    let own = own.into_iter().map(|(action, key)| cli::KeyRow {
        scope: "Your own".to_owned(),
        id: action.id,
        keys: key.iter().map(ToString::to_string).collect(),
        title: action.title,
        reveals: false,
    });
    Ok(rows.chain(own).collect())
}

/// Opens the console and stays until it is closed.
#[must_use]
fn open(shared: Shared) -> BoxFuture<'static, Result<Outcome, Failed>> {
    Box::pin(async move { run(&shared).await })
}

async fn run(shared: &Shared) -> Result<Outcome, Failed> {
    let settings = match shared.settings() {
        // From anywhere else it opens on the first of the operator's projects.
        Err(failed) if !shared.is_in_project() && !shared.names_environment() => {
            shared.first_project().ok_or(failed)?
        }
        settings => settings?,
    };
    let keymap = keymap(&settings.operator.keys, |key| settings.origin(key))?;
    let actions = home::actions(&settings.operator, &keymap, |key| settings.origin(key))?;
    let (theme, tailor) = theme::theme(shared, &settings)?;
    shared.has_terminal()?;
    let key = shared.fingerprint_key()?;
    let root = settings.root.clone().map_or_else(std::env::current_dir, Ok)?;
    let clock = shared.environ.get("PLUMB_CLOCK").and_then(|clock| clock.parse().ok());
    let home = home::home(shared, &settings, actions, tailor.names());
    let options = ConsoleOptions {
        theme,
        tailor: Some(tailor),
        keys: settings.operator.keys.clone(),
        environment: Some(settings.environment.name.clone()),
        git_ref: shared.flags().git_ref,
        refresh: settings.operator.refresh.map(Duration::from_secs),
        utc_offset: jiff::Zoned::now().offset().seconds(),
        clock,
        fingerprint_key: *key,
        log: log::to_file(shared),
        tour: shared.tour,
        home,
    };
    let fingerprinter = Fingerprinter::new(*key);
    let last = Last::of(shared, fingerprinter.clone(), options.log.clone());
    let projects = Projects::new(shared, settings, root);
    let backend = Live::new(shared, projects, fingerprinter, clock, last);
    match console::run(Arc::new(backend), options).await {
        Ok(()) => Ok(Outcome::Clean),
        Err(console::Error::Signal(ending)) => {
            Err(Failed::Signal { told: format!("ended by {ending}"), code: ending.exit_code() })
        }
        Err(error) => Err(Why::new(error.to_string()).into()),
    }
}

/// The keys in use; or everything that is wrong with the operator's, each with its file and line.
fn keymap(keys: &BTreeMap<String, Vec<String>>, origin: impl Fn(&str) -> Origin) -> Result<Keymap, Failed> {
    let at = |id: &str| origin(&format!("keys.{id}"));
    let mut wrong = Vec::new();
    let mut good = BTreeMap::new();
    for (id, own) in keys {
        match Keymap::new(&BTreeMap::from([(id.clone(), own.clone())])) {
            // Another override may have freed the key.
            Ok(_) | Err(KeyError::Clash { .. }) => drop(good.insert(id.clone(), own.clone())),
            Err(error) => wrong.push(format!("{}: {error}", at(id))),
        }
    }
    // Each clash is told once, and then its override is put aside to find the next.
    loop {
        match Keymap::new(&good) {
            Ok(keymap) if wrong.is_empty() => return Ok(keymap),
            Ok(_) => break,
            Err(error) => {
                let clash =
                    if let KeyError::Clash { first, second, .. } = error { vec![second, first] } else { vec![] };
                let own = clash.into_iter().find(|id| good.contains_key(*id));
                wrong.push(own.map_or_else(|| error.to_string(), |id| format!("{}: keys.{id}: {error}", at(id))));
                if own.and_then(|id| good.remove(id)).is_none() {
                    break;
                }
            }
        }
    }
    Err(Failed::Config(wrong.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_key_is_told_with_its_line() {
        let text = "[keys]\nrefrsh = \"x\"\nquit = \"ctrl-\"\nhelp = \"r\"\nreveal = \"w\"\n";
        let (operator, origins) = crate::config::parse_operator("config.toml", text).unwrap();
        let Err(Failed::Config(told)) = keymap(&operator.keys, |key| origins.of(key)) else {
            panic!("they are wrong");
        };
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 3, "{told}");
        for start in [
            "config.toml:2: keys.refrsh: there is no such action",
            "config.toml:3: keys.quit: ",
            "config.toml:4: keys.help: the key r is wanted by both",
        ] {
            assert!(lines.iter().any(|line| line.starts_with(start)), "{start} in {told}");
        }
    }

    #[test]
    fn two_keys_may_change_places() {
        let keys = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(id, key)| ((*id).to_owned(), vec![(*key).to_owned()])).collect::<BTreeMap<_, _>>()
        };
        assert!(keymap(&keys(&[("refresh", "@"), ("pick", "r")]), |_| Origin::Default).is_ok());
        assert!(keymap(&keys(&[("refresh", "@")]), |_| Origin::Default).is_err());
    }
}
