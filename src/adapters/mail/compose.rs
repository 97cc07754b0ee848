//! Makes a message of a text: headers, the parts, the invitation, and names that can't forge any of them.
//!
//! lettre's traps that are avoided here: a line break in a display name panics, no Message-ID is set unless given, a plain
//! body gets no MIME headers.

mod sheet;

use super::MailParameters;
use super::headers::{AutoResponseSuppress, AutoSubmitted, Kind};
use super::invitation::{self, Invitation};
use super::templates::{Templates, Variables};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::language::Language;
use crate::domain::notice::{KeyTold, NoticeKind};
use crate::domain::sanitize::sanitize;
use crate::domain::tenant::Tenant;
use crate::domain::token::{Addressed, ReplyToken, TOKEN_CHARACTERS, Topic};
use crate::domain::window::Window;
use crate::engine::ports::{Clock, Lack, Letter, NoticeRequest};
use jiff::Timestamp;
use lettre::message::header::{ContentDisposition, ContentTransferEncoding, ContentType};
use lettre::message::{Body, Mailbox, MessageBuilder, MultiPart, SinglePart};
use lettre::{Address, Message};
use std::sync::Arc;
use std::time::SystemTime;

/// Longest display name, characters.
const LONGEST_NAME: usize = 64;
/// Longest part before the `@`, octets (RFC 5321 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;
/// Separator, token, `.b` and four digits of a revision.
const DETAIL: usize = 1 + TOKEN_CHARACTERS + 2 + 4;

