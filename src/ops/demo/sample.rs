//! The sample project `demo` of the deploy pipeline: a repository of its own beside the petshop's, and its entry in the
//! registry. `plumb-worker --project demo --branch main` rolls it out.

use std::collections::BTreeMap;
use std::path::Path;

use super::history::{cannot_write, filled, git};
use crate::compare::Why;
use crate::ops::pipeline::registry;
use crate::ops::session::Session;

/// Its name in the registry.
const NAME: &str = "demo";

const FILES: [(&str, &str); 2] = [
    ("plumb.toml", include_str!("../../../demo/sample/plumb.toml")),
    ("stack.yaml", include_str!("../../../demo/sample/stack.yaml")),
];

/// Who wrote it.
const TEAM: [(&str, &str); 4] = [
    ("GIT_AUTHOR_NAME", "Platform team"),
    ("GIT_AUTHOR_EMAIL", "platform@petshop.example"),
    ("GIT_COMMITTER_NAME", "Platform team"),
    ("GIT_COMMITTER_EMAIL", "platform@petshop.example"),
];

/// Writes the repository into an empty directory, and registers it.
pub(super) async fn register(
    root: &Path,
    markers: &BTreeMap<&'static str, String>,
    session: &Session,
) -> Result<Option<Why>, Why> {
    std::fs::create_dir_all(root).map_err(|error| cannot_write(root, &error))?;
    for (name, content) in FILES {
        let path = root.join(name);
        std::fs::write(&path, filled(content, markers)?).map_err(|error| cannot_write(&path, &error))?;
    }
    git(root, &["init", "--quiet", "--initial-branch=main"], &[]).await?;
    git(root, &["add", "--all"], &[]).await?;
    let message = ["commit", "--quiet", "--no-verify", "--no-gpg-sign", "--message", "Greet from a queue"];
    git(root, &message, &TEAM).await?;
    let plumb =
        std::env::current_exe().map_err(|error| Why::new(format!("plumb does not know where it is: {error}")))?;
    let command = serde_json::json!([plumb, "deploy", "--env", "dev", "--yes"]);
    let fields = [
        ("repository", format!("file://{}", root.display())),
        ("branches", String::from("main,release/*")),
        ("command", command.to_string()),
        ("timeout", String::from("900")),
    ];
    let wanted = fields.into_iter().map(|(field, value)| (field.to_owned(), Some(value))).collect();
    let plan = registry::plan(session, NAME, &wanted, true).await?;
    registry::write(session, &plan).await.map(|(_, untold)| untold)
}
