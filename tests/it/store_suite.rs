//! What every store of the journal must do, whichever database it is: one writer per tenant, one record per number, a
//! chain that fits. `store` runs it on SQLite, `live_postgres` on a PostgreSQL server.

use changeguard::adapters::store::SqlJournal;
use changeguard::domain::client::{Client, ClientId, Source};
use changeguard::domain::fault::{Fault, FaultKind};
use changeguard::domain::notice::{Delivery, NoticeKind};
use changeguard::domain::tenant::TenantId;
use changeguard::engine::audit::{self, Kind, Verdict};
use changeguard::engine::journal::{AppendError, Holder, Instance, JournalStore, Lease, RotationHead};
use changeguard::engine::record::{Entry, RECORD_VERSION, Record, RotationId};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Where a journal of its own can be made for one test.
pub trait Place {
    /// A new one.
    async fn new() -> Self;
    /// Opens the journal in it, as another process would.
    async fn open(&self) -> SqlJournal;
    /// What somebody else might do to the tables.
    async fn change(&self, statement: &str);
    /// Opens it when that must be refused.
    async fn refuses(&self) -> Fault;
}

/// Hands the names of all tests to a macro that declares them.
macro_rules! every_store_test {
    ($declare:ident) => {
        $declare! { store_suite:
            what_was_appended_is_there_after_a_restart,
            of_two_writers_for_one_number_exactly_one_wins,
            a_batch_is_written_whole_or_not_at_all,
            a_rotation_can_not_be_written_under_another_tenants_lease,
            records_that_are_newer_damaged_or_missing_are_named,
            the_lease_log_needs_no_lease_and_is_no_rotation,
            the_chain_is_intact_whoever_writes_at_once,
            what_is_done_to_the_tables_is_found_and_named,
            a_journal_that_was_cut_off_is_not_acted_on,
            personal_values_rest_beside_the_records_and_can_be_erased,
            a_newer_schema_is_refused
        }
    };
}
pub(crate) use every_store_test;

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub fn tenant(id: &str) -> TenantId {
    TenantId::new(id).unwrap()
}

/// A run of the program on a bastion of its own: its process is not looked for here.
pub fn me(pid: u32, second: i64) -> Holder {
    let (id, boot) = (format!("{pid:032x}"), format!("the kernel of {pid}"));
    let instance = Instance { id, boot, namespace: "pid:[1] time:[1]".into(), started: 1 };
    Holder::new("ada".into(), "bastion".into(), pid, at(second), instance)
}

pub fn rotation(name: &str) -> RotationId {
    RotationId(name.into())
}

pub fn note(seq: u64, text: &str) -> Entry {
    Entry {
        seq,
        version: RECORD_VERSION,
        at: at(seq as i64),
        by: "ada".into(),
        host: "bastion".into(),
        person: Some("ada".into()),
        ssh: None,
        session: None,
        unproven: false,
        environment: None,
        record: Record::Noted { text: text.into() },
    }
}

pub async fn take(store: &SqlJournal, id: &str, holder: Holder) -> Lease {
    store.acquire(&tenant(id), &holder).await.unwrap().unwrap()
}

/// A holder who gives signs of life until the task is aborted.
pub fn living(store: Arc<dyn JournalStore>, lease: &Lease) -> tokio::task::JoinHandle<()> {
    let lease = lease.clone();
    tokio::spawn(async move {
        let mut beats = tokio::time::interval(Duration::from_millis(300));
        while store.renew(&lease, Timestamp::now()).await.unwrap_or_default() {
            beats.tick().await;
        }
    })
}

