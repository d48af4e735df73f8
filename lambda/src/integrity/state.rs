//! What the loop remembers, and what it does next.
//!
//! Pure: the state, an occasion, the hold and the time in; the next state and a decision out. The state is one item that
//! is only ever replaced as it was read, so that of two functions that decide at once the slower decides anew.
//!
//! A redeploy puts back everything that was changed before it began. So what happened before the last one was asked for is
//! covered by it, however late its event comes and however often. What happened after waits until that one has had its
//! time, and then one more is asked for: a burst is one redeploy, and nothing is lost.

mod patience;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use patience::{Limits, Mode};

/// How long a function that was about to act is given before another one takes its work over: longer than it may run.
const LEASE: i64 = 90_000;
/// Between two canaries.
const CANARIES: i64 = 30_000;
/// So many changes are remembered one by one.
const MOST: usize = 20;
/// So many are known again after they were told.
const TOLD: usize = 200;

const YOUNG: &str = "what differs may be of a deployment that is not over; it counts when it is found again";

/// What a comparison calls a difference, for as long as it stays the same.
type Name = String;

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The operation and the resource.
    pub what: String,
    /// Who did it; empty where nobody can say.
    pub who: String,
    /// When, in milliseconds.
    pub at: i64,
    /// Of what a comparison found: its name as long as it stays as it is. An event has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasting: Option<Name>,
    /// When it was seen to be there, in milliseconds: of a comparison when it looked.
    #[serde(default)]
    pub seen: i64,
}

/// Everything that is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct State {
    /// What the rest was remembered in: another mode begins anew.
    #[serde(default)]
    mode: Mode,
    /// When redeploys were asked for, within the breaker's window.
    #[serde(default)]
    asked: Vec<i64>,
    /// When something was last done: a redeploy asked for, or a notice sent.
    #[serde(default)]
    last: Option<i64>,
    /// Since when somebody is about to do it.
    #[serde(default)]
    claim: Option<i64>,
    /// What is to be put back, the oldest first.
    #[serde(default)]
    waiting: Vec<Change>,
    /// Open since, or since the last change meanwhile.
    #[serde(default)]
    broken: Option<i64>,
    /// That it opened could not be told.
    #[serde(default)]
    untold: bool,
    /// What a comparison found when something was last done about it, and whether it was told that this was in vain.
    #[serde(default)]
    tried: BTreeMap<Name, bool>,
    /// Since when a comparison has found what may be of a deployment, each time it looked.
    #[serde(default)]
    young: BTreeMap<Name, i64>,
    /// How many more wait than are named.
    #[serde(default)]
    more: usize,
    /// What people were told in notify-only mode, as numbers, the latest last: a notice covers what it names, and nothing
    /// else, since nothing was put back.
    #[serde(default)]
    told: Vec<u64>,
    /// The end of the hold that was told about.
    #[serde(default)]
    held: Option<i64>,
    #[serde(default)]
    canary: Option<i64>,
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its end, in milliseconds.
    pub until: i64,
    /// By whom, and why.
    pub why: String,
}

impl Hold {
    /// One whose end cannot be told.
    #[must_use]
    pub fn endless(why: String) -> Self {
        Self { until: i64::MAX, why }
    }
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The differences.
    pub changes: Vec<Change>,
    /// Those that may be of a deployment whose receipt is about to be written: they count when they are found again.
    pub young: Vec<Change>,
    /// Something was not looked at, so that what is not among the differences may still be one.
    pub partial: bool,
}

impl Found {
    /// Both.
    pub fn add(&mut self, more: Self) {
        self.changes.extend(more.changes);
        self.young.extend(more.young);
        self.partial |= more.partial;
    }
}

/// Why the function looks at the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occasion {
    /// An event told of a change.
    Change(Change),
    /// The schedule: what a comparison found.
    Found(Found),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing was changed.
    Quiet,
    /// A redeploy that was asked for after the change puts it back.
    Covered,
    /// It waits; the reason.
    Waiting(&'static str),
    /// It waits for the end of a hold.
    Held {
        /// Why there is one.
        hold: Hold,
        /// Whether nobody was told yet.
        new: bool,
    },
    /// The breaker is open.
    Broken {
        /// Whether it has just opened, or nobody was told yet.
        new: bool,
    },
    /// A redeploy was asked for and has not changed what was found: another would not either.
    InVain(Change),
    /// To act, and then to say so by [`State::settle`] or [`State::release`].
    Act(Vec<Change>),
}

