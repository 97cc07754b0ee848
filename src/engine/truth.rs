//! What is true of the live secret, by the journal and the last look: said before whatever the last attempt has to say.
//!
//! A DELETE whose POST has not followed stays true for as long as nobody has stored or seen a secret, however many attempts end
//! badly in between; and a look that finds none counts whatever the journal says. How often, and where, it is shown is the
//! status's business.

use crate::domain::key::PublicKey;
use crate::domain::step::{StepNumber, StepState};
use crate::engine::record::{Entry, Record, STARTING_TOUCHED};
use crate::engine::rotation::Rotation;
use crate::engine::witness::Lost;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is known of the live secret's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Live {
    /// Something has it, as far as is known.
    #[default]
    There,
    /// A request of which it is not known whether it was carried out may have left it empty.
    Unknown,
    /// Nothing has it.
    Missing,
}

/// What the journal says of it, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiveWord {
    /// The state.
    pub live: Live,
    /// When it was recorded, UTC; none: nothing was ever sent.
    pub at: Option<Timestamp>,
    /// When the first request of the last change was about to be sent, UTC.
    sent: Option<Timestamp>,
    /// What stood when an attempt began that has not sent anything yet: where it ends badly without another word, that stands.
    before: Option<Before>,
    /// The change stores before it deletes: by that the name is never empty.
    store_first: bool,
}

/// Word, moment, and the last change, as they stood.
type Before = (Live, Option<Timestamp>, Option<Timestamp>);

impl LiveWord {
    /// What is known apart from an attempt that has not sent anything yet.
    pub fn known(&self) -> Live {
        self.before.map_or(self.live, |(live, ..)| live)
    }

    /// When it was known last that something had the name, UTC; none: it was not known before this attempt.
    pub fn there_at(&self) -> Option<Timestamp> {
        let (live, at) = self.before.map_or((self.live, self.at), |(live, at, _)| (live, at));
        at.filter(|_| live == Live::There)
    }

    /// When the first request of the last change was about to be sent, UTC: what that change stores was not there before.
    pub fn sent(&self) -> Option<Timestamp> {
        self.sent
    }

    /// The same while it is not known that something has the name again: the gap that an attempt before this one may have
    /// left open.
    pub fn opened(&self) -> Option<Timestamp> {
        self.sent.filter(|_| self.known() != Live::There)
    }

    /// The word after this record. `touched`: as it was before it.
    pub fn after(self, entry: &Entry, touched: bool) -> Self {
        let says = |live| {
            let sent = if live == Live::There || self.live != Live::There { self.sent } else { Some(entry.at) };
            Self { live, at: Some(entry.at), sent, before: None, ..self }
        };
        match &entry.record {
            Record::Touching { store_first: true, .. } => Self { store_first: true, ..says(Live::There) },
            Record::Touching { .. } => says(Live::Unknown),
            Record::SecretLeft { left, .. } => match (left, self.live) {
                // Since when it is missing is worth more than when that was found out again.
                (Live::Missing, Live::Missing) => Self { before: None, ..self },
                (left, _) => says(*left),
            },
            Record::Recovered { found, .. } => Self { sent: None, ..says(found.live) },
            Record::NotTouched { .. }
            | Record::Swapped(_)
            | Record::StepSucceeded { step: StepNumber::SECRET, .. }
            | Record::StepResolved { step: StepNumber::SECRET, done: true, .. } => says(Live::There),
            Record::StepStarted { step: StepNumber::SECRET } if entry.version <= STARTING_TOUCHED => {
                says(Live::Unknown)
            }
            Record::StepStarted { step: StepNumber::SECRET }
                if touched && self.live == Live::There && !self.store_first =>
            {
                Self { before: Some((self.live, self.at, self.sent)), ..says(Live::Unknown) }
            }
            // The attempt before has not ended, so what it has sent is not known.
            Record::StepStarted { step: StepNumber::SECRET } => Self { before: None, ..self },
            Record::StepFailed { step: StepNumber::SECRET, .. } => match self.before {
                Some((live, at, sent)) => Self { live, at, sent, before: None, ..self },
                None => self,
            },
            _ => self,
        }
    }
}

