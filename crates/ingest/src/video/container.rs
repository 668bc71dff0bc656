use std::path::Path;

use placet_core::Size;

use super::{AudioStream, MediaInfo};

/// A codec we can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// H.264 by libx264.
    H264,
    /// H.265 by libx265.
    H265,
    /// VP9 by libvpx.
    Vp9,
    /// AV1 by SVT-AV1.
    Av1,
}

impl Codec {
    /// From ffmpeg's name, or the words people use on a command line.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "h264" | "avc" => Some(Self::H264),
            "hevc" | "h265" => Some(Self::H265),
            "vp9" => Some(Self::Vp9),
            "av1" => Some(Self::Av1),
            _ => None,
        }
    }

    /// The word for the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::H265 => "h265",
            Self::Vp9 => "vp9",
            Self::Av1 => "av1",
        }
    }

    /// ffmpeg's encoder.
    pub fn encoder(self) -> &'static str {
        match self {
            Self::H264 => "libx264",
            Self::H265 => "libx265",
            Self::Vp9 => "libvpx-vp9",
            Self::Av1 => "libsvtav1",
        }
    }

    /// Whether the encoder writes frames of this size in 8-bit 4:2:0 exactly. Only VP9 takes odd numbers of pixels;
    /// SVT-AV1 refuses less than 64 pixels, and x265 3.5 crashes on some such sizes.
    pub fn holds_size(self, size: Size) -> bool {
        let even = size.width.is_multiple_of(2) && size.height.is_multiple_of(2);
        match self {
            Self::H264 => even,
            Self::Vp9 => true,
            Self::H265 | Self::Av1 => even && size.width >= 64 && size.height >= 64,
        }
    }

    /// Whether it can be written as interlaced.
    pub fn holds_interlaced(self) -> bool {
        self == Self::H264
    }
}

/// A container we can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// MPEG-4 part 14.
    Mp4,
    /// QuickTime.
    Mov,
    /// Matroska.
    Mkv,
    /// WebM.
    WebM,
    /// MPEG-2 transport stream.
    MpegTs,
}

impl Container {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Mp4, Self::Mov, Self::Mkv, Self::WebM, Self::MpegTs];

    /// From a file name's extension, in any case.
    pub fn for_extension(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|c| c.extensions().contains(&extension.as_str()))
    }

    /// From the first bytes of a file (at least 200 where it has them): by its brand (ISO/IEC 14496-12, 4.3), document
    /// type (RFC 8794) or sync bytes (ISO/IEC 13818-1).
    pub fn of_content(head: &[u8]) -> Option<Self> {
        let at = |offset: usize| head.get(offset..offset + 4);
        let synced =
            |first: usize, step: usize| [first, first + step].iter().all(|i| head.get(*i) == Some(&0x47));
        match at(4) {
            Some(b"ftyp") => Some(if at(8) == Some(b"qt  ") { Self::Mov } else { Self::Mp4 }),
            Some(b"moov" | b"mdat" | b"wide" | b"free" | b"skip") => Some(Self::Mov),
            _ if at(0) == Some(&[0x1a, 0x45, 0xdf, 0xa3]) => {
                let webm =
                    head.get(..head.len().min(64)).unwrap_or_default().windows(4).any(|w| w == b"webm");
                Some(if webm { Self::WebM } else { Self::Mkv })
            }
            _ if synced(0, 188) || synced(4, 192) => Some(Self::MpegTs),
            _ => None,
        }
    }

    /// File name extensions, the usual one first.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Mp4 => &["mp4", "m4v"],
            Self::Mov => &["mov", "qt"],
            Self::Mkv => &["mkv"],
            Self::WebM => &["webm"],
            Self::MpegTs => &["ts", "mts", "m2ts"],
        }
    }

    /// ffmpeg's muxer.
    pub fn muxer(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Mkv => "matroska",
            Self::WebM => "webm",
            Self::MpegTs => "mpegts",
        }
    }

    /// Whether players expect the codec there.
    pub fn holds(self, codec: Codec) -> bool {
        match self {
            Self::Mp4 | Self::Mkv => true,
            Self::Mov | Self::MpegTs => matches!(codec, Codec::H264 | Codec::H265),
            Self::WebM => matches!(codec, Codec::Vp9 | Codec::Av1),
        }
    }

    /// Whether sound of this codec (ffmpeg's name) can be copied into it.
    pub fn holds_audio(self, codec_name: &str) -> bool {
        match self {
            Self::Mp4 => {
                matches!(codec_name, "aac" | "mp3" | "ac3" | "eac3" | "alac" | "opus" | "flac" | "mp2")
            }
            Self::Mov => {
                matches!(codec_name, "aac" | "mp3" | "ac3" | "eac3" | "alac" | "mp2") || pcm(codec_name)
            }
            Self::Mkv => {
                matches!(
                    codec_name,
                    "aac"
                        | "mp3"
                        | "mp2"
                        | "ac3"
                        | "eac3"
                        | "dts"
                        | "truehd"
                        | "alac"
                        | "opus"
                        | "vorbis"
                        | "flac"
                ) || pcm(codec_name)
            }
            Self::WebM => matches!(codec_name, "opus" | "vorbis"),
            Self::MpegTs => matches!(codec_name, "aac" | "mp2" | "mp3" | "ac3" | "eac3" | "dts" | "opus"),
        }
    }

    /// The codec to write by default: H.264 where the container holds it and it can hold the picture, else the input's
    /// codec.
    ///
    /// # Errors
    /// Where neither goes; the message names the flag.
    pub fn default_codec(self, info: &MediaInfo) -> Result<Codec, CodecRefusal> {
        let video = &info.video;
        [Some(Codec::H264), video.codec]
            .into_iter()
            .flatten()
            .find(|codec| self.refuse(*codec, video.size, video.fields.interlaced()).is_none())
            .ok_or_else(|| {
                let offer = [Codec::H264, Codec::H265, Codec::Vp9, Codec::Av1]
                    .into_iter()
                    .find(|c| self.refuse(*c, video.size, video.fields.interlaced()).is_none());
                CodecRefusal::Default {
                    container: self,
                    codec_name: video.codec_name.clone(),
                    size: video.size,
                    offer,
                }
            })
    }

    /// Why frames of `size` cannot be written here with `codec`; none where they can.
    pub fn refuse(self, codec: Codec, size: Size, interlaced: bool) -> Option<CodecRefusal> {
        if !self.holds(codec) {
            Some(CodecRefusal::Container { container: self, codec })
        } else if !codec.holds_size(size) {
            Some(CodecRefusal::Size { codec, size })
        } else if interlaced && !codec.holds_interlaced() {
            Some(CodecRefusal::Interlaced { codec })
        } else {
            None
        }
    }

    /// The first of these sound streams that cannot be copied here.
    pub fn first_refused_audio<'a>(
        self,
        audio: impl IntoIterator<Item = &'a AudioStream>,
    ) -> Option<&'a AudioStream> {
        audio.into_iter().find(|a| !self.holds_audio(&a.codec_name))
    }
}

