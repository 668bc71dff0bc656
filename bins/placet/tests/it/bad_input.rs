//! Bad input and bad surroundings: words, an exit code, the input untouched, nothing under the output's name.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use crate::scene::{FACE, IN_GREEN, SMALL, STILL, Scene, assert_hidden, ffmpeg};
use crate::world::{Ran, Running, World, children};

const X264: &str = "-c:v libx264 -preset veryfast";

/// Runs `placet redact` with these words, which must fail with `code`, say `said` and change nothing at all.
fn refuses(world: &World, words: &str, code: i32, said: &str) -> Ran {
    let before = world.files();
    let ran = world.placet(&format!("redact {words}"));
    assert_eq!(ran.code, Some(code), "{words}: {}", ran.err);
    assert!(ran.err.contains(said), "{words} should say `{said}`: {}", ran.err);
    assert_eq!(world.files(), before, "{words} changed a file");
    assert!(world.leavings().is_empty(), "{words} left {:?}", world.leavings());
    ran
}

#[test]
fn what_is_no_video_or_picture_is_refused_in_words() {
    let world = World::new();
    let cut = |name: &str, part: usize| {
        let bytes = world.read(name);
        bytes[..bytes.len() * part / 10].to_vec()
    };
    SMALL.film(&world, "a.mp4", X264);
    world.write("cut.mp4", cut("a.mp4", 6));
    world.write("stub.mp4", &world.read("a.mp4")[..40]);
    world.write("empty.mp4", b"");
    world.write("empty.png", b"");
    world.write("text.mp4", "A text file is no video, whatever its name says.\n".repeat(40));
    world.write("text.png", b"neither is it a picture");
    world.write("list.m3u8", format!("#EXTM3U\n#EXTINF:1,\nfile://{}\n", world.path("a.mp4").display()));
    world.write("concat.mp4", format!("ffconcat version 1.0\nfile '{}'\n", world.path("a.mp4").display()));
    world.write(
        "noise.mp4",
        (0..60_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect::<Vec<_>>(),
    );
    world.write("zeros.mkv", vec![0; 100_000]);
    ffmpeg(&world, "-f lavfi -i sine=d=1 -c:a aac {}/sound.mp4");
    ffmpeg(&world, &format!("-i {FACE} -q:v 2 {{}}/whole.jpg"));
    world.write("cut.png", &fs::read(FACE).unwrap()[..20_000]);
    world.write("cut.jpg", cut("whole.jpg", 4));
    for name in ["whole.webp", "whole.gif"] {
        ffmpeg(&world, &format!("-i {FACE} {{}}/{name}"));
    }
    world.write("cut.webp", cut("whole.webp", 8));
    world.write("cut.gif", cut("whole.gif", 8));
    world.write("stub.jpg", &world.read("whole.jpg")[..12]);
    for (name, said) in [
        ("cut.mp4", "is cut off"),
        ("stub.mp4", "is cut off"),
        ("empty.mp4", "is empty"),
        ("empty.png", "is empty"),
        ("text.mp4", "is not a video file"),
        ("text.png", "is not a video file"),
        ("list.m3u8", "is not a video file"),
        ("concat.mp4", "is not a video file"),
        ("noise.mp4", "is not a video file"),
        ("zeros.mkv", "is not a video file"),
        ("sound.mp4", "holds no video stream"),
        ("cut.png", "damaged or cut short"),
        ("stub.jpg", "damaged or cut short"),
        ("cut.jpg", "is cut short"),
        ("cut.webp", "cut short"),
        ("cut.gif", "cut short"),
        ("/dev/null", "is not a file"),
        ("/dev/zero", "is not a file"),
    ] {
        let ran = refuses(&world, &format!("{name} -o o.mp4"), 2, said);
        assert_eq!(ran.err.matches("error:").count(), 1, "{name}: one error is one line: {}", ran.err);
        for foreign in ["ffprobe", "exit status", "Invalid data"] {
            assert!(!ran.err.contains(foreign), "{name}: {}", ran.err);
        }
    }
}

#[test]
fn a_named_pipe_is_refused_and_not_waited_for() {
    let world = World::new();
    assert!(Command::new("mkfifo").arg(world.path("pipe.mp4")).status().unwrap().success());
    let ran = world.placet("redact pipe.mp4 -o o.mp4");
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("is not a file"), "{}", ran.err);
}

