use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use placet_feed::ParameterSets;

use crate::digest::Verdict;
use crate::message::{Method, Request, Response, Status};
use crate::target::{STREAM, Target};
use crate::transport::Carriage;
use crate::{Admission, Limits, sdp};

/// What is answered to, in the methods that a client may use.
const PUBLIC: &str = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, TEARDOWN";
/// How long a nonce waits for its first use; from then on it is good as long as the connection.
const NONCE: Duration = Duration::from_secs(60);
/// A live stream has no beginning and no end (RFC 2326, 3.6).
const NOW: &str = "npt=now-";

/// What is to be done about a request.
#[derive(Debug)]
pub enum Step {
    /// Say this.
    Answer(Response),
    /// Say this and close the connection.
    Farewell(Response),
    /// Wait for the camera's parameter sets, then say [`Conversation::described`].
    Describe(Asked),
    /// Open two UDP ports towards these of the client, then say [`Conversation::ported`].
    OpenPorts(Asked, u16, u16),
    /// Start to send, and say [`Conversation::played`].
    Play(Asked),
    /// Stop sending, and say this. The session stays.
    Pause(Response),
    /// Stop sending, close what was opened, and say this.
    TearDown(Response),
}

/// A request that is being answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its number.
    pub cseq: u32,
    /// The camera.
    pub camera: String,
    /// The camera's address as the client wrote it.
    pub base: String,
}

/// One client that was told where its packets will come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The name it was given.
    pub id: String,
    /// The camera.
    pub camera: String,
    /// How its packets travel.
    pub carriage: Carriage,
    /// Where the numbers of its packets start.
    pub random: [u8; 16],
}

struct Nonce {
    text: String,
    made: Instant,
    used: bool,
}

/// One connection's talk: requests in, steps out. Knows no socket, and is told the time.
pub struct Conversation {
    admission: Arc<Admission>,
    limits: Limits,
    random: Box<dyn FnMut() -> [u8; 16] + Send>,
    nonce: Option<Nonce>,
    wrong: u32,
    session: Option<Session>,
    playing: bool,
    heard: Instant,
}

impl Conversation {
    /// One that begins `now`. `random` gives bytes that nobody can guess.
    pub fn new(
        admission: Arc<Admission>,
        limits: Limits,
        random: impl FnMut() -> [u8; 16] + Send + 'static,
        now: Instant,
    ) -> Self {
        Self {
            admission,
            limits,
            random: Box::new(random),
            nonce: None,
            wrong: 0,
            session: None,
            playing: false,
            heard: now,
        }
    }

    /// How often the credentials were wrong.
    pub fn wrong(&self) -> u32 {
        self.wrong
    }

    /// What to do about a request. `known` tells whether there is a camera of a name.
    pub fn ask(&mut self, request: &Request, known: impl Fn(&str) -> bool, now: Instant) -> Step {
        let cseq = request.cseq;
        let refuse = |status| Step::Answer(Response::new(status, Some(cseq)));
        let Some(target) = Target::of(&request.uri) else { return refuse(Status::BadRequest) };
        match request.method {
            Method::Options => {
                self.heard = now;
                return Step::Answer(self.signed(Status::Ok, cseq).with("Public", PUBLIC));
            }
            Method::Refused => {
                return Step::Answer(Response::new(Status::NotAllowed, Some(cseq)).with("Allow", PUBLIC));
            }
            Method::Unknown => return refuse(Status::NotImplemented),
            _ => {}
        }
        if let Some(step) = self.turn_away(request, now) {
            return step;
        }
        self.heard = now;
        if let Some(required) = request.header("require") {
            let name: String = required.chars().filter(char::is_ascii_graphic).take(80).collect();
            return Step::Answer(Response::new(Status::Option, Some(cseq)).with("Unsupported", &name));
        }
        if let Some(id) =
            request.header("session").map(|value| value.split(';').next().unwrap_or_default().trim())
            && self.session.as_ref().is_none_or(|session| session.id != id)
        {
            return refuse(Status::Session);
        }
        let (camera, base) = match target {
            // Some clients keep a session alive without saying whose.
            Target::Server if request.method == Method::GetParameter => return self.parameter(request),
            Target::Camera { name, base } if known(&name) => (name, base),
            Target::Server | Target::Nothing | Target::Camera { .. } => return refuse(Status::NotFound),
        };
        let asked = Asked { cseq, camera, base };
        match request.method {
            Method::Describe => describe(request, asked),
            Method::Setup => self.set_up(request, asked),
            Method::GetParameter => self.parameter(request),
            Method::Play => match self.named(request, &asked) {
                Err(status) => refuse(status),
                Ok(()) if self.playing => Step::Answer(self.signed(Status::Ok, cseq).with("Range", NOW)),
                Ok(()) => Step::Play(asked),
            },
            Method::Pause => match self.named(request, &asked) {
                Err(status) => refuse(status),
                Ok(()) => {
                    self.playing = false;
                    Step::Pause(self.signed(Status::Ok, cseq))
                }
            },
            Method::Teardown => match self.named(request, &asked) {
                Err(status) => refuse(status),
                Ok(()) => {
                    self.playing = false;
                    self.session = None;
                    Step::TearDown(Response::new(Status::Ok, Some(cseq)))
                }
            },
            Method::Options | Method::Refused | Method::Unknown => refuse(Status::NotImplemented),
        }
    }

