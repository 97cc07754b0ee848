//! What is next about letters: which are to be read, and what became of those whose answer was lost.

use super::{Act, NextAction, offer};
use crate::domain::typed::Typed;
use crate::engine::mailbox::ReadMail;
use crate::engine::rotation::Rotation;
use crate::engine::unsettled::UncertainMail;

/// What only a person can know, with how to say it.
pub(super) fn resolve(tenant: &str, mail: UncertainMail) -> NextAction {
    let line = |done: &str| {
        let line = Typed::of("resolve").word(tenant).option("mail", &mail.message_id);
        line.option("done", done).why().to_string()
    };
    let commands = vec![line("true"), line("false")];
    let text = format!(
        "uncertain whether the {} reached {}: ask them, then {}; or --done false, and it is sent again",
        mail.kind.word(),
        mail.name,
        commands[0]
    );
    NextAction { action: Act::Resolve, text, mail: Some(mail), commands }
}

/// So many people are named before they are counted.
pub(super) const NAMED: usize = 4;

/// The first of the names, and the number of the others.
pub(super) fn listed(names: &[&str]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", names[..names.len().min(NAMED)].join(", "))
}

/// Whose mails come back from the address that they have, and what is to be done before anything is sent there again.
pub(super) fn to_correct(names: &[&str]) -> String {
    let mails = if names.len() == 1 { "the mail" } else { "the mails" };
    format!(
        "{mails} to {} came back: correct the address (contacts file or console), then notify; or reach them otherwise",
        listed(names)
    )
}

/// Clients have answered, and only a person can say what: all of them are named, and this mail is the first to be read.
pub(super) fn read_mails(tenant: &str, rotation: &Rotation, first: &ReadMail) -> NextAction {
    let others: Vec<&ReadMail> = rotation.to_read().filter(|mail| mail.mail != first.mail).collect();
    let one = read_mail(tenant, rotation, first);
    if others.is_empty() {
        return one;
    }
    let who = |mail: &ReadMail| {
        let name = rotation.client(&mail.client).map_or(mail.client.0.as_str(), |client| client.name.as_str());
        format!("{name} ({})", mail.heard.verdict)
    };
    let all: Vec<String> = std::iter::once(first).chain(others.iter().copied()).map(who).collect();
    let more = others.iter().take(NAMED - 1).flat_map(|mail| read_mail(tenant, rotation, mail).commands);
    let commands: Vec<String> = one.commands.into_iter().chain(more).collect();
    let text = format!(
        "{} mails are to be read: {}; read each (Enter on the client, or {}), and say what it means (--as)",
        all.len(),
        listed(&all.iter().map(String::as_str).collect::<Vec<_>>()),
        commands.first().map_or("", String::as_str)
    );
    NextAction { commands, ..offer(Act::ReadMail, text) }
}

/// Who wrote behind the end that they are not back, and what is done about it.
pub(super) fn cut_off(tenant: &str, ended: &Rotation) -> Option<NextAction> {
    let all: Vec<(&str, String)> = ended
        .cut_off_by_word()
        .map(|(client, mail)| {
            let id = mail.mail.get(..12).unwrap_or(&mail.mail);
            let line = Typed::of("mail decide").word(tenant).word(id).option("as", "back").to_string();
            (client.name.as_str(), line)
        })
        .collect();
    let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    let is = if names.len() == 1 { "is" } else { "are" };
    let text = format!(
        "{} {is} not back, by their own word: help them to import what the console serves; once they are, record it ({})",
        listed(&names),
        all.first()?.1
    );
    let commands = all.into_iter().map(|(_, line)| line).take(NAMED).collect();
    Some(NextAction { commands, ..offer(Act::ReadMail, text) })
}

/// A client has answered, and only a person can say what.
fn read_mail(tenant: &str, rotation: &Rotation, mail: &ReadMail) -> NextAction {
    let name = rotation.client(&mail.client).map_or(mail.client.0.as_str(), |client| client.name.as_str());
    let id = mail.mail.get(..12).unwrap_or(&mail.mail);
    let decide = Typed::of("mail decide").word(tenant).word(id).to_string();
    let text = format!(
        "{name} has answered, and it is {}: read it (Enter on the client, or {decide}), and say what it means (--as)",
        mail.heard.verdict
    );
    NextAction { commands: vec![decide], ..offer(Act::ReadMail, text) }
}
