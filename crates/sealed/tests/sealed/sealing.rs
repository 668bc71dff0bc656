//! The thread that seals: what is written, in what pieces, and what never is.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::mpsc;
use std::time::Duration;

use placet_core::{AccessUnit, Codec};
use placet_sealed::{Clock as _, Notice, Sealers, Shelf, SystemClock};

use crate::rig::{Clocks, Gateway, camera, custodian, files, limits, opened, plain, read, seconds, unit};

#[test]
fn segments_are_about_a_minute_from_key_frame_to_key_frame() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&dir.path().join("sealed"), limits(24, 1 << 30), &Clocks::new());
    let all = seconds(0, 150, 40);
    // Three pictures of a group whose key frame came before we did.
    gateway.seal("hall", &[&seconds(-1, 1, 40)[7..], &all].concat());
    let folder = gateway.folder.clone();
    assert_eq!(gateway.told(), []);
    assert_eq!(gateway.sealers.finish().unwrap().segments(), 3);
    let files = files(&folder);
    let parts: Vec<_> = files.iter().map(|file| read(&std::fs::read(file).unwrap(), &custodian())).collect();
    assert!(parts.iter().all(|(units, end)| end.is_ok() && units[0].1));
    assert_eq!(parts.iter().map(|(units, _)| units.len()).collect::<Vec<_>>(), [600, 600, 300]);
    let units: Vec<_> = parts.into_iter().flat_map(|(units, _)| units).collect();
    assert_eq!(units, plain(&all));
    for path in files.iter().chain([&folder, &folder.join("hall")]) {
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
    let name = |n: usize| files[n].file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(
        (name(0), name(2)),
        ("1795326000000-0000000000.sealed".into(), "1795326120000-0000000002.sealed".into())
    );
}

#[test]
fn a_change_of_codec_and_a_camera_without_key_frames_begin_anew() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&dir.path().join("sealed"), limits(24, 1 << 30), &Clocks::new());
    let other = |unit: AccessUnit| AccessUnit { codec: Codec::H265, ..unit };
    let mut units = seconds(0, 2, 40);
    units.extend(seconds(2, 2, 40).into_iter().map(other));
    // Ten minutes with one key frame at their start and one at their end: what comes after five minutes waits.
    units.extend((4_000..604_000).step_by(1_000).map(|ms| unit(ms, ms == 4_000, 40)));
    units.push(unit(604_000, true, 40));
    gateway.seal("hall", &units);
    let folder = gateway.folder.clone();
    gateway.sealers.finish();
    let counts: Vec<usize> =
        files(&folder).iter().map(|file| read(&std::fs::read(file).unwrap(), &custodian()).0.len()).collect();
    assert_eq!(counts, [20, 20, 300, 1]);
}

#[test]
fn a_picture_beyond_all_bounds_is_left_out_with_those_that_need_it() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&dir.path().join("sealed"), limits(24, 1 << 30), &Clocks::new());
    let mut units = seconds(0, 3, 40);
    units[14] = unit(1_400, false, 17 << 20);
    gateway.seal("hall", &units);
    let bytes = units[14].data.len();
    assert_eq!(gateway.told(), [Notice::TooLarge { camera: camera("hall"), bytes }]);
    let folder = gateway.folder.clone();
    gateway.sealers.finish();
    let (units, gaps) = opened(&folder, "hall", 0, 3_000);
    let times: Vec<i64> = units.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, (0..14).chain(20..30).map(|n| n * 100).collect::<Vec<i64>>());
    assert_eq!(gaps, [""; 0]);
}

