//! What a test may make go wrong: which request, and how; carrying it out is left to `http`, `smtp`, `imap` and the shells.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

use super::state::lock;
use super::trip::{Moment, Tripwire};

/// One server of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Tokens and projects.
    Keystone,
    /// Secrets.
    Barbican,
    /// Containers and objects.
    Swift,
    /// The console API.
    Console,
    /// Mail. Its "methods" are `CONNECT`, `EHLO`, `AUTH`, `MAIL`, `RCPT`, `DATA` and `.` (the end of a mail).
    Smtp,
    /// Alertmanager.
    Alerts,
    /// The operator's mailbox. Its "methods" are `CONNECT` and the commands (`EXAMINE`, `UID FETCH`, `IDLE`, ...).
    Imap,
    /// The command that reaches a VPN server. Its one "method" is `READ`, its "path" the server's name.
    Shell,
    /// The Keystone of one node of the cluster, by its number.
    Node(u16),
    /// The command that reaches a node of the cluster. Its "method" is the word that the script gives itself in its line
    /// `# changeguard: WORD` (`run` where it gives none), its "path" the node's name.
    NodeShell,
    /// `kops`. Its "method" is the verb (`create`, `rolling-update`), its "path" the words behind it.
    Kops,
}

/// How an answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The connection stays open and silent.
    Hang,
    /// The connection is closed.
    Close,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done; the answer is this status with the service's own body (SMTP: reply code; shell: exit status).
    Status(u16),
    /// Nothing is done; the connection is closed before any byte of an answer.
    Close,
    /// It is done; the answer breaks off in the middle of its body (before it, where there is none).
    ResetMidBody,
    /// Nothing is done, and no answer ever comes.
    Hang,
    /// It is done and answered after this long, also when the client has given up by then.
    Delay(Duration),
    /// It is done at once, but no answer comes.
    LoseAnswer(Loss),
    /// No answer ever comes, and it is done after this long, as a stopped and continued process does; over HTTP at once when all
    /// rules are taken away.
    ApplyLate(Duration),
    /// It is held at this moment until the test lets go, and never answered (see [`Faults::trip`]).
    Trip(Moment),
}

/// Which of the matching requests are hit, counted from 1 since the rule was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Only this one.
    Nth(u64),
    /// So many, then no more.
    First(u64),
    /// This one and all later ones.
    From(u64),
    /// All.
    Always,
}

impl Which {
    fn hits(self, count: u64) -> bool {
        match self {
            Which::Nth(n) => count == n,
            Which::First(n) => count <= n,
            Which::From(n) => count >= n,
            Which::Always => true,
        }
    }
}

/// A fault and the requests it applies to. The agents' own requests are spared unless `for_agents` is called.
#[derive(Clone, Debug)]
pub struct Rule {
    service: Service,
    method: Option<String>,
    path: Option<String>,
    which: Which,
    fault: Fault,
    agents: bool,
    /// Hits nothing before a request of this method, whoever sends it, has come to the service.
    after: Option<String>,
}

impl Rule {
    /// The next request to the service meets this fault, whatever its method.
    pub fn new(service: Service, fault: Fault) -> Rule {
        Rule { service, method: None, path: None, which: Which::Nth(1), fault, agents: false, after: None }
    }

    /// Only requests of this method (upper case).
    pub fn method(mut self, method: &str) -> Rule {
        self.method = Some(method.to_owned());
        self
    }

    /// Only requests whose path and query hold this text.
    pub fn path(mut self, part: &str) -> Rule {
        self.path = Some(part.to_owned());
        self
    }

    /// Which of the matching requests.
    pub fn which(mut self, which: Which) -> Rule {
        self.which = which;
        self
    }

    /// Every matching request.
    pub fn always(self) -> Rule {
        self.which(Which::Always)
    }

    /// Only the `n`th matching request, from 1.
    pub fn nth(self, n: u64) -> Rule {
        self.which(Which::Nth(n))
    }

    /// Nothing before a request of this method has come to the service.
    pub fn after(mut self, method: &str) -> Rule {
        self.after = Some(method.to_owned());
        self
    }

    /// Requests of the reconcile agents instead of those of everybody else.
    pub fn for_agents(mut self) -> Rule {
        self.agents = true;
        self
    }

    fn matches(&self, request: &Request) -> bool {
        self.after.is_none()
            && self.service == request.service
            && self.agents == request.agent
            && self.method.as_ref().is_none_or(|m| *m == request.method)
            && self.path.as_ref().is_none_or(|p| request.path.contains(p.as_str()))
    }
}

/// A rule that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FaultId(u64);

/// A request that one of the servers has received.
#[derive(Clone, Debug)]
pub struct Request {
    /// To whom.
    pub service: Service,
    /// HTTP method, or the verb of SMTP.
    pub method: String,
    /// Path and query; for SMTP the argument, for the shell the server's name.
    pub path: String,
    /// Whether a reconcile agent of the lab sent it.
    pub agent: bool,
    /// When it had arrived.
    pub at: Instant,
}

