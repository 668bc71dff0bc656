//! `placet disclose` from end to end: a camera's pictures sealed, ordered, opened; and everything that must not open them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use placet_core::{AccessUnit, Codec, Pts};
use placet_record::entry::{Aim, Event, EventKind, Ground, Leaf, Moment};
use placet_record::unsealing::{Order, Statement};
use placet_sealed::{
    CustodyKey, CustodySecret, Limits, Retention, Sealers, SegmentReader, Shelf, SystemClock,
};
use placet_tlog::note::{self, SignerKey, VerifierKey};

use crate::scene::{FACE, Scene, coded_pictures, shots};
use crate::world::{HANGS, Ran, Running, World, children};

/// Four seconds of ten pictures, a key frame each second.
const WALK: Scene = Scene { frames: 40, rate: "10", step: (2, 0), ..crate::scene::SMALL };

/// A custodian's machine: keys of three people, a log, an hour-old sealed original of the camera `hall`.
struct Office {
    world: World,
    /// The first second of the footage.
    start: u64,
}

fn moment(seconds: u64) -> Moment {
    Moment::from_unix_seconds(seconds).unwrap()
}

fn done(world: &World, words: &str) -> String {
    let ran = world.placet(words);
    assert_eq!(ran.code, Some(0), "{words}: {}{}", ran.text(), ran.err);
    ran.text().trim().to_owned()
}

/// The pictures of a clip as a camera sends them.
fn units(world: &World, scene: &Scene, codec: Codec) -> Vec<AccessUnit> {
    let words = match codec {
        Codec::H264 => "-c:v libx264 -preset veryfast -g 10 -keyint_min 10 -sc_threshold 0 -bf 0 -f h264",
        Codec::H265 => {
            "-c:v libx265 -preset ultrafast -x265-params keyint=10:min-keyint=10:bframes=0:log-level=none -f hevc"
        }
        Codec::Jpeg => "-c:v mjpeg -q:v 3 -pix_fmt yuvj420p -f mjpeg",
    };
    let path = scene.film(world, "camera.raw", words);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let units: Vec<AccessUnit> = coded_pictures(&bytes, codec, world)
        .into_iter()
        .zip(0..)
        .map(|((data, key), n)| AccessUnit { codec, data: Arc::from(data), pts: Pts(n * 9_000), key })
        .collect();
    assert_eq!(units.len(), scene.frames as usize);
    units
}

impl Office {
    fn new() -> Self {
        Self::of(&WALK, Codec::H264)
    }

    fn of(scene: &Scene, codec: Codec) -> Self {
        let world = World::new();
        world.write("cameras", "hall\ngate\n");
        done(&world, "log create home --origin log.example/city --cameras cameras --interval 60");
        let key = |name: &str| done(&world, &format!("key new {name}.key --name {name}.example/office"));
        let [ana, ana_too, bo, cy] = ["ana", "ana-too", "bo", "cy"].map(key);
        world.write(
            "people.toml",
            format!(
                "[[person]]\nname = \"Ana Boek\"\nunit = \"Records office\"\nkeys = [\"{ana}\", \"{ana_too}\"]\n\
                 [[person]]\nname = \"Bo Canary\"\nunit = \"Data protection\"\nkeys = [\"{bo}\"]\n"
            ),
        );
        drop(cy);
        let public = done(&world, "key new custody.key --custody");
        assert_eq!(done(&world, "key show custody.key"), public);
        let start = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() - 3_600;
        let office = Self { world, start };
        let units = units(&office.world, scene, codec);
        office.seal("hall", public.parse().unwrap(), &units);
        office
    }

    fn seal(&self, camera: &str, key: CustodyKey, units: &[AccessUnit]) {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(self.start);
        let clock = move || SystemClock(move |pts: Pts| start + Duration::from_millis(pts.0 as u64 / 90));
        let limits = Limits { retention: Retention::hours(24).unwrap(), quota: 1 << 30, free: 0 };
        let now = placet_sealed::Clock::now(&clock());
        let (shelf, _) = Shelf::open(&self.world.path("sealed"), limits, now).unwrap();
        let sealers = Sealers::start(shelf, key, clock(), |notice| panic!("{notice}")).unwrap();
        let sealer = sealers.camera(camera.parse().unwrap()).unwrap();
        units.iter().for_each(|unit| sealer.push(unit));
        sealers.finish().unwrap();
    }

