//! What the commands have in common: settings, keys, the session, and how errors are told.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Global, machine, say};
use crate::compare::Fingerprinter;
use crate::compare::Why;
use crate::config::{self, Directories, Environ, Flags, Settings};
use crate::ops;
use crate::ops::journal::Journal;
use crate::ops::keys::{KeySources, Keys};
use crate::ops::report::Calls;
use crate::ops::session::{Access, Credentials, Session};
use crate::secret::Secret;
use crate::visible::{cut, visible};

/// Why a command could not do its work.
#[derive(Debug)]
pub enum Failed {
    /// What failed, and what to try.
    Why(Why),
    /// A mistake in a configuration, which names its own place.
    Config(String),
    /// ^C.
    Interrupted,
    /// A signal, or the end of the terminal.
    Signal {
        /// What is said of it.
        told: String,
        /// The exit code, as a shell tells of a process that a signal ended.
        code: u8,
    },
    /// The output could not be written.
    Output(std::io::Error),
}

impl From<Why> for Failed {
    fn from(why: Why) -> Self {
        Self::Why(why)
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<config::Error> for Failed {
    fn from(error: config::Error) -> Self {
        let hint = error.hint().map(|hint| format!("\ntry: {hint}")).unwrap_or_default();
        Self::Config(format!("{error}{hint}"))
    }
}

impl Failed {
    /// The same, to be shown in one line among others.
    pub(super) fn into_why(self) -> Why {
        match self {
            Self::Why(why) => why,
            Self::Config(text) => Why::new(text.lines().next().unwrap_or_default()),
            Self::Interrupted => Why::new("interrupted"),
            Self::Signal { told, .. } => Why::new(told),
            Self::Output(error) => Why::new(error.to_string()),
        }
    }

    /// Says it on stderr.
    pub(super) fn print(&self) {
        let text = match self {
            Self::Why(why) => {
                let hint = why.hint.as_ref().map(|hint| format!("\ntry: {}", clean(hint))).unwrap_or_default();
                format!("{}{hint}", clean(&why.reason))
            }
            Self::Interrupted => "interrupted".to_owned(),
            Self::Signal { told, .. } => told.clone(),
            Self::Config(text) => lines(text),
            Self::Output(error) => format!("cannot write the output: {error}"),
        };
        say!("plumb: {text}");
    }
}

/// What every command gets.
#[derive(Debug, Clone)]
pub struct Shared {
    pub(super) global: Global,
    /// The environment variables.
    pub(crate) environ: Environ,
    /// Fixed AWS keys, as the demo has.
    pub(super) credentials: Option<Credentials>,
    /// Another journal than the one in the state directory, as the demo has.
    pub(super) journal: Option<Journal>,
    /// Whether the console shows its tour, if it never did on this machine.
    pub(crate) tour: bool,
}

impl Shared {
    pub(super) fn new(global: Global) -> Self {
        Self { global, environ: Environ::of_process(), credentials: None, journal: None, tour: false }
    }

    /// The same for another project, environment and account, as the demo needs.
    pub(super) fn elsewhere(
        &self,
        project: &Path,
        env: &str,
        environ: Environ,
        credentials: Credentials,
        journal: Journal,
    ) -> Self {
        let global = Global {
            project: Some(project.display().to_string()),
            env: self.global.env.clone().or_else(|| Some(env.to_owned())),
            profile: None,
            region: None,
            endpoint_url: None,
            ..self.global.clone()
        };
        Self { global, environ, credentials: Some(credentials), journal: Some(journal), tour: false }
    }

    /// What was said on the command line.
    pub(crate) fn flags(&self) -> Flags {
        let global = self.global.clone();
        Flags {
            env: global.env,
            git_ref: global.git_ref,
            project: global.project,
            profile: global.profile,
            region: global.region,
            endpoint_url: global.endpoint_url,
            stack: global.stack,
            path: global.path,
            theme: global.theme,
            ..Flags::default()
        }
    }

    /// The settings in use.
    pub(crate) fn settings(&self) -> Result<Settings, Failed> {
        self.load(&self.flags())?.map_err(Failed::from)
    }

    /// What the files say; of a bare repository, what its commit says.
    pub(super) fn load(&self, flags: &Flags) -> Result<Result<Settings, config::Error>, Failed> {
        let directory = here()?;
        let loaded = config::load(flags, &self.environ, &directory);
        if !matches!(loaded, Err(config::Error::NoProject { .. } | config::Error::Unreadable { .. })) {
            return Ok(loaded);
        }
        let named = flags.project.as_deref().or_else(|| self.environ.get("PLUMB_PROJECT"));
        let start = named.map_or_else(|| directory.clone(), |named| directory.join(named));
        let reference = flags.git_ref.as_deref().or_else(|| self.environ.get("PLUMB_REF"));
        Ok(match ops::project_file(&start, reference)? {
            Some(found) => config::load_text(flags, &self.environ, &found.text, &found.name, &found.root),
            None => loaded,
        })
    }

    /// The settings in use with whichever environment, for what is about all of them.
    pub(crate) fn settings_of_any(&self) -> Result<Settings, Failed> {
        let flags = self.flags();
        match self.load(&flags)? {
            Err(config::Error::WhichEnvironment { names, .. }) => {
                let flags = Flags { env: names.into_iter().next(), ..flags };
                Ok(self.load(&flags)??)
            }
            settings => Ok(settings?),
        }
    }

    /// The same for another environment than the command line's.
    pub(super) fn in_environment(&self, name: &str) -> Self {
        Self { global: Global { env: Some(name.to_owned()), ..self.global.clone() }, ..self.clone() }
    }

    /// The settings for what is about single files: those of the project, or without one what the flags say.
    pub(super) fn settings_of_files(&self) -> Result<Settings, Failed> {
        let bare = Global { path: Some("/".to_owned()), stack: None, env: None, ..self.global.clone() };
        self.settings_of_any().or_else(|_| Self { global: bare, ..self.clone() }.settings())
    }

    /// Whether the operator said which environment is meant.
    pub(crate) fn names_environment(&self) -> bool {
        self.global.env.is_some() || self.environ.get("PLUMB_ENV").is_some()
    }

    /// The chosen environment, ready to be asked.
    pub(crate) async fn session(&self) -> Result<Session, Failed> {
        self.session_of(self.settings()?).await
    }

    /// Any environment, ready to be asked.
    pub(crate) async fn session_of(&self, settings: Settings) -> Result<Session, Failed> {
        let root = match &settings.root {
            Some(root) => root.clone(),
            None => here()?,
        };
        Ok(Session::open(settings, &root, self.keys(), self.fingerprinter()?, self.access()).await?)
    }

    /// Refuses what needs a terminal where there is none, or one that only prints: the sequences would be its text.
    pub(crate) fn has_terminal(&self) -> Result<(), Why> {
        let there = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
        let wrong = match self.environ.get("TERM") {
            _ if !there => "the console needs a terminal",
            Some("dumb") => "the console cannot be drawn on a terminal that only prints (TERM=dumb)",
            _ => return Ok(()),
        };
        Err(Why::new(wrong).hint("plumb status, which prints"))
    }

    /// Plumb's own directories.
    pub(crate) fn directories(&self) -> Directories<'_> {
        Directories(&self.environ)
    }

    /// The age identities, from where sops looks for them.
    pub(crate) fn keys(&self) -> Arc<Keys> {
        Arc::new(Keys::find(&KeySources {
            key: self.environ.get("SOPS_AGE_KEY").map(Secret::new),
            file: self.environ.get("SOPS_AGE_KEY_FILE").map(PathBuf::from),
            command: self.environ.get("SOPS_AGE_KEY_CMD").map(str::to_owned),
            config_home: self.environ.get("XDG_CONFIG_HOME").map(PathBuf::from),
            home: self.environ.get("HOME").map(PathBuf::from),
        }))
    }

    /// The key of this machine's fingerprints; made on first use.
    pub(crate) fn fingerprinter(&self) -> Result<Fingerprinter, Failed> {
        Ok(Fingerprinter::new(*self.fingerprint_key()?))
    }

    /// How AWS is reached, and where writes are noted.
    pub(crate) fn access(&self) -> Access {
        Access { credentials: self.credentials.clone(), journal: self.journal().ok(), ..Access::default() }
    }

    /// The journal of this machine.
    pub(crate) fn journal(&self) -> Result<Journal, Failed> {
        match &self.journal {
            Some(journal) => Ok(journal.clone()),
            None => Ok(Journal::in_directory(&self.directories().state()?)),
        }
    }

    /// The key itself.
    pub(crate) fn fingerprint_key(&self) -> Result<Zeroizing<[u8; 32]>, Failed> {
        let directory = self.directories().state()?;
        Ok(machine::key(&directory)?)
    }

    /// Tells the number of AWS calls on stderr, when asked for.
    pub(crate) fn stats(&self, session: &Session) {
        self.print_stats(session.calls(), &session.clients.calls_by_operation());
    }

    /// The same for any number of sessions.
    pub(crate) fn print_stats(&self, calls: Calls, by_operation: &BTreeMap<String, u64>) {
        if self.global.stats {
            say!("AWS API: {calls}");
            for (operation, calls) in by_operation {
                say!("  {calls:>6}  {operation}");
            }
        }
    }
}

pub(crate) fn here() -> Result<PathBuf, Failed> {
    std::env::current_dir().map_err(|error| Why::new(format!("the current directory cannot be read: {error}")).into())
}

/// Text from AWS, git or a file, safe for a terminal: what it would act on or hide is shown as symbols.
pub(crate) fn clean(text: &str) -> String {
    visible(text).into_owned()
}

/// The same for text of several lines.
pub(crate) fn lines(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// The same in one line of at most so many characters, for what nobody limits: a commit's subject, a reason.
pub(crate) fn brief(text: &str, most: usize) -> String {
    cut(&clean(text), most).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_shown_and_never_sent() {
        assert_eq!(clean("a\u{1b}[31mb\nc"), "a␛[31mb␊c");
        assert_eq!(lines("a\nb\u{7}\n"), "a\nb␇\n");
    }

    #[test]
    fn what_is_invisible_does_not_make_two_names_look_the_same() {
        for hidden in ['\u{200b}', '\u{2060}', '\u{200f}', '\u{feff}', '\u{ad}', '\u{202e}', '\u{9b}'] {
            assert_eq!(clean(&format!("pool{hidden}")), "pool▯", "{hidden:?}");
        }
    }
}
