use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use placet_tlog::witness::{MAX_REQUEST, Refusal, SIZE_TYPE};

use super::{Declined, Witness};

const TEXT: &str = "text/plain; charset=utf-8";

/// The witness over HTTP: `POST add-checkpoint`, a page, and the evidence it lists.
pub fn router(witness: Arc<Witness>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/evidence/{name}", get(evidence))
        .with_state(witness)
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Body) -> Response {
    let Ok(body) = to_bytes(body, MAX_REQUEST).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "a request is at most 64 KiB\n".to_owned());
    };
    let done = tokio::task::spawn_blocking(move || witness.add_checkpoint(&body)).await;
    match done {
        Ok(Ok(line)) => plain(StatusCode::OK, line),
        Ok(Err(Declined::Refused(refusal))) => refused(&refusal),
        Ok(Err(Declined::Unable(why))) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "this witness failed\n".to_owned()),
    }
}

fn refused(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match refusal {
        Refusal::OtherSize { size } | Refusal::OtherRoot { size, .. } => {
            (status, [(CONTENT_TYPE, SIZE_TYPE)], format!("{size}\n")).into_response()
        }
        Refusal::Request(_) | Refusal::UnknownLog | Refusal::Signature | Refusal::Inconsistent { .. } => {
            plain(status, format!("{refusal}\n"))
        }
    }
}

async fn page(State(witness): State<Arc<Witness>>) -> Response {
    let page = tokio::task::spawn_blocking(move || witness.page()).await.unwrap_or_default();
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, page).into_response()
}

async fn evidence(State(witness): State<Arc<Witness>>, Path(name): Path<String>) -> Response {
    let read = tokio::task::spawn_blocking(move || witness.evidence_file(&name)).await;
    match read.ok().flatten() {
        Some(bytes) => ([(CONTENT_TYPE, "application/json")], bytes).into_response(),
        None => plain(StatusCode::NOT_FOUND, "there is no such evidence\n".to_owned()),
    }
}

fn plain(status: StatusCode, text: String) -> Response {
    let mut response = (status, text).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(TEXT));
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
