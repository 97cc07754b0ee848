//! What an operator may make go wrong in the lab to practise for it: each mishap by a word, on and off while the lab runs. A
//! mishap is rules of [`super::Faults`], a service held down, or what a person of the lab does; nothing outside the lab has any.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::faults::{Fault, FaultId, Loss, Rule, Service, Which};
use super::fernet::NodeMishap;
use super::kops::KopsMishap;
use super::people::{self, Habit};
use super::seed::Tenant;
use super::state::lock;
use super::world::LabWorld;

/// By so much a slow service is late.
const SLOW: Duration = Duration::from_secs(3);

/// The services by the words that operators have for them.
const SERVICES: [(Service, &str); 8] = [
    (Service::Keystone, "keystone"),
    (Service::Barbican, "barbican"),
    (Service::Swift, "swift"),
    (Service::Shell, "server"),
    (Service::Smtp, "mail"),
    (Service::Imap, "mailbox"),
    (Service::Console, "console"),
    (Service::Alerts, "alerts"),
];

/// What can be wrong with each.
const WAYS: [(Way, &str); 6] = [
    (Way::Down, "down"),
    (Way::Slow, "slow"),
    (Way::Unauthorized, "401"),
    (Way::Forbidden, "403"),
    (Way::Broken, "500"),
    (Way::Lost, "lost"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Down,
    Slow,
    Unauthorized,
    Forbidden,
    Broken,
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mishap {
    At(Service, Way),
    SecretMissing,
    Late,
    Of(Habit),
    Node(NodeMishap),
    Kops(KopsMishap),
}

/// A mishap as an operator is shown it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MishapView {
    /// Its word: `barbican-down`.
    pub mishap: String,
    /// What happens then.
    pub help: String,
    /// Where it is on: `everywhere`, a tenant, `tenant/client`; empty while it is off.
    pub on: Vec<String>,
}

/// What an operator asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MishapOrder {
    /// Its word; `all` where all are switched off.
    pub mishap: String,
    /// On or off.
    pub on: bool,
    /// For which tenant, by name or id, where it is about one; none: `late` all, else the first.
    pub tenant: Option<String>,
    /// For which client, by id or address, where it is about one (none: the first of the tenant), or for which node of the cluster, by
    /// name (none: the second).
    pub client: Option<String>,
}

/// What is on: by word and place, with its rules.
pub(super) type Switched = BTreeMap<(String, String), Vec<FaultId>>;

/// Where what is about no tenant is on.
const EVERYWHERE: &str = "everywhere";

impl Mishap {
    fn all() -> impl Iterator<Item = Self> {
        let at = |(service, _)| WAYS.into_iter().map(move |(way, _)| Mishap::At(service, way));
        let own = [
            Mishap::SecretMissing,
            Mishap::Late,
            Mishap::Of(Habit::NeverBack),
            Mishap::Of(Habit::Bounces),
            Mishap::Of(Habit::Unclear),
        ];
        let nodes = NodeMishap::ALL.into_iter().map(|(mishap, ..)| Mishap::Node(mishap));
        let kops = KopsMishap::ALL.into_iter().map(|(mishap, ..)| Mishap::Kops(mishap));
        own.into_iter().chain(nodes).chain(kops).chain(SERVICES.into_iter().flat_map(at))
    }

