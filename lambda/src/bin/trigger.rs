//! Bootstrap of the function that starts builds.
//!
//! Its environment names the topic, the table and the build project; `pipeline.yaml` sets all of it.

// The SDK's futures nest deeper than the compiler's default allows.
#![recursion_limit = "256"]

use lambda_runtime::Error;
use plumb_lambda::trigger::live::Live;
use plumb_lambda::trigger::{self, Decision};
use plumb_lambda::{runtime, trigger::event};
use serde_json::json;

// One event at a time is all that a function's process is given.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (world, topic) = &Live::from_environment()?;
    let name = &runtime::name();
    runtime::serve(async |text, request_id| {
        let mut again = Vec::new();
        let mut decisions = Vec::new();
        let deliveries = event::read(text.get(), topic);
        let deliveries =
            deliveries.inspect_err(|odd| runtime::log(&trigger::odd(name, &request_id, odd).to_string()))?;
        for delivery in deliveries {
            let result = trigger::handle(world, &delivery).await;
            runtime::log(&trigger::line(name, &request_id, &delivery, &result).to_string());
            let outcome = result?;
            decisions.push(json!({"job": delivery.id, "decision": outcome.decision.word()}));
            if let Decision::Waits(_) = outcome.decision {
                again.push(json!({"itemIdentifier": delivery.queued}));
            }
        }
        Ok(json!({"batchItemFailures": again, "decisions": decisions}))
    })
    .await
}
