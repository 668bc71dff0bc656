//! What a run leaves beside its result on request: the picture of `--explain`, the clip of `--compare`.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Failure;

/// Whether this name asks for a PNG.
fn wants_png(file: &Path) -> bool {
    file.extension().is_some_and(|e| e.eq_ignore_ascii_case("png"))
}

/// Whether `file` can be drawn here; asked before the work.
pub fn can_draw(file: &Path) -> Result<(), Failure> {
    if !wants_png(file) {
        return Ok(());
    }
    let quiet = [Stdio::null(), Stdio::null(), Stdio::null()];
    let [stdin, stdout, stderr] = quiet;
    let mut command = Command::new("rsvg-convert");
    match command.arg("--version").stdin(stdin).stdout(stdout).stderr(stderr).status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Failure::Unavailable(
            "a PNG needs rsvg-convert (`apt-get install librsvg2-bin`); a name ending in .svg needs nothing"
                .to_owned(),
        )),
    }
}

/// The drawing as `file` shall hold it: the SVG, or a PNG of it where the name ends so.
pub fn drawn(svg: String, file: &Path) -> Result<Vec<u8>, Failure> {
    if wants_png(file) { rasterised(svg) } else { Ok(svg.into_bytes()) }
}

fn rasterised(svg: String) -> Result<Vec<u8>, Failure> {
    let broken = |e| Failure::Io("rsvg-convert".to_owned(), e);
    let mut child = Command::new("rsvg-convert")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(broken)?;
    let pipes = child.stdin.take().zip(child.stdout.take());
    let (mut stdin, mut stdout) =
        pipes.ok_or_else(|| Failure::internal("a pipe that was asked for is missing"))?;
    let feeder = std::thread::spawn(move || stdin.write_all(svg.as_bytes()));
    let mut png = Vec::new();
    stdout.read_to_end(&mut png).map_err(broken)?;
    let status = child.wait().map_err(broken)?;
    let fed = feeder.join().is_ok_and(|r| r.is_ok());
    if status.success() && fed { Ok(png) } else { Err(Failure::Failed("rsvg-convert failed".to_owned())) }
}
