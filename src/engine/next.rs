//! The one safe next action: what the operator is offered, from any state.

mod before;
mod letters;
mod lines;

use crate::domain::client::Client;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::gate::{Reason, Verdict};
use crate::domain::notice::NoticeKind;
use crate::domain::step::{StepNumber, StepState};
use crate::engine::converge_object::{PUTS_BACK, WRITE_AGAIN};
use crate::engine::journal::Holder;
use crate::engine::machine::lost_target;
use crate::engine::rotation::Rotation;
use crate::engine::status::{ChangedSince, Connections, Phase, Viewer};
use crate::engine::truth::{Live, Truth};
use crate::engine::unsettled::UncertainMail;
use crate::engine::witness::{Lost, WAY_OUT};
use before::before_rotation;
use letters::{listed, read_mails, resolve, to_correct};
use serde::Serialize;

/// Which action is offered. The word is the subcommand that does the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Plan a window.
    Plan,
    /// Change the window: it is over.
    Reschedule,
    /// Tell the clients of the window.
    Announce,
    /// Record answers, waive, send again.
    Answers,
    /// Read a mail that the program could not judge.
    ReadMail,
    /// Say what became of a mail whose answer was lost.
    Resolve,
    /// Run step 2.
    Check,
    /// Wait for the window.
    Wait,
    /// Type the tenant's name.
    Rotate,
    /// Go on with what was interrupted or failed.
    Resume,
    /// Tell the clients to reconfigure.
    Reconfigure,
    /// Look who is back.
    Verify,
    /// Destroy the kept keys and close.
    Finish,
    /// Go on with a cancellation that was begun.
    Cancel,
    /// Somebody else is at work: watch.
    Watch,
    /// Read what was handed over, and accept it.
    Accept,
    /// A second operator approves the plan.
    Approve,
    /// A second operator closes the review of an emergency.
    Review,
    /// Go on although the end of the journal is lost, with a reason.
    Recover,
    /// Go back: the key that is to be live can't be had any more.
    Rollback,
}

/// The offered action with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NextAction {
    /// Which.
    pub action: Act,
    /// One line: what to do and why.
    pub text: String,
    /// The mail that [`Act::Resolve`] is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<UncertainMail>,
    /// The command lines that lead on, where the text names one: to be pasted as they stand, but for a reason in capitals.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
}

impl NextAction {
    /// With the line of its action, where it names no other. `open`: the open rotation.
    pub fn with_line(mut self, tenant: &str, open: Option<&Rotation>) -> Self {
        if self.commands.is_empty() {
            self.commands.extend(lines::of(self.action, tenant, open));
        }
        self
    }
}

/// What the looks say that the journal does not explain.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outside<'a> {
    /// The tenant, by the name that the configuration has for it now.
    pub tenant: &'a str,
    /// Everybody as last seen.
    pub clients: &'a [Client],
    /// Who can't connect, for the interface has no peer of theirs any more: names.
    pub gone: &'a [String],
    /// Which key is where, and whom that cuts off, where it is not as it should be.
    pub connections: Option<&'a Connections>,
    /// A step has failed, and what it was for is seen to be so now.
    pub arrived: Option<(StepNumber, &'static str)>,
    /// Steps that have failed, and of which what they met is over.
    pub overtaken: &'a [StepNumber],
    /// The staged key is somebody's whom the server would drop, in words.
    pub collision: Option<&'a str>,
    /// The second mail does not wait for the interface, by the operators' policy.
    pub interface_unasked: bool,
    /// What is true of the live secret, where it comes before everything else.
    pub truth: Option<&'a Truth>,
    /// What others have changed since the last rotation has ended.
    pub since: Option<&'a ChangedSince>,
    /// With no rotation open: which key is where, when the places differ.
    pub differ: Option<&'a str>,
    /// The last rotation, where it has ended.
    pub ended: Option<&'a Rotation>,
}

fn offer(action: Act, text: String) -> NextAction {
    NextAction { action, text, mail: None, commands: Vec::new() }
}

