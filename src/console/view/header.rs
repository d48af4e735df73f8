//! Where we are: project, account, commit, and how old all this is.

use ratatui::layout::Rect;

use super::ink::Ink;
use crate::compare::Kind;
use crate::console::alarm::{alarm, cut_off, hold};
use crate::console::changes::pending;
use crate::console::mode::Mode;
use crate::console::model::{EnvState, Model, Subject};
use crate::console::overlay::Work;
use crate::console::pointer;
use crate::console::remote::Remote;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::update::filter_of;
use crate::ops::report::Commit;

/// A text, its meaning, and its rank: what has the highest goes first when there is no room.
type Part = (String, Role, u8);

/// The ranks of the second line. What is there at all, and how old it is, has none of them.
const ID: u8 = 1;
const REFERENCE: u8 = 2;
const ESC: u8 = 3;
const DIRTY: u8 = 3;
const THROTTLED: u8 = 3;
const AHEAD: u8 = 4;
const FETCHED: u8 = 5;
const LABEL: u8 = 7;
const CALLS: u8 = 6;
const SUBJECT: u8 = 8;
const AUTHOR: u8 = 9;

/// A number of columns between two parts.
const APART: u16 = 2;

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect) {
    let env = model.environment();
    let (mode, loud) = mode(model, env);
    let right = area.right().saturating_sub(1);
    if loud {
        ink.fill(Rect { height: 2, ..area }, Role::Unlocked);
    }
    // While a protected environment can be written to, the header is of one colour, which cannot be overlooked.
    let tint = |parts: Vec<Part>| -> Vec<Part> {
        let tint = |(text, role, rank)| (text, if loud { Role::Unlocked } else { role }, rank);
        parts.into_iter().map(tint).collect()
    };
    let long = u16::try_from(text::width(&mode)).unwrap_or(0);
    ink.put_right(right, area.y, long, &mode, if loud { Role::Unlocked } else { Role::Strong });
    let mut long = long;
    if let Some(pending) = pending(model) {
        let count = model.changes.of(model.project()).len();
        let pending = if area.width < 100 && count > 0 { format!("{count} pending") } else { pending };
        let wide = u16::try_from(text::width(&pending)).unwrap_or(0);
        let end = right.saturating_sub(long + APART);
        ink.put_right(end, area.y, wide, &pending, if loud { Role::Unlocked } else { Role::Pending });
        long += wide + APART;
    }
    let room = right.saturating_sub(long + APART + area.x + 1);
    let [first, _] = fitted([tint(place(model, env, ink, room)), Vec::new()], room);
    line(ink, area.x + 1, area.y, &first);

    let room = right.saturating_sub(area.x + 1);
    let [git, live] = fitted([tint(git(model, env)), tint(live(model, env, ink, area.width))], room);
    line(ink, area.x + 1, area.y + 1, &git);
    line(ink, right.saturating_sub(u16::try_from(long_of(&live)).unwrap_or(room)), area.y + 1, &live);

    let mut y = area.y + 2;
    let warning = env.wrong_account().map(|(expected, actual)| {
        let (short, name) = (format!("account {actual} is not the expected {expected}"), env.name());
        vec![format!("{short}: nothing below is of {name}; reading only"), format!("{short}: reading only"), short]
    });
    let loud = warning.into_iter().chain(alarm(model)).chain(cut_off(model)).map(|words| (words, Role::Loud));
    // A hold is meant; it is no alarm.
    for (words, role) in loud.chain(hold(model).map(|words| (words, Role::Notice))) {
        let fits = words.iter().find(|words| text::width(words) + 3 <= usize::from(area.width)).or(words.last());
        if role == Role::Loud {
            ink.fill(Rect { y, height: 1, ..area }, role);
        }
        ink.put(area.x, y, area.width, &format!(" ! {}", fits.map_or("", String::as_str)), role);
        y += 1;
    }
    ink.rule(area.x, y, area.width);
}

