//! The terminal, which is left as it was found whatever happens.

use std::io::{self, Write};
use std::panic;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste, Event};
use crossterm::execute;
use crossterm::style::Print;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use futures::Stream;
use rustix::event::{PollFd, PollFlags, poll};
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::mpsc;

use super::door::Door;
use super::host::Host;
use super::{Ending, Signal};
use crate::console::home::Home;

/// Asks a terminal that reorders right-to-left text to show every character in the cell that it was written to (ECMA-48's
/// mode BDSM, reset: explicit). Its reordering works on whole lines, and would exchange columns of a table where two of
/// them hold such text. What is drawn is the order in which it is stored, as on all other terminals, which ignore this.
const EXPLICIT_ORDER: &str = "\x1b[8l";

/// What terminals begin with.
const IMPLICIT_ORDER: &str = "\x1b[8h";

static TAKEN: AtomicBool = AtomicBool::new(false);

/// What is asked of the terminal beside the screen; kept here for a panic, which knows nothing else.
static EXTRAS: AtomicU8 = AtomicU8::new(0);

const MOUSE: u8 = 1;
const FOCUS: u8 = 2;
const TITLE: u8 = 4;

/// Each extra: how it is asked for, and how it is given back. Of the mouse only buttons, drags and the wheel: to be told of
/// each movement would keep a terminal over SSH busy for nothing.
const SEQUENCES: [(u8, &str, &str); 3] = [
    (MOUSE, "\x1b[?1000h\x1b[?1002h\x1b[?1006h", "\x1b[?1006l\x1b[?1002l\x1b[?1000l"),
    (FOCUS, "\x1b[?1004h", "\x1b[?1004l"),
    // The terminal keeps the old title on a stack (XTWINOPS).
    (TITLE, "\x1b[22;2t", "\x1b[23;2t"),
];

/// Holds the terminal in raw mode on the alternate screen, and gives it back when dropped.
pub(super) struct Guard;

impl Guard {
    /// Takes the terminal, and sees to it that a panic of this thread gives it back before it is reported.
    pub(super) fn enter(home: &Home) -> io::Result<Self> {
        let wanted = [(MOUSE, home.mouse), (FOCUS, home.notify), (TITLE, home.title)];
        EXTRAS.store(wanted.iter().filter(|(_, on)| *on).map(|(extra, _)| extra).sum(), Ordering::SeqCst);
        let here = std::thread::current().id();
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // A panic elsewhere ends one request, which says so on the screen; its report would tear the screen up.
            if !TAKEN.load(Ordering::SeqCst) {
                report(info);
            } else if std::thread::current().id() == here {
                give_back();
                report(info);
            }
        }));
        let guard = Self;
        take()?;
        Ok(guard)
    }
}

/// The real terminal, as the loop uses it beside drawing.
pub(super) struct Desk {
    /// Stands between the terminal and the thread that reads its keys.
    pub(super) door: Arc<Door>,
}

impl Host for Desk {
    fn suspend(&mut self) -> io::Result<()> {
        give_back();
        stop()?;
        take()
    }

