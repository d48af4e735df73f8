//! Remotes: what is known of them, and fetching them by the user's own `git`.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::UNIX_EPOCH;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::{Error, Repository};

/// What would lead git to another repository than the one that is meant.
pub(super) const INHERITED: [&str; 5] =
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY"];

/// Bytes of git's complaints that are kept.
const KEPT: u64 = 16 * 1024;

impl Repository {
    /// When a remote was last fetched, milliseconds since the Unix epoch; `None`: never, or there is no remote.
    ///
    /// From `FETCH_HEAD`, which each fetch writes and a failed one leaves empty, and from the logs of the remote's
    /// branches, which a clone writes. A failed fetch makes the answer older than the truth, never newer.
    #[must_use]
    pub fn fetched_at(&self) -> Option<i64> {
        let git = self.git();
        let common = git.commondir();
        let linked = std::fs::read_dir(common.join("worktrees")).into_iter().flatten().flatten().map(|dir| dir.path());
        let fetched = linked.chain([common.to_owned()]).filter_map(|dir| written_at(&dir.join("FETCH_HEAD"))).max();
        fetched.max(logged_at(&git))
    }

    /// The remote that a ref belongs to: `origin` for `origin/main`, `@{upstream}` and the like, also when the branch
    /// was never fetched. `None` for local refs and commit ids.
    #[must_use]
    pub fn remote_of(&self, reference: &str) -> Option<String> {
        let git = self.git();
        let found = git.revparse_ext(reference).ok().and_then(|(_, found)| found);
        let name = found.and_then(|found| found.name().ok().map(str::to_owned));
        let plain = reference.split(['~', '^', '@', ':']).next().unwrap_or(reference);
        let full = name.unwrap_or_else(|| match git.resolve_reference_from_short_name(plain) {
            Ok(known) => String::from_utf8_lossy(known.name_bytes()).into_owned(),
            Err(_) if plain.starts_with("refs/") => plain.to_owned(),
            Err(_) => format!("refs/remotes/{plain}"),
        });
        let within = full.strip_prefix("refs/remotes/")?;
        // Names of remotes may hold slashes, and then the longest one is meant.
        let owns = |remote: &String| within.strip_prefix(remote.as_str()).is_some_and(|rest| rest.starts_with('/'));
        remotes(&git).into_iter().filter(owns).max_by_key(String::len)
    }

    /// The remotes' names.
    #[must_use]
    pub fn remotes(&self) -> Vec<String> {
        remotes(&self.git())
    }

    /// The URL that a remote is fetched from, without passwords and tokens.
    #[must_use]
    pub fn remote_url(&self, remote: &str) -> Option<String> {
        let git = self.git();
        let remote = git.find_remote(remote).ok()?;
        remote.url().ok().map(without_password)
    }

    /// Fetches a remote by the user's own `git`, which never asks for anything. Dropping the future ends git and what
    /// it started.
    ///
    /// Fails with [`Error::UnknownRemote`], or with [`Error::Fetch`] and what git printed.
    pub async fn fetch(&self, remote: &str) -> Result<(), Error> {
        let mut command = {
            let git = self.git();
            let known = remotes(&git);
            if !known.iter().any(|name| name == remote) {
                return Err(Error::UnknownRemote { remote: remote.into(), known });
            }
            let mut command = Command::new("git");
            if let Some(ssh) = quiet_ssh(&git) {
                command.env("GIT_SSH_COMMAND", ssh);
            }
            command
        };
        let failed = |reason: String| Error::Fetch { remote: remote.into(), reason };
        command.arg("-C").arg(self.root());
        // Its housekeeping would go on in the background and outlive us.
        command.args(["-c", "gc.auto=0", "-c", "maintenance.auto=false", "fetch", "--quiet", remote]);
        command.env("GIT_TERMINAL_PROMPT", "0").env("GCM_INTERACTIVE", "never");
        for inherited in INHERITED {
            command.env_remove(inherited);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        // In a group of its own, so that ssh and the other programs that git starts end with it.
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| failed(format!("git cannot be started: {error}")))?;
        let mut group = Group(child.id());
        let mut printed = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            let mut stderr = stderr.take(KEPT);
            stderr.read_to_end(&mut printed).await.map_err(|error| failed(error.to_string()))?;
            // What is beyond is read too, or git would wait for a reader.
            let mut rest = stderr.into_inner();
            tokio::io::copy(&mut rest, &mut tokio::io::sink()).await.map_err(|error| failed(error.to_string()))?;
        }
        let status = child.wait().await.map_err(|error| failed(error.to_string()))?;
        group.0 = None;
        if status.success() {
            return Ok(());
        }
        let printed = without_password(String::from_utf8_lossy(&printed).trim());
        Err(failed(if printed.is_empty() { format!("git fetch ended with {status}") } else { printed }))
    }
}

