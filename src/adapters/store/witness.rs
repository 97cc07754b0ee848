//! Keeps what was last seen of each subject's journal where the journal is not: in this process, and in a file a subject in the
//! state folder of this host. What it means stands in `engine::witness`.
//!
//! A file is replaced by one rename a batch and not synced: it guards against a store that is put back to an earlier moment,
//! not against a power cut, after which it may be a batch behind or gone, which stops nothing. Two processes of one host may
//! write at once (who holds the tenant, and who has read of another host): the later rename stands, and both are true.

use crate::domain::tenant::TenantId;
use crate::engine::audit::Head;
use crate::engine::witness::{CaseSeen, Lost, Recovery, Seen, Witnessed, remember};
use std::collections::HashMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The folder's name in the state folder.
const FOLDER: &str = "witness";
/// No file of ours is longer: what is, is not ours.
const LONGEST: u64 = 64 * 1024;

/// Which file it was, so that one that another process has written is read and one that nobody has is not: device, inode, time
/// of change.
type Stamp = (u64, u64, i64, i64);

#[derive(Default)]
struct Known {
    seen: Option<Seen>,
    /// The recoveries that are known of, also once what was seen is forgotten.
    behind: Vec<Recovery>,
    /// The file that is known, if there was one.
    stamp: Option<Stamp>,
    looked: bool,
    /// Why it can't be read, or was not written, as long as it is so.
    unread: Option<String>,
    unwritten: Option<String>,
    told: Witnessed,
}

impl Known {
    /// Reads the file, if it is another one than the last that was read.
    fn look(&mut self, path: &Path, ends_at: i64) {
        let stamp = std::fs::metadata(path).ok().map(|found| stamp(&found));
        let is_first = !std::mem::replace(&mut self.looked, true);
        if stamp == self.stamp && !is_first && self.unread.is_none() {
            return;
        }
        (self.stamp, self.unread) = (stamp, None);
        let found = read(path);
        if let Ok(Some(seen)) = &found {
            remember(&mut self.behind, seen.behind.iter().cloned());
        }
        match found {
            Ok(Some(seen)) if self.seen.as_ref().is_none_or(|before| before.position < seen.position) => {
                self.seen = Some(seen);
            }
            Ok(None) if ends_at > 0 && is_first => {
                let text = "this host's witness of the journal is not there (never was, or was lost); it begins anew";
                self.told.note = Some(text.into());
            }
            Ok(_) => {}
            Err(Unread::Damaged) => self.told.note = Some(set_aside(path)),
            // It may be as good as ever, and further than what is seen now: it is left as it is, and read again.
            Err(Unread::Now(error)) => {
                let shown = path.display();
                self.unread = Some(format!("this host's witness of the journal, {shown}, can't be read now: {error}"));
            }
        }
    }
}

/// The witness of one host.
#[derive(Clone, Default)]
pub(super) struct Witness {
    folder: Option<PathBuf>,
    known: Arc<Mutex<HashMap<TenantId, Known>>>,
}