/// zlib's form (RFC 1950, 1951) of `n` zeros: one literal, then copies of 258 from one back, 13 bits each.
fn zeros(n: u64) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (vec![0x78, 0x01], 0u64, 0u32);
    let mut put = |bytes: &mut Vec<u8>, value: u64, width: u32| {
        bits |= value << count;
        count += width;
        while count >= 8 {
            bytes.push(bits as u8);
            bits >>= 8;
            count -= 8;
        }
    };
    // Codes are stored with their first bit lowest.
    let code = |value: u64, width: u32| value.reverse_bits() >> (64 - width);
    put(&mut bytes, 0b011, 3);
    put(&mut bytes, code(0x30, 8), 8);
    let copies = (n - 1) / 258;
    for _ in 0..copies {
        put(&mut bytes, code(0b1100_0101, 8), 8);
        put(&mut bytes, 0, 5);
    }
    for _ in 0..(n - 1) % 258 {
        put(&mut bytes, code(0x30, 8), 8);
    }
    put(&mut bytes, 0, 7);
    put(&mut bytes, 0, 7);
    bytes.extend((((n % 65_521) as u32) << 16 | 1).to_be_bytes());
    bytes
}

/// A PNG of this size with these chunks after its header.
fn png(width: u32, height: u32, chunks: &[(&[u8], Vec<u8>)]) -> Vec<u8> {
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    let mut all = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(&b"IHDR"[..], head)].iter().chain(chunks).chain(&[(&b"IEND"[..], Vec::new())]) {
        let body = [kind, &data[..]].concat();
        all.extend((data.len() as u32).to_be_bytes());
        all.extend(&body);
        all.extend(crate::pictures::crc(&body).to_be_bytes());
    }
    all
}

#[test]
fn sizes_that_nobody_has_are_refused_from_the_header() {
    let world = World::new();
    world.write("huge.png", png(100_000, 100_000, &[(b"IDAT", zeros(1000))]));
    world.write("wide.png", png(200_000, 8, &[(b"IDAT", zeros(200_001 * 8))]));
    world.write("many.png", png(30_000, 30_000, &[(b"IDAT", zeros(1000))]));
    ffmpeg(&world, &format!("-i {FACE} -q:v 2 {{}}/whole.jpg"));
    let mut jpeg = world.read("whole.jpg");
    let frame = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    world.write("huge.jpg", jpeg);
    ffmpeg(&world, &format!("-i {FACE} {{}}/whole.bmp"));
    let mut bmp = world.read("whole.bmp");
    bmp[18..26].copy_from_slice(&[0xa0, 0x86, 1, 0, 0xa0, 0x86, 1, 0]);
    world.write("huge.bmp", bmp);
    for (name, said) in [
        ("huge.png", "claims 100000 x 100000 pixels"),
        ("wide.png", "claims 200000 x 8 pixels"),
        ("many.png", "claims 30000 x 30000 pixels"),
        ("huge.jpg", "claims 65535 x 65535 pixels"),
        ("huge.bmp", "too large"),
    ] {
        refuses(&world, &format!("{name} -o o.png"), 2, said);
    }
    // Real ones, a hundred thousand pixels wide; and claims beyond what any decoder takes.
    let ffv1 = "-f lavfi -i color=s=100000x256 -frames:v 1 -c:v ffv1 -pix_fmt yuv420p";
    ffmpeg(&world, &format!("{ffv1} {{}}/wide.mkv"));
    refuses(&world, "wide.mkv -o o.mkv", 2, "says that it is 100000x256 pixels");
    let mut bytes = world.read("wide.mkv");
    let height = bytes.windows(4).position(|w| w == [0xba, 0x82, 0x01, 0x00]).expect("PixelHeight 256");
    bytes[height + 2..height + 4].fill(0xff);
    world.write("huge.mkv", bytes);
    refuses(&world, "huge.mkv -o o.mkv", 2, "error:");
    ffmpeg(&world, "-f lavfi -i color=s=16400x64 -frames:v 1 -c:v mjpeg -pix_fmt yuvj420p {}/wide.mp4");
    refuses(&world, "wide.mp4 -o o.mp4", 2, "says that it is 16400x64 pixels");
    let mut mp4 = world.read("wide.mp4");
    let frame = mp4.windows(4).position(|w| w == [0xff, 0xc0, 0x00, 0x11]).unwrap();
    mp4[frame + 5..frame + 9].fill(0xff);
    world.write("huge.mp4", mp4);
    refuses(&world, "huge.mp4 -o o.mp4", 2, "error:");
}

