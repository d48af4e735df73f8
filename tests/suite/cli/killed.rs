//! `plumb config`, killed at each of its writes: the document is whole, no edit is lost, no plain text is on a disk, and
//! nothing stays behind once the next command has run.
//!
//! The real binary is stopped by the kernel before its n-th write and killed there; n goes up until it comes to its end.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::config::{DEV, Vault, secret};
use crate::support::killed::{Ended, at_write, files_with};

const EDIT: [&str; 4] = ["config", "edit", "billing", "dev"];

/// A vault with a tmpfs of its own, in which nothing but its edits lies.
struct Scene {
    vault: Vault,
    memory: tempfile::TempDir,
    /// What is typed.
    new: String,
}

impl Scene {
    fn new() -> Self {
        let mut vault = Vault::new();
        let memory = tempfile::tempdir_in("/dev/shm").expect("a tmpfs");
        vault.shop.env.push(("XDG_RUNTIME_DIR".to_owned(), memory.path().display().to_string()));
        Self { vault, memory, new: secret() }
    }

    fn marker(&self) -> PathBuf {
        self.vault.shop.directory.path().join("edited")
    }

    /// An editor that does this to the file and says that it did.
    fn edits(&mut self, script: &str) {
        let done = self.marker();
        self.vault.editor(&format!("{script}\ntouch {}\n", done.display()));
    }

    /// As it was before: the document, nothing kept, nothing in memory.
    fn again(&self, document: &str) {
        self.vault.shop.write(DEV, document);
        let _ = std::fs::remove_file(self.marker());
        let _ = std::fs::remove_dir_all(self.edits_directory());
    }

    fn edits_directory(&self) -> PathBuf {
        self.vault.shop.directory.path().join(".local/state/plumb/edits")
    }

    fn kept(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.edits_directory()).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|kind| kind == "edit")).collect()
    }

    fn in_memory(&self) -> usize {
        std::fs::read_dir(self.memory.path()).expect("there").count()
    }

    fn host(&self) -> String {
        let plain: Value = serde_json::from_str(&self.vault.does(&["decrypt", DEV]).stdout).expect("JSON");
        plain["db"]["host"].as_str().expect("a text").to_owned()
    }

    /// What must be true however it was killed.
    fn is_whole(&self, before: &str, point: &str) {
        let disk = [self.vault.shop.directory.path().to_owned()];
        let editor = self.vault.shop.directory.path().join("editor.sh");
        let mut plain = files_with(&disk, &[&self.new, "db.dev"]);
        plain.remove(&editor);
        assert!(plain.is_empty(), "{point}: in plain text on the disk: {plain:?}");
        let host = self.host();
        assert!([before, &self.new].contains(&host.as_str()), "{point}: {host}");
    }

    /// What the next command makes of it, and what is then left.
    fn is_cleared(&self, point: &str) {
        self.vault.does(&["list"]);
        assert_eq!(self.in_memory(), 0, "{point}: in memory");
        self.vault.given("x", &["set", "billing", "dev", "url", "--value-stdin"]).ended(0);
        let beside = std::fs::read_dir(self.vault.shop.root().join(Path::new(DEV).parent().expect("a directory")));
        assert_eq!(beside.expect("there").count(), 1, "{point}: beside the document");
    }

    /// The edit can be gone on with: this is its text, and the document takes it.
    fn goes_on(&mut self, kept: &Path, text: &str, point: &str) {
        let kept = kept.to_str().expect("UTF-8").to_owned();
        assert_eq!(self.vault.does(&["decrypt", &kept]).stdout, text, "{point}");
        self.vault.editor("sed -i 's/^broken//' \"$1\"");
        self.vault.does(&["edit", "billing", "dev", "--resume", &kept]);
        assert_eq!(self.host(), self.new, "{point}");
        assert!(!Path::new(&kept).exists(), "{point}");
    }
}

/// Kills a command at every point until it comes to its end with this code.
fn every_point(command: &Command, input: &str, ends: i32, mut check: impl FnMut(&str)) -> usize {
    for n in 0.. {
        match at_write(n, command, input) {
            Ended::Killed(at) => check(&format!("killed at write {n}, {at}")),
            Ended::Itself(code) => {
                assert_eq!(code, ends, "after {n} writes");
                return n;
            }
        }
    }
    unreachable!("a command ends")
}

#[test]
fn a_value_that_is_set_is_there_or_not_and_nothing_lies_beside_it() {
    let scene = Scene::new();
    let before = scene.vault.read(DEV);
    let command = scene.vault.shop.command(&["config", "set", "billing", "dev", "db/host", "--value-stdin"]);
    let points = every_point(&command, &scene.new, 0, |point| {
        scene.is_whole("db.dev", point);
        scene.is_cleared(point);
        scene.again(&before);
    });
    assert!(points >= 5, "{points} points");
    assert_eq!(scene.host(), scene.new);
}

