//! Building for Lambda: an executable per function, checked against the system that will run it, and its zip.
//!
//! `cargo lambda` is used when it is installed, since it compiles for any processor and links against an old glibc
//! wherever it runs; otherwise cargo, for what this machine can compile.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Serialize;
use tokio::process::Command;

use super::source::Source;
use super::{elf, elf::Needs};
use crate::compare::Why;
use crate::ops::artifact::{self, Artifact};
use crate::ops::failed;

/// What is built: each a binary of the package, each a function of its own.
const FUNCTIONS: [&str; 5] = ["crypto", "rotate", "integrity", "intake", "summary"];
/// The glibc of Amazon Linux 2023.
const GLIBC: (u32, u32) = (2, 34);
const PROFILE: &str = "lambda";

/// The processors that Lambda has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Arch {
    /// Intel and AMD.
    #[serde(rename = "x86_64")]
    X86_64,
    /// Graviton.
    #[serde(rename = "arm64")]
    Arm64,
}

impl Arch {
    /// The name that Lambda has for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }

    /// The name that compilers have for it.
    fn compilers(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }
}

/// What was built. As JSON it lies beside the artifacts as `lambda.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Built {
    /// The form of this.
    pub schema: u32,
    /// The id that git gives to the source: of a commit, `git rev-parse COMMIT:lambda`.
    pub source_tree: String,
    /// The processor.
    pub arch: Arch,
    /// What built it.
    pub builder: String,
    /// The crypto API's template, beside the artifacts.
    pub template: PathBuf,
    /// The template of `integrity`, there too.
    pub integrity_template: PathBuf,
    /// The template of `intake` and `summary`, there too.
    pub intake_template: PathBuf,
    /// The artifacts.
    pub functions: Vec<Function>,
}

/// One artifact.
#[derive(Debug, Clone, Serialize)]
pub struct Function {
    /// The function.
    pub name: &'static str,
    /// The zip's path.
    pub file: PathBuf,
    /// SHA-256 of the zip, in hexadecimal.
    pub sha256: String,
    /// The same as Lambda shows it.
    pub code_sha256: String,
    /// The zip's size, in bytes.
    pub bytes: usize,
    /// The executable's.
    pub executable_bytes: usize,
    /// The newest glibc that it asks for; absent for one that needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub glibc: Option<String>,
}

/// Where to build what.
#[derive(Debug, Clone)]
pub struct Options {
    /// A checkout or what was written out; `None`: what this program carries.
    pub source: Option<PathBuf>,
    /// Where what it carries is unpacked and compiled, and stays for the next time.
    pub cache: PathBuf,
    /// Where the artifacts go.
    pub out: PathBuf,
    /// For which processor.
    pub arch: Arch,
    /// Whether each executable is put there too, as `NAME/bootstrap`: under a name that stays, for a deployment to pack.
    pub unpacked: bool,
}

