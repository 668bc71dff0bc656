//! The licences of the crates inside the programs: their names, then each text once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::command::{cargo, output};

const TREE: [&str; 13] = [
    "tree",
    "--locked",
    "--package",
    "placet",
    "--package",
    "placet-verify",
    "--edges",
    "normal",
    "--prefix",
    "none",
    "--target",
    "x86_64-unknown-linux-gnu",
    "--format",
];

/// The notices as one text, the same for the same lock file.
pub fn third_party() -> Result<String, String> {
    let listed = output(cargo(&TREE).arg("{p}\t{l}"))?;
    let about = output(&mut cargo(&["metadata", "--locked", "--format-version", "1"]))?;
    let manifests: Vec<&str> = about.split("\"manifest_path\":\"").skip(1).filter_map(upto_quote).collect();
    let mut head = String::from(
        "Rust crates inside placet and placet-verify, with their licences. The texts follow.\n\n",
    );
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, licence) in crates(&listed) {
        head.push_str(&format!("{name}  {licence}\n"));
        let end = format!("/{name}/Cargo.toml");
        let folder =
            manifests.iter().find(|path| path.ends_with(&end)).and_then(|path| Path::new(path).parent());
        for text in folder.map(licence_texts).unwrap_or_default() {
            texts.entry(text).or_default().insert(name.clone());
        }
    }
    for (text, names) in &texts {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        head.push_str(&format!("\n{}\n{}\n\n{}\n", "=".repeat(80), names.join(", "), text.trim_end()));
    }
    Ok(head)
}

fn upto_quote(text: &str) -> Option<&str> {
    text.split('"').next()
}

/// `NAME-VERSION` and licence of each crate that is not ours, sorted, once.
fn crates(listed: &str) -> BTreeSet<(String, String)> {
    let foreign = |line: &str| {
        let (package, licence) = line.split_once('\t')?;
        let mut words = package.split_whitespace();
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        let ours = name == "placet" || name.starts_with("placet-");
        (!ours).then(|| (format!("{name}-{version}"), licence.trim_end_matches("(*)").trim().to_owned()))
    };
    listed.lines().filter_map(foreign).collect()
}

fn licence_texts(folder: &Path) -> Vec<String> {
    let is_licence = |name: &str| {
        let name = name.to_ascii_uppercase();
        ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE"]
            .iter()
            .any(|word| name.starts_with(word))
    };
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let files = entries.flatten().filter(|entry| is_licence(&entry.file_name().to_string_lossy()));
    files
        .filter_map(|entry| fs::read_to_string(entry.path()).ok())
        .map(|text| text.replace('\r', ""))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_of_others_are_listed_once() {
        let listed = "placet v0.1.0 (/x)\tMIT\nurl v2.5.0\tMIT OR Apache-2.0\nurl v2.5.0\tMIT OR Apache-2.0 (*)\n\nplacet-core v0.1.0\tMIT\n";
        let found: Vec<_> = crates(listed).into_iter().collect();
        assert_eq!(found, [("url-2.5.0".to_owned(), "MIT OR Apache-2.0".to_owned())]);
    }
}
