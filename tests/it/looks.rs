//! What looks say together that were taken at different moments, or of what others have stored: no alarm that is none.

use crate::scene::{Scene, as_person};
use changeguard::adapters::lab::{Fault, Rule, Service};
use changeguard::domain::gate::Reason;
use changeguard::engine::command::{Command, Refusal};
use changeguard::engine::next::Act;
use changeguard::engine::secret::PrivateKey;
use changeguard::engine::sources::Source;
use changeguard::engine::status::Reconcile;
use changeguard::runtime::conductor::Conductor;
use changeguard::runtime::run::RunError;
use std::sync::Arc;
use std::time::Duration;

const PLACES: [Source; 3] = [Source::Barbican, Source::Swift, Source::Server];

/// Every part of the three places, by their bits.
fn part(bits: usize) -> impl Iterator<Item = Source> {
    PLACES.into_iter().enumerate().filter(move |(at, _)| bits >> at & 1 == 1).map(|(_, source)| source)
}

fn is_calm(conductor: &Conductor, when: &str) {
    let status = conductor.status();
    let said = [&status.attention[..], &status.leading()].concat().join("; ");
    for alarm in ["differ", "CHANGED SINCE", "MISSING", "LOST", "somebody else"] {
        assert!(!said.contains(alarm), "{when}: {said}");
    }
    assert!(!matches!(status.reconcile, Reconcile::Differs | Reconcile::Late), "{when}: {:?}", status.reconcile);
}

/// Whoever watches has looked at everything before, and at some places after it, in each possible mixture; with the journal read
/// first, and not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looks_from_before_and_behind_a_rotation_raise_no_alarm_together() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let mut watchers: Vec<(usize, bool, Arc<Conductor>)> = Vec::new();
    for bits in 0..8 {
        for reads in [false, true] {
            let watcher = as_person(&scene.wiring, scene.acme(), "watch");
            watcher.look().await;
            watchers.push((bits, reads, watcher));
        }
    }
    let check = async |when: &str| {
        for (bits, reads, watcher) in &watchers {
            let when = format!("{when}, places {bits:03b}, journal read first: {reads}");
            if *reads {
                watcher.reload().await.unwrap();
                is_calm(watcher, &when);
            }
            for source in part(*bits) {
                watcher.look_at(source, Duration::MAX).await;
                is_calm(watcher, &when);
            }
        }
    };
    scene.rotate().await.unwrap();
    check("behind step 6").await;
    scene.everybody_returns().await;
    scene.finish("").await.unwrap();
    check("behind the end").await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    check("behind the next one").await;
}

/// What stands under the live name beside the live secret, stored after the plan.
fn stored_by_a_colleague(scene: &Scene) {
    let key = PrivateKey::from_random([77; 32]);
    let world = scene.lab.world();
    let id = world.add_secret(&scene.secret_name(), "text/plain", Some(key.to_payload(false).expose()));
    let later = u64::try_from(jiff::Timestamp::now().as_second()).unwrap() + 5;
    assert!(world.edit_secret(&id, |secret| secret.created = later));
}

#[tokio::test]
async fn a_second_secret_of_the_name_is_said_as_that_and_is_no_sign_of_a_lost_journal() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let live = scene.lab.world().key_secrets("acme").remove(0);
    // The server keeps the key that it has, however long this takes.
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(403)).method("GET").always().for_agents());
    stored_by_a_colleague(&scene);
    for alone in [false, true] {
        if alone {
            // They have taken ours away, too.
            scene.lab.world().remove_secret(&live.id);
        }
        scene.acme().look().await;
        let status = scene.status();
        assert!(status.lost.is_none(), "{:?}", status.lost);
        let words = status.keys.secret_words(|key| key.short()).unwrap();
        assert_eq!(words.contains("2 SECRETS of the name") && words.contains("(on the interface)"), !alone, "{words}");
        assert_eq!(status.attention.iter().any(|item| item.contains("2 secrets have the tenant's name")), !alone);
        let refused = scene.rotate().await.unwrap_err();
        let RunError::Refused(Refusal::GateShut(_)) = &refused else { panic!("{refused}") };
        let check = if alone { "keys" } else { "duplicates" };
        assert!(refused.to_string().contains(check), "{refused}");
    }
    // Where it can't be compared it is no proof that it is nobody's loss.
    scene.lab.world().set_down(Service::Shell, true);
    let refused = scene.rotate().await.unwrap_err();
    assert!(matches!(refused, RunError::Refused(Refusal::JournalLost(_))), "{refused}");
}