/// Names one safe next action.
pub fn next_action(
    open: Option<&Rotation>,
    phase: Phase,
    gate: &Verdict,
    back: Option<(usize, usize)>,
    holder: Option<&Holder>,
    outside: Outside<'_>,
    viewer: Viewer<'_>,
) -> NextAction {
    let Outside { tenant, connections, arrived, overtaken, collision, interface_unasked, truth, since, .. } = outside;
    let Viewer { person, .. } = viewer;
    if let Some(holder) = holder {
        return offer(Act::Watch, format!("held by {holder}: watch, or talk to them"));
    }
    let Some(rotation) = open else {
        let unread = outside.ended.and_then(|ended| Some((ended, ended.to_read().next()?)));
        let cut_off = outside.ended.and_then(|ended| letters::cut_off(tenant, ended));
        return match (since, unread, outside.differ) {
            (Some(since), ..) => changed(since),
            // A client who writes after the end may be one who is cut off.
            (None, Some((ended, first)), _) => read_mails(tenant, ended, first),
            (None, None, differ) if cut_off.is_none() && differ.is_some() => {
                let differ = differ.unwrap_or_default();
                let text = "find out who has changed it, and have the key that clients have put back; or plan a rotation, after \
                            which all have one key again";
                offer(Act::Plan, format!("{text} ({differ})"))
            }
            (None, None, _) => cut_off.unwrap_or_else(|| offer(Act::Plan, "plan a window for a rotation".into())),
        };
    };
    if let Some(hand_over) = rotation.unread_hand_over(person) {
        return offer(Act::Accept, format!("handed over by {}: {}; accept it", hand_over.person, hand_over.note));
    }
    if rotation.is_target_lost() && !is_running(rotation) {
        return offer(Act::Rollback, lost_target(rotation));
    }
    if let Some(truth) = truth.filter(|_| rotation.touched && !is_running(rotation)) {
        return put_right(rotation, truth);
    }
    // In an emergency the key goes first.
    let may_wait = rotation.emergency.is_some() && rotation.applied.is_none();
    // A cancellation does not go on with what was interrupted: its own mails are what is left to settle.
    let may_be_asked = rotation.is_cancelling() || !is_interrupted(rotation);
    if let Some(mail) = rotation.uncertain_mail().filter(|_| may_be_asked && !may_wait) {
        return resolve(tenant, mail);
    }
    if rotation.is_cancelling() {
        return offer(Act::Cancel, "the cancellation was begun and some were told: cancel again to end it".into());
    }
    // Whatever is planned: a key that others have changed cuts people off tonight.
    if let Some(since) = since.filter(|_| is_put_right_by_resume(rotation)).filter(|since| since.can_be_put_right) {
        return changed(since);
    }
    // Every check fails for it, and another window changes nothing.
    if let Some(collision) = collision.filter(|_| !is_at_work(rotation)) {
        let text = format!("{collision}: cancel, and plan again (another key is made); find out how they have it");
        return offer(Act::Cancel, text);
    }
    if interface_unasked && waits_for_the_server_only(rotation) {
        let text = "step 6 is not done, and the second mail does not wait for it (notices.reconfigure_needs): tell the \
                    clients to reconfigure; resume looks again";
        return offer(Act::Reconfigure, text.into());
    }
    if !rotation.touched && phase == Phase::Rotating && !is_at_work(rotation) && is_shut_by_people_or_window(gate) {
        return before_rotation(tenant, rotation, gate);
    }
    // Resume checks anew before anything is touched, and what is red refuses it.
    if !rotation.touched && phase == Phase::Rotating && !is_running(rotation) && is_red(gate) {
        let text = before::check(rotation, gate.reasons(), "; then resume, or cancel");
        return NextAction { commands: before::without(tenant, rotation, gate.reasons()), ..offer(Act::Resume, text) };
    }
    if let Some((number, state)) = stuck_step(rotation, overtaken) {
        return match state {
            StepState::Running { .. } => offer(Act::Wait, format!("step {number} is running")),
            // What was said when it failed is not true any more.
            StepState::Failed { .. } if arrived.is_some_and(|(step, _)| step == number) => {
                let seen = arrived.map(|(_, seen)| seen).unwrap_or_default();
                offer(Act::Resume, format!("step {number} failed, and {seen} by now: resume looks, and goes on"))
            }
            StepState::Failed { .. } | StepState::Interrupted { .. }
                if number >= StepNumber::OBJECT && connections.is_some_and(|now| now.object_gone) =>
            {
                offer(Act::Resume, put_object_back(state, rotation))
            }
            StepState::Failed { fault, .. } if number == StepNumber::OBJECT && fault.kind == FaultKind::NotFound => {
                let or = rotation.or_out();
                offer(
                    Act::Resume,
                    format!("step {number} failed, for the object was not there: resume looks again{or}"),
                )
            }
            StepState::Failed { fault, .. } => {
                let or = rotation.or_out().trim_start_matches(", or ");
                // What was said to be safe was so when it failed; what is true now is said apart.
                let is_plain = fault.hint.is_none() && matches!(fault.kind, FaultKind::Refused | FaultKind::Invalid);
                let plain = is_plain.then(|| format!("{}: correct that", fault.message));
                let remedy = plain.as_deref().unwrap_or_else(|| fault.remedy());
                // An advice is given once.
                let then = match (remedy.contains("resume"), or.is_empty() || remedy.contains(or)) {
                    (true, true) => String::new(),
                    (true, false) => format!("; or {or}"),
                    (false, _) => format!("; then resume{}", rotation.or_out()),
                };
                offer(Act::Resume, format!("step {number} failed: {remedy}{then}"))
            }
            _ => {
                // What a look has seen since leads already.
                let is_unseen = number == StepNumber::OBJECT && connections.is_none();
                let half = rotation.died_between().filter(|_| is_unseen);
                let or = if rotation.touched && number < StepNumber::VERIFY { rotation.or_out() } else { "" };
                let half = half.map_or_else(|| or.to_owned(), |half| format!(" ({half})"));
                offer(Act::Resume, format!("step {number} was interrupted: resume looks first, then goes on{half}"))
            }
        };
    }
    if let Some(undone) = connections.filter(|connections| connections.undone) {
        return put_back(undone);
    }
    match phase {
        Phase::Idle => offer(Act::Plan, "plan a window for a rotation".into()),
        Phase::Planned | Phase::Announced => before_rotation(tenant, rotation, gate),
        Phase::Rotating | Phase::Returning | Phase::RollingBack => after_confirmation(rotation, back, &outside),
    }
}

