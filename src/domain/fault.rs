//! What went wrong outside, told so that an operator knows what is safe now and what to do.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Which neighbour the fault concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// Identity.
    Keystone,
    /// Secrets.
    Barbican,
    /// Objects.
    Swift,
    /// The VPN server behind the read command.
    Server,
    /// A Keystone node behind its command (ssh, as a rule).
    Node,
    /// The mail server.
    Mail,
    /// The console API.
    Console,
    /// Alertmanager.
    Alerts,
    /// The program that signs with an operator's key.
    Signature,
    /// Our own journal.
    Journal,
    /// The configuration, or a file that it names.
    Configuration,
    /// The host on which this runs: no neighbour is to blame.
    Host,
    /// `kops`, and the cluster behind it.
    Kops,
    /// The gate of a cluster's case: nothing failed, something shuts it.
    Gate,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Service::Keystone => "Keystone",
            Service::Barbican => "Barbican",
            Service::Swift => "Swift",
            Service::Server => "VPN server",
            Service::Node => "Keystone node",
            Service::Mail => "mail server",
            Service::Console => "console API",
            Service::Alerts => "Alertmanager",
            Service::Signature => "ssh-keygen",
            Service::Journal => "journal",
            Service::Configuration => "configuration",
            Service::Host => "this host",
            Service::Kops => "kOps",
            Service::Gate => "gate",
        })
    }
}

/// What kind of fault it is. The kind decides the advice and whether the request may have been carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "detail")]
pub enum FaultKind {
    /// Nobody listens, no route, or the name does not resolve: nothing was sent.
    Unreachable,
    /// TLS could not be agreed or the certificate is not trusted: nothing was sent.
    Tls,
    /// No answer within the time limit. The request may still be carried out later.
    TimedOut,
    /// The connection broke before the whole answer was read. The request may have been carried out.
    Reset,
    /// 401: the token is not accepted.
    Unauthorized,
    /// 403: the role or policy does not permit it.
    Forbidden,
    /// 403 with a quota's text: there is no room for one more.
    Quota,
    /// 404: it does not exist (or is in another project).
    NotFound,
    /// 409 or 412: it is not in the state that the request assumed.
    Conflict,
    /// 429: too many requests.
    TooMany,
    /// 5xx with its number.
    ServerError(u16),
    /// Any other status.
    Unexpected(u16),
    /// An answer that can't be understood.
    Malformed,
    /// The command that reads the server could not be started.
    NotStarted,
    /// The command ended with this exit status.
    Exited(i32),
    /// ssh refused the host key.
    HostKey,
    /// A temporary refusal (4xx of SMTP).
    Temporary(u16),
    /// A final refusal (5xx of SMTP).
    Permanent(u16),
    /// The world is in a state on which the step must not act.
    Refused,
    /// A file, record or value of our own is not as it must be.
    Invalid,
    /// This process can open no more files and connections: nothing was sent.
    Exhausted,
    /// The disk is full: nothing was written.
    NoRoom,
}

/// An order that leads on from a fault, in a case of a runbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lead {
    /// The step is tried again.
    Resume,
    /// What was changed is taken back.
    RollBack,
    /// What was prepared is taken away; nothing was changed.
    Cancel,
    /// What keeps the step from going on is set aside by the name before the colon of the advice; then it is tried again.
    SetAside,
    /// Whoever is waited for is settled; then it is tried again.
    Settle,
}

impl Lead {
    /// The word in a sentence.
    pub fn word(self) -> &'static str {
        match self {
            Lead::Resume => "resume",
            Lead::RollBack => "roll back",
            Lead::Cancel => "cancel",
            Lead::SetAside => "set it aside",
            Lead::Settle => "settle each",
        }
    }
}

/// A fault: where, what kind, in words, and optionally more exact advice than the kind gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Which neighbour.
    pub service: Service,
    /// What kind.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// What happened, a lower-case fragment, sanitized.
    pub message: String,
    /// More exact advice than [`Fault::advice`] gives by the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The orders that lead on, the first of them first; the hint ends with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leads: Vec<Lead>,
}

impl Fault {
    /// A fault without a hint. The message is sanitized here.
    pub fn new(service: Service, kind: FaultKind, message: impl AsRef<str>) -> Self {
        Self { service, kind, message: super::sanitize::sanitize(message.as_ref()), hint: None, leads: Vec::new() }
    }

