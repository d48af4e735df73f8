//! Stand-ins for what is new each time that the demo is made: ids, fingerprints, times of day.
//!
//! The demo is made for real, so its commits, keys, versions and times differ from run to run, while its pictures must
//! not. What is found on a screen by its shape is replaced by as many other characters, cell by cell: a commit by its
//! place in the log, the rest in the order in which it first appears. Equal things stay equal, and different ones
//! different; only times of day, of which a run has as many as it takes long, all become one.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::sync::LazyLock;

use regex::Regex;
use sha2::{Digest, Sha256};

const HEX: &str = "0123456789abcdef";
const UPPER_HEX: &str = "0123456789ABCDEF";
const DIGITS: &str = "23456789";
const LETTERS: &str = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

/// How one kind of text is replaced.
enum By {
    /// Letters of this alphabet, by the order of appearance.
    Alphabet(&'static str),
    /// The place in the log, when it is the beginning of a commit's id.
    Commit,
    /// This text.
    Fixed(&'static str),
    /// This text at the right end of what it stands for, whose left end is blank.
    Right(&'static str),
}

/// A kind's name, what it looks like (its first group is what is replaced), and what replaces it. The first rule that
/// fits a piece of text has it.
type Rule = (&'static str, &'static str, By);

#[rustfmt::skip]
const RULES: [Rule; 27] = [
    ("uuid", r"\b([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b", By::Alphabet(HEX)),
    ("commit", r"\b([0-9a-f]{7,40})(?:\b|…)", By::Commit),
    ("fingerprint", r"\bfp ([0-9a-f]{4})\b", By::Alphabet(HEX)),
    ("digest", r"\b(?:sha256|blob):([0-9a-f]{6,64})", By::Alphabet(HEX)),
    ("version", r"\bversion ([0-9A-Za-z-]{8,})", By::Alphabet(LETTERS)),
    ("artifact", r"\bunknown zip ([0-9A-Za-z+/=]{4,})", By::Alphabet(LETTERS)),
    ("ciphertext", r"ENC\[AES256_GCM,data:([^\]\s…]+)", By::Alphabet(LETTERS)),
    ("iv", r",(?:iv|tag):([0-9A-Za-z+/=]{8,})", By::Alphabet(LETTERS)),
    ("recipient", r"\bage1([0-9a-z]{6,})", By::Alphabet("acdefghjklmnpqrstuvwxyz023456789")),
    ("arn", r"secret:\S+-([0-9A-Za-z]{6})\b", By::Alphabet(LETTERS)),
    ("resource", r"-([0-9A-F]{12,13})\b", By::Alphabet(UPPER_HEX)),
    ("directory", r"\b(?:plumb-(?:tests|demo)-|\.tmp)([0-9A-Za-z]{6})\b", By::Alphabet(LETTERS)),
    ("port", r"\b(?:127\.0\.0\.1|localhost):(\d{5})\b", By::Alphabet(DIGITS)),
    ("instant", r"\b(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)", By::Fixed("2025-11-20T02:11:04")),
    ("date", r"\b(\d{4}-\d\d-\d\d)\b", By::Fixed("2025-11-20")),
    ("day", r"\b((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d\d)\b", By::Fixed("Nov 18")),
    ("time", r"\b(\d\d:\d\d:\d\d)\b", By::Fixed("02:41:07")),
    ("moment", r"(?:^|[^:\d])(\d\d:\d\d)(?:$|[^:\d])", By::Fixed("02:11")),
    ("cost", r"\b(\d\d) calls\b", By::Fixed("37")),
    ("small cost", r"\b(\d) calls\b", By::Fixed("5")),
    ("percentile", r"p50( +[\d.]+ m?s)", By::Right("11.3 ms")),
    ("other percentile", r"p95( +[\d.]+ m?s)", By::Right("24.3 ms")),
    ("spinner", "([⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏])", By::Fixed("⠹")),
    ("key age", r"key \d+ +\w+ +\d{4}-\d\d-\d\d( +\d+ [smhd])\b", By::Right("12 d")),
    ("latency", r"(?:passed|failed|error|unproven) +[a-z][^.]*?(  +[\d.]+ m?s)\b", By::Right("12.3 ms")),
    ("elapsed", r"(\d+ s of about .{7})", By::Fixed("0 s of about 2 s    ")),
    ("took", r"(?:= ok .*|[!=] [A-Z_]+_COMPLETE)  (\d s  |\d\d s )", By::Fixed("2 s  ")),
];

static SHAPES: LazyLock<Vec<Regex>> =
    LazyLock::new(|| RULES.iter().map(|(_, shape, _)| Regex::new(shape).expect("a regular expression")).collect());

/// What has been replaced so far. One for each picture, or for a row of pictures that are seen together.
pub struct StandIns {
    /// Full ids, the oldest first.
    commits: Vec<String>,
    /// How many of the screen's rows have something new.
    rows: u16,
    seen: BTreeMap<(&'static str, String), usize>,
}

impl StandIns {
    /// For the screens of a project with these commits, the oldest first.
    pub fn new(commits: &[String]) -> Self {
        Self { commits: commits.to_vec(), rows: u16::MAX, seen: BTreeMap::new() }
    }

    /// In the uppermost rows alone: those below them show nothing that is new each time.
    pub fn in_rows(self, rows: u16) -> Self {
        Self { rows, ..self }
    }

    /// The screen with everything replaced.
    pub fn screen(&mut self, screen: &vt100::Screen) -> vt100::Screen {
        let (rows, columns) = screen.size();
        let mut parser = vt100::Parser::new(rows, columns, 0);
        parser.process(screen.contents_formatted().as_bytes());
        for row in 0..rows.get().min(self.rows) {
            let (text, places) = line(screen, row, columns);
            for (start, new) in self.replacements(&text) {
                for (offset, character) in new.chars().enumerate() {
                    let column = places[start + offset];
                    let cell = screen.cell(row, column).expect("a cell of the screen");
                    let look = look(cell);
                    parser.process(format!("\x1b[{};{}H\x1b[0{look}m{character}", row + 1, column + 1).as_bytes());
                }
            }
        }
        parser.process(b"\x1b[0m");
        parser.process(screen.cursor_state_formatted().as_bytes());
        parser.screen().clone()
    }

    /// A text with everything replaced.
    pub fn text(&mut self, text: &str) -> String {
        let mut replaced: Vec<char> = text.chars().collect();
        for (start, new) in self.replacements(text) {
            for (offset, character) in new.chars().enumerate() {
                replaced[start + offset] = character;
            }
        }
        replaced.into_iter().collect()
    }

    /// Where, counted in characters, what stands in.
    fn replacements(&mut self, text: &str) -> Vec<(usize, String)> {
        let mut found: Vec<(usize, usize, usize)> = Vec::new();
        for (rule, shape) in SHAPES.iter().enumerate() {
            for captures in shape.captures_iter(text) {
                let group = captures.get(1).expect("a rule has a group");
                let taken = |(start, end, _): &(usize, usize, usize)| group.start() < *end && *start < group.end();
                let is_known = !matches!(RULES[rule].2, By::Commit) || self.commit(group.as_str()).is_some();
                if is_known && !found.iter().any(taken) {
                    found.push((group.start(), group.end(), rule));
                }
            }
        }
        found.sort_unstable();
        let replace = |(start, end, rule): (usize, usize, usize)| {
            (text[..start].chars().count(), self.stand_in(rule, &text[start..end]))
        };
        found.into_iter().map(replace).collect()
    }

    fn commit(&self, id: &str) -> Option<usize> {
        self.commits.iter().position(|commit| commit.starts_with(id))
    }

    fn stand_in(&mut self, rule: usize, old: &str) -> String {
        let (kind, _, by) = &RULES[rule];
        match by {
            By::Fixed(text) => (*text).to_owned(),
            By::Right(text) => format!("{text:>0$}", old.chars().count()),
            By::Commit => spell(kind, self.commit(old).unwrap_or_default(), HEX, old),
            By::Alphabet(alphabet) => {
                let next = self.seen.keys().filter(|(seen, _)| seen == kind).count();
                let number = *self.seen.entry((kind, old.to_owned())).or_insert(next);
                spell(kind, number, alphabet, old)
            }
        }
    }
}

/// As many letters as the old text has, its hyphens where they are.
fn spell(kind: &str, number: usize, alphabet: &str, old: &str) -> String {
    let letters = alphabet.as_bytes();
    let mut digest = Sha256::digest(format!("{kind} {number}")).to_vec();
    while digest.len() < old.len() {
        let more = Sha256::digest(&digest);
        digest.extend(more);
    }
    let pairs = old.chars().zip(digest);
    pairs
        .map(|(old, byte)| if old == '-' { '-' } else { char::from(letters[usize::from(byte) % letters.len()]) })
        .collect()
}

/// A row as text, and the column of each of its characters; a character of several stands for its cell by its first.
fn line(screen: &vt100::Screen, row: u16, columns: NonZeroU16) -> (String, Vec<u16>) {
    let mut places = Vec::new();
    let mut text = String::new();
    for column in 0..columns.get() {
        let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else { continue };
        text.push(cell.contents().chars().next().unwrap_or(' '));
        places.push(column);
    }
    (text, places)
}

/// The rest of the escape sequence that gives a cell's look, after `CSI 0`.
fn look(cell: &vt100::Cell) -> String {
    let flags = [
        (cell.bold(), ";1"),
        (cell.dim(), ";2"),
        (cell.italic(), ";3"),
        (cell.underline(), ";4"),
        (cell.inverse(), ";7"),
    ];
    let colour = |colour: vt100::Color, base: u8| match colour {
        vt100::Color::Default => String::new(),
        vt100::Color::Idx(index) => format!(";{base};5;{index}"),
        vt100::Color::Rgb(red, green, blue) => format!(";{base};2;{red};{green};{blue}"),
    };
    let flags: String = flags.iter().filter(|(on, _)| *on).map(|(_, code)| *code).collect();
    format!("{flags}{}{}", colour(cell.fgcolor(), 38), colour(cell.bgcolor(), 48))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand_ins() -> StandIns {
        StandIns::new(&["a1b2c3d4".repeat(5), "0123abcd".repeat(5)])
    }

    #[test]
    fn two_runs_that_differ_only_in_ids_and_times_look_alike() {
        let rows = [
            ("git HEAD a1b2c3d \"Begin\"  live  read 11:07:15", "git HEAD a1b2c3d \"Begin\"  live  read 23:59:59"),
            ("•••• fp 7aac  •••• fp 4c93  •••• fp 7aac", "•••• fp 0001  •••• fp ffff  •••• fp 0001"),
            ("changed  11:07, 6 h ago", "changed  00:12, 6 h ago"),
            ("arn secret:prod/petshop/stripe-6eff26", "arn secret:prod/petshop/stripe-000000"),
            ("http://127.0.0.1:40269/x", "http://127.0.0.1:51111/x"),
            ("version qyrG31dV6TF…  unknown zip LurMC1", "version AAAAAAAAAAA…  unknown zip 000000"),
        ];
        for (one, other) in rows {
            let replaced = stand_ins().text(one);
            assert_eq!(replaced, stand_ins().text(other));
            assert_eq!(replaced.chars().count(), one.chars().count(), "{replaced}");
        }
    }

    #[test]
    fn what_differs_stays_different_and_what_is_equal_equal() {
        let text = stand_ins().text("fp 7aac fp 4c93 fp 7aac a1b2c3d 0123abc a1b2c3d4a1");
        let words: Vec<&str> = text.split(' ').collect();
        assert_eq!(words[1], words[5]);
        assert_ne!(words[1], words[3]);
        assert_ne!(words[6], words[7]);
        assert!(words[8].starts_with(words[6]), "{text}");
        assert_ne!(stand_ins().text("fp 7aac fp 4c93"), stand_ins().text("fp 7aac fp 7aac"));
    }

    #[test]
    fn what_is_no_id_stays() {
        for text in ["deadbee is no commit", "version 2  runs", "2 stacks  ? 14", "1:23 and 100 %", "tree d454201"] {
            assert_eq!(stand_ins().text(text), text);
        }
    }

    #[test]
    fn a_screen_keeps_its_looks_and_its_cursor() {
        let size = (NonZeroU16::new(2).unwrap(), NonZeroU16::new(30).unwrap());
        let draw = |id: &str| {
            let mut parser = vt100::Parser::new(size.0, size.1, 0);
            parser.process(format!("漢 \x1b[1;38;2;1;2;3mfp {id}\x1b[0m end\x1b[2;4H").as_bytes());
            stand_ins().screen(parser.screen())
        };
        let (one, other) = (draw("7aac"), draw("ffff"));
        assert_eq!(one.contents_formatted(), other.contents_formatted());
        let cell = one.cell(0, 6).unwrap();
        assert!(cell.bold() && cell.fgcolor() == vt100::Color::Rgb(1, 2, 3), "{}", one.contents());
        assert_eq!((one.cursor_position(), one.contents().starts_with("漢 fp ")), ((1, 3), true));
        assert!(one.contents().contains(" end"));
    }
}
