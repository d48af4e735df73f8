//! One value of a document: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]` (sops, `aes/cipher.go`).

use aes_gcm::aead::array::ArraySize;
use aes_gcm::aead::consts;
use aes_gcm::aes::Aes256;
use aes_gcm::{AeadInOut, AesGcm, KeyInit, Nonce, Tag};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::error::Error;
use super::number::{canonical, float_text};
use super::tree::Leaf;
use crate::secret::Secret;

type Gcm<Size> = AesGcm<Aes256, Size>;

/// Length of the IVs that sops writes, in bytes.
const IV: usize = 32;

/// A data key, ready to open and to seal values.
#[derive(Clone)]
pub(super) struct Cipher {
    gcm: Gcm<consts::U32>,
    key: Zeroizing<[u8; 32]>,
}

/// The parts of an encrypted value.
pub(super) struct Sealed {
    data: Vec<u8>,
    iv: Vec<u8>,
    tag: Vec<u8>,
    pub(super) kind: String,
}

/// Whether a text is an encrypted comment.
pub(super) fn is_sealed_comment(text: &str) -> bool {
    text.starts_with("ENC[AES256_GCM,") && text.ends_with(",type:comment]") && Sealed::parse(text).is_some()
}

impl Sealed {
    /// `None`: the text is not an encrypted value.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix("ENC[AES256_GCM,data:")?.strip_suffix(']')?;
        let (data, rest) = inner.split_once(",iv:")?;
        let (iv, rest) = rest.split_once(",tag:")?;
        let (tag, kind) = rest.split_once(",type:")?;
        let decode = |text: &str| STANDARD.decode(text).ok();
        Some(Self { data: decode(data)?, iv: decode(iv)?, tag: decode(tag)?, kind: kind.to_owned() })
    }
}

impl Cipher {
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        let key = Zeroizing::new(<[u8; 32]>::try_from(key).ok()?);
        Some(Self { gcm: Gcm::new(&(*key).into()), key })
    }

    /// A cipher with a new random data key.
    pub(super) fn generate() -> Result<Self, Error> {
        let mut key = Zeroizing::new([0; 32]);
        random(&mut *key)?;
        Ok(Self { gcm: Gcm::new(&(*key).into()), key })
    }

    /// Opens an encrypted value; the reason of a failure holds no part of it.
    pub(super) fn open(&self, sealed: &Sealed, aad: &str) -> Result<Leaf, String> {
        let plain = self.open_bytes(sealed, aad.as_bytes())?;
        leaf(plain, &sealed.kind)
    }

    /// Whether both have the same data key.
    pub(super) fn same_key(&self, other: &Self) -> bool {
        *self.key == *other.key
    }

    pub(super) fn key(&self) -> &[u8] {
        &*self.key
    }

    pub(super) fn open_bytes(&self, sealed: &Sealed, aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        let tag = Tag::try_from(sealed.tag.as_slice())
            .map_err(|_| format!("its tag has {} bytes instead of 16", sealed.tag.len()))?;
        let mut data = Zeroizing::new(sealed.data.clone());
        let opened = if sealed.iv.len() == IV {
            open_with(&self.gcm, &sealed.iv, aad, &mut data, &tag)
        } else {
            self.open_other(sealed, aad, &mut data, &tag)?
        };
        opened.ok_or("it was altered, or moved from another key")?;
        Ok(data)
    }

    /// sops in other languages and versions wrote other lengths (12 and 16 are known).
    fn open_other(&self, sealed: &Sealed, aad: &[u8], data: &mut [u8], tag: &Tag) -> Result<Option<()>, String> {
        macro_rules! by_length {
            ($($length:literal $size:ident),*) => {
                match sealed.iv.len() {
                    $($length => {
                        let gcm: Gcm<consts::$size> = Gcm::new(&(*self.key).into());
                        Ok(open_with(&gcm, &sealed.iv, aad, data, tag))
                    })*
                    other => Err(format!("its IV has {other} bytes, which is not supported")),
                }
            };
        }
        by_length!(
            1 U1, 2 U2, 3 U3, 4 U4, 5 U5, 6 U6, 7 U7, 8 U8, 9 U9, 10 U10, 11 U11, 12 U12, 13 U13, 14 U14, 15 U15, 16 U16,
            17 U17, 18 U18, 19 U19, 20 U20, 21 U21, 22 U22, 23 U23, 24 U24, 25 U25, 26 U26, 27 U27, 28 U28, 29 U29,
            30 U30, 31 U31, 33 U33, 34 U34, 35 U35, 36 U36, 37 U37, 38 U38, 39 U39, 40 U40, 41 U41, 42 U42, 43 U43,
            44 U44, 45 U45, 46 U46, 47 U47, 48 U48, 49 U49, 50 U50, 51 U51, 52 U52, 53 U53, 54 U54, 55 U55, 56 U56,
            57 U57, 58 U58, 59 U59, 60 U60, 61 U61, 62 U62, 63 U63, 64 U64
        )
    }

    /// Seals bytes under a fresh random IV. `kind` is the type in the text, such as `str`.
    pub(super) fn seal(&self, plain: &[u8], kind: &str, aad: &str) -> Result<String, Error> {
        let mut iv = [0; IV];
        random(&mut iv)?;
        let mut data = Zeroizing::new(plain.to_vec());
        let tag = self
            .gcm
            .encrypt_inout_detached(&iv.into(), aad.as_bytes(), data.as_mut_slice().into())
            .map_err(|_| Error::Crypto("a value is too long for AES-GCM".to_owned()))?;
        Ok(format!(
            "ENC[AES256_GCM,data:{},iv:{},tag:{},type:{kind}]",
            base64(&data),
            base64(&iv),
            base64(tag.as_slice())
        ))
    }
}

