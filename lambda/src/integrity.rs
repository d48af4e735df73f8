//! The loop that keeps live true to git: what changes a watched stack past the deploy flow is told, or put back by a
//! redeploy.
//!
//! An event is read ([`event`]), judged ([`judge`]) and weighed against what the loop remembers ([`state`]); all of that is
//! pure. [`World`] is what it is told by and what it does; [`live`] is AWS and GitHub. It only ever asks the deploy flow
//! for a run: it changes nothing of a stack itself, and so can break nothing that the deploy flow could not.

pub mod event;
pub mod found;
mod github;
pub mod judge;
pub mod live;
pub mod notice;
mod record;
pub mod state;
pub mod watched;

use event::{Call, Event, What, Who};
use found::Compared;
use judge::{Flow, Judgement, Owned};
use notice::Notice;
use state::{Change, Decision, Hold, Limits, Mode, Occasion, State};

pub use record::line;

/// So often the state is read again because another function was faster.
const RACES: usize = 20;

/// What the function is told when it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Project and environment, for people.
    pub name: String,
    /// What is watched, and who may change it.
    pub flow: Flow,
    /// What it does, and how patiently.
    pub limits: Limits,
}

/// Something could not be asked or done. Lambda tries the event again, and then gives it to the dead letters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

/// What the loop is told by, and what it does.
pub trait World: Sync {
    /// Now, in milliseconds.
    fn now(&self) -> i64;
    /// What the watched stacks consist of.
    fn owned(&self) -> impl Future<Output = Result<Owned, Failure>> + Send;
    /// The drift that CloudFormation found last in a stack, by name; `None`: all of it is where deployments point aliases.
    fn drift(&self, stack: &str) -> impl Future<Output = Result<Option<Vec<String>>, Failure>> + Send;
    /// What differs now, as far as a comparison sees it.
    fn compare(&self) -> impl Future<Output = Compared> + Send;
    /// The hold, also one that has ended.
    fn hold(&self) -> impl Future<Output = Result<Option<Hold>, Failure>> + Send;
    /// The state and its revision; 0 of one that was never stored.
    fn load(&self) -> impl Future<Output = Result<(u64, State), Failure>> + Send;
    /// Stores a state in the place of this revision; false when it is another one by now.
    fn store(&self, revision: u64, state: &State) -> impl Future<Output = Result<bool, Failure>> + Send;
    /// Asks for a redeploy. `nonce` is the same for the same event.
    fn redeploy(&self, reason: &str, nonce: &str) -> impl Future<Output = Result<Asked, Failure>> + Send;
    /// The watched stack, by name, that a change set was executed on; `None`: on none of them.
    fn stack_of(&self, change_set: &str) -> impl Future<Output = Result<Option<String>, Failure>> + Send;
    /// Asks for a run that ends at once; false where whoever is asked knows no such run, and so is not asked.
    fn canary(&self, nonce: &str) -> impl Future<Output = Result<bool, Failure>> + Send;
    /// Tells people.
    fn tell(&self, notice: &Notice) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// What became of a redeploy that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It was taken.
    Heard,
    /// It was sent, and nobody knows whether it was taken; why.
    Unknown(String),
}

/// What was decided about an event, and why: one line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// One of a few words.
    pub decision: &'static str,
    /// In words.
    pub reason: String,
    /// The change, where there is one.
    pub change: Option<Change>,
    /// What could not be done beside it.
    pub failed: Option<Failure>,
}

impl Outcome {
    fn new(decision: &'static str, reason: impl Into<String>) -> Self {
        Self { decision, reason: reason.into(), change: None, failed: None }
    }

    /// What Lambda is answered: a failure, so that it tries again, also where something else was done.
    pub fn answer(self) -> Result<Self, Failure> {
        self.failed.clone().map_or(Ok(self), Err)
    }
}

