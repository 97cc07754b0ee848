//! The platform's console API, read only: who is in a tenant, and which server key the served configuration holds. What it
//! means where it differs from Swift is left to the domain.
//!
//! Shapes: the platform's public documentation; another site may differ.

use crate::adapters::{exhausted, root_trust};
use crate::domain::client::Entry;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::key::PublicKey;
use crate::domain::sanitize::sanitize;
use crate::domain::tenant::TenantId;
use crate::domain::transport::{Address, is_loopback};
use crate::engine::ports::{self, Role};
use crate::engine::transport::Transport;
use async_trait::async_trait;
use base64ct::{Base64UrlUnpadded, Encoding};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Certificate, Client, Method, Request, StatusCode, Url};
use serde::Deserialize;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

const CONSOLE: Service = Service::Console;

/// Most bytes of an answer: the list of all tenants with their users.
const LARGEST: usize = 32 * 1024 * 1024;

/// The list of tenants serves all tenants of the fleet that ask within this time, since it comes only as a whole. What it says
/// is taken for what is true now, and that it was given for a sign of life, so it is no longer.
const LIST_LIVES: Duration = Duration::from_secs(1);

/// What the adapter must be told.
#[derive(Clone, Debug)]
pub struct ConsoleParameters {
    /// The API's address.
    pub url: String,
    /// A file that holds the operator's token (a JWT), mode 0600 or 0400. Read for each request: whoever replaces it is not
    /// to start anything anew.
    pub token_file: PathBuf,
    /// Whether nobody else can read, write or replace that file; asked before each reading.
    pub is_private: fn(&Path) -> Result<(), String>,
    /// The role that can list all tenants and read what is served for each user.
    pub role: String,
    /// A PEM file of authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Until a connection stands.
    pub connect: Duration,
    /// From the sending of a request until its whole answer is read.
    pub read: Duration,
    /// What may pass unprotected.
    pub transport: Transport,
}

/// The console API.
pub struct Console {
    client: Client,
    base: Url,
    token_file: PathBuf,
    is_private: fn(&Path) -> Result<(), String>,
    role: String,
    read: Duration,
    /// How far its clock was ahead of ours at its last answer, s.
    skew: std::sync::Mutex<Option<i64>>,
    /// When the token that was read last ends.
    ends: std::sync::Mutex<Option<Timestamp>>,
    tenants: Mutex<Option<(Instant, Arc<Vec<ListedTenant>>)>>,
}

struct Token {
    header: HeaderValue,
    expires: Option<Timestamp>,
}

#[derive(Deserialize)]
struct ListedTenant {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    users: Vec<User>,
}

#[derive(Deserialize)]
struct User {
    id: String,
    email: Option<String>,
    name: Option<String>,
    role: Option<String>,
}

impl Console {
    /// Prepares; nothing is sent and the token is not read yet. Errors: an address that is none, an authority file that
    /// can't be read, a way that is not protected.
    pub fn new(parameters: ConsoleParameters) -> Result<Self, Fault> {
        let invalid = |why: String| Fault::new(Service::Configuration, FaultKind::Invalid, why);
        let base = Url::parse(&parameters.url).map_err(|error| invalid(format!("use console.url: {error}")))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(invalid("use console.url: it is not an http or https address".into()));
        }
        // reqwest panics without a provider; where main has installed it already this changes nothing.
        rustls::crypto::ring::default_provider().install_default().ok();
        let mut builder = Client::builder()
            .user_agent(concat!("changeguard/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(parameters.connect);
        if let Some(path) = &parameters.ca_file {
            let pem = std::fs::read(path).map_err(|e| invalid(format!("read {}: {e}", path.display())))?;
            let certificates = Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if certificates.is_empty() {
                return Err(invalid(format!("read {}: it holds no PEM certificate", path.display())));
            }
            builder = builder.tls_certs_only(certificates);
        } else {
            let tls = root_trust().map_err(|error| invalid(format!("prepare TLS: {error}")))?;
            builder = builder.tls_backend_preconfigured(tls);
        }
        let address = Address {
            tls: base.scheme() == "https",
            host: base.host_str().unwrap_or_default().to_owned(),
            port: base.port_or_known_default().unwrap_or_default(),
        };
        parameters.transport.pass(CONSOLE, &address, true)?;
        // What may pass in clear on this machine must not leave it.
        if is_loopback(&address.host) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| invalid(format!("prepare TLS: {}", cause(&error))))?;
        Ok(Self {
            client,
            base,
            token_file: parameters.token_file,
            is_private: parameters.is_private,
            role: parameters.role,
            read: parameters.read,
            skew: std::sync::Mutex::default(),
            ends: std::sync::Mutex::default(),
            tenants: Mutex::default(),
        })
    }

