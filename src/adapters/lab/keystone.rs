//! Keystone as a client sees it: version documents, tokens (password, token, application credential), the catalogue and
//! the list of projects. Roles are reduced to what the runbook meets: an operator, her application credential, the agent.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::http::{Call, Reply};
use super::state::{Shared, epoch, lock, utc};

const STAMP: &str = "%Y-%m-%dT%H:%M:%S.000000Z";
const REQUIRED: &str = "The request you have made requires authentication.";

/// Who a token speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The operator by password: admin and member.
    Operator,
    /// The operator's application credential: member only.
    Credential,
    /// The credential of the agents on the VPN servers.
    Agent,
}

/// A token that was given out.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) who: Who,
    /// None: unscoped.
    pub(super) project: Option<String>,
    issued: u64,
    expires: u64,
    method: &'static str,
}

/// Accounts and tokens.
#[derive(Debug)]
pub(super) struct State {
    /// How long a new token lives.
    pub(super) lifetime: Duration,
    /// The operator's project, which holds the secrets and containers of all tenants.
    pub(super) ops: String,
    pub(super) user: String,
    pub(super) password: String,
    pub(super) credential: (String, String),
    pub(super) agent: (String, String),
    pub(super) tokens: HashMap<String, Token>,
}

impl State {
    /// The token, if it is known and has not expired.
    pub(super) fn valid(&self, token: &str) -> Option<&Token> {
        self.tokens.get(token).filter(|t| t.expires > epoch())
    }
}

/// Who calls, by `X-Auth-Token`; None is a 401 of the service.
pub(super) fn caller(shared: &Shared, call: &Call) -> Option<Token> {
    let token = call.header("x-auth-token").or_else(|| call.header("x-storage-token"))?;
    lock(&shared.keystone).valid(token).cloned()
}

/// Answers one request.
pub(super) fn handle(shared: &Shared, call: &Call) -> Reply {
    let parts = call.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let reply = match (call.method.as_str(), parts.as_slice()) {
        ("GET", []) => Reply::json(300, &json!({ "versions": { "values": [version(shared)] } })),
        ("GET", ["v3"]) => Reply::json(200, &json!({ "version": version(shared) })),
        ("POST", ["v3", "auth", "tokens"]) => issue(shared, call),
        ("GET" | "HEAD", ["v3", "auth", "tokens"]) => validate(shared, call),
        ("DELETE", ["v3", "auth", "tokens"]) => revoke(shared, call),
        ("GET", ["v3", "auth", "projects"]) => projects(shared, call, false),
        ("GET", ["v3", "projects"] | ["v3", "users", _, "projects"]) => projects(shared, call, true),
        ("GET", ["v3", "projects", id]) => project(shared, call, id),
        _ => error(404, "Not Found", "The resource could not be found."),
    };
    reply.with("vary", "X-Auth-Token").with("x-openstack-request-id", request_id(shared))
}

/// `req-<uuid>`, as every service of OpenStack sends it.
pub(super) fn request_id(shared: &Shared) -> String {
    format!("req-{}", lock(&shared.chance).uuid())
}

/// The body Keystone sends with a status.
pub(super) fn refusal(status: u16) -> Reply {
    match status {
        401 => error(401, "Unauthorized", REQUIRED),
        403 => error(403, "Forbidden", "You are not authorized to perform the requested action."),
        404 => error(404, "Not Found", "The resource could not be found."),
        429 => error(429, "Too Many Requests", "Too many requests."),
        503 => Reply::html(503, "<html><h1>Service Unavailable</h1></html>"),
        status => error(
            status,
            "Internal Server Error",
            "An unexpected error prevented the server from fulfilling your request.",
        ),
    }
}

fn error(code: u16, title: &str, message: &str) -> Reply {
    let reply = Reply::json(code, &json!({ "error": { "code": code, "message": message, "title": title } }));
    if code == 401 { reply.with("www-authenticate", "Keystone uri=\"http://127.0.0.1/v3\"") } else { reply }
}

fn base(shared: &Shared) -> String {
    format!("http://127.0.0.1:{}/v3", shared.ports.keystone)
}

fn version(shared: &Shared) -> Value {
    json!({
        "id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
        "links": [{ "rel": "self", "href": format!("{}/", base(shared)) }],
        "media-types": [{ "base": "application/json", "type": "application/vnd.openstack.identity-v3+json" }],
    })
}

