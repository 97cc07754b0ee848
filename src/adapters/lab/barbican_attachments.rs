//! What hangs on a secret of Barbican and is lost with it: its ACL, its user metadata and its consumers.

use serde_json::{Value, json};

use super::barbican::{Secret, error, minor_version};
use super::http::{Call, Reply};

/// Answers a request below a secret's href; `document` is the secret's own metadata.
pub(super) fn handle(call: &Call, secret: &mut Secret, href: &str, rest: &[&str], document: &Value) -> Reply {
    let body = || serde_json::from_slice::<Value>(&call.body).ok();
    match (call.method.as_str(), rest) {
        ("GET", ["acl"]) => {
            let default = json!({ "read": { "project-access": true } });
            Reply::json(200, secret.acl.as_ref().unwrap_or(&default))
        }
        ("PUT" | "PATCH", ["acl"]) => match body() {
            Some(acl) if acl.is_object() => {
                let mut acl = acl;
                if acl["read"]["project-access"].is_null() {
                    acl["read"]["project-access"] = true.into();
                }
                secret.acl = Some(acl);
                Reply::json(200, &json!({ "acl_ref": format!("{href}/acl") }))
            }
            _ => error(400, "Bad Request", "Malformed JSON"),
        },
        ("DELETE", ["acl"]) => {
            secret.acl = None;
            Reply::json(200, &Value::Null)
        }
        ("GET", ["metadata"]) => Reply::json(200, &json!({ "metadata": secret.metadata })),
        ("PUT", ["metadata"]) => match body().as_ref().and_then(|b| b["metadata"].as_object()) {
            Some(map) => {
                let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
                // Barbican lower-cases the keys.
                secret.metadata = map.iter().map(|(k, v)| (k.to_lowercase(), text(v))).collect();
                Reply::json(201, &json!({ "metadata_ref": format!("{href}/metadata") }))
            }
            None => error(400, "Bad Request", "Malformed JSON"),
        },
        ("GET", ["metadata", key]) => match secret.metadata.get(*key) {
            Some(value) => Reply::json(200, &json!({ "key": key, "value": value })),
            None => error(404, "Not Found", "Secret metadata not found."),
        },
        ("GET", ["consumers"]) if minor_version(call) >= 1 => {
            Reply::json(200, &json!({ "consumers": secret.consumers, "total": secret.consumers.len() }))
        }
        ("POST", ["consumers"]) if minor_version(call) >= 1 => match body() {
            Some(consumer) if consumer["service"].is_string() && consumer["resource_id"].is_string() => {
                if !secret.consumers.contains(&consumer) {
                    secret.consumers.push(consumer);
                }
                let mut document = document.clone();
                document["consumers"] = secret.consumers.clone().into();
                Reply::json(200, &document)
            }
            _ => error(400, "Bad Request", "Malformed JSON"),
        },
        ("DELETE", ["consumers"]) if minor_version(call) >= 1 => {
            let given = body().unwrap_or_default();
            let before = secret.consumers.len();
            secret.consumers.retain(|c| *c != given);
            if secret.consumers.len() == before {
                error(404, "Not Found", "Consumer not found.")
            } else {
                Reply::json(200, document)
            }
        }
        _ => error(404, "Not Found", "Secret not found."),
    }
}
