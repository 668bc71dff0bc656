//! One segment's bytes: what was sealed opens, and nothing else does.

use placet_core::{AccessUnit, Codec, Pts};
use placet_sealed::{
    CustodyKey, CustodySecret, HEADER, SealError, SegmentReader, SegmentWriter, Start, UtcMs,
};
use proptest::prelude::*;

use crate::rig::{START, camera, custodian, plain, read, unit};

fn start(name: &str, number: u64, units: &[AccessUnit]) -> Start {
    Start { camera: camera(name), codec: units[0].codec, number, utc: START, pts: units[0].pts }
}

/// A segment as its pieces: header, chunks, last mark.
fn pieces(start: &Start, units: &[AccessUnit], seed: u8) -> Vec<Vec<u8>> {
    let (mut writer, head) = SegmentWriter::begin(&custodian().public_key(), start, [seed; 32]).unwrap();
    let mut out = vec![head];
    out.extend(units.iter().map(|unit| writer.unit(unit).unwrap()));
    out.push(writer.end().unwrap());
    out
}

fn small() -> Vec<AccessUnit> {
    (0..4).map(|n| unit(n * 40, n % 3 == 0, 20 + n as usize)).collect()
}

/// What of a changed segment may open: the pictures before the change, and never all of it as whole.
fn is_caught(bytes: &[u8], secret: &CustodySecret, sealed: &[AccessUnit]) -> bool {
    let (units, end) = read(bytes, secret);
    end.is_err() && plain(sealed).starts_with(&units)
}

#[test]
fn a_header_says_whose_it_is_in_the_bytes_of_the_format() {
    let units = small();
    let (_, head) =
        SegmentWriter::begin(&custodian().public_key(), &start("hall-north", 258, &units), [1; 32]).unwrap();
    assert_eq!((head.len(), HEADER), (147, 147));
    assert_eq!(&head[..17], b"placet-sealed-v1\n");
    assert_eq!((head[17], &head[18..28], &head[28..82]), (10, b"hall-north".as_slice(), [0; 54].as_slice()));
    assert_eq!(head[82], 1);
    assert_eq!(head[83..91], 258_u64.to_be_bytes());
    assert_eq!(head[91..99], START.0.to_be_bytes());
    assert_eq!(head[99..107], [0; 8]);
    assert_eq!(head[107..115], custodian().public_key().id());
    let read = placet_sealed::read_header(&mut head.as_slice()).unwrap();
    assert_eq!((read.start, read.key_id), (start("hall-north", 258, &units), custodian().public_key().id()));
}

#[test]
fn a_segment_begins_at_a_key_frame_and_holds_one_codec() {
    let units = small();
    let begin =
        || SegmentWriter::begin(&custodian().public_key(), &start("hall", 0, &units), [1; 32]).unwrap().0;
    assert_eq!(begin().unit(&units[1]), Err(SealError::Unit));
    let other = AccessUnit { codec: Codec::H265, ..units[0].clone() };
    assert_eq!(begin().unit(&other), Err(SealError::Unit));
    for bytes in [0, placet_sealed::MAX_UNIT + 1] {
        let other = AccessUnit { data: vec![0; bytes].into(), ..units[0].clone() };
        assert_eq!(begin().unit(&other), Err(SealError::Size { bytes }));
    }
    // A segment without a picture is none.
    let empty = pieces(&start("hall", 0, &units), &[], 1).concat();
    assert!(read(&empty, &custodian()).1.unwrap_err().contains("another form"));
}

#[test]
fn attack_every_byte_of_a_segment() {
    let units = small();
    let whole = pieces(&start("hall", 3, &units), &units, 1).concat();
    assert_eq!(read(&whole, &custodian()), (plain(&units), Ok(())));
    let (mut flipped, mut opened) = (0, 0);
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut other = whole.clone();
            other[at] ^= 1 << bit;
            flipped += 1;
            opened += usize::from(!is_caught(&other, &custodian(), &units));
        }
    }
    let mut cut = 0;
    for length in 0..whole.len() {
        cut += 1;
        opened += usize::from(!is_caught(&whole[..length], &custodian(), &units));
    }
    let mut put_in = 0;
    for at in 0..=whole.len() {
        let other = [&whole[..at], &[0], &whole[at..]].concat();
        put_in += 1;
        opened += usize::from(!is_caught(&other, &custodian(), &units));
    }
    println!(
        "{flipped} flipped bits, {cut} cuts, {put_in} bytes put in: {opened} accepted as whole or as another"
    );
    assert_eq!((opened, flipped), (0, whole.len() * 8));
}

