use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use placet_core::{Frame, Layout, Pts};
use placet_ingest::video::{
    Codec, CodedFrame, CodedReader, Container, DecodeOptions, Decoder, EncodeSpec, Expected, Joiner,
    PieceEncoder, check_written, decode_delay, expected_pts,
};
use placet_redaction::RedactedFrame;

use crate::decoding::read;
use crate::making::{Studio, ffprobe, tools};

/// Groups in decoding order, each from an IDR picture on.
fn groups(input: &Path) -> (Vec<Vec<CodedFrame>>, placet_ingest::video::ParameterSets) {
    let (info, packets) = read(input);
    let mut reader = CodedReader::open(&tools(), &info, &packets).unwrap();
    let mut groups: Vec<Vec<CodedFrame>> = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        if frame.idr {
            groups.push(Vec::new());
        }
        groups.last_mut().unwrap().push(frame);
    }
    (groups, reader.parameter_sets().clone())
}

fn frames(input: &Path, range_of_pts: Option<(Pts, Pts)>) -> Vec<Frame> {
    let (info, packets) = read(input);
    let mut decoder =
        Decoder::open(&tools(), &info, &packets, DecodeOptions { range_of_pts, ..DecodeOptions::default() })
            .unwrap();
    let mut all = Vec::new();
    let mut frame = Frame::new(info.video.size, Layout::Yuv420);
    while decoder.read_into(&mut frame).unwrap().is_some() {
        assert!(decoder.lost().is_empty());
        all.push(frame.clone());
    }
    assert!(decoder.lost().is_empty());
    all
}

/// Copies every second group, hides all of the others. What was copied, by its place among all frames.
fn join_every_second(input: &Path, output: &Path, first_copied: bool) -> BTreeMap<usize, Frame> {
    let (info, packets) = read(input);
    let (groups, mut sets) = groups(input);
    assert!(groups.len() >= 3);
    std::fs::write(output, "").unwrap();
    let container = Container::for_extension(output).unwrap();
    let spec = EncodeSpec::like(&info, output, container, Codec::H264, info.audio.clone(), false);
    let id = sets.free_id().unwrap();
    let piece = |sink| PieceEncoder::create(&tools(), &spec, id, sink).unwrap();
    let black = |pts| {
        let mut frame = Frame::new(info.video.size, Layout::Yuv420);
        frame.pts = pts;
        RedactedFrame::whole(frame)
    };
    let mut trial = piece(Box::new(|_| Ok(())));
    trial.write(&black(spec.first)).unwrap();
    sets.join(&trial.finish().unwrap()).unwrap();
    let joiner = Arc::new(Mutex::new(
        Joiner::create(&tools(), &spec, &sets, expected_pts(&packets), decode_delay(&packets)).unwrap(),
    ));
    let original = frames(input, None);
    let mut copied = BTreeMap::new();
    let mut copy = first_copied;
    for group in &groups {
        let mut times: Vec<Pts> = group.iter().map(|f| f.pts).collect();
        times.sort();
        if copy {
            for frame in group {
                joiner.lock().unwrap().write(frame).unwrap();
            }
            let place = |t: &Pts| original.iter().position(|f| f.pts == *t).unwrap();
            copied.extend(times.iter().map(|t| (place(t), original.get(place(t)).unwrap().clone())));
        } else {
            let out = Arc::clone(&joiner);
            let mut encoder = piece(Box::new(move |frame| out.lock().unwrap().write(&frame)));
            times.iter().for_each(|t| encoder.write(&black(*t)).unwrap());
            let needed = encoder.finish().unwrap();
            let known = sets.clone();
            sets.join(&needed).unwrap();
            assert_eq!(sets, known, "the trial told all parameter sets");
        }
        copy = !copy;
    }
    Arc::into_inner(joiner).unwrap().into_inner().unwrap().finish().unwrap();
    copied
}

