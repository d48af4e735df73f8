//! Every AWS action that Plumb uses: the one table behind `plumb policy` and `plumb doctor`.
//!
//! Source of the actions and of the resources that they can be limited to: AWS's Service Authorization Reference.

/// What an action is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Looking and comparing.
    Read,
    /// Recording, pushing and deploying.
    Write,
}

/// What an action can be limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    /// Nothing: AWS takes `*` alone.
    Anything,
    /// The environment's parameters.
    Parameters,
    /// The environment's secrets.
    Secrets,
    /// The environment's stacks.
    Stacks,
    /// The functions of these stacks.
    Functions,
    /// The state bucket.
    Bucket,
    /// What the project keeps of this environment in the state bucket.
    Objects,
    /// KMS keys, when Parameter Store or Secrets Manager asks.
    Keys,
    /// The stack of the intake.
    IntakeStack,
    /// Its table, and the table's index.
    Records,
    /// The bucket of its summaries.
    SummaryBucket,
    /// The summaries.
    Summaries,
    /// The function that makes them.
    SummaryFunction,
}

/// One action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// As policies name it.
    pub action: &'static str,
    /// For what.
    pub need: Need,
    /// On what.
    pub on: On,
}

const fn read(action: &'static str, on: On) -> Permission {
    Permission { action, need: Need::Read, on }
}

const fn write(action: &'static str, on: On) -> Permission {
    Permission { action, need: Need::Write, on }
}

/// All actions. `sts:GetCallerIdentity` needs no permission.
pub const PERMISSIONS: &[Permission] = &[
    read("ssm:DescribeParameters", On::Anything),
    read("ssm:GetParameters", On::Parameters),
    read("ssm:GetParameterHistory", On::Parameters),
    read("secretsmanager:ListSecrets", On::Anything),
    read("secretsmanager:DescribeSecret", On::Secrets),
    read("secretsmanager:BatchGetSecretValue", On::Anything),
    read("secretsmanager:GetSecretValue", On::Secrets),
    read("secretsmanager:ListSecretVersionIds", On::Secrets),
    read("kms:Decrypt", On::Keys),
    read("cloudformation:DescribeStacks", On::Stacks),
    read("cloudformation:DescribeStackEvents", On::Stacks),
    read("cloudformation:ListStackResources", On::Stacks),
    read("cloudformation:GetTemplate", On::Stacks),
    read("cloudformation:DescribeStackResourceDrifts", On::Stacks),
    read("cloudformation:DetectStackDrift", On::Stacks),
    read("cloudformation:DetectStackResourceDrift", On::Stacks),
    read("cloudformation:DescribeStackDriftDetectionStatus", On::Anything),
    read("cloudformation:BatchDescribeTypeConfigurations", On::Anything),
    read("lambda:GetFunctionConfiguration", On::Functions),
    read("lambda:GetFunction", On::Functions),
    read("lambda:GetAlias", On::Functions),
    read("cloudtrail:LookupEvents", On::Anything),
    read("s3:ListBucket", On::Bucket),
    read("s3:GetObject", On::Objects),
    write("ssm:PutParameter", On::Parameters),
    write("ssm:DeleteParameter", On::Parameters),
    write("ssm:AddTagsToResource", On::Parameters),
    write("ssm:ListTagsForResource", On::Parameters),
    write("secretsmanager:CreateSecret", On::Secrets),
    write("secretsmanager:PutSecretValue", On::Secrets),
    write("secretsmanager:UpdateSecretVersionStage", On::Secrets),
    write("secretsmanager:DeleteSecret", On::Secrets),
    write("secretsmanager:RestoreSecret", On::Secrets),
    write("secretsmanager:TagResource", On::Secrets),
    write("kms:Encrypt", On::Keys),
    write("kms:GenerateDataKey", On::Keys),
    write("cloudformation:CreateChangeSet", On::Stacks),
    write("cloudformation:DescribeChangeSet", On::Stacks),
    write("cloudformation:ListChangeSets", On::Stacks),
    write("cloudformation:ExecuteChangeSet", On::Stacks),
    write("cloudformation:DeleteChangeSet", On::Stacks),
    write("cloudformation:DeleteStack", On::Stacks),
    write("cloudformation:CancelUpdateStack", On::Stacks),
    write("cloudformation:ContinueUpdateRollback", On::Stacks),
    write("cloudformation:RollbackStack", On::Stacks),
    write("cloudformation:UpdateTerminationProtection", On::Stacks),
    write("cloudformation:TagResource", On::Stacks),
    write("lambda:PublishVersion", On::Functions),
    write("lambda:UpdateAlias", On::Functions),
    write("lambda:UpdateFunctionCode", On::Functions),
    write("lambda:UpdateFunctionConfiguration", On::Functions),
    write("lambda:ListVersionsByFunction", On::Functions),
    write("s3:PutObject", On::Objects),
    write("s3:DeleteObject", On::Objects),
    write("s3:DeleteObjectVersion", On::Objects),
    write("s3:ListBucketVersions", On::Bucket),
    write("s3:CreateBucket", On::Bucket),
    write("s3:PutBucketPublicAccessBlock", On::Bucket),
    write("s3:PutEncryptionConfiguration", On::Bucket),
    write("s3:GetBucketVersioning", On::Bucket),
    write("s3:PutBucketVersioning", On::Bucket),
];

