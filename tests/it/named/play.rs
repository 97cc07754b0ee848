//! One command played to its end: each act of the machine gets what its fate says, and leaves the records that the steps leave.

use super::model::{BEFORE, Fate, clients, key};
use changeguard::domain::fault::{Fault, FaultKind, Service};
use changeguard::domain::freshness::Baseline;
use changeguard::domain::key::{KeyRole, PublicKey};
use changeguard::domain::notice::{Delivery, NoticeKind};
use changeguard::domain::preflight::{Check, CheckState, KeyAgreement, Preflight};
use changeguard::domain::secret_shape::SecretShape;
use changeguard::domain::step::StepNumber;
use changeguard::engine::command::Refusal;
use changeguard::engine::machine::{BackSight, Input, Machine, Output, SendOrder, refusal_fault};
use changeguard::engine::mailing;
use changeguard::engine::ports::SecretRef;
use changeguard::engine::record::{self, BackSource, Record};
use changeguard::engine::rotation::Rotation;
use changeguard::engine::step::Probe;
use changeguard::engine::truth::Live;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;

/// The only check of step 2 here.
pub const CHECK: &str = "object";

/// Why it did not come to its end.
pub enum Stop {
    Refused(Refusal),
    Died,
}

/// A command being played.
pub struct Play {
    pub machine: Machine,
    now: Timestamp,
    fate: Fate,
    acts: usize,
    pub met: bool,
}

impl Play {
    /// Before the first act.
    pub fn new(machine: Machine, now: Timestamp, fate: Fate) -> Self {
        Self { machine, now, fate, acts: 0, met: fate == Fate::Well }
    }

    /// Plays it.
    pub fn run(&mut self, input: Input) -> Result<(), Stop> {
        let mut queue = VecDeque::new();
        self.feed(input, &mut queue)?;
        while let Some(output) = queue.pop_front() {
            let input = match output {
                Output::Append(_) | Output::Done(_) | Output::EndSilence | Output::PutRight => continue,
                Output::Failed(_) => return Ok(()),
                Output::Refused(refusal) => return Err(Stop::Refused(refusal)),
                Output::Perform(step) => Input::StepEnded { step, result: self.perform(step)? },
                Output::Probe(step) => Input::Probed { step, probe: self.probe(step)? },
                Output::Undo(step) => Input::Undone { step, result: self.undo(step)? },
                Output::Send(order) => Input::Sent { result: self.mails(&order)? },
                Output::LookBack => {
                    let is_kept = match self.turn()? {
                        Fate::Loses(_) => Some(false),
                        Fate::Fails(_) => None,
                        _ => Some(true),
                    };
                    Input::LookedBack { sight: BackSight { is_kept, ..BackSight::default() } }
                }
                Output::HearAgent => Input::AgentHeard { doubt: None },
                Output::Verify => {
                    self.somebody_is_back();
                    continue;
                }
                Output::Recheck(_) => match self.turn()? {
                    Fate::Dies(_) => return Err(Stop::Died),
                    fate => {
                        let rotation = self.rotation();
                        self.checked(fate, rotation.preflight.as_ref().unwrap().at);
                        let (step, evidence) = (StepNumber::CHECK, "checked anew".to_owned());
                        let done = !matches!(fate, Fate::Fails(_));
                        self.emit(Record::StepResolved { step, done, evidence });
                        continue;
                    }
                },
            };
            self.feed(input, &mut queue)?;
        }
        Ok(())
    }

    fn feed(&mut self, input: Input, queue: &mut VecDeque<Output>) -> Result<(), Stop> {
        let outputs = self.machine.handle(self.now, input).map_err(Stop::Refused)?;
        outputs.into_iter().rev().for_each(|output| queue.push_front(output));
        Ok(())
    }

    fn rotation(&self) -> Arc<Rotation> {
        self.machine.rotation().cloned().unwrap()
    }

    fn emit(&mut self, record: Record) {
        self.machine.emit(self.now, record).unwrap();
    }

