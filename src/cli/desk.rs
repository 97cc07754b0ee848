//! The subcommands on a subject that is no tenant, `KIND/NAME`: a verb becomes an order for its desk; progress goes to standard
//! error, the result to standard output, and the end of it into the exit code.
//!
//! Nothing here knows a runbook; how a status looks as text is `text`, what a timer does is `due`.

mod due;
mod text;

use crate::cli::act::BadUsage;
use crate::cli::teller::Teller;
use crate::cli::{Confirmed, Verb, exit, print};
use crate::domain::step::{StepNumber, StepState};
use crate::engine::case::gate::{Fact, Verdict};
use crate::engine::case::machine::{Order, Refusal};
use crate::engine::case::status::Status;
use crate::engine::status::TenantStatus;
use crate::runtime::case::{Desk, RunFault};
use crate::runtime::fence::is_loss;
use crate::runtime::{ending, kinds};
use anyhow::Result;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

pub use text::overview;

/// The subjects that the configuration names besides its tenants.
pub struct Desks(Vec<Arc<dyn Desk>>);

impl Desks {
    /// These.
    pub fn new(desks: Vec<Arc<dyn Desk>>) -> Self {
        Self(desks)
    }

    /// The one that a verb is about, if what was typed is no tenant's name. Errors: it is of a known kind, and there is none.
    pub fn meant(&self, verb: &Verb) -> Result<Option<&dyn Desk>, BadUsage> {
        let Some(typed) = typed(verb) else { return Ok(None) };
        if let Some(desk) = self.0.iter().find(|desk| desk.subject() == typed) {
            return Ok(Some(desk.as_ref()));
        }
        if kinds::of_subject(typed).is_some()
            || matches!(
                verb,
                Verb::Purge { .. } | Verb::Promote(_) | Verb::Distrust(_) | Verb::Settle { .. } | Verb::Pause { .. }
            )
        {
            return Err(BadUsage(format!("there is no subject {typed:?}; {}", self.known())));
        }
        Ok(None)
    }

    /// Which there are.
    pub fn known(&self) -> String {
        let known: Vec<&str> = self.0.iter().map(|desk| desk.subject()).take(20).collect();
        if known.is_empty() { "none is configured".into() } else { format!("known are {}", known.join(", ")) }
    }

    /// What is true of all of them; whoever does not answer keeps nobody from the others.
    pub async fn statuses(&self, offline: bool) -> Result<Vec<Status>> {
        let looks = self.0.iter().map(|desk| async move {
            desk.reload().await?;
            if !offline {
                desk.look().await;
            }
            Ok(desk.status())
        });
        futures_util::future::join_all(looks).await.into_iter().collect()
    }
}

/// Tenants and other subjects in one list, as `status --json` prints it.
pub fn together<'a>(tenants: &'a [TenantStatus], others: &'a [Status]) -> Vec<Subject<'a>> {
    tenants.iter().map(Subject::Tenant).chain(others.iter().map(Subject::Other)).collect()
}

