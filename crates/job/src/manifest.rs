//! From what a job did to what is signed for.

use std::path::Path;

use placet_core::Size;
use placet_record::explain::{self, Timeline, TrackRow};
use placet_record::manifest as m;
use placet_redaction::{Fill, Obscure, Shape, Target, Why};
use placet_vision::{Effort, Scan};

use crate::models::CHECKER;
use crate::{Audio, JobError, Mode, Models, OnFound, Outcome, Settings, Style, TrackRecord, Verify};

/// What a manifest says beyond the job itself.
pub struct Names<'a> {
    /// Version of the program.
    pub version: &'a str,
    /// When it is made.
    pub made_at: m::UtcTime,
    /// The input as named.
    pub input: &'a Path,
    /// The output as named.
    pub output: &'a Path,
}

/// The manifest of `outcome`, to be signed.
///
/// # Errors
/// [`JobError::Bug`] where a value of ours has no place in a manifest.
pub fn manifest_of(
    outcome: &Outcome,
    settings: &Settings,
    models: &Models,
    names: &Names<'_>,
) -> Result<m::Manifest, JobError> {
    let ledger = &outcome.ledger;
    let (mean, max) = ledger.covered_mean_max();
    let permille = |share: f64| (share * 1000.0).round().clamp(0.0, 1000.0) as u32;
    let tracks = ledger.tracks.values().filter_map(|t| track(t, &outcome.times_ms)).collect();
    let check = (settings.verify != Verify::None)
        .then(|| {
            Ok::<_, JobError>(m::Check {
                detector: label(CHECKER)?,
                frames_checked: ledger.checked_frames(),
                faces_found: ledger.check_found,
                rounds: ledger.check_rounds + 1,
            })
        })
        .transpose()?;
    Ok(m::Manifest {
        tool_version: label(&tool(names.version))?,
        made_at: names.made_at,
        input: file(names.input, &outcome.input)?,
        output: file(names.output, &outcome.output)?,
        models: models
            .digests()
            .into_iter()
            // Copied frames are checked whatever the settings say of the rest.
            .filter(|(name, _)| settings.verify != Verify::None || ledger.copied > 0 || *name != CHECKER)
            .map(|(name, digest)| Ok(m::ModelRecord { name: label(name)?, digest }))
            .collect::<Result<_, JobError>>()?,
        settings: settings_of(&Made::of(outcome), settings)?,
        media: m::Media {
            size: outcome.size,
            rotation: outcome.rotation,
            frames: outcome.frames,
            duration_ms: outcome.duration_ms,
            frame_rate: outcome.frame_rate,
        },
        frames: m::FrameCounts {
            judged: ledger.judged,
            covered_whole: ledger.whole_frames(),
            copied: ledger.copied,
        },
        tracks: m::TrackList::new(tracks),
        covered_area: m::CoveredArea { mean_permille: permille(mean), max_permille: permille(max) },
        check,
    })
}

/// What of a manifest's settings is known only once the job has met its input.
struct Made<'a> {
    detector_input: Size,
    margins: m::Margins,
    codec: &'a str,
    container: &'a str,
    has_sound: bool,
}

impl<'a> Made<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let ms = |s: f64| (s * 1000.0).round() as u64;
        let (before, after, bridge) = outcome.margins_s;
        Self {
            detector_input: outcome.detector_input,
            margins: m::Margins { before_ms: ms(before), after_ms: ms(after), bridge_ms: ms(bridge) },
            codec: &outcome.codec,
            container: &outcome.container,
            has_sound: outcome.has_sound,
        }
    }
}

fn settings_of(made: &Made<'_>, s: &Settings) -> Result<m::Settings, JobError> {
    let thousandths = |v: f32| (v * 1000.0).round() as u32;
    Ok(m::Settings {
        mode: match s.mode {
            Mode::Fast => m::Mode::Fast,
            Mode::Thorough => m::Mode::Thorough,
        },
        detector_input: made.detector_input,
        target: match s.target {
            Target::Face => m::Target::Face,
            Target::Head => m::Target::Head,
        },
        mask_scale_thousandths: thousandths(s.mask_scale),
        shape: match s.shape {
            Shape::Ellipse => m::Shape::Ellipse,
            Shape::Box => m::Shape::Box,
        },
        fill: match &s.style {
            Style::Fill(Fill::Surround) => m::Fill::Surround,
            Style::Fill(Fill::Solid(_)) => m::Fill::Solid,
            Style::Obscure(Obscure::Blur) => m::Fill::Blur,
            Style::Obscure(Obscure::Mosaic { .. }) => m::Fill::Mosaic,
        },
        color: match &s.style {
            Style::Fill(Fill::Solid(color)) => Some(m::Color(*color)),
            _ => None,
        },
        mosaic_px: match &s.style {
            Style::Obscure(Obscure::Mosaic { size }) => Some(*size),
            _ => None,
        },
        label_tracks: s.label_tracks,
        thresholds: m::Thresholds {
            start: thousandths(s.scores.strong),
            extend: thousandths(s.scores.weak),
            check: thousandths(s.scores.check),
        },
        verify: match s.verify {
            Verify::None => m::Verify::None,
            Verify::Sample => m::Verify::Sample,
            Verify::Full => m::Verify::Full,
        },
        on_found: match s.on_found {
            OnFound::Cover => m::OnFound::Cover,
            OnFound::Withhold => m::OnFound::Withhold,
        },
        margins: made.margins,
        codec: label(made.codec)?,
        preset: label(&s.preset)?,
        crf: s.crf.into(),
        container: label(made.container)?,
        audio: if made.has_sound && s.audio == Audio::Keep { m::Audio::Keep } else { m::Audio::Drop },
        metadata: if s.keep_metadata { m::Metadata::Kept } else { m::Metadata::Stripped },
        copy_clean: s.copy_clean,
        tracks_left_visible: s.keep_tracks.iter().map(|t| t.0).collect(),
        manual_regions: s.manual.len() as u64,
    })
}

