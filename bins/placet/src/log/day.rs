//! `placet log day`: a simulated day, kept by the real parts, with the real witnesses in this process, in seconds instead of
//! hours. A search runs on one camera for an hour of it. For trying everything on: the log, its witnesses and its keys are
//! made here and worthless.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use placet_audit::{Reader, prove};
use placet_confidential::{Group, KeyFile, Store};
use placet_core::Digest;
use placet_deposit::OversightSecret;
use placet_keeper::{Archive, Cosigned, Cosigner, Keeper, NewRecord, Published, Rounds, Settings};
use placet_record::entry::slot::{Counts, SearchSlot, SlotState};
use placet_record::entry::{
    CameraId, CameraRoster, EventKind, FieldName, FieldValue, LogMode, Moment, PublicPart, Purpose, Record,
};
use placet_tlog::note::{SignerKey, WitnessSecret};
use placet_tlog::policy::Policy;
use placet_witness::local::Local;
use placet_witness::server::{Clock, FileSystem, Witness};

use super::run::Live;
use super::{DayArgs, ModeArg, failed, home, now, page, usage};
use crate::Failure;
use crate::exit::Exit;
use crate::keys;

const CAMERAS: [&str; 5] = ["hall-north", "hall-south", "entrance", "platform-1", "platform-2"];
const SEARCHED: &str = "platform-1";
const ORIGIN: &str = "day.placet.example/log";
const MINUTE: u64 = 60;

/// When in the day the search runs, in minutes.
struct Plan {
    start: Moment,
    minutes: u64,
}

impl Plan {
    fn opens(&self) -> u64 {
        self.minutes / 3
    }

    fn closes(&self) -> u64 {
        (self.opens() + 60).min(self.minutes * 2 / 3)
    }

    /// The minute of the day in which an interval that is stated at `now` lies.
    fn minute(&self, now: Moment) -> u64 {
        (now.unix_seconds() + LEAD).saturating_sub(self.start.unix_seconds()) / MINUTE
    }

    fn at(&self, minute: u64) -> Result<Moment, Failure> {
        self.start.plus(minute * MINUTE).ok_or_else(|| Failure::internal("the day lies beyond 2199"))
    }
}

const LEAD: u64 = 2;

/// `placet log day`
pub fn run(args: &DayArgs) -> Result<Exit, Failure> {
    if !(15..=10_080).contains(&args.minutes) {
        return Err(Failure::Usage("--minutes takes 15 to 10080, a week".to_owned()));
    }
    let folder = home::fresh_folder(&args.folder)?;
    let end = now()?.unix_seconds() / MINUTE * MINUTE;
    let start = Moment::from_unix_seconds(end - args.minutes * MINUTE);
    let plan = Plan { start: start.ok_or_else(|| Failure::internal("before 2000"))?, minutes: args.minutes };
    let (mut rounds, policy) = begin(&folder, &plan, args.mode)?;
    let ticks = live(&mut rounds, &plan)?;
    let published = rounds.archive().keeper().published();
    finish(&folder, &plan, &policy, &published, args.mode)?;
    println!(
        "{ticks} ticks of {} cameras, {} entries, three witnesses; a search on {SEARCHED} from {} to {}",
        CAMERAS.len(),
        published.reader().size(),
        plan.at(plan.opens())?,
        plan.at(plan.closes())?
    );
    println!(
        "log: {}   whom to believe: {}",
        folder.join("public").display(),
        folder.join("policy").display()
    );
    println!(
        "the day is over: a check from the next minute on says that the log is silent since then, and ends with 1"
    );
    println!("check all of it: placet-verify --policy {0}/policy {0}/public", folder.display());
    println!(
        "ask it: placet log was-it-on {0}/public --policy {0}/policy --camera {SEARCHED} --at {1}",
        folder.display(),
        plan.at(plan.opens() + 1)?
    );
    Ok(Exit::Done)
}

