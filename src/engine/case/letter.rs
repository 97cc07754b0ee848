//! Mails of a case: who can be asked something now and with what enclosed, how each mail stands, and what its answer comes to.
//!
//! What a question is and in which words it is asked is the runbook's; sending and reading are the runtime's. An answer is judged by
//! `domain::reply`, as everywhere; here it is only known to which question it belongs.

use super::core::Core;
use crate::domain::letter::Incoming;
use crate::domain::notice::Delivery;
use crate::domain::reply::{Asked, Heard, Verdict, hear};
use crate::domain::token::{ReplyToken, Topic};
use crate::engine::hearing::MOST_MAILS;
use crate::engine::mailbox::{Doubt, Matched, Vouched};
use crate::engine::mailing::Tally;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::BTreeMap;

/// A file that a mail encloses: public data, where it lies on this host, and by what it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enclosure {
    /// Its name in the mail.
    pub name: String,
    /// Where it lies.
    pub path: String,
    /// Its SHA-256, as the journal has it: what lies there must be that.
    pub digest: String,
}

/// What somebody can be asked by mail now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Whom.
    pub person: String,
    /// Where.
    pub email: String,
    /// What about, in a word for the journal.
    pub about: &'static str,
    /// The number of that question in its runbook, from 1: it stands in the reply address.
    pub round: u32,
    /// What they get with it.
    pub encloses: Enclosure,
    /// What it is, for the operator.
    pub text: &'static str,
}

/// The words of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    /// The subject.
    pub subject: String,
    /// The text, without the sender's name.
    pub text: String,
}

/// A mail of a case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Letter {
    /// To whom.
    pub person: String,
    /// What about.
    pub about: String,
    /// The question's number.
    #[serde(skip)]
    pub round: u32,
    /// The address at that time.
    pub email: String,
    /// Fixed and journaled before sending.
    pub message_id: String,
    /// The SHA-256 of what it encloses.
    pub enclosed: String,
    /// How it stands.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// Since when, UTC.
    pub at: Timestamp,
}

/// What somebody has answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Said {
    /// What recognises the mail.
    pub mail: String,
    /// Who.
    pub person: String,
    /// To what.
    pub about: String,
    /// The sender's address.
    pub from: String,
    /// What it says.
    #[serde(flatten)]
    pub heard: Heard,
    /// Why it is not taken for their own word as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// When it was read, UTC.
    pub at: Timestamp,
}

impl Core {
    /// Since when somebody is known to have followed: an operator has said so, or they have by mail. What came last counts: a mail that
    /// says otherwise, or that nobody can tell the meaning of, is no word of theirs any more.
    pub fn followed(&self, about: &str, person: &str) -> Option<Timestamp> {
        let word = self.settled.get(&(about.to_owned(), person.to_owned())).map(|word| word.at);
        let said = self.said.iter().rfind(|said| said.person == person && said.about == about && said.heard.is_word());
        match (word, said) {
            (Some(at), Some(said)) if at >= said.at => Some(at),
            (_, Some(said)) => (said.heard.verdict == Verdict::Confirmed).then_some(said.at),
            (word, None) => word,
        }
    }

    /// What was last heard from somebody on a question.
    pub fn last_said(&self, about: &str, person: &str) -> Option<&Said> {
        self.said.iter().rfind(|said| said.person == person && said.about == about && said.heard.is_word())
    }

    /// The last mail to somebody on a question.
    pub fn last_letter(&self, about: &str, person: &str) -> Option<&Letter> {
        self.letters.iter().rfind(|letter| letter.person == person && letter.about == about)
    }

    /// Whether the last mail to somebody on a question may have reached them, and nobody knows.
    pub fn may_have(&self, about: &str, person: &str) -> bool {
        let letter = self.last_letter(about, person);
        letter.is_some_and(|letter| matches!(letter.delivery, Delivery::Uncertain { .. }))
    }