pub async fn what_was_appended_is_there_after_a_restart<P: Place>() {
    let place = P::new().await;
    let store = place.open().await;
    let lease = take(&store, "t1", me(1, 0)).await;
    let (first, second) = (rotation("20261124-1"), rotation("20261125-1"));
    store.append(&first, &lease, &[note(1, "a"), note(2, "b")]).await.unwrap();
    store.append(&first, &lease, &[note(3, "c")]).await.unwrap();
    let late = Entry { at: at(100), ..note(1, "d") };
    store.append(&second, &lease, &[late]).await.unwrap();
    let other = take(&store, "t2", me(1, 0)).await;
    store.append(&rotation("x"), &other, &[note(1, "e")]).await.unwrap();
    store.append(&first, &lease, &[]).await.unwrap();
    drop(store);
    let store = place.open().await;
    let loaded = store.load(&first).await.unwrap();
    assert_eq!(loaded, [note(1, "a"), note(2, "b"), note(3, "c")]);
    assert!(store.load(&rotation("none")).await.unwrap().is_empty());
    let names = |heads: Vec<RotationHead>| -> Vec<(String, u64)> {
        heads.into_iter().map(|head| (head.rotation.0, head.last_seq)).collect()
    };
    let newest = names(store.heads(None).await.unwrap());
    assert_eq!(newest, [("20261125-1".to_owned(), 1), ("x".to_owned(), 1)], "the newest of each, by tenant");
    let all = names(store.heads(Some(&tenant("t1"))).await.unwrap());
    assert_eq!(all, [("20261125-1".to_owned(), 1), ("20261124-1".to_owned(), 3)]);
}

pub async fn of_two_writers_for_one_number_exactly_one_wins<P: Place>() {
    let place = P::new().await;
    let (one, two) = (place.open().await, place.open().await);
    let lease = take(&one, "t1", me(1, 0)).await;
    let id = rotation("r");
    one.append(&id, &lease, &[note(1, "a")]).await.unwrap();
    for seq in 2..12 {
        let (a, b) = ([note(seq, "one")], [note(seq, "two")]);
        let answers = tokio::join!(one.append(&id, &lease, &a), two.append(&id, &lease, &b));
        match answers {
            (Ok(()), Err(AppendError::Conflict { expected })) | (Err(AppendError::Conflict { expected }), Ok(())) => {
                assert_eq!(expected, seq);
            }
            other => panic!("{other:?}"),
        }
    }
    let seqs: Vec<u64> = two.load(&id).await.unwrap().iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (1..12).collect::<Vec<u64>>());
}

pub async fn a_batch_is_written_whole_or_not_at_all<P: Place>() {
    let place = P::new().await;
    let store = place.open().await;
    let lease = take(&store, "t1", me(1, 0)).await;
    let id = rotation("r");
    store.append(&id, &lease, &[note(1, "a")]).await.unwrap();
    let gap = store.append(&id, &lease, &[note(2, "b"), note(4, "c")]).await;
    assert!(matches!(gap, Err(AppendError::Fault(fault)) if fault.kind == FaultKind::Invalid));
    let late = store.append(&id, &lease, &[note(3, "b")]).await;
    assert!(matches!(late, Err(AppendError::Conflict { expected: 3 })));
    let again = store.append(&id, &lease, &[note(1, "b"), note(2, "c")]).await;
    assert!(matches!(again, Err(AppendError::Conflict { expected: 1 })));
    assert_eq!(store.load(&id).await.unwrap().len(), 1);
}

pub async fn a_rotation_can_not_be_written_under_another_tenants_lease<P: Place>() {
    let place = P::new().await;
    let store = place.open().await;
    let (one, two) = (take(&store, "t1", me(1, 0)).await, take(&store, "t2", me(1, 0)).await);
    let id = rotation("r");
    store.append(&id, &one, &[note(1, "a")]).await.unwrap();
    for seq in [1, 2] {
        let answer = store.append(&id, &two, &[note(seq, "b")]).await;
        assert!(matches!(answer, Err(AppendError::Fault(fault)) if fault.message.contains("belongs to tenant t1")));
    }
}

