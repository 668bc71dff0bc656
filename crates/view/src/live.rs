//! A feed over a WebSocket: what it is and what people are told in text, pictures in binary.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use placet_feed::{Feed, Item, ParameterSets, State};
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::fmp4::{Fragments, decoder_configuration, initialisation};

/// How often a browser is asked whether it is there, and how long it may say nothing.
const PING: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(45);
/// How long a browser may take nothing of what is sent to it.
const WRITE: Duration = Duration::from_secs(10);
/// What a browser may send between two pings: it has nothing to say but that it is there.
const MOST_MESSAGES: u32 = 16;

/// Why it ends.
enum Over {
    /// The feed is over, or the browser is silent or talks too much.
    Close(u16, &'static str),
    /// There is nobody to tell.
    Gone,
}

/// Sends a feed until either side is over. The place is held as long.
pub async fn watch(mut socket: WebSocket, feed: Feed, place: OwnedSemaphorePermit) {
    if let Err(Over::Close(code, why)) = stream(&mut socket, &feed).await {
        let farewell = Message::Close(Some(CloseFrame { code, reason: why.into() }));
        let _ = timeout(WRITE, socket.send(farewell)).await;
    }
    drop(place);
}

async fn stream(socket: &mut WebSocket, feed: &Feed) -> Result<(), Over> {
    let mut viewer = feed.watch();
    let mut fragments = Fragments::new();
    let mut ping = interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut heard, mut messages) = (Instant::now(), 0);
    loop {
        tokio::select! {
            item = viewer.next() => match item {
                None => return Err(Over::Close(close_code::AWAY, "the feed is over")),
                Some(Item::State(state)) => say(socket, Message::text(told(&state))).await?,
                Some(Item::Restart(sets)) => {
                    say(socket, Message::text(opened(&sets))).await?;
                    say(socket, Message::Binary(Bytes::from(initialisation(&sets)))).await?;
                }
                // The gap is in the next fragment's time.
                Some(Item::Missed(_)) => {}
                Some(Item::Unit(unit)) => say(socket, Message::Binary(Bytes::from(fragments.next(&unit)))).await?,
            },
            message = socket.recv() => {
                if !matches!(message, Some(Ok(_))) {
                    return Err(Over::Gone);
                }
                heard = Instant::now();
                messages += 1;
                if messages > MOST_MESSAGES {
                    return Err(Over::Close(close_code::POLICY, "too many messages"));
                }
            },
            _ = ping.tick() => {
                if heard.elapsed() > SILENCE {
                    return Err(Over::Close(close_code::POLICY, "no answer"));
                }
                messages = 0;
                say(socket, Message::Ping(Bytes::new())).await?;
            }
        }
    }
}

async fn say(socket: &mut WebSocket, message: Message) -> Result<(), Over> {
    match timeout(WRITE, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Over::Gone),
    }
}

/// What people are told.
fn told(state: &State) -> String {
    json!({ "kind": "state", "state": state.headline(), "words": state.to_string() }).to_string()
}

/// What the pictures from here on need; the initialisation segment follows.
fn opened(sets: &ParameterSets) -> String {
    let (size, description) = (sets.size(), BASE64_STANDARD.encode(decoder_configuration(sets)));
    json!({
        "kind": "start",
        "codec": sets.codec(),
        "width": size.width,
        "height": size.height,
        "description": description,
    })
    .to_string()
}
