//! The forms of what an operator puts right about a person while nothing was touched: taking back what was recorded, keeping a
//! waiver for another window, and accepting the address that a mail came from.

use crate::app::clients::standing_text;
use crate::app::dialog::form::{People, chosen, required};
use crate::app::dialog::{FormDialog, Mark, Purpose, Row};
use crate::app::field::Field;
use crate::domain::client::ClientId;
use crate::engine::command::Command;
use crate::engine::hearing::Withdrawal;
use crate::engine::mailbox::ReadMail;
use crate::engine::status::{ClientView, TenantStatus};

const ANSWER: usize = 0;
const WAIVER: usize = 1;
const MEANING: usize = 2;

/// The form for one client.
pub fn open(status: &TenantStatus, client: ClientId, name: String) -> FormDialog {
    let fields = vec![
        Field::choice("what", &["answer", "waiver", "meaning of a mail", "accepted address"]),
        Field::text("reason", "", "why it is taken back"),
    ];
    FormDialog::new(status, Purpose::TakeBack { client, name }, fields)
}

/// The form of waivers that were given for an earlier window.
pub fn open_keep(status: &TenantStatus, people: People) -> FormDialog {
    FormDialog::new(status, Purpose::KeepWaiver(people), Vec::new())
}

fn view<'a>(client: &ClientId, status: &'a TenantStatus) -> Option<&'a ClientView> {
    status.clients.iter().find(|view| view.client.id == *client)
}

/// The mail of which somebody has said last what it means, or whose sender they accepted.
fn judged<'a>(client: &ClientId, status: &'a TenantStatus) -> Option<&'a ReadMail> {
    status.mails.iter().rfind(|mail| mail.client == *client && (mail.decision.is_some() || mail.doubt.is_some()))
}

/// What there is of this client.
pub fn stakes(client: &ClientId, status: &TenantStatus) -> Vec<Row> {
    let standing = view(client, status).map(|view| format!("{}: {}", view.client.name, standing_text(view)));
    let decision = judged(client, status).and_then(|mail| mail.decision.as_ref().map(|decision| (mail, decision)));
    let decision = decision.map(|(mail, decision)| {
        format!("the mail of {} was read as: {}", mail.at.strftime("%m-%d %H:%M UTC"), decision.word())
    });
    let aliases = status.heard.aliases.iter().filter(|alias| alias.client == *client);
    let aliases = aliases.map(|alias| format!("accepted address: {}, by {}", alias.address, alias.by));
    let lines = standing.into_iter().chain(decision).chain(aliases);
    lines.map(|line| Row::new(Mark::Plain, line)).collect()
}

/// What taking back is.
pub fn explain() -> Vec<Row> {
    let text = "It is as if it had never been recorded, and what was there before counts again. Both entries stay in the \
                journal. Possible while nothing was touched.";
    vec![Row::new(Mark::Plain, text)]
}

/// The command.
pub fn command(form: &FormDialog, client: &ClientId, name: &str, status: &TenantStatus) -> Result<Command, String> {
    let client = client.clone();
    let what = match chosen(form, 0, "what is taken back")? {
        ANSWER => Withdrawal::Answer { client },
        WAIVER => Withdrawal::Waiver { client },
        MEANING => {
            let mail = judged(&client, status).ok_or_else(|| format!("nobody has judged a mail of {name}"))?;
            Withdrawal::Decision { mail: mail.mail.clone() }
        }
        _ => {
            let alias = status.heard.aliases.iter().rfind(|alias| alias.client == client);
            let alias = alias.ok_or_else(|| format!("no other address is accepted for {name}"))?;
            Withdrawal::Alias { client, address: alias.address.clone() }
        }
    };
    Ok(Command::TakeBack { what, reason: required(form, 1, "a reason")? })
}

/// Which waivers they are.
pub fn stakes_of_keep(people: &People, status: &TenantStatus) -> Vec<Row> {
    let lapsed =
        status.heard.lapsed_waivers.iter().filter(|lapsed| people.iter().any(|(id, _)| *id == lapsed.waiver.client));
    let row = |lapsed: &crate::engine::hearing::LapsedWaiver| {
        let name = view(&lapsed.waiver.client, status).map_or("", |view| view.client.name.as_str());
        let text = format!("{name} was waived for revision {}: {}", lapsed.revision, lapsed.waiver.reason);
        Row::new(Mark::Warn, text)
    };
    lapsed.map(row).collect()
}

/// What keeping means.
pub fn explain_keep() -> Vec<Row> {
    vec![Row::new(Mark::Plain, "The waiver counts for the window in force, too: nobody waits for them.")]
}

/// The command.
pub fn keep(people: &People) -> Command {
    Command::KeepWaiver { only: Some(people.iter().map(|(client, _)| client.clone()).collect()) }
}

/// The form of accepting a sender.
pub fn open_sender(status: &TenantStatus, client: ClientId, name: String, mail: String, alias: bool) -> FormDialog {
    let purpose = Purpose::AcceptSender { client, name, mail, alias };
    FormDialog::new(status, purpose, vec![Field::text("note", "", "optional: how you know")])
}

/// What is accepted.
pub fn stakes_of_sender(name: &str, mail: &str, alias: bool, status: &TenantStatus) -> Vec<Row> {
    let Some(mail) = status.mails.iter().find(|read| read.mail == mail) else { return Vec::new() };
    let Some(doubt) = &mail.doubt else { return Vec::new() };
    let from = doubt.foreign.as_deref().unwrap_or(&mail.from);
    let how = if alias { "answers for them from now on" } else { "is accepted for this one mail" };
    vec![
        Row::new(Mark::Warn, format!("{from} {how}: {name}")),
        Row::new(Mark::Warn, format!("the mail then says: {}", doubt.otherwise)),
    ]
}

/// The command.
pub fn accept(form: &FormDialog, mail: &str, alias: bool) -> Command {
    Command::AcceptSender { mail: mail.to_owned(), alias, note: form.value(0).to_owned() }
}