pub async fn records_that_are_newer_damaged_or_missing_are_named<P: Place>() {
    let place = P::new().await;
    let store = place.open().await;
    let lease = take(&store, "t1", me(1, 0)).await;
    let id = rotation("r");
    store.append(&id, &lease, &[note(1, "a"), note(2, "b"), note(3, "c")]).await.unwrap();
    place.change("UPDATE record SET entry = '{\"seq\":3}' WHERE seq = 3").await;
    assert!(store.load(&id).await.unwrap_err().message.contains("record 3 of rotation r is not what was written"));
    place.change("UPDATE record SET version = 99 WHERE seq = 2").await;
    let fault = store.load(&id).await.unwrap_err();
    assert!(fault.message.contains("record 2 of rotation r was written by a newer changeguard"), "{fault}");
    place.change("DELETE FROM record WHERE seq = 1").await;
    assert!(store.load(&id).await.unwrap_err().message.contains("record 1 of rotation r is missing"));
}

pub async fn verdict(store: &SqlJournal, id: &str) -> Verdict {
    audit::verify(&store.tables().await.unwrap(), Some(id), &[]).remove(0)
}

pub fn lost(text: &str) -> Entry {
    Entry { record: Record::LeaseLost { doing: text.into(), to: None }, ..note(0, "") }
}

pub async fn the_lease_log_needs_no_lease_and_is_no_rotation<P: Place>() {
    let place = P::new().await;
    let store = place.open().await;
    store.add_to_lease_log(&tenant("t1"), &lost("step 4")).await.unwrap();
    assert!(store.heads(None).await.unwrap().is_empty());
    let lease = take(&store, "t1", me(1, 0)).await;
    store.append(&rotation("r"), &lease, &[note(1, "a")]).await.unwrap();
    store.add_to_lease_log(&tenant("t1"), &lost("step 5")).await.unwrap();
    for heads in [store.heads(None).await.unwrap(), store.heads(Some(&tenant("t1"))).await.unwrap()] {
        assert_eq!(heads.len(), 1);
        assert_eq!(heads[0].rotation, rotation("r"));
    }
    let log = store.lease_log(&tenant("t1")).await.unwrap();
    let told: Vec<(u64, String)> = log.iter().map(|entry| (entry.seq, entry.record.summary())).collect();
    assert_eq!(told[0], (1, "lost the tenant while step 4; stopped".to_owned()));
    assert_eq!(told[1].0, 2);
    assert!(store.lease_log(&tenant("t2")).await.unwrap().is_empty());
    assert_eq!(verdict(&store, "t1").await.records, 3);
}

pub async fn the_chain_is_intact_whoever_writes_at_once<P: Place>() {
    let place = P::new().await;
    let (one, two) = (place.open().await, place.open().await);
    let lease = take(&one, "t1", me(1, 0)).await;
    let other = take(&two, "t2", me(2, 0)).await;
    let (id, second, t1) = (rotation("r"), rotation("s"), tenant("t1"));
    for seq in 1..9 {
        let (a, b, c) = ([note(seq, "one")], lost("two"), [note(seq, "three")]);
        let answers =
            tokio::join!(one.append(&id, &lease, &a), two.add_to_lease_log(&t1, &b), two.append(&second, &other, &c));
        assert!(matches!(answers, (Ok(()), Ok(()), Ok(()))), "{answers:?}");
    }
    for (id, records) in [("t1", 16), ("t2", 8)] {
        let found = verdict(&two, id).await;
        assert_eq!((found.finding, found.records, found.imported), (None, records, 0), "{id}");
        assert_eq!(found.head.unwrap().position, records as i64);
    }
    assert_eq!(two.lease_log(&t1).await.unwrap().len(), 8);
}

