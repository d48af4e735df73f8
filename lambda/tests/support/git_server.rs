//! A git server on loopback: `git http-backend` behind a small HTTP/1.1 server, with basic authentication where a token is
//! set. Answers are packs, and so bytes.

use std::io::{BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use base64::Engine as _;

use super::http::read_bytes;

/// Repositories below a directory, served until the process ends.
pub struct GitServer {
    address: SocketAddr,
    root: PathBuf,
    token: Arc<Mutex<Option<String>>>,
}

impl GitServer {
    pub fn start(root: &Path) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port of loopback");
        let address = listener.local_addr().expect("its address");
        let token = Arc::<Mutex<Option<String>>>::default();
        let (own, served) = (Arc::clone(&token), root.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (token, root) = (own.lock().expect("nobody panics with it").clone(), served.clone());
                std::thread::spawn(move || answer(&stream, &root, token.as_deref()));
            }
        });
        Self { address, root: root.to_owned(), token }
    }

    /// From now on only who has this token gets in.
    pub fn wants(&self, token: &str) {
        *self.token.lock().expect("nobody panics with it") = Some(token.to_owned());
    }

    #[allow(dead_code, reason = "not everybody who shares this asks for it")]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self, repository: &str) -> String {
        format!("http://{}/{repository}", self.address)
    }

    /// Makes a repository and gives it, to be written to.
    pub fn repository(&self, name: &str) -> Repository {
        Repository::at(&self.root.join(name))
    }
}

/// A repository with a work tree.
pub struct Repository {
    pub directory: PathBuf,
}

impl Repository {
    /// An empty one in a directory that is made.
    pub fn at(directory: &Path) -> Self {
        std::fs::create_dir_all(directory).expect("a directory");
        let repository = Self { directory: directory.to_owned() };
        repository.git(&["init", "-q", "-b", "main", "."]);
        repository
    }

    /// Runs git in it, without anybody's configuration; what it prints.
    pub fn git(&self, arguments: &[&str]) -> String {
        let who = ["user.name=mara", "user.email=mara@example.com", "commit.gpgsign=false"];
        let mut command = Command::new("git");
        command.args(who.iter().flat_map(|setting| ["-c", setting])).args(arguments).current_dir(&self.directory);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env_remove("GIT_DIR");
        let output = command.output().expect("git runs");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Writes these files and commits everything; the commit's id.
    pub fn commits(&self, files: &[(&str, &str)]) -> String {
        for (path, text) in files {
            let path = self.directory.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a directory");
            std::fs::write(path, text).expect("a file");
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "Change it"]);
        self.git(&["rev-parse", "HEAD"])
    }
}

fn answer(stream: &TcpStream, root: &Path, token: Option<&str>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (request, body) = read_bytes(&mut reader)?;
    let header = |name: &str| request.header(name).unwrap_or_default();
    let mut out = stream;
    if let Some(token) = token {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("x-access-token:{token}"));
        if header("authorization") != format!("Basic {pair}") {
            let refusal = "HTTP/1.1 401 No\r\nwww-authenticate: Basic realm=\"git\"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            return out.write_all(refusal.as_bytes()).ok();
        }
    }
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let mut backend = Command::new("git");
    backend.arg("http-backend").env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1");
    backend.env("REQUEST_METHOD", &request.method).env("PATH_INFO", path).env("QUERY_STRING", query);
    backend.env("CONTENT_TYPE", header("content-type")).env("CONTENT_LENGTH", body.len().to_string());
    backend.env("GIT_PROTOCOL", header("git-protocol")).env("GIT_CONFIG_GLOBAL", "/dev/null");
    let mut child = backend.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    child.stdin.take()?.write_all(&body).ok()?;
    let made = child.wait_with_output().ok()?.stdout;
    let end = made.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, content) = (String::from_utf8_lossy(made.get(..end)?).into_owned(), made.get(end + 4..)?);
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_owned();
    let kept = head.lines().filter(|line| !line.starts_with("Status: ")).map(|line| format!("{line}\r\n"));
    let head = format!(
        "HTTP/1.1 {status}\r\n{}content-length: {}\r\nconnection: close\r\n\r\n",
        kept.collect::<String>(),
        content.len()
    );
    out.write_all(head.as_bytes()).ok()?;
    out.write_all(content).ok()
}
