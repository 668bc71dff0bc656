//! MJPEG over HTTP.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use placet_camera::{Event, Trouble};
use placet_core::{Codec, Size};

use crate::clips::{decoded, jpegs};
use crate::peer::{Caller, FRAME, Peer};
use crate::watch::{SECRET, Watched, config, joined, until};

const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n";

/// The head of a request of HTTP.
async fn head(caller: &mut Caller) -> std::io::Result<String> {
    use tokio::io::AsyncReadExt as _;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(caller.stream.read_u8().await?);
    }
    Ok(String::from_utf8(head).unwrap())
}

async fn play(caller: &mut Caller, files: &[Vec<u8>], with_length: bool) -> std::io::Result<()> {
    caller.write(STREAM.as_bytes()).await?;
    for n in 0.. {
        let file = &files[n % files.len()];
        let length = if with_length { format!("Content-Length: {}\r\n", file.len()) } else { String::new() };
        caller.write(format!("--frame\r\nContent-Type: image/jpeg\r\n{length}\r\n").as_bytes()).await?;
        caller.write(file).await?;
        caller.write(b"\r\n").await?;
        tokio::time::sleep(FRAME).await;
    }
    Ok(())
}

fn http(peer: &Peer) -> String {
    peer.url.replace("rtsp://", "http://")
}

