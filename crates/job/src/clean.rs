//! Groups of pictures without a face are copied, not encoded.
//!
//! A copied frame is one that both detectors judged, in which nothing is hidden, and which the finished file is proved
//! to show bit for bit: its coded slices are compared, and next to each joint the decoded frames too. Nothing else of the source's video goes along: only slices are copied, no supplemental
//! information. Where any of this cannot be had the file is encoded as ever, and a note says why.

use placet_core::Pts;
use placet_ingest::video::{Codec, EncodeSpec, Encoder, expected_pts};

use crate::clean_groups::{Group, Groups};
use crate::clean_join::{self, Run};
use crate::clean_survey::{Fate, Survey};
use crate::ledger::Ledger;
use crate::video::{Done, Known, Source, finder_scan, run};
use crate::{JobError, Models, Settings, Watch};

/// A run of fewer frames than this between encoded ones is not worth two more joints.
const SHORTEST: u64 = 24;

/// Hides the faces of a file, copying what may be copied. None where it is to be encoded as ever; a note said why.
///
/// # Errors
/// As [`run`].
pub(crate) fn redact(
    source: &Source<'_>,
    models: &Models,
    settings: &Settings,
    spec: &EncodeSpec,
    watch: &dyn Watch,
) -> Result<Option<Done>, JobError> {
    let ordinary = |why: &str| {
        watch.note(&format!("nothing is copied, all is encoded: {why}"));
        Ok(None)
    };
    if let Some(why) = refusal(source, spec) {
        return ordinary(&why);
    }
    let expected = expected_pts(source.packets);
    let groups = match Groups::read(source, &expected) {
        Ok(groups) => groups,
        Err(why) => return ordinary(&why),
    };
    if !groups.list.iter().any(|g| g.closed) {
        return ordinary("no group of pictures stands for itself");
    }
    let scan = finder_scan(source, settings);
    let halves = |second| Half { watch, second };
    let survey = Survey::make(source, models, settings, &groups, &scan, &halves(false))?;
    let runs = runs(&groups.list, &survey.fates);
    let second = halves(true);
    if !runs.iter().any(|r| r.copied) {
        watch.note(&format!("nothing is copied, all is encoded: {}", reasons(&survey.fates)));
        return encode(source, models, settings, spec, &survey, &second).map(Some);
    }
    match clean_join::write(source, models, settings, spec, &groups, &survey, &runs, &second) {
        Ok((done, copied)) => {
            match clean_join::prove(source, spec, &groups, &survey, &runs, &done, &copied, &second)? {
                Ok(()) => {
                    watch.note(&told(&done.ledger, &survey.fates));
                    Ok(Some(Done { read_back: true, ..done }))
                }
                Err(why) => ordinary(&why),
            }
        }
        Err(e @ (JobError::Join(_) | JobError::Stopped)) => ordinary(&crate::chain(&e)),
        Err(e) => Err(e),
    }
}

/// The whole file through the encoder, by what the survey found.
fn encode(
    source: &Source<'_>,
    models: &Models,
    settings: &Settings,
    spec: &EncodeSpec,
    survey: &Survey,
    watch: &dyn Watch,
) -> Result<Done, JobError> {
    let encoder = Encoder::create(source.tools, spec.clone())?;
    let known = Known {
        tracker: survey.tracker()?,
        first: 0,
        frames: survey.frames.iter().copied().collect(),
        ledger: Ledger { check_found: survey.finds.len() as u64, ..Ledger::default() },
    };
    let done = run(source, models, settings, Box::new(encoder), Some(known), watch)?;
    Ok(Done { margins_s: survey.margins_s(), ..done })
}

/// Why nothing of the file can be copied, as far as its headers tell.
fn refusal(source: &Source<'_>, spec: &EncodeSpec) -> Option<String> {
    let video = &source.info.video;
    if video.codec != Some(Codec::H264) || spec.codec != Codec::H264 {
        return Some(format!(
            "only H.264 is copied, to H.264; this goes from {} to {}",
            video.codec_name,
            spec.codec.name()
        ));
    }
    if !matches!(video.pixel_format.as_str(), "yuv420p" | "yuvj420p") {
        return Some(format!("only 8-bit 4:2:0 is copied, and this is {}", video.pixel_format));
    }
    if video.fields.interlaced() {
        return Some("interlaced video is not copied".to_owned());
    }
    source.packets.iter().any(|p| p.pts.is_none()).then(|| "frames without times are not copied".to_owned())
}

