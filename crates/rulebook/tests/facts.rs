//! Facts files as people write them: every mistake is told by its line.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use placet_rulebook::{
    Conclusion, Date, DecideError, Facts, MAX_BYTES, Outcome, Problems, Rest, Rulebook, TextId, Way, When,
};

fn problems(bytes: &[u8]) -> Vec<(usize, String)> {
    let book = Rulebook::load().unwrap();
    let Problems(list) = Facts::parse(book.vocabulary(), "facts.toml", bytes).unwrap_err();
    list.into_iter().map(|p| (p.line, p.message)).collect()
}

#[test]
fn every_mistake_is_told_by_its_line() {
    for (text, line, words) in [
        ("[facts]\ntimming = \"post\"\n", 2, "did you mean `timing`?"),
        ("[facts]\n\nbiometrics = \"perhaps\"\n", 3, "`biometrics` is true, false or"),
        ("[facts]\nactor = \"polize\"\n", 2, "did you mean `police`?"),
        ("[facts]\nmember_state = \"XX\"\n", 2, "no value of `member_state`"),
        ("[facts]\nplaced_on_market = 2026-02-30\n", 2, ""),
        ("[facts]\nplaced_on_market = \"2026-02-30\"\n", 2, "does not exist in the calendar"),
        ("as_of = 9999-01-01\n", 1, "out of range"),
        ("as_of = \"soon\"\n", 1, "write 2026-11-22"),
        ("[facts]\nmax_penalty_months = -4\n", 2, "is between"),
        ("[facts]\nmax_penalty_months = 3.99\n", 2, "a whole number of months"),
        ("[facts]\nlaw_enforcement = true\n", 2, "follows from other facts"),
        ("[facts]\nbiometrics = false\ntiming = \"post\"\ncomparison = \"one_to_many\"\n", 4, "contradicts"),
        ("exclusive_purpose = \"military\"\ncrime_purpose = true\n", 2, "cannot hold together"),
        (
            "solely_research = true\nobjective = \"suspect\"\ntiming = \"real_time\"\n",
            3,
            "cannot hold together",
        ),
        ("before_market = true\nplaced_on_market = 2024-01-01\n", 2, "contradicts"),
        ("actor = \"police\"\ntiming = \"real_time\"\nplace = \"none\"\n", 3, "has a place"),
        ("member_state = \"DE\"\nstate_bound = false\n", 2, "Denmark and Ireland"),
        ("biometrics = true\n[facts]\nbiometrics = false\n", 3, "given twice"),
        ("[facts]\nbiometrics = true\nbiometrics = true\n", 3, ""),
        ("[facts\n", 1, ""),
        ("text = 7\n", 1, "a text's name"),
    ] {
        let found = problems(text.as_bytes());
        assert!(found.iter().any(|(l, m)| *l == line && m.contains(words)), "{text:?}: {found:?}");
    }
}

#[test]
fn a_title_cannot_turn_or_break_the_page() {
    let book = Rulebook::load().unwrap();
    let file = b"title = \"a\\u202Eb\\u001B[2J<script>\"\nsubject = \"neither\"\n";
    let facts = Facts::parse(book.vocabulary(), "facts.toml", file).unwrap();
    let day = Date::new(2026, 11, 22).unwrap();
    let verdict = book.decide(&facts, TextId::Eu2026, day).unwrap();
    let page = placet_rulebook::render::verdict_page(&book, &facts, &[(&verdict, None)]);
    assert!(page.contains("a\\u{202e}b\\u{1b}[2J&lt;script&gt;"), "{page}");
    assert!(page.chars().all(|c| c == '\n' || !placet_core::is_unseen(c)));
}

#[test]
fn what_is_too_long_or_no_text_is_refused() {
    assert!(problems(&vec![b'#'; MAX_BYTES + 1])[0].1.contains("more than"));
    let (line, message) = problems(b"[facts]\nbiometrics = true\n# \xff\n")[0].clone();
    assert_eq!(line, 3);
    assert!(message.contains("UTF-8"));
}

