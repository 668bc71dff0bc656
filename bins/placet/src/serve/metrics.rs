//! Health and metrics, for this machine alone: cameras by name and numbers, no addresses, no people.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use placet_feed::State as Shown;
use placet_proxy::Report;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::fleet::Fleet;
use super::keeping::{LogReport, LogState};
use crate::Failure;
use crate::log::listen;

#[derive(Clone)]
struct Source {
    fleet: Arc<Fleet>,
    log: Option<LogState>,
}

pub fn serve(
    runtime: &Runtime,
    address: SocketAddr,
    fleet: &Arc<Fleet>,
    log: Option<LogState>,
) -> Result<(), Failure> {
    let listener = runtime.block_on(listen(&address.to_string()))?;
    let local = listener.local_addr().map_err(|e| Failure::Io(address.to_string(), e))?;
    let source = Source { fleet: Arc::clone(fleet), log };
    let router =
        Router::new().route("/metrics", get(metrics)).route("/health", get(health)).with_state(source);
    eprintln!("health and metrics are at http://{local}/health and /metrics");
    let limits = placet_http::server::Limits::default();
    runtime.spawn(placet_http::server::serve(listener, router, limits, std::future::pending()));
    Ok(())
}

/// 200 where every camera is live and the log is kept and witnessed, else 503; what is wrong in words either way.
async fn health(State(source): State<Source>) -> impl IntoResponse {
    let log = source.log.as_ref().map(LogState::report);
    let mut well = log.as_ref().is_none_or(|log| log.broken.is_none() && log.witnessed != Some(false));
    let mut cameras: Vec<Value> = source
        .fleet
        .reports()
        .into_iter()
        .map(|(camera, report)| {
            well &= report.state == Shown::Live;
            json!({
                "camera": camera.name.to_string(),
                "state": report.state.headline(),
                "reason": report.state.reason(),
                "trouble": report.trouble,
                "level": format!("{:?}", report.level).to_lowercase(),
                "delay_ms": report.delay_ms.map(|(p50, p99)| json!({ "p50": p50, "p99": p99 })),
            })
        })
        .collect();
    for (name, why) in source.fleet.unread() {
        well = false;
        cameras.push(json!({ "camera": name, "state": "NOT READ", "reason": why }));
    }
    let log = match log {
        None => "none".to_owned(),
        Some(LogReport { broken: Some(why), .. }) => why,
        Some(LogReport { witnessed: Some(false), .. }) => {
            "kept, but not seen by as many witnesses as its policy asks for".to_owned()
        }
        Some(_) => "kept".to_owned(),
    };
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({ "well": well, "log": log, "cameras": cameras }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body)
}

/// A counter or gauge: its name, its kind, what it counts, and how it is read from a report.
type Metric = (&'static str, &'static str, &'static str, fn(&Report) -> f64);

const METRICS: [Metric; 10] = [
    ("placet_camera_up", "gauge", "1 while pictures come and leave redacted", |r| {
        f64::from(u8::from(r.state == Shown::Live))
    }),
    ("placet_units_total", "counter", "Coded pictures from the camera", |r| r.units as f64),
    ("placet_skips_total", "counter", "Times pictures were skipped since decoding did not keep up", |r| {
        r.skipped as f64
    }),
    ("placet_frames_decoded_total", "counter", "Frames decoded", |r| r.decoded as f64),
    ("placet_frames_looked_total", "counter", "Frames looked at for faces", |r| r.looked as f64),
    ("placet_frames_left_total", "counter", "Frames that left with faces hidden", |r| r.left as f64),
    ("placet_frames_dropped_total", "counter", "Frames that did not leave, for overload", |r| {
        r.dropped as f64
    }),
    ("placet_frames_encoded_total", "counter", "Pictures of the redacted stream", |r| r.encoded as f64),
    ("placet_child_starts_total", "counter", "Starts of decoder and encoder", |r| {
        (r.starts.0 + r.starts.1) as f64
    }),
    ("placet_level", "gauge", "How much is given up: 0 nothing to 5 every frame covered", |r| {
        placet_gateway::Level::ALL.iter().position(|level| *level == r.level).unwrap_or(0) as f64
    }),
];

async fn metrics(State(source): State<Source>) -> impl IntoResponse {
    let reports = source.fleet.reports();
    let mut text = String::new();
    // Writing to a string cannot fail.
    for (name, kind, help, value) in METRICS {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (camera, report) in &reports {
            let _ = writeln!(text, "{name}{{camera=\"{}\"}} {}", camera.name, value(report));
        }
    }
    let name = "placet_frames_covered_total";
    let _ = writeln!(text, "# HELP {name} Frames that left covered whole\n# TYPE {name} counter");
    for (camera, report) in &reports {
        for (reason, count) in ["damaged", "unjudged", "late", "overload"].iter().zip(report.covered) {
            let _ = writeln!(text, "{name}{{camera=\"{}\",reason=\"{reason}\"}} {count}", camera.name);
        }
    }
    let name = "placet_delay_seconds";
    let _ = writeln!(text, "# HELP {name} From a picture's time to its leaving\n# TYPE {name} gauge");
    for (camera, (p50, p99)) in reports.iter().filter_map(|(c, r)| Some((c, r.delay_ms?))) {
        for (quantile, ms) in [("0.5", p50), ("0.99", p99)] {
            let seconds = f64::from(ms) / 1000.0;
            let _ = writeln!(text, "{name}{{camera=\"{}\",quantile=\"{quantile}\"}} {seconds}", camera.name);
        }
    }
    let waiting = source.fleet.waiting() as u64;
    gauge(&mut text, "placet_waiting_frames", "Frames that wait for a detector", waiting);
    let unread = source.fleet.unread().len() as u64;
    gauge(&mut text, "placet_cameras_unread", "Cameras of the configuration that are not read", unread);
    if let Some(log) = &source.log {
        let LogReport { broken, witnessed } = log.report();
        gauge(&mut text, "placet_log_kept", "1 while the log is kept", u64::from(broken.is_none()));
        if let Some(witnessed) = witnessed {
            let help = "1 while as many witnesses as the log's policy asks for see what is written";
            gauge(&mut text, "placet_log_witnessed", help, witnessed.into());
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

fn gauge(text: &mut String, name: &str, help: &str, value: u64) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
}
