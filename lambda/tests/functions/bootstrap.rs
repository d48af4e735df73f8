//! The real bootstraps against a runtime API of ours: what they answer, and what they survive.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::runtime_api::{Function, Outcome};
use crate::secrets::Secrets;

/// As much time as the template gives the function.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The crypto function over a secret.
pub fn crypto(secrets: &Secrets) -> Function {
    Function::start(Path::new(env!("CARGO_BIN_EXE_crypto")), TIMEOUT, &secrets.environment())
}

fn rotate(secrets: &Secrets) -> Function {
    Function::start(Path::new(env!("CARGO_BIN_EXE_rotate")), TIMEOUT, &secrets.environment())
}

/// An event of API Gateway and the answer's status and body.
pub fn ask(function: &Function, method: &str, path: &str, body: &Value) -> (u64, Value) {
    let event = json!({"httpMethod": method, "path": path, "body": body.to_string(), "headers": {}});
    let answer = function.invoke(&event.to_string()).answer();
    let body = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    (answer["statusCode"].as_u64().unwrap(), body)
}

fn step(function: &Function, step: &str, token: &str) -> Outcome {
    let event = json!({"Step": step, "SecretId": "keyring", "ClientRequestToken": token});
    function.invoke(&event.to_string())
}

#[test]
fn a_message_goes_in_and_comes_out_and_the_keyring_is_read_once() {
    let secrets = Secrets::start();
    let function = crypto(&secrets);
    let (status, sealed) = ask(&function, "POST", "/v1/encrypt", &json!({"text": "grüße"}));
    assert_eq!(status, 200, "{sealed}");
    for _ in 0..3 {
        let (_, opened) = ask(&function, "POST", "/v1/decrypt", &json!({"ciphertext": sealed["ciphertext"]}));
        assert_eq!(opened["text"], "grüße");
    }
    assert_eq!(secrets.calls(), ["GetSecretValue", "PutSecretValue", "GetSecretValue"]);
    let log = function.log_with("00000000-0000-4000-8000-000000000004");
    assert!(!log.contains("grüße"), "{log}");
}

#[test]
fn the_request_id_of_a_problem_is_lambdas() {
    let function = crypto(&Secrets::start());
    let (status, problem) = ask(&function, "POST", "/v1/encrypt", &json!([]));
    assert_eq!((status, &problem["request_id"]), (400, &json!("00000000-0000-4000-8000-000000000001")));
    function.log_with("00000000-0000-4000-8000-000000000001");
}

