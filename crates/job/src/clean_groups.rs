//! Groups of pictures that can be copied whole: from one picture at which decoding starts afresh to the next.

use std::collections::HashMap;

use placet_core::Pts;
use placet_ingest::video::{CodedReader, JoinError, Packet, ParameterSets};

use crate::video::Source;

/// Frames that are stored and shown together: nothing in them needs anything outside, nothing outside needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// The first frame, in the order they are shown.
    pub(crate) first: u64,
    pub(crate) frames: u64,
    /// Whether it can be cut out as it is.
    pub(crate) closed: bool,
}

/// All groups of a file, in order.
pub(crate) struct Groups {
    pub(crate) list: Vec<Group>,
    /// Group of each frame, by its time.
    pub(crate) of: HashMap<Pts, usize>,
    pub(crate) sets: ParameterSets,
}

impl Groups {
    /// Reads the compressed stream through.
    ///
    /// # Errors
    /// In words, why nothing of it is copied.
    pub(crate) fn read(source: &Source<'_>, expected: &[Pts]) -> Result<Self, String> {
        let words = |e: JoinError| crate::chain(&e);
        let mut reader = CodedReader::open(source.tools, source.info, source.packets).map_err(words)?;
        let mut coded = Vec::with_capacity(source.packets.len());
        while let Some(frame) = reader.next_frame().map_err(words)? {
            coded.push((frame.pts, frame.idr));
        }
        let (list, of) = cut(&coded, source.packets, expected).ok_or("its frames carry no clear times")?;
        Ok(Self { list, of, sets: reader.parameter_sets().clone() })
    }
}

/// Cuts the frames, each a time and whether decoding starts afresh there, in the order they are stored. None where
/// they are not those of `packets`, or where times are missing or not each frame's own.
fn cut(
    coded: &[(Pts, bool)],
    packets: &[Packet],
    expected: &[Pts],
) -> Option<(Vec<Group>, HashMap<Pts, usize>)> {
    let shown: HashMap<Pts, u64> = expected.iter().zip(0..).map(|(pts, at)| (*pts, at)).collect();
    let mut groups: Vec<(u64, u64, bool)> = Vec::new();
    let mut members: Vec<Vec<Pts>> = Vec::new();
    // A file may start with frames that nothing can be decoded from; they are not copied.
    let lead = packets.len().checked_sub(coded.len())?;
    let mut frames = 0;
    for (idx, packet) in packets.iter().enumerate() {
        let pts = packet.pts?;
        let idr = match idx.checked_sub(lead).and_then(|at| coded.get(at)) {
            Some((time, _)) if *time != pts => return None,
            Some((_, idr)) => *idr,
            None => false,
        };
        if packet.discard {
            // Decoded but not shown: an edit, which copying would undo.
            if idr || groups.is_empty() {
                groups.push((u64::MAX, 0, false));
                members.push(Vec::new());
            }
            groups.last_mut()?.2 = false;
            continue;
        }
        let at = *shown.get(&pts)?;
        frames += 1;
        if idr || groups.is_empty() {
            groups.push((at, at, idr && !packet.corrupt));
            members.push(vec![pts]);
            continue;
        }
        let (group, list) = (groups.last_mut()?, members.last_mut()?);
        // The first one stored must be the first one shown.
        let closed = group.2 && at > group.0 && !packet.corrupt;
        *group = (group.0.min(at), group.1.max(at), closed);
        list.push(pts);
    }
    if frames != expected.len() {
        return None;
    }
    Some(join_overlapping(groups, members))
}