fn open_with<Size: ArraySize>(gcm: &Gcm<Size>, iv: &[u8], aad: &[u8], data: &mut [u8], tag: &Tag) -> Option<()> {
    let nonce = Nonce::try_from(iv).ok()?;
    gcm.decrypt_inout_detached(&nonce, aad, data.into(), tag).ok()
}

/// Fills a buffer from the operating system's generator.
pub(super) fn random(buffer: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(buffer).map_err(|error| Error::Crypto(format!("no random bytes: {error}")))
}

/// Standard base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn leaf(plain: Zeroizing<Vec<u8>>, kind: &str) -> Result<Leaf, String> {
    let secret = |plain: Zeroizing<Vec<u8>>| std::str::from_utf8(&plain).map(Secret::new).map_err(|_| ());
    let no = || format!("its type says {kind}, its content does not");
    match kind {
        "str" => Ok(secret(plain.clone()).map_or(Leaf::Bytes(plain), Leaf::Text)),
        "bytes" => Ok(Leaf::Bytes(plain)),
        "comment" => secret(plain).map(Leaf::Comment).map_err(|()| no()),
        "time" => secret(plain).map(Leaf::Time).map_err(|()| no()),
        "int" => {
            let text = secret(plain).map_err(|()| no())?;
            let int = text.expose().parse::<i64>().map_err(|_| no())?;
            Ok(Leaf::Number(Secret::new(int.to_string())))
        }
        "float" => {
            let text = secret(plain).map_err(|()| no())?;
            let float = text.expose().parse::<f64>().map_err(|_| no())?;
            Ok(Leaf::Number(Secret::new(float_json(float))))
        }
        "bool" => match plain.as_slice() {
            b"True" | b"true" | b"TRUE" | b"t" | b"T" | b"1" => Ok(Leaf::Bool(true)),
            b"False" | b"false" | b"FALSE" | b"f" | b"F" | b"0" => Ok(Leaf::Bool(false)),
            _ => Err(no()),
        },
        _ => Err(format!("its type {kind:?} is unknown")),
    }
}

/// A float as text that [`canonical`] takes for the same float again: of all floats only -0 looks like an integer of
/// other digits.
fn float_json(float: f64) -> String {
    if float == 0.0 && float.is_sign_negative() { "-0.0".to_owned() } else { float_text(float) }
}

