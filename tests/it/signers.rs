//! Four eyes by signatures on the embedded lab: planner, approver and rotator sign in this process, with keys in memory.

use crate::scene::{Scene, Silent};
use async_trait::async_trait;
use changeguard::domain::acknowledgement::{Answer, Channel};
use changeguard::domain::fault::Fault;
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::signature::{NAMESPACE, SignerKey};
use changeguard::domain::signers::Signers;
use changeguard::engine::command::Command;
use changeguard::engine::journal::Holder;
use changeguard::engine::ports::Signatures;
use changeguard::engine::record::{Actor, Cause, Record};
use changeguard::engine::signing::{Memo, Roster, Signing};
use changeguard::runtime::conductor::Conductor;
use changeguard::runtime::fence::LeaseFence;
use jiff::tz::TimeZone;
use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, LineEnding, PrivateKey};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// The list that all read, as it is now.
type List = Arc<Mutex<String>>;

/// Somebody with a key in memory.
struct Hand {
    key: PrivateKey,
    list: List,
    memo: Arc<Memo>,
    asked: AtomicUsize,
}

#[async_trait]
impl Signatures for Hand {
    fn signing(&self) -> Signing {
        match Signers::parse(&self.list.lock().unwrap(), &TimeZone::UTC) {
            Ok(signers) => {
                let own = SignerKey::parse(&self.key.public_key().to_openssh().unwrap()).ok();
                Signing::Signers(Roster { signers: Arc::new(signers), memo: self.memo.clone(), own })
            }
            Err(why) => Signing::Untrusted(why),
        }
    }

    async fn sign(&self, text: &str) -> Result<String, Fault> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(self.key.sign(NAMESPACE, HashAlg::Sha512, text.as_bytes()).unwrap().to_pem(LineEnding::LF).unwrap())
    }
}

fn key(seed: u8) -> PrivateKey {
    Ed25519Keypair::from_seed(&[seed; 32]).into()
}

fn line(name: &str, seed: u8) -> String {
    format!("{name} {}\n", key(seed).public_key().to_openssh().unwrap())
}

/// A tenant in the hands of somebody who signs; the login is the same for all.
fn conductor(scene: &Scene, seed: u8, list: &List) -> (Arc<Conductor>, Arc<Hand>) {
    let wiring = &scene.wiring;
    let fence = Arc::new(LeaseFence::new(wiring.store().clone()));
    let mut world = wiring.world(scene.acme().tenant().clone(), fence.clone()).unwrap();
    let hand = Arc::new(Hand { key: key(seed), list: list.clone(), memo: Arc::default(), asked: AtomicUsize::new(0) });
    world.signatures = Some(hand.clone());
    let instance = changeguard::adapters::system::instance().unwrap();
    let instance = changeguard::engine::journal::Instance { id: format!("{seed}"), ..instance };
    let me = Holder::new("root".into(), "bastion".into(), 4711, jiff::Timestamp::now(), instance);
    let unproven = Some("one login for all".into());
    let actor = Actor {
        by: "root".into(),
        host: "bastion".into(),
        person: "root".into(),
        ssh: None,
        unproven,
        environment: None,
    };
    (Arc::new(Conductor::new(world, wiring.runbook().clone(), me, actor, fence, Arc::new(Silent))), hand)
}

async fn confirmed_by(conductor: &Conductor) {
    let (window, cause) = (Scene::open_window(), Cause::Scheduled);
    conductor.run(Command::Plan { window, cause, reference: "CHG-1".into() }).await.unwrap();
    let kind = NoticeKind::Announcement;
    conductor.run(Command::Notify { kind, only: None, again: false }).await.unwrap();
    for client in conductor.status().clients {
        let (client, answer, channel) = (client.client.id, Answer::Confirmed, Channel::Phone);
        conductor.run(Command::Answer { client, answer, channel, note: String::new() }).await.unwrap();
    }
}

async fn approve(conductor: &Conductor) -> Result<String, String> {
    conductor.look().await;
    let digest = conductor.status().plan_digest.unwrap();
    let approve = Command::Approve { digest, note: "read it".into() };
    conductor.run(approve).await.map_err(|error| error.to_string())
}

