use std::collections::VecDeque;

/// What a ring keeps.
pub trait Piece {
    /// Bytes it takes.
    fn bytes(&self) -> usize;
    /// Whether one may start here.
    fn starts(&self) -> bool;
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of all pieces.
    pub bytes: usize,
    /// Pieces, so that empty ones are bounded too.
    pub pieces: usize,
}

/// The newest pieces, numbered: from the start before the newest one on, so that whoever is a little late when a new
/// group starts loses nothing.
pub struct Ring<P> {
    // INVARIANT: piece `n` of the stream is `pieces[n - first]`; `bytes` is their sum; `newest` is the number of
    // the newest kept piece that starts.
    pieces: VecDeque<P>,
    first: u64,
    newest: Option<u64>,
    bytes: usize,
    bounds: Bounds,
}

/// A reader's place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The number of the piece that comes next; none before the first.
    next: Option<u64>,
    /// Whether what came before it was seen.
    whole: bool,
}

impl<P: Piece> Ring<P> {
    pub fn new(bounds: Bounds) -> Self {
        Self { pieces: VecDeque::new(), first: 0, newest: None, bytes: 0, bounds }
    }

    pub fn push(&mut self, piece: P) {
        if piece.starts() {
            if let Some(newest) = self.newest {
                self.drop_before(newest);
            }
            self.newest = Some(self.end());
        }
        self.bytes += piece.bytes();
        self.pieces.push_back(piece);
        while self.bytes > self.bounds.bytes || self.pieces.len() > self.bounds.pieces {
            self.drop_before(self.first + 1);
        }
    }

    /// Forgets all; nobody is to start here later.
    pub fn clear(&mut self) {
        self.drop_before(self.end());
        self.pieces.shrink_to_fit();
    }

    /// The next piece at `place`, and how many were skipped before it.
    pub fn next(&self, place: &mut Place) -> Option<(u64, &P)> {
        let (at, skipped) = match place.next {
            Some(next) if place.whole && next >= self.first => (next, 0),
            Some(next) => {
                place.whole = false;
                let start = self.newest.filter(|start| *start >= next)?;
                (start, start - next)
            }
            None => (self.newest?, 0),
        };
        let piece = self.pieces.get(usize::try_from(at - self.first).ok()?)?;
        *place = Place { next: Some(at + 1), whole: true };
        Some((skipped, piece))
    }

    /// The piece where a new reader starts.
    pub fn start(&self) -> Option<&P> {
        self.pieces.get(usize::try_from(self.newest? - self.first).ok()?)
    }

    /// All that is kept, the oldest first.
    pub fn kept(&self) -> impl ExactSizeIterator<Item = &P> + DoubleEndedIterator {
        self.pieces.iter()
    }

    /// The number of the piece that will be pushed next.
    fn end(&self) -> u64 {
        self.first + self.pieces.len() as u64
    }

