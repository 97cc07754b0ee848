//! The special cases of a swap by name: an answer lost, a token that dies in the gap, somebody else's change, a stale read, a
//! listing in pages, a service that asks to wait, a request that lands late.

use crate::offered::{Before, TENANT, Way, decide, public, word, wrong_in_the_end};
use crate::proxy::{Plan, Spoiled};
use crate::rig::Rig;
use changeguard::engine::command::Command;
use changeguard::engine::record::{Entry, Record};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const ACTIONS: usize = 60;

/// Everything that is offered up to an action, or to the end.
async fn up_to(rig: &Rig, way: Way, turned: &mut bool, action: &str) -> Value {
    for _ in 0..ACTIONS {
        let status = rig.status().await;
        let Some((next, commands)) = decide(way, &status, rig.lab.world(), turned) else { return status };
        if next == action {
            return status;
        }
        if next == "verify" {
            rig.lab.world().reimport_all(TENANT).await;
        }
        for command in commands {
            let _ = rig.conductor.run(command).await;
        }
    }
    panic!("{action} is never offered: {}", rig.status().await["next"]);
}

async fn rotate(rig: &Rig) -> bool {
    let confirm = TENANT.to_owned();
    rig.conductor.run(Command::Rotate { confirm, through_tunnel: String::new() }).await.is_ok()
}

