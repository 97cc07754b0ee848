//! The composition root: what the configuration says becomes adapters, and adapters become worlds and conductors.

mod keystone;
mod kops;

use crate::adapters::alerts::Alertmanager;
use crate::adapters::console::{Console, ConsoleParameters};
use crate::adapters::inbox::ImapInbox;
use crate::adapters::mail::{Sample, SmtpMailer};
use crate::adapters::openstack::OpenStack;
use crate::adapters::signers::{OpenSsh, SignersParameters};
use crate::adapters::store::{Server, SqlJournal};
use crate::adapters::system::{self, SystemClock, SystemEntropy};
use crate::adapters::wireguard::{CommandServer, ServerParameters};
use crate::config::clouds::{self, CloudError};
use crate::config::{Config, Swap};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::notice::{Delivery, NoticeKind};
use crate::domain::sanitize::sanitize;
use crate::domain::second_mail::SecondMail;
use crate::domain::tenant::{Tenant, tell_apart};
use crate::domain::window::Window;
use crate::engine::alerts::Alerts;
use crate::engine::journal::{Holder, JournalStore};
use crate::engine::mail_store::MailStore;
use crate::engine::ports::{self, Answers, Clock, Fence, Letter, Mailer, Settings, Signatures, SwapOrder, World};
use crate::engine::record::Actor;
use crate::engine::reply_key::ReplyKey;
use crate::engine::signing::Signing;
use crate::engine::step::Runbook;
use crate::engine::transport::Transport;
use crate::runbooks;
use crate::runtime::alerts;
use crate::runtime::answers::Waiting;
use crate::runtime::case::{CaseMailbox, Postman};
use crate::runtime::cloud;
use crate::runtime::conductor::{Conductor, Watcher};
use crate::runtime::discovery::{Discovered, discovered};
use crate::runtime::fence::LeaseFence;
use crate::runtime::fleet::Fleet;
use crate::runtime::inbox;
use crate::runtime::intake::Intake;
use crate::runtime::mail;
use crate::runtime::past::Past;
use crate::runtime::post::Post;
use crate::runtime::reply_key;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What tenants need: one session to the cloud, and the mailer.
struct ForTenants {
    cloud: OpenStack,
    mailer: SmtpMailer,
}

/// Everything that all subjects share.
pub struct Wiring {
    config: Config,
    for_tenants: Option<ForTenants>,
    /// One for all who are mailed.
    mailer: Option<SmtpMailer>,
    store: Arc<dyn JournalStore>,
    reply_key: Arc<ReplyKey>,
    post: Option<Post>,
    console: Option<Arc<dyn ports::Console>>,
    alerts: Option<Alertmanager>,
    transport: Transport,
    signatures: Option<Arc<dyn Signatures>>,
    runbook: Arc<Runbook>,
    clock: Arc<dyn Clock>,
    me: Holder,
    actor: Actor,
    /// Where the ssh session comes from.
    from: Option<String>,
}

/// Why nothing can begin. Nothing outside was touched.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// The cloud's entry can't be used (exit code 2).
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The state folder, a file that the configuration names, or its value can't be used.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// An environment variable of this process.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The journal that the configuration names. Errors as [`SqlJournal`] has them.
pub async fn journal(config: &Config) -> Result<SqlJournal, Fault> {
    let state = &config.state;
    let journal = match &state.url {
        None => SqlJournal::in_folder(&state.directory).await?,
        Some(url) => {
            let password = mail::password(&state.password);
            SqlJournal::on_server(Server::new(url, password, state.ca_file.clone())?).await?
        }
    };
    Ok(journal.witnessed_in(&state.directory).for_looking(config.read_only))
}

/// How long one signature may take: somebody may have to find a security key and touch it.
const SIGNED_WITHIN: Duration = Duration::from_secs(120);

/// The operators' signatures, where they are asked for.
fn signatures(config: &Config, may_ask: bool) -> Option<Arc<dyn Signatures>> {
    let approval = &config.approval;
    let list = approval.signers.clone().filter(|_| approval.required)?;
    let own = || PathBuf::from(environment("HOME").unwrap_or_default()).join(".ssh/id_ed25519.pub");
    let (key, program) = (approval.key.clone().unwrap_or_else(own), "ssh-keygen".into());
    Some(Arc::new(OpenSsh::new(SignersParameters { list, key, program, limit: SIGNED_WITHIN, may_ask })))
}

