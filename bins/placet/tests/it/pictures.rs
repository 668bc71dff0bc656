//! Still pictures: the face is gone, upright stays upright, what tells place and device is left out.

use crate::scene::{FACE, GREEN, IN_GREEN, SMALL, Scene, Shot, ffmpeg, shots};
use crate::world::World;

/// The face in [`FACE`]: x, y, width, height.
const BOX: (f64, f64, f64, f64) = (50.6, 27.4, 59.3, 72.1);
/// Words that stand in a thumbnail's place in the Exif blocks below.
const THUMBNAIL: &[u8] = b"\xff\xd8\xff\xfeTHUMBNAIL-OF-A-FACE\xff\xd9";

/// An Exif block with an orientation, a camera, a place and a thumbnail (Exif 2.32, 4.6; little-endian).
fn exif(orientation: u16) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value].concat()
    };
    let offset = |at: usize| (at as u32).to_le_bytes();
    let make = b"Cameramaker\0";
    // Header 8, first directory 2 + 3 * 12 + 4, GPS directory 2 + 2 * 12 + 4, second directory 2 + 2 * 12 + 4.
    let (ifd0, gps, ifd1) = (8, 50, 80);
    let make_at = 110;
    let latitude_at = make_at + make.len();
    let thumbnail_at = latitude_at + 24;
    let orient = [orientation.to_le_bytes(), [0, 0]].concat().try_into().unwrap();
    let mut block = b"II\x2a\0".to_vec();
    block.extend(offset(ifd0));
    block.extend(3u16.to_le_bytes());
    block.extend(entry(0x010f, 2, make.len() as u32, offset(make_at)));
    block.extend(entry(0x0112, 3, 1, orient));
    block.extend(entry(0x8825, 4, 1, offset(gps)));
    block.extend(offset(ifd1));
    block.extend(2u16.to_le_bytes());
    block.extend(entry(1, 2, 2, *b"N\0\0\0"));
    block.extend(entry(2, 5, 3, offset(latitude_at)));
    block.extend(offset(0));
    block.extend(2u16.to_le_bytes());
    block.extend(entry(0x0201, 4, 1, offset(thumbnail_at)));
    block.extend(entry(0x0202, 4, 1, offset(THUMBNAIL.len())));
    block.extend(offset(0));
    block.extend(make);
    for n in [48u32, 1, 12, 1, 291_234, 10_000] {
        block.extend(n.to_le_bytes());
    }
    block.extend(THUMBNAIL);
    block
}

/// Where the place is in such a block: seconds of the latitude.
const SECONDS: [u8; 8] = [0xa2, 0x71, 4, 0, 0x10, 0x27, 0, 0];

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|w| w == part)
}

/// Puts the block into a JPEG behind its first marker.
fn into_jpeg(jpeg: &[u8], block: &[u8]) -> Vec<u8> {
    let length = (block.len() + 8) as u16;
    [&jpeg[..2], b"\xff\xe1", &length.to_be_bytes(), b"Exif\0\0", block, &jpeg[2..]].concat()
}

/// Into a PNG behind its header (PNG third edition, 11.3.3).
fn into_png(png: &[u8], block: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8], data: &[u8]| {
        let body = [kind, data].concat();
        [&(data.len() as u32).to_be_bytes(), &body[..], &crc(&body).to_be_bytes()].concat()
    };
    let text = chunk(b"tEXt", b"Comment\0Commentword");
    [&png[..33], &chunk(b"eXIf", block), &text, &png[33..]].concat()
}

/// CRC-32 as PNG has it.
pub fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, b| {
        (0..8).fold(crc ^ u32::from(*b), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 })
    })
}

/// Into a WebP by way of its extended header (RFC 9649, 2.7).
fn into_webp(webp: &[u8], width: u32, height: u32, block: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8], data: &[u8]| {
        let pad: &[u8] = if data.len() % 2 == 1 { b"\0" } else { b"" };
        [kind, &(data.len() as u32).to_le_bytes(), data, pad].concat()
    };
    let side = |n: u32| (n - 1).to_le_bytes()[..3].to_vec();
    let head = [&[0x08, 0, 0, 0][..], &side(width), &side(height)].concat();
    // An extended header that ffmpeg wrote already is replaced.
    let image = if &webp[12..16] == b"VP8X" { &webp[30..] } else { &webp[12..] };
    let body = [b"WEBP".to_vec(), chunk(b"VP8X", &head), image.to_vec(), chunk(b"EXIF", block)].concat();
    [b"RIFF", &(body.len() as u32).to_le_bytes(), &body[..]].concat()
}