    fn word(self) -> String {
        match self {
            Mishap::At(service, way) => {
                let word = |(_, word): &(_, &'static str)| *word;
                let service = SERVICES.iter().find(|one| one.0 == service).map(word).unwrap_or_default();
                let way = WAYS.iter().find(|one| one.0 == way).map_or("", |(_, word)| *word);
                format!("{service}-{way}")
            }
            Mishap::SecretMissing => "secret-missing".into(),
            Mishap::Late => "late".into(),
            Mishap::Of(Habit::NeverBack) => "never-back".into(),
            Mishap::Of(Habit::Bounces) => "bounce".into(),
            Mishap::Of(Habit::Unclear) => "unclear-mail".into(),
            Mishap::Node(what) => of_node(what).0.into(),
            Mishap::Kops(what) => of_kops(what).0.into(),
        }
    }

    fn help(self) -> &'static str {
        use Service::{Imap, Shell, Smtp};
        match self {
            Mishap::At(_, Way::Down) => "nobody listens; what was open is cut",
            Mishap::At(_, Way::Slow) => "every answer comes 3 s late",
            Mishap::At(_, Way::Lost) => "the next change is done, and its answer lost",
            Mishap::At(Smtp, Way::Unauthorized) => "530: asks for a login",
            Mishap::At(Smtp, Way::Forbidden) => "550: the sender is refused",
            Mishap::At(Smtp, Way::Broken) => "451: no mail is taken, try again later",
            Mishap::At(Imap, Way::Unauthorized) => "the login is refused",
            Mishap::At(Imap, Way::Forbidden) => "the folder may not be opened",
            Mishap::At(Imap, Way::Broken) => "every command fails",
            Mishap::At(Shell, Way::Unauthorized) => "ssh: permission denied",
            Mishap::At(Shell, Way::Forbidden) => "sudo asks for a password",
            Mishap::At(Shell, Way::Broken) => "the interface can't be read",
            Mishap::At(_, Way::Unauthorized) => "401 to everything: who asks is not known",
            Mishap::At(_, Way::Forbidden) => "403 to everything: the role is missing",
            Mishap::At(_, Way::Broken) => "500 to everything",
            Mishap::SecretMissing => "Barbican deletes, and stores nothing from the next DELETE on: SECRET MISSING",
            Mishap::Late => "the servers' agents get no key from Barbican: LATE after a rotation",
            Mishap::Of(Habit::NeverBack) => "a client never re-imports the configuration",
            Mishap::Of(Habit::Bounces) => "mails to a client are taken and come back as undeliverable",
            Mishap::Of(Habit::Unclear) => "a client answers so that a person must read it",
            Mishap::Node(what) => of_node(what).1,
            Mishap::Kops(what) => of_kops(what).1,
        }
    }

    fn rules(self, tenant: Option<&Tenant>) -> Vec<Rule> {
        let of_both = |rule: Rule| vec![rule.clone().always(), rule.always().for_agents()];
        match self {
            Mishap::SecretMissing => {
                vec![Rule::new(Service::Barbican, Fault::Status(503)).method("POST").always().after("DELETE")]
            }
            Mishap::Late => {
                let rule = Rule::new(Service::Barbican, Fault::Status(503)).always().for_agents();
                vec![tenant.map_or(rule.clone(), |tenant| rule.path(&tenant.id))]
            }
            Mishap::At(service, Way::Slow) => of_both(Rule::new(service, Fault::Delay(SLOW))),
            Mishap::At(service, Way::Lost) => {
                let rule = Rule::new(service, Fault::LoseAnswer(Loss::Close)).which(Which::Nth(1));
                vec![match changes_with(service) {
                    Some(method) => rule.method(method),
                    None => rule,
                }]
            }
            Mishap::At(Service::Smtp, way) => vec![match way {
                Way::Unauthorized => Rule::new(Service::Smtp, Fault::Status(530)).method("MAIL").always(),
                Way::Forbidden => Rule::new(Service::Smtp, Fault::Status(550)).method("MAIL").always(),
                _ => Rule::new(Service::Smtp, Fault::Status(451)).method(".").always(),
            }],
            Mishap::At(Service::Imap, Way::Forbidden) => ["EXAMINE", "SELECT"]
                .map(|method| Rule::new(Service::Imap, Fault::Status(403)).method(method).always())
                .into(),
            Mishap::At(Service::Imap, Way::Unauthorized) => ["LOGIN", "AUTHENTICATE"]
                .map(|method| Rule::new(Service::Imap, Fault::Status(401)).method(method).always())
                .into(),
            Mishap::At(service, Way::Unauthorized) => of_both(Rule::new(service, Fault::Status(401))),
            Mishap::At(service, Way::Forbidden) => of_both(Rule::new(service, Fault::Status(403))),
            Mishap::At(service, Way::Broken) => of_both(Rule::new(service, Fault::Status(500))),
            Mishap::Kops(what) => what.rules(),
            Mishap::At(_, Way::Down) | Mishap::Of(_) | Mishap::Node(_) => Vec::new(),
        }
    }
}

