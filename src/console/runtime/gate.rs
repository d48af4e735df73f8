//! The gate between the terminal and the thread that reads its keys.
//!
//! A program that gets the terminal must get all of its keys. So the reading thread has to stand still meanwhile, although
//! it may be waiting for a key: closing the gate wakes it.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossterm::event::EventStream;

/// How long the thread may take to stand still. It does so at once unless the terminal is gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// Open at first.
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    closed: bool,
    /// Whether the thread stands before the gate.
    standing: bool,
    /// Never polled. When it is dropped, crossterm ends the waiting for a key, which nothing else of it does.
    waker: Option<EventStream>,
}

impl Gate {
    pub(super) fn new() -> Self {
        let state = State { closed: false, standing: false, waker: Some(EventStream::new()) };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Stands still while the gate is closed.
    pub(super) fn pass(&self) {
        let mut state = self.lock();
        while state.closed {
            state.standing = true;
            self.changed.notify_all();
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.standing = false;
    }

    /// Closes the gate, and returns when nobody reads the terminal any more.
    pub(super) fn close(&self) -> io::Result<()> {
        let mut state = self.lock();
        state.closed = true;
        drop(state.waker.take());
        let still = |state: &mut State| !state.standing;
        let (mut state, waited) =
            self.changed.wait_timeout_while(state, PATIENCE, still).unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            state.closed = false;
            return Err(io::Error::other("the terminal is busy"));
        }
        Ok(())
    }

    /// Lets the thread read again.
    pub(super) fn open(&self) {
        let mut state = self.lock();
        if state.closed {
            // Made while the thread stands: making it waits for whoever is waiting for a key.
            state.waker = Some(EventStream::new());
            state.closed = false;
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
