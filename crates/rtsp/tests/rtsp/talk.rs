//! The conversation by hand: every method, and what a session may and may not.

use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::camera::Server;
use crate::raw::{PATIENCE, Raw};

const TCP: &str = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1";

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_from_description_to_teardown_and_again() {
    let server = Server::open().await;
    let mut client = Raw::open(server.address).await;
    let options = client.ask("OPTIONS", "", &[]).await;
    assert_eq!(
        options.header("public"),
        Some("OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, TEARDOWN")
    );
    let described = client.ask("DESCRIBE", "", &["Accept: application/sdp"]).await;
    assert_eq!(described.header("content-base"), Some(format!("{}/", client.url).as_str()));
    for line in [
        "a=range:npt=now-",
        "a=control:video",
        "a=framerate:15.0",
        "m=video 0 RTP/AVP 96",
        "a=rtpmap:96 H264/90000",
    ] {
        assert!(described.body.lines().any(|l| l == line), "{line}: {}", described.body);
    }
    assert!(described.body.contains("packetization-mode=1;profile-level-id=4D"), "{}", described.body);
    for _ in 0..2 {
        let (session, played) = client.play().await;
        let info = played.header("rtp-info").unwrap();
        let number = |name: &str| -> u32 {
            info.split(';').find_map(|part| part.strip_prefix(name)).unwrap().parse().unwrap()
        };
        let (channel, packet) = client.packet().await.unwrap();
        assert_eq!(channel, 0);
        assert_eq!(u32::from(u16::from_be_bytes([packet[2], packet[3]])), number("seq="));
        assert_eq!(u32::from_be_bytes(packet[4..8].try_into().unwrap()), number("rtptime="));
        let named = format!("Session: {session}");
        assert_eq!(client.ask("GET_PARAMETER", "", &[&named]).await.status, 200);
        assert_eq!(client.ask("PLAY", "", &[&named]).await.status, 200);
        assert_eq!(client.ask("SETUP", "/video", &[TCP, &named]).await.status, 455);
        assert_eq!(client.ask("PAUSE", "", &[&named]).await.status, 200);
        server.until_left().await;
        assert_eq!(client.ask("PLAY", "", &[&named]).await.status, 200);
        assert!(client.picture().await);
        assert_eq!(client.ask("TEARDOWN", "", &[&named]).await.status, 200);
        assert_eq!(client.ask("PLAY", "", &[&named]).await.status, 454);
        server.until_left().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_offered_is_refused_by_its_name() {
    let server = Server::open().await;
    let mut client = Raw::open(server.address).await;
    let session = client.set_up().await;
    let named = format!("Session: {session}");
    let named = named.as_str();
    for (method, path, headers, status) in [
        ("ANNOUNCE", "", &[][..], 405),
        ("RECORD", "", &[named], 405),
        ("REDIRECT", "", &[], 405),
        ("SET_PARAMETER", "", &[named], 405),
        ("GET", "", &[], 501),
        ("PLAY_NOTIFY", "", &[], 501),
        ("DESCRIBE", "-south", &[], 404),
        ("DESCRIBE", "/../hall-north", &[], 404),
        ("DESCRIBE", "/audio", &[], 404),
        ("DESCRIBE", "?x", &[], 404),
        ("DESCRIBE", "", &["Accept: text/html"], 406),
        ("DESCRIBE", "", &["Require: onvif-replay"], 551),
        ("SETUP", "/video", &["Transport: RTP/AVP;multicast"], 461),
        ("SETUP", "/video", &[], 461),
        ("PLAY", "", &[], 454),
        ("PLAY", "", &["Session: 0"], 454),
        ("PLAY", "", &["Session:"], 454),
        ("PAUSE", "", &[], 454),
        ("TEARDOWN", "", &[], 454),
        ("GET_PARAMETER", "", &["Session: 0"], 454),
        ("GET_PARAMETER", "", &[named], 200),
    ] {
        assert_eq!(client.ask(method, path, headers).await.status, status, "{method} {path} {headers:?}");
    }
    assert_eq!(client.ask("PLAY", "", &[named]).await.status, 200, "the session is whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_udp_packets_come_to_whoever_asked_and_reports_beside_them() {
    let server = Server::open().await;
    let mut client = Raw::open(server.address).await;
    let (rtp, rtcp) =
        (UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let (first, second) = (rtp.local_addr().unwrap().port(), rtcp.local_addr().unwrap().port());
    let transport = format!("Transport: RTP/AVP;unicast;client_port={first}-{second}");
    let set_up = client.ask("SETUP", "/video", &[&transport]).await;
    let answered = set_up.header("transport").unwrap().to_owned();
    let part = |name: &str| answered.split(';').find_map(|part| part.strip_prefix(name)).unwrap().to_owned();
    let (own, next) =
        part("server_port=").split_once('-').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let named = format!("Session: {}", set_up.session());
    assert_eq!(client.ask("PLAY", "", &[&named]).await.status, 200);
    let mut bytes = [0; 2048];
    let (count, from) = timeout(PATIENCE, rtp.recv_from(&mut bytes)).await.unwrap().unwrap();
    assert_eq!((from.port().to_string(), bytes[0], bytes[1] & 0x7f), (own, 0x80, 96));
    assert!(count > 12);
    assert_eq!(format!("{:02X}{:02X}{:02X}{:02X}", bytes[8], bytes[9], bytes[10], bytes[11]), part("ssrc="));
    let (_, from) = timeout(PATIENCE, rtcp.recv_from(&mut bytes)).await.unwrap().unwrap();
    assert_eq!((from.port().to_string(), bytes[1]), (next, 200));
    client.ask("TEARDOWN", "", &[&named]).await;
    server.until_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_says_goodbye() {
    let mut server = Server::open().await;
    let mut client = Raw::open(server.address).await;
    client.play().await;
    assert!(client.picture().await);
    server.stop();
    let mut last = Vec::new();
    while let Some((channel, packet)) = client.packet().await {
        if channel == 1 {
            last = packet;
        }
    }
    assert_eq!(last[last.len() - 7], 203, "{last:?}");
}
