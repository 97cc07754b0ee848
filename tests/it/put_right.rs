//! Whatever step a run was left in, and whatever others have done to secret and object meanwhile: one resume brings secret, object and
//! server to the key that is to be live.

use crate::sample;
use crate::scene::Scene;
use crate::strangers::hold_the_agents;
use changeguard::adapters::lab::{Fault, Rule, Service};
use changeguard::engine::command::Command;
use changeguard::engine::record::Record;
use changeguard::engine::secret::PrivateKey;
use std::time::Duration;

/// So many of the points in `cargo test`.
const MOST: usize = 3;

const OBJECT: &str = "config/vpn-users.json";

/// How the run before was left.
#[derive(Clone, Copy, Debug)]
enum Left {
    /// Step 4 failed between DELETE and POST.
    AtSecret,
    /// Step 5 failed.
    AtObject,
    /// Step 6 failed.
    AtServer,
    /// It went through.
    Done,
}

/// What a colleague has done to the secret meanwhile.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Secret {
    Kept,
    Deleted,
    Replaced,
    Doubled,
}

/// What a portal has done to the object meanwhile.
#[derive(Clone, Copy, Debug)]
enum Object {
    Kept,
    Restored,
    Foreign,
}

async fn left(scene: &Scene, left: Left) {
    let faults = scene.lab.faults();
    match left {
        // The copies of step 3 are the first two.
        Left::AtSecret => {
            faults.add(Rule::new(Service::Barbican, Fault::Status(403)).method("POST").path("/v1/secrets").nth(3));
        }
        Left::AtObject => {
            faults.add(Rule::new(Service::Swift, Fault::Status(403)).method("PUT").always());
        }
        Left::AtServer => hold_the_agents(scene),
        Left::Done => {}
    }
    assert_eq!(scene.rotate().await.is_ok(), matches!(left, Left::Done), "{left:?}");
}

fn meddle(scene: &Scene, secret: Secret, object: Object, before: &[u8]) {
    let (world, name) = (scene.lab.world(), scene.secret_name());
    let (live, theirs) = (world.key_secrets("acme"), PrivateKey::from_random([78; 32]));
    if matches!(secret, Secret::Deleted | Secret::Replaced) {
        assert!(live.iter().all(|live| world.remove_secret(&live.id)));
    }
    if matches!(secret, Secret::Replaced | Secret::Doubled) {
        world.add_secret(&name, "text/plain", Some(theirs.to_payload(false).expose()));
    }
    let container = scene.acme().tenant().id.to_string();
    match object {
        Object::Kept => {}
        Object::Restored => world.put_object(&container, OBJECT, before),
        Object::Foreign => {
            let mut document: serde_json::Value = serde_json::from_slice(before).unwrap();
            document["vpn_server_public_key"] = theirs.public().to_string().into();
            world.put_object(&container, OBJECT, &serde_json::to_vec(&document).unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_resume_puts_secret_object_and_server_right_wherever_it_was_left_and_whatever_others_did() {
    let lefts = [Left::AtSecret, Left::AtObject, Left::AtServer, Left::Done];
    let secrets = [Secret::Kept, Secret::Deleted, Secret::Replaced, Secret::Doubled];
    let objects = [Object::Kept, Object::Restored, Object::Foreign];
    let all = (lefts.into_iter())
        .flat_map(|left| secrets.map(|secret| (left, secret)))
        .flat_map(|(left, secret)| objects.map(|object| (left, secret, object)))
        .collect();
    for point in sample::chosen("what one resume puts right", all, MOST) {
        let scene = Scene::start_with(|config| config.wireguard.reconcile_interval = Duration::from_secs(1)).await;
        scene.confirmed().await;
        let before = scene.object();
        left(&scene, point.0).await;
        meddle(&scene, point.1, point.2, &before);
        scene.lab.faults().clear();
        scene.acme().look().await;
        let told = scene.status().attention;
        let ended = scene.run(Command::Resume).await;
        scene.acme().look().await;
        let (status, target) = (scene.status(), scene.acme().rotation().unwrap().target());
        let keys = [status.keys.secret.key, status.keys.object.key, status.keys.interface.key];
        assert_eq!((keys, status.keys.secret_count), ([target; 3], Some(1)), "{point:?}: {ended:?}\n{told:#?}");
        assert!(status.connections.is_none() && status.truth.is_none(), "{point:?}: {:?}", status.attention);
    }
}

/// The interface shows the previous key already when the way back is begun: a look that has read the staged key may be under way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_back_waits_for_one_cycle_although_the_interface_shows_its_key_already() {
    let cycle = Duration::from_secs(2);
    let scene = Scene::start_with(|config| config.wireguard.reconcile_interval = cycle).await;
    scene.confirmed().await;
    hold_the_agents(&scene);
    scene.rotate().await.unwrap_err();
    scene.roll_back().await.unwrap();
    let rotation = scene.acme().rotation().unwrap();
    let (changed, applied) = (rotation.live.sent().unwrap(), rotation.applied.clone().unwrap());
    assert_eq!(Some(applied.baseline.public_key), rotation.proven_key());
    let said = scene.status().steps[5].detail.clone();
    assert!(said.contains("as it did all the time"), "{said}");
    let entries = scene.world().store.load(&rotation.id).await.unwrap();
    let at = entries.iter().rfind(|entry| matches!(entry.record, Record::Applied(_))).unwrap().at;
    assert!(at.duration_since(changed) >= jiff::SignedDuration::try_from(cycle).unwrap(), "{changed} {at}");
}
