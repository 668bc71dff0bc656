//! The second pass: copied groups and encoded runs become one file, and the file is proved.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use placet_core::{Frame, Layout};
use placet_ingest::video::{
    CodedFrame, CodedReader, DecodeOptions, Decoder, EncodeSpec, Expected, JoinError, Joiner, ParameterSets,
    PieceEncoder, check_written, decode_delay, expected_pts,
};
use placet_redaction::RedactedFrame;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::clean_groups::{Group, Groups};
use crate::clean_survey::Survey;
use crate::ledger::Ledger;
use crate::video::{Done, Hidden, Known, Sink, Source, run};
use crate::{JobError, Models, Settings, Watch};

/// Frames in a row that are all copied or all encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: u64,
    pub(crate) frames: u64,
    pub(crate) copied: bool,
}

impl Run {
    fn indices(self) -> std::ops::Range<u64> {
        self.first..self.first + self.frames
    }
}

/// The file being written, shared with the thread that reads the encoder.
#[derive(Clone)]
struct Shared(Arc<Mutex<Joiner>>);

impl Shared {
    fn write(&self, frame: &CodedFrame) -> Result<(), JoinError> {
        let mut joiner = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        joiner.write(frame)
    }
}

/// Encodes one run into the shared file.
struct Piece {
    encoder: PieceEncoder,
    sets: ParameterSets,
}

impl Sink for Piece {
    fn write(&mut self, frame: &Hidden) -> Result<(), JobError> {
        match frame {
            Hidden::Redacted(f) => self.encoder.write(f)?,
            Hidden::Obscured(f) => self.encoder.write_obscured(f)?,
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), JobError> {
        let mut sets = self.sets;
        let path = self.encoder.path().to_owned();
        // The file's header names the sets of a trial; the piece must need no other.
        let known = sets.clone();
        let refused = |refusal| JobError::from(JoinError::Refused { path: path.clone(), refusal });
        sets.join(&self.encoder.finish()?).map_err(refused)?;
        if sets == known { Ok(()) } else { Err(refused(placet_ingest::video::NalRefusal::SetsChange)) }
    }
}

/// Writes the file of `runs`. Digests of the copied frames come back too, in the order they are stored.
///
/// # Errors
/// [`JobError`]; what was written is then to be thrown away.
#[expect(clippy::too_many_arguments, reason = "all that is known of one file, used once")]
pub(crate) fn write(
    source: &Source<'_>,
    models: &Models,
    settings: &Settings,
    spec: &EncodeSpec,
    groups: &Groups,
    survey: &Survey,
    runs: &[Run],
    watch: &dyn Watch,
) -> Result<(Done, Vec<u128>), JobError> {
    let mut sets = groups.sets.clone();
    let refused = |refusal| JobError::from(JoinError::Refused { path: source.info.path.clone(), refusal });
    let id = sets.free_id().map_err(refused)?;
    if runs.iter().any(|r| !r.copied) {
        sets.join(&trial(source, spec, id)?).map_err(refused)?;
    }
    let times = survey.frames.iter().map(|(pts, _)| *pts).collect();
    let joiner = Joiner::create(source.tools, spec, &sets, times, decode_delay(source.packets))?;
    let shared = Shared(Arc::new(Mutex::new(joiner)));
    let mut copier = Copier {
        reader: CodedReader::open(source.tools, source.info, source.packets)?,
        ahead: None,
        seed: survey.seed,
        copied: Vec::new(),
    };
    let mut done = Done {
        ledger: Ledger { check_found: survey.finds.len() as u64, ..Ledger::default() },
        tracker: survey.tracker()?,
        detector_input: crate::video::finder_scan(source, settings).whole_size(),
        margins_s: survey.margins_s(),
        read_back: false,
    };
    for run_of in runs {
        let frames: VecDeque<_> = survey
            .frames
            .get(run_of.first as usize..(run_of.first + run_of.frames) as usize)
            .unwrap_or_default()
            .iter()
            .copied()
            .collect();
        if run_of.copied {
            copier.copy(groups, run_of, &shared, watch)?;
            done.ledger.copied(run_of.first, frames.iter().map(|(pts, _)| *pts));
        } else {
            let out = shared.clone();
            let encoder =
                PieceEncoder::create(source.tools, spec, id, Box::new(move |frame| out.write(&frame)))?;
            let piece = Piece { encoder, sets: sets.clone() };
            let known = Known { tracker: done.tracker, first: run_of.first, frames, ledger: done.ledger };
            let part = run(source, models, settings, Box::new(piece), Some(known), watch)?;
            (done.ledger, done.tracker) = (part.ledger, part.tracker);
        }
        watch.progress(run_of.first + run_of.frames, Some(source.total), done.ledger.tracks.len());
    }
    let Copier { copied, .. } = copier;
    let joiner = Arc::into_inner(shared.0).ok_or(JobError::Bug("an encoder still writes"))?;
    joiner.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).finish()?;
    Ok((done, copied))
}

