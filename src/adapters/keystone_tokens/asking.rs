//! A node's tokens as the runbook asks for them: with the account that the configuration names.

use super::account::Account;
use super::client::TokenClient;
use super::login::Credentials;
use crate::domain::fault::{Fault, FaultKind};
use crate::engine::ports::nodes::{NodeTokens, Token, Validated};
use async_trait::async_trait;
use std::sync::Arc;

/// One node, asked by one account.
pub struct Asking {
    client: TokenClient,
    account: Arc<Account>,
}

impl Asking {
    /// Asks this node with these credentials, which are the same for all nodes.
    pub fn new(client: TokenClient, credentials: Arc<Credentials>) -> Self {
        Self::reading(client, Arc::new(Account::given(credentials)))
    }

    /// Asks this node by an account whose password is read when it is needed.
    pub fn reading(client: TokenClient, account: Arc<Account>) -> Self {
        Self { client, account }
    }
}

#[async_trait]
impl NodeTokens for Asking {
    async fn answers(&self) -> Result<(), Fault> {
        self.client.answers().await
    }

    async fn issue(&self) -> Result<Token, Fault> {
        let credentials = self.account.credentials().await?;
        let issued = self.client.issue(&credentials).await;
        if issued.as_ref().is_err_and(|fault| fault.kind == FaultKind::Unauthorized) {
            self.account.refused().await;
        }
        issued
    }

    async fn validate_own(&self, token: &Token) -> Result<Validated, Fault> {
        self.client.validate_own(token).await
    }

    async fn validate_subject(&self, token: &Token, asked_with: &Token) -> Result<Validated, Fault> {
        self.client.validate_subject(token, asked_with).await
    }
}
