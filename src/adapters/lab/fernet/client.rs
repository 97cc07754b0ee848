//! The operator's end of the lab's shell: what stands in the command template where production has `ssh`. It asks the lab that
//! has written the given file, and carries input, output and exit status as ssh does; the node's end is `shell`.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::session::{self, Kind};

/// The file that a lab writes, private to its user: the way to its nodes.
#[derive(Serialize, Deserialize)]
pub(super) struct Way {
    pub(super) port: u16,
    /// Anybody on this machine can reach the port; only who may read the file knows this.
    pub(super) password: String,
}

/// The first line of a session.
#[derive(Serialize, Deserialize)]
pub(super) struct Greeting {
    pub(super) password: String,
    pub(super) node: String,
    pub(super) script: String,
}

/// Runs words on a node of the lab that has written `way`: what `changeguard lab-node-shell` calls. As with ssh they are joined
/// with spaces and parsed again by the node's shell. Standard input is this process's own, standard output goes to `out`,
/// standard error to `err`.
/// Returns the exit status; 255 when the node can't be reached or is lost, as ssh does.
pub async fn node_shell(
    way: &Path,
    node: &str,
    words: &[String],
    out: &mut (impl AsyncWrite + Unpin),
    err: &mut impl io::Write,
) -> i32 {
    let complain = |err: &mut dyn io::Write, text: String| {
        err.write_all(format!("{text}\n").as_bytes()).ok();
        255
    };
    match converse(way, node, words, out, err).await {
        Ok(Some(status)) => status,
        Ok(None) => complain(err, format!("Connection to {node} closed by remote host.")),
        Err(error) => complain(err, format!("ssh: connect to host {node} port 22: {error}")),
    }
}

async fn converse(
    way: &Path,
    node: &str,
    words: &[String],
    out: &mut (impl AsyncWrite + Unpin),
    err: &mut impl io::Write,
) -> io::Result<Option<i32>> {
    let way: Way = serde_json::from_str(&std::fs::read_to_string(way)?)?;
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, way.port)).await?;
    stream.set_nodelay(true)?;
    let greeting = Greeting { password: way.password, node: node.to_owned(), script: words.join(" ") };
    stream.write_all((serde_json::to_string(&greeting)? + "\n").as_bytes()).await?;
    let (from, mut to) = stream.into_split();
    let mut from = tokio::io::BufReader::new(from);
    let mut input = input();
    let feeding = tokio::spawn(async move {
        while let Some(bytes) = input.recv().await {
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        // The end of the input goes over; the connection stays for the answer.
        to.shutdown().await.ok();
        std::future::pending::<()>().await;
    });
    let ended = answers(&mut from, out, err).await;
    feeding.abort();
    Ok(ended.unwrap_or(None))
}

async fn answers(
    from: &mut (impl AsyncReadExt + Unpin),
    out: &mut (impl AsyncWrite + Unpin),
    err: &mut impl io::Write,
) -> io::Result<Option<i32>> {
    while let Some((kind, content)) = session::next(from).await? {
        match kind {
            Kind::Output => {
                out.write_all(&content).await?;
                out.flush().await?;
            }
            Kind::Errors => err.write_all(&content)?,
            Kind::Ended => {
                let status: Option<[u8; 4]> = content.as_slice().try_into().ok();
                return Ok(status.map(i32::from_be_bytes));
            }
        }
    }
    Ok(None)
}

/// This process's standard input, in pieces. A plain thread reads it: one of the runtime's would keep the process from ending
/// while the input stays open.
fn input() -> mpsc::Receiver<Zeroizing<Vec<u8>>> {
    let (pieces, receiver) = mpsc::channel(4);
    std::thread::spawn(move || {
        let mut buffer = Zeroizing::new(vec![0; 64 * 1024]);
        while let Ok(count @ 1..) = io::Read::read(&mut io::stdin(), &mut buffer) {
            if pieces.blocking_send(Zeroizing::new(buffer[..count].to_vec())).is_err() {
                break;
            }
        }
    });
    receiver
}
