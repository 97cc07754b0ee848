//! The form of rotate: the gate's checklist with names, what breaks for whom, and the tenant's name to type.

use crate::app::availability::everybody;
use crate::app::dialog::{FormDialog, Mark, Purpose, Row, accountable};
use crate::domain::gate::{Reason, Verdict};
use crate::domain::preflight::CheckState;
use crate::domain::window::WindowState;
use crate::engine::command::Command;
use crate::engine::status::{Standing, TenantStatus};
use crate::engine::truth::Live;
use jiff::Timestamp;

/// The form.
pub fn open(status: &TenantStatus) -> FormDialog {
    FormDialog::new(status, Purpose::Rotate, accountable::tunnel_field(status).into_iter().collect())
}

/// Reasons that rotate can't take away itself. A missing or old check is none: it runs a fresh one before anything else.
pub fn obstacles(verdict: &Verdict) -> impl Iterator<Item = &Reason> {
    verdict.reasons().iter().filter(|reason| !matches!(reason, Reason::NotChecked | Reason::CheckTooOld { .. }))
}

/// Whom it cuts off.
pub fn stakes(status: &TenantStatus) -> Vec<Row> {
    let all: Vec<&str> = status.clients.iter().map(|view| view.client.name.as_str()).collect();
    let whom = match all.as_slice() {
        [] => status.all_clients(),
        [one] => format!("1 client{}: {one}", status.people_as_of()),
        more => format!("{} clients{}: {}", more.len(), status.people_as_of(), everybody(more)),
    };
    vec![Row::new(Mark::Bad, format!("cuts off {whom}"))]
}

/// The checklist and the consequences.
pub fn explain(status: &TenantStatus, now: Timestamp) -> Vec<Row> {
    let mut rows = Vec::new();
    let open = obstacles(&status.gate).next().is_none();
    let mark = if matches!(status.gate, Verdict::Unknown(_)) { Mark::Unknown } else { Mark::Bad };
    if open {
        let is_checked = status.gate.reasons().is_empty();
        let text = match is_checked {
            true => "the gate is open as last seen; it is asked again with a fresh look",
            false => "nothing but the check is open as last seen: it is run first",
        };
        rows.push(Row::new(Mark::Good, text));
    } else {
        let count = obstacles(&status.gate).count();
        rows.push(Row::new(mark, format!("the gate is SHUT for {count} reasons")));
    }
    rows.push(Row::new(Mark::Heading, "Gate"));
    rows.extend(people(status));
    rows.extend(window(status, now));
    rows.extend(checks(status));
    for reason in obstacles(&status.gate) {
        if matches!(
            reason,
            Reason::HeldByOther { .. } | Reason::PeopleUnknown { .. } | Reason::NotPlanned | Reason::NotApproved { .. }
        ) {
            rows.push(Row::new(Mark::Bad, reason.to_string()));
        }
    }
    rows.extend(accountable::explain_own_route(status));
    rows.push(Row::new(Mark::Heading, "What breaks, for whom, for how long"));
    rows.extend(consequences(status));
    rows
}

fn people(status: &TenantStatus) -> Vec<Row> {
    let count = |standing| status.clients.iter().filter(|view| view.standing == standing).count();
    let (confirmed, waived) = (count(Standing::Confirmed), count(Standing::Waived));
    let all = confirmed + waived == status.clients.len() && status.people_seen.is_some();
    let mark = if all { Mark::Good } else { Mark::Bad };
    let text = match status.people_seen {
        Some(_) => {
            format!("{confirmed} of {} confirmed, {waived} waived{}", status.clients.len(), status.people_as_of())
        }
        None => status.settled(""),
    };
    let mut rows = vec![Row::new(mark, text)];
    let named = status.gate.reasons().iter().filter(|reason| reason.client().is_some());
    rows.extend(named.map(|reason| Row::new(Mark::Bad, reason.to_string())));
    let excepted = status.clients.iter().filter(|view| view.standing == Standing::Waived);
    rows.extend(
        excepted.map(|view| Row::new(Mark::Warn, format!("{} is waived: {}", view.client.name, view.standing_detail))),
    );
    rows
}

