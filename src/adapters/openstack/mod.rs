//! One OpenStack cloud: a session that all tenants share, and what the engine's ports ask of it. Reading clouds.yaml is
//! left to the configuration, deciding what to do to the engine.
//!
//! The client is our own and thin: the SDKs that were tried know no Barbican, print payloads at TRACE and never wipe a
//! body. Where a comment says "seen", it was seen on Keystone 30, Barbican 23 and Swift 2.38.

mod answer;
mod attachments;
mod barbican;
mod catalog;
mod http;
mod keystone;
mod login;
mod parameters;
mod secret_document;
mod swap;
mod swift;

pub use parameters::{CloudParameters, Credential, Domain, Limits, Login, Named, Overrides};
pub use swap::{BetweenPairs, between_pairs, is_pair_running};

use crate::domain::fault::Fault;
use crate::domain::sanitize::sanitize;
use crate::domain::tenant::{Tenant, TenantId};
use crate::engine::ports::{Credentials, Fence, ObjectStore, SecretStore, Unfenced};
use barbican::Barbican;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use keystone::Session;
use std::sync::Arc;
use std::time::Duration;
use swift::Swift;

/// Containers that are asked at once during discovery.
const ASKED_AT_ONCE: usize = 16;

/// A cloud. Cheap to clone; one serves the whole fleet, so that there is one token and one set of connections.
#[derive(Clone)]
pub struct OpenStack {
    session: Arc<Session>,
    barbican: Arc<Barbican>,
}

impl OpenStack {
    /// Prepares the connections; nothing is sent. Errors: an address that is none, an authority file that can't be read.
    pub fn new(parameters: CloudParameters) -> Result<Self, Fault> {
        let session = Arc::new(Session::new(parameters)?);
        let barbican = Arc::new(Barbican::new(Arc::clone(&session), Arc::new(Unfenced)));
        Ok(Self { session, barbican })
    }

    /// Keystone.
    pub fn credentials(&self) -> Arc<dyn Credentials> {
        Arc::clone(&self.session) as Arc<dyn Credentials>
    }

    /// Barbican, for the project of the credentials; its changes go through this fence.
    pub fn secrets(&self, fence: Arc<dyn Fence>) -> Arc<dyn SecretStore> {
        Arc::new(self.barbican.behind(fence))
    }

    /// Swift, for one object; its changes go through this fence. The names are complete: `{tenant_id}` is replaced already.
    pub fn object(
        &self,
        container: impl Into<String>,
        object: impl Into<String>,
        fence: Arc<dyn Fence>,
    ) -> Arc<dyn ObjectStore> {
        Arc::new(Swift::new(Arc::clone(&self.session), fence, container.into(), object.into()))
    }

    /// Whether the container exists and holds the object.
    pub async fn container_holds_object(&self, container: &str, object: &str) -> Result<bool, Fault> {
        Swift::new(Arc::clone(&self.session), Arc::new(Unfenced), container.into(), object.into()).exists().await
    }

    /// Discovery: every project that the cloud lists and whose container holds the object, by name. `container` and
    /// `object` may hold `{tenant_id}`. Projects whose ids are no tenant ids are left out.
    ///
    /// Errors: the first fault of any request, so that no tenant is missing silently; and the refusal to list all projects
    /// if the credentials' own are no tenants (an application credential of the usual kind is refused).
    pub async fn tenants(&self, container: &str, object: &str) -> Result<Vec<Tenant>, Fault> {
        let (projects, refusal) = self.session.projects().await?;
        let asked = projects.into_iter().filter_map(|(id, name)| Some((TenantId::new(id).ok()?, name)));
        let found = stream::iter(asked.map(|(id, name)| async move {
            let named = |template: &str| template.replace("{tenant_id}", id.as_str());
            let holds = self.container_holds_object(&named(container), &named(object)).await?;
            let name = sanitize(&name);
            let name = if name.is_empty() { id.to_string() } else { name };
            Ok::<_, Fault>(holds.then_some(Tenant { id, name, server: None, gateway: None }))
        }))
        .buffer_unordered(ASKED_AT_ONCE);
        let mut tenants: Vec<Tenant> = found.try_filter_map(|tenant| async { Ok(tenant) }).try_collect().await?;
        if let Some(refusal) = refusal.filter(|_| tenants.is_empty()) {
            return Err(refusal.hint(
                "these credentials see only their own projects, and none of those is a tenant; name the tenants in \
                 [[tenant]], or use credentials that may list projects",
            ));
        }
        tenants.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(tenants)
    }

    /// How long a swap lasts at most once its DELETE is sent.
    pub fn pair_bound(&self) -> Duration {
        swap::bound(self.session.http.limits())
    }
}
