//! The signed redaction manifest: what one job did to one file, in a form that anyone can check and nobody can change.
//!
//! It carries digests, counts and settings; never a picture, a template or a person's name. The format is described
//! byte by byte in `docs/formats/redaction-manifest.md`.

mod statement;
mod value;
mod wire;

pub use statement::Statement;
pub use value::{
    Audio, Color, FileName, Fill, FrameRate, Label, Metadata, Mode, OnFound, Shape, Target, ValueError,
    Verify,
};

pub use placet_core::UtcTime;
use placet_core::{Digest, Rotation, Size};
use placet_tlog::note::{self, NoteError, SignerKey, VerifierKey};

pub(crate) use wire::ManifestWire;

/// The first line of the note's text.
pub const FIRST_LINE: &str = "placet/redaction-manifest/v1";

/// How many tracks a manifest lists one by one, so that it stays within the size of a note.
pub const MAX_LISTED_TRACKS: usize = 2_000;

/// Whole numbers in a manifest are below this: 2^53, up to which every JSON reader agrees.
pub const INTEGER_LIMIT: u64 = 1 << 53;

/// What one job did to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Placet's version.
    pub tool_version: Label,
    /// When the manifest was made, by the clock of whoever made it.
    pub made_at: UtcTime,
    /// What was read.
    pub input: FileRecord,
    /// What was written.
    pub output: FileRecord,
    /// The models that looked for faces.
    pub models: Vec<ModelRecord>,
    /// Everything that shaped what was done.
    pub settings: Settings,
    /// What kind of picture it is.
    pub media: Media,
    /// What became of the frames.
    pub frames: FrameCounts,
    /// The faces that were followed, those left visible among them.
    pub tracks: TrackList,
    /// How much of the picture was covered.
    pub covered_area: CoveredArea,
    /// The second detector's look at the output; none exactly where `settings.verify` is [`Verify::None`].
    pub check: Option<Check>,
}

/// A file by its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRecord {
    /// Its name, without folders.
    pub name: FileName,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// A model by its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRecord {
    /// Its name.
    pub name: Label,
    /// SHA-256 of the model as it was run.
    pub digest: Digest,
}

/// Everything that shaped what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How hard the detector looked.
    pub mode: Mode,
    /// Size at which the detector saw the whole picture.
    pub detector_input: Size,
    /// What each detected face stands for.
    pub target: Target,
    /// Mask width and height over the detected box's, in thousandths, as `--mask-scale` takes it.
    pub mask_scale_thousandths: u32,
    /// Outline of a mask.
    pub shape: Shape,
    /// What hides a face. Whether that can be undone is stated beside it.
    pub fill: Fill,
    /// The color; there exactly where `fill` is [`Fill::Solid`].
    pub color: Option<Color>,
    /// Width of a square in pixels; there exactly where `fill` is [`Fill::Mosaic`].
    pub mosaic_px: Option<u32>,
    /// Whether each track's number is written on what hides it.
    pub label_tracks: bool,
    /// Detector scores, in thousandths.
    pub thresholds: Thresholds,
    /// How much of the output was checked.
    pub verify: Verify,
    /// What a face found by the check leads to.
    pub on_found: OnFound,
    /// How long a face stays hidden without being seen.
    pub margins: Margins,
    /// Coding of the output's pictures, by ffmpeg's name: `h264`.
    pub codec: Label,
    /// The video encoder's speed, in x264's names. Pictures have no such thing, and it is stated as it was asked for.
    pub preset: Label,
    /// The video encoder's constant rate factor, on x264's scale.
    pub crf: u32,
    /// Container of the output, by ffmpeg's name: `mp4`.
    pub container: Label,
    /// Fate of the sound.
    pub audio: Audio,
    /// Fate of metadata.
    pub metadata: Metadata,
    /// Whether groups of pictures without any face could be copied instead of encoded.
    pub copy_clean: bool,
    /// Tracks left visible on the user's word, ascending.
    pub tracks_left_visible: Vec<u64>,
    /// How many regions were hidden on the user's word.
    pub manual_regions: u64,
}

/// Detector scores from which something happens, in thousandths of the detector's own scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// A sighting starts a track.
    pub start: u32,
    /// A sighting extends a track.
    pub extend: u32,
    /// The second detector's sighting counts.
    pub check: u32,
}

/// How long a face stays hidden without being seen, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margins {
    /// Before its first sighting.
    pub before_ms: u64,
    /// After its last.
    pub after_ms: u64,
    /// The longest gap between two sightings that is bridged.
    pub bridge_ms: u64,
}

