//! What an operator may make go wrong at a node of the lab's cluster, on and off while it runs. Which words there are for it, and where
//! each is on, is told by the lab's list of mishaps.

use std::io::ErrorKind;
use std::path::PathBuf;

use super::cluster::Cluster;
use super::repository;

/// A spike: so many of the answers of the background are refused, one in so many.
const SPIKE: (u16, u64) = (401, 2);
/// By so much a clock is off, s.
const OFF: i64 = 90;
/// What lies among the keys and is none.
const STRAY: &str = "backup.tgz";
/// The key of nobody's.
const FOREIGN: [u8; 32] = [0x5a; 32];

/// What can be wrong with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum NodeMishap {
    /// Its Keystone does not run.
    Api,
    /// Nobody can log in.
    Login,
    /// Sudo asks for a password.
    Sudo,
    /// A file that is no key lies among the keys.
    Stray,
    /// Another staged key than the others'.
    Foreign,
    /// Its clock is ahead.
    Clock,
    /// It refuses tokens that it should take.
    Spike,
}

impl NodeMishap {
    /// All of them, each with its word and what happens then.
    pub(in super::super) const ALL: [(NodeMishap, &'static str, &'static str); 7] = [
        (NodeMishap::Api, "node-api-down", "a Keystone node's API is dead; its login answers"),
        (NodeMishap::Login, "node-login-down", "nobody can log in to a Keystone node; its API answers"),
        (NodeMishap::Sudo, "node-sudo", "sudo on a Keystone node asks for a password"),
        (NodeMishap::Stray, "node-stray-file", "a file that is no key lies among a Keystone node's keys"),
        (NodeMishap::Foreign, "node-foreign-key", "a Keystone node has another key 0 than the others"),
        (NodeMishap::Clock, "node-clock", "a Keystone node's clock is 90 s ahead"),
        (NodeMishap::Spike, "node-401", "a Keystone node refuses half of all tokens"),
    ];
}

impl Cluster {
    /// The number of a node: by its name; the second where none is named, which is not the one that rotates.
    pub(in super::super) fn number(&self, name: Option<&str>) -> Result<usize, String> {
        let names = self.names();
        match name {
            None => Ok(1.min(names.len() - 1)),
            Some(name) => names
                .iter()
                .position(|one| one == name)
                .ok_or_else(|| format!("the lab's cluster has no node {name}; it has {}", names.join(", "))),
        }
    }

    /// Lets it go wrong at a node, or puts it right. Errors: a file of the node can't be written.
    pub(in super::super) fn rehearse(&self, node: usize, what: NodeMishap, on: bool) -> Result<(), String> {
        let keys = self.etc(node).join("fernet-keys");
        let done = match what {
            NodeMishap::Api => {
                self.api(node, !on);
                Ok(())
            }
            NodeMishap::Login => {
                self.login(node, !on);
                Ok(())
            }
            NodeMishap::Sudo => self.lists(node, "sudo-refused", if on { "x" } else { "" }),
            NodeMishap::Stray if on => std::fs::write(keys.join(STRAY), "no key"),
            NodeMishap::Stray => std::fs::remove_file(keys.join(STRAY)),
            NodeMishap::Foreign => self.foreign(node, on),
            NodeMishap::Clock => self.skew(node, if on { OFF } else { 0 }),
            NodeMishap::Spike => {
                let (status, every) = SPIKE;
                self.spike(node, status, if on { every } else { 0 });
                Ok(())
            }
        };
        done.or_else(|error| if error.kind() == ErrorKind::NotFound && !on { Ok(()) } else { Err(error) })
            .map_err(|error| format!("at {}: {error}", self.names()[node]))
    }

    /// Puts a foreign key 0 in the place of the node's own, or the own one back; nothing, where it was rotated meanwhile.
    fn foreign(&self, node: usize, on: bool) -> std::io::Result<()> {
        let own: PathBuf = self.etc(node).join("../../lab/key-0");
        let live = self.etc(node).join("fernet-keys/0");
        if on {
            std::fs::rename(&live, own)?;
            return repository::write(&live, &FOREIGN);
        }
        let is_foreign = std::fs::read(&live).is_ok_and(|text| text == *repository::text(&FOREIGN));
        if is_foreign { std::fs::rename(own, live) } else { std::fs::remove_file(own) }
    }
}
