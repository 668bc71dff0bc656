//! placet-record.
