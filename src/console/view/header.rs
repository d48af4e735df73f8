//! Where we are: project, account, commit, and how old all this is.

use ratatui::layout::Rect;

use super::ink::Ink;
use crate::compare::Kind;
use crate::console::alarm::alarm;
use crate::console::mode::Mode;
use crate::console::model::{EnvState, Model, Subject};
use crate::console::overlay::Work;
use crate::console::page::Page;
use crate::console::remote::Remote;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::update::filter_of;
use crate::ops::report::Commit;

/// A text, its meaning, and its rank: what has the highest goes first when there is no room.
type Part = (String, Role, u8);

/// The rank of a commit's subject.
const SUBJECT: u8 = 6;

/// A number of columns between two parts of the first line.
const APART: u16 = 2;

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect) {
    let env = model.environment();
    let (mode, loud) = mode(model, env);
    let right = area.right().saturating_sub(1);
    if loud {
        ink.fill(Rect { height: 2, ..area }, Role::Unlocked);
    }
    // While a protected environment can be written to, the header is of one colour, which cannot be overlooked.
    let tint = |part: Part| if loud { (part.0, Role::Unlocked, part.2) } else { part };
    let long = u16::try_from(text::width(&mode)).unwrap_or(0);
    ink.put_right(right, area.y, long, &mode, if loud { Role::Unlocked } else { Role::Strong });
    let room = right.saturating_sub(long + APART + area.x + 1);
    let first: Vec<Part> = place(model, env, ink, room).into_iter().map(tint).collect();
    line(ink, area.x + 1, area.y, right.saturating_sub(long + APART), &first);

    let live = tint({
        let (text, role) = live(model, env, ink, area.width);
        (text, role, 0)
    });
    let long = u16::try_from(text::width(&live.0)).unwrap_or(0).min(area.width / 2);
    ink.put_right(right, area.y + 1, long, &live.0, live.1);
    let git: Vec<Part> = git(model, env).into_iter().map(tint).collect();
    line(ink, area.x + 1, area.y + 1, right.saturating_sub(long + 2), &git);

    let mut y = area.y + 2;
    if let Some((expected, actual)) = env.wrong_account() {
        let warning = format!(
            " ! account {actual} is not the expected {expected}: nothing below is of {}; reading only",
            env.name()
        );
        ink.fill(Rect { y, height: 1, ..area }, Role::Loud);
        ink.put(area.x, y, area.width, &warning, Role::Loud);
        y += 1;
    }
    if let Some(alarm) = alarm(model) {
        ink.fill(Rect { y, height: 1, ..area }, Role::Loud);
        ink.put(area.x, y, area.width, &format!(" ! {alarm}"), Role::Loud);
        y += 1;
    }
    ink.rule(area.x, y, area.width);
}

