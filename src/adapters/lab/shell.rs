//! The command that reaches a VPN server: a tiny login shell on loopback that knows the few read-only commands which
//! changeguard sends, prints what the real ones print, and counts requests for what would print a private key.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::faults::{Fault, Service};
use super::listen;
use super::seed::{Tenant, base64};
use super::state::{Shared, epoch, lock};
use super::vpn::{self, AgentMode};

/// What a command has printed, and its exit status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printed {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// 0 is success; 255 is ssh's own failure.
    pub status: i32,
}

impl Printed {
    fn failed(status: i32, err: impl Into<String>) -> Printed {
        Printed { out: String::new(), err: err.into() + "\n", status }
    }

    fn line(text: impl Into<String>) -> Printed {
        Printed { out: text.into() + "\n", ..Printed::default() }
    }
}

/// Runs one read command against the lab's simulated server `server`: what `changeguard lab-shell` calls. Its standard
/// output goes to `out`, its standard error to this process's own.
/// Returns the exit status; 255 when the lab can't be reached, as ssh does.
pub async fn shell(port: u16, server: &str, script: &str, out: &mut (impl AsyncWrite + Unpin)) -> i32 {
    let printed = match ask(port, server, script).await {
        Ok(printed) => printed,
        Err(error) => Printed::failed(255, format!("ssh: connect to host {server} port {port}: {error}")),
    };
    let written = out.write_all(printed.out.as_bytes()).await.is_ok() && out.flush().await.is_ok();
    io::Write::write_all(&mut io::stderr(), printed.err.as_bytes()).ok();
    if written { printed.status } else { 1 }
}

async fn ask(port: u16, server: &str, script: &str) -> io::Result<Printed> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.set_nodelay(true)?;
    let request = json!({ "server": server, "script": script }).to_string() + "\n";
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer: Value = serde_json::from_slice(&answer).map_err(|_| io::Error::from(io::ErrorKind::ConnectionReset))?;
    let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
    let status = answer["status"].as_i64().and_then(|s| i32::try_from(s).ok()).unwrap_or(255);
    Ok(Printed { out: text("out"), err: text("err"), status })
}

/// Serves every connection.
pub(super) async fn run(shared: Arc<Shared>, listener: TcpListener) {
    listen::each(Service::Shell, shared, listener, serve).await;
}

async fn serve(shared: Arc<Shared>, stream: TcpStream) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    (&mut stream).take(1 << 20).read_line(&mut line).await?;
    let request: Value = serde_json::from_str(&line).unwrap_or_default();
    let server = request["server"].as_str().unwrap_or_default();
    let script = request["script"].as_str().unwrap_or_default();
    let mut lost = false;
    let refused = match shared.faults.meet(Service::Shell, "READ", server, false) {
        None => None,
        Some(Fault::Delay(delay)) => {
            tokio::time::sleep(delay).await;
            None
        }
        Some(Fault::Hang | Fault::ApplyLate(_) | Fault::LoseAnswer(super::faults::Loss::Hang)) => {
            return std::future::pending().await;
        }
        Some(Fault::Close | Fault::LoseAnswer(super::faults::Loss::Close)) => return Ok(()),
        Some(Fault::Trip(_)) => {
            shared.faults.hold().await;
            return Ok(());
        }
        Some(Fault::ResetMidBody) => {
            lost = true;
            None
        }
        Some(Fault::Status(401)) => Some(Printed::failed(255, format!("ops@{server}: Permission denied (publickey)."))),
        Some(Fault::Status(403)) => Some(Printed::failed(1, "sudo: a password is required")),
        Some(Fault::Status(500)) => Some(Printed::failed(1, "Unable to access interface: No such device")),
        Some(Fault::Status(status)) => {
            let text = format!("ssh: connect to host {server} port 22: Connection timed out");
            Some(Printed::failed(i32::from(status), text))
        }
    };
    let mut printed = match refused {
        Some(refused) => refused,
        None => execute(&shared, server, script).await,
    };
    if lost {
        let mut half = printed.out.len() / 2;
        while !printed.out.is_char_boundary(half) {
            half -= 1;
        }
        printed.out.truncate(half);
        printed.err.push_str("client_loop: send disconnect: Broken pipe\n");
        printed.status = 255;
    }
    let answer = json!({ "out": printed.out, "err": printed.err, "status": printed.status });
    stream.write_all(answer.to_string().as_bytes()).await?;
    stream.shutdown().await
}

/// Runs a script on a server: commands joined with ` && `, up to the first that fails.
pub(super) async fn execute(shared: &Arc<Shared>, server: &str, script: &str) -> Printed {
    let Some(tenant) = shared.tenants.iter().find(|t| t.server == server) else {
        let text = format!("ssh: Could not resolve hostname {server}: Name or service not known");
        return Printed::failed(255, text);
    };
    let mut printed = Printed::default();
    for command in script.split(" && ") {
        let one = run_one(shared, tenant, command.trim()).await;
        printed.out.push_str(&one.out);
        printed.err.push_str(&one.err);
        printed.status = one.status;
        if one.status != 0 {
            break;
        }
    }
    printed
}