    /// An order for the first so many seconds, written in `file`.
    fn ask(&self, file: &str, seconds: u64, more: &str) {
        let (from, to) = (moment(self.start), moment(self.start + seconds));
        let words = format!(
            "disclose ask --camera hall --from {from} --to {to} --ground crime --reference case-2026/117 --log \
             log.example/city -o {file} {more}"
        );
        done(&self.world, &words);
    }

    fn sign(&self, file: &str, keys: &[&str]) {
        for key in keys {
            let ran = self.world.placet(&format!("disclose sign {file} --key {key}.key"));
            assert_eq!(ran.code, Some(0), "{}", ran.err);
            assert!(ran.err.contains("camera hall") && ran.err.contains("case-2026/117"), "{}", ran.err);
        }
    }

    fn open(&self, order: &str, output: &str, more: &str) -> Ran {
        self.world.placet(&Self::words(order, output, more))
    }

    fn words(order: &str, output: &str, more: &str) -> String {
        format!(
            "disclose open {order} --sealed sealed --people people.toml --key custody.key --log home -o {output} {more}"
        )
    }

    /// An open that must end with `code` and these words, leaves no file, and has opened nothing that the log does not say.
    fn refused(&self, order: &str, code: i32, words: &str) {
        self.refused_with(&Self::words(order, "no.mp4", ""), code, words);
    }

    fn refused_with(&self, command: &str, code: i32, words: &str) {
        let before = self.world.files();
        let ran = self.world.placet(command);
        assert_eq!(ran.code, Some(code), "{words}: {}", ran.err);
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
        let mut after = self.world.files();
        after.retain(|name, digest| {
            before.get(name) != Some(digest) && !name.contains("/log/") && !name.starts_with("home/")
        });
        assert!(after.is_empty(), "{words}: {after:?}");
        assert!(!ran.err.contains("says that it is opened"), "{}", ran.err);
    }

    fn events(&self) -> Vec<(u64, Event)> {
        let said = done(&self.world, "log get home 0 --count 100000 --json");
        let event = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let leaf = Leaf::parse(line["entry"].as_str().unwrap().as_bytes()).unwrap();
            match leaf {
                Leaf::Event(event) => Some((line["index"].as_u64().unwrap(), event)),
                _ => None,
            }
        };
        said.lines().filter_map(event).collect()
    }

    fn signer(&self, name: &str) -> SignerKey {
        String::from_utf8(self.world.read(&format!("{name}.key"))).unwrap().trim().parse().unwrap()
    }

    /// Any text at all, signed by these.
    fn signed(&self, file: &str, text: &str, names: &[&str]) {
        let keys: Vec<SignerKey> = names.iter().map(|name| self.signer(name)).collect();
        self.world.write(file, note::sign(text, &keys.iter().collect::<Vec<_>>()).unwrap());
    }

    fn order(&self) -> Order {
        Order {
            id: [9; 16],
            asked: moment(self.start + 3_600),
            log: "log.example/city".parse().unwrap(),
            camera: "hall".parse().unwrap(),
            from: moment(self.start),
            until: moment(self.start + 4),
            ground: Ground::Crime,
            reference: "case-2026/117".parse().unwrap(),
            keep: Vec::new(),
        }
    }

    fn own_key(&self) -> VerifierKey {
        done(&self.world, "key show").parse().unwrap()
    }
}

/// How many of a clip's frames show the face.
fn faces(path: &Path) -> (usize, usize) {
    let shots = shots(path);
    (shots.iter().filter(|shot| shot.shows_face()).count(), shots.len())
}

