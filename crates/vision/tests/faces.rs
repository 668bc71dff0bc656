//! The detectors on a real face, with the models `./x setup` installs.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a failing test may panic")]

use std::alloc::{GlobalAlloc, Layout as Memory, System};
use std::cell::Cell;
use std::path::{Path, PathBuf};

use placet_core::{Detection, Frame, Layout, PixelRect, Pts, Rect, Rotation, Size};
use placet_vision::models::{self, ModelDir, YUNET};
use placet_vision::{
    CenterFace, Channels, Effort, FaceDetector, Input, Runtime, Scale, Scan, View, VisionError, YuNet, merge,
};

/// Counts this thread's allocations.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: hands everything to the system's allocator and counts on the side, in a cell that needs no allocation.
#[expect(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Memory) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|n| n.set(n.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Memory) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(during: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    during();
    ALLOCATIONS.get() - before
}

fn dir() -> ModelDir {
    let path = std::env::var_os("PLACET_MODELS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/models"), PathBuf::from);
    for model in models::status(&path) {
        assert!(model.digest_ok, "`{}` is missing or damaged; run `./x setup`", model.path.display());
    }
    ModelDir::new(path)
}

fn runtime() -> Runtime {
    Runtime::load(&dir().runtime()).unwrap()
}

fn yunet() -> YuNet {
    YuNet::load(&runtime(), &dir()).unwrap()
}

