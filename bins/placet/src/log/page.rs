//! The page that checks a log in the browser, for one policy.

use std::fs;
use std::path::Path;

use placet_core::Digest;
use placet_publish::Page;

use super::{PageArgs, policy, usage};
use crate::Failure;
use crate::exit::Exit;

/// The page with two marks left; see `web/verify/README.md`.
const PAGE: &str = include_str!("../../../../web/verify/verify.html");

/// `placet log page`
pub fn run(args: &PageArgs) -> Result<Exit, Failure> {
    policy(&args.policy)?;
    if let Some(log) = &args.log {
        log.parse::<placet_http::client::Prefix>().map_err(|e| usage(&e))?;
    }
    let text =
        fs::read_to_string(&args.policy).map_err(|e| Failure::Io(args.policy.display().to_string(), e))?;
    let page = pinned(&text, args.log.as_deref().unwrap_or(""));
    fs::write(&args.output, &page).map_err(|e| Failure::Io(args.output.display().to_string(), e))?;
    println!("{}  {}", Digest::of(page.as_bytes()), args.output.display());
    eprintln!("publish this digest where people trust you: it tells them that the page is yours");
    Ok(Exit::Done)
}

/// Puts the page, for one policy, beside the log that a web server is to host from `folder`.
pub fn beside(folder: &Path, policy: &str) -> Result<(), Failure> {
    let path = folder.join("index.html");
    fs::write(&path, pinned(policy, "")).map_err(|e| Failure::Io(path.display().to_string(), e))
}

/// The page to serve beside a log.
pub fn page(policy: &str, log: &str) -> Result<Page, Failure> {
    let text = pinned(policy, log);
    // The page's own policy allows its script and style by their hashes; the header says the same, and that no other page
    // may frame it, which a page cannot say of itself.
    let own = text.split_once("http-equiv=\"Content-Security-Policy\"").and_then(|(_, rest)| {
        rest.split_once("content=\"")?.1.split_once('"').map(|(policy, _)| policy.to_owned())
    });
    let own = own.ok_or_else(|| Failure::internal("the page has no Content-Security-Policy"))?;
    let policy = format!("{}; frame-ancestors 'none'", own.split_whitespace().collect::<Vec<_>>().join(" "));
    Ok(Page {
        path: String::new(),
        media_type: "text/html; charset=utf-8".parse().map_err(Failure::internal)?,
        policy: policy.parse().map_err(Failure::internal)?,
        bytes: text.into_bytes().into(),
    })
}

fn pinned(policy: &str, log: &str) -> String {
    PAGE.replacen("{{POLICY}}", &escaped(policy), 1).replacen("{{LOG}}", &escaped(log), 1)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_takes_a_policy_and_an_address_and_its_rules_go_into_the_header() {
        let page = page("log a<b>&\n", "https://log.example/\"x").unwrap();
        let text = String::from_utf8(page.bytes.to_vec()).unwrap();
        assert!(text.contains("log a&lt;b&gt;&amp;\n") && text.contains("https://log.example/&quot;x"));
        assert!(!text.contains("{{POLICY}}") && !text.contains("{{LOG}}"));
        let policy = page.policy.to_str().unwrap();
        assert!(
            policy.contains("script-src 'sha256-") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
    }
}
