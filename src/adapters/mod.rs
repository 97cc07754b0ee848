//! The outside world, one room per service; no room sees another. What several of them need (a password, a
//! child process, the system's authorities, what the host has run out of) is asked for here.

pub mod alerts;
mod authorities;
mod child;
pub mod console;
mod host;
pub mod inbox;
pub mod keystone_tokens;
pub mod kops;
pub mod lab;
pub mod mail;
pub mod nodes;
pub mod openstack;
mod password;
pub mod signers;
pub mod store;
pub mod system;
pub mod wireguard;

pub use child::{command, ended};
pub use host::{exhausted, has_no_descriptor, has_no_room, is_short_of_descriptors, no_descriptor};
pub use password::PasswordSource;

use authorities::{root_authorities, root_trust};
