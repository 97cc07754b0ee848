//! The lab's Kubernetes cluster behind `kops`: a state store of keysets, instance groups that roll, an API that lets in who trusts the
//! right authority with a credential of a trusted one, and holders with kubeconfigs.
//!
//! The command prints what a recorded kops 1.36.2 prints, in random order and with klog's noise on standard error. The store and the
//! machines are `cluster`, what each verb does `verbs`, the port and the faults `serve`, the command's own end `client`, what may be
//! rehearsed `mishap`.

mod client;
mod cluster;
mod kubeconfig;
mod mishap;
mod serve;
mod verbs;
#[cfg(test)]
mod verbs_tests;

pub use client::kops;
pub use cluster::{KopsGroup, KopsHolderState, KopsInstance, KopsPair, KopsState, Mischief};
pub(super) use mishap::KopsMishap;

use super::state::{Shared, lock};
use client::Way;
use cluster::World;
use std::collections::BTreeSet;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The size and character of the cluster.
#[derive(Clone, Debug)]
pub struct KopsOptions {
    /// Where its files lie; exists, and is the user's own (mode 0700). A state store that an earlier lab has left there is gone on with.
    pub directory: PathBuf,
    /// The changeguard binary: what stands where `kops` does.
    pub program: PathBuf,
    /// Instances of the control plane.
    pub control_plane: usize,
    /// Workers.
    pub nodes: usize,
    /// How long one instance takes to roll.
    pub roll: Duration,
    /// What `kops version` says.
    pub version: String,
    /// Same seed, same ids and same disorder.
    pub seed: u64,
}

impl KopsOptions {
    /// Three instances of the control plane and four workers that roll at once.
    pub fn steady(directory: &Path, program: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.to_owned(),
            program: program.into(),
            control_plane: 3,
            nodes: 4,
            roll: Duration::ZERO,
            version: "1.36.2".into(),
            seed: 7,
        }
    }
}

/// A cluster as what it lives in holds it: not beyond its own end.
pub(super) struct Held(Weak<World>);

impl Held {
    /// The cluster, while it runs.
    pub(super) fn cluster(&self) -> Option<KopsLab> {
        self.0.upgrade().map(|world| KopsLab { world })
    }
}

/// A running cluster.
#[derive(Clone)]
pub struct KopsLab {
    world: Arc<World>,
}

