//! What a template allows that the deployed one does not.
//!
//! Pure. Compares what policies say, statement by statement, each action on each resource; it knows nothing of
//! conditions but their text, and does not weigh one pattern against another: what is written otherwise is shown.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Something that is allowed and was not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Widening {
    /// The resource that allows it.
    pub logical_id: String,
    /// Its type.
    pub type_name: String,
    /// What, as it follows the resource: `allows s3:GetObject on *`.
    pub what: String,
}

/// Properties that hold policies, wherever they stand in a resource.
const DOCUMENTS: [&str; 8] = [
    "PolicyDocument",
    "AssumeRolePolicyDocument",
    "KeyPolicy",
    "ResourcePolicy",
    "RepositoryPolicyText",
    "AccessPolicies",
    "Policy",
    "InlinePolicy",
];

/// Properties that name policies.
const ATTACHED: [&str; 2] = ["ManagedPolicyArns", "Policies"];

/// Properties that name whom a policy is attached to.
const HOLDERS: [(&str, &str); 6] = [
    ("Roles", "role"),
    ("Users", "user"),
    ("Groups", "group"),
    ("RoleName", "role"),
    ("UserName", "user"),
    ("GroupName", "group"),
];

/// What a resource allows that it did not; `None`: it was not there before.
pub(super) fn of(logical_id: &str, type_name: &str, before: Option<&Value>, after: &Value) -> Vec<Widening> {
    let was = before.map(|properties| grants(type_name, properties)).unwrap_or_default();
    let will = grants(type_name, after);
    let row = |what: String| Widening { logical_id: logical_id.to_owned(), type_name: type_name.to_owned(), what };
    let mut rows: Vec<Widening> = told(will.allowed.difference(&was.allowed)).into_iter().map(row).collect();
    rows.extend(told(was.denied.difference(&will.denied)).into_iter().map(|grant| row(format!("no longer {grant}"))));
    if let Some(boundary) = was.boundary.filter(|boundary| will.boundary.as_ref() != Some(boundary)) {
        rows.push(row(match will.boundary {
            None => format!("loses its permissions boundary {boundary}"),
            Some(other) => format!("gets the permissions boundary {other} in place of {boundary}"),
        }));
    }
    rows
}

/// Grants in as few sentences as say the same: actions on one resource together, and then resources of the same actions.
fn told<'a>(grants: impl Iterator<Item = &'a Grant>) -> Vec<String> {
    let mut by_resource: BTreeMap<(&str, &str, &str), BTreeSet<&str>> = BTreeMap::new();
    for grant in grants {
        let key = (grant.verb, grant.resource.as_str(), grant.rest.as_str());
        by_resource.entry(key).or_default().insert(&grant.action);
    }
    let mut by_actions: BTreeMap<(&str, &str, Vec<&str>), Vec<&str>> = BTreeMap::new();
    for ((verb, resource, rest), actions) in by_resource {
        by_actions.entry((verb, rest, actions.into_iter().collect())).or_default().push(resource);
    }
    let sentence = |((verb, rest, actions), resources): ((&str, &str, Vec<&str>), Vec<&str>)| {
        let resources: Vec<&str> = resources.into_iter().filter(|resource| !resource.is_empty()).collect();
        let on = if resources.is_empty() { String::new() } else { format!(" on {}", resources.join(", ")) };
        format!("{verb} {}{on}{rest}", actions.join(", "))
    };
    by_actions.into_iter().map(sentence).collect()
}

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Grant {
    /// `allows`, `denies`, ….
    verb: &'static str,
    action: String,
    /// Empty where none is named.
    resource: String,
    /// To whom, and when.
    rest: String,
}

impl Grant {
    fn bare(verb: &'static str, action: &str) -> Self {
        Self { verb, action: action.to_owned(), resource: String::new(), rest: String::new() }
    }
}

/// What a resource grants.
#[derive(Default)]
struct Grants {
    allowed: BTreeSet<Grant>,
    denied: BTreeSet<Grant>,
    boundary: Option<String>,
}

