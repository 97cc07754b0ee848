//! `mail` on the command line: reading the mailbox, what was said, and what a person must decide.

use crate::cli::act::{BadUsage, notice_kind};
use crate::cli::consent::NamedArg;
use crate::cli::{KindArg, TenantArg, exit, print};
use crate::domain::acknowledgement::Answer;
use crate::domain::client::ClientId;
use crate::domain::notice::Delivery;
use crate::domain::sanitize::sanitize;
use crate::domain::typed::Typed;
use crate::domain::window::Window;
use crate::engine::command::Command;
use crate::engine::hearing::Withdrawal;
use crate::engine::mailbox::Decision;
use crate::engine::senders::{Alias, DomainAlias, Senders};
use crate::engine::status::TenantStatus;
use crate::runtime::fleet::Fleet;
use crate::runtime::post::{Judged, Sorted, judge};
use crate::runtime::wiring::Wiring;
use anyhow::{Context, Result};
use clap::{Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use std::io::Write;
use std::path::PathBuf;

/// What to do with mails.
#[derive(Debug, Subcommand)]
pub enum MailVerb {
    /// Read the mailbox now and take in what clients have answered
    Sync,
    /// The mails with each client of a tenant, or with one: what was sent, what was answered, what must be read
    Thread {
        /// Which tenant
        #[command(flatten)]
        tenant: TenantArg,
        /// Only with this client
        client: Option<String>,
    },
    /// Say what a mail means that the program could not judge
    Decide {
        /// Which tenant
        #[command(flatten)]
        tenant: TenantArg,
        /// The mail's digest, or its first digits
        mail: String,
        /// What it means; without it, the mail is shown
        #[arg(long = "as", value_enum, value_name = "MEANING")]
        meaning: Option<MeaningArg>,
        /// The time that the client proposes, with --as other-time
        #[arg(long, default_value = "")]
        proposal: String,
        /// A note
        #[arg(long, default_value = "")]
        note: String,
        /// Take back what was made of it, or that its sender was accepted
        #[arg(long, requires = "reason", conflicts_with_all = ["meaning", "note", "proposal"])]
        take_back: bool,
        /// Why it is taken back
        #[arg(long, requires = "take_back")]
        reason: Option<String>,
    },
    /// Take a mail from another address as its client's own word
    Accept {
        /// Which tenant
        #[command(flatten)]
        tenant: TenantArg,
        /// The mail's digest, or its first digits
        mail: String,
        /// That address answers for them from now on, not only in this mail
        #[arg(long)]
        alias: bool,
        /// A note
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Addresses that answer for a tenant's clients besides those that were written to: list, add a domain, revoke
    Alias {
        /// Which tenant
        #[command(flatten)]
        tenant: NamedArg,
        /// Whoever was written to at OLD may answer from NEW
        #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with_all = ["revoke", "revoke_domain"])]
        domain: Vec<String>,
        /// An address is a client's no more
        #[arg(long, num_args = 2, value_names = ["CLIENT", "ADDRESS"], requires = "reason", conflicts_with = "revoke_domain")]
        revoke: Vec<String>,
        /// A domain answers for another no more
        #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], requires = "reason")]
        revoke_domain: Vec<String>,
        /// Why it is revoked
        #[arg(long)]
        reason: Option<String>,
        /// A note, with --domain
        #[arg(long, default_value = "")]
        note: String,
    },
    /// The mails in the mailbox that belong to no client
    Strays,
    /// Take a mail off the list of those that belong to no client
    Forget {
        /// The mail's digest
        mail: String,
    },
    /// Send a mail as a tenant's clients would get it to yourself, to see it in your own mail program
    Test {
        /// Which tenant
        #[command(flatten)]
        tenant: TenantArg,
        /// Your address
        #[arg(long, value_name = "ADDRESS")]
        to: String,
        /// Which mail
        #[arg(long, value_enum, default_value = "announcement")]
        kind: KindArg,
    },
    /// Read mails from files and say what each means; changes nothing
    Judge {
        /// Files, one mail each
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Take them as answers of this client, whatever they refer to: TENANT/CLIENT
        #[arg(long, value_name = "TENANT/CLIENT")]
        of: Option<String>,
    },
}

/// What a mail means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MeaningArg {
    /// The window suits them
    Confirmed,
    /// It does not
    Declined,
    /// Perhaps
    Tentative,
    /// Another time: see --proposal
    OtherTime,
    /// They are back
    Back,
    /// They are not back
    NotBack,
    /// It says nothing
    Nothing,
}

/// The tenant and the command of those verbs that are commands of a rotation.
pub fn command(verb: &MailVerb) -> Option<(String, Command)> {
    match verb {
        MailVerb::Decide { tenant, mail, take_back: true, reason, .. } => {
            let (mail, reason) = (mail.to_lowercase(), reason.clone().unwrap_or_default());
            Some((tenant.tenant.clone(), Command::TakeBack { what: Withdrawal::Decision { mail }, reason }))
        }
        MailVerb::Decide { tenant, mail, meaning, proposal, note, .. } => {
            let decision = match (*meaning)? {
                MeaningArg::Confirmed => Decision::Answer(Answer::Confirmed),
                MeaningArg::Declined => Decision::Answer(Answer::Declined),
                MeaningArg::Tentative => Decision::Answer(Answer::Tentative),
                MeaningArg::OtherTime => Decision::Answer(Answer::OtherTime(sanitize(proposal))),
                MeaningArg::Back => Decision::Back,
                MeaningArg::NotBack => Decision::NotBack,
                MeaningArg::Nothing => Decision::Nothing,
            };
            let command = Command::DecideMail { mail: mail.to_lowercase(), decision, note: sanitize(note) };
            Some((tenant.tenant.clone(), command))
        }
        MailVerb::Accept { tenant, mail, alias, note } => {
            let command = Command::AcceptSender { mail: mail.to_lowercase(), alias: *alias, note: sanitize(note) };
            Some((tenant.tenant.clone(), command))
        }
        MailVerb::Alias { tenant, domain, revoke, revoke_domain, reason, note } => {
            let reason = reason.clone().unwrap_or_default();
            let command = match (domain.as_slice(), revoke.as_slice(), revoke_domain.as_slice()) {
                ([from, to], _, _) => {
                    Command::AcceptDomain { from: from.clone(), to: to.clone(), note: sanitize(note) }
                }
                (_, [client, address], _) => {
                    let (client, address) = (ClientId(client.clone()), address.clone());
                    Command::TakeBack { what: Withdrawal::Alias { client, address }, reason }
                }
                (_, _, [from, to]) => {
                    let (from, to) = (from.to_lowercase(), to.to_lowercase());
                    Command::TakeBack { what: Withdrawal::Domain { from, to }, reason }
                }
                _ => return None,
            };
            Some((tenant.tenant.clone(), command))
        }
        _ => None,
    }
}

/// Carries out the others. Gives the exit code.
pub async fn mail(fleet: &Fleet, wiring: &Wiring, verb: MailVerb, json: bool) -> Result<u8> {
    let post = || wiring.post().context("there is no [inbox] in the configuration, so no mailbox is read");
    match verb {
        MailVerb::Sync => {
            let sorted = post()?.sort(fleet).await?;
            let code = if sorted.waiting.is_empty() { exit::DONE } else { exit::FAILED };
            if json {
                print::json(&sorted)?
            } else {
                tell(&sorted)?
            }
            Ok(code)
        }
        MailVerb::Strays => {
            let strays = post()?.strays().await?;
            if json {
                print::json(&strays)?;
            } else {
                let mut out = print::out();
                for stray in &strays {
                    let id = stray.mail.get(..12).unwrap_or(&stray.mail);
                    writeln!(out, "{id}  {}  {}  {}", stray.at.strftime("%m-%d %H:%MZ"), stray.from, stray.subject)?;
                    writeln!(out, "              {} ({})", stray.why, stray.place)?;
                }
            }
            Ok(exit::DONE)
        }
        MailVerb::Forget { mail } => {
            let post = post()?;
            let strays = post.strays().await?;
            let mut meant = strays.iter().filter(|stray| stray.mail.starts_with(&mail));
            let (said, code) = match (meant.next(), meant.next()) {
                (Some(stray), None) if post.forget(&stray.mail).await? => ("off the list", exit::DONE),
                (Some(_), Some(_)) => ("several on the list begin so; write more of it", exit::USAGE),
                _ => ("it was not on the list", exit::USAGE),
            };
            match (json, code) {
                (true, exit::DONE) => print::json(&serde_json::json!({ "ok": true, "done": said }))?,
                (true, code) => print::failure(said, "", code),
                (false, _) => print::line(format_args!("{said}"))?,
            }
            Ok(code)
        }
        MailVerb::Thread { tenant, client } => {
            let conductor = fleet.find(&tenant.tenant)?;
            conductor.reload().await?;
            let status = conductor.status();
            let client = client.map(ClientId);
            if json {
                print::json(&(&status.notices, &status.mails))?
            } else {
                thread(&status, client.as_ref())?
            }
            Ok(exit::DONE)
        }
        MailVerb::Test { tenant, to, kind } => {
            let conductor = fleet.find(&tenant.tenant)?;
            conductor.reload().await?;
            let planned = conductor.rotation().filter(|rotation| rotation.outcome.is_none());
            let window = planned.map_or_else(sample_window, |rotation| rotation.window.clone());
            let kind = notice_kind(kind);
            let (letter, delivery) = wiring.send_sample(conductor.tenant(), kind, &window, &to).await?;
            let sent = matches!(delivery, Delivery::Sent { .. });
            let told = match delivery {
                Delivery::Sent { reply } | Delivery::Failed { reply, .. } | Delivery::Bounced { reply } => reply,
                Delivery::Uncertain { why } => why,
                Delivery::Queued => String::new(),
            };
            if json {
                print::json(&serde_json::json!({ "ok": sent, "subject": letter.subject, "reply": told }))?;
            } else {
                print::line(format_args!("{}: {told}", letter.subject))?;
            }
            Ok(if sent { exit::DONE } else { exit::FAILED })
        }
        MailVerb::Judge { files, of } => {
            let inbox = wiring.config().inbox.as_ref();
            let authserv_id = inbox.and_then(|inbox| inbox.authserv_id.as_deref());
            let of = of.as_deref().map(|of| of.split_once('/').context("--of is TENANT/CLIENT")).transpose()?;
            let mut judged = Vec::new();
            for file in files {
                let raw = std::fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
                judged.push((file.display().to_string(), judge(fleet, &raw, of, authserv_id).await?));
            }
            if json {
                print::json(&judged)?;
            } else {
                let mut out = print::out();
                for (file, Judged { whose, heard, why, .. }) in &judged {
                    let whose = whose.as_deref().unwrap_or("nobody's");
                    let said = heard.as_ref().map_or_else(|| why.clone(), |heard| heard.verdict.to_string());
                    writeln!(out, "{file}: {whose}: {said}")?;
                }
            }
            Ok(exit::DONE)
        }
        MailVerb::Alias { tenant, .. } => {
            let conductor = fleet.find(&tenant.tenant)?;
            conductor.reload().await?;
            let senders = conductor.rotation().map(|rotation| rotation.hearing.senders.clone()).unwrap_or_default();
            if json {
                print::json(&senders)?
            } else {
                aliases(&senders)?
            }
            Ok(exit::DONE)
        }
        MailVerb::Decide { tenant, mail, .. } => {
            let conductor = fleet.find(&tenant.tenant)?;
            conductor.reload().await?;
            let (status, digest) = (conductor.status(), mail.to_lowercase());
            let mut meant = status.mails.iter().filter(|known| known.mail.starts_with(&digest));
            let known = match (meant.next(), meant.next()) {
                (Some(known), None) => known,
                (None, _) => return Err(BadUsage(format!("no mail of {} begins with {mail}", tenant.tenant)).into()),
                _ => return Err(BadUsage(format!("several mails begin with {mail}; write more of it")).into()),
            };
            if json {
                print::json(known)?
            } else {
                thread(&status, Some(&known.client))?
            }
            Ok(if known.is_open() { exit::PERSON } else { exit::DONE })
        }
        // A command of a rotation.
        MailVerb::Accept { .. } => Err(BadUsage("say which mail".into()).into()),
    }
}

/// A window for a mail to oneself where none is planned: tomorrow at this time, an hour.
fn sample_window() -> Window {
    let start = Timestamp::now().saturating_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
    let end = start.saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX);
    Window { start, end, zone: "UTC".into(), revision: 1 }
}