/// Does what an event asks for.
pub async fn handle<W: World>(world: &W, settings: &Settings, event: &Event) -> Result<Outcome, Failure> {
    let mut untold = None;
    let occasion = match &event.what {
        What::Foreign(why) => return Ok(Outcome::new("ignored", *why)),
        What::Reset => {
            update(world, |state| Some(state.reset())).await?;
            return Ok(Outcome::new("reset", "the breaker is closed"));
        }
        What::Canary(id) => return canary(world, settings, id).await,
        What::Tick => return tick(world, settings, &event.id).await,
        What::Drift { stack, .. } if !settings.flow.stacks.contains(stack) => {
            return Ok(Outcome::new("ignored", "the stack is not watched"));
        }
        What::Drift { drifted: false, .. } => return Ok(Outcome::new("ignored", "the stack has no drift")),
        What::Drift { stack, .. } => match world.drift(stack).await? {
            Some(differences) => Occasion::Change(found::drift(stack, differences, event.at)),
            None => {
                return Ok(Outcome::new(
                    "ignored",
                    "its aliases serve what was rolled out, whatever its template says",
                ));
            }
        },
        What::Call(call) => match judged(world, settings, call).await? {
            Judgement::Nothing(reason) => return Ok(Outcome::new("ignored", reason)),
            Judgement::Hold => return Ok(hold_changed(world, settings, call, event.at).await),
            Judgement::Change(resource) => {
                // One call may delete the hold and what it held.
                if judge::touches_hold(call, &settings.flow) {
                    untold = hold_changed(world, settings, call, event.at).await.failed;
                }
                Occasion::Change(changed(call, &resource, event.at))
            }
        },
    };
    let outcome = act(world, settings, &event.id, &occasion).await?;
    Ok(Outcome { failed: outcome.failed.or(untold), ..outcome })
}

/// What could not be compared keeps nothing from being done about the rest, and what waits; but it is no calm.
async fn tick<W: World>(world: &W, settings: &Settings, id: &str) -> Result<Outcome, Failure> {
    let compared = world.compare().await;
    let failure = compared.failure();
    let outcome = act(world, settings, id, &Occasion::Found(compared.found)).await?;
    match failure {
        Some(failure) if outcome.decision == "quiet" => Err(failure),
        failure => Ok(Outcome { failed: outcome.failed.or(failure), ..outcome }),
    }
}

async fn judged<W: World>(world: &W, settings: &Settings, call: &Call) -> Result<Judgement, Failure> {
    if let Some(judgement) = judge::alone(call, &settings.flow) {
        return Ok(judgement);
    }
    let mut call = call.clone();
    // Executed by its ARN alone, a change set does not say whose it is.
    for name in call.resources.iter_mut().filter(|name| name.contains(":changeSet/")) {
        if let Some(stack) = world.stack_of(name).await? {
            *name = stack;
        }
    }
    Ok(judge::with_owned(&call, &settings.flow, &world.owned().await?))
}

fn changed(call: &Call, resource: &str, at: i64) -> Change {
    let what = format!("{} of {} {resource}", call.operation, call.service.noun);
    Change { what, who: named(&call.who), at, lasting: None, seen: at }
}

fn named(who: &Who) -> String {
    match &who.invoked_by {
        Some(service) if *service != who.arn => format!("{} through {service}", who.arn),
        _ => who.arn.clone(),
    }
}

/// A changed hold is told always, whoever did it: it is the one way to make the loop look away.
async fn hold_changed<W: World>(world: &W, settings: &Settings, call: &Call, at: i64) -> Outcome {
    let change = changed(call, &settings.flow.hold, at);
    let failed = world.tell(&notice::hold_changed(settings, &change)).await.err();
    let reason = "the parameter that holds the loop was written or deleted";
    Outcome { change: Some(change), failed, ..Outcome::new("hold-changed", reason) }
}

async fn canary<W: World>(world: &W, settings: &Settings, id: &str) -> Result<Outcome, Failure> {
    let now = world.now();
    if !update(world, |state| state.canary(now)).await? {
        return Ok(Outcome::new("ignored", "another canary was sent a moment ago"));
    }
    let sent = match settings.limits.mode {
        Mode::Heal => world.canary(id).await,
        Mode::NotifyOnly => world.tell(&notice::canary(settings, id)).await.map(|()| true),
    };
    let reason = match sent {
        Ok(true) => format!("canary {id} was sent on; nothing is redeployed for it"),
        Ok(false) => {
            format!("canary {id} came as far as here; the pipeline takes none, so whether it hears was not checked")
        }
        Err(failure) => {
            update(world, |state| Some(state.canary_lost())).await?;
            return Err(failure);
        }
    };
    Ok(Outcome::new("canary", reason))
}

