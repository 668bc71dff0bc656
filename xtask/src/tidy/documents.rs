//! The documents: invariants with their tests, links, licence files.

use super::tree::Tree;

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";

/// Each invariant, `INV-n`, names a test as `crate::test_name`, and that test is there.
pub fn invariants(tree: &Tree) -> Vec<String> {
    let Some(text) = tree.text(ARCHITECTURE) else { return vec![format!("{ARCHITECTURE} is missing")] };
    let mut problems = Vec::new();
    let mut expected = 1;
    for block in text.split("\n\n").filter(|block| block.starts_with("INV-")) {
        let name = block.split_whitespace().next().unwrap_or(block);
        if name != format!("INV-{expected}") {
            problems.push(format!("{ARCHITECTURE}: {name} where INV-{expected} comes next"));
        }
        expected += 1;
        let quoted = block.split('`').skip(1).step_by(2);
        match quoted.filter(|words| is_test_path(words)).last() {
            None => problems.push(format!("{ARCHITECTURE}: {name} names no test")),
            // The command that runs this check.
            Some("xtask::tidy") => {}
            Some(test) if has_test(tree, test) => {}
            Some(test) => {
                problems.push(format!("{ARCHITECTURE}: {name} names the test `{test}`, which is not there"))
            }
        }
    }
    if expected == 1 {
        problems.push(format!("{ARCHITECTURE} has no invariants"));
    }
    problems
}

fn is_test_path(words: &str) -> bool {
    words.contains("::")
        && words.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:-".contains(c))
}

/// Whether `crate::…::name` is a test somewhere in that crate.
fn has_test(tree: &Tree, path: &str) -> bool {
    let (Some((package, _)), Some((_, name))) = (path.split_once("::"), path.rsplit_once("::")) else {
        return false;
    };
    let folders = ["crates", "bins", "bench"]
        .map(|place| format!("{place}/{package}/"))
        .into_iter()
        .chain([format!("{package}/")]);
    let head = format!("fn {name}(");
    folders.into_iter().any(|folder| {
        tree.matching(&folder, ".rs").any(|file| {
            file.text.match_indices(&head).any(|(at, _)| {
                // Attributes and comments directly above the function.
                let above = file
                    .text
                    .get(..at)
                    .and_then(|text| text.rsplit_once('\n'))
                    .map_or("", |(above, _)| above);
                above
                    .lines()
                    .rev()
                    .take_while(|line| !line.trim().is_empty() && line.trim() != "}")
                    .any(|line| line.contains("#[test]"))
            })
        })
    })
}

/// Each link of a Markdown file to a file leads to one.
pub fn links(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for file in tree.matching("", ".md") {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for target in link_targets(&file.text) {
            let outside = target.contains("://") || target.starts_with("mailto:") || target.starts_with('#');
            let path = target.split(['#', '?']).next().unwrap_or(target);
            let inside = if outside { None } else { Some(resolve(folder, path)) };
            match inside {
                None => {}
                Some(Some(path)) if tree.has(&path) => {}
                Some(_) => problems.push(format!("{}: the link `{target}` leads nowhere", file.path)),
            }
        }
    }
    problems
}

/// What stands in the parentheses of `[…](…)`, outside fenced code.
fn link_targets(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut targets = Vec::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if !fenced {
            let after = line.split("](").skip(1);
            targets.extend(
                after.filter_map(|rest| rest.split([')', ' ']).next()).map(|t| t.trim_matches(['<', '>'])),
            );
        }
    }
    targets
}

/// `path` as seen from `folder`; none where it leaves the repository.
fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

pub fn licence_files(tree: &Tree) -> Vec<String> {
    let files = [("LICENSE-MIT", "MIT License"), ("LICENSE-APACHE", "Version 2.0, January 2004")];
    let there = |path, words| tree.text(path).is_some_and(|text| text.contains(words));
    files
        .iter()
        .filter(|(path, words)| !there(path, words))
        .map(|(path, _)| format!("{path} is missing"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TESTS: (&str, &str) = (
        "crates/redaction/tests/all.rs",
        "fn helper(x: u8) {}\n\nproptest! {\n    /// INV-1\n    #[test]\n    fn redaction_forgets(x: u8) {}\n}\n\n#[test]\nfn nothing_else() {}\n",
    );

    fn invariants_of(text: &str) -> Vec<String> {
        invariants(&Tree::of(&[TESTS, (ARCHITECTURE, text)]))
    }

    #[test]
    fn an_invariant_whose_test_exists_holds() {
        assert!(
            invariants_of(
                "# A\n\nINV-1 None. `redaction::redaction_forgets`\n(`Why`.)\n\nINV-2 X `xtask::tidy`\n"
            )
            .is_empty()
        );
    }

    #[test]
    fn an_invariant_without_a_test_is_told() {
        for bad in [
            "INV-1 Nothing leaks.",
            "INV-1 Nothing leaks. `redaction::no_such_test`",
            "INV-1 Nothing leaks. `vision::redaction_forgets`",
            "INV-1 Nothing leaks. `redaction::helper`",
            "INV-2 Nothing leaks. `redaction::redaction_forgets`",
            "No invariants at all.",
        ] {
            assert_eq!(invariants_of(bad).len(), 1, "{bad}: {:?}", invariants_of(bad));
        }
        assert_eq!(invariants(&Tree::of(&[])), ["docs/ARCHITECTURE.md is missing"]);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_told() {
        let text = "[a](../x.md) [b](sub/y.md#part) [c](https://example.org/z) [d](#here) [e](sub/)\n```\n[f](none)\n```\n\
                    [g](gone.md) [h](../../out.md)\n";
        let tree = Tree::of(&[("docs/a.md", text), ("x.md", ""), ("docs/sub/y.md", "")]);
        assert_eq!(
            links(&tree),
            [
                "docs/a.md: the link `gone.md` leads nowhere",
                "docs/a.md: the link `../../out.md` leads nowhere"
            ]
        );
    }

    #[test]
    fn a_missing_licence_is_told() {
        assert_eq!(
            licence_files(&Tree::of(&[("LICENSE-MIT", "MIT License")])),
            ["LICENSE-APACHE is missing"]
        );
    }
}
