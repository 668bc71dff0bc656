//! The command lines of the runbook, held against the program itself.

use std::path::Path;

use crate::command::{output, program, root};

/// Every command line of the runbook that starts `placet` names verbs and options that there are.
pub fn check(placet: &Path) -> Result<(), String> {
    let path = root().join("docs/RUNBOOK.md");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let lines = command_lines(&text);
    if lines.is_empty() {
        return Err("docs/RUNBOOK.md has no command line".to_owned());
    }
    for line in &lines {
        let (verbs, options) = parts(line);
        let help = output(program(placet).args(&verbs).arg("--help"))
            .map_err(|why| format!("docs/RUNBOOK.md: `{line}`: {why}"))?;
        if let Some(option) = options.iter().find(|option| !names(&help, option)) {
            return Err(format!("docs/RUNBOOK.md: `{line}`: there is no {option}"));
        }
    }
    println!("ok  {} command lines of the runbook are ones the program knows", lines.len());
    Ok(())
}

/// What follows `placet` in fenced lines and in quoted words.
fn command_lines(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            // What stands behind a # is said to the reader.
            found.extend(after_placet(line.split(" #").next().unwrap_or(line)));
        } else {
            found.extend(line.split('`').skip(1).step_by(2).filter_map(after_placet));
        }
    }
    found
}

fn after_placet(line: &str) -> Option<String> {
    let words = line.trim().strip_prefix("runuser -u placet -- ").unwrap_or(line.trim());
    let rest = words.strip_prefix("placet ").or_else(|| words.strip_prefix("/usr/bin/placet "))?;
    Some(rest.to_owned())
}

/// The verbs at the start, and the options anywhere.
fn parts(line: &str) -> (Vec<&str>, Vec<&str>) {
    let is_verb =
        |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-');
    let most = if ["log", "config", "models", "law", "key"].iter().any(|group| line.starts_with(group)) {
        2
    } else {
        1
    };
    let verbs = line.split_whitespace().take(most).take_while(is_verb).collect();
    let options = line.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
    (verbs, options.collect())
}

fn names(help: &str, option: &str) -> bool {
    let mut words = help.split(|c: char| c.is_whitespace() || c == ',' || c == '=');
    words.any(|word| word == option)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_are_found_and_taken_apart() {
        let text = "Ask `placet log status HOME` or `systemctl restart placet`.\n```sh\nrunuser -u placet -- placet log fsck --set-mark HOME   # after all --others\nls\n```\n";
        let lines = command_lines(text);
        assert_eq!(lines, ["log status HOME", "log fsck --set-mark HOME"]);
        assert_eq!(parts(&lines[1]), (vec!["log", "fsck"], vec!["--set-mark"]));
        assert_eq!(parts("doctor --json"), (vec!["doctor"], vec!["--json"]));
    }

    /// The fixed parts of what stands in quotation marks: what is between places that differ each time.
    fn quoted(text: &str) -> Vec<String> {
        let prose: String = text.split("```").step_by(2).collect::<Vec<_>>().join(" ");
        let joined = prose.split_whitespace().collect::<Vec<_>>().join(" ");
        let quotes = joined.split('"').skip(1).step_by(2);
        let fixed = quotes.flat_map(|quote| quote.split('`').step_by(2)).flat_map(|part| part.split('…'));
        let pieces = fixed.flat_map(|part| part.split(" N ")).flat_map(|part| part.split(" 3s"));
        let trimmed = pieces.map(|piece| piece.trim_matches([' ', ':', ';', ',']).to_owned());
        trimmed.filter(|piece| piece.len() > 8).collect()
    }

    /// All sources of the program as one text, long literals put together again.
    fn sources(folder: &Path) -> String {
        let mut all = String::new();
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "tests") {
                all.push_str(&sources(&path));
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap().replace("\\\n", "").replace("\\\"", "\"");
                all.push_str(&text.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        }
        all
    }

    #[test]
    fn what_the_runbook_quotes_the_program_says() {
        let text = std::fs::read_to_string(root().join("docs/RUNBOOK.md")).unwrap();
        let said = sources(&root().join("crates")) + &sources(&root().join("bins"));
        // Words of the system, which the program hands on.
        let others = ["System clock synchronized: yes", "No space left on device (os error 28)"];
        let pieces = quoted(&text);
        assert!(pieces.len() > 60, "{}", pieces.len());
        let known = |piece: &&String| said.contains(piece.as_str()) || others.contains(&piece.as_str());
        let unknown: Vec<&String> = pieces.iter().filter(|piece| !known(piece)).collect();
        assert!(unknown.is_empty(), "{unknown:#?}");
        println!("{} pieces of the program's words", pieces.len());
    }

    #[test]
    fn an_option_is_known_only_as_a_whole() {
        let help = "Options:\n  -c, --config <FILE>  The configuration\n      --json";
        assert!(names(help, "--config") && names(help, "--json"));
        assert!(!names(help, "--conf"));
    }
}
