use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use placet_core::Pts;

use super::probe::{INPUT_OPTIONS, file_at, input_args, probe};
use super::{MediaInfo, Packet, ProbeError};
use crate::Tools;
use crate::child::{Child, Failure, Job, Program};

/// A packet has at least a byte, and no file we meet has more than this many.
const MOST: usize = 50_000_000;
const PATIENCE: Duration = Duration::from_secs(60);

/// The packets of the video stream in the order they are stored, read without decoding.
///
/// # Errors
/// Where the file cannot be read through.
pub fn packets(tools: &Tools, info: &MediaInfo) -> Result<Vec<Packet>, ProbeError> {
    let all = read(tools, &info.path, &info.video.index.to_string(), &AtomicBool::new(false))?;
    Ok(of_stream(all, info.video.index))
}

/// [`probe`] and [`packets`] at once: each waits for a program that takes a twentieth of a second to start.
///
/// # Errors
/// As both.
pub fn probe_with_packets(tools: &Tools, path: &Path) -> Result<(MediaInfo, Vec<Packet>), ProbeError> {
    let (path, _) = file_at(path)?;
    let refused = AtomicBool::new(false);
    thread::scope(|scope| {
        let all = scope.spawn(|| read(tools, &path, "v", &refused));
        let info = probe(tools, &path).inspect_err(|_| refused.store(true, Ordering::Relaxed));
        let all = all.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let info = info?;
        let packets = of_stream(all?, info.video.index);
        Ok((info, packets))
    })
}

fn of_stream(all: Vec<(u32, Packet)>, index: u32) -> Vec<Packet> {
    all.into_iter().filter(|(stream, _)| *stream == index).map(|(_, packet)| packet).collect()
}

/// Packets of the streams `select` names (ffprobe's `-select_streams`), with their stream's index, until told to stop.
fn read(
    tools: &Tools,
    path: &Path,
    select: &str,
    stop: &AtomicBool,
) -> Result<Vec<(u32, Packet)>, ProbeError> {
    let mut args = input_args(INPUT_OPTIONS);
    args.extend(["-select_streams", select].map(Into::into));
    args.extend(
        ["-show_entries", "packet=stream_index,pts,dts,size,flags", "-of", "csv=p=0"].map(Into::into),
    );
    args.push(super::probe::url(path));
    let job = Job { program: Program::Ffprobe, args, read: vec![path.to_owned()], ..Job::default() };
    let failed = |source| ProbeError::Child { path: path.to_owned(), source };
    let mut child = Child::spawn(tools, job).map_err(failed)?;
    let output = child.take_output(PATIENCE).map_err(failed)?;
    let mut packets = Vec::new();
    let mut lines = BufReader::with_capacity(1 << 16, output);
    let mut line = String::new();
    while !stop.load(Ordering::Relaxed) {
        line.clear();
        match (&mut lines).take_line(&mut line) {
            Err(e) => return Err(failed(child.broken(e, PATIENCE))),
            Ok(0) => {
                child.finish().map_err(failed)?;
                return Ok(packets);
            }
            Ok(_) if packets.len() == MOST => return Err(failed(child.fail(Failure::TooMuch(MOST)))),
            Ok(_) => packets
                .extend(parse(&line).map_err(|what| ProbeError::Answer { path: path.to_owned(), what })?),
        }
    }
    Ok(packets)
}

/// A line of bounded length.
trait TakeLine: BufRead + Sized {
    fn take_line(self, line: &mut String) -> std::io::Result<usize> {
        self.take(4096).read_line(line)
    }
}

impl<R: BufRead> TakeLine for R {}

/// `stream_index,pts,dts,size,flags` and perhaps empty fields of side data after them; lines of side data alone are
/// empty.
fn parse(line: &str) -> Result<Option<(u32, Packet)>, String> {
    let line = line.trim_matches(['\n', ',']);
    if line.is_empty() {
        return Ok(None);
    }
    let bad = || format!("packet `{}`", line.chars().take(80).collect::<String>());
    let mut fields = line.split(',');
    let mut field = || fields.next().ok_or_else(bad);
    let stream = field()?.parse().map_err(|_| bad())?;
    let (pts, dts, size, flags) = (field()?, field()?, field()?, field()?);
    let time = |text: &str| match text {
        "N/A" => Ok(None),
        _ => text.parse::<i64>().map(Some).map_err(|_| bad()),
    };
    let packet = Packet {
        pts: time(pts)?.map(Pts),
        dts: time(dts)?,
        key: flags.contains('K'),
        discard: flags.contains('D'),
        corrupt: flags.contains('C'),
        size: size.parse().map_err(|_| bad())?,
    };
    Ok(Some((stream, packet)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_packets() {
        let packet =
            Packet { pts: Some(Pts(-512)), dts: None, key: true, discard: false, corrupt: false, size: 4571 };
        assert_eq!(parse("0,-512,N/A,4571,K_\n"), Ok(Some((0, packet))));
        assert_eq!(parse("2,-512,N/A,4571,K__,\n"), Ok(Some((2, packet))));
        assert_eq!(parse("0,0,0,1,_D\n").unwrap().map(|(_, p)| (p.key, p.discard)), Some((false, true)));
        assert_eq!(parse("\n"), Ok(None));
        for bad in ["0,1,2,3", "0,x,0,1,K_", "0,1,2,-3,K_", "0,1,2,99999999999,K_", "-1,0,0,1,K_"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
