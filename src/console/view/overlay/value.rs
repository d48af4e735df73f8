//! A value of the change list as it is drawn: masked unless it is shown.

use crate::console::model::Model;
use crate::console::theme::Role;
use crate::ops::config::changes::Value;
use crate::secret::Secret;

/// Dots that are drawn at most, so that a long value does not tell its length by them alone.
const DOTS: usize = 24;

/// A value, or that there is none.
pub(in crate::console) fn told(model: &Model, value: Option<&Value>, shown: bool) -> (String, Role) {
    match value {
        None => (String::from("nothing"), Role::Dim),
        Some(value) if shown => (value.text.expose().to_owned(), Role::Revealed),
        Some(value) => {
            let fingerprint = model.fingerprints.fingerprint(value.text.expose());
            (format!("•••• fp {fingerprint}  len {}", value.text.chars()), Role::Mask)
        }
    }
}

/// A dot for each character.
pub(super) fn dots(text: &Secret) -> String {
    "•".repeat(text.chars().min(DOTS))
}
