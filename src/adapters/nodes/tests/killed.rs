//! Every script is killed before and after every program with which it changes something, and run again: the live repository never
//! lacks a key that a reader needs, and the end is the same.

use super::*;

/// The programs with which scripts change something.
const CHANGING: [&str; 8] = ["cp", "mv", "ln", "rm", "mkdir", "chown", "chmod", "tar"];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    Before,
    After,
}

/// Programs that stand before the real ones in `PATH`, count their calls, and at one of them kill the whole group as a lost node does.
struct Killer {
    folder: tempfile::TempDir,
}

impl Killer {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().to_str().unwrap().to_owned();
        for name in CHANGING {
            let found = std::process::Command::new("sh").args(["-c", &format!("command -v {name}")]).output().unwrap();
            let real = String::from_utf8(found.stdout).unwrap().trim().to_owned();
            let script = format!(
                "#!/bin/sh\nread n < {at}/count; n=$((n+1)); echo $n > {at}/count\nread k m < {at}/kill\n\
                 if [ $n = $k ] && [ $m = Before ]; then kill -9 0; fi\n{real} \"$@\"; r=$?\n\
                 if [ $n = $k ] && [ $m = After ]; then kill -9 0; fi\nexit $r\n"
            );
            fs::write(folder.path().join(name), script).unwrap();
            fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { folder }
    }

    fn arm(&self, nth: usize, moment: Moment) -> NodeShell {
        fs::write(self.folder.path().join("count"), "0\n").unwrap();
        fs::write(self.folder.path().join("kill"), format!("{nth} {moment:?}\n")).unwrap();
        by(&format!("PATH={}:$PATH sh -c {{script}}", self.folder.path().display()))
    }
}

/// Runs `act` with a kill at every call, before and after; `check` sees the state after the kill, then `act` runs to its end, and `done`
/// sees the state after that. Says how many kills there were.
async fn walk<F>(
    start: impl Fn() -> Etc,
    act: impl Fn(NodeShell, Place) -> F,
    check: impl Fn(&Etc),
    done: impl Fn(&Etc),
) -> usize
where
    F: Future<Output = Result<(), crate::domain::fault::Fault>>,
{
    let killer = Killer::new();
    let mut kills = 0;
    for moment in [Moment::Before, Moment::After] {
        for nth in 1.. {
            let etc = start();
            let outcome = act(killer.arm(nth, moment), etc.place()).await;
            check(&etc);
            let Err(fault) = outcome else { break };
            assert_eq!(fault.kind, FaultKind::Reset, "{moment:?} call {nth}: {fault}");
            kills += 1;
            act(here(), etc.place()).await.unwrap_or_else(|fault| panic!("again after {moment:?} call {nth}: {fault}"));
            check(&etc);
            done(&etc);
        }
    }
    kills
}

fn lacks_nothing(etc: &Etc, needed: &[u8]) {
    let live = etc.keys("keys");
    assert!(live.contains_key(&0), "no staged key: {live:?}");
    for n in needed {
        assert!(live.values().any(|held| *held == digest(*n)), "key {n} is gone: {live:?}");
    }
}

#[tokio::test]
async fn saving_and_placing_killed_anywhere_leave_the_live_repository_and_complete_when_run_again() {
    let archive = Etc::with(&NEW).archive("keys").await;
    let archive = &archive;
    let act = |node: NodeShell, place: Place| async move {
        node.save(&place, "c1", &keys(&OLD)).await?;
        node.place(&place, "c1", archive).await.map(drop)
    };
    let check = |etc: &Etc| {
        assert_eq!(etc.keys("keys"), keys(&OLD));
        // What has its name is whole.
        for (name, wanted) in [("keys.changeguard-c1", keys(&OLD)), ("keys.next", keys(&NEW))] {
            let held = etc.keys(name);
            assert!(held.is_empty() && !etc.path(name).exists() || held == wanted, "{name}: {held:?}");
        }
    };
    let done = |etc: &Etc| assert_eq!(etc.beside(), ["keys", "keys.changeguard-c1", "keys.next", "keys.next.case"]);
    let kills = walk(|| Etc::with(&OLD), act, check, done).await;
    assert!(kills >= 30, "{kills}");
}

