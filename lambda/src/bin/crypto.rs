//! Bootstrap of the crypto function.
//!
//! `KEYRING_SECRET` names the secret that holds the keyring, `KEYRING_CACHE_SECONDS` says how long it is kept;
//! `AWS_ENDPOINT_URL` another place than AWS's.

// The SDK's futures nest deeper than the compiler's default allows.
#![recursion_limit = "256"]

use lambda_runtime::Error;
use plumb_lambda::api::Crypto;
use plumb_lambda::keyring::Keys;
use plumb_lambda::runtime;

// One request at a time is all that a function's process is given.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let keys = Keys::new(runtime::secret()?, runtime::cache()?);
    let crypto = &Crypto::new(keys, runtime::name(), runtime::log);
    runtime::serve(async |event, request_id| Ok(crypto.handle(event.get(), &request_id).await)).await
}
