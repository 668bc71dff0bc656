//! Both sides against somebody who does not behave.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use placet_http::client::{Bounds, Client, HttpError};
use placet_http::server::{Limits, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

const BOUNDS: Bounds = Bounds { time: Duration::from_millis(500), bytes: 1000 };

/// A server that says `answer` to whatever comes, and then nothing; it stays on the line.
async fn says(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer).await;
            open.push(stream);
        }
    });
    url
}

async fn ask(answer: &'static [u8]) -> Result<Vec<u8>, HttpError> {
    let url = says(answer).await;
    Client::new().unwrap().get(&url, None, BOUNDS).await.map(|reply| reply.body)
}

#[tokio::test]
async fn an_answer_within_the_bounds_is_read_whole() {
    assert_eq!(ask(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await.unwrap(), b"hello");
}

#[tokio::test]
async fn what_does_not_behave_is_told_in_words() {
    let late = ask(b"").await.unwrap_err();
    assert!(matches!(late, HttpError::Late { .. }), "{late}");
    let half = ask(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nhello").await.unwrap_err();
    assert!(matches!(half, HttpError::Late { .. }), "{half}");
    let huge = ask(b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n").await.unwrap_err();
    assert!(matches!(huge, HttpError::TooLong { most: 1000, .. }), "{huge}");
    let garbage = ask(b"\x00\x01\x02 whatever\r\n\r\n").await.unwrap_err();
    assert!(matches!(garbage, HttpError::Exchange { .. }), "{garbage}");
    let away =
        ask(b"HTTP/1.1 302 Found\r\nlocation: http://evil.example/\r\ncontent-length: 0\r\n\r\n").await;
    let away = away.unwrap_err();
    assert!(matches!(&away, HttpError::Redirect { to, .. } if to == "http://evil.example/"), "{away}");
}

#[tokio::test]
async fn an_answer_that_never_says_its_length_is_cut() {
    const CHUNK: &str = "100\r\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\
        0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\
        0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n";
    let answer = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}", CHUNK.repeat(5));
    let huge = ask(answer.leak().as_bytes()).await.unwrap_err();
    assert!(matches!(huge, HttpError::TooLong { most: 1000, .. }), "{huge}");
}

/// A server under tight limits, with what ends it.
async fn strict() -> (String, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let slow = get(|| async { tokio::time::sleep(Duration::from_secs(60)).await });
    let router = Router::new().route("/", get(|| async { "here\n" })).route("/slow", slow);
    let short = Duration::from_millis(200);
    let limits = Limits { connections: 2, head: short, answer: short, connection: 2 * short };
    let (stop, stopped) = oneshot::channel();
    let stopped = async { drop(stopped.await) };
    (address, stop, tokio::spawn(serve(listener, router, limits, stopped)))
}

#[tokio::test]
async fn callers_who_send_nothing_lose_their_place() {
    let (address, _stop, _server) = strict().await;
    let mut silent = Vec::new();
    for _ in 0..6 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(b"GET / HT").await.unwrap();
        silent.push(stream);
    }
    let bounds = Bounds { time: Duration::from_secs(10), bytes: 1000 };
    let reply = Client::new().unwrap().get(&format!("http://{address}/"), None, bounds).await.unwrap();
    assert_eq!((reply.status, reply.body.as_slice()), (200, &b"here\n"[..]));
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let (address, _stop, _server) = strict().await;
    let bounds = Bounds { time: Duration::from_secs(10), bytes: 1000 };
    let reply = Client::new().unwrap().get(&format!("http://{address}/slow"), None, bounds).await.unwrap();
    assert_eq!(reply.status, 503);
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_stops() {
    let (address, stop, server) = strict().await;
    let idle = TcpStream::connect(&address).await.unwrap();
    stop.send(()).unwrap();
    server.await.unwrap();
    drop(idle);
    assert!(TcpStream::connect(&address).await.is_err());
}