    /// What comes of the act that is due.
    fn turn(&mut self) -> Result<Fate, Stop> {
        let nth = self.acts;
        self.acts += 1;
        match self.fate {
            Fate::Fails(n) | Fate::Loses(n) | Fate::Dies(n) if n == nth => {
                self.met = true;
                Ok(self.fate)
            }
            _ => Ok(Fate::Well),
        }
    }

    fn probe(&mut self, step: StepNumber) -> Result<Probe, Stop> {
        let is_done = self.rotation().step(step).is_done();
        let may_be = matches!(step, StepNumber::SECRET | StepNumber::OBJECT);
        Ok(match self.turn()? {
            Fate::Dies(_) => return Err(Stop::Died),
            Fate::Fails(_) => Probe::Unclear(fault(FaultKind::TimedOut)),
            Fate::Loses(_) if may_be && !is_done => Probe::Done("it is there".into()),
            Fate::Well if is_done => Probe::Done("it holds".into()),
            _ => Probe::NotDone("it is not there".into()),
        })
    }

    fn perform(&mut self, step: StepNumber) -> Result<Result<String, Fault>, Stop> {
        let fate = self.turn()?;
        let rotation = self.rotation();
        match step {
            StepNumber::ANNOUNCE | StepNumber::RECONFIGURE => {
                let kind = match step {
                    StepNumber::ANNOUNCE => NoticeKind::Announcement,
                    _ => NoticeKind::Reconfigure,
                };
                if step == StepNumber::ANNOUNCE {
                    self.sees_people();
                }
                return self.hand_over(&SendOrder { kind, only: None, again: false }, fate);
            }
            StepNumber::STAGE => self.stage(fate),
            StepNumber::SECRET => {
                if let Err(refusal) = self.machine.touch(self.now, step) {
                    return Ok(Err(refusal_fault(&refusal)));
                }
                match fate {
                    Fate::Loses(_) => {
                        let role = rotation.target_role();
                        let name = rotation.keys[&role].name.clone();
                        self.emit(Record::KeyGone { role, name, instead: Vec::new() });
                    }
                    Fate::Fails(_) if rotation.live.known() != Live::Missing => {
                        self.emit(Record::SecretLeft { step, left: Live::Missing, gap_us: None });
                    }
                    Fate::Well => {
                        let public_key = rotation.target().unwrap();
                        self.emit(Record::Swapped(record::Swapped {
                            found_empty: None,
                            overlap_us: None,
                            public_key,
                            gap_us: None,
                            not_carried: Vec::new(),
                            opened: None,
                        }));
                    }
                    _ => {}
                }
            }
            StepNumber::CHECK if !matches!(fate, Fate::Dies(_)) => self.checked(fate, self.now),
            StepNumber::OBJECT if fate == Fate::Well => {
                let to = rotation.target().unwrap();
                self.emit(Record::ObjectChanged(record::ObjectChanged {
                    from: None,
                    to,
                    etag: "e".into(),
                    not_kept: None,
                }));
            }
            StepNumber::RECONCILE if fate == Fate::Well => {
                let (public_key, clock) = (rotation.target().unwrap(), self.now.as_second());
                let baseline = Baseline { public_key, clock, peers: Default::default() };
                self.emit(Record::Applied(record::Applied { baseline, waited_ms: 1, unseen_since: None }));
            }
            StepNumber::VERIFY if fate == Fate::Well => {
                if !rotation.not_back().is_empty() {
                    return Ok(Err(fault(FaultKind::Refused)));
                }
                self.destroy();
            }
            _ => {}
        }
        match fate {
            Fate::Dies(_) => Err(Stop::Died),
            Fate::Well => Ok(Ok("done".into())),
            Fate::Fails(_) => Ok(Err(fault(FaultKind::Forbidden))),
            Fate::Loses(_) => Ok(Err(fault(FaultKind::TimedOut))),
        }
    }

