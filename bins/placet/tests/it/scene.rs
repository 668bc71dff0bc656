//! Clips and pictures with one real face at known places, and the measure of whether a frame shows it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use placet_core::Codec;

use crate::world::{World, tool};

/// 160 by 160 pixels, a face among its surroundings (see the `SOURCES.md` beside it).
pub const FACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/vision/tests/data/astronaut.png");
/// Where in it the face is: x, y, width, height.
const BOX: (f64, f64, f64, f64) = (50.6, 27.4, 59.3, 72.1);

/// A clip: one face moving over a background.
#[derive(Clone, Copy)]
pub struct Scene {
    pub size: (u32, u32),
    pub frames: u32,
    pub rate: &'static str,
    /// A lavfi source without size, rate and length.
    pub background: &'static str,
    /// Upper left corner of the face picture in the first frame, and its way from frame to frame.
    pub at: (i32, i32),
    pub step: (i32, i32),
}

/// One second of 320 by 240.
pub const SMALL: Scene =
    Scene { size: (320, 240), frames: 25, rate: "25", background: "testsrc2", at: (8, 40), step: (4, 0) };

/// The same with a face that stays where it is.
pub const STILL: Scene = Scene { at: (80, 40), step: (0, 0), ..SMALL };

impl Scene {
    /// Makes the clip. `words` are encoder options; inputs 0 to 2 are background, face and a tone.
    pub fn film(&self, world: &World, name: &str, words: &str) -> PathBuf {
        self.film_through(world, name, "null", &format!("-map [v] {words}"))
    }

    /// The same with sound.
    pub fn film_with_tone(&self, world: &World, name: &str, words: &str) -> PathBuf {
        self.film_through(world, name, "null", &format!("-map [v] -map 2:a {words}"))
    }

    /// Makes the clip with `filter` applied to the composed picture.
    pub fn film_through(&self, world: &World, name: &str, filter: &str, words: &str) -> PathBuf {
        let path = world.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let dir = world.path("");
        let ((w, h), (x, y), (dx, dy)) = (self.size, self.at, self.step);
        let between = if self.background.contains('=') { ':' } else { '=' };
        let seconds = f64::from(self.frames) / rate(self.rate);
        let background = format!("{}{between}s={w}x{h}:r={}", self.background, self.rate);
        // Even places, so that the chroma of the face stays its own.
        let graph = format!(
            "[0]format=yuv420p,trim=end_frame={}[b];[1]format=yuv420p[f];\
             [b][f]overlay=x='{x}+{dx}*n':y='{y}+{dy}*n':eval=frame,{filter}[v]",
            self.frames
        );
        let tone = format!("sine=frequency=440:duration={seconds}");
        let mut args: Vec<String> = [
            "-v",
            "error",
            "-nostdin",
            "-y",
            "-f",
            "lavfi",
            "-i",
            &background,
            "-i",
            FACE,
            "-f",
            "lavfi",
            "-i",
            &tone,
        ]
        .map(str::to_owned)
        .into();
        args.extend(["-filter_complex".into(), graph]);
        args.extend(words.split_whitespace().map(|w| w.replace("{}", dir.to_str().unwrap())));
        args.push(path.to_str().unwrap().to_owned());
        tool("ffmpeg", &args.iter().map(String::as_str).collect::<Vec<_>>());
        path
    }

    /// The box of the face in frame `n`: x, y, width, height.
    pub fn truth(&self, n: usize) -> (f64, f64, f64, f64) {
        let place = |at: i32, step: i32, offset: f64| f64::from(at) + f64::from(step) * n as f64 + offset;
        (place(self.at.0, self.step.0, BOX.0), place(self.at.1, self.step.1, BOX.1), BOX.2, BOX.3)
    }
}

fn rate(text: &str) -> f64 {
    let (num, den) = text.split_once('/').unwrap_or((text, "1"));
    num.parse::<f64>().unwrap() / den.parse::<f64>().unwrap()
}

/// The coded pictures of a raw stream, and whether each decodes alone.
pub fn coded_pictures(stream: &[u8], codec: Codec, world: &World) -> Vec<(Vec<u8>, bool)> {
    let path = world.write("raw-stream", stream);
    let format = match codec {
        Codec::H264 => "h264",
        Codec::H265 => "hevc",
        Codec::Jpeg => "mjpeg",
    };
    let args = ["-v", "error", "-f", format, "-show_entries", "packet=pos,size,flags", "-of", "csv=p=0"];
    let out = tool("ffprobe", &[&args[..], &[path.to_str().unwrap()]].concat());
    std::fs::remove_file(&path).unwrap();
    let text = String::from_utf8(out).unwrap();
    let frame = |line: &str| {
        let words: Vec<&str> = line.split(',').collect();
        let (size, pos): (usize, usize) = (words[0].parse().unwrap(), words[1].parse().unwrap());
        (stream[pos..pos + size].to_vec(), words[2].contains('K'))
    };
    text.lines().map(frame).collect()
}

