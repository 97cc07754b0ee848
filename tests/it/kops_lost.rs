//! The end of a Kubernetes cluster's journal is lost, and in the lost part holders were given what the way back must take from them: they
//! are asked again, whatever the journal still knows, and nobody is locked out.

use super::kops_case::to_the_end;
use super::kops_put_back::{copy, desk, put_back, state};
use super::kops_rig::{Rig, back, begin};
use crate::sample;
use changeguard::engine::case::machine::Order;
use changeguard::runtime::case::{CaseDesk, Desk, RunFault};

/// How far it went on behind the moment of which the journal was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// Everybody has the certificates of the new authority alone; nobody has thought of going back.
    Distrusted,
    /// It goes back, and waits for everybody to have those of both again.
    AskedForBoth,
    /// The previous keypairs are trusted again, and it waits for everybody to use the previous admin credential.
    AskedForAdmin,
}

/// Goes so far; each order is told that somebody is waited for.
async fn goes_until(rig: &Rig, desk: &CaseDesk<changeguard::runbooks::kops::Kops>, until: Until) {
    rig.hand_over(desk).await;
    let orders = [back(), Order::Resume];
    let most = match until {
        Until::Distrusted => 0,
        Until::AskedForBoth => 1,
        Until::AskedForAdmin => 2,
    };
    for order in orders.into_iter().take(most) {
        rig.hand_over(desk).await;
        let waits = desk.run(order).await.unwrap_err().to_string();
        assert!(waits.contains("waits for"), "{waits}");
        rig.is_well("on the way back");
    }
}

/// The journal of so many stretches is put back behind all that; then it is rolled back.
async fn walk(stretches: usize, until: Until) {
    let when = format!("a journal of {stretches} stretches put back at {until:?}");
    let rig = Rig::small().await;
    {
        let desk = desk(&rig, std::sync::Arc::<super::fernet_case::Watches>::default()).await;
        desk.reload().await.unwrap();
        for (at, verb) in ["rotate", "promote", "distrust"].into_iter().enumerate() {
            if at == stretches {
                copy(&state(&rig), "", ".copy");
            }
            desk.run(begin(verb)).await.unwrap();
            if at + 1 < 3 {
                rig.hand_over(&desk).await;
            }
        }
        if stretches == 3 {
            copy(&state(&rig), "", ".copy");
        }
        goes_until(&rig, &desk, until).await;
    }
    put_back(&rig);
    let desk = desk(&rig, std::sync::Arc::<super::fernet_case::Watches>::default()).await;
    desk.reload().await.unwrap();
    desk.look().await;
    assert!(desk.status().attention[0].starts_with("THE END"), "{when}: {:?}", desk.status().attention);
    desk.run(Order::Recover { confirm: "lab".into(), reason: "the disk was restored".into() }).await.unwrap();
    rig.is_well(&when);
    if until == Until::Distrusted {
        // It was not turned back before.
        let turned = desk.run(back()).await;
        let waits =
            |fault: &RunFault| matches!(fault, RunFault::Fault(fault) if fault.message.starts_with("waits for"));
        assert!(turned.as_ref().err().is_none_or(waits), "{when}: {turned:?}");
        rig.is_well(&when);
    }
    to_the_end(&rig, &desk, &[], &when).await;
    assert_eq!(desk.status().ended, Some("rolled back"), "{when}");
    rig.is_clean(Some("rolled back"), &when);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_may_have_been_given_something_in_the_lost_part_is_asked_before_it_is_taken_from_them() {
    let untils = [Until::Distrusted, Until::AskedForBoth, Until::AskedForAdmin];
    let points: Vec<_> = (1..=3).flat_map(|stretches| untils.map(|until| (stretches, until))).collect();
    for (stretches, until) in sample::chosen("what holders were given in a lost part", points, 1) {
        walk(stretches, until).await;
    }
}
