//! `plumb config edit`: the editor, and what is done until its text can be taken.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::process::Command;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::super::{Failed, Outcome, Shared, clean, say};
use super::{Mac, Which, opener, warn};
use crate::compare::Why;
use crate::ops::config::{self, CutOff, Draft, Layer, Opener, Rescued};

/// Arguments of `plumb config edit`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// Go on with an edit that was kept; the file is removed once the edit is taken.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    resume: Option<PathBuf>,
    #[command(flatten)]
    mac: Mac,
}

/// What would end Plumb, and must not before the plain text is gone.
struct Signals {
    interrupt: Signal,
    end: Signal,
    gone: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failed> {
        let listen = |kind| signal(kind).map_err(|error| Why::new(format!("cannot listen to signals: {error}")));
        let (interrupt, end) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
        Ok(Self { interrupt, end, gone: listen(SignalKind::hangup())? })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.end.recv() => {}
            _ = self.gone.recv() => {}
        }
    }
}

/// How the editor ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    Well,
    /// It failed, or could not be started.
    Badly(String),
    /// Plumb itself was told to end, and so it was.
    Told,
}

/// Runs `plumb config edit`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    let settings = args.which.settings(shared)?;
    let opener = opener(shared, &settings, args.mac);
    let editor = shared.environ.get("SOPS_EDITOR").map(str::to_owned);
    let editor = editor.or_else(|| settings.operator.editor.clone()).unwrap_or_else(|| "vi".to_owned());
    let rescued = rescue(shared, CutOff::find(&places(shared)), &opener).await;
    let (of_work, which) = (settings.clone(), args.which.clone());
    let layer = config::blocking(move || Layer::find(&of_work, &which.service, &which.layer)).await?;
    let mine =
        rescued.into_iter().rev().find(|each| each.document.canonicalize().ok() == layer.path.canonicalize().ok());
    let resume = match (&args.resume, mine) {
        (Some(file), _) => Some(file.clone()),
        (None, Some(mine)) => asked("Go on with it?").await.then_some(mine.kept),
        (None, None) => None,
    };
    let (of_work, places, kept) = (opener.clone(), places(shared), resume.clone());
    let mut signals = Signals::listen()?;
    let decrypting = config::blocking(move || {
        let draft = Draft::begin(&of_work, &layer, &places, kept.as_deref())?;
        Ok((draft, layer.file))
    });
    let begun = tokio::select! {
        draft = decrypting => draft,
        () = signals.any() => return Err(Failed::Interrupted),
    };
    warn(&opener);
    let (draft, file) = begun?;
    let draft = Arc::new(draft);
    loop {
        let ended = open(&editor, draft.path(), &mut signals).await?;
        let taken = match &ended {
            Ended::Badly(why) if draft.is_changed() => Err(Why::new(format!("the editor failed: {why}"))),
            Ended::Badly(why) => return Err(Why::new(format!("the editor failed: {why}; nothing was changed")).into()),
            Ended::Well | Ended::Told => take(&draft, &opener).await,
        };
        match taken {
            Ok(changed) => {
                say!("{} {}", if changed { "changed" } else { "nothing changed in" }, clean(&file));
                return Ok(Outcome::Clean);
            }
            Err(why) => {
                say!("plumb: {}", clean(&why.reason));
                if ended == Ended::Told || !asked("Edit it again?").await {
                    return keep(shared, &args.which, draft, opener).await;
                }
            }
        }
    }
}

async fn take(draft: &Arc<Draft>, opener: &Opener) -> Result<bool, Why> {
    let (draft, opener) = (Arc::clone(draft), opener.clone());
    config::blocking(move || draft.take(&opener)).await
}

