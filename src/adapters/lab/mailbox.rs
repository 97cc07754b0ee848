//! The operator's mailbox in the lab: folders with UIDs as IMAP numbers them. Its protocol is `imap`.

use std::sync::Arc;

use super::state::{Shared, epoch, lock};

/// The operator's address; any `+detail` comes to the same mailbox.
pub(super) const OPERATOR: &str = "vpn-ops@lab.example";

/// One mail in a folder.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) uid: u32,
    pub(super) raw: Arc<[u8]>,
    /// When it arrived, seconds since 1970.
    pub(super) at: u64,
    pub(super) flags: Vec<String>,
}

/// One folder.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) name: String,
    pub(super) validity: u32,
    pub(super) next: u32,
    pub(super) mails: Vec<Kept>,
}

impl Folder {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), validity: 1_000_001, next: 1, mails: Vec::new() }
    }

    /// Puts a mail at the end; its UID.
    pub(super) fn add(&mut self, raw: Arc<[u8]>, at: u64, flags: Vec<String>) -> u32 {
        let uid = self.next;
        self.next += 1;
        self.mails.push(Kept { uid, raw, at, flags });
        uid
    }
}

/// The mailbox.
#[derive(Debug)]
pub(super) struct State {
    pub(super) folders: Vec<Folder>,
    /// What the server offers besides IMAP4rev1.
    pub(super) abilities: Vec<String>,
    /// Commands received since the start.
    pub(super) commands: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            folders: vec![Folder::new("INBOX"), Folder::new("Answered")],
            abilities: ["IDLE", "MOVE", "UIDPLUS"].map(String::from).to_vec(),
            commands: 0,
        }
    }
}

impl State {
    /// The folder of this name; INBOX in any case.
    pub(super) fn folder(&mut self, name: &str) -> Option<&mut Folder> {
        let inbox = name.eq_ignore_ascii_case("INBOX");
        self.folders.iter_mut().find(|folder| folder.name == name || (inbox && folder.name == "INBOX"))
    }
}

/// Whether mail to this address comes to the operator.
pub(super) fn is_operators(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let base = local.split('+').next().unwrap_or_default();
    format!("{base}@{domain}").eq_ignore_ascii_case(OPERATOR)
}

/// A mail arrives in the operator's INBOX; its UID. The delivery headers are those of Postfix.
pub(super) fn deliver(shared: &Shared, to: &str, raw: &[u8]) -> u32 {
    let text = String::from_utf8_lossy(raw);
    let from = text.lines().take_while(|line| !line.is_empty()).find(|line| line.starts_with("From:"));
    let sender = from.and_then(|line| Some(line.rsplit_once('<')?.1.split_once('>')?.0)).unwrap_or_default();
    let head = format!("Return-Path: <{sender}>\r\nX-Original-To: {to}\r\nDelivered-To: {to}\r\n");
    put(shared, [head.as_bytes(), raw].concat().into())
}

/// The same as it is.
pub(super) fn put(shared: &Shared, raw: Arc<[u8]>) -> u32 {
    let uid = lock(&shared.mailbox).folders[0].add(raw, epoch(), Vec::new());
    shared.touch();
    uid
}
