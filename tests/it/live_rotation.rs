//! A whole rotation and a whole rollback on the real services: by keys in a terminal, and by subcommands.

use crate::live::{Barbican, Live, Outside, header, text, until};
use crate::live_watch::{Watch, files, find, key_of};
use crate::pty::Program;
use changeguard::config;
use changeguard::domain::key::PublicKey;
use changeguard::engine::converge_secret::{Wanted, converge};
use changeguard::engine::ports::{Unfenced, Ungated};
use changeguard::engine::secret::{PrivateKey, SecretBytes};
use changeguard::runtime::wiring::Wiring;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const SERVER: Duration = Duration::from_secs(90);

/// One key everywhere, another one than before; nothing else of secret and object has changed.
fn assert_rotated(before: &Outside, after: &Outside) {
    assert_ne!(before.public, after.public);
    assert_consistent(after);
    assert_eq!(before.kept, after.kept, "attributes, ACL and metadata are carried over");
    assert_eq!(before.object.matches(&before.public).count(), 1);
    assert_eq!(
        before.object.replace(&before.public, &after.public),
        after.object,
        "only the key changes in the object"
    );
}

/// Secret, object and interface say one key.
pub fn assert_consistent(outside: &Outside) {
    let object: Value = serde_json::from_str(&outside.object).unwrap();
    assert_eq!(text(&object["vpn_server_public_key"]), outside.public);
    assert_eq!(outside.interface, outside.public);
}

/// Exactly one mail of a kind in each mailbox, to that person alone, with our headers. Gives the Message-IDs.
fn assert_mails(live: &Live, kind: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for address in live.clients("email") {
        let mails = live.mails(&address, kind);
        assert_eq!(mails.len(), 1, "{kind} mails to {address}");
        let mail = &mails[0];
        assert!(header(mail, "To").contains(&address) && header(mail, "To").matches('@').count() == 1, "{mail:#}");
        assert_eq!(header(mail, "Auto-Submitted"), "auto-generated");
        assert_eq!(header(mail, "From"), text(&live.description["smtp"]["from"]));
        assert!(text(&mail["subject"]).contains(live.name()));
        assert!(text(&mail["text"]).contains("https://portal.ops.test"));
        ids.push(text(&mail["message_id"]).to_owned());
    }
    let mut different = ids.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), ids.len(), "each mail has an id of its own");
    ids
}

