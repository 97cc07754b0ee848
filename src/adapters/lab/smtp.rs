//! A small SMTP server: enough of RFC 5321 for a submission client, addresses that misbehave at RCPT as real servers do,
//! and every mail kept; the operator's own go to `mailbox`. No TLS; what people do with a mail is left to `people`.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use base64ct::{Base64, Encoding};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::faults::{Fault, Loss, Service};
use super::state::{Shared, lock};
use super::trip::Moment;
use super::{listen, mailbox, people};

/// The largest mail, bytes.
const SIZE: usize = 10 * 1024 * 1024;

/// A mail that was accepted.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Header and body as received, dots unstuffed, lines end with CRLF.
    pub raw: Vec<u8>,
    /// When its last line had arrived.
    pub at: SystemTime,
}

impl Mail {
    /// The first header of this name, unfolded but not decoded.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.raw);
        let head = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
        head.split("\r\n").find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

/// Serves every connection.
pub(super) async fn run(shared: Arc<Shared>, listener: TcpListener) {
    listen::each(Service::Smtp, shared, listener, converse).await;
}

/// What the session does after a command.
enum Then {
    Go,
    Quit,
}

struct Session<'a> {
    shared: &'a Arc<Shared>,
    stream: BufReader<TcpStream>,
    from: Option<String>,
    to: Vec<String>,
}

async fn converse(shared: Arc<Shared>, stream: TcpStream) -> io::Result<()> {
    let mut session = Session { shared: &shared, stream: BufReader::new(stream), from: None, to: Vec::new() };
    if let Some(Then::Quit) = session.fault("CONNECT", "").await? {
        return Ok(());
    }
    session.say("220 mail.lab.example ESMTP").await?;
    loop {
        let mut line = Vec::new();
        if (&mut session.stream).take(4096).read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if let Then::Quit = session.command(&line).await? {
            return Ok(());
        }
    }
}

