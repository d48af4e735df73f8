//! Over TLS, as on AWS: elsewhere in these tests the functions speak plain HTTP to this machine.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::bootstrap::ask;
use crate::runtime_api::Function;
use crate::secrets::Secrets;
use crate::tls::Tls;

fn crypto(secrets: &Secrets, front: &Tls, trusted: &Path) -> Function {
    let mut environment = secrets.environment();
    environment.retain(|(name, _)| name != "AWS_ENDPOINT_URL");
    environment.push(("AWS_ENDPOINT_URL".to_owned(), front.url()));
    environment.push(("SSL_CERT_FILE".to_owned(), trusted.display().to_string()));
    Function::start(Path::new(env!("CARGO_BIN_EXE_crypto")), Duration::from_secs(10), &environment)
}

#[test]
fn the_keyring_comes_over_tls_from_whom_the_system_trusts_and_from_nobody_else() {
    let (ours, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let secrets = Secrets::start();
    let (front, stranger) =
        (Tls::before(secrets.address(), ours.path()), Tls::before(secrets.address(), others.path()));

    let deceived = crypto(&secrets, &stranger, &front.authority());
    let (status, problem) = ask(&deceived, "POST", "/v1/encrypt", &json!({"text": "grüße"}));
    assert_eq!(status, 503, "{problem}");
    assert_eq!(secrets.calls(), [] as [&str; 0], "an untrusted server is told nothing");

    let function = crypto(&secrets, &front, &front.authority());
    let (status, sealed) = ask(&function, "POST", "/v1/encrypt", &json!({"text": "grüße"}));
    assert_eq!(status, 200, "{sealed}");
    let (_, opened) = ask(&function, "POST", "/v1/decrypt", &json!({"ciphertext": sealed["ciphertext"]}));
    assert_eq!(opened["text"], "grüße");
}
