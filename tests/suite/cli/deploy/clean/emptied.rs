//! Buckets that CloudFormation does not delete because of what is in them. The local account deletes any bucket, so that it
//! is the proxy that answers the first deletion as AWS does.

use serde_json::Value;

use super::{CLEAN, fill, is_protected, protect, versions, with_bucket};
use crate::cli::deploy::stack::Stacked;
use crate::support::account::Account;
use crate::support::proxy::{Call, Fault, Gate, Proxy};
use crate::support::terminal::Program;

/// What S3 says.
const FULL: &str = "Resource handler returned message: \"The bucket you tried to delete is not empty. You must delete all \
    versions in the bucket. (Service: S3, Status Code: 409)\"";

/// Logical id, physical id, type, status and reason.
type Row<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str);

fn events(rows: &[Row<'_>]) -> Fault {
    let member = |(id, physical, type_name, status, reason): &Row<'_>| {
        let reason = reason.replace('"', "&quot;");
        format!(
            "<member><EventId>{id}-{status}</EventId><LogicalResourceId>{id}</LogicalResourceId>\
             <PhysicalResourceId>{physical}</PhysicalResourceId><ResourceType>{type_name}</ResourceType>\
             <ResourceStatus>{status}</ResourceStatus><ResourceStatusReason>{reason}</ResourceStatusReason>\
             <Timestamp>2999-01-01T00:00:00Z</Timestamp></member>"
        )
    };
    let members: String = rows.iter().map(member).collect();
    let body = format!(
        "<DescribeStackEventsResponse><DescribeStackEventsResult><StackEvents>{members}</StackEvents>\
         </DescribeStackEventsResult></DescribeStackEventsResponse>"
    );
    Fault::Body(200, body.into_bytes())
}

/// The text of an element.
fn within(text: &str, element: &str) -> String {
    let found = text.split_once(&format!("<{element}>")).and_then(|(_, rest)| rest.split_once('<'));
    found.unwrap_or_else(|| panic!("no {element} in {text}")).0.to_owned()
}

/// The first deletion of dev's stack fails at these, and takes nothing away.
fn refuses(proxy: &Proxy, shop: &Stacked, rows: &[Row<'_>]) {
    let described = shop.cloudformation("DescribeStacks", &[("StackName", "shop-dev")]);
    let id = within(&described, "StackId");
    let failed = described.replace("CREATE_COMPLETE", "DELETE_FAILED").into_bytes();
    let stack = ("shop-dev", &*id, "AWS::CloudFormation::Stack", "DELETE_FAILED", "not deleted: [Bin]");
    let told = events(&[&[stack][..], rows].concat());
    proxy.on("cloudformation:DeleteStack").times(1).reply(Fault::Body(200, b"<DeleteStackResponse/>".to_vec()));
    let is_it = move |call: &Call| call.form("StackName").as_deref() == Some(&*id);
    // One looks for the last thing that happened before.
    proxy.on("cloudformation:DescribeStackEvents").when(is_it).after(1).times(1).reply(told);
    proxy.on("cloudformation:DescribeStacks").after(2).times(1).reply(Fault::Body(200, failed));
}

const BIN: Row<'_> = ("Bin", "shop-bin", "AWS::S3::Bucket", "DELETE_FAILED", FULL);

#[test]
fn a_full_bucket_is_emptied_once_the_deletion_has_failed_at_it_and_then_deleted() {
    let account = Account::fresh();
    let shop = with_bucket(&account);
    let (behind, proxy) = account.behind_proxy();
    refuses(&proxy, &shop, &[BIN]);
    let done = shop.through(&behind, &CLEAN);
    done.ended(0).complained(&["emptying shop-bin-", "2 versions of objects of shop-bin-", "shop-dev is deleted"]);
    assert!(!done.stderr.contains("failed first"), "{done}");
    assert_eq!((versions(&account), shop.status()), (None, None));
    let calls = proxy.calls();
    let order: Vec<&str> =
        calls.iter().map(|call| call.operation.as_str()).filter(|name| name.starts_with("Delete")).collect();
    assert_eq!(order, ["DeleteStack", "DeleteObjects", "DeleteStack", "DeleteObject"]);
    let tokens: Vec<_> = calls
        .iter()
        .filter(|call| call.operation == "DeleteStack")
        .map(|call| call.form("ClientRequestToken"))
        .collect();
    assert_ne!(tokens[0], tokens[1], "AWS takes what has the same token for the same request");
    assert_eq!(shop.journal().last().unwrap()[2], "ok");
}

#[test]
fn what_is_not_deleted_for_another_reason_keeps_what_is_in_it() {
    let account = Account::fresh();
    let shop = with_bucket(&account);
    let (behind, proxy) = account.behind_proxy();
    let denied = "User: mara is not authorized to perform: s3:DeleteBucket";
    refuses(&proxy, &shop, &[("Bin", "shop-bin", "AWS::S3::Bucket", "DELETE_FAILED", denied)]);
    shop.through(&behind, &CLEAN).ended(2).complained(&["! Bin failed first", denied, "plumb recover shop-dev"]);
    assert_eq!((versions(&account), proxy.count("s3:DeleteObjects")), (Some(2), 0));
}

#[test]
fn a_full_bucket_stays_full_where_something_else_is_in_the_way_too() {
    let account = Account::fresh();
    let shop = with_bucket(&account);
    let (behind, proxy) = account.behind_proxy();
    let kept = ("Database", "shop-db", "AWS::RDS::DBInstance", "DELETE_FAILED", "Cannot delete protected DB Instance");
    refuses(&proxy, &shop, &[BIN, kept]);
    shop.through(&behind, &CLEAN).ended(2).complained(&["! Database failed first", "protected DB Instance"]);
    assert_eq!((versions(&account), proxy.count("s3:DeleteObjects")), (Some(2), 0));
    assert_eq!(proxy.count("cloudformation:DeleteStack"), 1);
}

#[test]
fn who_interrupts_the_emptying_is_told_that_nothing_goes_on_and_the_protection_is_back() {
    let account = Account::fresh();
    let shop = with_bucket(&account);
    protect(&shop);
    let (behind, proxy) = account.behind_proxy();
    refuses(&proxy, &shop, &[BIN]);
    let gate = Gate::new();
    proxy.on("s3:DeleteObjects").reply(Fault::Delay(gate.clone()));
    let program = Program::plumb().dir(shop.root()).env("HOME", shop.directory.path()).envs(behind.env());
    let terminal = program.args(CLEAN).args(["--unprotect"]).start();
    gate.reached();
    terminal.press("^c").sees("interrupted: shop-dev is not deleted, and nothing goes on");
    assert_eq!(terminal.exit_code(), 130, "{}", terminal.text());
    let told = terminal.text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("shop-dev is protected from being deleted again"), "{told}");
    assert!(told.contains("some of 2 versions of objects of shop-bin-"), "{told}");
    assert!(!told.contains("goes on without you"), "{told}");
    assert!(is_protected(&shop));
    assert_eq!(proxy.count("cloudformation:DeleteStack"), 1);
    assert_eq!(shop.journal().last().unwrap()[2], "failed");
}

