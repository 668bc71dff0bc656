//! What anybody may ask of our device and of its discovery: a header and an envelope, split at the first zero byte.

#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use placet_onvif::Credentials;
use placet_onvif::device::{Access, Asked, Camera, Cameras, Config, Device, Reach};
use placet_onvif::discovery::{Announced, Asked as Probe};

struct One;

impl Cameras for One {
    fn cameras(&self) -> Vec<Camera> {
        vec![Camera {
            id: "hall".to_owned(),
            name: "Hall".to_owned(),
            size: placet_core::Size { width: 1280, height: 720 },
            fps: 15,
            key_interval: 15,
            kbits: 2_048,
            stream_path: "/hall".to_owned(),
            snapshot_path: None,
        }]
    }
}

static DEVICE: LazyLock<Device> = LazyLock::new(|| {
    let config = Config {
        uuid: [7; 16],
        name: "Town".to_owned(),
        location: None,
        version: "9.9.9".to_owned(),
        reach: Reach::Arrival { port: 80 },
        rtsp_port: 554,
    };
    let user = Credentials::new("recorder", "what no fuzzer guesses".to_owned()).expect("a user");
    let access = Access::new(vec![user]).expect("one user");
    let then = "2026-11-22T12:00:00Z".parse().expect("a time");
    Device::new(config, access, Arc::new(One), Arc::new(move || then))
});

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let (authorization, body) = match second {
        Some(body) => (std::str::from_utf8(first).ok(), body),
        None => (None, first),
    };
    let asked =
        Asked { body, authorization, target: "/onvif/media_service", arrived: Some([192, 0, 2, 1].into()) };
    let told = DEVICE.answer(&asked);
    assert!(matches!(told.status, 200 | 400 | 401 | 500));
    for secret in ["hall", "Hall", "Town", "9.9.9", "rtsp:"] {
        assert!(!told.body.contains(secret), "somebody without a password was told `{secret}`");
    }
    if let Ok(probe) = Probe::read(body)
        && let Some(answer) = DEVICE.announcement().answer(&probe, "http://192.0.2.1/", "urn:uuid:2", 1)
        && let Probe::Probe { id, .. } = probe
    {
        assert!(Announced::read(answer.as_bytes(), &id).is_ok(), "our own answer cannot be read: {answer}");
        assert!(answer.len() <= 8 * body.len() + 4_096, "an answer much longer than its probe");
    }
});
