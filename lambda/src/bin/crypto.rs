//! Bootstrap of the crypto function.
//!
//! `KEYRING_SECRET` names the secret that holds the keyring; `AWS_ENDPOINT_URL` is the SDK's own.

// The SDK's futures nest deeper than the compiler's default allows.
#![recursion_limit = "256"]

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use plumb_lambda::keyring::Keys;
use plumb_lambda::{SecretsManager, api};
use serde_json::Value;

// One request at a time is all that a function's process is given.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let secret = std::env::var("KEYRING_SECRET").map_err(|_| "KEYRING_SECRET is not set")?;
    let config = aws_config::load_from_env().await;
    let store = SecretsManager::new(aws_sdk_secretsmanager::Client::new(&config), secret);
    let keys = Arc::new(Keys::new(store));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let keys = Arc::clone(&keys);
        async move { Ok::<_, Error>(api::handle(&keys, event.payload, &event.context.request_id).await) }
    }))
    .await
}
