//! Makes a message of a text: headers, encoding, and names that can't forge either.
//!
//! lettre's traps that are avoided here: a line break in a display name panics, no Message-ID is set unless given, a plain
//! body gets no MIME headers.

use super::MailParameters;
use super::templates::{Templates, Variables};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::sanitize::sanitize;
use crate::domain::window::Window;
use crate::engine::ports::{Clock, Letter, NoticeRequest};
use jiff::tz::TimeZone;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::{Address, Message};
use std::error::Error;
use std::sync::Arc;
use std::time::SystemTime;

/// Longest display name, characters.
const LONGEST_NAME: usize = 64;

/// Writes the mails of one sender.
pub(super) struct Composer {
    from: Mailbox,
    reply_to: Mailbox,
    templates: Templates,
    guide_url: String,
    portal_url: String,
    organisation: String,
    clock: Arc<dyn Clock>,
}

impl Composer {
    pub(super) fn new(
        from: Mailbox,
        reply_to: Option<Mailbox>,
        parameters: &MailParameters,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        Ok(Self {
            reply_to: reply_to.unwrap_or_else(|| from.clone()),
            from,
            templates: Templates::load(parameters.templates.as_deref())?,
            guide_url: sanitize(&parameters.guide_url),
            portal_url: sanitize(&parameters.portal_url),
            organisation: sanitize(&parameters.organisation),
            clock,
        })
    }

    pub(super) fn compose(&self, request: &NoticeRequest<'_>) -> Result<Letter, Fault> {
        let invalid = |message: String| Fault::new(Service::Mail, FaultKind::Invalid, message);
        let address: Address = request.email.parse().map_err(|_| {
            invalid(format!("{:?} is not a mail address", sanitize(request.email)))
                .hint("put the right address into the contacts file")
        })?;
        for id in std::iter::once(request.message_id).chain(request.in_reply_to) {
            if !is_message_id(id) {
                return Err(invalid(format!("{:?} is not a Message-ID", sanitize(id))));
            }
        }
        let name = clean_name(request.client_name);
        let variables = Variables {
            client_name: if name.is_empty() { "colleague" } else { &name },
            tenant_name: &clean_name(&request.tenant.name),
            window: &request.window.for_people(),
            window_utc: &in_utc(request.window),
            zone: &sanitize(&request.window.zone),
            revision: request.window.revision,
            guide_url: &self.guide_url,
            portal_url: &self.portal_url,
            organisation: &self.organisation,
            reply_address: self.reply_to.email.as_ref(),
        };
        let (subject, text) = self.templates.render(request.kind, &variables)?;
        let date = SystemTime::try_from(self.clock.now()).map_err(|_| invalid("the clock is out of range".into()))?;
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some(name).filter(|name| !name.is_empty()), address.clone()))
            .reply_to(self.reply_to.clone())
            .date(date)
            .message_id(Some(request.message_id.to_owned()))
            .subject(subject.clone())
            // RFC 3834 5: keeps vacation programs quiet.
            .header(AutoSubmitted)
            // MS-OXCMAIL 2.1.3.2.20. Never All or NDR, which would suppress bounces; OOF is left out to learn who is away.
            .header(AutoResponseSuppress)
            .header(Kind(request.kind.word()));
        if let Some(first) = request.in_reply_to {
            builder = builder.in_reply_to(first.to_owned()).references(first.to_owned());
        }
        let message = builder
            .singlepart(SinglePart::plain(text.clone()))
            .map_err(|error| invalid(format!("the mail can't be written: {error}")))?;
        Ok(Letter { subject, text, to: address.to_string(), message: message.formatted() })
    }
}

/// A mailbox whose name is clean.
pub(super) fn cleaned(mailbox: Mailbox) -> Mailbox {
    let name = mailbox.name.map(|name| clean_name(&name)).filter(|name| !name.is_empty());
    Mailbox::new(name, mailbox.email)
}

fn clean_name(name: &str) -> String {
    let clean: String = sanitize(name).chars().take(LONGEST_NAME).collect();
    clean.trim_end().to_owned()
}

/// `<something@something>`: printable ASCII without blanks (RFC 5322 3.6.4). lettre would wrap anything else into a word
/// that no mail program finds again.
fn is_message_id(text: &str) -> bool {
    let inner = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    inner.is_some_and(|id| {
        let plain = id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'<' && byte != b'>');
        plain
            && id.len() <= 250
            && id.split_once('@').is_some_and(|(left, right)| !left.is_empty() && !right.is_empty())
    })
}

fn in_utc(window: &Window) -> String {
    let start = window.start.to_zoned_datetime(TimeZone::UTC);
    let end = window.end.to_zoned_datetime(TimeZone::UTC);
    let until = if start.date() == end.date() { "%H:%M UTC" } else { "%a %Y-%m-%d %H:%M UTC" };
    format!("{} to {}", start.strftime("%a %Y-%m-%d %H:%M"), end.strftime(until))
}

#[derive(Clone)]
struct AutoSubmitted;

#[derive(Clone)]
struct AutoResponseSuppress;

#[derive(Clone)]
struct Kind(&'static str);

// Headers that we never read back: `parse` is there because lettre's trait wants it.
impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

impl Header for AutoResponseSuppress {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("X-Auto-Response-Suppress")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "RN, NRN, AutoReply".into())
    }
}

impl Header for Kind {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("X-Changeguard-Kind")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self(""))
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_message_ids_pass() {
        assert!(is_message_id("<a.b-1@example.net>"));
        for bad in ["", "a@b", "<a@b", "<a b@c>", "<a@b>\r\nBcc: x", "<a>", "<@b>", "<a@>", "<ä@b>", "<a@b><c@d>"] {
            assert!(!is_message_id(bad), "{bad:?}");
        }
    }

    #[test]
    fn names_are_cleaned_and_cut() {
        assert_eq!(clean_name("Ada\r\nBcc: eve@x\u{202e}"), "Ada Bcc: eve@x");
        assert_eq!(clean_name(&"é".repeat(100)).chars().count(), 64);
    }
}
