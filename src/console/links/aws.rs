//! Names, addresses and commands of AWS.

use super::quoted;
use crate::compare::{Item, Kind, Why};
use crate::percent::encoded;

/// Where an environment is.
#[derive(Debug, Clone, Copy)]
pub(in crate::console) struct Place<'a> {
    pub(in crate::console) region: &'a str,
    pub(in crate::console) account: Option<&'a str>,
    pub(in crate::console) profile: Option<&'a str>,
    /// Another address than AWS's own.
    pub(in crate::console) endpoint: Option<&'a str>,
}

/// The name by which AWS knows an item: of a function or resource its physical one.
pub(in crate::console) fn name(item: &Item) -> &str {
    let below = item.name.strip_prefix(item.unit.as_str()).and_then(|rest| rest.strip_prefix('/'));
    match item.kind {
        Kind::Parameter | Kind::Secret => &item.name,
        Kind::Stack | Kind::Code => item.physical_id.as_deref().or(below).unwrap_or(&item.name),
    }
}

/// Whether it is a stack itself and not one of its resources.
fn is_whole(item: &Item) -> bool {
    item.name == item.unit
}

/// The logical id of a resource in its template.
fn logical(item: &Item) -> &str {
    item.name.strip_prefix(item.unit.as_str()).and_then(|rest| rest.strip_prefix('/')).unwrap_or(&item.name)
}

/// `aws`, `aws-cn` or `aws-us-gov`; `None`: one whose console nobody outside has seen.
fn partition(region: &str) -> Option<&'static str> {
    if region.starts_with("cn-") {
        Some("aws-cn")
    } else if region.starts_with("us-gov-") {
        Some("aws-us-gov")
    } else if region.starts_with("us-iso") || region.starts_with("eu-isoe") || region.starts_with("eusc-") {
        None
    } else {
        Some("aws")
    }
}

/// The item's ARN.
pub(in crate::console) fn arn(item: &Item, place: Place<'_>) -> Result<String, Why> {
    if let Some(arn) = item.physical_id.as_ref().filter(|id| id.starts_with("arn:")) {
        return Ok(arn.clone());
    }
    let partition = partition(place.region).ok_or_else(|| Why::new(format!("nothing is known of {}", place.region)))?;
    let account = place.account.ok_or_else(|| Why::new("the account is not known yet"))?;
    let Place { region, .. } = place;
    let name = name(item);
    let missing = || Why::new(format!("AWS does not say, and the ARN of {} is not made from names", kind_of(item)));
    let short = |service: &str, rest: &str| format!("arn:{partition}:{service}:{region}:{account}:{rest}");
    match (item.kind, item.type_name.as_str()) {
        (Kind::Parameter, _) => Ok(short("ssm", &format!("parameter/{}", name.trim_start_matches('/')))),
        (Kind::Secret, _) => Err(Why::new("it is not live: AWS gives a secret its ARN when it is made")),
        (Kind::Code, _) | (Kind::Stack, "AWS::Lambda::Function" | "AWS::Serverless::Function") => {
            Ok(short("lambda", &format!("function:{name}")))
        }
        (Kind::Stack, _) if item.physical_id.is_none() => Err(Why::new("it is not live")),
        (Kind::Stack, "AWS::DynamoDB::Table") => Ok(short("dynamodb", &format!("table/{name}"))),
        (Kind::Stack, "AWS::S3::Bucket") => Ok(format!("arn:{partition}:s3:::{name}")),
        (Kind::Stack, "AWS::Logs::LogGroup") => Ok(short("logs", &format!("log-group:{name}"))),
        (Kind::Stack, "AWS::CloudWatch::Alarm") => Ok(short("cloudwatch", &format!("alarm:{name}"))),
        // The physical id of a queue is its URL.
        (Kind::Stack, "AWS::SQS::Queue") => {
            name.rsplit('/').next().filter(|_| name.contains('/')).map(|own| short("sqs", own)).ok_or_else(missing)
        }
        _ => Err(missing()),
    }
}

fn kind_of(item: &Item) -> &str {
    if item.type_name.is_empty() { item.kind.code() } else { &item.type_name }
}

