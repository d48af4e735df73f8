//! A repository, and the API that knows it: github.com's, that of GitHub Enterprise Cloud (`*.ghe.com`), a server's own.

use crate::http::is_safe;

/// A repository, and where its API is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The API's base URL: `https://api.github.com`.
    pub api: String,
    /// `owner/name`.
    pub name: String,
}

impl Repository {
    /// By the API's base URL and `owner/name`; an error says what is wrong with which.
    pub fn at(api: &str, name: &str) -> Result<Self, String> {
        let api = api.trim_end_matches('/');
        is_safe(api).map_err(|why| format!("{api} is no API of GitHub: {why}"))?;
        let parts = name.split_once('/').filter(|(owner, name)| is_name(owner) && is_name(name));
        parts.ok_or_else(|| format!("{name} is no repository: write owner/name"))?;
        Ok(Self { api: api.to_owned(), name: name.to_owned() })
    }

    /// Of a remote's URL, an address in a browser, or one of the API below the repository.
    #[must_use]
    pub fn of(address: &str) -> Option<Self> {
        let address = address.trim();
        let (scheme, host, path) = match address.split_once("://") {
            Some(("ssh", rest)) => {
                let (authority, path) = rest.split_once('/')?;
                let host = authority.rsplit('@').next()?;
                ("https", host.split(':').next()?, path)
            }
            Some((scheme, rest)) => {
                let (authority, path) = rest.split_once('/')?;
                // A name, or a password that somebody left in a remote's URL, goes nowhere.
                (scheme, authority.rsplit('@').next()?, path)
            }
            None => {
                let (authority, path) = address.split_once(':')?;
                ("https", authority.rsplit('@').next()?, path)
            }
        };
        let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
        let is_server = parts.peek() == Some(&"api");
        if is_server && (parts.next(), parts.next()) != (Some("api"), Some("v3")) {
            return None;
        }
        if (is_server || host.starts_with("api.")) && parts.next() != Some("repos") {
            return None;
        }
        let (owner, name) = (parts.next()?, parts.next()?);
        if parts.next().is_some_and(|part| part != "contents") {
            return None;
        }
        let api = match host {
            _ if host.starts_with("api.") => format!("{scheme}://{host}"),
            "github.com" | "www.github.com" | "ssh.github.com" => format!("{scheme}://api.github.com"),
            _ if host.ends_with(".ghe.com") => format!("{scheme}://api.{host}"),
            _ => format!("{scheme}://{host}/api/v3"),
        };
        Self::at(&api, &format!("{owner}/{}", name.strip_suffix(".git").unwrap_or(name))).ok()
    }

    /// The host that a person signs in at: `github.com`.
    #[must_use]
    pub fn host(&self) -> &str {
        let authority = self.api.split_once("://").map_or(&*self.api, |(_, rest)| rest);
        let host = authority.split('/').next().unwrap_or_default();
        host.strip_prefix("api.").unwrap_or(host)
    }

    /// The address that a person has it at, by which [`Self::of`] finds it again; `None`: its API lies where no address tells.
    #[must_use]
    pub fn page(&self) -> Option<String> {
        let scheme = self.api.split_once("://").map_or("https", |(scheme, _)| scheme);
        let page = format!("{scheme}://{}/{}", self.host(), self.name);
        Self::of(&page).filter(|found| found == self).map(|_| page)
    }

    /// Whether GitHub itself runs it, and not somebody's own server.
    #[must_use]
    pub fn is_cloud(&self) -> bool {
        self.host() == "github.com" || self.host().ends_with(".ghe.com")
    }
}

fn is_name(text: &str) -> bool {
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.bytes().all(usual) && !text.bytes().all(|byte| byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_found_by_each_of_its_addresses() {
        for (address, api, host) in [
            ("https://github.com/shop/petshop", "https://api.github.com", "github.com"),
            ("git@github.com:shop/petshop.git", "https://api.github.com", "github.com"),
            ("ssh://git@github.com/shop/petshop.git", "https://api.github.com", "github.com"),
            ("ssh://git@ssh.github.com:443/shop/petshop.git", "https://api.github.com", "github.com"),
            ("https://api.github.com/repos/shop/petshop/contents/", "https://api.github.com", "github.com"),
            ("https://mara:pw@git.example/shop/petshop.git", "https://git.example/api/v3", "git.example"),
            ("https://git.example/api/v3/repos/shop/petshop", "https://git.example/api/v3", "git.example"),
            ("git@git.example:shop/petshop", "https://git.example/api/v3", "git.example"),
            ("https://eu.ghe.com/shop/petshop", "https://api.eu.ghe.com", "eu.ghe.com"),
            ("http://127.0.0.1:8080/shop/petshop", "http://127.0.0.1:8080/api/v3", "127.0.0.1:8080"),
        ] {
            let found = Repository::of(address).unwrap_or_else(|| panic!("{address}"));
            assert_eq!(
                (found.api.as_str(), found.name.as_str(), found.host()),
                (api, "shop/petshop", host),
                "{address}"
            );
        }
        for address in
            ["https://github.com/shop/petshop", "http://127.0.0.1:8080/shop/petshop", "https://eu.ghe.com/a/b"]
        {
            assert_eq!(Repository::of(address).unwrap().page().as_deref(), Some(address));
        }
        assert_eq!(Repository::at("https://git.example/github/api/v3", "a/b").unwrap().page(), None);
        for address in [
            "",
            "/srv/git/petshop.git",
            "../petshop.git",
            "file:///srv/git/petshop",
            "http://github.com/shop/petshop",
            "https://github.com/shop",
            "https://github.com/shop/../petshop",
            "https://github.com/shop/pet shop",
            "https://api.github.com/users/shop/petshop",
        ] {
            assert_eq!(Repository::of(address), None, "{address}");
        }
    }
}
