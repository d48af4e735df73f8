//! Tables over the whole room; each row's name is a sentence.

use serde_json::{Value, json};

use super::{Scope, Template};

mod laws;
mod parsing;
mod resolving;

const SHOP: &str = include_str!("../../tests/fixtures/templates/shop.yaml");
const SAM: &str = include_str!("../../tests/fixtures/templates/sam.yaml");
const CDK: &str = include_str!("../../tests/fixtures/templates/cdk.json");

fn template(text: &str) -> Template {
    Template::parse("t.yaml", text).unwrap_or_else(|error| panic!("{error}"))
}

/// A template around one property, `P` of the topic `T`.
fn with_property(yaml: &str) -> Template {
    template(&format!("Resources:\n  T:\n    Type: AWS::SNS::Topic\n    Properties:\n      P: {yaml}\n"))
}

fn property(template: &Template) -> Value {
    template.resource("T").and_then(|topic| topic.properties.get("P")).cloned().unwrap_or_default()
}

fn scope(env: &str) -> Scope {
    let text = |text: &str| Some(text.to_owned());
    Scope {
        parameters: [("Env".to_owned(), env.to_owned())].into(),
        account: text("471100004242"),
        region: text("eu-central-1"),
        partition: text("aws"),
        stack_name: text("shop"),
        stack_id: text("arn:aws:cloudformation:eu-central-1:471100004242:stack/shop/1"),
        url_suffix: text("amazonaws.com"),
        ..Scope::default()
    }
}

fn deployed(template: &Template, env: &str) -> Scope {
    let mut scope = scope(env);
    for (logical_id, physical_id) in [
        ("OrdersTable", "shop-orders-dev"),
        ("OrderQueue", "https://sqs.eu-central-1.amazonaws.com/471100004242/shop-orders-dev"),
        ("OrderDeadLetters", "https://sqs.eu-central-1.amazonaws.com/471100004242/shop-orders-dead-dev"),
        ("Paid", "arn:aws:sns:eu-central-1:471100004242:shop-paid-dev"),
        ("CheckoutRole", "shop-CheckoutRole-1X"),
        ("CheckoutFn", "shop-checkout-dev"),
    ] {
        scope.physical_ids.insert(logical_id.to_owned(), physical_id.to_owned());
    }
    scope.learn(template);
    scope
}

fn json_of(template: &Template) -> Value {
    json!(template.value())
}