fn centerface() -> CenterFace {
    CenterFace::load(&runtime(), &dir()).unwrap()
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn astronaut() -> image::RgbImage {
    image::open(data("astronaut.png")).unwrap().into_rgb8()
}

/// What the peer's program finds, from `astronaut.txt`.
fn expected(detector: &str) -> Detection {
    let text = std::fs::read_to_string(data("astronaut.txt")).unwrap();
    let line = text.lines().find_map(|l| l.strip_prefix(detector)).unwrap();
    let v: Vec<f32> = line.split_whitespace().map(|w| w.parse().unwrap()).collect();
    let (points, _) = v[5..].as_chunks::<2>();
    Detection {
        rect: Rect { x: v[0], y: v[1], w: v[2], h: v[3] },
        score: v[4],
        landmarks: Some(points.try_into().unwrap()),
    }
}

fn frame(picture: &image::RgbImage, layout: Layout) -> Frame {
    let size = Size { width: picture.width(), height: picture.height() };
    let rgb = |x: u32, y: u32| picture.get_pixel(x, y).0.map(f32::from);
    let mut data = Vec::with_capacity(layout.bytes(size));
    for idx in 0..layout.planes() {
        let (plane, shift) = (layout.plane_size(size, idx), layout.shift(idx));
        for (y, x) in (0..plane.height).flat_map(|y| (0..plane.width).map(move |x| (y << shift, x << shift)))
        {
            let [r, g, b] = rgb(x, y);
            // Limited-range BT.601 for pictures below 720 rows, BT.709 from there on.
            let (kr, kb) = if size.width.min(size.height) >= 720 { (0.2126, 0.0722) } else { (0.299, 0.114) };
            let luma = kr * r + (1.0 - kr - kb) * g + kb * b;
            data.push(
                match (layout, idx) {
                    (Layout::Gray, _) => luma,
                    (Layout::Yuv420, 0) => 16.0 + luma * 219.0 / 255.0,
                    (Layout::Yuv420, 1) => 128.0 + (b - luma) / (1.0 - kb) * 112.0 / 255.0,
                    (Layout::Yuv420, _) => 128.0 + (r - luma) / (1.0 - kr) * 112.0 / 255.0,
                    (_, 3) => 255.0,
                    (_, idx) => [r, g, b][idx],
                }
                .round() as u8,
            );
        }
    }
    Frame::from_bytes(size, layout, Pts(0), data).unwrap()
}

fn whole(frame: &Frame, scale: Scale, rotation: Rotation) -> View {
    let Size { width, height } = frame.size();
    View { source: PixelRect { x: 0, y: 0, w: width, h: height }, scale, rotation }
}

fn only(detector: &mut dyn FaceDetector, frame: &Frame, view: &View) -> Detection {
    let mut found = Vec::new();
    detector.find(frame, view, 0.5, &mut found).unwrap();
    merge(&mut found);
    let [face] = found.as_slice() else { panic!("{found:?}") };
    *face
}

/// Both boxes and all landmarks within `pixels`, scores within `score`.
fn assert_close(got: &Detection, want: &Detection, pixels: f32, score: f32) {
    let flat = |d: &Detection| {
        let mut all = vec![d.rect.x, d.rect.y, d.rect.right(), d.rect.bottom()];
        all.extend(d.landmarks.unwrap().as_flattened());
        all
    };
    let apart = flat(got).iter().zip(flat(want)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart <= pixels && (got.score - want.score).abs() <= score, "{got:?} instead of {want:?}");
}

/// A picture of 1920x1080 with the astronaut, `percent` of the fixture's size, at each of `places`.
fn street(percent: u32, places: &[(u32, u32)]) -> image::RgbImage {
    let mut street = image::RgbImage::from_pixel(1920, 1080, image::Rgb([96, 104, 110]));
    let side = 160 * percent / 100;
    let face = image::imageops::resize(&astronaut(), side, side, image::imageops::FilterType::Triangle);
    for (x, y) in places {
        image::imageops::replace(&mut street, &face, i64::from(*x), i64::from(*y));
    }
    street
}

#[test]
fn each_detector_finds_what_its_authors_program_finds() {
    let frame = frame(&astronaut(), Layout::Rgb);
    let view = whole(&frame, Scale::Same, Rotation::None);
    assert_close(&only(&mut yunet(), &frame, &view), &expected("yunet"), 0.01, 0.001);
    assert_close(&only(&mut centerface(), &frame, &view), &expected("centerface"), 0.01, 0.001);
}

#[test]
fn a_face_is_found_in_every_layout() {
    for (name, detector) in
        [("yunet", &mut yunet() as &mut dyn FaceDetector), ("centerface", &mut centerface())]
    {
        for (layout, pixels, score) in
            [(Layout::Rgba, 0.01, 0.001), (Layout::Yuv420, 2.0, 0.1), (Layout::Gray, 6.0, 0.2)]
        {
            let frame = frame(&astronaut(), layout);
            let view = whole(&frame, Scale::Same, Rotation::None);
            assert_close(&only(detector, &frame, &view), &expected(name), pixels, score);
        }
    }
}

#[test]
fn a_turned_clip_is_turned_back_and_its_boxes_with_it() {
    use image::imageops::{rotate90, rotate180, rotate270};
    let upright = expected("yunet").rect;
    // Stored turned the other way round than the player turns it.
    let rows = [
        (Rotation::Cw90, rotate270(&astronaut())),
        (Rotation::Half, rotate180(&astronaut())),
        (Rotation::Cw270, rotate90(&astronaut())),
    ];
    let mut detector = yunet();
    for (rotation, stored) in rows {
        let frame = frame(&stored, Layout::Rgb);
        let face = only(&mut detector, &frame, &whole(&frame, Scale::Same, rotation));
        let want = rotation.to_stored(upright, frame.size());
        assert!(face.rect.iou(&want) > 0.99, "{rotation:?}: {face:?} instead of {want:?}");
        let [[x, y], ..] = face.landmarks.unwrap();
        assert!(want.overlap(&Rect { x, y, w: 1.0, h: 1.0 }) > 0.9, "{rotation:?}: the eye lies outside");
    }
}

#[test]
fn boxes_come_back_in_the_frames_own_pixels_whatever_the_view() {
    let picture = street(200, &[(700, 300)]);
    let frame = frame(&picture, Layout::Yuv420);
    let of_the_fixture = expected("yunet").rect;
    let want = Rect {
        x: 700.0 + 2.0 * of_the_fixture.x,
        y: 300.0 + 2.0 * of_the_fixture.y,
        w: 2.0 * of_the_fixture.w,
        h: 2.0 * of_the_fixture.h,
    };
    let part = PixelRect { x: 651, y: 233, w: 600, h: 500 };
    let views = [
        whole(&frame, Scale::Same, Rotation::None),
        whole(&frame, Scale::Down(2), Rotation::None),
        whole(&frame, Scale::Down(3), Rotation::None),
        View { source: part, scale: Scale::Same, rotation: Rotation::None },
        View { source: part, scale: Scale::Down(4), rotation: Rotation::None },
        View { source: part, scale: Scale::Up2, rotation: Rotation::None },
    ];
    let (mut yunet, mut centerface) = (yunet(), centerface());
    for view in views {
        for detector in [&mut yunet as &mut dyn FaceDetector, &mut centerface] {
            let face = only(detector, &frame, &view);
            assert!(
                face.rect.iou(&want) > 0.75,
                "{} {view:?}: {face:?} instead of {want:?}",
                detector.name()
            );
        }
    }
}

#[test]
fn small_faces_are_found_where_the_effort_promises_it() {
    // 24 pixels from forehead to chin, one of them across a tile's edge.
    let places = [(10, 10), (590, 330), (1200, 600), (1850, 1010)];
    let frame = frame(&street(33, &places), Layout::Yuv420);
    let mut found = Vec::new();
    let mut count = |detector: &mut dyn FaceDetector, effort, score| {
        let scan = Scan::new(frame.size(), Rotation::None, effort);
        scan.look(detector, &frame, 0, score, &mut found).unwrap();
        found.len()
    };
    assert_eq!(count(&mut yunet(), Effort::Fast, 0.6), 0, "8 pixels in the input are too few");
    assert_eq!(count(&mut yunet(), Effort::Thorough { tiles_per_frame: 9 }, 0.6), 4);
    assert_eq!(count(&mut yunet(), Effort::Picture, 0.6), 4);
    assert_eq!(count(&mut centerface(), Effort::Check, 0.3), 4);
}

#[test]
fn a_face_larger_than_a_tiles_overlap_is_covered_whole() {
    // 290 pixels high, so that its tiles show no more than parts of it.
    let of_the_fixture = expected("yunet").rect;
    let mut detector = yunet();
    for (x, y) in [(300, 100), (430, 330), (900, 480)] {
        let frame = frame(&street(400, &[(x, y)]), Layout::Yuv420);
        let want = Rect {
            x: x as f32 + 4.0 * of_the_fixture.x,
            y: y as f32 + 4.0 * of_the_fixture.y,
            w: 4.0 * of_the_fixture.w,
            h: 4.0 * of_the_fixture.h,
        };
        let scan = Scan::new(frame.size(), Rotation::None, Effort::Thorough { tiles_per_frame: 9 });
        let mut found = Vec::new();
        scan.look(&mut detector, &frame, 0, 0.6, &mut found).unwrap();
        let covered = found.iter().map(|d| d.rect.overlap(&want) / want.area()).fold(0.0, f32::max);
        assert!(covered > 0.85, "at {x},{y} the best of {found:?} covers {covered} of {want:?}");
    }
}

#[test]
fn a_frame_without_a_face_has_none() {
    let frame = frame(&street(100, &[]), Layout::Yuv420);
    let mut found = vec![expected("yunet")];
    for detector in [&mut yunet() as &mut dyn FaceDetector, &mut centerface()] {
        let scan = Scan::new(frame.size(), Rotation::None, Effort::Check);
        scan.look(detector, &frame, 0, 0.3, &mut found).unwrap();
        assert_eq!(found, [], "{}", detector.name());
    }
}

#[test]
fn a_changed_model_is_refused() {
    let copy = tempfile::tempdir().unwrap();
    let mut bytes = std::fs::read(dir().path_of(&YUNET)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1; // one bit of one weight
    std::fs::write(copy.path().join(YUNET.file), &bytes).unwrap();
    let refused = YuNet::load(&runtime(), &ModelDir::new(copy.path())).unwrap_err();
    let VisionError::Model { source: models::ModelError::Digest { found, expected, .. }, .. } = refused
    else {
        panic!("{refused:?}");
    };
    assert_eq!(expected, YUNET.digest);
    assert_ne!(found, expected);
}

#[test]
fn the_runtime_is_loaded_once() {
    runtime();
    assert!(Runtime::load(&dir().runtime()).is_ok(), "the same path again");
    let copy = tempfile::tempdir().unwrap();
    let other = copy.path().join("libother.so");
    std::fs::write(&other, b"no library").unwrap();
    assert!(matches!(Runtime::load(&other), Err(VisionError::OtherRuntime { .. })));
    assert!(matches!(Runtime::load(&copy.path().join("missing.so")), Err(VisionError::Runtime { .. })));
}

#[test]
fn a_view_outside_the_frame_is_an_error_and_not_an_empty_answer() {
    let frame = frame(&astronaut(), Layout::Rgb);
    let view = View {
        source: PixelRect { x: 1, y: 0, w: 160, h: 160 },
        ..whole(&frame, Scale::Same, Rotation::None)
    };
    let refused = yunet().find(&frame, &view, 0.5, &mut Vec::new());
    assert!(matches!(refused, Err(VisionError::View(_))), "{refused:?}");
}

#[test]
fn a_frames_path_allocates_no_more_once_it_is_warm() {
    let frame = frame(&street(100, &[(400, 300), (1300, 500)]), Layout::Yuv420);
    let scan = Scan::new(frame.size(), Rotation::Cw90, Effort::Thorough { tiles_per_frame: 1 });
    let mut input = Input::new(Channels::Bgr);
    let mut pack_all = || scan.views(0).for_each(|view| input.pack(&frame, view).unwrap());
    pack_all();
    assert_eq!(allocations(pack_all), 0, "packing");

    // The runtime's bindings build a few lists in each run; what matters is that frames do not add to them.
    let (mut detector, mut found) = (yunet(), Vec::new());
    let mut look = |idx| scan.look(&mut detector, &frame, idx, 0.6, &mut found).unwrap();
    (0..scan.period()).for_each(&mut look);
    let first = allocations(|| look(0));
    assert_eq!(allocations(|| look(scan.period())), first);
    assert!(first < 120, "{first} allocations for two views");
}