    /// The answer to [`Step::Describe`]; without parameter sets the camera gives nothing at the moment.
    pub fn described(
        &self,
        asked: &Asked,
        found: Option<(ParameterSets, Option<f64>)>,
        address: IpAddr,
        run: u64,
    ) -> Response {
        let Some((sets, rate)) = found else {
            return Response::new(Status::Unavailable, Some(asked.cseq)).with("Retry-After", "5");
        };
        self.signed(Status::Ok, asked.cseq)
            .with("Content-Base", &format!("{}/", asked.base))
            .with("Cache-Control", "no-store")
            .with_body("application/sdp", sdp::describe(&asked.camera, &sets, rate, address, run))
    }

    /// The answer to [`Step::OpenPorts`] with the ports opened here; without them the session is not.
    pub fn ported(&mut self, asked: &Asked, ports: Option<(u16, u16)>) -> Response {
        let Some((session, (rtp, rtcp))) = self.session.clone().zip(ports) else {
            self.session = None;
            return Response::new(Status::Bandwidth, Some(asked.cseq));
        };
        self.settled(asked.cseq, &session, Some((rtp, rtcp)))
    }

    /// The answer to [`Step::Play`]: number and time of the first packet, if there is one already.
    pub fn played(&mut self, asked: &Asked, sequence: u16, time: Option<u32>) -> Response {
        self.playing = true;
        let time = time.map_or_else(String::new, |time| format!(";rtptime={time}"));
        let info = format!("url={}/{STREAM};seq={sequence}{time}", asked.base);
        self.signed(Status::Ok, asked.cseq).with("Range", NOW).with("RTP-Info", &info)
    }

    /// The session, once there is one.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// The client gave a sign of life: a report, or it took what was sent.
    pub fn hear(&mut self, now: Instant) {
        self.heard = now;
    }

