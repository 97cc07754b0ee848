//! What a whole rotation of a Keystone cluster costs on the embedded lab, by the program itself: `rotate` with a watch of 0 s and no
//! pauses, beside its floor measured in the same run: one `keystone-manage`, one connection to all nodes side by side, and the requests of
//! the matrices at the speed at which the nodes answer. Prints, asserts nothing.
//!
//!     cargo bench --bench cluster
//!
//! CHANGEGUARD_BENCH_NODES sets the sizes (default `3,10,50`); CHANGEGUARD_BENCH_PROGRAM has another build of the program rotate, for a
//! comparison on the same nodes.

use anyhow::{Context, Result, ensure};
use changeguard::adapters::lab::fernet::{Cluster, ClusterOptions};
use changeguard::adapters::lab::{Lab, LabOptions, Service};
use changeguard::runtime::wiring::environment;
use futures_util::StreamExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_changeguard");
/// So many nodes are worked on at once, as the configuration has it by itself.
const AT_ONCE: usize = 8;

#[tokio::main]
async fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sizes = environment("CHANGEGUARD_BENCH_NODES").unwrap_or_else(|| "3,10,50".into());
    println!("{:>6} {:>7} {:>8} {:>9} {:>8} {:>6}", "nodes", "shells", "requests", "rotate s", "floor s", "times");
    for size in sizes.split(',') {
        measure(size.trim().parse().context("CHANGEGUARD_BENCH_NODES is a list of numbers")?).await?;
    }
    Ok(())
}

async fn measure(nodes: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (lab_at, cluster_at) = (folder.path().join("lab"), folder.path().join("cluster"));
    for made in [&lab_at, &cluster_at] {
        private(made)?;
    }
    let mut lab = Lab::start(LabOptions::still(&lab_at, PROGRAM)).await?;
    lab.add_cluster(ClusterOptions { nodes, ..ClusterOptions::steady(&cluster_at, PROGRAM) }).await?;
    let config = lab.config_path().to_owned();
    let text = std::fs::read_to_string(&config)?.replace("[keystone.lab]\n", "[keystone.lab]\npause = \"0s\"\n");
    std::fs::write(&config, text)?;
    let cluster = lab.cluster().context("no cluster")?.clone();

    let connect = connections(&cluster, "true").await?;
    let manage = manages(&cluster).await?;
    let counts = counts(&lab);
    let began = Instant::now();
    rotate(&config).await?;
    let took = began.elapsed();
    let [shells, requests] = [0, 1].map(|of| counts[of].load(Ordering::Relaxed));
    let answers = answers(&cluster, requests).await?;
    let floor = connect + manage + answers;
    println!(
        "{nodes:>6} {shells:>7} {requests:>8} {:>9.2} {:>8.2} {:>6.1}",
        took.as_secs_f64(),
        floor.as_secs_f64(),
        took.as_secs_f64() / floor.as_secs_f64()
    );
    lab.stop().await;
    Ok(())
}

fn private(folder: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    Ok(std::fs::DirBuilder::new().mode(0o700).create(folder)?)
}

/// How many shells and how many requests of Keystone there are from now on.
fn counts(lab: &Lab) -> Arc<[AtomicUsize; 2]> {
    let counts: Arc<[AtomicUsize; 2]> = Arc::default();
    let counting = counts.clone();
    lab.faults().observe(move |request| {
        let of = match request.service {
            Service::NodeShell => 0,
            Service::Node(_) => 1,
            _ => return,
        };
        counting[of].fetch_add(1, Ordering::Relaxed);
    });
    counts
}

async fn rotate(config: &Path) -> Result<()> {
    let program = environment("CHANGEGUARD_BENCH_PROGRAM").unwrap_or_else(|| PROGRAM.into());
    let mut command = tokio::process::Command::new(program);
    command.arg("--config").arg(config).args(["rotate", "keystone/lab", "--confirm", "lab", "--json"]);
    let ended = command.stdin(Stdio::null()).output().await?;
    ensure!(ended.status.success(), "rotate: {}", String::from_utf8_lossy(&ended.stderr));
    Ok(())
}

fn shell(cluster: &Cluster, node: &str, script: &str) -> tokio::process::Command {
    let argv: Vec<String> = cluster.ssh().into_iter().map(|word| word.replace("{node}", node)).collect();
    let mut command = Command::new(&argv[0]);
    command.args(&argv[1..]).arg(script).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.into()
}

/// One connection to each node, as many at once as the program has.
async fn connections(cluster: &Cluster, script: &str) -> Result<Duration> {
    let began = Instant::now();
    let names = cluster.names();
    let runs = names.iter().map(|name| shell(cluster, name, script).status());
    let ended: Vec<_> = futures_util::stream::iter(runs).buffer_unordered(AT_ONCE).collect().await;
    for status in ended {
        ensure!(status?.success(), "{script} on a node");
    }
    Ok(began.elapsed())
}

/// One rotation in a copy that nobody uses.
async fn manages(cluster: &Cluster) -> Result<Duration> {
    let etc = cluster.etc(0);
    let etc = etc.display();
    let script = format!(
        "cp -Rp {etc}/fernet-keys {etc}/bench && printf '[fernet_tokens]\\nkey_repository = {etc}/bench\\n[fernet_receipts]\\n\
         key_repository = {etc}/bench\\n' > {etc}/bench.conf && keystone-manage --config-file {etc}/keystone.conf --config-file \
         {etc}/bench.conf fernet_rotate; rm -rf {etc}/bench {etc}/bench.conf"
    );
    let began = Instant::now();
    ensure!(shell(cluster, "node0", &script).status().await?.success(), "keystone-manage on node0");
    Ok(began.elapsed())
}

/// So many requests on kept connections, spread over the nodes, as many at once as the program has.
async fn answers(cluster: &Cluster, requests: usize) -> Result<Duration> {
    let client = reqwest::Client::new();
    let urls = &cluster.urls();
    let issued = |node: usize| cluster.issue(node, cluster.admin()).map_err(anyhow::Error::msg);
    let tokens = (0..urls.len()).map(issued).collect::<Result<Vec<_>>>()?;
    let each = urls.iter().zip(&tokens).map(|(url, token)| {
        let client = client.clone();
        async move {
            for _ in 0..requests.div_ceil(urls.len()) {
                let request = client.get(format!("{url}/auth/tokens?nocatalog=1"));
                let request = request.header("x-auth-token", token.as_str()).header("x-subject-token", token.as_str());
                request.send().await?.error_for_status()?.bytes().await?;
            }
            Ok::<(), anyhow::Error>(())
        }
    });
    let each: Vec<_> = each.collect();
    let began = Instant::now();
    for done in futures_util::stream::iter(each).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
        done?;
    }
    Ok(began.elapsed())
}