/// Frames in a row with one fate, in order. Short copied runs beside encoded ones are encoded.
fn runs(groups: &[Group], fates: &[Fate]) -> Vec<Run> {
    let joined = |runs: Vec<Run>| {
        let mut out: Vec<Run> = Vec::new();
        for next in runs {
            match out.last_mut() {
                Some(last) if last.copied == next.copied => last.frames += next.frames,
                _ => out.push(next),
            }
        }
        out
    };
    let each = groups.iter().zip(fates).map(|(g, fate)| Run {
        first: g.first,
        frames: g.frames,
        copied: *fate == Fate::Clean,
    });
    let mut runs = joined(each.collect());
    if runs.len() > 1 {
        runs.iter_mut().for_each(|r| r.copied &= r.frames >= SHORTEST);
    }
    joined(runs)
}

fn told(ledger: &Ledger, fates: &[Fate]) -> String {
    let all = ledger.times.len();
    let rest = if ledger.copied as usize == all { String::new() } else { format!("; {}", reasons(fates)) };
    format!("copied {} of {all} frames in {} runs{rest}", ledger.copied, ledger.copied_runs.len())
}

/// Why groups are not copied, the commonest reason first.
fn reasons(fates: &[Fate]) -> String {
    let words = [
        (Fate::Faces, "hide a face or a region"),
        (Fate::Found, "hold a face that only the second detector finds"),
        (Fate::TooDear, "would cost more to check than to encode"),
        (Fate::Unjudged, "could not be judged"),
        (Fate::Open, "do not stand for themselves"),
    ];
    let count = |fate| fates.iter().filter(|f| **f == fate).count();
    let mut said: Vec<(usize, &str)> =
        words.iter().map(|(fate, why)| (count(*fate), *why)).filter(|(n, _)| *n > 0).collect();
    said.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    if said.is_empty() {
        return "the groups without faces are too short".to_owned();
    }
    let list: Vec<String> = said.iter().map(|(n, why)| format!("{n} {why}")).collect();
    format!("of {} groups {}", fates.len(), list.join(", "))
}

/// One of two passes over a file: half of the progress.
struct Half<'a> {
    watch: &'a dyn Watch,
    second: bool,
}

impl Watch for Half<'_> {
    fn progress(&self, done: u64, total: Option<u64>, tracks: usize) {
        let before = if self.second { total.unwrap_or(done) } else { 0 };
        self.watch.progress((before + done) / 2, total, tracks);
    }

    fn note(&self, line: &str) {
        self.watch.note(line);
    }

    fn cancelled(&self) -> bool {
        self.watch.cancelled()
    }
}

impl Ledger {
    /// Notes a run of copied frames from frame `first` on.
    pub(crate) fn copied(&mut self, first: u64, times: impl ExactSizeIterator<Item = Pts>) {
        let n = times.len() as u64;
        self.judged += n;
        self.copied += n;
        self.copied_runs.push((first, first + n - 1));
        self.checked.extend(first..first + n);
        self.covered.extend((0..n).map(|_| 0));
        self.times.extend(times);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_one_fate_are_one_run_and_short_ones_join_their_neighbours() {
        let groups: Vec<Group> = [(0, 30), (30, 30), (60, 10), (70, 12), (82, 30), (112, 5)]
            .map(|(first, frames)| Group { first, frames, closed: true })
            .to_vec();
        use Fate::{Clean, Faces};
        let run = |first, frames, copied| Run { first, frames, copied };
        assert_eq!(
            runs(&groups, &[Clean, Clean, Faces, Clean, Faces, Clean]),
            [run(0, 60, true), run(60, 57, false)]
        );
        assert_eq!(runs(&groups, &[Clean; 6]), [run(0, 117, true)]);
        assert_eq!(runs(&groups[5..], &[Clean]), [run(112, 5, true)], "a short file");
        assert_eq!(runs(&groups, &[Faces; 6]), [run(0, 117, false)]);
    }

    #[test]
    fn reasons_are_told_in_order_of_weight() {
        assert_eq!(
            reasons(&[Fate::Clean, Fate::TooDear, Fate::Faces, Fate::TooDear]),
            "of 4 groups 2 would cost more to check than to encode, 1 hide a face or a region"
        );
    }
}
