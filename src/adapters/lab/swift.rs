//! Swift as a client sees it: account, containers and objects with their headers, preconditions (honoured and ignored as
//! measured) and HTML refusals; where it is told to, every version of an object (`X-Versions-Enabled`). Segments are left out.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::chance::hex;
use super::http::{Call, Reply, decode};
use super::keystone::caller;
use super::seed;
use super::state::{Shared, lock, since_epoch, utc};

/// An object.
#[derive(Clone, Debug)]
pub(super) struct Object {
    content: Content,
    pub(super) content_type: String,
    /// Since 1970.
    pub(super) stamp: Duration,
    pub(super) metadata: Vec<(String, String)>,
    /// The version before, for so many more reads.
    before: Option<(Box<Object>, u32)>,
}

/// The seeded objects are written when somebody first asks: a thousand tenants' keys would delay the start.
#[derive(Clone, Debug)]
enum Content {
    Bytes(Bytes),
    Seeded(usize),
}

impl Object {
    /// An object that holds these bytes.
    pub(super) fn new(bytes: impl Into<Bytes>, content_type: &str) -> Object {
        Object {
            content: Content::Bytes(bytes.into()),
            content_type: content_type.to_owned(),
            stamp: since_epoch(),
            metadata: Vec::new(),
            before: None,
        }
    }

    /// The first `vpn-users.json` of a tenant.
    pub(super) fn seeded(tenant: usize, stamp: Duration) -> Object {
        let content = Content::Seeded(tenant);
        Object { content, content_type: "application/json".to_owned(), stamp, metadata: Vec::new(), before: None }
    }

    /// Its bytes.
    pub(super) fn bytes(&mut self, shared: &Shared) -> Bytes {
        if let Content::Seeded(tenant) = self.content {
            self.content = Content::Bytes(seed::vpn_users(shared, tenant).into());
        }
        match &self.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::Seeded(_) => Bytes::new(),
        }
    }
}

/// A container: name of object to object.
pub(super) type Container = BTreeMap<String, Object>;

/// All accounts: project id to containers.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) accounts: BTreeMap<String, BTreeMap<String, Container>>,
    /// How many reads after each upload still get the version before it.
    pub(super) stale_reads: u32,
    /// The versions before the present one, oldest first, by container and object; `None`: none are kept.
    pub(super) versions: Option<BTreeMap<(String, String), Vec<Object>>>,
    /// No more are kept; those that are there stay.
    pub(super) suspended: bool,
}

impl State {
    /// Puts an object; the one before it is kept where versions are.
    pub(super) fn put(&mut self, account: String, container: &str, name: &str, object: Object) {
        let containers = self.accounts.entry(account).or_default();
        let before = containers.entry(container.to_owned()).or_default().insert(name.to_owned(), object);
        self.keep(container, name, before);
    }

    fn keep(&mut self, container: &str, name: &str, before: Option<Object>) {
        if let Some(versions) = self.versions.as_mut().filter(|_| !self.suspended) {
            versions.entry((container.to_owned(), name.to_owned())).or_default().extend(before);
        }
    }
}

/// Answers one request.
pub(super) fn handle(shared: &Shared, call: &Call) -> Reply {
    let transaction = {
        let mut chance = lock(&shared.chance);
        format!("tx{}-{}", &chance.hex32()[..21], &chance.hex32()[..10])
    };
    let reply = route(shared, call).with("x-openstack-request-id", transaction.clone()).with("x-trans-id", transaction);
    if call.method == "HEAD" {
        let length = reply.length.unwrap_or(reply.body.len());
        Reply { length: Some(length), body: Bytes::new(), ..reply }
    } else {
        reply
    }
}

