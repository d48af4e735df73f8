//! Laws that are read off the sources: which way imports point, and how large a file may be.

use std::path::{Path, PathBuf};

/// A room of the house, and the rooms that it may name. Whoever adds a room decides here where it stands.
const ROOMS: [(&str, &[&str]); 18] = [
    ("main", &["app", "cli"]),
    ("app", &["cli", "console", "ops", "compare", "config", "secret"]),
    ("cli", &["ops", "compare", "template", "config", "secret", "visible"]),
    ("console", &["ops", "compare", "template", "config", "secret", "visible", "percent"]),
    (
        "ops",
        &[
            "git",
            "aws",
            "github",
            "crypto_api",
            "http",
            "local",
            "compare",
            "template",
            "sops",
            "config",
            "secret",
            "visible",
        ],
    ),
    ("git", &["secret"]),
    ("aws", &["secret", "percent"]),
    ("github", &["secret", "http"]),
    ("crypto_api", &["secret"]),
    ("local", &["secret"]),
    ("compare", &["secret"]),
    ("template", &["secret"]),
    ("sops", &["secret"]),
    ("config", &["secret"]),
    ("http", &[]),
    ("secret", &[]),
    ("visible", &[]),
    ("percent", &[]),
];

const LONGEST_FILE: usize = 600;

#[test]
fn imports_point_one_way() {
    hold(wrong_imports);
}

#[test]
fn every_file_says_what_it_is_for_and_stays_small() {
    hold(wrong_shape);
}

fn hold(law: impl Fn(&str, &str) -> Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = sources(&root);
    assert!(files.iter().any(|file| file.ends_with("lib.rs")), "no sources below {}", root.display());
    let broken: Vec<_> = files
        .iter()
        .flat_map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            law(file.strip_prefix(&root).unwrap().to_str().unwrap(), &text)
        })
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// What is wrong with the imports of `src/<path>`; the crate's root may name any room.
fn wrong_imports(path: &str, text: &str) -> Vec<String> {
    let module = module_of(path);
    let Some(room) = module.first().cloned() else { return Vec::new() };
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![format!("src/{path}: the room `{room}` is new; say in tests/suite/imports.rs where it stands")];
    };
    named_from_root(&tokens(text), &module)
        .into_iter()
        .filter(|(_, named)| *named != room && ROOMS.iter().any(|(name, _)| name == named))
        .filter(|(_, named)| !allowed.contains(&named.as_str()))
        .map(|(line, named)| format!("src/{path}:{line}: `{room}` may not import `{named}`"))
        .collect()
}

fn wrong_shape(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        wrong.push(format!("src/{path}: {lines} lines; a file has one idea and at most {LONGEST_FILE} lines"));
    }
    let is_test = path.ends_with("tests.rs") || path.contains("tests/");
    if !is_test && !text.starts_with("//!") {
        wrong.push(format!("src/{path}: does not begin with what it is for (`//!`)"));
    }
    if tokens(text).iter().any(|token| token.text == "unsafe") {
        wrong.push(format!("src/{path}: unsafe"));
    }
    if path.ends_with("mod.rs") {
        wrong.push(format!("src/{path}: a module's face is `name.rs`, not `name/mod.rs`"));
    }
    wrong
}

/// `compare/side.rs` is `compare::side`; `main.rs` counts as a room, `lib.rs` is the root.
fn module_of(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs");
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    line: usize,
    text: String,
}

/// Words, `::`, and single other characters; comments, texts and character literals left out.
fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => text(rest, 0),
            'r' | 'b' | 'c' if raw_prefix(rest).is_some() => {
                raw_prefix(rest).map_or(1, |hashes| raw_text(rest, hashes))
            }
            '\'' => character(rest),
            _ if first.is_alphanumeric() || first == '_' => {
                rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len())
            }
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        let (taken, tail) = rest.split_at(length);
        if first.is_alphanumeric() || first == '_' || (length <= 4 && taken.chars().all(|next| "{}:,;*".contains(next)))
        {
            tokens.push(Token { line, text: taken.to_owned() });
        }
        line += taken.matches('\n').count();
        rest = tail;
    }
    tokens
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn text(rest: &str, start: usize) -> usize {
    let mut escaped = false;
    for (at, next) in rest[start..].char_indices().skip(1) {
        match next {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return start + at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The hashes of a raw text that begins here: `r"`, `br#"`, `cr##"`.
fn raw_prefix(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix(['b', 'c']).unwrap_or(rest).strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some(hashes)
}

fn raw_text(rest: &str, hashes: usize) -> usize {
    let close = format!("\"{}", "#".repeat(hashes));
    let start = rest.find('"').map_or(0, |quote| quote + 1);
    rest[start..].find(&close).map_or(rest.len(), |end| start + end + close.len())
}

/// A character literal is skipped whole; of a lifetime only the quote.
fn character(rest: &str) -> usize {
    let mut inside = rest.char_indices().skip(1);
    match (inside.next(), inside.next()) {
        (Some((_, '\\')), Some((escaped, _))) => rest[escaped + 1..].find('\'').map_or(1, |end| escaped + end + 2),
        (Some(_), Some((close, '\''))) => close + 1,
        _ => 1,
    }
}

/// Every name that stands right below the crate's root in a path, with its line: `crate::a`, `plumb::a` (in `main`),
/// `super::super::a` where that reaches the root, and each branch of `crate::{a, b::c}`.
fn named_from_root(tokens: &[Token], module: &[String]) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    let mut inline: Vec<usize> = Vec::new();
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        let follows = |ahead: usize, text: &str| tokens.get(at + ahead).is_some_and(|token| token.text == text);
        let starts_path = follows(1, "::") && (at == 0 || tokens[at - 1].text != "::");
        match token.text.as_str() {
            "mod" if follows(2, "{") => inline.push(depth),
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inline.pop_if(|opened| *opened == depth);
            }
            "crate" if starts_path => branches(tokens, at + 2, &mut named),
            "plumb" if starts_path && module == ["main"] => branches(tokens, at + 2, &mut named),
            "super" if starts_path => {
                let supers = tokens[at..].chunks(2).take_while(|pair| is_super(pair)).count();
                if supers == module.len() + inline.len() {
                    branches(tokens, at + 2 * supers, &mut named);
                }
            }
            _ => {}
        }
    }
    named
}

