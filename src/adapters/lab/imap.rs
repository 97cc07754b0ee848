//! A small IMAP server (RFC 3501, IDLE, MOVE) over the operator's mailbox: what a client that reads answers needs, true in
//! its answers. No TLS. What lies in the mailbox is `mailbox`.

use std::io;
use std::sync::Arc;

use base64ct::{Base64, Encoding};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::faults::{Fault, Loss, Service};
use super::listen;
use super::mailbox::{Folder, Kept};
use super::state::{Shared, lock, utc};

/// Serves every connection.
pub(super) async fn run(shared: Arc<Shared>, listener: TcpListener) {
    listen::each(Service::Imap, shared, listener, converse).await;
}

struct Session {
    shared: Arc<Shared>,
    stream: BufReader<TcpStream>,
    logged_in: bool,
    /// The folder that is open, how many mails the client knows of, and whether it may change them.
    open: Option<(String, usize, bool)>,
}

/// The end of a command: its tagged line without the tag, or the connection's.
type Answer = Option<String>;

async fn converse(shared: Arc<Shared>, stream: TcpStream) -> io::Result<()> {
    let mut session = Session { shared, stream: BufReader::new(stream), logged_in: false, open: None };
    match session.shared.faults.meet(Service::Imap, "CONNECT", "", false) {
        Some(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
        Some(Fault::Status(_)) => return session.say("* BYE the lab is closed").await,
        Some(Fault::Hang) => std::future::pending().await,
        Some(_) => return Ok(()),
        None => {}
    }
    session.say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2] lab ready").await?;
    while let Some(line) = session.line().await? {
        let (tag, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let (verb, argument) = rest.split_once(' ').unwrap_or((rest, ""));
        let (mut verb, mut argument) = (verb.to_ascii_uppercase(), argument);
        if verb == "UID" {
            let (second, rest) = argument.split_once(' ').unwrap_or((argument, ""));
            verb = format!("UID {}", second.to_ascii_uppercase());
            argument = rest;
        }
        lock(&session.shared.mailbox).commands += 1;
        let secret = matches!(verb.as_str(), "LOGIN" | "AUTHENTICATE");
        let fault = session.shared.faults.meet(Service::Imap, &verb, if secret { "" } else { argument }, false);
        let mut lose = None;
        match fault {
            Some(Fault::Status(status)) => {
                let code = match status {
                    401 => "AUTHENTICATIONFAILED",
                    403 => "NOPERM",
                    _ => "UNAVAILABLE",
                };
                session.say(&format!("{tag} NO [{code}] the lab refuses it")).await?;
                continue;
            }
            Some(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
            Some(Fault::Hang | Fault::ApplyLate(_)) => std::future::pending().await,
            Some(Fault::Close) => return Ok(()),
            Some(Fault::Trip(_)) => {
                session.shared.faults.hold().await;
                return Ok(());
            }
            Some(Fault::LoseAnswer(loss)) => lose = Some(loss),
            Some(Fault::ResetMidBody) => lose = Some(Loss::Close),
            None => {}
        }
        let half = fault == Some(Fault::ResetMidBody);
        let mut out = Vec::new();
        let end = session.command(&verb, argument, &mut out).await?;
        if let Some(end) = &end {
            out.extend_from_slice(format!("{tag} {end}\r\n").as_bytes());
        }
        match lose {
            Some(Loss::Hang) => std::future::pending().await,
            Some(Loss::Close) => {
                if half {
                    session.stream.write_all(&out[..out.len() / 2]).await?;
                }
                return Ok(());
            }
            None => session.stream.write_all(&out).await?,
        }
        if end.is_none() || verb == "LOGOUT" {
            return Ok(());
        }
    }
    Ok(())
}

impl Session {
    async fn say(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(format!("{text}\r\n").as_bytes()).await
    }

    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let got = (&mut self.stream).take(64 * 1024).read_until(b'\n', &mut line).await?;
        Ok((got > 0).then(|| String::from_utf8_lossy(&line).trim_end().to_owned()))
    }

    async fn command(&mut self, verb: &str, argument: &str, out: &mut Vec<u8>) -> io::Result<Answer> {
        let done = |end: &str| Ok(Some(end.to_owned()));
        match verb {
            "CAPABILITY" => {
                let more = lock(&self.shared.mailbox).abilities.join(" ");
                say(out, format_args!("* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 {more}"));
                return done("OK done");
            }
            "NOOP" => {
                self.news(out);
                return done("OK done");
            }
            "LOGOUT" => {
                say(out, format_args!("* BYE see you"));
                return done("OK done");
            }
            "LOGIN" => {
                let words = words(argument);
                self.logged_in = words.len() == 2 && words[1] != "wrong";
                return done(login(self.logged_in));
            }
            "AUTHENTICATE" => return Ok(Some(self.authenticate(argument).await?)),
            _ if !self.logged_in => return done("BAD log in first"),
            "EXAMINE" | "SELECT" => return Ok(Some(self.open(argument, verb == "SELECT", out))),
            "STATUS" => return Ok(Some(self.status(argument, out))),
            "IDLE" => return self.idle().await,
            _ => {}
        }
        let Some((name, known, writable)) = self.open.clone() else {
            return done("BAD open a folder first");
        };
        let shared = Arc::clone(&self.shared);
        let mut mailbox = lock(&shared.mailbox);
        if matches!(verb, "UID STORE" | "UID MOVE" | "UID COPY" | "UID EXPUNGE") && !writable {
            return done("NO [READ-ONLY] the folder is open to look only");
        }
        let (set, rest) = argument.split_once(' ').unwrap_or((argument, ""));
        let target = words(rest).first().cloned().unwrap_or_default();
        if matches!(verb, "UID MOVE" | "UID COPY") && mailbox.folder(&target).is_none() {
            return done("NO [TRYCREATE] there is no such folder");
        }
        let Some(folder) = mailbox.folder(&name) else { return done("NO it is gone") };
        match verb {
            "UID SEARCH" => {
                let found = search(folder, argument);
                say(out, format_args!("* SEARCH{found}"));
            }
            "UID FETCH" => {
                for (at, kept) in folder.mails.iter().enumerate().filter(|(_, kept)| holds(folder, set, kept.uid)) {
                    fetch(out, at + 1, kept, rest);
                }
            }
            "UID STORE" => {
                let flag = rest.split(['(', ')']).nth(1).unwrap_or_default().to_owned();
                let all = folder.clone();
                for kept in folder.mails.iter_mut().filter(|kept| holds(&all, set, kept.uid)) {
                    kept.flags.push(flag.clone());
                }
            }
            "UID MOVE" | "UID COPY" => {
                let all = folder.clone();
                let chosen: Vec<Kept> = all.mails.iter().filter(|k| holds(&all, set, k.uid)).cloned().collect();
                if verb == "UID MOVE" {
                    expunge(out, folder, |kept| holds(&all, set, kept.uid));
                }
                if let Some(target) = mailbox.folder(&target) {
                    for kept in chosen {
                        target.add(kept.raw, kept.at, kept.flags);
                    }
                }
            }
            "UID EXPUNGE" => {
                let all = folder.clone();
                expunge(out, folder, |kept| {
                    holds(&all, set, kept.uid) && kept.flags.iter().any(|flag| flag == "\\Deleted")
                });
            }
            _ => return done("BAD the lab does not know it"),
        }
        let now = mailbox.folder(&name).map_or(known, |folder| folder.mails.len());
        drop(mailbox);
        self.open = Some((name, now, writable));
        shared.touch();
        done("OK done")
    }

    /// Any user; only the password or token `wrong` is refused.
    async fn authenticate(&mut self, mechanism: &str) -> io::Result<String> {
        if !["PLAIN", "XOAUTH2"].contains(&mechanism.to_ascii_uppercase().as_str()) {
            return Ok("NO unknown mechanism".into());
        }
        self.say("+ ").await?;
        let given = self.line().await?.unwrap_or_default();
        let given = String::from_utf8(Base64::decode_vec(&given).unwrap_or_default()).unwrap_or_default();
        self.logged_in = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => given.split('\0').count() == 3 && !given.ends_with("\0wrong"),
            _ => given.contains("\x01auth=Bearer ") && !given.contains("Bearer wrong\x01"),
        };
        if !self.logged_in && mechanism.eq_ignore_ascii_case("XOAUTH2") {
            self.say(&format!("+ {}", Base64::encode_string(b"{\"status\":\"400\"}"))).await?;
            self.line().await?;
        }
        Ok(login(self.logged_in).into())
    }

    fn open(&mut self, argument: &str, writable: bool, out: &mut Vec<u8>) -> String {
        self.open = None;
        let name = words(argument).first().cloned().unwrap_or_default();
        let mut mailbox = lock(&self.shared.mailbox);
        let Some(folder) = mailbox.folder(&name) else {
            return "NO [NONEXISTENT] there is no such folder".into();
        };
        say(out, format_args!("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)"));
        say(out, format_args!("* {} EXISTS\r\n* 0 RECENT", folder.mails.len()));
        say(out, format_args!("* OK [UIDVALIDITY {}] UIDs valid", folder.validity));
        say(out, format_args!("* OK [UIDNEXT {}] Predicted next UID", folder.next));
        self.open = Some((name, folder.mails.len(), writable));
        format!("OK [{}] done", if writable { "READ-WRITE" } else { "READ-ONLY" })
    }

    fn status(&self, argument: &str, out: &mut Vec<u8>) -> String {
        let name = words(argument).first().cloned().unwrap_or_default();
        let mut mailbox = lock(&self.shared.mailbox);
        let Some(folder) = mailbox.folder(&name) else {
            return "NO [NONEXISTENT] there is no such folder".into();
        };
        let (count, next, validity) = (folder.mails.len(), folder.next, folder.validity);
        say(out, format_args!("* STATUS \"{name}\" (MESSAGES {count} UIDNEXT {next} UIDVALIDITY {validity})"));
        "OK done".into()
    }

    /// Tells of mails that have come.
    fn news(&mut self, out: &mut Vec<u8>) {
        let Some((name, known, _)) = &mut self.open else { return };
        let count = lock(&self.shared.mailbox).folder(name).map_or(0, |folder| folder.mails.len());
        if count != *known {
            say(out, format_args!("* {count} EXISTS"));
            *known = count;
        }
    }

    async fn idle(&mut self) -> io::Result<Answer> {
        if self.open.is_none() || !lock(&self.shared.mailbox).abilities.iter().any(|one| one == "IDLE") {
            return Ok(Some("BAD not here".into()));
        }
        self.say("+ idling").await?;
        self.shared.touch();
        let mut changes = self.shared.changes.subscribe();
        // Read in this loop only: a line that is half read when something changes is kept.
        let mut line = Vec::new();
        loop {
            let mut out = Vec::new();
            self.news(&mut out);
            self.stream.write_all(&out).await?;
            tokio::select! {
                got = self.stream.read_until(b'\n', &mut line) => {
                    if got? == 0 {
                        return Ok(None);
                    }
                    let done = line.trim_ascii().eq_ignore_ascii_case(b"DONE");
                    return Ok(Some(if done { "OK idled" } else { "BAD expected DONE" }.into()));
                }
                changed = changes.changed() => if changed.is_err() { return Ok(None) },
            }
        }
    }
}

