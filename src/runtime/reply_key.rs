//! Keeps the key of the reply tokens in the state folder: made once, for us alone to read.

use crate::adapters::{has_no_descriptor, has_no_room, no_descriptor};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::ports::Entropy;
use crate::engine::reply_key::{KEY_LENGTH, ReplyKey};
use crate::engine::secret::SecretBytes;
use rustix::fs::{CWD, Mode, OFlags};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

/// Its name in the state folder.
const FILE: &str = "reply.key";

/// Reads the key, or makes it. Errors: the folder can't be written or is not ours alone, the file is open to others or is no
/// key.
pub fn open(folder: &Path, entropy: &dyn Entropy) -> Result<ReplyKey, Fault> {
    let path = folder.join(FILE);
    let failed = |what: &str, error: std::io::Error| {
        if has_no_descriptor(&error) {
            return no_descriptor(&format!("{what} ({})", path.display()));
        }
        let text = format!("{}: {what}: {error}", path.display());
        if has_no_room(&error) {
            return Fault::new(Service::Journal, FaultKind::NoRoom, format!("the disk is full ({text})"));
        }
        Fault::new(Service::Configuration, FaultKind::Refused, text).hint("nothing was sent; see state.directory")
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| failed("make its folder", error))?;
    // Before anything in it is believed: whoever can write there could put a key of theirs in the place of ours, and the
    // journal, which looks as well, may rest on a server.
    ours_alone(folder)?;
    if !path.try_exists().map_err(|error| failed("look for it", error))? {
        make(folder, &path, entropy)?.map_err(|error| failed("make it", error))?;
    }
    let file = std::fs::File::open(&path).map_err(|error| failed("read it", error))?;
    let known = file.metadata().map_err(|error| failed("read it", error))?;
    if known.uid() != rustix::process::geteuid().as_raw()
        || known.mode() & 0o077 != 0
        || known.len() != KEY_LENGTH as u64
    {
        let text = format!("{} must be yours, {KEY_LENGTH} bytes long and mode 0600", path.display());
        return Err(Fault::new(Service::Configuration, FaultKind::Refused, text)
            .hint("correct its mode; if it was damaged, delete it: a new one is made, and answers to earlier mails still count"));
    }
    let bytes = std::fs::read(&path).map_err(|error| failed("read it", error))?;
    Ok(ReplyKey::new(SecretBytes::new(bytes)))
}

fn ours_alone(folder: &Path) -> Result<(), Fault> {
    let shown = folder.display();
    let refused = |text: String| Fault::new(Service::Configuration, FaultKind::Refused, text);
    let known = std::fs::metadata(folder).map_err(|error| refused(format!("{shown} can't be read: {error}")))?;
    if known.uid() != rustix::process::geteuid().as_raw() {
        let text = format!("{shown}, where {FILE} is kept, belongs to another user (uid {})", known.uid());
        return Err(refused(text).hint("nothing was sent; set state.directory to a folder of your own"));
    }
    if known.mode() & 0o077 != 0 {
        let text = format!("{shown}, where {FILE} is kept, is open to others (mode {:04o})", known.mode() & 0o7777);
        return Err(refused(text).hint(format!("nothing was sent; run: chmod 700 {shown}")));
    }
    Ok(())
}

/// Made beside its place and linked into it whole, so that two processes that make one at the same moment agree.
fn make(folder: &Path, path: &Path, entropy: &dyn Entropy) -> Result<std::io::Result<()>, Fault> {
    let mut key = zeroize::Zeroizing::new([0u8; KEY_LENGTH]);
    entropy.fill(&mut key[..])?;
    let draft = folder.join(format!(".{FILE}.{}", std::process::id()));
    let write = || {
        let flags = OFlags::CREATE | OFlags::TRUNC | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = std::fs::File::from(rustix::fs::openat(CWD, &draft, flags, Mode::from_raw_mode(0o600))?);
        file.write_all(&key[..])?;
        file.sync_all()?;
        match std::fs::hard_link(&draft, path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    };
    let made = write();
    let _ = std::fs::remove_file(&draft);
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::system::SystemEntropy;

    #[test]
    fn the_key_is_made_once_and_refused_when_others_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let path = folder.path().join(FILE);
        drop(open(folder.path(), &SystemEntropy).unwrap());
        let first = std::fs::read(&path).unwrap();
        drop(open(folder.path(), &SystemEntropy).unwrap());
        assert_eq!((first.len(), std::fs::read(&path).unwrap()), (KEY_LENGTH, first));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
        assert!(open(folder.path(), &SystemEntropy).is_err());
    }

    #[test]
    fn a_folder_that_others_can_enter_keeps_no_key() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("state");
        drop(open(&folder, &SystemEntropy).unwrap());
        assert_eq!(std::fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        for mode in [0o750, 0o770, 0o707, 0o1777] {
            std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
            let fault = open(&folder, &SystemEntropy).err().unwrap();
            assert!(fault.advice().contains(&format!("chmod 700 {}", folder.display())), "{fault}");
        }
        let strangers = outer.path().join("strangers");
        std::fs::create_dir(&strangers).unwrap();
        std::fs::set_permissions(&strangers, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        // Only root can give a folder away.
        if std::os::unix::fs::chown(&strangers, Some(4321), None).is_ok() {
            assert!(open(&strangers, &SystemEntropy).err().unwrap().message.contains("uid 4321"));
        }
    }
}
