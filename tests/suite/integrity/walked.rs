//! `plumb doctor loop`: each hop of a loop that is deployed, what is told of one that is broken, and a canary.

use serde_json::{Value, json};

use super::Loop;
use crate::cli::shop::{Done, Shop};
use crate::support::proxy::Fault;

const PROJECT: &str = "name = \"shop\"\n[environments.prod]\n";

const WORKFLOW: &str = "on:\n  workflow_dispatch:\n    inputs:\n      environment: {type: string}\n      reason: {type: string}\n      nonce: {type: string}\n      \
                        canary: {type: string}\n";

/// The loop's project, whose requests go through a proxy: the local account knows no trails, so these are AWS's answers
/// as they are documented.
struct Walk {
    shop: Shop,
    own: Loop,
    proxy: crate::support::proxy::Proxy,
}

impl Walk {
    async fn begin(more: &[(&str, &str)]) -> Self {
        let own = Loop::deploy(more).await;
        let (behind, proxy) = own.account.behind_proxy();
        let answer = |body: Value| Fault::Body(200, body.to_string().into_bytes());
        proxy.on("cloudtrail:DescribeTrails").reply(answer(json!({"trailList": [{"Name": "all"}]})));
        proxy.on("cloudtrail:GetTrailStatus").reply(answer(json!({"IsLogging": true})));
        let selectors = json!({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true}]});
        proxy.on("cloudtrail:GetEventSelectors").reply(answer(selectors));
        let mut shop = Shop::empty();
        shop.env = behind.env();
        shop.write("plumb.toml", PROJECT);
        shop.write(".github/workflows/deploy.yml", WORKFLOW);
        shop.commit();
        Self { shop, own, proxy }
    }

    fn walks(&self, more: &[&str]) -> Done {
        self.shop.plumb(&[&["doctor", "loop", &self.own.stack, "--env", "prod", "-o", "json"], more].concat())
    }
}

