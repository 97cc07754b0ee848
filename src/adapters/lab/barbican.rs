//! Barbican's secrets as a client sees them: list (SQL LIKE, pages, no order), store with all its refusals, metadata,
//! payload, delete. What hangs on a secret (ACL, user metadata, consumers) is left to `barbican_attachments`.

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use super::barbican_attachments;
use super::http::{Call, Reply, decode};
use super::keystone::{Token, Who, caller, request_id};
use super::state::{Shared, epoch, lock, utc};

/// A secret, with everything that hangs on it.
#[derive(Clone, Debug)]
pub struct Secret {
    /// The UUID in its href.
    pub id: String,
    /// The project that owns it.
    pub project: String,
    /// Not unique; empty if none was given.
    pub name: String,
    /// None: stored without a payload.
    pub payload: Option<Vec<u8>>,
    /// As stored, for instance `application/octet-stream`.
    pub content_type: String,
    /// For instance `opaque`.
    pub secret_type: String,
    /// Algorithm, bit length and mode, as given.
    pub algorithm: (Option<String>, Option<u64>, Option<String>),
    /// Seconds since 1970.
    pub created: u64,
    /// Seconds since 1970; the secret vanishes then.
    pub expiration: Option<u64>,
    /// Its ACL, if one was set.
    pub acl: Option<Value>,
    /// User metadata.
    pub metadata: BTreeMap<String, String>,
    /// Registered consumers.
    pub consumers: Vec<Value>,
}

/// All secrets; by id, an order that means nothing to a client.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) secrets: BTreeMap<String, Secret>,
    /// At most so many in a project.
    pub(super) quota: Option<usize>,
}

const STAMP: &str = "%Y-%m-%dT%H:%M:%S";
const TYPES: [&str; 5] = [
    "text/plain",
    "text/plain;charset=utf-8",
    "text/plain; charset=utf-8",
    "application/octet-stream",
    "application/pkcs8",
];

/// Answers one request.
pub(super) fn handle(shared: &Shared, call: &Call) -> Reply {
    let reply = route(shared, call);
    let version = format!("key-manager 1.{}", minor_version(call));
    reply.with("openstack-api-version", version).with("x-openstack-request-id", request_id(shared))
}

fn route(shared: &Shared, call: &Call) -> Reply {
    let parts = call.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (call.method.as_str(), parts.as_slice()) {
        ("GET", []) => return Reply::json(300, &json!({ "versions": [version(shared)] })),
        ("GET", ["v1"]) => return Reply::json(200, &json!({ "version": version(shared) })),
        _ => {}
    }
    let Some(token) = caller(shared, call) else {
        return refusal(401);
    };
    let Some(project) = token.project.clone() else {
        return refusal(403);
    };
    match (call.method.as_str(), parts.as_slice()) {
        ("GET", ["v1", "secrets"]) => list(shared, call, &project),
        ("POST", ["v1", "secrets"]) => store(shared, call, &project),
        (_, ["v1", "secrets", id, rest @ ..]) => one(shared, call, &token, id, rest),
        _ => error(404, "Not Found", "The resource could not be found."),
    }
}

/// The minor version that the client asks for; 0 without the header.
pub(super) fn minor_version(call: &Call) -> u8 {
    let asked = call.header("openstack-api-version").and_then(|v| v.strip_prefix("key-manager "));
    match asked {
        Some("1.2" | "latest") => 2,
        Some("1.1") => 1,
        _ => 0,
    }
}

