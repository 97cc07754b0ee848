//! The one door for text from outside: what passes here can't move a cursor, forge a header or turn a line around.

use unicode_width::UnicodeWidthChar;

/// Longest text kept, in characters; the rest becomes one `…`.
pub const LONGEST: usize = 400;

/// Most marks on one character. Hebrew with cantillation, Vietnamese and the Indic scripts need up to four; more than that
/// climbs over the lines above and below.
const MARKS: usize = 4;

/// Replaces control characters by a space, drops format characters (bidi overrides, zero width, tags), marks without a
/// character and those above four on one, trims, and cuts at [`LONGEST`] characters.
///
/// Applied once, where the text enters: adapters call it on every name, message and answer of a service.
pub fn sanitize(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(LONGEST * 4));
    let mut count = 0;
    let mut gap = false;
    let mut marks = 0;
    for c in text.chars() {
        if is_invisible(c) {
            continue;
        }
        if is_mark(c) {
            // Without a character of its own it would be drawn upon what stands before the text.
            if gap || clean.is_empty() || marks == MARKS {
                continue;
            }
            marks += 1;
        } else {
            marks = 0;
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

/// The text as one word for a shell (POSIX): as it is, or in quotes where a shell would read more in it.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// Longest name of somebody, in characters; the rest becomes one `…`.
pub const LONGEST_NAME: usize = 64;

/// Most words of a name that is not taken for a sentence.
const MOST_WORDS: usize = 6;

/// Longest word that a full stop may shorten: `Dr.`, `Prof.`
const LONGEST_SHORT: usize = 5;

/// A name that others chose, as it may stand in a sentence of ours: at most [`LONGEST_NAME`] characters, and what could be taken for
/// more of the sentence stands in quotes.
pub fn name(text: &str) -> String {
    let clean = sanitize(text);
    let mut short: String = clean.chars().take(LONGEST_NAME).collect();
    if short.len() < clean.len() {
        short.truncate(short.trim_end().len());
        short.push('…');
    }
    // Quotes of its own would end ours.
    let bare: String = short.chars().map(|c| if is_quote(c) { '\'' } else { c }).collect();
    if is_like_a_sentence(&bare) || bare.len() != short.len() || short.contains('"') {
        format!("\"{bare}\"")
    } else {
        bare
    }
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '«' | '»')
}

fn is_like_a_sentence(text: &str) -> bool {
    let ends = |c: char| matches!(c, ';' | ':' | '!' | '?' | '…' | '—' | '–' | '。' | '；' | '：' | '！' | '？' | '|');
    let words: Vec<&str> = text.split(' ').collect();
    let is_full_stop = |word: &&str| word.ends_with('.') && word.chars().count() > LONGEST_SHORT + 1;
    text.contains(ends) || words.len() > MOST_WORDS || words.iter().any(is_full_stop)
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// What takes no room of its own: combining marks, and the later letters of a Korean syllable.
fn is_mark(c: char) -> bool {
    !c.is_control() && c.width() == Some(0)
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

    #[test]
    fn a_name_is_short_and_can_not_go_on_with_our_sentence() {
        for text in
            ["Ada Okafor", "Dr. Ada Okafor", "Okafor, Ada", "J. R. R. O'Hara (ops)", "林 美", "u-ada", "peer ab+/12=="]
        {
            assert_eq!(name(text), text);
        }
        let said = "x has answered; everybody has confirmed: rotate";
        assert_eq!(name(said), format!("\"{said}\""));
        assert_eq!(name("a \"b\"; c”d"), "\"a 'b'; c'd\"");
        assert_eq!(name("Ada answered. Rotate"), "\"Ada answered. Rotate\"");
        assert_eq!(name("Ada has confirmed and the window is open"), "\"Ada has confirmed and the window is open\"");
        let long = name(&"y".repeat(20_000));
        assert_eq!(long.chars().count(), LONGEST_NAME + 3, "with its mark and the quotes");
    }

    #[test]
    fn marks_are_bounded_and_stand_on_a_character() {
        let zalgo: String = "ok".chars().flat_map(|c| std::iter::once(c).chain(['\u{0310}'; 40])).collect();
        assert_eq!(sanitize(&zalgo), "o\u{0310}\u{0310}\u{0310}\u{0310}k\u{0310}\u{0310}\u{0310}\u{0310}");
        assert_eq!(sanitize("\u{0301}a \u{0301}b\n\u{20dd}c"), "a b c");
        for text in ["Nguye\u{0302}\u{0303}n", "שָׁלוֹם", "ที่", "क्षि", "각", "é"] {
            assert_eq!(sanitize(text), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_in_nothing_controlling_comes_out(text in "\\PC*|[\\x00-\\x{2fff}]*") {
            let clean = sanitize(&text);
            proptest::prop_assert!(clean.chars().all(|c| !c.is_control() && !is_invisible(c)));
            let in_a_row = clean.chars().scan(0, |row, c| {
                *row = if is_mark(c) { *row + 1 } else { 0 };
                Some(*row)
            });
            proptest::prop_assert!(in_a_row.max().unwrap_or(0) <= MARKS);
            let again = sanitize(&clean);
            proptest::prop_assert_eq!(again.trim_end_matches('…'), clean.trim_end_matches('…'));
        }
    }
}
