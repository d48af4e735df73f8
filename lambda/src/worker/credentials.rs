//! What opens a repository: a token for HTTPS, or a key for SSH together with the host keys that are trusted.
//!
//! Neither has a `Debug` that shows anything, and an error says which field is wrong and nothing of it.

use std::fmt;

use base64_simd::STANDARD;
use zeroize::Zeroizing;

use super::place::{Place, Way};
use crate::json;

/// A secret's content.
pub(super) enum Credentials {
    /// For HTTPS.
    Token { token: Zeroizing<String>, username: String },
    /// For SSH.
    Key { private_key: Zeroizing<String>, known_hosts: String },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Token { .. }) { "Token(..)" } else { "Key(..)" })
    }
}

impl Credentials {
    /// Reads `{"token","username"?}` or `{"private_key","known_hosts"}`.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        let fields = json::object(text, 2).map_err(|_| "it is no JSON object of one or two fields")?;
        let field = |name: &str| {
            let value = fields.iter().find(|(found, _)| found.as_str() == name).map(|(_, value)| json::string(value));
            value.transpose().map_err(|_| "a field is no text")
        };
        let (token, username) = (field("token")?, field("username")?);
        let (private_key, known_hosts) = (field("private_key")?, field("known_hosts")?);
        let plain = |text: &str| text.len() >= 4 && text.bytes().all(|byte| byte.is_ascii_graphic());
        match (token, username, private_key, known_hosts) {
            (Some(token), username, None, None) if fields.len() == 1 + usize::from(username.is_some()) => {
                let username = username.map_or_else(|| "x-access-token".to_owned(), |name| name.to_string());
                let right = plain(&token) && !username.is_empty() && !username.contains(':');
                if right { Ok(Self::Token { token, username }) } else { Err("its `token` or `username` is none") }
            }
            (None, None, Some(key), Some(known)) if key.contains("PRIVATE KEY-----") && !known.trim().is_empty() => {
                Ok(Self::Key { private_key: key, known_hosts: known.to_string() })
            }
            (None, None, Some(_), None) => Err("a `private_key` needs `known_hosts`, the lines of ssh-keyscan"),
            _ => Err("it has neither `token` nor `private_key` with `known_hosts`"),
        }
    }

    /// Whether it is for such a repository: a token is sent over TLS or on this machine, a key is for SSH.
    pub(super) fn fits(&self, place: &Place) -> Result<(), &'static str> {
        match (self, &place.way) {
            (Self::Token { .. }, Way::Http) | (Self::Key { .. }, Way::Ssh { .. }) => Ok(()),
            (Self::Token { .. }, _) => Err("it has a token, and the repository is not reached by https://"),
            (Self::Key { .. }, _) => Err("it has a key for SSH, and the repository is not reached so"),
        }
    }

    /// What no output may show.
    pub(super) fn secrets(self: &std::sync::Arc<Self>) -> Vec<Zeroizing<String>> {
        match &**self {
            Self::Token { token, username } => {
                // As HTTP's basic authentication has it.
                let pair = Zeroizing::new(format!("{username}:{}", token.as_str()));
                vec![token.clone(), Zeroizing::new(STANDARD.encode_to_string(pair.as_bytes()))]
            }
            Self::Key { private_key, .. } => {
                let lines = private_key.lines().map(str::trim);
                let lines = lines.filter(|line| line.len() >= 8 && !line.starts_with("-----"));
                lines.map(|line| Zeroizing::new(line.to_owned())).collect()
            }
        }
    }
}