/// The encoder's parameter sets, which depend on its settings alone: from one black frame.
fn trial(source: &Source<'_>, spec: &EncodeSpec, id: u8) -> Result<ParameterSets, JobError> {
    let mut encoder = PieceEncoder::create(source.tools, spec, id, Box::new(|_| Ok(())))?;
    let mut black = Frame::new(spec.size, Layout::Yuv420);
    black.pts = spec.first;
    encoder.write(&RedactedFrame::whole(black))?;
    Ok(encoder.finish()?)
}

/// Takes runs out of the source, from front to back.
struct Copier {
    reader: CodedReader,
    ahead: Option<CodedFrame>,
    seed: u64,
    copied: Vec<u128>,
}

impl Copier {
    fn copy(&mut self, groups: &Groups, run: &Run, to: &Shared, watch: &dyn Watch) -> Result<(), JobError> {
        let mut left = run.frames;
        while left > 0 {
            if watch.cancelled() {
                return Err(JobError::Cancelled);
            }
            let next = match self.ahead.take() {
                Some(frame) => Some(frame),
                None => self.reader.next_frame()?,
            };
            let Some(frame) = next else { return Err(JobError::Stopped) };
            let group = groups.of.get(&frame.pts).and_then(|n| groups.list.get(*n));
            match group {
                Some(g) if run.indices().contains(&g.first) => {
                    to.write(&frame)?;
                    self.copied.push(digest(self.seed, &frame));
                    left -= 1;
                }
                Some(g) if g.first >= run.first + run.frames => {
                    self.ahead = Some(frame);
                    return Err(JobError::Stopped);
                }
                // Of a group that was encoded, or not shown.
                _ => {}
            }
        }
        Ok(())
    }
}

fn digest(seed: u64, frame: &CodedFrame) -> u128 {
    xxh3_128_with_seed(frame.slices(), seed ^ u64::from(frame.idr))
}

