//! The nodes of the lab's cluster as a value, and back: every key with its time and mode, live, prepared and saved. And what is compared
//! of a status of theirs.

use changeguard::adapters::lab::fernet::{Cluster, ClusterOptions};
use changeguard::domain::fernet::oslo::{File, Options};
use changeguard::domain::fernet::repository::{Access, Digest, Folder, KeyFile, Reader, Repository, Stray};
use changeguard::domain::fernet::settings::Settings;
use changeguard::engine::ports::nodes::{Beside, Look};
use changeguard::runbooks::fernet::{NodeSight, Sights};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use sha2::Digest as _;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

pub const SUBJECT: &str = "keystone/lab";
/// Where the nodes' folders were when their journals were frozen: their paths stand in the records.
pub const PLACE: &str = "/srv/lab";

/// What of a cluster is not as the lab has it by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How long ago the last rotation was, s.
    pub rotated: u64,
    /// Whether the receipts have a folder of their own.
    pub receipts: bool,
}

impl Size {
    /// As a journal's first line has it.
    pub fn of(about: &Value) -> Self {
        Self { rotated: about["rotated"].as_u64().unwrap(), receipts: about["receipts"].as_bool().unwrap() }
    }

    pub fn json(self) -> Value {
        json!({ "rotated": self.rotated, "receipts": self.receipts })
    }

    pub fn apply(self, options: &mut ClusterOptions) {
        (options.rotated, options.receipts_apart) = (Duration::from_secs(self.rotated), self.receipts);
    }
}

/// What lies on the nodes now.
pub fn seen(cluster: &Cluster) -> Value {
    let folders = |node: usize| -> Map<String, Value> {
        let all = std::fs::read_dir(cluster.etc(node)).unwrap().filter_map(Result::ok);
        let ours = all.filter(|entry| entry.file_name().to_string_lossy().starts_with("fernet-"));
        // What is renamed at this very moment is met under one of its names.
        ours.filter_map(|entry| Some((entry.file_name().into_string().unwrap(), folder(&entry.path())?))).collect()
    };
    let nodes = cluster.names().into_iter().enumerate().map(|(node, name)| (name, Value::Object(folders(node))));
    Value::Object(nodes.collect())
}

fn folder(path: &Path) -> Option<Value> {
    if path.is_file() {
        return file(path);
    }
    let all = std::fs::read_dir(path).ok()?.filter_map(Result::ok);
    let keys = all.filter_map(|entry| Some((entry.file_name().into_string().unwrap(), file(&entry.path())?)));
    Some(Value::Object(keys.collect()))
}

fn file(path: &Path) -> Option<Value> {
    let (text, metadata) = (std::fs::read_to_string(path).ok()?, std::fs::metadata(path).ok()?);
    Some(json!([text, metadata.mtime(), metadata.mode() & 0o7777]))
}

/// Puts the nodes back to what was seen, as if it had been so much later.
pub fn put_back(cluster: &Cluster, seen: &Value, later: SignedDuration) {
    for (node, name) in cluster.names().iter().enumerate() {
        let etc = cluster.etc(node);
        for entry in std::fs::read_dir(&etc).unwrap().map(Result::unwrap) {
            if entry.file_name().to_string_lossy().starts_with("fernet-") {
                let path = entry.path();
                if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
            }
        }
        for (name, what) in seen[name].as_object().unwrap() {
            let path = etc.join(name);
            let Some(keys) = what.as_object() else {
                write(&path, what, later);
                continue;
            };
            std::fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
            keys.iter().for_each(|(key, what)| write(&path.join(key), what, later));
        }
    }
}

fn write(path: &Path, what: &Value, later: SignedDuration) {
    use std::io::Write;
    let mode = u32::try_from(what[2].as_u64().unwrap()).unwrap();
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path).unwrap();
    file.write_all(what[0].as_str().unwrap().as_bytes()).unwrap();
    let at = Timestamp::from_second(what[1].as_i64().unwrap()).unwrap() + later;
    file.set_modified(SystemTime::try_from(at).unwrap()).unwrap();
}

