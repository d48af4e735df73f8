//! The AWS actions that the pipeline's commands use, each with what it can be limited to.
//!
//! Source of the actions and of their resources: AWS's Service Authorization Reference.

use serde_json::{Value, json};

use crate::ops::permissions::Need;

/// One action: its name, for what, and on which resources of the stack.
type Row = (&'static str, Need, On);

/// What an action is limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum On {
    Registry,
    Topic,
    Builds,
    Jobs,
    Letters,
    Log,
    Image,
    Anything,
}

const ACTIONS: &[Row] = &[
    ("ssm:GetParameters", Need::Read, On::Registry),
    ("codebuild:ListBuildsForProject", Need::Read, On::Builds),
    ("codebuild:BatchGetBuilds", Need::Read, On::Builds),
    ("dynamodb:GetItem", Need::Read, On::Jobs),
    ("dynamodb:Query", Need::Read, On::Jobs),
    // Refusals of names that nobody registered are found in no other way.
    ("dynamodb:Scan", Need::Read, On::Jobs),
    ("logs:GetLogEvents", Need::Read, On::Log),
    ("sqs:GetQueueAttributes", Need::Read, On::Letters),
    ("ssm:PutParameter", Need::Write, On::Registry),
    ("ssm:DeleteParameter", Need::Write, On::Registry),
    ("sns:Publish", Need::Write, On::Topic),
    ("codebuild:StopBuild", Need::Write, On::Builds),
    ("codebuild:RetryBuild", Need::Write, On::Builds),
    // Looking at a letter counts as receiving it.
    ("sqs:ReceiveMessage", Need::Write, On::Letters),
    ("sqs:ChangeMessageVisibility", Need::Write, On::Letters),
    ("sqs:DeleteMessage", Need::Write, On::Letters),
    ("ecr:GetAuthorizationToken", Need::Write, On::Anything),
    ("ecr:BatchCheckLayerAvailability", Need::Write, On::Image),
    ("ecr:InitiateLayerUpload", Need::Write, On::Image),
    ("ecr:UploadLayerPart", Need::Write, On::Image),
    ("ecr:CompleteLayerUpload", Need::Write, On::Image),
    ("ecr:PutImage", Need::Write, On::Image),
    ("ecr:DescribeImages", Need::Write, On::Image),
];

/// The statements of a policy for a stack, whose resources have names that begin with the stack's. `within` makes an ARN of
/// the account and region from a service and a resource.
pub(in crate::ops) fn statements(stack: &str, need: Need, within: &dyn Fn(&str, &str) -> String) -> Vec<Value> {
    let resources = |on: On| match on {
        On::Registry => vec![within("ssm", "parameter/plumb/pipeline/*")],
        On::Topic => vec![within("sns", &format!("{stack}*"))],
        On::Builds => vec![within("codebuild", &format!("project/{stack}*"))],
        On::Jobs => {
            let table = within("dynamodb", &format!("table/{stack}*"));
            vec![table.clone(), format!("{table}/index/*")]
        }
        On::Letters => vec![within("sqs", &format!("{stack}*"))],
        On::Log => vec![within("logs", &format!("log-group:/aws/codebuild/{stack}*"))],
        On::Image => vec![within("ecr", &format!("repository/{}*", stack.to_lowercase()))],
        On::Anything => vec!["*".to_owned()],
    };
    let mut all: Vec<(Need, On)> =
        ACTIONS.iter().map(|(_, need, on)| (*need, *on)).filter(|(of, _)| *of <= need).collect();
    all.sort_unstable();
    all.dedup();
    let statement = |(need, on): (Need, On)| {
        let mine = ACTIONS.iter().filter(|(_, of, limit)| (*of, *limit) == (need, on));
        json!({
            "Sid": format!("PlumbPipeline{need:?}{on:?}"),
            "Effect": "Allow",
            "Action": mine.map(|(action, ..)| *action).collect::<Vec<_>>(),
            "Resource": resources(on),
        })
    };
    all.into_iter().map(statement).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_of_the_pipeline_s_services_is_in_the_table() {
        // EventBridge's dead letters are counted by whoever looks after the loop; tables are deleted in local accounts alone.
        let known = |action: &str| ACTIONS.iter().any(|(name, ..)| *name == action) || action == "dynamodb:DeleteTable";
        for file in ["codebuild.rs", "dynamodb.rs", "ecr.rs", "sns.rs", "sqs.rs"] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws").join(file);
            let text = std::fs::read_to_string(path).unwrap();
            for quoted in text.split('"').skip(1).step_by(2) {
                let is_action = quoted.split_once(':').is_some_and(|(service, action)| {
                    file.starts_with(service) && action.starts_with(|first: char| first.is_ascii_uppercase())
                });
                assert!(!is_action || known(quoted), "{quoted}");
            }
        }
    }

    #[test]
    fn a_reader_may_change_nothing_and_publishing_is_on_the_topic_alone() {
        let within = |service: &str, resource: &str| format!("arn:aws:{service}:r:1:{resource}");
        let read = json!(statements("shop", Need::Read, &within)).to_string();
        for action in ["Put", "Delete", "Stop", "Retry", "Publish", "ReceiveMessage"] {
            assert!(!read.contains(action), "{action}: {read}");
        }
        let write = statements("shop", Need::Write, &within);
        let publish = write.iter().find(|statement| statement["Action"] == json!(["sns:Publish"])).unwrap();
        assert_eq!(publish["Resource"], json!(["arn:aws:sns:r:1:shop*"]));
    }
}