#[test]
fn two_people_open_an_original_and_everybody_is_hidden_but_whom_they_let_be_seen() {
    let office = Office::new();
    office.ask("order", 4, "");
    office.sign("order", &["ana", "bo"]);
    let ran = office.open("order", "clip.mp4", "--label-tracks");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(faces(&office.world.path("clip.mp4")), (0, 40));
    // A detector that knows nothing of it finds nobody, either.
    let again = office.world.redact("clip.mp4 -o again.mp4 --json").json();
    assert_eq!(again["summary"]["tracks"], 0, "{again}");

    // The log said so first, in public the place, the time and the ground, and nothing of anybody.
    let [(entry, event), (_, after)] = office.events().try_into().unwrap();
    assert!(
        ran.err.contains(&format!("entry {entry} of the log log.example/city says that it is opened")),
        "{}",
        ran.err
    );
    let public = event.public.clone().unwrap();
    assert_eq!((event.kind, public.purpose), (EventKind::Unsealing, Aim::Unsealing(Ground::Crime)));
    assert_eq!(public.authority.as_str(), "Records office and Data protection");
    assert_eq!((public.from, public.until), (moment(office.start), moment(office.start + 4)));
    assert_eq!((after.kind, after.about), (EventKind::Note, Some(entry)));
    for segment in std::fs::read_dir(office.world.path("home/log")).unwrap() {
        let bytes = std::fs::read(segment.unwrap().path()).unwrap();
        for name in ["Boek", "Canary", "2026/117"] {
            assert!(!bytes.windows(name.len()).any(|w| w == name.as_bytes()), "{name} is in the log");
        }
    }
    done(&office.world, "log fsck home");

    // Clip, manifest and statement name each other and the order.
    let own = office.own_key();
    let statement =
        Statement::open(&office.world.read("clip.mp4.unsealing"), std::slice::from_ref(&own)).unwrap();
    assert_eq!((statement.entry, statement.event, statement.order), (entry, event.id, public.order));
    assert_eq!(statement.clip.digest, placet_core::Digest::of(&office.world.read("clip.mp4")));
    assert_eq!(statement.clip.manifest, placet_core::Digest::of(&office.world.read("clip.mp4.manifest")));
    assert_eq!((statement.clip.pictures, statement.gaps.count()), (40, 0));
    done(&office.world, "manifest clip.mp4.manifest --output clip.mp4");
    let said = done(&office.world, "disclose check clip.mp4.unsealing --output clip.mp4");
    assert!(
        said.contains("the clip of the statement") && said.contains(&format!("entry {entry} of")),
        "{said}"
    );
    let other = office.world.placet("disclose check clip.mp4.unsealing --output again.mp4");
    assert_eq!(other.code, Some(8), "{}", other.text());
    let stranger = office
        .world
        .placet(&format!("disclose check clip.mp4.unsealing --key {}", office.signer("cy").verifier_key()));
    assert_eq!(stranger.code, Some(8), "{}", stranger.err);

    // Whose face may be seen is signed for as well.
    let manifest = office.world.placet("manifest clip.mp4.manifest --json").json();
    let track = manifest["tracks"][0]["id"].as_u64().unwrap();
    office.ask("second", 4, &format!("--keep-track {track}"));
    office.sign("second", &["bo", "ana-too"]);
    let ran = office.open("second", "kept.mp4", &format!("--keep-track {track}"));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(faces(&office.world.path("kept.mp4")), (40, 40));
    let statement = Statement::open(&office.world.read("kept.mp4.unsealing"), &[own]).unwrap();
    assert_eq!(statement.kept, [track]);
    assert!(office.world.leavings().is_empty(), "{:?}", office.world.leavings());
}

#[test]
fn cameras_of_every_codec_are_opened() {
    for codec in [Codec::H265, Codec::Jpeg] {
        let office = Office::of(&WALK, codec);
        office.ask("order", 4, "");
        office.sign("order", &["ana", "bo"]);
        let ran = office.open("order", "clip.mp4", "");
        assert_eq!(ran.code, Some(0), "{codec:?}: {}", ran.err);
        assert_eq!(faces(&office.world.path("clip.mp4")), (0, 40), "{codec:?}");
    }
}

