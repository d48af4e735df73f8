//! `plumb.toml`: what belongs to a project, shared by the team.
//!
//! Patterns may hold `{env}`, `{service}`, `{layer}`, `{key}`, `{account}` and `{region}` where they make sense.

use std::collections::BTreeMap;

/// A project: the stacks, config tree and secrets that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// Its name: `petshop`.
    pub name: String,
    /// Pattern of the bucket that holds receipts, artifacts and the team journal: `petshop-plumb-{account}-{region}`.
    pub state_bucket: Option<String>,
    /// Where config documents lie and what their keys become.
    pub config: Vec<ConfigTree>,
    /// Where secrets lie and what they become.
    pub secrets: Vec<SecretFile>,
    /// The stacks.
    pub stacks: Vec<Stack>,
    /// How a redeploy is asked for.
    pub redeploy: Redeploy,
    /// Where the crypto API is found.
    pub crypto: Crypto,
    /// The deploy pipeline, where the project has one.
    pub pipeline: Option<Pipeline>,
    /// Where records are taken in and summed up, if they are.
    pub intake: Option<Intake>,
    /// Differences that do not count.
    pub ignore: Vec<IgnoreRule>,
    /// The environments, in the order of the file.
    pub environments: Vec<Environment>,
}

/// A tree of config documents, one per service and layer.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigTree {
    /// File patterns: `config/{service}/{env}/config.json`. `{env}` also matches the global layer.
    pub files: Vec<String>,
    /// The layer that every environment inherits: `global`.
    pub global: String,
    /// The parameter's name: `/{service}/{layer}/{key}`.
    pub parameter: String,
    /// What joins nested keys in `{key}`: `/`.
    pub joiner: String,
    /// Whether global and environment are stored apart or merged.
    pub layers: Layers,
    /// Depth of keys below which arrays and objects are pushed as JSON text; `None`: objects are always
    /// opened, arrays always JSON.
    pub depth: Option<usize>,
    /// The type parameters are pushed as.
    pub parameter_type: ParameterType,
    /// The largest tier that its parameters may be of.
    pub tier: Tier,
    /// Key id, ARN or alias for `SecureString`; `None`: the account's default key.
    pub kms_key: Option<String>,
}

/// A tier of Parameter Store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Values of up to 4 KB, free of charge.
    Standard,
    /// Values of up to 8 KB, which AWS charges for.
    Advanced,
}

/// How the layers of a config tree are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layers {
    /// Global and environment are separate parameters, merged when read.
    Separate,
    /// One parameter per key, the environment's value over the global one; `{layer}` is the environment.
    Merged,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterType {
    /// Plain text.
    String,
    /// Comma-separated plain text.
    StringList,
    /// Encrypted by KMS.
    SecureString,
}

/// Secrets that come from one encrypted file.
#[derive(Debug, Clone, PartialEq)]
pub struct SecretFile {
    /// The secret's name: `{env}/petshop/{key}`, or without `{key}` for a whole document.
    pub name: String,
    /// The file: `secrets/{env}.json`.
    pub file: String,
    /// Whether each key is a secret or the whole document is one.
    pub shape: SecretShape,
    /// KMS key; `None`: the account's default key.
    pub kms_key: Option<String>,
}

/// What of a file becomes a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretShape {
    /// The whole document, as JSON text, is one secret.
    Document,
    /// Each top-level key is a secret of its own; objects and arrays are JSON text.
    Key,
}

/// A CloudFormation stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// Its name: `petshop-{env}`.
    pub name: String,
    /// The template's path in the repository (for CDK: the template inside `cdk.out`).
    pub template: String,
    /// What the template is written in.
    pub kind: StackKind,
    /// Of a CDK stack: the command that writes its assembly, run in the project's directory.
    pub synth: Option<Vec<String>>,
    /// Template parameters; values may hold placeholders.
    pub parameters: BTreeMap<String, String>,
    /// Stack tags.
    pub tags: BTreeMap<String, String>,
    /// `CAPABILITY_IAM` and its like.
    pub capabilities: Vec<String>,
    /// The functions whose code comes from this repository.
    pub functions: Vec<Function>,
    /// Only in these environments; empty: in all.
    pub environments: Vec<String>,
}

