//! The `aws` room against a real local account.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use plumb::aws::cloudformation::changeset::{self, ChangeSetRequest, ParameterInput, TemplateSource};
use plumb::aws::cloudformation::drift::{self, DetectionStatus, DifferenceKind, DriftStatus};
use plumb::aws::cloudformation::{self, StackInfo, Stage};
use plumb::aws::cloudtrail::{self, Attribute};
use plumb::aws::lambda::{self, Code, Configuration};
use plumb::aws::s3::{self, Condition};
use plumb::aws::{Clients, ErrorKind, Keys, Options, Read, raw, secretsmanager, ssm, sts};
use plumb::secret::Secret;
use serde_json::json;

use crate::support::account::Account;

/// A name of a change set stays taken after it was executed.
static CHANGE_SETS: AtomicU32 = AtomicU32::new(1);

const LIMIT: Duration = Duration::from_secs(30);

async fn clients(account: &Account) -> Clients {
    let options = Options {
        region: Some(account.region.clone()),
        endpoint_url: Some(account.endpoint_url.clone()),
        keys: Some(Keys {
            access_key_id: account.access_key_id.clone(),
            secret_access_key: Secret::new(account.secret_access_key.clone()),
            session_token: None,
        }),
        ..Options::default()
    };
    Clients::connect(&options).await.unwrap()
}

fn names(range: std::ops::Range<u32>, prefix: &str) -> Vec<String> {
    range.map(|nth| format!("{prefix}{nth:03}")).collect()
}

async fn put(clients: &Clients, name: &str, value: &str, type_name: &str) -> i64 {
    let put = ssm::Put {
        name,
        value: &Secret::new(value),
        type_name,
        key_id: None,
        overwrite: true,
        tier: None,
        like: None,
        tags: &[],
    };
    ssm::put(clients, put).await.unwrap()
}

#[tokio::test]
async fn parameters_are_listed_by_fifties_and_read_by_tens() {
    let account = Account::fresh();
    let clients = clients(&account).await;
    assert_eq!(ssm::describe(&clients, &[]).await.unwrap(), [], "a fresh account has none");
    let names = names(0..120, "/billing/dev/");
    for name in &names {
        put(&clients, name, &format!("of {name}"), "SecureString").await;
    }
    put(&clients, "/billing/prod/only", "x", "String").await;
    assert_eq!(put(&clients, &names[7], "changed", "SecureString").await, 2);

    let before = clients.calls();
    let listed = ssm::describe(&clients, &["/billing/dev/".into()]).await.unwrap();
    assert_eq!(listed.iter().map(|meta| &meta.name).collect::<Vec<_>>(), names.iter().collect::<Vec<_>>());
    assert_eq!(clients.calls() - before, 3, "120 at 50 a page");
    assert_eq!((listed[7].version, listed[8].version), (2, 1));
    assert_eq!(listed[7].type_name, "SecureString");
    assert!(listed[7].modified_at > 1_700_000_000_000, "{}", listed[7].modified_at);
    assert_eq!(ssm::describe(&clients, &[]).await.unwrap().len(), 121);
    let both = ssm::describe(&clients, &["/billing/prod/".into(), "/billing/dev/".into()]).await.unwrap();
    assert_eq!(both.len(), 121);

    let before = clients.calls_by_operation();
    let mut asked = names.clone();
    asked.push("/billing/dev/none".into());
    let values = ssm::values(&clients, &asked).await;
    assert_eq!(clients.calls_by_operation()["ssm:GetParameters"], 13, "after {before:?}");
    assert!(matches!(values["/billing/dev/none"], Read::Missing));
    let Read::Found(changed) = &values[&names[7]] else { panic!("{:?}", values[&names[7]]) };
    assert_eq!((changed.value.expose(), changed.version), ("changed", 2));
    assert_eq!(changed.modified_at, listed[7].modified_at, "both tell the same time");
    assert_eq!(values.values().filter(|read| matches!(read, Read::Found(_))).count(), 120);

    let meta = ssm::one_meta(&clients, &names[7]).await.unwrap();
    assert_eq!(meta.as_ref(), Some(&listed[7]));
    assert!(ssm::delete(&clients, &names[7]).await.unwrap());
    assert!(!ssm::delete(&clients, &names[7]).await.unwrap());
    assert_eq!(ssm::one_meta(&clients, &names[7]).await.unwrap(), None);
    let existing = ssm::Put {
        name: &names[8],
        value: &Secret::new("y"),
        type_name: "String",
        key_id: None,
        overwrite: false,
        tier: None,
        like: None,
        tags: &[("plumb:managed".into(), "true".into())],
    };
    assert_eq!(ssm::put(&clients, existing).await.unwrap_err().kind, ErrorKind::Conflict);
    assert_eq!(ssm::put(&clients, ssm::Put { name: "/billing/dev/new", ..existing }).await.unwrap(), 1);
}

