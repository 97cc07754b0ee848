//! Converge from every start state and through every fault: it ends with exactly one secret that holds the wanted key, or
//! says what is safe; and calling it again, once the fault is gone, always gets there.

use crate::sample;
use crate::scene::Scene;
use changeguard::adapters::lab::{Fault as LabFault, Loss, Rule, Service, Which};
use changeguard::domain::secret_shape::SecretShape;
use changeguard::engine::command::Command;
use changeguard::engine::converge_secret::{Wanted, converge};
use changeguard::engine::ports::{SwapOrder, Ungated, World};
use changeguard::engine::secret::{PrivateKey, SecretBytes};
use changeguard::engine::{converge_object, converge_secret};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

fn payload(byte: u8) -> SecretBytes {
    PrivateKey::from_random([byte; 32]).to_payload(false)
}

async fn to_wanted(world: &World) -> Result<converge_secret::Converged, changeguard::domain::fault::Fault> {
    let (payload, shape) = (payload(9), SecretShape::default());
    let public_key = PrivateKey::from_payload(&payload).unwrap().public();
    let name = world.settings.secret_name.clone();
    converge(world, &Wanted { name: &name, public_key, payload: &payload, shape: &shape, touch: &Ungated, seen: None })
        .await
}

fn is_wanted(scene: &Scene) -> bool {
    let found = scene.lab.world().secrets(&scene.secret_name());
    let wanted = PrivateKey::from_payload(&payload(9)).unwrap().public();
    let key = |bytes: &Vec<u8>| PrivateKey::from_payload(&SecretBytes::new(bytes.clone())).map(|key| key.public());
    found.len() == 1 && found[0].payload.as_ref().and_then(key) == Some(wanted)
}

/// Puts Barbican into a start state: a list of payload bytes, each with or without a trailing newline.
fn set(scene: &Scene, state: &[(u8, bool)]) {
    let world = scene.lab.world();
    for secret in world.secrets(&scene.secret_name()) {
        world.remove_secret(&secret.id);
    }
    for (byte, newline) in state {
        let text = PrivateKey::from_random([*byte; 32]).to_payload(*newline);
        world.add_secret(&scene.secret_name(), "application/octet-stream", Some(text.expose()));
    }
    // A neighbour that SQL LIKE would match, but no eye.
    let neighbour = scene.secret_name().replacen("vpn-private", "vpn_private", 1);
    world.add_secret(&neighbour, "text/plain", Some(b"not ours"));
}

const STATES: &[(&str, &[(u8, bool)])] = &[
    ("none", &[]),
    ("the wanted one", &[(9, false)]),
    ("the wanted one with a newline", &[(9, true)]),
    ("another", &[(1, false)]),
    ("another with a newline", &[(1, true)]),
    ("two others", &[(1, false), (2, false)]),
    ("the wanted one and others", &[(1, false), (9, false), (2, true)]),
    ("the wanted one twice", &[(9, false), (9, false)]),
    ("twelve, more than a page", &[(1, false); 12]),
];

#[tokio::test]
async fn from_every_start_state_in_both_orders_there_is_one_secret_with_the_wanted_key() {
    for order in [SwapOrder::DeleteFirst, SwapOrder::StoreFirst] {
        let scene = Scene::start().await;
        let mut world = scene.world();
        world.settings.swap = order;
        for (name, state) in STATES {
            set(&scene, state);
            to_wanted(&world).await.unwrap_or_else(|fault| panic!("{order:?} {name}: {fault}"));
            assert!(is_wanted(&scene), "{order:?} from {name}");
            let neighbour = scene.secret_name().replacen("vpn-private", "vpn_private", 1);
            assert!(!scene.lab.world().secrets(&neighbour).is_empty(), "a neighbour is never touched");
        }
    }
}

#[tokio::test]
async fn payloads_without_a_key_are_replaced_too() {
    let scene = Scene::start().await;
    set(&scene, &[]);
    scene.lab.world().add_secret(&scene.secret_name(), "text/plain", Some(b"garbage"));
    scene.lab.world().add_secret(&scene.secret_name(), "text/plain", None);
    to_wanted(&scene.world()).await.unwrap();
    assert!(is_wanted(&scene));
}

/// Each call in a test of its own, so that they are walked side by side.
mod through_every_fault_the_second_try_gets_there_and_no_key_is_doubled {
    use super::walk;

    #[tokio::test]
    async fn at_the_first_read() {
        walk("GET", 1).await;
    }

    #[tokio::test]
    async fn at_a_later_read() {
        walk("GET", 3).await;
    }

    #[tokio::test]
    async fn at_the_first_delete() {
        walk("DELETE", 1).await;
    }

    #[tokio::test]
    async fn at_the_second_delete() {
        walk("DELETE", 2).await;
    }

