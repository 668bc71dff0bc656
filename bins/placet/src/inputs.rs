//! Which files a command line names, and where each result goes.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use placet_ingest::video::Container;
use walkdir::WalkDir;

/// Endings taken from folders. A file named on the command line is tried whatever its ending.
const PICTURES: [&str; 9] = ["jpg", "jpeg", "jpe", "png", "webp", "bmp", "tif", "tiff", "gif"];
const VIDEOS: [&str; 17] = [
    "mp4", "m4v", "mov", "mkv", "webm", "avi", "mts", "m2ts", "ts", "mpg", "mpeg", "wmv", "flv", "3gp",
    "ogv", "vob", "mxf",
];

/// One input and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The file.
    pub input: PathBuf,
    /// Its result.
    pub output: PathBuf,
    /// A folder's file is passed over when its result is already there.
    pub resumable: bool,
}

/// All tasks of a command line.
#[derive(Debug, Default)]
pub struct Tasks {
    /// In a fixed order.
    pub tasks: Vec<Task>,
    /// Files in folders that are no pictures or videos by their ending.
    pub passed_over: Vec<PathBuf>,
    /// Links in folders to pictures, videos and folders, which are not followed.
    pub links: Vec<PathBuf>,
    /// The folder that all results go to, where there is one.
    pub folder: Option<PathBuf>,
}

/// Why a command line makes no tasks.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    #[error("`{0}` does not exist")]
    Missing(PathBuf),
    #[error("`{0}` is a live camera; `placet redact` takes files and folders")]
    Camera(PathBuf),
    #[error("several inputs need a folder as -o, and `{0}` is a file")]
    NotAFolder(PathBuf),
    #[error("`{0}` and `{1}` would both become `{2}`; run them separately")]
    Clash(PathBuf, PathBuf, PathBuf),
    #[error("the output folder `{0}` lies inside the input folder; choose one outside it")]
    Inside(PathBuf),
    #[error("cannot list `{0}`")]
    List(PathBuf, #[source] walkdir::Error),
    #[error("no pictures or videos in {0}")]
    Nothing(String),
}

/// Resolves `inputs` (none of them `-`).
///
/// # Errors
/// [`InputError`]; nothing has been touched.
pub fn resolve(inputs: &[PathBuf], output: Option<&Path>) -> Result<Tasks, InputError> {
    for input in inputs {
        if input.as_os_str() == "cam" || input.to_string_lossy().starts_with("<video") {
            return Err(InputError::Camera(input.clone()));
        }
        if !input.exists() {
            return Err(InputError::Missing(input.clone()));
        }
    }
    let several = inputs.len() > 1 || inputs.iter().any(|i| i.is_dir());
    let mut all = Tasks::default();
    if !several {
        if let [input] = inputs {
            let output = match output {
                Some(o) if o.is_dir() => o.join(anonymized(input)),
                Some(o) => o.to_owned(),
                None => input.with_file_name(anonymized(input)),
            };
            all.tasks.push(Task { input: input.clone(), output, resumable: false });
        }
        return Ok(all);
    }
    if let Some(o) = output.filter(|o| !o.is_dir() && (o.exists() || is_media(o))) {
        return Err(InputError::NotAFolder(o.to_owned()));
    }
    for input in inputs {
        if input.is_dir() {
            let root = match output {
                Some(o) if inputs.len() > 1 => o.join(last_name(input)),
                Some(o) => o.to_owned(),
                None => sibling(input),
            };
            all.folder.get_or_insert_with(|| output.map_or_else(|| root.clone(), Path::to_owned));
            folder(input, &root, &mut all)?;
        } else {
            let output = match output {
                Some(o) => o.join(anonymized(input)),
                None => input.with_file_name(anonymized(input)),
            };
            all.tasks.push(Task { input: input.clone(), output, resumable: true });
        }
    }
    if all.folder.is_none() {
        all.folder = output.map(Path::to_owned);
    }
    if all.tasks.is_empty() {
        let names: Vec<String> = inputs.iter().map(|i| format!("`{}`", i.display())).collect();
        return Err(InputError::Nothing(names.join(", ")));
    }
    let mut taken: BTreeMap<&Path, &Path> = BTreeMap::new();
    for t in &all.tasks {
        if let Some(first) = taken.insert(&t.output, &t.input) {
            return Err(InputError::Clash(first.to_owned(), t.input.clone(), t.output.clone()));
        }
    }
    Ok(all)
}

