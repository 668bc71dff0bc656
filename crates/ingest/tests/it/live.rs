//! Coded pictures in and out of locked-in children, one by one.

use std::fs::File;
use std::sync::Arc;

use placet_core::{AccessUnit, Codec, Frame, Layout, Pts, Size};
use placet_ingest::live::{
    DecodeSpec, DecodeTrouble, LiveEncoder, LiveSpec, RedactedPicture, RedactedUnit, decode,
};
use placet_ingest::nut::Reader;
use placet_redaction::{Coding, Fill, RedactedFrame, Scratch, redact};

use crate::making::{Studio, tools};

const SIZE: Size = Size { width: 320, height: 176 };
const CLIP: Size = Size { width: 640, height: 360 };
/// Fifteen pictures a second.
const STEP: i64 = 6_000;

fn picture(idx: i64) -> RedactedFrame {
    let mut frame = Frame::new(SIZE, Layout::Yuv420);
    for (n, sample) in frame.bytes_mut().iter_mut().enumerate() {
        *sample = 40 + ((n as i64 / 7 + idx * 5) % 150) as u8;
    }
    frame.pts = Pts(1_000 + idx * STEP);
    redact(frame, &[], &Fill::BLACK, Coding::default(), &mut Scratch::new())
}

fn units(count: i64) -> Vec<RedactedUnit> {
    let (mut encoder, mut reader) = LiveEncoder::open(&tools(), LiveSpec::new(SIZE, 15)).unwrap();
    (0..count)
        .map(|idx| {
            encoder.write(&picture(idx)).unwrap();
            // Nothing more is written before this one came out.
            reader.next_unit().unwrap().unwrap()
        })
        .collect()
}

fn as_camera(unit: &RedactedUnit) -> AccessUnit {
    AccessUnit { codec: Codec::H264, data: unit.shared(), pts: unit.pts(), key: unit.key() }
}

#[test]
fn each_redacted_frame_leaves_before_the_next_one_comes() {
    let units = units(40);
    for (idx, unit) in (0..).zip(&units) {
        assert_eq!(unit.pts(), Pts(1_000 + idx * STEP));
        assert_eq!(unit.key(), idx % 15 == 0);
        assert_eq!(unit.size(), SIZE);
        let kinds: Vec<u8> = unit.nals().map(|nal| nal[0] & 31).collect();
        assert_eq!(kinds.contains(&7) && kinds.contains(&8) && kinds.contains(&5), unit.key(), "{kinds:?}");
    }
}

#[test]
fn each_coded_picture_is_decoded_before_the_next_one_comes() {
    let (mut feeder, mut frames) = decode(&tools(), DecodeSpec::new(Codec::H264, SIZE)).unwrap();
    let mut frame = Frame::new(Size { width: 2, height: 2 }, Layout::Yuv420);
    for (idx, unit) in (0..).zip(units(20)) {
        feeder.write(&as_camera(&unit)).unwrap();
        assert_eq!(frames.read_into(&mut frame).unwrap(), Some(unit.pts()));
        assert_eq!((frame.size(), frame.pts), (SIZE, unit.pts()));
        let expected = picture(idx);
        let off: u64 = expected
            .as_frame()
            .bytes()
            .iter()
            .zip(frame.bytes())
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        assert!(off / (frame.bytes().len() as u64) < 8, "frame {idx} is {off} off");
    }
    drop(feeder);
    assert_eq!(frames.read_into(&mut frame).unwrap(), None);
}

/// The coded pictures of a clip, as ffmpeg wrote them.
fn clip(codec: Codec, words: &str) -> Vec<AccessUnit> {
    let studio = Studio::new();
    let path = studio.clip("clip.nut", "640x360", words);
    let mut reader = Reader::open(File::open(path).unwrap(), 1 << 20).unwrap();
    let mut units = Vec::new();
    while let Some(head) = reader.next_frame().unwrap() {
        let mut data = vec![0; head.len];
        reader.fill(&mut data).unwrap();
        let pts = Pts(head.pts.0 * 90_000 / i64::from(reader.header().time_base.den()));
        units.push(AccessUnit { codec, data: Arc::from(data), pts, key: head.key });
    }
    units
}

#[test]
fn every_codec_of_cameras_is_decoded_at_once() {
    let low = "-tune zerolatency -threads 1";
    for (codec, words) in [
        (Codec::H264, format!("-c:v libx264 {low} -x264-params repeat-headers=1")),
        (Codec::H265, format!("-c:v libx265 {low} -x265-params repeat-headers=1:log-level=error:bframes=0")),
        (Codec::Jpeg, "-c:v mjpeg -pix_fmt yuvj420p".to_owned()),
        (Codec::Jpeg, "-c:v mjpeg -pix_fmt yuvj422p".to_owned()),
    ] {
        let units = clip(codec, &words);
        assert_eq!(units.len(), 25, "{words}");
        let (mut feeder, mut frames) = decode(&tools(), DecodeSpec::new(codec, CLIP)).unwrap();
        let mut frame = Frame::new(SIZE, Layout::Yuv420);
        for unit in &units {
            feeder.write(unit).unwrap();
            assert_eq!(frames.read_into(&mut frame).unwrap(), Some(unit.pts), "{words}");
        }
        assert_eq!(frames.size(), Some(Size { width: 640, height: 360 }));
    }
}