    #[tokio::test]
    async fn at_the_store() {
        walk("POST", 1).await;
    }
}

async fn walk(method: &str, nth: u64) {
    let scene = Scene::start().await;
    let world = scene.world();
    let faults = [
        LabFault::Status(401),
        LabFault::Status(403),
        LabFault::Status(404),
        LabFault::Status(409),
        LabFault::Status(429),
        LabFault::Status(500),
        LabFault::Status(503),
        LabFault::Close,
        LabFault::ResetMidBody,
        LabFault::Hang,
        LabFault::LoseAnswer(Loss::Close),
        LabFault::LoseAnswer(Loss::Hang),
        LabFault::ApplyLate(Duration::from_millis(900)),
    ];
    let (mut walked, mut at_once) = (0, 0);
    let one = [&[(1, false)][..], &[(1, false), (2, false)]];
    let all: Vec<_> = one.into_iter().flat_map(|state| faults.map(|fault| (state, fault))).collect();
    for (state, fault) in sample::chosen(&format!("faults of a converge at {method} {nth}"), all, 8) {
        set(&scene, state);
        let what = format!("{fault:?} at {method} {nth} from {} secrets", state.len());
        let id = scene.lab.faults().add(Rule::new(Service::Barbican, fault).method(method).nth(nth));
        let first = to_wanted(&world).await;
        scene.lab.faults().remove(id);
        walked += 1;
        match first {
            Ok(_) => at_once += 1,
            Err(fault) => assert!(!fault.advice().is_empty() && !fault.message.is_empty(), "{what}: {fault}"),
        }
        // Whatever is still under way inside lands before the last word is spoken.
        scene.lab.world().until(Duration::from_secs(5), |lab| lab.in_flight() == 0).await;
        let second = to_wanted(&world).await;
        assert!(second.is_ok() && is_wanted(&scene), "{what}: {second:?}");
    }
    println!("{method} {nth}: {walked} fault points walked, {at_once} ended well at the first try");
}

#[tokio::test]
async fn a_deleted_secret_whose_store_is_refused_is_called_missing_and_the_same_key_is_stored_later() {
    let scene = Scene::start().await;
    set(&scene, &[(1, false)]);
    let id = scene.lab.faults().add(Rule::new(Service::Barbican, LabFault::Status(403)).method("POST").always());
    let fault = to_wanted(&scene.world()).await.unwrap_err();
    assert!(fault.advice().contains("SECRET MISSING"), "{}", fault.advice());
    assert!(scene.lab.world().secrets(&scene.secret_name()).is_empty());
    scene.lab.faults().remove(id);
    to_wanted(&scene.world()).await.unwrap();
    assert!(is_wanted(&scene));
}

#[tokio::test]
async fn each_wrong_object_has_its_own_message_and_is_not_overwritten() {
    let scene = Scene::start().await;
    let (world, lab) = (scene.world(), scene.lab.world());
    let container = scene.acme().tenant().id.to_string();
    let key = PrivateKey::from_random([5; 32]).public();
    let good = scene.object();
    let mut messages = Vec::new();
    for wrong in [&b"{ not json"[..], b"[1, 2]", b"{\"users\": []}", b"\xff\xfe", b""] {
        lab.put_object(&container, "config/vpn-users.json", wrong);
        let fault = converge_object::converge(&world, key).await.unwrap_err();
        assert_eq!(scene.object(), wrong, "left as it was");
        messages.push(format!("{} / {}", fault.message, fault.advice()));
    }
    lab.remove_object(&container, Some("config/vpn-users.json"));
    messages.push(converge_object::converge(&world, key).await.unwrap_err().message);
    lab.remove_object(&container, None);
    messages.push(converge_object::converge(&world, key).await.unwrap_err().message);
    let mut different = messages.clone();
    different.sort();
    different.dedup();
    assert!(different.len() >= messages.len() - 1, "{messages:#?}");
    lab.put_object(&container, "config/vpn-users.json", &good);
    let done = converge_object::converge(&world, key).await.unwrap();
    assert!(done.changed);
    assert!(!converge_object::converge(&world, key).await.unwrap().changed, "already right: nothing is uploaded");
}

#[tokio::test]
async fn ten_thousand_users_and_every_byte_around_the_key_stay() {
    let scene = Scene::start().await;
    let container = scene.acme().tenant().id.to_string();
    let users: Vec<String> = (0..10_000).map(|n| format!("{{\"id\": \"u{n}\", \"n\": {n}.50, \"x\": null}}")).collect();
    let before = format!("{{\"users\": [{}],\n \"vpn_server_public_key\": \"old\" }}", users.join(",\n"));
    scene.lab.world().put_object(&container, "config/vpn-users.json", before.as_bytes());
    let key = PrivateKey::from_random([5; 32]).public();
    converge_object::converge(&scene.world(), key).await.unwrap();
    let after = String::from_utf8(scene.object()).unwrap();
    assert_eq!(after, before.replace("\"old\"", &format!("\"{key}\"")));
}

