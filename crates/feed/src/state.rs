use std::fmt;
use std::sync::Arc;

/// What viewers are told of a camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Pictures come, redacted.
    Live,
    /// Pictures come and are covered whole, since they could not be judged.
    Covered(Reason),
    /// No pictures come.
    Away(Reason),
}

/// Why, in words for viewers: no credentials, addresses or paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(Arc<str>);

/// Characters of a reason that are shown.
const LONGEST: usize = 200;

impl Reason {
    /// `text`, without control characters, cut at 200 characters.
    pub fn new(text: &str) -> Self {
        Self(text.chars().filter(|c| !c.is_control()).take(LONGEST).collect::<String>().into())
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl State {
    /// Covered whole, for this reason.
    pub fn covered(why: &str) -> Self {
        Self::Covered(Reason::new(why))
    }

    /// Away, for this reason.
    pub fn away(why: &str) -> Self {
        Self::Away(Reason::new(why))
    }

    /// The headline: what is, without why.
    pub fn headline(&self) -> &'static str {
        match self {
            Self::Live => "REDACTED LIVE",
            Self::Covered(_) => "COVERED",
            Self::Away(_) => "AWAY",
        }
    }

    /// Why it is not live.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Live => None,
            Self::Covered(why) | Self::Away(why) => Some(why.as_str()),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.headline())?;
        self.reason().map_or(Ok(()), |why| write!(f, " ({why})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_told_in_words_and_a_reason_is_bounded() {
        assert_eq!(State::Live.to_string(), "REDACTED LIVE");
        assert_eq!(State::covered("the detector is late").to_string(), "COVERED (the detector is late)");
        let long = State::away(&format!("no answer\r\n\u{1b}[2J{}", "x".repeat(1_000)));
        assert_eq!(long.reason().map(str::len), Some(200));
        assert!(long.to_string().starts_with("AWAY (no answer[2Jxxx"));
    }
}
