//! What changed between two JSON values.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use serde_json::{Map, Value};
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// One difference between two values.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it is. The index of a removed array element counts in the old array, every other one in the new array.
    pub path: Path,
    /// What the old value has there; `None`: nothing, it was added.
    pub before: Option<Value>,
    /// What the new value has there; `None`: nothing, it was removed.
    pub after: Option<Value>,
}

/// A place within a JSON value: the steps from its root, printed with `.` between them (`Tags.0.Value`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Path(pub Vec<Step>);

/// One step into a JSON value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// Into the member of an object.
    Key(String),
    /// Into the element of an array, counted from 0.
    Index(usize),
}

/// The differences that lead from `a` to `b`, in the order of `a`; none when they are equal.
///
/// The order of an object's members does not count. The elements of an array are aligned, so that one inserted
/// element is one change. Numbers are equal when they are written alike: `1` and `1.0` differ.
#[must_use]
pub fn structural(a: &Value, b: &Value) -> Vec<Change> {
    let mut walk = Walk { path: Vec::new(), changes: Vec::new() };
    walk.values(a, b);
    walk.changes
}

struct Walk {
    path: Vec<Step>,
    changes: Vec<Change>,
}

impl Walk {
    fn values(&mut self, a: &Value, b: &Value) {
        match (a, b) {
            (Value::Object(a), Value::Object(b)) => self.objects(a, b),
            (Value::Array(a), Value::Array(b)) => self.arrays(a, b),
            (a, b) if a == b => {}
            (a, b) => self.change(Some(a), Some(b)),
        }
    }