/// What is hashed and encrypted of a leaf, and its type; `None` where sops leaves the value as it is (null, empty).
pub(super) fn plain_bytes(leaf: &Leaf) -> Option<(Zeroizing<Vec<u8>>, &'static str)> {
    let (bytes, kind) = match leaf {
        Leaf::Null => return None,
        Leaf::Bool(true) => (b"True".to_vec(), "bool"),
        Leaf::Bool(false) => (b"False".to_vec(), "bool"),
        Leaf::Number(text) => match canonical(text.expose()) {
            Some(number) => (number.text.into_bytes(), if number.is_int { "int" } else { "float" }),
            None => (text.expose().as_bytes().to_vec(), "float"),
        },
        Leaf::Text(text) => (text.expose().as_bytes().to_vec(), "str"),
        Leaf::Bytes(bytes) => (bytes.to_vec(), "str"),
        Leaf::Time(text) => (text.expose().as_bytes().to_vec(), "time"),
        Leaf::Comment(text) => (text.expose().as_bytes().to_vec(), "comment"),
    };
    let bytes = Zeroizing::new(bytes);
    (!bytes.is_empty()).then_some((bytes, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

    #[test]
    fn values_with_ivs_of_any_length_open() {
        // Sealed by Go's crypto/cipher.
        let rows = [
            (1, "ENC[AES256_GCM,data:We1cwT0=,iv:AA==,tag:wbxYhF74MY6b+Vvox9Mqgg==,type:str]"),
            (12, "ENC[AES256_GCM,data:RYDXELY=,iv:AAECAwQFBgcICQoL,tag:KVTgoW6yN8gBBC1EewA6BA==,type:str]"),
            (16, "ENC[AES256_GCM,data:jqP+zKc=,iv:AAECAwQFBgcICQoLDA0ODw==,tag:q6id7sMfswu8YlKyOd6odA==,type:str]"),
            (
                24,
                "ENC[AES256_GCM,data:lWpGksw=,iv:AAECAwQFBgcICQoLDA0ODxAREhMUFRYX,tag:kSQ645hhxnKwUkq5boY1FA==,type:str]",
            ),
            (
                32,
                "ENC[AES256_GCM,data:crZ2OaI=,iv:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,tag:6Rpo/GDEBNuvqmgTU73QDw==,type:str]",
            ),
            (
                64,
                "ENC[AES256_GCM,data:DQLGNzc=,iv:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==,tag:eRiujQ3MxfkpkDDb0qN0mg==,type:str]",
            ),
        ];
        let cipher = Cipher::new(KEY).expect("a key");
        for (length, text) in rows {
            let sealed = Sealed::parse(text).expect("a value");
            assert_eq!(cipher.open(&sealed, "a:b:"), Ok(Leaf::Text(Secret::new("hello"))), "{length} bytes");
            assert!(cipher.open(&sealed, "a:c:").is_err(), "{length} bytes, moved");
        }
    }

    #[test]
    fn each_type_is_read_as_what_it_says_or_refused() {
        let cipher = Cipher::new(KEY).expect("a key");
        let open = |plain: &[u8], kind: &str| {
            let text = cipher.seal(plain, kind, "a:").expect("seals");
            cipher.open(&Sealed::parse(&text).expect("a value"), "a:")
        };
        let number = |text: &str| Ok(Leaf::Number(Secret::new(text)));
        let rows: [(&[u8], &str, Result<Leaf, String>); 12] = [
            (b"text", "str", Ok(Leaf::Text(Secret::new("text")))),
            (b"\xff", "str", Ok(Leaf::Bytes(Zeroizing::new(vec![0xff])))),
            (b"\xff", "bytes", Ok(Leaf::Bytes(Zeroizing::new(vec![0xff])))),
            (b"note", "comment", Ok(Leaf::Comment(Secret::new("note")))),
            (b"2026-01-31T12:00:00Z", "time", Ok(Leaf::Time(Secret::new("2026-01-31T12:00:00Z")))),
            (b"007", "int", number("7")),
            (b"1e3", "float", number("1000")),
            (b"+Inf", "float", number("+Inf")),
            (b"True", "bool", Ok(Leaf::Bool(true))),
            (b"False", "bool", Ok(Leaf::Bool(false))),
            (b"x", "int", Err("its type says int, its content does not".to_owned())),
            (b"x", "other", Err("its type \"other\" is unknown".to_owned())),
        ];
        for (plain, kind, expected) in rows {
            assert_eq!(open(plain, kind), expected, "{kind} {plain:?}");
        }
    }

    #[test]
    fn every_value_gets_its_own_iv() {
        let cipher = Cipher::new(KEY).expect("a key");
        let seal = || cipher.seal(b"same", "str", "a:").expect("seals");
        let (one, other) = (Sealed::parse(&seal()).expect("a value"), Sealed::parse(&seal()).expect("a value"));
        assert_eq!(one.iv.len(), 32);
        assert_ne!(one.iv, other.iv);
    }
}