/// A refusal in Barbican's own words; 401 comes from the middleware before it and 503 from the one around it.
pub(super) fn refusal(status: u16) -> Reply {
    match status {
        401 => {
            let message = "The request you have made requires authentication.";
            let body = json!({ "error": { "code": 401, "title": "Unauthorized", "message": message } });
            Reply::json(401, &body).with("www-authenticate", "Keystone uri=\"http://127.0.0.1/v3\"")
        }
        403 => {
            let text = "Secret(s) retrieval attempt not allowed - please review your user/project privileges";
            error(403, "Forbidden", text)
        }
        404 => error(404, "Not Found", "Secret not found."),
        409 => error(409, "Conflict", "Secret already has data, cannot modify it."),
        429 => error(429, "Too Many Requests", "Too many requests."),
        503 => Reply::html(
            503,
            "<html>\n <head>\n  <title>503 Service Unavailable</title>\n </head>\n <body>\n  <h1>503 Service Unavailable</h1>\n  \
             The server is currently unavailable. Please try again at a later time.<br /><br />\n The Keystone service is \
             temporarily unavailable.\n </body>\n</html>",
        ),
        status => {
            error(status, "Internal Server Error", "Secret creation failure seen - please contact site administrator.")
        }
    }
}

/// A flat error body, as Barbican's own code sends it.
pub(super) fn error(code: u16, title: &str, description: &str) -> Reply {
    Reply::json(code, &json!({ "code": code, "title": title, "description": description }))
}

fn bad_request(description: &str) -> Reply {
    error(400, "Bad Request", description)
}

fn schema(description: &str) -> Reply {
    bad_request(&format!("Provided object does not match schema 'Secret': {description}"))
}

/// The address of the service.
pub(super) fn base(shared: &Shared) -> String {
    format!("http://127.0.0.1:{}", shared.ports.barbican)
}

/// The address of a secret.
pub(super) fn href(shared: &Shared, id: &str) -> String {
    format!("{}/v1/secrets/{id}", base(shared))
}

fn version(shared: &Shared) -> Value {
    json!({
        "id": "v1", "status": "CURRENT", "min_version": "1.0", "max_version": "1.2",
        "links": [{ "rel": "self", "href": format!("{}/v1/", base(shared)) }],
        "media-types": [{ "base": "application/json", "type": "application/vnd.openstack.key-manager-v1+json" }],
    })
}

/// SQL LIKE without case: `%` is any text, `_` any one character.
fn like(pattern: &str, text: &str) -> bool {
    let fold = |s: &str| s.chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    let (pattern, text) = (fold(pattern), fold(text));
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('%') => {
                back = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '_' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '%')
}

fn list(shared: &Shared, call: &Call, project: &str) -> Reply {
    let number = |name: &str| call.parameter(name).and_then(|v| v.parse::<usize>().ok());
    let limit = number("limit").unwrap_or(10).min(100);
    let offset = number("offset").unwrap_or(0);
    // Decoded twice, so `+` and `%2B` can't be found: once in `parameter`, once here.
    let name = call.parameter("name").map(|n| decode(&n, true));
    let barbican = lock(&shared.barbican);
    let now = epoch();
    let mut found: Vec<&Secret> = barbican
        .secrets
        .values()
        .filter(|s| s.project == project && s.expiration.is_none_or(|e| e > now))
        .filter(|s| name.as_ref().is_none_or(|n| like(n, &s.name)))
        .collect();
    match call.parameter("sort").as_deref() {
        Some("created" | "created:asc") => found.sort_by_key(|s| s.created),
        Some("created:desc") => found.sort_by_key(|s| std::cmp::Reverse(s.created)),
        _ => {}
    }
    let total = found.len();
    let page: Vec<Value> =
        found.into_iter().skip(offset).take(limit).map(|s| entry(shared, s, minor_version(call))).collect();
    let mut body = json!({ "secrets": page, "total": total });
    let filter: String = call
        .query
        .split('&')
        .filter(|p| !p.is_empty() && !p.starts_with("limit=") && !p.starts_with("offset="))
        .map(|p| format!("&{p}"))
        .collect();
    let link = |offset: usize| format!("{}/v1/secrets?limit={limit}&offset={offset}{filter}", base(shared));
    if offset + limit < total {
        body["next"] = link(offset + limit).into();
    }
    if offset > 0 {
        body["previous"] = link(offset.saturating_sub(limit)).into();
    }
    Reply::json(200, &body)
}