#[test]
fn a_day_before_the_text_is_no_day_to_ask_for() {
    let book = Rulebook::load().unwrap();
    let facts = Facts::none(book.vocabulary());
    let day = Date::new(2024, 1, 1).unwrap();
    assert!(matches!(book.decide(&facts, TextId::Eu2024, day), Err(DecideError::BeforeText { .. })));
    assert!(book.decide(&facts, TextId::Com2021, day).is_ok());
}

#[test]
fn an_empty_file_says_nothing_and_permits_nothing() {
    let book = Rulebook::load().unwrap();
    let facts = Facts::parse(book.vocabulary(), "facts.toml", b"").unwrap();
    for (id, text) in book.texts() {
        let verdict = book.decide(&facts, id, text.meta.row_as_of).unwrap();
        assert_eq!(verdict.outcome, Outcome::CannotSay, "{id}");
        assert!(!verdict.missing.is_empty(), "{id}");
    }
}

#[test]
fn every_template_reads_back_with_everything_unknown() {
    let book = Rulebook::load().unwrap();
    for name in placet_rulebook::TEMPLATES {
        let text = book.template(name).unwrap();
        let facts = Facts::parse(book.vocabulary(), name, text.as_bytes()).unwrap();
        assert!(book.vocabulary().facts().all(|(id, _)| facts.get(id).is_none()), "{name}");
    }
}

#[test]
fn written_facts_read_back() {
    let book = Rulebook::load().unwrap();
    let (rows, _) = book.rows();
    for row in rows.iter().step_by(17) {
        let facts = book.row_facts(row);
        let text = book.facts_toml(&facts);
        let again = Facts::parse(book.vocabulary(), "facts.toml", text.as_bytes()).unwrap();
        assert_eq!(facts, again, "{}", row.name);
    }
}

