//! The demo's sample project of the deploy pipeline, deployed by the worker as README says.

use std::process::{Command, Output};

use serde_json::json;

use super::shop::shop;

fn worker(branch: &str) -> Output {
    let home = tempfile::tempdir().unwrap();
    let mut worker = Command::new(crate::crypto::binary("plumb-worker"));
    worker.args(["--project", "demo", "--branch", branch]).current_dir(home.path()).env_clear();
    worker.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", home.path()).envs(shop().variables());
    worker.env("PLUMB_LOCAL", "1").output().unwrap()
}

#[test]
fn the_sample_project_is_deployed_by_the_worker_from_the_branches_that_it_is_registered_with() {
    let queue = || {
        let asked = json!({"QueueName": "demo-greetings"});
        shop().somebody("a-test").json("sqs", "AmazonSQS.GetQueueUrl", &asked).unwrap().status
    };
    let told = |output: &Output| {
        format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let refused = worker("feature/cat");
    assert_eq!(refused.status.code(), Some(2), "{}", told(&refused));
    let done = worker("main");
    assert!(done.status.success(), "{}", told(&done));
    assert_eq!(queue(), 200, "{}", told(&done));
}
