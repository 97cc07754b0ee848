//! HTTP on loopback for all servers of the lab: takes a request whole, meets the faults, hands it to the server's
//! [`Site`] and sends the reply; what the servers say is left to them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::stream;
use tokio::net::TcpListener;

use super::faults::{Fault, Loss, Service};
use super::listen::{Cuttable, Peer};
use super::state::Shared;
use super::trip::Moment;

/// The `User-Agent` by which the lab knows the requests of its own reconcile agents.
pub(super) const AGENT: &str = "user-sync-agent";

/// No body of the lab is larger.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// A request, whole.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: String,
    /// Percent-encoded, as it came.
    pub(super) path: String,
    /// Without the question mark, as it came.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Call {
    /// A header's text; None if it is absent or not text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// The path's parts, decoded once.
    pub(super) fn parts(&self) -> Vec<String> {
        self.path.split('/').filter(|p| !p.is_empty()).map(|p| decode(p, false)).collect()
    }

    /// A parameter of the query, decoded once.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key, true) == name).then(|| decode(value, true))
        })
    }
}

/// Undoes percent-encoding; with `form`, a plus is a space.
pub(super) fn decode(text: &str, form: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let escaped = text.get(i + 1..i + 3).filter(|_| bytes[i] == b'%').and_then(|h| u8::from_str_radix(h, 16).ok());
        match escaped {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(if form && bytes[i] == b'+' { b' ' } else { bytes[i] });
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    /// Headers whose names the client chose.
    pub(super) named: Vec<(String, String)>,
    pub(super) body: Bytes,
    /// For HEAD: the length that GET would have.
    pub(super) length: Option<usize>,
}

impl Reply {
    /// An empty answer.
    pub(super) fn new(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), named: Vec::new(), body: Bytes::new(), length: None }
    }

    /// A JSON answer.
    pub(super) fn json(status: u16, value: &serde_json::Value) -> Reply {
        Reply::new(status).with("content-type", "application/json").body(value.to_string())
    }

    /// An HTML answer.
    pub(super) fn html(status: u16, text: impl Into<String>) -> Reply {
        Reply::new(status).with("content-type", "text/html; charset=UTF-8").body(text.into())
    }

    /// With one more header.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    /// With this body.
    pub(super) fn body(mut self, body: impl Into<Bytes>) -> Reply {
        self.body = body.into();
        self
    }
}

/// What a server of the lab says; the faults in front of it are met here.
pub(super) trait Site: Send + Sync + 'static {
    /// Which service it is, for the faults.
    fn service(&self) -> Service;
    /// Carries a call out. `None`: it dies of it, and the connection is closed without a word.
    fn answer(&self, call: &Call) -> Option<Reply>;
    /// Whether nobody answers at the moment: the connection is closed without a word.
    fn is_off(&self) -> bool {
        false
    }
    /// How the service refuses with a status.
    fn refuse(&self, status: u16) -> Reply;
    /// A call was answered, or its answer was lost on the way: what the server's own log knows of it.
    fn answered(&self, _call: &Call, _reply: &Reply) {}
}

/// Serves one site until the lab stops.
pub(super) async fn run(site: Arc<dyn Site>, shared: Arc<Shared>, listener: TcpListener) {
    let app = Router::new().fallback(front).with_state((site, shared));
    axum::serve(Cuttable(listener), app.into_make_service_with_connect_info::<Peer>()).await.ok();
}

type Here = (Arc<dyn Site>, Arc<Shared>);

/// The one middleware: every request of every HTTP service passes here.
async fn front(State((site, shared)): State<Here>, ConnectInfo(peer): ConnectInfo<Peer>, request: Request) -> Response {
    let service = site.service();
    if site.is_off() {
        return peer.cut();
    }
    let work = answer(site, Arc::clone(&shared), peer.clone(), request);
    tokio::select! {
        response = work => response,
        () = shared.stopped() => peer.cut(),
        () = shared.down(service) => peer.cut(),
    }
}

