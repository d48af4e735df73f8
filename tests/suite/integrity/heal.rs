//! In heal mode: one change, one dispatch; and none for everything that is no change behind git's back.

use serde_json::{Value, json};

use super::events::{self, By};
use super::{Loop, code, just_now, parameter, token};

const HEAL: (&str, &str) = ("Mode", "heal");

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_is_changed_behind_gits_back_is_one_dispatch_however_often_it_is_told() {
    let own = Loop::deploy(&[HEAL]).await;
    assert_eq!(own.decides(&code(By::Deployer)).await, "ignored", "the deploy flow itself");
    assert_eq!(own.decides(&code(By::DeployersCloudFormation)).await, "ignored");
    assert_eq!(own.decides(&parameter("/elsewhere/x")).await, "ignored");
    assert_eq!(own.github.dispatches(), Vec::<Value>::new());

    own.changes_code_by_hand().await;
    let event = just_now(code(By::User));
    assert_eq!(own.decides(&event).await, "redeploy");
    for _ in 0..3 {
        assert_eq!(own.decides(&event).await, "covered", "EventBridge may deliver it again");
    }
    for number in 0..5 {
        // Of the same burst: made before the redeploy was asked for, told after it.
        let mut burst = parameter(&format!("/shop/prod/{number}"));
        burst["detail"]["eventTime"] = event["detail"]["eventTime"].clone();
        assert_eq!(own.decides(&burst).await, "covered");
    }
    // What the redeploy does itself.
    assert_eq!(own.decides(&just_now(code(By::Deployer))).await, "ignored");
    assert_eq!(own.decides(&events::tick()).await, "quiet");
    let log = own.log();
    for decision in ["ignored", "redeploy", "covered", "quiet"] {
        assert!(log.contains(&format!("\"decision\":\"{decision}\"")), "{decision}: {log}");
    }
    assert!(
        log.contains("\"role\":\"arn:aws:iam::471100004242:role/ci/shop-deploy\"") && !log.contains(token()),
        "{log}"
    );
    let dispatches = own.github.dispatches();
    let expected = json!({
        "environment": "prod",
        "reason": "UpdateFunctionCode of function shop-prod-checkout",
        "nonce": event["id"],
    });
    assert_eq!(dispatches, [expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_goes_from_the_bus_to_github_and_is_no_redeploy() {
    let own = Loop::deploy(&[HEAL]).await;
    let id = own.puts_canary();
    own.github.waits_for(1);
    assert_eq!(own.github.dispatches(), [json!({"canary": id, "nonce": id})]);
    assert_eq!(own.decides(&events::canary()).await, "ignored", "one after the other");
    assert_eq!(own.decides(&events::tick()).await, "quiet");
    assert_eq!(own.github.redeploys(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_tried_again_and_ends_in_the_dead_letters() {
    let own = Loop::deploy(&[HEAL]).await;
    own.github.answers(401);
    let event = code(By::User);
    // As EventBridge invokes, without waiting; the local account's own bus does not try again.
    let client = aws_sdk_lambda::Client::new(&own.config);
    let request = client.invoke().function_name(format!("{}-integrity", own.stack));
    let request = request.invocation_type(aws_sdk_lambda::types::InvocationType::Event);
    request.payload(event.to_string().into_bytes().into()).send().await.unwrap();
    own.github.waits_for(3);
    let queue = json!({"QueueName": format!("{}-dead-letters", own.stack)});
    let queue = own.account.caller().json("sqs", "AmazonSQS.GetQueueUrl", &queue).unwrap().json();
    let letter = own.receives(queue["QueueUrl"].as_str().unwrap());
    assert_eq!(letter["requestPayload"], event, "{letter}");
    assert!(letter["responsePayload"]["errorMessage"].as_str().unwrap().contains("401"), "{letter}");
    assert!(!letter.to_string().contains(token()), "{letter}");
    own.github.answers(204);
    assert_eq!(own.decides(&events::tick()).await, "redeploy", "what waits is not lost for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_obeyed_until_it_is_released() {
    let own = Loop::deploy(&[HEAL]).await;
    let ssm = aws_sdk_ssm::Client::new(&own.config);
    let put = |until: &str| {
        let value = json!({"until": until, "by": "mara", "reason": "a migration"}).to_string();
        let request = ssm.put_parameter().name(events::HOLD).value(value).overwrite(true);
        request.r#type(aws_sdk_ssm::types::ParameterType::String)
    };
    put("2999-01-01T00:00:00Z").send().await.unwrap();
    let written = events::call("ssm", "PutParameter", &json!({"name": events::HOLD}), By::Deployer);
    assert_eq!(own.decides(&written).await, "hold-changed");
    assert_eq!(own.decides(&just_now(code(By::User))).await, "held");
    assert_eq!(own.decides(&events::tick()).await, "held");
    assert_eq!(own.github.redeploys(), 0);

    // One that cannot be read may be a hold.
    let odd = ssm.put_parameter().name(events::HOLD).value("for ever").overwrite(true);
    odd.send().await.unwrap();
    let answer = own.sends(&events::tick()).await.unwrap();
    assert_eq!(answer["decision"], "held", "{answer}");
    assert!(answer["reason"].as_str().unwrap().contains("cannot be read"), "{answer}");
    assert_eq!(own.github.redeploys(), 0);

    put("2020-01-01T00:00:00Z").send().await.unwrap();
    assert_eq!(own.decides(&events::tick()).await, "redeploy", "it has ended, and what waited is put back");
    assert_eq!(own.github.redeploys(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_breaker_stops_a_fight() {
    let own = Loop::deploy(&[HEAL, ("SettleSeconds", "1"), ("BreakerRedeploys", "2")]).await;
    for _ in 0..2 {
        let mut decision = own.decides(&just_now(code(By::User))).await;
        while decision != "redeploy" {
            // Within the second of the last redeploy it counts as before it.
            assert!(["covered", "waiting"].contains(&decision.as_str()), "{decision}");
            decision = own.decides(&just_now(code(By::User))).await;
        }
    }
    let mut decision = own.decides(&just_now(code(By::User))).await;
    while ["covered", "waiting"].contains(&decision.as_str()) {
        decision = own.decides(&just_now(code(By::User))).await;
    }
    assert_eq!(decision, "breaker-opened");
    for _ in 0..3 {
        assert_eq!(own.decides_at_last(&just_now(code(By::User))).await, "broken");
    }
    assert_eq!(own.github.redeploys(), 2);
    assert_eq!(own.decides(&json!({"operation": "reset"})).await, "reset");
    assert_eq!(own.decides_at_last(&events::tick()).await, "redeploy");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_github_that_refuses_is_a_failure_that_says_why_and_never_with_what() {
    let own = Loop::deploy(&[HEAL, ("SettleSeconds", "1")]).await;
    let event = just_now(code(By::User));
    for (status, hint) in
        [(401, "not accepted"), (403, "Actions: write"), (404, "no such repository"), (422, "workflow_dispatch")]
    {
        own.github.answers(status);
        let failed = own.sends(&event).await.unwrap_err();
        assert!(failed.contains(&status.to_string()) && failed.contains(hint), "{failed}");
        assert!(!failed.contains(token()), "{failed}");
    }
    let refused = own.github.dispatches().len();
    assert_eq!(refused, 4, "what is refused is not asked again at once");
    own.github.answers(503);
    let answer = own.sends(&event).await.unwrap();
    assert_eq!(answer["decision"], "unsure", "{answer}");
    assert!(answer["reason"].as_str().unwrap().contains("GitHub answered 503"), "{answer}");
    assert_eq!(own.github.dispatches().len(), refused + 1, "what may have been heard is not said again at once");
    own.github.answers(204);
    assert_eq!(own.decides_at_last(&event).await, "redeploy");
    assert_eq!(own.decides(&event).await, "covered");
    let nonces: Vec<Value> = own.github.dispatches().iter().map(|inputs| inputs["nonce"].clone()).collect();
    assert!(nonces.iter().all(|nonce| *nonce == event["id"]), "{nonces:?}");
}

impl Loop {
    /// Puts a canary on the bus, as anybody may; its id.
    fn puts_canary(&self) -> Value {
        let detail = json!({"operation": "reset", "eventName": "UpdateFunctionCode20150331v2"}).to_string();
        let entry = json!({"Source": "plumb.canary", "DetailType": "AWS API Call via CloudTrail", "Detail": detail});
        let put = self.account.caller().json("events", "AWSEvents.PutEvents", &json!({"Entries": [entry]})).unwrap();
        assert_eq!(put.status, 200, "{put:?}");
        put.json()["Entries"][0]["EventId"].clone()
    }
}