#[test]
fn a_damaged_picture_does_not_come_and_the_decoder_goes_on_at_the_next_that_decodes_alone() {
    let mut units: Vec<AccessUnit> = units(46).iter().map(as_camera).collect();
    let half = units[20].data.len() / 2;
    let spoilt = units[20].data[..half].to_vec();
    units[20].data = Arc::from(spoilt);
    let (mut feeder, mut frames) = decode(&tools(), DecodeSpec::new(Codec::H264, SIZE)).unwrap();
    for unit in &units {
        feeder.write(unit).unwrap();
    }
    drop(feeder);
    let mut frame = Frame::new(SIZE, Layout::Yuv420);
    let mut came = Vec::new();
    while let Some(pts) = frames.read_into(&mut frame).unwrap() {
        came.push((pts.0 - 1_000) / STEP);
    }
    assert!(!came.contains(&20), "{came:?}");
    assert!((0..20).chain(30..46).all(|idx| came.contains(&idx)), "{came:?}");
}

#[test]
fn a_picture_larger_than_allowed_is_refused_with_its_size() {
    let spec = DecodeSpec { max_pixels: 640 * 359, ..DecodeSpec::new(Codec::H264, CLIP) };
    let refused = decode(&tools(), spec).err();
    assert!(matches!(refused, Some(DecodeTrouble::TooLarge { size: CLIP, .. })), "{refused:?}");
    // Nor is one that lies about it.
    let units = clip(Codec::H264, "-c:v libx264 -tune zerolatency -x264-params repeat-headers=1");
    let spec = DecodeSpec { max_pixels: 640 * 359, ..DecodeSpec::new(Codec::H264, SIZE) };
    let (mut feeder, mut frames) = decode(&tools(), spec).unwrap();
    let _ = feeder.write(&units[0]);
    drop(feeder);
    let mut frame = Frame::new(SIZE, Layout::Yuv420);
    let error = frames.read_into(&mut frame).unwrap_err();
    assert!(matches!(error, DecodeTrouble::Child(_)), "{error:?}");
}

#[test]
fn attack_a_picture_of_another_shape_is_never_squeezed_into_the_first() {
    let coded = |size: Size| {
        let (mut encoder, mut reader) = LiveEncoder::open(&tools(), LiveSpec::new(size, 15)).unwrap();
        let mut frame = Frame::new(size, Layout::Yuv420);
        frame.pts = Pts(if size == SIZE { 1_000 } else { 9_000 });
        encoder.write(&RedactedFrame::whole(frame)).unwrap();
        as_camera(&reader.next_unit().unwrap().unwrap())
    };
    let turned = Size { width: SIZE.height, height: SIZE.width };
    let shapes = [turned, Size { width: 320, height: 64 }, Size { width: 64, height: 320 }];
    for shape in shapes {
        for said in [SIZE, shape] {
            let (mut feeder, mut frames) = decode(&tools(), DecodeSpec::new(Codec::H264, said)).unwrap();
            for unit in [coded(SIZE), coded(shape)] {
                let _ = feeder.write(&unit);
            }
            drop(feeder);
            let mut frame = Frame::new(SIZE, Layout::Yuv420);
            let mut came = Vec::new();
            let end = loop {
                match frames.read_into(&mut frame) {
                    Ok(Some(pts)) => came.push((pts, frame.size())),
                    end => break end,
                }
            };
            // Of both only the one that was announced, and not even that one behind the other.
            let first: &[_] = if said == SIZE { &[(Pts(1_000), SIZE)] } else { &[] };
            assert_eq!(came, first, "{said:?} said, then {shape:?}");
            assert!(matches!(end, Err(DecodeTrouble::Shape)), "{end:?}");
        }
    }
    println!("{} streams that change their shape, 0 pictures squeezed", 2 * shapes.len());
}

#[test]
fn wide_pictures_are_scaled_down_where_asked() {
    let units = units(1);
    let spec = DecodeSpec { max_width: 161, ..DecodeSpec::new(Codec::H264, SIZE) };
    let (mut feeder, mut frames) = decode(&tools(), spec).unwrap();
    feeder.write(&as_camera(&units[0])).unwrap();
    let mut frame = Frame::new(SIZE, Layout::Yuv420);
    frames.read_into(&mut frame).unwrap();
    assert_eq!(frame.size(), Size { width: 160, height: 88 });
}

#[test]
fn a_picture_for_a_page_is_a_jpeg_of_the_redacted_frame() {
    let picture = RedactedPicture::of(&RedactedFrame::whole(Frame::new(SIZE, Layout::Yuv420)), 80).unwrap();
    let image = image::load_from_memory(picture.data()).unwrap().to_luma8();
    assert_eq!(image.dimensions(), (SIZE.width, SIZE.height));
    assert!(image.pixels().all(|p| p.0[0].abs_diff(130) < 3));
}
