//! The journal asked by subcommands, as processes: audit, report and person, over a journal that this test has written.

use crate::store::Folder;
use crate::store_suite::{Place, living, lost, me, note, people, rotation, take, tenant};
use changeguard::domain::acknowledgement::{Answer, Channel};
use changeguard::domain::client::ClientId;
use changeguard::domain::fault::{Fault, FaultKind, Service};
use changeguard::domain::step::StepNumber;
use changeguard::domain::tenant::Tenant;
use changeguard::domain::window::Window;
use changeguard::engine::journal::{JournalStore, lease_log_id};
use changeguard::engine::record::{Cause, Entry, Outcome, Record, STARTING_TOUCHED};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

struct Stage {
    folder: Folder,
    config: PathBuf,
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

const HOSTILE: &str = "| x | `y` <img src=x onerror=y> [a](http://b) **c** @ops # \u{202e}z\nnew line";

impl Stage {
    async fn new() -> Self {
        let folder = Folder::new().await;
        let example = include_str!("../../assets/changeguard.example.toml");
        let own = format!("directory = {:?}", folder.state().to_str().unwrap());
        let text = example.replace("directory = \"~/.local/state/changeguard\"", &own);
        assert_ne!(text, example);
        let config = folder.0.path().join("changeguard.toml");
        std::fs::write(&config, text.replace("contacts = ", "# contacts = ")).unwrap();
        Self { folder, config }
    }