fn entry(shared: &Shared, secret: &Secret, minor: u8) -> Value {
    let (algorithm, bit_length, mode) = &secret.algorithm;
    let created = utc(secret.created, STAMP);
    let mut entry = json!({
        "created": created, "updated": created, "status": "ACTIVE",
        "name": if secret.name.is_empty() { secret.id.clone() } else { secret.name.clone() },
        "secret_type": secret.secret_type, "expiration": secret.expiration.map(|e| utc(e, STAMP)),
        "algorithm": algorithm, "bit_length": bit_length, "mode": mode, "creator_id": "operator",
        "secret_ref": href(shared, &secret.id),
    });
    if secret.payload.is_some() {
        entry["content_types"] = json!({ "default": secret.content_type });
    }
    if minor >= 1 {
        entry["consumers"] = secret.consumers.clone().into();
    }
    entry
}

fn store(shared: &Shared, call: &Call, project: &str) -> Reply {
    if !call.header("content-type").unwrap_or_default().starts_with("application/json") {
        return error(415, "Unsupported Media Type", "Content-Type must be application/json");
    }
    if call.body.len() > 25_000 {
        return bad_request("Malformed JSON");
    }
    let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(&call.body) else {
        return bad_request("Malformed JSON");
    };
    let text = |field: &str| body.get(field).and_then(Value::as_str);
    let name = text("name").unwrap_or_default();
    if name.chars().count() > 255 {
        return schema(&format!("'{name}' is too long. Invalid property: 'name'"));
    }
    let kind = text("payload_content_type");
    let encoding = text("payload_content_encoding");
    if kind.is_some_and(|k| !TYPES.contains(&k)) {
        return schema(
            "payload_content_type is not one of the supported types. Invalid property: 'payload_content_type'",
        );
    }
    let payload = match (text("payload"), kind) {
        (None, _) => None,
        (Some(payload), _) if payload.trim().is_empty() => {
            return schema("If 'payload' specified, must be non empty. Invalid property: 'payload'");
        }
        (Some(_), None) => {
            let text = "If 'payload' is supplied, 'payload_content_type' must also be supplied. ";
            return schema(&format!("{text}Invalid property: 'payload_content_type'"));
        }
        (Some(payload), Some(kind)) if payload.len() > 20_000 => {
            let _ = kind;
            return error(413, "Content Too Large", "Provided information too large to process");
        }
        // Inline text is stripped on both sides; base64 keeps its newline.
        (Some(payload), Some(kind)) if kind.starts_with("text/plain") => Some(payload.trim().as_bytes().to_vec()),
        (Some(payload), Some(_)) => {
            if encoding != Some("base64") {
                return schema(
                    "payload_content_encoding must be specified when payload_content_type is application/octet-stream. \
                     Invalid property: 'payload_content_encoding'",
                );
            }
            match Base64::decode_vec(&payload.replace(['\n', '\r'], "")) {
                Ok(bytes) => Some(bytes),
                Err(_) => return bad_request("Invalid payload for payload_content_encoding."),
            }
        }
    };
    let mut barbican = lock(&shared.barbican);
    let held = barbican.secrets.values().filter(|s| s.project == project).count();
    if barbican.quota.is_some_and(|quota| held >= quota) {
        let text = "Secret creation issue seen - Creation not allowed because a quota has been reached.";
        return error(403, "Forbidden", text);
    }
    let id = lock(&shared.chance).uuid();
    let secret = Secret {
        id: id.clone(),
        project: project.to_owned(),
        name: name.to_owned(),
        payload,
        content_type: kind.unwrap_or_default().to_owned(),
        secret_type: text("secret_type").unwrap_or("opaque").to_owned(),
        algorithm: (
            text("algorithm").map(str::to_owned),
            body.get("bit_length").and_then(Value::as_u64),
            text("mode").map(str::to_owned),
        ),
        created: epoch(),
        expiration: text("expiration").and_then(seconds),
        acl: None,
        metadata: BTreeMap::new(),
        consumers: Vec::new(),
    };
    barbican.secrets.insert(id.clone(), secret);
    let link = href(shared, &id);
    Reply::json(201, &json!({ "secret_ref": link })).with("location", link)
}

