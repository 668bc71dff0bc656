use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;

use crate::models::{Model, ModelDir, ModelError};
use crate::{Input, ViewError};

/// Why faces could not be looked for. A frame for which this comes back was not judged.
#[derive(Debug, thiserror::Error)]
pub enum VisionError {
    /// The runtime's library does not load.
    #[error("cannot load the runtime `{}`; `placet models install` installs it", path.display())]
    Runtime {
        /// The library.
        path: PathBuf,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A process loads one runtime, once.
    #[error("cannot load the runtime `{}`: `{}` is loaded already", asked.display(), loaded.display())]
    OtherRuntime {
        /// The library in use.
        loaded: PathBuf,
        /// The one asked for.
        asked: PathBuf,
    },
    /// The model's file is missing or not the right one.
    #[error("cannot load `{file}`")]
    Model {
        /// Its file name.
        file: &'static str,
        /// Why.
        source: ModelError,
    },
    /// The runtime refuses the model.
    #[error("the runtime refuses the model `{file}`")]
    Session {
        /// Its file name.
        file: &'static str,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The runtime failed on a picture.
    #[error("`{file}` failed on a picture of {width}x{height}")]
    Run {
        /// File name of the model.
        file: &'static str,
        /// Columns of its input.
        width: u32,
        /// Rows of its input.
        height: u32,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The network answered something it should not.
    #[error("output `{output}` of `{file}` is not usable: {what}")]
    Output {
        /// File name of the model.
        file: &'static str,
        /// Name of the output.
        output: &'static str,
        /// What is wrong.
        what: &'static str,
    },
    /// A view that cannot be taken of this frame.
    #[error("cannot take this view of the frame")]
    View(#[from] ViewError),
}

/// ONNX Runtime, loaded into this process.
#[derive(Clone, Debug)]
pub struct Runtime(Environment);

/// The one environment of the process; it lives until the process ends, for it cannot be made twice.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

impl Runtime {
    /// Loads the library at `path`; a second call with the same path gives the same runtime.
    ///
    /// Nothing is reported to anyone: the runtime's telemetry is off.
    ///
    /// # Errors
    /// Where the library does not load, is of the wrong version, or another one is loaded already.
    pub fn load(path: &Path) -> Result<Self, VisionError> {
        let refused =
            |source: Box<dyn Error + Send + Sync>| VisionError::Runtime { path: path.to_owned(), source };
        let asked = path.canonicalize().map_err(|e| refused(e.into()))?;
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((loaded, environment)) = loaded.as_ref() {
            if *loaded == asked {
                return Ok(Self(environment.clone()));
            }
            return Err(VisionError::OtherRuntime { loaded: loaded.clone(), asked });
        }
        let environment = ort::init_from(&asked)
            .map_err(|e| refused(Box::new(e)))?
            .with_name("placet")
            .with_telemetry(false)
            .build()
            .map_err(|e| refused(Box::new(e)))?;
        *loaded = Some((asked, environment.clone()));
        Ok(Self(environment))
    }
}

/// A network ready to run.
#[derive(Debug)]
pub(crate) struct Net {
    file: &'static str,
    session: Session,
}

impl Net {
    /// Loads `model` with one thread, once its digest has been checked.
    pub(crate) fn load(runtime: &Runtime, dir: &ModelDir, model: &Model) -> Result<Self, VisionError> {
        let file = model.file;
        let bytes = dir.read(model).map_err(|source| VisionError::Model { file, source })?;
        let session =
            session(runtime, &bytes).map_err(|e| VisionError::Session { file, source: Box::new(e) })?;
        drop(bytes);
        release_memory();
        Ok(Self { file, session })
    }

    /// Runs the network on `input` and hands each of the outputs `names` to `read`, as a flat list of its values.
    pub(crate) fn run<const N: usize>(
        &mut self,
        input: &Input,
        names: [&'static str; N],
        read: impl FnOnce([&[f32]; N]) -> Result<(), &'static str>,
    ) -> Result<(), VisionError> {
        let file = self.file;
        let shape = input.shape();
        let failed = |e: ort::Error| VisionError::Run {
            file,
            width: shape.width,
            height: shape.height,
            source: Box::new(e),
        };
        let dims = [1, 3, i64::from(shape.height), i64::from(shape.width)];
        let tensor = TensorRef::from_array_view((dims, input.data())).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![tensor]).map_err(failed)?;
        let mut lists: [&[f32]; N] = [&[]; N];
        for (list, name) in lists.iter_mut().zip(names) {
            let value =
                outputs.get(name).ok_or(VisionError::Output { file, output: name, what: "it is missing" })?;
            *list = value.try_extract_tensor::<f32>().map_err(failed)?.1;
        }
        read(lists).map_err(|what| VisionError::Output {
            file,
            output: names.first().copied().unwrap_or(""),
            what,
        })
    }
}

/// One thread a session: two frames side by side use two cores better than two threads on one frame.
///
/// The arena stays, for without it every large tensor is mapped and unmapped in each run: CenterFace then took 510 ms
/// of CPU instead of 340 for a 1080p frame in five views. Memory patterns go, for the runtime keeps a plan and one
/// block of memory for each size of view: two YuNet and a CenterFace took 343 MB with them, 234 MB without, at equal
/// speed.
fn session(runtime: &Runtime, model: &[u8]) -> ort::Result<Session> {
    Session::builder(&runtime.0)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_memory_pattern(false)?
        .with_execution_providers([ort::ep::CPU::default().with_arena_allocator(true).build()])?
        .commit_from_memory(model)
}

/// Gives the memory that loading took back to the system: 20 MB for the larger network.
fn release_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: `malloc_trim` takes no pointer and may be called at any time from any thread.
    #[expect(unsafe_code, reason = "the C library offers it no other way")]
    unsafe {
        libc::malloc_trim(0);
    }
}