#[test]
#[ignore = "needs the live services: tests/live/run"]
fn live_a_whole_rotation_driven_by_keys_in_a_terminal() {
    let live = Live::start("acme");
    let before = live.outside();
    let watch = Watch::start();
    let mut screens = Vec::new();
    let config = live.config.to_str().unwrap();
    let mut terminal = Program::start(&["--config", config], &[], 80, 24);

    // The fleet, and the tenant.
    terminal.shows("in sync");
    terminal.keys("/acme\r").shows("tenants 1/1 of 2");
    terminal.keys("\r");
    screens.push(terminal.shows("Ada Lovelace"));

    // The window: each field is cleared and typed.
    let start = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
    terminal.keys("p").shows("Plan a rotation of acme");
    terminal.keys(&format!("\x15{start}\r\x152h\r\x15UTC\r\rCHG-1")).shows("reference: CHG-1");
    terminal.keys("\r");
    terminal.shows("done: acme: plan");

    // Rotate is shut, and says why.
    terminal.keys("r");
    screens.push(terminal.shows("the gate is SHUT"));
    terminal.keys("acme\r").shows("the gate is SHUT");
    terminal.keys("\x1b").hides("the gate is SHUT");

    // The announcement, read before it goes.
    terminal.keys("n").shows("Hello Ada Lovelace");
    terminal.keys("\r").shows("type acme to send");
    terminal.keys("acme\r");
    screens.push(terminal.shows("sent 3 of 3"));
    let announced = assert_mails(&live, "announcement");
    // What the mailbox holds of others may be told in place of it.
    terminal.keys("\x1b").hides("Mails to the clients");
    terminal.shows("a answer");

    // Everybody has answered.
    terminal.keys("M").shows("(3 marked)");
    terminal.keys("a").shows("Answer of Ada Lovelace");
    terminal.keys(" \r \r\r").shows("type acme to record");
    terminal.keys("acme\r");
    // The footer offers a key only when nothing runs any more.
    terminal.wait("rotate offered", SERVER, |screen| screen.contains("3 of 3 settled") && screen.contains("r rotate"));

    // Rotate: the checklist, then the name.
    terminal.keys("r");
    let checklist = terminal.shows("Rotate the server key of acme");
    assert!(checklist.contains("3 of 3 confirmed") && checklist.contains("the window is open"), "{checklist}");
    terminal.keys("\x15acme\r");
    screens.push(terminal.wait("the key on the interface", SERVER, |screen| screen.contains("0 of 3 back")));
    let after = live.outside();
    assert_rotated(&before, &after);
    assert_eq!(live.kept_secrets().len(), 2, "staged and previous are kept until the end");
    let mut written = files(live.folder());

    // Everybody is told to reconfigure, does it, and is seen to be back.
    terminal.keys("n").shows("kind: (reconfigure)");
    terminal.shows("Hello Ada Lovelace");
    terminal.keys("\r").shows("type acme to send");
    terminal.keys("acme\r").shows("sent 3 of 3");
    let reconfigure = assert_mails(&live, "reconfigure");
    assert!(reconfigure.iter().all(|id| !announced.contains(id)));
    terminal.keys("\x1b").hides("Mails to the clients");
    live.everybody_reimports();
    screens.push(terminal.wait("all back", SERVER, |screen| screen.contains("3 of 3 back")));

    terminal.keys("f").shows("Finish the rotation of acme");
    terminal.keys("all good\r\racme\r");
    screens.push(terminal.shows("done: acme: finish"));
    assert!(terminal.screen().contains("last rotation: rotated"));
    written.extend(files(live.folder()));
    terminal.keys("qqq");
    assert_eq!(terminal.ends_within(Duration::from_secs(20)), 0);
    assert!(terminal.is_restored());
    let samples = watch.end();

    let end = live.outside();
    assert_eq!(end, after, "finishing changes nothing of the live key");
    assert_eq!(live.kept_secrets(), Vec::<String>::new(), "the kept keys are destroyed");
    live.everybody_pings();
    assert!(reconfigure.len() == 3 && assert_mails(&live, "announcement") == announced, "nobody got a second mail");

    // The private keys were nowhere.
    let keys = [key_of(&before.private), key_of(&after.private)];
    let sampled = |word: &str| samples.iter().any(|(command, _)| String::from_utf8_lossy(command).contains(word));
    assert!(sampled(config), "the program was sampled");
    assert!(sampled("latest-handshakes"), "its children were sampled");
    for (command, environment) in &samples {
        let command_line = String::from_utf8_lossy(command);
        assert_eq!(find(&keys, command), None, "in the arguments of {command_line}");
        assert_eq!(find(&keys, environment), None, "in the environment of {command_line}");
    }
    assert_eq!(find(&keys, &terminal.raw()), None, "on the terminal");
    assert_eq!(find(&keys, screens.concat().as_bytes()), None, "on a screen");
    written.extend(files(live.folder()));
    assert!(written.iter().any(|(name, bytes)| name.ends_with("journal.db") && !bytes.is_empty()));
    written.extend(files(&live.live_dir().join("log")));
    written.extend(files(&live.live_dir().join("mail/boxes")));
    for (name, bytes) in &written {
        assert_eq!(find(&keys, bytes), None, "in {name}");
    }
    // The search can fail: the same key in the same places is found.
    std::fs::write(live.folder().join("state/planted"), &after.private).unwrap();
    assert!(files(live.folder()).iter().any(|(_, bytes)| find(&keys, bytes).is_some()));
    println!(
        "searched {} command lines, {} files, {} bytes of terminal",
        samples.len(),
        written.len(),
        terminal.raw().len()
    );
}