/// The face lying as orientation 6 has it (to be turned a quarter clockwise), with the block, in each format.
fn lying(world: &World) -> [&'static str; 3] {
    for (name, words) in
        [("a.jpg", "-q:v 2 -pix_fmt yuvj444p"), ("a.png", ""), ("a.webp", "-c:v libwebp -lossless 1")]
    {
        ffmpeg(world, &format!("-i {FACE} -vf transpose=2 -update 1 -frames:v 1 {words} {{}}/{name}"));
    }
    let block = exif(6);
    world.write("a.jpg", into_jpeg(&world.read("a.jpg"), &block));
    world.write("a.png", into_png(&world.read("a.png"), &block));
    world.write("a.webp", into_webp(&world.read("a.webp"), 160, 160, &block));
    ["a.jpg", "a.png", "a.webp"]
}

/// The picture as it is stored, nothing turned.
fn stored(world: &World, name: &str) -> Shot {
    ffmpeg(
        world,
        &format!("-noautorotate -i {{}}/{name} -frames:v 1 -update 1 -pix_fmt rgb24 {{}}/stored.png"),
    );
    shots(&world.path("stored.png")).remove(0)
}

#[test]
fn a_lying_picture_comes_out_upright_without_face_place_and_thumbnail() {
    let world = World::new();
    for name in lying(&world) {
        let input = world.read(name);
        assert!(has(&input, &SECONDS) && has(&input, b"Cameramaker") && has(&input, b"THUMBNAIL"), "{name}");
        world.redact(&format!("{name} -o o_{name} {IN_GREEN}"));
        let output = world.read(&format!("o_{name}"));
        for word in [&SECONDS[..], b"Cameramaker", b"THUMBNAIL", b"Commentword", b"Exif\0"] {
            assert!(!has(&output, word), "{name}: {}", String::from_utf8_lossy(word));
        }
        let shot = stored(&world, &format!("o_{name}"));
        let hidden = shot.share_of(GREEN, BOX, true, 90);
        assert!(hidden > 0.98, "{name}: {hidden} of where the face is upright is hidden");
        assert!(!shot.shows_face(), "{name}");
        // Kept on request, the thumbnail never, and the flag does not turn it once more.
        world.redact(&format!("{name} -o m_{name} -m {IN_GREEN}"));
        let kept = world.read(&format!("m_{name}"));
        assert!(has(&kept, &SECONDS) && has(&kept, b"Cameramaker"), "{name}: -m keeps place and device");
        assert!(!has(&kept, b"THUMBNAIL"), "{name}: a thumbnail would show the face");
        let turned = &shots(&world.path(&format!("m_{name}")))[0];
        assert!(turned.share_of(GREEN, BOX, true, 90) > 0.98, "{name}");
    }
}

#[test]
fn a_picture_that_says_in_two_ways_how_it_is_turned_is_looked_at_from_all_sides() {
    let world = World::new();
    let [lying, ..] = lying(&world);
    // Without the block that stands behind its first marker.
    let bytes = world.read(lying);
    let plain = [&bytes[..2], &bytes[4 + usize::from(u16::from_be_bytes([bytes[4], bytes[5]]))..]].concat();
    // Viewers follow the first block, or the last; some take an orientation as a long number.
    let long = exif(6).iter().enumerate().map(|(at, b)| if at == 24 { 4 } else { *b }).collect::<Vec<u8>>();
    for (name, blocks) in [("two.jpg", vec![exif(1), exif(6)]), ("long.jpg", vec![long])] {
        let mut bytes = plain.clone();
        for block in blocks.iter().rev() {
            bytes = into_jpeg(&bytes, block);
        }
        world.write(name, bytes);
        let ran = world.redact(&format!("{name} -o o_{name} {IN_GREEN}"));
        assert!(ran.err.contains("from all sides"), "{name}: {}", ran.err);
        let (x, y, w, h) = BOX;
        let hidden = stored(&world, &format!("o_{name}")).share_of(GREEN, (y, 160.0 - x - w, h, w), true, 90);
        assert!(hidden > 0.9, "{name}: {hidden} of where the face lies is hidden");
    }
}

