//! The mails of a case: each is journaled before and after it is handed over, and what has come back is taken in once.

use super::run::{Run, RunFault};
use super::{CaseDesk, Postman};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::language::Language;
use crate::engine::case::core::Core;
use crate::engine::case::gate::{Fact, FactKind};
use crate::engine::case::letter::{Question, judge, tally};
use crate::engine::case::machine::{Order, Refusal};
use crate::engine::case::record::{Body, CoreRecord};
use crate::engine::case::runbook::{Awaited, Case, Runbook};
use crate::engine::mailbox::{Matched, Tally};
use crate::engine::ports::{Letter, Sheet};
use crate::runtime::ending;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// A mail that is to go out.
struct Due {
    question: Question,
    message_id: String,
    letter: Letter,
}

impl<R: Runbook> CaseDesk<R> {
    /// Who must follow now, and who can be asked by mail.
    pub(super) fn people(&self, case: Option<&Case<R>>) -> (Vec<Awaited>, Vec<Question>) {
        let Some(case) = case else { return (Vec::new(), Vec::new()) };
        let mut awaited = R::awaited(&self.world, case);
        let questions = match &self.seat.postman {
            Some(_) => R::questions(&self.world, case),
            None => Vec::new(),
        };
        let due = case.core.unasked(&questions, &[], false);
        for one in &mut awaited {
            one.to_mail = due.iter().any(|due| due.person == one.person && due.about == one.about);
            one.is_uncertain = case.core.may_have(one.about, &one.person);
        }
        (awaited, questions)
    }

    /// Why the mailbox could not be read; none where it could.
    pub(super) fn mailbox_is(&self, fault: Option<Fault>) {
        *self.mailbox.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Where mails went out and the mailbox could not be read, an answer may lie there.
    pub(super) fn unread_mailbox(&self, case: Option<&Case<R>>) -> Option<Fact> {
        let fault = self.mailbox.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        case.filter(|case| !case.core.letters.is_empty())?;
        let (text, remedy) =
            (format!("the mailbox can't be read, so that a no may lie there: {}", fault.message), fault.remedy());
        let remedy = remedy.to_owned();
        Some(Fact { name: "mailbox", text, who: Vec::new(), remedy, until: None, kind: FactKind::MayBeSetAside })
    }

    /// The mails that would go out now.
    pub(super) async fn letters_due(&self, only: &[String], again: bool) -> Result<Vec<Letter>, Fault> {
        let case = self.known().case.clone();
        let (Some(case), Some(postman)) = (case, &self.seat.postman) else { return Ok(Vec::new()) };
        let due = self.compose(&case, postman, only, again).await?;
        Ok(due.into_iter().map(|due| due.letter).collect())
    }

    /// Writes all of them before one is sent: one clear fault instead of half of them gone.
    async fn compose(
        &self,
        case: &Case<R>,
        postman: &Postman,
        only: &[String],
        again: bool,
    ) -> Result<Vec<Due>, Fault> {
        let (_, questions) = self.people(Some(case));
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut all = Vec::new();
        for question in case.core.unasked(&questions, only, again) {
            let encloses = &question.encloses;
            let bytes = match files.get(&encloses.path) {
                Some(bytes) => bytes.clone(),
                None => R::enclosed(&self.world, encloses).await?,
            };
            files.insert(encloses.path.clone(), bytes.clone());
            let paper = R::paper(&self.world, question.about, postman.language).ok_or_else(|| {
                Fault::new(Service::Mail, FaultKind::Invalid, format!("there are no words for {}", question.about))
            })?;
            let (id, person) = (case.core.id.0.as_str(), question.person.as_str());
            let copy = case.core.copies(question.about, person);
            let domain = postman.mailer.message_domain();
            let message_id = postman.key.message_id_of((id, person), question.about, &encloses.digest, copy, &domain);
            let first =
                case.core.letters.iter().find(|letter| letter.person == person && letter.message_id != message_id);
            let token = postman.key.token_of(id, person);
            let sheet = Sheet {
                name: person,
                email: &question.email,
                subject: &paper.subject,
                text: &paper.text,
                language: postman.language,
                kind: question.about,
                message_id: &message_id,
                in_reply_to: first.map(|letter| letter.message_id.as_str()),
                token: &token,
                round: question.round,
                file: (&encloses.name, &bytes),
            };
            let letter = postman.mailer.write(&sheet)?;
            all.push(Due { question: question.clone(), message_id, letter });
        }
        Ok(all)
    }

    /// What was written to somebody, in every wording in which it may have been: a copy of it in an answer is ours.
    fn sent(&self, core: &Core, person: &str) -> Vec<String> {
        let Some(postman) = &self.seat.postman else { return Vec::new() };
        let mut abouts: Vec<&str> =
            core.letters.iter().filter(|letter| letter.person == person).map(|letter| letter.about.as_str()).collect();
        abouts.dedup();
        let papers =
            abouts.into_iter().flat_map(|about| Language::ALL.map(|language| R::paper(&self.world, about, language)));
        papers.flatten().map(|paper| postman.mailer.written(&paper.subject, &paper.text)).collect()
    }

    /// Takes mails in under a lease of their own, if nobody is at work.
    pub(super) async fn take_in(&self, mails: Vec<Matched>) -> Result<Tally, RunFault> {
        let busy = || Refusal::NotNow("a command is under way".into());
        let _busy = self.busy.try_lock().map_err(|_| busy())?;
        let ended = || Refusal::NotNow("the program is ending".into());
        let _work = ending::begin().await.ok_or_else(ended)?;
        let (lease, _) = self.acquire(&Order::Note { text: String::new() }).await?;
        self.seat.fence.take(lease.clone());
        self.known().running = true;
        let taken = async {
            let (mut case, lines) = self.load().await?;
            if let Some(case) = &mut case {
                case.core.interrupt();
            }
            let lost = {
                let mut known = self.known();
                (known.case, known.lines) = (case.clone().map(Arc::new), lines);
                known.witnessed.lost.clone()
            };
            if let Some(lost) = lost {
                return Err(Refusal::JournalLost(Box::new(lost)).into());
            }
            Run::new(self, &lease, case, None).take(mails).await.map_err(RunFault::Fault)
        };
        let taken = taken.await;
        self.known().running = false;
        self.seat.fence.shut();
        let released = self.seat.store.release(&lease).await;
        let _ = self.read().await;
        self.seat.onlooker.changed(self);
        let taken = taken?;
        released?;
        Ok(taken)
    }
}

impl<R: Runbook> Run<'_, R> {
    /// Sends what is due.
    pub(super) async fn notify(&self, only: &[String], again: bool) -> Result<String, RunFault> {
        let none = || Fault::new(Service::Mail, FaultKind::Invalid, "no mail server is configured");
        let postman = self.desk.seat.postman.as_ref().ok_or_else(none)?;
        let Some(case) = self.now() else { return Ok("there is no case".into()) };
        let due = self.desk.compose(&case, postman, only, again).await?;
        let questions: Vec<Question> = due.iter().map(|due| due.question.clone()).collect();
        drop(case);
        postman.mailer.probe().await?;
        for Due { question, message_id, letter } in due {
            let Question { person, about, round, email, encloses, .. } = question;
            let (about, enclosed, id) = (about.to_owned(), encloses.digest, message_id.clone());
            self.write(Body::Core(CoreRecord::Mailed { person, about, round, email, message_id, enclosed })).await?;
            let delivery = postman.mailer.send(&letter).await;
            self.write(Body::Core(CoreRecord::Delivered { message_id: id, delivery })).await?;
        }
        let Some(case) = self.now() else { return Ok(String::new()) };
        let said = tally(&case.core, &questions).judge()?;
        // Who may have had theirs is not mailed again unasked; that is said, and not only shown.
        let left = self.desk.people(Some(&case)).0.into_iter().filter_map(|one| one.uncertain());
        Ok([said].into_iter().chain(left).collect::<Vec<_>>().join("; "))
    }

