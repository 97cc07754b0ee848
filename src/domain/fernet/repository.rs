//! A key repository as it was seen on one node: digests, never content. What is wrong with it is `finding`; whether it equals
//! the others is `agreement`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Most keys that are taken in from one repository; `max_active_keys` beyond ten is unheard of.
pub const MOST_KEYS: usize = 512;

/// SHA-256 of a key file's content without white space around it: Keystone takes a key with and without a newline.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// Why a text is not a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest (64 hexadecimal digits)")]
pub struct BadDigest;

impl Digest {
    /// Wraps the 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads what `sha256sum` prints: 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, BadDigest> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(BadDigest);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |at: u8| char::from(at).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            match (digit(pair[0]), digit(pair[1])) {
                (Some(high), Some(low)) => *byte = high << 4 | low,
                _ => return Err(BadDigest),
            }
        }
        Ok(Self(bytes))
    }

    /// All 64 digits, as `sha256sum` prints them.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The first 12 digits: enough to tell keys apart, and what journal and screen show.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..6].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl TryFrom<String> for Digest {
    type Error = BadDigest;
    fn try_from(text: String) -> Result<Self, BadDigest> {
        Self::parse(&text)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.hex()
    }
}

/// What decides about validity: which key lies under which index.
pub type Keys = BTreeMap<u32, Digest>;

/// Keys as JSON has them: with the index as text, so that they can also be read where a record is recognised by its tag.
pub mod by_index {
    use super::{Digest, Keys};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    /// Writes them.
    pub fn serialize<S: Serializer>(keys: &Keys, serializer: S) -> Result<S::Ok, S::Error> {
        keys.iter()
            .map(|(index, digest)| (index.to_string(), *digest))
            .collect::<BTreeMap<_, _>>()
            .serialize(serializer)
    }

    /// Reads them. Errors: an index is no number.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Keys, D::Error> {
        let read = BTreeMap::<String, Digest>::deserialize(deserializer)?;
        let key = |(index, digest): (String, Digest)| match index.parse() {
            Ok(index) => Ok((index, digest)),
            Err(_) => Err(serde::de::Error::custom("the index of a key is no number")),
        };
        read.into_iter().map(key).collect()
    }
}

/// Owner, group and mode of a file or folder, as `stat` gives them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The owner's name, its number where it has none. Sanitized.
    pub owner: String,
    /// The group's name. Sanitized.
    pub group: String,
    /// Permission bits, at most `0o7777`.
    pub mode: u32,
}

impl Access {
    /// `keystone:keystone 0600`.
    pub fn text(&self) -> String {
        format!("{}:{} {:04o}", self.owner, self.group, self.mode)
    }

    /// Whether this user, or its group, may do all of `bits` (4 read, 1 enter).
    pub fn lets(&self, reader: &Reader, bits: u32) -> bool {
        let class = if self.owner == reader.user {
            6
        } else if self.group == reader.group {
            3
        } else {
            0
        };
        (self.mode >> class) & bits == bits
    }
}

/// As whom Keystone runs on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reader {
    /// The user's name.
    pub user: String,
    /// Its group.
    pub group: String,
}

/// One file whose name is the plain decimal number of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFile {
    /// Digest of the trimmed content; none where it could not be read.
    pub digest: Option<Digest>,
    /// Whether the trimmed content is 44 characters of url-safe base64, which is what a key is.
    pub is_well_formed: bool,
    /// Size of the file, bytes.
    pub bytes: u64,
    /// Modification time by the node's clock, seconds since 1970 UTC. A rename keeps it: it is the time the key was made.
    pub mtime: i64,
    /// Who may read it.
    pub access: Access,
}

/// Something in the folder that is not a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stray {
    /// Its name. Sanitized.
    pub name: String,
    /// Whether it is a plain file. Keystone opens plain files only; a symbolic link to one counts as one.
    pub is_file: bool,
}

impl Stray {
    /// The key that Python's `int()` makes of the name, and Keystone with it: `01`, ` 1`, `+1` and `1_0` are numbers there.
    pub fn read_as(&self) -> Option<i64> {
        let text = self.name.trim();
        let (sign, digits) = match text.as_bytes().first()? {
            b'-' => (-1, &text[1..]),
            b'+' => (1, &text[1..]),
            _ => (1, text),
        };
        let is_number = !digits.is_empty()
            && digits.split('_').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        let number: i64 = digits.replace('_', "").parse().ok()?;
        (is_number && self.is_file).then_some(sign * number)
    }
}

/// The folder itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Folder {
    /// There is none at the path.
    Missing,
    /// It is there and can't be listed; why. Sanitized.
    Unreadable(String),
    /// It was listed.
    Seen(Access),
}

/// A repository on one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// On which node.
    pub node: String,
    /// Where there.
    pub path: String,
    /// The folder.
    pub folder: Folder,
    /// The keys by index.
    pub keys: BTreeMap<u32, KeyFile>,
    /// All else that lies in it.
    pub strays: Vec<Stray>,
}