/// A stack within the stack, with a bucket of its own, which lies in the state bucket as a template.
fn nested(account: &Account) -> Stacked {
    let shop = Stacked::at(account);
    let within =
        "  Inner:\n    Type: AWS::CloudFormation::Stack\n    Properties: { TemplateURL: inner.yaml }\nOutputs:";
    shop.replace("stack.yaml", "Outputs:", within);
    let bin =
        "Resources:\n  Bin: { Type: AWS::S3::Bucket, Properties: { BucketName: !Sub \"${AWS::StackName}-bin\" } }\n";
    shop.write("inner.yaml", &bin.replace("${AWS::StackName}-bin", &format!("shop-bin-{}", account.id)));
    shop.commit();
    shop
}

#[test]
fn buckets_of_stacks_within_are_shown_and_emptied_too() {
    let account = Account::fresh();
    let shop = nested(&account);
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    fill(&account);
    let shown = shop.plumb(&["clean", "shop-dev", "--with-artifacts", "--env", "dev", "--dry-run", "-o", "json"]);
    let json = shown.ended(1).json();
    let resources = json["resources"].as_array().unwrap();
    let bin = resources.iter().find(|one| one["logical_id"] == "Inner/Bin").unwrap_or_else(|| panic!("{json:#}"));
    assert!(bin["objects"].as_u64().unwrap() > 0, "{json:#}");
    let templates = |json: &Value| {
        let keys = json["artifacts"].as_array().unwrap().iter().filter_map(Value::as_str);
        keys.filter(|key| key.contains("/templates/")).count()
    };
    assert_eq!(templates(&json), 1, "{json:#}");
    let (behind, proxy) = account.behind_proxy();
    let inner =
        shop.cloudformation("DescribeStackResource", &[("StackName", "shop-dev"), ("LogicalResourceId", "Inner")]);
    let inner = within(&inner, "PhysicalResourceId");
    let stack = ("Inner", &*inner, "AWS::CloudFormation::Stack", "DELETE_FAILED", "not deleted: [Bin]");
    refuses(&proxy, &shop, &[stack]);
    let bin = ("Bin", "shop-bin", "AWS::S3::Bucket", "DELETE_FAILED", FULL);
    let is_inner = move |call: &Call| call.form("StackName").as_deref() == Some(&*inner);
    proxy.on("cloudformation:DescribeStackEvents").when(is_inner).times(1).reply(events(&[bin]));
    let done = shop.through(&behind, &[&CLEAN[..], &["--with-artifacts"]].concat());
    done.ended(0).complained(&[
        "emptying shop-bin-",
        "of objects of shop-bin-",
        "2 artifacts deleted",
        "shop-dev is deleted",
    ]);
    assert_eq!((versions(&account), shop.status()), (None, None));
}
