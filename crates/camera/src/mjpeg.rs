//! MJPEG over HTTP: JPEG files in a multipart answer that does not end.

use std::error::Error;
use std::io;
use std::time::Duration;

use placet_core::Codec;
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, WWW_AUTHENTICATE,
};
use reqwest::{Client, Response};

use crate::answer::Answerer;
use crate::camera::{Outlet, Picture, Source};
use crate::multipart::{MultipartError, Parts};
use crate::place::{Credentials, Place};
use crate::trouble::{Trouble, Words};

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(5);

/// A camera that sends MJPEG. The connection lives in [`Source::play`] alone and ends with it.
pub(crate) struct MjpegSource {
    place: Place,
    credentials: Option<Credentials>,
}

impl MjpegSource {
    pub(crate) fn new(place: Place, credentials: Option<Credentials>) -> Self {
        Self { place, credentials }
    }

    async fn stream(&mut self, out: &mut Outlet) -> Result<(), Trouble> {
        let mut response = self.ask().await?;
        let kind = text(response.headers(), &CONTENT_TYPE).unwrap_or_default();
        let mut parts = Parts::new(kind).map_err(of_multipart)?;
        while let Some(chunk) = response.chunk().await.map_err(|e| of_http(&e))? {
            parts.push(&chunk);
            while let Some(data) = parts.next_part().map_err(of_multipart)? {
                out.picture(Picture { codec: Codec::Jpeg, data, stamp: None, lost: false }).await?;
            }
        }
        Err(Trouble::Ended)
    }

    /// Asks, and once more with credentials if the camera wants them.
    async fn ask(&self) -> Result<Response, Trouble> {
        // The first one to install a provider wins; all of ours are the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("placet/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT)
            .build()
            .map_err(|_| Trouble::Tls)?;
        let url = self.place.url();
        let uri =
            url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let mut answerer = Answerer::new(self.credentials.clone());
        for tries in 0..2 {
            let mut request = client.get(url.clone());
            if let Some(answer) = answerer.authorization("GET", &uri)? {
                let mut value = HeaderValue::from_str(&answer)
                    .map_err(|_| Trouble::Malformed { what: "how it asks for a password" })?;
                value.set_sensitive(true);
                request = request.header(AUTHORIZATION, value);
            }
            let response = request.send().await.map_err(|e| of_http(&e))?;
            let status = response.status();
            if status.is_redirection() {
                let to = text(response.headers(), &LOCATION).unwrap_or_default();
                return Err(Trouble::Redirected { to: Words::of_url(to) });
            }
            if status.is_success() {
                return Ok(response);
            }
            if status.as_u16() != 401 {
                return Err(Trouble::of_status(status.as_u16(), self.place.path()));
            }
            let challenges = response.headers().get_all(WWW_AUTHENTICATE);
            answerer.challenged(challenges.iter().filter_map(|value| value.to_str().ok()), tries)?;
        }
        Err(Trouble::WrongCredentials)
    }
}

impl Source for MjpegSource {
    async fn play(&mut self, out: &mut Outlet) -> Trouble {
        match self.stream(out).await {
            Ok(()) => Trouble::Ended,
            Err(trouble) => trouble,
        }
    }

    async fn close(&mut self, _: Option<&Trouble>) {}
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn of_multipart(error: MultipartError) -> Trouble {
    match error {
        MultipartError::ContentType => Trouble::Malformed { what: "an answer that is no MJPEG stream" },
        MultipartError::Head => Trouble::Malformed { what: "the header of a part" },
        MultipartError::Length => Trouble::Malformed { what: "the length of a part" },
        MultipartError::Part => {
            Trouble::TooMuch { what: "bytes in one picture", most: crate::multipart::MAX_PART as u64 }
        }
        MultipartError::End => Trouble::Ended,
    }
}

/// What lies at the bottom of an error of the client's. Its own words are not repeated: they may have the URL.
fn of_http(error: &reqwest::Error) -> Trouble {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    let mut trouble = None;
    while let Some(e) = cause {
        if e.is::<rustls::Error>() {
            return Trouble::Tls;
        }
        let io = e.downcast_ref::<io::Error>();
        if let Some(e) = io.filter(|_| error.is_connect()) {
            trouble = Some(Trouble::of_connecting(e));
        }
        // What an I/O error wraps is not what it names as its source.
        cause = match io.and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => e.source(),
        };
    }
    match trouble {
        Some(trouble) => trouble,
        None if error.is_connect() => Trouble::Unreachable(io::ErrorKind::TimedOut),
        None if error.is_body() || error.is_decode() => Trouble::Ended,
        None => Trouble::Malformed { what: "its answer over HTTP" },
    }
}