    fn objects(&mut self, a: &Map<String, Value>, b: &Map<String, Value>) {
        for (key, before) in a {
            self.within(Step::Key(key.clone()), |walk| match b.get(key) {
                Some(after) => walk.values(before, after),
                None => walk.change(Some(before), None),
            });
        }
        for (key, after) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
            self.within(Step::Key(key.clone()), |walk| walk.change(None, Some(after)));
        }
    }

    fn arrays(&mut self, a: &[Value], b: &[Value]) {
        let mut known = HashMap::new();
        // Whole elements are hashed once here, instead of at every step of the alignment.
        let mut number = |value| {
            let next = known.len();
            *known.entry(value).or_insert(next)
        };
        let old: Vec<usize> = a.iter().map(&mut number).collect();
        let new: Vec<usize> = b.iter().map(&mut number).collect();
        for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
            if !matches!(op, DiffOp::Equal { .. }) {
                self.hunk(a, op.old_range(), b, op.new_range());
            }
        }
    }

    /// Elements that were replaced: one by one as far as both sides go, the rest removed or added.
    fn hunk(&mut self, a: &[Value], old: Range<usize>, b: &[Value], new: Range<usize>) {
        let paired = old.len().min(new.len());
        let (removed, added) = (old.start + paired..old.end, new.start + paired..new.end);
        for (i, j) in old.zip(new) {
            if let (Some(before), Some(after)) = (a.get(i), b.get(j)) {
                self.within(Step::Index(j), |walk| walk.values(before, after));
            }
        }
        for i in removed {
            self.within(Step::Index(i), |walk| walk.change(a.get(i), None));
        }
        for j in added {
            self.within(Step::Index(j), |walk| walk.change(None, b.get(j)));
        }
    }

    fn within(&mut self, step: Step, walk: impl FnOnce(&mut Self)) {
        self.path.push(step);
        walk(self);
        self.path.pop();
    }

    fn change(&mut self, before: Option<&Value>, after: Option<&Value>) {
        let path = Path(self.path.clone());
        self.changes.push(Change { path, before: before.cloned(), after: after.cloned() });
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            match step {
                Step::Key(key) => f.write_str(key)?,
                Step::Index(index) => write!(f, "{index}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Change {
    // The values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (&self.before, &self.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        write!(f, "{} {what}", self.path)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parsed(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn told(a: &str, b: &str) -> Vec<String> {
        let show = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), Value::to_string);
        let tell = |change: Change| format!("{}: {} -> {}", change.path, show(&change.before), show(&change.after));
        structural(&parsed(a), &parsed(b)).into_iter().map(tell).collect()
    }

    #[test]
    fn differences_are_told_by_place() {
        for (name, a, b, expected) in [
            ("equal values have none", r#"{"a":[1,{"b":null}]}"#, r#"{"a":[1,{"b":null}]}"#, vec![]),
            ("the order of members does not count", r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, vec![]),
            ("the order of elements counts", "[1,2]", "[2,1]", vec!["0: nothing -> 2", "1: 2 -> nothing"]),
            ("a number is what is written", "1", "1.0", vec![": 1 -> 1.0"]),
            ("long numbers keep all digits", "0.10000000000000000001", "0.1", vec![": 0.10000000000000000001 -> 0.1"]),
            ("null is a value", r#"{"a":null}"#, "{}", vec!["a: null -> nothing"]),
            ("a nested member", r#"{"a":{"b":1}}"#, r#"{"a":{"b":2,"c":3}}"#, vec!["a.b: 1 -> 2", "a.c: nothing -> 3"]),
            ("a changed type", r#"{"a":[1]}"#, r#"{"a":{"0":1}}"#, vec![r#"a: [1] -> {"0":1}"#]),
            ("one insertion is one change", "[1,2,3,4]", "[1,9,2,3,4]", vec!["1: nothing -> 9"]),
            ("one removal is one change", "[1,9,2,3,4]", "[1,2,3,4]", vec!["1: 9 -> nothing"]),
            ("an element is entered", r#"[{"k":1,"v":2}]"#, r#"[{"k":1,"v":3}]"#, vec!["0.v: 2 -> 3"]),
            (
                "an element is entered at its new place",
                r#"["x",{"v":2},"y"]"#,
                r#"["w","x",{"v":3},"y"]"#,
                vec!["0: nothing -> \"w\"", "2.v: 2 -> 3"],
            ),
        ] {
            assert_eq!(told(a, b), expected, "{name}");
        }
    }

    #[test]
    fn a_change_prints_no_value() {
        let changes = structural(&json!({"password": "hunter2"}), &json!({"password": "hunter3", "new": 1}));
        assert_eq!(format!("{changes:?}"), "[password changed, new added]");
    }

    #[test]
    fn big_values_are_aligned() {
        let a: Value = (0..50_000).map(|n| json!({"Key": n.to_string(), "Value": [n, n]})).collect();
        assert!(structural(&a, &a.clone()).is_empty());
        let mut b = a.clone();
        b.as_array_mut().unwrap().insert(25_000, json!("new"));
        b.as_array_mut().unwrap().remove(7);
        assert_eq!(format!("{:?}", structural(&a, &b)), "[7 removed, 24999 added]");
        let c: Value = (0..5_000).map(|n| json!(n)).collect();
        let d: Value = (5_000..10_000).map(|n| json!(n)).collect();
        assert_eq!(structural(&c, &d).len(), 5_000);
    }

    /// Carries changes out, by what their documentation says and nothing else.
    fn apply(value: Value, changes: Vec<(Vec<Step>, Change)>) -> Value {
        if let Some((_, change)) = changes.iter().find(|(path, _)| path.is_empty()) {
            return change.after.clone().unwrap();
        }
        match value {
            Value::Object(mut members) => {
                for (key, inner) in by_first_step(changes) {
                    let Step::Key(key) = key else { panic!("an index into an object") };
                    match whole(&inner).map(|change| &change.after) {
                        Some(None) => drop(members.remove(&key)),
                        Some(Some(after)) => drop(members.insert(key, after.clone())),
                        None => {
                            let old = members.remove(&key).unwrap();
                            members.insert(key, apply(old, inner));
                        }
                    }
                }
                Value::Object(members)
            }
            Value::Array(mut elements) => {
                let is_removal = |(path, change): &(Vec<Step>, Change)| path.len() == 1 && change.after.is_none();
                let (removals, others): (Vec<_>, Vec<_>) = changes.into_iter().partition(is_removal);
                let mut gone: Vec<usize> = removals.iter().map(|(path, _)| index(&path[0])).collect();
                gone.sort_unstable();
                for at in gone.into_iter().rev() {
                    elements.remove(at);
                }
                let is_addition = |(path, change): &(Vec<Step>, Change)| path.len() == 1 && change.before.is_none();
                let (mut additions, others): (Vec<_>, Vec<_>) = others.into_iter().partition(is_addition);
                additions.sort_by_key(|(path, _)| index(&path[0]));
                for (path, change) in additions {
                    elements.insert(index(&path[0]), change.after.unwrap());
                }
                for (step, inner) in by_first_step(others) {
                    let at = index(&step);
                    elements[at] = match whole(&inner) {
                        Some(change) => change.after.clone().unwrap(),
                        None => apply(elements[at].take(), inner),
                    };
                }
                Value::Array(elements)
            }
            scalar => {
                assert!(changes.is_empty());
                scalar
            }
        }
    }

    fn index(step: &Step) -> usize {
        match step {
            Step::Index(index) => *index,
            Step::Key(_) => panic!("a key into an array"),
        }
    }

    fn whole(inner: &[(Vec<Step>, Change)]) -> Option<&Change> {
        inner.iter().find(|(path, _)| path.is_empty()).map(|(_, change)| change)
    }

    fn by_first_step(changes: Vec<(Vec<Step>, Change)>) -> HashMap<Step, Vec<(Vec<Step>, Change)>> {
        let mut groups: HashMap<Step, Vec<_>> = HashMap::new();
        for (mut path, change) in changes {
            let first = path.remove(0);
            groups.entry(first).or_default().push((path, change));
        }
        groups
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..4).prop_map(Value::from),
            Just(parsed("1.0")),
            "[ab]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                proptest::collection::vec(("[abc]", inner), 0..4).prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_changes_carried_out_on_a_give_b(a in value(), b in value()) {
            let changes = structural(&a, &b);
            prop_assert_eq!(changes.is_empty(), a == b);
            let paths = changes.into_iter().map(|change| (change.path.0.clone(), change)).collect();
            prop_assert_eq!(apply(a, paths), b);
        }

        #[test]
        fn one_insertion_is_one_change(elements in proptest::collection::vec(0..3, 0..20), at in any::<prop::sample::Index>()) {
            let at = at.index(elements.len() + 1);
            let mut longer = elements.clone();
            longer.insert(at, 9);
            let changes = structural(&json!(elements), &json!(longer));
            prop_assert_eq!(changes, [Change { path: Path(vec![Step::Index(at)]), before: None, after: Some(json!(9)) }]);
        }
    }
}
