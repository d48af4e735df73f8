//! What no event told, the schedule finds: code that was not rolled out, and drift. And in notify-only mode it is said.

use aws_sdk_cloudformation::types::StackDriftDetectionStatus;
use serde_json::json;

use super::events::{self, By};
use super::{Loop, code, just_now};
use crate::crypto::bucket;

#[tokio::test(flavor = "multi_thread")]
async fn code_that_is_not_the_receipts_is_found_by_comparing() {
    let own = Loop::deploy(&[("Mode", "heal"), ("GraceSeconds", "0")]).await;
    let lambda = aws_sdk_lambda::Client::new(&own.config);
    let live = lambda.get_function_configuration().function_name("shop-prod-checkout").send().await.unwrap();
    assert_eq!(own.decides(&events::tick()).await, "quiet", "there is no receipt yet");
    let receipt = json!({"schema": 1, "items": {"Checkout": {"version": "1", "code_sha256": live.code_sha256()}}});
    let key = format!("plumb/shop/prod/receipts/stack/{}.json", events::STACK);
    let put = own.s3.put_object().bucket(bucket(&own.account)).key(key).body(receipt.to_string().into_bytes().into());
    put.send().await.unwrap();
    assert_eq!(own.decides(&events::tick()).await, "quiet", "live is what was rolled out");

    own.changes_code_by_hand().await;
    let answer = own.sends(&events::tick()).await.unwrap();
    assert_eq!(answer["decision"], "redeploy", "{answer}");
    assert_eq!(own.decides(&events::tick()).await, "covered");
    assert_eq!(own.github.redeploys(), 1);
    let reason = own.github.dispatches()[0]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("code of function shop-prod-checkout"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_that_cloudformation_found_is_put_back_once() {
    let own = Loop::deploy(&[("Mode", "heal"), ("GraceSeconds", "0"), ("SettleSeconds", "1")]).await;
    let lambda = aws_sdk_lambda::Client::new(&own.config);
    let by_hand = lambda.update_function_configuration().function_name("shop-prod-checkout").timeout(9);
    by_hand.send().await.unwrap();
    own.looks_for_drift().await;
    assert_eq!(own.decides(&events::drift("DRIFTED", 1)).await, "redeploy");
    // The workflow has not put it back; that counts once somebody has looked again.
    let mut decision = own.decides(&events::tick()).await;
    while decision == "covered" {
        own.looks_for_drift().await;
        decision = own.decides(&events::tick()).await;
    }
    assert_eq!(decision, "in-vain");
    assert_eq!(own.decides(&events::tick()).await, "covered");
    assert_eq!(own.github.redeploys(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_notify_only_mode_it_is_said_and_nobody_is_asked() {
    let own = Loop::deploy(&[]).await;
    let queue = own.listens();
    assert_eq!(own.decides(&just_now(code(By::User))).await, "notified");
    let notice = own.receives(&queue);
    assert_eq!(notice["Subject"], "plumb shop/prod: changed behind git's back");
    let text = notice["Message"].as_str().unwrap();
    assert!(text.starts_with("UpdateFunctionCode of function shop-prod-checkout at "), "{text}");
    assert!(text.contains("user/mara"), "{text}");
    assert_eq!(own.github.dispatches().len(), 0);
}

impl Loop {
    async fn looks_for_drift(&self) {
        let client = aws_sdk_cloudformation::Client::new(&self.config);
        let begun = client.detect_stack_drift().stack_name(events::STACK).send().await.unwrap();
        loop {
            let status = client.describe_stack_drift_detection_status();
            let status =
                status.stack_drift_detection_id(begun.stack_drift_detection_id().unwrap()).send().await.unwrap();
            match status.detection_status() {
                Some(StackDriftDetectionStatus::DetectionComplete) => return,
                Some(StackDriftDetectionStatus::DetectionInProgress) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// A queue that gets what the loop says.
    fn listens(&self) -> String {
        let (account, caller) = (&self.account, self.account.caller());
        let topic = format!("arn:aws:sns:{}:{}:{}-notices", account.region, account.id, self.stack);
        let queue = format!("arn:aws:sqs:{}:{}:said", account.region, account.id);
        let sns = json!({"Service": "sns.amazonaws.com"});
        let may = json!({"Effect": "Allow", "Principal": sns, "Action": "sqs:SendMessage", "Resource": queue});
        let policy = json!({"Version": "2012-10-17", "Statement": [may]}).to_string();
        let asked = json!({"QueueName": "said", "Attributes": {"Policy": policy}});
        let made = caller.json("sqs", "AmazonSQS.CreateQueue", &asked).unwrap();
        let fields = [("TopicArn", topic.as_str()), ("Protocol", "sqs"), ("Endpoint", &queue)];
        let subscribed = caller.query("sns", "Subscribe", &fields).unwrap();
        assert_eq!(subscribed.status, 200, "{subscribed:?}");
        made.json()["QueueUrl"].as_str().unwrap().to_owned()
    }
}
