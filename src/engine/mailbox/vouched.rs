//! What the receiving mail server says of a sender: a From header alone is a claim.

use super::Index;
use crate::domain::letter::Incoming;

/// Whether the receiving mail server vouches for a sender (RFC 8601).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Vouched {
    /// It is not asked: no authserv-id is configured.
    #[default]
    NotAsked,
    /// DMARC passed there.
    Yes,
    /// It did not, and what is said instead.
    No(String),
}

impl Index {
    /// What the receiving mail server says of a sender: its own topmost header counts, for anybody can write one below it.
    pub fn vouched(&self, letter: &Incoming) -> Vouched {
        let Some(authserv_id) = &self.authserv_id else { return Vouched::NotAsked };
        let own = letter.authentication.iter().find(|said| said.authserv_id.eq_ignore_ascii_case(authserv_id));
        let Some(own) = own else { return Vouched::No(format!("{authserv_id} says nothing about it")) };
        let sender = letter.from.as_ref().and_then(|(_, address)| address.rsplit_once('@'));
        let is_of = |domain: &String| {
            sender.is_some_and(|(_, sender)| sender == domain || sender.ends_with(&format!(".{domain}")))
        };
        match own.dmarc.as_slice() {
            [] => Vouched::No(format!("{authserv_id} gives no result of DMARC")),
            [one] if one.result == "pass" && one.from.as_ref().is_none_or(is_of) => Vouched::Yes,
            [one] if one.result == "pass" => Vouched::No("DMARC passed for another domain".into()),
            [one] => Vouched::No(format!("DMARC {}", one.result)),
            _ => Vouched::No("more than one result of DMARC".into()),
        }
    }
}