pub(super) fn tabs(ink: &mut Ink<'_>, model: &Model, area: Rect) {
    let mut x = area.x + 1;
    for (page, tab, word) in pointer::tabs(model, area) {
        let here = page == model.page;
        let title = if here { word.to_uppercase() } else { word.to_owned() };
        let number = page.number().to_string();
        ink.put(tab.x, area.y, area.width, &number, Role::Dim);
        ink.put(tab.x + 2, area.y, area.width, &title, if here { Role::TabHere } else { Role::Tab });
        x = tab.right();
        // A filter is kept while another page is looked at, and nowhere without a sign.
        if !here && !filter_of(model, page).text.is_empty() {
            ink.put(x, area.y, 1, "/", Role::Notice);
        }
        x += APART;
    }
    if !model.page.is_list() {
        return;
    }
    let state = model.list();
    let right = area.right().saturating_sub(1);
    let room = right.saturating_sub(x);
    let filter = if state.filter.text.is_empty() { String::new() } else { format!("/{}", state.filter.text) };
    let long = u16::try_from(text::width(&filter)).unwrap_or(room).min(room);
    // What hides lines is told before what is shown; the list says how many more there are.
    ink.put_right(right, area.y, long, &filter, Role::Notice);
    let apart = if filter.is_empty() { 0 } else { long + APART };
    let shown = state.show.word();
    if text::width(shown) <= usize::from(room.saturating_sub(apart)) {
        ink.put_right(right - apart, area.y, room - apart, shown, Role::Dim);
    }
}

/// The parts at the left and at the right end of a line for which there is room: those with the highest rank are cut or
/// left out first, on whichever side they are.
fn fitted(mut ends: [Vec<Part>; 2], room: u16) -> [Vec<Part>; 2] {
    /// What is cut shorter than this tells nobody anything.
    const SHORTEST: usize = 12;
    let room = usize::from(room);
    for parts in &mut ends {
        parts.retain(|(text, ..)| !text.is_empty());
    }
    let long = |ends: &[Vec<Part>; 2]| {
        let between = if ends.iter().any(Vec::is_empty) { 0 } else { usize::from(APART) };
        ends.iter().map(|parts| long_of(parts)).sum::<usize>() + between
    };
    loop {
        let over = long(&ends).saturating_sub(room);
        let all = ends.iter().enumerate().flat_map(|(end, parts)| (0..parts.len()).map(move |at| (end, at)));
        let Some((end, at)) = all.max_by_key(|(end, at)| (ends[*end][*at].2, *end, *at)) else { return ends };
        if over == 0 || ends[0].len() + ends[1].len() == 1 {
            return ends;
        }
        let (text, role, rank) = &ends[end][at];
        let left = text::width(text).saturating_sub(over);
        // A sentence still says something when it is cut; a number and its unit do not.
        if left >= SHORTEST && (matches!(*rank, SUBJECT | REFERENCE) || *role == Role::Error) {
            ends[end][at].0 = text::fit(text, left, "…").into_owned();
        } else {
            ends[end].remove(at);
        }
    }
}

/// Columns before a part that follows another one.
fn gap(text: &str) -> u16 {
    if text.starts_with(',') { 0 } else { APART }
}

fn long_of(parts: &[Part]) -> usize {
    let gaps = parts.iter().skip(1).map(|(text, ..)| usize::from(gap(text))).sum::<usize>();
    parts.iter().map(|(text, ..)| text::width(text)).sum::<usize>() + gaps
}

fn line(ink: &mut Ink<'_>, x: u16, y: u16, parts: &[Part]) {
    let mut at = x;
    for (index, (text, role, _)) in parts.iter().enumerate() {
        at += if index == 0 { 0 } else { gap(text) };
        at = ink.put(at, y, u16::MAX, text, *role);
    }
}

/// What may be written, and whether that is loud.
fn mode(model: &Model, env: &EnvState) -> (String, bool) {
    match env.promised_mode(model.clock.now) {
        Mode::Read => (String::from("READ"), false),
        Mode::Write => (String::from("WRITE"), false),
        Mode::Unlocked(until) => {
            let seconds = (until - model.clock.now + 999).max(0) / 1000;
            (format!("UNLOCKED {:02}:{:02}", seconds / 60, seconds % 60), true)
        }
    }
}

/// Project, environment, account, region and role. All but the names of the program and the project always stand; when
/// there is no room, in fewer words.
fn place(model: &Model, env: &EnvState, ink: &Ink<'_>, room: u16) -> Vec<Part> {
    let whole = format!("{} / {} ", model.project(), env.name());
    let here = |text: &str| (text.to_owned(), Role::Strong, 0);
    let (Remote::Ready(identity) | Remote::Stale(identity)) = &env.identity else {
        return [vec![(String::from("plumb"), Role::Brand, 5), here(&whole)], nobody(model, env, ink)].concat();
    };
    let (account, role) = (account(&identity.account), caller(&identity.arn));
    let bare = role.strip_prefix("role ").or(role.strip_prefix("user ")).unwrap_or(&role);
    // Nobody has said again that this is so.
    let (mark, look) = if env.is_vouched() { ("", Role::Text) } else { (ink.symbols().stale, Role::Dim) };
    let facts = |account: String, role: &str| {
        let account = format!("{mark}{account}");
        [account, identity.region.clone(), role.to_owned()].map(|fact| (fact, look, 0)).to_vec()
    };
    let mut parts = [vec![here(&whole)], facts(format!("acct {account}"), &role)].concat();
    let brand = (String::from("plumb"), Role::Brand, 5);
    for shorter in [vec![here(whole.trim_end())], vec![here(env.name())]] {
        if long_of(&parts) > usize::from(room) {
            parts = [shorter, facts(account.clone(), bare)].concat();
        }
    }
    let over = long_of(&parts).saturating_sub(usize::from(room));
    if over > 0 {
        // A role's name may be long; its beginning is what tells roles apart.
        let kept = text::width(bare).saturating_sub(over).max(4);
        parts[3].0 = text::fit(bare, kept, "…").into_owned();
    }
    if long_of(&parts) + text::width(&brand.0) + usize::from(APART) <= usize::from(room) {
        parts.insert(0, brand);
    }
    if let Some(why) = env.trouble.get(&Subject::Identity).filter(|why| !why.is_of_everything()) {
        parts.push((format!("? {}", why.reason), Role::Error, 1));
    }
    parts
}