/// An edit that is not to be gone on with is kept, encrypted, and where even that fails in memory.
async fn keep(shared: &Shared, which: &Which, draft: Arc<Draft>, opener: Opener) -> Result<Outcome, Failed> {
    let directory = edits(shared)?;
    let of_work = Arc::clone(&draft);
    let kept = config::blocking(move || of_work.keep(&opener, &directory)).await;
    let why = match (kept, Arc::try_unwrap(draft)) {
        (Ok(path), _) => {
            Why::new(format!("the document is as it was; the edit is kept, encrypted, as {}", path.display()))
                .hint(resuming(&which.service, &which.layer, &path))
        }
        (Err(why), Ok(draft)) => {
            let path = draft.leave();
            Why::new(format!("the document is as it was, and the edit could not be encrypted: {why}"))
                .hint(format!("it lies in plain text, in memory, as {}: remove it", path.display()))
        }
        (Err(why), Err(_)) => why,
    };
    Err(why.into())
}

/// Where edits are kept.
fn edits(shared: &Shared) -> Result<PathBuf, Failed> {
    Ok(shared.directories().state()?.join("edits"))
}

fn resuming(service: &str, layer: &str, kept: &Path) -> String {
    let kept = kept.display().to_string();
    format!(
        "plumb config edit {service} {layer} --resume {}",
        if kept.contains(' ') { format!("'{kept}'") } else { kept }
    )
}

/// Keeps edits whose Plumb was killed, for whichever command comes next, which is not held up by what cannot be kept.
pub(super) async fn rescue_any(shared: &Shared) {
    let cut_off = CutOff::find(&places(shared));
    if let (false, Ok(settings)) = (cut_off.is_empty(), shared.settings_of_files()) {
        rescue(shared, cut_off, &opener(shared, &settings, Mac { ignore_mac: false })).await;
    }
}

async fn rescue(shared: &Shared, cut_off: CutOff, opener: &Opener) -> Vec<Rescued> {
    let Ok(directory) = edits(shared) else { return Vec::new() };
    let opener = opener.clone();
    let rescued = config::blocking(move || Ok(cut_off.rescue(&opener, &directory))).await.unwrap_or_default();
    for each in &rescued {
        match each {
            Ok(Rescued { service, layer, file, kept, .. }) => {
                say!(
                    "an edit of {} was cut off; it is kept, encrypted, as {}",
                    clean(file),
                    clean(&kept.display().to_string())
                );
                say!("try: {}", clean(&resuming(service, layer, kept)));
            }
            Err(why) => {
                say!("plumb: {}", clean(&why.reason));
                say!("try: {}", clean(why.hint.as_deref().unwrap_or_default()));
            }
        }
    }
    rescued.into_iter().flatten().collect()
}

fn places(shared: &Shared) -> Vec<PathBuf> {
    config::memory_places(shared.environ.get("XDG_RUNTIME_DIR"))
}

/// Has a file edited, and waits. A signal that would end Plumb ends the editor first.
async fn open(editor: &str, path: &Path, signals: &mut Signals) -> Result<Ended, Failed> {
    let told = |error: std::io::Error| Why::new(format!("cannot wait for the editor: {error}"));
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{editor} \"$@\""), "plumb"]).args(config::quiet_editor(editor)).arg(path);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ok(Ended::Badly(error.to_string())),
    };
    let mut was_told = false;
    loop {
        tokio::select! {
            status = child.wait() => {
                let status = status.map_err(told)?;
                return Ok(match (was_told, status.success()) {
                    (true, _) => Ended::Told,
                    (false, true) => Ended::Well,
                    (false, false) => Ended::Badly(status.to_string()),
                });
            }
            // In a terminal that is not raw ^C reaches both; the editor decides what it means.
            _ = signals.interrupt.recv() => {}
            _ = signals.end.recv() => was_told = true,
            _ = signals.gone.recv() => was_told = true,
        }
        if was_told && let Some(id) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
            // One that has just ended needs no telling.
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
    }
}

/// Whether the operator says yes; where nobody can be asked, no.
async fn asked(question: &'static str) -> bool {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return false;
    }
    let asked = tokio::task::spawn_blocking(move || {
        let _ = write!(std::io::stderr(), "{question} [Y/n] ");
        let _ = std::io::stderr().flush();
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line).unwrap_or(0);
        read > 0 && !line.trim().to_lowercase().starts_with('n')
    });
    asked.await.unwrap_or(false)
}
