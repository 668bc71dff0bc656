//! The crates: their descriptions, who knows whom, and what the inner ones must not see.

use super::tree::{File, Tree};

/// What each crate may depend on. A crate that is not listed may depend on any; a new edge between listed ones is a
/// design change and has a line in `docs/ARCHITECTURE.md`.
const EDGES: &[(&str, &[&str])] = &[
    ("placet-core", &[]),
    ("placet-tlog", &[]),
    ("placet-sys", &[]),
    ("placet-rulebook", &["placet-core"]),
    ("placet-record", &["placet-core", "placet-tlog"]),
    ("placet-audit", &["placet-core", "placet-record", "placet-tlog"]),
    // Whoever audits a log has these crates to read and no others.
    ("placet-verify", &["placet-audit", "placet-core", "placet-record", "placet-tlog"]),
    ("placet-hpke", &["placet-core"]),
    ("placet-deposit", &["placet-core", "placet-hpke", "placet-record", "placet-tlog"]),
    // Who seals an original knows nothing of who may open it.
    ("placet-sealed", &["placet-core", "placet-hpke", "placet-record"]),
    ("placet-store", &["placet-tlog"]),
    ("placet-confidential", &["placet-core", "placet-record"]),
    (
        "placet-keeper",
        &[
            "placet-audit",
            "placet-confidential",
            "placet-core",
            "placet-deposit",
            "placet-record",
            "placet-store",
            "placet-tlog",
        ],
    ),
    ("placet-http", &[]),
    ("placet-witness", &["placet-core", "placet-http", "placet-tlog"]),
    ("placet-publish", &["placet-core", "placet-tlog"]),
    ("placet-monitor", &["placet-audit", "placet-core", "placet-http", "placet-record", "placet-tlog"]),
    ("placet-onvif", &["placet-core"]),
    ("placet-export", &["placet-core", "placet-publish", "placet-record", "placet-tlog"]),
    ("placet-vision", &["placet-core"]),
    ("placet-redaction", &["placet-core"]),
    ("placet-camera", &["placet-core"]),
    ("placet-ingest", &["placet-core", "placet-redaction", "placet-sys"]),
    ("placet-gateway", &["placet-core", "placet-redaction"]),
    ("placet-settings", &["placet-camera", "placet-record"]),
    (
        "placet-proxy",
        &[
            "placet-camera",
            "placet-core",
            "placet-feed",
            "placet-gateway",
            "placet-ingest",
            "placet-redaction",
            "placet-sys",
            "placet-vision",
        ],
    ),
    // What is shown live takes what `placet-ingest` made of redacted frames, and nothing else.
    ("placet-feed", &["placet-core", "placet-ingest", "placet-sys"]),
    ("placet-rtsp", &["placet-core", "placet-feed", "placet-sys"]),
    ("placet-view", &["placet-core", "placet-feed", "placet-sys"]),
    (
        "placet-job",
        &[
            "placet-core",
            "placet-ingest",
            "placet-record",
            "placet-redaction",
            "placet-tlog",
            "placet-vision",
        ],
    ),
];

/// The crates that take the world as arguments.
const INNER: [&str; 8] = ["core", "tlog", "record", "audit", "hpke", "deposit", "redaction", "gateway"];

/// What inner crates must not say. `clippy.toml` forbids the calls; this forbids the imports too.
const WORLD: [&str; 12] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::os",
    "SystemTime",
    "Instant::now",
    "thread::sleep",
    "getrandom",
    "rand::",
    "OsRng",
    "RandomState",
];

/// What inner crates must not depend on.
const WORLDLY: [&str; 7] = ["tokio", "getrandom", "rand", "rand_core", "libc", "rustix", "tempfile"];

/// The list of forbidden calls that inner crates share.
const CLIPPY: &str = "crates/tlog/clippy.toml";

