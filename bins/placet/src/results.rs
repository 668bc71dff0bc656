//! Everything a job leaves: each name claimed before the work, all of them filled, then all put in place.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use placet_job::{JobError, OutputError, Pending};
use placet_record::manifest::FIRST_LINE;

use crate::{Failure, side};

/// The names that were asked for.
pub struct Wanted<'a> {
    /// Whatever is read in this run: none of it is written to.
    pub inputs: &'a [&'a Path],
    pub output: &'a Path,
    pub manifest: Option<Manifest>,
    pub explain: Option<&'a Path>,
    pub compare: Option<&'a Path>,
    /// Existing files may be replaced.
    pub overwrite: bool,
}

/// Where the manifest goes.
pub struct Manifest {
    pub path: PathBuf,
    /// Nobody named it: it is the one beside the output, and one that an earlier run left there without its output may go.
    pub beside: bool,
}

/// Claimed names. Dropping them leaves nothing.
pub struct Results {
    pub output: Pending,
    pub manifest: Option<Pending>,
    pub explain: Option<Pending>,
    pub compare: Option<Pending>,
}

impl Results {
    /// Claims all names.
    ///
    /// # Errors
    /// Where one is taken, is the input, cannot be written, or two are the same.
    pub fn claim(wanted: &Wanted<'_>) -> Result<Self, Failure> {
        let named = [
            Some(wanted.output),
            wanted.manifest.as_ref().map(|m| m.path.as_path()),
            wanted.explain,
            wanted.compare,
        ];
        let mut places = Vec::new();
        for path in named.into_iter().flatten() {
            let place = place(path);
            if places.contains(&place) {
                return Err(Failure::Usage(format!(
                    "`{}` is named for two results; give each its own name",
                    path.display()
                )));
            }
            places.push(place);
        }
        if let Some(file) = wanted.explain {
            side::can_draw(file)?;
        }
        let claim = |path: &Path, overwrite: bool| {
            Pending::claim(path, wanted.inputs, overwrite).map_err(|e| Failure::from(JobError::from(e)))
        };
        let manifest = |m: &Manifest| claim(&m.path, wanted.overwrite || m.beside && is_manifest(&m.path));
        Ok(Self {
            output: claim(wanted.output, wanted.overwrite)?,
            manifest: wanted.manifest.as_ref().map(manifest).transpose()?,
            explain: wanted.explain.map(|p| claim(p, wanted.overwrite)).transpose()?,
            compare: wanted.compare.map(|p| claim(p, wanted.overwrite)).transpose()?,
        })
    }

    /// Puts all in place, the output last: where it stands, its manifest stands already.
    ///
    /// # Errors
    /// Where one cannot be put in place; those that were not there before are taken away again.
    pub fn commit(self) -> Result<(), Failure> {
        let mut new = Vec::new();
        // A manifest of an earlier output is not given up for one that cannot be put in place.
        if self.output.is_taken() {
            return Err(JobError::from(OutputError::Exists(self.output.target().to_owned())).into());
        }
        // The comparison shows the faces.
        let all =
            [(self.manifest, false), (self.explain, false), (self.compare, true), (Some(self.output), false)];
        for (pending, private) in all.into_iter().filter_map(|(p, private)| Some((p?, private))) {
            let target = pending.target().to_owned();
            let there = target.symlink_metadata().is_ok();
            let put = if private { pending.commit_private() } else { pending.commit() };
            if let Err(e) = put {
                for file in &new {
                    // Best effort: what stays is a drawing or a manifest of a result that is not there.
                    let _ = fs::remove_file(file);
                }
                return Err(JobError::from(e).into());
            }
            if !there {
                new.push(target);
            }
        }
        Ok(())
    }
}

/// Writes all of a small result.
pub fn fill(pending: &mut Pending, bytes: &[u8]) -> Result<(), Failure> {
    let path = pending.target().to_owned();
    let written = pending.file().write_all(bytes);
    written.map_err(|source| JobError::from(OutputError::Write { path, source }).into())
}

/// A name that is the same for the same file, whether it exists or not.
fn place(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = parent.canonicalize().unwrap_or_else(|_| parent.to_owned());
    parent.join(path.file_name().unwrap_or_default())
}

fn is_manifest(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = fs::File::open(path).and_then(|f| f.take(FIRST_LINE.len() as u64).read_to_end(&mut head));
    read.is_ok() && head == FIRST_LINE.as_bytes()
}
