//! The session with one cloud: one token for everybody, renewed before it ends and when it is refused, with the catalogue
//! that came with it. What is asked of Barbican and Swift is left to them.

use super::answer::Answer;
use super::catalog::{Catalog, Kind};
use super::http::{DOCUMENT, Http, request, wiped_body, with_json};
use super::login::{self, Document};
use super::parameters::{CloudParameters, Login};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::sanitize::sanitize;
use crate::engine::ports::{Credentials, Fence, TokenReport, Unfenced};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderValue;
use reqwest::{Method, Request, StatusCode, Url};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// A token that was issued so short ago proves that the credential works; Keystone takes half a second for another.
const PROOF: Duration = Duration::from_secs(60);

/// A token with less left is renewed before an ordinary request.
const ORDINARY: Duration = Duration::from_secs(60);

/// Most pages of projects that are read.
const MOST_PAGES: usize = 1_000;

const KEYSTONE: Service = Service::Keystone;

/// A token and what came with it.
pub(super) struct Token {
    /// Marked sensitive; its bytes are wiped with the last copy.
    header: HeaderValue,
    catalog: Catalog,
    project: String,
    expires: Timestamp,
    skew: SignedDuration,
    /// By our own clock that does not jump, counted from Keystone's idea of now: clocks that differ don't matter.
    ends: Instant,
    lifetime: Duration,
}

impl Token {
    /// How long it will live.
    pub(super) fn remaining(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }

    /// The address of a service, from the catalogue or the override.
    pub(super) fn endpoint(&self, kind: Kind) -> Result<Url, Fault> {
        self.catalog.endpoint(kind)
    }

    /// Puts the token into a request.
    pub(super) fn sign(&self, mut request: Request) -> Request {
        request.headers_mut().insert("x-auth-token", self.header.clone());
        request
    }
}

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    /// The number of the last attempt and how it failed, for those who waited for it.
    failed: Option<(u64, Fault)>,
}

/// A session. Shared by everything that talks to this cloud.
pub(super) struct Session {
    pub(super) http: Http,
    parameters: CloudParameters,
    keystone: Url,
    /// Held while authenticating: concurrent callers wait here and share what comes.
    state: tokio::sync::Mutex<State>,
    /// Attempts that have ended.
    attempts: AtomicU64,
}

impl Session {
    /// Prepares; nothing is sent. Errors: an address that is none, an authority file that can't be read, and every address
    /// that is known already and may not be used unprotected.
    pub(super) fn new(parameters: CloudParameters) -> Result<Self, Fault> {
        let address = parameters.overrides.identity.as_deref().unwrap_or(&parameters.auth_url);
        let keystone = login::versioned(address)?;
        let http = Http::new(&parameters)?;
        if !parameters.verify && !parameters.transport.allows_unverified() {
            return Err(unverified());
        }
        http.pass(KEYSTONE, &keystone)?;
        let overrides = &parameters.overrides;
        let given = [(Kind::KeyManager, &overrides.key_manager), (Kind::ObjectStore, &overrides.object_store)];
        for (kind, given) in given {
            if let Some(url) = given.as_deref().and_then(|given| Url::parse(given).ok()) {
                http.pass(kind.service(), &url)?;
            }
        }
        Ok(Self { http, parameters, keystone, state: Default::default(), attempts: AtomicU64::new(0) })
    }

    /// A token that lives at least so long, or a new one. A new one that lives shorter is given as well: asking again
    /// would not lengthen it.
    pub(super) async fn token(&self, least: Duration) -> Result<Arc<Token>, Fault> {
        // Where tokens live shorter than is asked for, half of their life is the measure, or each call would authenticate.
        self.current(|token| token.remaining() >= least.min(token.lifetime / 2)).await
    }

    /// Another token than this one, which a service has refused.
    pub(super) async fn renew(&self, refused: &Arc<Token>) -> Result<Arc<Token>, Fault> {
        self.current(|token| !Arc::ptr_eq(token, refused)).await
    }

    /// A token so young that it proves the credential; another is got where there is none.
    async fn fresh(&self) -> Result<Arc<Token>, Fault> {
        self.current(|token| token.lifetime.saturating_sub(token.remaining()) <= PROOF).await
    }

