//! `placet-leak`: make clips with known truth, score a redactor's output, print the tables.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use placet_leak::plan::{self, Amount, CLASSES};
use placet_leak::render::Stage;
use placet_leak::report::{self, Report};
use placet_leak::truth::Truth;
use placet_leak::{Error, footage, score, video};

/// Clips with known truth, and what a redactor's output still shows of it.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make the clips and their truth files.
    Make {
        /// Folder that `bench/fetch` filled.
        #[arg(long)]
        data: PathBuf,
        /// Folder for NAME.mp4 and NAME.jsonl.
        #[arg(long)]
        out: PathBuf,
        /// A few short clips for trying out.
        #[arg(long)]
        quick: bool,
    },
    /// Score outputs (faces filled with black) against truth files.
    Score {
        /// A truth file, or a folder of them.
        #[arg(long)]
        truth: PathBuf,
        /// The output video, or the folder with NAME.mp4 for each NAME.jsonl (NAME.withheld where the tool refused).
        #[arg(long)]
        output: PathBuf,
        /// What to call the tool in tables.
        #[arg(long)]
        label: String,
        /// Where to write the report as JSON.
        #[arg(long)]
        json: PathBuf,
    },
    /// Print reports side by side as Markdown.
    Table {
        /// Reports that `score` wrote.
        #[arg(required = true)]
        reports: Vec<PathBuf>,
    },
    /// Draw truth over one frame of a video, to look at: green covered, red exposed, grey not counted.
    Show {
        /// The truth file.
        #[arg(long)]
        truth: PathBuf,
        /// The clip or a tool's output of it.
        #[arg(long)]
        video: PathBuf,
        /// Which frame, from 0.
        #[arg(long)]
        frame: u32,
        /// The PNG to write.
        #[arg(long)]
        out: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Args::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            let mut text = err.to_string();
            let mut cause = std::error::Error::source(&err);
            while let Some(c) = cause {
                text.push_str(&format!(": {c}"));
                cause = c.source();
            }
            eprintln!("placet-leak: {text}");
            ExitCode::from(2)
        }
    }
}

fn run(verb: Verb) -> Result<(), Error> {
    match verb {
        Verb::Make { data, out, quick } => {
            make(&data, &out, if quick { Amount::Quick } else { Amount::Full })
        }
        Verb::Score { truth, output, label, json } => {
            let mut scores = Vec::new();
            for (truth, video) in pairs(&truth, &output)? {
                scores.push(match video {
                    Some(video) => score::score(&truth, &video)?,
                    None => score::withheld(&truth),
                });
            }
            let text = serde_json::to_string_pretty(&Report::new(label, scores))
                .map_err(|source| Error::Json { path: json.clone(), line: 0, source })?;
            std::fs::write(&json, text).map_err(Error::file(&json))
        }
        Verb::Table { reports } => {
            let read = |path: &PathBuf| {
                let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
                serde_json::from_str(&text).map_err(|source| Error::Json {
                    path: path.clone(),
                    line: 0,
                    source,
                })
            };
            let reports: Vec<Report> = reports.iter().map(read).collect::<Result<_, _>>()?;
            print!("{}", report::markdown(&reports));
            Ok(())
        }
        Verb::Show { truth, video, frame, out } => show(&Truth::read(&truth)?, &video, frame, &out),
    }
}

fn make(data: &Path, out: &Path, amount: Amount) -> Result<(), Error> {
    std::fs::create_dir_all(out).map_err(Error::file(out))?;
    let stage = Stage::open(data)?;
    let plans = plan::clips(&stage.cutouts, amount);
    let want = amount.least_tracks();
    for class in CLASSES {
        let actors = plans.iter().flat_map(|p| &p.segments).flat_map(|s| &s.actors);
        let got = actors.filter(|a| a.class == class).count();
        if got < want {
            return Err(Error::TooFew { class, got, want });
        }
    }
    for clip in &plans {
        let truth = plan::truth_of(clip, &stage.cutouts);
        let mut encoder =
            video::Encoder::start(&out.join(format!("{}.mp4", clip.name)), clip.size, plan::RATE, clip.crf)?;
        stage.render(clip, |yuv| encoder.frame(yuv))?;
        encoder.finish()?;
        truth.write(&out.join(format!("{}.jsonl", clip.name)))?;
        eprintln!("{}: {} frames, {} faces", clip.name, truth.clip.frames, truth.faces.len());
    }
    if amount == Amount::Full {
        for table in footage::tables()? {
            table.make(data, &out.join(format!("{}.mp4", table.clip)))?;
            table.truth().write(&out.join(format!("{}.jsonl", table.clip)))?;
            eprintln!("{}: {} frames of real footage", table.clip, table.frames);
        }
    }
    Ok(())
}

