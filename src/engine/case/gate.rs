//! The gate before a stretch: what shuts it, each naming whom or what it is about, and what leads on.
//!
//! Which facts there are is the runbook's; that none may be left is everybody's.

use jiff::Timestamp;
use serde::Serialize;
use std::fmt;

/// What shuts a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Its name, by which it is set aside: `not-before`, `digests`, `matrix`.
    pub name: &'static str,
    /// One line: what is so.
    pub text: String,
    /// Whom or what it is about: nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub who: Vec<String>,
    /// What to do; empty where waiting is all.
    pub remedy: String,
    /// When it ends by itself, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What kind it is.
    pub kind: FactKind,
}

/// What kind of fact it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactKind {
    /// It is so.
    Seen,
    /// It could not be found out, which shuts just as well.
    Unknown,
    /// It is so, and an operator may set it aside with a reason.
    MayBeSetAside,
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.text)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "; {}", self.remedy) }
    }
}

/// What a gate says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "gate", content = "reasons")]
pub enum Verdict {
    /// The stretch may begin.
    Open,
    /// It may not, for all of these.
    Shut(Vec<Fact>),
    /// It can't be told, so it is treated as shut; what is unknown comes first.
    Unknown(Vec<Fact>),
}

/// Judges a gate from all facts of its runbook, without those that an operator has set aside.
pub fn judge(facts: Vec<Fact>, is_set_aside: impl Fn(&str) -> bool) -> Verdict {
    let counts = |fact: &Fact| fact.kind != FactKind::MayBeSetAside || !is_set_aside(fact.name);
    let (unknown, seen): (Vec<Fact>, Vec<Fact>) =
        facts.into_iter().filter(counts).partition(|fact| fact.kind == FactKind::Unknown);
    match (unknown.is_empty(), seen.is_empty()) {
        (true, true) => Verdict::Open,
        (true, false) => Verdict::Shut(seen),
        (false, _) => Verdict::Unknown(unknown.into_iter().chain(seen).collect()),
    }
}

impl Verdict {
    /// The stretch may begin.
    pub fn is_open(&self) -> bool {
        matches!(self, Verdict::Open)
    }

    /// All reasons, none when open.
    pub fn reasons(&self) -> &[Fact] {
        match self {
            Verdict::Open => &[],
            Verdict::Shut(facts) | Verdict::Unknown(facts) => facts,
        }
    }

    /// Until when it is known to be shut, where waiting alone opens it.
    pub fn opens(&self) -> Option<Timestamp> {
        let until: Option<Vec<Timestamp>> = self.reasons().iter().map(|fact| fact.until).collect();
        until?.into_iter().max()
    }
}
