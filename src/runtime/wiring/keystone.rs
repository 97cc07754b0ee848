//! Keystone clusters: the configuration's words made into what their runbook works with.

use super::Wiring;
use crate::adapters::keystone_tokens::{Account, Asking, Named, TokenClient, TokenParameters, Whose};
use crate::adapters::nodes::{AnswerCount, NodeParameters, NodeShell, Vault};
use crate::adapters::system::SystemEntropy;
use crate::config::{Keystone, KeystoneAuth, NotBefore, Purge};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::fernet::repository::Reader;
use crate::domain::tenant::TenantId;
use crate::engine::ports::nodes::{KeyVault, LookAt, NodeTokens, NodeTraffic, Token, Validated};
use crate::runbooks::fernet::{self, Fernet, Node, Rules, World};
use crate::runtime::case::{CaseDesk, Desk, Onlooker, Seat};
use crate::runtime::fence::LeaseFence;
use crate::runtime::mail;
use async_trait::async_trait;
use std::sync::Arc;

impl Wiring {
    /// A desk for each subject that is no tenant. Nothing is sent and nothing is read.
    ///
    /// Errors: a name that can't be used, which the configuration has refused already.
    pub fn desks(&self, onlooker: Arc<dyn Onlooker>) -> Result<Vec<Arc<dyn Desk>>, Fault> {
        let keystone = self.config.keystone.iter().map(|cluster| self.keystone(cluster, onlooker.clone()));
        let kops = self.config.kops.iter().map(|cluster| self.kops(cluster, onlooker.clone()));
        let desks: Vec<Arc<dyn Desk>> = keystone.chain(kops).collect::<Result<_, Fault>>()?;
        if let Some(post) = self.post() {
            post.serves(&desks);
        }
        Ok(desks)
    }

    /// What the desk of a subject is made of besides its world.
    pub(super) fn seat(&self, subject: String, name: &str, onlooker: Arc<dyn Onlooker>) -> Result<Seat, Fault> {
        let invalid = |why: String| Fault::new(Service::Configuration, FaultKind::Invalid, why);
        let fence = Arc::new(LeaseFence::new(self.store.clone()));
        Ok(Seat {
            postman: self.postman(fence.clone()),
            key: TenantId::of_subject(subject.clone()).map_err(|bad| invalid(bad.to_string()))?,
            subject,
            name: name.to_owned(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            entropy: Arc::new(SystemEntropy),
            me: self.me.clone(),
            actor: self.actor.clone(),
            fence,
            onlooker,
        })
    }

    fn keystone(&self, cluster: &Keystone, onlooker: Arc<dyn Onlooker>) -> Result<Arc<dyn Desk>, Fault> {
        let seat = self.seat(cluster.subject(), &cluster.name, onlooker)?;
        Ok(Arc::new(CaseDesk::<Fernet>::new(seat, self.cluster(cluster)?)))
    }

    /// Everything that a rotation of this cluster's keys can reach.
    pub fn cluster(&self, cluster: &Keystone) -> Result<World, Fault> {
        let account = Arc::new(account(&cluster.auth));
        let nodes = cluster.nodes.iter().map(|node| {
            let parameters = NodeParameters {
                name: node.name.clone(),
                command: cluster.command.clone(),
                timeout: cluster.timeout,
                rotate_timeout: cluster.rotate_timeout,
            };
            let client = TokenClient::new(TokenParameters {
                node: node.name.clone(),
                url: node.url.clone(),
                ca_file: cluster.ca_file.clone(),
                verify: true,
                transport: self.transport.clone(),
                connect: self.config.cloud.connect_timeout,
                read: cluster.timeout,
            });
            // An authority that can't be read is met where tokens are asked for, and everything else goes on.
            let tokens: Arc<dyn NodeTokens> = match client {
                Ok(client) => Arc::new(Asking::reading(client, account.clone())),
                Err(fault) => Arc::new(Unusable(fault)),
            };
            let traffic = match cluster.watch.command.as_slice() {
                [] => None,
                command => {
                    let command = AnswerCount::new(&node.name, command, cluster.timeout)?;
                    Some(Arc::new(command) as Arc<dyn NodeTraffic>)
                }
            };
            let files = Arc::new(NodeShell::new(parameters)?);
            Ok(Node { name: node.name.clone(), files, tokens: Some(tokens), traffic })
        });
        let nodes = nodes.collect::<Result<Vec<_>, Fault>>()?;
        let look_at = LookAt {
            files: cluster.config_files.clone(),
            directory: cluster.config_directory.clone(),
            believed: cluster.repository.clone(),
        };
        let reader = Reader { user: cluster.user.clone(), group: cluster.group.clone() };
        let rules = Rules {
            distribution: cluster.distribution.as_secs(),
            skew: cluster.skew.as_secs(),
            pause: cluster.pause,
            parallel: cluster.parallel,
            purge: match cluster.purge {
                Purge::Typed => fernet::Purge::Typed,
                Purge::WhenSafe => fernet::Purge::WhenSafe,
            },
            not_before_shuts_rotate: cluster.not_before == NotBefore::Rotate,
            watch: cluster.watch.length,
            thresholds: cluster.watch.thresholds,
        };
        let vault = cluster.archive.as_ref().map(|archive| {
            let (encrypt, open) = (archive.encrypt.clone(), archive.open.clone());
            Arc::new(Vault::new(archive.folder.clone(), encrypt, open, cluster.timeout)) as Arc<dyn KeyVault>
        });
        let mut world = World::new(nodes, cluster.rotator.clone(), look_at, reader, rules, self.clock.clone());
        world.vault = vault;
        Ok(world)
    }
}

fn account(auth: &KeystoneAuth) -> Account {
    let named = |name: &String, domain: &String| Named::Name { name: name.clone(), domain: domain.clone() };
    match auth {
        KeystoneAuth::User { user, domain, project, project_domain, password } => {
            let project = project.as_ref().map(|project| named(project, project_domain));
            Account::new(Whose::User { user: named(user, domain), project }, mail::password(password))
        }
        KeystoneAuth::ApplicationCredential { id, secret } => {
            Account::new(Whose::ApplicationCredential(id.clone()), mail::password(secret))
        }
    }
}

/// A node that can't be asked for tokens, and why.
struct Unusable(Fault);

#[async_trait]
impl NodeTokens for Unusable {
    async fn answers(&self) -> Result<(), Fault> {
        Err(self.0.clone())
    }

    async fn issue(&self) -> Result<Token, Fault> {
        Err(self.0.clone())
    }

    async fn validate_own(&self, _: &Token) -> Result<Validated, Fault> {
        Err(self.0.clone())
    }

    async fn validate_subject(&self, _: &Token, _: &Token) -> Result<Validated, Fault> {
        Err(self.0.clone())
    }
}
