//! Clients that lie, stall, guess and flood. After each the server serves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use placet_rtsp::{Admission, Limits};
use tokio::io::AsyncWriteExt as _;
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::camera::Server;
use crate::raw::{Answer, Raw, Said, is_served};

fn conversation(url: &str) -> Vec<u8> {
    let mut all = String::new();
    for (n, (method, path, header)) in [
        ("OPTIONS", "", "User-Agent: x"),
        ("DESCRIBE", "", "Accept: application/sdp"),
        ("SETUP", "/video", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"),
        ("PLAY", "", "Session: 0"),
        ("GET_PARAMETER", "", "Content-Length: 3\r\nContent-Type: text/parameters"),
    ]
    .into_iter()
    .enumerate()
    {
        all += &format!("{method} {url}{path} RTSP/1.0\r\nCSeq: {n}\r\n{header}\r\n\r\n");
    }
    [all.as_bytes(), b"abc", b"$\x01\x00\x08\x80\xc9\x00\x01\x00\x00\x00\x07"].concat()
}

/// The right answer of `recorder` (RFC 2069).
fn right(nonce: &str, method: &str, url: &str) -> String {
    use md5::Digest as _;
    let hex =
        |text: String| -> String { md5::Md5::digest(text).iter().map(|b| format!("{b:02x}")).collect() };
    let (first, second) = (hex("recorder:placet:correct horse".to_owned()), hex(format!("{method}:{url}")));
    let response = hex(format!("{first}:{nonce}:{second}"));
    format!(
        "Authorization: Digest username=\"recorder\", realm=\"placet\", nonce=\"{nonce}\", uri=\"{url}\", response=\"{response}\""
    )
}

/// Bytes that repeat: an xorshift from a seed.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_a_conversation_cut_at_every_byte() {
    let server = Server::open().await;
    let company = server.company().await;
    let all = Arc::new(conversation(&format!("rtsp://{}/hall-north", server.address)));
    for cut in 0..=all.len() {
        let mut client = Raw::open(server.address).await;
        client.send(&all[..cut]).await;
        client.stream.shutdown().await.unwrap();
        let _ = client.read_out().await;
    }
    drop(company);
    server.until_left().await;
    is_served(server.address).await;
    println!("{} conversations cut, 0 lost", all.len() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_a_conversation_with_any_byte_changed_and_noise() {
    let server = Server::open().await;
    let company = server.company().await;
    let all = conversation(&format!("rtsp://{}/hall-north", server.address));
    let mut noise = Noise(0x5eed_0001);
    let mut tried = 0;
    for at in (0..all.len()).step_by(2) {
        let mut bad = all.clone();
        bad[at] = noise.next() as u8;
        let mut client = Raw::open(server.address).await;
        client.send(&bad).await;
        client.stream.shutdown().await.unwrap();
        let _ = client.read_out().await;
        tried += 1;
    }
    for _ in 0..300 {
        let bytes: Vec<u8> = (0..noise.next() % 3_000).map(|_| noise.next() as u8).collect();
        let mut client = Raw::open(server.address).await;
        client.send(&bytes).await;
        let _ = client.stream.shutdown().await;
        let _ = client.read_out().await;
        tried += 1;
    }
    drop(company);
    server.until_left().await;
    is_served(server.address).await;
    println!("{tried} spoilt conversations, 0 lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_heads_without_end_huge_bodies_and_numbers_that_are_none() {
    let server = Server::open().await;
    let url = format!("rtsp://{}/hall-north", server.address);
    let head = format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\n");
    let rows = [
        ("a header without end", format!("{head}A: {}", "x".repeat(100_000)), 413),
        (
            "headers without end",
            format!("{head}{}", (0..5_000).map(|n| format!("A{n}: x\r\n")).collect::<String>()),
            413,
        ),
        ("a line without end", format!("DESCRIBE rtsp://{}", "x".repeat(100_000)), 413),
        ("a huge body", format!("{head}Content-Length: 99999999999\r\n\r\n"), 413),
        ("a body beyond numbers", format!("{head}Content-Length: 99999999999999999999999\r\n\r\n"), 400),
        ("a negative body", format!("{head}Content-Length: -5\r\n\r\n"), 400),
        ("two lengths", format!("{head}Content-Length: 1\r\ncontent-length: 2\r\n\r\n"), 400),
        ("no number", format!("DESCRIBE {url} RTSP/1.0\r\nAccept: */*\r\n\r\n"), 400),
        ("two numbers", format!("{head}CSeq: 2\r\n\r\n"), 400),
        ("a number beyond numbers", format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 4294967296\r\n\r\n"), 400),
        ("a word for a number", format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: one\r\n\r\n"), 400),
        ("HTTP", "GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 505),
        ("TLS", "\u{16}\u{3}\u{1}\u{2}".to_owned(), 400),
        ("an answer", "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n".to_owned(), 505),
        ("a split header", format!("{head}A: b\r\n c\r\n\r\n"), 400),
    ];
    for (name, text, status) in &rows {
        let mut client = Raw::open(server.address).await;
        client.send(text.as_bytes()).await;
        let said = client.read_out().await;
        // Where our bytes were still on the way, the system may take the answer back with them.
        assert!(
            matches!(&said[..], [Said::Answer(answer)] if answer.status == *status)
                || (said.is_empty() && text.len() > 9_000),
            "{name}: {said:?}"
        );
    }
    is_served(server.address).await;
    println!("{} lies about lengths and numbers refused", rows.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_lies_on_interleaved_channels() {
    let server = Server::open().await;
    let mut client = Raw::open(server.address).await;
    client.play().await;
    let mut tried = 0;
    for channel in [0_u8, 1, 2, 255] {
        for packet in [
            &b""[..],
            b"\x80",
            b"\x80\xc9\x00\x01\0\0\0\x07",
            b"\x80\xc9\xff\xff\0\0\0\x07",
            b"\x80\x60\0\0",
            &[0xff; 2_000],
        ] {
            let len = (packet.len() as u16).to_be_bytes();
            client.send(&[&[b'$', channel], &len[..], packet].concat()).await;
            tried += 1;
        }
    }
    assert!(client.picture().await, "they change nothing");
    assert_eq!(client.ask("OPTIONS", "", &[]).await.status, 200);
    client.send(b"$\x00\xff\xff").await;
    let last = client.read_out().await;
    assert!(
        matches!(last.iter().rev().find(|said| matches!(said, Said::Answer(_))), Some(Said::Answer(a)) if a.status == 413)
    );
    // A packet that is announced and does not come holds nothing but its own connection.
    let mut waits = Raw::open(server.address).await;
    waits.send(b"$\x00\x00\x10half").await;
    server.until_left().await;
    is_served(server.address).await;
    println!("{} interleaved lies, 0 believed", tried + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_a_session_of_another_connection() {
    let server = Server::open().await;
    let mut victim = Raw::open(server.address).await;
    let (session, _) = victim.play().await;
    let named = format!("Session: {session}");
    let mut thief = Raw::open(server.address).await;
    let mut tried = 0;
    for has_own in [false, true] {
        if has_own {
            thief.set_up().await;
        }
        for method in ["PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SETUP", "DESCRIBE"] {
            let answer =
                thief.ask(method, "", &[&named, "Transport: RTP/AVP;unicast;client_port=9000-9001"]).await;
            assert_eq!(answer.status, 454, "{method}");
            tried += 1;
        }
    }
    assert!(victim.picture().await);
    assert_eq!(victim.ask("GET_PARAMETER", "", &[&named]).await.status, 200);
    println!("{tried} requests with another's session, 0 taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_packets_aimed_at_others() {
    let server = Server::open().await;
    let other = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let port = other.local_addr().unwrap().port();
    let mut client = Raw::open(server.address).await;
    let mut tried = 0;
    for transport in [
        format!("RTP/AVP;unicast;destination=127.0.0.2;client_port={port}-{}", port - 1),
        format!("RTP/AVP;unicast;client_port={port}-{};destination=127.0.0.2", port - 1),
        format!("RTP/AVP;unicast;client_port={port}-{};DESTINATION=\"127.0.0.2\"", port - 1),
        format!("RTP/AVP;unicast;dest_addr=\"127.0.0.2:{port}\"/\"127.0.0.2:{port}\""),
        format!("RTP/AVP;multicast;destination=239.0.0.1;port={port}-{};ttl=127", port - 1),
        format!("RTP/AVP;unicast;source=127.0.0.2;client_port={port}-{}", port - 1),
        "RTP/AVP;unicast;client_port=53-54".to_owned(),
        "RTP/AVP;unicast;client_port=123-1023".to_owned(),
        "RTP/AVP;unicast;client_port=0-0".to_owned(),
        "RTP/AVP;unicast;mode=\"".to_owned(),
        "RTP/AVP;unicast;dest_addr=\"\\\"".to_owned(),
    ] {
        let answer = client.ask("SETUP", "/video", &[&format!("Transport: {transport}")]).await;
        assert_eq!(answer.status, 461, "{transport}");
        tried += 1;
    }
    // What is set up by the rules reaches the caller's address at that port, not the other's.
    let transport = format!("Transport: RTP/AVP;unicast;client_port={port}-{}", port - 1);
    let session = client.ask("SETUP", "/video", &[&transport]).await.session();
    client.ask("PLAY", "", &[&format!("Session: {session}")]).await;
    let mut bytes = [0; 2_000];
    assert!(timeout(Duration::from_millis(500), other.recv(&mut bytes)).await.is_err());
    // And where nobody listens there, it is soon given up.
    server.until_left().await;
    is_served(server.address).await;
    println!("{tried} transports aimed elsewhere, 0 taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_guessed_passwords_and_borrowed_nonces() {
    let server = Server::locked().await;
    let (mut tried, mut guesses, begun) = (0, 0, Instant::now());
    for n in 0..8 {
        let mut client = Raw::open(server.address).await;
        let mut asked = client.ask("DESCRIBE", "", &[]).await;
        for _ in 0..3 {
            assert_eq!((asked.status, asked.headers("www-authenticate").len()), (401, 2));
            let nonce = asked.header("www-authenticate").unwrap().split("nonce=\"").nth(1).unwrap();
            let nonce = nonce.split('"').next().unwrap();
            let header = format!(
                "Authorization: Digest username=\"recorder\", realm=\"placet\", nonce=\"{nonce}\", uri=\"{}\", response=\"{n:032x}\"",
                client.url
            );
            asked = client.ask("DESCRIBE", "", &[&header]).await;
            (tried, guesses) = (tried + 1, guesses + 1);
        }
        assert_eq!(client.read_out().await, [], "three guesses are all");
    }
    assert!(begun.elapsed() >= Limits::default().guess * guesses, "guessing is slow");
    // What is right on one connection is nothing on another.
    let mut clients = (Raw::open(server.address).await, Raw::open(server.address).await);
    let asked = clients.0.ask("DESCRIBE", "", &[]).await;
    let other = clients.1.ask("DESCRIBE", "", &[]).await;
    let nonce = |answer: &Answer| {
        let rest = answer.header("www-authenticate").unwrap().split("nonce=\"").nth(1).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let header = right(&nonce(&asked), "DESCRIBE", &clients.0.url);
    assert_ne!(nonce(&asked), nonce(&other));
    let stale = clients.1.ask("DESCRIBE", "", &[&header]).await;
    assert!(stale.status == 401 && stale.header("www-authenticate").unwrap().contains("stale=true"));
    assert_eq!(clients.0.ask("DESCRIBE", "", &[&header]).await.status, 200);
    let replayed = clients.0.ask("SETUP", "/video", &[&header, "Transport: RTP/AVP/TCP;unicast"]).await;
    assert_eq!(replayed.status, 401, "for another method and address it is none");
    drop(clients);
    server.until_left().await;
    // Nothing but OPTIONS is answered to whoever is not known, whether the camera exists or not.
    let mut client = Raw::open(server.address).await;
    for method in ["DESCRIBE", "SETUP", "PLAY", "PAUSE", "GET_PARAMETER", "TEARDOWN"] {
        for path in ["", "-south", "/video"] {
            let answer = client.ask(method, path, &["Transport: RTP/AVP/TCP;unicast"]).await;
            assert_eq!(answer.status, 401, "{method} {path}");
            tried += 1;
        }
    }
    assert_eq!(server.camera.feed.viewers(), 0);
    println!("{tried} requests without right credentials, 0 answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_slow_heads_silence_and_too_many_connections() {
    let limits = Limits { request: Duration::from_secs(1), per_address: 8, ..Limits::default() };
    let server = Server::start(Admission::Anybody, limits).await;
    let mut held = Vec::new();
    for n in 0..40 {
        let mut client = Raw::open(server.address).await;
        if n % 2 == 0 {
            client.send(b"OPTIONS * RT").await;
        }
        held.push(client);
    }
    let mut ended = 0;
    for mut client in held {
        assert!(client.read_out().await.is_empty());
        ended += 1;
    }
    is_served(server.address).await;
    println!("{ended} connections held open, 0 kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_a_flood_of_requests_and_a_reader_that_never_reads() {
    let limits = Limits { write: Duration::from_millis(500), ..Limits::default() };
    let server = Server::start(Admission::Anybody, limits).await;
    let flood = "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n".repeat(5_000);
    let mut client = Raw::open(server.address).await;
    client.send(flood.as_bytes()).await;
    let answered = client.read_out().await.len();
    assert!(answered < 200, "{answered}");
    // It plays and reads nothing: what is kept for it is bounded, and it ends.
    let mut deaf = Vec::new();
    for _ in 0..10 {
        let mut client = Raw::open(server.address).await;
        rustix::net::sockopt::set_socket_recv_buffer_size(&client.stream, 4_096).unwrap();
        client.play().await;
        deaf.push(client);
    }
    let mut other = Raw::open(server.address).await;
    other.play().await;
    let deadline = Instant::now() + Duration::from_secs(60);
    while server.camera.feed.viewers() > 1 {
        assert!(Instant::now() < deadline, "{} still watch", server.camera.feed.viewers());
        assert!(other.picture().await, "whoever reads is served meanwhile");
    }
    println!("5000 requests at once: {answered} answered; {} deaf viewers ended", deaf.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_by_udp_without_a_sign_of_life_ends_and_reports_keep_it() {
    let limits = Limits { session: Duration::from_secs(2), ..Limits::default() };
    let server = Server::start(Admission::Anybody, limits).await;
    let mut ends = Vec::new();
    for reports in [false, true] {
        let mut client = Raw::open(server.address).await;
        let (rtp, rtcp) =
            (UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let (first, second) = (rtp.local_addr().unwrap().port(), rtcp.local_addr().unwrap().port());
        let set_up = client
            .ask("SETUP", "/video", &[&format!("Transport: RTP/AVP;unicast;client_port={first}-{second}")])
            .await;
        let own = set_up.header("transport").unwrap().split("server_port=").nth(1).unwrap();
        let own: u16 = own.split(['-', ';']).nth(1).unwrap().parse().unwrap();
        client.ask("PLAY", "", &[&format!("Session: {}", set_up.session())]).await;
        let began = Instant::now();
        let talks = tokio::spawn(async move {
            let mut bytes = [0; 2_000];
            let mut tick = tokio::time::interval(Duration::from_millis(300));
            loop {
                tokio::select! {
                    _ = tick.tick() => {
                        if reports && began.elapsed() < Duration::from_secs(6) {
                            rtcp.send_to(b"\x80\xc9\x00\x01\0\0\0\x07", ("127.0.0.1", own)).await.unwrap();
                        }
                    }
                    _ = rtp.recv(&mut bytes) => {}
                }
            }
        });
        assert!(client.read_out().await.is_empty());
        ends.push(began.elapsed());
        talks.abort();
    }
    assert!(ends[1] > ends[0], "{ends:?}");
}
