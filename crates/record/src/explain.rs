//! The picture of `placet redact --explain`: which face was hidden when, why, and how much of the picture that took.
//!
//! SVG that stands alone: no script, no style sheet, no font of its own. Every reason has a pattern as well as a color,
//! so that it reads in print and without color vision. Its size is bounded whatever the length of the video.

mod raster;

use placet_core::is_unseen;
use raster::Columns;

/// Why a track is hidden in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// The detector saw the face clearly.
    Detected,
    /// Before the first or after the last sighting.
    Margin,
    /// The detector saw the face weakly.
    Weak,
    /// It did not see it, between two sightings.
    Bridged,
    /// Only the second detector saw the face, in the output.
    Check,
}

impl Why {
    const ALL: [Self; 5] = [Self::Detected, Self::Weak, Self::Bridged, Self::Margin, Self::Check];

    /// Name of its pattern in the picture.
    fn pattern(self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Margin => "margin",
            Self::Weak => "weak",
            Self::Bridged => "bridged",
            Self::Check => "check",
        }
    }

    /// What the legend says.
    fn label(self) -> &'static str {
        match self {
            Self::Detected => "seen clearly",
            Self::Margin => "margin before and after",
            Self::Weak => "seen weakly",
            Self::Bridged => "not seen, gap bridged",
            Self::Check => "found by the check alone",
        }
    }
}

/// What the picture shows. Frames are drawn at equal distances.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// What the file is called.
    pub title: String,
    /// How long it lasts, in seconds; 0 for a still picture.
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
    /// First frame, last frame and reason of each run. Where runs share a column of the picture, the reason that says
    /// more of doubt is drawn: check, bridged, weak, margin, detected.
    pub spans: Vec<(u64, u64, Why)>,
    /// Least height of the face, in pixels.
    pub min_height_px: u32,
    /// Greatest height of the face, in pixels.
    pub max_height_px: u32,
}

impl TrackRow {
    /// Frames it is hidden in for a reason that `counts`.
    fn frames(&self, counts: impl Fn(Why) -> bool) -> u64 {
        let spans = self.spans.iter().filter(|&&(first, last, why)| first <= last && counts(why));
        spans.fold(0, |sum: u64, &(first, last, _)| sum.saturating_add(last - first).saturating_add(1))
    }

    fn first_frame(&self) -> u64 {
        self.spans.iter().map(|&(first, _, _)| first).min().unwrap_or(0)
    }
}

const WIDTH: u32 = 1000;
/// Where the plots begin, right of the labels, and how wide they are.
const LEFT: u32 = 180;
const PLOT: u32 = 790;
const ROW: u32 = 18;
const BAR: u32 = 13;
const CHART: u32 = 130;
/// Rows of tracks; where there are more, the last stands for all that have none.
const MAX_ROWS: usize = 60;

