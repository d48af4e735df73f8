//! The console over the use cases: what `plumb` without a command opens.

mod memory;

use std::collections::{BTreeMap, HashMap};
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex as Lock};
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};

use crate::cli::{self, Failed, Outcome, Shared};
use crate::compare::{Fingerprinter, Item, Kind, Why};
use crate::config::{Ascii, Origin, Settings};
use crate::console::{
    self, ACTIONS, Backend, BoxFuture, ConsoleOptions, Danger, Depth, EnvironmentInfo, Fresh, KeyError, Keymap,
    LogSink, Memory, RefInfo, Scope, Target, Theme,
};
use crate::ops::inspect::{self, Detect, Reveal, Wish, now};
use crate::ops::keys::Keys;
use crate::ops::report::{Part, Report};
use crate::ops::session::{Credentials, Session};

/// The theme of an operator who names none.
const DEFAULT_THEME: &str = "plumb-dark";

/// The console, for the commands to open it and to tell of its keys.
pub const CONSOLE: cli::Console = cli::Console { open, keys, keys_markdown: console::keys_markdown };

/// Every action with its keys, the operator's own among them.
fn keys(own: &BTreeMap<String, Vec<String>>) -> Result<Vec<cli::KeyRow>, String> {
    let keymap = Keymap::new(own).map_err(|error| error.to_string())?;
    let rows = Scope::ALL.into_iter().flat_map(|scope| ACTIONS.iter().filter(move |spec| spec.scope == scope));
    Ok(rows
        .map(|spec| cli::KeyRow {
            scope: spec.scope.title(),
            id: spec.id,
            keys: keymap.written(spec.action),
            title: spec.title,
            reveals: spec.danger == Danger::Reveals,
        })
        .collect())
}

/// Opens the console and stays until it is closed.
#[must_use]
fn open(shared: Shared) -> BoxFuture<'static, Result<Outcome, Failed>> {
    Box::pin(async move { run(&shared).await })
}

async fn run(shared: &Shared) -> Result<Outcome, Failed> {
    let settings = shared.settings()?;
    check_keys(&settings.operator.keys, |key| settings.origin(key))?;
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Why::new("the console needs a terminal").hint("plumb status, which prints").into());
    }
    let key = shared.fingerprint_key()?;
    let root = settings.root.clone().map_or_else(std::env::current_dir, Ok)?;
    let options = ConsoleOptions {
        theme: theme(shared, &settings)?,
        keys: settings.operator.keys.clone(),
        environment: Some(settings.environment.name.clone()),
        git_ref: shared.flags().git_ref,
        refresh: settings.operator.refresh.map(Duration::from_secs),
        utc_offset: jiff::Zoned::now().offset().seconds(),
        clock: shared.environ.get("PLUMB_CLOCK").and_then(|clock| clock.parse().ok()),
        fingerprint_key: *key,
        tour: shared.tour,
        log: log(shared),
    };
    let backend = Live {
        inner: Arc::new(Inner {
            root,
            keys: shared.keys(),
            fingerprinter: Fingerprinter::new(*key),
            credentials: shared.credentials(),
            state: shared.directories().state().ok(),
            sessions: Mutex::default(),
            settings,
        }),
    };
    match console::run(Arc::new(backend), options).await {
        Ok(()) => Ok(Outcome::Clean),
        Err(error) => Err(Why::new(error.to_string()).into()),
    }
}

/// Everything that is wrong with the operator's keys, each with its file and line.
fn check_keys(keys: &BTreeMap<String, Vec<String>>, origin: impl Fn(&str) -> Origin) -> Result<(), Failed> {
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
    while let Err(error) = Keymap::new(&good) {
        let KeyError::Clash { first, second, .. } = &error else {
            wrong.push(error.to_string());
            break;
        };
        let Some(id) = [second, first].into_iter().find(|id| good.contains_key(**id)) else { break };
        wrong.push(format!("{}: keys.{id}: {error}", at(id)));
        good.remove(*id);
    }
    if wrong.is_empty() { Ok(()) } else { Err(Failed::Config(wrong.join("\n"))) }
}