#[test]
fn only_the_seconds_that_were_ordered_are_in_the_clip_and_gaps_are_told() {
    let office = Office::new();
    // One second less than there is, and from the middle of a group on.
    let order = Order { from: moment(office.start + 1), until: moment(office.start + 3), ..office.order() };
    office.signed("order", &order.text().unwrap(), &["ana", "bo"]);
    assert_eq!(office.open("order", "two.mp4", "").code, Some(0));
    assert_eq!(shots(&office.world.path("two.mp4")).len(), 20);
    let order = Order { id: [8; 16], until: moment(office.start + 60), ..office.order() };
    office.signed("longer", &order.text().unwrap(), &["ana", "bo"]);
    assert_eq!(office.open("longer", "longer.mp4", "").code, Some(0));
    let statement = Statement::open(&office.world.read("longer.mp4.unsealing"), &[office.own_key()]).unwrap();
    let gap = statement.gaps.listed()[0];
    assert_eq!((statement.gaps.count(), gap.until_ms), (1, (office.start + 60) * 1_000));
    assert_eq!(gap.from_ms, office.start * 1_000 + 3_900);
}

#[test]
fn attack_every_order_that_must_not_open_is_refused_and_nothing_is_said() {
    let office = Office::new();
    let text = office.order().text().unwrap();
    let tried = std::cell::Cell::new(0);
    let refused = |file: &str, words: &str| {
        office.refused(file, 3, words);
        tried.set(tried.get() + 1);
    };
    office.world.write("unsigned", &text);
    refused("unsigned", "the order does not hold");
    office.signed("one", &text, &["ana"]);
    refused("one", "two different people have to sign the order, and `Ana Boek` alone did");
    office.signed("same", &text, &["ana", "ana-too"]);
    refused("same", "`Ana Boek` alone did");
    office.signed("stranger", &text, &["ana", "cy"]);
    refused("stranger", "`Ana Boek` alone did");
    office.signed("strangers", &text, &["cy"]);
    refused("strangers", "none of the list did");

    // Signatures for another camera, other minutes, another ground, another case, another log.
    office.signed("good", &text, &["ana", "bo"]);
    let good = String::from_utf8(office.world.read("good")).unwrap();
    let (from, until) = (office.order().from.to_string(), office.order().until.to_string());
    let earlier = moment(office.start - 60).to_string();
    let later = moment(office.start + 5).to_string();
    for (was, is) in [
        ("\"hall\"", "\"gate\""),
        (from.as_str(), earlier.as_str()),
        (until.as_str(), later.as_str()),
        ("crime", "accident"),
        ("2026/117", "2026/118"),
        ("log.example/city", "log.example/other"),
        ("\"keep\":[]", "\"keep\":[1]"),
    ] {
        assert!(good.contains(was), "{was}");
        office.world.write("changed", good.replacen(was, is, 1));
        refused("changed", "that does not fit its text");
    }
    // A signature of somebody on the list that is made up, beside two good ones.
    let line = good.lines().last().unwrap();
    let (head, body) = line.rsplit_once(' ').unwrap();
    let forged = format!(
        "{head} {}",
        body.replacen(&body[20..24], if &body[20..24] == "AAAA" { "BBBB" } else { "AAAA" }, 1)
    );
    office.world.write("forged", good.replace(line, &forged));
    refused("forged", "that does not fit its text");

    // Signed by two as it is, and nothing that may be signed for.
    let sign = |file: &str, text: &str| office.signed(file, text, &["ana", "bo"]);
    sign("ground", &text.replace("crime", "curiosity"));
    refused("ground", "`ground` is none of `crime`, `accident` and `own_request`");
    let hours = moment(office.start + 3_601);
    sign(
        "long",
        &text
            .replace(&until, &hours.to_string())
            .replace(&office.order().asked.to_string(), &moment(office.start + 3_700).to_string()),
    );
    refused("long", "more than an hour");
    sign("more", &text.replacen("{\"camera\"", "{\"all\":1,\"camera\"", 1));
    refused("more", "`all` is unknown");
    let week = 7 * 86_400;
    let old = Order {
        asked: moment(office.start + 3_600 - week),
        from: moment(office.start - week),
        until: moment(office.start + 4 - week),
        ..office.order()
    };
    sign("old", &old.text().unwrap());
    refused("old", "opens something until");
    let future = Order { asked: moment(office.start + 3_600 + 4_000), ..office.order() };
    sign("future", &future.text().unwrap());
    refused("future", "the order was written at");
    let elsewhere = Order { log: "log.example/other".parse().unwrap(), ..office.order() };
    sign("elsewhere", &elsewhere.text().unwrap());
    refused("elsewhere", "is to be said by the log `log.example/other`");

    // A camera that the log does not list, sealed all the same; another track than was signed for; another key.
    let key: CustodyKey = done(&office.world, "key show custody.key").parse().unwrap();
    office.seal("cellar", key, &units(&office.world, &WALK, Codec::H264));
    let cellar = Order { camera: "cellar".parse().unwrap(), ..office.order() };
    sign("cellar", &cellar.text().unwrap());
    refused("cellar", "lists no camera `cellar`");
    office.refused_with(
        &Office::words("good", "no.mp4", "--keep-track 1"),
        3,
        "does not say that track 1 may be left visible",
    );
    done(&office.world, "key new other.key --custody");
    let other = Office::words("good", "no.mp4", "").replace("custody.key", "other.key");
    office.refused_with(&other, 3, "sealed to another custody key");
    tried.set(tried.get() + 2);
    // What is not there, or no key, is no refusal.
    let gate = Order { camera: "gate".parse().unwrap(), ..office.order() };
    sign("gate", &gate.text().unwrap());
    office.refused("gate", 4, "nothing was opened");
    let day =
        Order { from: moment(office.start - 86_400), until: moment(office.start - 86_340), ..office.order() };
    sign("day", &day.text().unwrap());
    office.refused("day", 4, "nothing of `hall`");
    office.refused_with(
        &Office::words("good", "no.mp4", "").replace("custody.key", "ana.key"),
        2,
        "is no custody key",
    );
    office.refused_with(&Office::words("good", "no.txt", ""), 2, "");
    assert_eq!(office.events().len(), 0, "nothing was said of what was not opened");

    // And the good one opens, once.
    assert_eq!(office.open("good", "clip.mp4", "").code, Some(0));
    let said = office.events().len();
    refused("good", "an order opens once");
    // Signed by others besides, it is the same order.
    office.signed("again", &text, &["bo", "ana-too", "cy"]);
    refused("again", "an order opens once");
    assert_eq!(office.events().len(), said);
    println!("{} orders that must not open: 0 opened", tried.get());
}