/// Whose signatures count by this configuration now; `None` where no approval is asked for.
pub fn four_eyes(config: &Config) -> Option<Signing> {
    let signing = || signatures(config, false).map_or(Signing::ByLogin, |signatures| signatures.signing());
    config.approval.required.then(signing)
}

/// A session to the cloud that the configuration names; nothing is asked yet.
fn session(config: &Config, transport: &Transport) -> Result<OpenStack, WiringError> {
    let sources = clouds::Environment::of_process(config.cloud.clouds_file.clone());
    let mut parameters = cloud::parameters(clouds::read(&sources, &config.cloud.name)?, &config.cloud);
    parameters.transport = transport.clone();
    Ok(OpenStack::new(parameters)?)
}

impl Wiring {
    /// Makes every shared adapter. Only the state folder is touched; nothing is sent.
    pub async fn open(config: Config) -> Result<Self, WiringError> {
        let transport = Transport::new(config.exceptions.clone());
        let has_tenants = config.no_tenants().is_none();
        let cloud = if has_tenants { Some(session(&config, &transport)?) } else { None };
        let store = Arc::new(journal(&config).await?);
        let mails: Arc<dyn MailStore> = store.clone();
        let store: Arc<dyn JournalStore> = store;
        #[cfg(debug_assertions)]
        let store = crate::runtime::rehearsal::rehearsed(store, environment);
        let reply_key = Arc::new(reply_key::open(&config.state.directory, &SystemEntropy)?);
        // Beside clusters alone there need be none.
        let mailer = match config.smtp.host.is_empty() {
            false => Some(SmtpMailer::new(mail::parameters(&config), Arc::new(SystemClock))?),
            true => None,
        };
        let for_tenants = cloud.zip(mailer.clone()).map(|(cloud, mailer)| ForTenants { cloud, mailer });
        let console = match &config.console {
            None => None,
            Some(console) => {
                let (connect, read) = (config.cloud.connect_timeout, config.cloud.read_timeout);
                let (url, token_file) = (console.url.clone(), console.token_file.clone());
                let (ca_file, transport) = (console.ca_file.clone(), transport.clone());
                let role = console.role.clone();
                let is_private = crate::config::Console::is_private;
                let parameters =
                    ConsoleParameters { url, token_file, is_private, role, ca_file, connect, read, transport };
                Some(Arc::new(Console::new(parameters)?) as Arc<dyn ports::Console>)
            }
        };
        let alerts = alerts::parameters(&config, &transport).map(Alertmanager::new).transpose()?;
        let identity = system::identity(&environment);
        let (now, instance) = (SystemClock.now(), system::instance()?);
        let actor = identity.actor();
        let me = Holder::new(identity.user, identity.host, identity.pid, now, instance);
        let signatures = signatures(&config, false);
        let post = match config.inbox.as_ref().filter(|_| has_tenants || mailer.is_some()) {
            Some(inbox) => {
                let authserv_id = inbox.authserv_id.clone();
                let inbox = Arc::new(ImapInbox::new(inbox::parameters(inbox))?);
                let intake = Intake { store: store.clone(), me: me.clone(), actor: actor.clone() };
                Some(Post::new(inbox, mails, intake, authserv_id))
            }
            None => None,
        };
        let runbook = runbooks::all().into_iter().next();
        let none = || Fault::new(Service::Configuration, FaultKind::Invalid, "there is no runbook");
        Ok(Self {
            config,
            for_tenants,
            mailer,
            store,
            reply_key,
            post,
            console,
            alerts,
            transport,
            signatures,
            runbook: Arc::new(runbook.ok_or_else(none)?),
            clock: Arc::new(SystemClock),
            me,
            actor,
            from: identity.from,
        })
    }