/// What stands where the account would be: that it is not known, and the region that was asked for.
fn nobody(model: &Model, env: &EnvState, ink: &Ink<'_>) -> Vec<Part> {
    let region = env.info.as_ref().and_then(|info| info.region.clone());
    let region = (region.unwrap_or_else(|| String::from("region ?")), Role::Dim, 0);
    match &env.identity {
        Remote::Failed(why) => {
            let mut parts = vec![(String::from("acct ?"), Role::Error, 0), region];
            if !why.is_of_everything() {
                parts.push((format!("{}{}", why.reason, hint(why)), Role::Error, 1));
            }
            parts
        }
        Remote::Loading { .. } => vec![region, (format!("{} who are we?", spinner(model, ink)), Role::Dim, 1)],
        Remote::Idle | Remote::Ready(_) | Remote::Stale(_) => vec![region],
    }
}

fn git(model: &Model, env: &EnvState) -> Vec<Part> {
    let mut parts = vec![(String::from("git"), Role::Dim, LABEL)];
    match &env.commit {
        Remote::Ready(commit) | Remote::Stale(commit) => commit_parts(model, commit, &mut parts),
        Remote::Failed(why) => parts.push((format!("? {}{}", why.reason, hint(why)), Role::Error, ID)),
        Remote::Loading { .. } => parts.push((String::from("reading the commit"), Role::Dim, ID)),
        Remote::Idle => {}
    }
    if let Some(why) = env.trouble.get(&Subject::Fetch) {
        parts.push((format!("fetch failed: {}", why.reason), Role::Error, DIRTY));
    } else if let Some(why) = env.trouble.get(&Subject::Commit) {
        parts.push((format!("? {}", why.reason), Role::Error, DIRTY));
    } else if env.fetching.is_some() {
        parts.push((String::from("fetching"), Role::Dim, AHEAD));
    }
    parts
}

fn commit_parts(model: &Model, commit: &Commit, parts: &mut Vec<Part>) {
    parts.push((commit.reference.clone(), Role::Strong, REFERENCE));
    parts.push((text::short(&commit.id), Role::Strong, ID));
    parts.push((format!("\"{}\"", commit.subject), Role::Text, SUBJECT));
    if !commit.author.is_empty() {
        parts.push((format!("{}, {} ago", commit.author, model.clock.age(commit.at)), Role::Dim, AUTHOR));
    }
    if commit.dirty {
        parts.push((String::from("dirty"), Role::Notice, DIRTY));
    }
    if commit.ahead > 0 {
        parts.push((format!("{} ahead", commit.ahead), Role::Text, AHEAD));
    }
    if commit.behind > 0 {
        parts.push((format!("{} behind", commit.behind), Role::Text, AHEAD));
    }
    if model.environment().fetching.is_some() {
        return;
    }
    match commit.fetched_at {
        Some(at) => parts.push((format!("fetched {} ago", model.clock.age(at)), Role::Dim, FETCHED)),
        None if commit.reference.contains('/') => parts.push((String::from("never fetched"), Role::Dim, FETCHED)),
        None => {}
    }
}

