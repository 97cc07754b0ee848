//! What is wrong with one repository, each with the node, the path and what to do. What differs between nodes is `agreement`.

use super::repository::{Access, Folder, KeyFile, Reader, Repository};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What Keystone writes while it rotates and renames to `0` at once: one that stays behind was killed in between.
pub const TEMPORARY: &str = "0.tmp";

/// Whether something may go on in spite of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// To be shown.
    Notice,
    /// Nothing may be changed before it is corrected.
    Shut,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// There is no such folder.
    FolderMissing,
    /// The folder can't be listed; why.
    FolderUnreadable(String),
    /// There is no key in it at all.
    FolderEmpty,
    /// Others than owner and group may enter or change it.
    FolderTooOpen(u32),
    /// The user that Keystone runs as can't read the folder.
    FolderShutToKeystone(Access),
    /// There is no staged key.
    StagedMissing,
    /// There is only a staged key: nothing that encrypts but it.
    PrimaryMissing,
    /// A rotation was killed between its two renames (with `0` missing), or before the first (with `0` there).
    LeftoverTemporary {
        /// Whether `0` is there.
        staged: bool,
    },
    /// A name that is no number; Keystone opens the file at every request all the same.
    NotNumeric(String),
    /// A name that Python reads as a key's number though it is written otherwise.
    OddNumber {
        /// The name.
        name: String,
        /// As what Python reads it.
        read_as: i64,
    },
    /// A folder, or something else that is no plain file.
    NotAFile(String),
    /// A key's file could not be read by root.
    KeyUnreadable(u32),
    /// A key's content is not 44 characters of url-safe base64; its size in bytes.
    NotAKey(u32, u64),
    /// Others than owner and group may read or write it; its mode.
    KeyTooOpen(u32, u32),
    /// Owner or group is another than that of the rest; whose it is, and whose the rest.
    KeyOfAnother(u32, Access, Access),
    /// Owner or group of all keys is another than the folder's.
    KeysNotOfFolder(Access, Access),
    /// The user that Keystone runs as can't read a key.
    KeyShutToKeystone(u32, Access),
    /// The same content under several indexes.
    Duplicate(Vec<u32>),
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// On which node.
    pub node: String,
    /// The file or folder.
    pub path: String,
    /// What.
    pub trouble: Trouble,
}

impl Finding {
    /// Whether it must be corrected first.
    pub fn weight(&self) -> Weight {
        match self.trouble {
            // Decrypting with it twice is harmless, and it is what the cure of a lost primary looks like.
            Trouble::Duplicate(_) => Weight::Notice,
            _ => Weight::Shut,
        }
    }

    /// What was found, a lower-case fragment that begins with the node.
    pub fn message(&self) -> String {
        let what = match &self.trouble {
            Trouble::FolderMissing => "does not exist: Keystone answers every token with 500 there".into(),
            Trouble::FolderUnreadable(why) => format!("can't be listed: {why}"),
            Trouble::FolderEmpty => "holds no key: Keystone answers every token with 500 there".into(),
            Trouble::FolderTooOpen(mode) => {
                format!("has mode {mode:04o}: users of that host who are neither owner nor group may enter it")
            }
            Trouble::FolderShutToKeystone(access) => format!("is {}, so that Keystone can't read it", access.text()),
            Trouble::StagedMissing => "is missing: the staged key, without which no rotation is possible".into(),
            Trouble::PrimaryMissing => {
                "holds a staged key only: it is both primary and staged, and one rotation kills every token".into()
            }
            Trouble::LeftoverTemporary { staged: false } => {
                "was left by a rotation that was killed after it had promoted the staged key: 0 is missing".into()
            }
            Trouble::LeftoverTemporary { staged: true } => {
                "was left by a rotation that was killed before it changed anything (or one is running now)".into()
            }
            Trouble::NotNumeric(_) => {
                "is no key, and Keystone opens it at every request: 500 for everybody if it can't, or if it vanishes"
                    .into()
            }
            Trouble::OddNumber { read_as, .. } => format!("is read by Keystone as key {read_as}"),
            Trouble::NotAFile(_) => "is no plain file".into(),
            Trouble::KeyUnreadable(_) => "can't be read".into(),
            Trouble::NotAKey(_, bytes) => {
                format!("is no key ({bytes} bytes, not 44 characters of base64): Keystone answers with 500 there")
            }
            Trouble::KeyTooOpen(_, mode) => {
                format!("has mode {mode:04o}: whoever reads it can make tokens for anybody")
            }
            Trouble::KeyOfAnother(_, access, rest) => {
                format!("is {}, the other keys are {}", access.text(), rest.text())
            }
            Trouble::KeysNotOfFolder(access, folder) => {
                format!("is {}, the keys in it are {}", folder.text(), access.text())
            }
            Trouble::KeyShutToKeystone(_, access) => {
                format!("is {}, so that Keystone can't read it: 500 for every token there", access.text())
            }
            Trouble::Duplicate(indexes) => format!("holds the same key as {}", listed(indexes)),
        };
        // The name first, the way to it last: what decides is not what a narrow screen cuts.
        let name = self.path.rmatch_indices('/').nth(1).map_or(self.path.as_str(), |(at, _)| &self.path[at + 1..]);
        format!("{}: {name} {what} ({})", self.node, self.path)
    }

