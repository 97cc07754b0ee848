//! Who can write what we obey. A configuration's argvs are executed and its contacts say where mails go, so a file that
//! somebody else can change is as good as their hands on our keyboard.
//!
//! The rule is that of sshd's StrictModes: file and every folder on the way belong to us or to root and can't be written by
//! others; a folder that others can write to passes only if it is sticky, as /tmp is, for there nobody can replace a file
//! of ours.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// Most symbolic links on the way, as the kernel's own limit.
const MOST_LINKS: usize = 40;
/// How deep a folder of templates may be.
const DEEPEST: usize = 6;
/// Others than the owner may write.
const WRITABLE: u32 = 0o022;
/// In this folder only the owner of a file may replace it.
const STICKY: u32 = 0o1000;

/// Why something is not to be trusted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Distrust {
    /// It can't be looked at, and why.
    Unreadable(io::ErrorKind, String),
    /// Somebody else can change it; in words, with what to do.
    Foreign(String),
}

impl Distrust {
    /// In words.
    pub(super) fn text(self, path: &Path) -> String {
        match self {
            Distrust::Unreadable(_, why) => format!("{} can't be read: {why}", path.display()),
            Distrust::Foreign(text) => text,
        }
    }
}

/// Whose files are obeyed.
#[derive(Clone, Copy)]
struct Us {
    uid: u32,
    /// The number by which root's files are shown in a user namespace that does not know root; 0 else.
    root: u32,
}

impl Us {
    fn of_process() -> Self {
        let uid = rustix::process::geteuid().as_raw();
        let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let overflow = std::fs::read_to_string("/proc/sys/kernel/overflowuid").unwrap_or_default();
        Self { uid, root: root_is_shown_as(&map, &overflow) }
    }

    fn trusts(self, owner: u32) -> bool {
        owner == self.uid || owner == 0 || owner == self.root
    }
}

/// Every file there has some owner; one that the namespace does not know is shown as the overflow uid, root among them.
fn root_is_shown_as(map: &str, overflow: &str) -> u32 {
    let knows_root = map.lines().any(|line| line.split_whitespace().next() == Some("0"));
    match overflow.trim().parse() {
        Ok(overflow) if !knows_root && !map.trim().is_empty() => overflow,
        _ => 0,
    }
}

/// The file (or folder) and the way to it can be changed by nobody but us and root.
pub(super) fn trusted(path: &Path) -> Result<(), Distrust> {
    let us = Us::of_process();
    let real = way(us, path)?;
    own(us, path, &look(&real)?)
}

/// The same for a folder with everything in it.
pub(super) fn trusted_folder(path: &Path) -> Result<(), Distrust> {
    let us = Us::of_process();
    let real = way(us, path)?;
    own(us, path, &look(&real)?)?;
    contents(us, &real, DEEPEST)
}

/// Belongs to us alone: nobody else can write to this folder, sticky or not, and it is not root's. For what is taken from
/// where one happens to stand.
pub(super) fn our_own(path: &Path) -> Result<(), Distrust> {
    let us = Us::of_process();
    let metadata = look(&way(us, path)?)?;
    own(us, path, &metadata)?;
    if metadata.uid() != us.uid {
        return Err(Distrust::Foreign(format!("{} belongs to uid {}, not to you", path.display(), metadata.uid())));
    }
    Ok(())
}

fn contents(us: Us, folder: &Path, deep: usize) -> Result<(), Distrust> {
    let unreadable = |error: io::Error| unreadable(&error);
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        // A link may lead anywhere, so its way is gone as well.
        let real = way(us, &path)?;
        let metadata = look(&real)?;
        own(us, &path, &metadata)?;
        if metadata.is_dir() && deep > 0 {
            contents(us, &real, deep - 1)?;
        }
    }
    Ok(())
}

fn look(path: &Path) -> Result<Metadata, Distrust> {
    std::fs::symlink_metadata(path).map_err(|error| unreadable(&error))
}

fn unreadable(error: &io::Error) -> Distrust {
    Distrust::Unreadable(error.kind(), error.to_string())
}

/// The file itself.
fn own(us: Us, shown: &Path, metadata: &Metadata) -> Result<(), Distrust> {
    let shown = shown.display();
    if !us.trusts(metadata.uid()) {
        return Err(Distrust::Foreign(format!(
            "{shown} belongs to uid {}, who can change it at any time; only what is yours (uid {}) or root's is obeyed: \
             look at it, then copy it or run: chown {} {shown}",
            metadata.uid(),
            us.uid,
            us.uid
        )));
    }
    if metadata.mode() & WRITABLE != 0 {
        let mode = metadata.mode() & 0o7777;
        return Err(Distrust::Foreign(format!(
            "{shown} can be written by others (mode {mode:04o}); look at it, then run: chmod go-w {shown}"
        )));
    }
    Ok(())
}

/// One folder on the way.
fn passable(us: Us, shown: &Path, folder: &Path) -> Result<(), Distrust> {
    let metadata = look(folder)?;
    let is_sticky = metadata.mode() & STICKY != 0;
    if us.trusts(metadata.uid()) && (metadata.mode() & WRITABLE == 0 || is_sticky) {
        return Ok(());
    }
    let (shown, folder) = (shown.display(), folder.display());
    Err(Distrust::Foreign(match us.trusts(metadata.uid()) {
        true => format!(
            "{shown} can be replaced by others, since they can write to {folder} (mode {:04o}); run: chmod go-w {folder}",
            metadata.mode() & 0o7777
        ),
        false => format!(
            "{shown} can be replaced by uid {}, to whom {folder} belongs; keep it in a folder of your own",
            metadata.uid()
        ),
    }))
}

