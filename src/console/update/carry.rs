//! What is carried over from an older answer into a newer one that lacks it, so that nothing moves under the eyes.

use std::collections::HashMap;

use crate::compare::{Changed, Facet, Item};
use crate::ops::report::Section;

/// Milliseconds by which a listing's time and CloudTrail's of the same change may lie apart.
const APART: i64 = 60_000;

/// Who changed what live, while that is being asked again: of items that look changed as they were.
pub(super) fn who_meanwhile(before: Option<&Section>, now: &mut Section) {
    who(before, now, is_same_change);
}

/// The same where it could not be found out again: of items whose version says that they are as they were.
pub(super) fn who_for_sure(before: Option<&Section>, now: &mut Section) {
    who(before, now, |before, now| now.version.is_some() && is_same_change(before, now));
}

fn who(before: Option<&Section>, now: &mut Section, is_same: impl Fn(&Item, &Item) -> bool) {
    let Some(before) = before else { return };
    let named = before.items.iter().filter(|item| item.changed.as_ref().is_some_and(is_named));
    let named: HashMap<&str, &Item> = named.map(|item| (item.name.as_str(), item)).collect();
    if named.is_empty() {
        return;
    }
    for item in now.items.iter_mut().filter(|item| !item.changed.as_ref().is_some_and(is_named)) {
        if let Some(before) = named.get(item.name.as_str()).filter(|before| is_same(before, item)) {
            item.changed.clone_from(&before.changed);
        }
    }
}

/// A listing may name an account's root, whoever it was.
fn is_named(changed: &Changed) -> bool {
    changed.by.as_deref().is_some_and(|by| !by.ends_with(":root"))
}

/// Whether live is as it was when somebody was named for it.
fn is_same_change(before: &Item, now: &Item) -> bool {
    let at = |item: &Item| item.changed.as_ref().and_then(|changed| changed.at);
    let same_time = at(before).zip(at(now)).is_none_or(|(before, now)| before.abs_diff(now) < APART.unsigned_abs());
    let rows = before.rows.iter().zip(&now.rows);
    before.verdict.code() == now.verdict.code()
        && before.version == now.version
        && before.physical_id == now.physical_id
        && same_time
        && may_be_same(&before.sides.live, &now.sides.live)
        && before.rows.len() == now.rows.len()
        && rows.into_iter().all(|(before, now)| {
            before.path == now.path
                && before.verdict.code() == now.verdict.code()
                && may_be_same(&before.sides.live, &now.sides.live)
        })
}

/// Whether two looks can be at the same value. What was not read, or is only known by its mask, can be any; the version
/// says more of it than its look.
fn may_be_same(before: &Facet, now: &Facet) -> bool {
    match (before, now) {
        (Facet::Plain(_) | Facet::Secret(_), Facet::Plain(_) | Facet::Secret(_)) => before == now,
        (Facet::Absent, other) | (other, Facet::Absent) => *other == Facet::Absent,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Kind, Verdict};
    use crate::console::fixture::{item, plain, sides};

    fn drifted(live: Facet, version: Option<&str>, at: Option<i64>, by: Option<&str>) -> Item {
        let sides = sides(plain("1"), plain("1"), live);
        Item {
            version: version.map(str::to_owned),
            changed: Some(Changed { by: by.map(str::to_owned), at, ..Changed::default() }),
            ..item(Kind::Parameter, "shop", "/shop/a", Verdict::Drifted, sides)
        }
    }

    #[test]
    fn a_name_goes_over_as_long_as_live_is_what_it_was() {
        let root = Some("arn:aws:iam::471100004242:root");
        let mara = || drifted(plain("2"), Some("4"), Some(1_000_000), Some("mara"));
        let rows = [
            ("the same version", drifted(plain("2"), Some("4"), Some(1_000_400), root), Some("mara")),
            ("nothing is listed of it", drifted(plain("2"), Some("4"), None, None), Some("mara")),
            ("not read this time", drifted(Facet::Unread, Some("4"), Some(1_000_400), root), Some("mara")),
            ("another version", drifted(plain("2"), Some("5"), Some(1_000_400), root), root),
            ("another value", drifted(plain("3"), Some("4"), Some(1_000_400), root), root),
            ("made anew, counted from 1", drifted(plain("2"), Some("4"), Some(9_000_000), root), root),
            ("deleted since", drifted(Facet::Absent, None, None, None), None),
            ("somebody is named", drifted(plain("2"), Some("4"), Some(1_000_400), Some("ann")), Some("ann")),
        ];
        let of = |item: Item| Section { items: vec![item], ..Section::default() };
        let by_whom = |section: &Section| section.items[0].changed.as_ref().and_then(|changed| changed.by.clone());
        for (story, now, by) in rows {
            let mut section = of(now);
            who_meanwhile(Some(&of(mara())), &mut section);
            assert_eq!(by_whom(&section).as_deref(), by, "{story}");
        }
        // A property has no version: it may have been changed back and forth, so its name is asked for again.
        let memory = |by| Item { kind: Kind::Stack, ..drifted(plain("2"), None, None, by) };
        let (mut meanwhile, mut sure) = (of(memory(None)), of(memory(None)));
        who_meanwhile(Some(&of(memory(Some("mara")))), &mut meanwhile);
        who_for_sure(Some(&of(memory(Some("mara")))), &mut sure);
        assert_eq!((by_whom(&meanwhile).as_deref(), by_whom(&sure)), (Some("mara"), None));
        let mut sure = of(drifted(plain("2"), Some("4"), Some(1_000_400), root));
        who_for_sure(Some(&of(mara())), &mut sure);
        assert_eq!(by_whom(&sure).as_deref(), Some("mara"));
    }
}