/// What kind of picture it is. A still picture has one frame, no duration and no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media {
    /// Columns and rows as stored.
    pub size: Size,
    /// How far a player turns it.
    pub rotation: Rotation,
    /// Frames read.
    pub frames: u64,
    /// From the first frame's begin to the last one's end.
    pub duration_ms: u64,
    /// Average rate; none for a still picture.
    pub frame_rate: Option<FrameRate>,
}

/// What became of the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameCounts {
    /// The detector looked at them.
    pub judged: u64,
    /// They could not be judged and were covered from edge to edge.
    pub covered_whole: u64,
    /// They were copied without encoding.
    pub copied: u64,
}

/// One face followed over frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Track {
    /// Its number in this file, from `--label-tracks` and `--keep-track`.
    pub id: u64,
    /// It was left visible on the user's word: what follows tells where it would have been hidden.
    pub left_visible: bool,
    /// First frame in which it was hidden, counted from zero.
    pub first_frame: u64,
    /// Last frame in which it was hidden.
    pub last_frame: u64,
    /// When the first one is shown.
    pub first_ms: u64,
    /// When the last one is shown.
    pub last_ms: u64,
    /// Frames in which the detector saw it clearly.
    pub detected: u64,
    /// Frames in which it saw it weakly.
    pub weak: u64,
    /// Frames between two sightings in which it did not.
    pub bridged: u64,
    /// Frames before the first and after the last sighting.
    pub margin: u64,
    /// Frames in which only the second detector saw it.
    pub found_by_check: u64,
    /// Least height of the face, in pixels.
    pub min_height_px: u32,
    /// Greatest height of the face, in pixels.
    pub max_height_px: u32,
    /// Area of the face's box in pixels, summed over its frames. Boxes of several faces may overlap, and masks reach
    /// further.
    pub box_px_total: u64,
}

/// The tracks of a file: all of them counted, the first [`MAX_LISTED_TRACKS`] listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackList {
    count: u64,
    listed: Vec<Track>,
}

impl TrackList {
    /// Sorts by first frame, then id, and keeps as many as a manifest lists.
    pub fn new(mut tracks: Vec<Track>) -> Self {
        let count = tracks.len() as u64;
        tracks.sort_by_key(|track| (track.first_frame, track.id));
        tracks.truncate(MAX_LISTED_TRACKS);
        Self { count, listed: tracks }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Those listed one by one, by first frame, then id.
    pub fn listed(&self) -> &[Track] {
        &self.listed
    }
}

/// How much of a frame was covered, in thousandths of its area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoveredArea {
    /// Mean over all frames.
    pub mean_permille: u32,
    /// The most in any frame.
    pub max_permille: u32,
}

/// The second detector's look at the output. It found no face that is still to be seen: else there is no output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The second detector's name; its digest is among the models.
    pub detector: Label,
    /// Frames of the output it looked at: whole, or reduced and at full resolution where a small face came or went.
    pub frames_checked: u64,
    /// Faces it found that were not hidden then.
    pub faces_found: u64,
    /// How often it looked at the worst frame: 1 where nothing was found.
    pub rounds: u32,
}

impl Manifest {
    /// The manifest as a signed note.
    ///
    /// # Errors
    /// If a value is out of its range, or two values contradict each other.
    pub fn sign(&self, key: &SignerKey) -> Result<String, ManifestError> {
        Ok(note::sign(&self.text()?, &[key])?)
    }

    /// The note's text: [`FIRST_LINE`], then the manifest as one line of canonical JSON (RFC 8785).
    fn text(&self) -> Result<String, ManifestError> {
        self.check_ranges()?;
        Ok(format!("{FIRST_LINE}\n{}\n", wire::write(self)?))
    }

    /// The manifest's JSON without its note, indented, with a final newline: for programs that do not verify.
    ///
    /// # Errors
    /// If a number is 2^53 or more.
    pub fn to_json(&self) -> Result<String, ManifestError> {
        wire::write_indented(self)
    }