pub async fn what_is_done_to_the_tables_is_found_and_named<P: Place>() {
    let acts: [(&str, Kind, &str); 11] = [
        (
            "UPDATE record SET entry = REPLACE(entry, 'note b', 'note x') WHERE seq = 2 AND rotation = 'r'",
            Kind::Changed,
            "record 2 of rotation r",
        ),
        (
            "UPDATE record SET at_ms = at_ms + 1 WHERE seq = 3 AND rotation = 'r'",
            Kind::Changed,
            "record 3 of rotation r",
        ),
        ("UPDATE record SET fence = 0 WHERE seq = 3 AND rotation = 'r'", Kind::Changed, "record 3 of rotation r"),
        ("DELETE FROM record WHERE seq = 2 AND rotation = 'r'", Kind::Missing, "position 2"),
        ("DELETE FROM record WHERE position > 3", Kind::TailCutOff, "position 4"),
        ("UPDATE chain SET position = position - 1", Kind::HeadChanged, "behind the head"),
        ("UPDATE chain SET hash = REPLACE(hash, SUBSTR(hash, 1, 8), '00000000')", Kind::HeadChanged, "position 4"),
        ("UPDATE chain SET imported = 2", Kind::Changed, "record 1 of rotation r"),
        ("DELETE FROM chain", Kind::HeadChanged, "head is gone"),
        ("UPDATE rotation SET began_ms = began_ms - 1", Kind::Inconsistent, "another beginning"),
        ("UPDATE rotation SET tenant = 't9'", Kind::Inconsistent, "another tenant"),
    ];
    for (act, kind, named) in acts {
        let place = P::new().await;
        let store = place.open().await;
        let lease = take(&store, "t1", me(1, 0)).await;
        let entries = [note(1, "note a"), note(2, "note b"), note(3, "note c"), note(4, "note d")];
        store.append(&rotation("r"), &lease, &entries).await.unwrap();
        assert_eq!(verdict(&store, "t1").await.finding, None);
        place.change(act).await;
        let finding = verdict(&store, "t1").await.finding;
        let finding = finding.unwrap_or_else(|| panic!("{act}: nothing was found"));
        assert_eq!(finding.kind, kind, "{act}: {finding}");
        assert!(finding.to_string().contains(named), "{act}: {finding}");
    }
}

pub async fn a_journal_that_was_cut_off_is_not_acted_on<P: Place>() {
    let place = P::new().await;
    let store = place.open().await;
    let lease = take(&store, "t1", me(1, 0)).await;
    store.append(&rotation("a"), &lease, &[note(1, "a"), note(2, "b")]).await.unwrap();
    store.append(&rotation("b"), &lease, &[note(1, "c")]).await.unwrap();
    place.change("DELETE FROM record WHERE rotation = 'b'").await;
    place.change("DELETE FROM rotation WHERE rotation = 'b'").await;
    let fault = store.heads(Some(&tenant("t1"))).await.unwrap_err();
    assert!(fault.message.contains("the last record of tenant t1 (position 3) is missing"), "{fault}");
    assert!(fault.advice().contains("audit verify"));
    assert_eq!(store.load(&rotation("a")).await.unwrap().len(), 2, "what is whole can still be read");
    place.change("DELETE FROM record WHERE rotation = 'a' AND seq = 2").await;
    let fault = store.load(&rotation("a")).await.unwrap_err();
    assert!(fault.message.contains("rotation a has 1 records, 2 are listed"), "{fault}");
}

pub fn people(seq: u64) -> Entry {
    let client = |id: &str, name: &str, email: Option<&str>| Client {
        id: ClientId(id.into()),
        name: name.into(),
        email: email.map(String::from),
        public_key: None,
        sources: [Source::Object].into(),
        also: Vec::new(),
    };
    let clients = vec![
        client("ada", "Ada Lovelace", Some("ada@example.net")),
        client("Grace@Example.NET", "Grace \"Amazing\" Hopper", Some("grace@example.net")),
        client("alan", "alan", None),
    ];
    Entry { record: Record::PeopleSeen { clients, unseen: Vec::new() }, ..note(seq, "") }
}

