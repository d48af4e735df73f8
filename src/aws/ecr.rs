//! ECR: a login for pushing images, and what was pushed, by signed requests: two calls are not worth an SDK crate.

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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Images {
    image_details: Vec<Image>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    image_digest: String,
}

/// The digest of a repository's image, `sha256:…`, by its tag. What a container tool says of an image that it has is not
/// always what the registry made of it: podman compresses layers as it pushes them.
pub async fn digest(clients: &Clients, repository: &str, tag: &str) -> Result<String, Error> {
    const OPERATION: &str = "ecr:DescribeImages";
    let target = "AmazonEC2ContainerRegistry_V20150921.DescribeImages";
    let body = json!({ "repositoryName": repository, "imageIds": [{ "imageTag": tag }] });
    let answer: Images = ECR.ask(clients, (OPERATION, target), repository, &body).await?;
    let digest = answer.image_details.into_iter().next().map(|image| image.image_digest);
    let is_digest = |digest: &String| digest.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64);
    digest.filter(is_digest).ok_or_else(|| Error::unreadable(OPERATION, repository, "imageDigest"))
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
