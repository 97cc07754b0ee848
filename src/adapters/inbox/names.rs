//! How folders, sets of UIDs and days are written in a command (RFC 3501 5.1.3, 9).

use base64ct::{Base64Unpadded, Encoding};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// A folder's name as a quoted string in modified UTF-7.
pub(super) fn folder(name: &str) -> String {
    let mut text = String::from("\"");
    let mut wide: Vec<u8> = Vec::new();
    let close = |wide: &mut Vec<u8>, text: &mut String| {
        if !wide.is_empty() {
            text.push_str(&format!("&{}-", Base64Unpadded::encode_string(wide).replace('/', ",")));
            wide.clear();
        }
    };
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            close(&mut wide, &mut text);
            match c {
                '&' => text.push_str("&-"),
                '"' | '\\' => text.extend(['\\', c]),
                _ => text.push(c),
            }
        } else {
            wide.extend(c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    close(&mut wide, &mut text);
    text.push('"');
    text
}

/// UIDs in rising order as `1:3,7`.
pub(super) fn set(uids: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &uid in uids {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(uid) => *last = uid,
            _ => ranges.push((uid, uid)),
        }
    }
    let written = ranges.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}:{last}"),
    });
    written.collect::<Vec<_>>().join(",")
}

/// The day before, for SINCE: the server compares days in a zone that it does not tell.
pub(super) fn day_before(since: Timestamp) -> String {
    let day = since.checked_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::UNIX_EPOCH);
    day.to_zoned_datetime(TimeZone::UTC).strftime("%-d-%b-%Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_quoted_and_their_letters_encoded() {
        assert_eq!(folder("INBOX"), "\"INBOX\"");
        assert_eq!(folder("a \"b\"\\ & c"), "\"a \\\"b\\\"\\\\ &- c\"");
        // RFC 3501 5.1.3 gives the second one.
        assert_eq!(folder("Gelöscht"), "\"Gel&APY-scht\"");
        assert_eq!(folder("~peter/mail/台北/日本語"), "\"~peter/mail/&U,BTFw-/&ZeVnLIqe-\"");
        assert_eq!(folder("a\r\nb"), "\"a&AA0ACg-b\"", "no line break passes");
    }

    #[test]
    fn neighbours_become_a_range() {
        assert_eq!(set(&[1, 2, 3, 7, 9, 10, u32::MAX]), "1:3,7,9:10,4294967295");
    }

    #[test]
    fn since_begins_a_day_earlier() {
        assert_eq!(day_before("2026-03-01T00:10:00Z".parse().unwrap()), "28-Feb-2026");
    }
}
