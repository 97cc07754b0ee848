//! Whole cases of the Fernet runbook on the lab's cluster, through the desk: forward, back and out, with a death at every record and
//! at every call of a node; behind each every token that was ever issued is still accepted everywhere.

use super::fernet_rig::{Rig, now};
use crate::sample;
use changeguard::adapters::keystone_tokens::{Asking, Credentials, Named, TokenClient, TokenParameters};
use changeguard::adapters::lab::Moment;
use changeguard::adapters::nodes::{LookAt, NodeParameters, NodeShell, Vault};
use changeguard::adapters::store::SqlJournal;
use changeguard::adapters::system::{SystemClock, SystemEntropy};
use changeguard::domain::fernet::repository::Reader;
use changeguard::domain::fernet::watch::Thresholds;
use changeguard::domain::tenant::TenantId;
use changeguard::engine::case::machine::Order;
use changeguard::engine::case::status::Status;
use changeguard::engine::journal::{Holder, Instance, JournalStore};
use changeguard::engine::record::Actor;
use changeguard::engine::secret::SecretBytes;
use changeguard::engine::step::Progress;
use changeguard::engine::transport::Transport;
use changeguard::runbooks::fernet::{Fernet, Node, Purge, Rules, World};
use changeguard::runtime::case::{CaseDesk, Desk, Onlooker, RunFault, Seat};
use changeguard::runtime::fence::LeaseFence;
use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// Dies at the n-th time that it is told something.
#[derive(Default)]
pub struct Watches {
    told: Mutex<(u64, Option<u64>)>,
    dead: Notify,
}

impl Watches {
    pub fn dies_at(&self, at: u64) {
        self.told.lock().unwrap().1 = Some(at);
    }

    /// How often it was told something.
    pub fn told(&self) -> u64 {
        self.told.lock().unwrap().0
    }

    pub async fn dead(&self) {
        self.dead.notified().await;
    }
}

impl Onlooker for Watches {
    fn changed(&self, _: &dyn Desk) {
        let mut told = self.told.lock().unwrap();
        told.0 += 1;
        if told.1 == Some(told.0) {
            self.dead.notify_one();
        }
    }
    fn progress(&self, _: &dyn Desk, _: Progress) {}
}

pub fn world(rig: &Rig) -> World {
    let cluster = rig.cluster();
    let mut command = cluster.ssh();
    command.extend(["sudo", "-n", "sh", "-c", "{script}"].map(str::to_owned));
    let admin = cluster.admin();
    let named = |name: &str| Named::Name { name: name.to_owned(), domain: "default".into() };
    let password = || SecretBytes::new(admin.password.as_bytes().to_vec());
    let credentials = Arc::new(Credentials::Password {
        user: named(&admin.name),
        password: password(),
        project: Some(named(&admin.project)),
    });
    let node = |(name, url): (String, String)| {
        let (timeout, rotate_timeout) = (Duration::from_secs(60), Duration::from_secs(60));
        let shell = NodeShell::new(NodeParameters { timeout, rotate_timeout, ..NodeParameters::new(&name, &command) });
        let (connect, read, transport) = (Duration::from_secs(20), Duration::from_secs(60), Transport::default());
        let parameters =
            TokenParameters { node: name.clone(), url, ca_file: None, verify: true, transport, connect, read };
        let asking = Asking::new(TokenClient::new(parameters).unwrap(), credentials.clone());
        Node { name, files: Arc::new(shell.unwrap()), tokens: Some(Arc::new(asking)), traffic: None }
    };
    let nodes: Vec<Node> = cluster.names().into_iter().zip(cluster.urls()).map(node).collect();
    let look_at = LookAt { files: vec![cluster.conf_template()], directory: None, ..LookAt::default() };
    let user = rustix::process::getuid();
    let reader = Reader { user: name_of(user.as_raw(), "/etc/passwd"), group: name_of(user.as_raw(), "/etc/group") };
    let rules = Rules {
        distribution: 600,
        skew: 5,
        pause: Duration::from_millis(1),
        parallel: 8,
        purge: Purge::Typed,
        not_before_shuts_rotate: false,
        watch: Duration::ZERO,
        thresholds: Thresholds::default(),
    };
    let rotator = nodes[0].name.clone();
    World::new(nodes, rotator, look_at, reader, rules, Arc::new(SystemClock))
}

