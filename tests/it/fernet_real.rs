//! Against real Keystone nodes behind real ssh: whole rotations by the leaf parts alone, counted under load, and what is found of nodes
//! that are not as they should be. Ignored unless asked for; told by the environment:
//!
//! * `FERNET_SSH_CONFIG`: an ssh configuration in which the nodes are called `fernet0`, `fernet1`, ...
//! * `FERNET_NODES` (3), `FERNET_PORT` (15000): node i answers at `http://127.0.0.1:PORT+i/v3`
//! * `FERNET_PASSWORD`: of the user `admin` of the project `admin` in the domain `default`
//!
//! `cargo test --test it fernet_real -- --ignored --test-threads 1`

// Clippy knows tests by their attribute; what several of them share is test code too.
#![allow(clippy::unwrap_used)]

use changeguard::adapters::keystone_tokens::{Credentials, Named, Token, TokenClient, TokenParameters};
use changeguard::adapters::nodes::{
    KeyArchive, LEAST_FREE_KIB, Look, LookAt, NodeParameters, NodeShell, Place, Prepare,
};
use changeguard::domain::fault::{Fault, FaultKind};
use changeguard::domain::fernet::agreement::{Agreement, compare};
use changeguard::domain::fernet::finding::{Finding, findings};
use changeguard::domain::fernet::install::{Stage, lacking, plan, purge, used, way_back};
use changeguard::domain::fernet::matrix::{self, Age, Cell, Outcome, Way};
use changeguard::domain::fernet::repository::{Keys, Reader, Repository};
use changeguard::domain::fernet::rotation::{Promotion, judge_prepared};
use changeguard::domain::fernet::settings::divergences;
use changeguard::engine::secret::SecretBytes;
use changeguard::engine::transport::Transport;
use futures_util::future::{join_all, try_join_all};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const TAG: &str = "live-test";
const PAUSE: Duration = Duration::from_secs(1);

fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("set {name} (see the head of this file)"))
}

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

struct Cluster {
    shells: Vec<NodeShell>,
    clients: Vec<TokenClient>,
}

fn names() -> Vec<String> {
    (0..number("FERNET_NODES", 3)).map(|at| format!("fernet{at}")).collect()
}

fn shell_parameters(name: &str, options: &[&str]) -> NodeParameters {
    let config = told("FERNET_SSH_CONFIG");
    let mut command: Vec<String> = ["ssh", "-F", &config].map(str::to_owned).into();
    command.extend(options.iter().map(|option| (*option).to_owned()));
    command.extend(["{node}", "sh", "-c", "{script}"].map(str::to_owned));
    // Several share this machine; on a host of its own everything takes a tenth of it.
    let (timeout, rotate_timeout) = (Duration::from_secs(90), Duration::from_secs(180));
    NodeParameters { timeout, rotate_timeout, ..NodeParameters::new(name, &command) }
}

fn shell(name: &str, options: &[&str]) -> NodeShell {
    NodeShell::new(shell_parameters(name, options)).unwrap()
}

fn cluster() -> Cluster {
    let client = |(at, node): (usize, String)| {
        let url = format!("http://127.0.0.1:{}/v3", number("FERNET_PORT", 15_000) + at);
        let (connect, read) = (Duration::from_secs(20), Duration::from_secs(120));
        let transport = Transport::default();
        TokenClient::new(TokenParameters { node, url, ca_file: None, verify: true, transport, connect, read }).unwrap()
    };
    Cluster {
        shells: names().iter().map(|name| shell(name, &[])).collect(),
        clients: names().into_iter().enumerate().map(client).collect(),
    }
}

fn credentials() -> Credentials {
    let named = || Named::Name { name: "admin".into(), domain: "default".into() };
    let password = SecretBytes::new(told("FERNET_PASSWORD").into_bytes());
    Credentials::Password { user: named(), password, project: Some(named()) }
}

fn reader() -> Reader {
    Reader { user: "keystone".into(), group: "keystone".into() }
}

fn place() -> Place {
    Place::new("/etc/keystone/fernet-keys").unwrap()
}

/// Runs something on a node that no part of ours would: to make it as it should not be.
fn spoil(name: &str, command: &str) {
    let status =
        std::process::Command::new("ssh").args(["-F", &told("FERNET_SSH_CONFIG"), name, command]).status().unwrap();
    assert!(status.success(), "{name}: {command}");
}

impl Cluster {
    async fn look(&self) -> Vec<Look> {
        let at = LookAt::default();
        try_join_all(self.shells.iter().map(|shell| shell.look(&at))).await.unwrap()
    }

