//! A Kubernetes cluster behind the lab's `kops`, a desk before it, and holders who take what they are given: what the tests of it share.

use super::fernet_case::Watches;
use changeguard::adapters::kops::{Kops as Command, KopsParameters};
use changeguard::adapters::lab::kops::{KopsLab, KopsOptions, KopsState};
use changeguard::adapters::lab::{Lab, LabOptions};
use changeguard::adapters::store::SqlJournal;
use changeguard::adapters::system::{SystemClock, SystemEntropy};
use changeguard::domain::tenant::TenantId;
use changeguard::engine::case::machine::Order;
use changeguard::engine::case::status::Status;
use changeguard::engine::journal::{Holder as Person, Instance, JournalStore};
use changeguard::engine::record::Actor;
use changeguard::runbooks::kops::{Holder, Holds, Kops, Rules, World};
use changeguard::runtime::case::{CaseDesk, Desk, Onlooker, RunFault, Seat};
use changeguard::runtime::fence::LeaseFence;
use jiff::Timestamp;
use serde_json::Value;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A lab with a cluster, and the folder that goes with it.
pub struct Rig {
    pub lab: Lab,
    pub folder: tempfile::TempDir,
    /// Who was locked out when a command came, and which.
    pub locked: Arc<Mutex<Vec<String>>>,
    /// What it was before.
    pub before: KopsState,
    /// Only these keysets are rotated; none: all of them.
    pub only: Vec<String>,
}

impl Rig {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A small one for walks: three machines, two keysets.
    pub async fn small() -> Self {
        let rig = Self::with(|options| (options.control_plane, options.nodes) = (2, 1)).await;
        Self { only: vec!["kubernetes-ca".into(), "service-account".into()], ..rig }
    }

    pub async fn with(change: impl FnOnce(&mut KopsOptions)) -> Self {
        let program = env!("CARGO_BIN_EXE_changeguard");
        let folder = crate::scene::folder();
        let (place, cluster) = (folder.path().join("lab"), folder.path().join("kops"));
        std::fs::create_dir(&place).unwrap();
        std::fs::create_dir(&cluster).unwrap();
        let mut options = KopsOptions::steady(&cluster, program);
        change(&mut options);
        let mut lab = Lab::start(LabOptions::still(&place, program)).await.unwrap();
        lab.add_kops(options).await.unwrap();
        let locked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (seen, kops) = (locked.clone(), lab.kops().unwrap().clone());
        lab.faults().observe(move |request| {
            let out = kops.locked_out();
            if !out.is_empty() {
                seen.lock().unwrap().push(format!("before {} {}: {out:?}", request.method, request.path));
            }
        });
        let before = lab.kops().unwrap().state();
        Self { lab, folder, locked, before, only: Vec::new() }
    }

    pub fn kops(&self) -> &KopsLab {
        self.lab.kops().unwrap()
    }

    pub fn world(&self) -> World {
        self.world_of(|_| {}, |_| {})
    }

    pub fn world_of(&self, rules: impl FnOnce(&mut Rules), parameters: impl FnOnce(&mut KopsParameters)) -> World {
        let mut given = KopsParameters {
            cluster: self.kops().name().to_owned(),
            state: self.kops().store().to_owned(),
            command: self.kops().command(),
            ssh: Vec::new(),
            environment: Vec::new(),
            directory: self.folder.path().join("files"),
            far_directory: self.folder.path().join("far").to_string_lossy().into_owned(),
            backup: vec!["true".into()],
            autoscaler: ["echo", "2 of 2 replicas"].map(str::to_owned).into(),
            admin: Duration::from_secs(3600),
            timeout: Duration::from_secs(60),
            update_timeout: Duration::from_secs(60),
            roll_timeout: Duration::from_secs(120),
        };
        parameters(&mut given);
        let mut kept = Rules {
            cluster: self.kops().name().to_owned(),
            only: self.only.clone(),
            leave_out: Vec::new(),
            control_plane: Vec::new(),
            load_balancer: false,
            admin: Duration::from_secs(3600),
            notice: Duration::from_millis(4),
            patience: Duration::from_millis(4),
            poll: Duration::from_millis(1),
        };
        rules(&mut kept);
        let holder = |known: &changeguard::adapters::lab::kops::KopsHolderState| Holder {
            name: known.name.clone(),
            contact: format!("{}@lab.example", known.name),
            holds: if known.is_admin { Holds::Admin } else { Holds::Certificates },
        };
        let holders = self.before.holders.iter().map(holder).collect();
        World::new(Arc::new(Command::new(given).unwrap()), holders, kept, Arc::new(SystemClock))
    }