/// The item's page in AWS's console.
pub(in crate::console) fn console(item: &Item, place: Place<'_>) -> Result<String, Why> {
    if let Some(endpoint) = place.endpoint {
        return Err(Why::new(format!("this environment is at {endpoint}, which AWS's console does not show")));
    }
    let region = place.region;
    let domain = match partition(region) {
        Some("aws") => "console.aws.amazon.com",
        Some("aws-cn") => "console.amazonaws.cn",
        Some("aws-us-gov") => "console.amazonaws-us-gov.com",
        _ => return Err(Why::new(format!("nothing is known of the console of {region}"))),
    };
    let base = format!("https://{region}.{domain}");
    let function = |tab: &str| {
        let version = item.version.as_deref().filter(|version| version.bytes().all(|byte| byte.is_ascii_digit()));
        let version = version.filter(|_| item.kind == Kind::Code).map(|version| format!("/versions/{version}"));
        let (name, version) = (encoded(name(item)), version.unwrap_or_default());
        format!("{base}/lambda/home?region={region}#/functions/{name}{version}{tab}")
    };
    Ok(match (item.kind, item.type_name.as_str()) {
        (Kind::Parameter, _) => {
            // Encoded twice, since the console's own router takes the first coat off.
            let name = encoded(&encoded(&item.name));
            format!("{base}/systems-manager/parameters/{name}/description?region={region}")
        }
        (Kind::Secret, _) => format!("{base}/secretsmanager/secret?name={}&region={region}", encoded(&item.name)),
        (Kind::Code, _) => function("?tab=code"),
        (Kind::Stack, "AWS::Lambda::Function" | "AWS::Serverless::Function") if item.physical_id.is_some() => {
            function("")
        }
        (Kind::Stack, _) if is_whole(item) => {
            let stack = encoded(name(item));
            format!("{base}/cloudformation/home?region={region}#/stacks/stackinfo?stackId={stack}")
        }
        (Kind::Stack, _) => {
            let (stack, id) = (encoded(&item.unit), encoded(logical(item)));
            format!("{base}/cloudformation/home?region={region}#/stacks/resources?stackId={stack}&filteringText={id}")
        }
    })
}

