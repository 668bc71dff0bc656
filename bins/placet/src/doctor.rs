//! `placet doctor`: what works here, what is missing, and the command that mends it.

use std::path::Path;

use placet_ingest::Tools;
use placet_job::{Models, chain};
use placet_settings::Config;
use placet_sys::sandbox;
use placet_vision::models;
use serde::Serialize;

use crate::args::DoctorArgs;
use crate::exit::Exit;
use crate::{Failure, places};

/// One finding.
#[derive(Serialize)]
struct Finding {
    what: String,
    ok: bool,
    /// Something works without it.
    optional: bool,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

fn good(what: &str, found: impl Into<String>) -> Finding {
    Finding { what: what.to_owned(), ok: true, optional: false, found: found.into(), fix: None }
}

fn bad(what: &str, found: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding { what: what.to_owned(), ok: false, optional: false, found: found.into(), fix: Some(fix.into()) }
}

/// Runs the verb.
pub fn run(args: &DoctorArgs) -> Result<Exit, Failure> {
    let mut all = vec![processor()];
    all.extend(tools());
    all.push(kernel());
    all.extend(detectors(args));
    all.push(key());
    if let Some(file) = &args.config {
        all.extend(configured(file)?);
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&all).map_err(Failure::internal)?);
    } else {
        for f in &all {
            let mark = match (f.ok, f.optional) {
                (true, _) => "ok      ",
                (false, true) => "note    ",
                (false, false) => "MISSING ",
            };
            println!("{mark} {:<22} {}", f.what, f.found);
            if let Some(fix) = &f.fix {
                println!("         {:<22} -> {fix}", "");
            }
        }
    }
    Ok(if all.iter().all(|f| f.ok || f.optional) { Exit::Done } else { Exit::Unavailable })
}

fn processor() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    #[cfg(target_arch = "x86_64")]
    {
        let features = [
            ("avx2", std::is_x86_feature_detected!("avx2")),
            ("fma", std::is_x86_feature_detected!("fma")),
            ("avx512f", std::is_x86_feature_detected!("avx512f")),
        ];
        let have: Vec<&str> = features.iter().filter(|(_, on)| *on).map(|(n, _)| *n).collect();
        let found =
            format!("{cores} cores, {}", if have.is_empty() { "no AVX2".to_owned() } else { have.join(" ") });
        if features.iter().take(2).all(|(_, on)| *on) {
            good("processor", found)
        } else {
            Finding {
                optional: true,
                ..bad("processor", found, "it works, several times slower than with AVX2")
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        bad("processor", format!("{cores} cores, not x86-64"), "the pinned runtime is for x86-64 alone")
    }
}

fn tools() -> Vec<Finding> {
    let encoders = |t: &Tools| {
        let out = std::process::Command::new(t.ffmpeg()).args(["-v", "quiet", "-encoders"]).output();
        let text = out.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
        [("H.264", "libx264"), ("H.265", "libx265"), ("VP9", "libvpx-vp9"), ("AV1", "libsvtav1")]
            .into_iter()
            .filter(|(_, name)| text.contains(name))
            .map(|(codec, _)| codec)
            .collect::<Vec<_>>()
            .join(", ")
    };
    match Tools::find() {
        Ok(t) => {
            let can = encoders(&t);
            let h264 = can.contains("H.264");
            let ffmpeg = good("ffmpeg", format!("{} ({})", t.ffmpeg_version(), t.ffmpeg().display()));
            let enc = if h264 {
                good("encoders", can)
            } else {
                bad(
                    "encoders",
                    format!("no H.264 among: {can}"),
                    "apt-get install ffmpeg (Debian's has libx264)",
                )
            };
            vec![ffmpeg, enc]
        }
        Err(e) => vec![bad("ffmpeg", chain(&e), "apt-get install ffmpeg")],
    }
}

fn kernel() -> Finding {
    let offer = sandbox::probe();
    let landlock = offer.landlock.map_or_else(|| "no Landlock".to_owned(), |v| format!("Landlock ABI {v}"));
    let found = format!("{landlock}, {}", if offer.seccomp { "seccomp" } else { "no seccomp" });
    if offer.suffices() {
        good("sandbox", found)
    } else {
        bad(
            "sandbox",
            found,
            "a kernel from 5.13 on, started with lsm=landlock,… and seccomp; decoders do not run without",
        )
    }
}

fn detectors(args: &DoctorArgs) -> Vec<Finding> {
    let dir = places::models(args.models.as_deref());
    let fix = "placet models install";
    let mut all: Vec<Finding> = models::status(&dir)
        .into_iter()
        .map(|m| match (m.present, m.digest_ok) {
            (true, true) => good(m.name, m.path.display().to_string()),
            (true, false) => bad(m.name, format!("{} is not the pinned file", m.path.display()), fix),
            (false, _) => bad(m.name, format!("not in {}", dir.display()), fix),
        })
        .collect();
    if all.iter().all(|f| f.ok) {
        all.push(match Models::open(&dir).and_then(|m| m.self_test()) {
            Ok(()) => good("detectors", "both run"),
            Err(e) => bad("detectors", chain(&e), fix),
        });
    }
    all
}

/// The cameras of a configuration, each read for some seconds.
fn configured(file: &Path) -> Result<Vec<Finding>, Failure> {
    let config = match Config::load(file) {
        Ok(config) => config,
        Err(problems) => {
            return Ok(problems
                .iter()
                .map(|p| bad("configuration", p.to_string(), format!("mend {}", file.display())))
                .collect());
        }
    };
    let mut all = Vec::new();
    for camera in &config.disabled {
        let mend = || format!("mend {}", file.display());
        all.extend(camera.problems.iter().map(|p| bad(&camera.name, p.to_string(), mend())));
    }
    for (name, tried) in crate::cameras::try_all(&config.cameras)? {
        let words = crate::progress::printable(&tried.words());
        all.push(match tried.fix() {
            None if tried.well() => good(&name, words),
            fix => bad(&name, words, fix.unwrap_or_else(|| "placet camera try URL says more".to_owned())),
        });
    }
    Ok(all)
}

fn key() -> Finding {
    let path = places::own_key();
    if !path.exists() {
        return Finding {
            optional: true,
            ..bad("manifest key", "none yet", "made at the first use, or now: placet key new")
        };
    }
    match crate::keys::read(&path) {
        Ok(k) => good("manifest key", k.verifier_key().to_string()),
        Err(e) => bad("manifest key", chain(&e), format!("see {}", path.display())),
    }
}
