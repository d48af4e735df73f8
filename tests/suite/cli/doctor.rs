//! `plumb doctor`: what is wrong, and what to do about it.

use super::shop::{PROJECT, Shop};
use crate::support::account::Account;
use crate::support::proxy::Fault;

#[test]
fn the_doctor_finds_nothing_wrong_where_all_is_right_and_writes_nothing() {
    let account = Account::fresh();
    let (behind, proxy) = account.behind_proxy();
    let project = PROJECT.replace("[environments.dev]", &format!("[environments.dev]\naccount = \"{}\"", account.id));
    let shop = Shop::with_project(&project).at(&behind);
    proxy.forget();
    let done = shop.plumb(&["doctor", "--env", "dev"]);
    done.ended(0);
    for line in ["= ok       git: git version", "as expected", "= ok       ssm:GetParameters", "nothing is wrong"] {
        assert!(done.stdout.contains(line), "{line}: {done}");
    }
    let writes: Vec<_> = proxy
        .calls()
        .into_iter()
        .map(|call| call.operation)
        .filter(|operation| {
            ["Put", "Create", "Update", "Delete", "Execute", "Detect"].iter().any(|verb| operation.starts_with(verb))
        })
        .collect();
    assert!(writes.is_empty(), "{writes:?}");
}

#[test]
fn the_doctor_names_the_missing_permission_and_what_to_do() {
    let account = Account::fresh();
    let (behind, proxy) = account.behind_proxy();
    proxy.on("ssm:DescribeParameters").reply(Fault::AccessDenied("not authorized".into()));
    let shop = Shop::new().at(&behind);
    let done = shop.plumb(&["doctor", "--env", "dev"]);
    done.ended(2);
    assert!(done.stdout.contains("! problem  ssm:DescribeParameters: "), "{done}");
    assert!(done.stdout.contains("try: ssm:DescribeParameters is needed: `plumb policy read`"), "{done}");
    assert!(done.stdout.contains("= ok       ssm:GetParameters"), "{done}");
}

#[test]
fn the_doctor_names_a_file_once_and_says_what_can_be_tried() {
    let mut shop = Shop::new();
    let (recipient, _) = plumb::sops::generate_age_key();
    let rule = plumb::sops::CreationRule::for_age(&[recipient], plumb::sops::Rules::default());
    let (name, plain, keys) = ("secrets/dev.json", b"{\"token\": \"t\"}", plumb::sops::Services::new());
    let sealed = plumb::sops::encrypt(name, plain, &rule, &keys, "2026-03-14T02:41:19Z").unwrap();
    shop.write("secrets/dev.json", &String::from_utf8(sealed).unwrap());
    shop.write("config/storefront/dev/config.json", "{ no json\n");
    shop.git(&["add", "-A"]);
    shop.git(&["commit", "-q", "-m", &"long ".repeat(600)]);
    shop.env =
        vec![("AWS_REGION".into(), "eu-central-1".into()), ("AWS_ENDPOINT_URL".into(), "http://127.0.0.1:9".into())];
    let done = shop.plumb(&["doctor", "--env", "dev"]);
    done.ended(2);
    for file in ["secrets/dev.json", "config/storefront/dev/config.json"] {
        let told: Vec<&str> =
            done.stdout.lines().filter(|line| line.contains(file) && !line.contains("try:")).collect();
        assert_eq!(told.len(), 1, "{done}");
        assert_eq!(told[0].matches(file).count(), 1, "{done}");
    }
    assert!(done.stdout.contains("try: SOPS_AGE_KEY_FILE names"), "{done}");
    assert!(!done.stdout.contains("it is encrypted for") && !done.stdout.contains("stdout is none"), "{done}");
    assert!(done.stdout.contains("stdout is no terminal"), "{done}");
    assert!(done.stdout.lines().all(|line| line.chars().count() < 320), "{done}");
    let status = shop.plumb(&["status", "--env", "dev"]);
    assert!(status.stdout.contains("long…\"\n") || status.stdout.contains("…\"\n"), "{status}");
}
