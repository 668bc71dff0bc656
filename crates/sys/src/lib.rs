//! placet-sys.