fn label(text: &str) -> Result<m::Label, JobError> {
    text.parse().map_err(|_| JobError::Bug("a label of ours is no label"))
}

fn file(path: &Path, facts: &crate::FileFacts) -> Result<m::FileRecord, JobError> {
    let name = path.file_name().map_or_else(|| "-".to_owned(), |n| n.to_string_lossy().into_owned());
    let name = name.parse().map_err(|_| JobError::Bug("a file name is no file name"))?;
    Ok(m::FileRecord { name, bytes: facts.bytes, digest: facts.digest })
}

fn track(t: &TrackRecord, times_ms: &[u32]) -> Option<m::Track> {
    let (first, last) = (t.spans.iter().map(|s| s.first).min()?, t.spans.iter().map(|s| s.last).max()?);
    let at = |frame: u64| times_ms.get(frame as usize).map_or(0, |&ms| u64::from(ms));
    Some(m::Track {
        id: t.id.0,
        left_visible: t.kept,
        first_frame: first,
        last_frame: last,
        first_ms: at(first),
        last_ms: at(last),
        detected: t.frames(|w| w == Why::Detected),
        weak: t.frames(|w| w == Why::Weak),
        bridged: t.frames(|w| w == Why::Bridged),
        margin: t.frames(|w| matches!(w, Why::Before | Why::After)),
        found_by_check: t.frames(|w| w == Why::Found),
        min_height_px: t.min_height.round() as u32,
        max_height_px: t.max_height.round() as u32,
        box_px_total: t.area.round() as u64,
    })
}

/// What `--explain` draws.
pub fn timeline_of(outcome: &Outcome, title: &str) -> Timeline {
    let ledger = &outcome.ledger;
    Timeline {
        title: title.to_owned(),
        seconds: outcome.duration_ms as f64 / 1000.0,
        frames: outcome.frames,
        tracks: ledger.tracks.values().map(row).collect(),
        whole: ledger.whole.clone(),
        copied: ledger.copied_runs.clone(),
        checked: ledger.checked.clone(),
        covered: ledger.covered.iter().map(|&c| f32::from(c) / 65535.0).collect(),
    }
}

fn row(t: &TrackRecord) -> TrackRow {
    let why = |w| match w {
        Why::Detected => explain::Why::Detected,
        Why::Weak => explain::Why::Weak,
        Why::Bridged => explain::Why::Bridged,
        Why::Before | Why::After => explain::Why::Margin,
        Why::Found => explain::Why::Check,
    };
    TrackRow {
        id: t.id.0,
        left_visible: t.kept,
        spans: t.spans.iter().map(|s| (s.first, s.last, why(s.why))).collect(),
        min_height_px: t.min_height.round() as u32,
        max_height_px: t.max_height.round() as u32,
    }
}

/// The program as manifests name it.
fn tool(version: &str) -> String {
    format!("placet {version}")
}

/// Whether a manifest tells of the work that these settings, models and version would do, as far as it tells. Regions
/// drawn by hand are told by number only, so with them the answer is no.
pub fn same_work(there: &m::Manifest, wanted: &Settings, models: &Models, version: &str) -> bool {
    let (size, rotation) = (there.media.size, there.media.rotation);
    let scan = match (wanted.detector_size, there.media.frame_rate) {
        (Some(at), _) => Scan::whole(size, rotation, at),
        (None, None) => Scan::new(size, rotation, Effort::Picture),
        (None, Some(_)) => crate::video::scan_of(size, rotation, wanted),
    };
    let made = Made {
        detector_input: scan.whole_size(),
        margins: there.settings.margins,
        codec: wanted.codec.map_or(there.settings.codec.as_str(), |c| c.name()),
        container: there.settings.container.as_str(),
        has_sound: there.settings.audio == m::Audio::Keep,
    };
    let digests = models.digests();
    wanted.manual.is_empty()
        && there.tool_version.as_str() == tool(version)
        && there.models.iter().all(|m| digests.iter().any(|(_, digest)| *digest == m.digest))
        && settings_of(&made, wanted).is_ok_and(|w| w == there.settings)
}
