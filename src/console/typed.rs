//! A text field whose text may be a plaintext: no copy of it stays behind, whatever is typed, and no `Debug` shows it.

use std::fmt;

use zeroize::Zeroizing;

use crate::secret::MASK;

/// The most bytes that are typed or pasted; more comes from a file, on the command line.
pub(super) const LARGEST: usize = 64 * 1024;

/// What is typed.
#[derive(Default)]
pub struct Typed(Zeroizing<String>);

impl Typed {
    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Adds a text at its end; false: there is no room for it, and it is as it was.
    pub(super) fn add(&mut self, text: &str) -> bool {
        let fits = self.0.len() + text.len() <= LARGEST;
        if fits {
            self.make_room(text.len());
            self.0.push_str(text);
        }
        fits
    }

    /// Puts a text in its place; false as above.
    pub(super) fn set(&mut self, text: &str) -> bool {
        let fits = text.len() <= LARGEST;
        if fits {
            *self = Self::default();
            self.add(text);
        }
        fits
    }

    /// Lets a key change it, by a character at most.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut String)) {
        self.make_room(8);
        change(&mut self.0);
    }

    /// A String that grows by itself leaves what it had where it was.
    fn make_room(&mut self, more: usize) {
        let needed = self.0.len() + more;
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(String::with_capacity(needed.next_power_of_two().max(64)));
            larger.push_str(&self.0);
            self.0 = larger;
        }
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_what_fits_and_shows_nothing_of_it() {
        let mut typed = Typed::default();
        for c in "the pin is 4711".chars() {
            typed.change(|text| text.push(c));
        }
        assert_eq!(typed.text(), "the pin is 4711");
        assert_eq!(format!("{typed:?}"), MASK);
        assert!(!typed.add(&"x".repeat(LARGEST)) && typed.text() == "the pin is 4711");
        assert!(typed.set(&"x".repeat(LARGEST)) && typed.text().len() == LARGEST);
    }

    #[test]
    fn it_never_grows_in_place() {
        let mut typed = Typed::default();
        for _ in 0..1000 {
            let before = typed.0.capacity();
            typed.make_room(8);
            let room = typed.0.capacity();
            typed.change(|text| text.push('x'));
            assert!(room == typed.0.capacity() && room - typed.0.len() + 1 >= 4 && (room == before || room >= 64));
        }
    }
}
