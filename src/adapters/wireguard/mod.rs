//! The VPN server, read-only: one command of the operator's (ssh, as a rule) runs one script there.
//!
//! What the script says is `script`, how the command runs is `run`, what comes back is `reading`, what a failure means
//! is `refusal`, where ssh's socket lies is `control`. Nothing here can change the server.

mod control;
mod own;
mod reading;
mod refusal;
mod run;
mod script;

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::freshness::ServerReading;
use crate::domain::lockout::OwnAddresses;
use crate::domain::sanitize::sanitize;
use crate::engine::ports::{AgentMode, VpnServer};
use async_trait::async_trait;
use run::{Ended, Failure};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What the adapter must know of one tenant's server.
#[derive(Clone, Debug)]
pub struct ServerParameters {
    /// What `{server}` stands for; `None`: every reading is refused with the reason.
    pub server: Option<String>,
    /// The argv with `{server}`, `{read}` and perhaps `{control_path}`. No shell reads it on this side.
    pub command: Vec<String>,
    /// How `wg` is called there, for example `sudo -n wg`. A shell there reads it.
    pub wg: String,
    /// The interface there: 1 to 15 of `A-Z a-z 0-9 _ . = + -`.
    pub interface: String,
    /// For one run of the command.
    pub timeout: Duration,
    /// A read-only command that prints which of the agent's three settings are set.
    pub agent_check: Option<String>,
    /// A read-only command that prints the last minutes of the agent's log.
    pub agent_log: Option<String>,
    /// The state folder, private to us: ssh's socket lies in its `ssh` folder if the path is short enough.
    pub state_directory: PathBuf,
    /// `$XDG_RUNTIME_DIR`, where ssh's socket lies if the state folder's path is too long.
    pub runtime_directory: Option<PathBuf>,
}

/// One tenant's VPN server behind a command.
#[derive(Debug)]
pub struct CommandServer {
    /// The argv with everything but `{read}` filled in; `None` where the tenant has no server.
    argv: Option<Vec<String>>,
    wg: String,
    interface: String,
    timeout: Duration,
    agent_check: Option<String>,
    agent_log: Option<String>,
    /// Where the operator's ssh session comes from.
    session: Option<IpAddr>,
}

impl CommandServer {
    /// Checks the parameters and makes the folder for ssh's socket. Runs nothing.
    ///
    /// Errors: the interface or the server's name holds characters that a shell or ssh would interpret, the command is
    /// empty, or there is no private place for the socket.
    pub fn new(parameters: ServerParameters) -> Result<Self, Fault> {
        let invalid = |message: String| Fault::new(Service::Configuration, FaultKind::Invalid, message);
        if !script::is_interface(&parameters.interface) {
            return Err(invalid(format!("{:?} is not an interface's name", parameters.interface)));
        }
        if parameters.command.first().is_none_or(String::is_empty) {
            return Err(invalid("server.command is empty".into()));
        }
        let argv = match &parameters.server {
            None => None,
            Some(server) if !script::is_host(server) => {
                return Err(invalid(format!("{server:?} is not a server's name")));
            }
            Some(server) => {
                let needs_socket = parameters.command.iter().any(|word| word.contains("{control_path}"));
                let control_path = if needs_socket {
                    control::path(&parameters.state_directory, parameters.runtime_directory.as_deref())?
                } else {
                    String::new()
                };
                let filled = [("{server}", server.as_str()), ("{control_path}", &control_path)];
                Some(parameters.command.iter().map(|word| script::fill(word, &filled)).collect())
            }
        };
        Ok(Self {
            argv,
            wg: parameters.wg,
            interface: parameters.interface,
            timeout: parameters.timeout,
            agent_check: parameters.agent_check,
            agent_log: parameters.agent_log,
            session: None,
        })
    }

    /// The same for an operator whose ssh session comes from this address (as `SSH_CONNECTION` gives it).
    pub fn asked_from(mut self, session: Option<&str>) -> Self {
        self.session = session.and_then(|text| text.split('%').next()?.parse().ok());
        self
    }

