//! The manifest as JSON. Field for field what `docs/formats/schema/redaction-manifest-v1.json` says.

use placet_core::{Digest, Rotation, Size, UtcTime};
use serde::{Deserialize, Serialize};

use super::{
    Audio, Check, CoveredArea, FileRecord, Fill, FrameCounts, INTEGER_LIMIT, Manifest, ManifestError,
    Margins, Media, Metadata, Mode, ModelRecord, OnFound, Settings, Shape, Statement, Target, Thresholds,
    Track, TrackList, Verify,
};

/// The manifest as one line of canonical JSON.
pub(super) fn write(manifest: &Manifest) -> Result<String, ManifestError> {
    serde_json_canonicalizer::to_string(&ManifestWire::from(manifest)).map_err(json_error)
}

/// The manifest as indented JSON with a final newline.
pub(super) fn write_indented(manifest: &Manifest) -> Result<String, ManifestError> {
    serde_json::to_string_pretty(&ManifestWire::from(manifest)).map(|json| json + "\n").map_err(json_error)
}

/// Reads any JSON of the manifest's form, canonical or not.
pub(super) fn read(json: &str) -> Result<Manifest, ManifestError> {
    serde_json::from_str::<ManifestWire>(json).map_err(json_error)?.try_into()
}

fn json_error(error: serde_json::Error) -> ManifestError {
    ManifestError::Json { why: error.to_string() }
}

/// A whole number from 0 to 2^53 - 1. Writing a larger one is an error as well as reading it.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Int(#[serde(with = "int")] u64);

mod int {
    use serde::de::{Deserializer, Error as _};
    use serde::ser::{Error as _, Serializer};

    use super::{Deserialize, INTEGER_LIMIT};

