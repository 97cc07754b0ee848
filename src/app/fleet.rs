//! The list of tenants: small rows, which of them pass the filter, in which order, and which is selected.
//!
//! A status of one tenant moves one row; nothing here looks at all rows because a frame is drawn. Texts are made by `ui`.

use crate::app::totals::Totals;
use crate::domain::cadence::Due;
use crate::domain::freshness::Activity;
use crate::domain::tenant::{Tenant, TenantId};
use crate::engine::status::{Phase, Reconcile, TenantStatus};
use jiff::Timestamp;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::time::Duration;
use tui_input::Input;

/// One tenant as the list sorts and filters it.
#[derive(Clone, Debug)]
pub struct FleetRow {
    /// Which.
    pub id: TenantId,
    /// Its name.
    pub name: Box<str>,
    /// What the filter looks at, in lower case.
    pub search: Box<str>,
    /// Whether a status was seen.
    pub known: bool,
    /// Where it is.
    pub phase: Phase,
    /// Settled clients, of how many.
    pub answers: (u32, u32),
    /// Peers with a live session, of how many.
    pub active: (u32, u32),
    /// Whether the server follows.
    pub reconcile: Reconcile,
    /// When the key is due, s since 1970; `i64::MAX` where unknown.
    pub due: i64,
    /// How many things need attention.
    pub attention: u32,
    /// How pressing: lower is sooner.
    pub rank: u8,
    /// A source does not answer.
    pub silent: bool,
    /// Held by somebody else.
    pub held: bool,
}

/// By what the list is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SortKey {
    /// What needs a person first.
    #[default]
    Attention,
    /// By name.
    Name,
    /// The oldest key first.
    Due,
    /// The furthest first.
    Phase,
    /// Most open answers first.
    Answers,
}

impl SortKey {
    /// The word on the screen.
    pub fn word(self) -> &'static str {
        match self {
            SortKey::Attention => "attention",
            SortKey::Name => "name",
            SortKey::Due => "due",
            SortKey::Phase => "phase",
            SortKey::Answers => "answers",
        }
    }

    /// The one after it.
    pub fn next(self) -> Self {
        match self {
            SortKey::Attention => SortKey::Name,
            SortKey::Name => SortKey::Due,
            SortKey::Due => SortKey::Phase,
            SortKey::Phase => SortKey::Answers,
            SortKey::Answers => SortKey::Attention,
        }
    }
}

/// The list.
#[derive(Clone, Debug, Default)]
pub struct FleetState {
    /// Every tenant; a row never moves.
    pub rows: Vec<FleetRow>,
    /// Rows that pass the filter, in order.
    pub order: Vec<u32>,
    /// Where in `order` the selection is.
    pub cursor: usize,
    /// Whether the operator has moved the selection; until then it stays with whatever is most pressing.
    pub moved: bool,
    /// By what it is sorted.
    pub sort: SortKey,
    /// The filter.
    pub filter: Input,
    /// Whether keys go into the filter.
    pub typing: bool,
    /// The filter that was in force before the one that is being typed.
    earlier: String,
    /// Why tenants may be missing.
    pub fault: Option<String>,
    /// Whether a list has ever arrived.
    pub loaded: bool,
    /// When all tenants had been looked at last, UTC, and how long that took.
    pub swept: Option<(Timestamp, Duration)>,
    /// What all rows come to.
    pub totals: Totals,
    /// So many of the subjects are no tenants.
    pub subjects: usize,
    /// Rows looked at by the filter since the start: what narrowing saves is seen here.
    pub examined: u64,
    index: HashMap<TenantId, u32>,
    words: Vec<String>,
}

