//! Waiting for AWS while somebody looks on: what is waited for is told, and silence is not waited for forever.
//!
//! Each request has its own timeout; but what is asked one after another of a service that never answers would add up to
//! minutes. Silence is no slowness: whoever answers something every now and then is waited for.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::session::Session;
use crate::compare::{Why, WhyKind};

/// How often is looked at what is waited for.
const LOOK: Duration = Duration::from_secs(1);

/// Works until it is done, or until something was asked for and nothing at all has answered for as long as one request
/// may take. `tell` hears every second what is waited for.
pub async fn wait<T>(session: &Session, tell: &dyn Fn(&str), work: impl Future<Output = T>) -> Result<T, Why> {
    attend(session, Some(session.patience()), tell, work).await
}

/// The same without an end, for what must not be left half done.
pub async fn watch<T>(session: &Session, tell: &dyn Fn(&str), work: impl Future<Output = T>) -> Result<T, Why> {
    attend(session, None, tell, work).await
}

async fn attend<T>(
    session: &Session,
    limit: Option<Duration>,
    tell: &dyn Fn(&str),
    work: impl Future<Output = T>,
) -> Result<T, Why> {
    let clients = &session.clients;
    let mut work = pin!(work);
    let mut look = interval(limit.map_or(LOOK, |limit| LOOK.min(limit / 4)).max(Duration::from_millis(1)));
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut silent = Instant::now();
    let mut heard = clients.answers();
    loop {
        tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            _ = look.tick() => {}
        }
        let waiting = clients.waiting();
        let answers = clients.answers();
        // What takes its time here is not AWS's silence.
        if answers != heard || waiting.is_empty() {
            heard = answers;
            silent = Instant::now();
        }
        if waiting.is_empty() {
            continue;
        }
        let waiting = waiting.join(", ");
        if limit.is_some_and(|limit| silent.elapsed() >= limit) {
            let seconds = silent.elapsed().as_secs();
            return Err(Why::new(format!("given up: nothing answered for {seconds} s; waited for {waiting}"))
                .hint("is there a network, a proxy, a VPN?")
                .kind(WhyKind::Network));
        }
        tell(&format!("waiting for {waiting}"));
    }
}
