use placet_core::Digest;
use placet_tlog::note::{self, SignerKey};
use proptest::prelude::*;

use super::*;
use crate::entry::{EventId, FormError, Ground, Moment};

fn at(text: &str) -> Moment {
    text.parse().unwrap()
}

fn key(n: u8) -> SignerKey {
    SignerKey::generate(&format!("key-{n}.example"), [n; 32]).unwrap()
}

fn person(name: &str, unit: &str, keys: &[u8]) -> Person {
    let keys = keys.iter().map(|n| key(*n).verifier_key()).collect();
    Person { name: name.parse().unwrap(), unit: unit.parse().unwrap(), keys }
}

/// Two people of one unit, the first with two keys, and one of another.
fn people() -> People {
    let records = "Records office";
    let list = [("Ana", records, &[1, 2][..]), ("Bo", records, &[3]), ("Cy", "Data protection", &[4])];
    People::new(list.map(|(name, unit, keys)| person(name, unit, keys)).into()).unwrap()
}

fn order() -> Order {
    Order {
        id: [7; 16],
        asked: at("2026-11-22T12:00:00Z"),
        log: "log.example.org/placet".parse().unwrap(),
        camera: "hall-north".parse().unwrap(),
        from: at("2026-11-22T09:00:00Z"),
        until: at("2026-11-22T09:10:00Z"),
        ground: Ground::Crime,
        reference: "case 2026/117".parse().unwrap(),
        keep: vec![3, 8],
    }
}

fn signed(keys: &[u8]) -> String {
    let keys: Vec<SignerKey> = keys.iter().map(|n| key(*n)).collect();
    note::sign(&order().text().unwrap(), &keys.iter().collect::<Vec<_>>()).unwrap()
}

fn noon() -> Moment {
    at("2026-11-22T13:00:00Z")
}

#[test]
fn two_different_people_open() {
    for (keys, unit) in [
        (&[1, 3][..], "Records office"),
        (&[3, 2], "Records office"),
        (&[1, 4], "Records office and Data protection"),
        (&[1, 2, 3, 4], "Records office"),
        (&[9, 1, 3], "Records office"),
    ] {
        let approved = people().approve(signed(keys).as_bytes(), noon()).unwrap();
        assert_eq!((approved.order(), approved.unit().as_str()), (&order(), unit), "{keys:?}");
        assert_eq!(approved.digest(), order().digest().unwrap());
        assert_ne!(approved.by()[0], approved.by()[1]);
    }
}

#[test]
fn fewer_than_two_people_open_nothing() {
    let why = |keys: &[u8]| people().approve(signed(keys).as_bytes(), noon()).unwrap_err();
    let alone = |name: &str| NotApproved::People { signed: Some(name.parse().unwrap()) };
    assert_eq!(why(&[1]), alone("Ana"));
    assert_eq!(why(&[1, 2]), alone("Ana"));
    assert_eq!(why(&[9, 3]), alone("Bo"));
    assert_eq!(why(&[9]), NotApproved::People { signed: None });
    assert!(why(&[9]).to_string().ends_with("and none of the list did"));
    // Not signed at all.
    let unsigned = order().text().unwrap();
    assert!(matches!(people().approve(unsigned.as_bytes(), noon()), Err(NotApproved::Order(_))));
}

#[test]
fn an_order_opens_for_seven_days_and_nothing_that_has_not_happened() {
    let file = signed(&[1, 3]);
    let at_time = |text| people().approve(file.as_bytes(), at(text)).is_ok();
    assert!(at_time("2026-11-22T12:00:00Z") && at_time("2026-11-29T11:59:59Z"));
    assert!(!at_time("2026-11-29T12:00:00Z"));
    // Written on a clock that is a little ahead of ours, and much ahead.
    assert!(at_time("2026-11-22T11:55:00Z") && !at_time("2026-11-22T11:54:59Z"));
    let future = Order { until: at("2026-11-22T12:00:01Z"), from: at("2026-11-22T11:59:00Z"), ..order() };
    assert!(future.text().unwrap_err().to_string().contains("what has not happened"));
}

