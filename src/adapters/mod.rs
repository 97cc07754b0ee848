//! The outside world, one room per service; no room sees another.

pub mod console;
pub mod lab;
pub mod mail;
pub mod openstack;
pub mod sqlite;
pub mod system;
pub mod wireguard;
