//! The fragmented MP4 as ffprobe and ffmpeg read it.

use std::process::Command;

use placet_core::Pts;
use placet_feed::ParameterSets;
use placet_view::fmp4::{Fragments, initialisation};

use crate::camera::studio;
use crate::studio::{LARGE, SMALL};

fn run(program: &str, words: &str, file: &std::path::Path) -> String {
    let words = words.split(' ').map(|word| word.replace("{}", file.to_str().unwrap()));
    let run = Command::new(program).args(words).output().unwrap();
    let error = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && error.is_empty(), "{program}: {error}");
    String::from_utf8(run.stdout).unwrap()
}

#[test]
fn tools_read_each_picture_at_its_time_and_decode_it() {
    let dir = tempfile::tempdir().unwrap();
    for (size, name) in [(SMALL, "small.mp4"), (LARGE, "large.mp4")] {
        let mut studio = studio(size);
        let mut fragments = Fragments::new();
        // The clock is far on, and between the 20th and the next picture a second is missing.
        let times: Vec<i64> =
            (0..40).map(|n| 7_000_000_000 + n * 6_000 + if n >= 20 { 90_000 } else { 0 }).collect();
        let units: Vec<_> = times.iter().map(|pts| studio.unit(Pts(*pts))).collect();
        let sets = ParameterSets::of(units[0].nals(), units[0].size()).unwrap();
        let mut all = initialisation(&sets);
        units.iter().for_each(|unit| all.extend(fragments.next(unit)));
        let file = dir.path().join(name);
        std::fs::write(&file, &all).unwrap();
        let packets = run("ffprobe", "-v error -show_entries packet=pts,flags -of csv=p=0 {}", &file);
        let told: Vec<(i64, bool)> = packets
            .lines()
            .map(|line| {
                let mut fields = line.split(',');
                (fields.next().unwrap().parse().unwrap(), fields.next().unwrap().starts_with('K'))
            })
            .collect();
        let wanted: Vec<(i64, bool)> =
            units.iter().map(|unit| (unit.pts().0 - times[0], unit.key())).collect();
        assert_eq!(told, wanted);
        let stream = run(
            "ffprobe",
            "-v error -show_entries stream=codec_name,codec_tag_string,width,height,time_base -of csv=p=0 {}",
            &file,
        );
        assert_eq!(stream.trim(), format!("h264,avc1,{},{},1/90000", size.width, size.height));
        let sums = run("ffmpeg", "-v error -xerror -i {} -f framemd5 -", &file);
        assert_eq!(sums.lines().filter(|line| !line.starts_with('#')).count(), 40);
        let boxes = run("ffprobe", "-v error -show_entries format=format_name -of csv=p=0 {}", &file);
        assert!(boxes.contains("mp4"));
    }
}
