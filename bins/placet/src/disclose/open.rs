//! An order carried out: checked, said, opened, redacted, stated.

use std::collections::BTreeSet;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use placet_core::{Codec, Digest, Pts, Size, TimeBase};
use placet_ingest::Tools;
use placet_ingest::nut::{Header, NutError, Writer};
use placet_ingest::video::Container;
use placet_job::{
    Audio, JobError, Models, Names, Outcome, Pending, Settings, Verify, chain, manifest_of, redact_video,
};
use placet_record::unsealing::{Approved, Clip, Gap, Gaps, Order, Statement, Why};
use placet_redaction::TrackId;
use placet_sealed::{CustodySecret, Found, Piece, Span, UtcMs};
use placet_tlog::note::SignerKey;

use super::memory::{Memory, swaps};
use super::{OpenArgs, people, read};
use crate::exit::Exit;
use crate::log::unsealing::{Register, Said};
use crate::progress::Screen;
use crate::results::fill;
use crate::{Failure, keys, log, places, redact};

/// A jump back by more than this is a clock that was set, and no order of coding: a second.
const SET_BACK: i64 = 90_000;
/// What stands between two pictures where times would otherwise meet: 40 ms.
const STEP: i64 = 3_600;

/// `placet disclose open`
pub fn run(args: &OpenArgs) -> Result<Exit, Failure> {
    let screen = Screen::new(args.quiet);
    let approved = approve(args)?;
    // All that is needed is found before the log is written: an order opens once.
    placet_sys::process::harden_process()
        .map_err(|e| Failure::Unavailable(format!("this process cannot be kept from others: {e}")))?;
    let secret = custody_key(&args.key)?;
    let found = segments(args, approved.order(), &secret)?;
    if Container::for_extension(&args.output).is_none() {
        return Err(JobError::Container(args.output.clone()).into());
    }
    let work = Work {
        args,
        approved,
        secret,
        found,
        tools: Tools::find().map_err(|e| Failure::Unavailable(chain(&e)))?,
        models: Models::open(&places::models(args.models.as_deref())).map_err(JobError::from)?,
        signer: signer(args, &screen)?,
        settings: settings(args),
    };
    let places = Places::claim(&args.output)?;
    let memory = Memory::claim(work.found.iter().map(|found| found.bytes).sum())?;
    if swaps() {
        screen.say("warning: this machine swaps, so what is in memory may reach its disk; `swapoff -a` before the next order, unless swap is encrypted");
    }
    let mut register = Register::open(&args.log, work.approved.order())?;
    crate::progress::stop_in_order();
    let said = register.say(&work.approved, &args.keep_track)?;
    screen.say(&format!(
        "entry {} of the log {} says that it is opened",
        said.entry,
        work.approved.order().log
    ));
    let clip = work.clip(&said, places, memory, &screen)?;
    if let Err(why) = register.done(&work.approved, &said, &clip) {
        screen.say(&format!("warning: the log does not say what came of it: {why}"));
    }
    screen.say(&format!(
        "{}: {} pictures of {}; manifest and statement lie beside it",
        args.output.display(),
        clip.pictures,
        work.approved.order().camera
    ));
    Ok(Exit::Done)
}

/// The order, if two people have signed it, it is in time, and no more is asked for than it allows.
fn approve(args: &OpenArgs) -> Result<Approved, Failure> {
    let people = people::read(&args.people)?;
    let approved =
        people.approve(&read(&args.order)?, log::now()?).map_err(|e| Failure::Refused(chain(&e)))?;
    let more = args.keep_track.iter().find(|track| !approved.order().keep.contains(track));
    match more {
        None => Ok(approved),
        Some(track) => Err(Failure::Refused(format!(
            "the order does not say that track {track} may be left visible: ask for one that does, with `placet disclose ask \
             --keep-track {track}`"
        ))),
    }
}

fn custody_key(path: &Path) -> Result<CustodySecret, Failure> {
    let text = keys::read_secret(path)?;
    text.trim_end()
        .parse()
        .map_err(|e| Failure::Usage(format!("`{}` is no custody key: {}", path.display(), chain(&e))))
}

