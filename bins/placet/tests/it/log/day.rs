//! A simulated day: its answers, what is shown of its records, what is erased, and the page.

use placet_audit::{Answer, StatementProof};
use placet_core::Digest;
use placet_record::entry::{EventKind, Leaf};

use super::{create, done, ends, entries, now, policy};
use crate::world::World;

#[test]
fn a_day_proves_what_it_prints_shows_what_is_asked_and_forgets_what_is_erased() {
    let world = World::new();
    let said = done(&world, "log day D --minutes 20");
    for (name, words, on) in
        [("searched", "STATED ON", true), ("other", "STATED OFF", false), ("before", "STATED OFF", false)]
    {
        assert!(said.contains(&format!("proofs/{name}.json: {words}\n")), "{said}");
        let proof = StatementProof::parse(&world.read(&format!("D/proofs/{name}.json"))).unwrap();
        let found = proof.verify(&policy(&world, "D/policy"), now()).unwrap();
        assert_eq!(matches!(found.answer, Answer::On { .. }), on, "{found}");
        assert_eq!(matches!(found.answer, Answer::Off), !on, "{found}");
    }
    // The command that it prints does what it says.
    let ask = said.lines().find_map(|line| line.strip_prefix("ask it: placet ")).unwrap();
    assert!(done(&world, ask).starts_with("STATED ON: "));
    ends(&world, "log day D --minutes 20", 2, "is not empty");
    ends(&world, "log day E --minutes 3", 2, "--minutes takes 15");
    assert!(!world.has("E"));
    done(&world, "log fsck D/home");
    shown_and_erased(&world);
}

fn shown_and_erased(world: &World) {
    let leaves = entries(world, "D/public", "--policy D/policy");
    let (index, event) = leaves
        .iter()
        .enumerate()
        .find_map(|(index, leaf)| match leaf {
            Leaf::Event(event) if event.kind == EventKind::Authorisation => Some((index, event)),
            _ => None,
        })
        .unwrap();
    let disclose = |field: &str, out: &str| format!("log disclose D/home {index} --field {field} -o {out}");
    assert!(done(world, &disclose("case_number", "shown")).contains("`case_number` of entry"));
    ends(world, &disclose("case_number", "shown"), 2, "`shown` exists");
    ends(world, &disclose("colour", "none"), 2, "the record has no field `colour`");
    ends(world, "log disclose D/home 0 --field x -o none", 2, "entry 0 is no event");
    ends(world, "log disclose D/home 9999 --field x -o none", 2, "the log has no entry 9999");
    assert!(!world.has("none"));
    let check = |file: &str, index: usize| {
        format!("log check-disclosure {file} D/public --policy D/policy --index {index}")
    };
    assert_eq!(done(world, &check("shown", index)), "case_number: 2026/117\n");
    let json = ends(world, &format!("{} --json", check("shown", index)), 0, "").json();
    assert_eq!(json, serde_json::json!({ "field": "case_number", "value": "2026/117" }));
    let text = String::from_utf8(world.read("shown")).unwrap();
    assert!(!text.contains("Example"), "the judge is not shown");
    world.write("forged", text.replace("2026/117", "2026/118"));
    ends(world, &check("forged", index), 8, "");
    ends(world, &check("shown", index - 1), 8, "");
    ends(world, &check("shown", 0), 2, "entry 0 is no event");
    ends(world, &check("shown", 9999), 2, "there is no entry 9999");

    let order = event.public.as_ref().unwrap().order;
    let erase = |order: &str| format!("log erase D/home --order {order} --ground refused");
    ends(world, &erase("abc"), 2, "`abc` is not `sha256:`");
    ends(world, &erase(&Digest::of(b"another").to_string()), 4, "nothing was done");
    let said = done(world, &erase(&order.to_string()));
    assert!(
        said.starts_with("4 records of the order erased") && said.contains("4 deposits are kept"),
        "{said}"
    );
    ends(world, &disclose("case_number", "again"), 4, "has no record here");
    ends(world, &erase(&order.to_string()), 4, "it was erased before");
    done(world, "log fsck D/home");
    // What was shown before goes on proving what it proved.
    done(world, &check("shown", index));
}

#[test]
fn a_sealed_day_keeps_its_search_for_later() {
    let world = World::new();
    let said = done(&world, "log day D --minutes 20 --mode sealed");
    assert!(said.contains("the log is sealed"), "{said}");
    for name in ["searched", "other", "before"] {
        let proof = StatementProof::parse(&world.read(&format!("D/proofs/{name}.json"))).unwrap();
        let found = proof.verify(&policy(&world, "D/policy"), now()).unwrap();
        let printed = found.to_string();
        let printed = printed.split(':').next().unwrap();
        assert!(said.contains(&format!("proofs/{name}.json: {printed}")), "{name}: {found}\n{said}");
    }
    done(&world, "log fsck D/home");
}

#[test]
fn the_page_has_the_policy_in_it_and_the_digest_that_is_printed() {
    let world = World::new();
    let key = create(&world, "home", "");
    let said = done(&world, "log page --policy home/policy --log https://log.example/ -o page.html");
    let bytes = world.read("page.html");
    assert_eq!(said, format!("{}  page.html\n", Digest::of(&bytes)));
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains(&format!("log {key}\nquorum none\n")) && text.contains("https://log.example/"));
    ends(&world, "log page --policy cameras -o other.html", 2, "`cameras` is no policy");
    assert!(!world.has("other.html"));
}
