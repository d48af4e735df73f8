//! Bootstrap of the function that Secrets Manager calls to rotate the keyring.
//!
//! `KEYRING_SECRET` names the secret; a step about another one is refused.

// The SDK's futures nest deeper than the compiler's default allows.
#![recursion_limit = "256"]

use lambda_runtime::Error;
use plumb_lambda::{rotate, runtime};
use serde_json::json;

// One request at a time is all that a function's process is given.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let secret = &runtime::secret()?;
    runtime::serve(async |event, request_id| {
        let result = rotate::handle(secret, event.get()).await;
        let line = match &result {
            Ok(report) => json!({"level": "info", "request_id": request_id, "report": report}),
            Err(error) => json!({"level": "error", "request_id": request_id, "error": error.to_string()}),
        };
        runtime::log(&line.to_string());
        Ok(result?)
    })
    .await
}
