//! Actionlint, which knows GitHub's workflows: it finds nothing in those that `plumb init` writes.

use std::process::Command;

use super::binary;
use crate::init::Newcomer;

#[test]
#[ignore = "needs tests/peers/install.sh actionlint"]
fn the_workflows_that_are_written_are_clean_for_actionlint() {
    for arguments in [
        &["--workflows"][..],
        &["--workflows", "--credentials", "secrets", "--branch", "release/1.x", "--environments", "dev,eu-prod"],
        &["--workflows", "--lambda", "--new-key", "--region", "eu-central-1"],
    ] {
        let mara = Newcomer::new(Vec::new());
        mara.plumb(&[&["init", "--yes"], arguments].concat()).ended(0);
        for name in ["deploy.yml", "check.yml"] {
            let file = mara.path("shop/.github/workflows").join(name);
            let output = Command::new(binary("actionlint"))
                .args(["-no-color", "-shellcheck=", "-pyflakes="])
                .arg(&file)
                .output()
                .unwrap_or_else(|error| panic!("actionlint: {error}; tests/peers/install.sh installs it"));
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && told.is_empty(),
                "{arguments:?}: {told}\n{}",
                mara.read(&format!(".github/workflows/{name}"))
            );
        }
        // It does find what is wrong.
        let file = mara.path("shop/.github/workflows/deploy.yml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("matrix.environment", "matrix.place")).unwrap();
        let status = Command::new(binary("actionlint")).arg(&file).output().unwrap().status;
        assert!(!status.success(), "{arguments:?}");
    }
}