impl State {
    /// What to do, and the state that says so.
    #[must_use]
    pub fn decide(&self, occasion: &Occasion, hold: Option<&Hold>, limits: &Limits, now: i64) -> (Self, Decision) {
        let mut next = self.in_mode(limits.mode);
        next.asked.retain(|at| now - at < limits.window);
        next.held = next.held.filter(|_| hold.is_some());
        let changes = match occasion {
            Occasion::Change(change) => vec![change.clone()],
            Occasion::Found(found) => {
                // What is no longer found was put back, and is news when it comes again.
                let all = || found.changes.iter().chain(&found.young);
                let there = |name: &Name| found.partial || all().any(|change| change.lasting.as_ref() == Some(name));
                next.tried.retain(|name, _| there(name));
                next.waiting.retain(|change| change.lasting.as_ref().is_none_or(there));
                let again = next.found_again(&found.young, limits, now);
                found.changes.iter().cloned().chain(again).collect()
            }
        };
        let mut news = false;
        for change in &changes {
            news |= !next.covers(change) && next.note(change);
        }
        if next.waiting.is_empty() {
            let in_vain = changes.iter().find(|change| next.in_vain(change, limits));
            let Some(change) = in_vain else {
                let decision = match occasion {
                    _ if !changes.is_empty() => Decision::Covered,
                    Occasion::Found(found) if !found.young.is_empty() => Decision::Waiting(YOUNG),
                    _ => Decision::Quiet,
                };
                return (next, decision);
            };
            next.tried.extend(change.lasting.clone().map(|name| (name, true)));
            return (next, Decision::InVain(change.clone()));
        }
        let decision = next.next(news, hold, limits, now);
        (next, decision)
    }

    /// Those that were there a while ago as well; since when the others are is remembered.
    fn found_again(&mut self, young: &[Change], limits: &Limits, now: i64) -> Vec<Change> {
        let before = std::mem::take(&mut self.young);
        let mut again = Vec::new();
        for change in young {
            let Some(name) = &change.lasting else { continue };
            let since = before.get(name).copied().unwrap_or(now);
            self.young.insert(name.clone(), since);
            if now - since >= limits.again {
                again.push(Change { at: change.at.min(since), ..change.clone() });
            }
        }
        again
    }

    /// What to do about what waits.
    fn next(&mut self, news: bool, hold: Option<&Hold>, limits: &Limits, now: i64) -> Decision {
        if self.claim.is_some_and(|since| now - since < LEASE) {
            return Decision::Waiting("another event is being acted on");
        }
        if self.last.is_some_and(|last| now - last < limits.settle) {
            return Decision::Waiting("what was done last is given its time");
        }
        if limits.mode == Mode::Heal {
            if let Some(since) = self.broken {
                // Whoever fights the loop keeps it open; it closes after a window without a change.
                self.broken = Some(if news { now } else { since });
                if news || now - since < limits.window {
                    return Decision::Broken { new: std::mem::take(&mut self.untold) };
                }
                *self = self.reset();
            }
            if let Some(hold) = hold {
                let new = self.held.replace(hold.until) != Some(hold.until);
                return Decision::Held { hold: hold.clone(), new };
            }
            if self.asked.len() >= limits.redeploys {
                self.broken = Some(now);
                return Decision::Broken { new: true };
            }
        }
        self.claim = Some(now);
        let mut all = self.waiting.clone();
        if self.more > 0 {
            let at = all.last().map_or(now, |change| change.at);
            let what = format!("{} more changes, which CloudTrail has, the last about", self.more);
            all.push(Change { what, who: String::new(), at, lasting: None, seen: now });
        }
        Decision::Act(all)
    }

