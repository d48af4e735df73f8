//! A program in a real pseudo terminal, its screen read through a terminal emulator.
//!
//! The emulator answers the questions that a terminal answers (device attributes, cursor position, background), so the program
//! behaves as on a desk. The program sees only the environment it is given.

mod emulator;
mod keys;

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use super::wait::{Watched, deadline};
use emulator::Emulator;

/// A program to start: what it is, and the whole world it gets to see.
#[derive(Clone, Debug)]
pub struct Program {
    argv: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    dir: PathBuf,
    columns: u16,
    rows: u16,
    background: &'static str,
}

impl Program {
    /// A program with no environment but a terminal type, `PATH`, UTF-8 and UTC, in a terminal of 120 by 40 cells.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let env = [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LANG", "C.UTF-8"), ("TZ", "UTC")];
        let mut env: Vec<_> = env.map(|(name, value)| (name.into(), value.into())).into();
        env.extend(std::env::var_os("PATH").map(|path| ("PATH".into(), path)));
        Self {
            argv: vec![program.as_ref().into()],
            env,
            dir: std::env::temp_dir(),
            columns: 120,
            rows: 40,
            background: "1c1c/1c1c/1c1c",
        }
    }

    /// The real binary.
    pub fn plumb() -> Self {
        Self::new(env!("CARGO_BIN_EXE_plumb"))
    }

    /// A line of shell.
    pub fn sh(script: &str) -> Self {
        Self::new("/bin/sh").args(["-c", script])
    }

    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.argv.extend(args.into_iter().map(|arg| arg.as_ref().into()));
        self
    }

    /// Sets a variable; a later one of the same name wins.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().into(), value.as_ref().into()));
        self
    }

    pub fn envs<N: AsRef<OsStr>, V: AsRef<OsStr>>(self, variables: impl IntoIterator<Item = (N, V)>) -> Self {
        variables.into_iter().fold(self, |program, (name, value)| program.env(name, value))
    }

    /// The directory it starts in; the system's temporary directory when not set.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = dir.into();
        self
    }

    /// The terminal's size in cells.
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        (self.columns, self.rows) = (columns, rows);
        self
    }

    /// What the terminal answers who asks for its background (OSC 11); a dark one when not set.
    pub fn background(mut self, colour: &'static str) -> Self {
        self.background = colour;
        self
    }

    /// Puts a shell over it, as on a desk: without one a terminal's `^z` stops nothing. When the program is stopped the
    /// shell says `[stopped]`; the next `<Enter>` brings it back, after `[continued]`. The exit code is the program's.
    pub fn with_job_control(mut self) -> Self {
        // 128 and SIGTSTP or SIGSTOP, whose numbers are 18 to 20 among systems.
        let shell = "set -m; \"$@\"; code=$?; while case $code in 146|147|148) ;; *) false;; esac; do \
                     echo '[stopped]'; read line; echo '[continued]'; fg >/dev/null; code=$?; done; exit $code";
        self.argv.splice(..0, ["/bin/sh", "-c", shell, "sh"].map(OsString::from));
        self
    }

    /// What to start in a terminal of one's own.
    pub fn command(self) -> CommandBuilder {
        let mut command = CommandBuilder::from_argv(self.argv);
        command.env_clear();
        for (name, value) in self.env {
            command.env(name, value);
        }
        command.cwd(&self.dir);
        command
    }

    /// Starts it.
    pub fn start(self) -> Terminal {
        Terminal::start(self)
    }
}

/// What the program has shown and how it ended.
struct State {
    emulator: Emulator,
    /// Every byte that it wrote, for what must never have been on any screen.
    output: Vec<u8>,
    ended: Option<Ended>,
    /// Nothing more will come: the last holder of the terminal's other side has closed it.
    closed: bool,
}

/// How the program left.
#[derive(Clone, Debug)]
struct Ended {
    status: ExitStatus,
    /// The terminal's line settings at that moment.
    settings: String,
}

/// A running (or ended) program in its terminal. Dropping it hangs the terminal up and kills the program.
pub struct Terminal {
    state: Arc<Watched<State>>,
    master: Arc<Mutex<Box<dyn MasterPty + Send>>>,
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
    pid: u32,
    settings_before: String,
}

