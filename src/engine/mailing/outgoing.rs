//! Mails on their way: several are handed over at once, and each is journaled before and after. One write of the journal is
//! under way at a time; it takes with it what has come of the mails before and the next that are to go, so that the server and
//! the disk work side by side. Who gets a mail is the parent's.

use crate::domain::client::Client;
use crate::domain::fault::Fault;
use crate::domain::notice::{Delivery, NoticeKind};
use crate::domain::step::StepNumber;
use crate::engine::ports::{Handed, Letter, NoticeRequest};
use crate::engine::record::Record;
use crate::engine::rotation::Rotation;
use crate::engine::step::{Progress, StepContext};
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use std::collections::VecDeque;
use std::mem::take;
use std::time::Duration;

/// For each connection at most so many mails are journaled and not handed over yet. They would be uncertain if the program died
/// now, so they are few where the server is slow, and many only where it takes so many while one record is written.
const MOST_AHEAD: usize = 32;

/// A mail that is to be handed over, and how often the server has put it off.
struct Job {
    client: Client,
    kind: NoticeKind,
    deferred: usize,
}

/// One that the journal says is on its way.
struct Ready {
    job: Job,
    message_id: String,
    /// The first mail to the same person, to which this one belongs.
    first: Option<String>,
}

impl Ready {
    fn ended(self, handed: Handed) -> Ended {
        Ended { job: self.job, message_id: self.message_id, handed }
    }
}

/// One that was handed over, or could not be.
struct Ended {
    job: Job,
    message_id: String,
    handed: Handed,
}

/// What has come of a write: of what had ended (whether the server asks to try it again later), and of what is to go.
struct Written {
    ended: Vec<(Job, bool, Result<(), Fault>)>,
    ready: Vec<(Ready, Result<(), Fault>)>,
}

/// What has come of one turn.
enum Turn {
    Composed(Box<(Ready, Result<Letter, Fault>)>),
    Handed(Box<Ended>),
    Written(Written),
    /// The pause of a mail that the server has put off is over.
    Rested(Job),
}

/// Hands all over. A mail that the server puts off holds nothing and nobody: it is journaled as deferred, rests, and goes
/// behind the others. Where the end is asked for, those that were not handed over yet are journaled as that.
pub(super) async fn hand_over(
    context: &StepContext<'_>,
    step: StepNumber,
    mails: Vec<(Client, NoticeKind)>,
) -> Result<(), Fault> {
    let mailer = &context.world.mailer;
    let (places, pauses) = (mailer.connections().max(1), mailer.pauses());
    let (total, mut done) = (mails.len() as u64, 0);
    let tell = |done: u64, text: String| context.ledger.progress(Progress { step, done, total, text });
    tell(0, String::new());
    let mut jobs: VecDeque<Job> = mails.into_iter().map(|(client, kind)| Job { client, kind, deferred: 0 }).collect();
    let (mut ready, mut letters): (VecDeque<Ready>, VecDeque<(Ready, Letter)>) = Default::default();
    let mut ended: Vec<Ended> = Vec::new();
    let (mut composing, mut sending, mut resting) = (0, 0, 0_usize);
    let (mut ahead, mut is_writing) = (places, false);
    let (mut turns, mut fault, mut ending) = (FuturesUnordered::new(), None, Some(context.ledger.ending()));
    loop {
        // After a fault nothing more is begun, but what is under way is awaited and recorded.
        while fault.is_none()
            && sending < places
            && let Some((next, letter)) = letters.pop_front()
        {
            sending += 1;
            turns.push(hand_over_one(context, next, letter).boxed());
        }
        // As many are composed ahead as may be handed over at once, so that no connection waits for a text.
        while fault.is_none()
            && composing + letters.len() < places
            && let Some(next) = ready.pop_front()
        {
            composing += 1;
            turns.push(compose(context, next).boxed());
        }
        let more = if fault.is_none() { ahead.saturating_sub(ready.len()).min(jobs.len()) } else { 0 };
        if !is_writing && (more > 0 || !ended.is_empty()) {
            is_writing = true;
            turns.push(write(context, take(&mut ended), jobs.drain(..more).collect()).boxed());
        }
        if fault.is_some() && composing == 0 && sending == 0 && !is_writing {
            break;
        }
        let turn = match ending.as_mut() {
            None => turns.next().await,
            Some(asked) => match select(asked, turns.next()).await {
                Either::Right((turn, _)) => turn,
                Either::Left((new, _)) => {
                    ending = None;
                    if !(jobs.is_empty() && ready.is_empty() && letters.is_empty()) || composing > 0 || resting > 0 {
                        fault = fault.or(Some(new));
                    }
                    let left = ready.drain(..).chain(letters.drain(..).map(|(mail, _)| mail));
                    ended.extend(left.map(|mail| mail.ended(not_handed_over())));
                    continue;
                }
            },
        };
        match turn {
            None => break,
            Some(Turn::Rested(job)) => {
                resting -= 1;
                jobs.push_back(job);
            }
            Some(Turn::Composed(composed)) => {
                composing -= 1;
                match *composed {
                    (mail, _) if ending.is_none() => ended.push(mail.ended(not_handed_over())),
                    (mail, Ok(letter)) => letters.push_back((mail, letter)),
                    (mail, Err(fault)) => ended.push(mail.ended(failed(true, fault.message))),
                }
            }
            Some(Turn::Handed(mail)) => {
                sending -= 1;
                ended.push(*mail);
            }
            Some(Turn::Written(written)) => {
                is_writing = false;
                ahead = match ready.len() {
                    // Connections have stood idle for want of a record.
                    0 if sending < places && !jobs.is_empty() => (ahead * 2).min(places * MOST_AHEAD),
                    left if left > ahead / 2 => (ahead / 2).max(places),
                    _ => ahead,
                };
                for (mut job, again, recorded) in written.ended {
                    if let Err(new) = recorded {
                        // The journal can't be written: what it says is on its way stays there, and is not sent.
                        ready.clear();
                        letters.clear();
                        fault = fault.or(Some(new));
                        continue;
                    }
                    match pauses.get(job.deferred).filter(|_| again) {
                        Some(pause) => {
                            job.deferred += 1;
                            resting += 1;
                            turns.push(rest(context, *pause, job).boxed());
                        }
                        None => {
                            done += 1;
                            tell(done, job.client.name);
                        }
                    }
                }
                for (mail, recorded) in written.ready {
                    match recorded {
                        Ok(()) if ending.is_none() => ended.push(mail.ended(not_handed_over())),
                        Ok(()) => ready.push_back(mail),
                        Err(new) => fault = fault.or(Some(new)),
                    }
                }
                if resting > 0 && composing + sending + letters.len() + ready.len() + jobs.len() + ended.len() == 0 {
                    tell(done, format!("the mail server has put off {resting}: tried again"));
                }
            }
        }
    }
    fault.map_or(Ok(()), Err)
}

