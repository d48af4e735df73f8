//! ECR: a login for pushing images, by a signed request: one call is not worth an SDK crate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::limit::Service;
use super::raw::Json;
use super::{Clients, Error};
use crate::secret::Secret;

const ECR: Json =
    Json { service: Service::Ecr, content_type: "application/x-amz-json-1.1", variable: "ECR", host: "api.ecr" };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tokens {
    authorization_data: Vec<Token>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    authorization_token: String,
}

/// The password of the user `AWS` at the account's registry, good for twelve hours.
pub async fn password(clients: &Clients) -> Result<Secret, Error> {
    const OPERATION: &str = "ecr:GetAuthorizationToken";
    let target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
    let subject = "the account's registry";
    let answer: Tokens = ECR.ask(clients, (OPERATION, target), subject, &json!({})).await?;
    let token = answer.authorization_data.into_iter().next().map(|data| Zeroizing::new(data.authorization_token));
    let bytes = token.and_then(|token| STANDARD.decode(token.as_bytes()).ok()).map(Zeroizing::new);
    let password = bytes.as_ref().and_then(|bytes| std::str::from_utf8(bytes).ok()?.strip_prefix("AWS:"));
    password.map(Secret::new).ok_or_else(|| Error::unreadable(OPERATION, subject, "authorizationToken"))
}
