use std::fmt;
use std::str::FromStr;

/// A day of the Gregorian calendar between 1900 and 2199, as days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date(i32);

/// A text that is no day of the calendar, or one outside 1900 to 2199.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Not of the form `2026-11-22`.
    #[error("`{0}` is not a date; write 2026-11-22")]
    Form(String),
    /// The month has no such day.
    #[error("{year:04}-{month:02}-{day:02} does not exist in the calendar")]
    NoSuchDay {
        /// Year as written.
        year: i32,
        /// Month as written.
        month: u32,
        /// Day as written.
        day: u32,
    },
    /// The year lies outside 1900 to 2199.
    #[error("the year {0} is out of range; years from 1900 to 2199 are read")]
    Year(i32),
}

impl Date {
    /// The first day that can be written.
    pub const MIN: Self = Self(-25_567);
    /// The last day that can be written.
    pub const MAX: Self = Self(84_005);

    /// The day `year-month-day`.
    ///
    /// # Errors
    /// If the calendar has no such day, or the year lies outside 1900 to 2199.
    pub fn new(year: i32, month: u32, day: u32) -> Result<Self, DateError> {
        if !(1900..2200).contains(&year) {
            return Err(DateError::Year(year));
        }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u32::from(leap),
            _ => 0,
        };
        if day == 0 || day > length {
            return Err(DateError::NoSuchDay { year, month, day });
        }
        // Days from civil, after Howard Hinnant's chrono-compatible date algorithms.
        let y = year - i32::from(month <= 2);
        let era = y.div_euclid(400);
        let year_of_era = y.rem_euclid(400);
        let month = month.cast_signed();
        let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day.cast_signed() - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Ok(Self(era * 146_097 + day_of_era - 719_468))
    }

    /// The day that many days after 1970-01-01, cut to the days that can be written.
    pub fn from_days(days: i32) -> Self {
        Self(days.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// The day in which the instant lies, in UTC; seconds since 1970-01-01.
    pub fn from_unix_seconds(seconds: i64) -> Self {
        let days = seconds.div_euclid(86_400);
        Self::from_days(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }

    /// Days since 1970-01-01.
    pub fn days(self) -> i32 {
        self.0
    }

    /// The day before, or the first day that can be written.
    pub fn before(self) -> Self {
        Self::from_days(self.0.saturating_sub(1))
    }

    /// The day after, or the last day that can be written.
    pub fn after(self) -> Self {
        Self::from_days(self.0.saturating_add(1))
    }

    /// Year, month, day.
    pub fn civil(self) -> (i32, u32, u32) {
        let z = self.0 + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let mp = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = year_of_era + era * 400 + i32::from(month <= 2);
        (year, month.cast_unsigned(), day.cast_unsigned())
    }

    /// The day in words: `2 December 2027`.
    pub fn words(self) -> String {
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let (year, month, day) = self.civil();
        let month = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
        format!("{day} {month} {year}")
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let form = || DateError::Form(text.chars().take(40).collect());
        let mut parts = text.split('-');
        let (Some(y), Some(m), Some(d), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(form());
        };
        if y.len() != 4
            || m.len() != 2
            || d.len() != 2
            || !text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        {
            return Err(form());
        }
        let year = y.parse().map_err(|_| form())?;
        let month = m.parse().map_err(|_| form())?;
        let day = d.parse().map_err(|_| form())?;
        Self::new(year, month, day)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_prints_and_parses_back() {
        for days in Date::MIN.days()..=Date::MAX.days() {
            let date = Date::from_days(days);
            assert_eq!(date.to_string().parse(), Ok(date));
        }
        assert_eq!(Date::MIN.to_string(), "1900-01-01");
        assert_eq!(Date::MAX.to_string(), "2199-12-31");
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in
            ["2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "26-04-30", "2026-4-30", "+026-04-30"]
        {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        assert_eq!("9999-01-01".parse::<Date>(), Err(DateError::Year(9999)));
        assert!("2028-02-29".parse::<Date>().is_ok());
    }
}
