//! Runs of frames laid out on the columns of a plot.

/// A plot's columns, each empty or with the greatest mark painted on it. However many frames there are, every painted
/// one shows.
pub(super) struct Columns<T> {
    marks: Vec<Option<T>>,
    frames: u64,
    left: f64,
    per_pixel: f64,
}

impl<T: Copy + Ord> Columns<T> {
    /// `per_pixel` empty columns for each of the plot's `width` pixels from `left` on, to hold `frames` frames.
    pub(super) fn new(left: u32, width: u32, per_pixel: u32, frames: u64) -> Self {
        let marks = vec![None; (width * per_pixel) as usize];
        Self { marks, frames: frames.max(1), left: left.into(), per_pixel: per_pixel.into() }
    }

    /// Left edge of a column, in pixels.
    fn edge(&self, column: usize) -> f64 {
        self.left + column as f64 / self.per_pixel
    }

    /// Marks every column that a frame from `first` to `last` touches.
    pub(super) fn paint(&mut self, first: u64, last: u64, mark: T) {
        let (columns, frames) = (self.marks.len() as u128, u128::from(self.frames));
        let scaled = |frame: u64| u128::from(frame.min(self.frames)) * columns;
        let range =
            (scaled(first) / frames) as usize..scaled(last.saturating_add(1)).div_ceil(frames) as usize;
        for slot in self.marks.get_mut(range).into_iter().flatten() {
            *slot = (*slot).max(Some(mark));
        }
    }

    /// Each column's left edge in pixels and its mark.
    pub(super) fn columns(&self) -> impl Iterator<Item = (f64, Option<T>)> {
        self.marks.iter().enumerate().map(|(idx, &mark)| (self.edge(idx), mark))
    }

    /// Runs of equal marks: left and right edge in pixels, mark.
    pub(super) fn runs(&self) -> Vec<(f64, f64, T)> {
        let mut from = 0;
        let mut runs = Vec::new();
        for run in self.marks.chunk_by(|a, b| a == b) {
            let to = from + run.len();
            if let Some(&Some(mark)) = run.first() {
                runs.push((self.edge(from), self.edge(to), mark));
            }
            from = to;
        }
        runs
    }

    /// Left edge of the first marked column and right edge of the last.
    pub(super) fn extent(&self) -> Option<(f64, f64)> {
        let runs = self.runs();
        Some((runs.first()?.0, runs.last()?.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_frame_among_a_million_shows() {
        let mut columns = Columns::new(100, 800, 2, 1_000_000);
        columns.paint(999_999, 999_999, ());
        columns.paint(0, 0, ());
        assert_eq!(columns.runs(), [(100.0, 100.5, ()), (899.5, 900.0, ())]);
    }

    #[test]
    fn few_frames_fill_the_plot_and_the_greater_mark_stays() {
        let mut columns = Columns::new(100, 800, 2, 2);
        columns.paint(0, 1, 1);
        columns.paint(1, 1, 2);
        columns.paint(1, 1, 0);
        assert_eq!(columns.runs(), [(100.0, 500.0, 1), (500.0, 900.0, 2)]);
        assert_eq!(columns.extent(), Some((100.0, 900.0)));
    }

    #[test]
    fn runs_outside_the_video_or_backwards_are_not_drawn() {
        let mut columns = Columns::new(100, 800, 2, 10);
        columns.paint(20, 30, ());
        columns.paint(5, 3, ());
        assert_eq!(columns.extent(), None);
        columns.paint(9, u64::MAX, ());
        assert_eq!(columns.runs(), [(820.0, 900.0, ())]);
    }
}