    /// It was done. What happened meanwhile goes on waiting.
    #[must_use]
    pub fn settle(&self, done: &[Change]) -> Self {
        let mut next = self.clone();
        let Some(at) = next.claim.take() else { return next };
        next.last = Some(at);
        next.more = 0;
        if next.mode == Mode::Heal {
            next.asked.push(at);
            next.waiting.retain(|change| change.at > at && !done.contains(change));
        } else {
            next.waiting.retain(|change| !done.contains(change));
            for change in done {
                next.remember(change);
            }
        }
        next.tried.extend(done.iter().filter_map(|change| Some((change.lasting.clone()?, false))));
        next
    }

    /// It could not be done, and waits for whoever tries next.
    #[must_use]
    pub fn release(&self) -> Self {
        Self { claim: None, ..self.clone() }
    }

    /// It was asked for, and nobody knows whether it was heard: it is given its time as if it was, and then whatever waits
    /// is asked for once more. It is no redeploy of a fight, and does not count for the breaker.
    #[must_use]
    pub fn unsure(&self) -> Self {
        Self { last: self.claim.or(self.last), claim: None, ..self.clone() }
    }

    /// The breaker closed; what waits is done at the next occasion.
    #[must_use]
    pub fn reset(&self) -> Self {
        Self { broken: None, untold: false, asked: Vec::new(), ..self.clone() }
    }

    /// Nobody could be told of what was decided: whoever decides it next says so.
    #[must_use]
    pub fn untold(&self, decision: &Decision) -> Self {
        let mut next = self.clone();
        match decision {
            Decision::Held { .. } => next.held = None,
            Decision::Broken { .. } => next.untold = next.broken.is_some(),
            Decision::InVain(change) => {
                if let Some(told) = change.lasting.as_ref().and_then(|name| next.tried.get_mut(name)) {
                    *told = false;
                }
            }
            _ => {}
        }
        next
    }

    /// The state in which a canary has been sent on, unless the last one is too young.
    #[must_use]
    pub fn canary(&self, now: i64) -> Option<Self> {
        let free = self.canary.is_none_or(|last| now - last >= CANARIES);
        free.then(|| Self { canary: Some(now), ..self.clone() })
    }

    /// The canary could not be sent on.
    #[must_use]
    pub fn canary_lost(&self) -> Self {
        Self { canary: None, ..self.clone() }
    }

    /// Who was told is not who healed: what a notice was sent for is not taken to be put back.
    fn in_mode(&self, mode: Mode) -> Self {
        if self.mode == mode { self.clone() } else { Self { mode, canary: self.canary, ..Self::default() } }
    }

    fn covers(&self, change: &Change) -> bool {
        let tried = change.lasting.as_ref().is_some_and(|name| self.tried.contains_key(name));
        tried
            || match self.mode {
                Mode::Heal => self.last.is_some_and(|last| change.at <= last),
                Mode::NotifyOnly => self.told.contains(&change.number()),
            }
    }

    fn remember(&mut self, change: &Change) {
        self.told.push(change.number());
        let old = self.told.len().saturating_sub(TOLD);
        self.told.drain(..old);
    }

    /// Whether it was seen after what was done about it has had its time, and nobody was told.
    fn in_vain(&self, change: &Change, limits: &Limits) -> bool {
        let had_its_time = self.last.is_some_and(|last| change.seen - last >= limits.settle);
        let told = change.lasting.as_ref().is_none_or(|name| self.tried.get(name) == Some(&true));
        limits.mode == Mode::Heal && had_its_time && !told && self.covers(change)
    }

    /// Adds it to what waits; false when it is known.
    fn note(&mut self, change: &Change) -> bool {
        let same = |there: &Change| match &change.lasting {
            Some(_) => there.lasting == change.lasting,
            None => there == change,
        };
        if self.waiting.iter().any(same) {
            return false;
        }
        // So many are named, of more the latest; the rest is counted.
        for unnamed in self.waiting.split_off(self.waiting.len().min(MOST - 1)) {
            self.more += 1;
            if self.mode == Mode::NotifyOnly {
                self.remember(&unnamed);
            }
        }
        self.waiting.push(change.clone());
        true
    }
}

impl Change {
    /// The same for the same change, in each build of this function (FNV-1a).
    fn number(&self) -> u64 {
        let text = format!("{} {} {}", self.at, self.who, self.what);
        text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }
}

#[cfg(test)]
mod tests;
