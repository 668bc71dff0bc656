//! placet-redaction.
