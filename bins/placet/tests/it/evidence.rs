//! What a run says of itself: the report, the signed manifest, keys, the drawing, the comparison.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::scene::{FACE, IN_GREEN, SMALL, Scene, ffprobe, shots, times};
use crate::world::{Running, World, children};

fn one_clip() -> World {
    let world = World::new();
    SMALL.film_with_tone(&world, "a.mp4", "-c:v libx264 -preset veryfast -c:a aac");
    world
}

#[test]
fn the_report_agrees_with_the_manifest_and_the_files() {
    let world = one_clip();
    let ran = world.redact("a.mp4 -o o.mp4 --json");
    let report = ran.json();
    let file = &report["files"][0];
    assert_eq!(
        (&file["input"], &file["output"], &file["outcome"]),
        (&"a.mp4".into(), &"o.mp4".into(), &"done".into())
    );
    let told: Value = world.placet("manifest o.mp4.manifest --json").json();
    assert_eq!(told, file["manifest"]);
    let summary = &report["summary"];
    assert_eq!((&summary["files"], &summary["done"], &summary["failed"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!((&summary["frames"], &summary["tracks"]), (&25.into(), &1.into()));

    let m = &file["manifest"];
    for (side, name) in [("input", "a.mp4"), ("output", "o.mp4")] {
        let bytes = world.read(name);
        assert_eq!(m[side]["name"], name);
        assert_eq!(m[side]["bytes"], bytes.len());
        assert_eq!(m[side]["digest"], placet_core::Digest::of(&bytes).to_string(), "{m:#}");
    }
    assert_eq!(m["media"]["frames"], times(&world.path("o.mp4")).len());
    assert_eq!(m["frames"]["judged"], 25);
    assert_eq!(m["frames"]["covered_whole"], 0);
    let track = &m["tracks"][0];
    assert_eq!((&track["first_frame"], &track["last_frame"]), (&0.into(), &24.into()), "{m:#}");
    assert!(track["max_height_px"].as_u64() > Some(50), "{track}");
}

#[test]
fn a_manifest_opens_with_the_signer_s_key_alone() {
    let world = one_clip();
    world.redact("a.mp4 -o o.mp4");
    let key = world.placet("key show").text();
    world.write("signer.pub", &key);
    for words in [
        "manifest o.mp4.manifest --input a.mp4 --output o.mp4".to_owned(),
        format!("manifest o.mp4.manifest --key {} --input a.mp4 --output o.mp4", key.trim()),
        "manifest o.mp4.manifest --key signer.pub".to_owned(),
    ] {
        let ran = world.placet(&words);
        assert_eq!(ran.code, Some(0), "{words}: {}", ran.err);
        assert!(ran.text().contains("1 face hidden"), "{}", ran.text());
    }
    let other = world.placet("key new other.key --name example.org/other");
    assert_eq!(other.code, Some(0), "{}", other.err);
    assert!(other.text().starts_with("example.org/other+"), "{}", other.text());
    let ran = world.placet(&format!("manifest o.mp4.manifest --key {}", other.text().trim()));
    assert_eq!(ran.code, Some(8), "{}", ran.err);
    assert!(ran.err.contains("not genuine"), "{}", ran.err);
    // Input and output swapped are two other files.
    let ran = world.placet("manifest o.mp4.manifest --input o.mp4 --output a.mp4");
    assert_eq!(ran.code, Some(8));
    assert_eq!(ran.text().matches("ANOTHER FILE").count(), 2, "{}", ran.text());
}

#[test]
fn one_flipped_bit_anywhere_is_exit_8() {
    let world = one_clip();
    world.redact("a.mp4 -o o.mp4");
    for name in ["o.mp4.manifest", "a.mp4", "o.mp4"] {
        let genuine = world.read(name);
        for part in 0..8 {
            let mut bytes = genuine.clone();
            let at = (bytes.len() - 1) * part / 7;
            bytes[at] ^= 1 << part;
            world.write(name, &bytes);
            let ran = world.placet("manifest o.mp4.manifest --input a.mp4 --output o.mp4");
            assert_eq!(ran.code, Some(8), "{name}, byte {at}, bit {part}: {}{}", ran.text(), ran.err);
        }
        world.write(name, &genuine);
    }
    assert_eq!(world.placet("manifest o.mp4.manifest --input a.mp4 --output o.mp4").code, Some(0));
}

#[test]
fn a_key_is_private_and_never_overwritten() {
    let world = World::new();
    let made = world.placet("key new k.key --name example.org/redaction");
    assert_eq!(made.code, Some(0), "{}", made.err);
    let mode = std::fs::metadata(world.path("k.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(world.placet("key show k.key").text(), made.text());
    let again = world.placet("key new k.key");
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("never overwritten"), "{}", again.err);
    assert_eq!(world.placet("key show k.key").text(), made.text());

    std::fs::set_permissions(world.path("k.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = world.placet(&format!("redact {FACE} -o o.png --key k.key"));
    assert_eq!(open.code, Some(2));
    assert!(open.err.contains("chmod 600"), "{}", open.err);
    assert!(!world.has("o.png"));
    for (words, said) in [
        ("key show none.key", "placet key new"),
        ("key new x.key --name with+plus", "with+plus"),
        ("manifest none.manifest --key nonsense", "is no public key"),
    ] {
        let ran = world.placet(words);
        assert_eq!(ran.code, Some(2), "{words}: {}", ran.err);
        assert!(ran.err.contains(said), "{words}: {}", ran.err);
    }
}

#[test]
fn a_named_key_signs_and_none_writes_no_manifest() {
    let world = World::new();
    world.write("a.png", std::fs::read(FACE).unwrap());
    let public = world.placet("key new k.key --name example.org/redaction").text();
    world.redact("a.png -o o.png --key k.key --manifest elsewhere.note");
    assert!(!world.has("o.png.manifest"));
    let ran = world.placet(&format!("manifest elsewhere.note --key {} --output o.png", public.trim()));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    world.redact("a.png -o p.png --manifest none");
    assert!(!world.has("p.png.manifest"));
}

#[test]
fn the_drawing_is_an_svg_or_a_png_by_its_name() {
    let world = one_clip();
    world.redact("a.mp4 -o o.mp4 --explain x.svg");
    let svg = String::from_utf8(world.read("x.svg")).unwrap();
    assert!(svg.contains("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
    assert!(svg.contains("a.mp4"), "it says of what");
    world.redact("a.mp4 -o o.mp4 -y --explain x.png");
    let png = &shots(&world.path("x.png"))[0];
    assert!(png.width > 300 && png.height > 100, "{} x {}", png.width, png.height);
    assert!(world.read("x.png").starts_with(b"\x89PNG"));
}

#[test]
fn the_comparison_shows_input_and_output_side_by_side() {
    let world = one_clip();
    let ran = world.redact(&format!("a.mp4 -o o.mp4 --compare c.mp4 {IN_GREEN}"));
    assert!(ran.err.contains("keep it as safe as the original"), "{}", ran.err);
    let (both, out) = (shots(&world.path("c.mp4")), shots(&world.path("o.mp4")));
    assert_eq!((both.len(), both[0].width, both[0].height), (25, 640, 240));
    assert!(both.iter().all(|s| s.shows_face()), "the left half shows the face");
    for (n, (b, o)) in both.iter().zip(&out).enumerate() {
        let (x, y, w, h) = SMALL.truth(n);
        let right = b.share_of(crate::scene::GREEN, (x + 320.0, y, w, h), true, 90);
        assert!(right > 0.97 && !o.shows_face(), "frame {n}: {right} of the right half's face is hidden");
    }
    assert_eq!(ffprobe(&world.path("c.mp4"), "stream=codec_type"), "video");
    world.write("a.png", std::fs::read(FACE).unwrap());
    world.redact("a.png -o o.png --compare c.png");
    let both = &shots(&world.path("c.png"))[0];
    assert_eq!((both.width, both.height), (320, 160));
}

#[test]
fn the_comparison_shows_what_was_read_whatever_a_link_leads_to_by_then() {
    let world = World::new();
    Scene { frames: 100, ..SMALL }.film(&world, "a.mp4", "-c:v libx264 -preset veryfast");
    Scene { size: (200, 160), at: (0, 0), ..SMALL }.film(&world, "b.mp4", "-c:v libx264 -preset veryfast");
    let link = |to: &str| {
        std::os::unix::fs::symlink(to, world.path("new")).unwrap();
        std::fs::rename(world.path("new"), world.path("link.mp4")).unwrap();
    };
    link("a.mp4");
    let mut running = Running::start(&mut world.command("redact link.mp4 -o o.mp4 --fast --compare c.mp4"));
    assert!(running.until(|pid| !children(pid, &["ffmpeg", "pipe:1"]).is_empty()), "it ended too early");
    link("b.mp4");
    let ran = running.wait();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(ffprobe(&world.path("c.mp4"), "stream=width,height"), "640,240");
}

#[test]
fn an_empty_key_is_made_anew_and_told() {
    let world = World::new();
    world.write("a.png", std::fs::read(FACE).unwrap());
    let key = world.data("placet/manifest.key");
    std::fs::create_dir_all(key.parent().unwrap()).unwrap();
    std::fs::write(&key, "").unwrap();
    let ran = world.redact("a.png -o o.png --fast");
    assert!(ran.err.contains("signed with a key made now"), "{}", ran.err);
    assert_eq!(world.placet("manifest o.png.manifest --output o.png").code, Some(0));
    world.write("k.key", "");
    std::fs::set_permissions(world.path("k.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let named = world.placet("redact a.png -o p.png --key k.key");
    assert_eq!(named.code, Some(2), "{}", named.err);
    assert!(named.err.contains("is empty") && named.err.contains("placet key new"), "{}", named.err);
}

#[test]
fn what_is_asked_for_beside_the_output_is_refused_before_the_work() {
    let world = one_clip();
    world.write("c.mp4", b"mine");
    for (words, code) in [
        ("--compare c.mp4", 2),
        ("--compare nowhere/c.mp4", 1),
        ("--explain nowhere/x.svg", 1),
        ("--manifest nowhere/m", 1),
        ("--compare a.mp4", 2),
        ("--explain a.mp4", 2),
        ("--manifest a.mp4", 2),
        ("--explain o.mp4", 2),
        ("--explain ./o.mp4", 2),
        ("--explain x --compare x", 2),
    ] {
        let before = world.files();
        let ran = world.placet(&format!("redact a.mp4 -o o.mp4 {words}"));
        assert_eq!(ran.code, Some(code), "{words}: {}", ran.err);
        assert_eq!(world.files(), before, "{words}: nothing is written");
    }
}

#[test]
fn the_check_is_told_as_it_was_done() {
    let world = one_clip();
    for (words, verify, frames) in [
        ("--verify none", "none", 0..=0),
        ("--fast", "none", 0..=0),
        ("--verify sample", "sample", 1..=24),
        ("--verify full", "full", 25..=25),
        ("--fast --verify full", "full", 25..=25),
    ] {
        let ran = world.redact(&format!("a.mp4 -o o.mp4 -y --json {words}"));
        let m = &ran.json()["files"][0]["manifest"];
        assert_eq!(m["settings"]["verify"], verify, "{words}");
        let checked = m["check"]["frames_checked"].as_u64().unwrap_or(0);
        assert!(frames.contains(&checked), "{words}: {checked}");
        assert_eq!(m["check"].is_null(), verify == "none", "{words}");
        assert_eq!(ran.err.contains("not checked"), verify == "none", "{words}: {}", ran.err);
    }
}

#[test]
fn places_are_told_by_their_true_names() {
    let world = World::new();
    let ran = Running::start(world.command("doctor").env_remove("PLACET_MODELS")).wait();
    assert!(ran.text().contains("yunet") && !ran.text().contains("/../"), "{}", ran.text());
}

#[test]
fn doctor_and_the_list_of_models_say_what_is_in_place() {
    let world = World::new();
    let doctor = world.placet("doctor");
    assert_eq!(doctor.code, Some(0), "{}{}", doctor.text(), doctor.err);
    for words in ["ffmpeg", "sandbox", "detectors", "both run", "placet key new"] {
        assert!(doctor.text().contains(words), "{words}: {}", doctor.text());
    }
    let all = world.placet("doctor --json").json();
    assert!(all.as_array().unwrap().iter().any(|f| f["what"] == "ffmpeg" && f["ok"] == true), "{all}");
    let list = world.placet("models list --json").json();
    assert!(list["models"].as_array().unwrap().iter().all(|m| m["genuine"] == true), "{list}");
    std::fs::create_dir(world.path("empty")).unwrap();
    let missing = world.placet("models list --models empty");
    assert_eq!(missing.code, Some(4));
    assert!(missing.err.contains("placet models install"), "{}", missing.err);
    let doctor = world.placet("doctor --models empty");
    assert_eq!(doctor.code, Some(4), "{}", doctor.text());
    assert!(
        doctor.text().contains("MISSING") && doctor.text().contains("placet models install"),
        "{}",
        doctor.text()
    );
}
