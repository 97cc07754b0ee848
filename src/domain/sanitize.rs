//! The one door for text from outside: what passes here can't move a cursor, forge a header or turn a line around.

/// Longest text kept, in characters; the rest becomes one `…`.
pub const LONGEST: usize = 400;

/// Replaces control characters by a space, drops format characters (bidi overrides, zero width, tags), trims, and cuts
/// at [`LONGEST`] characters.
///
/// Applied once, where the text enters: adapters call it on every name, message and answer of a service.
pub fn sanitize(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(LONGEST * 4));
    let mut count = 0;
    let mut gap = false;
    for c in text.chars() {
        if is_invisible(c) {
            continue;
        }
        if c.is_control() || c.is_whitespace() {
            gap = true;
            continue;
        }
        if count >= LONGEST {
            clean.push('…');
            break;
        }
        if gap && !clean.is_empty() {
            clean.push(' ');
            count += 1;
        }
        gap = false;
        clean.push(c);
        count += 1;
    }
    clean
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_newlines_and_bidi_do_not_pass() {
        assert_eq!(sanitize("a\x1b[2Jb\r\nBcc: x\u{202e}y\u{9b}z"), "a [2Jb Bcc: xy z");
        assert_eq!(sanitize("  Ada \u{200b} Okafor\t"), "Ada Okafor");
    }

    #[test]
    fn very_long_text_is_cut_with_a_mark() {
        let cut = sanitize(&"x".repeat(10_000));
        assert_eq!(cut.chars().count(), LONGEST + 1);
        assert!(cut.ends_with('…'));
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_in_nothing_controlling_comes_out(text in "\\PC*|[\\x00-\\x{2fff}]*") {
            let clean = sanitize(&text);
            proptest::prop_assert!(clean.chars().all(|c| !c.is_control() && !is_invisible(c)));
            let again = sanitize(&clean);
            proptest::prop_assert_eq!(again.trim_end_matches('…'), clean.trim_end_matches('…'));
        }
    }
}
