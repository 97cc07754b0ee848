//! One command and its answer on a connection that is logged in, each under a limit of time and of bytes.
//!
//! async-imap's own methods take a refused FETCH or SEARCH for an empty one and wait for ever, so only its parser and its
//! tags are used. Which commands are sent is left to `folder`.

use super::meter::{Meter, Refusal};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::sanitize::sanitize;
use async_imap::Session;
use async_imap::imap_proto::{MailboxDatum, Outcome, RequestId, Response, Status};
use std::io;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// What an answer without mails may take, bytes.
pub(super) const SMALL: usize = 64 * 1024;

/// How long the end of an IDLE may take.
const DONE: Duration = Duration::from_secs(10);

/// Why a command brought nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The server said NO or BAD; the connection is fine.
    Refused(String),
    /// The connection is not to be used again.
    Lost(Fault),
}

impl Trouble {
    /// The fault; `doing` is what was asked for.
    pub(super) fn into_fault(self, place: &str, doing: &str) -> Fault {
        match self {
            Trouble::Refused(text) => {
                let message = format!("{place}: {doing}: the server refuses it: {text}");
                Fault::new(Service::Mail, FaultKind::Refused, message)
                    .hint("nothing was changed; ask whoever runs the mail server if it goes on")
            }
            Trouble::Lost(fault) => fault,
        }
    }
}

/// A connection that is logged in.
#[derive(Debug)]
pub(super) struct Exchange {
    session: Session<Meter>,
    /// `host:port`, for messages.
    place: String,
    timeout: Duration,
    /// Upper case.
    abilities: Vec<String>,
}