#[tokio::test]
async fn secrets_are_listed_described_and_read_by_twenties() {
    let account = Account::fresh();
    let clients = clients(&account).await;
    let names = names(0..45, "petshop/dev/");
    for name in &names {
        let token = format!("{name:0>32}");
        let value = Secret::new(format!("of {name}"));
        let create = secretsmanager::Create {
            name,
            value: &value,
            token: &token,
            kms_key_id: None,
            description: None,
            tags: &[],
        };
        // On AWS it is the token.
        assert!(!secretsmanager::create(&clients, create).await.unwrap().is_empty());
    }
    let listed = secretsmanager::list(&clients, &["petshop/dev/".into()]).await.unwrap();
    assert_eq!(listed.len(), 45);
    assert!(secretsmanager::list(&clients, &["Petshop/".into()]).await.unwrap().is_empty());
    let first = &listed[0];
    assert_eq!(secretsmanager::describe(&clients, &first.arn).await.unwrap().as_ref(), Some(first));
    assert_eq!(secretsmanager::describe(&clients, "petshop/dev/none").await.unwrap(), None);

    let token = "11111111-2222-3333-4444-555555555555";
    let version = secretsmanager::put(&clients, &names[0], &Secret::new("new"), token).await.unwrap();
    assert_eq!(version, token);
    let moved = secretsmanager::describe(&clients, &names[0]).await.unwrap().unwrap();
    assert_eq!(moved.current_version.as_deref(), Some(token));
    assert!(moved.stages.values().any(|stages| stages == &["AWSPREVIOUS"]), "{:?}", moved.stages);

    let mut asked = names.clone();
    asked.push("petshop/dev/none".into());
    let values = secretsmanager::values(&clients, &asked).await;
    assert_eq!(clients.calls_by_operation()["secretsmanager:BatchGetSecretValue"], 3);
    assert_eq!(clients.calls_by_operation().get("secretsmanager:GetSecretValue"), None);
    assert!(matches!(values["petshop/dev/none"], Read::Missing), "{:?}", values["petshop/dev/none"]);
    let Read::Found(new) = &values[&names[0]] else { panic!("{:?}", values[&names[0]]) };
    assert_eq!((new.value.expose(), new.version_id.as_str(), new.binary), ("new", token, false));
}

