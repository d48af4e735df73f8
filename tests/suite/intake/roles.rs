//! What each function may do: exactly what is written here. That it is enough is what the other tests show, whose functions
//! run under these roles.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::Intake;
use crate::crypto::bucket;
use crate::crypto::roles::{code, granted, name_of, under};
use crate::support::signed;

fn map(rows: Vec<(&str, Vec<String>)>) -> BTreeMap<String, BTreeSet<String>> {
    rows.into_iter().map(|(action, on)| (action.to_owned(), on.into_iter().collect())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_has_exactly_its_actions_and_a_call_beyond_them_is_denied() {
    let intake = Intake::deploy_with(Some(&json!({"type": "object"}))).await;
    assert_eq!(intake.post("/post", r#"{"n":1}"#).0, 201);
    assert_eq!(intake.sum(json!({"week": "2026-W10"})).await.unwrap()["written"], true);
    let (account, stack) = (&intake.account, intake.stack.as_str());
    let (region, id) = (&account.region, &account.id);
    let table = format!("arn:aws:dynamodb:{region}:{id}:table/{}", intake.outputs["TableName"]);
    let summaries = format!("arn:aws:s3:::{}", intake.outputs["SummaryBucket"]);
    let logs = |function: &str| vec![format!("arn:aws:logs:{region}:{id}:log-group:/aws/lambda/{stack}-{function}:*")];
    let expected = [
        (
            "IntakeRole",
            map(vec![
                ("dynamodb:PutItem", vec![table.clone()]),
                ("dynamodb:GetItem", vec![table.clone()]),
                ("s3:GetObject", vec![format!("arn:aws:s3:::{}/schemas/order.json", bucket(account))]),
                ("logs:CreateLogStream", logs("intake")),
                ("logs:PutLogEvents", logs("intake")),
            ]),
        ),
        (
            "SummaryRole",
            map(vec![
                ("dynamodb:Query", vec![format!("{table}/index/by-time")]),
                ("s3:GetObject", vec![format!("{summaries}/summaries/*")]),
                ("s3:PutObject", vec![format!("{summaries}/summaries/*")]),
                ("s3:AbortMultipartUpload", vec![format!("{summaries}/summaries/*")]),
                ("s3:ListBucket", vec![summaries.clone()]),
                ("logs:CreateLogStream", logs("summary")),
                ("logs:PutLogEvents", logs("summary")),
            ]),
        ),
        (
            "ScheduleRole",
            map(vec![(
                "lambda:InvokeFunction",
                vec![format!("arn:aws:lambda:{region}:{id}:function:{stack}-summary:live")],
            )]),
        ),
    ];
    for (role, actions) in expected {
        assert_eq!(granted(account, &name_of(account, stack, role).await), actions, "{role}");
        for (what, said) in beyond(&intake, role).await {
            assert!(said.starts_with("AccessDenied"), "{role}, {what}: {said}");
        }
    }
}

/// One call beyond what a role is for, of each kind.
async fn beyond(intake: &Intake, role: &str) -> Vec<(&'static str, String)> {
    let (config, credentials) = under(&intake.account, &intake.stack, role).await;
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build());
    let summaries = &intake.outputs["SummaryBucket"];
    let key = "summaries/2026-W10/manifest.json";
    let mut said = vec![
        ("deleting a summary", code(s3.delete_object().bucket(summaries).key(key).send().await)),
        ("writing elsewhere", code(s3.put_object().bucket(summaries).key("else").body(vec![].into()).send().await)),
        ("reading parameters", code(aws_sdk_ssm::Client::new(&config).describe_parameters().send().await)),
        ("listing functions", code(aws_sdk_lambda::Client::new(&config).list_functions().send().await)),
    ];
    if role != "SummaryRole" {
        said.push(("reading a summary", code(s3.get_object().bucket(summaries).key(key).send().await)));
    }
    let table = &intake.outputs["TableName"];
    for (what, operation, body) in [
        ("scanning the table", "Scan", json!({"TableName": table})),
        ("deleting a record", "DeleteItem", json!({"TableName": table, "Key": {"id": {"S": "x"}}})),
        ("deleting the table", "DeleteTable", json!({"TableName": table})),
    ] {
        let target = format!("DynamoDB_20120810.{operation}");
        let reply = signed::json(&intake.account, credentials.clone(), "dynamodb", &target, &body).json();
        said.push((
            what,
            reply["__type"].as_str().unwrap_or("allowed").rsplit('#').next().unwrap_or_default().to_owned(),
        ));
    }
    said
}
