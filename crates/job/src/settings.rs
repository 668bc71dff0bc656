use std::collections::BTreeSet;

use placet_core::Size;
use placet_ingest::video::Codec;
use placet_redaction::{Fill, ManualRegion, Obscure, Shape, Target, TrackId};

/// Everything that shapes what a job does to one file.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How hard the detector looks.
    pub mode: Mode,
    /// Scores that decide what counts as a face.
    pub scores: Scores,
    /// Size the detector sees the whole picture at; none: chosen from the picture's own.
    pub detector_size: Option<Size>,
    /// What each detected face stands for.
    pub target: Target,
    /// Mask width and height over the detected box's.
    pub mask_scale: f32,
    /// Outline of a mask.
    pub shape: Shape,
    /// What hides the face.
    pub style: Style,
    /// How much of the result the second detector looks at.
    pub verify: Verify,
    /// What happens when it finds a face.
    pub on_found: OnFound,
    /// Fate of the sound.
    pub audio: Audio,
    /// Keep place, device and title metadata.
    pub keep_metadata: bool,
    /// Tracks left visible.
    pub keep_tracks: BTreeSet<TrackId>,
    /// Regions hidden on the user's word.
    pub manual: Vec<ManualRegion>,
    /// Video codec of the output; none: H.264 where the container holds it, else the input's.
    pub codec: Option<Codec>,
    /// The encoder's speed preset (x264's names).
    pub preset: String,
    /// The encoder's constant rate factor.
    pub crf: u8,
    /// Copy groups of pictures without faces instead of encoding them.
    pub copy_clean: bool,
    /// Write each track's number on what hides it.
    pub label_tracks: bool,
    /// Threads that look for faces.
    pub threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::Thorough,
            scores: Scores::default(),
            detector_size: None,
            target: Target::Face,
            mask_scale: 1.3,
            shape: Shape::Ellipse,
            style: Style::Fill(Fill::Surround),
            verify: Verify::Sample,
            on_found: OnFound::Cover,
            audio: Audio::Keep,
            keep_metadata: false,
            keep_tracks: BTreeSet::new(),
            manual: Vec::new(),
            codec: None,
            preset: "veryfast".to_owned(),
            crf: 23,
            copy_clean: false,
            label_tracks: false,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// How hard the detector looks at each frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The whole picture at about 640 columns: faces from about 3 % of the picture's height.
    Fast,
    /// The whole picture, and its parts at full size in turn: faces from about 12 pixels.
    Thorough,
}

/// Scores between 0 and 1 on each detector's own scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores {
    /// From here on a sighting starts a track.
    pub strong: f32,
    /// From here on a sighting extends one.
    pub weak: f32,
    /// From here on the second detector's sighting counts.
    pub check: f32,
}

impl Default for Scores {
    fn default() -> Self {
        Self { strong: 0.5, weak: 0.25, check: 0.35 }
    }
}

/// What hides a face.
#[derive(Clone, Debug, PartialEq)]
pub enum Style {
    /// Irreversible: nothing that was inside is used.
    Fill(Fill),
    /// Reversible: published attacks undo blur and mosaic.
    Obscure(Obscure),
}

/// How much of the result the second detector looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// Nothing.
    None,
    /// Frames at intervals, more where tracks begin, end and bridge gaps.
    Sample,
    /// Every frame.
    Full,
}

/// What happens when the check finds a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFound {
    /// It is covered and checked again; the output is withheld only if a face remains.
    Cover,
    /// The output is withheld.
    Withhold,
}

/// Fate of the sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audio {
    /// Copied untouched. Voices identify people.
    Keep,
    /// Left out.
    Drop,
}
