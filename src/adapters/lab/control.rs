//! How a running lab is told what shall go wrong: a listener on loopback whose port and password lie in a file beside the lab's
//! configuration, private to the user. Where there is no such file there is no lab, and nothing is asked.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::chance::hex;
use super::files;
use super::mishaps::{MishapOrder, MishapView};
use super::state::Shared;
use super::world::LabWorld;

/// The file beside the configuration.
const FILE: &str = "rehearse.json";
/// A request or an answer is no longer, bytes.
const LONGEST: u64 = 1 << 20;

/// The way to a lab that runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Controls {
    port: u16,
    password: String,
}

#[derive(Serialize, Deserialize)]
struct Request {
    password: String,
    order: Option<MishapOrder>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsed {
    /// What is so now, or why nothing was switched.
    pub said: Result<String, String>,
    /// All mishaps.
    pub mishaps: Vec<MishapView>,
}

impl Controls {
    /// Of the lab that has written this configuration; none where no lab has.
    pub fn beside(configuration: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(configuration.with_file_name(FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Asks for a mishap, or only what is on. Errors: the lab does not run any more.
    pub async fn ask(&self, order: Option<MishapOrder>) -> io::Result<Rehearsed> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        let request = Request { password: self.password.clone(), order };
        let text = serde_json::to_string(&request)? + "\n";
        stream.write_all(text.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(LONGEST).read_to_end(&mut answer).await?;
        Ok(serde_json::from_slice(&answer)?)
    }
}

/// Writes the file for a lab that listens there.
pub(super) fn write(shared: &Shared, port: u16) -> io::Result<Controls> {
    // Not of the lab's own chance: whoever knows its seed knows that.
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let controls = Controls { port, password: hex(&random) };
    let text = serde_json::to_string(&controls)? + "\n";
    files::private(&shared.options.directory.join(FILE), &text)?;
    Ok(controls)
}

/// Answers until the lab stops; it can't be held down as the services can, or nobody could let them up again.
pub(super) async fn run(shared: Arc<Shared>, listener: TcpListener, controls: Controls) {
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stopped() => break,
        };
        let Ok((stream, _)) = stream else { continue };
        let (world, controls) = (LabWorld { shared: Arc::clone(&shared) }, controls.clone());
        tokio::spawn(async move {
            tokio::select! {
                _ = answer(&world, &controls, stream) => {}
                () = world.shared.stopped() => {}
            }
        });
    }
    std::fs::remove_file(shared.options.directory.join(FILE)).ok();
}

async fn answer(world: &LabWorld, controls: &Controls, stream: TcpStream) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    (&mut stream).take(LONGEST).read_line(&mut line).await?;
    let request: Request = serde_json::from_str(&line)?;
    if request.password != controls.password {
        return Ok(());
    }
    let said = request.order.map_or_else(|| Ok(String::new()), |order| world.rehearse(&order));
    let answer = Rehearsed { said, mishaps: world.mishaps() };
    stream.write_all(serde_json::to_string(&answer)?.as_bytes()).await?;
    stream.shutdown().await
}
