use serde_json::{Value, json};

use super::{CDK, SAM, SHOP, deployed, property, scope, template, with_property};
use crate::template::{How, Referrer, Resolved, Scope, Template, flatten, is_stateful, known_attributes, same};

fn at(template: &Template, scope: &Scope, resource: &str, pointer: &str) -> Resolved {
    template.resolve(template.resource(resource).unwrap().properties.pointer(pointer).unwrap(), scope)
}

fn why(resolved: Resolved) -> String {
    match resolved {
        Resolved::Open { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_shop_resolves_as_it_stands() {
    let shop = template(SHOP);
    let dev = deployed(&shop, "dev");
    let vars = "/Environment/Variables";
    let arn = "arn:aws:sqs:eu-central-1:471100004242:shop-orders-dead-dev";
    let rows: &[(&str, &str, String, Value)] = &[
        ("Sub of a parameter", "OrdersTable", "/TableName".into(), json!("shop-orders-dev")),
        ("Join", "RefundsTable", "/TableName".into(), json!("shop-refunds-dev")),
        ("Sub of a pseudo parameter", "Receipts", "/BucketName".into(), json!("shop-receipts-471100004242-dev")),
        (
            "an attribute that follows from the queue's URL",
            "OrderQueue",
            "/RedrivePolicy/deadLetterTargetArn".into(),
            json!(arn),
        ),
        (
            "the ARN of a role has its path",
            "CheckoutFn",
            "/Role".into(),
            json!("arn:aws:iam::471100004242:role/service/shop-CheckoutRole-1X"),
        ),
        ("FindInMap", "CheckoutFn", "/MemorySize".into(), json!(256)),
        ("a number parameter is text", "CheckoutLogs", "/RetentionInDays".into(), json!("14")),
        (
            "Ref of a resource",
            "CheckoutFn",
            format!("{vars}/QUEUE_URL"),
            json!("https://sqs.eu-central-1.amazonaws.com/471100004242/shop-orders-dev"),
        ),
        ("Sub of a resource", "CheckoutLogs", "/LogGroupName".into(), json!("/aws/lambda/shop-checkout-dev")),
        ("If", "CheckoutFn", format!("{vars}/LOG_LEVEL"), json!("debug")),
        ("Sub with its own variables", "CheckoutFn", format!("{vars}/API_BASE"), json!("https://api/v1")),
        ("Sub with a literal", "CheckoutFn", format!("{vars}/GREETING"), json!("Hello dev,\n  literal ${Name}.\n")),
        (
            "If in a YAML 1.1 boolean",
            "OrdersTable",
            "/PointInTimeRecoverySpecification".into(),
            json!({"PointInTimeRecoveryEnabled": false}),
        ),
        (
            "Condition in a policy is no function",
            "CheckoutRole",
            "/Policies/0/PolicyDocument/Statement/0/Condition".into(),
            json!({"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}),
        ),
    ];
    for (name, resource, pointer, expected) in rows {
        assert_eq!(at(&shop, &dev, resource, pointer), Resolved::Value(expected.clone()), "{name}");
    }
    assert_eq!(at(&shop, &dev, "CheckoutFn", "/VpcConfig"), Resolved::NoValue);
    assert_eq!(shop.present("Nightly", &dev), Ok(false));
    assert_eq!(shop.present("Nightly", &scope("prod")), Ok(true));
    assert_eq!(shop.present("Absent", &dev), Ok(false));
}

#[test]
fn what_cannot_be_known_is_open_with_the_reason() {
    let shop = template(SHOP);
    let dev = deployed(&shop, "dev");
    let rows: &[(&str, &str, &str)] = &[
        ("Stripe", "/SecretString", "NoEcho parameter StripeKey"),
        (
            "CheckoutFn",
            "/Environment/Variables/STRIPE",
            "the dynamic reference {{resolve:secretsmanager:shop/stripe:SecretString:key}} is read",
        ),
        ("CheckoutFn", "/Code/S3Bucket", "the export of another stack"),
        (
            "CheckoutLive",
            "/FunctionVersion",
            "attribute Version of `CheckoutVersion` is known only once it is deployed",
        ),
        ("CheckoutFromQueue", "/FunctionName", "the id of `CheckoutLive` is known only once it is deployed"),
        ("NightlyMayCall", "/SourceArn", "the condition of `Nightly` does not hold"),
    ];
    for (resource, pointer, expected) in rows {
        let why = why(at(&shop, &dev, resource, pointer));
        assert!(why.starts_with(expected), "{resource} {pointer}: {why}");
    }
    // A secret is not guessed even when someone hands over what DescribeStacks prints for it, or more.
    let mut given = dev.clone();
    given.parameters.insert("StripeKey".to_owned(), "sk_test".to_owned());
    assert_eq!(why(at(&shop, &given, "Stripe", "/SecretString")), "NoEcho parameter StripeKey");
    assert!(!format!("{given:?}").contains("sk_test"));
    assert_eq!(shop.condition("Guarded", &dev), Err("NoEcho parameter StripeKey".to_owned()));
    assert_eq!(shop.condition("Guarded", &scope("prod")), Ok(true), "a known operand settles Or");
    assert_eq!(shop.present("Alarm", &scope("prod")), Ok(true));
    assert!(shop.condition("IsProd", &Scope::default()).is_err(), "a parameter without a value");
    assert!(shop.condition("Nowhere", &dev).is_err());
}

#[test]
fn small_fragments_come_to_what_is_certain() {
    let t = template(
        "Parameters:\n  Empty: {Type: CommaDelimitedList, Default: ''}\n  List: {Type: List<Number>, Default: '1, 2'}\n  \
         Image: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /image}\n  Octal: {Type: String, Default: 0755}\n\
         Mappings: {M: {a: {b: [1, 2]}}}\n\
         Conditions:\n  Loop: {Condition: Loop}\n  Flag: !Equals ['true', true]\n  Unknown: !Equals [!Ref Image, x]\n\
         Resources:\n  T: {Type: AWS::SNS::Topic}\n  Rule: {Type: 'AWS::Events::Rule'}\n",
    );
    let mut scope = scope("dev");
    scope.physical_ids.insert("Rule".to_owned(), "bus|rule".to_owned());
    let known = |value: Value| Ok(value);
    let open = |why: &'static str| Err(why);
    let rows: &[(&str, Value, Result<Value, &str>)] = &[
        ("a list parameter is trimmed", json!({"Ref": "List"}), known(json!(["1", "2"]))),
        ("an empty list parameter is uncertain", json!({"Ref": "Empty"}), open("what list an empty parameter")),
        ("but joined it is nothing", json!({"Fn::Join": [",", {"Ref": "Empty"}]}), known(json!(""))),
        ("a list parameter joined", json!({"Fn::Join": [":", {"Ref": "List"}]}), known(json!("1:2"))),
        ("NoValue leaves a list", json!(["a", {"Ref": "AWS::NoValue"}]), known(json!(["a"]))),
        ("NoValue leaves an object", json!({"a": {"Ref": "AWS::NoValue"}}), known(json!({}))),
        ("NoValue leaves a join", json!({"Fn::Join": ["-", ["a", {"Ref": "AWS::NoValue"}, "b"]]}), known(json!("a-b"))),
        ("a known item of an open list", json!({"Fn::Select": ["1", [{"Ref": "T"}, "b"]]}), known(json!("b"))),
        ("an open item of a list", json!({"Fn::Select": [0, [{"Ref": "T"}, "b"]]}), open("the id of `T`")),
        (
            "an item behind an open choice",
            json!({"Fn::Select": [1, [{"Fn::If": ["Unknown", "a", {"Ref": "AWS::NoValue"}]}, "b"]]}),
            open("parameter Image"),
        ),
        ("an item that is not there", json!({"Fn::Select": [7, ["a"]]}), open("Fn::Select has no such item")),
        ("an open choice between equals", json!({"Fn::If": ["Unknown", "a", "a"]}), known(json!("a"))),
        (
            "an open choice",
            json!({"Fn::If": ["Unknown", "a", "b"]}),
            open("parameter Image is read from Parameter Store"),
        ),
        ("a mapping's list", json!({"Fn::FindInMap": ["M", "a", "b"]}), known(json!([1, 2]))),
        ("a missing mapping", json!({"Fn::FindInMap": ["M", "a", "z"]}), open("the template has no mapping M / a / z")),
        (
            "a missing mapping with a default",
            json!({"Fn::FindInMap": ["M", "a", "z", {"DefaultValue": "d"}]}),
            known(json!("d")),
        ),
        ("base64", json!({"Fn::Base64": {"Fn::Sub": "${AWS::Region}"}}), known(json!("ZXUtY2VudHJhbC0x"))),
        (
            "base64 of a dynamic reference",
            json!({"Fn::Base64": "{{resolve:ssm:/a}}"}),
            open("the dynamic reference {{resolve:ssm:/a}}"),
        ),
        (
            "a dynamic reference put together",
            json!({"Fn::Join": ["", ["{{resolve:", "ssm:/a}}"]]}),
            open("the dynamic reference {{resolve:ssm:/a}}"),
        ),
        (
            "a decimal in a text is uncertain",
            json!({"Fn::Sub": ["v${V}", {"V": serde_json::from_str::<Value>("1.10").unwrap()}]}),
            open("how CloudFormation writes `V`"),
        ),
        (
            "a default with a leading zero",
            json!({"Ref": "Octal"}),
            open("how CloudFormation reads the default of parameter Octal"),
        ),
        ("a compound id", json!({"Ref": "Rule"}), open("the id of `Rule`")),
        (
            "a name that is nowhere",
            json!({"Ref": "Nobody"}),
            open("the template has no parameter or resource `Nobody`"),
        ),
        (
            "a condition that depends on itself",
            json!({"Fn::If": ["Loop", 1, 2]}),
            open("the condition `Loop` depends on itself"),
        ),
        ("true is 'true'", json!({"Fn::If": ["Flag", 1, 2]}), known(json!(1))),
        (
            "a function beside other keys",
            json!({"Fn::Transform": {"Name": "M"}, "a": 1}),
            open("only AWS expands Fn::Transform"),
        ),
        ("an unfinished Sub", json!({"Fn::Sub": "a${b"}), open("Fn::Sub has a `${` without its `}`")),
        ("the length of a list", json!({"Fn::Length": {"Ref": "List"}}), known(json!(2))),
        ("an unknown function", json!({"Fn::Guess": 1}), open("it is no function")),
    ];
    for (name, fragment, expected) in rows {
        match (t.resolve(fragment, &scope), expected) {
            (Resolved::Value(value), Ok(expected)) => assert_eq!(value, *expected, "{name}"),
            (Resolved::Open { why, .. }, Err(expected)) => assert!(why.starts_with(expected), "{name}: {why}"),
            (other, _) => panic!("{name}: {other:?}"),
        }
    }
    scope.ssm_values.insert("Image".to_owned(), "x".to_owned());
    assert_eq!(t.condition("Unknown", &scope), Ok(true));
}

#[test]
fn a_macro_may_add_what_is_referred_to() {
    let sam = template(SAM);
    let mut scope = scope("dev");
    let role = sam.resource("Hello").unwrap().properties.pointer("/Environment/Variables/ROLE").unwrap();
    assert!(matches!(sam.resolve(role, &scope), Resolved::Open { .. }));
    scope.attributes.insert(("HelloRole".to_owned(), "Arn".to_owned()), "arn:x".to_owned());
    assert_eq!(sam.resolve(role, &scope), Resolved::Value(json!("arn:x")));
}

/// Further sections, and the property `P`.
type Spelled<'a> = (&'a str, &'a str);

/// Two properties in otherwise equal templates, and whether they ask for the same.
#[test]
fn templates_that_ask_for_the_same_have_equal_forms() {
    let around = |extra: &str, property: &str| {
        template(&format!(
            "Parameters:\n  Env: {{Type: String}}\n  Key: {{Type: String, NoEcho: true}}\n  \
             Mode: {{Type: String, Default: {}}}\n  Token: {{Type: String, NoEcho: true, Default: {}}}\n{extra}\
             Resources:\n  Q: {{Type: AWS::SQS::Queue}}\n  C: {{Type: Custom::Thing, Properties: {{A: {}}}}}\n  \
             T:\n    Type: AWS::SNS::Topic\n    Properties:\n      P: {property}\n",
            if extra.contains("0644") { "0644" } else { "0755" },
            if extra.contains("secret b") { "hunter2b" } else { "hunter2a" },
            if extra.contains("# other") { 2 } else { 1 },
        ))
    };
    let c = |body: &str| format!("Conditions:\n  C1: {body}\n");
    let m = |body: &str| format!("Mappings:\n  M: {{a: {{b: {body}}}}}\n");
    let (secret_a, secret_b) = (c("!Equals [!Ref Key, a]"), c("!Equals [!Ref Key, b]"));
    let (map_1, map_2) = (m("1"), m("2"));
    let rows: &[(&str, Spelled<'_>, Spelled<'_>, bool)] = &[
        ("a parameter put in", ("", "!Ref Env"), ("", "dev"), true),
        (
            "Sub and Join of an open value",
            ("", "!Sub 'a-${Q.Arn}-${Env}'"),
            ("", "!Join ['-', [a, !GetAtt Q.Arn, dev]]"),
            true,
        ),
        ("another attribute", ("", "!GetAtt Q.Arn"), ("", "!GetAtt Q.QueueName"), false),
        ("the same attribute", ("", "!GetAtt Q.Arn"), ("", "!Sub '${Q.Arn}'"), true),
        ("the same dynamic reference", ("", "'{{resolve:ssm:/a}}'"), ("", "'{{resolve:ssm:/a}}'"), true),
        ("another dynamic reference", ("", "'{{resolve:ssm:/a:1}}'"), ("", "'{{resolve:ssm:/a:2}}'"), false),
        ("the same NoEcho parameter", ("", "!Ref Key"), ("", "!Ref Key"), true),
        (
            "an open condition under the same name, defined otherwise",
            (&secret_a, "!If [C1, 1, 2]"),
            (&secret_b, "!If [C1, 1, 2]"),
            false,
        ),
        ("an open condition defined alike", (&secret_a, "!If [C1, 1, 2]"), (&secret_a, "!If [C1, 1, 2]"), true),
        (
            "a delimiter that an open choice may take along",
            (&secret_a, "!Join ['-', [a, !If [C1, b, !Ref AWS::NoValue]]]"),
            (&secret_a, "!Sub ['a-${X}', {X: !If [C1, b, !Ref AWS::NoValue]}]"),
            false,
        ),
        ("a mapping with another content", (&map_1, "!FindInMap [M, a, b]"), (&map_2, "!FindInMap [M, a, b]"), false),
        (
            "an open key in a mapping with another content",
            (&map_1, "!FindInMap [M, !Ref Key, b]"),
            (&map_2, "!FindInMap [M, !Ref Key, b]"),
            false,
        ),
        (
            "an attribute of a custom resource with another property",
            ("", "!GetAtt C.Out"),
            ("# other\n", "!GetAtt C.Out"),
            false,
        ),
        (
            "an uncertain default of a parameter",
            ("# octal 0755\n", "!Ref Mode"),
            ("# octal 0644\n", "!Ref Mode"),
            false,
        ),
        (
            "a NoEcho parameter with another default",
            ("# secret a\n", "!Ref Token"),
            ("# secret b\n", "!Ref Token"),
            false,
        ),
        ("an uncertain scalar written alike", ("", "0755"), ("", "0755"), true),
        ("an uncertain scalar written otherwise", ("", "0755"), ("", "0493"), false),
    ];
    let mut scope = scope("dev");
    scope.attributes.insert(("C".to_owned(), "Out".to_owned()), "what it returned last time".to_owned());
    for (name, (extra_a, a), (extra_b, b), equal) in rows {
        let a = around(extra_a, a).asks("T", "P", &scope).unwrap();
        let b = around(extra_b, b).asks("T", "P", &scope).unwrap();
        assert_eq!(same(&a, &b), *equal, "{name}: {a} {b}");
        assert!(!format!("{a} {b}").contains("hunter"), "{name} shows a secret");
    }
}

#[test]
fn asks_finds_nested_and_conditional_properties() {
    let shop = template(SHOP);
    let (dev, prod) = (deployed(&shop, "dev"), scope("prod"));
    assert_eq!(shop.asks("CheckoutFn", "Environment.Variables.LOG_LEVEL", &dev), Some(json!("debug")));
    assert_eq!(shop.asks("CheckoutFn", "Environment.Variables.AWS_ENDPOINT_URL", &dev), None);
    assert_eq!(shop.asks("CheckoutFn", "Nothing", &dev), None);
    assert_eq!(shop.asks("Nothing", "Nothing", &dev), None);
    assert_eq!(shop.asks("Nightly", "ScheduleExpression", &dev), None);
    assert_eq!(shop.asks("Nightly", "ScheduleExpression", &prod), Some(json!("cron(0 3 * * ? *)")));
    // Whether the alarm exists hangs on a secret, so what it asks for does too.
    let asked = shop.asks("Alarm", "Period", &dev).unwrap();
    assert!(asked.get("Fn::If").is_some(), "{asked}");
    // A part of something that is open as a whole is not absent.
    let whole = with_property("!Transform {Name: M}");
    assert!(whole.asks("T", "P.Inner", &dev).unwrap().get("Fn::Part").is_some());
}

#[test]
fn who_refers_to_whom() {
    let shop = template(SHOP);
    let places = |name: &str| -> Vec<(Referrer, String, How)> {
        shop.references(name).into_iter().map(|reference| (reference.from, reference.path, reference.how)).collect()
    };
    let resource = |id: &str| Referrer::Resource(id.to_owned());
    let arn = || How::Attribute("Arn".to_owned());
    assert_eq!(
        places("OrderQueue"),
        [
            (resource("PaidToQueue"), "Endpoint".to_owned(), arn()),
            (resource("CheckoutFn"), "Environment.Variables.QUEUE_URL".to_owned(), How::Ref),
            (resource("CheckoutFromQueue"), "EventSourceArn".to_owned(), arn()),
            (Referrer::Output("QueueUrl".to_owned()), "Value".to_owned(), How::Ref),
        ]
    );
    assert_eq!(
        places("OrdersTable").first(),
        Some(&(resource("CheckoutRole"), "Policies.0.PolicyDocument.Statement.0.Resource.0".to_owned(), arn()))
    );
    assert_eq!(places("Stripe"), [(resource("CheckoutFn"), "DependsOn".to_owned(), How::DependsOn)]);
    assert!(places("IsProd").contains(&(Referrer::Condition("Guarded".to_owned()), String::new(), How::Condition)));
    assert!(places("IsProd").contains(&(resource("Nightly"), "Condition".to_owned(), How::Condition)));
    assert!(places("Host").is_empty(), "a variable of a Sub is no reference");
    assert!(template(CDK).references("WorkerServiceRole2A77").iter().any(|reference| reference.how == How::DependsOn));
}

#[test]
fn scalars_are_the_same_as_cloudformation_hands_them_over() {
    let n = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let rows: &[(&str, Value, Value, bool)] = &[
        ("a number and its text", n("512"), json!("512"), true),
        ("a number and another text", n("512"), json!("513"), false),
        ("true and its text", json!(true), json!("true"), true),
        ("true and True", json!(true), json!("True"), false),
        ("a decimal in either spelling", n("1.10"), json!("1.1"), true),
        ("a decimal as written", n("1.10"), json!("1.10"), true),
        ("two texts that are not alike", json!("1.10"), json!("1.1"), false),
        ("1.0 and 1", n("1.0"), n("1"), true),
        ("an exponent", n("1.5e3"), n("1500"), true),
        ("a negative exponent", n("15e-3"), n("0.015"), true),
        ("minus zero", n("-0"), n("0"), true),
        ("numbers beyond doubles", n("9007199254740993"), n("9007199254740992"), false),
        ("absurd exponents", n("1e999999999"), n("1e999999998"), false),
        ("lists in another order", json!([1, 2]), json!([2, 1]), false),
        ("lists of other lengths", json!([1]), json!([1, 2]), false),
        ("objects in another order", json!({"a": 1, "b": "2"}), json!({"b": 2, "a": "1"}), true),
        ("null and absence", json!({"a": null}), json!({}), false),
        ("null and a text", Value::Null, json!("null"), false),
    ];
    for (name, a, b, expected) in rows {
        assert_eq!(same(a, b), *expected, "{name}");
        assert_eq!(same(b, a), *expected, "{name}, the other way round");
    }
}

#[test]
fn rows_are_leaves_with_their_paths() {
    let rows = flatten(&json!({
        "Environment": {"Variables": {"A": 1}}, "Layers": [{"x": 1}], "Empty": {}, "Role": {"Ref": "R"}, "a.b": 1,
    }));
    let paths: Vec<&str> = rows.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["Environment.Variables.A", "Layers", "Empty", "Role", "\"a.b\""]);
    assert_eq!(flatten(&json!(5)), [(String::new(), json!(5))]);
}

#[test]
fn attributes_that_follow_from_the_physical_id() {
    let rows: &[(&str, &str, &str, Option<&str>)] = &[
        ("AWS::Lambda::Function", "f", "Arn", Some("arn:aws:lambda:eu-central-1:1:function:f")),
        ("AWS::Logs::LogGroup", "/g", "Arn", Some("arn:aws:logs:eu-central-1:1:log-group:/g:*")),
        ("AWS::S3::Bucket", "b", "Arn", Some("arn:aws:s3:::b")),
        ("AWS::SNS::Topic", "arn:aws:sns:eu-central-1:1:t", "TopicName", Some("t")),
        ("AWS::SQS::Queue", "http://127.0.0.1:4566/1/q.fifo", "Arn", Some("arn:aws:sqs:eu-central-1:1:q.fifo")),
        ("AWS::SQS::Queue", "http://127.0.0.1:4566/2/q", "Arn", None),
        ("AWS::DynamoDB::Table", "t", "Arn", Some("arn:aws:dynamodb:eu-central-1:1:table/t")),
        ("AWS::DynamoDB::Table", "t", "StreamArn", None),
        ("AWS::IAM::Role", "r", "Arn", None),
        ("AWS::Unheard::Of", "r", "Arn", None),
    ];
    for (kind, id, attribute, expected) in rows {
        let known = known_attributes(kind, id, "1", "eu-central-1", "aws");
        assert_eq!(known.get(*attribute).map(String::as_str), *expected, "{kind} {attribute}");
    }
    assert!(known_attributes("AWS::Lambda::Function", "f", "", "eu-central-1", "aws").is_empty());
    assert!(is_stateful("AWS::DynamoDB::Table") && !is_stateful("AWS::Lambda::Function"));
    assert_eq!(property(&with_property("1")), json!(1));
}

#[test]
fn what_is_too_large_is_open_and_alike_only_to_itself() {
    // Sixty conditions, each made of the one before twice: 2^60 evaluations, were they all done.
    let doubled = |first: &str| {
        let mut text = format!("Parameters: {{K: {{Type: String, NoEcho: yes}}}}\nConditions:\n  C0: {first}\n");
        text.extend((1..60).map(|n| format!("  C{n}: !And [!Condition C{0}, !Condition C{0}]\n", n - 1)));
        template(&(text + "Resources: {T: {Type: AWS::SNS::Topic, Properties: {P: !If [C59, 1, 2]}}}\n"))
    };
    let (a, b) = (doubled("!Equals [!Ref K, a]"), doubled("!Equals [!Ref K, b]"));
    assert!(a.condition("C59", &scope("dev")).is_err());
    assert_eq!(a.asks("T", "P", &scope("dev")), a.asks("T", "P", &scope("dev")));
    assert_ne!(a.asks("T", "P", &scope("dev")), b.asks("T", "P", &scope("dev")));
    // What differs here lies behind the point where the evaluation is cut short.
    let hidden = |first: &str| {
        let mut text = format!("Parameters: {{K: {{Type: String, NoEcho: yes}}}}\nConditions:\n  C0: {first}\n");
        text.extend((1..400).map(|n| format!("  C{n}: !Not [!Condition C{}]\n", n - 1)));
        template(&(text + "Resources: {T: {Type: AWS::SNS::Topic, Properties: {P: !If [C399, 1, 2]}}}\n"))
    };
    let (a, b) = (hidden("!Equals [!Ref K, a]"), hidden("!Equals [!Ref K, b]"));
    assert_ne!(a.asks("T", "P", &scope("dev")), b.asks("T", "P", &scope("dev")));
    // A chain of thousands must not exhaust the stack.
    let mut chain = "Conditions:\n  C0: !Equals [a, a]\n".to_owned();
    chain.extend((1..5000).map(|n| format!("  C{n}: !Not [!Condition C{}]\n", n - 1)));
    chain.push_str("Resources: {}\n");
    let chain = template(&chain);
    assert!(chain.condition("C4999", &scope("dev")).is_err());
    assert_eq!(chain.condition("C50", &scope("dev")), Ok(true));
    let deep = (0..90).fold("a".to_owned(), |inner, _| format!("!Join ['', [{inner}]]"));
    let deep = with_property(&deep.replacen("!Join ['', [", "", 45).replacen("]]", "", 45));
    assert_eq!(deep.resolve(&property(&deep), &scope("dev")), Resolved::Value(json!("a")));
}
