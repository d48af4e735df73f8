//! The keys over time: a rotation in four steps, a minimum, and a secret that goes and comes back.

use std::time::Duration;

use serde_json::{Value, json};

use super::runtime_api::{Function, Outcome};
use super::{Api, STACK, binary, roles};
use crate::support::account::REGION;
use crate::support::sdk;

/// The rotation function's own binary, under its own role, against the account's Secrets Manager: what Secrets Manager
/// would invoke, and the emulator does not.
pub(super) async fn rotation(api: &Api) -> Function {
    let (_, credentials) = roles::under(&api.account, STACK, "RotateRole").await;
    let environment = [
        ("AWS_ENDPOINT_URL", api.account.endpoint_url.as_str()),
        ("AWS_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key()),
        ("AWS_SESSION_TOKEN", credentials.session_token().unwrap()),
        ("KEYRING_SECRET", "shop-crypto/keyring"),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Function::start(&binary("rotate"), Duration::from_secs(30), &environment)
}

pub(super) fn rotate(function: &Function, secret: &str, token: &str) {
    for step in ["createSecret", "setSecret", "testSecret", "finishSecret"] {
        let event = json!({"Step": step, "SecretId": secret, "ClientRequestToken": token}).to_string();
        // Each twice, as Secrets Manager may ask.
        for _ in 0..2 {
            let outcome = function.invoke(&event);
            assert!(matches!(outcome, Outcome::Answered(_)), "{step}: {outcome:?}\n{}", function.log());
        }
    }
}

async fn set_minimum(api: &Api, minimum: u32) -> Value {
    let client = aws_sdk_lambda::Client::new(&sdk::config(&api.account, true).await);
    let event = json!({"operation": "set-minimum", "min_decryption_version": minimum}).to_string();
    let request =
        client.invoke().function_name(format!("{STACK}-rotate")).qualifier("live").payload(event.into_bytes().into());
    let answer = request.send().await.unwrap();
    let payload = answer.payload().map(|blob| blob.as_ref().to_vec()).unwrap_or_default();
    assert_eq!(answer.function_error(), None, "{}", String::from_utf8_lossy(&payload));
    serde_json::from_slice(&payload).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn old_ciphertexts_open_after_a_rotation_and_no_longer_below_the_minimum() {
    let api = Api::deploy().await;
    let (_, old) = api.post("/v1/encrypt", &json!({"text": "x"}));
    let old = json!({"ciphertext": old["ciphertext"]});
    let function = rotation(&api).await;
    rotate(&function, &api.outputs["KeyringSecret"], "11111111-1111-4111-8111-111111111111");

    let (status, new) = api.post("/v1/encrypt", &json!({"text": "y"}));
    assert_eq!((status, &new["key_version"]), (200, &json!(2)), "{new}");
    let (status, opened) = api.post("/v1/decrypt", &old);
    assert_eq!((status, &opened["text"], &opened["key_version"]), (200, &json!("x"), &json!(1)), "{opened}");
    let (_, wrapped) = api.post("/v1/rewrap", &old);
    assert_eq!((&wrapped["previous_key_version"], &wrapped["key_version"]), (&json!(1), &json!(2)), "{wrapped}");

    assert_eq!(set_minimum(&api, 2).await["min_decryption_version"], 2);
    let (status, problem) = api.post("/v1/decrypt", &old);
    assert_eq!((status, &problem["type"]), (422, &json!("urn:plumb:problem:decryption-refused")), "{problem}");
    assert_eq!(api.post("/v1/decrypt", &json!({"ciphertext": wrapped["ciphertext"]})).1["text"], "x");
    assert_eq!(api.get("/v1/keys").1["versions"][0]["state"], "retired");
    // Nothing was deleted: the minimum can be taken back.
    set_minimum(&api, 1).await;
    assert_eq!(api.post("/v1/decrypt", &old).0, 200);
    rotate(&function, &api.outputs["KeyringSecret"], "22222222-2222-4222-8222-222222222222");
    assert_eq!(api.get("/v1/keys").1["latest"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_gone_is_a_503_and_one_that_is_back_needs_no_deployment() {
    let api = Api::deploy().await;
    let (_, sealed) = api.post("/v1/encrypt", &json!({"text": "x"}));
    let request = json!({"ciphertext": sealed["ciphertext"]});
    let client = aws_sdk_secretsmanager::Client::new(&sdk::config(&api.account, true).await);
    let keyring = &api.outputs["KeyringSecret"];
    client.delete_secret().secret_id(keyring).send().await.unwrap();
    for (status, problem) in [api.post("/v1/decrypt", &request), api.get("/v1/health"), api.get("/v1/keys")] {
        assert_eq!((status, &problem["type"]), (503, &json!("urn:plumb:problem:keyring-unavailable")), "{problem}");
        assert!(!problem.to_string().contains("deletion"), "why is the operator's to know: {problem}");
    }
    client.restore_secret().secret_id(keyring).send().await.unwrap();
    // What failed is not asked for again within a second.
    let recovered = (0..10_000).map(|_| api.post("/v1/decrypt", &request)).find(|(status, _)| *status != 503);
    assert_eq!(recovered.unwrap().1["text"], "x");
}