#[test]
fn what_is_beyond_an_orders_range_is_not_written() {
    let why = |change: &dyn Fn(&mut Order)| {
        let mut order = order();
        change(&mut order);
        order.text().err().map(|e| e.to_string())
    };
    assert_eq!(why(&|_| ()), None);
    assert_eq!(why(&|o| o.until = at("2026-11-22T10:00:00Z")), None);
    assert!(why(&|o| o.until = at("2026-11-22T10:00:01Z")).unwrap().contains("more than an hour"));
    assert!(why(&|o| o.until = o.from).unwrap().contains("not after"));
    assert!(why(&|o| o.keep = vec![2, 2]).unwrap().contains("`keep`"));
    assert!(why(&|o| o.keep = (0..17).collect()).unwrap().contains("`keep`"));
    for bad in ["", " x", "x ", "a\u{202e}b", "a\nb", &"x".repeat(201)] {
        assert!(bad.parse::<Reference>().is_err(), "{bad}");
    }
    assert!("Ελ 1".parse::<Reference>().is_ok() && "é".repeat(200).parse::<Reference>().is_ok());
    assert_eq!(format!("{:?}", order().reference), "Reference(hidden)");
}

#[test]
fn people_are_told_apart_by_name_and_key() {
    let of = |list: Vec<Person>| People::new(list).unwrap_err();
    assert_eq!(of(vec![person("Ana", "x", &[1])]), PeopleError::Count);
    let twice = of(vec![person("Ana", "x", &[1]), person("ANA", "y", &[2])]);
    assert_eq!(twice, PeopleError::Name { name: "Ana".parse().unwrap() });
    let both = of(vec![person("Ana", "x", &[1, 2]), person("Bo", "y", &[2])]);
    assert!(matches!(both, PeopleError::Key { .. }));
    // The same point under another name is the same key.
    let renamed = SignerKey::generate("other.example", [2; 32]).unwrap().verifier_key();
    let mut bo = person("Bo", "y", &[3]);
    bo.keys.push(renamed);
    assert!(matches!(of(vec![person("Ana", "x", &[1, 2]), bo]), PeopleError::Key { .. }));
    assert!(matches!(of(vec![person("Ana", "x", &[]), person("Bo", "y", &[2])]), PeopleError::NoKey { .. }));
}

#[test]
fn an_order_is_signed_by_one_after_the_other() {
    let text = order().text().unwrap();
    let (read, first) = Order::sign(text.as_bytes(), &key(1)).unwrap();
    assert_eq!(read, order());
    let (_, both) = Order::sign(first.as_bytes(), &key(3)).unwrap();
    assert_eq!(both, signed(&[1, 3]));
    assert!(Order::sign(both.as_bytes(), &key(3)).is_err());
    for no_order in ["", "x\n", "placet/unsealing-order/v1\n{}\n", &text.replace("hall", "Hall")] {
        assert!(Order::sign(no_order.as_bytes(), &key(1)).is_err(), "{no_order}");
    }
}

#[test]
fn attack_every_flipped_bit_of_a_signed_order() {
    let file = signed(&[1, 3]).into_bytes();
    let (mut tried, mut opened) = (0, 0);
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut other = file.clone();
            other[at] ^= 1 << bit;
            tried += 1;
            opened += usize::from(people().approve(&other, noon()).is_ok());
        }
    }
    for cut in 0..file.len() {
        tried += 1;
        opened += usize::from(people().approve(&file[..cut], noon()).is_ok());
    }
    println!("{tried} flipped bits and cuts of a signed order: {opened} opened");
    assert_eq!(opened, 0);
}

/// Whoever can change an order and has one of the keys.
#[test]
fn attack_an_order_changed_after_one_has_signed() {
    let changes: [(&str, &str); 12] = [
        ("hall-north", "hall-south"),
        ("09:00:00", "08:30:00"),
        ("09:10:00", "09:50:00"),
        ("crime", "accident"),
        ("crime", "curiosity"),
        ("case 2026/117", "case 2026/118"),
        ("[3,8]", "[3,8,9]"),
        ("log.example.org", "log.example.net"),
        ("12:00:00", "12:00:01"),
        ("\"v\":1", "\"v\":2"),
        ("{\"camera\"", "{\"all\":1,\"camera\""),
        ("placet/unsealing-order/v1", "placet/unsealing-order/v2"),
    ];
    let mut refused = 0;
    for (from, to) in changes {
        let text = order().text().unwrap().replace(from, to);
        assert_ne!(text, order().text().unwrap());
        // Signed anew by one, with the other's signature of what it was before.
        let mine = note::sign(&text, &[&key(1)]).unwrap();
        let old = signed(&[3]);
        let theirs = old.lines().last().unwrap();
        let file = format!("{mine}{theirs}\n");
        assert!(people().approve(file.as_bytes(), noon()).is_err(), "{from} to {to}");
        refused += 1;
    }
    println!("{refused} orders changed after one of two had signed: 0 opened");
}