pub async fn personal_values_rest_beside_the_records_and_can_be_erased<P: Place>() {
    let place = P::new().await;
    let store = place.open().await;
    let lease = take(&store, "t1", me(1, 0)).await;
    let id = rotation("r");
    let queued = Record::NoticeQueued {
        client: ClientId("Grace@Example.NET".into()),
        email: "grace@example.net".into(),
        kind: NoticeKind::Announcement,
        revision: 1,
        message_id: "<1@bastion>".into(),
    };
    let delivery = Delivery::Sent { reply: "250 2.1.5 <GRACE@example.net> ok; ⟨literally⟩".into() };
    let entries = [
        note(1, "asked grace@example.net before"),
        people(2),
        Entry { record: queued, ..note(3, "") },
        Entry { record: Record::NoticeDelivery { message_id: "<1@bastion>".into(), delivery }, ..note(4, "") },
        note(5, "Ada Lovelace spoke for grace@example.net, not for xgrace@example.net."),
    ];
    store.append(&id, &lease, &entries).await.unwrap();
    assert_eq!(store.load(&id).await.unwrap(), entries);
    let tables = store.tables().await.unwrap();
    for row in &tables.records {
        let lower = row.text.to_lowercase();
        for value in ["ada lovelace", "hopper", "grace@example.net", "ada@example.net"] {
            assert!(!lower.contains(value), "{value} in {}", row.text);
        }
    }
    let mentions = store.mentions("GRACE@example.net").await.unwrap();
    let seqs: Vec<u64> = mentions.iter().map(|mention| mention.entry.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5]);
    assert_eq!(mentions[3].entry, entries[3]);
    assert!(store.mentions("nobody@example.net").await.unwrap().is_empty());

    let erasure = Entry { record: Record::PersonErased { tokens: Vec::new(), reason: "asked".into() }, ..note(0, "") };
    assert_eq!(store.erase(&lease, "nobody@example.net", &erasure).await.unwrap().values, 0);
    assert!(store.lease_log(&tenant("t1")).await.unwrap().is_empty());
    let erased = store.erase(&lease, "grace@EXAMPLE.net", &erasure).await.unwrap();
    assert_eq!(erased.values, 4, "two addresses in two spellings each but one, and a name: {:?}", erased.note);
    let loaded = store.load(&id).await.unwrap();
    assert_eq!(loaded.len(), 5);
    let text = serde_json::to_string(&loaded).unwrap();
    assert!(!text.to_lowercase().replace("xgrace", "").contains("grace"), "{text}");
    assert!(
        text.contains("[erased ") && text.contains("ada@example.net") && text.contains("xgrace@example.net"),
        "{text}"
    );
    assert!(store.mentions("grace@example.net").await.unwrap().is_empty());
    assert_eq!(verdict(&store, "t1").await.finding, None);
    let log = store.lease_log(&tenant("t1")).await.unwrap();
    assert!(
        matches!(&log[0].record, Record::PersonErased { tokens, reason } if tokens.len() == 4 && reason == "asked")
    );
    // Gone without a record of it is found; so is a value that was changed.
    place.change("UPDATE person SET value = 'Eve' WHERE value = 'Ada Lovelace'").await;
    assert_eq!(verdict(&store, "t1").await.finding.unwrap().kind, Kind::PersonChanged);
    assert!(store.load(&id).await.unwrap_err().message.contains("personal value in record 2 of rotation r"));
    place.change("DELETE FROM person WHERE value = 'Eve'").await;
    assert_eq!(verdict(&store, "t1").await.finding.unwrap().kind, Kind::PersonChanged);
}

pub async fn a_newer_schema_is_refused<P: Place>() {
    let place = P::new().await;
    place.open().await.close().await;
    place.change("INSERT INTO schema_version (version) VALUES (99)").await;
    let fault = place.refuses().await;
    assert!(fault.message.contains("newer changeguard (schema 99"), "{fault}");
}
