//! What is told, and what is left, when the table is throttled, when an answer is lost, and when the bucket is gone.

use serde_json::json;

use super::Intake;
use crate::support::proxy::Fault;

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_table_is_asked_again_and_then_the_caller_is_told_to_wait() {
    let intake = Intake::deploy().await;
    intake.proxy.on("dynamodb:TransactWriteItems").times(2).reply(Fault::Throttling);
    assert_eq!(intake.post("/post", r#"{"n":1}"#).0, 201);
    assert_eq!(intake.proxy.count("dynamodb:TransactWriteItems"), 3);

    intake.proxy.on("dynamodb:TransactWriteItems").times(1).reply(Fault::TruncatedBody);
    let (status, answer) = intake.post("/post", r#"{"n":2}"#);
    assert_eq!((status, &answer["duplicate"]), (201, &json!(false)), "an answer that was lost: {answer}");
    assert_eq!(intake.records(), 2);

    intake.proxy.on("dynamodb:TransactWriteItems").reply(Fault::Throttling);
    let reply = crate::support::signed::call(&intake.caller, "POST", &intake.url("/post"), r#"{"n":3}"#);
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")), "{reply:?}");
    assert_eq!(reply.json()["type"], "urn:plumb:problem:store-unavailable");
    intake.proxy.heal();
    assert_eq!(intake.records(), 2, "what was not acknowledged is not there");
    assert_eq!(intake.post("/post", r#"{"n":3}"#).0, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_that_cannot_be_read_or_written_has_no_manifest_until_it_can() {
    let intake = Intake::deploy().await;
    let week = json!({"week": "2026-W10"});
    intake.proxy.on("dynamodb:Query").times(3).reply(Fault::Throttling);
    intake.proxy.on("s3:PutObject").reply(Fault::ServerError);
    let failed = intake.sum(week.clone()).await.unwrap_err();
    assert!(failed.contains("s3:PutObject"), "{failed}");
    intake.proxy.heal();
    assert!(intake.object("summaries/2026-W10/manifest.json").await.is_none());
    assert_eq!(intake.sum(week.clone()).await.unwrap()["written"], true, "and the next run is whole");

    let (s3, bucket) = (intake.s3().await, &intake.outputs["SummaryBucket"]);
    let versions = s3.list_object_versions().bucket(bucket).send().await.unwrap();
    for version in versions.versions() {
        let gone =
            s3.delete_object().bucket(bucket).key(version.key().unwrap()).version_id(version.version_id().unwrap());
        gone.send().await.unwrap();
    }
    s3.delete_bucket().bucket(bucket).send().await.unwrap();
    let failed = intake.sum(week).await.unwrap_err();
    assert!(failed.contains("NoSuchBucket") && failed.contains(bucket.as_str()), "{failed}");
    assert!(intake.log("summary").contains("NoSuchBucket"));
}
