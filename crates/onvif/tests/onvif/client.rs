//! The client before cameras with the habits that real ones have.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use placet_http::server::{Limits, serve};
use placet_onvif::Credentials;
use placet_onvif::client::answer::{self, AnswerError, Encoding};
use placet_onvif::client::{Camera, LookupError, lookup};
use placet_onvif::device::{Asked, Reach, system_clock};
use tokio::net::TcpListener;

use crate::stage::{self, PASSWORD, USER, device};

const PATIENCE: Duration = Duration::from_secs(20);

/// What a camera does with a request: its body, its header `Authorization`, where the camera is.
type Habit = dyn Fn(&str, Option<&str>, SocketAddr) -> Response + Send + Sync;

/// A camera of that habit, and what it was asked.
async fn camera(habit: Arc<Habit>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let router = Router::new().fallback(move |request: Request| {
        let (habit, seen) = (Arc::clone(&habit), Arc::clone(&seen));
        async move {
            let (head, body) = request.into_parts();
            let body = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
            seen.lock().unwrap().push(format!("{} {body}", head.uri));
            let authorization = head.headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap());
            habit(&body, authorization, at)
        }
    });
    tokio::spawn(serve(listener, router, Limits::default(), std::future::pending()));
    (at, asked)
}

/// Our own device at its best behavior, for habits to spoil.
fn well_behaved() -> impl Fn(&str, Option<&str>, SocketAddr) -> placet_onvif::device::Told {
    let device = device(Reach::Arrival { port: 1 }, system_clock());
    move |body, authorization, at| {
        let target = "/onvif/device_service";
        let asked = Asked { body: body.as_bytes(), authorization, target, arrived: Some(at.ip()) };
        let mut told = device.answer(&asked);
        // All services at one place.
        told.body =
            told.body.replace("http://127.0.0.1:1/onvif/media_service", &format!("http://{at}{target}"));
        told
    }
}

async fn look(at: SocketAddr) -> Result<Camera, LookupError> {
    let credentials = Credentials::new(USER, PASSWORD.to_owned()).unwrap();
    lookup(&format!("http://{at}/onvif/device_service"), Some(&credentials), PATIENCE).await
}

#[tokio::test]
async fn a_camera_that_takes_http_digest_only_is_looked_up() {
    let good = well_behaved();
    let habit = move |body: &str, authorization: Option<&str>, at| {
        // Blind to tokens.
        let blind = match (body.split_once("<s:Header>"), body.split_once("</s:Header>")) {
            (Some((before, _)), Some((_, after))) => {
                format!("{before}<s:Header></s:Header>{after}").replace("<s:Header></s:Header>", "")
            }
            _ => body.to_owned(),
        };
        good(&blind, authorization, at).into_response()
    };
    let (at, asked) = camera(Arc::new(habit)).await;
    let found = look(at).await.unwrap();
    assert_eq!(found.profiles.len(), 3);
    let asked = asked.lock().unwrap();
    let with_token = asked.iter().filter(|body| body.contains("UsernameToken")).count();
    // GetSystemDateAndTime and GetServices are open to all, so the first token is refused at GetProfiles.
    assert_eq!(with_token, 2, "once Digest is wanted no token is sent");
    assert!(asked.iter().all(|body| !body.contains("battery")), "no password in clear");
}

#[tokio::test]
async fn a_camera_that_wants_the_password_in_clear_does_not_get_it() {
    let habit = |_: &str, authorization: Option<&str>, _| {
        assert_eq!(authorization, None);
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"camera\"")]).into_response()
    };
    let (at, asked) = camera(Arc::new(habit)).await;
    assert!(matches!(look(at).await, Err(LookupError::Refused { .. })));
    assert!(asked.lock().unwrap().iter().all(|body| !body.contains("battery")));
}

#[tokio::test]
async fn a_camera_whose_clock_is_wrong_is_asked_by_its_clock() {
    let clock = stage::Shifted::default();
    clock.by(-7_200);
    let served = stage::served(clock.clock()).await;
    let found = look(served.at).await.unwrap();
    assert!(found.clock_ahead.is_some_and(|seconds| (-7_202..=-7_198).contains(&seconds)));
    assert!(found.notes[0].contains("s behind: set its time server"), "{:?}", found.notes);
    assert_eq!(found.profiles.len(), 3);
}