impl Terminal {
    /// Starts `program`; see [`Program`] for more than the usual.
    pub fn spawn<N: AsRef<OsStr>, V: AsRef<OsStr>>(
        program: impl AsRef<OsStr>,
        env: impl IntoIterator<Item = (N, V)>,
        (columns, rows): (u16, u16),
    ) -> Self {
        Program::new(program).envs(env).size(columns, rows).start()
    }

    fn start(program: Program) -> Self {
        let size = pty_size(program.columns, program.rows);
        let pair = native_pty_system().openpty(size).expect("a pseudo terminal");
        let (columns, rows) = (cells(program.columns), cells(program.rows));
        let background = program.background;
        let command = program.command();
        let settings_before = settings(&*pair.master);
        let reader = pair.master.try_clone_reader().expect("the terminal's output");
        let writer = Arc::new(Mutex::new(pair.master.take_writer().expect("the terminal's input")));
        let mut child = pair.slave.spawn_command(command).expect("the program starts");
        let pid = child.process_id().expect("a running program has an id");
        let state = Arc::new(Watched::new(State {
            emulator: Emulator::new(columns, rows, background),
            output: Vec::new(),
            ended: None,
            closed: false,
        }));
        let master = Arc::new(Mutex::new(pair.master));

        let shown = Arc::clone(&state);
        let answers = Arc::clone(&writer);
        std::thread::spawn(move || show(reader, &shown, &answers));

        let (left, terminal, slave) = (Arc::clone(&state), Arc::clone(&master), pair.slave);
        std::thread::spawn(move || {
            let status = child.wait().expect("the program can be waited for");
            let settings = settings(&**lock(&terminal));
            left.change(|state| state.ended = Some(Ended { status, settings }));
            // Held open until here: a terminal without a program forgets its settings.
            drop(slave);
        });
        Self { state, master, writer, pid, settings_before }
    }

    /// Types keys: `press("3 / p o o l <Enter>")`, `press("^d")`. Blanks separate and are no keys (`<Space>` is);
    /// a word without `<` and `^` is typed letter by letter. See the names in `keys.rs`.
    pub fn press(&self, keys: &str) -> &Self {
        let application = self.screen().application_cursor();
        let bytes = keys::encode(keys, application).unwrap_or_else(|why| panic!("press({keys:?}): {why}"));
        self.send(&bytes)
    }

    /// Types this text as it is, blanks and all.
    pub fn type_text(&self, text: &str) -> &Self {
        self.send(text.as_bytes())
    }

    /// Pastes as a terminal does: marked as a paste when the program has asked for it.
    pub fn paste(&self, text: &str) -> &Self {
        if self.screen().bracketed_paste() {
            self.send(format!("\x1b[200~{text}\x1b[201~").as_bytes())
        } else {
            self.send(text.as_bytes())
        }
    }

