//! Who sits before a conductor: a screen, a command line, or the log of `watch`. What they are told, and how patient they are.

use crate::domain::tenant::Tenant;
use crate::engine::step::Progress;
use crate::runtime::conductor::Conductor;
use std::time::Duration;

/// Who wants to know that something of a tenant has changed.
pub trait Watcher: Send + Sync {
    /// The status is another one.
    fn changed(&self, conductor: &Conductor);
    /// A step of a running command is so far.
    fn progress(&self, tenant: &Tenant, progress: Progress);
    /// A command waits for something before it begins, and for what; or what else must be known of how it begins.
    fn waits(&self, _tenant: &Tenant, _text: &str) {}
    /// How long a command waits for somebody else who holds the tenant.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }
}
