//! Alertmanager 0.25, as far as it was seen: the alert of a tenant whose agent can't fetch its key, and silences with its
//! answers to what is wrong. Nobody is notified; who would be is for the test to judge.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::http::{Call, Reply, decode};
use super::seed::Tenant;
use super::state::{Shared, lock};
use super::world::LabWorld;

/// The alert's name.
const ALERT: &str = "BarbicanFetchError";
/// A firing alert is only promised for so long, and renewed.
const PROMISED: SignedDuration = SignedDuration::from_mins(4);

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabSilence {
    /// Its id.
    pub id: String,
    /// The matchers as they came.
    pub matchers: Value,
    /// When it begins, UTC.
    pub starts: Timestamp,
    /// When it ends or was ended, UTC.
    pub ends: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// What for.
    pub comment: String,
}

impl LabSilence {
    fn state(&self) -> &'static str {
        let now = Timestamp::now();
        match () {
            () if self.ends <= now => "expired",
            () if self.starts > now => "pending",
            () => "active",
        }
    }

    /// Whether it keeps an alert with these labels quiet now.
    fn mutes(&self, labels: &Value) -> bool {
        let matchers = self.matchers.as_array().into_iter().flatten();
        self.state() == "active" && matchers.into_iter().all(|m| matches(m, labels))
    }

    fn json(&self) -> Value {
        json!({ "id": self.id, "status": { "state": self.state() }, "updatedAt": stamp(self.starts), "comment": self.comment,
            "createdBy": self.created_by, "endsAt": stamp(self.ends), "startsAt": stamp(self.starts), "matchers": self.matchers })
    }
}

/// What Alertmanager knows.
#[derive(Default)]
pub(super) struct State {
    silences: BTreeMap<String, LabSilence>,
    /// The tenants whose alert fires, since when.
    failing: BTreeMap<String, Timestamp>,
    made: u64,
}

/// An agent has tried to fetch its key.
pub(super) fn fetched(shared: &Shared, tenant: &Tenant, well: bool) {
    let mut state = lock(&shared.alerts);
    match well {
        true => drop(state.failing.remove(&tenant.name)),
        false => drop(state.failing.entry(tenant.name.clone()).or_insert_with(Timestamp::now)),
    }
}

/// Answers one request.
pub(super) fn handle(shared: &Shared, call: &Call) -> Reply {
    let parts = call.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let mut state = lock(&shared.alerts);
    match (call.method.as_str(), parts.as_slice()) {
        ("GET", ["api", "v2", "alerts"]) => {
            let listed = state.failing.iter().map(|(tenant, since)| alert(&state, tenant, *since));
            let wanted = listed.filter(|alert| filters(call).iter().all(|f| matches(f, &alert["labels"])));
            Reply::json(200, &wanted.collect())
        }
        ("GET", ["api", "v2", "silences"]) => {
            // A filter is held against the matchers, as if they were the labels of an alert.
            let as_labels = |silence: &LabSilence| -> Value {
                let matchers = silence.matchers.as_array().into_iter().flatten();
                matchers.filter_map(|m| Some((m["name"].as_str()?.to_owned(), m["value"].clone()))).collect()
            };
            let wanted = state.silences.values().filter(|s| filters(call).iter().all(|f| matches(f, &as_labels(s))));
            Reply::json(200, &wanted.map(LabSilence::json).collect())
        }
        ("GET", ["api", "v2", "silence", id]) => match state.silences.get(*id) {
            Some(silence) => Reply::json(200, &silence.json()),
            None if is_uuid(id) => Reply::new(404),
            None => Reply::json(422, &json!({ "code": 601, "message": "silenceID in path must be of type uuid" })),
        },
        ("POST", ["api", "v2", "silences"]) => post(&mut state, &call.body),
        ("DELETE", ["api", "v2", "silence", id]) => match state.silences.get_mut(*id) {
            Some(silence) => {
                silence.ends = silence.ends.min(Timestamp::now());
                Reply::new(200)
            }
            None => Reply::json(500, &json!("silence not found")),
        },
        _ => Reply::new(404),
    }
}

/// Alertmanager's refusals: a bare JSON string.
pub(super) fn refusal(status: u16) -> Reply {
    match status {
        401 => Reply::new(401).body("Unauthorized\n"),
        _ => Reply::json(status, &json!("refused by the lab")),
    }
}

