//! What the specification says of every request, word by word.

use std::sync::Arc;

use placet_http::client::{Bounds, Client};
use placet_tlog::cosignature::verify;
use placet_tlog::note::Note;
use placet_tlog::witness::parse_answer;
use placet_witness::server::{Declined, FileSystem, OpenError, Witness};

use crate::world::{Log, NOW, Served, TestClock, follows, open, secret};

async fn post(witness: &Served, body: impl Into<Vec<u8>>) -> (u16, String, String) {
    let url = format!("{}/add-checkpoint", witness.url);
    let reply =
        Client::new().unwrap().post(&url, "text/plain", body.into(), Bounds::default()).await.unwrap();
    (reply.status, reply.content_type.unwrap_or_default(), String::from_utf8(reply.body).unwrap())
}

fn time_of(line: &str, log: &Log) -> u64 {
    let lines = parse_answer(line.as_bytes()).unwrap();
    let note = Note::parse(log.signed().as_bytes()).unwrap();
    verify(note.unverified_text(), &lines[0], &secret(1).verifier_key()).unwrap()
}

#[tokio::test]
async fn every_refusal_has_the_status_of_the_specification() {
    let witness = Served::new(1).await;
    let (three, five, seven) = (Log::of(3), Log::of(5), Log::of(7));
    assert_eq!(post(&witness, five.request(0)).await.0, 200);
    let other = three.grown(9, "other");
    let foreign = five.signed().replace("log.example/placet", "log.example/unknown");
    let unsigned = seven.request(5).replacen("\n7\n", "\n6\n", 1);
    let cases = [
        ("the size of another state", seven.request(3), 409, "5\n"),
        ("a size of zero", seven.request(0), 409, "5\n"),
        ("an older checkpoint", three.request(0), 409, "5\n"),
        ("another tree of the size known", three.grown(5, "other").request(5), 409, "5\n"),
        ("a fork", other.request(5), 422, ""),
        ("an old size above the new", five.request(5).replacen("old 5", "old 6", 1), 400, ""),
        ("an unknown log", format!("old 5\n\n{foreign}"), 404, ""),
        ("a signature of another text", unsigned, 403, ""),
        ("nothing", String::new(), 400, ""),
        ("no empty line", "old 5\n".to_owned(), 400, ""),
        ("a proof of words", "old 5\nabc\n\nx\n".to_owned(), 400, ""),
        ("too much", "x".repeat(70_000), 413, ""),
    ];
    let n_cases = cases.len();
    for (name, body, status, answer) in cases {
        let (found, kind, text) = post(&witness, body).await;
        assert_eq!(found, status, "{name}: {text}");
        if !answer.is_empty() {
            assert_eq!((kind.as_str(), text.as_str()), ("text/x.tlog.size", answer), "{name}");
        }
    }
    println!("{n_cases} refusals");
    assert_eq!(post(&witness, seven.request(5)).await.0, 200, "nothing of this has harmed the log");
}

#[tokio::test]
async fn whatever_bytes_come_the_witness_stays_up() {
    let witness = Served::new(1).await;
    let good = Log::of(5).request(0).into_bytes();
    let mut asked = 0;
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x80;
        let (status, ..) = post(&witness, bytes).await;
        assert!([400, 403, 404].contains(&status), "byte {at}: {status}");
        asked += 1;
    }
    for at in (0..good.len()).step_by(3) {
        assert!([400, 403].contains(&post(&witness, &good[..at]).await.0), "cut at {at}");
        asked += 1;
    }
    println!("{asked} broken requests");
    assert_eq!(post(&witness, good).await.0, 200);
}

#[tokio::test]
async fn the_page_says_who_follows_what_and_what_is_held_against_it() {
    let witness = Served::new(1).await;
    let get = async |path: &str| {
        let url = format!("{}/{path}", witness.url);
        let reply = Client::new().unwrap().get(&url, None, Bounds::default()).await.unwrap();
        (reply.status, String::from_utf8(reply.body).unwrap())
    };
    let (status, page) = get("").await;
    assert!(status == 200 && page.contains("No checkpoint has been cosigned yet"), "{page}");
    assert_eq!(post(&witness, Log::of(5).request(0)).await.0, 200);
    assert_eq!(post(&witness, Log::of(3).grown(5, "other").request(5)).await.0, 409);
    let (_, page) = get("").await;
    assert!(page.contains(&secret(1).verifier_key().to_string().replace('&', "&amp;")), "{page}");
    assert!(page.contains("5 entries, at 2026-11-22T12:00:00Z") && page.contains("it forked"), "{page}");
    let name = page.split("href=\"").find_map(|p| p.split_once('"')?.0.strip_prefix("evidence/")).unwrap();
    let (status, piece) = get(&format!("evidence/{name}")).await;
    assert!(status == 200 && piece.contains("submitted"), "{piece}");
    for path in ["evidence/nothing.json", "evidence/..%2flock", "evidence/..%5clock", "state/x"] {
        assert_eq!(get(path).await.0, 404, "{path}");
    }
}

