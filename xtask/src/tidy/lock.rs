//! The dependencies: each once, each under a licence we can pass on.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::Tree;

/// Crates of which two incompatible versions are accepted, and why. An entry that is no longer needed is an error too.
const TWICE: &[(&str, &str)] = &[
    ("base64", "retina and http-auth, which read cameras, are on 0.22"),
    ("block-buffer", "cedar-policy builds its parser with lalrpop, which is on sha3 0.10"),
    ("cpufeatures", "lalrpop's sha3 0.10; ed25519-dalek and sha2 are on the next"),
    ("crypto-common", "lalrpop's sha3 0.10; ed25519-dalek and sha2 are on the next"),
    ("digest", "lalrpop's sha3 0.10; ed25519-dalek and sha2 are on the next"),
    ("getrandom", "ring, the cryptography of rustls, is on 0.2"),
    ("hashbrown", "in the lock for an optional part of cedar-policy's serde_with; not built"),
    ("indexmap", "in the lock for an optional part of cedar-policy's serde_with; not built"),
    ("itertools", "prost-derive and lalrpop are on 0.14; both run at build time only"),
    ("md-5", "http-auth answers cameras with digest 0.10; object_store is on the next"),
    ("miniz_oxide", "png is on 0.8, the reader of model packages on 0.9"),
    ("r-efi", "in the lock for getrandom's UEFI parts; not built"),
    ("rand", "retina and http-auth are on 0.8, tungstenite on 0.9"),
    ("rand_chacha", "of rand 0.8 and 0.9"),
    ("rand_core", "of each rand"),
    ("schemars", "in the lock for an optional part of cedar-policy's serde_with; not built"),
    ("sha1", "tungstenite greets with 0.10; ONVIF passwords are digested with the next"),
    ("sha2", "http-auth answers cameras with digest 0.10"),
    ("socket2", "retina is on 0.5"),
    ("syn", "the derive macros are moving from 2 to 3; runs at build time only"),
    ("unicode-width", "cedar-policy reports errors with miette, which is on 0.1"),
    ("windows-sys", "in the lock for ring's Windows part; not built"),
];

/// Licences under which a dependency can be passed on in a program, by SPDX identifier.
const LICENCES: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "IJG",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

pub fn duplicates(tree: &Tree) -> Vec<String> {
    tree.text("Cargo.lock")
        .map_or_else(|| vec!["Cargo.lock is missing".to_owned()], |lock| check(lock, TWICE))
}

fn check(lock: &str, accepted: &[(&str, &str)]) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let field = |name: &str| {
            package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'))
        };
        if let (Some(name), Some(version)) = (field("name"), field("version")) {
            versions.entry(name).or_default().insert(compatible(version));
        }
    }
    let twice = versions.iter().filter(|(_, versions)| versions.len() > 1);
    let new = twice.filter(|(name, _)| !accepted.iter().any(|(known, _)| known == *name)).map(
        |(name, versions)| {
            let versions: Vec<&str> = versions.iter().copied().collect();
            format!("Cargo.lock has {name} more than once: {}", versions.join(", "))
        },
    );
    let gone =
        accepted.iter().filter(|(name, _)| versions.get(name).is_none_or(|versions| versions.len() < 2));
    new.chain(gone.map(|(name, _)| format!("{name} is accepted twice and there once: take it off the list")))
        .collect()
}

/// The part of a version that has to be equal for two to be compatible: `1` of 1.2.3, `0.4` of 0.4.1.
fn compatible(version: &str) -> &str {
    let mut dots = version.match_indices('.').map(|(at, _)| at);
    let end = if version.starts_with("0.") { dots.nth(1) } else { dots.next() };
    version.get(..end.unwrap_or(version.len())).unwrap_or(version)
}

/// Checks lines of `package\tlicence expression`.
pub fn licences(lines: &str) -> Vec<String> {
    let unfit = lines.lines().filter(|line| !line.is_empty()).filter(|line| {
        let (_, licence) = line.split_once('\t').unwrap_or((line, ""));
        !fits(licence.trim_end_matches("(*)").trim())
    });
    let unique: BTreeSet<String> = unfit
        .map(|line| format!("licence not known as one to pass on: {}", line.replace('\t', ", ")))
        .collect();
    unique.into_iter().collect()
}

/// Whether one alternative of an SPDX expression (or the older form with `/`) has accepted licences only.
fn fits(expression: &str) -> bool {
    // The one form of parentheses met is `(A OR B) AND C`.
    if let Some((choice, rest)) = expression.strip_prefix('(').and_then(|rest| rest.split_once(") AND ")) {
        return fits(choice) && fits(rest);
    }
    let alternatives = expression.split(" OR ").flat_map(|part| part.split('/'));
    alternatives
        .map(str::trim)
        .any(|part| part.split(" AND ").all(|licence| LICENCES.contains(&licence.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &str)]) -> String {
        packages
            .iter()
            .map(|(name, version)| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\n"))
            .collect()
    }

    #[test]
    fn two_incompatible_versions_need_a_reason() {
        let lock = lock(&[
            ("a", "1.2.3"),
            ("a", "1.9.0"),
            ("b", "0.4.1"),
            ("b", "0.5.0"),
            ("c", "1.0.0"),
            ("c", "2.0.0"),
        ]);
        assert_eq!(check(&lock, &[("c", "known")]), ["Cargo.lock has b more than once: 0.4, 0.5"]);
    }

    #[test]
    fn a_reason_that_is_no_longer_needed_is_told() {
        assert_eq!(check(&lock(&[("a", "1.2.3")]), &[("a", "old")]).len(), 1);
    }

    #[test]
    fn a_licence_fits_by_one_of_its_alternatives() {
        for good in [
            "MIT",
            "MIT OR GPL-3.0-only",
            "GPL-2.0/MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(fits(good), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0-only",
            "MIT AND AGPL-3.0-only",
            "(MIT OR Apache-2.0) AND GPL-3.0-only",
            "proprietary",
        ] {
            assert!(!fits(bad), "{bad}");
        }
        assert_eq!(licences("a v1.0.0\tMIT\nb v1.0.0\t\nb v1.0.0\t (*)\n").len(), 2);
    }
}