/// Requests kept for `requests()`; the counters know all.
const LOG: usize = 20_000;

#[derive(Default)]
struct Inner {
    next: u64,
    rules: Vec<(FaultId, Rule, u64, u64)>,
    counts: HashMap<(Service, String), u64>,
    log: VecDeque<Request>,
}

/// Is told of every request once it has arrived whole, before it is carried out.
type Observer = Arc<dyn Fn(&Request) + Send + Sync>;

/// The rules in force, and the count of what came in.
#[derive(Default)]
pub struct Faults {
    inner: Mutex<Inner>,
    tripwire: Tripwire,
    observer: Mutex<Option<Observer>>,
    closing: AtomicBool,
    cleared: Arc<Notify>,
}

impl Faults {
    /// Puts a rule in force. Of several that hit the same request the first added wins.
    pub fn add(&self, rule: Rule) -> FaultId {
        let mut inner = lock(&self.inner);
        inner.next += 1;
        let id = FaultId(inner.next);
        inner.rules.push((id, rule, 0, 0));
        id
    }

    /// Takes one rule away.
    pub fn remove(&self, id: FaultId) {
        lock(&self.inner).rules.retain(|r| r.0 != id);
    }

    /// Takes all rules away.
    pub fn clear(&self) {
        lock(&self.inner).rules.clear();
        self.cleared.notify_waiters();
    }

    /// Waits for so long, or until all rules are taken away.
    pub(super) fn hold_for(&self, most: Duration) -> impl Future<Output = ()> + Send + 'static {
        // It is told from here on, whenever it is first polled.
        let cleared = Arc::clone(&self.cleared).notified_owned();
        async move {
            tokio::select! {
                () = tokio::time::sleep(most) => {}
                () = cleared => {}
            }
        }
    }

    /// How often the rule has hit; 0 for one that was removed.
    pub fn fired(&self, id: FaultId) -> u64 {
        lock(&self.inner).rules.iter().find(|r| r.0 == id).map_or(0, |r| r.3)
    }

    /// How many requests of this method the service has received since the start, the agents' own left out.
    pub fn count(&self, service: Service, method: &str) -> u64 {
        lock(&self.inner).counts.get(&(service, method.to_owned())).copied().unwrap_or(0)
    }

    /// The latest requests to the service (the agents' are marked), oldest first; at most 20,000 over all services.
    pub fn requests(&self, service: Service) -> Vec<Request> {
        lock(&self.inner).log.iter().filter(|r| r.service == service).cloned().collect()
    }

    /// The `nth` call to any service from now on, from 1, is held; the agents' own are not counted.
    pub fn trip(&self, nth: u64, moment: Moment) {
        self.tripwire.arm(nth, moment);
    }

    /// Waits until that call is held, and tells which it is.
    pub async fn tripped(&self) -> Option<Request> {
        self.tripwire.tripped().await
    }

    /// Lets go: the held call ends without an answer, and no other is held.
    pub fn release(&self) {
        self.tripwire.release();
    }

    /// How many calls of all services were received since the start, the agents' own left out.
    pub fn calls(&self) -> u64 {
        self.tripwire.seen()
    }

    /// Tells of every request from now on, the agents' too, before it is carried out: what is seen of the lab then is what it
    /// was when the request was sent.
    pub fn observe(&self, observer: impl Fn(&Request) + Send + Sync + 'static) {
        *lock(&self.observer) = Some(Arc::new(observer));
    }

    /// Every HTTP service closes the connection behind each answer from now on, and says so, as one without keep-alive does.
    pub fn close_behind_answers(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Whether they do.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Waits until the test lets go.
    pub(super) async fn hold(&self) {
        self.tripwire.hold().await;
    }

    /// Counts a request and says what shall go wrong with it.
    pub(super) fn meet(&self, service: Service, method: &str, path: &str, agent: bool) -> Option<Fault> {
        let request = Request { service, method: method.to_owned(), path: path.to_owned(), agent, at: Instant::now() };
        let observer = lock(&self.observer).clone();
        if let Some(observer) = observer {
            observer(&request);
        }
        let mut fault = if agent { None } else { self.tripwire.meet(&request).map(Fault::Trip) };
        let mut inner = lock(&self.inner);
        for (_, rule, seen, fired) in &mut inner.rules {
            if rule.service == service && rule.after.as_deref() == Some(method) {
                rule.after = None;
            }
            if rule.matches(&request) {
                *seen += 1;
                if fault.is_none() && rule.which.hits(*seen) {
                    *fired += 1;
                    fault = Some(rule.fault);
                }
            }
        }
        if !agent {
            *inner.counts.entry((service, request.method.clone())).or_default() += 1;
        }
        if inner.log.len() == LOG {
            inner.log.pop_front();
        }
        inner.log.push_back(request);
        fault
    }
}
