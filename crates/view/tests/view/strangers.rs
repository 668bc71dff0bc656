//! Who may look, and what others get.

use placet_http::client::{Bounds, Client};
use placet_view::Access;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::camera::{Camera, Site};
use crate::studio::SMALL;
use crate::watching::{open, own_origin};

const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";

/// The whole answer to a request with these headers.
async fn ask(site: &Site, method: &str, path: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    let len = body.len();
    let text = format!(
        "{method} {path} HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {len}\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_complete_without_script_and_carry_their_policy() {
    let site = Site::open(Access::Loopback).await;
    let camera = Camera::live(SMALL);
    site.feeds.insert("hall-north", camera.feed.clone()).unwrap();
    site.feeds.insert("gate.2_b", camera.feed.clone()).unwrap();
    let host = format!("Host: {}\r\n", site.address);
    let wall = ask(&site, "GET", "/", &host, "").await;
    for part in [
        "<a href=\"/camera/hall-north\">hall-north</a>",
        "<img src=\"/camera/gate.2_b/picture.jpg\"",
        "REDACTED LIVE",
        "content-security-policy: default-src 'none'; script-src 'self'",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cache-control: no-store",
    ] {
        assert!(wall.contains(part), "{part}: {wall}");
    }
    assert!(!wall.contains("<script>") && !wall.contains("style=") && !wall.contains("onclick"));
    let picture = site.get("/camera/hall-north/picture.jpg").await;
    assert_eq!((picture.status, picture.content_type.as_deref()), (200, Some("image/jpeg")));
    assert!(picture.body.starts_with(&[0xff, 0xd8, 0xff]));
    for path in ["/camera/hall-north", "/view.js", "/view.css", "/view.svg"] {
        assert_eq!(site.get(path).await.status, 200, "{path}");
    }
    for path in [
        "/camera/hall-south",
        "/camera/hall-south/picture.jpg",
        "/camera/",
        "/camera",
        "/camera/hall-north/",
        "/camera/../camera/hall-north",
        "/camera/%2e%2e/picture.jpg",
        "/camera/%2fhall-north",
        "/camera/hall-north%00",
        "/camera/HALL-NORTH",
        "/view.js/",
        "/assets/view.js",
        "/../../etc/passwd",
        "/enter",
    ] {
        let answer = ask(&site, "GET", path, &host, "").await;
        assert_eq!(status(&answer), 404, "{path}");
        assert!(answer.contains("content-security-policy"), "{path}");
    }
    assert_eq!(status(&ask(&site, "POST", "/", &host, "").await), 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_another_name_for_this_machine_and_pages_of_other_sites() {
    let site = Site::open(Access::Loopback).await;
    let camera = Camera::live(SMALL);
    site.feeds.insert("hall-north", camera.feed.clone()).unwrap();
    let mut tried = 0;
    for path in ["/", "/camera/hall-north", "/camera/hall-north/picture.jpg", "/camera/hall-north/live"] {
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "192.0.2.1", ""] {
            let answer = ask(&site, "GET", path, &format!("Host: {host}\r\n"), "").await;
            assert_eq!(status(&answer), 403, "{path} as {host}");
            assert!(!answer.contains("hall-north"), "{path} as {host}");
            tried += 1;
        }
    }
    let live = "/camera/hall-north/live";
    for origin in ["http://evil.example", "null", "http://localhost", "http://127.0.0.1:1", ""] {
        assert_eq!(open(&site, live, &[("origin", origin.to_owned())]).await.err(), Some(403), "{origin}");
        tried += 1;
    }
    assert_eq!(open(&site, live, &[]).await.err(), Some(403));
    assert_eq!(open(&site, "/camera/hall-south/live", &own_origin(&site)).await.err(), Some(404));
    assert_eq!(camera.feed.viewers(), 0);
    assert!(open(&site, live, &own_origin(&site)).await.is_ok());
    println!("{} requests from elsewhere, 0 answered with a camera", tried + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_pages_behind_a_token() {
    let site = Site::open(Access::token(TOKEN).unwrap()).await;
    let camera = Camera::live(SMALL);
    site.feeds.insert("hall-north", camera.feed.clone()).unwrap();
    let host = format!("Host: {0}\r\nOrigin: http://{0}\r\n", site.address);
    let form = format!("{host}Content-Type: application/x-www-form-urlencoded\r\n");
    let near = format!("{}0", &TOKEN[1..]);
    let mut tried = 0;
    for cookie in [
        "",
        "Cookie: placet-view=\r\n",
        "Cookie: placet-view=x\r\n",
        &format!("Cookie: placet-view={near}\r\n"),
    ] {
        for path in [
            "/",
            "/camera/hall-north",
            "/camera/hall-north/picture.jpg",
            "/camera/hall-north/live",
            "/camera/none",
        ] {
            let answer = ask(&site, "GET", path, &format!("{host}{cookie}"), "").await;
            assert_eq!(status(&answer), 401, "{path}");
            assert!(!answer.contains("hall-north"));
            tried += 1;
        }
    }
    for body in ["", "token=", &format!("token={near}"), &format!("token={TOKEN}x"), &"token=".repeat(1_000)]
    {
        let answer = ask(&site, "POST", "/enter", &form, body).await;
        assert!(matches!(status(&answer), 403 | 413) && !answer.contains("set-cookie"), "{answer}");
        tried += 1;
    }
    let elsewhere = format!("Host: {}\r\nOrigin: http://evil.example\r\n", site.address);
    assert_eq!(status(&ask(&site, "POST", "/enter", &elsewhere, &format!("token={TOKEN}")).await), 403);
    // The link shows a button and sets nothing; the button does.
    let link = ask(&site, "GET", &format!("/enter?token={TOKEN}"), &host, "").await;
    assert!(status(&link) == 200 && link.contains(TOKEN) && !link.contains("set-cookie"));
    let quoted = ask(&site, "GET", "/enter?token=%22%3E<script>", &host, "").await;
    assert!(!quoted.contains("<script>"), "{quoted}");
    let entered = ask(&site, "POST", "/enter", &form, &format!("token={TOKEN}")).await;
    assert_eq!(status(&entered), 303);
    let set = entered.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict"));
    let cookie = set.split(';').next().unwrap();
    let wall = ask(&site, "GET", "/", &format!("{host}Cookie: {cookie}\r\n"), "").await;
    assert!(status(&wall) == 200 && wall.contains("hall-north"));
    let headers = [own_origin(&site)[0].clone(), ("cookie", cookie.to_owned())];
    assert!(open(&site, "/camera/hall-north/live", &headers).await.is_ok());
    let reply = Client::new().unwrap().get(&site.url("/view.js"), None, Bounds::default()).await.unwrap();
    assert_eq!(reply.status, 200);
    println!("{} tries without the token, 0 let in", tried + 1);
}
