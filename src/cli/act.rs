//! Acting without a screen: a subcommand becomes a command of the engine; the result goes to standard output, and the end of it
//! into the exit code. Progress is `teller`'s.

use crate::cli::desk::{self, Desks};
use crate::cli::teller::Teller;
use crate::cli::{CauseArg, Confirmed, KindArg, Verb, approve, consent, exit, mail, print};
use crate::domain::client::ClientId;
use crate::domain::gate::Reason;
use crate::domain::notice::NoticeKind;
use crate::domain::preflight::{Check, CheckState, Preflight};
use crate::domain::step::StepNumber;
use crate::domain::typed::PROGRAM;
use crate::domain::window::Window;
use crate::engine::command::{Command, Refusal};
use crate::engine::machine::SendOrder;
use crate::engine::ports::Letter;
use crate::engine::record::{self, Cause, Entry, Record};
use crate::engine::status::TenantStatus;
use crate::engine::truth::Truth;
use crate::runtime::conductor::Conductor;
use crate::runtime::ending;
use crate::runtime::fleet::{Fleet, Pace};
use crate::runtime::run::RunError;
use crate::runtime::wiring::Wiring;
use anyhow::{Context, Result, anyhow};
use jiff::Timestamp;
use serde::Serialize;
use std::time::Instant;

/// What an act prints with `--json`.
#[derive(Serialize)]
struct Ended {
    tenant: String,
    /// What is true of the live secret, where that comes before everything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    truth: Option<Truth>,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
    /// Who or what keeps the gate shut.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<Reason>,
    /// Milliseconds from the sending of DELETE to the answer of POST.
    #[serde(skip_serializing_if = "Option::is_none")]
    gap_ms: Option<f64>,
    /// Milliseconds of the whole command.
    duration_ms: u128,
    status: TenantStatus,
}

/// Carries out what the command line asks of the fleet. Gives the exit code.
pub async fn act(fleet: &Fleet, desks: &Desks, wiring: &Wiring, teller: &Teller, verb: Verb, json: bool) -> Result<u8> {
    if let Some(desk) = desks.meant(&verb)? {
        return desk::act(desk, teller, verb, json).await;
    }
    if let Some(why) = wiring.config().no_tenants().filter(|_| !matches!(verb, Verb::Status { tenant: None, .. })) {
        return Err(BadUsage(format!("{why}; {}", desks.known())).into());
    }
    match verb {
        Verb::Mail { verb } if mail::command(&verb).is_none() => mail::mail(fleet, wiring, verb, json).await,
        Verb::Status { tenant: None, offline } => {
            if offline {
                fleet.read_all().await?;
            } else {
                fleet.look_at_all(Pace::ONCE).await?;
            }
            let statuses: Vec<TenantStatus> = fleet.conductors().iter().map(|conductor| conductor.status()).collect();
            let others = desks.statuses(offline).await?;
            match json {
                true => print::json(&desk::together(&statuses, &others))?,
                false if statuses.is_empty() && !others.is_empty() => print::text(&desk::overview(&others))?,
                false => {
                    print::fleet(&statuses)?;
                    print::text(&desk::overview(&others))?;
                }
            }
            Ok(seen(&statuses).max(desk::seen(&others, offline)))
        }
        Verb::Status { tenant: Some(tenant), offline } => {
            let conductor = fleet.find(&tenant)?;
            conductor.reload().await?;
            if !offline {
                conductor.look().await;
            }
            let status = conductor.status();
            if json {
                print::json(&status)?
            } else {
                print::tenant(&status)?
            }
            Ok(seen(std::slice::from_ref(&status)))
        }
        Verb::Notify { tenant, kind, only, again, preview: true } => {
            let conductor = fleet.find(&tenant.tenant)?;
            conductor.reload().await?;
            let only = (!only.is_empty()).then(|| only.into_iter().map(ClientId).collect());
            let letters = conductor.previews(&SendOrder { kind: notice_kind(given(kind)?), only, again })?;
            if json {
                let told = |(client, letter): &(ClientId, Letter)| serde_json::json!({ "client": client, "to": letter.to, "subject": letter.subject, "text": letter.text });
                print::json(&letters.iter().map(told).collect::<Vec<_>>())?;
                return Ok(exit::DONE);
            }
            if letters.is_empty() {
                print::line(format_args!("nobody needs this mail now"))?;
            }
            for (_, letter) in letters {
                print::line(format_args!("To: {}\nSubject: {}\n\n{}\n", letter.to, letter.subject, letter.text))?;
            }
            Ok(exit::DONE)
        }
        Verb::Check { tenant, only } => {
            let conductor = fleet.find(&tenant.tenant)?;
            conductor.reload().await?;
            if conductor.rotation().is_some_and(|rotation| rotation.outcome.is_none()) {
                let command = only.map_or(Command::Check, |check| Command::Recheck { check });
                return run(conductor, teller, command, json).await;
            }
            survey(conductor, only.as_deref(), json).await
        }
        Verb::Approve { tenant, text: true, .. } => {
            let conductor = fleet.find(&tenant.tenant)?;
            conductor.reload().await?;
            approve::text(conductor, json)
        }
        Verb::Approve { tenant, digest: None, .. } => {
            let conductor = fleet.find(&tenant.tenant)?;
            conductor.reload().await?;
            let status = conductor.status();
            if json {
                print::json(&status)?
            } else {
                print::plan(&status)?
            }
            Ok(exit::PERSON)
        }
        verb => {
            let confirm = confirm(&verb);
            let (tenant, command) = command(verb)?;
            let conductor = fleet.find(&tenant)?;
            // What is at stake follows from the journal; one that can't be read is met by the command.
            let _ = conductor.reload().await;
            consent::looked(conductor, &command).await;
            for line in consent::said_first(&command, &conductor.status()) {
                print::say(format_args!("{}: {line}", conductor.tenant().name));
            }
            consent::given(conductor, &command, confirm).await?;
            run(conductor, teller, command, json).await
        }
    }
}