/// What the intake and its summaries need beside these, where a project has them. Posting is not for everybody who looks
/// and rolls out, and is limited by the API's id, which only its stack knows.
pub const INTAKE: &[Permission] = &[
    read("cloudformation:DescribeStacks", On::IntakeStack),
    read("dynamodb:GetItem", On::Records),
    read("dynamodb:Query", On::Records),
    read("s3:ListBucket", On::SummaryBucket),
    read("s3:GetObject", On::Summaries),
    // A manifest names versions.
    read("s3:GetObjectVersion", On::Summaries),
    write("lambda:InvokeFunction", On::SummaryFunction),
];

/// What drift detection reads in the caller's name, by the type of the resource. CloudFormation asks for the read
/// permissions of a type's handler; source: the `read` handlers of the public resource type schemas.
const DRIFT: &[(&str, &[&str])] = &[
    ("AWS::ApiGateway::", &["apigateway:GET"]),
    ("AWS::ApiGatewayV2::", &["apigateway:GET"]),
    ("AWS::CloudWatch::Alarm", &["cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"]),
    (
        "AWS::DynamoDB::Table",
        &[
            "dynamodb:DescribeTable",
            "dynamodb:DescribeContinuousBackups",
            "dynamodb:DescribeContributorInsights",
            "dynamodb:DescribeKinesisStreamingDestination",
            "dynamodb:DescribeTimeToLive",
            "dynamodb:GetResourcePolicy",
            "dynamodb:ListTagsOfResource",
        ],
    ),
    ("AWS::Events::Rule", &["events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule"]),
    ("AWS::IAM::Role", &["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"]),
    (
        "AWS::IAM::ManagedPolicy",
        &["iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListEntitiesForPolicy", "iam:ListPolicyVersions"],
    ),
    ("AWS::IAM::Policy", &["iam:GetRolePolicy"]),
    ("AWS::KMS::Alias", &["kms:ListAliases"]),
    ("AWS::KMS::Key", &["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"]),
    ("AWS::Lambda::Alias", &["lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig"]),
    ("AWS::Lambda::EventSourceMapping", &["lambda:GetEventSourceMapping", "lambda:ListTags"]),
    (
        "AWS::Lambda::Function",
        &[
            "lambda:GetFunction",
            "lambda:GetFunctionCodeSigningConfig",
            "lambda:GetFunctionRecursionConfig",
            "lambda:GetRuntimeManagementConfig",
            "lambda:ListTags",
        ],
    ),
    ("AWS::Lambda::LayerVersion", &["lambda:GetLayerVersion"]),
    ("AWS::Lambda::Permission", &["lambda:GetPolicy"]),
    ("AWS::Lambda::Url", &["lambda:GetFunctionUrlConfig"]),
    ("AWS::Lambda::Version", &["lambda:GetFunctionConfiguration", "lambda:GetProvisionedConcurrencyConfig"]),
    (
        "AWS::Logs::LogGroup",
        &[
            "logs:DescribeIndexPolicies",
            "logs:DescribeLogGroups",
            "logs:GetDataProtectionPolicy",
            "logs:ListTagsForResource",
        ],
    ),
    (
        "AWS::S3::Bucket",
        &[
            "s3:GetAccelerateConfiguration",
            "s3:GetAnalyticsConfiguration",
            "s3:GetBucket*",
            "s3:GetEncryptionConfiguration",
            "s3:GetIntelligentTieringConfiguration",
            "s3:GetInventoryConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:GetMetricsConfiguration",
            "s3:GetReplicationConfiguration",
            "s3:ListBucket",
        ],
    ),
    ("AWS::S3::BucketPolicy", &["s3:GetBucketPolicy"]),
    ("AWS::SNS::Subscription", &["sns:GetSubscriptionAttributes"]),
    (
        "AWS::SNS::Topic",
        &[
            "sns:GetDataProtectionPolicy",
            "sns:GetTopicAttributes",
            "sns:ListSubscriptionsByTopic",
            "sns:ListTagsForResource",
        ],
    ),
    ("AWS::SQS::Queue", &["sqs:GetQueueAttributes", "sqs:ListQueueTags"]),
    ("AWS::SSM::Parameter", &["ssm:GetParameters", "ssm:ListTagsForResource"]),
    ("AWS::Scheduler::Schedule", &["scheduler:GetSchedule"]),
    ("AWS::SecretsManager::Secret", &["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]),
    ("AWS::StepFunctions::StateMachine", &["states:DescribeStateMachine", "states:ListTagsForResource"]),
];

/// What SAM's own types become, as far as their drift is concerned.
const SAM: &[(&str, &[&str])] = &[
    (
        "AWS::Serverless::Function",
        &[
            "AWS::Lambda::Function",
            "AWS::Lambda::Version",
            "AWS::Lambda::Alias",
            "AWS::Lambda::Permission",
            "AWS::IAM::Role",
        ],
    ),
    ("AWS::Serverless::Api", &["AWS::ApiGateway::RestApi"]),
    ("AWS::Serverless::HttpApi", &["AWS::ApiGatewayV2::Api"]),
    ("AWS::Serverless::SimpleTable", &["AWS::DynamoDB::Table"]),
    ("AWS::Serverless::LayerVersion", &["AWS::Lambda::LayerVersion"]),
    ("AWS::Serverless::StateMachine", &["AWS::StepFunctions::StateMachine", "AWS::IAM::Role"]),
];

/// What drift detection needs to read resources of a type; `None`: not known here.
#[must_use]
pub fn drift(type_name: &str) -> Option<Vec<&'static str>> {
    if let Some((_, types)) = SAM.iter().find(|(name, _)| *name == type_name) {
        return Some(types.iter().filter_map(|name| drift(name)).flatten().collect());
    }
    let fits = |name: &str| if name.ends_with("::") { type_name.starts_with(name) } else { type_name == name };
    DRIFT.iter().find(|(name, _)| fits(name)).map(|(_, actions)| actions.to_vec())
}

/// Actions whose answers hold values: of parameters, of secrets, of the environment variables of functions. A policy that
/// allows one of them on everything limits nothing. Functions of a project's stacks are in [`On::Functions`] anyway.
#[must_use]
pub fn answers_with_values(action: &str) -> bool {
    matches!(
        action,
        "ssm:GetParameters"
            | "ssm:GetParameterHistory"
            | "secretsmanager:GetSecretValue"
            | "lambda:GetFunction"
            | "lambda:GetFunctionConfiguration"
    )
}

/// Types that have no drift to be read: they exist in the template alone.
#[must_use]
pub fn has_no_drift(type_name: &str) -> bool {
    type_name.starts_with("Custom::")
        || matches!(
            type_name,
            "AWS::CDK::Metadata"
                | "AWS::CloudFormation::CustomResource"
                | "AWS::CloudFormation::WaitCondition"
                | "AWS::CloudFormation::WaitConditionHandle"
                | "AWS::SecretsManager::ResourcePolicy"
                | "AWS::SecretsManager::RotationSchedule"
        )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_action_comes_twice() {
        for table in [PERMISSIONS, INTAKE] {
            let unique: BTreeSet<_> = table.iter().map(|permission| permission.action).collect();
            assert_eq!(unique.len(), table.len());
        }
    }

    #[test]
    fn reading_never_changes_anything() {
        for permission in PERMISSIONS.iter().chain(INTAKE).filter(|permission| permission.need == Need::Read) {
            let action = permission.action.split_once(':').unwrap().1;
            let harmless =
                ["Describe", "Get", "List", "BatchGet", "BatchDescribe", "Lookup", "Detect", "Decrypt", "Query"];
            assert!(harmless.iter().any(|verb| action.starts_with(verb)), "{}", permission.action);
        }
    }

    #[test]
    fn every_action_of_the_sources_is_in_the_table() {
        // `Clients::send` is told the action; what only some tests and the demo do is not for a policy. Nor is calling
        // and rotating the crypto API: who may do that is not for everybody who looks and rolls out.
        // Nor is laying an account's foundation, which an administrator does, or looking after the loop.
        const ELSEWHERE: [&str; 11] = [
            // The pipeline's own table.
            "dynamodb:Scan",
            "lambda:InvokeFunction",
            "secretsmanager:RotateSecret",
            "sts:GetCallerIdentity",
            "iam:ListOpenIDConnectProviders",
            "cloudtrail:DescribeTrails",
            "cloudtrail:GetTrailStatus",
            "cloudtrail:GetEventSelectors",
            "lambda:GetPolicy",
            "dynamodb:DeleteTable",
            "config:Region",
        ];
        let services = ["ssm", "secretsmanager", "cloudformation", "lambda", "cloudtrail", "s3", "sts", "dynamodb"];
        let mut files = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws")];
        let mut missing = BTreeSet::new();
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            if path.to_string_lossy().contains("faults") {
                continue;
            }
            for quoted in code.split('"').skip(1).step_by(2) {
                let is_action = quoted.split_once(':').is_some_and(|(service, action)| {
                    services.contains(&service) && action.starts_with(|first: char| first.is_ascii_uppercase())
                });
                let mut table = PERMISSIONS.iter().chain(INTAKE);
                let known = ELSEWHERE.contains(&quoted) || table.any(|known| known.action == quoted);
                if is_action && !known {
                    missing.insert(quoted.to_owned());
                }
            }
        }
        assert_eq!(missing, BTreeSet::new());
    }

    #[test]
    fn drift_of_what_sam_makes_needs_what_it_becomes() {
        let needed = drift("AWS::Serverless::Function").unwrap();
        assert!(needed.contains(&"lambda:GetFunction") && needed.contains(&"iam:GetRole"));
        assert!(drift("AWS::ApiGateway::Method").is_some());
        assert_eq!(drift("AWS::Unheard::Of"), None);
    }
}
