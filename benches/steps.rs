//! How long steps 2 to 5 take on real services in one warm process, as the terminal runs them. Prints, asserts nothing.
//!
//!     CHANGEGUARD_BENCH_CONFIG=FILE CHANGEGUARD_BENCH_TENANT=NAME cargo bench --bench steps
//!
//! It rotates that tenant's key for real, each client recorded as back: only for a test installation.

use changeguard::domain::acknowledgement::{Answer, Channel};
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::step::StepNumber;
use changeguard::domain::tenant::Tenant;
use changeguard::domain::window::Window;
use changeguard::engine::command::Command;
use changeguard::engine::record::{Cause, Entry, Record};
use changeguard::engine::step::Progress;
use changeguard::runtime::conductor::{Conductor, Watcher};
use changeguard::runtime::wiring::{Wiring, environment};
use std::path::Path;
use std::sync::Arc;

const ROTATIONS: usize = 7;

struct Silent;

impl Watcher for Silent {
    fn changed(&self, _conductor: &Conductor) {}
    fn progress(&self, _tenant: &Tenant, _progress: Progress) {}
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (Some(config), Some(name)) = (environment("CHANGEGUARD_BENCH_CONFIG"), environment("CHANGEGUARD_BENCH_TENANT"))
    else {
        println!("set CHANGEGUARD_BENCH_CONFIG to a configuration and CHANGEGUARD_BENCH_TENANT to a tenant of it");
        return Ok(());
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let wiring = Wiring::open(changeguard::config::load(Some(Path::new(&config)), &environment)?).await?;
    let (tenants, _) = wiring.tenants().await;
    let fleet = wiring.fleet(tenants, Arc::new(Silent))?;
    let conductor = fleet.find(&name)?;
    let mut all = Vec::new();
    for _ in 0..ROTATIONS {
        let ms = rotate(conductor).await?;
        println!(
            "check {:5.0}  keys {:5.0}  secret {:5.0}  object {:5.0}  all {:5.0} ms",
            ms[0], ms[1], ms[2], ms[3], ms[4]
        );
        all.push(ms[4]);
    }
    all.sort_by(f64::total_cmp);
    println!("steps 2 to 5, median of {ROTATIONS}: {:.0} ms", all[ROTATIONS / 2]);
    Ok(())
}

async fn rotate(conductor: &Conductor) -> anyhow::Result<[f64; 5]> {
    let now = jiff::Timestamp::now();
    let window = Window {
        start: now,
        end: jiff::Timestamp::from_second(now.as_second() + 3600)?,
        zone: "UTC".into(),
        revision: 1,
    };
    conductor.run(Command::Plan { window, cause: Cause::Scheduled, reference: "bench".into() }).await?;
    conductor.run(Command::Notify { kind: NoticeKind::Announcement, only: None, again: false }).await?;
    let rotation = conductor.rotation().ok_or_else(|| anyhow::anyhow!("nothing is planned"))?;
    for client in &rotation.clients {
        let (client, answer, channel) = (client.id.clone(), Answer::Confirmed, Channel::Phone);
        conductor.run(Command::Answer { client, answer, channel, note: String::new() }).await?;
    }
    conductor.run(Command::Rotate { confirm: conductor.tenant().name.clone(), through_tunnel: String::new() }).await?;
    let entries = conductor.entries();
    for client in &rotation.clients {
        conductor.run(Command::Back { client: client.id.clone(), note: "bench".into() }).await?;
    }
    conductor.run(Command::Finish { note: "bench".into(), despite: String::new() }).await?;
    let of = [StepNumber::CHECK, StepNumber::STAGE, StepNumber::SECRET, StepNumber::OBJECT].map(|s| took(&entries, s));
    Ok([of[0], of[1], of[2], of[3], of.iter().sum()])
}

/// From a step's start to its success, ms.
fn took(entries: &[Entry], wanted: StepNumber) -> f64 {
    let at = |pick: fn(&Record) -> Option<StepNumber>| {
        entries.iter().rev().find(|entry| pick(&entry.record) == Some(wanted)).map(|entry| entry.at)
    };
    let start = at(|record| if let Record::StepStarted { step } = record { Some(*step) } else { None });
    let end = at(|record| if let Record::StepSucceeded { step, .. } = record { Some(*step) } else { None });
    match (start, end) {
        (Some(start), Some(end)) => end.duration_since(start).as_secs_f64() * 1000.0,
        _ => f64::NAN,
    }
}