#[tokio::test]
async fn objects_are_written_only_over_what_was_read() {
    let account = Account::fresh();
    let clients = clients(&account).await;
    let bucket = format!("plumb-state-{}", account.id);
    let (none, bytes) = (BTreeMap::new(), |text: &str| text.as_bytes().to_vec());
    assert_eq!(s3::get(&clients, &bucket, "k").await.unwrap_err().kind, ErrorKind::NotFound);
    assert!(s3::ensure_bucket(&clients, &bucket).await.unwrap());
    assert!(!s3::ensure_bucket(&clients, &bucket).await.unwrap());
    assert_eq!(s3::get(&clients, &bucket, "k/1").await.unwrap(), None);
    assert_eq!(s3::head(&clients, &bucket, "k/1").await.unwrap(), None);

    let write = async |text: &str, condition: Condition<'_>| {
        s3::put(&clients, &bucket, "k/1", bytes(text), "application/json", condition, &none).await
    };
    assert_eq!(write("0", Condition::IfMatch("\"0\"")).await.unwrap_err().kind, ErrorKind::Conflict);
    let first = write("1", Condition::IfAbsent).await.unwrap();
    assert_eq!(write("2", Condition::IfAbsent).await.unwrap_err().kind, ErrorKind::Conflict);
    let second = write("22", Condition::IfMatch(&first)).await.unwrap();
    assert_eq!(write("3", Condition::IfMatch(&first)).await.unwrap_err().kind, ErrorKind::Conflict);
    assert_eq!(s3::get(&clients, &bucket, "k/1").await.unwrap(), Some((bytes("22"), second.clone())));

    let tags = BTreeMap::from([("commit".to_owned(), "3f2a91c".to_owned())]);
    s3::put(&clients, &bucket, "k/2", bytes("a"), "text/plain", Condition::None, &tags).await.unwrap();
    let head = s3::head(&clients, &bucket, "k/2").await.unwrap().unwrap();
    assert_eq!((head.size, head.metadata), (1, tags));
    let listed = s3::list(&clients, &bucket, "k/").await.unwrap();
    let listed: Vec<_> = listed.iter().map(|object| (object.key.as_str(), object.size)).collect();
    assert_eq!(listed, [("k/1", 2), ("k/2", 1)]);
    s3::delete(&clients, &bucket, "k/2").await.unwrap();
    assert_eq!(s3::list(&clients, &bucket, "k/").await.unwrap()[0].etag, second);
}

#[tokio::test]
async fn a_bucket_that_was_begun_and_not_finished_is_finished_and_somebody_elses_is_left_alone() {
    let account = Account::fresh();
    let clients = clients(&account).await;
    let caller = account.caller();
    let place =
        "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";
    let versioning =
        |bucket: &str| caller.send("s3", "GET", &format!("/{bucket}?versioning"), &[], b"").unwrap().text();
    for (bucket, key, is_ours) in [
        ("begun", None, true),
        ("used", Some("plumb/shop/dev/lock.json"), true),
        ("theirs", Some("invoices/1.pdf"), false),
    ] {
        let bucket = format!("{bucket}-{}", account.id);
        assert_eq!(caller.send("s3", "PUT", &format!("/{bucket}"), &[], place.as_bytes()).unwrap().status, 200);
        if let Some(key) = key {
            assert_eq!(caller.send("s3", "PUT", &format!("/{bucket}/{key}"), &[], b"x").unwrap().status, 200);
        }
        assert_eq!(s3::ensure_bucket(&clients, &bucket).await.unwrap(), is_ours, "{bucket}");
        assert_eq!(versioning(&bucket).contains("Enabled"), is_ours, "{bucket}");
        let blocked = caller.send("s3", "GET", &format!("/{bucket}?publicAccessBlock"), &[], b"").unwrap();
        assert_eq!(blocked.text().contains("<BlockPublicPolicy>true"), is_ours, "{bucket}");
        assert!(!s3::ensure_bucket(&clients, &bucket).await.unwrap(), "{bucket}");
    }
}

fn request(stack: &str, template: &serde_json::Value, create: bool) -> ChangeSetRequest {
    ChangeSetRequest {
        stack: stack.into(),
        name: format!("plumb-{}", CHANGE_SETS.fetch_add(1, Ordering::Relaxed)),
        create,
        template: TemplateSource::Body(template.to_string()),
        parameters: BTreeMap::from([("Password".into(), ParameterInput::Value(Secret::new("hunter2")))]),
        tags: BTreeMap::from([("team".into(), "pets".into())]),
        capabilities: vec!["CAPABILITY_NAMED_IAM".into()],
        role: None,
        description: Some("a test".into()),
        client_token: None,
        revert_drift: false,
        nested: false,
    }
}

async fn deploy(clients: &Clients, request: &ChangeSetRequest) -> StackInfo {
    let created = changeset::create_change_set(clients, request).await.unwrap();
    let ready = changeset::wait_change_set(clients, &created.id, LIMIT).await.unwrap();
    assert_eq!(ready.execution_status, "AVAILABLE", "{ready:?}");
    changeset::execute_change_set(clients, &created.id, &created.stack_id, None).await.unwrap();
    let stack = cloudformation::wait_stack(clients, &created.stack_id, LIMIT, |_| {}).await.unwrap().unwrap();
    assert!(stack.status.ends_with("_COMPLETE"), "{stack:?}");
    stack
}

