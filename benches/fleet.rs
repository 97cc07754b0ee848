//! What `watch` costs over a fleet at rest: the program itself over the embedded lab. Its first sweep, beside the same requests by
//! themselves (as many tenants at once, without journal and judging); and then idle, measured between two sweeps, so without its
//! looks at the services. Prints, asserts nothing.
//!
//!     cargo bench --bench fleet
//!
//! CHANGEGUARD_BENCH_TENANTS sets the sizes (default `100,1000,3000`), CHANGEGUARD_BENCH_SECONDS how long is measured (60).

use anyhow::{Context, Result};
use changeguard::adapters::lab::{Lab, LabOptions, Service};
use changeguard::config;
use changeguard::domain::fault::Fault;
use changeguard::engine::ports::{Unfenced, World};
use changeguard::runtime::wiring::{Wiring, environment};
use futures_util::StreamExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_changeguard");
/// A tenant at rest is looked at fifteen times as rarely, so that no look falls into what is measured.
const INTERVAL: Duration = Duration::from_secs(20);
/// Linux counts so many ticks of processor time a second.
const TICKS: f64 = 100.0;

struct Watch(Child);

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Watch {
    /// Seconds of processor time so far, of the process itself.
    fn processor(&self) -> Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).context("watch has ended")?;
        let behind = text.rsplit_once(')').map_or("", |(_, behind)| behind);
        let ticks = |at: usize| behind.split_whitespace().nth(at).and_then(|word| word.parse::<f64>().ok());
        Ok((ticks(11).unwrap_or(f64::NAN) + ticks(12).unwrap_or(f64::NAN)) / TICKS)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sizes = environment("CHANGEGUARD_BENCH_TENANTS").unwrap_or_else(|| "100,1000,3000".into());
    let seconds = environment("CHANGEGUARD_BENCH_SECONDS").and_then(|text| text.parse().ok()).unwrap_or(60);
    println!("{:>8} {:>15} {:>14} {:>20}", "tenants", "bare requests s", "first sweep s", "idle, % of a core");
    for size in sizes.split(',') {
        measure(size.trim().parse().context("CHANGEGUARD_BENCH_TENANTS is a list of numbers")?, seconds).await?;
    }
    Ok(())
}

/// As many tenants are looked at at once by `watch`.
const AT_ONCE: usize = 8;

/// What one look asks.
async fn ask(world: World) -> Result<(), Fault> {
    let secret = async {
        for entry in world.secrets.find(&world.settings.secret_name).await? {
            world.secrets.payload(&entry.href).await?;
        }
        Ok(())
    };
    futures_util::try_join!(secret, world.object.get(), world.server.read()).map(|_| ())
}

async fn bare(config: &Path) -> Result<Duration> {
    let wiring = Wiring::open(config::load(Some(config), &|_| None)?).await?;
    let began = Instant::now();
    let (tenants, _) = wiring.tenants().await;
    let worlds: Vec<World> =
        tenants.into_iter().map(|tenant| wiring.world(tenant, Arc::new(Unfenced))).collect::<Result<_, _>>()?;
    let mut asked = futures_util::stream::iter(worlds).map(ask).buffer_unordered(AT_ONCE);
    while let Some(answered) = asked.next().await {
        answered?;
    }
    Ok(began.elapsed())
}

async fn measure(tenants: usize, seconds: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let options = LabOptions { tenants, ..LabOptions::still(folder.path(), PROGRAM) };
    let lab = Lab::start(options).await?;
    let text = std::fs::read_to_string(lab.config_path())?;
    let interval = format!("poll_interval = \"{}s\"", INTERVAL.as_secs());
    let config = lab.config_path().with_file_name("bench.toml");
    std::fs::write(&config, text.replacen("poll_interval = \"2s\"", &interval, 1))?;
    let bare = bare(&config).await?;
    let before = lab.world().count(Service::Swift, "GET") + lab.world().count(Service::Shell, "READ");
    let mut command = Command::new(PROGRAM);
    command.arg("--config").arg(&config).arg("watch").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let (watch, began) = (Watch(command.spawn()?), Instant::now());
    // The sweep is over when nobody is asked any more.
    let asked = || lab.world().count(Service::Swift, "GET") + lab.world().count(Service::Shell, "READ") - before;
    let (mut last, mut since) = (0, Instant::now());
    while last < tenants as u64 || since.elapsed() < Duration::from_secs(3) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if asked() != last {
            (last, since) = (asked(), Instant::now());
        }
        watch.processor()?;
    }
    let sweep = since.duration_since(began);
    let (cpu, began) = (watch.processor()?, Instant::now());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let share = (watch.processor()? - cpu) / began.elapsed().as_secs_f64() * 100.0;
    let looked = if asked() == last { "" } else { "   (a look fell into it)" };
    let (bare, sweep) = (bare.as_secs_f64(), sweep.as_secs_f64());
    println!("{tenants:>8} {bare:>15.1} {sweep:>14.1} {share:>20.2}{looked}");
    Ok(())
}