impl Witness {
    /// One that keeps files in this state folder.
    pub(super) fn in_folder(state: &Path) -> Self {
        Self { folder: Some(state.join(FOLDER)), known: Arc::default() }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<TenantId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The furthest that this process or this host has seen. `ends_at`: where the chain ends now.
    pub(super) fn of(&self, tenant: &TenantId, ends_at: i64) -> Option<Seen> {
        let mut all = self.known();
        let known = all.entry(tenant.clone()).or_default();
        if let Some(path) = self.path(tenant) {
            known.look(&path, ends_at);
        }
        known.seen.clone()
    }

    /// What the comparison has given.
    pub(super) fn judged(&self, tenant: &TenantId, lost: Option<Lost>) {
        self.known().entry(tenant.clone()).or_default().told.lost = lost;
    }

    /// What is seen now is right, whatever was seen before this recovery.
    pub(super) fn forget(&self, tenant: &TenantId, recovery: Recovery) {
        let mut all = self.known();
        let known = all.entry(tenant.clone()).or_default();
        remember(&mut known.behind, [recovery]);
        (known.seen, known.told.lost) = (None, None);
        if let Some(path) = self.path(tenant) {
            let _ = std::fs::remove_file(path);
        }
        known.stamp = None;
    }

    /// The case that was seen last.
    pub(super) fn case(&self, tenant: &TenantId) -> Option<CaseSeen> {
        self.known().get(tenant).and_then(|known| known.seen.as_ref()).map(|seen| seen.case.clone())
    }

    /// More was seen. What is not further than what is known is left.
    pub(super) fn keep(&self, tenant: &TenantId, mut seen: Seen) {
        let mut all = self.known();
        let known = all.entry(tenant.clone()).or_default();
        let path = self.path(tenant);
        if let Some(path) = &path {
            known.look(path, 0);
        }
        remember(&mut known.behind, seen.behind);
        seen.behind = known.behind.clone();
        if known.told.lost.is_some() || known.seen.as_ref().is_some_and(|before| before.position >= seen.position) {
            return;
        }
        if let Some(path) = path.filter(|_| known.unread.is_none()) {
            match write(&path, &seen) {
                Ok(stamp) => (known.stamp, known.unwritten) = (Some(stamp), None),
                Err(error) => {
                    let path = path.display();
                    let text = format!("{path} can't be written ({error}): this host keeps no witness of the journal");
                    known.unwritten = Some(text);
                }
            }
        }
        known.seen = Some(seen);
    }

    /// What is to be told.
    pub(super) fn told(&self, tenant: &TenantId) -> Witnessed {
        let all = self.known();
        let Some(known) = all.get(tenant) else { return Witnessed::default() };
        let note = known.unread.as_ref().or(known.unwritten.as_ref()).or(known.told.note.as_ref());
        Witnessed { note: note.cloned(), ..known.told.clone() }
    }

    /// What this host's files say; what can't be read is left out.
    pub(super) fn heads(&self) -> Vec<Head> {
        let Some(folder) = &self.folder else { return Vec::new() };
        // A tenant's lies there, that of another kind of subject in a folder of its kind.
        let paths = files_in(folder).into_iter().flat_map(|path| match path.is_dir() {
            true => files_in(&path),
            false => vec![path],
        });
        let head = |path: PathBuf| {
            let name = path.strip_prefix(folder).ok()?.to_str()?;
            let id = if name.contains('/') { TenantId::of_subject(name) } else { TenantId::new(name) };
            let seen = read(&path).ok().flatten()?;
            let (tenant, position) = (id.ok()?.to_string(), seen.position);
            Some(Head { tenant, position, hash: seen.hash, behind: seen.behind })
        };
        paths.filter_map(head).collect()
    }

    /// A key is safe as a path: letters, digits and hyphens, and one slash behind the kind of a subject that is no tenant.
    fn path(&self, tenant: &TenantId) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(tenant.as_str()))
    }
}

fn stamp(found: &std::fs::Metadata) -> Stamp {
    (found.dev(), found.ino(), found.mtime(), found.mtime_nsec())
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).into_iter().flatten();
    files.filter_map(|file| Some(file.ok()?.path())).collect()
}

/// Why a file says nothing.
enum Unread {
    /// What is in it is nothing of ours.
    Damaged,
    /// It could not be opened or read, as without a file descriptor left.
    Now(std::io::Error),
}

/// `Ok(None)`: there is none.
fn read(path: &Path) -> Result<Option<Seen>, Unread> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Unread::Now(error)),
    };
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).map_err(Unread::Now)?;
    serde_json::from_slice(&bytes).map(Some).map_err(|_| Unread::Damaged)
}

/// A file that says nothing is kept for whoever wants to know why, and stops nothing.
fn set_aside(path: &Path) -> String {
    let aside = path.with_extension("aside");
    let (shown, what) = (path.display(), "this host's witness of the journal");
    match std::fs::rename(path, &aside) {
        Ok(()) => format!("{what}, {shown}, is damaged; it is set aside as {}", aside.display()),
        Err(error) => format!("{what}, {shown}, is damaged, and can't be set aside: {error}"),
    }
}

fn write(path: &Path, seen: &Seen) -> std::io::Result<Stamp> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let draft = path.with_extension(std::process::id().to_string());
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(serde_json::to_string(seen)?.as_bytes())?;
    let stamp = stamp(&file.metadata()?);
    std::fs::rename(&draft, path)?;
    Ok(stamp)
}
