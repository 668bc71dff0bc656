//! The pages in headless Chromium.

use std::process::Stdio;
use std::time::Duration;

use placet_feed::{Feed, State};
use placet_view::Access;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::camera::{Camera, Site};
use crate::studio::{LARGE, SMALL};

fn have(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_shows_moving_pictures_each_way_and_the_state_in_words() {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
    if !have("node") || !(have(&chromium) || std::path::Path::new(&chromium).is_file()) {
        assert!(std::env::var_os("CI").is_none(), "node and chromium are needed");
        return println!("skipped: install nodejs and chromium to see the pages in a browser");
    }
    let site = Site::open(Access::Loopback).await;
    let live = Camera::live(LARGE);
    let covered = Camera::start(SMALL, State::covered("the detector is late"), |_| {});
    let (away, away_feed) = Feed::new();
    away.set_note(State::away("no answer"));
    site.feeds.insert("hall-north", live.feed.clone()).unwrap();
    site.feeds.insert("hall-south", covered.feed.clone()).unwrap();
    site.feeds.insert("gate", away_feed).unwrap();
    let mut check = Command::new("node")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/view/check.mjs"))
        .arg(site.url(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = check.stdin.take().unwrap();
    let mut lines = BufReader::new(check.stdout.take().unwrap()).lines();
    let mut live = Some(live);
    let mut said = Vec::new();
    // The page says when a camera is to end, to come back in another size, and to change its state.
    while let Some(line) =
        timeout(Duration::from_secs(120), lines.next_line()).await.expect("a line").unwrap()
    {
        println!("{line}");
        match line.as_str() {
            "> end" => drop(live.take()),
            "> return" => {
                let camera = Camera::live(SMALL);
                site.feeds.insert("hall-north", camera.feed.clone()).unwrap();
                live = Some(camera);
            }
            "> cover" => away.set_note(State::covered("frames are late")),
            _ => said.push(line.clone()),
        }
        if line.starts_with("> ") {
            input.write_all(b"done\n").await.unwrap();
        }
    }
    assert!(check.wait().await.unwrap().success());
    assert!(said.last().is_some_and(|line| line.ends_with("0 failed")), "{said:?}");
}