impl Session<'_> {
    async fn say(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(format!("{text}\r\n").as_bytes()).await
    }

    /// Meets the faults; None: go on as usual. Those that lose the answer to a whole mail are met in `data`.
    async fn fault(&mut self, verb: &str, argument: &str) -> io::Result<Option<Then>> {
        match self.shared.faults.meet(Service::Smtp, verb, argument, false) {
            None => Ok(None),
            Some(Fault::Delay(delay)) => {
                tokio::time::sleep(delay).await;
                Ok(None)
            }
            Some(Fault::Status(code)) => {
                self.say(&refusal(code)).await?;
                Ok(Some(if code == 421 { Then::Quit } else { Then::Go }))
            }
            Some(Fault::Close | Fault::ResetMidBody | Fault::LoseAnswer(Loss::Close)) => Ok(Some(Then::Quit)),
            Some(Fault::Hang | Fault::LoseAnswer(Loss::Hang) | Fault::ApplyLate(_)) => std::future::pending().await,
            // What these verbs do is forgotten with the connection.
            Some(Fault::Trip(_)) => {
                self.shared.faults.hold().await;
                Ok(Some(Then::Quit))
            }
        }
    }

    async fn command(&mut self, line: &str) -> io::Result<Then> {
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let verb = verb.to_ascii_uppercase();
        if let Some(then) = self.fault(&verb, argument).await? {
            return Ok(then);
        }
        match verb.as_str() {
            "EHLO" => {
                let lines =
                    "250-mail.lab.example\r\n250-PIPELINING\r\n250-SIZE 10485760\r\n250-ENHANCEDSTATUSCODES\r\n";
                self.say(&format!("{lines}250-8BITMIME\r\n250-AUTH PLAIN\r\n250 SMTPUTF8")).await?;
            }
            "HELO" => self.say("250 mail.lab.example").await?,
            "AUTH" => self.authenticate(argument).await?,
            "MAIL" => self.mail(argument).await?,
            "RCPT" => self.recipient(argument).await?,
            "DATA" if self.from.is_none() || self.to.is_empty() => {
                self.say("554 5.5.1 Error: no valid recipients").await?;
            }
            "DATA" => return self.data().await,
            "RSET" => {
                self.reset();
                self.say("250 2.0.0 Ok").await?;
            }
            "NOOP" => self.say("250 2.0.0 Ok").await?,
            "VRFY" => self.say("252 2.0.0 Cannot VRFY").await?,
            "QUIT" => {
                self.say("221 2.0.0 Bye").await?;
                return Ok(Then::Quit);
            }
            "STARTTLS" => self.say("502 5.5.1 Error: command not implemented").await?,
            _ => self.say("500 5.5.2 Error: command not recognized").await?,
        }
        Ok(Then::Go)
    }

    fn reset(&mut self) {
        self.from = None;
        self.to.clear();
    }

    /// Any user; only the password `wrong` is refused.
    async fn authenticate(&mut self, argument: &str) -> io::Result<()> {
        let mut given = argument.strip_prefix("PLAIN").unwrap_or_default().trim().to_owned();
        if given.is_empty() {
            self.say("334 ").await?;
            self.stream.read_line(&mut given).await?;
        }
        let parts = Base64::decode_vec(given.trim()).unwrap_or_default();
        let password = parts.rsplit(|b| *b == 0).next().unwrap_or_default();
        if parts.is_empty() || password == b"wrong" {
            self.say("535 5.7.8 Error: authentication failed: authentication failure").await
        } else {
            self.say("235 2.7.0 Authentication successful").await
        }
    }

    async fn mail(&mut self, argument: &str) -> io::Result<()> {
        let Some(address) = address(argument, "FROM:") else {
            return self.say("501 5.5.4 Syntax: MAIL FROM:<address>").await;
        };
        let size = argument.to_ascii_uppercase();
        let size = size.split("SIZE=").nth(1).and_then(|s| s.split(' ').next()?.parse::<usize>().ok());
        if size.is_some_and(|s| s > SIZE) {
            return self.say("552 5.3.4 Message size exceeds fixed limit").await;
        }
        self.reset();
        self.from = Some(address);
        self.say("250 2.1.0 Ok").await
    }

    async fn recipient(&mut self, argument: &str) -> io::Result<()> {
        if self.from.is_none() {
            return self.say("503 5.5.1 Error: need MAIL command").await;
        }
        let Some(address) = address(argument, "TO:") else {
            return self.say("501 5.5.4 Syntax: RCPT TO:<address>").await;
        };
        let refused = [
            ("reject550", "550 5.1.1", "Recipient address rejected: User unknown in virtual mailbox table"),
            ("grey451", "451 4.7.1", "Recipient address rejected: Greylisted, please try again later"),
            (
                "full452",
                "452 4.2.2",
                "Recipient address rejected: The email account that you tried to reach is over quota",
            ),
            ("spam554", "554 5.7.1", "Recipient address rejected: Blocked by policy"),
        ];
        if let Some((_, code, text)) = refused.iter().find(|(start, _, _)| address.starts_with(start)) {
            return self.say(&format!("{code} <{address}>: {text}")).await;
        }
        self.to.push(address);
        self.say("250 2.1.5 Ok").await
    }

    async fn data(&mut self) -> io::Result<Then> {
        self.say("354 End data with <CR><LF>.<CR><LF>").await?;
        let mut raw = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.stream.read_until(b'\n', &mut line).await? == 0 {
                return Ok(Then::Quit);
            }
            if line == b".\r\n" || line == b".\n" {
                break;
            }
            let start = usize::from(line.first() == Some(&b'.'));
            if raw.len() <= SIZE {
                raw.extend_from_slice(&line[start..]);
            }
        }
        let mail = Mail {
            from: self.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.to),
            raw,
            at: SystemTime::now(),
        };
        if mail.raw.len() > SIZE {
            self.say("552 5.3.4 Error: message file too big").await?;
            return Ok(Then::Go);
        }
        if let Some(latency) = self.shared.latency(Service::Smtp) {
            tokio::time::sleep(latency).await;
        }
        let id = lock(&self.shared.chance).token(10);
        let fault = self.shared.faults.meet(Service::Smtp, ".", &mail.to.join(","), false);
        match fault {
            Some(Fault::Status(code)) => {
                self.say(&refusal(code)).await?;
                return Ok(if code == 421 { Then::Quit } else { Then::Go });
            }
            Some(Fault::Close) => return Ok(Then::Quit),
            Some(Fault::Hang) => return std::future::pending().await,
            Some(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
            Some(Fault::ApplyLate(delay)) => {
                let shared = Arc::clone(self.shared);
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    keep(&shared, mail);
                });
                return std::future::pending().await;
            }
            Some(Fault::LoseAnswer(Loss::Hang)) => {
                keep(self.shared, mail);
                return std::future::pending().await;
            }
            Some(Fault::Trip(moment)) => {
                if moment == Moment::After {
                    keep(self.shared, mail);
                }
                self.shared.faults.hold().await;
                return Ok(Then::Quit);
            }
            Some(Fault::LoseAnswer(Loss::Close) | Fault::ResetMidBody) => {
                keep(self.shared, mail);
                return Ok(Then::Quit);
            }
            None => {}
        }
        keep(self.shared, mail);
        self.say(&format!("250 2.0.0 Ok: queued as {id}")).await?;
        Ok(Then::Go)
    }
}

fn keep(shared: &Arc<Shared>, mail: Mail) {
    let mail = Arc::new(mail);
    lock(&shared.mails).push(Arc::clone(&mail));
    shared.touch();
    for address in mail.to.iter().filter(|address| mailbox::is_operators(address)) {
        mailbox::deliver(shared, address, &mail.raw);
    }
    people::on_mail(shared, &mail);
}

/// The address of `FROM:<a@b> ...`; a quoted local part may hold blanks.
fn address(argument: &str, word: &str) -> Option<String> {
    let start = argument.get(..word.len())?;
    let rest = argument[word.len()..].trim_start();
    let inner = rest.strip_prefix('<')?;
    let end = inner.rfind("> ").or_else(|| inner.strip_suffix('>').map(str::len))?;
    start.eq_ignore_ascii_case(word).then(|| inner[..end].to_owned())
}

fn refusal(code: u16) -> String {
    match code {
        421 => "421 4.3.2 mail.lab.example Service not available, closing transmission channel".to_owned(),
        450..=452 => format!("{code} 4.3.0 Error: temporary failure, please try again later"),
        530 => "530 5.7.0 Authentication required".to_owned(),
        535 => "535 5.7.8 Error: authentication failed: authentication failure".to_owned(),
        550 => "550 5.7.1 Service unavailable; client host blocked".to_owned(),
        code if code < 500 => format!("{code} 4.0.0 Error"),
        code => format!("{code} 5.0.0 Error: transaction failed"),
    }
}