/// One of that list.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Subject<'a> {
    /// A tenant.
    Tenant(&'a TenantStatus),
    /// Another subject, which says so by its `subject`.
    Other(&'a Status),
}

/// The exit code of a look: one that could not look where a gate must know has failed, whatever the journal says.
pub fn seen(statuses: &[Status], offline: bool) -> u8 {
    let is_blind = |status: &Status| status.gates.values().any(|gate| matches!(gate, Verdict::Unknown(_)));
    if !offline && statuses.iter().any(is_blind) { exit::FAILED } else { exit::DONE }
}

/// What was typed for the subject of a verb.
fn typed(verb: &Verb) -> Option<&str> {
    match verb {
        Verb::Status { tenant, .. } => tenant.as_deref(),
        Verb::Plan { tenant, .. } | Verb::Notify { tenant, .. } | Verb::SetAside { tenant, .. } => Some(&tenant.tenant),
        Verb::Finish { tenant, .. } | Verb::Resume(tenant) => Some(&tenant.tenant),
        Verb::Check { tenant, .. } | Verb::Rotate { tenant, .. } | Verb::Purge { tenant, .. } => Some(&tenant.tenant),
        Verb::Promote(stretch) | Verb::Distrust(stretch) => Some(&stretch.tenant),
        Verb::Settle { tenant, .. } => Some(&tenant.tenant),
        Verb::Pause { cluster, .. } => Some(cluster),
        Verb::Approve { tenant, .. } | Verb::Review { tenant, .. } | Verb::Handover { tenant, .. } => {
            Some(&tenant.tenant)
        }
        Verb::Accept(tenant) | Verb::Verify { tenant, .. } | Verb::Resolve { tenant, .. } => Some(&tenant.tenant),
        Verb::Note { tenant, .. } | Verb::Report { tenant, .. } => Some(&tenant.tenant),
        Verb::Emergency { why, .. } | Verb::Takeover { why } | Verb::Recover { why } => Some(&why.tenant),
        Verb::Rollback { why, .. } | Verb::Cancel { why } => Some(&why.tenant),
        _ => None,
    }
}

/// Carries out a verb at a desk. Gives the exit code.
pub async fn act(desk: &dyn Desk, teller: &Teller, verb: Verb, json: bool) -> Result<u8> {
    match verb {
        Verb::Status { offline, .. } => {
            desk.reload().await?;
            if !offline {
                desk.look().await;
            }
            let status = desk.status();
            if json {
                print::json(&status)?;
            } else {
                print::text(&text::status(&status))?;
            }
            Ok(seen(std::slice::from_ref(&status), offline))
        }
        Verb::Rotate { dry_run: true, .. } => foresee(desk, json).await,
        Verb::Rotate { confirm, reference, when_due: true, .. } => {
            named(desk, Some(&confirm.unwrap_or_default()))?;
            due::rotate(desk, teller, &reference, json).await
        }
        Verb::Notify { only, again, preview: true, .. } => preview(desk, &only, again, json).await,
        Verb::Notify { kind: Some(_), .. } => {
            Err(BadUsage(format!("leave --kind away: of {} the mail goes out that is due", desk.subject())).into())
        }
        verb => {
            let order = order(desk, verb)?;
            if let Order::Notify { only, again, .. } = &order {
                whom(desk, only, *again).await;
            }
            run(desk, teller, order, json).await
        }
    }
}

/// What is typed to confirm.
fn name(desk: &dyn Desk) -> &str {
    desk.subject().split_once('/').map_or(desk.subject(), |(_, name)| name)
}

/// The name was typed, where it is given.
fn named(desk: &dyn Desk, confirm: Option<&str>) -> Result<(), BadUsage> {
    match confirm {
        Some(typed) if typed != name(desk) && typed != desk.subject() => {
            Err(BadUsage(format!("{typed:?} is not the name, {}; nothing was done", name(desk))))
        }
        _ => Ok(()),
    }
}

/// The order that a verb is. Errors: there is none, or what it was given does not do.
fn order(desk: &dyn Desk, verb: Verb) -> Result<Order> {
    let begin = |stretch: &str, confirm: String, reference: String| Order::Begin {
        stretch: stretch.to_owned(),
        confirm,
        reference,
    };
    let stretches: Vec<&str> = desk.status().gates.keys().copied().collect();
    let has = |stretch: &str| stretches.contains(&stretch);
    Ok(match verb {
        Verb::Check { only: Some(_), .. } if has("check") => {
            return Err(BadUsage(format!("{} is checked as a whole: leave --only away", desk.subject())).into());
        }
        Verb::Check { .. } if has("check") => begin("check", String::new(), String::new()),
        Verb::Rotate { confirm, reference, .. } => begin("rotate", confirm.unwrap_or_default(), reference),
        Verb::Purge { confirm, .. } if has("purge") => begin("purge", confirm, String::new()),
        Verb::Rollback { why: Confirmed { confirm, reason, .. }, .. } => Order::RollBack { confirm, reason },
        Verb::Takeover { why: Confirmed { confirm, reason, .. } } => Order::TakeOver { confirm, reason },
        Verb::Recover { why: Confirmed { confirm, reason, .. } } => Order::Recover { confirm, reason },
        Verb::Cancel { why: Confirmed { confirm, reason, .. } } => {
            named(desk, Some(&confirm))?;
            Order::Cancel { note: reason }
        }
        Verb::Resume(tenant) => {
            named(desk, tenant.confirm.as_deref())?;
            Order::Resume
        }
        Verb::Resolve { step: Some(step), done, reason, .. } => {
            Order::Resolve { step: StepNumber::try_from(step).map_err(BadUsage)?, done, reason }
        }
        Verb::SetAside { tenant, what, reason } => {
            named(desk, tenant.confirm.as_deref())?;
            Order::SetAside { fact: what, reason }
        }
        Verb::Settle { tenant, who, reason } => {
            named(desk, tenant.confirm.as_deref())?;
            Order::Settle { person: who, reason }
        }
        Verb::Notify { tenant, only, again, .. } => {
            named(desk, tenant.confirm.as_deref())?;
            Order::Notify { confirm: tenant.confirm.unwrap_or_default(), only, again }
        }
        Verb::Pause { reason, .. } => Order::Pause { reason },
        Verb::Promote(stretch) if has("promote") => begin("promote", stretch.confirm, String::new()),
        Verb::Distrust(stretch) if has("distrust") => begin("distrust", stretch.confirm, String::new()),
        Verb::Finish { tenant, .. } if has("finish") => {
            begin("finish", tenant.confirm.unwrap_or_default(), String::new())
        }
        Verb::Note { text, .. } => Order::Note { text },
        _ => {
            let known = format!(
                "status, {}, rollback, resume, resolve, set-aside, settle, notify, pause, takeover, recover, cancel, note and report do",
                stretches.join(", ")
            );
            return Err(BadUsage(format!("this does not go with {}; {known}", desk.subject())).into());
        }
    })
}

/// Prints the mails that would go out now, and sends nothing.
async fn preview(desk: &dyn Desk, only: &[String], again: bool, json: bool) -> Result<u8> {
    desk.reload().await?;
    let letters = desk.previews(only, again).await?;
    if json {
        let told = |letter: &crate::engine::ports::Letter| serde_json::json!({ "to": letter.to, "subject": letter.subject, "text": letter.text });
        print::json(&letters.iter().map(told).collect::<Vec<_>>())?;
        return Ok(exit::DONE);
    }
    if letters.is_empty() {
        print::line(format_args!("nobody needs a mail now"))?;
    }
    for letter in letters {
        print::line(format_args!("To: {}\nSubject: {}\n\n{}\n", letter.to, letter.subject, letter.text))?;
    }
    Ok(exit::DONE)
}

/// Says to whom mails will go, and how many, before they do or the name is missing.
async fn whom(desk: &dyn Desk, only: &[String], again: bool) {
    if desk.reload().await.is_err() {
        return;
    }
    let Ok(letters) = desk.previews(only, again).await else { return };
    let people: Vec<&str> = letters.iter().map(|letter| letter.to.as_str()).collect();
    if let Some(first) = letters.first() {
        let (count, people) = (people.len(), people.join(", "));
        print::say(format_args!("{}: \"{}\" goes to {count}: {people}", desk.subject(), first.subject));
    }
}

/// What an order prints with `--json`.
#[derive(Serialize)]
struct Ended {
    subject: String,
    ok: bool,
    /// Whether a rotation was due, where a timer asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
    /// What keeps the gate shut.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<Fact>,
    /// The exit code.
    exit: u8,
    /// Milliseconds of the whole command.
    duration_ms: u128,
    status: Status,
}

/// Says what a rotation would come to, and whether it might begin. Nothing is changed.
async fn foresee(desk: &dyn Desk, json: bool) -> Result<u8> {
    let began = Instant::now();
    desk.reload().await?;
    desk.look().await;
    let status = desk.status();
    let verb = "rotate".to_owned();
    let result = match status.gates.get("rotate") {
        _ if !matches!(status.phase, "idle" | "open") => {
            Err(Refusal::NotNow(format!("a case of {} is under way: {}", status.subject, status.next.text)).into())
        }
        Some(gate) if !gate.is_open() => Err(Refusal::Shut { verb, gate: gate.clone() }.into()),
        _ => Ok(format!("nothing was changed; to rotate: {}", status.foreseen.join("; "))),
    };
    let ended = ended(status, result, began, None);
    tell(&ended, json)?;
    Ok(ended.exit)
}

async fn run(desk: &dyn Desk, teller: &Teller, order: Order, json: bool) -> Result<u8> {
    let began = Instant::now();
    let result = desk.run(order).await;
    teller.end();
    // What is printed as true must have been looked at.
    if !ending::is_asked() {
        desk.look_again().await;
    }
    let ended = ended(desk.status(), result, began, None);
    tell(&ended, json)?;
    Ok(ended.exit)
}

fn ended(status: Status, result: Result<String, RunFault>, began: Instant, due: Option<bool>) -> Ended {
    let exit = result.as_ref().err().map_or(exit::DONE, |fault| exit_code(fault, &status));
    let reasons = match &result {
        Err(RunFault::Refused(Refusal::Shut { gate, .. })) => gate.reasons().to_vec(),
        _ => Vec::new(),
    };
    let advice = result.as_ref().err().and_then(advice).filter(|advice| !advice.is_empty());
    let (error, ok) = (result.as_ref().err().map(ToString::to_string), result.is_ok());
    let (subject, duration_ms) = (status.subject.clone(), began.elapsed().as_millis());
    Ended { subject, ok, due, done: result.ok(), error, advice, reasons, exit, duration_ms, status }
}

fn tell(ended: &Ended, json: bool) -> Result<()> {
    let subject = &ended.subject;
    if let Some(error) = &ended.error {
        print::say(format_args!("{subject}: {error}"));
    }
    if let Some(advice) = &ended.advice
        && !ended.status.next.text.contains(advice.as_str())
    {
        print::say(format_args!("{subject}: {advice}"));
    }
    if json {
        return print::json(ended);
    }
    let Some(done) = &ended.done else {
        for line in text::next(&ended.status) {
            print::say(format_args!("{subject}: {line}"));
        }
        return Ok(());
    };
    print::line(format_args!("{subject}: {done}"))?;
    for item in &ended.status.attention {
        print::line(format_args!("{subject}: attention: {item}"))?;
    }
    for line in text::next(&ended.status) {
        print::line(format_args!("{subject}: {line}"))?;
    }
    Ok(())
}

fn advice(fault: &RunFault) -> Option<String> {
    match fault {
        RunFault::Fault(fault) => Some(fault.advice().to_owned()),
        RunFault::Refused(Refusal::Shut { gate, .. }) => gate.reasons().first().map(|fact| fact.remedy.clone()),
        RunFault::Refused(_) => None,
        RunFault::Held(_) => Some("watch with `changeguard status`, or talk to them".into()),
    }
}

/// The exit code of an order that did not end well.
fn exit_code(fault: &RunFault, status: &Status) -> u8 {
    match fault {
        RunFault::Refused(Refusal::Shut { .. }) => exit::SHUT,
        RunFault::Held(_) => exit::HELD,
        RunFault::Refused(Refusal::BadInput(_)) => exit::USAGE,
        RunFault::Refused(Refusal::JournalLost(_)) => exit::PERSON,
        // What no probe could tell stays interrupted: a person resolves it.
        RunFault::Fault(fault) if !is_loss(fault) && !ending::is_asked() && is_unclear(status) => exit::PERSON,
        RunFault::Refused(Refusal::NotNow(_)) | RunFault::Fault(_) => exit::FAILED,
    }
}

fn is_unclear(status: &Status) -> bool {
    status.phase != "idle" && status.steps.iter().any(|step| matches!(step.state, StepState::Interrupted { .. }))
}