    /// Opens a signed manifest: the note, the signature of one of `keys`, the form, and every value.
    ///
    /// # Errors
    /// Whatever differs from what [`Manifest::sign`] writes, be it one byte.
    pub fn open(bytes: &[u8], keys: &[VerifierKey]) -> Result<Self, ManifestError> {
        let note = note::open(bytes, keys)?;
        let json = note.text().strip_prefix(FIRST_LINE).and_then(|rest| rest.strip_prefix('\n'));
        let json = json.ok_or(ManifestError::FirstLine)?;
        let json = json.strip_suffix('\n').filter(|json| !json.contains('\n')).ok_or(ManifestError::Lines)?;
        let manifest = wire::read(json)?;
        manifest.check_ranges()?;
        // One spelling only: two texts that say the same would be two digests.
        if wire::write(&manifest)? == json { Ok(manifest) } else { Err(ManifestError::NotCanonical) }
    }

    /// What has to be said along with the figures, in its fixed order.
    pub fn statements(&self) -> Vec<Statement> {
        Statement::of(self)
    }

    /// Checks what the types alone do not promise.
    fn check_ranges(&self) -> Result<(), ManifestError> {
        let demand =
            |holds: bool, field, why| if holds { Ok(()) } else { Err(ManifestError::Field { field, why }) };
        let settings = &self.settings;
        let thresholds = settings.thresholds;
        demand(
            [thresholds.start, thresholds.extend, thresholds.check].into_iter().all(|score| score <= 1_000),
            "settings.thresholds",
            "are above 1000",
        )?;
        demand(
            settings.tracks_left_visible.is_sorted_by(|a, b| a < b),
            "settings.tracks_left_visible",
            "are not ascending",
        )?;
        demand(
            settings.color.is_some() == (settings.fill == Fill::Solid),
            "settings.color",
            "is there although the fill has none, or missing although it has one",
        )?;
        demand(
            settings.mosaic_px.is_some() == (settings.fill == Fill::Mosaic),
            "settings.mosaic_px",
            "is there although the fill has none, or missing although it has one",
        )?;
        let covered = self.covered_area;
        demand(
            covered.mean_permille <= covered.max_permille && covered.max_permille <= 1_000,
            "covered_area",
            "has a mean above its greatest value, or one above 1000",
        )?;
        demand(
            self.check.is_some() == (settings.verify != Verify::None),
            "check",
            "is there although nothing was to be checked, or missing although something was",
        )?;
        let TrackList { count, listed } = &self.tracks;
        demand(
            *count == listed.len() as u64
                || (*count > listed.len() as u64 && listed.len() == MAX_LISTED_TRACKS),
            "track_count",
            "does not fit the number of tracks listed",
        )?;
        demand(listed.len() <= MAX_LISTED_TRACKS, "tracks", "are more than 2000")?;
        demand(
            listed.is_sorted_by(|a, b| (a.first_frame, a.id) < (b.first_frame, b.id)),
            "tracks",
            "are not ordered by first frame and id",
        )?;
        demand(
            listed.iter().all(|t| t.first_frame <= t.last_frame && t.first_ms <= t.last_ms),
            "tracks",
            "have one that ends before it begins",
        )?;
        let left_visible: Vec<u64> = {
            let mut ids: Vec<u64> = listed.iter().filter(|t| t.left_visible).map(|t| t.id).collect();
            ids.sort_unstable();
            ids
        };
        demand(
            left_visible.iter().all(|id| settings.tracks_left_visible.contains(id))
                && (*count > listed.len() as u64 || left_visible.len() == settings.tracks_left_visible.len()),
            "tracks",
            "are left visible other than `settings.tracks_left_visible` says",
        )?;
        demand(
            listed.iter().all(|t| t.min_height_px <= t.max_height_px),
            "tracks",
            "have one whose least height is above its greatest",
        )
    }
}

/// Why a manifest was not made, not read or not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The envelope: its form, or its signatures.
    #[error("cannot open the manifest's note")]
    Note {
        /// What is wrong with it.
        #[from]
        source: NoteError,
    },
    /// A note of another kind, or a later version.
    #[error("note is no redaction manifest: its first line is not `placet/redaction-manifest/v1`")]
    FirstLine,
    /// Not exactly one line of JSON after the first.
    #[error("manifest does not have exactly one line of JSON")]
    Lines,
    /// Not JSON of this form: an unknown, missing or doubled key, a value of another type, a number of 2^53 or more.
    #[error("manifest's JSON cannot be read: {why}")]
    Json {
        /// What is wrong, with line and column.
        why: String,
    },
    /// The same values in another spelling.
    #[error("manifest's JSON is not in canonical form (RFC 8785)")]
    NotCanonical,
    /// A value outside its range, or two that contradict each other.
    #[error("manifest's `{field}` {why}")]
    Field {
        /// Which, as the JSON calls it.
        field: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
}
