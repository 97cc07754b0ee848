//! The report as Markdown. Every text that came from somewhere else is plain text there, whatever it holds.

use super::{ClientLine, Report, at};
use crate::engine::record::Cause;
use std::fmt::Write;

impl Report {
    /// The whole report.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        // Writing to a String can't fail.
        let mut line = |text: String| _ = writeln!(out, "{text}");
        let waived = self.clients.iter().filter(|client| client.waiver.is_some()).count();
        let waived = if waived == 0 { String::new() } else { format!(", {waived} waived") };
        line(format!("# {}: WireGuard key of {} ({}){waived}", self.headline, plain(&self.tenant), self.tenant_id));
        line(String::new());
        line(format!(
            "- rotation {}, planned {} by {}",
            self.rotation,
            at(self.times.planned),
            plain(&self.planned_by)
        ));
        let cause = if self.cause == Cause::Compromise { "suspected compromise" } else { "scheduled" };
        line(format!("- cause: {cause}; reference: {}", plain(&self.reference)));
        line(format!("- window: {} (revision {})", plain(&self.window.for_people()), self.window.revision));
        let times = &self.times;
        let moments = [
            ("rotate confirmed", times.confirmed),
            ("secret replaced", times.secret_replaced),
            ("live on the server", times.live_on_server),
            ("ended", times.finished),
        ];
        for (what, moment) in moments {
            if let Some(moment) = moment {
                line(format!("- {what}: {}", at(moment)));
            }
        }
        if let Some(gap) = times.gap_ms {
            line(format!("- gap without a secret: {gap:.1} ms"));
        }
        if let Some(ms) = times.waited_for_server_ms {
            line(format!("- live {:.1} s after step 6 began", ms as f64 / 1000.0));
        }
        if let Some(rollback) = &self.rollback {
            line(format!("- rollback {}", plain(rollback)));
        }
        if let Some(emergency) = &self.emergency {
            let review = match &emergency.reviewed {
                Some((by, moment, note)) => format!("closed {} by {by}: {note}", at(*moment)),
                None => format!("OPEN, due {}", at(emergency.review_due)),
            };
            line(format!(
                "- emergency declared {} by {}: {}",
                at(emergency.at),
                plain(&emergency.person),
                plain(&emergency.reason)
            ));
            line(format!("- review: {}", plain(&review)));
        }
        if let Some(hand_over) = &self.hand_over {
            let accepted =
                hand_over.accepted.as_deref().map_or("not accepted".into(), |by| format!("accepted by {by}"));
            line(format!(
                "- handed over {} by {}, {}: {}",
                at(hand_over.at),
                plain(&hand_over.person),
                plain(&accepted),
                plain(&hand_over.note)
            ));
        }
        if !self.note.is_empty() {
            line(format!("- closing note: {}", plain(&self.note)));
        }
        line(format!("- audit: {}", plain(&self.audit_line())));
        if let Some(words) = &self.four_eyes {
            line(format!("- {}", plain(words)));
        }
        for signed in &self.signatures {
            let who = match &signed.signer {
                Some(signer) => format!("{} with key {}", signer.person, signer.key),
                None => format!("{} by login, without a signature of the list", signed.by),
            };
            line(format!("- {} ({}, record {}): {}", signed.what, at(signed.at), signed.seq, plain(&who)));
        }

        line("\n## What went wrong\n".into());
        if self.incidents.is_empty() && self.not_carried.is_empty() {
            line("Nothing that the journal knows of.".into());
        }
        for incident in &self.incidents {
            let seq = incident.seq.map_or(String::new(), |seq| format!(" (record {seq})"));
            line(format!("- {}: {}{seq}", at(incident.at), plain(&incident.text)));
        }
        for text in &self.not_carried {
            line(format!("- not carried over: {}", plain(text)));
        }

        line("\n## Steps\n\n| step | state | when | detail |\n| --- | --- | --- | --- |".into());
        for step in &self.steps {
            let when = step.at.map(at).unwrap_or_default();
            line(format!("| {} | {} | {when} | {} |", step.number, step.state, plain(&step.detail)));
        }