fn route(shared: &Shared, call: &Call) -> Reply {
    if call.path == "/info" {
        return Reply::json(200, &json!({ "swift": { "version": "2.38.3", "max_file_size": 5_368_709_122_u64 } }));
    }
    let mut parts = call.path.trim_start_matches('/').splitn(4, '/').map(|p| decode(p, false));
    let (Some("v1"), Some(account)) = (parts.next().as_deref(), parts.next()) else {
        return refusal(404);
    };
    let (container, object) = (parts.next().filter(|p| !p.is_empty()), parts.next().filter(|p| !p.is_empty()));
    let Some(token) = caller(shared, call) else {
        return refusal(401);
    };
    let Some(project) = token.project.filter(|p| account == format!("AUTH_{p}")) else {
        return refusal(403);
    };
    let mut swift = lock(&shared.swift);
    let stale_reads = swift.stale_reads;
    if let Some(reply) = of_versions(shared, call, &mut swift, &project, (container.as_deref(), object.as_deref())) {
        return reply;
    }
    let before = match (&container, &object) {
        (Some(container), Some(object)) if call.method == "PUT" && swift.versions.is_some() => {
            swift.accounts.get(&project).and_then(|all| all.get(container)?.get(object)).cloned()
        }
        _ => None,
    };
    let reply = route_to(shared, call, swift.accounts.entry(project).or_default(), (&container, &object), stale_reads);
    if let (Some(container), Some(object), true) = (&container, &object, reply.status == 201) {
        swift.keep(container, object, before);
    }
    reply
}

/// What is asked of the versions of an object, where they are kept: their list, or one of them.
fn of_versions(
    shared: &Shared,
    call: &Call,
    swift: &mut State,
    project: &str,
    (container, object): (Option<&str>, Option<&str>),
) -> Option<Reply> {
    let State { accounts, versions: Some(versions), .. } = swift else { return None };
    let container = container.filter(|_| call.method == "GET")?;
    if let Some(name) = object {
        let wanted: usize = call.parameter("version-id")?.parse().ok()?;
        let kept = versions.get_mut(&(container.to_owned(), name.to_owned()));
        return Some(
            kept.and_then(|kept| kept.get_mut(wanted)).map_or_else(|| refusal(404), |o| read(shared, call, o)),
        );
    }
    call.parameter("versions")?;
    let prefix = call.parameter("prefix").unwrap_or_default();
    let mut entries = Vec::new();
    for (name, object) in
        accounts.get_mut(project)?.get_mut(container)?.iter_mut().filter(|(n, _)| n.starts_with(&prefix))
    {
        let before = versions.entry((container.to_owned(), name.clone())).or_default();
        let mut entry = |object: &mut Object, id: usize, is_latest: bool| {
            let bytes = object.bytes(shared);
            entries.push(json!({
                "name": name, "hash": md5_hex(&bytes), "bytes": bytes.len(), "version_id": id.to_string(),
                "is_latest": is_latest, "content_type": object.content_type,
            }));
        };
        entry(object, before.len(), true);
        before.iter_mut().enumerate().rev().for_each(|(id, object)| entry(object, id, false));
    }
    Some(Reply::json(200, &Value::Array(entries)))
}

fn route_to(
    shared: &Shared,
    call: &Call,
    containers: &mut BTreeMap<String, Container>,
    (container, object): (&Option<String>, &Option<String>),
    stale_reads: u32,
) -> Reply {
    match (container, object) {
        (None, _) => account_listing(shared, call, containers),
        (Some(container), None) => on_container(shared, call, containers, container),
        (Some(container), Some(object)) => on_object(shared, call, containers, (container, object), stale_reads),
    }
}

/// The HTML with which Swift refuses.
pub(super) fn refusal(status: u16) -> Reply {
    let (title, text) = match status {
        400 => (
            "Bad Request",
            "The server could not comply with the request since it is either malformed or otherwise incorrect.",
        ),
        401 => {
            let text = "This server could not verify that you are authorized to access the document you requested.";
            return page(401, "Unauthorized", text).with("www-authenticate", "Keystone uri=\"http://127.0.0.1/v3\"");
        }
        403 => ("Forbidden", "Access was denied to this resource."),
        404 => ("Not Found", "The resource could not be found."),
        405 => ("Method Not Allowed", "The method is not allowed for this resource."),
        409 => ("Conflict", "There was a conflict when trying to complete your request."),
        412 => ("Precondition Failed", "A precondition for this request was not met."),
        413 => ("Request Entity Too Large", "The body of your request was too large for this server."),
        422 => ("Unprocessable Entity", "Unable to process the contained instructions"),
        429 => ("Too Many Requests", "Too Many Requests."),
        503 => {
            let text = "The server is currently unavailable. Please try again at a later time.";
            return page(503, "Service Unavailable", text);
        }
        _ => ("Internal Error", "The server has either erred or is incapable of performing the requested operation."),
    };
    page(status, title, text)
}

fn page(status: u16, title: &str, text: &str) -> Reply {
    Reply::html(status, format!("<html><h1>{title}</h1><p>{text}</p></html>"))
}

