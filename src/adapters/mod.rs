//! The outside world, one room per service.
pub mod lab;
pub mod mail;
pub mod sqlite;
pub mod system;
pub mod wireguard;
