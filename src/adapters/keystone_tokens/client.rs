//! The HTTP of one node: two requests, limits of time and size, and faults with the node's name instead of errors.

use super::login::{Credentials, body, secret};
use super::{Token, Validated};
use crate::adapters::exhausted;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::fernet::matrix::Way;
use crate::domain::sanitize::sanitize;
use crate::domain::transport::Address;
use crate::engine::secret::SecretBytes;
use crate::engine::transport::Transport;
use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, Method, Request, Url};
use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use zeroize::{Zeroize, Zeroizing};

/// Most bytes of an answer. One with a catalogue of a large cloud has some hundred KiB; what is asked here comes without it.
const LARGEST: usize = 1024 * 1024;
/// Most bytes of a token; a Fernet token has some 250.
const LARGEST_TOKEN: usize = 8 * 1024;

/// What must be known of one node's Keystone.
#[derive(Clone, Debug)]
pub struct TokenParameters {
    /// The node's name, for messages.
    pub node: String,
    /// Its own address, with or without `/v3`: not the load balancer's.
    pub url: String,
    /// A PEM file of authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether certificates are verified.
    pub verify: bool,
    /// What may pass unprotected.
    pub transport: Transport,
    /// Until a connection stands.
    pub connect: Duration,
    /// From the sending of a request until its answer is read.
    pub read: Duration,
}

/// Keystone at one node.
#[derive(Debug)]
pub struct TokenClient {
    node: String,
    tokens: Url,
    client: Client,
    verify: bool,
    transport: Transport,
    read: Duration,
}

