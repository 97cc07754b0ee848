//! The mail server as the configuration describes it, in the words of the adapter. The two don't know each other.

use crate::adapters::mail::{MailParameters, PasswordSource, Security, SmtpMailer};
use crate::adapters::system::SystemClock;
use crate::config::{self, Config, Password};
use crate::domain::fault::Fault;
use crate::engine::secret::SecretBytes;
use std::sync::Arc;

/// The adapter's parameters.
pub fn parameters(config: &Config) -> MailParameters {
    let (smtp, notices) = (&config.smtp, &config.notices);
    MailParameters {
        host: smtp.host.clone(),
        port: smtp.port,
        security: match smtp.security {
            config::Security::StartTls => Security::StartTls,
            config::Security::Tls => Security::Tls,
            config::Security::None => Security::None,
        },
        from: smtp.from.clone(),
        reply_to: smtp.reply_to.clone(),
        user: smtp.user.clone(),
        password: password(&smtp.password),
        ca_file: smtp.ca_file.clone(),
        timeout: smtp.timeout,
        connections: smtp.connections,
        per_minute: smtp.per_minute,
        guide_url: notices.guide_url.clone(),
        portal_url: notices.portal_url.clone(),
        organisation: notices.organisation.clone(),
        templates: notices.templates.clone(),
        language: notices.language,
        reply: config.inbox.as_ref().map(|inbox| (inbox.address.clone(), inbox.separator)),
        verp: smtp.verp,
        retries: smtp.retries,
    }
}

/// Every text of the configuration that can't be used, and why; also where nothing can be written at all. Nothing is sent.
pub fn text_faults(config: &Config) -> Vec<Fault> {
    match SmtpMailer::new(parameters(config), Arc::new(SystemClock)) {
        Ok(mailer) => mailer.text_faults(),
        Err(fault) => vec![fault],
    }
}

/// Where a password comes from, in the words of the adapters.
pub fn password(password: &Password) -> PasswordSource {
    match password {
        Password::None => PasswordSource::None,
        Password::File(path) => PasswordSource::File(path.clone()),
        Password::Command(argv) => PasswordSource::Command(argv.clone()),
        Password::Text(text) => PasswordSource::Given(SecretBytes::new(text.as_bytes().to_vec())),
    }
}
