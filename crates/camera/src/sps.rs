//! What a sequence parameter set says of the picture: its size, and whether pictures are reordered.

use placet_core::Size;

use crate::bits::Bits;

/// The largest width or height, pixels.
pub(crate) const MAX_SIDE: u32 = 8192;

/// What is read of a sequence parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sps {
    /// The shown size.
    pub(crate) size: Size,
    /// Fields may be coded one by one.
    pub(crate) interlaced: bool,
    /// Pictures may come before those they are shown after (H.265 says so; H.264 need not).
    pub(crate) reordered: bool,
}

/// Why one is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpsError {
    Unreadable,
    TooLarge,
}

/// ITU-T H.264, 7.3.2.1.1, behind the NAL unit's header.
pub(crate) fn h264(payload: &[u8]) -> Result<Sps, SpsError> {
    let read = || -> Option<(u64, u64, [u64; 4], bool)> {
        let mut bits = Bits::new(payload);
        let profile = bits.number(8)?;
        bits.skip(16)?;
        bits.ue()?;
        let mut chroma = 1;
        if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135) {
            chroma = bits.ue()?;
            if chroma == 3 {
                bits.skip(1)?;
            }
            bits.ue()?;
            bits.ue()?;
            bits.skip(1)?;
            if bits.flag()? {
                scaling_lists(&mut bits, if chroma == 3 { 12 } else { 8 })?;
            }
        }
        bits.ue()?;
        match bits.ue()? {
            0 => drop(bits.ue()?),
            1 => {
                bits.skip(1)?;
                bits.se()?;
                bits.se()?;
                let count = bits.ue().filter(|count| *count <= 255)?;
                (0..count).try_for_each(|_| bits.se().map(drop))?;
            }
            2 => {}
            _ => return None,
        }
        bits.ue()?;
        bits.skip(1)?;
        let width = 16 * (u64::from(bits.ue()?) + 1);
        let units = u64::from(bits.ue()?) + 1;
        let frames_only = bits.flag()?;
        if !frames_only {
            bits.skip(1)?;
        }
        let height = 16 * units * if frames_only { 1 } else { 2 };
        bits.skip(1)?;
        let (step_x, step_y) = chroma_steps(chroma)?;
        let step_y = step_y * if frames_only { 1 } else { 2 };
        let crop = window(&mut bits, step_x, step_y)?;
        Some((width, height, crop, !frames_only))
    };
    let (width, height, crop, interlaced) = read().ok_or(SpsError::Unreadable)?;
    Ok(Sps { size: shown(width, height, crop)?, interlaced, reordered: false })
}

/// ITU-T H.265, 7.3.2.2.1, behind the NAL unit's header.
pub(crate) fn h265(payload: &[u8]) -> Result<Sps, SpsError> {
    let read = || -> Option<(u64, u64, [u64; 4], bool)> {
        let mut bits = Bits::new(payload);
        bits.skip(4)?;
        let sub_layers = bits.number(3).filter(|count| *count <= 6)?;
        bits.skip(1)?;
        profile_tier_level(&mut bits, sub_layers)?;
        bits.ue()?;
        let chroma = bits.ue()?;
        if chroma == 3 {
            bits.skip(1)?;
        }
        let (width, height) = (u64::from(bits.ue()?), u64::from(bits.ue()?));
        let (step_x, step_y) = chroma_steps(chroma)?;
        let crop = window(&mut bits, step_x, step_y)?;
        bits.ue()?;
        bits.ue()?;
        bits.ue()?;
        let each = bits.flag()?;
        let mut reordered = 0;
        for _ in 0..if each { sub_layers + 1 } else { 1 } {
            bits.ue()?;
            reordered = bits.ue()?;
            bits.ue()?;
        }
        Some((width, height, crop, reordered > 0))
    };
    let (width, height, crop, reordered) = read().ok_or(SpsError::Unreadable)?;
    Ok(Sps { size: shown(width, height, crop)?, interlaced: false, reordered })
}

/// H.264, 7.3.2.1.1.1: passes over them.
fn scaling_lists(bits: &mut Bits, count: usize) -> Option<()> {
    for idx in 0..count {
        if !bits.flag()? {
            continue;
        }
        let (mut last, mut next) = (8i64, 8i64);
        for _ in 0..if idx < 6 { 16 } else { 64 } {
            if next != 0 {
                next = (last + bits.se()?).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
    }
    Some(())
}

/// H.265, 7.3.3: passes over it.
fn profile_tier_level(bits: &mut Bits, sub_layers: u32) -> Option<()> {
    bits.skip(88 + 8)?;
    let mut present = Vec::new();
    for _ in 0..sub_layers {
        present.push((bits.flag()?, bits.flag()?));
    }
    if sub_layers > 0 {
        bits.skip(2 * (8 - sub_layers as usize))?;
    }
    present
        .into_iter()
        .try_for_each(|(profile, level)| bits.skip(if profile { 88 } else { 0 } + if level { 8 } else { 0 }))
}

/// Pixels that one step of a cropping window takes, across and down, by `chroma_format_idc`.
fn chroma_steps(chroma: u32) -> Option<(u64, u64)> {
    match chroma {
        0 | 3 => Some((1, 1)),
        1 => Some((2, 2)),
        2 => Some((2, 1)),
        _ => None,
    }
}

/// Left, right, top and bottom of a cropping window, pixels.
fn window(bits: &mut Bits, step_x: u64, step_y: u64) -> Option<[u64; 4]> {
    if !bits.flag()? {
        return Some([0; 4]);
    }
    let mut side = |step: u64| bits.ue().map(|steps| step * u64::from(steps));
    Some([side(step_x)?, side(step_x)?, side(step_y)?, side(step_y)?])
}

fn shown(width: u64, height: u64, [left, right, top, bottom]: [u64; 4]) -> Result<Size, SpsError> {
    let within = |side: u64| side <= u64::from(MAX_SIDE);
    if !within(width) || !within(height) {
        return Err(SpsError::TooLarge);
    }
    let side = |coded: u64, crop: u64| {
        let shown = coded.checked_sub(crop).filter(|side| *side > 0)?;
        u32::try_from(shown).ok()
    };
    match (side(width, left + right), side(height, top + bottom)) {
        (Some(width), Some(height)) => Ok(Size { width, height }),
        _ => Err(SpsError::Unreadable),
    }
}
