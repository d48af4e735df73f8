//! Fuzzy matching: which texts have the typed letters in their order, and how well.

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// What is typed, ready to be looked for in many texts. Several words must all be there, in any order.
pub(super) struct Fuzzy {
    pattern: Pattern,
    matcher: Matcher,
    buffer: Vec<char>,
}

impl Fuzzy {
    pub(super) fn new(text: &str) -> Self {
        Self {
            // Not `parse`: a name may begin with what is an operator there, such as `^` or `!`.
            pattern: Pattern::new(text, CaseMatching::Smart, Normalization::Smart, AtomKind::Fuzzy),
            matcher: Matcher::new(Config::DEFAULT),
            buffer: Vec::new(),
        }
    }

    /// How well a text matches; `None`: not at all. Nothing typed matches everything alike.
    pub(super) fn score(&mut self, text: &str) -> Option<u32> {
        self.pattern.score(Utf32Str::new(text, &mut self.buffer), &mut self.matcher)
    }

    /// Which graphemes of a text match, in their order.
    pub(super) fn places(&mut self, text: &str) -> Vec<usize> {
        let mut places = Vec::new();
        let _ = self.pattern.indices(Utf32Str::new(text, &mut self.buffer), &mut self.matcher, &mut places);
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|place| usize::try_from(place).ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation;

    use super::*;

    #[test]
    fn letters_in_their_order_match_and_words_in_any() {
        let rows = [
            ("pool", "/checkout/prod/db/pool_size", true),
            ("chkpool", "/checkout/prod/db/pool_size", true),
            ("pool check", "/checkout/prod/db/pool_size", true),
            ("loop", "/checkout/prod/db/pool_size", false),
            ("", "anything", true),
            ("!x", "/a/!x", true),
            ("é", "café", true),
        ];
        for (typed, text, matches) in rows {
            assert_eq!(Fuzzy::new(typed).score(text).is_some(), matches, "{typed} in {text}");
        }
    }

    #[test]
    fn a_word_s_beginning_counts_more_than_its_middle() {
        let mut fuzzy = Fuzzy::new("ref");
        assert!(fuzzy.score("refresh") > fuzzy.score("the preface"));
    }

    proptest! {
        #[test]
        fn matched_places_are_graphemes_of_the_text(text in "\\PC{0,20}", typed in "[a-z]{0,3}") {
            let mut fuzzy = Fuzzy::new(&typed);
            let count = text.graphemes(true).count();
            prop_assert!(fuzzy.places(&text).iter().all(|&place| place < count));
        }
    }
}