/// A look that has seen nothing of a tenant has failed, whatever the journal says.
fn seen(statuses: &[TenantStatus]) -> u8 {
    if statuses.iter().any(TenantStatus::is_unseen) { exit::FAILED } else { exit::DONE }
}

async fn run(conductor: &Conductor, teller: &Teller, command: Command, json: bool) -> Result<u8> {
    let (began, began_at) = (Instant::now(), Timestamp::now());
    let checks = matches!(command, Command::Check | Command::Recheck { .. });
    let plans = matches!(command, Command::Plan { .. } | Command::Reschedule { .. });
    let only = if let Command::Recheck { check } = &command { Some(check.clone()) } else { None };
    let result = conductor.run(command).await;
    teller.end();
    let duration_ms = began.elapsed().as_millis();
    // What is printed as true must have been looked at; the act itself need not have.
    if !ending::is_asked() {
        conductor.look().await;
    }
    let status = conductor.status();
    let gap = |entry: &Entry| match entry.record {
        Record::Swapped(record::Swapped { gap_us: Some(us), .. }) if entry.at >= began_at => Some(us as f64 / 1000.0),
        _ => None,
    };
    let gap_ms = conductor.entries().iter().rev().find_map(gap);
    let reasons = match &result {
        Err(RunError::Refused(Refusal::GateShut(reasons))) => reasons.clone(),
        _ => Vec::new(),
    };
    let tenant = conductor.tenant().name.clone();
    // What is true of the subject comes before what is true of this attempt.
    let leading = status.leading();
    for text in &leading {
        print::say(format_args!("{tenant}: {text}"));
    }
    let found =
        conductor.entries().into_iter().rev().filter(|entry| entry.at >= began_at).find_map(|entry| {
            if let Record::Checked { preflight } = entry.record { Some(preflight.checks) } else { None }
        });
    let row = only.and_then(|only| found.as_ref()?.iter().find(|check| check.name == only));
    // Who has asked for one check is answered by that one.
    let result = match (result, row) {
        (Err(RunError::Fault(_)), Some(row)) if row.state != CheckState::Fail => {
            Ok(format!("{} {}", row.state.word(), row.in_full()))
        }
        (result, _) => result,
    };
    let code = result.as_ref().err().map_or(exit::DONE, exit_code);
    match &found {
        Some(_) if checks && !json && row.is_some() => print::one_check(row, &status)?,
        Some(found) if checks && !json => print::checks(found)?,
        // What has failed is in the refusal.
        found => {
            let of = |state| found.iter().flatten().filter(move |check: &&Check| check.state == state);
            for check in of(CheckState::Warn) {
                print::say(format_args!("{tenant}: {} {}", check.state.word(), check.in_full()));
            }
            // They are the same each time, and `check` says why.
            let unknown: Vec<&str> = of(CheckState::Unknown).map(|check| check.name.as_str()).collect();
            if !unknown.is_empty() {
                print::say(format_args!("{tenant}: no check can tell before it is done: {}", unknown.join(", ")));
            }
        }
    }
    if plans && result.is_ok() {
        let doubts = status.window.as_ref().map(|window| window.doubts(began_at, status.rotation_takes()));
        for line in doubts.unwrap_or_default().into_iter().chain(consent::breaks(&status)) {
            print::say(format_args!("{tenant}: {line}"));
        }
    }
    if let Err(error) = &result {
        // What has led already is not said twice.
        let said = error.to_string();
        let rest = leading.iter().find_map(|text| said.strip_prefix(text.as_str())?.strip_prefix("; "));
        print::say(format_args!("{tenant}: {}", rest.unwrap_or(&said)));
        // An advice is given once: where the next action says the same, it is said there.
        let advice = error.advice();
        if !advice.is_empty() && !status.next.text.contains(advice.as_str()) {
            print::say(format_args!("{tenant}: {advice}"));
        }
    }
    // A refusal that names its own way out is not followed by another.
    let names_way = result.as_ref().is_err_and(|error| error.to_string().contains(&format!("{PROGRAM} ")));
    if result.is_err() && !names_way {
        print::say(format_args!("{tenant}: next: {}", status.next.text));
        for line in print::to_run(&status) {
            print::say(format_args!("{tenant}: run: {line}"));
        }
    }
    if json {
        let (ok, advice) = (result.is_ok(), result.as_ref().err().map(RunError::advice));
        let error = result.as_ref().err().map(ToString::to_string);
        let truth = status.truth.clone();
        print::json(&Ended {
            tenant,
            truth,
            ok,
            done: result.ok(),
            error,
            advice,
            reasons,
            gap_ms,
            duration_ms,
            status,
        })?;
    } else if let Ok(done) = result {
        print::line(format_args!("{tenant}: {done}"))?;
        if let Some(gap) = gap_ms {
            let above = if status.long_gap().is_some() { " ABOVE NORMAL (under 1 s)" } else { "" };
            print::line(format_args!("{tenant}: gap_ms {gap:.1}{above}, duration_ms {duration_ms}"))?;
        }
        for item in status.attention.iter().skip(leading.len()).filter(|item| !status.next.text.contains(item.as_str()))
        {
            print::line(format_args!("{tenant}: attention: {item}"))?;
        }
        print::line(format_args!("{tenant}: next: {}", status.next.text))?;
        for line in print::to_run(&status) {
            print::line(format_args!("{tenant}: run: {line}"))?;
        }
    }
    Ok(code)
}