/// One of each kind that the demo's night touches.
fn template() -> serde_json::Value {
    let code = "def handler(event, context):\n    return event\n";
    json!({
        "Parameters": { "Password": { "Type": "String", "NoEcho": true } },
        "Resources": {
            "Role": { "Type": "AWS::IAM::Role", "Properties": { "RoleName": "pets", "AssumeRolePolicyDocument": {
                "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole",
                    "Principal": { "Service": "lambda.amazonaws.com" } }] } } },
            "Fn": { "Type": "AWS::Lambda::Function", "Properties": { "FunctionName": "pets", "Runtime": "python3.12",
                "Handler": "index.handler", "Role": { "Fn::GetAtt": ["Role", "Arn"] }, "MemorySize": 128, "Timeout": 5,
                "Code": { "ZipFile": code }, "Environment": { "Variables": { "POOL": "5" } } } },
            "Version": { "Type": "AWS::Lambda::Version", "Properties": { "FunctionName": { "Ref": "Fn" } } },
            "Live": { "Type": "AWS::Lambda::Alias", "Properties": { "FunctionName": { "Ref": "Fn" }, "Name": "live",
                "FunctionVersion": { "Fn::GetAtt": ["Version", "Version"] } } },
            "Table": { "Type": "AWS::DynamoDB::Table", "Properties": { "TableName": "pets",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
                "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }] } },
            "Queue": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "pets", "VisibilityTimeout": 30 } },
            "Rule": { "Type": "AWS::Events::Rule", "Properties": { "ScheduleExpression": "rate(1 day)" } },
            "Permission": { "Type": "AWS::Lambda::Permission", "Properties": { "FunctionName": { "Ref": "Fn" },
                "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com" } }
        },
        "Outputs": { "QueueUrl": { "Value": { "Ref": "Queue" } } }
    })
}

async fn detect(clients: &Clients, stack: &str) -> BTreeMap<String, drift::ResourceDrift> {
    let id = drift::detect(clients, stack).await.unwrap();
    let detection = drift::wait_detection(clients, &id, LIMIT).await.unwrap();
    assert_eq!(detection.status, DetectionStatus::Complete);
    let found = drift::drifts(clients, stack).await.unwrap();
    found.into_iter().map(|drift| (drift.logical_id.clone(), drift)).collect()
}

