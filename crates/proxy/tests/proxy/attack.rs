use std::time::{Duration, Instant};

use placet_core::{AccessUnit, Codec};

use crate::rig::{Rig, Searcher, clip, decoded, is_covered};

/// Our children by the kernel's list, with their program.
fn children() -> Vec<u32> {
    let me = std::process::id();
    let tasks = std::fs::read_dir(format!("/proc/{me}/task")).unwrap();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("children")).ok())
        .flat_map(|list| list.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<u32>>())
        .collect()
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

/// A number that is spread evenly and repeats from run to run.
fn spread(n: u64) -> u64 {
    n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33
}

#[test]
fn attack_each_child_is_killed_at_any_moment_and_no_face_leaves() {
    let rounds = if std::env::var("PLACET_ATTACK").is_ok_and(|v| v == "full") { 500 } else { 25 };
    let rig = Rig::start(clip("640x360", 60, Codec::H264));
    let mut searcher = Searcher::new();
    let (mut killed, mut pictures, mut shown, mut faces) = (0, 0, 0, 0);
    while killed < rounds {
        let before = rig.channel.status().report().starts;
        // At some moment while pictures come; then until they come again.
        let mut at = Instant::now() + Duration::from_millis(spread(killed) % 400);
        let mut struck = None;
        let units = rig.view(|units| {
            if Instant::now() >= at && !units.is_empty() {
                // Once more where it was a child that was ending anyway.
                at = Instant::now() + Duration::from_secs(3);
                let all = children();
                if all.is_empty() {
                    return false;
                }
                let chosen = all[usize::try_from(spread(killed + 77)).unwrap() % all.len()];
                kill(chosen);
                struck = Some(units.len());
            }
            let after = rig.channel.status().report().starts;
            struck.is_some_and(|n| units.len() > n + 3) && after != before
        });
        killed += 1;
        // What a viewer has before the death and after it are two streams.
        for frame in decoded_each(&units) {
            pictures += 1;
            shown += u64::from(!is_covered(&frame));
            faces += u64::from(!searcher.faces(&frame).is_empty());
        }
    }
    println!(
        "{killed} children killed; {pictures} pictures seen, {shown} not covered whole, {faces} with a face"
    );
    assert_eq!(faces, 0);
    assert!(shown > 0);
}

/// Decodes part by part, from each picture that decodes alone.
fn decoded_each(units: &[placet_feed::RedactedUnit]) -> Vec<placet_core::Frame> {
    let keys: Vec<usize> = (0..units.len()).filter(|idx| units[*idx].key()).chain([units.len()]).collect();
    keys.windows(2).flat_map(|w| decoded(&units[w[0]..w[1]])).collect()
}

#[test]
fn attack_pictures_are_spoilt_in_any_way_and_no_face_leaves() {
    let rounds = if std::env::var("PLACET_ATTACK").is_ok_and(|v| v == "full") { 40 } else { 3 };
    let clip = clip("640x360", 60, Codec::H264);
    let mut searcher = Searcher::new();
    let (mut spoilt, mut pictures, mut shown, mut faces) = (0, 0, 0, 0);
    for round in 0..rounds {
        let mut bad: Vec<AccessUnit> = clip.clone();
        for (idx, unit) in (0u64..).zip(&mut bad) {
            let dice = spread(round * 1_000 + idx);
            let mut data = unit.data.to_vec();
            let place = 20 + usize::try_from(dice).unwrap() % (data.len() - 20);
            match dice % 11 {
                0 => data.truncate(place),
                1 => data[place] ^= 1 << (dice % 8),
                2 => data[place..].fill(0),
                3 => data.extend(vec![0xAA; 5_000]),
                4 => data.clear(),
                _ => continue,
            }
            spoilt += 1;
            unit.data = data.into();
        }
        let rig = Rig::start(bad);
        for frame in decoded_each(&rig.view(|units| units.len() >= 75)) {
            pictures += 1;
            shown += u64::from(!is_covered(&frame));
            faces += u64::from(!searcher.faces(&frame).is_empty());
        }
    }
    println!("{spoilt} pictures spoilt; {pictures} seen, {shown} not covered whole, {faces} with a face");
    assert_eq!(faces, 0);
}