/// Builds every function. `progress` hears one line per step; what the compiler says goes to stderr as it comes.
pub async fn build(options: &Options, progress: &(dyn Fn(String) + Send + Sync)) -> Result<Built, Why> {
    let (source, directory) = if let Some(directory) = &options.source {
        (Source::read(directory)?, directory.clone())
    } else {
        let source = Source::embedded();
        let directory = options.cache.join(source.tree_id()?);
        source.write(&directory, true)?;
        (source, directory)
    };
    let (template, integrity, intake) = (source.template()?, source.integrity_template()?, source.intake_template()?);
    let (builder, executables) = compile(&directory, options.arch, progress).await?;
    std::fs::create_dir_all(&options.out).map_err(|error| unwritten(&options.out, &error))?;
    let mut functions = Vec::new();
    for (name, path) in FUNCTIONS.into_iter().zip(executables) {
        let bytes =
            std::fs::read(&path).map_err(|error| Why::new(format!("cannot read {}: {error}", path.display())))?;
        let glibc = checked(name, &bytes, options.arch)?;
        let executable_bytes = bytes.len();
        if options.unpacked {
            let folder = options.out.join(name);
            std::fs::create_dir_all(&folder).map_err(|error| unwritten(&folder, &error))?;
            let file = folder.join("bootstrap");
            write(&file, &bytes)?;
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&file, mode).map_err(|error| unwritten(&file, &error))?;
        }
        let Artifact { bytes, digest, code_sha256 } = artifact::of_bootstrap(bytes)?;
        let file = options.out.join(format!("{name}-{digest}.zip"));
        write(&file, &bytes)?;
        let glibc = glibc.map(|(major, minor)| format!("{major}.{minor}"));
        let bytes = bytes.len();
        functions.push(Function { name, file, sha256: digest, code_sha256, bytes, executable_bytes, glibc });
    }
    let [template_file, integrity_file, intake_file] =
        ["template.yaml", "integrity.yaml", "intake.yaml"].map(|name| options.out.join(name));
    write(&template_file, template.as_bytes())?;
    write(&integrity_file, integrity.as_bytes())?;
    write(&intake_file, intake.as_bytes())?;
    let built = Built {
        schema: 1,
        source_tree: source.tree_id()?,
        arch: options.arch,
        builder,
        template: template_file,
        integrity_template: integrity_file,
        intake_template: intake_file,
        functions,
    };
    let manifest = serde_json::to_string_pretty(&built).map_err(|error| failed(&error))?;
    write(&options.out.join("lambda.json"), format!("{manifest}\n").as_bytes())?;
    Ok(built)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Why> {
    std::fs::write(path, bytes).map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &std::io::Error) -> Why {
    Why::new(format!("cannot write {}: {error}", path.display())).hint("--out names another directory")
}

/// Compiles, and says with what and where each executable lies.
async fn compile(
    directory: &Path,
    arch: Arch,
    progress: &(dyn Fn(String) + Send + Sync),
) -> Result<(String, Vec<PathBuf>), Why> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| directory.join("target"), PathBuf::from);
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(directory).stdin(Stdio::null());
    let version = cargo_lambda().await;
    let (builder, folder) = if let Some(version) = version {
        let folder = target.join("bootstraps").join(arch.name());
        let flag = if arch == Arch::Arm64 { "--arm64" } else { "--x86-64" };
        cargo.args(["lambda", "build", flag, "--lambda-dir"]).arg(&folder);
        (version, folder)
    } else {
        let triple = triple(arch).await?;
        cargo.arg("build");
        let folder = triple.as_ref().map_or_else(|| target.clone(), |triple| target.join(triple)).join(PROFILE);
        if let Some(triple) = &triple {
            cargo.args(["--target", triple]);
        }
        ("cargo build".to_owned(), folder)
    };
    cargo.args(["--locked", "--profile", PROFILE, "--package", "plumb-lambda"]);
    cargo.args(FUNCTIONS.iter().flat_map(|name| ["--bin", name])).arg("--target-dir").arg(&target);
    progress(format!("building for {} with {builder}; the first time takes minutes", arch.name()));
    let status = cargo.status().await.map_err(|error| {
        Why::new(format!("cannot run cargo, which builds the functions: {error}")).hint("install Rust: rustup.rs")
    })?;
    if !status.success() {
        return Err(Why::new(format!("the functions do not build: {builder} ended with {status}"))
            .hint("what it said stands above; pip install cargo-lambda brings a compiler for both processors"));
    }
    let executable = |name: &str| {
        let alone = folder.join(name);
        if alone.is_dir() { alone.join("bootstrap") } else { alone }
    };
    Ok((builder, FUNCTIONS.iter().map(|name| executable(name)).collect()))
}

/// The installed cargo-lambda with its version.
async fn cargo_lambda() -> Option<String> {
    let said = output("cargo-lambda", &["lambda", "--version"]).await?;
    Some(said.lines().next()?.trim().to_owned())
}

async fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().await.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What cargo has to be told to compile for: nothing where this machine is of the kind.
async fn triple(arch: Arch) -> Result<Option<String>, Why> {
    let said = output("rustc", &["-vV"]).await;
    let host = said.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix("host: ")));
    let host =
        host.ok_or_else(|| Why::new("cannot run rustc, which builds the functions").hint("install Rust: rustup.rs"))?;
    if host.starts_with(&format!("{}-unknown-linux-", arch.compilers())) {
        return Ok(None);
    }
    for environment in ["musl", "gnu"] {
        let triple = format!("{}-unknown-linux-{environment}", arch.compilers());
        let library = output("rustc", &["--print", "target-libdir", "--target", &triple]).await;
        if library.is_some_and(|path| Path::new(path.trim()).is_dir()) {
            return Ok(Some(triple));
        }
    }
    Err(Why::new(format!("this machine ({host}) cannot compile for {} on Linux", arch.name()))
        .hint("pip install cargo-lambda, or rustup target add and a linker for it"))
}

