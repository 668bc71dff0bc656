//! A folder with a published log, over HTTP on loopback.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderValue;
use placet_http::server::{Limits, serve};
use placet_publish::{Folder, PAGE_POLICY, Page, Shelf, router};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const ROSTER: &str = "roster/98ca0a09726b26b30cf13f22953237dbecbcdbdcf936a8f8e4d6cc87dad5a159";

/// An answer as it stood on the wire.
struct Answer {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

struct Served {
    address: String,
}

async fn serving(shelf: Arc<dyn Shelf>) -> Served {
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let policy = HeaderValue::from_static(PAGE_POLICY);
    let page = |path: &str, text: &'static str| Page {
        path: path.to_owned(),
        media_type: html.clone(),
        policy: policy.clone(),
        bytes: text.into(),
    };
    let pages = vec![page("", "<p>front"), page("about.html", "<p>about"), page("checkpoint", "<p>never")];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(serve(listener, router(shelf, pages), Limits::default(), std::future::pending()));
    Served { address }
}

impl Served {
    async fn ask(&self, method: &str, target: &str, headers: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!("{method} {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let (first, rest) = head.split_once("\r\n").unwrap();
        let headers = rest.lines().map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        });
        let status = first.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, headers: headers.collect(), body: bytes[end + 4..].to_vec() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "").await
    }
}

fn put(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

async fn log() -> (tempfile::TempDir, Served) {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("log");
    put(&folder, "checkpoint", b"log.example\n0\n...\n");
    put(&folder, "tile/0/000.p/3", &[7; 96]);
    put(&folder, "tile/entries/x001/000", b"\x00\x02{}");
    put(&folder, "slots/000.p/2", &(0..=255).collect::<Vec<u8>>());
    put(&folder, "cosigned/000.p/1", b"");
    put(&folder, ROSTER, b"{}\n");
    put(&folder, "secret.key", b"PRIVATE");
    put(&folder, "tile/0/notes.txt", b"PRIVATE");
    put(outer.path(), "outside", b"PRIVATE");
    let served = serving(Arc::new(Folder::open(&folder).unwrap())).await;
    (outer, served)
}

#[tokio::test]
async fn every_kind_of_file_is_served_as_what_it_is() {
    let (_folder, served) = log().await;
    let for_ever = "public, max-age=31536000, immutable";
    let (text, bytes) = ("text/plain; charset=utf-8", "application/octet-stream");
    for (path, kind, cache, length) in [
        ("/checkpoint", text, "no-cache", 18),
        ("/tile/0/000.p/3", bytes, for_ever, 96),
        ("/tile/entries/x001/000", bytes, for_ever, 4),
        ("/slots/000.p/2", bytes, for_ever, 256),
        ("/cosigned/000.p/1", bytes, for_ever, 0),
        (&format!("/{ROSTER}"), text, for_ever, 3),
        ("/checkpoint?at=now", text, "no-cache", 18),
    ] {
        let answer = served.get(path).await;
        assert_eq!((answer.status, answer.body.len()), (200, length), "{path}");
        assert_eq!((answer.header("content-type"), answer.header("cache-control")), (kind, cache), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        let head = served.ask("HEAD", path, "").await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(head.header("content-length"), length.to_string(), "{path}");
    }
}

#[tokio::test]
async fn nothing_else_on_the_shelf_or_beside_it_can_be_had() {
    let (_folder, served) = log().await;
    let mut asked = 0;
    for path in [
        "/secret.key",
        "/tile/0/notes.txt",
        "/../outside",
        "/tile/../secret.key",
        "/tile/0/../../secret.key",
        "/%2e%2e/outside",
        "/..%2foutside",
        "/tile%2f0%2f000.p%2f3",
        "/%63heckpoint",
        "//checkpoint",
        "/checkpoint/",
        "/./checkpoint",
        "/etc/passwd",
        "//etc/passwd",
        "/slots/..",
        "/slots/x000/000",
        "/tile/0/000",
        "/roster/98ca",
        "/tile/0/000.p/3%00",
        "/tile/0/000.p\\3",
        &format!("/tile/{}", "0/".repeat(5000)),
    ] {
        let answer = served.get(path).await;
        assert!([404, 400, 414].contains(&answer.status), "{path}: {}", answer.status);
        assert!(!answer.body.windows(7).any(|w| w == b"PRIVATE"), "{path}");
        asked += 1;
    }
    println!("{asked} paths refused");
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = served.ask(method, "/checkpoint", "content-length: 0\r\n").await;
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"), "{method}");
    }
}

#[tokio::test]
async fn links_lead_nowhere_outside() {
    let (outer, served) = log().await;
    let tiles = outer.path().join("log/tile/0");
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, tiles.join(name)).unwrap();
    link("../../../outside", "001");
    link(outer.path().join("outside").to_str().unwrap(), "002");
    link("/proc/self/environ", "003");
    link("004", "004");
    link("000.p/3", "005");
    std::fs::create_dir(tiles.join("006")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, tiles.join("007"), rustix::fs::Mode::RUSR).unwrap();
    for (name, status) in
        [("001", 404), ("002", 404), ("003", 404), ("004", 404), ("005", 200), ("006", 404), ("007", 404)]
    {
        let answer = served.get(&format!("/tile/0/{name}")).await;
        assert_eq!(answer.status, status, "{name}: {}", String::from_utf8_lossy(&answer.body));
    }
}

