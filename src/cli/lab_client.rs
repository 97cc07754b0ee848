//! What the embedded lab's servers, nodes and clusters are reached by: commands of their own, not for people. They are started for every
//! look, so they are read before anything else is set up.

use crate::adapters::lab;
use crate::cli::exit;
use clap::Parser;
use std::io;
use std::path::PathBuf;

/// Stands in for ssh, kops and keystone-manage.
#[derive(Debug, Parser)]
#[command(name = "changeguard", disable_help_subcommand = true)]
pub enum LabClient {
    /// What the lab's read command is
    LabShell {
        /// The lab's port
        #[arg(long)]
        port: u16,
        /// The server's name
        #[arg(long)]
        server: String,
        /// The read script
        script: String,
    },
    /// What its nodes are reached by
    LabNodeShell {
        /// The file that the lab has written
        #[arg(long)]
        lab: PathBuf,
        /// The node's name
        #[arg(long)]
        node: String,
        /// The words of the command
        #[arg(last = true)]
        words: Vec<String>,
    },
    /// What `kops` is there
    LabKops {
        /// The file that the lab has written
        #[arg(long)]
        lab: PathBuf,
        /// The words of the command
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// What `keystone-manage` is on its nodes
    LabKeystoneManage {
        /// Its words
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
}

impl LabClient {
    /// Whether this process was started as one of them.
    pub fn is_meant() -> bool {
        std::env::args_os().nth(1).is_some_and(|word| word.to_str().is_some_and(|word| word.starts_with("lab-")))
    }

    /// Carries it out. Gives the exit status. Errors: there is no runtime.
    pub fn run(self) -> io::Result<u8> {
        let (mut out, mut err) = (tokio::io::stdout(), io::stderr());
        if let LabClient::LabKeystoneManage { words } = &self {
            return Ok(lab::fernet::keystone_manage(words, &mut err));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let status = runtime.block_on(async {
            match &self {
                LabClient::LabShell { port, server, script } => lab::shell(*port, server, script, &mut out).await,
                LabClient::LabNodeShell { lab: way, node, words } => {
                    lab::fernet::node_shell(way, node, words, &mut out, &mut err).await
                }
                LabClient::LabKops { lab: way, words } => lab::kops::kops(way, words, &mut out, &mut err).await,
                LabClient::LabKeystoneManage { .. } => 0,
            }
        });
        Ok(u8::try_from(status).unwrap_or(exit::FAILED))
    }
}
