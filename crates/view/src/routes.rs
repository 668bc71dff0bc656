use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use placet_feed::{Feed, Feeds};
use tokio::sync::Semaphore;

use crate::access::{cookie_of, is_same_origin};
use crate::{Access, live, pages};

/// Who watch at a time, over all cameras.
const VIEWERS: usize = 256;
/// A form with a token is shorter.
const MOST_BODY: usize = 1 << 10;
/// A browser has nothing to say.
const MOST_MESSAGE: usize = 1 << 10;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
     media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// Nothing here is to be kept or told elsewhere.
const HEADERS: [(HeaderName, &str); 5] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
];

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = include_str!("../assets/view.js");
const ICON: &str = include_str!("../assets/view.svg");
const STYLE: &str = include_str!("../assets/view.css");

#[derive(Clone)]
struct Site {
    feeds: Feeds,
    access: Access,
    places: Arc<Semaphore>,
}

/// The pages of `feeds`, for those whom `access` admits.
pub fn router(feeds: Feeds, access: Access) -> Router {
    let site = Site { feeds, access, places: Arc::new(Semaphore::new(VIEWERS)) };
    let shown = Router::new()
        .route("/", get(wall))
        .route("/camera/{name}", get(camera))
        .route("/camera/{name}/picture.jpg", get(picture))
        .route("/camera/{name}/live", get(watch))
        .route_layer(from_fn_with_state(site.clone(), admit));
    shown
        .route("/view.js", get(|| async { file("text/javascript; charset=utf-8", SCRIPT) }))
        .route("/view.css", get(|| async { file("text/css; charset=utf-8", STYLE) }))
        .route("/view.svg", get(|| async { file("image/svg+xml", ICON) }))
        .route("/enter", get(ask_token).post(take_token))
        .fallback(|| async { nothing() })
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(from_fn_with_state(site.clone(), dress))
        .with_state(site)
}

/// Every answer has the headers, whatever it is.
async fn dress(State(_): State<Site>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn admit(State(site): State<Site>, request: Request, next: Next) -> Response {
    if site.access.admits(request.headers()) {
        return next.run(request).await;
    }
    match site.access {
        Access::Loopback => {
            let why = "This gateway answers on its own machine only, as http://localhost. Elsewhere it needs a token.";
            html(StatusCode::FORBIDDEN, pages::refused("Not from here", why))
        }
        Access::Token(_) => html(StatusCode::UNAUTHORIZED, pages::enter(None, false)),
    }
}

async fn wall(State(site): State<Site>) -> Response {
    html(StatusCode::OK, pages::wall(&site.feeds.all()))
}

async fn camera(State(site): State<Site>, Path(name): Path<String>) -> Response {
    find(&site, &name, |feed| html(StatusCode::OK, pages::one(&name, &feed)))
}

async fn picture(State(site): State<Site>, Path(name): Path<String>) -> Response {
    let Some(feed) = site.feeds.get(&name) else { return nothing() };
    match feed.snapshot().await {
        Some(picture) => {
            let body = Body::from(Bytes::from_owner(picture.shared()));
            ([(CONTENT_TYPE, HeaderValue::from_static("image/jpeg"))], body).into_response()
        }
        None => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "no picture came in time; the page tells the camera's state\n",
        ),
    }
}

async fn watch(
    State(site): State<Site>,
    Path(name): Path<String>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    // Browsers let any page open a WebSocket anywhere, cookies included; this is what stops them.
    if !is_same_origin(&headers) {
        return text(StatusCode::FORBIDDEN, "only pages of this gateway may watch\n");
    }
    let Ok(upgrade) = upgrade else { return text(StatusCode::BAD_REQUEST, "this is a WebSocket\n") };
    let Ok(place) = Arc::clone(&site.places).try_acquire_owned() else {
        return text(StatusCode::SERVICE_UNAVAILABLE, "too many watch at the moment\n");
    };
    find(&site, &name, |feed| {
        upgrade
            .max_message_size(MOST_MESSAGE)
            .max_frame_size(MOST_MESSAGE)
            .write_buffer_size(0)
            .on_upgrade(move |socket| live::watch(socket, feed, place))
    })
}

async fn ask_token(State(site): State<Site>, RawQuery(query): RawQuery) -> Response {
    let token = query.as_deref().and_then(|query| query.strip_prefix("token="));
    match site.access {
        Access::Loopback => nothing(),
        Access::Token(_) => html(StatusCode::OK, pages::enter(token, false)),
    }
}

async fn take_token(State(site): State<Site>, headers: HeaderMap, body: String) -> Response {
    let token = body.trim_end().strip_prefix("token=").unwrap_or_default();
    match site.access {
        Access::Loopback => nothing(),
        Access::Token(_) if is_same_origin(&headers) && site.access.opens(token) => {
            let Ok(cookie) = HeaderValue::from_str(&cookie_of(token)) else { return nothing() };
            let to = [(LOCATION, HeaderValue::from_static("/")), (SET_COOKIE, cookie)];
            (StatusCode::SEE_OTHER, to).into_response()
        }
        Access::Token(_) => html(StatusCode::FORBIDDEN, pages::enter(None, true)),
    }
}

fn find(site: &Site, name: &str, show: impl FnOnce(Feed) -> Response) -> Response {
    site.feeds.get(name).map_or_else(nothing, show)
}

fn nothing() -> Response {
    html(StatusCode::NOT_FOUND, pages::refused("Nothing here", "No camera and no page has this address."))
}

fn html(status: StatusCode, page: String) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static(HTML))], page).into_response()
}

fn text(status: StatusCode, words: &'static str) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))], words).into_response()
}

fn file(kind: &'static str, content: &'static str) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(kind))], content).into_response()
}
