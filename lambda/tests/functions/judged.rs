//! Events in the shape that AWS documents: what the loop makes of each, and that the template's rules are the table that it
//! reads them by.

use plumb_lambda::integrity::event::{self, What};
use plumb_lambda::integrity::judge::{self, Flow, Judgement, Owned};
use plumb_lambda::integrity::watched::SERVICES;
use saphyr::{LoadableYamlNode as _, Yaml};
use serde_json::{Value, json};

use crate::events::{self, Is, Row};
use crate::openapi::json_of;

const TEMPLATE: &str = include_str!("../../integrity.yaml");

fn flow() -> Flow {
    Flow {
        stacks: vec![events::STACK.into()],
        parameters: vec!["/shop/prod/".into()],
        secrets: vec!["/shop/prod/".into()],
        deployers: vec![events::DEPLOYER.into()],
        service_roles: vec![events::SERVICE_ROLE.into()],
        hold: events::HOLD.into(),
    }
}

fn judged(event: &Value) -> Judgement {
    let What::Call(call) = event::read(&event.to_string()).what else { panic!("{event} is no call") };
    let owned = Owned::of(events::RESOURCES);
    judge::alone(&call, &flow()).unwrap_or_else(|| judge::with_owned(&call, &flow(), &owned))
}

#[test]
fn each_documented_call_is_a_change_or_is_not_for_a_reason() {
    for Row { name, rule, event, is } in events::rows() {
        assert!(rule.is_none_or(|rule| SERVICES.iter().any(|service| service.rule == rule)), "{name}");
        let judged = judged(&event);
        let right = match (is, &judged) {
            (Is::Change, Judgement::Change(_)) | (Is::Hold, Judgement::Hold) => true,
            (Is::Nothing(text), Judgement::Nothing(reason)) => reason.contains(text),
            _ => false,
        };
        assert!(right, "{name}: {judged:?} and not {is:?}");
    }
}

#[test]
fn a_call_is_dated_by_when_it_was_made_and_not_by_when_it_came() {
    let [row, ..] = &events::rows()[..] else { panic!("no rows") };
    let event = event::read(&row.event.to_string());
    assert_eq!(event.at, 1_795_227_187_000);
    assert_eq!(event.id, row.event["id"].as_str().unwrap());
}

#[test]
fn what_is_no_call_is_known_by_its_source() {
    let read = |event: &Value| event::read(&event.to_string()).what;
    let drift = What::Drift { stack: events::STACK.into(), drifted: true };
    assert_eq!(read(&events::drift("DRIFTED", 2)), drift);
    assert_eq!(read(&events::tick()), What::Tick);
    assert!(matches!(read(&events::canary()), What::Canary(_)), "whatever it claims to be");
    assert_eq!(read(&json!({"operation": "reset"})), What::Reset);
    let mut disguised = events::canary();
    disguised["detail"] = json!({"operation": "reset"});
    disguised["operation"] = json!("reset");
    assert!(matches!(read(&disguised), What::Canary(_)));
    for foreign in [json!({}), json!([]), json!("x"), json!({"source": "aws.ec2", "detail-type": "x"})] {
        assert!(matches!(read(&foreign), What::Foreign(_)), "{foreign}");
    }
    assert!(matches!(event::read("{").what, What::Foreign(_)));
    let mut other = events::rows().remove(0).event;
    other["source"] = json!("aws.s3");
    assert!(matches!(read(&other), What::Foreign(_)), "source and eventSource are two services");
    let mut reading = events::rows().remove(0).event;
    reading["detail"]["readOnly"] = json!(true);
    assert!(matches!(read(&reading), What::Foreign(_)));
}

#[test]
fn the_rules_of_the_template_are_the_table() {
    let yaml = Yaml::load_from_str(TEMPLATE).unwrap();
    let resources = yaml[0].as_mapping_get("Resources").unwrap();
    let pattern = |rule: &str| {
        let rule = resources.as_mapping_get(rule).unwrap_or_else(|| panic!("no rule {rule}"));
        json_of(rule.as_mapping_get("Properties").unwrap().as_mapping_get("EventPattern").unwrap())
    };
    for service in &SERVICES {
        let prefixes: Vec<Value> = service.operations.iter().map(|prefix| json!({"prefix": prefix})).collect();
        let expected = json!({
            "source": [service.source],
            "detail-type": ["AWS API Call via CloudTrail"],
            "detail": {"eventName": prefixes, "errorCode": [{"exists": false}]},
        });
        assert_eq!(pattern(service.rule), expected, "{}", service.rule);
    }
    let rules = TEMPLATE.matches("Type: AWS::Events::Rule").count();
    assert_eq!(rules, SERVICES.len() + 3, "drift, the canary and the schedule have one more each");
    assert_eq!(pattern("CanarySent"), json!({"source": [event::CANARY]}));
}
