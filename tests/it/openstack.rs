//! The OpenStack and console adapters against the embedded lab: what the real services were seen to do,
//! and every way in which they fail.

#![allow(clippy::unwrap_used)] // clippy takes only functions marked #[test] for tests

use changeguard::adapters::console::{Console, ConsoleParameters};
use changeguard::adapters::lab::{Fault as Trouble, Lab, LabOptions, Loss, Rule, Service as Server, Which};
use changeguard::adapters::openstack::{CloudParameters, OpenStack, between_pairs};
use changeguard::config;
use changeguard::config::clouds::{self, Environment};
use changeguard::domain::fault::{FaultKind, Service};
use changeguard::domain::secret_shape::SecretShape;
use changeguard::domain::tenant::TenantId;
use changeguard::engine::ports::{
    Console as _, NewSecret, SecretEntry, SecretRef, SecretStore, StoredObject, Swap, SwapOrder, Unfenced, Ungated,
};
use changeguard::engine::secret::SecretBytes;
use changeguard::runtime::cloud;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const OBJECT: &str = "config/vpn-users.json";

/// Short enough that a test of a hanging service is quick, long enough for a busy machine.
const READ: Duration = Duration::from_millis(700);

struct Place {
    lab: Lab,
    cloud: OpenStack,
    folder: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lab = Lab::start(LabOptions {
            tenants: 2,
            clients: 3,
            console: true,
            ..LabOptions::still(folder.path(), "changeguard")
        })
        .await
        .unwrap();
        let cloud = connect(folder.path(), "lab", |_| {});
        Self { lab, cloud, folder }
    }

    fn secrets(&self) -> std::sync::Arc<dyn SecretStore> {
        self.cloud.secrets(Arc::new(Unfenced))
    }

    fn count(&self, server: Server, method: &str) -> u64 {
        self.lab.world().count(server, method)
    }

    fn trouble(&self, rule: Rule) {
        self.lab.faults().add(rule);
    }

    /// A secret of this name with a payload, as somebody else stored it.
    fn stored(&self, name: &str) -> SecretRef {
        self.lab.world().add_secret(name, "application/octet-stream", Some(b"old"));
        let secrets = self.lab.world().secrets(name);
        SecretRef(self.lab.world().href(&secrets[0]))
    }
}

fn connect(folder: &std::path::Path, name: &str, change: impl FnOnce(&mut CloudParameters)) -> OpenStack {
    let environment =
        Environment { file: Some("clouds.yaml".into()), directory: folder.into(), variables: BTreeMap::new() };
    let limits = config::Cloud { read_timeout: READ, upload_timeout: READ, ..config::Cloud::default() };
    let mut parameters = cloud::parameters(clouds::read(&environment, name).unwrap(), &limits);
    change(&mut parameters);
    OpenStack::new(parameters).unwrap()
}

fn new_secret(name: &str, payload: &[u8]) -> NewSecret {
    NewSecret { name: name.into(), payload: SecretBytes::new(payload.to_vec()), shape: SecretShape::default() }
}

async fn swap(place: &Place, old: &SecretRef, order: SwapOrder) -> Swap {
    place.secrets().swap(old, new_secret("key", b"new"), order, &Ungated).await
}

async fn payloads(place: &Place, name: &str) -> Vec<Vec<u8>> {
    let found = place.secrets().find(name).await.unwrap();
    join_all(found.iter().map(|entry| async {
        let secrets = place.secrets();
        secrets.payload(&entry.href).await.unwrap().expose().to_vec()
    }))
    .await
}

fn kind<T>(outcome: Result<T, changeguard::domain::fault::Fault>) -> FaultKind {
    outcome.map(drop).unwrap_err().kind
}

#[tokio::test]
async fn names_are_compared_byte_by_byte_although_the_filter_is_like_without_case() {
    let place = Place::new().await;
    for name in ["key_1", "keyX1", "KEY_1", "key_1 "] {
        place.lab.world().add_secret(name, "text/plain", Some(b"x"));
    }
    let found = place.secrets().find("key_1").await.unwrap();
    assert_eq!(found.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["key_1"]);
    for name in ["a+b", "a%", "a\\b", ""] {
        assert_eq!(kind(place.secrets().find(name).await), FaultKind::Invalid, "{name:?}");
    }
}

