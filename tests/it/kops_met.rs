//! Somebody else has distrusted what a promoted case goes back to: it is trusted again by its id, every instance rolls, and every holder is
//! asked, before the previous keypairs are promoted. Killed anywhere meanwhile it comes to the same end, and nobody is locked out.

use super::fernet_case::Watches;
use super::kops_case::to_the_end;
use super::kops_rig::{Rig, back, begin, go, told};
use crate::sample;
use changeguard::engine::case::machine::Order;
use changeguard::runbooks::kops::Kops;
use changeguard::runtime::case::{CaseDesk, Desk};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The case is promoted, everybody has followed; then somebody else distrusts the previous keypair and hands out what is left.
async fn promoted_and_met(rig: &Rig, desk: &CaseDesk<Kops>) {
    go(rig, desk, &[begin("rotate"), begin("promote")]).await.unwrap();
    rig.kops().somebody_distrusts("kubernetes-ca");
    rig.kops().somebody_rolls();
    let new = rig.kops().state().keysets["kubernetes-ca"].iter().find(|pair| pair.primary).unwrap().id.clone();
    for holder in rig.before.holders.iter() {
        rig.kops().put_back(&holder.name, BTreeSet::from([new.clone()]), Some(new.clone()));
    }
    rig.is_well("somebody else has gone further");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kops_met_what_a_colleague_has_distrusted_is_trusted_again_by_its_id_and_rolled_before_anybody_is_asked() {
    let rig = Rig::small().await;
    let desk = rig.desk().await;
    promoted_and_met(&rig, &desk).await;
    desk.look().await;
    let old = rig.before.keysets["kubernetes-ca"][0].id.clone();
    // Told before.
    let status = desk.status();
    let offer = status.verbs.iter().find(|offer| offer.verb == "rollback").unwrap();
    assert!(offer.does[0].contains(&format!("kubernetes-ca {old} is trusted again by its id")), "{:?}", offer.does);
    assert!(offer.does[1].contains("every holder is waited for"), "{:?}", offer.does);
    let shut = desk.run(begin("distrust")).await.unwrap_err().to_string();
    assert!(shut.contains("or go back: then it is trusted again by its id"), "{shut}");
    let from = rig.kops().words().len();
    let waits = desk.run(back()).await.unwrap_err().to_string();
    assert!(waits.contains("waits for"), "{waits}");
    rig.is_well("trusted again");
    let words = rig.kops().words()[from..].to_vec();
    let at = |text: &str| words.iter().position(|words| words.starts_with(text));
    let (trust, update) = (at(&format!("trust keypair kubernetes-ca {old}")), at("update cluster --yes"));
    let roll = words.iter().position(|words| words.contains("--yes --instance-group control-plane-main --force"));
    assert!(trust.is_some() && trust < update && update < roll, "{words:#?}");
    assert_eq!(words.iter().filter(|words| words.starts_with("trust keypair ")).count(), 1, "{words:#?}");
    assert_eq!(at("promote keypair "), None, "nothing is promoted before everybody has followed");
    assert_eq!(told(&desk.status())["case"]["met"][0], "kubernetes-ca");
    go(&rig, &desk, &[Order::Resume]).await.unwrap();
    assert_eq!(desk.status().ended, Some("rolled back"));
    rig.is_clean(Some("rolled back"), "met");
    let journal = desk.status().journal;
    assert!(
        journal.iter().any(|line| line.incident && line.text.contains("somebody else has distrusted")),
        "{journal:#?}"
    );
    // Both were asked of everybody: what a stranger has handed out is not known.
    for about in ["certificates-back", "admin-back"] {
        let asked = format!("mira is settled ({about})");
        assert!(journal.iter().any(|line| line.text.contains(&asked)), "{about}: {journal:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kops_met_what_is_distrusted_once_more_is_trusted_once_more_and_asked_once_more() {
    let rig = Rig::small().await;
    let desk = rig.desk().await;
    promoted_and_met(&rig, &desk).await;
    desk.run(back()).await.unwrap_err();
    rig.hand_over(&desk).await;
    rig.kops().somebody_distrusts("kubernetes-ca");
    rig.kops().somebody_distrusts("service-account");
    let new = rig.kops().state().keysets["kubernetes-ca"].iter().find(|pair| pair.primary).unwrap().id.clone();
    rig.kops().put_back("portal", BTreeSet::from([new]), None);
    let waits = desk.run(Order::Resume).await.unwrap_err().to_string();
    assert!(waits.contains("waits for 3 holders") || waits.contains("waits for 2 of 3"), "{waits}");
    rig.is_well("trusted once more");
    let trusts = rig.kops().words().iter().filter(|words| words.starts_with("trust keypair ")).count();
    assert_eq!(trusts, 3);
    go(&rig, &desk, &[Order::Resume]).await.unwrap();
    rig.is_clean(Some("rolled back"), "met twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kops_met_killed_at_any_record_it_ends_where_it_began() {
    let walk = async |at: u64| -> u64 {
        let rig = Rig::small().await;
        let watches = Arc::new(Watches::default());
        {
            let desk = rig.desk_of(rig.world(), watches.clone()).await;
            promoted_and_met(&rig, &desk).await;
            let before = watches.told();
            if at > 0 {
                watches.dies_at(before + at);
            }
            let orders = [back()];
            tokio::select! {
                biased;
                () = watches.dead() => {}
                result = go(&rig, &desk, &orders) => result.unwrap(),
            }
            if at == 0 {
                rig.is_clean(Some("rolled back"), "met");
                return watches.told() - before;
            }
        }
        let what = format!("met, killed at {at}");
        rig.is_well(&what);
        to_the_end(&rig, &rig.desk().await, &[back()], &what).await;
        rig.is_clean(Some("rolled back"), &what);
        0
    };
    let told = walk(0).await;
    assert!(told > 20, "{told}");
    for at in sample::chosen("deaths of a way back that met a stranger", (1..=told).collect::<Vec<_>>(), 1) {
        walk(at).await;
    }
}
