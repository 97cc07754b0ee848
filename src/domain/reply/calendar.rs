//! What an iCalendar answer says (RFC 5546, RFC 6047); whether a program may say it is left to `reply`.

use super::account::account;
use super::sentence::Speaker;
use super::subject;
use super::text::is_harmless;
use super::words::fold;
use super::{Asked, Verdict};
use crate::domain::address::same_mailbox;
use crate::domain::letter::{Attendee, Body, CalendarPart, Incoming, Line};
use crate::domain::token::{ReplyToken, Topic};
use jiff::Timestamp;

/// What was said, and to which revision.
pub struct Said {
    /// The verdict, as if the revision was in force.
    pub verdict: Verdict,
    /// The revision that is answered.
    pub revision: u32,
}

/// Judges the calendar part of a mail.
pub fn judge(letter: &Incoming, part: &CalendarPart, asked: &Asked<'_>) -> Said {
    let revision = part
        .sequence
        .map_or(if letter.references.is_empty() { 1 } else { asked.revision }, |sequence| sequence.saturating_add(1));
    Said { verdict: verdict(letter, part, asked, revision), revision }
}

fn verdict(letter: &Incoming, part: &CalendarPart, asked: &Asked<'_>, revision: u32) -> Verdict {
    let unclear = |why: &str| Verdict::Unclear(why.into());
    match part.method.as_str() {
        "REPLY" | "COUNTER" => {}
        "REFRESH" => return unclear("asks for the invitation again"),
        other => return Verdict::Unclear(format!("sends a calendar part with method {}", shown(other))),
    }
    let invited = ReplyToken::in_id(&part.uid);
    if asked.token.is_some() && invited.as_ref() != asked.token {
        return unclear("answers another invitation than ours");
    }
    if part.events != 1 {
        return unclear("more than one event, or two that contradict each other");
    }
    if asked.topic == Topic::Back {
        return unclear("a calendar answer says nothing about being back");
    }
    let who = match attendee(part, asked) {
        Ok(who) => who,
        Err(why) => return Verdict::Unclear(why),
    };
    if let Some(agent) = &who.sent_by {
        return Verdict::Unclear(format!("{} answered on behalf", shown(agent)));
    }
    if let Some(other) = &who.delegated {
        return Verdict::Unclear(format!("delegated: {}", shown(other)));
    }
    if matches!(who.kind.as_str(), "ROOM" | "RESOURCE") {
        return Verdict::Automatic(format!("a {} answers by itself", who.kind.to_lowercase()));
    }
    if !matches!(who.kind.as_str(), "" | "INDIVIDUAL") {
        return unclear("a group answers, or nobody knows who");
    }
    if revision > asked.present {
        return unclear("answers a revision that was never sent");
    }
    if part.method == "COUNTER" {
        return match part.start {
            Some(start) if part.start_text.ends_with("(UTC)") => {
                Verdict::OtherTime(start.strftime("%Y-%m-%d %H:%M UTC").to_string())
            }
            Some(start) => {
                Verdict::OtherTime(format!("{} ({})", start.strftime("%Y-%m-%d %H:%M UTC"), part.start_text))
            }
            None if part.start_text.is_empty() => unclear("proposes another time without naming it"),
            None => Verdict::OtherTime(part.start_text.clone()),
        };
    }
    let other =
        part.start.is_some_and(|start| start != asked.window.0) || part.end.is_some_and(|end| end != asked.window.1);
    let moved = other && revision == asked.present;
    let unread = |moment: Option<Timestamp>, text: &str| moment.is_none() && !text.is_empty();
    match who.status.as_str() {
        "ACCEPTED" if unread(part.start, &part.start_text) || unread(part.end, &part.end_text) => {
            unclear("accepts a time that can't be read")
        }
        "ACCEPTED" if is_strange(&who.name, asked) => {
            Verdict::Unclear(format!("accepted by somebody who is called {}", who.name))
        }
        "ACCEPTED" if part.attendees.iter().any(|one| !matches!(one.status.as_str(), "ACCEPTED" | "NEEDS-ACTION")) => {
            unclear("somebody else answers otherwise in it")
        }
        "ACCEPTED" if part.organizer.as_ref().is_some_and(|to| !sent_to(letter, to)) => {
            unclear("answers the invitation of somebody else")
        }
        "ACCEPTED" if moved || part.lasts => unclear("accepts another time than the window's"),
        "ACCEPTED" => accepted(letter, part, asked),
        "DECLINED" => Verdict::Declined,
        "TENTATIVE" => Verdict::Tentative,
        other => Verdict::Unclear(format!("answers {}", shown(other))),
    }
}

/// A yes by button counts unless the words beside it take it back.
fn accepted(letter: &Incoming, part: &CalendarPart, asked: &Asked<'_>) -> Verdict {
    let name = letter.from.as_ref().map_or("", |(name, _)| name.as_str());
    let speaker = Speaker::new(asked, name, &letter.recipients);
    if let Some(name) = part.other.first() {
        return Verdict::Unclear(format!("accepted with something that a person must read: {name}"));
    }
    let lines: Vec<String> = part.comment.lines().map(str::to_owned).collect();
    if !is_harmless(&lines, &speaker) {
        return Verdict::Unclear("accepted with a comment that a person must read".into());
    }
    match is_ours(&part.said, &speaker) {
        true => Verdict::Confirmed,
        false => Verdict::Unclear("accepts an event that says something else than ours".into()),
    }
}

