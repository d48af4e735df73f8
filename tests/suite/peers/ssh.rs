//! The pipeline's worker beside OpenSSH's server: a key from memory opens a repository, but only where the host's key is pinned.
//!
//! The server is the machine's own sshd (Debian and Ubuntu have it in openssh-server), on loopback, with keys that the test
//! makes and for the user that the test runs as.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output};
use std::time::Instant;

use serde_json::json;

use crate::crypto::binary;
use crate::pipeline::git_server::Repository;
use crate::support::account::Account;
use crate::support::wait::deadline;

/// Runs until it is dropped.
struct Sshd {
    child: Child,
    port: u16,
}

impl Sshd {
    /// With the host keys `host` and `second`, and the user's key `user`, which are all made here.
    fn start(directory: &Path) -> Self {
        for (name, kind) in [("host", "ed25519"), ("second", "ecdsa"), ("user", "ed25519"), ("other", "ed25519")] {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-N", "", "-t", kind, "-f"]).arg(directory.join(name));
            assert!(keygen.status().expect("openssh-client is installed").success());
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let path = directory.display();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {path}/host\nHostKey {path}/second\nAuthorizedKeysFile {path}/user.pub\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\nPidFile none\n"
        );
        std::fs::write(directory.join("config"), config).unwrap();
        // Root's sshd wants its place for a process without rights; another user has none and needs none.
        let _ = std::fs::create_dir_all("/run/sshd");
        let mut sshd = Command::new("/usr/sbin/sshd");
        sshd.arg("-D").arg("-f").arg(directory.join("config")).arg("-E").arg(directory.join("log"));
        let child = sshd.spawn().expect("openssh-server is installed");
        let end = Instant::now() + deadline();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let log = || std::fs::read_to_string(directory.join("log"));
            assert!(Instant::now() < end, "sshd does not answer: {:?}", log());
            std::thread::yield_now();
        }
        Self { child, port }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
#[ignore = "needs sshd: Debian and Ubuntu have it in openssh-server"]
fn a_key_from_memory_opens_a_repository_of_a_host_that_is_pinned_and_of_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let sshd = Sshd::start(directory.path());
    let repository = Repository::at(&directory.path().join("shop.git"));
    let first = repository.commits(&[("README", "one")]);
    repository.commits(&[("README", "two")]);

    let account = Account::fresh();
    let put = |service: &str, target: &str, body: &serde_json::Value| {
        let reply = account.caller().json(service, target, body).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
    };
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    let user = String::from_utf8(user).unwrap();
    let url = format!("ssh://{}@127.0.0.1:{}{}", user.trim(), sshd.port, repository.directory.display());
    for (field, value) in [
        ("repository", url.as_str()),
        ("branches", "main"),
        ("command", r#"["cat","README"]"#),
        ("credentials", "plumb/pipeline/key"),
    ] {
        let name = format!("/plumb/pipeline/shop/{field}");
        put("ssm", "AmazonSSM.PutParameter", &json!({"Name": name, "Value": value, "Type": "String"}));
    }
    put("secretsmanager", "secretsmanager.CreateSecret", &json!({"Name": "plumb/pipeline/key", "SecretString": "{}"}));

    let key = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    let works = |user: &str, pinned: &[&str], more: &[&str]| {
        let line = |name: &&str| format!("[127.0.0.1]:{} {}", sshd.port, key(&format!("{name}.pub")));
        let hosts: String = pinned.iter().map(line).collect();
        let text = json!({"private_key": key(user), "known_hosts": hosts}).to_string();
        let body = json!({"SecretId": "plumb/pipeline/key", "SecretString": text});
        put("secretsmanager", "secretsmanager.PutSecretValue", &body);
        let mut worker = Command::new(binary("plumb-worker"));
        worker.args(["--project", "shop", "--branch", "main"]).args(more).env_clear().envs(account.env());
        // A home without known hosts: what the machine trusts does not count.
        worker.env("PATH", "/usr/bin:/bin").env("HOME", directory.path()).output().unwrap()
    };
    let both = ["host", "second"];
    let cases: [(&str, &[&str], &str); 3] = [
        ("user", &["other"], "is not the one in the secret's `known_hosts`"),
        ("user", &["second"], "is not the one in the secret's `known_hosts`"),
        ("other", &both, "does not accept the credentials"),
    ];
    for (user, pinned, why) in cases {
        let output = works(user, pinned, &[]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{}", said(&output));
        assert!(said(&output).contains(why), "{why}: {}", said(&output));
    }
    let output = works("user", &both, &[]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"two"[..]), "{}", said(&output));
    assert!(said(&output).contains("the last commit alone"), "{}", said(&output));
    let output = works("user", &["host"], &["--commit", &first]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"one"[..]), "{}", said(&output));
}
