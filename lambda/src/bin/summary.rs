//! Bootstrap of the function that writes a week's summary.
//!
//! `TABLE` names the intake's table, `BUCKET` where summaries are written; `AWS_ENDPOINT_URL` another place than AWS's.

use lambda_runtime::Error;
use plumb_lambda::summary::live::Live;
use plumb_lambda::{runtime, summary};

// One request at a time is all that a function's process is given.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = &Live::from_environment()?;
    let name = &runtime::name();
    runtime::serve_named(async |event, request_id| {
        let begun = std::time::Instant::now();
        let result = summary::handle(world, event.get()).await;
        runtime::log(&summary::line(name, &request_id, &result, begun.elapsed()).to_string());
        result
    })
    .await
}
