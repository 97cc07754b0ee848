//! A journal on PostgreSQL that changes under a rotation: the server is killed and its standby takes over, with every record or
//! without the last, and a snapshot of the time when the gate was open is put back after the rotation.

use crate::live::{Live, text, until};
use crate::live_faults::{Rotating, assert_finishes, assert_resumes};
use crate::live_postgres::{Database, described};
use crate::store_suite::Place;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// The name under which the server is known: who is behind it can be changed, as with an address that moves.
struct Address {
    port: u16,
    behind: Arc<Mutex<String>>,
    moved: tokio::sync::watch::Sender<()>,
    runtime: tokio::runtime::Runtime,
}

impl Address {
    fn of(first: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (behind, moved) = (Arc::new(Mutex::new(first.to_owned())), tokio::sync::watch::channel(()).0);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (shared, told) = (behind.clone(), moved.clone());
        runtime.spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (to, mut moved) = (shared.lock().unwrap().clone(), told.subscribe());
                tokio::spawn(async move {
                    let Ok(mut server) = TcpStream::connect(to).await else { return };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        _ = moved.changed() => {}
                    }
                });
            }
        });
        Self { port, behind, moved, runtime }
    }

    fn moves_to(&self, address: &str) {
        address.clone_into(&mut self.behind.lock().unwrap());
        self.moved.send_replace(());
    }
}

/// A journal behind such an address; the standby and what was changed for it go with this.
struct Journal {
    live: Live,
    database: Database,
    address: Address,
    standby: String,
}

impl Journal {
    fn start(standby: &[&str]) -> Self {
        let primary = described()["address"].as_str().unwrap().to_owned();
        let address = Address::of(&primary);
        let database = address.runtime.block_on(Database::new());
        let url = database.url().replace(&primary, &format!("127.0.0.1:{}", address.port));
        let mut live = Live::start_with("globex", |config| with_state(&config, &url));
        live.journal_url = Some(database.url_with_password());
        let standby = if standby.is_empty() { String::new() } else { live.script("standby", standby) };
        Self { live, database, address, standby: standby.trim().to_owned() }
    }

    /// The server dies, the standby becomes the server, and the address moves.
    fn fails_over(&self) {
        self.live.script("standby", &["promote"]);
        self.address.moves_to(&self.standby);
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if !self.standby.is_empty() {
            self.live.script("standby", &["end"]);
        }
        self.live.script("seed", &["--reset", "globex"]);
    }
}

fn with_state(config: &str, url: &str) -> String {
    let file = described()["password_file"].as_str().unwrap().to_owned();
    config.replace("[state]\n", &format!("[state]\nurl = {url:?}\npassword_file = {file:?}\n"))
}

/// The key that is live outside, whatever the journal says.
fn key(live: &Live) -> String {
    live.outside().public
}

#[test]
#[ignore = "needs the live services: tests/live/run"]
fn live_a_standby_that_is_promoted_in_the_middle_has_every_record_and_the_rotation_goes_on() {
    let journal = Journal::start(&["make", "synchronous"]);
    let live = &journal.live;
    let before = live.outside();
    let mut rotating = Rotating::begin(live);
    // Whoever is led to the standby too early reads, and is told why nothing can be written there.
    let url = journal.database.url().replace(described()["address"].as_str().unwrap(), &journal.standby);
    let early = live.folder().join("early.toml");
    let config = std::fs::read_to_string(&live.config).unwrap();
    let at = config.lines().find(|line| line.starts_with("url = \"postgres")).unwrap().to_owned();
    std::fs::write(&early, config.replace(&at, &format!("url = {url:?}"))).unwrap();
    let on_standby = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_changeguard"));
        let done = command.arg("--config").arg(&early).args(arguments).output().unwrap();
        (
            done.status.code(),
            String::from_utf8_lossy(&done.stdout).into_owned(),
            String::from_utf8_lossy(&done.stderr).into_owned(),
        )
    };
    rotating.until_started(4);
    live.script("service", &["postgres", "kill"]);
    let ended = rotating.child.wait_with_output().unwrap();
    let error = String::from_utf8(ended.stderr).unwrap();
    println!("the journal's server killed in step 4: {}\n  {}", ended.status, error.replace('\n', "\n  "));
    assert_eq!(ended.status.code(), Some(1), "{error}");
    assert!(error.contains("journal:") && !error.contains("somebody else"), "the first cause: {error}");
    let (code, out, err) = on_standby(&["status", "globex", "--json"]);
    assert_eq!(code, Some(0), "{err}");
    let read: Value = serde_json::from_str(&out).unwrap();
    assert!(read["rotation"].is_string(), "{read:#}");
    let (code, _, err) = on_standby(&["resume", "globex"]);
    assert!(code == Some(1) && err.contains("read-only") && err.contains("standby"), "{code:?}: {err}");

    journal.fails_over();
    let status = live.status();
    assert_eq!(status["lost"], Value::Null, "no record is lost: {:#}", status["attention"]);
    assert_resumes(live, &before, "the standby was promoted in step 4");
    let verified = live.run(&["audit", "verify"]).expect(0).out;
    assert!(verified.contains("intact"), "{verified}");
}

