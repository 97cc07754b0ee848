//! Alertmanager's API v2, for the expected alert of one tenant: whether it fires, and a silence of exactly this alert and
//! this tenant. What is expected when is left to the engine.
//!
//! Shapes and pitfalls: Alertmanager 0.25. Two POSTs make two silences; a silence lives in memory and is gone after a kill;
//! DELETE of an unknown one is 500 there and 404 in newer ones; an extension keeps its id only with the same `startsAt`.

use crate::adapters::{PasswordSource, exhausted, root_trust};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::sanitize::sanitize;
use crate::domain::tenant::Tenant;
use crate::domain::transport::{Address, is_loopback};
use crate::engine::alerts::{Alerts, Firing, Quiet, Silence};
use crate::engine::ports::Fence;
use crate::engine::transport::Transport;
use async_trait::async_trait;
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Certificate, Client, Method, Request, StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

mod wire;

use wire::{ListedAlert, ListedSilence, Matcher};

const ALERTS: Service = Service::Alerts;

/// Most bytes of an answer. The filters leave few alerts and silences; a page for a browser is no larger.
const LARGEST: usize = 2 * 1024 * 1024;

/// So many silences of one alert are looked at.
const MOST_ASKED: usize = 3;

/// Who makes our silences, as Alertmanager shows it.
const CREATED_BY: &str = "changeguard";

/// A silence begins so long before now by our clock, so that it counts at once where theirs is behind. Alertmanager takes
/// its own now instead of a past beginning.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// What Alertmanager, or the proxy in front of it, wants to see.
#[derive(Debug)]
pub enum Login {
    /// Nothing.
    None,
    /// Basic authentication.
    Basic {
        /// The user.
        user: String,
        /// Their password.
        password: PasswordSource,
    },
    /// A bearer token.
    Token(PathBuf),
}

/// What the adapter must be told.
#[derive(Debug)]
pub struct AlertsParameters {
    /// The address, without `/api/v2`.
    pub url: String,
    /// The alert's name.
    pub alertname: String,
    /// The label that names the tenant.
    pub tenant_label: String,
    /// Its value; may hold `{tenant_name}` and `{tenant_id}`.
    pub tenant_value: String,
    /// How long a silence lasts.
    pub silence: Duration,
    /// What it wants to see.
    pub login: Login,
    /// A PEM file of authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Until a connection stands.
    pub connect: Duration,
    /// From the sending of a request until its whole answer is read.
    pub read: Duration,
    /// What may pass unprotected.
    pub transport: Transport,
}

/// Alertmanager, for all tenants.
#[derive(Clone)]
pub struct Alertmanager(Arc<Office>);

struct Office {
    client: Client,
    base: Url,
    parameters: AlertsParameters,
    login: Mutex<Option<HeaderValue>>,
}

impl Alertmanager {
    /// Prepares; nothing is sent and no password is read yet. Errors: an address that is none, an authority file that can't
    /// be read, a way that is not protected.
    pub fn new(parameters: AlertsParameters) -> Result<Self, Fault> {
        let invalid = |why: String| Fault::new(Service::Configuration, FaultKind::Invalid, why);
        let base = Url::parse(&parameters.url).map_err(|error| invalid(format!("use alerts.url: {error}")))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(invalid("use alerts.url: it is not an http or https address".into()));
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
        parameters.transport.pass(ALERTS, &address, true)?;
        // What may pass in clear on this machine must not leave it.
        if is_loopback(&address.host) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| invalid(format!("prepare TLS: {}", cause(&error))))?;
        Ok(Self(Arc::new(Office { client, base, parameters, login: Mutex::default() })))
    }

    /// The expected alert of one tenant, whose silences go through this fence.
    pub fn of(&self, tenant: &Tenant, fence: Arc<dyn Fence>) -> TenantAlerts {
        let value = self.0.parameters.tenant_value.replace("{tenant_name}", &tenant.name);
        let value = value.replace("{tenant_id}", tenant.id.as_str());
        TenantAlerts { office: Arc::clone(&self.0), value, fence }
    }
}

impl Office {
    async fn header(&self) -> Result<HeaderValue, Fault> {
        let limit = self.parameters.read;
        let mut text = Zeroizing::new(Vec::new());
        match &self.parameters.login {
            Login::None => {}
            Login::Basic { user, password } => {
                let password = password.read("alerts", limit).await?;
                let pair = Zeroizing::new([user.as_bytes(), b":", password.expose_text().as_bytes()].concat());
                let encoded = Zeroizing::new(Base64::encode_string(&pair));
                text.extend_from_slice(b"Basic ");
                text.extend_from_slice(encoded.as_bytes());
            }
            Login::Token(path) => {
                let token = PasswordSource::File(path.clone()).read("alerts", limit).await.map_err(|mut fault| {
                    fault.message = fault.message.replacen("alerts.password_file", "alerts.token_file", 1);
                    fault
                })?;
                text.extend_from_slice(b"Bearer ");
                text.extend_from_slice(token.expose_text().as_bytes());
            }
        }
        let wrong = |_| Fault::new(ALERTS, FaultKind::Invalid, "the password or token of alerts holds more than text");
        let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).map_err(wrong)?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// The header in use, made anew when there is none or when this one was refused.
    async fn login(&self, refused: Option<&HeaderValue>) -> Result<HeaderValue, Fault> {
        let mut kept = self.login.lock().await;
        match &*kept {
            Some(header) if refused != Some(header) => Ok(header.clone()),
            _ => Ok(kept.insert(self.header().await?).clone()),
        }
    }

