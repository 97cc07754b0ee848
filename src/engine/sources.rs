//! Who is looked at outside, when each of them answered last, and what the last look met: the row of sources on the screen.

use crate::domain::fault::Fault;
use crate::domain::observation::Observation;
use crate::engine::observe::Sights;
use jiff::Timestamp;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// What is looked at outside, each by itself: one that hangs delays no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The secret in Barbican.
    Barbican,
    /// The object in Swift.
    Swift,
    /// The VPN server.
    Server,
    /// The console API's users.
    Console,
    /// The script that the console API serves.
    Script,
    /// The expected alert.
    Alerts,
    /// Our own journal.
    Journal,
    /// The mailbox that the answers come into.
    Mailbox,
}

impl Source {
    /// Those that a look asks by themselves; the script is asked for behind the object, which names its users.
    pub const ASKED: [Source; 5] = [Source::Barbican, Source::Swift, Source::Server, Source::Console, Source::Alerts];

    /// The word on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Source::Barbican => "barbican",
            Source::Swift => "swift",
            Source::Server => "server",
            Source::Console => "console",
            Source::Script => "script",
            Source::Alerts => "alerts",
            Source::Journal => "journal",
            Source::Mailbox => "mailbox",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How one source stands. Its age is not in it: it ticks, so the reader computes it from `seen_at`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceView {
    /// Which.
    pub name: Source,
    /// When it answered last, UTC; `None`: never since the start.
    pub seen_at: Option<Timestamp>,
    /// Why the last look failed; `None`: it answered, or was not asked yet.
    pub fault: Option<String>,
    /// When that was seen, UTC.
    pub fault_at: Option<Timestamp>,
}

impl SourceView {
    fn of<T>(name: Source, seen: &Observation<T>) -> Self {
        let fault = seen.fault.as_ref();
        Self {
            name,
            seen_at: seen.seen.as_ref().map(|(at, _)| *at),
            fault: fault.map(|(_, fault): &(Timestamp, Fault)| fault.to_string()),
            fault_at: fault.map(|(at, _)| *at),
        }
    }

    /// Whether what it said last may still be shown as true: it answered at its last look, no longer than `within` ago.
    pub fn is_fresh(&self, now: Timestamp, within: Duration) -> bool {
        let age = |at: Timestamp| now.as_second().saturating_sub(at.as_second());
        self.fault.is_none() && self.seen_at.is_some_and(|at| age(at) <= within.as_secs() as i64)
    }
}

/// Every source that was ever asked, and the three that every tenant has.
pub fn sources(sights: &Sights) -> Vec<SourceView> {
    let mut found = vec![
        SourceView::of(Source::Barbican, &sights.secret),
        SourceView::of(Source::Swift, &sights.object),
        SourceView::of(Source::Server, &sights.server),
    ];
    if sights.console.is_known() {
        found.push(SourceView::of(Source::Console, &sights.console));
    }
    if sights.served.is_known() {
        found.push(SourceView::of(Source::Script, &sights.served));
    }
    if sights.alert.is_known() {
        found.push(SourceView::of(Source::Alerts, &sights.alert));
    }
    if sights.journal.is_known() {
        found.push(SourceView::of(Source::Journal, &sights.journal));
    }
    if sights.mailbox.is_known() {
        found.push(SourceView::of(Source::Mailbox, &sights.mailbox));
    }
    found
}

/// How a look ended: who answered, and who did not and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Looked {
    /// They answered.
    pub answered: Vec<Source>,
    /// They did not, and why.
    pub failed: Vec<(Source, Fault)>,
}

impl Looked {
    /// How it ended, by what is known behind it; only those that answered or failed since `began` were asked by it.
    pub fn since(sights: &Sights, began: Timestamp) -> Self {
        let mut looked = Self::default();
        let mut see = |source, seen: Option<Timestamp>, fault: Option<&(Timestamp, Fault)>| match fault {
            Some((_, fault)) => looked.failed.push((source, fault.clone())),
            None if seen.is_some_and(|at| at >= began) => looked.answered.push(source),
            None => {}
        };
        fn at<T>(seen: &Observation<T>) -> Option<Timestamp> {
            seen.seen.as_ref().map(|(at, _)| *at)
        }
        see(Source::Barbican, at(&sights.secret), sights.secret.fault.as_ref());
        see(Source::Swift, at(&sights.object), sights.object.fault.as_ref());
        see(Source::Server, at(&sights.server), sights.server.fault.as_ref());
        see(Source::Console, at(&sights.console), sights.console.fault.as_ref());
        see(Source::Script, at(&sights.served), sights.served.fault.as_ref());
        see(Source::Alerts, at(&sights.alert), sights.alert.fault.as_ref());
        see(Source::Journal, at(&sights.journal), sights.journal.fault.as_ref());
        looked
    }

    /// Whether everybody answered.
    pub fn is_whole(&self) -> bool {
        self.failed.is_empty()
    }
}

impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |sources: &[Source]| sources.iter().map(|source| source.word()).collect::<Vec<_>>().join(", ");
        if self.failed.is_empty() {
            return write!(f, "looked: all answered ({})", names(&self.answered));
        }
        let failed: Vec<Source> = self.failed.iter().map(|(source, _)| *source).collect();
        match self.answered.as_slice() {
            // The journal is our own.
            [] | [Source::Journal] => write!(f, "looked: nobody answered: {}", names(&failed)),
            some => write!(f, "looked: no answer from {}; answered: {}", names(&failed), names(some)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::{FaultKind, Service};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn dead(service: Service) -> Fault {
        Fault::new(service, FaultKind::Unreachable, "connection refused")
    }

    #[test]
    fn a_source_that_fails_keeps_when_it_answered_last_and_is_not_fresh() {
        let mut sights = Sights::default();
        sights.console.take(at(0), Ok(Vec::new()));
        sights.console.take(at(20), Err(dead(Service::Console)));
        let views = sources(&sights);
        let console = views.iter().find(|view| view.name == Source::Console).unwrap();
        assert_eq!((console.seen_at, console.fault_at), (Some(at(0)), Some(at(20))));
        assert!(console.fault.as_ref().unwrap().contains("connection refused"));
        assert!(!console.is_fresh(at(21), Duration::from_secs(60)), "whatever its age");
        assert_eq!(views.len(), 4, "the three that every tenant has, and this one: {views:?}");
    }

    #[test]
    fn what_answered_too_long_ago_is_not_fresh_although_no_look_failed() {
        let mut sights = Sights::default();
        sights.alert.take(at(0), Ok(crate::engine::alerts::AlertSight { name: "a".into(), firing: Vec::new() }));
        let alerts = sources(&sights).pop().unwrap();
        assert!(alerts.is_fresh(at(60), Duration::from_secs(60)));
        assert!(!alerts.is_fresh(at(61), Duration::from_secs(60)));
    }

    #[test]
    fn a_look_says_who_answered_and_who_did_not() {
        let mut sights = Sights::default();
        sights.console.take(at(0), Ok(Vec::new()));
        assert_eq!(Looked::since(&sights, at(0)).to_string(), "looked: all answered (console)");
        assert!(Looked::since(&sights, at(1)).answered.is_empty(), "it answered an earlier look");
        sights.server.take(at(1), Err(dead(Service::Server)));
        let text = Looked::since(&sights, at(0)).to_string();
        assert_eq!(text, "looked: no answer from server; answered: console");
        sights.console.take(at(1), Err(dead(Service::Console)));
        let text = Looked::since(&sights, at(1)).to_string();
        assert_eq!(text, "looked: nobody answered: server, console");
    }
}
