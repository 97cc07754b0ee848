//! Everything that is tested through the library's doors, in one test binary so that it links once.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod config;
mod mail;
mod store;
mod wireguard;