/// Nothing of it has left: it is the same mail when it is sent later.
fn not_handed_over() -> Handed {
    failed(false, "not handed over: the end was asked for before its turn".into())
}

fn failed(permanent: bool, reply: String) -> Handed {
    Handed { delivery: Delivery::Failed { permanent, reply }, again: false }
}

async fn rest(context: &StepContext<'_>, pause: Duration, job: Job) -> Turn {
    context.world.clock.sleep(pause).await;
    Turn::Rested(job)
}

async fn compose(context: &StepContext<'_>, ready: Ready) -> Turn {
    // The rotation is not held while anything is waited for: a record would have to copy it.
    let (tenant, window, token, key_told) = {
        let rotation = context.rotation();
        let token = context.world.reply_key.token(&rotation, &ready.job.client.id);
        (rotation.tenant.clone(), rotation.window.clone(), token, rotation.key_told())
    };
    let Client { name, email, .. } = &ready.job.client;
    let request = NoticeRequest {
        kind: ready.job.kind,
        tenant: &tenant,
        client_name: name,
        email: email.as_deref().unwrap_or_default(),
        window: &window,
        message_id: &ready.message_id,
        in_reply_to: ready.first.as_deref(),
        token: &token,
        language: context.world.settings.language,
        key_told,
    };
    let letter = context.world.mailer.compose_apart(&request).await;
    Turn::Composed(Box::new((ready, letter)))
}

async fn hand_over_one(context: &StepContext<'_>, ready: Ready, letter: Letter) -> Turn {
    let handed = context.world.mailer.hand_over(&letter).await;
    Turn::Handed(Box::new(ready.ended(handed)))
}

/// Makes durable what has come of some mails, and that others are on their way from now on.
async fn write(context: &StepContext<'_>, ended: Vec<Ended>, jobs: Vec<Job>) -> Turn {
    let mut records = Vec::with_capacity(ended.len() + jobs.len());
    let ended: Vec<(Job, bool)> = ended
        .into_iter()
        .map(|Ended { job, message_id, handed }| {
            records.push(Record::NoticeDelivery { message_id, delivery: handed.delivery });
            (job, handed.again)
        })
        .collect();
    let mut ready = Vec::with_capacity(jobs.len());
    {
        let rotation = context.rotation();
        for job in jobs {
            if let Some((mail, record)) = announced(context, &rotation, job) {
                ready.push(mail);
                records.push(record);
            }
        }
    }
    let mut recorded = context.ledger.record_all(records).await.into_iter();
    let ended = ended.into_iter().zip(recorded.by_ref()).map(|((job, again), result)| (job, again, result)).collect();
    Turn::Written(Written { ended, ready: ready.into_iter().zip(recorded).collect() })
}

/// The record that a mail is on its way, and what is known of it then. `None` for whoever has no address.
fn announced(context: &StepContext<'_>, rotation: &Rotation, job: Job) -> Option<(Ready, Record)> {
    let (client, email, kind) = (job.client.id.clone(), job.client.email.clone()?, job.kind);
    let (revision, domain) = (rotation.window.revision, context.world.mailer.message_domain());
    // A mail that was surely not accepted is the same mail when it is tried again; anything else would be a second one.
    let copies = rotation.notices.of(&client).filter(|n| n.kind == kind && n.revision == revision);
    let copy = copies.filter(|n| !matches!(n.delivery, Delivery::Failed { .. })).count();
    let message_id = context.world.reply_key.message_id(rotation, &client, kind, copy, &domain);
    let first = rotation.notices.of(&client).find(|notice| notice.message_id != message_id);
    let first = first.map(|notice| notice.message_id.clone());
    let record = Record::NoticeQueued { client, email, kind, revision, message_id: message_id.clone() };
    Some((Ready { job, message_id, first }, record))
}
