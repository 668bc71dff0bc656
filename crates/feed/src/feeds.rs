use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::Feed;

/// The feeds by their cameras' names. Clones are the same list, and cameras may come and go.
#[derive(Clone, Default)]
pub struct Feeds {
    by_name: Arc<RwLock<BTreeMap<String, Feed>>>,
}

/// A text that names no camera in an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a camera's name: 1 to 64 of `a-z0-9._-`, and not only dots")]
pub struct NameError {
    /// The text.
    pub name: String,
}

impl Feeds {
    /// None so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a feed, or replaces the one of that name.
    ///
    /// # Errors
    /// If the name cannot stand in an address.
    pub fn insert(&self, name: &str, feed: Feed) -> Result<(), NameError> {
        let known = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
        let fits =
            (1..=64).contains(&name.len()) && name.bytes().all(known) && name.bytes().any(|b| b != b'.');
        if !fits {
            return Err(NameError { name: name.to_owned() });
        }
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), feed);
        Ok(())
    }

    /// Takes a feed off the list; who watches it already goes on.
    pub fn remove(&self, name: &str) -> Option<Feed> {
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).remove(name)
    }

    /// The feed of exactly this name.
    pub fn get(&self, name: &str) -> Option<Feed> {
        self.read().get(name).cloned()
    }

    /// All feeds with their names, in the order of these.
    pub fn all(&self) -> Vec<(String, Feed)> {
        self.read().iter().map(|(name, feed)| (name.clone(), feed.clone())).collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Feed>> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_is_found_by_its_name_alone() {
        let feeds = Feeds::new();
        let (_writer, feed) = Feed::new();
        feeds.insert("hall-north", feed.clone()).unwrap();
        assert!(feeds.get("hall-north").is_some());
        for other in ["", "hall", "HALL-NORTH", "hall-north/", "../hall-north"] {
            assert!(feeds.get(other).is_none(), "{other}");
        }
        for bad in ["", ".", "..", "a/b", "a b", "A", "é", &"x".repeat(65)] {
            assert_eq!(feeds.insert(bad, feed.clone()), Err(NameError { name: bad.to_owned() }));
        }
        assert_eq!(feeds.all().len(), 1);
        assert!(feeds.remove("hall-north").is_some() && feeds.all().is_empty());
    }
}
