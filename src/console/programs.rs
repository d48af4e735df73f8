//! What the operator's pager and editor want to be told.

use std::process::ExitStatus;

use super::home::{FilePlace, Home};
use super::text;
use crate::compare::Why;

/// How a text is paged.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pager {
    /// The command line, for a shell.
    pub(super) line: String,
    /// The options of less, whoever starts it.
    pub(super) less: String,
    /// Whether it stays until it is left; what ends by itself would be covered before it is read.
    pub(super) waits: bool,
}

/// Those that stay until they are left.
const STAYING: [&str; 9] = ["less", "most", "moar", "moor", "ov", "vi", "vim", "nvim", "view"];

/// The pager for a text. Nobody's own: `delta` for a diff where there is one, else `less`.
pub(super) fn pager(home: &Home, diff: bool) -> Pager {
    let own = home.pager.as_deref().filter(|line| !line.trim().is_empty());
    let line = match own {
        Some(line) => line,
        None if diff && home.delta => "delta --paging=always",
        None => "less -R",
    };
    let mut words = words(line);
    let program = words.next().map_or("", |word| word.rsplit('/').next().unwrap_or(word));
    // Asked for on its command line, quitting at once cannot be taken back.
    let hasty = words.any(|word| {
        word.starts_with("--quit")
            || (word.starts_with('-') && !word.starts_with("--") && word.contains(['F', 'E', 'e']))
    });
    let waits = (STAYING.contains(&program) && !hasty) || own.is_none();
    // `-+F` takes back what LESS says elsewhere, so that a short text stays too.
    Pager { line: line.to_owned(), less: String::from("-R -+F -+X -+E -+e"), waits }
}

/// The words of a command line from its program on.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split_whitespace().skip_while(|word| word.contains('='))
}

/// Why a shell did not run a command line; `None`: it did, whatever came of it.
pub(super) fn not_run(line: &str, status: ExitStatus, named_by: &str) -> Option<Why> {
    let program = words(line).next().unwrap_or(line);
    let why = match status.code()? {
        127 => format!("{program} was not found: is it installed?"),
        126 => format!("{program} may not be run"),
        _ => return None,
    };
    Some(Why::new(why).hint(format!("{named_by} names another")))
}

/// The arguments that open a file at a line, for reading where the editor can do that.
pub(super) fn editor_arguments(line: &str, place: &FilePlace) -> Vec<String> {
    let path = place.path.display().to_string();
    let at = format!("+{}", place.line);
    let colon = format!("{path}:{}", place.line);
    let program = words(line).next().map_or("", |word| word.rsplit('/').next().unwrap_or(word));
    let given: Vec<&str> = match program {
        "vi" | "vim" | "nvim" | "gvim" | "view" | "elvis" => vec!["-R", &at, "--", &path],
        "nano" | "pico" => vec!["-v", &at, &path],
        "kak" => vec!["-ro", &at, &path],
        "micro" => vec!["-readonly", "true", &at, &path],
        "emacs" | "emacsclient" | "jed" | "joe" | "mg" | "ne" | "jmacs" => vec![&at, &path],
        "hx" | "helix" | "subl" | "zed" => vec![&colon],
        "code" | "codium" | "cursor" => vec!["--wait", "--goto", &colon],
        _ => vec![&path],
    };
    given.into_iter().map(str::to_owned).collect()
}

/// The output of a program with everything made visible that is neither text nor colour.
pub(super) fn tame(output: &str) -> String {
    let mut out = String::with_capacity(output.len());
    let mut rest = output;
    while let Some(at) = rest.find(|c: char| c.is_control() && c != '\n' && c != '\t') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let long = colour(rest).unwrap_or_else(|| rest.chars().next().map_or(1, char::len_utf8));
        let (this, after) = rest.split_at(long);
        let keep = long > 1 && this.starts_with('\u{1b}');
        // The ends of lines as the web and Windows write them.
        match this {
            _ if keep => out.push_str(this),
            "\r" if after.starts_with('\n') => {}
            other => out.push_str(&text::clean(other, false)),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The length of a sequence that changes colours and nothing else.
fn colour(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("\u{1b}[")?;
    let end = inner.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
    inner[end..].starts_with('m').then_some(end + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(pager: Option<&str>, delta: bool) -> Home {
        Home { pager: pager.map(str::to_owned), delta, ..Home::default() }
    }

    #[test]
    fn the_operator_s_pager_wins_over_delta_and_delta_over_less() {
        let rows = [
            (None, true, true, "delta --paging=always", true),
            (None, false, true, "less -R", true),
            (None, true, false, "less -R", true),
            (Some("less"), true, true, "less", true),
            (Some("LESS=x /usr/bin/less -S"), false, true, "LESS=x /usr/bin/less -S", true),
            (Some("less -FRX"), true, true, "less -FRX", false),
            (Some("cat"), true, true, "cat", false),
            (Some("bat -p"), true, false, "bat -p", false),
        ];
        for (own, delta, diff, line, waits) in rows {
            let pager = pager(&home(own, delta), diff);
            assert_eq!((pager.line.as_str(), pager.waits), (line, waits), "{own:?}");
        }
    }

    #[test]
    fn each_editor_is_told_the_line_in_its_own_way() {
        let place = FilePlace { path: "/shop/a b.json".into(), line: 7 };
        let rows: [(&str, &[&str]); 7] = [
            ("vi", &["-R", "+7", "--", "/shop/a b.json"]),
            ("/usr/bin/nvim -u NONE", &["-R", "+7", "--", "/shop/a b.json"]),
            ("TERM=xterm nano", &["-v", "+7", "/shop/a b.json"]),
            ("hx", &["/shop/a b.json:7"]),
            ("code", &["--wait", "--goto", "/shop/a b.json:7"]),
            ("emacs -nw", &["+7", "/shop/a b.json"]),
            ("my-own", &["/shop/a b.json"]),
        ];
        for (line, expected) in rows {
            assert_eq!(editor_arguments(line, &place), expected, "{line}");
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_named_and_one_that_fails_is_not_missed() {
        let run = |line: &str| {
            std::process::Command::new("sh").args(["-c", line]).stderr(std::process::Stdio::null()).status()
        };
        let told = |line: &str| not_run(line, run(line).unwrap(), "PAGER");
        let why = told("LESS=x no-such-pager -R").unwrap();
        assert_eq!(why.reason, "no-such-pager was not found: is it installed?");
        assert_eq!(why.hint.as_deref(), Some("PAGER names another"));
        assert_eq!(told("/dev/null").unwrap().reason, "/dev/null may not be run");
        assert_eq!(told("exit 3"), None);
    }

    #[test]
    fn output_keeps_its_colours_and_nothing_else_that_moves_a_terminal() {
        assert_eq!(tame("a\u{1b}[1;31mb\u{1b}[0m\r\n\tc"), "a\u{1b}[1;31mb\u{1b}[0m\n\tc");
        assert_eq!(tame("\u{1b}]52;c;eA==\u{7}\u{1b}[2J\u{9b}x\r"), "␛]52;c;eA==␇␛[2J▯x␍");
        assert_eq!(tame("\u{1b}"), "␛");
    }
}
