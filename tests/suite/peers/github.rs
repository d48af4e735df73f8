//! What the plain tests hold GitHub's client to, beside GitHub's own description of its API (`@octokit/openapi`).

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// What `tests/suite/cli/redeploy` is held to.
const CONTRACT: &str = include_str!("../../fixtures/github/contract.json");

/// What the loop's function is held to.
const OF_THE_LOOP: &str = include_str!("../../../lambda/tests/reference/github.json");

fn description() -> PathBuf {
    let path = super::peers().join("github/api.github.com.deref.json");
    assert!(path.exists(), "{} is not there; tests/peers/install.sh github installs it", path.display());
    path
}

#[test]
#[ignore = "needs tests/peers/install.sh github"]
fn the_contract_is_what_is_cut_out_of_githubs_description() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/github.py");
    let output = Command::new("python3").arg(script).arg(description()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8(output.stdout).unwrap() == CONTRACT, "tests/peers/github.py says how it is cut anew");
}

#[test]
#[ignore = "needs tests/peers/install.sh github"]
fn the_loops_function_is_held_to_the_same_description() {
    let described: Value = serde_json::from_slice(&std::fs::read(description()).unwrap()).unwrap();
    let of_the_loop: Value = serde_json::from_str(OF_THE_LOOP).unwrap();
    let operations = of_the_loop["operations"].as_object().unwrap();
    assert!(!operations.is_empty());
    for (path, operation) in operations {
        let body = &described["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(&operation["body"], body, "{path}");
    }
}
