//! Reads a folder: what is new since a cursor, and no mail passed over that the server did not give.
//!
//! How one command goes is `exchange`, what a mail holds is `read`.

use super::exchange::{Exchange, SMALL, Trouble};
use super::{names, read};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::letter::Incoming;
use crate::domain::sanitize::sanitize;
use crate::engine::ports::Cursor;
use async_imap::imap_proto::{AttributeValue, MailboxDatum, Response, ResponseCode, SectionPath, Status};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The most that is read of a mail, bytes: the longest thread of answers is a tenth of it, and attachments are of no use.
pub(super) const LARGEST: usize = 128 * 1024;
/// The most that is read of a header, bytes.
const LARGEST_HEADER: usize = 16 * 1024;
/// Mails of one FETCH.
const CHUNK: usize = 16;
/// Mails that are asked for at once, in several FETCHes one behind the other: what is on its way at most.
pub(super) const AT_ONCE: usize = 8 * CHUNK;
/// What a list of UIDs may take, bytes: 200,000 of them.
const LIST: usize = 2 * 1024 * 1024;

/// What EXAMINE or SELECT says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened {
    /// UIDVALIDITY.
    pub(super) validity: u32,
    /// UIDNEXT, which not every server tells.
    pub(super) next: Option<u32>,
}

/// Opens a folder, to look only or to change.
pub(super) async fn open(exchange: &mut Exchange, folder: &str, change: bool) -> Result<Opened, Trouble> {
    let (mut validity, mut next) = (None, None);
    let mut note = |response: &Response<'_>| {
        if let Response::Data { status: Status::Ok, outcome } = response {
            match outcome.code {
                Some(ResponseCode::UidValidity(number)) => validity = Some(number),
                Some(ResponseCode::UidNext(number)) => next = Some(number),
                _ => {}
            }
        }
    };
    let verb = if change { "SELECT" } else { "EXAMINE" };
    exchange.command(&format!("{verb} {}", names::folder(folder)), SMALL, 1, &mut note).await?;
    match validity {
        Some(validity) => Ok(Opened { validity, next }),
        None => {
            let message = format!("{}: folder {}: the server gives no UIDVALIDITY", exchange.place(), sanitize(folder));
            Err(Trouble::Lost(Fault::new(Service::Mail, FaultKind::Malformed, message)))
        }
    }
}

/// What is to be fetched.
#[derive(Debug)]
pub(super) struct News {
    /// The UIDs, from the lowest.
    pub(super) uids: Vec<u32>,
    /// Where the next look begins when all of them are settled.
    pub(super) next: u32,
    /// The folder was not read from the cursor on.
    pub(super) renumbered: bool,
}

/// Looks what is new in a folder that is open.
pub(super) async fn news(
    exchange: &mut Exchange,
    opened: Opened,
    from: Option<Cursor>,
    since: Timestamp,
) -> Result<News, Trouble> {
    // Known before the search: a mail that comes in between is left to the next look.
    let next = match opened.next {
        Some(next) => next,
        None => search(exchange, "UID *").await?.last().map_or(1, |last| last.saturating_add(1)),
    };
    // A UIDNEXT below the cursor with the same UIDVALIDITY: the mailbox was put back from an older copy.
    let known = from.filter(|cursor| cursor.uid_validity == opened.validity && (cursor.next_uid <= next));
    let renumbered = from.is_some() && known.is_none();
    let mut uids = match known {
        Some(cursor) if cursor.next_uid == next => Vec::new(),
        Some(cursor) => search(exchange, &format!("UID {}:{}", cursor.next_uid.max(1), next - 1)).await?,
        None => search(exchange, &format!("SINCE {}", names::day_before(since))).await?,
    };
    uids.retain(|uid| *uid < next && known.is_none_or(|cursor| *uid >= cursor.next_uid));
    Ok(News { uids, next, renumbered })
}

/// The UIDs that fit, from the lowest.
pub(super) async fn search(exchange: &mut Exchange, what: &str) -> Result<Vec<u32>, Trouble> {
    let mut uids = Vec::new();
    let mut note = |response: &Response<'_>| {
        if let Response::MailboxData(MailboxDatum::Search(found)) = response {
            uids.extend(found);
        }
    };
    exchange.command(&format!("UID SEARCH {what}"), LIST, 2, &mut note).await?;
    uids.sort_unstable();
    uids.dedup();
    Ok(uids)
}

/// Fetches mails, at most [`AT_ONCE`]; what arrived before a trouble is kept in `mails`.
pub(super) async fn fetch(
    exchange: &mut Exchange,
    uids: &[u32],
    mails: &mut BTreeMap<u32, Incoming>,
) -> Result<(), Trouble> {
    let command = |uids: &[u32]| format!("UID FETCH {} (UID RFC822.SIZE BODY.PEEK[]<0.{LARGEST}>)", names::set(uids));
    let commands: Vec<String> = uids.chunks(CHUNK).map(command).collect();
    // The octets of one mail, its attributes, and a line or two that nobody asked for.
    let bytes = SMALL + uids.len() * (LARGEST + 4096);
    let times = u32::try_from(uids.len()).unwrap_or(u32::MAX).saturating_add(3) / 4 + 1;
    let mut note = |response: &Response<'_>| {
        if let Some((uid, incoming)) = mail_of(response)
            && uids.contains(&uid)
        {
            mails.insert(uid, incoming);
        }
    };
    exchange.commands(&commands, bytes, times, &mut note).await
}

fn mail_of(response: &Response<'_>) -> Option<(u32, Incoming)> {
    let Response::Fetch(_, attributes) = response else {
        return None;
    };
    let (mut uid, mut size, mut body) = (None, None, None);
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(number) => uid = Some(*number),
            AttributeValue::Rfc822Size(number) => size = usize::try_from(*number).ok(),
            AttributeValue::BodySection { section: None, data, .. } => body = Some(data.as_deref()),
            _ => {}
        }
    }
    let incoming = match body? {
        // Sizes that servers tell are not always exact; fewer bytes than asked for are all there are.
        Some(raw) => read::read(raw, raw.len() < LARGEST || size.is_some_and(|size| size <= raw.len())),
        None => Incoming { unreadable: Some("the mail server gives no text for it".into()), ..Incoming::default() },
    };
    Some((uid?, incoming))
}

/// What can still be said of a mail that the server does not give whole: its header, if it gives that.
pub(super) async fn header(exchange: &mut Exchange, uid: u32) -> Result<Option<Incoming>, Trouble> {
    let command = format!("UID FETCH {uid} (UID BODY.PEEK[HEADER]<0.{LARGEST_HEADER}>)");
    let mut found = None;
    let mut note = |response: &Response<'_>| {
        let Response::Fetch(_, attributes) = response else { return };
        let ours = attributes.iter().any(|attribute| matches!(attribute, AttributeValue::Uid(one) if *one == uid));
        let head = attributes.iter().find_map(|attribute| match attribute {
            AttributeValue::BodySection { section: Some(SectionPath::Full(_)), data: Some(data), .. } => Some(data),
            _ => None,
        });
        if let (true, Some(head)) = (ours, head) {
            found = Some(read::read(head, false));
        }
    };
    exchange.command(&command, SMALL + LARGEST_HEADER, 1, &mut note).await?;
    Ok(found)
}
