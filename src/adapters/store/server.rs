//! How the PostgreSQL server is reached: address, TLS and password, each with its own fault, under one time limit.

use super::trouble::{invalid, trouble};
use crate::adapters::PasswordSource;
use crate::domain::fault::{Fault, FaultKind, Service};
use reqwest::Url;
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, Connection};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The most that a connection may take, TLS and login included; and a command that prints the password.
const CONNECT: Duration = Duration::from_secs(6);
const PASSWORD: Duration = Duration::from_secs(15);

/// A PostgreSQL server and who we are there.
#[derive(Clone, Debug)]
pub struct Server {
    url: Url,
    password: Arc<PasswordSource>,
    ca_file: Option<PathBuf>,
}

impl Server {
    /// `url` is `postgres://user@host:port/database`, without a password; `?host=/folder` names a socket's folder.
    ///
    /// Errors: it is no such address, or a password stands in it.
    pub fn new(url: &str, password: PasswordSource, ca_file: Option<PathBuf>) -> Result<Self, Fault> {
        let url: Url = url.parse().map_err(|_| invalid("state.url is not an address"))?;
        if url.password().is_some() || url.query_pairs().any(|(key, _)| key != "host") {
            return Err(invalid("state.url may hold no password and no parameter but host"));
        }
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(invalid("state.url is not one of PostgreSQL"));
        }
        Ok(Self { url, password: Arc::new(password), ca_file })
    }

    /// A socket, or this machine: nobody stands in between.
    fn is_local(&self) -> bool {
        let socket = self.url.query_pairs().any(|(key, value)| key == "host" && value.starts_with('/'));
        let host = self.url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        socket || bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// The address with password and TLS, for sqlx. It is never shown.
    pub(super) async fn options(&self) -> Result<AnyConnectOptions, Fault> {
        let mut url = self.url.clone();
        if !matches!(*self.password, PasswordSource::None) {
            let password = self.password.read("state", PASSWORD).await?;
            url.set_password(Some(&encoded(password.expose())))
                .map_err(|()| invalid("state.url has no host, so no password can be used"))?;
        }
        let mode = if self.is_local() { "prefer" } else { "verify-full" };
        {
            let mut pairs = url.query_pairs_mut();
            pairs.append_pair("sslmode", if self.ca_file.is_some() { "verify-full" } else { mode });
            pairs.append_pair("application_name", "changeguard");
            if let Some(path) = &self.ca_file {
                pairs.append_pair("sslrootcert", &path.to_string_lossy());
            }
        }
        // sqlx's error would quote the address.
        url.as_str().parse().map_err(|_| invalid("state.url can't be used"))
    }

    /// One connection.
    pub(super) async fn connect(&self, options: &AnyConnectOptions) -> Result<AnyConnection, Fault> {
        let doing = "opening the journal";
        match tokio::time::timeout(CONNECT, AnyConnection::connect_with(options)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(trouble(doing, &error)),
            Err(_) => {
                let text = format!("{doing}: the journal's server does not answer");
                Err(Fault::new(Service::Journal, FaultKind::Unreachable, text)
                    .hint("nothing was written; check state.url, the network and that the server runs"))
            }
        }
    }
}

/// Every byte that is not plain is escaped, since a password may hold anything.
fn encoded(bytes: &[u8]) -> zeroize::Zeroizing<String> {
    let mut text = zeroize::Zeroizing::new(String::with_capacity(bytes.len() * 3));
    for byte in bytes {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