fn md5_hex(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

fn date(stamp: Duration) -> String {
    // Last-Modified is rounded up to whole seconds.
    utc(stamp.as_secs() + u64::from(stamp.subsec_nanos() > 0), "%a, %d %b %Y %H:%M:%S GMT")
}

fn timestamp(stamp: Duration) -> String {
    format!("{:010}.{:05}", stamp.as_secs(), stamp.subsec_micros() / 10)
}

/// The page of a listing that the query asks for.
fn paged<'a, T>(call: &Call, items: impl Iterator<Item = (&'a String, T)>) -> Vec<(&'a String, T)> {
    let limit = call.parameter("limit").and_then(|l| l.parse().ok()).unwrap_or(10_000).min(10_000);
    let marker = call.parameter("marker").unwrap_or_default();
    let prefix = call.parameter("prefix").unwrap_or_default();
    items.filter(|(n, _)| **n > marker && n.starts_with(&prefix)).take(limit).collect()
}

fn listing(call: &Call, names: Vec<&String>, entries: Vec<Value>) -> Reply {
    let accept = call.header("accept").unwrap_or_default();
    if call.parameter("format").as_deref() == Some("json") || accept.contains("application/json") {
        return Reply::json(200, &Value::Array(entries)).with("x-timestamp", timestamp(since_epoch()));
    }
    let text: String = names.iter().map(|n| format!("{n}\n")).collect();
    let status = if text.is_empty() { 204 } else { 200 };
    Reply::new(status).with("content-type", "text/plain; charset=utf-8").body(text)
}

fn account_listing(shared: &Shared, call: &Call, containers: &mut BTreeMap<String, Container>) -> Reply {
    let json = call.parameter("format").as_deref() == Some("json")
        || call.header("accept").unwrap_or_default().contains("application/json");
    match call.method.as_str() {
        "GET" | "HEAD" => {
            let total = containers.len();
            let mut names = Vec::new();
            let mut entries = Vec::new();
            for (name, container) in paged(call, containers.iter_mut()) {
                if json {
                    // An unread seeded object is counted as empty: its size would cost a tenant's keys.
                    let known = container.values_mut().filter(|o| matches!(o.content, Content::Bytes(_)));
                    let bytes: usize = known.map(|o| o.bytes(shared).len()).sum();
                    entries.push(json!({ "name": name, "count": container.len(), "bytes": bytes,
                                         "last_modified": utc(since_epoch().as_secs(), "%Y-%m-%dT%H:%M:%S.000000") }));
                }
                names.push(name);
            }
            listing(call, names, entries).with("x-account-container-count", total.to_string())
        }
        _ => refusal(405),
    }
}

fn on_container(shared: &Shared, call: &Call, containers: &mut BTreeMap<String, Container>, name: &str) -> Reply {
    match call.method.as_str() {
        "PUT" => {
            let status = if containers.contains_key(name) { 202 } else { 201 };
            containers.entry(name.to_owned()).or_default();
            Reply::html(status, "")
        }
        "GET" | "HEAD" => {
            let Some(container) = containers.get_mut(name) else {
                return refusal(404);
            };
            let count = container.len();
            let mut names = Vec::new();
            let mut entries = Vec::new();
            let mut used = 0;
            for (object_name, object) in paged(call, container.iter_mut()) {
                let bytes = object.bytes(shared);
                used += bytes.len();
                entries.push(json!({
                    "name": object_name, "hash": md5_hex(&bytes), "bytes": bytes.len(), "content_type": object.content_type,
                    "last_modified": utc(object.stamp.as_secs(), "%Y-%m-%dT%H:%M:%S.000000"),
                }));
                names.push(object_name);
            }
            listing(call, names, entries)
                .with("x-container-object-count", count.to_string())
                .with("x-container-bytes-used", used.to_string())
        }
        "DELETE" => match containers.get(name) {
            None => refusal(404),
            Some(container) if !container.is_empty() => refusal(409),
            Some(_) => {
                containers.remove(name);
                Reply::new(204)
            }
        },
        _ => refusal(405),
    }
}

