use std::time::{Duration, Instant};

use placet_core::{AccessUnit, Codec, Pts};
use placet_feed::State;
use placet_proxy::Input;

use crate::rig::{Rig, Searcher, clip, decoded, is_covered};

#[test]
fn a_face_before_a_camera_is_hidden_from_the_first_picture_to_the_last() {
    for codec in [Codec::H264, Codec::H265, Codec::Jpeg] {
        let clip = clip("640x360", 60, codec);
        let mut searcher = Searcher::new();
        let rig = Rig::start(clip);
        let units = rig.view(|units| units.len() >= 90);
        let report = rig.channel.status().report();
        let frames = decoded(&units);
        assert_eq!(frames.len(), 90);
        let shown = frames.iter().filter(|f| !is_covered(f)).count();
        let faces = frames.iter().filter(|f| !searcher.faces(f).is_empty()).count();
        println!("{codec:?}: {shown} of 90 pictures shown, {faces} with a face; {report:?}");
        assert_eq!(faces, 0);
        assert!(shown > 60);
        assert!(units.windows(2).all(|w| w[0].pts() < w[1].pts()));
        assert_eq!(report.state, State::Live);
        assert_eq!(report.covered.iter().sum::<u64>() + report.left, report.decoded - waiting(&report));
    }
}

fn waiting(report: &placet_proxy::Report) -> u64 {
    report.decoded - report.left - report.covered.iter().sum::<u64>() - report.dropped
}

#[test]
fn a_camera_that_goes_away_shows_covered_pictures_and_comes_back_in_another_size() {
    let (small, large) = (clip("320x240", 30, Codec::H264), clip("640x360", 30, Codec::H265));
    let rig = Rig::without_camera();
    let input = rig.channel.input().unwrap();
    let feed = |clip: &[AccessUnit]| {
        let start = rig.clock.now().0;
        for (idx, unit) in (0..).zip(clip) {
            let pts = start + idx * 6_000;
            while rig.clock.now().0 < pts {
                std::thread::park_timeout(Duration::from_millis(2));
            }
            input.send(Input::Unit(AccessUnit { pts: Pts(pts), ..unit.clone() })).unwrap();
        }
    };
    let mut searcher = Searcher::new();
    let units = std::thread::scope(|scope| {
        let viewer = scope.spawn(|| {
            rig.view(|units| {
                units.last().is_some_and(|u| u.size().width == 640)
                    && rig.channel.status().report().decoded >= 55
            })
        });
        feed(&small);
        input.send(Input::Away("unplugged".to_owned())).unwrap();
        let away = Instant::now();
        while away.elapsed() < Duration::from_millis(3500) {
            std::thread::park_timeout(Duration::from_millis(10));
        }
        assert_eq!(rig.channel.status().report().state, State::away("unplugged"));
        feed(&large);
        viewer.join().unwrap()
    });
    let frames = decoded(&units);
    let covered = frames.iter().filter(|f| is_covered(f)).count();
    assert!(covered >= 2, "{covered} covered of {}", frames.len());
    assert!(frames.iter().all(|f| searcher.faces(f).is_empty()));
    assert!(frames.iter().any(|f| f.size().width == 320) && frames.iter().any(|f| f.size().width == 640));
}

#[test]
fn nothing_is_encoded_while_nobody_watches_and_a_single_picture_can_be_had() {
    let rig = Rig::start(clip("640x360", 60, Codec::H264));
    let patience = Instant::now() + Duration::from_secs(60);
    while rig.channel.status().report().left < 10 {
        assert!(Instant::now() < patience, "{:?}", rig.channel.status().report());
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let report = rig.channel.status().report();
    assert_eq!((report.encoded, report.starts.1), (0, 0));
    let picture = rig.snapshot().unwrap();
    assert!(picture.data().starts_with(&[0xff, 0xd8]));
    assert_eq!(rig.channel.status().report().starts.1, 0);
}
