//! The list of clients: its filter and order, the selected client, and those that are marked to be acted on together.

use crate::app::panel::Motion;
use crate::domain::client::ClientId;
use crate::domain::freshness::Presence;
use crate::engine::status::{ClientView, Phase, Standing, TenantStatus};
use std::collections::BTreeSet;
use tui_input::Input;

/// The list. The selection and the marks are by id, so that no status can shift them to somebody else.
#[derive(Clone, Debug, Default)]
pub struct ClientList {
    /// Places in the status that pass the filter, in order.
    pub order: Vec<u32>,
    /// Where in `order` the selection is.
    pub cursor: usize,
    /// Who is marked.
    pub marked: BTreeSet<ClientId>,
    /// Whether those who need something stand first.
    pub open_first: bool,
    /// The filter.
    pub filter: Input,
    /// Whether keys go into the filter.
    pub typing: bool,
    /// The filter that was in force before the one that is being typed.
    earlier: String,
    selected: Option<ClientId>,
}

impl ClientList {
    /// Takes in a status.
    pub fn take(&mut self, status: &TenantStatus) {
        let query = self.filter.value().to_lowercase();
        let passes = |view: &ClientView| {
            query.is_empty() || {
                let email = view.client.email.as_deref().unwrap_or_default();
                let text = format!("{} {} {email} {}", view.client.id, view.client.name, view.standing.word());
                let text = text.to_lowercase();
                query.split_whitespace().all(|word| text.contains(word))
            }
        };
        let all = status.clients.iter().enumerate();
        self.order = all.filter(|(_, view)| passes(view)).map(|(at, _)| at as u32).collect();
        if self.open_first {
            self.order.sort_by_key(|at| status.clients.get(*at as usize).is_some_and(|view| !needs(view, status)));
        }
        // Somebody who left the list must not stay marked unseen.
        if !self.marked.is_empty() {
            let present: BTreeSet<&ClientId> = status.clients.iter().map(|view| &view.client.id).collect();
            self.marked.retain(|id| present.contains(id));
        }
        let is_selected =
            |at: &u32| status.clients.get(*at as usize).map(|view| &view.client.id) == self.selected.as_ref();
        let place = self.selected.as_ref().and_then(|_| self.order.iter().position(is_selected));
        self.cursor = place.unwrap_or(self.cursor).min(self.order.len().saturating_sub(1));
        self.remember(status);
    }

    /// Begins a new filter; the one in force comes back where the new one is given up.
    pub fn begin_filter(&mut self) {
        self.earlier = self.filter.value_and_reset();
        self.typing = true;
    }

    /// Gives up the filter that is being typed.
    pub fn give_up_filter(&mut self) {
        self.filter = Input::new(std::mem::take(&mut self.earlier));
        self.typing = false;
    }

    /// Moves the selection.
    pub fn move_by(&mut self, motion: Motion, rows: u16, status: &TenantStatus) {
        self.cursor = motion.apply(self.cursor, self.order.len(), rows);
        self.remember(status);
    }

    /// Selects a client, if the filter shows them.
    pub fn select(&mut self, client: &ClientId, status: &TenantStatus) {
        let is_it = |at: &u32| status.clients.get(*at as usize).is_some_and(|view| view.client.id == *client);
        if let Some(place) = self.order.iter().position(is_it) {
            self.cursor = place;
            self.remember(status);
        }
    }

    /// The selected client.
    pub fn selected<'a>(&self, status: &'a TenantStatus) -> Option<&'a ClientView> {
        status.clients.get(*self.order.get(self.cursor)? as usize)
    }

    /// Marks the selected client, or takes the mark away, and goes to the next.
    pub fn toggle(&mut self, rows: u16, status: &TenantStatus) {
        if let Some(view) = self.selected(status) {
            let id = view.client.id.clone();
            if !self.marked.remove(&id) {
                self.marked.insert(id);
            }
            self.move_by(Motion::Down, rows, status);
        }
    }

    /// Marks everybody who is shown, or nobody if all of them were marked.
    pub fn toggle_all(&mut self, status: &TenantStatus) {
        let shown = self.order.iter().filter_map(|at| status.clients.get(*at as usize));
        let shown: BTreeSet<ClientId> = shown.map(|view| view.client.id.clone()).collect();
        if shown.is_subset(&self.marked) {
            self.marked.clear();
        } else {
            self.marked.extend(shown);
        }
    }

    /// Whom a command concerns: the marked ones in the order of the status, else the selected one.
    pub fn subjects<'a>(&self, status: &'a TenantStatus) -> Vec<&'a ClientView> {
        if self.marked.is_empty() {
            return self.selected(status).into_iter().collect();
        }
        status.clients.iter().filter(|view| self.marked.contains(&view.client.id)).collect()
    }

    fn remember(&mut self, status: &TenantStatus) {
        self.selected = self.selected(status).map(|view| view.client.id.clone());
    }
}

/// Whether something is still to be had of this client: an answer before the rotation, a sign of life after it.
pub fn needs(view: &ClientView, status: &TenantStatus) -> bool {
    match (status.phase, status.back) {
        (Phase::Idle, _) => false,
        (_, Some(_)) => !is_back(view),
        (_, None) => !view.standing.is_settled(),
    }
}

/// How this client stands, in one phrase.
pub fn standing_text(view: &ClientView) -> String {
    let (word, detail) = (view.standing.word(), view.standing_detail.as_str());
    if detail.is_empty() || detail.starts_with(word) {
        return if detail.is_empty() { word.to_owned() } else { detail.to_owned() };
    }
    format!("{word}; {detail}")
}

/// Whether this client is back or waived.
pub fn is_back(view: &ClientView) -> bool {
    view.back.is_some() || view.standing == Standing::Waived
}

/// What is known of their return after the key is live, in a few words; before it, how lively their peer is.
pub fn return_word(view: &ClientView, after: bool) -> &'static str {
    match view.presence {
        _ if !after => view.activity.map_or("-", |activity| activity.word()),
        _ if view.standing == Standing::Waived => "waived",
        _ if is_back(view) => "back",
        _ if view.says_not_back => "says: not back",
        Some(Presence::Back) => "back, not recorded",
        Some(presence) => presence.word(),
        None => "not looked",
    }
}

/// What they said of the gateway's ping.
pub fn ping_word(view: &ClientView) -> Option<&'static str> {
    view.gateway_ping.map(|answered| if answered { "gateway ping answered" } else { "gateway ping NOT answered" })
}

/// The mail that counts now, and how it stands.
pub fn mail_word(view: &ClientView) -> String {
    if let Some(state) = &view.reconfigure_notice {
        return format!("reconf. {state}");
    }
    match (&view.last_notice, &view.client.email) {
        (_, None) => "NO ADDRESS".into(),
        (Some((kind, state)), _) => format!("{} {state}", kind.word().chars().take(6).collect::<String>()),
        (None, Some(_)) => "-".into(),
    }
}
