//! The shape of `changeguard.toml` as it is written, with the place of each value.
//!
//! Whether the values make sense is left to `rules`; what they are when left out, to the `Default`s in `config`.

use super::alerts::AlertsTable;
use super::keystone::KeystoneTables;
use super::kops::KopsTables;
use super::problem::{Problems, Source};
use super::reminders::RemindersTable;
use super::security::SecurityTable;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

/// A value with its place, or nothing.
pub(super) type Value<T> = Option<Spanned<T>>;

/// The whole file.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) cloud: Value<CloudTable>,
    pub(super) state: Value<StateTable>,
    pub(super) wireguard: Value<WireguardTable>,
    pub(super) tenants: Value<TenantsTable>,
    pub(super) tenant: Vec<Spanned<TenantTable>>,
    pub(super) server: Value<ServerTable>,
    pub(super) smtp: Value<SmtpTable>,
    pub(super) notices: Value<NoticesTable>,
    pub(super) console: Value<ConsoleTable>,
    pub(super) approval: Value<ApprovalTable>,
    pub(super) reminders: Value<RemindersTable>,
    pub(super) alerts: Value<AlertsTable>,
    pub(super) security: Value<SecurityTable>,
    pub(super) inbox: Value<InboxTable>,
    pub(super) keystone: KeystoneTables,
    pub(super) kops: KopsTables,
}

/// `[approval]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ApprovalTable {
    pub(super) required: Value<bool>,
    pub(super) valid: Value<String>,
    pub(super) signers: Value<String>,
    pub(super) key: Value<String>,
}

/// `[cloud]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CloudTable {
    pub(super) name: Value<String>,
    pub(super) clouds_file: Value<String>,
    pub(super) connect_timeout: Value<String>,
    pub(super) read_timeout: Value<String>,
    pub(super) upload_timeout: Value<String>,
}

/// `[state]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StateTable {
    pub(super) directory: Value<String>,
    pub(super) url: Value<String>,
    pub(super) password_file: Value<String>,
    pub(super) password_command: Value<Vec<Spanned<String>>>,
    pub(super) ca_file: Value<String>,
}

/// `[wireguard]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WireguardTable {
    pub(super) secret_name: Value<String>,
    pub(super) container: Value<String>,
    pub(super) object: Value<String>,
    pub(super) interface: Value<String>,
    pub(super) reconcile_interval: Value<String>,
    pub(super) swap: Value<String>,
    pub(super) cadence_months: Value<i64>,
    pub(super) preflight_valid: Value<String>,
    pub(super) fields: Value<FieldsTable>,
}

/// `[wireguard.fields]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FieldsTable {
    pub(super) id: Value<String>,
    pub(super) name: Value<String>,
    pub(super) email: Value<String>,
    pub(super) public_key: Value<String>,
}

/// `[tenants]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TenantsTable {
    pub(super) discover: Value<bool>,
    pub(super) server: Value<String>,
    pub(super) contacts: Value<String>,
}

/// `[[tenant]]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TenantTable {
    pub(super) id: Value<String>,
    pub(super) name: Value<String>,
    pub(super) server: Value<String>,
    pub(super) gateway: Value<String>,
    pub(super) language: Value<String>,
}

/// `[server]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ServerTable {
    pub(super) command: Value<Vec<Spanned<String>>>,
    pub(super) wg: Value<String>,
    pub(super) timeout: Value<String>,
    pub(super) poll_interval: Value<String>,
    pub(super) agent_check: Value<String>,
    pub(super) agent_log: Value<String>,
}

/// `[smtp]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SmtpTable {
    pub(super) host: Value<String>,
    pub(super) port: Value<i64>,
    pub(super) security: Value<String>,
    pub(super) from: Value<String>,
    pub(super) reply_to: Value<String>,
    pub(super) user: Value<String>,
    pub(super) password: Value<PasswordText>,
    pub(super) password_file: Value<String>,
    pub(super) password_command: Value<Vec<Spanned<String>>>,
    pub(super) ca_file: Value<String>,
    pub(super) timeout: Value<String>,
    pub(super) connections: Value<i64>,
    pub(super) per_minute: Value<i64>,
    pub(super) retries: Value<i64>,
    pub(super) verp: Value<bool>,
}

