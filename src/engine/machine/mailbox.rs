//! Mails that came from clients: each is taken in once, and those that are unclear are decided by an operator.

use super::{Machine, Outputs, bad_input, done, not_now};
use crate::domain::acknowledgement::Answer;
use crate::domain::reply::Verdict;
use crate::domain::token::Topic;
use crate::engine::mailbox::{Decision, Matched};
use crate::engine::record::Record;
use jiff::Timestamp;

impl Machine {
    /// Takes in the mails that are not known yet. They may come after the end, too: nothing is changed by them then.
    pub(super) fn take_mails(&mut self, at: Timestamp, mails: Vec<Matched>) -> Outputs {
        let mut outputs = Vec::new();
        let mut counts = [0usize; 3];
        for matched in mails {
            let Some(rotation) = &self.rotation else {
                return Err(not_now("nothing was ever planned for this tenant"));
            };
            let mail = matched.letter.identity.clone();
            if rotation.knows_mail(&mail) {
                continue;
            }
            let mut heard = rotation.judge_mail(&matched);
            // As a quotation, which no other text in the journal is taken for.
            heard.evidence.iter_mut().for_each(|line| *line = format!("> {line}"));
            counts[match heard.verdict {
                Verdict::Unclear(_) => 1,
                Verdict::Automatic(_) | Verdict::Delayed(_) | Verdict::Unrelated(_) => 2,
                _ => 0,
            }] += 1;
            let from = matched.letter.from.map(|(_, address)| address).unwrap_or_default();
            let record = Record::MailRead { client: matched.client, mail, from, heard, notice: matched.notice };
            outputs.push(self.append(at, record)?);
        }
        let [told, unclear, nothing] = counts;
        outputs.push(done(format!(
            "{told} answers or bounces, {unclear} to be read by a person, {nothing} without an answer"
        )));
        Ok(outputs)
    }

    pub(super) fn decide_mail(&mut self, at: Timestamp, id: &str, decision: Decision, note: String) -> Outputs {
        let rotation = self.open()?;
        let mut found = rotation.mails.iter().filter(|mail| mail.mail.starts_with(id) && !id.is_empty());
        let mail = match (found.next(), found.next()) {
            (Some(mail), None) => mail,
            (None, _) => return Err(bad_input(format!("there is no mail {id} of a client"))),
            _ => return Err(bad_input(format!("{id} stands for several mails; give more of it"))),
        };
        let fits = match (&decision, mail.heard.topic) {
            (Decision::Nothing, _) => true,
            (Decision::Answer(_), topic) => topic == Topic::Window,
            (Decision::Back | Decision::NotBack, topic) => topic == Topic::Back,
        };
        if !fits {
            return Err(bad_input("that mail answers another question"));
        }
        if let Decision::Answer(Answer::OtherTime(when)) = &decision
            && when.trim().is_empty()
        {
            return Err(bad_input("say which other time the client proposes"));
        }
        let text = format!("{}: {}", mail.client, decision.word());
        let (client, mail) = (mail.client.clone(), mail.mail.clone());
        Ok(vec![self.append(at, Record::MailDecided { client, mail, decision, note })?, done(text)])
    }
}
