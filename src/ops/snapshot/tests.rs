//! Snapshots come back as they were, hold no value, and are as good as none when anything about them is wrong.

use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::*;
use crate::compare::{Changed, Facet, Item, Row, Rule, Sides, Verdict, Why, WhyKind};
use crate::ops::report::{Calls, Problem, Unit};
use crate::secret::Secret;

fn place() -> Place {
    Place { root: "/src/petshop".into(), project: "petshop".into(), environment: "prod".into(), ..Place::default() }
}

fn snapshots(directory: &tempfile::TempDir) -> Snapshots {
    Snapshots::below(directory.path(), Fingerprinter::new([7; 32]))
}

fn identity() -> Identity {
    Identity {
        account: "471100004242".into(),
        arn: "arn:aws:sts::471100004242:assumed-role/oncall-ro/ann".into(),
        region: "eu-central-1".into(),
        expected_account: None,
    }
}

fn commit() -> Commit {
    Commit {
        reference: "origin/main".into(),
        id: "3f2a91c0d5b7e8a1c2d3e4f5a6b7c8d9e0f1a2b3".into(),
        subject: "Add refunds".into(),
        author: "ann".into(),
        at: 1_700_000_000_000,
        ahead: 1,
        behind: 2,
        dirty: true,
        fetched_at: Some(1_700_000_001_000),
    }
}

fn item(kind: Kind, verdict: Verdict, facet: &Facet) -> Item {
    let sides = || Sides { git: facet.clone(), applied: Facet::Unrecorded, live: facet.clone() };
    Item {
        kind,
        name: format!("/a/{}", verdict.code()),
        unit: "a".into(),
        type_name: "SecureString".into(),
        physical_id: Some("arn".into()),
        logical_id: None,
        reason: "differs only in letter case".into(),
        sides: sides(),
        rows: vec![Row { path: "Environment.KEY".into(), verdict: verdict.clone(), sides: sides() }],
        changed: Some(Changed {
            by: Some("ann".into()),
            at: Some(5),
            event: Some("PutParameter".into()),
            access_key: Some("AKIA".into()),
        }),
        version: Some("4".into()),
        file: Some("config/a.json".into()),
        verdict,
    }
}

fn section(kind: Kind, facet: &Facet) -> Section {
    let verdicts = [
        Verdict::InSync,
        Verdict::Drifted,
        Verdict::Pending,
        Verdict::Diverged,
        Verdict::Differs,
        Verdict::GitOnly,
        Verdict::Unmanaged,
        Verdict::Ignored(Rule::Project("a rule".into())),
        Verdict::Ignored(Rule::Rotation),
        Verdict::Ignored(Rule::NothingLive),
        Verdict::Unknown(Why::new("denied").hint("ask")),
    ];
    Section {
        items: verdicts.into_iter().map(|verdict| item(kind, verdict, facet)).collect(),
        problems: vec![Problem { subject: "a.json".into(), why: Why::new("no key").hint("find it") }],
        units: vec![Unit {
            name: "a".into(),
            status: "UPDATE_COMPLETE".into(),
            changed_at: Some(1),
            drift_checked_at: Some(2),
            runs: Some("3f2a91c".into()),
            rolled_out_at: Some(3),
            rolled_out_by: Some("ci".into()),
            last_failure: None,
        }],
    }
}

fn report(sections: Vec<(Kind, Result<Section, Why>)>) -> Report {
    Report {
        environment: "prod".into(),
        identity: Ok(identity()),
        commit: Ok(commit()),
        sections,
        notes: Vec::new(),
        hold: None,
        read_at: 100,
        calls: Calls { made: 9, throttled: 0 },
    }
}

