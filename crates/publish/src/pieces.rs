use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::task::JoinHandle;

use crate::Shelf;

/// The most that is read at a time, and in memory for one request.
const PIECE: u64 = 256 << 10;

/// A part of a file as an answer's body, read piece by piece as the other side takes it.
pub(crate) struct Pieces {
    shelf: Arc<dyn Shelf>,
    path: String,
    at: u64,
    end: u64,
    reading: Option<JoinHandle<io::Result<Vec<u8>>>>,
}

impl Pieces {
    pub(crate) fn new(shelf: Arc<dyn Shelf>, path: String, from: u64, end: u64) -> Self {
        Self { shelf, path, at: from, end, reading: None }
    }

    fn start(&self) -> JoinHandle<io::Result<Vec<u8>>> {
        let (shelf, path, at) = (Arc::clone(&self.shelf), self.path.clone(), self.at);
        let len = (self.end - self.at).min(PIECE);
        tokio::task::spawn_blocking(move || shelf.read(&path, at, len))
    }
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.at >= self.end {
            return Poll::Ready(None);
        }
        let mut reading = self.reading.take().unwrap_or_else(|| self.start());
        let Poll::Ready(read) = Pin::new(&mut reading).poll(context) else {
            self.reading = Some(reading);
            return Poll::Pending;
        };
        let left = self.end - self.at;
        Poll::Ready(Some(match read.unwrap_or_else(|e| Err(io::Error::other(e))) {
            // Shorter than it was when its length was told: the other side must see that, not a short file.
            Ok(bytes) if bytes.is_empty() || bytes.len() as u64 > left => {
                self.at = self.end;
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            Ok(bytes) => {
                self.at += bytes.len() as u64;
                Ok(Frame::data(bytes.into()))
            }
            Err(e) => {
                self.at = self.end;
                Err(e)
            }
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.at >= self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end.saturating_sub(self.at))
    }
}
