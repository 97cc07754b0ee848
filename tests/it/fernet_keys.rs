//! What becomes of tokens when keys are turned, handed round, lost and put back: the facts about Fernet that a runbook rests on,
//! and the invariant that names what was lost.

use std::time::Duration;

use super::fernet_rig::{Rig, copy, now, own, subject};

const FINE: (u16, u16) = (200, 200);
const LOST: (u16, u16) = (401, 404);

#[tokio::test]
async fn one_rotation_is_lossless_and_two_without_distribution_are_the_incident() {
    let rig = Rig::new().await;
    let old = rig.token(2).await;
    rig.rotate(0).await;
    assert_eq!(rig.matrix().await, vec![vec![FINE; 3]; 3]);
    assert_eq!(rig.cluster().still_valid(now()), Vec::<String>::new());
    rig.rotate(0).await;
    assert_eq!(rig.matrix().await, [vec![FINE, LOST, LOST], vec![LOST, FINE, FINE], vec![LOST, FINE, FINE]]);
    assert_eq!([own(rig.port(0), &old).await, own(rig.port(1), &old).await], [401, 200]);
    let lost = rig.cluster().still_valid(now());
    assert!(
        lost.iter().any(|line| line.starts_with("token 0,") && line.contains("by node2") && line.contains("at node0")),
        "{lost:?}"
    );
    assert!(lost.iter().any(|line| line.contains("by node0") && line.contains("at node1")), "{lost:?}");
}

#[tokio::test]
async fn a_purged_key_that_is_put_back_as_a_secondary_revives_its_tokens() {
    let rig = Rig::new().await;
    let old = rig.token(1).await;
    copy(&rig.keys(1), &rig.keys(1).with_extension("saved"));
    rig.rotate(0).await;
    rig.rotate(0).await;
    (1..3).for_each(|node| rig.copy(0, node));
    assert_eq!(rig.matrix().await, vec![vec![FINE; 3]; 3]);
    assert_eq!((own(rig.port(1), &old).await, rig.cluster().still_valid(now()).len()), (401, 3));
    for node in 0..3 {
        std::fs::copy(rig.keys(1).with_extension("saved").join("17"), rig.keys(node).join("3")).unwrap();
    }
    assert_eq!((own(rig.port(1), &old).await, rig.cluster().still_valid(now()).len()), (200, 0));
}

#[tokio::test]
async fn going_back_after_one_rotation_loses_nothing_either() {
    let rig = Rig::new().await;
    let saved = rig.keys(0).with_extension("saved");
    copy(&rig.keys(0), &saved);
    rig.token(0).await;
    rig.rotate(0).await;
    (1..3).for_each(|node| rig.copy(0, node));
    let meanwhile = rig.token(1).await;
    std::fs::remove_dir_all(rig.keys(0)).unwrap();
    copy(&saved, &rig.keys(0));
    rig.copy(0, 1);
    assert_eq!(own(rig.port(0), &meanwhile).await, 200);
    assert_eq!(rig.cluster().still_valid(now()), Vec::<String>::new());
}

#[tokio::test]
async fn a_token_survives_so_many_rotations_as_the_bound_of_keys_allows() {
    for (most, survives) in [(1, 0), (2, 0), (3, 1), (4, 2), (5, 3)] {
        let rig = Rig::with(|options| (options.most, options.nodes) = (most, 1)).await;
        let token = rig.token(0).await;
        let mut lived = 0;
        loop {
            rig.rotate(0).await;
            if own(rig.port(0), &token).await != 200 {
                break;
            }
            lived += 1;
        }
        assert_eq!(lived, survives, "max_active_keys = {most}");
    }
}

#[tokio::test]
async fn a_key_that_is_purged_too_early_is_seen_by_the_invariant_even_after_the_token_has_expired() {
    let rig = Rig::with(|options| {
        (options.expiration, options.window) = (Duration::from_secs(1000), Duration::from_secs(5000));
    })
    .await;
    rig.token(0).await;
    rig.rotate(0).await;
    rig.rotate(0).await;
    (1..3).for_each(|node| rig.copy(0, node));
    let cluster = rig.cluster();
    let at = |ahead| cluster.still_valid(now() + ahead);
    assert!(at(0).len() == 3 && !at(0)[0].contains("late"));
    assert!(at(2000).len() == 3 && at(2000)[0].contains("when a service asks late"));
    assert_eq!(at(6100), Vec::<String>::new());
}

#[tokio::test]
async fn a_shared_token_cache_hides_a_missing_key_from_the_matrix_but_not_from_the_invariant() {
    let rig = Rig::with(|options| options.shared_cache = true).await;
    rig.token(0).await;
    rig.rotate(0).await;
    rig.rotate(0).await;
    assert_eq!(rig.matrix().await, vec![vec![FINE; 3]; 3]);
    let state = rig.cluster().state();
    assert_ne!(state.nodes[0].tokens, state.nodes[1].tokens);
    assert!(!rig.cluster().still_valid(now()).is_empty());
}

#[tokio::test]
async fn a_broken_folder_is_named_by_the_invariant_as_500() {
    let rig = Rig::new().await;
    rig.token(0).await;
    std::fs::write(rig.keys(2).join("99"), "junk").unwrap();
    let lost = rig.cluster().still_valid(now());
    assert!(lost.len() == 1 && lost[0].contains("is 500 at node2: ValueError"), "{lost:?}");
}

#[tokio::test]
async fn what_was_issued_is_known_by_node_and_key_without_the_token() {
    let rig = Rig::new().await;
    let token = rig.token(1).await;
    let state = rig.cluster().state();
    let primary = state.nodes[1].tokens.last().unwrap();
    assert_eq!((state.issued[0].node, &state.issued[0].key), (1, &primary.digest));
    assert_eq!(state.issued[0].expires - state.issued[0].issued, 3600);
    assert!(!format!("{state:?} {:?}", rig.cluster().admin()).contains(&token[..20]));
    let secret = rig.cluster().admin().password.to_string();
    assert!(!format!("{:?}", rig.cluster().admin()).contains(&secret));
}

#[tokio::test]
async fn a_rotation_that_dies_after_the_promotion_leaves_no_staged_key_and_the_next_one_fails() {
    let rig = Rig::new().await;
    rig.token(0).await;
    let rotate = "keystone-manage fernet_rotate --keystone-user keystone --keystone-group keystone";
    for (steps, names) in [(1, ["0", "0.tmp", "16", "17"]), (2, ["0.tmp", "16", "17", "18"])] {
        rig.cluster().stop_rotation_after(0, Some(steps));
        let output = rig.run(0, &format!("{rotate}; echo $?")).await;
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "137", "{output:?}");
        assert_eq!(rig.names(0), names);
        assert_eq!(rig.cluster().still_valid(now()), Vec::<String>::new());
    }
    rig.cluster().stop_rotation_after(0, None);
    assert_eq!(rig.run(0, rotate).await.status.code(), Some(1));
    assert_eq!(rig.names(0), ["0.tmp", "16", "17", "18"]);
    rig.out(0, "cd $OS_KEYSTONE_CONFIG_DIR/fernet-keys && mv 0.tmp 0").await;
    let caller = rig.token(0).await;
    assert_eq!(subject(rig.port(1), &caller, &caller, false).await, 200);
}
