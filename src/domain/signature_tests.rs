//! Signatures of every kind of key that is taken, and those that are none. Keys are made in memory; what real ssh-keygen
//! and ssh-agent sign is the live tests' business.

use super::*;
use ssh_key::private::Ed25519Keypair;
use ssh_key::public::{Ed25519PublicKey, KeyData, SkEcdsaSha2NistP256, SkEd25519};
use ssh_key::sha2::{Digest, Sha256};
use ssh_key::{LineEnding, PrivateKey, Signature, SigningKey};

const TEXT: &str = "the plan\n";

/// Made for these tests with `ssh-keygen -t ecdsa`.
const P256: &str = "-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAaAAAABNlY2RzYS
1zaGEyLW5pc3RwMjU2AAAACG5pc3RwMjU2AAAAQQR+m3FTf7yNvLJrdyge4GDFiMp2phYX
0ky0oRDvKpiYtHwZu6X5QxEKbJygDts8MxdTuMFGtxLqvvDlBpMg3dpcAAAAoDIy+X0yMv
l9AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBH6bcVN/vI28smt3
KB7gYMWIynamFhfSTLShEO8qmJi0fBm7pflDEQpsnKAO2zwzF1O4wUa3Euq+8OUGkyDd2l
wAAAAgZOpQcwrzZNf8zZnUSoxwsxvHY8fzA5TcJOXSc29yCQQAAAAEdGVzdAECAwQ=
-----END OPENSSH PRIVATE KEY-----
";
const P384: &str = "-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAiAAAABNlY2RzYS
1zaGEyLW5pc3RwMzg0AAAACG5pc3RwMzg0AAAAYQQCgw0eh51dOJCJJ/jYIhCDabim/8rx
dxq92/GBm/RnVV6Q4Vfxoj/YnnGJZeZcv37mURYH8HconY+xLkd+X0MNHAZBctL+gUXKHR
JlwNC04owkhcfvBy211tqomDH3M64AAADQGIn6ORiJ+jkAAAATZWNkc2Etc2hhMi1uaXN0
cDM4NAAAAAhuaXN0cDM4NAAAAGEEAoMNHoedXTiQiSf42CIQg2m4pv/K8XcavdvxgZv0Z1
VekOFX8aI/2J5xiWXmXL9+5lEWB/B3KJ2PsS5Hfl9DDRwGQXLS/oFFyh0SZcDQtOKMJIXH
7wcttdbaqJgx9zOuAAAAMQDu/rOfG5nsQE/4njJXWegzWbZINuEzeg+kPvIvm/SsXdxNHa
vPJk7q0FvNToLyQvMAAAAEdGVzdAECAw==
-----END OPENSSH PRIVATE KEY-----
";

/// An ed25519 key made of one byte.
pub(crate) fn private(seed: u8) -> PrivateKey {
    Ed25519Keypair::from_seed(&[seed; 32]).into()
}

/// Its public half, as a line of a list has it.
pub(crate) fn line(seed: u8) -> String {
    private(seed).public_key().to_openssh().unwrap()
}

/// What that key signs for us.
pub(crate) fn sign(seed: u8, text: &str) -> String {
    signed(&private(seed), NAMESPACE, text)
}

fn signed(key: &PrivateKey, namespace: &str, text: &str) -> String {
    key.sign(namespace, HashAlg::Sha512, text.as_bytes()).unwrap().to_pem(LineEnding::LF).unwrap()
}

fn raw(key: &impl SigningKey, message: &[u8]) -> Vec<u8> {
    key.try_sign(message).unwrap().as_bytes().to_vec()
}

/// What an authenticator signs: the application, its flags and counter, and the message (PROTOCOL.u2f).
fn by_authenticator(key: &PrivateKey, flags: u8) -> (Vec<u8>, [u8; 5]) {
    let message = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, TEXT.as_bytes()).unwrap();
    let trailer = [flags, 0, 0, 0, 9];
    let data = [&Sha256::digest("ssh:")[..], &trailer, &Sha256::digest(message)[..]].concat();
    (raw(key, &data), trailer)
}

fn sk_ed25519(flags: u8) -> (String, SignerKey) {
    let key = private(7);
    let (bytes, trailer) = by_authenticator(&key, flags);
    let signature = Signature::new(Algorithm::SkEd25519, [&bytes[..], &trailer].concat()).unwrap();
    let KeyData::Ed25519(Ed25519PublicKey(point)) = key.public_key().key_data() else { panic!() };
    let data = KeyData::SkEd25519(SkEd25519::new(Ed25519PublicKey(*point), "ssh:"));
    let whole = SshSig::new(data.clone(), NAMESPACE, HashAlg::Sha512, signature).unwrap();
    (whole.to_pem(LineEnding::LF).unwrap(), SignerKey::of(&PublicKey::from(data)))
}

