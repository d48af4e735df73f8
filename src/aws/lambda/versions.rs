//! The published versions of a function.

use super::super::limit::Service;
use super::super::{Clients, Error};
use super::time;

/// A published version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its number.
    pub number: u64,
    /// SHA-256 of its code, as Lambda writes it.
    pub code_sha256: String,
    /// When it was published, milliseconds.
    pub at: Option<i64>,
    /// What was said of it.
    pub description: Option<String>,
}

/// The published versions of a function, the oldest first (50 a page).
pub async fn versions(clients: &Clients, function: &str) -> Result<Vec<Published>, Error> {
    const OPERATION: &str = "lambda:ListVersionsByFunction";
    let mut found = Vec::new();
    let mut marker = None::<String>;
    loop {
        let request =
            clients.lambda().list_versions_by_function().function_name(function).set_marker(marker.clone()).send();
        let page = clients.send(Service::Lambda, OPERATION, function, request).await?;
        for version in page.versions.unwrap_or_default() {
            // $LATEST is no version that an alias should serve.
            let Some(number) = version.version.as_deref().and_then(|version| version.parse().ok()) else { continue };
            found.push(Published {
                number,
                code_sha256: version.code_sha256.unwrap_or_default(),
                at: version.last_modified.as_deref().and_then(time),
                description: version.description.filter(|text| !text.is_empty()),
            });
        }
        let next = page.next_marker.filter(|next| !next.is_empty());
        if next.is_some() && next == marker {
            return Err(Error::unreadable(OPERATION, function, "end: it repeats a page"));
        }
        marker = next;
        if marker.is_none() {
            found.sort_by_key(|version| version.number);
            return Ok(found);
        }
    }
}
