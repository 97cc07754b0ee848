//! A case as the entries of its journal tell it.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::case::core::Stamp;
use crate::engine::case::record::{Body, OwnRecord};
use crate::engine::case::runbook::{Case, Runbook};
use crate::engine::case::status::Line;
use crate::engine::record::{Entry, Record};

/// A case as its entries tell it, with a line for each. Errors: one of them can't be understood.
pub fn history<R: Runbook>(entries: &[Entry]) -> Result<(Option<Case<R>>, Vec<Line>), Fault> {
    let mut case: Option<Case<R>> = None;
    let mut lines = Vec::with_capacity(entries.len());
    for entry in entries {
        let body = decoded::<R>(entry)?;
        lines.push(line(entry, &body));
        let stamp = Stamp { seq: entry.seq, at: entry.at, person: entry.person() };
        match &mut case {
            None => case = Some(Case::open(stamp, &body).map_err(|why| unreadable(entry, &why))?),
            Some(case) => case.apply(stamp, &body),
        }
    }
    Ok((case, lines))
}

/// What an entry of a case says.
fn decoded<R: Runbook>(entry: &Entry) -> Result<Body<R::Record>, Fault> {
    match &entry.record {
        Record::Case(body) => body.read().map_err(|error| unreadable(entry, &error.to_string())),
        other => Err(unreadable(entry, &format!("{} is no record of a case", other.word()))),
    }
}

fn unreadable(entry: &Entry, why: &str) -> Fault {
    Fault::new(Service::Journal, FaultKind::Malformed, format!("record {} can't be understood: {why}", entry.seq))
        .hint("nothing is done here; see `changeguard audit verify`, or go on with the changeguard that wrote it")
}

/// A record in words.
pub(super) fn line<O: OwnRecord>(entry: &Entry, body: &Body<O>) -> Line {
    let (by, incident) = (format!("{}@{}", entry.by, entry.host), body.is_incident());
    Line { seq: entry.seq, at: entry.at, by, text: body.summary(), incident }
}