fn issue(shared: &Shared, call: &Call) -> Reply {
    let Ok(body) = serde_json::from_slice::<Value>(&call.body) else {
        return error(400, "Bad Request", "Expecting to find valid JSON in the request body.");
    };
    let identity = &body["auth"]["identity"];
    let Some(method) = identity["methods"].get(0).and_then(Value::as_str) else {
        return error(400, "Bad Request", "Expecting to find auth in request body.");
    };
    let scope = &body["auth"]["scope"];
    let mut keystone = lock(&shared.keystone);
    let now = epoch();
    let lifetime = keystone.lifetime.as_secs();
    let refused = || error(401, "Unauthorized", REQUIRED);
    let (who, method, project, expires) = match method {
        "password" => {
            let user = &identity["password"]["user"];
            let known = user["name"] == "operator" || user["id"] == keystone.user.as_str();
            if !known || user["password"] != keystone.password.as_str() {
                return refused();
            }
            match scoped(shared, &keystone, scope) {
                Ok(project) => (Who::Operator, "password", project, now + lifetime),
                Err(()) => return refused(),
            }
        }
        "application_credential" => {
            if !scope.is_null() {
                return error(401, "Unauthorized", "Application credentials cannot request a scope.");
            }
            let given = &identity["application_credential"];
            let is = |pair: &(String, String)| given["id"] == pair.0.as_str() && given["secret"] == pair.1.as_str();
            let by_name = given["name"] == "changeguard"
                && given["user"]["name"] == "operator"
                && given["secret"] == keystone.credential.1.as_str();
            let who = match () {
                () if is(&keystone.credential) || by_name => Who::Credential,
                () if is(&keystone.agent) => Who::Agent,
                () => return refused(),
            };
            (who, "application_credential", Some(keystone.ops.clone()), now + lifetime)
        }
        "token" => {
            let given = identity["token"]["id"].as_str().unwrap_or_default();
            let Some(old) = keystone.valid(given).cloned() else {
                return refused();
            };
            if old.who != Who::Operator {
                return refused();
            }
            match scoped(shared, &keystone, scope) {
                // A token that comes from a token ends when that one does.
                Ok(project) => (old.who, "token", project.or(old.project), old.expires),
                Err(()) => return refused(),
            }
        }
        _ => return refused(),
    };
    let token = Token { who, project, issued: now, expires, method };
    let length = if who == Who::Operator { 183 } else { 204 };
    let id = format!("gAAAAA{}", lock(&shared.chance).token(length - 6));
    let catalogue = call.parameter("nocatalog").is_none();
    let reply = Reply::json(201, &document(shared, &keystone, &token, catalogue)).with("x-subject-token", id.clone());
    keystone.tokens.retain(|_, t| t.expires > now);
    keystone.tokens.insert(id, token);
    reply
}

/// The project of a scope: the operator's own or that of a tenant.
fn scoped(shared: &Shared, keystone: &State, scope: &Value) -> Result<Option<String>, ()> {
    if scope.is_null() || scope == "unscoped" {
        return Ok(None);
    }
    let project = &scope["project"];
    let text = |field: &str| project[field].as_str();
    if text("id") == Some(&keystone.ops) || text("name") == Some("ops") {
        return Ok(Some(keystone.ops.clone()));
    }
    let tenant = shared.tenants.iter().find(|t| text("id") == Some(&t.id) || text("name") == Some(&t.name));
    tenant.map(|t| Some(t.id.clone())).ok_or(())
}