#[test]
fn attack_chunks_left_out_doubled_swapped_and_taken_from_elsewhere() {
    let units = small();
    let here = pieces(&start("hall", 3, &units), &units, 1);
    // The same pictures in the next segment, in another camera's, and in a second run under the same name.
    let elsewhere = [
        pieces(&start("hall", 4, &units), &units, 2),
        pieces(&start("gate", 3, &units), &units, 3),
        pieces(&start("hall", 3, &units), &units, 4),
    ];
    let (mut tried, mut opened) = (0, 0);
    let mut check = |pieces: Vec<&Vec<u8>>| {
        let bytes: Vec<u8> = pieces.into_iter().flatten().copied().collect();
        tried += 1;
        opened += usize::from(!is_caught(&bytes, &custodian(), &units));
    };
    for a in 0..here.len() {
        check(here.iter().enumerate().filter(|(n, _)| *n != a).map(|(_, piece)| piece).collect());
        let mut doubled: Vec<&Vec<u8>> = here.iter().collect();
        doubled.insert(a, &here[a]);
        check(doubled);
        for b in 0..here.len() {
            if a != b {
                let mut swapped: Vec<&Vec<u8>> = here.iter().collect();
                swapped.swap(a, b);
                check(swapped);
            }
            for other in &elsewhere {
                let mut taken: Vec<&Vec<u8>> = here.iter().collect();
                taken[a] = &other[b];
                check(taken);
            }
        }
    }
    // One segment's header before another one's chunks, and a mark of the end before the end.
    for other in &elsewhere {
        check(std::iter::once(&other[0]).chain(&here[1..]).collect());
        for n in 1..here.len() {
            check(here[..n].iter().chain(&other[n..]).collect());
        }
    }
    for n in 1..here.len() - 1 {
        check(here[..n].iter().chain(std::iter::once(here.last().unwrap())).collect());
    }
    println!("{tried} segments of left out, doubled, swapped and foreign chunks: {opened} accepted");
    assert_eq!(opened, 0);
}

#[test]
fn attack_other_keys_and_other_places() {
    let units = small();
    let whole = pieces(&start("hall", 3, &units), &units, 1).concat();
    let (mut tried, mut opened) = (0, 0);
    for n in 0..200_u8 {
        let secret = CustodySecret::from_seed([n.wrapping_add(8); 32]);
        // With the other key's id written over the true one, too.
        for id in [custodian().public_key().id(), secret.public_key().id()] {
            let mut other = whole.clone();
            other[107..115].copy_from_slice(&id);
            tried += 1;
            opened += usize::from(!read(&other, &secret).0.is_empty());
        }
    }
    // Every other camera, number and time that a header may claim.
    let relabel: [(usize, &[u8]); 5] = [
        (17, b"\x04gate"),
        (83, &9_u64.to_be_bytes()),
        (91, &7_u64.to_be_bytes()),
        (99, &7_i64.to_be_bytes()),
        (82, b"\x02"),
    ];
    for (at, bytes) in relabel {
        let mut other = whole.clone();
        other[at..at + bytes.len()].copy_from_slice(bytes);
        tried += 1;
        let (units, end) = read(&other, &custodian());
        opened += usize::from(!units.is_empty());
        assert!(end.is_err());
    }
    println!("{tried} other keys and places: {opened} opened");
    assert_eq!((tried, opened), (405, 0));
}

/// The fuzzers' seeds, byte for byte: whoever changes the format sees it here. `PLACET_BLESS=1` writes them.
#[test]
fn seeds_are_what_we_write() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/sealed_segment");
    let units = small();
    let whole = pieces(&start("hall-north", 3, &units), &units, 1);
    let jpeg = [AccessUnit { codec: Codec::Jpeg, ..unit(0, true, 50) }];
    for (name, bytes) in [
        ("whole", whole.concat()),
        ("torn", whole[..whole.len() - 1].concat()),
        ("jpeg", pieces(&start("gate", 0, &jpeg), &jpeg, 2).concat()),
    ] {
        let path = std::path::Path::new(dir).join(name);
        if std::env::var_os("PLACET_BLESS").is_some() {
            std::fs::create_dir_all(dir).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}");
    }
}

#[test]
fn a_custody_key_is_no_oversight_key() {
    let text = custodian().public_key().to_string();
    assert!(text.starts_with("placet-custody-v1+"));
    assert!(text.replace("custody", "oversight").parse::<CustodyKey>().is_err());
}

proptest! {
    /// Whatever pictures: what was sealed opens, in order, and a cut anywhere gives what came before it.
    #[test]
    fn what_is_sealed_opens(
        sizes in prop::collection::vec((1_usize..300, any::<bool>(), any::<i64>()), 1..20),
        name in "[a-z0-9_-]{1,64}",
        number: u64,
        utc: u64,
        seed: [u8; 32],
        cut: prop::sample::Index,
    ) {
        let units: Vec<AccessUnit> = sizes
            .iter()
            .enumerate()
            .map(|(n, (bytes, key, pts))| AccessUnit { pts: Pts(*pts), key: *key || n == 0, ..unit(n as i64, *key, *bytes) })
            .collect();
        let start = Start { utc: UtcMs(utc), ..start(&name, number, &units) };
        let (mut writer, mut bytes) = SegmentWriter::begin(&custodian().public_key(), &start, seed).unwrap();
        let mut ends = vec![bytes.len()];
        for unit in &units {
            bytes.extend(writer.unit(unit).unwrap());
            ends.push(bytes.len());
        }
        bytes.extend(writer.end().unwrap());
        let reader = SegmentReader::open(bytes.as_slice(), &custodian()).unwrap();
        prop_assert_eq!(&reader.header().start, &start);
        prop_assert_eq!(read(&bytes, &custodian()), (plain(&units), Ok(())));
        let cut = cut.index(bytes.len());
        let before = ends.iter().skip(1).filter(|end| **end <= cut).count();
        let (got, end) = read(&bytes[..cut], &custodian());
        prop_assert!(end.is_err());
        prop_assert_eq!(got, plain(&units[..before]));
    }
}
