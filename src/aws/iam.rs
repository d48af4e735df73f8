//! IAM: who is trusted from outside. One call, of a service whose SDK would be too much for it.

use zeroize::Zeroizing;

use super::limit::Service;
use super::raw::{Body, Call};
use super::{Clients, Error};

/// ARNs of the account's OIDC providers.
pub async fn oidc_providers(clients: &Clients) -> Result<Vec<String>, Error> {
    const OPERATION: &str = "iam:ListOpenIDConnectProviders";
    let endpoint = clients.config().endpoint_url().map_or_else(|| global(clients.region()).to_owned(), str::to_owned);
    let call = Call {
        service: Service::Sts,
        operation: OPERATION,
        body: Body::Form(Zeroizing::new("Action=ListOpenIDConnectProviders&Version=2010-05-08".to_owned())),
        endpoint,
        region: Some(signed_as(clients.region())),
        subject: "the account's OIDC providers",
    };
    let answer = call.send(clients).await?;
    let text = answer.expose();
    if !text.contains("ListOpenIDConnectProvidersResult") {
        return Err(Error::unreadable(OPERATION, "the account's OIDC providers", "list"));
    }
    let arns = text.split("<Arn>").skip(1).filter_map(|rest| rest.split_once("</Arn>"));
    Ok(arns.map(|(arn, _)| arn.trim().to_owned()).collect())
}

/// IAM has one endpoint per partition.
fn global(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "https://iam.cn-north-1.amazonaws.com.cn",
        region if region.starts_with("us-gov-") => "https://iam.us-gov.amazonaws.com",
        _ => "https://iam.amazonaws.com",
    }
}

/// The region that its requests are signed for.
fn signed_as(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "cn-north-1",
        region if region.starts_with("us-gov-") => "us-gov-west-1",
        _ => "us-east-1",
    }
}
