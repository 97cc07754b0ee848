//! Somebody else takes keys away, or rotates by hand, at the worst moment of a case: no key is lost by what the program does then, and
//! what is offered leads to an end.

use super::fernet_case::{back, begin, desk_of, nothing_lost, world};
use super::fernet_rig::Rig;
use changeguard::domain::fault::Fault;
use changeguard::domain::fernet::watch::Counts;
use changeguard::engine::case::machine::Order;
use changeguard::engine::ports::nodes::NodeTraffic;
use changeguard::engine::step::Progress;
use changeguard::runtime::case::{Desk, Onlooker};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Act = Box<dyn FnOnce() + Send>;

/// Does something once a progress tells this.
struct Once {
    at: &'static str,
    act: Mutex<Option<Act>>,
}

impl Once {
    fn at(at: &'static str, act: impl FnOnce() + Send + 'static) -> Arc<Self> {
        Arc::new(Self { at, act: Mutex::new(Some(Box::new(act))) })
    }
}

impl Onlooker for Once {
    fn changed(&self, _: &dyn Desk) {}
    fn progress(&self, _: &dyn Desk, progress: Progress) {
        if progress.text.contains(self.at)
            && let Some(act) = self.act.lock().unwrap().take()
        {
            act();
        }
    }
}

fn folders(rig: &Rig) -> Vec<PathBuf> {
    (0..3).map(|node| rig.keys(node)).collect()
}

fn indexes(keys: &Path) -> Vec<u32> {
    let names = std::fs::read_dir(keys).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut all: Vec<u32> = names.filter_map(|name| name.parse().ok()).collect();
    all.sort_unstable();
    all
}

/// Takes a key away, and out of what lies beside it, too.
fn lose(keys: &Path, index: u32) {
    let (parent, name) = (keys.parent().unwrap(), keys.file_name().unwrap().to_str().unwrap().to_owned());
    for entry in std::fs::read_dir(parent).unwrap().flatten() {
        if entry.file_name().to_str().unwrap().starts_with(&name) {
            let _ = std::fs::remove_file(entry.path().join(index.to_string()));
        }
    }
}

