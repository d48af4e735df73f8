//! What a plan says, and that exactly this is written.

use plumb::aws::ssm;
use plumb::compare::{Facet, Only, masked};
use plumb::ops::journal::{Act, Query, State};
use plumb::ops::push::{self, Ask};
use plumb::secret::Secret;

use super::*;
use crate::support::proxy::{Call, Fault};
use crate::verdicts::by_hand::{Act as By, put_parameter};
use crate::verdicts::shop::{DEV, IMPATIENT};

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_would_be_written_and_writes_nothing() {
    let shop = pushed().await;
    shop.set(CONFIG, "pool", Some("30"));
    shop.set(CONFIG, "retries", Some("3"));
    shop.set("config/web/dev.json", "title", Some("THE SHOP"));
    shop.set(SECRETS, "stripe", Some("sk_2"));
    shop.commit("Change this and that");
    put_parameter(&shop.by_hand().await, HOST, "db.by.hand").await;
    shop.act(By::DeleteParameter(CURRENCY)).await;
    let before = shop.journal().read(&Query::default()).unwrap();
    let (account, proxy) = shop.account.behind_proxy();
    let session = shop.session_of(DEV, &account, plumb::aws::Timeouts::default()).await;
    let plan = push::plan(&session, &Ask::default()).await.unwrap();

    assert_eq!(
        acts(&plan),
        [
            format!("update {HOST}"),
            format!("update {POOL}"),
            "create /billing/dev/retries".into(),
            format!("create {CURRENCY}"),
            format!("update {TITLE}"),
            format!("update {STRIPE}"),
        ]
    );
    assert_eq!((plan.counts(), plan.untouched), ((2, 4, 0), 2));
    let change = |name: &str| plan.changes.iter().find(|change| change.step.name == name).unwrap();
    assert_eq!(change(TITLE).only, Some(Only::LetterCase));
    assert!(change(HOST).overwrites && !change(POOL).overwrites && !change(TITLE).overwrites);
    assert!(change(HOST).changed.as_ref().unwrap().at.is_some(), "{:?}", change(HOST).changed);
    assert_eq!(change(POOL).step.before.as_ref().unwrap().id, "1");
    let shown = masked(&change(POOL).before, &session.fingerprinter);
    assert!(shown.starts_with("•••• fp ") && shown.ends_with("len 2"), "{shown}");
    assert_eq!(change(CURRENCY).before, Facet::Absent);
    let told = format!("{plan:?}");
    for value in ["THE SHOP", "sk_2", "db.by.hand", "db.dev", "EUR"] {
        assert!(!told.contains(value), "{value} is in what Debug shows");
    }
    assert_eq!(shop.journal().read(&Query::default()).unwrap(), before);
    let writes = ["ssm:Put*", "ssm:Delete*", "secretsmanager:Put*", "secretsmanager:Update*", "s3:Put*"];
    assert_eq!(writes.map(|pattern| proxy.count(pattern)), [0; 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_planned_is_written_and_nothing_else() {
    let shop = pushed().await;
    shop.set(CONFIG, "pool", Some("30"));
    shop.set(CONFIG, "retries", Some("3"));
    shop.set(SECRETS, "stripe", Some("sk_2"));
    shop.commit("Change this and that");
    let plan = plan(&shop).await;
    let (account, proxy) = shop.account.behind_proxy();
    let session = shop.session_of(DEV, &account, plumb::aws::Timeouts::default()).await;
    let done = push::apply(&session, &plan, &|_| ()).await.unwrap();

    assert_eq!((&done.failed[..], &done.races[..], &done.notes[..]), (&[][..], &[][..], &[][..]));
    assert_eq!(written(&done), [POOL, "/billing/dev/retries", STRIPE]);
    let put: Vec<Call> = proxy.calls().into_iter().filter(|call| call.name() == "ssm:PutParameter").collect();
    let (pool, new): (Vec<_>, Vec<_>) = put.iter().map(Call::json).partition(|call| call["Name"] == POOL);
    assert_eq!((pool.len(), new.len()), (1, 1));
    assert!(pool[0].get("Tags").is_none(), "tags are given on creation alone");
    assert_eq!(new[0]["Tags"][0], serde_json::json!({ "Key": "plumb:project", "Value": "shop" }));
    assert_eq!(live(&shop, POOL).await.as_deref(), Some("30"));
    assert_eq!(live(&shop, STRIPE).await.as_deref(), Some("sk_2"));
    assert_eq!(unlike(&shop).await, of(&[]));
    let again = super::plan(&shop).await;
    assert!(again.is_empty(), "{again:?}");
    let entries = shop.journal().read(&Query::default()).unwrap().entries;
    assert_eq!((entries[0].state(), entries[0].steps.len(), entries[0].marks.len()), (State::Ok, 3, 3));
    let text = std::fs::read_to_string(shop.journal().path()).unwrap();
    assert!(!text.contains("sk_2") && !text.contains("sk_1"), "no value is in the journal");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_pushed_alone_and_one_that_is_not_there_is_named() {
    let shop = pushed().await;
    shop.set(CONFIG, "pool", Some("30"));
    shop.set("config/web/dev.json", "title", Some("Shop"));
    shop.commit("Change two services");
    let session = shop.session().await;
    let ask = |service: &str| Ask { services: vec![service.to_owned()], ..Ask::default() };
    let plan = push::plan(&session, &ask("web")).await.unwrap();
    assert_eq!(acts(&plan), [format!("update {TITLE}")]);
    assert_eq!(written(&apply(&shop, &plan).await), [TITLE]);
    assert_eq!(unlike(&shop).await, of(&[("parameter /billing/dev/pool", "pending")]));
    let why = push::plan(&session, &ask("wbe")).await.unwrap_err();
    assert_eq!(why.reason, "there is no service wbe");
    assert_eq!(why.hint.as_deref(), Some("one of billing, jobs, secrets, web"));
    // Selected one by one, as a console does it.
    shop.set(CONFIG, "host", Some("db2.dev"));
    shop.commit("Move the database");
    let plan = super::plan(&shop).await.only(|change| change.step.name == HOST);
    assert_eq!((acts(&plan), plan.kept.len()), (vec![format!("update {HOST}")], 1));
    apply(&shop, &plan).await;
    assert_eq!(unlike(&shop).await, of(&[("parameter /billing/dev/pool", "pending")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_a_receipt_or_our_tag_claims_is_pruned() {
    let shop = pushed().await;
    let clients = shop.by_hand().await;
    let tagged = async |name: &str, project: &str| {
        let value = Secret::new("1");
        let tags = [("plumb:project".into(), project.into()), ("plumb:environment".into(), DEV.into())];
        let put = ssm::Put {
            name,
            value: &value,
            type_name: "String",
            key_id: None,
            overwrite: false,
            tier: None,
            like: None,
            tags: &tags,
        };
        ssm::put(&clients, put).await.unwrap();
    };
    tagged("/billing/dev/ours", "shop").await;
    tagged("/billing/dev/theirs", "other").await;
    put_parameter(&clients, "/billing/dev/by_hand", "1").await;
    put_parameter(&clients, "/elsewhere/dev/x", "1").await;
    shop.set(CONFIG, "host", None);
    shop.set(SECRETS, "signing", None);
    shop.commit("Remove what nobody reads");

    let kept = plan(&shop).await;
    assert_eq!(acts(&kept), [""; 0]);
    let names: Vec<&str> = kept.kept.iter().map(|kept| kept.name.as_str()).collect();
    assert_eq!(names, [HOST, SIGNING]);
    assert_eq!(kept.kept[0].why.reason, "git no longer has it");
    let plan = pruning(&shop).await;
    assert_eq!(acts(&plan), [format!("delete {HOST}"), "delete /billing/dev/ours".into(), format!("delete {SIGNING}")]);
    let done = apply(&shop, &plan).await;
    assert_eq!(done.failed, []);
    for gone in [HOST, "/billing/dev/ours", SIGNING] {
        assert_eq!(live(&shop, gone).await, None, "{gone}");
    }
    for there in ["/billing/dev/theirs", "/billing/dev/by_hand", "/elsewhere/dev/x", POOL] {
        assert!(live(&shop, there).await.is_some(), "{there}");
    }
    assert!(secret(&shop, SIGNING).await.deletes_at.is_some(), "it can be restored");
    assert_eq!(
        unlike(&shop).await.keys().filter(|name| !name.contains("theirs")).collect::<Vec<_>>(),
        ["parameter /billing/dev/by_hand"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_environment_shares_is_not_pruned() {
    let shop = pushed().await;
    let project = shop.read("plumb.toml");
    shop.write("plumb.toml", &format!("{project}\n[environments.qa]\nref = \"main\"\n"));
    shop.commit("Add qa");
    shop.git(&["checkout", "--quiet", "-b", "next"]);
    shop.encrypt("config/billing/global.json", &[("language", "de")]);
    shop.commit("Other things in the global layer");
    let session = shop.session().await;
    let plan =
        push::plan(&session, &Ask { reference: Some("next".into()), prune: true, ..Ask::default() }).await.unwrap();
    assert_eq!(acts(&plan), ["create /billing/global/language"]);
    assert_eq!(plan.kept[0].name, CURRENCY);
    assert_eq!(plan.kept[0].why.reason, "git still has it for qa, which shares it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_parameter_is_stays_and_the_projects_key_encrypts_it() {
    let shop = Shop::written(Account::fresh());
    shop.replace(
        "plumb.toml",
        "files = [\"config/{service}/{env}.json\"]",
        "files = [\"config/{service}/{env}.json\"]\nkms_key = \"alias/{service}-{env}\"",
    );
    shop.commit("A key of our own");
    push::push(&shop.session().await, "HEAD").await.unwrap();
    assert_eq!(parameter(&shop, POOL).await.key_id.as_deref(), Some("alias/billing-dev"));
    let clients = shop.by_hand().await;
    let described = ssm::ParameterMeta {
        description: Some("Connections".into()),
        allowed_pattern: Some("^[0-9]+$".into()),
        ..parameter(&shop, POOL).await
    };
    let value = Secret::new("50");
    let put = ssm::Put {
        name: POOL,
        value: &value,
        type_name: "SecureString",
        key_id: None,
        overwrite: true,
        tier: Some("Advanced"),
        like: Some(&described),
        tags: &[],
    };
    ssm::put(&clients, put).await.unwrap();
    put_parameter(&clients, "/web/dev/title", "x").await;
    shop.set(CONFIG, "pool", Some("60"));
    shop.commit("More connections");
    let done = apply(&shop, &plan(&shop).await).await;
    assert_eq!((written(&done), &done.failed[..]), (vec![POOL, TITLE], &[][..]));
    let now = parameter(&shop, POOL).await;
    assert_eq!((now.version, now.tier.as_deref(), now.type_name.as_str()), (3, Some("Advanced"), "SecureString"));
    assert_eq!((now.description.as_deref(), now.allowed_pattern.as_deref()), (Some("Connections"), Some("^[0-9]+$")));
    assert_eq!(now.key_id.as_deref(), Some("alias/billing-dev"));

    // In clear live, encrypted in git: writing it there would give it away.
    ssm::delete(&clients, HOST).await.unwrap();
    let put = ssm::Put { name: HOST, type_name: "String", overwrite: false, tier: None, like: None, ..put };
    ssm::put(&clients, put).await.unwrap();
    let refused = plan(&shop).await;
    assert_eq!((acts(&refused), refused.unknown[0].name.as_str()), (vec![], HOST));
    assert!(refused.unknown[0].why.reason.contains("would show in clear"), "{:?}", refused.unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_value_gets_the_tier_that_holds_it_and_a_larger_one_is_refused() {
    let shop = pushed().await;
    shop.set(CONFIG, "pool", Some(&"p".repeat(4097)));
    shop.set(CONFIG, "host", Some(&"h".repeat(8 * 1024 + 1)));
    shop.commit("Large values");
    let plan = plan(&shop).await;
    assert_eq!(acts(&plan), [format!("update {POOL}")]);
    assert!(plan.changes[0].notes[0].contains("advanced tier"), "{:?}", plan.changes[0].notes);
    assert!(plan.unknown[0].why.reason.contains("8193 bytes"), "{:?}", plan.unknown);
    let done = apply(&shop, &plan).await;
    assert_eq!((written(&done), done.failed.len()), (vec![POOL], 1), "what cannot be written is told");
    assert_eq!(parameter(&shop, POOL).await.tier.as_deref(), Some("Advanced"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stack_owns_is_never_pushed() {
    let shop = Shop::written(Account::fresh());
    let owned = "\n  Pool:\n    Type: AWS::SSM::Parameter\n    Properties: { Name: /billing/dev/pool, Type: String, Value: '1' }\n";
    shop.write("stack.yaml", &format!("Resources:{owned}"));
    let project = shop.read("plumb.toml");
    let (before, rest) = project.split_once("parameters = ").unwrap();
    let after = rest.split_once("[environments.dev]").unwrap().1;
    shop.write("plumb.toml", &format!("{before}[environments.dev]{after}"));
    shop.commit("A stack with a parameter");
    let session = shop.session().await;
    plumb::ops::deploy::deploy(&session, &session.project().stacks[0].clone(), "HEAD", &|_| ()).await.unwrap();
    let plan = plan(&shop).await;
    assert!(!acts(&plan).iter().any(|act| act.contains(POOL)), "{:?}", acts(&plan));
    assert!(plan.unknown[0].why.reason.contains("a stack of this project owns it"), "{:?}", plan.unknown);
    let done = apply(&shop, &plan).await;
    assert!(written(&done).contains(&HOST) && !written(&done).contains(&POOL), "{done:?}");
    assert_eq!(live(&shop, POOL).await.as_deref(), Some("1"));

    // Who owns what is there cannot be known: what a receipt does not claim is left alone.
    shop.act(By::PutParameter(TITLE, "by hand")).await;
    let (account, proxy) = shop.account.behind_proxy();
    proxy.on("cloudformation:ListStackResources").reply(Fault::AccessDenied("not for you".into()));
    let session = shop.session_of(DEV, &account, IMPATIENT).await;
    let plan = push::plan(&session, &Ask::default()).await.unwrap();
    assert_eq!(acts(&plan), [format!("update {TITLE}")], "its receipt says that it is ours");
    assert!(plan.unknown.iter().any(|it| it.name == POOL && it.why.reason.starts_with("a stack may own it")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_key_does_not_stop_the_others() {
    let shop = pushed().await;
    shop.set(CONFIG, "pool", Some("30"));
    shop.set(CONFIG, "host", Some("db2.dev"));
    shop.set(SECRETS, "stripe", Some("sk_2"));
    shop.commit("Change this and that");
    let plan = plan(&shop).await;
    let (account, proxy) = shop.account.behind_proxy();
    let of_pool = |call: &Call| call.json()["Name"] == POOL;
    proxy.on("ssm:PutParameter").when(of_pool).reply(Fault::AccessDenied("not the pool: 30".into()));
    let session = shop.session_of(DEV, &account, IMPATIENT).await;
    let done = push::apply(&session, &plan, &|_| ()).await.unwrap();
    assert_eq!(written(&done), [HOST, STRIPE]);
    assert_eq!(done.failed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), [POOL]);
    assert!(!done.failed[0].1.reason.contains("30"), "AWS may repeat a value: {:?}", done.failed);
    assert_eq!(unlike(&shop).await, of(&[("parameter /billing/dev/pool", "pending")]));
    let entry = &shop.journal().read(&Query::default()).unwrap().entries[0];
    assert_eq!(entry.state(), State::Failed);
    assert_eq!(entry.settled.as_ref().unwrap().error.as_deref(), Some("1 failed: /billing/dev/pool"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_aws_throttles_is_sent_again_more_slowly() {
    let shop = pushed().await;
    for key in ["a", "b", "c", "d", "e", "f"] {
        shop.set(CONFIG, key, Some("1"));
    }
    shop.commit("More keys");
    let plan = plan(&shop).await;
    let (account, proxy) = shop.account.behind_proxy();
    // More often than the SDK's own retries would stand.
    proxy.on("ssm:PutParameter").times(12).reply(Fault::Throttling);
    let session = shop.session_of(DEV, &account, IMPATIENT).await;
    let told = std::sync::Mutex::new(Vec::new());
    let done = push::apply(&session, &plan, &|progress| told.lock().unwrap().push(progress.clone())).await.unwrap();
    assert_eq!((done.written.len(), &done.failed[..]), (6, &[][..]));
    let told = told.into_inner().unwrap();
    assert_eq!(told.iter().map(|progress| progress.ended).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert!(told.iter().all(|progress| progress.total == 6 && progress.failed == 0));
    assert!(told.last().unwrap().throttled >= 12, "{told:?}");
    assert_eq!(unlike(&shop).await, of(&[]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_beside_the_environments_ref_and_one_that_goes_back_are_told() {
    let shop = pushed().await;
    let first = shop.git(&["rev-parse", "HEAD"]);
    shop.set(CONFIG, "pool", Some("30"));
    shop.commit("More connections");
    apply(&shop, &plan(&shop).await).await;
    let session = shop.session().await;
    let ask = |reference: &str| Ask { reference: Some(reference.to_owned()), ..Ask::default() };
    let back = push::plan(&session, &ask(&first)).await.unwrap();
    assert_eq!(acts(&back), [format!("update {POOL}")]);
    assert!(back.warnings[0].starts_with("this goes back: dev runs "), "{:?}", back.warnings);
    shop.git(&["checkout", "--quiet", "-b", "side", &first]);
    shop.set(CONFIG, "pool", Some("40"));
    shop.commit("Try something");
    let side = shop.git(&["rev-parse", "HEAD"]);
    shop.git(&["checkout", "--quiet", "main"]);
    let plan = push::plan(&session, &ask(&side)).await.unwrap();
    let told =
        format!("commit {} is not in HEAD, which is what dev follows: its workflow and its loop undo this", &side[..7]);
    assert_eq!(plan.warnings, [told]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_waited_too_long_writes_nothing_that_moved_since() {
    let shop = pushed().await;
    shop.set(CONFIG, "pool", Some("30"));
    shop.set(CONFIG, "host", Some("db2.dev"));
    shop.commit("Change two");
    let plan = plan(&shop).await;
    shop.act(By::PutParameter(POOL, "99")).await;
    let done = apply(&shop, &plan).await;
    assert_eq!(written(&done), [HOST]);
    assert!(done.failed[0].1.reason.contains("somebody else was faster: version 2"), "{:?}", done.failed);
    assert_eq!(live(&shop, POOL).await.as_deref(), Some("99"));
    assert_eq!(plan.changes.iter().map(|change| change.step.act).collect::<Vec<_>>(), [Act::Update, Act::Update]);
    assert_eq!(unlike(&shop).await, of(&[("parameter /billing/dev/pool", "diverged")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_state_bucket_it_is_said_and_pushed_all_the_same() {
    let shop = Shop::written(Account::fresh());
    let project = shop.read("plumb.toml").replace("[state]\nbucket = \"shop-state-{account}\"\n", "");
    shop.write("plumb.toml", &project);
    shop.commit("No bucket");
    let plan = plan(&shop).await;
    assert!(plan.warnings[0].contains("names no state bucket"), "{:?}", plan.warnings);
    let done = apply(&shop, &plan).await;
    assert_eq!((done.written.len(), &done.failed[..]), (7, &[][..]));
    assert_eq!(live(&shop, POOL).await.as_deref(), Some("20"));
}
