//! What was last seen of the nodes. A failed look erases nothing: what was seen before stays, with the fault beside it.

use super::record::{Held, Kind};
use super::world::Each;
use super::{State, World};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::fernet::repository::Repository;
use crate::domain::fernet::settings::{self, Settings};
use crate::domain::observation::Observation;
use crate::engine::ports::nodes::{Beside, Look};
use std::collections::BTreeMap;

/// What was seen of a node.
#[derive(Clone, Debug)]
pub struct NodeSight {
    /// Everything that a look sees.
    pub look: Look,
    /// By how much its clock was ahead of ours, s; negative: behind.
    pub ahead_s: i64,
}

/// By how much a clock is ahead of ours at least, s: it was read at some moment between these two of ours, ms. A look that took long
/// accuses no clock.
fn ahead_s(clock: i64, before: i64, after: i64) -> i64 {
    (clock - clock.clamp(before, after.max(before))) / 1000
}

/// What was last seen.
#[derive(Clone, Debug, Default)]
pub struct Sights {
    /// Each node, by name.
    pub nodes: BTreeMap<String, Observation<NodeSight>>,
    /// Whether each node's Keystone answers, by name; only where an account is configured that asks it for tokens.
    pub apis: BTreeMap<String, Observation<()>>,
}

impl Sights {
    /// Looks at every node, and at its Keystone, side by side.
    pub(super) async fn look(&mut self, world: &World) {
        let asked: Vec<&super::Node> = world.nodes.iter().filter(|node| node.tokens.is_some()).collect();
        let apis = world.each(&asked, async |node| match &node.tokens {
            Some(tokens) => tokens.answers().await,
            None => Ok(()),
        });
        let seen = world.every(async |node| {
            let before = world.clock.now();
            let look = node.files.look(&world.look_at(node)).await?;
            let after = world.clock.now();
            let ahead_s = ahead_s(look.clock_ms, before.as_millisecond(), after.as_millisecond());
            Ok(NodeSight { look, ahead_s })
        });
        let (seen, apis) = futures_util::future::join(seen, apis).await;
        let now = world.clock.now();
        for (name, ()) in apis.done {
            self.apis.entry(name).or_default().take(now, Ok(()));
        }
        for (name, fault) in apis.failed {
            self.apis.entry(name).or_default().take(now, Err(fault));
        }
        for (name, sight) in seen.done {
            self.nodes.entry(name).or_default().take(now, Ok(sight));
        }
        for (name, fault) in seen.failed {
            self.nodes.entry(name).or_default().take(now, Err(fault));
        }
    }

    /// What was seen of a node, however long ago.
    pub fn node(&self, name: &str) -> Option<&NodeSight> {
        self.nodes.get(name).and_then(Observation::value)
    }

    /// The same, where the last look at it has not failed.
    pub(super) fn reached(&self, name: &str) -> Option<Look> {
        let seen = self.nodes.get(name).filter(|seen| seen.fault.is_none())?;
        Some(seen.value()?.look.clone())
    }

    /// The nodes that could not be looked at, with why.
    pub fn faults(&self) -> impl Iterator<Item = (&str, &Fault)> {
        self.nodes.iter().filter_map(|(name, seen)| Some((name.as_str(), &seen.fault.as_ref()?.1)))
    }

    /// The nodes whose Keystone does not answer, with why.
    pub fn api_faults(&self) -> impl Iterator<Item = (&str, &Fault)> {
        self.apis.iter().filter_map(|(name, seen)| Some((name.as_str(), &seen.fault.as_ref()?.1)))
    }

    /// What cases have left beside the repositories, by node.
    pub(super) fn beside(&self) -> impl Iterator<Item = (&str, &Beside)> {
        let seen = self.nodes.iter().filter_map(|(name, seen)| Some((name.as_str(), seen.value()?)));
        seen.flat_map(|(name, sight)| sight.look.beside.iter().map(move |one| (name, one)))
    }

