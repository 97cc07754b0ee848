//! Alerts and silences as Alertmanager lists them: only what is read of them.

use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedAlert {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) starts_at: Timestamp,
    pub(super) status: AlertStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AlertStatus {
    #[serde(default)]
    pub(super) silenced_by: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedSilence {
    pub(super) id: String,
    pub(super) status: SilenceStatus,
    pub(super) starts_at: Timestamp,
    pub(super) ends_at: Timestamp,
    pub(super) created_by: String,
    pub(super) comment: String,
    pub(super) matchers: Vec<Matcher>,
}

#[derive(Deserialize)]
pub(super) struct SilenceStatus {
    pub(super) state: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Matcher {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) is_regex: bool,
    /// Left out by old versions, where every matcher is one of equality.
    pub(super) is_equal: Option<bool>,
}
