//! What is watched: per service the calls that change something, and where such a call names what it changes.
//!
//! The rules of `integrity.yaml` are this table written as patterns; a test holds the two together, so that no event
//! comes that is not understood here, and none is understood here that never comes.

use serde_json::Value;

/// One service's calls.
#[derive(Debug, PartialEq, Eq)]
pub struct Service {
    /// EventBridge's name of it; CloudTrail's is made of it.
    pub source: &'static str,
    /// The rule's logical id in the template.
    pub rule: &'static str,
    /// What one of its resources is called.
    pub noun: &'static str,
    /// What the names of such calls begin with. A version may follow (`UpdateFunctionCode20150331v2`).
    pub operations: &'static [&'static str],
    /// The request parameters that name the resource, the first that is there.
    pub fields: &'static [&'static str],
    /// The types of such resources in a stack. A physical id of each is what calls name.
    pub kinds: &'static [&'static str],
}

/// Every service that is watched.
pub const SERVICES: [Service; 10] = [
    Service {
        source: "aws.lambda",
        rule: "FunctionsChanged",
        noun: "function",
        operations: &[
            "UpdateFunction",
            "DeleteFunction",
            "PutFunction",
            "CreateAlias",
            "UpdateAlias",
            "DeleteAlias",
            "AddPermission",
            "RemovePermission",
            "CreateEventSourceMapping",
            "UpdateEventSourceMapping",
            "DeleteEventSourceMapping",
            "CreateFunctionUrlConfig",
            "PutProvisionedConcurrency",
            "DeleteProvisionedConcurrency",
            "PutRuntimeManagementConfig",
        ],
        // A mapping is named by its id once it is there; CloudTrail writes the first letter of a name small.
        fields: &["uUID", "uuid", "functionName"],
        kinds: &["AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping"],
    },
    Service {
        source: "aws.apigateway",
        rule: "ApisChanged",
        noun: "API",
        operations: &["Create", "Update", "Put", "Delete", "Import"],
        fields: &["restApiId", "apiId"],
        kinds: &["AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"],
    },
    Service {
        source: "aws.dynamodb",
        rule: "TablesChanged",
        noun: "table",
        operations: &[
            "UpdateTable",
            "DeleteTable",
            "UpdateTimeToLive",
            "UpdateContinuousBackups",
            "PutResourcePolicy",
            "DeleteResourcePolicy",
        ],
        fields: &["tableName", "resourceArn"],
        kinds: &["AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"],
    },
    Service {
        source: "aws.s3",
        rule: "BucketsChanged",
        noun: "bucket",
        operations: &["PutBucket", "DeleteBucket", "PutAccelerateConfiguration"],
        fields: &["bucketName"],
        kinds: &["AWS::S3::Bucket", "AWS::S3::BucketPolicy"],
    },
    Service {
        source: "aws.sns",
        rule: "TopicsChanged",
        noun: "topic",
        operations: &[
            "SetTopicAttributes",
            "DeleteTopic",
            "AddPermission",
            "RemovePermission",
            "Subscribe",
            "Unsubscribe",
            "SetSubscriptionAttributes",
            "PutDataProtectionPolicy",
        ],
        fields: &["topicArn", "subscriptionArn", "resourceArn"],
        kinds: &["AWS::SNS::Topic"],
    },
    Service {
        source: "aws.sqs",
        rule: "QueuesChanged",
        noun: "queue",
        operations: &["SetQueueAttributes", "DeleteQueue", "AddPermission", "RemovePermission"],
        fields: &["queueUrl"],
        kinds: &["AWS::SQS::Queue"],
    },
    Service {
        source: "aws.events",
        rule: "RulesChanged",
        noun: "rule",
        operations: &["PutRule", "DeleteRule", "EnableRule", "DisableRule", "PutTargets", "RemoveTargets"],
        fields: &["rule", "name"],
        kinds: &["AWS::Events::Rule"],
    },
    Service {
        source: "aws.ssm",
        rule: "ParametersChanged",
        noun: "parameter",
        operations: &["PutParameter", "DeleteParameter"],
        fields: &["name", "names"],
        kinds: &["AWS::SSM::Parameter"],
    },
    Service {
        source: "aws.secretsmanager",
        rule: "SecretsChanged",
        noun: "secret",
        operations: &[
            "PutSecretValue",
            "UpdateSecret",
            "DeleteSecret",
            "RestoreSecret",
            "RotateSecret",
            "CancelRotateSecret",
            "PutResourcePolicy",
            "DeleteResourcePolicy",
        ],
        fields: &["secretId"],
        kinds: &["AWS::SecretsManager::Secret"],
    },
    Service {
        source: "aws.cloudformation",
        rule: "StacksChanged",
        noun: "stack",
        operations: &[
            "CreateStack",
            "UpdateStack",
            "DeleteStack",
            "ExecuteChangeSet",
            "RollbackStack",
            "ContinueUpdateRollback",
            "CancelUpdateStack",
            "UpdateTerminationProtection",
        ],
        // A change set that is named by its ARN needs no stack; `integrity` asks whose it is.
        fields: &["stackName", "changeSetName"],
        kinds: &["AWS::CloudFormation::Stack"],
    },
];

