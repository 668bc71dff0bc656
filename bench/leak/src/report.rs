//! Rates with intervals, and the tables for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::rng::Rng;
use crate::score::{ClipScore, TrackScore};

/// A share with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// How often.
    pub hits: u64,
    /// Of how many.
    pub n: u64,
    /// Lower end, 0 to 1.
    pub low: f64,
    /// Upper end, 0 to 1.
    pub high: f64,
}

impl Rate {
    /// The share itself; 0 of 0 is 0.
    pub fn share(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.hits as f64 / self.n as f64 }
    }

    /// Independent trials: Wilson's score interval (JASA 1927).
    pub fn wilson(hits: u64, n: u64) -> Self {
        if n == 0 {
            return Self { hits, n, low: 0.0, high: 1.0 };
        }
        const Z: f64 = 1.959_964;
        let (n_f, p) = (n as f64, hits as f64 / n as f64);
        let centre = p + Z * Z / (2.0 * n_f);
        let half = Z * (p * (1.0 - p) / n_f + Z * Z / (4.0 * n_f * n_f)).sqrt();
        let scale = 1.0 + Z * Z / n_f;
        let low = if hits == 0 { 0.0 } else { ((centre - half) / scale).max(0.0) };
        let high = if hits == n { 1.0 } else { ((centre + half) / scale).min(1.0) };
        Self { hits, n, low, high }
    }

    /// Frames of a track go together, so whole tracks are drawn again (percentile bootstrap, 2000 draws, fixed seed).
    pub fn by_tracks(tracks: &[&TrackScore]) -> Self {
        let sum = |f: fn(&TrackScore) -> u32| tracks.iter().map(|t| u64::from(f(t))).sum::<u64>();
        let (hits, n) = (sum(|t| t.exposed), sum(|t| t.frames));
        if hits == 0 || hits == n {
            // Drawing again cannot show what was never seen; the tracks themselves bound it.
            let few = Self::wilson(if hits == 0 { 0 } else { tracks.len() as u64 }, tracks.len() as u64);
            return Self { hits, n, ..few };
        }
        let mut rng = Rng::new(2026);
        let mut shares: Vec<f64> = (0..2000)
            .map(|_| {
                let (mut hits, mut n) = (0u64, 0u64);
                for _ in 0..tracks.len() {
                    if let Some(t) = tracks.get(rng.below(tracks.len())) {
                        hits += u64::from(t.exposed);
                        n += u64::from(t.frames);
                    }
                }
                hits as f64 / n.max(1) as f64
            })
            .collect();
        shares.sort_by(f64::total_cmp);
        let at = |i: usize| shares.get(i).copied().unwrap_or_default();
        Self { hits, n, low: at(50), high: at(1949) }
    }
}

/// Leaks of one group of tracks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leak {
    /// Exposed face-frames of face-frames.
    pub frames: Rate,
    /// Tracks with at least one exposed frame of tracks.
    pub tracks: Rate,
}

impl Leak {
    fn of(tracks: &[&TrackScore]) -> Self {
        let leaking = tracks.iter().filter(|t| t.exposed > 0).count() as u64;
        Self { frames: Rate::by_tracks(tracks), tracks: Rate::wilson(leaking, tracks.len() as u64) }
    }
}

/// Everything about one tool on one set of clips.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What the tool and its setting are called in tables.
    pub label: String,
    /// All tracks.
    pub all: Leak,
    /// By face height in pixels.
    pub by_class: BTreeMap<u32, Leak>,
    /// By what makes them hard.
    pub by_condition: BTreeMap<String, Leak>,
    /// Covered pixels outside all boxes scaled by 1.6, of all pixels outside them.
    pub over_cover: f64,
    /// Covered pixels per pixel inside the faces' boxes.
    pub covered_per_needed: f64,
    /// Clips the tool withheld.
    pub withheld: Vec<String>,
    /// Clip by clip, track by track.
    pub clips: Vec<ClipScore>,
}

impl Report {
    /// Adds up.
    pub fn new(label: String, clips: Vec<ClipScore>) -> Self {
        let tracks: Vec<&TrackScore> = clips.iter().flat_map(|c| &c.tracks).collect();
        let mut classes: BTreeMap<u32, Vec<&TrackScore>> = BTreeMap::new();
        let mut conditions: BTreeMap<String, Vec<&TrackScore>> = BTreeMap::new();
        for &t in &tracks {
            classes.entry(t.class).or_default().push(t);
            conditions.entry(t.condition.clone()).or_default().push(t);
        }
        let sum = |f: fn(&ClipScore) -> u64| clips.iter().map(f).sum::<u64>() as f64;
        Self {
            label,
            all: Leak::of(&tracks),
            by_class: classes.into_iter().map(|(k, v)| (k, Leak::of(&v))).collect(),
            by_condition: conditions.into_iter().map(|(k, v)| (k, Leak::of(&v))).collect(),
            over_cover: sum(|c| c.over_pixels) / sum(|c| c.outside_pixels).max(1.0),
            covered_per_needed: sum(|c| c.covered_pixels) / sum(|c| c.needed_pixels).max(1.0),
            withheld: clips.iter().filter(|c| c.withheld).map(|c| c.clip.clone()).collect(),
            clips,
        }
    }
}

fn percent(rate: &Rate) -> String {
    let [p, low, high] = [rate.share(), rate.low, rate.high].map(|v| v * 100.0);
    format!("{p:.1} ({low:.1}–{high:.1})")
}

