//! The gate of one rotation: its facts are gathered in this one place, for the machine, the screen and `--json` alike.

use crate::domain::client::{Client, ClientId, Source};
use crate::domain::gate::{self, ApprovalFact, ChecksPart, Facts, PeoplePart, Reason, Stand, Verdict};
use crate::domain::key::PublicKey;
use crate::domain::notices::Notices;
use crate::domain::preflight::KEYS;
use crate::domain::sanitize;
use crate::domain::step::{StepNumber, StepState};
use crate::engine::approval::{self, Me};
use crate::engine::machine::Rules;
use crate::engine::rotation::Rotation;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is known besides the journal.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    /// Everybody who will be cut off; whoever was told in this rotation is among them.
    pub clients: &'a [Client],
    /// Why that may not be everybody.
    pub unknown: Option<&'a str>,
    /// Who else holds the tenant.
    pub held_by: Option<&'a str>,
    /// What was seen since the last check that it would fail by. Nothing, where a check is run behind this.
    pub seen_since: Option<&'a str>,
    /// Who asks.
    pub me: Me<'a>,
}

/// An operator's word, with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Why.
    pub reason: String,
    /// Who said it.
    pub by: String,
    /// When, UTC.
    pub at: Timestamp,
}

/// Judges the gate at a moment.
pub fn judge(open: Option<&Rotation>, beside: Beside<'_>, rules: &Rules, now: Timestamp) -> Verdict {
    let (notices, acknowledgements, waivers) = (Notices::default(), BTreeMap::new(), BTreeMap::new());
    let to_read = open.map(Rotation::clients_to_read).unwrap_or_default();
    let nobody = PeoplePart {
        clients: beside.clients,
        unknown: beside.unknown,
        nobody: None,
        notices: &notices,
        acknowledgements: &acknowledgements,
        waivers: &waivers,
        to_read: &to_read,
    };
    let facts = Facts {
        window: open.map(|rotation| &rotation.window),
        people: open.map_or(nobody, |rotation| people(rotation, beside, &to_read)),
        checks: ChecksPart {
            run: open.and_then(|rotation| rotation.preflight.as_ref()),
            valid_s: i64::try_from(rules.preflight_valid.as_secs()).unwrap_or(i64::MAX),
            set_aside: open.iter().flat_map(|rotation| rotation.set_aside.keys().map(String::as_str)).collect(),
            seen_since: beside.seen_since,
        },
        held_by: beside.held_by,
        approval: open.map_or(ApprovalFact::NotNeeded, |rotation| {
            approval::judge(rotation, rules.approval.as_ref(), beside.me, now)
        }),
        emergency: open.is_some_and(|rotation| rotation.emergency.is_some()),
    };
    let verdict = gate::judge(&facts, now);
    let staged = open.filter(|rotation| !rotation.touched).and_then(Rotation::target);
    let is_taken = staged.is_some_and(|key| beside.clients.iter().any(|client| client.keys().any(|own| own == key)));
    // What is to be said of whoever has the staged key follows from that: it leads.
    match is_taken {
        true => verdict.led_by(
            |reason| matches!(reason, Reason::CheckFailed { checks, .. } if checks.iter().any(|check| check == KEYS)),
        ),
        false => verdict,
    }
}

fn people<'a>(rotation: &'a Rotation, beside: Beside<'a>, to_read: &'a BTreeSet<ClientId>) -> PeoplePart<'a> {
    PeoplePart {
        clients: beside.clients,
        unknown: beside.unknown,
        nobody: rotation.nobody.as_deref(),
        notices: &rotation.notices,
        acknowledgements: &rotation.acknowledgements,
        waivers: &rotation.waivers,
        to_read,
    }
}

/// How one client stands before the key is changed. `to_read`: [`Rotation::clients_to_read`], asked once for all of them.
pub fn stand<'a>(client: &Client, rotation: &'a Rotation, to_read: &'a BTreeSet<ClientId>) -> Stand<'a> {
    let beside =
        Beside { clients: &rotation.clients, unknown: None, held_by: None, seen_since: None, me: Me::looking("") };
    Stand::of(client, rotation.window.revision, &people(rotation, beside, to_read))
}

impl Rotation {
    /// Another window is another agreement: what was confirmed for the one before begins nothing in this one.
    pub(super) fn not_confirmed(&mut self) {
        self.confirmed_at = None;
        self.nobody = None;
        for step in [StepNumber::STAGE, StepNumber::SECRET] {
            let state = &mut self.steps[step.index()];
            if !state.is_done() {
                *state = StepState::Waiting;
            }
        }
    }

    /// Whether anything was said to this person in this rotation, by them, or of them.
    pub fn is_told(&self, id: &ClientId) -> bool {
        self.notices.of(id).next().is_some() || self.acknowledgements.contains_key(id) || self.waivers.contains_key(id)
    }

