//! What a camera answers, and what answers a search on the local network.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_onvif::client::answer::{self, MediaAddress};
use placet_onvif::discovery::{Announced, Found};

fuzz_target!(|answer: &[u8]| {
    let _ = (answer::clock(answer), answer::services(answer), answer::capabilities(answer));
    if let Ok(profiles) = answer::profiles(answer) {
        assert!(profiles.len() <= 256, "more profiles than are read");
        for profile in profiles {
            assert!(!profile.token.is_empty());
            assert!(
                profile.size.is_none_or(|size| size.width > 0 && size.height > 0),
                "a size that no frame has"
            );
            assert!(profile.fps.is_none_or(|fps| fps.is_finite() && fps > 0.0), "a rate that no stream has");
        }
    }
    if let Ok(Some(uri)) = answer::uri(answer)
        && let Some(address) = MediaAddress::of(&uri, &["rtsp", "http"], "192.0.2.7")
    {
        let authority =
            address.url.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
        assert!(authority.is_some_and(|authority| !authority.contains('@')), "a user stays in the address");
    }
    for announced in Announced::read(answer, "urn:uuid:1").unwrap_or_default() {
        let found = Found::of(announced, [192, 0, 2, 7].into());
        assert!(
            found.addresses.iter().all(|address| address.url.starts_with("http")),
            "an address of another kind"
        );
        assert!(
            found.name.is_none_or(|name| !name.chars().any(char::is_control)),
            "a name that moves cursors"
        );
    }
});