#[tokio::test]
async fn ranges_give_the_bytes_they_name() {
    let (_folder, served) = log().await;
    let all: Vec<u8> = (0..=255).collect();
    for (range, status, first, end) in [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=128-255", 206, 128, 256),
        ("bytes=250-999", 206, 250, 256),
        ("bytes=-6", 206, 250, 256),
        ("bytes=1-2,4-5", 200, 0, 256),
        ("nonsense", 200, 0, 256),
    ] {
        let answer = served.ask("GET", "/slots/000.p/2", &format!("range: {range}\r\n")).await;
        assert_eq!((answer.status, &answer.body[..]), (status, &all[first..end]), "{range}");
        if status == 206 {
            assert_eq!(answer.header("content-range"), format!("bytes {first}-{}/256", end - 1), "{range}");
        }
    }
    let answer = served.ask("GET", "/slots/000.p/2", "range: bytes=256-\r\n").await;
    assert_eq!((answer.status, answer.header("content-range")), (416, "bytes */256"));
    let tag = served.get("/slots/000.p/2").await.header("etag").to_owned();
    for (known, status) in [(tag.as_str(), 206), ("\"another\"", 200)] {
        let headers = format!("range: bytes=0-0\r\nif-range: {known}\r\n");
        assert_eq!(served.ask("GET", "/slots/000.p/2", &headers).await.status, status, "{known}");
    }
}

#[tokio::test]
async fn what_the_caller_has_already_is_not_sent_again() {
    let (folder, served) = log().await;
    for path in ["/checkpoint", "/slots/000.p/2", "/", "/about.html"] {
        let tag = served.get(path).await.header("etag").to_owned();
        assert!(tag.len() > 2, "{path}");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let answer = served.ask("GET", path, &format!("if-none-match: {known}\r\n")).await;
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{path} {known}");
        }
        let answer = served.ask("GET", path, "if-none-match: \"x\"\r\n").await;
        assert_eq!(answer.status, 200, "{path}");
    }
    let tag = served.get("/checkpoint").await.header("etag").to_owned();
    put(&folder.path().join("log"), "checkpoint", b"log.example\n1\n...\n");
    let answer = served.ask("GET", "/checkpoint", &format!("if-none-match: {tag}\r\n")).await;
    assert_eq!((answer.status, &answer.body[..]), (200, &b"log.example\n1\n...\n"[..]));
}

#[tokio::test]
async fn pages_may_load_what_stands_beside_them_and_are_never_a_file_of_the_log() {
    let (_folder, served) = log().await;
    for (path, body) in [("/", "<p>front"), ("/about.html", "<p>about")] {
        let answer = served.get(path).await;
        assert_eq!((answer.status, &answer.body[..]), (200, body.as_bytes()));
        assert_eq!(answer.header("content-security-policy"), PAGE_POLICY);
    }
    assert!(served.get("/checkpoint").await.body.starts_with(b"log.example"));
}

/// A file of 8 GiB that is made up as it is read, and how much of it was.
#[derive(Default)]
struct Endless {
    n_read: AtomicU64,
    most: AtomicU64,
    shrinks: bool,
}

const ENDLESS: u64 = 8 << 30;

impl Shelf for Endless {
    fn length(&self, _: &str) -> io::Result<Option<u64>> {
        Ok(Some(if self.shrinks { 1 << 20 } else { ENDLESS }))
    }

    fn read(&self, _: &str, from: u64, len: u64) -> io::Result<Vec<u8>> {
        if self.shrinks && from >= 512 << 10 {
            return Ok(Vec::new());
        }
        self.n_read.fetch_add(len, Ordering::SeqCst);
        self.most.fetch_max(len, Ordering::SeqCst);
        Ok((from..from + len).map(|at| u8::try_from(at % 251).unwrap()).collect())
    }
}

#[tokio::test]
async fn a_part_of_a_large_file_is_read_alone() {
    let shelf = Arc::new(Endless::default());
    let served = serving(shelf.clone()).await;
    let first = 5_000_000_000_u64;
    let range = format!("range: bytes={first}-{}\r\n", first + 1_000_000);
    let answer = served.ask("GET", "/slots/000", &range).await;
    assert_eq!((answer.status, answer.body.len()), (206, 1_000_001));
    assert!(answer.body.iter().zip(first..).all(|(byte, at)| u64::from(*byte) == at % 251));
    assert_eq!(shelf.n_read.load(Ordering::SeqCst), 1_000_001);
    assert!(shelf.most.load(Ordering::SeqCst) <= 256 << 10);
    // Who asks for all of it and leaves gets no more than fits the wire.
    let mut stream = TcpStream::connect(&served.address).await.unwrap();
    stream.write_all(b"GET /slots/000 HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    stream.read_exact(&mut [0; 1000]).await.unwrap();
    drop(stream);
    let head = served.ask("HEAD", "/slots/000", "").await;
    assert_eq!(head.header("content-length"), ENDLESS.to_string());
    assert!(shelf.n_read.load(Ordering::SeqCst) < 64 << 20);
}

#[tokio::test]
async fn a_file_that_shrinks_while_it_is_sent_is_not_taken_for_whole() {
    let served = serving(Arc::new(Endless { shrinks: true, ..Endless::default() })).await;
    let answer = served.get("/slots/000").await;
    assert_eq!(answer.header("content-length"), (1 << 20).to_string());
    assert!(answer.body.len() < 1 << 20, "{}", answer.body.len());
}
