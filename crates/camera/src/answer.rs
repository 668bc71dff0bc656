//! Authentication to a camera (RFC 7616, 7617), the same over RTSP and HTTP.

use http_auth::{PasswordClient, PasswordParams};
use zeroize::Zeroizing;

use crate::place::Credentials;
use crate::trouble::Trouble;

/// Answers a camera's challenges. Digest where it offers it; Basic, which anybody on the way can read, where not.
pub(crate) struct Answerer {
    credentials: Option<Credentials>,
    client: Option<PasswordClient>,
}

impl Answerer {
    pub(crate) fn new(credentials: Option<Credentials>) -> Self {
        Self { credentials, client: None }
    }

    /// Takes the challenges of an answer 401. `tries` says how often this request was answered to already.
    pub(crate) fn challenged<'h>(
        &mut self,
        challenges: impl Iterator<Item = &'h str>,
        tries: u32,
    ) -> Result<(), Trouble> {
        if self.credentials.is_none() {
            return Err(Trouble::NeedsCredentials);
        }
        if tries > 0 {
            return Err(Trouble::WrongCredentials);
        }
        let builder = challenges.fold(PasswordClient::builder(), |builder, value| builder.challenges(value));
        let client =
            builder.build().map_err(|_| Trouble::Malformed { what: "how it asks for a password" })?;
        self.client = Some(client);
        Ok(())
    }

    /// The `Authorization` of a request without a body, once there was a challenge.
    pub(crate) fn authorization(
        &mut self,
        method: &str,
        uri: &str,
    ) -> Result<Option<Zeroizing<String>>, Trouble> {
        let (Some(credentials), Some(client)) = (&self.credentials, &mut self.client) else {
            return Ok(None);
        };
        let (username, password) = (credentials.username(), credentials.password());
        let params = PasswordParams { username, password, uri, method, body: Some(&[]) };
        let answer =
            client.respond(&params).map_err(|_| Trouble::Malformed { what: "how it asks for a password" })?;
        // It repeats the camera's own words; a line break in them would be a request of theirs.
        let is_plain = answer.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if is_plain {
            Ok(Some(Zeroizing::new(answer)))
        } else {
            Err(Trouble::Malformed { what: "how it asks for a password" })
        }
    }
}