/// What a stack's template is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackKind {
    /// Plain CloudFormation.
    CloudFormation,
    /// AWS SAM.
    Sam,
    /// AWS CDK: the template is in the cloud assembly.
    Cdk,
}

/// A function whose code comes from a directory of this repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Logical id in the template.
    pub resource: String,
    /// Source directory in the repository.
    pub source: String,
    /// Further paths whose content makes the artifact, such as a lockfile outside of the source.
    pub also: Vec<String>,
    /// The alias in use; `None`: `$LATEST` is.
    pub alias: Option<String>,
    /// Template parameter that receives the artifact's S3 key.
    pub artifact_parameter: Option<String>,
    /// Command that writes `output`, run in the repository's root; `None`: it is built already, where there is one.
    pub build: Option<Vec<String>>,
    /// The artifact: a zip, or a file or directory to be zipped; `None`: the source directory is, as the commit has it.
    pub output: Option<String>,
}

/// How a redeploy is asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Redeploy {
    /// The way.
    pub method: RedeployMethod,
    /// `owner/name` on GitHub; `None`: from the remote's URL.
    pub repository: Option<String>,
    /// The workflow's file name; `None`: a `repository_dispatch` is sent.
    pub workflow: Option<String>,
    /// The branch or tag that the workflow runs on; `None`: that of the environment's ref.
    pub git_ref: Option<String>,
    /// Base URL of GitHub's API; `None`: that of the remote's host.
    pub api: Option<String>,
    /// The secret with a token, for who has none of his own.
    pub secret: Option<String>,
}

/// The way a redeploy is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RedeployMethod {
    /// A change set from here.
    #[default]
    ChangeSet,
    /// The project's GitHub workflow.
    GitHub,
    /// The SNS-triggered pipeline.
    Pipeline,
}

/// Where the crypto API is found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Crypto {
    /// Its base URL.
    pub endpoint: Option<String>,
    /// Stack output that holds the URL: `petshop-{env}/CryptoEndpoint`.
    pub output: Option<String>,
}

impl Crypto {
    /// Whether the project says where it is.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.endpoint.is_some() || self.output.is_some()
    }
}

/// The deploy pipeline that anybody with leave to publish may trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// The stack of `lambda/pipeline.yaml`: `petshop-pipeline`.
    pub stack: String,
    /// This repository's name in the registry; `None`: the project's.
    pub project: Option<String>,
}

/// Where records are taken in, and summed up by the week.
#[derive(Debug, Clone, PartialEq)]
pub struct Intake {
    /// The stack of `lambda/intake.yaml`, whose outputs name everything else: `petshop-intake-{env}`.
    pub stack: String,
}

/// Differences that do not count.
#[derive(Debug, Clone, PartialEq)]
pub struct IgnoreRule {
    /// `stack`, `code`, `parameter` or `secret`; `None`: any.
    pub kind: Option<String>,
    /// Glob over the item's name.
    pub name: String,
    /// Property path with `*` for one step; `None`: the whole item.
    pub path: Option<String>,
    /// Why; shown beside the item.
    pub reason: Option<String>,
}

/// One place where the project lives.
#[derive(Debug, Clone, PartialEq)]
pub struct Environment {
    /// Its name: `prod`.
    pub name: String,
    /// AWS profile for reading.
    pub profile: Option<String>,
    /// AWS profile for writing; `None`: the same.
    pub write_profile: Option<String>,
    /// AWS region.
    pub region: Option<String>,
    /// AWS endpoint, for a local account.
    pub endpoint: Option<String>,
    /// The account this environment must be in; when it is another, everything but reading is refused.
    pub account: Option<String>,
    /// The git ref; `None`: the upstream of the current branch, else HEAD.
    pub git_ref: Option<String>,
    /// How writing is confirmed.
    pub protection: Protection,
    /// Age in seconds beyond which a drift detection is run anew; `None`: never by itself.
    pub drift_max_age: Option<u64>,
}

/// How writing to an environment is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// `y`.
    Open,
    /// The environment's name is typed.
    Confirm,
    /// Writing is refused.
    ReadOnly,
}

impl Protection {
    /// Its word in plumb.toml.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Confirm => "confirm",
            Self::ReadOnly => "read-only",
        }
    }
}