/// What a look at such nodes sees, without the lab. `conf`: their configuration.
pub fn sights(seen: &Value, conf: &str, reader: &Reader, at: Timestamp) -> Sights {
    let read = Options::read(&[File { path: "keystone.conf".into(), text: conf.into() }]).unwrap();
    let settings = Settings::of(&read).unwrap();
    let mut sights = Sights::default();
    for (name, folders) in seen.as_object().unwrap() {
        let repository = |folder: &str| repository(name, folder, &folders[folder], reader);
        let look = Look {
            hostname: name.clone(),
            clock_ms: at.as_millisecond(),
            keystone_manage: Some("/usr/bin/keystone-manage".into()),
            files: vec!["keystone.conf".into()],
            settings: settings.clone(),
            tokens: repository("fernet-keys"),
            receipts: settings.has_own_receipts().then(|| repository("fernet-receipts")),
            free_kib: None,
            jobs: Vec::new(),
            beside: beside(folders),
        };
        sights.nodes.entry(name.clone()).or_default().take(at, Ok(NodeSight { look, ahead_s: 0 }));
        sights.apis.entry(name.clone()).or_default().take(at, Ok(()));
    }
    sights
}

/// What cases have left beside the live keys.
fn beside(folders: &Value) -> Vec<Beside> {
    let all = folders.as_object().unwrap().iter().filter(|(_, what)| what.is_object());
    let of = |(name, _): (&String, &Value)| {
        let saved = name.split_once(".changeguard-").map(|(_, case)| case.trim_end_matches(".tmp").to_owned());
        let is_next = name.ends_with(".next");
        let marked = || folders[format!("{name}.case")][0].as_str().map(str::to_owned);
        let case = saved.clone().or_else(marked);
        (is_next || saved.is_some()).then(|| Beside { path: name.clone(), is_next, case })
    };
    all.filter_map(of).collect()
}

fn repository(node: &str, path: &str, files: &Value, reader: &Reader) -> Repository {
    let access = |mode| Access { owner: reader.user.clone(), group: reader.group.clone(), mode };
    let (mut keys, mut strays) = (std::collections::BTreeMap::new(), Vec::new());
    for (name, what) in files.as_object().unwrap() {
        let text = what[0].as_str().unwrap();
        let Ok(index) = name.parse::<u32>() else {
            strays.push(Stray { name: name.clone(), is_file: true });
            continue;
        };
        let key = KeyFile {
            digest: Some(Digest::from_bytes(sha2::Sha256::digest(text.trim()).into())),
            is_well_formed: text.trim().len() == 44,
            bytes: text.len() as u64,
            mtime: what[1].as_i64().unwrap(),
            access: access(u32::try_from(what[2].as_u64().unwrap()).unwrap()),
        };
        keys.insert(index, key);
    }
    Repository { node: node.into(), path: path.into(), folder: Folder::Seen(access(0o700)), keys, strays }
}

/// A status without its journal, which is in the dump, and of each verb only why it is not taken.
pub fn plain(mut status: Value) -> Value {
    status["verbs"] = verbs(&status);
    status["journal"] = Value::Null;
    status["attention"] = attention(&status);
    status
}

/// But for the witness, which no state folder of a prefix has.
fn attention(status: &Value) -> Value {
    let items = status["attention"].as_array().unwrap().iter();
    items.filter(|item| !item.as_str().unwrap().starts_with("this host's witness")).cloned().collect()
}

fn verbs(status: &Value) -> Value {
    let verbs = status["verbs"].as_array().unwrap().iter();
    Value::Object(verbs.map(|verb| (verb["verb"].as_str().unwrap().to_owned(), verb["shut"].clone())).collect())
}

/// What of a status with a look outside does not depend on when exactly the look was.
pub fn gist(status: &Value) -> Value {
    let names = |gate: &Value| {
        let reasons = gate["reasons"].as_array().into_iter().flatten();
        let names: Vec<&str> = reasons.map(|fact| fact["name"].as_str().unwrap()).collect();
        json!({ "gate": gate["gate"], "reasons": names.join(" ") })
    };
    let gates = status["gates"].as_object().unwrap().iter().map(|(verb, gate)| (verb.clone(), names(gate)));
    let next = &status["next"];
    json!({ "phase": status["phase"], "ended": status["ended"], "attention": attention(status), "safe": status["safe"],
        "gates": gates.collect::<Map<_, _>>(), "order": next["order"], "asks": next["asks"], "waits": next["until"].is_string() })
}
