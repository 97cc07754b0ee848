//! The embedded lab is true to the protocols it stands for, also where they are odd.
#![allow(clippy::unwrap_used)]

use crate::pty::PATIENCE;
use std::collections::HashMap;
use std::time::Duration;

use changeguard::adapters::lab::{
    AgentMode, Fault, Lab, LabEventKind, LabOptions, Loss, Pace, Printed, Rule, Service, shell,
};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const OBJECT: &str = "config/vpn-users.json";

fn options(directory: &tempfile::TempDir, tenants: usize) -> LabOptions {
    LabOptions {
        tenants,
        clients: 3,
        reconcile_interval: Duration::from_millis(50),
        seed: 42,
        console: true,
        ..LabOptions::still(directory.path(), "changeguard")
    }
}

/// A lab, and an HTTP client that holds the operator's token.
struct Bench {
    lab: Lab,
    client: Client,
    token: String,
    _directory: tempfile::TempDir,
}

impl Bench {
    async fn start(edit: impl FnOnce(&mut LabOptions)) -> Bench {
        rustls::crypto::ring::default_provider().install_default().ok();
        let directory = tempfile::tempdir().unwrap();
        let mut options = options(&directory, 4);
        edit(&mut options);
        let lab = Lab::start(options).await.unwrap();
        let client = Client::builder().no_proxy().build().unwrap();
        let clouds = std::fs::read_to_string(directory.path().join("clouds.yaml")).unwrap();
        let password = clouds.split("password: \"").nth(1).and_then(|s| s.split('"').next()).unwrap();
        let body = json!({ "auth": {
            "identity": { "methods": ["password"], "password": { "user": {
                "name": "operator", "domain": { "id": "default" }, "password": password } } },
            "scope": { "project": { "name": "ops", "domain": { "id": "default" } } } } });
        let url = format!("http://127.0.0.1:{}/v3/auth/tokens", lab.world().ports().keystone);
        let answer = client.post(url).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let token = answer.headers()["x-subject-token"].to_str().unwrap().to_owned();
        Bench { lab, client, token, _directory: directory }
    }

    fn barbican(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/v1/{path}", self.lab.world().ports().barbican)
    }

    fn swift(&self, path: &str) -> String {
        let (port, project) = (self.lab.world().ports().swift, self.lab.world().project());
        format!("http://127.0.0.1:{port}/v1/AUTH_{project}/{path}")
    }

    fn call(&self, method: Method, url: &str) -> reqwest::RequestBuilder {
        self.client.request(method, url).header("x-auth-token", &self.token)
    }

    async fn list(&self, query: &str) -> Value {
        self.call(Method::GET, &self.barbican(&format!("secrets?{query}"))).send().await.unwrap().json().await.unwrap()
    }

    async fn store(&self, body: Value) -> Response {
        self.call(Method::POST, &self.barbican("secrets")).json(&body).send().await.unwrap()
    }

    async fn stamps(&self, server: &str) -> HashMap<String, u64> {
        let Printed { out, status, .. } = self.lab.world().run(server, "sudo -n wg show wg0 latest-handshakes").await;
        assert_eq!(status, 0);
        out.lines().map(|l| l.split_once('\t').unwrap()).map(|(k, s)| (k.to_owned(), s.parse().unwrap())).collect()
    }

    /// Replaces the tenant's secret, waits for the agent, and puts the public key into the object.
    async fn rotate(&self, tenant: &str) {
        let world = self.lab.world();
        let id = world.tenant(tenant).unwrap().id;
        let before = world.server(tenant).unwrap().public_key;
        for secret in world.key_secrets(tenant) {
            self.call(Method::DELETE, &world.href(&secret)).send().await.unwrap();
        }
        let key = "KJ2VYnMdHBm0kTqbiM5o0Dk5VOcXl2oH6vS9o4rGzXE=";
        let name = format!("vpn-private-key-{id}");
        let answer = self.store(json!({ "name": name, "payload": key, "payload_content_type": "text/plain" })).await;
        assert_eq!(answer.status(), 201);
        assert!(world.until(PATIENCE, |w| w.server(tenant).unwrap().public_key != before).await);
        let live = world.server(tenant).unwrap().public_key;
        let text = String::from_utf8(world.object(&id, OBJECT).unwrap()).unwrap();
        let answer = self.call(Method::PUT, &self.swift(&format!("{id}/{OBJECT}"))).body(text.replace(&before, &live));
        assert_eq!(answer.send().await.unwrap().status(), 201);
    }
}

