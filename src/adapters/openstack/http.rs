//! HTTP as all OpenStack services need it: one client per cloud, limits of time and size, and faults instead of errors;
//! what an answer says is left to `answer`, tokens and what is asked for to the other files.

use super::answer::Answer;
use super::login::http_date;
use super::parameters::{CloudParameters, Limits};
use crate::adapters::{exhausted, root_trust};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::transport::{Address, is_loopback};
use crate::engine::secret::SecretBytes;
use crate::engine::transport::Transport;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Method, Request, Url};
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use zeroize::{Zeroize, Zeroizing};

/// Most bytes of an answer that is a document (lists, metadata, errors).
pub(super) const DOCUMENT: usize = 8 * 1024 * 1024;

/// Where the first piece of an answer without a length goes; larger than any payload that Barbican takes (20,000 bytes),
/// so that reading a payload never moves it and leaves no copy behind.
const FIRST_PIECE: usize = 32 * 1024;

/// The connections to one cloud. Nothing is followed, nothing is sent twice, and nothing is sent unprotected that is not
/// allowed by name.
pub(super) struct Http {
    far: Clients,
    /// For this machine itself, where a proxy is configured: what may pass in clear here must not leave it.
    near: Clients,
    limits: Limits,
    verify: bool,
    transport: Transport,
    /// How far each service's clock was ahead of ours at its last answer, s.
    skews: Mutex<BTreeMap<Service, i64>>,
}

#[derive(Clone)]
struct Clients {
    usual: Client,
    /// For payloads: a connection keeps the buffer into which it has read, so one that has carried a key is closed, which
    /// frees and wipes it.
    for_keys: Client,
}

impl Http {
    /// The clients. Errors: an authority file that can't be read or holds no certificate, a TLS setting that can't be had.
    pub(super) fn new(parameters: &CloudParameters) -> Result<Self, Fault> {
        let clients = |proxied| {
            let client = |kept| Self::client(parameters, kept, proxied);
            Ok::<_, Fault>(Clients { usual: client(usize::MAX)?, for_keys: client(0)? })
        };
        let far = clients(true)?;
        let near = if is_proxy_configured() { clients(false)? } else { far.clone() };
        let (limits, verify, transport) = (parameters.limits, parameters.verify, parameters.transport.clone());
        Ok(Self { far, near, limits, verify, transport, skews: Mutex::default() })
    }

    /// How far this service's clock was ahead of ours at its last answer, s; none where it did not say.
    pub(super) fn skew(&self, service: Service) -> Option<i64> {
        self.skews.lock().unwrap_or_else(PoisonError::into_inner).get(&service).copied()
    }

    /// An answer that was kept on the way tells the time at which it was made.
    fn told_the_time(&self, service: Service, headers: &HeaderMap, sent: SystemTime) {
        let date = headers.get("date").and_then(|date| date.to_str().ok()).and_then(http_date);
        let middle = sent.elapsed().ok().and_then(|took| Timestamp::try_from(sent + took / 2).ok());
        if let (Some(date), Some(middle), None) = (date, middle, headers.get("age")) {
            // The header counts whole seconds: half a second on average has gone since.
            let skew = (date + SignedDuration::from_millis(500)).duration_since(middle).as_secs_f64().round() as i64;
            self.skews.lock().unwrap_or_else(PoisonError::into_inner).insert(service, skew);
        }
    }

    /// Whether anything may be sent there. Errors: the way is not protected and not allowed by name.
    pub(super) fn pass(&self, service: Service, url: &Url) -> Result<(), Fault> {
        self.transport.pass(service, &address(url), self.verify)
    }