/// Each truth with the video to score; none for the video where the tool withheld it.
fn pairs(truth: &Path, output: &Path) -> Result<Vec<(Truth, Option<PathBuf>)>, Error> {
    if truth.is_file() {
        return Ok(vec![(Truth::read(truth)?, Some(output.into()))]);
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(truth).map_err(Error::file(truth))? {
        let path = entry.map_err(Error::file(truth))?.path();
        if path.extension().is_some_and(|e| e == "jsonl") {
            names.push(path);
        }
    }
    names.sort();
    names
        .iter()
        .map(|path| {
            let truth = Truth::read(path)?;
            let withheld = output.join(format!("{}.withheld", truth.clip.clip)).exists();
            let video = output.join(format!("{}.mp4", truth.clip.clip));
            Ok((truth, (!withheld).then_some(video)))
        })
        .collect()
}

fn show(truth: &Truth, path: &Path, frame: u32, out: &Path) -> Result<(), Error> {
    let (width, height) = (truth.clip.width, truth.clip.height);
    let size = placet_core::Size { width, height };
    let mut picture: Option<image::RgbImage> = None;
    video::decode(path, (width, height), |idx, yuv| {
        if idx == frame {
            let luma = yuv.get(..size.area() as usize).unwrap_or_default();
            picture = Some(overlay(truth, frame, luma, size, yuv));
        }
        Ok(())
    })?;
    let picture =
        picture.ok_or_else(|| Error::Mismatch { path: path.into(), what: format!("no frame {frame}") })?;
    picture.save(out).map_err(|source| Error::Picture { path: out.into(), source })
}

fn overlay(truth: &Truth, frame: u32, luma: &[u8], size: placet_core::Size, yuv: &[u8]) -> image::RgbImage {
    let (w, h) = (size.width, size.height);
    let chroma = |x: u32, y: u32, plane: usize| {
        let at = (w * h) as usize + plane * (w * h / 4) as usize + ((y / 2) * (w / 2) + x / 2) as usize;
        f32::from(yuv.get(at).copied().unwrap_or(128)) - 128.0
    };
    let mut picture = image::RgbImage::from_fn(w, h, |x, y| {
        let l = 1.164 * (f32::from(luma.get((y * w + x) as usize).copied().unwrap_or(0)) - 16.0);
        let (b, r) = (chroma(x, y, 0), chroma(x, y, 1));
        let rgb = [l + 1.596 * r, l - 0.392 * b - 0.813 * r, l + 2.017 * b];
        image::Rgb(rgb.map(|v| v.clamp(0.0, 255.0) as u8))
    });
    for face in truth.faces.iter().filter(|f| f.frame == frame) {
        let color = match score::covered_share(face, luma, size) {
            _ if face.visible <= score::LEAST_VISIBLE => [150, 150, 150],
            Some(share) if share >= score::LEAST_COVERED => [0, 255, 0],
            _ => [255, 0, 0],
        };
        let mut ring = |oval: placet_leak::shape::Oval, color: [u8; 3]| {
            let (sin, cos) = oval.angle.to_radians().sin_cos();
            for step in 0..720 {
                let (v, u) = (step as f32 / 720.0 * std::f32::consts::TAU).sin_cos();
                let (dx, dy) = (u * oval.w / 2.0, v * oval.h / 2.0);
                let (x, y) = (oval.cx + dx * cos - dy * sin, oval.cy + dx * sin + dy * cos);
                if x >= 0.0 && y >= 0.0 && (x as u32) < w && (y as u32) < h {
                    picture.put_pixel(x as u32, y as u32, image::Rgb(color));
                }
            }
        };
        ring(face.face, color);
        face.occluders.iter().for_each(|o| ring(o.oval(), [255, 255, 0]));
    }
    picture
}