/// A crate by its manifest.
struct Crate<'t> {
    folder: &'t str,
    name: &'t str,
    manifest: &'t str,
}

fn crates(tree: &Tree) -> Vec<Crate<'_>> {
    let manifests = tree.matching("", "Cargo.toml");
    manifests
        .filter_map(|File { path, text }| {
            let name = text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))?;
            Some(Crate { folder: path.strip_suffix("/Cargo.toml")?, name, manifest: text })
        })
        .collect()
}

impl<'t> Crate<'t> {
    /// The names of what it is built with; dev-dependencies are not part of it.
    fn dependencies(&self) -> Vec<&'t str> {
        let mut counts = false;
        let mut names = Vec::new();
        for line in self.manifest.lines() {
            if let Some(section) = line.strip_prefix('[') {
                counts = section.contains("dependencies]") && !section.contains("dev-dependencies");
            } else if counts
                && let Some(name) = line.split(['.', ' ', '=']).next().filter(|name| !name.is_empty())
            {
                names.push(name);
            }
        }
        names
    }
}

pub fn descriptions(tree: &Tree) -> Vec<String> {
    let says =
        |manifest: &str| manifest.lines().any(|line| line.starts_with("description = \"") && line.len() > 20);
    crates(tree)
        .iter()
        .filter(|c| !says(c.manifest))
        .map(|c| format!("{}/Cargo.toml has no description", c.folder))
        .collect()
}

pub fn edges(tree: &Tree) -> Vec<String> {
    let all = crates(tree);
    let place = |name: &str| all.iter().find(|c| c.name == name).map_or("", |c| c.folder);
    let mut problems = Vec::new();
    for c in &all {
        let allowed = EDGES.iter().find(|(name, _)| *name == c.name).map(|(_, allowed)| allowed);
        for dependency in c.dependencies().into_iter().filter(|name| name.starts_with("placet")) {
            if allowed.is_some_and(|allowed| !allowed.contains(&dependency)) {
                problems.push(format!("{} must not depend on {dependency}", c.name));
            }
            // The recogniser that attacks our output must never become part of it.
            if !c.folder.starts_with("bench/") && place(dependency).starts_with("bench/") {
                problems.push(format!("{} must not depend on the bench {dependency}", c.name));
            }
            if c.folder.starts_with("crates/") && place(dependency).starts_with("bins/") {
                problems.push(format!("{} must not depend on the program {dependency}", c.name));
            }
        }
    }
    problems
}

pub fn purity(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    let shared = tree.text(CLIPPY);
    for name in INNER {
        let folder = format!("crates/{name}");
        let Some(manifest) = tree.text(&format!("{folder}/Cargo.toml")) else { continue };
        let clippy = format!("{folder}/clippy.toml");
        if tree.text(&clippy) != shared {
            problems.push(format!("{clippy} does not forbid what {CLIPPY} forbids"));
        }
        let inner = Crate { folder: &folder, name, manifest };
        let worldly = inner.dependencies().into_iter().filter(|name| WORLDLY.contains(name));
        problems.extend(worldly.map(|dependency| format!("{folder} must not depend on {dependency}")));
        for file in tree.matching(&format!("{folder}/src/"), ".rs") {
            for (number, line) in code(&file.text) {
                let seen = WORLD.iter().filter(|word| line.contains(**word));
                problems.extend(seen.map(|word| format!("{}:{number} sees the world: `{word}`", file.path)));
            }
        }
    }
    problems
}

/// The lines of a source file with their numbers, without comments and without the test module at its foot.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests = text.match_indices("\n#[cfg(test)]\n").map(|(at, _)| at).find(|&at| {
        let mut below = text.get(at..).unwrap_or_default().lines().skip(2);
        below.find(|line| !line.starts_with("#[")).is_some_and(|line| line.starts_with("mod "))
    });
    let lines = text.get(..tests.unwrap_or(text.len())).unwrap_or(text).lines();
    lines.enumerate().map(|(idx, line)| (idx + 1, line.split("//").next().unwrap_or(line)))
}

