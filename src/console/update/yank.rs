//! Copying: values that are never shown, names, links and commands.

use super::outside::begin;
use crate::compare::{Facet, Item, Kind, Sides, Why};
use crate::config::Clipboard;
use crate::console::clipboard::Sent;
use crate::console::effect::Effect;
use crate::console::home::{Copy, ErrandOf, Side};
use crate::console::links::{self, Place};
use crate::console::message::Generation;
use crate::console::model::Model;
use crate::console::page::Page;
use crate::console::page::list::shown_rows;
use crate::ops::schema;
use crate::secret::Secret;

/// Where the current environment is; `None` as long as its region is not known.
pub(super) fn place(model: &Model) -> Option<Place<'_>> {
    let env = model.environment();
    let identity = env.identity.value();
    let info = env.info.as_ref();
    let region = identity.map(|identity| identity.region.as_str()).or(info.and_then(|info| info.region.as_deref()))?;
    Some(Place {
        region,
        account: identity.map(|identity| identity.account.as_str()),
        profile: info.and_then(|info| info.profile.as_deref()),
        endpoint: info.and_then(|info| info.endpoint.as_deref()),
    })
}

pub(in crate::console) fn no_value(model: &Model) -> Option<&'static str> {
    match model.selected() {
        None => Some("no item is selected"),
        Some(item) if item.kind == Kind::Stack && property(model, item).is_none() => Some("it has no property to copy"),
        Some(_) => None,
    }
}

pub(in crate::console) fn no_region(model: &Model) -> Option<&'static str> {
    if model.selected().is_none() {
        return Some("no item is selected");
    }
    place(model).is_none().then_some("the region is not known yet")
}

pub(in crate::console) fn no_arn(model: &Model) -> Option<&'static str> {
    no_region(model).or_else(|| {
        let (item, place) = (model.selected()?, place(model)?);
        links::arn(item, place).is_err().then_some("its ARN is not known")
    })
}

pub(in crate::console) fn no_console(model: &Model) -> Option<&'static str> {
    no_region(model).or_else(|| {
        let (item, place) = (model.selected()?, place(model)?);
        links::console(item, place).is_err().then_some("AWS's console does not show this environment")
    })
}

pub(in crate::console) fn no_forge(model: &Model) -> Option<&'static str> {
    if model.selected().is_none() {
        return Some("no item is selected");
    }
    if model.environment().commit.value().is_none_or(|commit| commit.id.is_empty()) {
        return Some("no commit is compared");
    }
    match remote(model) {
        None => Some("the repository has no remote"),
        Some((name, url)) => links::commit(name, url, "0").is_err().then_some("its remote is no forge"),
    }
}

/// The remote that the compared ref belongs to, else `origin`, else the only one.
fn remote(model: &Model) -> Option<(&str, &str)> {
    let remotes = &model.environment().info.as_ref()?.remotes;
    let reference = model.environment().commit.value().map(|commit| commit.reference.as_str()).unwrap_or_default();
    let owns = |name: &str| reference.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
    let found = remotes
        .iter()
        .filter(|(name, _)| owns(name))
        .max_by_key(|(name, _)| name.len())
        .or_else(|| remotes.iter().find(|(name, _)| name == "origin"))
        .or(remotes.first());
    found.map(|(name, url)| (name.as_str(), url.as_str()))
}

/// Copies one side's value. Where it has to be read, it goes from AWS or git to the clipboard and is never drawn.
pub(super) fn value(model: &mut Model, side: Side) -> Vec<Effect> {
    let Some(item) = model.shown() else { return Vec::new() };
    let path = property(model, item);
    match facet(item, path.as_deref(), side) {
        Some(Facet::Unread | Facet::Masked { .. }) | None => {}
        Some(facet) => {
            let found = text(facet, side);
            return take(model, found, side, path.as_deref());
        }
    }
    if model.home.settings.clipboard == Clipboard::Off {
        // Nothing is read that cannot be copied: reading a value is noted in AWS's logs.
        model.notice = Some(String::from("not copied: clipboard = \"off\" in config.toml"));
        return Vec::new();
    }
    let (kind, name) = (item.kind, item.name.clone());
    let (generation, mut effects) = begin(model, ErrandOf::Value { side, path });
    model.notice = Some(format!("reading the {}, esc cancels", word(side)));
    effects.push(Effect::Read(generation, model.environment().target(), kind, name));
    effects
}

/// The path of the property under the cursor; `None`: the item has a value of its own.
fn property(model: &Model, item: &Item) -> Option<String> {
    // The overview shows no rows; there the first that differs is meant, as on the item's page.
    let list = Some(model.list()).filter(|_| model.page != Page::Overview);
    let rows = shown_rows(item, list.map(|list| list.show).unwrap_or_default());
    let at = list.and_then(|list| rows.get(list.row)).or(rows.first())?;
    // Versions of a function are rows too, each with a value.
    item.rows.get(*at).map(|row| row.path.clone())
}

