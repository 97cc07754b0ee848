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
    let unread = |line: &str| {
        let field = ["Hash: ", "Version: ", "Charset: "].iter().any(|name| line.starts_with(name));
        // Full lines, and a last one or the checksum, which begin as no word does.
        let armour = line.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
        let sum = line.len() == 5 && line.starts_with('=');
        // Capitals in the middle, as no word has them.
        let mixed = line.len() >= 12
            && line
                .as_bytes()
                .windows(2)
                .filter(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase())
                .count()
                >= 3;
        field || armour && (line.len() >= 48 || sum || line.ends_with('=') || mixed)
    };
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
            _ if (head || signature) && unread(bare) => {}
            _ => {
                whole.push_str(line.strip_prefix("- ").unwrap_or(line));
                whole.push('\n');
            }
        }
    }
    whole
}