        line("\n## Clients\n\n| client | before | after |\n| --- | --- | --- |".into());
        for client in &self.clients {
            line(format!("| {} | {} | {} |", plain(&client.name), plain(&before(client)), plain(&after(client))));
        }

        line("\n## Kept keys\n\n| key | public key | fate |\n| --- | --- | --- |".into());
        for key in &self.keys {
            let fate = match &key.destroyed {
                Some(answer) => format!("destroyed; the server said: {answer}"),
                None => format!("STILL KEPT in Barbican as {}", key.name),
            };
            line(format!("| {} | {} | {} |", key.role, plain(&key.public_key), plain(&fate)));
        }

        line("\n## Who\n\n| person | as | ssh | records | from | to |\n| --- | --- | --- | --- | --- | --- |".into());
        for actor in &self.actors {
            let who = format!("{}@{}", actor.by, actor.host);
            let ssh = actor.ssh.as_deref().unwrap_or("none");
            let (first, last) = (at(actor.first), at(actor.last));
            line(format!(
                "| {} | {} | {} | {} | {first} | {last} |",
                plain(&actor.person),
                plain(&who),
                plain(ssh),
                actor.records
            ));
        }

        line("\n## Journal\n\n| # | when | who | what | chain |\n| --- | --- | --- | --- | --- |".into());
        for moment in &self.timeline {
            let who = format!("{}@{}", moment.by, moment.host);
            let chain = match (moment.position, &moment.hash) {
                (Some(position), Some(hash)) => format!("{position} {}", hash.get(..12).unwrap_or(hash)),
                _ => String::new(),
            };
            let (seq, when) = (moment.seq, at(moment.at));
            line(format!("| {seq} | {when} | {} | {} | {chain} |", plain(&who), plain(&moment.what)));
        }
        out
    }

    fn audit_line(&self) -> String {
        let Some(verdict) = &self.audit else { return "not done".into() };
        match (&verdict.finding, &verdict.head) {
            (Some(finding), _) => format!("NOT INTACT: {finding}"),
            (None, Some(head)) => format!("intact, head {head}"),
            (None, None) => "intact".into(),
        }
    }
}

fn before(client: &ClientLine) -> String {
    let answer = client.answer.as_ref().map(|ack| {
        let note = if ack.note.is_empty() { String::new() } else { format!(" - {}", ack.note) };
        format!("{} by {}, recorded {} by {}{note}", ack.answer.word(), ack.channel.word(), at(ack.at), ack.by)
    });
    let waiver = client.waiver.as_ref().map(|w| format!("waived {} by {}: {}", at(w.at), w.by, w.reason));
    match (waiver, answer) {
        (Some(waiver), Some(answer)) => format!("{waiver}; {answer}"),
        (Some(text), None) | (None, Some(text)) => text,
        (None, None) => "no answer".into(),
    }
}

fn after(client: &ClientLine) -> String {
    match (client.back_at, client.back_source) {
        (Some(moment), Some(source)) => format!("back {} ({source}) {}", at(moment), client.back_note),
        _ if client.waiver.is_some() => "waived".into(),
        _ => "not back".into(),
    }
}

/// A text of which nothing is Markdown: no markup, no link that is made of an address, no line or cell that ends early.
fn plain(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in crate::domain::sanitize::sanitize(text).chars() {
        match c {
            '&' => clean.push_str("&amp;"),
            '<' => clean.push_str("&lt;"),
            '>' => clean.push_str("&gt;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '!' | '~' | '$' => {
                clean.push('\\');
                clean.push(c);
            }
            // What would become a link or a mention by itself.
            '@' => clean.push_str("&#64;"),
            ':' if clean.ends_with("http") || clean.ends_with("https") => clean.push_str("&#58;"),
            _ => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn nothing_in_a_text_is_markdown() {
        assert_eq!(plain("a|b\nc"), "a\\|b c");
        assert_eq!(plain("<script>[x](http://e)"), "&lt;script&gt;\\[x\\](http&#58;//e)");
        assert_eq!(plain("**a** @ops # `x`"), "\\*\\*a\\*\\* &#64;ops \\# \\`x\\`");
    }
}
