//! A folder of Fernet keys: read exactly as Keystone reads it at every request, shown by digest, and filled for a new cluster.
//! Rotating it is `keystone_manage`.
//!
//! Source: `keystone/common/fernet_utils.py` of Keystone 30: every entry that is a file is opened, whatever its name.

use std::fs::{File, FileTimes, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::super::chance::hex;
use super::conf::ConfError;
use super::token::{Key, NotAKey};

/// More of a file is never read, bytes; a key has 44.
const LARGEST: u64 = 64 * 1024;
/// More entries of a folder are never looked at.
const MOST: usize = 4096;

/// For whom a file must be readable: Keystone's user and group. Modes are judged here and not by the kernel, so that a lab
/// that runs as root finds the same as any other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Reader {
    /// Whoever runs the lab is its nodes' user `keystone`.
    pub(super) fn here() -> Reader {
        Reader { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() }
    }

    /// Whether the mode grants him all of these bits (4 read, 2 write, 1 enter).
    pub(super) fn may(self, meta: &Metadata, bits: u32) -> bool {
        let shift = match () {
            () if meta.uid() == self.uid => 6,
            () if meta.gid() == self.gid => 3,
            () => 0,
        };
        meta.mode() >> shift & bits == bits
    }
}

/// Why the keys can't be had; each is a 500 of Keystone, which says this in its log.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// No folder, no way into it, or no key in it.
    #[error("No encryption keys found; run keystone-manage fernet_setup to bootstrap one.")]
    NoKeys,
    /// The configuration can't be read.
    #[error(transparent)]
    Conf(#[from] ConfError),
    /// A file of a number is no text.
    #[error("UnicodeDecodeError: 'utf-8' codec can't decode: '{}'", .0.display())]
    NotText(PathBuf),
    /// A file went away between listing and opening, or is another's.
    #[error("{why}: '{}'", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Python's words.
        why: String,
    },
    /// A file of a number holds no key.
    #[error("ValueError: {0}")]
    NotAKey(#[from] NotAKey),
}

/// The files of a repository whose names are numbers, with their texts; highest number first.
pub(super) fn read(folder: &Path, reader: Reader) -> Result<Vec<(i64, Zeroizing<String>)>, Broken> {
    let allowed = std::fs::metadata(folder).is_ok_and(|meta| meta.is_dir() && reader.may(&meta, 0o5));
    if !allowed {
        return Err(Broken::NoKeys);
    }
    let broken = |path: &Path, error: &io::Error| {
        if error.kind() == io::ErrorKind::InvalidData {
            return Broken::NotText(path.to_owned());
        }
        let why = match error.kind() {
            io::ErrorKind::NotFound => "FileNotFoundError: [Errno 2] No such file or directory".to_owned(),
            io::ErrorKind::PermissionDenied => "PermissionError: [Errno 13] Permission denied".to_owned(),
            _ => format!("OSError: {error}"),
        };
        Broken::File { path: path.to_owned(), why }
    };
    let mut keys = Vec::new();
    let entries = std::fs::read_dir(folder).map_err(|error| broken(folder, &error))?;
    for entry in entries.take(MOST) {
        let path = entry.map_err(|error| broken(folder, &error))?.path();
        // As os.path.isfile: what can't be looked at is none.
        if !std::fs::metadata(&path).is_ok_and(|meta| meta.is_file()) {
            continue;
        }
        let mut file = open(&path, reader).map_err(|error| broken(&path, &error))?;
        let Some(number) = number(&path) else { continue };
        let mut text = Zeroizing::new(String::new());
        (&mut file).take(LARGEST).read_to_string(&mut text).map_err(|error| broken(&path, &error))?;
        if !text.is_empty() {
            keys.push((number, text));
        }
    }
    keys.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    Ok(keys)
}

/// All keys, the primary first.
pub(super) fn keys(folder: &Path, reader: Reader) -> Result<Vec<Key>, Broken> {
    let texts = read(folder, reader)?;
    if texts.is_empty() {
        return Err(Broken::NoKeys);
    }
    Ok(texts.iter().map(|(_, text)| Key::read(text)).collect::<Result<_, _>>()?)
}

fn open(path: &Path, reader: Reader) -> io::Result<File> {
    let file = File::open(path)?;
    if !reader.may(&file.metadata()?, 0o4) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    Ok(file)
}

/// The name as a number, as python's `int` takes it: a sign and single underscores are allowed.
pub(super) fn number(path: &Path) -> Option<i64> {
    let name = path.file_name()?.to_str()?.trim();
    let digits = name.strip_prefix(['+', '-']).unwrap_or(name);
    let whole = digits.split('_').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let text: String = name.chars().filter(|c| *c != '_').collect();
    text.parse().ok().filter(|_| whole)
}

/// One entry of a repository, without its content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyState {
    /// The file's name.
    pub name: String,
    /// The first 12 hexadecimal digits of the SHA-256 of the content without blanks around it.
    pub digest: String,
    /// When it was last written, seconds since 1970.
    pub modified: u64,
    /// The permission bits.
    pub mode: u32,
}

/// What lies in a folder, by name; empty where there is none.
pub(super) fn state(folder: &Path) -> Vec<KeyState> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(MOST);
    let mut keys: Vec<KeyState> = entries
        .filter_map(|entry| {
            let meta = entry.metadata().ok().filter(Metadata::is_file)?;
            let mut text = Zeroizing::new(Vec::new());
            File::open(entry.path()).ok()?.take(LARGEST).read_to_end(&mut text).ok()?;
            let modified = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_secs();
            let name = entry.file_name().to_string_lossy().into_owned();
            Some(KeyState { name, digest: digest(&text), modified, mode: meta.mode() & 0o7777 })
        })
        .collect();
    keys.sort();
    keys
}

