//! The desks of all subjects that are no tenants: found by their key, looked at a few at a time, what is open first.

use crate::domain::tenant::TenantId;
use crate::engine::journal::JournalStore;
use crate::runtime::case::Desk;
use crate::runtime::follow::Followed;
use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// How many are looked at at once: each look is a command on every node.
const AT_ONCE: usize = 4;

/// The desks.
#[derive(Default)]
pub struct Desks(Vec<Arc<dyn Desk>>);

impl Desks {
    /// These, in the order of the configuration.
    pub fn new(desks: Vec<Arc<dyn Desk>>) -> Self {
        Self(desks)
    }

    /// All of them.
    pub fn all(&self) -> &[Arc<dyn Desk>] {
        &self.0
    }

    /// One by its key.
    pub fn get(&self, subject: &TenantId) -> Option<&Arc<dyn Desk>> {
        self.0.iter().find(|desk| desk.key() == subject)
    }

    /// Reads every journal and looks at every subject, what is open first. Who does not answer keeps nobody from the others.
    pub async fn look_at_all(&self) {
        let (open, rest): (Vec<_>, Vec<_>) = self.0.iter().cloned().partition(|desk| desk.is_open());
        look_at(open.into_iter().chain(rest).collect()).await;
    }

    /// Looks at those with an open case, but for one that somebody else looks at.
    pub async fn look_at_open(&self, but: Option<&TenantId>) {
        let is_due = |desk: &&Arc<dyn Desk>| desk.is_open() && Some(desk.key()) != but;
        look_at(self.0.iter().filter(is_due).cloned().collect()).await;
    }
}

async fn look_at(desks: Vec<Arc<dyn Desk>>) {
    let mut looks: Vec<BoxFuture<'static, ()>> = Vec::with_capacity(desks.len());
    for desk in desks {
        looks.push(Box::pin(async move {
            desk.follow().await;
            desk.look().await;
        }));
    }
    futures_util::stream::iter(looks).buffer_unordered(AT_ONCE).collect::<()>().await;
}

#[async_trait]
impl Followed for Desks {
    fn store(&self) -> Option<Arc<dyn JournalStore>> {
        self.0.first().map(|desk| desk.store().clone())
    }

    async fn follow(&self, subject: &TenantId) -> Option<bool> {
        let desk = self.get(subject)?;
        Some(desk.follow().await)
    }
}