    /// The token as it is in its file now.
    fn token(&self) -> Result<Token, Fault> {
        let token = read_token(&self.token_file, self.is_private);
        let ends = token.as_ref().ok().and_then(|token| token.expires);
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends;
        token
    }

    /// GET. A 401 is asked once more if the file holds another token by now.
    async fn get(&self, what: &str, path: &[&str]) -> Result<Vec<u8>, Fault> {
        let mut url = self.base.clone();
        // http(s) addresses always have a path.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let token = self.token()?;
        let (mut status, mut body) = self.ask(what, &url, &token).await?;
        if status == StatusCode::UNAUTHORIZED {
            let other = self.token()?;
            if other.header != token.header {
                (status, body) = self.ask(what, &url, &other).await?;
            }
        }
        if status.is_success() { Ok(body) } else { Err(refusal(what, status, &body)) }
    }

    async fn ask(&self, what: &str, url: &Url, token: &Token) -> Result<(StatusCode, Vec<u8>), Fault> {
        let fault = |error: reqwest::Error| failure(what, self.read, &error);
        let mut request = Request::new(Method::GET, url.clone());
        request.headers_mut().insert(AUTHORIZATION, token.header.clone());
        *request.timeout_mut() = Some(self.read);
        let sent = SystemTime::now();
        let mut response = self.client.execute(request).await.map_err(fault)?;
        let date = response.headers().get("date").and_then(|date| date.to_str().ok());
        let skew = date.filter(|_| !response.headers().contains_key("age")).and_then(|date| skew_of(date, sent));
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner) = skew;
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(fault)? {
            if body.len() + piece.len() > LARGEST {
                return Err(Fault::new(CONSOLE, FaultKind::Malformed, format!("{what}: the answer is too large")));
            }
            body.extend_from_slice(&piece);
        }
        Ok((response.status(), body))
    }

    async fn listed(&self) -> Result<Arc<Vec<ListedTenant>>, Fault> {
        // Held while asking: the fleet's tenants wait for one answer instead of each getting the whole list.
        let mut kept = self.tenants.lock().await;
        if let Some((_, tenants)) = kept.as_ref().filter(|(at, _)| at.elapsed() < LIST_LIVES) {
            return Ok(Arc::clone(tenants));
        }
        let what = "list the tenants";
        let asked = Instant::now();
        let tenants = Arc::new(json(what, &self.get(what, &["tenants"]).await?)?);
        *kept = Some((asked, Arc::clone(&tenants)));
        Ok(tenants)
    }
}

#[async_trait]
impl ports::Console for Console {
    async fn probe(&self) -> Result<Role, Fault> {
        let what = "ask who the operator is";
        let me: User = json(what, &self.get(what, &["users", "me"]).await?)?;
        let role = sanitize(me.role.as_deref().unwrap_or("no role"));
        if !role.eq_ignore_ascii_case(&self.role) {
            let text = format!("{what}: {role}, and the work here needs the role {}", self.role);
            return Err(Fault::new(CONSOLE, FaultKind::Forbidden, text).hint(
                "put the token of an operator with that role into console.token_file; where another role can list all \
                 tenants and read what is served for their users, name it in console.role",
            ));
        }
        Ok(Role { name: role, expires: self.token_ends() })
    }

