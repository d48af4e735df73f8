//! Shamir's secret sharing over GF(2^8) as sops uses it for key groups (its `shamir` package, from HashiCorp Vault):
//! a share is one value per byte of the secret, then its x coordinate.

use zeroize::Zeroizing;

use super::cipher::random;
use super::error::Error;

/// Splits a secret into `parts` shares of which any `threshold` suffice (2 to 255, `threshold <= parts`).
pub(super) fn split(secret: &[u8], parts: u8, threshold: u8) -> Result<Vec<Zeroizing<Vec<u8>>>, Error> {
    if threshold < 2 || parts < threshold {
        return Err(Error::Crypto(format!(
            "a threshold of {threshold} with {parts} key groups: it must be at least 2 and at most their number"
        )));
    }
    let mut shares: Vec<_> = (1..=parts).map(|_| Zeroizing::new(Vec::with_capacity(secret.len() + 1))).collect();
    let mut coefficients = Zeroizing::new(vec![0; usize::from(threshold) - 1]);
    for byte in secret {
        random(&mut coefficients)?;
        for (x, share) in (1..=parts).zip(&mut shares) {
            let y = coefficients.iter().rev().fold(0, |sum, coefficient| multiply(sum, x) ^ coefficient);
            share.push(multiply(y, x) ^ byte);
        }
    }
    for (x, share) in (1..=parts).zip(&mut shares) {
        share.push(x);
    }
    Ok(shares)
}

/// The secret again; `None` for shares that cannot belong together. Too few shares give a wrong secret, not `None`.
pub(super) fn combine(shares: &[Zeroizing<Vec<u8>>]) -> Option<Zeroizing<Vec<u8>>> {
    let split: Vec<(u8, &[u8])> =
        shares.iter().map(|share| share.split_last().map(|(x, ys)| (*x, ys))).collect::<Option<_>>()?;
    let (_, first) = split.first()?;
    let distinct = split.iter().enumerate().all(|(at, (x, _))| split[..at].iter().all(|(other, _)| other != x));
    if split.len() < 2 || !distinct || split.iter().any(|(x, ys)| *x == 0 || ys.len() != first.len()) {
        return None;
    }
    let mut secret = Zeroizing::new(vec![0; first.len()]);
    for (x, ys) in &split {
        let others = || split.iter().map(|(other, _)| *other).filter(|other| other != x);
        // Lagrange at 0, where subtraction is exclusive or: product of other / (other - x).
        let basis = others().fold(1, |product, other| multiply(product, multiply(other, invert(other ^ x))));
        for (byte, y) in secret.iter_mut().zip(*ys) {
            *byte ^= multiply(basis, *y);
        }
    }
    Some(secret)
}

/// Multiplication in Rijndael's field, without branches on the operands.
fn multiply(a: u8, b: u8) -> u8 {
    (0..8).rev().fold(0_u8, |sum, bit| {
        let doubled = (sum << 1) ^ ((sum >> 7).wrapping_neg() & 0x1B);
        doubled ^ ((b >> bit & 1).wrapping_neg() & a)
    })
}

/// a^254, which is 1/a.
fn invert(a: u8) -> u8 {
    (0..253).fold(a, |power, _| multiply(power, a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_threshold_of_the_shares_suffices_and_fewer_do_not() {
        let secret = b"0123456789abcdef0123456789abcdef";
        let shares = split(secret, 5, 3).expect("random bytes");
        for chosen in [[0, 1, 2], [4, 2, 0], [1, 3, 4]] {
            let some: Vec<_> = chosen.iter().map(|at: &usize| shares[*at].clone()).collect();
            assert_eq!(combine(&some).expect("fits").as_slice(), secret, "{chosen:?}");
        }
        assert_eq!(combine(&shares).expect("fits").as_slice(), secret, "all of them");
        assert_ne!(combine(&shares[..2]).expect("fits").as_slice(), secret, "one too few");
    }

    #[test]
    fn shares_that_do_not_fit_are_refused() {
        let share = |bytes: &[u8]| Zeroizing::new(bytes.to_vec());
        assert!(combine(&[]).is_none());
        assert!(combine(&[share(&[1, 1])]).is_none(), "a single one");
        assert!(combine(&[share(&[1, 1]), share(&[2, 1])]).is_none(), "the same x twice");
        assert!(combine(&[share(&[1, 1]), share(&[2, 2, 2])]).is_none(), "different lengths");
        assert!(combine(&[share(&[]), share(&[2])]).is_none(), "empty");
        assert!(split(b"x", 2, 3).is_err() && split(b"x", 3, 1).is_err());
    }
}
