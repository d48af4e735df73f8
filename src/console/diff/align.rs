//! Which elements of two or three sequences belong together, in bounded time.
//!
//! The best alignment of long sequences with little in common takes a time that grows with their product, and a key
//! must not wait for it. So what is long is first cut at elements that each side has once, and what stays long after
//! that counts as replaced.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

use similar::{Algorithm, capture_diff_slices};

/// Up to this product of lengths the best alignment is looked for.
const EXACT: usize = 250_000;

/// How often what is long is cut again.
const DEPTH: usize = 6;

/// A part of two sequences: where it is in each, and whether both say the same there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) old: Range<usize>,
    pub(super) new: Range<usize>,
    pub(super) equal: bool,
}

/// Equal things get equal numbers, so that they are compared in one step.
pub(super) fn numbered<T: Hash + Eq, const N: usize>(sides: [&[T]; N]) -> [Vec<usize>; N] {
    let mut known: HashMap<&T, usize> = HashMap::new();
    sides.map(|side| {
        let number = |thing| {
            let next = known.len();
            *known.entry(thing).or_insert(next)
        };
        side.iter().map(number).collect()
    })
}

/// The parts of two sequences, in order.
pub(super) fn parts(old: &[usize], new: &[usize]) -> Vec<Part> {
    let mut parts = Vec::new();
    within(old, new, (0, 0), DEPTH, &mut parts);
    let mut joined: Vec<Part> = Vec::new();
    for part in parts.into_iter().filter(|part| !part.old.is_empty() || !part.new.is_empty()) {
        match joined.last_mut() {
            Some(last) if last.equal == part.equal => {
                last.old.end = part.old.end;
                last.new.end = part.new.end;
            }
            _ => joined.push(part),
        }
    }
    joined
}

/// Three sequences in rows: the second beside the first as far as they go together, the third likewise.
pub(super) fn rows(git: &[usize], applied: Option<&[usize]>, live: &[usize]) -> Vec<[Option<usize>; 3]> {
    let live = pairs(git, live);
    let Some(applied) = applied else { return live.into_iter().map(|(git, live)| [git, None, live]).collect() };
    let applied = pairs(git, applied);
    let (mut left, mut right) = (applied.iter().peekable(), live.iter().peekable());
    let mut rows = Vec::with_capacity(applied.len().max(live.len()));
    while left.peek().is_some() || right.peek().is_some() {
        // What one of them has before git's next element stands before it; both name each of git's elements once.
        let a = left.next_if(|(git, _)| git.is_none()).and_then(|(_, at)| *at);
        let l = right.next_if(|(git, _)| git.is_none()).and_then(|(_, at)| *at);
        if a.is_some() || l.is_some() {
            rows.push([None, a, l]);
            continue;
        }
        let (a, l) = (left.next(), right.next());
        rows.push([a.or(l).and_then(|(git, _)| *git), a.and_then(|(_, at)| *at), l.and_then(|(_, at)| *at)]);
    }
    rows
}

/// The elements of two sequences side by side; what was replaced one by one as far as both go.
fn pairs(old: &[usize], new: &[usize]) -> Vec<(Option<usize>, Option<usize>)> {
    let pair = |part: Part| {
        let long = part.old.len().max(part.new.len());
        (0..long).map(move |at| (part.old.clone().nth(at), part.new.clone().nth(at)))
    };
    parts(old, new).into_iter().flat_map(pair).collect()
}

fn within(old: &[usize], new: &[usize], at: (usize, usize), depth: usize, parts: &mut Vec<Part>) {
    let before = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[before..], &new[before..]);
    let after = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old_mid, new_mid) = (&old_rest[..old_rest.len() - after], &new_rest[..new_rest.len() - after]);
    let start = (at.0 + before, at.1 + before);
    let end = (start.0 + old_mid.len(), start.1 + new_mid.len());
    parts.push(Part { old: at.0..start.0, new: at.1..start.1, equal: true });
    if old_mid.len().saturating_mul(new_mid.len()) <= EXACT {
        for op in capture_diff_slices(Algorithm::Myers, old_mid, new_mid) {
            let shift = |range: Range<usize>, by: usize| range.start + by..range.end + by;
            let equal = matches!(op, similar::DiffOp::Equal { .. });
            parts.push(Part { old: shift(op.old_range(), start.0), new: shift(op.new_range(), start.1), equal });
        }
    } else {
        let anchors = if depth == 0 { Vec::new() } else { anchors(old_mid, new_mid) };
        let mut from = (0, 0);
        for (a, b) in anchors {
            within(&old_mid[from.0..a], &new_mid[from.1..b], (start.0 + from.0, start.1 + from.1), depth - 1, parts);
            parts.push(Part { old: start.0 + a..start.0 + a + 1, new: start.1 + b..start.1 + b + 1, equal: true });
            from = (a + 1, b + 1);
        }
        let rest = (start.0 + from.0, start.1 + from.1);
        if from == (0, 0) {
            parts.push(Part { old: rest.0..end.0, new: rest.1..end.1, equal: false });
        } else {
            within(&old_mid[from.0..], &new_mid[from.1..], rest, depth - 1, parts);
        }
    }
    parts.push(Part { old: end.0..end.0 + after, new: end.1..end.1 + after, equal: true });
}

