//! Which procedure this kOps has.

use crate::domain::sanitize::sanitize;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A version of kOps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// 1
    pub major: u32,
    /// 36
    pub minor: u32,
    /// 2
    pub patch: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What a version can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Procedure {
    /// Keypairs are staged, promoted and distrusted.
    Graceful,
    /// The same, but etcd's authorities are not rotated where the control plane has several instances: seen to break with 1.23 and
    /// 1.24.0, and 1.22 is no better.
    WithoutEtcd,
    /// There are no keypairs to stage: everything is deleted and made anew.
    Legacy,
}

impl Version {
    /// From `kops version`. Errors: it names none.
    pub fn read(output: &str) -> Result<Self, String> {
        let words = output.split_whitespace().map(|word| word.trim_start_matches('v'));
        words.filter_map(Self::of_word).next().ok_or_else(|| format!("{:?} names no version", sanitize(output.trim())))
    }

    fn of_word(word: &str) -> Option<Self> {
        let mut parts = word.split(['-', '+']).next()?.split('.').map(|part| part.parse::<u32>().ok());
        let (major, minor) = (parts.next()??, parts.next()??);
        Some(Self { major, minor, patch: parts.next().flatten().unwrap_or(0) })
    }

    /// What it can do with a control plane of so many instances.
    pub fn procedure(self, control_plane: u32) -> Procedure {
        match (self.major, self.minor, self.patch) {
            (0, _, _) | (1, ..=21, _) => Procedure::Legacy,
            (1, 22 | 23, _) | (1, 24, 0) if control_plane > 1 => Procedure::WithoutEtcd,
            _ => Procedure::Graceful,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_decides_and_so_does_the_control_plane() {
        let version = |text: &str| Version::read(text).unwrap();
        assert_eq!(version("Client version: 1.36.2\n").to_string(), "1.36.2");
        assert_eq!(version("Version 1.21.0-beta.1 (git-1234)").procedure(1), Procedure::Legacy);
        for (text, one, many) in [
            ("1.22.0", Procedure::Graceful, Procedure::WithoutEtcd),
            ("v1.23.4", Procedure::Graceful, Procedure::WithoutEtcd),
            ("1.24.0", Procedure::Graceful, Procedure::WithoutEtcd),
            ("1.24.1", Procedure::Graceful, Procedure::Graceful),
            ("2.0", Procedure::Graceful, Procedure::Graceful),
        ] {
            assert_eq!((version(text).procedure(1), version(text).procedure(3)), (one, many), "{text}");
        }
        assert!(Version::read("Client version: unknown").is_err() && Version::read("").is_err());
    }
}