async fn run_one(shared: &Arc<Shared>, tenant: &Arc<Tenant>, command: &str) -> Printed {
    let words: Vec<&str> = command.split_whitespace().collect();
    let words = match words.as_slice() {
        ["sudo", "-n", rest @ ..] => rest,
        words => words,
    };
    match words {
        ["true"] => Printed::default(),
        ["echo", rest @ ..] => Printed::line(rest.join(" ")),
        ["date", "+%s"] => Printed::line(epoch().to_string()),
        ["wg", "show", interface, field] => show(shared, tenant, interface, field).await,
        ["wg", "show", ..] => {
            Printed::failed(1, "Usage: wg show { <interface> | all | interfaces } [public-key | private-key | ...]")
        }
        ["wg", "showconf", ..] => forbidden(shared, tenant, command),
        ["ping", "-c", "1", "-W", _, address] => ping(shared, tenant, address).await,
        ["journalctl", "-u", "user-sync-agent", ..] => {
            let lines: Vec<String> = lock(&tenant.vpn).log.iter().map(|line| format!("{line}\n")).collect();
            Printed { out: lines.concat(), ..Printed::default() }
        }
        ["grep", .., "/etc/user-sync-agent.env"] => agent_environment(tenant, command),
        [] => Printed::default(),
        [name, ..] => Printed::failed(127, format!("bash: line 1: {name}: command not found")),
    }
}

fn forbidden(shared: &Shared, tenant: &Tenant, command: &str) -> Printed {
    lock(&shared.forbidden).push(format!("{}: {command}", tenant.name));
    Printed::failed(1, "sudo: this command is not allowed in the lab: it prints the private key")
}

async fn show(shared: &Arc<Shared>, tenant: &Arc<Tenant>, interface: &str, field: &str) -> Printed {
    if matches!(field, "dump" | "private-key" | "preshared-keys") {
        return forbidden(shared, tenant, &format!("wg show {interface} {field}"));
    }
    if interface != "wg0" {
        return Printed::failed(1, "Unable to access interface: No such device");
    }
    vpn::beat(shared, tenant).await;
    let (public, rows) = vpn::rows(shared, tenant);
    let each = |text: &dyn Fn(&vpn::Row) -> String| -> Printed {
        let lines = rows.iter().map(|row| format!("{}\t{}\n", base64(&row.key), text(row)));
        Printed { out: lines.collect(), ..Printed::default() }
    };
    match field {
        "public-key" => Printed::line(base64(&public)),
        "listen-port" => Printed::line("51820"),
        "peers" => Printed { out: rows.iter().map(|r| base64(&r.key) + "\n").collect(), ..Printed::default() },
        "latest-handshakes" => each(&|row| row.stamp.to_string()),
        "endpoints" => each(&|row| row.endpoint.map_or("(none)".to_owned(), |port| format!("127.0.0.1:{port}"))),
        "transfer" => each(&|row| format!("{}\t{}", row.transfer.0, row.transfer.1)),
        "allowed-ips" => each(&|row| format!("{}/32", row.address)),
        "persistent-keepalive" => each(&|_| "off".to_owned()),
        _ => Printed::failed(1, format!("Invalid argument: `{field}'")),
    }
}

async fn ping(shared: &Arc<Shared>, tenant: &Arc<Tenant>, address: &str) -> Printed {
    let Ok(ip) = address.parse::<Ipv4Addr>() else {
        return Printed::failed(2, format!("ping: {address}: Name or service not known"));
    };
    let answered = ip == tenant.gateway || vpn::ping(shared, tenant, ip).await;
    let head = format!("PING {ip} ({ip}) 56(84) bytes of data.\n");
    let statistics = format!("\n--- {ip} ping statistics ---\n1 packets transmitted");
    if answered {
        let reply = format!("64 bytes from {ip}: icmp_seq=1 ttl=64 time=0.412 ms\n");
        let end = ", 1 received, 0% packet loss, time 0ms\nrtt min/avg/max/mdev = 0.412/0.412/0.412/0.000 ms";
        Printed::line(format!("{head}{reply}{statistics}{end}"))
    } else {
        let end = ", 0 received, 100% packet loss, time 0ms\n";
        Printed { status: 1, ..Printed::line(format!("{head}{statistics}{end}")) }
    }
}

/// The agent's check prints which of the names the environment file sets, and nothing else of it.
fn agent_environment(tenant: &Tenant, command: &str) -> Printed {
    let name = match lock(&tenant.vpn).mode {
        AgentMode::ByName => "BARBICAN_SECRET_NAME",
        AgentMode::Pinned(_) => "BARBICAN_SECRET_ID",
        AgentMode::Legacy => "VPN_CONFIG_PRIVATE_KEY",
    };
    // Any other pattern could print the file's secrets.
    if !command.contains("-oE") || !command.contains(")=") {
        return Printed::failed(2, "grep: only the documented check is known here");
    }
    if command.contains(name) { Printed::line(format!("{name}=")) } else { Printed { status: 1, ..Printed::default() } }
}
