//! Tokens and AWS's credentials: they go where they are meant to, and nothing that can be read shows them.

use serde_json::{Value, json};

use super::{MAIN, Place, at, token};
use crate::tls::Tls;

/// Credentials as a build of CodeBuild asks its container for them.
pub fn of_build() -> Value {
    json!({
        "AccessKeyId": "nobody",
        "SecretAccessKey": format!("secret-{}", token()),
        "Token": format!("session-{}", token()),
        "Expiration": "2099-01-01T00:00:00Z",
    })
}

#[test]
fn a_token_opens_the_repository_and_is_shown_by_nothing() {
    let place = Place::new();
    let token = token();
    place.git.wants(&token);
    place.says("credentials", "plumb/pipeline/git");
    let (first, rest) = token.split_at(6);
    let script = format!(
        "echo {token}; echo {token} >&2; printf {first}; sleep 0.1; echo {rest}; echo $AWS_SECRET_ACCESS_KEY; \
        env; cat .git/config; cat /proc/$PPID/cmdline; find $OUT /tmp/plumb-worker-* -type f -size -64k -exec grep -l {first}{rest} {{}} + | sed s/^/holds:/"
    );
    place.runs(&["sh", "-c", &script]);
    let worked = place.works(&MAIN);
    let (out, said) = (worked.out(), worked.said());
    assert!(out.starts_with("***\n***\n***\n") && said.contains("***\n"), "{out}{said}");
    for secret in [token.clone(), "nobodys-secret-key".to_owned()] {
        for text in [&out, &said, &worked.result.to_string()] {
            assert!(!text.contains(&secret), "{text}");
        }
    }
    assert!(out.contains("AWS_SECRET_ACCESS_KEY=***") && out.contains("[core]"), "{out}");
    assert!(!out.contains("holds:"), "a file holds the token: {out}");
}

#[test]
fn the_credentials_that_a_build_asks_its_container_for_are_shown_by_nothing() {
    let place = Place::new();
    let text = |name: &str| of_build()[name].as_str().unwrap().to_owned();
    let (secret, session) = (text("SecretAccessKey"), text("Token"));
    place.runs(&["echo", &secret, &session, "and this"]);
    let mut build = place.worker(&MAIN);
    build.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    build.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/credentials", place.endpoint));
    let worked = place.worked(build.output().unwrap());
    assert_eq!((worked.code(), worked.out().as_str()), (Some(0), "*** *** and this\n"), "{}", worked.said());
}

#[test]
fn a_token_goes_over_tls_to_whom_the_machine_trusts_and_to_nobody_else() {
    let place = Place::new();
    place.git.wants(&token());
    place.says("credentials", "plumb/pipeline/git");
    place.runs(&["cat", "README"]);
    let (ours, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (front, stranger) =
        (Tls::before(place.git.address(), ours.path()), Tls::before(place.git.address(), others.path()));
    let works = |at: &Tls| {
        place.says("repository", &format!("{}/shop", at.url()));
        let mut worker = place.worker(&MAIN);
        // As in a build: nothing of this machine may be a repository there.
        worker.env_remove("PLUMB_LOCAL").env("SSL_CERT_FILE", front.authority());
        place.worked(worker.output().unwrap())
    };
    let deceived = works(&stranger);
    assert_eq!((deceived.code(), deceived.out().as_str()), (Some(1), ""), "{}", deceived.said());
    assert!(deceived.result["why"].as_str().unwrap().contains("certificate"), "{}", deceived.result);
    let worked = works(&front);
    assert_eq!((worked.code(), worked.out().as_str()), (Some(0), "one"), "{}", worked.said());
}

#[test]
fn nobodys_git_configuration_sends_the_worker_elsewhere() {
    let place = Place::new();
    place.git.wants(&token());
    place.says("credentials", "plumb/pipeline/git");
    place.runs(&["cat", "README"]);
    let elsewhere = place.git.repository("elsewhere");
    elsewhere.commits(&[("README", "elsewhere")]);
    let configuration = format!("[url \"{}\"]\n\tinsteadOf = {}\n", place.git.url("elsewhere"), place.git.url("shop"));
    std::fs::write(place.path(".gitconfig"), configuration).unwrap();
    // Of a whole clone too.
    let first = place.repository.git(&["rev-parse", "HEAD"]);
    place.repository.commits(&[("README", "two")]);
    for (commit, text) in [(None, "two"), (Some(&first), "one")] {
        let worked = place.works(&commit.map_or_else(|| MAIN.to_vec(), |commit| at(commit)));
        assert_eq!((worked.code(), worked.out().as_str()), (Some(0), text), "{}", worked.said());
    }
}

#[test]
fn a_repository_that_does_not_open_says_why_and_not_with_what() {
    let place = Place::new();
    place.git.wants("another");
    let worked = place.works(&MAIN);
    assert_eq!((worked.code(), &worked.result["outcome"]), (Some(1), &json!("failed")));
    assert!(worked.result["why"].as_str().unwrap().contains("the registry names none"), "{}", worked.result);
    place.says("credentials", "plumb/pipeline/git");
    let worked = place.works(&MAIN);
    assert_eq!(worked.code(), Some(1));
    assert!(worked.result["why"].as_str().unwrap().contains("does not accept"), "{}", worked.result);
    assert!(!worked.said().contains(&token()));
}
