//! What happens to an environment behind git's back: ordinary AWS calls, each under somebody's access key.
//!
//! Without IAM enforcement the emulator takes any access key id, and its CloudTrail shows it as the user. The calls
//! and what is seen of them are listed in `demo/NIGHT.md`.

use std::io::{Cursor, Write};
use std::time::Duration;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::Demo;
use super::history::random;
use crate::aws::{self, Clients, lambda, raw, secretsmanager, ssm};
use crate::compare::Why;
use crate::ops::{failed, why};
use crate::secret::Secret;

/// How long a function may take to apply a change.
const UPDATE: Duration = Duration::from_mins(1);
const BILLING: &str = include_str!("../../../demo/petshop/functions/billing-api/app.py");

/// Everything that happens to an environment that has just been rolled out.
pub(super) async fn happen(demo: &Demo, env: &str) -> Result<(), Why> {
    let oncall = somebody(demo, "oncall-mara").await?;
    more_memory(&oncall, &format!("petshop-{env}-storefront-render")).await?;
    put(&oncall, &format!("/billing/{env}/db/pool_size"), "50", "SecureString", true).await?;

    let vendor = somebody(demo, "vendor-support").await?;
    another_variable(&vendor, &format!("petshop-{env}-inventory-sync")).await?;
    put(&vendor, &format!("/inventory/{env}/debug/trace"), "true", "String", false).await?;

    let hotfix = somebody(demo, "ci-hotfix").await?;
    other_code(&hotfix, &format!("petshop-{env}-billing-api")).await?;
    let key = Secret::new(format!("sk_live_{}", random(24)?));
    let token = random(32)?;
    secretsmanager::put(&hotfix, &format!("{env}/petshop/stripe_api_key"), &key, &token)
        .await
        .map_err(|error| why(&error))?;

    let intern = somebody(demo, "intern-laptop").await?;
    ssm::delete(&intern, &format!("/storefront/{env}/cdn/ttl_seconds")).await.map_err(|error| why(&error))?;
    raw::delete_table(&intern, &format!("petshop-{env}-orders")).await.map_err(|error| why(&error))
}

async fn somebody(demo: &Demo, name: &str) -> Result<Clients, Why> {
    let options = aws::Options {
        region: Some(demo.account.region.clone()),
        endpoint_url: Some(demo.account.endpoint_url.clone()),
        keys: Some(aws::Keys {
            access_key_id: name.to_owned(),
            secret_access_key: Secret::new("any text will do"),
            session_token: None,
        }),
        ..aws::Options::default()
    };
    Clients::connect(&options).await.map_err(|error| why(&error))
}

async fn put(clients: &Clients, name: &str, value: &str, type_name: &str, overwrite: bool) -> Result<(), Why> {
    let value = Secret::new(value);
    let put = ssm::Put { name, value: &value, type_name, key_id: None, overwrite, tier: None, like: None, tags: &[] };
    ssm::put(clients, put).await.map(drop).map_err(|error| why(&error))
}

async fn more_memory(clients: &Clients, function: &str) -> Result<(), Why> {
    let new = lambda::Configuration { memory: Some(1024), ..lambda::Configuration::default() };
    lambda::update_configuration(clients, function, &new).await.map_err(|error| why(&error))?;
    lambda::wait_updated(clients, function, UPDATE).await.map_err(|error| why(&error))
}

async fn another_variable(clients: &Clients, function: &str) -> Result<(), Why> {
    let info = lambda::function(clients, function, None).await.map_err(|error| why(&error))?;
    let info = info.ok_or_else(|| Why::new(format!("{function} is not there")))?;
    // AWS replaces the variables as a whole.
    let mut variables = info.environment.map_err(Why::new)?;
    variables.insert("SYNC_BATCH".to_owned(), Secret::new("500"));
    let new = lambda::Configuration { environment: Some(variables), ..lambda::Configuration::default() };
    lambda::update_configuration(clients, function, &new).await.map_err(|error| why(&error))?;
    lambda::wait_updated(clients, function, UPDATE).await.map_err(|error| why(&error))
}

/// The refund window is switched off in the code itself, published, and put live.
async fn other_code(clients: &Clients, function: &str) -> Result<(), Why> {
    let code = BILLING.replace("if age > refund_window_days():", "if False:");
    lambda::update_code(clients, function, lambda::Code::Zip(zip("app.py", &code)?)).await.map_err(|e| why(&e))?;
    lambda::wait_updated(clients, function, UPDATE).await.map_err(|error| why(&error))?;
    let version = lambda::publish_version(clients, function, None).await.map_err(|error| why(&error))?;
    lambda::update_alias(clients, function, "live", &version, None).await.map_err(|error| why(&error))
}

fn zip(name: &str, text: &str) -> Result<Vec<u8>, Why> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(name, SimpleFileOptions::default()).map_err(|error| failed(&error))?;
    zip.write_all(text.as_bytes()).map_err(|error| failed(&error))?;
    Ok(zip.finish().map_err(|error| failed(&error))?.into_inner())
}
