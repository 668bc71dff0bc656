//! Track numbers, written on what hides a face.

use placet_core::{Frame, Layout, PlaneMut, Rect};

/// Digits 0 to 9, three columns by five rows, one row in three bits, most significant on the left.
const DIGITS: [[u8; 5]; 10] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 7, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 1, 2, 2],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
];
/// Columns of a digit with the gap behind it, and rows of one.
const PITCH: i64 = 4;
const ROWS: i64 = 5;

/// Writes `number`, light on dark, about the middle of `rect`, a third of its height but at least ten pixels high.
/// Uses nothing of what the frame shows.
pub(crate) fn draw(frame: &mut Frame, rect: Rect, number: u64) {
    let text = number.to_string();
    let (cx, cy) = rect.center();
    if !(cx.is_finite() && cy.is_finite()) {
        return;
    }
    let dot = ((rect.h / 3.0 / ROWS as f32).clamp(2.0, 24.0)) as i64;
    let (w, h) = ((text.len() as i64 * PITCH + 1) * dot, (ROWS + 2) * dot);
    let (x0, y0) = (cx as i64 - w / 2, cy as i64 - h / 2);
    let layout = frame.layout();
    for (idx, mut plane) in frame.planes_mut().enumerate() {
        if layout == Layout::Rgba && idx == 3 {
            continue;
        }
        let chroma = layout == Layout::Yuv420 && idx > 0;
        block(&mut plane, (x0, y0, w, h), if chroma { 128 } else { 16 });
        if chroma {
            continue;
        }
        for (i, digit) in text.bytes().enumerate() {
            let Some(rows) = DIGITS.get(usize::from(digit.wrapping_sub(b'0'))) else { continue };
            for (row, bits) in (0..).zip(rows) {
                for column in (0..3).filter(|c| bits >> (2 - c) & 1 == 1) {
                    let x = x0 + (1 + i as i64 * PITCH + column) * dot;
                    block(&mut plane, (x, y0 + (1 + row) * dot, dot, dot), 235);
                }
            }
        }
    }
}

/// Sets a block of frame pixels, cut to the plane.
fn block(plane: &mut PlaneMut<'_>, (x, y, w, h): (i64, i64, i64, i64), value: u8) {
    let cut = |v: i64, end: u32| (v >> plane.shift).clamp(0, i64::from(end)) as usize;
    let (x0, x1) = (cut(x, plane.size.width), cut(x + w, plane.size.width));
    let (y0, y1) = (cut(y, plane.size.height), cut(y + h, plane.size.height));
    let width = plane.size.width.max(1) as usize;
    for row in plane.data.chunks_exact_mut(width).take(y1).skip(y0) {
        if let Some(part) = row.get_mut(x0..x1) {
            part.fill(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use placet_core::Size;

    use super::*;

    #[test]
    fn a_number_is_legible_and_depends_on_nothing_below() {
        let rect = Rect { x: 10.0, y: 10.0, w: 60.0, h: 75.0 };
        let mut dark = Frame::new(Size { width: 99, height: 97 }, Layout::Gray);
        let mut light = dark.clone();
        light.bytes_mut().fill(200);
        draw(&mut dark, rect, 17);
        draw(&mut light, rect, 17);
        // Five high dots of five pixels each; the middle row of pixels of each dot row, as text.
        let picture = |f: &Frame| -> Vec<String> {
            (0..5)
                .map(|r| {
                    let y = 48 - 17 + 5 * (r + 1) + 2;
                    let row = &f.bytes()[y * 99..(y + 1) * 99];
                    (0..8).map(|c| if row[40 - 22 + 5 * c + 2] == 235 { '#' } else { '.' }).collect()
                })
                .collect()
        };
        assert_eq!(picture(&dark), ["..#..###", ".##....#", "..#....#", "..#...#.", ".###..#."]);
        assert_eq!(picture(&dark), picture(&light));
    }

    #[test]
    fn numbers_at_and_beyond_the_edge_are_cut() {
        for layout in [Layout::Yuv420, Layout::Rgb, Layout::Rgba, Layout::Gray] {
            let mut f = Frame::new(Size { width: 9, height: 7 }, layout);
            for at in [-500.0, -3.0, 4.0, 8.0, 1e9] {
                draw(&mut f, Rect { x: at, y: at, w: 30.0, h: 30.0 }, u64::MAX);
            }
        }
    }
}
