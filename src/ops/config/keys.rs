//! A key as it is typed, in a document's tree: found, put in, taken out.

use crate::compare::Why;
use crate::sops::Node;

/// The keys from the root that a text means. What is there wins, so that a key that holds the joiner itself is found;
/// what is not there is taken apart at each joiner.
pub(super) fn path_of(node: &Node, key: &str, joiner: &str) -> Vec<String> {
    existing(node, key, joiner).unwrap_or_else(|| beginning(node, key, joiner))
}

fn existing(node: &Node, key: &str, joiner: &str) -> Option<Vec<String>> {
    if node.get(&[key]).is_some() {
        return Some(vec![key.to_owned()]);
    }
    let mut joints = key.match_indices(joiner).filter(|(at, _)| *at > 0);
    joints.find_map(|(at, _)| {
        let (first, rest) = (&key[..at], &key[at + joiner.len()..]);
        let mut path = existing(node.get(&[first])?, rest, joiner)?;
        path.insert(0, first.to_owned());
        Some(path)
    })
}

/// As much of it as is there, and the rest key by key.
fn beginning(node: &Node, key: &str, joiner: &str) -> Vec<String> {
    let Some((first, rest)) = key.split_once(joiner).filter(|(first, rest)| !first.is_empty() && !rest.is_empty())
    else {
        return vec![key.to_owned()];
    };
    let empty = Node::Map(Vec::new());
    let mut path = vec![first.to_owned()];
    path.extend(beginning(node.get(&[first]).unwrap_or(&empty), rest, joiner));
    path
}

/// Puts a value at a path; maps that are missing on the way are made.
pub(super) fn put(node: &mut Node, path: &[String], value: Node) -> Result<(), Why> {
    let Some((first, rest)) = path.split_first() else {
        *node = value;
        return Ok(());
    };
    match node {
        Node::Map(members) => {
            let at = members.iter().position(|(key, _)| key == first).unwrap_or_else(|| {
                members.push((first.clone(), Node::Map(Vec::new())));
                members.len() - 1
            });
            put(&mut members[at].1, rest, value).map_err(|why| under(first, why))
        }
        Node::List(items) => {
            let count = items.len();
            let at = first.parse::<usize>().ok().filter(|at| *at <= count);
            let at = at.ok_or_else(|| Why::new(format!("{first} is no place in a list of {count}, counted from 0")))?;
            if at == count {
                items.push(Node::Map(Vec::new()));
            }
            put(&mut items[at], rest, value).map_err(|why| under(first, why))
        }
        Node::Leaf(_) => Err(Why::new("it is a value, and has no keys below it").hint("unset it first")),
    }
}

fn under(key: &str, why: Why) -> Why {
    Why { reason: format!("{key}: {}", why.reason), ..why }
}

/// Takes out what is at a path; `false`: nothing is.
pub(super) fn take(node: &mut Node, path: &[String]) -> bool {
    let Some((first, rest)) = path.split_first() else { return false };
    match (node, rest) {
        (Node::Map(members), []) => {
            let before = members.len();
            members.retain(|(key, _)| key != first);
            members.len() < before
        }
        (Node::Map(members), rest) => {
            members.iter_mut().find(|(key, _)| key == first).is_some_and(|(_, value)| take(value, rest))
        }
        (Node::List(items), rest) => match (first.parse::<usize>().ok().filter(|at| *at < items.len()), rest) {
            (Some(at), []) => {
                items.remove(at);
                true
            }
            (Some(at), rest) => take(&mut items[at], rest),
            (None, _) => false,
        },
        (Node::Leaf(_), _) => false,
    }
}

/// Every value's key, as it is typed; an empty map or list is one.
pub(super) fn all(node: &Node, joiner: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(node, "", joiner, &mut found);
    found
}

fn collect(node: &Node, above: &str, joiner: &str, found: &mut Vec<String>) {
    match node {
        Node::Map(members) if !members.is_empty() => {
            for (key, value) in members {
                let key = if above.is_empty() { key.clone() } else { format!("{above}{joiner}{key}") };
                collect(value, &key, joiner, found);
            }
        }
        _ if above.is_empty() => {}
        _ => found.push(above.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(members: Vec<(&str, Node)>) -> Node {
        Node::Map(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    fn tree() -> Node {
        let db = map(vec![("pool", Node::text("20")), ("a/b", Node::text("odd"))]);
        map(vec![("db", db), ("x/y", Node::text("whole")), ("list", Node::List(vec![Node::text("one")]))])
    }

    #[test]
    fn a_key_means_what_is_there_and_else_one_key_for_each_part() {
        let rows: [(&str, &[&str]); 8] = [
            ("db/pool", &["db", "pool"]),
            ("x/y", &["x/y"]),
            ("db/a/b", &["db", "a/b"]),
            ("db/new/deep", &["db", "new", "deep"]),
            ("new", &["new"]),
            ("list/0", &["list", "0"]),
            ("/odd", &["/odd"]),
            ("odd/", &["odd/"]),
        ];
        for (key, path) in rows {
            assert_eq!(path_of(&tree(), key, "/"), path, "{key}");
        }
    }

    #[test]
    fn what_is_put_in_is_there_and_what_is_taken_out_is_not() {
        let mut node = tree();
        for key in ["db/pool", "db/new/deep", "list/1", "list/0", "fresh"] {
            let path = path_of(&node, key, "/");
            put(&mut node, &path, Node::text(key)).unwrap();
            let steps: Vec<&str> = path.iter().map(String::as_str).collect();
            assert_eq!(node.get(&steps), Some(&Node::text(key)), "{key}");
            assert!(take(&mut node, &path), "{key}");
            assert!(!take(&mut node, &path), "{key}");
        }
        let path = path_of(&node, "x/y/z", "/");
        assert_eq!(path, ["x", "y", "z"]);
        let wrong = put(&mut node, &["x/y".to_owned(), "z".to_owned()], Node::text("")).unwrap_err();
        assert_eq!(wrong.reason, "x/y: it is a value, and has no keys below it");
        assert!(put(&mut node, &["list".to_owned(), "9".to_owned()], Node::text("")).is_err());
    }

    #[test]
    fn all_keys_are_those_of_values() {
        assert_eq!(all(&tree(), "/"), ["db/pool", "db/a/b", "x/y", "list"]);
    }
}
