use super::*;

const OLD: &str = r#"
Parameters: { Key: { Type: String }, Word: { Type: String, NoEcho: true } }
Resources:
  Queue: { Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: 30, Tags: [{ Key: a, Value: b }] } }
  Table: { Type: AWS::DynamoDB::Table, Properties: { TableName: one } }
  Logs: { Type: AWS::Logs::LogGroup, DeletionPolicy: Retain, Properties: { LogGroupName: l } }
  Fn:
    Type: AWS::Lambda::Function
    Properties: { Code: { S3Key: !Ref Key }, Environment: { Variables: { URL: "http://one" } }, Role: !Ref Word }
"#;

fn sight(text: &str) -> Template {
    Template::parse("t", text).unwrap()
}

fn scope(key: &str) -> Scope {
    Scope { parameters: BTreeMap::from([("Key".to_owned(), key.to_owned())]), ..Scope::default() }
}

fn found(action: &str, id: &str, type_name: &str) -> ResourceChange {
    ResourceChange {
        action: action.to_owned(),
        logical_id: id.to_owned(),
        physical_id: Some(format!("shop-{id}")),
        type_name: type_name.to_owned(),
        replacement: None,
        policy: None,
        before: None,
        after: None,
        scope: Vec::new(),
        details: Vec::new(),
        drift_ignored: Vec::new(),
        change_set: None,
    }
}

fn detail(name: &str) -> ChangeDetail {
    ChangeDetail {
        attribute: "Properties".to_owned(),
        name: Some(name.to_owned()),
        path: None,
        requires_recreation: Some("Never".to_owned()),
        evaluation: None,
        source: None,
        caused_by: None,
        before: None,
        after: None,
    }
}

fn seen(change: &ResourceChange, new: &str) -> Change {
    let (old, new) = (sight(OLD), sight(new));
    let (old_scope, new_scope) = (scope("a.zip"), scope("b.zip"));
    let before = Sight { template: &old, scope: &old_scope };
    self::change(change, Some(&before), &Sight { template: &new, scope: &new_scope })
}

#[test]
fn a_property_is_shown_leaf_by_leaf_from_both_templates() {
    let changed = ResourceChange { details: vec![detail("Code")], ..found("Modify", "Fn", "AWS::Lambda::Function") };
    let change = seen(&changed, OLD);
    let [row] = &change.properties[..] else { panic!("{change:?}") };
    assert_eq!(row.path, "Code.S3Key");
    assert_eq!((&row.before, &row.after), (&Facet::Plain("a.zip".into()), &Facet::Plain("b.zip".into())));
    assert_eq!(change.loss(), None);
}

#[test]
fn an_environment_variable_is_masked_and_what_aws_tells_wins() {
    let new = OLD.replace("http://one", "http://two");
    let changed =
        ResourceChange { details: vec![detail("Environment")], ..found("Modify", "Fn", "AWS::Lambda::Function") };
    let change = seen(&changed, &new);
    assert!(matches!(change.properties[0].before, Facet::Secret(_)), "{change:?}");
    assert!(!format!("{change:?}").contains("http://"), "{change:?}");

    let (before, after) = (Some(Secret::new("30")), Some(Secret::new("60")));
    let path = Some("/Properties/VisibilityTimeout".to_owned());
    let told = ChangeDetail { path, before, after, ..detail("VisibilityTimeout") };
    let changed = ResourceChange { details: vec![told], ..found("Modify", "Queue", "AWS::SQS::Queue") };
    let change = seen(&changed, OLD);
    assert_eq!(change.properties[0].after, Facet::Plain("60".into()));
}

#[test]
fn what_a_reference_comes_to_is_not_guessed() {
    let mut because = detail("Role");
    because.caused_by = Some("Word".to_owned());
    let changed = ResourceChange { details: vec![because], ..found("Modify", "Fn", "AWS::Lambda::Function") };
    let change = seen(&changed, OLD);
    let Facet::Unreadable(why) = &change.properties[0].after else { panic!("{change:?}") };
    assert!(why.reason.contains("Word"), "{why}");
}

#[test]
fn a_table_that_is_replaced_or_removed_says_what_goes_with_it() {
    let replaced =
        ResourceChange { replacement: Some("True".to_owned()), ..found("Modify", "Table", "AWS::DynamoDB::Table") };
    let change = seen(&replaced, OLD);
    assert!(change.destroys() && change.loss().unwrap().contains("brings back no data"), "{change:?}");
    let kept = ResourceChange { policy: Some("ReplaceAndRetain".to_owned()), ..replaced };
    assert!(!seen(&kept, OLD).destroys());
    let removed = found("Remove", "Logs", "AWS::Logs::LogGroup");
    let change = seen(&removed, OLD);
    assert_eq!(change.fate, Fate::Retained, "the running template says so");
    assert!(change.loss().unwrap().contains("stays"));
    let role = seen(&found("Remove", "Fn", "AWS::Lambda::Function"), OLD);
    assert!(!role.destroys() && role.loss().is_some(), "{role:?}");
}

#[test]
fn the_resource_as_aws_puts_it_into_a_change_set_wins_over_templates() {
    let context = |timeout: u32| Some(Secret::new(format!("{{\"Properties\":{{\"VisibilityTimeout\":{timeout}}}}}")));
    let changed = ResourceChange {
        details: vec![detail("VisibilityTimeout")],
        before: context(31),
        after: context(61),
        ..found("Modify", "Queue", "AWS::SQS::Queue")
    };
    let change = seen(&changed, OLD);
    assert_eq!(change.properties[0].before, Facet::Plain("31".into()));
    assert_eq!(change.properties[0].after, Facet::Plain("61".into()));
}