    async fn current(&self, good: impl Fn(&Arc<Token>) -> bool + Send) -> Result<Arc<Token>, Fault> {
        let seen = self.attempts.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        if let Some(token) = state.token.as_ref().filter(|token| good(token)) {
            return Ok(Arc::clone(token));
        }
        // Somebody tried while this caller waited: a second try would find the same, and a thousand would queue up.
        if let Some((attempt, fault)) = &state.failed
            && *attempt > seen
        {
            return Err(fault.clone());
        }
        let outcome = self.authenticate().await;
        let attempt = self.attempts.fetch_add(1, Ordering::AcqRel) + 1;
        match outcome {
            Ok(token) => {
                let token = Arc::new(token);
                *state = State { token: Some(Arc::clone(&token)), failed: None };
                Ok(token)
            }
            Err(fault) => {
                state.failed = Some((attempt, fault.clone()));
                Err(fault)
            }
        }
    }

    async fn authenticate(&self) -> Result<Token, Fault> {
        if let Login::Token { token, project } = &self.parameters.login {
            let header = sensitive(token.expose())?;
            let mut check = request(Method::GET, login::tokens(&self.keystone));
            check.headers_mut().insert("x-auth-token", header.clone());
            check.headers_mut().insert("x-subject-token", header.clone());
            let what = "check the token";
            let (sent, answer) = self.ask(what, check).await?;
            let answer = answer.accept(KEYSTONE, what).map_err(|fault| {
                fault.hint("the token that was given has ended or is wrong: make a new one (openstack token issue)")
            })?;
            let document: Document = answer.json(KEYSTONE, what)?;
            if document.is_for(project.as_ref()) {
                return self.understood(sent, &answer, header, document);
            }
        }
        let what = "authenticate";
        let body = wiped_body(login::body(&self.parameters.login)?);
        let (sent, answer) =
            self.ask(what, with_json(request(Method::POST, login::tokens(&self.keystone)), body)).await?;
        if !answer.status.is_success() {
            return Err(answer.refusal(KEYSTONE, what, &[login::secret(&self.parameters.login)]));
        }
        let header = answer.headers.get("x-subject-token").map(|value| sensitive(value.as_bytes())).transpose()?;
        let Some(header) = header else {
            return Err(Fault::new(KEYSTONE, FaultKind::Malformed, format!("{what}: the answer holds no token")));
        };
        let document = answer.json(KEYSTONE, what)?;
        self.understood(sent, &answer, header, document)
    }

    async fn ask(&self, what: &str, request: Request) -> Result<((Timestamp, Instant), Answer), Fault> {
        let sent = (Timestamp::now(), Instant::now());
        Ok((sent, self.http.send(KEYSTONE, what, DOCUMENT, request).await?))
    }

    fn understood(
        &self,
        (sent_at, sent): (Timestamp, Instant),
        answer: &Answer,
        header: HeaderValue,
        document: Document,
    ) -> Result<Token, Fault> {
        let token = document.token;
        let expires = login::timestamp(&token.expires_at).ok_or_else(|| {
            Fault::new(KEYSTONE, FaultKind::Malformed, format!("authenticate: expires_at is {:?}", token.expires_at))
        })?;
        let date = answer.header("date").and_then(login::http_date);
        // The header counts whole seconds: half a second on average has gone since.
        let theirs = date.map(|date| date + SignedDuration::from_millis(500));
        let middle = sent_at + SignedDuration::try_from(sent.elapsed() / 2).unwrap_or_default();
        let skew = theirs.map_or(SignedDuration::ZERO, |theirs| theirs.duration_since(middle));
        let issued = token.issued_at.as_deref().and_then(login::timestamp);
        let now_there = date.or(issued).unwrap_or(middle);
        let lifetime = Duration::try_from(expires.duration_since(now_there)).unwrap_or_default();
        let project = token.project.unwrap_or_default();
        let catalog = Catalog::new(token.catalog, &project.id, &self.parameters);
        Ok(Token {
            header,
            catalog,
            project: sanitize(&if project.name.is_empty() { project.id } else { project.name }),
            expires,
            skew,
            ends: sent + lifetime,
            lifetime,
        })
    }