    /// Takes in what is not known yet; each mail is judged behind the one before.
    pub(super) async fn take(&self, mails: Vec<Matched>) -> Result<Tally, Fault> {
        let mut tally = Tally::default();
        for mut matched in mails {
            let Some(case) = self.now() else { break };
            matched.sent = self.desk.sent(&case.core, &matched.client.0);
            let is_known = case.core.said.iter().any(|said| said.mail == matched.letter.identity);
            let Some(judged) = judge(&case.core, &matched) else {
                tally.beyond += usize::from(!is_known);
                continue;
            };
            tally.count(&judged.heard.verdict);
            let Matched { client, notice, letter, .. } = matched;
            let (person, mail) = (client.0, letter.identity);
            let from = letter.from.map(|(_, address)| address).unwrap_or_default();
            let (about, heard, doubt) = (judged.about, judged.heard, judged.doubt);
            self.write(Body::Core(CoreRecord::Answered { person, about, mail, from, heard, notice, doubt })).await?;
        }
        Ok(tally)
    }

    /// Looks into the mailbox before a gate is judged, where mails went out. What can't be read shuts the gate.
    pub(super) async fn read_mailbox(&self) -> Result<(), Fault> {
        let mailbox = self.desk.seat.postman.as_ref().and_then(|postman| postman.mailbox.as_ref());
        let (Some(mailbox), Some(case)) = (mailbox, self.now().filter(|case| !case.core.letters.is_empty())) else {
            return Ok(());
        };
        match mailbox.waiting(&self.desk.seat.key, &case.core).await {
            Ok(mails) => {
                self.desk.mailbox_is(None);
                self.take(mails).await?;
            }
            Err(fault) => self.desk.mailbox_is(Some(fault)),
        }
        Ok(())
    }
}