fn zip(text: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("index.py", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut zip, text.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn a_stack_is_made_drifts_and_tells_what_moved() {
    let account = Account::fresh();
    let clients = clients(&account).await;
    assert_eq!(cloudformation::stack(&clients, "petshop").await.unwrap(), None);
    let made = deploy(&clients, &request("petshop", &template(), true)).await;
    assert_eq!(made.parameters["Password"], cloudformation::NO_ECHO);
    assert_eq!(made.tags["team"], "pets");
    assert!(made.outputs["QueueUrl"].ends_with("/pets"), "{:?}", made.outputs);
    assert_eq!((made.drift_status.as_str(), made.drift_checked_at), ("NOT_CHECKED", None));
    let resources = cloudformation::resources(&clients, "petshop").await.unwrap();
    assert_eq!(resources.len(), 8);
    let body = cloudformation::template(&clients, "petshop", Stage::Processed).await.unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&body).unwrap(), template());
    let events = cloudformation::events::newest(&clients, "petshop", 100).await.unwrap();
    assert_eq!(cloudformation::events::last(&clients, "petshop").await.unwrap(), Some(events[0].at));
    assert!(events.windows(2).all(|pair| pair[0].at >= pair[1].at), "newest first");

    let before = detect(&clients, "petshop").await;
    for (name, drift) in &before {
        assert_eq!(drift.status, DriftStatus::InSync, "{name}: {drift:?}");
    }
    let new = Configuration {
        memory: Some(1024),
        environment: Some(BTreeMap::from([("POOL".into(), Secret::new("50")), ("MORE".into(), Secret::new("x"))])),
        ..Configuration::default()
    };
    lambda::update_configuration(&clients, "pets", &new).await.unwrap();
    lambda::wait_updated(&clients, "pets", LIMIT).await.unwrap();
    raw::delete_table(&clients, "pets").await.unwrap();
    assert_eq!(raw::delete_table(&clients, "pets").await.unwrap_err().kind, ErrorKind::NotFound);

    let after = detect(&clients, "petshop").await;
    assert_eq!(after["Table"].status, DriftStatus::Deleted);
    assert_eq!(after["Fn"].status, DriftStatus::Modified);
    let differences: BTreeMap<_, _> =
        after["Fn"].differences.iter().map(|found| (found.path.as_str(), found)).collect();
    let memory = differences["/MemorySize"];
    assert_eq!((&memory.expected, &memory.actual, memory.kind), (&json!(128), &json!(1024), DifferenceKind::NotEqual));
    let pool = differences["/Environment/Variables/POOL"];
    assert_eq!((&pool.expected, &pool.actual), (&json!("5"), &json!("50")), "strings stay strings");
    assert_eq!(differences["/Environment/Variables/MORE"].kind, DifferenceKind::Add);
    assert_eq!(after["Queue"].status, DriftStatus::InSync);
    let info = cloudformation::stack(&clients, "petshop").await.unwrap().unwrap();
    assert_eq!(info.drift_status, "DRIFTED");
    assert!(info.drift_checked_at.is_some());
    let resources = cloudformation::resources(&clients, "petshop").await.unwrap();
    let checked: BTreeMap<_, _> =
        resources.iter().map(|found| (found.logical_id.as_str(), found.drift_status)).collect();
    assert_eq!(checked["Table"], DriftStatus::Deleted);
    assert_eq!(checked["Permission"], DriftStatus::NotChecked, "CloudFormation does not look at it here");
    assert!(!after.contains_key("Permission"));

    let again = changeset::create_change_set(&clients, &request("petshop", &template(), false)).await.unwrap();
    let nothing = changeset::wait_change_set(&clients, &again.id, LIMIT).await.unwrap();
    assert!(nothing.is_empty(), "{nothing:?}");
    changeset::delete_change_set(&clients, &again.id, None).await.unwrap();
    let mut wider = template();
    wider["Resources"]["Queue"]["Properties"]["VisibilityTimeout"] = json!(60);
    let created = changeset::create_change_set(&clients, &request("petshop", &wider, false)).await.unwrap();
    let ready = changeset::wait_change_set(&clients, &created.id, LIMIT).await.unwrap();
    assert_eq!(ready.changes.len(), 1);
    assert_eq!((ready.changes[0].action.as_str(), ready.changes[0].logical_id.as_str()), ("Modify", "Queue"));
}

#[tokio::test]
async fn a_stack_of_more_than_a_page_is_listed_whole() {
    let account = Account::fresh();
    let clients = clients(&account).await;
    let queues = (0..130).map(|nth| (format!("Q{nth}"), json!({ "Type": "AWS::SQS::Queue" })));
    let template = json!({ "Resources": queues.collect::<serde_json::Map<_, _>>() });
    let request = ChangeSetRequest { parameters: BTreeMap::new(), ..request("wide", &template, true) };
    deploy(&clients, &request).await;
    assert_eq!(cloudformation::resources(&clients, "wide").await.unwrap().len(), 130);
    assert_eq!(clients.calls_by_operation()["cloudformation:ListStackResources"], 2);
    assert_eq!(detect(&clients, "wide").await.len(), 130);
    assert!(cloudformation::events::newest(&clients, "wide", 1000).await.unwrap().len() >= 260);
}

