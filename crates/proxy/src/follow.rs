use std::sync::Arc;

use crossbeam_channel::{Sender, TrySendError};
use placet_camera::{Camera, Event};
use placet_core::AccessUnit;

use crate::{Input, Status};

/// What viewers are told where the operator is told more: a camera's address and its trouble are not theirs.
const AWAY: &str = "no pictures come from the camera";

/// Hands what `camera` tells to a line, until the line ends. `each` sees every coded picture before.
pub async fn follow(
    mut camera: Camera,
    input: Sender<Input>,
    status: Arc<Status>,
    mut each: impl FnMut(&AccessUnit) + Send,
) {
    let mut gap = false;
    while let Some(event) = camera.next().await {
        let told = match event {
            Event::Unit(unit) => {
                each(&unit);
                if gap && !unit.key {
                    continue;
                }
                gap = false;
                Input::Unit(unit)
            }
            Event::Skipped(_) => Input::Lost,
            Event::Connected(_) | Event::Changed(_) => {
                status.note(|report| report.trouble = None);
                continue;
            }
            Event::Trouble(trouble) => {
                let words = format!("{trouble}: {}", trouble.advice());
                status.note(|report| report.trouble = Some(words));
                Input::Away(AWAY.to_owned())
            }
        };
        match input.try_send(told) {
            Ok(()) => {}
            // What builds on a picture that is left out is left out too.
            Err(TrySendError::Full(Input::Unit(_))) => {
                gap = true;
                status.note(|report| report.skipped += 1);
            }
            Err(TrySendError::Full(told)) => {
                let line = input.clone();
                let sent = tokio::task::spawn_blocking(move || line.send(told)).await;
                if !matches!(sent, Ok(Ok(()))) {
                    break;
                }
            }
            Err(TrySendError::Disconnected(_)) => break,
        }
    }
    camera.close().await;
}
