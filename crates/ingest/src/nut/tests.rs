use std::process::{Command, Stdio};

use placet_core::{Layout, Pts, Size, TimeBase};
use proptest::prelude::*;

use super::*;

fn header(width: u32, height: u32) -> Header {
    Header {
        fourcc: *b"I420",
        size: Size { width, height },
        time_base: TimeBase::new(1001, 30000).unwrap(),
        sample_aspect: Some(Ratio { num: 4, den: 3 }),
        frame_rate: None,
    }
}

fn written(header: Header, frames: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let mut writer = Writer::create(Vec::new(), header).unwrap();
    for (pts, data) in frames {
        writer.write(Pts(*pts), data).unwrap();
    }
    writer.into_inner()
}

fn read_all(bytes: &[u8], most: usize) -> Result<Vec<(i64, Vec<u8>)>, NutError> {
    let mut reader = Reader::open(bytes, most)?;
    let mut frames = Vec::new();
    while let Some(head) = reader.next_frame()? {
        let mut data = vec![0; head.len];
        reader.fill(&mut data)?;
        frames.push((head.pts.0, data));
    }
    Ok(frames)
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        frames in prop::collection::vec((0..i64::MAX >> 8, prop::collection::vec(any::<u8>(), 0..9000)), 0..6),
    ) {
        let bytes = written(header(5, 3), &frames);
        let reader = Reader::open(bytes.as_slice(), 0).unwrap();
        prop_assert_eq!(reader.header(), &header(5, 3));
        prop_assert_eq!(read_all(&bytes, 9000).unwrap(), frames);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_all(&bytes, 1 << 16);
        let with_id = [FILE_ID.as_slice(), &MAIN.to_be_bytes(), &bytes].concat();
        let _ = read_all(&with_id, 1 << 16);
    }

    /// A changed bit is noticed, unless it lies in a frame's own bytes or in the words that only announce a packet.
    #[test]
    fn a_flipped_bit_never_moves_a_frame(at in any::<prop::sample::Index>(), bit in 0..8) {
        let frames = vec![(7, vec![1; 40]), (9, vec![2; 40])];
        let mut bytes = written(header(5, 3), &frames);
        let idx = at.index(bytes.len());
        bytes[idx] ^= 1u8 << bit;
        if let Ok(read) = read_all(&bytes, 64) {
            for (pts, _) in &read {
                prop_assert!([7, 9].contains(pts), "{:?}", read);
            }
        }
    }
}

#[test]
fn a_cut_stream_is_an_error_and_a_long_frame_too() {
    let bytes = written(header(5, 3), &[(0, vec![1; 40])]);
    assert!(matches!(read_all(&bytes[..bytes.len() - 1], 64), Err(NutError::Io { .. })));
    assert!(matches!(read_all(&bytes, 39), Err(NutError::Size { got: 40, wanted: 39 })));
    let mut writer = Writer::create(Vec::new(), header(5, 3)).unwrap();
    assert!(matches!(writer.write(Pts(-1), &[]), Err(NutError::Negative(-1))));
}

/// ffmpeg as the judge: `args`, fed with `input`.
fn ffmpeg(args: &str, input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin"])
        .args(args.split(' '))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || std::io::Write::write_all(&mut pipe, &input));
    let out = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    assert!(out.status.success());
    out.stdout
}

#[test]
fn ffmpeg_reads_what_we_write_and_we_read_what_it_writes() {
    // Frames below and above 4096 bytes; some begin with the bytes that ffmpeg leaves out (0, 0, 1, 0xB6).
    for (width, height) in [(4, 2), (16, 16), (96, 64), (321, 241)] {
        let size = Size { width, height };
        let frames: Vec<(i64, Vec<u8>)> = [0, 1, 5, 6, 300, 40_000_000]
            .iter()
            .map(|pts| {
                let mut data: Vec<u8> =
                    (0..Layout::Yuv420.bytes(size)).map(|n| (n as i64 * 7 + pts) as u8).collect();
                if pts % 2 == 1 {
                    data[..4].copy_from_slice(&[0, 0, 1, 0xB6]);
                }
                (*pts, data)
            })
            .collect();
        let bytes =
            written(Header { frame_rate: Some(Ratio { num: 30, den: 1 }), ..header(width, height) }, &frames);
        let back = ffmpeg(
            "-f nut -i pipe:0 -c:v rawvideo -copyts -vsync passthrough -enc_time_base -1 -avoid_negative_ts disabled -f nut pipe:1",
            &bytes,
        );
        let reader = Reader::open(back.as_slice(), 1 << 20).unwrap();
        let theirs = reader.header().time_base;
        assert_eq!(
            (reader.header().size, reader.header().sample_aspect),
            (size, Some(Ratio { num: 4, den: 3 }))
        );
        // ffmpeg refines the time base by a whole factor.
        let factor = i64::from(theirs.den()) * 1001 / (30000 * i64::from(theirs.num()));
        let read: Vec<_> =
            read_all(&back, 1 << 20).unwrap().into_iter().map(|(pts, data)| (pts / factor, data)).collect();
        assert_eq!(read, frames, "{width}x{height}");
    }
}

/// Cameras of five frames a second and fewer could not be read: the time of one frame was held for malformed.
#[test]
fn slow_cameras_are_read() {
    for rate in [1, 2, 3, 4, 5, 6, 15] {
        let bytes = ffmpeg(
            &format!(
                "-f lavfi -i testsrc=s=16x16:r={rate}:d=4 -enc_time_base 1/90000 -c:v rawvideo -pix_fmt yuv420p -f nut pipe:1"
            ),
            &[],
        );
        let base = Reader::open(bytes.as_slice(), 1 << 10).unwrap().header().time_base;
        let times: Vec<_> =
            read_all(&bytes, 1 << 10).unwrap().into_iter().map(|(pts, _)| base.seconds(Pts(pts))).collect();
        let expected: Vec<_> = (0..4 * rate).map(|n| f64::from(n) / f64::from(rate)).collect();
        assert_eq!(times.len(), expected.len(), "at {rate} frames a second");
        assert!(times.iter().zip(&expected).all(|(t, e)| (t - e).abs() < 1e-3), "at {rate}: {times:?}");
    }
}
