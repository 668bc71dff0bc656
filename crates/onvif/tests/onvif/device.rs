//! The device, asked with the bytes that real clients sent.

use placet_onvif::device::{Asked, Device, MEDIA_PATH, Reach, Refusal, Told};
use serde_json::json;

use crate::peers::{self, Peer};
use crate::stage::{PASSWORD, USER, device, stopped};

/// When the requests in `data/` were made.
pub const THEN: &str = "2026-11-22T12:00:00Z";

/// Requests of onvif-zeep 0.2.12 and onvif-zeep-async 4.3.0, with user and password of the stage.
pub const CAPTURED: [(&str, &[u8]); 7] = [
    ("async-get-time", include_bytes!("data/async-get-time.xml")),
    ("async-get-profiles", include_bytes!("data/async-get-profiles.xml")),
    ("async-get-stream-uri", include_bytes!("data/async-get-stream-uri.xml")),
    ("zeep-get-services", include_bytes!("data/zeep-get-services.xml")),
    ("zeep-get-profiles", include_bytes!("data/zeep-get-profiles.xml")),
    ("zeep-get-stream-uri", include_bytes!("data/zeep-get-stream-uri.xml")),
    ("zeep-create-users", include_bytes!("data/zeep-create-users.xml")),
];

pub fn captured(name: &str) -> &'static [u8] {
    CAPTURED.iter().find(|(known, _)| *known == name).unwrap().1
}

pub fn then() -> Device {
    device(Reach::Arrival { port: 8080 }, stopped(THEN))
}

pub fn asked(body: &[u8]) -> Asked<'_> {
    Asked { body, authorization: None, target: MEDIA_PATH, arrived: Some([192, 0, 2, 1].into()) }
}

/// An envelope around `inner`, without credentials.
pub fn envelope(space: &str, inner: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body xmlns=\"http://www.onvif.org/ver10/{space}/wsdl\">\
         {inner}</s:Body></s:Envelope>"
    )
}

/// The answer to a request by HTTP Digest, each with a nonce of its own.
pub fn by_digest(device: &Device, body: &str) -> Told {
    let challenge = device.answer(&asked(body.as_bytes())).challenge.unwrap();
    let header = authorization(&challenge, PASSWORD, "POST", MEDIA_PATH);
    device.answer(&Asked { authorization: Some(&header), ..asked(body.as_bytes()) })
}

pub fn authorization(challenge: &str, password: &str, method: &str, uri: &str) -> String {
    let mut client = http_auth::PasswordClient::try_from(challenge).unwrap();
    let parameters = http_auth::PasswordParams { username: USER, password, uri, method, body: None };
    client.respond(&parameters).unwrap()
}

#[test]
fn what_real_clients_sent_is_answered() {
    let device = then();
    let answers = CAPTURED.map(|(name, body)| {
        let told = device.answer(&asked(body));
        (name, told.status, told.body)
    });
    for (name, status, body) in &answers {
        let expected = if *name == "zeep-create-users" { 500 } else { 200 };
        assert_eq!(*status, expected, "{name}: {body}");
    }
    assert!(answers[0].2.contains("<tt:Hour>12</tt:Hour>"));
    assert!(answers[3].2.contains("<tds:XAddr>http://192.0.2.1:8080/onvif/media_service</tds:XAddr>"));
    assert!(answers[5].2.contains("<tt:Uri>rtsp://192.0.2.1:8554/hall-north?a=1&amp;b=2</tt:Uri>"));
    assert!(answers[6].2.contains("ter:ActionNotSupported"));
}