/// A look into the gap of a pair that is under way says nothing. One that finds no secret so long after the first request does: the
/// gap is short, and whoever is at work may have been stopped in it.
const GAP: SignedDuration = SignedDuration::from_secs(2);

/// Whether a look at this moment that finds none is no look into an ordinary gap.
fn stands_empty(word: LiveWord, seen: Option<(Timestamp, usize)>) -> bool {
    let long = |at: Timestamp| word.at.is_some_and(|sent| at.duration_since(sent) > GAP);
    matches!(seen, Some((at, 0)) if long(at))
}

/// What is known by the journal and a look: how many secrets it saw, and when. The later of the two counts.
pub fn live(rotation: Option<&Rotation>, seen: Option<(Timestamp, usize)>) -> Live {
    let word = rotation.map(|rotation| rotation.live).unwrap_or_default();
    let at_work = rotation.is_some_and(|r| matches!(r.step(StepNumber::SECRET), StepState::Running { .. }));
    match seen.filter(|(at, _)| word.at.is_none_or(|known| *at > known)) {
        // Whoever is at work on it knows better than a look into the gap.
        _ if at_work && word.live != Live::Missing && !stands_empty(word, seen) => Live::There,
        Some((_, 0)) => Live::Missing,
        Some(_) if !at_work => Live::There,
        _ => word.live,
    }
}

/// The same where the end of the journal is lost: what is left of it can't say that something has the name, a look behind the
/// last that was seen of it can.
fn live_behind(lost: &Lost, word: LiveWord, seen: Option<(Timestamp, usize)>) -> Live {
    let case = lost.seen().filter(|seen| seen.case.touched && !seen.case.ended);
    let known = word.at.max(lost.seen().map(|seen| seen.at));
    match seen.filter(|(at, _)| known.is_none_or(|known| *at > known)) {
        Some((_, 0)) => Live::Missing,
        Some(_) => Live::There,
        None if word.live != Live::There || case.is_some() => Live::Unknown,
        None => Live::There,
    }
}

/// A sentence that comes before all others, but a journal that has lost its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// Whether it is known to be missing, or not known to be there.
    pub live: Live,
    /// The few words that lead where there is little room, with what must not be done meanwhile.
    pub lead: String,
    /// How that is known and what is safe, a fragment.
    pub text: String,
    /// Since when by the journal, UTC; none where only a look says so.
    pub since: Option<Timestamp>,
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.lead, self.text)
    }
}

const MISSING: &str = "SECRET MISSING: do not restart the VPN server";
const UNKNOWN: &str = "SECRET UNCERTAIN: do not restart the VPN server";

/// What a missing secret means for whoever is connected. `newest`: the last rotation; `shown`: the interface's key at the last look.
fn connected(newest: Option<&Rotation>, shown: Option<PublicKey>) -> String {
    const RESTARTED: &str = "but a restarted server would find no key";
    let theirs = newest.and_then(|rotation| match rotation.must_be_live() {
        Some(left) => Some(left.key),
        None => rotation.proven_key(),
    });
    let target = newest.filter(|rotation| rotation.touched).and_then(Rotation::target);
    match (shown, theirs) {
        (Some(shown), _) if Some(shown) == target && theirs != target => {
            format!("the server has {}: whoever has imported it stays connected, {RESTARTED}", shown.short())
        }
        // One of ours, or of a place at the check: somebody may have it.
        (Some(shown), Some(theirs)) if shown != theirs && newest.is_some_and(|rotation| rotation.is_known(shown)) => {
            format!("the server has {}: whoever has that one stays connected, {RESTARTED}", shown.short())
        }
        (Some(shown), Some(theirs)) if shown != theirs && Some(shown) != target => {
            format!("the interface shows {}, which is no key that clients have: they are cut off", shown.short())
        }
        _ => format!("tunnels that are up stay up, {RESTARTED}"),
    }
}

