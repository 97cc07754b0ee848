//! The report as Markdown. Every text that came from somewhere else is plain text there, whatever it holds.

use super::{ClientLine, Report, at};
use crate::domain::acknowledgement::Acknowledgement;
use crate::domain::sanitize::sanitize;
use crate::domain::second_mail::SecondMail;
use crate::engine::gap;
use crate::engine::record::Cause;
use std::fmt::Write;

/// What is said of a moment whose record was lost.
const LOST: &str = "unknown (that part of the journal was lost)";

fn gap_of(ms: f64) -> String {
    gap::length((ms * 1e3).round() as u64)
}

impl Report {
    /// The whole report.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        // Writing to a String can't fail.
        let mut line = |text: String| _ = writeln!(out, "{text}");
        let waived = self.clients.iter().filter(|client| client.waiver.is_some()).count();
        let is_told = waived == 0 || self.headline.contains("WAIVED");
        let waived = if is_told { String::new() } else { format!(", {waived} waived") };
        line(format!("# {}: WireGuard key of {} ({}){waived}", self.headline, plain(&self.tenant), self.tenant_id));
        line(String::new());
        let planned = match self.times.planned {
            Some(planned) => format!("planned {} by {}", at(planned), plain(&self.planned_by)),
            None => format!("planned: {LOST}"),
        };
        line(format!("- rotation {}, {planned}", self.rotation));
        if !self.environments.is_empty() {
            line(format!("- environment: {}", plain(&self.environments.join(", "))));
        }
        let cause = if self.cause == Cause::Compromise { "suspected compromise" } else { "scheduled" };
        line(format!("- cause: {cause}; reference: {}", plain(&self.reference)));
        line(format!("- window: {} (revision {})", plain(&self.window.for_people()), self.window.revision));
        let times = &self.times;
        let moments = [
            ("rotate confirmed", times.confirmed, None),
            ("secret replaced", times.secret_replaced, None),
            ("live on the server", times.live_on_server, times.live_not_before),
            ("secret replaced again", times.secret_replaced_again, None),
            ("ended", times.finished, None),
        ];
        for (what, moment, not_before) in moments {
            match (moment, not_before) {
                (Some(seen), Some(since)) => {
                    line(format!("- {what}: seen {} when it was looked again, not before {}", at(seen), at(since)))
                }
                (Some(moment), None) => line(format!("- {what}: {}", at(moment))),
                (None, _) if times.unknown.contains(&what) => line(format!("- {what}: {LOST}")),
                (None, _) => {}
            }
        }
        for (ended, gap) in &times.earlier_gaps_ms {
            line(format!("- earlier gap without a secret: {}, ended {}", gap_of(*gap), at(*ended)));
        }
        for note in &times.earlier_gap_notes {
            line(format!("- earlier gap without a secret: {note}"));
        }
        if let Some(overlap) = times.overlap_ms {
            line(format!("- no gap: two secrets had the name for {} (the new one was stored first)", gap_of(overlap)));
        } else if let Some(gap) = times.gap_ms {
            let above = if gap >= 1000.0 { ", ABOVE NORMAL (under 1 s)" } else { "" };
            let note = times.gap_note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
            line(format!("- gap without a secret: {}{above}{note}", gap_of(gap)));
        } else if let Some(note) = &times.gap_note {
            line(format!("- gap without a secret: {note}"));
        }
        if let Some(ms) = times.waited_for_server_ms {
            line(format!("- live {:.1} s after step 6 began", ms as f64 / 1000.0));
        }
        if let Some(text) = SecondMail::told(&self.second_mail_unasked) {
            line(format!("- {text}"));
        }
        if let Some(rollback) = &self.rollback {
            line(format!("- rollback {}", plain(rollback)));
        }
        for review in self.emergency.iter().chain(&self.rollback_review) {
            let (declared, names) = (at(review.at), plain(&review.declarer_names()));
            line(format!("- {} declared {declared} by {names}: {}", review.of.word(), plain(&review.reason)));
            let text = match &review.reviewed {
                Some((by, moment, note)) => {
                    let how = if review.advisory { " (by login only: advisory)" } else { "" };
                    format!("closed {} by {by}{how}: {note}", at(*moment))
                }
                None => format!("OPEN, due {}, by {}", at(review.review_due), review.by_whom()),
            };
            line(format!("- review: {}", plain(&text)));
            for why in &review.not_counted {
                line(format!("- review: {}", plain(why)));
            }
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
        match self.senders_verified {
            Some(true) => {
                line("- answers by mail: only from senders for whom the receiving mail server vouches".into())
            }
            Some(false) => {
                line("- answers by mail: senders are NOT verified; whoever had the mail can have answered".into())
            }
            None => {}
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
                None if key.gone => {
                    format!("NOT IN BARBICAN as {} any more, and no record says that we removed it", key.name)
                }
                None if key.is_ending => {
                    format!("kept in Barbican as {}, if step 8, which destroys it, had not come to it", key.name)
                }
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

fn said(ack: &Acknowledgement) -> String {
    let note = if ack.note.is_empty() { String::new() } else { format!(" - {}", ack.note) };
    format!("{} by {}, recorded {} by {}{note}", ack.answer.word(), ack.channel.word(), at(ack.at), ack.by)
}

fn before(client: &ClientLine) -> String {
    let answer = client.answer.as_ref().map(said);
    let waiver = client.waiver.as_ref().map(|w| format!("waived {} by {}: {}", at(w.at), w.by, w.reason));
    match (waiver, answer) {
        (Some(waiver), Some(answer)) => format!("{waiver}; {answer}"),
        (Some(text), None) | (None, Some(text)) => text,
        (None, None) => "no answer".into(),
    }
}

fn after(client: &ClientLine) -> String {
    let back = match (client.back_at, client.back_source) {
        (Some(moment), Some(source)) => format!("back {} ({source}) {}", at(moment), client.back_note),
        _ if client.waiver.is_some() => "waived".into(),
        _ => "not back".into(),
    };
    match &client.said_since {
        Some(ack) => format!("{back}; has said since: {}", said(ack)),
        None => back,
    }
}

/// A text of which nothing is Markdown: no markup, no line or cell that ends early, and nothing that a reader's program
/// makes into a link or a mention by itself. Those are looked for in the rendered text (GitHub's mentions, cmark-gfm's
/// addresses), where an escape is gone already; only a code span keeps them out. So every word that is more than a word
/// stands in one.
pub(super) fn plain(text: &str) -> String {
    let clean = sanitize(text);
    let mut out = String::with_capacity(clean.len());
    let mut rest = clean.as_str();
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| !belongs_to_a_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end.max(first.len_utf8()));
        match end > 0 && !is_harmless(word) {
            // It holds no backtick and no bar.
            true => out.extend(["`", word, "`"]),
            false => word.chars().for_each(|c| escape(c, &mut out)),
        }
        rest = after;
    }
    out
}

/// What may be a part of an address or a reference. Everything else ends it for every program that looks for one.
fn belongs_to_a_word(c: char) -> bool {
    c.is_alphanumeric() || "._-:/@#~$%&=+?!^".contains(c)
}

/// A word that nobody makes a link of: letters and digits, letters joined by a hyphen or slash, a number, a moment.
fn is_harmless(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ':', '?', '!']);
    let letters = |part: &str| !part.is_empty() && part.chars().all(char::is_alphabetic);
    word.chars().all(char::is_alphanumeric)
        || word == "-"
        || word.strip_prefix('/').unwrap_or(word).split(['-', '/']).all(letters)
        || word.chars().all(|c| c.is_ascii_digit() || ".:-TZ".contains(c))
}

