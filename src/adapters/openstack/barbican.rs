//! Barbican as the secret store of one project: find by exact name, read, store, delete. What hangs on a secret is left to
//! `attachments`, the measured pair to `swap`, the shape of documents to `secret_document`.

use super::answer::Answer;
use super::attachments;
use super::catalog::Kind;
use super::http::{DOCUMENT, below, percent_encoded, request, with, with_json};
use super::keystone::Session;
use super::secret_document::{Body, Listing, Metadata, Stored, secret_id};
use super::swap;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::secret_shape::SecretShape;
use crate::engine::ports::{Fence, Listed, NewSecret, SecretEntry, SecretRef, SecretStore, Swap, SwapOrder, Touch};
use crate::engine::secret::SecretBytes;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::try_join;
use reqwest::{Method, Request, StatusCode, Url};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

pub(super) const BARBICAN: Service = Service::Barbican;

/// Entries of one page; Barbican gives no more whatever is asked.
const PAGE: usize = 100;

/// Most secrets that a listing may hold before it is called endless.
const MOST_SECRETS: usize = 100_000;

/// Listings before a list that changes all the time is a fault.
const LISTINGS: usize = 3;

/// Most bytes of a payload; Barbican takes 20,000.
const PAYLOAD: usize = 24 * 1024;

/// Barbican, for the project of the session.
pub(super) struct Barbican {
    pub(super) session: Arc<Session>,
    pub(super) fence: Arc<dyn Fence>,
    /// The highest minor version of the API that was not refused (406): 2 guards consumers, 1 shows them, 0 is old.
    minor: Arc<AtomicU8>,
}

impl Barbican {
    pub(super) fn new(session: Arc<Session>, fence: Arc<dyn Fence>) -> Self {
        Self { session, fence, minor: Arc::new(AtomicU8::new(2)) }
    }

    /// Another one for the same project, whose changes go through this fence.
    pub(super) fn behind(&self, fence: Arc<dyn Fence>) -> Self {
        Self { session: Arc::clone(&self.session), fence, minor: Arc::clone(&self.minor) }
    }

    /// The minor version to ask for.
    pub(super) fn minor(&self) -> u8 {
        self.minor.load(Ordering::Relaxed)
    }

    /// Notes that the minor version asked for is not known there. False: 406 means something else.
    pub(super) fn lower(&self, asked: u8, answer: &Answer) -> bool {
        let lower = answer.status == StatusCode::NOT_ACCEPTABLE && asked > 0;
        if lower {
            // Of several that asked for the same at once only the first changes it.
            self.minor.compare_exchange(asked, asked - 1, Ordering::Relaxed, Ordering::Relaxed).ok();
        }
        lower
    }

    /// Sends a request with the highest version that the service knows. `build` gets Barbican's address with `/v1`.
    pub(super) async fn call(
        &self,
        what: &str,
        build: impl Fn(&Url) -> Result<Request, Fault> + Send + Sync,
    ) -> Result<Answer, Fault> {
        loop {
            let minor = self.minor();
            let complete = |base: &Url| Ok(asking_for(minor, build(base)?));
            let answer = self.session.send(&*self.fence, Kind::KeyManager, what, DOCUMENT, complete).await?;
            if !self.lower(minor, &answer) {
                return Ok(answer);
            }
        }
    }

    /// One listing to its end: entries and what Barbican gave as their number.
    async fn list(&self, name: &str) -> Result<(BTreeMap<String, SecretEntry>, u64), Fault> {
        let what = format!("list the secrets named {name}");
        let mut found = BTreeMap::new();
        let mut offset = 0;
        loop {
            // Without a sort there is no order at all, and pages of no order overlap and leave out.
            let query = format!("name={}&limit={PAGE}&offset={offset}&sort=created", percent_encoded(name));
            let answer = self
                .call(&what, |base| {
                    let mut url = below(base, ["secrets"]);
                    url.set_query(Some(&query));
                    Ok(request(Method::GET, url))
                })
                .await?
                .accept(BARBICAN, &what)?;
            let page: Listing = answer.json(BARBICAN, &what)?;
            let total = page.total;
            let next = page.next_offset();
            found.extend(page.secrets.into_iter().map(|secret| {
                let entry = secret.entry();
                (entry.href.0.clone(), entry)
            }));
            match next {
                None => return Ok((found, total)),
                Some(next) if next > offset && next <= MOST_SECRETS => offset = next,
                Some(_) => {
                    return Err(Fault::new(BARBICAN, FaultKind::Malformed, format!("{what}: the pages do not end")));
                }
            }
        }
    }