/// What a key is for, by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// `0`: decrypts, and is the next primary.
    Staged,
    /// Decrypts what it encrypted as the primary.
    Secondary,
    /// The highest index: encrypts every new token.
    Primary,
}

impl Role {
    /// The word on the screen and in `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Role::Staged => "staged",
            Role::Secondary => "secondary",
            Role::Primary => "primary",
        }
    }
}

impl Repository {
    /// Which digest lies under which index; keys that could not be read are left out.
    pub fn digests(&self) -> Keys {
        self.keys.iter().filter_map(|(index, key)| Some((*index, key.digest?))).collect()
    }

    /// The index that encrypts: the highest but 0. None where there is only a staged key or nothing.
    pub fn primary(&self) -> Option<u32> {
        self.keys.keys().next_back().copied().filter(|index| *index > 0)
    }

    /// What the key under this index is for. None where there is no such key.
    pub fn role(&self, index: u32) -> Option<Role> {
        self.keys.contains_key(&index).then(|| match index {
            0 => Role::Staged,
            index if Some(index) == self.primary() => Role::Primary,
            _ => Role::Secondary,
        })
    }

    /// How old a key is at `now` by the node's clock, seconds; negative where its time lies in the future. None: no such key.
    pub fn age(&self, index: u32, now: i64) -> Option<i64> {
        self.keys.get(&index).map(|key| now - key.mtime)
    }

    /// The path of a file in it.
    pub fn file(&self, name: impl fmt::Display) -> String {
        format!("{}/{name}", self.path.trim_end_matches('/'))
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;

    /// A digest that is `n` 32 times.
    pub fn digest(n: u8) -> Digest {
        Digest::from_bytes([n; 32])
    }

    pub fn access(mode: u32) -> Access {
        Access { owner: "keystone".into(), group: "keystone".into(), mode }
    }

    pub fn key(n: u8, mtime: i64) -> KeyFile {
        KeyFile { digest: Some(digest(n)), is_well_formed: true, bytes: 44, mtime, access: access(0o600) }
    }

    /// A healthy repository of these indexes, digests and times.
    pub fn repository(node: &str, keys: &[(u32, u8, i64)]) -> Repository {
        Repository {
            node: node.into(),
            path: "/etc/keystone/fernet-keys".into(),
            folder: Folder::Seen(access(0o700)),
            keys: keys.iter().map(|(index, n, mtime)| (*index, key(*n, *mtime))).collect(),
            strays: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::*;
    use super::*;

    #[test]
    fn the_highest_index_is_primary_and_zero_never_is() {
        let seen = repository("a", &[(0, 9, 300), (3, 1, 100), (7, 2, 200)]);
        let roles: Vec<_> = [0, 3, 7, 8].map(|index| seen.role(index)).into();
        assert_eq!(roles, [Some(Role::Staged), Some(Role::Secondary), Some(Role::Primary), None]);
        assert_eq!(repository("a", &[(0, 9, 300)]).primary(), None);
        assert_eq!(seen.age(3, 160), Some(60));
    }

    #[test]
    fn a_digest_reads_back_and_shows_twelve_digits() {
        let text = "00ff".repeat(16);
        let read = Digest::parse(&text).unwrap();
        assert_eq!((read.hex(), read.to_string()), (text, "00ff00ff00ff".to_owned()));
        for bad in ["", "00", &"0g".repeat(32), &"é".repeat(32), &"0".repeat(65)] {
            assert_eq!(Digest::parse(bad), Err(BadDigest), "{bad}");
        }
        let json = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), read);
    }

    #[test]
    fn what_python_takes_for_a_number_is_told_from_what_it_does_not() {
        let read = |name: &str| Stray { name: name.into(), is_file: true }.read_as();
        let numbers = [("01", 1), ("+1", 1), ("-1", -1), ("1_0", 10)];
        for (name, number) in numbers {
            assert_eq!(read(name), Some(number), "{name}");
        }
        for name in ["0.tmp", "", "1_", "_1", "1__0", "backup.tgz", "0x1", "1e3", "--1"] {
            assert_eq!(read(name), None, "{name}");
        }
        assert_eq!(Stray { name: "01".into(), is_file: false }.read_as(), None);
    }

    #[test]
    fn the_class_that_fits_first_decides_as_in_the_kernel() {
        let reader = Reader { user: "keystone".into(), group: "keystone".into() };
        let by = |owner: &str, group: &str, mode| Access { owner: owner.into(), group: group.into(), mode };
        assert!(by("keystone", "root", 0o600).lets(&reader, 4));
        assert!(by("root", "keystone", 0o640).lets(&reader, 4));
        assert!(!by("root", "root", 0o640).lets(&reader, 4));
        assert!(!by("keystone", "keystone", 0o044).lets(&reader, 4), "the owner's bits count for the owner");
    }
}