/// Whether the written file shows exactly the copied frames that were judged, and every frame at its time.
///
/// The coded slices of all copied frames and all parameter sets are those of the source, so that a decoder shows the
/// same; next to each joint, where it could be thrown off, it is decoded and the frames are compared bit for bit.
///
/// # Errors
/// In words, what is wrong; or that the job was stopped.
#[expect(clippy::too_many_arguments, reason = "all that is known of one file, used once")]
pub(crate) fn prove(
    source: &Source<'_>,
    spec: &EncodeSpec,
    groups: &Groups,
    survey: &Survey,
    runs: &[Run],
    done: &Done,
    copied: &[u128],
    watch: &dyn Watch,
) -> Result<Result<(), String>, JobError> {
    let audio = spec.sound.as_ref().map_or(0, |(_, streams)| streams.len());
    let expected = Expected::like(source.info, &done.ledger.times, audio);
    let (info, written) = match check_written(source.tools, &spec.output, &expected) {
        Ok(read) => read,
        Err(e) => return Ok(Err(crate::chain(&e))),
    };
    let times = expected_pts(&written);
    if times.len() != done.ledger.times.len() {
        return Ok(Err(format!(
            "the joined file shows {} frames instead of {}",
            times.len(),
            done.ledger.times.len()
        )));
    }
    let coded = CodedReader::open(source.tools, &info, &written)?;
    let parts = match same_slices(coded, groups, survey.seed, runs, copied) {
        Ok(Ok(())) => joints(runs, &groups.list),
        Ok(Err(why)) => return Ok(Err(why)),
        // Some containers' times cannot be read as coded frames; then every copied frame is decoded.
        Err(_) => runs.iter().filter(|r| r.copied).map(|r| r.indices()).collect(),
    };
    for part in parts {
        if watch.cancelled() {
            return Err(JobError::Cancelled);
        }
        let range = part.start as usize..part.end as usize;
        let Some((first, last)) = times.get(range).and_then(|t| t.first().copied().zip(t.last().copied()))
        else {
            return Ok(Err(format!("frame {} of the joined file is missing", part.start)));
        };
        let options =
            DecodeOptions { range_of_pts: Some((first, last)), threads: 2, ..DecodeOptions::default() };
        let mut decoder = Decoder::open(source.tools, &info, &written, options)?;
        let mut frame = Frame::new(info.video.size, Layout::Yuv420);
        let mut idx = part.start;
        while decoder.read_into(&mut frame)?.is_some() {
            if !decoder.lost().is_empty() {
                break;
            }
            if !survey.digest_is(idx, &frame) {
                return Ok(Err(format!("frame {idx} of the joined file is not the one that was judged")));
            }
            idx += 1;
        }
        if !decoder.lost().is_empty() || idx != part.end || !decoder.strict() {
            return Ok(Err(format!("frame {idx} of the joined file does not decode")));
        }
    }
    Ok(Ok(()))
}

/// Whether the copied frames of the written file are the source's, in the order they are stored.
fn same_slices(
    mut coded: CodedReader,
    groups: &Groups,
    seed: u64,
    runs: &[Run],
    copied: &[u128],
) -> Result<Result<(), String>, JoinError> {
    let mut wanted = copied.iter();
    for run in runs {
        for idx in run.indices() {
            let Some(frame) = coded.next_frame()? else {
                return Ok(Err(format!("the joined file ends at frame {idx}")));
            };
            if run.copied && wanted.next() != Some(&digest(seed, &frame)) {
                return Ok(Err(format!("frame {idx} of the joined file is not coded as the source's")));
            }
        }
    }
    if coded.next_frame()?.is_some() || wanted.next().is_some() {
        return Ok(Err("the joined file holds another number of frames".to_owned()));
    }
    let mut sets = coded.parameter_sets().clone();
    let same = sets.join(&groups.sets).is_ok() && sets == *coded.parameter_sets();
    Ok(if same { Ok(()) } else { Err("the joined file lacks a parameter set of the source".to_owned()) })
}

/// The copied groups next to a joint or an end of the file.
fn joints(runs: &[Run], groups: &[Group]) -> Vec<std::ops::Range<u64>> {
    let mut parts: Vec<std::ops::Range<u64>> = Vec::new();
    for run in runs.iter().filter(|r| r.copied) {
        let inside = || groups.iter().filter(|g| run.indices().contains(&g.first));
        for group in inside().next().into_iter().chain(inside().next_back()) {
            let part = group.first..group.first + group.frames;
            if parts.last() != Some(&part) {
                parts.push(part);
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_next_to_a_joint_is_decoded_again() {
        let groups: Vec<Group> = (0..10).map(|n| Group { first: n * 30, frames: 30, closed: true }).collect();
        let run = |first, frames, copied| Run { first, frames, copied };
        let runs = [run(0, 90, true), run(90, 60, false), run(150, 30, true), run(180, 120, true)];
        assert_eq!(joints(&runs, &groups), [0..30, 60..90, 150..180, 180..210, 270..300]);
        assert!(joints(&[run(0, 300, false)], &groups).is_empty());
    }
}
