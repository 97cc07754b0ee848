//! What may pass between us and a service without protection: only what the configuration allows by name. On this machine
//! plain http is no weakness.

use super::fault::Service;
use core::net::IpAddr;
use std::fmt;

/// Whether this host can only be this machine. An IPv6 address may stand in brackets.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whom one talks to over http.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// https.
    pub tls: bool,
    /// In lower case; an IPv6 address in brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.tls { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// How a connection fails to protect what passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weakness {
    /// Whoever is on the way reads and changes everything.
    PlainHttp,
    /// Whoever is on the way can pretend to be the service.
    UnverifiedTls,
}

impl Weakness {
    /// The words on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Weakness::PlainHttp => "plain http",
            Weakness::UnverifiedTls => "unverified TLS",
        }
    }

    /// Where the configuration allows it.
    pub fn setting(self) -> &'static str {
        match self {
            Weakness::PlainHttp => "security.allow_plain_http",
            Weakness::UnverifiedTls => "security.allow_unverified_tls",
        }
    }

    /// What would have to be done instead.
    pub fn cure(self) -> &'static str {
        match self {
            Weakness::PlainHttp => "use an https address",
            Weakness::UnverifiedTls => "take verify: false away and name the authority in cacert",
        }
    }
}

/// The services that are reached over http, by the names that the configuration gives them.
pub const NAMED: [(&str, Service); 5] = [
    ("keystone", Service::Keystone),
    ("barbican", Service::Barbican),
    ("swift", Service::Swift),
    ("console", Service::Console),
    ("alertmanager", Service::Alerts),
];

/// The name of a service in the configuration.
pub fn name_of(service: Service) -> &'static str {
    NAMED.iter().find(|(_, known)| *known == service).map_or("", |(name, _)| name)
}

/// One entry of an exception's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// A service, wherever it is.
    Service(Service),
    /// An address, whatever is there.
    Address(Address),
}

/// What the configuration allows; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exceptions {
    /// Plain http beyond this machine.
    pub plain_http: Vec<Allowed>,
    /// Certificates that nobody verifies.
    pub unverified_tls: Vec<Allowed>,
}

/// Whether one may talk there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It is protected, or does not leave this machine.
    Protected,
    /// It is not, and the configuration allows it; this is to be shown.
    Allowed(Weakness),
    /// It is not, and nothing may be sent.
    Refused(Weakness),
}

impl Exceptions {
    /// Judges one address of one service. `verified`: its certificate would be verified.
    pub fn judge(&self, service: Service, address: &Address, verified: bool) -> Passage {
        let weakness = match address.tls {
            true if verified => return Passage::Protected,
            true => Weakness::UnverifiedTls,
            false if is_loopback(&address.host) => return Passage::Protected,
            false => Weakness::PlainHttp,
        };
        let list = match weakness {
            Weakness::PlainHttp => &self.plain_http,
            Weakness::UnverifiedTls => &self.unverified_tls,
        };
        let named = list.iter().any(|allowed| match allowed {
            Allowed::Service(named) => *named == service,
            Allowed::Address(named) => named == address,
        });
        if named { Passage::Allowed(weakness) } else { Passage::Refused(weakness) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tls: bool, host: &str, port: u16) -> Address {
        Address { tls, host: host.into(), port }
    }

    #[test]
    fn only_what_is_named_passes_unprotected_and_only_this_machine_needs_no_name() {
        let barbican = Exceptions {
            plain_http: vec![Allowed::Service(Service::Barbican), Allowed::Address(at(false, "10.0.0.5", 8080))],
            unverified_tls: vec![Allowed::Address(at(true, "k.example", 443))],
        };
        let nothing = Exceptions::default();
        for host in ["127.0.0.1", "127.8.9.1", "localhost", "[::1]"] {
            assert_eq!(nothing.judge(Service::Keystone, &at(false, host, 80), true), Passage::Protected, "{host}");
        }
        for host in ["10.0.0.5", "localhost.evil.example", "127.0.0.1.nip.io", "[::ffff:127.0.0.1]", "0.0.0.0", ""] {
            let passage = nothing.judge(Service::Swift, &at(false, host, 80), true);
            assert_eq!(passage, Passage::Refused(Weakness::PlainHttp), "{host}");
        }
        let plain = |service, port| barbican.judge(service, &at(false, "10.0.0.5", port), true);
        assert_eq!(plain(Service::Barbican, 9311), Passage::Allowed(Weakness::PlainHttp));
        assert_eq!(plain(Service::Swift, 9311), Passage::Refused(Weakness::PlainHttp));
        assert_eq!(plain(Service::Swift, 8080), Passage::Allowed(Weakness::PlainHttp));
        let unverified = |host| barbican.judge(Service::Keystone, &at(true, host, 443), false);
        assert_eq!(unverified("k.example"), Passage::Allowed(Weakness::UnverifiedTls));
        assert_eq!(unverified("10.0.0.5"), Passage::Refused(Weakness::UnverifiedTls));
        // What allows plain http does not allow a certificate that nobody verifies, and on this machine neither.
        assert_eq!(unverified("127.0.0.1"), Passage::Refused(Weakness::UnverifiedTls));
        assert_eq!(barbican.judge(Service::Keystone, &at(true, "x", 443), true), Passage::Protected);
    }

    #[test]
    fn an_address_is_written_as_people_write_it() {
        assert_eq!(at(false, "10.0.0.5", 80).to_string(), "http://10.0.0.5");
        assert_eq!(at(true, "[fd00::1]", 9311).to_string(), "https://[fd00::1]:9311");
    }
}
