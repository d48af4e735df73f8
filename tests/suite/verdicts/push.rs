//! Pushing: a plan that is true, writes that are exactly it, and a way back.

mod back;
mod calls;
mod crash;
mod plans;
mod promote;
mod races;
mod secrets;

use std::collections::BTreeMap;

use plumb::aws::{Read, secretsmanager, ssm};
use plumb::compare::Kind;
use plumb::ops::inspect::{Detect, Wish};
use plumb::ops::push::{self, Ask, Plan, Pushed};

use super::shop::{Seen, Shop, Verdicts};
use crate::support::account::Account;

const POOL: &str = "/billing/dev/pool";
const HOST: &str = "/billing/dev/host";
const TITLE: &str = "/web/dev/title";
const CURRENCY: &str = "/billing/global/currency";
const STRIPE: &str = "dev/shop/stripe";
const SIGNING: &str = "dev/shop/signing";
const CONFIG: &str = "config/billing/dev.json";
const SECRETS: &str = "secrets/dev.json";

/// The shop with its config and its secrets rolled out; without its stack, which no push is about.
async fn pushed() -> Shop {
    let shop = Shop::written(Account::fresh());
    let done = push::push(&shop.session().await, "HEAD").await.unwrap();
    assert_eq!(done.failed, []);
    shop
}

async fn plan(shop: &Shop) -> Plan {
    push::plan(&shop.session().await, &Ask::default()).await.unwrap()
}

async fn pruning(shop: &Shop) -> Plan {
    push::plan(&shop.session().await, &Ask { prune: true, ..Ask::default() }).await.unwrap()
}

async fn apply(shop: &Shop, plan: &Plan) -> Pushed {
    push::apply(&shop.session().await, plan, &|_| ()).await.unwrap()
}

/// `update /billing/dev/pool`, and the like.
fn acts(plan: &Plan) -> Vec<String> {
    plan.changes.iter().map(|change| format!("{} {}", change.step.act.word(), change.step.name)).collect()
}

fn written(done: &Pushed) -> Vec<&str> {
    done.written.iter().map(|written| written.name.as_str()).collect()
}

/// The live value of a parameter, or of a secret.
async fn live(shop: &Shop, name: &str) -> Option<String> {
    let clients = shop.by_hand().await;
    let names = [name.to_owned()];
    let read = if name.starts_with('/') {
        ssm::values(&clients, &names).await.remove(name).unwrap().map(|found| found.value)
    } else {
        secretsmanager::values(&clients, &names).await.remove(name).unwrap().map(|found| found.value)
    };
    match read {
        Read::Found(value) => Some(value.expose().to_owned()),
        Read::Missing => None,
        Read::Failed(error) => panic!("{name}: {error}"),
    }
}

async fn parameter(shop: &Shop, name: &str) -> ssm::ParameterMeta {
    ssm::one_meta(&shop.by_hand().await, name).await.unwrap().unwrap()
}

async fn secret(shop: &Shop, name: &str) -> secretsmanager::SecretMeta {
    secretsmanager::describe(&shop.by_hand().await, name).await.unwrap().unwrap()
}

/// The verdicts on parameters and secrets.
async fn verdicts(shop: &Shop) -> Verdicts {
    let session = shop.session().await;
    let kinds = vec![Kind::Parameter, Kind::Secret];
    let seen = Seen::with(&session, &Wish { kinds, detect: Detect::Never, ..Wish::of(&session) }).await;
    seen.is_whole();
    seen.verdicts
}

/// Those that are not in sync.
async fn unlike(shop: &Shop) -> BTreeMap<String, &'static str> {
    let mut verdicts = verdicts(shop).await;
    verdicts.retain(|_, verdict| *verdict != "in_sync");
    verdicts
}

fn of(pairs: &[(&str, &'static str)]) -> BTreeMap<String, &'static str> {
    pairs.iter().map(|(name, verdict)| ((*name).to_owned(), *verdict)).collect()
}