/// One Markdown document with every report side by side.
pub fn markdown(reports: &[Report]) -> String {
    let mut out = String::new();
    let head = |out: &mut String, first: &str| {
        let labels: Vec<&str> = reports.iter().map(|r| r.label.as_str()).collect();
        let _ = writeln!(out, "| {first} | {} |\n|{}", labels.join(" | "), " --- |".repeat(labels.len() + 2));
    };
    let classes =
        || reports.iter().flat_map(|r| r.by_class.keys()).collect::<std::collections::BTreeSet<_>>();
    let conditions =
        || reports.iter().flat_map(|r| r.by_condition.keys()).collect::<std::collections::BTreeSet<_>>();
    let cells = |pick: &dyn Fn(&Report) -> Option<Rate>| {
        let all: Vec<String> = reports.iter().map(|r| pick(r).map_or("–".into(), |v| percent(&v))).collect();
        all.join(" | ")
    };
    type Pick = fn(&Leak) -> Rate;
    let kinds: [(&str, &str, Pick); 2] =
        [("Track leak", "tracks", |l| l.tracks), ("Frame leak", "face-frames", |l| l.frames)];
    for (title, unit, rate) in kinds {
        let most = |f: &dyn Fn(&Report) -> Option<u64>| reports.iter().filter_map(f).max().unwrap_or(0);
        let _ = writeln!(out, "### {title}, per cent (95 % interval)\n");
        head(&mut out, &format!("face height, px | {unit}"));
        for class in classes() {
            let n = most(&|r| r.by_class.get(class).map(|l| rate(l).n));
            let _ = writeln!(out, "| {class} | {n} | {} |", cells(&|r| r.by_class.get(class).map(rate)));
        }
        let n = most(&|r| Some(rate(&r.all).n));
        let _ = writeln!(out, "| all | {n} | {} |\n", cells(&|r| Some(rate(&r.all))));
        head(&mut out, &format!("condition | {unit}"));
        for condition in conditions() {
            let n = most(&|r| r.by_condition.get(condition).map(|l| rate(l).n));
            let _ = writeln!(
                out,
                "| {condition} | {n} | {} |",
                cells(&|r| r.by_condition.get(condition).map(rate))
            );
        }
        out.push('\n');
    }
    let row = |f: &dyn Fn(&Report) -> String| reports.iter().map(f).collect::<Vec<_>>().join(" | ");
    let _ = writeln!(out, "### Area covered\n");
    let labels: Vec<&str> = reports.iter().map(|r| r.label.as_str()).collect();
    let _ = writeln!(out, "| | {} |\n|{}", labels.join(" | "), " --- |".repeat(labels.len() + 1));
    let over = row(&|r| format!("{:.2}", r.over_cover * 100.0));
    let _ = writeln!(out, "| over-cover: covered outside 1.6 × the boxes, per cent | {over} |");
    let _ = writeln!(
        out,
        "| covered / inside the boxes | {} |",
        row(&|r| format!("{:.2}", r.covered_per_needed))
    );
    let _ = writeln!(out, "| clips withheld | {} |", row(&|r| r.withheld.len().to_string()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(class: u32, frames: u32, exposed: u32) -> TrackScore {
        TrackScore { track: String::new(), class, condition: "still".into(), frames, exposed }
    }

    #[test]
    fn wilson_matches_published_values() {
        // Newcombe (1998), table I: 81 of 263 and 0 of 20.
        let r = Rate::wilson(81, 263);
        assert!((r.low - 0.2553).abs() < 1e-4 && (r.high - 0.3662).abs() < 1e-4, "{r:?}");
        let r = Rate::wilson(0, 20);
        assert!(r.low == 0.0 && (r.high - 0.1611).abs() < 1e-4, "{r:?}");
    }

    #[test]
    fn the_interval_over_tracks_is_wider_than_over_frames() {
        // Ten tracks, each wholly exposed or wholly hidden: ten trials, not a thousand.
        let tracks: Vec<TrackScore> = (0..10).map(|i| track(32, 100, if i < 5 { 100 } else { 0 })).collect();
        let r = Rate::by_tracks(&tracks.iter().collect::<Vec<_>>());
        assert_eq!(r.share(), 0.5);
        assert!(r.high - r.low > 0.4, "{r:?}");
    }

    #[test]
    fn no_leak_among_few_tracks_proves_little() {
        let tracks: Vec<TrackScore> = (0..10).map(|_| track(32, 100, 0)).collect();
        let r = Rate::by_tracks(&tracks.iter().collect::<Vec<_>>());
        assert!(r.high > 0.2, "{r:?}");
    }

    #[test]
    fn the_table_has_a_row_for_each_class_and_condition() {
        let clip = ClipScore {
            clip: "c".into(),
            frames: 1,
            withheld: false,
            tracks: vec![track(8, 4, 4), track(64, 4, 1)],
            over_pixels: 1,
            outside_pixels: 100,
            covered_pixels: 30,
            needed_pixels: 10,
        };
        let table = markdown(&[Report::new("tool".into(), vec![clip])]);
        assert!(table.contains("| 8 | 1 | 100.0 (20.7–100.0) |"), "{table}");
        assert!(table.contains("| 64 | 4 | 25.0 ("), "{table}");
        assert!(table.contains("| still | 2 | 100.0"), "{table}");
        assert!(table.contains("| covered / inside the boxes | 3.00 |"), "{table}");
    }
}
