//! Units become packets: H.264 in RTP (RFC 6184, packetization mode 1) and reports of it (RFC 3550, 6.4.1, 6.5, 6.6).

use std::time::{Duration, SystemTime};

use placet_core::Pts;

/// The payload type of our one stream (RFC 3551, 6: dynamic).
pub const PAYLOAD_TYPE: u8 = 96;
/// The longest packet: with IPv6, UDP and a tunnel it still fits 1,500 bytes.
const LONGEST: usize = 1400;
const RTP_HEAD: usize = 12;
/// Before each packet: `$`, channel, length (RFC 2326, 10.12).
const FRAMING: usize = 4;
/// Unit types of ours.
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
const SETS: [u8; 2] = [7, 8];
/// Seconds from 1900, where NTP counts from, to 1970.
const NTP_TO_UNIX: u64 = 2_208_988_800;

/// Packets one after the other, each behind its interleaved frame's head. Reused from unit to unit.
#[derive(Debug, Default)]
pub struct Packets {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Packets {
    /// All of them, as they are sent within a connection.
    pub fn interleaved(&self) -> &[u8] {
        &self.bytes
    }

    /// One by one, as they are sent as datagrams.
    pub fn datagrams(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, end)| self.bytes.get(start + FRAMING..*end))
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn push(&mut self, channel: u8, parts: &[&[u8]]) {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        // INVARIANT: no packet is longer than `LONGEST`, and reports are shorter still.
        let len = u16::try_from(len).unwrap_or(u16::MAX);
        self.bytes.extend([b'$', channel]);
        self.bytes.extend(len.to_be_bytes());
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        self.ends.push(self.bytes.len());
    }
}

/// One stream to one client.
#[derive(Debug)]
pub struct Stream {
    ssrc: u32,
    sequence: u16,
    offset: u32,
    packets: u32,
    octets: u32,
    newest: Option<Pts>,
    name: String,
}

impl Stream {
    /// One whose numbers start where `random` says (RFC 3550, 5.1: so that they cannot be guessed).
    pub fn new(random: [u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, name @ ..] = random;
        Self {
            ssrc: u32::from_be_bytes([a, b, c, d]),
            offset: u32::from_be_bytes([e, f, g, h]),
            sequence: u16::from_be_bytes([i, j]),
            packets: 0,
            octets: 0,
            newest: None,
            name: name.iter().map(|b| format!("{b:02x}")).collect(),
        }
    }

    /// The stream's number.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The next packet's number.
    pub fn sequence(&self) -> u16 {
        self.sequence
    }

    /// An instant on the packets' clock: 90 kHz from a random start.
    pub fn time(&self, pts: Pts) -> u32 {
        (pts.0 as u32).wrapping_add(self.offset)
    }

    /// The packets of one unit into `out`, for `channel`. The last one says that the unit is whole.
    pub fn pack<'n>(
        &mut self,
        units: impl Iterator<Item = &'n [u8]>,
        pts: Pts,
        channel: u8,
        out: &mut Packets,
    ) {
        out.clear();
        self.newest = Some(pts);
        let mut packer = Packer { time: self.time(pts), stream: self, channel, out, together: Vec::new() };
        let mut units = units.filter(|unit| !unit.is_empty()).peekable();
        while let Some(unit) = units.next() {
            packer.unit(unit, units.peek().is_none());
        }
    }

    /// What maps the packets' clock to the time of day (RFC 3550, 6.4.1), and the stream's name; none before the first
    /// unit.
    pub fn report(&self, clock: impl Fn(Pts) -> SystemTime, channel: u8, out: &mut Packets) -> bool {
        out.clear();
        let Some(newest) = self.newest else { return false };
        let since = clock(newest).duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        let mut report = vec![0x80, 200, 0, 6];
        report.extend(self.ssrc.to_be_bytes());
        for word in [
            (since.as_secs() + NTP_TO_UNIX) as u32,
            fraction as u32,
            self.time(newest),
            self.packets,
            self.octets,
        ] {
            report.extend(word.to_be_bytes());
        }
        out.push(channel, &[&report, &self.described()]);
        true
    }

    /// That nothing more comes (RFC 3550, 6.6).
    pub fn farewell(&self, channel: u8, out: &mut Packets) {
        out.clear();
        let mut report = vec![0x80, 201, 0, 1];
        report.extend(self.ssrc.to_be_bytes());
        let mut bye = vec![0x81, 203, 0, 1];
        bye.extend(self.ssrc.to_be_bytes());
        out.push(channel, &[&report, &self.described(), &bye]);
    }

    /// The stream's name, which stays when its number does not (RFC 3550, 6.5.1).
    fn described(&self) -> Vec<u8> {
        let mut items = vec![1, self.name.len() as u8];
        items.extend(self.name.as_bytes());
        items.push(0);
        items.resize(items.len().next_multiple_of(4), 0);
        let words = (1 + items.len() / 4) as u16;
        let mut out = vec![0x81, 202];
        out.extend(words.to_be_bytes());
        out.extend(self.ssrc.to_be_bytes());
        out.extend(items);
        out
    }
}

