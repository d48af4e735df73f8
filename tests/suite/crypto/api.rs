//! Calling it through API Gateway: who may, who may not, and what each of them is told.

use serde_json::{Value, json};

use super::{Api, invoke, told};
use crate::support::account::Account;
use crate::support::signed;

const FORBIDDEN: &str = "urn:plumb:problem:forbidden";

#[tokio::test(flavor = "multi_thread")]
async fn callers_get_what_iam_allows_them_and_a_problem_otherwise() {
    // The emulator looks for the API of an unsigned call in its own account alone.
    let own = Account::enforcing_iam().with_key(plumb::local::ACCOUNT, "test");
    let api = Api::deploy_to(Account { id: plumb::local::ACCOUNT.to_owned(), ..own }).await;
    let secret = "the pin is 4711";
    let (status, sealed) = api.post("/v1/encrypt", &json!({"text": secret, "context": {"of": "mara"}}));
    assert_eq!((status, &sealed["key_version"]), (200, &json!(1)), "{sealed}");
    let request = json!({"ciphertext": sealed["ciphertext"], "context": {"of": "mara"}});
    for path in ["/v1/decrypt", "/decrypt"] {
        assert_eq!(
            api.post(path, &request),
            (
                200,
                json!({
                    "plaintext": "dGhlIHBpbiBpcyA0NzEx", "text": secret, "key_version": 1
                })
            )
        );
    }
    assert_eq!(api.get("/v1/health").1["status"], "ok");
    assert_eq!(api.get("/v1/keys").1["versions"].as_array().unwrap().len(), 1);

    let sender = api.account.user("sender", &[invoke(&api.outputs["InvokeArn"].replace("/*", "/POST/v1/encrypt"))]);
    assert_eq!(api.call_as(&sender, "POST", "/v1/encrypt", &json!({"text": "x"})).0, 200);
    let nobody = api.account.user("nobody", &[invoke("arn:aws:execute-api:eu-central-1:111122223333:another/*")]);
    let thief = api.account.with_key(&sender.access_key_id, "not his key");
    let body = request.to_string();
    let decrypt = api.url("/v1/decrypt");
    let refused = [
        ("unsigned", signed::call_unsigned("POST", &decrypt, &body)),
        ("a wrong signature", signed::call(&thief, "POST", &api.url("/v1/encrypt"), &body)),
        ("a path that is not there", signed::call(&api.caller, "GET", &api.url("/v1/secrets"), "")),
        ("a method that is not there", signed::call(&api.caller, "GET", &api.url("/v1/encrypt"), "")),
    ];
    for (who, reply) in refused {
        assert_eq!((reply.status, &reply.json()["type"]), (403, &json!(FORBIDDEN)), "{who}: {reply:?}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{who}");
        assert_eq!(reply.json()["status"], 403, "{who}");
        assert!(!reply.json()["request_id"].as_str().unwrap_or_default().is_empty(), "{who}: {reply:?}");
    }
    // Where IAM says no the emulator answers by itself, and not in the template's words.
    for (who, caller) in [("one who may only encrypt", &sender), ("one who may call another API", &nobody)] {
        assert_eq!(signed::call(caller, "POST", &decrypt, &body).status, 403, "{who}");
    }

    // What a signed caller does wrong is the function's to say.
    let wrong: Vec<(u16, Value)> = ["/v1/encrypt", "/v1/decrypt"].map(|path| api.post(path, &json!({"x": 1}))).into();
    assert!(
        wrong.iter().all(|(status, problem)| *status == 400 && problem["type"] == "urn:plumb:problem:invalid-request")
    );

    let log = log_of(&api, "/aws/lambda/shop-crypto-crypto");
    let users: Vec<&str> =
        ["caller", "sender"].into_iter().filter(|name| log.contains(&format!("user/{name}"))).collect();
    assert_eq!(users, ["caller", "sender"], "the log says who asked: {log}");
    assert!(!log.contains(secret) && !log.contains("mara") && !log.contains("plumb:v1:"), "{log}");
}

/// What a log group has, all of it.
fn log_of(api: &Api, group: &str) -> String {
    let body = json!({"logGroupName": group, "limit": 10_000});
    let reply = api.account.caller().json("logs", "Logs_20140328.FilterLogEvents", &body).unwrap();
    let (status, answer) = told(&reply);
    assert_eq!(status, 200, "{answer}");
    let messages = answer["events"].as_array().unwrap().iter().filter_map(|event| event["message"].as_str());
    messages.collect::<Vec<_>>().join("\n")
}
