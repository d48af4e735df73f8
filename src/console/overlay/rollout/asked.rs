//! Plans of a redeploy that somebody else carries out: the project's GitHub workflow, or its deploy pipeline.

use crate::compare::Why;
use crate::console::overlay::plan::Sheet;
use crate::console::text::short;

/// What is done by the project's workflow is told of under this name, which no stack can have.
pub(in crate::console) const WORKFLOW: &str = "the workflow on GitHub";

/// The same of the deploy pipeline.
pub(in crate::console) const PIPELINE: &str = "the deploy pipeline";

/// What a workflow would be asked for. The token stays with the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeploy {
    /// `owner/name`.
    pub repository: String,
    /// The workflow's file, or the event's type, and the branch that it runs on.
    pub workflow: String,
    /// The environment that it is asked to roll out.
    pub environment: String,
    /// The commit.
    pub commit: String,
    /// Its subject.
    pub subject: String,
    /// Where the token is from.
    pub token_from: String,
    /// By what the backend finds the plan again, and the run.
    pub nonce: String,
}

/// What the pipeline would be asked for. Its message stays with the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piping {
    /// The project, as the pipeline's registry has it.
    pub project: String,
    /// The branch that is built.
    pub branch: String,
    /// The environment that it is rolled out to.
    pub environment: String,
    /// The commit.
    pub commit: String,
    /// Its subject.
    pub subject: String,
    /// The topic that hears it.
    pub topic: String,
    /// Why the registry could not be asked whether it builds that branch.
    pub unchecked: Option<Why>,
    /// By what the backend finds the plan again.
    pub nonce: String,
}

pub(super) fn workflow(redeploy: &Redeploy) -> Sheet {
    let short = short(&redeploy.commit);
    Sheet {
        facts: vec![
            ("commit", format!("{short}  \"{}\"", redeploy.subject)),
            ("by", format!("{} of {}", redeploy.workflow, redeploy.repository)),
            ("token", redeploy.token_from.clone()),
        ],
        notes: vec![
            ('i', String::from("the workflow decides what it changes; its run is followed, and goes on without plumb")),
            ('i', String::from("plumb redeploy --via change-set rolls it out from here")),
        ],
        verb: format!("have {} roll it out to {}", redeploy.repository, redeploy.environment),
        done: format!("{} was asked", redeploy.repository),
        ..Sheet::default()
    }
}

pub(super) fn pipeline(piping: &Piping) -> Sheet {
    let mut notes = vec![
        (
            'i',
            String::from("its function decides by the registry; the job goes on without plumb, on the pipeline page"),
        ),
        ('i', String::from("plumb redeploy --via change-set rolls it out from here")),
    ];
    if let Some(why) = &piping.unchecked {
        notes.insert(0, ('?', format!("the registry was not read: {}", why.reason)));
    }
    Sheet {
        facts: vec![
            ("commit", format!("{}  \"{}\"", short(&piping.commit), piping.subject)),
            ("by", format!("the pipeline: {} from {}", piping.project, piping.branch)),
        ],
        whole: Some(("topic", piping.topic.clone())),
        notes,
        verb: format!("have the pipeline roll it out to {}", piping.environment),
        done: String::from("the pipeline was asked"),
        ..Sheet::default()
    }
}