#[tokio::test]
async fn a_functions_code_is_followed_through_its_alias() {
    let account = Account::fresh();
    let clients = clients(&account).await;
    deploy(&clients, &request("petshop", &template(), true)).await;
    assert_eq!(lambda::function(&clients, "none", None).await.unwrap(), None);
    assert_eq!(lambda::alias(&clients, "pets", "none").await.unwrap(), None);
    let alias = lambda::alias(&clients, "pets", "live").await.unwrap().unwrap();
    let through_alias = lambda::function(&clients, "pets", Some("live")).await.unwrap().unwrap();
    let version = lambda::function(&clients, "pets", Some(&alias.version)).await.unwrap().unwrap();
    assert_eq!(through_alias.code_sha256, version.code_sha256);
    assert_eq!(version.environment.as_ref().unwrap()["POOL"].expose(), "5");
    assert!(version.modified_at.is_some(), "{version:?}");

    let digest =
        lambda::update_code(&clients, "pets", Code::Zip(zip("def handler(e, c):\n    return 1\n"))).await.unwrap();
    lambda::wait_updated(&clients, "pets", LIMIT).await.unwrap();
    let latest = lambda::function(&clients, "pets", None).await.unwrap().unwrap();
    assert_eq!(latest.code_sha256_raw, digest);
    assert_ne!(latest.code_sha256, version.code_sha256);
    assert_eq!(
        lambda::function(&clients, "pets", Some("live")).await.unwrap().unwrap().code_sha256,
        version.code_sha256
    );
    let published = lambda::publish_version(&clients, "pets", Some(&digest)).await.unwrap();
    lambda::update_alias(&clients, "pets", "live", &published, alias.revision_id.as_deref()).await.unwrap();
    let moved = lambda::alias(&clients, "pets", "live").await.unwrap().unwrap();
    assert_eq!(moved.versions(), BTreeMap::from([(published, 1.0)]));
    assert_eq!(
        lambda::function(&clients, "pets", Some("live")).await.unwrap().unwrap().code_sha256,
        latest.code_sha256
    );
}

#[tokio::test]
async fn the_trail_tells_who_did_it() {
    let account = Account::fresh();
    let clients = clients(&account).await;
    deploy(&clients, &request("petshop", &template(), true)).await;
    put(&clients, "/pool", "5", "SecureString").await;
    ssm::delete(&clients, "/pool").await.unwrap();
    let value = Secret::new("v");
    let token = "0".repeat(32);
    let create = secretsmanager::Create {
        name: "s",
        value: &value,
        token: &token,
        kms_key_id: None,
        description: None,
        tags: &[],
    };
    secretsmanager::create(&clients, create).await.unwrap();
    secretsmanager::put(&clients, "s", &Secret::new("w"), &"1".repeat(32)).await.unwrap();
    let code = Code::Zip(zip("x = 1\n"));
    lambda::update_code(&clients, "pets", code).await.unwrap();
    let new = Configuration {
        environment: Some(BTreeMap::from([("POOL".into(), Secret::new("50"))])),
        ..Configuration::default()
    };
    lambda::update_configuration(&clients, "pets", &new).await.unwrap();
    raw::delete_table(&clients, "pets").await.unwrap();
    // The emulator tells more than AWS does.
    for (name, pointer, value) in [
        ("PutParameter", "/Name", "/pool"),
        ("PutParameter", "/Value", "••••"),
        ("DeleteParameter", "/Name", "/pool"),
        ("PutSecretValue", "/SecretId", "s"),
        ("PutSecretValue", "/SecretString", "••••"),
        ("UpdateFunctionCode", "/ZipFile", "••••"),
        ("UpdateFunctionConfiguration", "/Environment/Variables/POOL", "••••"),
        ("DeleteTable", "/TableName", "pets"),
    ] {
        let events = cloudtrail::lookup(&clients, Attribute::EventName(name), 0).await.unwrap();
        let told = events.iter().map(|event| event.request.pointer(pointer)).collect::<Vec<_>>();
        assert_eq!(told, [Some(&json!(value))], "{name}{pointer}: {events:?}");
    }
    let named = cloudtrail::lookup(&clients, Attribute::ResourceName("pets"), 0).await.unwrap();
    assert!(named.iter().any(|event| event.name == "UpdateFunctionCode"), "{named:?}");
    let now = named[0].at;
    assert!(cloudtrail::lookup(&clients, Attribute::ResourceName("pets"), now + 60_000).await.unwrap().is_empty());
    let events = cloudtrail::lookup(&clients, Attribute::EventName("DeleteParameter"), 0).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].user.as_deref(), Some(account.access_key_id.as_str()));
    assert_eq!(events[0].request["Name"], "/pool");
    assert_eq!(events[0].source, "ssm.amazonaws.com");
}

