//! What a case remembers of a keyset, so that no way back depends on guessing by dates; and whether somebody else has changed it since.

use super::keypair::{Keypair, KeypairId};
use super::keyset::{Keysets, Role};
use serde::{Deserialize, Serialize};

/// A keyset before the case, and what the case has made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// Its name.
    pub keyset: String,
    /// All its keypairs before, distrusted ones too.
    pub before: Vec<Keypair>,
    /// The primary of before.
    pub old: KeypairId,
    /// What was created for it; none: not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<KeypairId>,
}

/// How far a keyset is on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// As before: nothing new, or the new one is distrusted again.
    Before,
    /// The new one is staged.
    Staged,
    /// The new one is primary, and the old one trusted.
    Promoted,
    /// The new one is primary, and the old one distrusted.
    Distrusted,
}

impl Track {
    /// What is remembered of a keyset; none where it has no primary.
    pub fn begin(keysets: &Keysets, keyset: &str) -> Option<Self> {
        let old = keysets.primary(keyset)?.id.clone();
        Some(Self { keyset: keyset.to_owned(), before: keysets.pairs(keyset).to_vec(), old, new: None })
    }

    fn was_there(&self, id: &KeypairId) -> bool {
        self.before.iter().any(|pair| pair.id == *id)
    }

    /// The ids that were trusted before, besides the primary, and are older: what is distrusted with it.
    pub fn retires(&self) -> Vec<KeypairId> {
        let trusted = self.before.iter().filter(|pair| pair.distrusted.is_none());
        trusted.map(|pair| pair.id.clone()).collect()
    }

    /// The keypairs that are there now and were not before, beside the case's own.
    pub fn strangers<'a>(&'a self, keysets: &'a Keysets) -> impl Iterator<Item = &'a Keypair> {
        keysets
            .pairs(&self.keyset)
            .iter()
            .filter(|pair| !self.was_there(&pair.id) && self.new.as_ref() != Some(&pair.id))
    }

    /// What a `create keypair` has left of which nothing was recorded. Errors: more than one, so that somebody else has made one, too.
    pub fn left_by_a_create(&self, keysets: &Keysets) -> Result<Option<KeypairId>, String> {
        let found: Vec<&Keypair> = self.strangers(keysets).filter(|pair| keysets.role(pair) == Role::Staged).collect();
        match found.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.id.clone())),
            many => {
                let ids: Vec<&str> = many.iter().map(|pair| pair.id.as_str()).collect();
                Err(format!("{}: {} were created, and one was asked for", self.keyset, ids.join(" and ")))
            }
        }
    }

    /// How far it is. Errors: it is as the case can't have left it, so somebody else has changed it.
    pub fn standing(&self, keysets: &Keysets) -> Result<Standing, String> {
        let name = &self.keyset;
        let primary =
            keysets.primary(name).ok_or_else(|| format!("{name} is not listed any more, or has no primary"))?;
        if let Some(gone) = self.before.iter().find(|pair| keysets.pair(name, &pair.id).is_none()) {
            return Err(format!("{name}: {} is gone", gone.id));
        }
        if let Some(stranger) = self.strangers(keysets).find(|_| self.new.is_some()) {
            let role = keysets.role(stranger).word();
            return Err(format!("{name}: {} was made by somebody else, and is {role}", stranger.id));
        }
        let is_trusted = |id: &KeypairId| keysets.is_trusted(name, id);
        match &self.new {
            Some(new) if primary.id == *new && is_trusted(&self.old) => Ok(Standing::Promoted),
            Some(new) if primary.id == *new => Ok(Standing::Distrusted),
            _ if primary.id != self.old => {
                Err(format!("{name}: {} is primary, which this case has not made so", primary.id))
            }
            Some(new) if is_trusted(new) => Ok(Standing::Staged),
            Some(new) if keysets.pair(name, new).is_none() => {
                Err(format!("{name}: {new}, which this case has made, is gone"))
            }
            _ => Ok(Standing::Before),
        }
    }

    /// What its keypairs are now, the previous and the new one: `the previous 12 is distrusted, the new 34 is primary`.
    pub fn told(&self, keysets: &Keysets) -> String {
        let of = |what: &str, id: &KeypairId| match keysets.pair(&self.keyset, id) {
            Some(pair) => format!("the {what} {id} is {}", keysets.role(pair).word()),
            None => format!("the {what} {id} is gone"),
        };
        let new = self.new.as_ref().map(|new| of("new", new));
        std::iter::once(of("previous", &self.old)).chain(new).collect::<Vec<_>>().join(", ")
    }

    /// The commands that bring it from one standing to another, by its ids.
    pub fn put_to(&self, from: Standing, to: Standing) -> Vec<String> {
        let command = |verb: &str, id: &KeypairId| format!("kops {verb} keypair {} {id}", self.keyset);
        let (old, new) = (&self.old, self.new.as_ref());
        let mut found = Vec::new();
        if from < Standing::Staged && to >= Standing::Staged {
            found.extend(new.map(|new| command("trust", new)));
        }
        if from < Standing::Promoted && to >= Standing::Promoted {
            found.extend(new.map(|new| command("promote", new)));
        }
        if to == Standing::Distrusted && from < to {
            found.push(command("distrust", old));
        }
        if from == Standing::Distrusted && to < from {
            found.push(command("trust", old));
        }
        if from >= Standing::Promoted && to < Standing::Promoted {
            found.push(command("promote", old));
        }
        if from >= Standing::Staged && to < Standing::Staged {
            found.extend(new.map(|new| command("distrust", new)));
        }
        found
    }
}
