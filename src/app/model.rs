//! Everything that the console knows and where the operator is in it. Changed by `update` alone.

use crate::app::case::{Page, Tab};
use crate::app::dialog::{Dialog, Subject};
use crate::app::fleet::FleetState;
use crate::app::manner::Manner;
use crate::app::palette::Palette;
use crate::app::panel::{Panel, Panels};
use crate::app::space;
use crate::domain::step::StepNumber;
use crate::domain::tenant::TenantId;
use crate::engine::case::status::Status;
use crate::engine::status::TenantStatus;
use crate::engine::step::{Progress, Trouble};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Which characters the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// All of them.
    Utf8,
    /// LANG=C, TERM=linux or dumb.
    Ascii,
}

/// Where the operator is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Screen {
    /// All tenants.
    Fleet,
    /// One of them.
    Tenant(TenantId),
    /// A subject that is no tenant.
    Subject(TenantId),
}

/// What the runbook says of a step; given by the composition root because `app` does not know the runbooks.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct StepInfo {
    /// 1 to 8.
    pub number: StepNumber,
    /// The heading.
    pub title: &'static str,
    /// How it is taken back.
    pub undo_text: &'static str,
    /// What is known to go wrong in it.
    pub troubles: &'static [Trouble],
}

/// A command that is being carried out.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its word.
    pub what: String,
    /// How far it is.
    pub progress: Option<Progress>,
    /// Since when, UTC.
    pub since: Timestamp,
    /// How many commands of this tenant have not ended.
    pub open: usize,
}

/// How grave a remark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// For information.
    Info,
    /// Something was achieved.
    Done,
    /// Not possible now; nothing was changed.
    Refused,
    /// Something went wrong.
    Error,
}

impl Severity {
    /// The word before the text.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Done => "done",
            Severity::Refused => "refused",
            Severity::Error => "ERROR",
        }
    }
}

/// A line for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// When, UTC.
    pub at: Timestamp,
    /// How grave.
    pub severity: Severity,
    /// The text.
    pub text: String,
}

/// How many remarks are kept.
pub const REMARKS: usize = 300;

/// What the model starts with.
#[derive(Clone, Debug)]
pub struct ModelOptions {
    /// The moment, UTC.
    pub now: Timestamp,
    /// Columns and rows.
    pub size: (u16, u16),
    /// What the terminal can show.
    pub charset: Charset,
    /// Which colours it is given.
    pub palette: Palette,
    /// The environment's label: `eu-1`.
    pub environment: String,
    /// Whether that is production, so that the header says so.
    pub production: bool,
    /// In which manner somebody works here.
    pub manner: Manner,
    /// Who works here: `ops@bastion-2`.
    pub operator: String,
    /// The same person, by what they can't set themselves: four eyes compare this.
    pub person: String,
    /// The lab's banner: `EMBEDDED LAB`.
    pub lab: Option<String>,
    /// The runbook's steps.
    pub steps: &'static [StepInfo],
    /// The zone offered for a new window.
    pub zone: String,
    /// The length offered for a new window: `90m`.
    pub length: String,
    /// How often the tenant on the screen is looked at.
    pub poll_interval: Duration,
}

/// The whole state of the console.
#[derive(Clone, Debug)]
pub struct Model {
    /// The moment, UTC.
    pub now: Timestamp,
    /// Columns and rows.
    pub size: (u16, u16),
    /// What it was started with.
    pub options: ModelOptions,
    /// Where the operator is.
    pub screen: Screen,
    /// All tenants.
    pub fleet: FleetState,
    /// The last status of each.
    pub tenants: HashMap<TenantId, Arc<TenantStatus>>,
    /// The last status of each subject that is no tenant.
    pub cases: HashMap<TenantId, Arc<Status>>,
    /// What runs now.
    pub jobs: HashMap<TenantId, Job>,
    /// The panels of the tenant on the screen.
    pub panels: Panels,
    /// Where the operator is on the page of a subject that is no tenant.
    pub page: Page,
    /// What stands before the screen.
    pub dialog: Option<Dialog>,
    /// What was said, newest last; never empty of the last line until a key is pressed.
    pub remarks: VecDeque<Remark>,
    /// Whether the newest remark is still to be shown on the message line.
    pub remark_shown: bool,
    /// Something that stays on the screen.
    pub alarm: Option<String>,
    /// Whether the end was asked for.
    pub quitting: bool,
}

impl Model {
    /// Something runs, and whoever wants to quit is asked.
    pub fn asks_to_quit(&self) -> bool {
        matches!(&self.dialog, Some(Dialog::Reading(reading)) if reading.subject == Subject::Quit)
    }

    /// An empty fleet, nothing known yet: the first frame can be drawn before anything was looked at.
    pub fn new(options: ModelOptions) -> Self {
        Self {
            now: options.now,
            size: options.size,
            options,
            screen: Screen::Fleet,
            fleet: FleetState::default(),
            tenants: HashMap::new(),
            cases: HashMap::new(),
            jobs: HashMap::new(),
            panels: Panels::default(),
            page: Page::default(),
            dialog: None,
            remarks: VecDeque::new(),
            remark_shown: false,
            alarm: None,
            quitting: false,
        }
    }

