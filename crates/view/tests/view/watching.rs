//! Video over WebSocket, as a browser gets it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use placet_core::Pts;
use placet_feed::State;
use placet_view::Access;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::camera::{Camera, Site};
use crate::studio::SMALL;

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Opens a WebSocket with these headers; else the status.
pub async fn open(site: &Site, path: &str, headers: &[(&'static str, String)]) -> Result<Socket, u16> {
    let mut request = format!("ws://{}{path}", site.address).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

pub fn own_origin(site: &Site) -> [(&'static str, String); 1] {
    [("origin", format!("http://{}", site.address))]
}

pub async fn next(socket: &mut Socket) -> Option<Message> {
    timeout(PATIENCE, socket.next()).await.expect("a message").and_then(Result::ok)
}

#[tokio::test(flavor = "multi_thread")]
async fn first_what_it_is_then_its_start_then_a_fragment_for_each_picture() {
    let site = Site::open(Access::Loopback).await;
    let camera = Camera::live(SMALL);
    site.feeds.insert("hall-north", camera.feed.clone()).unwrap();
    let mut socket = open(&site, "/camera/hall-north/live", &own_origin(&site)).await.unwrap();
    let mut kinds = Vec::new();
    while kinds.len() < 12 {
        match next(&mut socket).await.unwrap() {
            Message::Text(text) if text.contains("\"start\"") => {
                assert!(text.contains("\"codec\":\"avc1.4d") && text.contains("\"width\":320"), "{text}");
                kinds.push("start".to_owned());
            }
            Message::Text(text) => {
                assert!(text.contains("\"state\":\"REDACTED LIVE\""), "{text}");
                kinds.push("state".to_owned());
            }
            Message::Binary(bytes) => kinds.push(String::from_utf8(bytes[4..8].to_vec()).unwrap()),
            _ => {}
        }
    }
    assert_eq!(kinds[..3], ["state", "start", "ftyp"]);
    assert!(kinds[3..].iter().all(|kind| kind == "moof"), "{kinds:?}");
    drop(camera);
    let mut end = None;
    while let Some(message) = next(&mut socket).await {
        end = Some(message);
    }
    assert!(matches!(end, Some(Message::Close(Some(frame))) if frame.reason == "the feed is over"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_is_told_as_it_changes() {
    let site = Site::open(Access::Loopback).await;
    let (writer, feed) = placet_feed::Feed::new();
    site.feeds.insert("hall-north", feed).unwrap();
    let mut socket = open(&site, "/camera/hall-north/live", &own_origin(&site)).await.unwrap();
    for state in [State::Live, State::covered("the detector is late"), State::away("no answer")] {
        writer.set_note(state.clone());
        let words = format!("\"words\":\"{state}\"");
        loop {
            if let Some(Message::Text(text)) = next(&mut socket).await
                && text.contains(&words)
            {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_viewers_who_do_not_read_talk_too_much_or_are_too_many() {
    let site = Site::open(Access::Loopback).await;
    let camera = Camera::live(SMALL);
    site.feeds.insert("hall-north", camera.feed.clone()).unwrap();
    let origin = own_origin(&site);
    let mut ended = 0;
    for message in [Message::Text("x".repeat(2_000).into()), Message::Binary(vec![0; 1 << 20].into())] {
        let mut socket = open(&site, "/camera/hall-north/live", &origin).await.unwrap();
        let _ = socket.send(message).await;
        while next(&mut socket).await.is_some() {}
        ended += 1;
    }
    let mut socket = open(&site, "/camera/hall-north/live", &origin).await.unwrap();
    for _ in 0..100 {
        let _ = socket.send(Message::Text("?".into())).await;
    }
    while next(&mut socket).await.is_some() {}
    ended += 1;
    // As many as there are places, none of whom reads; the next is told so, and whoever has a place keeps it.
    let mut deaf = Vec::new();
    let refused = loop {
        match open(&site, "/camera/hall-north/live", &origin).await {
            Ok(socket) => deaf.push(socket),
            Err(status) => break status,
        }
    };
    assert_eq!((refused, deaf.len()), (503, 256));
    assert_eq!(site.get("/").await.status, 200);
    let mut first = deaf.remove(0);
    while !matches!(next(&mut first).await.unwrap(), Message::Binary(bytes) if &bytes[4..8] == b"moof") {}
    drop((deaf, first));
    let deadline = Instant::now() + PATIENCE;
    while camera.feed.viewers() > 0 {
        assert!(Instant::now() < deadline, "{} still watch", camera.feed.viewers());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(open(&site, "/camera/hall-north/live", &origin).await.is_ok());
    println!("{ended} talkers ended; 256 watched, the next was told to wait");
}

/// Printed, not asserted: from a unit's birth to a browser's hands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_long_a_picture_takes_to_a_browser() {
    let start = Instant::now();
    let sent: Arc<Mutex<Vec<(Pts, Duration)>>> = Arc::default();
    let tell = Arc::clone(&sent);
    let camera =
        Camera::start(SMALL, State::Live, move |pts| tell.lock().unwrap().push((pts, start.elapsed())));
    let site = Site::open(Access::Loopback).await;
    site.feeds.insert("hall-north", camera.feed.clone()).unwrap();
    let origin = own_origin(&site);
    for viewers in [1, 50] {
        let mut sockets = Vec::new();
        for _ in 0..viewers {
            sockets.push(open(&site, "/camera/hall-north/live", &origin).await.unwrap());
        }
        let watching: Vec<_> = sockets
            .into_iter()
            .map(|mut socket| {
                tokio::spawn(async move {
                    let mut came = Vec::new();
                    while came.len() < 45 {
                        if let Some(Message::Binary(bytes)) = next(&mut socket).await
                            && &bytes[4..8] == b"moof"
                        {
                            came.push(start.elapsed());
                        }
                    }
                    came
                })
            })
            .collect();
        let mut taken = Vec::new();
        for watch in watching {
            // The newest that was born before it came; what was kept for a newcomer is older and left out.
            for at in watch.await.unwrap().into_iter().skip(20) {
                let births = sent.lock().unwrap();
                let birth = births.iter().rev().map(|(_, birth)| *birth).find(|birth| *birth <= at).unwrap();
                taken.push(at - birth);
            }
        }
        taken.sort();
        let at = |share: usize| taken[(taken.len() - 1) * share / 100];
        println!("{viewers} browsers: p50 {:?}, p99 {:?} of {} pictures", at(50), at(99), taken.len());
    }
}
