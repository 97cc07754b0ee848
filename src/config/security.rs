//! Judges `[security]`: which services may be reached unprotected, by name; and holds the addresses of this file to it.
//!
//! What is allowed by default (nothing) and what is this machine itself is `domain::transport`.

use super::file::Value;
use super::rules::{Rules, split};
use crate::domain::fault::Service;
use crate::domain::transport::{Address, Allowed, Exceptions, NAMED, Passage, name_of};
use reqwest::Url;
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;

/// `[security]` as it is written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SecurityTable {
    allow_plain_http: Value<Vec<Spanned<String>>>,
    allow_unverified_tls: Value<Vec<Spanned<String>>>,
    read_only: Value<bool>,
}

/// Those whose certificates `verify: false` of clouds.yaml leaves unverified; the others' always are.
const OF_THE_CLOUD: [Service; 3] = [Service::Keystone, Service::Barbican, Service::Swift];

impl Rules<'_> {
    /// The exceptions, and whether nothing may be changed from here.
    pub(super) fn security(&mut self, table: Value<SecurityTable>) -> (Exceptions, bool) {
        let (_, table) = split(table);
        let exceptions = Exceptions {
            plain_http: self.allowed("security.allow_plain_http", table.allow_plain_http, false),
            unverified_tls: self.allowed("security.allow_unverified_tls", table.allow_unverified_tls, true),
        };
        (exceptions, table.read_only.is_some_and(Spanned::into_inner))
    }

    fn allowed(&mut self, field: &str, written: Value<Vec<Spanned<String>>>, tls: bool) -> Vec<Allowed> {
        let mut list = Vec::new();
        for entry in written.map(Spanned::into_inner).unwrap_or_default() {
            match one(entry.get_ref(), tls) {
                Ok(allowed) => list.push(allowed),
                Err(message) => self.wrong(field, &entry.span(), message),
            }
        }
        list
    }

    /// An address of this file, before anything could be sent there.
    pub(super) fn protected(&mut self, field: &str, at: Option<Range<usize>>, service: Service, url: &str) {
        let (Some(at), Some(address)) = (at, address_of(url)) else { return };
        if let Passage::Refused(weakness) = self.exceptions.judge(service, &address, true) {
            let message = format!(
                "{address} is another machine, and over plain http everybody on the way could read and change what is \
                 sent: {}, or allow it by name: {} = [\"{}\"]",
                weakness.cure(),
                weakness.setting(),
                name_of(service)
            );
            self.wrong(field, &at, message);
        }
    }
}

/// Whom a URL leads to; `None` where it is none of http or https.
pub(super) fn address_of(url: &str) -> Option<Address> {
    let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let (host, port) = (url.host_str()?.to_owned(), url.port_or_known_default()?);
    Some(Address { tls: url.scheme() == "https", host, port })
}

fn one(text: &str, tls: bool) -> Result<Allowed, String> {
    if let Some((_, service)) = NAMED.iter().find(|(name, _)| *name == text) {
        if tls && !OF_THE_CLOUD.contains(service) {
            return Err(format!("the certificate of {text:?} is always verified; see its ca_file"));
        }
        return Ok(Allowed::Service(*service));
    }
    let names: Vec<&str> =
        NAMED.iter().filter(|(_, service)| !tls || OF_THE_CLOUD.contains(service)).map(|(name, _)| *name).collect();
    let scheme = if tls { "https" } else { "http" };
    let wrong = || {
        let names = names.join(", ");
        format!("{text:?} is neither a service ({names}) nor an address such as \"{scheme}://10.0.0.5:9311\"")
    };
    // No path: what is allowed is a machine's port.
    let bare =
        Url::parse(text).ok().filter(|url| url.path() == "/" && url.query().is_none() && url.username().is_empty());
    let address = bare.and_then(|_| address_of(text)).filter(|address| address.tls == tls);
    address.map(Allowed::Address).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_is_a_service_or_the_address_of_one() {
        assert_eq!(one("barbican", false), Ok(Allowed::Service(Service::Barbican)));
        assert_eq!(one("alertmanager", false), Ok(Allowed::Service(Service::Alerts)));
        let address = Address { tls: false, host: "10.0.0.5".into(), port: 9311 };
        assert_eq!(one("http://10.0.0.5:9311", false), Ok(Allowed::Address(address.clone())));
        assert_eq!(one("http://10.0.0.5:9311/", false), Ok(Allowed::Address(address)));
        for bad in ["", "*", "all", "Barbican", "https://h", "http://", "http://h/v1", "http://u@h", "ftp://h", "true"]
        {
            assert!(one(bad, false).is_err(), "{bad:?}");
        }
        assert!(one("https://k.example:5000", true).is_ok() && one("keystone", true).is_ok());
        for bad in ["console", "alertmanager", "http://k.example:5000"] {
            assert!(one(bad, true).is_err(), "{bad:?}");
        }
    }
}