async fn rotate(conductor: &Conductor) -> Result<String, String> {
    let rotate = Command::Rotate { confirm: "acme".into(), through_tunnel: String::new() };
    conductor.run(rotate).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn three_operators_with_one_login_plan_approve_and_rotate_by_what_they_sign() {
    let scene = Scene::start_with(|config| config.approval.required = true).await;
    let list: List = Arc::new(Mutex::new(line("ada", 1) + &line("bob", 2)));
    let ((ada, signed), (bob, _), (eve, _)) =
        (conductor(&scene, 1, &list), conductor(&scene, 2, &list), conductor(&scene, 3, &list));
    confirmed_by(&ada).await;
    assert_eq!(signed.asked.load(Ordering::Relaxed), 1, "once a session and case");
    ada.run(Command::Check).await.unwrap();
    assert!(approve(&ada).await.unwrap_err().contains("ada made this plan"));
    assert!(approve(&eve).await.unwrap_err().contains("not in the list of signers"));
    let done = approve(&bob).await.unwrap();
    assert!(done.contains("signed by bob (SHA256:"), "{done}");
    let status = bob.status();
    let approval = status.approval.unwrap();
    assert_eq!((approval.person.as_str(), approval.advisory, approval.scheme), ("bob", false, 2));
    assert!(status.four_eyes.unwrap().contains("ssh signatures of 2"));
    let refused = rotate(&bob).await.unwrap_err();
    assert!(refused.contains("approved it yourself"), "{refused}");
    // Without the approver in the list nothing is left of the approval.
    let before = std::mem::replace(&mut *list.lock().unwrap(), line("ada", 1));
    assert!(rotate(&ada).await.unwrap_err().contains("not in the list of signers"));
    *list.lock().unwrap() = before + "nonsense\n";
    assert!(rotate(&ada).await.unwrap_err().contains("can't be trusted"));
    *list.lock().unwrap() = line("ada", 1) + &line("bob", 2);
    rotate(&ada).await.unwrap();
    let confirmed = ada.entries().into_iter().find_map(|entry| match entry.record {
        Record::RotateConfirmed { approved_by, signature, .. } => Some((approved_by, signature.is_some())),
        _ => None,
    });
    assert_eq!(confirmed, Some((Some("bob".into()), true)));
}

#[tokio::test]
async fn the_review_of_an_emergency_is_closed_by_who_signs_and_by_none_who_declared_it_whatever_the_login_and_the_file()
{
    let scene = Scene::start_with(|config| config.approval.required = true).await;
    let list: List = Arc::new(Mutex::new(line("ada", 1) + &line("bob", 2)));
    let ((ada, _), (bob, _)) = (conductor(&scene, 1, &list), conductor(&scene, 2, &list));
    let (confirm, reason) = ("acme".into(), "laptop stolen".into());
    ada.run(Command::Emergency { confirm, reason, through_tunnel: String::new() }).await.unwrap();
    scene.lab.world().reimport_all("acme").await;
    ada.run(Command::Verify).await.unwrap();
    ada.run(Command::Finish { note: String::new(), despite: String::new() }).await.unwrap();
    let close = || Command::CloseReview { note: "the disk was encrypted".into() };
    let refused = ada.run(close()).await.unwrap_err().to_string();
    assert!(refused.contains("ada declared the emergency"), "{refused}");
    // The operator whose configuration knows no signers has a login of their own.
    let refused = scene.run(close()).await.unwrap_err().to_string();
    assert!(refused.contains("no list of signers"), "{refused}");
    let done = bob.run(close()).await.unwrap();
    assert_eq!(done, "the review is closed by bob");
    ada.look().await;
    assert!(ada.status().review.is_none());
    scene.acme().look().await;
    assert!(
        scene.status().attention.iter().any(|item| item.contains("no list of signers")),
        "{:?}",
        scene.status().attention
    );
    *list.lock().unwrap() = line("ada", 1);
    ada.look().await;
    assert!(ada.status().attention.iter().any(|item| item.contains("is not in the list of signers")));
}

#[tokio::test]
async fn an_emergency_waits_for_no_signature_and_then_two_others_close_its_review() {
    let scene = Scene::start_with(|config| config.approval.required = true).await;
    let list: List = Arc::new(Mutex::new(line("ada", 1) + &line("bob", 2)));
    let ((ada, _), (bob, _), (eve, _)) =
        (conductor(&scene, 1, &list), conductor(&scene, 2, &list), conductor(&scene, 3, &list));
    let (confirm, reason) = ("acme".into(), "laptop stolen".into());
    eve.run(Command::Emergency { confirm, reason, through_tunnel: String::new() }).await.unwrap();
    scene.lab.world().reimport_all("acme").await;
    eve.run(Command::Verify).await.unwrap();
    eve.run(Command::Finish { note: String::new(), despite: String::new() }).await.unwrap();
    let close = || Command::CloseReview { note: "looked".into() };
    assert!(bob.run(close()).await.unwrap().contains("stays open until another operator closes it too"));
    bob.look().await;
    assert!(bob.status().next.text.contains("another operator besides bob"), "{}", bob.status().next.text);
    assert_eq!(ada.run(close()).await.unwrap(), "the review is closed by ada");
    ada.look().await;
    assert!(ada.status().review.is_none());
}
