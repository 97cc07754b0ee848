//! What may be made to go wrong at a node of the lab's cluster: each mishap is seen at the next look and is over when it is switched off,
//! and a lab that ended finds its cluster as it was.

use crate::fernet_case::{begin, desk};
use crate::fernet_rig::Rig;
use changeguard::adapters::lab::MishapOrder;
use changeguard::adapters::lab::fernet::ClusterOptions;
use changeguard::runtime::case::Desk;
use std::sync::Arc;

fn order(word: &str, on: bool, node: Option<&str>) -> MishapOrder {
    MishapOrder { mishap: word.into(), on, tenant: Some("keystone/lab".into()), client: node.map(str::to_owned) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mishap_of_a_node_is_seen_where_it_is_and_is_over_when_it_is_switched_off() {
    let rig = Rig::new().await;
    let lab = rig.lab.world();
    let views = lab.mishaps();
    let words: Vec<&str> =
        views.iter().map(|view| view.mishap.as_str()).filter(|word| word.starts_with("node-")).collect();
    assert_eq!(words.len(), 7, "{words:?}");
    let desk = desk(&rig, Arc::default()).await;
    let before = rig.names(2);
    for word in words {
        assert_eq!(lab.rehearse(&order(word, true, Some("node2"))).unwrap(), format!("{word} is on: node2"));
        let on: Vec<_> = lab.mishaps().into_iter().filter(|view| !view.on.is_empty()).collect();
        assert_eq!((on.len(), &on[0].on), (1, &vec!["node2".to_owned()]));
        desk.look().await;
        let status = desk.status();
        if word == "node-401" {
            assert!(rig.cluster().traffic(2, 10) > 0 && rig.cluster().traffic(1, 10) == 0);
        } else {
            let gate = &status.gates["rotate"];
            let told = serde_json::to_string(gate).unwrap();
            assert!(!gate.is_open() && told.contains("node2"), "{word}: {told}");
        }
        lab.rehearse(&order(word, false, None)).unwrap();
        rig.answers(2).await;
        desk.look().await;
        let status = desk.status();
        assert!(status.gates["rotate"].is_open() && status.attention.is_empty(), "{word}: {status:?}");
        assert_eq!(rig.names(2), before, "{word}");
    }
    assert_eq!(rig.cluster().traffic(2, 10), 0);
    // Without a name it is one that does not rotate; whose name is no node's is told which there are.
    assert!(lab.rehearse(&order("node-api-down", true, None)).unwrap().ends_with("node1"));
    let unknown = lab.rehearse(&order("node-api-down", true, Some("node9"))).unwrap_err();
    assert!(unknown.contains("no node node9") && unknown.contains("node0, node1, node2"), "{unknown}");
    // What is about no node is asked for on its page all the same.
    lab.rehearse(&order("barbican-down", true, Some("node2"))).unwrap();
    lab.rehearse(&order("all", false, None)).unwrap();
    rig.answers(1).await;
    desk.run(begin("rotate")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_is_started_in_the_folder_of_an_earlier_one_has_its_keys() {
    let rig = Rig::new().await;
    rig.rotate(0).await;
    let digests = |rig: &Rig| -> Vec<Vec<(String, String, u64)>> {
        let nodes = rig.cluster().state().nodes;
        nodes
            .iter()
            .map(|node| node.tokens.iter().map(|key| (key.name.clone(), key.digest.clone(), key.modified)).collect())
            .collect()
    };
    let before = digests(&rig);
    assert_ne!(before[0], before[1]);
    std::fs::create_dir(rig.cluster().etc(1).join("fernet-keys.next")).unwrap();
    rig.lab.world().rehearse(&order("node-sudo", true, None)).unwrap();
    let Rig { lab, folder } = rig;
    lab.stop().await;
    let program = env!("CARGO_BIN_EXE_changeguard");
    let place = folder.path().join("lab-again");
    std::fs::create_dir(&place).unwrap();
    let options = changeguard::adapters::lab::LabOptions::still(&place, program);
    let mut lab = changeguard::adapters::lab::Lab::start(options).await.unwrap();
    lab.add_cluster(ClusterOptions::steady(&folder.path().join("cluster"), program)).await.unwrap();
    let again = Rig { lab, folder };
    assert_eq!(digests(&again), before);
    assert!(again.cluster().etc(1).join("fernet-keys.next").is_dir(), "what was half done lies there still");
    again.out(1, "sudo -n true").await;
    again.token(2).await;
}
