//! Where an item is elsewhere: in AWS's own console, on the forge, on a command line.
//!
//! Pure: addresses are made from names, and nobody is asked whether they lead anywhere.
//!
//! AWS's console is at `https://<region>.console.aws.amazon.com`, in China at `https://<region>.console.amazonaws.cn`, and
//! in GovCloud at `https://<region>.console.amazonaws-us-gov.com`; below it
//!
//! | of | path |
//! |---|---|
//! | a parameter | `/systems-manager/parameters/<name, encoded twice>/description?region=<region>` |
//! | a secret | `/secretsmanager/secret?name=<name>&region=<region>` |
//! | a function | `/lambda/home?region=<region>#/functions/<name>`, its code with `?tab=code` |
//! | a stack | `/cloudformation/home?region=<region>#/stacks/stackinfo?stackId=<stack>` |
//! | another resource | `/cloudformation/home?region=<region>#/stacks/resources?stackId=<stack>&filteringText=<logical id>` |

mod aws;
mod forge;

pub(super) use aws::{Place, arn, command, console, name};
pub(super) use forge::commit;

/// A text as one argument of a POSIX shell.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    // A leading ~ or = means something to some shells.
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('=') {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_argument_is_quoted_where_a_shell_would_read_it_otherwise() {
        let rows = [
            ("/a/b-c_d.e", "/a/b-c_d.e"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(id)", "'$(id)'"),
            ("~root", "'~root'"),
            ("a\nb", "'a\nb'"),
            ("=ls", "'=ls'"),
        ];
        for (text, expected) in rows {
            assert_eq!(quoted(text), expected);
        }
    }

    proptest! {
        #[test]
        fn a_real_shell_gives_the_text_back(text in "[^\\x00]{0,40}") {
            let script = format!("printf %s {}", quoted(&text));
            let said = std::process::Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
            prop_assert_eq!(said.stdout, text.as_bytes());
        }
    }
}
