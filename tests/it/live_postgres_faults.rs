//! The journal on a PostgreSQL server that refuses, is read-only, loses connections and answers, or keeps a lock; and the
//! fights of two processes there.

use crate::live_postgres::{Database, described};
use crate::store_fight;
use crate::store_suite::{Place, lost, me, note, rotation, take, tenant, verdict};
use changeguard::adapters::PasswordSource;
use changeguard::adapters::store::{Server, SqlJournal};
use changeguard::domain::fault::{Fault, FaultKind};
use changeguard::engine::journal::{AppendError, JournalStore};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn run(connection: &mut PgConnection, statement: &str) {
    sqlx::query(AssertSqlSafe(statement)).execute(connection).await.unwrap();
}

fn private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
#[ignore = "needs tests/live/run"]
async fn each_way_of_being_refused_has_its_own_words() {
    let place = Database::new().await;
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong");
    private(&wrong, "not it\n");
    let told = |fault: Fault| format!("{fault} | {}", fault.advice());
    let refused = async |url: String, file: PasswordSource| place.try_open(&url, file).await.unwrap_err();

    let fault = refused(place.url(), PasswordSource::File(wrong.clone())).await;
    assert_eq!(fault.kind, FaultKind::Unauthorized);
    assert!(told(fault.clone()).contains("does not accept this user or password"), "{}", told(fault));
    let fault = refused(place.url().replace("/cg_", "/no_"), place.password()).await;
    assert!(fault.kind == FaultKind::NotFound && told(fault.clone()).contains("database does not exist"), "{fault}");
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let fault = refused(format!("postgres://postgres@127.0.0.1:{free}/cg"), place.password()).await;
    assert!(fault.kind == FaultKind::Unreachable && fault.advice().contains("state.url"), "{fault}");
    std::fs::set_permissions(&wrong, std::fs::Permissions::from_mode(0o644)).unwrap();
    let fault = refused(place.url(), PasswordSource::File(wrong)).await;
    assert!(fault.advice().starts_with("run: chmod 600"), "{}", fault.advice());
    let fault = refused(place.url().replace("postgres@", "postgres:hunter2@"), PasswordSource::None).await;
    assert!(fault.message.contains("no password") && !told(fault.clone()).contains("hunter2"), "{fault}");

    let mut admin = place.connection("postgres").await;
    let role = place.name().replace("cg_", "role_");
    run(&mut admin, &format!("CREATE ROLE {role} LOGIN PASSWORD 'x'")).await;
    let theirs = folder.path().join("theirs");
    private(&theirs, "x");
    let url = place.url().replace("postgres@", &format!("{role}@"));
    let fault = refused(url, PasswordSource::File(theirs)).await;
    assert!(fault.kind == FaultKind::Forbidden && fault.advice().contains("owner"), "{}", told(fault));
    run(&mut admin, &format!("DROP ROLE {role}")).await;
}

#[tokio::test]
#[ignore = "needs tests/live/run"]
async fn a_read_only_server_can_be_read_and_every_write_is_refused() {
    let place = Database::new().await;
    let store = place.open().await;
    let lease = take(&store, "t1", me(1, 0)).await;
    store.append(&rotation("r"), &lease, &[note(1, "a")]).await.unwrap();
    store.close().await;
    let mut admin = place.connection("postgres").await;
    run(&mut admin, &format!("ALTER DATABASE {} SET default_transaction_read_only = on", place.name())).await;
    let store = place.open().await;
    assert_eq!(store.load(&rotation("r")).await.unwrap().len(), 1);
    assert_eq!(verdict(&store, "t1").await.finding, None);
    match store.append(&rotation("r"), &lease, &[note(2, "b")]).await {
        Err(AppendError::Fault(fault)) => assert!(fault.message.contains("read-only"), "{fault}"),
        other => panic!("{other:?}"),
    }
    assert!(store.acquire(&tenant("t1"), &me(2, 0)).await.unwrap_err().advice().contains("standby"));
}