/// `[inbox]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct InboxTable {
    pub(super) host: Value<String>,
    pub(super) port: Value<i64>,
    pub(super) security: Value<String>,
    pub(super) user: Value<String>,
    pub(super) password: Value<PasswordText>,
    pub(super) password_file: Value<String>,
    pub(super) password_command: Value<Vec<Spanned<String>>>,
    pub(super) oauth2_command: Value<Vec<Spanned<String>>>,
    pub(super) address: Value<String>,
    pub(super) separator: Value<String>,
    pub(super) folders: Value<Vec<Spanned<String>>>,
    pub(super) after: Value<String>,
    pub(super) poll_interval: Value<String>,
    pub(super) timeout: Value<String>,
    pub(super) ca_file: Value<String>,
    pub(super) authserv_id: Value<String>,
}

/// `[notices]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NoticesTable {
    pub(super) guide_url: Value<String>,
    pub(super) portal_url: Value<String>,
    pub(super) organisation: Value<String>,
    pub(super) templates: Value<String>,
    pub(super) language: Value<String>,
    pub(super) reconfigure_needs: Value<Vec<String>>,
}

/// `[console]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ConsoleTable {
    pub(super) url: Value<String>,
    pub(super) token_file: Value<String>,
    pub(super) role: Value<String>,
    pub(super) ca_file: Value<String>,
}

/// `contacts.toml`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ContactsFile {
    pub(super) contact: Vec<Spanned<ContactTable>>,
}

/// `[[contact]]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ContactTable {
    pub(super) tenant: Value<String>,
    pub(super) client: Value<String>,
    pub(super) name: Value<String>,
    pub(super) email: Value<String>,
}

/// A password that somebody wrote into the file.
#[derive(Deserialize)]
#[serde(from = "String")]
pub(super) struct PasswordText(pub(super) Zeroizing<String>);

impl From<String> for PasswordText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

/// Reads a file into its shape. Wrong keys and types are noted and taken out one by one, so that all of them are told
/// together and the rest is still judged. `None` if the file is not TOML at all.
pub(super) fn read<T: DeserializeOwned>(source: &Source, problems: &mut Problems) -> Option<T> {
    let (mut root, errors) = DeTable::parse_recoverable(&source.text);
    for error in &errors {
        problems.add(source, &error.span().unwrap_or(0..0), "", format!("not valid TOML: {}", error.message()));
    }
    if !errors.is_empty() {
        return None;
    }
    loop {
        let error = match T::deserialize(toml::de::Deserializer::from(root.clone())) {
            Ok(shape) => return Some(shape),
            Err(error) => error,
        };
        let span = error.span().unwrap_or(0..0);
        let field = take_out(root.get_mut(), &span);
        let name = field.clone().unwrap_or_default();
        // serde's message would quote a password that is not a string
        let message = if name.ends_with(".password") { "a password is a string in quotes" } else { error.message() };
        problems.add(source, &span, &name, message);
        field?;
    }
}

/// Takes out the innermost entry whose key or value lies at this place, and gives its path.
fn take_out(table: &mut DeTable<'_>, span: &Range<usize>) -> Option<String> {
    let mut found = None;
    for (key, value) in table.iter_mut() {
        let inner = match value.get_mut() {
            DeValue::Table(inner) => take_out(inner, span).map(|path| format!(".{path}")),
            DeValue::Array(elements) => elements.iter_mut().enumerate().find_map(|(at, element)| {
                let DeValue::Table(inner) = element.get_mut() else {
                    return None;
                };
                take_out(inner, span).map(|path| format!("[{at}].{path}"))
            }),
            _ => None,
        };
        if let Some(path) = inner {
            return Some(format!("{}{path}", key.get_ref()));
        }
        let whole = value.span();
        if key.span() == *span || (whole.start <= span.start && span.end <= whole.end) {
            found = Some(key.clone());
            break;
        }
    }
    let key = found?;
    table.remove(&key);
    Some(key.into_inner().into_owned())
}
