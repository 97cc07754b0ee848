//! The port behind the lab's `kops`: takes a command, meets the faults, and has it carried out; a command that is given up ends at the
//! next instance.

use super::super::faults::{Fault, Loss, Service};
use super::super::listen;
use super::super::state::lock;
use super::super::trip::Moment;
use super::client::{Asked, Printed};
use super::cluster::World;
use super::verbs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A command's words are no longer, bytes.
const LONGEST: u64 = 1 << 20;

/// Serves every connection until the lab stops.
pub(super) async fn run(world: Arc<World>, listener: TcpListener) {
    let shared = Arc::clone(&world.shared);
    listen::keep(Service::Kops, shared, listener, |shared, listener| {
        let world = Arc::clone(&world);
        async move {
            listen::each(Service::Kops, shared, listener, move |_, stream| serve(Arc::clone(&world), stream)).await;
        }
    })
    .await;
}

async fn serve(world: Arc<World>, stream: TcpStream) -> io::Result<()> {
    let (from, mut to) = stream.into_split();
    let mut from = BufReader::new(from);
    let mut line = String::new();
    (&mut from).take(LONGEST).read_line(&mut line).await?;
    let asked: Asked = serde_json::from_str(&line)?;
    if asked.password != world.password {
        return Ok(());
    }
    let verb = asked.words.first().cloned().unwrap_or_default();
    let path = asked.words.iter().skip(1).take_while(|word| !word.starts_with("--name")).cloned().collect::<Vec<_>>();
    let fault = world.shared.faults.meet(Service::Kops, &verb, &path.join(" "), false);
    // The client is gone once its end is shut: what it has begun ends with it.
    let gone = Arc::new(AtomicBool::new(false));
    let watched = Arc::clone(&gone);
    let watching = tokio::spawn(async move {
        let mut rest = [0u8; 16];
        while let Ok(1..) = from.read(&mut rest).await {}
        watched.store(true, Ordering::SeqCst);
    });
    let all = |world: Arc<World>| async move { verbs::run(&world, &asked, &gone, None).await };
    let printed = match fault {
        None => Some(all(Arc::clone(&world)).await),
        Some(Fault::Delay(delay)) => {
            tokio::time::sleep(delay).await;
            Some(all(Arc::clone(&world)).await)
        }
        Some(Fault::Status(255)) => Some(failed(255, "ssh: connect to host deploy port 22: Connection timed out")),
        Some(Fault::Status(status)) => {
            Some(failed(i32::from(status), "Error: error reading from the state store: access denied"))
        }
        Some(Fault::Close) => None,
        Some(Fault::Hang | Fault::ApplyLate(_)) => std::future::pending().await,
        // Half of it is done, and the connection is lost.
        Some(Fault::ResetMidBody) => {
            all_but_half(&world, &line).await;
            None
        }
        Some(Fault::LoseAnswer(loss)) => {
            all(Arc::clone(&world)).await;
            match loss {
                Loss::Close => None,
                Loss::Hang => std::future::pending().await,
            }
        }
        Some(Fault::Trip(moment)) => {
            if moment == Moment::After {
                all(Arc::clone(&world)).await;
            }
            world.shared.faults.hold().await;
            None
        }
    };
    watching.abort();
    if let Some(printed) = printed {
        to.write_all(serde_json::to_string(&printed)?.as_bytes()).await?;
    }
    to.shutdown().await
}

async fn all_but_half(world: &Arc<World>, line: &str) {
    let Ok(asked) = serde_json::from_str::<Asked>(line) else { return };
    let most = lock(&world.state).groups.iter().map(|group| group.instances.len()).max().unwrap_or(0) / 2;
    verbs::run(world, &asked, &AtomicBool::new(false), Some(most)).await;
}

fn failed(status: i32, text: &str) -> Printed {
    Printed { out: String::new(), err: format!("{text}\n"), status }
}
