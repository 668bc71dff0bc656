//! What a feed is, in words for clients: SDP (RFC 8866) with the parameters of H.264 (RFC 6184, 8.2).

use std::net::IpAddr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use placet_feed::ParameterSets;

use crate::rtp::PAYLOAD_TYPE;
use crate::target::STREAM;

/// The description of a camera's feed of `rate` frames a second, offered at `address` under the number of this run.
pub fn describe(camera: &str, sets: &ParameterSets, rate: Option<f64>, address: IpAddr, run: u64) -> String {
    let [profile, constraints, level] = sets.profile();
    let coded = |set: &[u8]| BASE64_STANDARD.encode(set);
    let (sequence, picture) = (coded(sets.sequence()), coded(sets.picture()));
    let (kind, any) = if address.is_ipv4() { ("IP4", "0.0.0.0") } else { ("IP6", "::") };
    let rate = rate.map_or_else(String::new, |rate| format!("a=framerate:{:.1}\r\n", rate));
    let size = sets.size();
    format!(
        "v=0\r\n\
         o=- {run} 1 IN {kind} {address}\r\n\
         s={camera}\r\n\
         i=faces that the detector finds are covered\r\n\
         c=IN {kind} {any}\r\n\
         t=0 0\r\n\
         a=tool:placet\r\n\
         a=type:broadcast\r\n\
         a=control:*\r\n\
         a=range:npt=now-\r\n\
         m=video 0 RTP/AVP {PAYLOAD_TYPE}\r\n\
         a=rtpmap:{PAYLOAD_TYPE} H264/90000\r\n\
         a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;profile-level-id={profile:02X}{constraints:02X}{level:02X};\
         sprop-parameter-sets={sequence},{picture}\r\n\
         {rate}\
         a=x-dimensions:{},{}\r\n\
         a=control:{STREAM}\r\n",
        size.width, size.height,
    )
}
