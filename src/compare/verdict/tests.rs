//! The table against an independent spelling of it, and the laws that follow from it.

use proptest::prelude::*;

use super::*;

type One = Side<&'static str>;

fn unreadable(by: &str) -> One {
    Side::Unreadable(Why::new(by))
}

fn sides(by: &str) -> Vec<One> {
    vec![unreadable(by), Side::Absent, Side::Value("x"), Side::Value("y"), Side::Value("z")]
}

fn applied() -> Vec<Applied<&'static str>> {
    std::iter::once(Applied::Unrecorded).chain(sides("applied").into_iter().map(Applied::Recorded)).collect()
}

fn code(verdict: Option<&Verdict>) -> &'static str {
    verdict.map_or("not listed", Verdict::code)
}

/// The table of the design as it is printed there, one row per line.
const TABLE: &str = "
    ?      | any        | any         | unknown
    any    | any        | ?           | unknown
    ∅      | any        | ∅           | not listed
    g      | any        | l=g         | in_sync
    g      | ∅,?,unrec  | ∅           | git_only
    ∅      | ∅,?,unrec  | l           | unmanaged
    g      | ?,unrec    | l≠g         | differs
    g      | ∅          | l≠g         | diverged
    g=a    | a          | l≠a         | drifted
    g=a    | a          | ∅           | drifted
    g≠a    | a          | l=a         | pending
    ∅      | a          | l=a         | pending
    g≠a    | a          | l≠a,l≠g     | diverged
    g≠a    | a          | ∅           | diverged
    ∅      | a          | l≠a         | diverged
";

/// One letter for what a side is: `?`, `0` for absent, `u` for unrecorded, else the value.
fn letter(side: &One) -> char {
    match side {
        Side::Unreadable(_) => '?',
        Side::Absent => '0',
        Side::Value(value) => value.chars().next().unwrap(),
    }
}

fn fits(pattern: &str, own: char, git: char, applied: char) -> bool {
    let value = own.is_alphabetic() && own != 'u';
    match pattern {
        "any" => true,
        "?" => own == '?',
        "∅" => own == '0',
        "∅,?,unrec" => matches!(own, '0' | '?' | 'u'),
        "?,unrec" => matches!(own, '?' | 'u'),
        "g" | "a" | "l" => value,
        "g=a" | "l=a" => value && own == applied,
        "g≠a" | "l≠a" => value && own != applied,
        "l=g" => value && own == git,
        "l≠g" => value && own != git,
        "l≠a,l≠g" => value && own != applied && own != git,
        pattern => panic!("{pattern} is no cell of the table"),
    }
}

#[test]
fn every_combination_is_judged_as_the_table_says() {
    let rows: Vec<Vec<&str>> = TABLE.trim().lines().map(|row| row.split('|').map(str::trim).collect()).collect();
    let mut used = vec![0; rows.len()];
    for git in sides("git") {
        for applied in applied() {
            for live in sides("live") {
                let g = letter(&git);
                let l = letter(&live);
                let a = match &applied {
                    Applied::Unrecorded => 'u',
                    Applied::Recorded(side) => letter(side),
                };
                let row =
                    rows.iter().position(|row| fits(row[0], g, g, a) && fits(row[1], a, g, a) && fits(row[2], l, g, a));
                let row = row.unwrap_or_else(|| panic!("no row for {g} {a} {l}"));
                used[row] += 1;
                assert_eq!(code(verdict(&git, &applied, &live).as_ref()), rows[row][3], "{g} {a} {l}, row {row}");
            }
        }
    }
    assert_eq!(used.iter().sum::<usize>(), 5 * 6 * 5);
    assert!(used.iter().all(|count| *count > 0), "a row that nothing reaches: {used:?}");
}

#[test]
fn named_situations() {
    use Applied::{Recorded, Unrecorded};
    use Side::{Absent, Value};
    for (name, git, applied, live, expected) in [
        ("nothing was touched", Value("1"), Recorded(Value("1")), Value("1"), "in_sync"),
        ("edited by hand at night", Value("1"), Recorded(Value("1")), Value("2"), "drifted"),
        ("deleted by hand", Value("1"), Recorded(Value("1")), Absent, "drifted"),
        ("committed and not rolled out", Value("2"), Recorded(Value("1")), Value("1"), "pending"),
        ("removed from git and not rolled out", Absent, Recorded(Value("1")), Value("1"), "pending"),
        ("added to git and not rolled out", Value("1"), Recorded(Absent), Absent, "git_only"),
        ("added by hand and never in git", Absent, Recorded(Absent), Value("1"), "unmanaged"),
        ("hand change and commit agree", Value("2"), Recorded(Value("1")), Value("2"), "in_sync"),
        ("hand change and commit disagree", Value("2"), Recorded(Value("1")), Value("3"), "diverged"),
        ("removed on both sides", Absent, Recorded(Value("1")), Absent, "not listed"),
        ("added differently on both sides", Value("1"), Recorded(Absent), Value("2"), "diverged"),
        ("an account that was never recorded", Value("1"), Unrecorded, Value("2"), "differs"),
        ("access denied to live", Value("1"), Recorded(Value("1")), unreadable("denied"), "unknown"),
        ("a document that cannot be decrypted", unreadable("no key"), Recorded(Value("1")), Value("1"), "unknown"),
        (
            "the receipt's commit is gone, and all is well",
            Value("1"),
            Recorded(unreadable("gone")),
            Value("1"),
            "in_sync",
        ),
    ] {
        assert_eq!(code(verdict(&git, &applied, &live).as_ref()), expected, "{name}");
    }
}

