//! The frozen journals of `tests/journals`: the dump of each store, and at every prefix what the program of then said of it
//! and what the lab's world was. How they were made is `freeze`.

use super::difference;
use changeguard::engine::audit::{Row, genesis, link};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// One frozen journal.
pub struct Journal {
    /// `sqlite/forward`.
    pub name: String,
    /// The first line: who made it, for whom it is seen, the lab's size, the configuration's own part.
    pub about: Value,
    /// The dump as it was written.
    pub dump: String,
    /// The lab's world before the first record.
    pub before: Value,
    /// One for each record, in the order of the chain.
    pub prefixes: Vec<Prefix>,
}

/// A journal up to one record.
pub struct Prefix {
    /// The record's place in the chain.
    pub position: i64,
    /// The moment of the status.
    pub now: Timestamp,
    /// What `status --offline --json` of then said, without its lines of the journal.
    pub status: Value,
    /// The gist of what `status --json` said with a look at the world as it was.
    pub looked: Value,
    /// The lab's world when the record had been written and nothing else done.
    pub world: Value,
}

/// One value of a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    Number(i64),
}

impl Cell {
    pub fn text(&self) -> &str {
        let Cell::Text(text) = self else { panic!("no text: {self:?}") };
        text
    }

    pub fn number(&self) -> i64 {
        let Cell::Number(number) = self else { panic!("no number: {self:?}") };
        *number
    }
}

/// Where the corpus lies.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journals")
}

/// All frozen journals of a dialect.
pub fn journals(dialect: &str) -> Vec<Journal> {
    let listed = std::fs::read_dir(folder().join(dialect)).unwrap().map(|entry| entry.unwrap().path());
    let mut dumps: Vec<PathBuf> = listed.filter(|path| path.extension().is_some_and(|end| end == "sql")).collect();
    dumps.sort();
    let least = if dialect.starts_with("keystone/") { 2 } else { 6 };
    assert!(dumps.len() >= least, "{dialect}: all ways must be there: {dumps:?}");
    dumps.iter().map(|path| Journal::read(path, dialect)).collect()
}

/// One frozen journal.
pub fn journals_named(dialect: &str, name: &str) -> Journal {
    Journal::read(&folder().join(dialect).join(format!("{name}.sql")), dialect)
}

impl Journal {
    fn read(path: &Path, dialect: &str) -> Self {
        let dump = std::fs::read_to_string(path).unwrap();
        let name = format!("{dialect}/{}", path.file_stem().unwrap().to_string_lossy());
        let text = std::fs::read_to_string(path.with_extension("jsonl")).unwrap();
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let about = lines.next().unwrap();
        let before = about["before"].clone();
        let (mut status, mut world, mut looked) = (Value::Null, before.clone(), Value::Null);
        let prefix = |line: Value| {
            difference::apply(&mut status, &line["status"]);
            difference::apply(&mut world, &line["world"]);
            difference::apply(&mut looked, &line["looked"]);
            let (position, now) = (line["position"].as_i64().unwrap(), line["now"].as_str().unwrap().parse().unwrap());
            Prefix { position, now, status: status.clone(), looked: looked.clone(), world: world.clone() }
        };
        let prefixes = lines.map(prefix).collect();
        Self { name, about, dump, before, prefixes }
    }

    /// The same where what lay in one folder lies in another: only for a state of which the chain is made anew.
    pub fn moved_to(&self, from: &str, to: &str) -> Self {
        let (name, dump, about, before) =
            (self.name.clone(), self.dump.replace(from, to), self.about.clone(), self.before.clone());
        Self { name, about, dump, before, prefixes: Vec::new() }
    }

    /// The rows of a table, as dumped.
    pub fn rows(&self, table: &str) -> Vec<Vec<Cell>> {
        inserts(&self.dump).into_iter().filter(|(name, _)| name == table).map(|(_, cells)| cells).collect()
    }

    /// The records in the order of the chain.
    pub fn records(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.rows("record").iter().map(|cells| record(cells)).collect();
        rows.sort_by_key(|row| row.position);
        rows
    }

    /// The rotation that is in force after the first `position` records, and how many records of it there are.
    pub fn rotation_at(&self, position: i64) -> (String, usize) {
        let records = self.records();
        let upto = records.iter().take_while(|row| row.position <= position).filter(|row| !is_lease_log(row));
        let last = upto.clone().max_by_key(|row| (row.seq == 1).then_some(row.position)).unwrap();
        (last.rotation.clone(), upto.filter(|row| row.rotation == last.rotation).count())
    }

