//! The crypto page: typing and trying, the keyring, the smoke test; and that nothing stays behind.

mod answers;

use zeroize::Zeroizing;

pub(super) use answers::{answered, lost, settle, time};

use super::requests::REVEALED;
use crate::compare::Why;
use crate::config::Protection;
use crate::console::action::{Action, already_on};
use crate::console::crypto::CryptoAsk;
use crate::console::effect::Effect;
use crate::console::home::Copy;
use crate::console::model::Model;
use crate::console::page::Page;
use crate::console::page::crypto::{Field, Outcome, Part, Row, Smoke, State};
use crate::console::pointer::Spot;
use crate::console::typed::LARGEST;
use crate::ops::crypto::keyring::Keyring;
use crate::ops::crypto::play::{self, Form, Message, Play, Sealed, bytes};
use crate::secret::Secret;

/// Why there is no such page.
pub(in crate::console) const NONE: &str = "this project says of no crypto API: [crypto] in plumb.toml names one";

const FOREIGN: &str = "the account is not the expected one: nothing is sent";

pub(in crate::console) fn no_page(model: &Model) -> Option<&'static str> {
    if model.environment().has_crypto() { already_on(model, Page::Crypto) } else { Some(NONE) }
}

pub(in crate::console) fn cannot_play(model: &Model) -> Option<&'static str> {
    if model.environment().wrong_account().is_some() {
        return Some(FOREIGN);
    }
    model.crypto.playing.map(|_| "a call is under way: esc cancels")
}

pub(in crate::console) fn cannot_smoke(model: &Model) -> Option<&'static str> {
    let env = model.environment();
    if env.wrong_account().is_some() {
        return Some(FOREIGN);
    }
    env.crypto.smoke.job.map(|_| "the smoke test is under way: esc cancels")
}

pub(in crate::console) fn nothing_to_show(model: &Model) -> Option<&'static str> {
    let state = &model.crypto;
    let nothing = state.text(Field::Input).is_empty() && state.played().is_none();
    nothing.then_some("there is nothing to show yet")
}

pub(in crate::console) fn no_result(model: &Model) -> Option<&'static str> {
    model.crypto.played().is_none().then_some("there is no result yet")
}

pub(in crate::console) fn reading_already(model: &Model) -> Option<&'static str> {
    model.environment().crypto.reading.map(|_| "already reading: esc cancels")
}

pub(in crate::console) fn nothing_to_open(model: &Model) -> Option<&'static str> {
    match model.crypto.part {
        Part::Playground => None,
        Part::Keyring => Some("all of the keyring is shown"),
        Part::Checks => Some("all of the check is shown"),
    }
}

/// Whether keys go into a field of the page.
pub(in crate::console) fn has_caret(model: &Model) -> bool {
    model.page == Page::Crypto && model.crypto.editing
}

/// The same while nothing lies over it.
pub(super) fn is_typing(model: &Model) -> bool {
    model.overlays.is_empty() && has_caret(model)
}

/// Lets a key change the field.
pub(super) fn edit(model: &mut Model, change: impl FnOnce(&mut String)) {
    if model.crypto.text(model.crypto.field).len() + 8 > LARGEST {
        model.notice = Some(too_large("more"));
        return;
    }
    model.crypto.field_mut().change(change);
    model.crypto.outcome = None;
}

fn too_large(what: &str) -> String {
    format!("{what} does not fit: {} KiB is the most here; plumb crypto encrypt --file takes more", LARGEST / 1024)
}

/// Takes what is pasted as it is; terminals send the ends of its lines as carriage returns.
pub(super) fn paste(model: &mut Model, text: &str) {
    let text = Zeroizing::new(text.replace("\r\n", "\n").replace('\r', "\n"));
    let fits = if model.crypto.field == Field::Input {
        model.crypto.field_mut().add(&text)
    } else {
        let line: Zeroizing<String> = Zeroizing::new(text.chars().filter(|c| !c.is_control()).collect());
        model.crypto.field_mut().add(&line)
    };
    model.crypto.outcome = None;
    if !fits {
        model.notice = Some(too_large(&format!("{} KiB more", text.len().div_ceil(1024))));
    }
}

/// Goes into a field.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    model.crypto.part = Part::Playground;
    model.crypto.editing = true;
    Vec::new()
}

/// Goes to the next part.
pub(super) fn other_part(model: &mut Model) {
    model.crypto.part = model.crypto.part.next();
}

/// From field to field while one is typed into.
pub(super) fn choose(model: &mut Model, by: isize) {
    if is_typing(model) {
        step(model, by);
    }
}

