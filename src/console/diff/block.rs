//! One value of up to three sides as rows of lines that belong together.
//!
//! Rows hold places in the texts and no text, so that a value that is revealed is kept once and wiped with its block.

use std::ops::Range;

use zeroize::Zeroizing;

use super::align;

/// Equal lines that are shown before and after a difference.
const CONTEXT: usize = 3;

/// Git, applied, live; what a side does not have is `None`.
pub(super) type Three<T> = [Option<T>; 3];

/// The texts of the sides, and the rows of their lines.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// The texts that the rows point into.
    pub(super) texts: [Zeroizing<String>; 3],
    /// The rows, top down.
    pub(super) rows: Vec<Row>,
}

/// A row of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Row {
    /// A line of each side that has one.
    Line {
        /// Where the line is in each side's text.
        cells: Three<Range<usize>>,
        /// Whether all sides have it, and say the same.
        equal: bool,
    },
    /// Equal lines, members or elements that are left out.
    Skipped {
        /// How many.
        count: usize,
        /// How far the row is indented.
        indent: usize,
    },
}

/// A step through things that are equal or not.
pub(super) enum Step {
    /// Shows one.
    Show(usize),
    /// Leaves some out.
    Skip(Range<usize>),
}

/// The steps through things of which only those near a difference are shown, unless all are.
pub(super) fn steps(equal: &[bool], context: usize, all: bool) -> Vec<Step> {
    let mut steps = Vec::with_capacity(equal.len());
    let mut at = 0;
    while at < equal.len() {
        let end = at + equal[at..].iter().take_while(|equal| **equal).count();
        let before = if at == 0 { 0 } else { context };
        let after = if end == equal.len() { 0 } else { context };
        // A line that says that one line is left out would be as long as that line.
        if all || end - at <= before + after + 1 {
            steps.extend((at..end).map(Step::Show));
        } else {
            steps.extend((at..at + before).map(Step::Show));
            steps.push(Step::Skip(at + before..end - after));
            steps.extend((end - after..end).map(Step::Show));
        }
        if end < equal.len() {
            steps.push(Step::Show(end));
        }
        at = end + 1;
    }
    steps
}

impl Block {
    /// Puts words in the place of a side that has no text: beside the first line of the others.
    pub(super) fn speak(&mut self, side: usize, words: &str) {
        self.texts[side] = Zeroizing::new(words.to_owned());
        let free = self.rows.iter_mut().find_map(|row| match row {
            Row::Line { cells, .. } => Some(&mut cells[side]),
            Row::Skipped { .. } => None,
        });
        if let Some(cell) = free {
            *cell = Some(0..words.len());
            return;
        }
        let mut cells: Three<Range<usize>> = [None, None, None];
        cells[side] = Some(0..words.len());
        self.rows.insert(0, Row::Line { cells, equal: false });
    }

    /// Texts line by line; of lines far from a difference only the number is told, unless all are shown.
    pub(super) fn of_texts(texts: Three<&str>, with_applied: bool, all: bool) -> Self {
        let ends: Vec<bool> = texts.iter().flatten().map(|text| text.ends_with('\n')).collect();
        let ends_differ = ends.iter().any(|end| *end != ends[0]);
        let texts = texts.map(|text| {
            let mut text = Zeroizing::new(text.unwrap_or_default().to_owned());
            // A line end that only some sides have at their end would not be seen otherwise.
            if ends_differ && text.ends_with('\n') {
                text.pop();
                text.push('\u{240a}');
            }
            text
        });
        let spans: Vec<Vec<Range<usize>>> = texts.iter().map(|text| line_spans(text)).collect();
        let lines = |side: usize| -> Vec<&str> { spans[side].iter().map(|span| &texts[side][span.clone()]).collect() };
        let (git, applied, live) = (lines(0), lines(1), lines(2));
        let [git, applied, live] = align::numbered([&git[..], &applied[..], &live[..]]);
        let rows = align::rows(&git, with_applied.then_some(&applied[..]), &live);
        let is_equal = |[g, a, l]: &Three<usize>| {
            let (g, a, l) = (g.map(|at| git[at]), a.map(|at| applied[at]), l.map(|at| live[at]));
            g.is_some() && g == l && (!with_applied || a == g)
        };
        let equal: Vec<bool> = rows.iter().map(is_equal).collect();
        let row = |step: Step| match step {
            Step::Skip(range) => Row::Skipped { count: range.len(), indent: 0 },
            Step::Show(at) => {
                let mut cells: Three<Range<usize>> = [None, None, None];
                for (side, place) in rows[at].iter().enumerate() {
                    cells[side] = place.map(|line| spans[side][line].clone());
                }
                Row::Line { cells, equal: equal[at] }
            }
        };
        let rows = steps(&equal, CONTEXT, all).into_iter().map(row).collect();
        Self { texts, rows }
    }
}

fn line_spans(text: &str) -> Vec<Range<usize>> {
    let mut at = 0;
    let line = |line: &str| {
        let start = at;
        at += line.len();
        start..start + line.strip_suffix('\n').unwrap_or(line).len()
    };
    text.split_inclusive('\n').map(line).collect()
}
