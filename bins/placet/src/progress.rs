//! How far a run has come, on standard error.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use placet_core::is_unseen;
use placet_job::Watch;

/// Set by the first interrupt.
pub static STOP: AtomicBool = AtomicBool::new(false);

/// Lets Ctrl-C and a termination request end a run in order: children stopped, no half file left.
pub fn stop_in_order() {
    // Fails only where a handler is already set, and then that one serves.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            // Asked twice: what is half done lies under hidden names and is taken over by the next run.
            std::process::exit(1);
        }
    });
}

/// A line as a terminal may be given it: names of files and of tags in them are foreign, and could otherwise move the
/// cursor, forge lines or turn the direction of writing.
pub fn printable(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        if is_unseen(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// Bars for several files at once.
pub struct Screen {
    bars: MultiProgress,
    quiet: bool,
}

impl Screen {
    /// Bars where standard error is a terminal, plain notes elsewhere, nothing when `quiet`.
    pub fn new(quiet: bool) -> Self {
        let bars = MultiProgress::new();
        if quiet {
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self { bars, quiet }
    }

    /// A line above the bars.
    pub fn say(&self, line: &str) {
        if self.quiet {
            return;
        }
        let line = &printable(line);
        if self.bars.is_hidden() || self.bars.println(line).is_err() {
            eprintln!("{line}");
        }
    }

    /// A bar for one file.
    pub fn file<'a>(&'a self, name: &'a str) -> FileBar<'a> {
        let bar = self.bars.add(ProgressBar::new(0));
        let style = ProgressStyle::with_template(
            "{prefix:.bold} {wide_bar} {percent:>3} %  {per_sec}  {eta} left  {msg}",
        );
        if let Ok(style) = style {
            bar.set_style(style.with_key(
                "per_sec",
                |s: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
                    // A failed write to the bar's own buffer cannot be told to anybody.
                    let _ = write!(w, "{:.1} frames/s", s.per_sec());
                },
            ));
        }
        bar.set_prefix(printable(name));
        bar.enable_steady_tick(Duration::from_millis(200));
        FileBar { screen: self, bar, name }
    }
}

/// One file's bar.
pub struct FileBar<'a> {
    screen: &'a Screen,
    bar: ProgressBar,
    name: &'a str,
}

impl Watch for FileBar<'_> {
    fn progress(&self, done: u64, total: Option<u64>, tracks: usize) {
        if let Some(total) = total {
            self.bar.set_length(total);
        }
        self.bar.set_position(done);
        self.bar.set_message(crate::manifests::counted(tracks as u64, "face"));
    }

    fn note(&self, line: &str) {
        self.screen.say(&format!("{}: {line}", self.name));
    }

    fn cancelled(&self) -> bool {
        STOP.load(Ordering::Relaxed)
    }
}

impl Drop for FileBar<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_names_do_not_steer_the_terminal() {
        assert_eq!(
            printable("a\u{1b}]0;x\u{7}b\r\nc\u{202e}d ä.mp4"),
            "a\\u{1b}]0;x\\u{7}b\\r\\nc\\u{202e}d ä.mp4"
        );
    }
}
