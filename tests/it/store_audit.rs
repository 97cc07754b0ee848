//! What the audit finds: every single bit that changes, in the tables and in SQLite's file, and every record that is
//! taken away, moved, added or cut off. And a journal of before the chain.

use crate::store::Folder;
use crate::store_suite::{Place, lost, me, note, people, rotation, take, tenant, verdict};
use changeguard::adapters::store::SqlJournal;
use changeguard::engine::audit::{self, Head, Kind, Row, Tables, genesis, link};
use changeguard::engine::journal::JournalStore;
use changeguard::engine::persons::{PersonRow, Persons, restore};
use changeguard::engine::record::Entry;
use proptest::prelude::*;

/// A journal with two rotations, a lease log and personal values, as SQLite holds it.
async fn written(folder: &Folder) -> SqlJournal {
    let store = folder.open().await;
    let lease = take(&store, "t1", me(1, 0)).await;
    store.append(&rotation("a"), &lease, &[note(1, "first"), people(2)]).await.unwrap();
    store.add_to_lease_log(&tenant("t1"), &lost("step 4 for ada@example.net")).await.unwrap();
    store.append(&rotation("b"), &lease, &[note(1, "asked ada@example.net")]).await.unwrap();
    store
}

fn finds(tables: &Tables) -> bool {
    audit::verify(tables, None, &[]).iter().any(|verdict| verdict.finding.is_some())
}

/// Every text with one bit changed that is a text still; another would not even be read.
fn bits_of(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for at in 0..text.len() * 8 {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        all.extend(String::from_utf8(bytes));
    }
    all
}

/// Changes one bit after the other of one column and asks the audit each time.
fn flip_text(tables: &Tables, what: &str, column: impl Fn(&mut Tables) -> &mut String) -> usize {
    let mut copy = tables.clone();
    let before = column(&mut copy).clone();
    let changed = bits_of(&before);
    for text in &changed {
        *column(&mut copy) = text.clone();
        assert!(finds(&copy), "{what}: {before:?} became {text:?}");
    }
    changed.len()
}

fn flip_number(tables: &Tables, what: &str, column: impl Fn(&mut Tables) -> &mut i64) -> usize {
    for bit in 0..64 {
        let mut copy = tables.clone();
        *column(&mut copy) ^= 1 << bit;
        assert!(finds(&copy), "{what}, bit {bit}");
    }
    64
}

#[tokio::test]
async fn every_single_bit_of_every_column_is_covered() {
    let folder = Folder::new().await;
    let tables = written(&folder).await.tables().await.unwrap();
    assert!(!finds(&tables));
    let mut count = 0;
    for at in 0..tables.records.len() {
        let flip = |what, column: fn(&mut Row) -> &mut String| flip_text(&tables, what, |t| column(&mut t.records[at]));
        count += flip("record.tenant", |row| &mut row.tenant);
        count += flip("record.rotation", |row| &mut row.rotation);
        count += flip("record.entry", |row| &mut row.text);
        count += flip("record.hash", |row| &mut row.hash);
        count += flip_number(&tables, "record.position", |t| &mut t.records[at].position);
        count += flip_number(&tables, "record.seq", |t| &mut t.records[at].seq);
        count += flip_number(&tables, "record.version", |t| &mut t.records[at].version);
        count += flip_number(&tables, "record.fence", |t| &mut t.records[at].fence);
        count += flip_number(&tables, "record.at_ms", |t| &mut t.records[at].at_ms);
    }
    for at in 0..tables.rotations.len() {
        count += flip_text(&tables, "rotation.rotation", |t| &mut t.rotations[at].rotation);
        count += flip_text(&tables, "rotation.tenant", |t| &mut t.rotations[at].tenant);
        count += flip_number(&tables, "rotation.began_ms", |t| &mut t.rotations[at].began_ms);
        count += flip_number(&tables, "rotation.last_seq", |t| &mut t.rotations[at].last_seq);
    }
    count += flip_text(&tables, "chain.tenant", |t| &mut t.chains[0].tenant);
    count += flip_text(&tables, "chain.hash", |t| &mut t.chains[0].hash);
    count += flip_number(&tables, "chain.position", |t| &mut t.chains[0].position);
    count += flip_number(&tables, "chain.imported", |t| &mut t.chains[0].imported);
    for at in 0..tables.persons.len() {
        count += flip_text(&tables, "person.token", |t| &mut t.persons[at].token);
        count += flip_text(&tables, "person.tenant", |t| &mut t.persons[at].tenant);
        count += flip_text(&tables, "person.person", |t| &mut t.persons[at].person);
        count += flip_text(&tables, "person.nonce", |t| &mut t.persons[at].nonce);
        count += flip_text(&tables, "person.value", |t| &mut t.persons[at].value);
    }
    println!("{count} single bits, every one found");
    assert!(count > 10_000, "{count}");
}