fn md5(text: &str) -> String {
    use std::io::Write as _;
    let mut child = Command::new("md5sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()[..32].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_come_with_and_without_lengths_and_sizes_are_followed() {
    for with_length in [true, false] {
        let files = [jpegs(64, 30), jpegs(128, 30)].concat();
        let peer = Peer::start(move |mut caller, _| {
            let files = files.clone();
            async move {
                head(&mut caller).await?;
                play(&mut caller, &files, with_length).await
            }
        })
        .await;
        let mut camera = Watched::open(config(&http(&peer)));
        let stream = camera.connected().await;
        assert_eq!((stream.codec, stream.size), (Codec::Jpeg, Size { width: 64, height: 64 }));
        let units = camera.units(30).await;
        assert!(units.iter().all(|unit| unit.key));
        assert_eq!(decoded(Codec::Jpeg, &joined(&units)), 30);
        assert_eq!(camera.changed().await.size, Size { width: 128, height: 128 });
        camera.close().await;
        until("the camera was let go", || peer.counts.open.load(Ordering::SeqCst) == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_answered_and_wrong_ones_told() {
    let [ha1, ha2] = [format!("viewer:x:{SECRET}"), format!("GET:/cam?key={SECRET}")].map(|text| md5(&text));
    let digest = md5(&format!("{ha1}:abc:{ha2}"));
    // `viewer:hunter2` in base64.
    let basic = "Basic dmlld2VyOmh1bnRlcjI=";
    let schemes = [
        ("Digest realm=\"x\", nonce=\"abc\", algorithm=MD5", format!("response=\"{digest}\"")),
        ("Basic realm=\"x\"", basic.to_owned()),
        ("Basic realm=\"x\", Digest realm=\"x\", nonce=\"abc\"", format!("response=\"{digest}\"")),
    ];
    for (challenge, answer) in schemes {
        let files = Arc::new(jpegs(64, 2));
        let peer = Peer::start(move |mut caller, _| {
            let (files, answer) = (Arc::clone(&files), answer.clone());
            async move {
                if head(&mut caller).await?.contains(&answer) {
                    return play(&mut caller, &files, true).await;
                }
                let no = format!("HTTP/1.1 401 No\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n");
                caller.write(format!("{no}Connection: close\r\n\r\n").as_bytes()).await
            }
        })
        .await;
        let mut right = Watched::open(config(&http(&peer)));
        assert!(matches!(right.event().await, Event::Connected(_)), "{challenge}");
        right.close().await;
        let mut wrong = Watched::open(config(&http(&peer).replace("viewer:hunter2", "viewer:hunter")));
        assert_eq!(wrong.trouble().await, Trouble::WrongCredentials, "{challenge}");
        wrong.close().await;
        let mut nobody = Watched::open(config(&http(&peer).replace("viewer:hunter2@", "")));
        assert_eq!(nobody.trouble().await, Trouble::NeedsCredentials, "{challenge}");
        nobody.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_a_server_that_does_what_it_likes_is_told() {
    type Told = fn(&Trouble) -> bool;
    let part = "--frame\r\nContent-Type: image/jpeg\r\n";
    let attacks: Vec<(&str, String, &str, Told)> = vec![
        ("closes", String::new(), "", |t| matches!(t, Trouble::Malformed { .. } | Trouble::Ended)),
        ("garbage", "\u{1}\u{2}\r\n\r\n".into(), "", |t| matches!(t, Trouble::Malformed { .. })),
        ("an endless header", "HTTP/1.1 200 OK\r\nX: ".into(), "xxxxxxxx", |t| {
            matches!(t, Trouble::Malformed { .. })
        }),
        ("a page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n".into(), "", |t| {
            matches!(t, Trouble::Malformed { .. })
        }),
        (
            "leads elsewhere",
            "HTTP/1.1 302 x\r\nLocation: http://evil.example/hunter2\r\n\r\n".into(),
            "",
            |t| matches!(t, Trouble::Redirected { to } if to.to_string() == "http://evil.example"),
        ),
        ("404", "HTTP/1.1 404 x\r\n\r\n".into(), "", |t| *t == Trouble::NotFound { path: "/cam".into() }),
        ("503", "HTTP/1.1 503 x\r\n\r\n".into(), "", |t| *t == Trouble::Refused { status: Some(503) }),
        ("no picture", format!("{STREAM}{part}\r\nabc\r\n--frame\r\n"), "", |t| {
            matches!(t, Trouble::Malformed { .. })
        }),
        ("an endless picture", format!("{STREAM}{part}\r\n"), "xxxxxxxx", |t| {
            matches!(t, Trouble::TooMuch { .. })
        }),
        ("a long length", format!("{STREAM}{part}Content-Length: 99999999\r\n\r\n"), "", |t| {
            matches!(t, Trouble::TooMuch { .. })
        }),
        ("an endless preamble", STREAM.into(), "xxxxxxxx", |t| matches!(t, Trouble::Malformed { .. })),
        ("nothing more", format!("{STREAM}{part}\r\n"), "wait", |t| matches!(t, Trouble::Hung { .. })),
    ];
    let tried = attacks.len();
    for (name, start, then, told) in attacks {
        let peer = Peer::start(move |mut caller, _| {
            let start = start.clone();
            async move {
                head(&mut caller).await?;
                caller.write(start.as_bytes()).await?;
                match then {
                    "" => Ok(()),
                    "wait" => caller.gone().await,
                    _ => loop {
                        caller.write(then.repeat(1000).as_bytes()).await?;
                    },
                }
            }
        })
        .await;
        let mut camera = Watched::open(config(&http(&peer)));
        let trouble = camera.trouble().await;
        assert!(told(&trouble), "{name}: {trouble:?}");
        let written = peer.counts.written.load(Ordering::SeqCst);
        assert!(written < 40 << 20, "{name}: {written} bytes");
        camera.close().await;
    }
    println!("{tried} kinds of attack, 0 believed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_tls_is_said_to_be_none() {
    let peer = Peer::start(|mut caller, _| async move {
        caller.write(b"HTTP/1.1 400 this is no TLS\r\n\r\n").await?;
        head(&mut caller).await.map(drop)
    })
    .await;
    let mut camera = Watched::open(config(&peer.url.replace("rtsp://", "https://")));
    assert_eq!(camera.trouble().await, Trouble::Tls);
    camera.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_said() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for scheme in ["http", "rtsp"] {
        let mut camera = Watched::open(config(&format!("{scheme}://{free}/")));
        assert_eq!(camera.trouble().await, Trouble::Refused { status: None }, "{scheme}");
        camera.close().await;
        let mut camera = Watched::open(config(&format!("{scheme}://camera.invalid/")));
        assert!(matches!(camera.trouble().await, Trouble::Unreachable(_)), "{scheme}");
        camera.close().await;
    }
}
