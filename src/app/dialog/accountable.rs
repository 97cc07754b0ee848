//! The forms in which operators answer to each other: approve, hand over and accept, take over, emergency and its review.

use crate::app::dialog::form::required;
use crate::app::dialog::rotate::consequences;
use crate::app::dialog::{FormDialog, Mark, Purpose, Row};
use crate::app::field::Field;
use crate::domain::preflight::CheckState;
use crate::engine::approval::TYPED_BY;
use crate::engine::command::Command;
use crate::engine::status::{Standing, TenantStatus};
use jiff::Timestamp;

/// The field for those who would cut off their own session.
pub fn tunnel_field(status: &TenantStatus) -> Option<Field> {
    status
        .own_route
        .as_ref()
        .map(|_| Field::text("the name once more", "", "your own session runs through this tunnel"))
}

/// What was typed there, if it was asked.
pub fn through_tunnel(form: &FormDialog, at: usize, status: &TenantStatus) -> Result<String, String> {
    let (name, typed) = (&status.tenant.name, form.value(at));
    match &status.own_route {
        None => Ok(String::new()),
        Some(_) if typed == name => Ok(typed.to_owned()),
        Some(_) => Err(format!("this cuts off your own session: type the name once more above: {name}")),
    }
}

/// The warning for those.
pub fn explain_own_route(status: &TenantStatus) -> Option<Row> {
    let route = status.own_route.as_ref()?;
    Some(Row::new(Mark::Bad, format!("{route}: when the key changes you lose this session; have another way in")))
}

/// The form of the approval.
pub fn open_approve(status: &TenantStatus) -> FormDialog {
    let fields = vec![Field::text("note", "", "optional")];
    // The digest is the one that is on the screen now: if the plan changes while this is read, the approval is refused.
    FormDialog { bound_to: status.plan_digest.clone(), ..FormDialog::new(status, Purpose::Approve, fields) }
}

/// The whole plan.
pub fn explain_approve(status: &TenantStatus, now: Timestamp) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(window) = &status.window {
        rows.push(Row::new(Mark::Plain, format!("window {}, revision {}", window.for_people(), window.revision)));
    }
    let waived: Vec<_> = status.clients.iter().filter(|view| view.standing == Standing::Waived).collect();
    rows.push(Row::new(Mark::Plain, status.settled(" clients")));
    rows.extend(
        waived
            .iter()
            .map(|view| Row::new(Mark::Warn, format!("waived: {} ({})", view.client.name, view.standing_detail))),
    );
    if let Some(run) = &status.preflight {
        let failed = run.checks.iter().filter(|check| check.state == CheckState::Fail);
        rows.extend(failed.map(|check| Row::new(Mark::Bad, format!("check {}: {}", check.name, check.finding))));
        let key = run.keys.interface.or(run.keys.secret).map_or_else(|| "unknown".into(), |key| key.to_string());
        rows.push(Row::new(Mark::Plain, format!("key to be replaced: {key}")));
    }
    // Who is cut off stands in the table of clients; what an operator typed stands nowhere else as a whole.
    let typed = status.plan_covers.iter().filter(|line| line.starts_with(TYPED_BY));
    rows.extend(typed.map(|line| Row::new(Mark::Warn, line.clone())));
    if let Some(by) = &status.four_eyes {
        rows.push(Row::new(Mark::Warn, format!("four eyes rest on {by}")));
    }
    if let Some(digest) = &status.plan_digest {
        rows.push(Row::new(Mark::Plain, format!("digest of this plan: {}", digest.get(..16).unwrap_or(digest))));
    }
    let by = status.approval.as_ref().map(|approval| match &approval.signer {
        Some(signer) => &signer.person,
        None => &approval.person,
    });
    let by = by.map(String::as_str).unwrap_or_default();
    match &status.approval {
        Some(approval) if Some(&approval.digest) == status.plan_digest.as_ref() && now < approval.expires => {
            let until = approval.expires.strftime("%H:%M UTC");
            rows.push(Row::new(Mark::Good, format!("approved by {by} until {until}")));
        }
        Some(_) => rows.push(Row::new(Mark::Warn, format!("the approval of {by} does not count any more"))),
        None => {}
    }
    rows.push(Row::new(Mark::Plain, "The approval counts for this plan only; whoever approves can't rotate."));
    rows
}

/// The approval.
pub fn approve(form: &FormDialog, status: &TenantStatus) -> Result<Command, String> {
    if form.bound_to != status.plan_digest {
        return Err("the plan has changed while you read it: Esc, and read it again".into());
    }
    let digest = form.bound_to.clone().ok_or("check first: the approval is bound to the key that the check sees")?;
    Ok(Command::Approve { digest, note: form.value(0).to_owned() })
}

/// The form of the hand-over, or of accepting one.
pub fn open_hand_over(status: &TenantStatus, person: &str) -> FormDialog {
    let unread =
        |hand_over: &&crate::engine::rotation::HandOver| hand_over.accepted.is_none() && hand_over.person != person;
    if status.hand_over.as_ref().filter(unread).is_some() {
        return FormDialog::new(status, Purpose::Accept, Vec::new());
    }
    let fields = vec![
        Field::text("to", "", "a user; empty: whoever comes"),
        Field::text("note", "", "what the next operator must know"),
    ];
    FormDialog::new(status, Purpose::HandOver, fields)
}