impl Service {
    /// The service of an event's `eventSource`, such as `lambda.amazonaws.com`.
    #[must_use]
    pub fn of(event_source: &str) -> Option<&'static Self> {
        let name = event_source.split_once('.')?.0;
        SERVICES.iter().find(|service| service.source.strip_prefix("aws.") == Some(name))
    }

    /// Whether a call of this name changes something that is watched.
    #[must_use]
    pub fn changes(&self, operation: &str) -> bool {
        self.operations.iter().any(|prefix| operation.starts_with(prefix))
    }

    /// What a call is about, as it names it; several for a call that takes a list.
    #[must_use]
    pub fn resources(&self, parameters: &Value) -> Vec<String> {
        let found = self.fields.iter().find_map(|field| parameters.get(field));
        match found {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(name)) => vec![name.clone()],
            _ => Vec::new(),
        }
    }

    /// The one form of a name that calls, ARNs and stacks write in several.
    #[must_use]
    pub fn canonical<'a>(&self, name: &'a str) -> &'a str {
        let behind = |mark: &str| name.rsplit_once(mark).map_or(name, |(_, rest)| rest);
        let until = |text: &'a str, end: char| text.split(end).next().unwrap_or(text);
        match self.source {
            // A name, an ARN or a part of it, with or without a version.
            "aws.lambda" => until(behind("function:"), ':'),
            "aws.dynamodb" => until(behind(":table/"), '/'),
            // A subscription's ARN is its topic's with one part more.
            "aws.sns" => name.match_indices(':').nth(5).map_or(name, |(end, _)| name.get(..end).unwrap_or(name)),
            "aws.sqs" => behind("/"),
            // A rule of a bus of its own is `bus|rule`.
            "aws.events" => behind("|"),
            "aws.ssm" => name.split_once(":parameter").map_or(name, |(_, rest)| rest),
            "aws.cloudformation" => name.split_once(":stack/").map_or(name, |(_, rest)| until(rest, '/')),
            _ => name,
        }
    }
}

/// An operation's name without its version: `UpdateFunctionCode20150331v2` is `UpdateFunctionCode`.
#[must_use]
pub fn unversioned(name: &str) -> &str {
    let digits = |text: &str| text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let head = name.rsplit_once('v').filter(|(_, number)| !number.is_empty() && digits(number) == number.len());
    let dated = head.map_or(name, |(head, _)| head);
    match dated.len().checked_sub(8) {
        Some(end) if digits(dated) == 8 => dated.get(..end).unwrap_or(name),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_version_is_no_part_of_an_operation() {
        for (name, plain) in [
            ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
            ("DeleteFunction20150331", "DeleteFunction"),
            ("PutFunctionConcurrency20171031", "PutFunctionConcurrency"),
            ("AddPermission20150331v2", "AddPermission"),
            ("PutParameter", "PutParameter"),
            ("UpdateApiV2", "UpdateApiV2"),
            ("v2", "v2"),
            ("20150331", ""),
            ("Mov1", "Mov1"),
        ] {
            assert_eq!(unversioned(name), plain, "{name}");
        }
    }

    #[test]
    fn a_resource_is_the_same_however_it_is_named() {
        let cases = [
            ("lambda", "checkout", "checkout"),
            ("lambda", "checkout:live", "checkout"),
            ("lambda", "471100004242:function:checkout", "checkout"),
            ("lambda", "arn:aws:lambda:eu-central-1:471100004242:function:checkout:live", "checkout"),
            ("dynamodb", "arn:aws:dynamodb:eu-central-1:471100004242:table/orders/index/by-day", "orders"),
            ("sns", "arn:aws:sns:eu-central-1:471100004242:orders", "arn:aws:sns:eu-central-1:471100004242:orders"),
            ("sns", "arn:aws:sns:eu-central-1:471100004242:orders:0-1", "arn:aws:sns:eu-central-1:471100004242:orders"),
            ("sqs", "https://sqs.eu-central-1.amazonaws.com/471100004242/jobs", "jobs"),
            ("events", "orders|nightly", "nightly"),
            ("ssm", "arn:aws:ssm:eu-central-1:471100004242:parameter/shop/prod/x", "/shop/prod/x"),
            ("cloudformation", "arn:aws:cloudformation:eu-central-1:471100004242:stack/shop/11-22", "shop"),
        ];
        for (service, name, canonical) in cases {
            let service = Service::of(&format!("{service}.amazonaws.com")).unwrap();
            assert_eq!(service.canonical(name), canonical, "{name}");
        }
    }

    #[test]
    fn a_call_that_takes_a_list_is_about_all_of_it() {
        let ssm = Service::of("ssm.amazonaws.com").unwrap();
        assert_eq!(ssm.resources(&json!({"names": ["/a", "/b"]})), ["/a", "/b"]);
        assert_eq!(ssm.resources(&Value::Null), Vec::<String>::new());
        assert!(Service::of("ec2.amazonaws.com").is_none() && Service::of("lambda").is_none());
    }
}