/// Files of `input`, mirrored under `root`; links are not followed, hidden files and earlier results left out.
pub fn folder(input: &Path, root: &Path, all: &mut Tasks) -> Result<(), InputError> {
    if input.canonicalize().is_ok_and(|i| place_of(root).starts_with(&i)) {
        return Err(InputError::Inside(root.to_owned()));
    }
    let visible = |e: &walkdir::DirEntry| e.depth() == 0 || !e.file_name().to_string_lossy().starts_with('.');
    for entry in WalkDir::new(input).sort_by_file_name().into_iter().filter_entry(visible) {
        let entry = entry.map_err(|e| InputError::List(input.to_owned(), e))?;
        let path = entry.path();
        if entry.path_is_symlink() && entry.depth() > 0 && (is_media(path) || path.is_dir()) {
            all.links.push(path.to_owned());
        }
        if !entry.file_type().is_file() {
            continue;
        }
        let inner = path.strip_prefix(input).unwrap_or(path);
        if is_media(path) && !is_result(path) {
            let mut output = root.join(inner).into_os_string();
            if let Some(other) = other_ending(path) {
                // Appended, so that `a.avi` and `a.mkv` beside each other stay two.
                output.push(".");
                output.push(other);
            }
            all.tasks.push(Task { input: path.to_owned(), output: output.into(), resumable: true });
        } else {
            all.passed_over.push(path.to_owned());
        }
    }
    Ok(())
}

/// Where a folder is or will be: as far as it exists by its true name.
fn place_of(path: &Path) -> PathBuf {
    let mut rest: Vec<OsString> = Vec::new();
    let mut there = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    loop {
        if let Ok(mut place) = there.canonicalize() {
            for name in rest.iter().rev() {
                // Of what does not exist yet, nothing is a link.
                if name == ".." {
                    place.pop()
                } else {
                    place.push(name);
                    true
                };
            }
            return place;
        }
        rest.extend(there.components().next_back().map(|last| last.as_os_str().to_owned()));
        if !there.pop() {
            return path.to_owned();
        }
    }
}

/// The ending of the result where the input's own names a container that is read and not written: Matroska takes
/// nearly any sound.
fn other_ending(input: &Path) -> Option<&'static str> {
    let ext = input.extension()?.to_string_lossy().to_lowercase();
    (VIDEOS.contains(&ext.as_str()) && Container::for_extension(input).is_none()).then_some("mkv")
}

/// deface's default name, `<name>_anonymized.<ext>`; with another ending where that container is not written.
pub fn anonymized(input: &Path) -> OsString {
    let mut name = input.file_stem().unwrap_or(OsStr::new("output")).to_owned();
    name.push("_anonymized");
    if let Some(ext) = other_ending(input).map(OsStr::new).or(input.extension()) {
        name.push(".");
        name.push(ext);
    }
    name
}

fn sibling(dir: &Path) -> PathBuf {
    let mut name = last_name(dir);
    name.push("_anonymized");
    dir.canonicalize().unwrap_or_else(|_| dir.to_owned()).with_file_name(name)
}

fn last_name(dir: &Path) -> OsString {
    dir.canonicalize()
        .ok()
        .and_then(|d| d.file_name().map(OsStr::to_owned))
        .unwrap_or_else(|| OsString::from("folder"))
}

/// By ending.
pub fn is_media(path: &Path) -> bool {
    let Some(ext) = path.extension() else { return false };
    let ext = ext.to_string_lossy().to_lowercase();
    PICTURES.contains(&ext.as_str()) || VIDEOS.contains(&ext.as_str())
}