    fn url(&self, path: &[&str], filters: &[String]) -> Url {
        let mut url = self.base.clone();
        // http(s) addresses always have a path.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v2"]).extend(path);
        }
        if !filters.is_empty() {
            url.query_pairs_mut().extend_pairs(filters.iter().map(|filter| ("filter", filter)));
        }
        url
    }

    /// One request; a 401 is asked once more if the password or token is another by now.
    async fn call(&self, what: &str, method: Method, url: Url, body: Option<&Value>) -> Result<Vec<u8>, Fault> {
        let header = self.login(None).await?;
        let (mut status, mut answer) = self.ask(what, &method, &url, body, &header).await?;
        if status == StatusCode::UNAUTHORIZED {
            let other = self.login(Some(&header)).await?;
            if other != header {
                (status, answer) = self.ask(what, &method, &url, body, &other).await?;
            }
        }
        if status.is_success() { Ok(answer) } else { Err(refusal(what, status, &answer)) }
    }

    async fn ask(
        &self,
        what: &str,
        method: &Method,
        url: &Url,
        body: Option<&Value>,
        header: &HeaderValue,
    ) -> Result<(StatusCode, Vec<u8>), Fault> {
        let fault = |error: reqwest::Error| failure(what, self.parameters.read, &error);
        let mut request = Request::new(method.clone(), url.clone());
        if !header.is_empty() {
            request.headers_mut().insert(AUTHORIZATION, header.clone());
        }
        if let Some(body) = body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.to_string().into());
        }
        *request.timeout_mut() = Some(self.parameters.read);
        let mut response = self.client.execute(request).await.map_err(fault)?;
        let mut whole = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(fault)? {
            if whole.len() + piece.len() > LARGEST {
                return Err(Fault::new(ALERTS, FaultKind::Malformed, format!("{what}: the answer is too large")));
            }
            whole.extend_from_slice(&piece);
        }
        Ok((response.status(), whole))
    }
}

/// The expected alert of one tenant.
pub struct TenantAlerts {
    office: Arc<Office>,
    /// The value of the tenant's label.
    value: String,
    fence: Arc<dyn Fence>,
}

impl TenantAlerts {
    /// What the alert's labels must be.
    fn labels(&self) -> [(&str, &str); 2] {
        let parameters = &self.office.parameters;
        [("alertname", &parameters.alertname), (&parameters.tenant_label, &self.value)]
    }

    fn filters(&self) -> Vec<String> {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        self.labels().iter().map(|(name, value)| format!("{name}=\"{}\"", quoted(value))).collect()
    }

    /// Whether it has our two matchers and no other.
    fn is_of_ours(&self, silence: &ListedSilence) -> bool {
        let is = |(name, value): &(&str, &str)| {
            let same = |m: &Matcher| m.name == *name && m.value == *value && !m.is_regex && m.is_equal != Some(false);
            silence.matchers.iter().any(same)
        };
        silence.matchers.len() == 2 && self.labels().iter().all(is)
    }

    async fn find(&self, id: &str) -> Result<Option<ListedSilence>, Fault> {
        let what = "look at the silence";
        match self.office.call(what, Method::GET, self.office.url(&["silence", id], &[]), None).await {
            Ok(body) => {
                let silence: ListedSilence = json(what, &body)?;
                Ok(Some(silence).filter(|silence| silence.status.state != "expired"))
            }
            Err(fault) if fault.kind == FaultKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// The one of these silences that lasts longest, as far as they can be looked at.
    async fn longest(&self, ids: &[String]) -> Option<Quiet> {
        let mut longest: Option<Quiet> = None;
        for id in ids.iter().take(MOST_ASKED) {
            let Ok(Some(found)) = self.find(id).await else { continue };
            if longest.as_ref().is_none_or(|known| known.until < found.ends_at) {
                let (by, comment) = (sanitize(&found.created_by), sanitize(&found.comment));
                longest = Some(Quiet { id: sanitize(&found.id), by, comment, until: found.ends_at });
            }
        }
        longest
    }

    async fn listed(&self, comment: &str) -> Result<Vec<ListedSilence>, Fault> {
        let what = "list the silences";
        let url = self.office.url(&["silences"], &self.filters());
        let mut listed: Vec<ListedSilence> = json(what, &self.office.call(what, Method::GET, url, None).await?)?;
        listed.retain(|silence| {
            let marked = silence.created_by == CREATED_BY && silence.comment == comment;
            marked && silence.status.state != "expired" && self.is_of_ours(silence)
        });
        listed.sort_by_key(|silence| silence.ends_at);
        Ok(listed)
    }

    async fn post(&self, comment: &str, known: Option<&ListedSilence>, until: Timestamp) -> Result<Silence, Fault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Made {
            #[serde(rename = "silenceID")]
            silence_id: String,
        }
        let begins = || Timestamp::now().checked_sub(CLOCKS_DIFFER).unwrap_or(Timestamp::MIN);
        let matcher =
            |(name, value): (&str, &str)| json!({"name": name, "value": value, "isRegex": false, "isEqual": true});
        let mut body = json!({
            "matchers": self.labels().map(matcher),
            "startsAt": known.map_or_else(begins, |silence| silence.starts_at).to_string(),
            "endsAt": until.to_string(),
            "createdBy": CREATED_BY,
            "comment": comment,
        });
        if let Some(known) = known {
            body["id"] = known.id.clone().into();
        }
        let what = if known.is_some() { "extend the silence" } else { "silence the alert" };
        self.fence.hold().await?;
        let url = self.office.url(&["silences"], &[]);
        let made: Made = json(what, &self.office.call(what, Method::POST, url, Some(&body)).await?)?;
        Ok(Silence { id: sanitize(&made.silence_id), until })
    }
}

#[async_trait]
impl Alerts for TenantAlerts {
    fn name(&self) -> &str {
        &self.office.parameters.alertname
    }

