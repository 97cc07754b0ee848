//! What an incoming mail means: one pure function from what stands in it and what was asked to a verdict with its evidence.
//!
//! Anything doubtful is unclear, never confirmed.

pub mod words;

mod account;
mod calendar;
mod copy;
mod form;
mod known;
mod moment;
mod recognise;
mod sentence;
mod split;
mod subject;
mod text;

use crate::domain::address::same_mailbox;
use crate::domain::letter::{Automatic, Body, CalendarPart, DeliveryAction, DeliveryReport, Incoming, Report};
use crate::domain::token::{ReplyToken, Topic};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sentence::Speaker;
use serde::{Deserialize, Serialize};
use std::mem::discriminant;

/// What the mail belongs to: found by its token, its UID or the Message-ID that it refers to.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// What was asked in the mail that is answered.
    pub topic: Topic,
    /// The revision of the window in the mail that is answered, by reference or reply address. The SEQUENCE of a calendar
    /// answer (revision - 1) counts more.
    pub revision: u32,
    /// The revision in force.
    pub present: u32,
    /// Start and end of the window in force, UTC.
    pub window: (Timestamp, Timestamp),
    /// The zone in which it was announced.
    pub zone: &'a TimeZone,
    /// What recognises the client in the UIDs of our invitations; `None` where nobody was invited.
    pub token: Option<&'a ReplyToken>,
    /// The client's name.
    pub name: &'a str,
    /// The client's address.
    pub email: &'a str,
    /// The addresses of the other clients of this rotation, lower case.
    pub others: &'a [String],
    /// What was written to the client: subject and text of each mail as it may have been sent. What a letter copies of it is ours.
    pub sent: &'a [String],
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict", content = "detail")]
pub enum Verdict {
    /// Yes: the window suits them; or: they are back.
    Confirmed,
    /// No: it does not; or: they are not back.
    Declined,
    /// Perhaps.
    Tentative,
    /// Another time is proposed; when.
    OtherTime(String),
    /// A program answered: absence, receipt, list. Why that is known.
    Automatic(String),
    /// A mail of ours did not arrive; why.
    Bounced(String),
    /// A mail of ours is still on its way; why.
    Delayed(String),
    /// A person must read it; why.
    Unclear(String),
    /// Nothing that concerns us; why.
    Unrelated(String),
}

impl Verdict {
    /// The words on the screen and in `--json`.
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Confirmed => "confirmed",
            Verdict::Declined => "declined",
            Verdict::Tentative => "tentative",
            Verdict::OtherTime(_) => "other time",
            Verdict::Automatic(_) => "automatic",
            Verdict::Bounced(_) => "bounced",
            Verdict::Delayed(_) => "delayed",
            Verdict::Unclear(_) => "unclear",
            Verdict::Unrelated(_) => "unrelated",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Verdict::Confirmed | Verdict::Declined | Verdict::Tentative => f.write_str(self.word()),
            Verdict::OtherTime(detail)
            | Verdict::Automatic(detail)
            | Verdict::Bounced(detail)
            | Verdict::Delayed(detail)
            | Verdict::Unclear(detail)
            | Verdict::Unrelated(detail) => write!(f, "{}: {detail}", self.word()),
        }
    }
}

/// By what the verdict was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// An iTIP part.
    Calendar,
    /// The words.
    Text,
    /// A delivery report.
    Report,
    /// The headers.
    Headers,
}

/// A verdict with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// What was said.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// To which question.
    pub topic: Topic,
    /// To which revision. An answer to an older one does not count.
    pub revision: u32,
    /// By what it is known.
    pub means: Means,
    /// What an operator should know besides: another address, somebody on behalf, an older revision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<String>,
    /// A few lines of it, at most 5 of at most 200 characters; behind them at most 7 that were taken for a signature, a legal notice or
    /// the line of a program, marked as `[left out]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// When it was said, by the sender's clock: DTSTAMP or Date, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_at: Option<Timestamp>,
}

