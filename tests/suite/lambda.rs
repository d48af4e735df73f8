//! `plumb lambda`: what is written out builds by itself, and what was built is packed, named and checked. The compiler is
//! a stand-in here; `.ci/run` builds for real.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn plumb(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plumb"));
        command.args(arguments).current_dir(self.directory.path()).env_remove("CARGO_TARGET_DIR");
        command.env("PLUMB_DATA_DIR", self.path("data")).env("CARGO", self.path("tools/cargo"));
        // The stand-ins, and what a script needs.
        command.env("PATH", format!("{}:/usr/bin:/bin", self.path("tools").display()));
        command.output().unwrap()
    }

    /// A cargo that makes these executables of whatever it is asked for, on a machine of this kind.
    fn with_compiler(self, host: &str, executable: &[u8]) -> Self {
        std::fs::create_dir_all(self.path("tools")).unwrap();
        std::fs::write(self.path("executable"), executable).unwrap();
        let made = self.path("executable").display().to_string();
        self.script(
            "cargo",
            &format!(
                "echo \"$@\" >> ../asked\nwhile [ $# -gt 0 ]; do [ \"$1\" = --target-dir ] && target=$2; shift; done\n\
                 mkdir -p $target/lambda\nfor name in crypto rotate integrity intake summary; do cp {made} $target/lambda/$name; done"
            ),
        );
        self.script("rustc", &format!("echo 'rustc 1.95.0'; echo 'host: {host}'"));
        self
    }

    /// The functions' dependencies in what was written out to `api`.
    fn cargo_tree(&self, arguments: &[&str]) -> Output {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["tree", "--offline", "--prefix", "none", "--package", "plumb-lambda"]).args(arguments);
        command.current_dir(self.path("api")).output().unwrap()
    }

    fn script(&self, name: &str, text: &str) {
        let path = self.path("tools").join(name);
        std::fs::write(&path, format!("#!/bin/sh\nset -e\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }
}

/// The head of a static executable for Intel: it needs no glibc.
fn executable() -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
    bytes[18] = 62;
    bytes
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn what_is_written_out_is_a_workspace_that_cargo_takes_as_it_is() {
    let place = Place::new();
    let output = place.plumb(&["lambda", "eject", "api"]);
    assert!(output.status.success(), "{}", told(&output));
    let written = String::from_utf8(output.stdout).unwrap();
    for file in [
        "Cargo.toml",
        "Cargo.lock",
        "lambda/Cargo.toml",
        "lambda/template.yaml",
        "lambda/integrity.yaml",
        "lambda/intake.yaml",
        "lambda/src/envelope.rs",
    ] {
        assert!(written.lines().any(|line| line == format!("api/{file}")), "{file}: {written}");
    }
    let tree = place.cargo_tree(&["--locked"]);
    assert!(tree.status.success(), "{}", told(&tree));
    assert!(told(&tree).contains("aws-sdk-secretsmanager"));
    let again = place.plumb(&["lambda", "eject", "api"]);
    assert!(again.status.success(), "the same again changes nothing");
    std::fs::write(place.path("api/lambda/README.md"), "mine").unwrap();
    let refused = place.plumb(&["lambda", "eject", "api"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(told(&refused).contains("README.md") && told(&refused).contains("--force"), "{}", told(&refused));
    assert_eq!(std::fs::read_to_string(place.path("api/lambda/README.md")).unwrap(), "mine");
}

#[test]
fn what_is_written_out_locks_the_versions_that_were_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = Place::new();
    assert!(place.plumb(&["lambda", "eject", "api"]).status.success());
    let carried = std::fs::read_to_string(place.path("api/Cargo.lock")).unwrap();
    // Of the workspace's lock file cargo leaves what is needed.
    std::fs::copy(root.join("Cargo.lock"), place.path("api/Cargo.lock")).unwrap();
    let tree = place.cargo_tree(&[]);
    assert!(tree.status.success(), "{}", told(&tree));
    let needed = std::fs::read_to_string(place.path("api/Cargo.lock")).unwrap();
    if std::env::var_os("PLUMB_WRITE_PAPERS").is_some() {
        std::fs::write(root.join("src/ops/lambda/Cargo.lock"), &needed).unwrap();
        return;
    }
    let how = "write it anew: PLUMB_WRITE_PAPERS=1 cargo test --test suite lambda";
    assert!(carried == needed, "src/ops/lambda/Cargo.lock has not what Cargo.lock has; {how}");
}

#[test]
fn each_artifact_is_named_by_its_digest_and_is_the_same_again() {
    let place = Place::new().with_compiler("x86_64-unknown-linux-gnu", &executable());
    let build = |out: &str| {
        let output = place.plumb(&["lambda", "build", "--out", out, "--output", "json"]);
        assert!(output.status.success(), "{}", told(&output));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let (one, other) = (build("one"), build("other"));
    for number in 0..5 {
        let function = &one["functions"][number];
        let (name, sha256) = (function["name"].as_str().unwrap(), function["sha256"].as_str().unwrap());
        let zip = std::fs::read(place.path(&format!("one/{name}-{sha256}.zip"))).unwrap();
        let digest = Sha256::digest(&zip).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        assert_eq!((sha256, function["bytes"].as_u64()), (digest.as_str(), Some(zip.len() as u64)));
        assert_eq!(other["functions"][number]["sha256"], function["sha256"]);
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
        let entry = zip.by_index(0).unwrap();
        assert_eq!(
            (entry.name().unwrap().as_ref(), entry.unix_mode().map(|mode| mode & 0o777)),
            ("bootstrap", Some(0o755))
        );
    }
    let written: Value = serde_json::from_slice(&std::fs::read(place.path("one/lambda.json")).unwrap()).unwrap();
    assert_eq!(written, one);
    let template = std::fs::read_to_string(place.path("one/template.yaml")).unwrap();
    assert_eq!(template, include_str!("../../lambda/template.yaml"));
    let template = std::fs::read_to_string(place.path("one/integrity.yaml")).unwrap();
    assert_eq!(template, include_str!("../../lambda/integrity.yaml"));
    let template = std::fs::read_to_string(place.path("one/intake.yaml")).unwrap();
    assert_eq!(template, include_str!("../../lambda/intake.yaml"));
    assert_eq!(one["source_tree"].as_str().map(str::len), Some(40));
    let source = place.path("data/lambda").join(one["source_tree"].as_str().unwrap());
    assert!(source.join("lambda/Cargo.toml").is_file(), "what is carried is unpacked under its name");
    let asked = std::fs::read_to_string(place.path("data/lambda/asked")).unwrap();
    assert!(
        asked.starts_with(
            "build --locked --profile lambda --package plumb-lambda --bin crypto --bin rotate --bin integrity --bin intake --bin summary"
        ),
        "{asked}"
    );
}

#[test]
fn what_was_written_out_and_changed_is_another_source_with_another_deployment() {
    let place = Place::new().with_compiler("x86_64-unknown-linux-gnu", &executable());
    assert!(place.plumb(&["lambda", "eject", "api"]).status.success());
    let path = place.path("api/lambda/template.yaml");
    let changed = std::fs::read_to_string(&path).unwrap().replace("PathPart: rewrap", "PathPart: wrap");
    std::fs::write(&path, &changed).unwrap();
    let output = place.plumb(&["lambda", "build", "--source", "api", "-o", "json"]);
    assert!(output.status.success(), "{}", told(&output));
    let built: Value = serde_json::from_slice(&output.stdout).unwrap();
    let template = std::fs::read_to_string(place.path("dist/template.yaml")).unwrap();
    assert_ne!(template, changed, "the deployment has another name");
    assert!(template.contains("PathPart: wrap"));
    let text = place.plumb(&["lambda", "build"]);
    assert!(!told(&text).contains(built["source_tree"].as_str().unwrap()), "{}", told(&text));
    assert!(
        told(&text).contains("crypto   0.01 MB zipped") && told(&text).contains("source   git tree"),
        "{}",
        told(&text)
    );
}

#[test]
fn what_cannot_be_built_says_what_to_install() {
    type Case<'a> = (&'a str, &'a str, &'a [u8], &'a [&'a str], &'a [&'a str]);
    let cases: [Case<'_>; 4] = [
        (
            "no executable",
            "x86_64-unknown-linux-gnu",
            b"#!/bin/sh\n",
            &[],
            &["crypto is no Linux executable", "cargo-lambda"],
        ),
        ("another processor", "aarch64-apple-darwin", &[], &[], &["aarch64-apple-darwin", "x86_64", "cargo-lambda"]),
        (
            "for Graviton",
            "aarch64-unknown-linux-gnu",
            &executable(),
            &["--arch", "arm64"],
            &["for x86_64 and not for arm64"],
        ),
        (
            "a directory without it",
            "x86_64-unknown-linux-gnu",
            &[],
            &["--source", "."],
            &["lambda/Cargo.toml", "plumb lambda eject"],
        ),
    ];
    for (name, host, made, arguments, expected) in cases {
        let place = Place::new().with_compiler(host, made);
        let output = place.plumb(&[&["lambda", "build"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{name}");
        for text in expected {
            assert!(told(&output).contains(text), "{name}: {}", told(&output));
        }
        assert!(!Path::new(&place.path("dist/lambda.json")).exists(), "{name}");
    }
    let place = Place::new().with_compiler("x86_64-unknown-linux-gnu", &[]);
    place.script("cargo", "echo 'error: no such thing' >&2; exit 101");
    let output = place.plumb(&["lambda", "build"]);
    assert!(
        told(&output).contains("error: no such thing") && told(&output).contains("do not build"),
        "{}",
        told(&output)
    );
}