    pub async fn desk(&self) -> CaseDesk<Kops> {
        self.desk_of(self.world(), Arc::<Watches>::default()).await
    }

    pub async fn desk_of(&self, world: World, onlooker: Arc<dyn Onlooker>) -> CaseDesk<Kops> {
        let store: Arc<dyn JournalStore> =
            Arc::new(SqlJournal::in_folder(&self.folder.path().join("state")).await.unwrap());
        CaseDesk::new(seat(store, onlooker), world)
    }

    /// Nobody was ever locked out, and no command was one that must not be.
    pub fn is_well(&self, when: &str) {
        assert_eq!(self.kops().locked_out(), Vec::<String>::new(), "{when}");
        assert_eq!(*self.locked.lock().unwrap(), Vec::<String>::new(), "{when}");
        assert_eq!(self.kops().forbidden(), Vec::<String>::new(), "{when}");
    }

    /// Gives everybody who is waited for what they are waited for with, and settles them, as an operator does.
    pub async fn hand_over(&self, desk: &CaseDesk<Kops>) -> usize {
        let mut settled = 0;
        while let Some((name, about)) = first_awaited(&desk.status()) {
            let told = told(&desk.status());
            let path = |round: &str| told["case"]["exported"][round]["path"].as_str().map(str::to_owned);
            let state = self.kops().state();
            let general = &state.keysets["kubernetes-ca"];
            let holder = state.holders.iter().find(|holder| holder.name == name).unwrap();
            let trusted = general.iter().filter(|pair| pair.distrusted.is_none()).map(|pair| pair.id.clone()).collect();
            match (about.as_str(), path(if about == "certificates-back" { "certificates" } else { &about })) {
                (_, Some(path)) => self.kops().take(&name, Path::new(&path)).unwrap(),
                ("admin-back", None) => {
                    let old = self.before.holders.iter().find(|holder| holder.name == name).unwrap();
                    self.kops().put_back(&name, holder.trusts.clone(), Some(old.issuer.clone()));
                }
                // Where that part of the journal is lost the operator exports it by hand.
                ("admin", None) => {
                    let primary = general.iter().find(|pair| pair.primary).map(|pair| pair.id.clone());
                    self.kops().put_back(&name, holder.trusts.clone(), primary);
                }
                (_, None) => self.kops().put_back(&name, trusted, None),
            }
            let order = Order::Settle { person: name, reason: "they have called".into() };
            desk.run(order).await.unwrap();
            settled += 1;
        }
        settled
    }

    /// The case has ended so, and the cluster is what it then must be.
    pub fn is_clean(&self, ended: Option<&'static str>, when: &str) {
        self.is_well(when);
        let state = self.kops().state();
        for (name, pairs) in &state.keysets {
            if !(self.only.is_empty() || self.only.contains(name)) {
                assert_eq!(pairs, &self.before.keysets[name], "{when}: {name} is none of this");
                continue;
            }
            let old = &self.before.keysets[name][0].id;
            let known = |id: &String| pairs.iter().find(|pair| pair.id == *id).unwrap();
            let others: Vec<_> = pairs.iter().filter(|pair| pair.id != *old).collect();
            match ended {
                Some("done") => {
                    assert_eq!(others.len(), 1, "{when}: {name}: one keypair a case");
                    assert!(others[0].primary && known(old).distrusted.is_some(), "{when}: {name}: {pairs:?}");
                }
                Some("rolled back" | "cancelled") => {
                    assert!(known(old).primary && known(old).distrusted.is_none(), "{when}: {name}: {pairs:?}");
                    assert!(others.iter().all(|pair| pair.distrusted.is_some()), "{when}: {name}: {pairs:?}");
                }
                other => panic!("{when}: it has ended {other:?}"),
            }
        }
        // Every machine has what the state store says.
        for group in &state.groups {
            for instance in &group.instances {
                let general = |boot: &std::collections::BTreeMap<String, _>| {
                    serde_json::to_value(&boot["kubernetes-ca"]).unwrap()
                };
                assert_eq!(general(&instance.boot), general(&state.applied), "{when}: {}", group.name);
                assert!(!group.control || instance.boot == state.applied, "{when}: {}", group.name);
            }
        }
    }
}