#[tokio::test]
async fn a_second_secret_that_the_server_has_taken_is_no_lost_journal_while_ours_is_there() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    stored_by_a_colleague(&scene);
    scene.lab.world().set_server_key("acme", [77; 32]);
    let refused = scene.rotate().await.unwrap_err();
    assert!(matches!(refused, RunError::Refused(Refusal::GateShut(_))), "{refused}");
    assert!(refused.to_string().contains("duplicates"), "{refused}");
    scene.lab.world().set_down(Service::Shell, true);
    let refused = scene.rotate().await.unwrap_err();
    assert!(
        matches!(refused, RunError::Refused(Refusal::GateShut(_))),
        "also where the server can't be read: {refused}"
    );
}

/// What others do behind a green check: rotate would find it, and so the gate that is shown does not say that it is open.
#[tokio::test]
async fn what_a_look_has_seen_since_a_green_check_shuts_the_gate_that_is_shown_and_the_next_check_says_what_ends_it() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.run(Command::Check).await.unwrap();
    let world = scene.lab.world();
    let (live, before) = (world.key_secrets("acme").remove(0), world.secrets(""));
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(403)).method("GET").always().for_agents());
    scene.acme().look().await;
    assert!(scene.status().gate.is_open(), "{:?}", scene.status().gate);
    stored_by_a_colleague(&scene);
    let seen = async |what: &str| {
        scene.acme().look().await;
        let status = scene.status();
        let [Reason::SeenSince { what: said }] = status.gate.reasons() else { panic!("{what}: {:?}", status.gate) };
        assert!(said.contains(what), "{said}");
        assert_eq!(status.next.action, Act::Check, "{what}: {}", status.next.text);
    };
    seen("2 secrets").await;
    world.remove_secret(&live.id);
    seen("the keys differ").await;
    world.put_secrets(before);
    scene.acme().look().await;
    assert!(scene.status().gate.is_open(), "it is as the check has seen it again: {:?}", scene.status().gate);
    // The server takes the other one.
    stored_by_a_colleague(&scene);
    world.set_server_key("acme", [77; 32]);
    scene.run(Command::Check).await.unwrap_err();
    let next = scene.status().next;
    assert_eq!(next.action, Act::Check, "{}", next.text);
    assert!(next.text.contains("the server has taken"), "{}", next.text);
}

#[tokio::test]
async fn peers_that_are_gone_are_counted_and_named_before_the_live_key_is_there_and_behind_it() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let said = || scene.status().attention.join("; ");
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(403)).method("GET").always().for_agents());
    scene.acme().look().await;
    assert!(!said().contains("clients' peers"), "{}", said());
    scene.lab.world().remove_peers("acme");
    scene.acme().look().await;
    assert!(said().contains("NONE of ") && said().contains("their tunnels are down"), "{}", said());
}

/// A key that no client has is live: whoever is said to be back then was not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_recorded_as_back_by_a_word_while_all_are_cut_off() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    crate::strangers::hold_the_agents(&scene);
    scene.lab.world().set_server_key("acme", [78; 32]);
    scene.acme().look().await;
    let status = scene.status();
    assert_eq!(status.lead().as_deref(), Some("ALL CUT OFF"), "{:?}", status.attention);
    let client = status.clients[0].client.id.clone();
    let back = || Command::Back { client: client.clone(), note: "works".into() };
    let refused = scene.run(back()).await.unwrap_err().to_string();
    assert!(refused.contains("nobody can be back: the interface shows"), "{refused}");
    scene.lab.faults().clear();
    scene.run(Command::Resume).await.unwrap();
    scene.acme().look().await;
    scene.run(back()).await.unwrap();
}

/// Before anything was ever planned here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_without_a_valid_key_is_an_alarm_although_nothing_is_planned() {
    let scene = Scene::start().await;
    let mut object: serde_json::Value = serde_json::from_slice(&scene.object()).unwrap();
    object["vpn_server_public_key"] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=".into();
    let container = scene.acme().tenant().id.to_string();
    scene.lab.world().put_object(&container, "config/vpn-users.json", &serde_json::to_vec(&object).unwrap());
    scene.acme().look().await;
    let said = scene.status().attention.join("; ");
    assert!(said.contains("the object names no valid key, so nobody can download"), "{said}");
}
