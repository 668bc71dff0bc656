//! The picture of `placet redact --explain`: which face was hidden when, why, and how much of the picture that took.

/// Why a track is hidden in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The detector saw the face clearly.
    Detected,
    /// It saw the face weakly.
    Weak,
    /// It did not, between two sightings.
    Bridged,
    /// Before the first or after the last sighting.
    Margin,
    /// Only the second detector saw the face, in the output.
    Check,
}

/// What the picture shows.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// What the file is called.
    pub title: String,
    /// How long it lasts, in seconds. Frames are drawn at equal distances.
    pub seconds: f64,
    /// How many frames it has.
    pub frames: u64,
    /// Its tracks.
    pub tracks: Vec<TrackRow>,
    /// Runs of frames covered whole, first and last.
    pub whole: Vec<(u64, u64)>,
    /// Runs of frames copied without encoding, first and last.
    pub copied: Vec<(u64, u64)>,
    /// Frames the second detector looked at.
    pub checked: Vec<u64>,
    /// Covered share of each frame, 0 to 1.
    pub covered: Vec<f32>,
}

/// One track.
#[derive(Clone, Debug)]
pub struct TrackRow {
    /// Its number.
    pub id: u64,
    /// Left visible on the user's word.
    pub left_visible: bool,
    /// First frame, last frame and reason of each run, in order.
    pub spans: Vec<(u64, u64, Why)>,
    /// Least height of the face, in pixels.
    pub min_height_px: u32,
    /// Greatest height of the face, in pixels.
    pub max_height_px: u32,
}
