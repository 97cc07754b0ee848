//! The key that makes reply tokens and Message-IDs: nobody who was not written to can guess one.
//!
//! Each bastion has its own. Reading needs no key: the journal holds the Message-ID of every mail, and the token with it.

use crate::domain::client::ClientId;
use crate::domain::notice::NoticeKind;
use crate::domain::token::ReplyToken;
use crate::engine::rotation::Rotation;
use crate::engine::secret::SecretBytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of the key.
pub const KEY_LENGTH: usize = 32;

/// The key. Wiped when dropped.
pub struct ReplyKey(SecretBytes);

impl ReplyKey {
    /// Takes the key's bytes.
    pub fn new(bytes: SecretBytes) -> Self {
        Self(bytes)
    }

    /// The token of one client in one rotation: the same for every mail and revision.
    pub fn token(&self, rotation: &Rotation, client: &ClientId) -> ReplyToken {
        self.token_of(&rotation.id.0, &client.0)
    }

    /// The token of one person in one case.
    pub fn token_of(&self, case: &str, person: &str) -> ReplyToken {
        let mut bytes = [0u8; 15];
        bytes.copy_from_slice(&self.mac(&["token", case, person])[..15]);
        ReplyToken::from_bytes(bytes)
    }

    /// The Message-ID of the `copy`th mail to a person of a case on a question, `kind`, with what is enclosed in it, by its digest.
    pub fn message_id_of(
        &self,
        (case, person): (&str, &str),
        kind: &str,
        enclosed: &str,
        copy: usize,
        domain: &str,
    ) -> String {
        let mac = self.mac(&["case-message", case, person, kind, enclosed, &copy.to_string()]);
        let hex: String = mac.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("<{}.{hex}@{domain}>", self.token_of(case, person))
    }

    /// The Message-ID of the `copy`th mail of a kind for the window in force: the same for the same mail, whenever it is
    /// derived.
    pub fn message_id(
        &self,
        rotation: &Rotation,
        client: &ClientId,
        kind: NoticeKind,
        copy: usize,
        domain: &str,
    ) -> String {
        let leg = if rotation.rollback.is_some() { "back" } else { "forward" };
        let (revision, copy) = (rotation.window.revision.to_string(), copy.to_string());
        let mac = self.mac(&["message", &rotation.id.0, &client.0, kind.word(), &revision, leg, &copy]);
        let hex: String = mac.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("<{}.{hex}@{domain}>", self.token(rotation, client))
    }

    fn mac(&self, parts: &[&str]) -> [u8; 32] {
        // A key of any length is one for HMAC.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.expose()) else { unreachable!("HMAC takes any key") };
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}
