//! Objects and arrays side by side, folded to what differs.
//!
//! Members stand beside the member of the same name, whatever their order; elements are aligned. What is equal is one
//! line, or one of a number.

use std::ops::Range;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::align;
use super::block::{Block, Row, Step, Three, steps};

/// Equal members or elements that are shown before and after one that differs.
const CONTEXT: usize = 1;

/// The rows of documents; `None` on a side that has none. The applied side counts only when it is asked for.
pub(super) fn block(sides: Three<&Value>, with_applied: bool, all: bool) -> Block {
    let mut walk = Walk { block: Block::default(), with_applied, all };
    walk.value(0, None, sides, [false; 3]);
    walk.block
}

struct Walk {
    block: Block,
    with_applied: bool,
    all: bool,
}

/// A member of an object or an element of an array, on each side that has it.
struct Member<'a> {
    key: Option<&'a str>,
    values: Three<&'a Value>,
    commas: [bool; 3],
}

impl Walk {
    fn counts(&self, side: usize) -> bool {
        side != 1 || self.with_applied
    }

    fn is_equal(&self, values: Three<&Value>) -> bool {
        values[0].is_some() && (0..3).filter(|side| self.counts(*side)).all(|side| values[side] == values[0])
    }

    fn value(&mut self, indent: usize, key: Option<&str>, values: Three<&Value>, commas: [bool; 3]) {
        if self.is_equal(values) {
            return self.equal(indent, key, values, commas);
        }
        let present =
            || values.iter().enumerate().filter(|(side, _)| self.counts(*side)).filter_map(|(_, value)| *value);
        let several = present().count() > 1;
        if several && present().all(Value::is_object) {
            let members = members(values.map(|value| value.and_then(Value::as_object)));
            self.container(indent, key, values, commas, ('{', '}'), &members);
        } else if several && present().all(Value::is_array) {
            let members =
                elements(values.map(|value| value.and_then(Value::as_array).map(Vec::as_slice)), self.with_applied);
            self.container(indent, key, values, commas, ('[', ']'), &members);
        } else {
            self.replaced(indent, key, values, commas);
        }
    }

    fn container(
        &mut self,
        indent: usize,
        key: Option<&str>,
        values: Three<&Value>,
        commas: [bool; 3],
        (open, close): (char, char),
        members: &[Member<'_>],
    ) {
        self.line(values, |out, _| write_start(out, indent, key, open));
        let equal: Vec<bool> = members.iter().map(|member| self.is_equal(member.values)).collect();
        for step in steps(&equal, CONTEXT, self.all) {
            match step {
                Step::Skip(range) => {
                    self.block.rows.push(Row::Skipped { count: range.len(), indent: indent + 2 });
                }
                Step::Show(at) => {
                    let member = &members[at];
                    self.value(indent + 2, member.key, member.values, member.commas);
                }
            }
        }
        self.line(values, |out, side| {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push(close);
            out.extend(commas[side].then_some(','));
        });
    }

    /// A line of every side that has the value; equal when all have.
    fn line(&mut self, values: Three<&Value>, write: impl Fn(&mut String, usize)) {
        let mut cells: Three<Range<usize>> = [None, None, None];
        for side in 0..3 {
            if values[side].is_some() && self.counts(side) {
                cells[side] = Some(written(&mut self.block.texts[side], |out| write(out, side)));
            }
        }
        let equal = (0..3).filter(|side| self.counts(*side)).all(|side| cells[side].is_some());
        self.block.rows.push(Row::Line { cells, equal });
    }

    /// What all sides have: one line of a container unless everything is shown, always in the words of git.
    fn equal(&mut self, indent: usize, key: Option<&str>, values: Three<&Value>, commas: [bool; 3]) {
        let Some(value) = values[0] else { return };
        let folded = match value {
            Value::Object(members) if !members.is_empty() && !self.all => Some(('{', members.len(), '}')),
            Value::Array(elements) if !elements.is_empty() && !self.all => Some(('[', elements.len(), ']')),
            _ => None,
        };
        if let Some((open, count, close)) = folded {
            return self.line(values, |out, side| {
                write_start(out, indent, key, open);
                out.push_str("… ");
                out.push_str(&count.to_string());
                out.push_str(" equal");
                out.push(close);
                out.extend(commas[side].then_some(','));
            });
        }
        self.lines(indent, key, [Some(value), self.with_applied.then_some(value), Some(value)], commas, true);
    }

    /// What is not the same sort of thing on all sides, or on one side only.
    fn replaced(&mut self, indent: usize, key: Option<&str>, values: Three<&Value>, commas: [bool; 3]) {
        self.lines(indent, key, values, commas, false);
    }

    fn lines(&mut self, indent: usize, key: Option<&str>, values: Three<&Value>, commas: [bool; 3], equal: bool) {
        let mut spans: [Vec<Range<usize>>; 3] = Default::default();
        for side in 0..3 {
            if let Some(value) = values[side].filter(|_| self.counts(side)) {
                write_value(&mut self.block.texts[side], &mut spans[side], indent, key, value, commas[side]);
            }
        }
        let longest = spans.iter().map(Vec::len).max().unwrap_or(0);
        let row = |at: usize| {
            let cell = |side: usize| spans[side].get(at).cloned();
            Row::Line { cells: [cell(0), cell(1), cell(2)], equal }
        };
        self.block.rows.extend((0..longest).map(row));
    }
}

/// Members by name: git's order first, then what only the others have.
fn members<'a>(objects: Three<&'a Map<String, Value>>) -> Vec<Member<'a>> {
    let mut keys: Vec<&'a str> = Vec::new();
    for (at, object) in [0, 2, 1].into_iter().enumerate() {
        let earlier = [0, 2, 1].into_iter().take(at).collect::<Vec<_>>();
        let known = |key: &str| earlier.iter().any(|side| objects[*side].is_some_and(|all| all.contains_key(key)));
        keys.extend(objects[object].into_iter().flat_map(Map::keys).map(String::as_str).filter(|key| !known(key)));
    }
    let last = objects.map(|object| keys.iter().rposition(|key| object.is_some_and(|all| all.contains_key(*key))));
    let member = |(at, key): (usize, &&'a str)| Member {
        key: Some(*key),
        values: objects.map(|object| object.and_then(|all| all.get(*key))),
        commas: last.map(|last| last.is_some_and(|last| at < last)),
    };
    keys.iter().enumerate().map(member).collect()
}

