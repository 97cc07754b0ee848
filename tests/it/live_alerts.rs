//! The adapter against a real Alertmanager with TLS and a password, which `tests/live/alerts` starts: what the lab's does
//! too, and what only a real one can show.

use changeguard::adapters::PasswordSource;
use changeguard::adapters::alerts::{Alertmanager, AlertsParameters, Login};
use changeguard::domain::fault::FaultKind;
use changeguard::domain::tenant::{Tenant, TenantId};
use changeguard::engine::alerts::Alerts;
use changeguard::engine::ports::Unfenced;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// alerts.json, which `tests/live/alerts` writes beside live.json.
fn described() -> Value {
    let path = PathBuf::from(std::env::var("LIVE_JSON").expect("LIVE_JSON: run tests/live/run"));
    serde_json::from_str(&std::fs::read_to_string(path.with_file_name("alerts.json")).unwrap()).unwrap()
}

fn text<'a>(live: &'a Value, field: &str) -> &'a str {
    live[field].as_str().unwrap()
}

fn parameters(live: &Value) -> AlertsParameters {
    let password = PasswordSource::File(text(live, "password_file").into());
    AlertsParameters {
        url: text(live, "url").into(),
        alertname: "BarbicanFetchError".into(),
        tenant_label: "tenant".into(),
        tenant_value: "{tenant_name}".into(),
        silence: Duration::from_secs(600),
        login: Login::Basic { user: text(live, "user").into(), password },
        ca_file: Some(text(live, "authority").into()),
        connect: Duration::from_secs(2),
        read: Duration::from_secs(5),
        transport: Default::default(),
    }
}

fn alerts(parameters: AlertsParameters, tenant: &str) -> impl Alerts {
    let tenant = Tenant { id: TenantId::new("t1").unwrap(), name: tenant.into(), server: None, gateway: None };
    Alertmanager::new(parameters).unwrap().of(&tenant, Arc::new(Unfenced))
}

/// Lets the alert of a tenant fire, as Prometheus does.
async fn fire(live: &Value, tenant: &str) {
    let authority = reqwest::Certificate::from_pem(&std::fs::read(text(live, "authority")).unwrap()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([authority]).no_proxy().build().unwrap();
    let body = json!([{ "labels": { "alertname": "BarbicanFetchError", "tenant": tenant, "severity": "warning" } }]);
    let password = std::fs::read_to_string(text(live, "password_file")).unwrap();
    let request = client.post(format!("{}/api/v2/alerts", text(live, "url"))).body(body.to_string());
    let request = request.header("content-type", "application/json");
    let answer = request.basic_auth(text(live, "user"), Some(password.trim())).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
}

fn until(seconds: i64) -> Timestamp {
    Timestamp::now().checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

fn service(what: &str) {
    let folder = PathBuf::from(std::env::var("LIVE_JSON").unwrap());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/service");
    let mut command = std::process::Command::new(script);
    let done = command.args(["alerts", what]).env("LIVE_DIR", folder.parent().unwrap()).status().unwrap();
    assert!(done.success(), "{what}");
}

#[tokio::test]
#[ignore = "needs tests/live"]
async fn live_alerts_are_silenced_extended_and_ended_for_one_tenant_also_where_alertmanager_was_killed() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let live = described();
    // Names of this run: what an earlier one has left fires for minutes.
    let (a, b) = (format!("a\"{}\\", Timestamp::now()), format!("b {}", Timestamp::now()));
    fire(&live, &a).await;
    fire(&live, &b).await;
    let (ours, theirs) = (alerts(parameters(&live), &a), alerts(parameters(&live), &b));
    let quiet = |firing: Vec<changeguard::engine::alerts::Firing>| -> Vec<bool> {
        firing.into_iter().map(|firing| firing.is_silenced).collect()
    };
    assert_eq!(quiet(ours.firing().await.unwrap()), [false]);
    let first = ours.silence("one", None, until(60)).await.unwrap();
    assert_eq!(quiet(ours.firing().await.unwrap()), [true]);
    assert_eq!(quiet(theirs.firing().await.unwrap()), [false]);
    let longer = ours.silence("one", Some(&first.id), until(120)).await.unwrap();
    assert_eq!(longer.id, first.id, "extended under its id");
    let own = ours.own("one").await.unwrap();
    assert!(own.len() == 1 && own[0].until > until(90), "{own:?}");
    assert!(theirs.own("one").await.unwrap().is_empty());
    assert_eq!(ours.silence("one", None, until(180)).await.unwrap().id, first.id, "found again");
    ours.end(&first.id).await.unwrap();
    ours.end(&first.id).await.unwrap();
    assert_eq!(quiet(ours.firing().await.unwrap()), [false]);
    assert!(ours.own("one").await.unwrap().is_empty());
    let young = ours.silence("one", None, until(60)).await.unwrap();
    service("kill");
    let down = ours.firing().await.unwrap_err();
    assert!(matches!(down.kind, FaultKind::Unreachable | FaultKind::Reset), "{down}");
    service("start");
    assert!(ours.own("one").await.unwrap().is_empty(), "it lived in memory");
    ours.end(&young.id).await.unwrap();
    let anew = ours.silence("one", Some(&young.id), until(60)).await.unwrap();
    assert_ne!(anew.id, young.id);
    ours.end(&anew.id).await.unwrap();
}

#[tokio::test]
#[ignore = "needs tests/live"]
async fn live_alerts_are_not_asked_without_the_password_or_the_authority() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let live = described();
    let nobody = alerts(AlertsParameters { login: Login::None, ..parameters(&live) }, "acme");
    assert_eq!(nobody.firing().await.unwrap_err().kind, FaultKind::Unauthorized);
    assert_eq!(nobody.silence("x", None, until(60)).await.unwrap_err().kind, FaultKind::Unauthorized);
    let wrong = alerts(AlertsParameters { ca_file: None, ..parameters(&live) }, "acme");
    assert_eq!(wrong.firing().await.unwrap_err().kind, FaultKind::Tls);
}