#[test]
fn the_reason_of_an_unknown_is_the_git_sides_first() {
    let both = verdict(&unreadable("git"), &Applied::Unrecorded, &unreadable("live"));
    assert_eq!(both, Some(Verdict::Unknown(Why::new("git"))));
    let live = verdict(&Side::Absent, &Applied::Unrecorded, &unreadable("live"));
    assert_eq!(live, Some(Verdict::Unknown(Why::new("live"))));
}

/// What is seen from the other side: who moved is exchanged, and who has it.
fn mirrored(code: &'static str) -> &'static str {
    match code {
        "drifted" => "pending",
        "pending" => "drifted",
        "git_only" => "unmanaged",
        "unmanaged" => "git_only",
        same => same,
    }
}

fn any_side() -> impl Strategy<Value = Side<String>> {
    prop_oneof![Just(Side::Unreadable(Why::new("denied"))), Just(Side::Absent), "[a-c]{0,2}".prop_map(Side::Value),]
}

fn any_applied() -> impl Strategy<Value = Applied<String>> {
    prop_oneof![Just(Applied::Unrecorded), any_side().prop_map(Applied::Recorded)]
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    prop::sample::select(vec![
        Verdict::InSync,
        Verdict::Drifted,
        Verdict::Pending,
        Verdict::Diverged,
        Verdict::Differs,
        Verdict::GitOnly,
        Verdict::Unmanaged,
        Verdict::Ignored(Rule::Rotation),
        Verdict::Unknown(Why::new("denied")),
    ])
}

proptest! {
    #[test]
    fn equal_values_are_in_sync_whatever_was_applied(value in ".*", applied in any_applied()) {
        let side = Side::Value(value);
        prop_assert_eq!(verdict(&side, &applied, &side), Some(Verdict::InSync));
    }

    #[test]
    fn one_changed_byte_is_never_in_sync(
        bytes in prop::collection::vec(any::<u8>(), 1..40),
        at in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
        recorded in 0..4_usize,
    ) {
        let mut changed = bytes.clone();
        changed[at.index(bytes.len())] ^= flip;
        let applied = match recorded {
            0 => Applied::Unrecorded,
            1 => Applied::Recorded(Side::Value(bytes.clone())),
            2 => Applied::Recorded(Side::Value(changed.clone())),
            _ => Applied::Recorded(Side::Absent),
        };
        let verdict = verdict(&Side::Value(bytes), &applied, &Side::Value(changed)).unwrap();
        prop_assert!(verdict.is_difference(), "{verdict:?}");
    }

    #[test]
    fn exchanging_git_and_live_mirrors_the_verdict(git in any_side(), applied in any_applied(), live in any_side()) {
        let there = code(verdict(&git, &applied, &live).as_ref());
        let back = code(verdict(&live, &applied, &git).as_ref());
        prop_assert_eq!(back, mirrored(there));
    }

    #[test]
    fn what_cannot_be_read_is_unknown(applied in any_applied(), other in any_side()) {
        let lost = Side::Unreadable(Why::new("denied"));
        for found in [verdict(&lost, &applied, &other), verdict(&other, &applied, &lost)] {
            prop_assert_eq!(code(found.as_ref()), "unknown");
        }
    }

    #[test]
    fn an_unreadable_receipt_judges_as_none(git in any_side(), live in any_side()) {
        let lost = Applied::Recorded(Side::Unreadable(Why::new("gone")));
        prop_assert_eq!(verdict(&git, &lost, &live), verdict(&git, &Applied::Unrecorded, &live));
    }

    #[test]
    fn combining_knows_no_order_and_no_grouping(
        mut parts in prop::collection::vec(any_verdict(), 0..6),
        at in any::<prop::sample::Index>(),
    ) {
        let whole = combine(&parts);
        let (left, right) = parts.split_at(at.index(parts.len() + 1));
        prop_assert_eq!(&combine([&combine(left), &combine(right)]), &whole);
        parts.reverse();
        prop_assert_eq!(&combine(&parts), &whole);
        parts.push(Verdict::InSync);
        prop_assert_eq!(&combine(&parts), &whole);
        parts.push(whole.clone());
        prop_assert_eq!(combine(&parts), whole);
    }

    #[test]
    fn a_whole_hides_neither_a_difference_nor_an_unknown(parts in prop::collection::vec(any_verdict(), 0..6)) {
        let whole = combine(&parts);
        let known = parts.iter().any(Verdict::is_difference);
        prop_assert_eq!(whole.is_difference(), known);
        prop_assert_eq!(whole.needs_attention(), parts.iter().any(Verdict::needs_attention));
        prop_assert_eq!(whole == Verdict::InSync, parts.iter().all(|part| *part == Verdict::InSync));
        let heaviest = parts.iter().map(Verdict::weight).max().unwrap_or(0);
        let both = parts.contains(&Verdict::Drifted) && parts.contains(&Verdict::Pending);
        prop_assert_eq!(whole.weight(), if both { Verdict::Diverged.weight() } else { heaviest });
    }
}
