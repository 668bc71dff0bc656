//! Hostile requests: whatever they say, no panic, and without a password nothing but what is told to everybody.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use placet_onvif::client::answer;
use placet_onvif::device::{Asked, Device, MEDIA_PATH, Reach, Refusal, Told};
use placet_onvif::discovery::{Announced, Asked as Probed};
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::device::{CAPTURED, asked, authorization, captured, envelope, then};
use crate::stage::{self, PASSWORD, device, stopped};

const PICTURE_PATH: &str = "/pictures/gate.jpg";

/// What only somebody who knows the password is told.
fn betrays(told: &Told) -> bool {
    ["hall", "Halle", "yard", "rtsp://", "town", "0.1.0"].iter().any(|secret| told.body.contains(secret))
}

#[test]
fn attack_bombs_depth_and_length_are_refused_in_words() {
    let device = then();
    let laughs: String =
        (1..20).map(|i| format!("<!ENTITY l{i} \"&l{0};&l{0};&l{0};&l{0};\">", i - 1)).collect();
    let attributes: String = (0..20_000).map(|i| format!(" {i:x}a=''").replace(" 0", " z0")).collect();
    let attacks = [
        (
            "billion laughs",
            format!(
                "<!DOCTYPE a [<!ENTITY l0 \"ha\">{laughs}]>{}",
                envelope("media", "<GetProfiles>&l19;</GetProfiles>")
            ),
        ),
        (
            "quadratic blowup",
            format!("<!DOCTYPE a [<!ENTITY b \"{}\">]><a>{}</a>", "b".repeat(50_000), "&b;".repeat(50_000)),
        ),
        ("external entity", "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>".to_owned()),
        ("external subset", "<!DOCTYPE a SYSTEM \"http://127.0.0.1/\"><a/>".to_owned()),
        ("depth", format!("{}{}", "<a>".repeat(35_000), "</a>".repeat(35_000))),
        ("depth unclosed", "<a>".repeat(80_000)),
        (
            "depth in a body",
            envelope(
                "media",
                &format!("<GetProfiles>{}{}</GetProfiles>", "<a>".repeat(30_000), "</a>".repeat(30_000)),
            ),
        ),
        ("attributes", format!("<a{attributes}/>")),
        (
            "namespaces",
            format!("<a{}/>", (0..10_000).map(|i| format!(" xmlns:a{i}='b'")).collect::<String>()),
        ),
        ("siblings", envelope("media", &"<a/>".repeat(60_000))),
        ("length", envelope("media", &" ".repeat(300_000))),
        ("nulls", "\0".repeat(100_000)),
        ("UTF-16", "\u{fffe}<\0a\0".to_owned()),
        ("nothing", String::new()),
    ];
    for (name, body) in &attacks {
        let start = Instant::now();
        let told = device.answer(&asked(body.as_bytes()));
        println!("{name}: {} bytes, {:?}, {}", body.len(), start.elapsed(), told.status);
        assert_eq!(told.status, 400, "{name}: {}", told.body);
        assert!(told.body.contains("ter:WellFormed") && told.body.len() < 1_024, "{name}: {}", told.body);
        // The client's side stands behind the same bounds.
        assert!(answer::profiles(body.as_bytes()).is_err() && Probed::read(body.as_bytes()).is_err());
    }
}

#[test]
fn attack_a_request_cut_off_anywhere_says_nothing() {
    let (mut tried, mut answered) = (0, 0);
    for (name, body) in CAPTURED {
        let device = then();
        let whole = body.trim_ascii_end().len();
        for length in 0..whole {
            let told = device.answer(&asked(&body[..length]));
            tried += 1;
            answered += usize::from(told.status == 200);
            assert!(!betrays(&told), "{name} cut at {length}: {}", told.body);
        }
    }
    println!("{tried} requests cut off: {answered} answered");
    assert_eq!(answered, 0);
}

#[test]
fn attack_ten_thousand_mutations_of_every_request_betray_nothing() {
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"onvif request mutations, 1 seed.");
    let mut counts = std::collections::BTreeMap::new();
    let mut betrayed = 0;
    for round in 0..10_000 {
        let (name, body) = CAPTURED[round % CAPTURED.len()];
        let mutant = mutate(body, &mut rng);
        let told = then().answer(&asked(&mutant));
        *counts.entry(told.status).or_insert(0) += 1;
        if betrays(&told) {
            // Only what leaves token and call as they were may still be answered.
            assert!(still_authentic(body, &mutant), "{name}: {}", String::from_utf8_lossy(&mutant));
            betrayed += 1;
        }
        // The same bytes as answers and probes: read or refused, never a panic.
        let _ = (
            answer::profiles(&mutant),
            answer::uri(&mutant),
            answer::services(&mutant),
            answer::clock(&mutant),
        );
        let _ = (answer::capabilities(&mutant), Announced::read(&mutant, "1"), Probed::read(&mutant));
    }
    println!(
        "10000 mutations: answers by status {counts:?}; {betrayed} kept their token whole and were answered"
    );
    assert!(counts[&400] > 1_000);
}

