use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ALLOW, CACHE_CONTROL,
    CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, IF_RANGE, RANGE,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use placet_core::Digest;

use crate::Shelf;
use crate::path::LogPath;
use crate::pieces::Pieces;
use crate::range::{Wanted, wanted};

/// What a page may load and do, unless it says otherwise: what stands beside it, and nothing else.
pub const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";
const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

/// The longest checkpoint that is served: three lines and a hundred signatures are less.
const MAX_CHECKPOINT: u64 = 1 << 20;

/// A page beside the log's files.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its path below the prefix; the empty one is the prefix itself. What is a log's path is never a page.
    pub path: String,
    /// Its media type.
    pub media_type: HeaderValue,
    /// Its Content-Security-Policy, such as [`PAGE_POLICY`].
    pub policy: HeaderValue,
    /// What it says.
    pub bytes: Bytes,
}

struct Served {
    shelf: Arc<dyn Shelf>,
    pages: HashMap<String, (Page, HeaderValue)>,
}

/// Serves the files of `shelf` and `pages`: GET and HEAD, to everybody, from everywhere.
pub fn router(shelf: Arc<dyn Shelf>, pages: Vec<Page>) -> Router {
    let pages = pages.into_iter().map(|page| (page.path.clone(), (page.clone(), tag(&page.bytes)))).collect();
    Router::new().fallback(serve).with_state(Arc::new(Served { shelf, pages }))
}

/// An entity tag for bytes.
fn tag(bytes: &[u8]) -> HeaderValue {
    quoted(&Digest::of(bytes).hex())
}

fn quoted(text: &str) -> HeaderValue {
    // Hex digits and numbers always are a header's value.
    HeaderValue::try_from(format!("\"{text}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

async fn serve(State(served): State<Arc<Served>>, request: Request) -> Response {
    let mut response = if matches!(*request.method(), Method::GET | Method::HEAD) {
        let headers = request.headers();
        // Nothing is decoded: no path of ours has anything to decode.
        let path = request.uri().path();
        let path = path.strip_prefix('/').unwrap_or(path);
        match path.parse::<LogPath>() {
            Ok(file) => served.file(file, headers).await.unwrap_or_else(|e| broken(&e)),
            Err(_) => {
                served.pages.get(path).map_or_else(missing, |(page, tag)| page_answer(page, tag, headers))
            }
        }
    } else {
        let allow = [(ALLOW, "GET, HEAD")];
        (StatusCode::METHOD_NOT_ALLOWED, allow, "only GET and HEAD are served here\n").into_response()
    };
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_EXPOSE_HEADERS, "ETag, Content-Range"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

impl Served {
    async fn file(&self, file: LogPath, headers: &HeaderMap) -> io::Result<Response> {
        if file.may_change() { self.changing(file, headers).await } else { self.lasting(file, headers).await }
    }

    /// A file that may change is read whole at once, so that its tag and its bytes are of one moment.
    async fn changing(&self, file: LogPath, headers: &HeaderMap) -> io::Result<Response> {
        let shelf = Arc::clone(&self.shelf);
        let read = move || shelf.read(&file.to_string(), 0, MAX_CHECKPOINT);
        let bytes = match tokio::task::spawn_blocking(read).await? {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(missing()),
            Err(e) => return Err(e),
        };
        let tag = tag(&bytes);
        Ok(if is_known(headers, &tag) {
            unchanged(tag, ASK_AGAIN)
        } else {
            ([(CONTENT_TYPE, TEXT), (CACHE_CONTROL, ASK_AGAIN)], [(ETAG, tag)], bytes).into_response()
        })
    }

    /// A file that never changes is told by its path and length, and read as it is taken.
    async fn lasting(&self, file: LogPath, headers: &HeaderMap) -> io::Result<Response> {
        let (shelf, path) = (Arc::clone(&self.shelf), file.to_string());
        let asked = path.clone();
        let Some(length) = tokio::task::spawn_blocking(move || shelf.length(&asked)).await?? else {
            return Ok(missing());
        };
        let tag = quoted(&length.to_string());
        if is_known(headers, &tag) {
            return Ok(unchanged(tag, FOR_EVER));
        }
        let same = headers.get(IF_RANGE).is_none_or(|known| *known == tag);
        let range = headers.get(RANGE).and_then(|v| v.to_str().ok()).filter(|_| same);
        let (status, first, end) = match wanted(range, length) {
            Wanted::All => (StatusCode::OK, 0, length),
            Wanted::Part { first, last } => (StatusCode::PARTIAL_CONTENT, first, last + 1),
            Wanted::Nothing => return Ok(outside(length)),
        };
        let body = Body::new(Pieces::new(Arc::clone(&self.shelf), path, first, end));
        let kind = if matches!(file, LogPath::Roster(_)) { TEXT } else { BYTES };
        let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, FOR_EVER), (ACCEPT_RANGES, "bytes")];
        let mut response = (status, headers, [(ETAG, tag)], body).into_response();
        if status == StatusCode::PARTIAL_CONTENT {
            insert(&mut response, CONTENT_RANGE, &format!("bytes {first}-{}/{length}", end - 1));
        }
        Ok(response)
    }
}

fn page_answer(page: &Page, tag: &HeaderValue, headers: &HeaderMap) -> Response {
    if is_known(headers, tag) {
        return unchanged(tag.clone(), ASK_AGAIN);
    }
    let ours = [
        (CONTENT_TYPE, page.media_type.clone()),
        (CONTENT_SECURITY_POLICY, page.policy.clone()),
        (ETAG, tag.clone()),
        (CACHE_CONTROL, HeaderValue::from_static(ASK_AGAIN)),
    ];
    (ours, page.bytes.clone()).into_response()
}

/// Whether the caller has these bytes already.
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut known = known.flat_map(|value| value.split(',')).map(str::trim);
    known.any(|one| one == "*" || Some(one.strip_prefix("W/").unwrap_or(one)) == tag.to_str().ok())
}

fn unchanged(tag: HeaderValue, cache: &'static str) -> Response {
    let cache = HeaderValue::from_static(cache);
    (StatusCode::NOT_MODIFIED, [(ETAG, tag), (CACHE_CONTROL, cache)]).into_response()
}

fn outside(length: u64) -> Response {
    let mut response =
        (StatusCode::RANGE_NOT_SATISFIABLE, "the file ends before that range\n").into_response();
    insert(&mut response, CONTENT_RANGE, &format!("bytes */{length}"));
    response
}

fn insert(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Not there, or not yet.
fn missing() -> Response {
    (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "no-store")], "there is no such file\n").into_response()
}

/// Strangers learn that it was not their fault; what failed the shelf can tell whoever runs it.
fn broken(_: &io::Error) -> Response {
    let headers = [(CACHE_CONTROL, "no-store")];
    (StatusCode::INTERNAL_SERVER_ERROR, headers, "this file cannot be read at the moment\n").into_response()
}