/// Runs ffmpeg in the world's folder; `{}` stands for it.
pub fn ffmpeg(world: &World, words: &str) {
    let dir = world.path("");
    let words: Vec<String> =
        words.split_whitespace().map(|w| w.replace("{}/", dir.to_str().unwrap())).collect();
    let mut args = vec!["-v", "error", "-nostdin", "-y"];
    args.extend(words.iter().map(String::as_str));
    tool("ffmpeg", &args);
}

/// What ffprobe says of `entries`, one line each.
pub fn ffprobe(path: &Path, entries: &str) -> String {
    let out =
        tool("ffprobe", &["-v", "error", "-of", "csv=p=0", "-show_entries", entries, path.to_str().unwrap()]);
    String::from_utf8(out).unwrap().trim().to_owned()
}

/// Seconds from the first frame to each frame, ascending.
pub fn times(path: &Path) -> Vec<f64> {
    let out = tool(
        "ffprobe",
        &[
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-of",
            "csv=p=0",
            "-show_entries",
            "packet=pts_time,flags",
            path.to_str().unwrap(),
        ],
    );
    let text = String::from_utf8(out).unwrap();
    let mut times: Vec<f64> = text
        .lines()
        .filter(|l| !l.split(',').nth(1).is_some_and(|f| f.contains('D')))
        .filter_map(|l| l.split(',').next()?.parse().ok())
        .collect();
    times.sort_by(f64::total_cmp);
    let first = times.first().copied().unwrap_or_default();
    times.iter().map(|t| t - first).collect()
}

/// One digest for each sound stream's packets, as they are stored.
pub fn sound(path: &Path) -> Vec<String> {
    if ffprobe(path, "stream=codec_type").lines().all(|l| l.trim_matches(',') != "audio") {
        return Vec::new();
    }
    let out = tool(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-nostdin",
            "-i",
            path.to_str().unwrap(),
            "-map",
            "0:a",
            "-c",
            "copy",
            "-f",
            "streamhash",
            "-hash",
            "md5",
            "-",
        ],
    );
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

/// A decoded frame: RGB, three bytes a pixel.
pub struct Shot {
    pub width: usize,
    pub height: usize,
    rgb: Vec<u8>,
}

/// All frames as a player shows them, turned upright where the file says so.
pub fn shots(path: &Path) -> Vec<Shot> {
    let size = tool(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-nostdin",
            "-i",
            path.to_str().unwrap(),
            "-map",
            "0:v:0",
            "-frames:v",
            "1",
            "-c:v",
            "ppm",
            "-f",
            "image2pipe",
            "-",
        ],
    );
    let header = String::from_utf8_lossy(&size[..size.len().min(32)]).into_owned();
    let mut numbers = header.split_whitespace().skip(1).map_while(|n| n.parse::<usize>().ok());
    let (Some(width), Some(height)) = (numbers.next(), numbers.next()) else { return Vec::new() };
    // What is decodable of a damaged input is wanted too, so ffmpeg's own verdict is not asked.
    let out = std::process::Command::new("ffmpeg")
        .args([
            "-v",
            "quiet",
            "-nostdin",
            "-i",
            path.to_str().unwrap(),
            "-map",
            "0:v:0",
            "-fps_mode",
            "passthrough",
        ])
        .args(["-s", &format!("{width}x{height}"), "-pix_fmt", "rgb24", "-f", "rawvideo", "-"])
        .output()
        .unwrap()
        .stdout;
    out.chunks_exact(width * height * 3).map(|c| Shot { width, height, rgb: c.to_vec() }).collect()
}

impl Shot {
    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// The share of pixels of a rectangle that are within `tolerance` of a color, in the ellipse it holds or all of it.
    pub fn share_of(&self, color: [u8; 3], rect: (f64, f64, f64, f64), ellipse: bool, tolerance: u8) -> f64 {
        let (x, y, w, h) = rect;
        let (mut all, mut same) = (0u32, 0u32);
        for py in y.ceil().max(0.0) as usize..((y + h) as usize).min(self.height) {
            for px in x.ceil().max(0.0) as usize..((x + w) as usize).min(self.width) {
                let (u, v) = ((px as f64 + 0.5 - x) / w - 0.5, (py as f64 + 0.5 - y) / h - 0.5);
                if ellipse && u * u + v * v > 0.25 {
                    continue;
                }
                all += 1;
                let near = self.pixel(px, py).iter().zip(color).all(|(a, b)| a.abs_diff(b) <= tolerance);
                same += u32::from(near);
            }
        }
        f64::from(same) / f64::from(all.max(1))
    }

