use hpke::Serializable as _;
use proptest::prelude::*;

use super::*;

enum Trial {}

impl Purpose for Trial {
    const NAME: &'static str = "trial";
}

type Public = PublicKey<Trial>;
type Secret = SecretKey<Trial>;

const FORM: KeyError = KeyError::Form { purpose: "trial" };

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn secret(n: u8) -> Secret {
    Secret::from_seed([n; 32])
}

#[test]
fn the_suite_is_the_one_of_rfc_9180() {
    // RFC 9180, A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode, sequence number 0.
    let public = unhex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
    let ephemeral = unhex("909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b");
    let key = Public::from_bytes(public.try_into().unwrap()).unwrap();
    let info = unhex("4f6465206f6e2061204772656369616e2055726e");
    let (encapsulated, mut sealing) = key.seal(&info, ephemeral.try_into().unwrap()).unwrap();
    let expected = "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a";
    assert_eq!(encapsulated.as_slice(), unhex(expected));
    let sealed = sealing.seal(b"Beauty is truth, truth beauty", b"Count-0").unwrap();
    let expected =
        "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28";
    assert_eq!(sealed, unhex(expected));
}

#[test]
fn keys_have_one_spelling_and_unsound_ones_are_refused() {
    let key = secret(1).public_key();
    assert_eq!(key.to_string().parse(), Ok(key.clone()));
    let text = secret(1).secret_text();
    let again: Secret = text.expose().parse().unwrap();
    assert_eq!(again.public_key(), key);
    assert!(!format!("{:?}{:?}", again, text).contains(&text.expose()[30..]));

    let body = &key.to_string()[16..];
    for bad in [
        body.to_owned(),
        format!("placet-trial-v1+{body}="),
        format!("placet-trial-v2+{body}"),
        format!("placet-trial-v1+{}", &body[1..]),
        String::new(),
    ] {
        assert_eq!(bad.parse::<Public>(), Err(FORM), "{bad}");
    }
    // A secret that clamping would change.
    let unclamped = format!("PRIVATE+placet-trial-v1+{}", "_".repeat(42) + "8");
    assert_eq!(unclamped.parse::<Secret>().unwrap_err(), FORM);

    let mut refused = 0;
    let small = [
        "00",
        "01",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for hex in small {
        let mut bytes = unhex(hex);
        bytes.resize(32, 0);
        assert_eq!(Public::from_bytes(bytes.try_into().unwrap()), Err(KeyError::Point), "{hex}");
        refused += 1;
    }
    for first in 0xed..=0xff {
        let mut beyond = [0xff; 32];
        (beyond[0], beyond[31]) = (first, 0x7f);
        assert_eq!(Public::from_bytes(beyond), Err(KeyError::Point));
        refused += 1;
    }
    let mut high = secret(1).public_key().hpke().to_bytes();
    high[31] |= 0x80;
    assert_eq!(Public::from_bytes(high.into()), Err(KeyError::Point));
    assert_eq!(refused, 24);
}

#[test]
fn a_key_for_another_purpose_is_none() {
    enum Other {}
    impl Purpose for Other {
        const NAME: &'static str = "other";
    }
    let text = secret(1).public_key().to_string();
    assert_eq!(text.parse::<PublicKey<Other>>(), Err(KeyError::Form { purpose: "other" }));
    let text = secret(1).secret_text();
    assert!(text.expose().parse::<SecretKey<Other>>().is_err());
}

proptest! {
    /// Messages open in their order, each with what it was bound to, under their key and binding; and not otherwise.
    #[test]
    fn messages_open_in_their_order(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..8),
        skip in 0_usize..8,
    ) {
        let (encapsulated, mut sealing) = secret(1).public_key().seal(b"here", [3; 32]).unwrap();
        let sealed: Vec<_> = messages.iter().map(|m| sealing.seal(m, b"beside").unwrap()).collect();
        let mut opening = secret(1).open(&encapsulated, b"here").unwrap();
        for (message, sealed) in messages.iter().zip(&sealed) {
            prop_assert_eq!(sealed.len(), message.len() + TAG);
            prop_assert_eq!(opening.open(sealed, b"besides").err(), Some(ContextError::Open));
            prop_assert_eq!(&*opening.open(sealed, b"beside").unwrap(), message);
        }
        let first = &sealed[0];
        for (key, info) in [(2, b"here"), (1, b"home")] {
            let mut other = secret(key).open(&encapsulated, info).unwrap();
            prop_assert!(other.open(first, b"beside").is_err());
        }
        if let Some(later) = sealed.get(skip).filter(|_| skip > 0) {
            let mut opening = secret(1).open(&encapsulated, b"here").unwrap();
            prop_assert!(opening.open(later, b"beside").is_err());
        }
    }
}
