//! The gap of the swap against its floor: our DELETE and POST, and two hand-written requests on one warm connection,
//! alternating on the same real Barbican. It stores and deletes secrets of a name of its own and leaves none behind.
//!
//!     OS_CLIENT_CONFIG_FILE=.../clouds.yaml CHANGEGUARD_BENCH_CLOUD=lab cargo bench --bench gap
//!
//! CHANGEGUARD_BENCH_PAIRS sets the number of pairs of each kind (default 30). Without a cloud it says so and ends.

use anyhow::{Context, Result, bail, ensure};
use changeguard::adapters::openstack::{
    CloudParameters, Credential, Domain, Limits, Login, Named, OpenStack, Overrides,
};
use changeguard::adapters::store::SqlJournal;
use changeguard::adapters::system;
use changeguard::config::clouds::{self, Auth, Cloud, Environment, Hidden};
use changeguard::domain::secret_shape::SecretShape;
use changeguard::domain::tenant::TenantId;
use changeguard::engine::journal::{Holder, JournalStore};
use changeguard::engine::ports::{NewSecret, SecretRef, SwapOrder, Ungated};
use changeguard::engine::secret::SecretBytes;
use changeguard::runtime::fence::LeaseFence;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The target: ours may take so much longer than the floor.
const TARGET: f64 = 1.15;

/// 44 characters, as a key has; not a key.
const PAYLOAD: &[u8] = b"Q2hhbmdlZ3VhcmQncyBiZW5jaCwgbm90IGEga2V5Li4=";

fn main() -> Result<()> {
    let Ok(name) = std::env::var("CHANGEGUARD_BENCH_CLOUD") else {
        println!(
            "skipped: set CHANGEGUARD_BENCH_CLOUD to an entry of clouds.yaml (and OS_CLIENT_CONFIG_FILE to the file)"
        );
        return Ok(());
    };
    let pairs = std::env::var("CHANGEGUARD_BENCH_PAIRS").map_or(Ok(30), |pairs| pairs.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(&name, pairs))
}

async fn measure(cloud: &str, pairs: usize) -> Result<()> {
    let cloud = clouds::read(&Environment::of_process(None), cloud)?;
    let (token, barbican) = token(&cloud).await?;
    let stack = OpenStack::new(parameters(cloud))?;
    // As in production: the journal's store is asked before the DELETE and again before the POST.
    let folder = tempfile::tempdir()?;
    let store: Arc<dyn JournalStore> = Arc::new(SqlJournal::in_folder(&folder.path().join("state")).await?);
    let now = jiff::Timestamp::now();
    let me = Holder::new("bench".into(), "here".into(), std::process::id(), now, system::instance()?);
    let lease = store.acquire(&TenantId::new("bench")?, &me).await?;
    let fence = Arc::new(LeaseFence::new(store));
    fence.take(lease.map_err(|holder| anyhow::anyhow!("held by {holder}"))?);
    let secrets = stack.secrets(fence);
    let name = format!("changeguard-bench-{}", std::process::id());
    let new =
        || NewSecret { name: name.clone(), payload: SecretBytes::new(PAYLOAD.to_vec()), shape: SecretShape::default() };
    let mut raw = Raw::new(&barbican, token, &name)?;
    let mut current = secrets.store(&new()).await?;
    let (mut floor, mut ours) = (Vec::new(), Vec::new());
    for pair in 0..pairs {
        // Which goes first changes, so that neither always meets the warmer database.
        for turn in [pair % 2 == 0, pair % 2 != 0] {
            current = if turn {
                let (gap, href) = raw.pair(&current).await?;
                floor.push(gap);
                href
            } else {
                let swap = secrets.swap(&current, new(), SwapOrder::DeleteFirst, &Ungated).await;
                swap.deleted?;
                let href = swap.stored.context("nothing was stored")??;
                ours.push(swap.gap.context("no gap was measured")?);
                href
            };
        }
    }
    secrets.delete(&current).await?;
    ensure!(secrets.find(&name).await?.is_empty(), "a secret of the bench is left");
    let (floor, ours) = (Spread::of(floor), Spread::of(ours));
    let ratio = ours.median / floor.median;
    println!("{pairs} pairs of each kind, ms: median (smallest - largest)");
    println!("two raw requests on one warm connection   {floor}");
    println!("changeguard's swap                        {ours}");
    println!("ratio {ratio:.3}, target at most {TARGET}: {}", if ratio <= TARGET { "met" } else { "MISSED" });
    Ok(())
}

