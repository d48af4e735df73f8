//! Bootstrap of the intake function.
//!
//! `TABLE` names its table, `KEEP_KEYS_SECONDS` says how long the same key is the same record, `SCHEMA_BUCKET` and
//! `SCHEMA_KEY` where the schema is, if there is one; `AWS_ENDPOINT_URL` another place than AWS's.

use lambda_runtime::Error;
use plumb_lambda::intake::Intake;
use plumb_lambda::intake::live::Live;
use plumb_lambda::runtime;

// One request at a time is all that a function's process is given.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (world, settings) = Live::from_environment()?;
    let intake = &Intake::new(world, settings, runtime::name(), runtime::log);
    runtime::serve(async |event, request_id| Ok(intake.handle(event.get(), &request_id).await)).await
}
