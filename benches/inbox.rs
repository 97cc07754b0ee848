//! How long the first look into a mailbox full of other people's mails takes: the program's (fetched, read, judged, kept on the
//! list of those that belong to nobody), beside a bare client that fetches the same bytes with as many commands under way and
//! looks at nothing. Prints, asserts nothing.
//!
//!     cargo bench --bench inbox
//!
//! CHANGEGUARD_BENCH_MAILS sets the sizes (default `1000,5000,20000`). The embedded lab's IMAP server runs in this process.

use anyhow::{Context, Result, ensure};
use changeguard::adapters::lab::{Lab, LabOptions};
use changeguard::config;
use changeguard::domain::tenant::Tenant;
use changeguard::engine::step::Progress;
use changeguard::runtime::conductor::{Conductor, Watcher};
use changeguard::runtime::wiring::{Wiring, environment};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

/// As the program asks: mails of one FETCH, and FETCHes under way.
const CHUNK: usize = 16;
const UNDER_WAY: usize = 8;

struct Silent;

impl Watcher for Silent {
    fn changed(&self, _conductor: &Conductor) {}
    fn progress(&self, _tenant: &Tenant, _progress: Progress) {}
}

#[tokio::main]
async fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sizes = environment("CHANGEGUARD_BENCH_MAILS").unwrap_or_else(|| "1000,5000,20000".into());
    println!("{:>8} {:>14} {:>14} {:>8}", "mails", "bare client s", "first look s", "rate");
    for size in sizes.split(',') {
        measure(size.trim().parse().context("CHANGEGUARD_BENCH_MAILS is a list of numbers")?).await?;
    }
    Ok(())
}

async fn measure(mails: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let options = LabOptions::still(folder.path(), env!("CARGO_BIN_EXE_changeguard"));
    let lab = Lab::start(options).await?;
    for at in 0..mails {
        lab.world().deliver_to_operator(mail(at).as_bytes());
    }
    let began = Instant::now();
    bare(lab.world().ports().imap, mails).await?;
    let bare = began.elapsed();

    let wiring = Wiring::open(config::load(Some(lab.config_path()), &|_| None)?).await?;
    let fleet = wiring.fleet(wiring.tenants().await.0, Arc::new(Silent))?;
    let post = wiring.post().context("the lab has a mailbox")?;
    let began = Instant::now();
    let sorted = post.sort(&fleet).await?;
    let looked = began.elapsed();
    ensure!(sorted.fetched == mails, "{} of {mails} were fetched", sorted.fetched);
    let (bare, looked) = (bare.as_secs_f64(), looked.as_secs_f64());
    println!("{mails:>8} {bare:>14.2} {looked:>14.2} {:>8.2}", bare / looked);
    Ok(())
}

/// Someone's everyday mail, about 4 kB.
fn mail(at: usize) -> String {
    let mut text = format!(
        "From: Someone {at} <someone.{at}@elsewhere.example>\r\nTo: ops@lab.example\r\nSubject: Ticket {at}\r\n\
         Message-ID: <{at}@elsewhere.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    );
    for line in 0..60 {
        let _ = write!(text, "Line {line} of a mail that concerns nobody who is asked anything, number {at}.\r\n");
    }
    text
}

async fn bare(port: u16, mails: usize) -> Result<()> {
    let mut stream = BufStream::new(TcpStream::connect(("127.0.0.1", port)).await?);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    for (tag, command) in [("a", "LOGIN ops any"), ("b", "EXAMINE INBOX")] {
        stream.write_all(format!("{tag} {command}\r\n").as_bytes()).await?;
        stream.flush().await?;
        until(&mut stream, tag).await?;
    }
    let uids: Vec<String> = (1..=mails).map(|uid| uid.to_string()).collect();
    let commands: Vec<String> = uids
        .chunks(CHUNK)
        .enumerate()
        .map(|(at, uids)| format!("f{at} UID FETCH {} (UID RFC822.SIZE BODY.PEEK[])\r\n", uids.join(",")))
        .collect();
    for (at, command) in commands.iter().enumerate() {
        stream.write_all(command.as_bytes()).await?;
        if at >= UNDER_WAY {
            stream.flush().await?;
            until(&mut stream, &format!("f{}", at - UNDER_WAY)).await?;
        }
    }
    stream.flush().await?;
    for at in commands.len().saturating_sub(UNDER_WAY)..commands.len() {
        until(&mut stream, &format!("f{at}")).await?;
    }
    Ok(())
}

/// Reads to the end of the command with this tag, literals unseen.
async fn until(stream: &mut BufStream<TcpStream>, tag: &str) -> Result<()> {
    let (mut line, mut literal) = (String::new(), Vec::new());
    loop {
        line.clear();
        ensure!(stream.read_line(&mut line).await? > 0, "the server hung up");
        if let Some(rest) = line.strip_prefix(tag).filter(|rest| rest.starts_with(' ')) {
            ensure!(rest.starts_with(" OK"), "{line}");
            return Ok(());
        }
        let announced = line.trim_end().strip_suffix('}').and_then(|head| head.rsplit_once('{')?.1.parse().ok());
        if let Some(length) = announced {
            literal.resize(length, 0);
            stream.read_exact(&mut literal).await?;
        }
    }
}
