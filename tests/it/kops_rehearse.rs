//! What may be made to go wrong with the lab's Kubernetes cluster: each mishap is told where it is met, and over when it is switched off.

use crate::kops_rig::{Rig, alarm, begin, go, way};
use changeguard::adapters::lab::MishapOrder;
use changeguard::engine::case::machine::Order;
use changeguard::runtime::case::Desk;

fn order(word: &str, on: bool) -> MishapOrder {
    MishapOrder { mishap: word.into(), on, tenant: Some("kops/lab".into()), client: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mishap_of_a_kops_cluster_is_told_where_it_is_met_and_is_over_when_it_is_switched_off() {
    let rig = Rig::new().await;
    let lab = rig.lab.world();
    let views = lab.mishaps();
    let mut words: Vec<&str> = views.iter().map(|view| view.mishap.as_str()).collect();
    words.retain(|word| word.starts_with("kops-"));
    let at_the_gate = ["kops-store-down", "kops-api-401", "kops-unwell"];
    let under_way = [
        ("kops-create-dies", "error storing keyset"),
        ("kops-update-unseen", "0 of 7 instances need one"),
        ("kops-roll-fails", "did not validate within"),
        ("kops-roll-401", "Unauthorized"),
        ("kops-roll-lost", "rolling-update cluster"),
    ];
    let all: Vec<&str> = at_the_gate.into_iter().chain(under_way.map(|(word, _)| word)).collect();
    assert_eq!(words, all);
    let desk = rig.desk().await;
    desk.reload().await.unwrap();
    for word in at_the_gate {
        assert_eq!(lab.rehearse(&order(word, true)).unwrap(), format!("{word} is on: everywhere"));
        desk.look().await;
        let status = desk.status();
        assert!(!status.gates["rotate"].is_open() && !status.attention.is_empty(), "{word}: {:?}", status.gates);
        lab.rehearse(&order(word, false)).unwrap();
        desk.look().await;
        assert!(desk.status().gates["rotate"].is_open(), "{word}: {:?}", desk.status().gates);
    }
    let mut next = begin("rotate");
    for (word, says) in under_way {
        lab.rehearse(&order(word, true)).unwrap();
        let said = desk.run(next).await.unwrap_err().to_string();
        assert!(said.contains(says), "{word}: {said}");
        if word == "kops-update-unseen" {
            assert_eq!(alarm(&desk.status()), Some("roll-1"));
        }
        lab.rehearse(&order(word, false)).unwrap();
        assert!(lab.mishaps().iter().all(|view| view.on.is_empty()), "{word}");
        next = Order::Resume;
    }
    go(&rig, &desk, &[next]).await.unwrap();
    go(&rig, &desk, &way("forward")[1..]).await.unwrap();
    rig.is_clean(Some("done"), "every mishap is over");
}