/// What handing over does.
pub fn explain_hand_over() -> Vec<Row> {
    let text = "The next operator reads your note and accepts before they can act; you can go on yourself until then.";
    vec![Row::new(Mark::Plain, text)]
}

/// What was left.
pub fn explain_accept(status: &TenantStatus) -> Vec<Row> {
    let Some(hand_over) = &status.hand_over else { return Vec::new() };
    let at = hand_over.at.strftime("%Y-%m-%d %H:%M UTC");
    vec![
        Row::new(Mark::Plain, format!("{} at {at}:", hand_over.person)),
        Row::new(Mark::Warn, hand_over.note.clone()),
        Row::new(Mark::Plain, format!("next: {}", status.next.text)),
    ]
}

/// The hand-over.
pub fn hand_over(form: &FormDialog) -> Result<Command, String> {
    Ok(Command::HandOver { to: form.value(0).to_owned(), note: required(form, 1, "a note")? })
}

/// The form of the take-over.
pub fn open_take_over(status: &TenantStatus) -> FormDialog {
    FormDialog::new(status, Purpose::TakeOver, vec![Field::text("reason", "", "why not wait")])
}

/// Who is overruled.
pub fn stakes_of_take_over(status: &TenantStatus) -> Vec<Row> {
    vec![match &status.holder {
        Some(holder) => Row::new(Mark::Warn, format!("takes it from {holder}")),
        None => Row::new(Mark::Good, "nobody else holds the tenant"),
    }]
}

/// Whether they live, and what they may still be doing.
pub fn explain_take_over(status: &TenantStatus, now: Timestamp) -> Vec<Row> {
    let life = status.holder.as_ref().map(|holder| match status.holder_quiet_since {
        Some(since) => format!("no sign of life for {} s", now.as_second() - since.as_second()),
        None => format!("last sign of life {} by their clock", holder.heartbeat.strftime("%H:%M:%S UTC")),
    });
    let mut rows: Vec<Row> = life.into_iter().map(|life| Row::new(Mark::Warn, life)).collect();
    rows.extend([
        Row::new(
            Mark::Plain,
            "From then on that process can write no record and change nothing outside. One request that it has sent \
             already may still be carried out: resume looks before it acts.",
        ),
        Row::new(Mark::Plain, "Talk to them first if you can. The take-over is journaled with your reason."),
    ]);
    rows
}

/// The take-over.
pub fn take_over(form: &FormDialog) -> Result<Command, String> {
    let reason = required(form, 0, "a reason")?;
    Ok(Command::TakeOver { confirm: form.confirmation.typed().to_owned(), reason })
}

/// The form of the emergency.
pub fn open_emergency(status: &TenantStatus) -> FormDialog {
    let mut fields = vec![Field::text("reason", "", "what is suspected")];
    fields.extend(tunnel_field(status));
    FormDialog::new(status, Purpose::Emergency, fields)
}

/// What is overridden, and what is not.
pub fn explain_emergency(status: &TenantStatus) -> Vec<Row> {
    let mut rows = vec![
        Row::new(Mark::Bad, "For a suspected compromise of the server's key: it is replaced at once."),
        Row::new(
            Mark::Warn,
            "Nobody's answer, no window and no approval is waited for. Everybody is mailed first and again after.",
        ),
        Row::new(Mark::Plain, "The checks of the key still hold. The previous key is never put back."),
        Row::new(Mark::Warn, "A review stays open, due within 24 h; another operator than you must close it."),
    ];
    rows.extend(explain_own_route(status));
    rows.push(Row::new(Mark::Heading, "What breaks, for whom, for how long"));
    rows.extend(consequences(status));
    rows
}

/// The emergency.
pub fn emergency(form: &FormDialog, status: &TenantStatus) -> Result<Command, String> {
    let reason = required(form, 0, "a reason")?;
    let through_tunnel = through_tunnel(form, 1, status)?;
    Ok(Command::Emergency { confirm: form.confirmation.typed().to_owned(), reason, through_tunnel })
}

/// The form of the review.
pub fn open_review(status: &TenantStatus) -> FormDialog {
    FormDialog::new(status, Purpose::Review, vec![Field::text("finding", "", "what the review found")])
}

/// What is reviewed.
pub fn explain_review(status: &TenantStatus, now: Timestamp) -> Vec<Row> {
    let Some(review) = &status.review else { return vec![Row::new(Mark::Good, "no review is open")] };
    let at = review.at.strftime("%Y-%m-%d %H:%M UTC");
    let due = review.review_due.strftime("%Y-%m-%d %H:%M UTC");
    let mark = if now > review.review_due { Mark::Bad } else { Mark::Warn };
    let mut rows = vec![
        Row::new(Mark::Plain, format!("{} declared at {at}: {}", review.declarer_names(), review.reason)),
        Row::new(mark, format!("due {due}, to be closed by {}", review.by_whom())),
    ];
    rows.extend(review.not_counted.iter().map(|why| Row::new(Mark::Bad, why.clone())));
    rows.push(Row::new(Mark::Plain, "4 shows the journal; `changeguard report` prints it whole."));
    rows
}

/// The end of the review.
pub fn review(form: &FormDialog) -> Result<Command, String> {
    Ok(Command::CloseReview { note: required(form, 0, "what you found")? })
}