/// What the runbook says of itself.
pub fn told(status: &Status) -> Value {
    status.own["kops"].clone()
}

/// Who is waited for first, and with what.
pub fn first_awaited(status: &Status) -> Option<(String, String)> {
    let told = told(status);
    let first = told["case"]["awaited"].as_array()?.first()?;
    Some((first["name"].as_str()?.to_owned(), first["about"].as_str()?.to_owned()))
}

/// An alarm that a word of an operator leads on from.
pub fn alarm(status: &Status) -> Option<&'static str> {
    let facts = status.verbs.iter().filter_map(|offer| match &offer.order {
        Order::SetAside { fact, .. } if offer.shut.is_none() => Some(fact.clone()),
        _ => None,
    });
    let all = [
        "roll-1",
        "roll-3",
        "roll-5",
        "roll-1-back",
        "roll-3-back",
        "api-1",
        "api-3",
        "api-5",
        "api-1-back",
        "api-3-back",
        "api-5-back",
    ];
    facts.into_iter().find_map(|fact| all.into_iter().find(|name| *name == fact))
}

pub fn seat(store: Arc<dyn JournalStore>, onlooker: Arc<dyn Onlooker>) -> Seat {
    let instance = Instance { id: "ada@bastion".into(), boot: "b".into(), namespace: "n".into(), started: 1 };
    let me = Person::new("ada".into(), "bastion".into(), 1, Timestamp::now(), instance);
    let (by, host, person) = ("ada".to_owned(), "bastion".to_owned(), "ada".to_owned());
    Seat {
        subject: "kops/lab".into(),
        name: "lab".into(),
        key: TenantId::of_subject("kops/lab").unwrap(),
        fence: Arc::new(LeaseFence::new(store.clone())),
        store,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        me,
        actor: Actor { by, host, person, ssh: None, unproven: None, environment: None },
        onlooker,
        postman: None,
    }
}

pub fn begin(stretch: &str) -> Order {
    Order::Begin { stretch: stretch.into(), confirm: "lab".into(), reference: "CHG-14".into() }
}

pub fn back() -> Order {
    Order::RollBack { confirm: "lab".into(), reason: "a client is locked out".into() }
}

/// What an operator does, one order after the other.
pub fn way(name: &str) -> Vec<Order> {
    let all = ["rotate", "promote", "distrust", "finish"];
    let until = |count: usize| all[..count].iter().map(|verb| begin(verb));
    match name {
        "forward" => until(4).collect(),
        "back from staged" => until(1).chain([back()]).collect(),
        "back from promoted" => until(2).chain([back()]).collect(),
        _ => until(3).chain([back()]).collect(),
    }
}

/// How a way ends.
pub fn end(name: &str) -> &'static str {
    if name == "forward" { "done" } else { "rolled back" }
}

/// Goes a way to its end, whatever is asked meanwhile.
pub async fn go(rig: &Rig, desk: &CaseDesk<Kops>, orders: &[Order]) -> Result<(), RunFault> {
    for order in orders {
        let mut order = order.clone();
        loop {
            match desk.run(order.clone()).await {
                Ok(_) => break,
                // Somebody is waited for on the way back.
                Err(RunFault::Fault(fault)) if fault.message.starts_with("waits for") => {
                    assert!(rig.hand_over(desk).await > 0, "{fault}");
                    order = Order::Resume;
                }
                Err(fault) => return Err(fault),
            }
        }
        rig.hand_over(desk).await;
        rig.is_well(&format!("behind {order:?}"));
    }
    Ok(())
}