/// Whether a server's host key is one that is trusted for this host and port, by lines as known_hosts has them. A line of a
/// certificate authority trusts nothing here; a hashed name names nobody.
pub(super) fn is_pinned(known_hosts: &str, host: &str, port: u16, key: &[u8]) -> Result<(), &'static str> {
    let own = if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") };
    let (mut of_host, mut trusted) = (false, false);
    for line in known_hosts.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = line.split_ascii_whitespace().peekable();
        let marker = words.next_if(|word| word.starts_with('@'));
        let (hosts, encoded) = (words.next().unwrap_or_default(), words.nth(1).unwrap_or_default());
        let named = hosts.split(',').any(|name| name.eq_ignore_ascii_case(&own));
        let same = STANDARD.decode_to_vec(encoded).is_ok_and(|known| known == key);
        if marker == Some("@revoked") && same {
            return Err("the server's key is revoked in the secret's `known_hosts`");
        }
        of_host |= named && marker.is_none();
        trusted |= named && marker.is_none() && same;
    }
    match (trusted, of_host) {
        (true, _) => Ok(()),
        (false, true) => {
            Err("the server's key is not the one in the secret's `known_hosts`; ssh-keyscan prints all of them")
        }
        (false, false) => Err("the secret's `known_hosts` has no key of this host; hashed names are not read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\\nAAAAhunter2hunter2\\n-----END OPENSSH PRIVATE KEY-----\\n";

    #[test]
    fn a_token_or_a_key_with_pinned_hosts_and_nothing_else() {
        let token = Credentials::read(r#"{"token":"hunter2hunter2"}"#).unwrap();
        let Credentials::Token { username, .. } = &token else { panic!("{token:?}") };
        assert_eq!(username, "x-access-token");
        assert!(Credentials::read(r#"{"token":"hunter2","username":"mara"}"#).is_ok());
        let key =
            Credentials::read(&format!(r#"{{"private_key":"{KEY}","known_hosts":"h ssh-ed25519 AAAA"}}"#)).unwrap();
        assert_eq!(format!("{token:?} {key:?}"), "Token(..) Key(..)");
        let bad = [
            "hunter2",
            "{}",
            r#"{"token":1}"#,
            r#"{"token":"hunter2\n"}"#,
            r#"{"token":"abc"}"#,
            r#"{"token":"hunter2","known_hosts":"x"}"#,
            r#"{"token":"hunter2","url":"x"}"#,
            r#"{"token":"hunter2","username":"a:b"}"#,
            r#"{"token":"hunter2","token":"hunter3"}"#,
            r#"{"private_key":"hunter2","known_hosts":"x"}"#,
        ];
        for text in bad.map(str::to_owned).into_iter().chain([format!(r#"{{"private_key":"{KEY}"}}"#)]) {
            let why = Credentials::read(&text).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn a_token_goes_to_https_and_a_key_to_ssh() {
        let token = Credentials::read(r#"{"token":"hunter2"}"#).unwrap();
        for (text, fits) in
            [("https://h/x", true), ("http://127.0.0.1:1/x", true), ("git@h:x", false), ("file:///x", false)]
        {
            assert_eq!(token.fits(&Place::read(text, true).unwrap()).is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn only_a_pinned_host_key_is_trusted() {
        let (own, other) = (b"\0\0\0\x0bssh-ed25519own".as_slice(), b"\0\0\0\x0bssh-ed25519other".as_slice());
        let line =
            |hosts: &str, key: &[u8]| format!("{hosts} ssh-ed25519 {} comment\n", STANDARD.encode_to_string(key));
        let lines =
            ["# github.com:22 SSH-2.0\n".to_owned(), line("elsewhere", other), line("Git.example,10.0.0.1", own)]
                .concat();
        assert_eq!(is_pinned(&lines, "git.example", 22, own), Ok(()));
        let cases = [
            ("another key", lines.clone(), "git.example", 22, other, "not the one"),
            ("another host's key", line("elsewhere", own), "git.example", 22, own, "no key of this host"),
            ("another port", lines.clone(), "git.example", 2222, own, "no key of this host"),
            ("nothing pinned", String::new(), "git.example", 22, own, "no key of this host"),
            ("hashed", line("|1|c2FsdA==|aGFzaA==", own), "git.example", 22, own, "no key of this host"),
            ("an authority", line("@cert-authority git.example", own), "git.example", 22, own, "no key of this host"),
            ("revoked", format!("{}{lines}", line("@revoked git.example", own)), "git.example", 22, own, "revoked"),
            ("a part of the name", line("git.example.evil", own), "git.example", 22, own, "no key of this host"),
            ("no base64", "git.example ssh-ed25519 !!".into(), "git.example", 22, own, "not the one"),
        ];
        for (name, lines, host, port, key, expected) in cases {
            let why = is_pinned(&lines, host, port, key).unwrap_err();
            assert!(why.contains(expected), "{name}: {why}");
        }
        assert_eq!(is_pinned(&line("[git.example]:2222", own), "git.example", 2222, own), Ok(()));
    }
}