    /// The same with advice of its own.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self.leads.clear();
        self
    }

    /// The same with the orders that lead on behind its advice.
    pub fn leads(mut self, leads: &[Lead]) -> Self {
        let advice = self.advice();
        let by_hand = if self.leads.is_empty() { advice.to_owned() } else { self.by_hand().to_owned() };
        let words = leads.iter().map(|lead| lead.word()).collect::<Vec<_>>().join(", or ");
        self.hint = Some(if by_hand.is_empty() { words } else { format!("{by_hand}; {words}") });
        self.leads = leads.to_vec();
        self
    }

    /// What is to be done outside before an order leads on; empty where nothing is.
    pub fn by_hand(&self) -> &str {
        let words = self.leads.iter().map(|lead| lead.word()).collect::<Vec<_>>().join(", or ");
        let remedy = self.remedy();
        match remedy.strip_suffix(words.as_str()).filter(|_| !words.is_empty()) {
            Some(before) => before.trim_end_matches("; "),
            None => remedy,
        }
    }

    /// The advice without its word of what was so when it failed: for whoever says what is so now.
    pub fn remedy(&self) -> &str {
        let advice = self.advice();
        match advice.split_once("; ") {
            Some((first, rest)) if is_of_then(first) => rest,
            _ => advice,
        }
    }

    /// The request may have been carried out although it failed for us: look again before deciding.
    ///
    /// Barbican and Swift were seen to carry out requests minutes after the client had given up.
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self.kind, FaultKind::TimedOut | FaultKind::Reset | FaultKind::ServerError(_))
    }

    /// Trying the same again later may work without anybody changing anything.
    pub fn is_passing(&self) -> bool {
        matches!(
            self.kind,
            FaultKind::Unreachable
                | FaultKind::TimedOut
                | FaultKind::Reset
                | FaultKind::TooMany
                | FaultKind::ServerError(_)
                | FaultKind::Temporary(_)
                | FaultKind::Exhausted
        )
    }

    /// What to do, by the runbook's troubleshooting.
    pub fn advice(&self) -> &str {
        if let Some(hint) = &self.hint {
            return hint;
        }
        match (&self.kind, self.service) {
            (FaultKind::Unreachable, Service::Server) => {
                "nothing was changed there; check the host name, your ProxyJump and that ssh to it works by hand"
            }
            (FaultKind::Unreachable, Service::Node) => {
                "nothing was changed there; check the node's name, your ProxyJump and that ssh to it works by hand"
            }
            (FaultKind::Unreachable, _) => "nothing was sent; check the address and the network, then try again",
            (FaultKind::Tls, _) => "nothing was sent; check the certificate's name and date, or set ca_file",
            (FaultKind::TimedOut, _) => "a change may still be carried out; changeguard looks again before it acts",
            (FaultKind::Reset, _) => "a change may have been carried out; changeguard looks again before it acts",
            (FaultKind::Unauthorized, Service::Console) => "put a new operator token into console.token_file",
            (FaultKind::Unauthorized, Service::Alerts) => "check alerts.user and its password, or alerts.token_file",
            (FaultKind::Unauthorized, Service::Mail) => "check smtp.user and its password",
            (FaultKind::Unauthorized, _) => {
                "check the credential: wrong, expired, or its user has no role on the project any more"
            }
            (FaultKind::Forbidden, Service::Barbican) => {
                "the credential lacks a role on this project (creator or member); ask the platform team for a role assignment"
            }
            (FaultKind::Forbidden, _) => "the credential lacks a role on this project; ask the platform team",
            (FaultKind::Quota, Service::Barbican) => {
                "delete secrets that nobody needs or have the quota raised, then go on"
            }
            (FaultKind::Quota, _) => "make room within the quota or have it raised, then go on",
            (FaultKind::NotFound, _) => "check the name and that the credential is for the right project",
            (FaultKind::Conflict, _) => "somebody else changed it; look at it, then try again",
            (FaultKind::TooMany, _) => "wait a little, then go on",
            (FaultKind::ServerError(_), _) => "the service is in trouble; go on when it has recovered",
            (FaultKind::HostKey, _) => {
                "the server's host key is unknown or changed; verify it out of band before you accept it"
            }
            (FaultKind::NotStarted, Service::Node) => "check the command that reaches the nodes in the configuration",
            (FaultKind::NotStarted, _) => "check server.command in the configuration",
            (FaultKind::Exited(_), Service::Node) => "look what it said, correct it on the node, then go on",
            (FaultKind::Exited(_), _) => "try the same by hand; the sudo rule must permit wg show without a password",
            (FaultKind::Temporary(_), _) => "send again to this person in a few minutes",
            (FaultKind::Permanent(_), _) => "correct the address (contacts file) or reach the person another way",
            (FaultKind::Malformed | FaultKind::Unexpected(_), _) => {
                "the answer is not what this service gives; check its address"
            }
            (FaultKind::Exhausted, _) => {
                "nothing was sent; raise the limit of open files (ulimit -n, LimitNOFILE= of the unit), then go on"
            }
            (FaultKind::NoRoom, _) => "nothing was written; make room where state.directory lies, then go on",
            (FaultKind::Refused | FaultKind::Invalid, _) => "correct it, then go on",
        }
    }
}

/// What an advice may begin with that is true of the moment of the failure only.
fn is_of_then(clause: &str) -> bool {
    ["nothing was ", "the server will have "].iter().any(|begin| clause.starts_with(begin))
        || clause.ends_with(" was not touched")
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.service, self.message)
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_not_a_failure() {
        let fault = |kind| Fault::new(Service::Barbican, kind, "x");
        assert!(fault(FaultKind::TimedOut).is_outcome_unknown());
        assert!(fault(FaultKind::Reset).is_outcome_unknown());
        assert!(!fault(FaultKind::Unreachable).is_outcome_unknown());
        assert!(!fault(FaultKind::Forbidden).is_outcome_unknown());
    }

    #[test]
    fn a_remedy_says_nothing_of_what_was_changed_and_is_never_empty() {
        let services = [Service::Barbican, Service::Swift, Service::Server, Service::Mail, Service::Journal];
        let kinds = [
            FaultKind::Unreachable,
            FaultKind::Tls,
            FaultKind::Unauthorized,
            FaultKind::Quota,
            FaultKind::NotFound,
            FaultKind::Conflict,
            FaultKind::TooMany,
            FaultKind::Refused,
            FaultKind::Invalid,
        ];
        for (service, kind) in services.into_iter().flat_map(|service| kinds.clone().map(|kind| (service, kind))) {
            let fault = Fault::new(service, kind, "x");
            assert!(!fault.remedy().contains("nothing was"), "{fault:?}: {}", fault.remedy());
            assert!(fault.advice().ends_with(fault.remedy()));
        }
        let own = Fault::new(Service::Barbican, FaultKind::Refused, "x").hint("nothing was written; make room");
        assert_eq!(own.remedy(), "make room");
    }
}
