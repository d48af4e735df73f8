//! Pictures of each page, for README and for whoever wants to see it before trying it.
//!
//! They are taken from the real binary over the real demo. `PLUMB_SCREENSHOTS=1` writes them to `screenshots/`, where they
//! are looked at and committed; a run without it compares. The clock stands still, and what is new in each demo has
//! stand-ins (`tests/support/screenshot/stand_in.rs`). A new picture is a new row.

use super::shop::{Console, shop};
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

    /// Goes there.
    fn open(&self) -> Console {
        let mut visit = shop().console().size(self.size.0, self.size.1).env("PLUMB_CLOCK", &shop().morning.to_string());
        for (name, value) in self.variables.iter().copied().chain(self.theme.map(|theme| ("PLUMB_THEME", theme))) {
            visit = visit.env(name, value);
        }
        let console = visit.open();
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
        let console = self.open();
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
    Picture::of("overview", &[("", "oncall-mara")]),
    Picture::of("stacks", &[("2", "VERDICT")]),
    Picture::of("parameters", &[("3", "VERDICT")]),
    Picture::of("secrets", &[("4", "VERDICT")]),
    Picture::of("diff", &[("2", "VERDICT"), ("j", "▸ ~ drifted   InventorySync"), ("d", "Variables.SYNC_BATCH")]),
];

const OVERLAYS: &[Picture] =
    &[Picture::of("help", &[("?", "what you want to do")]), Picture::of("picker", &[("@", "ref   main")])];

const WIDTHS: &[Picture] = &[
    Picture::of("overview-60x16", &[("", "PARAMS")]).size(60, 16),
    Picture::of("stacks-80x24", &[("2", "2 STACKS")]).size(80, 24),
    Picture::of("overview-200x60", &[("", "oncall-mara")]).size(200, 60),
];

const LOOKS: &[Picture] = &[
    Picture::of("overview-plumb-light", &[("", "oncall-mara")]).theme("plumb-light"),
    Picture::of("overview-no-color", &[("", "oncall-mara")]).with(&[("NO_COLOR", "1")]),
    Picture::of("overview-ascii", &[("", "oncall-mara")]).with(&[("LC_ALL", "C")]),
];

#[test]
fn each_page_has_its_picture() {
    PAGES.iter().for_each(Picture::take);
}

#[test]
fn what_lies_over_a_page_has_its_picture() {
    OVERLAYS.iter().for_each(Picture::take);
}

#[test]
fn narrow_and_wide_terminals_have_their_pictures() {
    WIDTHS.iter().for_each(Picture::take);
}

#[test]
fn themes_and_poor_terminals_have_their_pictures() {
    LOOKS.iter().for_each(Picture::take);
}

#[test]
fn no_picture_is_committed_that_nobody_takes() {
    let taken = [PAGES, OVERLAYS, WIDTHS, LOOKS].into_iter().flatten().map(|picture| picture.name);
    let taken: Vec<&str> = taken.chain(["harness", super::tour::NAME]).collect();
    for entry in std::fs::read_dir(screenshot::file("")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap().to_owned();
        assert!(taken.contains(&name.as_str()), "{} is taken by no test", path.display());
    }
}
