//! placet-job.
