//! The program killed at random moments while it sends and while it reads: nobody has two mails of a kind without its being
//! shown, nobody none, and no answer is lost.

use crate::pty::PATIENCE;
use crate::sample;
use changeguard::adapters::lab::{Lab, LabOptions, Pace, Service};
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::{Output, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_changeguard");
/// So many processes must have died.
fn kills() -> usize {
    if sample::is_all() { 50 } else { 3 }
}
const CLIENTS: usize = 12;
/// Each tenant is told and heard once; a killed process seldom leaves more than a few rounds to do.
const TENANTS: usize = 12;

/// xorshift64*: the same moments for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % limit
    }
}

struct Desk {
    lab: Lab,
    chance: Chance,
    kills: usize,
    _folder: tempfile::TempDir,
}

impl Desk {
    async fn open() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = crate::scene::folder();
        let options = LabOptions {
            tenants: TENANTS,
            clients: CLIENTS,
            pace: Pace::Instant,
            seed: 11,
            ..LabOptions::still(folder.path(), PROGRAM)
        };
        let lab = Lab::start(options).await.unwrap();
        // Long enough that a death finds mails on their way.
        lab.world().set_latency(Service::Smtp, Duration::from_millis(3));
        Self { lab, chance: Chance(sample::number("mail kills")), kills: 0, _folder: folder }
    }

    fn command(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(PROGRAM);
        command.arg("--config").arg(self.lab.config_path()).args(arguments);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("USER", "ops");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        tokio::time::timeout(PATIENCE, self.command(arguments).output()).await.expect("it hangs").unwrap()
    }

    /// Runs it, and kills it at a random record: before it is durable, or right after.
    async fn run_to_its_death(&mut self, arguments: &[&str], records: u64) {
        let word = ["kill-before", "kill-after"][self.chance.below(2) as usize];
        let nth = 1 + self.chance.below(records);
        let mut command = self.command(arguments);
        let output = command.env("CHANGEGUARD_REHEARSE", format!("{word} {nth}")).output();
        let output = tokio::time::timeout(PATIENCE, output).await.expect("it hangs").unwrap();
        self.kills += usize::from(output.status.signal() == Some(9));
    }

    async fn status(&self, tenant: &str) -> Value {
        let output = self.run(&["status", tenant, "--offline", "--json"]).await;
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
    }

    /// The Message-IDs that arrived.
    fn arrived(&self) -> Vec<String> {
        self.lab.world().mails().iter().filter_map(|mail| mail.header("Message-ID")).collect()
    }

    /// Says the truth about every mail of which the program says that it does not know.
    async fn resolve(&self, tenant: &str, status: &Value) {
        for notice in status["notices"].as_array().unwrap().iter().filter(|n| n["delivery"]["delivery"] == "uncertain")
        {
            let id = notice["message_id"].as_str().unwrap();
            let done = if self.arrived().iter().any(|arrived| arrived == id) { "true" } else { "false" };
            let output = self.run(&["resolve", tenant, "--mail", id, "--done", done, "--reason", "asked them"]).await;
            assert!(output.status.success(), "{output:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_while_sending_and_reading_nobody_has_two_mails_nobody_none_and_no_answer_is_lost() {
    let mut desk = Desk::open().await;
    let tenants: Vec<String> = desk.lab.world().tenants().into_iter().map(|tenant| tenant.name).collect();
    let first = jiff::Timestamp::now().as_second() + 3600;
    for (turn, tenant) in tenants.iter().cycle().take(TENANTS * 4).enumerate() {
        // Another window each time: the same one again is no change.
        let start = jiff::Timestamp::from_second(first + 60 * turn as i64).unwrap();
        let start = start.strftime("%Y-%m-%d %H:%M").to_string();
        if desk.kills >= kills() && desk.status(tenant).await["phase"] != "idle" {
            break;
        }
        let change = desk.status(tenant).await["phase"] != "idle";
        let mut plan = vec!["plan", tenant, "--start", &start, "--length", "1h"];
        if change {
            // Everybody is asked again.
            plan.push("--change");
        }
        let output = desk.run(&plan).await;
        assert!(output.status.success(), "{output:?}");
        let mut rounds = 0;
        loop {
            desk.run_to_its_death(&["notify", tenant, "--kind", "announcement"], 2 * CLIENTS as u64 + 2).await;
            desk.resolve(tenant, &desk.status(tenant).await).await;
            desk.run(&["resume", tenant]).await;
            desk.resolve(tenant, &desk.status(tenant).await).await;
            let world = desk.lab.world();
            // What was asked is answered within 40 ms.
            let asked = world.mails().len();
            assert!(
                world.until(PATIENCE, |world| world.mailbox("INBOX").len() >= asked).await,
                "somebody did not answer"
            );
            desk.run_to_its_death(&["mail", "sync"], CLIENTS as u64).await;
            let output = desk.run(&["mail", "sync", "--json"]).await;
            assert!(output.status.success(), "{output:?}");
            let status = desk.status(tenant).await;
            // One tenant's server has a peer of whom nobody knows who it is.
            let mut people = status["clients"].as_array().unwrap().iter().filter(|client| client["email"].is_string());
            // What an answer is taken for is the judge's; here it counts that it has come.
            if people.all(|client| client["standing"] == "confirmed" || client["standing"] == "to-read") {
                break;
            }
            rounds += 1;
            let stands = status["clients"]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| format!("{} {} {}", c["id"], c["standing"], c["standing_detail"]));
            assert!(rounds < 20, "it leads nowhere: {:#?}", stands.collect::<Vec<_>>());
        }
        let status = desk.status(tenant).await;
        let revision = status["window"]["revision"].as_u64().unwrap();
        let mut per_client = BTreeMap::<&str, usize>::new();
        let arrived = desk.arrived();
        for notice in status["notices"].as_array().unwrap().iter().filter(|n| n["revision"] == revision) {
            let times = arrived.iter().filter(|id| *id == notice["message_id"].as_str().unwrap()).count();
            *per_client.entry(notice["client"].as_str().unwrap()).or_default() += times;
        }
        assert_eq!(per_client.len(), CLIENTS, "{per_client:?}");
        assert!(per_client.values().all(|times| *times == 1), "{tenant}: {per_client:?}");
        let mails = status["mails"].as_array().unwrap();
        let mut ids: Vec<&str> = mails.iter().map(|mail| mail["mail"].as_str().unwrap()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "a mail was taken in twice");
        assert_eq!(all, CLIENTS * revision as usize, "{tenant}: an answer is lost");
    }
    println!("{} processes were killed", desk.kills);
    assert!(desk.kills >= kills(), "only {} died", desk.kills);
}