fn post(state: &mut State, body: &[u8]) -> Reply {
    let Ok(new) = serde_json::from_slice::<Value>(body) else {
        return Reply::json(400, &json!({ "code": 400, "message": "parsing silence body failed" }));
    };
    let text = |name: &str| new[name].as_str().map(str::to_owned);
    let (Some(comment), Some(created_by)) = (text("comment"), text("createdBy")) else {
        return Reply::json(422, &json!({ "code": 602, "message": "silence.comment in body is required" }));
    };
    let time = |name: &str| new[name].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let (Some(starts), Some(ends)) = (time("startsAt"), time("endsAt")) else {
        return Reply::json(422, &json!({ "code": 602, "message": "silence.startsAt in body is required" }));
    };
    let now = Timestamp::now();
    if new["matchers"].as_array().is_none_or(Vec::is_empty) {
        return Reply::json(422, &json!({ "code": 612, "message": "matchers in body should have at least 1 items" }));
    }
    if ends <= starts {
        return Reply::json(400, &json!("failed to create silence: start time must be before end time"));
    }
    if ends <= now {
        return Reply::json(400, &json!("failed to create silence: end time can't be in the past"));
    }
    if let Some(id) = text("id").filter(|id| !id.is_empty()) {
        let Some(known) = state.silences.get_mut(&id) else {
            return Reply::json(404, &json!("silence not found"));
        };
        let extends = known.matchers == new["matchers"] && known.starts.as_second() == starts.as_second();
        if known.state() == "active" && extends {
            (known.ends, known.comment, known.created_by) = (ends, comment, created_by);
            return Reply::json(200, &json!({ "silenceID": id }));
        }
        // What can't be changed is ended, and another one made.
        known.ends = known.ends.min(now);
    }
    state.made += 1;
    let id = format!("fe800411-0000-4000-8000-{:012x}", state.made);
    let matchers = new["matchers"].clone();
    let starts = starts.max(now);
    state.silences.insert(id.clone(), LabSilence { id: id.clone(), matchers, starts, ends, created_by, comment });
    Reply::json(200, &json!({ "silenceID": id }))
}

fn labels(tenant: &str) -> Value {
    json!({ "alertname": ALERT, "tenant": tenant, "severity": "warning", "service": "vpn-server" })
}

fn alert(state: &State, tenant: &str, since: Timestamp) -> Value {
    let labels = labels(tenant);
    let by: Vec<&str> = state.silences.values().filter(|s| s.mutes(&labels)).map(|s| s.id.as_str()).collect();
    let quiet = if by.is_empty() { "active" } else { "suppressed" };
    let ends = Timestamp::now().checked_add(PROMISED).unwrap_or(Timestamp::MAX);
    json!({ "labels": labels, "annotations": {}, "startsAt": stamp(since), "endsAt": stamp(ends), "updatedAt": stamp(since),
        "fingerprint": "c0c12a3667e039f5", "receivers": [{ "name": "hook" }], "generatorURL": "http://prometheus.lab.example/",
        "status": { "inhibitedBy": [], "silencedBy": by, "state": quiet } })
}

/// Whether a matcher of equality holds; one of another kind never does here.
fn matches(matcher: &Value, labels: &Value) -> bool {
    let plain = matcher["isRegex"] == json!(false) && matcher["isEqual"] == json!(true);
    plain && matcher["name"].as_str().is_some_and(|name| labels[name] == matcher["value"])
}

/// The `filter` parameters, of the form `name="value"`, as matchers.
fn filters(call: &Call) -> Vec<Value> {
    let written = call.query.split('&').filter_map(|pair| pair.strip_prefix("filter="));
    let matcher = |text: &str| {
        let text = decode(text, true);
        let (name, value) = text.split_once('=').unwrap_or((&text, ""));
        let value = value.trim_matches('"').replace("\\\"", "\"").replace("\\\\", "\\");
        json!({ "name": name, "value": value, "isRegex": false, "isEqual": true })
    };
    written.map(matcher).collect()
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// In milliseconds, as Alertmanager writes times.
fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

impl LabWorld {
    /// All silences ever made, in the order in which they were.
    pub fn silences(&self) -> Vec<LabSilence> {
        lock(&self.shared.alerts).silences.values().cloned().collect()
    }

    /// Those that keep the alert of this tenant quiet now.
    pub fn silenced(&self, tenant: &str) -> Vec<LabSilence> {
        let Some(t) = self.shared.tenant(tenant) else { return Vec::new() };
        self.silences().into_iter().filter(|silence| silence.mutes(&labels(&t.name))).collect()
    }

    /// Whether the alert of this tenant fires, silenced or not.
    pub fn fires(&self, tenant: &str) -> bool {
        self.shared.tenant(tenant).is_some_and(|t| lock(&self.shared.alerts).failing.contains_key(&t.name))
    }

    /// Puts a silence back as it was.
    pub fn put_silence(&self, silence: LabSilence) {
        lock(&self.shared.alerts).silences.insert(silence.id.clone(), silence);
    }

    /// As after a kill: the silences lived in memory. Gives the ids of those that were there.
    pub fn forget_silences(&self) -> BTreeSet<String> {
        std::mem::take(&mut lock(&self.shared.alerts).silences).into_keys().collect()
    }
}
