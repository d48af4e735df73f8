//! What GitHub makes of an `if`, as far as these workflows use its expressions: strings, comparisons, and, or, not.

/// Whether a condition holds; `value` is what a context has by a name, empty where there is nothing.
pub fn holds(text: &str, value: &dyn Fn(&str) -> String) -> bool {
    let text = text.trim();
    let inner = text.strip_prefix("${{").and_then(|text| text.strip_suffix("}}")).unwrap_or(text);
    let mut reader = Reader { rest: inner.trim(), value };
    let found = reader.any();
    assert_eq!(reader.rest, "", "what is this in {text}?");
    !found.is_empty()
}

/// Every value is a text here; the empty one is false.
struct Reader<'a> {
    rest: &'a str,
    value: &'a dyn Fn(&str) -> String,
}

impl Reader<'_> {
    fn eats(&mut self, word: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(word) else { return false };
        self.rest = rest.trim_start();
        true
    }

    fn any(&mut self) -> String {
        let mut found = self.all();
        while self.eats("||") {
            let other = self.all();
            if found.is_empty() {
                found = other;
            }
        }
        found
    }

    fn all(&mut self) -> String {
        let mut found = self.compared();
        while self.eats("&&") {
            let other = self.compared();
            if !found.is_empty() {
                found = other;
            }
        }
        found
    }

    fn compared(&mut self) -> String {
        let one = self.term();
        let wanted = if self.eats("==") {
            true
        } else if self.eats("!=") {
            false
        } else {
            return one;
        };
        told(one.eq_ignore_ascii_case(&self.term()) == wanted)
    }

    fn term(&mut self) -> String {
        if self.eats("!") {
            return told(self.term().is_empty());
        }
        if self.eats("(") {
            let found = self.any();
            assert!(self.eats(")"), "no end before {}", self.rest);
            return found;
        }
        if let Some(rest) = self.rest.strip_prefix('\'') {
            let (text, rest) = rest.split_once('\'').unwrap();
            self.rest = rest.trim_start();
            return text.to_owned();
        }
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
        let (name, rest) = self.rest.split_at(self.rest.find(|letter| !is_name(letter)).unwrap_or(self.rest.len()));
        assert!(!name.is_empty(), "what is {}?", self.rest);
        self.rest = rest.trim_start();
        if self.eats("(") {
            assert!(name == "cancelled" && self.eats(")"), "what does {name} do?");
            return told(false);
        }
        (self.value)(name)
    }
}

fn told(is: bool) -> String {
    if is { "true".to_owned() } else { String::new() }
}

#[test]
fn conditions_are_read_as_github_reads_them() {
    let value = |name: &str| if name == "inputs.there" { "x".to_owned() } else { String::new() };
    for (text, expected) in [
        ("${{ inputs.there }}", true),
        ("${{ inputs.none }}", false),
        ("inputs.none || inputs.there", true),
        ("inputs.none && inputs.there", false),
        ("!(inputs.none || inputs.there)", false),
        ("inputs.there == 'X'", true),
        ("inputs.there != 'x'", false),
        ("inputs.none == '' && !cancelled()", true),
    ] {
        assert_eq!(holds(text, &value), expected, "{text}");
    }
}
