//! In which roles the keypairs of a keyset are, and which keysets can be rotated.

use super::keypair::{Keypair, KeypairId};
use std::collections::BTreeMap;

/// What a keypair is to its keyset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Trusted, newer than the primary, and its private key is there.
    Staged,
    /// Its private key is used.
    Primary,
    /// Trusted: older than the primary, or without a private key.
    Trusted,
    /// Its certificate is in no trust store once all nodes are rolled.
    Distrusted,
}

impl Role {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Role::Staged => "staged",
            Role::Primary => "primary",
            Role::Trusted => "trusted",
            Role::Distrusted => "distrusted",
        }
    }
}

/// Whether kOps rotates this keyset: a certificate authority, or the signing keys of service accounts. The others are issued anew with
/// their authority.
pub fn is_rotatable(keyset: &str) -> bool {
    keyset == "service-account" || keyset.contains("-ca")
}

/// Whether it is one of etcd's.
pub fn is_etcd(keyset: &str) -> bool {
    keyset.starts_with("etcd-")
}

/// The authority that clients of the API trust, and that signs their certificates.
pub const GENERAL: &str = "kubernetes-ca";

/// All keypairs that were listed, by keyset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keysets(BTreeMap<String, Vec<Keypair>>);

impl Keysets {
    /// From what was listed.
    pub fn of(pairs: Vec<Keypair>) -> Self {
        let mut all: BTreeMap<String, Vec<Keypair>> = BTreeMap::new();
        for pair in pairs {
            all.entry(pair.keyset.clone()).or_default().push(pair);
        }
        all.values_mut().for_each(|pairs| pairs.sort_by(|one, two| one.id.cmp(&two.id)));
        Self(all)
    }

    /// All of them, by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Those that can be rotated.
    pub fn rotatable(&self) -> impl Iterator<Item = &str> {
        self.names().filter(|name| is_rotatable(name))
    }

    /// The keypairs of one, by id.
    pub fn pairs(&self, keyset: &str) -> &[Keypair] {
        self.0.get(keyset).map(Vec::as_slice).unwrap_or_default()
    }

    /// One keypair.
    pub fn pair(&self, keyset: &str, id: &KeypairId) -> Option<&Keypair> {
        self.pairs(keyset).iter().find(|pair| pair.id == *id)
    }

    /// The primary.
    pub fn primary(&self, keyset: &str) -> Option<&Keypair> {
        self.pairs(keyset).iter().find(|pair| pair.primary)
    }

    /// What a keypair is.
    pub fn role(&self, pair: &Keypair) -> Role {
        let is_newer = self.primary(&pair.keyset).is_none_or(|primary| pair.id > primary.id);
        match pair {
            Keypair { primary: true, .. } => Role::Primary,
            Keypair { distrusted: Some(_), .. } => Role::Distrusted,
            Keypair { has_private: true, .. } if is_newer => Role::Staged,
            _ => Role::Trusted,
        }
    }

    /// The keypairs of a keyset in this role.
    pub fn of_role(&self, keyset: &str, role: Role) -> impl Iterator<Item = &Keypair> {
        self.pairs(keyset).iter().filter(move |pair| self.role(pair) == role)
    }

    /// Whether a keypair is there and not distrusted.
    pub fn is_trusted(&self, keyset: &str, id: &KeypairId) -> bool {
        self.pair(keyset, id).is_some_and(|pair| pair.distrusted.is_none())
    }

    /// How many certificates of a keyset are in the trust stores.
    pub fn trusted(&self, keyset: &str) -> usize {
        self.pairs(keyset).iter().filter(|pair| pair.distrusted.is_none()).count()
    }
}
