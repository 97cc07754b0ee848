//! Whether the kernel's word for who logged in can be trusted here: whoever may map users may be anybody.
//!
//! Read from the kernel's own /proc only: a file that was mounted over one of it says nothing.

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, fstatfs, openat, openat2, readlinkat, statat};
use std::io::Read;

/// The kernel's magic number of /proc (statfs(2)).
const PROC_SUPER_MAGIC: i64 = 0x9fa0;
/// The inode of the root of each /proc (the kernel's PROC_ROOT_INO).
const PROC_ROOT_INODE: u64 = 1;
/// The map of the first user namespace, in which every uid is itself (user_namespaces(7)).
const IDENTITY_MAP: [&str; 3] = ["0", "0", "4294967295"];
/// The kernel's "not set" of a login uid.
const NOT_SET: &str = "4294967295";

/// What the kernel says of our login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    /// `/proc/self/loginuid`: set once at login by pam_loginuid, kept over su and sudo; none where nothing has set it.
    pub(super) uid: Option<u32>,
    /// Why this proves nobody.
    pub(super) unproven: Option<String>,
}

/// Asks the kernel.
pub(super) fn login() -> Login {
    match (read("loginuid"), read("uid_map")) {
        (Ok(uid), Ok(map)) => judge(&uid, &map),
        (Err(why), _) | (_, Err(why)) => {
            Login { uid: None, unproven: Some(format!("/proc can't be trusted here ({why})")) }
        }
    }
}

/// Judges what the two files hold.
fn judge(uid: &str, map: &str) -> Login {
    let uid = uid.trim();
    let known = uid.parse().ok().filter(|_| uid != NOT_SET);
    let unproven = if !map.split_whitespace().eq(IDENTITY_MAP) {
        Some("this is a user namespace, in which a user can be mapped to any other".to_owned())
    } else if known.is_none() {
        Some("no login uid is set (/proc/self/loginuid), so nobody logged in here".to_owned())
    } else {
        None
    };
    Login { uid: known, unproven }
}

/// A file of ours in /proc, and nothing that was mounted over it.
fn read(name: &str) -> Result<String, String> {
    let failed = |error: rustix::io::Errno| format!("{name}: {error}");
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let root = openat(CWD, "/proc", flags, Mode::empty()).map_err(failed)?;
    let is_proc = fstatfs(&root).map_err(failed)?.f_type as i64 == PROC_SUPER_MAGIC
        && statat(&root, "", AtFlags::EMPTY_PATH).map_err(failed)?.st_ino == PROC_ROOT_INODE;
    if !is_proc {
        return Err("/proc is not the kernel's".into());
    }
    // Our number as this very /proc counts: another pid namespace's would name somebody else.
    let own = readlinkat(&root, "self", Vec::new()).map_err(failed)?.into_string().map_err(|_| "self".to_owned())?;
    let (flags, resolve) = (OFlags::RDONLY | OFlags::CLOEXEC, ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS);
    let file = openat2(&root, format!("{own}/{name}"), flags, Mode::empty(), resolve).map_err(failed)?;
    let mut text = String::new();
    std::fs::File::from(file).take(4096).read_to_string(&mut text).map_err(|error| format!("{name}: {error}"))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_uid_in_the_first_user_namespace_proves_a_person() {
        let login = judge("1000\n", "         0          0 4294967295\n");
        assert_eq!(login, Login { uid: Some(1000), unproven: None });
    }

    #[test]
    fn a_mapped_user_proves_nobody_whatever_the_login_uid_says() {
        let maps = ["      1001       1000          1\n", "0 1000 1\n", "0 0 65536\n1 2 3\n", "0 100000 65536\n", ""];
        for map in maps {
            let why = judge("1001\n", map).unproven.unwrap();
            assert!(why.contains("user namespace"), "{map:?}: {why}");
        }
    }

    #[test]
    fn without_a_login_uid_nobody_is_proven() {
        for uid in ["4294967295", "", "ada"] {
            let login = judge(uid, "0 0 4294967295");
            assert_eq!(login.uid, None);
            assert!(login.unproven.unwrap().contains("no login uid"), "{uid:?}");
        }
    }

    #[test]
    fn the_kernels_own_files_are_read() {
        assert!(read("uid_map").unwrap().split_whitespace().count() >= 3);
        assert!(read("no-such-file").is_err());
    }
}