    /// Everybody's settings, as last read.
    pub fn settings(&self) -> Vec<(String, Settings)> {
        let of = |(name, seen): (&String, &Observation<NodeSight>)| {
            Some((name.clone(), seen.value()?.look.settings.clone()))
        };
        self.nodes.iter().filter_map(of).collect()
    }

    /// The settings by which to reckon.
    pub fn strictest(&self) -> Option<Settings> {
        settings::strictest(&self.settings())
    }

    /// The kinds of repositories that the nodes have, by the rotator's settings.
    pub fn kinds(&self, rotator: &str) -> Vec<Kind> {
        match self.node(rotator).map(|sight| sight.look.receipts.is_some()) {
            Some(true) => vec![Kind::Tokens, Kind::Receipts],
            _ => vec![Kind::Tokens],
        }
    }

    /// A repository of every node that was seen, in the order of these names.
    pub fn repositories(&self, names: &[String], kind: Kind) -> Vec<Repository> {
        names.iter().filter_map(|name| self.repository(name, kind).cloned()).collect()
    }

    /// A repository of one node.
    pub fn repository(&self, name: &str, kind: Kind) -> Option<&Repository> {
        let look = &self.node(name)?.look;
        match kind {
            Kind::Tokens => Some(&look.tokens),
            Kind::Receipts => look.receipts.as_ref(),
        }
    }

    /// What is in force on every node, in the order of what the case holds; a node that the last look could not see has failed, and so
    /// has one whose repositories lie elsewhere by now than at the check.
    pub(super) fn live(&self, world: &World, state: &State) -> Each<Vec<Repository>> {
        let mut each = Each { done: Vec::new(), failed: Vec::new() };
        for node in &world.nodes {
            let fault = self.nodes.get(&node.name).and_then(|seen| Some(seen.fault.as_ref()?.1.clone()));
            let of = |held: &Held| {
                let path = held.paths.get(&node.name)?;
                self.repository(&node.name, held.kind).filter(|seen| seen.path == *path).cloned()
            };
            match (fault, state.held.iter().map(of).collect::<Option<Vec<_>>>()) {
                (Some(fault), _) => each.failed.push((node.name.clone(), fault)),
                (None, Some(all)) => each.done.push((node.name.clone(), all)),
                (None, None) => {
                    let text = format!("{}: its repositories do not lie where they were seen at the check", node.name);
                    let fault = Fault::new(Service::Node, FaultKind::Conflict, text)
                        .hint("somebody has changed its configuration meanwhile: see the settings of all nodes")
                        .leads(&[Lead::Resume]);
                    each.failed.push((node.name.clone(), fault));
                }
            }
        }
        each
    }

    /// What the rotator holds, as the others should.
    pub fn held(&self, rotator: &str) -> Vec<Held> {
        let settings = self.strictest();
        let most = |kind| match (kind, &settings) {
            (Kind::Tokens, Some(settings)) => settings.tokens.max_active_keys,
            (Kind::Receipts, Some(settings)) => settings.receipts.max_active_keys,
            (_, None) => 0,
        };
        let path = |kind, name: &String| Some((name.clone(), self.repository(name, kind)?.path.clone()));
        let of = |kind| {
            let keys = self.repository(rotator, kind)?.digests();
            let paths = self.nodes.keys().filter_map(|name| path(kind, name)).collect();
            Some(Held { kind, paths, keys, max_active_keys: most(kind) })
        };
        self.kinds(rotator).into_iter().filter_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_by_what_no_moment_of_the_look_explains() {
        assert_eq!([ahead_s(5_000, 0, 60_000), ahead_s(0, 0, 0)], [0, 0]);
        assert_eq!([ahead_s(95_000, 1_000, 5_000), ahead_s(-89_000, 1_000, 5_000)], [90, -90]);
        assert_eq!(ahead_s(7_000, 5_000, 4_000), 2, "ours was set back meanwhile");
    }
}