    async fn live(&self) -> Vec<Repository> {
        let folders = [place().live().to_owned()];
        let all = try_join_all(self.shells.iter().map(|shell| shell.list(&folders))).await.unwrap();
        all.into_iter().flatten().collect()
    }

    async fn keys(&self) -> Vec<Keys> {
        self.live().await.iter().map(Repository::digests).collect()
    }

    async fn agreement(&self) -> Agreement {
        compare(&self.live().await)
    }

    /// One token of each node.
    async fn issue(&self) -> Vec<Token> {
        let credentials = credentials();
        try_join_all(self.clients.iter().map(|client| client.issue(&credentials))).await.unwrap()
    }

    /// Every cell of every node, old and new.
    async fn matrix(&self, old: &[Token]) -> BTreeMap<Cell, Outcome> {
        let new = self.issue().await;
        let mut measured = BTreeMap::new();
        for cell in matrix::cells(&names(), &names()[0], &[Age::Old, Age::New]) {
            let at = |name: &str| names().iter().position(|node| node == name).unwrap();
            let (issuer, validator) = (at(&cell.issuer), at(&cell.validator));
            let token = if cell.age == Age::Old { &old[issuer] } else { &new[issuer] };
            let client = &self.clients[validator];
            let answer = match cell.way {
                Way::Own => client.validate_own(token).await,
                Way::Subject => client.validate_subject(token, &new[validator]).await,
            };
            let outcome =
                answer.map_or_else(|fault| Outcome::Failed(fault.message), |said| Outcome::Status(said.status));
            measured.insert(cell, outcome);
        }
        measured
    }

    async fn assert_green(&self, old: &[Token], when: &str) {
        let measured = self.matrix(old).await;
        let wanted = matrix::cells(&names(), &names()[0], &[Age::Old, Age::New]);
        let verdict = matrix::judge(&wanted, &measured, false);
        assert!(verdict.is_green(), "{when}: {}", verdict.message());
    }

    /// Rotates in a copy on the first node, and brings the result to all.
    async fn prepare_and_distribute(&self, looks: &[Look]) -> Promotion {
        let prepare = Prepare {
            tokens: place(),
            receipts: None,
            files: looks[0].files.clone(),
            keystone_manage: looks[0].keystone_manage.clone().unwrap(),
            reader: reader(),
            tag: "c1".into(),
        };
        let prepared = self.shells[0].prepare(&prepare).await.unwrap();
        assert!(prepared.said.contains("Promoted key 0") || prepared.was_there, "{}", prepared.said);
        let most = looks[0].settings.tokens.max_active_keys;
        let promotion = judge_prepared(&prepared.live[0], &prepared.next[0], most).unwrap();
        let archive = self.shells[0].fetch(&place().next(), &promotion.keys).await.unwrap();
        self.distribute(&archive).await;
        promotion
    }

    async fn distribute(&self, archive: &KeyArchive) {
        let at = place();
        try_join_all(self.shells.iter().map(|shell| shell.place(&at, "c1", archive))).await.unwrap();
        let folders = [at.next()];
        let next = try_join_all(self.shells.iter().map(|shell| shell.list(&folders))).await.unwrap();
        assert!(compare(&next.into_iter().flatten().collect::<Vec<_>>()).is_same());
    }

    /// Brings every node to `wanted`, one after the other, with the matrix after each.
    async fn install(&self, wanted: &Keys, old: &[Token]) {
        let nodes = self.keys().await;
        assert!(lacking(wanted, &nodes).is_empty(), "everybody knows the new primary already");
        let used = used(&nodes);
        for (at, shell) in self.shells.iter().enumerate() {
            let stages = plan(&nodes[at], wanted, &used).unwrap();
            let done = shell.install(&place(), TAG, None, &stages, None, PAUSE).await.unwrap();
            assert_eq!(done.were_done, 0);
            self.assert_green(old, &format!("after {} of {}", stages.len(), shell.name())).await;
        }
        assert!(self.agreement().await.is_same());
    }

    async fn clean(&self) {
        for shell in &self.shells {
            shell.clear(&place()).await.unwrap();
            shell.drop_backup(&place(), TAG).await.unwrap();
        }
    }
}

/// A 500, or the connection closed without an answer: what a Keystone that can't read a key does depends on its WSGI server.
fn is_broken(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::ServerError(500) | FaultKind::Reset) && fault.advice().contains("repository")
}

