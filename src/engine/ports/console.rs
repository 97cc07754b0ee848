//! The console API as the engine needs it: who asks, whom it lists, and the key that it serves.

use crate::domain::client::Entry;
use crate::domain::fault::Fault;
use crate::domain::key::PublicKey;
use crate::domain::tenant::TenantId;
use async_trait::async_trait;
use jiff::Timestamp;
use std::fmt;

/// Who the operator is to the console API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The role.
    pub name: String,
    /// When the token ends, UTC, where it says so.
    pub expires: Option<Timestamp>,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.expires {
            Some(at) => write!(f, "{}, the token ends {}", self.name, at.strftime("%Y-%m-%d %H:%M:%S UTC")),
            None => write!(f, "{}, the token does not say when it ends", self.name),
        }
    }
}

/// The console API, where one is configured.
#[async_trait]
pub trait Console: Send + Sync {
    /// When the token that was used last ends, UTC, where it says so.
    fn token_ends(&self) -> Option<Timestamp>;
    /// The token works, and its role can do the work.
    async fn probe(&self) -> Result<Role, Fault>;
    /// Every tenant that it lists, by id and name.
    async fn tenants(&self) -> Result<Vec<(TenantId, String)>, Fault>;
    /// How far its clock was ahead of ours at its last answer, s; none where it did not say.
    fn skew(&self) -> Option<i64>;
    /// The next answers are asked for anew: nothing that is kept for the fleet's sake may stand for them.
    async fn forget(&self);
    /// The tenant's users.
    async fn users(&self, tenant: &TenantId) -> Result<Vec<Entry>, Fault>;
    /// The server key in the script that is served for this user.
    async fn served_key(&self, user: &str) -> Result<PublicKey, Fault>;
}
