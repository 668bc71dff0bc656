//! Clients as they are installed, unchanged: ffprobe, ffmpeg, GStreamer, retina.

use std::process::Stdio;
use std::time::Duration;

use futures_util::StreamExt as _;
use placet_core::Pts;
use retina::client::{Credentials, PlayOptions, SessionOptions, SetupOptions, Transport};
use retina::codec::CodecItem;
use tokio::process::Command;
use tokio::time::timeout;

use crate::camera::{FIRST, STEP, Server, clock};
use crate::raw::PATIENCE;
use crate::studio::SMALL;

/// How long a client may take to start and read two seconds.
const LONG: Duration = Duration::from_secs(60);

struct Run {
    good: bool,
    out: Vec<u8>,
    error: String,
}

async fn run(program: &str, words: &str, url: &str) -> Run {
    let words = words.split_whitespace().map(|word| word.replace("{}", url));
    let child = Command::new(program).args(words).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = timeout(LONG, child).await.unwrap_or_else(|_| panic!("{program} hangs")).unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    Run { good: output.status.success(), out: output.stdout, error }
}

/// GStreamer is the one client that the product itself has no need of.
fn has_gstreamer() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|dir| dir.join("gst-launch-1.0").is_file());
    assert!(found || std::env::var_os("CI").is_none(), "gstreamer1.0-tools is needed");
    if !found {
        println!("skipped: install gstreamer1.0-tools, -plugins-base, -plugins-good and -libav to try it");
    }
    found
}

