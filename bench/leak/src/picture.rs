//! Pictures in memory and how they are sampled at any place, size and angle.

#![expect(clippy::indexing_slicing, reason = "pixel kernel; coordinates are clamped before each access")]

use std::path::Path;

use crate::Error;

/// Red, green, blue, alpha, each 0 to 255 (alpha 0 to 1); colours are premultiplied by alpha.
pub type Pixel = [f32; 4];

/// A picture of premultiplied pixels, row by row.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height` pixels.
    pub pixels: Vec<Pixel>,
}

impl Picture {
    /// Reads a JPEG or PNG; every pixel opaque.
    ///
    /// # Errors
    /// When the file cannot be read or decoded.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let rgb = image::open(path).map_err(|source| Error::Picture { path: path.into(), source })?.to_rgb8();
        let (width, height) = (rgb.width() as usize, rgb.height() as usize);
        Ok(Self::from_rgb(width, height, rgb.as_raw()))
    }

    /// From packed 8-bit RGB, `3 * width * height` bytes.
    pub fn from_rgb(width: usize, height: usize, rgb: &[u8]) -> Self {
        let pixels = rgb.chunks_exact(3).map(|p| [p[0].into(), p[1].into(), p[2].into(), 1.0]).collect();
        Self { width, height, pixels }
    }

    /// The pixel at a column and row, the nearest one inside where they lie outside.
    pub fn at(&self, x: isize, y: isize) -> Pixel {
        let x = x.clamp(0, self.width as isize - 1) as usize;
        let y = y.clamp(0, self.height as isize - 1) as usize;
        self.pixels[y * self.width + x]
    }

    /// Bilinear; pixel `(i, j)` has its centre at `(i + 0.5, j + 0.5)`. Edges are repeated.
    pub fn sample(&self, x: f32, y: f32) -> Pixel {
        let (x, y) = (x - 0.5, y - 0.5);
        let (fx, fy) = (x.floor(), y.floor());
        let (ix, iy) = (fx as isize, fy as isize);
        let (tx, ty) = (x - fx, y - fy);
        let inside = ix >= 0 && iy >= 0 && ix + 1 < self.width as isize && iy + 1 < self.height as isize;
        let [a, b, c, d] = if inside {
            let first = iy as usize * self.width + ix as usize;
            let (top, low) =
                (&self.pixels[first..first + 2], &self.pixels[first + self.width..first + self.width + 2]);
            [top[0], top[1], low[0], low[1]]
        } else {
            [self.at(ix, iy), self.at(ix + 1, iy), self.at(ix, iy + 1), self.at(ix + 1, iy + 1)]
        };
        std::array::from_fn(|k| {
            let top = a[k] + (b[k] - a[k]) * tx;
            let low = c[k] + (d[k] - c[k]) * tx;
            top + (low - top) * ty
        })
    }

    /// Half as wide and high (rounded up), each pixel the mean of four.
    pub fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height as isize {
            for x in 0..width as isize {
                let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| self.at(2 * x + i, 2 * y + j));
                pixels.push(std::array::from_fn(|k| four.iter().map(|p| p[k]).sum::<f32>() / 4.0));
            }
        }
        Self { width, height, pixels }
    }
}

/// A picture with its halvings, so that it can be drawn small without aliasing.
#[derive(Clone, Debug)]
pub struct Pyramid(Vec<Picture>);

impl Pyramid {
    /// Halves until one side is a single pixel.
    pub fn new(full: Picture) -> Self {
        let mut levels = vec![full];
        while let Some(last) = levels.last().filter(|p| p.width > 1 && p.height > 1) {
            let next = last.halved();
            levels.push(next);
        }
        Self(levels)
    }

    /// The picture at full size.
    pub fn full(&self) -> &Picture {
        &self.0[0]
    }

    /// At a place of the full picture, averaged over about `footprint` of its pixels in each direction.
    pub fn sample(&self, x: f32, y: f32, footprint: f32) -> Pixel {
        let level = footprint.max(1.0).log2();
        let low = (level.floor() as usize).min(self.0.len() - 1);
        let high = (low + 1).min(self.0.len() - 1);
        let t = level.fract();
        let at = |l: usize| {
            let k = 1.0 / (1u32 << l) as f32;
            self.0[l].sample(x * k, y * k)
        };
        if t < 0.02 || low == high {
            return at(low);
        }
        let (a, b) = (at(low), at(high));
        std::array::from_fn(|k| a[k] + (b[k] - a[k]) * t)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampling_at_a_centre_gives_the_pixel_and_between_two_their_mean() {
        let p = Picture::from_rgb(2, 1, &[0, 0, 0, 100, 100, 100]);
        assert_eq!(p.sample(1.5, 0.5)[0], 100.0);
        assert_eq!(p.sample(1.0, 0.5)[0], 50.0);
        assert_eq!(p.sample(-9.0, 0.5)[0], 0.0);
    }

    #[test]
    fn the_top_of_a_pyramid_is_the_mean() {
        let p = Picture::from_rgb(2, 2, &[0, 0, 0, 40, 40, 40, 80, 80, 80, 120, 120, 120]);
        let pyramid = Pyramid::new(p);
        assert_eq!(pyramid.sample(1.0, 1.0, 64.0)[0], 60.0);
    }
}
