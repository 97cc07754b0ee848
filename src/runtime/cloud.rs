//! A cloud as `clouds.yaml` describes it, in the words of the adapter. The two don't know each other.

use crate::adapters::openstack as adapter;
use crate::config;
use crate::config::clouds::{Auth, Cloud, Credential, Domain, Hidden, Named};
use crate::engine::secret::SecretBytes;
use crate::engine::transport::Transport;

/// The adapter's parameters; nothing may pass unprotected.
pub fn parameters(cloud: Cloud, limits: &config::Cloud) -> adapter::CloudParameters {
    let login = match cloud.auth {
        Auth::Password { user, password, project } => {
            adapter::Login::Password { user: named(user), password: secret(&password), project: Some(named(project)) }
        }
        Auth::ApplicationCredential { credential, secret: hidden } => {
            let credential = match credential {
                Credential::Id(id) => adapter::Credential::Id(id),
                Credential::Name { name, user } => adapter::Credential::Name { name, user: named(user) },
            };
            adapter::Login::ApplicationCredential { credential, secret: secret(&hidden) }
        }
        Auth::Token { token, project } => adapter::Login::Token { token: secret(&token), project: project.map(named) },
    };
    adapter::CloudParameters {
        auth_url: cloud.identity_endpoint.clone().unwrap_or(cloud.auth_url),
        login,
        region: cloud.region,
        interface: cloud.interface,
        ca_file: cloud.cacert,
        verify: cloud.verify,
        overrides: adapter::Overrides {
            identity: cloud.identity_endpoint,
            key_manager: cloud.key_manager_endpoint,
            object_store: cloud.object_store_endpoint,
        },
        limits: adapter::Limits {
            connect: limits.connect_timeout,
            read: limits.read_timeout,
            upload: limits.upload_timeout,
        },
        transport: Transport::default(),
    }
}

fn secret(hidden: &Hidden) -> SecretBytes {
    SecretBytes::new(hidden.expose().as_bytes().to_vec())
}

fn named(named: Named) -> adapter::Named {
    match named {
        Named::Id(id) => adapter::Named::Id(id),
        Named::Name { name, domain } => {
            let domain = match domain {
                Domain::Id(id) => adapter::Domain::Id(id),
                Domain::Name(name) => adapter::Domain::Name(name),
            };
            adapter::Named::Name { name, domain }
        }
    }
}