/// As whom the tests run: the lab's nodes belong to nobody else.
fn name_of(id: u32, file: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let found = text.lines().find(|line| line.split(':').nth(2) == Some(&id.to_string()));
    found.and_then(|line| line.split(':').next()).unwrap_or("root").to_owned()
}

pub async fn desk(rig: &Rig, watches: Arc<Watches>) -> CaseDesk<Fernet> {
    desk_of(rig, world(rig), watches).await
}

/// The same with a world of the caller's, and somebody who sits before it.
pub async fn desk_of(rig: &Rig, world: World, onlooker: Arc<dyn Onlooker>) -> CaseDesk<Fernet> {
    desk_at(rig, world, onlooker, ("ada", "bastion")).await
}

/// The same of another operator on another host, on the same journal.
pub async fn desk_at(
    rig: &Rig,
    world: World,
    onlooker: Arc<dyn Onlooker>,
    (name, at): (&str, &str),
) -> CaseDesk<Fernet> {
    let store: Arc<dyn JournalStore> = Arc::new(SqlJournal::in_folder(&rig.folder.path().join("state")).await.unwrap());
    CaseDesk::new(seat(store, onlooker, (name, at)), world)
}

/// What a desk needs besides its world: this operator on this host.
pub fn seat(store: Arc<dyn JournalStore>, onlooker: Arc<dyn Onlooker>, (name, at): (&str, &str)) -> Seat {
    let instance = Instance { id: format!("{name}@{at}"), boot: at.into(), namespace: "n".into(), started: 1 };
    let me = Holder::new(name.into(), at.into(), 1, Timestamp::now(), instance);
    let (by, host, person) = (name.to_owned(), at.to_owned(), name.to_owned());
    Seat {
        subject: "keystone/lab".into(),
        name: "lab".into(),
        key: TenantId::of_subject("keystone/lab").unwrap(),
        fence: Arc::new(LeaseFence::new(store.clone())),
        store,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        me,
        actor: Actor { by, host, person, ssh: None, unproven: None, environment: None },
        onlooker,
        postman: None,
    }
}

pub fn begin(stretch: &str) -> Order {
    Order::Begin { stretch: stretch.into(), confirm: "lab".into(), reference: "CHG-7".into() }
}

fn waives() -> Order {
    Order::SetAside { fact: "not-before".into(), reason: "nobody asks for expired tokens here".into() }
}

pub fn back() -> Order {
    Order::RollBack { confirm: "lab".into(), reason: "too many 401".into() }
}

pub fn nothing_lost(rig: &Rig, when: &str) {
    assert_eq!(rig.cluster().still_valid(now()), Vec::<String>::new(), "{when}");
    assert_eq!(rig.cluster().forbidden(), Vec::<String>::new(), "{when}");
}

