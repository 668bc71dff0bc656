//! placet-tlog.
