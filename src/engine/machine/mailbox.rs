//! Mails that came from clients: each is taken in once, and those that are unclear are decided by an operator.

use super::{Machine, Outputs, bad_input, done, not_now};
use crate::domain::acknowledgement::Answer;
use crate::domain::token::Topic;
use crate::engine::command::Refusal;
use crate::engine::mailbox::{Decision, Matched, ReadMail, Tally};
use crate::engine::record::Record;
use jiff::Timestamp;

impl Machine {
    /// Takes in the mails that are not known yet. They may come after the end, too: nothing is changed by them then.
    pub(super) fn take_mails(&mut self, at: Timestamp, mails: Vec<Matched>) -> Outputs {
        let mut outputs = Vec::new();
        let mut tally = Tally::default();
        for matched in mails {
            let Some(rotation) = &self.rotation else {
                return Err(not_now("nothing was ever planned for this tenant"));
            };
            let is_known = rotation.knows_mail(&matched.letter.identity);
            let Some(record) = rotation.record_of(matched) else {
                tally.beyond += usize::from(!is_known);
                continue;
            };
            if let Record::MailRead { heard, .. } = &record {
                tally.count(&heard.verdict);
            }
            outputs.push(self.append(at, record)?);
        }
        outputs.push(done(tally.to_string()));
        Ok(outputs)
    }

    /// The mail that begins with these digits.
    pub(super) fn mail_of(&self, id: &str) -> Result<&ReadMail, Refusal> {
        let mut found = self.last()?.mails.iter().filter(|mail| mail.mail.starts_with(id) && !id.is_empty());
        match (found.next(), found.next()) {
            (Some(mail), None) => Ok(mail),
            (None, _) => Err(bad_input(format!("there is no mail {id} of a client"))),
            _ => Err(bad_input(format!("{id} stands for several mails; give more of it"))),
        }
    }

    pub(super) fn decide_mail(&mut self, at: Timestamp, id: &str, decision: Decision, note: String) -> Outputs {
        let mail = self.mail_of(id)?;
        let fits = match (&decision, mail.heard.topic) {
            (Decision::Nothing, _) => true,
            (Decision::Answer(_), topic) => topic == Topic::Window,
            (Decision::Back | Decision::NotBack, topic) => topic == Topic::Back,
        };
        if !fits {
            let (asked, may) = match mail.heard.topic {
                Topic::Window => ("the window", "confirmed, declined, tentative, other-time or nothing"),
                Topic::Back => ("whether they are back", "back, not-back or nothing"),
            };
            return Err(bad_input(format!("that mail answers another question, {asked}: it may mean {may}")));
        }
        if matches!(decision, Decision::Answer(_)) && self.open().is_err() {
            return Err(bad_input(
                "the rotation has ended: no answer to its window counts any more; --as nothing, with a note",
            ));
        }
        if let Decision::Answer(Answer::OtherTime(when)) = &decision
            && when.trim().is_empty()
        {
            return Err(bad_input("say which other time the client proposes"));
        }
        let later = self.last()?.not_back_by_word(&mail.client).filter(|later| later.mail != mail.mail);
        let is_over = decision == Decision::Back && later.is_some_and(|later| later.at >= mail.at);
        let but = if is_over { ", but a later mail of theirs says that it does not work: that holds" } else { "" };
        let text = format!("{}: {}{but}", mail.client, decision.word());
        let (client, mail) = (mail.client.clone(), mail.mail.clone());
        Ok(vec![self.append(at, Record::MailDecided { client, mail, decision, note })?, done(text)])
    }
}