/// The `aws` command that reads the item.
pub(in crate::console) fn command(item: &Item, place: Place<'_>) -> String {
    let name = name(item);
    let mut words: Vec<&str> = vec!["aws"];
    match item.kind {
        Kind::Parameter => words.extend(["ssm", "get-parameter", "--name", name, "--with-decryption"]),
        Kind::Secret => words.extend(["secretsmanager", "get-secret-value", "--secret-id", name]),
        Kind::Code => {
            words.extend(["lambda", "get-function", "--function-name", name]);
            let version = item.version.as_deref().filter(|version| version.bytes().all(|byte| byte.is_ascii_digit()));
            words.extend(version.into_iter().flat_map(|version| ["--qualifier", version]));
        }
        Kind::Stack if is_whole(item) => {
            words.extend(["cloudformation", "describe-stacks", "--stack-name", &item.unit]);
        }
        Kind::Stack => {
            words.extend(["cloudformation", "describe-stack-resource", "--stack-name", &item.unit]);
            words.extend(["--logical-resource-id", logical(item)]);
        }
    }
    words.extend(["--region", place.region]);
    words.extend(place.profile.into_iter().flat_map(|profile| ["--profile", profile]));
    words.extend(place.endpoint.into_iter().flat_map(|endpoint| ["--endpoint-url", endpoint]));
    words.into_iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Facet, Verdict};
    use crate::console::fixture;

    const HERE: Place<'_> =
        Place { region: "eu-central-1", account: Some("471100004242"), profile: Some("on call"), endpoint: None };

    fn item(kind: Kind, unit: &str, name: &str) -> Item {
        let nothing = || Facet::Absent;
        fixture::item(kind, unit, name, Verdict::InSync, fixture::sides(nothing(), nothing(), nothing()))
    }

    fn resource(type_name: &str, physical: &str) -> Item {
        let physical_id = (!physical.is_empty()).then(|| physical.to_owned());
        Item { type_name: type_name.to_owned(), physical_id, ..item(Kind::Stack, "shop-prod", "shop-prod/Thing") }
    }

    fn code() -> Item {
        let physical_id = Some(String::from("checkout-api"));
        Item { physical_id, version: Some(String::from("41")), ..item(Kind::Code, "shop-prod", "shop-prod/CheckoutFn") }
    }

    #[test]
    fn the_command_reads_the_item_and_survives_a_shell() {
        let parameter = item(Kind::Parameter, "shop", "/shop/prod/it's $HOME");
        assert_eq!(
            command(&parameter, HERE),
            r"aws ssm get-parameter --name '/shop/prod/it'\''s $HOME' --with-decryption --region eu-central-1 --profile 'on call'"
        );
        let local = Place { profile: None, endpoint: Some("http://127.0.0.1:4566"), ..HERE };
        assert_eq!(
            command(&item(Kind::Secret, "secrets", "prod/stripe"), local),
            "aws secretsmanager get-secret-value --secret-id prod/stripe --region eu-central-1 --endpoint-url http://127.0.0.1:4566"
        );
        assert_eq!(
            command(&code(), Place { profile: None, ..HERE }),
            "aws lambda get-function --function-name checkout-api --qualifier 41 --region eu-central-1"
        );
        assert_eq!(
            command(&resource("AWS::SQS::Queue", ""), Place { profile: None, ..HERE }),
            "aws cloudformation describe-stack-resource --stack-name shop-prod --logical-resource-id Thing --region eu-central-1"
        );
    }

    #[test]
    fn each_kind_has_its_page_in_the_console() {
        let rows = [
            (
                item(Kind::Parameter, "shop", "/shop/prod/url"),
                "/systems-manager/parameters/%252Fshop%252Fprod%252Furl/description?region=eu-central-1",
            ),
            (
                item(Kind::Secret, "secrets", "prod/stripe key"),
                "/secretsmanager/secret?name=prod%2Fstripe%20key&region=eu-central-1",
            ),
            (code(), "/lambda/home?region=eu-central-1#/functions/checkout-api/versions/41?tab=code"),
            (resource("AWS::Lambda::Function", "fn"), "/lambda/home?region=eu-central-1#/functions/fn"),
            (
                resource("AWS::SQS::Queue", "https://sqs/1/q"),
                "/cloudformation/home?region=eu-central-1#/stacks/resources?stackId=shop-prod&filteringText=Thing",
            ),
        ];
        for (item, path) in rows {
            assert_eq!(console(&item, HERE).unwrap(), format!("https://eu-central-1.console.aws.amazon.com{path}"));
        }
    }

    #[test]
    fn a_stack_itself_is_none_of_its_resources() {
        let whole = item(Kind::Stack, "shop-prod", "shop-prod");
        let place = Place { profile: None, ..HERE };
        let reads = "aws cloudformation describe-stacks --stack-name shop-prod --region eu-central-1";
        assert_eq!(command(&whole, place), reads);
        assert!(console(&whole, place).unwrap().ends_with("#/stacks/stackinfo?stackId=shop-prod"));
    }

    #[test]
    fn each_partition_has_its_console_and_its_arns() {
        let parameter = item(Kind::Parameter, "shop", "/shop/url");
        let rows = [
            (
                "eu-west-1",
                "https://eu-west-1.console.aws.amazon.com/",
                "arn:aws:ssm:eu-west-1:471100004242:parameter/shop/url",
            ),
            (
                "cn-north-1",
                "https://cn-north-1.console.amazonaws.cn/",
                "arn:aws-cn:ssm:cn-north-1:471100004242:parameter/shop/url",
            ),
            (
                "us-gov-west-1",
                "https://us-gov-west-1.console.amazonaws-us-gov.com/",
                "arn:aws-us-gov:ssm:us-gov-west-1:471100004242:parameter/shop/url",
            ),
        ];
        for (region, page, expected) in rows {
            let place = Place { region, ..HERE };
            assert!(console(&parameter, place).unwrap().starts_with(page), "{region}");
            assert_eq!(arn(&parameter, place).unwrap(), expected);
        }
        assert!(console(&parameter, Place { region: "us-iso-east-1", ..HERE }).is_err());
        let local = Place { endpoint: Some("http://127.0.0.1:4566"), ..HERE };
        assert!(console(&parameter, local).unwrap_err().reason.contains("127.0.0.1"));
    }

    #[test]
    fn an_arn_is_taken_from_aws_or_made_from_names_and_never_guessed() {
        let own = "arn:aws:secretsmanager:eu-central-1:471100004242:secret:prod/stripe-AbCdEf";
        let secret = Item { physical_id: Some(own.to_owned()), ..item(Kind::Secret, "secrets", "prod/stripe") };
        assert_eq!(arn(&secret, HERE).unwrap(), own);
        assert!(arn(&item(Kind::Secret, "secrets", "new"), HERE).unwrap_err().reason.contains("not live"));
        assert_eq!(arn(&code(), HERE).unwrap(), "arn:aws:lambda:eu-central-1:471100004242:function:checkout-api");
        let queue = resource("AWS::SQS::Queue", "https://sqs.eu-central-1.amazonaws.com/471100004242/refunds");
        assert_eq!(arn(&queue, HERE).unwrap(), "arn:aws:sqs:eu-central-1:471100004242:refunds");
        assert_eq!(arn(&resource("AWS::S3::Bucket", "b"), HERE).unwrap(), "arn:aws:s3:::b");
        assert!(arn(&resource("AWS::ApiGateway::RestApi", "x1"), HERE).is_err());
        let unknown = Place { account: None, ..HERE };
        assert_eq!(arn(&code(), unknown).unwrap_err().reason, "the account is not known yet");
    }
}
