//! The mails with one client, and the keys by which an operator says what an unclear one means.

use crate::app::availability::is_free;
use crate::app::clients::standing_text;
use crate::app::dialog::{FormDialog, Mark, Purpose, Row, take_back};
use crate::app::field::Field;
use crate::app::keymap::Key;
use crate::app::model::Model;
use crate::domain::acknowledgement::Answer;
use crate::domain::client::ClientId;
use crate::domain::reply::Verdict;
use crate::domain::token::Topic;
use crate::engine::command::Command;
use crate::engine::mailbox::{Decision, ReadMail};
use crate::engine::status::TenantStatus;

/// The oldest mail of a client that a person must read still.
pub fn to_decide<'a>(status: &'a TenantStatus, client: &ClientId) -> Option<&'a ReadMail> {
    status.to_read().find(|mail| mail.client == *client)
}

/// What each key means for a mail.
fn choices(topic: Topic) -> &'static [(char, &'static str, Decision)] {
    const WINDOW: &[(char, &str, Decision)] = &[
        ('y', "confirmed", Decision::Answer(Answer::Confirmed)),
        ('n', "declined", Decision::Answer(Answer::Declined)),
        ('t', "tentative", Decision::Answer(Answer::Tentative)),
        ('0', "says nothing", Decision::Nothing),
    ];
    const BACK: &[(char, &str, Decision)] = &[
        ('y', "back", Decision::Back),
        ('n', "not back", Decision::NotBack),
        ('0', "says nothing", Decision::Nothing),
    ];
    match topic {
        Topic::Window => WINDOW,
        Topic::Back => BACK,
    }
}

/// The thread as lines.
pub fn rows(model: &Model, client: &ClientId) -> Vec<Row> {
    let Some(status) = model.status() else { return Vec::new() };
    let mut rows = Vec::new();
    if let Some(mail) = to_decide(status, client) {
        let keys: Vec<String> =
            choices(mail.heard.topic).iter().map(|(key, word, _)| format!("{key} {word}")).collect();
        rows.push(Row::new(
            Mark::Warn,
            format!("read the first mail marked ? and say what it means: {}", keys.join(", ")),
        ));
        if mail.doubt.is_some() {
            rows.push(Row::new(
                Mark::Warn,
                "or accept its sender: 1 for this mail, 2 as an address of theirs from now on; then the mail counts as it reads",
            ));
        }
        if let Err(why) = is_free(model, status) {
            rows.push(Row::new(Mark::Shut, format!("shut now: {why}")));
        }
    }
    if status.heard.senders_verified == Some(false) {
        let text = "senders are NOT verified here: whoever knows the mail can write any From (inbox.authserv_id)";
        rows.push(Row::new(Mark::Warn, text));
    }
    for alias in status.heard.aliases.iter().filter(|alias| alias.client == *client) {
        rows.push(Row::new(
            Mark::Plain,
            format!("{} answers for them, accepted by {}; B takes it back", alias.address, alias.by),
        ));
    }
    let lines = status.thread(client);
    if lines.is_empty() {
        rows.push(Row::new(Mark::Plain, "no mail went to or came from this client in this rotation"));
    }
    for line in lines {
        let mark = match (line.from_client, line.to_decide.is_some()) {
            (_, true) => Mark::Unknown,
            (true, false) => Mark::Heading,
            (false, false) => Mark::Plain,
        };
        let way = if line.from_client { "from them" } else { "to them" };
        rows.push(Row::new(mark, format!("{} {way}: {}", line.at.strftime("%m-%d %H:%M UTC"), line.text)));
        rows.extend(line.evidence.into_iter().map(|text| Row::new(Mark::Plain, format!("    {text}"))));
    }
    rows
}

/// The form that a key opens; `None`: it means nothing here.
pub fn press(model: &Model, client: &ClientId, key: Key) -> Option<FormDialog> {
    let Key::Char(pressed) = key else { return None };
    let status = model.status()?;
    let mail = to_decide(status, client)?;
    is_free(model, status).ok()?;
    if let (Some(_), '1' | '2') = (&mail.doubt, pressed) {
        let name = name_of(client, status);
        return Some(take_back::open_sender(status, client.clone(), name, mail.mail.clone(), pressed == '2'));
    }
    let (_, _, decision) = choices(mail.heard.topic).iter().find(|(key, _, _)| *key == pressed)?;
    let name = name_of(client, status);
    let (client, mail, decision) = (client.clone(), mail.mail.clone(), decision.clone());
    let purpose = Purpose::DecideMail { client, name, mail, decision };
    Some(FormDialog::new(status, purpose, vec![Field::text("note", "", "optional: how you know")]))
}

fn name_of(client: &ClientId, status: &TenantStatus) -> String {
    let view = status.clients.iter().find(|view| view.client.id == *client);
    view.map_or_else(|| client.to_string(), |view| view.client.name.clone())
}

/// What will be recorded, and what it replaces.
pub fn stakes(client: &ClientId, decision: &Decision, status: &TenantStatus) -> Vec<Row> {
    let view = status.clients.iter().find(|view| view.client.id == *client);
    let name = view.map_or_else(|| client.to_string(), |view| view.client.name.clone());
    let mark = if *decision == Decision::Nothing { Mark::Plain } else { Mark::Warn };
    let mut rows = vec![Row::new(mark, format!("records as the word of {name}: {}", decision.word()))];
    rows.extend(view.map(|view| Row::new(Mark::Plain, format!("so far: {}", standing_text(view)))));
    rows
}

/// The mail once more.
pub fn explain(status: &TenantStatus, mail: &str) -> Vec<Row> {
    let Some(mail) = status.mails.iter().find(|read| read.mail == mail) else { return Vec::new() };
    let mut rows =
        vec![Row::new(Mark::Heading, format!("{}: {}", mail.at.strftime("%m-%d %H:%M UTC"), mail.heard.verdict))];
    rows.extend(mail.heard.evidence.iter().map(|line| Row::new(Mark::Plain, format!("    {line}"))));
    rows.extend(mail.heard.marks.iter().map(|mark| Row::new(Mark::Warn, format!("    ({mark})"))));
    rows
}

/// The decision.
pub fn command(form: &FormDialog, mail: &str, decision: &Decision, status: &TenantStatus) -> Result<Command, String> {
    let read = status.mails.iter().find(|read| read.mail == mail && read.is_open());
    let Some(read) = read else { return Err("this mail needs no decision any more".into()) };
    let was = match &read.heard.verdict {
        Verdict::Unclear(why) => format!("was unclear: {why}"),
        verdict => format!("was: {verdict}"),
    };
    let note = match form.value(0) {
        "" => was,
        note => format!("{note} ({was})"),
    };
    Ok(Command::DecideMail { mail: mail.to_owned(), decision: decision.clone(), note })
}
