//! Where a repository is: an https:// or ssh:// URL, git's short form of the latter, and of this machine only where that is
//! asked for.

use std::fmt;

/// A repository's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) url: String,
    pub(super) way: Way,
}

/// How it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// By HTTP; over TLS, but on this machine.
    Http,
    /// By SSH to this host and port.
    Ssh { host: String, port: u16 },
    /// A directory.
    File,
}

impl Place {
    /// Reads an address; `local` allows those of this machine.
    pub(super) fn read(text: &str, local: bool) -> Result<Self, &'static str> {
        let plain = !text.is_empty() && text.len() <= 1000 && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain || text.contains(['?', '#', '\\', '%', '\'', '"']) {
            return Err("the registry's `repository` has what no such URL needs");
        }
        let place = |way| Ok(Self { url: text.to_owned(), way });
        let here = "the registry's `repository` is one of this machine, and PLUMB_LOCAL=1 is not set";
        if let Some(rest) = text.strip_prefix("https://") {
            return if host_and_path(rest).is_some() { place(Way::Http) } else { Err(NO_URL) };
        }
        if let Some(rest) = text.strip_prefix("http://") {
            let (host, _) = host_and_path(rest).ok_or(NO_URL)?;
            let loopback = host == "127.0.0.1" || host.starts_with("127.0.0.1:");
            return match (loopback, local) {
                (true, true) => place(Way::Http),
                (true, false) => Err(here),
                (false, _) => Err("the registry's `repository` is reached without encryption: use https://"),
            };
        }
        if let Some(path) = text.strip_prefix("file://") {
            return if local && path.starts_with('/') { place(Way::File) } else { Err(here) };
        }
        if let Some(rest) = text.strip_prefix("ssh://") {
            let (authority, _) = rest.split_once('/').ok_or(NO_URL)?;
            let host = authority.split_once('@').map_or(Some(authority), |(user, host)| is_name(user).then_some(host));
            let host = host.ok_or(NO_URL)?;
            let (host, port) = match host.split_once(':') {
                Some((host, port)) => (host, port.parse().map_err(|_| NO_URL)?),
                None => (host, 22),
            };
            return if is_name(host) { place(Way::Ssh { host: host.to_owned(), port }) } else { Err(NO_URL) };
        }
        let (authority, path) = text.split_once(':').ok_or(NO_URL)?;
        let (user, host) = authority.split_once('@').ok_or(NO_URL)?;
        let right = is_name(user) && is_name(host) && !path.is_empty() && !path.starts_with(['-', '/', ':']);
        if right { place(Way::Ssh { host: host.to_owned(), port: 22 }) } else { Err(NO_URL) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

const NO_URL: &str = "the registry's `repository` is no https:// or ssh:// URL and no git@host:path";

/// The host, with its port, and what follows; none of a URL with a user in it, which may be a token.
fn host_and_path(rest: &str) -> Option<(&str, &str)> {
    let (authority, path) = rest.split_once('/')?;
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let right = is_name(host) && port.parse::<u16>().is_ok() && !path.is_empty() && !path.contains('@');
    right.then_some((authority, path))
}

fn is_name(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_reached_by_tls_or_ssh_and_on_this_machine_when_asked() {
        let ssh = |host: &str, port| Way::Ssh { host: host.to_owned(), port };
        let cases = [
            ("https://github.com/shop/petshop.git", Way::Http),
            ("https://git.example:8443/a/b", Way::Http),
            ("ssh://git@git.example/a/b.git", ssh("git.example", 22)),
            ("ssh://git.example:2222/a", ssh("git.example", 2222)),
            ("git@github.com:shop/petshop.git", ssh("github.com", 22)),
        ];
        for (text, way) in cases {
            assert_eq!(Place::read(text, false).map(|place| place.way), Ok(way), "{text}");
        }
        for text in ["file:///srv/shop.git", "http://127.0.0.1:4000/shop.git"] {
            assert!(Place::read(text, true).is_ok() && Place::read(text, false).is_err(), "{text}");
        }
    }

    #[test]
    fn whatever_else_is_no_repository() {
        let bad = [
            "",
            "petshop",
            "/srv/shop.git",
            "../shop",
            "http://github.com/shop",
            "http://127.0.0.1.evil.example/x",
            "http://127.0.0.1@evil.example/x",
            "https://me:hunter2@github.com/shop",
            "https://hunter2@github.com/shop",
            "https://github.com",
            "https:///x",
            "https://-x/y",
            "ext::sh -c id",
            "ext::sh",
            "git://host/x",
            "ftp://host/x",
            "git@host:-x",
            "git@host:",
            "-oProxyCommand=id@host:x",
            "git@-oProxyCommand=id:x",
            "ssh://-oProxyCommand=id/x",
            "ssh://git@host:22x/y",
            "https://host/x?y",
            "https://host/x#y",
            "https://host/x y",
            "https://host/\u{202e}x",
            "file://host/x",
            "https://host/a%2e",
            "https://host\\@evil/x",
        ];
        for text in bad {
            let why = Place::read(text, true).unwrap_err();
            assert!(!why.contains("hunter2"), "{text}");
        }
    }
}