#[test]
fn a_face_drawn_in_dots_is_hidden() {
    let world = World::new();
    let four = "-filter_complex scale=320:320,split[a][b];[a]palettegen=max_colors=4[p];[b][p]paletteuse=dither=floyd_steinberg";
    for (name, words) in [("bits.png", "-vf scale=320:320,format=monob"), ("four.gif", four)] {
        ffmpeg(&world, &format!("-i {FACE} {words} -frames:v 1 -update 1 {{}}/{name}"));
        let ran = world.redact(&format!("{name} -o o_{name} {IN_GREEN}"));
        let (x, y, w, h) = BOX;
        let twice = (2.0 * x, 2.0 * y, 2.0 * w, 2.0 * h);
        // One color, which in a picture of greys is a grey.
        let shot = stored(&world, &format!("o_{name}"));
        let fill = shot.pixel((2.0 * x + w) as usize, (2.0 * y + h) as usize);
        let hidden = shot.share_of(fill, twice, true, 20);
        assert!(hidden > 0.9, "{name}: {hidden} of the face is hidden: {}", ran.err);
    }
}

#[test]
fn every_format_keeps_its_format_and_its_background() {
    let world = World::new();
    for (name, words) in [
        ("a.jpg", "-q:v 2"),
        ("a.png", ""),
        ("a.webp", "-c:v libwebp -lossless 1"),
        ("lossy.webp", "-c:v libwebp -quality 90"),
        ("a.bmp", ""),
        ("a.tif", ""),
        ("a.gif", ""),
        ("gray.png", "-pix_fmt gray"),
        ("alpha.png", "-pix_fmt rgba"),
        ("deep.png", "-pix_fmt rgb48be"),
    ] {
        ffmpeg(&world, &format!("-i {FACE} -update 1 -frames:v 1 {words} {{}}/{name}"));
        let ran = world.redact(&format!("{name} -o o_{name} --json"));
        let m = &ran.json()["files"][0]["manifest"];
        assert_eq!((&m["track_count"], &m["media"]["frames"]), (&1.into(), &1.into()), "{name}");
        let (before, after) = (&shots(&world.path(name))[0], &shots(&world.path(&format!("o_{name}")))[0]);
        assert!(
            before.shows_face() && !after.shows_face(),
            "{name}: {} {}",
            before.likeness(),
            after.likeness()
        );
        assert_eq!(
            world.read(name)[..3],
            world.read(&format!("o_{name}"))[..3],
            "{name}: of the same format"
        );
        if !name.contains("jpg") && name != "lossy.webp" && name != "a.gif" {
            for x in [0, 20, 159] {
                // 16 bits are written as 8, which two programs round in two ways.
                let slack = u8::from(name == "deep.png");
                let (b, a) = (before.pixel(x, 150), after.pixel(x, 150));
                let same = b.iter().zip(a).all(|(b, a)| b.abs_diff(a) <= slack);
                assert!(same, "{name}: what is not hidden is untouched: {b:?} {a:?}");
            }
        }
    }
}

/// The face twice beside each other on a plain ground, 400 by 160.
fn pair(world: &World, name: &str) {
    let graph = "color=c=0x406080:s=400x160[b];[b][0]overlay=0:0[x];[x][1]overlay=220:0";
    ffmpeg(
        world,
        &format!(
            "-i {FACE} -i {FACE} -filter_complex {graph} -frames:v 1 -update 1 -pix_fmt rgb24 {{}}/{name}"
        ),
    );
}

