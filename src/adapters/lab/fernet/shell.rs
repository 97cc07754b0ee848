//! The nodes' end of the lab's shell: takes a script for a node, meets the faults, looks whether a secret stands in it, and has
//! it run as sshd would; running it is `session`, what surrounds it `far`, the operator's end `client`.
//!
//! What a fault does to a session: `Status` 401, 403, 421 and 255 are refusals of ssh and sudo, any other is the exit status of
//! a script that did nothing; `ResetMidBody` kills it after [`World::cut_after`] programs and the connection with it; the
//! others are as everywhere.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use zeroize::Zeroizing;

use super::super::faults::{Fault, Loss, Service};
use super::super::state::lock;
use super::super::trip::Moment;
use super::client::Greeting;
use super::far;
use super::repository::{self, Reader};
use super::session::{self, Kind};
use super::world::World;

/// A greeting is no longer, bytes.
const GREETING: u64 = 1 << 20;
/// What a session that is carried out later keeps of its input, bytes.
const INPUT: u64 = 8 << 20;
/// By which a script says what it is for.
const WORD: &str = "# changeguard: ";
/// Nobody wants the output.
const NOBODY: Option<&mut OwnedWriteHalf> = None;

/// Serves one connection.
pub(super) async fn serve(world: Arc<World>, stream: TcpStream) -> io::Result<()> {
    let (from, mut to) = stream.into_split();
    let mut from = BufReader::new(from);
    let mut line = Zeroizing::new(String::new());
    (&mut from).take(GREETING).read_line(&mut line).await?;
    let greeting: Greeting = serde_json::from_str(&line)?;
    if greeting.password != *world.password {
        return Ok(());
    }
    let Some(number) = world.nodes.iter().position(|node| node.name == greeting.node) else {
        let text = format!("ssh: Could not resolve hostname {}: Name or service not known", greeting.node);
        return refuse(&mut to, 255, &text).await;
    };
    let mut off = world.off.subscribe();
    let session = session(&world, number, &greeting.script, &mut from, &mut to);
    tokio::select! {
        // A node without power answers nobody, and what runs on it ends.
        biased;
        _ = off.wait_for(|off| off.contains(&number)) => {}
        done = session => return done,
    }
    refuse(&mut to, 255, &format!("ssh: connect to host {} port 22: Connection refused", greeting.node)).await
}

async fn session(
    world: &Arc<World>,
    number: usize,
    script: &str,
    from: &mut (impl AsyncRead + Unpin),
    to: &mut OwnedWriteHalf,
) -> io::Result<()> {
    look_for_secrets(world, number, script);
    let name = &world.nodes[number].name;
    let login = |cut| far::login(world, number, script, cut);
    match world.shared.faults.meet(Service::NodeShell, word(script), name, false) {
        None => answer(world, session::run(login(None), from, Some(to)).await?, to).await,
        Some(Fault::Delay(delay)) => {
            tokio::time::sleep(delay).await;
            answer(world, session::run(login(None), from, Some(to)).await?, to).await
        }
        Some(Fault::Status(status)) => {
            let (status, text) = refusal(status, name);
            refuse(to, status, &text).await
        }
        Some(Fault::Close) => Ok(()),
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::ResetMidBody) => {
            let after = *lock(&world.cut_after);
            session::run(login(Some(after)), from, Some(to)).await?;
            world.shared.touch();
            Ok(())
        }
        Some(Fault::LoseAnswer(loss)) => {
            session::run(login(None), from, NOBODY).await?;
            world.shared.touch();
            match loss {
                Loss::Close => Ok(()),
                Loss::Hang => std::future::pending().await,
            }
        }
        Some(Fault::ApplyLate(delay)) => {
            let mut input = Zeroizing::new(Vec::new());
            from.take(INPUT).read_to_end(&mut input).await?;
            apply_late(Arc::clone(world), number, script.to_owned(), input, delay);
            std::future::pending().await
        }
        Some(Fault::Trip(moment)) => {
            if moment == Moment::After {
                session::run(login(None), from, NOBODY).await?;
                world.shared.touch();
            }
            world.shared.faults.hold().await;
            Ok(())
        }
    }
}

