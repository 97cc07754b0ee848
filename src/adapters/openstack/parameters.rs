//! What the adapter must be told about a cloud; reading it from clouds.yaml is left to the configuration.

use crate::engine::secret::SecretBytes;
use crate::engine::transport::Transport;
use std::path::PathBuf;
use std::time::Duration;

/// Limits of time. Connecting in 2 s and reading in 10 s were enough for every answer seen, Swift gives up an upload after 30 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection stands, name look-up and TLS included.
    pub connect: Duration,
    /// From the sending of a request until its whole answer is read.
    pub read: Duration,
    /// The same for an upload to Swift.
    pub upload: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), read: Duration::from_secs(10), upload: Duration::from_secs(40) }
    }
}

/// A thing named by its id, or by its name and the domain in which that name is unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// By id.
    Id(String),
    /// By name.
    Name {
        /// The name.
        name: String,
        /// Its domain.
        domain: Domain,
    },
}

/// A domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Domain {
    /// By id.
    Id(String),
    /// By name.
    Name(String),
}

/// How to authenticate.
#[derive(Debug)]
pub enum Login {
    /// A user's password.
    Password {
        /// Who.
        user: Named,
        /// The password.
        password: SecretBytes,
        /// The project to work in.
        project: Option<Named>,
    },
    /// An application credential; it carries its project.
    ApplicationCredential {
        /// By id, or by name and user.
        credential: Credential,
        /// Its secret.
        secret: SecretBytes,
    },
    /// A token made elsewhere; when it ends, nothing can be done here.
    Token {
        /// The token.
        token: SecretBytes,
        /// The project to work in, if the token is not for it already.
        project: Option<Named>,
    },
}

/// Which application credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// By id.
    Id(String),
    /// By its name, which is unique for its user.
    Name {
        /// The name.
        name: String,
        /// Whose.
        user: Named,
    },
}

/// Addresses to use instead of the catalogue's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Keystone.
    pub identity: Option<String>,
    /// Barbican, with or without `/v1`.
    pub key_manager: Option<String>,
    /// Swift, the account included; `%(project_id)s` stands for the project's id.
    pub object_store: Option<String>,
}

/// One cloud.
#[derive(Debug)]
pub struct CloudParameters {
    /// Keystone's address, with or without `/v3`.
    pub auth_url: String,
    /// How to authenticate.
    pub login: Login,
    /// The region whose endpoints are used; `None`: the first of the catalogue.
    pub region: Option<String>,
    /// `public`, `internal` or `admin`.
    pub interface: String,
    /// A PEM file of authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether certificates are verified.
    pub verify: bool,
    /// Addresses to use instead of the catalogue's.
    pub overrides: Overrides,
    /// Limits of time.
    pub limits: Limits,
    /// What may pass unprotected.
    pub transport: Transport,
}
