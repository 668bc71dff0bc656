use std::path::{Path, PathBuf};

use placet_camera::{Outlet, Picture, Source, Trouble};
use placet_core::Size;
use placet_ingest::Tools;
use placet_ingest::live::{DeviceSpec, Film, FilmError, FilmPicture};
use tokio::sync::mpsc;

use crate::status::chain;

/// Pictures that may wait: more only add delay.
const WAITING: usize = 2;

/// A camera at this machine, such as one at USB (`/dev/video0`, V4L2). Its JPEG pictures are taken where it gives any, else
/// its raw ones are made into such.
#[derive(Clone, Debug)]
pub struct DeviceSource {
    tools: Tools,
    path: PathBuf,
    spec: DeviceSpec,
}

impl DeviceSource {
    /// The device at `path`, asked for pictures of that rate and size; without a size, of the one it is set to.
    pub fn new(tools: Tools, path: &Path, frame_rate: u32, size: Option<Size>) -> Self {
        Self { tools, path: path.to_owned(), spec: DeviceSpec { frame_rate, size, raw: false } }
    }

    /// Reads until it ends: whether any picture came, and why it ended.
    async fn read(&self, out: &mut Outlet) -> (bool, Trouble) {
        let (tell, mut pictures) = mpsc::channel(WAITING);
        let source = self.clone();
        // Ends when nobody takes its pictures any more, at the latest with the next one or after the device's patience.
        tokio::task::spawn_blocking(move || pass_on(&source, &tell));
        let mut came = false;
        while let Some(picture) = pictures.recv().await {
            let FilmPicture { data, pts, .. } = match picture {
                Ok(picture) => picture,
                Err(error) => return (came, Trouble::Device { why: chain(&error) }),
            };
            came = true;
            // Counted round 2^32, as a camera counts.
            let stamp = Some((pts.0 & i64::from(u32::MAX)) as u32);
            let codec = placet_core::Codec::Jpeg;
            if let Err(trouble) = out.picture(Picture { codec, data, stamp, lost: false }).await {
                return (came, trouble);
            }
        }
        (came, Trouble::Ended)
    }
}

fn pass_on(source: &DeviceSource, tell: &mpsc::Sender<Result<FilmPicture, FilmError>>) {
    let mut film = match Film::device(&source.tools, &source.path, source.spec) {
        Ok(film) => film,
        Err(error) => {
            let _ = tell.blocking_send(Err(error));
            return;
        }
    };
    while let Some(next) = film.next_picture().transpose() {
        let ended = next.is_err();
        if tell.blocking_send(next).is_err() || ended {
            return;
        }
    }
}

impl Source for DeviceSource {
    async fn play(&mut self, out: &mut Outlet) -> Trouble {
        let (came, trouble) = self.read(out).await;
        if came {
            return trouble;
        }
        // Not every device gives JPEG.
        self.spec.raw = !self.spec.raw;
        let (came, second) = self.read(out).await;
        if came { second } else { trouble }
    }

    async fn close(&mut self, _: Option<&Trouble>) {}
}
