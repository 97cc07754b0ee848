//! What is remembered of a subject's journal where the journal is not, and what follows when the journal has less than that:
//! its store was put back to an earlier moment, and the world has gone on.
//!
//! Pure. Where it is kept is the store's business, what leads on is `recovery`'s. A witness that is behind is normal: somebody
//! else has written since, or this process ended before it could write. It holds nothing personal and no secret.

use crate::domain::key::KeyRole;
use crate::domain::notice::NoticeKind;
use crate::domain::step::StepNumber;
use crate::domain::window::Window;
use crate::engine::audit::{Head, Row};
use crate::engine::case::record::{CoreRecord, End};
use crate::engine::record::{Entry, Record, RotationId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The most kinds of mails that are remembered of one case; the oldest are forgotten first.
const MOST_MAILED: usize = 64;

/// A kind of mail that was being sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailed {
    /// Which.
    pub kind: NoticeKind,
    /// For which revision of the window.
    pub revision: u32,
    /// On the way back.
    pub back: bool,
    /// The number of the last record that says so.
    pub seq: u64,
}

/// What is remembered of a case: as much as tells how far it had come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseSeen {
    /// Which.
    pub rotation: RotationId,
    /// Number of its last record.
    pub seq: u64,
    /// The window in force; none where nobody is asked for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// A request that changes what the subject lives on was about to be sent.
    pub touched: bool,
    /// The key of the way back, if one was begun.
    pub back: Option<KeyRole>,
    /// It has ended.
    pub ended: bool,
    /// The kinds of mails that were being sent.
    #[serde(default)]
    pub mailed: Vec<Mailed>,
    /// What there is of it besides, where its subject is no tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunSeen>,
}

/// How far a case of a subject that is no tenant had come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSeen {
    /// The steps that were about to change what the subject lives on.
    pub touching: Vec<StepNumber>,
    /// To which end it was going.
    pub to: End,
}

impl CaseSeen {
    /// What is to be remembered after these records, which follow what is remembered of `before`. `None`: they belong to a
    /// case of which the beginning is not known.
    pub fn after(before: Option<Self>, entries: &[Entry]) -> Option<Self> {
        entries.iter().fold(before, |seen, entry| match (&entry.record, seen) {
            (Record::Planned { rotation, window, .. }, _) => {
                Some(Self::begun(rotation.clone(), entry.seq, Some(window.clone()), None))
            }
            (Record::Case(body), seen) => match (body.read::<CoreRecord>(), seen) {
                (Ok(CoreRecord::Opened { case, .. }), _) => {
                    let run = RunSeen { touching: Vec::new(), to: End::Done };
                    Some(Self::begun(RotationId(case.0), entry.seq, None, Some(run)))
                }
                (_, None) => None,
                (record, Some(mut seen)) => {
                    seen.seq = entry.seq;
                    // What only its runbook can read says nothing of how far it is.
                    record.iter().for_each(|record| seen.take_of_case(record));
                    Some(seen)
                }
            },
            (_, None) => None,
            (_, Some(mut seen)) => {
                seen.take(entry);
                Some(seen)
            }
        })
    }

    fn begun(rotation: RotationId, seq: u64, window: Option<Window>, run: Option<RunSeen>) -> Self {
        let (touched, back, ended, mailed) = (false, None, false, Vec::new());
        Self { rotation, seq, window, touched, back, ended, mailed, run }
    }

    fn take_of_case(&mut self, record: &CoreRecord) {
        let Some(run) = &mut self.run else { return };
        match record {
            CoreRecord::Touching { step } => run.touching.push(*step),
            CoreRecord::TurnedBack { .. } => run.to = End::TakenBack,
            CoreRecord::CancelBegun { .. } => run.to = End::Cancelled,
            CoreRecord::Recovered { found, .. } => run.touching.clone_from(&found.touched),
            CoreRecord::Finished { end, .. } => (self.ended, run.to) = (true, *end),
            _ => {}
        }
        self.touched = !run.touching.is_empty();
    }