/// What the checks of step 2 find before there is a rotation in which it could be recorded.
async fn survey(conductor: &Conductor, only: Option<&str>, json: bool) -> Result<u8> {
    let (survey, tenant) = (conductor.survey(only).await?, conductor.tenant().name.clone());
    if survey.checks.is_empty() {
        let name = only.unwrap_or_default();
        return Err(BadUsage(format!("{name:?} is not a check, or there is nothing to check by it here")).into());
    }
    let preflight = survey.preflight();
    let ok = preflight.is_green();
    if json {
        print::json(&Surveyed { tenant, ok, preflight })?;
    } else {
        print::checks(&preflight.checks)?;
        print::line(format_args!(
            "{tenant}: no rotation is planned, so nothing of it is recorded; rotate checks again"
        ))?;
    }
    Ok(if ok { exit::DONE } else { exit::FAILED })
}

/// What a check before the plan prints with `--json`.
#[derive(Serialize)]
struct Surveyed {
    tenant: String,
    ok: bool,
    preflight: Preflight,
}

/// The exit code of an error.
pub fn exit_code(error: &RunError) -> u8 {
    match error {
        RunError::Refused(Refusal::GateShut(_) | Refusal::NotBack(_)) => exit::SHUT,
        RunError::Refused(Refusal::Held(_)) => exit::HELD,
        RunError::Refused(Refusal::NeedsPerson(_) | Refusal::JournalLost(_)) => exit::PERSON,
        RunError::Refused(Refusal::BadInput(_)) => exit::USAGE,
        RunError::Refused(Refusal::NotNow(_)) | RunError::Fault(_) => exit::FAILED,
    }
}

/// Which mail a tenant's clients get is said by name.
fn given(kind: Option<KindArg>) -> Result<KindArg, BadUsage> {
    kind.ok_or_else(|| {
        BadUsage("say which mail: --kind announcement, reminder, reconfigure, are-you-back or all-clear".into())
    })
}

/// The kind of a word on the command line.
pub(super) fn notice_kind(kind: KindArg) -> NoticeKind {
    match kind {
        KindArg::Announcement => NoticeKind::Announcement,
        KindArg::Reminder => NoticeKind::Reminder,
        KindArg::Reconfigure => NoticeKind::Reconfigure,
        KindArg::AreYouBack => NoticeKind::AreYouBack,
        KindArg::AllClear => NoticeKind::AllClear,
    }
}

/// The tenant's name once more, as typed.
fn confirm(verb: &Verb) -> Option<String> {
    match verb {
        Verb::Plan { tenant, .. }
        | Verb::Notify { tenant, .. }
        | Verb::SetAside { tenant, .. }
        | Verb::Finish { tenant, .. }
        | Verb::Resume(tenant) => tenant.confirm.clone(),
        Verb::Waive(waive) => waive.tenant.confirm.clone(),
        Verb::Mail { verb: mail::MailVerb::Alias { tenant, .. } } => tenant.confirm.clone(),
        _ => None,
    }
}