#[tokio::test]
#[ignore = "needs tests/live/run"]
async fn after_its_connections_were_ended_and_the_password_changed_the_store_goes_on() {
    let place = Database::new().await;
    let mut admin = place.connection("postgres").await;
    let role = place.name().replace("cg_", "role_");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    private(&file, "first");
    run(&mut admin, &format!("CREATE ROLE {role} LOGIN PASSWORD 'first'")).await;
    run(&mut admin, &format!("ALTER DATABASE {} OWNER TO {role}", place.name())).await;
    let url = place.url().replace("postgres@", &format!("{role}@"));
    let store = place.try_open(&url, PasswordSource::File(file.clone())).await.unwrap();
    let lease = take(&store, "t1", me(1, 0)).await;
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'");
    for (seq, password) in [(1, None), (2, Some("it's % a:new/one?")), (3, None)] {
        store.append(&rotation("r"), &lease, &[note(seq, "a")]).await.unwrap();
        if let Some(password) = password {
            private(&file, password);
            let text = password.replace('\'', "''");
            run(&mut admin, &format!("ALTER ROLE {role} PASSWORD '{text}'")).await;
        }
        run(&mut admin, &end).await;
        assert!(store.holds(&lease).await.unwrap(), "after record {seq}");
    }
    assert_eq!(store.load(&rotation("r")).await.unwrap().len(), 3);
    store.close().await;
}

#[tokio::test]
#[ignore = "needs tests/live/run"]
async fn the_servers_certificate_is_verified_by_the_given_authority_and_no_other() {
    let place = Database::new().await;
    let text = |field: &str| described()[field].as_str().unwrap().to_owned();
    let url = place.url().replace("127.0.0.1", "localhost");
    let open = async |url: String, authority: String| {
        SqlJournal::on_server(Server::new(&url, place.password(), Some(authority.into()))?).await
    };
    let store = open(url.clone(), text("authority")).await.unwrap();
    let mut own = place.connection("postgres").await;
    let row = sqlx::query(
        "SELECT count(*) FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) WHERE s.ssl AND a.datname = $1",
    );
    store.holders().await.unwrap();
    let row = row.bind(place.name()).fetch_one(&mut own).await.unwrap();
    assert!(row.get::<i64, _>(0) > 0, "the connection is not encrypted");
    for (url, authority) in [(url, "other_authority"), (place.url(), "authority")] {
        let fault = open(url, text(authority)).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Tls, "{fault}");
    }
}

/// What the proxy does with the next COMMIT.
const PASS: u8 = 0;
const DROP_BEFORE: u8 = 1;
const DROP_AFTER: u8 = 2;
const DROP_AFTER_AND_REFUSE: u8 = 3;
const REFUSE: u8 = 4;

/// A proxy in front of the server that can lose the connection at a COMMIT. It offers no TLS, so it can read.
async fn proxy(to: String) -> (u16, Arc<AtomicU8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, mode) = (listener.local_addr().unwrap().port(), Arc::new(AtomicU8::new(PASS)));
    let shared = mode.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            if shared.load(Ordering::SeqCst) != REFUSE {
                tokio::spawn(carry(client, to.clone(), shared.clone()));
            }
        }
    });
    (port, mode)
}

