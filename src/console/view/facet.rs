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
        Facet::Secret(_) => masked(model, facet),
    }
}

/// The same of what nobody has revealed, whatever is revealed elsewhere.
pub(in crate::console) fn masked(model: &Model, facet: &Facet) -> String {
    match facet {
        Facet::Secret(secret) => {
            let print = model.fingerprints.fingerprint(secret.expose());
            format!("{} fp {print} len {}", crate::secret::MASK, secret.chars())
        }
        other => text(model, other),
    }
}

/// What the side's look means.
pub(in crate::console) fn role(model: &Model, facet: &Facet) -> Role {
    match facet {
        Facet::Absent | Facet::Unrecorded | Facet::Unread => Role::Dim,
        Facet::Unreadable(_) => Role::Unknown,
        Facet::Plain(_) => Role::Text,
        Facet::Secret(_) if model.is_revealed() => Role::Revealed,
        Facet::Secret(_) | Facet::Masked { .. } => Role::Mask,
    }
}