#[test]
fn decompression_bombs_do_not_go_off() {
    let world = World::new();
    let pixels = zeros(101 * 100);
    let bomb = zeros(4 << 30);
    let profile = [b"name\0\0", &bomb[..]].concat();
    let text = [b"Comment\0\0", &bomb[..]].concat();
    let international = [b"Comment\0\x01\0\0\0", &bomb[..]].concat();
    world.write("profile.png", png(100, 100, &[(b"iCCP", profile), (b"IDAT", pixels.clone())]));
    world.write("text.png", png(100, 100, &[(b"zTXt", text), (b"IDAT", pixels.clone())]));
    world.write("itxt.png", png(100, 100, &[(b"iTXt", international), (b"IDAT", pixels)]));
    world.write("pixels.png", png(100, 100, &[(b"IDAT", bomb)]));
    // A picture of 16 by 12 with a frame that claims four gigabytes.
    world.write("frame.gif", include_bytes!("../../../../fuzz/corpus/picture/gif-frame-beyond-picture"));
    for name in ["profile.png", "text.png", "itxt.png", "pixels.png", "frame.gif"] {
        let before = world.files();
        // Less memory than one of them unfolds to, in kilobytes.
        let mut command = Command::new("sh");
        world.settle(&mut command);
        let placet = env!("CARGO_BIN_EXE_placet");
        command.args([
            "-c",
            &format!("ulimit -v 3000000; exec {placet} redact {name} -o o_{name} --manifest none"),
        ]);
        let ran = Running::start(&mut command).wait();
        match ran.code {
            Some(0) => assert!(world.read(&format!("o_{name}")).len() < 1 << 20, "{name}"),
            code => {
                assert_eq!(code, Some(2), "{name}: {}", ran.err);
                assert_eq!(world.files(), before, "{name}");
            }
        }
    }
}