    fn take(&mut self, entry: &Entry) {
        self.seq = entry.seq;
        match &entry.record {
            Record::Rescheduled { window } => self.window = Some(window.clone()),
            Record::Touching { .. } => self.touched = true,
            Record::NotTouched { .. } => self.touched = false,
            Record::RollbackStarted { role, .. } => self.back = Some(*role),
            Record::Finished { .. } => self.ended = true,
            Record::Recovered { found, .. } => {
                self.touched |= found.touched;
                self.back = self.back.or(found.back);
                self.window = found.window.clone().or(self.window.take());
            }
            Record::NoticeQueued { kind, revision, .. } => {
                let back = self.back.is_some();
                self.mailed.retain(|mailed| (mailed.kind, mailed.revision, mailed.back) != (*kind, *revision, back));
                self.mailed.push(Mailed { kind: *kind, revision: *revision, back, seq: entry.seq });
                let more = self.mailed.len().saturating_sub(MOST_MAILED);
                self.mailed.drain(..more);
            }
            _ => {}
        }
    }
}

/// A record that says that a journal whose end was lost was gone on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// When it was written, UTC.
    pub at: Timestamp,
    /// Its number in its case.
    pub seq: u64,
}

impl Recovery {
    /// What an entry is, if it is one.
    pub fn of(entry: &Entry) -> Option<Self> {
        gone_on(entry).map(|_| Self { at: entry.at, seq: entry.seq })
    }
}

/// What was lost, where an entry says that it was gone on with; and whether another case is to be gone on with still.
fn gone_on(entry: &Entry) -> Option<(Lost, bool)> {
    match &entry.record {
        Record::Recovered { lost, found, .. } => Some((lost.clone(), found.next.is_some())),
        Record::Case(body) if body.word() == "recovered" => match body.read().ok()? {
            CoreRecord::Recovered { lost, found, .. } => Some((*lost, found.next.is_some())),
            _ => None,
        },
        _ => None,
    }
}

/// The most recoveries that are remembered of a tenant; the oldest are forgotten first.
const MOST_RECOVERIES: usize = 32;

/// Adds recoveries to those that are remembered.
pub fn remember(known: &mut Vec<Recovery>, more: impl IntoIterator<Item = Recovery>) {
    for recovery in more {
        if !known.contains(&recovery) {
            known.push(recovery);
        }
    }
    known.drain(..known.len().saturating_sub(MOST_RECOVERIES));
}

/// The recoveries among entries.
pub fn recoveries(entries: &[Entry]) -> Vec<Recovery> {
    entries.iter().filter_map(Recovery::of).collect()
}

/// The last that was seen of a tenant's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The record's place in the tenant's chain.
    pub position: i64,
    /// Its hash, 64 hex digits.
    pub hash: String,
    /// When it was written, UTC.
    pub at: Timestamp,
    /// On which host.
    pub host: String,
    /// What it was, in a word or two.
    pub what: String,
    /// Its case.
    pub case: CaseSeen,
    /// The recoveries that lay before it: what was seen behind them is covered by others only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<Recovery>,
}

impl Seen {
    /// After the last of these entries, which stands at this place. `None` without one, or where the beginning of its case is
    /// not known.
    pub fn after(before: Option<CaseSeen>, entries: &[Entry], head: (i64, &str)) -> Option<Self> {
        let last = entries.last()?;
        let (position, hash) = (head.0, head.1.to_owned());
        let case = CaseSeen::after(before, entries)?;
        Some(Self {
            position,
            hash,
            at: last.at,
            host: last.host.clone(),
            what: last.record.word(),
            case,
            behind: recoveries(entries),
        })
    }
}

/// The few words that lead where the end of a journal is lost and there is little room.
pub const LEAD: &str = "THE END OF THE JOURNAL IS LOST";

/// What leads on then.
pub const WAY_OUT: &str = "put the journal back as it was last, or recover with a reason: it looks at everything first";

/// How it is known that the end of the journal is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "sign")]
pub enum Sign {
    /// This host, or this process, has seen more of it.
    Seen(Box<Seen>),
    /// What lies outside tells of a case otherwise than the journal.
    Beside {
        /// Which.
        case: RotationId,
        /// How.
        text: String,
    },
    /// Barbican keeps a key of this very rotation, and the journal knows of none.
    KeptKey {
        /// The secret's name.
        name: String,
    },
    /// The live secret was stored after the rotation was planned, and the journal knows of no change.
    Younger {
        /// When, UTC by Barbican's clock.
        created: Timestamp,
    },
}