    fn client(parameters: &CloudParameters, kept: usize, proxied: bool) -> Result<Client, Fault> {
        // reqwest panics without a provider; where main has installed it already this changes nothing.
        rustls::crypto::ring::default_provider().install_default().ok();
        let mut builder = Client::builder()
            .user_agent(concat!("changeguard/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(parameters.limits.connect)
            // A connection that the service has closed is noticed when it is taken; an own limit would only cool it.
            .pool_idle_timeout(None)
            .pool_max_idle_per_host(kept)
            .tcp_keepalive(Duration::from_secs(30))
            .tcp_nodelay(true);
        if let Some(path) = &parameters.ca_file {
            let invalid = |why: String| {
                Fault::new(
                    Service::Configuration,
                    FaultKind::Invalid,
                    format!("read the authorities in {}: {why}", path.display()),
                )
                .hint("cacert in clouds.yaml (or OS_CACERT) must name a PEM file")
            };
            let pem = std::fs::read(path).map_err(|error| invalid(error.to_string()))?;
            let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| invalid(chain(&error)))?;
            if certificates.is_empty() {
                return Err(invalid("it holds no certificate".into()));
            }
            // As python's client does: this file instead of the system's authorities.
            builder = builder.tls_certs_only(certificates);
        }
        let unready = |why: String| Fault::new(Service::Configuration, FaultKind::Tls, format!("prepare TLS: {why}"));
        if !parameters.verify {
            builder = builder.tls_danger_accept_invalid_certs(true);
        } else if parameters.ca_file.is_none() {
            let tls = root_trust().map_err(|error| unready(error.to_string()))?;
            builder = builder.tls_backend_preconfigured(tls);
        }
        // A proxy of the environment is used as the openstack command uses it.
        if !proxied {
            builder = builder.no_proxy();
        }
        builder.build().map_err(|error| unready(chain(&error)))
    }

    /// The limits of time.
    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// Sends one request and reads the answer to its end, whatever its status. `what` is what fails ("list secrets").
    ///
    /// The limit is the request's own, or the one for reading. An answer larger than `most` bytes is a fault.
    pub(super) async fn send(
        &self,
        service: Service,
        what: &str,
        most: usize,
        mut request: Request,
    ) -> Result<Answer, Fault> {
        // The one place from which anything leaves: the catalogue's address is judged like any other.
        self.pass(service, request.url())?;
        let limit = *request.timeout_mut().get_or_insert(self.limits.read);
        let fault = |error: reqwest::Error| failure(service, what, limit, &error);
        let clients = if is_loopback(request.url().host_str().unwrap_or_default()) { &self.near } else { &self.far };
        let client = if request.url().path().ends_with("/payload") { &clients.for_keys } else { &clients.usual };
        let sent = SystemTime::now();
        let mut response = client.execute(request).await.map_err(fault)?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        self.told_the_time(service, &headers, sent);
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
        let too_large = || {
            let text = format!("{what}: the answer is larger than {} MiB", most / (1024 * 1024));
            Fault::new(service, FaultKind::Malformed, text)
        };
        // HEAD announces a length that does not come.
        if announced.is_some_and(|length| length > most) {
            return Err(too_large());
        }
        let mut body = Zeroizing::new(Vec::with_capacity(announced.unwrap_or(0).max(FIRST_PIECE)));
        while let Some(piece) = response.chunk().await.map_err(fault)? {
            if body.len() + piece.len() > most {
                return Err(too_large());
            }
            body.extend_from_slice(&piece);
            // Best effort: hyper may share the buffer.
            if let Ok(mut piece) = piece.try_into_mut() {
                piece.zeroize();
            }
        }
        Ok(Answer { status, headers, body })
    }
}

/// A request; its address is complete.
pub(super) fn request(method: Method, url: Url) -> Request {
    Request::new(method, url)
}

/// Adds a header whose value is one of ours and always valid.
pub(super) fn with(mut request: Request, name: &'static str, value: &'static str) -> Request {
    request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    request
}

/// A body that wipes itself when the last user drops it. The kernel's buffers of the socket are out of reach.
pub(super) fn wiped_body(bytes: SecretBytes) -> Bytes {
    struct Owner(SecretBytes);
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            self.0.expose()
        }
    }
    Bytes::from_owner(Owner(bytes))
}

/// Sets a JSON body.
pub(super) fn with_json(request: Request, body: Bytes) -> Request {
    let mut request = with(request, "content-type", "application/json");
    *request.body_mut() = Some(body.into());
    request
}

/// Serialises to where the bytes rest. More than `most` of them is an error.
pub(super) fn to_json<T: serde::Serialize>(value: &T, most: usize) -> Result<SecretBytes, Fault> {
    let written = SecretBytes::write(most, |place| {
        let mut rest = &mut *place;
        serde_json::to_writer(&mut rest, value)?;
        let left = rest.len();
        Ok(most - left)
    });
    written.map_err(|error: serde_json::Error| {
        let kind = format!("write a request's JSON: {:?}", error.classify());
        Fault::new(Service::Configuration, FaultKind::Invalid, kind)
    })
}

/// Percent-encodes everything but letters, digits and `-._~`.
pub(super) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Adds path segments, each encoded.
pub(super) fn below<'a>(base: &Url, segments: impl IntoIterator<Item = &'a str>) -> Url {
    let mut url = base.clone();
    // Only `data:` and its like have no path; endpoints are checked to be http(s) when they are read.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// Whom a URL leads to. Endpoints are checked to be http(s) with a host when they are read.
fn address(url: &Url) -> Address {
    Address {
        tls: url.scheme() == "https",
        host: url.host_str().unwrap_or_default().to_owned(),
        port: url.port_or_known_default().unwrap_or_default(),
    }
}

/// Whether reqwest may find a proxy in the environment.
fn is_proxy_configured() -> bool {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.map(|name| name.to_ascii_lowercase()).any(|name| name.ends_with("_proxy") && name != "no_proxy")
}

/// What a failed exchange means.
fn failure(service: Service, what: &str, limit: Duration, error: &reqwest::Error) -> Fault {
    if let Some(fault) = exhausted(what, error) {
        return fault;
    }
    let (kind, text) = if error.is_builder() {
        (FaultKind::Invalid, chain(error))
    } else if error.is_connect() {
        // Nothing was sent: neither a refused nor a slow connection has carried the request.
        match is_tls(error) {
            true => (FaultKind::Tls, chain(error)),
            false if error.is_timeout() => (FaultKind::Unreachable, "no connection in time".into()),
            false => (FaultKind::Unreachable, chain(error)),
        }
    } else if error.is_timeout() {
        (FaultKind::TimedOut, format!("no whole answer within {} s", limit.as_secs_f32()))
    } else {
        (FaultKind::Reset, chain(error))
    };
    // Which of the catalogue's hosts it was is half of the remedy.
    let place = error.url().map(address).map(|at| format!(" at {}:{}", at.host, at.port)).unwrap_or_default();
    Fault::new(service, kind, format!("{what}{place}: {text}"))
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

/// The innermost cause's text: the outer ones only say "error sending request".
fn chain(error: &reqwest::Error) -> String {
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
    fn names_are_encoded_byte_by_byte() {
        assert_eq!(percent_encoded("a b%_é~"), "a%20b%25_%C3%A9~");
        let base = Url::parse("http://h/v1/AUTH_x/").unwrap();
        assert_eq!(below(&base, ["c d", "a%/b"]).as_str(), "http://h/v1/AUTH_x/c%20d/a%25%2Fb");
    }
}
