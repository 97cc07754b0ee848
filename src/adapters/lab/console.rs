//! The platform's console API, as far as its public documentation shows it: the current user, the tenants, and the script
//! that makes a user's VPN configuration from the current Swift object.

use serde_json::{Value, json};

use super::http::{Call, Reply};
use super::people::portal_key;
use super::seed::{Tenant, base64};
use super::state::{Shared, utc};

/// Answers one request.
pub(super) fn handle(shared: &Shared, call: &Call) -> Reply {
    let bearer = call.header("authorization").and_then(|a| a.strip_prefix("Bearer "));
    if bearer != Some(shared.console_token.as_str()) {
        return refusal(if bearer.is_some() { 401 } else { 403 });
    }
    let parts = call.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (call.method.as_str(), parts.as_slice()) {
        ("GET", ["api", "users", "me"]) => {
            let me = json!({ "id": "op-1", "email": "operator@lab.example", "role": "operator", "ssh_key_id": null });
            Reply::json(200, &me)
        }
        ("GET", ["api", "users"]) => {
            let users = shared.tenants.iter().flat_map(|t| users(t));
            Reply::json(200, &users.collect())
        }
        ("GET", ["api", "tenants"]) => {
            let tenants = shared.tenants.iter().map(|t| {
                let created = utc(1_690_000_000 + t.index as u64 * 3_600, "%Y-%m-%dT%H:%M:%S");
                json!({ "id": t.id, "name": t.name, "created_at": created, "users": users(t) })
            });
            Reply::json(200, &tenants.collect())
        }
        ("GET", ["api", "users", id, "vpn"]) => script(shared, id),
        _ => refusal(404),
    }
}

fn users(tenant: &Tenant) -> Vec<Value> {
    let user = |id: &str, email: &str| json!({ "id": id, "email": email, "role": "member", "ssh_key_id": null });
    tenant.people.iter().map(|p| user(&p.id, &p.email)).collect()
}

fn script(shared: &Shared, id: &str) -> Reply {
    let found = shared.tenants.iter().find_map(|t| t.people.iter().find(|p| p.id == id).map(|p| (t, p)));
    let Some((tenant, person)) = found else {
        return refusal(404);
    };
    let Some(key) = portal_key(shared, tenant) else {
        return refusal(500);
    };
    let text = format!(
        "#!/bin/bash\n# Usage: cat privatekey | bash vpn-config-script.sh > wg.conf\nset -euo pipefail\nread -r PRIVATE_KEY\n\
         cat <<CONFIG\n[Interface]\nPrivateKey = $PRIVATE_KEY\nAddress = {}/32\nDNS = {gateway}\nMTU = 1380\n\n[Peer]\n\
         PublicKey = {}\nAllowedIPs = {gateway}/24\nEndpoint = {}.example:51820\nPersistentKeepAlive = 25\nCONFIG\n",
        person.address,
        base64(&key),
        tenant.server,
        gateway = tenant.gateway,
    );
    Reply::new(200).with("content-type", "text/plain; charset=utf-8").body(text)
}

/// FastAPI's refusals.
pub(super) fn refusal(status: u16) -> Reply {
    let detail = match status {
        401 => "Could not validate credentials",
        403 => "Not authenticated",
        404 => "Not Found",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => {
            return Reply::new(status).with("content-type", "text/plain; charset=utf-8").body("Internal Server Error");
        }
    };
    Reply::json(status, &json!({ "detail": detail }))
}
