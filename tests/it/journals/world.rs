//! The lab's world as a value, and back: secrets with ids and payloads, the object, the server's key, what each client's
//! device has, the mails that had arrived, the operator's mailbox, silences.

use crate::offered::{TENANT, public};
use changeguard::adapters::lab::{LabSilence, LabWorld, Secret};
use changeguard::domain::client::Entry;
use changeguard::domain::document;
use changeguard::domain::freshness::{PeerReading, ServerReading};
use changeguard::domain::key::PublicKey;
use changeguard::engine::observe::{ObjectSight, SecretSight, Sights};
use changeguard::engine::ports::{SecretRef, Settings};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const OBJECT: &str = "config/vpn-users.json";

/// What is there now.
pub fn seen(world: &LabWorld) -> Value {
    let secrets: Map<String, Value> = world.secrets("").into_iter().map(|s| (s.id.clone(), secret(&s))).collect();
    let tenant = world.tenant(TENANT).unwrap().id;
    let object = world.object(&tenant, OBJECT).map(|bytes| String::from_utf8(bytes).unwrap());
    let server = world.server(TENANT).unwrap();
    let peer = |peer: changeguard::adapters::lab::LabPeer| Some((peer.client?, json!([peer.believes, peer.stamp])));
    let peers: Map<String, Value> = server.peers.into_iter().filter_map(peer).collect();
    let mail = |mail: std::sync::Arc<changeguard::adapters::lab::Mail>| {
        json!([mail.header("Message-ID"), mail.header("X-Changeguard-Kind"), mail.header("Reply-To")])
    };
    let mails: Vec<Value> = world.mails().into_iter().map(mail).collect();
    let inbox: Vec<String> =
        world.mailbox("INBOX").into_iter().map(|(_, raw, _)| String::from_utf8(raw).unwrap()).collect();
    let silences: Vec<Value> = world.silences().iter().map(silence).collect();
    json!({ "secrets": secrets, "object": object, "server": server.public_key, "peers": peers, "mails": mails,
        "inbox": inbox, "silences": silences })
}

fn secret(secret: &Secret) -> Value {
    let payload = secret.payload.clone().map(|payload| String::from_utf8(payload).unwrap());
    json!({ "name": secret.name, "payload": payload, "content_type": secret.content_type, "type": secret.secret_type,
        "algorithm": secret.algorithm, "created": secret.created, "expiration": secret.expiration, "acl": secret.acl,
        "metadata": secret.metadata, "consumers": secret.consumers })
}

fn silence(silence: &LabSilence) -> Value {
    json!({ "id": silence.id, "matchers": silence.matchers, "starts": silence.starts, "ends": silence.ends,
        "created_by": silence.created_by, "comment": silence.comment })
}

/// Puts the lab back to what was seen. `keys` are all private keys that were ever seen, by their public halves.
pub fn put_back(world: &LabWorld, seen: &Value, keys: &BTreeMap<String, [u8; 32]>) {
    let project = world.project();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let given = |(id, value): (&String, &Value)| Secret {
        id: id.clone(),
        project: project.clone(),
        name: text(&value["name"]).unwrap(),
        payload: text(&value["payload"]).map(String::into_bytes),
        content_type: text(&value["content_type"]).unwrap(),
        secret_type: text(&value["type"]).unwrap(),
        algorithm: serde_json::from_value(value["algorithm"].clone()).unwrap(),
        created: value["created"].as_u64().unwrap(),
        expiration: value["expiration"].as_u64(),
        acl: Some(value["acl"].clone()).filter(|acl| !acl.is_null()),
        metadata: serde_json::from_value(value["metadata"].clone()).unwrap(),
        consumers: value["consumers"].as_array().cloned().unwrap_or_default(),
    };
    world.put_secrets(seen["secrets"].as_object().unwrap().iter().map(given).collect());
    let tenant = world.tenant(TENANT).unwrap().id;
    world.put_object(&tenant, OBJECT, seen["object"].as_str().unwrap().as_bytes());
    let server = seen["server"].as_str().unwrap();
    world.set_server_key(
        TENANT,
        *keys.get(server).unwrap_or_else(|| panic!("the private key of {server} was not seen")),
    );
    for (client, peer) in seen["peers"].as_object().unwrap() {
        let believes = key(peer[0].as_str().unwrap());
        assert!(world.put_peer(TENANT, client, believes, peer[1].as_u64().unwrap()), "{client} has no peer");
    }
    let header =
        |name: &str, value: &Value| text(value).map(|value| format!("{name}: {value}\r\n")).unwrap_or_default();
    let mail = |mail: &Value| {
        let names = ["Message-ID", "X-Changeguard-Kind", "Reply-To"];
        let head: String = names.iter().enumerate().map(|(at, name)| header(name, &mail[at])).collect();
        (head + "\r\n").into_bytes()
    };
    world.put_mails(seen["mails"].as_array().unwrap().iter().map(mail));
    world.put_inbox(seen["inbox"].as_array().unwrap().iter().map(|raw| text(raw).unwrap().into_bytes()));
    world.forget_silences();
    for value in seen["silences"].as_array().unwrap() {
        let moment = |name: &str| value[name].as_str().unwrap().parse().unwrap();
        world.put_silence(LabSilence {
            id: text(&value["id"]).unwrap(),
            matchers: value["matchers"].clone(),
            starts: moment("starts"),
            ends: moment("ends"),
            created_by: text(&value["created_by"]).unwrap(),
            comment: text(&value["comment"]).unwrap(),
        });
    }
}