#[test]
#[ignore = "needs the live services: tests/live/run"]
fn live_a_whole_rotation_and_rollback_by_subcommands() {
    let live = Live::start("globex");
    let before = live.outside();
    let clients = live.clients("id");
    live.run(&["rotate", "nobody", "--confirm", "nobody"]).expect(2);
    live.plan();
    live.run(&["notify", "globex", "--kind", "announcement"]).expect(0);
    assert_mails(&live, "announcement");

    // The gate names who is missing.
    live.run(&["ack", "globex", &clients[0], "--by", "phone"]).expect(0);
    let shut = live.run(&["rotate", "globex", "--confirm", "globex", "--json"]).expect(3);
    assert_eq!(shut.json()["ok"], false);
    for name in &live.clients("name")[1..] {
        assert!(shut.err.contains(name), "{name}: {}", shut.err);
    }
    // Who is cut off is told before; what keeps the gate shut names nobody who has agreed.
    let gate = shut.err.lines().find(|line| line.contains("the gate is shut")).unwrap_or_default();
    assert!(!gate.is_empty() && !gate.contains(&live.clients("name")[0]), "{}", shut.err);
    assert_eq!(live.outside(), before);
    for client in &clients[1..] {
        live.run(&["ack", "globex", client, "--by", "chat", "--note", "fine"]).expect(0);
    }
    live.run(&["rotate", "globex", "--confirm", "Globex"]).expect(2);
    assert_eq!(live.outside(), before);

    let rotated = live.run(&["rotate", "globex", "--confirm", "globex", "--json"]).expect(0).json();
    assert!(rotated["gap_ms"].as_f64().unwrap() > 0.0, "{rotated:#}");
    assert_eq!(rotated["ok"], true);
    let after = live.outside();
    assert_rotated(&before, &after);
    live.script("client", &["globex", &clients[0], "reimport"]);
    live.run(&["verify", "globex"]).expect(0);
    let status = live.status();
    assert_eq!(status["phase"], "returning");
    assert_eq!(status["rollback_cuts"], serde_json::json!([clients[0]]), "who would be cut off again");
    live.run(&["finish", "globex"]).expect(1);
    live.run(&["notify", "globex", "--kind", "reconfigure"]).expect(0);
    let early = live.run(&["finish", "globex"]).expect(3);
    assert!(early.err.contains(&live.clients("name")[1]), "it names who is not back: {}", early.err);

    // The way back.
    live.run(&["rollback", "globex", "--confirm", "wrong", "--reason", "no"]).expect(2);
    let reason = "the new key does not work";
    let back = live.run(&["rollback", "globex", "--confirm", "globex", "--reason", reason, "--json"]).expect(0).json();
    assert!(back["gap_ms"].as_f64().unwrap() > 0.0, "{back:#}");
    let restored = live.outside();
    assert_eq!(restored, before, "the old key is back everywhere, and nothing else has changed");
    // Only who had reconfigured needs a new configuration; the others' sessions simply go on.
    for client in &clients[1..] {
        live.script("client", &["globex", client, "ping"]);
    }
    live.run(&["notify", "globex", "--kind", "reconfigure"]).expect(0);
    live.script("client", &["globex", &clients[0], "reimport"]);
    until("everybody to be back", SERVER, || {
        live.run(&["verify", "globex"]).expect(0);
        (live.status()["back"] == serde_json::json!([3, 3])).then_some(())
    });
    live.run(&["finish", "globex", "--note", "as before"]).expect(0);
    let report = live.run(&["report", "globex"]).expect(0).out;
    assert!(report.lines().next().unwrap().starts_with("# ROLLED BACK"), "{report}");
    assert!(report.contains(reason));
    assert_eq!(live.status()["outcome"], "rolled-back");
    assert_eq!(live.kept_secrets(), Vec::<String>::new());
    assert_eq!(live.outside(), before);
    live.everybody_pings();
    let keys = [key_of(&before.private), key_of(&after.private)];
    for (name, bytes) in files(live.folder()) {
        assert_eq!(find(&keys, &bytes), None, "in {name}");
    }
    assert_eq!(find(&keys, report.as_bytes()), None);
    println!("gap_ms {} and back {}", rotated["gap_ms"], back["gap_ms"]);
}