async fn carry(mut client: TcpStream, to: String, mode: Arc<AtomicU8>) {
    // SSLRequest: eight bytes, answered with "no".
    let mut request = [0u8; 8];
    if client.read_exact(&mut request).await.is_err() || client.write_all(b"N").await.is_err() {
        return;
    }
    let mut server = TcpStream::connect(to).await.unwrap();
    let (mut from_client, mut from_server) = (vec![0u8; 65536], vec![0u8; 65536]);
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Ok(length @ 1..) = read else { return };
                let bytes = &from_client[..length];
                let is_commit = bytes.windows(6).any(|window| window == b"COMMIT");
                let now = if is_commit { mode.load(Ordering::SeqCst) } else { PASS };
                if now == DROP_BEFORE {
                    mode.store(PASS, Ordering::SeqCst);
                    return;
                }
                server.write_all(bytes).await.unwrap();
                if now == DROP_AFTER || now == DROP_AFTER_AND_REFUSE {
                    // The answer is waited for, so that it is surely carried out, and then lost.
                    let _ = server.read(&mut from_server).await;
                    mode.store(if now == DROP_AFTER { PASS } else { REFUSE }, Ordering::SeqCst);
                    return;
                }
            }
            read = server.read(&mut from_server) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&from_server[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs tests/live/run"]
async fn a_commit_whose_answer_was_lost_is_found_out_or_called_unknown() {
    let place = Database::new().await;
    let address = described()["address"].as_str().unwrap().to_owned();
    let (port, mode) = proxy(address.clone()).await;
    let url = place.url().replace(&address, &format!("127.0.0.1:{port}"));
    let store = place.try_open(&url, place.password()).await.unwrap();
    let lease = take(&store, "t1", me(1, 0)).await;
    let id = rotation("r");
    store.append(&id, &lease, &[note(1, "a")]).await.unwrap();

    mode.store(DROP_AFTER, Ordering::SeqCst);
    store.append(&id, &lease, &[note(2, "b")]).await.expect("it was written, and that was found out");
    mode.store(DROP_BEFORE, Ordering::SeqCst);
    match store.append(&id, &lease, &[note(3, "c")]).await {
        Err(AppendError::Fault(fault)) => assert!(fault.advice().contains("nothing was written"), "{fault}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(store.load(&id).await.unwrap().len(), 2);
    mode.store(DROP_AFTER, Ordering::SeqCst);
    store.add_to_lease_log(&tenant("t1"), &lost("step 4")).await.expect("the same for the lease log");
    mode.store(DROP_AFTER_AND_REFUSE, Ordering::SeqCst);
    match store.append(&id, &lease, &[note(3, "c")]).await {
        Err(AppendError::Unknown(fault)) => assert!(fault.advice().contains("is not known"), "{}", fault.advice()),
        other => panic!("{other:?}"),
    }
    mode.store(PASS, Ordering::SeqCst);
    assert_eq!(store.load(&id).await.unwrap().len(), 3, "the next load decides");
    assert!(matches!(store.append(&id, &lease, &[note(3, "c")]).await, Err(AppendError::Conflict { expected: 3 })));
    store.append(&id, &lease, &[note(4, "d")]).await.unwrap();
    assert_eq!(verdict(&store, "t1").await.finding, None);
}

#[tokio::test]
#[ignore = "needs tests/live/run"]
async fn a_process_that_is_stopped_within_a_transaction_does_not_keep_the_tenant() {
    let place = Database::new().await;
    let store = place.open().await;
    let lease = take(&store, "t1", me(1, 0)).await;
    // What a stopped process leaves: its transaction open, the lease's row locked, with the limit that ours has.
    let mut stopped = place.connection(place.name()).await;
    run(&mut stopped, "SET idle_in_transaction_session_timeout = 10000").await;
    let mut transaction = stopped.begin().await.unwrap();
    sqlx::query("UPDATE lease SET appends = appends + 1").execute(&mut *transaction).await.unwrap();
    let mut waited = 0;
    let taken = loop {
        match store.acquire(&tenant("t1"), &me(2, 100)).await {
            Ok(met) => {
                let met = met.unwrap_err();
                break store.take_from(&tenant("t1"), &met, &me(2, 100), false).await.unwrap().unwrap();
            }
            Err(fault) => assert!(fault.kind == FaultKind::TimedOut && waited < 4, "{fault}"),
        }
        waited += 1;
    };
    assert!(waited > 0 && taken.fence > lease.fence, "it did wait, and then it was its own");
}

#[test]
#[ignore = "needs tests/live/run"]
fn of_two_processes_one_wins_each_round_there_too() {
    store_fight::rounds(&place_of_a_fight(), 250);
}

#[test]
#[ignore = "needs tests/live/run"]
fn a_stopped_holder_that_wakes_after_a_take_over_changes_nothing_there_either() {
    store_fight::a_stopped_holder_is_overtaken(&place_of_a_fight());
}

fn place_of_a_fight() -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let place = runtime.block_on(Database::new());
    store_fight::postgres(&place.url(), described()["password_file"].as_str().unwrap())
}

#[test]
#[ignore = "needs tests/live/run"]
fn the_program_takes_the_server_from_its_configuration() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let place = runtime.block_on(async {
        let place = Database::new().await;
        let store = place.open().await;
        let lease = take(&store, "t1", me(1, 0)).await;
        store.append(&rotation("r"), &lease, &[note(1, "a")]).await.unwrap();
        store.close().await;
        place
    });
    let folder = tempfile::tempdir().unwrap();
    let example = include_str!("../../assets/changeguard.example.toml").replace("contacts = ", "# contacts = ");
    let file = described()["password_file"].as_str().unwrap().to_owned();
    let state = format!("[state]\nurl = {:?}\npassword_file = {file:?}\n", place.url());
    let config = folder.path().join("changeguard.toml");
    std::fs::write(&config, example.replace("[state]\n", &state)).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_changeguard"));
    command.args(["audit", "verify", "--config"]).arg(&config).env_clear().env("HOME", folder.path());
    let output = command.output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.starts_with("t1: intact, 1 records, head t1:1:"), "{out}{}", String::from_utf8_lossy(&output.stderr));
}
