//! `plumb crypto` against the deployed API: what a shell sees of it.

use std::io::Write as _;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use super::{Api, invoke, rotation};
use crate::cli::shop::{Done, Shop};
use crate::support::account::{self, Account, REGION};
use crate::support::proxy::{Fault, Proxy};

const PROJECT: &str = "name = \"petshop\"\n[crypto]\noutput = \"shop-{env}/CryptoEndpoint\"\n[environments.crypto]\n\
                       protection = \"confirm\"\n[environments.other]\n";

/// The function's log group.
const LOG: &str = "/aws/lambda/shop-crypto-crypto";

/// A project whose environment is where the API is, and an operator who may use it.
fn shop(api: &Api) -> Shop {
    shop_of(api, "operator", &[allow("logs:FilterLogEvents", &format!("{}*", log_group(api)))])
}

fn allow(action: &str, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

/// The ARN of the function's log group.
fn log_group(api: &Api) -> String {
    format!("arn:aws:logs:{REGION}:{}:log-group:{LOG}", api.account.id)
}

/// The same with an operator of that name, who may do this beside.
fn shop_of(api: &Api, name: &str, more: &[Value]) -> Shop {
    let operator = api.account.user(
        name,
        &[
            &[
                invoke(&api.outputs["InvokeArn"]),
                allow("cloudformation:DescribeStacks", "*"),
                allow("lambda:InvokeFunction", &api.outputs["CryptoFunction"]),
                allow("secretsmanager:RotateSecret", &api.outputs["KeyringSecret"]),
                allow("secretsmanager:DescribeSecret", &api.outputs["KeyringSecret"]),
            ],
            more,
        ]
        .concat(),
    );
    let mut shop = Shop::empty();
    shop.write("plumb.toml", PROJECT);
    shop.commit();
    shop.env = operator.env();
    shop
}

/// Runs `plumb crypto …`, with this on stdin.
fn crypto(shop: &Shop, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = shop.command(&[&["crypto"], arguments, &["--env", "crypto"]].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Who refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn done(shop: &Shop, arguments: &[&str], input: &[u8]) -> Done {
    Done::of(&crypto(shop, arguments, input))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_encrypts_another_decrypts_byte_for_byte_whichever_way_it_goes() {
    let api = Api::deploy().await;
    let shop = shop(&api);
    let every_byte: Vec<u8> = (0..=255).collect();
    for plain in [&every_byte[..], b"", "gr\u{fc}\u{df}e \u{1f512}\n".as_bytes()] {
        for (here, there) in [("api", "function"), ("function", "api")] {
            let sealed = done(&shop, &["encrypt", "-c", "of=mara", "-c", "for=a=b", "--via", here], plain);
            assert!(sealed.ended(0).stdout.starts_with("plumb:v1:1:"), "{sealed}");
            // The pairs in another order are the same pairs, and the line end is no part of a ciphertext.
            let arguments = ["decrypt", "--context", "for=a=b", "-c", "of=mara", "--via", there];
            let opened = crypto(&shop, &arguments, sealed.stdout.as_bytes());
            assert_eq!((opened.status.code(), opened.stdout.as_slice()), (Some(0), plain));
        }
    }

    let from_argument = done(&shop, &["encrypt", "no secret", "--output", "json"], b"what stdin has");
    let sealed = from_argument.ended(0).json();
    assert_eq!((&sealed["version"], &sealed["key_version"]), (&json!(1), &json!(1)), "{from_argument}");
    shop.write("sealed", sealed["ciphertext"].as_str().unwrap());
    let opened = done(&shop, &["decrypt", "--file", "sealed", "-o", "json"], b"").ended(0).json();
    let expected = json!({"version": 1, "plaintext": "bm8gc2VjcmV0", "text": "no secret", "key_version": 1});
    assert_eq!(opened, expected);
    let wrapped = done(&shop, &["rewrap", "-f", "sealed", "-o", "json"], b"").ended(0).json();
    assert_eq!(wrapped["previous_key_version"], 1);
    assert_ne!(wrapped["ciphertext"], sealed["ciphertext"]);
    let opened = done(&shop, &["decrypt"], wrapped["ciphertext"].as_str().unwrap().as_bytes());
    assert_eq!(opened.ended(0).stdout, "no secret");

    let keys = done(&shop, &["keys", "-o", "json"], b"").ended(0).json();
    assert_eq!((&keys["latest"], &keys["keys"][0]["state"]), (&json!(1), &json!("latest")), "{keys}");
    assert!(done(&shop, &["keys", "--via", "function"], b"").ended(0).stdout.starts_with("1  latest  20"));
    let bench = done(&shop, &["bench", "--calls", "2", "-o", "json"], b"").ended(0).json();
    let rows = bench["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().all(|row| row["calls"] == 2 && row["p50_ms"].as_f64() > Some(0.0)), "{bench}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_says_why_and_shows_nothing_of_what_was_sent() {
    let api = Api::deploy().await;
    let shop = shop(&api);
    let secret = "the pin is 4711";
    let sealed = done(&shop, &["encrypt", "-c", "of=mara"], secret.as_bytes()).ended(0).stdout.clone();
    let rows: [(&[&str], &[u8], &[&str]); 8] = [
        (&["decrypt", "-c", "of=tom"], sealed.as_bytes(), &["HTTP 422 decryption-refused", "(request ", "the same -c"]),
        (&["decrypt", "--via", "function"], sealed.as_bytes(), &["HTTP 422 decryption-refused", "try: the same -c"]),
        (&["decrypt"], secret.as_bytes(), &["not-a-ciphertext", "begins with plumb:v1:"]),
        (&["decrypt"], b" \n", &["there is no ciphertext"]),
        (&["encrypt", "--key-version", "7"], secret.as_bytes(), &["HTTP 404 unknown-key-version", "plumb crypto keys"]),
        (&["encrypt", "-c", "of"], secret.as_bytes(), &["--context of: a pair is NAME=VALUE"]),
        (&["encrypt", "-c", "of=1", "-c", "of=2"], secret.as_bytes(), &["of: stands there twice"]),
        (&["encrypt", "--file", "nowhere"], b"", &["cannot read nowhere: No such file"]),
    ];
    for (arguments, input, words) in rows {
        let done = done(&shop, arguments, input);
        done.ended(2).complained(words);
        assert!(done.stdout.is_empty() && !done.stderr.contains("4711"), "{arguments:?}: {done}");
    }
    let large = vec![b'a'; 3 * 1024 * 1024];
    done(&shop, &["encrypt"], &large).ended(2).complained(&["HTTP 413 too-large"]);

    let other = Done::of(&shop.command(&["crypto", "keys", "--env", "other"]).output().unwrap());
    other.ended(2).complained(&["there is no stack shop-other in eu-central-1"]);
    // A stack alone needs no project.
    let named = Done::of(
        &Shop::empty()
            .command(&["crypto", "keys", "--stack", "shop-crypto"])
            .envs(shop.env.iter().cloned())
            .output()
            .unwrap(),
    );
    named.ended(0);
    let stranger = api
        .account
        .user("stranger", &[json!({"Effect": "Allow", "Action": "cloudformation:DescribeStacks", "Resource": "*"})]);
    let shop = Shop { env: stranger.env(), ..shop };
    done(&shop, &["keys"], b"").ended(2).complained(&["HTTP 403", "try: execute-api:Invoke on arn:aws:execute-api:"]);
    shop.write(
        "plumb.toml",
        &PROJECT.replace("output = \"shop-{env}/CryptoEndpoint\"", "endpoint = \"http://10.0.0.1/live\""),
    );
    let done = done(&shop, &["encrypt"], secret.as_bytes());
    done.ended(2).complained(&["http://10.0.0.1/live is no endpoint", "https, or to this machine"]);
}

/// Name and verdict of each check.
fn verdicts(smoke: &Value) -> Vec<(&str, &str)> {
    let checks = smoke["checks"].as_array().unwrap().iter();
    checks.map(|check| (check["name"].as_str().unwrap(), check["verdict"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_smoke_test_proves_what_it_can_and_says_what_it_cannot() {
    // The emulator looks for the API of an unsigned call in its own account alone, which is this test's only.
    let emulator = account::start(account::Options { enforce_iam: true });
    let own = emulator.account().with_key(plumb::local::ACCOUNT, "test");
    let api = Api::deploy_to(Account { id: plumb::local::ACCOUNT.to_owned(), ..own }).await;
    let shop = shop(&api);

    let smoke = done(&shop, &["smoke", "--calls", "3", "-o", "json"], b"").ended(0).json();
    let all = verdicts(&smoke);
    assert_eq!(all.len(), 14, "{smoke:#}");
    let passed = all.iter().filter(|(_, verdict)| *verdict == "passed").count();
    assert_eq!((passed, all.last()), (14, Some(&("no plaintext in the logs", "passed"))), "{smoke:#}");
    let of = |name: &str| smoke["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap();
    assert_eq!(of("round trip: 1 MiB")["key_version"], 1);
    assert_eq!(of("latency")["latency"]["calls"], 3);

    let safe = done(&shop, &["smoke", "--safe", "-o", "json"], b"").ended(0).json();
    assert_eq!(safe["subset"], "safe");
    assert_eq!(verdicts(&safe).len(), 6);
    done(&shop, &["smoke", "--strict", "--calls", "1"], b"").ended(0);
    let direct = done(&shop, &["smoke", "--via", "function", "--calls", "1"], b"");
    assert!(direct.ended(0).stdout.ends_with("13 passed, 0 failed, 0 error, 1 unproven\n"), "{direct}");

    // An API that takes everything: whatever has to be refused is answered as if nothing was wrong.
    let proxy = Proxy::start(&api.account.endpoint_url);
    let endpoint = api.outputs["CryptoEndpoint"].replace(&api.account.endpoint_url, &proxy.endpoint_url());
    shop.write(
        "plumb.toml",
        &PROJECT.replace("output = \"shop-{env}/CryptoEndpoint\"", &format!("endpoint = \"{endpoint}\"")),
    );
    let lie = json!({"plaintext": "eA==", "text": "x", "key_version": 1}).to_string();
    proxy.on("*").when(|call| call.target.ends_with("/v1/decrypt")).reply(Fault::Body(200, lie.into_bytes()));
    let lied = done(&shop, &["smoke", "--calls", "1", "-o", "json"], b"");
    let smoke = lied.ended(1).json();
    let failed: Vec<&str> = verdicts(&smoke).into_iter().filter(|row| row.1 == "failed").map(|row| row.0).collect();
    assert_eq!(
        failed,
        [
            "round trip: empty",
            "round trip: ASCII",
            "round trip: emoji",
            "round trip: binary",
            "round trip: 1 MiB",
            "batch with a bad item",
            "tampered byte refused",
            "wrong context refused",
            "rewrap keeps the plaintext"
        ]
    );
    let tampered = &smoke["checks"][7];
    assert_eq!((&tampered["expected"], &tampered["got"]), (&json!("HTTP 422 decryption-refused"), &json!("HTTP 200")));
    let junit = done(&shop, &["smoke", "--calls", "1", "-o", "junit"], b"");
    assert!(junit.ended(1).stdout.contains("tests=\"14\" failures=\"9\" errors=\"0\" skipped=\"1\""), "{junit}");
    assert!(junit.stdout.contains("<failure message=\"expected HTTP 422 decryption-refused, got HTTP 200"), "{junit}");

    // One that does not answer proves nothing, which is neither passed nor failed.
    proxy.heal();
    proxy.on("*").when(|call| call.target.ends_with("/v1/rewrap")).reply(Fault::Reset);
    let silent = done(&shop, &["smoke", "--safe"], b"");
    assert!(silent.ended(2).stdout.ends_with("5 passed, 0 failed, 1 error, 0 unproven\n"), "{silent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plaintext_in_the_log_is_found_and_a_log_that_cannot_be_read_proves_nothing() {
    let api = Api::deploy().await;
    let shop = shop(&api);
    let of_log = |smoke: &Value| smoke["checks"].as_array().unwrap().last().unwrap().clone();
    let smoke = |shop: &Shop| done(shop, &["smoke", "--calls", "1", "-o", "json"], b"").json();
    assert_eq!(of_log(&smoke(&shop))["verdict"], "passed");
    let kept = kept(&shop);
    assert!(kept.contains("\"no plaintext in the logs\",\"passed\"") && !kept.contains("quick brown"), "{kept}");

    // Nobody looks into a log that may not be read, and says so.
    let blind = shop_of(&api, "blind", &[]);
    let strict = done(&blind, &["smoke", "--calls", "1", "--strict", "-o", "json"], b"");
    let check = of_log(&strict.ended(2).json());
    let reason = check["reason"].as_str().unwrap();
    assert_eq!(check["verdict"], "unproven");
    assert!(reason.contains("AccessDenied") && reason.contains("/aws/lambda/shop-crypto"), "{reason}");

    // What another function of that name would have written: the text, in base64.
    let write = |target: &str, body: Value| {
        let reply = api.account.caller().json("logs", &format!("Logs_20140328.{target}"), &body).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let line = "body VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZy4=";
    write("CreateLogStream", json!({"logGroupName": LOG, "logStreamName": "by-hand"}));
    let events = json!([{"timestamp": u64::try_from(now).unwrap(), "message": line}]);
    write("PutLogEvents", json!({"logGroupName": LOG, "logStreamName": "by-hand", "logEvents": events}));
    let failed = of_log(&smoke(&shop));
    assert_eq!(failed["verdict"], "failed", "{failed}");
    let got = failed["got"].as_str().unwrap();
    assert!(got.contains("stream by-hand") && !got.contains("VGhl"), "{got}");
}

/// What the state directory has of the last smoke test.
fn kept(shop: &Shop) -> String {
    let directory = shop.directory.path().join(".local/state/plumb/smoke");
    let mut files = std::fs::read_dir(&directory).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none(), "one for each environment");
    std::fs::read_to_string(file).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_is_confirmed_noted_and_waited_for() {
    let api = Api::deploy().await;
    let mut shop = shop(&api);
    done(&shop, &["rotate"], b"").ended(2).complained(&["refused: nobody confirms writing to crypto", "try: --yes"]);
    assert_eq!(api.get("/v1/keys").1["latest"], 1, "nothing was written");

    let proxy = Proxy::start(&api.account.endpoint_url);
    // The emulator's would make a copy of the keyring its next version, and call nobody.
    let accepted = json!({"ARN": api.outputs["KeyringSecret"], "Name": "shop-crypto/keyring"}).to_string();
    proxy.on("secretsmanager:RotateSecret").reply(Fault::Body(200, accepted.into_bytes()));
    shop.env.retain(|(name, _)| name != "AWS_ENDPOINT_URL");
    shop.env.push(("AWS_ENDPOINT_URL".to_owned(), proxy.endpoint_url()));
    let function = rotation::rotation(&api).await;
    let rotating = |arguments: &[&str]| {
        proxy.forget();
        let mut command = shop.command(&[&["crypto"], arguments, &["--yes", "--env", "crypto", "-o", "json"]].concat());
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        proxy.wait_for("a look at whether it is done", |calls| {
            calls.iter().any(|call| call.name() == "secretsmanager:DescribeSecret")
        });
        let calls = proxy.calls();
        let asked = calls.iter().find(|call| call.name() == "secretsmanager:RotateSecret").unwrap();
        let token = asked.json()["ClientRequestToken"].as_str().unwrap().to_owned();
        // What Secrets Manager does next.
        rotation::rotate(&function, &api.outputs["KeyringSecret"], &token);
        (Done::of(&child.wait_with_output().unwrap()).ended(0).json(), token)
    };
    let (rotated, token) = rotating(&["rotate"]);
    assert_eq!(rotated["version_id"], token.as_str(), "{rotated}");
    assert_eq!(api.get("/v1/keys").1["latest"], 2);

    let journal = shop.plumb(&["journal", "--env", "crypto", "-o", "json"]).ended(0).json();
    let entry = &journal["entries"][0];
    assert_eq!((&entry["action"], &entry["state"]), (&json!("rotate"), &json!("ok")), "{journal}");
    assert_eq!(entry["subjects"], json!([api.outputs["KeyringSecret"]]));

    let (smoke, _) = rotating(&["smoke", "--rotate", "--calls", "1", "--via", "function"]);
    let rotation =
        smoke["checks"].as_array().unwrap().iter().find(|check| check["name"] == "new version after a rotation");
    let rotation = rotation.unwrap();
    assert_eq!((&rotation["verdict"], &rotation["key_version"]), (&json!("passed"), &json!(3)), "{smoke:#}");
}
