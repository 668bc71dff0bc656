//! Against GStreamer's RTSP server.

use std::time::Duration;

use placet_camera::{Config, Event, Timing, Transport, Trouble};
use placet_core::{Codec, Size};

use crate::clips::{coded, decoded};
use crate::gst::{Gst, How, is_here};
use crate::watch::{QUICK, SECRET, Watched, config, joined, until};

const OPEN: How = How { codec: "h264", user: "-", transports: "both" };

fn clip(codec: Codec, side: u32) -> Vec<u8> {
    coded(codec, side, 50, 10, ":bframes=0")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_out_decodes_whichever_codec_and_transport() {
    if !is_here() {
        return;
    }
    let all = [(Codec::H264, "h264"), (Codec::H265, "h265")];
    for (codec, name) in all {
        for transport in [Transport::Tcp, Transport::Udp] {
            let server = Gst::start(0, How { codec: name, ..OPEN }, &[clip(codec, 192)]);
            let mut camera = Watched::open(Config { transport, ..config(&server.url()) });
            let stream = camera.connected().await;
            assert_eq!((stream.codec, stream.size), (codec, Size { width: 192, height: 192 }));
            let units = camera.units(60).await;
            let keys: Vec<bool> = units.iter().map(|unit| unit.key).collect();
            assert!(keys[0] && keys.iter().filter(|key| **key).count() >= 5, "{name} {transport:?} {keys:?}");
            assert_eq!(decoded(codec, &joined(&units)), units.len(), "{name} over {transport:?}");
            // A key picture decodes alone.
            let key = units.iter().rfind(|unit| unit.key).unwrap();
            assert_eq!(decoded(codec, &key.data), 1);
            camera.close().await;
            until("the camera was let go", || server.clients().2 == 0).await;
            assert_eq!(server.clients().1, 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b_pictures_keep_their_own_times() {
    if !is_here() {
        return;
    }
    let clip = coded(Codec::H264, 192, 50, 25, ":bframes=2:b-adapt=0");
    let server = Gst::start(0, OPEN, &[clip]);
    let mut camera = Watched::open(config(&server.url()));
    camera.connected().await;
    // The server dates pictures as they come, so their order is all that can be seen; decoding must not suffer.
    let units = camera.units(50).await;
    let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.data.iter().copied()).collect();
    assert!(decoded(Codec::H264, &bytes) >= 45);
    camera.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_is_killed_and_comes_back_is_read_again() {
    if !is_here() {
        return;
    }
    let clips = [clip(Codec::H264, 192)];
    let server = Gst::start(0, OPEN, &clips);
    let port = server.port;
    let mut camera = Watched::open(config(&server.url()));
    camera.connected().await;
    camera.units(5).await;
    drop(server);
    assert_eq!(camera.trouble().await, Trouble::Ended);
    assert_eq!(camera.trouble().await, Trouble::Refused { status: None });
    let server = Gst::start(port, OPEN, &clips);
    camera.connected().await;
    let units = camera.units(20).await;
    assert_eq!(decoded(Codec::H264, &joined(&units)), 20);
    camera.close().await;
    until("the camera was let go", || server.clients().2 == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_hangs_is_noticed_let_go_and_read_again_over_one_connection() {
    if !is_here() {
        return;
    }
    let mut server = Gst::start(0, OPEN, &[clip(Codec::H264, 192)]);
    // The server tells a little late that a connection is closed.
    let timing = Timing {
        first_retry: Duration::from_millis(300),
        longest_retry: Duration::from_millis(300),
        ..QUICK
    };
    let mut camera = Watched::open(Config { timing, ..config(&server.url()) });
    for _ in 0..3 {
        camera.connected().await;
        camera.units(5).await;
        server.say("hang");
        assert!(matches!(camera.trouble().await, Trouble::Hung { .. }));
        server.say("go");
    }
    camera.connected().await;
    camera.close().await;
    until("the camera was let go", || server.clients().2 == 0).await;
    let (all, most, _) = server.clients();
    assert!(all >= 4, "{all} connections");
    assert_eq!(most, 1, "never two at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_answered_and_wrong_ones_told() {
    if !is_here() {
        return;
    }
    let how = How { user: &format!("viewer:{SECRET}"), ..OPEN };
    let server = Gst::start(0, how, &[clip(Codec::H264, 192)]);
    let with = |user: &str| server.url().replace("rtsp://", &format!("rtsp://{user}@"));

    let mut right = Watched::open(config(&with(&format!("viewer:{SECRET}"))));
    right.connected().await;
    right.units(5).await;
    right.close().await;

    for wrong in [format!("viewer:{SECRET}2"), format!("other:{SECRET}")] {
        let mut camera = Watched::open(config(&with(&wrong)));
        assert_eq!(camera.trouble().await, Trouble::WrongCredentials);
        camera.close().await;
    }
    let mut nobody = Watched::open(config(&server.url()));
    assert_eq!(nobody.trouble().await, Trouble::NeedsCredentials);
    nobody.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_resolution_is_followed() {
    if !is_here() {
        return;
    }
    let mut server = Gst::start(0, OPEN, &[clip(Codec::H264, 192), clip(Codec::H264, 320)]);
    let mut camera = Watched::open(config(&server.url()));
    assert_eq!(camera.connected().await.size, Size { width: 192, height: 192 });
    camera.units(5).await;
    server.say("play 1");
    assert_eq!(camera.changed().await.size, Size { width: 320, height: 320 });
    let units = camera.units(20).await;
    assert!(units[0].key);
    assert_eq!(decoded(Codec::H264, &joined(&units)), 20);
    camera.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_transport_is_found_or_said_to_be_wrong() {
    if !is_here() {
        return;
    }
    let tcp = Gst::start(0, How { transports: "tcp", ..OPEN }, &[clip(Codec::H264, 192)]);
    let mut camera = Watched::open(Config { transport: Transport::Udp, ..config(&tcp.url()) });
    assert_eq!(camera.trouble().await, Trouble::UnsupportedTransport);
    camera.close().await;

    let udp = Gst::start(0, How { transports: "udp", ..OPEN }, &[clip(Codec::H264, 192)]);
    let mut camera = Watched::open(config(&udp.url()));
    assert_eq!(camera.trouble().await, Trouble::UnsupportedTransport);
    assert!(matches!(camera.news().await, Event::Connected(_)));
    camera.units(10).await;
    camera.close().await;

    let mut camera = Watched::open(config(&tcp.url().replace("/cam", "/other?key=hunter2")));
    assert_eq!(camera.trouble().await, Trouble::NotFound { path: "/other".to_owned() });
    camera.close().await;
}
