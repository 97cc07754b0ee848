//! The panels of the tenant screen: which has the keys, and where in each the selection is.

use crate::app::clients::ClientList;
use crate::domain::client::ClientId;
use crate::domain::gate::Reason;
use crate::domain::preflight::{Check, Preflight};
use crate::domain::step::StepNumber;
use crate::domain::step::StepState;
use crate::engine::review::Reviewed;
use crate::engine::status::{ClientView, Phase, TenantStatus};

/// A panel. The number is the key that goes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Panel {
    /// Everybody.
    #[default]
    Clients,
    /// The keys and whether the server follows.
    Keys,
    /// What the server says of each peer.
    Peers,
    /// What happened.
    Journal,
    /// Why rotate may or may not start.
    Gate,
    /// The eight steps, above the tabs.
    Steps,
}

impl Panel {
    /// All of them; their place plus one is the key.
    pub const ALL: [Panel; 6] = [Panel::Clients, Panel::Keys, Panel::Peers, Panel::Journal, Panel::Gate, Panel::Steps];

    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Panel::Clients => "Clients",
            Panel::Keys => "Keys",
            Panel::Peers => "Peers",
            Panel::Journal => "Journal",
            Panel::Gate => "Gate",
            Panel::Steps => "Steps",
        }
    }
}

/// A movement in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Named as the keys.
pub enum Motion {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
}

impl Motion {
    /// The place after the movement in a list of `count` entries with pages of `rows`.
    pub fn apply(self, cursor: usize, count: usize, rows: u16) -> usize {
        let rows = usize::from(rows.max(1));
        let to = match self {
            Motion::Up => cursor.saturating_sub(1),
            Motion::Down => cursor + 1,
            Motion::PageUp => cursor.saturating_sub(rows),
            Motion::PageDown => cursor + rows,
            Motion::First => 0,
            Motion::Last => count,
        };
        to.min(count.saturating_sub(1))
    }
}

/// State of all panels of the tenant on the screen.
#[derive(Clone, Debug, Default)]
pub struct Panels {
    /// Which has the keys.
    pub focus: Panel,
    /// Which of the tabs is shown.
    pub tab: Panel,
    /// The selected step, 0 to 7.
    pub step: usize,
    /// Everybody.
    pub clients: ClientList,
    /// The selected peer.
    pub peer: usize,
    /// The selected key.
    pub key: usize,
    /// The selected reason or check.
    pub gate: usize,
    /// How many lines before the newest the selected one is.
    pub journal: usize,
    last_seq: u64,
}

impl Panels {
    /// Gives the keys to a panel and shows it.
    pub fn go(&mut self, panel: Panel) {
        self.focus = panel;
        if panel != Panel::Steps {
            self.tab = panel;
        }
    }

    /// The next panel, or the one before.
    pub fn cycle(&mut self, forward: bool) {
        let at = Panel::ALL.iter().position(|panel| *panel == self.focus).unwrap_or(0);
        let count = Panel::ALL.len();
        self.go(Panel::ALL[(at + if forward { 1 } else { count - 1 }) % count]);
    }

    /// Moves the selection of the panel that has the keys.
    pub fn step_by(&mut self, motion: Motion, status: &TenantStatus, rows: u16) {
        let list = rows.saturating_sub(1);
        match self.focus {
            Panel::Steps => self.step = motion.apply(self.step, 8, 8),
            Panel::Clients => self.clients.move_by(motion, list, status),
            Panel::Peers => self.peer = motion.apply(self.peer, status.clients.len(), list),
            Panel::Keys => self.key = motion.apply(self.key, KEYS, rows),
            Panel::Gate => self.gate = motion.apply(self.gate, gate_lines(status), rows),
            Panel::Journal => self.journal = motion.apply(self.journal, status.journal.len(), rows),
        }
    }

    /// Takes in a status: every selection stays with what it was on.
    pub fn take(&mut self, status: &TenantStatus) {
        self.clients.take(status);
        self.peer = self.peer.min(status.clients.len().saturating_sub(1));
        self.gate = self.gate.min(gate_lines(status).saturating_sub(1));
        let newest = status.journal.last().map_or(0, |line| line.seq);
        if self.journal > 0 && newest > self.last_seq {
            self.journal += (newest - self.last_seq) as usize;
        }
        self.journal = self.journal.min(status.journal.len().saturating_sub(1));
        self.last_seq = newest;
    }

