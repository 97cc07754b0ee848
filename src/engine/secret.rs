//! The private half of a key: made, derived from and wiped here. No Debug, no Display, no Serialize, no Clone by accident.
//!
//! What is secret lies on pages of its own that are kept out of the swap where the system permits it. It is never moved,
//! so that no move leaves a copy behind, and what a computation leaves on the stack is overwritten after it.

use crate::domain::key::PublicKey;
use base64ct::{Base64, Encoding};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use x25519_dalek::StaticSecret;
use zeroize::Zeroize;

/// Every page of the process is locked already, so that none has to be locked by itself.
static ALL_LOCKED: AtomicBool = AtomicBool::new(false);

/// The whole process was locked into memory (by `mlockall`): buffers need no lock of their own, and must not end one.
pub fn all_pages_are_locked() {
    ALL_LOCKED.store(true, Ordering::Relaxed);
}

/// Bytes on pages of their own. Wiped, then unlocked when dropped.
struct Pages {
    memory: Box<[u8]>,
    /// Where the first whole page begins.
    start: usize,
    length: usize,
    lock: Option<region::LockGuard>,
}

impl Pages {
    /// Zeros.
    fn new(length: usize) -> Self {
        let page = region::page::size();
        let whole = length.max(1).div_ceil(page) * page;
        // One more, so that whole pages fit wherever the block begins: nothing else is then on a locked page.
        let memory = vec![0u8; whole + page].into_boxed_slice();
        let start = memory.as_ptr().align_offset(page).min(page);
        let lock = match ALL_LOCKED.load(Ordering::Relaxed) {
            true => None,
            // Refused beyond RLIMIT_MEMLOCK: then it may be swapped, which `config check` says.
            false => region::lock(memory[start..].as_ptr(), whole).ok(),
        };
        Self { memory, start, length, lock }
    }

    fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.length]
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.length]
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        self.length = 0;
        self.lock = None;
    }
}

/// Whether the system lets a page be locked at present.
pub fn can_lock() -> bool {
    ALL_LOCKED.load(Ordering::Relaxed) || Pages::new(1).lock.is_some()
}

/// Overwrites what earlier calls have left on the stack below the caller's frame.
#[inline(never)]
fn scrub_stack() {
    let mut area = [0u8; 32 * 1024];
    black_box(&mut area);
}

/// A clamped Curve25519 private key. Wiped when dropped; can't be printed.
pub struct PrivateKey(Pages);

impl PrivateKey {
    /// Makes a key of 32 random bytes, clamped as `wg genkey` clamps. `fill` writes them where the key rests; its error
    /// is given on.
    pub fn generate<E>(fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut pages = Pages::new(32);
        fill(pages.bytes_mut())?;
        let bytes = pages.bytes_mut();
        // x25519-dalek clamps only when it multiplies; WireGuard stores and compares the clamped form.
        bytes[0] &= 248;
        bytes[31] = (bytes[31] & 127) | 64;
        Ok(Self(pages))
    }

    /// The same of bytes that the caller has; for fixed keys of tests.
    pub fn from_random(mut bytes: [u8; 32]) -> Self {
        let made = Self::generate(|place| {
            place.copy_from_slice(&bytes);
            Ok::<(), std::convert::Infallible>(())
        });
        bytes.zeroize();
        let Ok(key) = made;
        key
    }

    /// Reads what a secret's payload holds: base64, white space around it allowed. `None` if it is not 32 bytes.
    pub fn from_payload(payload: &SecretBytes) -> Option<Self> {
        let mut pages = Pages::new(32);
        let read = Base64::decode(payload.expose().trim_ascii(), pages.bytes_mut()).map(<[u8]>::len);
        scrub_stack();
        (read == Ok(32)).then_some(Self(pages))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        let public = derive(self.0.bytes());
        scrub_stack();
        PublicKey::from_bytes(public)
    }