/// Health and words of a hop.
fn hop(done: &Done, subject: &str) -> (String, String) {
    let json = done.json();
    let checks = json["checks"].as_array().unwrap();
    let exactly = checks.iter().find(|check| check["subject"] == subject);
    let found = exactly.or_else(|| checks.iter().find(|check| check["subject"].as_str().unwrap().starts_with(subject)));
    let found = found.unwrap_or_else(|| panic!("no {subject}: {json:#}"));
    (found["health"].as_str().unwrap().to_owned(), found["found"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hop_of_a_loop_is_looked_at_and_a_canary_goes_through_all_of_them() {
    let walk = Walk::begin(&[("Mode", "heal")]).await;
    let done = walk.walks(&["--canary"]);
    done.ended(0);
    for (subject, words) in [
        ("trail", "all records"),
        ("stack", "watches shop-prod"),
        ("stacks", "every stack of the project is watched"),
        ("rules", "lead to the function"),
        ("permission", "for each of its rules"),
        ("function", "put back"),
        ("hold", "there is none"),
        ("secret", "has a token for http://127.0.0.1"),
        ("token", "may write to shop/petshop; its scopes are repo"),
        ("github's workflow", "Deploy is active"),
        ("workflow deploy.yml", "environment, reason, nonce and canary"),
        ("dead letters", "none"),
    ] {
        let (health, found) = hop(&done, subject);
        assert!(health == "ok" && found.contains(words), "{subject}: {health} {found}");
    }
    let canary = &done.json()["canary"];
    let hops: Vec<&str> = canary["hops"].as_array().unwrap().iter().map(|hop| hop["name"].as_str().unwrap()).collect();
    assert_eq!(
        (hops, &canary["lost"]),
        (vec!["event bus", "function", "run", "end of the run"], &Value::Null),
        "{canary:#}"
    );
    assert!(canary["hops"][1]["milliseconds"].as_i64() >= canary["hops"][0]["milliseconds"].as_i64().map(|_| 0));
    walk.own.github.waits_for(1);
    assert_eq!(walk.own.github.dispatches(), [json!({"canary": canary["id"], "nonce": canary["id"]})]);
    assert!(!done.stdout.contains(super::token()) && !done.stderr.contains(super::token()), "{done}");

    // Another one at once is not sent on, and that is told.
    let again = walk.walks(&["--canary"]);
    let canary = &again.ended(2).json()["canary"];
    assert!(canary["lost"].as_str().unwrap().contains("another canary"), "{canary:#}");
    assert_eq!(walk.own.github.dispatches().len(), 1);
    let text = walk.shop.plumb(&["doctor", "loop", &walk.own.stack, "--env", "prod"]);
    assert!(text.ended(0).stdout.contains("  = ok       rules: "), "{text}");
    assert!(text.stdout.contains("last run: success at "), "{text}");

    // A token that could start nothing, and a GitHub that does not know it.
    *walk.own.github.scopes.lock().unwrap() = "read:org";
    let (health, found) = hop(walk.walks(&[]).ended(2), "token");
    assert!(health == "problem" && found.contains("scopes (read:org) do not let it start a run"), "{found}");
    walk.own.github.answers(401);
    assert_eq!(hop(walk.walks(&[]).ended(2), "token").0, "problem");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hop_that_is_broken_is_named_with_the_way_out() {
    let walk = Walk::begin(&[]).await;
    let account = &walk.own.account;
    let config = crate::support::sdk::config(account, true).await;
    let rule = format!("{}-canary", walk.own.stack);
    let reply = account.caller().json("events", "AWSEvents.DisableRule", &json!({"Name": rule})).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    secrets
        .put_secret_value()
        .secret_id("github_secret")
        .secret_string("{\"github_user\": \"mara\"}")
        .send()
        .await
        .unwrap();
    let hold = json!({"until": "2099-01-01T00:00:00Z", "by": "mara", "reason": "a migration"}).to_string();
    let ssm = aws_sdk_ssm::Client::new(&config);
    let put = ssm.put_parameter().name("/plumb/shop/prod/hold").value(hold);
    put.r#type(aws_sdk_ssm::types::ParameterType::String).send().await.unwrap();
    walk.shop.write(".github/workflows/deploy.yml", &WORKFLOW.replace("      canary: {type: string}\n", ""));
    walk.shop.commit();
    walk.proxy
        .on("sqs:GetQueueAttributes")
        .reply(Fault::Body(200, json!({"Attributes": {"ApproximateNumberOfMessages": "2"}}).to_string().into_bytes()));
    let done = walk.walks(&[]);
    done.ended(2);
    for (subject, health, words) in [
        ("rule ", "problem", "disabled"),
        ("function", "note", "puts none back"),
        ("hold", "note", "until 2099-01-01T00:00:00Z, by mara: a migration"),
        ("secret", "problem", "has no github_endpoint"),
        ("workflow deploy.yml", "problem", "does not take canary"),
        ("dead letters", "problem", "2 events could not be handled"),
    ] {
        let (is, found) = hop(&done, subject);
        assert!(is == health && found.contains(words), "{subject}: {is} {found}");
    }
    // A stack of the project that came later.
    let late = "[[stacks]]\nname = \"shop-{env}\"\ntemplate = \"a.yaml\"\n[[stacks]]\nname = \"late-{env}\"\ntemplate = \"b.yaml\"\n";
    walk.shop.write("plumb.toml", &PROJECT.replace("[environments", &format!("{late}[environments")));
    walk.shop.commit();
    let done = walk.walks(&[]);
    let (health, found) = hop(done.ended(2), "stacks");
    assert!(health == "problem" && found == "nobody hears of changes to late-prod: no loop watches it", "{found}");
    // What puts a token there names the secret that this loop reads.
    assert!(done.stdout.contains("plumb init --github-token --env prod --secret github_secret"), "{done}");
    let missing = walk.shop.plumb(&["doctor", "loop", "--env", "prod", "-o", "json"]);
    let (health, found) = hop(missing.ended(2), "stack");
    assert!(health == "problem" && found.contains("no stack shop-prod-loop"), "{found}");

    // Without a trail nothing is heard, whatever else is in order.
    let silent = Shop { env: account.env(), directory: walk.shop.directory };
    let done = silent.plumb(&["doctor", "loop", &walk.own.stack, "--env", "prod", "-o", "json"]);
    assert_eq!(hop(done.ended(2), "trail").0, "problem", "{done}");
}
