//! One rotation for the ticket, as Markdown: what happened, when, by whom; a rotation that was rolled back says so first.

use crate::engine::record::{Cause, Entry};
use crate::engine::rotation::Rotation;
use crate::engine::status::TenantStatus;
use std::fmt::Write;

/// Writes the report.
pub fn markdown(status: &TenantStatus, rotation: &Rotation, entries: &[Entry]) -> String {
    let mut out = String::new();
    let outcome = match (&rotation.outcome, &rotation.rollback) {
        (Some((outcome, _, _)), _) => outcome.word().to_uppercase(),
        (None, Some(_)) => "ROLLING BACK, NOT FINISHED".to_owned(),
        (None, None) => "NOT FINISHED".to_owned(),
    };
    // Writing to a String can't fail.
    let mut line = |text: String| _ = writeln!(out, "{text}");
    line(format!("# {outcome}: WireGuard key of {} ({})", cell(&rotation.tenant.name), rotation.tenant.id));
    line(String::new());
    line(format!("- rotation {}, planned {} by {}", rotation.id, at(rotation.planned_at), cell(&rotation.planned_by)));
    let cause = if rotation.cause == Cause::Compromise { "suspected compromise" } else { "scheduled" };
    line(format!("- cause: {cause}; reference: {}", cell(&rotation.reference)));
    line(format!("- window: {} (revision {})", rotation.window.for_people(), rotation.window.revision));
    if let Some(rollback) = &rotation.rollback {
        line(format!("- rolled back at {}: {}", at(rollback.at), cell(&rollback.reason)));
    }
    if let Some(us) = rotation.gap_us {
        line(format!("- gap without a secret: {:.1} ms", us as f64 / 1000.0));
    }
    if let Some(applied) = &rotation.applied {
        line(format!("- live on the server {} after step 6 began", seconds(applied.waited_ms)));
    }
    for (role, key) in &rotation.keys {
        let fate = key.destroyed.as_deref().unwrap_or("still kept in Barbican");
        line(format!("- {} key {}: {}", role.word(), key.public_key, cell(fate)));
    }
    for text in &rotation.not_carried {
        line(format!("- not carried over: {}", cell(text)));
    }
    line("\n## Steps\n\n| step | state | detail |\n| --- | --- | --- |".into());
    for step in &status.steps {
        line(format!("| {} {} | {} | {} |", step.number, step.title, step.state.word(), cell(&step.detail)));
    }
    line("\n## Clients\n\n| client | before | after |\n| --- | --- | --- |".into());
    for client in &rotation.clients {
        let view = status.clients.iter().find(|view| view.client.id == client.id);
        let ack = rotation.acknowledgements.get(&client.id);
        let before = match (rotation.waivers.get(&client.id), ack) {
            (Some(waiver), _) => format!("waived by {}: {}", waiver.by, waiver.reason),
            (None, Some(ack)) => {
                format!("{} by {}, recorded {} by {}", ack.answer.word(), ack.channel.word(), at(ack.at), ack.by)
            }
            (None, None) => "no answer".into(),
        };
        let after = match rotation.back.get(&client.id) {
            Some(back) => format!("back {} ({}) {}", at(back.at), back.source.word(), back.note),
            None => view.and_then(|v| v.presence).map_or("", |presence| presence.word()).to_owned(),
        };
        line(format!("| {} | {} | {} |", cell(&client.name), cell(&before), cell(&after)));
    }
    line("\n## Journal\n\n| # | when (UTC) | who | what |\n| --- | --- | --- | --- |".into());
    for entry in entries {
        let who = format!("{}@{}", entry.by, entry.host);
        line(format!("| {} | {} | {} | {} |", entry.seq, at(entry.at), cell(&who), cell(&entry.record.summary())));
    }
    out
}

fn at(moment: jiff::Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn seconds(ms: u64) -> String {
    format!("{:.1} s", ms as f64 / 1000.0)
}

/// A text inside a table cell: nothing of it is Markdown.
fn cell(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '#') {
            clean.push('\\');
        }
        clean.push(c);
    }
    clean
}
