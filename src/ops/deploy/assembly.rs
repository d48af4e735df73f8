//! What the CDK wrote: its cloud assembly, synthesised where that is configured, and the files that it wants uploaded.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::artifacts;
use super::draft::Draft;
use super::follow::Progress;
use crate::compare::Why;
use crate::config::Stack;
use crate::ops::artifact;
use crate::ops::inspect::{assembly, partition};

/// What of an asset manifest is read.
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    files: BTreeMap<String, File>,
    #[serde(default, rename = "dockerImages")]
    images: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct File {
    source: Source,
    destinations: BTreeMap<String, Destination>,
}

#[derive(Deserialize)]
struct Source {
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    packaging: Option<String>,
}

#[derive(Deserialize)]
struct Destination {
    #[serde(rename = "bucketName")]
    bucket: String,
    #[serde(rename = "objectKey")]
    key: String,
}

/// The template of an assembly that was made from this commit; synthesised now where a command for that is configured and
/// the assembly is another commit's. Whoever calls has seen that the working tree is the commit's.
pub(super) async fn template(root: &Path, stack: &Stack, commit: &str) -> Result<String, Why> {
    let path = &stack.template;
    let read = || assembly(root, path, commit);
    let found = match (read(), &stack.synth) {
        (Err(_), Some(command)) => {
            synthesise(root, stack, command, commit).await?;
            read()
        }
        (found, _) => found,
    };
    String::from_utf8(found?).map_err(|_| Why::new(format!("{path} is not UTF-8")))
}

/// Runs the project's own command, and notes of which commit the assembly is.
async fn synthesise(root: &Path, stack: &Stack, command: &[String], commit: &str) -> Result<(), Why> {
    artifact::run(root, command, &format!("the synthesis of {}", stack.name)).await?;
    let folder = root.join(&stack.template);
    let marker = folder.parent().unwrap_or(root).join(".commit");
    std::fs::write(&marker, format!("{commit}\n"))
        .map_err(|error| Why::new(format!("cannot write {}: {error}", marker.display())))
}

/// Uploads the files that an assembly wants to be there, where they are not.
pub(super) async fn publish(draft: &Draft, progress: &(dyn Fn(Progress) + Send + Sync)) -> Result<(), Why> {
    let root = &draft.session.root;
    let template = Path::new(&draft.stack.template);
    let folder = root.join(template).parent().map_or_else(|| root.clone(), Path::to_path_buf);
    let file_name = template.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = file_name.strip_suffix(".template.json").unwrap_or(file_name);
    let path = folder.join(format!("{name}.assets.json"));
    let text = match std::fs::read_to_string(&path) {
        // A stack without assets has no manifest in older assemblies.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        text => text.map_err(|error| Why::new(format!("cannot read {}: {error}", path.display())))?,
    };
    let manifest: Manifest = serde_json::from_str(&text)
        .map_err(|error| Why::new(format!("cannot read the asset manifest {}: {error}", path.display())))?;
    if !manifest.images.is_empty() {
        let names: Vec<&str> = manifest.images.keys().map(|id| id.get(..12).unwrap_or(id)).collect();
        let told =
            format!("{} has container images ({}), which plumb does not build", draft.stack.name, names.join(", "));
        return Err(Why::new(told).hint(
            "`cdk deploy` builds and pushes them; plumb compares the stack all the same, and deploys those without",
        ));
    }
    if let Some((hash, _)) = manifest.files.iter().find(|(_, file)| file.source.path.is_none()) {
        let told = format!("asset {hash} of {} is made by a command, which plumb does not run", draft.stack.name);
        return Err(Why::new(told).hint("`cdk deploy` runs it; plumb compares the stack all the same"));
    }
    for file in manifest.files.values() {
        let Some(source) = file.source.path.as_deref() else { continue };
        // The template itself is sent with the change set.
        if source == file_name {
            continue;
        }
        progress(Progress::Step(format!("publishing {source}")));
        let zips = file.source.packaging.as_deref() == Some("zip");
        let bytes = artifact::of_disk(folder.join(source), zips).await?;
        for destination in file.destinations.values() {
            let (bucket, key) = (filled(draft, &destination.bucket), filled(draft, &destination.key));
            let kind = if zips { artifacts::ZIP } else { "application/octet-stream" };
            let put = artifacts::put_missing(draft, &bucket, &key, bytes.clone(), kind, &BTreeMap::new()).await;
            put.map_err(|why| match why.hint {
                None => why.hint("is the account prepared for the CDK? `npx cdk bootstrap`"),
                Some(_) => why,
            })?;
        }
    }
    Ok(())
}

fn filled(draft: &Draft, text: &str) -> String {
    let region = draft.session.clients.region();
    text.replace("${AWS::AccountId}", &draft.writer.account)
        .replace("${AWS::Region}", region)
        .replace("${AWS::Partition}", partition(region))
}
