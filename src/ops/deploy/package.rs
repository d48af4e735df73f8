//! What a template names by a path of the repository, uploaded and named by where it lies then: as `sam package` and
//! `aws cloudformation package` do, but from the commit and under digests.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::artifacts::{self, Uploaded};
use super::draft::Draft;
use super::follow::Progress;
use crate::aws::s3;
use crate::compare::Why;
use crate::git::Snapshot;
use crate::ops::inspect::packaged_file;
use crate::ops::{artifact, failed, hex};
use crate::template::Template;

/// How deep templates may name templates.
const DEEPEST: usize = 8;

/// A template whose files are uploaded.
pub(super) struct Packaged {
    pub(super) text: String,
    pub(super) template: Template,
}

/// In what form a property names an upload.
enum Form {
    /// `s3://bucket/key`.
    Uri,
    /// `https://…`.
    Url,
    /// An object with these two keys.
    Pair(&'static str, &'static str),
}

impl Form {
    fn of(type_name: &str, property: &str) -> Self {
        match (type_name, property) {
            ("AWS::CloudFormation::Stack" | "AWS::Serverless::Application", _) => Self::Url,
            (
                "AWS::Lambda::Function" | "AWS::Lambda::LayerVersion" | "AWS::ElasticBeanstalk::ApplicationVersion",
                _,
            ) => Self::Pair("S3Bucket", "S3Key"),
            ("AWS::ApiGateway::RestApi" | "AWS::StepFunctions::StateMachine", _) => Self::Pair("Bucket", "Key"),
            _ => Self::Uri,
        }
    }

    fn value(&self, region: &str, bucket: &str, key: &str) -> Value {
        match self {
            Self::Uri => format!("s3://{bucket}/{key}").into(),
            Self::Url => s3::url(region, bucket, key).into(),
            Self::Pair(of_bucket, of_key) => json!({ *of_bucket: bucket, *of_key: key }),
        }
    }
}

/// Whether a property takes a zip of a folder.
fn is_zipped(type_name: &str) -> bool {
    matches!(
        type_name,
        "AWS::Lambda::Function"
            | "AWS::Lambda::LayerVersion"
            | "AWS::Serverless::Function"
            | "AWS::Serverless::LayerVersion"
            | "AWS::ElasticBeanstalk::ApplicationVersion"
    )
}

/// Uploads what the stack's template names by paths. `None`: it names nothing so, and is sent as it stands.
pub(super) async fn package(
    draft: &Draft,
    bucket: &str,
    uploaded: &BTreeMap<String, Uploaded>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Option<Packaged>, Why> {
    let Some(snapshot) = &draft.snapshot else { return Ok(None) };
    let of = Of { draft, snapshot, bucket, progress };
    of.template(&draft.stack.template, &draft.template, Some(uploaded), 0).await
}

struct Of<'a> {
    draft: &'a Draft,
    snapshot: &'a Snapshot,
    bucket: &'a str,
    progress: &'a (dyn Fn(Progress) + Send + Sync),
}