/// What the journal means, whatever bytes say it. The lease is not part of it: it passes with its holder.
fn meaning(tables: &Tables) -> Tables {
    Tables { leases: Vec::new(), ..tables.clone() }
}

#[test]
fn a_changed_bit_of_the_file_is_refused_or_found_or_means_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = runtime.block_on(Folder::new());
    let (whole, before) = runtime.block_on(async {
        let store = written(&folder).await;
        let before = meaning(&store.tables().await.unwrap());
        store.close().await;
        (std::fs::read(folder.file()).unwrap(), before)
    });
    // Most of a young file is empty; half of the tries go where something is.
    let used: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
    let place = prop_oneof![proptest::sample::select(used), 0..whole.len()];
    let found = std::cell::Cell::new(0);
    let cases = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) };
    proptest::test_runner::TestRunner::new(cases)
        .run(&(place, 0..8u32), |(at, bit)| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            std::fs::write(folder.file(), bytes).unwrap();
            for old in ["journal.db-wal", "journal.db-shm"] {
                let _ = std::fs::remove_file(folder.state().join(old));
            }
            let after = runtime.block_on(async {
                let store = SqlJournal::in_folder(&folder.state()).await.ok()?;
                let tables = store.tables().await.ok();
                store.close().await;
                tables.filter(|tables| !finds(tables))
            });
            match after {
                None => found.set(found.get() + 1),
                Some(after) => prop_assert_eq!(meaning(&after), before.clone(), "byte {} bit {}", at, bit),
            }
            Ok(())
        })
        .unwrap();
    assert!(found.get() > 20, "only {} of 300 were found", found.get());
}

/// A chain of `count` records in one rotation, made without any store.
fn chain(count: usize) -> Tables {
    let mut tables = Tables::default();
    if count == 0 {
        return tables;
    }
    let mut previous = genesis("t1", 0);
    for at in 1..=count as i64 {
        let (tenant, rotation, text) = ("t1".to_owned(), "r".to_owned(), format!("{{\"n\":{at}}}"));
        let mut row =
            Row { tenant, position: at, rotation, seq: at, version: 2, fence: 1, at_ms: at, text, hash: String::new() };
        row.hash = link(&previous, &row);
        previous = row.hash.clone();
        tables.records.push(row);
    }
    let (tenant, position) = ("t1".to_owned(), count as i64);
    tables.chains.push(audit::ChainRow { tenant: tenant.clone(), position, hash: previous, imported: 0 });
    let rotation = "r".to_owned();
    tables.rotations.push(audit::RotationRow { rotation, tenant: tenant.clone(), began_ms: 1, last_seq: position });
    tables.leases.push(audit::LeaseRow { tenant, fence: 1 });
    tables
}

fn kind(tables: &Tables) -> Option<Kind> {
    audit::verify(tables, None, &[]).remove(0).finding.map(|finding| finding.kind)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn what_is_taken_away_moved_added_or_cut_off_is_called_by_its_name(
        count in 3usize..12, a in 0usize..12, b in 0usize..12
    ) {
        let whole = chain(count);
        let (a, b) = (a % count, b % count);
        prop_assert_eq!(kind(&whole), None);

        let mut taken = whole.clone();
        taken.records.remove(a);
        let expected = if a + 1 == count { Kind::TailCutOff } else { Kind::Missing };
        prop_assert_eq!(kind(&taken), Some(expected));
        let finding = audit::verify(&taken, None, &[]).remove(0).finding.unwrap();
        prop_assert_eq!(finding.position, Some(a as i64 + 1));

        let mut cut = whole.clone();
        cut.records.truncate(a);
        prop_assert_eq!(kind(&cut), Some(Kind::TailCutOff));

        let mut doubled = whole.clone();
        doubled.records.push(whole.records[a].clone());
        prop_assert!(kind(&doubled).is_some());

        let mut added = whole.clone();
        let position = count as i64 + 1;
        added.records.push(Row { position, seq: position, ..whole.records[count - 1].clone() });
        prop_assert!(kind(&added).is_some());

        if a != b {
            // The places are exchanged, or what stands in them.
            let mut moved = whole.clone();
            (moved.records[a].position, moved.records[b].position) = (b as i64 + 1, a as i64 + 1);
            prop_assert_eq!(kind(&moved), Some(Kind::Reordered));
            let mut swapped = whole.clone();
            for (to, from) in [(a, b), (b, a)] {
                let hash = whole.records[to].hash.clone();
                let position = whole.records[to].position;
                swapped.records[to] = Row { hash, position, ..whole.records[from].clone() };
            }
            prop_assert_eq!(kind(&swapped), Some(Kind::Reordered));
        }
    }

    #[test]
    fn a_head_that_was_kept_finds_a_chain_that_was_rewritten_as_a_whole(count in 2usize..9, at in 0usize..9) {
        let whole = chain(count);
        let row = &whole.records[at % count];
        let kept = Head { tenant: "t1".into(), position: row.position, hash: row.hash.clone(), behind: Vec::new() };
        let text = kept.to_string();
        prop_assert_eq!(text.parse::<Head>().unwrap(), kept.clone());
        let judge = |tables: &Tables| audit::verify(tables, None, std::slice::from_ref(&kept)).remove(0).finding;
        prop_assert_eq!(judge(&whole), None);
        let shorter = chain(at % count);
        prop_assert_eq!(judge(&shorter).map(|finding| finding.kind), Some(Kind::NotAsExpected));
        let mut forged = whole.clone();
        let mut previous = genesis("t1", 0);
        for row in &mut forged.records {
            row.text.push(' ');
            row.hash = link(&previous, row);
            previous = row.hash.clone();
        }
        forged.chains[0].hash = previous;
        prop_assert_eq!(kind(&forged), None, "the chain itself can't tell");
        prop_assert_eq!(judge(&forged).map(|finding| finding.kind), Some(Kind::NotAsExpected));
    }
}

