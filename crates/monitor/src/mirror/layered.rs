use std::cell::RefCell;

use placet_audit::{CHECKPOINT, Source, SourceError};

use crate::folder::FolderSource;

/// A log of which some files are here already. They are believed no more than those from afar.
pub(super) struct Layered<'s, S> {
    pub(super) here: Option<&'s FolderSource>,
    pub(super) afar: &'s S,
    /// The last file of `cosigned`: its items are asked for one by one.
    last: RefCell<Option<(String, Option<Vec<u8>>)>>,
}

impl<'s, S: Source> Layered<'s, S> {
    pub(super) fn new(here: Option<&'s FolderSource>, afar: &'s S) -> Self {
        Self { here, afar, last: RefCell::default() }
    }

    fn here(&self, path: &str) -> Option<&FolderSource> {
        self.here.filter(|_| path != CHECKPOINT)
    }
}

impl<S: Source> Source for Layered<'_, S> {
    fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        if let Some(here) = self.here(path)
            && let Some(bytes) = here.get(path, limit)?
        {
            return Ok(Some(bytes));
        }
        if !path.starts_with("cosigned/") {
            return self.afar.get(path, limit);
        }
        if let Some((last, bytes)) = self.last.borrow().as_ref()
            && last == path
        {
            return Ok(bytes.clone());
        }
        let bytes = self.afar.get(path, limit)?;
        self.last.replace(Some((path.to_owned(), bytes.clone())));
        Ok(bytes)
    }

    fn get_range(&self, path: &str, from: u64, len: u64) -> Result<Option<Vec<u8>>, SourceError> {
        if let Some(here) = self.here(path)
            && let Some(bytes) = here.get_range(path, from, len)?
        {
            return Ok(Some(bytes));
        }
        self.afar.get_range(path, from, len)
    }
}
