//! RTSP: `retina` for descriptions, sessions and packets, behind a [guard](guard::Guard).

mod guard;

use std::time::Duration;

use futures_util::StreamExt as _;
use placet_core::Codec;
use retina::client::{
    InitialSequenceNumberPolicy, InitialTimestampPolicy, PlayOptions, Session, SessionOptions, SetupOptions,
    TeardownPolicy,
};
use retina::codec::{CodecItem, FrameFormat, ParameterSetInsertion, ParametersRef};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use self::guard::{Budget, Guard, UNREADABLE, Way};
use crate::camera::{Outlet, Picture, Source, Transport};
use crate::place::{Credentials, Place};
use crate::trouble::{Trouble, Words};
use crate::units;

/// How long is waited for the guard's own words on why a connection ended.
const VERDICT: Duration = Duration::from_secs(2);

/// How long a guard may take to let go before it is made to.
const GOODBYE: Duration = Duration::from_secs(2);

/// RTP's clock for all video that is read (RFC 6184, 7798 and 2435).
const CLOCK_RATE: u32 = 90_000;

/// A camera that speaks RTSP.
pub(crate) struct RtspSource {
    place: Place,
    credentials: Option<Credentials>,
    transport: Transport,
    way: Way,
    has_pictures: bool,
    guard: Option<JoinHandle<Option<Trouble>>>,
}

impl RtspSource {
    pub(crate) fn new(place: Place, credentials: Option<Credentials>, transport: Transport) -> Self {
        let way = if transport == Transport::Udp { Way::Udp } else { Way::Tcp };
        Self { place, credentials, transport, way, has_pictures: false, guard: None }
    }

    /// Plays; an error of the reader is told as [`None`], because the guard knows better.
    async fn stream(&mut self, out: &mut Outlet) -> Result<(), Option<Trouble>> {
        let budget = Budget::default();
        let guard =
            Guard::connect(self.place.clone(), self.credentials.clone(), self.way, budget.clone()).await?;
        let alias = guard.alias().parse().map_err(|_| None)?;
        self.guard = Some(tokio::spawn(guard.serve()));
        // Goodbye is the guard's.
        let options = SessionOptions::default()
            .teardown(TeardownPolicy::Never)
            .user_agent(concat!("placet/", env!("CARGO_PKG_VERSION")).to_owned());
        let mut session = Session::describe(alias, options).await.map_err(|_| None)?;
        let (idx, codec, clock_rate) = video_of(&session)?;
        // The reader takes parameter sets out of every picture and would put them back in front of instantaneous
        // decoder refreshes only, not of H.265's other random access points; so that is done here.
        let format =
            FrameFormat { parameter_set_insertion: ParameterSetInsertion::Never, ..FrameFormat::SIMPLE };
        let setup = SetupOptions::default().frame_format(format);
        session.setup(idx, setup).await.map_err(|_| None)?;
        // Cameras that fill these in wrongly outnumber those that need them; there is one stream, and our own clock.
        let play = PlayOptions::default()
            .initial_timestamp(InitialTimestampPolicy::Ignore)
            .initial_seq(InitialSequenceNumberPolicy::Ignore);
        let mut frames = session.play(play).await.and_then(Session::demuxed).map_err(|_| None)?;
        while let Some(item) = frames.next().await {
            let CodecItem::VideoFrame(frame) = item.map_err(|_| None)? else { continue };
            budget.pictured();
            self.has_pictures = true;
            // RTP counts round 2^32.
            let stamp = (clock_rate == CLOCK_RATE).then(|| frame.timestamp().timestamp() as u32);
            let lost = frame.loss() > 0;
            let sets = match frames.streams().get(idx).and_then(|stream| stream.parameters()) {
                Some(ParametersRef::Video(sets)) => sets.extra_data(),
                _ => &[],
            };
            let data = units::with_sets(codec, frame.into_data(), sets);
            out.picture(Picture { codec, data, stamp, lost }).await?;
        }
        Err(None)
    }
}

/// The first video stream that can be read: its number, codec and clock rate.
fn video_of(session: &Session<retina::client::Described>) -> Result<(usize, Codec, u32), Trouble> {
    let codec_of = |name: &str| match name {
        "h264" => Some(Codec::H264),
        "h265" => Some(Codec::H265),
        "jpeg" => Some(Codec::Jpeg),
        _ => None,
    };
    let videos = || session.streams().iter().enumerate().filter(|(_, stream)| stream.media() == "video");
    let readable = videos()
        .find_map(|(idx, stream)| Some((idx, codec_of(stream.encoding_name())?, stream.clock_rate_hz())));
    readable.ok_or_else(|| match videos().next() {
        Some((_, stream)) => Trouble::UnsupportedCodec { name: Words::new(stream.encoding_name()) },
        None => Trouble::NoVideo,
    })
}

impl Source for RtspSource {
    async fn play(&mut self, out: &mut Outlet) -> Trouble {
        self.has_pictures = false;
        let own = match self.stream(out).await {
            Ok(()) => None,
            Err(own) => own,
        };
        if let Some(own) = own {
            return own;
        }
        let Some(guard) = &mut self.guard else { return Trouble::Ended };
        let verdict = timeout(VERDICT, guard).await;
        if verdict.is_ok() {
            self.guard = None;
        }
        match verdict {
            Ok(Ok(Some(trouble))) => trouble,
            _ => UNREADABLE,
        }
    }

    async fn close(&mut self, trouble: Option<&Trouble>) {
        // The reader was dropped with `play`; the guard has noticed, says goodbye, and is waited for.
        if let Some(mut guard) = self.guard.take()
            && timeout(GOODBYE, &mut guard).await.is_err()
        {
            guard.abort();
            let _ = guard.await;
        }
        let is_silent = matches!(trouble, Some(Trouble::Hung { .. })) && !self.has_pictures;
        if self.transport == Transport::Auto && (is_silent || trouble == Some(&Trouble::UnsupportedTransport))
        {
            self.way = match self.way {
                Way::Tcp => Way::Udp,
                Way::Udp => Way::Tcp,
            };
        }
    }
}