struct Spread {
    median: f64,
    smallest: f64,
    largest: f64,
}

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        let ms = |at: usize| times.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0);
        let middle = times.len() / 2;
        let median = if times.len() % 2 == 1 { ms(middle) } else { (ms(middle.saturating_sub(1)) + ms(middle)) / 2.0 };
        Self { median, smallest: ms(0), largest: ms(times.len().saturating_sub(1)) }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:7.2} ({:.2} - {:.2})", self.median, self.smallest, self.largest)
    }
}

/// One keep-alive connection, written by hand.
struct Raw {
    authority: String,
    prefix: String,
    head: String,
    body: String,
    connection: Option<TcpStream>,
}

impl Raw {
    fn new(barbican: &str, token: String, name: &str) -> Result<Self> {
        let Some(rest) = barbican.strip_prefix("http://") else {
            bail!("the floor is measured over plain HTTP only, and Barbican is at {barbican}");
        };
        let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
        let path = path.trim_end_matches('/');
        let prefix = match path {
            "" => "/v1".to_owned(),
            path if path.ends_with("v1") => format!("/{path}"),
            path => format!("/{path}/v1"),
        };
        use base64ct::Encoding;
        let body = json!({
            "name": name, "payload": base64ct::Base64::encode_string(PAYLOAD),
            "payload_content_type": "application/octet-stream", "payload_content_encoding": "base64",
            "secret_type": "opaque", "algorithm": "aes", "bit_length": 256, "mode": "cbc",
        });
        let head = format!("Host: {authority}\r\nX-Auth-Token: {token}\r\nAccept: application/json\r\n");
        Ok(Self { authority: authority.into(), prefix, head, body: body.to_string(), connection: None })
    }

    /// DELETE and POST; the connection and the token have been used just before, as ours have.
    async fn pair(&mut self, old: &SecretRef) -> Result<(Duration, SecretRef)> {
        let id = old.0.rsplit('/').next().unwrap_or_default();
        let warm = format!("GET {}/secrets?limit=1 HTTP/1.1\r\n{}\r\n", self.prefix, self.head);
        let delete = format!("DELETE {}/secrets/{id} HTTP/1.1\r\n{}\r\n", self.prefix, self.head);
        let post = format!(
            "POST {}/secrets HTTP/1.1\r\n{}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
            self.prefix,
            self.head,
            self.body.len(),
            self.body
        );
        if self.exchange(&warm).await.is_err() {
            // The service has closed the connection since the last pair.
            self.connection = None;
            self.exchange(&warm).await?;
        }
        let begun = Instant::now();
        let (deleted, _) = self.exchange(&delete).await?;
        let (stored, body) = self.exchange(&post).await?;
        let gap = begun.elapsed();
        ensure!((deleted, stored) == (204, 201), "DELETE gave {deleted}, POST {stored}");
        let document: Value = serde_json::from_slice(&body)?;
        let href = document["secret_ref"].as_str().context("no secret_ref")?;
        Ok((gap, SecretRef(href.to_owned())))
    }

    async fn exchange(&mut self, request: &str) -> Result<(u16, Vec<u8>)> {
        if self.connection.is_none() {
            let connection = TcpStream::connect(&self.authority).await?;
            connection.set_nodelay(true)?;
            self.connection = Some(connection);
        }
        let connection = self.connection.as_mut().context("no connection")?;
        connection.write_all(request.as_bytes()).await?;
        let mut answer = Vec::with_capacity(4096);
        loop {
            ensure!(connection.read_buf(&mut answer).await? > 0, "the connection was closed");
            let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4) else { continue };
            let head = std::str::from_utf8(&answer[..end])?.to_ascii_lowercase();
            let status: u16 = head.get(9..12).context("no status")?.parse()?;
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(Ok(0), |length| length.trim().parse())?;
            ensure!(status == 204 || head.contains("content-length:"), "an answer without a length");
            if status == 204 || answer.len() >= end + length {
                return Ok((status, answer.split_off(end)));
            }
        }
    }
}

