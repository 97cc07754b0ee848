//! How the calls to reconfigure of the present leg stand: step 7 is not done while one that counts has not arrived.

use crate::domain::client::Client;
use crate::domain::notice::{Delivery, NoticeKind};
use crate::domain::step::{StepNumber, StepState};
use crate::engine::record::Outcome;
use crate::engine::rotation::Rotation;

/// Who is neither back nor waived, and whose call has not arrived for sure, by the word for it: names.
fn amiss(rotation: &Rotation) -> Vec<(&'static str, Vec<&str>)> {
    let mut found: Vec<(&'static str, Vec<&str>)> = Vec::new();
    for client in rotation.not_back().into_iter().filter(|client| !rotation.is_gone(client)) {
        let Some(word) = word(rotation, client) else { continue };
        match found.iter_mut().find(|(known, _)| *known == word) {
            Some((_, names)) => names.push(&client.name),
            None => found.push((word, vec![&client.name])),
        }
    }
    found
}

fn word(rotation: &Rotation, client: &Client) -> Option<&'static str> {
    let mail = rotation.notice(&client.id, NoticeKind::Reconfigure)?;
    match mail.delivery {
        Delivery::Sent { .. } | Delivery::Queued => None,
        Delivery::Failed { .. } | Delivery::Bounced { .. } | Delivery::Uncertain { .. } => Some(mail.delivery.word()),
    }
}

fn told(amiss: &[(&'static str, Vec<&str>)]) -> String {
    let part = |(word, names): &(&str, Vec<&str>)| format!("{} {word}: {}", names.len(), names.join(", "));
    amiss.iter().map(part).collect::<Vec<_>>().join("; ")
}

/// Step 7 as it is shown: what was accepted once and came back leaves it open.
pub(super) fn step_7(rotation: &Rotation) -> Option<(StepState, String)> {
    let amiss = amiss(rotation);
    if !rotation.step(StepNumber::RECONFIGURE).is_done() || amiss.is_empty() || rotation.outcome.is_some() {
        return None;
    }
    let sent = |client: &&Client| {
        let mail = rotation.notice(&client.id, NoticeKind::Reconfigure);
        mail.is_some_and(|mail| matches!(mail.delivery, Delivery::Sent { .. }))
    };
    let sent = rotation.clients.iter().filter(sent).count();
    Some((StepState::Waiting, format!("{sent} accepted by the mail server; {}", told(&amiss))))
}

/// Behind an end: whose mail to reconfigure has come back, where nothing shows that they are back. Whoever was waived may be cut off, too.
pub(super) fn behind(rotation: Option<&Rotation>) -> Option<String> {
    let is_over = |rotation: &&Rotation| matches!(rotation.outcome, Some((Outcome::Rotated | Outcome::RolledBack, ..)));
    let rotation = rotation.filter(is_over)?;
    let came_back = |client: &&Client| {
        let mail = rotation.notice(&client.id, NoticeKind::Reconfigure);
        !rotation.back.contains_key(&client.id)
            && mail.is_some_and(|mail| matches!(mail.delivery, Delivery::Bounced { .. }))
    };
    let names: Vec<&str> = rotation.clients.iter().filter(came_back).map(|client| client.name.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "the mail to reconfigure came back, and nothing shows that they are back: {}; call them",
            names.join(", ")
        )
    })
}

/// The lines for the operator.
pub(super) fn attention(open: Option<&Rotation>) -> Option<String> {
    let rotation = open.filter(|rotation| rotation.applied.is_some())?;
    let amiss = amiss(rotation);
    (!amiss.is_empty()).then(|| {
        format!(
            "cut off, and the mail to reconfigure did not surely arrive: {}; send again, or call them",
            told(&amiss)
        )
    })
}
