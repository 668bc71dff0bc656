//! How alarms are passed on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use placet_http::server::{Limits, serve};
use placet_monitor::{Alarm, AlarmKind, Monitor, Settings, Webhook, WebhookError, atom};
use tokio::runtime::Runtime;

use crate::maker::{Host, INTERVAL, ORIGIN, at, honest, policy};

/// A hook that fails `failures` times with `status`, and what it was sent.
fn hook(failures: usize, status: u16) -> (Runtime, String, Arc<Mutex<Vec<String>>>, Arc<AtomicUsize>) {
    let runtime = Runtime::new().unwrap();
    let (taken, asked) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
    let (keep, count) = (Arc::clone(&taken), Arc::clone(&asked));
    let answer = post(async move |body: String| {
        if count.fetch_add(1, Ordering::SeqCst) < failures {
            return StatusCode::from_u16(status).unwrap();
        }
        keep.lock().unwrap().push(body);
        StatusCode::NO_CONTENT
    });
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let router = Router::new().route("/hook", answer);
    runtime.spawn(serve(listener, router, Limits::default(), std::future::pending()));
    (runtime, url, taken, asked)
}

/// Alarms that a real look gave: as many silences.
fn alarms(count: u64) -> Vec<Alarm> {
    let folder = tempfile::tempdir().unwrap();
    let mut monitor = Monitor::open(folder.path(), policy(), Settings::default()).unwrap();
    for ticks in 1..=count {
        let log = honest(ticks, 0);
        monitor.look(&Host::of(&log).source, at(ticks * INTERVAL + 31)).unwrap();
    }
    monitor.outbox().to_vec()
}

fn webhook(url: &str, tries: usize) -> Webhook {
    let pauses = vec![Duration::from_millis(1); tries - 1];
    Webhook::new(url.parse().unwrap(), Duration::from_secs(2), pauses).unwrap()
}

#[test]
fn alarms_arrive_as_json_also_where_the_hook_fails_at_first() {
    let (_runtime, url, taken, asked) = hook(2, 503);
    let alarms = alarms(2);
    webhook(&url, 4).deliver(ORIGIN, &alarms).unwrap();
    let taken = taken.lock().unwrap();
    let message: serde_json::Value = serde_json::from_str(&taken[0]).unwrap();
    assert_eq!((taken.len(), asked.load(Ordering::SeqCst), &message["log"]), (1, 3, &ORIGIN.into()));
    assert_eq!(serde_json::from_value::<Vec<Alarm>>(message["alarms"].clone()).unwrap(), alarms);
    assert_eq!(message["alarms"][0]["kind"], "silent");
}

#[test]
fn a_hook_that_says_no_is_not_pressed_and_one_that_fails_is_given_up() {
    let alarms = alarms(1);
    for (status, tries) in [(403, 1), (404, 1), (503, 3), (429, 3)] {
        let (_runtime, url, taken, asked) = hook(usize::MAX, status);
        let failed = webhook(&url, 3).deliver(ORIGIN, &alarms).unwrap_err();
        assert!(matches!(failed, WebhookError::Status(s) if s == status), "{failed}");
        assert_eq!((asked.load(Ordering::SeqCst), taken.lock().unwrap().len()), (tries, 0), "{status}");
    }
    let nobody = webhook("http://127.0.0.1:1/hook", 2).deliver(ORIGIN, &alarms).unwrap_err();
    assert!(matches!(nobody, WebhookError::Http(_)), "{nobody}");
}

#[test]
fn a_feed_is_xml_whatever_stands_in_an_alarm_and_its_ids_stay() {
    let mut alarms = alarms(2);
    let before = atom::feed(ORIGIN, &alarms);
    assert_eq!(before, atom::feed(ORIGIN, &alarms));
    for alarm in &alarms {
        assert_eq!(before.matches(&format!("<id>{}</id>", alarm.id)).count(), 1, "{before}");
        assert!(alarm.id.starts_with("urn:uuid:") && alarm.id.len() == 45, "{}", alarm.id);
    }
    assert!(before.contains("<updated>2026-11-22T05:42:31Z</updated>"), "{before}");
    alarms[0].words = "<script>alert(1)</script> & ]]> \u{0}\u{1b}\u{fffe}\u{202e}".to_owned();
    alarms[0].kind = AlarmKind::Gap;
    let feed = atom::feed("a<b>&c", &alarms);
    let read = roxmltree::Document::parse(&feed).unwrap();
    let entries = read.descendants().filter(|n| n.has_tag_name("entry")).count();
    assert_eq!(entries, 2);
    assert!(read.descendants().any(|n| n.text() == Some("Alarms about a<b>&c")), "{feed}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alarms.atom");
    atom::write(&path, ORIGIN, &alarms).unwrap();
    atom::write(&path, ORIGIN, &[]).unwrap();
    assert!(roxmltree::Document::parse(&std::fs::read_to_string(path).unwrap()).is_ok());
}
