//! `plumb intake`, `plumb summary` and the data page over a deployed intake, in the name of an operator who may do what
//! `plumb policy` says, and little else.

mod commands;
pub(crate) mod page;
mod weeks;

use serde_json::{Value, json};

use crate::cli::shop::Shop;
use crate::intake::Intake;
use crate::support::account::{Account, REGION};

/// A project whose intake this is: `dev` is open, `prod` read-only, and both are the same place.
fn shop(intake: &Intake) -> Shop {
    let shop = Shop::empty();
    let (stack, account) = (&intake.stack, &intake.account.id);
    let environment = |name: &str, protection: &str| {
        format!(
            "[environments.{name}]\nregion = \"{REGION}\"\naccount = \"{account}\"\nprotection = \"{protection}\"\n"
        )
    };
    let (dev, prod) = (environment("dev", "open"), environment("prod", "read-only"));
    shop.write("plumb.toml", &format!("name = \"petshop\"\n[intake]\nstack = \"{stack}\"\n{dev}{prod}"));
    shop.commit();
    shop
}

/// What `plumb policy` says that this is needed for.
fn policy(shop: &Shop, need: &str) -> Vec<Value> {
    let said = shop.plumb(&["policy", need, "--env", "dev"]);
    said.ended(0).json()["Statement"].as_array().unwrap().clone()
}

/// The same with somebody who may do that, and beside it this.
fn operated(intake: &Intake, mut shop: Shop, name: &str, need: &str, more: &[Value]) -> Shop {
    let may = [policy(&shop, need), more.to_vec()].concat();
    let operator = Account { endpoint_url: intake.proxy.endpoint_url(), ..intake.account.user(name, &may) };
    shop.env = operator.env();
    shop
}

/// Leave to post.
fn posting(intake: &Intake) -> Value {
    json!({"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": intake.outputs["InvokeArn"]})
}

/// An operator who may do everything.
fn operator(intake: &Intake) -> Shop {
    // The local account asks for this of all parameters, whichever are read.
    let hold = json!({"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": "*"});
    operated(intake, shop(intake), "operator", "write", &[posting(intake), hold])
}
