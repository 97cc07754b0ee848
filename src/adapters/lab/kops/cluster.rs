//! The state store, the machines and the holders, and who then knows whom.

use super::super::chance::Chance;
use super::super::state::{Shared, lock, since_epoch};
use super::KopsOptions;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// The cluster's full name.
pub(super) const NAME: &str = "metal.k8s.local";
/// Where its state store lies.
pub(super) const STORE: &str = "file:///lab/kops-state";
/// By whose certificates clients trust the API.
pub(super) const GENERAL: &str = "kubernetes-ca";
/// The keysets of a minimal cluster.
const KEYSETS: [&str; 8] = [
    "apiserver-aggregator-ca",
    "etcd-clients-ca",
    "etcd-manager-ca-events",
    "etcd-manager-ca-main",
    "etcd-peers-ca-events",
    "etcd-peers-ca-main",
    GENERAL,
    "service-account",
];

/// A keypair in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KopsPair {
    /// Its id.
    pub id: String,
    /// It is the primary one.
    pub primary: bool,
    /// Since when it is distrusted.
    pub distrusted: Option<String>,
    /// `notBefore`.
    pub issued: String,
    /// `notAfter`.
    pub expires: String,
}

/// What an instance has of a keyset since it came up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Whose private key is used.
    pub primary: String,
    /// Whose certificates are trusted.
    pub trusted: BTreeSet<String>,
}

/// The boot configuration of an instance.
pub type Boot = BTreeMap<String, View>;

/// One machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KopsInstance {
    /// What it came up with.
    pub boot: Boot,
    /// Which keypair of the general authority has signed its own certificate.
    pub issuer: String,
}

/// An instance group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KopsGroup {
    /// Its name.
    pub name: String,
    /// Its instances are the control plane.
    pub control: bool,
    /// They.
    pub instances: Vec<KopsInstance>,
}

/// Somebody with a kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KopsHolder {
    /// Who.
    pub name: String,
    /// They show an admin credential of the cluster's own authority; the others show something else.
    pub is_admin: bool,
    /// The certificates in their kubeconfig.
    pub trusts: BTreeSet<String>,
    /// Which keypair has signed their credential.
    pub issuer: String,
}

/// The name under which tests know it.
pub type KopsHolderState = KopsHolder;

/// All that is so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KopsState {
    /// The store's keysets, each with its keypairs by id.
    pub keysets: BTreeMap<String, Vec<KopsPair>>,
    /// What the last update has told the cloud.
    pub applied: Boot,
    /// The machines.
    pub groups: Vec<KopsGroup>,
    /// Who must be able to log in.
    pub holders: Vec<KopsHolder>,
}

/// What goes wrong.
#[derive(Clone, Debug, Default)]
pub struct Mischief {
    /// Whatever was updated, no instance needs an update.
    pub nothing_needs_update: bool,
    /// So many looks see an update not yet.
    pub lag: u32,
    /// The roll fails at this instance, from 1, until it is put right.
    pub roll_fails_at: Option<usize>,
    /// So many keypairs are created still, then kops dies.
    pub creates_left: Option<u32>,
    /// The API lets nobody in.
    pub unauthorized: bool,
    /// It lets no roll in that asks it.
    pub roll_unauthorized: bool,
    /// The state store can't be reached.
    pub store_away: bool,
    /// The cluster is not well.
    pub unwell: bool,
}

/// The cluster and what surrounds it.
pub(super) struct World {
    pub(super) options: KopsOptions,
    pub(super) shared: Arc<Shared>,
    pub(super) password: String,
    pub(super) state: Mutex<KopsState>,
    pub(super) mischief: Mutex<Mischief>,
    pub(super) words: Mutex<Vec<String>>,
    pub(super) forbidden: Mutex<Vec<String>>,
    pub(super) chance: Mutex<Chance>,
}

impl World {
    pub(super) fn new(options: KopsOptions, shared: Arc<Shared>, password: String) -> Self {
        let chance = Mutex::new(Chance::fork(options.seed, 12));
        let left = std::fs::read_to_string(options.directory.join("state.json")).ok();
        let left = left.and_then(|text| serde_json::from_str::<KopsState>(&text).ok());
        let is_new = left.is_none();
        let (state, mischief) = (Mutex::new(left.unwrap_or_default()), Mutex::default());
        let (words, forbidden) = (Mutex::default(), Mutex::default());
        let world = Self { options, shared, password, state, mischief, words, forbidden, chance };
        if is_new {
            world.build();
        }
        world
    }