/// Its word, and what happens then.
fn of_node(what: NodeMishap) -> (&'static str, &'static str) {
    let found = NodeMishap::ALL.into_iter().find(|(mishap, ..)| *mishap == what);
    found.map_or(("", ""), |(_, word, help)| (word, help))
}

/// The same of one of the Kubernetes cluster.
fn of_kops(what: KopsMishap) -> (&'static str, &'static str) {
    let found = KopsMishap::ALL.into_iter().find(|(mishap, ..)| *mishap == what);
    found.map_or(("", ""), |(_, word, help)| (word, help))
}

/// The method whose answer is worth losing: what changes something there. None: any.
fn changes_with(service: Service) -> Option<&'static str> {
    match service {
        Service::Keystone | Service::Barbican | Service::Alerts => Some("POST"),
        Service::Swift => Some("PUT"),
        Service::Smtp => Some("."),
        Service::Console | Service::Imap | Service::Shell | Service::NodeShell | Service::Kops => None,
        Service::Node(_) => Some("POST"),
    }
}

impl LabWorld {
    /// All mishaps, and where each is on.
    pub fn mishaps(&self) -> Vec<MishapView> {
        let mut switched = lock(&self.shared.mishaps);
        // An answer is lost once.
        switched.retain(|(word, _), rules| {
            !word.ends_with("-lost") || rules.iter().all(|rule| self.shared.faults.fired(*rule) == 0)
        });
        let view = |mishap: Mishap| {
            let word = mishap.word();
            let on = switched.keys().filter(|(one, _)| *one == word).map(|(_, place)| place.clone()).collect();
            MishapView { mishap: word, help: mishap.help().into(), on }
        };
        self.possible().map(view).collect()
    }

    /// Those of this lab: not every one has a cluster.
    fn possible(&self) -> impl Iterator<Item = Mishap> {
        let (has_nodes, has_kops) = (self.shared.cluster().is_some(), self.shared.kops().is_some());
        Mishap::all().filter(move |mishap| match mishap {
            Mishap::Node(_) => has_nodes,
            Mishap::Kops(_) => has_kops,
            _ => true,
        })
    }