fn document(shared: &Shared, keystone: &State, token: &Token, catalogue: bool) -> Value {
    let domain = json!({ "id": "default", "name": "Default" });
    let (user, name) = match token.who {
        Who::Agent => ("a9e47a9e47a9e47a9e47a9e47a9e47a9", "user-sync-agent"),
        Who::Operator | Who::Credential => (keystone.user.as_str(), "operator"),
    };
    let mut document = json!({
        "methods": [token.method],
        "user": { "domain": domain, "id": user, "name": name, "password_expires_at": null },
        "audit_ids": [lock(&shared.chance).token(22)],
        "expires_at": utc(token.expires, STAMP),
        "issued_at": utc(token.issued, STAMP),
    });
    if let Some(project) = &token.project {
        document["project"] = json!({ "domain": domain, "id": project, "name": project_name(shared, project) });
        let admin = json!({ "id": "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a", "name": "admin" });
        let member = json!({ "id": "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "name": "member" });
        let roles = if token.who == Who::Operator { json!([admin, member]) } else { json!([member]) };
        document["roles"] = roles;
        document["is_domain"] = json!(false);
        if token.method == "application_credential" {
            document["application_credential"] = json!({ "id": keystone.credential.0, "restricted": true });
        }
        if catalogue {
            let host = "http://127.0.0.1";
            let ports = shared.ports;
            document["catalog"] = json!([
                service("identity", "keystone", &format!("{host}:{}/v3", ports.keystone)),
                // No /v1 here: the client adds it.
                service("key-manager", "barbican", &format!("{host}:{}", ports.barbican)),
                service("object-store", "swift", &format!("{host}:{}/v1/AUTH_{project}", ports.swift)),
            ]);
        }
    }
    json!({ "token": document })
}

fn service(kind: &str, name: &str, url: &str) -> Value {
    let endpoint = |interface: &str| {
        json!({ "id": format!("{name}-{interface}"), "interface": interface, "region": "RegionOne",
                "region_id": "RegionOne", "url": url })
    };
    json!({ "id": name, "name": name, "type": kind,
            "endpoints": [endpoint("public"), endpoint("internal"), endpoint("admin")] })
}

fn project_name<'a>(shared: &'a Shared, id: &str) -> &'a str {
    shared.tenants.iter().find(|t| t.id == id).map_or("ops", |t| &t.name)
}

fn validate(shared: &Shared, call: &Call) -> Reply {
    if caller(shared, call).is_none() {
        return error(401, "Unauthorized", REQUIRED);
    }
    let keystone = lock(&shared.keystone);
    let subject = call.header("x-subject-token").unwrap_or_default();
    match keystone.valid(subject) {
        Some(token) => {
            let reply = Reply::json(200, &document(shared, &keystone, token, call.parameter("nocatalog").is_none()));
            reply.with("x-subject-token", subject)
        }
        None => error(404, "Not Found", "Could not find token: ."),
    }
}

fn revoke(shared: &Shared, call: &Call) -> Reply {
    if caller(shared, call).is_none() {
        return error(401, "Unauthorized", REQUIRED);
    }
    let subject = call.header("x-subject-token").unwrap_or_default();
    match lock(&shared.keystone).tokens.remove(subject) {
        Some(_) => Reply::new(204),
        None => error(404, "Not Found", "Could not find token: ."),
    }
}

fn projects(shared: &Shared, call: &Call, all: bool) -> Reply {
    let Some(token) = caller(shared, call) else {
        return error(401, "Unauthorized", REQUIRED);
    };
    if all && token.who != Who::Operator {
        let text = "You are not authorized to perform the requested action: identity:list_projects.";
        return error(403, "Forbidden", text);
    }
    let wanted = call.parameter("name");
    let ops = lock(&shared.keystone).ops.clone();
    let own = std::iter::once((ops.as_str(), "ops"));
    let list: Vec<Value> = own
        .chain(shared.tenants.iter().map(|t| (t.id.as_str(), t.name.as_str())))
        .filter(|(_, name)| wanted.as_ref().is_none_or(|w| w == name))
        .map(|(id, name)| entry(shared, id, name))
        .collect();
    let path = if all { "projects" } else { "auth/projects" };
    let links = json!({ "next": null, "self": format!("{}/{path}", base(shared)), "previous": null });
    Reply::json(200, &json!({ "projects": list, "links": links }))
}

fn project(shared: &Shared, call: &Call, id: &str) -> Reply {
    if caller(shared, call).is_none() {
        return error(401, "Unauthorized", REQUIRED);
    }
    let known = id == lock(&shared.keystone).ops || shared.tenants.iter().any(|t| t.id == id);
    if known {
        Reply::json(200, &json!({ "project": entry(shared, id, project_name(shared, id)) }))
    } else {
        error(404, "Not Found", &format!("Could not find project: {id}."))
    }
}

fn entry(shared: &Shared, id: &str, name: &str) -> Value {
    json!({
        "id": id, "name": name, "domain_id": "default", "description": "", "enabled": true, "parent_id": "default",
        "is_domain": false, "tags": [], "options": {}, "links": { "self": format!("{}/projects/{id}", base(shared)) },
    })
}