fn login(accepted: bool) -> &'static str {
    if accepted { "OK logged in" } else { "NO [AUTHENTICATIONFAILED] Authentication failed." }
}

fn say(out: &mut Vec<u8>, line: std::fmt::Arguments<'_>) {
    out.extend_from_slice(format!("{line}\r\n").as_bytes());
}

/// Atoms and quoted strings.
fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&c) = chars.peek() {
        let mut word = String::new();
        if c == ' ' {
            chars.next();
            continue;
        }
        if c == '"' {
            chars.next();
            while let Some(c) = chars.next().filter(|c| *c != '"') {
                word.extend(if c == '\\' { chars.next() } else { Some(c) });
            }
        } else {
            while let Some(c) = chars.next_if(|c| *c != ' ') {
                word.push(c);
            }
        }
        found.push(word);
    }
    found
}

/// Whether a set of UIDs holds this one. `n:*` holds the last mail whatever n is (RFC 3501 6.4.8).
fn holds(folder: &Folder, set: &str, uid: u32) -> bool {
    let last = folder.mails.last().map_or(0, |kept| kept.uid);
    let number = |text: &str| if text == "*" { last } else { text.parse().unwrap_or(0) };
    set.split(',').any(|range| {
        let (from, to) = range.split_once(':').map_or((number(range), number(range)), |(a, b)| (number(a), number(b)));
        (from.min(to)..=from.max(to)).contains(&uid)
    })
}