pub(super) fn tabs(ink: &mut Ink<'_>, model: &Model, area: Rect) {
    let mut x = area.x + 1;
    for (index, page) in Page::ALL.iter().enumerate() {
        let here = *page == model.page;
        let title = if here { page.title().to_uppercase() } else { page.title().to_owned() };
        x = ink.put(x, area.y, area.width, &format!("{} ", index + 1), Role::Dim);
        x = ink.put(x, area.y, area.width, &title, if here { Role::TabHere } else { Role::Tab });
        // A filter is kept while another page is looked at, and nowhere without a sign.
        if !here && !filter_of(model, *page).text.is_empty() {
            ink.put(x, area.y, 1, "/", Role::Notice);
        }
        x += 3;
    }
    if model.page == Page::Overview {
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

/// Draws parts two columns apart; those with the highest number are cut or left out first when there is no room.
fn line(ink: &mut Ink<'_>, x: u16, y: u16, right: u16, parts: &[Part]) {
    /// What is cut shorter than this tells nobody anything.
    const SHORTEST: usize = 12;
    let room = usize::from(right.saturating_sub(x));
    let mut kept: Vec<Part> = parts.iter().filter(|(text, ..)| !text.is_empty()).cloned().collect();
    let long = |parts: &[Part]| parts.iter().map(|(text, ..)| text::width(text) + 2).sum::<usize>().saturating_sub(2);
    while long(&kept) > room && kept.len() > 1 {
        let Some(least) = kept.iter().enumerate().max_by_key(|(at, (_, _, rank))| (*rank, *at)).map(|(at, _)| at)
        else {
            break;
        };
        let left = text::width(&kept[least].0).saturating_sub(long(&kept) - room);
        // A sentence still says something when it is cut; a number and its unit do not.
        let is_sentence = kept[least].2 == SUBJECT || kept[least].1 == Role::Error;
        if left >= SHORTEST && is_sentence {
            kept[least].0 = text::fit(&kept[least].0, left, "…").into_owned();
        } else {
            kept.remove(least);
        }
    }
    let mut at = x;
    for (text, role, _) in kept {
        at = ink.put(at, y, right.saturating_sub(at), &text, role) + 2;
    }
}

/// What may be written, and whether that is loud.
fn mode(model: &Model, env: &EnvState) -> (String, bool) {
    match env.mode(model.clock.now) {
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
        let mut parts = vec![(String::from("plumb"), Role::Brand, 5), here(&whole)];
        match &env.identity {
            Remote::Failed(why) => {
                parts.push((String::from("acct ?"), Role::Error, 0));
                if !why.is_of_everything() {
                    parts.push((format!("{}{}", why.reason, hint(why)), Role::Error, 1));
                }
            }
            Remote::Loading { .. } => {
                parts.push((format!("{} who are we?", spinner(model, ink)), Role::Dim, 1));
            }
            Remote::Idle | Remote::Ready(_) | Remote::Stale(_) => {}
        }
        return parts;
    };
    let (account, role) = (account(&identity.account), caller(&identity.arn));
    let bare = role.strip_prefix("role ").or(role.strip_prefix("user ")).unwrap_or(&role);
    let facts = |account: String, role: &str| {
        let region = (identity.region.clone(), Role::Text, 0);
        vec![(account, Role::Text, 0), region, (role.to_owned(), Role::Text, 0)]
    };
    let long = |parts: &[Part]| parts.iter().map(|(text, ..)| text::width(text) + 2).sum::<usize>().saturating_sub(2);
    let mut parts = [vec![here(&whole)], facts(format!("acct {account}"), &role)].concat();
    let brand = (String::from("plumb"), Role::Brand, 5);
    for shorter in [vec![here(whole.trim_end())], vec![here(env.name())]] {
        if long(&parts) > usize::from(room) {
            parts = [shorter, facts(account.clone(), bare)].concat();
        }
    }
    let over = long(&parts).saturating_sub(usize::from(room));
    if over > 0 {
        // A role's name may be long; its beginning is what tells roles apart.
        let kept = text::width(bare).saturating_sub(over).max(4);
        parts[3].0 = text::fit(bare, kept, "…").into_owned();
    }
    if long(&parts) + long(std::slice::from_ref(&brand)) + 2 <= usize::from(room) {
        parts.insert(0, brand);
    }
    if let Some(why) = env.trouble.get(&Subject::Identity).filter(|why| !why.is_of_everything()) {
        parts.push((format!("? {}", why.reason), Role::Error, 1));
    }
    parts
}

fn git(model: &Model, env: &EnvState) -> Vec<Part> {
    let mut parts = vec![(String::from("git"), Role::Dim, 5)];
    match &env.commit {
        Remote::Ready(commit) | Remote::Stale(commit) => commit_parts(model, commit, &mut parts),
        Remote::Failed(why) => parts.push((format!("? {}{}", why.reason, hint(why)), Role::Error, 0)),
        Remote::Loading { .. } => parts.push((String::from("reading the commit"), Role::Dim, 0)),
        Remote::Idle => {}
    }
    if let Some(why) = env.trouble.get(&Subject::Fetch) {
        parts.push((format!("fetch failed: {}", why.reason), Role::Error, 2));
    } else if let Some(why) = env.trouble.get(&Subject::Commit) {
        parts.push((format!("? {}", why.reason), Role::Error, 2));
    } else if env.fetching.is_some() {
        parts.push((String::from("fetching"), Role::Dim, 3));
    }
    parts
}

fn commit_parts(model: &Model, commit: &Commit, parts: &mut Vec<Part>) {
    parts.push((commit.reference.clone(), Role::Strong, 0));
    parts.push((text::short(&commit.id), Role::Strong, 0));
    parts.push((format!("\"{}\"", commit.subject), Role::Text, SUBJECT));
    if !commit.author.is_empty() {
        parts.push((format!("{}, {} ago", commit.author, model.clock.age(commit.at)), Role::Dim, 7));
    }
    if commit.dirty {
        parts.push((String::from("dirty"), Role::Notice, 2));
    }
    if commit.ahead > 0 {
        parts.push((format!("{} ahead", commit.ahead), Role::Text, 3));
    }
    if commit.behind > 0 {
        parts.push((format!("{} behind", commit.behind), Role::Text, 3));
    }
    if model.environment().fetching.is_some() {
        return;
    }
    match commit.fetched_at {
        Some(at) => parts.push((format!("fetched {} ago", model.clock.age(at)), Role::Dim, 4)),
        None if commit.reference.contains('/') => parts.push((String::from("never fetched"), Role::Dim, 4)),
        None => {}
    }
}

fn live(model: &Model, env: &EnvState, ink: &Ink<'_>, width: u16) -> (String, Role) {
    let calls = env.calls.filter(|calls| calls.made > 0).map(|calls| format!("  {calls}")).unwrap_or_default();
    if let Some(sent) = model.sent.iter().find(|sent| sent.environment == model.current) {
        let seconds = (model.clock.now - sent.job.since).max(0) / 1000;
        let doing = match &sent.work {
            Work::Command(command) => format!("running {}", command.id),
            Work::Record(_) | Work::Unlock(_) => String::from("writing"),
        };
        return (format!("{} {doing} {seconds} s", spinner(model, ink)), Role::Notice);
    }
    if let Some(job) = env.inspecting {
        let seconds = (model.clock.now - job.since).max(0) / 1000;
        let esc = if width < 80 { "" } else { ", esc cancels" };
        let calls = if width < 100 { "" } else { calls.as_str() };
        let old = old(model, env).map(|old| format!("{old}  ")).unwrap_or_default();
        return (format!("{old}{} reading {seconds} s{esc}{calls}", spinner(model, ink)), Role::Notice);
    }
    if let Some(old) = old(model, env) {
        return (format!("live  {old}"), Role::Notice);
    }
    // The oldest of what the page shows says how far all of it can be trusted.
    let kinds = if model.page == Page::Overview { &Kind::ALL } else { model.page.kinds() };
    let stale = if kinds.iter().any(|kind| env.times.is_stale(*kind)) { ", stale" } else { "" };
    match env.times.oldest(kinds).or(env.read_at) {
        Some(at) => {
            let (time, age) = (model.clock.time(at), model.clock.age(at));
            let text = match width {
                0..80 => format!("read {age} ago{stale}"),
                80..100 => format!("live  read {age} ago{stale}{calls}"),
                _ => format!("live  read {time}, {age} ago{stale}{calls}"),
            };
            (text, if stale.is_empty() { Role::Dim } else { Role::Notice })
        }
        None => (String::from("live  not read"), Role::Dim),
    }
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
