//! Who is asking.

use super::limit::Service;
use super::{Clients, Error};

/// The identity behind the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account's twelve digits.
    pub account: String,
    /// Of the user or the assumed role's session.
    pub arn: String,
    /// AWS's id of the user, or of the role and its session's name.
    pub user_id: String,
}

/// Asks STS who is asking. Needs no permission.
pub async fn caller(clients: &Clients) -> Result<Caller, Error> {
    const OPERATION: &str = "sts:GetCallerIdentity";
    let request = clients.sts().get_caller_identity().send();
    let answer = clients.send(Service::Sts, OPERATION, "the caller's identity", request).await?;
    let missing = |what| Error::unreadable(OPERATION, "the caller's identity", what);
    Ok(Caller {
        account: answer.account.ok_or_else(|| missing("Account"))?,
        arn: answer.arn.ok_or_else(|| missing("Arn"))?,
        user_id: answer.user_id.unwrap_or_default(),
    })
}
