//! Counts of verdicts in a cell of any width.

use crate::compare::Verdict;

/// The counts that a cell has room for.
pub(super) struct Fitted {
    pub(super) parts: Vec<(Verdict, usize)>,
    pub(super) pad: usize,
    pub(super) gap: u16,
    /// Whether some had to be left out.
    pub(super) is_short: bool,
}

/// A count is shown in full or not at all; what matters least goes first.
pub(super) fn fit(mut parts: Vec<(Verdict, usize)>, room: usize) -> Fitted {
    let long = |parts: &[(Verdict, usize)], pad: usize, gap: u16| {
        let digits = |count: &usize| count.to_string().len().max(pad) + 1;
        parts.iter().map(|(_, count)| digits(count) + usize::from(gap)).sum::<usize>()
    };
    let looks = [(4, 2), (0, 2), (0, 1)];
    for (pad, gap) in looks.into_iter().filter(|(pad, _)| *pad == 0 || room >= 15) {
        if long(&parts, pad, gap) <= room + usize::from(gap) {
            return Fitted { parts, pad, gap, is_short: false };
        }
    }
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Diverged | Verdict::Drifted => 0,
        Verdict::Unknown(_) => 1,
        Verdict::Pending | Verdict::Differs => 2,
        Verdict::GitOnly => 3,
        Verdict::InSync | Verdict::Unmanaged | Verdict::Ignored(_) => 4,
    };
    // The mark takes a column of its own.
    while long(&parts, 0, 1) + 1 > room
        && let Some(least) = (0..parts.len()).max_by_key(|at| (rank(&parts[*at].0), *at))
    {
        parts.remove(least);
    }
    Fitted { parts, pad: 0, gap: 1, is_short: true }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compare::Why;
    use crate::console::text;

    fn shown(counts: &[(Verdict, usize)], room: usize) -> String {
        let fitted = fit(counts.to_vec(), room);
        let gap = " ".repeat(usize::from(fitted.gap));
        let parts: Vec<String> = fitted
            .parts
            .iter()
            .map(|(verdict, count)| format!("{}{count:>1$}", verdict.symbol(), fitted.pad))
            .collect();
        format!("{}{}", parts.join(&gap), if fitted.is_short { format!("{gap}…") } else { String::new() })
    }

    #[test]
    fn a_count_is_shown_in_full_or_left_out_with_a_mark() {
        let unknown = Verdict::Unknown(Why::new("denied"));
        let counts = [(Verdict::Drifted, 3), (Verdict::Pending, 12), (Verdict::GitOnly, 240), (unknown, 1234)];
        for (room, expected) in [
            (40, "~   3  >  12  - 240  ?1234"),
            (21, "~3  >12  -240  ?1234"),
            (18, "~3 >12 -240 ?1234"),
            (16, "~3 >12 ?1234 …"),
            (11, "~3 ?1234 …"),
            (6, "~3 …"),
            (3, " …"),
        ] {
            assert_eq!(shown(&counts, room), expected, "{room}");
        }
    }

    proptest! {
        #[test]
        fn counts_fit(counts in prop::collection::vec(0_usize..100_000, 1..6), room in 2_usize..40) {
            let verdicts = [Verdict::Diverged, Verdict::Drifted, Verdict::Pending, Verdict::GitOnly, Verdict::Unmanaged];
            let counts: Vec<_> = verdicts.into_iter().zip(counts).collect();
            prop_assert!(text::width(&shown(&counts, room)) <= room);
        }
    }
}
