//! What projects, branches, commits and reasons may be called: closed sets of characters, so that nothing that passes means
//! anything to a shell, a path of parameters, a build specification or a terminal.

/// `[a-z0-9][a-z0-9-]{0,62}`: a step of the registry's path.
#[must_use]
pub fn is_project(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| letter(byte) || byte == b'-')
        && text.bytes().next().is_some_and(letter)
}

/// Git's own rules (git-check-ref-format), narrowed to `[A-Za-z0-9._/-]{1,200}`.
#[must_use]
pub fn is_branch(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
    let part = |part: &str| {
        let file = part.rsplit_once('.').is_some_and(|(_, end)| end == "lock");
        !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !file
    };
    (1..=200).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with('-')
        && !text.contains("..")
        && text.split('/').all(part)
}

/// A whole object name, of SHA-1 or SHA-256.
#[must_use]
pub fn is_commit(text: &str) -> bool {
    [40, 64].contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// For people: letters, digits, spaces and `.,:_/#@+-=`.
#[must_use]
pub fn is_reason(text: &str) -> bool {
    text.len() <= 200 && text.bytes().all(is_of_reasons)
}

fn is_of_reasons(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" .,:_/#@+-=".contains(&byte)
}

/// A text made a reason: what stands in none becomes `_`.
#[must_use]
pub fn as_reason(text: &str) -> String {
    let plain = |letter: char| u8::try_from(letter).is_ok_and(is_of_reasons);
    text.chars().take(200).map(|letter| if plain(letter) { letter } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_are_small_letters_digits_and_dashes() {
        for name in ["a", "0", "petshop", "pet-shop-2", &"a".repeat(63)] {
            assert!(is_project(name), "{name}");
        }
        let bad = ["", "-a", "Petshop", "pet_shop", "pet.shop", "a/b", "../a", "a\n", "а", "pet shop", "a$(x)", "ａ"];
        for name in bad.into_iter().chain([&*"a".repeat(64)]) {
            assert!(!is_project(name), "{name:?}");
        }
    }

    #[test]
    fn branches_are_what_git_takes_and_a_shell_does_not_read() {
        for name in ["main", "release/2026.11", "feature/a-b_c", "a", "v1.lock.x", "-".repeat(0).as_str(), "x-"] {
            assert_eq!(is_branch(name), !name.is_empty(), "{name}");
        }
        let bad = [
            "-main",
            "--upload-pack=x",
            "/main",
            "main/",
            "a//b",
            "a..b",
            "a/../b",
            ".a",
            "a/.b",
            "a.",
            "a/b.",
            "a.lock",
            "a.lock/b",
            "a b",
            "a~1",
            "a^",
            "a:b",
            "a?b",
            "a*",
            "a[b",
            "a\\b",
            "a@{1}",
            "a\n",
            "a\0",
            "$(id)",
            "`id`",
            "a;b",
            "a&b",
            "a|b",
            "mаin",
            "ｍain",
            "main\u{202e}",
            "a\u{200b}",
        ];
        for name in bad.into_iter().chain([&*"a".repeat(201)]) {
            assert!(!is_branch(name), "{name:?}");
        }
    }

    #[test]
    fn commits_are_whole_and_reasons_mean_nothing_to_a_shell() {
        let [sha1, sha256] = [40, 64].map(|length| "0a".repeat(length / 2));
        assert!(is_commit(&sha1) && is_commit(&sha256));
        for text in ["", "HEAD", "abc1234", &sha1.to_uppercase(), &"g".repeat(40), &"0".repeat(41), &"٣".repeat(20)] {
            assert!(!is_commit(text), "{text}");
        }
        let plain = "by mara@example.com: CI run #12, a/b_c=1+2-3.";
        assert!(is_reason("") && is_reason(plain) && is_reason(&"x".repeat(200)));
        assert_eq!(as_reason(plain), plain);
        let odd = [
            "a\nb",
            "\u{1b}[2J",
            "grüße",
            "\u{7f}",
            "$(id)",
            "`id`",
            "a;b",
            "a|b",
            "a&b",
            "a>b",
            "it's",
            "\"",
            "\\",
            "(a)",
        ];
        for text in odd.into_iter().chain([&*"x".repeat(201)]) {
            assert!(!is_reason(text) && is_reason(&as_reason(text)), "{text:?}");
        }
        assert_eq!(as_reason("$(id) ö"), "__id_ _");
    }
}