    /// Switches a mishap on or off. Gives what is so now. Errors: an unknown word, tenant or client.
    pub fn rehearse(&self, order: &MishapOrder) -> Result<String, String> {
        if !order.on && order.mishap == "all" {
            let all: Vec<(String, String)> = lock(&self.shared.mishaps).keys().cloned().collect();
            all.iter().for_each(|(word, place)| self.end_mishap(word, place));
            return Ok(format!("{} mishaps switched off", all.len()));
        }
        let mishap = self.possible().find(|one| one.word() == order.mishap);
        let mishap = mishap.ok_or_else(|| format!("{} is no mishap of the lab", order.mishap))?;
        let word = mishap.word();
        let is_of_no_tenant = order.tenant.is_none() || matches!(mishap, Mishap::Node(_) | Mishap::Kops(_));
        if !order.on && is_of_no_tenant && order.client.is_none() {
            let places: Vec<String> = self.places(&word);
            places.iter().for_each(|place| self.end_mishap(&word, place));
            return Ok(format!("{word} is off"));
        }
        if let Mishap::Node(what) = mishap {
            return self.rehearse_node(what, &word, order);
        }
        // From the page of a subject that is no tenant it is about all.
        let tenant = match order.tenant.as_ref().filter(|name| !name.contains('/')) {
            Some(name) => Some(self.shared.tenant(name).ok_or_else(|| format!("the lab has no tenant {name}"))?),
            None => None,
        };
        let of = match mishap {
            Mishap::Of(_) => {
                let tenant = tenant.or(self.shared.tenants.first()).ok_or("the lab has no tenant")?;
                let named = |name: &String| {
                    tenant.client(name).ok_or_else(|| format!("{} has no client {name} in the lab", tenant.name))
                };
                let client =
                    order.client.as_ref().filter(|_| order.tenant.as_ref().is_none_or(|name| !name.contains('/')));
                Some((tenant, client.map_or(Ok(0), named)?))
            }
            _ => None,
        };
        let place = match (mishap, of, tenant) {
            (_, Some((tenant, client)), _) => format!("{}/{}", tenant.name, tenant.people[client].id),
            (Mishap::Late, _, Some(tenant)) => tenant.name.clone(),
            _ => EVERYWHERE.to_owned(),
        };
        // Once on, it is not added a second time.
        self.end_mishap(&word, &place);
        if !order.on {
            return Ok(format!("{word} is off: {place}"));
        }
        if let Mishap::At(service, Way::Down) = mishap {
            self.set_down(service, true);
        }
        if let (Mishap::Kops(what), Some(kops)) = (mishap, self.shared.kops()) {
            kops.rehearse(what, true);
        }
        if let (Mishap::Of(habit), Some((tenant, client))) = (mishap, of) {
            people::take_up(&self.shared, tenant, client, habit);
        }
        let about = tenant.filter(|_| mishap == Mishap::Late).map(AsRef::as_ref);
        let rules = mishap.rules(about).into_iter().map(|rule| self.shared.faults.add(rule)).collect();
        lock(&self.shared.mishaps).insert((word.clone(), place.clone()), rules);
        Ok(format!("{word} is on: {place}"))
    }

    fn rehearse_node(&self, what: NodeMishap, word: &str, order: &MishapOrder) -> Result<String, String> {
        let cluster = self.shared.cluster().ok_or("the lab has no cluster")?;
        // On a tenant's screen the client under the cursor is no node.
        let is_of_tenant = order.tenant.as_ref().is_some_and(|name| !name.contains('/'));
        let number = cluster.number(order.client.as_deref().filter(|_| !is_of_tenant))?;
        let place = cluster.names().swap_remove(number);
        self.end_mishap(word, &place);
        if !order.on {
            return Ok(format!("{word} is off: {place}"));
        }
        cluster.rehearse(number, what, true)?;
        lock(&self.shared.mishaps).insert((word.to_owned(), place.clone()), Vec::new());
        Ok(format!("{word} is on: {place}"))
    }

    fn places(&self, word: &str) -> Vec<String> {
        lock(&self.shared.mishaps).keys().filter(|(one, _)| one == word).map(|(_, place)| place.clone()).collect()
    }

    fn end_mishap(&self, word: &str, place: &str) {
        let rules = lock(&self.shared.mishaps).remove(&(word.to_owned(), place.to_owned()));
        let Some(rules) = rules else { return };
        rules.into_iter().for_each(|rule| self.shared.faults.remove(rule));
        match Mishap::all().find(|one| one.word() == word) {
            Some(Mishap::At(service, Way::Down)) => self.set_down(service, false),
            Some(Mishap::Node(what)) => {
                if let Some(cluster) = self.shared.cluster()
                    && let Ok(number) = cluster.number(Some(place))
                {
                    cluster.rehearse(number, what, false).ok();
                }
            }
            Some(Mishap::Kops(what)) => {
                if let Some(kops) = self.shared.kops() {
                    kops.rehearse(what, false);
                }
            }
            Some(Mishap::Of(habit)) => {
                let of = place.split_once('/').and_then(|(tenant, client)| {
                    let tenant = self.shared.tenant(tenant)?;
                    Some((tenant, tenant.client(client)?))
                });
                if let Some((tenant, client)) = of {
                    people::give_up(&self.shared, tenant, client, habit);
                }
            }
            _ => {}
        }
    }
}