impl Heard {
    /// Whether somebody speaks in it: reports and programs need no right to it.
    pub fn is_word(&self) -> bool {
        use Verdict::{Automatic, Bounced, Delayed, Unrelated};
        !matches!(self.verdict, Automatic(_) | Bounced(_) | Delayed(_) | Unrelated(_))
    }
}

/// Who answers although somebody else was asked: the sender, or the one in whose name the invitation is answered.
pub fn foreign_sender(letter: &Incoming, email: &str) -> Option<String> {
    let is_theirs = |address: &str| same_mailbox(address, email);
    let sender = letter.from.as_ref().map(|(_, address)| address.as_str()).filter(|address| !is_theirs(address));
    let answers = letter.calendar.iter().filter(|part| !part.method.is_empty());
    let attendee = answers.map(|part| &part.attendees).find_map(|all| {
        let theirs = all.iter().any(|one| is_theirs(&one.email));
        all.first().filter(|_| !theirs).map(|one| one.email.as_str())
    });
    letter.sent_by.as_deref().or(sender).or(attendee).map(str::to_owned)
}

/// Most lines of evidence, and the longest of them.
const EVIDENCE: (usize, usize) = (5, 200);
/// Most lines besides that were not judged as words.
const LEFT_OUT: usize = 7;

/// Judges a mail that belongs to a client of ours.
pub fn hear(letter: &Incoming, asked: &Asked<'_>) -> Heard {
    let mut heard = judged(letter, asked);
    if let (Verdict::Confirmed, Some(why)) = (&heard.verdict, objection(letter, asked)) {
        heard.verdict = Verdict::Unclear(why);
    }
    // A calendar's answer has a subject of its own; by its UID it is known what it answers.
    let worded = (Verdict::Confirmed, Means::Text) == (heard.verdict.clone(), heard.means);
    if worded && !subject::is_ours(&letter.subject, asked.sent) {
        heard.verdict = Verdict::Unclear("its subject is another than ours".into());
        heard.evidence.insert(0, clipped(&letter.subject));
    }
    let pressed = (Verdict::Confirmed, Means::Calendar) == (heard.verdict.clone(), heard.means);
    if pressed && !subject::accepts(&letter.subject, asked.sent) {
        heard.verdict = Verdict::Unclear("accepted under a subject that says something else".into());
        heard.evidence.insert(0, clipped(&letter.subject));
    }
    if let Some(address) = foreign_sender(letter, asked.email).filter(|_| heard.is_word()) {
        let mark = format!("answered from another address: {address}");
        heard.verdict = match heard.verdict {
            Verdict::Unclear(why) => Verdict::Unclear(why),
            _ => Verdict::Unclear(mark.clone()),
        };
        heard.marks.push(mark);
    }
    if heard.revision < asked.present {
        heard.marks.push(format!("answers revision {} of the window, {} is in force", heard.revision, asked.present));
    }
    heard
}

/// What no yes survives, whatever says it.
fn objection(letter: &Incoming, asked: &Asked<'_>) -> Option<String> {
    let Some((_, sender)) = &letter.from else { return Some("nobody is named as its sender".into()) };
    if let Some(why) = &letter.unreadable {
        return Some(why.clone());
    }
    if asked.others.contains(sender) {
        return Some(format!("{sender} is another client"));
    }
    if let Some(name) = letter.from.as_ref().map(|(name, _)| name).filter(|name| sentence::is_another_name(name, asked))
    {
        return Some(format!("signed as somebody else: {name}"));
    }
    if let Some(name) = letter.attachments.first() {
        return Some(format!("something hangs on it: {name}"));
    }
    letter.forwarded.then(|| "a forwarded mail".into())
}