/// Rotates as `keystone-manage` does, with a new key that is the same on every node.
fn rotate(keys: &Path, new: char) {
    let top = indexes(keys).pop().unwrap() + 1;
    let staged = keys.join("0");
    std::fs::rename(&staged, keys.join(top.to_string())).unwrap();
    std::fs::write(&staged, format!("{}=", new.to_string().repeat(43))).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&staged, std::fs::Permissions::from_mode(0o600)).unwrap();
    let all = indexes(keys);
    for index in &all[1..all.len() - 2] {
        std::fs::remove_file(keys.join(index.to_string())).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_somebody_takes_away_within_a_purge_is_lent_by_who_has_it_and_what_nobody_has_holds_nothing_up() {
    for is_nowhere in [false, true] {
        let rig = Rig::new().await;
        let all = folders(&rig);
        let lost = indexes(&all[0]).pop().unwrap();
        let act = move || match is_nowhere {
            false => std::fs::remove_file(all[1].join(lost.to_string())).unwrap(),
            true => all.iter().for_each(|keys| lose(keys, lost)),
        };
        let desk = desk_of(&rig, world(&rig), Once::at("node0 is purged", act)).await;
        desk.run(begin("rotate")).await.unwrap();
        let mut said = desk.run(begin("purge")).await;
        for _ in 0..2 {
            if said.is_err() {
                said = desk.run(Order::Resume).await;
            }
        }
        let said = said.unwrap_or_else(|fault| panic!("{is_nowhere}: {fault}"));
        assert_eq!(desk.status().ended, Some("done"));
        let lies: Vec<bool> = (0..3).map(|node| indexes(&rig.keys(node)).contains(&lost)).collect();
        assert_eq!(lies, [!is_nowhere; 3], "{said}");
        assert_eq!(said.contains("lies on no node any more"), is_nowhere, "{said}");
        if !is_nowhere {
            nothing_lost(&rig, "purged");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_saved_stays_where_it_is_the_last_copy_of_a_key_and_the_status_has_said_who_changed_what() {
    let rig = Rig::new().await;
    let all = folders(&rig);
    let primary = indexes(&all[0]).pop().unwrap();
    let act = move || {
        for keys in &all {
            rotate(keys, 'A');
            rotate(keys, 'B');
        }
    };
    let desk = desk_of(&rig, world(&rig), Once::at("node2 is saved", act)).await;
    desk.run(begin("rotate")).await.unwrap_err();
    assert!(indexes(&rig.keys(0)).iter().all(|index| *index != primary), "the colleague's second rotation purged it");
    desk.look().await;
    let attention = desk.status().attention;
    let told = format!("lacks key {primary} (");
    assert!(attention.iter().any(|item| item.contains("changed keys") && item.contains(&told)), "{attention:?}");
    let said = desk.run(Order::Cancel { note: String::new() }).await.unwrap();
    assert_eq!(desk.status().ended, Some("cancelled"), "{said}");
    for node in 0..3 {
        let left = rig.out(node, &format!("ls {}.changeguard-*; true", rig.keys(node).display())).await;
        assert!(left.lines().any(|line| line == primary.to_string()), "node{node}: {left}");
    }
    let evidence = format!("{:?}", desk.status().journal);
    assert!(evidence.contains("what was saved stays on the nodes"), "{evidence}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_has_lost_the_key_which_is_to_encrypt_again_is_lent_it_on_the_way_back() {
    let rig = Rig::new().await;
    let all = folders(&rig);
    let primary = indexes(&all[0]).pop().unwrap();
    let keys = all[1].clone();
    let act = move || std::fs::remove_file(keys.join(primary.to_string())).unwrap();
    let desk = desk_of(&rig, world(&rig), Once::at("node0 has it in force", act)).await;
    let forward = desk.run(begin("rotate")).await;
    if let Err(fault) = forward {
        println!("forward: {fault}");
    }
    desk.run(back()).await.unwrap();
    assert_eq!(desk.status().ended, Some("rolled back"));
    for node in 0..3 {
        assert_eq!(indexes(&rig.keys(node)).pop(), Some(primary), "node{node}");
    }
    nothing_lost(&rig, "back");
}

/// Answers of a node whose users are refused once `bad` says so: half of a hundred at each look.
struct Answers {
    bad: Arc<AtomicBool>,
    counts: Mutex<Counts>,
}

#[async_trait::async_trait]
impl NodeTraffic for Answers {
    async fn counts(&self) -> Result<Counts, Fault> {
        let mut counts = self.counts.lock().unwrap();
        counts.requests += 100;
        counts.refused += if self.bad.load(Ordering::SeqCst) { 50 } else { 0 };
        Ok(*counts)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_refuses_its_users_after_the_watch_had_ended_keeps_the_purge_from_its_first_change() {
    let rig = Rig::new().await;
    let bad = Arc::new(AtomicBool::new(false));
    let mut world = world(&rig);
    world.rules.watch = Duration::from_secs(1);
    for (number, node) in world.nodes.iter_mut().enumerate() {
        let bad = if number == 1 { bad.clone() } else { Arc::default() };
        node.traffic = Some(Arc::new(Answers { bad, counts: Mutex::default() }));
    }
    let desk = desk_of(&rig, world, Once::at("never", || {})).await;
    desk.run(begin("rotate")).await.unwrap();
    let before = folders(&rig).iter().map(|keys| indexes(keys)).collect::<Vec<_>>();
    bad.store(true, Ordering::SeqCst);
    for order in [begin("purge"), Order::Resume] {
        let fault = desk.run(order).await.unwrap_err().to_string();
        assert!(fault.contains("node1: 50.0 % refused tokens"), "{fault}");
    }
    assert_eq!(folders(&rig).iter().map(|keys| indexes(keys)).collect::<Vec<_>>(), before);
    bad.store(false, Ordering::SeqCst);
    let said = desk.run(Order::Resume).await.unwrap();
    assert_eq!(desk.status().ended, Some("done"));
    assert!(said.contains("answers, no spike"), "{said}");
    nothing_lost(&rig, "purged");
}