fn begin(folder: &Path, plan: &Plan, mode: ModeArg) -> Result<(Rounds<Three>, String), Failure> {
    let key = SignerKey::generate(ORIGIN, seed()?).map_err(|e| usage(&e))?;
    let (mut policy, mut secrets) = (format!("log {}\n", key.verifier_key()), Vec::new());
    for (n, organisation) in ["court", "university", "newspaper"].iter().enumerate() {
        let secret = WitnessSecret::generate(&format!("{organisation}.example/witness"), seed()?)
            .map_err(|e| usage(&e))?;
        policy += &format!("witness {organisation} {}\n", secret.verifier_key());
        secrets.push((folder.join(format!("witness-{}", n + 1)), secret));
    }
    policy += "group organisations 2 court university newspaper\nquorum organisations\n";
    let parsed = Policy::parse(policy.as_bytes()).map_err(|e| usage(&e))?;
    let clock = DayClock::default();
    let mut witnesses = Vec::new();
    for (place, secret) in secrets {
        let opened = Witness::open(&place, secret, &parsed, Box::new(FileSystem), Box::new(clock.clone()));
        witnesses.push(opened.map_err(|e| failed(&e))?);
    }
    let witnesses = Three { local: Local::new(witnesses, parsed), clock };
    let cameras = CAMERAS.iter().zip(0..).map(|(name, slot)| Ok((name.parse()?, slot)));
    let cameras =
        cameras.collect::<Result<Vec<_>, placet_record::entry::ValueError>>().map_err(|e| usage(&e))?;
    let cameras = CameraRoster::new(cameras).map_err(|e| usage(&e))?;
    let home = folder.join("home");
    let (mode, reveal_delay) = match mode {
        ModeArg::Open => (LogMode::Open, MINUTE),
        ModeArg::Sealed => (LogMode::Sealed, plan.minutes / 2 * MINUTE),
    };
    let settings = Settings { interval: MINUTE, mode, reveal_delay, slots: 16 };
    let oversight = OversightSecret::from_seed(seed()?);
    keys::keep(&folder.join("oversight.key"), oversight.secret_text().expose())?;
    home::keep_key(&home, &key, &policy, Some(&oversight.public_key()))?;
    let keeper = Keeper::create(&home, key, settings, &cameras, plan.start).map_err(|e| failed(&e))?;
    let source = KeyFile::create(&home.join("confidential.key"))
        .map_err(|e| Failure::Io("confidential.key".to_owned(), e))?;
    let store = Store::create(&home.join("confidential"), &source).map_err(|e| failed(&e))?;
    let archive = Archive::new(keeper, store, Some(oversight.public_key()));
    Ok((Rounds::new(archive, witnesses, LEAD), policy))
}

/// Lives through the day. How many ticks it had.
fn live(rounds: &mut Rounds<Three>, plan: &Plan) -> Result<u64, Failure> {
    let order = Digest::of(&seed()?);
    let end = plan.at(plan.minutes)?;
    let (mut ticks, mut now, mut opened, mut closed) = (0, plan.start, false, false);
    while now <= end {
        let minute = plan.minute(now);
        if minute + 1 >= plan.opens() && !opened {
            opened = true;
            search_opens(rounds, plan, order, now)?;
        }
        if minute >= plan.closes() && !closed {
            closed = true;
            let record = record([("outcome", "nobody was found")])?;
            note(
                rounds,
                now,
                NewRecord {
                    kind: EventKind::Closing,
                    group: Group::Order(order),
                    record,
                    about: None,
                    public: None,
                },
            )?;
        }
        let searched = (plan.opens()..plan.closes()).contains(&minute);
        let step =
            rounds.step(now, |camera| state(camera, searched, minute, order)).map_err(|e| failed(&e))?;
        ticks += u64::from(step.tick.is_some());
        now = step.next.max(now.plus(1).ok_or_else(|| Failure::internal("the day lies beyond 2199"))?);
    }
    Ok(ticks)
}

fn state(camera: &CameraId, searched: bool, minute: u64, order: Digest) -> SlotState {
    if camera.as_str() != SEARCHED || !searched {
        return SlotState::Off;
    }
    let frames_compared = u32::try_from(minute % 17 * 90).unwrap_or(0);
    SlotState::On(SearchSlot {
        order,
        purpose: Purpose::MissingPerson,
        counts: Counts { frames_compared, ..Counts::default() },
    })
}

fn search_opens(rounds: &mut Rounds<Three>, plan: &Plan, order: Digest, now: Moment) -> Result<(), Failure> {
    let public = PublicPart {
        order,
        purpose: Purpose::MissingPerson.into(),
        authority: "District court of Example".parse().map_err(Failure::internal)?,
        cameras: vec![SEARCHED.parse().map_err(Failure::internal)?],
        from: plan.at(plan.opens())?,
        until: plan.at(plan.closes())?,
    };
    let group = Group::Order(order);
    let refused = record([("asked_for", "somebody who owes money"), ("ground", "5(1)(h)")])?;
    let asked = record([("asked_for", "a child, missing since the morning")])?;
    let signed = record([("case_number", "2026/117"), ("judge", "R. Example")])?;
    for (kind, group, record, public) in [
        (EventKind::Refusal, Group::Apart([1; 16]), refused, None),
        (EventKind::Request, group, asked, None),
        (EventKind::Authorisation, group, signed.clone(), Some(public.clone())),
    ] {
        note(rounds, now, NewRecord { kind, group, record, about: None, public })?;
    }
    let opening =
        NewRecord { kind: EventKind::Opening, group, record: signed, about: None, public: Some(public) };
    if rounds.archive().keeper().genesis().mode == LogMode::Open {
        return rounds.act(now, opening).map(drop).map_err(|e| failed(&e));
    }
    note(rounds, now, opening)
}