fn on_object(
    shared: &Shared,
    call: &Call,
    containers: &mut BTreeMap<String, Container>,
    (container, name): (&str, &str),
    stale_reads: u32,
) -> Reply {
    match call.method.as_str() {
        "GET" | "HEAD" => match containers.get_mut(container).and_then(|c| c.get_mut(name)) {
            Some(object) => match object.before.take() {
                Some((mut before, left)) => {
                    let reply = read(shared, call, &mut before);
                    object.before = (left > 1).then_some((before, left - 1));
                    reply
                }
                None => read(shared, call, object),
            },
            None => refusal(404),
        },
        "PUT" => {
            let before = containers.get(container).and_then(|c| c.get(name)).cloned();
            let reply = write(shared, call, containers, container, name);
            if let Some(now) = containers.get_mut(container).and_then(|c| c.get_mut(name)) {
                now.before = before.filter(|_| stale_reads > 0).map(|object| (Box::new(object), stale_reads));
            }
            reply
        }
        "POST" => match containers.get_mut(container).and_then(|c| c.get_mut(name)) {
            Some(object) => {
                object.metadata = metadata(call);
                object.stamp = since_epoch();
                page(202, "Accepted", "The request is accepted for processing.")
            }
            None => refusal(404),
        },
        "DELETE" => match containers.get_mut(container).and_then(|c| c.remove(name)) {
            Some(_) => Reply::new(204),
            None => refusal(404),
        },
        _ => refusal(405),
    }
}

fn read(shared: &Shared, call: &Call, object: &mut Object) -> Reply {
    let bytes = object.bytes(shared);
    let etag = md5_hex(&bytes);
    let names = |header: &str| {
        let given = call.header(header)?;
        Some(given.split(',').any(|e| e.trim() == "*" || e.trim().trim_matches('"') == etag))
    };
    if names("if-match") == Some(false) {
        return refusal(412);
    }
    let status = if names("if-none-match") == Some(true) { 304 } else { 200 };
    let mut reply = Reply::new(status)
        .with("content-type", object.content_type.clone())
        .with("etag", etag)
        .with("last-modified", date(object.stamp))
        .with("x-timestamp", timestamp(object.stamp))
        .with("accept-ranges", "bytes");
    reply.named.clone_from(&object.metadata);
    if status == 200 { reply.body(bytes) } else { reply }
}

/// If-Match and If-Unmodified-Since are ignored here, as the real one does: there is no compare-and-swap.
fn write(
    shared: &Shared,
    call: &Call,
    containers: &mut BTreeMap<String, Container>,
    container: &str,
    name: &str,
) -> Reply {
    let Some(there) = containers.get(container).map(|c| c.contains_key(name)) else {
        return refusal(404);
    };
    match call.header("if-none-match") {
        Some("*") if there => return refusal(412),
        None | Some("*") => {}
        Some(_) => return Reply::html(400, "If-None-Match only supports *"),
    }
    let mut copied = None;
    let mut object = match call.header("x-copy-from") {
        Some(source) => {
            let source = decode(source.trim_start_matches('/'), false);
            let found =
                source.split_once('/').and_then(|(from, what)| containers.get_mut(from).and_then(|c| c.get_mut(what)));
            let Some(from) = found else { return refusal(404) };
            copied = Some((source.clone(), date(from.stamp)));
            let mut copy = Object::new(from.bytes(shared), &from.content_type);
            copy.metadata.clone_from(&from.metadata);
            copy
        }
        None => {
            let guessed = if name.ends_with(".json") { "application/json" } else { "application/octet-stream" };
            Object::new(call.body.clone(), call.header("content-type").unwrap_or(guessed))
        }
    };
    let etag = md5_hex(&object.bytes(shared));
    if copied.is_none() && call.header("etag").is_some_and(|e| e.trim_matches('"') != etag) {
        return refusal(422);
    }
    object.metadata.extend(metadata(call));
    let mut reply = Reply::html(201, "")
        .with("etag", etag)
        .with("last-modified", date(object.stamp))
        .with("x-timestamp", timestamp(object.stamp));
    if let Some((source, modified)) = copied {
        reply = reply.with("x-copied-from", source).with("x-copied-from-last-modified", modified);
    }
    if let Some(container) = containers.get_mut(container) {
        container.insert(name.to_owned(), object);
    }
    reply
}

fn metadata(call: &Call) -> Vec<(String, String)> {
    let meta = call.headers.iter().filter(|(n, _)| n.as_str().starts_with("x-object-meta-"));
    meta.map(|(n, v)| (n.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect()
}
