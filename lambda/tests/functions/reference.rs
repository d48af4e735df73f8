//! The envelope against the one that `tests/reference/envelope.py` makes: each opens what the other sealed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use plumb_lambda::envelope::{Context, Key, decrypt, encrypt};
use serde_json::{Value, json};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/envelope.py");
/// The version is part of the directory's name, so that another one is installed beside it.
const REQUIREMENT: &str = "cryptography==50.0.2";
const HINT: &str = "the reference needs Python 3.10 or newer with venv, and the Python package index: on Debian and Ubuntu \
                    `apt install python3-venv`";

/// A Python that has `cryptography`, in a virtual environment below the target directory.
fn python() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reference-{REQUIREMENT}"));
    let python = directory.join("bin/python");
    let ready = directory.join("ready");
    // Tests of two processes may want it at once.
    let lock = std::fs::File::create(directory.with_extension("lock")).expect("the target directory can be written to");
    lock.lock().expect("a file can be locked");
    if !ready.exists() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&directory));
        let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
        run(Command::new(&python).args(arguments).arg(REQUIREMENT));
        std::fs::write(&ready, "").expect("the target directory can be written to");
    }
    python
}

fn run(command: &mut Command) {
    match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!("{command:?}: {}\n{HINT}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => panic!("{command:?}: {error}\n{HINT}"),
    }
}

/// The script, answering line by line; ended with the value.
struct Reference(Child, BufReader<std::process::ChildStdout>);

impl Reference {
    fn start() -> Self {
        let mut child = Command::new(python())
            .args([SCRIPT, "serve"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the reference starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Self(child, output)
    }

    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.0.stdin.as_mut().expect("its input"), "{request}").expect("it listens");
        let mut line = String::new();
        self.1.read_line(&mut line).expect("it answers");
        serde_json::from_str(&line).expect("an answer in JSON")
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Messages, contexts and versions at the ends of what there is.
fn cases() -> Vec<(Vec<u8>, Context, u32, [u8; 32])> {
    let context = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let contexts: [Context; 5] = [
        context(&[]),
        context(&[("", "")]),
        context(&[("ﬀ", "1"), ("😀", "2"), ("z", "3")]),
        context(&[("a\u{0}b", "\n\"\\")]),
        (0..16).map(|number| (format!("{number}"), "ß".repeat(number))).collect(),
    ];
    let messages = [vec![], vec![0], "grüße 🔑".as_bytes().to_vec(), (0..=255).collect(), vec![7; 70_000]];
    let mut cases = Vec::new();
    for (number, message) in messages.iter().enumerate() {
        for (other, context) in contexts.iter().enumerate() {
            let version = [1, 2, 255, 65_536, u32::MAX][(number + other) % 5];
            let seed = u8::try_from(number * 5 + other).unwrap();
            cases.push((
                message.clone(),
                context.clone(),
                version,
                std::array::from_fn(|at| seed.wrapping_mul(31) ^ u8::try_from(at).unwrap()),
            ));
        }
    }
    cases
}

#[test]
fn each_opens_what_the_other_sealed_and_neither_opens_it_with_another_context() {
    let mut reference = Reference::start();
    for (message, context, version, material) in cases() {
        let keyring = "00112233445566778899aabbccddeeff";
        let key = Key { keyring, version, material: &material };
        let common = json!({"keyring": keyring, "version": version, "material": hex(&material), "context": context});
        let with = |name: &str, value: String| {
            let mut case = common.clone();
            case[name] = value.into();
            case
        };

        let ours = encrypt(&key, &message, &context).unwrap();
        let opened = reference.ask(&json!({"open": with("text", ours.clone())}));
        assert_eq!(opened["message"], hex(&message), "version {version}, {context:?}");
        let mut moved = with("text", ours);
        moved["context"]["another"] = "pair".into();
        assert_eq!(reference.ask(&json!({"open": moved}))["error"], "does not open");

        let mut case = with("message", hex(&message));
        case["salt"] = hex(&material).chars().rev().collect::<String>().into();
        let theirs = reference.ask(&json!({"seal": case}));
        let theirs = theirs["text"].as_str().unwrap();
        assert_eq!(*decrypt(&key, theirs, &context).unwrap(), *message, "version {version}, {context:?}");
        let mut moved = context.clone();
        moved.insert("another".to_owned(), "pair".to_owned());
        assert!(decrypt(&key, theirs, &moved).is_err());
    }
}

#[test]
fn the_known_answers_are_those_of_the_reference() {
    let output = Command::new(python()).args([SCRIPT, "known"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let known = include_str!("../reference/known_answers.json");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), known, "envelope.py known > known_answers.json");
}