#[rustfmt::skip]
const CLIPS: &[(&str, &str, &str)] = &[
    ("b-frames.mp4", "out.mp4", "-c:v libx264 -preset veryfast -bf 3 -g 12 -keyint_min 12"),
    ("deep.mp4", "out.mp4", "-c:v libx264 -preset medium -bf 8 -b_strategy 0 -g 25 -keyint_min 5 -force_key_frames 0.4,0.8,1.2"),
    ("no-b-frames.mp4", "out.mp4", "-c:v libx264 -preset ultrafast -profile:v baseline -g 10"),
    ("no-b-frames.mkv", "out.mkv", "-c:v libx264 -preset ultrafast -profile:v baseline -g 10"),
    ("b-frames.mkv", "out.mkv", "-c:v libx264 -preset veryfast -g 12 -keyint_min 12"),
    ("mov.mov", "out.mov", "-c:v libx264 -preset veryfast -g 12 -keyint_min 12"),
    ("broadcast.ts", "out.ts", "-c:v libx264 -preset veryfast -g 12 -keyint_min 12"),
    ("late.ts", "out.mp4", "-c:v libx264 -preset veryfast -g 12 -keyint_min 12 -output_ts_offset 500"),
    ("mp4.mp4", "out.ts", "-c:v libx264 -preset veryfast -g 12 -keyint_min 12"),
    ("uneven.mp4", "out.mp4", "-vf setpts=PTS+40*mod(N\\,5)/(100*TB*25) -fps_mode vfr -c:v libx264 -preset veryfast -g 10 -keyint_min 10"),
    ("full-range.mp4", "out.mp4", "-vf scale=out_range=pc -color_range pc -pix_fmt yuvj420p -c:v libx264 -preset veryfast -g 10 -keyint_min 10"),
];

#[test]
fn copied_groups_between_encoded_ones_show_the_same_frames_at_the_same_times() {
    let studio = Studio::new();
    for (n, (name, output, words)) in CLIPS.iter().enumerate() {
        let words = format!(
            "-f lavfi -i testsrc2=s=320x240:r=25:d=1.6 -f lavfi -i sine=d=1.6 -pix_fmt yuv420p -c:a aac {words}"
        );
        let input = studio.make(name, &words);
        let original = frames(&input, None);
        let times: Vec<Pts> = original.iter().map(|f| f.pts).collect();
        let (info, _) = read(&input);
        for first_copied in [true, false] {
            let output = studio.path(&format!("{n}-{first_copied}-{output}"));
            let copied = join_every_second(&input, &output, first_copied);
            check_written(&tools(), &output, &Expected::like(&info, &times, 1))
                .unwrap_or_else(|e| panic!("{name}: {e}"));
            let joined = frames(&output, None);
            assert_eq!(joined.len(), original.len(), "{name}");
            for (at, frame) in joined.iter().enumerate() {
                match copied.get(&at) {
                    Some(same) => assert!(frame.bytes() == same.bytes(), "{name}: frame {at} is another"),
                    None => {
                        let luma = &frame.bytes()[..320 * 240];
                        let (least, most) = (luma.iter().min().unwrap(), luma.iter().max().unwrap());
                        assert!(most - least < 8, "{name}: frame {at} shows something, {least} to {most}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_a_camera_hides_beside_the_picture_is_not_copied() {
    let studio = Studio::new();
    let secret = "086f3693-b7b3-4f2c-9653-21492feee5b8+at_home_52.5_13.4";
    let input = studio.clip(
        "told.mp4",
        "320x240",
        &format!("-c:v libx264 -g 5 -bsf:v h264_metadata=sei_user_data={secret}"),
    );
    assert!(String::from_utf8_lossy(&std::fs::read(&input).unwrap()).contains("at_home"));
    let output = studio.path("out.mp4");
    join_every_second(&input, &output, true);
    let bytes = std::fs::read(&output).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("at_home"));
    assert!(!String::from_utf8_lossy(&bytes).contains("x264"), "nor the encoder's settings");
    assert_eq!(ffprobe(&output, "stream=nb_frames"), "25");
}

#[test]
fn open_groups_have_one_start() {
    let studio = Studio::new();
    let input = studio.clip(
        "open.mp4",
        "320x240",
        "-c:v libx264 -preset veryfast -x264opts open-gop=1:keyint=8:bframes=3",
    );
    let (_, packets) = read(&input);
    assert!(packets.iter().filter(|p| p.key).count() > 1, "the file calls its groups key frames");
    let (groups, _) = groups(&input);
    assert_eq!(groups.len(), 1);
}