/// A clip that takes some seconds.
fn long(world: &World, name: &str) {
    Scene { frames: 250, ..STILL }.film(world, name, X264);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_given_up() {
    let world = World::new();
    for fast in ["--verify none", "--fast"] {
        long(&world, "a.mp4");
        let mut running = Running::start(&mut world.command(&format!("redact a.mp4 -o o.mp4 {fast}")));
        let decoding = running.until(|pid| !children(pid, &["ffmpeg", "pipe:1"]).is_empty());
        assert!(decoding, "it ended too early");
        let mut bytes = world.read("a.mp4");
        bytes.extend(b"more");
        world.write("a.mp4", bytes);
        let ran = running.wait();
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        // Which of the two is seen first hangs on how much of it had been read: another file, or another reading of it.
        let told = ["changed while it was read", "two readings of the input differ"];
        assert!(told.iter().any(|words| ran.err.contains(words)), "{}", ran.err);
        assert_eq!(world.files().into_keys().collect::<Vec<_>>(), ["a.mp4"]);
    }
}

#[test]
fn two_runs_on_one_output_do_not_meet() {
    let world = World::new();
    long(&world, "a.mp4");
    STILL.film(&world, "b.mp4", X264);
    let mut first = Running::start(&mut world.command(&format!("redact a.mp4 -o o.mp4 {IN_GREEN}")));
    assert!(first.until(|_| world.has(".o.mp4.placet-part")), "it ended too early");
    for again in ["", "-y"] {
        let second = world.placet(&format!("redact b.mp4 -o o.mp4 {again}"));
        assert_eq!(second.code, Some(1), "{}", second.err);
        assert!(second.err.contains("another run is writing `o.mp4`"), "{}", second.err);
    }
    assert_eq!(first.wait().code, Some(0));
    assert_hidden(&Scene { frames: 250, ..STILL }, &world.path("a.mp4"), &world.path("o.mp4"));
}

#[test]
fn without_ffmpeg_pictures_work_and_videos_name_the_command() {
    let world = World::new();
    SMALL.film(&world, "a.mp4", X264);
    let before = world.files();
    fs::create_dir(world.path("bin")).unwrap();
    let ran = Running::start(world.command("redact a.mp4 -o o.mp4").env("PATH", world.path("bin"))).wait();
    assert_eq!(ran.code, Some(4), "{}", ran.err);
    assert!(ran.err.contains("apt-get install ffmpeg"), "{}", ran.err);
    assert_eq!(world.files(), before);
    let ran =
        Running::start(world.command(&format!("redact {FACE} -o o.png")).env("PATH", world.path("bin")))
            .wait();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    // Something else of that name.
    for program in ["ffmpeg", "ffprobe"] {
        std::os::unix::fs::symlink("/bin/true", world.path("bin").join(program)).unwrap();
    }
    let ran = Running::start(world.command("redact a.mp4 -o o.mp4").env("PATH", world.path("bin"))).wait();
    assert_eq!(ran.code, Some(4), "{}", ran.err);
    assert!(!world.has("o.mp4"));
}

#[test]
fn without_genuine_models_nothing_runs() {
    let world = World::new();
    SMALL.film(&world, "a.mp4", X264);
    world.write("a.png", fs::read(FACE).unwrap());
    fs::create_dir(world.path("none")).unwrap();
    for name in ["a.mp4", "a.png"] {
        refuses(&world, &format!("{name} -o o.mp4 --models none"), 4, "models install");
    }
    let files: Vec<_> = fs::read_dir(world.models()).unwrap().map(|e| e.unwrap().path()).collect();
    let copy = |tampered: Option<&Path>| {
        fs::create_dir_all(world.path("models")).unwrap();
        for file in &files {
            let mut bytes = fs::read(file).unwrap();
            if tampered == Some(file.as_path()) {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }
            world.write(&format!("models/{}", file.file_name().unwrap().to_str().unwrap()), bytes);
        }
    };
    for file in &files {
        copy(Some(file));
        for name in ["a.mp4", "a.png"] {
            refuses(&world, &format!("{name} -o o.mp4 --models models"), 4, "install");
        }
    }
    copy(None);
    world.redact("a.png -o o.png --models models");
}

/// Runs placet with `words` in a mount namespace of its own in which `small` is a file system with these options; its
/// exit code, what it said, and what is then in `small`.
fn in_small(world: &World, options: &str, words: &str) -> (Ran, String) {
    in_small_with(world, options, "", words)
}

/// The same with variables of the environment, `NAME=value`.
fn in_small_with(world: &World, options: &str, variables: &str, words: &str) -> (Ran, String) {
    fs::create_dir_all(world.path("small")).unwrap();
    let root = rustix::process::geteuid().is_root();
    let mut command = Command::new("unshare");
    world.settle(&mut command);
    command.args(if root { &["--mount"][..] } else { &["--map-root-user", "--mount"] });
    let placet = env!("CARGO_BIN_EXE_placet");
    let script = format!(
        "mount -t tmpfs -o {options} tmpfs small || exit 99; {variables} {placet} redact {words}; code=$?; find small -type f; exit $code"
    );
    command.args(["sh", "-c", &script]);
    let ran = Running::start(&mut command).wait();
    assert_ne!(ran.code, Some(99), "needs root or unprivileged user namespaces: {}", ran.err);
    let left = ran.text();
    (ran, left)
}

#[test]
fn a_full_disk_leaves_nothing_and_says_so() {
    let world = World::new();
    Scene { frames: 50, ..STILL }.film(&world, "a.mp4", X264);
    ffmpeg(&world, &format!("-i {FACE} -vf scale=640:640,noise=alls=40 {{}}/a.png"));
    for words in ["a.mp4 -o small/o.mp4", "a.mp4 -o small/o.mkv", "a.png -o small/o.png"] {
        let before = world.files();
        let (ran, left) = in_small(&world, "size=16k", words);
        assert_eq!(ran.code, Some(1), "{words}: {}", ran.err);
        assert!(ran.err.contains("space"), "{words}: {}", ran.err);
        assert_eq!(left, "", "{words}");
        assert_eq!(world.files(), before, "{words}");
    }
}

#[test]
fn standard_input_that_fills_the_temporary_folder_is_given_up_in_words() {
    let world = World::new();
    ffmpeg(&world, &format!("-i {FACE} -vf scale=640:640,noise=alls=40 {{}}/a.png"));
    assert!(world.read("a.png").len() > 400_000);
    let before = world.files();
    // Full at once; and full by and by, with a twentieth left free.
    world.write("big", world.read("a.png").repeat(100));
    for (size, from) in [("16k", "a.png"), ("32m", "big")] {
        let words = format!("- -o o.png < {from}");
        let (ran, left) = in_small_with(&world, &format!("size={size}"), "TMPDIR=small", &words);
        assert_eq!(ran.code, Some(1), "{size}: {}", ran.err);
        for said in ["temporary folder `", "small` has no space", "TMPDIR"] {
            assert!(ran.err.contains(said), "{size}: {}", ran.err);
        }
        assert!(!ran.err.contains("os error"), "{size}: {}", ran.err);
        assert_eq!(left, "", "{size}");
    }
    std::fs::remove_file(world.path("big")).unwrap();
    assert_eq!(world.files(), before);
}

#[test]
fn an_unwritable_folder_is_refused_before_the_work() {
    let world = World::new();
    STILL.film(&world, "a.mp4", X264);
    world.write("a.png", fs::read(FACE).unwrap());
    for words in ["a.mp4 -o small/o.mp4", "a.png -o small/o.png"] {
        let (ran, left) = in_small(&world, "ro,size=16k", words);
        assert_eq!(ran.code, Some(1), "{words}: {}", ran.err);
        assert!(
            ran.err.contains("cannot write `small/") && ran.err.contains("may be written"),
            "{words}: {}",
            ran.err
        );
        assert_eq!(left, "", "{words}");
    }
    for to in ["nowhere/o.mp4", "a.png/o.mp4"] {
        refuses(&world, &format!("a.mp4 -o {to}"), 1, "check that the folder exists");
    }
    fs::create_dir(world.path("folder.mp4")).unwrap();
    world.redact("a.mp4 -o folder.mp4");
    assert!(world.has("folder.mp4/a_anonymized.mp4"));
}

#[test]
fn an_interrupted_comparison_leaves_nothing_half() {
    let world = World::new();
    long(&world, "a.mp4");
    let mut running = Running::start(&mut world.command("redact a.mp4 -o o.mp4 --fast --compare c.mp4"));
    let comparing = running.until(|pid| !children(pid, &["hstack"]).is_empty());
    assert!(comparing, "it ended too early");
    running.signal(Signal::TERM);
    let ran = running.wait();
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(world.files().keys().all(|n| !n.contains("placet-part") && n != "c.mp4"), "{:?}", world.files());
}