/// In the order of what is surest: reports, calendars, programs, words.
fn judged(letter: &Incoming, asked: &Asked<'_>) -> Heard {
    let as_heard = |verdict: Verdict, means: Means, evidence: Vec<String>| Heard {
        verdict,
        topic: asked.topic,
        revision: asked.revision,
        means,
        marks: Vec::new(),
        evidence,
        said_at: letter.date,
    };
    if let Some(report) = &letter.report {
        let (verdict, evidence) = reported(report, asked);
        return as_heard(verdict, Means::Report, evidence);
    }
    let answer = letter.calendar.as_ref().filter(|part| !part.method.is_empty());
    match (&letter.automatic, answer) {
        (Some(Automatic::Reply(why)), _) => {
            return as_heard(Verdict::Automatic(why.clone()), Means::Headers, vec![letter.subject.clone()]);
        }
        (_, Some(part)) => {
            let said = calendar::judge(letter, part, asked);
            let mut heard = as_heard(said.verdict, Means::Calendar, calendar_evidence(part));
            heard.revision = said.revision;
            heard.said_at = part.stamp.or(letter.date);
            if heard.verdict == Verdict::Confirmed
                && let Some(line) = form::beside(letter, &speaker(letter, asked))
            {
                heard.verdict = Verdict::Unclear("accepted, and the words beside it must be read".into());
                heard.evidence.push(clipped(&line));
            }
            return heard;
        }
        (Some(Automatic::Generated(why)), None) => {
            return as_heard(Verdict::Automatic(why.clone()), Means::Headers, vec![letter.subject.clone()]);
        }
        (None, None) => {}
    }
    let speaker = speaker(letter, asked);
    let accounted = |body: &Option<Body>| body.as_ref().map(|body| account::account(body, &speaker));
    let forms: Vec<account::Words> = [&letter.text, &letter.html].into_iter().filter_map(accounted).collect();
    if let Some(why) = &letter.unreadable {
        return as_heard(Verdict::Unclear(why.clone()), Means::Headers, evidence(&forms, None));
    }
    let told = worded(letter, &forms, &speaker);
    let evidence = evidence(&forms, told.because);
    as_heard(told.verdict, Means::Text, evidence)
}

fn speaker<'a>(letter: &'a Incoming, asked: &'a Asked<'a>) -> Speaker<'a> {
    Speaker::new(asked, letter.from.as_ref().map_or("", |(name, _)| name.as_str()), &letter.recipients)
}

/// Whether all to whom it is written have the writer's own domain, and somebody of another is told as a copy: `Hi Bob, please
/// confirm` with us in Cc asks Bob. Where we have that domain ourselves this can't be told, and nothing is taken from it.
fn is_to_colleagues(letter: &Incoming, sender: &str) -> bool {
    let domain = |address: &str| address.rsplit_once('@').map(|(_, domain)| domain.to_owned());
    let is_own = |one: &String| domain(one) == domain(sender);
    let others = |one: &String| one != sender && is_own(one);
    !letter.to.is_empty() && letter.to.iter().all(others) && !letter.cc.iter().all(is_own)
}

/// The words of a mail without a calendar part.
fn worded(letter: &Incoming, forms: &[account::Words], speaker: &Speaker<'_>) -> text::Told {
    let unclear = |why: String| text::Told { verdict: Verdict::Unclear(why), because: None };
    let Some((_, sender)) = &letter.from else { return unclear("nobody is named as its sender".into()) };
    if speaker.asked.others.contains(sender) {
        return unclear(format!("{sender} is another client"));
    }
    if is_to_colleagues(letter, sender) {
        return unclear("it is written to somebody of their own house, and to us as a copy".into());
    }
    let mut told: Vec<text::Told> = forms.iter().filter_map(|words| text::judge(words, speaker)).collect();
    match (told.pop(), told.pop()) {
        (None, _) => unclear("there is no answer in it".into()),
        // One of two forms says nothing: as long as there is nothing in it at all, or both are told.
        (Some(one), None) if one.verdict == Verdict::Confirmed && forms.len() > 1 && !is_empty(letter) => text::Told {
            verdict: Verdict::Unclear("its text and its HTML say different things".into()),
            because: one.because,
        },
        (Some(one), None) => one,
        // The same words may be wrapped otherwise in the two parts.
        (Some(other), Some(one)) if discriminant(&one.verdict) == discriminant(&other.verdict) => one,
        (Some(other), Some(one)) => text::Told {
            verdict: Verdict::Unclear("its text and its HTML say different things".into()),
            because: one.because.or(other.because),
        },
    }
}

