//! Turns what SQLite and PostgreSQL say into a fault that tells the operator what to do.
//!
//! Codes: <https://www.sqlite.org/rescode.html> (the low byte is the primary one) and
//! <https://www.postgresql.org/docs/15/errcodes-appendix.html>.

use crate::adapters::{has_no_descriptor, no_descriptor};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::journal::AppendError;

/// Why a piece of work in the store did not end well.
#[derive(Debug)]
pub(super) enum Failure {
    /// The database.
    Sql(sqlx::Error),
    /// Something of our own, told already.
    Fault(Fault),
    /// The journal's rules.
    Refused(AppendError),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Failure::Sql(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Failure::Fault(fault)
    }
}

impl Failure {
    /// The fault, for one who was `doing` something.
    pub(super) fn fault(self, doing: &str) -> Fault {
        match self {
            Failure::Sql(error) => trouble(doing, &error),
            Failure::Fault(fault) => fault,
            Failure::Refused(error) => Fault::new(Service::Journal, FaultKind::Conflict, error.to_string()),
        }
    }

    /// A COMMIT that ended like this may have been carried out.
    pub(super) fn may_have_committed(&self) -> bool {
        let Failure::Sql(sqlx::Error::Database(database)) = self else { return true };
        match Code::of(database.as_ref()) {
            // The frames of the write-ahead log are written one after the other and the commit's is the last, so a write
            // that failed (778) has not committed; a sync that failed may have.
            Code::Sqlite(code) => code & 0xff == 10 && code != 778,
            // The connection or the server ended; or the server says that it does not know.
            Code::Postgres(code) => code.starts_with("08") || code.starts_with("57P") || code == "40003",
            Code::None => true,
        }
    }
}

enum Code {
    Sqlite(u32),
    Postgres(String),
    None,
}

impl Code {
    fn of(error: &dyn sqlx::error::DatabaseError) -> Self {
        let Some(code) = error.code() else { return Code::None };
        // SQLSTATE has five characters, SQLite's numbers have at most four.
        match code.parse::<u32>() {
            Ok(number) if code.len() < 5 => Code::Sqlite(number),
            _ => Code::Postgres(code.into_owned()),
        }
    }
}

/// A fault of the store while it was `doing` something.
pub(super) fn trouble(doing: &str, error: &sqlx::Error) -> Fault {
    let (text, (kind, what, hint)) = match error {
        sqlx::Error::Database(database) => {
            let judged = match Code::of(database.as_ref()) {
                Code::Sqlite(code) => sqlite(code & 0xff),
                Code::Postgres(code) => postgres(&code),
                Code::None => UNKNOWN,
            };
            (database.message().to_owned(), judged)
        }
        sqlx::Error::PoolTimedOut => {
            let hint = "nothing was written; try again, and look for a changeguard that hangs";
            ("all connections to it are busy".to_owned(), (FaultKind::TimedOut, "", hint))
        }
        sqlx::Error::Io(io) if has_no_descriptor(io) => return no_descriptor(doing),
        sqlx::Error::Io(io) => (io.to_string(), broken(io.kind())),
        sqlx::Error::Tls(error) => (error.to_string(), (FaultKind::Tls, "the server can't be trusted", TLS)),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) | sqlx::Error::Decode(_) => {
            let hint = "run `changeguard audit verify`; nothing was changed";
            (error.to_string(), (FaultKind::Invalid, "the journal is damaged", hint))
        }
        other => (other.to_string(), UNKNOWN),
    };
    let what = if what.is_empty() { text } else { format!("{what} ({text})") };
    Fault::new(Service::Journal, kind, format!("{doing}: {what}")).hint(hint)
}

/// The file is not what it was.
pub(super) fn damaged(text: &str) -> Fault {
    let (kind, what, hint) = sqlite(11);
    let first = text.lines().find(|line| !line.starts_with("***")).unwrap_or(text);
    Fault::new(Service::Journal, kind, format!("{what} ({first})")).hint(hint)
}

/// A record or value of our own that is not as it must be.
pub(super) fn invalid(message: impl AsRef<str>) -> Fault {
    Fault::new(Service::Journal, FaultKind::Invalid, message)
}

type Judged = (FaultKind, &'static str, &'static str);

const UNKNOWN: Judged = (FaultKind::Refused, "", "nothing was written; check [state] in the configuration, then go on");
const TLS: &str = "nothing was sent; check the server's certificate, or set state.ca_file";

