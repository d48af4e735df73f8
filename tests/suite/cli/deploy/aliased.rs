//! Functions that are served by an alias: what a deployment publishes, which alias it leaves.

use serde_json::{Value, json};

use super::readers::lambda;
use super::stack::Stacked;
use super::ways_out::with_alias;
use crate::support::account::Account;
use crate::support::proxy::Fault;

const DEPLOY: [&str; 4] = ["deploy", "--env", "dev", "--yes"];
const REVERT: [&str; 5] = ["deploy", "--env", "dev", "--yes", "--revert-drift"];

/// Deployed twice, so that the alias serves version 2, where the template says 1.
fn moved(account: &Account) -> Stacked {
    let shop = with_alias(account);
    shop.plumb(&DEPLOY).ended(0);
    code(&shop, 2);
    let done = shop.plumb(&DEPLOY);
    assert!(done.ended(0).stdout.contains("shop-dev-api:live serves version 2"), "{done}");
    shop
}

fn code(shop: &Stacked, answer: u32) {
    shop.write("api/app.py", &format!("def handler(event, context):\n    return {answer}\n"));
    shop.commit();
}

fn memory(account: &Account, qualifier: &str) -> Value {
    lambda(account, "GET", &format!("/configuration?Qualifier={qualifier}"), &Value::Null)["MemorySize"].clone()
}

#[test]
fn a_change_of_the_configuration_alone_is_served_and_one_by_hand_is_not() {
    let account = Account::fresh();
    let shop = with_alias(&account);
    shop.plumb(&DEPLOY).ended(0);
    shop.replace("stack.yaml", "Handler: app.handler", "Handler: app.handler\n      MemorySize: 512");
    shop.commit();
    let done = shop.plumb(&DEPLOY);
    assert!(done.ended(0).stdout.contains("shop-dev-api:live serves version 2"), "{done}");
    assert_eq!(memory(&account, "live"), 512);
    assert!(shop.plumb(&DEPLOY).ended(0).stdout.contains("nothing to change"));

    lambda(&account, "PUT", "/configuration", &json!({ "MemorySize": 1024 }));
    let left = shop.plumb(&DEPLOY);
    let told = "version 2, which shop-dev-api:live serves, is configured otherwise than $LATEST";
    assert!(left.ended(1).stdout.contains(told), "{left}");
    assert_eq!(memory(&account, "live"), 512, "what nobody has committed is not rolled out");
    shop.plumb(&REVERT).ended(0);
    assert_eq!((memory(&account, "$LATEST"), memory(&account, "live")), (json!(512), json!(512)));

    // Version 1 has the same code.
    lambda(&account, "PUT", "/aliases/live", &json!({ "FunctionVersion": "1" }));
    assert!(shop.plumb(&DEPLOY).ended(1).stdout.contains("configured otherwise"));
    let back = shop.plumb(&REVERT);
    assert!(back.ended(0).stdout.contains("shop-dev-api:live serves version "), "{back}");
    assert_eq!(memory(&account, "live"), 512);
}

#[test]
fn an_alias_that_splits_its_requests_or_was_moved_meanwhile_is_left_and_told() {
    let account = Account::fresh();
    let shop = moved(&account);
    let split = json!({ "FunctionVersion": "2", "RoutingConfig": { "AdditionalVersionWeights": { "1": 0.1 } } });
    lambda(&account, "PUT", "/aliases/live", &split);
    code(&shop, 3);
    let left = shop.plumb(&DEPLOY);
    for part in [
        "shop-dev-api:live splits its requests between versions 1 (10 %), 2 (90 %), and is left so",
        "plumb rollback shop-dev/Api --to VERSION",
    ] {
        assert!(left.ended(1).stdout.contains(part), "{part}: {left}");
    }
    let alias = || lambda(&account, "GET", "/aliases/live", &Value::Null);
    assert_eq!(alias()["RoutingConfig"], split["RoutingConfig"], "nobody has ended it");
    shop.plumb(&["rollback", "shop-dev/Api", "--to", "2", "--env", "dev", "--yes"]).ended(0);

    let (behind, proxy) = account.behind_proxy();
    let moved = br#"{"__type": "PreconditionFailedException", "Message": "The RevisionId provided does not match"}"#;
    proxy.on("lambda:UpdateAlias").times(1).reply(Fault::Body(412, moved.to_vec()));
    let revision = alias()["RevisionId"].clone();
    let left = shop.through(&behind, &DEPLOY);
    assert!(left.ended(1).stdout.contains("shop-dev-api:live was moved by somebody else meanwhile"), "{left}");
    let calls = proxy.calls();
    let sent = calls.iter().find(|call| call.name() == "lambda:UpdateAlias").unwrap().json();
    assert_eq!((&sent["RevisionId"], revision.is_string()), (&revision, true), "{sent}");
    let done = shop.through(&behind, &DEPLOY);
    assert!(done.ended(0).stdout.contains("shop-dev-api:live serves version 3"), "{done}");
}
