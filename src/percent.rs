//! Percent-encoding (RFC 3986): a text as one part of a URL's path or query, or as a value of a form.

use std::fmt::Write as _;

/// All but what is never special is a percent and two digits.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_of_a_value_is_read_as_another_field() {
        assert_eq!(encoded(r#"{"a":"b&c=d+e f"}é"#), "%7B%22a%22%3A%22b%26c%3Dd%2Be%20f%22%7D%C3%A9");
        assert_eq!(encoded("aZ09-._~"), "aZ09-._~");
    }

    proptest! {
        #[test]
        fn what_means_something_in_an_address_is_gone(text in any::<String>()) {
            prop_assert!(encoded(&text).bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>#?&/ ".contains(&byte)));
        }
    }
}