/// Takes only what is offered, until the rotation is closed. Gives the actions.
fn follow(live: &Live) -> Vec<String> {
    let mut taken = Vec::new();
    for _ in 0..16 {
        let status = live.status();
        let (action, name) = (text(&status["next"]["action"]).to_owned(), live.name());
        let said = text(&status["next"]["text"]).to_owned();
        println!("  offered: {action}: {said}");
        let mail = &status["next"]["mail"];
        let ended = match action.as_str() {
            "recover" => {
                live.run(&["recover", name, "--confirm", name, "--reason", "a fail-over without the last records"])
            }
            // Everybody is waived here, and nobody comes back: that wants a reason.
            "verify" if said.contains("finish with a reason") => {
                live.run(&["finish", name, "--reason", "nobody reconfigures here"])
            }
            "resume" | "verify" | "finish" => live.run(&[&action, name]),
            "reconfigure" => live.run(&["notify", name, "--kind", "reconfigure"]),
            "resolve" => {
                let id = text(&mail["message_id"]);
                let arrived = live.clients("email").iter().any(|address| {
                    let mails = live.inspect("mail", address);
                    mails.as_array().unwrap().iter().any(|mail| text(&mail["message_id"]) == id)
                });
                live.run(&["resolve", name, "--mail", id, "--done", if arrived { "true" } else { "false" }])
            }
            _ => return taken,
        };
        ended.expect(0);
        taken.push(action);
    }
    panic!("no end: {taken:?}");
}

#[test]
#[ignore = "needs the live services: tests/live/run"]
fn live_a_standby_that_is_promoted_without_the_last_records_is_recovered_and_nothing_is_rotated_twice() {
    let journal = Journal::start(&["make"]);
    let live = &journal.live;
    live.plan();
    live.waive_all();
    let gate_open = live.journal().len();
    let at_standby =
        live.journal_url.as_ref().unwrap().replace(described()["address"].as_str().unwrap(), &journal.standby);
    until("the standby to have the open gate", Duration::from_secs(30), || {
        let count = async {
            let mut connection = sqlx::PgConnection::connect(&at_standby).await.ok()?;
            let (count,): (i64,) =
                sqlx::query_as("SELECT count(*) FROM record").fetch_one(&mut connection).await.ok()?;
            (count == i64::try_from(gate_open).unwrap()).then_some(())
        };
        live.runtime.block_on(count)
    });
    // Killed, not stopped: what the server has sent to a stopped one lies in its socket.
    live.script("service", &["postgres-standby", "kill"]);
    live.run(&["rotate", "globex", "--confirm", "globex"]).expect(0);
    let rotated = key(live);
    live.script("service", &["postgres", "kill"]);
    live.script("service", &["postgres-standby", "start"]);
    journal.fails_over();
    assert_goes_on_once(live, &rotated);
}

/// A second rotation is refused, and the way out closes the first one, with its key.
fn assert_goes_on_once(live: &Live, rotated: &str) {
    let status = live.status();
    assert_eq!(status["next"]["action"], "recover", "{:#}", status["next"]);
    assert!(
        status["attention"][0].as_str().unwrap().contains("END OF THE JOURNAL IS LOST"),
        "{:#}",
        status["attention"]
    );
    let refused = live.run(&["rotate", "globex", "--confirm", "globex"]);
    assert!(refused.code != 0 && refused.err.contains("END OF THE JOURNAL IS LOST"), "{}", refused.err);
    assert_eq!(key(live), rotated, "nothing was touched");
    let taken = follow(live);
    assert_eq!(taken[0], "recover", "{taken:?}");
    let (end, status) = (live.outside(), live.status());
    crate::live_rotation::assert_consistent(&end);
    assert_eq!((end.public.as_str(), text(&status["outcome"])), (rotated, "rotated"), "{taken:?}");
    assert_eq!(live.kept_secrets(), Vec::<String>::new());
    assert!(live.run(&["audit", "verify"]).expect(0).out.contains("intact"));
}

#[test]
#[ignore = "needs the live services: tests/live/run"]
fn live_a_snapshot_of_the_open_gate_that_is_put_back_rotates_and_mails_nothing_twice() {
    let journal = Journal::start(&[]);
    let live = &journal.live;
    live.plan();
    live.waive_all();
    let name = journal.database.name();
    let admin = |statement: String| {
        live.runtime.block_on(async {
            let mut connection = journal.database.connection("postgres").await;
            sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    };
    admin(format!("CREATE DATABASE {name}_open TEMPLATE {name}"));
    live.run(&["rotate", "globex", "--confirm", "globex"]).expect(0);
    live.run(&["notify", "globex", "--kind", "reconfigure"]).expect(0);
    let rotated = key(live);
    admin(format!("DROP DATABASE {name} WITH (FORCE)"));
    admin(format!("ALTER DATABASE {name}_open RENAME TO {name}"));
    let mails =
        |live: &Live| live.clients("email").iter().map(|to| live.mails(to, "reconfigure").len()).collect::<Vec<_>>();
    assert_eq!(mails(live), [1, 1, 1]);
    assert_goes_on_once(live, &rotated);
    assert_eq!(mails(live), [1, 1, 1], "nobody is told twice");
}

#[test]
#[ignore = "needs the live services: tests/live/run"]
fn live_a_server_that_is_killed_and_started_again_in_the_middle_loses_nothing() {
    let journal = Journal::start(&[]);
    let live = &journal.live;
    let before = live.outside();
    let mut rotating = Rotating::begin(live);
    rotating.until_started(6);
    live.script("service", &["postgres", "kill"]);
    live.script("service", &["postgres", "start"]);
    let ended = rotating.child.wait_with_output().unwrap();
    let error = String::from_utf8(ended.stderr).unwrap();
    assert!(!error.contains("somebody else"), "{error}");
    match ended.status.code() {
        Some(0) => assert_finishes(live, &before, "the journal's server was started again in time"),
        code => {
            assert!(code == Some(1) && error.contains("journal:"), "{code:?}: {error}");
            assert_resumes(live, &before, "the journal's server was started again");
        }
    }
}
