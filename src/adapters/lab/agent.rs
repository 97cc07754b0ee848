//! The reconcile agents on the VPN servers: every interval each asks Barbican over HTTP for its key, takes the first hit of
//! the name as the real one does, and applies it. One task keeps the time for all tenants.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::LabEventKind;
use super::alerts;
use super::barbican::base;
use super::http::AGENT;
use super::seed::{Tenant, base64};
use super::state::{Shared, lock};
use super::vpn::{self, AgentMode};

/// After it an agent gives up and tries at its next turn.
const TIMEOUT: Duration = Duration::from_secs(10);

/// So much of its log an agent's journal gives.
const LINES: usize = 20;

/// Runs all agents until the lab stops; their turns are spread over the interval.
pub(super) async fn run(shared: Arc<Shared>) {
    let interval = shared.options.reconcile_interval.max(Duration::from_millis(10));
    let now = Instant::now();
    let count = shared.tenants.len().max(1) as u32;
    let mut turns: BinaryHeap<Reverse<(Instant, usize)>> =
        (0..shared.tenants.len()).map(|n| Reverse((now + interval / count * (n as u32 + 1), n))).collect();
    let token = Arc::new(Mutex::new(None));
    while let Some(Reverse((at, index))) = turns.pop() {
        tokio::select! {
            () = tokio::time::sleep_until(at) => {}
            () = shared.stopped() => return,
        }
        turns.push(Reverse(((at + interval).max(Instant::now()), index)));
        let Some(tenant) = shared.tenants.get(index).cloned() else {
            continue;
        };
        let (shared, token) = (Arc::clone(&shared), Arc::clone(&token));
        tokio::spawn(async move {
            tokio::select! {
                () = turn(&shared, &tenant, &token) => {}
                () = shared.stopped() => {}
            }
        });
    }
}

/// One turn of one agent, now.
pub(super) async fn turn_now(shared: &Arc<Shared>, tenant: &Arc<Tenant>) {
    turn(shared, tenant, &Mutex::default()).await;
}

/// One turn of one agent.
async fn turn(shared: &Arc<Shared>, tenant: &Arc<Tenant>, token: &Mutex<Option<String>>) {
    // An agent is one process: while it waits for an answer it has no other turn, and never applies an older answer last.
    let Ok(_turn) = tenant.turn.try_lock() else { return };
    let mode = lock(&tenant.vpn).mode.clone();
    if mode == AgentMode::Legacy {
        return;
    }
    let fetched = fetch(shared, tenant, &mode, token).await;
    alerts::fetched(shared, tenant, fetched.is_ok());
    {
        let mut vpn = lock(&tenant.vpn);
        vpn.looks += 1;
        let log = &mut vpn.log;
        let at = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S,%3f");
        log.push_back(match &fetched {
            Ok(_) => format!("{at} INFO Configuration in sync"),
            Err(reason) => format!("{at} ERROR Failed to fetch key from Barbican: {reason}"),
        });
        log.drain(..log.len().saturating_sub(LINES));
    }
    match fetched {
        Ok(private) => {
            if let Some(public) = vpn::apply(shared, tenant, private) {
                let text = format!("agent {}: applied new key, public key {}", tenant.name, base64(&public));
                shared.tell(tenant, LabEventKind::Applied, text);
            }
        }
        Err(reason) => {
            lock(&tenant.vpn).fetch_errors += 1;
            let text = format!("BarbicanFetchError {}: {reason}", tenant.name);
            shared.tell(tenant, LabEventKind::FetchError, text);
        }
    }
}

async fn fetch(
    shared: &Shared,
    tenant: &Tenant,
    mode: &AgentMode,
    token: &Mutex<Option<String>>,
) -> Result<[u8; 32], String> {
    let client = shared.http.get().ok_or("no HTTP client")?;
    for fresh in [false, true] {
        let token = credential(shared, client, token, fresh).await?;
        let get = |url: &str| client.get(url).header("x-auth-token", &token).timeout(TIMEOUT);
        let href = match mode {
            AgentMode::Pinned(id) => super::barbican::href(shared, id),
            _ => {
                let list = format!("{}/v1/secrets?name=vpn-private-key-{}", base(shared), tenant.id);
                let answer = get(&list).header("accept", "application/json").send().await.map_err(short)?;
                match answer.status().as_u16() {
                    401 if !fresh => continue,
                    200 => {}
                    status => return Err(format!("HTTP {status} from Barbican")),
                }
                let list: Value = answer.json().await.map_err(short)?;
                let first = list["secrets"][0]["secret_ref"].as_str();
                first.ok_or("no secret of that name")?.to_owned()
            }
        };
        let answer = get(&format!("{href}/payload")).header("accept", "*/*").send().await.map_err(short)?;
        match answer.status().as_u16() {
            401 if !fresh => continue,
            200 => {}
            status => return Err(format!("HTTP {status} from Barbican")),
        }
        let payload = answer.bytes().await.map_err(short)?;
        return key(&payload).ok_or_else(|| "the payload is no key".to_owned());
    }
    Err("HTTP 401 from Barbican".to_owned())
}

/// 32 bytes as they are, or in base64 with or without a newline.
fn key(payload: &[u8]) -> Option<[u8; 32]> {
    if let Ok(raw) = payload.try_into() {
        return Some(raw);
    }
    let text = std::str::from_utf8(payload).ok()?;
    Base64::decode_vec(text.trim()).ok()?.try_into().ok()
}

/// The agents' token; all share one, as their credential is one in this lab.
async fn credential(
    shared: &Shared,
    client: &reqwest::Client,
    cached: &Mutex<Option<String>>,
    fresh: bool,
) -> Result<String, String> {
    let mut cached = cached.lock().await;
    if let (Some(token), false) = (cached.as_ref(), fresh) {
        return Ok(token.clone());
    }
    let (id, secret) = lock(&shared.keystone).agent.clone();
    let body = json!({ "auth": { "identity": {
        "methods": ["application_credential"], "application_credential": { "id": id, "secret": secret } } } });
    let url = format!("http://127.0.0.1:{}/v3/auth/tokens", shared.ports.keystone);
    let answer = client.post(url).json(&body).timeout(TIMEOUT).send().await.map_err(short)?;
    let token = answer.headers().get("x-subject-token").and_then(|t| t.to_str().ok());
    let token = token.ok_or_else(|| format!("HTTP {} from Keystone", answer.status().as_u16()))?.to_owned();
    *cached = Some(token.clone());
    Ok(token)
}

fn short(error: reqwest::Error) -> String {
    let what = if error.is_timeout() { "timeout" } else { "connection failed" };
    format!("{what} at Barbican")
}

/// The HTTP client of the agents: plain HTTP, no proxy, and no certificates to load.
pub(super) fn client() -> Result<reqwest::Client, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .user_agent(AGENT)
        .build()
        .map_err(|e| e.to_string())
}
