//! The pipeline's worker: see `plumb_lambda::worker`.

// The SDK's futures nest deeper than the compiler's default allows.
#![recursion_limit = "256"]

use std::io::Write as _;
use std::process::ExitCode;

use plumb_lambda::worker::ask::{Asked, USAGE};
use plumb_lambda::worker::work;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        let _ = write!(std::io::stdout().lock(), "{USAGE}");
        return ExitCode::SUCCESS;
    }
    let asked = match Asked::read(arguments, |name| std::env::var(name).ok()) {
        Ok(asked) => asked,
        Err(why) => {
            let _ = write!(std::io::stderr().lock(), "plumb-worker: {why}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(work(&asked));
            // A fetch that nobody waits for any more is not waited for.
            runtime.shutdown_background();
            ExitCode::from(code)
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr().lock(), "plumb-worker: it cannot begin: {error}");
            ExitCode::FAILURE
        }
    }
}
