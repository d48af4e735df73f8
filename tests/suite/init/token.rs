//! The loop's token: from stdin into its secret, and to no other place.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Instant;

use super::Newcomer;
use crate::cli::shop::Done;
use crate::support::account::Account;
use crate::support::wait::deadline;

fn store(mara: &Newcomer, token: &str, more: &[&str]) -> Done {
    let mut command = mara.command(env!("CARGO_BIN_EXE_plumb"), &mara.path("shop"));
    command.args(["init", "--github-token", "--env", "dev", "--yes"]).args(more);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(token.as_bytes());
    Done::of(&child.wait_with_output().unwrap())
}

fn held(account: &Account) -> serde_json::Value {
    held_by(account, "github_secret")
}

fn held_by(account: &Account, secret: &str) -> serde_json::Value {
    let asked = serde_json::json!({"SecretId": secret});
    let reply = account.caller().json("secretsmanager", "secretsmanager.GetSecretValue", &asked).unwrap();
    serde_json::from_str(reply.json()["SecretString"].as_str().unwrap()).unwrap()
}

#[test]
fn the_token_goes_from_stdin_into_the_secret_and_nowhere_else() {
    let account = Account::fresh();
    let mara = Newcomer::new(account.env());
    mara.plumb(&["init", "--yes"]).ended(0);
    let token = format!("github_pat_{:x}", std::process::id());
    store(&mara, &token, &[]).ended(2).complained(&["no remote's URL", "--github-endpoint"]);
    mara.git(&["remote", "add", "origin", "git@github.com:team/shop.git"]);
    store(&mara, "two words\n", &[]).ended(2).complained(&["no token"]);
    let done = store(&mara, &format!("{token}\n"), &["--github-user", "mara"]);
    done.ended(0).complained(&["github_secret holds a token for https://github.com/team/shop"]);
    let expected = serde_json::json!({
        "github_token": token, "github_endpoint": "https://github.com/team/shop", "github_user": "mara",
    });
    assert_eq!(held(&account), expected);
    store(&mara, &token, &["--github-user", "mara"]).ended(0).complained(&["holds it already"]);
    let next = format!("{token}2");
    store(&mara, &next, &[]).ended(0);
    assert_eq!(held(&account)["github_token"], next);
    let journal = mara.plumb(&["journal", "--env", "dev", "-o", "json"]);
    assert_eq!(
        journal.ended(0).stdout.matches("\"token\"").count(),
        2,
        "what was there already is no write: {journal}"
    );
    for file in [".local/state/plumb/journal.jsonl", "shop/plumb.toml"] {
        assert!(!std::fs::read_to_string(mara.path(file)).unwrap().contains(&token), "{file}");
    }
}

#[test]
fn a_token_goes_to_the_server_that_the_project_names_and_never_to_github_instead() {
    let account = Account::fresh();
    let mara = Newcomer::new(account.env());
    mara.plumb(&["init", "--yes"]).ended(0);
    let path = mara.path("shop/plumb.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let at_server = "\n[redeploy]\nrepository = \"team/shop\"\napi = \"https://git.example/api/v3\"\n";
    std::fs::write(&path, format!("{text}{at_server}")).unwrap();
    mara.git(&["remote", "add", "origin", "git@github.com:somebody/mirror.git"]);
    let token = format!("ghp_{:x}", std::process::id());
    store(&mara, &token, &[]).ended(0).complained(&["holds a token for https://git.example/team/shop"]);
    assert_eq!(held(&account)["github_endpoint"], "https://git.example/team/shop");
    let evil = store(&mara, &token, &["--github-endpoint", "http://127.0.0.1.evil/team/shop"]);
    evil.ended(2).complained(&["https://github.com/OWNER/NAME is wanted"]);
}

#[test]
fn the_token_goes_where_the_loop_looks_for_it_and_never_in_the_way_of_its_stack() {
    let account = Account::fresh();
    let mara = Newcomer::new(account.env());
    mara.git(&["init", "-q", "-b", "main"]);
    mara.git(&["remote", "add", "origin", "git@github.com:team/shop.git"]);
    let text = "name = \"shop\"\n[[stacks]]\nname = \"shop-{env}\"\ntemplate = \"stack.yaml\"\n[environments.dev]\n";
    mara.write("plumb.toml", text);
    mara.plumb(&["init", "--yes", "--loop", "--overwrite"]).ended(0);
    let token = format!("ghp_{:x}", std::process::id());
    let early = store(&mara, &token, &[]);
    early
        .ended(2)
        .complained(&["the stack shop-dev-loop makes shop-dev-github, and is not deployed yet", "plumb deploy"]);
    let listed = account.caller().json("secretsmanager", "secretsmanager.ListSecrets", &serde_json::json!({})).unwrap();
    assert_eq!(listed.json()["SecretList"], serde_json::json!([]), "nothing is in the stack's way");
    // A stack as the loop's own, which makes the secret empty.
    let template = "Resources: {S: {Type: 'AWS::SecretsManager::Secret', Properties: {Name: shop-dev-github}}}";
    let arguments = [("StackName", "shop-dev-loop"), ("TemplateBody", template)];
    let made = account.caller().query("cloudformation", "CreateStack", &arguments).unwrap();
    assert_eq!(made.status, 200, "{made:?}");
    let end = Instant::now() + deadline();
    let asked = [("StackName", "shop-dev-loop")];
    while !account
        .caller()
        .query("cloudformation", "DescribeStacks", &asked)
        .unwrap()
        .text()
        .contains("CREATE_COMPLETE")
    {
        assert!(Instant::now() < end, "the stack is not made");
    }
    store(&mara, &token, &[]).ended(0).complained(&["shop-dev-github holds a token for https://github.com/team/shop"]);
    assert_eq!(held_by(&account, "shop-dev-github")["github_token"], token);

    // One that is there before the stack is: the stack has to be told so.
    let elsewhere = ["--secret", "qa-github"];
    store(&mara, &token, &elsewhere).ended(0);
    let text = mara
        .read("plumb.toml")
        .replace("shop-{env}-loop", "shop-{env}-other")
        .replace("shop-{env}-github", "qa-github");
    mara.write("plumb.toml", &text);
    store(&mara, &token, &[]).ended(2).complained(&["qa-github is there already", "MakesGithubSecret = \"false\""]);
    mara.write("plumb.toml", &text.replace("GithubSecretName", "MakesGithubSecret = \"false\", GithubSecretName"));
    store(&mara, &token, &[]).ended(0).complained(&["qa-github holds it already"]);
}