impl Exchange {
    /// Asks what the server can do now that we are known.
    pub(super) async fn open(session: Session<Meter>, place: String, timeout: Duration) -> Result<Self, Fault> {
        let mut exchange = Self { session, place, timeout, abilities: Vec::new() };
        let mut abilities = Vec::new();
        let mut note = |response: &Response<'_>| {
            if let Response::Capabilities(list) = response {
                abilities.extend(list.iter().map(|one| format!("{one:?}").to_ascii_uppercase()));
            }
        };
        let answer = exchange.command("CAPABILITY", SMALL, 1, &mut note).await;
        answer.map_err(|trouble| trouble.into_fault(&exchange.place, "CAPABILITY"))?;
        exchange.abilities = abilities;
        Ok(exchange)
    }

    /// Whether the server offers it (`IDLE`, `MOVE`, `UIDPLUS`).
    pub(super) fn offers(&self, ability: &str) -> bool {
        self.abilities.iter().any(|one| one == &format!("ATOM(\"{ability}\")"))
    }

    /// `host:port`
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Sends one command and shows each response to `note` until its end. At most `bytes` are read; each response may take
    /// the time limit, all together `times` of it.
    pub(super) async fn command(
        &mut self,
        text: &str,
        bytes: usize,
        times: u32,
        note: &mut (dyn FnMut(&Response<'_>) + Send),
    ) -> Result<(), Trouble> {
        self.commands(&[text.to_owned()], bytes, times, note).await
    }

    /// Sends several at once, and shows each response to `note` until the end of the last: the server works on one while the
    /// answer to another is on its way. One that is refused keeps the others from nothing, and is told in the end.
    pub(super) async fn commands(
        &mut self,
        texts: &[String],
        bytes: usize,
        times: u32,
        note: &mut (dyn FnMut(&Response<'_>) + Send),
    ) -> Result<(), Trouble> {
        let end = Instant::now() + self.timeout * times;
        self.session.get_mut().allow(bytes);
        let mut tags = Vec::new();
        for text in texts {
            tags.push(self.send(text).await?);
        }
        let mut refused = Ok(());
        for tag in tags {
            match self.finish(&tag, end, note).await {
                Err(Trouble::Refused(text)) => refused = Err(Trouble::Refused(text)),
                ended => ended?,
            }
        }
        refused
    }

    async fn send(&mut self, text: &str) -> Result<RequestId, Trouble> {
        match timeout(self.timeout, self.session.run_command(text)).await {
            Ok(Ok(tag)) => Ok(tag),
            Ok(Err(error)) => Err(self.lost(FaultKind::Reset, &sanitize(&error.to_string()))),
            Err(_) => Err(self.too_late()),
        }
    }

    async fn finish(
        &mut self,
        tag: &RequestId,
        end: Instant,
        note: &mut (dyn FnMut(&Response<'_>) + Send),
    ) -> Result<(), Trouble> {
        loop {
            let limit = end.min(Instant::now() + self.timeout);
            let Ok(response) = timeout_at(limit, self.session.read_response()).await else {
                return Err(self.too_late());
            };
            let Some(response) = response.map_err(|error| self.broken(&error))? else {
                return Err(self.lost(FaultKind::Reset, "the server closed the connection"));
            };
            match response.parsed() {
                Response::Done { tag: done, status, outcome } if done == tag => {
                    return match status {
                        Status::Ok => Ok(()),
                        _ => Err(Trouble::Refused(words(outcome))),
                    };
                }
                Response::Data { status: Status::Bye, outcome } => {
                    return Err(self.lost(FaultKind::Reset, &format!("the server hangs up: {}", words(outcome))));
                }
                other => note(other),
            }
        }
    }

    /// IDLE: waits until the folder has a new mail, at most so long. False: none came.
    pub(super) async fn idle(&mut self, longest: Duration) -> Result<bool, Trouble> {
        let end = Instant::now() + longest;
        self.session.get_mut().allow(SMALL);
        let tag = self.send("IDLE").await?;
        let mut agreed = false;
        let mut came = false;
        while !came {
            let limit = if agreed { end } else { Instant::now() + self.timeout };
            let response = match timeout_at(limit, self.session.read_response()).await {
                Ok(response) => response.map_err(|error| self.broken(&error))?,
                Err(_) if agreed => break,
                Err(_) => return Err(self.too_late()),
            };
            let Some(response) = response else {
                return Err(self.lost(FaultKind::Reset, "the server closed the connection"));
            };
            match response.parsed() {
                Response::Continue(_) => agreed = true,
                Response::MailboxData(MailboxDatum::Exists(_)) => came = true,
                Response::Done { outcome, .. } if !agreed => return Err(Trouble::Refused(words(outcome))),
                Response::Done { .. } | Response::Data { status: Status::Bye, .. } => {
                    return Err(self.lost(FaultKind::Reset, "the server ended IDLE"));
                }
                _ => {}
            }
        }
        // A server that lives answers this at once.
        let limit = self.timeout.min(DONE);
        let end = Instant::now() + limit;
        self.session.get_mut().allow(SMALL);
        match timeout(limit, self.session.run_command_untagged("DONE")).await {
            Ok(Ok(())) => self.finish(&tag, end, &mut |_| {}).await?,
            _ => return Err(self.too_late()),
        }
        Ok(came)
    }

    fn lost(&self, kind: FaultKind, what: &str) -> Trouble {
        let fault = Fault::new(Service::Mail, kind, format!("{}: {what}", self.place));
        Trouble::Lost(fault.hint("nothing was lost: what was not read is read at the next look; check inbox.host"))
    }

    fn too_late(&self) -> Trouble {
        self.lost(FaultKind::TimedOut, &format!("no answer within {} s", self.timeout.as_secs_f32()))
    }

    /// The library's text of a parse error quotes the mail, so it is not shown.
    fn broken(&self, error: &io::Error) -> Trouble {
        let inner = error.get_ref();
        if let Some(refusal) = inner.and_then(|inner| inner.downcast_ref::<Refusal>()) {
            return self.lost(FaultKind::Malformed, &format!("the server's answer is refused: {refusal}"));
        }
        match error.kind() {
            io::ErrorKind::Other => self.lost(FaultKind::Malformed, "the server's answer can't be understood"),
            _ => self.lost(FaultKind::Reset, &format!("the connection broke: {}", sanitize(&error.to_string()))),
        }
    }
}

/// What the server said.
fn words(outcome: &Outcome<'_>) -> String {
    let text = sanitize(outcome.information.as_deref().unwrap_or_default());
    if text.is_empty() { "(no reason given)".into() } else { text }
}
