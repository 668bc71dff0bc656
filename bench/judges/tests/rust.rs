//! Random trees, proofs good and broken, notes and policies: four published crates must decide as ours does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests are free to unwrap and index")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use placet_tlog::merkle::{self, Frontier, Hash, Nodes};
use placet_tlog::note::{self, SignerKey};
use sha2::Sha256;

/// SplitMix64: a seed names a run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// Every perfect subtree of a tree, by level.
#[derive(Default)]
struct Memory(Vec<Vec<Hash>>);

impl Nodes for Memory {
    type Error = std::convert::Infallible;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        Ok(self.0[usize::from(level)][usize::try_from(index).unwrap()])
    }
}

fn tlog(hash: Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(hash.0)
}

const LARGEST: u64 = 3000;
const PROOFS: u64 = 60_000;

/// A tree of `LARGEST` entries with its roots at every size, ours and that of `ct-merkle`.
fn grown() -> (Vec<Vec<u8>>, Memory, Vec<Hash>) {
    let mut random = Random(1);
    let entries: Vec<Vec<u8>> = (0..LARGEST)
        .map(|_| (0..random.below(40)).map(|_| random.next().to_le_bytes()[0]).collect())
        .collect();
    let (mut tree, mut nodes, mut roots) = (Frontier::default(), Memory::default(), vec![Hash::of_nothing()]);
    let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for entry in &entries {
        tree.push(Hash::of_leaf(entry), |level, index, hash| {
            let level = usize::from(level);
            if nodes.0.len() == level {
                nodes.0.push(Vec::new());
            }
            assert_eq!(nodes.0[level].len(), usize::try_from(index).unwrap());
            nodes.0[level].push(hash);
        });
        theirs.push(entry.clone());
        assert_eq!(theirs.root().as_bytes().as_slice(), tree.root().0, "size {}", tree.size());
        roots.push(tree.root());
    }
    (entries, nodes, roots)
}

#[test]
fn other_crates_decide_on_random_proofs_as_ours_does() {
    let (entries, mut nodes, roots) = grown();
    let mut random = Random(2);
    let (mut sound, mut broken) = (0, 0);
    let at = |n: u64| usize::try_from(n).unwrap();
    for n in 0..PROOFS {
        let size = 1 + random.below(LARGEST);
        let index = random.below(size);
        let old = 1 + random.below(size);
        let mut inclusion = merkle::inclusion_proof(&mut nodes, index, size).unwrap();
        let mut consistency = merkle::consistency_proof(&mut nodes, old, size).unwrap();
        let (mut index, mut old, mut size) = (index, old, size);
        // Every other pair is spoilt: a bit of a hash, a hash too many or too few, another place or size.
        let spoil = n % 2 == 1;
        let root = roots[at(size)];
        if spoil {
            match random.below(5) {
                0 => [&mut inclusion, &mut consistency].into_iter().for_each(|p| {
                    let (len, bit) = (p.len(), random.below(256));
                    match len {
                        0 => p.push(root),
                        _ => p[at(bit) % len].0[at(bit / 8)] ^= 1 << (bit % 8),
                    }
                }),
                1 => [&mut inclusion, &mut consistency].into_iter().for_each(|p| p.push(root)),
                2 => [&mut inclusion, &mut consistency].into_iter().for_each(|p| match p.pop() {
                    Some(_) => {}
                    None => p.push(root),
                }),
                3 => (index, old) = ((index + 1) % size.max(2), 1 + (old % size)),
                _ => (size, old) = (size + 1 + random.below(3), old),
            }
        }
        let leaf = &entries[at(index.min(LARGEST - 1))];
        let leaf_hash = Hash::of_leaf(leaf);
        let old_root = roots[at(old)];
        let ours = merkle::verify_inclusion(leaf_hash, index, size, &inclusion, root).is_ok();
        let ours_too = merkle::verify_consistency(old, old_root, size, root, &consistency).is_ok();

        let theirs: Vec<tlog_tiles::Hash> = inclusion.iter().map(|h| tlog(*h)).collect();
        let answer = index < size
            && tlog_tiles::check_record(&theirs, size, tlog(root), index, tlog(leaf_hash)).is_ok();
        assert_eq!(answer, ours, "tlog_tiles: leaf {index} of {size}");
        let theirs: Vec<tlog_tiles::Hash> = consistency.iter().map(|h| tlog(*h)).collect();
        let answer = tlog_tiles::check_tree(&theirs, size, tlog(root), old, tlog(old_root)).is_ok();
        assert_eq!(answer, ours_too, "tlog_tiles: {old} in {size}");

        let root_of = |hash: Hash, size| RootHash::<Sha256>::new(hash.0.into(), size);
        let proof = InclusionProof::<Sha256>::from_bytes(inclusion.iter().flat_map(|h| h.0).collect());
        let answer = root_of(root, size).verify_inclusion(leaf, index, &proof).is_ok();
        assert_eq!(answer, ours, "ct-merkle: leaf {index} of {size}");
        if let Ok(proof) =
            ConsistencyProof::<Sha256>::try_from_bytes(consistency.iter().flat_map(|h| h.0).collect())
        {
            let answer = root_of(root, size).verify_consistency(&root_of(old_root, old), &proof).is_ok();
            assert_eq!(answer, ours_too, "ct-merkle: {old} in {size}");
        }
        assert!(spoil || (ours && ours_too), "leaf {index} and {old} of {size}");
        sound += u64::from(ours) + u64::from(ours_too);
        broken += u64::from(!ours) + u64::from(!ours_too);
    }
    println!("{sound} proofs accepted, {broken} refused, by ours, tlog_tiles and ct-merkle alike");
    assert!(sound + broken == 2 * PROOFS && sound > PROOFS && broken > PROOFS / 4);
}