fn one(shared: &Shared, call: &Call, token: &Token, id: &str, rest: &[&str]) -> Reply {
    let mut barbican = lock(&shared.barbican);
    let now = epoch();
    let Some(secret) = barbican.secrets.get_mut(id).filter(|s| s.expiration.is_none_or(|e| e > now)) else {
        return refusal(404);
    };
    if token.project.as_ref() != Some(&secret.project) {
        return refusal(403);
    }
    // The agent did not create the secret: it lives on project access, or on being named in the ACL.
    let closed = secret.acl.as_ref().is_some_and(|acl| acl["read"]["project-access"] == false);
    if closed && token.who == Who::Agent {
        return refusal(403);
    }
    match (call.method.as_str(), rest) {
        ("GET", []) => Reply::json(200, &entry(shared, secret, minor_version(call))),
        ("GET", ["payload"]) => payload(call, secret),
        ("PUT", []) => fill(call, secret),
        ("DELETE", []) => {
            let forced = call.parameter("force").as_deref() == Some("true");
            if minor_version(call) >= 2 && !secret.consumers.is_empty() && !forced {
                return bad_request("Secret cannot be deleted as it has consumers.");
            }
            barbican.secrets.remove(id);
            Reply::new(204)
        }
        _ => {
            let document = entry(shared, secret, 2);
            barbican_attachments::handle(call, secret, &href(shared, id), rest, &document)
        }
    }
}

fn payload(call: &Call, secret: &Secret) -> Reply {
    let Some(bytes) = &secret.payload else {
        return error(404, "Not Found", "Not Found. Sorry but your secret has no payload.");
    };
    let accept = call.header("accept").unwrap_or("*/*");
    let wanted = accept.split(',').map(|a| a.split(';').next().unwrap_or_default().trim()).find_map(|a| match a {
        "text/plain" | "text/*" => Some("text/plain"),
        "application/octet-stream" | "application/pkcs8" => Some("application/octet-stream"),
        "*/*" => Some(secret.content_type.as_str()),
        _ => None,
    });
    let unreadable = |kind: &str| kind.starts_with("text/") && std::str::from_utf8(bytes).is_err();
    match wanted {
        Some(kind) if !unreadable(kind) => Reply::new(200).with("content-type", kind).body(bytes.clone()),
        _ => error(406, "Not Acceptable", "Secret payload retrieval issue seen - Wrong payload content-type."),
    }
}

/// The second step of a two-step store: works once, and keeps every byte.
fn fill(call: &Call, secret: &mut Secret) -> Reply {
    if secret.payload.is_some() {
        return refusal(409);
    }
    let kind = call.header("content-type").unwrap_or_default();
    if !TYPES.contains(&kind) {
        return error(415, "Unsupported Media Type", "Content-Type of the payload is not supported.");
    }
    if call.body.is_empty() {
        return bad_request("No data supplied to process.");
    }
    let bytes = if call.header("content-encoding") == Some("base64") {
        match Base64::decode_vec(String::from_utf8_lossy(&call.body).trim()) {
            Ok(bytes) => bytes,
            Err(_) => return bad_request("Invalid payload for payload_content_encoding."),
        }
    } else {
        call.body.to_vec()
    };
    secret.payload = Some(bytes);
    secret.content_type = kind.to_owned();
    Reply::new(204)
}

/// Seconds since 1970 of an ISO 8601 time; without a zone it is UTC.
fn seconds(text: &str) -> Option<u64> {
    let stamp = text.parse().or_else(|_| format!("{text}Z").parse::<jiff::Timestamp>()).ok()?;
    u64::try_from(stamp.as_second()).ok()
}
