//! How planning, telling and showing grow with the number of people: one tenant of the embedded lab, its people in the
//! contacts file, its mail server on loopback; and the program's sender alone, with the same mails written before, over as many
//! connections to the same server. The server takes a mail at once, and then in 7 ms, as the Postfix of `benches/mail.rs` did.
//! Prints, asserts nothing.
//!
//!     cargo bench --bench people
//!
//! CHANGEGUARD_BENCH_PEOPLE sets the sizes (default `200,1000,5000`). CPU is this process's, the lab and its server with it.

use anyhow::{Context, Result, ensure};
use changeguard::adapters::lab::{Lab, LabOptions, Service};
use changeguard::config::{self, Contact};
use changeguard::domain::client::Entry;
use changeguard::domain::notice::{Delivery, NoticeKind};
use changeguard::domain::tenant::Tenant;
use changeguard::domain::window::Window;
use changeguard::engine::command::Command;
use changeguard::engine::machine::SendOrder;
use changeguard::engine::ports::Unfenced;
use changeguard::engine::record::Cause;
use changeguard::engine::step::Progress;
use changeguard::runtime::conductor::{Conductor, Watcher};
use changeguard::runtime::wiring::{Wiring, environment};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SIZES: &str = "200,1000,5000";
/// How long the server takes for a mail.
const TAKES: [Duration; 2] = [Duration::ZERO, Duration::from_millis(7)];

struct Silent;

impl Watcher for Silent {
    fn changed(&self, _conductor: &Conductor) {}
    fn progress(&self, _tenant: &Tenant, _progress: Progress) {}
}

/// What something took: by the clock, and of the processor.
struct Took {
    wall: f64,
    cpu: f64,
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, Took) {
    let (began, cpu) = (Instant::now(), processor());
    let result = work.await;
    (result, Took { wall: began.elapsed().as_secs_f64(), cpu: processor() - cpu })
}

/// Seconds of processor time of this process, all its threads (Linux counts 100 ticks a second).
fn processor() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind = text.rsplit_once(')').map_or("", |(_, behind)| behind);
    let ticks = |at: usize| behind.split_whitespace().nth(at).and_then(|word| word.parse::<f64>().ok());
    (ticks(11).unwrap_or(f64::NAN) + ticks(12).unwrap_or(f64::NAN)) / 100.0
}

#[tokio::main]
async fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sizes = environment("CHANGEGUARD_BENCH_PEOPLE").unwrap_or_else(|| SIZES.into());
    println!("{:>8} {:<28} {:>9} {:>9} {:>12}", "people", "what", "wall s", "CPU s", "ms a person");
    for size in sizes.split(',') {
        measure(size.trim().parse().context("CHANGEGUARD_BENCH_PEOPLE is a list of numbers")?).await?;
    }
    Ok(())
}

async fn measure(people: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let options = LabOptions::still(folder.path(), env!("CARGO_BIN_EXE_changeguard"));
    let lab = Lab::start(options).await?;
    let mut config = config::load(Some(lab.config_path()), &|_| None)?;
    config.contacts = (0..people).map(contact).collect();
    let connections = config.smtp.connections;
    let wiring = Wiring::open(config).await?;
    let (tenants, _) = wiring.tenants().await;
    let fleet = wiring.fleet(tenants.clone(), Arc::new(Silent))?;
    let acme = fleet.find("acme")?;
    let say = |what: &str, took: &Took| {
        let each = took.wall * 1000.0 / people as f64;
        println!("{people:>8} {what:<28} {:>9.3} {:>9.2} {each:>12.3}", took.wall, took.cpu);
    };

    let now = jiff::Timestamp::now();
    let end = jiff::Timestamp::from_second(now.as_second() + 3600)?;
    let window = Window { start: now, end, zone: "UTC".into(), revision: 1 };
    let plan = Command::Plan { window, cause: Cause::Scheduled, reference: "bench".into() };
    let (planned, took) = timed(acme.run(plan)).await;
    planned?;
    say("plan", &took);

    let (letters, took) =
        timed(async { acme.previews(&SendOrder { kind: NoticeKind::Announcement, only: None, again: false }) }).await;
    let letters = letters?;
    say("the mails written, one thread", &took);
    let mailer = wiring.world(acme.tenant().clone(), Arc::new(Unfenced))?.mailer;
    for takes in TAKES {
        lab.world().set_latency(Service::Smtp, takes);
        let bare = async {
            let sending = futures_util::stream::iter(&letters).map(|(_, letter)| mailer.send(letter));
            let mut sending = sending.buffer_unordered(connections);
            while let Some(delivery) = sending.next().await {
                ensure!(matches!(delivery, Delivery::Sent { .. }), "{delivery:?}");
            }
            Ok(())
        };
        let (sent, floor) = timed(bare).await;
        sent?;
        say(&format!("sender alone, {} ms a mail", takes.as_millis()), &floor);
        // Whoever was told is told once more only by name.
        let everybody = letters.iter().map(|(client, _)| client.clone()).collect();
        let (only, again) = if takes.is_zero() { (None, false) } else { (Some(everybody), true) };
        let announce = Command::Notify { kind: NoticeKind::Announcement, only, again };
        let (told, took) = timed(acme.run(announce)).await;
        told?;
        say(&format!("notify, {} ms a mail", takes.as_millis()), &took);
        println!("{people:>8} notify at {:.2} of the rate of the sender alone", floor.wall / took.wall);
    }

    acme.look().await;
    let (status, took) = timed(async { acme.status() }).await;
    ensure!(status.clients.len() >= people, "{} of {people} are shown", status.clients.len());
    say("status, derived", &took);

    // As a new process has it: the journal is read and folded, the world is looked at, and all of it is printed.
    let cold = wiring.fleet(tenants, Arc::new(Silent))?;
    let acme = cold.find("acme")?;
    let (printed, took) = timed(async {
        acme.reload().await?;
        acme.look().await;
        Ok::<_, anyhow::Error>(serde_json::to_string(&acme.status())?)
    })
    .await;
    printed?;
    say("status, from nothing", &took);
    Ok(())
}

fn contact(at: usize) -> Contact {
    let entry = Entry {
        id: format!("u-{at:05}"),
        name: Some(format!("Zoë Number {at}")),
        email: Some(format!("zoe.number.{at}@people.example")),
        public_key: None,
    };
    Contact { tenant: "acme".into(), entry }
}
