use std::fs;
use std::path::Path;

use crate::command::{output, program, root};

/// Longer files are data.
const LONGEST: u64 = 512 << 10;

/// The text files of a repository.
pub struct Tree {
    pub files: Vec<File>,
}

/// A text file. Its path is relative to the repository, with `/`.
pub struct File {
    pub path: String,
    pub text: String,
}

impl Tree {
    /// What git tracks or would track, as it lies in the working folder.
    pub fn of_repository() -> Result<Self, String> {
        let listed =
            output(program("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
        let mut files: Vec<File> = listed.split_terminator('\0').filter_map(read).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        Ok(Self { files })
    }

    /// A tree of the given paths and texts.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|&(path, text)| File { path: path.to_owned(), text: text.to_owned() });
        Self { files: files.collect() }
    }

    /// The text of one file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }

    /// Whether the repository has a file or a folder of this path.
    pub fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        let path = path.trim_end_matches('/');
        self.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
            || root().join(path).exists()
    }

    /// Files whose path begins and ends so.
    pub fn matching(&self, start: &str, end: &str) -> impl Iterator<Item = &File> {
        self.files.iter().filter(move |file| file.path.starts_with(start) && file.path.ends_with(end))
    }
}

fn read(path: &str) -> Option<File> {
    let full = root().join(Path::new(path));
    // Listed and deleted is no longer there; binary and huge files are not for reading.
    let small = fs::metadata(&full).is_ok_and(|meta| meta.is_file() && meta.len() <= LONGEST);
    let text = small.then(|| fs::read_to_string(&full).ok()).flatten()?;
    Some(File { path: path.to_owned(), text })
}
