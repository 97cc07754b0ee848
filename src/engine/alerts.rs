//! The alert that a rotation is expected to raise while the server can't fetch its key, and the silence made for it: the
//! port to whoever keeps both, and what the journal knows of the silence. Making and ending it is the runbook's.

use crate::domain::fault::Fault;
use crate::domain::step::{StepNumber, StepState};
use crate::engine::rotation::Rotation;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use std::time::Duration;

/// A silence that was made for a rotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Silence {
    /// Its id, as Alertmanager gave it.
    pub id: String,
    /// When it ends by itself, UTC.
    pub until: Timestamp,
}

/// A silence that keeps an alert quiet, as whoever made it has described it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quiet {
    /// Its id.
    pub id: String,
    /// By whom, sanitized.
    pub by: String,
    /// What they said of it, sanitized.
    pub comment: String,
    /// When it ends by itself, UTC.
    pub until: Timestamp,
}

/// An alert of the tenant that fires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Firing {
    /// Since when, UTC.
    pub since: Timestamp,
    /// Whether a silence, whoever made it, keeps it quiet.
    pub is_silenced: bool,
    /// Which; of several the one that lasts longest. `None`: none, or that could not be found out.
    pub by: Option<Quiet>,
}

/// The expected alert as last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertSight {
    /// Its name.
    pub name: String,
    /// All that fire for this tenant.
    pub firing: Vec<Firing>,
}

/// Alertmanager, for the expected alert of one tenant. No other alert and no other tenant is ever silenced.
#[async_trait]
pub trait Alerts: Send + Sync {
    /// The alert's name.
    fn name(&self) -> &str;
    /// How long a silence lasts unless it is extended.
    fn lasts(&self) -> Duration;
    /// The alerts of the tenant that fire, silenced or not.
    async fn firing(&self) -> Result<Vec<Firing>, Fault>;
    /// The silences with this comment that we have made and that have not ended.
    async fn own(&self, comment: &str) -> Result<Vec<Silence>, Fault>;
    /// A silence with this comment that lasts until then: the known one or another of ours extended, or a new one. A lost
    /// answer is followed by a look, for two requests would make two silences.
    async fn silence(&self, comment: &str, known: Option<&str>, until: Timestamp) -> Result<Silence, Fault>;
    /// Ends one by its id; one that has ended already, or is not known there any more, is `Ok`.
    async fn end(&self, id: &str) -> Result<(), Fault>;
}

/// The steps during which the alert is expected.
pub const EXPECTED_DURING: [StepNumber; 3] = [StepNumber::SECRET, StepNumber::OBJECT, StepNumber::RECONCILE];

/// By this the silences of a rotation are found again; a person reads it too.
pub fn comment(rotation: &Rotation) -> String {
    let Rotation { id, tenant, .. } = rotation;
    format!("rotation {id} of {}: while the key changes, the server may fail to fetch it", tenant.name)
}

impl Rotation {
    /// Whether one of the steps is running during which the alert is expected.
    pub fn is_alert_expected(&self) -> bool {
        EXPECTED_DURING.into_iter().any(|step| matches!(self.step(step), StepState::Running { .. }))
    }

    /// Why no alert is expected any more.
    pub fn why_silence_ends(&self) -> String {
        for step in EXPECTED_DURING {
            match self.step(step) {
                StepState::Failed { .. } => return format!("step {step} failed"),
                StepState::Interrupted { .. } => return format!("step {step} was interrupted"),
                _ => {}
            }
        }
        "nobody is at work on steps 4 to 6".into()
    }

    pub(super) fn silence_ended(&mut self, id: &str) {
        self.silence.take_if(|silence| silence.id == id);
    }
}
