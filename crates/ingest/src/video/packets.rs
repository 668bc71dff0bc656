use std::io::{BufRead, BufReader};
use std::time::Duration;

use placet_core::Pts;

use super::probe::{INPUT_OPTIONS, input_args};
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
    let mut args = input_args(INPUT_OPTIONS);
    args.extend(["-select_streams".into(), info.video.index.to_string().into()]);
    args.extend(["-show_entries", "packet=pts,dts,size,flags", "-of", "csv=p=0"].map(Into::into));
    args.push(super::probe::url(&info.path));
    let job = Job { program: Program::Ffprobe, args, read: vec![info.path.clone()], ..Job::default() };
    let failed = |source| ProbeError::Child { path: info.path.clone(), source };
    let mut child = Child::spawn(tools, job).map_err(failed)?;
    let output = child.take_output(PATIENCE).map_err(failed)?;
    let mut packets = Vec::new();
    let mut lines = BufReader::with_capacity(1 << 16, output);
    let mut line = String::new();
    loop {
        line.clear();
        match (&mut lines).take_line(&mut line) {
            Err(e) => return Err(failed(child.broken(e, PATIENCE))),
            Ok(0) => break,
            Ok(_) if packets.len() == MOST => return Err(failed(child.fail(Failure::TooMuch(MOST)))),
            Ok(_) => packets
                .extend(parse(&line).map_err(|what| ProbeError::Answer { path: info.path.clone(), what })?),
        }
    }
    child.finish().map_err(failed)?;
    Ok(packets)
}

/// A line of bounded length.
trait TakeLine: BufRead + Sized {
    fn take_line(self, line: &mut String) -> std::io::Result<usize> {
        self.take(4096).read_line(line)
    }
}

impl<R: BufRead> TakeLine for R {}

/// `pts,dts,size,flags` and perhaps empty fields of side data after them; lines of side data alone are empty.
fn parse(line: &str) -> Result<Option<Packet>, String> {
    let line = line.trim_matches(['\n', ',']);
    if line.is_empty() {
        return Ok(None);
    }
    let bad = || format!("packet `{}`", line.chars().take(80).collect::<String>());
    let mut fields = line.split(',');
    let mut field = || fields.next().ok_or_else(bad);
    let (pts, dts, size, flags) = (field()?, field()?, field()?, field()?);
    let time = |text: &str| match text {
        "N/A" => Ok(None),
        _ => text.parse::<i64>().map(Some).map_err(|_| bad()),
    };
    Ok(Some(Packet {
        pts: time(pts)?.map(Pts),
        dts: time(dts)?,
        key: flags.contains('K'),
        discard: flags.contains('D'),
        corrupt: flags.contains('C'),
        size: size.parse().map_err(|_| bad())?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_packets() {
        let packet =
            Packet { pts: Some(Pts(-512)), dts: None, key: true, discard: false, corrupt: false, size: 4571 };
        assert_eq!(parse("-512,N/A,4571,K_\n"), Ok(Some(packet)));
        assert_eq!(parse("-512,N/A,4571,K__,\n"), Ok(Some(packet)));
        assert_eq!(parse("0,0,1,_D\n").unwrap().map(|p| (p.key, p.discard)), Some((false, true)));
        assert_eq!(parse("\n"), Ok(None));
        for bad in ["1,2,3", "x,0,1,K_", "1,2,-3,K_", "1,2,99999999999,K_"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
