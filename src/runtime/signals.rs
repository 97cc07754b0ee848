//! The signals that ask for the end, as one thing to wait for. Registered before anything that needs cleaning up begins.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGHUP, SIGTERM and SIGINT together.
pub struct Ending {
    signals: [Signal; 3],
}

/// Registers the handlers; also where one of the signals was ignored by whoever started us.
pub fn ending() -> io::Result<Ending> {
    let [a, b, c] = [SignalKind::hangup(), SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    Ok(Ending { signals: [a?, b?, c?] })
}

impl Ending {
    /// Returns when one of them has come.
    pub async fn recv(&mut self) {
        let [a, b, c] = &mut self.signals;
        tokio::select! {
            _ = a.recv() => {}
            _ = b.recv() => {}
            _ = c.recv() => {}
        }
    }
}
