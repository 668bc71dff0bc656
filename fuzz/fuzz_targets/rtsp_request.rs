//! What a client sends to the RTSP server, in two pieces: read or refused, and no answer says more than its own lines.

#![no_main]

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use placet_rtsp::message::{Inbound, Inbox, Response};
use placet_rtsp::{Admission, Conversation, Limits, Step, Users};

fn admission(kind: u8) -> Admission {
    if kind & 1 == 0 {
        return Admission::Anybody;
    }
    let mut users = Users::new("placet").expect("a realm");
    users.add("recorder", "secret").expect("a user");
    Admission::Users(users)
}

fn check(response: &Response, cseq: u32) {
    let text = String::from_utf8(response.to_bytes()).expect("answers are text");
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    assert!(head.starts_with("RTSP/1.0 ") && head.contains(&format!("\r\nCSeq: {cseq}\r\n")));
    assert!(
        head.split("\r\n").skip(1).all(|line| line.contains(": ") && !line.contains(['\r', '\n'])),
        "{head}"
    );
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let (now, mut count) = (Instant::now(), 0_u8);
    let random = move || {
        count = count.wrapping_add(1);
        let mut bytes = [0; 16];
        bytes[15] = count.wrapping_sub(1);
        bytes
    };
    let mut conversation = Conversation::new(Arc::new(admission(*kind)), Limits::default(), random, now);
    let mut inbox = Inbox::new();
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    for part in [first, rest] {
        inbox.push(part);
        while let Ok(Some(message)) = inbox.next() {
            let Inbound::Request(request) = message else { continue };
            let step = conversation.ask(&request, |name| name == "hall-north", now);
            assert!(
                *kind & 1 == 0 || !matches!(step, Step::Describe(_) | Step::Play(_) | Step::OpenPorts(..))
            );
            let response = match step {
                Step::Answer(response)
                | Step::Farewell(response)
                | Step::Pause(response)
                | Step::TearDown(response) => response,
                Step::Describe(asked) => conversation.described(&asked, None, IpAddr::from([0; 4]), 1),
                Step::OpenPorts(asked, rtp, rtcp) => {
                    assert!(rtp >= 1024 && rtcp >= 1024);
                    conversation.ported(&asked, Some((rtp, rtcp)))
                }
                Step::Play(asked) => conversation.played(&asked, 1, None),
            };
            check(&response, request.cseq);
        }
    }
});