/// Goes the whole way, link by link, and gives the place where it ends.
fn way(us: Us, path: &Path) -> Result<PathBuf, Distrust> {
    let absolute = std::path::absolute(path).map_err(|error| unreadable(&error))?;
    let parts = |path: &Path| path.components().map(|part| part.as_os_str().to_owned()).collect::<Vec<OsString>>();
    let (mut at, mut links) = (PathBuf::from("/"), 0);
    let mut rest: VecDeque<OsString> = parts(&absolute).into();
    while let Some(part) = rest.pop_front() {
        match Path::new(&part).components().next() {
            Some(Component::Normal(name)) => {
                passable(us, path, &at)?;
                let next = at.join(name);
                let metadata = look(&next)?;
                if !metadata.is_symlink() {
                    at = next;
                    continue;
                }
                links += 1;
                if links > MOST_LINKS || !us.trusts(metadata.uid()) {
                    let (shown, next) = (path.display(), next.display());
                    return Err(Distrust::Foreign(format!("{shown} leads through {next}, a link of somebody else's")));
                }
                let target = std::fs::read_link(&next).map_err(|error| unreadable(&error))?;
                for part in parts(&target).into_iter().rev() {
                    rest.push_front(part);
                }
            }
            // Everything behind us is real by now, so that the folder above is that of the name.
            Some(Component::ParentDir) => drop(at.pop()),
            Some(Component::RootDir) => at = PathBuf::from("/"),
            _ => {}
        }
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn refused(path: &Path) -> String {
        match trusted(path) {
            Err(Distrust::Foreign(text)) => text,
            other => panic!("{}: {other:?}", path.display()),
        }
    }

    #[test]
    fn a_file_that_others_can_write_or_replace_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let (inner, file) = (folder.path().join("inner"), folder.path().join("inner/file"));
        fs::create_dir(&inner).unwrap();
        fs::write(&file, "x").unwrap();
        mode(&inner, 0o755);
        mode(&file, 0o644);
        assert_eq!(trusted(&file), Ok(()));
        for open in [0o664, 0o646, 0o666, 0o620] {
            mode(&file, open);
            assert!(refused(&file).contains("chmod go-w"), "{open:o}");
        }
        mode(&file, 0o600);
        for open in [0o775, 0o757, 0o777, 0o2775] {
            mode(&inner, open);
            assert!(refused(&file).contains(&format!("write to {}", inner.display())), "{open:o}");
        }
        // As /tmp: nobody but the owner of the file can replace it.
        mode(&inner, 0o1777);
        assert_eq!(trusted(&file), Ok(()));
        assert!(matches!(trusted(&inner.join("none")), Err(Distrust::Unreadable(io::ErrorKind::NotFound, _))));
    }

    #[test]
    fn a_link_is_trusted_as_far_as_every_folder_on_its_way() {
        let folder = tempfile::tempdir().unwrap();
        let (open, closed) = (folder.path().join("open"), folder.path().join("closed"));
        for inner in [&open, &closed] {
            fs::create_dir(inner).unwrap();
            fs::write(inner.join("file"), "x").unwrap();
        }
        symlink("../closed/../open/file", closed.join("link")).unwrap();
        symlink(&closed, open.join("folder")).unwrap();
        assert_eq!(trusted(&closed.join("link")), Ok(()));
        assert_eq!(trusted(&open.join("folder/file")), Ok(()));
        mode(&open, 0o777);
        for path in [closed.join("link"), open.join("folder/file")] {
            assert!(refused(&path).contains("open"), "{}", path.display());
        }
        symlink("loop", closed.join("loop")).unwrap();
        assert!(trusted(&closed.join("loop")).is_err());
    }

    #[test]
    fn a_folder_of_texts_is_trusted_with_everything_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("de/announcement.txt");
        fs::create_dir(folder.path().join("de")).unwrap();
        fs::write(&text, "x").unwrap();
        assert_eq!(trusted_folder(folder.path()), Ok(()));
        mode(&text, 0o666);
        assert!(trusted_folder(folder.path()).is_err());
    }

    #[test]
    fn somebody_elses_file_is_not_trusted_and_roots_is() {
        let us = Us { uid: 1000, root: 0 };
        assert!(us.trusts(1000) && us.trusts(0) && !us.trusts(1001) && !us.trusts(65534));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        // Only root can give a file away; anybody else is the stranger to their own.
        let given = std::os::unix::fs::chown(&file, Some(4321), None).is_ok();
        let owner = fs::metadata(&file).unwrap().uid();
        let us = if given { Us::of_process() } else { Us { uid: owner + 1, root: 0 } };
        let Err(Distrust::Foreign(text)) = own(us, &file, &fs::metadata(&file).unwrap()) else { panic!() };
        assert!(text.contains(&format!("belongs to uid {owner}")) && text.contains("chown"), "{text}");
        if given {
            std::os::unix::fs::chown(folder.path(), Some(4321), None).unwrap();
            assert!(refused(&file).contains("can be replaced by uid 4321"));
        }
    }

    #[test]
    fn where_root_is_not_known_its_files_have_the_overflow_uid() {
        assert_eq!(root_is_shown_as("         0          0 4294967295\n", "65534\n"), 0);
        assert_eq!(root_is_shown_as("      1001       1000          1\n", "65534\n"), 65534);
        assert_eq!(root_is_shown_as("", "65534\n"), 0);
    }
}