#[test]
fn only_what_the_specification_names_is_answered_without_credentials() {
    let device = then();
    let open = [
        ("device", "GetSystemDateAndTime"),
        ("device", "GetServices"),
        ("device", "GetServiceCapabilities"),
        ("device", "GetCapabilities"),
        ("device", "GetEndpointReference"),
        ("media", "GetServiceCapabilities"),
    ];
    let mut shut = 0;
    for space in ["device", "media", "events", "ptz"] {
        for action in open
            .iter()
            .map(|(_, action)| *action)
            .chain(ACTIONS.map(|(_, action)| action))
            .chain(["SetUser", "Nothing"])
        {
            let told = device.answer(&asked(envelope(space, &format!("<{action}/>")).as_bytes()));
            if open.contains(&(space, action)) {
                assert_eq!(told.status, 200, "{space} {action}: {}", told.body);
                assert!(!told.body.contains("hall"), "{action} names a camera");
                assert!(!told.body.contains("Placet"), "{action} names the device");
            } else {
                assert_eq!((told.status, told.body.as_str()), (401, ""), "{space} {action}");
                assert!(told.challenge.is_some());
                shut += 1;
            }
        }
    }
    println!("{} actions open, {shut} shut", open.len());
    assert_eq!(device.refused()[&Refusal::Nobody], shut);
}

/// Everything that is answered, with arguments where it needs some.
const ACTIONS: [(&str, &str); 24] = [
    ("device", "GetDeviceInformation"),
    ("device", "GetScopes"),
    ("device", "GetDiscoveryMode"),
    ("device", "GetHostname"),
    ("device", "GetNetworkInterfaces"),
    ("device", "GetSystemDateAndTime"),
    ("device", "GetEndpointReference"),
    ("device", "GetServiceCapabilities"),
    ("device", "GetServices"),
    ("device", "GetCapabilities"),
    ("media", "GetServiceCapabilities"),
    ("media", "GetProfiles"),
    ("media", "GetProfile"),
    ("media", "GetVideoSources"),
    ("media", "GetVideoSourceConfigurations"),
    ("media", "GetVideoSourceConfiguration"),
    ("media", "GetVideoSourceConfigurationOptions"),
    ("media", "GetCompatibleVideoSourceConfigurations"),
    ("media", "GetVideoEncoderConfigurations"),
    ("media", "GetVideoEncoderConfiguration"),
    ("media", "GetVideoEncoderConfigurationOptions"),
    ("media", "GetCompatibleVideoEncoderConfigurations"),
    ("media", "GetGuaranteedNumberOfVideoEncoderInstances"),
    ("media", "GetStreamUri"),
];

fn arguments(action: &str) -> &'static str {
    match action {
        "GetProfile"
        | "GetStreamUri"
        | "GetSnapshotUri"
        | "GetCompatibleVideoSourceConfigurations"
        | "GetCompatibleVideoEncoderConfigurations" => "<ProfileToken>profile-hall-north</ProfileToken>",
        "GetVideoSourceConfiguration" | "GetGuaranteedNumberOfVideoEncoderInstances" => {
            "<ConfigurationToken>source-conf-gate</ConfigurationToken>"
        }
        "GetVideoEncoderConfiguration" => "<ConfigurationToken>encoder-conf-gate</ConfigurationToken>",
        "GetServices" => "<IncludeCapability>true</IncludeCapability>",
        _ => "",
    }
}

fn call(space: &str, action: &str) -> String {
    envelope(space, &format!("<{action}>{}</{action}>", arguments(action)))
}