    async fn run(&self, script: &str) -> Result<Ended, Failure> {
        let Some(argv) = &self.argv else {
            return Err(Failure::NoServer);
        };
        let argv: Vec<String> = argv.iter().map(|word| script::fill(word, &[("{read}", script)])).collect();
        let began = Instant::now();
        let ended = run::run(&argv, self.timeout).await?;
        if !refusal::is_without_master(&ended) {
            return Ok(ended);
        }
        // It had shared a connection whose master was ended meanwhile. All that is run here only reads, so it is asked once
        // more, on a connection that is new.
        run::run(&argv, self.timeout.saturating_sub(began.elapsed())).await
    }
}

#[async_trait]
impl VpnServer for CommandServer {
    async fn read(&self) -> Result<ServerReading, Fault> {
        let ended = self.run(&script::read(&self.wg, &self.interface)).await.map_err(|f| f.fault(self.timeout))?;
        if ended.code != Some(0) {
            return Err(refusal::judge(&ended, &self.wg, &self.interface));
        }
        reading::parse(&ended.output).map_err(|bad| bad.fault(&self.interface))
    }

    async fn agent_mode(&self) -> AgentMode {
        let Some(script) = &self.agent_check else {
            let (why, advice) = ("server.agent_check is not set", "set it to find out");
            return AgentMode::Unknown { why: why.into(), advice: advice.into() };
        };
        let ended = match self.run(script).await {
            Ok(ended) => ended,
            Err(failure) => {
                let fault = failure.fault(self.timeout);
                return AgentMode::Unknown { why: fault.message.clone(), advice: fault.remedy().to_owned() };
            }
        };
        // Only names are looked at: whatever stands behind `=` is never read.
        let output = String::from_utf8_lossy(&ended.output);
        let sets = |name: &str| output.lines().any(|line| line.split('=').next().unwrap_or(line).trim() == name);
        if sets("VPN_CONFIG_PRIVATE_KEY") {
            AgentMode::OwnKey
        } else if sets("BARBICAN_SECRET_ID") {
            AgentMode::Pinned
        } else if sets("BARBICAN_SECRET_NAME") {
            AgentMode::ByName
        } else if matches!(ended.code, Some(0 | 1)) && ended.errors.trim_ascii().is_empty() {
            // grep's exit status for "no line" is 1 (grep(1)).
            let advice =
                "look which file the agent's unit reads (EnvironmentFile), and name that one in server.agent_check";
            AgentMode::Unknown { why: "the file sets none of the three".into(), advice: advice.into() }
        } else {
            let fault = refusal::agent(&ended, script, &self.interface);
            AgentMode::Unknown { why: fault.message.clone(), advice: fault.remedy().to_owned() }
        }
    }

    async fn agent_log(&self) -> Option<Result<String, Fault>> {
        let script = self.agent_log.as_ref()?;
        Some(match self.run(script).await {
            Ok(ended) if ended.code == Some(0) => Ok(String::from_utf8_lossy(&ended.output).into_owned()),
            Ok(ended) => Err(refusal::log(&ended, script, &self.interface)),
            Err(failure) => Err(failure.fault(self.timeout)),
        })
    }

    async fn own_addresses(&self) -> OwnAddresses {
        let own::Routes { sources, server } = match &self.argv {
            Some(argv) => {
                let argv: Vec<String> = argv.iter().map(|word| script::fill(word, &[("{read}", "true")])).collect();
                own::routes(&argv, self.timeout).await
            }
            None => own::Routes::default(),
        };
        OwnAddresses { session: self.session, sources, server }
    }

    /// `address` is an IP, a host route (`10.77.1.11/32`) is accepted as well.
    async fn ping(&self, address: &str) -> Result<bool, Fault> {
        let bare = address.trim_end_matches("/32").trim_end_matches("/128");
        let Ok(ip) = bare.parse::<IpAddr>() else {
            let message = format!("{:?} is not an IP address", sanitize(address));
            return Err(Fault::new(Service::Server, FaultKind::Invalid, message));
        };
        let ended = self.run(&format!("ping -c 1 -W 2 {ip}")).await.map_err(|f| f.fault(self.timeout))?;
        match ended.code {
            Some(0) => Ok(true),
            // 1: no answer (ping(8) of iputils); anything printed on stderr is another matter.
            Some(1) if ended.errors.trim_ascii().is_empty() => Ok(false),
            _ => Err(refusal::judge(&ended, "ping", &self.interface)),
        }
    }
}
