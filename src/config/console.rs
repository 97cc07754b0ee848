//! The console API as it is configured: where it is, and who the operator must be there.

use super::values;
use std::path::{Path, PathBuf};

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

impl Console {
    /// Nobody else can read, write or replace the token's file; else why, with what to do.
    pub fn is_private(file: &Path) -> Result<(), String> {
        values::private(file)
    }
}
