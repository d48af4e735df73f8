//! Pictures of each page, for README and for whoever wants to see it before trying it.
//!
//! They are taken from the real binary over the real demo. `PLUMB_SCREENSHOTS=1` writes them to `screenshots/`, where they
//! are looked at and committed; a run without it compares. The clock stands still, and what is new in each demo has
//! stand-ins (`tests/support/screenshot/stand_in.rs`). A new picture is a new row.

use std::process::Command;

use super::shop::{Console, Visit, shop};
use crate::support::proxy::{Fault, Proxy};
use crate::support::screenshot::{self, Paper, StandIns};

/// A picture: its file's name, and how one gets to see it.
struct Picture {
    name: &'static str,
    /// Keys, and what is on the screen after them and was not before; the last text is one that comes last.
    steps: &'static [(&'static str, &'static str)],
    size: (u16, u16),
    theme: Option<&'static str>,
    variables: &'static [(&'static str, &'static str)],
}

impl Picture {
    /// From the overview of production, once everything is read, in a terminal of 120 by 40 cells.
    const fn of(name: &'static str, steps: &'static [(&'static str, &'static str)]) -> Self {
        Self { name, steps, size: (120, 40), theme: None, variables: &[] }
    }

    const fn size(self, columns: u16, rows: u16) -> Self {
        Self { size: (columns, rows), ..self }
    }

    /// In a terminal that is dark or light, as the theme's name says.
    const fn theme(self, theme: &'static str) -> Self {
        Self { theme: Some(theme), ..self }
    }

    const fn with(self, variables: &'static [(&'static str, &'static str)]) -> Self {
        Self { variables, ..self }
    }

    fn paper(&self) -> Paper {
        if self.theme.is_some_and(|theme| theme.contains("light")) { Paper::Light } else { Paper::Dark }
    }

    /// A terminal of its size, before anything is typed.
    fn visit(&self) -> Visit {
        let mut visit = shop().console().size(self.size.0, self.size.1).env("PLUMB_CLOCK", &shop().morning.to_string());
        for (name, value) in self.variables.iter().copied().chain(self.theme.map(|theme| ("PLUMB_THEME", theme))) {
            visit = visit.env(name, value);
        }
        visit
    }

    /// Goes there.
    fn open(&self) -> Console {
        let console = self.visit().open();
        for (keys, seen) in self.steps {
            console.answers(keys, seen);
        }
        console
    }

    /// The picture of a screen, the same in each demo.
    fn drawn(&self, screen: &vt100::Screen) -> String {
        screenshot::svg_on(&StandIns::new(&shop().commits).screen(screen), self.paper())
    }

    /// Writes it, or holds that it is what is committed.
    fn take(&self) {
        self.take_of(&self.open());
    }

    /// The same of a console that is open.
    fn take_of(&self, console: &Console) {
        if screenshot::asked_to_write() {
            let last = self.steps.last().map_or("oncall-mara", |(_, seen)| seen);
            screenshot::write(self.name, &self.drawn(&console.pictures(last)));
            return;
        }
        let differs = |screen: &vt100::Screen| screenshot::differs(self.name, &self.drawn(screen));
        // What the background reads may still be on its way.
        if let Err(screen) = console.comes_to(|screen| differs(screen).is_none()) {
            panic!("{}", differs(&screen).unwrap_or_default());
        }
    }
}

const PAGES: &[Picture] = &[
    Picture::of("overview", OVERVIEW),
    Picture::of("stacks", &[("2", "VERDICT")]),
    Picture::of("parameters", &[("3", "VERDICT")]),
    Picture::of("secrets", &[("4", "VERDICT")]),
    Picture::of("diff", DIFF),
    Picture::of("diff-below", &[("2", "VERDICT"), ("d", "unknown zip"), ("s", "- GIT")]),
    Picture::of("item", &[("2", "VERDICT"), ("j", "▸ ~ drifted   InventorySync"), ("<Enter>", "10 equal properties")]),
    Picture::of("revealed", &[("3", "VERDICT"), ("v", "revealed, masks in")]),
    Picture::of("everything", &[("3", "VERDICT"), ("f", "= in sync  ")]),
];

const OVERVIEW: &[(&str, &str)] = &[("", "oncall-mara")];
const DIFF: &[(&str, &str)] = &[("2", "VERDICT"), ("j", "▸ ~ drifted   InventorySync"), ("d", "Variables.SYNC_BATCH")];
const PARAMETERS: &[(&str, &str)] = &[("3", "VERDICT")];