    /// Whether all of it is one color, as a frame that is covered whole is.
    pub fn is_plain(&self) -> bool {
        self.share_of(self.pixel(0, 0), (0.0, 0.0, self.width as f64, self.height as f64), false, 24) > 0.999
    }

    /// Whether the face of [`FACE`] is to be seen anywhere at its own size: the greatest correlation of brightness
    /// over all places, a third as fine.
    pub fn shows_face(&self) -> bool {
        self.likeness() > 0.8
    }

    /// That correlation, -1 to 1.
    pub fn likeness(&self) -> f64 {
        let face = face();
        let here = self.coarse();
        let mut best = -1.0f64;
        for y in 0..(here.height + 1).saturating_sub(face.height) {
            for x in 0..(here.width + 1).saturating_sub(face.width) {
                best = best.max(here.correlation(face, x, y));
            }
        }
        best
    }

    fn coarse(&self) -> Coarse {
        let (width, height) = (self.width / 3, self.height / 3);
        let light = |x: usize, y: usize| {
            let [r, g, b] = self.pixel(x, y).map(f64::from);
            0.3 * r + 0.59 * g + 0.11 * b
        };
        let cell = |i: usize| {
            let (x, y) = (i % width * 3, i / width * 3);
            (0..9).map(|k| light(x + k % 3, y + k / 3)).sum::<f64>() / 9.0
        };
        Coarse { width, height, light: (0..width * height).map(cell).collect() }
    }
}

/// Brightness, a third as fine.
struct Coarse {
    width: usize,
    height: usize,
    light: Vec<f64>,
}

impl Coarse {
    /// Pearson's correlation of `part` with what is at (x, y).
    fn correlation(&self, part: &Coarse, x: usize, y: usize) -> f64 {
        let n = (part.width * part.height) as f64;
        let (mut a, mut b, mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for row in 0..part.height {
            let here = &self.light[(y + row) * self.width + x..][..part.width];
            let there = &part.light[row * part.width..][..part.width];
            for (p, q) in here.iter().zip(there) {
                a += p;
                b += q;
                aa += p * p;
                bb += q * q;
                ab += p * q;
            }
        }
        let (va, vb) = (aa - a * a / n, bb - b * b / n);
        // A flat patch is like nothing.
        if va < n || vb < n { 0.0 } else { (ab - a * b / n) / (va * vb).sqrt() }
    }
}

/// The face itself, from eyebrows to chin.
fn face() -> &'static Coarse {
    static PART: OnceLock<Coarse> = OnceLock::new();
    PART.get_or_init(|| {
        let all = shots(Path::new(FACE)).remove(0).coarse();
        let (x, y, width, height) = (18, 11, 18, 21);
        let light =
            (0..width * height).map(|i| all.light[(y + i / width) * all.width + x + i % width]).collect();
        Coarse { width, height, light }
    })
}

/// The color that tests paint faces with, far from skin.
pub const GREEN: [u8; 3] = [0, 255, 0];
/// The words that ask for it.
pub const IN_GREEN: &str = "--replacewith solid --color 00ff00";

/// Checks that in every frame of `output` the face of `scene` is under [`GREEN`], and that `input` shows it.
pub fn assert_hidden(scene: &Scene, input: &Path, output: &Path) {
    let (before, after) = (shots(input), shots(output));
    let name = input.display();
    assert_eq!((before.len(), after.len()), (scene.frames as usize, scene.frames as usize), "{name}: frames");
    for (n, (b, a)) in before.iter().zip(&after).enumerate() {
        assert_eq!((b.width, b.height), (a.width, a.height), "{name}: size");
        assert!(b.shows_face(), "{name}: frame {n} of the input shows no face: {}", b.likeness());
        let hidden = a.share_of(GREEN, scene.truth(n), true, 90);
        assert!(hidden > 0.97, "{name}: frame {n}: {hidden} of the face is hidden");
        assert!(!a.shows_face(), "{name}: frame {n} shows the face: {}", a.likeness());
    }
}

/// Checks that frames come at the same times, to within `tolerance` seconds.
pub fn assert_same_times(input: &Path, output: &Path, tolerance: f64) {
    let (before, after) = (times(input), times(output));
    assert_eq!(before.len(), after.len(), "{}", input.display());
    for (b, a) in before.iter().zip(&after) {
        assert!((a - b).abs() <= tolerance, "{}: a frame at {b} s is at {a} s", input.display());
    }
}
