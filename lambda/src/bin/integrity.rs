//! Bootstrap of the function that keeps live true to git.
//!
//! Its environment says what is watched and what is done about it; `integrity.yaml` sets all of it.

// The SDK's futures nest deeper than the compiler's default allows.
#![recursion_limit = "256"]

use lambda_runtime::Error;
use plumb_lambda::integrity::live::Live;
use plumb_lambda::{integrity, runtime};
use serde_json::json;

// One event at a time is all that a function's process is given.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (world, settings) = &Live::from_environment()?;
    let name = &runtime::name();
    runtime::serve(async |text, request_id| {
        let event = integrity::event::read(text.get());
        let result = integrity::handle(world, settings, &event).await;
        runtime::log(&integrity::line(settings, name, &request_id, &event, &result).to_string());
        let outcome = result?.answer()?;
        Ok(json!({"decision": outcome.decision, "reason": outcome.reason}))
    })
    .await
}