    /// The metadata document of one secret.
    async fn metadata(&self, href: &SecretRef, what: &str) -> Result<Metadata, Fault> {
        let id = secret_id(href)?;
        let answer = self.call(what, |base| Ok(request(Method::GET, below(base, ["secrets", id])))).await?;
        answer.accept(BARBICAN, what)?.json(BARBICAN, what)
    }

    /// The payload, if there is one.
    async fn payload_if_any(&self, href: &SecretRef) -> Result<Option<SecretBytes>, Fault> {
        let what = "read a secret's payload";
        let id = secret_id(href)?;
        // Accept */* gives the bytes whichever of the two types they were stored as; application/json is 406.
        let build =
            |base: &Url| Ok(with(request(Method::GET, below(base, ["secrets", id, "payload"])), "accept", "*/*"));
        let mut answer = self.session.send(&*self.fence, Kind::KeyManager, what, PAYLOAD, build).await?;
        if answer.status == StatusCode::NOT_FOUND && String::from_utf8_lossy(&answer.body).contains("no payload") {
            return Ok(None);
        }
        if !answer.status.is_success() {
            return Err(answer.refusal(BARBICAN, what, &[]));
        }
        // A payload comes as the type that it was stored as. Whatever answers in Barbican's place (a login page with 200) must not
        // be taken for a secret that holds no key: such a one is replaced without a copy.
        let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
        if ["text/html", "application/xhtml", "application/json"].iter().any(|page| kind.starts_with(page)) {
            let text = format!("{what}: the answer is no payload but a document ({kind})");
            return Err(Fault::new(BARBICAN, FaultKind::Malformed, text));
        }
        Ok(Some(SecretBytes::new(std::mem::take(&mut *answer.body))))
    }
}

/// Adds what every request but those for payloads carries.
pub(super) fn asking_for(minor: u8, request: Request) -> Request {
    let request = with(request, "accept", "application/json");
    match minor {
        0 => request,
        1 => with(request, "openstack-api-version", "key-manager 1.1"),
        _ => with(request, "openstack-api-version", "key-manager 1.2"),
    }
}

/// The request that stores a secret; the body is shared by all its copies and wiped with the last.
pub(super) fn store_request(base: &Url, body: Bytes) -> Request {
    with_json(request(Method::POST, below(base, ["secrets"])), body)
}

/// The href in the answer to a store, or the fault it means.
pub(super) fn stored(answer: &Answer, body: &Body) -> Result<SecretRef, Fault> {
    let what = "store the secret";
    if !answer.status.is_success() {
        return Err(answer.refusal(BARBICAN, what, &body.hidden()));
    }
    let document: Option<Stored> = serde_json::from_slice(&answer.body).ok();
    let href = document.map(|document| document.secret_ref).or_else(|| answer.header("location").map(str::to_owned));
    href.map(SecretRef).filter(|href| secret_id(href).is_ok()).ok_or_else(|| {
        // A kind that says "look again": it was stored, only its address is unknown.
        Fault::new(BARBICAN, FaultKind::Reset, format!("{what}: it was accepted, but the answer holds no href"))
    })
}

/// A name that Barbican's filter can find. It decodes twice, so `+` and `%` never arrive as they were sent (seen), and
/// `\` escapes in SQL; an empty answer for such a name would be a lie.
fn check_name(name: &str) -> Result<(), Fault> {
    if name.is_empty() || name.contains(['+', '%', '\\']) {
        let text = format!("look for a secret named {name:?}: Barbican's filter can't find names with + % or \\");
        return Err(Fault::new(Service::Configuration, FaultKind::Invalid, text)
            .hint("wireguard.secret_name must consist of letters, digits, hyphens and dots"));
    }
    Ok(())
}