fn escape(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '!' | '~' | '$' => out.extend(['\\', c]),
        _ => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::plain;
    use comrak::nodes::NodeValue;
    use comrak::{Arena, Options, parse_document};

    const HOSTILE: [&str; 30] = [
        "see http://evil.example/x?a=1&b=2",
        "HTTPS://EVIL.EXAMPLE",
        "www.evil.example.",
        "(www.evil.example)",
        "evil.com",
        "ftp://evil.example",
        "mail ada@evil.example, or john_doe@evil.example",
        "mailto:ada@evil.example",
        "xmpp:ada@evil.example",
        "@ops @team/all: look",
        "x@ops",
        "#123 GH-123 owner/repo#5 owner/repo@0123456 !7 $8 ABC-9",
        ":smile: ~label %milestone &epic",
        "<https://evil.example>",
        "<a href=http://evil.example>x</a><img src=x onerror=y>",
        "[x](http://evil.example)",
        "![x](http://evil.example)",
        "[x][1] [^1] [ ] [x]",
        "`http://evil.example`",
        "``a@b.cc`c@d.ee``",
        "\\`a@b.cc\\`",
        "a | b || `|` \\| c@d.ee|",
        "**a** _b_ ~~c~~ __d__ ***e***",
        "&lt;script&gt; &#64;ops &commat;ops",
        "# head\n- item\n> quote\n---",
        "$x$ $$y$$ ^a^ ++b++ ==c==",
        "пример.рф and ada@пример.рф",
        "@\u{200b}ops www\u{2060}.evil.example",
        "a\\",
        "`",
    ];

    /// The document as GitHub's dialect reads it, with every extension that makes something of plain text.
    fn read(markdown: &str) -> (Vec<String>, String) {
        let arena = Arena::new();
        let mut options = Options::default();
        let extension = &mut options.extension;
        (extension.autolink, extension.table, extension.strikethrough, extension.tasklist) = (true, true, true, true);
        extension.footnotes = true;
        let mut made = Vec::new();
        let mut shown = String::new();
        for node in parse_document(&arena, markdown, &options).descendants() {
            match &node.data.borrow().value {
                NodeValue::Document | NodeValue::Table(_) | NodeValue::TableRow(_) | NodeValue::TableCell => {}
                NodeValue::Text(text) => {
                    // What a program that reads the rendered text would take up.
                    let word = |word: &str| word.contains('@') || word.contains("://") || word.contains("www.");
                    made.extend(text.split_whitespace().filter(|text| word(text)).map(str::to_owned));
                    shown.push_str(text);
                }
                NodeValue::Code(code) => shown.push_str(&code.literal),
                other => made.push(format!("{other:?}")),
            }
        }
        (made, shown)
    }

    #[test]
    fn nothing_in_a_text_is_markdown_and_all_of_it_is_shown() {
        for text in HOSTILE {
            let clean = crate::domain::sanitize::sanitize(text);
            let (made, shown) = read(&format!("| head |\n| --- |\n| {} |\n", plain(text)));
            assert!(made.is_empty(), "{text}: {made:?}\n{}", plain(text));
            assert_eq!(shown, format!("head{clean}"), "{}", plain(text));
        }
    }

    #[test]
    fn what_is_no_more_than_a_word_stays_as_it_is() {
        for text in
            ["Ada Okafor, by phone (10:30): half-done", "2026-11-24 22:00 Europe/Berlin", "gap 12.3 ms - waived."]
        {
            assert_eq!(plain(text), text);
        }
        assert_eq!(plain("a|b\nc"), "a\\|b c");
        assert_eq!(plain("ada@bastion"), "`ada@bastion`");
        assert_eq!(plain("<b>[x](http://e)"), "&lt;b&gt;\\[x\\](`http://e`)");
    }
}