#[tokio::test]
async fn every_page_is_read() {
    let place = Place::new().await;
    for _ in 0..225 {
        place.lab.world().add_secret("many", "text/plain", Some(b"x"));
    }
    place.lab.world().add_secret("empty", "", None);
    assert_eq!(place.secrets().find("many").await.unwrap().len(), 225);
    assert!(matches!(place.secrets().find("empty").await.unwrap()[..], [SecretEntry { has_payload: false, .. }]));
    assert_eq!(place.secrets().probe().await.unwrap().secrets, place.lab.world().secrets("").len() as u64);
}

#[tokio::test]
async fn a_secret_without_a_payload_is_told_as_such() {
    let place = Place::new().await;
    place.lab.world().add_secret("empty", "", None);
    let empty = place.secrets().find("empty").await.unwrap().remove(0);
    let fault = place.secrets().payload(&empty.href).await.unwrap_err();
    assert!(fault.message.contains("stored without one"), "{}", fault.message);
    assert!(place.secrets().shape(&empty.href).await.is_ok());
}

#[tokio::test]
async fn both_content_types_come_back_with_everything_that_hangs_on_the_secret() {
    let place = Place::new().await;
    for (content_type, payload) in [("text/plain", &b"cGxhaW4="[..]), ("application/octet-stream", b"b2N0ZXQ=\n")] {
        let world = place.lab.world();
        let id = world.add_secret("old", content_type, Some(payload));
        world.edit_secret(&id, |secret| {
            secret.acl = serde_json::from_str(
                r#"{"read": {"users": ["u2", "u1"], "project-access": false, "created": "2026-01-01T00:00:00"}}"#,
            )
            .ok();
            secret.metadata = [("owner".to_owned(), "vpn".to_owned())].into();
            secret.consumers =
                vec![serde_json::from_str(r#"{"service": "s", "resource_type": "t", "resource_id": "r"}"#).unwrap()];
            secret.algorithm = (Some("aes".into()), Some(128), None);
        });
        let secrets = place.secrets();
        let old = secrets.find("old").await.unwrap().remove(0);
        let shape = secrets.shape(&old.href).await.unwrap();
        assert_eq!((shape.content_type.as_str(), shape.trailing_newline), (content_type, payload.ends_with(b"\n")));
        assert_eq!(shape.acl.as_deref(), Some(r#"{"read":{"users":["u1","u2"],"project-access":false}}"#));
        let copy = NewSecret { name: "copy".into(), payload: SecretBytes::new(payload.to_vec()), shape: shape.clone() };
        let href = secrets.store(&copy).await.unwrap();
        assert_eq!(secrets.attach(&href, &shape).await, Vec::<String>::new());
        assert_eq!(secrets.shape(&href).await.unwrap(), shape);
        assert_eq!(secrets.payload(&href).await.unwrap().expose(), payload);
        world.remove_secret(&id);
    }
}

#[tokio::test]
async fn an_attachment_that_can_not_be_set_is_one_line_and_stops_nothing() {
    let place = Place::new().await;
    let href = place.stored("key");
    let shape = SecretShape {
        acl: Some(r#"{"read":{"users":["u"],"project-access":false}}"#.into()),
        metadata: [("a".to_owned(), "b".to_owned())].into(),
        ..SecretShape::default()
    };
    place.trouble(Rule::new(Server::Barbican, Trouble::Status(403)).path("/acl"));
    let failed = place.secrets().attach(&href, &shape).await;
    assert!(matches!(&failed[..], [line] if line.starts_with("set the access control list: 403")), "{failed:?}");
    assert_eq!(place.lab.world().secrets("key")[0].metadata["a"], "b");
}

#[tokio::test]
async fn the_pair_is_one_delete_and_one_post_and_its_gap_is_measured() {
    let place = Place::new().await;
    let old = place.stored("key");
    let swap = swap(&place, &old, SwapOrder::DeleteFirst).await;
    assert!(swap.deleted.is_ok());
    assert!(swap.gap.is_some_and(|gap| !gap.is_zero()));
    let found = place.secrets().find("key").await.unwrap();
    assert_eq!(found[0].href, swap.stored.unwrap().unwrap());
    assert_eq!(payloads(&place, "key").await, [b"new"]);
    assert_eq!((place.count(Server::Barbican, "DELETE"), place.count(Server::Barbican, "POST")), (1, 1));
}

#[tokio::test]
async fn store_first_has_no_moment_without_a_secret() {
    let place = Place::new().await;
    let old = place.stored("key");
    let swap = swap(&place, &old, SwapOrder::StoreFirst).await;
    assert!(swap.deleted.is_ok() && swap.stored.is_some_and(|stored| stored.is_ok()));
    assert_eq!(swap.gap, Some(Duration::ZERO));
    let requests = place.lab.faults().requests(Server::Barbican);
    let methods: Vec<_> = requests.iter().map(|r| r.method.as_str()).filter(|m| *m != "GET").collect();
    assert_eq!(methods, ["POST", "DELETE"]);
}

#[tokio::test]
async fn store_first_keeps_the_old_secret_if_the_new_one_is_refused() {
    let place = Place::new().await;
    let old = place.stored("key");
    place.lab.world().set_secret_quota(Some(0));
    let swap = swap(&place, &old, SwapOrder::StoreFirst).await;
    assert_eq!(kind(swap.stored.unwrap()), FaultKind::Quota);
    assert_eq!(kind(swap.deleted), FaultKind::Refused);
    assert_eq!(payloads(&place, "key").await, [b"old"]);
}

#[tokio::test]
async fn after_a_delete_whose_answer_is_lost_nothing_is_stored() {
    for (trouble, wanted) in [
        (Trouble::LoseAnswer(Loss::Close), FaultKind::Reset),
        (Trouble::LoseAnswer(Loss::Hang), FaultKind::TimedOut),
        (Trouble::Status(500), FaultKind::ServerError(500)),
        (Trouble::Status(403), FaultKind::Forbidden),
    ] {
        let place = Place::new().await;
        let old = place.stored("key");
        place.trouble(Rule::new(Server::Barbican, trouble).method("DELETE"));
        let swap = swap(&place, &old, SwapOrder::DeleteFirst).await;
        assert_eq!(kind(swap.deleted), wanted, "{trouble:?}");
        assert!(swap.stored.is_none() && swap.gap.is_none());
        assert_eq!(place.count(Server::Barbican, "POST"), 0);
    }
}

#[tokio::test]
async fn a_token_that_is_revoked_between_the_two_halves_is_replaced_and_nothing_is_deleted_twice() {
    for method in ["POST", "DELETE"] {
        let place = Place::new().await;
        let old = place.stored("key");
        place.trouble(Rule::new(Server::Barbican, Trouble::Status(401)).method(method));
        let swap = swap(&place, &old, SwapOrder::DeleteFirst).await;
        assert!(swap.deleted.is_ok() && swap.stored.is_some_and(|stored| stored.is_ok()), "{method}");
        assert_eq!(payloads(&place, "key").await, [b"new"]);
        assert_eq!(place.count(Server::Keystone, "POST"), 2);
        let counts = (place.count(Server::Barbican, "DELETE"), place.count(Server::Barbican, "POST"));
        assert_eq!(counts, if method == "POST" { (1, 2) } else { (2, 1) });
    }
}

#[tokio::test]
async fn a_secret_that_was_gone_already_is_replaced_all_the_same() {
    let place = Place::new().await;
    let old = place.stored("key");
    place.secrets().delete(&old).await.unwrap();
    place.secrets().delete(&old).await.unwrap();
    let swap = swap(&place, &old, SwapOrder::DeleteFirst).await;
    assert!(swap.deleted.is_ok() && swap.stored.unwrap().is_ok());
}

#[tokio::test]
async fn a_post_that_fails_is_told_as_it_was() {
    for (trouble, wanted) in [
        (Trouble::Status(500), FaultKind::ServerError(500)),
        (Trouble::Status(409), FaultKind::Conflict),
        (Trouble::LoseAnswer(Loss::Hang), FaultKind::TimedOut),
        (Trouble::ResetMidBody, FaultKind::Reset),
    ] {
        let place = Place::new().await;
        let old = place.stored("key");
        place.trouble(Rule::new(Server::Barbican, trouble).method("POST"));
        let swap = swap(&place, &old, SwapOrder::DeleteFirst).await;
        assert!(swap.deleted.is_ok() && swap.gap.is_none());
        assert_eq!(kind(swap.stored.unwrap()), wanted, "{trouble:?}");
        assert_eq!(place.count(Server::Barbican, "POST"), 1);
    }
}

#[tokio::test]
async fn a_dropped_caller_does_not_stop_the_pair() {
    let place = Place::new().await;
    let old = place.stored("key");
    place.lab.world().set_latency(Server::Barbican, Duration::from_millis(50));
    let deleting = place.lab.world().until(Duration::from_secs(10), |lab| lab.count(Server::Barbican, "DELETE") == 1);
    tokio::select! {
        _ = swap(&place, &old, SwapOrder::DeleteFirst) => panic!("the pair was over before its DELETE was seen"),
        seen = deleting => assert!(seen),
    }
    drop(between_pairs().await);
    assert_eq!(payloads(&place, "key").await, [b"new"]);
}

#[tokio::test]
async fn tokens_that_live_too_short_for_the_pair_delete_nothing() {
    let place = Place::new().await;
    let old = place.stored("key");
    place.lab.world().set_token_lifetime(Duration::from_secs(2));
    let swap = swap(&place, &old, SwapOrder::DeleteFirst).await;
    assert_eq!(kind(swap.deleted), FaultKind::Refused);
    assert_eq!(place.count(Server::Barbican, "DELETE"), 0);
}

#[tokio::test]
async fn consumers_that_are_not_known_stop_a_delete_and_known_ones_are_carried_over() {
    let place = Place::new().await;
    let old = place.stored("key");
    let id = place.lab.world().secrets("key")[0].id.clone();
    let consumer = r#"{"service":"s","resource_type":"t","resource_id":"r"}"#;
    place.lab.world().edit_secret(&id, |secret| secret.consumers = vec![serde_json::from_str(consumer).unwrap()]);
    assert_eq!(kind(place.secrets().delete(&old).await), FaultKind::Refused);
    assert_eq!(kind(swap(&place, &old, SwapOrder::DeleteFirst).await.deleted), FaultKind::Refused);
    let shape = place.secrets().shape(&old).await.unwrap();
    let new = NewSecret { shape, ..new_secret("key", b"new") };
    let swap = place.secrets().swap(&old, new, SwapOrder::DeleteFirst, &Ungated).await;
    assert!(swap.deleted.is_ok() && swap.stored.unwrap().is_ok());
}

#[tokio::test]
async fn a_service_that_hangs_breaks_off_or_is_not_there_ends_in_the_fault_that_it_is() {
    let place = Place::new().await;
    let secrets = place.secrets();
    secrets.probe().await.unwrap();
    for (trouble, wanted) in [
        (Trouble::Hang, FaultKind::TimedOut),
        (Trouble::ResetMidBody, FaultKind::Reset),
        (Trouble::Close, FaultKind::Reset),
        (Trouble::Status(503), FaultKind::ServerError(503)),
        (Trouble::Status(429), FaultKind::TooMany),
    ] {
        place.trouble(Rule::new(Server::Barbican, trouble));
        assert_eq!(kind(secrets.probe().await), wanted, "{trouble:?}");
    }
    place.lab.world().set_down(Server::Barbican, true);
    let outcome = kind(secrets.probe().await);
    assert!(matches!(outcome, FaultKind::Unreachable | FaultKind::Reset), "{outcome:?}");
}

#[tokio::test]
async fn nobody_there_and_no_tls_there_are_two_faults() {
    let place = Place::new().await;
    let ports = place.lab.world().ports();
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (url, wanted) in [
        (format!("http://127.0.0.1:{unused}"), FaultKind::Unreachable),
        (format!("https://127.0.0.1:{}", ports.keystone), FaultKind::Tls),
    ] {
        let cloud = connect(place.folder.path(), "lab", |parameters| parameters.auth_url = url);
        let fault = cloud.credentials().probe().await.unwrap_err();
        assert_eq!((fault.service, fault.kind), (Service::Keystone, wanted), "{}", fault.message);
    }
}

#[tokio::test]
async fn a_full_quota_and_a_missing_role_are_two_faults() {
    let place = Place::new().await;
    place.lab.world().set_secret_quota(Some(0));
    assert_eq!(kind(place.secrets().store(&new_secret("a", b"x")).await), FaultKind::Quota);
    place.trouble(Rule::new(Server::Barbican, Trouble::Status(403)));
    assert_eq!(kind(place.secrets().store(&new_secret("a", b"x")).await), FaultKind::Forbidden);
}

#[tokio::test]
async fn concurrent_callers_share_one_authentication_and_one_failure() {
    let place = Place::new().await;
    let secrets = place.secrets();
    place.trouble(Rule::new(Server::Keystone, Trouble::Status(503)).method("POST"));
    let outcomes = join_all((0..20).map(|_| secrets.probe())).await;
    assert!(outcomes.into_iter().all(|outcome| kind(outcome) == FaultKind::ServerError(503)));
    assert_eq!(place.count(Server::Keystone, "POST"), 1);
    let outcomes = join_all((0..20).map(|_| secrets.probe())).await;
    assert!(outcomes.into_iter().all(|outcome| outcome.is_ok()));
    assert_eq!(place.count(Server::Keystone, "POST"), 2);
    place.lab.world().revoke_tokens();
    let outcomes = join_all((0..20).map(|_| secrets.probe())).await;
    assert!(outcomes.into_iter().all(|outcome| outcome.is_ok()));
    assert_eq!(place.count(Server::Keystone, "POST"), 3);
}

#[tokio::test]
async fn the_probe_of_the_credentials_takes_a_token_of_this_minute_for_proof() {
    let place = Place::new().await;
    for name in ["lab", "lab-appcred"] {
        let cloud = connect(place.folder.path(), name, |_| {});
        let before = place.count(Server::Keystone, "POST");
        let report = cloud.credentials().probe().await.unwrap();
        cloud.credentials().probe().await.unwrap();
        assert_eq!(place.count(Server::Keystone, "POST"), before + 1);
        assert_eq!(report.project, "ops");
        assert!(report.skew_s.abs() <= 1 && report.expires > jiff::Timestamp::now());
        assert!(cloud.secrets(Arc::new(Unfenced)).probe().await.is_ok());
    }
}

#[tokio::test]
async fn a_missing_container_and_a_missing_object_are_two_faults() {
    let place = Place::new().await;
    let tenant = place.lab.world().tenants().remove(0);
    let fault = place.cloud.object(&tenant.id, "config/other.json", Arc::new(Unfenced)).get().await.unwrap_err();
    assert_eq!((fault.service, &fault.kind), (Service::Swift, &FaultKind::NotFound));
    assert!(fault.message.contains("holds no object"), "{}", fault.message);
    let fault = place.cloud.object("nobody", OBJECT, Arc::new(Unfenced)).etag().await.unwrap_err();
    assert!(fault.message.contains("there is no container nobody"), "{}", fault.message);
    assert!(!place.cloud.container_holds_object("nobody", OBJECT).await.unwrap());
}

#[tokio::test]
async fn an_object_is_written_back_with_its_type_and_its_metadata() {
    let place = Place::new().await;
    let tenant = place.lab.world().tenants().remove(0);
    let object = place.cloud.object(&tenant.id, OBJECT, Arc::new(Unfenced));
    let mut read = object.get().await.unwrap();
    assert_eq!(Some(read.bytes.clone()), place.lab.world().object(&tenant.id, OBJECT));
    read.bytes.push(b'\n');
    read.metadata.push(("x-object-meta-owner".into(), "iaas-api".into()));
    object.put(&read).await.unwrap();
    let again = object.get().await.unwrap();
    assert_eq!((&again.bytes, &again.content_type, &again.metadata), (&read.bytes, &read.content_type, &read.metadata));
    assert_ne!(again.etag, read.etag);
    assert_eq!(object.etag().await.unwrap(), again.etag);
    assert_eq!(kind(object.put(&StoredObject { bytes: vec![], ..again }).await), FaultKind::Refused);
}

#[tokio::test]
async fn discovery_finds_the_projects_whose_container_holds_the_object() {
    let place = Place::new().await;
    let known = place.lab.world().tenants();
    let found = place.cloud.tenants("{tenant_id}", OBJECT).await.unwrap();
    let ids = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    let found_ids = ids(found.iter().map(|tenant| tenant.id.as_str()).collect());
    assert_eq!(found_ids, ids(known.iter().map(|tenant| tenant.id.as_str()).collect()));
    place.trouble(Rule::new(Server::Swift, Trouble::Status(503)));
    assert_eq!(kind(place.cloud.tenants("{tenant_id}", OBJECT).await), FaultKind::ServerError(503));
}

#[tokio::test]
async fn discovery_without_the_right_to_list_projects_says_so_instead_of_finding_nobody() {
    let place = Place::new().await;
    for tenant in place.lab.world().tenants() {
        place.lab.world().remove_object(&tenant.id, None);
    }
    let cloud = connect(place.folder.path(), "lab-appcred", |_| {});
    assert_eq!(kind(cloud.tenants("{tenant_id}", OBJECT).await), FaultKind::Forbidden);
    assert_eq!(place.cloud.tenants("{tenant_id}", OBJECT).await, Ok(vec![]));
}

#[tokio::test]
async fn an_older_barbican_that_does_not_know_the_version_is_asked_without_it() {
    let place = Place::new().await;
    let old = place.stored("key");
    place.trouble(Rule::new(Server::Barbican, Trouble::Status(406)).which(Which::First(4)));
    let swap = swap(&place, &old, SwapOrder::DeleteFirst).await;
    assert!(swap.deleted.is_ok() && swap.stored.unwrap().is_ok());
    let requests = place.lab.faults().requests(Server::Barbican);
    assert_eq!(requests.iter().filter(|request| request.method == "GET").count(), 6);
}

#[tokio::test]
async fn the_console_api_tells_users_and_the_key_that_it_serves() {
    let place = Place::new().await;
    let tenant = place.lab.world().tenants().remove(0);
    let console = Console::new(ConsoleParameters {
        url: format!("http://127.0.0.1:{}/api", place.lab.world().ports().console),
        token_file: place.folder.path().join("console-token"),
        is_private: changeguard::config::Console::is_private,
        role: "operator".into(),
        ca_file: None,
        connect: READ,
        read: READ,
        transport: Default::default(),
    })
    .unwrap();
    assert_eq!(console.probe().await.unwrap().name, "operator");
    let users = console.users(&TenantId::new(tenant.id.clone()).unwrap()).await.unwrap();
    assert_eq!(users.len(), tenant.people.len());
    assert_eq!(users[0].email.as_deref(), Some(tenant.people[0].email.as_str()));
    let key = console.served_key(&users[0].id).await.unwrap();
    assert_eq!(key.to_string(), place.lab.world().server(&tenant.name).unwrap().public_key);
    assert_eq!(kind(console.served_key("nobody").await), FaultKind::NotFound);
    place.trouble(Rule::new(Server::Console, Trouble::Hang));
    assert_eq!(kind(console.probe().await), FaultKind::TimedOut);
}
