//! Words that must not be committed. They are put together here, so that this file does not hold them itself.

use super::tree::{File, Tree};

/// Where people and compilers read: not the vectors, whose words are others'.
fn read_by_people(tree: &Tree) -> impl Iterator<Item = &File> {
    let others = ["vectors/", "fuzz/corpus/", "packaging/licences/", "LICENSE", "Cargo.lock"];
    tree.files.iter().filter(move |file| !others.iter().any(|start| file.path.starts_with(start)))
}

fn find(tree: &Tree, words: &[String], what: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for file in read_by_people(tree) {
        for (idx, line) in file.text.lines().enumerate() {
            let found = words.iter().filter(|word| holds(line, word));
            problems.extend(found.map(|word| format!("{}:{} {what} `{word}`", file.path, idx + 1)));
        }
    }
    problems
}

/// Whether `line` has `word` as a word of its own: not as the end of a longer one.
fn holds(line: &str, word: &str) -> bool {
    let ends_word = |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || "_.-/".contains(c));
    line.match_indices(word).any(|(at, _)| !ends_word(line.get(..at).unwrap_or_default()))
}

/// Marks of unfinished work, and tests that are switched off.
pub fn markers(tree: &Tree) -> Vec<String> {
    let words =
        [("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("to", "do!("), ("unimplement", "ed!("), ("#[ign", "ore")];
    find(tree, &words.map(|(a, b)| format!("{a}{b}")), "has")
}

/// Paths that exist on one developer's machine alone.
pub fn machine_paths(tree: &Tree) -> Vec<String> {
    find(
        tree,
        &["work", "home", "root", "Users", "farm"].map(|folder| format!("/{folder}/")),
        "names the machine path",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_work_is_told_with_its_place() {
        let line = format!("fn f() {{}}\n// {}{}: later\n", "TO", "DO");
        let tree = Tree::of(&[("a.rs", &line), ("vectors/a.note", &line)]);
        assert_eq!(markers(&tree), [format!("a.rs:2 has `{}{}`", "TO", "DO")]);
        let off = format!("#[ign{}]\n#[ign{} = \"slow\"]\n", "ore", "ore");
        assert_eq!(markers(&Tree::of(&[("a.rs", &off)])).len(), 2);
    }

    #[test]
    fn a_machine_path_is_told_and_a_url_is_not() {
        let home =
            format!("let dir = \"/{}/ana\";\nlet url = \"https://example.org/{}/ana\";\n", "home", "home");
        let problems = machine_paths(&Tree::of(&[("a.rs", &home)]));
        assert_eq!(problems, [format!("a.rs:1 names the machine path `/{}/`", "home")]);
    }
}
