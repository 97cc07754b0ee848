//! The kinds of subjects besides tenants, listed once, as far as the journal alone tells of them.

use crate::domain::fault::Fault;
use crate::engine::case::core::Core;
use crate::engine::case::runbook::Runbook;
use crate::engine::case::status::Line;
use crate::engine::record::Entry;
use crate::runbooks::fernet::Fernet;
use crate::runbooks::kops::Kops;
use crate::runtime::case::history;

/// A case as its entries tell it, with a line for each; none where there are no entries.
pub type History = (Option<Core>, Vec<Line>);

/// A kind of subject.
pub struct Kind {
    /// As in `kind/name`.
    pub noun: &'static str,
    /// A case of it. Errors: a record can't be understood.
    pub history: fn(&[Entry]) -> Result<History, Fault>,
}

/// All of them.
pub fn all() -> Vec<Kind> {
    vec![of::<Fernet>(), of::<Kops>()]
}

/// The kind of a subject that is written as `kind/name`.
pub fn of_subject(subject: &str) -> Option<Kind> {
    let (noun, _) = subject.split_once('/')?;
    all().into_iter().find(|kind| kind.noun == noun)
}

fn of<R: Runbook>() -> Kind {
    let told = |entries: &[Entry]| history::<R>(entries).map(|(case, lines)| (case.map(|case| case.core), lines));
    Kind { noun: R::spec().noun, history: told }
}