pub(super) fn step(model: &mut Model, by: isize) {
    let rows = model.environment().crypto.rows().len();
    let state = &mut model.crypto;
    match state.part {
        Part::Playground => {
            let at = (state.field as usize).saturating_add_signed(by).min(Field::ALL.len() - 1);
            state.field = Field::ALL[at];
        }
        Part::Keyring => {}
        Part::Checks => state.row = state.row.saturating_add_signed(by).min(rows.saturating_sub(1)),
    }
}

/// Goes to the next check that did not pass; false: there is none.
pub(super) fn seek(model: &mut Model, forward: bool) -> bool {
    let rows = model.environment().crypto.rows();
    let (part, here) = (model.crypto.part, model.crypto.row);
    let wanted = |at: &usize| rows.get(*at).is_some_and(Row::needs_attention);
    let first = if part == Part::Checks { here + 1 } else { 0 };
    let found = if forward { (first..rows.len()).find(wanted) } else { (0..here.min(rows.len())).rev().find(wanted) };
    model.crypto.part = Part::Checks;
    model.crypto.row = found.unwrap_or(here);
    found.is_some()
}

/// A click.
pub(super) fn press(model: &mut Model, spot: Spot) -> Vec<Effect> {
    match spot {
        Spot::Field(field) => {
            let again = model.crypto.part == Part::Playground && model.crypto.field == field;
            (model.crypto.part, model.crypto.field) = (Part::Playground, field);
            model.crypto.editing = again;
        }
        Spot::Check(row) => (model.crypto.part, model.crypto.row) = (Part::Checks, row),
        Spot::Part(part) => model.crypto.part = part,
        _ => {}
    }
    Vec::new()
}

/// The wheel moves what it is over.
pub(super) fn look(model: &mut Model, here: Option<Spot>) {
    match here {
        Some(Spot::Field(_)) => model.crypto.part = Part::Playground,
        Some(Spot::Check(_)) => model.crypto.part = Part::Checks,
        Some(Spot::Part(part)) => model.crypto.part = part,
        _ => {}
    }
}

pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let warned = std::mem::take(&mut model.crypto.warned);
    match action {
        Action::CryptoEncrypt => return begin(model, "encrypting", |model| message(model).map(Play::Encrypt)),
        Action::CryptoRoundTrip => {
            return begin(model, "encrypting and decrypting", |model| message(model).map(Play::RoundTrip));
        }
        Action::CryptoDecrypt => return begin(model, "decrypting", |model| sealed(model).map(Play::Decrypt)),
        Action::CryptoRewrap => return begin(model, "rewrapping", |model| sealed(model).map(Play::Rewrap)),
        Action::CryptoSmoke => {
            let safe = model.environment().protection() != Protection::Open;
            return smoke(model, safe);
        }
        Action::CryptoSmokeAll => {
            if model.environment().protection() == Protection::Open || warned {
                return smoke(model, false);
            }
            model.crypto.warned = true;
            let (name, key) = (model.environment().name(), model.keymap.key(Action::CryptoSmokeAll));
            model.notice =
                Some(format!("the whole test has calls refused, which may trip alarms of {name}: {key} again"));
        }
        Action::CryptoUnmask => {
            let until = model.clock.now + REVEALED;
            model.crypto.shown_until = if model.crypto.shown_until.is_some() { None } else { Some(until) };
        }
        Action::CryptoForm => {
            model.crypto.form = model.crypto.form.next();
            model.notice = Some(format!("the input is read as {}", model.crypto.form.word()));
        }
        Action::CryptoBytes => {
            model.crypto.shown_as = model.crypto.shown_as.next();
            model.notice = Some(format!("messages are shown as {}", model.crypto.shown_as.word()));
        }
        Action::CryptoTake => take(model),
        Action::CryptoCopy => return copy(model).into_iter().collect(),
        Action::CryptoClear => {
            let (state, effects) = wiped(model);
            model.crypto = state;
            model.notice = Some(String::from("wiped"));
            return effects;
        }
        _ => {}
    }
    Vec::new()
}

/// The page as it was before anything was typed, and what then is no longer waited for.
fn wiped(model: &mut Model) -> (State, Vec<Effect>) {
    let old = &model.crypto;
    let effects = old.playing.map(|job| Effect::Cancel(job.generation)).into_iter().collect();
    (
        State { environment: model.current, part: old.part, row: old.row, offset: old.offset, ..State::default() },
        effects,
    )
}

