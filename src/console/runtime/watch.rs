//! Hears of changed theme files from the system: nothing is asked again and again, an idle console stays idle.
//!
//! Directories are watched and not files, since most editors put a new file in the old one's place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::compare::Why;
use crate::console::{Tailor, Theme};

/// How long no change must follow before a file is read: one that is being written would be read half.
const QUIET: Duration = Duration::from_millis(40);

/// Tells the theme anew whenever one of its files changes.
pub(super) struct Watch {
    themes: mpsc::UnboundedReceiver<Result<Theme, Why>>,
    task: Option<AbortHandle>,
}

impl Watch {
    /// Begins to watch. A system that cannot tell of changes costs the operator that alone.
    pub(super) fn begin(tailor: Option<Arc<dyn Tailor>>) -> Self {
        let (sender, themes) = mpsc::unbounded_channel();
        let task = tailor.and_then(|tailor| Some(tokio::spawn(tell(Eyes::open()?, tailor, sender)).abort_handle()));
        Self { themes, task }
    }

    /// The theme after the next change; never, when nothing is watched.
    pub(super) async fn next(&mut self) -> Result<Theme, Why> {
        match self.themes.recv().await {
            Some(theme) => theme,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn tell(mut eyes: Eyes, tailor: Arc<dyn Tailor>, sender: mpsc::UnboundedSender<Result<Theme, Why>>) {
    eyes.look_at(tailor.places());
    while eyes.changes.recv().await.is_some() {
        while let Ok(Some(())) = timeout(QUIET, eyes.changes.recv()).await {}
        // A new link may lead to a place that nobody looks at yet. First the places, then the files: what changes in
        // between is heard.
        eyes.look_at(tailor.places());
        if sender.send(tailor.theme()).is_err() {
            break;
        }
    }
}

/// What the system tells of.
struct Eyes {
    watcher: RecommendedWatcher,
    changes: mpsc::UnboundedReceiver<()>,
    seen: BTreeSet<PathBuf>,
}

impl Eyes {
    fn open() -> Option<Self> {
        let (sender, changes) = mpsc::unbounded_channel();
        let hear = move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| is_change(&event)) {
                // Nobody listens any more when the console is over.
                let _ = sender.send(());
            }
        };
        let watcher = notify::recommended_watcher(hear).ok()?;
        Some(Self { watcher, changes, seen: BTreeSet::new() })
    }

    fn look_at(&mut self, places: Vec<PathBuf>) {
        for place in places {
            if !self.seen.contains(&place) && self.watcher.watch(&place, RecursiveMode::NonRecursive).is_ok() {
                self.seen.insert(place);
            }
        }
    }
}

/// Whether a theme file may have another content. Reading one is an event as well, and ours would follow each other.
fn is_change(event: &Event) -> bool {
    let is_theme = |path: &Path| path.extension().is_some_and(|extension| extension == "toml");
    let read = matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
    !read && event.paths.iter().any(|path| is_theme(path))
}
