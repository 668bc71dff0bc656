//! Which frames are due, in which order they are decoded, and where decoding can start again after damage.

use placet_core::Pts;

use super::Packet;

/// Frames in the order they are shown. A *position* is an index into it.
pub(super) struct Timeline {
    shown: Vec<Shown>,
    keys: Vec<Key>,
}

struct Shown {
    pts: Pts,
    /// When this position has been decoded too, so has everything the frame may depend on.
    settled_at: usize,
}

/// A packet at which decoding can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) pts: Pts,
    /// Decoding time, where stored.
    pub(super) dts: Option<i64>,
    /// Number of the packet in decoding order.
    packet: usize,
}

impl Timeline {
    /// `packets` in decoding order.
    pub(super) fn new(packets: &[Packet]) -> Self {
        let due = |p: &Packet| p.pts.filter(|_| !p.discard);
        let mut decoded: Vec<(usize, Pts)> =
            packets.iter().enumerate().filter_map(|(idx, p)| due(p).map(|pts| (idx, pts))).collect();
        let keys = decoded
            .iter()
            .filter_map(|(idx, pts)| {
                packets.get(*idx).filter(|p| p.key).map(|p| Key { pts: *pts, dts: p.dts, packet: *idx })
            })
            .collect();
        decoded.sort_unstable_by_key(|(idx, pts)| (*pts, *idx));
        decoded.dedup_by_key(|(_, pts)| *pts);
        // Position of each frame, in decoding order; a frame is settled at the latest position decoded so far.
        let mut positions: Vec<(usize, usize)> =
            decoded.iter().enumerate().map(|(position, (idx, _))| (*idx, position)).collect();
        positions.sort_unstable();
        let mut settled: Vec<(usize, usize)> = positions
            .iter()
            .scan(0, |latest, (_, position)| {
                *latest = (*latest).max(*position);
                Some((*position, *latest))
            })
            .collect();
        settled.sort_unstable();
        let shown = decoded
            .into_iter()
            .zip(settled)
            .map(|((_, pts), (_, settled_at))| Shown { pts, settled_at })
            .collect();
        Self { shown, keys }
    }

    /// How many frames are due.
    pub(super) fn len(&self) -> usize {
        self.shown.len()
    }

    /// The first position whose time is `pts` or later.
    pub(super) fn position(&self, pts: Pts) -> usize {
        self.shown.partition_point(|s| s.pts < pts)
    }

    /// Where a frame of time `pts` is settled; at once where no such frame is due.
    pub(super) fn settled_at(&self, pts: Pts) -> usize {
        self.shown.get(self.position(pts)).filter(|s| s.pts == pts).map_or(0, |s| s.settled_at)
    }

    /// Times of the frames due at these positions.
    pub(super) fn times(&self, positions: std::ops::Range<usize>) -> impl Iterator<Item = Pts> {
        self.shown.get(positions).unwrap_or_default().iter().map(|s| s.pts)
    }

    /// Earliest time of all.
    pub(super) fn first(&self) -> Option<Pts> {
        self.shown.first().map(|s| s.pts)
    }

    /// The last key frame at or before `pts`.
    pub(super) fn key_before(&self, pts: Pts) -> Option<Key> {
        self.keys.iter().rev().find(|k| k.pts <= pts).copied()
    }

    /// The next key frame, `skip` further ones left out, that is shown at `position` or later and stored after `last`.
    pub(super) fn key_after(&self, position: usize, last: Option<Key>, skip: usize) -> Option<Key> {
        let stored_after = |k: &&Key| last.is_none_or(|l| k.packet > l.packet);
        self.keys.iter().filter(stored_after).filter(|k| self.position(k.pts) > position).nth(skip).copied()
    }

    /// Time of the key frame stored after `key`.
    pub(super) fn next_key(&self, key: Key) -> Option<Pts> {
        self.keys.iter().find(|k| k.packet > key.packet).map(|k| k.pts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(frames: &[(i64, bool)]) -> Vec<Packet> {
        frames
            .iter()
            .map(|(pts, key)| Packet {
                pts: Some(Pts(*pts)),
                dts: None,
                key: *key,
                discard: false,
                corrupt: false,
                size: 1,
            })
            .collect()
    }

    #[test]
    fn a_frame_waits_for_the_later_shown_ones_it_may_depend_on() {
        // I0 P4 B2 b1 b3 | I5 P6, in decoding order.
        let t = Timeline::new(&packets(&[
            (0, true),
            (4, false),
            (2, false),
            (1, false),
            (3, false),
            (5, true),
            (6, false),
        ]));
        let settled: Vec<usize> = (0..7).map(|n| t.settled_at(Pts(n))).collect();
        assert_eq!(settled, [0, 4, 4, 4, 4, 5, 6]);
        assert_eq!(t.times(1..3).collect::<Vec<_>>(), [Pts(1), Pts(2)]);
    }

    #[test]
    fn decoding_resumes_at_a_later_key_frame() {
        let t = Timeline::new(&packets(&[(0, true), (1, false), (2, true), (3, false), (4, true)]));
        let two = t.key_after(0, None, 0).unwrap();
        assert_eq!((two.pts, t.next_key(two)), (Pts(2), Some(Pts(4))));
        assert_eq!(t.key_after(2, None, 0).unwrap().pts, Pts(4));
        assert_eq!(t.key_after(0, Some(two), 0).unwrap().pts, Pts(4));
        assert_eq!(t.key_after(0, None, 1).unwrap().pts, Pts(4));
        assert_eq!(t.key_after(4, None, 0), None);
        assert_eq!(t.key_before(Pts(3)).unwrap().pts, Pts(2));
    }

    #[test]
    fn frames_not_shown_are_not_due() {
        let mut hidden = packets(&[(-1, true), (0, false), (1, false)]);
        hidden[0].discard = true;
        let t = Timeline::new(&hidden);
        assert_eq!((t.len(), t.first()), (2, Some(Pts(0))));
        assert_eq!(t.key_before(Pts(1)), None);
    }
}
