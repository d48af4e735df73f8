//! Hears of changed theme files from the system: nothing is asked again and again, an idle console stays idle.
//!
//! Directories are watched and not files, since most editors put a new file in the old one's place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
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
    /// The directories that concern the theme, whether they exist or not.
    places: Arc<Mutex<Vec<PathBuf>>>,
    watched: BTreeSet<PathBuf>,
}

impl Eyes {
    fn open() -> Option<Self> {
        let (sender, changes) = mpsc::unbounded_channel();
        let places = Arc::<Mutex<Vec<PathBuf>>>::default();
        let known = Arc::clone(&places);
        let hear = move |event: notify::Result<Event>| {
            let concerns = |event: &Event| is_change(event, &known.lock().unwrap_or_else(PoisonError::into_inner));
            if event.is_ok_and(|event| concerns(&event)) {
                // Nobody listens any more when the console is over.
                let _ = sender.send(());
            }
        };
        let watcher = notify::recommended_watcher(hear).ok()?;
        Some(Self { watcher, changes, places, watched: BTreeSet::new() })
    }

    /// Watches the places anew, and what they lie in: a directory that was deleted and made again is another one, and
    /// nothing but its parent tells of that.
    fn look_at(&mut self, places: Vec<PathBuf>) {
        for place in std::mem::take(&mut self.watched) {
            // One that is gone is not watched any more.
            let _ = self.watcher.unwatch(&place);
        }
        let wanted: BTreeSet<PathBuf> = places.iter().flat_map(|place| around(place)).collect();
        *self.places.lock().unwrap_or_else(PoisonError::into_inner) = places;
        for place in wanted {
            if self.watcher.watch(&place, RecursiveMode::NonRecursive).is_ok() {
                self.watched.insert(place);
            }
        }
    }
}

/// A directory and the one that it lies in; of what does not exist yet, the first one above that does, if it is near.
fn around(place: &Path) -> impl Iterator<Item = PathBuf> + '_ {
    let exists = |path: &&Path| path.is_dir();
    let above = place.ancestors().skip(1).take(2).find(exists);
    Some(place).filter(exists).into_iter().chain(above).map(Path::to_owned)
}

/// Whether a theme file may have another content. Reading one is an event as well, and ours would follow each other.
fn is_change(event: &Event, places: &[PathBuf]) -> bool {
    let concerns = |path: &Path| {
        let is_theme = path.extension().is_some_and(|extension| extension == "toml");
        places.iter().any(|place| (is_theme && path.parent() == Some(place)) || place.starts_with(path))
    };
    let read = matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
    !read && event.paths.iter().any(|path| concerns(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::runtime::tests::theme::Closet;

    /// Waits until what is told is so; whatever is told before may be of a moment in between.
    async fn until(watch: &mut Watch, is_so: impl Fn(&Result<Theme, Why>) -> bool) {
        let told = async { while !is_so(&watch.next().await) {} };
        timeout(Duration::from_mins(1), told).await.unwrap();
    }

    #[tokio::test]
    async fn a_directory_that_is_deleted_and_made_again_is_looked_at_again() {
        let home = tempfile::tempdir().unwrap();
        let themes = home.path().canonicalize().unwrap().join("themes");
        let write = |text: &str| std::fs::write(themes.join("mine.toml"), text).unwrap();
        let mut watch = Watch::begin(Some(Arc::new(Closet(themes.clone()))));
        // Its first look is over once the task has run.
        tokio::task::yield_now().await;
        for _ in 0..2 {
            std::fs::create_dir(&themes).unwrap();
            until(&mut watch, Result::is_err).await;
            write("inherits = 'plumb-dark'");
            until(&mut watch, Result::is_ok).await;
            write("inherits = 'no-such-theme'");
            until(&mut watch, Result::is_err).await;
            write("inherits = 'plumb-light'");
            until(&mut watch, Result::is_ok).await;
            std::fs::remove_dir_all(&themes).unwrap();
            until(&mut watch, Result::is_err).await;
        }
    }
}
