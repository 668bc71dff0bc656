//! What ffmpeg is told when it encodes.

use std::ffi::OsString;

use placet_core::Pts;

use super::probe::{INPUT_OPTIONS, url};
use super::{Codec, ColorRange, Container, EncodeSpec, Fields};

/// x264's presets, the slowest first; the other encoders' numbers are found by their place in this list.
pub const PRESETS: [&str; 10] = [
    "placebo",
    "veryslow",
    "slower",
    "slow",
    "medium",
    "fast",
    "faster",
    "veryfast",
    "superfast",
    "ultrafast",
];

/// Raw frames come in. Beside a second input ffmpeg reads eight of them ahead unless told otherwise: 25 MB at 1080p.
const RAW_PIPE: [&str; 8] =
    ["-protocol_whitelist", "pipe", "-thread_queue_size", "2", "-f", "nut", "-i", "pipe:0"];

#[derive(Default)]
struct Args(Vec<OsString>);

impl Args {
    fn add<const N: usize>(&mut self, words: [&str; N]) {
        self.0.extend(words.map(OsString::from));
    }
}

impl EncodeSpec {
    /// `shift` was added to all times, in ticks.
    pub(super) fn args(&self, shift: i64) -> Vec<OsString> {
        self.file_args(shift, &RAW_PIPE, |args| {
            self.picture_args(args);
            self.quality_args(args);
        })
    }

    /// As [`Self::args`], for frames that are compressed already and come `later` by that many seconds.
    pub(super) fn join_args(&self, shift: i64, later: i64) -> Vec<OsString> {
        let offset = (-later).to_string();
        let pipe = ["-itsoffset", &offset, "-protocol_whitelist", "pipe", "-f", "mov", "-i", "pipe:0"];
        self.file_args(shift, &pipe, |args| {
            args.add(["-c:v", "copy"]);
            let range = match self.color.range {
                ColorRange::Full => Some("pc"),
                ColorRange::Limited => Some("tv"),
                ColorRange::Unknown => None,
            };
            let color = &self.color;
            for (option, value) in [
                ("-color_range", range),
                ("-colorspace", color.space.as_deref()),
                ("-color_primaries", color.primaries.as_deref()),
                ("-color_trc", color.transfer.as_deref()),
            ] {
                if let Some(value) = value {
                    args.add([option, value]);
                }
            }
        })
    }

    /// Encodes to the standard output. Every key frame brings its parameter sets, which are numbered `sets_id`.
    pub(super) fn piece_args(&self, sets_id: u8) -> Vec<OsString> {
        let mut args = Args::default();
        args.add(["-v", "error", "-nostdin", "-hide_banner", "-copyts"]);
        args.add(RAW_PIPE);
        args.add(["-map", "0:v:0"]);
        self.picture_args(&mut args);
        self.quality_args(&mut args);
        args.add(["-x264opts", &format!("sps-id={sets_id}"), "-bsf:v", "dump_extra=freq=keyframe"]);
        args.add(["-fflags", "+bitexact", "-avoid_negative_ts", "disabled", "-f", "nut", "pipe:1"]);
        args.0
    }

    fn file_args(&self, shift: i64, pipe: &[&str], video: impl FnOnce(&mut Args)) -> Vec<OsString> {
        let mut args = Args::default();
        args.add(["-v", "error", "-nostdin", "-hide_banner", "-y", "-copyts"]);
        args.0.extend(pipe.iter().map(OsString::from));
        self.inputs(&mut args, shift);
        args.add(["-map", "0:v:0"]);
        self.sound_args(&mut args);
        let source = |kept: bool| if kept && self.metadata_from.is_some() { "1" } else { "-1" };
        let leaving_out = self.tags_left_out();
        args.add(["-map_metadata", source(leaving_out.is_some())]);
        args.add(["-map_chapters", source(!self.left_out_chapters)]);
        for (option, name) in leaving_out.iter().flatten().filter(|_| self.metadata_from.is_some()) {
            args.add([option, &format!("{name}=")]);
        }
        video(&mut args);
        self.container_args(&mut args);
        args.add(["-f", self.container.muxer()]);
        args.0.push(url(&self.output));
        // The rotation is marked when the file is finished.
        args.0
    }

    /// The option and the name for each tag that is not to be kept: the file's and those of its sound. None where a name
    /// has a sign of equality of its own, with which ffmpeg cannot be told that it is to go.
    fn tags_left_out(&self) -> Option<Vec<(String, &str)>> {
        let file = self.left_out_tags.iter().map(|name| ("-metadata".to_owned(), name.as_str()));
        let streams = self.sound.iter().flat_map(|(_, streams)| streams).enumerate();
        let sound = streams.flat_map(|(idx, stream)| {
            stream.picture_tags.iter().map(move |name| (format!("-metadata:s:a:{idx}"), name.as_str()))
        });
        let all: Vec<(String, &str)> = file.chain(sound).collect();
        all.iter().all(|(_, name)| !name.is_empty() && !name.contains('=')).then_some(all)
    }