/// The sentence, where there is one. `newest`: the last rotation; `shown`: the interface's key at the last look; `lost`: the end of
/// the journal, which is trusted no more then.
pub fn truth(
    newest: Option<&Rotation>,
    seen: Option<(Timestamp, usize)>,
    shown: Option<PublicKey>,
    lost: Option<&Lost>,
) -> Option<Truth> {
    let open = newest.filter(|rotation| rotation.outcome.is_none());
    let word = open.map(|rotation| rotation.live).unwrap_or_default();
    let live = lost.map_or_else(|| live(open, seen), |lost| live_behind(lost, word, seen));
    let open = open.filter(|_| lost.is_none());
    // Since the request that may have left it so was journaled, and not since somebody gave up or found out.
    let since = word.opened().or(word.at).filter(|_| word.live != Live::There && open.is_some());
    let moment = since.map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    let (lead, how) = match (live, moment) {
        (Live::There, _) => return None,
        (Live::Missing, Some(at)) if word.live == Live::Unknown => (
            MISSING,
            format!(
                "the last look has found no secret of the tenant's name in Barbican; at {at} its DELETE was about to be sent, \
                 by a run that did not live to say what came of it"
            ),
        ),
        (Live::Missing, Some(at)) => (
            MISSING,
            format!("Barbican holds no secret of the tenant's name since {at}: deleted, and not stored again"),
        ),
        (Live::Missing, None) => (MISSING, "the last look has found no secret of the tenant's name in Barbican".into()),
        (Live::Unknown, at) => {
            let since = at.map(|at| format!(" since {at}")).unwrap_or_default();
            (
                UNKNOWN,
                format!(
                    "whether Barbican holds a secret of the tenant's name is not known{since}, before a look has seen it"
                ),
            )
        }
    };
    let kept = open.and_then(|rotation| rotation.keys.get(&rotation.target_role()).map(|key| (rotation, key)));
    let kept = kept.filter(|(_, key)| key.href.is_some() && key.destroyed.is_none());
    let kept = kept.map(|(rotation, _)| {
        let role = rotation.target_role().word();
        format!("; the {role} key is kept in Barbican under its own name")
    });
    let text = format!("{how}; {}{}", connected(newest.filter(|_| lost.is_none()), shown), kept.unwrap_or_default());
    Some(Truth { live, lead: lead.into(), text, since })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::{Fault, FaultKind, Service};
    use crate::domain::tenant::{Tenant, TenantId};
    use crate::domain::window::Window;
    use crate::engine::record::{Actor, Cause, RotationId};
    use crate::engine::witness::{LEAD, Sign};

    fn entry(minute: i64, record: Record) -> Entry {
        let (by, host, person) = ("ops".to_owned(), "here".to_owned(), "ops".to_owned());
        let actor = Actor { by, host, person, ssh: None, unproven: None, environment: None };
        actor.entry(1, Timestamp::from_second(minute * 60).unwrap(), record)
    }

    fn after(records: Vec<Record>) -> LiveWord {
        let mut touched = false;
        records.into_iter().enumerate().fold(LiveWord::default(), |word, (at, record)| {
            let entry = entry(at as i64, record);
            let word = word.after(&entry, touched);
            touched |= matches!(entry.record, Record::Touching { .. });
            word
        })
    }

    fn failed() -> Record {
        let fault = Fault::new(Service::Barbican, FaultKind::Forbidden, "no");
        Record::StepFailed { step: StepNumber::SECRET, fault }
    }

    const STEP: StepNumber = StepNumber::SECRET;

    #[test]
    fn a_delete_without_its_post_stays_true_through_every_attempt_that_ends_badly() {
        let left = |left| Record::SecretLeft { step: STEP, left, gap_us: None };
        let start = || Record::StepStarted { step: STEP };
        let word =
            after(vec![start(), Record::Touching { step: STEP, store_first: false }, left(Live::Missing), failed()]);
        assert_eq!((word.live, word.at), (Live::Missing, Timestamp::from_second(120).ok()));
        let word = after(vec![
            start(),
            Record::Touching { step: STEP, store_first: false },
            left(Live::Missing),
            failed(),
            start(),
            failed(),
            start(),
            left(Live::Missing),
            failed(),
        ]);
        assert_eq!((word.live, word.at), (Live::Missing, Timestamp::from_second(120).ok()), "since the first time");
    }

    #[test]
    fn it_is_missing_since_its_delete_was_journaled_and_not_since_somebody_gave_up() {
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        let tenant = Tenant { id: TenantId::new("t1").unwrap(), name: "acme".into(), server: None, gateway: None };
        let window = Window::parse("2026-11-24 22:00", "1h", "UTC", 1).unwrap();
        let (cause, reference) = (Cause::Scheduled, String::new());
        let plan = Record::Planned { rotation: RotationId("r1".into()), tenant, window, cause, reference, left: None };
        let mut rotation = Rotation::begin(&entry(0, plan)).unwrap();
        let left = |left| Record::SecretLeft { step: STEP, left, gap_us: None };
        let start = || Record::StepStarted { step: STEP };
        // Given up ten minutes later, and tried again after that.
        let records = [
            (1, start()),
            (2, Record::Touching { step: STEP, store_first: false }),
            (12, left(Live::Missing)),
            (13, failed()),
        ];
        for (minute, record) in records.into_iter().chain([(20, start()), (30, left(Live::Missing)), (31, failed())]) {
            rotation.apply(&entry(minute, record));
            if minute == 2 {
                // The process is killed there; a look finds none.
                let mut killed = rotation.clone();
                killed.steps[3] = StepState::Interrupted { since: at(1) };
                let found = truth(Some(&killed), Some((at(3), 0)), None, None).unwrap();
                assert_eq!((found.live, found.since), (Live::Missing, Some(at(2))), "{found}");
                assert!(found.text.contains("at 1970-01-01 00:02:00 UTC its DELETE was about to be sent"), "{found}");
            }
            let said = truth(Some(&rotation), None, None, None);
            let missing = said.filter(|truth| truth.live == Live::Missing);
            assert!(missing.as_ref().is_none_or(|truth| truth.since == Some(at(2))), "{minute}: {missing:?}");
        }
        let said = truth(Some(&rotation), None, None, None).unwrap();
        assert!(said.live == Live::Missing && said.text.contains("since 1970-01-01 00:02:00 UTC"), "{said}");
    }

    #[test]
    fn what_was_only_announced_is_not_known_and_an_attempt_that_sent_nothing_changes_nothing() {
        let start = || Record::StepStarted { step: STEP };
        assert_eq!(after(vec![start()]).live, Live::There);
        assert_eq!(after(vec![start(), Record::Touching { step: STEP, store_first: false }]).live, Live::Unknown);
        // Where the new one is stored first, nothing of ours leaves the name empty, however it ends.
        let stored_first = after(vec![start(), Record::Touching { step: STEP, store_first: true }]);
        assert_eq!((stored_first.live, stored_first.opened()), (Live::There, None));
        let again = after(vec![start(), Record::Touching { step: STEP, store_first: true }, start()]);
        assert_eq!((again.live, again.opened()), (Live::There, None));
        let done = || Record::StepSucceeded { step: STEP, evidence: String::new() };
        let back = after(vec![start(), Record::Touching { step: STEP, store_first: false }, done(), start()]);
        assert_eq!(back.live, Live::Unknown, "the way back may have sent something");
        let back = after(vec![start(), Record::Touching { step: STEP, store_first: false }, done(), start(), failed()]);
        assert_eq!(back.live, Live::There, "it would have said so");
    }

    #[test]
    fn an_open_gap_is_counted_from_the_first_request_through_all_attempts_and_only_while_it_is_open() {
        let at = |minute: i64| Timestamp::from_second(minute * 60).ok();
        let (start, touching) =
            (|| Record::StepStarted { step: STEP }, || Record::Touching { step: STEP, store_first: false });
        let left = |left| Record::SecretLeft { step: STEP, left, gap_us: None };
        let open = after(vec![start(), touching(), left(Live::Missing), failed(), start(), failed(), start()]);
        assert_eq!((open.opened(), open.sent()), (at(1), at(1)));
        let killed = after(vec![start(), touching(), start()]);
        assert_eq!(killed.opened(), at(1), "nobody could say what came of it");
        let refused = after(vec![start(), touching(), Record::NotTouched { step: STEP }]);
        assert_eq!(refused.opened(), None);
        let done = || Record::StepSucceeded { step: STEP, evidence: String::new() };
        let closed = after(vec![start(), touching(), done()]);
        assert_eq!((closed.opened(), closed.sent()), (None, at(1)), "what it stored was not there before");
        // The way back does not say again that it touches.
        let back = |more: Vec<Record>| after([vec![start(), touching(), done(), start()], more].concat());
        assert_eq!((back(vec![]).opened(), back(vec![]).sent()), (None, at(3)), "it may have sent nothing");
        assert_eq!(back(vec![left(Live::Missing)]).opened(), at(3));
        assert_eq!(back(vec![start()]).opened(), at(3), "the one before it has not ended");
        assert_eq!(back(vec![failed()]).sent(), at(1));
    }

    #[test]
    fn a_look_counts_where_it_is_the_later_word() {
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        assert_eq!(live(None, Some((at(1), 0))), Live::Missing);
        assert_eq!(live(None, Some((at(1), 1))), Live::There);
        assert_eq!(live(None, None), Live::There);
        let said = truth(None, Some((at(1), 0)), None, None).unwrap();
        assert!(said.lead.starts_with("SECRET MISSING") && said.since.is_none(), "{said}");
        assert!(truth(None, Some((at(1), 2)), None, None).is_none());
    }

    #[test]
    fn a_gap_that_lasts_is_no_gap_although_somebody_is_at_work() {
        let sent = Timestamp::from_second(600).unwrap();
        let word = LiveWord { live: Live::Unknown, at: Some(sent), ..LiveWord::default() };
        let seen = |ms: i64, count| Some((sent + SignedDuration::from_millis(ms), count));
        assert!(!stands_empty(word, seen(1_900, 0)) && stands_empty(word, seen(2_100, 0)));
        assert!(!stands_empty(word, seen(9_000, 1)) && !stands_empty(word, None));
        assert!(!stands_empty(LiveWord::default(), seen(9_000, 0)), "nothing was ever sent");
    }

    #[test]
    fn both_leads_stand_side_by_side_in_eighty_columns() {
        for lead in [MISSING, UNKNOWN] {
            assert!(format!("{LEAD}; {lead}").len() <= 80, "{lead}");
        }
    }

    #[test]
    fn behind_a_lost_end_only_a_later_look_says_that_it_is_there() {
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        let lost = Lost { ends_at: 3, sign: Sign::Younger { created: at(1) } };
        let word = LiveWord { live: Live::Missing, at: Some(at(2)), ..LiveWord::default() };
        for (seen, live) in [
            (None, Live::Unknown),
            (Some((at(1), 1)), Live::Unknown),
            (Some((at(3), 1)), Live::There),
            (Some((at(3), 0)), Live::Missing),
        ] {
            assert_eq!(live_behind(&lost, word, seen), live, "{seen:?}");
        }
        assert_eq!(live_behind(&lost, LiveWord::default(), None), Live::There);
    }
}