#[test]
fn in_a_picture_the_kept_face_is_untouched_to_the_pixel() {
    let world = World::new();
    pair(&world, "a.png");
    let before = shots(&world.path("a.png")).remove(0);
    let places = [BOX, (BOX.0 + 220.0, BOX.1, BOX.2, BOX.3)];
    let mut left = Vec::new();
    for keep in [1, 2] {
        world.redact(&format!("a.png -o o.png -y --keep-track {keep} {IN_GREEN}"));
        let after = &shots(&world.path("o.png"))[0];
        let hidden = places.map(|b| after.share_of(GREEN, b, true, 30));
        let kept = usize::from(hidden[1] < hidden[0]);
        assert!(hidden[kept] < 0.01 && hidden[1 - kept] > 0.98, "--keep-track {keep}: {hidden:?}");
        left.push(kept);
        let (x, y, w, h) = places[kept];
        for py in y as usize..(y + h) as usize {
            for px in x as usize..(x + w) as usize {
                assert_eq!(before.pixel(px, py), after.pixel(px, py), "--keep-track {keep} at {px}, {py}");
            }
        }
    }
    assert_ne!(left[0], left[1], "each number is another person");
    world.redact(&format!("a.png -o o.png -y --keep-track 1 --keep-track 2 {IN_GREEN}"));
    let after = &shots(&world.path("o.png"))[0];
    assert!(places.iter().all(|b| after.share_of(GREEN, *b, true, 30) < 0.01));
}

#[test]
fn regions_labels_heads_and_boxes_work_on_pictures() {
    let world = World::new();
    world.write("a.png", std::fs::read(FACE).unwrap());
    let green = |words: &str, rect: (f64, f64, f64, f64)| {
        world.redact(&format!("a.png -o o.png -y {IN_GREEN} {words}"));
        shots(&world.path("o.png"))[0].share_of(GREEN, rect, false, 30)
    };
    let all = (0.0, 0.0, 160.0, 160.0);
    assert!(green("--region 0,120,30,40", (0.0, 120.0, 30.0, 40.0)) > 0.999);
    assert!(green("", (0.0, 120.0, 30.0, 40.0)) < 0.01);
    assert!(green("--boxes", BOX) > 0.999 && green("--boxes", all) > green("", all) * 1.15);
    assert!(green("--target head", all) > green("", all) * 1.15);
    let (labelled, plain) = (green("--label-tracks", BOX), green("", BOX));
    assert!(labelled < plain - 0.01 && labelled > 0.5, "{labelled} against {plain}");
}

#[test]
fn what_hides_depends_on_nothing_that_was_there() {
    let world = World::new();
    // INV-1 through the whole program: a face and a white wall leave the same picture.
    pair(&world, "a.png");
    let hide = "--region 40,10,80,110 --boxes --verify none -t 1";
    let inside = "drawbox=x=40:y=10:w=80:h=110:color=white:t=fill";
    ffmpeg(
        &world,
        &format!("-i {{}}/a.png -vf format=gbrp,{inside} -frames:v 1 -update 1 -pix_fmt rgb24 {{}}/b.png"),
    );
    assert_ne!(shots(&world.path("a.png"))[0].pixel(80, 60), shots(&world.path("b.png"))[0].pixel(80, 60));
    for fill in ["surround", "solid"] {
        world.redact(&format!("a.png -o oa.png -y --replacewith {fill} {hide}"));
        world.redact(&format!("b.png -o ob.png -y --replacewith {fill} {hide}"));
        assert_eq!(world.read("oa.png"), world.read("ob.png"), "{fill}");
    }
}

#[test]
fn several_pictures_in_one_file_are_refused_in_words() {
    let world = World::new();
    for (name, words) in [("moving.gif", ""), ("moving.png", "-f apng"), ("moving.webp", "-c:v libwebp_anim")]
    {
        Scene { frames: 4, ..SMALL }.film(&world, name, words);
    }
    let before = world.files();
    for name in ["moving.gif", "moving.png", "moving.webp"] {
        let ran = world.placet(&format!("redact {name} -o o_{name}"));
        assert_eq!(ran.code, Some(2), "{name}: {}", ran.err);
        assert!(ran.err.contains("several pictures"), "{name}: {}", ran.err);
        assert_eq!(world.files(), before, "{name}");
    }
}

#[test]
fn a_picture_named_as_a_video_is_known_by_its_content() {
    let world = World::new();
    world.write("a.mp4", std::fs::read(FACE).unwrap());
    world.redact(&format!("a.mp4 -o o.mp4 {IN_GREEN}"));
    assert!(world.read("o.mp4").starts_with(b"\x89PNG"));
    assert!(!shots(&world.path("o.mp4"))[0].shows_face());
}