#[tokio::test]
async fn a_name_filter_is_sql_like_and_pages_have_no_order() {
    let bench = Bench::start(|o| o.tenants = 25).await;
    let first = bench.list("name=vpn-private-key-%25").await;
    assert_eq!(first["total"], 25);
    assert_eq!(first["secrets"].as_array().unwrap().len(), 10, "the default limit");
    let names = |page: &Value| -> Vec<String> {
        page["secrets"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_owned()).collect()
    };
    let mut seen = names(&first);
    let mut page = first;
    while let Some(next) = page["next"].as_str() {
        page = bench.call(Method::GET, next).send().await.unwrap().json().await.unwrap();
        seen.extend(names(&page));
    }
    let made: Vec<String> = bench.lab.world().tenants().iter().map(|t| format!("vpn-private-key-{}", t.id)).collect();
    assert_ne!(seen, made, "not the order in which they were made");
    let mut sorted = (seen, made);
    sorted.0.sort();
    sorted.1.sort();
    assert_eq!(sorted.0, sorted.1, "yet every one exactly once");

    bench.lab.world().add_secret("a+b", "text/plain", Some(b"x"));
    assert_eq!(bench.list("name=a%2Bb").await["total"], 0, "decoded twice");
    assert_eq!(bench.list("name=A_B").await["total"], 1, "no case, and _ is any character");
    assert_eq!(bench.list("name=vpn-private-key").await["total"], 0, "but a prefix alone is no match");
    assert_eq!(bench.list("limit=1000").await["secrets"].as_array().unwrap().len(), 26, "at most 100");
}

#[tokio::test]
async fn text_payloads_are_stripped_and_base64_ones_are_kept() {
    let bench = Bench::start(|_| {}).await;
    let payload = async |answer: Response| {
        let href = answer.json::<Value>().await.unwrap()["secret_ref"].as_str().unwrap().to_owned();
        bench.call(Method::GET, &format!("{href}/payload")).send().await.unwrap().text().await.unwrap()
    };
    let text = bench.store(json!({ "payload": " abc \n", "payload_content_type": "text/plain" })).await;
    assert_eq!(payload(text).await, "abc");
    let octets = json!({ "payload": "YWJjCg==", "payload_content_type": "application/octet-stream",
                         "payload_content_encoding": "base64" });
    assert_eq!(payload(bench.store(octets).await).await, "abc\n");

    let refused = [
        (json!({ "payload": "  ", "payload_content_type": "text/plain" }), 400),
        (json!({ "payload": "x" }), 400),
        (json!({ "payload": "eA==", "payload_content_type": "application/octet-stream" }), 400),
        (json!({ "payload": "x".repeat(20_001), "payload_content_type": "text/plain" }), 413),
        (json!({ "payload": "x".repeat(25_001), "payload_content_type": "text/plain" }), 400),
    ];
    for (body, status) in refused {
        assert_eq!(bench.store(body).await.status(), status);
    }
    let empty = bench.store(json!({ "name": "nothing" })).await.json::<Value>().await.unwrap();
    let href = empty["secret_ref"].as_str().unwrap();
    let answer = bench.call(Method::GET, &format!("{href}/payload")).send().await.unwrap();
    assert_eq!(answer.status(), 404);
    let list = bench.list("name=nothing").await;
    assert!(list["secrets"][0].get("content_types").is_none());
}