/// Others have changed what the last end has left. What to do comes before why: a narrow screen cuts what comes last.
fn changed(since: &ChangedSince) -> NextAction {
    let act = match since.can_be_put_right {
        _ if since.object_gone || since.server_alone => Act::Wait,
        true => Act::Resume,
        false if since.secret_unread => Act::Wait,
        false => Act::Plan,
    };
    offer(act, format!("{} ({since})", since.way()))
}

/// What was done does not hold any more. What to do comes before why.
fn put_back(undone: &Connections) -> NextAction {
    match undone.object_gone {
        true => offer(Act::Resume, format!("{PUTS_BACK} ({undone})")),
        false => offer(Act::Resume, format!("resume: it looks, and puts it right ({undone})")),
    }
}

/// The object is not there when step 5 is due. The way back needs it as well, but the server takes its key at once.
fn put_object_back(step: &StepState, rotation: &Rotation) -> String {
    let or = match rotation.may_turn_back() {
        true => {
            "; or roll back: whoever has the previous key is connected again then, and the object is wanted there, too"
        }
        false => "",
    };
    match step {
        // Whoever has looked for its content of before knows whether it can be put back.
        StepState::Failed { fault, .. }
            if fault.kind == FaultKind::NotFound && fault.advice().contains(WRITE_AGAIN) =>
        {
            format!("{}{or}", fault.remedy())
        }
        _ => format!("{PUTS_BACK}{or}"),
    }
}

/// The secret is missing, or nobody has seen it: nothing comes before that.
fn put_right(rotation: &Rotation, truth: &Truth) -> NextAction {
    let met = match rotation.step(StepNumber::SECRET) {
        StepState::Failed { fault, .. } => format!("correct what step 4 has met ({fault}), then "),
        _ => String::new(),
    };
    let resume = match truth.live {
        Live::Missing if rotation.target().is_none() || !rotation.is_kept(rotation.target_role()) => {
            "resume: the kept key is gone, it makes another and stores that"
        }
        Live::Missing => "resume: it stores the kept key",
        _ => "resume: it looks before anything is sent",
    };
    offer(Act::Resume, format!("{met}{resume}"))
}