/// Reads what is typed, and sends it where it is right; else says what is wrong with it.
fn begin(model: &mut Model, doing: &'static str, read: impl Fn(&Model) -> Result<Play, String>) -> Vec<Effect> {
    match read(model) {
        Err(why) => {
            model.crypto.outcome = Some(Outcome::Refused(why));
            Vec::new()
        }
        Ok(play) => {
            let (job, target) = (model.job(), model.environment().target());
            let state = &mut model.crypto;
            (state.outcome, state.playing, state.doing) = (None, Some(job), doing);
            vec![Effect::Crypto(job.generation, target, CryptoAsk::Play(play))]
        }
    }
}

fn message(model: &Model) -> Result<Message, String> {
    let state = &model.crypto;
    let context = play::context(state.text(Field::Context)).map_err(|why| format!("context: {why}"))?;
    let key_version = play::wanted_version(state.text(Field::Version))?;
    if let (Some(wanted), Some(Keyring { keys, .. })) = (key_version, model.environment().crypto.keyring.value())
        && !keys.versions.iter().any(|known| known.version == wanted)
    {
        let first = keys.versions.iter().map(|known| known.version).min().unwrap_or(keys.latest);
        return Err(format!("key version {wanted} is not in the keyring, which has {first} to {}", keys.latest));
    }
    let plain = state.form.read(state.text(Field::Input)).map_err(|why| format!("input: {why}"))?;
    Ok(Message { plain, context, key_version })
}

fn sealed(model: &Model) -> Result<Sealed, String> {
    let state = &model.crypto;
    let context = play::context(state.text(Field::Context)).map_err(|why| format!("context: {why}"))?;
    let ciphertext = play::sealed(state.text(Field::Input)).map_err(|why| format!("input: {why}"))?;
    Ok(Sealed { ciphertext, context })
}

/// What came of it as a text, and what that is; a message in the form in which it is shown, where it has one.
fn result(model: &Model) -> Option<(&'static str, Form, Secret)> {
    let played = model.crypto.played()?;
    if let Some(ciphertext) = &played.ciphertext {
        return Some(("ciphertext", Form::Text, Secret::new(ciphertext.clone())));
    }
    let plain = bytes(played.plain.as_ref()?)?;
    let form = model.crypto.shown_as;
    let (form, text) =
        form.show(&plain).map(|text| (form, text)).or_else(|| Some((Form::Base64, Form::Base64.show(&plain)?)))?;
    Some(("message", form, Secret::new(text.as_str())))
}

fn take(model: &mut Model) {
    let Some((what, form, text)) = result(model) else { return };
    let state = &mut model.crypto;
    (state.part, state.field, state.form) = (Part::Playground, Field::Input, form);
    if state.field_mut().set(text.expose()) {
        state.outcome = None;
        model.notice = Some(format!("the {what} is the input now"));
    } else {
        model.notice = Some(too_large(&format!("the {what}")));
    }
}

fn copy(model: &Model) -> Option<Effect> {
    let (what, form, text) = result(model)?;
    let what = if form == Form::Text { String::from(what) } else { format!("{what} in {}", form.word()) };
    Some(Effect::Copy(Copy { what, text }))
}

fn smoke(model: &mut Model, safe: bool) -> Vec<Effect> {
    let (job, target) = (model.job(), model.environment().target());
    model.crypto.part = Part::Checks;
    (model.crypto.row, model.crypto.offset) = (0, 0);
    model.environment_mut().crypto.smoke = Smoke::begun(job, safe);
    vec![Effect::Crypto(job.generation, target, CryptoAsk::Smoke { safe })]
}

/// Reads the keyring again.
pub(super) fn refresh(model: &mut Model) -> Vec<Effect> {
    let current = model.current;
    vec![read_keyring(model, current)]
}

fn read_keyring(model: &mut Model, index: usize) -> Effect {
    let job = model.job();
    let env = &mut model.environments[index];
    env.crypto.wanted = false;
    env.crypto.reading = Some(job);
    env.crypto.keyring.ask(job.since);
    Effect::Crypto(job.generation, env.target(), CryptoAsk::Keyring)
}

/// Aborts what the page waits for: what is tried, the smoke test, the keyring, one after the other.
pub(super) fn cancel(model: &mut Model) -> Option<Vec<Effect>> {
    if model.page != Page::Crypto {
        return None;
    }
    let known = &mut model.environments[model.current].crypto;
    let (job, said) = if let Some(job) = model.crypto.playing.take() {
        (job, "cancelled: the call may have been answered all the same")
    } else if let Some(job) = known.smoke.job {
        known.smoke.give_up();
        (job, "cancelled: what was not checked is not known")
    } else {
        let job = known.reading.take()?;
        known.keyring.give_up(&Why::new("cancelled").hint("r reads it"));
        (job, "cancelled: r reads the keyring")
    };
    model.notice = Some(String::from(said));
    Some(vec![Effect::Cancel(job.generation)])
}