impl FleetState {
    /// Takes the list of tenants; known rows keep what is known of them, the selection stays with its tenant.
    pub fn load(&mut self, tenants: &[Tenant]) {
        let selected = self.selected().cloned();
        let mut known: HashMap<TenantId, FleetRow> = self.rows.drain(..).map(|row| (row.id.clone(), row)).collect();
        self.index.clear();
        for tenant in tenants {
            if self.index.contains_key(&tenant.id) {
                continue;
            }
            let mut row = known.remove(&tenant.id).unwrap_or_else(|| unknown_row(tenant));
            row.name = tenant.name.as_str().into();
            self.index.insert(tenant.id.clone(), self.rows.len() as u32);
            self.rows.push(row);
        }
        let mut others: Vec<FleetRow> = known.into_values().filter(|row| row.id.is_subject()).collect();
        others.sort_by(|a, b| a.name.cmp(&b.name));
        for row in others {
            self.index.insert(row.id.clone(), self.rows.len() as u32);
            self.rows.push(row);
        }
        self.loaded = true;
        self.totals = Totals::of(&self.rows);
        self.refilter();
        self.select(selected.as_ref());
    }

    /// Takes a status: one row changes and, if it must, moves. The selection stays with its tenant.
    pub fn take(&mut self, status: &TenantStatus) {
        self.put(&status.tenant.id, row_of(status));
    }

    pub(super) fn put(&mut self, id: &TenantId, row: FleetRow) {
        let at = match self.index.get(id) {
            Some(at) => *at,
            None => {
                let at = self.rows.len() as u32;
                self.index.insert(id.clone(), at);
                self.rows.push(row.clone());
                self.totals.add(&row);
                at
            }
        };
        let selected = self.order.get(self.cursor).copied();
        if let Some(place) = self.order.iter().position(|other| *other == at) {
            self.order.remove(place);
        }
        let before = std::mem::replace(&mut self.rows[at as usize], row);
        self.totals.take(&before);
        self.totals.add(&self.rows[at as usize]);
        if self.passes(at) {
            let place = self.order.partition_point(|other| self.compare(*other, at) == Ordering::Less);
            self.order.insert(place, at);
        }
        self.keep(selected);
    }

    /// Whether there are subjects, and no tenant is among them.
    pub fn is_without_tenants(&self) -> bool {
        self.loaded && self.subjects > 0 && self.rows.len() == self.subjects
    }

    /// Whether a row stands for this subject.
    pub(super) fn has(&self, id: &TenantId) -> bool {
        self.index.contains_key(id)
    }

    /// The selected tenant.
    pub fn selected(&self) -> Option<&TenantId> {
        let at = *self.order.get(self.cursor)?;
        self.rows.get(at as usize).map(|row| &row.id)
    }

    /// Selects a tenant if it is in the list.
    pub fn select(&mut self, tenant: Option<&TenantId>) {
        self.keep(tenant.and_then(|tenant| self.index.get(tenant).copied()));
    }

    /// Sorts by the next key.
    pub fn sort_next(&mut self) {
        let selected = self.order.get(self.cursor).copied();
        self.sort = self.sort.next();
        if self.sort == SortKey::Answers && self.is_without_tenants() {
            self.sort = self.sort.next();
        }
        self.resort();
        self.keep(selected);
    }

    /// The filter has another text: narrows what is there if it grew, else looks at all rows again.
    pub fn filter_changed(&mut self, before: &str) {
        let selected = self.order.get(self.cursor).copied();
        self.words = self.filter.value().to_lowercase().split_whitespace().map(str::to_owned).collect();
        if !before.is_empty() && self.filter.value().starts_with(before) {
            let mut order = std::mem::take(&mut self.order);
            order.retain(|at| self.passes(*at));
            self.order = order;
        } else {
            self.refilter();
        }
        self.keep(selected);
    }

    /// Begins a new filter; the one in force stands until then, and again where the new one is given up.
    pub fn begin_filter(&mut self) {
        self.earlier = self.filter.value_and_reset();
        self.typing = true;
        if !self.earlier.is_empty() {
            self.filter_changed("");
        }
    }

    /// Gives up the filter that is being typed.
    pub fn give_up_filter(&mut self) {
        let earlier = std::mem::take(&mut self.earlier);
        self.clear_filter();
        if !earlier.is_empty() {
            self.filter = Input::new(earlier);
            self.filter_changed("");
        }
    }

    /// Drops the filter.
    pub fn clear_filter(&mut self) {
        let before = self.filter.value_and_reset();
        self.typing = false;
        if !before.is_empty() {
            self.filter_changed(&before);
        }
    }

