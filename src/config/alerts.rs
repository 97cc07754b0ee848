//! `[alerts]`: where Alertmanager is, and which alert of a tenant is expected while its key changes.
//!
//! How single values are written is `values`.

use super::file::Value;
use super::rules::Rules;
use super::{Password, values};
use crate::domain::fault::Service;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;

/// `[alerts]` as it is written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AlertsTable {
    url: Value<String>,
    alertname: Value<String>,
    tenant_label: Value<String>,
    tenant_value: Value<String>,
    silence: Value<String>,
    user: Value<String>,
    password_file: Value<String>,
    password_command: Value<Vec<Spanned<String>>>,
    token_file: Value<String>,
    ca_file: Value<String>,
}

/// `[alerts]`: Alertmanager.
#[derive(Clone, Debug, PartialEq)]
pub struct Alerts {
    /// Its address. Required.
    pub url: String,
    /// The alert that a server's failed fetch raises.
    pub alertname: String,
    /// The label that names the tenant.
    pub tenant_label: String,
    /// Its value; holds `{tenant_name}` or `{tenant_id}`.
    pub tenant_value: String,
    /// How long a silence lasts unless it is extended.
    pub silence: Duration,
    /// For basic authentication.
    pub user: Option<String>,
    /// For basic authentication; never `Text`.
    pub password: Password,
    /// A private file with a bearer token.
    pub token_file: Option<PathBuf>,
    /// An authority to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            url: String::new(),
            alertname: "BarbicanFetchError".into(),
            tenant_label: "tenant".into(),
            tenant_value: "{tenant_name}".into(),
            silence: Duration::from_secs(600),
            user: None,
            password: Password::None,
            token_file: None,
            ca_file: None,
        }
    }
}

impl Rules<'_> {
    pub(super) fn alerts(&mut self, table: Spanned<AlertsTable>) -> Alerts {
        let (at, default) = (table.span(), Alerts::default());
        let table = table.into_inner();
        let given = [
            ("alerts.password_file", table.password_file.as_ref().map(Spanned::span)),
            ("alerts.password_command", table.password_command.as_ref().map(Spanned::span)),
            ("alerts.token_file", table.token_file.as_ref().map(Spanned::span)),
        ];
        let given: Vec<_> = given.into_iter().filter_map(|(field, span)| Some((field, span?))).collect();
        if let [(first, _), (field, span), ..] = given.as_slice() {
            let message = format!("{first} is there already; one of the three is enough, take the others away");
            self.wrong(field, span, message);
        }
        match (given.first(), &table.user) {
            (Some(("alerts.token_file", span)), Some(_)) => {
                self.wrong("alerts.token_file", span, "a token needs no user: take one of the two away");
            }
            (Some((field, span)), None) if *field != "alerts.token_file" => {
                self.wrong(field, span, "there is a password but no alerts.user: add user, or take this away");
            }
            (None, Some(user)) => {
                let message = "there is a user but no password: add password_file or password_command";
                self.wrong("alerts.user", &user.span(), message);
            }
            _ => {}
        }
        let password = match (self.private_file("alerts.password_file", table.password_file), table.password_command) {
            (Some(path), _) => Password::File(path),
            (None, Some(command)) => Password::Command(self.argv("alerts.password_command", command, &[], &[])),
            (None, None) => Password::None,
        };
        let url_at = table.url.as_ref().map(Spanned::span);
        let url = self.required("alerts.url", &at, table.url, values::url);
        self.protected("alerts.url", url_at, Service::Alerts, &url);
        Alerts {
            url,
            alertname: self.or("alerts.alertname", table.alertname, default.alertname, values::line),
            tenant_label: self.or("alerts.tenant_label", table.tenant_label, default.tenant_label, label),
            tenant_value: self.or("alerts.tenant_value", table.tenant_value, default.tenant_value, tenant_value),
            silence: self.or("alerts.silence", table.silence, default.silence, silence),
            user: self.optional("alerts.user", table.user, user),
            password,
            token_file: self.private_file("alerts.token_file", table.token_file),
            ca_file: self.trusted("alerts.ca_file", table.ca_file),
        }
    }
}

fn label(text: &str) -> Result<String, String> {
    // Prometheus' rule for label names.
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if text == "alertname"
        || !text.bytes().all(known)
        || !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    {
        return Err(format!("{text:?} is not the name of a label for the tenant, such as \"tenant\""));
    }
    Ok(text.to_owned())
}

fn tenant_value(text: &str) -> Result<String, String> {
    values::placeholders(text, &["{tenant_name}", "{tenant_id}"])?;
    if !text.contains('{') {
        return Err("must hold {tenant_name} or {tenant_id}, else the alert of every tenant would be silenced".into());
    }
    values::line(text)
}

fn silence(text: &str) -> Result<Duration, String> {
    let (least, most) = (Duration::from_secs(60), Duration::from_secs(3600));
    match values::duration(text)? {
        lasts if (least..=most).contains(&lasts) => Ok(lasts),
        _ => Err(format!("{text:?} is too short or too long; \"1m\" to \"1h\": it is extended while it is needed")),
    }
}

fn user(text: &str) -> Result<String, String> {
    match text.contains(':') {
        true => Err("may not hold a colon, which ends the user's name in basic authentication".into()),
        false => values::line(text),
    }
}
