//! placet-ingest.
