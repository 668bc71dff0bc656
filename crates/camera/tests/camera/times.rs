//! A camera's clock on ours: for every clock, and end to end.

use placet_camera::times::{Order, Times};
use placet_camera::{Event, Trouble};
use placet_core::Pts;
use proptest::prelude::*;

use crate::peer::{Caller, FRAME, Peer, clip, h264_sdp};
use crate::watch::{Watched, config, joined};

const SECOND: i64 = 90_000;

/// What a camera may do between two pictures.
#[derive(Clone, Debug)]
enum Step {
    /// Both clocks go on, the camera's by a little more or less.
    On { by: i64, jitter: i64 },
    /// The camera's clock is set.
    Jump(u32),
    /// The same picture time again.
    Again,
    /// Nothing for a while; the camera's clock goes on.
    Stall { by: i64 },
    /// What was held up comes at once: the camera's clock went on, ours stands.
    Burst { by: i64 },
    /// A new connection.
    Reconnect,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (300..9_000i64, -900..900i64).prop_map(|(by, jitter)| Step::On { by, jitter }),
        1 => any::<u32>().prop_map(Step::Jump),
        1 => (-200_000..200_000i64).prop_map(|by| Step::Jump((u32::MAX / 2).wrapping_add(by as u32))),
        1 => Just(Step::Again),
        1 => (0..20 * SECOND).prop_map(|by| Step::Stall { by }),
        1 => (0..SECOND).prop_map(|by| Step::Burst { by }),
        1 => Just(Step::Reconnect),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn times_grow_and_stay_near_arrival_whatever_the_camera_does(
        first: u32,
        start in 0..1_000 * SECOND,
        steps in prop::collection::vec(any_step(), 1..300),
    ) {
        let mut times = Times::default();
        let (mut stamp, mut arrival) = (first, start);
        let mut last = times.map(stamp, Pts(arrival), Order::Shown).0;
        for (n, step) in steps.iter().enumerate() {
            match *step {
                Step::On { by, jitter } => {
                    stamp = stamp.wrapping_add(by as u32);
                    arrival += (by + jitter).max(0);
                }
                Step::Jump(to) => {
                    stamp = to;
                    arrival += 3_000;
                }
                Step::Again => {}
                Step::Stall { by } => {
                    stamp = stamp.wrapping_add(by as u32);
                    arrival += by;
                }
                Step::Burst { by } => stamp = stamp.wrapping_add(by as u32),
                Step::Reconnect => times.reconnect(),
            }
            let mapped = times.map(stamp, Pts(arrival), Order::Shown).0;
            prop_assert!(mapped > last, "step {n}: {mapped} after {last}");
            // One tick a picture where they come with no time between them.
            let most = SECOND + n as i64 + 1;
            prop_assert!((mapped - arrival).abs() <= most, "step {n}: {mapped} arrived {arrival}");
            last = mapped;
        }
    }

    /// A camera whose clock is right but for its rate, over a network that is late at times.
    #[test]
    fn a_steady_camera_keeps_its_distances_and_is_followed(
        first: u32,
        parts_per_million in -500..500i64,
        late in prop::collection::vec(0..4_500i64, 2_000),
    ) {
        let mut times = Times::default();
        let mut last = None;
        for (n, late) in late.into_iter().enumerate() {
            let ours = 3_000 * n as i64;
            let stamp = first.wrapping_add((ours + ours * parts_per_million / 1_000_000) as u32);
            let mapped = times.map(stamp, Pts(ours + late), Order::Shown).0;
            if let Some(last) = last {
                let distance: i64 = mapped - last;
                prop_assert!((distance - 3_000).abs() <= 20, "picture {n}: {distance}");
            }
            prop_assert!((mapped - ours).abs() <= 2 * 4_500, "picture {n}: {}", mapped - ours);
            last = Some(mapped);
        }
    }

