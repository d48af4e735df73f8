//! ULIDs: 48 bits of time in milliseconds and 80 of chance, in 26 characters that sort as they were made.
//!
//! Those of one process only ever rise, whatever its clock does: within a millisecond, and for as long as the clock is
//! behind, the next one is the last one and one more. (The specification: github.com/ulid/spec, "monotonicity".)

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Crockford's base 32: no I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 26;
const CHANCE: u32 = 80;

/// An identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ulid(u128);

impl Ulid {
    /// Reads one as it is written, in upper case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // 26 characters have 130 bits: the first may not use its highest two.
        if text.len() != LENGTH || text.as_bytes().first()? > &b'7' {
            return None;
        }
        let digit = |byte: u8| ALPHABET.iter().position(|known| *known == byte);
        let number = text.bytes().try_fold(0_u128, |number, byte| Some(number << 5 | digit(byte)? as u128));
        number.map(Self)
    }

    /// The first one of a time, in milliseconds since 1970: all that are made then or later are no less.
    pub(crate) fn first(time: i64) -> Self {
        Self((u128::try_from(time).unwrap_or_default() & 0xffff_ffff_ffff) << CHANCE)
    }

    /// When it was made, in milliseconds since 1970.
    #[must_use]
    pub fn time(self) -> i64 {
        i64::try_from(self.0 >> CHANCE).unwrap_or(i64::MAX)
    }

    /// Its last three bits: those that follow each other have different ones.
    pub(crate) fn shard(self) -> u8 {
        u8::try_from(self.0 & 7).unwrap_or_default()
    }
}

impl fmt::Display for Ulid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..LENGTH).rev().try_for_each(|place| {
            let digit = usize::try_from(self.0 >> (5 * place) & 31).unwrap_or_default();
            f.write_str(ALPHABET.get(digit..=digit).and_then(|byte| std::str::from_utf8(byte).ok()).unwrap_or("0"))
        })
    }
}

/// Makes them.
#[derive(Debug, Default)]
pub struct Ulids {
    last: Mutex<u128>,
}

impl Ulids {
    /// The next one at this time. Fails where the system has no chance to give.
    pub fn next(&self, now: i64) -> Result<Ulid, getrandom::Error> {
        let mut chance = [0; 10];
        getrandom::fill(&mut chance)?;
        let chance = chance.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        let time = u128::try_from(now).unwrap_or_default() & 0xffff_ffff_ffff;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = if time > *last >> CHANCE { time << CHANCE | chance } else { last.saturating_add(1) };
        Ok(Ulid(*last))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn it_is_written_as_the_specification_says() {
        // The specification's own example, and its largest.
        let known = Ulid::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
        assert_eq!((known.time(), known.to_string().as_str()), (1_469_922_850_259, "01ARZ3NDEKTSV4RRFFQ69G5FAV"));
        assert!(Ulid::first(known.time()) <= known && known < Ulid::first(known.time() + 1));
        assert_eq!(Ulid::first(known.time()).to_string(), "01ARZ3NDEK0000000000000000");
        assert_eq!(Ulid::parse("7ZZZZZZZZZZZZZZZZZZZZZZZZZ"), Some(Ulid(u128::MAX)));
        for text in ["", "01ARZ3NDEKTSV4RRFFQ69G5FA", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "01ARZ3NDEKTSV4RRFFQ69G5FAI", "ü"]
        {
            assert_eq!(Ulid::parse(text), None, "{text}");
        }
    }

    #[test]
    fn whatever_the_clock_does_they_rise_and_none_comes_twice() {
        let ulids = Ulids::default();
        let clock = [5000, 5000, 5001, 4000, 0, -7, 4999, 5001, 5002, i64::MAX, 5003];
        let made: Vec<Ulid> = clock.iter().cycle().take(5000).map(|now| ulids.next(*now).unwrap()).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1] && pair[0].to_string() < pair[1].to_string()));
        assert_eq!((made[0].time(), made[3].time(), made[8].time()), (5000, 5001, 5002));
    }

    #[test]
    fn two_processes_make_no_id_twice_and_use_all_shards() {
        let (one, other) = (Ulids::default(), Ulids::default());
        let made: BTreeSet<Ulid> = (0..1000).flat_map(|_| [one.next(1), other.next(1)].map(Result::unwrap)).collect();
        assert_eq!(made.len(), 2000);
        assert_eq!(made.iter().map(|id| id.shard()).collect::<BTreeSet<_>>().len(), 8);
    }
}