/// The newest glibc that an executable asks for; an error when Lambda could not run it.
fn checked(name: &str, bytes: &[u8], arch: Arch) -> Result<Option<(u32, u32)>, Why> {
    let Some(Needs { machine, glibc }) = elf::needs(bytes) else {
        return Err(Why::new(format!("what was built of {name} is no Linux executable"))
            .hint("pip install cargo-lambda brings a compiler for Linux"));
    };
    if machine != arch.name() {
        return Err(Why::new(format!("what was built of {name} is for {machine} and not for {}", arch.name())));
    }
    if let Some((major, minor)) = glibc.filter(|version| *version > GLIBC) {
        return Err(Why::new(format!(
            "{name} needs glibc {major}.{minor}, and Amazon Linux 2023 has {}.{}: it would not start",
            GLIBC.0, GLIBC.1
        ))
        .hint("pip install cargo-lambda, which links against an older one, or build on Amazon Linux 2023"));
    }
    Ok(glibc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lambda_could_not_run_is_refused_before_it_is_packed() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let (here, other) =
            if cfg!(target_arch = "x86_64") { (Arch::X86_64, Arch::Arm64) } else { (Arch::Arm64, Arch::X86_64) };
        let said = checked("crypto", &own, other).unwrap_err().to_string();
        assert!(said.contains(here.name()) && said.contains(other.name()), "{said}");
        let said = checked("crypto", b"#!/bin/sh\n", here).unwrap_err().to_string();
        assert!(said.contains("no Linux executable"), "{said}");
    }

    /// The smallest file that says what it needs: headers of three sections, one needed version, and its name.
    fn executable(version: &str) -> Vec<u8> {
        let name = format!("\0{version}\0");
        let mut bytes = vec![0; 64];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        let machine: u16 = 62;
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        let (names, needs) = (64, 64 + name.len());
        let table = needs + 32;
        bytes[40..48].copy_from_slice(&(table as u64).to_le_bytes());
        bytes[58..60].copy_from_slice(&64_u16.to_le_bytes());
        bytes[60..62].copy_from_slice(&3_u16.to_le_bytes());
        bytes.extend(name.as_bytes());
        // One library with one version, whose entry follows, and whose name is the first.
        let [library, of] = [[1_u32 | 1 << 16, 1, 16, 0], [0, 0, 1, 0]];
        bytes.extend(library.into_iter().chain(of).flat_map(u32::to_le_bytes));
        let section = |kind: u32, place: usize, link: u32, info: u32| {
            let mut header = vec![0; 64];
            header[4..8].copy_from_slice(&kind.to_le_bytes());
            header[24..32].copy_from_slice(&(place as u64).to_le_bytes());
            header[40..44].copy_from_slice(&link.to_le_bytes());
            header[44..48].copy_from_slice(&info.to_le_bytes());
            header
        };
        bytes.extend(section(0, 0, 0, 0));
        bytes.extend(section(0x6fff_fffe, needs, 2, 1));
        bytes.extend(section(3, names, 0, 0));
        bytes
    }

    #[test]
    fn a_symbol_of_a_newer_glibc_is_refused_by_its_version() {
        for (version, newest) in [("GLIBC_2.34", Some((2, 34))), ("GLIBC_2.2.5", Some((2, 2))), ("GCC_3.0", None)] {
            assert_eq!(checked("crypto", &executable(version), Arch::X86_64), Ok(newest), "{version}");
        }
        for version in ["GLIBC_2.35", "GLIBC_2.100", "GLIBC_3.0"] {
            let said = checked("crypto", &executable(version), Arch::X86_64).unwrap_err().to_string();
            assert!(said.contains("glibc") && said.contains("2.34"), "{version}: {said}");
        }
    }
}