struct Packer<'a> {
    stream: &'a mut Stream,
    time: u32,
    channel: u8,
    out: &'a mut Packets,
    /// Parameter sets that travel in one packet, each behind its length.
    together: Vec<u8>,
}

impl Packer<'_> {
    fn unit(&mut self, unit: &[u8], last: bool) {
        let head = unit.first().copied().unwrap_or(0);
        let fits = 1 + self.together.len() + 2 + unit.len() <= LONGEST - RTP_HEAD;
        if SETS.contains(&(head & 0x1f)) && !last && fits {
            self.together.extend((unit.len() as u16).to_be_bytes());
            self.together.extend_from_slice(unit);
            return;
        }
        self.flush();
        if unit.len() <= LONGEST - RTP_HEAD {
            return self.packet(&[unit], last);
        }
        // The head is told by the two bytes before each fragment (RFC 6184, 5.8).
        let rest = unit.get(1..).unwrap_or_default();
        let mut fragments = rest.chunks(LONGEST - RTP_HEAD - 2).peekable();
        let mut start = 0x80;
        while let Some(fragment) = fragments.next() {
            let end = if fragments.peek().is_none() { 0x40 } else { 0 };
            self.packet(&[&[head & 0xe0 | FU_A, start | end | head & 0x1f], fragment], last && end != 0);
            start = 0;
        }
    }

    fn flush(&mut self) {
        let together = std::mem::take(&mut self.together);
        if !together.is_empty() {
            // The importance of the most important one (RFC 6184, 5.7.1); parameter sets have the highest.
            self.packet(&[&[0x60 | STAP_A], &together], false);
        }
    }

    fn packet(&mut self, payload: &[&[u8]], last: bool) {
        let stream = &mut *self.stream;
        let mut head = [0; RTP_HEAD];
        let fields = [0x80, PAYLOAD_TYPE | if last { 0x80 } else { 0 }].into_iter();
        let fields = fields.chain(stream.sequence.to_be_bytes()).chain(self.time.to_be_bytes());
        for (to, from) in head.iter_mut().zip(fields.chain(stream.ssrc.to_be_bytes())) {
            *to = from;
        }
        stream.sequence = stream.sequence.wrapping_add(1);
        stream.packets = stream.packets.wrapping_add(1);
        let octets: usize = payload.iter().map(|part| part.len()).sum();
        stream.octets = stream.octets.wrapping_add(octets as u32);
        let mut parts: Vec<&[u8]> = vec![&head];
        parts.extend_from_slice(payload);
        self.out.push(self.channel, &parts);
    }
}