    fn checked(&mut self, fate: Fate, at: Timestamp) {
        let state = if matches!(fate, Fate::Fails(_)) { CheckState::Fail } else { CheckState::Pass };
        let (finding, advice) = ("no answer".into(), String::new());
        let check = Check { name: CHECK.into(), state, finding, advice, until: None, is_proved: false };
        let live = Some(key(BEFORE));
        let keys = KeyAgreement { secret: live, object: live, interface: live, console: None };
        self.emit(Record::Checked { preflight: Preflight { at, checks: vec![check], keys } });
    }

    fn stage(&mut self, fate: Fate) {
        let rotation = self.rotation();
        let role = rotation.target_role();
        let public_key = match role {
            KeyRole::Previous => key(BEFORE),
            _ => key(10 + u8::try_from(rotation.seq % 80).unwrap()),
        };
        if role == KeyRole::Staged && !rotation.touched && !rotation.is_previous_settled() && fate == Fate::Well {
            self.emit(Record::ShapeSeen { shape: SecretShape::default() });
            self.keep(KeyRole::Previous, key(BEFORE), true);
        }
        if !rotation.is_kept(role) {
            self.keep(role, public_key, fate == Fate::Well);
        }
    }

    fn keep(&mut self, role: KeyRole, public_key: PublicKey, is_kept: bool) {
        let name = format!("kept-{}", role.word());
        self.emit(Record::KeyKeeping { role, public_key, name: name.clone() });
        if is_kept {
            let href = SecretRef(name.clone());
            self.emit(Record::KeyKept { role, public_key, name, href });
        }
    }

    fn destroy(&mut self) {
        for (role, key) in self.rotation().keys.iter().filter(|(_, key)| key.destroyed.is_none()) {
            self.emit(Record::KeyDestroyed { role: *role, name: key.name.clone(), answer: "gone".into() });
        }
    }

    fn undo(&mut self, step: StepNumber) -> Result<Result<String, Fault>, Stop> {
        if step == StepNumber::ANNOUNCE {
            return self.mails(&SendOrder { kind: NoticeKind::Cancellation, only: None, again: false });
        }
        Ok(match self.turn()? {
            Fate::Dies(_) => return Err(Stop::Died),
            Fate::Well => {
                self.destroy();
                Ok("destroyed".into())
            }
            _ => Err(fault(FaultKind::Forbidden)),
        })
    }

    fn mails(&mut self, order: &SendOrder) -> Result<Result<String, Fault>, Stop> {
        let fate = self.turn()?;
        self.hand_over(order, fate)
    }

    fn hand_over(&mut self, order: &SendOrder, fate: Fate) -> Result<Result<String, Fault>, Stop> {
        let mut is_amiss = false;
        for (client, kind) in mailing::recipients(&self.rotation(), order) {
            let (email, revision) = (client.email.clone().unwrap(), self.rotation().window.revision);
            let message_id = format!("<{}.{}@x.example>", client.id, self.rotation().seq);
            let id = message_id.clone();
            self.emit(Record::NoticeQueued { client: client.id, email, kind, revision, message_id });
            let delivery = match fate {
                Fate::Dies(_) => return Err(Stop::Died),
                Fate::Loses(_) => Delivery::Uncertain { why: "no answer".into() },
                Fate::Fails(_) => Delivery::Failed { permanent: true, reply: "550".into() },
                Fate::Well => Delivery::Sent { reply: "250".into() },
            };
            is_amiss |= fate != Fate::Well;
            self.emit(Record::NoticeDelivery { message_id: id, delivery });
        }
        // A mail that was amiss before is so still.
        Ok(if is_amiss { Err(fault(FaultKind::Refused)) } else { Ok("sent".into()) })
    }

    /// Who is cut off is on record.
    pub fn sees_people(&mut self) {
        if self.rotation().clients.is_empty() {
            self.emit(Record::PeopleSeen { clients: clients(), unseen: Vec::new() });
        }
    }

    fn somebody_is_back(&mut self) {
        let missing = self.rotation().not_back().first().map(|client| client.id.clone());
        if let Some(client) = missing {
            self.emit(Record::ClientBack { client, source: BackSource::Handshake, note: String::new() });
        }
    }
}

fn fault(kind: FaultKind) -> Fault {
    Fault::new(Service::Barbican, kind, "it does not do it")
}
