//! JUnit's XML, as CI systems read it: a suite of cases, each passed, failed, in error or skipped.

use std::fmt::Write as _;

use super::smoke::told;
use crate::ops::crypto::smoke::{Line, Verdict};
use crate::visible::visible;

/// The whole document.
pub(super) fn document(environment: &str, lines: &[Line]) -> String {
    let count = |word: &str| lines.iter().filter(|line| line.verdict.word() == word).count();
    let time: f64 = lines.iter().map(|line| line.took.as_secs_f64()).sum();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"plumb crypto smoke: {}\" tests=\"{}\" \
         failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{time:.3}\">\n",
        escaped(environment),
        lines.len(),
        count("failed"),
        count("error"),
        count("unproven")
    );
    for line in lines {
        let (name, time) = (escaped(line.check.name()), line.took.as_secs_f64());
        let element = match line.verdict {
            Verdict::Passed => "system-out",
            Verdict::Failed { .. } => "failure",
            Verdict::Error(_) => "error",
            Verdict::Unproven(_) => "skipped",
        };
        let told = escaped(&told(line));
        let inner = match (element, told.as_str()) {
            ("system-out", "") => String::new(),
            ("system-out", told) => format!("<system-out>{told}</system-out>"),
            (element, told) => format!("<{element} message=\"{told}\"/>"),
        };
        // Writing into a String cannot fail.
        let _ = writeln!(xml, "  <testcase classname=\"crypto\" name=\"{name}\" time=\"{time:.3}\">{inner}</testcase>");
    }
    xml.push_str("</testsuite>\n");
    xml
}

/// Text in an element or an attribute; XML has no way to write control characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in visible(text).chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ops::crypto::smoke::Check;

    #[test]
    fn what_is_told_cannot_leave_its_attribute() {
        let verdict = Verdict::Failed { expected: "\"<a>&".into(), got: "\u{1b}[m".into() };
        let request_id = Some("r-1".to_owned());
        let took = Duration::from_millis(1500);
        let line = Line { check: Check::Tampered, verdict, took, key_version: None, request_id, latency: None };
        let xml = document("prod", &[line]);
        assert!(xml.contains("tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"1.500\""), "{xml}");
        let told = "message=\"expected &quot;&lt;a&gt;&amp;, got \u{241b}[m (request r-1)\"/>";
        assert!(xml.contains(told), "{xml}");
    }
}
