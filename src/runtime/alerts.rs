//! Alertmanager as the configuration describes it, in the words of the adapter. The two don't know each other.

use crate::adapters::alerts::{AlertsParameters, Login};
use crate::config::Config;
use crate::engine::transport::Transport;
use crate::runtime::mail;
use std::time::Duration;

/// Step 4 waits for it, so no answer is waited for longer than this.
const LONGEST: Duration = Duration::from_secs(5);

/// The adapter's parameters, where there is an `[alerts]`.
pub fn parameters(config: &Config, transport: &Transport) -> Option<AlertsParameters> {
    let alerts = config.alerts.as_ref()?;
    let login = match (&alerts.token_file, &alerts.user) {
        (Some(file), _) => Login::Token(file.clone()),
        (None, Some(user)) => Login::Basic { user: user.clone(), password: mail::password(&alerts.password) },
        (None, None) => Login::None,
    };
    Some(AlertsParameters {
        url: alerts.url.clone(),
        alertname: alerts.alertname.clone(),
        tenant_label: alerts.tenant_label.clone(),
        tenant_value: alerts.tenant_value.clone(),
        silence: alerts.silence,
        login,
        ca_file: alerts.ca_file.clone(),
        connect: config.cloud.connect_timeout.min(LONGEST),
        read: config.cloud.read_timeout.min(LONGEST),
        transport: transport.clone(),
    })
}
