//! A plain text part as lines with their marks of quoting; nothing of it is left out.

use super::lines::Lines;
use crate::domain::letter::Look;

/// More marks in front of a line are not counted.
const DEEPEST: usize = 50;

/// The lines of a text. `look` is how they are shown: an attached text is beside the letter.
pub fn lines(text: &str, look: Look, into: &mut Lines) {
    for line in text.lines() {
        let (depth, rest) = marks(line);
        into.push(rest, depth, look);
    }
}

/// `> >>text`, and `| text` of some programs.
pub(super) fn marks(line: &str) -> (u8, &str) {
    let mut rest = line.trim_start_matches([' ', '\t', '\u{a0}']);
    let mut depth = 0u8;
    while usize::from(depth) < DEEPEST {
        let Some(behind) = rest.strip_prefix('>').or_else(|| rest.strip_prefix("| ")) else { break };
        depth += 1;
        rest = behind.trim_start_matches([' ', '\t', '\u{a0}']);
    }
    if depth == 0 { (0, line) } else { (depth, rest) }
}

/// RFC 3676: lines that end in a blank go on in the next one.
pub fn unflowed(text: &str, delete_space: bool) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut open = false;
    for line in text.lines() {
        let quoted = line.starts_with('>');
        if open && (quoted || line == "-- ") {
            whole.push('\n');
        }
        let line = if quoted { line } else { line.strip_prefix(' ').unwrap_or(line) };
        open = line.ends_with(' ') && line != "-- " && !quoted;
        whole.push_str(if open && delete_space { &line[..line.len() - 1] } else { line });
        if !open {
            whole.push('\n');
        }
    }
    whole
}

/// A text signed inline with PGP, without its armour: of that only what can't be read, and the fields of its head.
pub fn unsigned(text: &str) -> String {
    if !text.contains("-----BEGIN PGP SIGNED MESSAGE-----") {
        return text.to_owned();
    }
    let mut whole = String::new();
    let (mut head, mut signature) = (false, false);
    for line in text.lines() {
        let bare = line.trim_end();
        match bare {
            "-----BEGIN PGP SIGNED MESSAGE-----" => head = true,
            "-----BEGIN PGP SIGNATURE-----" => signature = true,
            "-----END PGP SIGNATURE-----" => signature = false,
            "" => {
                head = false;
                whole.push('\n');
            }
            _ if head && is_field(bare) || signature && (is_field(bare) || is_armour(bare)) => {}
            _ => {
                whole.push_str(line.strip_prefix("- ").unwrap_or(line));
                whole.push('\n');
            }
        }
    }
    whole
}

/// Whether a line of armour can't be read: a full one, the last one or the checksum, which are as no word is.
fn is_armour(line: &str) -> bool {
    let armour = line.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    let sum = line.len() == 5 && line.starts_with('=');
    // Capitals in the middle, as no word has them.
    let mixed = line.len() >= 12
        && line.as_bytes().windows(2).filter(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase()).count()
            >= 3;
    armour && (line.len() >= 48 || sum || line.ends_with('=') || mixed)
}

/// A field in the head of armour as programs write it: `Hash: SHA256`, `Version: GnuPG v2.0.22 (GNU/Linux)`, `Charset: utf-8`.
fn is_field(line: &str) -> bool {
    let Some((name, value)) = line.split_once(": ") else { return false };
    let number =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte));
    match name {
        "Hash" => {
            let known = ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "RIPEMD160", "MD5"];
            value.split(',').all(|one| known.contains(&one.trim()))
        }
        "Version" => {
            let programs =
                ["GnuPG", "GnuPG/MacGPG2", "OpenPGP.js", "BCPG", "ProtonMail", "Mailvelope", "PGP", "FlowCrypt"];
            let systems = ["(GNU/Linux)", "(MingW32)", "(Darwin)", "(FreeBSD)", "(OpenBSD)", "(Cygwin)", "C#"];
            value.split_whitespace().enumerate().all(|(at, word)| match at {
                0 => programs.contains(&word),
                _ => number(word.trim_start_matches('v')) || systems.contains(&word),
            })
        }
        "Charset" => {
            let value = value.to_ascii_lowercase();
            let one_of = |start: &str| value.strip_prefix(start).is_some_and(number);
            matches!(value.as_str(), "utf-8" | "us-ascii") || one_of("iso-8859-") || one_of("windows-")
        }
        _ => false,
    }
}

/// Whether a part is a signature or a key of PGP and nothing else.
pub fn is_only_armour(text: &str) -> bool {
    let mut open = false;
    let mut some = false;
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        match line {
            "-----BEGIN PGP SIGNATURE-----" | "-----BEGIN PGP PUBLIC KEY BLOCK-----" if !open => open = true,
            "-----END PGP SIGNATURE-----" | "-----END PGP PUBLIC KEY BLOCK-----" if open => open = false,
            _ if open && (is_field(line) || is_known_comment(line)) => some = true,
            // In a part of its own nobody reads it, but for a word that stands there alone.
            _ if open && line.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)) => some = true,
            _ => return false,
        }
    }
    some && !open
}

fn is_known_comment(line: &str) -> bool {
    let Some(text) = line.strip_prefix("Comment: ") else { return false };
    [
        "https://gnupg.org",
        "https://gpgtools.org",
        "https://www.mailvelope.com",
        "https://protonmail.com",
        "https://openpgpjs.org",
    ]
    .contains(&text)
        || text.starts_with("Using GnuPG with ") && text.split_whitespace().count() <= 6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_armour_of_a_signature_is_left_out() {
        let signed = |hash: &str, version: &str| {
            let armour = "iQEzBAEBCAAdFiEEabcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKL\n=abcd";
            let end = "-----END PGP SIGNATURE-----";
            let head = format!("-----BEGIN PGP SIGNED MESSAGE-----\n{hash}\n\nConfirmed.\n");
            unsigned(&format!("{head}-----BEGIN PGP SIGNATURE-----\n{version}\n\n{armour}\n{end}\n"))
        };
        assert_eq!(signed("Hash: SHA256", "Version: GnuPG v2.0.22 (GNU/Linux)").trim(), "Confirmed.");
        for (hash, version) in [
            ("Hash: only if Bob agrees", "Version: GnuPG v2"),
            ("Hash: SHA256", "Version: Not valid before Thursday"),
            ("Hash: SHA256", "Charset: only"),
            ("Hash: SHA256", "only if"),
        ] {
            assert_ne!(signed(hash, version).trim(), "Confirmed.", "{hash} {version}");
        }
        assert!(is_only_armour(
            "-----BEGIN PGP SIGNATURE-----\nVersion: GnuPG v2\n\nabc\n-----END PGP SIGNATURE-----\n"
        ));
        for text in [
            "Only if Bob agrees.",
            "-----BEGIN PGP SIGNATURE-----\nComment: only if\n\nabc\n-----END PGP SIGNATURE-----\n",
            "-----BEGIN PGP SIGNATURE-----\nabc\n-----END PGP SIGNATURE-----\nOnly if",
            "",
        ] {
            assert!(!is_only_armour(text), "{text}");
        }
    }
}
