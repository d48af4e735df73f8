//! Values that nobody has to think of.

use crate::compare::Why;
use crate::ops::failed;
use crate::secret::Secret;

/// How long they may be.
pub const LENGTHS: std::ops::RangeInclusive<usize> = 1..=4096;

/// What they are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Alphabet {
    /// Letters and digits.
    #[default]
    Letters,
    /// The same, and what most passwords may hold.
    Symbols,
    /// Hexadecimal digits.
    Hex,
    /// Decimal digits.
    Digits,
}

impl Alphabet {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Letters, Self::Symbols, Self::Hex, Self::Digits];

    /// What it is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Letters => "letters and digits",
            Self::Symbols => "letters, digits and symbols",
            Self::Hex => "hexadecimal digits",
            Self::Digits => "digits",
        }
    }

    /// The one after it, or before it.
    #[must_use]
    pub fn next(self, forward: bool) -> Self {
        let at = Self::ALL.iter().position(|other| *other == self).unwrap_or(0);
        let by = if forward { 1 } else { Self::ALL.len() - 1 };
        Self::ALL[(at + by) % Self::ALL.len()]
    }

    /// Its characters; none that a shell, JSON or a URL would have to quote beyond the symbols of passwords.
    #[must_use]
    pub fn characters(self) -> &'static [u8] {
        match self {
            Self::Letters => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            Self::Symbols => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#%*+-./:=?@^_~",
            Self::Hex => b"0123456789abcdef",
            Self::Digits => b"0123456789",
        }
    }

    /// How hard such a value is to guess, in bits.
    #[must_use]
    pub fn bits(self, length: usize) -> usize {
        // No alphabet is as long as would lose digits, and no length either.
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let bits = ((self.characters().len() as f64).log2() * length as f64).floor() as usize;
        bits
    }
}

/// A random value of that many characters, each as likely as any other.
pub fn generate(length: usize, alphabet: Alphabet) -> Result<Secret, Why> {
    if !LENGTHS.contains(&length) {
        return Err(Why::new(format!("{length} characters: give {} to {}", LENGTHS.start(), LENGTHS.end())));
    }
    let characters = alphabet.characters();
    // What is left above the last whole round would make the first characters likelier.
    let limit = 256 - 256 % characters.len();
    let mut text = String::with_capacity(length);
    let mut random = zeroize::Zeroizing::new([0_u8; 256]);
    while text.len() < length {
        getrandom::fill(random.as_mut()).map_err(|error| failed(&error))?;
        let usable = random.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < limit);
        text.extend(usable.take(length - text.len()).map(|byte| char::from(characters[byte % characters.len()])));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_generated_value_has_its_length_and_every_character_of_its_alphabet() {
        for alphabet in Alphabet::ALL {
            let text = generate(4096, alphabet).unwrap();
            assert_eq!(text.chars(), 4096);
            let seen: BTreeSet<u8> = text.expose().bytes().collect();
            assert_eq!(seen, alphabet.characters().iter().copied().collect(), "{}", alphabet.word());
            assert_eq!(alphabet.next(true).next(false), alphabet);
        }
        assert_ne!(generate(32, Alphabet::Hex).unwrap(), generate(32, Alphabet::Hex).unwrap());
        assert_eq!(Alphabet::Hex.bits(32), 128);
        assert!(generate(0, Alphabet::Hex).is_err() && generate(5000, Alphabet::Hex).is_err());
    }
}