#[tokio::test]
async fn through_every_fault_at_every_call_the_object_ends_right() {
    let scene = Scene::start().await;
    let world = scene.world();
    let mut byte = 20;
    for (method, nth) in [("GET", 1), ("GET", 2), ("HEAD", 1), ("PUT", 1)] {
        for fault in [
            LabFault::Status(401),
            LabFault::Status(403),
            LabFault::Status(503),
            LabFault::Close,
            LabFault::ResetMidBody,
            LabFault::Hang,
            LabFault::LoseAnswer(Loss::Close),
        ] {
            byte += 1;
            let key = PrivateKey::from_random([byte; 32]).public();
            let what = format!("{fault:?} at {method} {nth}");
            let id = scene.lab.faults().add(Rule::new(Service::Swift, fault).method(method).nth(nth));
            let first = converge_object::converge(&world, key).await;
            scene.lab.faults().remove(id);
            if let Err(fault) = first {
                assert!(!fault.advice().is_empty(), "{what}");
            }
            converge_object::converge(&world, key).await.unwrap_or_else(|fault| panic!("{what}: {fault}"));
            assert!(String::from_utf8(scene.object()).unwrap().contains(&key.to_string()), "{what}");
        }
    }
}

/// The list is another copy of the database than the secret itself, and lags behind it.
#[tokio::test]
async fn a_secret_that_is_stored_and_not_listed_is_not_stored_again() {
    let scene = Scene::start().await;
    set(&scene, &[(1, false)]);
    let (lab, name) = (scene.lab.world().clone(), scene.secret_name());
    let stored = Arc::new(AtomicUsize::new(0));
    let (counted, hidden) = (stored.clone(), format!("hidden-{name}"));
    scene.lab.faults().observe(move |request| {
        if request.service != Service::Barbican {
            return;
        }
        let is_list = request.method == "GET" && request.path.contains("name=");
        let posts = counted.fetch_add(usize::from(request.method == "POST"), Ordering::SeqCst);
        let (from, to) = if is_list && posts > 0 { (&name, &hidden) } else { (&hidden, &name) };
        for secret in lab.secrets(from) {
            lab.edit_secret(&secret.id, |secret| secret.name.clone_from(to));
        }
    });
    let fault = to_wanted(&scene.world()).await.unwrap_err();
    assert_eq!(stored.load(Ordering::SeqCst), 1, "{fault}");
    let said = format!("{fault}; {}", fault.advice());
    assert!(said.contains("its list does not name the secret that it has stored"), "{said}");
    assert!(!said.contains("SECRET MISSING") && !said.contains("under our hands"), "{said}");
    scene.lab.faults().observe(|_| {});
    let (lab, name) = (scene.lab.world(), scene.secret_name());
    for secret in lab.secrets(&format!("hidden-{name}")) {
        lab.edit_secret(&secret.id, |secret| secret.name.clone_from(&name));
    }
    to_wanted(&scene.world()).await.unwrap();
    assert!(is_wanted(&scene));
}

/// DELETE and POST are answered, and only the reading behind them fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_that_was_closed_is_on_record_though_what_was_stored_could_not_be_read() {
    let looks = Arc::new(AtomicU64::new(0));
    let mut reads_until_stored = None;
    for round in ["counted", "spoiled"] {
        let scene = Scene::start().await;
        scene.confirmed().await;
        if let Some(before) = reads_until_stored {
            let unread =
                Rule::new(Service::Barbican, LabFault::Status(403)).method("GET").which(Which::From(before + 1));
            scene.lab.faults().add(unread);
        } else {
            let (looks, name) = (looks.clone(), scene.secret_name());
            let world = scene.lab.world().clone();
            let before = world.secrets(&name)[0].id.clone();
            scene.lab.faults().observe(move |request| {
                let is_ours = request.service == Service::Barbican && !request.agent;
                let is_gone = world.secrets(&name).first().is_none_or(|secret| secret.id != before);
                looks.fetch_add(u64::from(is_ours && request.method == "GET" && !is_gone), Ordering::SeqCst);
            });
        }
        let ended = scene.rotate().await;
        reads_until_stored = Some(looks.load(Ordering::SeqCst));
        let gap = scene.acme().rotation().unwrap().gap_us;
        assert!(gap.is_some_and(|us| us > 0), "{round}: {gap:?} {ended:?}");
        assert_eq!(ended.is_err(), round == "spoiled", "{ended:?}");
        if round == "spoiled" {
            scene.lab.faults().clear();
            scene.run(Command::Resume).await.unwrap();
            assert_eq!(scene.acme().rotation().unwrap().gap_us, gap, "it is that of the pair");
        }
    }
}
