//! `plumb`: the console, or one command.

// The SDK's futures nest deeper than the compiler's default allows.
#![recursion_limit = "256"]

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match plumb::cli::parse(plumb::app::CONSOLE) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(plumb::cli::run(cli, plumb::app::CONSOLE));
            // A read of a hanging endpoint or disk must not keep the shell waiting.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "plumb: cannot start its runtime: {error}");
            ExitCode::from(2)
        }
    }
}