/// A running process group that is ended when this is dropped.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let id = self.0.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            // Not KILL: git removes its lock files on TERM, and a lock left behind would make the next fetch fail.
            // When it has ended by itself there is nothing to do.
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::TERM);
        }
    }
}

fn remotes(git: &git2::Repository) -> Vec<String> {
    let names = git.remotes();
    names.iter().flat_map(|names| names.iter_bytes()).map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

/// How git would call ssh, told to ask nothing: it would otherwise write to the terminal that the console draws on.
fn quiet_ssh(git: &git2::Repository) -> Option<OsString> {
    let set = std::env::var_os("GIT_SSH_COMMAND");
    let set = set.or_else(|| git.config().and_then(|config| config.get_string("core.sshCommand")).ok().map(Into::into));
    if set.is_none() && std::env::var_os("GIT_SSH").is_some() {
        return None;
    }
    let mut command = set.unwrap_or_else(|| "ssh".into());
    let program = command.to_string_lossy().split_whitespace().next().map(str::to_owned)?;
    if Path::new(&program).file_name()? != "ssh" {
        return None;
    }
    command.push(" -o BatchMode=yes");
    Some(command)
}

fn written_at(path: &Path) -> Option<i64> {
    let meta = path.metadata().ok().filter(|meta| meta.len() > 0)?;
    let since = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

fn logged_at(git: &git2::Repository) -> Option<i64> {
    let references = git.references_glob("refs/remotes/*").ok()?;
    let times = references.flatten().filter_map(|reference| {
        let log = git.reflog(reference.name().ok()?).ok()?;
        let came = |message: &[u8]| message.starts_with(b"clone") || message.starts_with(b"fetch");
        let entry = log.iter().find(|entry| entry.message_bytes().is_some_and(came))?;
        Some(entry.committer().when().seconds() * 1000)
    });
    times.max()
}

/// Text whose URLs have neither passwords nor, for HTTP, user names, which may be tokens.
fn without_password(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let authority = after.find(|c: char| c == '/' || c.is_whitespace() || c == '\'').unwrap_or(after.len());
        let user_end = after[..authority].rfind('@').map_or(0, |at| at + 1);
        if !before.ends_with("http://") && !before.ends_with("https://") && user_end > 0 {
            let user = after[..user_end - 1].split(':').next().unwrap_or_default();
            out.push_str(user);
            out.push('@');
        }
        rest = &after[user_end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::*;

    #[test]
    fn urls_are_shown_without_passwords_and_tokens() {
        for (url, shown) in [
            ("https://github.com/a/b.git", "https://github.com/a/b.git"),
            ("https://user:pass@github.com/a/b", "https://github.com/a/b"),
            ("https://ghp_token@github.com/a/b", "https://github.com/a/b"),
            ("https://user:p@ss@github.com/a/b", "https://github.com/a/b"),
            ("ssh://git@github.com/a/b", "ssh://git@github.com/a/b"),
            ("ssh://git:pass@host:22/a", "ssh://git@host:22/a"),
            ("git@github.com:a/b.git", "git@github.com:a/b.git"),
            ("fatal: 'https://u:p@h/x' and https://u:p@h/y", "fatal: 'https://h/x' and https://h/y"),
            ("/srv/a@b", "/srv/a@b"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn a_ref_knows_its_remote() {
        let fixture = Fixture::with_commit();
        fixture.git(&["branch", "feature"]);
        let clone = fixture.clone_as("clone", &[]);
        fixture.git_in(&clone, &["remote", "add", "team/fork", "/nowhere"]);
        fixture.git_in(&clone, &["remote", "add", "team", "/nowhere"]);
        fixture.git_in(&clone, &["tag", "v1"]);
        let repository = Repository::discover(&clone).unwrap();
        for (reference, remote) in [
            ("origin/main", Some("origin")),
            ("origin", Some("origin")),
            ("refs/remotes/origin/main", Some("origin")),
            ("origin/main~0", Some("origin")),
            ("@{upstream}", Some("origin")),
            ("origin/never-fetched", Some("origin")),
            ("team/fork/x", Some("team/fork")),
            ("team/x", Some("team")),
            ("main", None),
            ("HEAD", None),
            ("v1", None),
            ("nobody/x", None),
        ] {
            assert_eq!(repository.remote_of(reference).as_deref(), remote, "{reference}");
        }
        assert_eq!(repository.remote_url("origin").unwrap(), fixture.path().to_str().unwrap());
        assert_eq!(repository.remote_url("absent"), None);
    }

    #[tokio::test]
    async fn a_fetch_brings_new_commits_and_its_time() {
        let fixture = Fixture::with_commit();
        assert_eq!(fixture.open().fetched_at(), None);
        let clone = fixture.clone_as("clone", &[]);
        let repository = Repository::discover(&clone).unwrap();
        // The fixture's clock, by which the clone's log is written.
        assert_eq!(repository.fetched_at(), Some(fixture.now() * 1000));
        fixture.commit("a.txt", "two\n", "Second");
        assert_eq!(repository.resolve("origin/main").unwrap().subject, "First");
        repository.fetch("origin").await.unwrap();
        let info = repository.resolve("origin/main").unwrap();
        assert_eq!((info.subject.as_str(), info.ahead, info.behind), ("Second", 0, 1));
        let head = clone.join(".git/FETCH_HEAD");
        assert_eq!(info.fetched_at, written_at(&head));
        assert!(info.fetched_at > Some(fixture.now() * 1000));
    }

    #[tokio::test]
    async fn a_failed_fetch_says_what_git_said_and_does_not_look_recent() {
        let fixture = Fixture::with_commit();
        let clone = fixture.clone_as("clone", &[]);
        fixture.git_in(&clone, &["remote", "set-url", "origin", "/nowhere/at/all"]);
        let repository = Repository::discover(&clone).unwrap();
        let before = repository.fetched_at();
        let error = repository.fetch("origin").await.unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
        assert_eq!(repository.fetched_at(), before);
    }

    #[tokio::test]
    async fn only_remotes_that_exist_are_fetched() {
        let clone = Fixture::with_commit();
        for name in ["absent", "--upload-pack=touch /tmp/x", ""] {
            let error = clone.open().fetch(name).await.unwrap_err();
            assert!(matches!(error, Error::UnknownRemote { .. }), "{name}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn dropping_a_fetch_ends_git_and_what_it_started() {
        let fixture = Fixture::with_commit();
        let clone = fixture.clone_as("clone", &[]);
        let pipe = fixture.beside("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let script = fixture.beside("upload-pack");
        std::fs::write(&script, format!("exec 3>'{}'\necho started >&3\nexec sleep 60\n", pipe.display())).unwrap();
        let program = format!("sh '{}'", script.display());
        fixture.git_in(&clone, &["config", "remote.origin.uploadpack", &program]);
        let repository = Repository::discover(&clone).unwrap();
        let job = tokio::spawn(async move { repository.fetch("origin").await });
        let (started, has_started) = tokio::sync::oneshot::channel();
        let (ended, has_ended) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            use std::io::{BufRead, Read};
            let mut lines = std::io::BufReader::new(std::fs::File::open(pipe).unwrap());
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            started.send(line).unwrap();
            // Ends when the last process that holds the pipe has ended.
            lines.read_to_string(&mut String::new()).unwrap();
            ended.send(()).unwrap();
        });
        assert_eq!(has_started.await.unwrap(), "started\n");
        job.abort();
        tokio::time::timeout(std::time::Duration::from_secs(30), has_ended).await.unwrap().unwrap();
    }
}
