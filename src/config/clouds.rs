//! The cloud that the configuration names, found and read as python's openstacksdk does: clouds.yaml, secure.yaml on top of
//! it, `OS_*` variables where both are silent. Using it is left to the OpenStack adapter.
//!
//! Sources: openstacksdk's "Configuring OpenStack SDK Applications" and `openstack/config/loader.py`. Four departures, all
//! for safety: a file that is named and missing is an error (python silently takes another), vendor profiles are not
//! known, a file that others can change is refused, and the working folder comes after one's own (and counts only if it is
//! ours alone).

mod file;
mod login;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The cloud that consists of `OS_*` variables alone.
pub const FROM_VARIABLES: &str = "envvars";

/// Where to look. A value, so that nothing depends on the process.
#[derive(Clone)]
pub struct Environment {
    /// A file named by our own configuration: it goes before everything else.
    pub file: Option<PathBuf>,
    /// The working folder.
    pub directory: PathBuf,
    /// The environment's variables.
    pub variables: BTreeMap<String, String>,
}

impl Environment {
    /// That of this process. Variables that are not UTF-8 are left out.
    pub fn of_process(file: Option<PathBuf>) -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with("OS_") || matches!(name.as_str(), "HOME" | "XDG_CONFIG_HOME"))
            .collect();
        Self { file, directory: std::env::current_dir().unwrap_or_default(), variables }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The path as a person wrote it: `~/` is the home folder, anything relative starts at the working folder.
    fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), self.variable("HOME")) {
            (Some(rest), Some(home)) => Path::new(home).join(rest),
            _ => self.directory.join(text),
        }
    }
}

/// A text that may be a password: wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(Zeroizing<String>);

impl Hidden {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text. Every use of this is a place to review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl<'de> serde::Deserialize<'de> for Hidden {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// A cloud, complete and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// Its name.
    pub name: String,
    /// The files in which it stands, clouds.yaml first; none for `envvars`.
    pub files: Vec<PathBuf>,
    /// Keystone's address as written.
    pub auth_url: String,
    /// How to authenticate.
    pub auth: Auth,
    /// The region.
    pub region: Option<String>,
    /// `public`, `internal` or `admin`.
    pub interface: String,
    /// A PEM file of authorities.
    pub cacert: Option<PathBuf>,
    /// Whether certificates are verified.
    pub verify: bool,
    /// An address for Keystone instead of `auth_url`.
    pub identity_endpoint: Option<String>,
    /// An address for Barbican instead of the catalogue's.
    pub key_manager_endpoint: Option<String>,
    /// An address for Swift instead of the catalogue's.
    pub object_store_endpoint: Option<String>,
}

/// How to authenticate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// A user's password.
    Password {
        /// Who.
        user: Named,
        /// The password.
        password: Hidden,
        /// The project.
        project: Named,
    },
    /// An application credential, which carries its project.
    ApplicationCredential {
        /// Which.
        credential: Credential,
        /// Its secret.
        secret: Hidden,
    },
    /// A token made elsewhere.
    Token {
        /// The token.
        token: Hidden,
        /// The project, if the token is not for it already.
        project: Option<Named>,
    },
}

/// By id, or by name in a domain.
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

/// Which application credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// By id.
    Id(String),
    /// By name.
    Name {
        /// The name.
        name: String,
        /// Whose.
        user: Named,
    },
}

/// Why there is no such cloud. No message holds a value from a file: it may be a password.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CloudError {
    /// No file at all, and no variables.
    #[error("find the cloud {name:?}: there is no clouds.yaml; looked for {}", paths(searched))]
    NoFile {
        /// The cloud.
        name: String,
        /// Where was looked.
        searched: Vec<PathBuf>,
    },
    /// A file can't be read.
    #[error("read {}: {why}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// Somebody else can change a file, and it says where the password goes.
    #[error("read {}: {why}", file.display())]
    Untrusted {
        /// The file.
        file: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// A file is no YAML, or not of the form of clouds.yaml.
    #[error("understand {}, line {line}, column {column}: {right}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// From 1; 0 if not known.
        line: u64,
        /// From 1; 0 if not known.
        column: u64,
        /// What would be right.
        right: &'static str,
    },
    /// The file does not name the cloud.
    #[error("find the cloud {name:?} in {}; it names {}", place, listed(known))]
    Unknown {
        /// The cloud.
        name: String,
        /// The file, or the environment.
        place: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A field is missing or wrong.
    #[error("use the cloud {name:?} of {place}: {field} {right}")]
    Field {
        /// The cloud.
        name: String,
        /// The file, or the environment.
        place: String,
        /// The field as clouds.yaml writes it.
        field: &'static str,
        /// What would be right.
        right: String,
    },
}

fn paths(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// Finds and reads the cloud of this name; `envvars` is the one that the `OS_*` variables make up.
///
/// Errors name the file, the cloud and the field, and what would be right.
pub fn read(sources: &Environment, name: &str) -> Result<Cloud, CloudError> {
    let variables = file::of_variables(sources);
    if name == FROM_VARIABLES {
        return login::resolve(sources, name, "the environment", file::Entry::default(), variables);
    }
    let (files, mut clouds) = file::clouds(sources, name)?;
    let place = files.first().map(|path| path.display().to_string()).unwrap_or_default();
    let Some(entry) = clouds.remove(name) else {
        return Err(CloudError::Unknown { name: name.into(), place, known: clouds.into_keys().collect() });
    };
    Ok(Cloud { files, ..login::resolve(sources, name, &place, entry, variables)? })
}