    /// Whether the client is to be given up.
    pub fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.heard) >= self.limits.session
    }

    /// Asks for credentials, unless those of the request are right.
    fn turn_away(&mut self, request: &Request, now: Instant) -> Option<Step> {
        let admission = Arc::clone(&self.admission);
        let Admission::Users(users) = &*admission else { return None };
        let good = self
            .nonce
            .as_mut()
            .filter(|nonce| nonce.used || now.saturating_duration_since(nonce.made) < NONCE);
        let verdict = match (request.header("authorization"), good) {
            (None, _) => None,
            (Some(_), None) => Some(Verdict::Stale),
            (Some(header), Some(nonce)) => {
                let verdict = users.judge(header, &nonce.text, &request.method_text, &request.uri);
                nonce.used |= verdict == Verdict::Right;
                Some(verdict)
            }
        };
        match verdict {
            Some(Verdict::Right) => return None,
            Some(Verdict::Wrong) => self.wrong += 1,
            Some(Verdict::Stale) | None => {}
        }
        if verdict.is_some() || self.nonce.as_ref().is_none_or(|nonce| !nonce.used) {
            let text: String = (self.random)().iter().map(|b| format!("{b:02x}")).collect();
            self.nonce = Some(Nonce { text, made: now, used: false });
        }
        let nonce = self.nonce.as_ref().map_or("", |nonce| nonce.text.as_str());
        let response = Response::new(Status::Unauthorized, Some(request.cseq));
        let response = users
            .challenges(nonce, verdict == Some(Verdict::Stale))
            .iter()
            .fold(response, |response, value| response.with("WWW-Authenticate", value));
        Some(if self.wrong >= self.limits.wrong { Step::Farewell(response) } else { Step::Answer(response) })
    }

    fn set_up(&mut self, request: &Request, asked: Asked) -> Step {
        let refuse = |status| Step::Answer(Response::new(status, Some(asked.cseq)));
        if self.playing {
            return refuse(Status::State);
        }
        let Some(carriage) = request.header("transport").and_then(Carriage::choose) else {
            return refuse(Status::Transport);
        };
        let id = match self.session.take() {
            Some(session) => session.id,
            None => (self.random)().iter().map(|b| format!("{b:02x}")).collect(),
        };
        let session = Session { id, camera: asked.camera.clone(), carriage, random: (self.random)() };
        self.session = Some(session.clone());
        match carriage {
            Carriage::Interleaved { .. } => Step::Answer(self.settled(asked.cseq, &session, None)),
            Carriage::Udp { rtp, rtcp } => Step::OpenPorts(asked, rtp, rtcp),
        }
    }

    fn settled(&self, cseq: u32, session: &Session, ports: Option<(u16, u16)>) -> Response {
        let [a, b, c, d, ..] = session.random;
        let ssrc = u32::from_be_bytes([a, b, c, d]);
        let transport = match (session.carriage, ports) {
            (Carriage::Interleaved { rtp, rtcp }, _) => {
                format!("RTP/AVP/TCP;unicast;interleaved={rtp}-{rtcp};ssrc={ssrc:08X};mode=\"PLAY\"")
            }
            (Carriage::Udp { rtp, rtcp }, ports) => {
                let (ours, next) = ports.unwrap_or_default();
                format!(
                    "RTP/AVP;unicast;client_port={rtp}-{rtcp};server_port={ours}-{next};ssrc={ssrc:08X};mode=\"PLAY\""
                )
            }
        };
        self.signed(Status::Ok, cseq).with("Transport", &transport)
    }

    /// Whether a request names this session and its camera.
    fn named(&self, request: &Request, asked: &Asked) -> Result<(), Status> {
        match &self.session {
            // Another session's name was refused before.
            Some(session) if request.header("session").is_some() => {
                if session.camera == asked.camera {
                    Ok(())
                } else {
                    Err(Status::NotFound)
                }
            }
            Some(_) | None => Err(Status::Session),
        }
    }

    /// Nothing can be asked for but whether we are there.
    fn parameter(&self, request: &Request) -> Step {
        let status = if request.body == 0 { Status::Ok } else { Status::Parameter };
        Step::Answer(self.signed(status, request.cseq))
    }

    /// An answer with the session's name, if there is one.
    fn signed(&self, status: Status, cseq: u32) -> Response {
        let response = Response::new(status, Some(cseq));
        match &self.session {
            Some(session) => {
                let value = format!("{};timeout={}", session.id, self.limits.session.as_secs());
                response.with("Session", &value)
            }
            None => response,
        }
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.playing { "playing" } else { "not playing" };
        write!(f, "{state}, {} wrong credentials", self.wrong)
    }
}

fn describe(request: &Request, asked: Asked) -> Step {
    let takes = |header: &str| {
        let kinds = header.split(',').filter_map(|kind| kind.split(';').next());
        kinds.map(str::trim).any(|kind| ["application/sdp", "application/*", "*/*"].contains(&kind))
    };
    if request.header("accept").is_none_or(takes) {
        Step::Describe(asked)
    } else {
        Step::Answer(Response::new(Status::NotAcceptable, Some(asked.cseq)))
    }
}