const OVERLAYS: &[Picture] = &[
    Picture::of("help", &[("?", "what you want to do")]),
    Picture::of("help-searched", &[("?", "what you want to do"), ("copy", "Copy its value")]),
    Picture::of("picker", &[("@", "ref   main")]),
    Picture::of("palette", &[(":", "COMMANDS")]),
    Picture::of("palette-searched", &[(":", "COMMANDS"), ("sync", "InventorySync")]),
    Picture::of("actions", &[("2", "VERDICT"), ("x", "ACTIONS")]),
    Picture::of("copy", &[("3", "VERDICT"), ("y", "COPY")]),
    Picture::of("plan", &[(":record<Enter>", "first :unlock")]),
    Picture::of("journal", &[("u", "nothing was written")]),
    Picture::of("filter", &[("3", "VERDICT"), ("/pool", "esc")]),
    Picture::of("tour-step", &[(":tour<Enter>", "1 of 8")]),
    Picture::of("unlock", &[(":unlock<Space>15m<Space>\"queue<Space>stuck\"<Enter>", "Type prod")]),
    Picture::of("palette-80x24", &[(":", "COMMANDS")]).size(80, 24),
    Picture::of("help-80x24", &[("?", "what you want to do")]).size(80, 24),
    Picture::of("plan-80x24", &[(":record<Enter>", "first :unlock")]).size(80, 24),
];

const CRYPTO: &[Picture] =
    &[Picture::of("crypto", CRYPTO_IDLE).size(140, 40), Picture::of("crypto-80x24", CRYPTO_IDLE).size(80, 24)];

const CRYPTO_IDLE: &[(&str, &str)] = &[
    ("6", "6 CRYPTO"),
    ("<Enter>", "esc leave"),
    ("card<Space>4711", "card 4711"),
    ("<Enter>", "9 characters"),
    ("<Tab>", "= key 1"),
];

const UNDER_WAY: &[(&str, &str)] = &[("", "2 of 14 done")];

const CRYPTO_RUNNING: [Picture; 2] = [
    Picture::of("crypto-running", UNDER_WAY).size(140, 40),
    Picture::of("crypto-running-80x24", UNDER_WAY).size(80, 24),
];

const CRYPTO_FAILING: [Picture; 2] = [
    Picture::of("crypto-failing", &[("n", "▸ ! failed")]).size(140, 40),
    Picture::of("crypto-failing-80x24", &[("n", "▸ ! failed")]).size(80, 24),
];

const WIDTHS: &[Picture] = &[
    Picture::of("overview-60x16", &[("", "PARAMS")]).size(60, 16),
    Picture::of("overview-80x24", &[("", "NEEDS YOU")]).size(80, 24),
    Picture::of("overview-200x60", OVERVIEW).size(200, 60),
    Picture::of("overview-300x100", OVERVIEW).size(300, 100),
    Picture::of("stacks-80x24", &[("2", "2 STACKS")]).size(80, 24),
    Picture::of("parameters-60x16", &[("3", "3 PARAM")]).size(60, 16),
    Picture::of("parameters-80x24", &[("3", "3 PARAM")]).size(80, 24),
    Picture::of("parameters-200x60", PARAMETERS).size(200, 60),
    Picture::of("secrets-80x24", &[("4", "4 SECRETS")]).size(80, 24),
    Picture::of("diff-80x24", DIFF_NARROW).size(80, 24),
    Picture::of("diff-200x60", DIFF).size(200, 60),
];

const DIFF_NARROW: &[(&str, &str)] = &[("2", "2 STACKS"), ("d", "unknown zip")];

const LOOKS: &[Picture] = &[
    Picture::of("overview-plumb-light", OVERVIEW).theme("plumb-light"),
    Picture::of("overview-plumb-catppuccin", OVERVIEW).theme("plumb-catppuccin"),
    Picture::of("overview-plumb-colour-blind", OVERVIEW).theme("plumb-colour-blind"),
    Picture::of("overview-plumb-colour-blind-light", OVERVIEW).theme("plumb-colour-blind-light"),
    Picture::of("overview-plumb-high-contrast", OVERVIEW).theme("plumb-high-contrast"),
    Picture::of("overview-plumb-monochrome", OVERVIEW).theme("plumb-monochrome"),
    Picture::of("overview-plumb-terminal-16", OVERVIEW).theme("plumb-terminal-16"),
    Picture::of("diff-plumb-light", DIFF).theme("plumb-light"),
    Picture::of("diff-plumb-catppuccin", DIFF).theme("plumb-catppuccin"),
    Picture::of("diff-plumb-colour-blind", DIFF).theme("plumb-colour-blind"),
    Picture::of("diff-plumb-high-contrast", DIFF).theme("plumb-high-contrast"),
    Picture::of("diff-plumb-monochrome", DIFF).theme("plumb-monochrome"),
    Picture::of("diff-plumb-terminal-16", DIFF).theme("plumb-terminal-16"),
    Picture::of("overview-no-color", OVERVIEW).with(&[("NO_COLOR", "1")]),
    Picture::of("overview-ascii", OVERVIEW).with(&[("LC_ALL", "C")]),
    Picture::of("diff-ascii", &[("2", "VERDICT"), ("d", "unknown zip")]).with(&[("LC_ALL", "C")]),
];