/// Runs it later, also when the client has gone: a real node does so too when its load has passed.
fn apply_late(world: Arc<World>, number: usize, script: String, input: Zeroizing<Vec<u8>>, delay: Duration) {
    world.shared.late.fetch_add(1, Ordering::SeqCst);
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        let login = far::login(&world, number, &script, None);
        let mut input = input.as_slice();
        tokio::select! {
            _ = session::run(login, &mut input, NOBODY) => {}
            () = world.shared.stopped() => {}
        }
        world.shared.late.fetch_sub(1, Ordering::SeqCst);
        world.shared.touch();
    });
}

async fn answer(world: &World, code: Option<i32>, to: &mut OwnedWriteHalf) -> io::Result<()> {
    world.shared.touch();
    // A signal ended it: ssh has no status for that.
    end(to, code.unwrap_or(255)).await
}

async fn refuse(to: &mut OwnedWriteHalf, status: i32, text: &str) -> io::Result<()> {
    to.write_all(&session::frame(Kind::Errors, format!("{text}\n").as_bytes())).await?;
    end(to, status).await
}

async fn end(to: &mut OwnedWriteHalf, status: i32) -> io::Result<()> {
    to.write_all(&session::frame(Kind::Ended, &status.to_be_bytes())).await?;
    to.shutdown().await
}

fn refusal(status: u16, node: &str) -> (i32, String) {
    match status {
        401 => (255, format!("root@{node}: Permission denied (publickey).")),
        403 => (1, "sudo: a password is required".to_owned()),
        421 => (255, "Host key verification failed.".to_owned()),
        255 => (255, format!("ssh: connect to host {node} port 22: Connection timed out")),
        status => (i32::from(status), format!("sh: the lab ends this with {status}")),
    }
}

/// What the script calls itself; `run` where it doesn't.
fn word(script: &str) -> &str {
    let rest = script.split_once(WORD).map_or("", |(_, rest)| rest);
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-' && letter != '_');
    match &rest[..end.unwrap_or(rest.len())] {
        "" => "run",
        word => word,
    }
}

/// A script is seen by everybody who may list processes: a key, a token or a password in it is a defect.
fn look_for_secrets(world: &World, number: usize, script: &str) {
    let found = |what: &str| {
        let name = &world.nodes[number].name;
        lock(&world.forbidden).push(format!("{name}: {what} in the script of `{}`", word(script)));
    };
    if may_hold_a_secret(script) {
        let confs = world.nodes.iter().filter_map(|node| node.conf().ok());
        let folders = confs.flat_map(|conf| [conf.tokens.folder, conf.receipts.folder]);
        let texts = folders.filter_map(|folder| repository::read(&folder, Reader::here()).ok()).flatten();
        if texts.into_iter().any(|(_, text)| holds(script, &text)) {
            found("a key");
        }
        if lock(&world.issued).iter().any(|one| script.contains(one.token.as_str())) {
            found("a token");
        }
    }
    if world.accounts.iter().any(|account| script.contains(account.password.as_str())) {
        found("a password");
    }
}

/// Whether a word is long enough and no mere digest: only then all keys are read, which for many nodes is no small thing.
fn may_hold_a_secret(script: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let mut words = script.as_bytes().split(|byte| !is_letter(*byte));
    words.any(|word| word.len() >= 43 && !word.iter().all(u8::is_ascii_hexdigit))
}

/// With or without the padding.
fn holds(script: &str, key: &str) -> bool {
    let key = key.trim().trim_end_matches('=');
    key.len() > 8 && script.contains(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_called_by_the_first_word_of_its_line() {
        assert_eq!(word("set -e\n# changeguard: install node0 stage 1\nmv a b"), "install");
        assert_eq!(word("sudo -n sh -c '# changeguard: back-up\nset -e'"), "back-up");
        assert_eq!(word("sh -c '# changeguard: look'"), "look");
        assert_eq!([word("echo"), word("# changeguard: "), word("")], ["run"; 3]);
    }

    #[test]
    fn a_digest_in_a_script_is_no_secret_and_a_key_is() {
        let key = "aB3-_".repeat(9);
        assert!(may_hold_a_secret(&format!("# changeguard: place\n: '{}='", &key[..43])));
        assert!(!may_hold_a_secret(&format!("/a/path/of-a-node/{} {}", "0f".repeat(32), "x".repeat(42))));
        assert!(holds(&key, &key[1..44]) && holds(&key, &format!("{}=\n", &key[..43])) && !holds(&key, ""));
    }
}