    /// What to do about it.
    pub fn advice(&self) -> String {
        let path = &self.path;
        match &self.trouble {
            Trouble::FolderMissing | Trouble::FolderEmpty => {
                "nothing was changed; install the repository of a healthy node there (never fernet_setup: its new keys \
                 would be unknown to all others)"
                    .into()
            }
            Trouble::FolderUnreadable(_) => {
                "nothing was changed; let the command that reaches the node run as root (sudo -n)".into()
            }
            Trouble::FolderTooOpen(_) => format!("chmod o-rwx,g-w {path}"),
            Trouble::FolderShutToKeystone(_) => {
                format!("give it the owner and mode that the other nodes have, such as keystone:keystone 0700: {path}")
            }
            Trouble::StagedMissing => {
                "if 0.tmp is there, rename it to 0; else install the repository of a healthy node (never fernet_setup: it \
                 would rotate)"
                    .into()
            }
            Trouble::PrimaryMissing => "set max_active_keys to 3 or more and install the repository of a healthy node".into(),
            Trouble::LeftoverTemporary { staged: false } => {
                format!("see that no rotation runs, then: mv {path} {}", path.trim_end_matches(".tmp"))
            }
            Trouble::LeftoverTemporary { staged: true } => format!("see that no rotation runs, then delete {path}"),
            Trouble::NotNumeric(_) | Trouble::NotAFile(_) => {
                format!("find out whose it is, then move it out of the folder (temporary files go beside it): {path}")
            }
            Trouble::OddNumber { .. } => format!("find out whose it is, then rename or remove {path}"),
            Trouble::KeyUnreadable(_) => format!("see what the file system says on the node: {path}"),
            Trouble::NotAKey(..) => {
                format!("put the key of a healthy node there (same index, same digest), or remove it if none has it: {path}")
            }
            Trouble::KeyTooOpen(..) => {
                format!("chmod o-rwx,g-w {path}; if strangers have an account there, the key counts as known to them")
            }
            Trouble::KeyOfAnother(_, _, rest) => format!("chown {}:{} {path}", rest.owner, rest.group),
            Trouble::KeysNotOfFolder(access, _) => {
                format!("if Keystone runs as {0}: chown {0}:{1} {path}", access.owner, access.group)
            }
            Trouble::KeyShutToKeystone(..) => {
                format!("give it the owner and mode of the other keys, such as keystone:keystone 0600: {path}")
            }
            Trouble::Duplicate(_) => "harmless; a later purge removes it".into(),
        }
    }
}