/// The longest row of elements that each side has exactly once and that come in the same order on both.
fn anchors(old: &[usize], new: &[usize]) -> Vec<(usize, usize)> {
    let once = |side: &[usize]| {
        let mut places: HashMap<usize, Option<usize>> = HashMap::new();
        for (at, element) in side.iter().enumerate() {
            places.entry(*element).and_modify(|place| *place = None).or_insert(Some(at));
        }
        places
    };
    let places = once(new);
    let mut shared: Vec<(usize, usize)> =
        once(old).into_iter().filter_map(|(element, place)| Some((place?, (*places.get(&element)?)?))).collect();
    shared.sort_unstable();
    // The longest increasing subsequence: `tails[n]` ends the best one of n + 1 elements.
    let mut tails: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; shared.len()];
    for at in 0..shared.len() {
        let length = tails.partition_point(|&tail| shared[tail].1 < shared[at].1);
        before[at] = length.checked_sub(1).map(|last| tails[last]);
        match tails.get_mut(length) {
            Some(tail) => *tail = at,
            None => tails.push(at),
        }
    }
    let mut chosen = Vec::with_capacity(tails.len());
    let mut at = tails.last().copied();
    while let Some(here) = at {
        chosen.push(shared[here]);
        at = before[here];
    }
    chosen.reverse();
    chosen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a part says must be true, and all parts together must be all of both sequences.
    fn check(old: &[usize], new: &[usize]) -> Result<(), TestCaseError> {
        let (mut a, mut b) = (0, 0);
        for part in parts(old, new) {
            prop_assert_eq!((part.old.start, part.new.start), (a, b));
            (a, b) = (part.old.end, part.new.end);
            if part.equal {
                prop_assert_eq!(&old[part.old], &new[part.new]);
            }
        }
        prop_assert_eq!((a, b), (old.len(), new.len()));
        Ok(())
    }

    #[test]
    fn what_is_long_and_has_little_in_common_is_cut_at_what_each_side_has_once() {
        let old: Vec<usize> = (0..20_000).collect();
        let mut new: Vec<usize> = (0..20_000).map(|n| if n % 3 == 0 { n + 50_000 } else { n }).collect();
        new.insert(0, 99_999);
        let equal: usize = parts(&old, &new).iter().filter(|part| part.equal).map(|part| part.old.len()).sum();
        assert_eq!(equal, 13_333);
        let none_shared: Vec<usize> = (20_000..40_000).collect();
        assert_eq!(parts(&old, &none_shared), [Part { old: 0..20_000, new: 0..20_000, equal: false }]);
        let reversed: Vec<usize> = old.iter().rev().copied().collect();
        check(&old, &reversed).unwrap();
    }

    #[test]
    fn three_sequences_stand_in_rows_by_gits_elements() {
        let rows = rows(&[1, 2, 3], Some(&[1, 9, 2]), &[2, 3, 4]);
        assert_eq!(
            rows,
            [
                [Some(0), Some(0), None],
                [None, Some(1), None],
                [Some(1), Some(2), Some(0)],
                [Some(2), None, Some(1)],
                [None, None, Some(2)],
            ]
        );
    }

    proptest! {
        #[test]
        fn all_of_both_is_told_once_and_truly(
            old in proptest::collection::vec(0_usize..6, 0..30),
            new in proptest::collection::vec(0_usize..6, 0..30),
        ) {
            check(&old, &new)?;
        }

        #[test]
        fn rows_of_three_name_each_element_once_and_in_order(
            git in proptest::collection::vec(0_usize..5, 0..20),
            applied in proptest::collection::vec(0_usize..5, 0..20),
            live in proptest::collection::vec(0_usize..5, 0..20),
        ) {
            let rows = rows(&git, Some(&applied), &live);
            for (side, all) in [&git, &applied, &live].into_iter().enumerate() {
                let told: Vec<usize> = rows.iter().filter_map(|row| row[side]).collect();
                prop_assert_eq!(told, (0..all.len()).collect::<Vec<_>>());
            }
        }
    }
}