fn note(rounds: &mut Rounds<Three>, now: Moment, new: NewRecord) -> Result<(), Failure> {
    rounds.note(now, new).map(drop).map_err(|e| failed(&e))
}

fn record<const N: usize>(fields: [(&str, &str); N]) -> Result<Record, Failure> {
    let fields = fields
        .into_iter()
        .map(|(name, text)| Ok((name.parse::<FieldName>()?, FieldValue::Text(text.to_owned()))));
    let fields =
        fields.collect::<Result<Vec<_>, placet_record::entry::ValueError>>().map_err(|e| usage(&e))?;
    Record::new(fields).map_err(|e| usage(&e))
}

/// Publishes the day to a folder, with a page, and proofs of its three kinds of answer.
fn finish(
    folder: &Path,
    plan: &Plan,
    policy: &str,
    published: &Published,
    mode: ModeArg,
) -> Result<(), Failure> {
    let write = |name: &str, bytes: &[u8]| {
        let path: PathBuf = folder.join(name);
        fs::write(&path, bytes).map_err(|e| Failure::Io(path.display().to_string(), e))
    };
    write("policy", policy.as_bytes())?;
    let parsed = Policy::parse(policy.as_bytes()).map_err(|e| usage(&e))?;
    let keys: Vec<_> = parsed.logs().iter().map(|log| log.key.clone()).collect();
    let mut public = placet_export::FolderTarget::open(&folder.join("public")).map_err(|e| failed(&e))?;
    placet_export::export(&Live(published.clone()), &mut public, &keys).map_err(|e| failed(&e))?;
    write("verify.html", page::page(policy, "")?.bytes.as_ref())?;
    page::beside(&folder.join("public"), policy)?;
    let proofs = folder.join("proofs");
    fs::create_dir(&proofs).map_err(|e| Failure::Io(proofs.display().to_string(), e))?;
    let reader = Reader::open(published, &parsed).map_err(|e| failed(&e))?;
    let middle = (plan.opens() + plan.closes()) / 2;
    for (name, camera, minute) in
        [("searched", SEARCHED, middle), ("other", "entrance", middle), ("before", SEARCHED, 3)]
    {
        let camera = camera.parse().map_err(Failure::internal)?;
        let proof = prove(&reader, &camera, plan.at(minute)?).map_err(|e| failed(&e))?;
        let statement = proof.verify(&parsed, now()?).map_err(|e| Failure::Invalid(placet_job::chain(&e)))?;
        write(&format!("proofs/{name}.json"), &proof.to_bytes().map_err(|e| failed(&e))?)?;
        println!("proofs/{name}.json: {}", statement.to_string().split(": ").next().unwrap_or_default());
    }
    if mode == ModeArg::Sealed {
        println!("the log is sealed: half of the day is not opened yet");
    }
    Ok(())
}

fn seed() -> Result<[u8; 32], Failure> {
    let mut out = [0; 32];
    getrandom::fill(&mut out).map_err(keys::KeyError::Random)?;
    Ok(out)
}

/// The day's clock, which the witnesses read.
#[derive(Clone, Default)]
struct DayClock(Arc<AtomicU64>);

impl Clock for DayClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

struct Three {
    local: Local,
    clock: DayClock,
}

impl Cosigner for Three {
    fn cosign(&mut self, note: &str, now: Moment, log: &Published) -> Cosigned {
        self.clock.0.store(now.unix_seconds(), Ordering::SeqCst);
        let proof = |old, size| Ok(log.reader().consistency(old, size)?);
        match self.local.cosign(note, proof) {
            Ok(done) => Cosigned { note: done.checkpoint, met: done.met, ..Cosigned::default() },
            Err(error) => {
                Cosigned { note: note.to_owned(), words: vec![error.to_string()], ..Cosigned::default() }
            }
        }
    }
}
