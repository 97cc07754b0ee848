//! The steps as they are shown: their state, one line beside it, and who did each last and when, as the journal tells it.

use super::{StepView, Work, mails};
use crate::domain::notice::Delivery;
use crate::domain::step::{StepNumber, StepState};
use crate::engine::record::{Entry, Record};
use crate::engine::rotation::Rotation;
use jiff::Timestamp;

/// The eight steps of the present leg, with who did them.
pub(super) fn step_views(
    rotation: &Rotation,
    journal: &[Entry],
    titles: &[&'static str; 8],
    answers: (usize, usize),
    back: Option<(usize, usize)>,
    overtaken: &[StepNumber],
) -> Vec<StepView> {
    let work = work_of(rotation, journal);
    StepNumber::ALL
        .iter()
        .map(|&number| {
            let mut state = match overtaken.contains(&number) {
                true => StepState::Waiting,
                false => rotation.step(number).clone(),
            };
            // The document's first step ends with the last confirmation, not with the last mail.
            let answers_open = rotation.confirmed_at.is_none() && rotation.outcome.is_none() && answers.0 < answers.1;
            if number == StepNumber::ANNOUNCE && state.is_done() && answers_open {
                state = StepState::Waiting;
            }
            // Nobody resumes what is over: its last step is as it was left.
            let is_left = rotation.outcome.is_some() && matches!(state, StepState::Interrupted { .. });
            if is_left {
                state = StepState::Waiting;
            }
            let from_state = match &state {
                StepState::Waiting if is_left => "left in the middle; the rotation is over".into(),
                StepState::Done { evidence, .. } => evidence.clone(),
                StepState::Failed { fault, .. } => fault.to_string(),
                StepState::Interrupted { .. } => "ended in the middle; resume looks and goes on".into(),
                StepState::Waiting | StepState::Running { .. } => String::new(),
            };
            let detail = match (number, back) {
                (StepNumber::ANNOUNCE, _)
                    if rotation.outcome.is_none() && rotation.rollback.is_none() && !rotation.notices.is_empty() =>
                {
                    match &state {
                        StepState::Failed { .. } | StepState::Interrupted { .. } => from_state,
                        _ => format!("{} of {} confirmed or waived", answers.0, answers.1),
                    }
                }
                (StepNumber::VERIFY, Some((n, of)))
                    if !matches!(state, StepState::Done { .. } | StepState::Failed { .. }) =>
                {
                    format!("{n} of {of} back or waived")
                }
                _ => from_state,
            };
            let open_calls = mails::step_7(rotation).filter(|_| number == StepNumber::RECONFIGURE);
            let (state, detail) = open_calls.unwrap_or((state, detail));
            let (title, work) = (titles[number.index()].to_owned(), work[number.index()].clone());
            StepView { number, title, state, detail, work }
        })
        .collect()
}

/// By the steps' order; none of those that were never begun.
fn work_of(rotation: &Rotation, journal: &[Entry]) -> [Option<Work>; 8] {
    let mut work: [Option<Work>; 8] = Default::default();
    // The one that was begun last, until its end is on record, and when it wrote last.
    let (mut begun, mut last) = (None, None);
    let interrupted = |work: &mut Option<Work>, last: &mut Option<Timestamp>| {
        if let Some(work) = work {
            (work.ended, work.interrupted) = (last.take(), true);
        }
    };
    for entry in journal {
        let owner = format!("{}@{}", entry.by, entry.host);
        match &entry.record {
            Record::StepStarted { step } => {
                work[step.index()] = Some(Work { owner, began: entry.at, ended: None, interrupted: false });
                (begun, last) = (Some(*step), None);
            }
            Record::StepSucceeded { step, .. } | Record::StepFailed { step, .. } => {
                let is_its_end = begun.take_if(|begun| begun == step).is_some();
                if let Some(work) = work[step.index()].as_mut().filter(|_| is_its_end) {
                    work.ended = Some(entry.at);
                }
            }
            // Whoever resumed has found what had become of it; it had ended before.
            Record::StepResolved { step, .. } => {
                if begun.take_if(|begun| begun == step).is_some() {
                    interrupted(&mut work[step.index()], &mut last);
                }
            }
            // The way back performs them anew.
            Record::RollbackStarted { .. } => (work, begun) = Default::default(),
            record => {
                let by = |step: &StepNumber| work[step.index()].as_ref().is_some_and(|work| work.owner == owner);
                if begun.as_ref().is_some_and(|step| by(step) && is_written_by(*step, record)) {
                    last = Some(entry.at);
                }
            }
        }
    }
    if let Some(step) = begun.filter(|step| matches!(rotation.step(*step), StepState::Interrupted { .. })) {
        interrupted(&mut work[step.index()], &mut last);
    }
    work
}

/// Whether a step writes such a record while it is performed, and hardly anything else does while it lies interrupted.
fn is_written_by(step: StepNumber, record: &Record) -> bool {
    use Record::{
        Applied, Checked, ForeignKept, ForeignSeen, KeyDestroyed, KeyGone, KeyKeeping, KeyKept, NotTouched,
        NoticeDelivery, NoticeQueued, ObjectChanged, PeopleSeen, PreviousMissing, SecretLeft, ShapeSeen, Silenced,
        Swapped, Touching,
    };
    match record {
        NoticeDelivery { delivery: Delivery::Bounced { .. }, .. } => false,
        NoticeQueued { .. } | NoticeDelivery { .. } => matches!(step, StepNumber::ANNOUNCE | StepNumber::RECONFIGURE),
        PeopleSeen { .. } | Checked { .. } => step == StepNumber::CHECK,
        KeyKeeping { .. } | KeyKept { .. } | PreviousMissing { .. } | ShapeSeen { .. } | ForeignSeen { .. } => {
            step == StepNumber::STAGE
        }
        Touching { .. } | NotTouched { .. } | SecretLeft { .. } | Swapped(_) | ForeignKept { .. } => {
            step == StepNumber::SECRET
        }
        KeyGone { .. } => matches!(step, StepNumber::STAGE | StepNumber::SECRET),
        ObjectChanged { .. } => step == StepNumber::OBJECT,
        Silenced { .. } => matches!(step, StepNumber::SECRET | StepNumber::RECONCILE),
        Applied(_) => step == StepNumber::RECONCILE,
        KeyDestroyed { .. } => step == StepNumber::VERIFY,
        _ => false,
    }
}