    /// Pictures that come before those they are shown after keep their order, across the wrap too.
    #[test]
    fn reordered_pictures_keep_their_order(first: u32, groups in 1..200usize) {
        let mut times = Times::default();
        let mut shown = Vec::new();
        for n in 0..groups as i64 {
            // I or P, then the two B pictures that are shown before it.
            for (decoded, place) in [(0, 3), (1, 1), (2, 2)] {
                let stamp = first.wrapping_add((3_000 * (3 * n + place)) as u32);
                let arrival = Pts(3_000 * (3 * n + decoded));
                shown.push((3 * n + place, times.map(stamp, arrival, Order::Decoded).0));
            }
        }
        shown.sort();
        for pair in shown.windows(2) {
            let distance = pair[1].1 - pair[0].1;
            prop_assert!((2_700..3_300).contains(&distance), "{distance}");
        }
    }
}

/// Plays a clip round and round with times from `stamp`.
async fn play(mut caller: Caller, stamp: impl Fn(u32) -> u32) -> std::io::Result<()> {
    let clip = clip(":bframes=0");
    caller.as_usual(&h264_sdp(), "PLAY").await?;
    for n in 0.. {
        caller.picture(stamp(n), &clip[n as usize % clip.len()]).await?;
        tokio::time::sleep(FRAME).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_or_wraps_does_not_disturb() {
    type CameraClock = fn(u32) -> u32;
    let clocks: [(&str, CameraClock); 4] = [
        ("wraps", |n| (u32::MAX - 20 * 450).wrapping_add(450 * n)),
        ("an hour ahead", |n| 450 * n + if n > 30 { 3_600 * 90_000 } else { 0 }),
        ("an hour back", |n| 450 * n + if n > 30 { 0 } else { 3_600 * 90_000 }),
        ("stands still", |_| 7),
    ];
    for (name, clock) in clocks {
        let peer = Peer::start(move |caller, _| play(caller, clock)).await;
        let mut camera = Watched::open(config(&peer.url));
        camera.connected().await;
        let units = camera.units(80).await;
        joined(&units);
        assert!(units[79].pts.0 - units[0].pts.0 < 60 * SECOND, "{name}");
        camera.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b_pictures_come_as_they_are_decoded_with_the_times_they_are_shown_at() {
    // With one B picture between two others, the server dates them 0, 2, 1, 4, 3, and so on.
    let clip = clip(":bframes=1:b-adapt=0:scenecut=0:open-gop=0");
    let peer = Peer::start(move |mut caller, _| {
        let clip = clip.clone();
        async move {
            caller.as_usual(&h264_sdp(), "PLAY").await?;
            for n in 0.. {
                let picture = &clip[n as usize % clip.len()];
                // ffmpeg marks B pictures as no references.
                let is_b = picture.last().unwrap()[0] & 0x60 == 0;
                let shown = if is_b { n - 1 } else { n + 1 };
                caller.picture(3_000 * shown + 90_000, picture).await?;
                tokio::time::sleep(6 * FRAME).await;
            }
            Ok(())
        }
    })
    .await;
    let mut camera = Watched::open(config(&peer.url));
    camera.connected().await;
    let units = camera.units(60).await;
    let backwards = units.windows(2).filter(|pair| pair[1].pts < pair[0].pts).count();
    assert!(backwards >= 10, "{backwards} of 60");
    camera.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_go_on_over_a_new_connection() {
    let peer = Peer::start(|caller, number| async move {
        // Each connection starts its clock somewhere else, and ends.
        let limit = tokio::time::sleep(60 * FRAME);
        tokio::select! {
            end = play(caller, move |n| 450 * n + 1_000_000_000 * number as u32) => end,
            () = limit => Ok(()),
        }
    })
    .await;
    let mut camera = Watched::open(config(&peer.url));
    let mut units = Vec::new();
    let mut ends = 0;
    while ends < 3 {
        match camera.event().await {
            Event::Unit(unit) => units.push(unit),
            Event::Trouble(trouble) => {
                assert_eq!(trouble, Trouble::Ended);
                ends += 1;
            }
            _ => {}
        }
    }
    assert!(units.len() > 30);
    joined(&units);
    camera.close().await;
}
