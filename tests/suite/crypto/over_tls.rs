//! Over TLS, as on AWS: elsewhere the tests speak plain HTTP to this machine, where that is allowed.

use std::net::SocketAddr;
use std::path::Path;

use super::tls::Tls;
use super::{Api, invoke};
use crate::cli::shop::Shop;
use crate::support::account::Account;

/// A project whose API is behind this, an operator who asks all of AWS through it, and whom he trusts.
fn shop(api: &Api, operator: &Account, front: &Tls, trusted: &Path) -> Shop {
    let (_, path) = api.outputs["CryptoEndpoint"].rsplit_once(':').unwrap();
    let path = path.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let mut shop = Shop::empty();
    let project =
        format!("name = \"petshop\"\n[crypto]\nendpoint = \"{}{path}\"\n[environments.crypto]\n", front.url());
    shop.write("plumb.toml", &project);
    shop.commit();
    shop.env = operator.env();
    shop.env.retain(|(name, _)| name != "AWS_ENDPOINT_URL");
    shop.env.push(("AWS_ENDPOINT_URL".to_owned(), front.url()));
    shop.env.push(("SSL_CERT_FILE".to_owned(), trusted.display().to_string()));
    shop
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plaintext_goes_to_whom_the_system_trusts_and_to_nobody_else() {
    let api = Api::deploy().await;
    let address = api.account.endpoint_url.trim_start_matches("http://").parse::<SocketAddr>().unwrap();
    let (ours, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (front, stranger) = (Tls::before(address, ours.path()), Tls::before(address, others.path()));

    let operator = api.account.user("operator", &[invoke(&api.outputs["InvokeArn"])]);
    let deceived = shop(&api, &operator, &stranger, &front.authority())
        .plumb(&["crypto", "encrypt", "the pin", "--env", "crypto"]);
    assert_ne!(deceived.code, 0, "{deceived}");
    assert!(deceived.stderr.contains("certificate") && !deceived.stderr.contains("the pin"), "{deceived}");

    let shop = shop(&api, &operator, &front, &front.authority());
    let sealed = shop.plumb(&["crypto", "encrypt", "the pin", "--env", "crypto"]);
    let sealed = sealed.ended(0).stdout.trim();
    let opened = shop.plumb(&["crypto", "decrypt", sealed, "--env", "crypto"]);
    assert_eq!(opened.ended(0).stdout, "the pin");
}