    /// Those who were seen now, with everybody who was told in this rotation and is named by no place any more: they stay,
    /// known from nowhere, until they are waived. Where a place could not be asked, nobody who was known is missing either.
    pub fn with_told(&self, seen: Vec<Client>, is_everybody: bool) -> Vec<Client> {
        let mut seen = Seen::of(seen);
        let told = |client: &Client| self.is_told(&client.id);
        for known in &self.clients {
            seen.name(known);
            if let (Some(at), Some(key)) = (seen.without_key(&known.id), known.public_key)
                && let Some(peer) = seen.with_key(&key).into_iter().find(|at| seen.is(*at, is_unnamed))
            {
                // The place that told their key names them no more; the peer on the interface is theirs still.
                seen.take(peer);
                seen.give(at, key);
            }
            let one = known.also.is_empty().then(|| seen.part(&known.id, told(known))).flatten();
            if let Some(row) = one {
                // They were told apart from the person whom they are part of now, so they have a word of their own.
                seen.push(Client { sources: row, ..known.clone() });
                continue;
            }
            if seen.is_known(&known.id) {
                continue;
            }
            if is_everybody && !told(known) {
                // No place names them any more, and the peer on the interface is theirs as long as it is there.
                let theirs = known.keys().flat_map(|key| seen.with_key(&key)).find(|at| seen.is(*at, is_unnamed));
                if let Some(peer) = theirs {
                    seen.take(peer);
                    seen.push(Client { sources: BTreeSet::from([Source::Peer]), ..known.clone() });
                }
                continue;
            }
            // The peer on the interface is theirs: it needs no row of its own.
            for at in known.keys().flat_map(|key| seen.with_key(&key)).collect::<Vec<_>>() {
                if !seen.is(at, told) {
                    seen.take(at);
                }
            }
            let sources = if is_everybody { Default::default() } else { known.sources.clone() };
            seen.push(Client { sources, ..known.clone() });
        }
        seen.rows.into_iter().flatten().collect()
    }
}

/// Those who were seen, found by id and by key: they are compared with as many who were known.
#[derive(Default)]
struct Seen {
    rows: Vec<Option<Client>>,
    of_id: HashMap<ClientId, usize>,
    of_key: HashMap<PublicKey, Vec<usize>>,
    /// Further entries of the same person.
    also: HashMap<ClientId, usize>,
}

impl Seen {
    fn of(clients: Vec<Client>) -> Self {
        let mut seen = Self::default();
        clients.into_iter().for_each(|client| seen.push(client));
        seen
    }

    fn push(&mut self, client: Client) {
        let at = self.rows.len();
        self.of_id.entry(client.id.clone()).or_insert(at);
        self.also.extend(client.also.iter().map(|also| (also.id.clone(), at)));
        if let Some(key) = client.public_key {
            self.of_key.entry(key).or_default().push(at);
        }
        self.rows.push(Some(client));
    }

    fn is(&self, at: usize, holds: impl Fn(&Client) -> bool) -> bool {
        self.rows[at].as_ref().is_some_and(holds)
    }

    /// Whether an entry is there, as a person or as part of one.
    fn is_known(&self, id: &ClientId) -> bool {
        self.of_id.contains_key(id) || self.also.contains_key(id)
    }

    /// Takes an entry out of the person whom it is part of, where it was told by itself. Gives where that person is known from.
    fn part(&mut self, id: &ClientId, told: bool) -> Option<BTreeSet<Source>> {
        let at = self.also.get(id).copied().filter(|_| told)?;
        let person = self.rows[at].as_mut()?;
        person.also.retain(|also| also.id != *id);
        self.also.remove(id);
        Some(person.sources.clone())
    }

    /// Gives somebody the name by which they were known, where the places that still list them say none.
    fn name(&mut self, known: &Client) {
        let row = self.of_id.get(&known.id).and_then(|at| self.rows[*at].as_mut());
        if let Some(row) = row.filter(|row| row.name == sanitize::name(&row.id.0)) {
            row.name.clone_from(&known.name);
        }
    }

    /// Where somebody stands of whom no key is known.
    fn without_key(&self, id: &ClientId) -> Option<usize> {
        self.of_id.get(id).copied().filter(|at| self.is(*at, |client| client.public_key.is_none()))
    }

    /// Where those stand who have this key, in their order.
    fn with_key(&self, key: &PublicKey) -> Vec<usize> {
        self.of_key.get(key).cloned().unwrap_or_default()
    }

    fn give(&mut self, at: usize, key: PublicKey) {
        if let Some(client) = &mut self.rows[at] {
            client.public_key = Some(key);
            let places = self.of_key.entry(key).or_default();
            places.push(at);
            places.sort_unstable();
        }
    }

    fn take(&mut self, at: usize) {
        let Some(client) = self.rows[at].take() else { return };
        if self.of_id.get(&client.id) == Some(&at) {
            self.of_id.remove(&client.id);
        }
        if let Some(places) = client.public_key.and_then(|key| self.of_key.get_mut(&key)) {
            places.retain(|place| *place != at);
        }
    }
}

/// A peer on the interface that no place names.
pub(super) fn is_unnamed(client: &Client) -> bool {
    client.sources.iter().all(|source| *source == Source::Peer)
}
