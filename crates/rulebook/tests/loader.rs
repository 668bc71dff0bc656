//! What the loader says of a rulebook that is not in order: by file and line, never by leaving something out.

use placet_rulebook::{Problems, Rulebook};

const FILE: &str = "texts/eu2024/art-50.md";

/// What reading says once one file is changed.
fn read_with(change: impl Fn(&str) -> String) -> Result<Rulebook, Problems> {
    let changed = change(Rulebook::file(FILE).expect("the file is in the rulebook"));
    let files: Vec<(&str, &str)> =
        Rulebook::files("").map(|(p, t)| if p == FILE { (p, changed.as_str()) } else { (p, t) }).collect();
    Rulebook::read(&files)
}

fn problems_with(change: impl Fn(&str) -> String) -> String {
    read_with(change).expect_err("the change is no rulebook").to_string()
}

/// The line of the first row below the first table's header, counted from 1.
fn first_row() -> usize {
    let text = Rulebook::file(FILE).expect("the file is in the rulebook");
    text.lines().position(|l| l.starts_with("| case")).expect("it has a table") + 3
}

fn lines_with(change: impl Fn(&mut Vec<String>)) -> impl Fn(&str) -> String {
    move |text| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        change(&mut lines);
        lines.join("\n")
    }
}

#[test]
fn rows_cut_off_by_a_blank_line_are_an_error() {
    let at = first_row();
    let said = problems_with(lines_with(|l| l.insert(at, String::new())));
    assert!(said.contains(&format!("{FILE}:{}: this line of a table stands apart", at + 2)), "{said}");
}

#[test]
fn a_row_that_lost_its_first_bar_is_an_error() {
    let at = first_row();
    let said = problems_with(lines_with(|l| l[at] = l[at].trim_start_matches("| ").to_owned()));
    assert!(said.contains(&format!("{FILE}:{}: a row of a table begins with |", at + 1)), "{said}");
}

#[test]
fn a_header_misspelt_is_an_error_and_a_table_for_the_eye_is_not() {
    let said = problems_with(lines_with(|l| {
        let header = l.iter_mut().find(|l| l.starts_with("| case")).unwrap();
        *header = header.replacen("case", "Case", 1);
    }));
    assert!(said.contains(&format!("{FILE}:{}: a table of cases has `case`", first_row() - 2)), "{said}");
    let kept = read_with(|text| format!("{text}\n\n| word | meaning |\n| --- | --- |\n| a | b |\n"));
    assert!(kept.is_ok(), "{}", kept.unwrap_err());
}

#[test]
fn a_row_with_a_cell_too_many_is_an_error() {
    let at = first_row();
    let said = problems_with(lines_with(|l| l[at].push_str(" more |")));
    assert!(said.contains(&format!("{FILE}:{}: the row has", at + 1)), "{said}");
}
