//! Figures as tables.

/// The middle of some figures.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match (figures.len() % 2, figures.get(middle), middle.checked_sub(1).and_then(|m| figures.get(m))) {
        (0, Some(a), Some(b)) => (a + b) / 2.0,
        (_, Some(a), _) => *a,
        _ => f64::NAN,
    }
}

/// The figure below which `share` of all lie.
pub fn quantile(figures: &mut [f64], share: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    let at = (figures.len() as f64 * share) as usize;
    figures.get(at.min(figures.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// A whole number with commas.
pub fn whole(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Prints one row of a table in Markdown.
pub fn row<I: IntoIterator<Item = S>, S: AsRef<str>>(cells: I) {
    let cells: Vec<S> = cells.into_iter().collect();
    let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
    println!("| {} |", cells.join(" | "));
}

/// Prints the head of a table.
pub fn head(cells: &[&str]) {
    row(cells);
    row(vec!["---"; cells.len()]);
}
