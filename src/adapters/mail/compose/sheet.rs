//! A mail in words that a runbook gives, with one file of text enclosed.

use super::{Composer, Head, invalid};
use crate::domain::fault::Fault;
use crate::domain::sanitize::sanitize;
use crate::domain::token::Topic;
use crate::engine::ports::{Letter, Sheet};
use lettre::message::header::{ContentDisposition, ContentTransferEncoding, ContentType};
use lettre::message::{Body, MultiPart, SinglePart};

impl Composer {
    /// The text with the sender's name behind it.
    fn signed(&self, text: &str) -> String {
        format!("{}\n\n{}\n{}\n", text.trim_end(), self.organisation, self.reply_to.email)
    }

    /// Subject and text as they were sent.
    pub(in crate::adapters::mail) fn sheet_text(&self, subject: &str, text: &str) -> String {
        format!("{subject}\n{}", self.signed(text))
    }

    /// The mail.
    pub(in crate::adapters::mail) fn sheet(&self, sheet: &Sheet<'_>) -> Result<Letter, Fault> {
        let head = Head {
            name: sheet.name,
            email: sheet.email,
            message_id: sheet.message_id,
            in_reply_to: sheet.in_reply_to,
            token: sheet.token,
            topic: Topic::Back,
            revision: sheet.round,
            kind: sheet.kind,
        };
        let (subject, text) = (sanitize(sheet.subject), self.signed(sheet.text));
        let (builder, _, address) = self.head(&head, &subject, self.clock.now())?;
        let html = self.templates.layout()?.page(sheet.language, &subject, &text)?;
        // Nobody who chooses a name knows the token, so no name can end a part.
        let boundary = |place: char| format!("=_{}.{place}", sheet.token);
        let alternative = MultiPart::alternative()
            .boundary(boundary('a'))
            .singlepart(SinglePart::plain(text.clone()))
            .singlepart(SinglePart::html(html));
        let wrong = || invalid("the file can't be enclosed".into());
        let (name, bytes) = sheet.file;
        let content_type = ContentType::parse("application/x-pem-file").map_err(|_| wrong())?;
        let body = Body::new_with_encoding(bytes.to_vec(), ContentTransferEncoding::Base64).map_err(|_| wrong())?;
        let file = SinglePart::builder().header(ContentDisposition::attachment(name)).header(content_type).body(body);
        let parts = MultiPart::mixed().boundary(boundary('m')).multipart(alternative).singlepart(file);
        let message =
            builder.multipart(parts).map_err(|error| invalid(format!("the mail can't be written: {error}")))?;
        let from = self.envelope_sender(sheet.token)?.to_string();
        Ok(Letter { subject, text, to: address.to_string(), from, message: message.formatted() })
    }
}