#[test]
fn every_way_out_of_cannot_say_is_one() {
    let book = Rulebook::load().unwrap();
    let (rows, _) = book.rows();
    let mut seen = 0;
    for row in &rows {
        for (text, _) in row.expect.iter().filter(|(_, e)| e.iter().any(|t| t.starts_with('?'))) {
            let facts = book.row_facts(row);
            let day = row.as_of.unwrap_or(book.text(*text).unwrap().meta.row_as_of);
            let verdict = book.decide(&facts, *text, day).unwrap();
            assert!(
                !verdict.missing.is_empty(),
                "{text}: \"{}\" is open and nothing would settle it",
                row.name
            );
            for way in &verdict.missing {
                let mut settled = facts.clone();
                way.changes.iter().for_each(|c| settled.set(c.fact, Some(c.to)));
                let then = book.decide_only(&settled, *text, day, Rest::Unknown).unwrap();
                assert_eq!(then.state(way.conclusion), Some(way.holds), "{text}: \"{}\"", row.name);
                seen += 1;
            }
            // And the interview has something to ask.
            assert!(
                book.next_question(&facts, &[*text], day, &[]).unwrap().is_some(),
                "{text}: \"{}\"",
                row.name
            );
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn what_is_not_modelled_is_no_yes() {
    let book = Rulebook::load().unwrap();
    let (rows, _) = book.rows();
    let mut asked = 0;
    for row in &rows {
        for (id, _) in row.expect.iter().filter(|(_, e)| e.contains("not_modelled")) {
            let day = row.as_of.unwrap_or(book.text(*id).unwrap().meta.row_as_of);
            let verdict = book.decide_only(&book.row_facts(row), *id, day, Rest::Unknown).unwrap();
            asked += 1;
            assert_ne!(verdict.outcome, Outcome::Allowed, "{id}: {}", row.name);
            let refused = verdict.outcome == Outcome::Refused;
            assert!(refused || verdict.sentence().contains("not modelled"), "{id}: {}", verdict.sentence());
        }
    }
    assert!(asked > 20, "{asked} rows answered \"not modelled\"");
}

#[test]
fn missing_facts_are_those_an_interview_would_ask_and_the_telling_ones_come_first() {
    let book = Rulebook::load().unwrap();
    let text = b"[facts]\nsubject = \"system\"\nstage = \"use\"\n";
    let facts = Facts::parse(book.vocabulary(), "facts.toml", text).unwrap();
    let day: Date = "2026-11-22".parse().unwrap();
    let verdict = book.decide(&facts, TextId::Eu2026, day).unwrap();
    let mut ranked = verdict.open.clone();
    ranked.sort_unstable();
    assert_eq!(ranked, book.open_questions(&facts, &[TextId::Eu2026], day, &[]).unwrap());
    let place = |name: &str| {
        let id = book.vocabulary().find(name).unwrap();
        verdict.open.iter().position(|f| *f == id).unwrap()
    };
    // Whether it works on bodies at all rules out most of the Act; few systems are for defence alone.
    assert!(place("biometrics") < place("exclusive_purpose"));
    // Ordinary answers first, the shortest of them in front; ways out of the scope last.
    let of = |id| book.vocabulary().fact(id);
    let exotic = |w: &Way| {
        w.then.contains(&Conclusion::OutOfScope)
            || w.changes.iter().any(|c| of(c.fact).group == "scope" && of(c.fact).otherwise != c.to)
    };
    let unusual = |w: &Way| w.changes.iter().any(|c| of(c.fact).otherwise != c.to);
    let place = |w: &Way| (exotic(w), unusual(w), w.changes.len());
    assert!(verdict.missing.windows(2).all(|w| place(&w[0]) <= place(&w[1])), "{:?}", verdict.missing);
    assert!(!exotic(&verdict.missing[0]));
}

#[test]
fn what_has_no_day_of_its_own_shows_none_and_each_link_goes_where_its_citation_says() {
    let book = Rulebook::load().unwrap();
    let day = Date::new(2026, 11, 22).unwrap();
    for (text, address) in [
        (TextId::Eu2026, "https://eur-lex.europa.eu/eli/reg/2024/1689/2026-07-27"),
        (TextId::Eu2024, "https://eur-lex.europa.eu/eli/reg/2024/1689/oj"),
    ] {
        let facts = book.baseline("live-without-law").unwrap();
        let verdict = book.decide_only(facts, text, day, Rest::Unknown).unwrap();
        let since = Date::new(2025, 2, 2).unwrap();
        let ban = verdict.conclusions.iter().find(|c| c.conclusion == Conclusion::Prohibited).unwrap();
        assert_eq!(ban.when, When::Since(since));
        assert!(verdict.conditions.len() > 10);
        for condition in &verdict.conditions {
            let g = &condition.ground;
            assert!(matches!(g.when, When::Undated | When::From(_)), "{}: {:?}", g.rule, g.when);
        }
        let page = placet_rulebook::render::verdict_page(&book, facts, &[(&verdict, None)]);
        assert!(!page.contains("27 July 2026 (") && !page.contains("applies since 27 July"), "{page}");
        let (mut linked, mut elsewhere) = (0, 0);
        let grounds = verdict.conclusions.iter().flat_map(|c| &c.grounds);
        for g in grounds.chain(verdict.conditions.iter().map(|c| &c.ground)) {
            let place = |word: &str| {
                let rest = g.cite.strip_prefix(word)?;
                Some(rest.chars().take_while(char::is_ascii_alphanumeric).collect::<String>())
            };
            let wanted = place("Art. ")
                .map(|n| format!("{address}#art_{n}"))
                .or(place("Annex ").map(|n| format!("{address}#anx_{n}")))
                .or(place("Recital ").map(|n| format!("{address}#rct_{n}")));
            assert_eq!(g.eli, wanted, "{}", g.cite);
            linked += usize::from(g.eli.is_some());
            elsewhere += usize::from(g.eli.as_ref().is_some_and(|e| !e.ends_with("#art_5")));
        }
        assert!(linked > 10 && elsewhere > 0, "{linked} {elsewhere}");
    }
}