    /// Those of these questions of which a mail goes out now. `only`: to these people; none: to everybody who has not had it. `again`: also
    /// what they had, or may have.
    pub fn unasked<'a>(&self, questions: &'a [Question], only: &[String], again: bool) -> Vec<&'a Question> {
        let is_due = |question: &&Question| {
            if !only.is_empty() && !only.contains(&question.person) {
                return false;
            }
            let same = |letter: &&Letter| letter.enclosed == question.encloses.digest;
            match self.last_letter(question.about, &question.person).filter(same) {
                None => true,
                Some(_) if again => true,
                Some(letter) => match &letter.delivery {
                    Delivery::Failed { .. } => true,
                    // The same mail to the same address would come back again.
                    Delivery::Bounced { .. } => !letter.email.eq_ignore_ascii_case(&question.email),
                    Delivery::Sent { .. } | Delivery::Uncertain { .. } | Delivery::Queued => false,
                },
            }
        };
        questions.iter().filter(is_due).collect()
    }

    /// How many mails on this question went to this person, or may have: the number of the next copy.
    pub fn copies(&self, about: &str, person: &str) -> usize {
        let counts = |letter: &&Letter| {
            letter.person == person && letter.about == about && !matches!(letter.delivery, Delivery::Failed { .. })
        };
        self.letters.iter().filter(counts).count()
    }

    /// Whatever was being sent is uncertain now: nobody is there any more who could record the answer.
    pub(super) fn interrupt_letters(&mut self) {
        for letter in self.letters.iter_mut().filter(|letter| letter.delivery == Delivery::Queued) {
            letter.delivery = Delivery::Uncertain { why: "whoever sent it ended meanwhile".into() };
        }
    }
}

/// How the mails stand that were to go out for these questions.
pub fn tally(core: &Core, asked: &[Question]) -> Tally {
    let mut tally = Tally::default();
    for Question { person, about, .. } in asked {
        match core.last_letter(about, person).map(|letter| &letter.delivery) {
            Some(Delivery::Sent { .. }) => tally.sent += 1,
            Some(Delivery::Failed { permanent, reply }) => {
                if *permanent { &mut tally.refused } else { &mut tally.deferred }.push(person.clone());
                tally.reason.get_or_insert_with(|| reply.clone());
            }
            Some(Delivery::Bounced { reply }) => {
                tally.bounced.push(person.clone());
                tally.reason.get_or_insert_with(|| reply.clone());
            }
            Some(Delivery::Uncertain { .. } | Delivery::Queued) => tally.uncertain.push(person.clone()),
            None => tally.deferred.push(person.clone()),
        }
    }
    tally
}

/// What a mail says to what its writer was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// To which question.
    pub about: String,
    /// What it says.
    pub heard: Heard,
    /// Why it is not taken for their own word as it stands.
    pub doubt: Option<Doubt>,
}

