//! The contacts file: addresses of clients that the object does not name, or names wrongly.
//!
//! Joining them with the people of the object is left to `domain::client`.

use super::file::{self, ContactTable, ContactsFile};
use super::problem::{ConfigError, Problems, Source};
use super::rules::Rules;
use super::{Config, values};
use crate::domain::client::Entry;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use toml::Spanned;

/// One entry of the contacts file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// A tenant's name or id.
    pub tenant: String,
    /// The client, with name and address.
    pub entry: Entry,
}

/// Reads the file that `tenants.contacts` names. `named` is where it is named, for the case that it can't be read.
pub(super) fn load(
    path: PathBuf,
    config: &Config,
    by: &Source,
    named: &Range<usize>,
    problems: &mut Problems,
) -> Vec<Contact> {
    let source = match Source::open(path) {
        Ok(source) => source,
        Err(error) => {
            let message = match &error {
                ConfigError::Missing(path) => format!("{} does not exist; write it or take this away", path.display()),
                other => other.to_string(),
            };
            problems.add(by, named, "tenants.contacts", message);
            return Vec::new();
        }
    };
    let Some(file) = file::read::<ContactsFile>(&source, problems) else {
        return Vec::new();
    };
    let mut seen = BTreeMap::new();
    let mut rules = Rules::new(&source, problems, None);
    let contacts = file.contact.into_iter().enumerate();
    contacts.map(|(at, table)| contact(&mut rules, at, table, config, &mut seen)).collect()
}

fn contact(
    rules: &mut Rules<'_>,
    at: usize,
    table: Spanned<ContactTable>,
    config: &Config,
    seen: &mut BTreeMap<(String, String), usize>,
) -> Contact {
    let place = table.span();
    let table = table.into_inner();
    let field = |name: &str| format!("contact[{at}].{name}");
    let tenant_at = table.tenant.as_ref().map_or(place.clone(), Spanned::span);
    let client_at = table.client.as_ref().map_or(place.clone(), Spanned::span);
    let tenant = rules.required(&field("tenant"), &place, table.tenant, values::line);
    let client = rules.required(&field("client"), &place, table.client, values::line);
    let name = rules.optional(&field("name"), table.name, values::line);
    let email = rules.required(&field("email"), &place, table.email, values::address);
    let known = config.tenant.iter().find(|known| known.name == tenant || known.id.as_str() == tenant);
    if known.is_none() && !config.tenants.discover && !tenant.is_empty() {
        let message = format!("{tenant:?} is neither the name nor the id of a [[tenant]]");
        rules.wrong(&field("tenant"), &tenant_at, message);
    }
    let of = known.map_or(tenant.clone(), |known| known.id.to_string());
    if !client.is_empty()
        && let Some(first) = seen.insert((of, client.clone()), at)
    {
        let message = format!("{client:?} of this tenant is already contact[{first}]; keep one of them");
        rules.wrong(&field("client"), &client_at, message);
    }
    Contact {
        tenant,
        entry: Entry { id: client, name, email: Some(email).filter(|email| !email.is_empty()), public_key: None },
    }
}