    fn token_ends(&self) -> Option<Timestamp> {
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn skew(&self) -> Option<i64> {
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tenants(&self) -> Result<Vec<(TenantId, String)>, Fault> {
        let listed = self.listed().await?;
        let named = |tenant: &ListedTenant| {
            let id = TenantId::new(tenant.id.as_str()).ok()?;
            let name = tenant.name.as_deref().map(sanitize).filter(|name| !name.is_empty());
            Some((id.clone(), name.unwrap_or_else(|| id.to_string())))
        };
        Ok(listed.iter().filter_map(named).collect())
    }

    async fn forget(&self) {
        *self.tenants.lock().await = None;
    }

    async fn users(&self, tenant: &TenantId) -> Result<Vec<Entry>, Fault> {
        let tenants = self.listed().await?;
        let Some(listed) = tenants.iter().find(|listed| listed.id == tenant.as_str()) else {
            let text = format!("find the tenant {tenant} in the console API: it is not listed there");
            return Err(Fault::new(CONSOLE, FaultKind::NotFound, text)
                .hint("check the tenant's id, and that the operator's role may list all tenants"));
        };
        let clean = |text: &Option<String>| text.as_deref().map(sanitize).filter(|text| !text.is_empty());
        let entry = |user: &User| Entry {
            id: sanitize(&user.id),
            name: clean(&user.name),
            email: clean(&user.email),
            public_key: None,
        };
        Ok(listed.users.iter().map(entry).collect())
    }

    async fn served_key(&self, user: &str) -> Result<PublicKey, Fault> {
        let what = format!("read the configuration served for {user}");
        let script = self.get(&what, &["users", user, "vpn"]).await?;
        key_in(&String::from_utf8_lossy(&script)).ok_or_else(|| {
            let text = format!("{what}: the script holds no line PublicKey = <key>");
            Fault::new(CONSOLE, FaultKind::Malformed, text)
        })
    }
}

/// The server's key in the script: the only `PublicKey = ` line (the client's own key is never on the platform).
fn key_in(script: &str) -> Option<PublicKey> {
    script.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        // The script may print the line with echo or hold it in quotes.
        let name = name.trim().trim_start_matches("echo").trim_matches([' ', '"', '\'']);
        (name == "PublicKey").then(|| PublicKey::parse(value.trim().trim_matches(['"', '\''])).ok())?
    })
}

/// How far a clock that says this was ahead of ours, s: half a second has gone on average since its whole second.
fn skew_of(date: &str, sent: SystemTime) -> Option<i64> {
    let theirs = jiff::fmt::rfc2822::parse(date).ok()?.timestamp() + SignedDuration::from_millis(500);
    let middle = Timestamp::try_from(sent + sent.elapsed().ok()? / 2).ok()?;
    Some(theirs.duration_since(middle).as_secs_f64().round() as i64)
}

fn read_token(file: &Path, is_private: fn(&Path) -> Result<(), String>) -> Result<Token, Fault> {
    let hint = "console.token_file must hold an operator token (one line), readable by you alone (chmod 600)";
    let fault = |why: String| {
        let text = format!("read the console token in {}: {why}", file.display());
        Fault::new(Service::Configuration, FaultKind::Invalid, text).hint(hint)
    };
    is_private(file).map_err(fault)?;
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(|error| fault(error.kind().to_string()))?);
    let token = text.trim();
    if token.is_empty() {
        return Err(fault("it is empty".into()));
    }
    let mut header = Zeroizing::new(Vec::with_capacity(token.len() + 7));
    header.extend_from_slice(b"Bearer ");
    header.extend_from_slice(token.as_bytes());
    let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(header))
        .map_err(|_| fault("it holds more than a token".into()))?;
    header.set_sensitive(true);
    Ok(Token { header, expires: expiry(token) })
}