    /// The base64 form, optionally with a newline behind it, as a secret's payload.
    pub fn to_payload(&self, trailing_newline: bool) -> SecretBytes {
        let encoded = Base64::encoded_len(self.0.bytes());
        let written = SecretBytes::write(encoded + 1, |place| {
            let length = Base64::encode(self.0.bytes(), &mut place[..encoded]).map(str::len)?;
            place[length] = b'\n';
            Ok::<usize, base64ct::Error>(length + usize::from(trailing_newline))
        });
        scrub_stack();
        // The place is as long as the text, so the error can't happen; an empty payload would be refused by Barbican.
        written.unwrap_or_else(|_| SecretBytes::new(Vec::new()))
    }
}

/// In a frame of its own, below which everything is scrubbed.
#[inline(never)]
fn derive(bytes: &[u8]) -> [u8; 32] {
    let mut copy = [0u8; 32];
    copy.copy_from_slice(bytes);
    let secret = StaticSecret::from(copy);
    copy.zeroize();
    x25519_dalek::PublicKey::from(&secret).to_bytes()
}

/// Bytes that must not be seen: a payload, a password, a token. Wiped when dropped; can't be printed.
pub struct SecretBytes(Pages);

impl SecretBytes {
    /// Takes the bytes over and wipes where they were; the caller must not keep a copy.
    pub fn new(mut bytes: Vec<u8>) -> Self {
        let mut pages = Pages::new(bytes.len());
        pages.bytes_mut().copy_from_slice(&bytes);
        bytes.zeroize();
        Self(pages)
    }

    /// Lets the bytes be written where they rest: `write` gets so many zeros and gives how many it has used.
    pub fn write<E>(most: usize, write: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<Self, E> {
        let mut pages = Pages::new(most);
        let used = write(pages.bytes_mut())?.min(most);
        pages.bytes_mut()[used..].zeroize();
        pages.length = used;
        Ok(Self(pages))
    }

    /// The bytes. Every use of this is a place to review.
    pub fn expose(&self) -> &[u8] {
        self.0.bytes()
    }

    /// The bytes as text; empty if they are not UTF-8.
    pub fn expose_text(&self) -> &str {
        std::str::from_utf8(self.expose()).unwrap_or_default()
    }

    /// A second copy, wiped as well.
    pub fn duplicate(&self) -> Self {
        let mut pages = Pages::new(self.expose().len());
        pages.bytes_mut().copy_from_slice(self.expose());
        Self(pages)
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
            let bytes = again.0.bytes();
            assert_eq!((bytes[0] & 7, bytes[31] & 0xc0), (0, 0x40));
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
    fn a_secret_of_any_length_is_alone_on_whole_pages_and_reads_back() {
        let page = region::page::size();
        for length in [0, 1, 44, page - 1, page, page + 1, 3 * page] {
            let bytes: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let secret = SecretBytes::new(bytes.clone());
            assert_eq!(secret.expose(), bytes);
            assert_eq!(secret.expose().as_ptr().align_offset(page), 0);
            assert!(secret.0.memory.len() - secret.0.start >= length.max(1).div_ceil(page) * page);
            assert_eq!(secret.duplicate().expose(), bytes);
        }
    }

    #[test]
    fn what_was_written_beyond_the_used_part_is_wiped() {
        let secret = SecretBytes::write(8, |place| {
            place.fill(7);
            Ok::<usize, ()>(3)
        });
        let secret = secret.unwrap();
        assert_eq!(secret.expose(), [7, 7, 7]);
        assert!(secret.0.memory[secret.0.start + 3..].iter().all(|byte| *byte == 0));
        assert!(SecretBytes::write(8, |_| Err::<usize, &str>("refused")).is_err());
    }

    #[test]
    fn it_does_not_print() {
        assert_eq!(format!("{:?}", SecretBytes::new(b"key".to_vec())), "SecretBytes(hidden)");
    }
}
