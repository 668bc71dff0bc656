//! Names of segments, and the calls that make their files.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use placet_record::entry::CameraId;

use crate::UtcMs;

const ENDING: &str = ".sealed";

/// The first instant and the number of a segment, as its file is named: `1795326000000-0000000007.sealed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    pub start: UtcMs,
    pub number: u64,
}

impl Name {
    pub fn to_file(self) -> String {
        format!("{:013}-{:010}{ENDING}", self.start.0, self.number)
    }

    pub fn parse(file: &str) -> Option<Self> {
        let (start, number) = file.strip_suffix(ENDING)?.split_once('-')?;
        let digits =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let name = Self { start: UtcMs(digits(start)?), number: digits(number)? };
        (name.to_file() == file).then_some(name)
    }
}

/// The folder of a camera's segments; none for `..` and the like, which are names of cameras and no names of folders.
pub fn camera_folder(folder: &Path, camera: &CameraId) -> Option<PathBuf> {
    let name = camera.as_str();
    name.bytes().any(|b| b != b'.').then(|| folder.join(name))
}

/// The segments in a camera's folder, in no order. Whatever else lies there is passed over.
pub fn segments(folder: &Path) -> io::Result<Vec<(Name, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_str().and_then(Name::parse);
        if let Some(name) = name
            && entry.file_type()?.is_file()
        {
            found.push((name, entry.path()));
        }
    }
    Ok(found)
}

/// Makes a folder that only its owner can look into, if there is none.
pub fn make_folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            if fs::symlink_metadata(path)?.is_dir() {
                Ok(())
            } else {
                Err(io::ErrorKind::NotADirectory.into())
            }
        }
        other => other,
    }
}

/// A new file that only its owner can read, and never one that is there.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_spelling() {
        let name = Name { start: UtcMs(1_795_326_000_000), number: 7 };
        assert_eq!(name.to_file(), "1795326000000-0000000007.sealed");
        assert_eq!(Name::parse(&name.to_file()), Some(name));
        let most = Name { start: UtcMs(u64::MAX), number: u64::MAX };
        assert_eq!(Name::parse(&most.to_file()), Some(most));
        for bad in ["", "1-2.sealed", "+795326000000-0000000007.sealed", "1795326000000-0000000007.sealed~"] {
            assert_eq!(Name::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn no_camera_leads_out_of_the_folder() {
        let of = |name: &str| camera_folder(Path::new("/s"), &name.parse().unwrap());
        assert_eq!((of(".."), of("."), of("...")), (None, None, None));
        assert_eq!(of("a..b"), Some(PathBuf::from("/s/a..b")));
    }
}
