use super::TrackId;

/// One track in numbers, for reports. Nothing of the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackSummary {
    /// Which.
    pub id: TrackId,
    /// First frame hidden.
    pub first_frame: u64,
    /// Last frame hidden, as far as frames were pushed.
    pub last_frame: u64,
    /// Frame of the first sighting, weak ones included.
    pub first_seen: u64,
    /// Frame of the last sighting, weak ones included.
    pub last_seen: u64,
    /// Frames in which a detection could have started the track.
    pub detections: u64,
    /// Frames in which a weaker one extended it.
    pub weak: u64,
    /// Frames between sightings.
    pub bridged: u64,
    /// Faces the check of the output named.
    pub found: u64,
    /// Height of the smallest face box seen, in luma pixels.
    pub min_height: f32,
    /// Height of the largest.
    pub max_height: f32,
    /// Highest detector score; 0 where only the check saw it.
    pub best_score: f32,
}

impl TrackSummary {
    /// Frames hidden before the first and after the last sighting.
    pub fn margin_frames(&self) -> u64 {
        (self.first_seen - self.first_frame) + (self.last_frame - self.last_seen)
    }
}
