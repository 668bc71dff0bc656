//! Files that are written from the rulebook, held against it.
#![expect(clippy::disallowed_methods, reason = "a test reads the file it holds")]

use placet_rulebook::Rulebook;
use placet_rulebook::render::article_pages;

#[test]
fn the_schema_follows_from_the_facts() {
    let book = Rulebook::load().unwrap();
    let kept = Rulebook::file("schema.cedarschema").unwrap_or_default();
    assert!(kept == book.schema(), "write it again: placet law schema > rulebook/schema.cedarschema");
}

#[test]
fn the_conformance_suite_is_that_of_this_rulebook() {
    let book = Rulebook::load().unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rulebook/conformance/rows.json");
    let kept: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(
        kept == book.conformance().unwrap(),
        "write it again: placet law conformance rulebook/conformance"
    );
}

#[test]
fn stored_proofs_are_about_this_rulebook_and_none_is_missing() {
    let book = Rulebook::load().unwrap();
    let proofs = book.proofs().unwrap().expect("claims/results.toml is there");
    assert!(
        proofs.about(book.digest()),
        "prove again: placet law prove --write rulebook/claims/results.toml"
    );
    for question in book.questions().unwrap() {
        let answer = proofs.find(&question.id).and_then(|p| p.proved);
        assert!(question.is_expected(answer), "{}: {answer:?}", question.id);
    }
}

#[test]
fn every_article_has_a_page_with_its_rules() {
    let book = Rulebook::load().unwrap();
    let pages = article_pages(&book);
    assert!(pages.iter().any(|p| p.path == "index.html"));
    for (_, text) in book.texts() {
        for rule in &text.rules {
            let found = pages.iter().any(|p| p.content.contains(&format!("id=\"{}\"", rule.id)));
            assert!(found, "`{}` of {} stands on no page", rule.id, rule.file);
        }
    }
    for page in &pages {
        assert!(!page.content.contains("<script"), "{}", page.path);
    }
}
