//! The rules' patterns against the documented events, by TestEventPattern: each event is let through by its rule and by no
//! other.

use plumb::template::Template;
use serde_json::{Value, json};

use super::TEMPLATE;
use super::events::{self, Row};
use crate::support::account::Account;

pub(super) fn patterns() -> Vec<(String, Value)> {
    let template = Template::parse("integrity.yaml", TEMPLATE).unwrap();
    let rules = template.resources().iter().filter(|resource| resource.type_name == "AWS::Events::Rule");
    let pattern = |resource: &plumb::template::ResourceRef| {
        let pattern = resource.properties.get("EventPattern")?;
        Some((resource.logical_id.clone(), pattern.clone()))
    };
    rules.filter_map(pattern).collect()
}

/// The rules that let an event through.
pub(super) fn matching(account: &Account, patterns: &[(String, Value)], event: &Value) -> Vec<String> {
    let matches = |pattern: &Value| {
        let asked = json!({"EventPattern": pattern.to_string(), "Event": event.to_string()});
        let reply = account.caller().json("events", "AWSEvents.TestEventPattern", &asked).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["Result"] == true
    };
    patterns.iter().filter(|(_, pattern)| matches(pattern)).map(|(name, _)| name.clone()).collect()
}

#[test]
fn each_documented_event_is_let_through_by_its_rule_alone() {
    let (account, patterns) = (Account::fresh(), patterns());
    assert_eq!(patterns.len(), 12, "ten services, drift and the canary");
    let mut met: Vec<String> = Vec::new();
    for Row { name, rule, event, .. } in events::rows() {
        let found = matching(&account, &patterns, &event);
        assert_eq!(found, rule.into_iter().collect::<Vec<_>>(), "{name}");
        met.extend(found);
    }
    let others = [
        ("drift", events::drift("DRIFTED", 2), vec!["DriftFound"]),
        ("no drift", events::drift("IN_SYNC", 0), vec![]),
        ("a canary", events::canary(), vec!["CanarySent"]),
    ];
    for (name, event, expected) in others {
        let found = matching(&account, &patterns, &event);
        assert_eq!(found, expected, "{name}");
        met.extend(found);
    }
    for (rule, _) in &patterns {
        assert!(met.contains(rule), "no event is let through by {rule}");
    }
}