#[test]
fn notes_are_opened_by_another_crate_and_by_ours() {
    let mut random = Random(3);
    let mut opened = 0;
    for n in 0..200u8 {
        let signer = SignerKey::generate("log.example/2026", [n; 32]).unwrap();
        let text: String =
            (0..1 + random.below(5)).map(|_| format!("line {} größer\n", random.next())).collect();
        let signed = note::sign(&text, &[&signer]).unwrap();
        let key = signed_note::StandardVerifier::new(&signer.verifier_key().to_string()).unwrap();
        let known = signed_note::VerifierList::new(vec![Box::new(key)]);
        let theirs = signed_note::Note::from_bytes(signed.as_bytes()).unwrap();
        assert_eq!(theirs.verify(&known).unwrap().0.len(), 1);
        // One bit anywhere: neither may open what the other refuses, and neither opens another text.
        for _ in 0..20 {
            let mut bytes = signed.clone().into_bytes();
            let at = usize::try_from(random.below(u64::try_from(bytes.len()).unwrap())).unwrap();
            bytes[at] ^= 1 << random.below(7);
            let ours = note::open(&bytes, &[signer.verifier_key()]).is_ok();
            let theirs = signed_note::Note::from_bytes(&bytes).is_ok_and(|note| note.verify(&known).is_ok());
            assert_eq!(ours, theirs, "{:?}", String::from_utf8_lossy(&bytes));
            assert!(!ours);
            opened += 1;
        }
    }
    println!("200 notes opened by both, {opened} spoilt ones by neither");
}

#[test]
fn sigsum_finds_the_same_witnesses_enough() {
    use placet_tlog::note::{WitnessKey, WitnessSecret};
    use placet_tlog::policy::Policy;
    let mut random = Random(4);
    // A key's text ends in its kind and the 32 bytes of its point.
    let bytes = |key: &WitnessKey| -> [u8; 32] {
        let text = key.to_string();
        let payload = STANDARD.decode(text.splitn(3, '+').nth(2).unwrap()).unwrap();
        payload[1..].try_into().unwrap()
    };
    let keys: Vec<WitnessKey> =
        (0..8).map(|n| WitnessSecret::generate("w", [n; 32]).unwrap().verifier_key()).collect();
    let raw: Vec<[u8; 32]> = keys.iter().map(bytes).collect();
    let (mut asked, mut enough) = (0, 0);
    for _ in 0..500 {
        let mut ours = String::new();
        let mut theirs = sigsum::PolicyBuilder::new();
        let mut free: Vec<String> = Vec::new();
        for (n, (key, raw)) in keys.iter().zip(&raw).enumerate() {
            ours += &format!("witness w{n} {key}\n");
            theirs.add_witness(format!("w{n}"), (*raw).into(), None).unwrap();
            free.push(format!("w{n}"));
        }
        // Groups take members nobody has taken yet, so that each counts once.
        for g in 0..1 + random.below(4) {
            let n = 1 + random.below(u64::try_from(free.len()).unwrap().min(4));
            let members: Vec<String> = (0..n)
                .map(|_| {
                    free.swap_remove(
                        usize::try_from(random.below(u64::try_from(free.len()).unwrap())).unwrap(),
                    )
                })
                .collect();
            let k = 1 + random.below(n);
            ours += &format!("group g{g} {k} {}\n", members.join(" "));
            theirs.add_group(format!("g{g}"), usize::try_from(k).unwrap(), members).unwrap();
            free.push(format!("g{g}"));
        }
        let top = free[usize::try_from(random.below(u64::try_from(free.len()).unwrap())).unwrap()].clone();
        ours += &format!("quorum {top}\n");
        theirs.set_quorum(top).unwrap();
        let (ours, theirs) = (Policy::parse(ours.as_bytes()).unwrap(), theirs.build());
        for set in 0..256u16 {
            let signed = |n: usize| set >> n & 1 == 1;
            let by: Vec<WitnessKey> = (0..8).filter(|n| signed(*n)).map(|n| keys[n].clone()).collect();
            let hashes: Vec<sigsum::Hash> =
                (0..8).filter(|n| signed(*n)).map(|n| sigsum::Hash::new(raw[n])).collect();
            assert_eq!(ours.is_met_by(&by), theirs.check_quorum(&hashes), "{ours:?} by {set:08b}");
            asked += 1;
            enough += u32::from(ours.is_met_by(&by));
        }
    }
    println!("{asked} sets of witnesses, {enough} of them enough, to ours and to sigsum alike");
}