#[test]
fn every_answer_is_valid_by_onvifs_schemas() {
    let Some((place, wsdl)) = peers::installed(Peer::Async).zip(peers::schemas()) else { return };
    let device = then();
    let mut bodies = Vec::new();
    for (space, action) in ACTIONS.into_iter().chain([("media", "GetSnapshotUri")]) {
        let body = call(space, action);
        let told = device.answer(&asked(body.as_bytes()));
        let told = if told.status == 401 { by_digest(&device, &body) } else { told };
        assert_eq!(told.status, 200, "{action}: {}", told.body);
        bodies.push((action, told.body));
    }
    // The judge must know a wrong answer when it sees one.
    let swapped = bodies[11].1.replace(
        "<tt:Name>Gate</tt:Name><tt:UseCount>1</tt:UseCount>",
        "<tt:UseCount>1</tt:UseCount><tt:Name>Gate</tt:Name>",
    );
    assert_ne!(swapped, bodies[11].1);
    bodies.push(("swapped", swapped));
    let texts: Vec<_> = bodies.iter().map(|(_, body)| body).collect();
    let verdicts = peers::ask(peers::python("schema.py", &place), &json!({ "wsdl": wsdl, "bodies": texts }));
    for ((action, body), errors) in bodies.iter().zip(verdicts.as_array().unwrap()) {
        assert_eq!(errors.as_array().unwrap().is_empty(), *action != "swapped", "{action}: {errors} {body}");
    }
    println!("{} answers are valid by ONVIF's schemas, a swapped one is not", bodies.len() - 1);
}

#[test]
fn what_is_not_there_is_a_fault_that_names_it() {
    let device = then();
    for (space, call, status, code) in [
        (
            "media",
            "<GetProfile><ProfileToken>profile-nothing</ProfileToken></GetProfile>",
            400,
            "ter:NoProfile",
        ),
        ("media", "<GetProfile><ProfileToken>source-gate</ProfileToken></GetProfile>", 400, "ter:NoProfile"),
        ("media", "<GetStreamUri/>", 400, "ter:NoProfile"),
        (
            "media",
            "<GetSnapshotUri><ProfileToken>profile-yard_2</ProfileToken></GetSnapshotUri>",
            500,
            "ter:ActionNotSupported",
        ),
        ("media", "<GetVideoEncoderConfiguration/>", 400, "ter:NoConfig"),
        (
            "media",
            "<GetStreamUri><StreamSetup><Stream>RTP-Multicast</Stream></StreamSetup><ProfileToken>profile-gate</ProfileToken></GetStreamUri>",
            400,
            "ter:InvalidStreamSetup",
        ),
        ("media", "<SetVideoEncoderConfiguration/>", 500, "ter:ActionNotSupported"),
        ("device", "<SetSystemDateAndTime/>", 500, "ter:ActionNotSupported"),
        ("events", "<CreatePullPointSubscription/>", 500, "ter:NoSuchService"),
    ] {
        let told = by_digest(&device, &envelope(space, call));
        assert_eq!(told.status, status, "{call}: {}", told.body);
        assert!(told.body.contains(code), "{call}: {}", told.body);
    }
    let told = device.answer(&asked(
        envelope("device", "<GetCapabilities><Category>PTZ</Category></GetCapabilities>").as_bytes(),
    ));
    assert!(told.body.contains("ter:NoSuchService"));
}

#[test]
fn where_it_is_reached_is_never_the_senders_word() {
    let named =
        Reach::Named { base: "https://placet.example:8443/".to_owned(), host: "placet.example".to_owned() };
    let device = device(named, stopped(THEN));
    let told = device.answer(&Asked { arrived: None, ..asked(captured("zeep-get-services")) });
    assert!(told.body.contains("<tds:XAddr>https://placet.example:8443/onvif/media_service</tds:XAddr>"));
    let told = device.answer(&Asked { arrived: None, ..asked(captured("zeep-get-stream-uri")) });
    assert!(told.body.contains("<tt:Uri>rtsp://placet.example:8554/hall-north?a=1&amp;b=2</tt:Uri>"));
    let told = then().answer(&Asked { arrived: None, ..asked(captured("zeep-get-stream-uri")) });
    assert!(told.status == 500 && told.body.contains("name a host in its settings"), "{}", told.body);
    let six =
        Asked { arrived: Some("2001:db8::1".parse().unwrap()), ..asked(captured("zeep-get-stream-uri")) };
    assert!(then().answer(&six).body.contains("rtsp://[2001:db8::1]:8554/"));
}
