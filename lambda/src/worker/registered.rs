//! What the registry may say, as a table: `plumb pipeline check` is held to the same, so that what it calls right is built.

use super::place::Place;
use crate::pipeline::registry::{Fields, Project};

#[test]
fn the_function_and_the_worker_take_what_the_table_calls_right_and_nothing_else() {
    let rows = include_str!("../../tests/reference/projects.json");
    let rows: Vec<serde_json::Value> = serde_json::from_str(rows).unwrap();
    for row in &rows {
        let usual = [("repository", "https://git.example/a"), ("branches", "main"), ("command", r#"["make"]"#)];
        let mut fields: Fields = usual.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let named = row["fields"].as_object().unwrap().iter();
        fields.extend(named.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())));
        let project = Project::read(&fields).map_err(|unfit| unfit.to_string());
        let place =
            |project: Project| Place::read(&project.repository, row["local"] == true).map(drop).map_err(str::to_owned);
        let taken = project.and_then(place);
        assert_eq!(taken.is_ok(), row["right"] == true, "{row}: {taken:?}");
    }
}
