//! What is known of AWS's resource types.

use std::collections::BTreeMap;

/// Types whose loss loses data, or an identity that others hold on to.
const STATEFUL: [&str; 34] = [
    "AWS::Backup::BackupVault",
    "AWS::CertificateManager::Certificate",
    "AWS::CloudTrail::EventDataStore",
    "AWS::Cognito::IdentityPool",
    "AWS::Cognito::UserPool",
    "AWS::DAX::Cluster",
    "AWS::DocDB::DBCluster",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::EC2::Volume",
    "AWS::ECR::Repository",
    "AWS::EFS::FileSystem",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::ServerlessCache",
    "AWS::Elasticsearch::Domain",
    "AWS::Events::Archive",
    "AWS::FSx::FileSystem",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::Logs::LogGroup",
    "AWS::MSK::Cluster",
    "AWS::MemoryDB::Cluster",
    "AWS::Neptune::DBCluster",
    "AWS::OpenSearchService::Domain",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::Redshift::Cluster",
    "AWS::Route53::HostedZone",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::SSM::Parameter",
    "AWS::SecretsManager::Secret",
    "AWS::Timestream::Table",
];

/// Whether deleting or replacing a resource of this type loses data, or an identity such as a key or a domain.
#[must_use]
pub fn is_stateful(resource_type: &str) -> bool {
    STATEFUL.contains(&resource_type)
}

/// The values of `Fn::GetAtt` that follow from a resource's physical id with certainty, by attribute.
///
/// Source: "Return values" of each type in the CloudFormation template reference. Attributes that depend on more, such
/// as the ARN of a role (it has the role's path in it, see [`super::Scope::learn`]) or the endpoint of an API (it may be
/// disabled), are left out.
#[must_use]
pub fn known_attributes(
    resource_type: &str,
    physical_id: &str,
    account: &str,
    region: &str,
    partition: &str,
) -> BTreeMap<String, String> {
    let id = physical_id;
    let mut known = BTreeMap::new();
    let mut add = |attribute: &str, value: String| {
        known.insert(attribute.to_owned(), value);
    };
    if id.is_empty() || account.is_empty() || region.is_empty() || partition.is_empty() {
        return known;
    }
    let arn = |service: &str, rest: &str| format!("arn:{partition}:{service}:{region}:{account}:{rest}");
    let is_arn = id.starts_with("arn:");
    let last = || id.rsplit(':').next().unwrap_or(id).to_owned();
    match (resource_type, is_arn) {
        ("AWS::Lambda::Function", false) => add("Arn", arn("lambda", &format!("function:{id}"))),
        ("AWS::Lambda::Version", true) => add("Version", last()),
        ("AWS::Lambda::Alias", true) => add("AliasArn", id.to_owned()),
        ("AWS::Lambda::LayerVersion", true) => add("LayerVersionArn", id.to_owned()),
        ("AWS::DynamoDB::Table", false) => add("Arn", arn("dynamodb", &format!("table/{id}"))),
        ("AWS::Logs::LogGroup", false) => add("Arn", arn("logs", &format!("log-group:{id}:*"))),
        ("AWS::Kinesis::Stream", false) => add("Arn", arn("kinesis", &format!("stream/{id}"))),
        ("AWS::KinesisFirehose::DeliveryStream", false) => add("Arn", arn("firehose", &format!("deliverystream/{id}"))),
        ("AWS::ECR::Repository", false) => add("Arn", arn("ecr", &format!("repository/{id}"))),
        ("AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm", false) => {
            add("Arn", arn("cloudwatch", &format!("alarm:{id}")));
        }
        ("AWS::Events::EventBus", false) => {
            add("Arn", arn("events", &format!("event-bus/{id}")));
            add("Name", id.to_owned());
        }
        ("AWS::KMS::Key", false) => {
            add("Arn", arn("kms", &format!("key/{id}")));
            add("KeyId", id.to_owned());
        }
        ("AWS::Cognito::UserPool", false) => {
            add("Arn", arn("cognito-idp", &format!("userpool/{id}")));
            add("UserPoolId", id.to_owned());
        }
        ("AWS::SNS::Topic", true) => {
            add("TopicArn", id.to_owned());
            add("TopicName", last());
        }
        ("AWS::StepFunctions::StateMachine", true) => {
            add("Arn", id.to_owned());
            add("Name", last());
        }
        ("AWS::IAM::ManagedPolicy", true) => add("PolicyArn", id.to_owned()),
        ("AWS::SecretsManager::Secret", true) => add("Id", id.to_owned()),
        ("AWS::ApiGateway::RestApi", false) => add("RestApiId", id.to_owned()),
        ("AWS::ApiGatewayV2::Api", false) => add("ApiId", id.to_owned()),
        ("AWS::SQS::Queue", false) => {
            // https://sqs.eu-central-1.amazonaws.com/123456789012/name
            let mut steps = id.rsplit('/');
            let (name, owner) = (steps.next().unwrap_or_default(), steps.next());
            if owner == Some(account) && !name.is_empty() {
                add("Arn", arn("sqs", name));
                add("QueueName", name.to_owned());
                add("QueueUrl", id.to_owned());
            }
        }
        ("AWS::S3::Bucket", false) => {
            add("Arn", format!("arn:{partition}:s3:::{id}"));
            if partition == "aws" {
                add("DomainName", format!("{id}.s3.amazonaws.com"));
                add("RegionalDomainName", format!("{id}.s3.{region}.amazonaws.com"));
                add("DualStackDomainName", format!("{id}.s3.dualstack.{region}.amazonaws.com"));
            }
        }
        _ => {}
    }
    known
}
