//! Attacked by contradiction: what is against the law as told stays so, whatever one further word is put beside it, save
//! the words on which the law itself makes it hang.

use placet_rulebook::{Facts, Kind, Outcome, Rest, Rulebook, TextId, Value};

const POLICE: &str = "subject = \"system\"\nstage = \"use\"\nactor = \"police\"\ncrime_purpose = true\nmember_state = \"SE\"\n\
                      biometrics = true\ncomparison = \"one_to_many\"\nplace = \"public\"\nplaced_on_market = 2029-01-01\n";
const FIRM: &str = "subject = \"system\"\nstage = \"use\"\nactor = \"private\"\nmember_state = \"SE\"\n";

/// What is told, what is told besides, and the words that may free it: each changes what is done, or is a way out that the
/// text itself names.
const CASES: [(&str, &str, &str, &[&str]); 7] = [
    (
        "live search by police",
        POLICE,
        "timing = \"real_time\"\n",
        &[
            "stage = put_into_service", // Art. 5(1)(h) forbids the use
            "stage = place_on_market",
            "member_state = DK",    // recital 41
            "crime_purpose = no",   // Art. 3(46)
            "taking_part = yes",    // Art. 3(41)
            "presence_check = yes",
            "place = closed",       // Art. 3(44)
            "place = home",
            "place = prison",
            "place = border_control",
            "place = online",
        ],
    ),
    (
        "recorded search by police",
        POLICE,
        "timing = \"post\"\ntargeted = false\nfootage_closed = true\n",
        &[
            "stage = put_into_service", // Art. 26(10) binds deployers
            "stage = place_on_market",
            "member_state = DK",
            "actor = private",
            "crime_purpose = no",
            "taking_part = yes",
            "presence_check = yes",
        ],
    ),
    (
        "social scores",
        FIRM,
        "scores_people = true\nscore_unrelated = true\n",
        &[
            "outside_union_law = yes", // Art. 2(3)
            "exclusive_purpose = military",
            "exclusive_purpose = defence",
            "exclusive_purpose = national_security",
            "solely_research = yes", // Art. 2(6)
            "score_unrelated = no",
        ],
    ),
    (
        "prediction of crimes",
        FIRM,
        "predicts_offending = \"person\"\nsolely_profiling = true\n",
        &[
            "outside_union_law = yes",
            "exclusive_purpose = military",
            "exclusive_purpose = defence",
            "exclusive_purpose = national_security",
            "solely_research = yes",
            "predicts_offending = group",
            "solely_profiling = no",
            "supports_human_assessment = yes", // Art. 5(1)(d)
        ],
    ),
    (
        "faces scraped",
        FIRM,
        "scrapes_faces = true\nscraping_untargeted = true\ndatabase_for_recognition = true\n",
        &[],
    ),
    (
        "moods of staff",
        FIRM,
        "biometrics = true\ninfers = \"emotions\"\nemotion_setting = \"workplace\"\n",
        &[],
    ),
    (
        "undressing",
        FIRM,
        "generates_content = true\nsexual_output = \"intimate\"\nused_for_output = true\nperson_identifiable = true\n\
         realistic = true\n",
        &[
            "stage = put_into_service",
            "stage = place_on_market",
            "outside_union_law = yes",
            "exclusive_purpose = military",
            "exclusive_purpose = defence",
            "exclusive_purpose = national_security",
            "solely_research = yes",
            "used_for_output = no",
            "person_identifiable = no",
            "realistic = no",
            "explicit_consent = yes", // Art. 5(1)(ba)
            "edit_only = yes",
        ],
    ),
];

#[test]
fn attack_one_further_word_frees_nothing_but_what_the_law_frees() {
    let book = Rulebook::load().unwrap();
    let vocabulary = book.vocabulary();
    let day = "2031-06-01".parse().unwrap();
    let (mut tried, mut refused_words, mut wrong) = (0, 0, Vec::new());
    for (name, base, case, frees) in CASES {
        let told = format!("{base}{case}");
        for (id, fact) in
            vocabulary.facts().filter(|(id, f)| f.derived.is_none() && vocabulary.find("as_of") != Some(*id))
        {
            let values: Vec<Value> = match &fact.kind {
                Kind::Bool => vec![Value::Bool(false), Value::Bool(true)],
                Kind::Choice(list) => (0..u16::try_from(list.len()).unwrap()).map(Value::Choice).collect(),
                Kind::Int { min, max, .. } => vec![Value::Int(*min), Value::Int(*max)],
                Kind::Day => ["2020-01-01", "2100-01-01"].map(|d| fact.read(d).unwrap()).to_vec(),
            };
            for value in values {
                let mut facts = Facts::parse(vocabulary, "facts.toml", told.as_bytes()).unwrap();
                facts.set(id, Some(value));
                let written = book.facts_toml(&facts);
                tried += 1;
                let Ok(facts) = Facts::parse(vocabulary, "facts.toml", written.as_bytes()) else {
                    refused_words += 1;
                    continue;
                };
                // Where even every ordinary value leaves it refused, one in eight is asked whole.
                let mut plain = facts.clone();
                let above = std::iter::successors(Some(id), |f| {
                    vocabulary.fact(*f).only_if.as_ref().map(|(parent, _)| *parent)
                });
                let above: Vec<_> = above.collect();
                for (f, of) in vocabulary.facts().filter(|(_, f)| f.derived.is_none()) {
                    if facts.get(f).is_none() && !above.contains(&f) {
                        plain.set(f, Some(of.otherwise));
                    }
                }
                let ask = |facts: &Facts, rest| {
                    book.decide_only(facts, TextId::Eu2026, day, rest).map(|verdict| verdict.outcome).ok()
                };
                if ask(&plain, Rest::Unknown) == Some(Outcome::Refused) && tried % 8 != 0 {
                    continue;
                }
                let word = format!("{} = {}", fact.id, fact.write(value));
                if ask(&facts, Rest::NotSo).unwrap() == Outcome::Allowed && !frees.contains(&word.as_str()) {
                    wrong.push(format!("{name}: {word}"));
                }
            }
        }
    }
    println!(
        "{tried} words tried, {refused_words} contradicted what was told, {} freed it wrongly",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}
