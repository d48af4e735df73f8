//! Fuzzy matching: which texts have the typed letters in their order, and how well.

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// What is typed, ready to be looked for in many texts. Several words must all be there, in any order.
pub(super) struct Fuzzy {
    pattern: Pattern,
    plain: bool,
    matcher: Matcher,
    buffer: Vec<char>,
}

impl Fuzzy {
    pub(super) fn new(text: &str) -> Self {
        Self {
            // Not `parse`: a name may begin with what is an operator there, such as `^` or `!`.
            pattern: Pattern::new(text, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy),
            plain: text.is_ascii(),
            matcher: Matcher::new(Config::DEFAULT),
            buffer: Vec::new(),
        }
    }

    /// How well a text matches; `None`: not at all. Nothing typed matches everything alike.
    pub(super) fn score(&mut self, text: &str) -> Option<u32> {
        self.pattern.score(Utf32Str::new(text, &mut self.buffer), &mut self.matcher)
    }

    /// About how well a text matches, for a fraction of the work: it is told apart from no match as [`Self::score`]
    /// tells it, but the letters are taken where they come first, not where they say most.
    pub(super) fn rough(&mut self, text: &str) -> Option<u32> {
        if !self.plain {
            return self.score(text);
        }
        // As the pattern sets it for each of its words while these are plain.
        (self.matcher.config.ignore_case, self.matcher.config.normalize) = (true, true);
        let text = Utf32Str::new(text, &mut self.buffer);
        let mut words = self.pattern.atoms.iter();
        words.try_fold(0, |sum, word| {
            self.matcher.fuzzy_match_greedy(text, word.needle_text()).map(|score| sum + u32::from(score))
        })
    }

    /// Which graphemes of a text match, in their order. Of a text with unusual marks they may be its neighbours.
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
        fn the_rough_score_finds_what_the_score_finds(text in "[a-cA-C/é ]{0,12}", typed in "[a-cA é]{0,4}") {
            let mut fuzzy = Fuzzy::new(&typed);
            prop_assert_eq!(fuzzy.rough(&text).is_some(), fuzzy.score(&text).is_some());
        }
    }
}
