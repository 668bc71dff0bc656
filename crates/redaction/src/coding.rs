/// Which sample values mean black and white.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Range {
    /// Luma 16 to 235, chroma 16 to 240: nearly all video.
    #[default]
    Limited,
    /// 0 to 255: JPEG, some cameras.
    Full,
}

/// Weights of red, green and blue in luma.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Matrix {
    /// ITU-R BT.601: standard definition, JPEG.
    Bt601,
    /// ITU-R BT.709: high definition.
    #[default]
    Bt709,
    /// ITU-R BT.2020, non-constant luminance.
    Bt2020,
}

/// How a frame's YUV or grey samples stand for color. Only a solid fill needs it; RGB frames ignore it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Coding {
    /// Sample range.
    pub range: Range,
    /// Luma weights.
    pub matrix: Matrix,
}

impl Coding {
    /// Y, Cb, Cr of a full-range red, green, blue (ITU-R BT.601-7 section 2.5, BT.709-6 section 3).
    pub(crate) fn yuv(self, [r, g, b]: [u8; 3]) -> [u8; 3] {
        let (kr, kb) = match self.matrix {
            Matrix::Bt601 => (0.299, 0.114),
            Matrix::Bt709 => (0.2126, 0.0722),
            Matrix::Bt2020 => (0.2627, 0.0593),
        };
        let [r, g, b] = [r, g, b].map(|v| f64::from(v) / 255.0);
        let y = kr * r + (1.0 - kr - kb) * g + kb * b;
        let cb = (b - y) / (2.0 * (1.0 - kb));
        let cr = (r - y) / (2.0 * (1.0 - kr));
        let (base, luma, chroma) = match self.range {
            Range::Limited => (16.0, 219.0, 224.0),
            Range::Full => (0.0, 255.0, 255.0),
        };
        // `as` saturates, so 255.5 of a full-range pure blue stays in a byte.
        [base + luma * y, 128.0 + chroma * cb, 128.0 + chroma * cr].map(|v| v.round() as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colors() {
        let limited = Coding::default();
        assert_eq!(limited.yuv([0, 0, 0]), [16, 128, 128]);
        assert_eq!(limited.yuv([255, 255, 255]), [235, 128, 128]);
        let jpeg = Coding { range: Range::Full, matrix: Matrix::Bt601 };
        assert_eq!(jpeg.yuv([0, 0, 0]), [0, 128, 128]);
        assert_eq!(jpeg.yuv([255, 0, 0]), [76, 85, 255]);
        // The 75 % bars of BT.709 video: yellow.
        assert_eq!(limited.yuv([191, 191, 0]), [168, 44, 136]);
    }
}
