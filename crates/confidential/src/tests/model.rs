//! Whatever is done in whatever order, the store says what a map in memory says.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{KEY, at, committed, event, order};
use crate::{Error, Once, Store, Use};

#[derive(Clone, Debug)]
enum Step {
    Put { order: u8, event: u32 },
    Erase { order: u8 },
    Spend { order: u8 },
    Reopen,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..4_u8, 0..30_u32).prop_map(|(order, event)| Step::Put { order, event }),
        1 => (0..4_u8).prop_map(|order| Step::Erase { order }),
        1 => (0..4_u8).prop_map(|order| Step::Spend { order }),
        1 => Just(Step::Reopen),
    ]
}

#[derive(Default)]
struct Model {
    records: BTreeMap<u32, u8>,
    used: BTreeSet<u32>,
    erased: BTreeSet<u8>,
    spent: BTreeSet<u8>,
}

impl Model {
    fn take(&mut self, step: &Step, store: &mut Store) {
        match *step {
            Step::Put { order: o, event: e } => {
                let result = store.put(order(o), event(e), at(e), &committed(e), None);
                match result {
                    Ok(()) => assert!(self.used.insert(e) && !self.erased.contains(&o)),
                    Err(Error::EventUsed { .. }) => return assert!(self.used.contains(&e)),
                    Err(Error::GroupErased) => return assert!(self.erased.contains(&o)),
                    Err(other) => panic!("{other}"),
                }
                self.records.insert(e, o);
            }
            Step::Erase { order: o } => {
                let mut gone: Vec<_> =
                    self.records.iter().filter(|(_, of)| **of == o).map(|(e, _)| event(*e)).collect();
                gone.sort_unstable();
                assert_eq!(store.erase(order(o)).unwrap().events, gone);
                if !gone.is_empty() {
                    self.erased.insert(o);
                }
                self.records.retain(|_, of| *of != o);
            }
            Step::Spend { order: o } => {
                let first = self.spent.insert(o);
                let once = Once::Order(placet_core::Digest([o; 32]));
                assert_eq!(store.spend(once).unwrap(), if first { Use::First } else { Use::Again });
            }
            Step::Reopen => {}
        }
    }

    fn agrees(&self, store: &Store) {
        for e in 0..30 {
            let expected = self.records.contains_key(&e).then(|| committed(e));
            assert_eq!(store.get(event(e)).unwrap(), expected, "event {e}");
        }
        for o in 0..4 {
            let expected = self.records.values().filter(|of| **of == o).count();
            assert_eq!(store.group(order(o)).unwrap().len(), expected, "order {o}");
        }
        assert_eq!(store.check().unwrap(), self.records.len() as u64);
        let held: u64 = store.older_than(at(1_000)).unwrap().iter().map(|held| held.records).sum();
        assert_eq!(held, self.records.len() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_store_says_what_a_map_in_memory_says(steps in prop::collection::vec(any_step(), 1..25)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let mut store = Store::create(&path, &KEY).unwrap();
        let mut model = Model::default();
        for step in &steps {
            if matches!(step, Step::Reopen) {
                drop(store);
                store = Store::open(&path, &KEY).unwrap();
            }
            model.take(step, &mut store);
        }
        model.agrees(&store);
        drop(store);
        model.agrees(&Store::open(&path, &KEY).unwrap());
    }
}
