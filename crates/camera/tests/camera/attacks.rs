//! Cameras that do what they like. Each is told for what it does, and costs no more than the bounds say.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use placet_camera::{Config, Event, Timing, Transport, Trouble, Why};
use placet_core::Codec;
use tokio::io::AsyncWriteExt as _;

use crate::clips::decoded;
use crate::peer::{Caller, FRAME, Peer, SET_UP, clip, h264_sdp, interleaved, rtp, sdp};
use crate::watch::{QUICK, Watched, config, until};

type Served = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// The most a peer may get rid of: the bound, and what lies in the buffers of sockets on the way.
const MOST_WRITTEN: usize = (16 << 20) + (24 << 20);

struct Attack {
    name: &'static str,
    serve: fn(Caller) -> Served,
    told: fn(&Trouble) -> bool,
}

macro_rules! attack {
    ($name:literal, $told:pat, |$caller:ident| $body:expr) => {
        Attack {
            name: $name,
            serve: |mut $caller| Box::pin(async move { $body }),
            told: |trouble| matches!(trouble, $told),
        }
    };
}

/// Writes the same bytes until the caller goes.
async fn for_ever(caller: &mut Caller, bytes: &[u8]) -> io::Result<()> {
    loop {
        caller.write(bytes).await?;
    }
}

async fn answer_to(
    caller: &mut Caller,
    method: &str,
    status: &str,
    headers: &str,
    body: &str,
) -> io::Result<()> {
    let before = match method {
        "SETUP" => Some("DESCRIBE"),
        "PLAY" => Some("SETUP"),
        _ => None,
    };
    if let Some(before) = before {
        caller.as_usual(&h264_sdp(), before).await?;
    }
    let request = caller.request().await?;
    caller.answer(&request, status, headers, body).await?;
    caller.hang().await
}

async fn playing(caller: &mut Caller) -> io::Result<()> {
    caller.as_usual(&h264_sdp(), "PLAY").await
}

