//! Keystone's nodes, each behind a command of the operator's (ssh, as a rule) that runs one script there: reading what there is, and
//! the few changes of the Fernet runbook. What is judged of it all is `domain::fernet`; when what is done is the runbook's.
//!
//! | file | what |
//! | --- | --- |
//! | `shell` | a node and its command: [`NodeShell`] |
//! | `run` | one process: input, bounds, time limit, the group that is killed |
//! | `refusal` | what it means that ssh, sudo or a shell failed |
//! | `script` | what all scripts share, and how their lines are read |
//! | `archive` | keys on their way between nodes: [`KeyArchive`] |
//! | `listing` | the folders, by digest |
//! | `look` | everything that is checked before: settings, clock, room, jobs |
//! | `settings`, `jobs` | the parts of it |
//! | `backup` | save a repository beside itself, and try whether it could be restored |
//! | `prepare` | rotate in a copy |
//! | `transfer` | fetch keys from a node, place them beside the live repository of another |
//! | `install` | the stages of an installation, and the purge |
//! | `traffic` | what a node has answered its users, by another command of the operator's |
//! | `clear` | remove what was placed |
//!
//! Keys pass on standard input and output only, in buffers that are wiped. Everything can be run twice and be killed in between:
//! what is not whole has a name of its own, and only a rename or a link makes it what it is to be.

mod backup;
mod clear;
mod install;
mod jobs;
mod listing;
mod look;
mod prepare;
mod refusal;
mod run;
mod script;
mod seam;
mod settings;
mod shell;
mod traffic;
mod transfer;
mod vault;

pub use crate::engine::ports::nodes::{
    Backup, Done, KeyArchive, LEAST_FREE_KIB, Look, LookAt, Place, Placed, Prepare, Prepared,
};
pub use shell::{NodeParameters, NodeShell};
pub use traffic::AnswerCount;
pub use vault::Vault;

#[cfg(test)]
mod tests;