#[test]
fn without_the_log_nothing_is_opened() {
    let office = Office::new();
    office.signed("order", &office.order().text().unwrap(), &["ana", "bo"]);
    // It is open elsewhere.
    let running = Running::start(&mut office.world.command("log run home --listen 127.0.0.1:0"));
    running.says("the log is at ");
    office.refused("order", 4, "is open elsewhere");
    drop(running);
    // It is not there, or is no log.
    office.refused_with(
        &Office::words("order", "no.mp4", "").replace("--log home", "--log sealed"),
        2,
        "is no home of a log",
    );
    // A witness that the policy asks for is away: then the order is spent, and nothing was opened.
    let policy = String::from_utf8(office.world.read("home/policy")).unwrap();
    let witness = done(&office.world, "log witness-key court.example/w -o w.key");
    let key = policy.lines().next().unwrap();
    office
        .world
        .write("home/policy", format!("{key}\nwitness court {witness} http://127.0.0.1:9\nquorum court\n"));
    office.refused("order", 4, "not enough witnesses have seen it");
    office.world.write("home/policy", &policy);
    office.refused("order", 3, "an order opens once");
    // A sealed log says it too late.
    done(&office.world, "log create later --origin log.example/later --cameras cameras --mode sealed");
    let order = Order { id: [5; 16], log: "log.example/later".parse().unwrap(), ..office.order() };
    office.signed("later-order", &order.text().unwrap(), &["ana", "bo"]);
    office.refused_with(
        &Office::words("later-order", "no.mp4", "").replace("--log home", "--log later"),
        4,
        "this log is sealed",
    );
}