fn tell(sorted: &Sorted) -> std::io::Result<()> {
    let mut out = print::out();
    writeln!(out, "{} new mails", sorted.fetched)?;
    for (tenant, text) in &sorted.taken {
        writeln!(out, "{tenant}: {text}")?;
    }
    if sorted.strays > 0 {
        writeln!(out, "{}: see `changeguard mail strays`", sorted.stray_words())?;
    }
    for (tenant, why) in sorted.unreadable.iter().filter(|(tenant, _)| !sorted.waiting.contains_key(*tenant)) {
        writeln!(out, "{tenant}: its journal can't be read: {why}")?;
    }
    for (tenant, why) in &sorted.waiting {
        writeln!(out, "{tenant}: not taken in yet: {why}")?;
    }
    Ok(())
}

/// Whose addresses answer for whom.
fn aliases(senders: &Senders) -> std::io::Result<()> {
    let mut out = print::out();
    for alias in &senders.aliases {
        let Alias { client, address, by, at, note, .. } = alias;
        writeln!(out, "{address} answers for {client}, by {by} {}{}", at.strftime("%Y-%m-%d %H:%M UTC"), dash(note))?;
    }
    for domain in &senders.domains {
        let DomainAlias { from, to, by, at, note, .. } = domain;
        writeln!(out, "{to} answers for {from}, by {by} {}{}", at.strftime("%Y-%m-%d %H:%M UTC"), dash(note))?;
    }
    Ok(())
}