async fn answer(site: Arc<dyn Site>, shared: Arc<Shared>, peer: Peer, request: Request) -> Response {
    let service = site.service();
    let (head, body) = request.into_parts();
    // A body that breaks off is never carried out.
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return send(Reply::new(499));
    };
    let agent = head.headers.get("user-agent").is_some_and(|v| v.as_bytes() == AGENT.as_bytes());
    let call = Call {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
    };
    // The agents' own requests go on beside whatever is counted.
    let what = || format!("{service:?} {} {}", call.method, call.path);
    let place = if agent { None } else { shared.arrived(what) };
    let target = head.uri.path_and_query().map_or("/", |p| p.as_str());
    let fault = shared.faults.meet(service, &call.method, target, agent);
    if let Some(latency) = shared.latency(service) {
        tokio::time::sleep(latency).await;
    }
    let reply = match fault {
        None => carry_out(&*site, &call),
        Some(Fault::Status(status)) => Some(refuse(&*site, &call, status)),
        Some(Fault::Close) => return peer.cut(),
        Some(Fault::Hang) => return std::future::pending().await,
        Some(Fault::ResetMidBody) => {
            let reply = carry_out(&*site, &call);
            shared.touch();
            return match reply {
                Some(reply) if !reply.body.is_empty() => broken(reply),
                _ => peer.cut(),
            };
        }
        Some(Fault::Delay(delay)) => {
            let late = carry_out_after(tokio::time::sleep(delay), site, &shared, call);
            late.await.ok().flatten()
        }
        Some(Fault::LoseAnswer(loss)) => {
            carry_out(&*site, &call);
            shared.touch();
            return match loss {
                Loss::Close => peer.cut(),
                Loss::Hang => std::future::pending().await,
            };
        }
        Some(Fault::ApplyLate(delay)) => {
            carry_out_after(shared.faults.hold_for(delay), site, &shared, call);
            return std::future::pending().await;
        }
        Some(Fault::Trip(moment)) => {
            if moment == Moment::After {
                carry_out(&*site, &call);
                shared.touch();
            }
            shared.faults.hold().await;
            return peer.cut();
        }
    };
    shared.touch();
    let Some(reply) = reply else { return peer.cut() };
    place.into_iter().for_each(|place| shared.answered(place));
    send(if shared.faults.is_closing() { reply.with("connection", "close") } else { reply })
}

fn carry_out(site: &dyn Site, call: &Call) -> Option<Reply> {
    let reply = site.answer(call)?;
    site.answered(call, &reply);
    Some(reply)
}

/// With the body with which the service refuses.
fn refuse(site: &dyn Site, call: &Call, status: u16) -> Reply {
    let reply = site.refuse(status);
    site.answered(call, &reply);
    if status == 429 || status == 503 { reply.with("retry-after", "1") } else { reply }
}

/// Carries the call out later, also when the client has gone: a real server does so too after SIGCONT.
fn carry_out_after(
    due: impl Future<Output = ()> + Send + 'static,
    site: Arc<dyn Site>,
    shared: &Arc<Shared>,
    call: Call,
) -> tokio::task::JoinHandle<Option<Reply>> {
    let shared = Arc::clone(shared);
    shared.late.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    tokio::spawn(async move {
        due.await;
        let reply = carry_out(&*site, &call);
        shared.late.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
        shared.touch();
        reply
    })
}

fn send(reply: Reply) -> Response {
    let body = reply.body.clone();
    frame(reply, Body::from(body))
}

/// Half of the body, then nothing more.
fn broken(reply: Reply) -> Response {
    let half = reply.body.slice(..reply.body.len() / 2);
    let length = reply.body.len();
    let steps = stream::unfold(Some(half), |left| async move {
        match left {
            Some(half) if !half.is_empty() => Some((Ok(half), Some(Bytes::new()))),
            // Gives the first half time to leave the machine: without a pause it would never be flushed.
            Some(_) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), None))
            }
            None => None,
        }
    });
    let mut reply = reply;
    reply.length = Some(length);
    frame(reply, Body::from_stream(steps))
}

fn frame(reply: Reply, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let fixed = reply.headers.into_iter().map(|(n, v)| (n.to_owned(), v));
    for (name, value) in fixed.chain(reply.named) {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
        {
            headers.append(name, value);
        }
    }
    if let Some(length) = reply.length {
        headers.insert("content-length", HeaderValue::from(length));
    }
    response
}