#[test]
fn a_camera_never_waits_for_the_disk_and_what_was_lost_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let clocks = Clocks::new();
    let (shelf, _) = Shelf::open(&dir.path().join("sealed"), limits(24, 1 << 34), clocks.now()).unwrap();
    // The thread stands still at its first notice, until the test lets it go.
    let (reached, at_notice) = mpsc::channel();
    let (go, wait) = mpsc::channel::<()>();
    let mut stop = Some(wait);
    let (tell, told) = mpsc::channel();
    let sealers = Sealers::start(shelf, custodian().public_key(), clocks.clone(), move |notice| {
        if let Some(wait) = stop.take() {
            reached.send(()).unwrap();
            wait.recv().unwrap();
        }
        tell.send(notice).unwrap();
    })
    .unwrap();
    let hall = sealers.camera(camera("hall")).unwrap();
    hall.push(&unit(0, true, 17 << 20));
    at_notice.recv().unwrap();
    // A thousand pictures of 1 MiB: room for 64 MiB, less what stands still.
    for n in 1..=1_000 {
        hall.push(&unit(n * 100, n % 10 == 0, 1 << 20));
    }
    go.send(()).unwrap();
    sealers.sweep();
    hall.push(&unit(200_000, true, 40));
    hall.push(&unit(200_100, false, 40));
    sealers.sweep();
    drop(sealers);
    let told: Vec<Notice> = told.iter().collect();
    let lost: u64 = told
        .iter()
        .map(|notice| match notice {
            Notice::Behind { units, .. } => *units,
            _ => 0,
        })
        .sum();
    assert!((937..960).contains(&lost), "{told:?}");
    let (units, _) = opened(&dir.path().join("sealed"), "hall", 0, 300_000);
    // Of those that were taken the first nine need a key frame that was too large.
    let last: Vec<i64> = units.iter().rev().take(2).map(|(at, _)| *at).collect();
    assert_eq!(last, [200_100, 200_000]);
    assert_eq!(units.len() as u64, 1_000 - lost - 9 + 2);
}

/// Every folder and every file below, looked through for what must not be there.
#[test]
fn attack_no_clear_byte_of_a_picture_is_found_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&dir.path().join("sealed"), limits(24, 1 << 30), &Clocks::new());
    let canary = b"CANARY-0f3a-BRIGHT-PATTERN";
    let jpeg = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/picture/jpeg")).unwrap();
    let nal =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/nal/two-frames")).unwrap();
    let bright = vec![0xeb; 4_096];
    let mut planted = Vec::new();
    for (n, unit) in seconds(0, 130, 0).into_iter().enumerate() {
        let body: &[u8] = [canary.as_slice(), &jpeg, &nal, &bright][n % 4];
        let data: Vec<u8> = [&unit.data, body, &(n as u64).to_be_bytes()].concat();
        planted.push(AccessUnit { data: data.into(), ..unit });
    }
    gateway.seal("hall", &planted);
    gateway.seal("gate", &planted);
    let folder = gateway.folder.clone();
    gateway.sealers.finish();
    let needles: Vec<&[u8]> = vec![
        canary,
        &jpeg[..16],
        &jpeg[jpeg.len() / 2..][..16],
        &nal[..16],
        &nal[nal.len() / 2..][..16],
        &bright[..8],
    ];
    let (mut places, mut bytes, mut found) = (0, 0, 0);
    for file in files(&folder) {
        let all = std::fs::read(&file).unwrap();
        bytes += all.len();
        for needle in &needles {
            places += all.windows(needle.len()).filter(|window| window == needle).count();
        }
        found += read(&all, &custodian()).0.len();
    }
    println!("{} patterns in {bytes} bytes of {found} sealed pictures: found {places} times", needles.len());
    assert_eq!((places, found), (0, 2 * 1_300));
    // The search finds what is there.
    assert!(planted[0].data.windows(canary.len()).any(|window| window == canary));
}

#[test]
fn the_systems_clocks_go_forward_and_a_function_gives_civil_time() {
    let clock =
        SystemClock(|pts: placet_core::Pts| std::time::UNIX_EPOCH + Duration::from_millis(pts.0 as u64 / 90));
    let (first, second) = (clock.now(), clock.now());
    assert!(first.up <= second.up && first.utc.0 > 1_700_000_000_000);
    assert_eq!(clock.utc(placet_core::Pts(90 * 1_234)).0, 1_234);
}

#[test]
fn a_name_of_dots_alone_is_no_camera_here() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&dir.path().join("sealed"), limits(1, 1 << 20), &Clocks::new());
    assert!(gateway.sealers.camera(camera("..")).is_err());
    assert!(gateway.sealers.camera(camera("..a")).is_ok());
}
