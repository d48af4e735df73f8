//! Counts of verdicts in a cell of any width.

use crate::compare::Verdict;

/// Counts of verdicts, as they are drawn beside each other.
pub(super) type Counts = Vec<(Verdict, usize)>;

/// The columns between two counts, where there is room and where there is little.
const GAPS: [u16; 2] = [2, TIGHT];
const TIGHT: u16 = 1;

/// The gap with which every cell of a column fits, so that all of them look alike.
pub(super) fn gap<'a>(cells: impl IntoIterator<Item = &'a Counts>, room: usize) -> u16 {
    let cells: Vec<&Counts> = cells.into_iter().collect();
    let fits = |gap: &u16| cells.iter().all(|parts| long(parts, *gap) <= room);
    GAPS.into_iter().find(fits).unwrap_or(TIGHT)
}

fn long(parts: &[(Verdict, usize)], gap: u16) -> usize {
    let gaps = parts.len().saturating_sub(1) * usize::from(gap);
    parts.iter().map(|(_, count)| count.to_string().len() + 1).sum::<usize>() + gaps
}

/// The counts that a cell has room for.
pub(super) struct Fitted {
    pub(super) parts: Counts,
    pub(super) gap: u16,
    /// Whether some had to be left out.
    pub(super) is_short: bool,
}

/// A count is shown in full or not at all; what matters least goes first.
pub(super) fn fit(mut parts: Counts, room: usize, gap: u16) -> Fitted {
    if long(&parts, gap) <= room {
        return Fitted { parts, gap, is_short: false };
    }
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Diverged | Verdict::Drifted => 0,
        Verdict::Unknown(_) => 1,
        Verdict::Pending | Verdict::Differs => 2,
        Verdict::GitOnly => 3,
        Verdict::InSync | Verdict::Unmanaged | Verdict::Ignored(_) => 4,
    };
    // The mark takes a column of its own.
    while long(&parts, TIGHT) + usize::from(!parts.is_empty()) + 1 > room
        && let Some(least) = (0..parts.len()).max_by_key(|at| (rank(&parts[*at].0), *at))
    {
        parts.remove(least);
    }
    Fitted { parts, gap: TIGHT, is_short: true }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compare::Why;
    use crate::console::text;

    fn shown(counts: &[(Verdict, usize)], room: usize) -> String {
        let counts = counts.to_vec();
        let gap = gap(std::iter::once(&counts), room);
        let fitted = fit(counts, room, gap);
        let gap = " ".repeat(usize::from(fitted.gap));
        let parts: Vec<String> =
            fitted.parts.iter().map(|(verdict, count)| format!("{}{count}", verdict.symbol())).collect();
        format!("{}{}", parts.join(&gap), if fitted.is_short { format!("{gap}…") } else { String::new() })
    }

    #[test]
    fn a_count_is_shown_in_full_or_left_out_with_a_mark() {
        let unknown = Verdict::Unknown(Why::new("denied"));
        let counts = [(Verdict::Drifted, 3), (Verdict::Pending, 12), (Verdict::GitOnly, 240), (unknown, 1234)];
        for (room, expected) in [
            (40, "~3  >12  -240  ?1234"),
            (20, "~3  >12  -240  ?1234"),
            (18, "~3 >12 -240 ?1234"),
            (16, "~3 >12 ?1234 …"),
            (11, "~3 ?1234 …"),
            (6, "~3 …"),
            (3, " …"),
        ] {
            assert_eq!(shown(&counts, room), expected, "{room}");
        }
    }

    #[test]
    fn the_counts_of_a_column_are_alike() {
        let (few, many) = (vec![(Verdict::Pending, 1)], vec![(Verdict::Drifted, 3), (Verdict::Pending, 12)]);
        let more: Counts = [&many[..], &[(Verdict::GitOnly, 240), (Verdict::Unmanaged, 7)]].concat();
        let gap = |cells: &[Counts], room| gap(cells.iter(), room);
        assert_eq!(gap(&[few.clone(), many.clone()], 10), 2);
        assert_eq!(gap(&[few.clone(), more.clone()], 16), TIGHT);
        assert_eq!(gap(&[few, more], 4), TIGHT, "one is cut, and none of them is spread");
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