/// The segments that may hold what was ordered: there, of one codec, and sealed to this key.
fn segments(args: &OpenArgs, order: &Order, secret: &CustodySecret) -> Result<Vec<Found>, Failure> {
    let listing = placet_sealed::find(&args.sealed, &order.camera, span(order))
        .map_err(|e| Failure::Unavailable(format!("{}; nothing was opened", chain(&e))))?;
    for (path, why) in &listing.unreadable {
        eprintln!("passed over: `{}`: {}", path.display(), chain(why));
    }
    let Some(first) = listing.found.first() else {
        return Err(Failure::Unavailable(format!(
            "nothing of `{}` from {} to {} is in `{}`; nothing was opened",
            order.camera,
            order.from,
            order.until,
            args.sealed.display()
        )));
    };
    let id = secret.public_key().id();
    if listing.found.iter().all(|found| found.header.key_id != id) {
        return Err(Failure::Refused(
            "the originals are sealed to another custody key; nothing was opened".to_owned(),
        ));
    }
    if let Some(other) =
        listing.found.iter().find(|found| found.header.start.codec != first.header.start.codec)
    {
        return Err(Failure::Refused(format!(
            "the camera changed from {} to {} in these minutes, and one clip has one codec: order the minutes before and \
             after apart; nothing was opened",
            first.header.start.codec.name(),
            other.header.start.codec.name()
        )));
    }
    Ok(listing.found)
}

fn span(order: &Order) -> Span {
    let ms = |moment: placet_record::entry::Moment| UtcMs::of_second(moment.unix_seconds());
    Span { from: ms(order.from), to: ms(order.until) }
}

fn signer(args: &OpenArgs, screen: &Screen) -> Result<SignerKey, Failure> {
    if let Some(file) = &args.signer {
        return Ok(keys::read(file)?);
    }
    let (key, made) = keys::own()?;
    if let Some(path) = made {
        screen.say(&format!(
            "note: manifest and statement are signed with a key made now, {}; its public half is {}",
            path.display(),
            key.verifier_key()
        ));
    }
    Ok(key)
}

fn settings(args: &OpenArgs) -> Settings {
    Settings {
        verify: Verify::Full,
        audio: Audio::Drop,
        keep_tracks: args.keep_track.iter().map(|track| TrackId(*track)).collect::<BTreeSet<_>>(),
        label_tracks: args.label_tracks,
        ..Settings::default()
    }
}

/// `3, 8`
pub fn numbers(tracks: &[u64]) -> String {
    tracks.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

/// The names of what is left, claimed before anything is said or opened.
struct Places {
    clip: Pending,
    manifest: Pending,
    statement: Pending,
}

impl Places {
    fn claim(output: &Path) -> Result<Self, Failure> {
        let claim =
            |path: &Path| Pending::claim(path, &[], false).map_err(|e| Failure::from(JobError::from(e)));
        Ok(Self {
            clip: claim(output)?,
            manifest: claim(&redact::beside(output, ".manifest"))?,
            statement: claim(&redact::beside(output, ".unsealing"))?,
        })
    }

    /// The clip last: where it stands, what is stated of it stands already.
    fn commit(self) -> Result<(), Failure> {
        for pending in [self.manifest, self.statement, self.clip] {
            pending.commit().map_err(JobError::from)?;
        }
        Ok(())
    }
}

/// What a clip is made with.
struct Work<'a> {
    args: &'a OpenArgs,
    approved: Approved,
    secret: CustodySecret,
    found: Vec<Found>,
    tools: Tools,
    models: Models,
    signer: SignerKey,
    settings: Settings,
}

/// What was written to memory.
#[derive(Default)]
struct Opened {
    pictures: u64,
    gaps: Gaps,
}