fn is_super(pair: &[Token]) -> bool {
    matches!(pair, [word, colons] if word.text == "super" && colons.text == "::")
}

/// The first names of a path's tail, or of each branch of a group.
fn branches(tokens: &[Token], at: usize, named: &mut Vec<(usize, String)>) {
    let Some(first) = tokens.get(at) else { return };
    if first.text != "{" {
        named.push((first.line, first.text.clone()));
        return;
    }
    let mut depth = 0;
    for pair in tokens[at..].windows(2) {
        match pair[0].text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return;
        }
        if depth == 1 && matches!(pair[0].text.as_str(), "{" | ",") && pair[1].text != "}" {
            named.push((pair[1].line, pair[1].text.clone()));
        }
    }
}

#[test]
fn an_import_the_wrong_way_is_found() {
    let rows = [
        ("a leaf that asks a use case", "aws/ssm.rs", "use crate::ops::plan;", 1),
        ("compare reading the config", "compare/side.rs", "use crate::{secret::Secret, config::{Project, Stack}};", 1),
        ("two wrong branches", "git.rs", "use crate::{aws::ssm, cli};", 2),
        ("a path in the middle of code", "sops/mac.rs", "fn f() { let x = crate::git::open(); }", 1),
        ("the way over super", "template/intrinsic.rs", "use super::super::aws;", 1),
        ("the way over super from a test module", "config.rs", "mod tests { use super::super::git; }", 1),
        ("the binary going around the commands", "main.rs", "use plumb::aws;", 1),
        ("the console asking AWS itself", "console/runtime.rs", "use crate::aws::ssm;", 1),
        ("a room that nobody has placed", "surprise.rs", "", 1),
        ("a call after a text with a quote", "git/log.rs", r#"fn f() { g('"', "\" //"); crate::ops::x() }"#, 1),
    ];
    for (name, path, text, count) in rows {
        assert_eq!(wrong_imports(path, text).len(), count, "{name}: {:?}", wrong_imports(path, text));
    }
}

#[test]
fn imports_the_right_way_pass() {
    let rows = [
        (
            "a use case over everything below",
            "ops/inspect.rs",
            "use crate::{aws::{ssm, s3}, compare, config, git, sops};",
        ),
        (
            "the console's own rooms",
            "console/view/list.rs",
            "use crate::console::theme; use super::super::model::Model;",
        ),
        ("secret from a leaf", "aws/ssm.rs", "use crate::secret::Secret;"),
        ("super inside the room", "compare/side.rs", "mod tests { use super::*; use super::super::verdict; }"),
        ("a link in a comment", "compare.rs", "//! Reads come from [`crate::git`].\n/* crate::aws */ fn f() {}"),
        (
            "a text that looks like a path",
            "git.rs",
            r##"const A: &str = "crate::aws"; const B: &str = r#"crate::"ops"#;"##,
        ),
        ("a lifetime is no character", "git.rs", "fn f<'a>(x: &'a str) -> &'a str { x }"),
        ("the crate's macro or error at the root", "aws.rs", "use crate::Error;"),
        ("the root names every room", "lib.rs", "pub use crate::ops::report; use crate::aws;"),
    ];
    for (name, path, text) in rows {
        assert_eq!(wrong_imports(path, text), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_misshapen_file_is_found() {
    let long = format!("//! Long.\n{}", "fn f() {}\n".repeat(LONGEST_FILE));
    let rows = [
        ("too long", "aws/ssm.rs", long.as_str(), 1),
        ("no word about itself", "aws/ssm.rs", "use std::fmt;", 1),
        ("unsafe", "aws/ssm.rs", "//! A.\nfn f() { unsafe { g() } }", 1),
        ("unsafe in a comment", "aws/ssm.rs", "//! A.\n// unsafe\n", 0),
        ("mod.rs", "aws/mod.rs", "//! A.\n", 1),
        ("a test needs no word", "aws/ssm/tests.rs", "use super::*;\n", 0),
    ];
    for (name, path, text, count) in rows {
        assert_eq!(wrong_shape(path, text).len(), count, "{name}");
    }
}