    /// The same, where not a person works but this program by itself: its lease and its records say so.
    pub fn working_as(mut self, what: &str) -> Self {
        self.me.name = format!("{} ({what})", self.me.name);
        self.actor.by = format!("{} ({what})", self.actor.by);
        self.post = self.post.map(|post| post.working_as(self.me.clone(), self.actor.clone()));
        self
    }

    /// The same at a moment of the past: what is stored is what was stored then, it is as late as then, and nothing is changed.
    pub fn in_the_past(self, past: Arc<Past>) -> Self {
        let config = Config { read_only: true, ..self.config };
        Self { config, store: past.clone(), clock: past, post: None, ..self }
    }

    /// The same in an environment of this name, which goes into every record; empty: none.
    pub fn in_environment(mut self, name: &str) -> Self {
        self.actor.environment = Some(sanitize(name)).filter(|name| !name.is_empty());
        self.post = self.post.map(|post| post.working_as(self.me.clone(), self.actor.clone()));
        self
    }

    /// The same, where a signature may be asked for on the terminal: nothing is drawn there.
    pub fn asking_on_the_terminal(mut self) -> Self {
        self.signatures = signatures(&self.config, true);
        self
    }

    /// The journal's store.
    pub fn store(&self) -> &Arc<dyn JournalStore> {
        &self.store
    }

    /// How the mails of a subject that is no tenant are sent; none where no mail server is configured.
    pub(super) fn postman(&self, fence: Arc<dyn Fence>) -> Option<Postman> {
        let mailer = self.mailer.as_ref()?;
        Some(Postman {
            mailer: Arc::new(mailer.behind(fence)),
            key: self.reply_key.clone(),
            language: self.config.notices.language,
            mailbox: self.post.clone().map(|post| Arc::new(Waiting { post }) as Arc<dyn CaseMailbox>),
        })
    }

    /// The mailbox, where one is configured.
    pub fn post(&self) -> Option<&Post> {
        self.post.as_ref()
    }

    /// Sends a mail of a kind, as this tenant's clients would get it, to somebody who wants to see it: no client, nothing is
    /// journaled, and an answer counts for nothing.
    pub async fn send_sample(
        &self,
        tenant: &Tenant,
        kind: NoticeKind,
        window: &Window,
        to: &str,
    ) -> Result<(Letter, Delivery), Fault> {
        let language = self.config.language_of(tenant);
        let mailer = &self.for_tenants()?.mailer;
        let letter = mailer.compose_test(&Sample { kind, tenant, language, window, to })?;
        let delivery = mailer.send(&letter).await;
        mailer.close().await;
        Ok((letter, delivery))
    }

    /// Who works here: `name@host`.
    pub fn operator(&self) -> String {
        format!("{}@{}", self.me.name, self.me.host)
    }

    /// Who works here, by what they can't set themselves.
    pub fn person(&self) -> &str {
        &self.actor.person
    }

