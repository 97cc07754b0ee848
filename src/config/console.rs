//! The console API as it is configured: where it is, and who the operator must be there.

use std::path::PathBuf;

/// `[console]`: the console API.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Console {
    /// Its base. Required.
    pub url: String,
    /// A private file with an operator JWT. Required.
    pub token_file: PathBuf,
    /// The role that can list all tenants and read what is served for each user.
    pub role: String,
    /// An authority to trust besides the system's.
    pub ca_file: Option<PathBuf>,
}