/// Groups whose frames are shown among each other's become one, which is not copied.
fn join_overlapping(
    groups: Vec<(u64, u64, bool)>,
    members: Vec<Vec<Pts>>,
) -> (Vec<Group>, HashMap<Pts, usize>) {
    let mut list: Vec<(u64, u64, bool, Vec<Pts>)> = Vec::new();
    for ((mut first, mut last, mut closed), mut times) in groups.into_iter().zip(members) {
        if times.is_empty() {
            continue;
        }
        while let Some((f, l, _, earlier)) = list.pop_if(|(_, l, ..)| *l >= first) {
            (first, last, closed) = (first.min(f), last.max(l), false);
            times.extend(earlier);
        }
        list.push((first, last, closed, times));
    }
    let of =
        list.iter().enumerate().flat_map(|(n, (.., times))| times.iter().map(move |t| (*t, n))).collect();
    let list = list.iter().map(|(first, last, closed, _)| Group {
        first: *first,
        frames: last - first + 1,
        closed: *closed,
    });
    (list.collect(), of)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(time, starts afresh)` in the order stored; a time of -1 is not shown.
    fn groups(frames: &[(i64, bool)]) -> Option<Vec<(u64, u64, bool)>> {
        let packet = |(pts, key): &(i64, bool)| Packet {
            pts: Some(Pts(*pts)),
            dts: None,
            key: *key,
            discard: *pts < 0,
            corrupt: false,
            size: 1,
        };
        let packets: Vec<Packet> = frames.iter().map(packet).collect();
        let coded: Vec<(Pts, bool)> = frames.iter().map(|(pts, idr)| (Pts(*pts), *idr)).collect();
        let expected = placet_ingest::video::expected_pts(&packets);
        let (list, of) = cut(&coded, &packets, &expected)?;
        assert!(of.values().all(|n| *n < list.len()));
        Some(list.iter().map(|g| (g.first, g.frames, g.closed)).collect())
    }

    #[test]
    fn a_group_is_what_is_stored_from_one_fresh_start_to_the_next() {
        let closed = [(0, true), (3, false), (1, false), (2, false), (4, true), (5, false)];
        assert_eq!(groups(&closed), Some(vec![(0, 4, true), (4, 2, true)]));
    }

    #[test]
    fn open_and_interleaved_groups_are_not_copied() {
        // A frame stored after the fresh start is shown before it.
        let open = [(0, true), (2, false), (1, false), (5, true), (3, false), (4, false), (6, true)];
        assert_eq!(groups(&open), Some(vec![(0, 3, true), (3, 3, false), (6, 1, true)]));
        let mixed = [(0, true), (4, false), (2, true), (6, false), (7, true)];
        assert_eq!(groups(&mixed), Some(vec![(0, 4, false), (4, 1, true)]));
    }

    #[test]
    fn a_start_in_the_middle_and_frames_not_shown_are_not_copied() {
        let late = [(0, false), (1, false), (2, true), (3, false)];
        assert_eq!(groups(&late), Some(vec![(0, 2, false), (2, 2, true)]));
        let edited = [(-2, true), (-1, false), (0, false), (1, true)];
        assert_eq!(groups(&edited), Some(vec![(0, 1, false), (1, 1, true)]));
    }

    #[test]
    fn a_time_that_two_frames_share_copies_nothing() {
        assert_eq!(groups(&[(0, true), (1, false), (1, false)]), None);
    }

    #[test]
    fn frames_that_are_not_those_of_the_file_copy_nothing() {
        let packet = |pts| Packet { pts, dts: None, key: true, discard: false, corrupt: false, size: 1 };
        let packets = [packet(Some(Pts(0))), packet(Some(Pts(1)))];
        let expected = [Pts(0), Pts(1)];
        assert!(cut(&[(Pts(0), true), (Pts(2), true)], &packets, &expected).is_none());
        assert!(cut(&[(Pts(0), true)], &packets, &expected).is_none());
        assert!(cut(&[(Pts(0), true)], &[packet(None)], &expected).is_none());
        // Reading may begin at the first key frame.
        let (list, _) = cut(&[(Pts(1), true)], &packets, &expected).unwrap();
        assert_eq!(list.iter().map(|g| g.closed).collect::<Vec<_>>(), [false, true]);
    }
}
