use crate::{Pts, Size};

/// How a frame's bytes are arranged. All planes are 8 bits a sample, without padding between rows, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Luma, then Cb and Cr at half the width and height, rounded up. Video.
    Yuv420,
    /// Red, green, blue, each at full size. Pictures.
    Rgb,
    /// Red, green, blue, alpha, each at full size. Pictures.
    Rgba,
    /// One plane of luma.
    Gray,
}

impl Layout {
    /// How many planes.
    pub fn planes(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Yuv420 | Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    /// log2 of how much smaller plane `idx` is than the frame, in each direction.
    pub fn shift(self, idx: usize) -> u32 {
        u32::from(self == Self::Yuv420 && idx > 0)
    }

    /// Columns and rows of plane `idx`.
    pub fn plane_size(self, frame: Size, idx: usize) -> Size {
        let s = self.shift(idx);
        let half = |n: u32| n.div_ceil(1 << s);
        Size { width: half(frame.width), height: half(frame.height) }
    }

    /// Bytes of a whole frame.
    pub fn bytes(self, frame: Size) -> usize {
        (0..self.planes()).map(|i| self.plane_size(frame, i).area() as usize).sum()
    }
}

/// One plane of a frame, to read.
#[derive(Clone, Copy)]
pub struct Plane<'a> {
    /// Rows one after another, `width` bytes each.
    pub data: &'a [u8],
    /// Columns and rows of this plane.
    pub size: Size,
    /// The frame's pixel `(x, y)` is this plane's sample `(x >> shift, y >> shift)`.
    pub shift: u32,
}

/// One plane of a frame, to write.
pub struct PlaneMut<'a> {
    /// Rows one after another, `width` bytes each.
    pub data: &'a mut [u8],
    /// Columns and rows of this plane.
    pub size: Size,
    /// The frame's pixel `(x, y)` is this plane's sample `(x >> shift, y >> shift)`.
    pub shift: u32,
}

/// One picture in memory, not yet redacted. It has no way out of the program: sinks take what `placet-redaction`
/// makes of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    size: Size,
    layout: Layout,
    /// Presentation time.
    pub pts: Pts,
    data: Vec<u8>,
}

impl Frame {
    /// A frame of zeros.
    pub fn new(size: Size, layout: Layout) -> Self {
        Self { size, layout, pts: Pts(0), data: vec![0; layout.bytes(size)] }
    }

    /// Takes over `data`; none where its length is not that of such a frame.
    pub fn from_bytes(size: Size, layout: Layout, pts: Pts, data: Vec<u8>) -> Option<Self> {
        (data.len() == layout.bytes(size)).then_some(Self { size, layout, pts, data })
    }

    /// Columns and rows.
    pub fn size(&self) -> Size {
        self.size
    }

    /// How the bytes are arranged.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// All planes, one after another.
    pub fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// All planes, one after another.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// The planes in order.
    pub fn planes(&self) -> impl Iterator<Item = Plane<'_>> {
        let mut rest = self.data.as_slice();
        (0..self.layout.planes()).map(move |idx| {
            let size = self.layout.plane_size(self.size, idx);
            let (data, tail) = rest.split_at(size.area() as usize);
            rest = tail;
            Plane { data, size, shift: self.layout.shift(idx) }
        })
    }

    /// The planes in order, to write.
    pub fn planes_mut(&mut self) -> impl Iterator<Item = PlaneMut<'_>> {
        let (layout, frame) = (self.layout, self.size);
        let mut rest = self.data.as_mut_slice();
        (0..layout.planes()).map(move |idx| {
            let size = layout.plane_size(frame, idx);
            let (data, tail) = std::mem::take(&mut rest).split_at_mut(size.area() as usize);
            rest = tail;
            PlaneMut { data, size, shift: layout.shift(idx) }
        })
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the pixels: a debug print must not carry a face.
        write!(f, "Frame({}x{} {:?} at {})", self.size.width, self.size.height, self.layout, self.pts.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sizes_round_chroma_up() {
        let size = Size { width: 5, height: 3 };
        assert_eq!(Layout::Yuv420.bytes(size), 15 + 6 + 6);
        let f = Frame::new(size, Layout::Yuv420);
        let sizes: Vec<_> = f.planes().map(|p| (p.size.width, p.size.height, p.data.len())).collect();
        assert_eq!(sizes, [(5, 3, 15), (3, 2, 6), (3, 2, 6)]);
        assert!(Frame::from_bytes(size, Layout::Rgb, Pts(0), vec![0; 44]).is_none());
    }

    #[test]
    fn planes_do_not_share_bytes() {
        let mut f = Frame::new(Size { width: 4, height: 2 }, Layout::Rgba);
        for (idx, p) in f.planes_mut().enumerate() {
            p.data.fill(idx as u8 + 1);
        }
        assert_eq!(f.bytes(), [[1; 8], [2; 8], [3; 8], [4; 8]].concat());
    }
}
