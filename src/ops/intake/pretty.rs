//! JSON over several lines with every number, name and escape as it came.
//!
//! A parser would round numbers and lose a name that stands twice; this one only puts spaces and line ends elsewhere.

/// The lines of a JSON text. A text that is no JSON comes out with all of its letters, however it is broken.
#[must_use]
pub fn lines(json: &str) -> Vec<String> {
    let mut out = Lines::default();
    let mut rest = json.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => {
                out.line.push(c);
                let mut escaped = false;
                for c in rest.by_ref() {
                    out.line.push(c);
                    match c {
                        '\\' if !escaped => escaped = true,
                        '"' if !escaped => break,
                        _ => escaped = false,
                    }
                }
            }
            '{' | '[' => {
                out.line.push(c);
                while rest.next_if(char::is_ascii_whitespace).is_some() {}
                let close = if c == '{' { '}' } else { ']' };
                if let Some(close) = rest.next_if_eq(&close) {
                    out.line.push(close);
                } else {
                    out.depth += 1;
                    out.end();
                }
            }
            '}' | ']' => {
                out.depth = out.depth.saturating_sub(1);
                out.end();
                out.line.push(c);
            }
            ',' => {
                out.line.push(c);
                out.end();
            }
            ':' => out.line.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.line.push(c),
        }
    }
    out.end();
    out.done
}

#[derive(Default)]
struct Lines {
    done: Vec<String>,
    line: String,
    depth: usize,
}

impl Lines {
    /// Ends a line, and begins the next one with its spaces.
    fn end(&mut self) {
        let line = std::mem::replace(&mut self.line, "  ".repeat(self.depth.min(64)));
        if !line.trim().is_empty() {
            self.done.push(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_digit_and_every_name_is_kept() {
        let text = r#"{"a":1.0000000000000000000000000001,"a":[],"b" : { },"c":[1,{"d":"x, {\"y\"}: \\"}],"e":1E+400}"#;
        let expected = [
            "{",
            "  \"a\": 1.0000000000000000000000000001,",
            "  \"a\": [],",
            "  \"b\": {},",
            "  \"c\": [",
            "    1,",
            "    {",
            r#"      "d": "x, {\"y\"}: \\""#,
            "    }",
            "  ],",
            "  \"e\": 1E+400",
            "}",
        ];
        assert_eq!(lines(text), expected);
        assert_eq!(lines(""), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn nothing_but_space_is_added_or_lost(text in "[\\[\\]{}:,\"\\\\ a1\n]{0,40}") {
            let bare = |text: &str| text.chars().filter(|c| !c.is_ascii_whitespace()).collect::<String>();
            prop_assert_eq!(bare(&lines(&text).concat()), bare(&text));
        }
    }
}