#[tokio::test]
async fn what_hangs_on_a_secret_goes_with_it_and_consumers_guard_it_only_in_the_newer_version() {
    let bench = Bench::start(|_| {}).await;
    let answer = bench.store(json!({ "payload": "x", "payload_content_type": "text/plain" })).await;
    let href = answer.json::<Value>().await.unwrap()["secret_ref"].as_str().unwrap().to_owned();
    let metadata = json!({ "metadata": { "Owner": "ada" } });
    let put = bench.call(Method::PUT, &format!("{href}/metadata")).json(&metadata).send().await.unwrap();
    assert_eq!(put.status(), 201);
    let got: Value = bench.call(Method::GET, &format!("{href}/metadata")).send().await.unwrap().json().await.unwrap();
    assert_eq!(got["metadata"]["owner"], "ada");
    let acl: Value = bench.call(Method::GET, &format!("{href}/acl")).send().await.unwrap().json().await.unwrap();
    assert_eq!(acl["read"]["project-access"], true);
    let new = |method, url: String| bench.call(method, &url).header("openstack-api-version", "key-manager 1.2");
    let consumer = json!({ "service": "image", "resource_type": "images", "resource_id": "1" });
    let added = new(Method::POST, format!("{href}/consumers")).json(&consumer).send().await.unwrap();
    assert_eq!(added.status(), 200);
    assert_eq!(new(Method::DELETE, href.clone()).send().await.unwrap().status(), 400);
    assert_eq!(bench.call(Method::DELETE, &href).send().await.unwrap().status(), 204);
    assert_eq!(bench.call(Method::DELETE, &href).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn swift_honours_the_md5_and_ignores_if_match() {
    let bench = Bench::start(|_| {}).await;
    let id = bench.lab.world().tenant("acme").unwrap().id;
    let url = bench.swift(&format!("{id}/{OBJECT}"));
    let head = bench.call(Method::HEAD, &url).header("x-newest", "true").send().await.unwrap();
    let length: usize = head.headers()["content-length"].to_str().unwrap().parse().unwrap();
    assert_eq!(length, bench.lab.world().object(&id, OBJECT).unwrap().len());
    let put = || bench.call(Method::PUT, &url).body("{}");
    assert_eq!(put().header("etag", "0".repeat(32)).send().await.unwrap().status(), 422);
    assert_eq!(put().header("if-none-match", "*").send().await.unwrap().status(), 412);
    assert_ne!(bench.lab.world().object(&id, OBJECT).unwrap(), b"{}");
    let copy = bench.call(Method::PUT, &format!("{url}.backup")).header("x-copy-from", format!("/{id}/{OBJECT}"));
    assert_eq!(copy.body("").send().await.unwrap().headers()["etag"], head.headers()["etag"]);
    assert_eq!(put().header("if-match", "wrong").send().await.unwrap().status(), 201);
    let missing = bench.call(Method::GET, &bench.swift("nowhere/x")).send().await.unwrap();
    assert_eq!(missing.status(), 404);
    assert!(missing.text().await.unwrap().starts_with("<html>"));
}

#[tokio::test]
async fn a_handshake_stamp_outlives_the_rotation_and_changes_only_with_a_re_import() {
    let bench = Bench::start(|_| {}).await;
    let world = bench.lab.world();
    let before = bench.stamps("vpn-acme").await;
    assert_eq!(before.len(), 3);
    assert!(before.values().all(|s| *s > 1_000_000_000), "all have shaken hands");
    bench.rotate("acme").await;
    assert_eq!(bench.stamps("vpn-acme").await, before, "kept across the rotation");
    let server = world.server("acme").unwrap();
    assert!(server.peers.iter().all(|p| p.handshakes == 1 && p.dropped == 1), "tried, and dropped for the old key");
    let ada = &world.tenant("acme").unwrap().people[0];
    let ping = format!("ping -c 1 -W 2 {}", ada.address);
    assert_eq!(world.run("vpn-acme", &ping).await.status, 1);

    assert!(world.reimport("acme", &ada.id).await);
    let after = bench.stamps("vpn-acme").await;
    let changed: Vec<&String> = after.keys().filter(|k| after[*k] != before[*k]).collect();
    assert_eq!(changed, [&ada.public_key]);
    assert_eq!(world.run("vpn-acme", &ping).await.status, 0);
}

#[tokio::test]
async fn the_agent_sees_the_gap_and_a_pinned_one_never_sees_the_new_key() {
    let bench = Bench::start(|_| {}).await;
    let world = bench.lab.world();
    let mut events = bench.lab.events();
    let pinned = world.key_secrets("globex")[0].id.clone();
    world.set_agent_mode("globex", AgentMode::Pinned(pinned.clone()));
    let secret = world.key_secrets("acme")[0].clone();
    world.remove_secret(&secret.id);
    let event = loop {
        let event = tokio::time::timeout(PATIENCE, events.recv()).await.unwrap().unwrap();
        if event.kind == LabEventKind::FetchError {
            break event;
        }
    };
    assert_eq!(event.tenant, "acme");
    assert!(event.text.starts_with("BarbicanFetchError acme"));
    assert_eq!(world.server("acme").unwrap().applied, 0, "the live key is left alone");
    world.remove_secret(&pinned);
    let id = world.tenant("globex").unwrap().id;
    world.add_secret(
        &format!("vpn-private-key-{id}"),
        "text/plain",
        Some(b"KJ2VYnMdHBm0kTqbiM5o0Dk5VOcXl2oH6vS9o4rGzXE="),
    );
    assert!(world.until(PATIENCE, |w| w.server("globex").unwrap().fetch_errors >= 2).await);
    assert_eq!(world.server("globex").unwrap().applied, 0);
    let check = "sudo -n grep -oE '^(BARBICAN_SECRET_NAME|BARBICAN_SECRET_ID|VPN_CONFIG_PRIVATE_KEY)=' /etc/user-sync-agent.env";
    assert_eq!(world.run("vpn-globex", check).await.out, "BARBICAN_SECRET_ID=\n");
}

#[tokio::test]
async fn the_shell_prints_what_wg_prints_and_gives_no_private_key() {
    let bench = Bench::start(|_| {}).await;
    let world = bench.lab.world();
    let port = world.ports().shell;
    let mut out = Vec::new();
    let script = "echo @now && date +%s && echo @key && sudo -n wg show wg0 public-key && echo @ips && wg show wg0 allowed-ips \
                  && echo @end && sudo -n wg show wg0 endpoints && wg show wg0 transfer";
    assert_eq!(shell(port, "vpn-acme", script, &mut out).await, 0);
    let out = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((lines[0], lines[2], lines[4], lines[8]), ("@now", "@key", "@ips", "@end"));
    assert_eq!(lines[3], world.server("acme").unwrap().public_key);
    let people = world.tenant("acme").unwrap().people;
    for person in &people {
        assert!(lines[5..8].contains(&format!("{}\t{}/32", person.public_key, person.address).as_str()));
    }
    assert!(lines[9..12].iter().all(|l| l.contains("\t127.0.0.1:")));
    assert!(lines[12..15].iter().all(|l| l.split('\t').skip(1).all(|n| n.parse::<u64>().unwrap() > 0)));

    assert_eq!(world.run("vpn-acme", "reboot && echo no").await.status, 127);
    assert_eq!(world.run("nobody", "date +%s").await.status, 255);
    assert!(world.private_key_requests().is_empty());
    for secret in ["wg show wg0 dump", "sudo -n wg showconf wg0", "wg show wg0 private-key"] {
        assert_eq!(world.run("vpn-acme", secret).await.status, 1);
    }
    assert_eq!(world.private_key_requests().len(), 3);
}

#[tokio::test]
async fn smtp_refuses_the_addresses_that_misbehave_and_keeps_the_others_mails() {
    let bench = Bench::start(|o| o.pace = Pace::Instant).await;
    let world = bench.lab.world();
    let mut events = bench.lab.events();
    let ada = world.tenant("acme").unwrap().people[0].clone();
    let mut stream = TcpStream::connect(("127.0.0.1", world.ports().smtp)).await.unwrap();
    let lines = [
        "EHLO test".to_owned(),
        "MAIL FROM:<vpn-ops@lab.example> SIZE=100".to_owned(),
        "RCPT TO:<reject550.x@acme.example>".to_owned(),
        "RCPT TO:<grey451@acme.example>".to_owned(),
        "RCPT TO:<full452@acme.example>".to_owned(),
        "RCPT TO:<spam554@acme.example>".to_owned(),
        format!("RCPT TO:<{}>", ada.email),
        "DATA".to_owned(),
        "Subject: window\r\nX-Changeguard-Kind: announcement\r\n\r\n..dot\r\n.".to_owned(),
        "QUIT".to_owned(),
    ];
    stream.write_all((lines.join("\r\n") + "\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let codes: Vec<&str> = answer.lines().filter(|l| l.as_bytes()[3] == b' ').map(|l| &l[..3]).collect();
    assert_eq!(codes, ["220", "250", "250", "550", "451", "452", "554", "250", "354", "250", "221"]);
    assert!(answer.contains("550 5.1.1 <reject550.x@acme.example>"));
    let mails = world.mails_to(&ada.email);
    assert_eq!(mails.len(), 1);
    assert!(mails[0].raw.ends_with(b"\r\n\r\n.dot\r\n"), "dots are unstuffed");
    let answered = LabEventKind::Answer { client: ada.id.clone(), confirmed: true };
    loop {
        let event = tokio::time::timeout(PATIENCE, events.recv()).await.unwrap().unwrap();
        if event.kind == answered {
            break;
        }
    }
}

#[tokio::test]
async fn people_answer_by_mail_to_where_they_were_asked_to_answer() {
    let bench = Bench::start(|o| o.pace = Pace::Instant).await;
    let world = bench.lab.world();
    let people = world.tenant("acme").unwrap().people;
    let token = "gaytemzugu3doobzmfrggzdf";
    let calendar = format!(
        "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:{token}@lab.example\r\nSEQUENCE:0\r\nDTSTART:20261201T220000Z\r\n\
         ORGANIZER:mailto:vpn-ops@lab.example\r\nSUMMARY:Maintenance\r\nEND:VEVENT\r\nEND:VCALENDAR"
    );
    let mails =
        [("announcement", 0, calendar), ("announcement", 1, "Hello".to_owned()), ("are-you-back", 2, "Hello".into())];
    let mut lines = vec!["EHLO test".to_owned()];
    for (kind, person, body) in &mails {
        let part = if *person == 0 { "Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n" } else { "" };
        lines.extend([
            "MAIL FROM:<vpn-ops@lab.example>".into(),
            format!("RCPT TO:<{}>", people[*person].email),
            "DATA".into(),
        ]);
        lines.push(format!(
            "From: VPN Operations <vpn-ops@lab.example>\r\nReply-To: <vpn-ops+{token}.1@lab.example>\r\nSubject: window\r\n\
             Message-ID: <{token}.{person}@lab.example>\r\nX-Changeguard-Kind: {kind}\r\nMIME-Version: 1.0\r\n{part}\r\n{body}\r\n."
        ));
    }
    lines.push("QUIT".into());
    let mut stream = TcpStream::connect(("127.0.0.1", world.ports().smtp)).await.unwrap();
    stream.write_all((lines.join("\r\n") + "\r\n").as_bytes()).await.unwrap();
    stream.read_to_string(&mut String::new()).await.unwrap();
    assert!(world.until(PATIENCE, |world| world.mailbox("INBOX").len() == 3).await);
    let answers: Vec<String> =
        world.mailbox("INBOX").into_iter().map(|(_, raw, _)| String::from_utf8(raw).unwrap()).collect();
    let of = |person: usize| answers.iter().find(|mail| mail.contains(&format!("<{}>", people[person].email))).unwrap();
    assert!(of(0).contains(&format!("UID:{token}@lab.example")) && of(0).contains("PARTSTAT=ACCEPTED"), "{}", of(0));
    assert!(of(0).contains("Delivered-To: vpn-ops@lab.example"), "to the organizer");
    for person in [1, 2] {
        assert!(of(person).contains(&format!("Delivered-To: vpn-ops+{token}.1@lab.example")), "{}", of(person));
        assert!(of(person).contains(&format!("In-Reply-To: <{token}.{person}@lab.example>")), "{}", of(person));
    }
}

#[tokio::test]
async fn a_lost_answer_is_not_a_failure() {
    let bench = Bench::start(|_| {}).await;
    let (world, faults) = (bench.lab.world(), bench.lab.faults());
    let body = json!({ "name": "twice", "payload": "x", "payload_content_type": "text/plain" });
    let post = || bench.call(Method::POST, &bench.barbican("secrets")).json(&body);
    let hit = faults.add(Rule::new(Service::Barbican, Fault::LoseAnswer(Loss::Close)).method("POST"));
    assert!(post().send().await.is_err());
    assert_eq!((world.secrets("twice").len(), faults.fired(hit)), (1, 1), "carried out all the same");
    faults.add(Rule::new(Service::Barbican, Fault::LoseAnswer(Loss::Hang)).method("POST"));
    let gone = post().timeout(Duration::from_secs(1)).send().await.unwrap_err();
    assert!(gone.is_timeout());
    assert_eq!(world.secrets("twice").len(), 2);
    faults.add(Rule::new(Service::Barbican, Fault::ApplyLate(Duration::from_secs(3))).method("POST"));
    assert!(post().timeout(Duration::from_secs(1)).send().await.is_err());
    assert_eq!(world.secrets("twice").len(), 2, "not yet");
    assert!(world.until(PATIENCE, |w| w.secrets("twice").len() == 3).await, "the late one still lands");
    faults.add(Rule::new(Service::Barbican, Fault::Close).method("POST"));
    assert!(post().send().await.is_err());
    assert_eq!(world.secrets("twice").len(), 3, "closed before anything was done");
    faults.add(Rule::new(Service::Barbican, Fault::ResetMidBody).method("POST"));
    let broken = post().send().await.unwrap();
    assert_eq!(broken.status(), 201);
    assert!(broken.bytes().await.is_err(), "breaks off in the body");
    faults.add(Rule::new(Service::Barbican, Fault::Status(503)).method("GET").nth(2));
    assert_eq!(bench.list("name=twice").await["total"], 4);
    let down = bench.call(Method::GET, &bench.barbican("secrets")).send().await.unwrap();
    assert_eq!(down.status(), 503);
    assert!(world.count(Service::Barbican, "POST") >= 5);

    world.set_down(Service::Barbican, true);
    while !bench.call(Method::GET, &bench.barbican("secrets")).send().await.is_err_and(|e| e.is_connect()) {
        tokio::task::yield_now().await;
    }
    world.set_down(Service::Barbican, false);
    let back = async {
        while bench.call(Method::GET, &bench.barbican("secrets")).send().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, back).await.unwrap();
}

#[tokio::test]
async fn a_thousand_tenants_start_at_once_and_stop() {
    let bench = Bench::start(|o| {
        o.tenants = 1_000;
        o.clients = 20;
        o.reconcile_interval = Duration::from_secs(60);
    })
    .await;
    assert_eq!(bench.stamps("vpn-tenant-1000").await.len(), 20);
    let text = std::fs::read_to_string(bench.lab.config_path()).unwrap();
    assert_eq!(toml::from_str::<toml::Table>(&text).unwrap()["tenant"].as_array().unwrap().len(), 1_000);
    bench.lab.stop().await;
}

#[tokio::test]
async fn a_tenant_of_hundreds_of_clients_has_an_address_for_each_and_its_neighbour_has_others() {
    let folder = tempfile::tempdir().unwrap();
    let options = LabOptions { tenants: 4, clients: 700, ..LabOptions::still(folder.path(), "changeguard") };
    let lab = Lab::start(options.clone()).await.unwrap();
    let world = lab.world();
    let mut seen = std::collections::BTreeSet::new();
    for tenant in world.tenants() {
        let text = String::from_utf8(world.object(&tenant.id, "config/vpn-users.json").unwrap()).unwrap();
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        let users = object["users"].as_array().unwrap();
        assert_eq!(users.len(), 700, "{}", tenant.name);
        let fresh = users.iter().all(|user| seen.insert(user["ip"].as_str().unwrap().to_owned()));
        assert!(fresh, "{}", tenant.name);
    }
    let too_many = LabOptions { tenants: 40_000, ..options };
    assert!(Lab::start(too_many).await.is_err());
}