/// Writes the mails of one sender.
pub(super) struct Composer {
    from: Mailbox,
    /// Where answers go, without a token.
    reply_to: Mailbox,
    /// What parts the inbox's name from a token, where there is an inbox that takes one.
    separator: Option<char>,
    /// Whether delivery reports go to an address of their own.
    verp: bool,
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
        let inbox = match &parameters.reply {
            Some((address, _)) => Some(address.parse::<Address>().map_err(|error| {
                configuration(format!("inbox.address: {:?} is not a mail address: {error}", sanitize(address)))
            })?),
            None => None,
        };
        let separator = parameters.reply.as_ref().and_then(|(_, separator)| *separator);
        if let (Some(address), Some(_)) = (&inbox, separator)
            && address.user().len() + DETAIL > LONGEST_LOCAL
        {
            let most = LONGEST_LOCAL - DETAIL;
            return Err(configuration(format!("inbox.address: {address} is too long to carry a token"))
                .hint(format!("choose an address with at most {most} characters before the @")));
        }
        let reply_to = match inbox {
            Some(address) => Mailbox::new(from.name.clone(), address),
            None => reply_to.unwrap_or_else(|| from.clone()),
        };
        Ok(Self {
            reply_to,
            separator,
            verp: parameters.verp,
            from,
            templates: Templates::load(parameters.templates.as_deref(), parameters.language),
            guide_url: sanitize(&parameters.guide_url),
            portal_url: sanitize(&parameters.portal_url),
            organisation: sanitize(&parameters.organisation),
            clock,
        })
    }

    /// The mail. `mark` stands before the subject.
    pub(super) fn compose(&self, request: &NoticeRequest<'_>, mark: &str) -> Result<Letter, Fault> {
        let (subject, text, html) = self.words(request, mark)?;
        let head = Head {
            name: request.client_name,
            email: request.email,
            message_id: request.message_id,
            in_reply_to: request.in_reply_to,
            token: request.token,
            topic: request.kind.topic(),
            revision: request.window.revision,
            kind: request.kind.word(),
        };
        let now = self.clock.now();
        let (builder, name, address) = self.head(&head, &subject, now)?;
        let parts = self.parts(request, mark, &name, now, &text, html)?;
        let message =
            builder.multipart(parts).map_err(|error| invalid(format!("the mail can't be written: {error}")))?;
        let from = self.envelope_sender(request.token)?.to_string();
        Ok(Letter { subject, text, to: address.to_string(), from, message: message.formatted() })
    }

    /// Subject, text and page. Errs, and names the person, where the texts can't be written for them.
    pub(super) fn words(&self, request: &NoticeRequest<'_>, mark: &str) -> Result<(String, String, String), Fault> {
        let (kind, language) = (request.kind, request.language);
        let written = self.written(request, language, |variables| {
            let (subject, text) = self.templates.write(&request.tenant.name, language, kind, variables)?;
            let subject = format!("{mark}{subject}");
            let html = self.templates.layout()?.page(language, &subject, &text)?;
            Ok((subject, text, html))
        });
        written.map_err(|fault: Fault| {
            let message = format!("{} (in the {} for {})", fault.message, kind.word(), clean_name(request.client_name));
            Fault { message, ..fault }
        })
    }

    /// What its text leaves out that its readers need.
    pub(super) fn lacks(&self, request: &NoticeRequest<'_>) -> Option<Lack> {
        self.templates.lacks(&request.tenant.name, request.language, request.kind)
    }

    /// Whether text and page are the built-in ones: those ask nothing of a person but to have a name.
    pub(super) fn is_built_in(&self, request: &NoticeRequest<'_>) -> bool {
        self.templates.is_built_in(&request.tenant.name, request.language, request.kind)
    }

    /// What can't be used of the texts.
    pub(super) fn faults(&self) -> Vec<Fault> {
        self.templates.faults().cloned().collect()
    }

    /// Fills in the values of a person.
    fn written<T>(
        &self,
        request: &NoticeRequest<'_>,
        language: Language,
        write: impl FnOnce(&Variables<'_>) -> T,
    ) -> T {
        let name = clean_name(request.client_name);
        write(&Variables {
            client_name: if name.is_empty() { "colleague" } else { &name },
            tenant_name: &clean_name(&request.tenant.name),
            window: &request.window.for_people_in(language),
            window_utc: &request.window.for_people_in_utc(language),
            zone: &sanitize(&request.window.zone),
            revision: request.window.revision,
            guide_url: &self.guide_url,
            portal_url: &self.portal_url,
            organisation: &self.organisation,
            reply_address: self.reply_to.email.as_ref(),
            previous_key: request.key_told == KeyTold::Previous,
            again: request.key_told == KeyTold::Again,
        })
    }

    /// Subject and text in the present wording, and in the built-in one of each language; title and words of the invitation likewise.
    pub(super) fn texts(&self, request: &NoticeRequest<'_>) -> Vec<String> {
        let present = self.written(request, request.language, |variables| {
            self.templates.write(&request.tenant.name, request.language, request.kind, variables)
        });
        let built_in = Language::ALL.into_iter().map(|language| {
            self.written(request, language, |variables| self.templates.built_in(language, request.kind, variables))
        });
        let mut texts: Vec<String> = [present]
            .into_iter()
            .chain(built_in)
            .filter_map(Result::ok)
            .map(|(subject, text)| format!("{subject}\n{text}\n{}", self.organisation))
            .collect();
        if invitation::carried(request.kind).is_some() {
            let tenant = clean_name(&request.tenant.name);
            let words = Language::ALL.into_iter().map(|language| invitation::words(language, &tenant));
            texts.extend(words.map(|(title, description)| format!("{title}\n{description}")));
        }
        texts.dedup();
        texts
    }

    /// The body: the text first and readable alone, the calendar last, and once more as a file for those mail programs that
    /// look for one (RFC 6047 2.4 and the iMIP best practices of CalConnect).
    fn parts(
        &self,
        request: &NoticeRequest<'_>,
        mark: &str,
        name: &str,
        now: Timestamp,
        text: &str,
        html: String,
    ) -> Result<MultiPart, Fault> {
        // Nobody who chooses a name knows the token, so no name can end a part.
        let boundary = |place: char| format!("=_{}.{place}", request.token);
        let alternative = MultiPart::alternative()
            .boundary(boundary('a'))
            .singlepart(SinglePart::plain(text.to_owned()))
            .singlepart(SinglePart::html(html));
        let Some(cancelled) = invitation::carried(request.kind) else {
            return Ok(alternative);
        };
        let (summary, description) = invitation::words(request.language, &clean_name(&request.tenant.name));
        let invitation = Invitation {
            cancelled,
            uid: &request.token.uid(self.from.email.domain()),
            window: request.window,
            stamp: now,
            organiser: &self.organisation,
            organiser_address: self.from.email.as_ref(),
            attendee: if name.is_empty() { request.email } else { name },
            attendee_address: request.email,
            summary: &format!("{mark}{summary}"),
            description,
        };
        let calendar = invitation.write()?.into_bytes();
        let encoded = |content_type: &str| {
            let wrong = || invalid("the invitation can't be encoded".into());
            let content_type = ContentType::parse(content_type).map_err(|_| wrong())?;
            let body = Body::new_with_encoding(calendar.clone(), ContentTransferEncoding::Base64);
            Ok::<_, Fault>((content_type, body.map_err(|_| wrong())?))
        };
        let method = invitation.method();
        let (content_type, body) = encoded(&format!("text/calendar; charset=utf-8; method={method}"))?;
        let inline = SinglePart::builder().header(content_type).body(body);
        let (content_type, body) = encoded("application/ics; name=\"invite.ics\"")?;
        let file = SinglePart::builder().header(ContentDisposition::attachment("invite.ics")).header(content_type);
        Ok(MultiPart::mixed()
            .boundary(boundary('m'))
            .multipart(alternative.singlepart(inline))
            .singlepart(file.body(body)))
    }

    /// Everything that stands before the parts, with the cleaned name and the address.
    fn head(&self, head: &Head<'_>, subject: &str, now: Timestamp) -> Result<(MessageBuilder, String, Address), Fault> {
        let address: Address = head.email.parse().map_err(|_| {
            invalid(format!("{:?} is not a mail address", sanitize(head.email)))
                .hint("put the right address into the contacts file")
        })?;
        for id in std::iter::once(head.message_id).chain(head.in_reply_to) {
            if !is_message_id(id) {
                return Err(invalid(format!("{:?} is not a Message-ID", sanitize(id))));
            }
        }
        let name = clean_name(head.name);
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some(name.clone()).filter(|name| !name.is_empty()), address.clone()))
            .reply_to(self.reply_to(head)?)
            .date(SystemTime::try_from(now).map_err(|_| invalid("the clock is out of range".into()))?)
            .message_id(Some(head.message_id.to_owned()))
            .subject(subject.to_owned())
            .header(AutoSubmitted)
            .header(AutoResponseSuppress)
            .header(Kind(head.kind.to_owned()));
        if let Some(first) = head.in_reply_to {
            builder = builder.in_reply_to(first.to_owned()).references(first.to_owned());
        }
        Ok((builder, name, address))
    }

    fn reply_to(&self, head: &Head<'_>) -> Result<Mailbox, Fault> {
        let Some(separator) = self.separator else {
            return Ok(self.reply_to.clone());
        };
        let (token, topic, revision) = (head.token.clone(), head.topic, head.revision);
        let address = Addressed { token, topic, revision }.to_address(self.reply_to.email.as_ref(), separator);
        Ok(Mailbox::new(self.reply_to.name.clone(), carrying(address)?))
    }

    /// RFC 5321 does not promise that a delivery report holds the mail that it is about; an address of one's own does.
    fn envelope_sender(&self, token: &ReplyToken) -> Result<Address, Fault> {
        match self.separator.filter(|_| self.verp) {
            Some(separator) => {
                let base = &self.reply_to.email;
                carrying(Some(format!("{}{separator}b-{token}@{}", base.user(), base.domain())))
            }
            None => Ok(self.from.email.clone()),
        }
    }

    /// A mail of a kind with invented values, to oneself.
    pub(super) fn sample(&self, sample: &super::Sample<'_>) -> Result<Letter, Fault> {
        // No client has this token, so an answer to this mail counts for nothing.
        let token = ReplyToken::from_bytes([0; 15]);
        let now = self.clock.now();
        let id = format!("<{token}.test{}@{}>", now.as_millisecond(), self.from.email.domain());
        let request = NoticeRequest {
            kind: sample.kind,
            tenant: sample.tenant,
            client_name: "Ada Okafor",
            email: sample.to,
            window: sample.window,
            message_id: &id,
            in_reply_to: None,
            token: &token,
            language: sample.language,
            key_told: KeyTold::New,
        };
        self.compose(&request, "[TEST] ")
    }
}