#[test]
fn what_holds_no_value_comes_back_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let snapshots = snapshots(&directory);
    assert_eq!(snapshots.load(&place()).unwrap(), None);
    for facet in [Facet::Absent, Facet::Unrecorded, Facet::Unread, Facet::Unreadable(Why::new("denied").hint("ask"))] {
        let sections = Kind::ALL.map(|kind| (kind, section(kind, &facet)));
        let found = sections.iter().map(|(kind, section)| (*kind, Ok(section.clone()))).collect();
        snapshots.keep(&place(), &report(found)).unwrap();
        let sections = sections.map(|(kind, section)| Kept { kind, section, read_at: 100 });
        let expected =
            Snapshot { identity: Some(identity()), commit: Some(commit()), sections: sections.into_iter().collect() };
        assert_eq!(snapshots.load(&place()).unwrap(), Some(expected));
    }
}

#[test]
fn of_a_value_only_its_mask_is_left_and_of_a_visible_one_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let snapshots = snapshots(&directory);
    let seen = |kind, facet: Facet| {
        snapshots.keep(&place(), &report(vec![(kind, Ok(section(kind, &facet)))])).unwrap();
        snapshots.load(&place()).unwrap().unwrap().sections[0].section.items[0].rows[0].sides.live.clone()
    };
    let print = Fingerprinter::new([7; 32]).fingerprint("pelican");
    let mask = Facet::Masked { fingerprint: print[..4].to_owned(), chars: 7 };
    assert_eq!(seen(Kind::Parameter, Facet::Secret(Secret::new("pelican"))), mask);
    assert_eq!(seen(Kind::Parameter, mask.clone()), mask);
    assert_eq!(seen(Kind::Stack, Facet::Plain("30".into())), Facet::Unread);
    assert_eq!(seen(Kind::Parameter, Facet::Plain("30".into())), Facet::Unread);
    assert_eq!(seen(Kind::Code, Facet::Plain("tree a91f03".into())), Facet::Plain("tree a91f03".into()));
}

proptest! {
    #[test]
    fn no_value_is_ever_in_the_file(value in "[g-z]{9,20}", at in 0_usize..3) {
        let directory = tempfile::tempdir().unwrap();
        let snapshots = snapshots(&directory);
        let kind = [Kind::Stack, Kind::Parameter, Kind::Secret][at];
        for facet in [Facet::Secret(Secret::new(&*value)), Facet::Plain(value.clone())] {
            let mut found = section(kind, &facet);
            // AWS quotes values in what it says of a failed update.
            found.units[0].last_failure = Some(format!("Fn UPDATE_FAILED: Value '{value}' is invalid"));
            snapshots.keep(&place(), &report(vec![(kind, Ok(found))])).unwrap();
            let text = std::fs::read_to_string(snapshots.path(&place())).unwrap();
            prop_assert!(!text.contains(&value), "{text}");
        }
    }
}

#[test]
fn what_could_not_be_read_again_stays_as_it_was_with_its_age() {
    let directory = tempfile::tempdir().unwrap();
    let snapshots = snapshots(&directory);
    let old = section(Kind::Parameter, &Facet::Absent);
    snapshots
        .keep(
            &place(),
            &Report {
                read_at: 50,
                ..report(vec![(Kind::Parameter, Ok(old.clone())), (Kind::Secret, Ok(Section::default()))])
            },
        )
        .unwrap();
    let new = section(Kind::Secret, &Facet::Absent);
    let denied = || Why::new("denied");
    let partly = Report {
        identity: Err(denied()),
        ..report(vec![(Kind::Parameter, Err(denied())), (Kind::Secret, Ok(new.clone()))])
    };
    snapshots.keep(&place(), &partly).unwrap();
    let expected = Snapshot {
        identity: Some(identity()),
        commit: Some(commit()),
        sections: vec![
            Kept { kind: Kind::Secret, section: new, read_at: 100 },
            Kept { kind: Kind::Parameter, section: old, read_at: 50 },
        ],
    };
    assert_eq!(snapshots.load(&place()).unwrap().unwrap(), expected);
    // And when nothing could be read, nothing changes.
    let nothing = report(vec![(Kind::Parameter, Err(denied())), (Kind::Secret, Err(denied()))]);
    snapshots.keep(&place(), &nothing).unwrap();
    assert_eq!(snapshots.load(&place()).unwrap().unwrap(), expected);
}

