//! A whole rotation by scripts of the kind that a runbook sends, each cut in its middle at every program that it runs: what a
//! walk over kill points does with the lab. The scripts are this test's own; a runbook brings its own.

use std::process::Stdio;

use changeguard::adapters::lab::{Fault, Rule, Service};
use tokio::io::AsyncWriteExt;

use super::fernet_rig::{Rig, copy, now, own};

/// Turns the keys in a copy beside the live folder, by a configuration that overrides the node's.
const PREPARE: &str = "# changeguard: prepare\nset -e\ncd \"$OS_KEYSTONE_CONFIG_DIR\"\nrm -rf fernet-keys.next\n\
    cp -a fernet-keys fernet-keys.next\n\
    printf '[fernet_tokens]\\nkey_repository = %s\\nmax_active_keys = 4\\n[fernet_receipts]\\nkey_repository = %s\\n' \
    \"$PWD/fernet-keys.next\" \"$PWD/fernet-keys.next\" > next.conf\n\
    keystone-manage --config-file keystone.conf --config-file next.conf fernet_rotate \
    --keystone-user keystone --keystone-group keystone\nrm -f next.conf";
const FETCH: &str = "# changeguard: fetch\ntar -C \"$OS_KEYSTONE_CONFIG_DIR/fernet-keys.next\" -cf - .";
const PLACE: &str = "# changeguard: place\nset -e\ncd \"$OS_KEYSTONE_CONFIG_DIR\"\nrm -rf fernet-keys.new\n\
    mkdir -m 700 fernet-keys.new\ntar -C fernet-keys.new -xpf -\nrm -rf fernet-keys.next\nmv fernet-keys.new fernet-keys.next";
/// New indexes first and the highest first, then the staged key, then what is gone; temporary files beside the folder.
const INSTALL: &str = "# changeguard: install\nset -e\ncd \"$OS_KEYSTONE_CONFIG_DIR\"\n\
    for k in $(ls fernet-keys.next | sort -rn); do\n\
    [ \"$k\" = 0 ] || [ -e fernet-keys/$k ] || { cp -p fernet-keys.next/$k fernet-keys.tmp; mv fernet-keys.tmp fernet-keys/$k; }\n\
    done\ncp -p fernet-keys.next/0 fernet-keys.tmp\nmv fernet-keys.tmp fernet-keys/0";
const PURGE: &str = "# changeguard: purge\nset -e\ncd \"$OS_KEYSTONE_CONFIG_DIR\"\n\
    for k in $(ls fernet-keys); do [ -e fernet-keys.next/$k ] || rm fernet-keys/$k; done";

/// Runs a script from the same start, cut after one program more each time until it is through, which is how it leaves the
/// node; every time it is done again after the cut, whole. Returns the number of programs at which it was cut.
async fn cut_everywhere(rig: &Rig, node: usize, script: &str, input: &[u8]) -> u64 {
    let (etc, start) = (rig.cluster().etc(node), rig.folder.path().join("start"));
    std::fs::remove_dir_all(&start).unwrap_or_default();
    copy(&etc, &start);
    let mut cuts = 0;
    loop {
        std::fs::remove_dir_all(&etc).unwrap();
        copy(&start, &etc);
        rig.cluster().cut_after(cuts + 1);
        let rule = rig.lab.faults().add(Rule::new(Service::NodeShell, Fault::ResetMidBody));
        let cut = fed(rig, node, script, input).await;
        rig.lab.faults().remove(rule);
        assert_eq!(cut.status.code(), Some(255));
        let lost = rig.cluster().still_valid(now());
        assert_eq!(lost, Vec::<String>::new(), "cut at program {} of {script}", cuts + 1);
        let counted =
            std::fs::read(rig.cluster().etc(node).join("../../lab/cut-count")).unwrap_or_default().len() as u64;
        assert!(fed(rig, node, script, input).await.status.success(), "again after a cut at program {}", cuts + 1);
        let lost = rig.cluster().still_valid(now());
        assert_eq!(lost, Vec::<String>::new(), "again after a cut at program {} of {script}", cuts + 1);
        if counted <= cuts {
            // It had no program left at which to be cut: it ran whole, and only its answer was lost.
            return cuts;
        }
        cuts += 1;
    }
}

async fn fed(rig: &Rig, node: usize, script: &str, input: &[u8]) -> std::process::Output {
    let mut child = rig.ssh(node, &[script]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A session that is cut takes no more of it.
    stdin.write_all(input).await.ok();
    drop(stdin);
    child.wait_with_output().await.unwrap()
}

#[tokio::test]
async fn a_rotation_that_is_cut_at_every_program_and_done_again_loses_no_token() {
    let rig = Rig::with(|options| options.most = 4).await;
    let old = rig.token(1).await;
    assert_eq!(cut_everywhere(&rig, 0, PREPARE, b"").await, 4, "rm, cp, keystone-manage, rm");
    let tar = rig.run(0, FETCH).await.stdout;
    assert!(tar.len() > 4 * 512);
    for node in 0..3 {
        if node > 0 {
            assert_eq!(cut_everywhere(&rig, node, PLACE, &tar).await, 5, "rm, mkdir, tar, rm, mv");
        }
        assert_eq!(
            cut_everywhere(&rig, node, INSTALL, b"").await,
            4,
            "cp and mv, for the new primary and for the staged key"
        );
        rig.token(node).await;
        assert_eq!(rig.cluster().still_valid(now()), Vec::<String>::new());
    }
    assert_eq!(rig.names(2), ["0", "15", "16", "17", "18"]);
    for node in 0..3 {
        rig.out(node, PURGE).await;
    }
    let state = rig.cluster().state();
    assert!(state.nodes.iter().all(|node| node.tokens == state.nodes[0].tokens));
    assert_eq!(rig.names(0), ["0", "16", "17", "18"]);
    assert_eq!((own(rig.port(2), &old).await, rig.cluster().still_valid(now()).len()), (200, 0));
    assert_eq!(rig.cluster().forbidden(), Vec::<String>::new());
}

#[tokio::test]
async fn a_copy_in_the_wrong_order_that_is_cut_is_caught_by_the_invariant() {
    let rig = Rig::new().await;
    rig.rotate(0).await;
    let tar = rig.run(0, "tar -C \"$OS_KEYSTONE_CONFIG_DIR/fernet-keys\" -cf - .").await.stdout;
    rig.token(0).await;
    // The staged key first: until the new primary is there, nothing at the node opens what the others make with it.
    let wrong = "# changeguard: wrong\nset -e\ncd \"$OS_KEYSTONE_CONFIG_DIR\"\nrm -rf new\nmkdir -m 700 new\n\
        tar -C new -xpf -\ncp -p new/0 fernet-keys/0\ncp -p new/18 fernet-keys/18";
    rig.cluster().cut_after(4);
    let rule = rig.lab.faults().add(Rule::new(Service::NodeShell, Fault::ResetMidBody));
    assert_eq!(fed(&rig, 1, wrong, &tar).await.status.code(), Some(255));
    rig.lab.faults().remove(rule);
    let lost = rig.cluster().still_valid(now());
    assert!(lost.len() == 1 && lost[0].contains("by node0") && lost[0].contains("401/404 at node1"), "{lost:?}");
    assert!(fed(&rig, 1, wrong, &tar).await.status.success());
    assert_eq!(rig.cluster().still_valid(now()), Vec::<String>::new());
}