#[tokio::test]
async fn credentials_go_to_the_camera_that_was_named_and_to_no_other() {
    let good = well_behaved();
    let habit = move |body: &str, authorization: Option<&str>, at: SocketAddr| {
        let mut told = good(body, authorization, at);
        told.body = told
            .body
            .replace(&at.to_string(), "evil.example")
            .replace("rtsp://127.0.0.1", "rtsp://user:pass@evil.example");
        told.into_response()
    };
    let (at, _) = camera(Arc::new(habit)).await;
    let found = look(at).await.unwrap();
    assert!(
        found.notes.iter().any(|note| note.contains("`evil.example`; it was asked on its own host")),
        "{:?}",
        found.notes
    );
    assert!(found.notes.iter().any(|note| note.contains("stream addresses on another host")));
    let stream = found.profiles[0].stream.clone().unwrap();
    assert!(stream.other_host && stream.url == "rtsp://evil.example:8554/hall-north?a=1&b=2", "{stream:?}");
}

#[tokio::test]
async fn a_camera_older_than_get_services_is_asked_for_its_capabilities() {
    let good = well_behaved();
    let habit = move |body: &str, authorization: Option<&str>, at| {
        if body.contains("GetServices") {
            return (StatusCode::BAD_REQUEST, "<html>what?</html>").into_response();
        }
        let mut told = good(body, authorization, at);
        // And it writes every element into no namespace of its own.
        told.body = told
            .body
            .replace("tt:", "x:")
            .replace("xmlns:tt=\"http://www.onvif.org/ver10/schema\"", "xmlns:x=\"urn:x\"");
        told.into_response()
    };
    let (at, asked) = camera(Arc::new(habit)).await;
    assert_eq!(look(at).await.unwrap().profiles.len(), 3);
    assert!(asked.lock().unwrap().iter().any(|body| body.contains("GetCapabilities")));
}

const MEDIA2: &str = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:tr2=\"http://www.onvif.org/ver20/media/wsdl\" \
    xmlns:tt=\"http://www.onvif.org/ver10/schema\"><s:Body>";

#[tokio::test]
async fn the_second_media_service_is_preferred_and_left_where_it_fails() {
    for works in [true, false] {
        let good = well_behaved();
        let habit = move |body: &str, authorization: Option<&str>, at: SocketAddr| {
            let end = "</s:Body></s:Envelope>";
            if body.contains("tr2:GetProfiles") && works {
                return format!(
                    "{MEDIA2}<tr2:GetProfilesResponse><tr2:Profiles token=\"p1\" fixed=\"true\"><tr2:Name>Main</tr2:Name>\
                     <tr2:Configurations><tr2:VideoEncoder token=\"e\" GovLength=\"50\"><tt:Encoding>H265</tt:Encoding>\
                     <tt:Resolution><tt:Width>3840</tt:Width><tt:Height>2160</tt:Height></tt:Resolution><tt:RateControl>\
                     <tt:FrameRateLimit>12.5</tt:FrameRateLimit></tt:RateControl></tr2:VideoEncoder></tr2:Configurations>\
                     </tr2:Profiles></tr2:GetProfilesResponse>{end}"
                )
                .into_response();
            }
            if body.contains("tr2:GetStreamUri") {
                return format!("{MEDIA2}<tr2:GetStreamUriResponse><tr2:Uri>rtsp://127.0.0.1/p1</tr2:Uri></tr2:GetStreamUriResponse>{end}").into_response();
            }
            if body.contains("tr2:") {
                return (StatusCode::NOT_FOUND, "no such page").into_response();
            }
            let mut told = good(body, authorization, at);
            let second = "<tds:Service><tds:Namespace>http://www.onvif.org/ver20/media/wsdl</tds:Namespace>\
                          <tds:XAddr>http://127.0.0.1/onvif/media2</tds:XAddr></tds:Service></tds:GetServicesResponse>";
            told.body = told
                .body
                .replace("</tds:GetServicesResponse>", second)
                .replace("127.0.0.1/onvif/media2", &format!("{at}/onvif/media2"));
            told.into_response()
        };
        let (at, asked) = camera(Arc::new(habit)).await;
        let found = look(at).await.unwrap();
        if works {
            let [profile] = found.profiles.as_slice() else { panic!("{found:?}") };
            assert_eq!((profile.encoding.clone(), profile.fps), (Some(Encoding::H265), Some(12.5)));
            assert_eq!(profile.size.map(|size| (size.width, size.height)), Some((3840, 2160)));
            assert_eq!(profile.stream.as_ref().unwrap().url, "rtsp://127.0.0.1/p1");
            assert!(found.notes.iter().any(|note| note.contains("has no picture")));
        } else {
            assert_eq!(found.profiles.len(), 3);
        }
        assert!(asked.lock().unwrap().iter().any(|body| body.starts_with("/onvif/media2 ")));
    }
}

