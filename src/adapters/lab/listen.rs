//! Listening on loopback: keeps a port bound while its service is up (refused while a test holds it down), and lets a
//! handler cut the connection it answers on. What is said on the connections is left to the services.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::Body;
use axum::extract::connect_info::Connected;
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::faults::Service;
use super::state::{Shared, lock};

/// Runs a service on its port until the lab stops; while it is held down nobody listens there.
pub(super) async fn keep<F: Future<Output = ()>>(
    service: Service,
    shared: Arc<Shared>,
    listener: TcpListener,
    run: impl Fn(Arc<Shared>, TcpListener) -> F,
) {
    let Ok(address) = listener.local_addr() else { return };
    let mut listener = Some(listener);
    loop {
        if let Some(listener) = listener.take() {
            tokio::select! {
                () = run(Arc::clone(&shared), listener) => {}
                () = shared.down(service) => {}
                () = shared.stopped() => return,
            }
        }
        tokio::select! {
            () = shared.up(service) => {}
            () = shared.stopped() => return,
        }
        listener = TcpListener::bind((Ipv4Addr::LOCALHOST, address.port())).await.ok();
        if listener.is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Accepts connections and gives each to a task, which ends with the lab or the service.
pub(super) async fn each<F: Future<Output = io::Result<()>> + Send + 'static>(
    service: Service,
    shared: Arc<Shared>,
    listener: TcpListener,
    serve: impl Fn(Arc<Shared>, TcpStream) -> F,
) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        stream.set_nodelay(true).ok();
        let conversation = serve(Arc::clone(&shared), stream);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            tokio::select! {
                _ = conversation => {}
                () = shared.stopped() => {}
                () = shared.down(service) => {}
            }
        });
    }
}

/// The client's end of one connection, as the handlers see it.
#[derive(Clone)]
pub(super) struct Peer(Arc<Switch>);

impl Peer {
    /// Ends the connection; the response is never written.
    pub(super) fn cut(&self) -> Response {
        self.0.cut.store(true, Ordering::SeqCst);
        if let Some(waker) = lock(&self.0.reader).take() {
            waker.wake();
        }
        Response::new(Body::empty())
    }
}

impl Connected<IncomingStream<'_, Cuttable>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Cuttable>) -> Peer {
        Peer(Arc::clone(&stream.io().switch))
    }
}

#[derive(Default)]
struct Switch {
    cut: AtomicBool,
    reader: Mutex<Option<Waker>>,
}

/// A listener whose connections can be cut from a handler.
pub(super) struct Cuttable(pub(super) TcpListener);

impl Listener for Cuttable {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    // Without it two small writes wait for a delayed ACK: 40 ms that no real server on a LAN adds.
                    stream.set_nodelay(true).ok();
                    return (Wire { stream, switch: Arc::default() }, address);
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A TCP connection with a switch in it.
pub(super) struct Wire {
    stream: TcpStream,
    switch: Arc<Switch>,
}

impl Wire {
    fn check(&self) -> io::Result<()> {
        if self.switch.cut.load(Ordering::SeqCst) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        *lock(&self.switch.reader) = Some(cx.waker().clone());
        self.check()?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
