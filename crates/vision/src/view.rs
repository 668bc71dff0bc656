use placet_core::{PixelRect, Rect, Rotation, Size};

/// How many pixels of the frame make one of the network's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scale {
    /// The mean of `n` by `n` pixels, fewer at the right and lower edge where the view does not divide evenly;
    /// `n` from 1 to [`Scale::MAX_DOWN`].
    Down(u32),
    /// Pixel by pixel.
    Same,
    /// Twice as wide and as high, bilinear.
    Up2,
}

impl Scale {
    /// The strongest reduction.
    pub const MAX_DOWN: u32 = 64;

    /// `Down(n)`, or `Same` for 1.
    pub(crate) fn down(n: u32) -> Self {
        if n <= 1 { Self::Same } else { Self::Down(n) }
    }

    /// Frame pixels per input pixel.
    pub fn factor(self) -> f32 {
        match self {
            Self::Down(n) => n as f32,
            Self::Same => 1.0,
            Self::Up2 => 0.5,
        }
    }

    /// Size of what a source of size `source` becomes.
    pub fn apply(self, source: Size) -> Size {
        let each = |len: u32| match self {
            Self::Down(n) => len.div_ceil(n.max(1)),
            Self::Same => len,
            Self::Up2 => len.saturating_mul(2),
        };
        Size { width: each(source.width), height: each(source.height) }
    }
}

/// A part of a frame as a detector looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// Which pixels of the stored frame.
    pub source: PixelRect,
    /// How they are scaled.
    pub scale: Scale,
    /// How far the result is turned clockwise to be upright.
    pub rotation: Rotation,
}

/// A view that cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// Not a part of the frame.
    #[error("{source_rect:?} is not a part of a frame of {}x{}", frame.width, frame.height)]
    Outside {
        /// The part asked for.
        source_rect: PixelRect,
        /// The frame's size.
        frame: Size,
    },
    /// No such reduction.
    #[error("cannot scale down by {0}; 1 to {max} is possible", max = Scale::MAX_DOWN)]
    Scale(u32),
    /// More than a detector takes at once.
    #[error("a view of {}x{} after scaling is larger than {max} pixels", size.width, size.height, max = View::MAX_AREA)]
    TooLarge {
        /// Its size after scaling.
        size: Size,
    },
}

impl View {
    /// No view has more pixels than this after scaling: a 4K frame and some.
    pub const MAX_AREA: u64 = 9 << 20;

    /// Size of the view after scaling, before it is turned.
    pub(crate) fn scaled(&self) -> Size {
        self.scale.apply(Size { width: self.source.w, height: self.source.h })
    }

    /// Whether it can be taken of a frame of size `frame`.
    pub(crate) fn check(&self, frame: Size) -> Result<(), ViewError> {
        let PixelRect { x, y, w, h } = self.source;
        let fits = |at: u32, len: u32, all: u32| len > 0 && at.checked_add(len).is_some_and(|end| end <= all);
        if !fits(x, w, frame.width) || !fits(y, h, frame.height) {
            return Err(ViewError::Outside { source_rect: self.source, frame });
        }
        if let Scale::Down(n) = self.scale
            && !(1..=Scale::MAX_DOWN).contains(&n)
        {
            return Err(ViewError::Scale(n));
        }
        let size = self.scaled();
        if size.area() > Self::MAX_AREA {
            return Err(ViewError::TooLarge { size });
        }
        Ok(())
    }

    /// Takes a rectangle of the network's input back to the stored frame.
    pub fn to_frame(&self, seen: Rect) -> Rect {
        let r = self.rotation.to_stored(seen, self.scaled());
        let k = self.scale.factor();
        Rect { x: self.source.x as f32 + r.x * k, y: self.source.y as f32 + r.y * k, w: r.w * k, h: r.h * k }
    }

    /// The same for a point.
    pub fn point_to_frame(&self, seen: [f32; 2]) -> [f32; 2] {
        let [x, y] = seen;
        let r = self.to_frame(Rect { x, y, w: 0.0, h: 0.0 });
        [r.x, r.y]
    }
}