    fn drop_before(&mut self, number: u64) {
        while self.first < number
            && let Some(piece) = self.pieces.pop_front()
        {
            self.bytes -= piece.bytes();
            self.first += 1;
        }
        self.newest = self.newest.filter(|newest| *newest >= self.first);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A number, a size, and whether it starts.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Made(u64, usize, bool);

    impl Piece for Made {
        fn bytes(&self) -> usize {
            self.1
        }

        fn starts(&self) -> bool {
            self.2
        }
    }

    const BOUNDS: Bounds = Bounds { bytes: 100, pieces: 12 };

    fn ring(starts: &[bool]) -> Ring<Made> {
        let mut ring = Ring::new(BOUNDS);
        for (n, start) in (0..).zip(starts) {
            ring.push(Made(n, 5, *start));
        }
        ring
    }

    fn read(ring: &Ring<Made>, place: &mut Place) -> Vec<(u64, u64)> {
        std::iter::from_fn(|| ring.next(place).map(|(skipped, made)| (skipped, made.0))).collect()
    }

    #[test]
    fn one_starts_at_the_newest_start() {
        assert_eq!(read(&ring(&[false, false]), &mut Place::default()), []);
        assert_eq!(read(&ring(&[false, true, false]), &mut Place::default()), [(0, 1), (0, 2)]);
        assert_eq!(read(&ring(&[true, false, true, false]), &mut Place::default()), [(0, 2), (0, 3)]);
    }

    #[test]
    fn whoever_is_one_group_late_loses_nothing_and_whoever_is_two_late_is_told() {
        let mut ring = ring(&[true, false]);
        let mut place = Place::default();
        assert_eq!(ring.next(&mut place), Some((0, &Made(0, 5, true))));
        let mut late = place;
        for (n, start) in [(2, true), (3, false)] {
            ring.push(Made(n, 5, start));
        }
        assert_eq!(read(&ring, &mut place), [(0, 1), (0, 2), (0, 3)]);
        ring.push(Made(4, 5, true));
        ring.push(Made(5, 5, false));
        assert_eq!(read(&ring, &mut place), [(0, 4), (0, 5)]);
        assert_eq!(read(&ring, &mut late), [(3, 4), (0, 5)]);
    }

    #[test]
    fn a_group_too_large_to_keep_still_reaches_those_who_keep_up() {
        let mut ring = ring(&[true]);
        let (mut quick, mut slow) = (Place::default(), Place::default());
        assert_eq!(read(&ring, &mut quick), [(0, 0)]);
        assert_eq!(read(&ring, &mut slow), [(0, 0)]);
        for n in 1..40 {
            ring.push(Made(n, 5, false));
            assert_eq!(read(&ring, &mut quick), [(0, n)]);
        }
        assert_eq!(read(&ring, &mut Place::default()), []);
        assert_eq!(read(&ring, &mut slow), []);
        ring.push(Made(40, 5, true));
        assert_eq!(read(&ring, &mut slow), [(39, 40)]);
        // One that fits nowhere is gone at once.
        ring.push(Made(41, 500, true));
        assert_eq!((read(&ring, &mut slow), ring.bytes), (vec![], 0));
        ring.push(Made(42, 5, true));
        assert_eq!(read(&ring, &mut slow), [(1, 42)]);
    }

    #[test]
    fn nobody_starts_at_what_was_cleared() {
        let mut ring = ring(&[true, false]);
        ring.clear();
        assert_eq!(read(&ring, &mut Place::default()), []);
        ring.push(Made(2, 5, false));
        assert_eq!(read(&ring, &mut Place::default()), []);
        ring.push(Made(3, 5, true));
        assert_eq!(read(&ring, &mut Place::default()), [(0, 3)]);
    }

    proptest! {
        /// Whatever comes and whenever readers read: bounds hold, order holds, a reader goes on without a gap or at a
        /// start, and what it is told it missed is what it missed.
        #[test]
        fn readers_see_no_gap_they_are_not_told_of(
            steps in prop::collection::vec((0_usize..40, prop::bool::weighted(0.2), 0_usize..4, 0_usize..6), 1..200),
        ) {
            let mut ring = Ring::new(BOUNDS);
            let mut readers = [(Place::default(), None); 4];
            for (n, (size, starts, reader, reads)) in (0..).zip(steps) {
                ring.push(Made(n, size, starts));
                prop_assert!(ring.bytes <= BOUNDS.bytes && ring.pieces.len() <= BOUNDS.pieces);
                prop_assert_eq!(ring.bytes, ring.pieces.iter().map(|made| made.1).sum::<usize>());
                let (place, seen) = &mut readers[reader];
                for _ in 0..reads {
                    let Some((skipped, made)) = ring.next(place) else { break };
                    match *seen {
                        None => prop_assert!(made.2 && skipped == 0),
                        Some(last) => {
                            prop_assert_eq!(made.0, last + 1 + skipped);
                            prop_assert!(skipped == 0 || made.2);
                        }
                    }
                    *seen = Some(made.0);
                }
            }
        }
    }
}