#[test]
fn of_functions_that_start_together_each_opens_what_the_others_sealed() {
    let secrets = Secrets::start();
    let functions: Vec<Function> = (0..4).map(|_| crypto(&secrets)).collect();
    let sealed: Vec<Value> = std::thread::scope(|scope| {
        let asked: Vec<_> = functions
            .iter()
            .map(|function| scope.spawn(|| ask(function, "POST", "/encrypt", &json!({"text": "x"})).1))
            .collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (function, sealed) in functions.iter().zip(sealed.iter().rev()) {
        assert_eq!(ask(function, "POST", "/decrypt", &json!({"ciphertext": sealed["ciphertext"]})).0, 200);
    }
    assert_eq!(secrets.texts().len(), 1, "one keyring was made");
}

#[test]
fn a_secret_that_cannot_be_read_is_a_503_and_one_that_is_back_is_used() {
    let secrets = Secrets::start();
    let function = crypto(&secrets);
    secrets.fail(Some("AccessDeniedException"));
    let (status, problem) = ask(&function, "GET", "/v1/health", &Value::Null);
    assert_eq!((status, &problem["type"]), (503, &json!("urn:plumb:problem:keyring-unavailable")));
    assert!(!problem.to_string().contains("AccessDenied"));
    function.log_with("AccessDenied");
    secrets.fail(None);
    let recovered = (0..10_000).find(|_| ask(&function, "GET", "/v1/health", &Value::Null).0 == 200);
    assert!(recovered.is_some());
}

#[test]
fn a_secret_that_does_not_answer_is_a_503_before_lambda_gives_up() {
    let secrets = Secrets::start();
    secrets.slow(Duration::from_mins(1));
    let function = crypto(&secrets);
    assert_eq!(ask(&function, "GET", "/v1/health", &Value::Null).0, 503);
}

#[test]
fn the_largest_batch_is_answered_within_the_memory_that_the_template_gives() {
    let secrets = Secrets::start();
    // A debug build beside other tests is no measure of time; what is held here is the memory.
    let patience = Duration::from_mins(2);
    let function = Function::start(Path::new(env!("CARGO_BIN_EXE_crypto")), patience, &secrets.environment());
    let items = vec![json!({"text": "x".repeat(2800)}); 1000];
    let (status, sealed) = ask(&function, "POST", "/v1/encrypt", &json!({"items": items}));
    assert_eq!((status, &sealed["failed"]), (200, &json!(0)));
    let items = sealed["items"].as_array().unwrap().iter().map(|item| json!({"ciphertext": item["ciphertext"]}));
    let (status, _) = ask(&function, "POST", "/v1/decrypt", &json!({"items": items.collect::<Vec<_>>()}));
    assert_eq!(status, 200);
    let peak = function.peak_memory();
    assert!(peak < 128 * 1024, "{peak} KiB");
}

#[test]
fn four_steps_make_a_key_that_both_functions_use_and_old_ciphertexts_open() {
    let secrets = Secrets::start();
    let before = crypto(&secrets);
    let (_, sealed) = ask(&before, "POST", "/v1/encrypt", &json!({"text": "x"}));
    let rotate = rotate(&secrets);
    for name in ["createSecret", "createSecret", "setSecret", "testSecret", "finishSecret", "finishSecret"] {
        assert_eq!(step(&rotate, name, "token-1").answer()["latest"], 2, "{name}");
    }
    let after = crypto(&secrets);
    let (_, newer) = ask(&after, "POST", "/v1/encrypt", &json!({"text": "y"}));
    assert_eq!(newer["key_version"], 2);
    assert_eq!(ask(&after, "POST", "/v1/decrypt", &json!({"ciphertext": sealed["ciphertext"]})).0, 200);
    // The one that runs since before does not know the version, and reads the keyring again at once.
    assert_eq!(ask(&before, "POST", "/v1/decrypt", &json!({"ciphertext": newer["ciphertext"]})).0, 200);
    for text in secrets.texts() {
        let ring: Value = serde_json::from_str(&text).unwrap();
        for version in ring["versions"].as_object().unwrap().values() {
            let key = version["key"].as_str().unwrap();
            assert!([&rotate, &before, &after].iter().all(|function| !function.log().contains(key)));
        }
    }
}

#[test]
fn a_step_that_fails_is_a_failed_invocation_with_its_reason() {
    let secrets = Secrets::start();
    let rotate = rotate(&secrets);
    let Outcome::Failed(said) = step(&rotate, "finishSecret", "token-1") else { panic!("it did not fail") };
    assert!(said.contains("there is no keyring yet"), "{said}");
    assert!(matches!(rotate.invoke("[]"), Outcome::Failed(_)));
}

#[test]
fn without_its_settings_it_says_so_and_ends() {
    for (binary, setting) in [
        (env!("CARGO_BIN_EXE_crypto"), "KEYRING_SECRET"),
        (env!("CARGO_BIN_EXE_rotate"), "KEYRING_SECRET"),
        (env!("CARGO_BIN_EXE_integrity"), "PROJECT"),
        (env!("CARGO_BIN_EXE_trigger"), "AWS_ACCESS_KEY_ID"),
        (env!("CARGO_BIN_EXE_intake"), "AWS_ACCESS_KEY_ID"),
        (env!("CARGO_BIN_EXE_summary"), "AWS_ACCESS_KEY_ID"),
    ] {
        let mut command = Command::new(binary);
        let ended = command.env_clear().stdin(Stdio::null()).output().expect("the bootstrap starts");
        assert!(!ended.status.success());
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(said.contains(&format!("{setting} is not set")), "{said}");
    }
}

#[test]
fn a_crash_and_an_answer_that_never_comes_are_told_apart() {
    let directory = tempdir();
    let script = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        path
    };
    let crashing = Function::start(&script("crashing", "#!/bin/sh\nexit 3\n"), TIMEOUT, &[]);
    assert!(matches!(crashing.invoke("{}"), Outcome::Crashed(status) if status.code() == Some(3)));
    let stuck = Function::start(&script("stuck", "#!/bin/sh\nexec /bin/sleep 600\n"), Duration::from_millis(200), &[]);
    assert_eq!(stuck.invoke("{}"), Outcome::TimedOut);
}

fn tempdir() -> std::path::PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bootstraps-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn a_loop_whose_breaker_could_never_open_does_not_begin() {
    let settings = [
        ("PROJECT", "shop"),
        ("ENVIRONMENT", "prod"),
        ("MODE", "heal"),
        ("HOLD_PARAMETER", "/plumb/shop/prod/hold"),
        ("SETTLE_SECONDS", "600"),
        ("BREAKER_REDEPLOYS", "6"),
        ("GRACE_SECONDS", "300"),
        ("BREAKER_SECONDS", "3600"),
    ];
    let begun = |more: (&str, &str)| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_integrity"));
        let output = command.env_clear().envs(settings).env(more.0, more.1).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(begun(("BREAKER_REDEPLOYS", "6")).contains("BREAKER_SECONDS must be more than SETTLE_SECONDS times"));
    // One more second, or telling alone: what is missing next is told.
    for fine in [("BREAKER_SECONDS", "3601"), ("MODE", "notify-only")] {
        let told = begun(fine);
        assert!(!told.contains("BREAKER_SECONDS must") && told.contains("is"), "{fine:?}: {told}");
    }
}