/// The account's clients under a role of it.
async fn as_role(account: &Account, role: &str) -> Clients {
    let credentials =
        aws_sdk_sts::config::Credentials::new(&account.access_key_id, &account.secret_access_key, None, None, "test");
    let config = aws_sdk_sts::Config::builder()
        .behavior_version_latest()
        .region(aws_sdk_sts::config::Region::new(account.region.clone()))
        .endpoint_url(&account.endpoint_url)
        .credentials_provider(credentials)
        .build();
    let arn = format!("arn:aws:iam::{}:role/{role}", account.id);
    let session = aws_sdk_sts::Client::from_conf(config).assume_role().role_arn(arn).role_session_name("anna");
    let keys = session.send().await.unwrap().credentials.unwrap();
    let options = Options {
        region: Some(account.region.clone()),
        endpoint_url: Some(account.endpoint_url.clone()),
        keys: Some(Keys {
            access_key_id: keys.access_key_id,
            secret_access_key: Secret::new(keys.secret_access_key),
            session_token: Some(Secret::new(keys.session_token)),
        }),
        ..Options::default()
    };
    Clients::connect(&options).await.unwrap()
}

#[tokio::test]
async fn a_user_who_lacks_a_permission_is_told_so_in_awss_words() {
    let account = Account::enforcing_iam();
    let root = clients(&account).await;
    let user = json!({ "Resources": { "Role": { "Type": "AWS::IAM::Role", "Properties": { "RoleName": "reader",
        "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
            "Action": "sts:AssumeRole", "Principal": { "AWS": format!("arn:aws:iam::{}:root", account.id) } }] },
        "Policies": [{ "PolicyName": "read", "PolicyDocument": { "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Resource": "*", "Action": ["ssm:DescribeParameters",
                "secretsmanager:ListSecrets", "secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"] },
            { "Effect": "Deny", "Action": "secretsmanager:GetSecretValue",
                "Resource": "arn:aws:secretsmanager:*:*:secret:x/secret-*" }
        ] } }] } } } });
    deploy(&root, &ChangeSetRequest { parameters: BTreeMap::new(), ..request("user", &user, true) }).await;
    let anna = as_role(&account, "reader").await;
    let arn = sts::caller(&anna).await.unwrap().arn;
    assert!(arn.ends_with(":assumed-role/reader/anna"), "{arn}");
    for name in names(0..12, "/x/") {
        put(&root, &name, "v", "String").await;
    }
    assert_eq!(ssm::describe(&anna, &[]).await.unwrap().len(), 12);
    for (name, read) in ssm::values(&anna, &names(0..12, "/x/")).await {
        let Read::Failed(error) = read else { panic!("{name}: {read:?}") };
        assert_eq!((&error.subject, &error.kind), (&name, &ErrorKind::AccessDenied), "{error}");
        assert!(error.message.contains("is not authorized to perform: ssm:GetParameters"), "{error}");
    }

    for name in ["x/open", "x/secret"] {
        let value = Secret::new("v");
        let token = format!("{name:0>32}");
        let create = secretsmanager::Create {
            name,
            value: &value,
            token: &token,
            kms_key_id: None,
            description: None,
            tags: &[],
        };
        secretsmanager::create(&root, create).await.unwrap();
    }
    assert_eq!(secretsmanager::list(&anna, &[]).await.unwrap().len(), 2);
    let values = secretsmanager::values(&anna, &["x/open".into(), "x/secret".into()]).await;
    assert!(matches!(&values["x/open"], Read::Found(_)), "{values:?}");
    let Read::Failed(error) = &values["x/secret"] else { panic!("{values:?}") };
    assert_eq!((error.subject.as_str(), &error.kind), ("x/secret", &ErrorKind::AccessDenied), "{error}");

    let error = cloudformation::stack(&anna, "user").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AccessDenied, "{error}");
    let error = raw::delete_table(&anna, "pets").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AccessDenied, "{error}");
    let nobody = clients(&account.with_key("AKIANOBODYNOBODYNOBO", "nobody")).await;
    assert_eq!(sts::caller(&nobody).await.unwrap_err().kind, ErrorKind::NoCredentials);
}
