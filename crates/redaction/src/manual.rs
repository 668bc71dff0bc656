use std::str::FromStr;

use placet_core::Rect;

/// A rectangle a person asked to hide, for all of the video or from one time to another.
///
/// Written `x,y,w,h` or `x,y,w,h@t0-t1`: whole or fractional pixels of the picture as it is shown; times in seconds (`90`,
/// `90.5`), `m:ss` or `h:mm:ss`. Either time may be left out: `@10-` is from 10 s to the end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ManualRegion {
    /// Where.
    pub rect: Rect,
    /// First second of media time, included.
    pub from_s: f64,
    /// Last second of media time, included; infinite where no end was given.
    pub to_s: f64,
}

/// Why a text is no [`ManualRegion`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManualRegionError {
    /// Not four numbers.
    #[error("region `{0}` does not have four numbers; write it as x,y,w,h or x,y,w,h@t0-t1")]
    Shape(String),
    /// One of the four is no number, or not finite.
    #[error("`{number}` in region `{region}` is not a number of pixels")]
    Number {
        /// The region as given.
        region: String,
        /// The part of it.
        number: String,
    },
    /// Width or height is zero or less.
    #[error("region `{0}` has no area; width and height must be above 0")]
    Empty(String),
    /// A time is no time.
    #[error("`{time}` in region `{region}` is not a time; write seconds, m:ss or h:mm:ss")]
    Time {
        /// The region as given.
        region: String,
        /// The part of it.
        time: String,
    },
    /// There is an `@` without `t0-t1` behind it.
    #[error("region `{0}` has no two times behind the @; write @t0-t1, @t0- or @-t1")]
    Times(String),
    /// It ends before it begins.
    #[error("region `{0}` ends before it begins")]
    Backwards(String),
}

impl ManualRegion {
    /// Whether it hides something at `time_s`.
    pub fn holds_at(&self, time_s: f64) -> bool {
        self.from_s <= time_s && time_s <= self.to_s
    }
}

impl FromStr for ManualRegion {
    type Err = ManualRegionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let region = || text.chars().take(80).collect::<String>();
        let (numbers, times) = match text.split_once('@') {
            Some((numbers, times)) => (numbers, Some(times)),
            None => (text, None),
        };
        let rect = rect(numbers, &region)?;
        let (from_s, to_s) = match times {
            None => (0.0, f64::INFINITY),
            Some(times) => span(times, &region)?,
        };
        if to_s < from_s {
            return Err(ManualRegionError::Backwards(region()));
        }
        Ok(Self { rect, from_s, to_s })
    }
}

fn rect(numbers: &str, region: &dyn Fn() -> String) -> Result<Rect, ManualRegionError> {
    let parts: Vec<&str> = numbers.split(',').collect();
    let [x, y, w, h] = parts[..] else { return Err(ManualRegionError::Shape(region())) };
    let number = |part: &str| {
        let bad = || ManualRegionError::Number { region: region(), number: part.chars().take(20).collect() };
        part.trim().parse::<f32>().ok().filter(|v| v.is_finite()).ok_or_else(bad)
    };
    let rect = Rect { x: number(x)?, y: number(y)?, w: number(w)?, h: number(h)? };
    if rect.w > 0.0 && rect.h > 0.0 { Ok(rect) } else { Err(ManualRegionError::Empty(region())) }
}

fn span(times: &str, region: &dyn Fn() -> String) -> Result<(f64, f64), ManualRegionError> {
    let (from, to) = times.split_once('-').ok_or_else(|| ManualRegionError::Times(region()))?;
    if from.trim().is_empty() && to.trim().is_empty() {
        return Err(ManualRegionError::Times(region()));
    }
    let time = |text: &str, missing: f64| match text.trim() {
        "" => Ok(missing),
        text => seconds(text).ok_or_else(|| ManualRegionError::Time {
            region: region(),
            time: text.chars().take(20).collect(),
        }),
    };
    Ok((time(from, 0.0)?, time(to, f64::INFINITY)?))
}

/// Seconds, `m:ss` or `h:mm:ss`; the last part may have decimals, the parts behind a colon stay below 60.
fn seconds(text: &str) -> Option<f64> {
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 {
        return None;
    }
    let (last, before) = parts.split_last()?;
    let mut total = 0.0;
    for (idx, part) in before.iter().enumerate() {
        total = total * 60.0 + digits(part, false).filter(|v| idx == 0 || *v < 60.0)?;
    }
    Some(total * 60.0 + digits(last, true).filter(|v| before.is_empty() || *v < 60.0)?)
}

fn digits(text: &str, decimals: bool) -> Option<f64> {
    let plain = |c: char| c.is_ascii_digit() || (decimals && c == '.');
    if text.len() > 20 || !text.chars().all(plain) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_people_write() {
        let rect = Rect { x: 10.0, y: 20.5, w: 300.0, h: 40.0 };
        for (text, from_s, to_s) in [
            ("10,20.5,300,40", 0.0, f64::INFINITY),
            ("10, 20.5, 300, 40 @ 1.5 - 3", 1.5, 3.0),
            ("10,20.5,300,40@1:05-1:02:03.25", 65.0, 3723.25),
            ("10,20.5,300,40@10-", 10.0, f64::INFINITY),
            ("10,20.5,300,40@-2", 0.0, 2.0),
            ("10,20.5,300,40@120-120", 120.0, 120.0),
        ] {
            assert_eq!(text.parse(), Ok(ManualRegion { rect, from_s, to_s }), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, message) in [
            ("", "region `` does not have four numbers; write it as x,y,w,h or x,y,w,h@t0-t1"),
            ("1,2,3", "region `1,2,3` does not have four numbers; write it as x,y,w,h or x,y,w,h@t0-t1"),
            ("1,2,b,4", "`b` in region `1,2,b,4` is not a number of pixels"),
            ("1,2,inf,4", "`inf` in region `1,2,inf,4` is not a number of pixels"),
            ("1,2,0,4", "region `1,2,0,4` has no area; width and height must be above 0"),
            ("1,2,3,4@5", "region `1,2,3,4@5` has no two times behind the @; write @t0-t1, @t0- or @-t1"),
            ("1,2,3,4@-", "region `1,2,3,4@-` has no two times behind the @; write @t0-t1, @t0- or @-t1"),
            (
                "1,2,3,4@1:75-9:00",
                "`1:75` in region `1,2,3,4@1:75-9:00` is not a time; write seconds, m:ss or h:mm:ss",
            ),
            ("1,2,3,4@1e3-", "`1e3` in region `1,2,3,4@1e3-` is not a time; write seconds, m:ss or h:mm:ss"),
            ("1,2,3,4@9-8", "region `1,2,3,4@9-8` ends before it begins"),
        ] {
            assert_eq!(text.parse::<ManualRegion>().unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[-0-9.,:@ einfa]{0,40}") {
            if let Ok(region) = text.parse::<ManualRegion>() {
                prop_assert!(region.rect.area() >= 0.0 && region.from_s >= 0.0 && region.to_s >= region.from_s);
                prop_assert!(region.from_s.is_finite());
            }
        }
    }
}
