//! The nearest valid name, for whoever mistyped one.

/// The candidate that was most likely meant, when one is near enough to say so.
pub(super) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (likeness(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

/// Jaro-Winkler likes common beginnings; two swapped or missing letters in a short word it does not forgive,
/// so the better of two measures counts.
fn likeness(word: &str, candidate: &str) -> f64 {
    let slips = strsim::damerau_levenshtein(word, candidate);
    let close = slips <= if word.chars().count() > 5 { 2 } else { 1 };
    let winkler = strsim::jaro_winkler(word, candidate);
    if close { winkler.max(0.9) } else { winkler }
}

/// "did you mean …", or all that there is.
pub(super) fn suggestion<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str> + Clone) -> String {
    nearest(word, candidates.clone()).map_or_else(
        || format!("there are: {}", candidates.into_iter().collect::<Vec<_>>().join(", ")),
        |name| format!("did you mean \"{name}\"?"),
    )
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not_offered() {
        let names = ["profile", "write_profile", "region", "endpoint_url", "ref", "env"];
        for (typed, meant) in [
            ("regoin", Some("region")),
            ("Region", Some("region")),
            ("endpoint", Some("endpoint_url")),
            ("rfe", Some("ref")),
            ("evn", Some("env")),
            ("colour", None),
        ] {
            assert_eq!(nearest(typed, names), meant, "{typed}");
        }
    }
}
