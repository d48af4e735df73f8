//! Whose account it is: two environments in two accounts, and an account that is not the expected one.

use plumb::aws::Timeouts;
use plumb::ops::{deploy, push, record};

use super::by_hand::Act;
use super::shop::{DEV, IMPATIENT, Seen, Shop, verdicts};
use crate::support::account::Account;
use crate::support::proxy::Fault;

#[tokio::test(flavor = "multi_thread")]
async fn two_environments_in_two_accounts_do_not_see_each_other() {
    let shop = Shop::live().await;
    let before = shop.in_sync().await;
    let prod = Account::fresh();
    shop.write(
        "plumb.toml",
        &format!(
            "{}\n[environments.prod]\nprotection = \"open\"\naccount = \"{}\"\n",
            shop.read("plumb.toml"),
            prod.id
        ),
    );
    shop.encrypt("config/billing/prod.json", &[("pool", "100")]);
    shop.encrypt("secrets/prod.json", &[("stripe", "sk_live")]);
    shop.commit("Go live");
    let session = shop.session_of("prod", &prod, Timeouts::default()).await;
    deploy::deploy(&session, &session.project().stacks[0].clone(), "HEAD", &|_| ()).await.unwrap();
    assert_eq!(push::push(&session, "HEAD").await.unwrap().failed, []);

    let in_prod = Seen::by(&session).await;
    in_prod.is_whole();
    assert_eq!(in_prod.verdicts["parameter /billing/prod/pool"], "in_sync");
    assert_eq!(in_prod.verdicts["stack shop-prod/Queue"], "in_sync");
    assert!(!in_prod.verdicts.keys().any(|name| name.contains("dev")), "{:#?}", in_prod.verdicts);
    assert_eq!(shop.look().await.moved_from(&before), verdicts(&[]), "nothing of prod is seen in dev");

    shop.act(Act::PutParameter("/billing/global/currency", "USD")).await;
    let moved = shop.look().await.moved_from(&before);
    assert_eq!(moved, verdicts(&[("parameter /billing/global/currency", "drifted")]));
    let after = Seen::by(&session).await;
    assert_eq!(after.moved_from(&in_prod.verdicts), verdicts(&[]), "the global layer is another account's here");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_account_that_is_not_the_expected_one_nothing_is_written() {
    let shop = Shop::live().await;
    let before = shop.in_sync().await;
    shop.replace("plumb.toml", "drift_max_age", "account = \"999999999999\"\ndrift_max_age");
    shop.set("config/billing/dev.json", "pool", Some("30"));
    shop.commit("Expect another account");
    let (account, proxy) = shop.account.behind_proxy();
    let session = shop.session_of(DEV, &account, Timeouts::default()).await;

    let seen = Seen::by(&session).await;
    assert_eq!(seen.moved_from(&before), verdicts(&[("parameter /billing/dev/pool", "pending")]), "reading works");
    let identity = seen.report.identity.as_ref().unwrap();
    assert_eq!(identity.expected_account.as_deref(), Some("999999999999"), "and says that it is another account");

    proxy.forget();
    let stack = session.project().stacks[0].clone();
    let refused = [
        push::push(&session, "HEAD").await.unwrap_err(),
        deploy::deploy(&session, &stack, "HEAD", &|_| ()).await.unwrap_err(),
        record::record(&session, "HEAD", false).await.unwrap_err(),
    ];
    for why in refused {
        let words = format!("refused: account {} is not 999999999999, which the project expects for dev", account.id);
        assert_eq!(why.reason, words);
    }
    assert_eq!(proxy.calls().len(), 0, "nothing was even asked: {:?}", proxy.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_whose_name_takes_the_account_is_not_guessed_while_that_is_not_known() {
    let shop = Shop::written(Account::fresh());
    shop.replace("plumb.toml", "name = \"shop-{env}\"", "name = \"shop-{env}-{account}\"");
    shop.commit("Name the account");
    shop.roll_out().await;
    let (account, proxy) = shop.account.behind_proxy();
    let clean = Seen::by(&shop.session_of(DEV, &account, IMPATIENT).await).await;
    clean.is_whole();
    assert_eq!(clean.verdicts[&format!("stack shop-dev-{}/Queue", account.id)], "in_sync");
    proxy.on("sts:*").reply(Fault::AccessDenied("no".to_owned()));
    let session = shop.session_of(DEV, &account, IMPATIENT).await;
    let seen = Seen::by(&session).await;
    assert!(!seen.verdicts.keys().any(|name| name.starts_with("stack ")), "{seen:#?}");
    let problems = seen.problems();
    let told = problems.iter().any(|text| text.starts_with("shop-dev-{account}: cannot read the caller's identity"));
    assert!(told, "{problems:#?}");
    assert_eq!(proxy.count("sts:*"), 2, "one question by each session, however many want to know");
    proxy.heal();
    assert_eq!(Seen::by(&session).await.verdicts, clean.verdicts, "the next refresh asks again");
}
