//! The scripts on this machine's own shell and folders: what each does, what it refuses, and that it can be killed at every program it
//! calls, before and after, and run again.

mod killed;

use super::*;
use crate::domain::fault::FaultKind;
use crate::domain::fernet::install::{self, Stage};
use crate::domain::fernet::repository::{Digest, Folder, Keys, Reader};
use crate::domain::fernet::rotation;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const NOW: Duration = Duration::ZERO;

/// A folder that stands for a node's `/etc/keystone`.
struct Etc {
    folder: tempfile::TempDir,
}

/// The content of the key with this number, and its digest.
fn content(n: u8) -> String {
    format!("{}=", format!("{n:02x}").repeat(22).get(..43).unwrap())
}

fn digest(n: u8) -> Digest {
    Digest::from_bytes(Sha256::digest(content(n)).into())
}

fn keys(pairs: &[(u32, u8)]) -> Keys {
    pairs.iter().map(|(index, n)| (*index, digest(*n))).collect()
}

impl Etc {
    /// With a live repository of these keys.
    fn with(pairs: &[(u32, u8)]) -> Self {
        let etc = Self { folder: tempfile::tempdir().unwrap() };
        etc.write("keys", pairs);
        etc
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn place(&self) -> Place {
        Place::new(self.path("keys").to_str().unwrap()).unwrap()
    }

    fn write(&self, name: &str, pairs: &[(u32, u8)]) {
        let folder = self.path(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        for (index, n) in pairs {
            let file = folder.join(index.to_string());
            fs::write(&file, content(*n)).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    /// What lies in a folder, read without any script. A name that is no number, or content that is no key, fails the test.
    fn keys(&self, name: &str) -> Keys {
        let Ok(entries) = fs::read_dir(self.path(name)) else { return Keys::new() };
        let entry = |entry: std::io::Result<fs::DirEntry>| {
            let entry = entry.unwrap();
            let text = fs::read_to_string(entry.path()).unwrap();
            assert_eq!(text.len(), 44, "{entry:?} is half a key");
            let digest = Digest::from_bytes(Sha256::digest(text).into());
            (entry.file_name().to_str().unwrap().parse().unwrap(), digest)
        };
        entries.map(entry).collect()
    }

    /// All names beside the live repository.
    fn beside(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|one| one.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names.retain(|name| name.starts_with("keys"));
        names
    }

    /// The keys of a folder as they would have been fetched.
    async fn archive(&self, name: &str) -> KeyArchive {
        here().fetch(self.path(name).to_str().unwrap(), &self.keys(name)).await.unwrap()
    }
}

fn here() -> NodeShell {
    by("sh -c {script}")
}

fn by(command: &str) -> NodeShell {
    let command = ["sh", "-c", command].map(str::to_owned);
    NodeShell::new(NodeParameters { timeout: Duration::from_secs(120), ..NodeParameters::new("node1", &command) })
        .unwrap()
}

/// A `keystone-manage` that does with files what the real one does (`rotate_keys`), and then ends with this status.
fn keystone_manage(folder: &Path, rotates: bool) -> String {
    let path = folder.join("manage");
    let new = content(0xee);
    let script = format!(
        "#!/bin/sh\nwhile [ $# -gt 0 ]; do if [ \"$1\" = --config-file ]; then c=$2; fi; shift; done\n\
         {} || exit 0\nfor k in $(sed -n 's/^key_repository = //p' \"$c\" | sort -u); do echo \"Promoted key 0\" >&2\n\
         printf %s {new} > \"$k/0.tmp\"; mv \"$k/0\" \"$k/3\"; mv \"$k/0.tmp\" \"$k/0\"; rm \"$k/1\"; done\n",
        if rotates { "true" } else { "false" }
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn preparation(etc: &Etc, rotates: bool) -> Prepare {
    let keystone_manage = keystone_manage(etc.folder.path(), rotates);
    let reader = Reader { user: "keystone".into(), group: "keystone".into() };
    Prepare {
        tokens: etc.place(),
        receipts: None,
        files: vec!["/etc/keystone/keystone.conf".into()],
        keystone_manage,
        reader,
        tag: "c1".into(),
    }
}

const OLD: [(u32, u8); 3] = [(0, 3), (1, 1), (2, 2)];
const NEW: [(u32, u8); 3] = [(0, 4), (2, 2), (3, 3)];

#[tokio::test]
async fn a_backup_is_private_whole_and_never_written_twice() {
    let etc = Etc::with(&OLD);
    let place = etc.place();
    let saved = here().save(&place, "c1", &keys(&OLD)).await.unwrap();
    assert!(saved.exists() && saved.is_private());
    assert_eq!(saved.repository.digests(), keys(&OLD));
    assert_eq!(etc.beside(), ["keys", "keys.changeguard-c1"], "the try leaves nothing behind");
    // What is saved is what was there before the case, whatever the live one has become.
    etc.write("keys", &NEW);
    assert_eq!(here().save(&place, "c1", &keys(&OLD)).await.unwrap().repository.digests(), keys(&OLD));
    let fault = here().save(&place, "c1", &keys(&NEW)).await.unwrap_err();
    assert!(fault.message.contains("is not what was seen at the check"), "{fault}");
    assert!(!here().look_at_backup(&place, "c2").await.unwrap().exists());
    here().drop_backup(&place, "c1").await.unwrap();
    assert_eq!(etc.beside(), ["keys"]);
}

#[tokio::test]
async fn a_rotation_in_a_copy_leaves_the_live_repository_and_happens_once() {
    let etc = Etc::with(&OLD);
    let prepared = here().prepare(&preparation(&etc, true)).await.unwrap();
    assert!(!prepared.was_there && prepared.said.contains("Promoted key 0") && prepared.status == Some(0));
    assert_eq!((etc.keys("keys"), etc.keys("keys.next")), (keys(&OLD), keys(&[(0, 0xee), (2, 2), (3, 3)])));
    let promotion = rotation::judge_prepared(&prepared.live[0], &prepared.next[0], 3).unwrap();
    assert_eq!((promotion.primary, promotion.promoted), (3, digest(3)));
    let again = here().prepare(&preparation(&etc, true)).await.unwrap();
    assert!(again.was_there && again.next[0].digests() == prepared.next[0].digests());
    assert_eq!(etc.beside(), ["keys", "keys.next", "keys.next.case"]);
}

#[tokio::test]
async fn receipts_in_a_folder_of_their_own_are_rotated_with_the_tokens() {
    let etc = Etc::with(&OLD);
    let receipts = [(0, 13), (1, 11), (2, 12)];
    etc.write("keys-of-receipts", &receipts);
    let place = Place::new(etc.path("keys-of-receipts").to_str().unwrap()).unwrap();
    let both = Prepare { receipts: Some(place), ..preparation(&etc, true) };
    for was_there in [false, true] {
        let prepared = here().prepare(&both).await.unwrap();
        assert_eq!((prepared.was_there, prepared.live.len(), prepared.next.len()), (was_there, 2, 2));
        for (live, next) in prepared.live.iter().zip(&prepared.next) {
            assert!(rotation::judge_prepared(live, next, 3).is_ok(), "{}", live.path);
        }
    }
    assert_eq!((etc.keys("keys"), etc.keys("keys-of-receipts")), (keys(&OLD), keys(&receipts)));
    assert_eq!(etc.keys("keys-of-receipts.next"), keys(&[(0, 0xee), (2, 12), (3, 13)]));
    // Killed between the two names: the tokens' stands for both, so that both are made anew.
    fs::remove_dir_all(etc.path("keys.next")).unwrap();
    assert!(!here().prepare(&both).await.unwrap().was_there);
}

#[tokio::test]
async fn a_file_system_without_room_changes_nothing_and_is_told() {
    let etc = Etc::with(&OLD);
    let place = etc.place();
    let archive = Etc::with(&NEW).archive("keys").await;
    // No file may grow: every write fails as on a full disk, and folders and names can be made still, as with a full quota.
    let full = by("ulimit -f 0; trap \"\" XFSZ; sh -c {script}");
    let faults = [
        full.save(&place, "c1", &keys(&OLD)).await.map(drop).unwrap_err(),
        full.place(&place, "c1", &archive).await.map(drop).unwrap_err(),
        full.prepare(&preparation(&etc, true)).await.map(drop).unwrap_err(),
    ];
    for fault in faults {
        assert_eq!(fault.kind, FaultKind::NoRoom, "{fault}");
    }
    assert_eq!(etc.keys("keys"), keys(&OLD));
    here().save(&place, "c1", &keys(&OLD)).await.unwrap();
    here().place(&place, "c1", &archive).await.unwrap();
    let forward = stages(&etc, &keys(&NEW));
    let fault = full.install(&place, "c1", None, &forward, None, NOW).await.unwrap_err();
    assert_eq!((fault.kind.clone(), etc.keys("keys")), (FaultKind::NoRoom, keys(&OLD)), "{fault}");
    here().install(&place, "c1", None, &forward, None, NOW).await.unwrap();
    here().clear(&place).await.unwrap();
    assert_eq!(etc.beside(), ["keys", "keys.changeguard-c1"]);
}

/// Every shell that is here and can be a node's `sh`.
fn shells() -> Vec<&'static str> {
    let is_here = |shell: &&str| {
        let name = shell.split(' ').next().unwrap_or_default();
        std::process::Command::new("sh").args(["-c", &format!("command -v {name}")]).output().unwrap().status.success()
    };
    ["sh", "dash", "bash", "bash --posix", "busybox sh"].into_iter().filter(is_here).collect()
}

#[tokio::test]
async fn every_shell_that_is_here_does_the_same() {
    for shell in shells() {
        let node = by(&format!("{shell} -c {{script}}"));
        let etc = Etc::with(&OLD);
        let place = etc.place();
        node.save(&place, "c1", &keys(&OLD)).await.unwrap();
        let prepared = node.prepare(&preparation(&etc, true)).await.unwrap();
        let promotion = rotation::judge_prepared(&prepared.live[0], &prepared.next[0], 3).unwrap();
        let archive = node.fetch(&place.next(), &promotion.keys).await.unwrap();
        assert!(node.place(&place, "c1", &archive).await.unwrap().was_there, "{shell}");
        let forward = stages(&etc, &promotion.keys);
        node.install(&place, "c1", None, &forward, None, NOW).await.unwrap();
        let purge = install::purge(&etc.keys("keys"), &promotion.keys, &keys(&[(1, 1)]), &Default::default()).unwrap();
        node.install(&place, "c1", None, &purge, None, NOW).await.unwrap();
        node.clear(&place).await.unwrap();
        assert_eq!(
            (etc.keys("keys"), etc.beside()),
            (promotion.keys, vec!["keys".into(), "keys.changeguard-c1".into()])
        );
        let [live, next, saved] = node.list_all(&place, "c1").await.unwrap();
        assert!(live.keys.len() == 3 && next.folder == Folder::Missing && saved.digests() == keys(&OLD), "{shell}");
    }
}

#[tokio::test]
async fn no_key_is_ever_in_an_argument() {
    let etc = Etc::with(&OLD);
    let place = etc.place();
    let log = etc.path("arguments");
    // The words as they are, kept before they are run.
    let command =
        ["sh", "-c", "printf \"%s\\n\" \"$@\" >> \"$0\"; eval sh -c \"$1\"", log.to_str().unwrap(), "{script}"];
    let node = NodeShell::new(NodeParameters::new("node1", &command.map(str::to_owned))).unwrap();
    node.save(&place, "c1", &keys(&OLD)).await.unwrap();
    let prepared = node.prepare(&preparation(&etc, true)).await.unwrap();
    let archive = node.fetch(&place.next(), &prepared.next[0].digests()).await.unwrap();
    node.place(&place, "c1", &archive).await.unwrap();
    node.install(&place, "c1", None, &stages(&etc, &archive.digests()), None, NOW).await.unwrap();
    node.clear(&place).await.unwrap();
    let said = fs::read_to_string(log).unwrap();
    assert!(said.contains(&digest(3).hex()), "the words were kept");
    for n in [1, 2, 3, 0xee] {
        assert!(!said.contains(&content(n)), "key {n}");
    }
}

#[tokio::test]
async fn a_link_to_the_live_repository_is_copied_by_what_it_leads_to() {
    let etc = Etc::with(&[]);
    etc.write("real", &OLD);
    fs::remove_dir(etc.path("keys")).unwrap();
    std::os::unix::fs::symlink(etc.path("real"), etc.path("keys")).unwrap();
    here().prepare(&preparation(&etc, true)).await.unwrap();
    assert_eq!(etc.keys("real"), keys(&OLD), "Keystone has not rotated through the link");
}

#[tokio::test]
async fn keystone_manage_that_ends_with_zero_and_has_done_nothing_is_found_out() {
    let etc = Etc::with(&OLD);
    let fault = here().prepare(&preparation(&etc, false)).await.unwrap_err();
    assert!(fault.message.contains("on node1: keystone-manage (status 0) has rotated nothing"), "{fault}");
    assert_eq!(etc.beside(), ["keys"], "the copy is removed");
    let missing = Prepare { keystone_manage: "/nonexistent/manage".into(), ..preparation(&etc, true) };
    let fault = here().prepare(&missing).await.unwrap_err();
    assert!(
        fault.message.contains("(status 127) has rotated nothing") && fault.message.contains("not found"),
        "{fault}"
    );
    assert_eq!((etc.keys("keys"), etc.beside()), (keys(&OLD), vec!["keys".to_owned()]));
    fs::remove_file(etc.path("keys/0")).unwrap();
    let fault = here().prepare(&preparation(&etc, true)).await.unwrap_err();
    assert!(fault.message.contains("no staged key"), "{fault}");
}

#[tokio::test]
async fn keys_go_from_node_to_node_with_owner_mode_and_time() {
    let (from, to) = (Etc::with(&NEW), Etc::with(&OLD));
    fs::set_permissions(to.path("keys"), fs::Permissions::from_mode(0o750)).unwrap();
    fs::set_permissions(to.path("keys/2"), fs::Permissions::from_mode(0o640)).unwrap();
    let archive = from.archive("keys").await;
    let placed = here().place(&to.place(), "c1", &archive).await.unwrap();
    assert!(!placed.was_there);
    assert_eq!((to.keys("keys.next"), to.keys("keys")), (keys(&NEW), keys(&OLD)));
    let Folder::Seen(access) = &placed.next.folder else { panic!() };
    assert_eq!((access.mode, placed.next.keys[&3].access.mode), (0o750, 0o640));
    let live = here().list(&[from.place().live().into()]).await.unwrap();
    assert_eq!(placed.next.keys[&3].mtime, live[0].keys[&3].mtime);
    assert!(here().place(&to.place(), "c1", &archive).await.unwrap().was_there);
    // What lies there already and is something else is nobody's to overwrite.
    let other = Etc::with(&[(0, 9), (1, 1)]).archive("keys").await;
    let fault = here().place(&to.place(), "c2", &other).await.unwrap_err();
    assert_eq!((fault.kind, to.keys("keys.next")), (FaultKind::Conflict, keys(&NEW)));
    // But what this very case has left there, of a rotation of which nobody has heard, gives way.
    assert!(!here().place(&to.place(), "c1", &other).await.unwrap().was_there);
    assert_eq!(to.keys("keys.next"), keys(&[(0, 9), (1, 1)]));
    here().clear(&to.place()).await.unwrap();
    assert_eq!(to.beside(), ["keys"]);
    let fault = here().fetch(from.place().live(), &keys(&OLD)).await.unwrap_err();
    assert!(fault.message.contains("holds other keys than were seen"), "{fault}");
}

/// The stages from what lies in `keys` to `wanted`.
fn stages(etc: &Etc, wanted: &Keys) -> Vec<Stage> {
    let live = etc.keys("keys");
    install::plan(&live, wanted, &install::used(std::slice::from_ref(&live))).unwrap()
}

#[tokio::test]
async fn an_installation_its_way_back_and_its_purge_end_where_they_should_and_can_be_repeated() {
    let etc = Etc::with(&OLD);
    let place = etc.place();
    here().save(&place, "c1", &keys(&OLD)).await.unwrap();
    let archive = Etc::with(&NEW).archive("keys").await;
    here().place(&place, "c1", &archive).await.unwrap();
    let forward = stages(&etc, &keys(&NEW));
    let done = here().install(&place, "c1", None, &forward, None, NOW).await.unwrap();
    assert_eq!((done.were_done, etc.keys("keys")), (0, keys(&[(0, 4), (1, 1), (2, 2), (3, 3)])));
    assert_eq!(done.live.digests(), etc.keys("keys"));
    assert_eq!(here().install(&place, "c1", None, &forward, None, NOW).await.unwrap().were_done, forward.len());
    let back = stages(&etc, &install::way_back(&keys(&OLD), &[etc.keys("keys")]).unwrap());
    here().install(&place, "c1", None, &back, None, NOW).await.unwrap();
    assert_eq!(etc.keys("keys"), keys(&OLD));
    here().install(&place, "c1", None, &forward, None, NOW).await.unwrap();
    let purge = install::purge(&etc.keys("keys"), &keys(&NEW), &keys(&[(1, 1)]), &Default::default()).unwrap();
    here().install(&place, "c1", None, &purge, None, NOW).await.unwrap();
    assert_eq!(etc.keys("keys"), keys(&NEW));
    assert_eq!(here().install(&place, "c1", None, &purge, None, NOW).await.unwrap().were_done, 1);
    here().clear(&place).await.unwrap();
    assert_eq!(etc.beside(), ["keys", "keys.changeguard-c1"]);
}

#[tokio::test]
async fn what_is_not_as_the_plan_says_stops_it_and_nothing_is_overwritten() {
    let etc = Etc::with(&OLD);
    let place = etc.place();
    etc.write("keys.next", &NEW);
    let add = |index, n| Stage::Add { index, digest: digest(n) };
    let staged = |from: Option<u8>, to| Stage::Staged { from: from.map(digest), to: digest(to) };
    let table = [
        (add(2, 3), FaultKind::Conflict),
        (add(5, 77), FaultKind::NotFound),
        (staged(Some(9), 4), FaultKind::Conflict),
        (staged(None, 4), FaultKind::Conflict),
        (Stage::Purge { index: 1, digest: digest(9) }, FaultKind::Conflict),
        (Stage::Purge { index: 0, digest: digest(3) }, FaultKind::Refused),
        (Stage::Purge { index: 2, digest: digest(2) }, FaultKind::Refused),
        (Stage::Demote { index: 2, digest: digest(2) }, FaultKind::Refused),
    ];
    for (stage, kind) in table {
        let fault = here().install(&place, "c1", None, &[stage], None, NOW).await.unwrap_err();
        assert_eq!((fault.kind.clone(), etc.keys("keys")), (kind, keys(&OLD)), "{stage:?}: {fault}");
        assert!(fault.message.contains(" on node1: key "), "{fault}");
    }
    assert_eq!(etc.beside(), ["keys", "keys.next"], "nothing temporary stays behind");
}

#[tokio::test]
async fn a_folder_at_which_another_script_works_is_left_alone() {
    let etc = Etc::with(&OLD);
    let held = fs::File::open(etc.path("keys")).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let fault = here().save(&etc.place(), "c1", &keys(&OLD)).await.unwrap_err();
    assert_eq!((fault.kind.clone(), etc.beside()), (FaultKind::TooMany, vec!["keys".to_owned()]), "{fault}");
    drop(held);
    here().save(&etc.place(), "c1", &keys(&OLD)).await.unwrap();
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_told_and_nothing_is_made() {
    let etc = Etc::with(&[]);
    fs::remove_dir(etc.path("keys")).unwrap();
    let archive = Etc::with(&NEW).archive("keys").await;
    let faults = [
        here().save(&etc.place(), "c1", &keys(&OLD)).await.map(drop).unwrap_err(),
        here().prepare(&preparation(&etc, true)).await.map(drop).unwrap_err(),
        here().place(&etc.place(), "c1", &archive).await.map(drop).unwrap_err(),
        here().install(&etc.place(), "c1", None, &[], None, NOW).await.map(drop).unwrap_err(),
        here().fetch(etc.place().live(), &keys(&OLD)).await.map(drop).unwrap_err(),
    ];
    for fault in faults {
        assert_eq!(fault.kind, FaultKind::NotFound, "{fault}");
    }
    here().clear(&etc.place()).await.unwrap();
    assert!(etc.beside().is_empty());
}
