//! Where the journal may lie: a folder of our own that nobody else can enter, on a local disk.
//!
//! The file's content is not touched here.

use crate::adapters::{has_no_descriptor, has_no_room, is_short_of_descriptors, no_descriptor};
use crate::domain::fault::{Fault, FaultKind, Service};
use rustix::fs::FlockOperation;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long another process may take to open the journal.
const LOCK: Duration = Duration::from_secs(10);
/// With less than this, bytes, neither SQLite's shared memory nor a record finds room.
const LEAST_ROOM: u64 = 64 * 1024;
/// File systems on which SQLite's locks can't be trusted: NFS, SMB, CIFS, SMB2 (linux/magic.h).
const NETWORK: [u64; 4] = [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42];

/// A folder that has passed, and which file in it is the journal.
#[derive(Clone)]
pub(super) struct Place {
    directory: PathBuf,
    /// Device and inode.
    file: (u64, u64),
}

/// Makes the folder (0700) and the file (0600) where they are missing, and refuses what is not private or not local.
pub(super) fn prepare(directory: &Path) -> Result<Place, Fault> {
    let directory = &std::path::absolute(directory)
        .map_err(|error| refused(format!("{} is not a path: {error}", directory.display())))?;
    let shown = directory.display();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| refused(format!("{shown} can't be made: {error}")))?;
    let metadata = std::fs::metadata(directory).map_err(|error| refused(format!("{shown} can't be read: {error}")))?;
    private(directory, &metadata, 0o700)?;
    if let Ok(system) = rustix::fs::statfs(directory)
        && NETWORK.contains(&((system.f_type as u64) & 0xffff_ffff))
    {
        let message = format!("{shown} is on a network file system, where two writers can't be kept apart");
        return Err(refused(message).hint("set state.directory to a folder on a local disk"));
    }
    let file = directory.join("journal.db");
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let metadata = std::fs::symlink_metadata(&file)
                .map_err(|error| refused(format!("{} can't be read: {error}", file.display())))?;
            if !metadata.is_file() {
                return Err(refused(format!("{} is not a file", file.display())));
            }
            private(&file, &metadata, 0o600)?;
        }
        Err(error) => {
            if let Some(fault) = of_host("opening the journal", directory, &error) {
                return Err(fault);
            }
            let message = format!("{} can't be made: {error}", file.display());
            return Err(
                refused(message).hint("nothing was written; make room, or make state.directory writable for you")
            );
        }
    }
    let found =
        std::fs::metadata(&file).map_err(|error| refused(format!("{} can't be read: {error}", file.display())))?;
    Ok(Place { directory: directory.to_owned(), file: (found.dev(), found.ino()) })
}

impl Place {
    /// Refuses once the journal's name leads to another file, or to none: an open connection would go on with the one that was
    /// moved away or deleted, where no other process looks.
    pub(super) fn still(&self, doing: &str) -> Result<(), Fault> {
        let path = self.directory.join("journal.db");
        let what = match std::fs::metadata(&path) {
            Ok(found) if (found.dev(), found.ino()) == self.file => return Ok(()),
            Ok(_) => format!("{} was replaced by another file", path.display()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => format!("{} is gone", path.display()),
            Err(error) => format!("{} can't be reached: {error}", path.display()),
        };
        let hint = "nothing was written; put the journal back where it was, or start anew with the one that is there";
        Err(Fault::new(Service::Journal, FaultKind::Refused, format!("{doing}: {what}")).hint(hint))
    }

    /// The fault by its first cause, where SQLite knows only that something can't be opened or written: no descriptor is left, or
    /// no room.
    pub(super) fn named(&self, doing: &str, fault: Fault) -> Fault {
        if !matches!(fault.kind, FaultKind::Refused | FaultKind::TimedOut | FaultKind::NoRoom) {
            return fault;
        }
        if is_short_of_descriptors() {
            return no_descriptor(doing);
        }
        match rustix::fs::statvfs(&self.directory) {
            Ok(disk) if disk.f_bavail.saturating_mul(disk.f_frsize) < LEAST_ROOM => {
                full(doing, &self.directory, &fault)
            }
            _ => fault,
        }
    }

    /// Waits until no other process is opening this journal. The lock ends with the returned file.
    pub(super) async fn lock(&self) -> Result<File, Fault> {
        let path = self.directory.join("lock");
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(|error| {
                let other = || refused(format!("{} can't be made: {error}", path.display()));
                of_host("opening the journal", &self.directory, &error).unwrap_or_else(other)
            })?;
        let waiting =
            tokio::task::spawn_blocking(move || rustix::fs::flock(&file, FlockOperation::LockExclusive).map(|()| file));
        match tokio::time::timeout(LOCK, waiting).await {
            Ok(Ok(Ok(file))) => Ok(file),
            Ok(Ok(Err(error))) => Err(refused(format!("{} can't be locked: {error}", path.display()))),
            _ => Err(refused(format!("{} is held by another changeguard for too long", path.display()))),
        }
    }

    /// The address for sqlx. Everything but plain characters is escaped, since a folder's name may hold `?` or `%`.
    pub(super) fn url(&self) -> String {
        let mut url = String::from("sqlite://");
        for byte in self.directory.join("journal.db").as_os_str().as_bytes() {
            if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
                url.push(char::from(*byte));
            } else {
                url.push_str(&format!("%{byte:02X}"));
            }
        }
        url + "?mode=rw"
    }
}

/// What this host has run out of, where that is the cause.
fn of_host(doing: &str, directory: &Path, error: &io::Error) -> Option<Fault> {
    if has_no_descriptor(error) {
        return Some(no_descriptor(doing));
    }
    let other = Fault::new(Service::Journal, FaultKind::NoRoom, error.to_string());
    has_no_room(error).then(|| full(doing, directory, &other))
}

fn full(doing: &str, directory: &Path, fault: &Fault) -> Fault {
    let why = fault.message.strip_prefix(&format!("{doing}: ")).unwrap_or(&fault.message);
    let text = format!("{doing}: the disk is full where {} lies ({why})", directory.display());
    Fault::new(Service::Journal, FaultKind::NoRoom, text).hint("nothing was written; make room there, then go on")
}

fn private(path: &Path, metadata: &std::fs::Metadata, wanted: u32) -> Result<(), Fault> {
    let shown = path.display();
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        let message = format!("{shown} belongs to another user (uid {})", metadata.uid());
        return Err(refused(message).hint("set state.directory to a folder of your own"));
    }
    if metadata.mode() & 0o077 != 0 {
        let message = format!("{shown} is open to others (mode {:04o})", metadata.mode() & 0o7777);
        return Err(refused(message).hint(format!("run: chmod {wanted:o} {shown}")));
    }
    Ok(())
}

fn refused(message: String) -> Fault {
    Fault::new(Service::Journal, FaultKind::Refused, message)
        .hint("nothing was written; make state.directory a folder of your own that you can write to")
}