/// As it is shown in [`KeyState`].
pub(super) fn digest(content: &[u8]) -> String {
    hex(&Sha256::digest(content.trim_ascii()))[..12].to_owned()
}

/// Makes the folder, private, and the folders above it.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a new key file as `fernet_rotate` does: 0600, without a newline. Errors: it is there already.
pub(super) fn write(path: &Path, key: &[u8; 32]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&text(key))
}

/// What stands in the file of a key.
pub(super) fn text(key: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Key::text(key).as_bytes().to_vec())
}

/// Fills a folder as it lies after many rotations at equal intervals, the last of them at `last`: the staged key, and so many
/// more that there are `most`. A key's time is the one at which it was made, as staged key of the rotation before its own.
pub(super) fn fill(
    path: &Path,
    most: usize,
    last: SystemTime,
    between: Duration,
    key: &dyn Fn(u64) -> Zeroizing<[u8; 32]>,
) -> io::Result<()> {
    folder(path)?;
    // So many rotations the cluster has seen; the next staged key is one further.
    const PRIMARY: u64 = 17;
    let others = most.saturating_sub(1).min(PRIMARY as usize) as u64;
    let indexes = std::iter::once(0).chain(PRIMARY + 1 - others..=PRIMARY);
    for index in indexes {
        let file = path.join(index.to_string());
        let (made, age) = if index == 0 { (PRIMARY + 1, 0) } else { (index, PRIMARY - index + 1) };
        write(&file, &key(made))?;
        let at = last - between * u32::try_from(age).unwrap_or(0);
        let written = OpenOptions::new().write(true).open(&file)?;
        written.set_times(FileTimes::new().set_modified(at).set_accessed(at))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn filled(most: usize) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let last = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let key = |n: u64| Zeroizing::new([n as u8; 32]);
        fill(&root.path().join("keys"), most, last, Duration::from_secs(1000), &key).unwrap();
        root
    }

    fn keys_of(root: &tempfile::TempDir) -> Result<usize, Broken> {
        keys(&root.path().join("keys"), Reader::here()).map(|keys| keys.len())
    }

    #[test]
    fn a_steady_repository_carries_the_times_of_its_rotations() {
        let root = filled(4);
        let seen: Vec<(String, u64)> =
            state(&root.path().join("keys")).into_iter().map(|key| (key.name, key.modified)).collect();
        let named = |name: &str, at| (name.to_owned(), at);
        assert_eq!(seen, [named("0", 1_000_000), named("15", 997_000), named("16", 998_000), named("17", 999_000)]);
        assert_eq!(keys_of(&root).unwrap(), 4);
        assert_eq!((filled(1).path().join("keys").read_dir().unwrap().count(), keys_of(&filled(2)).unwrap()), (1, 2));
    }

    #[test]
    fn the_highest_number_is_the_primary_and_names_are_taken_as_python_takes_them() {
        let root = filled(3);
        let texts = read(&root.path().join("keys"), Reader::here()).unwrap();
        assert_eq!(texts.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [17, 16, 0]);
        let of = |name: &str| number(Path::new(name));
        assert_eq!([of("0"), of("017"), of("-3"), of("1_0")], [Some(0), Some(17), Some(-3), Some(10)]);
        assert_eq!([of("0.tmp"), of("backup.tgz"), of(""), of("1__0"), of("_1"), of("-")], [None; 6]);
    }

    #[test]
    fn a_stray_file_counts_for_nothing_while_it_can_be_read_and_breaks_all_when_it_cannot() {
        let root = filled(3);
        let stray = root.path().join("keys/backup.tgz");
        std::fs::write(&stray, b"\xff\xfe").unwrap();
        assert_eq!(keys_of(&root).unwrap(), 3);
        std::fs::set_permissions(&stray, std::fs::Permissions::from_mode(0o000)).unwrap();
        let error = keys_of(&root).unwrap_err();
        assert!(error.to_string().contains("Permission denied") && error.to_string().contains("backup.tgz"), "{error}");
    }

    #[test]
    fn a_missing_or_closed_or_empty_folder_has_no_keys() {
        let root = filled(3);
        let folder = root.path().join("keys");
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(keys_of(&root), Err(Broken::NoKeys)));
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(matches!(keys_of(&root), Err(Broken::NoKeys)));
        std::fs::create_dir(&folder).unwrap();
        assert!(matches!(keys_of(&root), Err(Broken::NoKeys)));
    }

    #[test]
    fn a_cut_key_and_junk_of_a_number_break_all_but_an_empty_file_is_passed_over() {
        let root = filled(3);
        let junk = root.path().join("keys/99");
        std::fs::write(&junk, "junk").unwrap();
        assert!(matches!(keys_of(&root), Err(Broken::NotAKey(_))));
        std::fs::write(&junk, "").unwrap();
        assert_eq!(keys_of(&root).unwrap(), 3);
        std::fs::write(&junk, b"\xff").unwrap();
        assert!(matches!(keys_of(&root), Err(Broken::NotText(_))));
    }

    #[test]
    fn an_error_never_holds_a_key() {
        let root = filled(3);
        std::fs::write(root.path().join("keys/99"), "SECRETSECRET").unwrap();
        let error = keys_of(&root).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("SECRET"));
    }
}