    /// The tenant on the screen.
    pub fn shown(&self) -> Option<&TenantId> {
        match &self.screen {
            Screen::Fleet => None,
            Screen::Tenant(id) | Screen::Subject(id) => Some(id),
        }
    }

    /// What is true of the tenant on the screen, if anything is known.
    pub fn status(&self) -> Option<&Arc<TenantStatus>> {
        self.tenants.get(self.shown()?)
    }

    /// The tenant that a command means: the one on the screen, or the selected one of the fleet.
    pub fn subject(&self) -> Option<&TenantId> {
        self.shown().or_else(|| self.fleet.selected())
    }

    /// Says something on the message line and keeps it in the log.
    pub fn say(&mut self, severity: Severity, text: impl Into<String>) {
        if self.remarks.len() >= REMARKS {
            self.remarks.pop_front();
        }
        let text = crate::domain::sanitize::sanitize(&text.into());
        let remark = Remark { at: self.now, severity, text };
        let grave = |severity| matches!(severity, Severity::Refused | Severity::Error);
        if self.remark().is_some_and(|shown| grave(shown.severity)) && !grave(severity) {
            // A refusal stays until the next key; what a job says meanwhile stands behind it in the log.
            let at = self.remarks.len().saturating_sub(1);
            self.remarks.insert(at, remark);
        } else {
            self.remarks.push_back(remark);
        }
        self.remark_shown = true;
    }

    /// The remark on the message line.
    pub fn remark(&self) -> Option<&Remark> {
        self.remarks.back().filter(|_| self.remark_shown)
    }

    /// What is known of the tenants that are on the screen.
    fn visible(&self) -> impl Iterator<Item = &TenantStatus> {
        let page = match self.screen {
            Screen::Tenant(_) | Screen::Subject(_) => 0..0,
            Screen::Fleet => space::page(self.fleet.order.len(), self.fleet.cursor, space::fleet_rows(self.size)),
        };
        let rows = page.filter_map(move |place| self.fleet.rows.get(*self.fleet.order.get(place)? as usize));
        let rows = rows.filter_map(move |row| self.tenants.get(&row.id));
        rows.chain(self.status()).map(AsRef::as_ref)
    }

    /// What needs attention of the subject on the screen.
    pub fn attention(&self) -> &[String] {
        let of_case = || self.cases.get(self.shown()?).map(|status| status.attention.as_slice());
        self.status().map(|status| status.attention.as_slice()).or_else(of_case).unwrap_or_default()
    }

    /// Whether something of a subject that is no tenant changes with the second: it does not answer, or a moment is near.
    fn case_ticks(&self) -> bool {
        let is_near = |until: Option<Timestamp>| {
            until.is_some_and(|until| (0..=120).contains(&(until.as_second() - self.now.as_second())))
        };
        let Some((id, status)) = self.meant_case() else { return false };
        let gates = || status.gates.values().flat_map(|gate| gate.reasons()).any(|fact| is_near(fact.until));
        !self.late_of_case(id, status).is_empty() || self.page.tab == Tab::Gate && gates() || is_near(status.next.until)
    }

    /// What the runbook says of a step.
    pub fn step_info(&self, number: StepNumber) -> Option<&StepInfo> {
        self.options.steps.iter().find(|info| info.number == number)
    }

    /// After how long the screen would look different although nothing happens: a second while ages below two minutes,
    /// a countdown or a running job are visible, else the rest of the minute.
    pub fn wakes_in(&self) -> Duration {
        let young_at =
            |now: Timestamp, at: Option<Timestamp>| at.is_some_and(|at| now.as_second() - at.as_second() < 120);
        let young = |at| young_at(self.now, at);
        let ticking = self.shown().is_some_and(|id| self.jobs.contains_key(id))
            || self.visible().any(|status| self.is_late(status))
            || self.case_ticks()
            || self.status().is_some_and(|status| {
                let keys = &status.keys;
                status.reconcile_deadline.is_some_and(|deadline| deadline > self.now)
                    || [keys.secret.at, keys.object.at, keys.interface.at].into_iter().any(young)
                    || matches!(self.panels.tab, Panel::Clients | Panel::Peers)
                        && status
                            .clients
                            .iter()
                            .any(|view| young_at(status.server_now(self.now), view.latest_handshake))
                    || status.window.as_ref().is_some_and(|window| {
                        let left = [window.start, window.end].map(|at| at.as_second() - self.now.as_second());
                        left.iter().any(|left| (0..=120).contains(left))
                    })
            });
        let second = self.now.as_second();
        Duration::from_secs(if ticking { 1 } else { (60 - second.rem_euclid(60)) as u64 })
    }
}