    fn run(&self, arguments: &str, more: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_changeguard"));
        command.args(arguments.split(' ')).args(more).arg("--config").arg(&self.config).env_clear();
        command.env("HOME", self.folder.0.path()).stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Two rotations of the example's tenant: one cancelled, one half-done with everything that can go wrong.
    async fn written() -> Self {
        let stage = Self::new().await;
        let store = stage.folder.open().await;
        let id = tenant(ACME);
        let lease = take(&store, ACME, me(1, 0)).await;
        let planned = |name: &str, at: i64| {
            let record = Record::Planned {
                rotation: rotation(name),
                tenant: Tenant { id: id.clone(), name: "acme".into(), server: None, gateway: None },
                window: Window::parse("2027-01-15 22:00", "1h", "UTC", 1).unwrap(),
                cause: Cause::Scheduled,
                reference: HOSTILE.into(),
                left: None,
            };
            Entry { record, ..note(1, "") }.later(at)
        };
        let with = |seq: u64, record: Record| Entry { record, ..note(seq, "") };
        let ended = Record::Finished { outcome: Outcome::Cancelled, note: "no".into(), despite: None };
        store.append(&rotation("old"), &lease, &[planned("old", 0), with(2, ended)]).await.unwrap();
        let fault = Fault::new(Service::Barbican, FaultKind::Forbidden, "403 <b>no</b> for ada@example.net");
        let entries = [
            planned("new", 10),
            people(2),
            with(3, Record::Waived { client: ClientId("alan".into()), reason: HOSTILE.into() }),
            with(
                4,
                Record::Answered {
                    client: ClientId("ada".into()),
                    revision: 1,
                    answer: Answer::Confirmed,
                    channel: Channel::Phone,
                    note: "Ada Lovelace herself".into(),
                },
            ),
            with(5, Record::StepStarted { step: StepNumber::SECRET }),
            with(6, Record::StepFailed { step: StepNumber::SECRET, fault }),
            with(7, Record::StepStarted { step: StepNumber::SECRET }),
        ];
        // A journal of before: step 4 was begun, so the key may have been changed.
        let entries = entries.map(|entry| Entry { version: STARTING_TOUCHED, ..entry.later(10) });
        store.append(&rotation("new"), &lease, &entries).await.unwrap();
        store.add_to_lease_log(&id, &lost("step 4").later(12)).await.unwrap();
        store.release(&lease).await.unwrap();
        store.close().await;
        stage
    }
}

trait Later {
    fn later(self, second: i64) -> Self;
}

impl Later for Entry {
    fn later(self, second: i64) -> Self {
        Entry { at: crate::store_suite::at(second + self.seq as i64), ..self }
    }
}

const ACME: &str = "9d8f0c3a5b7e4f21a6c4d2e1b0a98765";

#[tokio::test]
async fn audit_verify_says_intact_or_names_the_record_and_a_kept_head_finds_a_rewritten_chain() {
    let stage = Stage::written().await;
    let intact = stage.run("audit verify", &[]).ends(0);
    assert!(intact.out.starts_with("acme: intact, 10 records, head "), "{}", intact.out);
    assert_eq!(stage.run("audit verify acme --json", &[]).ends(0).json()["intact"], true);
    let head = stage.run("audit head", &[]).ends(0).out.trim().to_owned();
    assert!(head.starts_with(&format!("{ACME}:10:")), "{head}");
    assert_eq!(stage.run("audit head --json", &[]).ends(0).json()[0]["position"], 10);
    stage.run("audit verify --expect", &[&head]).ends(0);
    // Somebody cuts the end off and moves the head with it: only what was kept elsewhere can tell.
    let cut = "DELETE FROM record WHERE position = 10; DELETE FROM rotation WHERE rotation LIKE 'lease-%'; \
               UPDATE chain SET position = 9, hash = (SELECT hash FROM record WHERE position = 9)";
    stage.folder.change(cut).await;
    stage.run("audit verify", &[]).ends(0);
    let found = stage.run("audit verify --expect", &[&head]).ends(1);
    assert!(found.out.contains("acme: NOT INTACT: not as expected: position 10"), "{}", found.out);
    stage.folder.change("UPDATE record SET entry = REPLACE(entry, 'phone', 'chat') WHERE seq = 4").await;
    let found = stage.run("audit verify acme", &[]).ends(1);
    assert!(found.out.contains("changed: record 4 of rotation new (position 6)"), "{}", found.out);
    let json = stage.run("audit verify --json", &[]).ends(1).json();
    let finding = &json["tenants"][0]["finding"];
    assert_eq!(
        (&finding["kind"], &finding["seq"], &finding["rotation"]),
        (&"changed".into(), &4.into(), &"new".into())
    );
    assert!(stage.run("audit head", &[]).ends(1).out.is_empty(), "no head is given that proves the wrong thing");
    stage.run("audit verify --expect nonsense", &[]).ends(2);
    let acts = stage.run("report acme", &[]).ends(1);
    assert!(acts.err.contains("record 4 of rotation new is not what was written"), "{}", acts.err);
}

#[tokio::test]
async fn a_damaged_file_is_what_the_audit_finds() {
    let stage = Stage::written().await;
    let mut bytes = std::fs::read(stage.folder.file()).unwrap();
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    std::fs::write(stage.folder.file(), bytes).unwrap();
    let found = stage.run("audit verify", &[]).ends(1);
    assert!(found.err.contains("damaged"), "{}", found.err);
}

#[tokio::test]
async fn a_report_says_in_its_first_line_that_it_is_half_done_and_hostile_texts_stay_text() {
    let stage = Stage::written().await;
    let report = stage.run("report acme", &[]).ends(0).out;
    let first = report.lines().next().unwrap();
    assert_eq!(first, format!("# HALF-DONE, NOT FINISHED: WireGuard key of acme ({ACME}), 1 waived"));
    for text in [
        "step 4 failed: Barbican: 403 &lt;b&gt;no&lt;/b&gt;",
        "step 4 was begun and has not ended",
        "lost the tenant while step 4; stopped",
        "waived ",
        "Ada Lovelace herself",
        "- audit: intact, head ",
        "| ada | `ada@bastion` | none | 7 |",
    ] {
        assert!(report.contains(text), "{text} in\n{report}");
    }
    for bad in ["<img", "](http://", "**c**", "`y`", " @ops", "\u{202e}", "<b>"] {
        assert!(!report.contains(bad), "{bad} in\n{report}");
    }
    let rows = report.lines().filter(|line| line.starts_with('|'));
    for row in rows {
        let cells = row.replace("\\|", "").matches('|').count();
        assert!([4, 5, 6, 7].contains(&cells), "{row}");
    }
    let json = stage.run("report acme --json", &[]).ends(0).json();
    assert_eq!(json["headline"], "HALF-DONE, NOT FINISHED");
    assert_eq!(json["clients"][0]["answer"]["answer"], "confirmed");
    assert_eq!(json["timeline"][0]["position"], 3);
    assert_eq!(json["timeline"][0]["hash"].as_str().unwrap().len(), 64);
    assert_eq!(json["records"].as_array().unwrap().len(), 7);
    let list = stage.run("report acme --list", &[]).ends(0).out;
    assert!(list.lines().nth(1).unwrap().starts_with("old ") && list.contains("CANCELLED"), "{list}");
    let old = stage.run("report acme --rotation old", &[]).ends(0).out;
    assert!(old.starts_with("# CANCELLED: "), "{old}");
    stage.run("report acme --rotation none", &[]).ends(2);
    stage.run("report nobody", &[]).ends(2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_is_exported_and_erased_to_the_last_byte_and_the_chain_stays() {
    let stage = Stage::written().await;
    let export = stage.run("person export ADA@example.net --json", &[]).ends(0).json();
    let seqs: Vec<u64> = export.as_array().unwrap().iter().map(|line| line["entry"]["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [2, 4, 6]);
    assert_eq!(export[0]["entry"]["record"]["clients"].as_array().unwrap().len(), 1, "nobody else's data");
    // By the id under which they are kept, the same; and whoever has no address is found by their id.
    let by_id = stage.run("person export ada --json", &[]).ends(0).json();
    assert_eq!(
        by_id.as_array().unwrap().iter().map(|line| line["entry"]["seq"].as_u64().unwrap()).collect::<Vec<_>>(),
        [2, 4]
    );
    let alan = stage.run("person export alan --json", &[]).ends(0).json();
    let kinds: Vec<&str> =
        alan.as_array().unwrap().iter().map(|line| line["entry"]["record"]["record"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["people-seen", "waived"]);
    assert!(!alan.to_string().to_lowercase().contains("ada@"), "{alan}");
    let erase = |more: &[&str]| stage.run("person erase ada@example.net --confirm", more);
    assert!(erase(&["eve@example.net", "--reason", "asked"]).ends(2).err.contains("not the same"));
    assert!(erase(&["ada@example.net", "--reason", "for ada@example.net"]).ends(2).err.contains("must not hold"));
    let open = erase(&["ada@example.net", "--reason", "asked"]).ends(1);
    assert!(open.err.contains("the open rotation new of acme involves this person"), "{}", open.err);

    let store = stage.folder.open().await;
    let now = jiff::Timestamp::now();
    let holder = changeguard::engine::journal::Holder { since: now, heartbeat: now, ..me(1, 0) };
    let lease = take(&store, ACME, holder).await;
    let ended = Record::Finished { outcome: Outcome::RolledBack, note: String::new(), despite: None };
    store.append(&rotation("new"), &lease, &[Entry { record: ended, ..note(8, "") }.later(10)]).await.unwrap();
    let holder = living(std::sync::Arc::new(store.clone()), &lease);
    assert!(erase(&["ada@example.net", "--reason", "asked"]).ends(4).err.contains("ada on bastion"));
    holder.abort();
    store.release(&lease).await.unwrap();
    store.close().await;
    let done = erase(&["ada@example.net", "--reason", "asked"]).ends(0);
    assert!(done.out.contains("2 values erased"), "{}", done.out);
    assert_eq!(stage.run("person export ada@example.net --json", &[]).ends(0).json(), serde_json::json!([]));
    stage.run("audit verify", &[]).ends(0);
    let report = stage.run("report acme", &[]).ends(0).out;
    assert!(report.starts_with("# ROLLED BACK") && report.contains("\\[erased "), "{report}");
    let in_folder = |folder: &std::path::Path| {
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>()
    };
    let (witnesses, files): (Vec<_>, Vec<_>) = in_folder(&stage.folder.state()).into_iter().partition(|p| p.is_dir());
    for path in files.into_iter().chain(witnesses.iter().flat_map(|folder| in_folder(folder))) {
        let bytes = std::fs::read(&path).unwrap();
        for value in ["ada@example.net", "Ada Lovelace"] {
            let found = bytes.windows(value.len()).any(|window| window.eq_ignore_ascii_case(value.as_bytes()));
            assert!(!found, "{value} in {}", path.display());
        }
    }
    let store = stage.folder.open().await;
    let log = store.load(&lease_log_id(&tenant(ACME))).await.unwrap();
    assert!(log.last().unwrap().record.summary().contains("2 personal values of one person erased: asked"));
}
