//! Keys on their way from one node to others: a tar stream that holds plain files with plain numbers as names and nothing else. How it
//! comes and goes is `transfer`.

use crate::domain::fernet::repository::{Digest, Keys, MOST_KEYS};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A tar stream is made of these, bytes.
const BLOCK: usize = 512;
/// Most bytes of one key; a key has 44.
const LARGEST_KEY: usize = 4096;

/// One key's file.
struct Entry {
    index: u32,
    /// Seconds since 1970 UTC: not-before is reckoned from it, so it travels with the key.
    mtime: u64,
    content: Zeroizing<Vec<u8>>,
}

impl Entry {
    fn digest(&self) -> Digest {
        // As the script does it: without any white space.
        let mut hash = Sha256::new();
        self.content.iter().filter(|byte| !b" \t\r\n".contains(byte)).for_each(|byte| hash.update([*byte]));
        Digest::from_bytes(hash.finalize().into())
    }
}

/// Keys with their contents. Wiped when dropped; can't be printed.
pub struct KeyArchive(Vec<Entry>);

impl std::fmt::Debug for KeyArchive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyArchive({} keys hidden)", self.0.len())
    }
}

impl KeyArchive {
    /// Reads a tar stream. Errors: it is cut off, or holds anything but small plain files named by numbers.
    pub fn read(stream: &[u8]) -> Result<Self, &'static str> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut rest = stream;
        loop {
            let (head, after) = rest.split_at_checked(BLOCK).ok_or("the stream of keys was cut off")?;
            if head.iter().all(|byte| *byte == 0) {
                return if entries.is_empty() { Err("the stream holds no key") } else { Ok(Self(entries)) };
            }
            if !is_checksum_right(head) {
                return Err("what comes is no stream of keys");
            }
            let size = usize::try_from(octal(&head[124..136])?).map_err(|_| "a file in the stream is too large")?;
            let name = text(&head[..100])?;
            let name = name.strip_prefix("./").unwrap_or(name);
            let blocks = size.div_ceil(BLOCK).checked_mul(BLOCK).ok_or("a file in the stream is too large")?;
            let (content, after) = after.split_at_checked(blocks).ok_or("the stream of keys was cut off")?;
            rest = after;
            match head[156] {
                b'5' if name.is_empty() => continue,
                b'0' | 0 => {}
                _ => return Err("the stream holds something that is no plain file"),
            }
            let is_plain = name == "0" || name.bytes().all(|byte| byte.is_ascii_digit()) && !name.starts_with('0');
            let index = name.parse().ok().filter(|_| is_plain).ok_or("the stream holds a file that is no key")?;
            if size > LARGEST_KEY || entries.len() == MOST_KEYS || entries.iter().any(|entry| entry.index == index) {
                return Err("the stream holds too much");
            }
            let mtime = octal(&head[136..148])?;
            entries.push(Entry { index, mtime, content: Zeroizing::new(content[..size].to_vec()) });
        }
    }

    /// The keys that are `wanted`, each from the first of these archives that has it. Errors: the index and digest that none has.
    pub fn compose(wanted: &Keys, from: &[&KeyArchive]) -> Result<Self, (u32, Digest)> {
        let known: Vec<(Digest, &Entry)> =
            from.iter().flat_map(|archive| &archive.0).map(|entry| (entry.digest(), entry)).collect();
        let entry = |(index, digest): (&u32, &Digest)| {
            let found = known.iter().find(|(of, _)| of == digest).ok_or((*index, *digest))?;
            Ok(Entry { index: *index, mtime: found.1.mtime, content: found.1.content.clone() })
        };
        wanted.iter().map(entry).collect::<Result<_, _>>().map(Self)
    }

    /// Whether any key can be read in these bytes as it is.
    pub fn is_readable_in(&self, bytes: &[u8]) -> bool {
        let plain = |entry: &Entry| entry.content.trim_ascii().to_vec();
        self.0
            .iter()
            .map(|entry| Zeroizing::new(plain(entry)))
            .any(|key| !key.is_empty() && bytes.windows(key.len()).any(|found| found == &key[..]))
    }

    /// Fewer bytes can't hold the keys, however they are packed: of each 32 are by chance.
    pub fn least_bytes(&self) -> usize {
        self.0.len() * 32
    }

    /// Which key lies under which index.
    pub fn digests(&self) -> Keys {
        self.0.iter().map(|entry| (entry.index, entry.digest())).collect()
    }

    /// As a tar stream (POSIX ustar), owner 0, mode 0600.
    pub fn write(&self) -> Zeroizing<Vec<u8>> {
        let blocks: usize = self.0.iter().map(|entry| 1 + entry.content.len().div_ceil(BLOCK)).sum();
        // All of it at once: growing would leave copies behind.
        let mut stream = Zeroizing::new(Vec::with_capacity((blocks + 2) * BLOCK));
        for entry in &self.0 {
            stream.extend_from_slice(&head(entry.index, entry.content.len(), entry.mtime));
            stream.extend_from_slice(&entry.content);
            let padded = stream.len().div_ceil(BLOCK) * BLOCK;
            stream.resize(padded, 0);
        }
        let end = stream.len() + 2 * BLOCK;
        stream.resize(end, 0);
        stream
    }
}