fn pcm(codec_name: &str) -> bool {
    codec_name.starts_with("pcm_")
}

/// Why a codec cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecRefusal {
    /// Not in this container.
    #[error("{} does not hold {}; name another with --codec, or an output ending in .mkv", container.muxer(), codec.name())]
    Container {
        /// Where.
        container: Container,
        /// What.
        codec: Codec,
    },
    /// Not at this size.
    #[error(
        "{} cannot hold {}x{} pixels (its 4:2:0 needs even numbers, and not too small); use --codec vp9 in .webm, .mkv or .mp4", codec.name(), size.width, size.height
    )]
    Size {
        /// What.
        codec: Codec,
        /// Columns and rows.
        size: Size,
    },
    /// Not interlaced.
    #[error("{} would lose the interlacing; use --codec h264", codec.name())]
    Interlaced {
        /// What.
        codec: Codec,
    },
    /// Neither H.264 nor the input's codec goes.
    #[error(
        "neither h264 nor the input's {codec_name} can be written to {} at {}x{}; {}", container.muxer(), size.width,
        size.height, offer.map_or("name an output ending in .mkv".to_owned(), |c| format!("use --codec {}", c.name()))
    )]
    Default {
        /// Where.
        container: Container,
        /// The input's.
        codec_name: String,
        /// Columns and rows.
        size: Size,
        /// One that goes.
        offer: Option<Codec>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_name_their_container() {
        for (name, container) in [
            ("a.mp4", Some(Container::Mp4)),
            ("A.MOV", Some(Container::Mov)),
            ("a.b.mkv", Some(Container::Mkv)),
            ("a.m2ts", Some(Container::MpegTs)),
            ("a.avi", None),
            ("mp4", None),
        ] {
            assert_eq!(Container::for_extension(Path::new(name)), container, "{name}");
        }
    }

    #[test]
    fn contents_name_their_container() {
        let mut stream = [0; 400];
        (stream[0], stream[188]) = (0x47, 0x47);
        let mut timed = [0; 400];
        (timed[4], timed[196]) = (0x47, 0x47);
        for (head, container) in [
            (&b"\0\0\0\x20ftypisom"[..], Some(Container::Mp4)),
            (b"\0\0\0\x14ftypqt  ", Some(Container::Mov)),
            (b"\0\0\0\x08wide", Some(Container::Mov)),
            (b"\x1a\x45\xdf\xa3\xa3B\x82\x88matroska", Some(Container::Mkv)),
            (b"\x1a\x45\xdf\xa3\x9fB\x82\x84webm", Some(Container::WebM)),
            (&stream, Some(Container::MpegTs)),
            (&timed, Some(Container::MpegTs)),
            (b"RIFF\0\0\0\0AVI LIST", None),
            (b"G", None),
            (b"", None),
        ] {
            assert_eq!(Container::of_content(head), container, "{head:?}");
        }
    }

    #[test]
    fn refusals_name_the_way_out() {
        let odd = Size { width: 321, height: 240 };
        let even = Size { width: 320, height: 240 };
        for (container, codec, size, interlaced, word) in [
            (Container::WebM, Codec::H264, even, false, Some("--codec")),
            (Container::Mp4, Codec::H264, odd, false, Some("--codec vp9")),
            (Container::Mp4, Codec::Vp9, odd, false, None),
            (Container::Mp4, Codec::H265, even, true, Some("--codec h264")),
            (Container::Mp4, Codec::H264, even, true, None),
        ] {
            let refusal = container.refuse(codec, size, interlaced).map(|r| r.to_string());
            assert_eq!(refusal.is_some(), word.is_some(), "{container:?} {codec:?}");
            assert!(refusal.unwrap_or_default().contains(word.unwrap_or_default()));
        }
    }
}