fn grants(type_name: &str, properties: &Value) -> Grants {
    let mut grants = Grants::default();
    let text = |name: &str| properties.get(name).map(text);
    match type_name {
        "AWS::Lambda::Permission" => {
            let or_any = |name: &str| text(name).unwrap_or_else(|| "anything".to_owned());
            let (action, principal) = (or_any("Action"), or_any("Principal"));
            let from = text("SourceArn").map(|source| format!(" from {source}")).unwrap_or_default();
            let (resource, rest) = (or_any("FunctionName"), format!(" to {principal}{from}"));
            grants.allowed.insert(Grant { verb: "allows", action, resource, rest });
        }
        "AWS::IAM::UserToGroupAddition" => {
            for user in properties.get("Users").and_then(Value::as_array).into_iter().flatten() {
                let told = format!("user {} to group {}", self::text(user), text("GroupName").unwrap_or_default());
                grants.allowed.insert(Grant::bare("adds", &told));
            }
        }
        "AWS::Lambda::Url" if text("AuthType").as_deref() == Some("NONE") => {
            grants.allowed.insert(Grant::bare("lets", "anybody call it over its URL"));
        }
        _ if type_name.starts_with("AWS::IAM::") || has_policies(type_name) => {
            walk(properties, &mut grants);
            if type_name.ends_with("Policy") {
                holders(properties, &mut grants);
            } else if type_name == "AWS::IAM::User" {
                for group in properties.get("Groups").and_then(Value::as_array).into_iter().flatten() {
                    grants.allowed.insert(Grant::bare("belongs to", &format!("group {}", self::text(group))));
                }
            }
        }
        _ => walk_documents(properties, &mut grants),
    }
    grants.boundary = text("PermissionsBoundary");
    grants
}

/// Types of SAM that write roles.
fn has_policies(type_name: &str) -> bool {
    matches!(type_name, "AWS::Serverless::Function" | "AWS::Serverless::StateMachine")
}

/// Everything that grants, in a role, a user, a group or a policy of IAM.
fn walk(properties: &Value, grants: &mut Grants) {
    for name in ATTACHED {
        let Some(listed) = properties.get(name).and_then(Value::as_array) else { continue };
        for policy in listed {
            match policy.get("PolicyDocument").or_else(|| policy.get("Statement").map(|_| policy)) {
                Some(document) => statements(document, grants),
                None => drop(grants.allowed.insert(Grant::bare("has the policy", &text(policy)))),
            }
        }
    }
    if let Some(policy) = properties.get("Policies").and_then(Value::as_str) {
        grants.allowed.insert(Grant::bare("has the policy", policy));
    }
    walk_documents(properties, grants);
}

/// Whom a policy of its own is attached to: what it allows is allowed to each of them.
fn holders(properties: &Value, grants: &mut Grants) {
    let effects = |grants: &BTreeSet<Grant>, verb: &str| grants.iter().any(|grant| grant.verb == verb);
    let (allows, denies) = (effects(&grants.allowed, "allows"), effects(&grants.denied, "denies"));
    for (names, kind) in HOLDERS {
        let Some(listed) = properties.get(names) else { continue };
        let listed = listed.as_array().map_or_else(|| vec![listed], |listed| listed.iter().collect());
        for holder in listed {
            let grant = Grant::bare("applies to", &format!("{kind} {}", text(holder)));
            if allows {
                grants.allowed.insert(grant.clone());
            }
            if denies {
                grants.denied.insert(grant);
            }
        }
    }
}

fn walk_documents(properties: &Value, grants: &mut Grants) {
    for name in DOCUMENTS {
        if let Some(document) = properties.get(name) {
            statements(document, grants);
        }
    }
}

fn statements(document: &Value, grants: &mut Grants) {
    match document.get("Statement") {
        Some(Value::Array(all)) => all.iter().for_each(|one| statement(one, grants)),
        Some(one) => statement(one, grants),
        None => {}
    }
}