    /// The runbook that is driven.
    pub fn runbook(&self) -> &Arc<Runbook> {
        &self.runbook
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How long the pair of DELETE and POST lasts at most: so long the end of the program may have to wait.
    pub fn pair_bound(&self) -> Duration {
        self.for_tenants.as_ref().map_or(Duration::ZERO, |of| of.cloud.pair_bound())
    }

    fn for_tenants(&self) -> Result<&ForTenants, Fault> {
        let text = || self.config.no_tenants().unwrap_or_default();
        self.for_tenants.as_ref().ok_or_else(|| Fault::new(Service::Configuration, FaultKind::Invalid, text()))
    }

    /// The configured tenants, and those discovered where that is wished; a fault of the discovery keeps the others.
    pub async fn tenants(&self) -> (Vec<Tenant>, Option<Fault>) {
        let mut tenants = self.config.tenant.clone();
        let Some(of) = self.for_tenants.as_ref().filter(|_| self.config.tenants.discover) else {
            return (tenants, None);
        };
        let wireguard = &self.config.wireguard;
        let (projects, listed) =
            futures_util::join!(of.cloud.tenants(&wireguard.container, &wireguard.object), async {
                match &self.console {
                    Some(console) => Some(console.tenants().await),
                    None => None,
                }
            });
        let Discovered { tenants: found, fault } = discovered(listed, projects);
        let new = |tenant: &Tenant| tenants.iter().all(|known| known.id != tenant.id);
        let mut found: Vec<Tenant> = found.into_iter().filter(new).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        let discovered = tenants.len();
        tenants.extend(found);
        // Before a server is derived from a name: two tenants of one name would be led to one server.
        tell_apart(&mut tenants);
        for tenant in &mut tenants[discovered..] {
            tenant.server = tenant.server.take().or_else(|| self.config.tenants.server_of(tenant));
        }
        (tenants, fault)
    }

    /// The fleet of these tenants.
    pub fn fleet(&self, tenants: Vec<Tenant>, watcher: Arc<dyn Watcher>) -> Result<Fleet, Fault> {
        let conductor = |tenant: Tenant| {
            let fence = Arc::new(LeaseFence::new(self.store.clone()));
            let world = self.world(tenant, fence.clone())?;
            let (me, actor) = (self.me.clone(), self.actor.clone());
            Ok(Arc::new(Conductor::new(world, self.runbook.clone(), me, actor, fence, watcher.clone())))
        };
        Ok(Fleet::new(tenants.into_iter().map(conductor).collect::<Result<_, Fault>>()?))
    }

    /// Everything that one tenant's rotation can reach; what changes something goes through the fence.
    pub fn world(&self, tenant: Tenant, fence: Arc<dyn Fence>) -> Result<World, Fault> {
        let (wireguard, server) = (&self.config.wireguard, &self.config.server);
        let ForTenants { cloud, mailer } = self.for_tenants()?;
        let settings = Settings {
            secret_name: wireguard.secret_name_of(&tenant.id),
            fields: wireguard.fields.clone(),
            reconcile_interval: wireguard.reconcile_interval,
            swap: match wireguard.swap {
                Swap::DeleteFirst => SwapOrder::DeleteFirst,
                Swap::StoreFirst => SwapOrder::StoreFirst,
            },
            cadence_months: wireguard.cadence_months,
            preflight_valid: wireguard.preflight_valid,
            approval_valid: Some(self.config.approval.valid).filter(|_| self.config.approval.required),
            signing: Signing::ByLogin,
            pair_bound: cloud.pair_bound(),
            reminders: self.config.reminders.clone(),
            language: self.config.language_of(&tenant),
            senders_verified: self.config.inbox.as_ref().map(|inbox| inbox.authserv_id.is_some()),
            transport: self.transport.clone(),
            // Where there is none, nothing is left unasked.
            second_mail: SecondMail {
                console: self.config.notices.reconfigure_needs.console || self.console.is_none(),
                ..self.config.notices.reconfigure_needs
            },
        };
        let server = CommandServer::new(ServerParameters {
            server: tenant.server.clone(),
            command: server.command.clone(),
            wg: server.wg.clone(),
            interface: wireguard.interface.clone(),
            timeout: server.timeout,
            agent_check: server.agent_check.clone(),
            agent_log: server.agent_log.clone(),
            state_directory: self.config.state.directory.clone(),
            runtime_directory: environment("XDG_RUNTIME_DIR").map(Into::into),
        })?
        .asked_from(self.from.as_deref());
        Ok(World {
            settings,
            credentials: cloud.credentials(),
            secrets: cloud.secrets(fence.clone()),
            object: cloud.object(wireguard.container_of(&tenant.id), wireguard.object_of(&tenant.id), fence.clone()),
            server: Arc::new(server),
            mailer: Arc::new(mailer.behind(fence.clone())),
            reply_key: self.reply_key.clone(),
            answers: self.post.clone().map(|post| Arc::new(Waiting { post }) as Arc<dyn Answers>),
            console: self.console.clone(),
            alerts: self.alerts.as_ref().map(|alerts| Arc::new(alerts.of(&tenant, fence)) as Arc<dyn Alerts>),
            contacts: self.config.contacts_of(&tenant).into(),
            signatures: self.signatures.clone(),
            clock: self.clock.clone(),
            entropy: Arc::new(SystemEntropy),
            store: self.store.clone(),
            tenant,
        })
    }
}
