use std::path::{Path, PathBuf};
use std::time::Duration;

use placet_camera::{Outlet, Picture, Source, Trouble};
use placet_core::{Codec, TimeBase};
use placet_ingest::Tools;
use placet_ingest::live::{Film, FilmError, FilmPicture};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Pictures that are read ahead of their time.
const AHEAD: usize = 4;
/// How long the last picture of a film is shown: as long as one at 25 a second.
const LAST: i64 = 3_600;

/// A video file, or all in a folder by name, shown over and over at their own speed: a camera for demonstrations and
/// tests.
#[derive(Clone, Debug)]
pub struct FilmSource {
    tools: Tools,
    path: PathBuf,
    /// Which film of a folder is shown next.
    next: usize,
    /// The last picture's time, so that times go on from film to film.
    stamp: i64,
}

impl FilmSource {
    /// The file or folder at `path`; it is looked at when the camera is read.
    pub fn new(tools: Tools, path: &Path) -> Self {
        Self { tools, path: path.to_owned(), next: 0, stamp: 0 }
    }

    fn films(&self) -> Result<Vec<PathBuf>, Trouble> {
        let lost = |e: std::io::Error| Trouble::Unreachable(e.kind());
        if !std::fs::metadata(&self.path).map_err(lost)?.is_dir() {
            return Ok(vec![self.path.clone()]);
        }
        let mut films = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(lost)? {
            let path = entry.map_err(lost)?.path();
            let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
            if !hidden && path.is_file() {
                films.push(path);
            }
        }
        films.sort();
        Ok(films)
    }

    async fn show(&mut self, path: PathBuf, out: &mut Outlet) -> Result<(), Trouble> {
        let (tell, mut pictures) = mpsc::channel(AHEAD);
        let tools = self.tools.clone();
        // Ends when nobody takes its pictures any more, at the latest with the next one.
        tokio::task::spawn_blocking(move || read(&tools, &path, &tell));
        let (mut start, offset) = (None, self.stamp + LAST);
        while let Some((codec, picture)) = pictures.recv().await {
            // Until the first picture the file was opened.
            let start = *start.get_or_insert_with(Instant::now);
            let FilmPicture { data, pts, .. } =
                picture.map_err(|_| Trouble::Malformed { what: "the video file" })?;
            let seconds = TimeBase::LIVE.seconds(pts).max(0.0);
            sleep_until(start + Duration::from_secs_f64(seconds)).await;
            self.stamp = offset + pts.0;
            // Counted round 2^32, as a camera counts.
            let stamp = Some((self.stamp & i64::from(u32::MAX)) as u32);
            out.picture(Picture { codec, data, stamp, lost: false }).await?;
        }
        Ok(())
    }
}

type Read = (Codec, Result<FilmPicture, FilmError>);

fn read(tools: &Tools, path: &Path, tell: &mpsc::Sender<Read>) {
    let mut film = match Film::open(tools, path) {
        Ok(film) => film,
        Err(error) => {
            let _ = tell.blocking_send((Codec::H264, Err(error)));
            return;
        }
    };
    let codec = film.codec();
    while let Some(next) = film.next_picture().transpose() {
        let ended = next.is_err();
        if tell.blocking_send((codec, next)).is_err() || ended {
            return;
        }
    }
}

impl Source for FilmSource {
    async fn play(&mut self, out: &mut Outlet) -> Trouble {
        loop {
            let films = match self.films() {
                Ok(films) => films,
                Err(trouble) => return trouble,
            };
            let Some(film) = films.get(self.next % films.len().max(1)) else { return Trouble::NoVideo };
            self.next = (self.next + 1) % films.len();
            if let Err(trouble) = self.show(film.clone(), out).await {
                return trouble;
            }
        }
    }

    async fn close(&mut self, _: Option<&Trouble>) {}
}