/// Issues and validates everywhere until it is stopped; counts what is not as it should be.
struct Load {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<Vec<String>>,
}

impl Load {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (asked, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (stopped, count, wrong) = (stop.clone(), asked.clone(), failed.clone());
        let task = tokio::spawn(async move {
            let cluster = cluster();
            let mut said = Vec::new();
            let mut tokens = cluster.issue().await;
            let mut turn = 0;
            while !stopped.load(Ordering::Relaxed) {
                let node = turn % cluster.clients.len();
                // Every tenth turn a new token, which stays for thirty; in between each is shown at every node.
                if turn % 10 == 9 {
                    match cluster.clients[node].issue(&credentials()).await {
                        Ok(token) => tokens.push(token),
                        Err(fault) => said.push(fault.to_string()),
                    }
                    if tokens.len() > 30 {
                        tokens.remove(0);
                    }
                }
                let token = &tokens[turn * 7 % tokens.len()];
                let answers = join_all(cluster.clients.iter().map(|client| client.validate_own(token))).await;
                for (client, answer) in cluster.clients.iter().zip(answers) {
                    count.fetch_add(1, Ordering::Relaxed);
                    match answer {
                        Ok(answer) if answer.status == 200 => {}
                        other => said.push(format!("{}: {other:?}", client.node())),
                    }
                }
                wrong.store(said.len() as u64, Ordering::Relaxed);
                turn += 1;
            }
            said
        });
        Self { stop, asked, failed, task }
    }

