//! The crypto function's binary: built from `lambda/` by the cargo that built this program.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::compare::Why;

/// Names a binary that is built already.
const VARIABLE: &str = "PLUMB_CRYPTO_BOOTSTRAP";

/// The path of the function's binary, built when it is not there or its source has changed.
pub(super) async fn find(progress: &(dyn Fn(String) + Send + Sync)) -> Result<PathBuf, Why> {
    if let Some(path) = std::env::var_os(VARIABLE) {
        let path = PathBuf::from(path);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(Why::new(format!("{VARIABLE}: {} is no file", path.display())))
        };
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !workspace.join("lambda/Cargo.toml").is_file() {
        return Err(Why::new(format!(
            "the demo's function is built from plumb's source, which is not in {}",
            workspace.display()
        ))
        .hint(format!("run the demo in a checkout of plumb, or set {VARIABLE} to the built crypto function")));
    }
    let (target, profile) = layout()?;
    progress("building the crypto function".to_owned());
    // Asking for both packages gives their dependencies the features that this program was built with, so that
    // none is compiled a second time.
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--locked", "--package", "plumb", "--package", "plumb-lambda", "--bin", "crypto"]);
    cargo.args(["--profile", if profile == "debug" { "dev" } else { &profile }]);
    cargo.arg("--target-dir").arg(&target).current_dir(workspace).stdin(std::process::Stdio::null());
    let output = cargo.output().await.map_err(|error| {
        Why::new(format!("cannot run cargo, which builds the demo's function: {error}")).hint("install Rust: rustup.rs")
    })?;
    if !output.status.success() {
        let log = String::from_utf8_lossy(&output.stderr);
        let errors: Vec<&str> = log.lines().filter(|line| line.starts_with("error")).take(3).collect();
        return Err(Why::new(format!("the demo's function does not build: {}", errors.join(" | ")))
            .hint("cargo build --package plumb-lambda --bin crypto"));
    }
    Ok(target.join(profile).join("crypto"))
}

/// The target directory and profile that this program was built in: `target/release/plumb`.
fn layout() -> Result<(PathBuf, String), Why> {
    let exe = std::env::current_exe().map_err(|error| Why::new(format!("cannot tell this program's path: {error}")))?;
    let folder = exe.parent();
    let profile = folder.and_then(Path::file_name).and_then(|name| name.to_str());
    match (folder.and_then(Path::parent), profile) {
        (Some(target), Some(profile)) => Ok((target.to_owned(), profile.to_owned())),
        _ => Err(Why::new(format!("{} does not lie in a target directory", exe.display()))
            .hint(format!("set {VARIABLE} to the built crypto function"))),
    }
}