/// The operator's theme at the depth that the terminal has.
fn theme(shared: &Shared, settings: &Settings) -> Result<Theme, Failed> {
    let theme = match &settings.operator.theme {
        None => Theme::embedded(DEFAULT_THEME).map_err(|error| Why::new(error.to_string()))?,
        Some(name) => {
            let own = shared.directories().config()?.join("themes").join(format!("{name}.toml"));
            match std::fs::read_to_string(&own) {
                Ok(text) => Theme::own(&text).map_err(|error| Why::new(format!("{}: {error}", own.display())))?,
                Err(_) => Theme::embedded(name).map_err(|error| {
                    Why::new(error.to_string()).hint(format!("your own theme would be {}", own.display()))
                })?,
            }
        }
    };
    let depth =
        if settings.color { Depth::detect(|name| shared.environ.get(name).map(str::to_owned)) } else { Depth::None };
    let theme = theme.at(depth);
    let ascii = match settings.operator.ascii {
        Ascii::Always => true,
        Ascii::Never => false,
        Ascii::Auto => !is_utf8(shared),
    };
    Ok(if ascii { theme.ascii() } else { theme })
}

/// Whether the locale is UTF-8, by the rules of POSIX: the first of these that is set counts.
fn is_utf8(shared: &Shared) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| shared.environ.get(name)).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// Names of messages, one a line, into a file of the state directory; nothing when it cannot be opened.
fn log(shared: &Shared) -> Option<LogSink> {
    let directory = shared.directories().state().ok()?;
    let path = directory.join("console.log");
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path).ok()?;
    // A log that has grown over a megabyte is begun anew: it is for the last crash, not for history.
    if file.metadata().is_ok_and(|metadata| metadata.len() > 1 << 20) {
        file.set_len(0).ok()?;
    }
    let file = Lock::new(file);
    Some(Arc::new(move |line: &str| {
        if let Ok(mut file) = file.lock() {
            // A full disk must not end the console.
            let _ = writeln!(file, "{} {line}", crate::ops::schema::time(now()));
        }
    }))
}

/// The use cases, as the console asks for them. A session per environment is kept, with what it has learnt.
struct Live {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    root: std::path::PathBuf,
    keys: Arc<Keys>,
    fingerprinter: Fingerprinter,
    credentials: Option<Credentials>,
    /// Plumb's own directory, where there is one.
    state: Option<std::path::PathBuf>,
    sessions: Mutex<HashMap<String, Session>>,
}

impl Inner {
    async fn session(&self, name: &str) -> Result<Session, Why> {
        let mut sessions = self.sessions.lock().await;
        if let Some(session) = sessions.get(name) {
            return Ok(session.clone());
        }
        let environment =
            self.settings.environment(name).ok_or_else(|| Why::new(format!("there is no environment {name}")))?.clone();
        let settings = Settings { environment, ..self.settings.clone() };
        let keys = Arc::clone(&self.keys);
        let session =
            Session::open(settings, &self.root, keys, self.fingerprinter.clone(), self.credentials.clone()).await?;
        sessions.insert(name.to_owned(), session.clone());
        Ok(session)
    }

    async fn inspect(
        &self,
        target: &Target,
        wish: impl FnOnce(Wish) -> Wish,
        sink: mpsc::UnboundedSender<Part>,
    ) -> Report {
        match self.session(&target.environment).await {
            Ok(session) => {
                let own = Wish::of(&session);
                let reference = target.git_ref.clone().unwrap_or_else(|| own.reference.clone());
                inspect::stream(&session, &wish(Wish { reference, ..own }), sink).await
            }
            Err(why) => Report {
                environment: target.environment.clone(),
                identity: Err(why.clone()),
                commit: Err(why.clone()),
                sections: Kind::ALL.into_iter().map(|kind| (kind, Err(why.clone()))).collect(),
                read_at: now(),
                calls: 0,
            },
        }
    }
}

