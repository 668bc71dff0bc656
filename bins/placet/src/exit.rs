//! The one table from outcomes to exit codes (see `placet --help`).

use std::process::ExitCode;

use placet_job::{JobError, Kind};

/// Exit codes a script can rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, allowed, proved.
    Done = 0,
    /// Tried and failed.
    Failed = 1,
    /// Bad usage or input.
    Usage = 2,
    /// Refused or prohibited.
    Refused = 3,
    /// Something needed is missing.
    Unavailable = 4,
    /// Some inputs failed, the rest is done.
    Partly = 5,
    /// The check still found a face.
    Withheld = 6,
    /// Facts are missing.
    CannotSay = 7,
    /// A proof does not hold.
    Invalid = 8,
    /// Ours.
    Bug = 70,
}

impl From<Exit> for ExitCode {
    fn from(e: Exit) -> Self {
        Self::from(e as u8)
    }
}

impl From<&JobError> for Exit {
    fn from(e: &JobError) -> Self {
        match e.kind() {
            Kind::Failed => Self::Failed,
            Kind::BadInput => Self::Usage,
            Kind::Unavailable => Self::Unavailable,
            Kind::Withheld => Self::Withheld,
            Kind::Bug => Self::Bug,
        }
    }
}

/// What a run over several inputs comes to.
pub fn together(each: &[Exit]) -> Exit {
    let failed: Vec<Exit> = each.iter().copied().filter(|&e| e != Exit::Done).collect();
    match failed.as_slice() {
        [] => Exit::Done,
        [first, ..] if failed.len() == each.len() => {
            if failed.iter().all(|e| e == first) {
                *first
            } else {
                Exit::Failed
            }
        }
        _ => Exit::Partly,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_inputs_come_to_one_code() {
        use Exit::{Done, Failed, Partly, Usage, Withheld};
        for (each, want) in [
            (&[Done][..], Done),
            (&[Withheld], Withheld),
            (&[Done, Withheld], Partly),
            (&[Usage, Usage], Usage),
            (&[Usage, Withheld], Failed),
            (&[], Done),
        ] {
            assert_eq!(together(each), want, "{each:?}");
        }
    }
}
