//! One camera, one host, one user: a question, its answer, and whichever proof of the password the camera takes.

use std::time::Duration;

use http_auth::{PasswordClient, PasswordParams};
use placet_core::UtcTime;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use reqwest::{StatusCode, Url};

use super::LookupError;
use super::answer::{self, AnswerError};
use crate::device::now;
use crate::soap::{Credentials, DEVICE, ENVELOPE, MEDIA, MEDIA2, token};
use crate::xml::MAX_BYTES;

const CONNECT: Duration = Duration::from_secs(5);

/// An answer over HTTP.
struct Reply {
    status: StatusCode,
    /// All of them: cameras offer Basic beside Digest.
    challenges: Vec<String>,
    body: Vec<u8>,
}

pub(super) struct Exchange<'c> {
    base: Url,
    http: reqwest::Client,
    credentials: Option<&'c Credentials>,
    clock_ahead: Option<i64>,
    /// The camera's challenge, once it wants HTTP Digest.
    digest: Option<PasswordClient>,
}

impl<'c> Exchange<'c> {
    pub(super) fn new(base: Url, credentials: Option<&'c Credentials>) -> Result<Self, LookupError> {
        // The first one to install a provider wins; all of ours are the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .user_agent(concat!("placet/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT);
        let http = builder.build().map_err(|_| LookupError::Setup)?;
        Ok(Self { base, http, credentials, clock_ahead: None, digest: None })
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// How far the camera's clock is ahead of ours, in seconds. Asked without credentials, as the specification has it, and
    /// with them where the camera wants them even for this (ipycam 1.3.0, Axis).
    pub(super) async fn clock(&mut self) -> Result<Option<i64>, LookupError> {
        let (device, action) = (self.base.clone(), "GetSystemDateAndTime");
        let reply = self.send(&device, action, envelope(DEVICE, action, "", ""), None).await?;
        let theirs = match (answer::clock(&reply.body), reply.status) {
            (Ok(theirs), _) => theirs,
            (Err(source @ AnswerError::Soap(_)), StatusCode::OK) => {
                return Err(LookupError::Answer { url: device.to_string(), action, source });
            }
            (Err(_), _) if self.credentials.is_some() => {
                self.ask(&device, DEVICE, action, "", answer::clock).await.ok().flatten()
            }
            (Err(_), _) => None,
        };
        let seconds = |time: UtcTime| i64::try_from(time.unix_seconds()).unwrap_or(i64::MAX);
        self.clock_ahead = theirs.map(|theirs| seconds(theirs) - seconds(now()));
        Ok(self.clock_ahead)
    }

    /// Asks `action` of the service at `place` and reads the answer.
    pub(super) async fn ask<T>(
        &mut self,
        place: &Url,
        space: &'static str,
        action: &'static str,
        inner: &str,
        read: impl Fn(&[u8]) -> Result<T, AnswerError>,
    ) -> Result<T, LookupError> {
        let mut reply = self.prove(place, space, action, inner).await?;
        if reply.status == StatusCode::UNAUTHORIZED && self.challenged(&reply.challenges) {
            // Wanted Digest, or a fresh nonce of it.
            reply = self.prove(place, space, action, inner).await?;
        }
        let failed = |source| LookupError::Answer { url: place.to_string(), action, source };
        match (read(&reply.body), reply.status) {
            (Ok(said), _) => Ok(said),
            (Err(e), _) if e.is_refusal() => Err(self.refused()),
            (_, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => Err(self.refused()),
            (Err(e @ AnswerError::Fault { .. }), _) | (Err(e), StatusCode::OK) => Err(failed(e)),
            (Err(_), status) => {
                Err(LookupError::Status { url: place.to_string(), action, status: status.as_u16() })
            }
        }
    }

    /// Sends the question with the proof that the camera took last, at first a token.
    async fn prove(
        &mut self,
        place: &Url,
        space: &str,
        action: &str,
        inner: &str,
    ) -> Result<Reply, LookupError> {
        let Some(credentials) = self.credentials else {
            return self.send(place, action, envelope(space, action, "", inner), None).await;
        };
        if let Some(digest) = &mut self.digest {
            let uri = place
                .query()
                .map_or_else(|| place.path().to_owned(), |query| format!("{}?{query}", place.path()));
            let body = envelope(space, action, "", inner);
            let parameters = PasswordParams {
                username: credentials.user(),
                password: credentials.password(),
                uri: &uri,
                method: "POST",
                body: Some(body.as_bytes()),
            };
            // A challenge that cannot be answered was no proof of anything.
            let header = digest.respond(&parameters).ok();
            return self.send(place, action, body, header).await;
        }
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|_| LookupError::Setup)?;
        let seconds = now().unix_seconds().saturating_add_signed(self.clock_ahead.unwrap_or(0));
        let created = UtcTime::from_unix_seconds(seconds).unwrap_or_else(now);
        let header = token(credentials, &nonce, created);
        self.send(place, action, envelope(space, action, &header, inner), None).await
    }

    /// Whether there is a Digest to answer. Basic would give the password away.
    fn challenged(&mut self, challenges: &[String]) -> bool {
        if self.credentials.is_none() {
            return false;
        }
        let digest = challenges.iter().filter_map(|challenge| {
            let client = PasswordClient::try_from(challenge.as_str()).ok()?;
            matches!(client, PasswordClient::Digest(_)).then_some(client)
        });
        let before = self.digest.is_some();
        self.digest = digest.into_iter().next();
        // A second challenge is a no, unless the nonce was old.
        self.digest
            .as_ref()
            .is_some_and(|client| !before || matches!(client, PasswordClient::Digest(d) if d.stale()))
    }

    fn refused(&self) -> LookupError {
        let clock = match self.clock_ahead {
            None => ". The camera does not say its time: if its clock is wrong, it refuses every password"
                .to_owned(),
            Some(_) => String::new(),
        };
        LookupError::Refused { clock }
    }

    async fn send(
        &self,
        place: &Url,
        action: &str,
        body: String,
        authorization: Option<String>,
    ) -> Result<Reply, LookupError> {
        let url = place.to_string();
        let failed =
            |e: reqwest::Error| LookupError::Unreachable { url: url.clone(), source: e.without_url().into() };
        let kind = "application/soap+xml; charset=utf-8";
        let mut request = self.http.post(place.clone()).header(CONTENT_TYPE, kind).body(body);
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status();
        if status.is_redirection() {
            return Err(LookupError::Redirect { url });
        }
        let challenges = response.headers().get_all(WWW_AUTHENTICATE).iter();
        let challenges =
            challenges.filter_map(|value| value.to_str().ok()).take(8).map(str::to_owned).collect();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_BYTES {
                let source = format!("the answer to `{action}` is longer than {MAX_BYTES} bytes").into();
                return Err(LookupError::Unreachable { url, source });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status, challenges, body })
    }
}

fn envelope(space: &str, action: &str, header: &str, inner: &str) -> String {
    let prefix = match space {
        MEDIA => "trt",
        MEDIA2 => "tr2",
        _ => "tds",
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<s:Envelope xmlns:s=\"{ENVELOPE}\" xmlns:{prefix}=\"{space}\">\
         <s:Header>{header}</s:Header><s:Body><{prefix}:{action}>{inner}</{prefix}:{action}></s:Body></s:Envelope>"
    )
}