impl Of<'_> {
    async fn template(
        &self,
        path: &str,
        template: &Template,
        uploaded: Option<&BTreeMap<String, Uploaded>>,
        depth: usize,
    ) -> Result<Option<Packaged>, Why> {
        if depth > DEEPEST {
            return Err(Why::new(format!("{path}: templates name each other more than {DEEPEST} deep")));
        }
        let mut written = template.value().clone();
        let mut is_changed = false;
        let region = self.draft.session.clients.region();
        for resource in template.resources() {
            let (id, type_name) = (&resource.logical_id, resource.type_name.as_str());
            let named = resource.properties.as_object().into_iter().flatten();
            for (property, value) in named {
                let Some(file) = packaged_file(type_name, property, value) else { continue };
                let key = match uploaded.and_then(|uploaded| uploaded.get(id)) {
                    Some(artifact) if is_zipped(type_name) => artifact.key.clone(),
                    _ => self.upload(path, type_name, file, depth).await?,
                };
                let form = Form::of(type_name, property).value(region, self.bucket, &key);
                // What `Globals` say of it gives way to what the resource says itself.
                let slot = written.pointer_mut(&format!("/Resources/{id}")).and_then(Value::as_object_mut);
                let slot = slot.ok_or_else(|| Why::new(format!("{path}: {id} is not where it should be")))?;
                let properties = slot.entry("Properties").or_insert_with(|| json!({}));
                if let Some(properties) = properties.as_object_mut() {
                    properties.insert(property.clone(), form);
                    is_changed = true;
                }
            }
        }
        if !is_changed {
            return Ok(None);
        }
        if let Some(odd) = template.unquoted() {
            return Err(Why::new(format!("{path}: {odd} is read as text by some and as a number by others"))
                .hint(format!("quote it: \"{odd}\"")));
        }
        let text = written.to_string();
        let template = Template::parse(path, &text).map_err(|error| failed(&error))?;
        Ok(Some(Packaged { text, template }))
    }

    /// Uploads what a path of a template names, and answers its key.
    async fn upload(&self, template: &str, type_name: &str, file: &str, depth: usize) -> Result<String, Why> {
        let path = beside(template, file)?;
        let project = &self.draft.session.project().name;
        (self.progress)(Progress::Step(format!("packaging {path}")));
        if matches!(Form::of(type_name, ""), Form::Url) {
            let text = String::from_utf8(self.read(&path)?).map_err(|_| Why::new(format!("{path} is not UTF-8")))?;
            let parsed = Template::parse(&path, &text).map_err(|error| failed(&error))?;
            let packaged = Box::pin(self.template(&path, &parsed, None, depth + 1)).await?;
            let text = packaged.map_or(text, |packaged| packaged.text);
            let key = format!("plumb/{project}/templates/{}", hex(&Sha256::digest(&text)));
            return self.put(key, text.into_bytes(), "text/plain").await;
        }
        let extension = std::path::Path::new(&path).extension().and_then(|extension| extension.to_str());
        let is_zip = extension.is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
        if is_zipped(type_name) && !is_zip {
            let artifact = artifact::of_commit(self.snapshot, &path)?;
            let key = format!("plumb/{project}/artifacts/{}.zip", artifact.digest);
            return self.put(key, artifact.bytes, artifacts::ZIP).await;
        }
        let bytes = self.read(&path)?;
        let extension = extension.map(|extension| format!(".{extension}")).unwrap_or_default();
        let key = format!("plumb/{project}/artifacts/{}{extension}", hex(&Sha256::digest(&bytes)));
        self.put(key, bytes, "application/octet-stream").await
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Why> {
        let blob = self.snapshot.read(path).map_err(|error| failed(&error))?;
        let commit = self.snapshot.commit();
        let short = commit.get(..7).unwrap_or(commit);
        blob.map(|blob| blob.bytes).ok_or_else(|| Why::new(format!("{path} is not in commit {short}")))
    }

    async fn put(&self, key: String, bytes: Vec<u8>, content_type: &str) -> Result<String, Why> {
        artifacts::put_packaged(self.draft, self.bucket, &key, bytes, content_type, self.progress).await?;
        Ok(key)
    }
}

/// A path that a template names, from the project's root.
fn beside(template: &str, file: &str) -> Result<String, Why> {
    let folder = template.rsplit_once('/').map(|(folder, _)| folder).unwrap_or_default();
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                let outside = || Why::new(format!("{template} names {file}, which lies outside of the project"));
                parts.pop().map(drop).ok_or_else(outside)?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_from_where_the_template_lies_and_never_from_outside() {
        assert_eq!(beside("stack/template.yaml", "../functions/a/").unwrap(), "functions/a");
        assert_eq!(beside("template.yaml", "./src").unwrap(), "src");
        assert!(beside("template.yaml", "../secrets").is_err());
        assert!(beside("a/t.yaml", "b/../../../x").is_err());
    }

    #[test]
    fn each_type_is_told_where_its_upload_lies_in_its_own_form() {
        let of = |type_name: &str, property: &str| Form::of(type_name, property).value("eu-west-1", "b", "k");
        assert_eq!(of("AWS::Serverless::Function", "CodeUri"), json!("s3://b/k"));
        assert_eq!(of("AWS::Lambda::Function", "Code"), json!({ "S3Bucket": "b", "S3Key": "k" }));
        assert_eq!(
            of("AWS::StepFunctions::StateMachine", "DefinitionS3Location"),
            json!({ "Bucket": "b", "Key": "k" })
        );
        assert_eq!(of("AWS::CloudFormation::Stack", "TemplateURL"), json!("https://s3.eu-west-1.amazonaws.com/b/k"));
    }
}