/// Whether these lines of the event are those that were sent: its title, behind a mark of the answer, and its description.
fn is_ours(said: &[String], speaker: &Speaker<'_>) -> bool {
    if speaker.asked.sent.is_empty() {
        return true;
    }
    let bare = |line: &str| match line.split_once(':') {
        Some((mark, rest)) if subject::MARKS.contains(&fold(mark).trim()) => rest.trim().to_owned(),
        _ => line.to_owned(),
    };
    let body = Body { lines: said.iter().map(|line| Line { text: bare(line), ..Line::default() }).collect() };
    let titles: Vec<&String> =
        body.lines.iter().map(|line| &line.text).filter(|text| !subject::is_ours(text, speaker.asked.sent)).collect();
    let rest = Body { lines: titles.into_iter().map(|text| Line { text: text.clone(), ..Line::default() }).collect() };
    let words = account(&rest, speaker);
    words.own.iter().chain(&words.quoted).all(String::is_empty) && words.beside.is_empty()
}

/// Whether a letter was sent to this address, or to one of our reply addresses at it.
fn sent_to(letter: &Incoming, address: &str) -> bool {
    let base = |address: &str| {
        let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        format!("{}@{domain}", local.split('+').next().unwrap_or_default()).to_lowercase()
    };
    letter.recipients.is_empty() || letter.recipients.iter().any(|one| base(one) == base(address))
}

/// Whether a name holds a sign that says something, or a word that is none of theirs: not of their name, their address, nor their firm's in what was asked.
fn is_strange(name: &str, asked: &Asked<'_>) -> bool {
    let words = |text: &str| {
        let all = fold(text);
        all.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let theirs = words(&format!("{} {}", asked.name, asked.email));
    let title = asked.sent.first().and_then(|text| text.lines().next()).unwrap_or_default();
    // A name there is written as in the title: `Acme`.
    let firm =
        |word: &String| title.split(|c: char| !c.is_alphanumeric()).any(|one| one.len() > 2 && fold(one) == *word);
    let known = |word: &String| word.chars().count() == 1 || theirs.contains(word);
    let all = words(name);
    let own = words(asked.name);
    let mut foreign = all.iter().filter(|word| !known(word)).peekable();
    let sign =
        |c: char| !c.is_alphanumeric() && !c.is_whitespace() && !",.'\u{2019}-\u{2013}/\\()@_&\"<>|:;".contains(c);
    name.contains(sign) || foreign.peek().is_some() && !(all.iter().any(|word| own.contains(word)) && foreign.all(firm))
}

fn shown(word: &str) -> &str {
    if word.is_empty() { "nothing" } else { word }
}

/// The one whose answer it is (RFC 6047 2.3: ATTENDEE, not the sender).
fn attendee<'a>(part: &'a CalendarPart, asked: &Asked<'_>) -> Result<&'a Attendee, String> {
    let mut same = part.attendees.iter().filter(|one| same_mailbox(&one.email, asked.email));
    if let Some(who) = same.next() {
        return match same.all(|other| other.status == who.status) {
            true => Ok(who),
            false => Err("the same person answers twice, and differently".into()),
        };
    }
    match part.attendees.as_slice() {
        [who] => Err(format!("somebody else answered the invitation: {}", who.email)),
        _ => Err("nobody, or several others, answer the invitation".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn a_button_counts_only_where_everything_in_the_answer_is_known() {
        let moment = |text: &str| text.parse::<Timestamp>().unwrap();
        let window = (moment("2026-12-01T21:00:00Z"), moment("2026-12-01T23:00:00Z"));
        let asked = Asked {
            topic: Topic::Window,
            revision: 1,
            present: 1,
            window,
            zone: &TimeZone::UTC,
            token: None,
            name: "Ada Okafor",
            email: "ada.okafor@acme.example",
            others: &[],
            sent: &[],
        };
        let ada = Attendee {
            email: asked.email.into(),
            name: "Okafor, Ada".into(),
            status: "ACCEPTED".into(),
            kind: "INDIVIDUAL".into(),
            ..Attendee::default()
        };
        let bob = Attendee { email: "bob@acme.example".into(), status: "DECLINED".into(), ..Attendee::default() };
        let part = CalendarPart {
            method: "REPLY".into(),
            sequence: Some(0),
            start: Some(window.0),
            end: Some(window.1),
            organizer: Some("ops+b-x@lab.example".into()),
            attendees: vec![ada.clone()],
            events: 1,
            ..CalendarPart::default()
        };
        let from = Some(("Ada Okafor".to_owned(), asked.email.to_owned()));
        let letter = Incoming { from, recipients: vec!["ops@lab.example".into()], ..Incoming::default() };
        let verdict = |part: &CalendarPart| judge(&letter, part, &asked).verdict;
        assert_eq!(verdict(&part), Verdict::Confirmed);
        let named = |name: &str| CalendarPart {
            attendees: vec![Attendee { name: name.into(), ..ada.clone() }],
            ..part.clone()
        };
        assert_eq!(verdict(&named("ada.okafor@acme.example")), Verdict::Confirmed);
        for other in [
            named("Bob Lee"),
            named("Bob Lee for Ada"),
            named("Ada Okafor (only if Bob agrees)"),
            named("Ada Okafor ?"),
            CalendarPart { other: vec!["STATUS:CANCELLED".into()], ..part.clone() },
            CalendarPart { start: None, start_text: "2026-12-01 21:00 (Ours)".into(), ..part.clone() },
            CalendarPart { end: None, end_text: "2026-12-01".into(), ..part.clone() },
            CalendarPart { attendees: vec![Attendee { kind: "GROUP".into(), ..ada.clone() }], ..part.clone() },
            CalendarPart { attendees: vec![ada.clone(), bob], ..part.clone() },
            CalendarPart { organizer: Some("bob@acme.example".into()), ..part.clone() },
        ] {
            assert!(matches!(verdict(&other), Verdict::Unclear(_)), "{other:?}");
        }
    }
}