pub fn fuzz_seeds(tree: &Tree) -> Vec<String> {
    let sources = tree.text("fuzz/corpus/README.md").unwrap_or_default();
    let manifest = tree.text("fuzz/Cargo.toml").unwrap_or_default();
    let mut problems = Vec::new();
    for file in tree.matching("fuzz/fuzz_targets/", ".rs") {
        let target = file.path.trim_start_matches("fuzz/fuzz_targets/").trim_end_matches(".rs");
        if !manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")) {
            problems.push(format!("{} is not in fuzz/Cargo.toml", file.path));
        }
        if !tree.has(&format!("fuzz/corpus/{target}")) {
            problems.push(format!("fuzz target `{target}` has no seeds in fuzz/corpus"));
        }
        if !sources.contains(&format!("`{target}/")) {
            problems
                .push(format!("fuzz/corpus/README.md does not say where the seeds of `{target}` come from"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: (&str, &str) =
        ("crates/core/Cargo.toml", "[package]\nname = \"placet-core\"\ndescription = \"frames\"\n");

    #[test]
    fn an_edge_that_is_not_listed_is_told() {
        let manifest = "[package]\nname = \"placet-vision\"\n[dependencies]\nplacet-core.workspace = true\n\
                        placet-redaction = { path = \"../redaction\" }\n[dev-dependencies]\nplacet-record.workspace = true\n";
        let tree = Tree::of(&[CORE, ("crates/vision/Cargo.toml", manifest)]);
        assert_eq!(edges(&tree), ["placet-vision must not depend on placet-redaction"]);
    }

    #[test]
    fn the_product_does_not_depend_on_a_bench() {
        let bench = ("bench/reident/Cargo.toml", "[package]\nname = \"placet-reident\"\n");
        let bin = (
            "bins/placet/Cargo.toml",
            "[package]\nname = \"placet\"\n[dependencies]\nplacet-reident.workspace = true\n",
        );
        assert_eq!(edges(&Tree::of(&[bench, bin])), ["placet must not depend on the bench placet-reident"]);
    }

    #[test]
    fn an_inner_crate_that_reads_the_clock_is_told_with_its_line() {
        let source = "//! SystemTime in a comment is fine.\n#[cfg(test)]\nuse std::fmt;\nlet t = SystemTime::now();\n\
                      #[cfg(test)]\n#[allow(x)]\nmod tests { std::fs::read(x); }\n";
        let shared = (CLIPPY, "disallowed");
        let own = ("crates/core/clippy.toml", "disallowed");
        let tree = Tree::of(&[CORE, shared, own, ("crates/core/src/lib.rs", source)]);
        assert_eq!(purity(&tree), ["crates/core/src/lib.rs:4 sees the world: `SystemTime`"]);
    }

    #[test]
    fn an_inner_crate_without_its_clippy_list_or_with_randomness_is_told() {
        let manifest = "[package]\nname = \"placet-core\"\n[dependencies]\ngetrandom.workspace = true\n";
        let tree = Tree::of(&[(CLIPPY, "disallowed"), ("crates/core/Cargo.toml", manifest)]);
        assert_eq!(purity(&tree).len(), 2, "{:?}", purity(&tree));
    }

    #[test]
    fn an_empty_description_is_told() {
        let empty = ("crates/x/Cargo.toml", "[package]\nname = \"placet-x\"\ndescription = \"\"\n");
        assert_eq!(descriptions(&Tree::of(&[CORE, empty])), ["crates/x/Cargo.toml has no description"]);
    }

    #[test]
    fn a_fuzz_target_without_seeds_is_told() {
        let target = ("fuzz/fuzz_targets/zzz.rs", "");
        assert_eq!(fuzz_seeds(&Tree::of(&[target])).len(), 3);
    }
}