    async fn end(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let said = self.task.await.unwrap();
        assert_eq!(said.len() as u64, self.failed.load(Ordering::Relaxed));
        (self.asked.load(Ordering::Relaxed), said)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs real nodes"]
async fn what_is_seen_of_healthy_nodes_is_true_and_nothing_is_wrong() {
    let looks = cluster().look().await;
    for (look, name) in looks.iter().zip(names()) {
        assert_eq!(look.hostname, name);
        assert!(look.keystone_manage.as_deref().is_some_and(|path| path.ends_with("keystone-manage")));
        assert!(look.free_kib.is_some_and(|free| free > LEAST_FREE_KIB));
        assert_eq!(findings(&look.tokens, Some(&reader())), []);
        assert!(look.settings.objections().is_empty() && look.receipts.is_none());
        assert_eq!(look.settings.tokens.path, "/etc/keystone/fernet-keys");
        assert!(look.clock_ms.abs_diff(looks[0].clock_ms) < 120_000);
    }
    let settings: Vec<_> = names().into_iter().zip(looks.iter().map(|look| look.settings.clone())).collect();
    assert_eq!(divergences(&settings), []);
    let seen: Vec<Repository> = looks.into_iter().map(|look| look.tokens).collect();
    assert!(compare(&seen).is_same());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs real nodes"]
async fn a_rotation_there_and_back_and_there_again_under_load_fails_no_validation() {
    let cluster = cluster();
    cluster.clean().await;
    let looks = cluster.look().await;
    let before = looks[0].tokens.digests();
    let old = cluster.issue().await;
    cluster.assert_green(&old, "before").await;
    let load = Load::start();
    for shell in &cluster.shells {
        assert!(shell.save(&place(), TAG, &before).await.unwrap().is_private());
    }
    let began = Instant::now();
    let promotion = cluster.prepare_and_distribute(&looks).await;
    assert!(cluster.keys().await.iter().all(|keys| *keys == before), "no live repository was touched by then");
    let first = promotion.with_the_purged(&before);
    cluster.install(&first, &old).await;
    println!("forward took {:.1} s with its matrices", began.elapsed().as_secs_f32());
    let new = cluster.issue().await;
    // Back: what was issued meanwhile stays valid.
    let back = way_back(&before, &cluster.keys().await).unwrap();
    assert_eq!(back, before);
    cluster.install(&back, &new).await;
    cluster.assert_green(&old, "back, the oldest tokens").await;
    assert_eq!(cluster.keys().await, vec![before.clone(); names().len()]);
    // There again, and then the purge.
    cluster.install(&first, &new).await;
    let leaving = |index: &u32| promotion.purged.contains(index);
    let leaving: Keys = before.iter().filter(|(index, _)| leaving(index)).map(|(i, d)| (*i, *d)).collect();
    for (at, shell) in cluster.shells.iter().enumerate() {
        let stages: Vec<Stage> =
            purge(&cluster.keys().await[at], &promotion.keys, &leaving, &Default::default()).unwrap();
        shell.install(&place(), TAG, None, &stages, None, PAUSE).await.unwrap();
    }
    assert_eq!(cluster.keys().await, vec![promotion.keys.clone(); names().len()]);
    cluster.clean().await;
    let (asked, said) = load.end().await;
    println!("{asked} validations under load, {} failed: {said:?}", said.len());
    assert!(said.is_empty() && asked > 100, "{asked} validations, {said:?}");
    assert!(cluster.live().await.iter().all(|seen| findings(seen, Some(&reader())).is_empty()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs real nodes"]
async fn what_is_wrong_on_a_node_is_named_and_the_matrix_shows_what_keystone_makes_of_it() {
    let cluster = cluster();
    let wrong = |at: usize| {
        let cluster = &cluster;
        async move {
            let seen = cluster.live().await;
            let found = findings(&seen[at], Some(&reader()));
            found.iter().map(Finding::message).collect::<Vec<_>>().join("; ")
        }
    };
    let keys = "/etc/keystone/fernet-keys";
    // A stray file of root's is a 500 for everybody there.
    spoil("fernet1", &format!("touch {keys}/backup.tgz && chmod 600 {keys}/backup.tgz"));
    let (found, issued) = (wrong(1).await, cluster.clients[1].issue(&credentials()).await);
    spoil("fernet1", &format!("rm {keys}/backup.tgz"));
    assert!(found.contains("fernet1: /etc/keystone/fernet-keys/backup.tgz is no key"), "{found}");
    assert!(is_broken(&issued.unwrap_err()));
    // A key of root's.
    spoil("fernet2", &format!("chown root:root {keys}/0"));
    let (found, issued) = (wrong(2).await, cluster.clients[2].issue(&credentials()).await);
    spoil("fernet2", &format!("chown keystone:keystone {keys}/0"));
    assert!(found.contains("fernet2: fernet-keys/0 is root:root 0600, so that Keystone can't read it"), "{found}");
    assert!(is_broken(&issued.unwrap_err()));
    // A rotation that was killed.
    spoil("fernet0", &format!("mv {keys}/0 {keys}/0.tmp"));
    let found = wrong(0).await;
    spoil("fernet0", &format!("mv {keys}/0.tmp {keys}/0"));
    assert!(found.contains("0 is missing"), "{found}");
    // A job on a node that is not the rotator.
    spoil("fernet2", "echo '0 3 * * * root X=secret keystone-manage fernet_rotate' > /etc/cron.d/fernet");
    let looks = cluster.look().await;
    spoil("fernet2", "rm /etc/cron.d/fernet");
    let jobs: Vec<_> = looks.iter().flat_map(|look| &look.jobs).collect();
    assert_eq!((jobs.len(), jobs[0].node.as_str(), jobs[0].interval), (1, "fernet2", Some(86_400)));
    assert!(!jobs[0].line.contains("secret"), "{}", jobs[0].line);
    assert_eq!(wrong(0).await + &wrong(1).await + &wrong(2).await, "", "all is as it was");
    let old = cluster.issue().await;
    cluster.assert_green(&old, "after all").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs real nodes"]
async fn a_host_key_that_is_not_known_and_a_node_that_is_not_there_are_told_apart() {
    let unknown = shell("fernet0", &["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]);
    let fault = unknown.list(&[place().live().into()]).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::HostKey, "{fault}");
    assert!(fault.message.contains("fernet0"), "{fault}");
    let nowhere = shell("fernet0", &["-p", "1"]);
    let fault = nowhere.list(&[place().live().into()]).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable, "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs real nodes"]
async fn two_rotations_without_distribution_are_red_and_the_union_cures_them() {
    use changeguard::domain::fernet::union::unite;
    let cluster = cluster();
    cluster.clean().await;
    let old = cluster.issue().await;
    let before = cluster.keys().await;
    assert!(cluster.agreement().await.is_same());
    for shell in &cluster.shells {
        shell.save(&place(), TAG, &before[0]).await.unwrap();
    }
    for _ in 0..2 {
        spoil(
            "fernet0",
            "keystone-manage fernet_rotate --keystone-user keystone --keystone-group keystone 2>/dev/null",
        );
    }
    let agreement = cluster.agreement().await;
    assert!(agreement.message().contains("fernet1 refuses new tokens of fernet0"), "{}", agreement.message());
    let wanted = matrix::cells(&names(), &names()[0], &[Age::Old, Age::New]);
    let verdict = matrix::judge(&wanted, &cluster.matrix(&old).await, false);
    assert!(
        verdict.message().contains("fernet1 refuses new tokens of fernet0 (401 own, 404 subject)"),
        "{}",
        verdict.message()
    );
    // The union: keys from whoever has them, beside every node, then installed in the order of every installation.
    let seen = cluster.live().await;
    let union = unite(&seen, "fernet0").unwrap();
    let folder = place().live().to_owned();
    let own = cluster.shells[0].fetch(&folder, &seen[0].digests()).await.unwrap();
    let others = cluster.shells[1].fetch(&folder, &seen[1].digests()).await.unwrap();
    let archive = KeyArchive::compose(&union.wanted, &[&own, &others]).unwrap();
    cluster.distribute(&archive).await;
    let nodes = cluster.keys().await;
    let used = used(&nodes);
    for (at, shell) in cluster.shells.iter().enumerate() {
        let stages = plan(&nodes[at], &union.wanted, &used).unwrap();
        shell.install(&place(), TAG, None, &stages, None, PAUSE).await.unwrap();
    }
    assert!(cluster.agreement().await.is_same());
    cluster.assert_green(&old, "after the union").await;
    // Back to three keys for whoever comes next; the tokens of this test may go.
    let kept: Keys =
        union.wanted.iter().rev().take(2).chain(union.wanted.iter().take(1)).map(|(i, d)| (*i, *d)).collect();
    let leaving = union.wanted.iter().filter(|(index, _)| !kept.contains_key(index));
    let leaving: Keys = leaving.map(|(index, digest)| (*index, *digest)).collect();
    for (at, shell) in cluster.shells.iter().enumerate() {
        let stages = purge(&cluster.keys().await[at], &kept, &leaving, &Default::default()).unwrap();
        shell.install(&place(), TAG, None, &stages, None, PAUSE).await.unwrap();
    }
    cluster.clean().await;
    assert!(cluster.agreement().await.is_same() && cluster.keys().await != before);
}

/// One call of an installation that may be cut off, or met while an earlier one that was cut off is still at work on the node.
async fn cut(shell: &NodeShell, stages: &[Stage]) -> bool {
    match shell.install(&place(), TAG, None, stages, None, PAUSE).await {
        Ok(_) => true,
        Err(fault) => {
            let is_expected = matches!(fault.kind, FaultKind::TimedOut | FaultKind::TooMany | FaultKind::Reset);
            assert!(is_expected, "{fault}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs real nodes"]
async fn an_installation_whose_connection_is_cut_again_and_again_breaks_no_token_and_completes() {
    let cluster = cluster();
    cluster.clean().await;
    let looks = cluster.look().await;
    let before = looks[0].tokens.digests();
    let old = cluster.issue().await;
    for shell in &cluster.shells {
        shell.save(&place(), TAG, &before).await.unwrap();
    }
    let promotion = cluster.prepare_and_distribute(&looks).await;
    let first = promotion.with_the_purged(&before);
    let load = Load::start();
    let mut cuts = 0;
    for wanted in [first.clone(), before.clone()] {
        for (at, name) in names().iter().enumerate() {
            // Made once and repeated as it is: what is done is found done.
            let nodes = cluster.keys().await;
            let stages = plan(&nodes[at], &wanted, &used(&nodes)).unwrap();
            for tenths in [1, 3, 5, 8, 12, 18, 25] {
                let mut patience = shell_parameters(name, &[]);
                patience.timeout = Duration::from_millis(100 * tenths);
                cuts += usize::from(!cut(&NodeShell::new(patience).unwrap(), &stages).await);
                let keys = &cluster.keys().await[at];
                let is_held = |needed: &&_| keys.values().any(|held| held == *needed);
                assert!(before.values().all(|needed| is_held(&needed)), "{name} after {tenths} tenths: {keys:?}");
            }
            // Whoever was cut off last goes on by itself until its end, and is waited for by asking.
            let mut is_whole = false;
            for _ in 0..200 {
                is_whole = cut(&cluster.shells[at], &stages).await;
                if is_whole {
                    break;
                }
            }
            assert!(is_whole, "{name} did not come to its end");
        }
        assert_eq!(cluster.keys().await, vec![wanted; names().len()]);
        cluster.assert_green(&old, "after all were cut off").await;
    }
    let (asked, said) = load.end().await;
    println!("{cuts} cuts, {asked} validations under load, {} failed: {said:?}", said.len());
    assert!(cuts > 0 && said.is_empty(), "{cuts} cuts, {said:?}");
    cluster.clean().await;
}