    fn lasts(&self) -> Duration {
        self.office.parameters.silence
    }

    async fn firing(&self) -> Result<Vec<Firing>, Fault> {
        let what = "ask whether the alert fires";
        let url = self.office.url(&["alerts"], &self.filters());
        let listed: Vec<ListedAlert> = json(what, &self.office.call(what, Method::GET, url, None).await?)?;
        let ours = |alert: &&ListedAlert| {
            self.labels().iter().all(|(name, value)| alert.labels.get(*name).is_some_and(|found| found == value))
        };
        let mut firing = Vec::new();
        for alert in listed.iter().filter(ours) {
            let ids = &alert.status.silenced_by;
            // What keeps the first quiet says it for all: more questions would make a look slow.
            let by = if firing.is_empty() { self.longest(ids).await } else { None };
            firing.push(Firing { since: alert.starts_at, is_silenced: !ids.is_empty(), by });
        }
        Ok(firing)
    }

    async fn own(&self, comment: &str) -> Result<Vec<Silence>, Fault> {
        let own = |silence: ListedSilence| Silence { id: sanitize(&silence.id), until: silence.ends_at };
        Ok(self.listed(&sanitize(comment)).await?.into_iter().map(own).collect())
    }

    async fn silence(&self, comment: &str, known: Option<&str>, until: Timestamp) -> Result<Silence, Fault> {
        let comment = sanitize(comment);
        let found = match known {
            Some(id) => self.find(id).await?,
            None => None,
        };
        let found = match found {
            Some(found) => Some(found),
            // A run before this one may not have lived to record the one that it made.
            None => self.listed(&comment).await?.pop(),
        };
        match self.post(&comment, found.as_ref(), until).await {
            Err(fault) if fault.is_outcome_unknown() && fault.service == ALERTS => {
                let found = self.listed(&comment).await.map_err(|_| fault)?.pop();
                match found {
                    // Alertmanager keeps milliseconds.
                    Some(found) if until.duration_since(found.ends_at) < SignedDuration::from_secs(1) => {
                        Ok(Silence { id: sanitize(&found.id), until: found.ends_at })
                    }
                    found => self.post(&comment, found.as_ref(), until).await,
                }
            }
            made => made,
        }
    }

    async fn end(&self, id: &str) -> Result<(), Fault> {
        self.fence.hold().await?;
        let url = self.office.url(&["silence", id], &[]);
        match self.office.call("end the silence", Method::DELETE, url, None).await {
            Ok(_) => Ok(()),
            Err(fault) if fault.service != ALERTS => Err(fault),
            // Its answer to an unknown one differs between versions, and an answer may be lost: what counts is what is there.
            Err(fault) => match self.find(id).await {
                Ok(None) => Ok(()),
                _ => Err(fault),
            },
        }
    }
}

fn json<T: serde::de::DeserializeOwned>(what: &str, body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        Fault::new(ALERTS, FaultKind::Malformed, format!("{what}: the answer is not the JSON expected ({place})"))
    })
}

/// 422 gives an object with a `message`, 400 and 500 a bare JSON string; anything else is a page for a browser.
fn refusal(what: &str, status: StatusCode, body: &[u8]) -> Fault {
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
    let said = match serde_json::from_slice::<Value>(body) {
        Ok(Value::String(text)) => Some(text),
        Ok(value) => value.get("message").and_then(Value::as_str).map(str::to_owned),
        Err(_) => None,
    };
    let said = said.map(|text| format!(": {text}")).unwrap_or_default();
    let reason = status.canonical_reason().unwrap_or_default().to_lowercase();
    Fault::new(ALERTS, kind, format!("{what}: {code} {reason}{said}"))
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
    Fault::new(ALERTS, kind, format!("{what}: {text}"))
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
