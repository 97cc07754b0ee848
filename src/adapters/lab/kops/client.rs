//! The operator's end of the lab's `kops`: what stands in the configuration where production has the real one.

use serde::{Deserialize, Serialize};
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// The file that a lab writes, private to its user: the way to its cluster.
#[derive(Serialize, Deserialize)]
pub(super) struct Way {
    pub(super) port: u16,
    /// Anybody on this machine can reach the port; only who may read the file knows this.
    pub(super) password: String,
}

/// What is asked.
#[derive(Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) password: String,
    pub(super) words: Vec<String>,
    pub(super) kubeconfig: Option<String>,
}

/// What is printed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Printed {
    pub(super) out: String,
    pub(super) err: String,
    pub(super) status: i32,
}

/// Runs the words: what `changeguard lab-kops` calls. Returns the exit status; 255 where the cluster is lost, as ssh has it.
pub async fn kops(way: &Path, words: &[String], out: &mut (impl AsyncWrite + Unpin), err: &mut impl io::Write) -> i32 {
    let words = if words.first().is_some_and(|word| word == "--") { &words[1..] } else { words };
    let printed = ask(way, words).await.unwrap_or_else(|error| Printed {
        out: String::new(),
        err: format!("ssh: connect to host deploy port 22: {error}\n"),
        status: 255,
    });
    err.write_all(printed.err.as_bytes()).ok();
    let written = out.write_all(printed.out.as_bytes()).await.is_ok() && out.flush().await.is_ok();
    if written { printed.status } else { 1 }
}

async fn ask(way: &Path, words: &[String]) -> io::Result<Printed> {
    let way: Way = serde_json::from_str(&std::fs::read_to_string(way)?)?;
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, way.port)).await?;
    let kubeconfig = std::env::var("KUBECONFIG").ok();
    let asked = Asked { password: way.password, words: words.to_vec(), kubeconfig };
    stream.write_all((serde_json::to_string(&asked)? + "\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    serde_json::from_slice(&answer).map_err(|_| io::Error::other("Connection closed by remote host"))
}
