//! What is said of a converging that ended badly: what is true of the secret now, what was met first, what is safe.

use super::Held;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::ports::SecretRef;

pub(super) const NOT_KNOWN: &str = "whether the old secret was deleted is not known yet";

pub(super) const UNLISTED: &str = "the new secret is stored and can be read, and Barbican's list does not name it";

/// What is known of the live secret's name, for whoever is told of a fault.
pub(super) enum Known {
    /// Something has the name.
    There,
    /// Nothing has it.
    Missing,
    /// It can't be told before the next look.
    Unknown(&'static str),
}

/// What is told where no request has failed, and the wanted state is not there all the same.
pub(super) fn unsettled(found: &[Held], deleted: &[SecretRef], known: &Known) -> Fault {
    let conflict = |text: String| Fault::new(Service::Barbican, FaultKind::Conflict, text);
    if matches!(known, Known::Unknown(UNLISTED)) {
        return conflict("its list does not name the secret that it has stored and gives when asked".into())
            .hint("nothing was stored a second time; the server finds its key by that list: see which copy of the database lags");
    }
    if found.iter().any(|(href, _)| deleted.contains(href)) {
        let text = "an old secret is still listed, although the service has answered that it was deleted";
        return conflict(format!("{text}; {} have the name now", found.len()))
            .hint("nobody else needs to have changed anything: see what answers in Barbican's place, or which copy of its database lags");
    }
    conflict("the secret kept changing under our hands".into())
}

/// The fault with what is true now and what is safe. `first`: what was met before it.
pub(super) fn explain(fault: Fault, changed: bool, known: &Known, first: Option<&Fault>) -> Fault {
    let first = first.filter(|first| first.to_string() != fault.to_string());
    let explained = of_now(fault, changed, known);
    match first {
        Some(first) => {
            let hint = format!("{}; met first: {first}", explained.advice());
            explained.hint(hint)
        }
        None => explained,
    }
}

fn of_now(fault: Fault, changed: bool, known: &Known) -> Fault {
    if !changed && matches!(known, Known::There) {
        // Only readings have failed, so nothing can be carried out later.
        let advice = if fault.is_outcome_unknown() { "when it answers again, resume" } else { fault.remedy() };
        let hint = format!("nothing was changed in Barbican; {advice}");
        return fault.hint(hint);
    }
    let advice = fault.remedy();
    let hint = match known {
        Known::Missing => format!(
            "SECRET MISSING: the old secret is deleted and the new one is not stored; tunnels stay up, and the key is \
             kept in Barbican under its own name. {advice}; resume stores the same key"
        ),
        Known::Unknown(what) => {
            format!("{what}; the key is kept under its own name. {advice}; resume looks before anything is sent again")
        }
        Known::There => format!("the key is kept under its own name; {advice}; resume looks and goes on"),
    };
    fault.hint(hint)
}