/// Times of packets in seconds, as ffprobe tells them.
fn times(run: &Run) -> Vec<f64> {
    let text = String::from_utf8(run.out.clone()).unwrap();
    text.lines().filter_map(|line| line.split(',').next()?.parse().ok()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ffprobe_reads_every_picture_at_its_time() {
    let server = Server::open().await;
    for transport in ["tcp", "udp"] {
        let words = format!(
            "-v error -rtsp_transport {transport} -read_intervals %+#30 -select_streams v -show_entries packet=pts_time -of csv=p=0 {{}}"
        );
        let run = run("ffprobe", &words, &server.url()).await;
        assert!(run.good, "{transport}: {}", run.error);
        let times = times(&run);
        // ffprobe 5.1 tells no time of the first packet, which comes in parts.
        assert!(times.len() >= 29, "{transport}: {times:?}");
        for pair in times.windows(2) {
            let step = pair[1] - pair[0];
            assert!((step - 1.0 / 15.0).abs() < 0.001, "{transport}: {pair:?}");
        }
    }
    let words = "-v error -rtsp_transport tcp -show_entries stream=codec_name,profile,width,height,avg_frame_rate -of csv=p=0 {}";
    let run = run("ffprobe", words, &server.url()).await;
    assert_eq!(String::from_utf8_lossy(&run.out).trim(), "h264,Main,320,176,15/1", "{}", run.error);
    server.until_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg_decodes_what_it_reads_and_no_two_frames_are_alike() {
    let server = Server::locked().await;
    for transport in ["tcp", "udp"] {
        let words = format!(
            "-v error -nostdin -xerror -rtsp_transport {transport} -i {{}} -frames:v 40 -an -f framemd5 -"
        );
        let run = run("ffmpeg", &words, &server.url_of("recorder", "correct%20horse")).await;
        assert!(run.good && run.error.is_empty(), "{transport}: {}", run.error);
        let text = String::from_utf8(run.out).unwrap();
        let mut sums: Vec<&str> =
            text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.rsplit(',').next()).collect();
        assert_eq!(sums.len(), 40, "{transport}");
        sums.sort_unstable();
        sums.dedup();
        assert_eq!(sums.len(), 40, "{transport}");
    }
    server.until_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gstreamer_decodes_what_it_reads() {
    if !has_gstreamer() {
        return;
    }
    let server = Server::locked().await;
    let dir = tempfile::tempdir().unwrap();
    for (protocols, name) in [("tcp", "tcp"), ("udp", "udp")] {
        let file = dir.path().join(name);
        let words = format!(
            "-q -e rtspsrc location={{}} protocols={protocols} latency=100 user-id=viewer user-pw=s3cret-viewer \
             ! rtph264depay ! h264parse ! avdec_h264 ! videoconvert ! video/x-raw,format=I420 \
             ! identity eos-after=31 ! filesink location={}",
            file.display()
        );
        let run = run("gst-launch-1.0", &words, &server.url()).await;
        let frame = (SMALL.area() * 3 / 2) as usize;
        let bytes = std::fs::read(&file).unwrap();
        assert!(bytes.len() >= 30 * frame, "{protocols}: {} bytes: {}", bytes.len(), run.error);
        assert!(
            bytes.chunks_exact(frame).collect::<Vec<_>>().windows(2).all(|w| w[0] != w[1]),
            "{protocols}"
        );
    }
    server.until_left().await;
}

async fn open_with_retina(
    url: &str,
    creds: Option<(&str, &str)>,
    transport: Transport,
) -> Result<retina::client::Demuxed, retina::Error> {
    let creds =
        creds.map(|(user, password)| Credentials { username: user.into(), password: password.into() });
    let options = SessionOptions::default().creds(creds);
    let mut session = retina::client::Session::describe(url.parse().unwrap(), options).await?;
    assert_eq!(session.streams().len(), 1);
    assert_eq!(session.streams()[0].framerate(), Some(15.0));
    session.setup(0, SetupOptions::default().transport(transport)).await?;
    session.play(PlayOptions::default()).await?.demuxed()
}

#[tokio::test(flavor = "multi_thread")]
async fn retina_sees_every_picture_and_the_time_of_day() {
    let server = Server::locked().await;
    for transport in [Transport::Tcp(Default::default()), Transport::Udp(Default::default())] {
        let mut session =
            open_with_retina(&server.url(), Some(("viewer", "s3cret-viewer")), transport.clone())
                .await
                .unwrap();
        let (mut times, mut reports) = (Vec::new(), Vec::new());
        while times.len() < 100 {
            match timeout(PATIENCE, session.next()).await.unwrap().unwrap().unwrap() {
                CodecItem::VideoFrame(frame) => {
                    assert_eq!(frame.loss(), 0);
                    assert!(!times.is_empty() || frame.is_random_access_point());
                    times.push(frame.timestamp());
                }
                CodecItem::Rtcp(packet) => {
                    let time = packet.rtp_timestamp();
                    let report = packet.pkts().next().unwrap().as_sender_report().unwrap().unwrap();
                    reports.push((time, report.ntp_timestamp()));
                }
                _ => {}
            }
        }
        for pair in times.windows(2) {
            assert_eq!(pair[1].elapsed() - pair[0].elapsed(), STEP, "{transport:?}");
        }
        assert!(reports.len() >= 2, "one at the start, one every five seconds");
        for (time, said) in reports {
            // The session's first frame, by the time of day and by the packets' clock.
            let elapsed = time.unwrap().elapsed();
            let first = ((ntp(&said) - seconds_of(Pts(elapsed))) * 90_000.0).round() as i64;
            assert_eq!((first - FIRST).rem_euclid(STEP), 0, "{transport:?}: {said}");
            assert!((FIRST..FIRST + 100 * 90_000).contains(&first), "{first}");
        }
    }
    server.until_left().await;
}

/// Seconds since 1970 of the camera's clock.
fn seconds_of(pts: Pts) -> f64 {
    clock(pts).duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
}

fn ntp(time: &retina::NtpTimestamp) -> f64 {
    (time.0 >> 32) as f64 - 2_208_988_800.0 + (time.0 & 0xffff_ffff) as f64 / 2_f64.powi(32)
        - seconds_of(Pts(0))
        + seconds_of(Pts(0))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_other_paths_are_refused_to_each_client() {
    let server = Server::locked().await;
    let wrong = server.url_of("recorder", "battery");
    let elsewhere = server.url_of("recorder", "correct%20horse").replace("hall-north", "hall-south");
    let plain = server.url();
    for (url, status) in [(&wrong, "401"), (&plain, "401"), (&elsewhere, "404")] {
        let run = run("ffprobe", "-v error -rtsp_transport tcp {}", url).await;
        assert!(!run.good && run.error.contains(status), "{url}: {}", run.error);
        // gst-launch tells no status, and prints the address only where it is asked to.
        let words = "-q rtspsrc location={} protocols=tcp ! fakesink";
        if has_gstreamer() {
            assert!(!self::run("gst-launch-1.0", words, url).await.good, "{url}");
        }
    }
    for creds in [Some(("recorder", "battery")), Some(("nobody", "")), None] {
        let refused = open_with_retina(&server.url(), creds, Transport::default()).await.err().unwrap();
        assert_eq!(refused.status_code(), Some(401), "{refused}");
    }
    assert_eq!(server.camera.feed.viewers(), 0);
}
