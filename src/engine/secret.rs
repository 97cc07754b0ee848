//! The private half of a key: made, derived from and wiped here. No Debug, no Display, no Serialize, no Clone by accident.

use crate::domain::key::PublicKey;
use base64ct::{Base64, Encoding};
use x25519_dalek::StaticSecret;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A clamped Curve25519 private key. Wiped when dropped; can't be printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct PrivateKey([u8; 32]);

impl PrivateKey {
    /// Makes a key of 32 random bytes, clamped as `wg genkey` clamps.
    pub fn from_random(mut bytes: [u8; 32]) -> Self {
        // x25519-dalek clamps only when it multiplies; WireGuard stores and compares the clamped form.
        bytes[0] &= 248;
        bytes[31] = (bytes[31] & 127) | 64;
        let key = Self(bytes);
        bytes.zeroize();
        key
    }

    /// Reads what a secret's payload holds: base64, white space around it allowed. `None` if it is not 32 bytes.
    pub fn from_payload(payload: &SecretBytes) -> Option<Self> {
        let text = payload.expose().trim_ascii();
        let mut bytes = Zeroizing::new([0u8; 32]);
        let read = Base64::decode(text, bytes.as_mut_slice()).ok()?;
        (read.len() == 32).then(|| Self(*bytes))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        let secret = StaticSecret::from(self.0);
        PublicKey::from_bytes(x25519_dalek::PublicKey::from(&secret).to_bytes())
    }

    /// The base64 form, optionally with a newline behind it, as a secret's payload.
    pub fn to_payload(&self, trailing_newline: bool) -> SecretBytes {
        let mut text = Zeroizing::new([0u8; 44]);
        // 32 bytes always fit 44 characters, so the error can't happen; an empty payload would be refused by Barbican.
        let length = Base64::encode(&self.0, text.as_mut_slice()).map_or(0, str::len);
        let mut bytes = Vec::with_capacity(45);
        bytes.extend_from_slice(&text[..length]);
        if trailing_newline {
            bytes.push(b'\n');
        }
        SecretBytes::new(bytes)
    }
}

/// Bytes that must not be seen: a payload, a password, a token. Wiped when dropped; can't be printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes the bytes over; the caller must not keep a copy.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes. Every use of this is a place to review.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text; empty if they are not UTF-8.
    pub fn expose_text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// A second copy, wiped as well.
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }
}

impl std::fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretBytes(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7748 section 6.1, Alice's pair; `wg pubkey` gives the same.
    #[test]
    fn the_public_half_is_what_wg_pubkey_gives() {
        let payload = SecretBytes::new(b"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n".to_vec());
        let key = PrivateKey::from_payload(&payload).unwrap();
        assert_eq!(key.public().to_string(), "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=");
    }

    #[test]
    fn a_made_key_is_clamped_and_reads_back_with_and_without_a_newline() {
        let key = PrivateKey::from_random([0xff; 32]);
        for newline in [false, true] {
            let payload = key.to_payload(newline);
            assert_eq!(payload.expose().len(), 44 + usize::from(newline));
            let again = PrivateKey::from_payload(&payload).unwrap();
            assert_eq!((again.0[0] & 7, again.0[31] & 0xc0), (0, 0x40));
            assert_eq!(again.public(), key.public());
        }
    }

    #[test]
    fn a_payload_that_is_no_key_is_refused() {
        for bad in [&b""[..], b"hello", b"AAAA", &[0xff; 44]] {
            assert!(PrivateKey::from_payload(&SecretBytes::new(bad.to_vec())).is_none());
        }
    }

    #[test]
    fn it_does_not_print() {
        assert_eq!(format!("{:?}", SecretBytes::new(b"key".to_vec())), "SecretBytes(hidden)");
    }
}
