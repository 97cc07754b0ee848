//! A node's tokens as the runbook asks for them: with the credentials that the configuration names.

use super::client::TokenClient;
use super::login::Credentials;
use crate::domain::fault::Fault;
use crate::engine::ports::nodes::{NodeTokens, Token, Validated};
use async_trait::async_trait;
use std::sync::Arc;

/// One node, asked by one account.
pub struct Asking {
    client: TokenClient,
    credentials: Arc<Credentials>,
}

impl Asking {
    /// Asks this node with these credentials, which are the same for all nodes.
    pub fn new(client: TokenClient, credentials: Arc<Credentials>) -> Self {
        Self { client, credentials }
    }
}

#[async_trait]
impl NodeTokens for Asking {
    async fn issue(&self) -> Result<Token, Fault> {
        self.client.issue(&self.credentials).await
    }

    async fn validate_own(&self, token: &Token) -> Result<Validated, Fault> {
        self.client.validate_own(token).await
    }

    async fn validate_subject(&self, token: &Token, asked_with: &Token) -> Result<Validated, Fault> {
        self.client.validate_subject(token, asked_with).await
    }
}
