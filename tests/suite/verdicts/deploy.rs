//! Deploying where IAM is enforced: what is not allowed is told in AWS's words, and leaves nothing behind.

use std::sync::Mutex;

use plumb::aws::{Timeouts, cloudformation};
use plumb::ops::deploy::{self, Ask, Progress};
use serde_json::json;

use super::shop::{DEV, Shop};
use crate::support::account::Account;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_execute_leaves_neither_change_set_nor_stack() {
    let shop = Shop::written(Account::enforcing_iam());
    let all = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    let denied = json!({ "Effect": "Deny", "Action": "cloudformation:ExecuteChangeSet", "Resource": "*" });
    let user = shop.account.user("half-a-deployer", &[all, denied]);
    let session = shop.session_of(DEV, &user, Timeouts::default()).await;
    let draft = deploy::draft(&session, "shop-dev", &Ask::default()).await.unwrap();
    let steps = Mutex::new(Vec::new());
    let progress = |progress: Progress| steps.lock().unwrap().push(progress);
    let plan = draft.plan(&progress).await.unwrap();
    assert_eq!((plan.creates, plan.changes.len()), (true, 6));
    let why = deploy::execute(&draft, &plan, &progress).await.unwrap_err();
    assert!(why.reason.starts_with("shop-dev was not changed: "), "{why}");
    assert!(why.reason.contains("is not authorized to perform: cloudformation:ExecuteChangeSet"), "{why}");
    assert!(cloudformation::stack(&session.clients, "shop-dev").await.unwrap().is_none());
    assert!(steps.lock().unwrap().iter().all(|step| matches!(step, Progress::Step(_) | Progress::Begun)));

    let rollout = shop.session().await;
    let stack = rollout.project().stacks[0].clone();
    let done = deploy::deploy(&rollout, &stack, "HEAD", &progress).await.unwrap();
    assert_eq!((done.status.as_deref(), done.recorded), (Some("CREATE_COMPLETE"), true));
    let happened = steps.lock().unwrap().iter().filter(|step| matches!(step, Progress::Happened(_))).count();
    assert!(happened >= 14, "each resource begins and ends, and so does the stack: {happened}");
}
