//! One node's Keystone over HTTP: tokens issued for a password and validated from the node's own folder, which is listed and
//! opened as often as the real one does; and its two logs. The tokens themselves are `world` and `token`.
//!
//! Statuses and words: observed of Keystone 30 (gunicorn), and held against it by the test `fernet_live`.

use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};

use super::super::faults::Service;
use super::super::http::{Call, Reply, Site};
use super::super::state::{lock, utc};
use super::log::{Access, Log};
use super::payload::Payload;
use super::repository::Broken;
use super::world::{Account, Node, Rejected, World};

const STAMP: &str = "%Y-%m-%dT%H:%M:%S.000000Z";
const REQUIRED: &str = "The request you have made requires authentication.";
const UNEXPECTED: &str = "An unexpected error prevented the server from fulfilling your request.";
const PAGE: &str = "<html>\n  <head>\n    <title>Internal Server Error</title>\n  </head>\n  <body>\n    \
    <h1><p>Internal Server Error</p></h1>\n    \n  </body>\n</html>\n";
const APPLICATION: &str = "keystone.server.flask.application";

/// One node as a server.
pub(super) struct Keystone {
    pub(super) world: Arc<World>,
    /// Its number.
    pub(super) number: usize,
}

impl Site for Keystone {
    fn service(&self) -> Service {
        Service::Node(u16::try_from(self.number).unwrap_or(u16::MAX))
    }

    fn is_off(&self) -> bool {
        self.node().etc().join(".api-off").exists()
    }

    fn answer(&self, call: &Call) -> Option<Reply> {
        let parts = call.parts();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let reply = match (call.method.as_str(), parts.as_slice()) {
            ("GET", []) => {
                let versions = json!({ "versions": { "values": [self.version()] } });
                Reply::json(300, &versions).with("location", format!("{}/", self.base()))
            }
            // Whatever comes with a token has it judged first; a bad one makes the caller nobody.
            ("GET", ["v3"]) => {
                match call.header("x-auth-token").map(|own| self.world.validate(self.number, own, false)) {
                    Some(Err(Rejected::Broken(why))) => self.broken(&why.to_string()),
                    _ => Reply::json(200, &json!({ "version": self.version() })),
                }
            }
            ("POST", ["v3", "auth", "tokens"]) => self.issue(call)?,
            ("GET" | "HEAD", ["v3", "auth", "tokens"]) => self.validate(call),
            _ => {
                Reply::html(404, "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n")
            }
        };
        let id = lock(&self.world.chance).uuid();
        Some(reply.with("vary", "X-Auth-Token").with("x-openstack-request-id", format!("req-{id}")))
    }

    fn refuse(&self, status: u16) -> Reply {
        match status {
            401 => error(401, "Unauthorized", REQUIRED, &self.base()),
            404 => error(404, "Not Found", "Could not recognize Fernet token", &self.base()),
            503 => Reply::html(503, "<html><h1>Service Unavailable</h1></html>"),
            status => error(status, "Internal Server Error", UNEXPECTED, &self.base()),
        }
    }

    fn answered(&self, call: &Call, reply: &Reply) {
        let target = match call.query.as_str() {
            "" => call.path.clone(),
            query => format!("{}?{query}", call.path),
        };
        self.node().access().access(
            self.node().millis(),
            &Access {
                method: &call.method,
                target: &target,
                status: reply.status,
                bytes: reply.body.len(),
                agent: call.header("user-agent").unwrap_or("-"),
            },
        );
    }
}

impl Keystone {
    fn node(&self) -> &Node {
        &self.world.nodes[self.number]
    }

    fn base(&self) -> String {
        format!("http://127.0.0.1:{}/v3", self.node().port)
    }

    fn version(&self) -> Value {
        json!({
            "id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
            "links": [{ "rel": "self", "href": format!("{}/", self.base()) }],
            "media-types": [{ "base": "application/json", "type": "application/vnd.openstack.identity-v3+json" }],
        })
    }

    fn log(&self, level: &str, text: &str) {
        let log = self.node().conf().ok().and_then(|conf| conf.log);
        Log::at(log.as_deref()).keystone(self.node().millis(), level, APPLICATION, text);
    }

    fn unauthorized(&self) -> Reply {
        self.log("WARNING", &format!("Authorization failed. {REQUIRED} from 127.0.0.1"));
        error(401, "Unauthorized", REQUIRED, &self.base())
    }

    fn broken(&self, why: &str) -> Reply {
        self.log("ERROR", why);
        error(500, "Internal Server Error", UNEXPECTED, &self.base())
    }

