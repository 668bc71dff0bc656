use std::fmt;

/// Something wrong with the file, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1; none where it is about the whole file.
    pub line: Option<usize>,
    /// What and what to do, in words without secrets.
    pub words: String,
}

impl Problem {
    pub(crate) fn at(line: usize, words: impl Into<String>) -> Self {
        Self { line: Some(line), words: words.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.words),
            None => f.write_str(&self.words),
        }
    }
}

impl std::error::Error for Problem {}