/// Where a run keeps what it opened, by the command lines of its children.
fn in_memory(pid: u32) -> Option<PathBuf> {
    children(pid, &["placet-unsealed-"]).into_iter().find_map(|child| {
        let line = std::fs::read(format!("/proc/{child}/cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let word = line.split(' ').find(|word| word.contains("/placet-unsealed-"))?;
        let at = word.find('/')?;
        Some(PathBuf::from(word[at..].trim_end_matches("/clear.nut")))
    })
}

#[test]
fn attack_killed_while_it_works_it_leaves_nothing_opened_behind() {
    let long = Scene { frames: 400, step: (0, 0), at: (80, 40), ..WALK };
    let office = Office::of(&long, Codec::H264);
    let mut wiped = 0;
    for round in 0..4 {
        let order = Order { id: [round; 16], until: moment(office.start + 40), ..office.order() };
        office.signed("order", &order.text().unwrap(), &["ana", "bo"]);
        let mut running = Running::start(&mut office.world.command(&Office::words("order", "clip.mp4", "")));
        let mut folder = None;
        // Once as soon as there is something, then while ffmpeg reads it.
        let reads = |pid| round < 2 || !children(pid, &["ffmpeg", "clear.nut"]).is_empty();
        assert!(running.until(|pid| {
            folder = in_memory(pid);
            folder.as_ref().is_some_and(|folder| folder.join("clear.nut").exists()) && reads(pid)
        }));
        let folder = folder.unwrap();
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&folder.metadata().unwrap()) & 0o777, 0o700);
        running.signal(rustix::process::Signal::KILL);
        assert_eq!(running.wait().code, None);
        let started = Instant::now();
        while folder.exists() {
            assert!(started.elapsed() < HANGS, "{} stays", folder.display());
            std::thread::sleep(Duration::from_millis(5));
        }
        wiped += 1;
        assert!(!office.world.has("clip.mp4"));
    }
    // What is left under hidden names is redacted, and the next run takes it over.
    let order = Order { id: [77; 16], ..office.order() };
    office.signed("order", &order.text().unwrap(), &["ana", "bo"]);
    assert_eq!(office.open("order", "clip.mp4", "").code, Some(0));
    println!("{wiped} runs killed while they worked: what they had opened is gone from memory each time");
}

/// Looks through every file for what the camera sent and for what it shows.
#[test]
fn attack_no_clear_picture_is_found_on_disk_after_the_run() {
    let office = Office::new();
    let units = units(&office.world, &WALK, Codec::H264);
    office.ask("order", 4, "");
    office.sign("order", &["ana", "bo"]);
    assert_eq!(office.open("order", "clip.mp4", "").code, Some(0));
    let secret: CustodySecret =
        String::from_utf8(office.world.read("custody.key")).unwrap().trim().parse().unwrap();
    let (mut looked, mut found, mut opened) = (0, 0, 0);
    for root in [office.world.path(""), office.world.data("")] {
        for file in
            walkdir::WalkDir::new(root).into_iter().map(Result::unwrap).filter(|e| e.file_type().is_file())
        {
            let bytes = std::fs::read(file.path()).unwrap();
            looked += bytes.len();
            // From the middle of each picture: what comes first is alike in many files.
            for unit in &units {
                let needle = &unit.data[unit.data.len() / 2..][..24.min(unit.data.len() / 2)];
                found += usize::from(needle.len() >= 12 && bytes.windows(needle.len()).any(|w| w == needle));
            }
            if let Ok(mut reader) = SegmentReader::open(bytes.as_slice(), &secret) {
                while let Ok(Some(_)) = reader.next_unit() {
                    opened += 1;
                }
            }
        }
    }
    println!("{} pictures looked for in {looked} bytes of files after the run: {found} found", units.len());
    assert_eq!((found, opened), (0, 40));
    assert!(Path::new(FACE).is_file());
}
