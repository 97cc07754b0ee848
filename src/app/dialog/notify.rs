//! The dialog of mails: which kind, who gets it, the letter to read before it goes, and the result of each.

use crate::app::availability::is_free;
use crate::app::clients::is_back;
use crate::app::command::CommandId;
use crate::app::confirm::{Confirmation, Pressed, reach};
use crate::app::dialog::{Outcome, decide};
use crate::app::failure::Failure;
use crate::app::keymap::Key;
use crate::app::message::{Effect, Letter};
use crate::app::model::Model;
use crate::app::panel::Motion;
use crate::domain::client::ClientId;
use crate::domain::notice::NoticeKind;
use crate::domain::step::StepNumber;
use crate::domain::tenant::TenantId;
use crate::engine::command::Command;
use crate::engine::status::{ClientView, Phase, Standing, TenantStatus};
use std::collections::BTreeSet;

/// The dialog.
#[derive(Clone, Debug)]
pub struct NotifyDialog {
    /// For which tenant.
    pub tenant: TenantId,
    /// Kinds that make sense now.
    pub kinds: Vec<NoticeKind>,
    /// Which of them.
    pub at: usize,
    /// The composed letters, once they are there.
    pub letters: Option<Result<Vec<Letter>, Failure>>,
    /// The selected client.
    pub cursor: usize,
    /// Who alone shall get it; nobody is everybody who has not got it.
    pub picked: BTreeSet<ClientId>,
    /// Whether the letter has the keys.
    pub reading: bool,
    /// Lines of the letter scrolled away.
    pub scroll: usize,
    /// What sets it off, once it was asked to send.
    pub confirmation: Option<Confirmation>,
    /// Whom it was about when the confirmation was begun.
    seen: Vec<ClientId>,
    /// Why the last key did nothing.
    pub error: Option<String>,
}

/// The kinds that make sense now, the most useful first.
pub fn kinds(status: &TenantStatus) -> Vec<NoticeKind> {
    let revised = status.window.as_ref().is_some_and(|window| window.revision > 1);
    let any = |standing| status.clients.iter().any(|view| view.standing == standing);
    let unanswered = status.clients.iter().any(|view| view.standing.is_unanswered());
    let done = |number: StepNumber| status.steps.get(number.index()).is_some_and(|step| step.state.is_done());
    let live = done(StepNumber::RECONCILE);
    let unasked = done(StepNumber::OBJECT) && status.second_mail_unasked.iter().any(|place| place == "interface");
    match status.phase {
        Phase::Planned | Phase::Announced => {
            let tell = if revised { NoticeKind::Change } else { NoticeKind::Announcement };
            let mut kinds = vec![tell];
            if unanswered || any(Standing::OldAnswer) {
                kinds.push(NoticeKind::Reminder);
                if !any(Standing::ToTell)
                    && !status.clients.iter().any(|view| view.standing.is_not_delivered())
                    && !any(Standing::Uncertain)
                {
                    kinds.swap(0, 1);
                }
            }
            kinds
        }
        Phase::Returning | Phase::RollingBack | Phase::Rotating if live => {
            let mut kinds = vec![NoticeKind::Reconfigure];
            if status.back.is_some_and(|(back, of)| back == of) {
                kinds.push(NoticeKind::AllClear);
            } else {
                kinds.push(NoticeKind::AreYouBack);
            }
            kinds
        }
        // By a policy that does not wait for the server.
        Phase::RollingBack | Phase::Rotating if unasked => vec![NoticeKind::Reconfigure],
        _ => Vec::new(),
    }
}

/// How the mail of this kind to this client stands; `None` if there is none of this window (or leg).
pub fn mail_state(view: &ClientView, kind: NoticeKind) -> Option<&str> {
    if kind == NoticeKind::Reconfigure {
        return view.reconfigure_notice.as_deref();
    }
    // A mail of an earlier revision tells nothing of this window.
    if kind.tells_window() && view.standing == Standing::ToTell {
        return None;
    }
    view.last_notice.as_ref().filter(|(last, _)| *last == kind).map(|(_, state)| state.as_str())
}

/// What the mail server said, where that is known.
pub fn mail_reply(view: &ClientView, kind: NoticeKind) -> &str {
    let tells = view.standing.is_not_delivered() || view.standing == Standing::Uncertain;
    if tells && kind.tells_window() { &view.standing_detail } else { "" }
}