/// Judges a mail of this case. `None`: it is known already, or it says nothing to what was ever asked of its writer, or so many of theirs
/// are journaled that no more are.
pub fn judge(core: &Core, matched: &Matched) -> Option<Judged> {
    let person = matched.client.0.as_str();
    let mail = &matched.letter.identity;
    let theirs = core.said.iter().filter(|said| said.person == person).count();
    if core.said.iter().any(|said| said.mail == *mail) || theirs >= MOST_MAILS {
        return None;
    }
    let by_notice = matched.notice.as_ref().and_then(|id| core.letters.iter().find(|letter| letter.message_id == *id));
    let by_address = || {
        let (_, round) = matched.addressed.filter(|(topic, _)| *topic == Topic::Back)?;
        core.letters.iter().rfind(|letter| letter.person == person && letter.round == round)
    };
    let last = || core.letters.iter().rfind(|letter| letter.person == person);
    let letter = by_notice.or_else(by_address).or_else(last)?;
    let mut others: Vec<String> = core.letters.iter().map(|letter| letter.email.to_lowercase()).collect();
    others.retain(|other| !other.eq_ignore_ascii_case(&letter.email));
    let token = ReplyToken::in_id(&letter.message_id);
    let asked = Asked {
        topic: Topic::Back,
        revision: letter.round,
        present: letter.round,
        window: (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH),
        zone: &TimeZone::UTC,
        token: token.as_ref(),
        name: person,
        email: &letter.email,
        others: &others,
        sent: &matched.sent,
    };
    let mut heard = hear(&matched.letter, &asked);
    (heard.topic, heard.revision) = (Topic::Back, letter.round);
    let mut doubt = None;
    if heard.is_word() {
        if let Some(why) = not_to_us(core, matched, person) {
            heard.verdict = Verdict::Unclear(why);
        } else if let Vouched::No(why) = &matched.vouched {
            let otherwise = heard.verdict.clone();
            let found = Doubt { foreign: None, unverified: Some(why.clone()), otherwise };
            heard.verdict = found.verdict();
            doubt = Some(found);
        }
        if theirs + 1 == MOST_MAILS {
            heard.verdict =
                Verdict::Unclear(format!("{MOST_MAILS} mails of theirs are journaled, and no more will be: ask them"));
        }
    }
    // As a quotation, which no other text in the journal is taken for.
    heard.evidence.iter_mut().for_each(|line| *line = format!("> {line}"));
    Some(Judged { about: letter.about.clone(), heard, doubt })
}

/// Why a mail with words says nothing to what we asked.
fn not_to_us(core: &Core, matched: &Matched, person: &str) -> Option<String> {
    if matched.is_torn {
        return Some("it refers to mails of different people".into());
    }
    let Incoming { from, references, .. } = &matched.letter;
    if from.is_none() {
        return Some("nobody is named as its sender".into());
    }
    let ours: Vec<&Letter> = core.letters.iter().filter(|letter| letter.person == person).collect();
    let token = ours.iter().find_map(|letter| ReplyToken::in_id(&letter.message_id));
    let is_ours = |id: &String| ReplyToken::in_id(id).is_some_and(|found| Some(found) == token);
    references.first().filter(|id| !is_ours(id)).map(|_| "answers another mail than ours".into())
}