/// Takes them, a few at a time, and tells of each that fails.
fn take(pictures: &[Picture]) {
    let mut failed = Vec::new();
    for some in pictures.chunks(3) {
        std::thread::scope(|scope| {
            let taken: Vec<_> = some.iter().map(|picture| (picture.name, scope.spawn(|| picture.take()))).collect();
            failed.extend(taken.into_iter().filter_map(|(name, taken)| taken.join().is_err().then_some(name)));
        });
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn each_page_has_its_picture() {
    take(PAGES);
}

#[test]
fn what_lies_over_a_page_has_its_picture() {
    take(OVERLAYS);
}

#[test]
fn narrow_and_wide_terminals_have_their_pictures() {
    take(WIDTHS);
}

#[test]
fn themes_and_poor_terminals_have_their_pictures() {
    take(LOOKS);
}

#[test]
fn the_crypto_page_has_its_pictures() {
    take(CRYPTO);
}

/// A clone of the shop's project whose crypto API is behind a proxy.
fn behind(proxy: &Proxy) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let project = directory.path().join("petshop");
    let cloned = Command::new("git").args(["clone", "-q"]).arg(&shop().project).arg(&project).status();
    assert!(cloned.unwrap().success());
    let file = std::fs::read_to_string(project.join("plumb.toml")).unwrap();
    let endpoint = shop().crypto_endpoint("prod").replace(&shop().endpoint_url, &proxy.endpoint_url());
    let file = file.replace("output = \"petshop-{env}/CryptoEndpoint\"", &format!("endpoint = \"{endpoint}\""));
    std::fs::write(project.join("plumb.toml"), file).unwrap();
    directory
}

/// Takes pictures of a smoke test of that API, once this is seen of it.
fn take_smoke(pictures: &[Picture], proxy: &Proxy, seen: &[&str]) {
    let directory = behind(proxy);
    for picture in pictures {
        let console = picture.visit().with(|program| program.dir(directory.path().join("petshop"))).open();
        for (keys, text) in [("6", "6 CRYPTO"), ("S", "S again"), ("S", "of 14 done")] {
            console.answers(keys, text);
        }
        for text in seen {
            console.pictures(text);
        }
        for (keys, text) in picture.steps {
            console.answers(keys, text);
        }
        picture.take_of(&console);
    }
}

#[test]
fn a_smoke_test_of_the_crypto_page_has_its_picture_while_it_is_under_way() {
    // What encrypts is never answered.
    let proxy = Proxy::start(&shop().endpoint_url);
    proxy.on("*").when(|call| call.target.ends_with("/v1/encrypt")).reply(Fault::Hang);
    take_smoke(&CRYPTO_RUNNING, &proxy, &[]);
}

#[test]
fn a_smoke_test_of_the_crypto_page_has_its_picture_when_it_failed() {
    // What is rewrapped is no ciphertext any more.
    let proxy = Proxy::start(&shop().endpoint_url);
    let lie = br#"{"ciphertext": "plumb:v1:1:AAAA", "key_version": 1, "previous_key_version": 1}"#;
    proxy.on("*").when(|call| call.target.ends_with("/v1/rewrap")).reply(Fault::Body(200, lie.to_vec()));
    take_smoke(&CRYPTO_FAILING, &proxy, &["1 failed", "1 unproven"]);
}

#[test]
fn no_picture_is_committed_that_nobody_takes() {
    let taken = [PAGES, OVERLAYS, CRYPTO, &CRYPTO_RUNNING, &CRYPTO_FAILING, WIDTHS, LOOKS]
        .into_iter()
        .flatten()
        .map(|picture| picture.name);
    let elsewhere = ["harness", super::tour::NAME]
        .into_iter()
        .chain(crate::cli::deploy::console::PICTURES)
        .chain(crate::data::page::PICTURES)
        .chain(crate::pipeline::PICTURES);
    let taken: Vec<&str> = taken.chain(elsewhere).collect();
    for entry in std::fs::read_dir(screenshot::file("")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap().to_owned();
        assert!(taken.contains(&name.as_str()), "{} is taken by no test", path.display());
    }
}