fn elements<'a>(arrays: Three<&'a [Value]>, with_applied: bool) -> Vec<Member<'a>> {
    let sides = arrays.map(Option::unwrap_or_default);
    let [git, applied, live] = align::numbered(sides);
    let rows = align::rows(&git, with_applied.then_some(&applied[..]), &live);
    let member = |places: Three<usize>| {
        let at = |side: usize| places[side].and_then(|at| sides[side].get(at));
        let comma = |side: usize| places[side].is_some_and(|at| at + 1 < sides[side].len());
        Member { key: None, values: [at(0), at(1), at(2)], commas: [comma(0), comma(1), comma(2)] }
    };
    rows.into_iter().map(member).collect()
}

fn written(out: &mut String, write: impl FnOnce(&mut String)) -> Range<usize> {
    let start = out.len();
    write(out);
    start..out.len()
}

fn write_start(out: &mut String, indent: usize, key: Option<&str>, open: char) {
    write_key(out, indent, key);
    out.push(open);
}

fn write_key(out: &mut String, indent: usize, key: Option<&str>) {
    out.extend(std::iter::repeat_n(' ', indent));
    if let Some(key) = key {
        out.push_str(&Zeroizing::new(Value::from(key).to_string()));
        out.push_str(": ");
    }
}

/// A value with one member or element a line.
fn write_value(
    out: &mut String,
    lines: &mut Vec<Range<usize>>,
    indent: usize,
    key: Option<&str>,
    value: &Value,
    comma: bool,
) {
    let (open, close, count) = match value {
        Value::Object(members) if !members.is_empty() => ('{', '}', members.len()),
        Value::Array(elements) if !elements.is_empty() => ('[', ']', elements.len()),
        scalar => {
            lines.push(written(out, |out| {
                write_key(out, indent, key);
                out.push_str(&Zeroizing::new(scalar.to_string()));
                out.extend(comma.then_some(','));
            }));
            return;
        }
    };
    lines.push(written(out, |out| write_start(out, indent, key, open)));
    match value {
        Value::Object(members) => {
            for (at, (key, value)) in members.iter().enumerate() {
                write_value(out, lines, indent + 2, Some(key), value, at + 1 < count);
            }
        }
        Value::Array(elements) => {
            for (at, value) in elements.iter().enumerate() {
                write_value(out, lines, indent + 2, None, value, at + 1 < count);
            }
        }
        _ => {}
    }
    lines.push(written(out, |out| {
        out.extend(std::iter::repeat_n(' ', indent));
        out.push(close);
        out.extend(comma.then_some(','));
    }));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn drawn(sides: [&Value; 3], with_applied: bool, all: bool) -> Vec<String> {
        let block = block([Some(sides[0]), with_applied.then_some(sides[1]), Some(sides[2])], with_applied, all);
        let text = |row: &Row| match row {
            Row::Skipped { count, indent } => format!("{}… {count}", " ".repeat(*indent)),
            Row::Line { cells, equal } => {
                let cell = |side: usize| cells[side].clone().map_or("", |span| &block.texts[side][span]);
                match (equal, with_applied) {
                    (true, _) => cell(0).to_owned(),
                    (false, false) => format!("{} | {}", cell(0), cell(2)),
                    (false, true) => format!("{} | {} | {}", cell(0), cell(1), cell(2)),
                }
            }
        };
        block.rows.iter().map(text).collect()
    }

    #[test]
    fn what_is_equal_is_one_line_and_what_is_many_is_counted() {
        let git =
            json!({"tags": {"a": 1, "b": 2}, "pool": {"size": 20, "idle": 1}, "c": 1, "d": 2, "e": [], "f": 3, "g": 4});
        let live = json!({"pool": {"idle": 1, "size": 50}, "tags": {"b": 2, "a": 1}, "c": 1, "d": 2, "e": [], "f": 3, "g": 4, "new": [1]});
        assert_eq!(
            drawn([&git, &git, &live], false, false),
            [
                "{",
                "  \"tags\": {… 2 equal},",
                "  \"pool\": {",
                "    \"size\": 20, |     \"size\": 50,",
                "    \"idle\": 1",
                "  },",
                "  \"c\": 1,",
                "  … 3",
                "  \"g\": 4",
                " |   \"new\": [",
                " |     1",
                " |   ]",
                "}",
            ]
        );
        let all = drawn([&git, &git, &live], false, true);
        assert!(all.contains(&String::from("    \"a\": 1,")) && all.contains(&String::from("  \"f\": 3,")), "{all:#?}");
    }

    #[test]
    fn an_inserted_element_is_one_difference() {
        let (git, live) = (json!([1, 2, 3]), json!([1, 9, 2, 3]));
        assert_eq!(drawn([&git, &git, &live], false, true), ["[", "  1,", " |   9,", "  2,", "  3", "]"]);
    }

    #[test]
    fn three_sides_stand_in_one_row() {
        let (git, applied, live) = (json!({"a": 1, "b": 1}), json!({"a": 1, "b": 2}), json!({"a": 1, "b": 3}));
        let rows = drawn([&git, &applied, &live], true, false);
        assert_eq!(rows, ["{", "  \"a\": 1,", "  \"b\": 1 |   \"b\": 2 |   \"b\": 3", "}"]);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), (0..4).prop_map(Value::from), "[ab]{0,2}".prop_map(Value::from)];
        leaf.prop_recursive(3, 24, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                proptest::collection::vec(("[abc]", inner), 0..4).prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn unfolded_each_side_is_its_document(git in value(), applied in value(), live in value(), with_applied: bool) {
            let block = block([Some(&git), with_applied.then_some(&applied), Some(&live)], with_applied, true);
            for (side, value) in [&git, &applied, &live].into_iter().enumerate() {
                if side == 1 && !with_applied {
                    continue;
                }
                let mut text = String::new();
                for row in &block.rows {
                    let Row::Line { cells, .. } = row else { panic!("nothing is left out") };
                    text.extend(cells[side].clone().map(|span| &block.texts[side][span]));
                }
                prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), value, "{}", text);
            }
        }

        #[test]
        fn equal_documents_have_no_difference_and_others_have_one(git in value(), live in value()) {
            let block = block([Some(&git), None, Some(&live)], false, false);
            let differs = block.rows.iter().any(|row| matches!(row, Row::Line { equal: false, .. }));
            prop_assert_eq!(differs, git != live);
        }
    }
}
