//! `plumb lambda`: the functions that Plumb carries, written out and built.

use std::io::Write as _;
use std::path::PathBuf;

use super::{Failed, Outcome, Output, Shared, clean, print_json, say};
use crate::ops::lambda::{Source, build};

/// What to do with the functions.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Write their source, templates and API descriptions to a directory, as a workspace that builds by itself.
    Eject {
        /// The directory; made when it is not there.
        #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
        directory: PathBuf,
        /// Write over files that differ.
        #[arg(long)]
        force: bool,
    },
    /// Build an artifact per function, with its digest for a name, and the templates beside them.
    Build {
        /// Where the artifacts go.
        #[arg(long, value_name = "DIR", default_value = "dist", value_hint = clap::ValueHint::DirPath)]
        out: PathBuf,
        /// The processor that the functions run on.
        #[arg(long, value_enum, default_value_t = Arch::X86_64)]
        arch: Arch,
        /// Build this directory, which eject wrote, instead of what Plumb carries.
        #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
        source: Option<PathBuf>,
        /// Put each executable there too, as NAME/bootstrap: what [[stacks.functions]] in plumb.toml names as its output.
        #[arg(long)]
        unpacked: bool,
        /// Build the pipeline's worker too, which compiles OpenSSL: perl and make are needed.
        #[arg(long)]
        worker: bool,
        /// How to print what was built.
        #[arg(long, short, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
}

/// A processor, as Lambda names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Arch {
    /// Intel and AMD.
    #[value(name = "x86_64")]
    X86_64,
    /// Graviton.
    #[value(name = "arm64")]
    Arm64,
}

/// Runs `plumb lambda`.
pub(super) async fn run(shared: &Shared, command: &Command) -> Result<Outcome, Failed> {
    match command {
        Command::Eject { directory, force } => {
            let written = Source::embedded().write(directory, *force)?;
            let mut out = std::io::stdout().lock();
            for path in &written {
                writeln!(out, "{}", clean(&directory.join(path).display().to_string()))?;
            }
        }
        Command::Build { out, arch, source, unpacked, worker, output } => {
            let absolute = |path: &PathBuf| std::path::absolute(path);
            let options = build::Options {
                source: source.as_ref().map(absolute).transpose()?,
                cache: shared.directories().data()?.join("lambda"),
                out: absolute(out)?,
                arch: match arch {
                    Arch::X86_64 => build::Arch::X86_64,
                    Arch::Arm64 => build::Arch::Arm64,
                },
                unpacked: *unpacked,
                worker: *worker,
            };
            let built = build::build(&options, &|line| say!("{}", clean(&line))).await?;
            if *output == Output::Json {
                print_json(&built)?;
            } else {
                show(&built)?;
            }
        }
    }
    Ok(Outcome::Clean)
}

fn show(built: &build::Built) -> Result<(), Failed> {
    let mut out = std::io::stdout().lock();
    for function in &built.functions {
        let file = function.file.display().to_string();
        let glibc = function.glibc.as_ref().map_or_else(|| "no glibc".to_owned(), |version| format!("glibc {version}"));
        writeln!(
            out,
            "{:<8} {} zipped, {} unpacked, {}, {glibc}  {}",
            function.name,
            megabytes(function.bytes),
            megabytes(function.executable_bytes),
            built.arch.name(),
            clean(&file)
        )?;
    }
    if let Some(worker) = &built.worker {
        let file = clean(&worker.file.display().to_string());
        writeln!(out, "{:<8} {}, {}  {file}", "worker", megabytes(worker.bytes), built.arch.name())?;
    }
    for template in [&built.template, &built.integrity_template, &built.intake_template, &built.pipeline_template] {
        writeln!(out, "template {}", clean(&template.display().to_string()))?;
    }
    writeln!(out, "source   git tree {}", built.source_tree)?;
    Ok(())
}

/// A size with two digits behind the point, rounded up, so that no limit is kept by rounding.
fn megabytes(bytes: usize) -> String {
    let hundredths = bytes.div_ceil(10_000);
    format!("{}.{:02} MB", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_size_is_never_shown_smaller_than_it_is() {
        let cases = [(0, "0.00 MB"), (1, "0.01 MB"), (2_999_999, "3.00 MB"), (3_000_001, "3.01 MB")];
        for (bytes, shown) in cases {
            assert_eq!(super::megabytes(bytes), shown);
        }
    }
}
