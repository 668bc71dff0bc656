//! The pages: complete without script.

use maud::{DOCTYPE, Markup, html};
use placet_feed::Feed;

/// What every page says of itself.
const PROMISE: &str = "Faces that the detector finds are covered before a picture leaves the gateway.";

fn page(title: &str, content: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – Placet" }
                link rel="icon" href="/view.svg" type="image/svg+xml";
                link rel="stylesheet" href="/view.css";
                script src="/view.js" defer {}
            }
            body {
                main {
                    h1 { (title) }
                    (content)
                    footer { p { (PROMISE) } }
                }
            }
        }
    }
    .into_string()
}

/// One camera: its picture, and its state in words.
fn camera(name: &str, feed: &Feed) -> Markup {
    let state = feed.state();
    html! {
        figure .camera data-camera=(name) {
            div .picture {
                img src={ "/camera/" (name) "/picture.jpg" } alt={ "What camera " (name) " sees, redacted" };
            }
            figcaption {
                a href={ "/camera/" (name) } { (name) }
                " "
                span .state role="status" data-state=(state.headline()) { (state) }
            }
        }
    }
}

/// All cameras.
pub fn wall(feeds: &[(String, Feed)]) -> String {
    let content = html! {
        @if feeds.is_empty() {
            p { "There is no camera yet." }
        }
        ul .wall {
            @for (name, feed) in feeds {
                li { (camera(name, feed)) }
            }
        }
    };
    page("Cameras", &content)
}

/// One camera.
pub fn one(name: &str, feed: &Feed) -> String {
    let content = html! {
        div .one { (camera(name, feed)) }
        p { a href="/" { "All cameras" } }
    };
    page(name, &content)
}

/// Where a token is given. One that came in the address is handed on by a button, so that whatever fetches links ahead
/// does not use it up, and leaves the address.
pub fn enter(token: Option<&str>, wrong: bool) -> String {
    let content = html! {
        @if wrong {
            p role="alert" { "This token opens nothing here." }
        }
        form method="post" action="/enter" {
            @match token {
                Some(token) => { input type="hidden" name="token" value=(token); }
                None => {
                    label for="token" { "Token" }
                    input #token type="password" name="token" autocomplete="current-password" required;
                }
            }
            button { "Enter" }
        }
    };
    page("Enter", &content)
}

/// What cannot be shown.
pub fn refused(what: &str, why: &str) -> String {
    page(what, &html! { p { (why) } })
}
