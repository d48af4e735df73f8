//! ULIDs as far as reading needs them: the time in one, and the least and the greatest one of a time.
//!
//! <https://github.com/ulid/spec>: 10 letters of time in milliseconds, 16 of chance, in Crockford's base 32.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The letters of the time.
const TIME: usize = 10;

/// All of them.
const LENGTH: usize = 26;

/// Times have 48 bits.
const LATEST: i64 = (1 << 48) - 1;

/// The least id of a time in milliseconds since the Unix epoch.
pub(super) fn least(at: i64) -> String {
    let at = at.clamp(0, LATEST);
    let letter = |place: usize| {
        let bits = at >> (5 * (TIME - 1 - place)) & 31;
        ALPHABET.get(usize::try_from(bits).unwrap_or(0)).map_or('0', |byte| char::from(*byte))
    };
    let mut id: String = (0..TIME).map(letter).collect();
    id.extend(std::iter::repeat_n('0', LENGTH - TIME));
    id
}

/// The greatest one of all.
pub(super) fn greatest() -> String {
    let mut id = String::from("7");
    id.extend(std::iter::repeat_n('Z', LENGTH - 1));
    id
}

/// The time in an id, in milliseconds since the Unix epoch; `None`: it is no ULID.
pub(super) fn time(id: &str) -> Option<i64> {
    let value = |byte: u8| ALPHABET.iter().position(|known| *known == byte).and_then(|at| i64::try_from(at).ok());
    let digits: Vec<i64> = id.bytes().map(value).collect::<Option<_>>()?;
    if digits.len() != LENGTH || digits.first().is_none_or(|first| *first > 7) {
        return None;
    }
    Some(digits.iter().take(TIME).fold(0, |time, digit| time << 5 | digit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_time_of_the_specification_s_example_is_read() {
        assert_eq!(time("01ARZ3NDEKTSV4RRFFQ69G5FAV"), Some(1_469_922_850_259));
        assert_eq!(least(1_469_922_850_259), "01ARZ3NDEK0000000000000000");
        for wrong in ["", "01ARZ3NDEKTSV4RRFFQ69G5FA", "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAU", "é"]
        {
            assert_eq!(time(wrong), None, "{wrong}");
        }
        assert_eq!(time(&greatest()), Some(LATEST));
    }

    proptest! {
        #[test]
        fn ids_sort_as_their_times_do(one in 0..=LATEST, two in 0..=LATEST) {
            prop_assert_eq!(time(&least(one)), Some(one));
            prop_assert_eq!(one.cmp(&two), least(one).cmp(&least(two)));
        }
    }
}