fn dash(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!(" - {note}") }
}

/// What went to and fro, the oldest first.
fn thread(status: &TenantStatus, only: Option<&ClientId>) -> std::io::Result<()> {
    let mut out = print::out();
    for view in status.clients.iter().filter(|view| only.is_none_or(|only| view.client.id == *only)) {
        writeln!(out, "{} <{}>", view.client.name, view.client.email.as_deref().unwrap_or("no address"))?;
        for line in status.thread(&view.client.id) {
            let at = line.at.strftime("%m-%d %H:%MZ");
            writeln!(out, "  {at} {} {}", if line.from_client { "<-" } else { "->" }, line.text)?;
            for evidence in &line.evidence {
                writeln!(out, "               | {evidence}")?;
            }
            if let Some(mail) = &line.to_decide {
                let (id, tenant) = (mail.get(..12).unwrap_or(mail), &status.tenant.name);
                let is_doubted = status.mails.iter().any(|known| known.mail == *mail && known.doubt.is_some());
                let line = |what| Typed::of(what).word(tenant).word(id);
                let accept = line("mail accept");
                let accept = if is_doubted { format!(", or {accept} [--alias]") } else { String::new() };
                writeln!(out, "               to be read: {}{accept}", line("mail decide").meaning())?;
            }
        }
    }
    Ok(())
}
