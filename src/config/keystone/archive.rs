//! `archive` of a cluster: the command that encrypts what is saved of its keys, and where that is kept.

use super::super::file::Value;
use super::super::rules::Rules;
use serde::Deserialize;
use std::path::PathBuf;
use toml::Spanned;

/// `archive` as it is written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct ArchiveTable {
    folder: Value<String>,
    encrypt: Value<Vec<Spanned<String>>>,
    open: Value<Vec<Spanned<String>>>,
}

/// Where an encrypted archive of the keys is kept before they are rotated, and how it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeystoneArchive {
    /// The folder on this host.
    pub folder: PathBuf,
    /// An argv that encrypts its standard input to its standard output: `age` with its recipients.
    pub encrypt: Vec<String>,
    /// The same the other way, where this host may: then it is tried whether it can be opened. Empty: it may not.
    pub open: Vec<String>,
}

impl Rules<'_> {
    pub(super) fn archive(&mut self, section: &str, written: Value<ArchiveTable>) -> Option<KeystoneArchive> {
        let (at, table) = written.map(|written| (written.span(), written.into_inner()))?;
        let field = |name: &str| format!("{section}.{name}");
        let is_whole = |text: &str| match PathBuf::from(text) {
            path if path.is_absolute() => Ok(path),
            _ => Err(format!("{text:?} is not an absolute path; write for example \"/var/lib/changeguard/archive\"")),
        };
        let folder = self.optional(&field("folder"), table.folder, is_whole);
        let mut argv = |name: &str, written: Value<Vec<Spanned<String>>>| {
            written.map(|written| self.argv(&field(name), written, &[], &[])).unwrap_or_default()
        };
        let (encrypt, open) = (argv("encrypt", table.encrypt), argv("open", table.open));
        for (name, is_missing) in [("folder", folder.is_none()), ("encrypt", encrypt.is_empty())] {
            if is_missing && !self.problems.is_broken(&field(name)) {
                let example = "write archive = { folder = \"/...\", encrypt = [\"age\", \"-r\", \"age1...\"] }";
                self.wrong(&field(name), &at, format!("is missing; {example}"));
            }
        }
        Some(KeystoneArchive { folder: folder.unwrap_or_default(), encrypt, open })
    }
}