fn attacks() -> Vec<Attack> {
    const SDP: &str = "Content-Type: application/sdp\r\n";
    vec![
        attack!("closes at once", Trouble::Ended, |caller| caller.stream.shutdown().await),
        attack!("garbage", Trouble::Malformed { .. } | Trouble::TooMuch { .. }, |caller| {
            for_ever(&mut caller, &[0xa5; 4096]).await
        }),
        attack!("an HTTP server", Trouble::Malformed { .. }, |caller| {
            caller.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc").await?;
            caller.hang().await
        }),
        attack!("an endless header line", Trouble::TooMuch { .. }, |caller| {
            caller.write(b"RTSP/1.0 200 OK\r\nX: ").await?;
            for_ever(&mut caller, &[b'x'; 4096]).await
        }),
        attack!("endless header lines", Trouble::TooMuch { .. }, |caller| {
            caller.write(b"RTSP/1.0 200 OK\r\n").await?;
            for_ever(&mut caller, b"X: y\r\n").await
        }),
        attack!("a body of gigabytes", Trouble::TooMuch { .. }, |caller| {
            let request = caller.request().await?;
            let headers = format!("{SDP}Content-Length: 17179869184\r\n");
            caller.answer(&request, "200 OK", &headers, "").await?;
            for_ever(&mut caller, &[b'x'; 4096]).await
        }),
        attack!("a description beyond the bound", Trouble::TooMuch { .. }, |caller| {
            let long = sdp(&"a=x\r\n".repeat(20_000));
            answer_to(&mut caller, "DESCRIBE", "200 OK", SDP, &long).await
        }),
        attack!("a byte at a time", Trouble::Hung { .. }, |caller| {
            loop {
                caller.write(b"\r").await?;
                tokio::time::sleep(FRAME).await;
            }
        }),
        attack!("silence", Trouble::Hung { .. }, |caller| {
            caller.request().await?;
            caller.gone().await
        }),
        attack!("closes at DESCRIBE", Trouble::Ended, |caller| caller.request().await.map(drop)),
        attack!("closes at SETUP", Trouble::Ended, |caller| {
            caller.as_usual(&h264_sdp(), "DESCRIBE").await?;
            caller.request().await.map(drop)
        }),
        attack!("closes at PLAY", Trouble::Ended, |caller| {
            caller.as_usual(&h264_sdp(), "SETUP").await?;
            caller.request().await.map(drop)
        }),
        attack!("closes after PLAY", Trouble::Ended, |caller| playing(&mut caller).await),
        attack!("plays nothing", Trouble::Hung { .. }, |caller| {
            playing(&mut caller).await?;
            caller.hang().await
        }),
        attack!("leads elsewhere", Trouble::Redirected { .. }, |caller| {
            let to = "Location: rtsp://evil.example/hunter2\r\n";
            answer_to(&mut caller, "DESCRIBE", "302 Moved", to, "").await
        }),
        attack!("leads elsewhere later", Trouble::Redirected { .. }, |caller| {
            playing(&mut caller).await?;
            let request =
                "REDIRECT rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\nLocation: rtsp://evil.example/hunter2\r\n\r\n";
            caller.write(request.as_bytes()).await?;
            caller.hang().await
        }),
        attack!("asks without end", Trouble::TooMuch { .. } | Trouble::Ended, |caller| {
            playing(&mut caller).await?;
            for_ever(&mut caller, b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n").await
        }),
        attack!("another CSeq", Trouble::Malformed { .. }, |caller| {
            caller.request().await?;
            caller.write(b"RTSP/1.0 200 OK\r\nCSeq: 99\r\n\r\n").await?;
            caller.hang().await
        }),
        attack!("no CSeq", Trouble::Malformed { .. }, |caller| {
            caller.request().await?;
            caller.write(b"RTSP/1.0 200 OK\r\n\r\n").await?;
            caller.hang().await
        }),
        attack!("an answer twice", Trouble::Malformed { .. }, |caller| {
            caller.as_usual(&h264_sdp(), "DESCRIBE").await?;
            caller.write(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n").await?;
            caller.hang().await
        }),
        attack!("401 for ever", Trouble::WrongCredentials, |caller| {
            let challenge = "WWW-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n";
            loop {
                let request = caller.request().await?;
                caller.answer(&request, "401 Unauthorized", challenge, "").await?;
            }
        }),
        attack!("a challenge that is none", Trouble::Malformed { .. }, |caller| {
            let challenge = "WWW-Authenticate: Digest realm=\"x\", nonce=\r\n";
            answer_to(&mut caller, "DESCRIBE", "401 Unauthorized", challenge, "").await
        }),
        attack!("404", Trouble::NotFound { .. }, |caller| {
            answer_to(&mut caller, "DESCRIBE", "404 Not Found", "", "").await
        }),
        attack!("453", Trouble::Refused { status: Some(453) }, |caller| {
            answer_to(&mut caller, "SETUP", "453 Not Enough Bandwidth", "", "").await
        }),
        attack!("461", Trouble::UnsupportedTransport, |caller| {
            answer_to(&mut caller, "SETUP", "461 Unsupported Transport", "", "").await
        }),
        attack!("500", Trouble::Answered { status: 500 }, |caller| {
            answer_to(&mut caller, "PLAY", "500 Oops", "", "").await
        }),
        attack!("no video", Trouble::NoVideo, |caller| {
            let sound = sdp("m=audio 0 RTP/AVP 0\r\na=control:track1\r\n");
            answer_to(&mut caller, "DESCRIBE", "200 OK", SDP, &sound).await
        }),
        attack!("another codec", Trouble::UnsupportedCodec { .. }, |caller| {
            let vp8 = sdp("m=video 0 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\na=control:track1\r\n");
            answer_to(&mut caller, "DESCRIBE", "200 OK", SDP, &vp8).await
        }),
        attack!("a description that is none", Trouble::Malformed { .. }, |caller| {
            answer_to(&mut caller, "DESCRIBE", "200 OK", SDP, "m=video \u{0}\u{1}\r\n").await
        }),
        attack!("a clock rate of nothing", Trouble::Malformed { .. }, |caller| {
            let zero = sdp("m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/0\r\na=control:track1\r\n");
            caller.as_usual(&zero, "PLAY").await?;
            caller.hang().await
        }),
        attack!("no session", Trouble::Malformed { .. }, |caller| {
            let headers = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
            answer_to(&mut caller, "SETUP", "200 OK", headers, "").await
        }),
        attack!("no channels", Trouble::UnsupportedTransport, |caller| {
            answer_to(&mut caller, "SETUP", "200 OK", "Session: 7\r\nTransport: RTP/AVP\r\n", "").await
        }),
        attack!("channel 255", Trouble::Malformed { .. } | Trouble::Ended, |caller| {
            let headers = SET_UP.replace("0-1", "255-0");
            answer_to(&mut caller, "SETUP", "200 OK", &headers, "").await
        }),
        attack!("channels nobody asked for", Trouble::TooMuch { .. }, |caller| {
            playing(&mut caller).await?;
            for_ever(&mut caller, &interleaved(77, &[0; 60_000])).await
        }),
        attack!("the longest frames", Trouble::Malformed { .. } | Trouble::TooMuch { .. }, |caller| {
            playing(&mut caller).await?;
            for_ever(&mut caller, &interleaved(0, &[0; 65_535])).await
        }),
        attack!("a frame that does not end", Trouble::Hung { .. }, |caller| {
            playing(&mut caller).await?;
            caller.write(&[b'$', 0, 0xff, 0xff, 1, 2, 3]).await?;
            caller.gone().await
        }),
        attack!("a picture that does not end", Trouble::TooMuch { .. }, |caller| {
            playing(&mut caller).await?;
            caller.packet(1, false, &[0x7c, 0x85, 0x88]).await?;
            loop {
                caller.packet(1, false, &[&[0x7c, 0x05], &[0xaa; 1400][..]].concat()).await?;
            }
        }),
        attack!(
            "a picture of the smallest packets",
            Trouble::TooMuch { .. } | Trouble::Hung { .. },
            |caller| {
                playing(&mut caller).await?;
                loop {
                    let mut packets = Vec::new();
                    for _ in 0..1000 {
                        packets.extend(interleaved(0, &rtp(caller.seq, 1, false, &[0x06, 0x80])));
                        caller.seq = caller.seq.wrapping_add(1);
                    }
                    caller.write(&packets).await?;
                }
            }
        ),
        attack!("only messages beside pictures", Trouble::TooMuch { .. }, |caller| {
            playing(&mut caller).await?;
            for stamp in 0.. {
                caller.packet(stamp, true, &[&[0x06], &[0x80; 1400][..]].concat()).await?;
            }
            Ok(())
        }),
        attack!("a fragment without its start", Trouble::Malformed { .. }, |caller| {
            playing(&mut caller).await?;
            caller.packet(1, true, &[0x7c, 0x45, 0x88]).await?;
            caller.hang().await
        }),
        attack!("a NAL unit with its forbidden bit", Trouble::Malformed { .. }, |caller| {
            playing(&mut caller).await?;
            caller.packet(1, true, &[0xe5, 0x88]).await?;
            caller.hang().await
        }),
        attack!("losses beyond 16 bits", Trouble::Hung { .. } | Trouble::Malformed { .. }, |caller| {
            playing(&mut caller).await?;
            // Drives the reader's count of what was lost over its end.
            caller.packet(1, false, &[0x7c, 0x85, 0x88]).await?;
            for _ in 0..6 {
                caller.seq = caller.seq.wrapping_add(30_000);
                caller.packet(1, false, &[0x7c, 0x05, 0x88]).await?;
            }
            caller.packet(2, true, &[0x65, 0x88]).await?;
            caller.hang().await
        }),
        attack!("a picture of 16384 pixels", Trouble::TooMuch { .. }, |caller| {
            playing(&mut caller).await?;
            // Baseline, 1024 macroblocks each way.
            let sps = [0x67, 0x42, 0xc0, 0x34, 0xf4, 0x00, 0x40, 0x00, 0x04, 0x00, 0x04, 0x64];
            let picture = vec![sps.to_vec(), vec![0x68, 0xce, 0x0f, 0xc8], vec![0x65, 0x88, 0x84, 0x3f]];
            loop {
                caller.picture(1, &picture).await?;
                tokio::time::sleep(FRAME).await;
            }
        }),
        attack!("thousands of pictures a second", Trouble::TooMuch { .. }, |caller| {
            let clip = clip(":bframes=0");
            playing(&mut caller).await?;
            for n in 0.. {
                caller.picture(90 * n, &clip[n as usize % clip.len()]).await?;
            }
            Ok(())
        }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_a_camera_that_does_what_it_likes_is_told_and_costs_what_the_bounds_say() {
    let timing = Timing { start: Duration::from_secs(2), ..QUICK };
    let (mut tried, mut most) = (0, 0);
    for attack in attacks() {
        let serve = attack.serve;
        let peer = Peer::start(move |caller, _| serve(caller)).await;
        let mut camera = Watched::open(Config { timing, transport: Transport::Tcp, ..config(&peer.url) });
        // Twice: the second connection is no wiser and no weaker.
        for _ in 0..2 {
            let trouble = camera.trouble().await;
            assert!((attack.told)(&trouble), "{}: {trouble:?}", attack.name);
            let written = peer.counts.written.swap(0, Ordering::SeqCst);
            assert!(written <= MOST_WRITTEN, "{}: {written} bytes", attack.name);
            most = most.max(written);
        }
        camera.close().await;
        until("every connection was let go", || peer.counts.open.load(Ordering::SeqCst) == 0).await;
        tried += 1;
    }
    println!("{tried} kinds of attack twice, 0 believed, at most {most} bytes taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_one_connection_at_a_time_whatever_happens() {
    let pictures = std::sync::Arc::new(clip(":bframes=0"));
    let peer = Peer::start(move |mut caller, number| {
        let clip = std::sync::Arc::clone(&pictures);
        async move {
            match number % 4 {
                0 => caller.as_usual(&h264_sdp(), "DESCRIBE").await?,
                1 => caller.as_usual(&h264_sdp(), "SETUP").await?,
                _ => {
                    playing(&mut caller).await?;
                    for (n, picture) in clip.iter().enumerate() {
                        caller.picture(3_000 * n as u32, picture).await?;
                    }
                }
            }
            // Some hang and answer, some hang and do not, none closes first.
            if number % 2 == 0 {
                return caller.hang().await;
            }
            caller.gone().await
        }
    })
    .await;
    let timing = Timing { start: Duration::from_secs(1), picture: Duration::from_millis(700), ..QUICK };
    let mut camera = Watched::open(Config { timing, transport: Transport::Tcp, ..config(&peer.url) });
    for _ in 0..12 {
        camera.trouble().await;
    }
    camera.close().await;
    until("all were let go", || peer.counts.open.load(Ordering::SeqCst) == 0).await;
    let count = |counter: &std::sync::atomic::AtomicUsize| counter.load(Ordering::SeqCst);
    let (all, most, goodbyes) =
        (count(&peer.counts.connections), count(&peer.counts.most), count(&peer.counts.goodbyes));
    assert_eq!(most, 1);
    assert!(goodbyes >= 3, "{goodbyes} of {all}");
    println!("{all} connections, {most} at once, {goodbyes} with a goodbye");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_listener_costs_pictures_up_to_the_next_key_and_is_told() {
    let peer = Peer::start(|mut caller, _| async move {
        let clip = clip(":bframes=0");
        playing(&mut caller).await?;
        for n in 0.. {
            caller.picture(450 * n, &clip[n as usize % clip.len()]).await?;
            tokio::time::sleep(FRAME).await;
        }
        Ok(())
    })
    .await;
    let mut camera = Watched::open(config(&peer.url));
    camera.connected().await;
    // Nobody listens while far more pictures come than may wait.
    let before = peer.counts.written.load(Ordering::SeqCst);
    let per_picture = 1 + clip("").concat().concat().len() / 20;
    until("pictures were sent", || peer.counts.written.load(Ordering::SeqCst) - before > 500 * per_picture)
        .await;
    let mut stream = Vec::new();
    let (mut units, mut skipped) = (0, 0);
    let mut may_follow_only_a_key = false;
    while skipped == 0 || units < 300 {
        match camera.event().await {
            Event::Unit(unit) => {
                assert!(unit.key || !may_follow_only_a_key);
                may_follow_only_a_key = false;
                stream.extend_from_slice(&unit.data);
                units += 1;
            }
            Event::Skipped(skip) => {
                assert_eq!(skip.why, Why::Slow);
                skipped += skip.pictures;
                may_follow_only_a_key = true;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(skipped > 100, "{skipped}");
    assert_eq!(decoded(Codec::H264, &stream), units);
    camera.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_lost_costs_pictures_up_to_the_next_key_and_is_told() {
    let peer = Peer::start(|mut caller, _| async move {
        let clip = clip(":bframes=0");
        playing(&mut caller).await?;
        for n in 0.. {
            // A packet is missing in front of every 23rd picture.
            caller.seq = caller.seq.wrapping_add(u16::from(n % 23 == 22));
            caller.picture(450 * n, &clip[n as usize % clip.len()]).await?;
            tokio::time::sleep(FRAME).await;
        }
        Ok(())
    })
    .await;
    let mut camera = Watched::open(config(&peer.url));
    camera.connected().await;
    let (mut stream, mut units, mut losses) = (Vec::new(), 0, 0);
    while losses < 3 || units < 60 {
        match camera.event().await {
            Event::Unit(unit) => {
                stream.extend_from_slice(&unit.data);
                units += 1;
            }
            Event::Skipped(skip) => {
                assert_eq!(skip.why, Why::Lost);
                losses += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(decoded(Codec::H264, &stream), units, "none of them lacks what it builds on");
    camera.close().await;
}