async fn ends_well(rig: &Rig, before: &Before) {
    up_to(rig, Way::Forward, &mut false, "nothing").await;
    let wrong = wrong_in_the_end(rig.lab.world(), before, &rig.conductor.entries());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// One rotation with one spoiled call of step 4 or 5; the name of the live secret is not in the call, so its number is given.
async fn spoiled(line: &'static str, nth: u64, spoiled: Spoiled) -> Rig {
    let rig = Rig::start().await;
    let before = Before::of(rig.lab.world());
    rig.plan(Way::Forward).await;
    up_to(&rig, Way::Forward, &mut false, "rotate").await;
    rig.proxies.spoil(Plan { line, nth, for_ever: false, spoiled });
    rotate(&rig).await;
    assert!(rig.proxies.heal(), "it was never met");
    rig.proxies.settled().await;
    ends_well(&rig, &before).await;
    rig
}

const DELETE: &str = "DELETE /v1/secrets/";
const POST: &str = "POST /v1/secrets ";
/// The first two store the keys that are kept.
const POST_OF_SWAP: u64 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delete_that_is_applied_and_whose_answer_is_lost() {
    spoiled(DELETE, 1, Spoiled::LoseAnswer).await;
    spoiled(DELETE, 1, Spoiled::LoseAnswerAndHang).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_that_is_applied_and_whose_answer_is_lost_leaves_no_duplicate() {
    for nth in 1..=POST_OF_SWAP {
        spoiled(POST, nth, Spoiled::LoseAnswer).await;
    }
    spoiled(POST, POST_OF_SWAP, Spoiled::LoseAnswerAndHang).await;
    spoiled(POST, POST_OF_SWAP, Spoiled::RequestTwice).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_dies_between_delete_and_post_is_renewed_in_the_gap() {
    let rig = Rig::start().await;
    let before = Before::of(rig.lab.world());
    rig.plan(Way::Forward).await;
    up_to(&rig, Way::Forward, &mut false, "rotate").await;
    let world = rig.lab.world().clone();
    let then = Arc::new(move || world.revoke_tokens());
    rig.proxies.spoil(Plan { line: DELETE, nth: 1, for_ever: false, spoiled: Spoiled::Then(then) });
    assert!(rotate(&rig).await, "the pair is finished with another token");
    assert!(rig.proxies.heal());
    ends_well(&rig, &before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_somebody_else_changes_between_read_and_write_keeps_their_change() {
    // After the read of step 5 (the first is step 2's), after the copy of what was read, and right after our own write.
    for (line, nth) in [("GET /v1/AUTH_", 2), ("PUT /v1/AUTH_", 1), ("PUT /v1/AUTH_", 2)] {
        let rig = Rig::start().await;
        rig.plan(Way::Forward).await;
        up_to(&rig, Way::Forward, &mut false, "rotate").await;
        let world = rig.lab.world().clone();
        let container = world.tenant(TENANT).unwrap().id;
        let done = AtomicBool::new(false);
        let then = Arc::new(move || {
            if !done.swap(true, Ordering::SeqCst) {
                let text = String::from_utf8(world.object(&container, "config/vpn-users.json").unwrap()).unwrap();
                let changed = text.replace("\"version\": 1", "\"version\": 2");
                world.put_object(&container, "config/vpn-users.json", changed.as_bytes());
            }
        });
        rig.proxies.spoil(Plan { line, nth, for_ever: false, spoiled: Spoiled::Then(then) });
        rotate(&rig).await;
        assert!(rig.proxies.heal(), "{line}");
        up_to(&rig, Way::Forward, &mut false, "nothing").await;
        let world = rig.lab.world();
        let object = world.object(&world.tenant(TENANT).unwrap().id, "config/vpn-users.json").unwrap();
        let object = String::from_utf8(object).unwrap();
        assert!(object.contains("\"version\": 2"), "{line}: their change is kept: {object}");
        assert!(object.contains(&world.server(TENANT).unwrap().public_key), "{line}: and so is ours: {object}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swift_that_shows_the_version_before_for_a_while_is_read_again() {
    for reads in [1, 3, 12, 40] {
        let rig = Rig::start().await;
        let before = Before::of(rig.lab.world());
        rig.plan(Way::Forward).await;
        up_to(&rig, Way::Forward, &mut false, "rotate").await;
        rig.lab.world().set_stale_reads(reads);
        rotate(&rig).await;
        rig.lab.world().set_stale_reads(0);
        ends_well(&rig, &before).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_in_pages_is_read_to_its_end_and_all_of_the_name_become_one() {
    let rig = Rig::start().await;
    let (before, world) = (Before::of(rig.lab.world()), rig.lab.world());
    let live = world.key_secrets(TENANT).remove(0);
    for _ in 0..120 {
        world.add_secret(&live.name, "text/plain", live.payload.as_deref());
    }
    assert!(world.key_secrets(TENANT).len() > 100, "more than a page");
    rig.plan(Way::Forward).await;
    ends_well(&rig, &before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_asks_to_wait_is_asked_again() {
    for status in [429, 503] {
        spoiled(DELETE, 1, Spoiled::Status(status)).await;
        spoiled(POST, POST_OF_SWAP, Spoiled::Status(status)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_lands_late_is_shown_as_drift_and_resume_puts_it_right() {
    let rig = Rig::start().await;
    let before = Before::of(rig.lab.world());
    rig.plan(Way::Forward).await;
    up_to(&rig, Way::Forward, &mut false, "rotate").await;
    rig.proxies.spoil(Plan { line: POST, nth: POST_OF_SWAP, for_ever: false, spoiled: Spoiled::ApplyLate });
    rotate(&rig).await;
    assert!(rig.proxies.heal());
    up_to(&rig, Way::Forward, &mut false, "reconfigure").await;
    rig.proxies.settled().await;
    // Whether the late one has come before or after the end of step 4, there is one secret or it is said.
    let status = rig.status().await;
    let secrets = rig.lab.world().key_secrets(TENANT);
    let same = secrets
        .iter()
        .all(|secret| public(secret.payload.as_deref().unwrap()) == public(secrets[0].payload.as_deref().unwrap()));
    assert!(same, "the same key both times");
    if secrets.len() > 1 {
        assert_eq!(word(&status), "resume", "{}", status["next"]);
        assert!(status["attention"][0].as_str().unwrap().contains("2 secrets"), "{}", status["attention"]);
    }
    ends_well(&rig, &before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_page_in_place_of_an_answer_is_never_taken_for_a_previous_key_that_is_missing() {
    const READ: &str = "GET /v1/secrets/";
    let mut met = 0;
    for nth in 1.. {
        let rig = Rig::start().await;
        let before = Before::of(rig.lab.world());
        rig.plan(Way::Forward).await;
        up_to(&rig, Way::Forward, &mut false, "rotate").await;
        rig.proxies.spoil(Plan { line: READ, nth, for_ever: false, spoiled: Spoiled::Portal });
        rotate(&rig).await;
        if !rig.proxies.heal() {
            break;
        }
        met += 1;
        ends_well(&rig, &before).await;
        let missing = |entry: &Entry| matches!(entry.record, Record::PreviousMissing { .. });
        assert!(!rig.conductor.entries().iter().any(missing), "read {nth}: the previous key would be lost");
    }
    assert!(met > 5, "{met} reads");
}
