//! Connections that a stranger cannot keep: bounded in number, in the time a request's head takes, in the time an answer
//! takes, and in how long one connection lasts.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// What strangers may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; more wait until one is over.
    pub connections: usize,
    /// For a request's head.
    pub head: Duration,
    /// For an answer, its request's body included.
    pub answer: Duration,
    /// For a connection, from its first byte to its last, however busy.
    pub connection: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            head: Duration::from_secs(10),
            answer: Duration::from_secs(20),
            connection: Duration::from_secs(300),
        }
    }
}

/// How long open connections have to end once the server was told to stop.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves `router` on `listener` until `stop` is over. HTTP/1.1 only, since a proxy that terminates TLS stands before it.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: impl Future<Output = ()>) {
    let router = router.layer(from_fn(move |request, next| answer(request, next, limits.answer)));
    let places = Arc::new(Semaphore::new(limits.connections));
    let (stopping, stopped) = watch::channel(false);
    let accepting = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                // Most often too many open files: connections that end give some back.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (router, stopped) = (router.clone(), stopped.clone());
            tokio::spawn(async move {
                converse(stream, router, limits, stopped).await;
                drop(place);
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop => {}
    }
    drop(listener);
    stopping.send_replace(true);
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(FAREWELL, places.acquire_many(all)).await;
}

async fn converse(stream: TcpStream, router: Router, limits: Limits, mut stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head);
    // What becomes a WebSocket is bounded by whoever answers it.
    let connection =
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let end = tokio::time::sleep(limits.connection);
    tokio::select! {
        // How a conversation ends is the other side's affair; there is nobody to tell.
        _ = connection.as_mut() => return,
        () = end => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    let _ = tokio::time::timeout(FAREWELL, connection).await;
}

/// The answer, or that it took too long.
async fn answer(request: Request, next: Next, most: Duration) -> Response {
    let late = || (StatusCode::SERVICE_UNAVAILABLE, "this took too long; try again later\n").into_response();
    tokio::time::timeout(most, next.run(request)).await.unwrap_or_else(|_| late())
}