impl TokenClient {
    /// Prepares; nothing is sent. Errors: an address that is none or may not be used unprotected, an authority file that can't be read.
    pub fn new(parameters: TokenParameters) -> Result<Self, Fault> {
        let TokenParameters { node, url, ca_file, verify, transport, connect, read } = parameters;
        let tokens = tokens(&node, &url)?;
        transport.pass(Service::Keystone, &address(&tokens), verify)?;
        // reqwest panics without a provider; where main has installed it already this changes nothing.
        rustls::crypto::ring::default_provider().install_default().ok();
        let mut builder = Client::builder()
            .user_agent(concat!("changeguard/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(connect)
            // Directly: what stands between would answer for another node, or be what fails.
            .no_proxy()
            // A connection keeps the buffer into which it has read, so one that has carried a token is closed, which frees it.
            .pool_max_idle_per_host(0)
            .tcp_nodelay(true);
        if let Some(path) = &ca_file {
            let invalid = |why: String| {
                let text = format!("read the authorities in {}: {why}", path.display());
                Fault::new(Service::Configuration, FaultKind::Invalid, text).hint("it must name a PEM file")
            };
            let pem = std::fs::read(path).map_err(|error| invalid(error.to_string()))?;
            let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| invalid(innermost(&error)))?;
            if certificates.is_empty() {
                return Err(invalid("it holds no certificate".into()));
            }
            builder = builder.tls_certs_only(certificates);
        }
        if !verify {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        let client = builder.build().map_err(|error| {
            Fault::new(Service::Configuration, FaultKind::Tls, format!("prepare TLS: {}", innermost(&error)))
        })?;
        Ok(Self { node, tokens, client, verify, transport, read })
    }

    /// The node's name.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Asks this node's Keystone which version it is, as nobody.
    ///
    /// Any status below 500 is an answer. Errors: none came; their message does not name the node.
    pub async fn answers(&self) -> Result<(), Fault> {
        let mut url = self.tokens.clone();
        url.set_path(url.path().trim_end_matches("/auth/tokens").to_owned().as_str());
        let at = address(&url);
        let answer = self.send("", Request::new(Method::GET, url)).await;
        let text = |why: &str| format!("its Keystone does not answer ({}:{}): {why}", at.host, at.port);
        match answer {
            Ok(answer) if answer.status < 500 => Ok(()),
            Ok(answer) => {
                let (kind, why) = (FaultKind::ServerError(answer.status), format!("status {}", answer.status));
                Err(Fault::new(Service::Keystone, kind, text(&why)).hint("look at its log"))
            }
            Err(fault) => {
                let why = fault.message.rsplit_once("): ").map_or(fault.message.as_str(), |(_, why)| why);
                Err(Fault { message: text(why), ..fault })
            }
        }
    }

    /// Has this node issue a token.
    ///
    /// Errors: the node can't be reached, does not take the credentials, or answers with something else than a token.
    pub async fn issue(&self, credentials: &Credentials) -> Result<Token, Fault> {
        let mut url = self.tokens.clone();
        url.set_query(Some("nocatalog"));
        let mut request = Request::new(Method::POST, url);
        request.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(wiped(body(credentials)?).into());
        let began = Instant::now();
        let answer = self.send("issue a token", request).await?;
        let took = began.elapsed();
        if answer.status != 201 {
            return Err(self.refusal(&answer, secret(credentials)));
        }
        let value = answer.headers.get("x-subject-token").map(HeaderValue::as_bytes);
        match value.filter(|value| !value.is_empty() && value.len() <= LARGEST_TOKEN) {
            Some(value) => Ok(Token::new(SecretBytes::new(value.to_vec()), took, answer.life())),
            None => {
                let text = format!("issue a token at {}: the answer holds no token", self.node);
                Err(Fault::new(Service::Keystone, FaultKind::Malformed, text))
            }
        }
    }

    /// Shows a token to this node as the caller's own: `X-Auth-Token` and `X-Subject-Token` alike, as somebody does who uses the API.
    ///
    /// Any status is an answer. Errors: none came.
    pub async fn validate_own(&self, token: &Token) -> Result<Validated, Fault> {
        self.validate(Way::Own, token, token).await
    }

    /// Asks this node about a token with another that it has issued itself, as a service's middleware does.
    ///
    /// Any status is an answer. Errors: none came.
    pub async fn validate_subject(&self, token: &Token, asked_with: &Token) -> Result<Validated, Fault> {
        self.validate(Way::Subject, token, asked_with).await
    }

    async fn validate(&self, way: Way, token: &Token, asked_with: &Token) -> Result<Validated, Fault> {
        let what = "validate a token";
        let mut url = self.tokens.clone();
        url.set_query(Some("nocatalog"));
        let mut request = Request::new(Method::GET, url);
        request.headers_mut().insert("x-auth-token", self.sensitive(what, asked_with)?);
        request.headers_mut().insert("x-subject-token", self.sensitive(what, token)?);
        let began = Instant::now();
        let answer = self.send(what, request).await?;
        Ok(Validated { way, status: answer.status, took: began.elapsed() })
    }

    async fn send(&self, what: &str, mut request: Request) -> Result<Answer, Fault> {
        self.transport.pass(Service::Keystone, &address(request.url()), self.verify)?;
        *request.timeout_mut() = Some(self.read);
        let fault = |error: reqwest::Error| self.failure(what, &error);
        let mut response = self.client.execute(request).await.map_err(fault)?;
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let too_large = || {
            let text = format!("{what} at {}: the answer is larger than 1 MiB", self.node);
            Fault::new(Service::Keystone, FaultKind::Malformed, text)
        };
        if announced > LARGEST {
            return Err(too_large());
        }
        let mut body = Zeroizing::new(Vec::with_capacity(announced.max(16 * 1024)));
        while let Some(piece) = response.chunk().await.map_err(fault)? {
            if body.len() + piece.len() > LARGEST {
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

    fn refusal(&self, answer: &Answer, secret: &SecretBytes) -> Fault {
        let (kind, hint) = match answer.status {
            401 => {
                (FaultKind::Unauthorized, "check the credential with which tokens are tried: wrong, expired or locked")
            }
            403 => (FaultKind::Forbidden, "the credential has no role on its project; ask the platform team"),
            404 => (FaultKind::NotFound, "check the node's Keystone address: it must lead to /v3"),
            429 => (FaultKind::TooMany, "wait a little, then go on"),
            status @ 500..=599 => (
                FaultKind::ServerError(status),
                "no token can be issued there: look whether its repository is whole and readable for Keystone, and at its log",
            ),
            status => {
                (FaultKind::Unexpected(status), "check the node's Keystone address: something else answers there")
            }
        };
        let said = answer.description();
        let repeats = repeats(&said, secret.expose());
        let said = if repeats { "(the answer repeats what was sent and is not shown)".into() } else { said };
        let colon = if said.is_empty() { "" } else { ": " };
        let text = format!("issue a token at {}: {}{colon}{said}", self.node, answer.status);
        Fault::new(Service::Keystone, kind, text).hint(hint)
    }

    fn failure(&self, what: &str, error: &reqwest::Error) -> Fault {
        if let Some(fault) = exhausted(what, error) {
            return fault;
        }
        let (kind, text) = if error.is_builder() {
            (FaultKind::Invalid, innermost(error))
        } else if error.is_connect() {
            match is_tls(error) {
                true => (FaultKind::Tls, innermost(error)),
                false if error.is_timeout() => (FaultKind::Unreachable, "no connection in time".into()),
                false => (FaultKind::Unreachable, innermost(error)),
            }
        } else if error.is_timeout() {
            (FaultKind::TimedOut, format!("no whole answer within {} s", self.read.as_secs_f32()))
        } else {
            (FaultKind::Reset, innermost(error))
        };
        let at = address(&self.tokens);
        let text = format!("{what} at {} ({}:{}): {text}", self.node, at.host, at.port);
        // Seen of Keystone behind gunicorn with a key that it may not read: no 500, the connection is closed without an answer.
        let hint = match kind {
            FaultKind::Reset => {
                "nothing was changed by this; a Keystone that can't read a key may end so: look whether its repository is whole \
                 and readable for it, and at its log"
            }
            _ => "nothing was changed by this; see that Keystone runs on the node and that its address is right",
        };
        Fault::new(Service::Keystone, kind, text).hint(hint)
    }

    /// A header value that is wiped with its last copy and never printed.
    fn sensitive(&self, what: &str, token: &Token) -> Result<HeaderValue, Fault> {
        let kept = Bytes::from_owner(Zeroizing::new(token.expose().trim_ascii().to_vec()));
        let mut value = HeaderValue::from_maybe_shared(kept).map_err(|_| {
            let text = format!("{what} at {}: the token holds characters that no header may hold", self.node);
            Fault::new(Service::Keystone, FaultKind::Invalid, text)
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    /// Wiped when dropped: it describes a token.
    body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// How long the token is valid that it describes, by the times in it.
    fn life(&self) -> Option<Duration> {
        #[derive(serde::Deserialize)]
        struct Described {
            issued_at: Timestamp,
            expires_at: Timestamp,
        }
        #[derive(serde::Deserialize)]
        struct Body {
            token: Described,
        }
        let Body { token } = serde_json::from_slice(&self.body).ok()?;
        Duration::try_from(token.expires_at.duration_since(token.issued_at)).ok()
    }

    /// The sentence in an error's body. Sanitized.
    fn description(&self) -> String {
        #[derive(serde::Deserialize)]
        struct Inner {
            message: Option<String>,
        }
        #[derive(serde::Deserialize)]
        struct Body {
            error: Option<Inner>,
        }
        let body = serde_json::from_slice::<Body>(&self.body).ok();
        sanitize(&body.and_then(|body| body.error).and_then(|inner| inner.message).unwrap_or_default())
    }
}

/// Where tokens are at this address. Errors: it is no http(s) address, or holds a login.
fn tokens(node: &str, address: &str) -> Result<Url, Fault> {
    let invalid = |why: &str| {
        let text = format!("use Keystone's address of {node}: {why}");
        Fault::new(Service::Configuration, FaultKind::Invalid, text).hint("such as https://node1.example.net:5000/v3")
    };
    let mut url = Url::parse(address).map_err(|error| invalid(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(invalid("it is not an http or https address"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("it holds a login"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    let version = if path.ends_with("/v3") { "" } else { "/v3" };
    url.set_path(&format!("{path}{version}/auth/tokens"));
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// A body that wipes itself when the last user drops it. The kernel's buffers of the socket are out of reach.
fn wiped(bytes: SecretBytes) -> Bytes {
    struct Owner(SecretBytes);
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            self.0.expose()
        }
    }
    Bytes::from_owner(Owner(bytes))
}

fn address(url: &Url) -> Address {
    Address {
        tls: url.scheme() == "https",
        host: url.host_str().unwrap_or_default().to_owned(),
        port: url.port_or_known_default().unwrap_or_default(),
    }
}

/// Whether the text holds any 8 bytes in a row of the secret (or all of a shorter one).
fn repeats(text: &str, secret: &[u8]) -> bool {
    let piece = secret.len().min(8);
    piece > 3 && secret.windows(piece).any(|window| text.as_bytes().windows(piece).any(|part| part == window))
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
fn innermost(error: &reqwest::Error) -> String {
    let mut last: &dyn Error = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