    /// Makes a state folder whose journal holds the first `position` records and whose key of the reply tokens is that of
    /// then. `later` moves everything in it by so much, as if it had happened then; the chain is made anew for that.
    pub async fn state(&self, folder: &Path, position: i64, later: Option<SignedDuration>) {
        std::fs::DirBuilder::new().mode(0o700).create(folder).unwrap();
        private(&folder.join("reply.key"), &bytes(self.about["reply_key"].as_str().unwrap()));
        let path = folder.join("journal.db");
        private(&path, b"");
        let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
        for statement in self.statements(position, later) {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
    }

    /// SQLite's tables of then.
    fn tables(&self) -> Vec<String> {
        let (dialect, _) = self.name.rsplit_once('/').unwrap();
        let beside = folder().join(dialect.replace("postgres", "sqlite")).join("forward.sql");
        let other = || std::fs::read_to_string(beside).unwrap();
        let dump = if self.name.contains("sqlite/") { self.dump.clone() } else { other() };
        let create = |line: &&str| line.starts_with("CREATE ");
        dump.lines().filter(create).map(|line| line.trim_end_matches(';').to_owned()).collect()
    }

    /// The journal up to a record as statements for SQLite: the tables of then, and their rows.
    fn statements(&self, position: i64, later: Option<SignedDuration>) -> Vec<String> {
        let mut statements = self.tables();
        let mut records: Vec<Row> = self.records().into_iter().filter(|row| row.position <= position).collect();
        let chain = self.rows("chain").remove(0);
        if let Some(later) = later {
            let mut previous = genesis(chain[0].text(), chain[3].number());
            for row in &mut records {
                (row.text, row.at_ms) = (moved(&row.text, later), row.at_ms + later.as_millis() as i64);
                row.hash = link(&previous, row);
                previous = row.hash.clone();
            }
        }
        let insert = |table: &str, cells: &[Cell]| {
            let cell = |cell: &Cell| match cell {
                Cell::Text(text) => format!("'{}'", text.replace('\'', "''")),
                Cell::Number(number) => number.to_string(),
            };
            let cells: Vec<String> = cells.iter().map(cell).collect();
            format!("INSERT INTO {table} VALUES ({})", cells.join(", "))
        };
        let text = |text: &str| Cell::Text(text.to_owned());
        for mut cells in self.rows("rotation") {
            let mine: Vec<&Row> = records.iter().filter(|row| row.rotation == cells[0].text()).collect();
            if let (Some(first), Some(last)) = (mine.first(), mine.last()) {
                (cells[2], cells[3]) = (Cell::Number(first.at_ms), Cell::Number(last.seq));
                statements.push(insert("rotation", &cells));
            }
        }
        for row in &records {
            let numbers = [row.seq, row.version, row.fence, row.at_ms].map(Cell::Number);
            let mut cells = vec![text(&row.rotation)];
            cells.extend(numbers);
            cells.extend([text(&row.text), text(&row.tenant), Cell::Number(row.position), text(&row.hash)]);
            statements.push(insert("record", &cells));
        }
        if let Some(last) = records.last() {
            let cells = [chain[0].clone(), Cell::Number(last.position), text(&last.hash), chain[3].clone()];
            statements.push(insert("chain", &cells));
        }
        for table in ["lease", "person", "mailbox", "schema_version"] {
            statements.extend(self.rows(table).iter().map(|cells| insert(table, cells)));
        }
        statements
    }
}

fn private(path: &Path, bytes: &[u8]) {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

/// Whether a record stands in a tenant's lease log.
pub fn is_lease_log(row: &Row) -> bool {
    row.rotation == format!("lease-{}", row.tenant)
}

/// The bytes of hex digits.
pub fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

fn record(cells: &[Cell]) -> Row {
    let (text, number) = (|at: usize| cells[at].text().to_owned(), |at: usize| cells[at].number());
    Row {
        rotation: text(0),
        seq: number(1),
        version: number(2),
        fence: number(3),
        at_ms: number(4),
        text: text(5),
        tenant: text(6),
        position: number(7),
        hash: text(8),
    }
}

/// The rows of a dump, table by table, of sqlite3's `.dump` or of `pg_dump --inserts`: one statement a line.
pub fn inserts(dump: &str) -> Vec<(String, Vec<Cell>)> {
    let line = |line: &str| {
        let rest = line.strip_prefix("INSERT INTO ")?;
        let (table, values) = rest.split_once(" VALUES")?;
        let values = values.trim_start().strip_prefix('(')?.trim_end().strip_suffix(");")?;
        let table = table.trim_start_matches("public.").trim_matches('"').to_owned();
        Some((table, cells(values)))
    };
    dump.lines().filter_map(line).collect()
}

fn cells(text: &str) -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(mut quoted) = rest.strip_prefix('\'') {
            let mut value = String::new();
            loop {
                let (before, after) = quoted.split_once('\'').unwrap();
                value.push_str(before);
                match after.strip_prefix('\'') {
                    Some(more) => {
                        value.push('\'');
                        quoted = more;
                    }
                    None => {
                        rest = after;
                        break;
                    }
                }
            }
            cells.push(Cell::Text(value));
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            cells.push(Cell::Number(rest[..end].trim().parse().unwrap()));
            rest = &rest[end..];
        }
        rest = rest.trim_start().trim_start_matches(',').trim_start();
    }
    cells
}

/// A record's text with every moment in it moved.
fn moved(text: &str, later: SignedDuration) -> String {
    fn walk(value: &mut Value, later: SignedDuration) {
        match value {
            Value::String(text) => {
                let looks = text.len() >= 20 && text.as_bytes()[10] == b'T' && text.ends_with('Z');
                if let Some(at) = looks.then(|| text.parse::<Timestamp>().ok()).flatten() {
                    *text = (at + later).to_string();
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| walk(value, later)),
            Value::Object(values) => values.values_mut().for_each(|value| walk(value, later)),
            _ => {}
        }
    }
    let mut value: Value = serde_json::from_str(text).unwrap();
    walk(&mut value, later);
    value.to_string()
}

#[test]
fn both_dialects_of_a_dump_are_read() {
    let sqlite = "INSERT INTO record VALUES('a''b,c',1,'{\"x\":\"y\\n\"}');";
    let postgres = "INSERT INTO public.record VALUES ('a''b,c', 1, '{\"x\":\"y\\n\"}');";
    let text = |text: &str| Cell::Text(text.to_owned());
    let expected = vec![("record".to_owned(), vec![text("a'b,c"), Cell::Number(1), text("{\"x\":\"y\\n\"}")])];
    assert_eq!((inserts(sqlite), inserts(postgres)), (expected.clone(), expected));
}