fn facet<'a>(item: &'a Item, path: Option<&str>, side: Side) -> Option<&'a Facet> {
    let pick = |sides: &'a Sides| match side {
        Side::Git => &sides.git,
        Side::Live => &sides.live,
    };
    match path {
        None => Some(pick(&item.sides)),
        Some(path) => item.rows.iter().find(|row| row.path == path).map(|row| pick(&row.sides)),
    }
}

fn text(facet: &Facet, side: Side) -> Result<Secret, Why> {
    let place = match side {
        Side::Git => "in git",
        Side::Live => "live",
    };
    match facet {
        Facet::Plain(text) => Ok(Secret::new(text.clone())),
        Facet::Secret(secret) => Ok(secret.clone()),
        Facet::Absent => Err(Why::new(format!("it is not {place}"))),
        Facet::Unread | Facet::Masked { .. } | Facet::Unrecorded => {
            Err(Why::new(format!("its value {place} was not read")))
        }
        Facet::Unreadable(why) => Err(why.clone()),
    }
}

fn word(side: Side) -> &'static str {
    match side {
        Side::Git => "value in git",
        Side::Live => "live value",
    }
}

fn take(model: &mut Model, found: Result<Secret, Why>, side: Side, path: Option<&str>) -> Vec<Effect> {
    match found {
        Ok(text) => {
            let of = path.map(|path| format!(" of {path}")).unwrap_or_default();
            vec![Effect::Copy(Copy { what: format!("{}{of}", word(side)), text })]
        }
        Err(why) => {
            model.notice = Some(not_copied(&why));
            Vec::new()
        }
    }
}

/// The values of an item are read for the clipboard, and are forgotten here.
pub(super) fn read(model: &mut Model, generation: Generation, answer: Result<Box<Item>, Why>) -> Vec<Effect> {
    let Some(errand) = model.home.answered(generation) else { return Vec::new() };
    let ErrandOf::Value { side, path } = errand.of else { return Vec::new() };
    let found = answer.and_then(|item| {
        let gone = || Why::new(format!("{} is gone", path.as_deref().unwrap_or("the item")));
        facet(&item, path.as_deref(), side).ok_or_else(gone).and_then(|facet| text(facet, side))
    });
    take(model, found, side, path.as_deref())
}

/// Tells how long a text was and never what it was.
pub(super) fn copied(model: &mut Model, what: &str, characters: usize, outcome: Result<Sent, Why>) -> Vec<Effect> {
    model.notice = Some(match outcome {
        Ok(sent) => sent.told(what, characters),
        Err(why) => match why.hint {
            Some(hint) => format!("{}  try: {hint}", why.reason),
            None => why.reason,
        },
    });
    Vec::new()
}

fn not_copied(why: &Why) -> String {
    format!("not copied: {}", why.reason)
}

pub(super) fn name(model: &mut Model) -> Vec<Effect> {
    model.selected().map_or_else(Vec::new, |item| copy("name", item.name.clone()))
}

pub(super) fn json(model: &mut Model) -> Vec<Effect> {
    let print = model.fingerprints.of_documents();
    model.selected().map_or_else(Vec::new, |item| copy("JSON", schema::item(item, &print)))
}

pub(super) fn arn(model: &mut Model) -> Vec<Effect> {
    of_item(model, "ARN", links::arn)
}

pub(super) fn command(model: &mut Model) -> Vec<Effect> {
    of_item(model, "command", |item, place| Ok(links::command(item, place)))
}

pub(super) fn console(model: &mut Model) -> Vec<Effect> {
    of_item(model, "link to AWS's console", links::console)
}

pub(super) fn commit(model: &mut Model) -> Vec<Effect> {
    let commit = model.environment().commit.value().map(|commit| commit.id.clone()).unwrap_or_default();
    let found = remote(model).map(|(name, url)| links::commit(name, url, &commit));
    told(model, "link to the commit", found)
}

fn of_item(model: &mut Model, what: &str, make: impl FnOnce(&Item, Place<'_>) -> Result<String, Why>) -> Vec<Effect> {
    let found = model.selected().zip(place(model)).map(|(item, place)| make(item, place));
    told(model, what, found)
}

fn told(model: &mut Model, what: &str, found: Option<Result<String, Why>>) -> Vec<Effect> {
    match found {
        Some(Ok(text)) => return copy(what, text),
        Some(Err(why)) => model.notice = Some(not_copied(&why)),
        None => {}
    }
    Vec::new()
}

fn copy(what: &str, text: String) -> Vec<Effect> {
    vec![Effect::Copy(Copy { what: what.to_owned(), text: Secret::new(text) })]
}
