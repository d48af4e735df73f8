//! A commit on the forge that a remote is on.

use crate::compare::Why;

/// The page of a commit, from the URL that git fetches from.
pub(in crate::console) fn commit(remote: &str, url: &str, commit: &str) -> Result<String, Why> {
    if commit.is_empty() {
        return Err(Why::new("no commit is compared"));
    }
    let place = Place::of(url).ok_or_else(|| Why::new(format!("{remote} is {url}, which is no forge")))?;
    let Place { base, path } = &place;
    let host = place.host();
    if let Some(region) = host.strip_prefix("git-codecommit.").and_then(|rest| rest.split('.').next()) {
        let name = path.rsplit('/').next().unwrap_or_default();
        return Ok(format!(
            "https://{region}.console.aws.amazon.com/codesuite/codecommit/repositories/{name}/commit/{commit}?region={region}"
        ));
    }
    if host == "ssh.dev.azure.com" || host == "dev.azure.com" {
        let parts: Vec<&str> = path.trim_start_matches("v3/").split('/').filter(|part| *part != "_git").collect();
        if let [organisation, project, name] = parts.as_slice() {
            return Ok(format!("https://dev.azure.com/{organisation}/{project}/_git/{name}/commit/{commit}"));
        }
    }
    // Bitbucket of one's own: projects and repositories, and `scm` in the URL for git.
    if host != "bitbucket.org" && (host.contains("bitbucket") || path.starts_with("scm/")) {
        let inner = path.trim_start_matches("scm/");
        if let Some((project, name)) = inner.split_once('/') {
            return Ok(format!("{base}/projects/{project}/repos/{name}/commits/{commit}"));
        }
    }
    if host == "bitbucket.org" {
        return Ok(format!("{base}/{path}/commits/{commit}"));
    }
    if host.contains("gitlab") {
        return Ok(format!("{base}/{path}/-/commit/{commit}"));
    }
    // GitHub, its Enterprise, Gitea, Forgejo, Gogs and sourcehut agree on this, and GitLab redirects from it.
    Ok(format!("{base}/{path}/commit/{commit}"))
}

/// Where a repository's pages are.
struct Place {
    base: String,
    path: String,
}

impl Place {
    /// `https://[user@]host[:port]/path[.git]`, `ssh://…`, `git://…`, or `[user@]host:path`.
    fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = match url.split_once("://") {
            Some((scheme, rest)) => (scheme, rest),
            None => ("scp", url),
        };
        let (host, path) = match scheme {
            "http" | "https" | "ssh" | "git" | "git+ssh" | "ssh+git" => rest.split_once('/')?,
            // A host before the first colon, with no slash before it, or it is a path of this machine.
            "scp" => rest.split_once(':').filter(|(host, _)| !host.contains('/') && host.len() > 1)?,
            _ => return None,
        };
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        // The port of a web address belongs to its pages; that of ssh does not.
        let host = match (scheme, host.rsplit_once(':')) {
            ("http" | "https", _) | (_, None) => host,
            (_, Some((name, _))) => name,
        };
        let host = match host {
            "ssh.github.com" => "github.com",
            "altssh.gitlab.com" => "gitlab.com",
            "altssh.bitbucket.org" => "bitbucket.org",
            other => other,
        };
        let valid = |c: char| c.is_ascii_alphanumeric() || ".-:".contains(c);
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
        let harmless = |c: char| c.is_ascii_graphic() && !"?#\"'<>\\".contains(c);
        if host.is_empty() || path.is_empty() || !host.chars().all(valid) || !path.chars().all(harmless) {
            return None;
        }
        let scheme = if scheme == "http" { "http" } else { "https" };
        Some(Self { base: format!("{scheme}://{host}"), path: path.to_owned() })
    }

    fn host(&self) -> &str {
        let host = self.base.split_once("://").map_or("", |(_, host)| host);
        host.split(':').next().unwrap_or(host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_found_on_each_forge_whatever_its_url_looks_like() {
        let rows = [
            ("git@github.com:acme/shop.git", "https://github.com/acme/shop/commit/3f2a"),
            ("https://github.com/acme/shop", "https://github.com/acme/shop/commit/3f2a"),
            ("https://token:x@github.com/acme/shop.git/", "https://github.com/acme/shop/commit/3f2a"),
            ("ssh://git@ssh.github.com:443/acme/shop.git", "https://github.com/acme/shop/commit/3f2a"),
            ("git@gitlab.com:acme/team/shop.git", "https://gitlab.com/acme/team/shop/-/commit/3f2a"),
            ("https://gitlab.acme.dev:8443/team/shop.git", "https://gitlab.acme.dev:8443/team/shop/-/commit/3f2a"),
            ("git@bitbucket.org:acme/shop.git", "https://bitbucket.org/acme/shop/commits/3f2a"),
            (
                "ssh://git@bitbucket.acme.dev:7999/shop/api.git",
                "https://bitbucket.acme.dev/projects/shop/repos/api/commits/3f2a",
            ),
            ("https://code.acme.dev/scm/shop/api.git", "https://code.acme.dev/projects/shop/repos/api/commits/3f2a"),
            ("gitea@git.acme.dev:team/shop.git", "https://git.acme.dev/team/shop/commit/3f2a"),
            ("http://localhost:3000/team/shop.git", "http://localhost:3000/team/shop/commit/3f2a"),
            ("ssh://forgejo@codeberg.org/team/shop", "https://codeberg.org/team/shop/commit/3f2a"),
            ("git@git.sr.ht:~ann/shop", "https://git.sr.ht/~ann/shop/commit/3f2a"),
            ("git@ssh.dev.azure.com:v3/acme/team/shop", "https://dev.azure.com/acme/team/_git/shop/commit/3f2a"),
            (
                "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/shop",
                "https://eu-west-1.console.aws.amazon.com/codesuite/codecommit/repositories/shop/commit/3f2a?region=eu-west-1",
            ),
        ];
        for (url, expected) in rows {
            assert_eq!(commit("origin", url, "3f2a").as_deref(), Ok(expected), "{url}");
        }
    }

    #[test]
    fn what_is_no_forge_has_no_page() {
        for url in ["/srv/git/shop.git", "../shop", "file:///srv/git/shop", "C:\\shop", "git@host:a\u{1b}[31m", "x:"] {
            let why = commit("origin", url, "3f2a").unwrap_err();
            assert!(why.reason.ends_with("which is no forge"), "{url}: {}", why.reason);
        }
        assert!(commit("origin", "git@github.com:a/b", "").is_err());
    }
}