fn broken(kind: std::io::ErrorKind) -> Judged {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, InvalidData, UnexpectedEof};
    match kind {
        // What rustls makes of a certificate that it does not trust.
        InvalidData => (FaultKind::Tls, "the journal's server can't be trusted", TLS),
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof => (
            FaultKind::Reset,
            "the connection to the journal's server was lost",
            "nothing was written; go on when the server answers again",
        ),
        _ => (
            FaultKind::Unreachable,
            "the journal's server can't be reached",
            "nothing was written; check state.url and that the server runs",
        ),
    }
}

fn sqlite(primary: u32) -> Judged {
    match primary {
        5 | 6 => (
            FaultKind::TimedOut,
            "another changeguard is writing to it for too long",
            "nothing was written; try again, and look for a changeguard that hangs",
        ),
        8 => (
            FaultKind::Refused,
            "it is read-only",
            "nothing was written; make state.directory and the journal in it writable for you",
        ),
        10 => (
            FaultKind::Refused,
            "the disk failed or is full",
            "nothing was written; make room where state.directory lies, and look at the kernel's messages about the disk",
        ),
        11 | 26 => (
            FaultKind::Invalid,
            "the journal is damaged",
            "nothing was written; move journal.db, journal.db-wal and journal.db-shm away together (keep them), or restore a copy",
        ),
        13 => (
            FaultKind::NoRoom,
            "the disk is full",
            "nothing was written; make room where state.directory lies, then go on",
        ),
        14 => (
            FaultKind::Refused,
            "it can't be opened",
            "nothing was written; check that state.directory and journal.db belong to you",
        ),
        _ => (FaultKind::Refused, "", "nothing was written; check state.directory, then go on"),
    }
}

fn postgres(code: &str) -> Judged {
    match code {
        "28P01" | "28000" => (
            FaultKind::Unauthorized,
            "the journal's server does not accept this user or password",
            "nothing was written; check the user in state.url, state.password_file or state.password_command, and pg_hba.conf",
        ),
        "3D000" => (
            FaultKind::NotFound,
            "the journal's database does not exist",
            "nothing was written; create it on the server, or correct state.url",
        ),
        "42501" => (
            FaultKind::Forbidden,
            "the user lacks a right on the journal's database",
            "nothing was written; make the user the database's owner, or grant CREATE on its schema",
        ),
        "25006" => (
            FaultKind::Refused,
            "the journal's server is read-only",
            "nothing was written; is it a standby? set state.url to the primary",
        ),
        "53100" => (
            FaultKind::NoRoom,
            "the disk of the journal's server is full",
            "nothing was written; make room there, then go on",
        ),
        "53300" => (
            FaultKind::TooMany,
            "the journal's server has no connection left",
            "nothing was written; wait a little, or raise max_connections there",
        ),
        "57014" | "55P03" | "25P03" => (
            FaultKind::TimedOut,
            "the journal's server took too long, or somebody else holds a lock",
            "nothing was written; try again, and look for a changeguard that hangs",
        ),
        "40001" | "40P01" => (
            FaultKind::Conflict,
            "another changeguard was writing at the same moment",
            "nothing was written; try again",
        ),
        "57P03" => (
            FaultKind::Unreachable,
            "the journal's server is starting or ending",
            "nothing was written; go on when it has started",
        ),
        "57P01" | "57P02" => (
            FaultKind::Reset,
            "the journal's server ended the connection",
            "nothing was written; go on when the server answers again",
        ),
        _ if code.starts_with("08") => (
            FaultKind::Reset,
            "the connection to the journal's server was lost",
            "nothing was written; go on when the server answers again",
        ),
        _ if code.starts_with("XX") || code == "58030" => (
            FaultKind::Invalid,
            "the journal's server found its data damaged",
            "nothing was written; look at the server's log",
        ),
        _ => (FaultKind::Refused, "", "nothing was written; look at the server's log, then go on"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_trouble_says_that_nothing_was_written() {
        for code in [5, 6, 8, 10, 11, 13, 14, 26, 1] {
            assert!(sqlite(code).2.contains("nothing was written"), "{code}");
        }
        for code in [
            "28P01", "3D000", "42501", "25006", "53100", "53300", "57014", "40001", "57P03", "57P01", "08006", "XX001",
            "?",
        ] {
            assert!(postgres(code).2.contains("nothing was written"), "{code}");
        }
        assert!(sqlite(13).1.contains("full"));
        assert!(damaged("*** in database main ***\nPage 3: x").message.contains("Page 3"));
    }
}
