//! What ffprobe answers about a file from anywhere.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_ingest::video::{Container, FileStamp, MediaInfo};

fuzz_target!(|answer: &[u8]| {
    let _ = Container::of_content(answer);
    let Ok(stamp) = FileStamp::of(".".as_ref()) else { return };
    let Ok(info) = MediaInfo::of_answer("a.mp4".into(), stamp, answer) else { return };
    let size = info.video.size;
    assert!(size.width > 0 && size.height > 0, "a size that no frame has");
    for container in Container::ALL {
        let _ = container.default_codec(&info);
    }
});