fn search(folder: &Folder, what: &str) -> String {
    let words = words(what);
    let fits = |kept: &&Kept| match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["SINCE", day] => {
            let day = jiff::fmt::strtime::parse("%d-%b-%Y", day).and_then(|parsed| parsed.to_date());
            let at = utc(kept.at, "%Y-%m-%d").parse::<jiff::civil::Date>();
            matches!((day, at), (Ok(day), Ok(at)) if at >= day)
        }
        ["UID", set] => holds(folder, set, kept.uid),
        _ => true,
    };
    folder.mails.iter().filter(fits).map(|kept| format!(" {}", kept.uid)).collect()
}

fn expunge(out: &mut Vec<u8>, folder: &mut Folder, goes: impl Fn(&Kept) -> bool) {
    let mut at = 0;
    folder.mails.retain(|kept| {
        let gone = goes(kept);
        if gone {
            say(out, format_args!("* {} EXPUNGE", at + 1));
        } else {
            at += 1;
        }
        !gone
    });
}

fn fetch(out: &mut Vec<u8>, at: usize, kept: &Kept, items: &str) {
    out.extend_from_slice(format!("* {at} FETCH (UID {}", kept.uid).as_bytes());
    if items.contains("RFC822.SIZE") {
        out.extend_from_slice(format!(" RFC822.SIZE {}", kept.raw.len()).as_bytes());
    }
    let section = items.split_once("BODY.PEEK[").and_then(|(_, rest)| rest.split_once(']'));
    if let Some((section, rest)) = section {
        let whole: &[u8] = &kept.raw;
        let head = whole.windows(4).position(|part| part == b"\r\n\r\n").map_or(whole.len(), |end| end + 4);
        let data = if section == "HEADER" { &whole[..head] } else { whole };
        let most = rest.strip_prefix("<0.").and_then(|rest| rest.split('>').next()?.parse().ok());
        let data = &data[..most.unwrap_or(usize::MAX).min(data.len())];
        let origin = if most.is_some() { "<0>" } else { "" };
        out.extend_from_slice(format!(" BODY[{section}]{origin} {{{}}}\r\n", data.len()).as_bytes());
        out.extend_from_slice(data);
    }
    out.extend_from_slice(b")\r\n");
}