#[test]
fn an_edit_is_in_the_document_or_kept_wherever_it_was_cut_off() {
    let mut scene = Scene::new();
    let before = scene.vault.read(DEV);
    let text = scene.vault.does(&["decrypt", DEV]).stdout.replace("db.dev", &scene.new);
    let edits = format!("sed -i 's/db.dev/{}/' \"$1\"", scene.new);
    let mut found = (0, 0, 0);
    scene.edits(&edits);
    let command = scene.vault.shop.command(&EDIT);
    let points = every_point(&command, "", 0, |point| {
        let was_edited = scene.marker().exists();
        scene.is_whole("db.dev", point);
        let taken = scene.host() == scene.new;
        scene.is_cleared(point);
        match (&scene.kept()[..], was_edited, taken) {
            ([], false, false) => found.0 += 1,
            ([], true, true) => found.1 += 1,
            ([kept], true, false) => {
                found.2 += 1;
                scene.goes_on(kept, &text, point);
                scene.edits(&edits);
            }
            other => panic!("{point}: {other:?}"),
        }
        scene.again(&before);
    });
    assert!(points >= 15 && found.0 > 3 && found.1 > 3 && found.2 > 3, "{points} points: {found:?}");
}

#[test]
fn an_edit_that_is_refused_is_kept_wherever_its_keeping_was_cut_off() {
    let mut scene = Scene::new();
    let before = scene.vault.read(DEV);
    let text = scene.vault.does(&["decrypt", DEV]).stdout.replace("db.dev", &scene.new).replacen('{', "broken{", 1);
    let edits = format!("sed -i 's/db.dev/{}/; 1s/^/broken/' \"$1\"", scene.new);
    scene.edits(&edits);
    let command = scene.vault.shop.command(&EDIT);
    let mut kept_ones = 0;
    every_point(&command, "", 2, |point| {
        let was_edited = scene.marker().exists();
        scene.is_whole("db.dev", point);
        scene.is_cleared(point);
        let kept = scene.kept();
        // Twice is not lost: it was cut off between the keeping and the wiping.
        assert_eq!(!kept.is_empty(), was_edited, "{point}");
        kept_ones += kept.len();
        for each in &kept {
            scene.vault.shop.write(DEV, &before);
            scene.goes_on(each, &text, point);
        }
        scene.edits(&edits);
        scene.again(&before);
    });
    assert!(kept_ones > 8, "{kept_ones}");
}

#[test]
fn the_rescue_of_an_edit_may_be_cut_off_as_well() {
    let mut scene = Scene::new();
    let before = scene.vault.read(DEV);
    let text = scene.vault.does(&["decrypt", DEV]).stdout.replace("db.dev", &scene.new);
    let edits = format!("sed -i 's/db.dev/{}/' \"$1\"", scene.new);
    scene.edits(&edits);
    let edit = scene.vault.shop.command(&EDIT);
    // The first write after the editor.
    let cut_off = (0..1_000).find(|n| {
        let _ = std::fs::remove_file(scene.marker());
        assert!(matches!(at_write(*n, &edit, ""), Ended::Killed(_)));
        let there = scene.marker().exists();
        if !there {
            scene.vault.does(&["list"]);
        }
        there
    });
    let list = scene.vault.shop.command(&["config", "list"]);
    let points = every_point(&list, "", 0, |point| {
        scene.is_whole("db.dev", point);
        scene.is_cleared(point);
        let kept = scene.kept();
        assert!(!kept.is_empty(), "{point}");
        for each in &kept {
            scene.vault.shop.write(DEV, &before);
            scene.goes_on(each, &text, point);
        }
        scene.edits(&edits);
        scene.again(&before);
        assert!(matches!(at_write(cut_off.expect("found"), &edit, ""), Ended::Killed(_)), "{point}");
        assert!(scene.in_memory() == 1 && scene.marker().exists(), "{point}");
    });
    assert!(points >= 8, "{points} points");
}

#[test]
fn an_edit_whose_editor_lives_on_is_left_to_it_and_offered_when_that_is_gone() {
    let mut scene = Scene::new();
    let new = scene.new.clone();
    let fifo = |name: &str| {
        let path = scene.vault.shop.directory.path().join(name);
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
        path
    };
    let (ready, end) = (fifo("ready"), fifo("end"));
    scene.vault.editor(&format!(
        "sed -i 's/db.dev/{new}/' \"$1\"; echo > {}; read line < {}",
        ready.display(),
        end.display()
    ));
    let before = scene.vault.read(DEV);
    let mut plumb = scene.vault.shop.command(&EDIT).stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    std::fs::read(&ready).expect("the editor says so");
    plumb.kill().expect("it is there");
    plumb.wait().expect("it is dead");
    scene.vault.does(&["list"]);
    assert_eq!((scene.in_memory(), scene.kept().len()), (1, 0), "somebody may still type");
    // The editor ends, and gives back what it had.
    std::fs::write(&end, "\n").expect("it reads");
    let room = std::fs::read_dir(scene.memory.path()).expect("there").flatten().next().expect("one").path();
    std::fs::File::open(room).and_then(|room| room.lock()).expect("nobody has it any more");
    scene.vault.editor("true");
    let terminal = scene.vault.at_terminal(&["edit", "billing", "dev"]);
    terminal.sees("an edit of config/billing/dev/config.json was cut off").sees("Go on with it? [Y/n]");
    terminal.press("<Enter>");
    assert_eq!(terminal.exit_code(), 0);
    assert_eq!((scene.host(), scene.in_memory(), scene.kept().len()), (new, 0, 0));
    assert_ne!(scene.vault.read(DEV), before);
}
