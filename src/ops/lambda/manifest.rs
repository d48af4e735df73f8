//! Of a workspace's manifest the part that one package needs, so that it builds alone.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::compare::Why;
use crate::ops::failed;

/// The manifest's part: a workspace of the one package, with the dependencies that its own manifest takes from it, its
/// profiles, and of their exceptions those about packages that are there.
pub(super) fn part(workspace: &str, package: &str, lock: &str) -> Result<String, Why> {
    let parse = |text: &str| text.parse::<Table>().map_err(|error| failed(&error));
    let (mut root, package) = (parse(workspace)?, parse(package)?);
    let used: BTreeSet<String> = ["dependencies", "dev-dependencies", "build-dependencies"]
        .iter()
        .filter_map(|kind| package.get(*kind).and_then(Value::as_table))
        .flat_map(|table| table.keys().cloned())
        .collect();
    let mut written = Table::new();
    if let Some(Value::Table(mut workspace)) = root.remove("workspace") {
        workspace.insert("members".to_owned(), Value::Array(vec!["lambda".into()]));
        if let Some(Value::Table(dependencies)) = workspace.get_mut("dependencies") {
            dependencies.retain(|name, _| used.contains(name));
        }
        written.insert("workspace".to_owned(), Value::Table(workspace));
    }
    if let Some(Value::Table(mut profiles)) = root.remove("profile") {
        profiles.retain(|name, _| name == "release" || name == "lambda");
        for (_, profile) in &mut profiles {
            if let Some(Value::Table(exceptions)) = profile.get_mut("package") {
                exceptions.retain(|name, _| lock.contains(&format!("\nname = \"{name}\"\n")));
            }
        }
        written.insert("profile".to_owned(), Value::Table(profiles));
    }
    let text = toml::to_string_pretty(&written).map_err(|error| failed(&error))?;
    Ok(format!("# Made by `plumb lambda eject`: the part of Plumb's workspace that these functions need.\n\n{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::lambda::embedded::{LOCK, MANIFEST};

    #[test]
    fn the_manifest_names_what_the_package_takes_from_the_workspace() {
        let package = "[dependencies]\nserde.workspace = true\n[dev-dependencies]\nproptest.workspace = true\n";
        let text = part(MANIFEST, package, LOCK).unwrap();
        let table: Table = text.parse().unwrap();
        let dependencies: Vec<&String> = table["workspace"]["dependencies"].as_table().unwrap().keys().collect();
        assert_eq!(dependencies, ["serde", "proptest"]);
        assert_eq!(table["workspace"]["members"].as_array().unwrap().len(), 1);
        assert_eq!(table["profile"]["lambda"]["panic"].as_str(), Some("abort"));
        assert!(
            !text.contains("ratatui") && !text.contains("[package]") && text.contains("[profile.release.package.aes]")
        );
    }
}