async fn act<W: World>(world: &W, settings: &Settings, id: &str, occasion: &Occasion) -> Result<Outcome, Failure> {
    let now = world.now();
    let (hold, unread) = match settings.limits.mode {
        // Nothing is put back that a hold could stop.
        Mode::NotifyOnly => (None, None),
        Mode::Heal => match world.hold().await {
            Ok(hold) => (hold.filter(|hold| hold.until > now), None),
            // There may be one, so nothing is done; but what was changed is remembered.
            Err(failure) => {
                (Some(Hold::endless(format!("whether there is one cannot be asked: {failure}"))), Some(failure))
            }
        },
    };
    let mut decided = None;
    update(world, |state| {
        let (next, decision) = state.decide(occasion, hold.as_ref(), &settings.limits, now);
        decided = Some(decision);
        Some(next)
    })
    .await?;
    let change = match occasion {
        Occasion::Change(change) => Some(change.clone()),
        Occasion::Found(found) => found.changes.first().or(found.young.first()).cloned(),
    };
    let decided = decided.unwrap_or(Decision::Quiet);
    let (outcome, notice) = match &decided {
        Decision::Quiet => (Outcome::new("quiet", "nothing differs and nothing waits"), None),
        Decision::Covered => (Outcome::new("covered", "what was done last came after it"), None),
        Decision::Waiting(why) => (Outcome::new("waiting", *why), None),
        Decision::Held { hold, new } => {
            let notice = new.then(|| notice::held(settings, hold, change.as_ref()));
            (Outcome::new("held", format!("there is a hold: {}", hold.why)), notice)
        }
        Decision::Broken { new: false } => (Outcome::new("broken", "the breaker is open"), None),
        Decision::Broken { new: true } => {
            let limits = &settings.limits;
            let reason = format!("{} redeploys within {} s: the breaker opens", limits.redeploys, limits.window / 1000);
            (Outcome::new("breaker-opened", reason), Some(notice::broken(settings, change.as_ref())))
        }
        Decision::InVain(change) => {
            let reason = "a redeploy has not changed it, and another one would not either";
            (Outcome::new("in-vain", reason), Some(notice::in_vain(settings, change)))
        }
        Decision::Act(changes) => return done(world, settings, id, changes).await,
    };
    let mut failed = unread;
    if let Some(notice) = notice
        && let Err(untold) = world.tell(&notice).await
    {
        // The state says that it was told.
        failed = Some(update(world, |state| Some(state.untold(&decided))).await.err().unwrap_or(untold));
    }
    Ok(Outcome { change, failed, ..outcome })
}

/// Does what was claimed, and says so in the state; when it fails, the claim is given up, so that the next event or the
/// schedule tries again.
async fn done<W: World>(world: &W, settings: &Settings, id: &str, changes: &[Change]) -> Result<Outcome, Failure> {
    let heals = settings.limits.mode == Mode::Heal;
    let first = changes.first().map_or("", |change| change.what.as_str());
    let notice = notice::changes(settings, changes);
    let done = if heals { world.redeploy(first, id).await } else { world.tell(&notice).await.map(|()| Asked::Heard) };
    match done {
        Ok(Asked::Heard) => {}
        Ok(Asked::Unknown(why)) => {
            update(world, |state| Some(state.unsure())).await?;
            let told = world.tell(&notice::unsure(settings, changes, &why)).await;
            let untold = untold(told);
            let reason = format!("whether the redeploy was heard is not known ({why}); it is asked for again{untold}");
            return Ok(Outcome { change: changes.first().cloned(), ..Outcome::new("unsure", reason) });
        }
        Err(failure) => {
            update(world, |state| Some(state.release())).await?;
            return Err(failure);
        }
    }
    update(world, |state| Some(state.settle(changes))).await?;
    let outcome = if heals {
        // The redeploy is under way, told or not: no reason to try it again.
        let untold = untold(world.tell(&notice).await);
        Outcome::new("redeploy", format!("a change behind git's back; a redeploy was asked for{untold}"))
    } else {
        Outcome::new("notified", "a change behind git's back; the mode is notify-only")
    };
    Ok(Outcome { change: changes.first().cloned(), ..outcome })
}

/// Of a notice that could not be sent, for the log.
fn untold(told: Result<(), Failure>) -> String {
    told.err().map_or_else(String::new, |failure| format!("; the notice could not be sent: {failure}"))
}

/// Stores what `next` makes of the state, from whatever it is by then; false when it makes nothing of it.
async fn update<W: World>(world: &W, mut next: impl FnMut(&State) -> Option<State>) -> Result<bool, Failure> {
    for _ in 0..RACES {
        let (revision, state) = world.load().await?;
        let Some(changed) = next(&state) else { return Ok(false) };
        if changed == state || world.store(revision, &changed).await? {
            return Ok(true);
        }
    }
    Err(Failure("the state was changed by others each time it was to be stored; it is tried again".to_owned()))
}

#[cfg(test)]
mod tests;
