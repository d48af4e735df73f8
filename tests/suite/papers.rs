//! The papers say what the program does: its keys, its commands, its files.
//!
//! `PLUMB_WRITE_PAPERS=1` writes the keys into README and docs/keys.md instead of comparing them.

use std::path::{Path, PathBuf};
use std::process::Command;

const KEYS: (&str, &str) = ("<!-- keys -->\n", "<!-- /keys -->");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn paper(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The papers that a reader of the repository meets.
fn papers() -> Vec<String> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap();
    let docs = docs.map(|entry| format!("docs/{}", entry.unwrap().file_name().display()));
    let pages = docs.filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "md"));
    ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "demo/petshop/README.md"]
        .map(String::from)
        .into_iter()
        .chain(pages)
        .collect()
}

#[test]
fn the_keys_in_readme_are_those_of_the_table() {
    let readme = paper("README.md");
    let (before, rest) = readme.split_once(KEYS.0).expect("README has a place for the keys");
    let (written, after) = rest.split_once(KEYS.1).expect("the place for the keys ends");
    // A page of its own becomes a section, so each heading goes one level down.
    let page = plumb::console::keys_markdown();
    let section: String = page
        .lines()
        .map(|line| if line.starts_with('#') { format!("#{line}\n") } else { format!("{line}\n") })
        .collect();
    if std::env::var_os("PLUMB_WRITE_PAPERS").is_some() {
        let text = format!("{before}{}{section}{}{after}", KEYS.0, KEYS.1);
        std::fs::write(root().join("README.md"), text).unwrap();
        return;
    }
    assert!(
        written == section,
        "README's keys are not the table's; PLUMB_WRITE_PAPERS=1 cargo test --test suite papers"
    );
}

#[test]
fn the_page_of_keys_is_that_of_the_table() {
    let page = plumb::console::keys_markdown();
    let path = root().join("docs/keys.md");
    if std::env::var_os("PLUMB_WRITE_PAPERS").is_some() {
        std::fs::write(path, page).unwrap();
        return;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_plumb")).args(["keys", "--markdown"]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), page);
    assert!(
        paper("docs/keys.md") == page,
        "docs/keys.md is not the table's; PLUMB_WRITE_PAPERS=1 cargo test --test suite papers"
    );
}

/// The example with its settings uncommented: prose is `# so`, a setting `#so`.
fn uncommented(text: &str) -> String {
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if setting.starts_with(|char: char| char.is_ascii_lowercase() || char == '[') => setting,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_value_of_the_example_config_is_one_that_plumb_takes() {
    let name = "config.example.toml";
    let (operator, _) = plumb::config::parse_operator(name, &uncommented(&paper(name))).unwrap();
    let theme = operator.theme.expect("the example names a theme");
    plumb::console::Theme::embedded(&theme).unwrap();
    plumb::console::Keymap::new(&operator.keys).unwrap();
    assert!(!operator.keys.is_empty());
}

/// Whether the command line is one that `plumb` understands: `--help` answers only after all before it was parsed.
fn is_understood(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(env!("CARGO_BIN_EXE_plumb")).args(arguments).arg("--help").output().unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned())
}

/// Every `plumb …` of a paper: in a fenced shell block a line, elsewhere a text in backticks.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        if let Some(opened) = line.trim_start().strip_prefix("```") {
            fence = if fence.is_some() { None } else { Some(opened.trim()) };
        } else if fence == Some("sh") {
            commands.extend(shell_command(line));
        } else if fence.is_none() {
            commands.extend(line.split('`').skip(1).step_by(2).filter_map(shell_command));
        }
    }
    commands
}

/// The arguments of a `plumb` call, without what the shell makes of the rest of the line.
fn shell_command(line: &str) -> Option<String> {
    let line = line.trim().trim_start_matches("eval \"$(");
    let arguments = if line == "plumb" { "" } else { line.strip_prefix("plumb ")? };
    let end = [" #", " |", ")\"", " &&", " -- "]
        .iter()
        .filter_map(|mark| arguments.find(mark))
        .min()
        .unwrap_or(arguments.len());
    Some(arguments[..end].trim().to_owned())
}

#[test]
fn every_command_in_the_papers_exists() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for name in papers() {
        for command in commands(&paper(&name)) {
            seen += 1;
            let arguments: Vec<&str> = command.split_whitespace().map(|word| word.trim_matches('\'')).collect();
            if let Err(error) = is_understood(&arguments) {
                wrong.push(format!("{name}: plumb {command}: {error}"));
            }
        }
    }
    assert!(seen > 20, "only {seen} commands were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_command_that_is_not_there_is_found() {
    let rows = [("a command", "status-quo"), ("a flag", "status --everything"), ("a subcommand", "local sideways")];
    for (what, command) in rows {
        let arguments: Vec<&str> = command.split_whitespace().collect();
        assert!(is_understood(&arguments).is_err(), "{what} that is not there is understood: {command}");
    }
    let text =
        "Use `plumb status` or:\n```sh\neval \"$(plumb local env)\"   # both\nplumb diff x | less\n```\n`plumb.toml`";
    assert_eq!(commands(text), ["status", "local env", "diff x"]);
}

#[test]
fn every_link_in_the_papers_leads_somewhere() {
    let mut dead: Vec<String> = Vec::new();
    for name in papers() {
        let text = paper(&name);
        let folder = root().join(&name).parent().map(PathBuf::from).unwrap_or_default();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if link.contains("://") {
                continue;
            }
            let target = if file.is_empty() { root().join(&name) } else { folder.join(file) };
            match std::fs::read(&target) {
                Err(error) => dead.push(format!("{name}: {link}: {error}")),
                Ok(bytes) if !anchor.is_empty() => {
                    let there =
                        String::from_utf8_lossy(&bytes).lines().any(|line| slug(line).as_deref() == Some(anchor));
                    if !there {
                        dead.push(format!("{name}: {link}: there is no such heading"));
                    }
                }
                Ok(_) => {}
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

/// A heading's anchor, as repository hosts make it.
fn slug(line: &str) -> Option<String> {
    let heading = line.starts_with('#').then(|| line.trim_start_matches('#').trim().to_lowercase())?;
    let kept = heading.chars().filter(|next| next.is_alphanumeric() || matches!(next, ' ' | '-' | '_'));
    Some(kept.map(|next| if next == ' ' { '-' } else { next }).collect())
}
