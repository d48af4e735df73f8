//! Percentiles of any number of numbers in little memory, the same everywhere.
//!
//! A histogram whose buckets grow with the numbers, as DDSketch's with a linearly interpolated mapping (Masson, Rim, Lee:
//! "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019): each power of two has
//! 64 buckets, found from the bits of the number itself. So no logarithm is taken, which two processors may round in two
//! ways. A bucket is at most 1/64 wider than its lower end, and its middle at most 1/128 (0.8 %) from what is in it.

use std::collections::BTreeMap;

/// Of a number's 52 bits behind the point these are left out.
const DROPPED: u32 = 52 - 6;
/// A sketch has so many buckets; that is enough for numbers of which one is four thousand million times the other. Of more
/// the smallest ones become inaccurate.
const BUCKETS: usize = 2048;

/// What was counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Sketch {
    buckets: BTreeMap<i64, Bucket>,
    count: u64,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    count: u64,
    /// The one number that is in it; nothing when there are several.
    only: Option<f64>,
}

impl Sketch {
    pub(super) fn add(&mut self, number: f64) {
        self.count += 1;
        let bucket = self.buckets.entry(place(number)).or_insert(Bucket { count: 0, only: Some(number) });
        bucket.count += 1;
        if bucket.only != Some(number) {
            bucket.only = None;
        }
        if self.buckets.len() > BUCKETS {
            self.shrink();
        }
    }

    /// Puts the bucket of the smallest numbers into the next larger one of its sign.
    fn shrink(&mut self) {
        let smallest = self.buckets.keys().copied().min_by_key(|place| place.abs());
        let Some((place, gone)) = smallest.and_then(|place| Some((place, self.buckets.remove(&place)?))) else {
            return;
        };
        let next = if place < 0 {
            self.buckets.range_mut(..place).next_back()
        } else {
            self.buckets.range_mut(place..).next()
        };
        // The last one of its sign is put to the smallest of the other.
        let into = match next {
            Some((_, bucket)) => Some(bucket),
            None => self.buckets.iter_mut().min_by_key(|(place, _)| place.abs()).map(|(_, bucket)| bucket),
        };
        if let Some(into) = into {
            into.count += gone.count;
            into.only = None;
        }
    }

    /// The number at a percentile from 1 to 100: that of the rank `percentile * count / 100`, rounded up.
    pub(super) fn percentile(&self, percentile: u64) -> f64 {
        let rank = (u128::from(self.count) * u128::from(percentile)).div_ceil(100).max(1);
        let mut seen = 0_u128;
        for (place, bucket) in &self.buckets {
            seen += u128::from(bucket.count);
            if seen >= rank {
                return bucket.only.unwrap_or_else(|| middle(*place));
            }
        }
        0.0
    }
}

/// The bucket of a number: 0 of zero, else from 1 on, with the number's sign.
fn place(number: f64) -> i64 {
    if number == 0.0 {
        return 0;
    }
    let bits = i64::try_from(number.abs().to_bits() >> DROPPED).unwrap_or_default() + 1;
    if number < 0.0 { -bits } else { bits }
}

/// The middle of a bucket.
fn middle(place: i64) -> f64 {
    if place == 0 {
        return 0.0;
    }
    let lower = (place.unsigned_abs() - 1) << DROPPED;
    let middle = f64::from_bits(lower | 1 << (DROPPED - 1));
    if place < 0 { -middle } else { middle }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(numbers: &[f64]) -> Sketch {
        let mut sketch = Sketch::default();
        for number in numbers {
            sketch.add(*number);
        }
        sketch
    }

    fn exact(numbers: &[f64], percentile: usize) -> f64 {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[(sorted.len() * percentile).div_ceil(100).max(1) - 1]
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "a number alone in its bucket is told as it is")]
    fn what_is_alone_in_its_bucket_is_told_exactly() {
        let sketch = of(&[4.0, 4.0, 4.0, 9.0, 1.1]);
        assert_eq!([1, 50, 99].map(|percentile| sketch.percentile(percentile)), [1.1, 4.0, 9.0]);
        assert_eq!(of(&[-3.5, 0.0, 7.0]).percentile(50), 0.0);
        assert_eq!(of(&[-3.5, 0.0, 7.0]).percentile(1), -3.5);
        assert_eq!(of(&[f64::MAX, f64::MIN_POSITIVE / 2.0]).percentile(100), f64::MAX);
    }

    proptest! {
        #[test]
        fn a_percentile_is_within_one_percent(
            numbers in prop::collection::vec(prop_oneof![-1e6..1e6, Just(0.0), 1e-3..1e-2], 1..400),
            percentile in 1_usize..=100,
        ) {
            let (told, right) = (of(&numbers).percentile(percentile as u64), exact(&numbers, percentile));
            prop_assert!((told - right).abs() <= right.abs() * 0.01, "{told} and not {right}");
        }
    }

    #[test]
    fn memory_is_bounded_and_only_the_smallest_suffer() {
        // Over the whole range of what can be written: far more than all buckets together.
        let numbers: Vec<f64> = (0..200_000).map(|number| 10_f64.powf(f64::from(number) / 1000.0 - 100.0)).collect();
        let sketch = of(&numbers);
        assert!(sketch.buckets.len() <= BUCKETS);
        let (told, right) = (sketch.percentile(99), exact(&numbers, 99));
        assert!((told - right).abs() <= right * 0.01);
        let counted: u64 = sketch.buckets.values().map(|bucket| bucket.count).sum();
        assert_eq!(counted, 200_000);
    }
}