/// An earlier result beside its input.
fn is_result(path: &Path) -> bool {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let Some(original) = stem.strip_suffix("_anonymized") else { return false };
    let source = |ext: &OsStr| {
        let mut name = OsString::from(original);
        name.push(".");
        name.push(ext);
        path.with_file_name(name)
    };
    let Some(ext) = path.extension() else { return false };
    let same = source(ext);
    let read_only = VIDEOS.iter().map(|ext| source(OsStr::new(ext)));
    same.exists() || read_only.filter(|p| other_ending(p).map(OsStr::new) == Some(ext)).any(|p| p.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for f in files {
            let p = dir.path().join(f);
            std::fs::create_dir_all(p.parent().unwrap()).unwrap();
            std::fs::write(p, b"x").unwrap();
        }
        dir
    }

    #[test]
    fn one_file_keeps_deface_s_name() {
        let d = tree(&["a.b.mp4"]);
        let t = resolve(&[d.path().join("a.b.mp4")], None).unwrap();
        assert_eq!(t.tasks[0].output, d.path().join("a.b_anonymized.mp4"));
        let into = resolve(&[d.path().join("a.b.mp4")], Some(d.path())).unwrap();
        assert_eq!(into.tasks[0].output, d.path().join("a.b_anonymized.mp4"));
    }

    #[test]
    fn a_folder_is_mirrored_without_earlier_results_and_hidden_files() {
        let d =
            tree(&["in/a.mp4", "in/sub/b.JPG", "in/a_anonymized.mp4", "in/.hidden/c.png", "in/notes.txt"]);
        let t = resolve(&[d.path().join("in")], Some(&d.path().join("out"))).unwrap();
        let out: Vec<_> =
            t.tasks.iter().map(|t| t.output.strip_prefix(d.path()).unwrap().to_owned()).collect();
        assert_eq!(out, [Path::new("out/a.mp4"), Path::new("out/sub/b.JPG")]);
        assert_eq!(t.passed_over.len(), 2);
    }

    #[test]
    fn links_in_a_folder_are_told_and_not_followed() {
        let d = tree(&["in/a.png", "else/b.png", "else/sub/c.png"]);
        let link = |to: &str, name: &str| {
            std::os::unix::fs::symlink(d.path().join(to), d.path().join(name)).unwrap()
        };
        link("else/b.png", "in/b.png");
        link("else/sub", "in/sub");
        link("else/notes", "in/notes");
        let t = resolve(&[d.path().join("in")], Some(&d.path().join("out"))).unwrap();
        assert_eq!(t.tasks.len(), 1);
        assert_eq!(t.links, [d.path().join("in/b.png"), d.path().join("in/sub")]);
        // A link that is itself named is followed.
        link("else", "named");
        assert_eq!(resolve(&[d.path().join("named")], Some(&d.path().join("out"))).unwrap().tasks.len(), 2);
    }

    #[test]
    fn a_container_that_is_not_written_becomes_matroska() {
        let d = tree(&["in/a.AVI", "in/a.mkv", "in/b.mpg", "in/c.mp4"]);
        let one = resolve(&[d.path().join("in/a.AVI")], None).unwrap();
        assert_eq!(one.tasks[0].output, d.path().join("in/a_anonymized.mkv"));
        let all = resolve(&[d.path().join("in")], Some(&d.path().join("out"))).unwrap();
        let names: Vec<_> = all
            .tasks
            .iter()
            .map(|t| t.output.strip_prefix(d.path().join("out")).unwrap().to_owned())
            .collect();
        assert_eq!(names, ["a.AVI.mkv", "a.mkv", "b.mpg.mkv", "c.mp4"].map(PathBuf::from));
    }

    #[test]
    fn two_inputs_of_one_name_do_not_overwrite_each_other() {
        let d = tree(&["x/a.mp4", "y/a.mp4"]);
        let inputs = [d.path().join("x/a.mp4"), d.path().join("y/a.mp4")];
        assert!(matches!(resolve(&inputs, Some(&d.path().join("out"))), Err(InputError::Clash(..))));
        assert!(resolve(&inputs, None).is_ok());
    }

    #[test]
    fn wrong_command_lines_say_why() {
        let d = tree(&["in/a.mp4", "in/out/.keep", "f.mp4", "g.mp4"]);
        let p = |s: &str| d.path().join(s);
        assert!(matches!(resolve(&[p("nope.mp4")], None), Err(InputError::Missing(_))));
        assert!(matches!(resolve(&["cam".into()], None), Err(InputError::Camera(_))));
        assert!(matches!(
            resolve(&[p("f.mp4"), p("g.mp4")], Some(&p("in/a.mp4"))),
            Err(InputError::NotAFolder(_))
        ));
        assert!(matches!(resolve(&[p("in")], Some(&p("in/out"))), Err(InputError::Inside(_))));
        assert!(matches!(resolve(&[p("in/out")], None), Err(InputError::Nothing(_))));
        // Neither where it is not there yet, however it is named.
        std::os::unix::fs::symlink(p("in"), p("link")).unwrap();
        for inside in ["in/new", "in/new/deeper", "in/new/../new", "link/new", "new/../in/new"] {
            assert!(matches!(resolve(&[p("in")], Some(&p(inside))), Err(InputError::Inside(_))), "{inside}");
        }
        for outside in ["new", "in/../new", "in_new"] {
            assert!(resolve(&[p("in")], Some(&p(outside))).is_ok(), "{outside}");
        }
    }
}
