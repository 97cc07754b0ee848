//! The steps as they are shown: their state, one line beside it, and who did each last and when, as the journal tells it.

use super::{StepView, Work, mails};
use crate::domain::step::{StepNumber, StepState};
use crate::engine::record::{Entry, Record};
use crate::engine::rotation::Rotation;

/// The eight steps of the present leg, with who did them.
pub(super) fn step_views(
    rotation: &Rotation,
    journal: &[Entry],
    titles: &[&'static str; 8],
    answers: (usize, usize),
    back: Option<(usize, usize)>,
    overtaken: &[StepNumber],
) -> Vec<StepView> {
    let work = work_of(journal);
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
            let from_state = match &state {
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
fn work_of(journal: &[Entry]) -> [Option<Work>; 8] {
    let mut work: [Option<Work>; 8] = Default::default();
    for entry in journal {
        match &entry.record {
            Record::StepStarted { step } => {
                let owner = format!("{}@{}", entry.by, entry.host);
                work[step.index()] = Some(Work { owner, began: entry.at, ended: None });
            }
            Record::StepSucceeded { step, .. }
            | Record::StepFailed { step, .. }
            | Record::StepResolved { step, .. } => {
                if let Some(work) = work[step.index()].as_mut().filter(|work| work.ended.is_none()) {
                    work.ended = Some(entry.at);
                }
            }
            // The way back performs them anew.
            Record::RollbackStarted { .. } => work = Default::default(),
            _ => {}
        }
    }
    work
}