/// One to four changes of one to eight bytes.
fn mutate(body: &[u8], rng: &mut TestRng) -> Vec<u8> {
    let mut mutant = body.to_vec();
    let mut below = |n: usize| usize::try_from(rng.next_u32()).unwrap() % n.max(1);
    for _ in 0..=below(4) {
        let at = below(mutant.len());
        match below(5) {
            0 => mutant[at] ^= 1 << below(8),
            1 => drop(mutant.drain(at..(at + 1 + below(8)).min(mutant.len()))),
            2 => mutant.insert(at, b"<>&'\"=/ \0\xff"[below(10)]),
            3 => {
                let from = below(mutant.len());
                let piece = mutant[from..(from + 1 + below(8)).min(mutant.len())].to_vec();
                drop(mutant.splice(at..at, piece));
            }
            _ => {
                let other = below(mutant.len());
                mutant.swap(at, other);
            }
        }
        if mutant.is_empty() {
            mutant.push(b'<');
        }
    }
    mutant
}

/// Whether user, digest, nonce and time stand in `mutant` as in `body`. The nonce's last Base64 digit has bits that mean
/// nothing.
fn still_authentic(body: &[u8], mutant: &[u8]) -> bool {
    let (body, mutant) = (String::from_utf8_lossy(body), String::from_utf8_lossy(mutant));
    ["Username>", "#PasswordDigest\">", "#Base64Binary\">", "utility-1.0.xsd\">"].iter().all(|before| {
        let value = body.split_once(before).and_then(|(_, rest)| rest.split_once('<')).unwrap().0;
        mutant.contains(value)
    })
}

fn status(device: &Device, body: &[u8]) -> u16 {
    device.answer(&asked(body)).status
}

#[test]
fn attack_a_token_is_good_once() {
    let device = then();
    let body = captured("zeep-get-profiles");
    assert_eq!(status(&device, body), 200);
    let again = (0..1_000).filter(|_| status(&device, body) == 200).count();
    // The same token for another call, and its nonce in another spelling of Base64.
    let text = String::from_utf8(body.to_vec()).unwrap();
    let moved = text.replace("GetProfiles", "GetVideoSources");
    let told = device.answer(&asked(moved.as_bytes()));
    assert!(told.status == 400 && told.body.contains("used before"), "{}", told.body);
    let nonce = text.split_once("#Base64Binary\">").unwrap().1.split_once('<').unwrap().0;
    let other: Vec<_> = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        .chars()
        .filter(|c| {
            status(&device, text.replace(nonce, &format!("{}{c}==", &nonce[..nonce.len() - 3])).as_bytes())
                == 200
        })
        .collect();
    println!("1000 replays: {again} answered; 64 spellings of the nonce: {} answered", other.len());
    assert_eq!((again, other.len()), (0, 0));
    assert!(device.refused()[&Refusal::Replayed] >= 1_001);
}

#[test]
fn attack_a_token_from_the_past_or_the_future_is_refused() {
    let mut taken = Vec::new();
    for offset in -1_000_i64..=1_000 {
        let now = 1_795_348_800_u64.saturating_add_signed(offset);
        let now = placet_core::UtcTime::from_unix_seconds(now).unwrap().to_string();
        let device = device(Reach::Arrival { port: 80 }, stopped(&now));
        if status(&device, captured("zeep-get-profiles")) == 200 {
            taken.push(offset);
        }
    }
    println!("2001 clocks: taken from {:?} to {:?} s after the token", taken.first(), taken.last());
    assert_eq!((taken.first(), taken.last(), taken.len()), (Some(&-60), Some(&300), 361));
}

#[test]
fn attack_wrong_digests_and_missing_namespaces_are_refused() {
    let text = String::from_utf8(captured("zeep-get-profiles").to_vec()).unwrap();
    let digest = text.split_once("#PasswordDigest\">").unwrap().1.split_once('<').unwrap().0;
    let mut tried = 0;
    for at in 0..digest.len() {
        for wrong in b"Ab0+/= " {
            let mut other = digest.as_bytes().to_vec();
            if other[at] == *wrong {
                continue;
            }
            other[at] = *wrong;
            tried += 1;
            let other = text.replace(digest, std::str::from_utf8(&other).unwrap());
            assert_eq!(status(&then(), other.as_bytes()), 400);
        }
    }
    for (name, from, to) in [
        ("no envelope's namespace", "http://www.w3.org/2003/05/soap-envelope", "urn:other"),
        ("SOAP 1.1", "http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/"),
        ("no security's namespace", "wssecurity-secext-1.0.xsd", "other"),
        ("no utility's namespace", "wssecurity-utility-1.0.xsd", "other"),
        ("no action's namespace", "http://www.onvif.org/ver10/media/wsdl", ""),
        ("another service", "ver10/media/wsdl", "ver10/device/wsdl"),
        ("an empty digest", digest, ""),
        ("another user", ">recorder<", ">Recorder<"),
        ("no user", ">recorder<", "><"),
        ("clear by name", "#PasswordDigest", "#PasswordText"),
        ("no type", "#PasswordDigest", ""),
        ("two bodies", "</soap-env:Envelope>", "<soap-env:Body/></soap-env:Envelope>"),
    ] {
        let other = text.replace(from, to);
        assert_ne!(other, text, "{name}");
        let told = then().answer(&asked(other.as_bytes()));
        tried += 1;
        assert!(told.status != 200 && !betrays(&told), "{name}: {}", told.body);
    }
    println!("{tried} forged requests refused");
}

