//! The answer of `placet redact --json`: one record per input, and a summary that follows from them.

use serde::Serialize;

use crate::manifest::{Manifest, ManifestWire};

/// What a run did, input by input. Write-only, unsigned; the manifest of each output is its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// One per input, in the order they were taken up.
    pub files: Vec<FileReport>,
}

/// What became of one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// The input as the user named it.
    pub input: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took.
    pub elapsed_ms: u64,
}

/// What became of one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Redacted and written.
    Done {
        /// Where the output is, as the user would name it.
        output: String,
        /// What was done.
        manifest: Box<Manifest>,
    },
    /// Redacted, but the check still found a face, and nothing was written.
    Withheld {
        /// Where it found one, in words.
        reason: String,
    },
    /// Not taken up, since an output of an earlier run is there.
    Skipped {
        /// Why, in words.
        reason: String,
    },
    /// Could not be redacted.
    Failed {
        /// The error and its causes.
        error: String,
        /// The exit code it would have alone.
        exit_code: u8,
    },
}

impl Report {
    /// The report as indented JSON with a final newline.
    ///
    /// # Errors
    /// If a manifest has a number that no manifest can state (2^53 or more).
    pub fn to_json(&self) -> Result<String, ReportError> {
        let files: Vec<FileWire<'_>> = self.files.iter().map(FileWire::from).collect();
        let wire = ReportWire { summary: self.summary(), files };
        serde_json::to_string_pretty(&wire).map(|json| json + "\n").map_err(|e| ReportError(e.to_string()))
    }

    fn summary(&self) -> SummaryWire {
        let count = |wanted: fn(&Outcome) -> bool| self.files.iter().filter(|f| wanted(&f.outcome)).count();
        let manifests = || {
            self.files.iter().filter_map(|f| match &f.outcome {
                Outcome::Done { manifest, .. } => Some(manifest),
                Outcome::Withheld { .. } | Outcome::Skipped { .. } | Outcome::Failed { .. } => None,
            })
        };
        SummaryWire {
            files: self.files.len(),
            done: count(|o| matches!(o, Outcome::Done { .. })),
            withheld: count(|o| matches!(o, Outcome::Withheld { .. })),
            skipped: count(|o| matches!(o, Outcome::Skipped { .. })),
            failed: count(|o| matches!(o, Outcome::Failed { .. })),
            frames: manifests().map(|m| m.media.frames).sum(),
            tracks: manifests().map(|m| m.tracks.count()).sum(),
            elapsed_ms: self.files.iter().map(|f| f.elapsed_ms).sum(),
        }
    }
}

/// Why a report could not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("report cannot be written: {0}")]
pub struct ReportError(String);

#[derive(Serialize)]
struct ReportWire<'a> {
    files: Vec<FileWire<'a>>,
    summary: SummaryWire,
}

#[derive(Serialize)]
struct FileWire<'a> {
    input: &'a str,
    #[serde(flatten)]
    outcome: OutcomeWire<'a>,
    elapsed_ms: u64,
}

#[derive(Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
enum OutcomeWire<'a> {
    Done { output: &'a str, manifest: Box<ManifestWire> },
    Withheld { reason: &'a str },
    Skipped { reason: &'a str },
    Failed { error: &'a str, exit_code: u8 },
}

#[derive(Serialize)]
struct SummaryWire {
    files: usize,
    done: usize,
    withheld: usize,
    skipped: usize,
    failed: usize,
    frames: u64,
    tracks: u64,
    elapsed_ms: u64,
}

impl<'a> From<&'a FileReport> for FileWire<'a> {
    fn from(file: &'a FileReport) -> Self {
        let outcome = match &file.outcome {
            Outcome::Done { output, manifest } => {
                OutcomeWire::Done { output, manifest: Box::new(ManifestWire::from(&**manifest)) }
            }
            Outcome::Withheld { reason } => OutcomeWire::Withheld { reason },
            Outcome::Skipped { reason } => OutcomeWire::Skipped { reason },
            Outcome::Failed { error, exit_code } => OutcomeWire::Failed { error, exit_code: *exit_code },
        };
        Self { input: &file.input, outcome, elapsed_ms: file.elapsed_ms }
    }
}
