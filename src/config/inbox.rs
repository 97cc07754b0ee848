//! Judges `[inbox]`: the connection's protection, who logs in and how, what is read, and the address of the answers.
//!
//! How single values are written is `values`, where a password comes from is `passwords`.

use super::file::{InboxTable, Value};
use super::passwords::Sources;
use super::rules::Rules;
use super::{After, Inbox, InboxLogin, Smtp, values};
use std::ops::Range;
use toml::Spanned;

/// The token and the revision take 32 octets of the 64 that a local part may have (RFC 5321 4.5.3.1.1).
const LONGEST_LOCAL_PART: usize = 32;

impl Rules<'_> {
    pub(super) fn inbox(&mut self, table: Spanned<InboxTable>, smtp: &Smtp) -> Inbox {
        let at = table.span();
        let table = table.into_inner();
        let default = Inbox::default();
        let user_at = table.user.as_ref().map(Spanned::span);
        let security_at = table.security.as_ref().map(Spanned::span);
        let user = self.required("inbox.user", &at, table.user, values::line);
        let sources = Sources {
            section: "inbox",
            text: table.password,
            file: table.password_file,
            command: table.password_command,
            token: table.oauth2_command,
        };
        let login = self.login(sources, user_at.as_ref());
        let folders = self.folders(table.folders).unwrap_or(default.folders);
        let inbox = Inbox {
            host: self.required("inbox.host", &at, table.host, values::host),
            port: self.number("inbox.port", table.port, 1..=65535).unwrap_or(default.port),
            security: self.or("inbox.security", table.security, default.security, values::security),
            user,
            login,
            address: self.reply_address(table.address, &at, smtp),
            separator: self.or("inbox.separator", table.separator, default.separator, separator),
            after: self.or("inbox.after", table.after, default.after, |text| after(text, &folders)),
            folders,
            poll_interval: self.or("inbox.poll_interval", table.poll_interval, default.poll_interval, values::duration),
            timeout: self.or("inbox.timeout", table.timeout, default.timeout, values::duration),
            authserv_id: self.optional("inbox.authserv_id", table.authserv_id, authserv_id),
            ca_file: self.trusted("inbox.ca_file", table.ca_file),
        };
        self.clear_is_for_loopback("inbox.security", security_at, inbox.security, &inbox.host);
        inbox
    }

    fn folders(&mut self, written: Value<Vec<Spanned<String>>>) -> Option<Vec<String>> {
        let written = written?;
        let span = written.span();
        let mut folders: Vec<String> = Vec::new();
        for name in written.into_inner() {
            match values::line(name.get_ref()) {
                Ok(folder) if folders.contains(&folder) => {
                    self.wrong("inbox.folders", &name.span(), format!("{folder:?} is there already; take one away"));
                }
                Ok(folder) => folders.push(folder),
                Err(message) => self.wrong("inbox.folders", &name.span(), message),
            }
        }
        if folders.is_empty() && !self.problems.is_broken("inbox.folders") {
            self.wrong("inbox.folders", &span, "names no folder; write for example [\"INBOX\"]");
        }
        Some(folders)
    }

    /// The address that clients answer to, without a name.
    fn reply_address(&mut self, written: Value<String>, at: &Range<usize>, smtp: &Smtp) -> String {
        if written.is_some() {
            return self.optional("inbox.address", written, address).unwrap_or_default();
        }
        let mailbox = smtp.reply_to.as_ref().unwrap_or(&smtp.from);
        // One that is wrong is told where it stands.
        let Ok(mailbox) = mailbox.parse::<lettre::message::Mailbox>() else {
            return String::new();
        };
        let email = mailbox.email.to_string();
        if let Err(message) = address(&email) {
            self.wrong("inbox.address", at, format!("is {email:?} by smtp, which {message}"));
        }
        email
    }

    fn login(&mut self, sources: Sources, user: Option<&Range<usize>>) -> InboxLogin {
        let (password, token) = self.password(sources, user);
        token.map_or(InboxLogin::Password(password), InboxLogin::OAuth2)
    }
}

fn address(text: &str) -> Result<String, String> {
    let address = values::address(text)?;
    let local = address.rsplit_once('@').map_or(0, |(local, _)| local.len());
    if local > LONGEST_LOCAL_PART {
        return Err(format!(
            "has {local} characters before the @; at most {LONGEST_LOCAL_PART} leave room for the token of a client"
        ));
    }
    Ok(address)
}

/// As in the header Authentication-Results of the mail server: a word without spaces (RFC 8601 2.3).
fn authserv_id(text: &str) -> Result<String, String> {
    let id = values::line(text)?;
    match id.contains([' ', '\t', ';', '"']) {
        true => Err(format!("{id:?} is no authserv-id; write the first word of its Authentication-Results headers")),
        false => Ok(id.to_lowercase()),
    }
}

fn separator(text: &str) -> Result<Option<char>, String> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (None, _) => Ok(None),
        // What may stand in a local part without quotes (RFC 5322 3.2.3) and is no letter.
        (Some(c), None) if "!#$%&'*+-/=?^_`{|}~".contains(c) => Ok(Some(c)),
        _ => Err(format!(
            "{text:?} can't separate an address from its detail; write \"+\" or what your server uses, or \"\" if it knows no sub-addresses"
        )),
    }
}

fn after(text: &str, folders: &[String]) -> Result<After, String> {
    match text {
        "leave" => Ok(After::Leave),
        "flag" => Ok(After::Flag),
        _ => {
            let wrong = || format!("{text:?} is not known; write \"leave\", \"flag\" or \"move:Folder\"");
            let folder = values::line(text.strip_prefix("move:").ok_or_else(wrong)?).map_err(|_| wrong())?;
            if folders.contains(&folder) {
                return Err(format!("moves into {folder:?}, which is read: what was settled would come back"));
            }
            Ok(After::Move(folder))
        }
    }
}
