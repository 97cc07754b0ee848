//! What a verb says that it has done, a line a keypair: `Created kubernetes-ca 7711…`. Nothing is concluded from silence: what lies in
//! the state store is looked at.

use super::keypair::KeypairId;

/// What was done to a keypair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// `create keypair`.
    Created,
    /// `promote keypair`.
    Promoted,
    /// `distrust keypair`.
    Distrusted,
    /// `trust keypair`.
    Trusted,
}

/// The keypairs of which a verb says that it has done something to them, in its order.
pub fn read(output: &str) -> Vec<(Deed, String, KeypairId)> {
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [deed, keyset, id] = words.as_slice() else { return None };
        let deed = match *deed {
            "Created" => Deed::Created,
            "Promoted" => Deed::Promoted,
            "Distrusted" => Deed::Distrusted,
            "Trusted" => Deed::Trusted,
            _ => return None,
        };
        Some((deed, (*keyset).to_owned(), KeypairId::new(id).ok()?))
    };
    output.lines().filter_map(line).collect()
}

/// What a dry run of `update cluster` has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DryRun {
    /// It would change nothing.
    NoChange,
    /// It would change something.
    Changes,
    /// It says neither.
    Untold,
}

/// Reads the end of a dry run.
pub fn dry_run(output: &str) -> DryRun {
    if output.contains("No changes need to be applied") {
        DryRun::NoChange
    } else if output.contains("Must specify --yes to apply changes") {
        DryRun::Changes
    } else {
        DryRun::Untold
    }
}
