//! The written procedures, one file each, listed once. They reach the world through the engine's ports only.

pub mod fernet;
pub mod kops;
pub mod wireguard;

use crate::engine::step::Runbook;

/// Every runbook that changeguard can drive.
pub fn all() -> Vec<Runbook> {
    vec![wireguard::runbook()]
}
