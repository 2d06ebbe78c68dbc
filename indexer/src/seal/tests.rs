use proptest::prelude::*;
use secrecy::ExposeSecret as _;

use super::*;

const HERE: Place<'static> = Place { table: "webhook", column: "secret_sealed", row: "7" };

fn master(n: u8) -> MasterKey {
    let mut hex = format!("{n:02x}");
    hex += &"5a".repeat(31);
    hex.parse().unwrap()
}

fn secret(bytes: &[u8]) -> SecretSlice<u8> {
    SecretSlice::from(bytes.to_vec())
}

#[test]
fn every_bit_counts() {
    let sealer = Sealer::new(master(1), []);
    let sealed = sealer.seal(&secret(b"whsec"), HERE).unwrap();
    assert_eq!(sealed.len(), OVERHEAD + 5);
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let error = sealer.open(&changed, HERE).unwrap_err();
        match bit / 8 {
            0 => assert_eq!(error, SealError::Format),
            1..HEAD => assert!(matches!(error, SealError::UnknownKey(_)), "{error}"),
            _ => assert_eq!(error, SealError::Tampered, "bit {bit}"),
        }
    }
    for length in 0..sealed.len() {
        let error = sealer.open(&sealed[..length], HERE).unwrap_err();
        assert_eq!(error, if length < OVERHEAD { SealError::Format } else { SealError::Tampered }, "{length}");
    }
    let longer = [&sealed[..], b"x"].concat();
    assert_eq!(sealer.open(&longer, HERE).unwrap_err(), SealError::Tampered);
}

#[test]
fn a_value_opens_where_it_was_sealed_for_and_nowhere_else() {
    let sealer = Sealer::new(master(1), []);
    let sealed = sealer.seal(&secret(b"reference"), HERE).unwrap();
    for other in [
        Place { table: "voucher", ..HERE },
        Place { column: "secret", ..HERE },
        Place { row: "8", ..HERE },
        // The same letters, parted elsewhere.
        Place { table: "webhooks", column: "ecret_sealed", ..HERE },
        Place { column: "secret_sealed7", row: "", ..HERE },
    ] {
        assert_eq!(sealer.open(&sealed, other).unwrap_err(), SealError::Tampered, "{other:?}");
        let later = Sealer::new(master(2), [master(1)]);
        assert_eq!(later.rewrap(&sealed, other).unwrap_err(), SealError::Tampered, "{other:?}");
    }
    // Nor does one value take another's body.
    let another = sealer.seal(&secret(b"reference"), HERE).unwrap();
    let mixed = [&sealed[..ENVELOPE], &another[ENVELOPE..]].concat();
    assert_eq!(sealer.open(&mixed, HERE).unwrap_err(), SealError::Tampered);
}

#[test]
fn a_key_that_is_not_here_is_named() {
    let sealed = Sealer::new(master(1), []).seal(&secret(b"x"), HERE).unwrap();
    let error = Sealer::new(master(2), [master(3)]).open(&sealed, HERE).unwrap_err();
    assert_eq!(error, SealError::UnknownKey(master(1).id()));
    assert!(error.to_string().contains(&master(1).id().to_string()));
}

#[test]
fn rewrapping_leaves_the_body_as_it_is() {
    let sealed = Sealer::new(master(1), []).seal(&secret(b"x"), HERE).unwrap();
    let both = Sealer::new(master(2), [master(1)]);
    let anew = both.rewrap(&sealed, HERE).unwrap().unwrap();
    assert_eq!(anew[ENVELOPE..], sealed[ENVELOPE..]);
    assert_eq!(both.rewrap(&anew, HERE).unwrap(), None, "once");
    assert_eq!(Sealer::new(master(2), []).open(&anew, HERE).unwrap().expose_secret(), b"x");
    assert!(Sealer::new(master(1), []).open(&anew, HERE).is_err(), "the old key is of no use any more");
}

#[test]
fn master_keys_have_two_forms_and_no_third() {
    let hex = "0f".repeat(31) + "00";
    let key: MasterKey = hex.parse().unwrap();
    for same in [hex.to_uppercase(), format!(" {hex}\n"), "Dw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDw8PDwA=".to_owned()] {
        assert_eq!(same.parse::<MasterKey>().unwrap().id(), key.id(), "{same}");
    }
    for wrong in ["", "0f", &hex[2..], &format!("{hex}00"), "Dw8P", "ü", &"9".repeat(100_000)] {
        assert_eq!(wrong.parse::<MasterKey>().unwrap_err(), MasterKeyForm::Length);
    }
    assert_eq!("00".repeat(32).parse::<MasterKey>().unwrap_err(), MasterKeyForm::Placeholder);
    let (one, two) = (MasterKey::generate().unwrap(), MasterKey::generate().unwrap());
    assert_ne!(one.expose_secret(), two.expose_secret());
    assert!(one.expose_secret().parse::<MasterKey>().is_ok());
}

#[test]
fn nothing_shows_a_key() {
    let text = "5a".repeat(31) + "01";
    let sealer = Sealer::new(text.parse().unwrap(), [master(1)]);
    let shown = format!("{sealer:?} {:?} {:?}", text.parse::<MasterKey>().unwrap(), MasterKey::generate().unwrap());
    assert!(!shown.contains("5a5a") && !shown.contains("90, 90"), "{shown}");
    assert!(shown.contains(&sealer.current().to_string()), "{shown}");
}

proptest! {
    #[test]
    fn what_is_sealed_opens(value in prop::collection::vec(any::<u8>(), 0..300), row in ".{0,20}", table in "[a-z_]{0,10}") {
        let place = Place { table: &table, column: "sealed", row: &row };
        let sealer = Sealer::new(master(1), []);
        let sealed = sealer.seal(&secret(&value), place).unwrap();
        let opened = sealer.open(&sealed, place).unwrap();
        prop_assert_eq!(opened.expose_secret(), &value[..]);
        let again = sealer.seal(&secret(&value), place).unwrap();
        prop_assert_ne!(&sealed[HEAD..], &again[HEAD..]);
        if value.len() > 8 {
            prop_assert!(!sealed.windows(value.len()).any(|w| w == value));
        }
    }

    #[test]
    fn garbage_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), versioned in any::<bool>()) {
        let mut bytes = bytes;
        if let (true, Some(first)) = (versioned, bytes.first_mut()) {
            *first = VERSION;
        }
        let sealer = Sealer::new(master(1), []);
        prop_assert!(sealer.open(&bytes, HERE).is_err());
        prop_assert!(sealer.rewrap(&bytes, HERE).is_err());
    }
}
