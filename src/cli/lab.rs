//! `demo` and `lab`: the embedded servers, with the screen or without.

use crate::adapters::lab::fernet::ClusterOptions;
use crate::adapters::lab::kops::KopsOptions;
use crate::adapters::lab::{Lab, LabOptions, Pace};
use crate::cli::{exit, print};
use crate::runtime::signals;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The size of the embedded lab.
#[derive(Clone, Debug, Args)]
pub struct LabArgs {
    /// How many tenants
    #[arg(long, default_value_t = 4)]
    pub tenants: usize,
    /// How many clients each has
    #[arg(long, default_value_t = 6)]
    pub clients: usize,
    /// How often the servers look for a new key, in seconds
    #[arg(long, default_value_t = 20.0, value_name = "SECONDS")]
    pub reconcile_interval: f64,
    /// Where the lab and its journal live; a temporary folder without
    #[arg(long, value_name = "FOLDER")]
    pub directory: Option<PathBuf>,
    /// Clients answer and reconfigure at once, in their own time, or never
    #[arg(long, value_enum, default_value = "human")]
    pub pace: PaceArg,
    /// Serve a console API too
    #[arg(long)]
    pub console: bool,
}

/// How soon the lab's people act.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PaceArg {
    /// At once
    Instant,
    /// In their own time
    Human,
    /// Never by themselves
    Off,
}

/// A started lab and the folder that is removed with it, unless the operator named one.
pub struct Started {
    /// The servers.
    pub lab: Lab,
    temporary: Option<PathBuf>,
}

impl Started {
    /// Ends the servers; a temporary folder goes with them.
    pub async fn stop(self) {
        self.lab.stop().await;
        if let Some(folder) = self.temporary {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// Starts the lab as the arguments say.
pub async fn start(arguments: &LabArgs) -> Result<Started> {
    let (directory, temporary) = match &arguments.directory {
        Some(folder) => (folder.clone(), None),
        None => {
            let folder = std::env::temp_dir().join(format!("changeguard-lab-{}", std::process::id()));
            (folder.clone(), Some(folder))
        }
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&directory)
        .with_context(|| format!("{}", directory.display()))?;
    let directory = std::fs::canonicalize(&directory)?;
    let seconds = arguments.reconcile_interval;
    let reconcile_interval = Duration::try_from_secs_f64(seconds).context("--reconcile-interval")?;
    let options = LabOptions {
        directory,
        tenants: arguments.tenants,
        clients: arguments.clients,
        reconcile_interval,
        pace: match arguments.pace {
            PaceArg::Instant => Pace::Instant,
            PaceArg::Human => Pace::Human,
            PaceArg::Off => Pace::Off,
        },
        program: std::env::current_exe().context("the path of this program")?,
        seed: 1,
        console: arguments.console,
        alerts: true,
        agent_log: true,
    };
    let (cluster, kops) = (cluster(&options)?, kops(&options)?);
    let mut lab = Lab::start(options).await.context("start the embedded lab")?;
    lab.add_cluster(cluster).await.context("start the embedded lab's Keystone cluster")?;
    lab.add_kops(kops).await.context("start the embedded lab's Kubernetes cluster")?;
    Ok(Started { lab, temporary })
}

/// Three nodes of Keystone, rotated three days ago, that the rest of the cloud asks all the time.
fn cluster(options: &LabOptions) -> Result<ClusterOptions> {
    let directory = options.directory.join("keystone");
    // An earlier lab's is gone on with: its journal knows the keys that lie there, and what was half done.
    if !directory.join("shell.json").exists() {
        DirBuilder::new().mode(0o700).create(&directory).with_context(|| format!("{}", directory.display()))?;
    }
    let background = Some(Duration::from_millis(500));
    Ok(ClusterOptions { background, seed: options.seed, ..ClusterOptions::steady(&directory, &options.program) })
}

/// Seven machines of Kubernetes that take a few seconds each to roll.
fn kops(options: &LabOptions) -> Result<KopsOptions> {
    let directory = options.directory.join("kops");
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&directory)
        .with_context(|| format!("{}", directory.display()))?;
    let roll = Duration::from_secs(3);
    Ok(KopsOptions { roll, seed: options.seed, ..KopsOptions::steady(&directory, &options.program) })
}

/// Runs the lab until a signal ends it; what happens in it goes to standard error.
pub async fn serve(arguments: &LabArgs, json: bool) -> Result<u8> {
    let mut ending = signals::ending()?;
    let started = start(arguments).await?;
    let mut events = started.lab.events();
    let path = started.lab.config_path();
    let configuration = std::fs::read_to_string(path)?;
    if json {
        #[derive(Serialize)]
        struct Running<'a> {
            config: &'a Path,
            text: &'a str,
        }
        print::json(&Running { config: path, text: &configuration })?;
    } else {
        print::line(format_args!("# The embedded lab is running; Ctrl-C ends it. In another terminal:"))?;
        print::line(format_args!("#   changeguard --config {} status", path.display()))?;
        print::line(format_args!("#   changeguard --config {} rehearse list", path.display()))?;
        print::text(&configuration)?;
    }
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(event) => print::say(format_args!("{}: {}", event.tenant, crate::domain::sanitize::sanitize(&event.text))),
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => break,
            },
            () = ending.recv() => break,
        }
    }
    started.stop().await;
    Ok(exit::DONE)
}
