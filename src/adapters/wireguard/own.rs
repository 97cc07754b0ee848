//! Where our own connections run: the addresses from which this host would reach the server, and the server's own. Asked of
//! ssh's configuration and the kernel's routes; nothing is sent. What they mean is the domain's to say.

use super::run;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

/// What `ssh -G` says of a host, as far as the way to it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Way {
    /// Where it is, unless a proxy leads there.
    host: String,
    port: u16,
    /// The first host of `ProxyJump`, as ssh takes it for a destination.
    jump: Option<String>,
    /// A `ProxyCommand` of the operator's: nobody knows where it leads.
    command: bool,
}

/// The addresses: first those from which this host would go, then those of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Routes {
    pub(super) sources: Vec<IpAddr>,
    pub(super) server: Vec<IpAddr>,
}

/// Finds them out; empty where the command is not ssh or does not say. `argv` is the whole command for some script.
pub(super) async fn routes(argv: &[String], limit: Duration) -> Routes {
    let found = async {
        let way = asked(with_option(argv)?, limit).await?;
        let server = addresses(&way.host, way.port).await;
        let first = match &way.jump {
            Some(jump) => {
                let ssh = argv.first()?.clone();
                let way = asked(vec![ssh, "-G".into(), "--".into(), jump.clone()], limit).await?;
                // A jump through a further one is asked no deeper: ssh itself seldom is.
                let direct = way.jump.is_none() && !way.command;
                if direct { addresses(&way.host, way.port).await } else { Vec::new() }
            }
            None if way.command => Vec::new(),
            None => server.clone(),
        };
        let sources = first.into_iter().filter_map(source_towards).collect();
        Some(Routes { sources, server: server.iter().map(SocketAddr::ip).collect() })
    };
    tokio::time::timeout(limit, found).await.ok().flatten().unwrap_or_default()
}

/// The same command with `-G`: ssh then prints its configuration for the host and does nothing else (ssh(1)).
fn with_option(argv: &[String]) -> Option<Vec<String>> {
    let (program, arguments) = argv.split_first()?;
    let is_ssh = Path::new(program).file_name().is_some_and(|name| name == "ssh");
    is_ssh.then(|| [program.clone(), "-G".to_owned()].into_iter().chain(arguments.iter().cloned()).collect())
}

async fn asked(argv: Vec<String>, limit: Duration) -> Option<Way> {
    let ended = run::run(&argv, limit).await.ok()?;
    (ended.code == Some(0)).then(|| read(&String::from_utf8_lossy(&ended.output)))
}

/// Reads the lines `keyword value` (keywords in lower case).
fn read(output: &str) -> Way {
    let mut way = Way { port: 22, ..Way::default() };
    for (keyword, value) in output.lines().filter_map(|line| line.split_once(' ')) {
        match keyword {
            "hostname" => value.clone_into(&mut way.host),
            "port" => way.port = value.parse().unwrap_or(22),
            "proxyjump" if value != "none" => way.jump = value.split(',').next().map(destination),
            "proxycommand" => way.command = value != "none",
            _ => {}
        }
    }
    way
}

/// `user@host:port` as a destination that ssh takes: with a port only as an address of its own kind.
fn destination(hop: &str) -> String {
    let host = hop.rsplit_once('@').map_or(hop, |(_, host)| host);
    let has_port = host.rsplit_once(':').is_some_and(|(name, _)| !name.contains(':') || name.ends_with(']'));
    if has_port && !hop.starts_with("ssh://") { format!("ssh://{hop}") } else { hop.to_owned() }
}

async fn addresses(host: &str, port: u16) -> Vec<SocketAddr> {
    tokio::net::lookup_host((host, port)).await.map(Iterator::collect).unwrap_or_default()
}

/// The address from which the kernel would send there. Connecting a UDP socket sends nothing.
fn source_towards(to: SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr = if to.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(to).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ssh_is_asked_and_with_the_same_options() {
        let argv = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let asked = with_option(&argv(&["/usr/bin/ssh", "-o", "BatchMode=yes", "vpn-acme", "true"])).unwrap();
        assert_eq!(asked, ["/usr/bin/ssh", "-G", "-o", "BatchMode=yes", "vpn-acme", "true"]);
        assert_eq!(with_option(&argv(&["changeguard", "lab-shell"])), None);
        assert_eq!(with_option(&[]), None);
    }

    #[test]
    fn what_ssh_prints_is_read() {
        let direct = read("user ops\nhostname 198.51.100.9\nport 2222\nproxycommand none\nproxyjump none\n");
        assert_eq!(direct, Way { host: "198.51.100.9".into(), port: 2222, jump: None, command: false });
        let jump = read("hostname vpn-acme.internal\nport 22\nproxyjump ops@gate:2200,second\n");
        assert_eq!(jump.jump.as_deref(), Some("ssh://ops@gate:2200"));
        assert!(read("hostname x\nproxycommand nc %h %p\n").command);
    }

    #[test]
    fn a_jump_becomes_a_destination_as_ssh_takes_it() {
        for (hop, wanted) in [
            ("gate", "gate"),
            ("ops@gate", "ops@gate"),
            ("gate:2200", "ssh://gate:2200"),
            ("ops@[fd00::1]:22", "ssh://ops@[fd00::1]:22"),
            ("fd00::1", "fd00::1"),
            ("ssh://gate:22", "ssh://gate:22"),
        ] {
            assert_eq!(destination(hop), wanted);
        }
    }

    #[test]
    fn the_kernel_names_the_source_and_nothing_is_sent() {
        let here: SocketAddr = ([127, 0, 0, 1], 9).into();
        assert_eq!(source_towards(here), Some(here.ip()));
    }
}
