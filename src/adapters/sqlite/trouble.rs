//! Turns what SQLite says into a fault that tells the operator what to do. In every case nothing was written.
//!
//! Codes: <https://www.sqlite.org/rescode.html>; the low byte is the primary one.

use crate::domain::fault::{Fault, FaultKind, Service};

/// A fault of the store while it was `doing` something.
pub(super) fn trouble(doing: &str, error: &sqlx::Error) -> Fault {
    let code = match error {
        sqlx::Error::Database(database) => database.code().and_then(|code| code.parse::<u32>().ok()),
        _ => None,
    };
    let text = match error {
        sqlx::Error::Database(database) => database.message().to_owned(),
        sqlx::Error::PoolTimedOut => "all connections to it are busy".to_owned(),
        other => other.to_string(),
    };
    let (kind, what, hint) = judge(code.map(|code| code & 0xff));
    let what = if what.is_empty() { text } else { format!("{what} ({text})") };
    let fault = Fault::new(Service::Journal, kind, format!("{doing}: {what}"));
    if hint.is_empty() { fault } else { fault.hint(hint) }
}

/// The file is not what it was.
pub(super) fn damaged(text: &str) -> Fault {
    let (kind, what, hint) = judge(Some(11));
    let first = text.lines().find(|line| !line.starts_with("***")).unwrap_or(text);
    Fault::new(Service::Journal, kind, format!("{what} ({first})")).hint(hint)
}

/// A record or value of our own that is not as it must be.
pub(super) fn invalid(message: impl AsRef<str>) -> Fault {
    Fault::new(Service::Journal, FaultKind::Invalid, message)
}

fn judge(primary: Option<u32>) -> (FaultKind, &'static str, &'static str) {
    match primary {
        Some(5 | 6) => (
            FaultKind::TimedOut,
            "another changeguard is writing to it for too long",
            "nothing was written; try again, and look for a changeguard that hangs",
        ),
        Some(8) => (
            FaultKind::Refused,
            "it is read-only",
            "nothing was written; make state.directory and the journal in it writable for you",
        ),
        Some(10) => (
            FaultKind::Refused,
            "the disk failed or is full",
            "nothing was written; make room where state.directory lies, and look at the kernel's messages about the disk",
        ),
        Some(11 | 26) => (
            FaultKind::Invalid,
            "the journal is damaged",
            "nothing was written; move journal.db, journal.db-wal and journal.db-shm away together (keep them), or restore a copy",
        ),
        Some(13) => (
            FaultKind::Refused,
            "the disk is full",
            "nothing was written; make room where state.directory lies, then go on",
        ),
        Some(14) => (
            FaultKind::Refused,
            "it can't be opened",
            "nothing was written; check that state.directory and journal.db belong to you",
        ),
        _ => (FaultKind::Refused, "", "nothing was written; check state.directory, then go on"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_trouble_says_that_nothing_was_written() {
        for code in [5, 6, 8, 10, 11, 13, 14, 26, 1] {
            assert!(judge(Some(code)).2.contains("nothing was written"), "{code}");
        }
        assert!(judge(Some(13)).1.contains("full"));
        assert!(damaged("*** in database main ***\nPage 3: x").message.contains("Page 3"));
    }
}
