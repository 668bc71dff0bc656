//! How packets travel: the `Transport` header (RFC 2326, 12.39).

/// How packets reach a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carriage {
    /// Within the connection, on these channels.
    Interleaved {
        /// Pictures.
        rtp: u8,
        /// Reports.
        rtcp: u8,
    },
    /// By UDP to these ports of the address that asked, and of no other.
    Udp {
        /// Pictures.
        rtp: u16,
        /// Reports.
        rtcp: u16,
    },
}

/// Services that answer what is sent to them lie below.
const LOWEST_PORT: u16 = 1024;
/// Ways a client may propose.
const MOST: usize = 16;

impl Carriage {
    /// The first way a client proposes that can be gone; none if there is none.
    pub fn choose(header: &str) -> Option<Self> {
        header.split(',').take(MOST).find_map(|spec| Self::of(spec.trim()))
    }

    fn of(spec: &str) -> Option<Self> {
        let mut parts = spec.split(';').map(str::trim);
        let tcp = match parts.next()?.to_ascii_uppercase().as_str() {
            "RTP/AVP" | "RTP/AVP/UDP" => false,
            "RTP/AVP/TCP" => true,
            _ => return None,
        };
        let (mut ports, mut channels) = (None, None);
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match name.to_ascii_lowercase().as_str() {
                "client_port" => ports = Some(pair(value)?),
                "interleaved" => channels = Some(pair(value)?),
                "mode" if !value.trim_matches('"').eq_ignore_ascii_case("play") => return None,
                // Whoever asks is whom we send to: `destination` would aim us at others, `source` pretend to be them.
                "multicast" | "destination" | "source" | "dest_addr" | "src_addr" | "port" | "append" => {
                    return None;
                }
                // `unicast`, `ssrc`, `ttl` and what others think of change nothing.
                _ => {}
            }
        }
        if tcp {
            let (rtp, rtcp) = channels.unwrap_or((0, 1));
            let (rtp, rtcp) = (u8::try_from(rtp).ok()?, u8::try_from(rtcp).ok()?);
            return (rtp != rtcp).then_some(Self::Interleaved { rtp, rtcp });
        }
        let (rtp, rtcp) = ports?;
        (rtp != rtcp && rtp >= LOWEST_PORT && rtcp >= LOWEST_PORT).then_some(Self::Udp { rtp, rtcp })
    }
}

/// `A-B`, or `A` for it and the next.
fn pair(text: &str) -> Option<(u16, u16)> {
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?;
    match text.split_once('-') {
        Some((first, second)) => Some((number(first)?, number(second)?)),
        None => number(text).and_then(|first: u16| Some((first, first.checked_add(1)?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_way_that_can_be_gone_is_gone() {
        let tcp = |rtp, rtcp| Some(Carriage::Interleaved { rtp, rtcp });
        let udp = |rtp, rtcp| Some(Carriage::Udp { rtp, rtcp });
        for (header, wanted) in [
            ("RTP/AVP/TCP;unicast;interleaved=0-1", tcp(0, 1)),
            ("RTP/AVP/TCP;interleaved=4-5", tcp(4, 5)),
            ("RTP/AVP/TCP;unicast", tcp(0, 1)),
            ("RTP/AVP/TCP;interleaved=7", tcp(7, 8)),
            ("RTP/AVP;unicast;client_port=5000-5001", udp(5000, 5001)),
            ("RTP/AVP/UDP;unicast;client_port=5000-5001;mode=play", udp(5000, 5001)),
            ("rtp/avp;unicast;client_port=5000;mode=\"PLAY\"", udp(5000, 5001)),
            ("RTP/AVP;multicast,RTP/AVP/TCP;unicast;interleaved=2-3", tcp(2, 3)),
            ("RTP/AVP/UDP;unicast;client_port=5000-5001;ssrc=ABCD", udp(5000, 5001)),
        ] {
            assert_eq!(Carriage::choose(header), wanted, "{header}");
        }
    }

    #[test]
    fn nobody_else_is_sent_to_and_no_service_is_hit() {
        for header in [
            "",
            "RTP/AVP",
            "RTP/AVP;unicast",
            "RTP/SAVP;unicast;client_port=5000-5001",
            "RAW/RAW/UDP;unicast;client_port=5000-5001",
            "RTP/AVP;unicast;client_port=53-54",
            "RTP/AVP;unicast;client_port=0-1",
            "RTP/AVP;unicast;client_port=5000-5000",
            "RTP/AVP;unicast;client_port=65535",
            "RTP/AVP;unicast;client_port=65536-65537",
            "RTP/AVP;unicast;client_port=-5000",
            "RTP/AVP;unicast;client_port=5000-5001-5002",
            "RTP/AVP;unicast;client_port=5000-5001;destination=192.0.2.1",
            "RTP/AVP;unicast;client_port=5000-5001;Destination=192.0.2.1",
            "RTP/AVP;unicast;client_port=5000-5001;source=192.0.2.1",
            "RTP/AVP;unicast;client_port=5000-5001;dest_addr=\"192.0.2.1:5000\"",
            "RTP/AVP;multicast;port=5000-5001",
            "RTP/AVP;unicast;client_port=5000-5001;mode=record",
            "RTP/AVP;unicast;client_port=5000-5001;mode=\"",
            "RTP/AVP/TCP;interleaved=0-0",
            "RTP/AVP/TCP;interleaved=0-256",
            "RTP/AVP/TCP;interleaved=255",
        ] {
            assert_eq!(Carriage::choose(header), None, "{header}");
        }
    }
}
