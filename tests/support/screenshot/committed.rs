//! Pictures beside those that are committed: written on request, else compared.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use similar::{ChangeTag, TextDiff};

use super::{CELL, png_of};

/// Whether pictures are to be written instead of compared: `PLUMB_SCREENSHOTS` is set. They are looked at before they
/// are committed.
pub fn asked_to_write() -> bool {
    std::env::var_os("PLUMB_SCREENSHOTS").is_some()
}

/// Where a picture's file is.
pub fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots").join(name)
}

/// Writes `name.svg`, and `name.png` from it.
pub fn write(name: &str, svg: &str) {
    std::fs::create_dir_all(file("")).expect("a directory for screenshots");
    std::fs::write(file(&format!("{name}.svg")), svg).expect("the SVG is written");
    std::fs::write(file(&format!("{name}.png")), png_of(svg)).expect("the PNG is written");
}

/// Keeps a picture below the target directory, for whoever wants to look at what a test saw.
pub fn keep(name: &str, svg: &str) {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
    std::fs::create_dir_all(&dir).expect("a directory for screenshots");
    std::fs::write(dir.join(format!("{name}.svg")), svg).expect("the SVG is written");
    std::fs::write(dir.join(format!("{name}.png")), png_of(svg)).expect("the PNG is written");
}

/// How a picture differs from the one that is committed, in words; `None` when it does not.
pub fn differs(name: &str, svg: &str) -> Option<String> {
    let path = file(&format!("{name}.svg"));
    let Ok(committed) = std::fs::read_to_string(&path) else {
        return Some(format!("there is no {}; PLUMB_SCREENSHOTS=1 writes it", path.display()));
    };
    if committed == svg {
        return None;
    }
    let (old, new) = (text(&committed), text(svg));
    if old == new {
        let lines = committed.lines().zip(svg.lines());
        let first = lines.clone().find(|(old, new)| old != new).unwrap_or_default();
        return Some(format!("{name}: the text is the same and the look is not:\n  - {}\n  + {}", first.0, first.1));
    }
    let changes = changes(&old, &new).unwrap_or_default();
    Some(format!("{name} (- committed, + now; PLUMB_SCREENSHOTS=1 writes it anew):\n{changes}"))
}

/// The lines of which there are other ones now.
pub(super) fn changes(old: &str, new: &str) -> Option<String> {
    let mut said = String::new();
    for change in TextDiff::from_lines(old, new).iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Equal => continue,
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        let _ = writeln!(said, "  {sign} {}", change.value().trim_end());
    }
    (!said.is_empty()).then_some(said)
}

/// What a picture says, line by line; lines and blocks are no text.
fn text(svg: &str) -> String {
    let mut rows: BTreeMap<u32, BTreeMap<u32, String>> = BTreeMap::new();
    for element in svg.lines().filter(|line| line.starts_with("<text ")) {
        let number = |name: &str| {
            let rest = element.split_once(&format!(" {name}=\"")).map_or("", |(_, rest)| rest);
            rest.split('"').next().and_then(|text| text.parse::<u32>().ok()).unwrap_or_default()
        };
        let said = element.split_once('>').and_then(|(_, rest)| rest.strip_suffix("</text>")).unwrap_or_default();
        let said = said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        rows.entry(number("y") / CELL.1).or_default().insert(number("x") / CELL.0, said);
    }
    let mut text = String::new();
    for row in rows.values() {
        let mut used = 0;
        for (column, said) in row {
            let gap = (*column as usize).saturating_sub(used);
            let _ = write!(text, "{}{said}", " ".repeat(gap));
            used = *column as usize + said.chars().count();
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_in_words() {
        let committed = std::fs::read_to_string(file("harness.svg")).unwrap();
        assert_eq!(differs("harness", &committed), None);
        let said = differs("harness", &committed.replace("rounded", "squared")).unwrap();
        let lines: Vec<&str> = said.lines().skip(1).map(str::trim).collect();
        assert_eq!(lines.len(), 2, "{said}");
        assert!(lines[0].starts_with("- ") && lines[0].contains("rounded") && lines[1].contains("squared"), "{said}");
        let said = differs("harness", &committed.replacen("fill=\"#f2cd8c\"", "fill=\"#ffffff\"", 1)).unwrap();
        assert!(said.contains("the look is not") && said.contains("#ffffff"), "{said}");
        assert!(differs("no-such-picture", &committed).unwrap().contains("PLUMB_SCREENSHOTS=1"));
    }
}
