//! Hands one mail over: MAIL, RCPT, DATA, text; and says what became of it, without ever guessing success.
//!
//! Up to DATA's answer nothing can have been accepted. From the first byte of the text on, only an answer settles it:
//! 250 is sent, 4xx and 5xx are not, and a lost answer is uncertain, never failed.

use super::connection::{SmtpConnection, reply};
use crate::domain::notice::{Delivery, REFUSES_US};
use crate::domain::sanitize::sanitize;
use crate::engine::ports::Fence;
use lettre::Address;
use lettre::address::Envelope;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

type SmtpError = lettre::transport::smtp::Error;

/// How a transaction ended, and whether the connection stands at the beginning of the next one.
pub(super) struct End {
    pub(super) delivery: Delivery,
    pub(super) usable: bool,
    /// The server asks to try again later (4xx). Never true of what may have been accepted.
    pub(super) again: bool,
}

impl End {
    /// Nothing was handed over, and there is no connection.
    pub(super) fn not_sent(reply: String, again: bool) -> Self {
        Self { delivery: failed(false, reply), usable: false, again }
    }
}

/// Runs one transaction. `handed` is set just before the first byte of the text leaves; before that the fence is asked.
pub(super) async fn run(
    fence: &dyn Fence,
    connection: &mut SmtpConnection,
    envelope: &Envelope,
    message: &[u8],
    handed: &AtomicBool,
) -> End {
    let parameters = match parameters(connection, envelope, message) {
        Ok(parameters) => parameters,
        Err(why) => return End { delivery: failed(true, why), usable: true, again: false },
    };
    // A refusal of the sender says nothing about the recipient: it is never final for this mail.
    if let Err(error) = connection.command(Mail::new(envelope.from().cloned(), parameters)).await {
        let what = if error.is_transient() { "the mail server puts us off as the sender" } else { REFUSES_US };
        let told = format!("{what}: {}", reply(&error));
        return refused(connection, &error, told, false).await;
    }
    for to in envelope.to() {
        if let Err(error) = connection.command(Rcpt::new(to.clone(), Vec::new())).await {
            return refused(connection, &error, reply(&error), is_final(&error)).await;
        }
    }
    match connection.command(Data).await {
        Ok(answer) if answer.has_code(354) => {}
        Ok(answer) => {
            return End::not_sent(format!("an unexpected answer to DATA: {}", told(&answer)), false);
        }
        Err(error) => return refused(connection, &error, reply(&error), is_final(&error)).await,
    }
    if let Err(fault) = fence.hold().await {
        // In the middle of DATA only closing the connection takes the mail back.
        return End::not_sent(format!("not sent: {}", fault.message), false);
    }
    handed.store(true, Ordering::Relaxed);
    let answer = match std::str::from_utf8(message) {
        Ok(text) => connection.command(Text(text)).await,
        Err(_) => connection.message(message).await,
    };
    match answer {
        Ok(answer) if answer.has_code(250) => {
            End { delivery: Delivery::Sent { reply: told(&answer) }, usable: true, again: false }
        }
        Ok(answer) => uncertain(format!("an unexpected answer to the text: {}", told(&answer))),
        Err(error) if error.status().is_some() => refused(connection, &error, reply(&error), is_final(&error)).await,
        Err(error) => uncertain(format!("the answer was lost after the text was handed over: {}", reply(&error))),
    }
}

/// The text with its end, as DATA wants it (RFC 5321 4.5.2): lettre would send them in two packets.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.0.split_inclusive("\r\n") {
            if line.starts_with('.') {
                f.write_str(".")?;
            }
            f.write_str(line)?;
        }
        f.write_str(if self.0.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" })
    }
}

/// What a mail is that took too long.
pub(super) fn too_late(handed: bool, limit: Duration) -> End {
    let seconds = limit.as_secs_f32();
    if handed {
        uncertain(format!("no answer within {seconds} s after the text was handed over"))
    } else {
        End::not_sent(format!("no answer within {seconds} s; the text was not handed over"), false)
    }
}

/// A negative answer: the connection is put back to the beginning. A broken connection: it is not used again.
async fn refused(connection: &mut SmtpConnection, error: &SmtpError, told: String, is_final: bool) -> End {
    let code = error.status().map(u16::from);
    // 421: the server closes the connection after this answer (RFC 5321 3.8).
    let usable = matches!(code, Some(code) if code != 421)
        && connection.command(Rset).await.is_ok_and(|answer| answer.has_code(250));
    let told =
        if code.is_none() { format!("the connection was lost before the text was handed over: {told}") } else { told };
    let again = !is_final && error.is_transient();
    End { delivery: failed(is_final, told), usable, again }
}

/// 5xx is final for this recipient, except where it is about us: authentication needed (530, 534, 535, 538).
fn is_final(error: &SmtpError) -> bool {
    error.is_permanent() && !matches!(error.status().map(u16::from), Some(530 | 534 | 535 | 538))
}

fn parameters(connection: &SmtpConnection, envelope: &Envelope, message: &[u8]) -> Result<Vec<MailParameter>, String> {
    let server = connection.server_info();
    let mut parameters = Vec::new();
    let addresses = envelope.from().into_iter().chain(envelope.to());
    if addresses.map(<Address as AsRef<str>>::as_ref).any(|address| !address.is_ascii()) {
        if !server.supports_feature(Extension::SmtpUtfEight) {
            return Err(
                "not sent: the address holds letters beyond ASCII, which this mail server can't take (no SMTPUTF8)"
                    .into(),
            );
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !message.is_ascii() && server.supports_feature(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    Ok(parameters)
}

fn failed(permanent: bool, reply: String) -> Delivery {
    Delivery::Failed { permanent, reply: sanitize(&reply) }
}

fn uncertain(why: String) -> End {
    End { delivery: Delivery::Uncertain { why: sanitize(&why) }, usable: false, again: false }
}

fn told(answer: &Response) -> String {
    let lines: Vec<&str> = answer.message().collect();
    sanitize(&format!("{} {}", answer.code(), lines.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_at_the_beginning_of_a_line_is_doubled_and_the_text_ends_once() {
        for (text, sent) in [
            (".a\r\nb.\r\n..\r\n", "..a\r\nb.\r\n...\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            ("", "\r\n.\r\n"),
            ("a\r\n.\r\nQUIT\r\n", "a\r\n..\r\nQUIT\r\n.\r\n"),
        ] {
            assert_eq!(Text(text).to_string(), sent);
        }
    }
}
