//! The files of the crate `lambda/`, one line each, and what of the workspace it needs to stand alone.

macro_rules! embedded {
    ($($path:literal,)+) => {
        /// Paths below `lambda/`, and what they hold.
        pub(super) const FILES: &[(&str, &[u8])] =
            &[$(($path, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/lambda/", $path))),)+];
    };
}

embedded! {
    "Cargo.toml",
    "ENVELOPE.md",
    "README.md",
    "SUMMARY.md",
    "examples/measure.rs",
    "examples/weeks.rs",
    "fuzz/.gitignore",
    "fuzz/Cargo.toml",
    "fuzz/fuzz_targets/envelope.rs",
    "intake.openapi.yaml",
    "intake.yaml",
    "integrity.yaml",
    "openapi.yaml",
    "pipeline.yaml",
    "src/answer.rs",
    "src/api.rs",
    "src/api/item.rs",
    "src/api/tests.rs",
    "src/api/tests/random.rs",
    "src/aws.rs",
    "src/bin/crypto.rs",
    "src/bin/intake.rs",
    "src/bin/integrity.rs",
    "src/bin/plumb-worker.rs",
    "src/bin/rotate.rs",
    "src/bin/summary.rs",
    "src/bin/trigger.rs",
    "src/digest.rs",
    "src/envelope.rs",
    "src/envelope/tests.rs",
    "src/event.rs",
    "src/http.rs",
    "src/intake.rs",
    "src/intake/document.rs",
    "src/intake/item.rs",
    "src/intake/live.rs",
    "src/intake/schema.rs",
    "src/intake/tests.rs",
    "src/intake/tests/random.rs",
    "src/intake/tests/table.rs",
    "src/integrity.rs",
    "src/integrity/event.rs",
    "src/integrity/found.rs",
    "src/integrity/github.rs",
    "src/integrity/judge.rs",
    "src/integrity/live.rs",
    "src/integrity/live/stacks.rs",
    "src/integrity/live/values.rs",
    "src/integrity/notice.rs",
    "src/integrity/record.rs",
    "src/integrity/state.rs",
    "src/integrity/state/tests.rs",
    "src/integrity/tests.rs",
    "src/integrity/watched.rs",
    "src/json.rs",
    "src/keyring.rs",
    "src/keyring/cache.rs",
    "src/keyring/tests.rs",
    "src/lib.rs",
    "src/pipeline.rs",
    "src/pipeline/branches.rs",
    "src/pipeline/live.rs",
    "src/pipeline/message.rs",
    "src/pipeline/message/tests.rs",
    "src/pipeline/names.rs",
    "src/pipeline/registry.rs",
    "src/problem.rs",
    "src/record.rs",
    "src/rotate.rs",
    "src/rotate/steps.rs",
    "src/rotate/tests.rs",
    "src/runtime.rs",
    "src/secrets_manager.rs",
    "src/summary.rs",
    "src/summary/archive.rs",
    "src/summary/bounds.rs",
    "src/summary/failure.rs",
    "src/summary/live.rs",
    "src/summary/manifest.rs",
    "src/summary/merge.rs",
    "src/summary/sketch.rs",
    "src/summary/statistics.rs",
    "src/summary/tests.rs",
    "src/summary/tests/memory.rs",
    "src/summary/tests/template.rs",
    "src/summary/week.rs",
    "src/trigger.rs",
    "src/trigger/event.rs",
    "src/trigger/live.rs",
    "src/trigger/record.rs",
    "src/trigger/state.rs",
    "src/trigger/tests.rs",
    "src/ulid.rs",
    "src/worker.rs",
    "src/worker/ask.rs",
    "src/worker/credentials.rs",
    "src/worker/fetch.rs",
    "src/worker/live.rs",
    "src/worker/mask.rs",
    "src/worker/outcome.rs",
    "src/worker/place.rs",
    "src/worker/run.rs",
    "template.yaml",
    "tests/functions/bootstrap.rs",
    "tests/functions/judged.rs",
    "tests/functions/main.rs",
    "tests/functions/over_tls.rs",
    "tests/functions/reference.rs",
    "tests/functions/requests.rs",
    "tests/functions/summed.rs",
    "tests/functions/vectors.rs",
    "tests/functions/worker.rs",
    "tests/reference/envelope.py",
    "tests/reference/github.json",
    "tests/reference/known_answers.json",
    "tests/schemathesis.py",
    "tests/support/events.rs",
    "tests/support/git_server.rs",
    "tests/support/http.rs",
    "tests/support/openapi.rs",
    "tests/support/runtime_api.rs",
    "tests/support/secrets.rs",
    "tests/support/tls.rs",
    "tests/support/week.rs",
    "worker.Containerfile",
}

/// The workspace's own manifest, from which that of what is written out is made.
pub(super) const MANIFEST: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
/// What cargo leaves of the workspace's lock file for these functions alone. It is no simple part of it: what is locked
/// depends on the features that are asked for. A test of `plumb lambda` makes it, and holds it to the workspace's.
pub(super) const LOCK: &str = include_str!("Cargo.lock");

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn every_file_that_git_has_is_carried_and_no_other() {
        let listed = Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard", "."])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/lambda"))
            .output()
            .unwrap();
        let mut there: Vec<&str> = std::str::from_utf8(&listed.stdout).unwrap().lines().collect();
        there.sort_unstable();
        let mut carried: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        carried.sort_unstable();
        assert_eq!(carried, there, "the list in src/ops/lambda/embedded.rs is of all files below lambda/");
    }
}