fn command(verb: Verb) -> Result<(String, Command)> {
    Ok(match verb {
        Verb::Plan { tenant, start, length, zone, cause, reference, change } => {
            let window = Window::parse(&start, &length, &zone, 1).map_err(|bad| BadUsage(bad.to_string()))?;
            let cause = match cause {
                CauseArg::Scheduled => Cause::Scheduled,
                CauseArg::Compromise => Cause::Compromise,
            };
            let reference = crate::domain::sanitize::sanitize(&reference);
            let command =
                if change { Command::Reschedule { window } } else { Command::Plan { window, cause, reference } };
            (tenant.tenant, command)
        }
        Verb::Notify { tenant, kind, only, again, .. } => {
            let only = (!only.is_empty()).then(|| only.into_iter().map(ClientId).collect());
            (tenant.tenant, Command::Notify { kind: notice_kind(given(kind)?), only, again })
        }
        Verb::Ack(verb) => verb.command()?,
        Verb::Waive(verb) => verb.command()?,
        Verb::SetAside { tenant, what, reason } => (tenant.tenant, Command::SetAside { what, reason }),
        Verb::Rotate { when_due, dry_run, tenant, .. } if when_due || dry_run => {
            let option = if when_due { "--when-due" } else { "--dry-run" };
            let text = format!("{option} is for a Keystone cluster; plan and check a rotation of {}", tenant.tenant);
            return Err(BadUsage(text).into());
        }
        Verb::Rotate { tenant, confirm, through_tunnel, .. } => {
            (tenant.tenant, Command::Rotate { confirm: confirm.unwrap_or_default(), through_tunnel })
        }
        Verb::Emergency { why: Confirmed { tenant, confirm, reason }, through_tunnel } => {
            (tenant, Command::Emergency { confirm, reason, through_tunnel })
        }
        Verb::Approve { tenant, digest, note, signature, until, .. } => {
            (tenant.tenant, approve::command(digest.unwrap_or_default(), note, signature.zip(until))?)
        }
        Verb::Review { tenant, note } => (tenant.tenant, Command::CloseReview { note }),
        Verb::Takeover { why: Confirmed { tenant, confirm, reason } } => {
            (tenant, Command::TakeOver { confirm, reason })
        }
        Verb::Recover { why: Confirmed { tenant, confirm, reason } } => (tenant, Command::Recover { confirm, reason }),
        Verb::Handover { tenant, note, to } => (tenant.tenant, Command::HandOver { to, note }),
        Verb::Accept(tenant) => (tenant.tenant, Command::AcceptHandOver),
        Verb::Resume(tenant) => (tenant.tenant, Command::Resume),
        Verb::Verify { tenant, back: Some(client), note, .. } => {
            let note = crate::domain::sanitize::sanitize(&note);
            (tenant.tenant, Command::Back { client: ClientId(client), note })
        }
        Verb::Verify { tenant, ping: Some(client), unanswered, note, .. } => {
            let (client, note) = (ClientId(client), crate::domain::sanitize::sanitize(&note));
            (tenant.tenant, Command::GatewayPing { client, answered: !unanswered, note })
        }
        Verb::Verify { tenant, .. } => (tenant.tenant, Command::Verify),
        Verb::Finish { tenant, note, reason } => {
            let (note, despite) = (crate::domain::sanitize::sanitize(&note), reason);
            (tenant.tenant, Command::Finish { note, despite })
        }
        Verb::Rollback { why: Confirmed { tenant, confirm, reason }, through_tunnel } => {
            (tenant, Command::RollBack { confirm, reason, through_tunnel })
        }
        Verb::Cancel { why: Confirmed { tenant, confirm, reason } } => (tenant, Command::Cancel { confirm, reason }),
        Verb::Mail { verb } => mail::command(&verb).ok_or_else(|| anyhow!("not a command for a tenant"))?,
        Verb::Resolve { tenant, step, mail, done, reason } => {
            let command = match (step, mail) {
                (Some(step), _) => {
                    let step = StepNumber::try_from(step).map_err(BadUsage)?;
                    Command::ResolveStep { step, done, reason }
                }
                (None, Some(message_id)) => Command::ResolveNotice { message_id, arrived: done, reason },
                (None, None) => return Err(BadUsage("give --step or --mail".into()).into()),
            };
            (tenant.tenant, command)
        }
        Verb::Note { tenant, text } => (tenant.tenant, Command::Note { text }),
        _ => return Err(anyhow!("not a command for a tenant")).context("changeguard"),
    })
}

/// What was typed is wrong (exit code 2).
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadUsage(pub String);
