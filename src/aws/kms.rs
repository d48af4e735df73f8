//! KMS keys, and data keys under them: what wraps and unwraps those of encrypted documents.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::limit::Service;
use super::raw::{Body, Call, endpoint};
use super::{Clients, Error, ErrorKind};

/// What a ciphertext is bound to, beside its key.
pub type Context = BTreeMap<String, String>;

/// The plaintext of a ciphertext (base64). The key has to be the one that is named, so that nothing opens by another.
pub async fn decrypt(
    clients: &Clients,
    key: &str,
    context: &Context,
    ciphertext: &str,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    const OPERATION: &str = "kms:Decrypt";
    let body = json!({ "KeyId": key, "CiphertextBlob": ciphertext, "EncryptionContext": context }).to_string();
    let said: Said = ask(clients, OPERATION, "TrentService.Decrypt", key, body).await?;
    let plaintext = said.plaintext.map(Zeroizing::new).and_then(|text| STANDARD.decode(text.as_bytes()).ok());
    plaintext.map(Zeroizing::new).ok_or_else(|| Error::unreadable(OPERATION, key, "Plaintext"))
}

/// A ciphertext (base64) of at most four kilobytes.
pub async fn encrypt(clients: &Clients, key: &str, context: &Context, plaintext: &[u8]) -> Result<String, Error> {
    const OPERATION: &str = "kms:Encrypt";
    let plaintext = Zeroizing::new(STANDARD.encode(plaintext));
    let body = json!({ "KeyId": key, "Plaintext": *plaintext, "EncryptionContext": context }).to_string();
    let said: Said = ask(clients, OPERATION, "TrentService.Encrypt", key, body).await?;
    said.ciphertext.ok_or_else(|| Error::unreadable(OPERATION, key, "CiphertextBlob"))
}

/// The ARN and the state (`Enabled`, `PendingDeletion`, …) of a key, by its id, its ARN or an alias (`alias/…`); `None`:
/// there is none.
pub async fn key(clients: &Clients, name: &str) -> Result<Option<(String, String)>, Error> {
    const OPERATION: &str = "kms:DescribeKey";
    let body = json!({ "KeyId": name }).to_string();
    let said: Said = match ask(clients, OPERATION, "TrentService.DescribeKey", name, body).await {
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
        said => said?,
    };
    let metadata = said.metadata.ok_or_else(|| Error::unreadable(OPERATION, name, "KeyMetadata"))?;
    Ok(Some((metadata.arn, metadata.state)))
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "Arn")]
    arn: String,
    #[serde(rename = "KeyState", default)]
    state: String,
}

#[derive(Deserialize)]
struct Said {
    #[serde(rename = "KeyMetadata")]
    metadata: Option<Metadata>,
    #[serde(rename = "CiphertextBlob")]
    ciphertext: Option<String>,
    #[serde(rename = "Plaintext")]
    plaintext: Option<String>,
}

async fn ask(
    clients: &Clients,
    operation: &'static str,
    target: &'static str,
    key: &str,
    body: String,
) -> Result<Said, Error> {
    let call = Call {
        service: Service::Kms,
        operation,
        body: Body::Json { target, content_type: "application/x-amz-json-1.1", text: Zeroizing::new(body) },
        endpoint: endpoint(clients, "KMS", "kms"),
        region: None,
        subject: key,
    };
    let answer = call.send(clients).await?;
    serde_json::from_str(answer.expose()).map_err(|_| Error::unreadable(operation, key, "JSON"))
}
