//! A proxy in front of each service that spoils one call, or all from one on: written for the tests, and independent of what
//! the lab can do. It understands as much of HTTP and SMTP as it takes to know where a call begins and ends.

mod made;

use made::{made, refusal, refused};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Who is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Behind {
    Keystone,
    Barbican,
    Swift,
    Console,
    Mail,
}

/// What happens to a call.
#[derive(Clone)]
pub enum Spoiled {
    /// The connection is reset; for ever: nobody listens any more either.
    Refuse,
    /// The connection is reset before anything is passed on.
    Reset,
    /// Passed on; then the connection is closed without an answer.
    LoseAnswer,
    /// Passed on; then silence.
    LoseAnswerAndHang,
    /// Not passed on, silence.
    Hang,
    /// Passed on and answered after a moment.
    Delay,
    /// The answer breaks off in the middle of its body (of its line, with SMTP).
    CutBody,
    /// The answer breaks off in the middle of its header.
    CutHeader,
    /// Not passed on; this status, with Retry-After where that is usual.
    Status(u16),
    /// Not passed on; bytes that are no protocol.
    Garbage,
    /// Not passed on; a page as a login portal gives it: 200 and HTML.
    Portal,
    /// Not passed on; 200 and nothing.
    Empty,
    /// Passed on; its answer is sent twice.
    AnswerTwice,
    /// Passed on twice; the second answer is given.
    RequestTwice,
    /// Never answered, passed on when the caller has given up.
    ApplyLate,
    /// Passed on; then this is done, and then it is answered.
    Then(Arc<dyn Fn() + Send + Sync>),
}

impl std::fmt::Debug for Spoiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Spoiled::Status(status) => write!(f, "Status({status})"),
            other => f.write_str(other.word()),
        }
    }
}

impl Spoiled {
    fn word(&self) -> &'static str {
        match self {
            Spoiled::Refuse => "Refuse",
            Spoiled::Reset => "Reset",
            Spoiled::LoseAnswer => "LoseAnswer",
            Spoiled::LoseAnswerAndHang => "LoseAnswerAndHang",
            Spoiled::Hang => "Hang",
            Spoiled::Delay => "Delay",
            Spoiled::CutBody => "CutBody",
            Spoiled::CutHeader => "CutHeader",
            Spoiled::Status(_) => "Status",
            Spoiled::Garbage => "Garbage",
            Spoiled::Portal => "Portal",
            Spoiled::Empty => "Empty",
            Spoiled::AnswerTwice => "AnswerTwice",
            Spoiled::RequestTwice => "RequestTwice",
            Spoiled::ApplyLate => "ApplyLate",
            Spoiled::Then(_) => "Then",
        }
    }

    /// All that can be walked.
    pub fn all() -> Vec<Spoiled> {
        let statuses = [401, 403, 404, 409, 412, 429, 500, 502, 503].map(Spoiled::Status);
        let others = [
            Spoiled::Refuse,
            Spoiled::Reset,
            Spoiled::LoseAnswer,
            Spoiled::LoseAnswerAndHang,
            Spoiled::Hang,
            Spoiled::Delay,
            Spoiled::CutBody,
            Spoiled::CutHeader,
            Spoiled::Garbage,
            Spoiled::Portal,
            Spoiled::Empty,
            Spoiled::AnswerTwice,
            Spoiled::RequestTwice,
            Spoiled::ApplyLate,
        ];
        others.into_iter().chain(statuses).collect()
    }
}

/// Which call, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Only calls whose line holds this; all where it is empty.
    pub line: &'static str,
    /// The number of the call, from 1 since the plan was made.
    pub nth: u64,
    /// All later calls of the same service too.
    pub for_ever: bool,
    /// What happens to it.
    pub spoiled: Spoiled,
}

#[derive(Default)]
struct State {
    calls: u64,
    plan: Option<Plan>,
    /// Calls since the plan was made that it could mean.
    seen: u64,
    /// Whom the plan has hit.
    hit: Option<Behind>,
}

struct Inner {
    state: Mutex<State>,
    late: AtomicUsize,
    /// How long a caller waits at most; twice as long is late.
    patience: Duration,
    /// Closed while nobody listens.
    shut: tokio::sync::watch::Sender<Option<Behind>>,
    /// Told when idle mail connections are cut.
    cut: tokio::sync::watch::Sender<()>,
}