fn listed(indexes: &[u32]) -> String {
    let words: Vec<String> = indexes.iter().map(u32::to_string).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Everything that is wrong with a repository, the folder first, then by index, then strays. `reader` is as whom Keystone runs,
/// where that is known: without it only what contradicts itself is found.
pub fn findings(seen: &Repository, reader: Option<&Reader>) -> Vec<Finding> {
    let mut found = Vec::new();
    let path = seen.path.trim_end_matches('/').to_owned();
    let mut say = |path: String, trouble| found.push(Finding { node: seen.node.clone(), path, trouble });
    let folder = match &seen.folder {
        Folder::Missing => {
            say(path, Trouble::FolderMissing);
            return found;
        }
        Folder::Unreadable(why) => {
            say(path, Trouble::FolderUnreadable(why.clone()));
            return found;
        }
        Folder::Seen(access) => access,
    };
    if folder.mode & 0o027 != 0 && is_open(folder.mode) {
        say(path.clone(), Trouble::FolderTooOpen(folder.mode));
    }
    if reader.is_some_and(|reader| !folder.lets(reader, 5)) {
        say(path.clone(), Trouble::FolderShutToKeystone(folder.clone()));
    }
    let leftover = seen.strays.iter().any(|stray| stray.name == TEMPORARY);
    if seen.keys.is_empty() && !leftover {
        say(path.clone(), Trouble::FolderEmpty);
    } else if !seen.keys.contains_key(&0) && !leftover {
        say(seen.file(0), Trouble::StagedMissing);
    } else if seen.primary().is_none() && seen.keys.contains_key(&0) {
        say(path.clone(), Trouble::PrimaryMissing);
    }
    let usual = usual(seen, folder);
    for (index, key) in &seen.keys {
        judge_key(*index, key, usual.as_ref(), reader, |trouble| say(seen.file(index), trouble));
    }
    // That the folder is root's and lets a group in is a usual way too; what can't be is a folder of nobody that the keys know.
    if let Some(usual) = &usual
        && reader.is_none()
        && (usual.owner != folder.owner || usual.group != folder.group)
    {
        say(path, Trouble::KeysNotOfFolder(usual.clone(), folder.clone()));
    }
    for (indexes, file) in duplicates(seen) {
        say(file, Trouble::Duplicate(indexes));
    }
    for stray in &seen.strays {
        let trouble = match (stray.name.as_str(), stray.read_as()) {
            (TEMPORARY, _) => Trouble::LeftoverTemporary { staged: seen.keys.contains_key(&0) },
            (name, Some(read_as)) => Trouble::OddNumber { name: name.into(), read_as },
            (name, None) if stray.is_file => Trouble::NotNumeric(name.into()),
            (name, None) => Trouble::NotAFile(name.into()),
        };
        say(seen.file(&stray.name), trouble);
    }
    found
}

/// Others may do anything, or the group may write.
fn is_open(mode: u32) -> bool {
    mode & 0o007 != 0 || mode & 0o020 != 0
}

fn judge_key(index: u32, key: &KeyFile, usual: Option<&Access>, reader: Option<&Reader>, mut say: impl FnMut(Trouble)) {
    if key.digest.is_none() {
        say(Trouble::KeyUnreadable(index));
    } else if !key.is_well_formed {
        say(Trouble::NotAKey(index, key.bytes));
    }
    if is_open(key.access.mode) {
        say(Trouble::KeyTooOpen(index, key.access.mode));
    }
    if let Some(usual) = usual
        && (usual.owner != key.access.owner || usual.group != key.access.group)
    {
        say(Trouble::KeyOfAnother(index, key.access.clone(), usual.clone()));
    }
    if reader.is_some_and(|reader| !key.access.lets(reader, 4)) {
        say(Trouble::KeyShutToKeystone(index, key.access.clone()));
    }
}

/// The owner and group that most keys have; of several, the folder's.
fn usual(seen: &Repository, folder: &Access) -> Option<Access> {
    let mut counts: BTreeMap<(&str, &str), (usize, &Access)> = BTreeMap::new();
    for key in seen.keys.values() {
        counts.entry((&key.access.owner, &key.access.group)).or_insert((0, &key.access)).0 += 1;
    }
    let is_folders = |access: &Access| access.owner == folder.owner && access.group == folder.group;
    counts.into_values().max_by_key(|(count, access)| (*count, is_folders(access))).map(|(_, access)| access.clone())
}

/// For each content that lies under several indexes: the others, and the file of the highest.
fn duplicates(seen: &Repository) -> Vec<(Vec<u32>, String)> {
    let mut of: BTreeMap<_, Vec<u32>> = BTreeMap::new();
    for (index, digest) in seen.digests() {
        of.entry(digest).or_default().push(index);
    }
    let several = of.into_values().filter(|indexes| indexes.len() > 1);
    several.filter_map(|mut indexes| indexes.pop().map(|last| (indexes, seen.file(last)))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::repository::Stray;
    use super::super::repository::samples::*;
    use super::*;

    fn healthy() -> Repository {
        repository("node2", &[(0, 9, 300), (1, 1, 100), (2, 2, 200)])
    }

    fn of(seen: &Repository) -> Vec<String> {
        findings(seen, None).iter().map(Finding::message).collect()
    }

    fn stray(name: &str, is_file: bool) -> Stray {
        Stray { name: name.into(), is_file }
    }

    #[test]
    fn a_healthy_repository_has_no_findings_in_either_of_the_two_usual_ways_of_owning_it() {
        assert_eq!(of(&healthy()), Vec::<String>::new());
        let mut shared = healthy();
        let roots = |mode| Access { owner: "root".into(), group: "keystone".into(), mode };
        shared.folder = Folder::Seen(roots(0o750));
        shared.keys.values_mut().for_each(|key| key.access = roots(0o640));
        let reader = Reader { user: "keystone".into(), group: "keystone".into() };
        assert_eq!(findings(&shared, Some(&reader)), []);
        assert_eq!(findings(&shared, None), []);
    }

    #[test]
    fn every_finding_names_node_and_path_and_says_what_to_do() {
        type Change = fn(&mut Repository);
        let table: [(Change, &str, &str); 14] = [
            (|r| r.folder = Folder::Missing, "keystone/fernet-keys does not exist", "never fernet_setup"),
            (|r| r.folder = Folder::Unreadable("denied".into()), "can't be listed: denied", "sudo -n"),
            (|r| r.keys.clear(), "holds no key", "healthy node"),
            (|r| drop(r.keys.remove(&0)), "fernet-keys/0 is missing", "never fernet_setup"),
            (|r| r.keys.retain(|index, _| *index == 0), "a staged key only", "max_active_keys"),
            (|r| r.strays.push(stray("0.tmp", true)), "0.tmp was left by a rotation", "delete /etc"),
            (|r| r.strays.push(stray("backup.tgz", true)), "backup.tgz is no key", "beside it"),
            (|r| r.strays.push(stray("old", false)), "old is no plain file", "move it out"),
            (|r| r.strays.push(stray("02", true)), "02 is read by Keystone as key 2", "rename or remove"),
            (|r| r.folder = Folder::Seen(access(0o755)), "has mode 0755", "chmod o-rwx"),
            (|r| key_of(r, 1).access.mode = 0o644, "fernet-keys/1 has mode 0644", "chmod o-rwx"),
            (|r| key_of(r, 1).digest = None, "fernet-keys/1 can't be read", "file system"),
            (|r| key_of(r, 2).digest = Some(digest(1)), "fernet-keys/2 holds the same key as 1", "harmless"),
            (
                |r| (key_of(r, 2).bytes, key_of(r, 2).is_well_formed) = (20, false),
                "fernet-keys/2 is no key (20 bytes",
                "same digest",
            ),
        ];
        for (change, says, advises) in table {
            let mut seen = healthy();
            change(&mut seen);
            let found = findings(&seen, None);
            assert_eq!(found.len(), 1, "{found:?}");
            let (message, advice) = (found[0].message(), found[0].advice());
            assert!(message.starts_with("node2: ") && message.contains("(/etc/keystone/fernet-keys"), "{message}");
            assert!(message.contains(says), "{message}");
            assert!(advice.contains(advises), "{advice}");
            let is_notice = matches!(found[0].trouble, Trouble::Duplicate(_));
            assert_eq!(found[0].weight() == Weight::Notice, is_notice, "{message}");
        }
    }

    fn key_of(seen: &mut Repository, index: u32) -> &mut KeyFile {
        seen.keys.get_mut(&index).unwrap()
    }

    #[test]
    fn a_rotation_killed_between_its_renames_is_one_finding_with_its_cure() {
        let mut seen = healthy();
        seen.keys.remove(&0);
        seen.strays.push(stray(TEMPORARY, true));
        let found = findings(&seen, None);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].message().contains("0 is missing"));
        assert!(found[0].advice().ends_with("mv /etc/keystone/fernet-keys/0.tmp /etc/keystone/fernet-keys/0"));
    }

    #[test]
    fn a_key_of_roots_is_named_with_and_without_knowing_the_reader() {
        let mut seen = healthy();
        key_of(&mut seen, 2).access.owner = "root".into();
        let found = findings(&seen, None);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0]
                .message()
                .contains("fernet-keys/2 is root:keystone 0600, the other keys are keystone:keystone 0600")
        );
        assert_eq!(found[0].advice(), "chown keystone:keystone /etc/keystone/fernet-keys/2");
        let reader = Reader { user: "keystone".into(), group: "keystone".into() };
        let known = findings(&seen, Some(&reader));
        assert!(known.iter().any(|f| matches!(f.trouble, Trouble::KeyShutToKeystone(2, _))), "{known:?}");
        // All of root's agree with one another, and still nobody can read them.
        seen.keys
            .values_mut()
            .for_each(|key| key.access = Access { owner: "root".into(), group: "root".into(), mode: 0o600 });
        assert_eq!(findings(&seen, Some(&reader)).len(), 3);
        assert!(of(&seen)[0].contains("the keys in it are root:root 0600"));
    }
}