fn window(status: &TenantStatus, now: Timestamp) -> Option<Row> {
    let window = status.window.as_ref()?;
    let (mark, word) = match window.state(now) {
        WindowState::Before => (Mark::Bad, "not open yet"),
        WindowState::Open => (Mark::Good, "open"),
        WindowState::After => (Mark::Bad, "over"),
    };
    Some(Row::new(mark, format!("the window is {word}: {}", window.for_people())))
}

fn checks(status: &TenantStatus) -> Vec<Row> {
    let Some(run) = &status.preflight else {
        return vec![Row::new(Mark::Unknown, "the check has not run; rotate runs it first")];
    };
    let head = Row::new(
        if run.is_green() { Mark::Good } else { Mark::Bad },
        format!("the check of {}; rotate runs a fresh one first", run.at.strftime("%H:%M:%S UTC")),
    );
    let remarkable = run.checks.iter().filter(|check| check.state != CheckState::Pass).map(|check| {
        let mark = match check.state {
            CheckState::Pass => Mark::Good,
            CheckState::Warn => Mark::Warn,
            CheckState::Fail => Mark::Bad,
            CheckState::Unknown => Mark::Unknown,
        };
        let advice = if check.advice.is_empty() { String::new() } else { format!("; {}", check.advice) };
        Row::new(mark, format!("{} {}: {}{advice}", check.state.word(), check.name, check.finding))
    });
    std::iter::once(head).chain(remarkable).collect()
}

/// How long two cycles last by the configured interval.
fn two_cycles(interval_ms: u64) -> String {
    match (2 * interval_ms).div_ceil(1000) {
        seconds @ ..120 => format!("about {seconds} s"),
        seconds => format!("about {} minutes", seconds.div_ceil(60)),
    }
}

/// What breaks, for whom, for how long.
pub fn consequences(status: &TenantStatus) -> Vec<Row> {
    let whom = status.all_clients();
    let (first, second) = if status.store_first { ("POST", "DELETE") } else { ("DELETE", "POST") };
    let loses = if whom.starts_with("the ") || whom.starts_with("1 ") { "loses" } else { "lose" };
    let first_of_all = match status.cut_off_already() {
        Some(already) => format!(
            "There is no transparent rotation, and {already}: {whom} ({}) are back only when each has downloaded and \
             re-imported their configuration.",
            status.live_sessions()
        ),
        None => format!(
            "There is no transparent rotation: {whom} ({}) {loses} the VPN when the server takes the key, and each stays cut \
             off until they have downloaded and re-imported their configuration.",
            status.live_sessions()
        ),
    };
    let is_missing = status.truth.as_ref().is_some_and(|truth| truth.live == Live::Missing);
    vec![
        Row::new(Mark::Warn, first_of_all),
        Row::new(
            Mark::Plain,
            format!(
                "Sessions end within two reconcile cycles ({}); step 7 then tells everybody.",
                two_cycles(status.reconcile_interval_ms)
            ),
        ),
        Row::new(
            Mark::Plain,
            match status.store_first {
                _ if is_missing => {
                    "No secret has the name now, and none will before the POST is answered: a server that asks meanwhile finds \
                     none."
                }
                true => {
                    "Between POST and DELETE two secrets have the name (under a second as a rule; measured and journaled): \
                     the server may take either meanwhile, and none is missing."
                }
                false => {
                    "Between DELETE and POST no secret has the name (under a second as a rule; measured and journaled). A \
                     Barbican fetch alert in that time is expected."
                }
            },
        ),
        Row::new(
            Mark::Plain,
            format!(
                "Once {first} is sent, nothing but kill -9 stops the program before {second} is answered; that takes {} s \
                 at most.",
                status.pair_bound_ms.div_ceil(1000)
            ),
        ),
    ]
}

/// The command, once the name is typed and nothing but the check is open.
pub fn command(form: &FormDialog, status: &TenantStatus) -> Result<Command, String> {
    let mut reasons = obstacles(&status.gate);
    if let Some(first) = reasons.next() {
        let more = match reasons.count() {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        return Err(format!("the gate is shut: {first}{more}"));
    }
    let through_tunnel = accountable::through_tunnel(form, 0, status)?;
    Ok(Command::Rotate { confirm: form.confirmation.typed().to_owned(), through_tunnel })
}
