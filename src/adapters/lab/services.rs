//! The single services of the lab as sites of its HTTP: which function answers a call, and how each refuses. What they say is
//! left to them.

use std::sync::Arc;

use super::faults::Service;
use super::http::{Call, Reply, Site};
use super::state::Shared;
use super::{alerts, barbican, console, keystone, swift};

/// One service over HTTP.
pub(super) struct Single {
    pub(super) service: Service,
    pub(super) shared: Arc<Shared>,
}

impl Site for Single {
    fn service(&self) -> Service {
        self.service
    }

    fn answer(&self, call: &Call) -> Option<Reply> {
        let shared = &*self.shared;
        Some(match self.service {
            Service::Keystone => keystone::handle(shared, call),
            Service::Barbican => barbican::handle(shared, call),
            Service::Swift => swift::handle(shared, call),
            Service::Console => console::handle(shared, call),
            Service::Alerts => alerts::handle(shared, call),
            // They speak other protocols, or have sites of their own.
            Service::Smtp | Service::Imap | Service::Shell | Service::Node(_) | Service::NodeShell | Service::Kops => {
                Reply::new(404)
            }
        })
    }

    fn refuse(&self, status: u16) -> Reply {
        match self.service {
            Service::Keystone => keystone::refusal(status),
            Service::Barbican => barbican::refusal(status),
            Service::Swift => swift::refusal(status),
            Service::Alerts => alerts::refusal(status),
            _ => console::refusal(status),
        }
    }
}