#[test]
fn the_time_of_a_cosignature_never_goes_back() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::at(NOW));
    let witness = open(folder.path(), 1, &clock);
    let (five, six) = (Log::of(5), Log::of(6));
    let line = witness.add_checkpoint(five.request(0).as_bytes()).unwrap();
    assert_eq!(time_of(&line, &five), NOW);
    // The clock is set back a little, also over a restart.
    clock.turn(NOW - 200);
    drop(witness);
    let witness = open(folder.path(), 1, &clock);
    let line = witness.add_checkpoint(six.request(5).as_bytes()).unwrap();
    assert_eq!(time_of(&line, &six), NOW);
    // A clock that is far behind states nothing at all.
    clock.turn(NOW - 2000);
    let declined = witness.add_checkpoint(Log::of(7).request(6).as_bytes()).unwrap_err();
    assert!(matches!(&declined, Declined::Unable(why) if why.contains("2000 seconds behind")), "{declined}");
    clock.turn(NOW + 60);
    let line = witness.add_checkpoint(Log::of(7).request(6).as_bytes()).unwrap();
    assert_eq!(time_of(&line, &Log::of(7)), NOW + 60);
}

#[test]
fn of_many_who_ask_at_once_one_history_wins() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::at(NOW));
    let witness = Arc::new(open(folder.path(), 1, &clock));
    let base = Log::of(4);
    witness.add_checkpoint(base.request(0).as_bytes()).unwrap();
    let mut size = 4;
    let mut trunk = base;
    for round in 0..40 {
        let rivals: Vec<Log> =
            (0..8).map(|n| trunk.grown(size + 1 + n % 3, &format!("{round} {n}"))).collect();
        let tasks: Vec<_> = rivals
            .iter()
            .map(|rival| {
                let (witness, body) = (Arc::clone(&witness), rival.request(size));
                std::thread::spawn(move || witness.add_checkpoint(body.as_bytes()).is_ok())
            })
            .collect();
        let won: Vec<bool> = tasks.into_iter().map(|t| t.join().unwrap()).collect();
        assert_eq!(won.iter().filter(|w| **w).count(), 1, "round {round}");
        trunk = rivals[won.iter().position(|w| *w).unwrap()].clone();
        size = trunk.tree.size();
    }
    println!("40 rounds of 8 rivals, 40 winners");
}

#[test]
fn a_folder_has_one_witness_at_a_time() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::at(NOW));
    let witness = open(folder.path(), 1, &clock);
    let second =
        Witness::open(folder.path(), secret(1), &follows(), Box::new(FileSystem), Box::new(clock.clone()));
    assert!(matches!(second.err(), Some(OpenError::InUse { .. })));
    drop(witness);
    open(folder.path(), 1, &clock);
}

#[test]
fn a_state_that_was_put_back_is_noticed_when_its_own_cosignature_comes_back() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::at(NOW));
    let witness = open(folder.path(), 1, &clock);
    witness.add_checkpoint(Log::of(5).request(0).as_bytes()).unwrap();
    let state = std::fs::read_dir(folder.path().join("state")).unwrap().next().unwrap().unwrap().path();
    let backup = std::fs::read(&state).unwrap();
    let seven = Log::of(7);
    let line = witness.add_checkpoint(seven.request(5).as_bytes()).unwrap();
    drop(witness);
    std::fs::write(&state, backup).unwrap();
    let witness = open(folder.path(), 1, &clock);
    // What cannot be noticed: a fork of what was forgotten, by whoever knows that it was.
    let shown = format!("old 0\n\n{}{line}", seven.signed());
    let declined = witness.add_checkpoint(shown.as_bytes()).unwrap_err();
    assert!(matches!(&declined, Declined::Unable(why) if why.contains("does not remember")), "{declined}");
    assert!(witness.add_checkpoint(Log::of(6).request(5).as_bytes()).is_err());
    // Nor does a restart make it forget that.
    drop(witness);
    let witness = open(folder.path(), 1, &clock);
    assert!(witness.add_checkpoint(Log::of(6).request(5).as_bytes()).is_err());
}

#[test]
fn a_damaged_state_is_not_a_fresh_start() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::at(NOW));
    open(folder.path(), 1, &clock).add_checkpoint(Log::of(5).request(0).as_bytes()).unwrap();
    let state = std::fs::read_dir(folder.path().join("state")).unwrap().next().unwrap().unwrap().path();
    let good = std::fs::read(&state).unwrap();
    let opens = |bytes: &[u8]| {
        std::fs::write(&state, bytes).unwrap();
        let disk = Box::new(FileSystem);
        Witness::open(folder.path(), secret(1), &follows(), disk, Box::new(clock.clone())).is_ok()
    };
    let mut refused = 0;
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(!opens(&bad), "byte {at}");
        assert!(!opens(&good[..at]), "cut at {at}");
        refused += 2;
    }
    println!("{refused} damaged states refused");
    assert!(opens(&good));
}

#[test]
fn evidence_is_bounded_whoever_sends_it() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::at(NOW));
    let witness = open(folder.path(), 1, &clock);
    witness.add_checkpoint(Log::of(200).request(0).as_bytes()).unwrap();
    for size in 1..150 {
        assert!(witness.add_checkpoint(Log::of(size).request(0).as_bytes()).is_err());
        assert!(witness.add_checkpoint(Log::of(size).request(0).as_bytes()).is_err());
    }
    // Proof of a fork has a place of its own.
    assert!(witness.add_checkpoint(Log::of(3).grown(200, "other").request(200).as_bytes()).is_err());
    let names = std::fs::read_dir(folder.path().join("evidence")).unwrap();
    let names: Vec<String> = names.map(|n| n.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.iter().filter(|n| n.contains("older")).count(), 64);
    assert_eq!(names.iter().filter(|n| n.contains("fork")).count(), 1);
}
