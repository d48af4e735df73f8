//! How one side of an item looks.

use crate::compare::Facet;
use crate::console::model::Model;
use crate::console::theme::Role;

/// The whole text of a side: its value when anyone may see it or while it is revealed, else what stands for it.
pub(in crate::console) fn text(model: &Model, facet: &Facet) -> String {
    match facet {
        Facet::Absent => String::from("absent"),
        Facet::Unrecorded => String::from("unrecorded"),
        Facet::Unread => String::from("not read"),
        Facet::Unreadable(why) => format!("? {}", why.reason),
        Facet::Plain(text) => text.clone(),
        Facet::Masked { fingerprint, chars } => format!("{} fp {fingerprint} len {chars}", crate::secret::MASK),
        Facet::Secret(secret) if model.is_revealed() => secret.expose().to_owned(),
        Facet::Secret(secret) => {
            let print = model.fingerprints.fingerprint(secret.expose());
            format!("{} fp {print} len {}", crate::secret::MASK, secret.chars())
        }
    }
}

/// The side in one line: a longer text is its first line, and how many more there are.
pub(super) fn line(model: &Model, facet: &Facet) -> String {
    let text = text(model, facet);
    let text = text.strip_suffix('\n').map_or(text.as_str(), |rest| if rest.contains('\n') { rest } else { &text });
    match text.split_once('\n') {
        Some((first, rest)) if !rest.is_empty() => format!("{first}  +{} lines", rest.lines().count()),
        _ => text.to_owned(),
    }
}

/// What the side's look means.
pub(super) fn role(model: &Model, facet: &Facet) -> Role {
    match facet {
        Facet::Absent | Facet::Unrecorded | Facet::Unread => Role::Dim,
        Facet::Unreadable(_) => Role::Unknown,
        Facet::Plain(_) => Role::Text,
        Facet::Secret(_) if model.is_revealed() => Role::Revealed,
        Facet::Secret(_) | Facet::Masked { .. } => Role::Mask,
    }
}
