use std::path::Path;
use std::process::Command;

use placet_camera::{Camera, Event, Timing, Trouble};
use placet_core::{Codec, Pts};
use placet_proxy::{Clock, FilmSource};

use crate::rig::tools;

fn make(path: &Path, words: &str) {
    let run = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-nostdin",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=320x240:r=25:d=0.4",
            "-pix_fmt",
            "yuv420p",
        ])
        .args(words.split_whitespace())
        .arg(path)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

async fn shown(path: &Path, units: usize) -> (Vec<Codec>, Vec<Pts>, Vec<Trouble>) {
    let clock = Clock::start();
    let source = FilmSource::new(tools(), path);
    let mut camera = Camera::start(source, Timing::default(), move || clock.now());
    let (mut codecs, mut times, mut troubles) = (Vec::new(), Vec::new(), Vec::new());
    while times.len() < units && troubles.len() < 2 {
        match camera.next().await.unwrap() {
            Event::Connected(stream) | Event::Changed(stream) => codecs.push(stream.codec),
            Event::Unit(unit) => times.push(unit.pts),
            Event::Trouble(trouble) => troubles.push(trouble),
            Event::Skipped(_) => {}
        }
    }
    camera.close().await;
    (codecs, times, troubles)
}

#[tokio::test]
async fn files_of_a_folder_are_shown_one_after_the_other_and_again() {
    let dir = tempfile::tempdir().unwrap();
    make(&dir.path().join("a.mp4"), "-c:v libx264 -bf 0");
    // Frames in another order, and a codec no camera has: encoded on the way.
    make(&dir.path().join("b.mp4"), "-c:v libx264 -bf 2");
    make(&dir.path().join("c.webm"), "-c:v libvpx-vp9 -deadline realtime");
    make(&dir.path().join("d.mkv"), "-c:v libx265 -x265-params bframes=0:log-level=error");
    let (codecs, times, troubles) = shown(dir.path(), 60).await;
    assert_eq!(troubles, []);
    assert!(codecs.contains(&Codec::H264) && codecs.contains(&Codec::H265), "{codecs:?}");
    assert!(times.windows(2).all(|w| w[0] < w[1]), "{times:?}");
    // Sixty pictures at 25 a second take 2.4 seconds, however fast they can be read.
    let took = times[59].0 - times[0].0;
    assert!((180_000..=300_000).contains(&took), "{took} ticks");
}

#[tokio::test]
async fn what_is_no_film_is_told() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(shown(dir.path(), 1).await.2[0], Trouble::NoVideo);
    let missing = shown(&dir.path().join("nowhere.mp4"), 1).await.2;
    assert_eq!(missing[0], Trouble::Unreachable(std::io::ErrorKind::NotFound));
    std::fs::write(dir.path().join("text.mp4"), "no film").unwrap();
    assert_eq!(shown(dir.path(), 1).await.2[0], Trouble::Malformed { what: "the video file" });
}