#[tokio::test]
async fn an_installation_killed_anywhere_lacks_no_key_and_completes_when_run_again() {
    let start = || {
        let etc = Etc::with(&OLD);
        etc.write("keys.next", &NEW);
        etc
    };
    let forward = stages(&start(), &keys(&NEW));
    let forward = &forward;
    let act = |node: NodeShell, place: Place| async move {
        node.install(&place, "c1", None, forward, None, NOW).await.map(drop)
    };
    let kills = walk(
        start,
        act,
        // Every token of before, and of a node that has installed already.
        |etc| lacks_nothing(etc, &[1, 2, 3]),
        |etc| {
            assert_eq!(etc.keys("keys"), keys(&[(0, 4), (1, 1), (2, 2), (3, 3)]));
            assert_eq!(etc.beside(), ["keys", "keys.next"]);
        },
    )
    .await;
    assert!(kills >= 16, "{kills}");
}

#[tokio::test]
async fn a_way_back_killed_anywhere_lacks_no_key_and_ends_at_what_was_saved() {
    let start = || {
        let etc = Etc::with(&[(0, 4), (1, 1), (2, 2), (3, 3)]);
        etc.write("keys.changeguard-c1", &OLD);
        etc
    };
    let back = stages(&start(), &keys(&OLD));
    let back = &back;
    let act = |node: NodeShell, place: Place| async move {
        node.install(&place, "c1", None, back, None, NOW).await.map(drop)
    };
    let check = |etc: &Etc| lacks_nothing(etc, &[1, 2, 3]);
    let kills = walk(start, act, check, |etc| assert_eq!(etc.keys("keys"), keys(&OLD))).await;
    assert!(kills >= 10, "{kills}");
}

#[tokio::test]
async fn a_purge_and_a_clearing_killed_anywhere_take_only_what_they_may() {
    let start = || {
        let etc = Etc::with(&[(0, 4), (1, 1), (2, 2), (3, 3)]);
        etc.write("keys.next", &NEW);
        etc
    };
    let purge = install::purge(&start().keys("keys"), &keys(&NEW), &keys(&[(1, 1)]), &Default::default()).unwrap();
    let purge = &purge;
    let act = |node: NodeShell, place: Place| async move {
        node.install(&place, "c1", None, purge, None, NOW).await?;
        node.clear(&place).await
    };
    let done = |etc: &Etc| {
        assert_eq!(etc.keys("keys"), keys(&NEW));
        assert_eq!(etc.beside(), ["keys"]);
    };
    let kills = walk(start, act, |etc| lacks_nothing(etc, &[2, 3, 4]), done).await;
    assert!(kills >= 4, "{kills}");
}

#[tokio::test]
async fn a_preparation_killed_anywhere_leaves_the_live_repository_and_promotes_once_when_run_again() {
    let start = || Etc::with(&OLD);
    let act = |node: NodeShell, place: Place| async move {
        let folder = Path::new(place.live()).parent().unwrap().to_owned();
        let keystone_manage = keystone_manage(&folder, true);
        let reader = Reader { user: "keystone".into(), group: "keystone".into() };
        node.prepare(&Prepare {
            tokens: place,
            receipts: None,
            files: vec![],
            keystone_manage,
            reader,
            tag: "c1".into(),
        })
        .await
        .map(drop)
    };
    let next = keys(&[(0, 0xee), (2, 2), (3, 3)]);
    let check = |etc: &Etc| {
        assert_eq!(etc.keys("keys"), keys(&OLD));
        let held = etc.keys("keys.next");
        assert!(held.is_empty() || held == next, "{held:?}");
    };
    let done = |etc: &Etc| {
        assert_eq!(etc.keys("keys.next"), next);
        assert_eq!(etc.beside(), ["keys", "keys.next", "keys.next.case"]);
    };
    let kills = walk(start, act, check, done).await;
    assert!(kills >= 12, "{kills}");
}
