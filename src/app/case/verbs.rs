//! The verbs of a subject that is no tenant: which key means which, what a key does, and why it is shut. One path for all of them, made
//! from what the subject's status offers.

use crate::app::case::form::CaseForm;
use crate::app::confirm::Ask;
use crate::app::confirm::Consent;
use crate::app::confirm::case::{ask_for, release};
use crate::app::dialog::Dialog;
use crate::app::keymap::Key;
use crate::app::message::Effect;
use crate::app::model::{Model, Screen, Severity};
use crate::app::perform::begin;
use crate::domain::tenant::TenantId;
use crate::engine::case::machine::Order;
use crate::engine::case::offer::{KEYS, Offer};
use crate::engine::case::spec::Spec;
use crate::engine::case::status::Status;

/// What the verbs of every runbook do, in a word for the footer and a line for the help.
const HELP: [(&str, &str, &str); 11] = [
    ("resume", "resume", "go on after a fault or an interruption: looks first"),
    ("resolve", "resolve", "say whether an interrupted step is done, where no look can tell, with a reason"),
    ("rollback", "roll back", "take back what was changed, as far as there is a way back"),
    ("takeover", "take over", "take it from a process that holds it, with a reason"),
    ("recover", "recover", "go on although the end of the journal is lost, with a reason: looks at everything first"),
    ("cancel", "cancel", "close a case that has changed nothing"),
    ("set-aside", "set aside", "disregard a fact that keeps a gate shut, with a reason"),
    ("settle", "settle", "say that somebody who must follow has done so, or need not, and how you know"),
    ("notify", "mail", "mail those who must follow what they must take, and ask whether they have: shows whom first"),
    (
        "pause",
        "pause",
        "let a roll stop behind the instance group that it is at, with a reason, until somebody resumes it",
    ),
    ("note", "note", "add a note to the journal"),
];

/// The word of a verb in the footer.
pub fn title(offer: &Offer) -> &str {
    HELP.iter().find(|(verb, ..)| *verb == offer.verb).map_or(offer.verb.as_str(), |(_, title, _)| title)
}

/// One line for the help.
pub fn help(offer: &Offer) -> &str {
    let known = HELP.iter().find(|(verb, ..)| *verb == offer.verb);
    known.map_or(offer.steps.as_str(), |(_, _, help)| *help)
}

/// What the screen knows against a verb beside what the status says: something runs for the subject, or nobody has looked.
fn busy(model: &Model, id: &TenantId) -> Option<String> {
    if let Some(why) = model.options.manner.forbids() {
        return Some(why.to_owned());
    }
    if let Some(alarm) = &model.alarm {
        return Some(alarm.clone());
    }
    let job = model.jobs.get(id)?;
    Some(format!("{} is running for {id}; wait until it has ended", job.what))
}

/// Why a verb is shut; none where it is taken.
pub fn shut(model: &Model, id: &TenantId, offer: &Offer) -> Option<String> {
    // What is at work is what it is said to.
    let is_said_to_it = matches!(offer.order, Order::Pause { .. }) && model.jobs.contains_key(id);
    match busy(model, id) {
        Some(why) if !is_said_to_it || model.options.manner.forbids().is_some() || model.alarm.is_some() => Some(why),
        _ => offer.shut.clone(),
    }
}

/// The verbs that are taken now, of the subject that they would mean.
pub fn open(model: &Model) -> Vec<&Offer> {
    let Some((id, status)) = model.meant_case() else { return Vec::new() };
    let mut seen: Vec<&Offer> = Vec::new();
    for offer in status.verbs.iter().filter(|offer| shut(model, id, offer).is_none()) {
        if seen.iter().all(|other| other.key != offer.key) {
            seen.push(offer);
        }
    }
    // What is next comes first: a narrow footer has room for a few.
    let next = next_key(status);
    seen.sort_by_key(|offer| Some(offer.key) != next);
    seen
}

/// The key of the one safe next action, where it is a verb that is taken.
pub fn next_key(status: &Status) -> Option<char> {
    let order = status.next.order.as_ref()?;
    let is_it = |offer: &&Offer| offer.verb == order.word() && offer.shut.is_none();
    status.verbs.iter().find(is_it).map(|offer| offer.key)
}

/// Takes a key that may be a verb of the subject; none where it is not.
pub fn press(model: &mut Model, key: Key) -> Option<Vec<Effect>> {
    let Key::Char(key) = key else { return None };
    let (id, status) = model.meant_case()?;
    let (id, status) = (id.clone(), status.clone());
    let mut all = status.verbs.iter().filter(|offer| offer.key == key).peekable();
    let first = *all.peek()?;
    // Several facts may be set aside, and several people settled: the one under the cursor is meant, else the first.
    let is_page = matches!(model.screen, Screen::Subject(_));
    let fact = is_page.then(|| model.page.fact(&status)).flatten();
    let person = is_page.then(|| model.page.called(&status)).flatten();
    let is_meant = |offer: &&Offer| match &offer.order {
        Order::SetAside { fact: named, .. } => Some(named) == fact.as_ref(),
        Order::Settle { person: named, .. } => Some(named) == person.as_ref(),
        _ => false,
    };
    let offer = all.find(is_meant).unwrap_or(first).clone();
    if let Some(why) = shut(model, &id, &offer) {
        model.say(Severity::Refused, format!("{id}: {}: {why}", title(&offer)));
        return Some(Vec::new());
    }
    if ask_for(&offer) == Ask::Nothing {
        return Some(match release(&id, &status, &offer, offer.order.clone(), &Consent::plain()) {
            Ok(effect) => begin(model, vec![effect]),
            Err(why) => {
                model.say(Severity::Refused, why);
                Vec::new()
            }
        });
    }
    model.dialog = Some(Dialog::Case(Box::new(CaseForm::new(id, &status, offer))));
    Some(Vec::new())
}

/// The verbs of these runbooks as a table for the README.
pub fn markdown_table(specs: &[&Spec]) -> String {
    let mut table = String::from("| key | of | verb | what it does |\n| --- | --- | --- | --- |\n");
    for spec in specs {
        for stretch in spec.stretches {
            let has = |step: &&crate::engine::case::spec::StepSpec| stretch.has(step.number);
            let steps: Vec<String> =
                spec.steps.iter().filter(has).map(|step| format!("{} {}", step.number, step.title)).collect();
            let (key, verb, noun) = (stretch.key, stretch.verb, spec.noun);
            table.push_str(&format!("| `{key}` | {noun} | {verb} | {} |\n", steps.join(", ")));
        }
    }
    for ((verb, key), (_, _, help)) in KEYS.iter().zip(HELP) {
        table.push_str(&format!("| `{key}` | all | {verb} | {help} |\n"));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::command::command_for;

    #[test]
    fn what_every_runbook_has_is_helped_in_the_same_order() {
        assert!(KEYS.iter().map(|(verb, _)| verb).eq(HELP.iter().map(|(verb, ..)| verb)));
    }

    #[test]
    fn no_verb_has_a_key_that_means_something_else_on_its_screens() {
        let subject = Screen::Subject(TenantId::of_subject("kind/name").unwrap());
        for (verb, key) in KEYS {
            for screen in [&subject, &Screen::Fleet] {
                assert!(command_for(Key::Char(key), screen).is_none(), "{verb}");
            }
        }
    }
}
