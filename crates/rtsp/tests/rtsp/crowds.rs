//! Many at once, and what it costs.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use placet_core::Pts;
use placet_rtsp::{Admission, Limits};

use crate::camera::{Camera, Server, clock};
use crate::raw::{Raw, is_served};
use crate::studio::SMALL;

fn roomy() -> Limits {
    Limits { per_address: 300, ..Limits::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_viewers_come_and_go_and_one_stays() {
    let server = Server::start(Admission::Anybody, roomy()).await;
    let mut stays = Raw::open(server.address).await;
    stays.play().await;
    let address = server.address;
    let visits: Vec<_> = (0..200)
        .map(|n| {
            tokio::spawn(async move {
                let mut client = Raw::open(address).await;
                let (session, _) = client.play().await;
                for _ in 0..1 + n % 4 {
                    assert!(client.picture().await);
                }
                if n % 2 == 0 {
                    let named = format!("Session: {session}");
                    assert_eq!(client.ask("TEARDOWN", "", &[&named]).await.status, 200);
                }
            })
        })
        .collect();
    let mut served = 0;
    for visit in visits {
        visit.await.unwrap();
        served += 1;
    }
    // The one that stays lost no packet meanwhile.
    let mut number = None;
    for _ in 0..60 {
        let (channel, packet) = stays.packet().await.unwrap();
        if channel == 0 {
            let now = u16::from_be_bytes([packet[2], packet[3]]);
            assert!(number.is_none_or(|before: u16| before.wrapping_add(1) == now));
            number = Some(now);
        }
    }
    drop(stays);
    server.until_left().await;
    is_served(server.address).await;
    println!("{served} viewers came and went, half of them without a word");
}

/// Printed, not asserted: from a unit's birth to a client's hands, and what a viewer costs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_long_a_picture_takes_to_a_client_and_what_a_viewer_costs() {
    let start = Instant::now();
    let sent: Arc<Mutex<Vec<(Pts, Duration)>>> = Arc::default();
    let tell = Arc::clone(&sent);
    let camera = Camera::start(SMALL, move |pts| tell.lock().unwrap().push((pts, start.elapsed())));
    let server = Server::of(camera, Admission::Anybody, roomy()).await;
    for viewers in [1, 50, 200] {
        let mut clients = Vec::new();
        for _ in 0..viewers {
            let mut client = Raw::open(server.address).await;
            client.play().await;
            clients.push(client);
        }
        let before = cpu_ticks();
        let since = Instant::now();
        let watching: Vec<_> = clients
            .into_iter()
            .map(|mut client| {
                tokio::spawn(async move {
                    let (mut offset, mut came) = (None, Vec::new());
                    while came.len() < 45 {
                        let (channel, packet) = client.packet().await.unwrap();
                        let word = |n: usize| u32::from_be_bytes(packet[n..n + 4].try_into().unwrap());
                        if channel == 1 {
                            // The report tells which instant of the camera a time of the packets is.
                            let base = clock(Pts(0)).duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
                            let whole = u64::from(word(8)) - 2_208_988_800 - base;
                            let ticks = whole * 90_000 + ((u64::from(word(12)) * 90_000 + (1 << 31)) >> 32);
                            offset = Some(word(16).wrapping_sub(ticks as u32));
                        } else if packet[1] & 0x80 != 0 {
                            came.push((word(4), start.elapsed()));
                        }
                    }
                    let offset = offset.unwrap();
                    came.into_iter().map(|(time, at)| (time.wrapping_sub(offset), at)).collect::<Vec<_>>()
                })
            })
            .collect();
        let mut taken = Vec::new();
        for watch in watching {
            let came = watch.await.unwrap();
            let sent = sent.lock().unwrap();
            for (ticks, at) in came {
                // The first of the group were kept for whoever comes; only live ones are timed.
                let birth = sent
                    .iter()
                    .find(|(pts, _)| (pts.0 as u32).abs_diff(ticks) <= 2)
                    .map(|(_, at)| *at)
                    .unwrap();
                if at.saturating_sub(birth) < Duration::from_millis(60) {
                    taken.push(at.saturating_sub(birth));
                }
            }
        }
        let cpu = f64::from(cpu_ticks() - before) / 100.0 / since.elapsed().as_secs_f64();
        taken.sort();
        let at = |share: usize| taken[(taken.len() - 1) * share / 100];
        println!(
            "{viewers} viewers: p50 {:?}, p99 {:?} of {} pictures; {:.1} % of a core in all, clients and encoder too",
            at(50),
            at(99),
            taken.len(),
            100.0 * cpu
        );
    }
}

/// Of this process, user and system, in hundredths of a second (proc(5)).
fn cpu_ticks() -> u32 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u32>().unwrap() + fields[12].parse::<u32>().unwrap()
}
