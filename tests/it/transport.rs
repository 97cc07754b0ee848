//! What is not protected is not sent: plain http beyond this machine, certificates that nobody verifies, and where the
//! configuration allows one by name, everything that shows it.

use crate::bastion::{Bastion, CYCLE};
use crate::scene::Scene;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::post;
use changeguard::adapters::lab::Service as Server;
use changeguard::adapters::openstack::{CloudParameters, Limits, Login, OpenStack, Overrides};
use changeguard::domain::fault::{Fault, FaultKind, Service};
use changeguard::domain::transport::{Allowed, Exceptions};
use changeguard::engine::ports::Unfenced;
use changeguard::engine::secret::SecretBytes;
use changeguard::engine::transport::Transport;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Whatever was asked of Barbican and Swift there.
type Asked = Arc<Mutex<Vec<String>>>;

/// Keystone on this machine, whose catalogue names Barbican and Swift by an address that is not this machine's by name
/// (0.0.0.0 leads here all the same), and those two. `/moved` leads on to another port.
async fn cloud() -> (u16, Asked) {
    let asked = Asked::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let token = move || async move {
        let endpoint = |path: &str| json!([{"interface": "public", "url": format!("http://0.0.0.0:{port}{path}")}]);
        let document = json!({"token": {
            "expires_at": "2099-01-01T00:00:00Z",
            "project": {"id": "p", "name": "ops"},
            "catalog": [
                {"type": "key-manager", "endpoints": endpoint("")},
                {"type": "object-store", "endpoints": endpoint("/swift")},
            ],
        }});
        (StatusCode::CREATED, [("x-subject-token", "t0ken")], document.to_string())
    };
    let note = |State(asked): State<Asked>, uri: Uri| async move {
        asked.lock().unwrap().push(uri.path().to_owned());
        match uri.path().starts_with("/moved") {
            true => (StatusCode::FOUND, [(header::LOCATION, "/v1/secrets")], String::new()).into_response(),
            false => json!({"secrets": [], "total": 0}).to_string().into_response(),
        }
    };
    let app = Router::new().route("/v3/auth/tokens", post(token)).fallback(note).with_state(asked.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (port, asked)
}

fn connect(port: u16, exceptions: Exceptions, change: impl FnOnce(&mut CloudParameters)) -> Result<OpenStack, Fault> {
    let mut parameters = CloudParameters {
        auth_url: format!("http://127.0.0.1:{port}"),
        login: Login::Token { token: SecretBytes::new(b"first".to_vec()), project: None },
        region: None,
        interface: "public".into(),
        ca_file: None,
        verify: true,
        overrides: Overrides::default(),
        limits: Limits {
            connect: Duration::from_secs(2),
            read: Duration::from_secs(5),
            upload: Duration::from_secs(5),
        },
        transport: Transport::new(exceptions),
    };
    let project = changeguard::adapters::openstack::Named::Id("p".into());
    parameters.login = Login::Password {
        user: changeguard::adapters::openstack::Named::Id("u".into()),
        password: SecretBytes::new(b"hush".to_vec()),
        project: Some(project),
    };
    change(&mut parameters);
    OpenStack::new(parameters)
}

fn allow(services: &[Service]) -> Exceptions {
    let list: Vec<Allowed> = services.iter().copied().map(Allowed::Service).collect();
    Exceptions { plain_http: list, unverified_tls: Vec::new() }
}

#[tokio::test]
async fn where_the_catalogue_leads_to_plain_http_neither_token_nor_key_is_sent() {
    let (port, asked) = cloud().await;
    let stack = connect(port, Exceptions::default(), |_| {}).unwrap();
    let secrets = stack.secrets(Arc::new(Unfenced));
    let object = stack.object("c", "o", Arc::new(Unfenced));
    for (service, fault) in [
        (Service::Barbican, secrets.find("key").await.err().unwrap()),
        (Service::Swift, object.get().await.err().unwrap()),
    ] {
        assert_eq!((fault.service, &fault.kind), (service, &FaultKind::Refused), "{fault}");
        assert!(fault.message.contains(&format!("http://0.0.0.0:{port}")), "{fault}");
        assert!(fault.advice().contains("security.allow_plain_http"), "{}", fault.advice());
    }
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_allowed_by_name_is_sent_and_told_and_nothing_else_is() {
    let (port, asked) = cloud().await;
    let mut shown = Transport::default();
    let stack = connect(port, allow(&[Service::Barbican]), |parameters| shown = parameters.transport.clone()).unwrap();
    assert!(shown.unprotected().is_empty());
    assert!(stack.secrets(Arc::new(Unfenced)).find("key").await.unwrap().is_empty());
    assert_eq!(*asked.lock().unwrap(), ["/v1/secrets"]);
    assert_eq!(shown.unprotected(), [format!("plain http to Barbican (http://0.0.0.0:{port})")]);
    assert!(stack.object("c", "o", Arc::new(Unfenced)).get().await.is_err());
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (port, asked) = cloud().await;
    let here = |parameters: &mut CloudParameters| {
        parameters.overrides.key_manager = Some(format!("http://127.0.0.1:{port}/moved"));
    };
    let stack = connect(port, Exceptions::default(), here).unwrap();
    assert!(stack.secrets(Arc::new(Unfenced)).find("key").await.is_err());
    assert_eq!(*asked.lock().unwrap(), ["/moved/v1/secrets"]);
}

#[tokio::test]
async fn addresses_that_are_known_at_the_start_are_refused_at_the_start() {
    let at = |change: fn(&mut CloudParameters)| connect(1, Exceptions::default(), change).err().unwrap();
    let keystone = at(|parameters| parameters.auth_url = "http://192.0.2.1:5000".into());
    assert_eq!(keystone.service, Service::Keystone);
    let barbican = at(|parameters| parameters.overrides.key_manager = Some("http://192.0.2.1:9311".into()));
    assert_eq!(barbican.service, Service::Barbican);
    let swift =
        at(|parameters| parameters.overrides.object_store = Some("http://192.0.2.1/v1/AUTH_%(project_id)s".into()));
    assert_eq!(swift.service, Service::Swift);
    // Also where everything else is on this machine: the catalogue may lead elsewhere.
    let unverified = at(|parameters| parameters.verify = false);
    assert!(unverified.advice().contains("security.allow_unverified_tls"), "{}", unverified.advice());
    let exceptions = Exceptions { unverified_tls: vec![Allowed::Service(Service::Swift)], ..Exceptions::default() };
    let https = |parameters: &mut CloudParameters| {
        (parameters.auth_url, parameters.verify) = ("https://127.0.0.1:1".into(), false);
    };
    assert_eq!(connect(1, exceptions, https).err().unwrap().service, Service::Keystone);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_refuses_says_what_to_allow_and_shows_what_was_allowed() {
    let bastion = Bastion::start(1, 2, CYCLE).await;
    let clouds = bastion.folder.path().join("clouds.yaml");
    let text = std::fs::read_to_string(&clouds).unwrap();
    std::fs::write(&clouds, text.replace("http://127.0.0.1:", "http://0.0.0.0:")).unwrap();
    for line in ["status", "status --json", "check acme", "watch --once"] {
        let refused = bastion.run(line, &[]).await.ends(2);
        assert!(refused.err.contains("Keystone: use http://0.0.0.0:"), "{line}: {}", refused.err);
        assert!(refused.err.contains("security.allow_plain_http = [\"keystone\"]"), "{line}: {}", refused.err);
    }
    let checked = bastion.run("config check --json", &[]).await.ends(2).json();
    let of_the_cloud = |level: &str| {
        let mut all = checked.as_array().unwrap().iter();
        all.any(|finding| finding["field"] == "cloud.name" && finding["level"] == level)
    };
    assert!(of_the_cloud("failure") && of_the_cloud("note"), "{checked}");

    bastion.configure("[cloud]", "[security]\nallow_plain_http = [\"keystone\"]\n\n[cloud]");
    bastion.run("config check", &[]).await.ends(0);
    let status = bastion.status("acme").await;
    let shown = status["unprotected"][0].as_str().unwrap();
    assert!(shown.starts_with("plain http to Keystone (http://0.0.0.0:"), "{status}");
    assert!(bastion.run("status acme", &[]).await.ends(0).out.contains("UNPROTECTED plain http to Keystone"));
    bastion.confirmed("acme").await;
    bastion.run("check acme", &[]).await.ends(0);
    let checks = bastion.status("acme").await["preflight"]["checks"].clone();
    let told = checks.as_array().unwrap().iter().find(|check| check["name"] == "transport").cloned().unwrap();
    assert_eq!(told["state"], "warn");
    assert!(told["finding"].as_str().unwrap().contains("plain http to Keystone"), "{told}");

    let text = std::fs::read_to_string(&clouds).unwrap();
    std::fs::write(&clouds, text.replace("    interface: public", "    interface: public\n    verify: false")).unwrap();
    let refused = bastion.run("status", &[]).await.ends(2);
    assert!(refused.err.contains("verify is false") && refused.err.contains("allow_unverified_tls"), "{}", refused.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_others_can_change_is_not_obeyed_and_children_see_no_secret() {
    use std::os::unix::fs::PermissionsExt;
    let bastion = Bastion::start(1, 2, CYCLE).await;
    let mode = |name: &str, mode| {
        std::fs::set_permissions(bastion.folder.path().join(name), PermissionsExt::from_mode(mode)).unwrap();
    };
    for name in ["changeguard.toml", "clouds.yaml"] {
        mode(name, 0o666);
        let refused = bastion.run("status", &[]).await.ends(2);
        assert!(refused.err.contains(&format!("{name} can be written by others (mode 0666)")), "{}", refused.err);
        mode(name, 0o600);
    }
    mode("", 0o777);
    let refused = bastion.run("status", &[]).await.ends(2);
    assert!(refused.err.contains("can be replaced by others"), "{}", refused.err);
    mode("", 0o755);

    let seen = bastion.folder.path().join("seen");
    let script = format!("env >> '{}'; echo any", seen.display());
    let command = toml::Value::Array(["sh", "-c", &script].map(|word| toml::Value::String(word.into())).to_vec());
    bastion.configure("password_file", &format!("password_command = {command}\n# password_file"));
    let mut reading = bastion.command("mail sync", &[]);
    for name in ["OS_PASSWORD", "OS_TOKEN", "PGPASSWORD", "VAULT_TOKEN", "ANYTHING"] {
        reading.env(name, "hush-hush");
    }
    reading.env("SSH_AUTH_SOCK", "/run/agent");
    bastion.spawn(reading).ends().await.ends(0);
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("SSH_AUTH_SOCK=/run/agent") && seen.contains("PATH="), "{seen}");
    assert!(!seen.contains("hush-hush"), "{seen}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_private_key_is_fetched_once_and_not_with_every_poll() {
    let scene = Scene::start().await;
    let asked = async || {
        let before = scene.lab.world().count(Server::Barbican, "GET");
        scene.acme().look().await;
        scene.lab.world().count(Server::Barbican, "GET") - before
    };
    assert_eq!(asked().await, 2, "the list and the payload");
    assert_eq!((asked().await, asked().await), (1, 1), "the list");
    let key = scene.status().keys.secret.key.unwrap();
    let [old] = &scene.lab.world().key_secrets("acme")[..] else { panic!() };
    scene.lab.world().remove_secret(&old.id);
    let other = changeguard::engine::secret::PrivateKey::from_random([9; 32]);
    scene.lab.world().add_secret(&old.name, "application/octet-stream", Some(other.to_payload(false).expose()));
    assert_eq!(asked().await, 2, "another secret");
    assert_ne!(scene.status().keys.secret.key.unwrap(), key);
    // What decides whether anything is changed is read, whatever was seen before.
    let before = scene.lab.world().count(Server::Barbican, "GET");
    changeguard::engine::observe::look_at_secret(&scene.world(), None).await.unwrap();
    assert_eq!(scene.lab.world().count(Server::Barbican, "GET") - before, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_two_tenants_have_means_none_of_them() {
    let scene = Scene::start_with(|config| {
        config.tenants.discover = true;
        config.tenant.truncate(1);
        config.tenant[0].name = "globex".into();
    })
    .await;
    let names: Vec<String> = scene.fleet.conductors().iter().map(|c| c.tenant().name.clone()).collect();
    let ids: Vec<String> = scene.fleet.conductors().iter().map(|c| c.tenant().id.to_string()).collect();
    assert_eq!(names, [format!("globex/{}", &ids[0][..8]), format!("globex/{}", &ids[1][..8])]);
    let said = scene.fleet.find("globex").err().unwrap().to_string();
    assert!(said.contains("several tenants") && ids.iter().chain(&names).all(|text| said.contains(text)), "{said}");
    for (name, id) in names.iter().zip(&ids) {
        let conductor = scene.fleet.find(name).unwrap();
        assert_eq!(conductor.tenant().id.as_str(), id);
        assert_eq!(scene.fleet.find(id).unwrap().tenant().id.as_str(), id);
        let take = |confirm: &str| changeguard::engine::command::Command::TakeOver {
            confirm: confirm.into(),
            reason: "x".into(),
        };
        let refused = |error: changeguard::runtime::run::RunError| error.to_string();
        assert!(refused(conductor.run(take("globex")).await.unwrap_err()).contains(name));
        assert!(refused(conductor.run(take(name)).await.unwrap_err()).contains("nobody else holds"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_every_service_is_in_clear_on_this_machine_no_authority_is_needed_and_none_is_read() {
    let bastion = Bastion::all(1, 2, CYCLE).await;
    let mut command = bastion.command("status acme --json", &[]);
    // Whoever reads the system's authorities finds none there, and could not begin.
    let nowhere = bastion.folder.path().join("no-authorities");
    command.env("SSL_CERT_FILE", &nowhere).env("SSL_CERT_DIR", &nowhere);
    let status = bastion.spawn(command).ends().await.ends(0).json();
    let sources = status["sources"].as_array().unwrap();
    assert!(sources.len() > 4 && sources.iter().all(|source| source["fault"].is_null()), "{sources:#?}");
}
