//! Videos: what is in a file, its frames, and a file made of redacted frames.

mod compare;
mod container;
mod decode;
mod ebml;
mod encode;
mod encode_args;
mod fragments;
mod hidden;
mod join;
mod media;
mod nal;
mod packets;
mod probe;
mod sound;
mod timeline;
mod turn;
mod written;

pub use compare::{CompareError, side_by_side};
pub use container::{Codec, CodecRefusal, Container};
pub(crate) use decode::unless_squeezed;
pub use decode::{DecodeError, DecodeOptions, Decoder};
pub use encode::{EncodeError, EncodeSpec, Encoder};
pub use encode_args::PRESETS;
pub use hidden::{edges, hides_edges};
pub use join::{CodedFrame, CodedReader, CodedSink, JoinError, Joiner, PieceEncoder, decode_delay};
pub use media::{
    AudioStream, Color, ColorRange, Fields, FileStamp, MediaInfo, Packet, Ratio, VideoStream, expected_pts,
};
pub(crate) use nal::units as nal_units;
pub use nal::{CodedPicture, NalRefusal, ParameterSets};
pub use packets::{packets, probe_with_packets};
pub(crate) use probe::{INPUT_OPTIONS, input_args, url as file_url};
pub use probe::{ProbeError, probe};
pub use sound::tag_in_sound;
pub use written::{Expected, Mismatch, WrittenError, check_written};