    fn inputs(&self, args: &mut Args, shift: i64) {
        let Some(path) = self.source() else { return };
        if shift != 0 {
            let seconds = self.time_base.seconds(Pts(shift));
            args.add(["-itsoffset", &format!("{seconds:.6}")]);
        }
        args.add(INPUT_OPTIONS);
        args.add(["-i"]);
        args.0.push(url(path));
    }

    fn sound_args(&self, args: &mut Args) {
        for (idx, stream) in self.sound.iter().flat_map(|(_, streams)| streams).enumerate() {
            args.add(["-map", &format!("1:{}", stream.index)]);
            if let Some(language) = &stream.language {
                args.add([&format!("-metadata:s:a:{idx}"), &format!("language={language}")]);
            }
            let dispositions =
                if stream.dispositions.is_empty() { "0" } else { &stream.dispositions.join("+") };
            args.add([&format!("-disposition:a:{idx}"), dispositions]);
        }
        args.add(["-c:a", "copy"]);
    }

    fn picture_args(&self, args: &mut Args) {
        let range = match self.color.range {
            ColorRange::Full => "pc",
            ColorRange::Limited => "tv",
            ColorRange::Unknown => "unknown",
        };
        // The frames are marked as what they are, so that nothing is converted.
        let mut marks = format!("setparams=range={range}");
        for (name, option, value) in [
            ("colorspace", "-colorspace", &self.color.space),
            ("color_primaries", "-color_primaries", &self.color.primaries),
            ("color_trc", "-color_trc", &self.color.transfer),
        ] {
            if let Some(value) = value {
                marks.push_str(&format!(":{name}={value}"));
                args.add([option, value]);
            }
        }
        match self.fields {
            Fields::TopFirst => marks.push_str(":field_mode=tff"),
            Fields::BottomFirst => marks.push_str(":field_mode=bff"),
            Fields::Progressive | Fields::Unknown => {}
        }
        if self.color.range != ColorRange::Unknown {
            args.add(["-color_range", range]);
        }
        args.add(["-vf", &marks, "-pix_fmt", "yuv420p"]);
        args.add(["-fps_mode", "passthrough", "-enc_time_base", &self.time_base.to_string()]);
    }

    fn quality_args(&self, args: &mut Args) {
        let speed = PRESETS.iter().position(|n| *n == self.preset).unwrap_or(7);
        let preset = PRESETS.get(speed).copied().unwrap_or("veryfast");
        // The same look lies at about these distances (FFmpeg's wiki on H.265, VP9 and AV1).
        let crf = |more: u8, most: u8| (self.crf + more).min(most).to_string();
        args.add([
            "-c:v",
            self.codec.encoder(),
            "-threads:v",
            &self.threads.to_string(),
            "-flags:v",
            "+bitexact",
        ]);
        match self.codec {
            Codec::H264 => {
                args.add(["-preset", preset, "-crf", &crf(0, 51)]);
                // Fewer frames wait between the lookahead and the rest: 14 MB less at 1080p, the same bytes.
                let hasty = self.hasty && preset == "veryfast";
                let less = if hasty { ":me=dia:subme=1:partitions=none" } else { "" };
                args.add(["-x264-params", &format!("sync-lookahead=2{less}")]);
                match self.fields {
                    Fields::TopFirst => args.add(["-x264opts", "tff=1"]),
                    Fields::BottomFirst => args.add(["-x264opts", "bff=1"]),
                    Fields::Progressive | Fields::Unknown => {}
                }
            }
            Codec::H265 => {
                args.add(["-preset", preset, "-crf", &crf(3, 51), "-x265-params", "log-level=error:info=0"]);
                if matches!(self.container, Container::Mp4 | Container::Mov) {
                    // The name that Apple's players want.
                    args.add(["-tag:v", "hvc1"]);
                }
            }
            Codec::Vp9 => {
                let cpu = speed.saturating_sub(1).min(8).to_string();
                args.add([
                    "-b:v",
                    "0",
                    "-crf",
                    &crf(8, 63),
                    "-deadline",
                    "realtime",
                    "-cpu-used",
                    &cpu,
                    "-row-mt",
                    "1",
                ]);
            }
            Codec::Av1 => args.add(["-preset", &(speed + 3).min(12).to_string(), "-crf", &crf(12, 63)]),
        }
    }

    fn container_args(&self, args: &mut Args) {
        // No name and version of the writing program, no random ids.
        args.add(["-fflags", "+bitexact", "-max_muxing_queue_size", "4096"]);
        match self.container {
            Container::Mp4 | Container::Mov => {
                args.add(["-video_track_timescale", &self.time_base.den().to_string(), "-write_tmcd", "0"]);
                let keys =
                    if self.metadata_from.is_some() { "+faststart+use_metadata_tags" } else { "+faststart" };
                args.add(["-movflags", keys, "-avoid_negative_ts", "disabled"]);
            }
            Container::MpegTs => args.add(["-muxdelay", "0", "-muxpreload", "0", "-mpegts_copyts", "1"]),
            // Here sound that starts a little before the picture moves both.
            // Checksums would not fit the sound's headers any more once these are cleaned.
            Container::Mkv | Container::WebM => args.add(["-write_crc32", "0"]),
        }
    }
}