impl KopsLab {
    /// Fills the store and serves the command. Errors: no port, or a file can't be written.
    pub(super) async fn start(options: KopsOptions, shared: Arc<Shared>) -> io::Result<(Self, JoinHandle<()>)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let way = Way {
            port: listener.local_addr()?.port(),
            password: super::chance::Chance::fork(options.seed, 11).hex32(),
        };
        super::files::private(&options.directory.join("way.json"), &serde_json::to_string(&way)?)?;
        let world = Arc::new(World::new(options, shared, way.password));
        let task = tokio::spawn(serve::run(Arc::clone(&world), listener));
        Ok((Self { world }, task))
    }

    pub(super) fn held(&self) -> Held {
        Held(Arc::downgrade(&self.world))
    }

    /// The cluster's full name.
    pub fn name(&self) -> &str {
        cluster::NAME
    }

    /// Where its state store lies.
    pub fn store(&self) -> &str {
        cluster::STORE
    }

    /// The words that stand where `kops` does.
    pub fn command(&self) -> Vec<String> {
        let options = &self.world.options;
        let way = options.directory.join("way.json");
        [&options.program.to_string_lossy(), "lab-kops", "--lab", &way.to_string_lossy(), "--"]
            .map(str::to_owned)
            .into()
    }

    /// Words that do as ssh does, on this host.
    pub fn ssh(&self) -> Vec<String> {
        ["sh", "-c", "exec sh -c \"$*\"", "ssh"].map(str::to_owned).into()
    }

    /// Its section of the configuration.
    pub(super) fn section(&self) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let words = |words: Vec<String>| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ");
        let deploy = self.world.options.directory.join("deploy");
        let holders: Vec<String> = self
            .state()
            .holders
            .iter()
            .map(|holder| {
                let holds = if holder.is_admin { "admin" } else { "certificates" };
                format!(
                    "  {{ name = {}, contact = \"{}@lab.example\", holds = \"{holds}\" }},\n",
                    quoted(&holder.name),
                    holder.name
                )
            })
            .collect();
        format!(
            "\n[kops.lab]\ncluster = {}\nstate = {}\ncommand = [{}]\nssh = [{}]\nfar_directory = {}\nbackup = [\"true\"]\nnotice = \"2s\"\npatience = \"5s\"\npoll = \"1s\"\n\
             holders = [\n{}]\n",
            quoted(self.name()),
            quoted(self.store()),
            words(self.command()),
            words(self.ssh()),
            quoted(&deploy.to_string_lossy()),
            holders.concat(),
        )
    }

    /// All that is so at the moment.
    pub fn state(&self) -> KopsState {
        lock(&self.world.state).clone()
    }

    /// What shall go wrong from now on.
    pub fn spoil(&self, change: impl FnOnce(&mut Mischief)) {
        change(&mut lock(&self.world.mischief));
    }

    /// The words of every command so far, without those that name cluster and store.
    pub fn words(&self) -> Vec<String> {
        lock(&self.world.words).clone()
    }

    /// What no command may be: without a name, a store or a KUBECONFIG of its own, or with `all` where ids matter.
    pub fn forbidden(&self) -> Vec<String> {
        lock(&self.world.forbidden).clone()
    }

    /// Somebody else adds a keypair to a keyset.
    pub fn somebody_creates(&self, keyset: &str) {
        self.world.create(keyset);
    }

    /// Somebody else promotes the newest keypair of a keyset.
    pub fn somebody_promotes(&self, keyset: &str) {
        let mut state = lock(&self.world.state);
        let pairs = state.keysets.entry(keyset.to_owned()).or_default();
        let last = pairs.len().saturating_sub(1);
        pairs.iter_mut().enumerate().for_each(|(at, pair)| pair.primary = at == last);
    }

    /// Somebody else distrusts every keypair of a keyset that is not the primary one.
    pub fn somebody_distrusts(&self, keyset: &str) {
        let mut state = lock(&self.world.state);
        let pairs = state.keysets.entry(keyset.to_owned()).or_default();
        for pair in pairs.iter_mut().filter(|pair| !pair.primary) {
            pair.distrusted = Some("2026-11-24T00:00:00Z".into());
        }
    }

    /// Somebody else updates the cluster, and rolls every instance.
    pub fn somebody_rolls(&self) {
        let mut state = lock(&self.world.state);
        state.applied = state.view();
        let (boot, signer) = (state.applied.clone(), state.applied[cluster::GENERAL].primary.clone());
        for instance in state.groups.iter_mut().flat_map(|group| &mut group.instances) {
            (instance.boot, instance.issuer) = (boot.clone(), signer.clone());
        }
    }

    /// A holder takes what lies in a kubeconfig: the authority's certificates, and the credential where there is one. Errors: it can't be
    /// read.
    pub fn take(&self, holder: &str, kubeconfig: &Path) -> io::Result<()> {
        let (authority, credential) = kubeconfig::read(&std::fs::read_to_string(kubeconfig)?);
        let mut state = lock(&self.world.state);
        if let Some(holder) = state.holders.iter_mut().find(|known| known.name == holder) {
            holder.trusts = authority;
            if let Some(issuer) = credential {
                holder.issuer = issuer;
            }
        }
        Ok(())
    }

    /// A holder goes back to what they had before.
    pub fn put_back(&self, holder: &str, trusts: BTreeSet<String>, issuer: Option<String>) {
        let mut state = lock(&self.world.state);
        if let Some(holder) = state.holders.iter_mut().find(|known| known.name == holder) {
            holder.trusts = trusts;
            if let Some(issuer) = issuer {
                holder.issuer = issuer;
            }
        }
    }

    /// Everybody whom the API does not let in with what they hold now, and every machine that does not know another, and why.
    pub fn locked_out(&self) -> Vec<String> {
        lock(&self.world.state).locked_out()
    }
}