/// What a look at such a world sees, without the lab.
pub fn sights(seen: &Value, settings: &Settings, at: Timestamp) -> Sights {
    let public = |text: &str| PublicKey::parse(text).unwrap();
    let secrets = seen["secrets"].as_object().unwrap().iter();
    let (mut count, mut keys, mut hrefs, mut created) = (0, Vec::new(), Vec::new(), None);
    for (id, secret) in secrets.filter(|(_, secret)| secret["name"] == settings.secret_name.as_str()) {
        count += 1;
        keys.push(secret["payload"].as_str().map(|payload| public(&crate::offered::public(payload.as_bytes()))));
        hrefs.push(SecretRef(format!("http://127.0.0.1/v1/secrets/{id}")));
        created = created.max(Timestamp::from_second(secret["created"].as_i64().unwrap()).ok());
    }
    let document = document::read(seen["object"].as_str().unwrap().as_bytes(), &settings.fields).unwrap();
    let peer = |user: &Entry| {
        let stamp = seen["peers"][&user.id][1].as_i64()?;
        let public_key = user.public_key?;
        let (endpoint, allowed_ips) = (None, Vec::new());
        Some(PeerReading { public_key, latest_handshake: stamp, endpoint, rx: 0, tx: 0, allowed_ips })
    };
    let peers = document.users.iter().filter_map(peer).collect();
    let public_key = public(seen["server"].as_str().unwrap());
    let mut sights = Sights::default();
    sights.secret.take(
        at,
        Ok(SecretSight {
            count,
            versions: vec![None; keys.len()],
            keys,
            hrefs,
            created,
            expires: None,
            alike: Vec::new(),
        }),
    );
    sights.server.take(at, Ok(ServerReading { clock: at.as_second(), public_key, peers }));
    sights.console.take(at, Ok(document.users.clone()));
    let (public_key, users) = (document.public_key, document.users);
    sights.object.take(at, Ok(ObjectSight { public_key, users, etag: String::new() }));
    sights
}

/// A key in base64 as bytes.
pub fn key(text: &str) -> [u8; 32] {
    use base64ct::Encoding;
    base64ct::Base64::decode_vec(text).unwrap().try_into().unwrap()
}

/// All private keys in these worlds by their public halves.
pub fn keys<'a>(worlds: impl IntoIterator<Item = &'a Value>) -> BTreeMap<String, [u8; 32]> {
    let mut keys = BTreeMap::new();
    for world in worlds {
        for secret in world["secrets"].as_object().unwrap().values() {
            if let Some(payload) = secret["payload"].as_str() {
                keys.insert(public(payload.as_bytes()), key(payload.trim()));
            }
        }
    }
    keys
}

/// The key of the live secret before anything was done.
pub fn live(world: &Value) -> String {
    let named = |secret: &&Value| secret["name"].as_str().unwrap().starts_with("vpn-private-key-");
    let live: Vec<&Value> = world["secrets"].as_object().unwrap().values().filter(named).collect();
    public(live[0]["payload"].as_str().unwrap().as_bytes())
}
