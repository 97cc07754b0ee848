//! A node behind the port that the runbook knows.

use super::shell::NodeShell;
use crate::domain::fault::Fault;
use crate::domain::fernet::install::Stage;
use crate::domain::fernet::repository::{Keys, Repository};
use crate::engine::ports::nodes::{
    Backup, Done, KeyArchive, Look, LookAt, NodeFiles, Place, Placed, Prepare, Prepared,
};
use async_trait::async_trait;
use std::time::Duration;

#[async_trait]
impl NodeFiles for NodeShell {
    async fn look(&self, at: &LookAt) -> Result<Look, Fault> {
        NodeShell::look(self, at).await
    }

    async fn list(&self, folders: &[String]) -> Result<Vec<Repository>, Fault> {
        NodeShell::list(self, folders).await
    }

    async fn list_all(&self, place: &Place, tag: &str) -> Result<[Repository; 3], Fault> {
        NodeShell::list_all(self, place, tag).await
    }

    async fn save(&self, place: &Place, tag: &str, keys: &Keys) -> Result<Backup, Fault> {
        NodeShell::save(self, place, tag, keys).await
    }

    async fn prepare(&self, prepare: &Prepare) -> Result<Prepared, Fault> {
        NodeShell::prepare(self, prepare).await
    }

    async fn fetch(&self, folder: &str, expected: &Keys) -> Result<KeyArchive, Fault> {
        NodeShell::fetch(self, folder, expected).await
    }

    async fn place(&self, place: &Place, tag: &str, archive: &KeyArchive) -> Result<Placed, Fault> {
        NodeShell::place(self, place, tag, archive).await
    }

    async fn install(
        &self,
        place: &Place,
        tag: &str,
        known: &Keys,
        stages: &[Stage],
        lent: Option<&KeyArchive>,
        pause: Duration,
    ) -> Result<Done, Fault> {
        NodeShell::install(self, place, tag, Some(known), stages, lent, pause).await
    }

    async fn clear(&self, place: &Place) -> Result<(), Fault> {
        NodeShell::clear(self, place).await
    }

    async fn drop_backup(&self, place: &Place, tag: &str) -> Result<(), Fault> {
        NodeShell::drop_backup(self, place, tag).await
    }

    async fn tidy(&self, place: &Place, tag: &str) -> Result<(), Fault> {
        NodeShell::tidy(self, place, tag).await
    }
}