/// A token and Barbican's address, for the floor.
async fn token(cloud: &Cloud) -> Result<(String, String)> {
    let identity = match &cloud.auth {
        Auth::ApplicationCredential { credential: clouds::Credential::Id(id), secret } => json!({
            "methods": ["application_credential"],
            "application_credential": { "id": id, "secret": secret.expose() },
        }),
        Auth::Password { user, password, .. } => {
            let mut user = reference(user);
            user["password"] = password.expose().into();
            json!({ "methods": ["password"], "password": { "user": user } })
        }
        _ => bail!("the floor needs a password or the id of an application credential"),
    };
    let mut auth = json!({ "auth": { "identity": identity } });
    if let Auth::Password { project, .. } = &cloud.auth {
        auth["auth"]["scope"] = json!({ "project": reference(project) });
    }
    rustls::crypto::ring::default_provider().install_default().ok();
    let url = format!("{}/auth/tokens", cloud.auth_url.trim_end_matches('/'));
    let answer = reqwest::Client::builder().no_proxy().build()?.post(url).json(&auth).send().await?;
    let answer = answer.error_for_status()?;
    let token = answer.headers().get("x-subject-token").context("no token")?.to_str()?.to_owned();
    let document: Value = answer.json().await?;
    let entries = document["token"]["catalog"].as_array().context("no catalogue")?;
    let endpoints = entries.iter().filter(|entry| entry["type"] == "key-manager");
    let mut endpoints = endpoints.filter_map(|entry| entry["endpoints"].as_array()).flatten();
    let endpoint = endpoints.find(|endpoint| endpoint["interface"] == cloud.interface.as_str());
    let url = endpoint.and_then(|endpoint| endpoint["url"].as_str()).context("no key-manager in the catalogue")?;
    Ok((token, url.to_owned()))
}

fn reference(named: &clouds::Named) -> Value {
    match named {
        clouds::Named::Id(id) => json!({ "id": id }),
        clouds::Named::Name { name, domain: clouds::Domain::Id(id) } => json!({ "name": name, "domain": { "id": id } }),
        clouds::Named::Name { name, domain: clouds::Domain::Name(of) } => {
            json!({ "name": name, "domain": { "name": of } })
        }
    }
}

fn parameters(cloud: Cloud) -> CloudParameters {
    let secret = |text: Hidden| SecretBytes::new(text.expose().as_bytes().to_vec());
    let login = match cloud.auth {
        Auth::Password { user, password, project } => {
            Login::Password { user: named(user), password: secret(password), project: Some(named(project)) }
        }
        Auth::ApplicationCredential { credential, secret: text } => {
            let credential = match credential {
                clouds::Credential::Id(id) => Credential::Id(id),
                clouds::Credential::Name { name, user } => Credential::Name { name, user: named(user) },
            };
            Login::ApplicationCredential { credential, secret: secret(text) }
        }
        Auth::Token { token, project } => Login::Token { token: secret(token), project: project.map(named) },
    };
    CloudParameters {
        transport: Default::default(),
        auth_url: cloud.auth_url,
        login,
        region: cloud.region,
        interface: cloud.interface,
        ca_file: cloud.cacert,
        verify: cloud.verify,
        overrides: Overrides {
            identity: cloud.identity_endpoint,
            key_manager: cloud.key_manager_endpoint,
            object_store: cloud.object_store_endpoint,
        },
        limits: Limits::default(),
    }
}

fn named(named: clouds::Named) -> Named {
    match named {
        clouds::Named::Id(id) => Named::Id(id),
        clouds::Named::Name { name, domain } => {
            let domain = match domain {
                clouds::Domain::Id(id) => Domain::Id(id),
                clouds::Domain::Name(name) => Domain::Name(name),
            };
            Named::Name { name, domain }
        }
    }
}
