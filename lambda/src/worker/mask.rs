//! Output without secrets: each is replaced wherever it stands, also where it comes in pieces.
//!
//! Pure. What might be the beginning of a secret is held back until the next piece shows whether it is.

use zeroize::Zeroizing;

/// What stands in a secret's place.
const STARS: &[u8] = b"***";
/// A text that is shorter would be found everywhere.
const SHORTEST: usize = 4;

/// What must not be shown.
pub type Secrets = Vec<Zeroizing<String>>;

/// AWS's secrets that the command finds in variables, whether the worker itself uses them or not.
#[must_use]
pub fn of_environment() -> Secrets {
    let names = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    names.iter().filter_map(|name| std::env::var(name).ok()).map(Zeroizing::new).collect()
}

/// One stream's filter.
pub struct Mask {
    /// The longest first, so that of two that begin alike the whole one goes.
    secrets: Vec<Zeroizing<Vec<u8>>>,
    held: Zeroizing<Vec<u8>>,
}

impl Mask {
    /// Of these secrets.
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        let long = secrets.iter().filter(|secret| secret.len() >= SHORTEST);
        let mut secrets: Vec<_> = long.map(|secret| Zeroizing::new(secret.as_bytes().to_vec())).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets, held: Zeroizing::new(Vec::new()) }
    }

    /// A piece in, what may be shown of it and of what was held back out.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(piece);
        self.drain(false)
    }

    /// What is left at the end.
    pub fn finish(&mut self) -> Vec<u8> {
        self.drain(true)
    }

    fn drain(&mut self, end: bool) -> Vec<u8> {
        let (mut shown, mut at) = (Vec::new(), 0);
        while let Some(rest) = self.held.get(at..).filter(|rest| !rest.is_empty()) {
            let open = |secret: &[u8]| secret.len() > rest.len() && secret.starts_with(rest);
            if !end && self.secrets.iter().any(|secret| open(secret)) {
                break;
            }
            if let Some(secret) = self.secrets.iter().find(|secret| rest.starts_with(secret)) {
                shown.extend_from_slice(STARS);
                at += secret.len();
            } else {
                shown.extend(rest.first());
                at += 1;
            }
        }
        let left = self.held.get(at..).unwrap_or_default().to_vec();
        self.held = Zeroizing::new(left);
        shown
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Pieces<'a> = &'a [&'a [u8]];

    fn shown(secrets: &[&str], pieces: Pieces<'_>) -> String {
        let secrets = secrets.iter().map(|secret| Zeroizing::new((*secret).to_owned())).collect();
        let mut mask = Mask::new(&secrets);
        let mut all: Vec<u8> = pieces.iter().flat_map(|piece| mask.push(piece)).collect();
        all.extend(mask.finish());
        String::from_utf8_lossy(&all).into_owned()
    }

    #[test]
    fn a_secret_is_replaced_wherever_it_stands() {
        let cases: [(&[&str], Pieces<'_>, &str); 9] = [
            (&["hunter2"], &[b"a hunter2 b"], "a *** b"),
            (&["hunter2"], &[b"a hun", b"ter2 b"], "a *** b"),
            (&["hunter2"], &[b"h", b"u", b"n", b"t", b"e", b"r", b"2"], "***"),
            (&["hunter2"], &[b"hunhunter2hunter2"], "hun******"),
            (&["hunter2"], &[b"hunter"], "hunter"),
            (&["hunter2", "hunter2-long"], &[b"hunter2", b"-long hunter2-lo"], "*** ***-lo"),
            (&["aaaa"], &[b"aaaaa"], "***a"),
            (&["abc"], &[b"abc"], "abc"),
            (&[], &[b"abc"], "abc"),
        ];
        for (secrets, pieces, expected) in cases {
            assert_eq!(shown(secrets, pieces), expected, "{pieces:?}");
        }
    }

    #[test]
    fn what_cannot_become_a_secret_is_shown_at_once() {
        let mut mask = Mask::new(&vec![Zeroizing::new("hunter2".to_owned())]);
        assert_eq!(mask.push(b"ready h"), b"ready ");
        assert_eq!(mask.push(b"ello"), b"hello");
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_same_is_shown_and_no_secret(text in "[abx]{0,60}", cuts in prop::collection::vec(0..60usize, 0..8)) {
            let secrets = ["abab", "babba", "ababab"];
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut <= text.len()).collect();
            cuts.sort_unstable();
            let (mut pieces, mut from) = (Vec::new(), 0);
            for cut in cuts {
                pieces.push(&text.as_bytes()[from..cut]);
                from = cut;
            }
            pieces.push(&text.as_bytes()[from..]);
            let whole = shown(&secrets, &[text.as_bytes()]);
            prop_assert_eq!(&shown(&secrets, &pieces), &whole);
            prop_assert!(secrets.iter().all(|secret| !whole.contains(secret)));
        }
    }
}