/// How old that is which is shown, and what is going on.
fn live(model: &Model, env: &EnvState, ink: &Ink<'_>, width: u16) -> Vec<Part> {
    let seconds = |since: i64| (model.clock.now - since).max(0) / 1000;
    if let Some(sent) = model.sent.iter().find(|sent| sent.environment == model.current) {
        let doing = match &sent.work {
            Work::Command(command) => format!("running {}", command.id),
            Work::Data(work) => work.doing(),
            Work::Rotate(_) => String::from("rotating the keyring"),
            Work::Pipeline(work) => work.doing(),
            Work::Restart(_) => String::from("restarting functions"),
            Work::Rollout(rollout) => format!("{} {}", rollout.doing(), rollout.stack()),
            Work::Record(_) | Work::Unlock(_) => String::from("writing"),
            Work::Values(..) | Work::Resume(_) => match &sent.progress {
                Some(progress) => format!("writing {} of {}", progress.ended, progress.total),
                None => String::from("writing"),
            },
        };
        let text = format!("{} {doing} {} s", spinner(model, ink), seconds(sent.job.since));
        return vec![(text, Role::Notice, 0)];
    }
    let mut parts = vec![(String::from("live"), Role::Dim, LABEL)];
    parts.extend(age(model, env, width));
    if let Some(job) = env.inspecting {
        let text = format!("{} reading {} s", spinner(model, ink), seconds(job.since));
        parts.push((text, Role::Notice, 0));
        parts.push((String::from(", esc cancels"), Role::Notice, ESC));
    }
    let calls = env.calls.filter(|calls| calls.made > 0);
    let rank = |throttled| if throttled > 0 { THROTTLED } else { CALLS };
    parts.extend(calls.map(|calls| (calls.to_string(), Role::Dim, rank(calls.throttled))));
    parts
}

/// The age of what is shown, which a refresh that hangs does not hide.
fn age(model: &Model, env: &EnvState, width: u16) -> Option<Part> {
    if let Some(old) = old(model, env) {
        return Some((old, Role::Notice, 0));
    }
    // The oldest of what the page shows says how far all of it can be trusted.
    let kinds = if model.page.is_list() { model.page.kinds() } else { &Kind::ALL };
    let failed = kinds.iter().any(|kind| matches!(env.section(*kind), Remote::Failed(_)));
    let Some(at) = env.times.oldest(kinds) else {
        let text = if failed { "could not be read" } else { "not read" };
        return env.inspecting.is_none().then(|| (text.to_owned(), Role::Dim, 0));
    };
    let part = if failed { "part " } else { "" };
    let stale = if kinds.iter().any(|kind| env.times.is_stale(*kind)) { ", stale" } else { "" };
    let time =
        if width < 100 || env.inspecting.is_some() { String::new() } else { format!("{}, ", model.clock.time(at)) };
    let role = if stale.is_empty() && part.is_empty() { Role::Dim } else { Role::Notice };
    Some((format!("{part}read {time}{} ago{stale}", model.clock.age(at)), role, 0))
}

/// How old that is which is shown from before this session: `from 2 h ago`.
fn old(model: &Model, env: &EnvState) -> Option<String> {
    let oldest = env.remembered.values().min()?;
    let all = Kind::ALL.iter().all(|kind| !matches!(env.section(*kind), Remote::Ready(_)));
    let part = if all { "" } else { "part " };
    Some(format!("{part}from {} ago", model.clock.age(*oldest)))
}

/// The picture of a spinner at the model's time.
pub(super) fn spinner(model: &Model, ink: &Ink<'_>) -> &'static str {
    let pictures = ink.symbols().spinner;
    let count = i64::try_from(pictures.len()).unwrap_or(1).max(1);
    let at = (model.clock.now / 125).rem_euclid(count);
    usize::try_from(at).ok().and_then(|at| pictures.get(at)).copied().unwrap_or("*")
}

fn hint(why: &crate::compare::Why) -> String {
    why.hint.as_ref().map(|hint| format!("  try: {hint}")).unwrap_or_default()
}

/// `4711…4242`: enough to tell accounts apart, short enough to be read.
pub(super) fn account(digits: &str) -> String {
    if digits.len() == 12 && digits.is_ascii() {
        format!("{}…{}", &digits[..4], &digits[8..])
    } else {
        digits.to_owned()
    }
}

/// The role or user of an ARN.
pub(super) fn caller(arn: &str) -> String {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    let mut steps = resource.split('/');
    match (steps.next(), steps.next()) {
        (Some("assumed-role"), Some(role)) => format!("role {role}"),
        (Some("user"), Some(_)) => format!("user {}", resource.rsplit('/').next().unwrap_or_default()),
        _ => resource.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_named_by_what_their_arn_says() {
        let rows = [
            ("arn:aws:sts::471100004242:assumed-role/oncall-ro/ann", "role oncall-ro"),
            ("arn:aws:iam::471100004242:user/team/ann", "user ann"),
            ("arn:aws:iam::471100004242:root", "root"),
            ("nonsense", "nonsense"),
        ];
        for (arn, expected) in rows {
            assert_eq!(caller(arn), expected);
        }
        assert_eq!(account("471100004242"), "4711…4242");
    }
}
