//! A portal that writes the object between our look and our upload, on a real Swift whose container keeps versions: it is seen
//! after the fact, what it wrote is put back with the key, and both contents are kept.

use crate::live::{Barbican, Live, text};
use crate::live_rotation::assert_consistent;
use crate::proxy::{Behind, Plan, Proxies, Spoiled};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Requests of our own to the tenant's object and its container.
struct Swift {
    as_operator: Barbican,
    object: String,
    container: String,
}

impl Swift {
    async fn open(live: &Live) -> Self {
        let object = text(&live.tenant["object_url"]).to_owned();
        let container = object.rsplitn(3, '/').nth(2).unwrap().to_owned();
        Self { as_operator: Barbican::open(live).await, object, container }
    }

    async fn send(&self, method: reqwest::Method, url: &str, header: Option<(&str, &str)>, body: Vec<u8>) -> Vec<u8> {
        let Barbican { http, token, .. } = &self.as_operator;
        let mut request = http.request(method.clone(), url).header("X-Auth-Token", token).body(body);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{method} {url}: {}", answer.status());
        answer.bytes().await.unwrap().to_vec()
    }

    async fn keep_versions(&self, keep: bool) {
        let value = if keep { "true" } else { "false" };
        self.send(reqwest::Method::POST, &self.container, Some(("X-Versions-Enabled", value)), Vec::new()).await;
    }

    /// The contents that Swift keeps of the object, newest first, with their ids.
    async fn versions(&self) -> Vec<(String, Vec<u8>)> {
        let listing = format!("{}?format=json&versions=&prefix=config/vpn-users.json", self.container);
        let listed = self.send(reqwest::Method::GET, &listing, None, Vec::new()).await;
        let listed: Vec<Value> = serde_json::from_slice(&listed).unwrap();
        let mut all = Vec::new();
        // The copy beside it begins with the same letters.
        let ours = listed.iter().filter(|line| line["name"] == "config/vpn-users.json");
        for id in ours.filter_map(|line| line["version_id"].as_str()) {
            let url = format!("{}?version-id={id}", self.object);
            all.push((id.to_owned(), self.send(reqwest::Method::GET, &url, None, Vec::new()).await));
        }
        all
    }

    async fn write(&self, bytes: Vec<u8>) {
        self.send(reqwest::Method::PUT, &self.object, Some(("Content-Type", "application/json")), bytes).await;
    }
}

/// The container goes back to what it was.
struct Versions<'a>(&'a Live);

impl Drop for Versions<'_> {
    fn drop(&mut self) {
        self.0.runtime.block_on(async {
            let swift = Swift::open(self.0).await;
            swift.keep_versions(false).await;
            for (id, _) in swift.versions().await {
                let url = format!("{}?version-id={id}", swift.object);
                swift.send(reqwest::Method::DELETE, &url, None, Vec::new()).await;
            }
        });
        self.0.script("seed", &["--reset", self.0.name()]);
    }
}

#[test]
#[ignore = "needs the live services: tests/live/run"]
fn live_a_portals_write_between_our_look_and_our_upload_is_seen_and_put_back_where_swift_keeps_versions() {
    let live = Live::start("globex");
    let swift = live.runtime.block_on(async {
        let swift = Swift::open(&live).await;
        swift.keep_versions(true).await;
        Arc::new(swift)
    });
    let _versions = Versions(&live);
    let before = live.outside();
    let mut theirs: Value = serde_json::from_str(&before.object).unwrap();
    let mut newcomer = theirs["users"][0].clone();
    newcomer["id"] = "newcomer".into();
    theirs["users"].as_array_mut().unwrap().push(newcomer);
    let theirs = serde_json::to_vec_pretty(&theirs).unwrap();

    let port = swift.object.split(['/', ':']).nth(4).unwrap().parse().unwrap();
    let proxies = live.runtime.block_on(Proxies::start(&[(Behind::Swift, port)], Duration::from_secs(10)));
    let (portal, bytes, written) = (swift.clone(), theirs.clone(), Arc::new(AtomicUsize::new(0)));
    let (handle, count) = (live.runtime.handle().clone(), written.clone());
    let writes = move || {
        let (portal, bytes, handle) = (portal.clone(), bytes.clone(), handle.clone());
        std::thread::spawn(move || handle.block_on(portal.write(bytes))).join().unwrap();
        count.fetch_add(1, Ordering::SeqCst);
    };
    proxies.spoil(Plan { line: "HEAD ", nth: 1, for_ever: false, spoiled: Spoiled::Then(Arc::new(writes)) });
    live.plan();
    live.waive_all();
    let override_url = format!("http://127.0.0.1:{}/v1/AUTH_%(project_id)s", proxies.port(Behind::Swift));
    let mut command = live.command(&["rotate", "globex", "--confirm", "globex"]);
    let ended = command.env("OS_OBJECT_STORE_ENDPOINT_OVERRIDE", override_url).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(written.load(Ordering::SeqCst), 1, "the portal has written");

    let after = live.outside();
    assert_consistent(&after);
    let object: Value = serde_json::from_str(&after.object).unwrap();
    let users = object["users"].as_array().unwrap();
    assert!(users.iter().any(|user| user["id"] == "newcomer"), "their newcomer is there: {users:#?}");
    let steps = live.status()["steps"].to_string();
    assert!(steps.contains("replaced, seen, and put back; Swift keeps both"), "{steps}");
    let kept: Vec<Vec<u8>> = live.runtime.block_on(swift.versions()).into_iter().map(|(_, bytes)| bytes).collect();
    assert!(kept.contains(&theirs), "what they wrote is kept, byte for byte");
    let ours = before.object.replace(&before.public, &after.public).into_bytes();
    assert!(kept.contains(&ours), "and what we wrote over it");
}
