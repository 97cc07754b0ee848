//! The mailbox as the configuration describes it, in the words of the adapter. The two don't know each other.

use super::mail::password;
use crate::adapters::inbox::{After, InboxParameters, Login, PasswordSource, Security};
use crate::config;

/// The adapter's parameters.
pub fn parameters(inbox: &config::Inbox) -> InboxParameters {
    InboxParameters {
        host: inbox.host.clone(),
        port: inbox.port,
        security: match inbox.security {
            config::Security::StartTls => Security::StartTls,
            config::Security::Tls => Security::Tls,
            config::Security::None => Security::None,
        },
        user: inbox.user.clone(),
        login: match &inbox.login {
            config::InboxLogin::Password(source) => Login::Password(password(source)),
            config::InboxLogin::OAuth2(argv) => Login::OAuth2(PasswordSource::Command(argv.clone())),
        },
        ca_file: inbox.ca_file.clone(),
        folders: inbox.folders.clone(),
        after: match &inbox.after {
            config::After::Leave => After::Leave,
            config::After::Flag => After::Flag,
            config::After::Move(folder) => After::Move(folder.clone()),
        },
        poll: inbox.poll_interval,
        timeout: inbox.timeout,
    }
}