    /// Whom a command concerns: the marked ones, else the person of the row under the cursor. A selection in a panel that
    /// is not on the screen is nobody's.
    pub fn people<'a>(&self, status: &'a TenantStatus) -> Vec<&'a ClientView> {
        if !self.clients.marked.is_empty() {
            return self.clients.subjects(status);
        }
        let by_id = |id: &ClientId| status.clients.iter().find(|view| view.client.id == *id);
        let person = match (self.focus, self.tab) {
            (Panel::Clients, _) | (Panel::Steps, Panel::Clients) => self.clients.selected(status),
            (Panel::Peers, _) => status.clients.get(self.peer),
            (Panel::Gate, _) => match gate_rows(status).nth(self.gate) {
                Some(GateRow::Reason(reason)) => reason.client().and_then(by_id),
                Some(GateRow::Overridden(view)) => Some(view),
                _ => None,
            },
            _ => None,
        };
        person.into_iter().collect()
    }

    /// The step to explain: the selected one if the steps have the keys, else the one that is stuck, else the first
    /// that is not done.
    pub fn step_in_question(&self, status: &TenantStatus) -> StepNumber {
        if self.focus == Panel::Steps {
            return StepNumber::ALL[self.step.min(7)];
        }
        // Others have changed the key: that is what is in question.
        if status.phase == Phase::Idle && (status.truth.is_some() || status.changed_since.is_some()) {
            return StepNumber::SECRET;
        }
        let stuck = |state: &StepState| matches!(state, StepState::Failed { .. } | StepState::Interrupted { .. });
        let found = status.steps.iter().find(|step| stuck(&step.state));
        let found = found.or_else(|| status.steps.iter().find(|step| !step.state.is_done()));
        found.map_or(StepNumber::ANNOUNCE, |step| step.number)
    }
}

/// How many lines the keys panel has.
pub const KEYS: usize = 6;

/// Why rotate may not start; nothing once it has, for then the gate is behind us, and nothing while no rotation is open.
pub fn gate_reasons(status: &TenantStatus) -> &[Reason] {
    if matches!(status.phase, Phase::Planned | Phase::Announced) { status.gate.reasons() } else { &[] }
}

/// One line of the gate panel.
#[derive(Clone, Copy, Debug)]
pub enum GateRow<'a> {
    /// Why rotate may not start.
    Reason(&'a Reason),
    /// Who had not agreed when an emergency overrode them.
    Overridden(&'a ClientView),
    /// When step 2 ran, above what it found.
    Run(&'a Preflight),
    /// What one check found.
    Check(&'a Check),
}

/// The lines of the gate panel: reasons, or whom an emergency overrode; then the run of step 2 and its checks.
pub fn gate_rows(status: &TenantStatus) -> impl Iterator<Item = GateRow<'_>> {
    let overridden = is_overridden(status);
    let unasked = status.clients.iter().filter(move |view| overridden && !view.standing.is_settled());
    let checks = status.preflight.iter().flat_map(|run| &run.checks);
    let reasons = gate_reasons(status).iter().map(GateRow::Reason);
    reasons
        .chain(unasked.map(GateRow::Overridden))
        .chain(status.preflight.iter().map(GateRow::Run))
        .chain(checks.map(GateRow::Check))
}

/// What a gate that nothing keeps shut is, in words: an emergency waits for nobody, and that is not what open means.
pub fn open_word(status: &TenantStatus) -> String {
    let open = status.clients.iter().filter(|view| !view.standing.is_settled()).count();
    match (status.phase, is_overridden(status)) {
        (Phase::Idle, _) => "no rotation".into(),
        (_, true) => format!("OVERRIDDEN, {open} of {} had not agreed", status.clients.len()),
        (Phase::Planned | Phase::Announced, false) => "open".into(),
        (_, false) if !status.touched => "open, and asked again before the key is touched".into(),
        (_, false) => "passed".into(),
    }
}

/// The gate is open or behind us, and it is an emergency that goes or went through it.
pub fn is_overridden(status: &TenantStatus) -> bool {
    let through = match status.phase {
        Phase::Idle => false,
        Phase::Planned | Phase::Announced => status.gate.is_open(),
        _ => true,
    };
    through && status.review.as_ref().is_some_and(|review| review.of == Reviewed::Emergency)
}

/// How many lines the gate panel has.
pub fn gate_lines(status: &TenantStatus) -> usize {
    gate_rows(status).count()
}