#[tokio::test]
async fn a_journal_of_before_the_chain_is_chained_and_says_what_that_proves() {
    use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    let folder = Folder::new().await;
    std::fs::DirBuilder::new().mode(0o700).create(folder.state()).unwrap();
    let options = SqliteConnectOptions::new().filename(folder.file()).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    // The tables as the first version made them, with what it wrote.
    let first = include_str!("store_version_1.sql");
    sqlx::raw_sql(first).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    std::fs::set_permissions(folder.file(), std::fs::Permissions::from_mode(0o600)).unwrap();

    let store = folder.open().await;
    let entries = store.load(&rotation("20261101-100000-aaaaaa")).await.unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1].record.summary(), "note: called ada@example.net ⟨literally⟩");
    let found = verdict(&store, "t1").await;
    assert_eq!((found.finding, found.records, found.imported), (None, 3, 3));
    let tables = store.tables().await.unwrap();
    assert!(tables.records.iter().all(|row| !row.text.contains("ada@example.net")), "the old records hold tokens now");
    let lease = take(&store, "t1", me(1, 0)).await;
    store.append(&rotation("new"), &lease, &[note(1, "a")]).await.unwrap();
    let found = verdict(&store, "t1").await;
    assert_eq!((found.finding, found.records, found.imported), (None, 4, 3));
    store.close().await;
    assert_eq!(verdict(&folder.open().await, "t1").await.records, 4, "it is chained once");
}

fn hidden(entries: &[Entry]) -> (Vec<String>, Vec<PersonRow>) {
    let mut persons = Persons::new("t1", Vec::new(), || Ok([7; 16]));
    let texts = entries.iter().map(|entry| persons.hide(entry).unwrap()).collect();
    (texts, persons.fresh().to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn values_come_back_letter_by_letter_and_erased_ones_leave_a_record_that_can_be_read(
        parts in proptest::collection::vec(proptest::sample::select(vec![
            "ada@example.net", "ADA@Example.NET", "Ada Lovelace", "Ada", "⟨", "⟩", "⟨⟨", "\\", "\"", " ", ".", "-", "@", "x",
            "<", ">", "0123456789abcdef0123456789abcdef", "é", "\u{1}", "noted", "grace@example.net", "%",
        ]), 0..12)
    ) {
        let text = parts.concat();
        let entries = [people(1), note(2, &text)];
        let (texts, rows) = hidden(&entries);
        let value = |token: &str| rows.iter().find(|row| row.token == token).map(|row| row.value.as_str());
        for (text, entry) in texts.iter().zip(&entries) {
            let back: Entry = serde_json::from_str(&restore(text, &value)).unwrap();
            prop_assert_eq!(&back, entry);
            let erased = restore(text, &|_| None);
            let read: Entry = serde_json::from_str(&erased).unwrap();
            prop_assert_eq!(read.seq, entry.seq);
            prop_assert!(!erased.to_lowercase().contains("ada@example.net"), "{}", erased);
        }
        prop_assert!(rows.iter().all(PersonRow::is_what_was_written));
    }
}