fn statement(statement: &Value, grants: &mut Grants) {
    let many = |name: &str| -> Option<Vec<String>> {
        Some(match statement.get(name)? {
            Value::Array(all) => all.iter().map(text).collect(),
            one => vec![text(one)],
        })
    };
    let of =
        |name: &str, not: &str| many(name).or_else(|| many(not).map(|all| vec![format!("all but {}", all.join(", "))]));
    let actions = of("Action", "NotAction").unwrap_or_else(|| vec!["everything".to_owned()]);
    let resources = of("Resource", "NotResource").unwrap_or_else(|| vec![String::new()]);
    let principals = principals(statement);
    let when = statement.get("Condition").map(|condition| format!(" when {}", text(condition))).unwrap_or_default();
    let denies = statement.get("Effect").and_then(Value::as_str) == Some("Deny");
    for principal in &principals {
        for action in &actions {
            for resource in &resources {
                let to = if principal.is_empty() { String::new() } else { format!(" to {principal}") };
                let (verb, grants) =
                    if denies { ("denies", &mut grants.denied) } else { ("allows", &mut grants.allowed) };
                let (action, resource) = (action.clone(), resource.clone());
                grants.insert(Grant { verb, action, resource, rest: format!("{to}{when}") });
            }
        }
    }
}

/// Whom a statement is about; one empty text where it says nothing.
fn principals(statement: &Value) -> Vec<String> {
    let written = match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(principal), _) => principal,
        (None, Some(but)) => return vec![format!("all but {}", text(but))],
        (None, None) => return vec![String::new()],
    };
    let Value::Object(kinds) = written else { return vec![text(written)] };
    if kinds.len() == 1 && kinds.keys().all(|key| key == "Ref" || key.starts_with("Fn::")) {
        return vec![text(written)];
    }
    kinds
        .values()
        .flat_map(|value| match value {
            Value::Array(all) => all.iter().map(text).collect(),
            one => vec![text(one)],
        })
        .collect()
}