const STYLE: &str = r##"<style>
text { font-family: "DejaVu Sans", Verdana, Arial, sans-serif; font-size: 12px; fill: #1a1a1a }
.title { font-size: 18px; font-weight: bold }
.head { font-size: 13px; font-weight: bold }
.small { font-size: 11px; fill: #4a4a4a }
.right { text-anchor: end }
.middle { text-anchor: middle }
.grid { stroke: #d9d9d9; stroke-width: 1 }
.axis { stroke: #4a4a4a; stroke-width: 1 }
.edge { fill: none; stroke: #4a4a4a; stroke-width: 0.5 }
.visible { fill: none; stroke: #b00020; stroke-width: 2; stroke-dasharray: 5 3 }
.pale { opacity: 0.4 }
</style>
<defs>
<pattern id="detected" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="#00599c"/></pattern>
<pattern id="weak" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="#9fd0f0"/><path d="M-1 1L1-1M0 6L6 0M5 7L7 5" stroke="#00599c" stroke-width="1.5"/></pattern>
<pattern id="bridged" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="#ffe3a3"/><circle cx="3" cy="3" r="1.6" fill="#8a5000"/></pattern>
<pattern id="margin" width="5" height="4" patternUnits="userSpaceOnUse"><rect width="5" height="4" fill="#f4f4f4"/><path d="M0 2H5" stroke="#777" stroke-width="1"/></pattern>
<pattern id="check" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="#f3c6dd"/><path d="M0 0L6 6M6 0L0 6" stroke="#8c1d5a" stroke-width="1.4"/></pattern>
<pattern id="whole" width="4" height="4" patternUnits="userSpaceOnUse"><rect width="4" height="4" fill="#333"/><path d="M0 4L4 0" stroke="#aaa" stroke-width="0.8"/></pattern>
<pattern id="copied" width="4" height="6" patternUnits="userSpaceOnUse"><rect width="4" height="6" fill="#d5eee5"/><path d="M2 0V6" stroke="#00795a" stroke-width="1.2"/></pattern>
<pattern id="looked" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="#1a1a1a"/></pattern>
<pattern id="many" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="#e4e4e4"/><path d="M0 3H6M3 0V6" stroke="#888" stroke-width="0.8"/></pattern>
</defs>
"##;

/// Draws the picture, 1000 pixels wide.
pub fn timeline_svg(timeline: &Timeline) -> String {
    let mut canvas = Canvas { timeline, body: String::new(), y: 0 };
    canvas.heading();
    canvas.legend();
    let (grid_from, grid_place) = (canvas.y, canvas.body.len());
    canvas.lanes();
    canvas.tracks();
    canvas.area_chart();
    canvas.time_axis(grid_from, grid_place);
    let (height, name) = (canvas.y, escape(&timeline.title));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" lang=\"en\">\n\
         <title>What was hidden in {name}</title>\n{STYLE}\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n{}</svg>\n",
        canvas.body
    )
}

/// The picture as far as it is drawn.
struct Canvas<'t> {
    timeline: &'t Timeline,
    body: String,
    /// Where the next part begins.
    y: u32,
}

impl Canvas<'_> {
    fn text(&mut self, class: &str, x: u32, y: u32, text: &str) {
        self.body.push_str(&format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>\n", escape(text)));
    }

    fn bar(&mut self, (from, to): (f64, f64), y: u32, height: u32, pattern: &str) {
        let width = to - from;
        self.body.push_str(&format!(
            "<rect x=\"{from}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"url(#{pattern})\"/>\n"
        ));
    }

    fn heading(&mut self) {
        let t = self.timeline;
        self.text("title", 20, 32, &shorten(&format!("What was hidden in {}", t.title), 84));
        let covered = t.covered.iter().copied().map(share);
        let mean = covered.clone().sum::<f64>() / (t.covered.len().max(1) as f64);
        let length = if t.seconds > 0.0 { format!(", {:.1} s", t.seconds) } else { String::new() };
        let facts = format!(
            "{}{length}; {}; covered on average {} of the picture, at most {}; {} looked at by the check",
            counted(t.frames, "frame"),
            counted(t.tracks.len() as u64, "track"),
            percent(mean),
            percent(covered.fold(0.0, f64::max)),
            counted(looked_at(&t.checked), "frame"),
        );
        self.text("small", 20, 52, &facts);
        self.y = 66;
    }

    /// What the patterns mean, as far as they occur.
    fn legend(&mut self) {
        let t = self.timeline;
        let occurs = |why| t.tracks.iter().any(|track| track.spans.iter().any(|&(_, _, w)| w == why));
        let reasons = Why::ALL.into_iter().filter(|&why| occurs(why));
        let mut entries: Vec<(Option<&str>, &str)> =
            reasons.map(|why| (Some(why.pattern()), why.label())).collect();
        if t.tracks.iter().any(|track| track.left_visible) {
            entries.push((None, "left visible on purpose"));
        }
        if t.tracks.len() > MAX_ROWS {
            entries.push((Some("many"), "one or more of the others"));
        }
        let mut x = 20;
        for (pattern, label) in entries {
            let width = 30 + 7 * label.len() as u32 + 14;
            if x + width > WIDTH {
                (x, self.y) = (20, self.y + 20);
            }
            if let Some(pattern) = pattern {
                self.bar((x.into(), (x + 24).into()), self.y, BAR, pattern);
            }
            self.edge((x.into(), (x + 24).into()), pattern.is_none());
            self.text("", x + 30, self.y + 11, label);
            x += width;
        }
        self.y += 30;
    }

    /// What happened to frames as a whole: one lane for each that happened at all.
    fn lanes(&mut self) {
        let t = self.timeline;
        let checked: Vec<(u64, u64)> = t.checked.iter().map(|&frame| (frame, frame)).collect();
        let lanes = [
            ("Frames covered whole", "whole", t.whole.as_slice()),
            ("Frames copied", "copied", &t.copied),
            ("Frames checked", "looked", &checked),
        ];
        for (label, pattern, runs) in lanes {
            if runs.is_empty() {
                continue;
            }
            let mut columns = Columns::new(LEFT, PLOT, 2, t.frames);
            runs.iter().for_each(|&(first, last)| columns.paint(first, last, ()));
            self.text("right", LEFT - 10, self.y + 11, label);
            for (from, to, ()) in columns.runs() {
                self.bar((from, to), self.y, BAR, pattern);
            }
            self.y += ROW;
        }
        self.y += 8;
    }

    fn tracks(&mut self) {
        let t = self.timeline;
        self.text("head", 20, self.y + 12, "Tracks");
        self.text("small", 75, self.y + 12, "number, height of the face");
        self.y += 22;
        if t.tracks.is_empty() {
            self.text("small", LEFT, self.y + 8, "No face was found.");
            self.y += ROW;
        }
        let (shown, others) = pick(&t.tracks);
        for track in shown {
            let label = format!("{}: {} px", track.id, range(track.min_height_px, track.max_height_px));
            self.text("right", LEFT - 10, self.y + 11, &label);
            let mut columns = Columns::new(LEFT, PLOT, 2, t.frames);
            track.spans.iter().for_each(|&(first, last, why)| columns.paint(first, last, why));
            // A person left visible is pale: nothing was hidden here.
            let class = if track.left_visible { " class=\"pale\"" } else { "" };
            self.body.push_str(&format!("<g{class}><title>{}</title>\n", escape(&in_words(track))));
            for (from, to, why) in columns.runs() {
                self.bar((from, to), self.y, BAR, why.pattern());
            }
            self.body.push_str("</g>\n");
            if let Some(extent) = columns.extent() {
                self.edge(extent, track.left_visible);
            }
            self.y += ROW;
        }
        if !others.is_empty() {
            self.text("right", LEFT - 10, self.y + 11, &format!("and {} more", others.len()));
            let mut columns = Columns::new(LEFT, PLOT, 2, t.frames);
            for &(first, last, _) in others.iter().flat_map(|track| &track.spans) {
                columns.paint(first, last, ());
            }
            for (from, to, ()) in columns.runs() {
                self.bar((from, to), self.y, BAR, "many");
            }
            self.y += ROW;
        }
        self.y += 12;
    }

    /// A line around a bar; dashed and red where a person stays visible.
    fn edge(&mut self, (from, to): (f64, f64), left_visible: bool) {
        let (class, y, width) = (if left_visible { "visible" } else { "edge" }, self.y, to - from);
        self.body.push_str(&format!(
            "<rect class=\"{class}\" x=\"{from}\" y=\"{y}\" width=\"{width}\" height=\"{BAR}\"/>\n"
        ));
    }

    /// The covered share over time, its greatest value in each pixel column. Frames covered whole would dwarf the
    /// rest; they are a band of their own.
    fn area_chart(&mut self) {
        let t = self.timeline;
        self.text("head", 20, self.y + 12, "Covered area");
        self.text("small", 126, self.y + 12, "share of the picture; the greatest in each column");
        self.y += 26;
        let mut whole = Columns::new(LEFT, PLOT, 1, t.frames);
        t.whole.iter().for_each(|&(first, last)| whole.paint(first, last, ()));
        let mut peaks = Columns::new(LEFT, PLOT, 1, t.frames);
        for (frame, &covered) in (0..).zip(&t.covered) {
            peaks.paint(frame, frame, (share(covered) * 1e6) as u32);
        }
        let points: Vec<(f64, f64)> = peaks
            .columns()
            .zip(whole.columns())
            .filter(|(_, (_, whole))| whole.is_none())
            .filter_map(|((x, peak), _)| Some((x, f64::from(peak?) / 1e6)))
            .collect();
        let scale = Scale::for_share(points.iter().map(|&(_, y)| y).fold(0.0, f64::max));
        let (top, bottom) = (self.y, self.y + CHART);
        let height = |share: f64| f64::from(bottom) - share / scale.top * f64::from(CHART);
        for step in 0..=scale.steps {
            let share = scale.top * f64::from(step) / f64::from(scale.steps);
            let y = height(share);
            self.body.push_str(&format!(
                "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{}\" y2=\"{y:.1}\"/>\n",
                LEFT + PLOT
            ));
            self.text("right", LEFT - 10, y as u32 + 4, &percent(share));
        }
        for (from, to, ()) in whole.runs() {
            self.bar((from, to), top, CHART, "whole");
        }
        // A run of columns is a line of its own; nothing is drawn through a band.
        for run in points.chunk_by(|a, b| b.0 - a.0 < 1.5) {
            let line: Vec<String> = run
                .iter()
                .flat_map(|&(x, share)| [(x, share), (x + 1.0, share)])
                .map(|(x, share)| format!("{x},{:.1}", height(share)))
                .collect();
            self.body.push_str(&format!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"#00599c\" stroke-width=\"1.6\"/>\n",
                line.join(" ")
            ));
        }
        self.y = bottom;
    }

    /// Seconds below, with a faint line at each through all plots: from `grid_from` down, put in at `grid_place`.
    fn time_axis(&mut self, grid_from: u32, grid_place: usize) {
        let t = self.timeline;
        let bottom = self.y;
        self.body.push_str(&format!(
            "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{bottom}\" x2=\"{}\" y2=\"{bottom}\"/>\n",
            LEFT + PLOT
        ));
        if t.seconds > 0.0 && t.seconds.is_finite() {
            let step = nice_step(t.seconds / 10.0);
            let mut lines = String::new();
            for n in 0..=(t.seconds / step + 1e-9) as u32 {
                let (second, x) = (f64::from(n) * step, f64::from(n) * step / t.seconds * f64::from(PLOT));
                let x = f64::from(LEFT) + x;
                lines.push_str(&format!(
                    "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{grid_from}\" x2=\"{x:.1}\" y2=\"{bottom}\"/>\n\
                     <text class=\"middle\" x=\"{x:.1}\" y=\"{}\">{}</text>\n",
                    bottom + 16,
                    (second * 1e3).round() / 1e3
                ));
            }
            // Before the plots, so that bars lie over the lines.
            self.body.insert_str(grid_place, &lines);
            self.text("small middle", LEFT + PLOT / 2, bottom + 34, "seconds");
        } else {
            self.text("small middle", LEFT + PLOT / 2, bottom + 16, "a still picture: no time passes");
        }
        self.y = bottom + 46;
    }
}

/// The rows drawn one by one, by first frame, and those that share the last row: of more than [`MAX_ROWS`] tracks the
/// longest have rows of their own.
fn pick(tracks: &[TrackRow]) -> (Vec<&TrackRow>, Vec<&TrackRow>) {
    let mut shown: Vec<&TrackRow> = tracks.iter().collect();
    let mut others = Vec::new();
    if shown.len() > MAX_ROWS {
        shown.sort_by_key(|track| std::cmp::Reverse(track.frames(|_| true)));
        others = shown.split_off(MAX_ROWS - 1);
    }
    shown.sort_by_key(|track| (track.first_frame(), track.id));
    (shown, others)
}

/// A track's row in words, for readers who hear the picture or point at it.
fn in_words(track: &TrackRow) -> String {
    let reasons: Vec<String> = Why::ALL
        .into_iter()
        .map(|why| (track.frames(|w| w == why), why.label()))
        .filter(|&(n, _)| n > 0)
        .map(|(n, label)| format!("{}: {label}", counted(n, "frame")))
        .collect();
    let left = if track.left_visible { ", left visible on purpose" } else { "" };
    let height = range(track.min_height_px, track.max_height_px);
    format!("Track {}{left}, face {height} pixels high. {}", track.id, reasons.join("; "))
}

/// A covered share as drawn. What is no number is drawn as covered: it was, and how much is unknown.
fn share(covered: f32) -> f64 {
    if covered.is_nan() { 1.0 } else { f64::from(covered.clamp(0.0, 1.0)) }
}

/// The vertical axis: its top, and how many steps lead there.
struct Scale {
    top: f64,
    steps: u32,
}

impl Scale {
    /// The smallest of a few round tops that holds `share`.
    fn for_share(share: f64) -> Self {
        const TOPS: [(f64, u32); 8] =
            [(0.001, 5), (0.002, 4), (0.005, 5), (0.01, 5), (0.02, 4), (0.05, 5), (0.1, 5), (0.25, 5)];
        let small = TOPS.into_iter().find(|&(top, _)| share <= top);
        let (top, steps) = small.unwrap_or(if share <= 0.5 { (0.5, 5) } else { (1.0, 4) });
        Self { top, steps }
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `least`, and at least a millisecond.
fn nice_step(least: f64) -> f64 {
    let power = 10f64.powf(least.max(1e-3).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|&step| step >= least).unwrap_or(10.0 * power)
}

/// How many frames these are: one may be looked at in several rounds.
fn looked_at(checked: &[u64]) -> u64 {
    checked.iter().collect::<std::collections::BTreeSet<_>>().len() as u64
}

fn counted(n: u64, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

fn range(min: u32, max: u32) -> String {
    if min == max { min.to_string() } else { format!("{min} to {max}") }
}

/// A share in percent, with as many digits as are worth reading.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let digits = if percent >= 10.0 || percent == 0.0 {
        0
    } else if percent >= 1.0 {
        1
    } else {
        2
    };
    let text = format!("{percent:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} %")
}

/// At most `limit` characters, the end of a longer text giving way to an ellipsis.
fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 1).chain(['\u{2026}']).collect()
}

/// Text as XML 1.0 can carry it: markup escaped, characters it forbids replaced.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if is_unseen(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node};

    use super::*;

    fn track(id: u64, spans: &[(u64, u64, Why)]) -> TrackRow {
        TrackRow { id, left_visible: false, spans: spans.to_vec(), min_height_px: 20, max_height_px: 40 }
    }

    /// Ten seconds, one track for each reason.
    fn timeline() -> Timeline {
        let tracks = (1..).zip(Why::ALL).map(|(id, why)| track(id, &[(10 * id, 10 * id + 9, why)])).collect();
        let covered = vec![0.01; 250];
        Timeline {
            title: "street.mp4".to_owned(),
            seconds: 10.0,
            frames: 250,
            tracks,
            covered,
            ..Timeline::default()
        }
    }

    fn draw<T>(timeline: &Timeline, look: impl FnOnce(&Document<'_>) -> T) -> T {
        let svg = timeline_svg(timeline);
        let document = Document::parse(&svg).expect(&svg);
        look(&document)
    }

    /// Everything written in the picture.
    fn texts(document: &Document<'_>) -> Vec<String> {
        let texts = document.descendants().filter(|node| node.has_tag_name("text"));
        texts.map(|node| node.text().unwrap().to_owned()).collect()
    }

    /// The picture's bars of one pattern, legend included: left edge and width.
    fn bars(document: &Document<'_>, pattern: &str) -> Vec<(f64, f64)> {
        let fill = format!("url(#{pattern})");
        let number = |node: &Node<'_, '_>, name| node.attribute(name).unwrap().parse::<f64>().unwrap();
        let bars = document.descendants().filter(|node| node.attribute("fill") == Some(&fill));
        bars.map(|bar| (number(&bar, "x"), number(&bar, "width"))).collect()
    }

    #[test]
    fn every_reason_is_drawn_in_its_own_pattern_and_explained() {
        draw(&timeline(), |document| {
            for (id, why) in (1..).zip(Why::ALL) {
                let at = f64::from(LEFT) + f64::from(id * 10 * PLOT) / 250.0;
                let bars = bars(document, why.pattern());
                assert_eq!(bars.len(), 2, "{why:?}: the legend and one bar");
                assert!(
                    (bars[1].0 - at).abs() <= 0.5 && (bars[1].1 - 31.6).abs() <= 1.0,
                    "{why:?}: {bars:?}"
                );
                assert!(texts(document).iter().any(|text| text == why.label()), "{why:?}");
            }
        });
    }

    #[test]
    fn what_does_not_occur_is_not_explained() {
        let timeline = Timeline { tracks: vec![track(1, &[(0, 9, Why::Detected)])], ..timeline() };
        draw(&timeline, |document| {
            assert!(texts(document).iter().any(|text| text == "seen clearly"));
            assert!(!texts(document).iter().any(|text| text == "seen weakly" || text == "Frames copied"));
        });
    }

    #[test]
    fn a_hostile_name_stays_text() {
        let title = "</title><script>alert(1)</script>&\"'\u{0}\u{1b}\u{fffe}é".to_owned();
        draw(&Timeline { title, ..timeline() }, |document| {
            assert!(!document.descendants().any(|node| node.has_tag_name("script")));
            let shown = "What was hidden in </title><script>alert(1)</script>&\"'\u{fffd}\u{fffd}\u{fffd}é";
            assert!(texts(document).iter().any(|text| text == shown));
        });
    }

    #[test]
    fn a_long_name_is_cut_where_it_would_leave_the_picture() {
        draw(&Timeline { title: "ä".repeat(300), ..timeline() }, |document| {
            let title = texts(document).swap_remove(0);
            assert_eq!((title.chars().count(), title.chars().last()), (84, Some('…')));
        });
    }

    #[test]
    fn of_many_tracks_the_longest_have_rows_and_the_rest_share_one() {
        let tracks = (0..1_000).map(|id| track(id, &[(0, id, Why::Detected)])).collect();
        draw(&Timeline { tracks, frames: 1_000, ..timeline() }, |document| {
            let rows: Vec<String> =
                texts(document).into_iter().filter(|text| text.ends_with(" px")).collect();
            assert_eq!(rows.len(), MAX_ROWS - 1);
            assert!(rows[0].starts_with("941:") && rows[58].starts_with("999:"), "{rows:?}");
            assert!(texts(document).iter().any(|text| text == "and 941 more"));
        });
    }

    #[test]
    fn a_frame_checked_in_two_rounds_is_one_frame() {
        let t = Timeline { frames: 250, checked: (0..250).chain([7, 7, 9]).collect(), ..timeline() };
        draw(&t, |document| {
            let told = texts(document).join(" ");
            assert!(told.contains("250 frames looked at by the check"), "{told}");
        });
    }

    #[test]
    fn tracks_stand_by_first_frame_then_number_whatever_order_they_came_in() {
        let spans = |first| [(first, first + 5, Why::Detected)];
        let mut t = timeline();
        t.tracks = [(9, 3), (2, 80), (4, 3), (1, 40)].map(|(id, first)| track(id, &spans(first))).into();
        // A run that was told late.
        t.tracks[1].spans.push((0, 0, Why::Check));
        draw(&t, |document| {
            let labels = texts(document).into_iter().filter(|text| text.ends_with(" px"));
            let ids: Vec<String> = labels.map(|l| l.split(':').next().unwrap().to_owned()).collect();
            assert_eq!(ids, ["2", "4", "9", "1"]);
        });
    }

    #[test]
    fn a_day_of_video_makes_a_picture_of_bounded_size() {
        let frames = 24 * 3600 * 25;
        let spans = |id| {
            (0..frames / 40).map(|n| (40 * n + id, 40 * n + id + 20, Why::ALL[n as usize % 5])).collect()
        };
        let tracks = (0..80).map(|id| TrackRow { spans: spans(id), ..track(id, &[]) }).collect();
        let covered = (0..frames).map(|n| (n % 100) as f32 / 100.0).collect();
        let svg = timeline_svg(&Timeline { frames, seconds: 86_400.0, tracks, covered, ..timeline() });
        assert!(svg.len() < 12_000_000, "{} bytes", svg.len());
        assert!(Document::parse(&svg).is_ok());
    }

    #[test]
    fn someone_left_visible_is_marked() {
        let mut timeline = timeline();
        timeline.tracks[0].left_visible = true;
        draw(&timeline, |document| {
            let marked = document.descendants().filter(|node| node.attribute("class") == Some("visible"));
            assert_eq!(marked.count(), 2, "the legend and the track");
        });
    }

    #[test]
    fn the_area_is_read_off_its_axis() {
        let mut timeline = Timeline { whole: vec![(100, 101)], ..timeline() };
        timeline.covered[100..102].fill(1.0);
        timeline.covered[200] = 0.018;
        draw(&timeline, |document| {
            assert!(
                texts(document).iter().any(|text| text == "2 %"),
                "frames covered whole do not stretch the axis"
            );
            let lines: Vec<&str> =
                document.descendants().filter_map(|node| node.attribute("points")).collect();
            assert_eq!(lines.len(), 2, "the line is broken where the picture was covered whole");
            let heights =
                lines[1].split(' ').map(|point| point.split_once(',').unwrap().1.parse::<f64>().unwrap());
            let (top, rest) = (heights.clone().fold(f64::MAX, f64::min), heights.fold(0.0, f64::max));
            assert!((rest - top - 0.008 / 0.02 * f64::from(CHART)).abs() < 0.2, "{top} above {rest}");
            assert!(texts(document)[1].contains("covered on average 1.8 % of the picture, at most 100 %"));
        });
    }

    #[test]
    fn odd_input_is_drawn_all_the_same() {
        let still = Timeline { seconds: 0.0, frames: 1, covered: vec![0.2], ..timeline() };
        let odd =
            Timeline { seconds: f64::NAN, covered: vec![f32::NAN, -1.0, 7.0, f32::INFINITY], ..timeline() };
        let end =
            TrackRow { spans: vec![(u64::MAX, u64::MAX, Why::Weak), (9, 3, Why::Check)], ..track(7, &[]) };
        let wild = Timeline { frames: 0, seconds: 1e300, tracks: vec![end], ..timeline() };
        for timeline in [still, odd, wild, Timeline::default()] {
            draw(&timeline, |document| assert!(texts(document).len() > 3));
        }
    }

    #[test]
    fn steps_of_time_are_round() {
        for (least, step) in
            [(0.9, 1.0), (1.0, 1.0), (1.1, 2.0), (3.0, 5.0), (6.0, 10.0), (60.0, 100.0), (0.04, 0.05)]
        {
            assert!((nice_step(least) - step).abs() < 1e-9, "{least}: {}", nice_step(least));
        }
    }
}