/// Put together by hand, byte for byte as PROTOCOL.sshsig has it.
fn sk_ecdsa(flags: u8) -> (String, SignerKey) {
    let key = PrivateKey::from_openssh(P256).unwrap();
    let (bytes, trailer) = by_authenticator(&key, flags);
    let KeyData::Ecdsa(ssh_key::public::EcdsaPublicKey::NistP256(point)) = key.public_key().key_data() else {
        panic!()
    };
    let public = PublicKey::from(KeyData::SkEcdsaSha2NistP256(SkEcdsaSha2NistP256::new(*point, "ssh:")));
    let string = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    let signature = [string(b"sk-ecdsa-sha2-nistp256@openssh.com"), string(&bytes), trailer.to_vec()].concat();
    let blob = [
        b"SSHSIG\0\0\0\x01".to_vec(),
        string(&public.to_bytes().unwrap()),
        string(NAMESPACE.as_bytes()),
        string(b""),
        string(b"sha512"),
        string(&signature),
    ]
    .concat();
    let text = base64ct::Base64::encode_string(&blob);
    let lines: Vec<&str> = text.as_bytes().chunks(70).map(|chunk| std::str::from_utf8(chunk).unwrap()).collect();
    let armored = format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"));
    (armored, SignerKey::of(&public))
}

use base64ct::Encoding;

#[test]
fn every_kind_of_key_that_is_taken_signs() {
    for key in [private(1), PrivateKey::from_openssh(P256).unwrap(), PrivateKey::from_openssh(P384).unwrap()] {
        let armored = signed(&key, NAMESPACE, TEXT);
        let listed = SignerKey::parse(&key.public_key().to_openssh().unwrap()).unwrap();
        assert_eq!(verify(&armored, TEXT), Ok(listed));
        assert!(verify(&armored, "another plan\n").unwrap_err().contains("does not belong to this text"));
    }
}

#[test]
fn a_security_key_signs_when_it_was_touched() {
    for (armored, key) in [sk_ed25519(TOUCHED), sk_ecdsa(TOUCHED), sk_ed25519(TOUCHED | 4), sk_ecdsa(TOUCHED | 4)] {
        assert_eq!(verify(&armored, TEXT), Ok(key));
        assert!(verify(&armored, "another plan\n").is_err());
    }
    for (armored, _) in [sk_ed25519(0), sk_ecdsa(0), sk_ed25519(4)] {
        assert!(verify(&armored, TEXT).unwrap_err().contains("was not touched"));
    }
}

#[test]
fn the_same_key_on_a_security_key_and_without_one_are_two_keys() {
    assert_ne!(sk_ed25519(TOUCHED).1, SignerKey::of(private(7).public_key()));
}

#[test]
fn a_signature_that_openssh_made_with_a_security_key_is_read() {
    // From the tests of the library, made by a real authenticator for another namespace.
    let made = "-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAEoAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb20AAAAg1KgSUW
V4f6c3zcWguqp6kmM37LsazmWufupeMGpBnK4AAAAEc3NoOgAAAAdleGFtcGxlAAAAAAAA
AAZzaGE1MTIAAABnAAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAQC9WcLb5NG
XRdCOHinQIS/MxdnAx7SQMYnyOt5q4+huTWh/Zk/UvWhP+wXl/ikNPlDpgliRq6o3VyKqS
LLo9lQYBAAAACQ==
-----END SSH SIGNATURE-----
";
    assert!(verify(made, "testing").unwrap_err().contains("made for \"example\""));
}

#[test]
fn what_was_signed_for_something_else_is_no_approval() {
    for namespace in ["git", "file", "approval@changeguard2", "Approval@changeguard"] {
        let refused = verify(&signed(&private(1), namespace, TEXT), TEXT).unwrap_err();
        assert!(refused.contains("was made for"), "{refused}");
    }
}

#[test]
fn a_signature_with_a_bit_changed_is_nobody_elses() {
    let armored = sign(1, TEXT);
    let body: String = armored.lines().filter(|line| !line.starts_with('-')).collect();
    let blob = base64ct::Base64::decode_vec(&body).unwrap();
    let mut refused = 0;
    for at in 0..blob.len() {
        let mut forged = blob.clone();
        forged[at] ^= 1;
        let text = base64ct::Base64::encode_string(&forged);
        let lines: Vec<&str> = text.as_bytes().chunks(70).map(|chunk| std::str::from_utf8(chunk).unwrap()).collect();
        let whole = format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"));
        // Lengths that nobody needs to read it may differ; who has signed, and what, may not.
        let found = verify(&whole, TEXT);
        assert!(found.as_ref().is_err() || found == Ok(SignerKey::of(private(1).public_key())), "byte {at}: {found:?}");
        refused += usize::from(found.is_err());
    }
    assert!(refused + 12 >= blob.len(), "{refused} of {}", blob.len());
}

#[test]
fn what_is_no_signature_is_refused_in_words() {
    for text in ["", "hello", "-----BEGIN SSH SIGNATURE-----\n", &"x".repeat(10_000), &line(1)] {
        assert!(verify(text, TEXT).is_err(), "{text:?}");
    }
}

#[test]
fn a_key_of_another_kind_is_refused_by_its_name() {
    let p521 = "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAEm+Z74ehrSTusA8SZfUMSwmBDOnLnf/\
                EdvTXRX/KNBHCqiG0FcNDSftkQqBpKb5dyXR7S+gvujvRYjE16z7CrwIwCrWSrjrdiVyfvclg/r6UR6JnMNa7zXXHwQ71qSivOU7BSI2CD4EG\
                KIBs538y7qpRPQTBOXlou+xRK504TZKDeufA==";
    assert!(SignerKey::parse(p521).unwrap_err().contains("not taken here (ecdsa-sha2-nistp521)"));
    assert!(SignerKey::parse("ssh-ed25519 AAAA").is_err());
}