/// The proxies of one lab.
pub struct Proxies {
    inner: Arc<Inner>,
    ports: BTreeMap<Behind, u16>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Proxies {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Proxies {
    /// In front of these ports of 127.0.0.1.
    pub async fn start(behind: &[(Behind, u16)], patience: Duration) -> Self {
        let shut = tokio::sync::watch::channel(None).0;
        let cut = tokio::sync::watch::channel(()).0;
        let inner = Arc::new(Inner { state: Mutex::default(), late: AtomicUsize::new(0), patience, shut, cut });
        let (mut ports, mut tasks) = (BTreeMap::new(), Vec::new());
        for &(service, to) in behind {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            ports.insert(service, listener.local_addr().unwrap().port());
            tasks.push(tokio::spawn(listen(inner.clone(), service, listener, to)));
        }
        Self { inner, ports, tasks }
    }

    /// Where the service is reached.
    pub fn port(&self, service: Behind) -> u16 {
        self.ports[&service]
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.inner.state.lock().unwrap().calls
    }

    /// Spoils by this plan from now on.
    pub fn spoil(&self, plan: Plan) {
        let mut state = self.inner.state.lock().unwrap();
        (state.plan, state.seen, state.hit) = (Some(plan), 0, None);
    }

    /// Spoils nothing any more. Whether the plan had hit.
    pub fn heal(&self) -> bool {
        let mut state = self.inner.state.lock().unwrap();
        let hit = state.hit.is_some();
        (state.plan, state.hit) = (None, None);
        self.inner.shut.send_replace(None);
        hit
    }

    /// Closes the connections to the mail server, as a server does with idle ones.
    pub fn cut_mail(&self) {
        self.inner.cut.send_replace(());
    }

    /// Waits until nothing is passed on late any more.
    pub async fn settled(&self) {
        while self.inner.late.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Inner {
    fn meet(&self, service: Behind, line: &str) -> Option<Spoiled> {
        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        let plan = state.plan.clone()?;
        let spoils = if state.hit == Some(service) {
            plan.for_ever
        } else if state.hit.is_none() && line.contains(plan.line) {
            state.seen += 1;
            state.seen == plan.nth
        } else {
            false
        };
        if !spoils {
            return None;
        }
        state.hit = Some(service);
        if plan.for_ever && matches!(plan.spoiled, Spoiled::Refuse) {
            self.shut.send_replace(Some(service));
        }
        Some(plan.spoiled)
    }
}

async fn listen(inner: Arc<Inner>, service: Behind, listener: TcpListener, to: u16) {
    let address = listener.local_addr().unwrap();
    let mut listener = Some(listener);
    let mut shut = inner.shut.subscribe();
    loop {
        let Some(listening) = &listener else {
            shut.wait_for(|who| *who != Some(service)).await.ok();
            listener = TcpListener::bind(address).await.ok();
            continue;
        };
        tokio::select! {
            accepted = listening.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                stream.set_nodelay(true).ok();
                let inner = inner.clone();
                tokio::spawn(async move {
                    let (mut shut, mut cut) = (inner.shut.subscribe(), inner.cut.subscribe());
                    let talk = async {
                        match service {
                            Behind::Mail => smtp(&inner, stream, to).await,
                            _ => http(&inner, service, stream, to).await,
                        }
                    };
                    tokio::select! {
                        _ = talk => {}
                        _ = cut.changed(), if service == Behind::Mail => {}
                        _ = shut.wait_for(|who| *who == Some(service)) => {}
                    }
                });
            }
            _ = shut.wait_for(|who| *who == Some(service)) => listener = None,
        }
    }
}

type Talk = std::io::Result<()>;

fn reset(stream: &TcpStream) {
    // Unread or not: the other side gets a reset, not an end.
    stream.set_zero_linger().ok();
}

/// One call of HTTP after the other.
async fn http(inner: &Arc<Inner>, service: Behind, stream: TcpStream, to: u16) -> Talk {
    let mut stream = BufReader::new(stream);
    loop {
        let Some(request) = read_request(&mut stream).await? else { return Ok(()) };
        let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
        let answer = match inner.meet(service, &line) {
            None => pass_on(&request, to).await?,
            Some(Spoiled::Refuse | Spoiled::Reset) => {
                reset(stream.get_ref());
                return Ok(());
            }
            Some(Spoiled::LoseAnswer) => {
                pass_on(&request, to).await?;
                return Ok(());
            }
            Some(Spoiled::LoseAnswerAndHang) => {
                pass_on(&request, to).await?;
                return std::future::pending().await;
            }
            Some(Spoiled::Hang) => return std::future::pending().await,
            Some(Spoiled::Delay) => {
                let _late = Late::begin(inner);
                tokio::time::sleep(inner.patience / 4).await;
                pass_on(&request, to).await?
            }
            Some(cut @ (Spoiled::CutBody | Spoiled::CutHeader)) => {
                let answer = pass_on(&request, to).await?;
                let head = answer.windows(4).position(|w| w == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
                let end = if matches!(cut, Spoiled::CutBody) { head + (answer.len() - head) / 2 } else { head / 2 };
                // An answer without a body is not given whole either.
                let end = end.min(answer.len().saturating_sub(3));
                stream.write_all(&answer[..end]).await?;
                return Ok(());
            }
            Some(Spoiled::Status(status)) => refusal(status),
            Some(Spoiled::Garbage) => {
                stream.write_all(b"\x16\x03\x01\x00\xa5 no protocol at all\r\n\r\n").await?;
                return Ok(());
            }
            Some(Spoiled::Portal) => made(200, "text/html", "<html><title>Login</title><h1>Please log in</h1></html>"),
            Some(Spoiled::Empty) => made(200, "application/json", ""),
            Some(Spoiled::AnswerTwice) => pass_on(&request, to).await?.repeat(2),
            Some(Spoiled::RequestTwice) => {
                pass_on(&request, to).await?;
                pass_on(&request, to).await?
            }
            Some(Spoiled::ApplyLate) => {
                late(inner, move || async move { pass_on(&request, to).await.map(drop) });
                return std::future::pending().await;
            }
            Some(Spoiled::Then(then)) => {
                let answer = pass_on(&request, to).await?;
                then();
                answer
            }
        };
        stream.write_all(&answer).await?;
    }
}

fn late<F: Future<Output = Talk> + Send + 'static>(inner: &Arc<Inner>, act: impl FnOnce() -> F + Send + 'static) {
    let under_way = Late::begin(inner);
    tokio::spawn(async move {
        tokio::time::sleep(under_way.0.patience * 2).await;
        act().await.ok();
    });
}

/// Something that is still to be passed on.
struct Late(Arc<Inner>);

impl Late {
    fn begin(inner: &Arc<Inner>) -> Self {
        inner.late.fetch_add(1, Ordering::SeqCst);
        Self(inner.clone())
    }
}

impl Drop for Late {
    fn drop(&mut self) {
        self.0.late.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A whole request; `None` where the connection ended before one.
async fn read_request(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Vec<u8>>> {
    let (mut request, mut length) = (Vec::new(), 0usize);
    loop {
        let start = request.len();
        if stream.read_until(b'\n', &mut request).await? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&request[start..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let start = request.len();
    request.resize(start + length, 0);
    stream.read_exact(&mut request[start..]).await?;
    Ok(Some(request))
}

/// Sends the request on a connection of its own and gives the whole answer.
async fn pass_on(request: &[u8], to: u16) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", to)).await?;
    let first = request.iter().position(|byte| *byte == b'\n').unwrap_or(0) + 1;
    let close = b"connection: close\r\n";
    stream.write_all(&[&request[..first], &close[..], &request[first..]].concat()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    if let Some(at) = answer.windows(close.len()).position(|window| window.eq_ignore_ascii_case(close)) {
        answer.drain(at..at + close.len());
    }
    Ok(answer)
}

/// A session of SMTP, command by command; the text of a mail with its end is one call.
async fn smtp(inner: &Arc<Inner>, stream: TcpStream, to: u16) -> Talk {
    let mut client = BufReader::new(stream);
    let mut server = BufReader::new(TcpStream::connect(("127.0.0.1", to)).await?);
    let (mut call, mut text) = (Vec::new(), false);
    let mut line = "CONNECT".to_owned();
    loop {
        let spoiled = inner.meet(Behind::Mail, &line);
        // Until the server has answered: whoever has given up meanwhile must not be asked before it has arrived.
        let under_way = matches!(spoiled, Some(Spoiled::Delay)).then(|| Late::begin(inner));
        match &spoiled {
            Some(Spoiled::Refuse | Spoiled::Reset) => {
                reset(client.get_ref());
                return Ok(());
            }
            Some(Spoiled::Hang) => return std::future::pending().await,
            Some(Spoiled::Delay) => tokio::time::sleep(inner.patience / 4).await,
            Some(Spoiled::ApplyLate) => {
                late(inner, move || async move {
                    server.write_all(&call).await?;
                    reply(&mut server).await.map(drop)
                });
                return std::future::pending().await;
            }
            Some(Spoiled::Garbage | Spoiled::Portal | Spoiled::Empty) => {
                client.write_all(b"\x16\x03\x01 no protocol at all\r\n").await?;
                return Ok(());
            }
            _ => {}
        }
        let answer = match &spoiled {
            // The text was taken off the wire; the server never hears of it.
            Some(Spoiled::Status(status)) => refused(*status),
            _ => {
                server.write_all(&call).await?;
                reply(&mut server).await?
            }
        };
        drop(under_way);
        match &spoiled {
            Some(Spoiled::LoseAnswer) => return Ok(()),
            Some(Spoiled::LoseAnswerAndHang) => return std::future::pending().await,
            Some(Spoiled::CutBody | Spoiled::CutHeader) => {
                client.write_all(&answer[..answer.len() / 2]).await?;
                return Ok(());
            }
            Some(Spoiled::AnswerTwice | Spoiled::RequestTwice) => client.write_all(&answer.repeat(2)).await?,
            Some(Spoiled::Status(503)) => {
                client.write_all(&answer).await?;
                return Ok(());
            }
            Some(Spoiled::Then(then)) => {
                then();
                client.write_all(&answer).await?;
            }
            _ => client.write_all(&answer).await?,
        }
        text = line == "DATA" && answer.starts_with(b"354") && !text;
        call.clear();
        loop {
            let start = call.len();
            if client.read_until(b'\n', &mut call).await? == 0 {
                return Ok(());
            }
            if !text || &call[start..] == b".\r\n" {
                break;
            }
        }
        line = if text { ".".into() } else { String::from_utf8_lossy(&call).trim().to_owned() };
    }
}

/// A whole reply, of one line or several.
async fn reply(server: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut reply = Vec::new();
    loop {
        let start = reply.len();
        if server.read_until(b'\n', &mut reply).await? == 0 || reply.get(start + 3) != Some(&b'-') {
            return Ok(reply);
        }
    }
}
