//! A test that reads as what a person does and sees.
//!
//! Only the steps that every story needs; what a story is given (an account, a repository) is made by the test and
//! handed over, so that this file knows nothing of any page.

use std::any::Any;
use std::path::Path;

use super::account::Account;
use super::proxy::Proxy;
use super::screenshot;
use super::terminal::{Program, Terminal};

/// A story before the program runs.
#[must_use = "a story begins with `open`"]
pub struct Story {
    title: &'static str,
    program: Program,
    account: Account,
    proxy: Option<Proxy>,
    kept: Vec<Box<dyn Any>>,
}

/// Begins a story in a fresh account, in a home directory of its own.
pub fn story(title: &'static str) -> Story {
    let home = tempfile::tempdir().expect("a home directory");
    let program = Program::plumb().env("HOME", home.path()).dir(home.path());
    Story { title, program, account: Account::fresh(), proxy: None, kept: vec![Box::new(home)] }
}

impl Story {
    /// In this account and not in a fresh one.
    pub fn in_account(mut self, account: &Account) -> Self {
        self.account = account.clone();
        self
    }

    /// With a proxy on the way to the account; see [`Playing::proxy`].
    pub fn behind_proxy(mut self) -> Self {
        let (account, proxy) = self.account.behind_proxy();
        (self.account, self.proxy) = (account, Some(proxy));
        self
    }

    /// What was made in the account before the program starts.
    pub fn given(self, make: impl FnOnce(&Account)) -> Self {
        make(&self.account);
        self
    }

    /// The directory that the program starts in.
    pub fn in_dir(mut self, dir: &Path) -> Self {
        self.program = self.program.dir(dir);
        self
    }

    /// Keeps something (a temporary directory) until the story ends.
    pub fn keeping(mut self, thing: impl Any) -> Self {
        self.kept.push(Box::new(thing));
        self
    }

    /// A variable of the program's environment.
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.program = self.program.env(name, value);
        self
    }

    /// The terminal's columns and rows.
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        self.program = self.program.size(columns, rows);
        self
    }

    /// Starts the program with these arguments.
    pub fn open<'a>(self, args: impl IntoIterator<Item = &'a str>) -> Playing {
        let Self { title, program, account, proxy, kept } = self;
        let terminal = program.envs(account.env()).args(args).start();
        Playing { title, terminal, account, proxy, _kept: kept }
    }

    /// Plays another program than the real binary, for tests of the harness.
    pub fn of_program(mut self, program: Program) -> Self {
        self.program = program;
        self
    }
}

/// A story while the program runs. Every step waits for its condition and fails with the screen.
pub struct Playing {
    title: &'static str,
    pub terminal: Terminal,
    pub account: Account,
    proxy: Option<Proxy>,
    _kept: Vec<Box<dyn Any>>,
}

impl Playing {
    /// The proxy of [`Story::behind_proxy`].
    pub fn proxy(&self) -> &Proxy {
        self.proxy.as_ref().unwrap_or_else(|| panic!("{}: this story has no proxy", self.title))
    }

    /// Somebody changes something in the account, by hand and while the program runs.
    pub fn when(&self, change: impl FnOnce(&Account)) -> &Self {
        change(&self.account);
        self
    }

    pub fn press(&self, keys: &str) -> &Self {
        self.terminal.press(keys);
        self
    }

    pub fn sees(&self, text: &str) -> &Self {
        self.terminal.sees(text);
        self
    }

    pub fn loses(&self, text: &str) -> &Self {
        self.terminal.loses(text);
        self
    }

    /// Holds that a value has not been shown at any time since the start.
    pub fn never_showed(&self, value: &str) -> &Self {
        self.terminal.never_showed(value);
        self
    }

    /// Takes a picture; see [`screenshot::keep`].
    pub fn picture(&self, name: &str) -> &Self {
        screenshot::keep(name, &screenshot::svg(&self.terminal.screen()));
        self
    }

    /// Waits for the end: this exit code, and the terminal as it was.
    pub fn ends_with(&self, code: u32) {
        assert_eq!(self.terminal.exit_code(), code, "{}\n{}", self.title, self.terminal.text());
        self.terminal.is_restored();
    }
}
