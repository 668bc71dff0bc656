use std::time::Duration;

use placet_http::client::{Bounds, Client, HttpError, Prefix};
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};

use crate::alarm::Alarm;

/// The most alarms in one request; the rest follows in the next.
const MAX_BATCH: usize = 100;

/// Passes alarms on by `POST`, as JSON.
#[derive(Debug)]
pub struct Webhook {
    url: Prefix,
    client: Client,
    runtime: Runtime,
    pauses: Vec<Duration>,
    time: Duration,
}

#[derive(Serialize)]
struct Message<'m> {
    log: &'m str,
    alarms: &'m [Alarm],
}

impl Webhook {
    /// A hook at `url`, with `time` for each try, and a try after each of `pauses` as long as there is no success.
    ///
    /// # Errors
    /// If TLS or a thread's own runtime cannot be had.
    pub fn new(url: Prefix, time: Duration, pauses: Vec<Duration>) -> Result<Self, HttpError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|source| HttpError::Setup { source: source.into() })?;
        Ok(Self { url, client: Client::new()?, runtime, pauses, time })
    }

    /// Delivers `alarms` about the log `origin`, in order. What was not delivered can be given again: ids tell twins.
    ///
    /// # Errors
    /// If the last try failed.
    pub fn deliver(&self, origin: &str, alarms: &[Alarm]) -> Result<(), WebhookError> {
        alarms.chunks(MAX_BATCH).try_for_each(|alarms| {
            let body = serde_json::to_vec(&Message { log: origin, alarms });
            self.runtime.block_on(self.send(&body.map_err(WebhookError::Json)?))
        })
    }

    async fn send(&self, body: &[u8]) -> Result<(), WebhookError> {
        let mut pauses = self.pauses.iter();
        loop {
            let failed = match self.once(body).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            match pauses.next() {
                Some(pause) if failed.may_pass() => tokio::time::sleep(*pause).await,
                _ => return Err(failed),
            }
        }
    }

    async fn once(&self, body: &[u8]) -> Result<(), WebhookError> {
        let bounds = Bounds { time: self.time, bytes: 64 << 10 };
        let url = self.url.to_string();
        let reply = self.client.post(&url, "application/json", body.to_vec(), bounds).await?;
        if (200..300).contains(&reply.status) { Ok(()) } else { Err(WebhookError::Status(reply.status)) }
    }
}

/// Why alarms were not delivered.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// No answer.
    #[error("the hook could not be reached")]
    Http(#[from] HttpError),
    /// An answer that is no success.
    #[error("the hook answers with status {0}")]
    Status(u16),
    /// Alarms that cannot be written.
    #[error("the alarms cannot be written as JSON")]
    Json(#[source] serde_json::Error),
}

impl WebhookError {
    /// Whether another try may succeed.
    fn may_pass(&self) -> bool {
        match self {
            Self::Http(error) => !matches!(error, HttpError::Redirect { .. } | HttpError::Setup { .. }),
            Self::Status(status) => *status >= 500 || matches!(status, 408 | 429),
            Self::Json(_) => false,
        }
    }
}