/// Whether the text of a letter holds nothing, as some programs send it beside the HTML that they show.
fn is_empty(letter: &Incoming) -> bool {
    letter.text.as_ref().is_none_or(|body| body.lines.iter().all(|line| line.text.is_empty()))
}

fn reported(report: &Report, asked: &Asked<'_>) -> (Verdict, Vec<String>) {
    let Report::Delivery { recipients, .. } = report else {
        return (Verdict::Automatic("a receipt: displayed or deleted, not answered".into()), Vec::new());
    };
    let of_client = recipients.iter().find(|one| one.recipient.eq_ignore_ascii_case(asked.email));
    let Some(one) = of_client.or(recipients.first().filter(|_| recipients.len() == 1)) else {
        return (Verdict::Unclear("a delivery report about somebody else".into()), Vec::new());
    };
    let DeliveryReport { recipient, action, reason } = one;
    let evidence = vec![clipped(&format!("{recipient}: {reason}"))];
    match action {
        DeliveryAction::Failed => (Verdict::Bounced(reason.clone()), evidence),
        DeliveryAction::Delayed => (Verdict::Delayed(reason.clone()), evidence),
        DeliveryAction::Other => (Verdict::Automatic("a report that it was delivered".into()), evidence),
    }
}

fn calendar_evidence(part: &CalendarPart) -> Vec<String> {
    let mut evidence = vec![format!("METHOD:{}", part.method)];
    evidence.extend(part.attendees.iter().take(2).map(|one| clipped(&format!("{}: {}", one.email, one.status))));
    evidence.extend((!part.start_text.is_empty()).then(|| clipped(&part.start_text)));
    evidence.extend((!part.comment.is_empty()).then(|| clipped(&part.comment.replace('\n', " "))));
    evidence
}

/// The writer's words first; what could not be accounted for is among them.
fn evidence(forms: &[account::Words], because: Option<String>) -> Vec<String> {
    let own = |words: &&account::Words| words.own.iter().any(|line| !line.is_empty());
    let lines = forms.iter().find(own).map(|words| words.own.as_slice()).unwrap_or_default();
    let mut evidence: Vec<String> =
        lines.iter().filter(|line| !line.is_empty()).take(EVIDENCE.0).map(|line| clipped(line)).collect();
    if let Some(line) = because.map(|line| clipped(&line)).filter(|line| !evidence.contains(line)) {
        evidence.truncate(EVIDENCE.0 - 1);
        evidence.push(line);
    }
    let words = forms.iter().find(own).or(forms.first());
    let more = lines.iter().filter(|line| !line.is_empty()).skip(EVIDENCE.0);
    let left_out = more.chain(words.iter().flat_map(|words| &words.left_out)).take(LEFT_OUT);
    evidence.extend(left_out.map(|line| clipped(&format!("[left out] {line}"))));
    evidence
}

fn clipped(line: &str) -> String {
    line.chars().take(EVIDENCE.1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_to_colleagues_with_us_in_copy_is_theirs_and_one_to_us_is_ours_whatever_domain_we_have() {
        let addresses = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
        let is_theirs = |to: &[&str], cc: &[&str]| {
            let letter = Incoming { to: addresses(to), cc: addresses(cc), ..Incoming::default() };
            is_to_colleagues(&letter, "ada@acme.example")
        };
        assert!(is_theirs(&["bob@acme.example"], &["ops@lab.example"]));
        assert!(is_theirs(&["bob@acme.example", "eve@acme.example"], &["eve@acme.example", "ops@lab.example"]));
        for (to, cc) in [
            (&["ops@lab.example"][..], &["bob@acme.example"][..]),
            (&["bob@acme.example", "ops@lab.example"], &[]),
            // The operators are of the same house.
            (&["ops@acme.example"], &[]),
            (&["ops@acme.example"], &["bob@acme.example"]),
            (&[], &["ops@lab.example"]),
        ] {
            assert!(!is_theirs(to, cc), "{to:?} {cc:?}");
        }
    }
}