    fn build(&self) {
        for keyset in KEYSETS {
            self.create(keyset);
        }
        let mut state = lock(&self.state);
        state.keysets.values_mut().flatten().for_each(|pair| pair.primary = true);
        state.applied = state.view();
        let (boot, general) = (state.applied.clone(), state.applied[GENERAL].primary.clone());
        let machines = |count: usize| vec![KopsInstance { boot: boot.clone(), issuer: general.clone() }; count];
        let group = |name: &str, control, count| KopsGroup { name: name.into(), control, instances: machines(count) };
        state.groups = vec![
            group("control-plane-main", true, self.options.control_plane),
            group("nodes-main", false, self.options.nodes),
        ];
        let holder = |name: &str, is_admin| KopsHolder {
            name: name.into(),
            is_admin,
            trusts: BTreeSet::from([general.clone()]),
            issuer: general.clone(),
        };
        state.holders = vec![holder("mira", true), holder("ci-deploy", true), holder("portal", false)];
    }

    /// Adds a keypair to a keyset, as newest.
    pub(super) fn create(&self, keyset: &str) -> String {
        let random = lock(&self.chance).next() & 0xffff_ffff;
        let now = since_epoch();
        let id = (now.as_nanos() << 32 | u128::from(random)).to_string();
        let second = i64::try_from(now.as_secs()).unwrap_or(0);
        let day = |seconds: i64| {
            jiff::Timestamp::from_second(second + seconds)
                .unwrap_or_default()
                .strftime("%Y-%m-%dT%H:%M:%SZ")
                .to_string()
        };
        let (issued, expires) = (day(-48 * 3600), day(3650 * 86_400));
        let pair = KopsPair { id: id.clone(), primary: false, distrusted: None, issued, expires };
        let mut state = lock(&self.state);
        let pairs = state.keysets.entry(keyset.to_owned()).or_default();
        pairs.push(pair);
        pairs.sort_by_key(|pair| pair.id.parse::<u128>().unwrap_or(0));
        id
    }

    /// Keeps the state for a lab that is started here again.
    pub(super) fn keep(&self) {
        let text = serde_json::to_string(&*lock(&self.state)).unwrap_or_default();
        super::super::files::private(&self.options.directory.join("state.json"), &text).ok();
        self.shared.touch();
    }
}

impl KopsState {
    /// What an instance that comes up now would get.
    pub(super) fn view(&self) -> Boot {
        let view = |pairs: &Vec<KopsPair>| View {
            primary: pairs.iter().find(|pair| pair.primary).map(|pair| pair.id.clone()).unwrap_or_default(),
            trusted: pairs.iter().filter(|pair| pair.distrusted.is_none()).map(|pair| pair.id.clone()).collect(),
        };
        self.keysets.iter().map(|(name, pairs)| (name.clone(), view(pairs))).collect()
    }

    /// Whether an instance's boot configuration is another than the cloud's.
    pub(super) fn needs_update(&self, group: &KopsGroup, instance: &KopsInstance) -> bool {
        match group.control {
            true => instance.boot != self.applied,
            false => instance.boot.get(GENERAL) != self.applied.get(GENERAL),
        }
    }

    fn control_plane(&self) -> impl Iterator<Item = &KopsInstance> {
        self.groups.iter().filter(|group| group.control).flat_map(|group| &group.instances)
    }

    /// Which keypair signs for a machine that joins now.
    pub(super) fn signer(&self) -> String {
        self.control_plane().next().map(|instance| instance.boot[GENERAL].primary.clone()).unwrap_or_default()
    }

    /// Why the API does not let somebody in who trusts these certificates and shows this credential.
    pub(super) fn refuses(&self, trusts: &BTreeSet<String>, issuer: Option<&str>) -> Option<&'static str> {
        self.control_plane().find_map(|server| {
            let general = &server.boot[GENERAL];
            if !trusts.contains(&general.primary) {
                return Some("x509: certificate signed by unknown authority");
            }
            issuer.filter(|issuer| !general.trusted.contains(*issuer)).map(|_| "Unauthorized")
        })
    }

    /// Everybody whom the API does not let in, and every machine that does not know another, and why.
    pub(super) fn locked_out(&self) -> Vec<String> {
        let mut found = Vec::new();
        for holder in &self.holders {
            let issuer = holder.is_admin.then_some(holder.issuer.as_str());
            found.extend(self.refuses(&holder.trusts, issuer).map(|why| format!("{}: {why}", holder.name)));
        }
        for one in self.control_plane() {
            for other in self.control_plane() {
                let strange = |(name, view): (&String, &View)| {
                    (!view.trusted.contains(&other.boot[name].primary)).then(|| name.clone())
                };
                found.extend(one.boot.iter().filter_map(strange).map(|name| format!("the control plane: {name}")));
            }
        }
        for worker in self.groups.iter().filter(|group| !group.control).flat_map(|group| &group.instances) {
            for server in self.control_plane() {
                let (mine, theirs) = (&worker.boot[GENERAL], &server.boot[GENERAL]);
                if !mine.trusted.contains(&theirs.primary) || !theirs.trusted.contains(&worker.issuer) {
                    found.push("a worker and the API do not know each other".into());
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }
}