/// All nodes hold these, and nothing of the case lies beside them.
pub fn is_clean(rig: &Rig, names: &[&str], when: &str) {
    for node in 0..3 {
        assert_eq!(rig.names(node), names, "{when}: node{node}");
        let beside: Vec<String> = std::fs::read_dir(rig.cluster().etc(node))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("fernet-keys") && name != "fernet-keys")
            .collect();
        assert_eq!(beside, Vec::<String>::new(), "{when}: node{node}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_changes_no_answer_and_the_purge_waits_for_its_moment_whatever_is_said() {
    // The oldest key ceased to be the primary an hour ago.
    let rig = Rig::with(|options| options.rotated = Duration::from_secs(3600)).await;
    for node in 0..3 {
        rig.token(node).await;
    }
    let desk = desk(&rig, Arc::default()).await;
    desk.reload().await.unwrap();
    desk.look().await;
    let status = desk.status();
    assert_eq!((status.phase, status.attention.as_slice()), ("idle", &[] as &[String]), "{:?}", status.gates);
    assert!(status.gates["rotate"].is_open(), "{:?}", status.gates["rotate"]);
    let refused = desk.run(Order::Begin { stretch: "rotate".into(), confirm: "x".into(), reference: "".into() }).await;
    assert!(matches!(refused, Err(RunFault::Refused(_))), "{refused:?}");
    let said = desk.run(begin("rotate")).await.unwrap();
    assert!(said.contains("purge waits for its word"), "{said}");
    nothing_lost(&rig, "behind the installation");
    let status = desk.status();
    assert_eq!(status.phase, "half-way");
    let checked = serde_json::to_value(&status.steps[5]).unwrap()["evidence"].as_str().unwrap().to_owned();
    assert!(checked.contains("36 of 36 tokens accepted (old and new)"), "{checked}");
    // The key that is to go is needed for days still.
    assert!(status.next.until.is_some() && status.next.order.is_none(), "{:?}", status.next);
    let shut = desk.run(begin("purge")).await.unwrap_err();
    assert!(shut.to_string().contains("not-before: to be purged: key"), "{shut}");
    let unheard = desk.run(waives()).await.unwrap_err();
    assert!(unheard.to_string().contains("not-before can't be set aside"), "tokens that live have no word: {unheard}");
    // Where its moment has passed the way is whole.
    let rig = Rig::new().await;
    let before = rig.names(0);
    let desk = super::fernet_case::desk(&rig, Arc::default()).await;
    desk.run(begin("rotate")).await.unwrap();
    desk.run(begin("purge")).await.unwrap();
    let status = desk.status();
    assert_eq!((status.phase, status.ended), ("idle", Some("done")));
    assert!(status.next.order.is_none() && status.next.text.contains("nothing is due"), "{:?}", status.next);
    let after = rig.names(0);
    assert_eq!(after.len(), before.len(), "{before:?} {after:?}");
    assert_ne!(after, before);
    is_clean(&rig, &after.iter().map(String::as_str).collect::<Vec<_>>(), "at the end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_back_ends_where_it_began_and_keeps_what_was_issued_meanwhile() {
    let rig = Rig::new().await;
    let before = rig.names(0);
    let desk = desk(&rig, Arc::default()).await;
    desk.run(begin("rotate")).await.unwrap();
    let new = rig.token(1).await;
    let said = desk.run(back()).await.unwrap();
    assert!(said.starts_with("rolled back: 3 nodes have what was saved in force again; tokens issued"), "{said}");
    nothing_lost(&rig, "back");
    assert_eq!(super::fernet_rig::own(rig.port(2), &new).await, 200, "issued with the new primary");
    is_clean(&rig, &before.iter().map(String::as_str).collect::<Vec<_>>(), "back");
    assert_eq!(desk.status().ended, Some("rolled back"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_wrong_on_a_node_shuts_the_gate_and_is_named_and_nothing_is_touched() {
    type Spoils = fn(&Rig);
    let spoil: [(&str, &str, Spoils); 6] = [
        ("nodes", "node2", |rig| rig.cluster().power(2, false)),
        ("digests", "node1", |rig| {
            std::fs::write(rig.cluster().etc(1).join("fernet-keys/0"), "A".repeat(43) + "=").unwrap();
        }),
        ("repository", "node1", |rig| {
            std::fs::write(rig.cluster().etc(1).join("fernet-keys/backup.tgz"), "x").unwrap()
        }),
        ("repository", "node0", |rig| std::fs::write(rig.cluster().etc(0).join("fernet-keys/0.tmp"), "x").unwrap()),
        ("clocks", "node2", |rig| rig.cluster().skew(2, 90).unwrap()),
        ("settings", "max_active_keys", |rig| {
            let file = rig.cluster().etc(2).join("keystone.conf");
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(file, text + "\n[fernet_tokens]\nmax_active_keys = 7\n").unwrap();
        }),
    ];
    for (name, told, wrong) in spoil {
        let rig = Rig::new().await;
        wrong(&rig);
        let before: Vec<Vec<String>> = (0..3).map(|node| rig.names(node)).collect();
        let desk = desk(&rig, Arc::default()).await;
        let shut = desk.run(begin("rotate")).await.unwrap_err().to_string();
        assert!(shut.contains(name) && shut.contains(told), "{name}: {shut}");
        desk.look().await;
        let status = desk.status();
        assert!(status.case.is_none(), "{name}: nothing was begun");
        assert!(status.gates["rotate"].reasons().iter().any(|fact| fact.name == name), "{:?}", status.gates);
        assert_eq!((0..3).map(|node| rig.names(node)).collect::<Vec<_>>(), before, "{name}");
    }
}

/// Where a walk's process dies.
#[derive(Clone, Copy, Debug)]
enum Point {
    Record(u64),
    Call(u64, Moment),
}

/// What an operator does.
pub fn way(name: &str) -> Vec<Order> {
    match name {
        "forward" => vec![begin("rotate"), begin("purge")],
        "back" => vec![begin("rotate"), back()],
        _ => vec![begin("check"), Order::Cancel { note: "another day".into() }],
    }
}

/// Goes the way and dies once; then only what is wanted still, or is offered, is done. Gives how much there was to die at.
async fn walk(name: &str, point: Option<Point>) -> (u64, u64) {
    let rig = Rig::new().await;
    let old = rig.token(0).await;
    let before = rig.names(0);
    let watches = Arc::new(Watches::default());
    let calls = rig.lab.faults().calls();
    match point {
        Some(Point::Record(at)) => watches.told.lock().unwrap().1 = Some(at),
        Some(Point::Call(at, moment)) => rig.lab.faults().trip(at, moment),
        None => {}
    }
    let mut left = way(name);
    let mut died = false;
    {
        let desk = desk(&rig, watches.clone()).await;
        desk.reload().await.unwrap();
        while let Some(order) = left.first().cloned() {
            tokio::select! {
                biased;
                () = watches.dead.notified() => died = true,
                _ = rig.lab.faults().tripped() => died = true,
                result = desk.run(order.clone()) => { result.unwrap_or_else(|fault| panic!("{name}: {order:?}: {fault}")); }
            }
            if died {
                break;
            }
            left.remove(0);
        }
    }
    rig.lab.faults().release();
    let counted = (watches.told.lock().unwrap().0, rig.lab.faults().calls() - calls);
    nothing_lost(&rig, &format!("{name} {point:?}: dead"));
    if died {
        let desk = desk(&rig, Arc::default()).await;
        for acts in 0.. {
            assert!(acts < 40, "{name} {point:?}: no end: {:?}", desk.status());
            desk.reload().await.unwrap();
            desk.look().await;
            let status = desk.status();
            if status.phase == "idle" && status.ended.is_some() {
                break;
            }
            let order = wanted(&status, &left).unwrap_or_else(|| {
                let order = status.next.order.clone();
                order.unwrap_or_else(|| panic!("{name} {point:?}: nothing is offered: {status:?}"))
            });
            let order = match order {
                Order::Begin { stretch, .. } => begin(&stretch),
                order => order,
            };
            match desk.run(order.clone()).await {
                Ok(_) => {}
                Err(fault) if waits_for_the_other_script(&fault) => {}
                Err(fault) => panic!("{name} {point:?}: {order:?}: {fault}"),
            }
            nothing_lost(&rig, &format!("{name} {point:?}: behind {order:?}"));
        }
        assert_eq!(super::fernet_rig::own(rig.port(1), &old).await, 200, "{name} {point:?}: issued before");
    }
    let end = desk(&rig, Arc::default()).await;
    end.reload().await.unwrap();
    let names = rig.names(0);
    let expected = match name {
        "forward" => "done",
        "back" => "rolled back",
        _ => "cancelled",
    };
    assert_eq!(end.status().ended, Some(expected), "{name} {point:?}");
    assert_eq!(names == before, name != "forward", "{name} {point:?}: {before:?} {names:?}");
    is_clean(&rig, &names.iter().map(String::as_str).collect::<Vec<_>>(), &format!("{name} {point:?}"));
    counted
}

/// What a dead process, or a lost connection, had begun on a node goes on there; it is met, and not worked against.
pub fn waits_for_the_other_script(fault: &RunFault) -> bool {
    matches!(fault, RunFault::Fault(fault) if fault.message.contains("another script works on"))
}

/// What the operator still wants, where it can be had now.
pub fn wanted(status: &Status, left: &[Order]) -> Option<Order> {
    match (status.phase, left) {
        ("idle", [first, ..]) => Some(first.clone()),
        ("half-way", [.., last @ Order::RollBack { .. }]) => Some(last.clone()),
        ("open", [.., last @ Order::Cancel { .. }]) => Some(last.clone()),
        _ => None,
    }
}

async fn deaths(name: &'static str) {
    let (told, calls) = walk(name, None).await;
    assert!(told > 3 && calls > 2, "{name}: told {told} times, {calls} calls");
    let records = (1..=told).map(Point::Record);
    let calls = (1..=calls).flat_map(|at| [Moment::Before, Moment::After].map(|moment| Point::Call(at, moment)));
    let points: Vec<Point> = records.chain(calls).collect();
    let all = points.len();
    let chosen = sample::chosen(&format!("deaths of a Fernet case, {name}"), points, 1);
    let count = chosen.len();
    for point in chosen {
        walk(name, Some(point)).await;
    }
    println!("Fernet {name}: {count} deaths walked of {all}, each with the same end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_anywhere_on_the_way_forward_it_ends_rotated_and_loses_no_token() {
    deaths("forward").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_anywhere_on_the_way_back_it_ends_where_it_began_and_loses_no_token() {
    deaths("back").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_anywhere_before_a_change_it_is_cancelled_and_leaves_nothing() {
    deaths("out").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_saved_is_kept_encrypted_too_where_a_command_is_configured_and_can_be_restored_from_there() {
    let rig = Rig::new().await;
    let folder = rig.folder.path().join("archive");
    let argv = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    // No age is needed to test it: a stream of random bytes over the text, its seed before it.
    let seal = "$s = int rand 2 ** 31; srand $s; print pack('N', $s), map { chr(ord ^ int rand 256) } split //";
    let open = "srand unpack 'N', $_; print map { chr(ord ^ int rand 256) } split //, substr $_, 4";
    let limit = Duration::from_secs(60);
    let perl = |script: &str| argv(&["perl", "-0777ne", script]);
    let vault = Vault::new(folder.clone(), perl(seal), perl(open), limit);
    let mut world = world(&rig);
    world.vault = Some(Arc::new(vault));
    let before: Vec<String> = rig.names(0).iter().map(|name| read(&rig, name)).collect();
    let desk = desk_of(&rig, world, Arc::new(Watches::default())).await;
    desk.run(begin("rotate")).await.unwrap();
    let saved = serde_json::to_value(&desk.status().steps[1]).unwrap()["evidence"].as_str().unwrap().to_owned();
    assert!(saved.contains("unencrypted, and could be restored; encrypted by your command at"), "{saved}");
    assert!(saved.contains("opened again and equal by digest"), "{saved}");
    let kept: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let sealed = std::fs::read(&kept[0]).unwrap();
    assert!(before.iter().all(|key| !sealed.windows(key.len()).any(|found| found == key.as_bytes())));
    // A person restores it by hand: the command, and tar.
    let script = format!("perl -0777ne \"$1\" < {} | tar -x", kept[0].display());
    let out = rig.folder.path().join("restored");
    std::fs::create_dir(&out).unwrap();
    let done = std::process::Command::new("sh").args(["-c", &script, "sh", open]).current_dir(&out).status().unwrap();
    assert!(done.success());
    let mut restored: Vec<String> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap().trim().to_owned())
        .collect();
    let mut wanted = before.clone();
    restored.sort();
    wanted.sort();
    assert_eq!(restored, wanted);
    // Where the command fails nothing is changed, and that is told.
    let rig = Rig::new().await;
    let broken = Vault::new(folder, argv(&["sh", "-c", "echo no recipients >&2; exit 1"]), Vec::new(), limit);
    let mut world = super::fernet_case::world(&rig);
    world.vault = Some(Arc::new(broken));
    let desk = desk_of(&rig, world, Arc::new(Watches::default())).await;
    let fault = desk.run(begin("rotate")).await.unwrap_err().to_string();
    assert!(fault.contains("sh ended with 1") && !fault.contains("no recipients"), "{fault}");
    assert!(!desk.status().steps[2].state.is_done());
    desk.run(Order::Cancel { note: String::new() }).await.unwrap();
    nothing_lost(&rig, "cancelled");
}

fn read(rig: &Rig, name: &str) -> String {
    std::fs::read_to_string(rig.keys(0).join(name)).unwrap().trim().to_owned()
}