/// The end of a tenant's journal is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The place of the last record that is there; 0: there is none.
    pub ends_at: i64,
    /// How that is known.
    #[serde(flatten)]
    pub sign: Sign,
}

impl Lost {
    /// What this host or process has seen, where that is how it is known.
    pub fn seen(&self) -> Option<&Seen> {
        match &self.sign {
            Sign::Seen(seen) => Some(seen),
            _ => None,
        }
    }

    /// What is known of the case whose end is lost.
    pub fn case(&self) -> Option<CaseSeen> {
        match &self.sign {
            Sign::Seen(seen) => Some(seen.case.clone()),
            Sign::Beside { case, .. } => Some(CaseSeen::begun(case.clone(), 0, None, None)),
            Sign::KeptKey { .. } | Sign::Younger { .. } => None,
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{LEAD}: ")?;
        match &self.sign {
            Sign::Seen(seen) => {
                let (at, case) = (seen.at.strftime("%Y-%m-%d %H:%M:%S UTC"), &seen.case);
                match self.ends_at {
                    0 => write!(f, "it is empty")?,
                    end if end < seen.position && case.run.is_some() => {
                        write!(f, "it ends at record {end} of this subject")?
                    }
                    end if end < seen.position => write!(f, "it ends at record {end} of this tenant")?,
                    _ => write!(f, "its record {} is another than was written", seen.position)?,
                }
                write!(f, ", and here record {} was seen, of {at} on {}: {}", seen.position, seen.host, seen.what)?;
                write!(f, " (record {} of {})", case.seq, case.rotation)
            }
            Sign::Beside { text, .. } => f.write_str(text),
            Sign::KeptKey { name } => {
                write!(f, "Barbican keeps {name}, a key of this very rotation, of which the journal knows nothing")
            }
            Sign::Younger { created } => write!(
                f,
                "the live secret was stored at {}, after the rotation was planned, and the journal knows of no change; \
                 or somebody else has stored it",
                created.strftime("%Y-%m-%d %H:%M:%S UTC")
            ),
        }
    }
}

/// Compares what was seen with a chain that ends at `ends_at` and has the hash `there` at the place that was seen.
pub fn compare(seen: Option<&Seen>, ends_at: i64, there: Option<&str>) -> Option<Lost> {
    let seen = seen.filter(|seen| there != Some(seen.hash.as_str()))?;
    Some(Lost { ends_at, sign: Sign::Seen(Box::new(seen.clone())) })
}

/// Whether an entry says that a journal which had lost what was seen was gone on with, knowingly: from then on it is right. One
/// that lay before what was seen says nothing of it.
pub fn covers(entry: &Entry, seen: &Seen) -> bool {
    covers_as_far(entry, seen.position, &seen.behind)
}

fn covers_as_far(entry: &Entry, position: i64, behind: &[Recovery]) -> bool {
    let Some((lost, is_more)) = gone_on(entry) else { return false };
    let is_later = !behind.contains(&Recovery { at: entry.at, seq: entry.seq });
    is_later && !is_more && lost.seen().is_some_and(|known| known.position >= position)
}

/// The same of a head that was kept, by the rows of the journal.
pub fn is_recovered(rows: &[Row], head: &Head) -> bool {
    let of_tenant = rows.iter().filter(|row| row.tenant == head.tenant && row.text.contains("\"recovered\""));
    let recovered = |row: &Row| serde_json::from_str::<Entry>(&row.text).ok();
    of_tenant.filter_map(recovered).any(|entry| covers_as_far(&entry, head.position, &head.behind))
}

/// What the store knows of a tenant's journal besides its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witnessed {
    /// Its end is lost.
    pub lost: Option<Lost>,
    /// The witness itself was lost, damaged or can't be written: told, and nothing is stopped by it.
    pub note: Option<String>,
}