    fn keep(&mut self, selected: Option<u32>) {
        if !self.moved {
            self.cursor = 0;
            return;
        }
        let place = selected.and_then(|at| self.order.iter().position(|other| *other == at));
        self.cursor = place.unwrap_or(self.cursor).min(self.order.len().saturating_sub(1));
    }

    fn refilter(&mut self) {
        self.order = Vec::with_capacity(self.rows.len());
        for at in 0..self.rows.len() as u32 {
            if self.passes(at) {
                self.order.push(at);
            }
        }
        self.resort();
    }

    fn resort(&mut self) {
        let mut order = std::mem::take(&mut self.order);
        order.sort_unstable_by(|a, b| self.compare(*a, *b));
        self.order = order;
    }

    /// All words of the filter occur in the row.
    fn passes(&mut self, at: u32) -> bool {
        self.examined += 1;
        let Some(row) = self.rows.get(at as usize) else { return false };
        self.words.iter().all(|word| row.search.contains(word.as_str()))
    }

    fn compare(&self, a: u32, b: u32) -> Ordering {
        let (x, y) = (&self.rows[a as usize], &self.rows[b as usize]);
        let open = |row: &FleetRow| row.answers.1.saturating_sub(row.answers.0);
        let by_key = match self.sort {
            SortKey::Attention => x.rank.cmp(&y.rank).then(y.attention.cmp(&x.attention)).then(x.due.cmp(&y.due)),
            SortKey::Name => Ordering::Equal,
            SortKey::Due => x.due.cmp(&y.due),
            SortKey::Phase => y.phase.cmp(&x.phase),
            SortKey::Answers => open(y).cmp(&open(x)),
        };
        by_key.then_with(|| x.name.cmp(&y.name)).then(a.cmp(&b))
    }
}

fn unknown_row(tenant: &Tenant) -> FleetRow {
    FleetRow {
        id: tenant.id.clone(),
        name: tenant.name.as_str().into(),
        search: format!("{} {}", tenant.name, tenant.id).to_lowercase().into(),
        known: false,
        phase: Phase::Idle,
        answers: (0, 0),
        active: (0, 0),
        reconcile: Reconcile::Unknown,
        due: i64::MAX,
        attention: 0,
        rank: u8::MAX,
        silent: false,
        held: false,
    }
}

fn row_of(status: &TenantStatus) -> FleetRow {
    let live = |activity: Option<Activity>| activity == Some(Activity::Active);
    let active = status.clients.iter().filter(|client| live(client.activity)).count();
    let peers = status.clients.iter().filter(|client| client.client.public_key.is_some()).count();
    let due = match status.keys.due_state {
        Some(Due::Overdue) => " overdue",
        Some(Due::Soon) => " due soon",
        _ => "",
    };
    let lost = status.sources.iter().any(|source| source.fault.is_some());
    let urgent = lost || matches!(status.reconcile, Reconcile::Late | Reconcile::Differs);
    let rank = match (status.phase, status.attention.is_empty()) {
        _ if status.lead().is_some() => 0,
        (Phase::Rotating | Phase::RollingBack | Phase::Returning, false) => 1,
        _ if urgent => 2,
        (_, false) => 3,
        (Phase::Rotating | Phase::RollingBack | Phase::Returning, true) => 4,
        (Phase::Announced | Phase::Planned, true) => 5,
        (Phase::Idle, true) => 6,
    };
    let tenant = &status.tenant;
    let search = format!(
        "{} {} {} {}{due} {}{}",
        tenant.name,
        tenant.id,
        status.phase.word(),
        status.reconcile.word(),
        status.attention.first().map(String::as_str).unwrap_or_default(),
        if lost { " no answer" } else { "" },
    );
    FleetRow {
        id: tenant.id.clone(),
        name: tenant.name.as_str().into(),
        search: search.to_lowercase().into(),
        known: true,
        phase: status.phase,
        answers: (status.answers.0 as u32, status.answers.1 as u32),
        active: (active as u32, peers as u32),
        reconcile: status.reconcile,
        due: status.keys.due.map_or(i64::MAX, |due| due.as_second()),
        attention: status.attention.len() as u32,
        rank,
        silent: lost,
        held: status.holder.is_some(),
    }
}