/// Secret and object hold the key, step 6 has failed, and nobody was told yet.
fn waits_for_the_server_only(rotation: &Rotation) -> bool {
    matches!(rotation.step(StepNumber::RECONCILE), StepState::Failed { .. })
        && [StepNumber::SECRET, StepNumber::OBJECT].into_iter().all(|step| rotation.step(step).is_done())
        && matches!(rotation.step(StepNumber::RECONFIGURE), StepState::Waiting)
        && !rotation.is_call_needless()
}

/// Resume has nothing else to go on with, and no haste forbids it.
fn is_put_right_by_resume(rotation: &Rotation) -> bool {
    let has_begun = rotation.confirmed_at.is_some() || is_at_work(rotation) || rotation.interrupted().is_some();
    let is_telling = matches!(rotation.step(StepNumber::ANNOUNCE), StepState::Failed { .. });
    !has_begun && !is_telling && rotation.emergency.is_none()
}

fn is_running(rotation: &Rotation) -> bool {
    StepNumber::ALL.into_iter().any(|number| matches!(rotation.step(number), StepState::Running { .. }))
}

/// What leads on where the end of the journal is lost; that comes before what is true of the live secret, which is told, too.
pub fn recover(lost: &Lost, truth: Option<&Truth>) -> NextAction {
    let truth = truth.map(|truth| format!("; {}", truth.lead)).unwrap_or_default();
    offer(Act::Recover, format!("{lost}{truth}; change nothing by hand; {WAY_OUT}"))
}

/// Without the journal nothing can be offered but to put it right.
pub fn unread_journal(fault: &Fault) -> NextAction {
    let remedy = fault.remedy();
    offer(Act::Wait, format!("what is under way is not known, for the journal can't be read: {fault}; {remedy}"))
}

/// A step is running, or was and only a look leads out.
fn is_interrupted(rotation: &Rotation) -> bool {
    let state = |number| rotation.step(number);
    StepNumber::ALL
        .into_iter()
        .any(|number| matches!(state(number), StepState::Running { .. } | StepState::Interrupted { .. }))
}

/// A step is running, or one was for which a resume leads on whatever the gate says: nothing is left of a step 2, 3 or 4 that
/// has not touched the server but what the next one looks for itself.
fn is_at_work(rotation: &Rotation) -> bool {
    let state = |number| rotation.step(number);
    let of_the_run = |number| matches!(number, StepNumber::CHECK | StepNumber::STAGE | StepNumber::SECRET);
    StepNumber::ALL.into_iter().any(|number| match state(number) {
        StepState::Running { .. } => true,
        StepState::Interrupted { .. } => !of_the_run(number),
        _ => false,
    })
}

/// For a rotation that was confirmed and has not touched the server: what resume would be refused for.
fn is_shut_by_people_or_window(gate: &Verdict) -> bool {
    let lasting = |reason: &Reason| {
        use Reason::{NotApproved, WindowNotOpen, WindowOver};
        reason.client().is_some() || matches!(reason, WindowNotOpen { .. } | WindowOver { .. } | NotApproved { .. })
    };
    gate.reasons().iter().any(lasting)
}

/// What the check found, or a look since then, keeps the gate shut.
fn is_red(gate: &Verdict) -> bool {
    gate.reasons().iter().any(|reason| matches!(reason, Reason::CheckFailed { .. } | Reason::SeenSince { .. }))
}

fn stuck_step<'a>(rotation: &'a Rotation, overtaken: &[StepNumber]) -> Option<(StepNumber, &'a StepState)> {
    let stuck = |state: &StepState| {
        matches!(state, StepState::Running { .. } | StepState::Interrupted { .. } | StepState::Failed { .. })
    };
    // A failed check and undelivered mails have actions of their own; nobody who is back needs to be told.
    let needless = |number| number == StepNumber::RECONFIGURE && rotation.is_call_needless();
    let relevant = |number: StepNumber, state: &StepState| {
        !matches!(state, StepState::Failed { .. })
            || number > StepNumber::CHECK && number != StepNumber::VERIFY && !needless(number)
    };
    StepNumber::ALL
        .into_iter()
        .map(|number| (number, rotation.step(number)))
        .find(|(number, state)| stuck(state) && relevant(*number, state) && !overtaken.contains(number))
}