/// Whether a client's packet is a report of one who listens (RFC 3550, 6.4 and A.2): whole and of the right version,
/// a report first.
pub fn is_report(packet: &[u8]) -> bool {
    const MOST: usize = 32;
    let mut rest = packet;
    for part in 0..MOST {
        let Some(&[flags, kind, high, low]) = rest.first_chunk() else { return false };
        let len = 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        if flags >> 6 != 2
            || !(200..=207).contains(&kind)
            || (part == 0 && kind > 201)
            || len < 8 && part == 0
        {
            return false;
        }
        match rest.get(len..) {
            None => return false,
            Some([]) => return true,
            Some(more) => rest = more,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stream() -> Stream {
        Stream::new([0, 0, 0, 7, 0xff, 0xff, 0xff, 0xf0, 0xff, 0xfe, 1, 2, 3, 4, 5, 6])
    }

    /// What a receiver makes of packets (RFC 6184, 5.6 to 5.8).
    fn unpack(packets: &Packets) -> Vec<Vec<u8>> {
        let mut units: Vec<Vec<u8>> = Vec::new();
        for packet in packets.datagrams() {
            assert!(packet.len() <= LONGEST);
            let payload = &packet[RTP_HEAD..];
            match payload[0] & 0x1f {
                STAP_A => {
                    let mut rest = &payload[1..];
                    while !rest.is_empty() {
                        let len = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
                        units.push(rest[2..2 + len].to_vec());
                        rest = &rest[2 + len..];
                    }
                }
                FU_A => {
                    if payload[1] & 0x80 != 0 {
                        units.push(vec![payload[0] & 0xe0 | payload[1] & 0x1f]);
                    }
                    units.last_mut().unwrap().extend(&payload[2..]);
                }
                _ => units.push(payload.to_vec()),
            }
        }
        units
    }

    #[test]
    fn sets_travel_together_and_a_large_slice_in_fragments() {
        let (mut stream, mut out) = (stream(), Packets::default());
        let slice: Vec<u8> = std::iter::once(0x65).chain((0..3_000).map(|n| n as u8)).collect();
        let units: [&[u8]; 4] = [&[0x67, 1, 2], &[0x68, 3], &slice, &[0x65, 9]];
        stream.pack(units.into_iter(), Pts(0x20), 4, &mut out);
        assert_eq!(unpack(&out), units);
        let kinds: Vec<u8> = out.datagrams().map(|p| p[RTP_HEAD] & 0x1f).collect();
        assert_eq!(kinds, [STAP_A, FU_A, FU_A, FU_A, 5]);
        let heads: Vec<&[u8]> = out.datagrams().map(|p| &p[..RTP_HEAD]).collect();
        assert_eq!(heads[0], [0x80, 96, 0xff, 0xfe, 0, 0, 0, 0x10, 0, 0, 0, 7]);
        assert_eq!(heads[4], [0x80, 0xe0, 0, 2, 0, 0, 0, 0x10, 0, 0, 0, 7]);
        assert_eq!(&out.interleaved()[..4], [b'$', 4, 0, 22]);
    }

    #[test]
    fn a_report_tells_the_time_of_day_of_the_newest_unit() {
        let (mut stream, mut out) = (stream(), Packets::default());
        let clock = |pts: Pts| {
            SystemTime::UNIX_EPOCH + Duration::from_millis(1_500) + Duration::from_secs(pts.0 as u64)
        };
        assert!(!stream.report(clock, 1, &mut out));
        stream.pack([&[0x65, 1, 2][..]].into_iter(), Pts(10), 0, &mut out);
        assert!(stream.report(clock, 1, &mut out));
        let report = out.datagrams().next().unwrap();
        assert!(is_report(report));
        let word = |n: usize| u32::from_be_bytes(report[4 * n..4 * n + 4].try_into().unwrap());
        assert_eq!(word(2) as u64, NTP_TO_UNIX + 11);
        assert_eq!((word(3), word(4), word(5), word(6)), (1 << 31, 0xffff_fffa, 1, 3));
        stream.farewell(1, &mut out);
        assert!(is_report(out.datagrams().next().unwrap()));
    }

    #[test]
    fn what_is_no_report_keeps_nothing_alive() {
        let receiver = [0x81, 201, 0, 7].into_iter().chain([0; 28]).collect::<Vec<u8>>();
        assert!(is_report(&receiver));
        assert!(is_report(&[0x80, 201, 0, 1, 0, 0, 0, 7]));
        for bad in [
            &[][..],
            &[0x80],
            &[0x80, 201, 0, 0],
            &[0x80, 201, 0, 2, 0, 0, 0, 7],
            &[0x40, 201, 0, 1, 0, 0, 0, 7],
            &[0x80, 96, 0, 1, 0, 0, 0, 7],
            &[0x80, 202, 0, 1, 0, 0, 0, 7],
            &[0x80, 201, 0xff, 0xff, 0, 0, 0, 7],
            &[0x80, 201, 0, 1, 0, 0, 0, 7, 0x80],
            &[0x80, 201, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0],
        ] {
            assert!(!is_report(bad), "{bad:?}");
        }
        for cut in 0..receiver.len() {
            assert!(!is_report(&receiver[..cut]));
        }
        assert!(!is_report(
            &[[0x80, 201, 0, 1, 0, 0, 0, 7].as_slice(), &[0x80, 202, 0, 0].repeat(400)].concat()
        ));
    }

    proptest! {
        #[test]
        fn every_unit_comes_out_as_it_went_in(
            units in prop::collection::vec((any::<u8>(), 0_usize..5_000), 1..8), pts: i64, random: [u8; 16],
        ) {
            let kinds = [0x67_u8, 0x68, 0x65, 0x41, 0x06, 0x01];
            let units: Vec<Vec<u8>> = units
                .into_iter()
                .map(|(kind, len)| {
                    let head = kinds[usize::from(kind) % kinds.len()];
                    std::iter::once(head).chain((0..len).map(|n| n as u8 ^ kind)).collect()
                })
                .collect();
            let (mut stream, mut out) = (Stream::new(random), Packets::default());
            let first = stream.sequence();
            stream.pack(units.iter().map(Vec::as_slice), Pts(pts), 0, &mut out);
            prop_assert_eq!(unpack(&out), units);
            let packets: Vec<&[u8]> = out.datagrams().collect();
            for (n, packet) in (0_u16..).zip(&packets) {
                prop_assert_eq!(&packet[2..4], first.wrapping_add(n).to_be_bytes());
                prop_assert_eq!(packet[1] & 0x80 != 0, usize::from(n) + 1 == packets.len());
            }
        }
    }
}