#[async_trait]
impl SecretStore for Barbican {
    fn skew(&self) -> Option<i64> {
        self.session.http.skew(BARBICAN)
    }

    async fn listing(&self, name: &str) -> Result<Vec<SecretEntry>, Fault> {
        check_name(name)?;
        for _ in 0..LISTINGS {
            let (found, total) = self.list(name).await?;
            if found.len() as u64 == total {
                return Ok(found.into_values().collect());
            }
        }
        let text = format!("list the secrets named {name}: the list changes while it is read");
        Err(Fault::new(BARBICAN, FaultKind::Conflict, text))
    }

    async fn probe(&self) -> Result<Listed, Fault> {
        let what = "list the secrets";
        let answer = self.call(what, first_secret).await?.accept(BARBICAN, what)?;
        Ok(Listed { secrets: answer.json::<Listing>(BARBICAN, what)?.total, closes: answer.closes() })
    }

    async fn payload(&self, href: &SecretRef) -> Result<SecretBytes, Fault> {
        self.payload_if_any(href).await?.ok_or_else(|| {
            Fault::new(BARBICAN, FaultKind::NotFound, "read a secret's payload: it was stored without one")
                .hint("the secret is empty (a key file that was missing or empty); it can be replaced")
        })
    }

    async fn shape(&self, href: &SecretRef) -> Result<SecretShape, Fault> {
        let (document, payload, acl, metadata) = try_join!(
            self.metadata(href, "read a secret's attributes"),
            self.payload_if_any(href),
            attachments::acl(self, href),
            attachments::metadata(self, href),
        )?;
        let consumers = attachments::consumers(self, href, &document).await?;
        let newline = payload.is_some_and(|payload| payload.expose().last() == Some(&b'\n'));
        Ok(document.shape(newline, acl, metadata, consumers))
    }

    async fn store(&self, secret: &NewSecret) -> Result<SecretRef, Fault> {
        let body = Body::of(secret)?;
        let what = "store the secret";
        let build = |base: &Url| Ok(store_request(base, body.bytes()));
        stored(&self.call(what, build).await?, &body)
    }

    async fn delete(&self, href: &SecretRef) -> Result<(), Fault> {
        let id = secret_id(href)?;
        let build = |base: &Url| Ok(request(Method::DELETE, below(base, ["secrets", id])));
        deleted(&self.call("delete the secret", build).await?)
    }

    async fn swap(&self, old: &SecretRef, new: NewSecret, order: SwapOrder, touch: &dyn Touch) -> Swap {
        swap::swap(self, old, new, order, touch).await
    }

    async fn attach(&self, href: &SecretRef, shape: &SecretShape) -> Vec<String> {
        attachments::attach(self, href, shape).await
    }
}

/// The cheapest request that passes the middleware, the policy and the database.
pub(super) fn first_secret(base: &Url) -> Result<Request, Fault> {
    let mut url = below(base, ["secrets"]);
    url.set_query(Some("limit=1"));
    Ok(request(Method::GET, url))
}

/// What the answer to DELETE means; gone already is gone.
pub(super) fn deleted(answer: &Answer) -> Result<(), Fault> {
    if answer.status.is_success() || answer.status == StatusCode::NOT_FOUND {
        return Ok(());
    }
    let fault = answer.refusal(BARBICAN, "delete the secret", &[]);
    if answer.status == StatusCode::BAD_REQUEST && fault.message.contains("consumers") {
        return Err(Fault { kind: FaultKind::Refused, ..fault }.hint(
            "another service is registered as a consumer of this secret; nothing was deleted. Look who with \
             `openstack secret consumer list HREF`, and remove it with `openstack secret consumer delete` once it may go",
        ));
    }
    Err(fault)
}