impl Work<'_> {
    fn clip(
        &self,
        said: &Said,
        mut places: Places,
        memory: Memory,
        screen: &Screen,
    ) -> Result<Clip, Failure> {
        let opened = self.unseal(&memory)?;
        let order = self.approved.order();
        let bar = screen.file(order.camera.as_str());
        let outcome =
            redact_video(&self.tools, &self.models, &self.settings, &memory.path(), &places.clip, &bar)?;
        drop(bar);
        drop(memory);
        self.kept_are_there(&outcome)?;
        let manifest = self.manifest(&outcome)?;
        fill(&mut places.manifest, manifest.as_bytes())?;
        let clip = Clip {
            digest: outcome.output.digest,
            manifest: Digest::of(manifest.as_bytes()),
            pictures: opened.pictures,
            segments: self.found.len() as u64,
        };
        let mut kept = self.args.keep_track.clone();
        kept.sort_unstable();
        kept.dedup();
        let statement = Statement {
            at: log::now()?,
            order: self.approved.digest(),
            log: order.log.clone(),
            entry: said.entry,
            event: said.event,
            camera: order.camera.clone(),
            from: order.from,
            until: order.until,
            ground: order.ground,
            kept,
            clip,
            gaps: opened.gaps,
        };
        let statement = statement.sign(&self.signer).map_err(Failure::internal)?;
        fill(&mut places.statement, statement.as_bytes())?;
        places.commit()?;
        Ok(clip)
    }

    /// Opens the segments into memory, as one stream.
    fn unseal(&self, memory: &Memory) -> Result<Opened, Failure> {
        let codec = self.found.first().map_or(Codec::H264, |found| found.header.start.codec);
        let header = Header {
            fourcc: match codec {
                Codec::H264 => *b"H264",
                Codec::H265 => *b"HEVC",
                Codec::Jpeg => *b"MJPG",
            },
            // The stream says its size itself.
            size: Size { width: 64, height: 64 },
            time_base: TimeBase::LIVE,
            sample_aspect: None,
            frame_rate: None,
        };
        let failed =
            |e: NutError| Failure::Failed(format!("what was opened cannot be kept in memory: {}", chain(&e)));
        let mut writer = Writer::create(BufWriter::new(memory.file()), header).map_err(failed)?;
        let (mut opened, mut shift, mut last) = (Opened::default(), 0, None::<i64>);
        placet_sealed::open(&self.found, &self.secret, span(self.approved.order()), |piece| match piece {
            Piece::Unit { at, unit, .. } => {
                let mut time = at.0.saturating_add(shift);
                if let Some(last) = last.filter(|last| time < last - SET_BACK) {
                    shift += last + STEP - time;
                    time = last + STEP;
                }
                last = Some(last.map_or(time, |last| last.max(time)));
                opened.pictures += 1;
                writer.write_coded(Pts(time), unit.key, unit.data()).map_err(failed)
            }
            Piece::Gap(gap) => {
                opened.gaps.push(told(&gap));
                Ok(())
            }
        })?;
        writer.into_inner().flush().map_err(|e| Failure::Io("what was opened".to_owned(), e))?;
        if opened.pictures == 0 {
            return Err(Failure::Failed(
                "not one picture of what was ordered could be opened: all of it is damaged, or begins with pictures that need \
                 earlier ones; the order is spent"
                    .to_owned(),
            ));
        }
        Ok(opened)
    }

    fn manifest(&self, outcome: &Outcome) -> Result<String, Failure> {
        let order = self.approved.order();
        let input = PathBuf::from(format!("{}-{}-{}.nut", order.camera, order.from, order.until));
        let names = Names {
            version: env!("CARGO_PKG_VERSION"),
            made_at: redact::now(),
            input: &input,
            output: &self.args.output,
        };
        let manifest = manifest_of(outcome, &self.settings, &self.models, &names)?;
        manifest.sign(&self.signer).map_err(Failure::internal)
    }

    fn kept_are_there(&self, outcome: &Outcome) -> Result<(), Failure> {
        let missing = self.settings.keep_tracks.iter().find(|id| !outcome.ledger.tracks.contains_key(id));
        missing.map_or(Ok(()), |missing| {
            Err(Failure::Failed(format!(
                "there is no track {} in these minutes; nothing was written, and the order is spent. --label-tracks writes the \
                 numbers on what hides",
                missing.0
            )))
        })
    }
}

fn told(gap: &placet_sealed::Gap) -> Gap {
    let why = match gap.why {
        placet_sealed::Why::NotThere => Why::NotThere,
        placet_sealed::Why::NoKeyFrame => Why::NoKeyFrame,
        placet_sealed::Why::Torn => Why::Torn,
        placet_sealed::Why::Damaged(_) => Why::Damaged,
    };
    Gap { from_ms: gap.from.0, until_ms: gap.to.0, why }
}