impl Backend for Live {
    fn project_name(&self) -> String {
        self.inner.settings.project.name.clone()
    }

    fn environments(&self) -> Vec<EnvironmentInfo> {
        let info = |environment: &crate::config::Environment| EnvironmentInfo {
            name: environment.name.clone(),
            protection: environment.protection,
            profile: environment.profile.clone(),
            region: environment.region.clone(),
        };
        self.inner.settings.environments.iter().map(info).collect()
    }

    fn inspect(&self, target: Target, fresh: Fresh, sink: mpsc::UnboundedSender<Part>) -> BoxFuture<'static, Report> {
        let inner = Arc::clone(&self.inner);
        let detect = match fresh {
            Fresh::Cached => Detect::Stale,
            Fresh::Detect => Detect::Always,
        };
        Box::pin(async move { inner.inspect(&target, |wish| Wish { detect, ..wish }, sink).await })
    }

    fn reveal(&self, target: Target, kind: Kind, name: String) -> BoxFuture<'static, Result<Item, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let (sink, _parts) = mpsc::unbounded_channel();
            let wish = |wish| Wish {
                kinds: vec![kind],
                detect: Detect::Never,
                reveal: Reveal::One(kind, name.clone()),
                ..wish
            };
            let report = inner.inspect(&target, wish, sink).await;
            let gone = || Why::new(format!("{name} is neither in git nor live any more")).hint("r refreshes");
            match report.sections.into_iter().next() {
                Some((_, Ok(section))) => section.items.into_iter().find(|item| item.name == name).ok_or_else(gone),
                Some((_, Err(why))) => Err(why),
                None => Err(gone()),
            }
        })
    }

    fn refs(&self) -> BoxFuture<'static, Result<Vec<RefInfo>, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let session = inner.session(&inner.settings.environment.name).await?;
            let repository = session.repository.clone()?;
            let refs = tokio::task::spawn_blocking(move || repository.refs()).await;
            let refs =
                refs.map_err(|error| Why::new(error.to_string()))?.map_err(|error| Why::new(error.to_string()))?;
            Ok(refs
                .into_iter()
                .map(|found| RefInfo { name: found.name, commit: found.commit, subject: found.subject, at: found.at })
                .collect())
        })
    }

    fn memory(&self) -> Memory {
        let state = self.inner.state.as_deref();
        state.map(|state| memory::load(state, &self.project_name())).unwrap_or_default()
    }

    fn remember(&self, memory: Memory) -> BoxFuture<'static, ()> {
        let (state, project) = (self.inner.state.clone(), self.project_name());
        Box::pin(async move {
            let Some(state) = state else { return };
            // A full disk costs the memory and nothing else.
            let _ = tokio::task::spawn_blocking(move || memory::keep(&state, &project, memory)).await;
        })
    }

    fn fetch(&self, target: Target) -> BoxFuture<'static, Result<(), Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let session = inner.session(&target.environment).await?;
            let Ok(repository) = session.repository.clone() else { return Ok(()) };
            let reference = target.git_ref.unwrap_or_else(|| session.reference());
            match repository.remote_of(&reference) {
                Some(remote) => repository
                    .fetch(&remote)
                    .await
                    .map_err(|error| Why { reason: error.to_string(), hint: error.hint() }),
                None => Ok(()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_key_is_told_with_its_line() {
        let text = "[keys]\nrefrsh = \"x\"\nquit = \"ctrl-\"\nhelp = \"r\"\nreveal = \"w\"\n";
        let (operator, origins) = crate::config::parse_operator("config.toml", text).unwrap();
        let Err(Failed::Config(told)) = check_keys(&operator.keys, |key| origins.of(key)) else {
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
        assert!(check_keys(&keys(&[("refresh", "v"), ("reveal", "r")]), |_| Origin::Default).is_ok());
        assert!(check_keys(&keys(&[("refresh", "v")]), |_| Origin::Default).is_err());
    }
}