/// How many questions to whom, in a line each: what an operator reads before a name is typed.
pub fn told(due: &[&Question]) -> Vec<String> {
    let mut alike: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for question in due {
        let to = format!("{} <{}>", question.person, question.email);
        alike.entry((question.text, question.encloses.digest.as_str())).or_default().push(to);
    }
    let line = |((text, digest), people): ((&str, &str), Vec<String>)| {
        let digest = &digest[..digest.len().min(12)];
        format!("{} get {text}, attached (SHA-256 {digest}…): {}", people.len(), people.join(", "))
    };
    alike.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::core::Stamp;
    use super::super::record::{CaseId, CoreRecord};
    use super::super::spec::Spec;
    use super::*;
    use crate::domain::reply::Means;

    static NOTHING: Spec = Spec { name: "toy", noun: "box", title: "A box", pauses: false, steps: &[], stretches: &[] };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn case() -> Core {
        let (case, runbook, subject) = (CaseId("c".into()), "toy".into(), "box/b".into());
        let opened = CoreRecord::Opened { case, runbook, subject, reference: String::new() };
        Core::open(&NOTHING, Stamp { seq: 1, at: at(0), person: "ada" }, &opened).unwrap()
    }

    fn then(core: &mut Core, second: i64, record: &CoreRecord) {
        core.check(record).unwrap();
        core.apply(Stamp { seq: core.seq + 1, at: at(second), person: "ada" }, record);
    }

    fn mailed(id: &str, enclosed: &str) -> CoreRecord {
        let (person, about, email) = ("mira".into(), "certificates".into(), "mira@x.example".into());
        CoreRecord::Mailed { person, about, round: 1, email, message_id: id.into(), enclosed: enclosed.into() }
    }

    fn delivered(id: &str, delivery: Delivery) -> CoreRecord {
        CoreRecord::Delivered { message_id: id.into(), delivery }
    }

    fn answered(mail: &str, verdict: Verdict) -> CoreRecord {
        let (marks, evidence, means) = (Vec::new(), Vec::new(), Means::Text);
        let heard = Heard { verdict, topic: Topic::Back, revision: 1, means, marks, evidence, said_at: None };
        let (person, about, from) = ("mira".into(), "certificates".into(), "mira@x.example".into());
        CoreRecord::Answered { person, about, mail: mail.into(), from, heard, notice: None, doubt: None }
    }

    fn question(email: &str, digest: &str) -> Vec<Question> {
        let encloses = Enclosure { name: "f".into(), path: "p".into(), digest: digest.into() };
        let (person, email, about) = ("mira".into(), email.into(), "certificates");
        vec![Question { person, email, about, round: 1, encloses, text: "them" }]
    }

    #[test]
    fn the_last_word_counts_whoever_has_said_it() {
        let mut core = case();
        let followed = |core: &Core| core.followed("certificates", "mira").is_some();
        assert!(!followed(&core));
        let steps = [
            (answered("1", Verdict::Confirmed), true),
            (answered("2", Verdict::Automatic("away".into())), true),
            (answered("3", Verdict::Unclear("a question".into())), false),
            (answered("4", Verdict::Confirmed), true),
            (answered("5", Verdict::Declined), false),
        ];
        for (second, (record, wanted)) in steps.into_iter().enumerate() {
            then(&mut core, second as i64 + 1, &record);
            assert_eq!(followed(&core), wanted, "{record:?}");
        }
        let settled =
            CoreRecord::Settled { person: "mira".into(), about: "certificates".into(), reason: "seen".into() };
        then(&mut core, 10, &settled);
        assert!(followed(&core));
        then(&mut core, 11, &answered("6", Verdict::Declined));
        assert!(!followed(&core), "whoever was settled and writes that it does not work is asked again");
        assert!(core.check(&answered("6", Verdict::Confirmed)).is_err(), "a mail is taken in once");
    }

    #[test]
    fn nobody_is_mailed_twice_unnoticed_and_nobody_forgotten() {
        let mut core = case();
        let due = |core: &Core, again| core.unasked(&question("mira@x.example", "d"), &["mira".into()], again).len();
        assert_eq!(due(&core, false), 1);
        then(&mut core, 1, &mailed("<1@x>", "d"));
        // Whoever sent it died: it may have gone.
        let mut dead = core.clone();
        dead.interrupt();
        assert!(matches!(dead.letters[0].delivery, Delivery::Uncertain { .. }));
        assert_eq!((due(&dead, false), due(&dead, true), dead.copies("certificates", "mira")), (0, 1, 1));
        then(&mut core, 2, &delivered("<1@x>", Delivery::Failed { permanent: false, reply: "450".into() }));
        assert_eq!((due(&core, false), core.copies("certificates", "mira")), (1, 0), "it is the same mail once more");
        then(&mut core, 3, &mailed("<1@x>", "d"));
        then(&mut core, 4, &delivered("<1@x>", Delivery::Sent { reply: "250".into() }));
        assert_eq!((due(&core, false), core.letters.len()), (0, 1));
        assert_eq!(
            core.unasked(&question("mira@x.example", "other"), &[], false).len(),
            1,
            "other certificates are another mail"
        );
        then(&mut core, 5, &delivered("<1@x>", Delivery::Bounced { reply: "550".into() }));
        assert_eq!(due(&core, false), 0, "it would come back again");
        assert_eq!(core.unasked(&question("mira@y.example", "d"), &[], false).len(), 1);
        assert!(core.check(&delivered("<2@x>", Delivery::Queued)).is_err());
    }
}
