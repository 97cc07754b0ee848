//! Genuine Fernet tokens: the key as it lies in a file, and sealing and opening as python's `cryptography` does it for
//! Keystone. What is inside a token is `payload`; which keys there are, `repository`.
//!
//! Source: the Fernet specification (version 0x80, 64 bit time, IV, AES-128-CBC with PKCS#7, HMAC-SHA256 over all before it)
//! and `cryptography.fernet`; Keystone strips the padding of the base64.

use aes::Aes128;
use base64ct::{Base64Url, Base64UrlUnpadded, Encoding};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const VERSION: u8 = 0x80;
/// Version, time and IV.
const HEAD: usize = 1 + 8 + 16;
const TAG: usize = 32;
const BLOCK: usize = 16;

/// A file's content is no Fernet key: Keystone answers 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Fernet key must be 32 url-safe base64-encoded bytes.")]
pub(super) struct NotAKey;

/// A Fernet key: one half signs, the other encrypts.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Key {
    sign: [u8; 16],
    encrypt: [u8; 16],
}

impl Key {
    /// Of the text of a key file. Blanks and newlines are passed over, as python's decoder does.
    pub(super) fn read(text: &str) -> Result<Key, NotAKey> {
        let bytes = python_base64(text.as_bytes()).ok_or(NotAKey)?;
        let (sign, encrypt) = bytes.split_at_checked(16).ok_or(NotAKey)?;
        Ok(Key { sign: array(sign)?, encrypt: array(encrypt)? })
    }

    /// The text of a key file: 44 characters without a newline.
    pub(super) fn text(bytes: &[u8; 32]) -> Zeroizing<String> {
        Zeroizing::new(Base64Url::encode_string(bytes))
    }

    /// Makes a token of a payload, at a time (seconds since 1970) and with an IV that no other token has.
    pub(super) fn seal(&self, payload: &[u8], now: u64, iv: [u8; 16]) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(vec![VERSION]);
        bytes.extend_from_slice(&now.to_be_bytes());
        bytes.extend_from_slice(&iv);
        let cipher = cbc::Encryptor::<Aes128>::new((&self.encrypt).into(), (&iv).into());
        bytes.extend_from_slice(&cipher.encrypt_padded_vec::<Pkcs7>(payload));
        let mut mac = self.mac();
        mac.update(&bytes);
        bytes.extend_from_slice(&mac.finalize().into_bytes());
        Zeroizing::new(Base64UrlUnpadded::encode_string(&bytes))
    }

    fn mac(&self) -> Hmac<Sha256> {
        Hmac::<Sha256>::new(&hmac::digest::Key::<Hmac<Sha256>>::from(padded(&self.sign)))
    }

    /// The payload, if this key has made the token.
    fn open(&self, token: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (signed, tag) = token.split_at(token.len() - TAG);
        let mut mac = self.mac();
        mac.update(signed);
        mac.verify_slice(tag).ok()?;
        let iv: [u8; 16] = signed[HEAD - 16..HEAD].try_into().ok()?;
        let cipher = cbc::Decryptor::<Aes128>::new((&self.encrypt).into(), (&iv).into());
        cipher.decrypt_padded_vec::<Pkcs7>(&signed[HEAD..]).ok().map(Zeroizing::new)
    }
}

/// HMAC's own block: shorter keys are filled with zeros, so this is the same key (RFC 2104).
fn padded(key: &[u8; 16]) -> [u8; 64] {
    let mut block = [0; 64];
    block[..16].copy_from_slice(key);
    block
}

fn array(bytes: &[u8]) -> Result<[u8; 16], NotAKey> {
    bytes.try_into().map_err(|_| NotAKey)
}

/// A token that one of the keys has opened.
pub(super) struct Opened {
    /// When it was issued, seconds since 1970.
    pub(super) issued: u64,
    /// What is inside.
    pub(super) payload: Zeroizing<Vec<u8>>,
}

