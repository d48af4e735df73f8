//! The field of a value: where it goes, what it says, and whether that can be.

use crate::compare::Why;
use crate::console::model::Job;
use crate::ops::config::changes::{Alphabet, Desk, Shelf, Subject, Value, Verdict};
use crate::ops::config::{Input, changes};
use crate::secret::Secret;

/// What the field is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A value of an item.
    Edit,
    /// A key that is not there yet.
    Add,
    /// The live value into git.
    Adopt,
}

/// A line of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// The choice of a service.
    Service,
    /// The choice of a layer.
    Layer,
    /// The key.
    Key,
    /// The value.
    Value,
    /// What a generated value is made of.
    Generate,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filling {
    /// It is being read where the value may be put.
    Reading,
    /// It can be filled.
    Ready,
    /// What is filled in is being taken into the list.
    Keeping,
    /// Nothing can be filled in, and why.
    Failed(Why),
}

/// The field over the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What it is for.
    pub purpose: Purpose,
    /// The item's name; of none, empty.
    pub title: String,
    /// What the change is about.
    pub subject: Subject,
    /// Index of the environment.
    pub environment: usize,
    /// The request under way.
    pub job: Job,
    /// How far it is.
    pub filling: Filling,
    /// Where the value may be put, once that is read.
    pub desk: Option<Box<Desk>>,
    /// Which of its shelves is chosen.
    pub shelf: usize,
    /// The key that is typed.
    pub key: String,
    /// The value that is typed.
    pub value: Secret,
    /// Whether it is typed as JSON.
    pub json: bool,
    /// The line that hears the keys.
    pub line: Line,
    /// How long a generated value is.
    pub length: String,
    /// What it is made of.
    pub alphabet: Alphabet,
    /// Until when values are shown, milliseconds since the Unix epoch.
    pub shown: Option<i64>,
    /// Why it was not taken into the list.
    pub refused: Option<Why>,
}

impl Edit {
    pub(in crate::console) fn new(
        purpose: Purpose,
        title: String,
        subject: Subject,
        environment: usize,
        job: Job,
    ) -> Self {
        Self {
            purpose,
            title,
            subject,
            environment,
            job,
            filling: Filling::Reading,
            desk: None,
            shelf: 0,
            key: String::new(),
            value: Secret::new(""),
            json: false,
            line: if purpose == Purpose::Add { Line::Key } else { Line::Value },
            length: String::from("32"),
            alphabet: Alphabet::default(),
            shown: None,
            refused: None,
        }
    }

    /// Its heading.
    pub(in crate::console) fn heading(&self) -> &'static str {
        match self.purpose {
            Purpose::Edit => "EDIT",
            Purpose::Add => "ADD A KEY",
            Purpose::Adopt => "ADOPT INTO GIT",
        }
    }

    /// The lines that can be filled.
    pub(in crate::console) fn lines(&self) -> &'static [Line] {
        let several = self.desk.as_ref().is_some_and(|desk| desk.shelves.len() > 1);
        match (self.purpose, several) {
            (Purpose::Add, _) => &[Line::Service, Line::Layer, Line::Key, Line::Value, Line::Generate],
            (_, true) => &[Line::Layer, Line::Value, Line::Generate],
            (_, false) => &[Line::Value, Line::Generate],
        }
    }

    /// The layer that is chosen.
    pub(in crate::console) fn chosen(&self) -> Option<&Shelf> {
        self.desk.as_ref()?.shelves.get(self.shelf)
    }

    /// The key: of an item its own, else what is typed.
    pub(in crate::console) fn key(&self) -> &str {
        match &self.desk {
            Some(desk) if !desk.key.is_empty() => &desk.key,
            _ => self.key.trim(),
        }
    }

    /// What stands in the chosen layer.
    pub(in crate::console) fn before(&self) -> Option<&Value> {
        self.chosen()?.standing.as_ref().ok()?.as_ref()
    }

    /// The value as it is given.
    pub(in crate::console) fn input(&self) -> Input {
        if self.json { Input::Json(self.value.clone()) } else { Input::Text(self.value.clone()) }
    }

    /// What is to be said of it.
    pub(in crate::console) fn verdict(&self) -> Option<Verdict> {
        let layer = self.chosen()?;
        if let Err(why) = &layer.standing {
            return Some(Verdict::Refused(why.reason.clone()));
        }
        Some(layer.verdict(self.key(), &self.input(), self.before()))
    }

    /// The change that it asks for.
    pub(in crate::console) fn proposal(&self) -> Option<changes::Proposal> {
        let layer = self.chosen()?;
        Some(changes::Proposal {
            subject: self.subject.clone(),
            shelf: Some((layer.service.clone(), layer.layer.clone())),
            key: self.key().to_owned(),
            value: Some(self.input()),
        })
    }

    /// Goes to another line.
    pub(in crate::console) fn turn(&mut self, forward: bool) {
        let lines = self.lines();
        let at = lines.iter().position(|line| *line == self.line).unwrap_or(0);
        let by = if forward { 1 } else { lines.len() - 1 };
        self.line = lines[(at + by) % lines.len()];
    }

    /// Takes the next choice of a line that is chosen from.
    pub(in crate::console) fn choose(&mut self, forward: bool) {
        if self.line == Line::Generate {
            self.alphabet = self.alphabet.next(forward);
        }
        let Some(desk) = &self.desk else { return };
        let Some(here) = desk.shelves.get(self.shelf) else { return };
        let wanted = |shelf: &Shelf| match self.line {
            Line::Service => shelf.service != here.service && shelf.layer == here.layer,
            Line::Layer => shelf.service == here.service && shelf.layer != here.layer,
            Line::Key | Line::Value | Line::Generate => false,
        };
        let count = desk.shelves.len();
        let mut order = (1..count).map(|by| (self.shelf + if forward { by } else { count - by }) % count);
        if let Some(next) = order.find(|at| wanted(&desk.shelves[*at])) {
            self.shelf = next;
            self.refused = None;
        }
    }

    /// The text field that hears letters; the value is none that may be copied.
    pub(in crate::console) fn field(&mut self) -> Option<&mut String> {
        match self.line {
            Line::Key if self.filling == Filling::Ready => Some(&mut self.key),
            Line::Generate if self.filling == Filling::Ready => Some(&mut self.length),
            _ => None,
        }
    }
}
