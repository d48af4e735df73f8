use std::collections::BTreeMap;

use super::*;

const HAND: &str = "arn:aws:iam::471100004242:user/mara";

fn step(kind: Thing, act: Act, before: Option<&str>, token: Option<&str>) -> Step {
    let modified = (kind == Thing::Parameter).then_some(0);
    Step {
        kind,
        name: "x".into(),
        unit: "billing".into(),
        act,
        before: before.map(|id| Version { id: id.into(), modified: modified.map(|_| id.parse().unwrap_or(0)) }),
        from: Some(Origin::Commit("3f2a91c".into())),
        token: token.map(str::to_owned),
        digest: None,
        recorded: None,
        shape: None,
    }
}

/// A parameter whose version was made at the millisecond of its number.
fn parameter(version: i64) -> Now {
    Now::Parameter(Box::new(ParameterMeta {
        name: "x".into(),
        type_name: "SecureString".into(),
        version,
        modified_at: version,
        modified_by: Some(HAND.into()),
        tier: None,
        key_id: None,
        description: None,
        allowed_pattern: None,
        data_type: None,
        policies: Vec::new(),
    }))
}

fn secret(current: &str, others: &[&str], scheduled: bool) -> Now {
    let mut stages = BTreeMap::from([(current.to_owned(), vec!["AWSCURRENT".to_owned()])]);
    stages.extend(others.iter().map(|id| ((*id).to_owned(), vec!["plumb-pending".to_owned()])));
    Now::Secret(Box::new(SecretMeta {
        name: "x".into(),
        arn: "arn".into(),
        current_version: Some(current.into()),
        stages,
        changed_at: None,
        rotation_enabled: false,
        rotation_days: None,
        last_rotated_at: None,
        next_rotation_at: None,
        deletes_at: scheduled.then_some(1),
        kms_key_id: None,
        owning_service: None,
        tags: Vec::new(),
    }))
}

/// In a word.
fn word(left: Left) -> String {
    match left {
        Left::All => "all".into(),
        Left::Stage => "stage".into(),
        Left::Promote => "promote".into(),
        Left::Schedule => "schedule".into(),
        Left::Nothing(version) => format!("nothing {}", version.map(|version| version.id).unwrap_or_default()),
        Left::Compare(version) => format!("compare {}", version.id),
        Left::Overtaken(_) => "overtaken".into(),
        Left::Unknown(_) => "unknown".into(),
    }
}

#[test]
fn what_is_left_of_a_parameter() {
    use Act::{Create, Delete, Update};
    for (story, act, before, sent, now, expected) in [
        ("nothing is there yet", Create, None, false, Now::Absent, "all"),
        ("somebody made it", Create, None, false, parameter(1), "overtaken"),
        ("it may be ours", Create, None, true, parameter(1), "compare 1"),
        ("ours, and somebody went on", Create, None, true, parameter(3), "compare 1"),
        ("as it was planned", Update, Some("4"), false, parameter(4), "all"),
        ("sent, and never arrived", Update, Some("4"), true, parameter(4), "all"),
        ("somebody wrote", Update, Some("4"), false, parameter(5), "overtaken"),
        ("it may be ours", Update, Some("4"), true, parameter(5), "compare 5"),
        ("ours, and somebody went on", Update, Some("4"), true, parameter(7), "compare 5"),
        ("deleted and made anew", Update, Some("4"), true, parameter(2), "overtaken"),
        ("deleted", Update, Some("4"), true, Now::Absent, "overtaken"),
        ("as it was planned", Delete, Some("4"), false, parameter(4), "all"),
        ("somebody wrote", Delete, Some("4"), true, parameter(5), "overtaken"),
        ("gone", Delete, Some("4"), true, Now::Absent, "nothing "),
        ("nobody answers", Delete, Some("4"), true, Now::Unknown(Why::new("denied")), "unknown"),
    ] {
        let step = step(Thing::Parameter, act, before, None);
        assert_eq!(word(left(&step, sent, &now)), expected, "{story}: {act:?} {now:?}");
    }
}

#[test]
fn a_version_of_the_same_number_and_another_time_is_another_one() {
    let mut step = step(Thing::Parameter, Act::Update, Some("4"), None);
    step.before = Some(Version { id: "4".into(), modified: Some(1) });
    assert_eq!(word(left(&step, false, &parameter(4))), "overtaken");
}

#[test]
fn what_is_left_of_a_secret() {
    use Act::{Create, Delete, Restore, Update};
    let (a, t) = (Some("a"), Some("t"));
    for (story, act, before, token, sent, now, expected) in [
        ("nothing is there yet", Create, None, t, false, Now::Absent, "all"),
        ("it is ours", Create, None, t, true, secret("t", &[], false), "nothing t"),
        ("somebody made it", Create, None, t, false, secret("x", &[], false), "overtaken"),
        ("it may be ours", Create, None, t, true, secret("x", &[], false), "compare x"),
        ("its name is still taken", Create, None, t, true, secret("x", &[], true), "overtaken"),
        ("as it was planned", Update, a, t, false, secret("a", &[], false), "stage"),
        ("half of it is done", Update, a, t, true, secret("a", &["t"], false), "promote"),
        ("it is done", Update, a, t, true, secret("t", &["a"], false), "nothing t"),
        ("somebody wrote", Update, a, t, true, secret("x", &["t", "a"], false), "overtaken"),
        ("somebody deleted it", Update, a, t, true, secret("a", &[], true), "overtaken"),
        ("somebody deleted it for good", Update, a, t, true, Now::Absent, "overtaken"),
        ("to be taken back", Restore, a, t, false, secret("a", &[], true), "all"),
        ("taken back, no more", Restore, a, t, true, secret("a", &[], false), "stage"),
        ("taken back and staged", Restore, a, t, true, secret("a", &["t"], false), "promote"),
        ("taken back and changed", Restore, a, t, true, secret("t", &["a"], false), "nothing t"),
        ("to be taken back as it is", Restore, a, None, false, secret("a", &[], true), "all"),
        ("taken back as it is", Restore, a, None, true, secret("a", &[], false), "nothing a"),
        ("as it was planned", Delete, a, None, false, secret("a", &[], false), "all"),
        ("it is scheduled", Delete, a, None, true, secret("a", &[], true), "nothing "),
        ("somebody wrote", Delete, a, None, true, secret("x", &["a"], false), "overtaken"),
        ("with its earlier version again", Delete, a, t, true, secret("t", &["a"], false), "schedule"),
    ] {
        let step = step(Thing::Secret, act, before, token);
        assert_eq!(word(left(&step, sent, &now)), expected, "{story}: {act:?}");
    }
    // A version that has no stage any more is not told by AWS, and can be made current all the same.
    let back = Step { from: Some(Origin::Version("t".into())), ..step(Thing::Secret, Update, a, t) };
    assert_eq!(word(left(&back, false, &secret("a", &[], false))), "promote");
}
