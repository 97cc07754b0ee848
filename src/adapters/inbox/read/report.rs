//! Delivery reports, machine-readable (RFC 3464) and in plain text as qmail, exim and others write them.

use crate::domain::letter::{DeliveryAction, DeliveryReport, Incoming, Report};
use crate::domain::reply::words::fold;
use crate::domain::sanitize::sanitize;

const MOST_RECIPIENTS: usize = 100;
const LONGEST_REASON: usize = 200;

/// Subjects of failures, folded.
const FAILED: [&str; 17] = [
    "undelivered mail",
    "undeliverable",
    "unzustellbar",
    "non remis",
    "no se puede entregar",
    "no entregado",
    "delivery status notification (failure)",
    "mail delivery failed",
    "mail delivery failure",
    "delivery failure",
    "failure notice",
    "returned mail",
    "mail delivery system",
    "message not delivered",
    "nicht zugestellt",
    "echec de la remise",
    "delivery has failed",
];
/// Subjects of delays, folded.
const DELAYED: [&str; 6] = [
    "delayed mail",
    "delivery delayed",
    "status notification (delay)",
    "warning: message",
    "delivery delay",
    "could not send message for past",
];

/// The fields of a message/delivery-status part: groups apart by blank lines, the first of which is about the mail.
pub fn delivery(text: &str) -> Report {
    let mut recipients = Vec::new();
    let mut message_id = None;
    for group in groups(text).into_iter().take(MOST_RECIPIENTS) {
        let field = |name: &str| group.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
        message_id = message_id.or(field("original-message-id").map(super::bracketed));
        let Some(action) = field("action") else { continue };
        let recipient = field("original-recipient").or(field("final-recipient")).unwrap_or_default();
        let address = typed(recipient).trim_matches(['<', '>', ' ']).to_lowercase();
        let status = field("status").unwrap_or_default();
        let diagnostic = field("diagnostic-code").map(typed).unwrap_or_default();
        recipients.push(DeliveryReport {
            recipient: address,
            action: match action.to_ascii_lowercase().as_str() {
                "failed" => DeliveryAction::Failed,
                "delayed" => DeliveryAction::Delayed,
                _ => DeliveryAction::Other,
            },
            reason: short(&format!("{status} {diagnostic}")),
        });
    }
    Report::Delivery { recipients, message_id }
}

/// `rfc822; a@b` without its type.
fn typed(value: &str) -> &str {
    value.split_once(';').map_or(value, |(_, rest)| rest).trim()
}

fn short(text: &str) -> String {
    sanitize(text).chars().take(LONGEST_REASON).collect()
}

/// Fields by group, names in lower case, folded lines joined.
fn groups(text: &str) -> Vec<Vec<(String, String)>> {
    let mut groups: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for line in text.lines() {
        let Some(group) = groups.last_mut() else { break };
        if line.trim().is_empty() {
            if !group.is_empty() {
                groups.push(Vec::new());
            }
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = group.last_mut() {
                value.push(' ');
                value.push_str(&sanitize(line));
            }
        } else if let Some((name, value)) = line.split_once(':') {
            group.push((name.trim().to_ascii_lowercase(), sanitize(value)));
        }
    }
    groups
}

/// The Message-ID among header lines.
pub fn message_id_in(text: &str) -> Option<String> {
    let mut lines = text.lines().map(|line| line.trim_start_matches(['>', ' ']));
    while let Some(line) = lines.next() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("message-id") {
            let value = if value.trim().is_empty() { lines.next().unwrap_or_default() } else { value };
            let inner = value.split('<').nth(1)?.split('>').next()?;
            return Some(super::bracketed(inner));
        }
    }
    None
}

/// A bounce that only people were meant to read: recognised by its sender and its subject, or by a header that no person writes.
pub fn in_plain_text(headers: &[(String, String)], incoming: &Incoming, text: &str) -> Option<Report> {
    let header = |name: &str| headers.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    let message_id = message_id_in(text);
    let qmail = text.contains("This is the qmail-send program") || text.contains("This is the mail delivery agent at");
    let subject = fold(&incoming.subject);
    let late = DELAYED.iter().any(|word| subject.contains(word));
    let action = if late { DeliveryAction::Delayed } else { DeliveryAction::Failed };
    let report = |addresses: Vec<String>| {
        let one = |recipient: String| {
            let reason = reason_for(text, &recipient);
            DeliveryReport { recipient, action, reason }
        };
        let recipients = addresses.into_iter().take(MOST_RECIPIENTS).map(one).collect();
        Some(Report::Delivery { recipients, message_id: message_id.clone() })
    };
    if let Some(failed) = header("x-failed-recipients") {
        return report(failed.split(',').map(super::address).collect());
    }
    let (_, sender) = incoming.from.as_ref()?;
    let local = sender.split('@').next().unwrap_or_default();
    let by_daemon = ["mailer-daemon", "postmaster", "mail-daemon", "mailerdaemon"].contains(&local)
        || local.starts_with("microsoftexchange");
    if !by_daemon || !(qmail || late || FAILED.iter().any(|word| subject.contains(word))) {
        return None;
    }
    report(addresses_in(text))
}

/// The addresses that stand before the copy of the original mail.
fn addresses_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines().take(60) {
        let lower = line.to_ascii_lowercase();
        if lower.contains("below this line is a copy")
            || lower.starts_with("return-path:")
            || lower.starts_with("received:")
        {
            break;
        }
        for word in line.split(|c: char| c.is_whitespace() || "<>(),;:\"'".contains(c)) {
            let address = super::address(word.trim_end_matches('.'));
            let fits = address.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'));
            let daemon = address.starts_with("postmaster@") || address.starts_with("mailer-daemon@");
            if fits && !daemon && !found.contains(&address) {
                found.push(address);
            }
        }
    }
    found
}

/// The lines behind the address: what the remote server said.
fn reason_for(text: &str, recipient: &str) -> String {
    let mut lines = text.lines().skip_while(|line| !line.to_lowercase().contains(recipient));
    let first = lines.next().unwrap_or_default().to_lowercase();
    let behind = first.split(recipient).nth(1).unwrap_or_default().trim_matches(['>', ':', ' ', '"']).to_owned();
    let rest: Vec<&str> = lines.take_while(|line| !line.trim().is_empty()).take(3).collect();
    let reason = short(&format!("{behind} {}", rest.join(" ")));
    if reason.is_empty() { "no reason given".into() } else { reason }
}