/// A value as people write it; an expression by what it refers to.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(map) if map.len() == 1 => match map.iter().next() {
            Some((name, Value::String(of))) if name == "Ref" || name.starts_with("Fn::") => of.clone(),
            Some((name, Value::Array(of))) if name == "Fn::GetAtt" => of.iter().map(text).collect::<Vec<_>>().join("."),
            _ => value.to_string(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn role(actions: &Value, resource: &str) -> Value {
        json!({
            "AssumeRolePolicyDocument": { "Statement": [{
                "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole"
            }] },
            "Policies": [{ "PolicyName": "p", "PolicyDocument": { "Statement": [
                { "Effect": "Allow", "Action": actions, "Resource": resource }
            ] } }],
        })
    }

    fn told(type_name: &str, before: Option<&Value>, after: &Value) -> Vec<String> {
        of("Role", type_name, before, after).into_iter().map(|row| row.what).collect()
    }

    #[test]
    fn only_what_was_not_allowed_before_is_told_however_it_is_written() {
        let before = role(&json!(["s3:GetObject", "s3:PutObject"]), "arn:b/*");
        let same = role(&json!(["s3:PutObject", "s3:GetObject"]), "arn:b/*");
        assert_eq!(told("AWS::IAM::Role", Some(&before), &same), [""; 0]);
        let narrower = role(&json!("s3:GetObject"), "arn:b/*");
        assert_eq!(told("AWS::IAM::Role", Some(&before), &narrower), [""; 0]);
        let wider = role(&json!(["s3:GetObject", "s3:*"]), "arn:b/*");
        assert_eq!(told("AWS::IAM::Role", Some(&before), &wider), ["allows s3:* on arn:b/*"]);
        let elsewhere = role(&json!(["s3:GetObject"]), "*");
        assert_eq!(told("AWS::IAM::Role", Some(&before), &elsewhere), ["allows s3:GetObject on *"]);
    }

    #[test]
    fn many_grants_are_few_sentences() {
        let document = json!({ "PolicyDocument": { "Statement": [
            { "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["arn:a", "arn:b"] },
            { "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:a" },
        ] } });
        let expected =
            ["allows s3:GetObject, s3:ListBucket, s3:PutObject on arn:a", "allows s3:GetObject, s3:PutObject on arn:b"];
        assert_eq!(told("AWS::IAM::ManagedPolicy", None, &document), expected);
        let twice = json!({ "PolicyDocument": { "Statement": [
            { "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["arn:a", "arn:b"] },
        ] } });
        let expected = ["allows s3:GetObject, s3:PutObject on arn:a, arn:b"];
        assert_eq!(told("AWS::IAM::ManagedPolicy", None, &twice), expected);
    }

    #[test]
    fn a_new_role_tells_all_and_whom_it_trusts() {
        let told = told("AWS::IAM::Role", None, &role(&json!("sqs:*"), "*"));
        assert_eq!(told, ["allows sqs:* on *", "allows sts:AssumeRole to lambda.amazonaws.com"]);
    }

    #[test]
    fn a_lost_denial_a_boundary_and_an_attached_policy_widen_too() {
        let document = |effect: &str| json!({ "Statement": { "Effect": effect, "Action": "iam:*", "Resource": "*" } });
        let before = json!({ "PolicyDocument": document("Deny"), "PermissionsBoundary": "arn:edge" });
        let after = json!({ "PolicyDocument": { "Statement": [] }, "ManagedPolicyArns": ["arn:admin"] });
        let expected =
            ["has the policy arn:admin", "no longer denies iam:* on *", "loses its permissions boundary arn:edge"];
        assert_eq!(told("AWS::IAM::ManagedPolicy", Some(&before), &after), expected);
    }

    #[test]
    fn a_policy_widens_what_whoever_it_is_attached_to_may_do() {
        let policy = |effect: &str, roles: &Value| {
            json!({
                "PolicyDocument": { "Statement": { "Effect": effect, "Action": "iam:*", "Resource": "*" } },
                "Roles": roles,
            })
        };
        let (one, two) = (json!(["deployer"]), json!(["deployer", { "Ref": "Api" }]));
        for type_name in ["AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"] {
            let more = told(type_name, Some(&policy("Allow", &one)), &policy("Allow", &two));
            assert_eq!(more, ["applies to role Api"], "{type_name}");
            let fewer = told(type_name, Some(&policy("Allow", &two)), &policy("Allow", &one));
            assert_eq!(fewer, [""; 0], "{type_name}");
            // What is denied is denied to fewer then.
            let denied = told(type_name, Some(&policy("Deny", &two)), &policy("Deny", &one));
            assert_eq!(denied, ["no longer applies to role Api"], "{type_name}");
        }
        let alone = json!({ "RoleName": "admin", "PolicyDocument": policy("Allow", &one)["PolicyDocument"] });
        assert!(told("AWS::IAM::RolePolicy", None, &alone).contains(&"applies to role admin".to_owned()));
        let user = json!({ "UserName": "mara", "Groups": ["admins"] });
        assert_eq!(told("AWS::IAM::User", Some(&json!({ "UserName": "mara" })), &user), ["belongs to group admins"]);
        let role = json!({ "RoleName": "admin" });
        assert_eq!(told("AWS::IAM::Role", None, &role), [""; 0]);
    }

    #[test]
    fn a_bucket_policy_a_permission_and_an_open_url_are_seen() {
        let open = json!({ "PolicyDocument": { "Statement": [
            { "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": { "Fn::Sub": "${Bucket}/*" },
              "Condition": { "Bool": { "aws:SecureTransport": "true" } } }
        ] } });
        let expected = "allows s3:GetObject on ${Bucket}/* to * when {\"Bool\":{\"aws:SecureTransport\":\"true\"}}";
        assert_eq!(told("AWS::S3::BucketPolicy", None, &open), [expected]);
        let permission =
            json!({ "Action": "lambda:InvokeFunction", "FunctionName": { "Ref": "Fn" }, "Principal": "*" });
        assert_eq!(told("AWS::Lambda::Permission", None, &permission), ["allows lambda:InvokeFunction on Fn to *"]);
        assert_eq!(told("AWS::Lambda::Url", None, &json!({ "AuthType": "NONE" })).len(), 1);
        assert_eq!(told("AWS::SQS::Queue", None, &json!({ "QueueName": "q" })), [""; 0]);
    }
}