fn after_confirmation(rotation: &Rotation, back: Option<(usize, usize)>, outside: &Outside<'_>) -> NextAction {
    let Outside { tenant, clients, gone, overtaken, .. } = outside;
    let undone = |from: StepNumber, to: StepNumber| {
        StepNumber::ALL.into_iter().find(|n| (from..=to).contains(n) && !rotation.step(*n).is_done())
    };
    if let Some(step) = undone(StepNumber::STAGE, StepNumber::RECONCILE) {
        return offer(Act::Resume, format!("go on with step {step}{}", rotation.or_out()));
    }
    if !rotation.step(StepNumber::RECONFIGURE).is_done() && !rotation.is_call_needless() {
        let text = match &rotation.rollback {
            None => "the key is live: tell the clients to reconfigure".into(),
            Some(back) => {
                format!("the {} key is live on the way back: tell the clients to reconfigure", back.role.word())
            }
        };
        return offer(Act::Reconfigure, text);
    }
    if let Some(mail) = rotation.open_mails().next() {
        return read_mails(tenant, rotation, mail);
    }
    let address = |client: &Client| clients.iter().find(|seen| seen.id == client.id).unwrap_or(client).clone();
    let is_dead = |client: &&Client| {
        let mail = rotation.notice(&client.id, NoticeKind::Reconfigure);
        mail.is_some_and(|mail| mail.came_back_from(&address(client)))
    };
    let (dead, not_called): (Vec<_>, Vec<_>) = rotation.not_called().into_iter().partition(is_dead);
    if let Some(first) = not_called.first() {
        let mail = rotation.notice(&first.id, NoticeKind::Reconfigure);
        let why = mail.map(|mail| format!(" (the mail is {})", mail.delivery.word())).unwrap_or_default();
        let text = format!("{} not told to reconfigure, first {}{why}: tell them", not_called.len(), first.name);
        return offer(Act::Reconfigure, text);
    }
    if !dead.is_empty() {
        let names: Vec<&str> = dead.iter().map(|client| client.name.as_str()).collect();
        let text = format!("cut off, and {}; verify looks who is back; or waive", to_correct(&names));
        return offer(Act::Verify, text);
    }
    let missing = rotation.not_back();
    if !gone.is_empty() {
        let text = format!(
            "{} can't connect: the interface has no peer of theirs any more; have it put back (the server's agent, the \
             object), then verify; or waive",
            listed(&gone.iter().map(String::as_str).collect::<Vec<_>>())
        );
        return offer(Act::Verify, text);
    }
    match (missing.first(), back) {
        (Some(first), _) => offer(
            Act::Verify,
            match rotation.is_gone(first) {
                true => format!(
                    "{} not back yet; no place names {} any more: waive with a reason",
                    missing.len(),
                    first.name
                ),
                false => format!("{} not back yet, first {}: verify, call them, or waive", missing.len(), first.name),
            },
        ),
        (None, _) => match rotation.unfinished_told() {
            Some(what) => offer(
                Act::Verify,
                format!(
                    "{}: everybody is waived; verify until somebody is back, or finish with a reason",
                    what.to_lowercase()
                ),
            ),
            None => {
                let before = match (rotation.step(StepNumber::VERIFY), &rotation.end_refused) {
                    // Here all are back or waived.
                    (_, Some((_, why))) if why.ends_with("not back and not waived") => String::new(),
                    (_, Some((at, why))) => {
                        format!("finish was refused at {} ({why}); after that ", at.strftime("%H:%M:%S UTC"))
                    }
                    (StepState::Failed { fault, .. }, None) if !overtaken.contains(&StepNumber::VERIFY) => {
                        format!("finish failed: {}; after that ", fault.remedy())
                    }
                    _ => String::new(),
                };
                offer(Act::Finish, format!("{before}everybody is back or waived: finish destroys the kept keys"))
            }
        },
    }
}