    /// Sends what `build` makes for the service's address, with the token; once more with another token if that one is
    /// refused (401 comes before anything is done). What changes something goes through the fence.
    pub(super) async fn send(
        &self,
        fence: &dyn Fence,
        kind: Kind,
        what: &str,
        most: usize,
        build: impl Fn(&Url) -> Result<Request, Fault> + Send + Sync,
    ) -> Result<Answer, Fault> {
        let token = self.token(ORDINARY).await?;
        let answer = self.send_with(fence, &token, kind, what, most, &build).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let token = self.renew(&token).await?;
        self.send_with(fence, &token, kind, what, most, &build).await
    }

    async fn send_with(
        &self,
        fence: &dyn Fence,
        token: &Token,
        kind: Kind,
        what: &str,
        most: usize,
        build: &(impl Fn(&Url) -> Result<Request, Fault> + Send + Sync),
    ) -> Result<Answer, Fault> {
        let request = token.sign(build(&token.endpoint(kind)?)?);
        if !request.method().is_safe() {
            fence.hold().await?;
        }
        self.http.send(kind.service(), what, most, request).await
    }

    /// Every enabled project that the credentials may see: their own, and all there are where the role permits it. Gives id
    /// and name (not sanitized), and the refusal where only their own could be listed.
    pub(super) async fn projects(&self) -> Result<(Vec<(String, String)>, Option<Fault>), Fault> {
        let mut found = self.project_list(&["auth", "projects"]).await?;
        let refusal = match self.project_list(&["projects"]).await {
            Ok(all) => {
                found.extend(all);
                None
            }
            // A member may not list what is not its own; its own may be all that is wanted.
            Err(fault) if matches!(fault.kind, FaultKind::Forbidden | FaultKind::NotFound) => Some(fault),
            Err(fault) => return Err(fault),
        };
        found.sort();
        found.dedup_by(|a, b| a.0 == b.0);
        Ok((found, refusal))
    }

    async fn project_list(&self, path: &[&str]) -> Result<Vec<(String, String)>, Fault> {
        let what = "list the projects";
        let mut found = Vec::new();
        let mut query: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let answer = self
                .send(&Unfenced, Kind::Identity, what, DOCUMENT, |_| {
                    let mut url = super::http::below(&self.keystone, path.iter().copied());
                    url.set_query(query.as_deref());
                    Ok(request(Method::GET, url))
                })
                .await?
                .accept(KEYSTONE, what)?;
            let page: login::ProjectPage = answer.json(KEYSTONE, what)?;
            found.extend(page.projects.into_iter().filter(|p| p.enabled != Some(false)).map(|p| (p.id, p.name)));
            // Only the query is taken from the link: the token goes nowhere but to the configured address.
            query = page.links.and_then(|links| links.next).and_then(|next| login::query_of(&next));
            if query.is_none() {
                return Ok(found);
            }
        }
        Err(Fault::new(KEYSTONE, FaultKind::Malformed, format!("{what}: the pages do not end")))
    }
}

#[async_trait]
impl Credentials for Session {
    /// Authenticates, unless that was done within the last minute: an older token that works says nothing about the next
    /// one (seen: a revoked one was accepted for up to 300 s from the services' caches).
    async fn probe(&self) -> Result<TokenReport, Fault> {
        let token = self.fresh().await?;
        Ok(TokenReport {
            project: token.project.clone(),
            expires: token.expires,
            skew_s: token.skew.as_secs_f64().round() as i64,
        })
    }
}

fn unverified() -> Fault {
    let text = "use this cloud: verify is false in clouds.yaml (or OS_INSECURE is set), so that anybody on the way could \
                pretend to be its services";
    Fault::new(Service::Configuration, FaultKind::Refused, text).hint(
        "nothing was sent; take verify: false away and name the authority in cacert, or allow it by name in the \
         configuration: security.allow_unverified_tls = [\"keystone\", \"barbican\", \"swift\"]",
    )
}

/// A header value that is wiped with its last copy and never printed.
fn sensitive(bytes: &[u8]) -> Result<HeaderValue, Fault> {
    let kept = Bytes::from_owner(Zeroizing::new(bytes.trim_ascii().to_vec()));
    let mut value = HeaderValue::from_maybe_shared(kept)
        .map_err(|_| Fault::new(KEYSTONE, FaultKind::Invalid, "the token holds characters that no header may hold"))?;
    value.set_sensitive(true);
    Ok(value)
}