#[test]
#[ignore = "needs the live services: tests/live/run"]
fn live_a_whole_rollback_driven_by_keys_in_a_terminal() {
    let live = Live::start("globex");
    let before = live.outside();
    live.plan();
    live.run(&["notify", "globex", "--kind", "announcement"]).expect(0);
    for client in live.clients("id") {
        live.run(&["ack", "globex", &client, "--by", "mail"]).expect(0);
    }
    live.run(&["rotate", "globex", "--confirm", "globex"]).expect(0);
    live.run(&["notify", "globex", "--kind", "reconfigure"]).expect(0);
    let rotated = live.outside();
    assert_rotated(&before, &rotated);
    live.script("client", &["globex", "hank", "reimport"]);

    let config = live.config.to_str().unwrap();
    let mut terminal = Program::start(&["--config", config], &[], 80, 24);
    terminal.shows("in sync");
    terminal.keys("/globex\r").shows("tenants 1/1 of 2");
    terminal.keys("\r").shows("Hank Scorpio");
    terminal.wait("hank to be back", SERVER, |screen| screen.contains("1 of 3 back") && screen.contains("R roll back"));
    terminal.keys("R");
    let warning = terminal.shows("Roll back globex");
    assert!(warning.contains("cuts off again 1") && warning.contains("Hank Scorpio"), "{warning}");
    terminal.keys("the new key does not work\rglobex\r").shows("rolling back");
    terminal.wait("the previous key on the interface", SERVER, |screen| screen.contains("done: globex: rollback"));
    assert_eq!(live.outside(), before, "the old key is back everywhere, and nothing else has changed");
    for client in ["marge", "frank"] {
        live.script("client", &["globex", client, "ping"]);
    }
    terminal.keys("n").shows("kind: (reconfigure)");
    terminal.shows("sent 0 of 3");
    terminal.shows("Hello ");
    terminal.keys("\r").shows("type globex to send");
    terminal.keys("globex\r").shows("sent 3 of 3");
    for address in live.clients("email") {
        assert_eq!(live.mails(&address, "reconfigure").len(), 2, "one for each way");
    }
    terminal.keys("\x1b").hides("Mails to the clients");
    live.script("client", &["globex", "hank", "reimport"]);
    terminal.wait("all back", SERVER, |screen| screen.contains("3 of 3 back") && screen.contains("f finish"));
    terminal.keys("f").shows("closed as rolled back, never as rotated");
    terminal.keys("\r\rglobex\r").shows("done: globex: finish");
    assert!(terminal.screen().contains("last rotation: rolled back"), "{}", terminal.screen());
    terminal.keys("qqq");
    assert_eq!(terminal.ends_within(Duration::from_secs(20)), 0);
    assert!(terminal.is_restored());
    assert_eq!(live.kept_secrets(), Vec::<String>::new());
    assert_eq!(live.outside(), before);
    let keys = [key_of(&before.private), key_of(&rotated.private)];
    assert_eq!(find(&keys, &terminal.raw()), None, "on the terminal");
}

