//! Who asks for tokens: an account whose password is read when the first token is asked for, and anew once it was refused.

use super::login::{Credentials, Named};
use crate::adapters::PasswordSource;
use crate::domain::fault::{Fault, FaultKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Where the configuration names the password, in messages.
const SECTION: &str = "keystone.auth";
/// How long a command that prints the password may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Whose the password is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A user's.
    User {
        /// Who.
        user: Named,
        /// The project to which the token is scoped; unscoped without.
        project: Option<Named>,
    },
    /// It is the secret of an application credential of this id.
    ApplicationCredential(String),
}

/// An account. Cheap to share: one for all nodes of a cluster.
pub struct Account {
    source: Option<(Whose, PasswordSource)>,
    read: Mutex<Option<Arc<Credentials>>>,
}

impl Account {
    /// One whose password is read from there; nothing is read yet.
    pub fn new(whose: Whose, password: PasswordSource) -> Self {
        Self { source: Some((whose, password)), read: Mutex::default() }
    }

    /// One whose password is known.
    pub fn given(credentials: Arc<Credentials>) -> Self {
        Self { source: None, read: Mutex::new(Some(credentials)) }
    }

    /// The credentials. Errors: the password can't be read.
    pub(super) async fn credentials(&self) -> Result<Arc<Credentials>, Fault> {
        // Held while it is read: a command is run once, however many nodes are asked.
        let mut read = self.read.lock().await;
        if let (None, Some((whose, source))) = (&*read, &self.source) {
            let password = source.read(SECTION, LIMIT).await?;
            *read = Some(Arc::new(match whose.clone() {
                Whose::User { user, project } => Credentials::Password { user, password, project },
                Whose::ApplicationCredential(id) => Credentials::ApplicationCredential { id, secret: password },
            }));
        }
        let none = || Fault::new(crate::domain::fault::Service::Keystone, FaultKind::Invalid, "there is no password");
        read.clone().ok_or_else(none)
    }

    /// They were refused: a changed password is picked up with the next token.
    pub(super) async fn refused(&self) {
        if self.source.is_some() {
            *self.read.lock().await = None;
        }
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Account").field(&self.source.as_ref().map(|(whose, _)| whose)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_read_once_and_anew_after_it_was_refused() {
        let folder = tempfile::tempdir().unwrap();
        let count = folder.path().join("count");
        let script = format!("echo x >> '{0}'; echo secret-$(wc -l < '{0}')", count.display());
        let source = PasswordSource::Command(["sh", "-c", &script].map(String::from).to_vec());
        let account = Account::new(Whose::ApplicationCredential("a".into()), source);
        let secret = async || match &*account.credentials().await.unwrap() {
            Credentials::ApplicationCredential { secret, .. } => secret.expose().to_vec(),
            Credentials::Password { password, .. } => password.expose().to_vec(),
        };
        assert_eq!((secret().await, secret().await), (b"secret-1".to_vec(), b"secret-1".to_vec()));
        account.refused().await;
        assert_eq!(secret().await, b"secret-2");
        assert!(!format!("{account:?}").contains("secret"));
    }

    #[tokio::test]
    async fn a_password_that_can_not_be_read_names_the_setting() {
        let source = PasswordSource::Command(["false".to_owned()].to_vec());
        let account = Account::new(Whose::ApplicationCredential("a".into()), source);
        let fault = account.credentials().await.unwrap_err();
        assert!(fault.message.contains("keystone.auth.password_command"), "{fault}");
    }
}