#[test]
fn credentials_that_expired_and_a_part_of_the_kinds_take_nothing_away() {
    let directory = tempfile::tempdir().unwrap();
    let snapshots = snapshots(&directory);
    let whole = Kind::ALL.map(|kind| (kind, Ok(section(kind, &Facet::Absent))));
    snapshots.keep(&place(), &report(whole.to_vec())).unwrap();
    let before = snapshots.load(&place()).unwrap().unwrap();
    let expired = Why { kind: WhyKind::Expired, ..Why::new("the session has ended") };
    let unknown = Section {
        items: vec![item(Kind::Secret, Verdict::Unknown(expired.clone()), &Facet::Unreadable(expired))],
        ..Section::default()
    };
    snapshots.keep(&place(), &report(vec![(Kind::Secret, Ok(unknown))])).unwrap();
    assert_eq!(snapshots.load(&place()).unwrap().unwrap(), before);
    snapshots.keep(&place(), &Report { read_at: 200, ..report(vec![(Kind::Secret, Ok(Section::default()))]) }).unwrap();
    let after = snapshots.load(&place()).unwrap().unwrap();
    let ages: Vec<_> = after.sections.iter().map(|kept| (kept.kind, kept.read_at)).collect();
    assert_eq!(ages, [(Kind::Secret, 200), (Kind::Stack, 100), (Kind::Code, 100), (Kind::Parameter, 100)]);
}

#[test]
fn a_file_that_cannot_be_used_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let snapshots = snapshots(&directory);
    let path = snapshots.path(&place());
    snapshots.keep(&place(), &report(vec![(Kind::Stack, Ok(Section::default()))])).unwrap();
    let good = std::fs::read_to_string(&path).unwrap();
    let rows = [
        (good[..good.len() / 2].to_owned(), "broken"),
        (String::new(), "broken"),
        ("null".to_owned(), "broken"),
        (good.replace("\"schema\":1", "\"schema\":2"), "of the newer format 2"),
        (r#"{"schema":3,"surprise":true}"#.to_owned(), "of the newer format 3"),
        (good.replace("\"prod\"", "\"dev\""), "of another place"),
    ];
    for (text, why) in rows {
        std::fs::write(&path, &text).unwrap();
        assert_eq!(snapshots.load(&place()).unwrap_err().to_string(), why, "{text}");
    }
    // The next inspection mends it.
    snapshots.keep(&place(), &report(vec![(Kind::Stack, Ok(Section::default()))])).unwrap();
    assert!(snapshots.load(&place()).unwrap().is_some());
}

#[test]
fn another_ref_profile_or_endpoint_is_another_snapshot() {
    let directory = tempfile::tempdir().unwrap();
    let snapshots = snapshots(&directory);
    snapshots.keep(&place(), &report(vec![(Kind::Stack, Ok(Section::default()))])).unwrap();
    let some = || Some("other".to_owned());
    for other in [
        Place { reference: some(), ..place() },
        Place { profile: some(), ..place() },
        Place { region: some(), ..place() },
        Place { endpoint: some(), ..place() },
        Place { adhoc: some(), ..place() },
        Place { root: "/elsewhere".into(), ..place() },
        Place { environment: "dev".into(), ..place() },
    ] {
        assert_eq!(snapshots.load(&other).unwrap(), None, "{other:?}");
    }
}

#[test]
fn files_are_their_owners_alone_and_do_not_pile_up() {
    let directory = tempfile::tempdir().unwrap();
    let snapshots = snapshots(&directory);
    let found = report(vec![(Kind::Stack, Ok(Section::default()))]);
    for number in 0..MOST + 5 {
        snapshots.keep(&Place { environment: number.to_string(), ..place() }, &found).unwrap();
    }
    snapshots.keep(&place(), &found).unwrap();
    let path = snapshots.path(&place());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), MOST);
}