/// What stands before the parts of any mail.
struct Head<'a> {
    name: &'a str,
    email: &'a str,
    message_id: &'a str,
    in_reply_to: Option<&'a str>,
    token: &'a ReplyToken,
    topic: Topic,
    revision: u32,
    kind: &'a str,
}

/// A request that can be taken elsewhere.
pub(super) struct Owned {
    kind: NoticeKind,
    tenant: Tenant,
    client_name: String,
    email: String,
    window: Window,
    message_id: String,
    in_reply_to: Option<String>,
    token: ReplyToken,
    language: Language,
    key_told: KeyTold,
}

impl Owned {
    pub(super) fn of(request: &NoticeRequest<'_>) -> Self {
        Self {
            kind: request.kind,
            tenant: request.tenant.clone(),
            client_name: request.client_name.to_owned(),
            email: request.email.to_owned(),
            window: request.window.clone(),
            message_id: request.message_id.to_owned(),
            in_reply_to: request.in_reply_to.map(str::to_owned),
            token: request.token.clone(),
            language: request.language,
            key_told: request.key_told,
        }
    }

    pub(super) fn lent(&self) -> NoticeRequest<'_> {
        NoticeRequest {
            kind: self.kind,
            tenant: &self.tenant,
            client_name: &self.client_name,
            email: &self.email,
            window: &self.window,
            message_id: &self.message_id,
            in_reply_to: self.in_reply_to.as_deref(),
            token: &self.token,
            language: self.language,
            key_told: self.key_told,
        }
    }
}

fn carrying(address: Option<String>) -> Result<Address, Fault> {
    let address = address.and_then(|address| address.parse::<Address>().ok());
    let fits = |address: &Address| address.user().len() <= LONGEST_LOCAL;
    address.filter(fits).ok_or_else(|| configuration("inbox.address: it can't carry a token".into()))
}

fn invalid(message: String) -> Fault {
    Fault::new(Service::Mail, FaultKind::Invalid, message)
}

fn configuration(message: String) -> Fault {
    Fault::new(Service::Configuration, FaultKind::Invalid, message)
}

/// A mailbox whose name is clean.
pub(super) fn cleaned(mailbox: Mailbox) -> Mailbox {
    let name = mailbox.name.map(|name| clean_name(&name)).filter(|name| !name.is_empty());
    Mailbox::new(name, mailbox.email)
}

/// Cut, and without what a mail program would make a link of.
fn clean_name(name: &str) -> String {
    let clean: String = sanitize(name).replace("://", " ").chars().take(LONGEST_NAME).collect();
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
        assert_eq!(clean_name("Ada https://evil.example"), "Ada https evil.example");
        assert_eq!(clean_name(&"é".repeat(100)).chars().count(), 64);
    }
}
