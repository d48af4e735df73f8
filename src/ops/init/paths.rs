//! The files and folders of the project that a template names, so that a push that touches one of them counts.

use std::collections::BTreeSet;

use crate::ops::inspect::packaged_file;
use crate::template::Template;

/// How deep templates may name templates.
const DEEPEST: usize = 8;

/// What a template and those that it names say of paths, from the project's root. `None` where nobody can tell all of it: a
/// template cannot be read, has text put in by AWS, or names what lies outside of the project.
pub(super) fn named(template: &str, read: &dyn Fn(&str) -> Option<String>) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut open = vec![(template.to_owned(), 0)];
    while let Some((path, depth)) = open.pop() {
        let text = read(&path).filter(|text| depth < DEEPEST && !text.contains("AWS::Include"))?;
        let template = Template::parse(&path, &text).ok()?;
        for resource in template.resources() {
            for (property, value) in resource.properties.as_object().into_iter().flatten() {
                let Some(file) = packaged_file(&resource.type_name, property, value) else { continue };
                let file = from(&path, file)?;
                let is_template = matches!(
                    resource.type_name.as_str(),
                    "AWS::CloudFormation::Stack" | "AWS::Serverless::Application"
                );
                if is_template {
                    open.push((file.clone(), depth + 1));
                }
                found.insert(file);
            }
        }
    }
    Some(found)
}

/// A path that a template names, from the project's root; `None` of one that leaves the project, or is all of it.
fn from(template: &str, named: &str) -> Option<String> {
    let mut parts: Vec<&str> = template.split('/').collect();
    parts.pop();
    for part in named.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop()?;
        } else {
            parts.push(part);
        }
    }
    (!named.starts_with('/') && !parts.is_empty()).then(|| parts.join("/"))
}