/// The end that a JWT claims, UTC. Nothing is verified: it is only told to the operator.
fn expiry(token: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Claims {
        exp: i64,
    }
    let claims = Zeroizing::new(Base64UrlUnpadded::decode_vec(token.split('.').nth(1)?.trim_end_matches('=')).ok()?);
    Timestamp::from_second(serde_json::from_slice::<Claims>(&claims).ok()?.exp).ok()
}

fn json<T: serde::de::DeserializeOwned>(what: &str, body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        Fault::new(CONSOLE, FaultKind::Malformed, format!("{what}: the answer is not the JSON expected ({place})"))
    })
}

/// FastAPI's `detail`, else nothing: anything else is a page for a browser.
fn refusal(what: &str, status: StatusCode, body: &[u8]) -> Fault {
    #[derive(Deserialize)]
    struct Refusal {
        detail: String,
    }
    let code = status.as_u16();
    let kind = match code {
        401 => FaultKind::Unauthorized,
        403 => FaultKind::Forbidden,
        404 => FaultKind::NotFound,
        409 | 412 => FaultKind::Conflict,
        429 => FaultKind::TooMany,
        500..=599 => FaultKind::ServerError(code),
        _ => FaultKind::Unexpected(code),
    };
    let detail = serde_json::from_slice::<Refusal>(body).map(|r| format!(": {}", r.detail)).unwrap_or_default();
    let reason = status.canonical_reason().unwrap_or_default().to_lowercase();
    Fault::new(CONSOLE, kind, format!("{what}: {code} {reason}{detail}"))
}

fn failure(what: &str, limit: Duration, error: &reqwest::Error) -> Fault {
    if let Some(fault) = exhausted(what, error) {
        return fault;
    }
    let (kind, text) = match () {
        () if error.is_connect() && is_tls(error) => (FaultKind::Tls, cause(error)),
        () if error.is_connect() => (FaultKind::Unreachable, cause(error)),
        () if error.is_timeout() => (FaultKind::TimedOut, format!("no whole answer within {} s", limit.as_secs_f32())),
        () => (FaultKind::Reset, cause(error)),
    };
    Fault::new(CONSOLE, kind, format!("{what}: {text}"))
}

/// Whether rustls is among the causes. An `io::Error` hides what it wraps from `source`.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(cause) = next {
        if cause.is::<rustls::Error>() {
            return true;
        }
        next = match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    false
}

/// The innermost cause's text.
fn cause(error: &reqwest::Error) -> String {
    let mut last: &dyn Error = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_key_is_found_in_the_script() {
        let key = PublicKey::from_bytes([7; 32]);
        for line in
            [format!("PublicKey = {key}"), format!("PublicKey={key}\r"), format!("  echo \"PublicKey = {key}\"")]
        {
            let script = format!("#!/bin/bash\nPrivateKey = $PRIVATE_KEY\n[Peer]\n{line}\nEndpoint = x:51820\n");
            assert_eq!(key_in(&script), Some(key), "{line}");
        }
        assert_eq!(key_in("PrivateKey = x\n"), None);
    }

    #[test]
    fn the_end_of_a_token_is_read_and_a_token_without_one_is_no_error() {
        let claims = Base64UrlUnpadded::encode_string(br#"{"sub": "op", "exp": 1800000000}"#);
        assert_eq!(expiry(&format!("e30.{claims}.sig")).unwrap().as_second(), 1_800_000_000);
        assert_eq!(expiry("opaque"), None);
        assert_eq!(expiry("a.b.c"), None);
    }

    #[test]
    fn a_token_that_is_not_ours_alone_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "a.b.c\n").unwrap();
        let fault = read_token(&file, |_| Err("others can replace it".into())).err().unwrap();
        assert!(fault.message.ends_with("others can replace it") && fault.advice().contains("chmod 600"), "{fault:?}");
        let token = read_token(&file, |_| Ok(())).unwrap();
        assert_eq!(token.header, "Bearer a.b.c");
        assert!(!format!("{:?}", token.header).contains("a.b.c"));
    }
}