/// Swaps two keys to and fro while a poller lists the name as the server's agent does. Gives the number of lists, and of
/// those that were empty.
fn swap_under_a_poller(live: &Live, rotations: usize) -> (usize, usize) {
    let (lists, empty, ended) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    live.runtime.block_on(async {
        let no_variable = |_: &str| None;
        let config = config::load(Some(&live.config), &no_variable).unwrap();
        let wiring = Wiring::open(config).await.unwrap();
        let (tenants, _) = wiring.tenants().await;
        let tenant = tenants.into_iter().find(|tenant| tenant.name == live.name()).unwrap();
        let world = wiring.world(tenant, Arc::new(Unfenced)).unwrap();
        let secrets = Arc::clone(&world.secrets);
        let old = secrets.find(live.secret_name()).await.unwrap().remove(0);
        let shape = secrets.shape(&old.href).await.unwrap();
        let mut keys: Vec<(PublicKey, SecretBytes)> = Vec::new();
        for seed in [7u8, 8] {
            let key = PrivateKey::from_random([seed; 32]);
            keys.push((key.public(), key.to_payload(false)));
        }
        let barbican = Barbican::open(live).await;
        let polling = async {
            while !ended.load(Ordering::Relaxed) {
                let count = barbican.count(live.secret_name()).await;
                lists.fetch_add(1, Ordering::Relaxed);
                empty.fetch_add(usize::from(count == 0), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let swapping = async {
            for turn in 0..rotations {
                let (public_key, payload) = &keys[turn % 2];
                let name = live.secret_name();
                let wanted =
                    Wanted { name, public_key: *public_key, payload, shape: &shape, touch: &Ungated, seen: None };
                converge(&world, &wanted).await.unwrap();
            }
            ended.store(true, Ordering::Relaxed);
        };
        futures_util::join!(polling, swapping);
        assert_eq!(barbican.count(live.secret_name()).await, 1);
    });
    (lists.into_inner(), empty.into_inner())
}

#[test]
#[ignore = "needs the live services: tests/live/run"]
fn live_store_first_never_shows_an_empty_list() {
    let store_first = |config: String| config.replace("[wireguard]\n", "[wireguard]\nswap = \"store-first\"\n");
    let live = Live::start_with("globex", store_first);
    let (lists, empty) = swap_under_a_poller(&live, 50);
    println!("store-first: {empty} of {lists} lists were empty in 50 swaps");
    assert!(lists > 100, "the poller must have looked often: {lists}");
    assert_eq!(empty, 0);
    drop(live);
    // For comparison, and to see that the poller can see a gap at all.
    let live = Live::start("globex");
    let (lists, empty) = swap_under_a_poller(&live, 20);
    println!("delete-first: {empty} of {lists} lists were empty in 20 swaps");
    assert!(empty > 0, "a poller that sees no gap here proves nothing above");
    live.script("seed", &["--reset", "globex"]);
}

#[test]
#[ignore = "needs the live services: tests/live/run"]
fn live_steps_2_to_5_are_measured() {
    let live = Live::start("globex");
    for _ in 0..3 {
        live.plan();
        live.waive_all();
        let ended = live.run(&["rotate", "globex", "--confirm", "globex", "--json"]).expect(0).json();
        let at = |step: u8, record: &str| -> jiff::Timestamp {
            let all = live.journal();
            let of = |e: &&Value| e["record"]["record"] == record && e["record"]["step"] == step;
            text(&all.iter().rfind(of).unwrap()["at"]).parse().unwrap()
        };
        let ms = |from: jiff::Timestamp, to: jiff::Timestamp| to.as_millisecond() - from.as_millisecond();
        let (begun, checked) = (at(2, "step-started"), at(2, "step-succeeded"));
        println!(
            "steps 2 to 5: {} ms (check {}, keys {}, secret {}, object {}); gap {} ms; to the key on the interface {} ms",
            ms(begun, at(5, "step-succeeded")),
            ms(begun, checked),
            ms(at(3, "step-started"), at(3, "step-succeeded")),
            ms(at(4, "step-started"), at(4, "step-succeeded")),
            ms(at(5, "step-started"), at(5, "step-succeeded")),
            ended["gap_ms"],
            ms(begun, at(6, "step-succeeded")),
        );
        live.run(&["notify", "globex", "--kind", "reconfigure"]).expect(0);
        live.run(&["finish", "globex", "--reason", "nobody reconfigures here"]).expect(0);
    }
    live.script("seed", &["--reset", "globex"]);
}