#[cfg(test)]
impl KeyArchive {
    /// Keys of a test.
    pub(crate) fn sample(keys: &[(u32, &str)]) -> Self {
        let entry = |(index, key): &(u32, &str)| Entry {
            index: *index,
            mtime: 1,
            content: Zeroizing::new(key.as_bytes().to_vec()),
        };
        Self(keys.iter().map(entry).collect())
    }
}

fn head(index: u32, size: usize, mtime: u64) -> [u8; BLOCK] {
    let mut head = [0; BLOCK];
    let mut put = |at: usize, text: &str| head[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, &index.to_string());
    put(100, "0000600\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{size:011o}\0"));
    put(136, &format!("{:011o}\0", mtime.min(0o77_777_777_777)));
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\0");
    put(263, "00");
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    head
}

fn is_checksum_right(head: &[u8]) -> bool {
    let blank = |(at, byte): (usize, &u8)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) };
    octal(&head[148..156]) == Ok(head.iter().enumerate().map(blank).sum())
}

fn text(field: &[u8]) -> Result<&str, &'static str> {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    std::str::from_utf8(&field[..end]).map_err(|_| "the stream holds a file that is no key")
}

fn octal(field: &[u8]) -> Result<u64, &'static str> {
    let digits = text(field)?.trim();
    u64::from_str_radix(digits, 8).map_err(|_| "a number in the stream can't be understood")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    fn archive(keys: &[(u32, &str)]) -> KeyArchive {
        let entry = |(index, content): &(u32, &str)| Entry {
            index: *index,
            mtime: 1_700_000_000 + u64::from(*index),
            content: Zeroizing::new(content.as_bytes().to_vec()),
        };
        KeyArchive(keys.iter().map(entry).collect())
    }

    fn digest(text: &str) -> Digest {
        Digest::from_bytes(Sha256::digest(text).into())
    }

    #[test]
    fn what_is_written_is_what_tar_reads_and_what_tar_writes_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let written = archive(&[(0, "abc"), (12, "def\n")]).write();
        let mut tar = Command::new("tar").args(["-xf", "-", "-C", path]).stdin(Stdio::piped()).spawn().unwrap();
        tar.stdin.take().unwrap().write_all(&written).unwrap();
        assert!(tar.wait().unwrap().success());
        let made = folder.path().join("12").metadata().unwrap();
        let since = made.modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
        assert_eq!((made.len(), since.as_secs()), (4, 1_700_000_012));
        for arguments in [vec!["-cf", "-", "-C", path, "0", "12"], vec!["-cf", "-", "-C", path, "."]] {
            let back = Command::new("tar").args(arguments).output().unwrap();
            let read = KeyArchive::read(&back.stdout).unwrap();
            assert_eq!(read.digests(), [(0, digest("abc")), (12, digest("def"))].into());
            assert!(read.0.iter().any(|entry| entry.mtime == 1_700_000_012));
        }
    }

    #[test]
    fn anything_but_small_plain_files_named_by_numbers_is_refused() {
        let good = archive(&[(0, "abc"), (1, "def")]).write();
        assert!(KeyArchive::read(&good).is_ok());
        let changed = |at: usize, bytes: &[u8]| {
            let mut bad = good.to_vec();
            bad[at..at + bytes.len()].copy_from_slice(bytes);
            // The checksum is put right: what is refused is refused for what it says.
            bad[148..156].fill(b' ');
            let sum: u32 = bad[..BLOCK].iter().map(|byte| u32::from(*byte)).sum();
            bad[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            KeyArchive::read(&bad).map(|_| ())
        };
        for name in [&b"00\0"[..], b"../1\0", b"/0\0", b"a\0", b"\0", b"1\0", b"99999999999\0"] {
            assert!(changed(0, name).is_err(), "{name:?}");
        }
        for kind in [b"1", b"2", b"5", b"L", b"x"] {
            assert!(changed(156, kind).is_err(), "{kind:?}");
        }
        assert!(changed(124, b"00000010000\0").is_err(), "4 KiB at most");
        assert!(changed(124, b"77777777777\0").is_err());
        for cut in [0, 100, 512, 1024, good.len() - 2 * BLOCK] {
            assert!(KeyArchive::read(&good[..cut]).is_err(), "{cut}");
        }
        assert!(KeyArchive::read(b"Last login: today\n").is_err());
    }

    #[test]
    fn wanted_keys_are_found_by_digest_wherever_they_lie() {
        let (one, two) = (archive(&[(0, "a"), (1, "b")]), archive(&[(5, "c\n")]));
        let wanted: Keys = [(0, digest("a")), (6, digest("c"))].into();
        let composed = KeyArchive::compose(&wanted, &[&one, &two]).unwrap();
        assert_eq!(composed.digests(), wanted);
        let none: Keys = [(3, digest("z"))].into();
        assert_eq!(KeyArchive::compose(&none, &[&one, &two]).unwrap_err(), (3, digest("z")));
        assert_eq!(format!("{composed:?}"), "KeyArchive(2 keys hidden)");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(0u8..=255, 0..2048), flip in 0usize..512) {
            let _ = KeyArchive::read(&bytes);
            let mut good = archive(&[(0, "abc")]).write().to_vec();
            good[flip] ^= bytes.first().copied().unwrap_or(1);
            let _ = KeyArchive::read(&good);
        }
    }
}