fn is_failed(state: Option<&str>) -> bool {
    matches!(state, Some("refused" | "deferred" | "bounced"))
}

impl NotifyDialog {
    /// The dialog with the most useful kind, and the wish to see its letters.
    pub fn open(status: &TenantStatus) -> (Self, Effect) {
        let dialog = Self {
            tenant: status.tenant.id.clone(),
            kinds: kinds(status),
            at: 0,
            letters: None,
            cursor: 0,
            picked: BTreeSet::new(),
            reading: false,
            scroll: 0,
            confirmation: None,
            seen: Vec::new(),
            error: None,
        };
        let preview = Effect::Preview(dialog.tenant.clone(), dialog.kind());
        (dialog, preview)
    }

    /// The chosen kind.
    pub fn kind(&self) -> NoticeKind {
        self.kinds.get(self.at).copied().unwrap_or(NoticeKind::Announcement)
    }

    /// The letter to show: the selected client's, else the first.
    pub fn letter(&self, status: &TenantStatus) -> Option<&Letter> {
        let letters = self.letters.as_ref()?.as_ref().ok()?;
        let selected = status.clients.get(self.cursor).map(|view| &view.client.id);
        letters.iter().find(|letter| Some(&letter.client) == selected).or_else(|| letters.first())
    }

    /// Whom it would reach now, in the order of the status.
    pub fn recipients<'a>(&self, status: &'a TenantStatus) -> Vec<&'a ClientView> {
        let kind = self.kind();
        let wanted = |view: &&ClientView| match (self.picked.is_empty(), kind) {
            (false, _) => self.picked.contains(&view.client.id),
            (true, NoticeKind::Reminder) => view.standing.is_unanswered() || view.standing == Standing::OldAnswer,
            (true, NoticeKind::AreYouBack) => !is_back(view),
            (true, _) => !matches!(mail_state(view, kind), Some("sent" | "uncertain" | "queued")),
        };
        status.clients.iter().filter(|view| view.client.email.is_some()).filter(wanted).collect()
    }

    /// What it would ask for, or why it can't now.
    pub fn ask(&self, model: &Model, status: &TenantStatus) -> Result<Vec<Command>, String> {
        match &self.letters {
            None => return Err("the letters are being composed; read one before they go".into()),
            Some(Err(failure)) => return Err(format!("the letters can't be composed: {}", failure.text)),
            Some(Ok(_)) => is_free(model, status)?,
        }
        let kind = self.kind();
        let recipients = self.recipients(status);
        if recipients.is_empty() {
            return Err(match self.picked.is_empty() {
                true => {
                    format!("everybody with an address has the {}; Space picks somebody to send it again", kind.word())
                }
                false => "nobody picked has an address".into(),
            });
        }
        let again = recipients.iter().any(|view| matches!(mail_state(view, kind), Some("sent" | "uncertain")));
        // Whom the window is told is who stands in the list, and nobody who appears while it is told.
        let whole = self.picked.is_empty() && kind != NoticeKind::Reminder && !kind.tells_window();
        let only = (!whole).then(|| recipients.iter().map(|view| view.client.id.clone()).collect());
        Ok(vec![Command::Notify { kind, only, again: again && !self.picked.is_empty() }])
    }

    /// What was asked for is on its way.
    pub fn sent(&mut self) {
        self.confirmation = None;
        self.picked.clear();
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key, model: &Model, status: &TenantStatus, rows: u16) -> Outcome {
        self.error = None;
        if self.confirmation.is_some() {
            return self.confirm(key, model, status);
        }
        match key {
            Key::Esc | Key::Char('q') => return Outcome::Close,
            Key::Enter => self.begin(model, status),
            Key::Char('f') => self.pick_failed(status),
            Key::Char('o') => match self.uncertain(status) {
                Ok(form) => return Outcome::Replace(Box::new(form)),
                Err(error) => self.error = Some(error),
            },
            Key::Left | Key::Right => return self.turn(key == Key::Right),
            Key::Tab | Key::BackTab => self.reading = !self.reading,
            Key::Char(' ') => self.pick(status),
            key => self.move_by(key, status, rows),
        }
        Outcome::Stay
    }

    /// From now on the keys are the confirmation's.
    fn begin(&mut self, model: &Model, status: &TenantStatus) {
        match self.ask(model, status) {
            Ok(commands) => {
                let mut confirmation = Confirmation::of(CommandId::Notify, reach(&commands, status));
                confirmation.reach(true);
                self.confirmation = Some(confirmation);
                self.seen = self.recipients(status).iter().map(|view| view.client.id.clone()).collect();
            }
            Err(error) => self.error = Some(error),
        }
    }

    fn confirm(&mut self, key: Key, model: &Model, status: &TenantStatus) -> Outcome {
        let Some(confirmation) = &mut self.confirmation else { return Outcome::Stay };
        match confirmation.press(key, &status.tenant.name) {
            Pressed::Given(consent) => {
                let now: Vec<ClientId> = self.recipients(status).iter().map(|view| view.client.id.clone()).collect();
                if now != self.seen {
                    self.confirmation = None;
                    self.error = Some("whom this would reach has changed meanwhile: read it again".into());
                    return Outcome::Stay;
                }
                match self.ask(model, status) {
                    Ok(commands) => return Outcome::Submit(commands, consent),
                    Err(error) => self.error = Some(error),
                }
            }
            Pressed::Refused(why) => self.error = Some(why),
            Pressed::NotMine if key == Key::Esc => self.confirmation = None,
            Pressed::Taken | Pressed::NotMine => {}
        }
        Outcome::Stay
    }

    /// Picks those whose mail was refused or deferred, so that it is seen to whom it goes once more.
    fn pick_failed(&mut self, status: &TenantStatus) {
        let kind = self.kind();
        let failed = status.clients.iter().filter(|view| is_failed(mail_state(view, kind)));
        self.picked = failed.map(|view| view.client.id.clone()).collect();
        if self.picked.is_empty() {
            self.error = Some(format!("no {} was refused or deferred", kind.word()));
        }
    }

    /// Whether somebody's mail of this kind was refused or deferred.
    pub fn has_failed(&self, status: &TenantStatus) -> bool {
        status.clients.iter().any(|view| is_failed(mail_state(view, self.kind())))
    }

    /// Whether it is not known if the selected client has the mail.
    pub fn is_uncertain(&self, status: &TenantStatus) -> bool {
        let view = status.clients.get(self.cursor);
        view.is_some_and(|view| mail_state(view, self.kind()) == Some("uncertain"))
    }

    fn turn(&mut self, forward: bool) -> Outcome {
        let count = self.kinds.len().max(1);
        if count == 1 {
            self.error = Some("no other kind makes sense now".into());
            return Outcome::Stay;
        }
        self.at = (self.at + if forward { 1 } else { count - 1 }) % count;
        self.letters = None;
        self.picked.clear();
        self.scroll = 0;
        Outcome::Ask(vec![Effect::Preview(self.tenant.clone(), self.kind())])
    }

    fn pick(&mut self, status: &TenantStatus) {
        if let Some(view) = status.clients.get(self.cursor) {
            let id = view.client.id.clone();
            if !self.picked.remove(&id) {
                self.picked.insert(id);
            }
            self.cursor = Motion::Down.apply(self.cursor, status.clients.len(), 1);
        }
    }

    fn uncertain(&self, status: &TenantStatus) -> Result<crate::app::dialog::FormDialog, String> {
        let view = status.clients.get(self.cursor).ok_or("no client is selected")?;
        let kind = self.kind();
        if mail_state(view, kind) != Some("uncertain") {
            return Err(format!("the {} to {} is not uncertain", kind.word(), view.client.name));
        }
        decide::open_notice(status, &view.client.id, &view.client.name, kind)
            .ok_or_else(|| format!("the journal has no uncertain {} to {}", kind.word(), view.client.name))
    }

    fn move_by(&mut self, key: Key, status: &TenantStatus, rows: u16) {
        let motion = match key {
            Key::Up | Key::Char('k') => Motion::Up,
            Key::Down | Key::Char('j') => Motion::Down,
            Key::PageUp => Motion::PageUp,
            Key::PageDown => Motion::PageDown,
            Key::Home => Motion::First,
            Key::End => Motion::Last,
            _ => return,
        };
        if self.reading {
            // The view stops at the last line; what is kept here need not know how it wraps.
            let lines = self.letter(status).map_or(0, |letter| letter.body.len() / 20 + letter.body.lines().count());
            self.scroll = motion.apply(self.scroll, lines, rows);
        } else {
            self.cursor = motion.apply(self.cursor, status.clients.len(), rows);
        }
    }
}