#[tokio::test]
async fn what_is_no_camera_is_told_in_words() {
    let page = |_: &str, _: Option<&str>, _| (StatusCode::NOT_FOUND, "<html>no</html>").into_response();
    let html = |_: &str, _: Option<&str>, _| "<html><p>hello".into_response();
    let endless = |_: &str, _: Option<&str>, _| "x".repeat(300_000).into_response();
    let elsewhere = |_: &str, _: Option<&str>, _| {
        (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, "https://evil.example/")]).into_response()
    };
    let habits: [(Arc<Habit>, &str); 4] = [
        (Arc::new(page), "answers `GetCapabilities` with status 404, not as an ONVIF camera"),
        (Arc::new(html), "the answer to `GetSystemDateAndTime`"),
        (Arc::new(endless), "no answer from"),
        (Arc::new(elsewhere), "leads elsewhere"),
    ];
    for (habit, words) in habits {
        let (at, _) = camera(habit).await;
        let told = look(at).await.unwrap_err().to_string();
        assert!(told.contains(words), "{told}");
    }
    // A port where nobody listens, and one where nobody answers.
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    let silent = lookup(&format!("http://{at}/"), None, Duration::from_millis(50)).await;
    assert!(matches!(silent, Err(LookupError::Late { .. })), "{silent:?}");
    drop(listener);
    assert!(matches!(look(at).await, Err(LookupError::Unreachable { .. })));
    for address in ["", "192.0.2.7", "rtsp://192.0.2.7/", "http://user:secret@192.0.2.7/", "user:secret@host"]
    {
        let told = lookup(address, None, PATIENCE).await.unwrap_err();
        assert!(matches!(told, LookupError::Address { .. }), "{address}");
        assert!(!format!("{told} {told:?}").contains("secret"), "{told}");
    }
}

#[tokio::test]
async fn attack_an_answer_cut_off_or_changed_anywhere_is_read_or_refused() {
    let served = stage::served(system_clock()).await;
    let body = crate::device::envelope("media", "<GetProfiles/>");
    let answer = crate::device::by_digest(&served.device, &body).body;
    assert_eq!(answer::profiles(answer.as_bytes()).unwrap().len(), 3);
    let end = answer.len();
    let cut = (0..end).filter(|length| answer::profiles(&answer.as_bytes()[..*length]).is_ok()).count();
    let mut changed = 0;
    for at in 0..end {
        for bit in 0..8 {
            let mut other = answer.clone().into_bytes();
            other[at] ^= 1 << bit;
            changed += usize::from(answer::profiles(&other).is_ok());
        }
    }
    println!("{end} answers cut off: {cut} read; {} with one bit changed: {changed} read", end * 8);
    assert_eq!(cut, 0);
    let crowd = answer.replace(
        "</trt:GetProfilesResponse>",
        &("<trt:Profiles token='a'/>".repeat(3_000) + "</trt:GetProfilesResponse>"),
    );
    assert_eq!(answer::profiles(crowd.as_bytes()).unwrap().len(), 256);
    let fault = device(Reach::Arrival { port: 1 }, system_clock()).answer(&crate::device::asked(b"<a>")).body;
    let fault = fault.replace("the message", "\u{202e}the message");
    let Err(AnswerError::Fault { code, reason }) = answer::uri(fault.as_bytes()) else { panic!("{fault}") };
    assert!(code == "WellFormed" && reason.starts_with("\u{fffd}the message"), "{code}: {reason}");
}