#[test]
fn grounds_are_three() {
    let text = order().text().unwrap();
    for (ground, fits) in
        [("crime", true), ("accident", true), ("own_request", true), ("own-request", false), ("", false)]
    {
        let text = text.replace("\"crime\"", &format!("\"{ground}\""));
        assert_eq!(Order::parse(&text).is_ok(), fits, "{ground}");
    }
    let unknown = Order::parse(&text.replace("\"crime\"", "\"marketing\"")).unwrap_err();
    assert!(
        matches!(unknown, OrderError::Form(FormError::Value { ref key, .. }) if key == "ground"),
        "{unknown:?}"
    );
}

fn statement() -> Statement {
    let mut gaps = Gaps::default();
    gaps.push(Gap { from_ms: 5, until_ms: 6, why: Why::Torn });
    Statement {
        at: noon(),
        order: Digest([1; 32]),
        log: "log.example.org/placet".parse().unwrap(),
        entry: 41,
        event: EventId([2; 16]),
        camera: "hall-north".parse().unwrap(),
        from: order().from,
        until: order().until,
        ground: Ground::OwnRequest,
        kept: vec![3],
        clip: Clip { digest: Digest([3; 32]), manifest: Digest([4; 32]), pictures: 9_000, segments: 10 },
        gaps,
    }
}

#[test]
fn attack_every_flipped_bit_of_a_statement() {
    let file = statement().sign(&key(1)).unwrap().into_bytes();
    let keys = [key(1).verifier_key()];
    assert_eq!(Statement::open(&file, &keys), Ok(statement()));
    assert!(Statement::open(&file, &[key(2).verifier_key()]).is_err());
    let mut opened = 0;
    for bit in 0..8 * file.len() {
        let mut other = file.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        opened += usize::from(Statement::open(&other, &keys).is_ok());
    }
    println!("{} flipped bits of a statement: {opened} opened", 8 * file.len());
    assert_eq!(opened, 0);
}

#[test]
fn a_statement_lists_64_gaps_and_counts_the_rest() {
    let mut many = statement();
    (0..100).for_each(|n| many.gaps.push(Gap { from_ms: n, until_ms: n + 1, why: Why::NotThere }));
    assert_eq!((many.gaps.count(), many.gaps.listed().len()), (101, MAX_GAPS));
    let file = many.sign(&key(1)).unwrap();
    assert_eq!(Statement::open(file.as_bytes(), &[key(1).verifier_key()]), Ok(many));
    let mut backwards = statement();
    backwards.gaps.push(Gap { from_ms: 6, until_ms: 6, why: Why::NotThere });
    assert!(backwards.sign(&key(1)).is_err());
}

proptest! {
    #[test]
    fn orders_print_and_parse_back(
        id: [u8; 16],
        start in 1_000_000_000_u64..4_000_000_000,
        (length, later) in (1..=LONGEST, 0_u64..1_000_000),
        camera in "[a-z0-9._-]{1,64}",
        ground in prop::sample::select(Ground::ALL),
        reference in "[A-Za-z0-9é/]{1,100}( [a-z]{1,50}){0,2}",
        keep in prop::collection::btree_set(0_u64..1 << 53, 0..=MAX_KEPT),
    ) {
        let second = |s| Moment::from_unix_seconds(s).unwrap();
        let order = Order {
            id,
            asked: second(start + length + later),
            camera: camera.parse().unwrap(),
            from: second(start),
            until: second(start + length),
            ground,
            reference: reference.parse().unwrap(),
            keep: keep.into_iter().collect(),
            ..order()
        };
        prop_assert_eq!(Order::parse(&order.text().unwrap()), Ok(order));
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC{0,200}") {
        let _ = Order::parse(&format!("placet/unsealing-order/v1\n{text}\n"));
    }
}