    /// Clicks the left button on a cell, counted from 0 (in the encoding of `DECSET 1006`).
    pub fn click(&self, column: u16, row: u16) -> &Self {
        let (column, row) = (column + 1, row + 1);
        self.send(format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m").as_bytes())
    }

    /// Turns the wheel by one notch over a cell, counted from 0.
    pub fn scroll(&self, column: u16, row: u16, down: bool) -> &Self {
        let button = if down { 65 } else { 64 };
        self.send(format!("\x1b[<{button};{};{}M", column + 1, row + 1).as_bytes())
    }

    fn send(&self, bytes: &[u8]) -> &Self {
        let mut writer = lock(&self.writer);
        let sent = writer.write_all(bytes).and_then(|()| writer.flush());
        sent.unwrap_or_else(|error| panic!("the program takes no keys: {error}\n{}", self.dump()));
        drop(writer);
        self
    }

    /// Makes the terminal this many cells wide and high; the program is told by `SIGWINCH`.
    pub fn resize(&self, columns: u16, rows: u16) -> &Self {
        // The screen first: what the program draws for the new size must find it.
        self.state.change(|state| state.emulator.resize(cells(columns), cells(rows)));
        lock(&self.master).resize(pty_size(columns, rows)).expect("the terminal can be resized");
        self
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: rustix::process::Signal) -> &Self {
        let pid = rustix::process::Pid::from_raw(self.pid.cast_signed()).expect("an id of a process");
        rustix::process::kill_process(pid, signal).expect("the program takes signals");
        self
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The screen as it is now.
    pub fn screen(&self) -> vt100::Screen {
        self.state.read().emulator.screen().clone()
    }

    /// What the screen says, line by line.
    pub fn text(&self) -> String {
        self.screen().contents()
    }

    /// All that the program ever wrote, escape sequences included.
    pub fn output(&self) -> Vec<u8> {
        self.state.read().output.clone()
    }

    /// What the program put into the clipboard (OSC 52), decoded from base64 by nobody.
    pub fn clipboard(&self) -> Vec<Vec<u8>> {
        self.state.read().emulator.clipboard().to_vec()
    }

    /// Whether the terminal was asked to show each character in the cell that it was written to, whatever its script.
    pub fn keeps_order(&self) -> bool {
        self.state.read().emulator.keeps_order()
    }

    /// The titles that the program gave its window.
    pub fn titles(&self) -> Vec<String> {
        self.state.read().emulator.titles().to_vec()
    }

    /// Waits until the screen is as wanted.
    ///
    /// # Panics
    /// With the screen, when that has not come about within the deadline or the program has ended without it.
    pub fn wait_for(&self, what: &str, mut wanted: impl FnMut(&vt100::Screen) -> bool) -> &Self {
        let found = self.state.wait_for(deadline(), |state| {
            if wanted(state.emulator.screen()) {
                return Some(true);
            }
            (state.closed && state.ended.is_some()).then_some(false)
        });
        match found {
            Some(true) => self,
            Some(false) => panic!("the program ended before: {what}\n{}", self.dump()),
            None => panic!("waited in vain for: {what}\n{}", self.dump()),
        }
    }

    /// Waits until the text is on the screen, within one line.
    pub fn sees(&self, text: &str) -> &Self {
        self.wait_for(&format!("{text:?} on the screen"), |screen| screen.contents().contains(text))
    }

    /// Waits until the text is on the screen and the program has drawn the whole of it.
    pub fn pictures(&self, text: &str) -> vt100::Screen {
        let drawn = |state: &mut State| {
            let whole = is_whole(&state.output);
            let screen = state.emulator.screen();
            (whole && screen.contents().contains(text)).then(|| screen.clone())
        };
        let screen = self.state.wait_for(deadline(), drawn);
        screen.unwrap_or_else(|| panic!("waited in vain for a whole picture with: {text}\n{}", self.dump()))
    }

    /// Types keys, then waits until the program has drawn a whole frame since with this text; gives that frame.
    ///
    /// # Panics
    /// When it never has.
    pub fn answers(&self, keys: &str, text: &str) -> vt100::Screen {
        let before = self.state.read().output.len();
        if !keys.is_empty() {
            self.press(keys);
        }
        let drawn = |state: &mut State| {
            let whole = is_whole(&state.output);
            let since = keys.is_empty() || state.output.len() > before;
            let screen = state.emulator.screen();
            (whole && since && screen.contents().contains(text)).then(|| screen.clone())
        };
        let screen = self.state.wait_for(deadline(), drawn);
        screen.unwrap_or_else(|| panic!("after {keys:?} waited in vain for: {text}\n{}", self.dump()))
    }

    /// Waits until a whole frame is as wanted; gives the last whole frame when none ever is.
    pub fn comes_to(
        &self,
        mut wanted: impl FnMut(&vt100::Screen) -> bool,
    ) -> Result<vt100::Screen, Box<vt100::Screen>> {
        let mut last = self.screen();
        let found = self.state.wait_for(deadline(), |state| {
            if is_whole(&state.output) {
                last = state.emulator.screen().clone();
                return wanted(&last).then(|| last.clone());
            }
            None
        });
        found.ok_or_else(|| Box::new(last))
    }

    /// Waits until the text is no longer on the screen.
    pub fn loses(&self, text: &str) -> &Self {
        self.wait_for(&format!("{text:?} off the screen"), |screen| !screen.contents().contains(text))
    }

    /// Holds that the text is not in anything that the program ever wrote.
    pub fn never_showed(&self, text: &str) -> &Self {
        let state = self.state.read();
        let written = state.output.windows(text.len()).any(|window| window == text.as_bytes());
        let shown = state.emulator.screen().contents().contains(text);
        drop(state);
        assert!(!written && !shown, "{text:?} was shown\n{}", self.dump());
        self
    }

    /// Waits until the program has ended and all that it wrote is on the screen.
    pub fn exit(&self) -> ExitStatus {
        let status = self.state.wait_for(deadline(), |state| {
            state.ended.as_ref().filter(|_| state.closed).map(|ended| ended.status.clone())
        });
        status.unwrap_or_else(|| panic!("the program did not end\n{}", self.dump()))
    }

    /// The exit code, or the signal's name in the failure.
    pub fn exit_code(&self) -> u32 {
        let status = self.exit();
        assert!(status.signal().is_none(), "the program died: {status:?}\n{}", self.dump());
        status.exit_code()
    }

    /// Waits for the end, then names everything about the terminal that is not as the program found it.
    pub fn left_behind(&self) -> Vec<String> {
        self.exit();
        let state = self.state.read();
        let screen = state.emulator.screen();
        let mut left = state.emulator.left_behind();
        let modes = [
            (screen.alternate_screen(), "the alternate screen is on"),
            (screen.hide_cursor(), "the cursor is hidden"),
            (screen.bracketed_paste(), "bracketed paste is on"),
            (screen.application_cursor(), "application cursor keys are on"),
            (screen.application_keypad(), "the application keypad is on"),
            (screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None, "the mouse is captured"),
        ];
        left.extend(modes.iter().filter(|(on, _)| *on).map(|(_, what)| (*what).to_owned()));
        let after = state.ended.as_ref().map(|ended| ended.settings.as_str()).unwrap_or_default();
        if after != self.settings_before {
            left.push(format!("the line settings changed:\n  before {}\n  after  {after}", self.settings_before));
        }
        left
    }

    /// Waits for the end and holds that the terminal is as the program found it.
    pub fn is_restored(&self) -> &Self {
        let left = self.left_behind();
        assert!(left.is_empty(), "the terminal is not restored: {}\n{}", left.join("; "), self.dump());
        self
    }

    /// True while the terminal echoes and gathers lines, as before any full-screen program.
    pub fn is_cooked(&self) -> bool {
        settings(&**lock(&self.master)) == self.settings_before
    }

    fn dump(&self) -> String {
        let state = self.state.read();
        let screen = state.emulator.screen();
        let (rows, columns) = screen.size();
        let edge = "-".repeat(usize::from(columns.get()));
        let ended = state.ended.as_ref().map_or("running".to_owned(), |ended| format!("ended: {}", ended.status));
        format!("{edge}\n{}\n{edge}\n{columns} x {rows}, {ended}", screen.contents())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.state.read().ended.is_some() {
            return;
        }
        // The program leads its own session, so its group is its id: whatever it started goes with it.
        if let Some(pid) = rustix::process::Pid::from_raw(self.pid.cast_signed()) {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
        self.state.wait_for(Duration::from_secs(5), |state| state.ended.is_some().then_some(()));
    }
}

fn show(mut reader: Box<dyn Read + Send>, state: &Watched<State>, answers: &Mutex<Box<dyn Write + Send>>) {
    let mut buffer = vec![0; 65_536];
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(read) => read,
        };
        let reply = state.change(|state| {
            state.output.extend_from_slice(&buffer[..read]);
            state.emulator.process(&buffer[..read])
        });
        if !reply.is_empty() {
            let mut writer = lock(answers);
            // A program that ended without reading the answer is no failure.
            let _ = writer.write_all(&reply).and_then(|()| writer.flush());
        }
    }
    state.change(|state| state.closed = true);
}

fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a terminal has settings"))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has cells")
}

fn pty_size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

/// Whether a frame has just ended: each is sent between the marks of a synchronized update.
fn is_whole(output: &[u8]) -> bool {
    output.ends_with(b"\x1b[?2026l")
}