#[test]
fn attack_http_digest_is_bound_to_its_request_and_good_once() {
    let device = then();
    let body = envelope("media", "<GetProfiles/>");
    let plain = asked(body.as_bytes());
    let challenge = device.answer(&plain).challenge.unwrap();
    let good = authorization(&challenge, PASSWORD, "POST", MEDIA_PATH);
    let ask = |header: &str| device.answer(&Asked { authorization: Some(header), ..plain });
    assert_eq!(ask(&good).status, 200);
    let (mut tried, mut answered) = (0, 0);
    let mut attempt = |header: &str| {
        tried += 1;
        answered += usize::from(ask(header).status == 200);
    };
    for _ in 0..1_000 {
        attempt(&good);
    }
    for at in 0..good.len() {
        attempt(&good[..at]);
        for wrong in ["x", "\"", ",", "0", ""] {
            attempt(&format!("{}{wrong}{}", &good[..at], &good[at + 1..]));
        }
    }
    for header in [
        authorization(&challenge, "wrong", "POST", MEDIA_PATH),
        authorization(&challenge, PASSWORD, "GET", MEDIA_PATH),
        authorization(&challenge, PASSWORD, "POST", "/onvif/other"),
        authorization(&challenge.replace("qop=\"auth\", ", ""), PASSWORD, "POST", MEDIA_PATH),
        good.replace("Digest", "Basic"),
        "Basic cmVjb3JkZXI6Y29ycmVjdCBob3JzZSAmIGJhdHRlcnk=".to_owned(),
        String::new(),
        format!("{good}, {good}"),
        "Digest ".to_owned() + &"a=b, ".repeat(100_000),
    ] {
        attempt(&header);
    }
    // A device that started anew has another secret.
    let other = then().answer(&Asked { authorization: Some(&good), ..plain });
    assert!(other.status == 401 && other.challenge.unwrap().contains("stale=true"));
    println!("{tried} forged or repeated headers: {answered} answered");
    assert_eq!(answered, 0);
}

/// The status with which a picture is answered, and the challenge where there is one.
async fn ask_picture(at: SocketAddr, authorization: Option<String>) -> (String, Option<String>) {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let header = authorization.map(|said| format!("Authorization: {said}\r\n")).unwrap_or_default();
    let asked = format!("GET {PICTURE_PATH} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n{header}\r\n");
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    let challenge = said.lines().find_map(|line| line.strip_prefix("www-authenticate: "));
    (said.split(' ').nth(1).unwrap().to_owned(), challenge.map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_guessing_is_slow_from_however_many_connections_and_costs_nobody_else() {
    let served = stage::served(placet_onvif::device::system_clock()).await;
    let at = served.at;
    let answered = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let guessers: Vec<_> = (0..24)
        .map(|guesser| {
            let answered = Arc::clone(&answered);
            tokio::spawn(async move {
                for guess in 0.. {
                    let challenge = ask_picture(at, None).await.1.unwrap();
                    let password = format!("guess {guesser} {guess}");
                    let said = authorization(&challenge, &password, "GET", PICTURE_PATH);
                    assert_eq!(ask_picture(at, Some(said)).await.0, "401");
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    // Whoever knows the password is let in many times before the first who guess are all answered.
    let mut let_in = 0;
    while answered.load(Ordering::SeqCst) < 3 {
        let challenge = ask_picture(at, None).await.1.unwrap();
        let said = authorization(&challenge, PASSWORD, "GET", PICTURE_PATH);
        assert_eq!(ask_picture(at, Some(said)).await.0, "200");
        let_in += 1;
    }
    let (guesses, took) = (answered.load(Ordering::SeqCst), begun.elapsed());
    guessers.iter().for_each(tokio::task::JoinHandle::abort);
    assert!(took >= Duration::from_millis(1000), "{guesses} in {took:?}");
    assert!(let_in > guesses, "{let_in}");
    println!(
        "24 connections guessed {guesses} times in {took:.1?}; the right password was let in {let_in} times"
    );
}
