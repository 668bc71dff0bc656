//! Witnesses that lie, stall, send garbage or somebody else's words. The policy asks for one honest witness beside each, so
//! that a round also shows that nobody else is harmed.

use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::post;
use placet_tlog::cosignature::cosign;
use placet_tlog::note::{Note, WitnessSecret};
use placet_witness::client::{Alarm, Failure, Outcome, Round, Settings, Witnesses};

use crate::world::{Log, NOW, Served, policy, secret, start, witness_line};

const DEADLINE: Duration = Duration::from_millis(1500);

/// What a round looks like whose second witness is served by `router`.
async fn beside(router: Router, log: &Log) -> Round {
    let honest = Served::new(1).await;
    let (url, server) = start(router).await;
    let lines = [honest.line(), witness_line(2, &url)];
    let settings = Settings { grace: DEADLINE, deadline: DEADLINE, ..Settings::default() };
    let witnesses = Witnesses::new(policy(&lines, "group both all w1 w2\nquorum both\n"), settings).unwrap();
    let round = witnesses.cosign(&log.signed(), NOW, log.history()).await.unwrap();
    server.abort();
    assert!(!round.met, "{round:?}");
    assert!(matches!(round.outcomes[0].outcome, Outcome::Cosigned { .. }), "{round:?}");
    assert_eq!(Note::parse(round.checkpoint.as_bytes()).unwrap().signatures().len(), 2, "{round:?}");
    round
}

fn answers(status: u16, body: impl Into<String>) -> Router {
    let (status, body) = (StatusCode::from_u16(status).unwrap(), body.into());
    Router::new().route("/add-checkpoint", post(async move || (status, body)))
}

async fn failure(router: Router, log: &Log) -> Failure {
    match beside(router, log).await.outcomes.swap_remove(1).outcome {
        Outcome::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

async fn alarm(router: Router, log: &Log) -> Alarm {
    match beside(router, log).await.outcomes.swap_remove(1).outcome {
        Outcome::Alarm(alarm) => alarm,
        other => panic!("{other:?}"),
    }
}

fn line(log: &Log, time: u64, key: &WitnessSecret) -> String {
    let note = Note::parse(log.signed().as_bytes()).unwrap();
    cosign(note.unverified_text(), time, key).unwrap().to_string()
}

#[tokio::test]
async fn a_cosignature_by_another_key_does_not_count() {
    let log = Log::of(5);
    let foreign = WitnessSecret::generate("witness.example/w2", [9; 32]).unwrap();
    let found = failure(answers(200, line(&log, NOW, &foreign)), &log).await;
    assert!(matches!(found, Failure::OtherKey), "{found}");
    let found = failure(answers(200, line(&log, NOW, &secret(3))), &log).await;
    assert!(matches!(found, Failure::OtherKey), "{found}");
}

#[tokio::test]
async fn a_cosignature_of_another_checkpoint_does_not_count() {
    let log = Log::of(5);
    let found = failure(answers(200, line(&Log::of(4), NOW, &secret(2))), &log).await;
    assert!(matches!(found, Failure::BadCosignature(_)), "{found}");
}

#[tokio::test]
async fn a_cosignature_from_another_time_does_not_count() {
    let log = Log::of(5);
    for time in [0, NOW - 301, NOW + 301] {
        let found = failure(answers(200, line(&log, time, &secret(2))), &log).await;
        assert!(matches!(found, Failure::Clock { .. }), "{found}");
    }
}

#[tokio::test]
async fn garbage_is_told_as_such() {
    let log = Log::of(5);
    for garbage in ["", "\n", "ok\n", "\u{2014} witness.example/w2 AAAA\n", "\u{2014} \u{2014} \u{2014}\n"] {
        let found = failure(answers(200, garbage), &log).await;
        assert!(matches!(found, Failure::Answer(_)), "{garbage:?}: {found}");
    }
    let cut = line(&log, NOW, &secret(2)).trim_end().to_owned();
    assert!(matches!(failure(answers(200, cut), &log).await, Failure::Answer(_)));
    let found = failure(answers(418, "no\u{1b}[31m\u{202e}\n".repeat(100)), &log).await;
    let words = found.to_string();
    assert!(words.len() < 300 && !words.contains(['\u{1b}', '\u{202e}', '\n']), "{words}");
}

#[tokio::test]
async fn a_slow_a_huge_and_a_wandering_witness_cost_the_deadline_at_most() {
    let log = Log::of(5);
    let started = std::time::Instant::now();
    let slow = Router::new().route("/add-checkpoint", post(|| tokio::time::sleep(Duration::from_secs(60))));
    let found = failure(slow, &log).await;
    assert!(matches!(found, Failure::Late | Failure::Http(_)), "{found}");
    let found = failure(answers(200, "x".repeat(1 << 20)), &log).await;
    assert!(matches!(found, Failure::Http(_)), "{found}");
    let away = (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "http://127.0.0.1:1/add-checkpoint")]);
    let found = failure(Router::new().route("/add-checkpoint", post(async move || away)), &log).await;
    assert!(matches!(&found, Failure::Http(e) if e.to_string().contains("redirects")), "{found}");
    assert!(started.elapsed() < 10 * DEADLINE);
}

#[tokio::test]
async fn a_witness_that_says_it_knows_more_raises_an_alarm() {
    let log = Log::of(5);
    let found = alarm(answers(409, "6\n"), &log).await;
    assert!(matches!(found, Alarm::AheadOfUs { size: 6, .. }), "{found}");
    let found = alarm(answers(409, "9223372036854775807\n"), &log).await;
    assert!(matches!(found, Alarm::AheadOfUs { .. }), "{found}");
    let found = alarm(answers(422, "no\n"), &log).await;
    assert!(matches!(found, Alarm::DoesNotExtend { size: 0, .. }), "{found}");
}

#[tokio::test]
async fn a_witness_that_cannot_settle_on_a_size_is_asked_twice_and_no_more() {
    let log = Log::of(50);
    let next = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(1));
    let counted = std::sync::Arc::clone(&next);
    let moody = post(async move || {
        let size = counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        (StatusCode::CONFLICT, format!("{size}\n"))
    });
    let found = failure(Router::new().route("/add-checkpoint", moody), &log).await;
    assert!(matches!(found, Failure::Unsettled), "{found}");
    assert_eq!(next.load(std::sync::atomic::Ordering::SeqCst), 3);
    for nonsense in ["", "-1\n", "05\n", "9223372036854775808\n", "five\n", "0\n"] {
        let found = failure(answers(409, nonsense), &log).await;
        assert!(matches!(found, Failure::NoSize), "{nonsense:?}: {found}");
    }
}
