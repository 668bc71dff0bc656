//! Two coded pictures of one camera, before a decoder sees them. The first byte chooses the codec.

#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_camera::units::{Units, with_sets};
use placet_core::Codec;

fuzz_target!(|bytes: &[u8]| {
    let Some((codec, data)) = bytes.split_first() else { return };
    let codec = [Codec::H264, Codec::H265, Codec::Jpeg][usize::from(codec % 3)];
    let (first, second) = data.split_at(data.len() / 2);
    let mut units = Units::default();
    for unit in [data, first, second] {
        let Ok(Some(seen)) = units.take(codec, unit) else { continue };
        assert!(!seen.changed || seen.key, "only what decodes alone changes anything");
        if seen.key {
            let size = seen.size.expect("what decodes alone has a size");
            assert!((1..=8192).contains(&size.width) && (1..=8192).contains(&size.height));
            let again = units.take(codec, unit).expect("it was taken before").expect("it is a picture still");
            assert!(!again.changed, "the same again is no change");
        }
    }
    // Sets from one, picture from the other.
    let joined = with_sets(codec, second.to_vec(), first);
    assert!(joined == second || joined.len() == first.len() + second.len());
    let _ = units.take(codec, &joined);
});
