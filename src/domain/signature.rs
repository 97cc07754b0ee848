//! Signatures of operators in the format of `ssh-keygen -Y sign` (SSHSIG): which key has signed this very text.
//!
//! Whose key it is, and whether it counts now, is `signers`'. Format: OpenSSH's PROTOCOL.sshsig and PROTOCOL.u2f.

use crate::domain::sanitize::sanitize;
use ssh_key::{Algorithm, EcdsaCurve, Fingerprint, HashAlg, PublicKey, SshSig};
use std::fmt;

/// What our signatures are for: a signature that was made for anything else (a commit, a file) is none.
pub const NAMESPACE: &str = "approval@changeguard";

/// The longest armored signature that is looked at, bytes: those of the known kinds have less than 1,000.
const LONGEST: usize = 8 * 1024;

/// The flag of a security key that somebody touched it (PROTOCOL.u2f, "user presence").
const TOUCHED: u8 = 0x01;
/// Flags and counter at the end of a security key's signature, bytes.
const TRAILER: usize = 5;

/// A public key, known by its fingerprint as `ssh-keygen -l` prints it: `SHA256:…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct SignerKey(String);

impl SignerKey {
    /// The key of a public key's line: type, base64, and perhaps a comment. Errors name what is wrong, or the kind of key
    /// that is not taken.
    pub fn parse(line: &str) -> Result<Self, String> {
        let key = PublicKey::from_openssh(line.trim()).map_err(|error| format!("is no public key: {error}"))?;
        taken(&key.algorithm())?;
        Ok(Self::of(&key))
    }

    fn of(key: &PublicKey) -> Self {
        let fingerprint: Fingerprint = key.fingerprint(HashAlg::Sha256);
        Self(fingerprint.to_string())
    }
}

impl fmt::Display for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether keys of this kind are taken: ed25519, ecdsa over P-256 and P-384, and both kinds of security keys.
fn taken(algorithm: &Algorithm) -> Result<(), String> {
    match algorithm {
        Algorithm::Ed25519 | Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256 => Ok(()),
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 | EcdsaCurve::NistP384 } => Ok(()),
        other => Err(format!("is a key of a kind that is not taken here ({}); use ed25519", sanitize(other.as_str()))),
    }
}

/// Which key has signed the text under our namespace. Errors say why nobody has.
pub fn verify(armored: &str, text: &str) -> Result<SignerKey, String> {
    if armored.len() > LONGEST {
        return Err("the signature is too long to be one".into());
    }
    let unreadable = |error| format!("the signature can't be read: {error}");
    let signature: SshSig = armored.trim_start().parse().map_err(unreadable)?;
    taken(&signature.algorithm()).map_err(|why| format!("the signer's {why}"))?;
    if signature.version() != SshSig::VERSION || !signature.reserved().is_empty() {
        return Err("the signature is of a version that is not known".into());
    }
    if signature.namespace() != NAMESPACE {
        let namespace = sanitize(signature.namespace());
        return Err(format!("the signature was made for {namespace:?}, not for {NAMESPACE:?}"));
    }
    let key = PublicKey::from(signature.public_key().clone());
    if key.algorithm() != signature.algorithm() {
        return Err("the signature is of another kind than its key".into());
    }
    key.verify(NAMESPACE, text.as_bytes(), &signature).map_err(|_| "the signature does not belong to this text")?;
    if matches!(signature.algorithm(), Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256) {
        let bytes = signature.signature_bytes();
        let flags = bytes.len().checked_sub(TRAILER).and_then(|at| bytes.get(at)).copied().unwrap_or_default();
        // As sshd does unless it is told otherwise: a key that signs without a touch can be used by whoever is root there.
        if flags & TOUCHED == 0 {
            return Err("the security key was not touched for it".into());
        }
    }
    Ok(SignerKey::of(&key))
}

#[cfg(test)]
#[path = "signature_tests.rs"]
pub(crate) mod tests;