    /// `None`: the connection is closed without an answer and without a line in the access log. That is what gunicorn makes of
    /// an error of the operating system that Keystone lets through, as it does here and not where it validates; behind
    /// Apache it is a 500.
    fn issue(&self, call: &Call) -> Option<Reply> {
        match self.authenticate(call) {
            Err(reply) => Some(reply),
            Ok((account, scoped)) => match self.world.issue(self.number, account, scoped) {
                Ok(fresh) => {
                    let document = document(account, fresh.issued, &fresh.payload);
                    Some(Reply::json(201, &document).with("x-subject-token", fresh.token.as_str()))
                }
                Err(Rejected::Broken(Broken::File { .. })) => None,
                // Python's own errors pass Keystone by as well; gunicorn has a page for those.
                Err(Rejected::Broken(Broken::NotAKey(_) | Broken::NotText(_))) => Some(Reply::html(500, PAGE)),
                Err(Rejected::Broken(why)) => Some(self.broken(&why.to_string())),
                Err(Rejected::NotFound(why)) => Some(self.broken(&why)),
            },
        }
    }

    /// Who asks for a token, and whether for one of a project; or the refusal.
    fn authenticate(&self, call: &Call) -> Result<(&Account, bool), Reply> {
        let Ok(body) = serde_json::from_slice::<Value>(&call.body) else {
            return Err(error(400, "Bad Request", "Expecting to find valid JSON in the request body.", &self.base()));
        };
        let identity = &body["auth"]["identity"];
        if !identity["methods"].is_array() {
            return Err(error(400, "Bad Request", "Expecting to find auth in request body.", &self.base()));
        }
        let user = &identity["password"]["user"];
        let by_password = identity["methods"] == json!(["password"]);
        let account = self.world.accounts.iter().find(|account| {
            (user["name"] == account.name.as_str() || user["id"] == account.id.as_str())
                && user["password"] == account.password.as_str()
        });
        let Some(account) = account.filter(|_| by_password) else {
            return Err(self.unauthorized());
        };
        let scope = &body["auth"]["scope"];
        let project = &scope["project"];
        let its_own = project["name"] == account.project.as_str() || project["id"] == account.project_id.as_str();
        if !scope.is_null() && !its_own {
            return Err(self.unauthorized());
        }
        Ok((account, !scope.is_null()))
    }

    fn validate(&self, call: &Call) -> Reply {
        let Some(own) = call.header("x-auth-token") else {
            return self.unauthorized();
        };
        match self.world.validate(self.number, own, false) {
            Ok(_) => {}
            Err(Rejected::NotFound(_)) => return self.unauthorized(),
            Err(Rejected::Broken(why)) => return self.broken(&why.to_string()),
        }
        let Some(subject) = call.header("x-subject-token") else {
            return error(404, "Not Found", "No token in the request", &self.base());
        };
        let late = call.parameter("allow_expired").is_some_and(|value| is_true(&value));
        // Once for the policy, once for the answer; with the caller's own, the folder is read three times.
        let twice = (0..2).map(|_| self.world.validate(self.number, subject, late)).collect::<Result<Vec<_>, _>>();
        match twice.as_deref() {
            Ok([.., (issued, payload)]) => match self.world.account(&payload.user) {
                Some(account) => {
                    let mut reply =
                        Reply::json(200, &document(account, *issued, payload)).with("x-subject-token", subject);
                    if call.method == "HEAD" {
                        reply.length = Some(reply.body.len());
                        reply.body = bytes::Bytes::new();
                    }
                    reply
                }
                None => error(404, "Not Found", "Could not find user.", &self.base()),
            },
            Ok([]) => self.broken("no answer"),
            Err(Rejected::NotFound(why)) => {
                self.log("WARNING", why);
                error(404, "Not Found", why, &self.base())
            }
            Err(Rejected::Broken(why)) => self.broken(&why.to_string()),
        }
    }
}

/// As oslo's `bool_from_string`.
fn is_true(value: &str) -> bool {
    matches!(value.trim().to_ascii_lowercase().as_str(), "1" | "t" | "true" | "on" | "y" | "yes")
}

fn error(code: u16, title: &str, message: &str, base: &str) -> Reply {
    let reply = Reply::json(code, &json!({ "error": { "code": code, "message": message, "title": title } }));
    if code == 401 { reply.with("www-authenticate", format!("Keystone uri=\"{base}\"")) } else { reply }
}

fn document(account: &Account, issued: u64, payload: &Payload) -> Value {
    let domain = json!({ "id": "default", "name": "Default" });
    let audit: Vec<String> = payload.audit.iter().map(|id| Base64UrlUnpadded::encode_string(id)).collect();
    let mut document = json!({
        "methods": ["password"],
        "user": { "domain": domain, "id": account.id, "name": account.name, "password_expires_at": null },
        "audit_ids": audit,
        "expires_at": utc(payload.expires, STAMP),
        "issued_at": utc(issued, STAMP),
    });
    if payload.project.is_some() {
        document["project"] = json!({ "domain": domain, "id": account.project_id, "name": account.project });
        document["is_domain"] = json!(false);
        document["roles"] = account.roles.iter().map(|role| json!({ "id": role, "name": role })).collect();
    }
    json!({ "token": document })
}