    const TOO_LARGE: &str = "a whole number is 2^53 or more";

    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        if *value < INTEGER_LIMIT {
            serializer.serialize_u64(*value)
        } else {
            Err(S::Error::custom(TOO_LARGE))
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let value = u64::deserialize(deserializer)?;
        if value < INTEGER_LIMIT { Ok(value) } else { Err(D::Error::custom(TOO_LARGE)) }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManifestWire {
    tool_version: String,
    made_at: String,
    input: FileWire,
    output: FileWire,
    models: Vec<ModelWire>,
    settings: SettingsWire,
    media: MediaWire,
    frames: FramesWire,
    track_count: Int,
    tracks: Vec<TrackWire>,
    covered_area: CoveredAreaWire,
    check: Option<CheckWire>,
    statements: Vec<StatementWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileWire {
    name: String,
    bytes: Int,
    digest: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelWire {
    name: String,
    digest: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsWire {
    mode: String,
    detector_input: SizeWire,
    target: String,
    mask_scale_thousandths: u32,
    shape: String,
    fill: String,
    reversible: bool,
    color: Option<String>,
    mosaic_px: Option<u32>,
    label_tracks: bool,
    thresholds_thousandths: ThresholdsWire,
    verify: String,
    on_found: String,
    margins: MarginsWire,
    codec: String,
    preset: String,
    crf: u32,
    container: String,
    audio: String,
    metadata: String,
    copy_clean: bool,
    tracks_left_visible: Vec<Int>,
    manual_regions: Int,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SizeWire {
    width: u32,
    height: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThresholdsWire {
    start: u32,
    extend: u32,
    check: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MarginsWire {
    before_ms: Int,
    after_ms: Int,
    bridge_ms: Int,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaWire {
    width: u32,
    height: u32,
    rotation: u32,
    frames: Int,
    duration_ms: Int,
    frame_rate: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FramesWire {
    judged: Int,
    covered_whole: Int,
    copied: Int,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrackWire {
    id: Int,
    left_visible: bool,
    first_frame: Int,
    last_frame: Int,
    first_ms: Int,
    last_ms: Int,
    detected: Int,
    weak: Int,
    bridged: Int,
    margin: Int,
    found_by_check: Int,
    min_height_px: u32,
    max_height_px: u32,
    box_px_total: Int,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CoveredAreaWire {
    mean_permille: u32,
    max_permille: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckWire {
    detector: String,
    frames_checked: Int,
    faces_found: Int,
    rounds: u32,
}

#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatementWire {
    key: String,
    text: String,
}

impl From<Statement> for StatementWire {
    fn from(statement: Statement) -> Self {
        Self { key: statement.key().to_owned(), text: statement.sentence().to_owned() }
    }
}

impl From<&Manifest> for ManifestWire {
    fn from(m: &Manifest) -> Self {
        Self {
            tool_version: m.tool_version.as_str().to_owned(),
            made_at: m.made_at.to_string(),
            input: (&m.input).into(),
            output: (&m.output).into(),
            models: m.models.iter().map(ModelWire::from).collect(),
            settings: (&m.settings).into(),
            media: m.media.into(),
            frames: m.frames.into(),
            track_count: Int(m.tracks.count),
            tracks: m.tracks.listed.iter().copied().map(TrackWire::from).collect(),
            covered_area: m.covered_area.into(),
            check: m.check.as_ref().map(CheckWire::from),
            statements: m.statements().into_iter().map(StatementWire::from).collect(),
        }
    }
}

impl From<&FileRecord> for FileWire {
    fn from(f: &FileRecord) -> Self {
        Self { name: f.name.as_str().to_owned(), bytes: Int(f.bytes), digest: f.digest.to_string() }
    }
}

impl From<&ModelRecord> for ModelWire {
    fn from(m: &ModelRecord) -> Self {
        Self { name: m.name.as_str().to_owned(), digest: m.digest.to_string() }
    }
}

impl From<Size> for SizeWire {
    fn from(s: Size) -> Self {
        Self { width: s.width, height: s.height }
    }
}

impl From<&Settings> for SettingsWire {
    fn from(s: &Settings) -> Self {
        Self {
            mode: s.mode.key().to_owned(),
            detector_input: s.detector_input.into(),
            target: s.target.key().to_owned(),
            mask_scale_thousandths: s.mask_scale_thousandths,
            shape: s.shape.key().to_owned(),
            fill: s.fill.key().to_owned(),
            reversible: s.fill.is_reversible(),
            color: s.color.map(|c| c.to_string()),
            mosaic_px: s.mosaic_px,
            label_tracks: s.label_tracks,
            thresholds_thousandths: ThresholdsWire {
                start: s.thresholds.start,
                extend: s.thresholds.extend,
                check: s.thresholds.check,
            },
            verify: s.verify.key().to_owned(),
            on_found: s.on_found.key().to_owned(),
            margins: MarginsWire {
                before_ms: Int(s.margins.before_ms),
                after_ms: Int(s.margins.after_ms),
                bridge_ms: Int(s.margins.bridge_ms),
            },
            codec: s.codec.as_str().to_owned(),
            preset: s.preset.as_str().to_owned(),
            crf: s.crf,
            container: s.container.as_str().to_owned(),
            audio: s.audio.key().to_owned(),
            metadata: s.metadata.key().to_owned(),
            copy_clean: s.copy_clean,
            tracks_left_visible: s.tracks_left_visible.iter().copied().map(Int).collect(),
            manual_regions: Int(s.manual_regions),
        }
    }
}

impl From<Media> for MediaWire {
    fn from(m: Media) -> Self {
        Self {
            width: m.size.width,
            height: m.size.height,
            rotation: m.rotation.degrees_cw(),
            frames: Int(m.frames),
            duration_ms: Int(m.duration_ms),
            frame_rate: m.frame_rate.map(|rate| rate.to_string()),
        }
    }
}

impl From<FrameCounts> for FramesWire {
    fn from(f: FrameCounts) -> Self {
        Self { judged: Int(f.judged), covered_whole: Int(f.covered_whole), copied: Int(f.copied) }
    }
}

impl From<Track> for TrackWire {
    fn from(t: Track) -> Self {
        Self {
            id: Int(t.id),
            left_visible: t.left_visible,
            first_frame: Int(t.first_frame),
            last_frame: Int(t.last_frame),
            first_ms: Int(t.first_ms),
            last_ms: Int(t.last_ms),
            detected: Int(t.detected),
            weak: Int(t.weak),
            bridged: Int(t.bridged),
            margin: Int(t.margin),
            found_by_check: Int(t.found_by_check),
            min_height_px: t.min_height_px,
            max_height_px: t.max_height_px,
            box_px_total: Int(t.box_px_total),
        }
    }
}

impl From<CoveredArea> for CoveredAreaWire {
    fn from(c: CoveredArea) -> Self {
        Self { mean_permille: c.mean_permille, max_permille: c.max_permille }
    }
}

impl From<&Check> for CheckWire {
    fn from(c: &Check) -> Self {
        Self {
            detector: c.detector.as_str().to_owned(),
            frames_checked: Int(c.frames_checked),
            faces_found: Int(c.faces_found),
            rounds: c.rounds,
        }
    }
}

/// Parses `text`, which stands in `field`.
fn value<T: std::str::FromStr<Err = super::ValueError>>(
    field: &'static str,
    text: &str,
) -> Result<T, ManifestError> {
    text.parse().map_err(|super::ValueError(why)| ManifestError::Field { field, why })
}

fn time(field: &'static str, text: &str) -> Result<UtcTime, ManifestError> {
    let why = "is not a time in UTC such as `2026-11-22T12:00:00Z`";
    text.parse().map_err(|_| ManifestError::Field { field, why })
}

fn digest(field: &'static str, text: &str) -> Result<Digest, ManifestError> {
    let why = "is not `sha256:` and 64 lower-case hex digits";
    text.parse().map_err(|_| ManifestError::Field { field, why })
}

/// One of the spellings that `field` allows.
fn spelt<T>(field: &'static str, variant: Option<T>) -> Result<T, ManifestError> {
    variant.ok_or(ManifestError::Field { field, why: "is not one of the words it can be" })
}

impl TryFrom<ManifestWire> for Manifest {
    type Error = ManifestError;

    fn try_from(w: ManifestWire) -> Result<Self, ManifestError> {
        let manifest = Self {
            tool_version: value("tool_version", &w.tool_version)?,
            made_at: time("made_at", &w.made_at)?,
            input: FileRecord {
                name: value("input.name", &w.input.name)?,
                bytes: w.input.bytes.0,
                digest: digest("input.digest", &w.input.digest)?,
            },
            output: FileRecord {
                name: value("output.name", &w.output.name)?,
                bytes: w.output.bytes.0,
                digest: digest("output.digest", &w.output.digest)?,
            },
            models: w.models.into_iter().map(ModelRecord::try_from).collect::<Result<_, _>>()?,
            settings: w.settings.try_into()?,
            media: w.media.try_into()?,
            frames: FrameCounts {
                judged: w.frames.judged.0,
                covered_whole: w.frames.covered_whole.0,
                copied: w.frames.copied.0,
            },
            tracks: TrackList {
                count: w.track_count.0,
                listed: w.tracks.into_iter().map(Track::from).collect(),
            },
            covered_area: CoveredArea {
                mean_permille: w.covered_area.mean_permille,
                max_permille: w.covered_area.max_permille,
            },
            check: w.check.map(Check::try_from).transpose()?,
        };
        let expected = manifest.statements().into_iter().map(StatementWire::from);
        if expected.eq(w.statements) {
            Ok(manifest)
        } else {
            Err(ManifestError::Field {
                field: "statements",
                why: "are not those that follow from the other values",
            })
        }
    }
}

impl TryFrom<ModelWire> for ModelRecord {
    type Error = ManifestError;

    fn try_from(w: ModelWire) -> Result<Self, ManifestError> {
        Ok(Self { name: value("models.name", &w.name)?, digest: digest("models.digest", &w.digest)? })
    }
}

impl TryFrom<SettingsWire> for Settings {
    type Error = ManifestError;

    fn try_from(w: SettingsWire) -> Result<Self, ManifestError> {
        let fill = spelt("settings.fill", Fill::from_key(&w.fill))?;
        if w.reversible != fill.is_reversible() {
            let why = "does not fit `settings.fill`";
            return Err(ManifestError::Field { field: "settings.reversible", why });
        }
        Ok(Self {
            mode: spelt("settings.mode", Mode::from_key(&w.mode))?,
            detector_input: Size { width: w.detector_input.width, height: w.detector_input.height },
            target: spelt("settings.target", Target::from_key(&w.target))?,
            mask_scale_thousandths: w.mask_scale_thousandths,
            shape: spelt("settings.shape", Shape::from_key(&w.shape))?,
            fill,
            color: w.color.map(|c| value("settings.color", &c)).transpose()?,
            mosaic_px: w.mosaic_px,
            label_tracks: w.label_tracks,
            thresholds: Thresholds {
                start: w.thresholds_thousandths.start,
                extend: w.thresholds_thousandths.extend,
                check: w.thresholds_thousandths.check,
            },
            verify: spelt("settings.verify", Verify::from_key(&w.verify))?,
            on_found: spelt("settings.on_found", OnFound::from_key(&w.on_found))?,
            margins: Margins {
                before_ms: w.margins.before_ms.0,
                after_ms: w.margins.after_ms.0,
                bridge_ms: w.margins.bridge_ms.0,
            },
            codec: value("settings.codec", &w.codec)?,
            preset: value("settings.preset", &w.preset)?,
            crf: w.crf,
            container: value("settings.container", &w.container)?,
            audio: spelt("settings.audio", Audio::from_key(&w.audio))?,
            metadata: spelt("settings.metadata", Metadata::from_key(&w.metadata))?,
            copy_clean: w.copy_clean,
            tracks_left_visible: w.tracks_left_visible.into_iter().map(|id| id.0).collect(),
            manual_regions: w.manual_regions.0,
        })
    }
}

impl TryFrom<MediaWire> for Media {
    type Error = ManifestError;

    fn try_from(w: MediaWire) -> Result<Self, ManifestError> {
        let rotations = [Rotation::None, Rotation::Cw90, Rotation::Half, Rotation::Cw270];
        Ok(Self {
            size: Size { width: w.width, height: w.height },
            rotation: rotations
                .into_iter()
                .find(|rotation| rotation.degrees_cw() == w.rotation)
                .ok_or(ManifestError::Field { field: "media.rotation", why: "is not 0, 90, 180 or 270" })?,
            frames: w.frames.0,
            duration_ms: w.duration_ms.0,
            frame_rate: w.frame_rate.map(|rate| value("media.frame_rate", &rate)).transpose()?,
        })
    }
}

impl From<TrackWire> for Track {
    fn from(w: TrackWire) -> Self {
        Self {
            id: w.id.0,
            left_visible: w.left_visible,
            first_frame: w.first_frame.0,
            last_frame: w.last_frame.0,
            first_ms: w.first_ms.0,
            last_ms: w.last_ms.0,
            detected: w.detected.0,
            weak: w.weak.0,
            bridged: w.bridged.0,
            margin: w.margin.0,
            found_by_check: w.found_by_check.0,
            min_height_px: w.min_height_px,
            max_height_px: w.max_height_px,
            box_px_total: w.box_px_total.0,
        }
    }
}

impl TryFrom<CheckWire> for Check {
    type Error = ManifestError;

    fn try_from(w: CheckWire) -> Result<Self, ManifestError> {
        Ok(Self {
            detector: value("check.detector", &w.detector)?,
            frames_checked: w.frames_checked.0,
            faces_found: w.faces_found.0,
            rounds: w.rounds,
        })
    }
}