/// Tries the keys in their order, as `MultiFernet` does; `None`: none of them has made this token, or it is none.
pub(super) fn open(keys: &[Key], token: &str) -> Option<Opened> {
    let mut text = Zeroizing::new(token.as_bytes().to_vec());
    while !text.len().is_multiple_of(4) {
        text.push(b'=');
    }
    let bytes = python_base64(&text)?;
    if bytes.first() != Some(&VERSION) || bytes.len() < HEAD + BLOCK + TAG {
        return None;
    }
    let issued = u64::from_be_bytes(bytes[1..9].try_into().ok()?);
    keys.iter().find_map(|key| Some(Opened { issued, payload: key.open(&bytes)? }))
}

/// Python's `urlsafe_b64decode`: passes over what is not of the alphabet, ends at a padding that completes a group of four,
/// and fails where the last group is not complete.
fn python_base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 4 * 3 + 3));
    let (mut group, mut place, mut pads) = (0_u32, 0, 0);
    for letter in text {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            b'=' => {
                // Before two letters of a group it is passed over like any other.
                if place >= 2 {
                    pads += 1;
                    if place + pads >= 4 {
                        return Some(bytes);
                    }
                }
                continue;
            }
            _ => continue,
        };
        pads = 0;
        group = group << 6 | u32::from(value);
        place = (place + 1) % 4;
        // The byte that has become whole is the group's lowest but for the bits of the next.
        match place {
            2 => bytes.push((group >> 4 & 0xff) as u8),
            3 => bytes.push((group >> 2 & 0xff) as u8),
            0 => bytes.push((group & 0xff) as u8),
            _ => {}
        }
    }
    (place == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and the time of the specification's own vectors (generate.json, verify.json).
    const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const TOKEN: &str =
        "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

    #[test]
    fn a_token_is_the_one_of_the_specification() {
        let iv = std::array::from_fn(|i| i as u8);
        let made = Key::read(KEY).unwrap().seal(b"hello", 499_162_800, iv);
        assert_eq!(*made, TOKEN.trim_end_matches('='));
        let opened = open(&[Key::read(KEY).unwrap()], TOKEN).unwrap();
        assert_eq!((opened.payload.as_slice(), opened.issued), (b"hello".as_slice(), 499_162_800));
    }

    #[test]
    fn a_token_is_opened_by_whichever_key_made_it_and_by_no_other() {
        let key = |n: u8| Key::read(&Key::text(&[n; 32])).unwrap();
        let token = key(2).seal(b"inside", 5, [7; 16]);
        let opened = open(&[key(1), key(2), key(3)], &token).unwrap();
        assert_eq!(opened.payload.as_slice(), b"inside");
        assert!(open(&[key(1), key(3)], &token).is_none());
        assert!(open(&[], &token).is_none());
    }

    #[test]
    fn a_token_of_which_one_letter_was_changed_is_not_opened() {
        let key = || vec![Key::read(KEY).unwrap()];
        for at in [3, 20, 60, 95] {
            let mut token = TOKEN.as_bytes().to_vec();
            token[at] = if token[at] == b'B' { b'C' } else { b'B' };
            assert!(open(&key(), std::str::from_utf8(&token).unwrap()).is_none(), "letter {at}");
        }
        for junk in ["", "gAAAAA", "junk", "=", "ä", &"A".repeat(120)] {
            assert!(open(&key(), junk).is_none(), "{junk}");
        }
    }

    #[test]
    fn a_key_file_may_end_in_a_newline_and_must_hold_32_bytes() {
        assert!(Key::read(&format!("{KEY}\n")).is_ok());
        for text in ["", "cw_0x689RpI", &KEY[..20], &KEY[..43], "not a key", &format!("{}{KEY}", &KEY[..4])] {
            assert_eq!(Key::read(text).err(), Some(NotAKey), "{text}");
        }
    }
}
