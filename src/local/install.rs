//! Installing the emulator, once: a private virtual environment, every file of it checked against a hash.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use super::{Error, Note, Paths, VERSION, record};

/// What is installed: exact versions, and the hashes of the files that they may come from.
const REQUIREMENTS: &str = include_str!("requirements.lock");
/// Names that a Python may have, the user's choice first.
const PYTHONS: [&str; 7] = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"];
/// Characters of a failed tool's output that an error shows.
const OUTPUT_LIMIT: usize = 2000;

/// The interpreter of a working installation, which is made when there is none.
///
/// It is made beside its place and renamed, so that one that was interrupted is never taken for whole.
pub(super) async fn ensure(paths: &Paths, progress: &(impl Fn(Note) + Sync)) -> Result<PathBuf, Error> {
    let place = paths.data.join(directory_name());
    let python = place.join("bin/python");
    if works(&python).await {
        return Ok(python);
    }
    let _lock = record::lock(&paths.data.join("install.lock"), progress).await?;
    if works(&python).await {
        return Ok(python);
    }
    sweep(&paths.data)?;
    let fresh = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempdir_in(&paths.data)
        .map_err(Error::io("make a directory in", &paths.data))?;
    let lock_file = fresh.path().join("requirements.lock");
    fs::write(&lock_file, REQUIREMENTS).map_err(Error::io("write", &lock_file))?;
    fill(fresh.path(), &lock_file, progress).await?;
    // Here also lies one whose Python has since been removed or replaced.
    if place.exists() {
        fs::remove_dir_all(&place).map_err(Error::io("remove", &place))?;
    }
    fs::rename(fresh.path().join("venv"), &place).map_err(Error::io("put in its place", &place))?;
    if works(&python).await {
        return Ok(python);
    }
    Err(Error::Install { command: python.display().to_string(), output: "it cannot import ministack".to_owned() })
}

const UNFINISHED: &str = ".installing-";

/// Named by what is in it, so that a change of the lock file makes a new one.
fn directory_name() -> String {
    let digest = Sha256::digest(REQUIREMENTS.as_bytes());
    let short = digest.iter().take(6).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    format!("ministack-{VERSION}-{short}")
}

async fn fill(directory: &Path, lock_file: &Path, progress: &(impl Fn(Note) + Sync)) -> Result<(), Error> {
    if runs("uv", &["--version"]).await {
        progress(Note::Installing("uv".to_owned()));
        match with_uv(directory, lock_file).await {
            Ok(()) => return Ok(()),
            // Its settings are its own: pip may know an index that uv was not told of.
            Err(error) => progress(Note::Retrying(error.to_string())),
        }
        let venv = directory.join("venv");
        if venv.exists() {
            fs::remove_dir_all(&venv).map_err(Error::io("remove", &venv))?;
        }
    }
    let python = find_python().await?;
    progress(Note::Installing(format!("{python} -m venv, pip")));
    with_pip(directory, lock_file, &python).await
}

async fn with_uv(directory: &Path, lock_file: &Path) -> Result<(), Error> {
    // Outside of any project whose settings uv would take over.
    let mut venv = tool("uv", directory);
    run(venv.args(["venv", "--quiet", "--no-project", "--python", ">=3.10", "venv"])).await?;
    let mut install = tool("uv", directory);
    install.args(["pip", "install", "--quiet", "--python", "venv/bin/python", "--compile-bytecode"]);
    run(install.args(["--no-build", "--require-hashes", "-r"]).arg(lock_file)).await
}

async fn with_pip(directory: &Path, lock_file: &Path, python: &str) -> Result<(), Error> {
    // Debian ships `venv` without `ensurepip`, and says so only in the middle of it.
    if !runs(python, &["-I", "-c", "import venv, ensurepip"]).await {
        return Err(Error::NoVenv { python: python.to_owned() });
    }
    run(tool(python, directory).args(["-I", "-m", "venv", "venv"])).await?;
    let inside = directory.join("venv/bin/python");
    let mut install = tool(&inside.display().to_string(), directory);
    install.args(["-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
    // Wheels alone: nothing downloaded is executed while it is being installed.
    run(install.args(["--only-binary", ":all:", "--require-hashes", "-r"]).arg(lock_file)).await
}

async fn find_python() -> Result<String, Error> {
    let recent = "import sys; sys.exit(sys.version_info < (3, 10))";
    for name in PYTHONS {
        if runs(name, &["-I", "-c", recent]).await {
            return Ok(name.to_owned());
        }
    }
    Err(Error::NoPython { tried: PYTHONS.join(", ") })
}

/// Whether the interpreter is there and finds the emulator: a Python that was upgraded under it does not.
async fn works(python: &Path) -> bool {
    let find =
        "import importlib.util as u, sys; sys.exit(None in map(u.find_spec, ['ministack', 'hypercorn', 'yaml']))";
    python.exists() && runs(&python.display().to_string(), &["-I", "-c", find]).await
}

async fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.status().await.is_ok_and(|status| status.success())
}

fn tool(program: &str, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).stdin(Stdio::null()).kill_on_drop(true);
    // The user's settings say where packages come from; these would say where they go.
    for elsewhere in ["PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV"] {
        command.env_remove(elsewhere);
    }
    command
}

async fn run(command: &mut Command) -> Result<(), Error> {
    let shown = {
        let command = command.as_std();
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    };
    let output = command
        .output()
        .await
        .map_err(|source| Error::Install { command: shown.clone(), output: source.to_string() })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let start = said.char_indices().rev().nth(OUTPUT_LIMIT).map_or(0, |(index, _)| index);
    Err(Error::Install { command: shown, output: said[start..].trim().to_owned() })
}

/// Removes what interrupted installations left; the caller holds the lock, so none is under way.
fn sweep(data: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(data).map_err(Error::io("read", data))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            fs::remove_dir_all(entry.path()).map_err(Error::io("remove", &entry.path()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_exact_and_hashed_and_no_host_is_named() {
        let wanted: Vec<&str> =
            REQUIREMENTS.lines().filter(|line| !line.starts_with([' ', '#']) && !line.is_empty()).collect();
        assert!(wanted.iter().any(|line| line.starts_with(&format!("ministack=={VERSION} "))), "{wanted:?}");
        for line in &wanted {
            assert!(line.contains("==") && line.ends_with('\\'), "{line}");
        }
        let groups = REQUIREMENTS.split("\\\n    --hash=sha256:").count() - 1;
        assert!(groups >= wanted.len());
        assert!(!REQUIREMENTS.contains("//") && !REQUIREMENTS.contains("--index"));
    }

    #[tokio::test]
    async fn a_tool_that_fails_is_named_with_what_it_said() {
        let mut command = tool("sh", Path::new("/"));
        let error = run(command.args(["-c", "echo no such index >&2; exit 3"])).await.unwrap_err();
        let Error::Install { command, output } = &error else { panic!("{error:?}") };
        assert_eq!((command.starts_with("sh -c"), output.as_str()), (true, "no such index"));
        let missing = run(&mut tool("no-such-tool-anywhere", Path::new("/"))).await.unwrap_err();
        assert!(missing.to_string().contains("no-such-tool-anywhere"), "{missing}");
    }

    #[test]
    fn what_an_interrupted_installation_left_is_swept_and_nothing_else() {
        let data = tempfile::tempdir().unwrap();
        for name in [".installing-abc", "ministack-1.0.0-abc"] {
            fs::create_dir_all(data.path().join(name).join("venv")).unwrap();
        }
        sweep(data.path()).unwrap();
        let left: Vec<_> = fs::read_dir(data.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(left, ["ministack-1.0.0-abc"]);
    }
}
