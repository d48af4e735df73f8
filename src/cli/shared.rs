//! What the commands have in common: settings, keys, the session, and how errors are told.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Global;
use crate::compare::Fingerprinter;
use crate::compare::Why;
use crate::config::{self, Directories, Environ, Flags, Settings};
use crate::ops;
use crate::ops::journal::Journal;
use crate::ops::keys::{KeySources, Keys};
use crate::ops::report::Calls;
use crate::ops::session::{Access, Credentials, Session};
use crate::secret::Secret;

/// Why a command could not do its work.
#[derive(Debug)]
pub enum Failed {
    /// What failed, and what to try.
    Why(Why),
    /// A mistake in a configuration, which names its own place.
    Config(String),
    /// ^C.
    Interrupted,
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
            Self::Config(text) => lines(text),
            Self::Output(error) => format!("cannot write the output: {error}"),
        };
        // Not `eprintln`, which panics when the terminal is gone.
        let _ = writeln!(std::io::stderr(), "plumb: {text}");
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
        let key = machine_key(&directory).map_err(|error| {
            Why::new(format!("cannot keep this machine's fingerprint key in {}: {error}", directory.display()))
                .hint("PLUMB_STATE_DIR names another directory")
        })?;
        Ok(key)
    }

    /// Tells the number of AWS calls on stderr, when asked for.
    pub(crate) fn stats(&self, session: &Session) {
        self.print_stats(session.calls(), &session.clients.calls_by_operation());
    }

    /// The same for any number of sessions.
    pub(crate) fn print_stats(&self, calls: Calls, by_operation: &BTreeMap<String, u64>) {
        if self.global.stats {
            eprintln!("AWS API: {calls}");
            for (operation, calls) in by_operation {
                eprintln!("  {calls:>6}  {operation}");
            }
        }
    }
}

pub(crate) fn here() -> Result<PathBuf, Failed> {
    std::env::current_dir().map_err(|error| Why::new(format!("the current directory cannot be read: {error}")).into())
}

/// Reads the key of this machine's fingerprints, or makes it: 32 random bytes, for its owner alone.
fn machine_key(directory: &Path) -> std::io::Result<Zeroizing<[u8; 32]>> {
    use std::io::Error;
    use std::os::unix::fs::OpenOptionsExt;

    let path = directory.join("fingerprint.key");
    let read = || -> std::io::Result<Zeroizing<[u8; 32]>> {
        let bytes = Zeroizing::new(std::fs::read(&path)?);
        <[u8; 32]>::try_from(bytes.as_slice()).map(Zeroizing::new).map_err(|_| Error::other("it is not 32 bytes long"))
    };
    match read() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        known => return known,
    }
    std::fs::create_dir_all(directory)?;
    let mut key = Zeroizing::new([0_u8; 32]);
    getrandom::fill(key.as_mut_slice()).map_err(|error| Error::other(error.to_string()))?;
    // Written whole and then renamed, so that a second process never sees half a key.
    let temporary = directory.join(format!("fingerprint.key.{}", std::process::id()));
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(key.as_slice())?;
    match std::fs::hard_link(&temporary, &path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
        _ => std::fs::remove_file(&temporary)?,
    }
    read()
}

/// Text from AWS, git or a file, safe for a terminal: control characters are shown as symbols.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// The same for text of several lines.
pub(crate) fn lines(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { visible(c) }).collect()
}

fn visible(character: char) -> char {
    match character {
        // The control pictures of Unicode: ␀ to ␟, and ␡.
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        // C1 controls, and what directs the order of a line or ends it.
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{206f}' => '\u{fffd}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_shown_and_never_sent() {
        assert_eq!(clean("a\u{1b}[31mb\nc"), "a␛[31mb␊c");
        assert_eq!(lines("a\nb\u{7}"), "a\nb␇");
    }

    #[test]
    fn nothing_that_turns_a_line_around_reaches_the_terminal() {
        let directing = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}'];
        let isolating = ['\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}', '\u{2028}', '\u{2029}'];
        for c in directing.into_iter().chain(isolating) {
            assert_eq!(clean(&format!("a{c}b")), "a\u{fffd}b", "{c:?}");
        }
        assert_eq!(clean("/shop/שלום/مرحبا"), "/shop/שלום/مرحبا", "letters are letters");
    }

    #[test]
    fn the_machine_key_is_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let first = machine_key(directory.path()).unwrap();
        assert_eq!(first, machine_key(directory.path()).unwrap());
        assert_ne!(*first, [0; 32]);
    }
}
