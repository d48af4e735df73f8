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
