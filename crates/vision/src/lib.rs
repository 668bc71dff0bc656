//! placet-vision.
