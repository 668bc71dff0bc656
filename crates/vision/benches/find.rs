//! Packing and finding at the sizes the product uses, on a 1080p frame tiled with the fixture's face.
//!
//! `cargo bench -p placet-vision`. Needs the models that `./x setup` installs.

use std::path::{Path, PathBuf};

use divan::Bencher;
use placet_core::{Frame, Layout, PixelRect, Rotation, Size};
use placet_vision::models::ModelDir;
use placet_vision::{CenterFace, Channels, Effort, FaceDetector, Input, Runtime, Scale, Scan, View, YuNet};

const HD: Size = Size { width: 1920, height: 1080 };

fn main() {
    divan::main();
}

/// A 1080p frame of the fixture, repeated: every tile holds faces.
fn frame() -> Frame {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/astronaut.png");
    let face = image::open(path).expect("the fixture is part of the repository").into_luma8();
    let mut frame = Frame::new(HD, Layout::Yuv420);
    for (idx, plane) in frame.planes_mut().enumerate() {
        for (y, row) in (0..).zip(plane.data.chunks_mut(plane.size.width as usize)) {
            for (x, sample) in (0..).zip(row) {
                *sample = if idx == 0 { face.get_pixel(x % 160, y % 160).0[0] } else { 128 };
            }
        }
    }
    frame
}

fn dir() -> ModelDir {
    let path = std::env::var_os("PLACET_MODELS");
    ModelDir::new(
        path.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/models"), PathBuf::from),
    )
}

fn runtime() -> Runtime {
    Runtime::load(&dir().runtime()).expect("`./x setup` installs it")
}

fn view(w: u32, h: u32, scale: Scale) -> View {
    View { source: PixelRect { x: 0, y: 0, w, h }, scale, rotation: Rotation::None }
}

#[divan::bench(args = [1, 2, 3, 4])]
fn pack_hd_reduced_by(bencher: Bencher<'_, '_>, n: u32) {
    let (frame, mut input) = (frame(), Input::new(Channels::Bgr));
    bencher.bench_local(|| input.pack(&frame, &view(1920, 1080, Scale::Down(n))));
}

#[divan::bench]
fn pack_hd_reduced_by_3_and_turned(bencher: Bencher<'_, '_>) {
    let (frame, mut input) = (frame(), Input::new(Channels::Bgr));
    let view = View { rotation: Rotation::Cw90, ..view(1920, 1080, Scale::Down(3)) };
    bencher.bench_local(|| input.pack(&frame, &view));
}

const SIZES: [(u32, u32); 5] = [(320, 192), (640, 384), (704, 448), (960, 544), (1280, 736)];

#[divan::bench(args = SIZES, sample_count = 20)]
fn yunet(bencher: Bencher<'_, '_>, (w, h): (u32, u32)) {
    find(bencher, &mut YuNet::load(&runtime(), &dir()).expect("`./x setup` installs it"), w, h);
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn centerface(bencher: Bencher<'_, '_>, (w, h): (u32, u32)) {
    find(bencher, &mut CenterFace::load(&runtime(), &dir()).expect("`./x setup` installs it"), w, h);
}

fn find(bencher: Bencher<'_, '_>, detector: &mut dyn FaceDetector, w: u32, h: u32) {
    let (frame, mut found) = (frame(), Vec::new());
    bencher.bench_local(|| {
        found.clear();
        detector.find(&frame, &view(w, h, Scale::Same), 0.6, &mut found)
    });
}

#[divan::bench(args = [Effort::Fast, Effort::Thorough { tiles_per_frame: 1 }, Effort::Thorough { tiles_per_frame: 9 }],
    sample_count = 20)]
fn yunet_looks_at_hd(bencher: Bencher<'_, '_>, effort: Effort) {
    let mut detector = YuNet::load(&runtime(), &dir()).expect("`./x setup` installs it");
    look(bencher, &mut detector, effort);
}

#[divan::bench(args = [Effort::Check], sample_count = 5)]
fn centerface_looks_at_hd(bencher: Bencher<'_, '_>, effort: Effort) {
    let mut detector = CenterFace::load(&runtime(), &dir()).expect("`./x setup` installs it");
    look(bencher, &mut detector, effort);
}

fn look(bencher: Bencher<'_, '_>, detector: &mut dyn FaceDetector, effort: Effort) {
    let (frame, mut found) = (frame(), Vec::new());
    let scan = Scan::new(HD, Rotation::None, effort);
    let mut idx = 0;
    bencher.bench_local(|| {
        idx += 1;
        scan.look(detector, &frame, idx, 0.6, &mut found)
    });
}