    fn send(&mut self, sequence: &[u8]) -> io::Result<()> {
        // Not through the buffers of stdout, where a copied value would stay behind.
        let mut rest = sequence;
        while !rest.is_empty() {
            match rustix::io::write(io::stdout(), rest) {
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn leave(&mut self) -> io::Result<()> {
        self.door.close()?;
        give_back();
        Ok(())
    }

    fn enter(&mut self) -> io::Result<()> {
        let taken = take();
        self.door.open();
        taken
    }
}

/// Stops like any job of the shell; returns when the shell continues it.
pub(super) fn stop() -> io::Result<()> {
    // The whole group, as the terminal's own Ctrl-Z would: a wrapper such as `cargo run` must stop with it.
    Ok(rustix::process::kill_current_process_group(rustix::process::Signal::STOP)?)
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    let asked = sequences(|(_, ask, _)| *ask);
    execute!(
        io::stdout(),
        Print(asked),
        Print(EXPLICIT_ORDER),
        EnterAlternateScreen,
        EnableBracketedPaste,
        crossterm::cursor::Hide
    )
}

fn sequences(pick: impl Fn(&(u8, &'static str, &'static str)) -> &'static str) -> String {
    let extras = EXTRAS.load(Ordering::SeqCst);
    SEQUENCES.iter().filter(|(extra, ..)| extras & extra != 0).map(pick).collect()
}

fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // After a hang-up there is no terminal to give back, and nobody to tell.
        let given = sequences(|(_, _, give)| *give);
        let _ = execute!(
            io::stdout(),
            Print(IMPLICIT_ORDER),
            DisableBracketedPaste,
            LeaveAlternateScreen,
            Print(given),
            crossterm::cursor::Show
        );
        let _ = disable_raw_mode();
        let _ = io::stdout().flush();
    }
}

/// Keys and sizes, read by a thread of their own.
///
/// Crossterm never returns from reading a terminal that is gone: it takes the error for "nothing yet" and asks again.
/// So no task may do that reading, least of all the one that has to end the console.
pub(super) struct Events(mpsc::UnboundedReceiver<io::Result<Event>>);

/// How long the thread waits for a key before it looks up; the door wakes it earlier.
const PATIENCE: Duration = Duration::from_hours(1);

impl Events {
    /// Begins to read wherever the door is open; the thread ends with the process.
    pub(super) fn read(door: Arc<Door>) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            loop {
                door.pass();
                let event = match crossterm::event::poll(PATIENCE) {
                    Ok(false) => continue,
                    Ok(true) => crossterm::event::read(),
                    Err(error) => Err(error),
                };
                let failed = event.is_err();
                if sender.send(event).is_err() || failed {
                    break;
                }
            }
        });
        Self(receiver)
    }
}

impl Stream for Events {
    type Item = io::Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

/// The signals that concern the console.
pub(super) struct Signals {
    listeners: Vec<(unix::Signal, Signal)>,
    hangup: mpsc::Receiver<()>,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        let stop = SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw());
        let kinds = [
            (SignalKind::terminate(), Signal::End(Ending::Terminate)),
            (SignalKind::hangup(), Signal::End(Ending::HangUp)),
            (SignalKind::interrupt(), Signal::End(Ending::Interrupt)),
            (SignalKind::quit(), Signal::End(Ending::Quit)),
            (stop, Signal::Stop),
        ];
        let listeners =
            kinds.into_iter().map(|(kind, signal)| Ok((unix::signal(kind)?, signal))).collect::<io::Result<_>>()?;
        Ok(Self { listeners, hangup: hangup() })
    }
}

/// Hears of the terminal's end, of which only the leader of its session is told by a signal.
fn hangup() -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        let stdin = io::stdin();
        // Nothing is asked for: a hang-up is always reported.
        let mut terminal = [PollFd::new(&stdin, PollFlags::empty())];
        loop {
            match poll(&mut terminal, None) {
                Err(rustix::io::Errno::INTR) => {}
                Ok(_) if terminal[0].revents().intersects(PollFlags::HUP | PollFlags::ERR) => {
                    let _ = sender.blocking_send(());
                    break;
                }
                // A system that cannot tell: the signal has to do.
                Ok(_) | Err(_) => break,
            }
        }
    });
    receiver
}

impl Stream for Signals {
    type Item = Signal;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Signal>> {
        for (listener, signal) in &mut self.listeners {
            if let Poll::Ready(Some(())) = listener.poll_recv(context) {
                return Poll::Ready(Some(*signal));
            }
        }
        match self.hangup.poll_recv(context) {
            Poll::Ready(Some(())) => Poll::Ready(Some(Signal::End(Ending::NoTerminal))),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}
